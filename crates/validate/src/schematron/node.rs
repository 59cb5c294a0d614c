//! Lets the engines of XPath and XML Schema walk a roxmltree document.
//!
//! `xsd-schema` has such an adapter for an older roxmltree; this one is a plain copyable cursor, because the engine
//! clones its navigator for every node it meets.

use std::borrow::Cow;

use roxmltree::Node;
use xsd_schema::navigator::TypedValue;
use xsd_schema::{DomNavigator, DomNodeType, NamespaceAxisScope, SimpleTypeKey, XmlNodeOrder};

const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A node of the document tree of XPath: element, text, comment, instruction, attribute or namespace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    /// The node, or the element that owns the attribute or namespace.
    pub(crate) node: Node<'a, 'a>,
    pub(crate) part: Part,
}

/// What of the node is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Whole,
    // Document order of XPath 2.0, 2.4.1: namespaces before attributes.
    Namespace(usize),
    Attribute(usize),
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(node: Node<'a, 'a>) -> Self {
        Self { node, part: Part::Whole }
    }

    /// Parent in the XPath tree.
    pub(crate) fn parent(&self) -> Option<Self> {
        match self.part {
            Part::Whole => self.node.parent().map(Self::new),
            _ => Some(Self::new(self.node)),
        }
    }

    /// Path for people: local names, position among siblings of that name except at the root.
    pub(crate) fn location(&self) -> String {
        let mut steps = Vec::new();
        if let Part::Attribute(_) = self.part {
            steps.push(format!("@{}", self.local_name()));
        }
        let elements = self.node.ancestors().filter(Node::is_element);
        for element in elements {
            let name = element.tag_name();
            let mut before = element.prev_siblings().skip(1).filter(Node::is_element).peekable();
            let is_root = element.parent().is_none_or(|parent| parent.is_root());
            steps.push(if is_root {
                name.name().to_owned()
            } else {
                let position = 1 + before.by_ref().filter(|sibling| sibling.tag_name() == name).count();
                format!("{}[{position}]", name.name())
            });
        }
        steps.iter().rev().flat_map(|step| ["/", step.as_str()]).collect()
    }

    fn attribute(&self) -> Option<roxmltree::Attribute<'a, 'a>> {
        match self.part {
            Part::Attribute(index) => self.node.attributes().nth(index),
            _ => None,
        }
    }

    /// The namespace nodes of the element; the binding of `xml` comes last where the scope has it. `Local` is not told
    /// from `ExcludeXml`: XPath asks for `All`, the driver of a schema for `ExcludeXml`.
    fn namespaces(&self, scope: NamespaceAxisScope) -> impl Iterator<Item = (&'a str, &'a str)> {
        let declared = self.node.namespaces().filter(|namespace| !namespace.uri().is_empty());
        let declared = declared.map(|namespace| (namespace.name().unwrap_or_default(), namespace.uri()));
        let xml = (scope == NamespaceAxisScope::All).then_some(("xml", XML));
        declared.filter(|(prefix, _)| *prefix != "xml").chain(xml)
    }

    fn namespace(&self) -> Option<(&'a str, &'a str)> {
        match self.part {
            Part::Namespace(index) => self.namespaces(NamespaceAxisScope::All).nth(index),
            _ => None,
        }
    }

    fn go(&mut self, to: Option<Node<'a, 'a>>) -> bool {
        match (self.part, to) {
            (Part::Whole, Some(node)) => {
                self.node = node;
                true
            }
            _ => false,
        }
    }

    fn string(&self) -> Cow<'a, str> {
        match self.part {
            Part::Attribute(_) => Cow::Borrowed(self.attribute().map_or("", |attribute| attribute.value())),
            Part::Namespace(_) => Cow::Borrowed(self.namespace().map_or("", |(_, uri)| uri)),
            Part::Whole => string_value(self.node),
        }
    }

    /// Name as written at `start` of the document.
    fn written(&self, start: usize) -> &'a str {
        let text = self.node.document().input_text().get(start..).unwrap_or_default();
        let ends: &[char] = &[' ', '\t', '\r', '\n', '/', '>', '=', '?'];
        text.split(ends).next().unwrap_or_default()
    }
}

/// String value (XDM 6): of an element or the document all text inside.
fn string_value<'a>(node: Node<'a, 'a>) -> Cow<'a, str> {
    match node.node_type() {
        roxmltree::NodeType::Text | roxmltree::NodeType::Comment => {
            Cow::Borrowed(node.text().unwrap_or_default())
        }
        roxmltree::NodeType::PI => Cow::Borrowed(node.pi().and_then(|pi| pi.value).unwrap_or_default()),
        roxmltree::NodeType::Element | roxmltree::NodeType::Root => {
            let mut texts = node.descendants().filter(Node::is_text).filter_map(|text| text.text());
            let Some(first) = texts.next() else { return Cow::Borrowed("") };
            match texts.next() {
                None => Cow::Borrowed(first),
                Some(second) => Cow::Owned([first, second].into_iter().chain(texts).collect()),
            }
        }
    }
}

