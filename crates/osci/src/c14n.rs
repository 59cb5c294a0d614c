//! Inclusive Canonical XML 1.0 without comments of the subtree of one element.
//!
//! facts 8 and 9: OSCI knows no other canonicalisation. Prefixes stay as in the source; the apex element carries every
//! namespace in scope and the `xml:` attributes of its ancestors (Canonical XML 1.0, sections 2.3 and 2.4).

use crate::xml::{NS_XML, Node, NodeId, escape_attribute, escape_text};

/// Which namespace declarations the apex element carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Apex {
    /// All in scope: the standard.
    InScope,
    /// Only those the element itself declares. The Java library digests `xenc:EncryptedData` inside a signed container
    /// this way (facts 11, known defect); used to recognise its signatures, never to write.
    OwnOnly,
}

/// Writes the canonical form of `node` into `out`, in pieces of a few kilobytes.
pub fn canonicalize(node: Node<'_>, out: &mut dyn FnMut(&[u8])) {
    canonicalize_as(node, Apex::InScope, out);
}

/// [`canonicalize`] with a choice of the declarations at the apex.
pub fn canonicalize_as(node: Node<'_>, apex: Apex, out: &mut dyn FnMut(&[u8])) {
    let mut writer = Writer { buffer: Vec::with_capacity(BUFFER + 256), out };
    let mut scopes = Scopes::default();
    if apex == Apex::OwnOnly
        && let Some(parent) = node.parent_element()
    {
        scopes.enter(parent, |_, _| {});
    }
    let mut current = node;
    loop {
        if current.is_element() {
            writer.start_tag(current, current == node, &mut scopes);
            if let Some(first) = current.first_child() {
                current = first;
                continue;
            }
            writer.end_tag(current);
            scopes.leave(current);
        } else {
            writer.leaf(current);
        }
        loop {
            if current == node {
                writer.flush();
                return;
            }
            if let Some(next) = current.next_sibling() {
                current = next;
                break;
            }
            let Some(parent) = current.parent() else {
                writer.flush();
                return;
            };
            current = parent;
            writer.end_tag(current);
            scopes.leave(current);
        }
    }
}

/// The canonical form as one piece; for signatures over a few kilobytes such as SignedInfo.
#[must_use]
pub fn canonical_bytes(node: Node<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    canonicalize(node, &mut |piece| bytes.extend_from_slice(piece));
    bytes
}

/// Bytes gathered before they go to the hasher: a call per token would cost more than the hashing.
const BUFFER: usize = 8 << 10;

struct Writer<'o> {
    buffer: Vec<u8>,
    out: &'o mut dyn FnMut(&[u8]),
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush();
            if bytes.len() > BUFFER {
                (self.out)(bytes);
                return;
            }
        }
        self.buffer.extend_from_slice(bytes);
    }

    fn flush(&mut self) {
        if !self.buffer.is_empty() {
            (self.out)(&self.buffer);
            self.buffer.clear();
        }
    }

    fn start_tag<'a>(&mut self, node: Node<'a>, apex: bool, scopes: &mut Scopes<'a>) {
        self.put(b"<");
        self.put(node.qname().as_bytes());
        scopes.enter(node, |prefix, uri| {
            match prefix {
                "" => self.put(b" xmlns=\""),
                prefix => {
                    self.put(b" xmlns:");
                    self.put(prefix.as_bytes());
                    self.put(b"=\"");
                }
            }
            escape_attribute(uri, &mut |bytes| self.put(bytes));
            self.put(b"\"");
        });
        self.attributes(node, apex);
        self.put(b">");
    }

    fn attributes(&mut self, node: Node<'_>, apex: bool) {
        let inherited = apex
            && node
                .ancestors()
                .skip(1)
                .any(|ancestor| ancestor.attributes().any(|attribute| attribute.namespace() == Some(NS_XML)));
        let mut own = node.attributes();
        if own.len() == 0 && !inherited {
            return;
        }
        let mut attributes: Vec<_> = Vec::with_capacity(own.len());
        attributes.extend(own.by_ref());
        if inherited {
            for ancestor in node.ancestors().skip(1) {
                for attribute in
                    ancestor.attributes().filter(|attribute| attribute.namespace() == Some(NS_XML))
                {
                    if !attributes
                        .iter()
                        .any(|known| known.namespace() == Some(NS_XML) && known.name() == attribute.name())
                    {
                        attributes.push(attribute);
                    }
                }
            }
        }
        // No namespace sorts before every namespace: `None < Some`.
        attributes.sort_unstable_by_key(|attribute| (attribute.namespace(), attribute.name()));
        for attribute in attributes {
            self.put(b" ");
            self.put(attribute.qname().as_bytes());
            self.put(b"=\"");
            escape_attribute(attribute.value(), &mut |bytes| self.put(bytes));
            self.put(b"\"");
        }
    }

    fn end_tag(&mut self, node: Node<'_>) {
        self.put(b"</");
        self.put(node.qname().as_bytes());
        self.put(b">");
    }

    fn leaf(&mut self, node: Node<'_>) {
        if node.is_text() {
            escape_text(node.text().unwrap_or_default(), &mut |bytes| self.put(bytes));
        } else if let Some(instruction) = node.instruction() {
            self.put(b"<?");
            self.put(instruction.target.as_bytes());
            if !instruction.value.is_empty() {
                self.put(b" ");
                self.put(instruction.value.as_bytes());
            }
            self.put(b"?>");
        }
    }
}

/// Namespaces in scope of the open output elements: sorted by prefix, one list per element that changes something.
#[derive(Default)]
struct Scopes<'a> {
    lists: Vec<(NodeId, Vec<(&'a str, &'a str)>)>,
}

impl<'a> Scopes<'a> {
    /// Calls `declare` for what the element has and its output parent has not, in canonical order.
    fn enter(&mut self, node: Node<'a>, mut declare: impl FnMut(&str, &str)) {
        if let Some(parent) = node.parent_element()
            && !self.lists.is_empty()
            && node.shares_scope_with(parent)
        {
            return;
        }
        let mut list: Vec<(&str, &str)> =
            node.namespaces().map(|namespace| (namespace.prefix(), namespace.uri())).collect();
        list.sort_unstable();
        let parent = self.lists.last().map_or(&[][..], |(_, list)| list.as_slice());
        let mut known = parent.iter().peekable();
        for (prefix, uri) in &list {
            while known.next_if(|(other, _)| other < prefix).is_some() {}
            let before = known.next_if(|(other, _)| other == prefix).map_or("", |(_, uri)| uri);
            // `xmlns=""` is written only to undo a default namespace; a prefix cannot be undone in XML 1.0.
            if before != *uri {
                declare(prefix, uri);
            }
        }
        self.lists.push((node.id(), list));
    }

    fn leave(&mut self, node: Node<'_>) {
        if self.lists.last().is_some_and(|(id, _)| *id == node.id()) {
            self.lists.pop();
        }
    }
}
