//! Kurier: carries OSCI messages over HTTP. Attachments stream between the wire and the encrypted files of the postbox
//! and are never whole in memory; signing, decrypting and file work run off the async threads.
//!
//! Both directions have two users: the endpoints of `dds-inbound` receive a request and send a response, the adapter of
//! `dds-outbound`, the active recipient and the pushes of the intermediary send a request and receive a response.
//!
//! Whose certificates count, and who is asked about them, is here too ([`Trust`]), and so is what both directions know
//! of the intermediary of this process ([`OwnIntermediary`]).

mod exchange;
mod list;
mod own;
mod package;
mod receive;
mod trust;

pub use exchange::{Courier, ExchangeError, Timeouts};
pub use list::{AttachmentList, ListedAttachment};
pub use own::OwnIntermediary;
pub use package::{Package, Pieces, digests};
pub use receive::{ReceiveError, receive};
pub use trust::{Patience, Responder, Trust, intermediary_of};

use std::sync::Arc;

use dds_osci::{
    certificate::Certificate,
    feedback::{FeedbackCode, Refused},
    intake::IntakeConfig,
    keys::{Decrypter, Signer},
};
use dds_postbox::Postbox;

/// Logs that our intermediary refused an order. What is wrong with it is its sender's affair; what we cannot do (9811:
/// a bound is reached, a mailbox full, a record damaged) is the operator's.
pub fn log_refusal(refused: &Refused) {
    let (code, detail) = (refused.code, &refused.detail);
    if code == FeedbackCode::S9811 {
        tracing::warn!(%code, detail, "osci.not_executed");
    } else {
        tracing::info!(%code, detail, "osci.refused");
    }
}

/// Identität: the keys of a role.
#[derive(Clone)]
pub struct Identity {
    /// Decrypts; its certificate names the mailbox.
    pub cipher: Arc<dyn Decrypter>,
    /// Signs.
    pub signature: Arc<dyn Signer>,
    /// Frühere Schlüssel: cipher keys that it had before. What is still encrypted for them is read as long as they are
    /// kept; nothing new is encrypted for them by us.
    pub former: Vec<Arc<dyn Decrypter>>,
}

impl Identity {
    /// An identity that never had another cipher key.
    #[must_use]
    pub fn new(cipher: Arc<dyn Decrypter>, signature: Arc<dyn Signer>) -> Self {
        Self { cipher, signature, former: Vec::new() }
    }

    /// Everything that decrypts for it, its present key first.
    #[must_use]
    pub fn decrypters(&self) -> Vec<Arc<dyn Decrypter>> {
        std::iter::once(&self.cipher).chain(&self.former).cloned().collect()
    }

    /// The cipher certificates that it had before.
    pub fn former_certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.former.iter().map(|key| key.certificate())
    }

    /// Cipher certificate.
    #[must_use]
    pub fn cipher_certificate(&self) -> &Certificate {
        self.cipher.certificate()
    }

    /// Signature certificate.
    #[must_use]
    pub fn signature_certificate(&self) -> &Certificate {
        self.signature.certificate()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.signature.certificate().subject())
    }
}

/// What reading needs: bounds and policy, and where parts go.
#[derive(Clone)]
pub struct Desk {
    /// Bounds and algorithms.
    pub intake: Arc<IntakeConfig>,
    /// Parts.
    pub postbox: Postbox,
}
