//! Refusals as problem documents (RFC 9457).

use axum::response::{IntoResponse as _, Response};
use dds_message::Problem;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// The problem document; `instance` is the path of the request.
pub(super) fn response(problem: &Problem, instance: &str) -> Response {
    let entry = problem.code.entry();
    let status = StatusCode::from_u16(entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let document = json!({
        "type": format!("/codes/{}", problem.code),
        "title": entry.german,
        "title_en": entry.english,
        "status": status.as_u16(),
        "detail": problem.detail,
        "instance": instance,
        "code": problem.code,
        "actor": entry.actor.as_str(),
        "remedy": entry.remedy_german,
        "remedy_en": entry.remedy_english,
    });
    let mut response = (status, document.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::UNAUTHORIZED {
        headers
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"datendrehscheibe\""));
    }
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}
