//! What nobody needs any more goes.

use std::sync::Arc;

use dds_message::Timestamp;

use crate::{Boxes, Postbox, PostboxError, SentState};

impl Postbox {
    /// Deletes deliveries received before `received`, with what is known of our own deliveries whose reception was seen
    /// before that; chunks begun and never ended before `begun`, MessageIds given out before it and never used, and
    /// files that no record names and that are older. Process cards and used MessageIds stay (a repeated order must be
    /// known as one), and so does what we sent and nobody has received: the tracker follows it, and another attempt
    /// must find its MessageId.
    ///
    /// # Errors
    /// [`PostboxError`]; what was deleted before stays deleted.
    pub async fn sweep(&self, received: Timestamp, begun: Timestamp) -> Result<Swept, PostboxError> {
        let (old, stale) = (received.0.saturating_mul(1_000), begun.0.saturating_mul(1_000));
        let (deliveries, sent) = self.run(move |boxes| sweep_rows(boxes, old, stale)).await?;
        let files = self.files.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            for folder in files.folders(begun)? {
                found.extend(files.names(&folder, begun)?);
            }
            Ok::<_, PostboxError>(found)
        });
        let found = found.await??;
        let held = Arc::clone(&self.held);
        let orphans = self
            .run(move |boxes| {
                // Looked at within the step: parts leave somebody's hands within the one whose records name them.
                let held = held.lock();
                let mut known = boxes.connection.prepare_cached("SELECT 1 FROM part WHERE blob = ?1")?;
                let mut orphans = Vec::new();
                for blob in found {
                    if !held.contains(&blob) && !known.exists([blob.0.as_bytes().as_slice()])? {
                        orphans.push(blob);
                    }
                }
                Ok::<_, PostboxError>(orphans)
            })
            .await?;
        let (files, count) = (self.files.clone(), orphans.len());
        let removed = tokio::task::spawn_blocking(move || {
            orphans.iter().try_for_each(|blob| files.delete(blob).map(drop))
        });
        removed.await??;
        Ok(Swept { deliveries, sent, files: count })
    }
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Received deliveries.
    pub deliveries: usize,
    /// Deliveries of our own that were received.
    pub sent: usize,
    /// Files.
    pub files: usize,
}

fn sweep_rows(boxes: &mut Boxes<'_>, received: i64, begun: i64) -> Result<(usize, usize), PostboxError> {
    let connection = boxes.connection;
    connection.execute(
        "DELETE FROM part WHERE holder IN (SELECT 'delivery/' || id FROM delivery WHERE received < ?1)",
        [received],
    )?;
    let deliveries = connection.execute("DELETE FROM delivery WHERE received < ?1", [received])?;
    connection.execute(
        "DELETE FROM part WHERE holder IN (SELECT 'upload/' || client || '/' || transfer FROM upload WHERE begun < ?1)",
        [begun],
    )?;
    connection.execute(
        "DELETE FROM upload_chunk WHERE (client, transfer) IN (SELECT client, transfer FROM upload WHERE begun < ?1)",
        [begun],
    )?;
    connection.execute("DELETE FROM upload WHERE begun < ?1", [begun])?;
    connection.execute(
        "DELETE FROM part WHERE holder IN (SELECT 'rendered/' || id FROM rendered WHERE made < ?1)",
        [begun],
    )?;
    connection.execute("DELETE FROM rendered WHERE made < ?1", [begun])?;
    let stopped = "SELECT recipient, id FROM download GROUP BY recipient, id HAVING max(at) < ?1";
    connection.execute(
        &format!(
            "DELETE FROM part WHERE holder IN (SELECT 'download/' || recipient || '/' || id FROM ({stopped}))"
        ),
        [begun],
    )?;
    connection.execute(&format!("DELETE FROM download WHERE (recipient, id) IN ({stopped})"), [begun])?;
    connection.execute(
        "DELETE FROM set_aside WHERE id NOT IN (SELECT id FROM delivery WHERE received IS NULL)",
        [],
    )?;
    connection.execute("DELETE FROM reply WHERE id NOT IN (SELECT id FROM delivery)", [])?;
    // A transfer of ours that is given up: the delivery, should it come back, is cut anew under another id.
    connection.execute(
        "DELETE FROM part WHERE holder IN (SELECT 'transfer/' || delivery FROM transfer WHERE begun < ?1)",
        [received],
    )?;
    connection.execute("DELETE FROM transfer WHERE begun < ?1", [received])?;
    connection.execute("DELETE FROM message_id WHERE used = 0 AND issued < ?1", [begun])?;
    let settled = SentState::Received as i64;
    let sent = connection.execute("DELETE FROM sent WHERE state = ?1 AND at < ?2", [settled, received])?;
    Ok((deliveries, sent))
}
