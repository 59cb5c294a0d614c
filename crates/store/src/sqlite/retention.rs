//! Deletion after the retention period, and the sweep of uploads that were never accepted.

use async_trait::async_trait;
use dds_message::{JournalEvent, MessageId, MessageState, Timestamp};
use rusqlite::params;

use super::{
    SqliteStore,
    committer::Haste,
    fault::Outcome,
    reader::blocking,
    rows::{self, MessageFacts},
    tx::Tx,
};
use crate::{Archived, BlobRef, Expired, NewEntry, Retention, StoreError};

/// Messages per commit, so that others do not wait.
const BATCH: usize = 100;

#[async_trait]
impl Retention for SqliteStore {
    async fn expire(
        &self,
        final_before: Timestamp,
        orphan_before: Timestamp,
        max: usize,
    ) -> Result<Expired, StoreError> {
        let mut expired = Expired::default();
        let mut left = max;
        while left > 0 {
            let (batch, now) = (left.min(BATCH), self.inner.clock.now());
            let forget = move |tx: &mut Tx<'_>| forget(tx, final_before, batch, now);
            let (messages, blobs) = self.inner.committer.submit(Haste::Waited, batch * 1_024, forget).await?;
            // The key is gone and that is durable; only now the files.
            expired.blobs += self.delete_files(blobs).await?;
            expired.messages += messages as u64;
            left -= messages;
            if messages < batch {
                break;
            }
        }
        expired.orphans = self.sweep(orphan_before).await?;
        expired.blobs += expired.orphans;
        Ok(expired)
    }

    async fn archive(&self) -> Result<Archived, StoreError> {
        self.archive_months().await
    }
}

impl SqliteStore {
    async fn delete_files(&self, blobs: Vec<BlobRef>) -> Result<u64, StoreError> {
        if blobs.is_empty() {
            return Ok(0);
        }
        let files = self.inner.files.clone();
        blocking(tokio::task::spawn_blocking(move || files.remove(&blobs))).await
    }

    async fn sweep(&self, before: Timestamp) -> Result<u64, StoreError> {
        let files = self.inner.files.clone();
        let folders = blocking(tokio::task::spawn_blocking(move || files.folders(before))).await?;
        let mut swept = 0;
        for folder in folders {
            let files = self.inner.files.clone();
            let names = move || files.names(&folder, before);
            let names = blocking(tokio::task::spawn_blocking(names)).await?;
            let suspects = self.inner.readers.read(move |db| orphans(db, &names)).await?;
            if suspects.is_empty() {
                continue;
            }
            // Asked again by the committer, after which no acceptance can refer to one of them any more.
            let orphans = move |tx: &mut Tx<'_>| {
                let orphans = orphans(tx.db(), &suspects)?;
                tx.shared().files.doom(&orphans);
                Ok(orphans)
            };
            let orphans = self.inner.committer.submit(Haste::Waited, 0, orphans).await?;
            swept += self.delete_files(orphans).await?;
        }
        Ok(swept)
    }
}

/// Those of `blobs` that belong to no message.
fn orphans(db: &rusqlite::Connection, blobs: &[BlobRef]) -> Outcome<Vec<BlobRef>> {
    let mut known = db.prepare_cached("SELECT 1 FROM blob WHERE id = ?1")?;
    let mut orphans = Vec::new();
    for blob in blobs {
        if !known.exists([blob.0.as_bytes()])? {
            orphans.push(blob.clone());
        }
    }
    Ok(orphans)
}

/// Deletes keys and inline payloads of finished messages; returns how many and the files to delete.
fn forget(tx: &mut Tx<'_>, before: Timestamp, max: usize, now: Timestamp) -> Outcome<(usize, Vec<BlobRef>)> {
    let sql = concat!(
        "SELECT ",
        rows::message_columns!(),
        " FROM message m ",
        rows::its_application!(),
        " WHERE m.final_at <= ?1 AND m.final_at IS NOT NULL AND m.wrapped_key IS NOT NULL
          ORDER BY m.final_at LIMIT ?2"
    );
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let messages = rows::all(tx.db(), sql, params![before.0, max], rows::message_facts)?;
    let mut blobs = Vec::new();
    for message in &messages {
        blobs.extend(forget_one(tx, message)?);
        let entry = NewEntry::new(JournalEvent::MessageExpired);
        tx.log(&entry, now, &message.subject, None, Some(MessageState::as_str(message.state)))?;
        tracing::debug!(message = %MessageId::to_string(&message.id), "retention.payload_deleted");
    }
    Ok((messages.len(), blobs))
}

fn forget_one(tx: &Tx<'_>, message: &MessageFacts) -> Outcome<Vec<BlobRef>> {
    let db = tx.db();
    for sql in [
        "UPDATE message SET wrapped_key = NULL, attachments = NULL WHERE seq = ?1",
        "DELETE FROM document WHERE owner = ?1",
        "DELETE FROM report WHERE owner = ?1",
        "DELETE FROM output WHERE owner IN (SELECT seq FROM delivery WHERE message = ?1)",
    ] {
        db.prepare_cached(sql)?.execute([message.seq])?;
    }
    let named = "SELECT id FROM blob WHERE message = ?1";
    let blobs = rows::all(db, named, [message.seq], |row| rows::uuid(row, "id").map(BlobRef))?;
    // A crash before the files are deleted leaves orphans, which the sweep finds.
    db.prepare_cached("DELETE FROM blob WHERE message = ?1")?.execute([message.seq])?;
    Ok(blobs)
}
