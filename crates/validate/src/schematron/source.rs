//! The Schematron file as one tree, with inclusions resolved and the place of every element kept.

use std::rc::Rc;

use crate::{Files, ValidateError};

/// Namespace of ISO Schematron.
const SCHEMATRON: &str = "http://purl.oclc.org/dsdl/schematron";

/// Nesting of inclusions, to end a circle.
const INCLUSIONS: usize = 16;

/// Where an element stands in a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    file: Rc<str>,
    line: u32,
    column: u32,
}

impl Place {
    /// The error that something here is wrong.
    pub(crate) fn wrong(&self, text: impl Into<String>) -> ValidateError {
        ValidateError::Rule {
            file: self.file.to_string(),
            line: self.line,
            column: self.column,
            text: text.into(),
        }
    }
}

/// An element of Schematron or of a foreign namespace.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    /// Local name; foreign elements carry their namespace in braces before it.
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Child>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone)]
pub(crate) enum Child {
    Element(Element),
    Text(String),
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The attribute, or the error that it is missing.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ValidateError> {
        self.attribute(name)
            .ok_or_else(|| self.place.wrong(format!("{}: attribute {name} is missing", self.name)))
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Child::Element(element) => Some(element),
            Child::Text(_) => None,
        })
    }

    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.elements().filter(move |element| element.name == name)
    }
}

/// Reads the schema with all it includes.
pub(crate) fn load(main: &str, files: &Files) -> Result<Element, ValidateError> {
    let missing = || ValidateError::Missing { file: main.to_owned(), wanted: main.to_owned() };
    let path = files.resolve("", main).ok_or_else(missing)?;
    let root = read(files, path, None, 0)?;
    if root.name != "schema" {
        return Err(root.place.wrong("the root element must be schema in the namespace of ISO Schematron"));
    }
    Ok(root)
}

fn read(files: &Files, path: &str, id: Option<&str>, depth: usize) -> Result<Element, ValidateError> {
    let content = files.get(path).unwrap_or_default();
    let xml = |error| ValidateError::Xml { file: path.to_owned(), error };
    dds_xml::check(content, &dds_xml::Limits::default()).map_err(xml)?;
    let unreadable = |text: String| ValidateError::Rule { file: path.to_owned(), line: 0, column: 0, text };
    let text = std::str::from_utf8(content).map_err(|error| unreadable(error.to_string()))?;
    let document = roxmltree::Document::parse(text).map_err(|error| unreadable(error.to_string()))?;
    let reader = Reader { files, path, file: Rc::from(path), document: &document, depth };
    let node = match id {
        None => document.root_element(),
        Some(id) => document
            .descendants()
            .find(|node| node.attribute("id") == Some(id))
            .ok_or_else(|| unreadable(format!("no element with id {id:?}")))?,
    };
    reader.element(node)
}

struct Reader<'a> {
    files: &'a Files,
    path: &'a str,
    file: Rc<str>,
    document: &'a roxmltree::Document<'a>,
    depth: usize,
}

impl Reader<'_> {
    fn element(&self, node: roxmltree::Node<'_, '_>) -> Result<Element, ValidateError> {
        let name = node.tag_name();
        let mut children = Vec::new();
        for child in node.children() {
            if child.is_element() {
                match (child.tag_name().name(), child.attribute("href")) {
                    // 5.4.4: the element takes the place of the inclusion.
                    ("include", Some(href)) if is_schematron(child) => {
                        children.push(Child::Element(self.referred(child, href)?));
                    }
                    // 5.4.3: the content of the element takes the place of the extension.
                    ("extends", Some(href)) if is_schematron(child) => {
                        children.extend(self.referred(child, href)?.children);
                    }
                    _ => children.push(Child::Element(self.element(child)?)),
                }
            } else if child.is_text() {
                children.push(Child::Text(child.text().unwrap_or_default().to_owned()));
            }
        }
        let name = match name.namespace() {
            Some(SCHEMATRON) => name.name().to_owned(),
            namespace => format!("{{{}}}{}", namespace.unwrap_or_default(), name.name()),
        };
        let attributes = node.attributes().filter(|attribute| attribute.namespace().is_none());
        Ok(Element {
            name,
            attributes: attributes
                .map(|attribute| (attribute.name().to_owned(), attribute.value().to_owned()))
                .collect(),
            children,
            place: self.place(node),
        })
    }

    fn referred(&self, node: roxmltree::Node<'_, '_>, href: &str) -> Result<Element, ValidateError> {
        if self.depth == INCLUSIONS {
            return Err(self.place(node).wrong(format!("more than {INCLUSIONS} inclusions in one another")));
        }
        let (location, id) = href.split_once('#').map_or((href, None), |(location, id)| (location, Some(id)));
        let path = if location.is_empty() {
            self.path
        } else {
            let missing = || ValidateError::Missing { file: self.path.to_owned(), wanted: href.to_owned() };
            self.files.resolve(self.path, location).filter(|_| !location.contains(':')).ok_or_else(missing)?
        };
        read(self.files, path, id, self.depth + 1)
    }

    fn place(&self, node: roxmltree::Node<'_, '_>) -> Place {
        let at = self.document.text_pos_at(node.range().start);
        Place { file: self.file.clone(), line: at.row, column: at.col }
    }
}

fn is_schematron(node: roxmltree::Node<'_, '_>) -> bool {
    node.tag_name().namespace() == Some(SCHEMATRON)
}
