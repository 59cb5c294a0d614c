//! Problems: what happened, who must act, what to do.

use serde::{Deserialize, Serialize};

use crate::{Code, Language, Text};

/// Wer handeln muss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The sending system or its operator.
    Sender,
    /// The author of the rule or product package.
    RuleAuthor,
    /// The operator of this router.
    Operator,
    /// The operator of the target (Fachverfahren, DMS, mail server).
    Target,
    /// The makers of the Datendrehscheibe.
    Us,
}

impl Actor {
    /// Name in interface and journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::RuleAuthor => "rule_author",
            Self::Operator => "operator",
            Self::Target => "target",
            Self::Us => "us",
        }
    }

    /// German name for people.
    #[must_use]
    pub const fn german(self) -> &'static str {
        match self {
            Self::Sender => "Absender",
            Self::RuleAuthor => "Regelautor",
            Self::Operator => "Betrieb",
            Self::Target => "Zielsystem",
            Self::Us => "Hersteller",
        }
    }
}

/// A refusal or failure. Title, actor and remedy come from the code's entry; `detail` is for the caller, and may
/// name keys, paths and positions but no content of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {detail}")]
pub struct Problem {
    /// Code with a page in `docs/codes/`.
    pub code: Code,
    /// What exactly is wrong here, in one English sentence.
    pub detail: String,
    /// The same in German, where an operator may read it at the command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub german: Option<String>,
    /// Findings of validation, when the problem is an invalid message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
}

impl Problem {
    /// A problem without findings.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), german: None, findings: Vec::new() }
    }

    /// A problem told in both languages.
    pub fn told(code: Code, text: impl Into<Text>) -> Self {
        let Text { german, english } = text.into();
        Self { german: Some(german), ..Self::new(code, english) }
    }

    /// The detail in the wanted language; English where no German was written.
    #[must_use]
    pub fn detail_in(&self, language: Language) -> &str {
        match (language, &self.german) {
            (Language::German, Some(german)) => german,
            _ => &self.detail,
        }
    }

    /// Who must act.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.code.entry().actor
    }
}

/// Schwere eines Befunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Noted, does not stop the message.
    Info,
    /// Should be looked at, does not stop the message.
    Warning,
    /// Stops the message.
    Error,
}

/// Befund of validation or transformation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Severity.
    pub severity: Severity,
    /// Which check: the XSD rule (`cvc-complex-type.2.4`), the Schematron id, or a code of ours.
    pub rule: String,
    /// Where: path of the element, such as `/antrag/halter[1]/name[1]`; empty for the whole document.
    pub location: String,
    /// What is wrong, in the words of the rule. Shown to sender and operator, never journalled (invariant I9).
    pub text: String,
}
