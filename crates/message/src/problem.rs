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

    /// The detail as callers may read it. What the store or we ourselves failed with names files and engines: that is for the
    /// log of the operator, and callers learn the meaning of the code instead.
    #[must_use]
    pub fn outward(&self) -> &str {
        let code = self.code.as_str();
        if code.starts_with("DDS-S") || code.starts_with("DDS-X") {
            self.code.entry().english
        } else {
            &self.detail
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
            detail: self.outward(),
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
    /// What exactly is wrong here, English; see [`Problem::outward`].
    pub detail: &'a str,
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
