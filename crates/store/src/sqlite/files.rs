//! Payload files: `blobs/<day>/<minutes>/<id>`, each encrypted, written under `tmp/` and moved into place when whole.
//!
//! An id is a UUID of version 7, so its own time names the folder: uploads of the same minutes share one, and with it
//! the fsync of that folder; a sweep skips what is too young without looking into it.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use dds_message::{Clock, Digest, MessageId, Timestamp};
use parking_lot::{Condvar, Mutex};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::fault::io;
use crate::{
    BlobRef, MessageKey, StoreError, Vault,
    seal::{self, CHUNK, ChunkCipher, HEADER, TAG},
};

/// Folder bits of an id's time: 2^18 ms are 4.4 minutes, 4096 of them 12.4 days.
const LEAF_BITS: u32 = 18;
const BRANCH_BITS: u32 = 12;

/// So much must fit for the disk not to count as full: with less, one attachment or the other fails.
const PROBE: usize = 1 << 20;

/// The folder of payload files. Cheap to clone. Everything here blocks.
#[derive(Clone)]
pub struct Files(Arc<Inner>);

struct Inner {
    blobs: PathBuf,
    tmp: PathBuf,
    clock: Arc<dyn Clock>,
    folders: Folders,
    /// A file could not be written since all was well.
    failed: AtomicBool,
    /// What the sweep found to be nobody's and is deleting.
    doomed: Mutex<HashSet<BlobRef>>,
}

impl Inner {
    fn new(blobs: PathBuf, tmp: PathBuf, clock: Arc<dyn Clock>) -> Arc<Self> {
        let (folders, failed, doomed) = (Folders::default(), AtomicBool::new(false), Mutex::default());
        Arc::new(Self { blobs, tmp, clock, folders, failed, doomed })
    }
}

impl Files {
    /// The payloads of a store that another process may be writing: nothing is made or swept.
    pub(super) fn read_only(dir: &Path, clock: Arc<dyn Clock>) -> Self {
        let (blobs, tmp) = (dir.join("blobs"), dir.join("tmp"));
        Self(Inner::new(blobs, tmp, clock))
    }

