//! Identifiers. Each is a type of its own, so that none can stand where another belongs.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Digest, Malformed};

/// Kennung einer Nachricht: UUID version 7, given by the router at acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub Uuid);

/// Kennung einer Zustellung: UUID version 5 of message, target and rule, so that planning twice gives the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeliveryId(pub Uuid);

impl DeliveryId {
    /// The id of the delivery of `message` to `target` under `rule` (for instance `hundesteuer@1.0`).
    ///
    /// `run` is 0 for the first plan; each redirection by an operator counts up.
    #[must_use]
    pub fn derive(message: MessageId, target: &TargetId, rule: &str, run: u32) -> Self {
        Self(Uuid::new_v5(&message.0, format!("{target}\n{rule}\n{run}").as_bytes()))
    }
}

macro_rules! uuid_form {
    ($type:ident, $what:literal) => {
        impl $type {
            /// Reads a UUID in its usual text form.
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                Uuid::parse_str(text)
                    .map(Self)
                    .map_err(|_| Malformed::new($what, text, ("eine UUID", "a UUID")))
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}
uuid_form!(MessageId, "message id");
uuid_form!(DeliveryId, "delivery id");

/// Kennung eines Depotstands: the digest of everything in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReleaseId(pub Digest);

impl std::fmt::Display for ReleaseId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! name_form {
    ($(#[$doc:meta])* $type:ident, $what:literal, $longest:literal, $expected:expr, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Reads the text form; anything else is [`Malformed`].
            pub fn parse(text: &str) -> Result<Self, Malformed> {
                let allowed: fn(u8) -> bool = $allowed;
                if (1..=$longest).contains(&text.len()) && text.bytes().all(allowed) {
                    Ok(Self(text.into()))
                } else {
                    Err(Malformed::new($what, text, $expected))
                }
            }

            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl TryFrom<String> for $type {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::parse(&text)
            }
        }
        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.as_ref().to_owned()
            }
        }
    };
}
pub(crate) use name_form;

/// Letters a name in the configuration may have: `a-z 0-9 - _ .`
pub(crate) const fn plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.')
}

const fn keyed(byte: u8) -> bool {
    plain(byte) || matches!(byte, b':' | b'/' | b'A'..=b'Z')
}

name_form!(
    /// Quellsystem: a form server or portal that may send, as named in `config/sources/`.
    SourceId, "source", 120, ("1 bis 120 Zeichen aus a-z 0-9 - _ .", "1 to 120 of a-z 0-9 - _ ."), plain
);
name_form!(
    /// Zustellziel: one end point of one authority, such as `146120000000/steueramt/fv-steuerwerk`; answers to a
    /// source go to `source/<source id>`.
    TargetId, "target", 127, ("1 bis 127 Zeichen aus A-Z a-z 0-9 - _ . : /", "1 to 127 of A-Z a-z 0-9 - _ . : /"), keyed
);
name_form!(
    /// Produkt: a Fachverfahren or DMS of the catalogue in `rules/products/` and `rules/dms/`, such as `fv-steuerwerk`.
    ProductId, "product", 120, ("1 bis 120 Zeichen aus a-z 0-9 - _ .", "1 to 120 of a-z 0-9 - _ ."), plain
);
name_form!(
    /// Zuständige Stelle in the form of the DVDV, `prefix:key`, such as `sn:146120000000-steueramt`.
    AuthorityId, "authority", 120, ("Präfix:Schlüssel aus A-Z a-z 0-9 - _ . : /", "prefix:key of A-Z a-z 0-9 - _ . : /"), keyed
);

/// How the targets of answers begin.
const OF_SOURCE: &str = "source/";

impl TargetId {
    /// The target of answers to `source`.
    #[must_use]
    pub fn of_source(source: &SourceId) -> Self {
        Self(format!("{OF_SOURCE}{source}").into())
    }

    /// Whether answers to a source go there, and not what is meant for an authority.
    #[must_use]
    pub fn is_of_source(&self) -> bool {
        self.as_str().starts_with(OF_SOURCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_id_is_stable_and_differs_by_target_rule_and_run() {
        let message = MessageId(Uuid::from_u128(7));
        let target = |name| TargetId::parse(name).unwrap();
        let first = DeliveryId::derive(message, &target("a"), "hundesteuer@1.0", 0);
        assert_eq!(first, DeliveryId::derive(message, &target("a"), "hundesteuer@1.0", 0));
        for other in [
            DeliveryId::derive(message, &target("b"), "hundesteuer@1.0", 0),
            DeliveryId::derive(message, &target("a"), "hundesteuer@1.1", 0),
            DeliveryId::derive(message, &target("a"), "hundesteuer@1.0", 1),
        ] {
            assert_ne!(first, other);
        }
    }

    #[test]
    fn names_refuse_what_could_break_a_path_or_a_label() {
        assert!(SourceId::parse("amt24").is_ok());
        assert!(SourceId::parse("Amt 24").is_err());
        assert!(TargetId::parse("146120000000/steueramt/fv-steuerwerk").is_ok());
        assert!(TargetId::parse("").is_err());
        let longest = SourceId::parse(&"a".repeat(120)).unwrap();
        let target = TargetId::of_source(&longest);
        assert_eq!(TargetId::parse(target.as_str()), Ok(target), "also the longest reads back");
        assert!(AuthorityId::parse("sn:146120000000-steueramt").is_ok());
    }
}
