//! Whether the tables and the payloads still say what the journal says: the hash chain proves the journal alone.
//!
//! Each message is compared with its own entries: the digest of its document, its state, and target, state and digest
//! of each of its deliveries. Its payload files must be there; with the master key every payload is opened and must
//! have its digest.

use std::{collections::HashMap, path::Path};

use dds_message::{DeliveryId, DeliveryState, Digest, JournalEvent, MessageId, MessageState, Timestamp};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    LogReader, SqliteStore,
    archive::{self, Archive},
    fault::Outcome,
    files::Files,
    journal::open_attachments,
    payload::{self, Stored},
    rows,
};
use crate::{MessageKey, StoreError, Vault, WrappedKey, seal::Place};

/// Messages, or entries, per visit of a connection.
const STRIDE: i64 = 1_000;
/// Differences that a report names; the others it counts.
const NAMED: usize = 20;

/// Result of comparing tables and payloads with the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContentReport {
    /// Messages compared.
    pub messages: u64,
    /// Deliveries compared.
    pub deliveries: u64,
    /// Payload files that must be there.
    pub files: u64,
    /// Payloads opened with their key.
    pub opened: u64,
    /// Messages of which a closed month was taken away, so that nobody can tell.
    pub unjudged: u64,
    /// What does not agree.
    pub differences: u64,
    /// The first of these.
    pub named: Vec<Difference>,
}

/// A place where the store is not what its journal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Message.
    pub message: MessageId,
    /// Delivery, if it is about one.
    pub delivery: Option<DeliveryId>,
    /// What does not agree.
    pub what: Disagreement,
}

/// What does not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Disagreement {
    /// The journal does not know the message or delivery.
    Unknown,
    /// The journal knows a message or delivery that is not there.
    Gone,
    /// The digest of the document or output is another.
    Digest,
    /// The state is another.
    State,
    /// The target is another.
    Target,
    /// A payload file is not there, or not whole.
    File,
    /// A payload does not open, or is not what its digest says.
    Payload,
}

impl Disagreement {
    /// In words, German and English.
    #[must_use]
    pub const fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => ("das Protokoll kennt sie nicht", "the journal does not know it"),
            Self::Gone => {
                ("das Protokoll kennt sie, die Ablage nicht mehr", "the journal knows it, the store does not")
            }
            Self::Digest => ("anderer SHA-256 als im Protokoll", "another SHA-256 than in the journal"),
            Self::State => ("anderer Stand als im Protokoll", "another state than in the journal"),
            Self::Target => ("anderes Ziel als im Protokoll", "another target than in the journal"),
            Self::File => ("Nutzdatendatei fehlt", "payload file missing"),
            Self::Payload => ("Nutzdaten nicht echt oder unlesbar", "payload not authentic or not readable"),
        }
    }
}

impl ContentReport {
    fn differs(&mut self, message: MessageId, delivery: Option<DeliveryId>, what: Disagreement) {
        self.differences += 1;
        if self.named.len() < NAMED {
            self.named.push(Difference { message, delivery, what });
        }
    }

    fn add(&mut self, part: Self) {
        self.messages += part.messages;
        self.deliveries += part.deliveries;
        self.files += part.files;
        self.opened += part.opened;
        self.unjudged += part.unjudged;
        self.differences += part.differences;
        let room = NAMED - self.named.len();
        self.named.extend(part.named.into_iter().take(room));
    }
}

impl SqliteStore {
    /// Compares messages and deliveries with the journal and opens every payload, which takes as long as to read them
    /// all.
    ///
    /// # Errors
    /// Only if the store cannot be read; what does not agree stands in the report.
    pub async fn compare(&self) -> Result<ContentReport, StoreError> {
        self.log().compare_with(Some(self.inner.vault.clone())).await
    }
}

impl LogReader {
    /// Compares messages and deliveries with the journal, and looks whether the payload files are there.
    ///
    /// # Errors
    /// Only if the store cannot be read; what does not agree stands in the report.
    pub async fn compare(&self) -> Result<ContentReport, StoreError> {
        self.compare_with(None).await
    }

