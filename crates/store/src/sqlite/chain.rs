//! The hash chain of the journal: each entry is hashed together with the hash of the entry before, so none can be
//! changed, left out or moved without breaking all that follow.
//!
//! `hash(n) = SHA-256(hash(n-1) ‖ canonical(n))`, with 32 zero bytes before the first. The canonical form is a version
//! byte, sequence number and time (8 bytes each, big endian), then eleven fields: a byte 0 if absent, otherwise 1, the
//! length (4 bytes, big endian) and the bytes.

use dds_message::Digest;
use sha2::{Digest as _, Sha256};

use crate::{Anchor, ChainReport, LogRow};

/// Hash before the first entry.
pub(crate) const GENESIS: Digest = Digest([0; 32]);

/// The fields of an entry in the form they are stored and hashed in.
pub(crate) struct Fields<'a> {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) event: &'a str,
    pub(crate) message: Option<&'a [u8]>,
    pub(crate) delivery: Option<&'a [u8]>,
    pub(crate) case: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    pub(crate) procedure: Option<&'a str>,
    pub(crate) authority: Option<&'a str>,
    pub(crate) target: Option<&'a str>,
    pub(crate) state: Option<&'a str>,
    pub(crate) code: Option<&'a str>,
    /// JSON object, exactly as stored.
    pub(crate) data: &'a str,
}

impl Fields<'_> {
    /// Hash of this entry after the one with hash `previous`.
    pub(crate) fn hash(&self, previous: &Digest) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(previous.0);
        hasher.update([1]);
        hasher.update(self.seq.to_be_bytes());
        hasher.update(self.at.to_be_bytes());
        let fields = [
            Some(self.event.as_bytes()),
            self.message,
            self.delivery,
            self.case.map(str::as_bytes),
            self.source.map(str::as_bytes),
            self.procedure.map(str::as_bytes),
            self.authority.map(str::as_bytes),
            self.target.map(str::as_bytes),
            self.state.map(str::as_bytes),
            self.code.map(str::as_bytes),
            Some(self.data.as_bytes()),
        ];
        for field in fields {
            match field {
                None => hasher.update([0]),
                Some(bytes) => {
                    hasher.update([1]);
                    hasher.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
                    hasher.update(bytes);
                }
            }
        }
        Digest(hasher.finalize().into())
    }
}

impl LogRow {
    /// The hash this entry must have after the one it names as previous; differs from [`LogRow::hash`] if the entry
    /// was changed. Lets an exported journal be verified without the store.
    #[must_use]
    pub fn expected_hash(&self) -> Digest {
        let data = serde_json::Value::Object(self.data.clone()).to_string();
        Fields {
            seq: self.seq,
            at: self.at.0,
            event: &self.event,
            message: self.message.as_ref().map(|id| id.0.as_bytes().as_slice()),
            delivery: self.delivery.as_ref().map(|id| id.0.as_bytes().as_slice()),
            case: self.case.as_deref(),
            source: self.source.as_deref(),
            procedure: self.procedure.as_deref(),
            authority: self.authority.as_deref(),
            target: self.target.as_deref(),
            state: self.state.as_deref(),
            code: self.code.as_deref(),
            data: &data,
        }
        .hash(&self.previous)
    }
}

/// Verifies exported entries one by one, without a store: each must have the hash its content gives, and follow the one
/// before.
#[derive(Debug, Default)]
pub struct ExportCheck {
    checked: u64,
    last: Option<Anchor>,
    broken: Option<(i64, String)>,
}

impl ExportCheck {
    /// Takes the next entry; what comes after the first that does not fit is not looked at.
    pub fn add(&mut self, row: &LogRow) {
        if self.broken.is_some() {
            return;
        }
        let before = match self.last {
            Some(last) => last,
            // An export may begin later; what is before is then not proved by it.
            None => Anchor {
                seq: row.seq.wrapping_sub(1),
                hash: if row.seq == 1 { GENESIS } else { row.previous },
            },
        };
        let why = if row.seq != before.seq.wrapping_add(1) {
            Some((before.seq.wrapping_add(1), "the entry is missing"))
        } else if row.previous != before.hash || row.expected_hash() != row.hash {
            Some((row.seq, "its content does not fit its hash and the entry before it"))
        } else {
            None
        };
        self.broken = why.map(|(seq, why)| (seq, why.to_owned()));
        if self.broken.is_none() {
            self.checked += 1;
            self.last = Some(Anchor { seq: row.seq, hash: row.hash });
        }
    }

    /// What was found. Nothing at all is broken too: every journal has a first entry.
    #[must_use]
    pub fn report(self) -> ChainReport {
        let Self { checked, last, mut broken } = self;
        if checked == 0 && broken.is_none() {
            broken = Some((1, "the entry is missing".to_owned()));
        }
        ChainReport { checked, broken, anchor: last }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Fields<'static> {
        Fields {
            seq: 7,
            at: 1_000,
            event: "message.accepted",
            message: Some(&[1; 16]),
            delivery: None,
            case: Some("ab"),
            source: Some("c"),
            procedure: None,
            authority: None,
            target: None,
            state: Some("accepted"),
            code: None,
            data: "{}",
        }
    }

    #[test]
    fn every_field_and_the_hash_before_count() {
        let hash = entry().hash(&GENESIS);
        assert_eq!(hash, entry().hash(&GENESIS));
        assert_ne!(hash, entry().hash(&Digest([1; 32])));
        let variants = [
            Fields { seq: 8, ..entry() },
            Fields { at: 1_001, ..entry() },
            Fields { event: "message.acceptee", ..entry() },
            Fields { message: None, ..entry() },
            Fields { delivery: Some(&[1; 16]), ..entry() },
            // The boundary between fields counts, not only their concatenation.
            Fields { case: Some("a"), source: Some("bc"), ..entry() },
            // Absent is not empty.
            Fields { procedure: Some(""), ..entry() },
            Fields { authority: Some("x"), ..entry() },
            Fields { target: Some("x"), ..entry() },
            Fields { state: Some("routed"), ..entry() },
            Fields { code: Some("DDS-D001"), ..entry() },
            Fields { data: "{\"a\":1}", ..entry() },
        ];
        for (n, variant) in variants.iter().enumerate() {
            assert_ne!(hash, variant.hash(&GENESIS), "variant {n}");
        }
    }

    /// A number that no integer holds is read from an export as it was written.
    #[test]
    fn an_export_with_any_number_verifies() {
        let data = r#"{"n":1200000000000000000000000000000000000018446744073709551613}"#;
        let mut row = LogRow {
            seq: 7,
            at: dds_message::Timestamp(1_000),
            event: "message.accepted".to_owned(),
            message: None,
            delivery: None,
            case: None,
            source: None,
            procedure: None,
            authority: None,
            target: None,
            state: None,
            code: None,
            data: serde_json::from_str(data).unwrap(),
            previous: GENESIS,
            hash: GENESIS,
        };
        row.hash = row.expected_hash();
        let back: LogRow = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap();
        assert_eq!(back.expected_hash(), back.hash);
    }
}
