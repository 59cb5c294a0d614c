//! The description of the web service.

use axum::{
    extract::{RawQuery, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use dds_message::{Code, Problem};
use dds_soap::escape;

use crate::{Context, Peer, Refusal};

const TEMPLATE: &str = include_str!("service.wsdl");

/// `GET /soap/v1?wsdl`
pub(super) async fn describe(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Refusal> {
    if !query.is_some_and(|query| query.eq_ignore_ascii_case("wsdl")) {
        let text = (
            "die Beschreibung steht unter /soap/v1?wsdl, Aufrufe sind POST",
            "the description is at /soap/v1?wsdl, calls are POST",
        );
        return Err(Problem::new(Code::NOT_FOUND, text).into());
    }
    let base = match &context.options().public_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => {
            let tls = request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
            format!("{}://{}", if tls { "https" } else { "http" }, host(request.headers())?)
        }
    };
    let wsdl = TEMPLATE.replace("{address}", &escape(&format!("{base}/soap/v1")));
    Ok(([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], wsdl).into_response())
}

/// The `Host` of the request (RFC 9110 section 7.2), if it looks like one.
fn host(headers: &HeaderMap) -> Result<&str, Problem> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .filter(|host| !host.is_empty() && host.bytes().all(letter))
        .ok_or_else(|| {
            let text = ("der Kopf Host fehlt oder ist fehlerhaft", "the header Host is missing or malformed");
            Problem::new(Code::BAD_REQUEST, text)
        })
}
