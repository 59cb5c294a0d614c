//! What the sender adapter gave to intermediaries: which MessageId belongs to which delivery, so that a repeated
//! attempt is not a second delivery, and what is still waited for.

use dds_message::{DeliveryId, TargetId};
use dds_osci::message::MessageId;
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    Boxes, PostboxError,
    records::{micros, time},
};

/// Stand of something sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentState {
    /// A MessageId was obtained; whether the order arrived is not known.
    Begun = 0,
    /// The intermediary has it; the recipient has not fetched it yet.
    Stored = 1,
    /// The process card says that it was received, or the recipient took it at once.
    Received = 2,
}

/// Something sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Our delivery.
    pub delivery: DeliveryId,
    /// Its target.
    pub target: TargetId,
    /// MessageId at the intermediary.
    pub message_id: MessageId,
    /// Stand.
    pub state: SentState,
    /// Last change.
    pub at: Timestamp,
}

impl Boxes<'_> {
    /// What was sent for a delivery.
    pub fn sent(&mut self, delivery: DeliveryId) -> Result<Option<Sent>, PostboxError> {
        let found = self
            .connection
            .prepare_cached("SELECT delivery, target, message_id, state, at FROM sent WHERE delivery = ?1")?
            .query_row([delivery.0.as_bytes().as_slice()], row)
            .optional()?;
        found.map(Raw::sent).transpose()
    }

    /// Keeps what was sent, new or changed.
    pub fn keep_sent(&mut self, sent: &Sent) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO sent (delivery, target, message_id, state, at) VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![
                sent.delivery.0.as_bytes().as_slice(),
                sent.target.as_str(),
                sent.message_id.as_str(),
                sent.state as i64,
                micros(sent.at)
            ])?;
        Ok(())
    }

    /// Whether another delivery was sent, or begun, under this MessageId.
    pub fn is_sent_for_another(
        &mut self,
        id: &MessageId,
        delivery: DeliveryId,
    ) -> Result<bool, PostboxError> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM sent WHERE message_id = ?1 AND delivery <> ?2")?;
        Ok(statement.exists(params![id.as_str(), delivery.0.as_bytes().as_slice()])?)
    }

    /// Forgets the MessageId of a delivery: it is used up, and the next attempt needs another.
    pub fn forget_sent(&mut self, delivery: DeliveryId) -> Result<(), PostboxError> {
        let mut statement = self.connection.prepare_cached("DELETE FROM sent WHERE delivery = ?1")?;
        statement.execute([delivery.0.as_bytes().as_slice()])?;
        Ok(())
    }

    /// What was stored and not received yet, oldest first.
    pub fn unreceived(&mut self, limit: usize) -> Result<Vec<Sent>, PostboxError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT delivery, target, message_id, state, at FROM sent WHERE state = 1 ORDER BY at LIMIT ?1",
        )?;
        let rows = statement.query_map([i64::try_from(limit).unwrap_or(i64::MAX)], row)?;
        let mut found = Vec::new();
        for row in rows {
            match row?.sent() {
                Ok(sent) => found.push(sent),
                Err(error) => tracing::error!(%error, "osci.record_broken"),
            }
        }
        Ok(found)
    }
}

struct Raw(Vec<u8>, String, String, i64, i64);

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw(row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))
}

impl Raw {
    fn sent(self) -> Result<Sent, PostboxError> {
        let broken = |what: &str| PostboxError::Damaged(format!("a row of `sent` has no valid {what}"));
        let delivery = uuid::Uuid::from_slice(&self.0).map_err(|_| broken("delivery"))?;
        Ok(Sent {
            delivery: DeliveryId(delivery),
            target: TargetId::parse(&self.1).map_err(|_| broken("target"))?,
            message_id: MessageId::new(self.2),
            state: match self.3 {
                0 => SentState::Begun,
                1 => SentState::Stored,
                _ => SentState::Received,
            },
            at: time(self.4)?,
        })
    }
}
