//! What a report holds.

use std::fmt;

use crate::certificate::Certificate;
use crate::feedback::Refused;
use crate::intake::TransportEncryption;
use crate::message::MessageKind;
use crate::mime::MimeError;

/// Prüfbericht über eine gespeicherte Nachricht.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Octets of the message.
    pub bytes: u64,
    /// Type, when it is recognised.
    pub kind: Option<MessageKind>,
    /// Transport encryption: algorithms and certificate; `None` when the message is plain or could not be opened.
    pub transport: Option<TransportEncryption>,
    /// What stopped the reading, with the feedback code a partner would get; the rest of the report says what could be
    /// seen all the same.
    pub refused: Option<Refused>,
    /// Dialogue data: ConversationId, SequenceNumber, Response, Challenge, as far as present.
    pub dialogue: Vec<(String, String)>,
    /// Certificates: role (name of the element), Id, certificate or why it cannot be read.
    pub certificates: Vec<(String, String, Result<Certificate, String>)>,
    /// Feedback entries: language, code, text.
    pub feedback: Vec<(String, String, String)>,
    /// `InsideFeedback`: the verdict on the delivery inside chunks; language, code, text.
    pub inside_feedback: Vec<(String, String, String)>,
    /// Process cards: message id (as text), and the times, subject and inspections that are there.
    pub process_cards: Vec<(String, Vec<(String, String)>)>,
    /// Other facts of the order: MessageId, Subject, ContentReceiver, selection, chunk, qualities of time stamps,
    /// features; names of custom headers.
    pub order: Vec<(String, String)>,
    /// Attachments.
    pub parts: Vec<PartReport>,
    /// Signature of the message.
    pub signature: SignatureReport,
    /// Readable containers, outer ones first.
    pub contents: Vec<ContentReport>,
    /// Encrypted containers.
    pub encrypted: Vec<EncryptedReport>,
    /// Further findings.
    pub findings: Vec<Finding>,
}

/// Befund beside signatures and digests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The octets are not packaged as MIME; the envelope found in them was read alone.
    Unpackaged(MimeError),
    /// More than one element has this Id, which is the basis of signature wrapping.
    DuplicateId(String),
    /// Envelope or content are not as they must be: why whoever receives the message refuses it.
    Refused(Refused),
    /// The strict policy refuses this algorithm (URI), which the message uses.
    Algorithm(&'static str),
    /// The strict policy refuses the key of the certificate in this role: too weak.
    WeakKey(String),
}

impl Finding {
    /// Whether the message is wrong by it; the others are remarks.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Unpackaged(_) | Self::DuplicateId(_) | Self::Refused(_))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpackaged(error) => write!(f, "{error}; the envelope was read alone"),
            Self::DuplicateId(id) => write!(f, "the Id {id:?} occurs more than once"),
            Self::Refused(refused) => write!(f, "{refused}"),
            Self::Algorithm(uri) => write!(f, "{uri} is refused by the strict policy"),
            Self::WeakKey(role) => write!(f, "{role}: the key is too weak for the strict policy"),
        }
    }
}

/// An attachment.
#[derive(Debug, Clone)]
pub struct PartReport {
    /// `Content-ID`.
    pub content_id: String,
    /// Media type.
    pub media_type: String,
    /// Octets as transported.
    pub bytes: u64,
    /// SHA-256 of these octets, hexadecimal.
    pub sha256: String,
    /// Encrypted on content level: octets of the plaintext, or why it cannot be had.
    pub plaintext: Option<Result<u64, Refused>>,
}

/// A signature and its references.
#[derive(Debug, Clone)]
pub struct SignatureReport {
    /// `valid`, `invalid` or `absent`; `invalid` also if a signature is there that cannot be judged, as `faults` says:
    /// with a broken packaging, or for want of the plaintext of an attachment whose key or algorithm is not usable.
    pub verdict: &'static str,
    /// Every fault with the reference it concerns.
    pub faults: Vec<String>,
    /// The feedback code an order with this signature gets; `None` when it is not invalid.
    pub code: Option<String>,
    /// Subject of the signer's certificate.
    pub signer: Option<String>,
    /// URI of the signature algorithm.
    pub algorithm: Option<&'static str>,
    /// Signing time of a content signature.
    pub time: Option<String>,
    /// Every reference.
    pub references: Vec<ReferenceReport>,
}

impl Default for SignatureReport {
    fn default() -> Self {
        Self {
            verdict: "absent",
            faults: Vec::new(),
            code: None,
            signer: None,
            algorithm: None,
            time: None,
            references: Vec::new(),
        }
    }
}

/// One digest.
#[derive(Debug, Clone)]
pub struct ReferenceReport {
    /// `URI`.
    pub uri: String,
    /// `valid` or `invalid`; what could not be compared is invalid, as `remark` says.
    pub verdict: &'static str,
    /// URI of the digest algorithm, or what is wrong with it.
    pub digest: String,
    /// What is wrong, and remarks.
    pub remark: String,
}

/// A readable container.
#[derive(Debug, Clone)]
pub struct ContentReport {
    /// Its Id.
    pub id: String,
    /// Its contents: Id and what it is.
    pub items: Vec<(String, Item)>,
    /// Its authors' signatures, one by one; empty: not signed.
    pub signatures: Vec<SignatureReport>,
}

/// What a content is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// So many octets in the container itself.
    Inline(usize),
    /// An attachment, by its Content-ID.
    Attachment(String),
    /// An attachment that is encrypted on content level.
    EncryptedAttachment(String),
    /// A container inside, by its Id.
    Container(Option<String>),
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inline(octets) => write!(f, "{octets} octets inline"),
            Self::Attachment(id) => write!(f, "attachment {id}"),
            Self::EncryptedAttachment(id) => write!(f, "encrypted attachment {id}"),
            Self::Container(id) => write!(f, "container {}", id.as_deref().unwrap_or("without Id")),
        }
    }
}

/// An encrypted container.
#[derive(Debug, Clone)]
pub struct EncryptedReport {
    /// Its Id.
    pub id: String,
    /// Ids of the readers' certificate elements.
    pub readers: Vec<String>,
    /// What became of it.
    pub state: Layer,
}

/// What became of an encrypted container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// Opened with a key of ours.
    Opened,
    /// For other readers; no fault.
    Closed,
    /// Why it cannot be opened though it is for us.
    Failed(Refused),
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("opened"),
            Self::Closed => f.write_str("closed: no key for any of its readers"),
            Self::Failed(refused) => write!(f, "{refused}"),
        }
    }
}
