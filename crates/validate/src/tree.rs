//! A message as tree, parsed once for its schema and all its Schematron files.

use dds_message::{Finding, Severity};

use crate::findings::tidy;

/// A document that has passed [`dds_xml::check`], as tree.
#[derive(Debug)]
pub struct Tree<'a>(pub(crate) roxmltree::Document<'a>);

impl<'a> Tree<'a> {
    /// Parses a document.
    ///
    /// # Errors
    /// The finding (`dds-well-formed`) if it cannot be parsed.
    pub fn parse(document: &'a [u8]) -> Result<Self, Finding> {
        let parsed = std::str::from_utf8(document)
            .map_err(|error| error.to_string())
            .and_then(|text| roxmltree::Document::parse(text).map_err(|error| error.to_string()));
        parsed.map(Self).map_err(|error| Finding {
            severity: Severity::Error,
            rule: "dds-well-formed".into(),
            location: String::new(),
            text: tidy(&error),
        })
    }
}
