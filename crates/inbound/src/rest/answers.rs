//! What a source may ask about its messages, and how it fetches answers: reading changes nothing, the receipt ends the
//! delivery.

use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use dds_message::{Attachment, Code, MessageId, Problem, content_disposition};
use dds_router::Status;
use serde_json::{Value, json};

use crate::{Caller, Context, Refusal};

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

/// `GET /v1/answers/{id}/attachments`
pub(super) async fn attachments(
    State(context): State<Context>,
    Caller(source): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id = identifier(&id)?;
    let attachments = context.handle().answer_attachments(&source, id).await?.ok_or_else(unknown)?;
    let described = |(number, attachment): (usize, &Attachment)| {
        json!({
            "url": format!("/v1/answers/{id}/attachments/{number}"), "name": attachment.name,
            "media_type": attachment.media_type, "size": attachment.size, "sha256": attachment.digest,
        })
    };
    let attachments: Vec<Value> = (1..).zip(&attachments).map(described).collect();
    Ok(Json(json!({ "attachments": attachments })))
}

/// `GET /v1/answers/{id}/attachments/{number}`, number from 1
pub(super) async fn attachment(
    State(context): State<Context>,
    Caller(source): Caller,
    Path((id, number)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let place = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)).ok_or_else(unknown)?;
    let opened = context.handle().answer_attachment(&source, identifier(&id)?, place).await?;
    let (attachment, bytes) = opened.ok_or_else(unknown)?;
    let headers = [
        (header::CONTENT_TYPE, attachment.media_type.clone()),
        (header::CONTENT_LENGTH, attachment.size.to_string()),
        (header::CONTENT_DISPOSITION, content_disposition(&attachment.name)),
    ];
    Ok((headers, Body::from_stream(bytes)).into_response())
}

/// `POST /v1/answers/{id}/receipt`
pub(super) async fn receipt(
    State(context): State<Context>,
    Caller(source): Caller,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refusal> {
    let id = identifier(&id)?;
    let settled = context.handle().answer_received(&source, id).await?.ok_or_else(unknown)?;
    Ok(Json(json!({ "id": id, "duplicate": !settled })))
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
    let instance = format!("/v1/messages/{}", status.id);
    let problem = status.problem.as_ref().map(|problem| problem.document(&instance));
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
                "attachments_url": format!("/v1/answers/{id}/attachments"),
                "receipt_url": format!("/v1/answers/{id}/receipt"),
            })
        })
        .collect()
}

fn identifier(text: &str) -> Result<MessageId, Problem> {
    // What cannot be an id is not there: 404 tells nothing about what is.
    MessageId::parse(text).map_err(|_| unknown())
}

fn unknown() -> Problem {
    Problem::new(Code::NOT_FOUND, ("keine solche Nachricht dieser Quelle", "no such message of this source"))
}
