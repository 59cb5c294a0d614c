//! Tables of the embedded engine, and how its file is made and opened.

use std::{fs, io::ErrorKind, path::Path};

use dds_message::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, config::DbConfig, params};

use super::{
    fault::{self, Outcome},
    private_file,
};
use crate::{MasterKey, StoreError, Vault, vault::RootKey};

/// File of the database in the folder of the store.
pub(super) const DATABASE: &str = "store.db";

/// Version of the tables below. Raise it with every change, and add the step from the version before.
const VERSION: i64 = 4;

/// Row of `meta` that holds the root key, wrapped by the master key. Since version 4.
const ROOT_KEY: &str = "root_key";

/// File with the same beside the database: what lies in other files (payloads, OSCI mailboxes) can be read under the
/// master key also when the database is lost.
const ROOT_FILE: &str = "root.key";

/// Statements kept prepared per connection; more than the engine has.
const STATEMENTS: usize = 128;

/// Columns hold names (`accepted`, `prepared`) instead of numbers, so that a person with `sqlite3` can read them.
/// Every index ends with the row id by itself, which is the order of creation.
const TABLES: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;

-- Counts per state, kept by the committer.
CREATE TABLE tally (kind TEXT NOT NULL, state TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (kind, state))
    STRICT, WITHOUT ROWID;

CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    direction TEXT NOT NULL,
    answers BLOB,
    source TEXT NOT NULL,
    channel TEXT NOT NULL,
    sender_key BLOB NOT NULL,
    wrapped_key BLOB,
    digest BLOB NOT NULL,
    imprint BLOB,
    size INTEGER NOT NULL,
    format TEXT NOT NULL,
    attachments BLOB,
    procedure TEXT,
    type_name TEXT,
    type_version TEXT,
    municipality TEXT,
    addressee TEXT,
    authority TEXT,
    case_ref TEXT,
    release BLOB,
    rule TEXT,
    state TEXT NOT NULL,
    code TEXT,
    final_at INTEGER,
    UNIQUE (source, sender_key)
) STRICT;
CREATE INDEX message_accepted ON message (state) WHERE state = 'accepted';
CREATE INDEX message_case ON message (case_ref) WHERE case_ref IS NOT NULL;
CREATE INDEX message_answers ON message (answers) WHERE answers IS NOT NULL;
CREATE INDEX message_final ON message (final_at) WHERE final_at IS NOT NULL AND wrapped_key IS NOT NULL;

CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    message INTEGER NOT NULL,
    target TEXT NOT NULL,
    authority TEXT,
    product TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    lane INTEGER,
    pull INTEGER NOT NULL,
    code TEXT,
    receipt TEXT,
    output_digest BLOB,
    media_type TEXT,
    file_name TEXT
) STRICT;
CREATE INDEX delivery_message ON delivery (message);
CREATE INDEX delivery_open ON delivery (state) WHERE state IN ('prepared', 'in_doubt');

-- Payloads apart from their rows, so that a change of state does not rewrite them: packed and sealed in place, or
-- the id of the blob that holds them. `size` is the length of the clear bytes.
CREATE TABLE document (owner INTEGER PRIMARY KEY, size INTEGER NOT NULL, sealed BLOB, blob BLOB) STRICT;
CREATE TABLE report (owner INTEGER PRIMARY KEY, size INTEGER NOT NULL, sealed BLOB, blob BLOB) STRICT;
CREATE TABLE output (owner INTEGER PRIMARY KEY, size INTEGER NOT NULL, sealed BLOB, blob BLOB) STRICT;

-- Payload files that belong to a message; a file without a row here is an orphan.
CREATE TABLE blob (id BLOB PRIMARY KEY, message INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX blob_message ON blob (message);
";

/// The journal, in the database and in the file of each closed month alike.
pub(super) const LOG_TABLE: &str = "CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    message BLOB,
    delivery BLOB,
    case_ref TEXT,
    source TEXT,
    procedure TEXT,
    authority TEXT,
    target TEXT,
    state TEXT,
    code TEXT,
    data TEXT NOT NULL,
    hash BLOB NOT NULL
) STRICT";

/// Ways into the journal.
pub(super) const LOG_INDEXES: &str = "
CREATE INDEX log_at ON log (at);
CREATE INDEX log_message ON log (message) WHERE message IS NOT NULL;
CREATE INDEX log_case ON log (case_ref, at) WHERE case_ref IS NOT NULL;
CREATE INDEX log_procedure ON log (procedure, at) WHERE procedure IS NOT NULL;
CREATE INDEX log_authority ON log (authority, at) WHERE authority IS NOT NULL;
CREATE INDEX log_target ON log (target, at) WHERE target IS NOT NULL;
CREATE INDEX log_state ON log (state, at) WHERE state IS NOT NULL;
CREATE INDEX log_code ON log (code, at) WHERE code IS NOT NULL;
";

/// Closed months of the journal (`archive.rs`), by their last entry with its hash. Since version 2.
pub(super) const ARCHIVE_TABLE: &str = "CREATE TABLE archive (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL,
    name TEXT NOT NULL,
    hash BLOB NOT NULL,
    from_at INTEGER NOT NULL,
    to_at INTEGER NOT NULL
) STRICT";

