//! What a check of a release says.

use dds_message::{Code, Severity};
use serde::Serialize;

/// Prüfbefund: what is wrong in which file, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct CheckFinding {
    /// File in the release or configuration; empty for the whole release.
    pub file: String,
    /// Line, from 1; 0 if the finding concerns the whole file.
    pub line: usize,
    /// Column in characters, from 1; 0 likewise.
    pub column: usize,
    /// Severity: an error forbids to build the release.
    pub severity: Severity,
    /// Code.
    pub code: Code,
    /// What is wrong, in one English sentence.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

impl CheckFinding {
    /// An error in a file, with the remedy of its code.
    pub fn error(code: Code, file: impl Into<String>, text: impl Into<String>) -> Self {
        let (file, text, remedy) = (file.into(), text.into(), code.entry().remedy_english.to_owned());
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
    pub fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }

    pub(crate) fn internal(what: String) -> Self {
        Self::error(Code::INTERNAL, "", what)
    }

    pub(crate) fn damaged(file: &str, what: String) -> Self {
        Self::error(Code::RELEASE_DAMAGED, file, what)
    }
}

impl std::fmt::Display for CheckFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.file.is_empty() {
            f.write_str(&self.file)?;
            if self.line > 0 {
                write!(f, ":{}:{}", self.line, self.column)?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}: {} — {}", self.code, self.text, self.remedy)
    }
}
