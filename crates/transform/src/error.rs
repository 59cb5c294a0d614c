//! Why a stylesheet could not be compiled or run.

use dds_libxslt::{Error, ErrorKind};
use dds_message::{Code, Problem};

/// Fehler eines Stylesheets. The rule author must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {file}:{line}:{column}: {message}")]
pub struct TransformError {
    /// DDS-T001 failed, T002 budget, T003 access refused, T005 not XSLT 1.0 with the subset of EXSLT.
    pub code: Code,
    /// File of the bundle.
    pub file: String,
    /// Line from 1; 0 if unknown.
    pub line: u32,
    /// Column from 1; 0 if unknown (always at run time).
    pub column: u32,
    /// What is wrong, in English. Holds no content of the message (invariant I9).
    pub message: String,
    /// Memory ran out: this process should not be trusted with another message.
    pub out_of_memory: bool,
}

impl TransformError {
    pub(crate) fn of_compilation(error: Error) -> Self {
        Self {
            code: code_of(error.kind),
            file: error.file,
            line: error.line,
            column: 0,
            out_of_memory: error.kind == ErrorKind::Memory,
            message: error.message,
        }
    }

    /// At run time libxslt quotes names and values it computed from the message: they are left out.
    pub(crate) fn of_run(error: Error) -> Self {
        let message = without_quotations(&error.message);
        Self::of_compilation(Error { message, ..error })
    }
}

impl From<TransformError> for Problem {
    fn from(error: TransformError) -> Self {
        let TransformError { code, file, line, column, message, .. } = error;
        let place = match (line, column) {
            (0, _) => file,
            (line, 0) => format!("{file}:{line}"),
            (line, column) => format!("{file}:{line}:{column}"),
        };
        let german = format!("{place}: das Stylesheet lässt sich nicht anwenden (Meldung: „{message}“)");
        Self::new(code, (german, format!("{place}: {message}")))
    }
}

const fn code_of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Failed | ErrorKind::Ended => Code::TRANSFORM_FAILED,
        ErrorKind::Budget | ErrorKind::Memory => Code::BUDGET_EXCEEDED,
        ErrorKind::Refused => Code::ACCESS_REFUSED,
    }
}

/// Replaces what stands between quotation marks, and everything behind one that is not closed, by `…`.
fn without_quotations(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['\'', '"']) {
        let quote = if rest[start..].starts_with('"') { '"' } else { '\'' };
        kept.push_str(&rest[..start]);
        kept.push('…');
        let quoted = &rest[start + 1..];
        rest = quoted.find(quote).map_or("", |end| &quoted[end + 1..]);
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_loses_what_it_quotes() {
        assert_eq!(without_quotations("The name 'Müller' is bad"), "The name … is bad");
        assert_eq!(without_quotations("a \"b'c\" d 'e"), "a … d …");
        assert_eq!(without_quotations("plain"), "plain");
    }
}
