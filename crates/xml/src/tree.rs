//! A document as a tree, built in the pass that checks it: what the gate has not let through is not there.
//!
//! Nodes lie in document order, those below an element directly behind it. Names and text stay where they are in the
//! document; only what a reference or CDATA changes is kept apart, so that a megabyte of Base64 costs one pass.

use std::{borrow::Cow, ops::Range};

use crate::{
    Limits, XmlError, XmlErrorKind,
    scan::{BOM, NONE, Raw, Sink, Tag, XML_PREFIX, not_utf8, scan_text, too_long},
};

mod node;

pub use node::{Attribute, Instruction, Name, Namespace, Node, NodeId};

/// Baum: a document that passed the gate.
pub struct Tree {
    text: String,
    parts: Parts,
}

/// What the pass found. All ranges are octets of the text.
#[derive(Default)]
struct Parts {
    /// The document itself, and behind it everything in its order.
    nodes: Vec<Part>,
    attributes: Vec<AttributePart>,
    /// Each declaration that changed something.
    namespaces: Vec<NamespacePart>,
    /// Places in `namespaces`: what is in scope of an element, as lists that elements share.
    scopes: Vec<usize>,
}

struct Part {
    kind: Kind,
    /// Place of the parent; the document is its own.
    parent: usize,
    /// Place behind the last node below this one.
    end: usize,
    range: Range<usize>,
}

enum Kind {
    Document,
    Element(ElementPart),
    Text(Value),
    Comment,
    Instruction { target: Range<usize>, value: Range<usize> },
}

struct ElementPart {
    /// As written, with the prefix.
    qname: Range<usize>,
    local: Range<usize>,
    namespace: Uri,
    /// Places in [`Parts::attributes`].
    attributes: Range<usize>,
    /// Places in [`Parts::scopes`].
    scope: Range<usize>,
}

struct AttributePart {
    /// As written, with the prefix.
    qname: Range<usize>,
    local: Range<usize>,
    namespace: Uri,
    value: Value,
}

struct NamespacePart {
    prefix: Range<usize>,
    uri: Value,
}

/// Namespace of a name.
#[derive(Clone, Copy)]
enum Uri {
    None,
    /// That of `xml`, which nobody declares.
    Xml,
    /// Place in [`Parts::namespaces`].
    Declared(usize),
}

/// Text as it is read.
enum Value {
    /// As it is written, here.
    Written(Range<usize>),
    Decoded(String),
}

impl Tree {
    /// Checks a document as [`check`](crate::check) does and builds its tree in the same pass. Line ends become LF
    /// before anything else is done (XML 1.0, 2.11), and a byte order mark goes: the text has neither.
    ///
    /// # Errors
    /// [`XmlError`] with the first fault and its place (`DDS-I005`; `DDS-I003` when too large).
    pub fn parse(mut document: Vec<u8>, limits: &Limits) -> Result<Self, XmlError> {
        too_long(&document, limits)?;
        if document.starts_with(BOM.encode_utf8(&mut [0; 4]).as_bytes()) {
            document.drain(..BOM.len_utf8());
        }
        normalise_line_ends(&mut document);
        let text =
            String::from_utf8(document).map_err(|error| not_utf8(error.as_bytes(), error.utf8_error()))?;
        let mut builder = Builder::new(&text);
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
        (id.0 < self.parts.nodes.len()).then(|| self.at(id.0))
    }

