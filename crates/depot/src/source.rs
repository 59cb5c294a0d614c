//! Sources (`config/sources/<id>.toml`): who may send what, with which credential.

use dds_message::{Ars, AuthorityId, Code, Digest, Facts, Problem, ProcedureId, SourceId, TargetId};
use serde::{Deserialize, Serialize};

use crate::directory;

/// Quelle: a form server, portal or Fachverfahren that may send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Id; the file has the same name.
    pub id: SourceId,
    /// Name for people.
    pub name: String,
    /// SHA-256 of each token it may show.
    #[serde(default)]
    pub tokens: Vec<Digest>,
    /// SHA-256 of each client certificate (DER) it may show.
    #[serde(default)]
    pub certificates: Vec<Digest>,
    /// Procedures it may send.
    #[serde(default)]
    pub procedures: Allow,
    /// Municipalities (ARS) it may send for.
    #[serde(default)]
    pub municipalities: Allow,
    /// A Fachverfahren that may send answers (receipt, further request, decision).
    #[serde(default)]
    pub may_answer: bool,
    /// Mailbox targets it may fetch from.
    #[serde(default)]
    pub mailboxes: Allow,
    /// How answers reach it.
    #[serde(default)]
    pub answers: Answers,
    /// Drop folder it may place messages in, below `[folders] inbox`; of this source alone.
    #[serde(default)]
    pub folder: Option<String>,
    /// What the authors' signatures of its OSCI contents must be worth.
    #[serde(default, skip_serializing_if = "AuthorRule::is_default")]
    pub author: AuthorRule,
    /// Limits of its own, below those of the process.
    #[serde(default)]
    pub limits: SourceLimits,
}

