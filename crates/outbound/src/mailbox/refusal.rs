//! Refusals as problem documents (RFC 9457).

use axum::response::{IntoResponse as _, Response};
use dds_message::Problem;
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

/// The problem document; `instance` is the path of the request.
pub(super) fn response(problem: &Problem, instance: &str) -> Response {
    let status =
        StatusCode::from_u16(problem.code.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, json!(problem.document(instance)).to_string()).into_response();
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
