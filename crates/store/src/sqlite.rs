//! The embedded engine: SQLite for one node, with leases and due times in memory.
//!
//! Read in this order: [`SqliteStore::open`] below, `journal.rs` (the operations), `committer.rs` (the one writer),
//! `accept.rs`, `plan.rs` and `settle.rs` (what each transaction does), `queue.rs` (what is due), `files.rs`
//! (payloads). Why SQLite: `docs/decisions/0001-embedded-store.md`.

mod accept;
mod archive;
mod audit;
mod blobs;
mod chain;
mod checkpoint;
mod committer;
mod content;
mod fault;
pub mod files;
mod fresh;
mod journal;
mod line;
mod named;
mod payload;
mod plan;
mod queue;
#[cfg(test)]
mod queue_model;
mod reader;
mod retention;
mod rows;
mod schema;
mod settle;
mod shared;
mod tx;

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use dds_message::{Clock, JournalEvent, TargetId};

pub use self::{
    audit::LogReader,
    chain::ExportCheck,
    committer::{COMPANY, Haste},
    content::{ContentReport, Difference, Disagreement},
};
use self::{
    checkpoint::Checkpoints, committer::Committer, files::Files, queue::DueQueue, reader::Readers,
    shared::Shared, tx::Tx,
};
use crate::{MasterKey, NewEntry, StoreError, Vault};

/// How to open the embedded engine.
pub struct Options {
    /// Folder of the store; made if missing. One process at a time.
    pub dir: PathBuf,
    /// Hauptschlüssel; the same at every start, until [`SqliteStore::change_master_key`].
    pub master_key: MasterKey,
    /// Where the time comes from, for what has none of its own: names of payload files, decisions of people, expiry.
    pub clock: Arc<dyn Clock>,
    /// Documents and outputs that are longer than this when packed get a file of their own, in bytes.
    pub inline_limit: usize,
    /// Connections that read.
    pub readers: usize,
    /// Begin anew where the database is gone but traces of it are there; they are set aside.
    pub new_store: bool,
}

impl Options {
    /// The usual options: 64 KB inline, four readers.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>, master_key: MasterKey, clock: Arc<dyn Clock>) -> Self {
        Self { dir: dir.into(), master_key, clock, inline_limit: 65_536, readers: 4, new_store: false }
    }
}

/// The embedded engine. Cheap to clone; the store is closed when the last clone is dropped, which waits for what is
/// queued. Implements [`crate::Journal`], [`crate::AuditLog`], [`crate::BlobStore`] and [`crate::Retention`].
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
}

/// Dropped from top to bottom: the committer finishes, the connections close, the lock is released.
struct Inner {
    committer: Committer,
    dir: PathBuf,
    readers: Readers,
    files: Files,
    shared: Arc<Shared>,
    vault: Vault,
    clock: Arc<dyn Clock>,
    inline_limit: usize,
    _lock: Option<File>,
}

/// Makes a folder that only the account of the service can enter, with those above it; one that exists stays as its
/// owner made it.
///
/// # Errors
/// As the system reports.
pub fn private_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Makes a file that nobody else may read, whatever the folder it lies in allows; one that is there stays as it is.
///
/// # Errors
/// [`std::io::Error`].
pub fn private_file(path: &Path) -> std::io::Result<()> {
    std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path).map(drop)
}

