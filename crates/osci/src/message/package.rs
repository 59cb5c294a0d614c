use std::collections::BTreeMap;

use crate::xml::{Document, NS_DS, NS_OSCI, NS_SOAP, NS_XENC, NS_XML, NS_XSI, Node};

/// The namespace prefixes in force at a place of a document. Inclusive canonicalisation puts them all into the
/// digest of an author's signature, so content that is moved must find the same ones again (facts 11).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceContext(BTreeMap<String, String>);

impl Default for NamespaceContext {
    /// The five prefixes that the Java library and we declare on every Envelope.
    fn default() -> Self {
        let five = [("ds", NS_DS), ("osci", NS_OSCI), ("soap", NS_SOAP), ("xenc", NS_XENC), ("xsi", NS_XSI)];
        Self(five.map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned())).into())
    }
}

impl NamespaceContext {
    /// What is in force inside an element.
    pub fn inside(node: Node<'_>) -> Self {
        let bound = node
            .namespaces()
            .filter(|namespace| namespace.uri() != NS_XML && !namespace.uri().is_empty())
            .map(|namespace| (namespace.prefix().to_owned(), namespace.uri().to_owned()));
        Self(bound.collect())
    }

    /// The prefix (empty for the default namespace) and URI of each binding, in the order of C14N.
    pub fn bindings(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str()))
    }

    /// A context from bindings; the inverse of [`Self::bindings`], for stores.
    pub fn from_bindings(bindings: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(bindings.into_iter().collect())
    }

    /// The same with further prefixes, which win.
    #[must_use]
    pub fn with<'a>(&self, more: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut all = self.0.clone();
        all.extend(more.into_iter().map(|(prefix, uri)| (prefix.to_owned(), uri.to_owned())));
        Self(all)
    }

    /// What a prefix (empty for the default namespace) is bound to.
    pub fn get(&self, prefix: &str) -> Option<&str> {
        self.0.get(prefix).map(String::as_str)
    }

    /// The bindings that mean something else among `others`, or nothing; with an empty URI where only those have a
    /// default namespace.
    pub(crate) fn lost_in(&self, others: &Self) -> Vec<(&str, &str)> {
        let none = others.get("").and(self.get("").is_none().then_some(("", "")));
        self.bindings().filter(|(prefix, uri)| others.get(prefix) != Some(uri)).chain(none).collect()
    }

    /// A prefix bound to the namespace.
    pub fn prefix_of(&self, uri: &str) -> Option<&str> {
        self.0.iter().find(|(_, bound)| *bound == uri).map(|(prefix, _)| prefix.as_str())
    }

    /// `xmlns` attributes, in the order of C14N.
    pub fn declarations(&self) -> Vec<(String, String)> {
        let name = |prefix: &str| match prefix {
            "" => "xmlns".to_owned(),
            prefix => format!("xmlns:{prefix}"),
        };
        self.bindings().map(|(prefix, uri)| (name(prefix), uri.to_owned())).collect()
    }

    /// The context for a whole Envelope: itself if it names SOAP and `xsi` as an Envelope must, else the usual five.
    pub(crate) fn for_envelope(&self) -> Self {
        let fits = self.prefix_of(NS_SOAP).is_some() && self.0.get("xsi").is_some_and(|uri| uri == NS_XSI);
        if fits { self.clone() } else { Self::default() }
    }
}

/// `osci:ContentPackage` (*Inhaltsdaten*) as it was written, octet for octet, with its namespaces.
/// [`crate::content`] opens it and makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentPackage {
    /// The element as it was written.
    pub xml: Vec<u8>,
    /// The namespaces in force around it.
    pub namespaces: NamespaceContext,
}

impl ContentPackage {
    /// A package written for the usual five prefixes.
    pub fn new(xml: Vec<u8>) -> Self {
        Self { xml, namespaces: NamespaceContext::default() }
    }

    /// Whether nothing is in it: a reply with an empty package brings no content.
    pub fn is_empty(&self) -> bool {
        let mut tags = self
            .xml
            .windows(2)
            .filter(|pair| matches!(pair, [b'<', next] if !matches!(next, b'/' | b'!' | b'?')));
        tags.nth(1).is_none()
    }

    /// The package that is the given element of a document.
    pub fn of(document: &Document, package: Node<'_>) -> Self {
        let around =
            package.parent_element().map_or_else(NamespaceContext::default, NamespaceContext::inside);
        Self { xml: document.source(package).as_bytes().to_vec(), namespaces: around }
    }
}
