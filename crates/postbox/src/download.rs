//! Deliveries that the active recipient fetches in chunks (Teile): what it has of them outlives a dialogue that breaks
//! off and the process, so that the next visit goes on where this one stopped.

use dds_osci::{intermediary::Attachment, message::MessageId};
use jiff::Timestamp;
use rusqlite::params;

use crate::{
    Boxes, PostboxError, StoredPart,
    records::{DownloadRecord, micros},
};

/// How a delivery is cut, as its first chunk said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetching {
    /// Size of a chunk in KB (1024 octets), the last one excepted.
    pub chunk_kb: u64,
    /// Number of chunks.
    pub total_chunks: u64,
    /// Size of the whole in KB, if the intermediary tells it.
    pub total_kb: Option<u64>,
}

/// Begonnene Abholung: the first chunks of a delivery that lies at an intermediary elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// How it is cut.
    pub fetching: Fetching,
    /// What there is, from the first chunk on without a gap.
    pub chunks: Vec<Attachment<StoredPart>>,
}

impl Boxes<'_> {
    /// MessageIds of the deliveries that this recipient has begun to fetch.
    pub fn downloads(&mut self, recipient: &str) -> Result<Vec<MessageId>, PostboxError> {
        let mut statement =
            self.connection.prepare_cached("SELECT DISTINCT id FROM download WHERE recipient = ?1")?;
        let rows = statement.query_map([recipient], |row| row.get::<_, String>(0))?;
        rows.map(|id| Ok(MessageId::new(id?))).collect()
    }

    /// What this recipient has of a delivery; `None`: nothing.
    pub fn download(&mut self, recipient: &str, id: &MessageId) -> Result<Option<Download>, PostboxError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, record FROM download WHERE recipient = ?1 AND id = ?2 ORDER BY number",
        )?;
        let rows = statement.query_map(params![recipient, id.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))
        })?;
        let mut download: Option<Download> = None;
        for row in rows {
            let (number, sealed) = row?;
            let record: DownloadRecord =
                self.open("download", &format!("{recipient}/{id}/{number}"), &sealed)?;
            let (fetching, chunk) = record.open();
            download.get_or_insert(Download { fetching, chunks: Vec::new() }).chunks.push(chunk);
        }
        Ok(download)
    }

    /// Keeps one more chunk; `number` counts from 1.
    pub fn keep_fetched(
        &mut self,
        recipient: &str,
        id: &MessageId,
        fetching: &Fetching,
        (number, chunk): (u64, &Attachment<StoredPart>),
        at: Timestamp,
    ) -> Result<(), PostboxError> {
        let sealed = self.seal(
            "download",
            &format!("{recipient}/{id}/{number}"),
            &DownloadRecord::of(fetching, chunk),
        )?;
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO download (recipient, id, number, at, record) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![recipient, id.as_str(), number.cast_signed(), micros(at), sealed])?;
        self.hold(&format!("download/{recipient}/{id}"), std::iter::once(&chunk.handle))
    }

    /// Forgets what there is of a delivery; answers what [`Postbox::discard`](crate::Postbox::discard) may remove after
    /// the commit.
    pub fn end_download(&mut self, recipient: &str, id: &MessageId) -> Result<Vec<StoredPart>, PostboxError> {
        let Some(download) = self.download(recipient, id)? else { return Ok(Vec::new()) };
        self.connection
            .prepare_cached("DELETE FROM download WHERE recipient = ?1 AND id = ?2")?
            .execute(params![recipient, id.as_str()])?;
        self.release(&format!("download/{recipient}/{id}"))?;
        Ok(download.chunks.into_iter().map(|chunk| chunk.handle).collect())
    }
}
