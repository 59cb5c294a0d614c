//! What a check of a release says.

use dds_message::{Code, Language, Severity, Text, place};
use serde::Serialize;

/// Prüfbefund: what is wrong in which file, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CheckFinding {
    /// File in the release or configuration; empty for the whole release.
    pub file: String,
    /// Line, from 1; 0 if the finding concerns the whole file, and then not in JSON.
    #[serde(skip_serializing_if = "is_unknown")]
    pub line: usize,
    /// Column in characters, from 1; 0 likewise.
    #[serde(skip_serializing_if = "is_unknown")]
    pub column: usize,
    /// Severity: an error forbids to build the release.
    pub severity: Severity,
    /// Code.
    pub code: Code,
    /// What is wrong, in one sentence.
    pub text: Text,
    /// What to do.
    pub remedy: Text,
}

impl CheckFinding {
    /// An error in a file, with the remedy of its code.
    pub fn error(code: Code, file: impl Into<String>, text: impl Into<Text>) -> Self {
        let remedy = (code.entry().remedy_german, code.entry().remedy_english).into();
        let (file, text) = (file.into(), text.into());
        Self { file, line: 0, column: 0, severity: Severity::Error, code, text, remedy }
    }

    /// The same finding as a warning.
    #[must_use]
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// The same finding as a note.
    #[must_use]
    pub fn info(self) -> Self {
        Self { severity: Severity::Info, ..self }
    }

    /// The same finding at a place.
    #[must_use]
    pub fn at(self, (line, column): (usize, usize)) -> Self {
        Self { line, column, ..self }
    }

    /// The same finding with a remedy of its own.
    #[must_use]
    pub fn remedy(self, remedy: impl Into<Text>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    /// The nearest known name as remedy.
    #[must_use]
    pub fn meant(self, near: &str) -> Self {
        self.remedy((format!("Meinten Sie {near:?}?"), format!("Did you mean {near:?}?")))
    }

    pub(crate) fn internal(what: &str) -> Self {
        let german = format!("die Definitionen lassen sich nicht schreiben: {what}");
        Self::error(Code::INTERNAL, "", (german, format!("the definitions cannot be written: {what}")))
    }

    pub(crate) fn damaged(file: &str, what: impl Into<Text>) -> Self {
        Self::error(Code::RELEASE_DAMAGED, file, what)
    }

    /// One line for people: file, line and column, code, what is wrong, what to do.
    #[must_use]
    pub fn line(&self, language: Language) -> String {
        let place = match self.file.as_str() {
            "" => String::new(),
            file => place(file, self.line, self.column) + ": ",
        };
        format!("{place}{}: {} — {}", self.code, self.text.pick(language), self.remedy.pick(language))
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks like this")]
const fn is_unknown(number: &usize) -> bool {
    *number == 0
}

/// English, as logs are.
impl std::fmt::Display for CheckFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.line(Language::English))
    }
}