/// What only a store leaves behind that had a database.
const TRACES: [&str; 4] = ["blobs", "journal", "store.db-wal", "store.db-shm"];

/// Makes the database in `dir` if there is none. A crash leaves either no database or a whole one. Where a database
/// must have been, an empty one in its place would accept every repeat again and sweep the payload files as orphans:
/// that is [`StoreError::Missing`], unless the operator wishes to begin anew; what is left then goes into a folder
/// `lost-<time>`.
pub(super) fn create_if_missing(
    dir: &Path,
    master: &MasterKey,
    anew: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (path, fresh) = (dir.join(DATABASE), dir.join("store.db.new"));
    if path.exists() {
        return Ok(());
    }
    let traces: Vec<&str> = TRACES.into_iter().filter(|name| dir.join(name).exists()).collect();
    if !traces.is_empty() {
        if !anew {
            return Err(StoreError::Missing(dir.display().to_string()));
        }
        let lost = dir.join(format!("lost-{}", now.0));
        super::private_folder(&lost)
            .and_then(|()| traces.iter().try_for_each(|name| fs::rename(dir.join(name), lost.join(name))))
            .map_err(|error| fault::io("setting aside what is left of the store", &error))?;
    }
    for leftover in ["store.db.new", "store.db.new-journal"] {
        match fs::remove_file(dir.join(leftover)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(fault::io("clearing", &error)),
            _ => {}
        }
    }
    make(&fresh, master)?;
    fs::File::open(&fresh).and_then(|file| file.sync_all()).map_err(|error| fault::io("syncing", &error))?;
    fs::rename(&fresh, &path).map_err(|error| fault::io("creating the database", &error))?;
    super::files::sync_dir(dir)?;
    tracing::warn!(folder = %dir.display(), "store.created");
    Ok(())
}

fn make(path: &Path, master: &MasterKey) -> Result<(), StoreError> {
    let root = left_root(path.parent().unwrap_or(path), master)?;
    let root = if let Some(left) = root { left } else { master.wrap(&RootKey::generate()?)? };
    private_file(path).map_err(|error| fault::io("creating the database of the store", &error))?;
    let make = || -> Outcome<()> {
        let db = Connection::open(path)?;
        db.pragma_update(None, "page_size", 8192)?;
        db.execute_batch(&format!("BEGIN; {TABLES} {LOG_TABLE}; {LOG_INDEXES} {ARCHIVE_TABLE};"))?;
        let mut insert = db.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
        insert.execute(params!["schema", VERSION])?;
        insert.execute(params!["generation", 0])?;
        insert.execute(params![ROOT_KEY, root])?;
        drop(insert);
        db.execute_batch("COMMIT")?;
        Ok(())
    };
    make().map_err(StoreError::from)
}

/// Opens the connection of the committer: checks the form, opens the vault, and counts up the generation, which it
/// returns too.
pub(super) fn open_writer(dir: &Path, master: &MasterKey) -> Result<(Connection, Vault, i64), StoreError> {
    let db = writer(&dir.join(DATABASE))?;
    upgrade(&db, dir, master)?;
    let vault = open_vault(&db, dir, master)?;
    keep_root(&db, dir)?;
    let count = "UPDATE meta SET value = value + 1 WHERE key = 'generation' RETURNING value";
    let generation = db.query_row(count, [], |row| row.get(0)).map_err(fault::Fault::from)?;
    Ok((db, vault, generation))
}

/// Brings the tables of an older version to the present one, version by version.
fn upgrade(db: &Connection, dir: &Path, master: &MasterKey) -> Result<(), StoreError> {
    let steps = [
        // Version 1 knew no closed months.
        (1, ARCHIVE_TABLE),
        // Version 2 compared only the documents under one key of a sender.
        (2, "ALTER TABLE message ADD COLUMN imprint BLOB"),
    ];
    for (from, step) in steps {
        if is_version(db, from)? {
            let step =
                format!("BEGIN; {step}; UPDATE meta SET value = {} WHERE key = 'schema'; COMMIT", from + 1);
            db.execute_batch(&step).map_err(fault::Fault::from)?;
        }
    }
    if is_version(db, 3)? { separate_root(db, dir, master) } else { Ok(()) }
}

fn is_version(db: &Connection, version: i64) -> Outcome<bool> {
    Ok(meta(db, "schema")?.is_some_and(|found| found == rusqlite::types::Value::Integer(version)))
}

/// From version 3 to 4: what the master key was for the keys of messages becomes the root key, which it wraps.
fn separate_root(db: &Connection, dir: &Path, master: &MasterKey) -> Result<(), StoreError> {
    let check = blob(db, "key_check")?;
    let root = master.as_root(&check)?.ok_or_else(|| wrong_key(dir))?;
    let wrapped = master.wrap(&root)?;
    let replace = || -> Outcome<()> {
        let step = db.unchecked_transaction()?;
        step.execute("DELETE FROM meta WHERE key = 'key_check'", [])?;
        step.execute("INSERT INTO meta (key, value) VALUES (?1, ?2)", params![ROOT_KEY, wrapped])?;
        step.execute("UPDATE meta SET value = 4 WHERE key = 'schema'", [])?;
        step.commit()?;
        Ok(())
    };
    replace().map_err(StoreError::from)
}

