//! Why a schema cannot be used.

use dds_message::Code;

/// A schema or Schematron file that cannot be compiled. The rule author acts, or the operator for a missing file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValidateError {
    /// A file that is needed is not among those given (`DDS-V003`).
    #[error("{wanted:?}, needed by {file:?}, is not among the files of the package or the catalogue")]
    Missing {
        /// The file that refers to it.
        file: String,
        /// The location as written there.
        wanted: String,
    },
    /// A file is not acceptable XML (`DDS-C003`).
    #[error("{file}: {error}")]
    Xml {
        /// The file.
        file: String,
        /// What is wrong with it, with its place.
        error: dds_xml::XmlError,
    },
    /// A file breaks a rule of XML Schema or Schematron (`DDS-C003`).
    #[error("{file}, line {line}, column {column}: {text}")]
    Rule {
        /// The file.
        file: String,
        /// Line, from 1; 0 when the engine does not say.
        line: u32,
        /// Column in characters, from 1; 0 when the engine does not say.
        column: u32,
        /// What is wrong.
        text: String,
    },
}

impl ValidateError {
    /// The code under which people find out what to do.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Missing { .. } => Code::SCHEMA_MISSING,
            Self::Xml { .. } | Self::Rule { .. } => Code::RULE_SYNTAX,
        }
    }
}
