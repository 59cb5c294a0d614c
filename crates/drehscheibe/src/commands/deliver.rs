//! `drehscheibe deliver`: what a person does with deliveries and parked messages of a running router, over its
//! operations listener. Whoever can read the store's folder may: the token lies there.

use std::process::ExitCode;

use dds_message::{DeliveryId, MessageId, TargetId};
use dds_router::Redirected;
use reqwest::{Method, Response};

use super::silent;
use crate::{
    Failure, admin,
    cli::{Deliver, Settings},
    output::{Language, Output},
};

/// Carries the wish to the running router.
pub(crate) async fn run(command: &Deliver, output: Output) -> Result<ExitCode, Failure> {
    let (settings, path) = match command {
        Deliver::Again(one) => (&one.settings, delivery(&one.id, "again")?),
        Deliver::Settle(one) => (&one.settings, delivery(&one.id, "settle")?),
        Deliver::Cancel(one) => (&one.settings, delivery(&one.id, "cancel")?),
        Deliver::Redirect(one) => {
            let target = TargetId::parse(&one.to).map_err(|error| {
                Failure::argument((format!("{:?} ist kein Zustellziel", one.to), error.to_string()))
            })?;
            let what = format!("redirect?to={target}&force={}", one.force);
            (&one.settings, delivery(&one.id, &what)?)
        }
        Deliver::Release(one) => (&one.settings, message(&one.id, "release")?),
        Deliver::Reject(one) => (&one.settings, message(&one.id, "reject")?),
    };
    let body = match command {
        Deliver::Reject(one) => serde_json::json!({ "reason": one.reason }),
        _ => serde_json::Value::Null,
    };
    let answer = ask(settings, Method::POST, &path, &body).await?;
    if let Deliver::Redirect(_) = command {
        let redirected: Redirected = answer.json().await.map_err(Failure::unexpected)?;
        let Redirected { delivery, target, office, product } = &redirected;
        output.line(match output.language {
            Language::German => {
                format!("umgeleitet an {office} ({target}, {product}) als Zustellung {delivery}")
            }
            Language::English => {
                format!("redirected to {office} ({target}, {product}) as delivery {delivery}")
            }
        });
        output.result(&redirected)?;
    } else {
        output.line(output.pick("erledigt", "done"));
        output.result(&serde_json::json!({ "done": true }))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn delivery(id: &str, what: &str) -> Result<String, Failure> {
    let known = DeliveryId::parse(id).map_err(|error| {
        Failure::argument((format!("{id:?} ist keine Kennung einer Zustellung"), error.to_string()))
    })?;
    Ok(format!("deliveries/{known}/{what}"))
}

fn message(id: &str, what: &str) -> Result<String, Failure> {
    let known = MessageId::parse(id).map_err(|error| {
        Failure::argument((format!("{id:?} ist keine Kennung einer Nachricht"), error.to_string()))
    })?;
    Ok(format!("messages/{known}/{what}"))
}

/// Asks the running router.
pub(crate) async fn ask(
    settings: &Settings,
    method: Method,
    path: &str,
    body: &serde_json::Value,
) -> Result<Response, Failure> {
    let config = super::settings(&settings.config)?;
    let token = admin::read_token(&config.store)?;
    let url = format!("http://{}/admin/{path}", config.listen.admin);
    let unreachable = |error: reqwest::Error| silent(&url, &error);
    let request = super::client(None, None)?.request(method, &url).bearer_auth(token).json(body);
    let answer = request.send().await.map_err(unreachable)?;
    if answer.status().is_success() {
        return Ok(answer);
    }
    let problem: dds_message::Problem = answer.json().await.map_err(unreachable)?;
    Err(problem.into())
}
