//! Closed months of the journal (abgeschlossene Monate), each in a read-only file of its own: `journal/2026-10-1.db`,
//! named by its month and its first entry. The database stays small, the hash chain goes through, searches find both.
//!
//! A month is moved in three steps, each durable before the next: the entries are copied, with their chain checked,
//! into a new file; one commit registers the file and says so in the journal; the entries are deleted, a few at a time.
//! A crash in between leaves a file that nobody registered, which the next run replaces, or entries that stand twice:
//! readers take the registered file, and the next run deletes the rest.

use std::{fs, path::Path};

use dds_message::{Digest, EntryFacts, JournalEvent, Timestamp};
use rusqlite::{Connection, OpenFlags, params, params_from_iter, types::Value};

use super::{
    SqliteStore,
    audit::hashes,
    chain::GENESIS,
    committer::Haste,
    fault::{self, Outcome},
    files, rows, schema,
    tx::{Subject, Tx},
};
use crate::{Archived, NewEntry, StoreError};

/// Folder of the files, beside the database.
const FOLDER: &str = "journal";
/// Entries copied or checked per visit of a connection.
const STRIDE: i64 = 20_000;
/// Entries deleted per commit, so that others do not wait.
const BATCH: i64 = 1_000;

/// A closed month.
#[derive(Debug, Clone)]
pub(super) struct Archive {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) name: String,
    /// Hash of the last entry.
    hash: Digest,
    /// Earliest and latest time of its entries.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
}

impl Archive {
    /// Opens the file to read it; `None` if the operator has taken it away.
    pub(super) fn open(&self, dir: &Path) -> Outcome<Option<Connection>> {
        let path = dir.join(FOLDER).join(&self.name);
        if !path.exists() {
            return Ok(None);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Some(Connection::open_with_flags(path, flags)?))
    }
}

/// The registered files, oldest first.
pub(super) fn list(db: &Connection) -> Outcome<Vec<Archive>> {
    rows::all(db, "SELECT * FROM archive ORDER BY last", [], |row| {
        Ok(Archive {
            first: row.get("first")?,
            last: row.get("last")?,
            name: row.get("name")?,
            hash: rows::digest(row, "hash")?,
            from: rows::time(row, "from_at")?,
            to: rows::time(row, "to_at")?,
        })
    })
}

/// Last entry that stands in a file; what the database still has of these does not count.
pub(super) fn floor(archives: &[Archive]) -> i64 {
    archives.last().map_or(0, |archive| archive.last)
}

impl SqliteStore {
    /// Moves every closed month into its file. See [`crate::Retention::archive`].
    pub(super) async fn archive_months(&self) -> Result<Archived, StoreError> {
        let mut done = Archived::default();
        self.purge().await?;
        let now = self.inner.clock.now();
        while let Some(archive) = self.copy_month(now).await? {
            done.months += 1;
            done.entries += u64::try_from(archive.last - archive.first + 1).unwrap_or(0);
            self.inner.committer.submit(Haste::Waited, 1_024, move |tx| register(tx, &archive, now)).await?;
            self.purge().await?;
        }
        Ok(done)
    }

    /// Copies the oldest month into a file, if it is over.
    async fn copy_month(&self, now: Timestamp) -> Result<Option<Archive>, StoreError> {
        let Some(month) = self.inner.readers.read(move |db| closed(db, now)).await? else { return Ok(None) };
        let folder = self.inner.dir.join(FOLDER);
        fs::create_dir_all(&folder)
            .map_err(|error| fault::io("creating the folder of the journal", &error))?;
        let fresh = folder.join("new");
        let path = fresh.clone();
        let mut copy = self.inner.readers.read(move |_| Moving::begin(&path, month)).await?;
        while !copy.complete() {
            copy = self.inner.readers.read(move |db| copy.go_on(db)).await?;
        }
        let archive = self.inner.readers.read(move |_| copy.end(&fresh)).await?;
        Ok(Some(archive))
    }

    /// Deletes the entries that stand in a registered file.
    async fn purge(&self) -> Result<(), StoreError> {
        let purge = |tx: &mut Tx<'_>| -> Outcome<usize> {
            let floor = floor(&list(tx.db())?);
            let sql =
                "DELETE FROM log WHERE seq IN (SELECT seq FROM log WHERE seq <= ?1 ORDER BY seq LIMIT ?2)";
            Ok(tx.db().prepare_cached(sql)?.execute([floor, BATCH])?)
        };
        while self.inner.committer.submit(Haste::Waited, 512 * 1_024, purge).await? > 0 {}
        Ok(())
    }
}

/// Entries of one month that is over.
struct Month {
    name: String,
    first: i64,
    last: i64,
    previous: Digest,
}

