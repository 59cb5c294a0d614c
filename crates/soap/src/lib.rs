//! SOAP 1.1 (W3C Note, 8 May 2000) and SOAP 1.2 (W3C Recommendation, 27 April 2007): envelopes and faults.
//!
//! Bytes in, bytes out: no I/O, no clock (invariant I1). [`parse`] reads an envelope of either version and leaves the
//! body where it is, as a slice of the input; [`Envelope::build`] writes one; [`Fault`] does both for faults; [`http`]
//! knows what the two HTTP bindings say about media types and actions. MTOM and WS-Addressing have their place beside
//! [`Parsed::headers`]: a header block is kept as bytes and answered by whoever understands it.

mod envelope;
mod fault;
pub mod http;
mod parse;
mod text;
mod version;

use dds_message::{Code, Problem};
use dds_xml::{LimitKind, XmlError, XmlErrorKind};

pub use envelope::Envelope;
pub use fault::{Fault, FaultCode, FaultDetail, PROBLEM_NAMESPACE};
pub use parse::{Header, Parsed, begins_with_fault, limits, parse, parse_with};
pub use text::escape;
pub use version::Version;

/// The input is no acceptable SOAP envelope. Nothing of its content is quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SoapError {
    /// Not UTF-8, not well-formed, with a DOCTYPE, or beyond a limit. `DDS-I005`, or `DDS-I003` when it is too long;
    /// the sender must act.
    #[error("envelope is not acceptable XML: {0}")]
    Xml(#[from] dds_xml::XmlError),
    /// Well-formed for us, but not for the tree builder behind. `DDS-I005`; the sender must act.
    #[error("envelope is not acceptable XML at {line}:{column}")]
    Tree {
        /// Line, from 1.
        line: u32,
        /// Column, from 1.
        column: u32,
    },
    /// Well-formed, but not `Envelope` with `Body` in the order of SOAP 1.1 section 4 or 1.2 part 1 section 5.
    /// `DDS-I004`; the sender must act.
    /// The reason is told in German and English.
    #[error("not a SOAP envelope: {}", .0.1)]
    NotAnEnvelope((&'static str, &'static str)),
    /// An `Envelope` in a namespace that is neither SOAP 1.1 nor 1.2: answered with the fault `VersionMismatch`
    /// (SOAP 1.2 part 1 section 2.8). `DDS-I004`; the sender must act.
    #[error("SOAP version not supported")]
    Version,
}

impl SoapError {
    /// The code with its page.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Xml(XmlError { kind: XmlErrorKind::Limit { what: LimitKind::Bytes, .. }, .. }) => {
                Code::TOO_LARGE
            }
            Self::Xml(_) | Self::Tree { .. } => Code::NOT_WELL_FORMED,
            Self::NotAnEnvelope(_) | Self::Version => Code::BAD_REQUEST,
        }
    }
}

impl From<SoapError> for Problem {
    fn from(error: SoapError) -> Self {
        let german = match &error {
            SoapError::Xml(error) => format!("der Umschlag ist kein zulässiges XML: {}", error.german()),
            SoapError::Tree { line, column } => {
                format!("der Umschlag ist kein zulässiges XML: Zeile {line}, Spalte {column}")
            }
            SoapError::NotAnEnvelope((german, _)) => format!("kein SOAP-Umschlag: {german}"),
            SoapError::Version => "diese SOAP-Version wird nicht unterstützt".to_owned(),
        };
        Self::new(error.code(), (german, error.to_string()))
    }
}