    async fn compare_with(&self, vault: Option<Vault>) -> Result<ContentReport, StoreError> {
        let mut report = ContentReport::default();
        let mut next = Some(0);
        while let Some(after) = next {
            let (this, vault) = (self.clone(), vault.clone());
            let part;
            (part, next) = self.readers.read(move |db| this.messages(db, vault.as_ref(), after)).await?;
            report.add(part);
        }
        let mut next = Some(1);
        while let Some(from) = next {
            let dir = self.dir.clone();
            let part;
            (part, next) = self.readers.read(move |db| gone(db, &dir, from)).await?;
            report.add(part);
        }
        Ok(report)
    }

    /// The messages after row `after`, and where to go on.
    fn messages(
        &self,
        db: &Connection,
        vault: Option<&Vault>,
        after: i64,
    ) -> Outcome<(ContentReport, Option<i64>)> {
        let snapshot = db.unchecked_transaction()?;
        let journal = Months::open(&snapshot, &self.dir)?;
        let sql = "SELECT seq, id, at, digest, state, wrapped_key, attachments FROM message
                   WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let messages = rows::all(&snapshot, sql, [after, STRIDE], |row| {
            Ok(Stand {
                seq: row.get("seq")?,
                id: MessageId(rows::uuid(row, "id")?),
                at: rows::time(row, "at")?,
                digest: rows::digest(row, "digest")?,
                state: row.get("state")?,
                key: row.get::<_, Option<Vec<u8>>>("wrapped_key")?.map(WrappedKey),
                attachments: row.get("attachments")?,
            })
        })?;
        let mut report = ContentReport::default();
        let mut payloads = Vec::new();
        for message in &messages {
            report.messages += 1;
            let deliveries = deliveries(&snapshot, message.seq)?;
            report.deliveries += deliveries.len() as u64;
            match journal.told(&snapshot, message)? {
                Some(told) => told.agree(message, &deliveries, &mut report),
                None => report.unjudged += 1,
            }
            payloads.extend(self.payloads(&snapshot, vault, message, &deliveries, &mut report)?);
        }
        drop(snapshot);
        for (message, delivery, what) in payloads {
            // The retention period may have ended meanwhile.
            let kept = "SELECT 1 FROM message WHERE id = ?1 AND wrapped_key IS NOT NULL";
            if rows::one(db, kept, [message.0.as_bytes()], |_| Ok(()))?.is_some() {
                report.differs(message, delivery, what);
            }
        }
        let next = messages.last().filter(|_| messages.len() as i64 == STRIDE).map(|last| last.seq);
        Ok((report, next))
    }

    /// What is wrong with the payloads of a message.
    fn payloads(
        &self,
        db: &Connection,
        vault: Option<&Vault>,
        message: &Stand,
        deliveries: &[DeliveryStand],
        report: &mut ContentReport,
    ) -> Outcome<Vec<(MessageId, Option<DeliveryId>, Disagreement)>> {
        let Some(wrapped) = &message.key else { return Ok(Vec::new()) };
        let mut wrong = Vec::new();
        let sql = "SELECT id FROM blob WHERE message = ?1";
        for blob in rows::all(db, sql, [message.seq], |row| rows::blob(row, "id"))?.into_iter().flatten() {
            report.files += 1;
            if !self.files.is_whole(&blob) {
                wrong.push((message.id, None, Disagreement::File));
            }
        }
        let Some(vault) = vault else { return Ok(wrong) };
        let Ok(key) = vault.unwrap_key(message.id, wrapped) else {
            wrong.push((message.id, None, Disagreement::Payload));
            return Ok(wrong);
        };
        let opening = Opening { db, files: &self.files, key };
        let document = opening.stored("document", message.seq)?;
        let document = document.map(|stored| opening.digest(Place::Document, message.id.0, &stored));
        let report_reads = opening
            .stored("report", message.seq)?
            .is_none_or(|stored| opening.digest(Place::Report, message.id.0, &stored).is_some());
        report.opened += 1;
        if document.flatten() != Some(message.digest)
            || !report_reads
            || !opening.attachments(message, &mut report.opened)
        {
            wrong.push((message.id, None, Disagreement::Payload));
        }
        for delivery in deliveries.iter().filter(|delivery| delivery.output.is_some()) {
            let stored = opening.stored("output", delivery.seq)?;
            let output = stored.and_then(|stored| opening.digest(Place::Output, delivery.id.0, &stored));
            report.opened += 1;
            if output != delivery.output {
                wrong.push((message.id, Some(delivery.id), Disagreement::Payload));
            }
        }
        Ok(wrong)
    }
}

