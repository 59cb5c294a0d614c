//! One text form for equal documents, and the first difference between two.
//!
//! After the idea of Canonical XML 1.1, but for comparison, not for signatures: prefixes are replaced (the element's
//! namespace always as default namespace, those of attributes as `n1`, `n2` … in order of their names), comments and
//! processing instructions are left out, attributes stand in order of namespace and name. Prefixes inside values
//! (`xsi:type="p:T"`) are not understood and stay as they are.

use roxmltree::Node;

use crate::{Limits, Rule, XmlError, XmlErrorKind, check, escape, names};

/// What to do with white space that stands alone between elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whitespace {
    /// Every character counts.
    Keep,
    /// Text of white space only is dropped where an element has child elements and no other text.
    DropBetweenElements,
}

/// Erste Abweichung of two documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Path of the element or attribute, such as `/vorgang/kopf[1]/@art`.
    pub path: String,
    /// What the left document has there, in words or as value.
    pub left: String,
    /// What the right document has there.
    pub right: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {} ≠ {}", self.path, self.left, self.right)
    }
}

/// Canonical text of a document within the default [`Limits`].
///
/// # Errors
/// [`XmlError`] when it is not acceptable XML.
pub fn canonical(document: &[u8], whitespace: Whitespace) -> Result<String, XmlError> {
    parse(document, |document| {
        let mut out = String::with_capacity(document.input_text().len());
        write(document.root_element(), "", whitespace, &mut out);
        out
    })
}

/// The first difference in document order, or `None` when the documents have the same canonical text.
///
/// # Errors
/// [`XmlError`] when one of them is not acceptable XML.
pub fn diff(left: &[u8], right: &[u8], whitespace: Whitespace) -> Result<Option<Difference>, XmlError> {
    parse(left, |left| {
        parse(right, |right| {
            let (left, right) = (left.root_element(), right.root_element());
            differ(left, right, &format!("/{}", left.tag_name().name()), whitespace)
        })
    })?
}

/// Reads an accepted document as a tree. [`check`] comes first: it bounds the depth of all recursion here.
pub(crate) fn parse<T>(
    document: &[u8],
    with: impl FnOnce(&roxmltree::Document<'_>) -> T,
) -> Result<T, XmlError> {
    check(document, &Limits::default())?;
    let refused = |line, column| XmlError { line, column, kind: XmlErrorKind::Rule(Rule::Tag) };
    let text = std::str::from_utf8(document).map_err(|_| refused(1, 1))?;
    let document =
        roxmltree::Document::parse(text).map_err(|error| refused(error.pos().row, error.pos().col))?;
    Ok(with(&document))
}

/// A child that counts: an element, or text with what follows it joined across comments.
enum Part<'a> {
    Element(Node<'a, 'a>),
    Text(String),
}

fn parts<'a>(element: Node<'a, 'a>, whitespace: Whitespace) -> Vec<Part<'a>> {
    let mut parts: Vec<Part<'a>> = Vec::new();
    for child in element.children() {
        if child.is_element() {
            parts.push(Part::Element(child));
        } else if let Some(text) = child.text().filter(|text| child.is_text() && !text.is_empty()) {
            match parts.last_mut() {
                Some(Part::Text(before)) => before.push_str(text),
                _ => parts.push(Part::Text(text.to_owned())),
            }
        }
    }
    let blank = |part: &Part<'_>| match part {
        Part::Element(_) => true,
        Part::Text(text) => text.chars().all(crate::chars::is_space_char),
    };
    let has_elements = parts.iter().any(|part| matches!(part, Part::Element(_)));
    if whitespace == Whitespace::DropBetweenElements && has_elements && parts.iter().all(blank) {
        parts.retain(|part| matches!(part, Part::Element(_)));
    }
    parts
}

/// Attributes in canonical order: namespace, name, value.
fn attributes<'a>(element: Node<'a, 'a>) -> Vec<(&'a str, &'a str, &'a str)> {
    let mut attributes: Vec<_> = element
        .attributes()
        .map(|attribute| (attribute.namespace().unwrap_or_default(), attribute.name(), attribute.value()))
        .collect();
    attributes.sort_unstable();
    attributes
}

fn write(element: Node<'_, '_>, outer: &str, whitespace: Whitespace, out: &mut String) {
    let name = element.tag_name();
    let namespace = name.namespace().unwrap_or_default();
    put(out, &["<", name.name()]);
    if namespace != outer {
        put(out, &[" xmlns=\"", &escape::attribute(namespace), "\""]);
    }
    let (mut prefixes, mut last) = (0, "");
    for (namespace, local, value) in attributes(element) {
        let prefix = match namespace {
            "" => String::new(),
            names::XML => "xml:".to_owned(),
            _ => {
                if namespace != last {
                    prefixes += 1;
                    last = namespace;
                    put(out, &[&format!(" xmlns:n{prefixes}=\""), &escape::attribute(namespace), "\""]);
                }
                format!("n{prefixes}:")
            }
        };
        put(out, &[" ", &prefix, local, "=\"", &escape::attribute(value), "\""]);
    }
    out.push('>');
    for part in parts(element, whitespace) {
        match part {
            Part::Element(child) => write(child, namespace, whitespace, out),
            Part::Text(text) => out.push_str(&escape::text(&text)),
        }
    }
    put(out, &["</", name.name(), ">"]);
}

