//! What a source may ask about its messages.

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use dds_message::{Code, MessageId, Problem};
use dds_router::Status;
use serde_json::{Value, json};

use crate::{
    Caller, Context,
    refusal::{self, Refusal},
};

/// `GET /v1/messages/{id}`
pub(super) async fn status(
    State(context): State<Context>,
    Caller(source): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let status = context.handle().status(&source, identifier(&id)?).await?.ok_or_else(unknown)?;
    Ok(Json(described(&status)))
}

/// `GET /v1/messages/{id}/answers`
pub(super) async fn list(
    State(context): State<Context>,
    Caller(source): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let status = context.handle().status(&source, identifier(&id)?).await?.ok_or_else(unknown)?;
    Ok(Json(json!({ "answers": answers(&status) })))
}

/// `GET /v1/answers/{id}`
pub(super) async fn document(
    State(context): State<Context>,
    Caller(source): Caller,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let (bytes, format) =
        context.handle().answer_document(&source, identifier(&id)?).await?.ok_or_else(unknown)?;
    Ok(([(header::CONTENT_TYPE, format.media_type())], bytes).into_response())
}

fn described(status: &Status) -> Value {
    let deliveries: Vec<Value> = status
        .deliveries
        .iter()
        .map(|delivery| {
            json!({
                "id": delivery.id, "authority": delivery.authority, "target": delivery.target, "state": delivery.state,
            })
        })
        .collect();
    let problem = status
        .problem
        .as_ref()
        .map(|problem| refusal::document(problem, &format!("/v1/messages/{}", status.id)));
    json!({
        "id": status.id,
        "accepted": status.accepted.to_string(),
        "state": status.state,
        "problem": problem,
        "deliveries": deliveries,
        "answers": answers(status),
    })
}

fn answers(status: &Status) -> Vec<Value> {
    status
        .answers
        .iter()
        .map(|(id, kind, at)| {
            json!({
                "id": id, "kind": kind, "accepted": at.to_string(), "document_url": format!("/v1/answers/{id}"),
            })
        })
        .collect()
}

fn identifier(text: &str) -> Result<MessageId, Problem> {
    // What cannot be an id is not there: 404 tells nothing about what is.
    MessageId::parse(text).map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::new(Code::NOT_FOUND, "no such message of this source")
}
