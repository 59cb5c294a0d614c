//! What `drehscheibe osci inspect` reports about a message: everything that can be said, also about broken ones.
//!
//! Nothing here refuses: each step that fails becomes a line of the report and the next one is tried.

mod collect;
mod json;
mod text;

pub use collect::{
    ContentReport, EncryptedReport, PartReport, ReferenceReport, Report, SignatureReport, inspect,
};
