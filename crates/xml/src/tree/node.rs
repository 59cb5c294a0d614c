//! Nodes of a [`Tree`], as far as a reader of messages needs them.

use std::ops::Range;

use super::{AttributePart, ElementPart, Kind, NamespacePart, Part, Span, Tree};

/// Knoten: the document, an element, text, a comment or a processing instruction.
#[derive(Clone, Copy)]
pub struct Node<'a> {
    pub(super) tree: &'a Tree,
    pub(super) place: u32,
}

/// Number of a node within its tree: document order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

/// Expandierter Name: namespace and local part (Namespaces in XML 1.0, 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name<'a> {
    namespace: Option<&'a str>,
    local: &'a str,
}

impl<'a> Name<'a> {
    /// Local part; empty for what is no element.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.local
    }

    /// Namespace, if it is in one.
    #[must_use]
    pub const fn namespace(&self) -> Option<&'a str> {
        self.namespace
    }
}

impl<'a> From<&'a str> for Name<'a> {
    /// A name in no namespace.
    fn from(local: &'a str) -> Self {
        Self { namespace: None, local }
    }
}

impl<'a> From<(&'a str, &'a str)> for Name<'a> {
    /// Namespace and local part.
    fn from((namespace, local): (&'a str, &'a str)) -> Self {
        Self { namespace: Some(namespace), local }
    }
}

/// Processing instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// Target.
    pub target: &'a str,
    /// What follows the white space behind the target; may be empty.
    pub value: &'a str,
}

impl<'a> Node<'a> {
    /// Its number.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        NodeId(self.place)
    }

    /// The tree it belongs to.
    #[must_use]
    pub const fn tree(&self) -> &'a Tree {
        self.tree
    }

    /// Where it lies in [`Tree::text`], in octets: an element from `<` to behind the `>` of its end; a text without
    /// the marks of CDATA at its ends, an empty one nowhere (0 to 0).
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.part().span.range()
    }

    /// It is an element.
    #[must_use]
    pub fn is_element(&self) -> bool {
        self.element().is_some()
    }

    /// It is text; CDATA counts as text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.part().kind, Kind::Text(_))
    }

    /// What a processing instruction says.
    #[must_use]
    pub fn instruction(&self) -> Option<Instruction<'a>> {
        let Kind::Instruction { target, value } = &self.part().kind else { return None };
        Some(Instruction { target: self.tree.written(*target), value: self.tree.written(*value) })
    }

    /// Name of an element.
    #[must_use]
    pub fn tag_name(&self) -> Name<'a> {
        self.element().map_or(Name { namespace: None, local: "" }, |element| Name {
            namespace: self.tree.uri(element.namespace),
            local: self.tree.written(element.local),
        })
    }

    /// Name of an element as written, with the prefix.
    #[must_use]
    pub fn qname(&self) -> &'a str {
        self.element().map_or("", |element| self.tree.written(element.qname))
    }

    /// The text of a text, or that an element begins with.
    #[must_use]
    pub fn text(&self) -> Option<&'a str> {
        match &self.part().kind {
            Kind::Text(value) => Some(self.tree.value(value)),
            Kind::Element(_) => self.first_child().filter(Self::is_text).and_then(|text| text.text()),
            _ => None,
        }
    }

    /// Attributes in the order of the document, declarations of namespaces left out.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'a>> + use<'a> {
        let tree = self.tree;
        let range = self.element().map_or(0..0, |element| element.attributes.range());
        tree.parts.attributes[range].iter().map(move |part| Attribute { tree, part })
    }

    /// An attribute: by local name where it is in no namespace, else by namespace and local name.
    #[must_use]
    pub fn attribute_node<'n>(&self, name: impl Into<Name<'n>>) -> Option<Attribute<'a>> {
        let Name { namespace, local } = name.into();
        self.attributes().find(|known| known.name() == local && known.namespace() == namespace)
    }

    /// The value of an attribute, named as in [`Self::attribute_node`].
    #[must_use]
    pub fn attribute<'n>(&self, name: impl Into<Name<'n>>) -> Option<&'a str> {
        self.attribute_node(name).map(|attribute| attribute.value())
    }

    /// Namespaces in scope of an element, each prefix once and `xml` left out. A default namespace that is undone is
    /// the empty text.
    pub fn namespaces(&self) -> impl Iterator<Item = Namespace<'a>> + use<'a> {
        let tree = self.tree;
        let places = tree.parts.scopes[self.scope().range()].iter();
        places.map(move |place| Namespace { tree, part: &tree.parts.namespaces[*place as usize] })
    }

    /// Nothing was declared between the two: the very same namespaces are in scope of both.
    #[must_use]
    pub fn shares_scope_with(&self, other: Self) -> bool {
        self.scope() == other.scope()
    }

    /// What it lies in; `None` for the document.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        (self.place > 0).then(|| self.tree.at(self.part().parent))
    }

    /// The element it lies in; `None` for the root element.
    #[must_use]
    pub fn parent_element(&self) -> Option<Self> {
        self.parent().filter(Self::is_element)
    }

    /// Itself, what it lies in, and so on up to the document.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<'a> {
        std::iter::successors(Some(*self), Self::parent)
    }

    /// First of its children.
    #[must_use]
    pub fn first_child(&self) -> Option<Self> {
        (self.place + 1 < self.part().end).then(|| self.tree.at(self.place + 1))
    }

    /// First of its children that is an element.
    #[must_use]
    pub fn first_element_child(&self) -> Option<Self> {
        self.children().find(Self::is_element)
    }

    /// The next child of its parent.
    #[must_use]
    pub fn next_sibling(&self) -> Option<Self> {
        let (next, parent) = (self.part().end, self.parent()?);
        (next < parent.part().end).then(|| self.tree.at(next))
    }

    /// Its children in the order of the document.
    pub fn children(&self) -> impl Iterator<Item = Self> + use<'a> {
        std::iter::successors(self.first_child(), Self::next_sibling)
    }

    /// Itself and all that is below it, in the order of the document.
    pub fn descendants(&self) -> impl Iterator<Item = Self> + use<'a> {
        let tree = self.tree;
        (self.place..self.part().end).map(|place| tree.at(place))
    }

    fn part(&self) -> &'a Part {
        &self.tree.parts.nodes[self.place as usize]
    }

    fn element(&self) -> Option<&'a ElementPart> {
        match &self.part().kind {
            Kind::Element(element) => Some(element),
            _ => None,
        }
    }

    fn scope(&self) -> Span {
        self.element().map_or(Span::default(), |element| element.scope)
    }
}

