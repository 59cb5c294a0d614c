//! Messages of ours that go in chunks (Teile): cut once, kept until the intermediary has all of them, so that an
//! attempt which comes back sends the very same octets.

use dds_message::DeliveryId;
use dds_osci::{intermediary::Attachment, message::MessageId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use crate::{
    Boxes, PostboxError, StoredPart,
    records::{TransferRecord, micros},
};

/// Teilübertragung: a storeDelivery of ours in chunks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Our delivery.
    pub delivery: DeliveryId,
    /// MessageId of the storeDelivery inside.
    pub message_id: MessageId,
    /// For whom it was cut, in the words of the sender: what was cut for others is not sent.
    pub parties: String,
    /// Octets of the whole.
    pub octets: u64,
    /// Size of a chunk in KB (1024 octets), the last one excepted.
    pub chunk_kb: u64,
    /// The chunks in their order.
    pub chunks: Vec<Attachment<StoredPart>>,
}

impl Boxes<'_> {
    /// The transfer of a delivery.
    pub fn transfer(&mut self, delivery: DeliveryId) -> Result<Option<Transfer>, PostboxError> {
        let found: Option<(String, Vec<u8>)> = self
            .connection
            .prepare_cached("SELECT parties, record FROM transfer WHERE delivery = ?1")?
            .query_row([delivery.to_string()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((parties, sealed)) = found else { return Ok(None) };
        let record: TransferRecord = self.open("transfer", &delivery.to_string(), &sealed)?;
        Ok(Some(record.transfer(delivery, parties)))
    }

    /// Keeps a transfer; the chunks stay as long as it does.
    pub fn keep_transfer(&mut self, transfer: &Transfer, at: Timestamp) -> Result<(), PostboxError> {
        let row = transfer.delivery.to_string();
        let sealed = self.seal("transfer", &row, &TransferRecord::of(transfer))?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO transfer (delivery, parties, begun, record) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![row, transfer.parties, micros(at), sealed])?;
        self.hold(&format!("transfer/{row}"), transfer.chunks.iter().map(|chunk| &chunk.handle))
    }

    /// Ends the transfer of a delivery; answers what [`Postbox::discard`](crate::Postbox::discard) may remove after the
    /// commit.
    pub fn end_transfer(&mut self, delivery: DeliveryId) -> Result<Vec<StoredPart>, PostboxError> {
        let Some(transfer) = self.transfer(delivery)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached("DELETE FROM transfer WHERE delivery = ?1")?
            .execute([delivery.to_string()])?;
        self.release(&format!("transfer/{delivery}"))?;
        Ok(transfer.chunks.into_iter().map(|chunk| chunk.handle).collect())
    }
}
