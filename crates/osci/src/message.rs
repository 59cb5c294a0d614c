//! The 26 messages of OSCI-Transport 1.2, typed: read from a [`Document`](crate::xml::Document), written as envelope
//! XML.
//!
//! [`Message::read`] is a tolerant structural parser (prefixes, order of attributes, white space and comments are
//! free), because lawful messages exist that the schemas refuse (facts 19); [`Envelope::write`] writes what the
//! schemas of Korrigenda 1–10 allow, in a serialisation whose header blocks already are their own canonical form.

mod certificates;
mod control_block;
mod custom;
mod features;
pub(crate) mod fields;
mod ids;
mod kind;
mod message_id;
mod order;
mod package;
mod parts;
mod read;
mod read_blocks;
mod read_order;
mod references;
mod seal;
mod selection;
mod write;
mod write_blocks;
mod write_order;

pub use certificates::{CertificateRole, RoleCertificate, RoleCertificates};
pub use control_block::ControlBlock;
pub use custom::CustomHeader;
pub use features::{Feature, FeatureDescription};
pub use kind::MessageKind;
pub use message_id::MessageId;
pub use order::{ChunkInformation, ChunkRequest, Fault, Order};
pub use package::{ContentPackage, NamespaceContext};
pub use parts::{Part, UnsignedEnvelope};
pub use references::check_references;
pub(crate) use references::check_surroundings;
pub use selection::{CardQuery, CardSelection, DateSelection, DeliverySelection, Role};

/// What an unencrypted OSCI message is: an envelope with an order or its response, or a SOAP fault.
#[derive(Clone, Debug)]
pub enum Message {
    /// An order or a response.
    Envelope(Box<Envelope>),
    /// A SOAP fault: neither signed nor bound to a dialogue.
    Fault(Fault),
}

/// An order or a response with all its header blocks, without its signature.
#[derive(Clone, Debug)]
pub struct Envelope {
    /// Dialogue data (`ControlBlock`).
    pub control: ControlBlock,
    /// `DesiredLanguages`, in the order of preference; orders have at least one, responses none.
    pub languages: Vec<String>,
    /// `QualityOfTimestamp` blocks.
    pub qualities: Qualities,
    /// The order or response itself; it decides the [`MessageKind`].
    pub order: Order,
    /// `IntermediaryCertificates`.
    pub intermediary_certificates: RoleCertificates,
    /// `NonIntermediaryCertificates`: originator, addressee, other authors and readers, with their Ids.
    pub certificates: RoleCertificates,
    /// `FeatureDescription` (Korrigendum 8).
    pub features: Option<FeatureDescription>,
    /// Further header blocks outside the OSCI namespaces, e.g. `MessageMetaData`.
    pub custom_headers: Vec<CustomHeader>,
    /// The content of deliveries (*Inhaltsdaten*).
    pub content: Option<ContentPackage>,
}

impl Envelope {
    /// An envelope with a ControlBlock and an order, nothing else.
    pub fn new(control: ControlBlock, order: Order) -> Self {
        Self {
            control,
            languages: Vec::new(),
            qualities: Qualities::default(),
            order,
            intermediary_certificates: RoleCertificates::default(),
            certificates: RoleCertificates::default(),
            features: None,
            custom_headers: Vec::new(),
            content: None,
        }
    }

    /// The type of the message.
    pub fn kind(&self) -> MessageKind {
        self.order.kind()
    }

    /// The certificate that the order signature of this message must verify with (facts 8): of the originator in a
    /// client's order, of the intermediary in acceptDelivery, processDelivery and responses to clients, of the
    /// recipient in responseToAcceptDelivery (addressee) and responseToProcessDelivery (originator of the reply).
    pub fn signer(&self) -> Option<&RoleCertificate> {
        match self.kind() {
            MessageKind::AcceptDelivery | MessageKind::ProcessDelivery => {
                self.intermediary_certificates.first(CertificateRole::SignatureIntermediary)
            }
            MessageKind::ResponseToAcceptDelivery => {
                self.certificates.first(CertificateRole::SignatureAddressee)
            }
            MessageKind::ResponseToProcessDelivery => {
                self.certificates.first(CertificateRole::SignatureOriginator)
            }
            kind if kind.is_response() => {
                self.intermediary_certificates.first(CertificateRole::SignatureIntermediary)
            }
            _ => self.certificates.first(CertificateRole::SignatureOriginator),
        }
    }
}

/// The qualities of time stamps a sender asks for (`QualityOfTimestamp`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Qualities {
    /// Service `creation`.
    pub creation: Option<Quality>,
    /// Service `reception`.
    pub reception: Option<Quality>,
}

impl Qualities {
    /// Plain time stamps for both services: what most orders ask for.
    pub const PLAIN: Self = Self { creation: Some(Quality::Plain), reception: Some(Quality::Plain) };
}

/// How a time stamp is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// A plain `xsd:dateTime`.
    Plain,
    /// A signed time stamp. Our intermediary offers none and answers with a plain one.
    Cryptographic,
}
