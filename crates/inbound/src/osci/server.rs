//! The two endpoints.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request, State},
    response::{IntoResponse as _, Response},
    routing::post,
};
use dds_courier::{Courier, Package, ReceiveError, Trust, receive};
use dds_message::{Clock, Code, Problem};
use dds_osci::{
    certificate::Certificate,
    feedback::{FeedbackCode, Language, Refused},
    german,
    intake::Received,
    keys::Decrypter,
    message::Fault,
    outgoing::Outgoing,
    random::SystemRandom,
    trust::CertificateUse,
};
use dds_postbox::{Parts, Postbox};
use dds_router::Handle;
use dds_telemetry::Telemetry;
use http::{HeaderValue, StatusCode, header};
use tokio::sync::Notify;

use super::{Gate, IntermediaryEndpoint, RecipientEndpoint, door::Door, refusal::Refusals};
use crate::{Limits, Peer, Sources, body::Pieces};

/// What the parts of OSCI share.
#[derive(Clone)]
pub struct OsciContext {
    /// Main path.
    pub handle: Arc<dyn Handle>,
    /// Who is a source: by the certificate of the originator.
    pub sources: Arc<dyn Sources>,
    /// Limits of a source that has none of its own.
    pub limits: Limits,
    /// Mailboxes.
    pub postbox: Postbox,
    /// Sends to partners.
    pub courier: Courier,
    /// Whose certificates count.
    pub trust: Trust,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Log and metrics.
    pub telemetry: Telemetry,
    /// Wakes the collector.
    pub wake: Arc<Notify>,
    /// Who may send us a message now.
    pub gate: Gate,
}

impl OsciContext {
    pub(super) fn refusals(&self) -> Refusals {
        Refusals { handle: Arc::clone(&self.handle), telemetry: self.telemetry.clone() }
    }

    pub(super) fn door(&self) -> Door {
        Door {
            handle: Arc::clone(&self.handle),
            sources: Arc::clone(&self.sources),
            limits: self.limits,
            intake: Arc::clone(&self.courier.desk().intake),
            postbox: self.postbox.clone(),
            trust: self.trust.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// Whether the certificates of an intermediary that the operator has named count now; who is revoked or has ended
    /// brings us nothing.
    pub(super) async fn counts(&self, named: &[(&Certificate, CertificateUse)]) -> Result<(), Problem> {
        let reports = self.trust.named(named, self.clock.now().to_jiff()).await;
        let Some(refused) = reports.iter().find(|report| report.is_refused()) else { return Ok(()) };
        let (certificate, why) = (refused.certificate.sha256_hex(), refused.detail_without_holder());
        let text = (
            format!("das Zertifikat {certificate} des Intermediärs gilt nicht ({})", german::reason(&why)),
            format!("the intermediary's certificate {certificate} does not count: {why}"),
        );
        Err(Problem::new(Code::OSCI_CERTIFICATE, text))
    }

    /// Receives the body of a request. `Err`: the response that says why not.
    pub(super) async fn receive(
        &self,
        decrypters: Vec<Arc<dyn Decrypter>>,
        request: Request,
    ) -> Result<Received<Parts>, Response> {
        let (head, body) = request.into_parts();
        let mut pieces = Pieces::new(&head.headers, body, self.gate.pace());
        let address = head.extensions.get::<Peer>().and_then(|peer| peer.address);
        let Some(place) = self.gate.enter(address).await else {
            pieces.linger();
            return Err(not_now(&Refused::new(FeedbackCode::S9000, "no place for another message")));
        };
        // What announces its length is refused before anything is read: the sender learns it at once (H24). What does
        // not is counted by the reader, which has a code for it.
        let allowed =
            pieces.allow(self.courier.desk().intake.message_bytes).and_then(|()| pieces.allow(u64::MAX));
        if let Err(problem) = allowed {
            pieces.linger();
            return Err(fault(&Refused::new(FeedbackCode::S9100, problem.detail.english)));
        }
        let body = futures::stream::unfold(&mut pieces, |pieces| async move {
            let piece = pieces.next().await.transpose()?;
            Some((piece.map_err(|problem| problem.detail.english), pieces))
        });
        let received = receive(self.courier.desk(), decrypters, body).await;
        drop(place);
        received.map_err(|error| match error {
            // Nobody is there to read an answer, or he is too slow for one.
            ReceiveError::BrokenOff(why) => {
                tracing::info!(detail = %why, "osci.broken_off");
                StatusCode::REQUEST_TIMEOUT.into_response()
            }
            ReceiveError::Refused(refused) => {
                pieces.linger();
                if refused.code != FeedbackCode::S9000 {
                    return fault(&refused);
                }
                // Our own trouble (disk, memory for envelopes, token) before anything of the order was done.
                tracing::error!(code = %refused.code, detail = refused.detail, "osci.cannot_receive");
                not_now(&refused)
            }
        })
    }

    /// A sealed message as the response; status 200, whatever it says (facts 6).
    pub(super) fn respond(&self, package: Package) -> Response {
        let length = package.length();
        let mut response = Response::new(Body::from_stream(package.stream(self.postbox.clone())));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
        if let Some(length) = length {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}

/// A fault as the response.
pub(super) fn fault(refused: &Refused) -> Response {
    tracing::info!(code = %refused.code, detail = refused.detail, "osci.fault");
    let outgoing = Outgoing::plain(Fault::of(refused.code).write(Language::German), &mut SystemRandom);
    let octets = dds_osci::outgoing::message_bytes(outgoing, &[]).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/xml")], octets).into_response()
}

/// A fault that says: not now, and nothing of the order was done. The table has no code for that but 9000, which may
/// also come from a failure half-way; `Retry-After` tells them apart, for [`Courier::exchange`] too. The status is 200
/// as of every fault: HTTP libraries hide the body of any other, and what stands between says 503 also of a request
/// that was taken.
fn not_now(refused: &Refused) -> Response {
    let mut response = fault(refused);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// Works a request through, also when the client has gone meanwhile: an order that was executed has consequences (a
/// push, a note on the process card) that must not stop half-way.
async fn finish(work: impl Future<Output = Response> + Send + 'static) -> Response {
    tokio::spawn(work)
        .await
        .unwrap_or_else(|_| fault(&Refused::new(FeedbackCode::S9000, "the work ended unexpectedly")))
}

/// `POST /osci` for the intermediary and `POST /osci/empfang` for the passive recipient, as far as they are configured.
/// Anything but POST gets 405.
pub fn routes(
    intermediary: Option<Arc<IntermediaryEndpoint>>,
    recipient: Option<Arc<RecipientEndpoint>>,
) -> Router {
    let mut router = Router::new();
    if let Some(intermediary) = intermediary {
        router = router.route(
            "/osci",
            post(|State(intermediary): State<Arc<IntermediaryEndpoint>>, request: Request| async move {
                finish(intermediary.serve(request)).await
            })
            .with_state(intermediary),
        );
    }
    if let Some(recipient) = recipient {
        router = router.route(
            "/osci/empfang",
            post(|State(recipient): State<Arc<RecipientEndpoint>>, request: Request| async move {
                finish(recipient.serve(request)).await
            })
            .with_state(recipient),
        );
    }
    router.layer(DefaultBodyLimit::disable())
}