impl PartialEq for Node<'_> {
    /// The same node of the same tree.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.tree, other.tree) && self.place == other.place
    }
}

impl Eq for Node<'_> {}

impl std::fmt::Debug for Node<'_> {
    /// Content may be personal data: only the place is shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:?})", self.range())
    }
}

/// Attribut.
#[derive(Clone, Copy)]
pub struct Attribute<'a> {
    tree: &'a Tree,
    part: &'a AttributePart,
}

impl<'a> Attribute<'a> {
    /// Local part of the name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.tree.written(self.part.local)
    }

    /// The name as written, with the prefix.
    #[must_use]
    pub fn qname(&self) -> &'a str {
        self.tree.written(self.part.qname)
    }

    /// Namespace, if it is in one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'a str> {
        self.tree.uri(self.part.namespace)
    }

    /// Value: references replaced, white space made spaces (XML 1.0, 3.3.3).
    #[must_use]
    pub fn value(&self) -> &'a str {
        self.tree.value(&self.part.value)
    }
}

/// Namespace in scope.
#[derive(Clone, Copy)]
pub struct Namespace<'a> {
    tree: &'a Tree,
    part: &'a NamespacePart,
}

impl<'a> Namespace<'a> {
    /// Prefix; empty for the default namespace.
    #[must_use]
    pub fn prefix(&self) -> &'a str {
        self.tree.written(self.part.prefix)
    }

    /// Its name.
    #[must_use]
    pub fn uri(&self) -> &'a str {
        self.tree.value(&self.part.uri)
    }
}