fn put(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
}

fn differ(left: Node<'_, '_>, right: Node<'_, '_>, path: &str, whitespace: Whitespace) -> Option<Difference> {
    let difference =
        |path: &str, left: String, right: String| Some(Difference { path: path.to_owned(), left, right });
    let clark = |node: Node<'_, '_>| {
        let name = node.tag_name();
        crate::QName::new(name.namespace().unwrap_or_default(), name.name()).to_string()
    };
    // Compared as they are written: a tree tells "no namespace" and `xmlns=""` apart, XML does not.
    if clark(left) != clark(right) {
        return difference(path, format!("Element {}", clark(left)), format!("Element {}", clark(right)));
    }
    let (ours, theirs) = (attributes(left), attributes(right));
    let mut names: Vec<_> =
        ours.iter().chain(&theirs).map(|(namespace, local, _)| (*namespace, *local)).collect();
    names.sort_unstable();
    names.dedup();
    for (namespace, local) in names {
        let find = |attributes: &[(&str, &str, &str)]| {
            let found = attributes.iter().find(|attribute| (attribute.0, attribute.1) == (namespace, local));
            found.map_or_else(|| "kein Attribut".to_owned(), |attribute| format!("{:?}", attribute.2))
        };
        let (ours, theirs) = (find(&ours), find(&theirs));
        if ours != theirs {
            return difference(&format!("{path}/@{local}"), ours, theirs);
        }
    }
    let (ours, theirs) = (parts(left, whitespace), parts(right, whitespace));
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for at in 0..ours.len().max(theirs.len()) {
        let name = match (ours.get(at), theirs.get(at)) {
            (Some(Part::Element(element)), _) | (_, Some(Part::Element(element))) => {
                Some(element.tag_name().name())
            }
            _ => None,
        };
        let path = match name {
            None => format!("{path}/text()"),
            Some(name) => {
                let position = match counts.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, count)) => {
                        *count += 1;
                        *count
                    }
                    None => {
                        counts.push((name, 1));
                        1
                    }
                };
                format!("{path}/{name}[{position}]")
            }
        };
        let found = match (ours.get(at), theirs.get(at)) {
            (Some(Part::Element(left)), Some(Part::Element(right))) => {
                differ(*left, *right, &path, whitespace)
            }
            (Some(Part::Text(left)), Some(Part::Text(right))) if left == right => None,
            (ours, theirs) => {
                let words = |part: Option<&Part<'_>>| match part {
                    None => "nichts".to_owned(),
                    Some(Part::Element(element)) => format!("Element {}", clark(*element)),
                    Some(Part::Text(text)) => format!("{text:?}"),
                };
                difference(&path, words(ours), words(theirs))
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const DROP: Whitespace = Whitespace::DropBetweenElements;

    #[test]
    fn prefixes_order_and_comments_do_not_matter() {
        let a = r#"<p:a xmlns:p="urn:a" xmlns:q="urn:q" b="1" q:c="&lt;2"><!-- x --><p:d>ä<![CDATA[<]]></p:d></p:a>"#.as_bytes();
        let b = br#"<a xmlns="urn:a" r:c='&#60;2' xmlns:r="urn:q" b="1"><d>&#228;&lt;</d></a>"#;
        let text = canonical(a, Whitespace::Keep).unwrap();
        assert_eq!(text, r#"<a xmlns="urn:a" b="1" xmlns:n1="urn:q" n1:c="&lt;2"><d>ä&lt;</d></a>"#);
        assert_eq!(canonical(b, Whitespace::Keep).unwrap(), text);
        assert_eq!(diff(a, b, Whitespace::Keep).unwrap(), None);
    }

    #[test]
    fn white_space_is_dropped_only_between_elements() {
        let text = |document: &[u8]| canonical(document, DROP).unwrap();
        assert_eq!(text(b"<a> <b> </b>\n</a>"), "<a><b> </b></a>");
        assert_eq!(text(b"<a>x <b/> </a>"), "<a>x <b></b> </a>");
        assert_eq!(canonical(b"<a> <b/></a>", Whitespace::Keep).unwrap(), "<a> <b></b></a>");
    }

    #[test]
    fn the_first_difference_is_named() {
        let first = |a: &[u8], b: &[u8]| diff(a, b, DROP).unwrap().unwrap().to_string();
        assert_eq!(first(b"<a><b/><b>1</b></a>", b"<a><b/><b>2</b></a>"), "/a/b[2]/text(): \"1\" ≠ \"2\"");
        assert_eq!(first(b"<a x='1'/>", b"<a y='1'/>"), "/a/@x: \"1\" ≠ kein Attribut");
        assert_eq!(first(b"<a><b/></a>", b"<a/>"), "/a/b[1]: Element b ≠ nichts");
        assert_eq!(first(b"<a/>", b"<a xmlns='urn:x'/>"), "/a: Element a ≠ Element {urn:x}a");
        assert!(diff(b"<a>", b"<a/>", DROP).is_err());
        // Found by fuzzing.
        assert_eq!(
            diff(b"<p:a xmlns:p='urn:a'><b/></p:a>", b"<a xmlns='urn:a'><b xmlns=''/></a>", DROP).unwrap(),
            None
        );
    }
}
