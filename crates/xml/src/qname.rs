//! Names with their namespace.

use serde::{Deserialize, Serialize};

/// Erweiterter Name: namespace and local part. Written in Clark's form, `{urn:example}local`, or `local` without
/// namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct QName {
    /// Namespace name; empty for none.
    pub namespace: String,
    /// Local part, an NCName.
    pub local: String,
}

impl QName {
    /// A name in a namespace; `namespace` empty for none.
    pub fn new(namespace: impl Into<String>, local: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), local: local.into() }
    }
}

impl std::fmt::Display for QName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.local)
        } else {
            write!(f, "{{{}}}{}", self.namespace, self.local)
        }
    }
}

/// A text that is no name in Clark's form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a name of the form {{namespace}}local")]
pub struct ParseQNameError(String);

impl std::str::FromStr for QName {
    type Err = ParseQNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseQNameError(text.chars().take(80).collect());
        let (namespace, local) = match text.strip_prefix('{') {
            Some(rest) => rest.rsplit_once('}').ok_or_else(wrong)?,
            None => ("", text),
        };
        if crate::chars::is_ncname(local) { Ok(Self::new(namespace, local)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for QName {
    type Error = ParseQNameError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<QName> for String {
    fn from(name: QName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clark_form_reads_back() {
        for text in ["a", "{urn:x}a", "{http://x/{y}}ä-1"] {
            assert_eq!(text.parse::<QName>().unwrap().to_string(), text);
        }
        for text in ["", "{urn:x}", "{urn:x", "a:b", "1a", "{x}a b"] {
            assert!(text.parse::<QName>().is_err(), "{text}");
        }
    }
}
