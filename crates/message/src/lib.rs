//! Domain types of the Datendrehscheibe: what every other crate talks about.
//!
//! Nothing here does I/O or reads a clock (invariant I1). The words follow `ARCHITECTURE.md`, section "Names":
//! English terms of the field, German where law or daily speech has no exact twin (`Ars`, `Fachverfahren`).

#[macro_use]
mod names;

mod area;
mod attachment;
mod case;
mod code;
mod digest;
mod entry_facts;
mod facts;
mod id;
mod journal_event;
mod problem;
mod procedure;
mod state;
mod text;
mod time;

pub use area::{Ags, Ars};
pub use attachment::{Attachment, Format, OutputForm, content_disposition};
pub use case::{AnswerKind, CaseHolder, CaseRef, Direction};
pub use code::{CODES, Code, CodeEntry};
pub use digest::{Digest, Digesting};
pub use entry_facts::EntryFacts;
pub use facts::{Channel, DecisionStep, Facts, Reason};
pub use id::{AuthorityId, DeliveryId, MessageId, ProductId, ReleaseId, SourceId, TargetId};
pub use journal_event::JournalEvent;
pub use problem::{Actor, Finding, Problem, ProblemDocument, Severity};
pub use procedure::{LeikaKey, MessageType, ProcedureId};
pub use state::{Completed, DeliveryState, MessageState};
pub use text::{Language, Text, place};
pub use time::{Clock, Timestamp};

/// A value from outside that does not have the form its type promises.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {value:?} is not {}", expected.1)]
pub struct Malformed {
    /// What the value should have been, such as `ARS`.
    pub what: &'static str,
    /// The offending text, cut to 80 characters.
    pub value: String,
    /// The expected form in words: German (nominative), English.
    pub expected: (&'static str, &'static str),
}

impl Malformed {
    pub(crate) fn new(what: &'static str, value: &str, expected: (&'static str, &'static str)) -> Self {
        Self { what, value: value.chars().take(80).collect(), expected }
    }
}

/// What was expected, and what came instead.
impl From<Malformed> for Text {
    fn from(malformed: Malformed) -> Self {
        let Malformed { value, expected: (german, _), .. } = &malformed;
        (format!("erwartet: {german}; angegeben: {value:?}"), malformed.to_string()).into()
    }
}
