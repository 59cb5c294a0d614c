//! Reading the journal: search, history, export, and the check of its hash chain.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use dds_message::{Clock, Digest, MessageId, TargetId, Timestamp};
use rusqlite::{Connection, params_from_iter, types::Value};

use super::{
    Inner, SqliteStore,
    archive::{self, Archive},
    chain::{Fields, GENESIS},
    fault::{Outcome, damaged},
    files::Files,
    reader::Readers,
    rows, schema, settle,
};
use crate::{Anchor, AuditLog, ChainReport, LogPage, LogQuery, LogRow, StoreError};

/// Entries checked per visit of a connection, so that a long check does not keep the log of the database from
/// starting over.
pub(super) const STRIDE: i64 = 20_000;

/// The journal of a store, read without the master key: it is not encrypted, and whoever verifies it needs no payloads.
/// Cheap to clone.
#[derive(Clone)]
pub struct LogReader {
    pub(super) dir: PathBuf,
    pub(super) readers: Readers,
    pub(super) files: Files,
}

impl LogReader {
    /// Opens the journal of a store that exists, also while another process has it open.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if there is no store, or one of another version.
    pub fn open(dir: impl Into<PathBuf>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let dir = dir.into();
        let readers = Readers::open(&dir, 1)?;
        schema::check_form(&schema::open_reader(&dir)?)?;
        let files = Files::read_only(&dir, clock);
        Ok(Self { dir, readers, files })
    }

    /// As [`SqliteStore::waiting`].
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn waiting(&self) -> Result<BTreeMap<(TargetId, bool), u64>, StoreError> {
        self.readers.read(settle::waiting).await
    }
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LogReader")
    }
}

impl SqliteStore {
    pub(super) fn log(&self) -> LogReader {
        let Inner { dir, readers, files, .. } = &*self.inner;
        LogReader { dir: dir.clone(), readers: readers.clone(), files: files.clone() }
    }
}

#[async_trait]
impl AuditLog for SqliteStore {
    async fn search(&self, query: &LogQuery, after: Option<i64>, limit: u32) -> Result<LogPage, StoreError> {
        self.log().search(query, after, limit).await
    }

    async fn history(&self, id: MessageId) -> Result<Vec<LogRow>, StoreError> {
        self.log().history(id).await
    }

    async fn rows(&self, from: i64, limit: u32) -> Result<Vec<LogRow>, StoreError> {
        self.log().rows(from, limit).await
    }

    async fn verify(&self, from: i64, to: Option<i64>) -> Result<ChainReport, StoreError> {
        self.log().verify(from, to).await
    }

    async fn anchor(&self) -> Result<Anchor, StoreError> {
        self.log().anchor().await
    }
}

#[async_trait]
impl AuditLog for LogReader {
    async fn search(&self, query: &LogQuery, after: Option<i64>, limit: u32) -> Result<LogPage, StoreError> {
        let (query, dir) = (query.clone(), self.dir.clone());
        self.readers.read(move |db| search(db, &dir, &query, after, limit.max(1))).await
    }

    async fn history(&self, id: MessageId) -> Result<Vec<LogRow>, StoreError> {
        let dir = self.dir.clone();
        self.readers.read(move |db| history(db, &dir, id)).await
    }

    async fn rows(&self, from: i64, limit: u32) -> Result<Vec<LogRow>, StoreError> {
        let dir = self.dir.clone();
        self.readers.read(move |db| entries(db, &dir, from, limit)).await
    }

    async fn verify(&self, from: i64, to: Option<i64>) -> Result<ChainReport, StoreError> {
        let end = match to {
            Some(to) => to,
            None => self.readers.read(end).await?,
        };
        let mut check = Check { next: from.max(1), previous: None, checked: 0, broken: None };
        while check.broken.is_none() && check.next <= end {
            let stop = end.min(check.next + STRIDE - 1);
            let dir = self.dir.clone();
            check = self.readers.read(move |db| check.run(db, &dir, stop)).await?;
        }
        let anchor = check.previous.filter(|_| check.checked > 0);
        let anchor = anchor.map(|hash| Anchor { seq: check.next - 1, hash });
        Ok(ChainReport { checked: check.checked, broken: check.broken, anchor })
    }

    async fn anchor(&self) -> Result<Anchor, StoreError> {
        let head = self.readers.read(rows::head).await?;
        Ok(Anchor { seq: head.seq, hash: head.hash })
    }
}

/// The last entry there must be: every journal has a first one, and each closed month is noted in an entry behind it.
pub(super) fn end(db: &Connection) -> Outcome<i64> {
    let floor = archive::floor(&archive::list(db)?);
    Ok(rows::head(db)?.seq.max(floor + 1))
}

