//! What an application is about.

use serde::{Deserialize, Serialize};

use crate::{
    Malformed,
    id::{name_form, plain},
};

name_form!(
    /// Verwaltungsverfahren as named by its rule package, such as `gewerbeanzeige`.
    ProcedureId, "procedure", 120, ("1 bis 120 Zeichen aus a-z 0-9 - _ .", "1 to 120 of a-z 0-9 - _ ."), plain
);

/// LeiKa-Schlüssel of a service: 14 digits that begin with 99.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LeikaKey(String);

impl LeikaKey {
    /// Reads 14 digits with prefix 99, also behind `urn:de:fim:leika:leistung:`.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let key = text.strip_prefix("urn:de:fim:leika:leistung:").unwrap_or(text);
        if key.len() == 14 && key.starts_with("99") && key.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(key.to_owned()))
        } else {
            Err(Malformed::new(
                "LeiKa key",
                text,
                ("14 Ziffern, die mit 99 beginnen", "14 digits that begin with 99"),
            ))
        }
    }

    /// The fourteen digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LeikaKey {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        Self::parse(&text)
    }
}

impl From<LeikaKey> for String {
    fn from(key: LeikaKey) -> String {
        key.0
    }
}

impl std::fmt::Display for LeikaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Nachrichtentyp with its version, such as `baugenehmigung.antrag.0200` in `2.6`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageType {
    /// Name of the type as the rule calls it.
    pub name: String,
    /// Version of the standard or form, such as `2.6`.
    pub version: String,
}

impl std::fmt::Display for MessageType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}
