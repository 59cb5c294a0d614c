//! What was found out about a signature and each of its references.

use std::fmt;

use crate::algorithm::DigestAlgorithm;
use crate::feedback::{FeedbackCode, Refused};
use crate::xml::NodeId;

/// Hashwerte einer Anlage: the digests of the octets of one attachment, one for each algorithm asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartDigests {
    /// `Content-ID` without `<>`; what follows `cid:` in a reference.
    pub content_id: String,
    /// Algorithm and value.
    pub digests: Vec<(DigestAlgorithm, Vec<u8>)>,
}

impl PartDigests {
    /// The digest by this algorithm, when it was computed.
    #[must_use]
    pub fn get(&self, algorithm: DigestAlgorithm) -> Option<&[u8]> {
        self.digests.iter().find(|(known, _)| *known == algorithm).map(|(_, value)| value.as_slice())
    }
}

/// Befund über eine Signatur.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Value, every digest, coverage and key are right. Says nothing about the certificate: that is for
    /// [`TrustPolicy`](crate::trust::TrustPolicy).
    Valid,
    /// The first fault, the one that decides the feedback.
    Invalid(Fault),
    /// There is no signature.
    Absent,
    /// All is right so far, but digests of attachments are still to be compared: in content signatures those whose
    /// clear octets were not read to the end, because that was not asked for or their key or algorithm does not count;
    /// in an inspection those of attachments that could not be told apart.
    Pending,
}

impl Verdict {
    /// `valid`, `invalid` or `absent`, as `osci inspect` prints it. What could not be compared is worth nothing to who
    /// asks, and says why beside it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid(_) | Self::Pending => "invalid",
            Self::Absent => "absent",
        }
    }
}

/// What is wrong with a signature, and at which reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub reason: Reason,
    /// `URI` of the reference, `cid:` with the Content-ID of an attachment, or Id or name of the element that is
    /// concerned; empty when it is the signature as a whole.
    pub place: String,
}

/// How a fault names an attachment: by this form [`Fault::refused`] knows what must not reach a log.
pub(super) fn attachment_place(content_id: &str) -> String {
    format!("cid:{content_id}")
}

impl Fault {
    pub(super) fn new(reason: Reason, place: impl Into<String>) -> Self {
        Self { reason, place: place.into() }
    }

    /// The feedback for an order with this fault (facts 15 and 16 step 6).
    #[must_use]
    pub const fn code(&self) -> FeedbackCode {
        match self.reason {
            Reason::Structure(_) | Reason::UnknownAlgorithm => FeedbackCode::S9100,
            Reason::Unsigned => FeedbackCode::S9602,
            Reason::WeakKey => FeedbackCode::S9700,
            _ => FeedbackCode::S9601,
        }
    }

    /// As a refusal; the detail is for us only, and goes into logs. Ids are the sender's words (Content-IDs and the Ids
    /// of contents are made of file names, and those of the names of people), so it says what kind of place it is;
    /// `inspect` tells which.
    #[must_use]
    pub fn refused(&self) -> Refused {
        let detail = match self.place.as_str() {
            "" => self.reason.to_string(),
            place if place.starts_with("cid:") => format!("an attachment: {}", self.reason),
            _ => format!("an element: {}", self.reason),
        };
        Refused::new(self.code(), detail)
    }

    /// Order in which faults decide: structure, then what is wrong, then what is missing. A message from which a
    /// reference was cut without signing again has a wrong value *and* an unsigned part; it is wrong (9601), not
    /// incomplete (9602).
    pub(super) const fn rank(&self) -> u8 {
        match self.reason {
            Reason::Structure(_) | Reason::UnknownAlgorithm => 0,
            Reason::Value => 1,
            Reason::Unsigned => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "{}", self.reason)
        } else {
            write!(f, "{}: {}", self.place, self.reason)
        }
    }
}

/// Kinds of fault. The text names the rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Not the structure facts 8 describes; 9100.
    #[error("not the structure of an OSCI signature ({0})")]
    Structure(&'static str),
    /// 9100.
    #[error("the algorithm is unknown")]
    UnknownAlgorithm,
    /// SHA-1, RIPEMD-160 and whatever else the policy refuses; K3, K4.
    #[error("the algorithm is not allowed")]
    RefusedAlgorithm,
    /// Exclusive canonicalisation, XSLT, chains: facts 8.
    #[error("the transformation is not allowed")]
    Transform,
    /// The digest of the part is another than the reference says.
    #[error("the digest is wrong, the part was altered")]
    Digest,
    /// Content signatures only: the attachment is encrypted, and its own key does not open it.
    #[error("the attachment cannot be decrypted, it was altered")]
    Undecryptable,
    /// The value of the signature does not fit SignedInfo and key.
    #[error("the value of the signature is wrong")]
    Value,
    /// A reference leads nowhere.
    #[error("the part is missing")]
    Missing,
    /// A reference leads to something that is no part of the message to be signed: wrapping.
    #[error("the reference leads to something that is no signed part")]
    Unexpected,
    /// The same part twice.
    #[error("the part is referenced more than once")]
    Twice,
    /// A part without a reference; 9602.
    #[error("the part is not signed")]
    Unsigned,
    /// The certificate header of the role is absent, or KeyInfo names another element.
    #[error("the signature does not name the certificate of the role that must sign")]
    Signer,
    /// The certificate cannot be read.
    #[error("the certificate cannot be read")]
    Certificate,
    /// Neither digitalSignature nor nonRepudiation.
    #[error("the certificate is not meant for signatures")]
    KeyUsage,
    /// Too short, or a curve that the policy does not name; 9700.
    #[error("the key is too weak")]
    WeakKey,
}

/// What a reference leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// An element object of the document.
    Element(NodeId),
    /// An attachment, by its `Content-ID`.
    Attachment(String),
    /// Nothing.
    Nothing,
}

/// Befund über eine einzelne Referenz.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceVerdict {
    /// `URI` as written.
    pub uri: String,
    /// What it leads to.
    pub target: Target,
    /// Digest algorithm, when it is known.
    pub algorithm: Option<DigestAlgorithm>,
    /// The digest the signer saw.
    pub expected: Vec<u8>,
    /// [`Verdict::Valid`], [`Verdict::Invalid`], or [`Verdict::Pending`].
    pub verdict: Verdict,
    /// The digest fits only the form in which the Java library digests `xenc:EncryptedData` (facts 11, known defect).
    pub library_form: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log shows the detail of a refusal.
    #[test]
    fn what_the_sender_named_stays_out_of_a_refusal() {
        for place in ["#Ausweis_Erika_Mustermann", "Erika_signature", "cid:Erika.pdf"] {
            let fault = Fault::new(Reason::Digest, place);
            assert!(fault.to_string().contains("Erika"), "{fault}");
            let refused = fault.refused();
            assert!(!refused.detail.contains("Erika"), "{refused}");
            assert!(refused.detail.contains("the digest is wrong"), "{refused}");
        }
    }
}
