//! Texts for people, in both languages of the interface.

use serde::{Deserialize, Serialize};

/// Sprache of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// First language of the interface.
    German,
    /// Second language; also that of logs.
    English,
}

/// A sentence in both languages: whoever writes the one writes the other, so that nobody meets half a translation.
///
/// Made of a pair `(german, english)`. Words of other programs (a compiler, the operating system) are quoted as they
/// are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Text {
    /// German.
    #[serde(rename = "de")]
    pub german: String,
    /// English.
    #[serde(rename = "en")]
    pub english: String,
}

impl Text {
    /// What is the same in both languages: a status such as `HTTP 503`, a place in a file.
    pub fn verbatim(words: impl Into<String>) -> Self {
        let words = words.into();
        Self { german: words.clone(), english: words }
    }

    /// The sentence in the wanted language.
    #[must_use]
    pub fn pick(&self, language: Language) -> &str {
        match language {
            Language::German => &self.german,
            Language::English => &self.english,
        }
    }
}

impl<G: Into<String>, E: Into<String>> From<(G, E)> for Text {
    fn from((german, english): (G, E)) -> Self {
        Self { german: german.into(), english: english.into() }
    }
}

/// English, as logs are.
impl std::fmt::Display for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.english)
    }
}

/// A place in a file, for people: `file:line:column`, as far as it is known. Line and column count from 1; 0 is
/// unknown.
#[must_use]
pub fn place(file: &str, line: usize, column: usize) -> String {
    match (line, column) {
        (0, _) => file.to_owned(),
        (line, 0) => format!("{file}:{line}"),
        (line, column) => format!("{file}:{line}:{column}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_what_is_known() {
        let places = [(0, 0), (0, 3), (7, 0), (7, 3)].map(|(line, column)| place("rule.toml", line, column));
        assert_eq!(places, ["rule.toml", "rule.toml", "rule.toml:7", "rule.toml:7:3"]);
    }
}
