//! Rule packages (`rules/<procedure>/<version>/rule.toml`, `ARCHITECTURE.md` 5.2).

use std::{collections::BTreeMap, time::Duration};

use dds_message::{LeikaKey, MessageType, ProcedureId, Text};
use serde::{Deserialize, Serialize};

use crate::text::Span;

/// Integrationsregel: how messages of one procedure in one version are recognised, checked and made canonical.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulePackage {
    /// Procedure (Verwaltungsverfahren).
    pub procedure: ProcedureId,
    /// Version of the package.
    pub version: String,
    /// Title for people.
    pub title: String,
    /// LeiKa keys of the services it covers.
    #[serde(default)]
    pub leika: Vec<LeikaKey>,
    /// Who answers for the package.
    pub owner: String,
    /// First day it is valid, `YYYY-MM-DD` in legal time.
    pub valid_from: Day,
    /// Last day it is valid; open end without it.
    #[serde(default)]
    pub valid_until: Option<Day>,
    /// Whose authority is responsible when the municipality names none.
    #[serde(default)]
    pub level: Level,
    /// After so long an undelivered delivery becomes a dead letter.
    #[serde(default = "three_days")]
    pub deadline: Span,
    /// Whether deliveries of one case go one after the other.
    #[serde(default)]
    pub order: Order,
    /// Fan-out: one set of deliveries per participant (Beteiligte).
    #[serde(default)]
    pub fan_out: bool,
    /// `true`: messages pass without schema check while its third-party schema is not in the catalogue folder.
    /// `false` (the safe default): they are parked with DDS-V003.
    #[serde(default)]
    pub schema_optional: bool,
    /// Prefixes for the paths of this package: prefix → namespace name.
    #[serde(default)]
    pub namespaces: BTreeMap<String, String>,
    /// Message types.
    #[serde(default, rename = "message")]
    pub messages: Vec<MessageRule>,
}

/// One message type of a rule package.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRule {
    /// Name of the message type.
    pub name: String,
    /// Version of standard or form.
    pub version: String,
    /// Root element, `prefix:local`, or `local` without a namespace.
    pub root: String,
    /// XSD: file of the package, or `catalogue:<name>@<version>#<file>`.
    #[serde(default)]
    pub schema: Option<String>,
    /// Schematron files, named like `schema`.
    #[serde(default)]
    pub schematron: Vec<String>,
    /// Stylesheet to the canonical form: file of the package.
    pub canonical: String,
    /// Further discriminators: path = exact text.
    #[serde(default)]
    pub when: BTreeMap<String, String>,
    /// Where the key facts stand.
    #[serde(default)]
    pub keys: Keys,
}

/// Paths of the key facts: absolute child steps, the last one may be `@attribute`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keys {
    /// Municipality: ARS (12 digits) or AGS (8 digits).
    #[serde(default)]
    pub municipality: Option<String>,
    /// Explicit addressee, DVDV form `prefix:key`.
    #[serde(default)]
    pub addressee: Option<String>,
    /// Case reference (Vorgangskennung).
    #[serde(default)]
    pub case: Option<String>,
    /// The sender's own message id.
    #[serde(default)]
    pub reference: Option<String>,
    /// LeiKa key of the service.
    #[serde(default)]
    pub leika: Option<String>,
    /// Participants (Beteiligte), repeated.
    #[serde(default)]
    pub participants: Option<String>,
}

/// Ebene: whose authority is responsible by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Gemeinde.
    #[default]
    Municipality,
    /// Landkreis or kreisfreie Stadt.
    District,
    /// Land.
    State,
}

/// Reihenfolge of deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// In any order.
    #[default]
    None,
    /// Deliveries of one case one after the other.
    Case,
}

/// Tag: `YYYY-MM-DD`. Ordered like the days themselves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(String);

impl Day {
    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Day {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let midnight = format!("{text}T00:00:00Z");
        match dds_message::Timestamp::parse(&midnight) {
            Ok(moment) if moment.day() == text => Ok(Self(text)),
            _ => Err(format!("{text:?} is not a day of the form YYYY-MM-DD")),
        }
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.0
    }
}

impl RulePackage {
    /// Name in journal and plan: `hundesteuer@1.0`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.procedure, self.version)
    }

    /// Whether the package is valid on `day` (`YYYY-MM-DD`, legal time; both ends count).
    #[must_use]
    pub fn valid_on(&self, day: &str) -> bool {
        self.valid_from.as_str() <= day && self.valid_until.as_ref().is_none_or(|last| day <= last.as_str())
    }

    /// The window in words, for reasons.
    #[must_use]
    pub fn window(&self) -> Text {
        let first = self.valid_from.as_str();
        match self.valid_until.as_ref().map(Day::as_str) {
            Some(last) => (format!("{first} bis {last}"), format!("{first} to {last}")).into(),
            None => (format!("ab {first}"), format!("from {first}")).into(),
        }
    }
}

impl MessageRule {
    /// Type and version.
    #[must_use]
    pub fn message_type(&self) -> MessageType {
        MessageType { name: self.name.clone(), version: self.version.clone() }
    }
}

fn three_days() -> Span {
    Span(Duration::from_secs(72 * 3_600))
}
