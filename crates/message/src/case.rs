//! The case (Vorgang) that ties an application to its answers.

use serde::{Deserialize, Serialize};

use crate::{Ars, AuthorityId, Malformed, ProcedureId};

/// Vorgangskennung given by the source: 1 to 120 of letters, digits and `- _ . : /`.
///
/// The narrow alphabet keeps free text, and with it personal data, out of the journal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CaseRef(String);

impl CaseRef {
    /// Reads the text form; anything else is [`Malformed`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
        if (1..=120).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "case reference",
                text,
                ("1 bis 120 Buchstaben, Ziffern oder - _ . : /", "1 to 120 letters, digits or - _ . : /"),
            ))
        }
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CaseRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CaseRef {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<CaseRef> for String {
    fn from(case: CaseRef) -> String {
        case.0
    }
}

/// Wo ein Vorgang liegt: the authority that has a case, because an earlier message of it was planned for that
/// authority.
///
/// Whether that says anything about a later message is for the decision to judge: a source may use a reference twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseHolder {
    /// Authority that has it.
    pub authority: AuthorityId,
    /// Procedure of the earlier message.
    pub procedure: ProcedureId,
    /// Municipality that the earlier message named.
    pub municipality: Option<Ars>,
}

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From a source to an authority.
    Application,
    /// From an authority back to the source.
    Answer(AnswerKind),
}

/// Art einer Antwort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerKind {
    /// Eingangsbestätigung of the authority.
    Receipt,
    /// Nachforderung: the authority asks for more.
    FurtherRequest,
    /// Bescheid.
    Decision,
}

impl AnswerKind {
    /// Name in interface and journal: `receipt`, `further-request`, `decision`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receipt => "receipt",
            Self::FurtherRequest => "further-request",
            Self::Decision => "decision",
        }
    }

    /// German name for people.
    #[must_use]
    pub const fn german(self) -> &'static str {
        match self {
            Self::Receipt => "Empfangsbestätigung",
            Self::FurtherRequest => "Nachforderung",
            Self::Decision => "Bescheid",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Receipt, Self::FurtherRequest, Self::Decision].into_iter().find(|kind| kind.as_str() == name)
    }
}
