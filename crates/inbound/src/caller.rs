//! Who is there: bearer token or client certificate.

use std::net::IpAddr;

use axum::{extract::FromRequestParts, http::request::Parts};
use dds_message::{Channel, Code, Digest, Problem, SourceId};

use crate::{Context, refusal::Refusal};

/// What is known of the other end of a connection; [`crate::Listener`] puts it into the extensions of each request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// The connection is encrypted by us.
    pub tls: bool,
    /// SHA-256 of the client certificate (DER), whose chain has been checked.
    pub certificate: Option<Digest>,
    /// Its address.
    pub address: Option<IpAddr>,
}

/// The authenticated source of a request. As an extractor it refuses others with `DDS-I001`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller(pub SourceId);

impl Caller {
    /// Authenticates by `Authorization: Bearer …` (RFC 6750 section 2.1) or, without that header, by client
    /// certificate.
    ///
    /// # Errors
    /// `DDS-I001`, without telling which part of the credential was wrong.
    pub fn authenticate(context: &Context, parts: &Parts) -> Result<Self, Problem> {
        let source = match parts.headers.get(axum::http::header::AUTHORIZATION) {
            Some(header) => {
                bearer(header.as_bytes()).and_then(|token| context.sources().by_token(&Digest::of(token)))
            }
            None => parts
                .extensions
                .get::<Peer>()
                .and_then(|peer| peer.certificate)
                .and_then(|digest| context.sources().by_certificate(&digest)),
        };
        source.map(Self).ok_or_else(|| {
            let text =
                ("kein bekanntes Token oder Client-Zertifikat", "no known token or client certificate");
            Problem::new(Code::NOT_AUTHENTICATED, text)
        })
    }
}

fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

impl FromRequestParts<Context> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Refusal> {
        Self::authenticate(context, parts).map_err(|problem| {
            context.refused(None, Channel::Rest, &problem);
            Refusal::from(problem)
        })
    }
}
