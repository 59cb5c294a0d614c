//! OSCI as the way to an authority, whatever product it has.

use dds_message::AnswerKind;
use serde::{Deserialize, Serialize};

/// OSCI-Weg: the output of the office's product travels by OSCI-Transport 1.2 instead of the product's own interface.
/// Which way an authority has is its own matter, not its product's: so it stands at the office, and no product package
/// is written twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OsciWay {
    /// Address of the intermediary (HTTP).
    pub intermediary: String,
    /// Cipher certificate of the intermediary (PEM): orders are encrypted for it.
    pub intermediary_cipher: String,
    /// Signature certificate of the intermediary (PEM): its responses must be signed with it.
    pub intermediary_signature: String,
    /// Cipher certificate of the authority (PEM): names its mailbox (Empfänger).
    pub addressee: String,
    /// Cipher certificates of those who read the content (PEM, Leser); without any, the addressee reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readers: Vec<String>,
    /// Zustellart.
    #[serde(default)]
    pub mode: OsciMode,
    /// `forward`, `mediate`: address of the passive recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receiver: Option<String>,
    /// Subject (Betreff) of the delivery. It travels readable for the intermediary: nothing personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `mediate`: what the reply is for the source of the application: `receipt` (default), `further-request` or
    /// `decision`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<AnswerKind>,
    /// `store`: what is larger goes in chunks (Teilen) of so many KB (1024 bytes), within the limits the intermediary
    /// announces. An attempt that breaks off goes on with the chunk that is missing. Without it everything goes whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_kb: Option<std::num::NonZeroU64>,
}

/// Zustellart: how the intermediary hands the delivery over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OsciMode {
    /// storeDelivery: into the mailbox; the authority fetches.
    #[default]
    Store,
    /// forwardDelivery: the intermediary pushes at once.
    Forward,
    /// mediateDelivery: the intermediary pushes and brings the reply back.
    Mediate,
}
