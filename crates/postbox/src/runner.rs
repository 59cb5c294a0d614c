//! One thread owns the connection. Steps that wait at the same time share a commit.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use dds_message::{Clock, MessageId, Timestamp};
use dds_osci::certificate::Certificate;
use dds_store::{
    MasterKey, MessageKey, Vault, WrappedKey,
    sqlite::files::{FileReader, Files},
};
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension as _};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{Boxes, Parts, PostboxError, StoredPart, boxes::Owners, parts, schema};

/// Steps in one transaction.
const BATCH: usize = 64;

/// Where and under which key.
pub struct Options {
    /// Folder; made if missing.
    pub folder: PathBuf,
    /// Master key of the store.
    pub master_key: MasterKey,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The postbox of a process. Cheap to clone; the thread ends with the last clone.
#[derive(Clone)]
pub struct Postbox {
    jobs: mpsc::SyncSender<Job>,
    owners: Owners,
    files: Files,
    vault: Vault,
}

/// One step: does its work inside the transaction, and gives what says how it ended once that is known.
type Job = Box<dyn FnOnce(&mut Boxes<'_>) -> Ended + Send>;

/// What a step leaves behind: whether it wants its changes, and whom to tell.
struct Ended {
    keep: bool,
    tell: Box<dyn FnOnce(Result<(), PostboxError>) + Send>,
}

impl Postbox {
    /// Opens the postbox.
    ///
    /// # Errors
    /// [`PostboxError`] if folder or file cannot be used, or the master key is another than the one it was made with.
    pub fn open(options: Options) -> Result<Self, PostboxError> {
        let Options { folder, master_key, clock } = options;
        let failed =
            |error: std::io::Error| PostboxError(format!("folder {}: {}", folder.display(), error.kind()));
        std::fs::create_dir_all(&folder).map_err(failed)?;
        let vault = Vault::new(&master_key);
        let files = Files::open(&folder, Arc::clone(&clock))?;
        let connection = Connection::open(folder.join("postbox.sqlite"))?;
        schema::prepare(&connection)?;
        let key = own_key(&connection, &vault)?;
        let owners: Owners = Arc::new(RwLock::new(HashSet::new()));
        let (jobs, queue) = mpsc::sync_channel(4 * BATCH);
        let known = Arc::clone(&owners);
        thread::Builder::new()
            .name("osci-postbox".to_owned())
            .spawn(move || work(&connection, &key, &known, &queue))
            .map_err(|error| PostboxError(error.to_string()))?;
        Ok(Self { jobs, owners, files, vault })
    }

    /// Runs one step as a transaction. When this returns `Ok`, what the step did is durable; when the step itself returned `Err`, nothing
    /// of it stays.
    ///
    /// # Errors
    /// What the step returned, or why the commit failed.
    pub async fn run<T, E>(
        &self,
        step: impl FnOnce(&mut Boxes<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, PostboxError>
    where
        T: Send + 'static,
        E: Into<PostboxError>,
    {
        let (send, receive) = oneshot::channel();
        let job: Job = Box::new(move |boxes| {
            let outcome = step(boxes).map_err(Into::into);
            Ended {
                keep: outcome.is_ok(),
                tell: Box::new(move |committed| {
                    // Whoever waited may have gone away; the step stays done.
                    let _gone = send.send(committed.and(outcome));
                }),
            }
        });
        let jobs = self.jobs.clone();
        let gone = || PostboxError("its thread has ended".to_owned());
        if let Err(mpsc::TrySendError::Full(job) | mpsc::TrySendError::Disconnected(job)) = jobs.try_send(job)
        {
            let waiting = tokio::task::spawn_blocking(move || jobs.send(job));
            waiting.await.map_err(|_| gone())?.map_err(|_| gone())?;
        }
        receive.await.map_err(|_| gone())?
    }

    /// A part store for one message.
    ///
    /// # Errors
    /// [`PostboxError`] without randomness.
    pub fn parts(&self) -> Result<Parts, PostboxError> {
        Parts::new(self.files.clone(), &self.vault, Uuid::now_v7())
    }

    /// Opens a stored part; blocks.
    ///
    /// # Errors
    /// [`PostboxError`] if it is gone or does not decrypt.
    pub fn open_part(&self, part: &StoredPart) -> Result<FileReader, PostboxError> {
        parts::open(&self.files, &self.vault, part)
    }

    /// Removes parts that nothing durable names any more; what cannot be removed now is left to the sweep. Blocks.
    pub fn discard(&self, parts: &[StoredPart]) {
        for part in parts {
            if let Err(error) = self.files.delete(&part.blob) {
                tracing::warn!(%error, "osci.part_not_removed");
            }
        }
    }

    /// Says who has a mailbox from now on.
    pub fn register(&self, owners: impl IntoIterator<Item = Certificate>) {
        *self.owners.write() = owners.into_iter().map(|owner| owner.sha256_hex().to_owned()).collect();
    }

    /// Deletes deliveries received before `received`, chunks begun and never ended before `begun`, and files that no record names and
    /// that are older than `begun`. Process cards stay.
    ///
    /// # Errors
    /// [`PostboxError`]; what was deleted before stays deleted.
    pub async fn sweep(&self, received: Timestamp, begun: Timestamp) -> Result<Swept, PostboxError> {
        let (old, stale) = (received.0.saturating_mul(1_000), begun.0.saturating_mul(1_000));
        let deliveries = self.run(move |boxes| sweep_rows(boxes, old, stale)).await?;
        let files = self.files.clone();
        let found = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            for folder in files.folders(begun)? {
                found.extend(files.names(&folder, begun)?);
            }
            Ok::<_, PostboxError>(found)
        });
        let found = found.await.map_err(|error| PostboxError(error.to_string()))??;
        let orphans = self
            .run(move |boxes| {
                let mut known = boxes.connection.prepare_cached("SELECT 1 FROM part WHERE blob = ?1")?;
                let mut orphans = Vec::new();
                for blob in found {
                    if !known.exists([blob.0.as_bytes().as_slice()])? {
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
        removed.await.map_err(|error| PostboxError(error.to_string()))??;
        Ok(Swept { deliveries, files: count })
    }
}

/// What a sweep removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Received deliveries.
    pub deliveries: usize,
    /// Files.
    pub files: usize,
}

fn sweep_rows(boxes: &mut Boxes<'_>, received: i64, begun: i64) -> Result<usize, PostboxError> {
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
    connection.execute("DELETE FROM upload WHERE begun < ?1", [begun])?;
    connection.execute("DELETE FROM reply WHERE id NOT IN (SELECT id FROM delivery)", [])?;
    // A transfer of ours that is given up: the delivery, should it come back, is cut anew under another id.
    connection.execute(
        "DELETE FROM part WHERE holder IN (SELECT 'transfer/' || delivery FROM transfer WHERE begun < ?1)",
        [received],
    )?;
    connection.execute("DELETE FROM transfer WHERE begun < ?1", [received])?;
    connection.execute("DELETE FROM message_id WHERE used = 0 AND issued < ?1", [begun])?;
    Ok(deliveries)
}

/// The key of the postbox: made once, kept wrapped. A wrong master key shows here, not at the first dialogue.
fn own_key(connection: &Connection, vault: &Vault) -> Result<MessageKey, PostboxError> {
    let owner = MessageId(Uuid::nil());
    let found: Option<Vec<u8>> =
        connection.query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0)).optional()?;
    if let Some(wrapped) = found {
        let wrong = |_| PostboxError("the master key is not the one the postbox was made with".to_owned());
        return vault.unwrap_key(owner, &WrappedKey(wrapped)).map_err(wrong);
    }
    let (key, wrapped) = vault.new_message_key(owner)?;
    connection.execute("INSERT INTO meta (name, value) VALUES ('key', ?1)", [wrapped.0])?;
    Ok(key)
}

fn work(connection: &Connection, key: &MessageKey, owners: &Owners, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)).collect();
        let mut ended = Vec::with_capacity(batch.len());
        let committed = commit(connection, key, owners, batch, &mut ended);
        for tell in ended {
            tell(committed.clone());
        }
    }
}

