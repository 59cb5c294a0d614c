//! Ways out: how a delivery reaches a Fachverfahren, a DMS, a mailbox, an office or a source.
//!
//! [`Targets`] makes one [`dds_delivery::Adapter`] per target of the active release; the adapters are `rest` and `soap`
//! (HTTP push), `folder` (Transferverzeichnis), `mail` (SMTP) and [`osci`]. What a target fetches itself is served by
//! [`mailbox`]. What each kind of target must offer stands in `docs/interface-targets.md`.
//!
//! Every adapter streams: the document is in memory, attachments never are (invariant I6). The delivery id travels
//! with every attempt, so that a target can recognise a repetition. No answer of a target is ever quoted in a fault,
//! because it may quote the message (invariant I9).

mod content;
mod credential;
mod fault;
mod folder;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod http;
mod mail;
pub mod mailbox;
mod multipart;
pub mod osci;
mod rest;
mod soap;
mod targets;
mod tls;

pub use mail::{MailRelay, MailSecurity};
pub use osci::OsciSender;
pub use targets::{Options, Targets};
pub use tls::{TlsOptions, client_config};

/// The ways out cannot be opened; the operator must act.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// A certificate or key for connections to targets cannot be used. `DDS-C001`.
    #[error("certificates for targets: {0}")]
    Certificates(String),
}

impl Error {
    /// The code with its page.
    #[must_use]
    pub const fn code(&self) -> dds_message::Code {
        match self {
            Self::Certificates(_) => dds_message::Code::CONFIG_SYNTAX,
        }
    }
}

impl From<Error> for dds_message::Problem {
    fn from(error: Error) -> Self {
        let Error::Certificates(why) = &error;
        let german = format!("Zertifikate für Ziele (Meldung: „{why}“)");
        Self::new(error.code(), (german, error.to_string()))
    }
}
