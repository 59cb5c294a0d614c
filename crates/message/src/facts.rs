//! What recognition learns about a message, and why a decision fell.

use serde::{Deserialize, Serialize};

use crate::{Ars, AuthorityId, CaseRef, Code, LeikaKey, MessageType, ProcedureId, Text};

/// Eingangskanal by which a message came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// REST interface.
    Rest,
    /// SOAP web service.
    Soap,
    /// Drop folder (Transferverzeichnis).
    Folder,
    /// OSCI-Transport 1.2: pushed to us by an intermediary, fetched from one, or stored at our own.
    Osci,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Rest, Self::Soap, Self::Folder, Self::Osci];

    /// Name in journal and metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Soap => "soap",
            Self::Folder => "folder",
            Self::Osci => "osci",
        }
    }
}

/// Schlüsselangaben of a message, read in one streaming pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Procedure, from the message type or a discriminator.
    pub procedure: ProcedureId,
    /// Message type and version.
    pub message_type: MessageType,
    /// LeiKa key named in the message, if any.
    pub leika: Option<LeikaKey>,
    /// Municipality the application concerns.
    pub municipality: Option<Ars>,
    /// Authority that the sender addressed explicitly.
    pub addressee: Option<AuthorityId>,
    /// Case the message belongs to.
    pub case: Option<CaseRef>,
    /// The sender's own id of the message, used to find duplicates where the channel gives no key.
    pub reference: Option<String>,
    /// Participants named in the message (Beteiligte) for a fan-out.
    pub participants: Vec<AuthorityId>,
}

/// Begründung: one step of a decision, in the words an operator reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Step that spoke: `recognise`, `rule`, `authority`, `delegation`, `product`, `participant`, `default`.
    pub step: String,
    /// What was taken, or `None` where the step decided nothing.
    pub chosen: Option<String>,
    /// Why, or why the others lost; keys and names of the configuration only, never content.
    pub because: Text,
    /// Code when the step ended the decision.
    pub code: Option<Code>,
}