    /// Opens the folders in `dir` and removes what uploads left that were broken off by a crash.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let (blobs, tmp) = (dir.join("blobs"), dir.join("tmp"));
        for folder in [&blobs, &tmp] {
            fs::create_dir_all(folder).map_err(|error| io("creating a payload folder", &error))?;
        }
        for file in entries(&tmp)? {
            fs::remove_file(file).map_err(|error| io("sweeping unfinished payloads", &error))?;
        }
        sync_dir(dir)?;
        Ok(Self(Inner::new(blobs, tmp, clock)))
    }

    /// Whether the folders are there and, once a file could not be written, whether a payload of some size can be now.
    pub fn check(&self, vault: &Vault) -> Result<(), StoreError> {
        for folder in [&self.0.blobs, &self.0.tmp] {
            fs::read_dir(folder).map_err(|error| io("opening a payload folder", &error))?;
        }
        if self.0.failed.load(Ordering::Relaxed) {
            let (key, _) = vault.new_message_key(MessageId(Uuid::nil()))?;
            let probe = self.write(&key, &vec![0; PROBE])?;
            self.delete(&probe)?;
            self.0.failed.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Begins a file.
    pub fn writer(&self, key: &MessageKey) -> Result<FileWriter, StoreError> {
        self.heed(self.begin(key))
    }

    /// Notes what cannot be written, for [`Self::check`].
    fn heed<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        if written.is_err() {
            self.0.failed.store(true, Ordering::Relaxed);
        }
        written
    }

    fn begin(&self, key: &MessageKey) -> Result<FileWriter, StoreError> {
        let blob = BlobRef(new_id(self.0.clock.now()));
        let tmp = self.0.tmp.join(blob.0.to_string());
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&tmp)
            .map_err(|error| io("creating a payload file", &error))?;
        let cleanup = Cleanup(Some(tmp));
        file.write_all(&HEADER).map_err(|error| io("writing a payload file", &error))?;
        let cipher = ChunkCipher::new(key, &blob)?;
        let buffer = Vec::with_capacity(CHUNK + TAG);
        Ok(FileWriter {
            files: self.clone(),
            file,
            cleanup,
            blob,
            cipher,
            buffer,
            hasher: Sha256::new(),
            size: 0,
        })
    }

    /// Writes a whole payload.
    pub fn write(&self, key: &MessageKey, bytes: &[u8]) -> Result<BlobRef, StoreError> {
        let mut writer = self.writer(key)?;
        writer.write(bytes)?;
        Ok(writer.finish()?.0)
    }

    /// Opens a file.
    pub fn reader(&self, blob: &BlobRef, key: &MessageKey) -> Result<FileReader, StoreError> {
        let missing = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => StoreError::NotFound(format!("payload {}", blob.0)),
            _ => io(&format!("payload {}", blob.0), &error),
        };
        let mut file = File::open(self.path(blob)).map_err(missing)?;
        let length = file.metadata().map_err(missing)?.len();
        let mut header = HEADER;
        let whole = seal::clear_length(length).is_some() && file.read_exact(&mut header).is_ok();
        if !whole || header != HEADER {
            return Err(StoreError::Corrupt(format!("payload {} is not a payload file", blob.0)));
        }
        Ok(FileReader {
            file,
            cipher: ChunkCipher::new(key, blob)?,
            left: Some(length - HEADER.len() as u64),
        })
    }

    /// Whether the file is there and as long as a payload can be.
    pub(super) fn is_whole(&self, blob: &BlobRef) -> bool {
        fs::metadata(self.path(blob)).is_ok_and(|file| seal::clear_length(file.len()).is_some())
    }

    /// Reads a whole payload.
    pub fn read(&self, blob: &BlobRef, key: &MessageKey) -> Result<Vec<u8>, StoreError> {
        let mut reader = self.reader(blob, key)?;
        let mut bytes = Vec::new();
        while let Some(chunk) = reader.next_chunk()? {
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    /// Removes a file; `false` if it was not there.
    pub fn delete(&self, blob: &BlobRef) -> Result<bool, StoreError> {
        match fs::remove_file(self.path(blob)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(io("deleting a payload file", &error)),
        }
    }

    /// From now on until [`Self::remove`] no message may have these files.
    pub(super) fn doom(&self, blobs: &[BlobRef]) {
        self.0.doomed.lock().extend(blobs.iter().cloned());
    }

    /// Whether the file is there and stays. Asked when a message is to have it, never by the time it was made: that
    /// may come from a clock that was wrong.
    pub(super) fn may_be_owned(&self, blob: &BlobRef) -> bool {
        !self.0.doomed.lock().contains(blob) && self.is_whole(blob)
    }

    /// Removes files; answers how many were there.
    pub(super) fn remove(&self, blobs: &[BlobRef]) -> Result<u64, StoreError> {
        let removed = blobs.iter().try_fold(0, |n, blob| Ok(n + u64::from(self.delete(blob)?)));
        // Those that could not be deleted are as good as before.
        let mut doomed = self.0.doomed.lock();
        doomed.retain(|blob| !blobs.contains(blob));
        removed
    }

    /// Folders that may hold files made before `before`.
    pub fn folders(&self, before: Timestamp) -> Result<Vec<PathBuf>, StoreError> {
        let newest = leaf_number(before);
        let mut folders = Vec::new();
        for branch in entries(&self.0.blobs)? {
            for leaf in entries(&branch)? {
                let number = |path: &Path| u64::from_str_radix(path.file_name()?.to_str()?, 16).ok();
                let leaf_of =
                    number(&branch).zip(number(&leaf)).map(|(high, low)| (high << BRANCH_BITS) | low);
                if leaf_of.is_some_and(|leaf| leaf <= newest) {
                    folders.push(leaf);
                }
            }
        }
        folders.sort();
        Ok(folders)
    }

    /// Files of a folder made before `before`. Removes the folder if it is empty and no more can come into it.
    pub fn names(&self, folder: &Path, before: Timestamp) -> Result<Vec<BlobRef>, StoreError> {
        let files = entries(folder)?;
        if files.is_empty() && folder != self.0.blobs.join(folder_of(new_id(before))) {
            // Someone may have put a file into it since: then it stays.
            if fs::remove_dir(folder).is_ok() {
                self.0.folders.forget(folder);
            }
        }
        let id = |path: &PathBuf| Uuid::parse_str(path.file_name()?.to_str()?).ok();
        Ok(files.iter().filter_map(id).map(BlobRef).filter(|blob| made(blob) < before).collect())
    }

    fn path(&self, blob: &BlobRef) -> PathBuf {
        self.0.blobs.join(folder_of(blob.0)).join(blob.0.to_string())
    }
}

/// When a payload was begun.
pub(super) fn made(blob: &BlobRef) -> Timestamp {
    let (high, ..) = blob.0.as_fields();
    let middle = blob.0.as_fields().1;
    Timestamp((i64::from(high) << 16) | i64::from(middle))
}

fn leaf_number(at: Timestamp) -> u64 {
    u64::try_from(at.0).unwrap_or(0) >> LEAF_BITS
}

fn folder_of(id: Uuid) -> PathBuf {
    let leaf = leaf_number(made(&BlobRef(id)));
    let branch = leaf >> BRANCH_BITS;
    PathBuf::from(format!("{branch:05x}")).join(format!("{:03x}", leaf & ((1 << BRANCH_BITS) - 1)))
}

fn new_id(at: Timestamp) -> Uuid {
    let millis = u64::try_from(at.0).unwrap_or(0);
    let nanos = u32::try_from(millis % 1_000).unwrap_or(0) * 1_000_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, nanos))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            let paths: Result<_, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
            paths.map_err(|error| io("listing a payload folder", &error))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(io("listing a payload folder", &error)),
    }
}

/// Makes the entries of a folder durable.
pub(super) fn sync_dir(folder: &Path) -> Result<(), StoreError> {
    File::open(folder).and_then(|file| file.sync_all()).map_err(|error| io("syncing a folder", &error))
}

/// Removes the file unless told otherwise.
struct Cleanup(Option<PathBuf>);

