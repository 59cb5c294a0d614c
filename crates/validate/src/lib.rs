//! XSD and Schematron: is a message what its rule says, and if not, where and why.
//!
//! Both engines read only the [`Files`] they are given, never a file or the network (invariant I11), and read no clock
//! (I1). Compile once per release and worker, then use for every message. The values here are bound to one thread.
//! `docs/decisions/0003-xsd-schematron.md` gives the reasons and figures.
//!
//! Standards: XML Schema 1.0 (second edition), ISO/IEC 19757-3:2016 (Schematron), XPath 2.0.

mod error;
mod files;
mod findings;
mod resolve;
mod schema;
mod schematron;
mod tree;

pub use error::ValidateError;
pub use files::Files;
pub use findings::MAX_FINDINGS;
pub use schema::Schema;
pub use schematron::Schematron;
pub use tree::Tree;
