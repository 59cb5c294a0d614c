//! Payloads of messages and deliveries: packed with Zstandard, sealed, and kept in the database if that is small, in a
//! file of their own otherwise.

use std::cell::RefCell;

use bytes::Bytes;
use rusqlite::{Connection, Row, params};
use tokio::task::spawn_blocking;
use uuid::Uuid;
use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::CParameter,
};

use super::{
    fault::{Outcome, damaged},
    files::Files,
    reader::blocking,
    rows,
    tx::Tx,
};
use crate::{
    BlobRef, MessageKey, StoreError,
    seal::{self, Place},
};

/// So many clear bytes are unpacked in less time than another thread needs to begin.
const SHORT: i64 = 64 << 10;

/// XML shrinks to a fifth at the fastest level already; more costs time on every message.
const LEVEL: i32 = 1;

/// Logarithm of the entries of the table in which Zstandard looks for repetitions: 16 KB, which fit into the first
/// cache of a processor. The 128 KB of the level pack applications no better.
const TABLE: u32 = 12;

/// A payload as stored.
#[derive(Debug)]
pub(super) struct Stored {
    /// Length of the clear bytes.
    size: i64,
    /// In the database,
    sealed: Option<Vec<u8>>,
    /// or in a file.
    pub(super) blob: Option<BlobRef>,
}

impl Stored {
    /// Bytes it takes in the database.
    pub(super) fn weight(&self) -> usize {
        self.sealed.as_ref().map_or(0, Vec::len)
    }

    /// Writes the row of the payload. `table` is one of `document`, `report`, `output`.
    pub(super) fn insert(&self, tx: &Tx<'_>, table: &str, owner: i64, message: i64) -> Outcome<()> {
        let sql = match table {
            "document" => "INSERT INTO document (owner, size, sealed, blob) VALUES (?1, ?2, ?3, ?4)",
            "report" => "INSERT OR REPLACE INTO report (owner, size, sealed, blob) VALUES (?1, ?2, ?3, ?4)",
            _ => "INSERT INTO output (owner, size, sealed, blob) VALUES (?1, ?2, ?3, ?4)",
        };
        let blob = self.blob.as_ref().map(|blob| blob.0.as_bytes().as_slice());
        tx.db().prepare_cached(sql)?.execute(params![owner, self.size, self.sealed, blob])?;
        self.blob.iter().try_for_each(|blob| own(tx, blob, message))
    }

    /// Reads the columns `size, sealed, blob`.
    pub(super) fn read(row: &Row<'_>) -> Outcome<Self> {
        Ok(Self { size: row.get("size")?, sealed: row.get("sealed")?, blob: rows::blob(row, "blob")? })
    }
}

/// Records that a payload file belongs to a message, unless the sweep of orphans took it: then it must be written anew.
pub(super) fn own(tx: &Tx<'_>, blob: &BlobRef, message: i64) -> Outcome<()> {
    if !tx.shared().files.may_be_owned(blob) {
        return Err(StoreError::Unavailable(format!("payload {} was swept: send again", blob.0)).into());
    }
    tx.db()
        .prepare_cached("INSERT INTO blob (id, message) VALUES (?1, ?2)")?
        .execute(params![blob.0.as_bytes(), message])?;
    Ok(())
}

/// Whether a payload file belongs to a message.
pub(super) fn is_owned(db: &Connection, blob: &BlobRef) -> Outcome<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM blob WHERE id = ?1")?.exists([blob.0.as_bytes()])?)
}

/// A payload that a message has is not there: that is damage, and nothing that whoever asked for it got wrong.
pub(super) fn lost(what: &str) -> StoreError {
    StoreError::Corrupt(format!("{what} is gone"))
}

/// A payload with what opens it.
pub(super) struct Sealed {
    pub(super) key: MessageKey,
    pub(super) place: Place,
    /// Message or delivery whose payload it is.
    pub(super) owner: Uuid,
    pub(super) stored: Stored,
}

impl Sealed {
    /// The clear bytes: of a short payload in the database here, else on a thread that may block.
    pub(super) async fn open(self, files: &Files) -> Result<Bytes, StoreError> {
        let Self { key, place, owner, stored } = self;
        if stored.sealed.is_some() && stored.size <= SHORT {
            return load(files, &key, place, owner, &stored).map_err(StoreError::from);
        }
        let files = files.clone();
        let load = move || load(&files, &key, place, owner, &stored).map_err(StoreError::from);
        blocking(spawn_blocking(load)).await
    }
}

/// Packs, seals and, if it is larger than `inline` bytes then, writes a file (which blocks).
pub(super) fn store(
    files: &Files,
    inline: usize,
    key: &MessageKey,
    place: Place,
    owner: Uuid,
    clear: &[u8],
) -> Result<Stored, StoreError> {
    let packed = pack(clear)?;
    let size = i64::try_from(clear.len()).map_err(|_| StoreError::Invalid("payload too long".into()))?;
    if packed.len() > inline {
        return Ok(Stored { size, sealed: None, blob: Some(files.write(key, &packed)?) });
    }
    Ok(Stored { size, sealed: Some(seal::seal(key, place, owner, &packed)?), blob: None })
}

/// The clear bytes. May read a file, which blocks.
pub(super) fn load(
    files: &Files,
    key: &MessageKey,
    place: Place,
    owner: Uuid,
    stored: &Stored,
) -> Outcome<Bytes> {
    let packed = match (&stored.sealed, &stored.blob) {
        (Some(sealed), _) => seal::open(key, place, owner, sealed)?,
        (None, Some(blob)) => files.read(blob, key).map_err(|error| match error {
            StoreError::NotFound(what) => lost(&what),
            other => other,
        })?,
        (None, None) => return Err(damaged("payload")),
    };
    let size = usize::try_from(stored.size).map_err(|_| damaged("size"))?;
    let clear = unpack(&packed, size).ok_or_else(|| damaged("payload"))?;
    Ok(clear.into())
}

thread_local! {
    // Making a context costs more than packing a small message with it.
    static PACKER: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

fn pack(clear: &[u8]) -> Result<Vec<u8>, StoreError> {
    let failed = |error: std::io::Error| StoreError::Unavailable(format!("packing a payload: {error}"));
    PACKER.with_borrow_mut(|packer| {
        let packer = match packer {
            Some(packer) => packer,
            None => {
                let mut fresh = Compressor::new(LEVEL).map_err(failed)?;
                fresh.set_parameter(CParameter::HashLog(TABLE)).map_err(failed)?;
                packer.insert(fresh)
            }
        };
        packer.compress(clear).map_err(failed)
    })
}

fn unpack(packed: &[u8], size: usize) -> Option<Vec<u8>> {
    UNPACKER.with_borrow_mut(|unpacker| {
        let unpacker = match unpacker {
            Some(unpacker) => unpacker,
            None => unpacker.insert(Decompressor::new().ok()?),
        };
        unpacker.decompress(packed, size).ok().filter(|clear| clear.len() == size)
    })
}
