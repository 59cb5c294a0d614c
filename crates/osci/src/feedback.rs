//! Feedback codes (*Rückmeldungen*): what a supplier answers to an order, and what a SOAP fault carries.
//!
//! The table is that of specification 1.2, chapter "Rückmeldungen", with the additions of the Korrigenda and of the
//! supplement "Effiziente Übertragung großer Datenmengen" (395x, 99xx). The texts are our wording of its meanings;
//! the code alone is normative, and partners may send other texts with it.

use std::fmt;
use std::str::FromStr;

mod table;

use table::{Row, TABLE};

/// A four-digit feedback code (*Rückmeldecode*), e.g. `0800`. Codes that the table does not know keep their number:
/// a partner may be newer than we are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedbackCode(u16);

/// What a code says about the order it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackClass {
    /// The order was executed (08xx).
    Ok,
    /// The order was executed, with a reservation (3xxx).
    Warning,
    /// The order was not executed; the typed response carries the code.
    Error,
    /// The message could not be treated as an order; a SOAP fault carries the code.
    Fault(FaultSide),
}

/// Who caused a SOAP fault (`faultcode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSide {
    /// `soap:Client`: the sender of the message.
    Client,
    /// `soap:Server`: the one who answers.
    Server,
}

/// The languages we have texts in. OSCI lets a client list others; German stands in for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `de`
    #[default]
    German,
    /// `en`
    English,
}

impl Language {
    /// The language tag as it stands in `xml:lang`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::German => "de",
            Self::English => "en",
        }
    }

    /// The languages of a `LanguagesList` that we have texts in, in the order wished for and without repetition;
    /// German when none is left. `en-GB` asks for English.
    pub fn wished<S: AsRef<str>>(list: &[S]) -> Vec<Self> {
        let mut wished = Vec::new();
        for tag in list {
            let primary = tag.as_ref().split('-').next().unwrap_or_default().to_ascii_lowercase();
            let language = match primary.as_str() {
                "de" => Self::German,
                "en" => Self::English,
                _ => continue,
            };
            if !wished.contains(&language) {
                wished.push(language);
            }
        }
        if wished.is_empty() {
            wished.push(Self::German);
        }
        wished
    }
}

impl FeedbackCode {
    /// A code by its number; also one that the table does not know.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The number, e.g. 800 for `0800`.
    pub const fn number(self) -> u16 {
        self.0
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.binary_search_by_key(&self, |row| row.code).ok().and_then(|at| TABLE.get(at))
    }

    /// Every code of the table, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.code)
    }

    /// The class of the code. Unknown codes go by their first digit: 0 ok, 3 warning, anything else error.
    pub fn class(self) -> FeedbackClass {
        match self.row() {
            Some(row) => row.class,
            None if self.0 < 1000 => FeedbackClass::Ok,
            None if (3000..4000).contains(&self.0) => FeedbackClass::Warning,
            None => FeedbackClass::Error,
        }
    }

    /// Whether an order answered with this code (as the last one) was executed.
    pub fn is_success(self) -> bool {
        matches!(self.class(), FeedbackClass::Ok | FeedbackClass::Warning)
    }

    /// The text for people; an unknown code says so.
    pub fn text(self, language: Language) -> &'static str {
        match (self.row(), language) {
            (Some(row), Language::German) => row.german,
            (Some(row), Language::English) => row.english,
            (None, Language::German) => "Unbekannter Rückmeldecode",
            (None, Language::English) => "Unknown feedback code",
        }
    }
}

impl fmt::Display for FeedbackCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl fmt::Debug for FeedbackCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.0)
    }
}

impl FromStr for FeedbackCode {
    type Err = NotACode;

    /// Four ASCII digits, nothing else.
    fn from_str(text: &str) -> Result<Self, NotACode> {
        if text.len() != 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NotACode);
        }
        text.parse().map(Self).map_err(|_| NotACode)
    }
}

