//! The client (*Benutzer*): a sender, or a recipient that fetches (*aktiver Empfänger*).
//!
//! An explicit dialogue is a chain of values; every step consumes the one before, so that an order can neither be sent
//! twice nor out of turn:
//!
//! ```text
//! Client ── init ──► AwaitingInit ── receive ──► Open ── fetch | store | … ──► Awaiting<A> ── receive ──► (Open, Answer<A>)
//!                                                  └──── exit ──► AwaitingExit ── receive ──► Feedback
//! Client ── get_message_id | store | forward | partial_store ──► Single<A> ── receive ──► Answer<A>        (implicit dialogue)
//! ```
//!
//! What ends a dialogue is a [`Lost`], which has nothing to send with: after a fault there is no challenge to go on
//! with, and a client that cannot decrypt a response must be silent, because its next order would prove that it
//! received what it could not read (specification 1.2, 4.2.6).
//!
//! A [`Request`] is sealed into octets by [`Request::seal`]; responses come from [`crate::intake::Intake`].

mod answer;
mod chunks;
mod demand;
mod dialogue;
mod lost;
mod request;
mod single;

pub use answer::{
    Answer, Answered, Cards, ChunkFetched, ChunkStored, ChunkVerdict, Exited, Fetched, Forwarded, IssuedId,
    Mediated, Stored,
};
pub use chunks::{ChunkPlan, Reassembly, partial_id};
pub use dialogue::{Awaiting, AwaitingExit, AwaitingInit, Open};
pub use lost::{Lost, LostReason};
pub use request::{Delivery, Request};
pub use single::Single;

use crate::algorithm::{CryptoPolicy, IvLength};
use crate::certificate::Certificate;
use crate::encryption::TransportTarget;
use crate::message::{FeatureDescription, RoleCertificates};

/// A client: its identity, and the intermediary it talks to.
#[derive(Clone, Debug)]
pub struct Client {
    /// Our cipher certificate: responses are encrypted for it, and it names our mailbox.
    pub cipher: Certificate,
    /// Our signature certificate; orders are signed if there is one.
    pub signature: Option<Certificate>,
    /// Cipher certificate of the intermediary; orders are encrypted if there is one.
    pub intermediary_cipher: Option<Certificate>,
    /// The signature certificate the intermediary must sign with. Without it any certificate is taken that stays the
    /// same during a dialogue: for tests only.
    pub intermediary_signature: Option<Certificate>,
    /// Languages for feedback, in the order of preference; at least one.
    pub languages: Vec<String>,
    /// Which algorithms count in responses.
    pub policy: CryptoPolicy,
    /// What the intermediary announced last; [`Answer::features`] has news of it.
    pub partner: Option<FeatureDescription>,
}

impl Client {
    /// A client that signs and encrypts and knows its intermediary.
    pub fn new(
        cipher: Certificate,
        signature: Certificate,
        intermediary_cipher: Certificate,
        intermediary_signature: Certificate,
    ) -> Self {
        Self {
            cipher,
            signature: Some(signature),
            intermediary_cipher: Some(intermediary_cipher),
            intermediary_signature: Some(intermediary_signature),
            languages: vec!["de".to_owned()],
            policy: CryptoPolicy::default(),
            partner: None,
        }
    }

    /// How orders are encrypted: AES-256-GCM, RSA-OAEP. The IV has 16 octets only for a partner that announces its
    /// features without `Support96Bit12ByteIV` (facts 7).
    pub(crate) fn target(&self) -> Option<TransportTarget> {
        let mut target = TransportTarget::new(self.intermediary_cipher.clone()?);
        if self.partner.as_ref().is_some_and(|partner| !partner.has(FeatureDescription::IV96)) {
            target.iv = IvLength::Sixteen;
        }
        Some(target)
    }

    fn certificates(&self, roles: &[crate::message::CertificateRole]) -> RoleCertificates {
        use crate::message::CertificateRole as Role;
        let mut block = RoleCertificates::default();
        for role in roles {
            match (role, &self.signature) {
                (Role::CipherOriginator, _) => {
                    block.add(*role, &self.cipher);
                }
                (Role::SignatureOriginator, Some(signature)) => {
                    block.add(*role, signature);
                }
                _ => {}
            }
        }
        block
    }
}
