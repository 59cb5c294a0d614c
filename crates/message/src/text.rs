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