impl Source {
    /// Whether this source may send a message with these facts; otherwise DDS-I002, which names what is not allowed.
    pub fn may_send(&self, facts: &Facts) -> Result<(), Problem> {
        let refuse = |german: String, english: String| {
            let text = (
                format!("die Quelle {} darf {german} senden", self.id),
                format!("source {} may not send {english}", self.id),
            );
            Err(Problem::new(Code::NOT_ALLOWED, text))
        };
        if !self.procedures.allows(facts.procedure.as_str()) {
            let procedure = &facts.procedure;
            return refuse(
                format!("keine Nachrichten des Verfahrens {procedure}"),
                format!("messages of procedure {procedure}"),
            );
        }
        match &facts.municipality {
            Some(ars) if !self.municipalities.allows(ars.as_str()) => {
                refuse(format!("nicht für die Kommune {ars}"), format!("for municipality {ars}"))
            }
            // Without a municipality nobody could tell whether it is allowed: only a source for all may do so.
            None if !self.municipalities.allows_all() => refuse(
                "nur für bestimmte Kommunen und darum keine Nachricht ohne Kommune".to_owned(),
                "messages that name no municipality, because it is limited to some".to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// Whether it may send answers for cases of `procedure` that `authority` has; otherwise DDS-I002. The area that the
    /// authority belongs to must be one of its municipalities. One that lists no procedure sends no applications, and
    /// answers for whatever these have.
    pub fn may_answer_for(
        &self,
        procedure: Option<&ProcedureId>,
        authority: &AuthorityId,
    ) -> Result<(), Problem> {
        let listed = |allow: &Allow, name: Option<&str>| match name {
            Some(name) => allow.allows(name),
            None => allow.allows_all(),
        };
        let concerned =
            self.procedures.0.is_empty() || listed(&self.procedures, procedure.map(ProcedureId::as_str));
        let area = directory::area_of(authority);
        let allowed = concerned && listed(&self.municipalities, area.as_ref().map(Ars::as_str));
        if self.may_answer && allowed {
            return Ok(());
        }
        let text = (
            format!("die Quelle {} darf für diesen Vorgang keine Antworten senden", self.id),
            format!("source {} may not send answers for this case", self.id),
        );
        Err(Problem::new(Code::NOT_ALLOWED, text))
    }

    /// Whether it may fetch from the mailbox of `target`; otherwise DDS-I002. The answers of another source are none of
    /// its business unless a pattern begins with `source/`: `*` means all systems of authorities.
    pub fn may_fetch(&self, target: &TargetId) -> Result<(), Problem> {
        let of_source = target.is_of_source();
        let mut meant =
            self.mailboxes.0.iter().filter(|pattern| !of_source || pattern.starts_with("source/"));
        if meant.any(|pattern| Allow::matches(pattern, target.as_str())) {
            return Ok(());
        }
        let text = (
            format!("die Quelle {} darf aus dem Postfach {target} nicht abholen", self.id),
            format!("source {} may not fetch from {target}", self.id),
        );
        Err(Problem::new(Code::NOT_ALLOWED, text))
    }
}

/// Autorenregel: what the authors' signatures (Inhaltssignaturen) of a source must be worth. One that is wrong, or
/// whose certificate is revoked, is refused under every rule.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthorRule {
    /// The content must be signed, with a certificate that the trust policy accepts.
    Required,
    /// It may be unsigned; a certificate that signs must be accepted by the trust policy.
    Trusted,
    /// A certificate that the policy does not accept is noted with the acceptance (3701, 3702, 3707).
    #[default]
    Any,
}

impl AuthorRule {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Freigabe: a list of names; `*` allows all, a name with `*` at its end all that begin so. Empty allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Allow(pub Vec<String>);

impl Allow {
    /// Whether `name` is allowed.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| Self::matches(pattern, name))
    }

    pub(crate) fn matches(pattern: &str, name: &str) -> bool {
        pattern.strip_suffix('*').map_or(pattern == name, |beginning| name.starts_with(beginning))
    }

    /// Whether everything is allowed.
    #[must_use]
    pub fn allows_all(&self) -> bool {
        self.0.iter().any(|pattern| pattern == "*")
    }
}

/// Rückkanal: how answers reach a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Answers {
    /// The source fetches them.
    #[default]
    Fetch,
    /// They are sent to it by REST.
    Callback {
        /// Address.
        url: String,
        /// Token shown to it.
        #[serde(default)]
        secret: Option<SecretRef>,
    },
}

/// Limits of a source; `None` keeps those of the process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceLimits {
    /// Bytes of the main document.
    #[serde(default)]
    pub document_bytes: Option<u64>,
    /// Bytes of one attachment.
    #[serde(default)]
    pub attachment_bytes: Option<u64>,
    /// Attachments per message.
    #[serde(default)]
    pub attachments: Option<u32>,
}

/// Geheimnisreferenz: `env:NAME` or `file:PATH`. The secret itself is never part of a release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// Environment variable of the process.
    Env(String),
    /// File; its trimmed content.
    File(String),
}

impl TryFrom<String> for SecretRef {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.to_owned())),
            // The text may be the secret itself, written here by mistake: it is not repeated.
            _ => Err("a secret is named by env:NAME or file:PATH, never written down".to_owned()),
        }
    }
}

impl From<SecretRef> for String {
    fn from(secret: SecretRef) -> Self {
        secret.to_string()
    }
}

impl std::fmt::Display for SecretRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_fetch_everything_may_not_fetch_the_answers_of_others() {
        let fetching = |mailboxes: &[&str]| -> Source {
            let named = serde_json::json!({ "id": "fach", "name": "Fachverfahren", "mailboxes": mailboxes });
            serde_json::from_value(named).unwrap()
        };
        let target = |name: &str| TargetId::parse(name).unwrap();
        let (office, portal) = (target("146120000000/steueramt/fv"), target("source/portal"));
        for (mailboxes, an_office, a_portal) in [
            (&["*"][..], true, false),
            (&["s*"], false, false),
            (&["146120000000/*"], true, false),
            (&["source/*"], false, true),
            (&["source/portal"], false, true),
            (&["source/formular"], false, false),
            (&[], false, false),
        ] {
            let source = fetching(mailboxes);
            assert_eq!(source.may_fetch(&office).is_ok(), an_office, "{mailboxes:?}");
            assert_eq!(source.may_fetch(&portal).is_ok(), a_portal, "{mailboxes:?}");
        }
    }
}
