//! `drehscheibe deliver`: what a person does with deliveries and parked messages of a running router, over its
//! operations listener. Whoever can read the store's folder may: the token lies there.

use std::process::ExitCode;

use dds_message::{DeliveryId, MessageId, TargetId};

use super::silent;
use crate::{
    Failure, admin,
    cli::{Deliver, Settings},
    output::Output,
};

/// Carries the wish to the running router.
pub(crate) async fn run(command: &Deliver, output: Output) -> Result<ExitCode, Failure> {
    match command {
        Deliver::Again(one) | Deliver::Settle(one) => delivery(&one.id)?,
        Deliver::Redirect(one) => {
            delivery(&one.id)?;
            let target = TargetId::parse(&one.to).map(drop);
            target.map_err(|error| {
                Failure::argument((format!("{:?} ist kein Zustellziel", one.to), error.to_string()))
            })?;
        }
        Deliver::Release(one) => {
            let message = MessageId::parse(&one.id).map(drop);
            message.map_err(|error| {
                let german = format!("{:?} ist keine Kennung einer Nachricht", one.id);
                Failure::argument((german, error.to_string()))
            })?;
        }
    }
    let (settings, path) = match command {
        Deliver::Again(one) => (&one.settings, format!("deliveries/{}/again", one.id)),
        Deliver::Redirect(one) => (&one.settings, format!("deliveries/{}/redirect?to={}", one.id, one.to)),
        Deliver::Settle(one) => (&one.settings, format!("deliveries/{}/settle", one.id)),
        Deliver::Release(one) => (&one.settings, format!("messages/{}/release", one.id)),
    };
    ask(settings, &path).await?;
    output.line(output.pick("erledigt", "done"));
    output.result(&serde_json::json!({ "done": true }))?;
    Ok(ExitCode::SUCCESS)
}

fn delivery(id: &str) -> Result<(), Failure> {
    DeliveryId::parse(id).map(drop).map_err(|error| {
        Failure::argument((format!("{id:?} ist keine Kennung einer Zustellung"), error.to_string()))
    })
}

async fn ask(settings: &Settings, path: &str) -> Result<(), Failure> {
    let config = super::settings(&settings.config)?;
    let token = admin::read_token(&config.store)?;
    let url = format!("http://{}/admin/{path}", config.listen.admin);
    let unreachable = |error: reqwest::Error| silent(&url, &error);
    let answer = super::client(None)?.post(&url).bearer_auth(token).send().await.map_err(unreachable)?;
    if answer.status().is_success() {
        return Ok(());
    }
    let problem: dds_message::Problem = answer.json().await.map_err(unreachable)?;
    Err(problem.into())
}
