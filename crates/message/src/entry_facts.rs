//! What a journal entry says besides its columns.

use serde::Serialize;

/// Angaben eines Journaleintrags: ids, digests, codes and counts, never content (invariant I9). A JSON object, its
/// members in the order in which they were noted. It is kept as the text that the journal writes and hashes, so that it
/// is made once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFacts {
    /// The members, with commas between them.
    members: String,
}

impl EntryFacts {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { members: String::new() }
    }

    /// Notes one more; each name once.
    pub fn note(&mut self, name: &str, value: impl Serialize) {
        debug_assert!(self.lacks(name), "{name} is noted twice");
        if !self.members.is_empty() {
            self.members.push(',');
        }
        self.members.push_str(&json(name));
        self.members.push(':');
        self.members.push_str(&json(value));
    }

    /// A name that came twice would be hashed twice, and an export be called broken, whose readers know it once.
    fn lacks(&self, name: &str) -> bool {
        let known = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&self.to_json());
        known.is_ok_and(|known| !known.contains_key(name))
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.note(name, value);
        self
    }

    /// The JSON object.
    #[must_use]
    pub fn to_json(&self) -> String {
        format!("{{{}}}", self.members)
    }
}

/// What is no JSON, such as a map whose keys are no names, is `null`.
fn json(value: impl Serialize) -> String {
    serde_json::to_string(&value).unwrap_or_else(|_| "null".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Text};

    #[test]
    fn it_is_a_json_object_in_the_order_of_noting() {
        assert_eq!(EntryFacts::new().to_json(), "{}");
        let mut facts = EntryFacts::new().with("zweck", "\"Gerüst\"\n").with("bytes", 12);
        facts.note("digest", Digest([0xab; 32]));
        facts.note("reasons", [Some(Text::from(("ja", "yes"))), None]);
        facts.note("größe", true);
        let expected = format!(
            r#"{{"zweck":"\"Gerüst\"\n","bytes":12,"digest":"{}","reasons":[{{"de":"ja","en":"yes"}},null],"größe":true}}"#,
            "ab".repeat(32)
        );
        assert_eq!(facts.to_json(), expected);
        let read: serde_json::Value = serde_json::from_str(&facts.to_json()).unwrap();
        assert_eq!(
            read.to_string(),
            expected,
            "read and written again it is the same text: exports are checked so"
        );
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "by is noted twice")]
    fn a_name_is_noted_once() {
        drop(EntryFacts::new().with("by", "operator").with("by", "auditor"));
    }

    #[test]
    fn what_is_no_json_is_null() {
        let map = std::collections::BTreeMap::from([([1_u8], 1_u8)]);
        assert_eq!(EntryFacts::new().with("map", map).to_json(), r#"{"map":null}"#);
    }
}
