//! The REST interface: `/v1/…`, its OpenAPI document, and the pages for people.

mod answers;
mod pages;
mod parts;
mod submit;

pub(crate) use submit::acknowledgement;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{Context, guard};

/// The REST interface, ready to be served.
pub fn router(context: Context) -> Router {
    guard::guarded(routes(), Router::new(), context)
}

pub(crate) fn routes() -> Router<Context> {
    Router::new()
        .route("/", get(pages::index))
        .route("/openapi.json", get(pages::openapi))
        .route("/codes/{code}", get(pages::code))
        .route("/v1/messages", post(submit::message))
        .route("/v1/messages/{id}", get(answers::status))
        .route("/v1/messages/{id}/answers", get(answers::list))
        .route("/v1/answers", post(submit::answer))
        .route("/v1/answers/{id}", get(answers::document))
        .route("/v1/answers/{id}/attachments", get(answers::attachments))
        .route("/v1/answers/{id}/attachments/{number}", get(answers::attachment))
        .route("/v1/answers/{id}/receipt", post(answers::receipt))
}
