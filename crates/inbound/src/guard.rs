//! What surrounds every route: the limits of the request head and the writing of problem documents.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use dds_message::{Code, Problem};
use serde_json::json;

use crate::{
    Context,
    refusal::{self, Refusal},
};

/// Bytes of all names and values together.
const HEADER_BYTES: usize = 16 << 10;
/// Header fields that decide something and may be there once.
const SINGLE: [&str; 3] = ["Authorization", "Content-Type", "Idempotency-Key"];
/// Bytes of path and query.
const TARGET_BYTES: usize = 2 << 10;

/// `routes` and `further` with the guard around them, and an answer for what no route knows.
pub(crate) fn guarded(routes: Router<Context>, further: Router, context: Context) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        // Bodies are limited by `body::Pieces`, which knows the source.
        .layer(DefaultBodyLimit::disable())
        .with_state(context.clone())
        .merge(further)
        .layer(axum::middleware::from_fn_with_state(context, guard))
}

async fn not_found() -> Refusal {
    Problem::new(Code::NOT_FOUND, ("keine solche Adresse", "no such resource")).into()
}

async fn wrong_method() -> Refusal {
    let text = (
        "diese Adresse kennt die Methode nicht; siehe den Kopf Allow",
        "this resource does not know the method; see the header Allow",
    );
    Problem::new(Code::WRONG_METHOD, text).into()
}

async fn guard(State(context): State<Context>, request: Request, next: Next) -> Response {
    let instance = request.uri().path().to_owned();
    let mut response = match head(&request, context.options().headers) {
        Ok(()) => next.run(request).await,
        Err(problem) => Refusal(problem).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if context.draining() {
        // The next request of this sender shall reach another node, or the next process.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(Refusal(problem)) = response.extensions_mut().remove::<Refusal>() {
        let status = response.status();
        if problem.is_inward() {
            tracing::warn!(code = %problem.code, detail = %problem.detail, "inbound.failed");
        }
        refusal::companions(status, context.options().retry_after, response.headers_mut());
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(json!(problem.document(&instance)).to_string());
    }
    response
}

fn head(request: &Request, fields: usize) -> Result<(), Problem> {
    let too_large = |german: &str, english: &str, max: usize| {
        let text = (format!("mehr als {max} {german}"), format!("more than {max} {english}"));
        Err(Problem::new(Code::HEAD_TOO_LARGE, text))
    };
    let size = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    let headers: &HeaderMap = request.headers();
    // Which of two would count, we and a proxy before us might judge differently.
    if let Some(name) = SINGLE.into_iter().find(|name| headers.get_all(*name).iter().nth(1).is_some()) {
        let text = (
            format!("das Kopffeld {name} steht mehrmals da"),
            format!("the header field {name} occurs twice"),
        );
        return Err(Problem::new(Code::BAD_REQUEST, text));
    }
    if headers.len() > fields {
        too_large("Kopffelder", "header fields", fields)
    } else if headers.iter().map(size).sum::<usize>() > HEADER_BYTES {
        too_large("Bytes an Kopffeldern", "bytes of header fields", HEADER_BYTES)
    } else if request.uri().path_and_query().map_or(0, |target| target.as_str().len()) > TARGET_BYTES {
        too_large("Bytes in Pfad und Abfrage", "bytes in path and query", TARGET_BYTES)
    } else {
        Ok(())
    }
}
