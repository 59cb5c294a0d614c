//! What the operator is told of a delivery that is not taken: a line, a number, and an entry in the journal.

use std::sync::Arc;

use dds_message::{Channel, Code, EntryFacts, JournalEvent};
use dds_osci::{
    certificate::Certificate,
    message::{CertificateRole, Envelope, MessageId},
};
use dds_router::Handle;
use dds_telemetry::{MessageRefused, Telemetry};

/// By what operator, sender and intermediary agree which delivery is meant. Nothing of it is personal.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Its MessageId, if it has one.
    pub(super) id: Option<MessageId>,
    /// SHA-256 of the signature certificate of the intermediary that pushed it.
    pub(super) intermediary: Option<String>,
    /// SHA-256 of the originator's certificate: that of his signature, else the one he announced for the answer.
    pub(super) originator: Option<String>,
}

impl Known {
    /// What the envelope says of the originator.
    pub(super) fn originator(envelope: &Envelope) -> Option<String> {
        let roles = [CertificateRole::SignatureOriginator, CertificateRole::CipherOriginator];
        let mut found = roles.into_iter().filter_map(|role| envelope.certificates.certificate(role));
        found.next().map(Certificate::sha256_hex).map(ToOwned::to_owned)
    }

    fn facts(&self) -> EntryFacts {
        let id = self.id.as_ref().map(|id| id.as_str().to_owned());
        let named =
            [("message_id", &id), ("intermediary", &self.intermediary), ("originator", &self.originator)];
        let mut facts = EntryFacts::new().with("channel", Channel::Osci.as_str());
        for (name, value) in named {
            if let Some(value) = value {
                facts.note(name, value);
            }
        }
        facts
    }
}

/// Where refusals are told.
#[derive(Clone)]
pub(super) struct Refusals {
    pub(super) handle: Arc<dyn Handle>,
    pub(super) telemetry: Telemetry,
}

impl Refusals {
    /// Counts it.
    pub(super) fn count(&self, code: Code) {
        let event = MessageRefused { source: None, channel: Channel::Osci, code };
        let _facts = self.telemetry.record(&event);
    }

    /// Notes it in the journal. What cannot be noted now is in the log all the same.
    pub(super) async fn note(&self, event: JournalEvent, code: Code, known: &Known) {
        if let Err(problem) = self.handle.note(event, code, known.facts()).await {
            tracing::warn!(code = %problem.code, event = event.as_str(), "osci.refusal_not_noted");
        }
    }
}
