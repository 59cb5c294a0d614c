//! What the commands print: results on standard output, as text for people or JSON for programs.

use std::{io::Write as _, time::Duration};

use dds_message::Code;
pub(crate) use dds_message::Language;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use serde::Serialize;

use crate::Failure;

/// How to print.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) language: Language,
}

/// The text of a language.
pub(crate) fn pick<'a>(language: Language, german: &'a str, english: &'a str) -> &'a str {
    match language {
        Language::German => german,
        Language::English => english,
    }
}

impl Output {
    /// The text of the wanted language.
    pub(crate) fn pick<'a>(self, german: &'a str, english: &'a str) -> &'a str {
        pick(self.language, german, english)
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
            let text = serde_json::to_string_pretty(value).map_err(Failure::unexpected)?;
            let _closed = writeln!(std::io::stdout().lock(), "{text}");
        }
        Ok(())
    }

    /// Prints a result as one JSON document on one line, for who reads line by line; nothing when text is wanted.
    pub(crate) fn result_line<T: Serialize>(self, value: &T) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string(value).map_err(Failure::unexpected)?;
            let _closed = writeln!(std::io::stdout().lock(), "{text}");
        }
        Ok(())
    }

    /// Shows on the terminal what takes a while, and for how long already, until it is dropped.
    pub(crate) fn busy(self, german: &str, english: &str) -> ProgressBar {
        let bar = self.spinner(german, english, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }

    fn spinner(self, german: &str, english: &str, on: ProgressDrawTarget) -> ProgressBar {
        if self.json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, on).with_finish(ProgressFinish::AndClear);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(self.pick(german, english).to_owned());
        bar
    }

    /// Prints a failure: what happened, who acts, what to do, where the page is.
    pub(crate) fn failure(self, failure: &Failure) {
        let Failure { problem, findings } = failure;
        let entry = problem.code.entry();
        let remedy = self.pick(entry.remedy_german, entry.remedy_english);
        let detail = problem.detail.pick(self.language);
        if self.json {
            let value = serde_json::json!({
                "error": problem.code, "title": self.pick(entry.german, entry.english), "detail": detail,
                "actor": entry.actor, "remedy": remedy, "findings": findings,
            });
            let _closed = writeln!(std::io::stderr().lock(), "{value}");
            return;
        }
        let (who, todo, page) = match self.language {
            Language::German => ("Wer handelt", "Was zu tun ist", "Mehr dazu"),
            Language::English => ("Who acts", "What to do", "More"),
        };
        let title = self.pick(entry.german, entry.english);
        let detail = if detail == title { String::new() } else { format!("\n  {detail}") };
        let actor = match self.language {
            Language::German => entry.actor.german().to_owned(),
            Language::English => entry.actor.as_str().replace('_', " "),
        };
        // Each finding has said its own remedy already.
        let todo = if findings.is_empty() { format!("\n  {todo}: {remedy}") } else { String::new() };
        let _closed = writeln!(
            std::io::stderr().lock(),
            "{code} {title}{detail}\n  {who}: {actor}{todo}\n  {page}: docs/codes/{code}.md",
            code = problem.code,
        );
    }
}

/// Writes a JSON report to a file.
pub(crate) fn write_report<T: Serialize>(file: &std::path::Path, report: &T) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(Code::FILE_UNUSABLE, file_error(file, &error));
    let text = serde_json::to_string_pretty(report).map_err(Failure::unexpected)?;
    std::fs::write(file, text + "\n").map_err(failed)
}

/// A file or folder, and why it cannot be used; for what has no word of ours, what the operating system says.
pub(crate) fn file_error(file: &std::path::Path, error: &std::io::Error) -> (String, String) {
    use std::io::ErrorKind;
    let (german, english) = match error.kind() {
        ErrorKind::NotFound => ("nicht gefunden", "not found"),
        ErrorKind::PermissionDenied => ("kein Zugriffsrecht", "permission denied"),
        ErrorKind::IsADirectory => ("ist ein Ordner", "is a folder"),
        ErrorKind::NotADirectory => ("ist kein Ordner", "is no folder"),
        ErrorKind::AlreadyExists => ("gibt es schon", "exists already"),
        ErrorKind::StorageFull => ("die Platte ist voll", "the disk is full"),
        _ => return (format!("{}: {error}", file.display()), format!("{}: {error}", file.display())),
    };
    (format!("{}: {german}", file.display()), format!("{}: {english}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use indicatif::TermLike;
    use parking_lot::Mutex;

    use super::*;

    /// A terminal of one line.
    #[derive(Debug, Clone, Default)]
    struct Terminal {
        line: Arc<Mutex<String>>,
        /// All that has ever stood there.
        written: Arc<Mutex<String>>,
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.line.lock().push_str(text);
            self.written.lock().push_str(text);
            Ok(())
        }

        fn clear_line(&self) -> io::Result<()> {
            self.line.lock().clear();
            Ok(())
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What a terminal has shown of a spinner, and what is left once it is dropped.
    fn shown(json: bool, language: Language) -> (String, String) {
        let terminal = Terminal::default();
        let on = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let bar = Output { json, language }.spinner("wird gebaut …", "building …", on);
        bar.tick();
        drop(bar);
        let (written, line) = (terminal.written.lock().clone(), terminal.line.lock().clone());
        (written, line)
    }

    #[test]
    fn what_takes_a_while_is_told_with_its_duration_until_it_is_done() {
        for (language, what) in [(Language::German, "wird gebaut …"), (Language::English, "building …")] {
            let (written, left) = shown(false, language);
            assert!(written.contains(&format!("{what} 0s")), "{written:?}");
            assert_eq!(left.trim(), "");
        }
        assert_eq!(shown(true, Language::English), (String::new(), String::new()), "programs read JSON only");
    }
}
