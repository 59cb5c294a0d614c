//! A document as a tree, built in the pass that checks it: what the gate has not let through is not there.
//!
//! Nodes lie in document order, those below an element directly behind it. Names and text stay where they are in the
//! document; only what a reference or CDATA changes is kept apart, so that a megabyte of Base64 costs one pass.

use std::{borrow::Cow, ops::Range};

use crate::{
    LimitKind, Limits, XmlError, XmlErrorKind,
    scan::{BOM, NONE, Raw, Sink, Tag, XML_PREFIX, not_utf8, scan_text, too_long},
};

mod node;

pub use node::{Attribute, Instruction, Name, Namespace, Node, NodeId};

/// From where to where, in octets of the text or places of a list. Half as large as a range: a hostile document has
/// millions of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// [`Tree::parse`] takes no document that is longer than these numbers count, and no lists.
    #[expect(clippy::cast_possible_truncation, reason = "bounded as said")]
    const fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

/// Baum: a document that passed the gate.
pub struct Tree {
    text: String,
    parts: Parts,
}

/// What the pass found.
#[derive(Default)]
struct Parts {
    /// The document itself, and behind it everything in its order.
    nodes: Vec<Part>,
    attributes: Vec<AttributePart>,
    /// Each declaration that changed something.
    namespaces: Vec<NamespacePart>,
    /// Places in `namespaces`: what is in scope of an element, as lists that elements share.
    scopes: Vec<u32>,
}

struct Part {
    kind: Kind,
    /// Place of the parent; the document is its own.
    parent: u32,
    /// Place behind the last node below this one.
    end: u32,
    span: Span,
}

enum Kind {
    Document,
    Element(ElementPart),
    Text(Value),
    Comment,
    Instruction { target: Span, value: Span },
}

struct ElementPart {
    /// As written, with the prefix.
    qname: Span,
    local: Span,
    namespace: Uri,
    /// Places in [`Parts::attributes`].
    attributes: Span,
    /// Places in [`Parts::scopes`].
    scope: Span,
}

struct AttributePart {
    /// As written, with the prefix.
    qname: Span,
    local: Span,
    namespace: Uri,
    value: Value,
}

struct NamespacePart {
    prefix: Span,
    uri: Value,
}

/// Namespace of a name.
#[derive(Clone, Copy)]
enum Uri {
    None,
    /// That of `xml`, which nobody declares.
    Xml,
    /// Place in [`Parts::namespaces`].
    Declared(u32),
}

/// Text as it is read.
enum Value {
    /// As it is written, here.
    Written(Span),
    Decoded(String),
}

impl Tree {
    /// Checks a document as [`check`](crate::check) does and builds its tree in the same pass. Line ends become LF
    /// before anything else is done (XML 1.0, 2.11), and a byte order mark goes: the text has neither, and lengths and
    /// places of errors count in it. A document may have eight nodes of any kind for each element the limits allow.
    ///
    /// # Errors
    /// [`XmlError`] with the first fault and its place (`DDS-I005`; `DDS-I003` when too large).
    pub fn parse(mut document: Vec<u8>, limits: &Limits) -> Result<Self, XmlError> {
        let most = limits.bytes.min(u32::MAX as usize);
        too_long(&document, most)?;
        if document.starts_with(BOM.encode_utf8(&mut [0; 4]).as_bytes()) {
            document.drain(..BOM.len_utf8());
        }
        normalise_line_ends(&mut document);
        let text =
            String::from_utf8(document).map_err(|error| not_utf8(error.as_bytes(), error.utf8_error()))?;
        let mut builder = Builder::new(&text, limits);
        scan_text(&text, 0, limits, &mut builder)?;
        let parts = builder.finish();
        Ok(Self { text, parts })
    }

    /// The document: what the ranges of its nodes count in.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The root element.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        let document = self.at(0);
        document.first_element_child().unwrap_or(document)
    }

    /// The node with this number in this tree.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node<'_>> {
        ((id.0 as usize) < self.parts.nodes.len()).then(|| self.at(id.0))
    }

    const fn at(&self, place: u32) -> Node<'_> {
        Node { tree: self, place }
    }

    fn written(&self, span: Span) -> &str {
        &self.text[span.range()]
    }

    fn value<'a>(&'a self, value: &'a Value) -> &'a str {
        match value {
            Value::Written(span) => self.written(*span),
            Value::Decoded(text) => text,
        }
    }

    fn uri(&self, uri: Uri) -> Option<&str> {
        match uri {
            Uri::None => None,
            Uri::Xml => Some(crate::names::XML),
            Uri::Declared(place) => Some(self.value(&self.parts.namespaces[place as usize].uri)),
        }
    }
}

