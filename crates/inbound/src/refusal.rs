//! Refusals as problem documents (RFC 9457).

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use dds_message::Problem;

/// A problem on its way to the sender. The guard around all routes writes the document, because it knows the path.
#[derive(Debug, Clone)]
pub struct Refusal(pub Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        status(&self.0)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// HTTP status of a refusal.
pub(crate) fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.code.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Headers that go with a status: `Retry-After` (RFC 9110 section 10.2.3), `WWW-Authenticate` (section 11.6.1).
pub(crate) fn companions(status: StatusCode, retry_after: u64, headers: &mut HeaderMap) {
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
    }
    if status == StatusCode::UNAUTHORIZED {
        headers
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"datendrehscheibe\""));
    }
}