/// A message as its row has it.
struct Stand {
    seq: i64,
    id: MessageId,
    at: Timestamp,
    digest: Digest,
    state: String,
    key: Option<WrappedKey>,
    attachments: Option<Vec<u8>>,
}

/// A delivery as its row has it.
struct DeliveryStand {
    seq: i64,
    id: DeliveryId,
    target: String,
    state: String,
    output: Option<Digest>,
}

fn deliveries(db: &Connection, message: i64) -> Outcome<Vec<DeliveryStand>> {
    let sql = "SELECT seq, id, target, state, output_digest FROM delivery WHERE message = ?1 ORDER BY seq";
    rows::all(db, sql, [message], |row| {
        Ok(DeliveryStand {
            seq: row.get("seq")?,
            id: DeliveryId(rows::uuid(row, "id")?),
            target: row.get("target")?,
            state: row.get("state")?,
            output: row.get::<_, Option<[u8; 32]>>("output_digest")?.map(Digest),
        })
    })
}

/// The closed months, opened once for many messages.
struct Months {
    /// Latest time, and the file unless it was taken away.
    files: Vec<(Archive, Option<Connection>)>,
    floor: i64,
}

impl Months {
    fn open(db: &Connection, dir: &Path) -> Outcome<Self> {
        let archives = archive::list(db)?;
        let floor = archive::floor(&archives);
        let open = |archive: Archive| archive.open(dir).map(|file| (archive, file));
        Ok(Self { files: archives.into_iter().map(open).collect::<Outcome<_>>()?, floor })
    }

    /// What all entries of a message tell; `None` if some of them were taken away.
    fn told(&self, db: &Connection, message: &Stand) -> Outcome<Option<Told>> {
        let mut told = Told::default();
        for (_, file) in self.files.iter().filter(|(archive, _)| archive.to >= message.at) {
            let Some(file) = file else { return Ok(None) };
            told.read(file, message.id, 0)?;
        }
        told.read(db, message.id, self.floor)?;
        Ok(Some(told))
    }
}

/// What the journal tells of a message.
#[derive(Default)]
struct Told {
    known: bool,
    digest: Option<Digest>,
    state: Option<String>,
    deliveries: HashMap<DeliveryId, DeliveryTold>,
}

#[derive(Default)]
struct DeliveryTold {
    state: Option<String>,
    target: Option<String>,
    output: Option<Digest>,
}

/// The digests in the data of an entry.
#[derive(Default, Deserialize)]
struct Digests {
    digest: Option<Digest>,
    output: Option<Digest>,
}

impl Told {
    fn read(&mut self, db: &Connection, id: MessageId, floor: i64) -> Outcome<()> {
        let sql = "SELECT event, delivery, target, state, data FROM log
                   WHERE message = ?1 AND seq > ?2 ORDER BY seq";
        let mut statement = db.prepare_cached(sql)?;
        let mut found = statement.query(params![id.0.as_bytes(), floor])?;
        while let Some(row) = found.next()? {
            self.known = true;
            let event: String = row.get("event")?;
            let digests = match JournalEvent::from_name(&event) {
                Some(JournalEvent::MessageAccepted | JournalEvent::DeliveryPrepared) => {
                    serde_json::from_str(&row.get::<_, String>("data")?).unwrap_or_default()
                }
                _ => Digests::default(),
            };
            let state: Option<String> = row.get("state")?;
            if let Some(delivery) = rows::opt_uuid(row, "delivery")? {
                let told = self.deliveries.entry(DeliveryId(delivery)).or_default();
                told.output = digests.output.or(told.output);
                told.target = row.get::<_, Option<String>>("target")?.or_else(|| told.target.take());
                told.state = state
                    .filter(|state| DeliveryState::from_name(state).is_some())
                    .or_else(|| told.state.take());
            } else {
                self.digest = digests.digest.or(self.digest);
                self.state = state
                    .filter(|state| MessageState::from_name(state).is_some())
                    .or_else(|| self.state.take());
            }
        }
        Ok(())
    }