impl std::fmt::Debug for Tree {
    /// Content may be personal data: only the size is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tree({} bytes)", self.text.len())
    }
}

/// CR LF and lone CR become LF.
fn normalise_line_ends(bytes: &mut Vec<u8>) {
    let Some(first) = memchr::memchr(b'\r', bytes) else { return };
    let (mut read, mut write) = (first, first);
    while read < bytes.len() {
        if bytes[read] == b'\r' {
            read += usize::from(bytes.get(read + 1) == Some(&b'\n'));
            bytes[write] = b'\n';
        } else {
            bytes[write] = bytes[read];
        }
        (read, write) = (read + 1, write + 1);
    }
    bytes.truncate(write);
}

/// Nodes of all kinds for each element that the limits allow.
const NODES: usize = 8;

/// Takes down what the pass meets.
struct Builder<'a> {
    text: &'a str,
    /// Most nodes: a few for each element there may be. Comments and instructions would be free otherwise.
    most: usize,
    parts: Parts,
    /// Open elements, the document first: place, and how many bindings were known outside.
    open: Vec<(u32, usize)>,
    /// For each binding of the pass its place in [`Parts::namespaces`]; the first two are declared by nobody.
    known: Vec<u32>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str, limits: &Limits) -> Self {
        let document = Part { kind: Kind::Document, parent: 0, end: 1, span: Span::new(0, text.len()) };
        let parts = Parts { nodes: vec![document], ..Parts::default() };
        let most = limits.elements.saturating_mul(NODES).min(u32::MAX as usize);
        Self { text, most, parts, open: vec![(0, 0)], known: vec![0; XML_PREFIX + 1] }
    }

    fn finish(mut self) -> Parts {
        let nodes = next(&self.parts.nodes);
        if let Some(document) = self.parts.nodes.first_mut() {
            document.end = nodes;
        }
        self.parts
    }

    /// Where a piece of the text lies in it.
    fn span(&self, piece: &str) -> Span {
        let start = piece.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        // What is empty may lie anywhere.
        if piece.is_empty() { Span::default() } else { Span::new(start, start + piece.len()) }
    }

    fn value(&self, value: Cow<'a, str>) -> Value {
        match value {
            Cow::Borrowed(piece) => Value::Written(self.span(piece)),
            Cow::Owned(text) => Value::Decoded(text),
        }
    }

    fn uri(&self, binding: usize) -> Uri {
        match binding {
            NONE => Uri::None,
            XML_PREFIX => Uri::Xml,
            declared => Uri::Declared(self.known[declared]),
        }
    }

    fn parent(&self) -> u32 {
        self.open.last().map_or(0, |(place, _)| *place)
    }

    fn push(&mut self, kind: Kind, span: Span) -> Result<(), XmlErrorKind> {
        if self.parts.nodes.len() >= self.most {
            return Err(XmlErrorKind::Limit { what: LimitKind::Elements, max: self.most / NODES });
        }
        let end = next(&self.parts.nodes) + 1;
        self.parts.nodes.push(Part { kind, parent: self.parent(), end, span });
        Ok(())
    }

    /// What is in scope of an element with these bindings: what its parent has, unless it declares something.
    fn scope(&mut self, tag: &Tag<'a, '_>) -> Result<Span, XmlErrorKind> {
        let outer = match &self.parts.nodes[self.parent() as usize].kind {
            Kind::Element(parent) => parent.scope,
            _ => Span::default(),
        };
        let declared = &tag.bindings[self.known.len()..];
        if declared.is_empty() {
            return Ok(outer);
        }
        let Parts { namespaces, scopes, .. } = &self.parts;
        let prefix = |entry: &u32| &self.text[namespaces[*entry as usize].prefix.range()];
        let hidden = |entry: &u32| declared.iter().any(|binding| binding.prefix == prefix(entry));
        let kept: Vec<u32> = scopes[outer.range()].iter().filter(|entry| !hidden(entry)).copied().collect();
        let start = scopes.len();
        if start + kept.len() + declared.len() > u32::MAX as usize {
            return Err(XmlErrorKind::Limit { what: LimitKind::Namespaces, max: u32::MAX as usize });
        }
        self.parts.scopes.extend(kept);
        for binding in declared {
            let (prefix, uri) = (self.span(binding.prefix), self.value(binding.namespace.clone()));
            let entry = next(&self.parts.namespaces);
            self.known.push(entry);
            self.parts.scopes.push(entry);
            self.parts.namespaces.push(NamespacePart { prefix, uri });
        }
        Ok(Span::new(start, self.parts.scopes.len()))
    }
}

