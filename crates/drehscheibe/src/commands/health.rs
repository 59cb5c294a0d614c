//! `drehscheibe health`: for container health checks.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::ExitCode,
};

use dds_config::Listen;

use crate::{Failure, cli::Health, output::Output};

/// Succeeds when the router says it is ready.
pub(crate) async fn run(options: &Health, output: Output) -> Result<ExitCode, Failure> {
    let admin = match (&options.admin, &options.config) {
        (Some(admin), _) => admin.clone(),
        (None, Some(config)) => url(super::settings(config)?.listen.admin),
        (None, None) => url(Listen::default().admin),
    };
    let address = format!("{}/ready", admin.trim_end_matches('/'));
    let unreachable = |error: reqwest::Error| super::silent(&address, &error);
    let answer = super::client(None, None)?.get(&address).send().await.map_err(unreachable)?;
    let ready = answer.status().is_success();
    output.result(&serde_json::json!({ "ready": ready }))?;
    output.line(if ready {
        output.pick("bereit", "ready")
    } else {
        output.pick("nicht bereit", "not ready")
    });
    Ok(if ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The address under which a listener on this machine is asked; one that listens everywhere is asked on loopback.
fn url(mut listener: SocketAddr) -> String {
    if listener.ip().is_unspecified() {
        listener.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{listener}")
}
