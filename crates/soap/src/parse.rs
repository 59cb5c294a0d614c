//! Reading an envelope.

use std::ops::{ControlFlow, Range};

use dds_xml::Limits;
use roxmltree::{Document, Node, NodeId};

use crate::{Fault, SoapError, Version};

/// An envelope that was read. Slices point into the input.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// Version, by the namespace of the envelope.
    pub version: Version,
    /// Header blocks in order.
    pub headers: Vec<Header<'a>>,
    /// Content of `Body`. Prefixes may be declared outside of it, see [`Parsed::standalone`].
    pub body: &'a [u8],
    document: Document<'a>,
    payload: Option<NodeId>,
}

/// A header block (SOAP 1.1 section 4.2; SOAP 1.2 part 1 section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Namespace, empty if none.
    pub namespace: String,
    /// Local name.
    pub name: String,
    /// `true`: it is meant for us and must be understood or refused.
    pub must_understand: bool,
    /// The block as sent.
    pub xml: &'a [u8],
}

/// Limits of an envelope of at most `bytes` bytes. Unlike a document it may hold one long text: a base64 attachment.
#[must_use]
pub fn limits(bytes: usize) -> Limits {
    Limits { bytes, text: bytes, ..Limits::default() }
}

/// Reads an envelope of at most 64 MiB.
///
/// # Errors
/// As [`parse_with`].
pub fn parse(bytes: &[u8]) -> Result<Parsed<'_>, SoapError> {
    parse_with(bytes, &limits(64 << 20))
}

/// Reads an envelope within `limits`.
///
/// # Errors
/// [`SoapError`] for anything that is not a SOAP 1.1 or 1.2 envelope in UTF-8 without DOCTYPE.
pub fn parse_with<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Parsed<'a>, SoapError> {
    dds_xml::check(bytes, limits)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    // `check` has made sure of UTF-8, so that the fallback is never seen.
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let document = Document::parse(text).map_err(|error| {
        let place = error.pos();
        SoapError::Tree { line: place.row, column: place.col }
    })?;

    let root = document.root_element();
    if root.tag_name().name() != "Envelope" {
        return Err(SoapError::NotAnEnvelope((
            "das Wurzelelement ist nicht Envelope",
            "the root element is not Envelope",
        )));
    }
    let version =
        Version::of_namespace(root.tag_name().namespace().unwrap_or_default()).ok_or(SoapError::Version)?;
    let mut parts = root.children().filter(Node::is_element).peekable();
    let header = parts.next_if(|part| is(part, version, "Header"));
    let Some(body) = parts.next().filter(|part| is(part, version, "Body")) else {
        return Err(SoapError::NotAnEnvelope((
            "Body fehlt oder steht nicht an seinem Platz",
            "Body is missing or not in its place",
        )));
    };
    // SOAP 1.1 section 4 allows further elements behind the body, 1.2 part 1 section 5.1 does not.
    if version == Version::V12 && parts.next().is_some() {
        return Err(SoapError::NotAnEnvelope(("nach Body folgt ein Element", "an element follows Body")));
    }

    let headers = header.map(|header| blocks(&header, version, bytes)).unwrap_or_default();
    let payload = body.first_element_child().map(|node| node.id());
    let body = &bytes[content(&body)];
    Ok(Parsed { version, headers, body, document, payload })
}

/// Whether the body of an envelope begins with a fault, where only the beginning of the envelope is there. `None`: that
/// is not enough to tell, or no envelope.
#[must_use]
pub fn begins_with_fault(beginning: &[u8]) -> Option<bool> {
    let (mut in_body, mut version) = (false, None);
    let fault = dds_xml::peek(beginning, &limits(beginning.len()), |depth, namespace, local| {
        let namespace = Version::of_namespace(namespace);
        let named = |name: &str| namespace.is_some() && namespace == version && local == name;
        match depth {
            0 if local == "Envelope" && namespace.is_some() => version = namespace,
            0 => return ControlFlow::Break(None),
            // A body that is over held no element; what follows it counts for nothing.
            1 if in_body => return ControlFlow::Break(None),
            1 => in_body = named("Body"),
            2 if in_body => return ControlFlow::Break(Some(named("Fault"))),
            _ => {}
        }
        ControlFlow::Continue(())
    });
    fault.flatten()
}

impl<'a> Parsed<'a> {
    /// The first element in the body: operation, document or fault.
    #[must_use]
    pub fn payload(&self) -> Option<Node<'_, 'a>> {
        self.payload.and_then(|id| self.document.get_node(id))
    }

