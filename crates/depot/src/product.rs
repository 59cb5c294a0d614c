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
    /// Stylesheet from the Vorgang to its document: file of the package. Without it the product takes the Vorgang as it
    /// is (`rules/vorgang/1/vorgang.xsd`), with the `sendung` that a stylesheet would see.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stylesheet: Option<String>,
    /// What the stylesheet writes; `xml` without one.
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
    pub method: Option<PushMethod>,
    /// How attachments travel; without it as the adapter does by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<AttachmentForm>,
    /// `rest` with `multipart`: name of the part that holds the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_part: Option<String>,
    /// `folder`: how a delivery lies there, `folder-per-case` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<FolderLayout>,
    /// `soap`: SOAPAction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soap_action: Option<String>,
    /// `soap`: version of the envelope, `1.1` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soap_version: Option<SoapVersion>,
    /// `mail`: subject line; names no person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// `rest`, `soap`: how the secret is shown to the target, `bearer` without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authentication: Option<Authentication>,
}

/// HTTP method of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum PushMethod {
    /// A new resource each time.
    Post,
    /// The resource of that path.
    Put,
}

/// How attachments travel. Each adapter knows one way; `rest` and `soap` can leave them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttachmentForm {
    /// `rest`: parts of a multipart body, also when there are none.
    Multipart,
    /// `soap`: base64 in the body, where the document asks for it.
    Base64,
    /// `folder`: beside the document.
    Files,
    /// `mail`: parts of the mail.
    Mime,
    /// `rest`, `soap`: not at all.
    None,
}

impl AttachmentForm {
    /// Whether that adapter can do it.
    #[must_use]
    pub const fn fits(self, adapter: AdapterKind) -> bool {
        match self {
            Self::Multipart => matches!(adapter, AdapterKind::Rest),
            Self::Base64 => matches!(adapter, AdapterKind::Soap),
            Self::Files => matches!(adapter, AdapterKind::Folder),
            Self::Mime => matches!(adapter, AdapterKind::Mail),
            Self::None => matches!(adapter, AdapterKind::Rest | AdapterKind::Soap),
        }
    }
}

/// How a delivery lies in a drop folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FolderLayout {
    /// A folder for each delivery.
    FolderPerCase,
    /// One ZIP for each delivery.
    Container,
}

/// Version of SOAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SoapVersion {
    /// SOAP 1.1.
    #[serde(rename = "1.1")]
    V11,
    /// SOAP 1.2.
    #[serde(rename = "1.2")]
    V12,
}

/// How the secret is shown to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// As bearer token (RFC 6750).
    Bearer,
    /// Not at all.
    None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_that_does_not_exist_is_a_mistake() {
        let read = |key: &str, value: &str| {
            serde_json::from_value::<Options>(serde_json::json!({ key: value })).ok()
        };
        for (key, wrong) in [
            ("soap_version", "1.3"),
            ("layout", "contianer"),
            ("authentication", "non"),
            ("attachments", "multi"),
            ("method", "GET"),
        ] {
            assert_eq!(read(key, wrong), None, "{key}");
        }
        assert_eq!(read("soap_version", "1.2").unwrap().soap_version, Some(SoapVersion::V12));
        assert_eq!(read("layout", "container").unwrap().layout, Some(FolderLayout::Container));
        assert_eq!(read("authentication", "none").unwrap().authentication, Some(Authentication::None));
        assert_eq!(read("method", "PUT").unwrap().method, Some(PushMethod::Put));
    }
}
