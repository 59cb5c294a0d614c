//! What the active recipient found at an intermediary and could not read. It lies there still: nothing of it is here
//! but this note.

use std::collections::HashMap;

use dds_osci::message::MessageId;
use jiff::Timestamp;
use rusqlite::params;

use crate::{
    Boxes, PostboxError,
    records::{micros, time},
};

/// Unlesbare Zustellung: a delivery in a mailbox elsewhere that was fetched in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its MessageId there.
    pub id: MessageId,
    /// Why it cannot be read.
    pub reason: String,
    /// When it was found.
    pub since: Timestamp,
    /// Fetches in vain for this reason, one after the other; 0 when the count begins anew.
    pub tries: u32,
    /// When it is tried again.
    pub again: Timestamp,
}

impl Boxes<'_> {
    /// What the active recipient of this name could not read, by MessageId.
    pub fn unreadable(&mut self, recipient: &str) -> Result<HashMap<MessageId, Unreadable>, PostboxError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, reason, since, tries, again FROM unreadable WHERE recipient = ?1")?;
        let rows = statement.query_map([recipient], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
        })?;
        let mut found = HashMap::new();
        for row in rows {
            let (id, reason, since, tries, again) = row?;
            let id = MessageId::new(id);
            let note = Unreadable { id: id.clone(), reason, since: time(since)?, tries, again: time(again)? };
            found.insert(id, note);
        }
        Ok(found)
    }

    /// Notes it, new or changed.
    pub fn note_unreadable(&mut self, recipient: &str, note: &Unreadable) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO unreadable (recipient, id, reason, since, tries, again) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                recipient,
                note.id.as_str(),
                note.reason,
                micros(note.since),
                note.tries,
                micros(note.again)
            ])?;
        Ok(())
    }

    /// Everything that could not be read is due, and its count begins anew.
    pub fn retry_unreadable(&mut self, recipient: &str) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("UPDATE unreadable SET tries = 0, again = 0 WHERE recipient = ?1")?
            .execute([recipient])?;
        Ok(())
    }

    /// It was fetched after all, or lies there no more.
    pub fn forget_unreadable(&mut self, recipient: &str, id: &MessageId) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("DELETE FROM unreadable WHERE recipient = ?1 AND id = ?2")?
            .execute([recipient, id.as_str()])?;
        Ok(())
    }
}