    /// The fault, if the body holds one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.payload()
            .filter(|node| is(node, self.version, "Fault"))
            .map(|node| Fault::read(&node, self.version))
    }

    /// First header block that must be understood and is not among `understood` (namespace, local name); the answer
    /// is then the fault `MustUnderstand` and nothing is processed (SOAP 1.2 part 1 section 2.4).
    #[must_use]
    pub fn not_understood(&self, understood: &[(&str, &str)]) -> Option<&Header<'a>> {
        let known =
            |header: &Header<'_>| understood.contains(&(header.namespace.as_str(), header.name.as_str()));
        self.headers.iter().find(|header| header.must_understand && !known(header))
    }

    /// `node` of this envelope as a document of its own: its bytes as sent, with the namespace declarations it
    /// inherits from elements around it.
    #[must_use]
    pub fn standalone(&self, node: &Node<'_, '_>) -> Vec<u8> {
        let source = &self.document.input_text()[node.range()];
        let name_end =
            source.find(|c: char| c.is_ascii_whitespace() || c == '>' || c == '/').unwrap_or(source.len());
        let own = own_declarations(source);
        let mut bytes = Vec::with_capacity(source.len() + 256);
        bytes.extend_from_slice(&source.as_bytes()[..name_end]);
        for namespace in node.namespaces() {
            let prefix = namespace.name().unwrap_or_default();
            if prefix == "xml" || own.contains(&prefix) {
                continue;
            }
            let colon = if prefix.is_empty() { "" } else { ":" };
            let declaration = format!(" xmlns{colon}{prefix}=\"{}\"", crate::escape(namespace.uri()));
            bytes.extend_from_slice(declaration.as_bytes());
        }
        bytes.extend_from_slice(&source.as_bytes()[name_end..]);
        bytes
    }
}

fn is(node: &Node<'_, '_>, version: Version, name: &str) -> bool {
    node.has_tag_name((version.namespace(), name))
}

fn content(node: &Node<'_, '_>) -> Range<usize> {
    match (node.first_child(), node.last_child()) {
        (Some(first), Some(last)) => first.range().start..last.range().end,
        _ => node.range().end..node.range().end,
    }
}

fn blocks<'a>(header: &Node<'_, '_>, version: Version, bytes: &'a [u8]) -> Vec<Header<'a>> {
    let attribute = |block: &Node<'_, '_>, name: &str| {
        block.attribute((version.namespace(), name)).map(|value| value.trim().to_owned())
    };
    header
        .children()
        .filter(Node::is_element)
        .map(|block| {
            let role = attribute(&block, version.role_attribute()).unwrap_or_default();
            let demanded =
                attribute(&block, "mustUnderstand").is_some_and(|value| value == "1" || value == "true");
            Header {
                namespace: block.tag_name().namespace().unwrap_or_default().to_owned(),
                name: block.tag_name().name().to_owned(),
                must_understand: demanded && version.own_roles().contains(&role.as_str()),
                xml: &bytes[block.range()],
            }
        })
        .collect()
}

/// Prefixes that the start tag at the beginning of `source` declares itself; the empty one is the default namespace.
/// The tag is well-formed, the gate has seen to that: every attribute is a name, `=` and a value between quotation
/// marks.
fn own_declarations(source: &str) -> Vec<&str> {
    let space = |c: char| c.is_ascii_whitespace();
    let mut own = Vec::new();
    let name_end = source.find(|c: char| space(c) || matches!(c, '>' | '/')).unwrap_or(source.len());
    let mut rest = source[name_end..].trim_start_matches(space);
    while let Some((name, after)) = rest.split_once('=').filter(|_| !rest.starts_with(['>', '/'])) {
        let after = after.trim_start_matches(space);
        let Some(quote) = after.chars().next() else { break };
        match name.trim_end_matches(space).strip_prefix("xmlns") {
            Some("") => own.push(""),
            Some(prefix) => own.extend(prefix.strip_prefix(':')),
            None => {}
        }
        rest = after[1..].split_once(quote).map_or("", |(_, rest)| rest).trim_start_matches(space);
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_tag_tells_what_it_declares_itself() {
        for (source, own) in [
            ("<a/>", vec![]),
            ("<a><b xmlns='x'/></a>", vec![]),
            ("<a>x xmlns='y'</a>", vec![]),
            ("<a xmlns=\"u\"/>", vec![""]),
            (
                "<p:a\n\txmlns:p = 'u>/' b=\"xmlns:q='v'\" xmlnsx='1' xmlns='w' >xmlns:r='x'</p:a>",
                vec!["p", ""],
            ),
            ("<a b=''/>", vec![]),
            ("<a>text with space and = 'x'</a>", vec![]),
        ] {
            assert_eq!(own_declarations(source), own, "{source}");
        }
    }

    #[test]
    fn the_beginning_of_an_envelope_tells_a_fault_from_an_answer() {
        let envelope = |payload: &str| {
            format!(
                "<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"{}\"><s:Header><Fault/></s:Header><s:Body>{payload}",
                Version::V11.namespace()
            )
        };
        for (payload, told) in [
            ("<ok xmlns=\"urn:fv\"><echo>AAAA", Some(false)),
            ("<Fault>", Some(false)),
            ("<s:Fault><faultcode>", Some(true)),
            ("<!-- soon -->", None),
            ("<ok", None),
            ("<ok>Stra\u{df}e", Some(false)),
            ("</s:Body></s:Envelope>", None),
            ("</s:Body><s:Body><s:Fault>", None),
        ] {
            assert_eq!(begins_with_fault(envelope(payload).as_bytes()), told, "{payload}");
        }
        // A cut goes where it goes, also through a character.
        let cut = envelope("<s:Fault>\u{df}").into_bytes();
        assert_eq!(begins_with_fault(&cut[..cut.len() - 1]), Some(true));
        for none in ["", "<html><body><p>", "<Envelope><Body><ok>", "no XML"] {
            assert_eq!(begins_with_fault(none.as_bytes()), None, "{none}");
        }
    }
}
