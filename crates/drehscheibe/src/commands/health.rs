//! `drehscheibe health`: for container health checks.

use std::process::ExitCode;

use crate::{Failure, cli::Health, output::Output};

/// Succeeds when the router says it is ready.
pub(crate) async fn run(options: &Health, output: Output) -> Result<ExitCode, Failure> {
    let address = format!("{}/ready", options.admin.trim_end_matches('/'));
    let unreachable = |error: reqwest::Error| super::silent(&address, &error);
    let answer = super::client(None)?.get(&address).send().await.map_err(unreachable)?;
    let ready = answer.status().is_success();
    output.result(&serde_json::json!({ "ready": ready }))?;
    output.line(if ready {
        output.pick("bereit", "ready")
    } else {
        output.pick("nicht bereit", "not ready")
    });
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