    fn agree(&self, message: &Stand, deliveries: &[DeliveryStand], report: &mut ContentReport) {
        if !self.known {
            report.differs(message.id, None, Disagreement::Unknown);
            return;
        }
        if self.digest.is_some_and(|digest| digest != message.digest) {
            report.differs(message.id, None, Disagreement::Digest);
        }
        if self.state.as_ref().is_some_and(|state| *state != message.state) {
            report.differs(message.id, None, Disagreement::State);
        }
        for delivery in deliveries {
            let told = self.deliveries.get(&delivery.id);
            let mut differs = |what| report.differs(message.id, Some(delivery.id), what);
            let Some(told) = told.filter(|told| told.state.is_some()) else {
                differs(Disagreement::Unknown);
                continue;
            };
            if told.state.as_ref() != Some(&delivery.state) {
                differs(Disagreement::State);
            }
            if told.target.as_ref().is_some_and(|target| *target != delivery.target) {
                differs(Disagreement::Target);
            }
            if told.output.is_some() && told.output != delivery.output {
                differs(Disagreement::Digest);
            }
        }
        for (id, _) in self.deliveries.iter().filter(|(_, told)| told.state.is_some()) {
            if !deliveries.iter().any(|delivery| delivery.id == *id) {
                report.differs(message.id, Some(*id), Disagreement::Gone);
            }
        }
    }
}

/// Accepted messages among a stride of entries whose row is gone, and where to go on.
fn gone(db: &Connection, dir: &Path, from: i64) -> Outcome<(ContentReport, Option<i64>)> {
    const ENTRIES: i64 = 20 * STRIDE;
    let snapshot = db.unchecked_transaction()?;
    let head = rows::head(&snapshot)?.seq;
    let archives = archive::list(&snapshot)?;
    let month = archives.iter().find(|archive| (archive.first..=archive.last).contains(&from));
    let stop = (from + ENTRIES - 1).min(month.map_or(i64::MAX, |month| month.last));
    let file = month.map(|month| month.open(dir)).transpose()?;
    let mut report = ContentReport::default();
    let source = match &file {
        None => Some(&*snapshot),
        Some(file) => file.as_ref(),
    };
    if let Some(source) = source {
        let sql = "SELECT message FROM log WHERE seq BETWEEN ?1 AND ?2 AND event = ?3";
        let accepted = params![from, stop, JournalEvent::MessageAccepted.as_str()];
        let ids = rows::all(source, sql, accepted, |row| rows::uuid(row, "message").map(MessageId))?;
        for id in ids {
            if rows::seq_of(&snapshot, id)?.is_none() {
                report.differs(id, None, Disagreement::Gone);
            }
        }
    }
    Ok((report, (stop < head).then_some(stop + 1)))
}

/// Payloads of one message being opened.
struct Opening<'a> {
    db: &'a Connection,
    files: &'a Files,
    key: MessageKey,
}

impl Opening<'_> {
    fn stored(&self, table: &str, owner: i64) -> Outcome<Option<Stored>> {
        let sql = match table {
            "document" => "SELECT size, sealed, blob FROM document WHERE owner = ?1",
            "report" => "SELECT size, sealed, blob FROM report WHERE owner = ?1",
            _ => "SELECT size, sealed, blob FROM output WHERE owner = ?1",
        };
        rows::one(self.db, sql, [owner], Stored::read)
    }

    /// Digest of the clear bytes; `None` if they do not open.
    fn digest(&self, place: Place, owner: uuid::Uuid, stored: &Stored) -> Option<Digest> {
        payload::load(self.files, &self.key, place, owner, stored).ok().map(|bytes| Digest::of(&bytes))
    }

    /// Whether every attachment is what the list of them says.
    fn attachments(&self, message: &Stand, opened: &mut u64) -> bool {
        let Ok(list) = open_attachments(&self.key, message.id, message.attachments.clone()) else {
            return false;
        };
        list.iter().all(|stored| {
            *opened += 1;
            let read = || -> Result<Digest, StoreError> {
                let (mut hasher, mut reader) = (Sha256::new(), self.files.reader(&stored.blob, &self.key)?);
                while let Some(chunk) = reader.next_chunk()? {
                    hasher.update(&chunk);
                }
                Ok(Digest(hasher.finalize().into()))
            };
            read().is_ok_and(|digest| digest == stored.attachment.digest)
        })
    }
}