    const fn at(&self, place: usize) -> Node<'_> {
        Node { tree: self, place }
    }

    fn value<'a>(&'a self, value: &'a Value) -> &'a str {
        match value {
            Value::Written(range) => &self.text[range.clone()],
            Value::Decoded(text) => text,
        }
    }

    fn uri(&self, uri: Uri) -> Option<&str> {
        match uri {
            Uri::None => None,
            Uri::Xml => Some(crate::names::XML),
            Uri::Declared(place) => Some(self.value(&self.parts.namespaces[place].uri)),
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

/// Takes down what the pass meets.
struct Builder<'a> {
    text: &'a str,
    parts: Parts,
    /// Open elements, the document first: place, and how many bindings were known outside.
    open: Vec<(usize, usize)>,
    /// For each binding of the pass its place in [`Parts::namespaces`]; the first two are declared by nobody.
    known: Vec<usize>,
}

impl<'a> Builder<'a> {
    fn new(text: &'a str) -> Self {
        let document = Part { kind: Kind::Document, parent: 0, end: 1, range: 0..text.len() };
        let parts = Parts { nodes: vec![document], ..Parts::default() };
        Self { text, parts, open: vec![(0, 0)], known: vec![0; XML_PREFIX + 1] }
    }

    fn finish(mut self) -> Parts {
        let nodes = self.parts.nodes.len();
        if let Some(document) = self.parts.nodes.first_mut() {
            document.end = nodes;
        }
        self.parts
    }

    /// Where a piece of the text lies in it.
    fn place(&self, piece: &str) -> Range<usize> {
        let start = piece.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        // What is empty may lie anywhere.
        if piece.is_empty() { 0..0 } else { start..start + piece.len() }
    }

    fn value(&self, value: Cow<'a, str>) -> Value {
        match value {
            Cow::Borrowed(piece) => Value::Written(self.place(piece)),
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

    fn parent(&self) -> usize {
        self.open.last().map_or(0, |(place, _)| *place)
    }

    fn push(&mut self, kind: Kind, range: Range<usize>) {
        let place = self.parts.nodes.len();
        self.parts.nodes.push(Part { kind, parent: self.parent(), end: place + 1, range });
    }

    /// What is in scope of an element with these bindings: what its parent has, unless it declares something.
    fn scope(&mut self, tag: &Tag<'a, '_>) -> Range<usize> {
        if self.known.len() == tag.bindings.len() {
            return match &self.parts.nodes[self.parent()].kind {
                Kind::Element(parent) => parent.scope.clone(),
                _ => 0..0,
            };
        }
        for binding in &tag.bindings[self.known.len()..] {
            let (prefix, uri) = (self.place(binding.prefix), self.value(binding.namespace.clone()));
            self.known.push(self.parts.namespaces.len());
            self.parts.namespaces.push(NamespacePart { prefix, uri });
        }
        let start = self.parts.scopes.len();
        let declared = tag.bindings.iter().enumerate().skip(XML_PREFIX + 1);
        for (place, binding) in declared {
            let inner = &tag.bindings[place + 1..];
            if !inner.iter().any(|inner| inner.prefix == binding.prefix) {
                self.parts.scopes.push(self.known[place]);
            }
        }
        start..self.parts.scopes.len()
    }
}

impl<'a> Sink<'a> for Builder<'a> {
    fn start(&mut self, tag: &Tag<'a, '_>) -> Result<(), XmlErrorKind> {
        let outer = self.known.len();
        let scope = self.scope(tag);
        let first = self.parts.attributes.len();
        for attribute in tag.attributes.iter().filter(|attribute| attribute.declares().is_none()) {
            let (prefix, local) = (self.place(attribute.prefix), self.place(attribute.local));
            let qname = if prefix.is_empty() { local.clone() } else { prefix.start..local.end };
            let namespace = self.uri(attribute.namespace);
            let value = self.value(attribute.value.attribute());
            self.parts.attributes.push(AttributePart { qname, local, namespace, value });
        }
        let attributes = first..self.parts.attributes.len();
        let namespace = if tag.namespace().is_empty() { Uri::None } else { self.uri(tag.namespace) };
        let local = self.place(tag.local);
        let qname = tag.at + 1..local.end;
        let element = ElementPart { qname, local, namespace, attributes, scope };
        let place = self.parts.nodes.len();
        // Where it ends is known at its end.
        self.push(Kind::Element(element), tag.at..tag.at);
        self.open.push((place, outer));
        Ok(())
    }

    fn text(&mut self, text: Raw<'a>) -> Result<(), XmlErrorKind> {
        let (range, value) = (self.place(text.raw), self.value(text.text()));
        let parent = self.parent();
        match self.parts.nodes.last_mut() {
            // CDATA and what stands beside it is one text.
            Some(Part { kind: Kind::Text(before), parent: of, range: all, .. }) if *of == parent => {
                let added = match &value {
                    Value::Written(range) => &self.text[range.clone()],
                    Value::Decoded(text) => text,
                };
                match before {
                    Value::Decoded(text) => text.push_str(added),
                    Value::Written(range) => {
                        *before = Value::Decoded([&self.text[range.clone()], added].concat());
                    }
                }
                all.end = all.end.max(range.end);
            }
            _ => self.push(Kind::Text(value), range),
        }
        Ok(())
    }

    fn comment(&mut self, range: Range<usize>) {
        self.push(Kind::Comment, range);
    }

    fn instruction(&mut self, target: &'a str, value: &'a str, range: Range<usize>) {
        let (target, value) = (self.place(target), self.place(value));
        self.push(Kind::Instruction { target, value }, range);
    }

    fn end(&mut self, at: usize) -> Result<(), XmlErrorKind> {
        let nodes = self.parts.nodes.len();
        if let Some((place, outer)) = self.open.pop() {
            self.known.truncate(outer);
            let element = &mut self.parts.nodes[place];
            (element.end, element.range.end) = (nodes, at);
        }
        Ok(())
    }
}
