//! What `drehscheibe osci inspect` reports about a message: everything that can be said, also about broken ones.
//!
//! Nothing here refuses: each step that fails becomes a line of the report and the next one is tried.

mod collect;
mod damaged;
mod facts;
mod json;
mod packaging;
mod report;
mod text;

pub use collect::inspect;
pub use report::{
    ContentReport, EncryptedReport, Finding, Item, Layer, PartReport, ReferenceReport, Report,
    SignatureReport,
};