type Tell = Box<dyn FnOnce(Result<(), PostboxError>) + Send>;

/// One transaction with a savepoint for every step, so that a step that fails takes no other with it.
fn commit(
    connection: &Connection,
    key: &MessageKey,
    owners: &Owners,
    batch: Vec<Job>,
    ended: &mut Vec<Tell>,
) -> Result<(), PostboxError> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = batch.into_iter().try_for_each(|job| {
        connection.execute_batch("SAVEPOINT step")?;
        let mut boxes = Boxes { connection, key, owners };
        // A step that panics loses its own changes and tells nobody: its channel closes.
        let end = std::panic::catch_unwind(AssertUnwindSafe(|| job(&mut boxes))).ok();
        let keep = end.as_ref().is_some_and(|end| end.keep);
        connection.execute_batch(if keep { "RELEASE step" } else { "ROLLBACK TO step; RELEASE step" })?;
        ended.extend(end.map(|end| end.tell));
        Ok::<_, PostboxError>(())
    });
    let committed = done.and_then(|()| Ok(connection.execute_batch("COMMIT")?));
    if committed.is_err() {
        // Fails when SQLite has rolled back by itself already.
        let _rolled_back = connection.execute_batch("ROLLBACK");
    }
    committed
}

/// Where the postbox lies below the folder of the store.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    store.join("osci")
}