/// The oldest month in the database, if it is over: from its first entry to the last before one of a later month.
fn closed(db: &Connection, now: Timestamp) -> Outcome<Option<Month>> {
    let archives = list(db)?;
    let first = floor(&archives) + 1;
    let sql = "SELECT at FROM log WHERE seq = ?1";
    let Some(begin) = rows::one(db, sql, [first], |row| rows::time(row, "at"))? else { return Ok(None) };
    let Some((month, end)) = month(begin).filter(|(_, end)| *end <= now) else { return Ok(None) };
    // By the index over time; the entry before the first later one is the last, whatever its own time.
    let sql = "SELECT MIN(seq) AS seq FROM log INDEXED BY log_at WHERE at >= ?1 AND seq > ?2";
    let next = rows::one(db, sql, [end.0, first], |row| Ok(row.get::<_, Option<i64>>("seq")?))?.flatten();
    let last = match next {
        Some(next) => next - 1,
        None => rows::head(db)?.seq,
    };
    let previous = archives.last().map_or(GENESIS, |archive| archive.hash);
    Ok(Some(Month { name: format!("{month}-{first}.db"), first, last, previous }))
}

/// `2026-10` and the first moment after it (UTC).
fn month(at: Timestamp) -> Option<(String, Timestamp)> {
    let day = at.day();
    let (year, month) = (day.get(..4)?.parse::<i32>().ok()?, day.get(5..7)?.parse::<u32>().ok()?);
    let (next_year, next) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let end = Timestamp::parse(&format!("{next_year:04}-{next:02}-01T00:00:00Z")).ok()?;
    Some((day.get(..7)?.to_owned(), end))
}

/// A file being written.
struct Moving {
    file: Connection,
    month: Month,
    /// Next entry, and the hash of the one before.
    next: i64,
    previous: Digest,
}

impl Moving {
    fn begin(path: &Path, month: Month) -> Outcome<Self> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(fault::io("clearing the folder of the journal", &error).into());
            }
            _ => {}
        }
        let file = Connection::open(path)?;
        // Nobody reads the file before it is whole and synced, and a crash throws it away.
        file.pragma_update_and_check(None, "journal_mode", "OFF", |_| Ok(()))?;
        file.execute_batch(&format!(
            "PRAGMA synchronous = OFF; {}; {}",
            schema::LOG_TABLE,
            schema::ARCHIVE_TABLE
        ))?;
        if month.first > 1 {
            // What the first entry follows, so that the file can be read by itself.
            let sql =
                "INSERT INTO archive (last, first, name, hash, from_at, to_at) VALUES (?1, 0, '', ?2, 0, 0)";
            file.execute(sql, params![month.first - 1, month.previous.0])?;
        }
        Ok(Self { file, next: month.first, previous: month.previous, month })
    }

    const fn complete(&self) -> bool {
        self.next > self.month.last
    }

    fn go_on(mut self, db: &Connection) -> Outcome<Self> {
        let stop = self.month.last.min(self.next + STRIDE - 1);
        let broken = |seq: i64| {
            StoreError::Corrupt(format!(
                "journal entry {seq} does not fit the chain; its month stays where it is"
            ))
        };
        let mut read = db.prepare_cached("SELECT * FROM log WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq")?;
        let mut entries = read.query([self.next, stop])?;
        self.file.execute_batch("BEGIN")?;
        let columns = vec!["?"; 14].join(", ");
        let mut write = self.file.prepare(&format!("INSERT INTO log VALUES ({columns})"))?;
        while let Some(entry) = entries.next()? {
            let (computed, stored) = hashes(entry, &self.previous)?;
            if computed != stored || entry.get::<_, i64>(0)? != self.next {
                return Err(broken(self.next).into());
            }
            let values = (0..14).map(|column| entry.get(column)).collect::<Result<Vec<Value>, _>>()?;
            write.execute(params_from_iter(values))?;
            (self.previous, self.next) = (stored, self.next + 1);
        }
        drop(write);
        if self.next <= stop {
            return Err(broken(self.next).into());
        }
        self.file.execute_batch("COMMIT")?;
        Ok(self)
    }

    /// Makes the file durable under its name, read-only.
    fn end(self, path: &Path) -> Outcome<Archive> {
        let Self { file, month, previous, .. } = self;
        file.execute_batch(schema::LOG_INDEXES)?;
        let span = "SELECT MIN(at) AS first, MAX(at) AS last FROM log";
        let (from, to) =
            file.query_row(span, [], |row| Ok((Timestamp(row.get("first")?), Timestamp(row.get("last")?))))?;
        file.close().map_err(|(_, error)| error)?;
        let seal = || -> std::io::Result<()> {
            let file = fs::File::open(path)?;
            let mut permissions = file.metadata()?.permissions();
            permissions.set_readonly(true);
            file.set_permissions(permissions)?;
            file.sync_all()?;
            fs::rename(path, path.with_file_name(&month.name))
        };
        seal().map_err(|error| fault::io("closing a month of the journal", &error))?;
        files::sync_dir(path.parent().unwrap_or(path))?;
        let Month { name, first, last, .. } = month;
        Ok(Archive { first, last, name, hash: previous, from, to })
    }
}

/// From now on the file counts, and the journal says so.
fn register(tx: &mut Tx<'_>, archive: &Archive, now: Timestamp) -> Outcome<()> {
    let Archive { first, last, name, hash, from, to } = archive;
    let sql = "INSERT INTO archive (last, first, name, hash, from_at, to_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.db().execute(sql, params![last, first, name, hash.0, from.0, to.0])?;
    let data =
        EntryFacts::new().with("file", name).with("first", first).with("last", last).with("hash", hash);
    let entry = NewEntry { data, ..NewEntry::new(JournalEvent::JournalArchived) };
    tx.log(&entry, now, &Subject::default(), None, None)
}