impl Drop for Cleanup {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(%error, "store.upload_left");
        }
    }
}

/// A file being written. Dropped before [`FileWriter::finish`], it is gone.
pub struct FileWriter {
    files: Files,
    file: File,
    cleanup: Cleanup,
    blob: BlobRef,
    cipher: ChunkCipher,
    buffer: Vec<u8>,
    hasher: Sha256,
    size: u64,
}

impl FileWriter {
    /// Appends clear bytes.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            // A full chunk is kept back until more comes, for it may be the last.
            if self.buffer.len() == CHUNK {
                let flushed = self.flush(false);
                self.files.heed(flushed)?;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    fn flush(&mut self, last: bool) -> Result<(), StoreError> {
        self.cipher.seal(&mut self.buffer, last)?;
        self.file.write_all(&self.buffer).map_err(|error| io("writing a payload file", &error))?;
        self.buffer.clear();
        Ok(())
    }

    /// Durable when it returns.
    pub fn finish(mut self) -> Result<(BlobRef, u64, Digest), StoreError> {
        let placed = self.place();
        self.files.heed(placed)?;
        Ok((self.blob, self.size, Digest(self.hasher.finalize_reset().into())))
    }

    /// Writes the rest and moves the file into place.
    fn place(&mut self) -> Result<(), StoreError> {
        self.flush(true)?;
        self.file.sync_all().map_err(|error| io("syncing a payload file", &error))?;
        let path = self.files.path(&self.blob);
        let inner = &self.files.0;
        if let (Some(tmp), Some(folder)) = (self.cleanup.0.as_deref(), path.parent()) {
            inner.folders.ensure(folder)?;
            let moved = match fs::rename(tmp, &path) {
                // The sweep removed the empty folder under a slow upload.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    inner.folders.forget(folder);
                    inner.folders.ensure(folder)?;
                    fs::rename(tmp, &path)
                }
                moved => moved,
            };
            moved.map_err(|error| io("moving a payload file into place", &error))?;
            self.cleanup.0 = None;
            if let Err(error) = inner.folders.sync(folder) {
                self.cleanup.0 = Some(path);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// A file being read.
pub struct FileReader {
    file: File,
    cipher: ChunkCipher,
    /// Sealed bytes not read yet; `None` after the last chunk.
    left: Option<u64>,
}

impl FileReader {
    /// The next clear bytes, at most 64 KB; `None` at the end.
    pub fn next_chunk(&mut self) -> Result<Option<Bytes>, StoreError> {
        let Some(left) = self.left else { return Ok(None) };
        let length = left.min((CHUNK + TAG) as u64);
        let mut chunk = vec![0; usize::try_from(length).unwrap_or(CHUNK + TAG)];
        self.file.read_exact(&mut chunk).map_err(|error| io("reading a payload file", &error))?;
        let last = left == length;
        self.left = (!last).then_some(left - length);
        self.cipher.open(&mut chunk, last)?;
        // Only an empty payload has an empty chunk.
        Ok((!chunk.is_empty()).then(|| chunk.into()))
    }
}

/// Creates folders and makes their entries durable, sharing one fsync among those who wait at the same time.
#[derive(Default)]
struct Folders {
    /// Folders whose own entry in their parents is durable.
    known: Mutex<HashSet<PathBuf>>,
    rounds: Mutex<HashMap<PathBuf, Arc<Round>>>,
}

#[derive(Default)]
struct Round {
    state: Mutex<RoundState>,
    done: Condvar,
}

#[derive(Default)]
struct RoundState {
    started: u64,
    finished: u64,
    running: bool,
}

impl Folders {
    fn ensure(&self, folder: &Path) -> Result<(), StoreError> {
        let mut known = self.known.lock();
        if known.contains(folder) {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(|error| io("creating a payload folder", &error))?;
        // `blobs/<branch>/<leaf>`: the leaf's entry lies in the branch, the branch's in `blobs`.
        folder.ancestors().skip(1).take(2).try_for_each(sync_dir)?;
        if known.len() > 1_000 {
            known.clear();
        }
        known.insert(folder.to_owned());
        Ok(())
    }

    fn forget(&self, folder: &Path) {
        self.known.lock().remove(folder);
    }

    fn sync(&self, folder: &Path) -> Result<(), StoreError> {
        let round = Arc::clone(self.rounds.lock().entry(folder.to_owned()).or_default());
        let result = round.sync(|| sync_dir(folder));
        drop(round);
        self.rounds.lock().retain(|_, round| Arc::strong_count(round) > 1);
        result
    }
}

impl Round {
    /// Returns after a run of `work` that began after this call did; one run serves all who wait for it.
    fn sync(&self, work: impl Fn() -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut state = self.state.lock();
        let wanted = state.started + 1;
        while state.running && state.finished < wanted {
            self.done.wait(&mut state);
        }
        if state.finished >= wanted {
            return Ok(());
        }
        state.running = true;
        state.started += 1;
        let number = state.started;
        drop(state);
        let result = work();
        let mut state = self.state.lock();
        state.running = false;
        if result.is_ok() {
            state.finished = number;
        }
        self.done.notify_all();
        result
    }
}
