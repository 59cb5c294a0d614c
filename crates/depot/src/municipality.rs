//! Profiles, municipalities and their offices (`ARCHITECTURE.md` 5.5).

use std::collections::BTreeMap;

use dds_message::{Ars, AuthorityId, ProcedureId};
use serde::{Deserialize, Serialize};

use crate::{osci::OsciWay, product::Policy, source::SecretRef};

/// Profil: the offices of a kind of municipality, written once and used by many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Title for people.
    pub title: String,
    /// Offices (Ämter) by short name.
    #[serde(default, rename = "office")]
    pub offices: BTreeMap<String, Office>,
}

/// Amt: in a profile the definition, in a municipality the exception; an exception says only what differs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Procedures it is responsible for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub procedures: Option<Vec<ProcedureId>>,
    /// Fachverfahren as `product@version`; empty text in an exception takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fachverfahren: Option<String>,
    /// DMS as `product@version`; empty text in an exception takes it away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dms: Option<String>,
    /// Also by mail to the office (integration level 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<bool>,
    /// Its own base address, instead of the municipality's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Its own secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// Its own drop folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Its own mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail_address: Option<String>,
    /// Treatment by the scheduler, over that of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
    /// It is reached by OSCI, instead of the interface of its products.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub osci: Option<OsciWay>,
}

impl Office {
    /// This exception laid over `base`.
    #[must_use]
    pub fn over(&self, base: &Self) -> Self {
        fn pick<T: Clone>(upper: &Option<T>, lower: &Option<T>) -> Option<T> {
            upper.clone().or_else(|| lower.clone())
        }
        Self {
            name: pick(&self.name, &base.name),
            procedures: pick(&self.procedures, &base.procedures),
            fachverfahren: pick(&self.fachverfahren, &base.fachverfahren),
            dms: pick(&self.dms, &base.dms),
            mail: pick(&self.mail, &base.mail),
            endpoint: pick(&self.endpoint, &base.endpoint),
            secret: pick(&self.secret, &base.secret),
            folder: pick(&self.folder, &base.folder),
            mail_address: pick(&self.mail_address, &base.mail_address),
            policy: pick(&self.policy, &base.policy),
            osci: pick(&self.osci, &base.osci),
        }
    }

    /// Fachverfahren and DMS it has, as `product@version`, in this order.
    pub fn products(&self) -> impl Iterator<Item = &str> {
        [&self.fachverfahren, &self.dms]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .filter(|name| !name.is_empty())
    }

    /// Whether it handles `procedure`.
    #[must_use]
    pub fn handles(&self, procedure: &ProcedureId) -> bool {
        self.procedures.as_ref().is_some_and(|list| list.contains(procedure))
    }
}

/// Kommune (also Landkreis, Verwaltungsverband, Land): the tenant. Eight values suffice to join.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Municipality {
    /// Amtlicher Regionalschlüssel.
    pub ars: Ars,
    /// Official name.
    pub name: String,
    /// Profile: name of a file in `config/profiles/`.
    pub profile: String,
    /// Base address of its systems.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Reference to the token its systems expect, and with which they fetch from their mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// Mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// Übertragung: procedure → ARS, or authority id, of who does it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub delegate: BTreeMap<ProcedureId, String>,
    /// Transferverzeichnis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Exceptions from the profile, and further offices.
    #[serde(default, rename = "office", skip_serializing_if = "BTreeMap::is_empty")]
    pub offices: BTreeMap<String, Office>,
    /// Beteiligte that always take part: procedure → authority ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub participants: BTreeMap<ProcedureId, Vec<AuthorityId>>,
}

/// Defaults of the release (`config/defaults.toml`): who takes what nobody else is responsible for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Authority for every procedure.
    #[serde(default)]
    pub authority: Option<AuthorityId>,
    /// Authority by procedure, before `authority`.
    #[serde(default)]
    pub procedure: BTreeMap<ProcedureId, AuthorityId>,
}
