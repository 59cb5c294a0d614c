//! `drehscheibe osci aside`: what a person does with OSCI deliveries of a running router that cannot be taken over.

use std::process::ExitCode;

use dds_message::Digest;
use reqwest::Method;
use serde_json::{Value, json};

use super::deliver::ask;
use crate::{Failure, cli::Aside, output::Output};

/// Lists, retries or drops.
pub(crate) async fn run(command: &Aside, output: Output) -> Result<ExitCode, Failure> {
    let (settings, deed, id, originator) = match command {
        Aside::List(settings) => {
            let answer = ask(settings, Method::GET, "osci/aside", &Value::Null).await?;
            let found: Value = answer.json().await.map_err(Failure::unexpected)?;
            let rows = found.as_array().map(Vec::as_slice).unwrap_or_default();
            if rows.is_empty() {
                output.line(output.pick("nichts ist beiseitegelegt", "nothing is set aside"));
            }
            for row in rows {
                output.line(line(row, output));
            }
            output.result(&found)?;
            return Ok(ExitCode::SUCCESS);
        }
        Aside::Retry(wish) => (&wish.settings, "osci/aside/retry", &wish.id, &wish.originator),
        Aside::Drop(wish) => (&wish.settings, "osci/aside/drop", &wish.id, &wish.originator),
    };
    ask(settings, Method::POST, deed, &wish(id.as_deref(), originator.as_deref())?).await?;
    output.line(output.pick("erledigt", "done"));
    output.result(&json!({ "done": true }))?;
    Ok(ExitCode::SUCCESS)
}

/// Which are meant; a fingerprint as the list shows it, or in pairs with colons.
fn wish(id: Option<&str>, originator: Option<&str>) -> Result<Value, Failure> {
    match (id, originator) {
        (Some(id), _) => Ok(json!({ "id": id })),
        (None, Some(written)) => {
            let fingerprint = Digest::parse(written).map_err(|error| {
                let german = format!("{written:?} ist kein SHA-256-Fingerabdruck eines Zertifikats");
                Failure::argument((german, error.to_string()))
            })?;
            Ok(json!({ "originator": fingerprint.to_string() }))
        }
        (None, None) => Ok(json!("all")),
    }
}

fn line(row: &Value, output: Output) -> String {
    let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
    let tries = row.get("tries").and_then(Value::as_u64).unwrap_or_default();
    let (since, attempts, again) =
        (output.pick("seit", "since"), output.pick("Versuche", "tries"), output.pick("wieder", "again"));
    let originator = match text("originator") {
        "" => String::new(),
        known => format!("  {} {known}", output.pick("Absender", "originator")),
    };
    format!(
        "{}  {}  {since} {}  {attempts} {tries}  {again} {}{originator}",
        text("message_id"),
        text("code"),
        text("since"),
        text("again")
    )
}
