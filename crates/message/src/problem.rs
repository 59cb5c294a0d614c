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
    /// What exactly is wrong here, in one sentence.
    pub detail: Text,
    /// Findings of validation, when the problem is an invalid message.
    pub findings: Vec<Finding>,
}

impl Problem {
    /// A problem without findings; `detail` is a pair: German, English.
    pub fn new(code: Code, detail: impl Into<Text>) -> Self {
        Self { code, detail: detail.into(), findings: Vec::new() }
    }

    /// Who must act.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.code.entry().actor
    }

    /// Whether the detail is for the operator alone, see [`crate::CodeEntry::inward`].
    #[must_use]
    pub fn is_inward(&self) -> bool {
        self.code.entry().inward
    }

    /// The detail as callers may read it: the meaning of the code, where the detail [is not for them](Self::is_inward).
    #[must_use]
    pub fn outward(&self, language: Language) -> &str {
        let entry = self.code.entry();
        match language {
            Language::German if self.is_inward() => entry.german,
            Language::English if self.is_inward() => entry.english,
            _ => self.detail.pick(language),
        }
    }

    /// The problem document of all HTTP interfaces (RFC 9457); `instance` is the path of the request.
    #[must_use]
    pub fn document<'a>(&'a self, instance: &'a str) -> ProblemDocument<'a> {
        let entry = self.code.entry();
        ProblemDocument {
            page: format!("/codes/{}", self.code),
            title: entry.german,
            title_en: entry.english,
            status: entry.status,
            detail: self.outward(Language::German),
            detail_en: self.outward(Language::English),
            instance,
            code: self.code,
            actor: entry.actor,
            remedy: entry.remedy_german,
            remedy_en: entry.remedy_english,
            findings: &self.findings,
        }
    }
}

/// Problemdokument (RFC 9457), as `/openapi.json` describes it.
#[derive(Debug, Clone, Serialize)]
pub struct ProblemDocument<'a> {
    /// Address of the page of the code.
    #[serde(rename = "type")]
    pub page: String,
    /// German title.
    pub title: &'static str,
    /// English title.
    pub title_en: &'static str,
    /// HTTP status.
    pub status: u16,
    /// What exactly is wrong here, German; see [`Problem::outward`].
    pub detail: &'a str,
    /// What exactly is wrong here, English.
    pub detail_en: &'a str,
    /// Path of the request.
    pub instance: &'a str,
    /// Code.
    pub code: Code,
    /// Who must act.
    pub actor: Actor,
    /// What to do, German.
    pub remedy: &'static str,
    /// What to do, English.
    pub remedy_en: &'static str,
    /// Befunde; empty where nothing was validated.
    pub findings: &'a [Finding],
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
