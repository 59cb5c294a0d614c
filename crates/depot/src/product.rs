//! Product packages (`rules/products/…/product.toml`, `rules/dms/…/product.toml`, `ARCHITECTURE.md` 5.3).

use dds_message::{OutputForm, ProductId};
use serde::{Deserialize, Serialize};

use crate::text::Span;

/// Produkt: a Fachverfahren or DMS in one version, written once and used by every municipality that has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductPackage {
    /// Product.
    pub product: ProductId,
    /// Version.
    pub version: String,
    /// Fachverfahren or DMS.
    pub kind: ProductKind,
    /// Title for people.
    pub title: String,
    /// Maker.
    #[serde(default)]
    pub vendor: Option<String>,
    /// How it is reached.
    pub adapter: AdapterKind,
    /// Stylesheet from the Vorgang to its document: file of the package.
    pub stylesheet: String,
    /// What the stylesheet writes.
    pub output: OutputForm,
    /// Media type of the document.
    pub media_type: String,
    /// File name the target sees.
    pub file_name: String,
    /// Recognises a repeated delivery id.
    #[serde(default)]
    pub deduplicates: bool,
    /// Options of the adapter, see `docs/configuration.md`.
    #[serde(default)]
    pub options: Options,
    /// Limits.
    #[serde(default)]
    pub limits: ProductLimits,
    /// How the scheduler treats it; what is not said keeps the default of the delivery.
    #[serde(default)]
    pub policy: Policy,
}

impl ProductPackage {
    /// Name in plan and configuration: `fv-steuerwerk@3.2`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}@{}", self.product, self.version)
    }
}

/// Art of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProductKind {
    /// Specialist application.
    Fachverfahren,
    /// Dokumentenmanagement, E-Akte.
    Dms,
}

/// Adapter: the way to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AdapterKind {
    /// HTTP push.
    Rest,
    /// SOAP push.
    Soap,
    /// Postfach: the target fetches.
    Mailbox,
    /// Transferverzeichnis.
    Folder,
    /// SMTP.
    Mail,
    /// OSCI-Transport 1.2. Not written in a product package: an office has it ([`crate::OsciWay`]).
    #[serde(skip_deserializing)]
    Osci,
}

impl AdapterKind {
    /// Name in configuration and metric.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Soap => "soap",
            Self::Mailbox => "mailbox",
            Self::Folder => "folder",
            Self::Mail => "mail",
            Self::Osci => "osci",
        }
    }
}

/// Options by adapter; each adapter reads its own and ignores the rest.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// `rest`, `soap`: appended to the endpoint's base address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// `rest`: HTTP method, `POST` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `rest`: `multipart` | `none`; `folder`: `files`; `mail`: `mime`; `soap`: `base64`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<String>,
    /// `rest` with `multipart`: name of the part that holds the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_part: Option<String>,
    /// `folder`: `folder-per-case` | `container` (one ZIP).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// `soap`: SOAPAction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soap_action: Option<String>,
    /// `soap`: `1.1` | `1.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soap_version: Option<String>,
    /// `mail`: subject line; names no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `rest`, `soap`: `bearer` (default) | `none`: how the secret is shown to the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<String>,
}

/// Limits of a product.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductLimits {
    /// Sum of attachment bytes; larger messages become dead letters for this target (DDS-D006).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment_bytes: Option<u64>,
}

/// Treatment by the scheduler. `None` keeps the default of `delivery`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// At most so many attempts at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<usize>,
    /// Waits between attempts, the last one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Vec<Span>>,
    /// One attempt may take so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_timeout: Option<Span>,
    /// Faults in a row that open the circuit breaker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_faults: Option<u32>,
    /// How long the breaker stays open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breaker_pause: Option<Span>,
    /// Daily maintenance window in UTC, `22:00-02:30`; nothing is sent in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maintenance: Option<Maintenance>,
}

impl Policy {
    /// This policy, where it says nothing that of `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        Self {
            parallel: self.parallel.or(base.parallel),
            retry: self.retry.clone().or_else(|| base.retry.clone()),
            attempt_timeout: self.attempt_timeout.or(base.attempt_timeout),
            breaker_faults: self.breaker_faults.or(base.breaker_faults),
            breaker_pause: self.breaker_pause.or(base.breaker_pause),
            maintenance: self.maintenance.or(base.maintenance),
        }
    }
}

/// Wartungsfenster: minutes after midnight UTC, from and to; it may cross midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Maintenance(pub u16, pub u16);

impl TryFrom<String> for Maintenance {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let minute = |clock: &str| -> Option<u16> {
            let (hours, minutes) = clock.split_once(':')?;
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
        };
        text.split_once('-')
            .and_then(|(from, to)| Some(Self(minute(from)?, minute(to)?)))
            .ok_or_else(|| format!("{text:?} is not a daily window such as 22:00-02:30"))
    }
}

impl From<Maintenance> for String {
    fn from(Maintenance(from, to): Maintenance) -> Self {
        format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}