/// Search criteria with the index each can use, the most selective first.
fn criteria(query: &LogQuery) -> [(&'static str, Option<&'static str>, Option<&String>); 8] {
    [
        ("case_ref", Some("log_case"), query.case.as_ref()),
        ("code", Some("log_code"), query.code.as_ref()),
        ("target", Some("log_target"), query.target.as_ref()),
        ("authority", Some("log_authority"), query.authority.as_ref()),
        ("procedure", Some("log_procedure"), query.procedure.as_ref()),
        ("state", Some("log_state"), query.state.as_ref()),
        ("source", None, query.source.as_ref()),
        ("event", None, query.event.as_ref()),
    ]
}

/// A page over the current journal and the closed months that the query may concern, newest first.
fn search(db: &Connection, dir: &Path, query: &LogQuery, after: Option<i64>, limit: u32) -> Outcome<LogPage> {
    // One view of both, whatever is moved meanwhile.
    let snapshot = db.unchecked_transaction()?;
    let archives = archive::list(&snapshot)?;
    let floor = archive::floor(&archives);
    let after = after.map(|seq| moment(&snapshot, dir, &archives, seq)).transpose()?;
    let mut found = page(&snapshot, query, floor, after, limit)?;
    let concerned = |archive: &&Archive| {
        query.from.is_none_or(|from| archive.to >= from)
            && query.to.is_none_or(|to| archive.from < to)
            && after.is_none_or(|(at, _)| archive.from <= at)
    };
    for archive in archives.iter().filter(concerned) {
        if let Some(file) = archive.open(dir)? {
            found.extend(page(&file, query, 0, after, limit)?);
        }
    }
    found.sort_by_key(|row| std::cmp::Reverse((row.at, row.seq)));
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    let next = found.last().filter(|_| more).map(|row| row.seq);
    Ok(LogPage { rows: found, next })
}

/// Time and number of the entry after which a page begins.
fn moment(db: &Connection, dir: &Path, archives: &[Archive], seq: i64) -> Outcome<(Timestamp, i64)> {
    let sql = "SELECT at FROM log WHERE seq = ?1";
    let at = |db: &Connection| rows::one(db, sql, [seq], |row| rows::time(row, "at"));
    let found = match archives.iter().find(|archive| (archive.first..=archive.last).contains(&seq)) {
        Some(archive) => archive.open(dir)?.map(|file| at(&file)).transpose()?.flatten(),
        None => at(db)?,
    };
    let found = found.ok_or_else(|| StoreError::NotFound(format!("journal entry {seq}")))?;
    Ok((found, seq))
}

/// One entry more than `limit` tells that there are more.
fn page(
    db: &Connection,
    query: &LogQuery,
    floor: i64,
    after: Option<(Timestamp, i64)>,
    limit: u32,
) -> Outcome<Vec<LogRow>> {
    // The planner has no statistics to choose by, so the index is named.
    let index = criteria(query).iter().find_map(|(_, index, value)| value.and(*index)).unwrap_or("log_at");
    let mut sql = format!("{} INDEXED BY {index} WHERE true", rows::LOG);
    let mut values = Vec::new();
    let mut and = |condition: &str, value: Value| {
        sql.push_str(" AND ");
        sql.push_str(condition);
        values.push(value);
    };
    for (column, _, value) in criteria(query) {
        if let Some(value) = value {
            and(&format!("l.{column} = ?"), Value::Text(value.clone()));
        }
    }
    if let Some(from) = query.from {
        and("l.at >= ?", Value::Integer(from.0));
    }
    if let Some(to) = query.to {
        and("l.at < ?", Value::Integer(to.0));
    }
    if floor > 0 {
        and("l.seq > ?", Value::Integer(floor));
    }
    if let Some((at, after)) = after {
        // The first half bounds the scan of the index, the second passes over entries of the same moment.
        and("l.at <= ?", Value::Integer(at.0));
        and(&format!("(l.at < ? OR l.seq < {after})"), Value::Integer(at.0));
    }
    sql.push_str(" ORDER BY l.at DESC, l.seq DESC LIMIT ?");
    values.push(Value::Integer(i64::from(limit) + 1));
    rows::all(db, &sql, params_from_iter(values), rows::log_row)
}

/// All entries of a message in order.
fn history(db: &Connection, dir: &Path, id: MessageId) -> Outcome<Vec<LogRow>> {
    let snapshot = db.unchecked_transaction()?;
    let archives = archive::list(&snapshot)?;
    let accepted = "SELECT at FROM message WHERE id = ?1";
    let accepted = rows::one(&snapshot, accepted, [id.0.as_bytes()], |row| rows::time(row, "at"))?;
    let sql = format!("{} WHERE l.message = ?1 AND l.seq > ?2 ORDER BY l.seq", rows::LOG);
    let entries = |db: &Connection, floor: i64| {
        rows::all(db, &sql, rusqlite::params![id.0.as_bytes(), floor], rows::log_row)
    };
    let mut found = Vec::new();
    for archive in archives.iter().filter(|archive| accepted.is_none_or(|at| archive.to >= at)) {
        if let Some(file) = archive.open(dir)? {
            found.extend(entries(&file, 0)?);
        }
    }
    found.extend(entries(&snapshot, archive::floor(&archives))?);
    Ok(found)
}