impl DomNavigator for Cursor<'_> {
    fn is_same_position(&self, other: &Self) -> bool {
        self.node == other.node && self.part == other.part
    }

    fn compare_position(&self, other: &Self) -> XmlNodeOrder {
        match (self.node.id().get(), self.part).cmp(&(other.node.id().get(), other.part)) {
            std::cmp::Ordering::Less => XmlNodeOrder::Before,
            std::cmp::Ordering::Equal => XmlNodeOrder::Same,
            std::cmp::Ordering::Greater => XmlNodeOrder::After,
        }
    }

    fn move_to(&mut self, other: &Self) -> bool {
        *self = *other;
        true
    }

    fn move_to_root(&mut self) {
        *self = Self::new(self.node.document().root());
    }

    fn move_to_parent(&mut self) -> bool {
        match self.parent() {
            Some(parent) => {
                *self = parent;
                true
            }
            None => false,
        }
    }

    fn move_to_first_child(&mut self) -> bool {
        self.go(self.node.first_child())
    }

    fn move_to_next_sibling(&mut self) -> bool {
        self.go(self.node.next_sibling())
    }

    fn move_to_prev_sibling(&mut self) -> bool {
        self.go(self.node.prev_sibling())
    }

    fn move_to_first_attribute(&mut self) -> bool {
        let some = self.part == Part::Whole && self.node.attributes().len() > 0;
        if some {
            self.part = Part::Attribute(0);
        }
        some
    }

    fn move_to_next_attribute(&mut self) -> bool {
        match self.part {
            Part::Attribute(index) if index + 1 < self.node.attributes().len() => {
                self.part = Part::Attribute(index + 1);
                true
            }
            _ => false,
        }
    }

    fn move_to_first_namespace(&mut self, scope: NamespaceAxisScope) -> bool {
        let some =
            self.part == Part::Whole && self.node.is_element() && self.namespaces(scope).next().is_some();
        if some {
            self.part = Part::Namespace(0);
        }
        some
    }

    fn move_to_next_namespace(&mut self, scope: NamespaceAxisScope) -> bool {
        match self.part {
            Part::Namespace(index) if self.namespaces(scope).nth(index + 1).is_some() => {
                self.part = Part::Namespace(index + 1);
                true
            }
            _ => false,
        }
    }

    fn move_to_following(&mut self, kind: DomNodeType, end: Option<&Self>) -> bool {
        let mut at = *self;
        // After an attribute or namespace follows the content of its element, after a node what comes after its
        // subtree.
        let mut inside = self.part != Part::Whole;
        at.part = Part::Whole;
        loop {
            if !(inside && at.move_to_first_child()) {
                while !at.move_to_next_sibling() {
                    if !at.move_to_parent() {
                        return false;
                    }
                }
            }
            inside = true;
            if end.is_some_and(|end| at.node.id().get() >= end.node.id().get()) {
                return false;
            }
            if kind == DomNodeType::All || at.node_type() == kind {
                *self = at;
                return true;
            }
        }
    }

    fn node_type(&self) -> DomNodeType {
        match self.part {
            Part::Attribute(_) => DomNodeType::Attribute,
            Part::Namespace(_) => DomNodeType::Namespace,
            Part::Whole => match self.node.node_type() {
                roxmltree::NodeType::Root => DomNodeType::Root,
                roxmltree::NodeType::Element => DomNodeType::Element,
                roxmltree::NodeType::Text => DomNodeType::Text,
                roxmltree::NodeType::Comment => DomNodeType::Comment,
                roxmltree::NodeType::PI => DomNodeType::ProcessingInstruction,
            },
        }
    }

    fn local_name(&self) -> &str {
        match self.part {
            Part::Attribute(_) => self.attribute().map_or("", |attribute| attribute.name()),
            Part::Namespace(_) => self.namespace().map_or("", |(prefix, _)| prefix),
            Part::Whole => match self.node.pi() {
                Some(pi) => pi.target,
                None => self.node.tag_name().name(),
            },
        }
    }

    fn name(&self) -> &str {
        match self.part {
            Part::Attribute(_) => {
                self.attribute().map_or("", |attribute| self.written(attribute.range().start))
            }
            Part::Whole if self.node.is_element() => self.written(self.node.range().start + 1),
            _ => self.local_name(),
        }
    }

    fn namespace_uri(&self) -> &str {
        match self.part {
            Part::Attribute(_) => {
                self.attribute().and_then(|attribute| attribute.namespace()).unwrap_or_default()
            }
            Part::Namespace(_) => "",
            Part::Whole => self.node.tag_name().namespace().unwrap_or_default(),
        }
    }

    fn prefix(&self) -> &str {
        self.name().split_once(':').map_or("", |(prefix, _)| prefix)
    }

    fn value(&self) -> String {
        self.string().into_owned()
    }

    fn value_ref(&self) -> Cow<'_, str> {
        self.string()
    }

    fn base_uri(&self) -> &str {
        ""
    }

    fn schema_type(&self) -> Option<SimpleTypeKey> {
        None
    }

    fn typed_value(&self) -> TypedValue {
        TypedValue::Untyped
    }
}
