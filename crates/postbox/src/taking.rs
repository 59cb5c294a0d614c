//! Deliveries in mailboxes of our own: waiting for the main path, taken over, or set aside with the reason.

use dds_message::AnswerKind;
use dds_osci::{
    intermediary::{Delivery, Fingerprint, Mailboxes as _},
    laufzettel::Stamp,
    message::MessageId,
};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params, params_from_iter, types::Value};

use crate::{Boxes, PostboxError, StoredPart, boxes::DeliveryRow, records::micros};

/// Mailbox of the replies to what our sender mediates.
///
/// Like [`fetched_by`] a mailbox that no certificate names: what we put there ourselves lies apart from what our intermediary keeps for the
/// same certificate. Else each would find in it what is not its own, and who fetches from this very process would take a delivery twice.
pub const REPLIES: &str = "reply";

/// Mailbox of what the active recipient of this name fetches elsewhere; see [`REPLIES`].
#[must_use]
pub fn fetched_by(recipient: &str) -> Fingerprint {
    format!("fetch/{recipient}")
}

/// Beiseitegelegt: a delivery that the main path refused for good. It stays until it can be taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAside {
    /// Id of the delivery.
    pub id: MessageId,
    /// Code of the refusal, such as `DDS-R001`.
    pub code: String,
    /// When it was refused last.
    pub at: Timestamp,
    /// When it is tried again.
    pub again: Timestamp,
}

/// Rückantwort: what a delivery in a mailbox of our own answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply {
    /// The application.
    pub message: dds_message::MessageId,
    /// What it is for the source of the application.
    pub kind: AnswerKind,
}

impl Boxes<'_> {
    /// Notes that a delivery in a mailbox of our own is the reply to a message.
    pub fn keep_reply(&mut self, id: &MessageId, reply: &Reply) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO reply (id, message, kind) VALUES (?1, ?2, ?3)")?
            .execute(params![id.as_str(), reply.message.to_string(), reply.kind.as_str()])?;
        Ok(())
    }

    /// What a delivery answers; `None`: it is no reply.
    pub fn reply(&mut self, id: &MessageId) -> Result<Option<Reply>, PostboxError> {
        let found: Option<(String, String)> = self
            .connection
            .prepare_cached("SELECT message, kind FROM reply WHERE id = ?1")?
            .query_row([id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((message, kind)) = found else { return Ok(None) };
        let broken = || PostboxError("a row of `reply` cannot be read".to_owned());
        Ok(Some(Reply {
            message: dds_message::MessageId::parse(&message).map_err(|_| broken())?,
            kind: AnswerKind::from_name(&kind).ok_or_else(broken)?,
        }))
    }

    /// Deliveries to take over now, oldest first. What was set aside comes back when its time has come.
    pub fn waiting(
        &mut self,
        mailboxes: &[Fingerprint],
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery<StoredPart>>, PostboxError> {
        let places: Vec<String> = (0..mailboxes.len()).map(|place| format!("?{}", place + 2)).collect();
        let query = format!(
            "SELECT id, mailbox, submitted, record FROM delivery WHERE received IS NULL AND mailbox IN ({}) \
             AND NOT EXISTS (SELECT 1 FROM set_aside WHERE set_aside.id = delivery.id AND again > ?1) ORDER BY number LIMIT {limit}",
            places.join(",")
        );
        let values =
            std::iter::once(Value::Integer(micros(now))).chain(mailboxes.iter().cloned().map(Value::Text));
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement
            .query_map(params_from_iter(values), DeliveryRow::read)?
            .collect::<Result<Vec<_>, _>>()?;
        rows.into_iter().map(|row| self.delivery(row)).collect()
    }

    /// The main path has it durably: Reception is noted.
    pub fn taken(&mut self, id: &MessageId, at: Timestamp) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("UPDATE delivery SET received = ?2, modified = ?2 WHERE id = ?1")?
            .execute(params![id.as_str(), micros(at)])?;
        self.connection.prepare_cached("DELETE FROM set_aside WHERE id = ?1")?.execute([id.as_str()])?;
        if let Some(mut card) = self.card(id)? {
            let forwarding = card.bundle.card.forwarding.take();
            card.bundle.card.forwarding = forwarding.or(Some(Stamp::Plain(at)));
            card.bundle.card.reception = Some(Stamp::Plain(at));
            card.bundle.card.recent_modification = at;
            self.keep_card(&card)?;
        }
        Ok(())
    }

    /// Sets a delivery aside.
    pub fn set_aside(&mut self, aside: &SetAside) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO set_aside (id, code, at, again) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![aside.id.as_str(), aside.code, micros(aside.at), micros(aside.again)])?;
        Ok(())
    }

    /// How many are set aside.
    pub fn count_set_aside(&mut self) -> Result<u64, PostboxError> {
        let count = self
            .connection
            .prepare_cached("SELECT count(*) FROM set_aside")?
            .query_row([], |row| row.get::<_, i64>(0))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    /// Whether a delivery was put into a mailbox before; a fetch that is repeated after a crash brings it again.
    pub fn has_delivery(&mut self, id: &MessageId) -> Result<bool, PostboxError> {
        Ok(self.connection.prepare_cached("SELECT 1 FROM delivery WHERE id = ?1")?.exists([id.as_str()])?)
    }
}
