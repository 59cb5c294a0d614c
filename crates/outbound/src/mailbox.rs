//! Postfach: a Fachverfahren, or a source for its answers, fetches by REST (`docs/interface-mailbox.md`).
//!
//! A delivery is leased to the target that asks for it and comes back by itself if it is not acknowledged in time.

mod call;
mod fetch;
mod lease;
mod polls;
mod refusal;
mod settle;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse as _, Response},
    routing::any,
};
use dds_depot::Target;
use dds_message::{Clock, Code, Digest, Problem, TargetId};
use dds_store::{BlobStore, Journal, Vault};
use dds_telemetry::Telemetry;
use http::{HeaderMap, header};
use tokio::sync::watch;

use crate::{Targets, credential::Credential};
use call::{Action, Call};

pub use polls::Polls;

/// Longest long poll.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Largest body of an acknowledgement.
const BODY: usize = 64 * 1024;
/// It must arrive within this time (DDS-I012).
const BODY_TIME: Duration = Duration::from_secs(30);

/// What the mailbox works with.
#[derive(Clone)]
pub struct Mailbox {
    /// Deliveries.
    pub journal: Arc<dyn Journal>,
    /// Attachments.
    pub blobs: Arc<dyn BlobStore>,
    /// Keys of messages.
    pub vault: Vault,
    /// Targets and sources of the active release.
    pub targets: Targets,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Log and metrics.
    pub telemetry: Telemetry,
    /// A lease lives so long, unless it is extended.
    pub lease: Duration,
    /// Who waits.
    pub polls: Polls,
    /// Turns true when the process is about to end: long polls are answered at once.
    pub closing: watch::Receiver<bool>,
}

/// SHA-256 of the client certificate (DER) of a connection, whose chain has been checked. The listener may put it into
/// the extensions of a request; without it only bearer tokens count.
#[derive(Debug, Clone, Copy)]
pub struct PeerCertificate(pub Digest);

/// The routes below `/v1/mailbox/`.
pub fn router(mailbox: Mailbox) -> Router {
    // Target ids contain slashes, so the path is read by hand (`call.rs`).
    Router::new()
        .route("/v1/mailbox/{*rest}", any(serve))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(mailbox)
}

async fn serve(State(mailbox): State<Mailbox>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    match mailbox.answer(request).await {
        Ok(response) => response,
        Err(problem) => {
            let (code, detail) = (problem.code, &problem.detail.english);
            if problem.is_inward() {
                tracing::warn!(%code, detail, "mailbox.failed");
            } else {
                tracing::debug!(%code, detail, "mailbox.refused");
            }
            refusal::response(&problem, &path)
        }
    }
}

impl Mailbox {
    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        let call = Call::read(request.method(), request.uri())?;
        let certificate = request.extensions().get::<PeerCertificate>().copied();
        // Who is not known learns nothing about which targets exist.
        let target = self.authenticate(&call.target, request.headers(), certificate).await?;
        match call.action {
            Action::Next { wait } => self.next(&target, wait.min(LONGEST_WAIT)).await,
            Action::Document(delivery) => self.document(&target, delivery).await,
            Action::Attachment(delivery, number) => self.attachment(&target, delivery, number).await,
            Action::Settle(delivery, how) => {
                let slow = |_| {
                    let text = ("der Körper kam nicht rechtzeitig an", "the body did not arrive in time");
                    Problem::new(Code::TOO_SLOW, text)
                };
                let broken = |_| {
                    let text = ("der Körper ist zu lang oder brach ab", "the body is too long or broke off");
                    Problem::new(Code::BAD_REQUEST, text)
                };
                let body = tokio::time::timeout(BODY_TIME, axum::body::to_bytes(request.into_body(), BODY))
                    .await
                    .map_err(slow)?
                    .map_err(broken)?;
                self.settle(&target, delivery, how, &body).await.map(axum::Json::into_response)
            }
        }
    }

    /// The target, if the caller may fetch from it: by the target's own token, or as a source that may.
    async fn authenticate(
        &self,
        id: &TargetId,
        headers: &HeaderMap,
        certificate: Option<PeerCertificate>,
    ) -> Result<Target, Problem> {
        let unknown = || {
            let text = (
                "kein Token oder Zertifikat, das aus diesem Postfach abholen darf",
                "no token or certificate that may fetch from this mailbox",
            );
            Problem::new(Code::NOT_AUTHENTICATED, text)
        };
        let release = self.targets.release();
        let target = release.target(id).filter(|target| target.pull).ok_or_else(unknown)?;
        let token = bearer(headers).map(Digest::of);
        // A token counts before a certificate, as at the door of the channels.
        let source = match (&token, certificate) {
            (Some(token), _) => release.source_by_token(token),
            (None, Some(PeerCertificate(digest))) => release.source_by_certificate(&digest),
            (None, None) => None,
        };
        let own = |source: &dds_depot::Source| {
            target.source.as_ref() == Some(&source.id) || source.may_fetch(id).is_ok()
        };
        if source.is_some_and(own) {
            return Ok(target);
        }
        let (Some(token), Some(secret)) = (token, target.secret.clone()) else { return Err(unknown()) };
        let expected = Credential(secret).read().map_err(|fault| Problem::new(fault.code, fault.detail))?;
        // Digests are compared, so the time taken tells nothing about the token.
        if Digest::of(expected.as_bytes()) == token { Ok(target) } else { Err(unknown()) }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.as_bytes().split_at_checked(7)?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}
