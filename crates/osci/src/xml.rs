//! Reading and writing the XML of a message: one strict gate, one tree, one index of Ids.
//!
//! facts 3 (envelope rules), 17 (no DTD, no duplicate Ids); XML 1.0 section 2.11 (line ends).

mod document;
mod names;
mod writer;

pub use dds_xml::tree::{Node, NodeId};
/// The gate's limits and errors, which stand in the face of this crate too: nobody needs to depend on `dds-xml` for
/// them.
pub use dds_xml::{LimitKind, Limits, Rule, XmlError as GateError, XmlErrorKind as GateErrorKind};
pub(crate) use document::limits_of_ours;
pub use document::{Document, XmlError, limits};
pub use names::{
    C14N_INCLUSIVE, MIME_TEXT_XML, NS_C14N_EXCLUSIVE, NS_DS, NS_OSCI, NS_OSCI128, NS_OSCI2017, NS_SOAP,
    NS_XADES, NS_XENC, NS_XENC11, NS_XML, NS_XSI, TRANSFORM_BASE64,
};
pub use writer::{ENVELOPE_NAMESPACES, XmlWriter, base64_lines};
pub(crate) use writer::{escape_attribute, escape_text};

/// Value of the attribute `xsi:schemaLocation` of the Envelope, which names the type of the message
/// ([`MessageKind::from_schema_location`](crate::message::MessageKind::from_schema_location)). `None` when it is absent
/// or written with another prefix than `xsi` (facts 3: looked up by its literal name).
#[must_use]
pub fn schema_location(document: &Document) -> Option<&str> {
    let location = document.envelope()?.attribute_node((NS_XSI, "schemaLocation"))?;
    (location.qname() == "xsi:schemaLocation").then(|| location.value())
}

/// Whether the node is the element `local` of `namespace`.
#[must_use]
pub fn is(node: Node<'_>, namespace: &str, local: &str) -> bool {
    node.is_element() && node.tag_name().name() == local && node.tag_name().namespace() == Some(namespace)
}

/// First child element of that name.
#[must_use]
pub fn child<'a>(node: Node<'a>, namespace: &str, local: &str) -> Option<Node<'a>> {
    node.children().find(|child| is(*child, namespace, local))
}

/// Child elements of that name, in document order.
pub fn children<'a>(
    node: Node<'a>,
    namespace: &'a str,
    local: &'a str,
) -> impl Iterator<Item = Node<'a>> + 'a {
    node.children().filter(move |child| is(*child, namespace, local))
}

/// All child elements, in document order.
pub fn elements<'a>(node: Node<'a>) -> impl Iterator<Item = Node<'a>> + 'a {
    node.children().filter(Node::is_element)
}

/// Text of an element without markup inside: its text children put together. `None` when it has child elements.
#[must_use]
pub fn text_of<'a>(node: Node<'a>) -> Option<std::borrow::Cow<'a, str>> {
    use std::borrow::Cow;
    let mut text: Cow<'a, str> = Cow::Borrowed("");
    for child in node.children() {
        if child.is_element() {
            return None;
        }
        if !child.is_text() {
            continue;
        }
        let piece = child.text().unwrap_or_default();
        if text.is_empty() {
            text = Cow::Borrowed(piece);
        } else {
            text.to_mut().push_str(piece);
        }
    }
    Some(text)
}

/// Decodes Base64 as XML carries it: white space anywhere, padding required.
#[must_use]
pub fn base64_of(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let lines = text.as_bytes().split(u8::is_ascii_whitespace);
    let mut bytes = Vec::with_capacity(text.len());
    lines.for_each(|line| bytes.extend_from_slice(line));
    base64::engine::general_purpose::STANDARD.decode(bytes).ok()
}