fn meta(db: &Connection, key: &str) -> Outcome<Option<rusqlite::types::Value>> {
    Ok(db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?)
}

/// Whether this program can read the store.
pub(super) fn check_form(db: &Connection) -> Result<(), StoreError> {
    match meta(db, "schema")? {
        Some(rusqlite::types::Value::Integer(VERSION)) => Ok(()),
        Some(rusqlite::types::Value::Integer(other)) => Err(StoreError::Unavailable(format!(
            "the store has schema {other}, this program writes {VERSION}: start the version that wrote it"
        ))),
        _ => Err(StoreError::Corrupt("no schema version".into())),
    }
}

/// The same, and the vault, if `master` is its key.
pub(super) fn open_vault(db: &Connection, dir: &Path, master: &MasterKey) -> Result<Vault, StoreError> {
    check_form(db)?;
    let root = master.unwrap(&blob(db, ROOT_KEY)?)?.ok_or_else(|| wrong_key(dir))?;
    Ok(Vault::new(&root))
}

/// What a lost database left of its root key, still wrapped.
fn left_root(dir: &Path, master: &MasterKey) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(dir.join(ROOT_FILE)) {
        Ok(left) => master.unwrap(&left)?.map(|_| Some(left)).ok_or_else(|| wrong_key(dir)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(fault::io("reading the root key", &error)),
    }
}

/// Makes the file say what the database says. A crash leaves the file of before or this one.
pub(super) fn keep_root(db: &Connection, dir: &Path) -> Result<(), StoreError> {
    let (wrapped, path) = (blob(db, ROOT_KEY)?, dir.join(ROOT_FILE));
    if fs::read(&path).is_ok_and(|kept| kept == wrapped) {
        return Ok(());
    }
    let fresh = dir.join("root.key.new");
    let write = || {
        private_file(&fresh)?;
        fs::write(&fresh, &wrapped)?;
        fs::File::open(&fresh)?.sync_all()?;
        fs::rename(&fresh, &path)
    };
    write().map_err(|error| fault::io("keeping the root key", &error))?;
    super::files::sync_dir(dir)
}

/// Has `new` wrap the root key instead of `current`, in the transaction of the caller.
pub(super) fn wrap_root_anew(
    db: &Connection,
    dir: &Path,
    current: &MasterKey,
    new: &MasterKey,
) -> Result<(), StoreError> {
    let root = current.unwrap(&blob(db, ROOT_KEY)?)?.ok_or_else(|| wrong_key(dir))?;
    let wrapped = new.wrap(&root)?;
    let update = "UPDATE meta SET value = ?1 WHERE key = ?2";
    db.execute(update, params![wrapped, ROOT_KEY]).map_err(fault::Fault::from)?;
    Ok(())
}

fn blob(db: &Connection, key: &str) -> Result<Vec<u8>, StoreError> {
    match meta(db, key)? {
        Some(rusqlite::types::Value::Blob(bytes)) => Ok(bytes),
        _ => Err(StoreError::Corrupt(format!("no {key}"))),
    }
}

fn wrong_key(dir: &Path) -> StoreError {
    StoreError::OtherKey(dir.display().to_string())
}

fn writer(path: &Path) -> Outcome<Connection> {
    let db = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE, 32)?;
    // A commit is durable when it returns. Deleted keys and payloads are overwritten. Checkpoints are our own.
    db.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 268435456;",
    )?;
    Ok(db)
}

/// Opens a connection for the checkpoints.
pub(super) fn open_checkpointer(dir: &Path) -> Result<Connection, StoreError> {
    let open = || -> Outcome<Connection> {
        let db = connect(&dir.join(DATABASE), OpenFlags::SQLITE_OPEN_READ_WRITE, 1)?;
        db.execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;")?;
        Ok(db)
    };
    open().map_err(StoreError::from)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(dir: &Path) -> Result<Connection, StoreError> {
    let open = || -> Outcome<Connection> {
        let db = connect(&dir.join(DATABASE), OpenFlags::SQLITE_OPEN_READ_WRITE, 4)?;
        db.execute_batch("PRAGMA query_only = ON")?;
        Ok(db)
    };
    open().map_err(StoreError::from)
}

/// `cache` in MiB.
fn connect(path: &Path, flags: OpenFlags, cache: i64) -> Outcome<Connection> {
    let db = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    // Else SQLite plans a statement anew for every value that might let it use a partial index.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |row| {
        let mode: String = row.get(0)?;
        if mode == "wal" { Ok(()) } else { Err(rusqlite::Error::InvalidQuery) }
    })?;
    db.execute_batch(&format!(
        "PRAGMA cache_size = -{}; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
        cache * 1024
    ))?;
    Ok(db)
}
