//! What the commands print: results on standard output, as text for people or JSON for programs.

use std::io::Write as _;

use dds_message::{Code, Problem};
use serde::Serialize;

use crate::Failure;

/// Language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    German,
    English,
}

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) language: Language,
}

impl Output {
    /// The text of the wanted language.
    pub(crate) fn pick<'a>(self, german: &'a str, english: &'a str) -> &'a str {
        match self.language {
            Language::German => german,
            Language::English => english,
        }
    }

    /// Prints a line of text for people; nothing when the result is wanted as JSON.
    pub(crate) fn line(self, text: impl AsRef<str>) {
        if !self.json {
            // A closed pipe (`| head`) is no failure of ours.
            let _closed = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
        }
    }

    /// Prints a result as one JSON document; nothing when text is wanted.
    pub(crate) fn result<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        if self.json {
            let text =
                serde_json::to_string_pretty(value).map_err(|error| Failure::internal(error.to_string()))?;
            let _closed = writeln!(std::io::stdout().lock(), "{text}");
        }
        Ok(())
    }

    /// Prints a problem: what happened, who acts, what to do, where the page is.
    pub(crate) fn problem(self, problem: &Problem) {
        let entry = problem.code.entry();
        if self.json {
            let value = serde_json::json!({
                "error": problem.code, "title": self.pick(entry.german, entry.english), "detail": problem.detail,
                "actor": entry.actor, "remedy": self.pick(entry.remedy_german, entry.remedy_english),
            });
            let _closed = writeln!(std::io::stderr().lock(), "{value}");
            return;
        }
        let (who, todo, page) = match self.language {
            Language::German => ("Wer handelt", "Was zu tun ist", "Mehr dazu"),
            Language::English => ("Who acts", "What to do", "More"),
        };
        let actor = match self.language {
            Language::German => entry.actor.german().to_owned(),
            Language::English => entry.actor.as_str().replace('_', " "),
        };
        let _closed = writeln!(
            std::io::stderr().lock(),
            "{} {}\n  {}\n  {who}: {actor}\n  {todo}: {}\n  {page}: docs/codes/{}.md",
            problem.code,
            self.pick(entry.german, entry.english),
            problem.detail,
            self.pick(entry.remedy_german, entry.remedy_english),
            problem.code,
        );
    }
}

/// Writes a JSON report to a file.
pub(crate) fn write_report<T: Serialize>(file: &std::path::Path, report: &T) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure(Problem::new(Code::BAD_REQUEST, format!("{}: {error}", file.display())))
    };
    let text = serde_json::to_string_pretty(report).map_err(|error| Failure::internal(error.to_string()))?;
    std::fs::write(file, text + "\n").map_err(failed)
}