/// The text is not a feedback code (four digits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a feedback code of four digits")]
pub struct NotACode;

/// One entry of a `Feedback`: a code with its text in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedbackEntry {
    /// `xml:lang`; library recipients write the whole language list here, so it is not checked.
    pub language: Option<String>,
    /// The code.
    pub code: FeedbackCode,
    /// Text for people, as the partner wrote it.
    pub text: String,
}

/// `osci:Feedback` (*Rückmeldung*): the entries in their order. **The last entry decides** whether the order was
/// executed (specification 1.2, chapter 5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feedback {
    /// One entry per code and language.
    pub entries: Vec<FeedbackEntry>,
}

impl Feedback {
    /// The codes in the given order, each with its text in every language wished for.
    pub fn of(codes: &[FeedbackCode], languages: &[Language]) -> Self {
        let entries = codes
            .iter()
            .flat_map(|&code| {
                languages.iter().map(move |&language| FeedbackEntry {
                    language: Some(language.tag().to_owned()),
                    code,
                    text: code.text(language).to_owned(),
                })
            })
            .collect();
        Self { entries }
    }

    /// The deciding code: that of the last entry. A feedback without entries counts as 9811.
    pub fn decisive(&self) -> FeedbackCode {
        self.entries.last().map_or(FeedbackCode::S9811, |entry| entry.code)
    }

    /// Whether the order was executed: its last entry is a success or a warning.
    pub fn is_success(&self) -> bool {
        self.decisive().is_success()
    }

    /// Whether any entry carries the code.
    pub fn has(&self, code: FeedbackCode) -> bool {
        self.entries.iter().any(|entry| entry.code == code)
    }

    /// The codes without repetition, in their order.
    pub fn codes(&self) -> Vec<FeedbackCode> {
        let mut codes: Vec<FeedbackCode> = Vec::new();
        for entry in &self.entries {
            if !codes.contains(&entry.code) {
                codes.push(entry.code);
            }
        }
        codes
    }
}

/// Why a message or an order is refused: the code for the partner, the reason for us.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("OSCI {code}: {detail}")]
pub struct Refused {
    /// What the partner is told; nothing else may reach him.
    pub code: FeedbackCode,
    /// For our log and `inspect`; never sent. Names elements, ids and algorithms, no content. [`crate::german`] says it
    /// in German.
    pub detail: String,
}

impl Refused {
    /// A refusal with its reason.
    pub fn new(code: FeedbackCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_complete() {
        assert!(TABLE.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(TABLE.len(), 65);
        for row in TABLE {
            assert!(!row.german.is_empty() && !row.english.is_empty());
            assert_eq!(row.code.to_string().parse(), Ok(row.code));
        }
    }

    #[test]
    fn last_entry_decides() {
        let both = [Language::German, Language::English];
        let warned = Feedback::of(&[FeedbackCode::S0801, FeedbackCode::S3800], &both);
        assert_eq!(warned.entries.len(), 4);
        assert!(warned.is_success());
        let refused = Feedback::of(&[FeedbackCode::S3707, FeedbackCode::S9700], &both);
        assert!(!refused.is_success());
        assert_eq!(refused.codes(), [FeedbackCode::S3707, FeedbackCode::S9700]);
        assert!(!Feedback::default().is_success());
    }

    #[test]
    fn only_four_digits_are_a_code() {
        for wrong in ["", "800", "08000", "+800", "08 0", "٠٨٠٠"] {
            assert_eq!(wrong.parse::<FeedbackCode>(), Err(NotACode), "{wrong}");
        }
        assert_eq!(FeedbackCode::new(3999).class(), FeedbackClass::Warning);
        assert_eq!(FeedbackCode::new(9999).class(), FeedbackClass::Error);
    }

    #[test]
    fn languages_follow_the_wish() {
        assert_eq!(Language::wished(&["en-GB", "de", "en"]), [Language::English, Language::German]);
        assert_eq!(Language::wished(&["fr"]), [Language::German]);
    }
}