impl SqliteStore {
    /// Opens the store, or makes it. Blocks: takes milliseconds, and 0.3 s per 100,000 open deliveries.
    ///
    /// Fails with [`StoreError::InUse`] if another process (or another value in this one) has it open, with
    /// [`StoreError::OtherKey`] if it stands under another master key, with [`StoreError::Corrupt`] if it is damaged,
    /// with [`StoreError::Missing`] if its database is gone.
    pub fn open(options: Options) -> Result<Self, StoreError> {
        let Options { dir, master_key, clock, inline_limit, readers, new_store } = options;
        private_folder(&dir).map_err(|error| fault::io("creating the folder of the store", &error))?;
        let lock = lock(&dir)?;
        schema::create_if_missing(&dir, &master_key, new_store, clock.now())?;
        let (writer, vault, generation) = schema::open_writer(&dir, &master_key)?;
        let files = Files::open(&dir, Arc::clone(&clock))?;

        // Leases of an earlier process must never fit one of this: a target may still hold one. Room for 2^32 claims
        // per start, and below 2^53 for two million starts.
        let mut queue = DueQueue::new(generation.cast_unsigned() << 32);
        settle::open_items(&writer, |item| queue.insert(item))?;
        let tally = rows::tally(&writer).map_err(StoreError::from)?;
        let head = rows::head(&writer).map_err(StoreError::from)?;
        let shared = Arc::new(Shared::new(queue, tally, files.clone()));

        let checkpoints = Checkpoints::start(schema::open_checkpointer(&dir)?)?;
        let readers = Readers::open(&dir, readers)?;
        let committer = Committer::start(writer, Arc::clone(&shared), head, checkpoints)?;
        let inner =
            Inner { committer, dir, readers, files, shared, vault, clock, inline_limit, _lock: Some(lock) };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Opens a store that exists to read it, also while another process has it open. What writes fails with
    /// [`StoreError::Unavailable`], what is claimed is nothing.
    ///
    /// Fails with [`StoreError::OtherKey`] if it stands under another master key.
    pub fn open_read_only(options: Options) -> Result<Self, StoreError> {
        let Options { dir, master_key, clock, inline_limit, readers, .. } = options;
        let vault = schema::open_vault(&schema::open_reader(&dir)?, &dir, &master_key)?;
        let files = Files::read_only(&dir, Arc::clone(&clock));
        let inner = Inner {
            committer: Committer::none(),
            readers: Readers::open(&dir, readers)?,
            files: files.clone(),
            dir,
            shared: Arc::new(Shared::new(DueQueue::new(0), shared::Tally::default(), files)),
            vault,
            clock,
            inline_limit,
            _lock: None,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Zustellungen that are not done, by target and whether it fetches them: read from the database, so that a store
    /// that was opened to read tells it too.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn waiting(&self) -> Result<BTreeMap<(TargetId, bool), u64>, StoreError> {
        self.log().waiting().await
    }

    /// Whether there is a database in this folder.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        dir.join(schema::DATABASE).exists()
    }

    /// Whether a process has the store in this folder open to write.
    #[must_use]
    pub fn in_use(dir: &Path) -> bool {
        let lock = File::open(dir.join("lock"));
        lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Puts the store under another master key, in one commit with its entry in the journal. Nothing stored is
    /// encrypted anew: the root key is wrapped by `new` from then on, and once the store is closed no file of it holds
    /// what `current` wrapped. Copies of the store made before open under `current` as ever.
    ///
    /// # Errors
    /// [`StoreError::OtherKey`] if `current` is not its key.
    pub async fn change_master_key(&self, current: MasterKey, new: MasterKey) -> Result<(), StoreError> {
        let (dir, now) = (self.inner.dir.clone(), self.inner.clock.now());
        let entry = NewEntry::new(JournalEvent::MasterKeyChanged);
        let change = move |tx: &mut Tx<'_>| {
            schema::wrap_root_anew(tx.db(), &dir, &current, &new)?;
            settle::note(tx, &entry, now)
        };
        self.inner.committer.submit(Haste::Waited, 0, change).await?;
        let dir = self.inner.dir.clone();
        self.inner.readers.read(move |db| Ok(schema::keep_root(db, &dir)?)).await
    }

    /// Makes and opens the keys of messages. Cheap to clone.
    #[must_use]
    pub fn vault(&self) -> &Vault {
        &self.inner.vault
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SqliteStore")
    }
}

fn lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("lock");
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(|error| fault::io("creating the lock file of the store", &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse(format!("another process has {} open", dir.display())))
        }
        Err(TryLockError::Error(error)) => Err(fault::io("locking the store", &error)),
    }
}
