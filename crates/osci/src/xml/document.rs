//! A parsed document that owns its bytes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use dds_xml::{
    Tree,
    tree::{Node, NodeId},
};

use super::{NS_SOAP, is};

/// Why a document is not a message; answered with 9100. Names no content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Not well-formed, a DOCTYPE, an entity, or beyond a limit.
    #[error("not acceptable XML: {0}")]
    Malformed(#[from] dds_xml::XmlError),
    /// Two attributes called Id have this value: the basis of signature wrapping (facts 17). The text does not repeat
    /// what a sender chose.
    #[error("an Id occurs more than once")]
    DuplicateId(String),
}

/// Limits for an OSCI envelope or a decrypted content container: deeper and wider than any lawful message, tight enough
/// that canonicalisation stays cheap. Content travels as Base64 text, so one text may fill the document.
#[must_use]
pub fn limits() -> dds_xml::Limits {
    dds_xml::Limits {
        bytes: 32 << 20,
        depth: 64,
        elements: 200_000,
        attributes: 64,
        text: 32 << 20,
        namespaces: 32,
        ..dds_xml::Limits::default()
    }
}

/// Limits for a message of ours: what came in within [`limits`] grows a little on its way out, and it is the reader who
/// bounds what he takes. Nesting does not grow.
#[must_use]
pub(crate) fn limits_of_ours() -> dds_xml::Limits {
    dds_xml::Limits {
        bytes: usize::MAX,
        depth: limits().depth,
        elements: usize::MAX,
        attributes: usize::MAX,
        name_length: usize::MAX,
        attribute_value: usize::MAX,
        text: usize::MAX,
        references: usize::MAX,
        namespaces: usize::MAX,
    }
}

/// The element of each Id.
type Ids = HashMap<Box<str>, NodeId>;

/// Eingelesenes XML-Dokument: text, tree and the index of its Ids, which are unique.
pub struct Document {
    tree: Tree,
    ids: Ids,
}

impl Document {
    /// Passes the gate and builds the tree ([`Tree::parse`]), then the index of Ids.
    ///
    /// # Errors
    /// [`XmlError`], answered with 9100.
    pub fn parse(bytes: Vec<u8>, limits: &dds_xml::Limits) -> Result<Self, XmlError> {
        let tree = Tree::parse(bytes, limits)?;
        let ids = index(&tree)?;
        Ok(Self { tree, ids })
    }

    /// As [`Self::parse`], whatever the Ids: none is found by [`Self::by_id`]. For an inspection, never for what is to
    /// be acted upon.
    pub(crate) fn parse_without_ids(bytes: Vec<u8>, limits: &dds_xml::Limits) -> Result<Self, XmlError> {
        Ok(Self { tree: Tree::parse(bytes, limits)?, ids: Ids::new() })
    }

    /// The root element.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        self.tree.root()
    }

    /// The text, line ends normalised: what the ranges of the nodes count in.
    #[must_use]
    pub fn text(&self) -> &str {
        self.tree.text()
    }

    /// The bytes of [`Self::text`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.text().as_bytes()
    }

    /// Source text of one element, from `<` to the end of its end tag.
    #[must_use]
    pub fn source(&self, node: Node<'_>) -> &str {
        self.text().get(node.range()).unwrap_or_default()
    }

    /// The one element whose attribute `Id` has this value.
    #[must_use]
    pub fn by_id(&self, id: &str) -> Option<Node<'_>> {
        self.ids.get(id).and_then(|node| self.tree.node(*node))
    }

    /// The element object with this number; numbers come from [`Node::id`] of the same document.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node<'_>> {
        self.tree.node(id)
    }

    /// `soap:Envelope`, when that is what the document is.
    #[must_use]
    pub fn envelope(&self) -> Option<Node<'_>> {
        Some(self.root()).filter(|root| is(*root, NS_SOAP, "Envelope"))
    }

    /// `soap:Header` of the envelope, only when it is the only one.
    #[must_use]
    pub fn header(&self) -> Option<Node<'_>> {
        self.only("Header")
    }

    /// `soap:Body` of the envelope, only when it is the only one.
    #[must_use]
    pub fn body(&self) -> Option<Node<'_>> {
        self.only("Body")
    }

    fn only(&self, local: &str) -> Option<Node<'_>> {
        let mut found = self.envelope()?.children().filter(|child| is(*child, NS_SOAP, local));
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

impl std::fmt::Debug for Document {
    /// Content may be personal data: only the size is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes)", self.text().len())
    }
}

/// Every attribute with the local name Id counts, whatever its namespace: the stricter reading leaves no room for two
/// parties to find two different elements.
fn index(tree: &Tree) -> Result<Ids, XmlError> {
    let mut ids = Ids::new();
    for node in tree.root().descendants().filter(Node::is_element) {
        for attribute in node.attributes().filter(|attribute| attribute.name() == "Id") {
            match ids.entry(Box::from(attribute.value())) {
                Entry::Vacant(entry) => {
                    entry.insert(node.id());
                }
                Entry::Occupied(entry) => return Err(XmlError::DuplicateId(entry.key().to_string())),
            }
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, XmlError> {
        Document::parse(text.as_bytes().to_vec(), &limits())
    }

    #[test]
    fn line_ends_become_line_feeds() {
        let document = parse("<a>x\r&amp;\r\n\ry</a>").unwrap();
        assert_eq!(document.root().text(), Some("x\n&\n\ny"));
    }

    #[test]
    fn a_second_element_with_the_same_id_is_refused() {
        assert_eq!(parse("<a Id='x'><b Id='x'/></a>").unwrap_err(), XmlError::DuplicateId("x".into()));
        assert!(parse("<a Id='x' xmlns:w='urn:w'><b w:Id='x'/></a>").is_err());
        assert!(parse("<a Id='x'><b id='x'/></a>").is_ok());
    }

    #[test]
    fn doctype_and_entities_are_refused() {
        assert!(matches!(parse("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>"), Err(XmlError::Malformed(_))));
        assert!(matches!(parse("<a>&x;</a>"), Err(XmlError::Malformed(_))));
    }

    #[test]
    fn two_bodies_are_no_body() {
        let text = format!("<s:Envelope xmlns:s='{NS_SOAP}'><s:Header/><s:Body/><s:Body/></s:Envelope>");
        let document = parse(&text).unwrap();
        assert!(document.body().is_none());
        assert!(document.header().is_some());
    }

    #[test]
    fn a_thousand_levels_are_refused() {
        let text = "<a>".repeat(1000) + &"</a>".repeat(1000);
        assert!(matches!(parse(&text), Err(XmlError::Malformed(_))));
    }
}
