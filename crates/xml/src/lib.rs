//! Safe reading of foreign XML and JSON, without I/O.
//!
//! [`check`], [`extract`] and [`Tree::parse`] are the only gate through which foreign bytes become a message. All make
//! the same one strict pass: UTF-8, well-formed with namespaces, no DOCTYPE, no entity but the five predefined ones,
//! everything within [`Limits`]. What passes here is read alike by every engine behind it (roxmltree, xsd-schema,
//! libxml2); `docs/decisions/0004-xml-parsing.md` gives the reasons and figures.
//!
//! Standards: XML 1.0 (fifth edition), Namespaces in XML 1.0, Canonical XML 1.1 (idea only), XPath 3.1 (`xml-to-json`).

pub mod canonical;
mod chars;
mod error;
pub mod escape;
mod extract;
pub mod json;
mod limits;
mod names;
mod path;
mod plan;
mod qname;
mod scan;
pub mod tree;

pub use canonical::{Difference, Whitespace, canonical, diff};
pub use error::{LimitKind, Rule, XmlError, XmlErrorKind};
pub use extract::{Extracted, check, extract, peek};
pub use limits::Limits;
pub use path::{Path, PathError};
pub use plan::{KeyPlan, Slot};
pub use qname::{ParseQNameError, QName};
pub use tree::Tree;

/// The example of the README compiles and holds.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
