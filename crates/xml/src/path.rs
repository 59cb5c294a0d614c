//! Paths of key facts in a rule.

use std::collections::BTreeMap;

use crate::{QName, chars};

/// Pfad eines Schlüsselfelds: absolute, child steps only, the last one may be an attribute: `/h:anmeldung/h:kopf/@art`.
/// Prefixes are resolved when it is read, so two spellings of one path are equal. A step without prefix is in no
/// namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    pub(crate) elements: Vec<QName>,
    pub(crate) attribute: Option<QName>,
}

/// A path that a rule author must correct (`DDS-C003`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It does not start with `/`.
    #[error("path {0:?} must start with '/'")]
    NotAbsolute(String),
    /// It names no element.
    #[error("path {0:?} has an empty step; write /root/child or /root/child/@attribute")]
    EmptyStep(String),
    /// An attribute is not the last step, or is the first.
    #[error("path {0:?}: an attribute can only be the last step, after the root element")]
    AttributePlace(String),
    /// A step is no name: predicates, axes and wildcards are not offered.
    #[error("path {path:?}: {step:?} is not a name (predicates, axes and wildcards are not offered)")]
    Name {
        /// The path.
        path: String,
        /// The step.
        step: String,
    },
    /// A prefix is missing in `[namespaces]`.
    #[error("path {path:?}: prefix {prefix:?} is not declared in [namespaces]")]
    Prefix {
        /// The path.
        path: String,
        /// The prefix.
        prefix: String,
    },
}

impl Path {
    /// Reads a path; `prefixes` maps prefix to namespace (table `[namespaces]` of `rule.toml`).
    ///
    /// # Errors
    /// [`PathError`] says what to correct.
    pub fn parse(text: &str, prefixes: &BTreeMap<String, String>) -> Result<Self, PathError> {
        let path = || text.to_owned();
        let steps = text.strip_prefix('/').ok_or_else(|| PathError::NotAbsolute(path()))?;
        let mut elements = Vec::new();
        let mut attribute = None;
        for step in steps.split('/') {
            if attribute.is_some() {
                return Err(PathError::AttributePlace(path()));
            }
            match step.strip_prefix('@') {
                Some(_) if elements.is_empty() => return Err(PathError::AttributePlace(path())),
                Some(name) => attribute = Some(resolve(text, name, prefixes)?),
                None => elements.push(resolve(text, step, prefixes)?),
            }
        }
        Ok(Self { elements, attribute })
    }

    /// Reads a single element name such as `h:anmeldung`, the `root` of a message in `rule.toml`.
    ///
    /// # Errors
    /// [`PathError`] says what to correct.
    pub fn parse_name(text: &str, prefixes: &BTreeMap<String, String>) -> Result<QName, PathError> {
        resolve(text, text, prefixes)
    }

    /// The root element the path starts with.
    #[must_use]
    pub fn root(&self) -> &QName {
        // `parse` never leaves a path without elements.
        &self.elements[0]
    }
}

fn resolve(path: &str, step: &str, prefixes: &BTreeMap<String, String>) -> Result<QName, PathError> {
    if step.is_empty() {
        return Err(PathError::EmptyStep(path.to_owned()));
    }
    let (prefix, local) = step.split_once(':').unwrap_or(("", step));
    if !chars::is_ncname(local) || (step.contains(':') && !chars::is_ncname(prefix)) {
        return Err(PathError::Name { path: path.to_owned(), step: step.to_owned() });
    }
    let namespace = match prefix {
        "" => "",
        "xml" => crate::names::XML,
        _ => prefixes
            .get(prefix)
            .ok_or_else(|| PathError::Prefix { path: path.to_owned(), prefix: prefix.to_owned() })?,
    };
    Ok(QName::new(namespace, local))
}

impl std::fmt::Display for Path {
    /// With names in Clark's form: `/{urn:x}a/@b`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for element in &self.elements {
            write!(f, "/{element}")?;
        }
        match &self.attribute {
            Some(attribute) => write!(f, "/@{attribute}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefixes() -> BTreeMap<String, String> {
        BTreeMap::from([("h".to_owned(), "urn:h".to_owned()), ("i".to_owned(), "urn:h".to_owned())])
    }

    #[test]
    fn prefixes_are_resolved() {
        let path = Path::parse("/h:a/i:b/c/@xml:lang", &prefixes()).unwrap();
        assert_eq!(path.to_string(), "/{urn:h}a/{urn:h}b/c/@{http://www.w3.org/XML/1998/namespace}lang");
        assert_eq!(path.root(), &QName::new("urn:h", "a"));
        assert_eq!(Path::parse("/i:a", &prefixes()), Path::parse("/h:a", &prefixes()));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| Path::parse(text, &prefixes()).unwrap_err();
        assert!(matches!(error("a/b"), PathError::NotAbsolute(_)));
        assert!(matches!(error(""), PathError::NotAbsolute(_)));
        assert!(matches!(error("/"), PathError::EmptyStep(_)));
        assert!(matches!(error("//a"), PathError::EmptyStep(_)));
        assert!(matches!(error("/a/@"), PathError::EmptyStep(_)));
        assert!(matches!(error("/@a"), PathError::AttributePlace(_)));
        assert!(matches!(error("/a/@b/c"), PathError::AttributePlace(_)));
        assert!(matches!(error("/a[1]"), PathError::Name { .. }));
        assert!(matches!(error("/a/*"), PathError::Name { .. }));
        assert!(matches!(error("/a/:b"), PathError::Name { .. }));
        assert!(matches!(error("/a/child::b"), PathError::Name { .. }));
        assert!(matches!(error("/x:a"), PathError::Prefix { .. }));
    }
}
