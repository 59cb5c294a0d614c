//! Official keys of German administrative areas.

use serde::{Deserialize, Serialize};

use crate::Malformed;

/// Amtlicher Regionalschlüssel: 12 digits (Land 2, Regierungsbezirk 1, Kreis 2, Verband 4, Gemeinde 3).
///
/// The tenant key of the router. Districts are written with zeros behind the five digits of the Kreis.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ars([u8; 12]);

impl Ars {
    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII digits are ever stored, see `parse`.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Reads twelve digits; anything else is [`Malformed`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        digits(text).map(Self).ok_or_else(|| Malformed::new("ARS", text, ("12 Ziffern", "12 digits")))
    }

    /// The Kreis this area lies in: its first five digits, then zeros.
    #[must_use]
    pub fn district(&self) -> Self {
        let mut key = *b"000000000000";
        key[..5].copy_from_slice(&self.0[..5]);
        Self(key)
    }

    /// The Verband (Verwaltungsgemeinschaft) this area lies in: its first nine digits, then zeros.
    #[must_use]
    pub fn association(&self) -> Self {
        let mut key = *b"000000000000";
        key[..9].copy_from_slice(&self.0[..9]);
        Self(key)
    }

    /// The Land: its first two digits, then zeros.
    #[must_use]
    pub fn land(&self) -> Self {
        let mut key = *b"000000000000";
        key[..2].copy_from_slice(&self.0[..2]);
        Self(key)
    }

    /// The eight-digit municipality key: the ARS without its Verband part.
    #[must_use]
    pub fn ags(&self) -> Ags {
        let mut key = [b'0'; 8];
        key[..5].copy_from_slice(&self.0[..5]);
        key[5..].copy_from_slice(&self.0[9..]);
        Ags(key)
    }
}

/// Amtlicher Gemeindeschlüssel: 8 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ags([u8; 8]);

impl Ags {
    /// The eight digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Reads eight digits; anything else is [`Malformed`].
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        digits(text).map(Self).ok_or_else(|| Malformed::new("AGS", text, ("8 Ziffern", "8 digits")))
    }
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let key: [u8; N] = text.as_bytes().try_into().ok()?;
    key.iter().all(u8::is_ascii_digit).then_some(key)
}

macro_rules! text_form {
    ($type:ident) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($type), "({})"), self.as_str())
            }
        }
        impl TryFrom<String> for $type {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                Self::parse(&text)
            }
        }
        impl From<$type> for String {
            fn from(key: $type) -> String {
                key.as_str().to_owned()
            }
        }
    };
}
text_form!(Ars);
text_form!(Ags);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ars_is_twelve_digits() {
        assert!(Ars::parse("145210010010").is_ok());
        assert!(Ars::parse("14521001001").is_err());
        assert!(Ars::parse("14521001001x").is_err());
    }

    #[test]
    fn an_ars_names_its_district_association_and_ags() {
        let amtsberg = Ars::parse("145210010010").unwrap();
        assert_eq!(amtsberg.district().as_str(), "145210000000");
        assert_eq!(amtsberg.association().as_str(), "145210010000");
        assert_eq!(amtsberg.land().as_str(), "140000000000");
        assert_eq!(amtsberg.ags().as_str(), "14521010");
    }
}
