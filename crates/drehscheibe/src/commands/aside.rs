//! `drehscheibe osci aside`: what a person does with OSCI deliveries of a running router that cannot be taken over.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};

use super::deliver::ask;
use crate::{Failure, cli::Aside, output::Output};

/// Lists, retries or drops.
pub(crate) async fn run(command: &Aside, output: Output) -> Result<ExitCode, Failure> {
    let (settings, deed, body) = match command {
        Aside::List(settings) => {
            let answer = ask(settings, Method::GET, "osci/aside", &Value::Null).await?;
            let found: Value = answer.json().await.map_err(Failure::unexpected)?;
            for row in found.as_array().into_iter().flatten() {
                output.line(line(row, output));
            }
            output.result(&found)?;
            return Ok(ExitCode::SUCCESS);
        }
        Aside::Retry(one) => (&one.settings, "osci/aside/retry", json!({ "id": one.id })),
        Aside::Drop(one) => (&one.settings, "osci/aside/drop", json!({ "id": one.id })),
    };
    ask(settings, Method::POST, deed, &body).await?;
    output.line(output.pick("erledigt", "done"));
    output.result(&json!({ "done": true }))?;
    Ok(ExitCode::SUCCESS)
}

fn line(row: &Value, output: Output) -> String {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let tries = row.get("tries").and_then(Value::as_u64).unwrap_or_default();
    let (since, attempts, again) =
        (output.pick("seit", "since"), output.pick("Versuche", "tries"), output.pick("wieder", "again"));
    format!(
        "{}  {}  {since} {}  {attempts} {tries}  {again} {}",
        text("message_id"),
        text("code"),
        text("since"),
        text("again")
    )
}
