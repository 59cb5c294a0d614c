//! Which releases (Depotstände) the journal names: what somebody may have to explain needs them for good.

use std::{collections::BTreeSet, path::Path};

use dds_message::{Digest, ReleaseId};
use rusqlite::Connection;

use super::{
    archive,
    audit::{LogReader, STRIDE, end},
    fault::Outcome,
    rows,
};
use crate::StoreError;

impl LogReader {
    /// Every release that any entry names: what a message was matched with, what a delivery was made under, what was in
    /// force. Reads the whole journal, with its closed months.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the file of a closed month is missing: nobody knows what it names.
    pub async fn releases(&self) -> Result<BTreeSet<ReleaseId>, StoreError> {
        let end = self.readers.read(end).await?;
        let (mut found, mut next) = (BTreeSet::new(), 1);
        while next <= end {
            let dir = self.dir.clone();
            let (named, last) = self.readers.read(move |db| stretch(db, &dir, next, end)).await?;
            found.extend(named);
            next = last + 1;
        }
        Ok(found)
    }
}

/// What a stretch of entries from `first` on names, and its last entry.
fn stretch(db: &Connection, dir: &Path, first: i64, end: i64) -> Outcome<(Vec<ReleaseId>, i64)> {
    let snapshot = db.unchecked_transaction()?;
    let stop = end.min(first + STRIDE - 1);
    let archives = archive::list(&snapshot)?;
    let Some(archive) = archives.iter().find(|archive| (archive.first..=archive.last).contains(&first))
    else {
        return Ok((named(&snapshot, first, stop)?, stop));
    };
    let file = archive.open(dir)?.ok_or_else(|| {
        StoreError::Corrupt(format!("the file {} of a closed month of the journal is missing", archive.name))
    })?;
    let stop = stop.min(archive.last);
    Ok((named(&file, first, stop)?, stop))
}

fn named(db: &Connection, first: i64, last: i64) -> Outcome<Vec<ReleaseId>> {
    let sql = "SELECT DISTINCT fact.value AS id FROM log, json_each(log.data) AS fact
               WHERE log.seq BETWEEN ?1 AND ?2 AND fact.key IN ('release', 'previous') AND fact.type = 'text'";
    let ids = rows::all(db, sql, [first, last], |row| Ok(row.get::<_, String>("id")?))?;
    Ok(ids.iter().filter_map(|id| Digest::parse(id).ok().map(ReleaseId)).collect())
}
