//! `drehscheibe send`: one message to a running router, over its REST interface.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::ExitCode,
};

use dds_message::{Code, Digest};
use reqwest::multipart::{Form, Part};

use crate::{
    Failure,
    cli::Send,
    output::{Output, file_error},
};

/// Variable that holds the token, if none is named.
const TOKEN: &str = "DDS_TOKEN";

/// Sends document and attachments and prints the acknowledgement or the refusal.
pub(crate) async fn run(options: &Send, output: Output) -> Result<ExitCode, Failure> {
    let token = token(options)?;
    let document = std::fs::read(&options.document).map_err(|error| unreadable(&options.document, &error))?;
    let media_type = if options.document.extension().is_some_and(|ending| ending == "json") {
        "application/json"
    } else {
        "application/xml"
    };
    let key = match &options.key {
        Some(key) => key.clone(),
        None => content_key(&document, &options.attachments)?,
    };
    let url = format!("{}/v1/messages", options.to.trim_end_matches('/'));
    let identity = options.cert.as_deref().zip(options.cert_key.as_deref());
    let request = super::client(options.ca.as_deref(), identity)?.post(&url).header("Idempotency-Key", key);
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let request = if options.attachments.is_empty() {
        request.header("Content-Type", media_type).body(document)
    } else {
        let part = Part::bytes(document).file_name("message").mime_str(media_type);
        let mut form = Form::new().part("message", part.map_err(Failure::unexpected)?);
        for file in &options.attachments {
            let part = Part::file(file).await.map_err(|error| unreadable(file, &error))?;
            form = form.part("attachment", part);
        }
        request.multipart(form)
    };
    let unreachable = |error: reqwest::Error| super::silent(&url, &error);
    let answer = request.send().await.map_err(unreachable)?;
    let accepted = answer.status().is_success();
    let body: serde_json::Value = answer.json().await.map_err(unreachable)?;
    output.result(&body)?;
    if accepted {
        let id = body.get("id").and_then(serde_json::Value::as_str).unwrap_or_default();
        output.line(format!("{} {id}", output.pick("angenommen:", "accepted:")));
        return Ok(ExitCode::SUCCESS);
    }
    if !output.json {
        let text =
            |key: &str| body.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let (title, detail) = (
            output.pick(&text("title"), &text("title_en")).to_owned(),
            output.pick(&text("detail"), &text("detail_en")).to_owned(),
        );
        output.line(format!("{} {title}", text("code")));
        // What is for the operator alone is answered with the title once more.
        if detail != title {
            output.line(format!("  {detail}"));
        }
        output.line(format!("  {}", output.pick(&text("remedy"), &text("remedy_en"))));
    }
    Ok(ExitCode::FAILURE)
}

/// The token of the source. Who shows a certificate needs none, and sends one only if its variable is named.
fn token(options: &Send) -> Result<Option<String>, Failure> {
    let name = match (&options.token_env, &options.cert) {
        (Some(name), _) => name,
        (None, Some(_)) => return Ok(None),
        (None, None) => TOKEN,
    };
    std::env::var(name).map(Some).map_err(|_| {
        Failure::argument((
            format!("die Umgebungsvariable {name} ist nicht gesetzt"),
            format!("environment variable {name} is not set"),
        ))
    })
}

/// A key that is the same for the same document with the same files, so that sending again does no harm.
fn content_key(document: &[u8], attachments: &[PathBuf]) -> Result<String, Failure> {
    let mut all = Digest::of(document).to_string();
    for path in attachments {
        let file = File::open(path).and_then(Digest::of_reader);
        let (digest, _) = file.map_err(|error| unreadable(path, &error))?;
        all.push_str(&format!("{}{digest}", path.display()));
    }
    Ok(if attachments.is_empty() { all } else { Digest::of(all.as_bytes()).to_string() })
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Code::FILE_UNUSABLE, file_error(file, error))
}