/// Place of the next entry of a list; that none gets too long, `push` and `scope` see to.
const fn next<T>(list: &[T]) -> u32 {
    Span::new(list.len(), 0).start
}

impl<'a> Sink<'a> for Builder<'a> {
    fn start(&mut self, tag: &Tag<'a, '_>) -> Result<(), XmlErrorKind> {
        let outer = self.known.len();
        let scope = self.scope(tag)?;
        let first = self.parts.attributes.len();
        for attribute in tag.attributes.iter().filter(|attribute| attribute.declares().is_none()) {
            let (prefix, local) = (self.span(attribute.prefix), self.span(attribute.local));
            let qname = if prefix.is_empty() { local } else { Span { end: local.end, ..prefix } };
            let namespace = self.uri(attribute.namespace);
            let value = self.value(attribute.value.attribute());
            self.parts.attributes.push(AttributePart { qname, local, namespace, value });
        }
        let attributes = Span::new(first, self.parts.attributes.len());
        let namespace = if tag.namespace().is_empty() { Uri::None } else { self.uri(tag.namespace) };
        let local = self.span(tag.local);
        let qname = Span { end: local.end, ..Span::new(tag.at + 1, tag.at + 1) };
        let element = ElementPart { qname, local, namespace, attributes, scope };
        let place = next(&self.parts.nodes);
        // Where it ends is known at its end.
        self.push(Kind::Element(element), Span::new(tag.at, tag.at))?;
        self.open.push((place, outer));
        Ok(())
    }

    fn text(&mut self, text: Raw<'a>) -> Result<(), XmlErrorKind> {
        let (span, value) = (self.span(text.raw), self.value(text.text()));
        let parent = self.parent();
        match self.parts.nodes.last_mut() {
            // CDATA and what stands beside it is one text.
            Some(Part { kind: Kind::Text(before), parent: of, span: all, .. }) if *of == parent => {
                let added = match &value {
                    Value::Written(span) => &self.text[span.range()],
                    Value::Decoded(text) => text,
                };
                if let Value::Written(first) = before {
                    *before = Value::Decoded(self.text[first.range()].to_owned());
                }
                if let Value::Decoded(text) = before {
                    text.push_str(added);
                }
                // Empty CDATA lies nowhere.
                *all = match (all.is_empty(), span.is_empty()) {
                    (true, _) => span,
                    (false, true) => *all,
                    (false, false) => Span { end: span.end, ..*all },
                };
            }
            _ => self.push(Kind::Text(value), span)?,
        }
        Ok(())
    }

    fn comment(&mut self, range: Range<usize>) -> Result<(), XmlErrorKind> {
        self.push(Kind::Comment, Span::new(range.start, range.end))
    }

    fn instruction(
        &mut self,
        target: &'a str,
        value: &'a str,
        range: Range<usize>,
    ) -> Result<(), XmlErrorKind> {
        let (target, value) = (self.span(target), self.span(value));
        self.push(Kind::Instruction { target, value }, Span::new(range.start, range.end))
    }

    fn end(&mut self, at: usize) -> Result<(), XmlErrorKind> {
        let nodes = next(&self.parts.nodes);
        if let Some((place, outer)) = self.open.pop() {
            self.known.truncate(outer);
            let element = &mut self.parts.nodes[place as usize];
            element.end = nodes;
            element.span = Span::new(element.span.start as usize, at);
        }
        Ok(())
    }
}