/// Entries from `from` on, in order.
fn entries(db: &Connection, dir: &Path, from: i64, limit: u32) -> Outcome<Vec<LogRow>> {
    let snapshot = db.unchecked_transaction()?;
    let archives = archive::list(&snapshot)?;
    let sql = format!("{} WHERE l.seq >= ?1 ORDER BY l.seq LIMIT ?2", rows::LOG);
    let mut found = Vec::new();
    let mut left = i64::from(limit);
    for archive in archives.iter().filter(|archive| archive.last >= from) {
        if let (Some(file), true) = (archive.open(dir)?, left > 0) {
            found.extend(rows::all(&file, &sql, [from, left], rows::log_row)?);
            left = i64::from(limit) - i64::try_from(found.len()).unwrap_or(i64::MAX);
        }
    }
    if left > 0 {
        let from = from.max(archive::floor(&archives) + 1);
        found.extend(rows::all(&snapshot, &sql, [from, left], rows::log_row)?);
    }
    Ok(found)
}

/// A running check of the chain.
struct Check {
    /// Next entry to check.
    next: i64,
    /// Hash of the entry before; `None` before the first.
    previous: Option<Digest>,
    checked: u64,
    broken: Option<(i64, String)>,
}

impl Check {
    /// Goes on in the closed month where the next entry stands, or in the current journal.
    fn run(self, db: &Connection, dir: &Path, stop: i64) -> Outcome<Self> {
        let snapshot = db.unchecked_transaction()?;
        let archives = archive::list(&snapshot)?;
        match archives.iter().find(|archive| (archive.first..=archive.last).contains(&self.next)) {
            None => self.stretch(&snapshot, stop),
            Some(archive) => match archive.open(dir)? {
                Some(file) => self.stretch(&file, stop.min(archive.last)),
                None => Ok(self.broken_at(&format!("the file {} of its month is missing", archive.name))),
            },
        }
    }

    fn stretch(mut self, db: &Connection, stop: i64) -> Outcome<Self> {
        let mut previous = match self.previous {
            Some(previous) => previous,
            None if self.next == 1 => GENESIS,
            None => {
                let sql = "SELECT hash FROM log WHERE seq = ?1
                           UNION ALL SELECT hash FROM archive WHERE last = ?1 LIMIT 1";
                match rows::one(db, sql, [self.next - 1], |row| rows::digest(row, "hash"))? {
                    Some(hash) => hash,
                    None => return Ok(self.broken_at("the entry before it is missing")),
                }
            }
        };
        let mut statement =
            db.prepare_cached("SELECT * FROM log WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq")?;
        let mut rows = statement.query([self.next, stop])?;
        while let Some(row) = rows.next()? {
            let seq: i64 = row.get(0)?;
            if seq != self.next {
                return Ok(self.broken_at("the entry is missing"));
            }
            let Ok((computed, stored)) = hashes(row, &previous) else {
                return Ok(self.broken_at("the entry is not readable"));
            };
            if computed != stored {
                return Ok(self.broken_at("its content does not fit its hash and the entry before it"));
            }
            previous = stored;
            self.previous = Some(stored);
            self.checked += 1;
            self.next += 1;
        }
        if self.next <= stop {
            return Ok(self.broken_at("the entry is missing"));
        }
        Ok(self)
    }

    fn broken_at(mut self, why: &str) -> Self {
        self.broken = Some((self.next, why.to_owned()));
        self
    }
}

/// The hash an entry must have, and the one it has. By position: a million rows are read this way.
pub(super) fn hashes(row: &rusqlite::Row<'_>, previous: &Digest) -> Outcome<(Digest, Digest)> {
    let text = |index: usize| -> Outcome<Option<&str>> {
        row.get_ref(index)?.as_str_or_null().map_err(|_| damaged("journal"))
    };
    let bytes = |index: usize| -> Outcome<Option<&[u8]>> {
        row.get_ref(index)?.as_blob_or_null().map_err(|_| damaged("journal"))
    };
    let fields = Fields {
        seq: row.get(0)?,
        at: row.get(1)?,
        event: text(2)?.ok_or_else(|| damaged("event"))?,
        message: bytes(3)?,
        delivery: bytes(4)?,
        case: text(5)?,
        source: text(6)?,
        procedure: text(7)?,
        authority: text(8)?,
        target: text(9)?,
        state: text(10)?,
        code: text(11)?,
        data: text(12)?.ok_or_else(|| damaged("data"))?,
    };
    let stored = bytes(13)?.and_then(|bytes| bytes.try_into().ok()).ok_or_else(|| damaged("hash"))?;
    Ok((fields.hash(previous), Digest(stored)))
}
