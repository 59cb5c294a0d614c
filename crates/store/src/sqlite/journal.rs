//! The operations of the router. Payloads are sealed and read here, off the committer; what changes state is handed to
//! it.

use std::{sync::atomic::Ordering, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use dds_message::{CaseHolder, DeliveryId, Digest, MessageId, SourceId, TargetId, Timestamp};
use rusqlite::{Connection, params};
use tokio::task::spawn_blocking;

use super::{
    SqliteStore,
    accept::{self, Sealed},
    committer::Haste,
    fault::Outcome as Done,
    fresh,
    payload::{self, Stored},
    plan::{self, SealedDelivery},
    queue::Taken,
    reader::blocking,
    rows::{self, Origin, SealedShipment},
    settle,
    tx::Tx,
};
use crate::{
    ACCEPTED_IN_ORDER, Accepted, Attempting, Backlog, BlobRef, CaseApplication, ClaimFilter, Claimed,
    DeliveryRecord, Journal, Lease, MessageKey, MessageRecord, NewDelivery, NewEntry, NewMessage, NewPlan,
    Outcome, Output, Pending, PlanState, Settled, Settlement, Shipment, StoreError, StoredAttachment,
    WrappedKey,
    seal::{self, Place},
};

/// What a transition writes besides payloads, roughly, in bytes.
const ROWS: usize = 2_048;

#[async_trait]
impl Journal for SqliteStore {
    async fn accept(&self, message: NewMessage) -> Result<Accepted, StoreError> {
        let this = self.clone();
        let sealed = if self.seals_here(message.document.len()) {
            this.seal_message(message)?
        } else {
            blocking(spawn_blocking(move || this.seal_message(message))).await?
        };
        let blob = sealed.document.blob.clone();
        let bytes = sealed.document.weight() + ROWS;
        let accepted =
            self.inner.committer.submit(Haste::Waited, bytes, move |tx| accept::accept(tx, &sealed)).await;
        // The first acceptance has the document already.
        if !matches!(&accepted, Ok(Accepted { fresh: true, .. }) | Err(StoreError::Unknown(_))) {
            self.discard(blob).await;
        }
        accepted
    }

    async fn find(&self, source: &SourceId, sender_key: &str) -> Result<Option<Accepted>, StoreError> {
        let (source, key) = (source.clone(), Digest::of(sender_key.as_bytes()));
        let found = move |db: &Connection| {
            rows::one(db, rows::ACCEPTED, params![source.as_str(), key.0], rows::accepted)
        };
        self.inner.readers.read_here(found).await
    }

    async fn pending(&self, after: Option<MessageId>, max: usize) -> Result<Vec<Pending>, StoreError> {
        let max = i64::try_from(max).unwrap_or(i64::MAX);
        let pending = move |db: &Connection| {
            let after = after.map(|id| rows::seq_of(db, id)).transpose()?.flatten().unwrap_or(0);
            let sql =
                "SELECT id, at FROM message WHERE state = 'accepted' AND seq > ?1 ORDER BY seq LIMIT ?2";
            rows::all(db, sql, [after, max], |row| {
                Ok(Pending { id: MessageId(rows::uuid(row, "id")?), at: rows::time(row, "at")? })
            })
        };
        self.inner.readers.read(pending).await
    }

    async fn plan(&self, mut new: NewPlan) -> Result<bool, StoreError> {
        let deliveries = std::mem::take(&mut new.deliveries);
        let (deliveries, report) = self.seal_outputs(new.message, deliveries, new.report.take()).await?;
        let stored = || deliveries.iter().filter_map(|sealed| sealed.output.as_ref()).chain(&report);
        let bytes = stored().map(Stored::weight).sum::<usize>() + ROWS * (1 + deliveries.len());
        let blobs: Vec<BlobRef> = stored().filter_map(|stored| stored.blob.clone()).collect();
        let commit = self
            .inner
            .committer
            .submit(Haste::Patient, bytes, move |tx| plan::plan(tx, &new, &deliveries, report.as_ref()));
        let planned = commit.await;
        if matches!(planned, Ok(false)) {
            for blob in blobs {
                self.discard(Some(blob)).await;
            }
        }
        planned
    }

    async fn replan(
        &self,
        message: MessageId,
        replaces: Option<DeliveryId>,
        deliveries: Vec<NewDelivery>,
        entries: Vec<NewEntry>,
    ) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let (deliveries, _) = self.seal_outputs(message, deliveries, None).await?;
        let outputs = deliveries.iter().filter_map(|sealed| sealed.output.as_ref());
        let bytes = outputs.map(Stored::weight).sum::<usize>() + ROWS * (entries.len() + deliveries.len());
        let work = move |tx: &mut Tx<'_>| plan::replan(tx, message, replaces, &deliveries, &entries, now);
        self.inner.committer.submit(Haste::Waited, bytes, work).await
    }

    async fn revive(
        &self,
        delivery: DeliveryId,
        due: Timestamp,
        deadline: Timestamp,
        entry: NewEntry,
    ) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let work = move |tx: &mut Tx<'_>| settle::revive(tx, delivery, due, deadline, &entry, now);
        self.inner.committer.submit(Haste::Waited, ROWS, work).await
    }

    async fn set_state(
        &self,
        message: MessageId,
        state: PlanState,
        report: Option<Bytes>,
        entry: NewEntry,
    ) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let (_, report) = self.seal_outputs(message, Vec::new(), report).await?;
        let bytes = ROWS + report.as_ref().map_or(0, Stored::weight);
        self.inner
            .committer
            .submit(Haste::Waited, bytes, move |tx| {
                plan::set_state(tx, message, state, report.as_ref(), &entry, now)
            })
            .await
    }

    async fn claim(
        &self,
        filter: &ClaimFilter,
        max: usize,
        ttl: Duration,
        now: Timestamp,
    ) -> Result<Vec<Claimed>, StoreError> {
        let taken = self.inner.shared.queue(|queue| queue.claim(filter, max, ttl, now));
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let guard = Leases { store: self.clone(), leases: taken.iter().map(|taken| taken.lease).collect() };
        let remembered: Option<Vec<Claimed>> = {
            let fresh = self.inner.shared.fresh.lock();
            let record = |taken: &Taken| Some(fresh.get(taken.lease.delivery)?.record.clone());
            taken.iter().map(|taken| Some(with_record(taken, record(taken)?))).collect()
        };
        let claimed = if let Some(claimed) = remembered {
            claimed
        } else {
            let records = move |db: &Connection| -> Done<Vec<Claimed>> {
                let mut claimed = Vec::with_capacity(taken.len());
                for taken in &taken {
                    // One whose row is gone or final has been settled meanwhile, by a late receipt.
                    let record =
                        delivery(db, taken.lease.delivery)?.filter(|record| !record.state.is_final());
                    claimed.extend(record.map(|record| with_record(taken, record)));
                }
                Ok(claimed)
            };
            self.inner.readers.read(records).await?
        };
        guard.keep();
        Ok(claimed)
    }

    async fn extend(&self, lease: &Lease, ttl: Duration, now: Timestamp) -> Result<bool, StoreError> {
        Ok(self.inner.shared.queue(|queue| queue.extend(lease, ttl, now)))
    }

    async fn release(&self, lease: &Lease, due: Timestamp) -> Result<(), StoreError> {
        self.inner.shared.queue(|queue| queue.release(lease, Some(due)));
        Ok(())
    }

    async fn attempting(&self, attempt: Attempting) -> Result<bool, StoreError> {
        let now = self.inner.clock.now();
        self.inner
            .committer
            .submit(Haste::Waited, ROWS, move |tx| settle::attempting(tx, &attempt, now))
            .await
    }

    async fn settle(&self, outcomes: Vec<Settlement>) -> Result<Vec<Settled>, StoreError> {
        if outcomes
            .iter()
            .any(|settlement| settlement.late && !matches!(settlement.outcome, Outcome::Delivered { .. }))
        {
            return Err(StoreError::Invalid("only a receipt may come late".into()));
        }
        self.inner
            .committer
            .submit(Haste::Patient, ROWS * outcomes.len(), move |tx| settle::settle(tx, &outcomes))
            .await
    }

    async fn hold(&self, target: &TargetId, until: Option<Timestamp>) -> Result<(), StoreError> {
        self.inner.shared.queue(|queue| queue.hold(target, until));
        Ok(())
    }

    async fn next_due(&self, filter: &ClaimFilter) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.inner.shared.queue(|queue| queue.next_due(filter)))
    }

    async fn wait(&self, filter: &ClaimFilter, until: Option<Timestamp>, now: Timestamp) {
        self.inner.shared.wait(filter, until, now).await;
    }

    async fn message(&self, id: MessageId) -> Result<Option<MessageRecord>, StoreError> {
        let this = self.clone();
        self.inner.readers.read(move |db| this.read_message(db, id)).await
    }

    async fn submission(&self, id: MessageId) -> Result<Option<(MessageRecord, Bytes)>, StoreError> {
        let read = |db: &Connection| {
            let Some(record) = self.read_message(db, id)? else { return Ok(None) };
            let document = self.payload(db, Place::Document, id)?;
            Ok(Some((record, document.ok_or_else(|| no_document(id))?)))
        };
        let Some((record, document)) = self.inner.readers.read_here(read).await? else { return Ok(None) };
        Ok(Some((record, document.open(&self.inner.files).await?)))
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<DeliveryRecord>, StoreError> {
        self.inner.readers.read(move |db| delivery(db, id)).await
    }

    async fn by_case(&self, case: &str) -> Result<Vec<CaseApplication>, StoreError> {
        let case = case.to_owned();
        let read = move |db: &Connection| {
            // The other columns are those of the row with the highest seq: what SQLite promises for a query with MAX.
            let sql = "SELECT MAX(m.seq), m.id, m.source, m.procedure, m.municipality, d.authority
                       FROM message m JOIN delivery d ON d.message = m.seq
                       WHERE m.case_ref = ?1 AND m.direction = 'application' AND m.state <> 'rejected'
                       AND d.authority IS NOT NULL AND d.state NOT IN ('cancelled', 'redirected')
                       GROUP BY m.source, m.procedure, m.municipality, d.authority ORDER BY 1 DESC";
            rows::all(db, sql, [case], |row| {
                Ok(CaseApplication {
                    id: MessageId(rows::uuid(row, "id")?),
                    source: rows::name(row, "source")?,
                    procedure: rows::opt_name(row, "procedure")?,
                    municipality: rows::opt_name(row, "municipality")?,
                    authority: rows::name(row, "authority")?,
                })
            })
        };
        self.inner.readers.read(read).await
    }

    async fn case_holders(
        &self,
        source: &SourceId,
        case: &str,
        before: MessageId,
    ) -> Result<Vec<CaseHolder>, StoreError> {
        let read = |db: &Connection| {
            // The inner limit bounds the work for a source that gives all its messages the same reference.
            let sql = "SELECT authority, procedure, municipality FROM (
                           SELECT seq, authority, procedure, municipality FROM message
                           WHERE case_ref = ?1 AND source = ?2 AND direction = 'application'
                           AND seq < coalesce((SELECT seq FROM message WHERE id = ?3), 9223372036854775807)
                           ORDER BY seq DESC LIMIT 100) m
                       WHERE procedure IS NOT NULL AND EXISTS (
                           SELECT 1 FROM delivery d WHERE d.message = m.seq AND d.authority = m.authority
                           AND d.state NOT IN ('cancelled', 'redirected'))
                       GROUP BY authority, procedure, municipality ORDER BY MAX(seq) DESC";
            rows::all(db, sql, params![case, source.as_str(), before.0.as_bytes()], rows::case_holder)
        };
        self.inner.readers.read_here(read).await
    }

    async fn document(&self, id: MessageId) -> Result<Bytes, StoreError> {
        self.read_payload(Place::Document, id).await?.ok_or_else(|| no_document(id))
    }

    async fn report(&self, id: MessageId) -> Result<Option<Bytes>, StoreError> {
        self.read_payload(Place::Report, id).await
    }

    async fn shipment(&self, id: DeliveryId) -> Result<Shipment, StoreError> {
        let fresh = self.inner.shared.fresh.lock().get(id).and_then(|created| created.shipment.clone());
        if let Some(shipment) = fresh {
            return Ok(shipment);
        }
        let read = |db: &Connection| self.read_shipment(db, id);
        let (mut shipment, output) = self.inner.readers.read_here(read).await?;
        shipment.output.bytes = output.open(&self.inner.files).await?;
        Ok(shipment)
    }

    async fn note(&self, entry: NewEntry) -> Result<(), StoreError> {
        let now = self.inner.clock.now();
        let work = move |tx: &mut Tx<'_>| settle::note(tx, &entry, now);
        self.inner.committer.submit(Haste::Waited, ROWS, work).await
    }

    async fn check(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        let (files, vault) = (inner.files.clone(), inner.vault.clone());
        blocking(spawn_blocking(move || files.check(&vault))).await?;
        inner
            .readers
            .read(|db| Ok(db.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?))
            .await?;
        if inner.shared.commit_failed.load(Ordering::Relaxed) {
            inner.committer.submit(Haste::Waited, ROWS, |tx| touch(tx.db())).await?;
        }
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let tally = *self.inner.shared.tally.lock();
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(Backlog {
            messages: tally.messages().map(|(state, n)| (state, count(n))).collect(),
            deliveries: tally.deliveries().map(|(state, n)| (state, count(n))).collect(),
            waiting: self.inner.shared.queue(|queue| queue.backlog()),
        })
    }
}

/// Writes to the database without changing anything.
fn touch(db: &Connection) -> Done<()> {
    let version: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok(db.pragma_update(None, "user_version", version)?)
}

impl SqliteStore {
    /// Whether so many bytes are packed and sealed at once. What is longer, or may need a file, is for a blocking task.
    fn seals_here(&self, bytes: usize) -> bool {
        bytes <= ACCEPTED_IN_ORDER.min(self.inner.inline_limit / 2)
    }

    fn seal_message(&self, message: NewMessage) -> Result<Sealed, StoreError> {
        let (inner, owner) = (&self.inner, message.id.0);
        let key = inner.vault.unwrap_key(message.id, &message.key)?;
        let attachments = if message.attachments.is_empty() {
            None
        } else {
            // File names may name people.
            let json = serde_json::to_vec(&message.attachments);
            let json = json.map_err(|error| StoreError::Invalid(format!("attachments: {error}")))?;
            Some(seal::seal(&key, Place::Attachments, owner, &json)?)
        };
        let limit = inner.inline_limit;
        let document = payload::store(&inner.files, limit, &key, Place::Document, owner, &message.document)?;
        let sender_key = Digest::of(message.sender_key.as_bytes());
        let imprint = message.imprint();
        Ok(Sealed { message, sender_key, imprint, document, attachments })
    }

    async fn seal_outputs(
        &self,
        message: MessageId,
        deliveries: Vec<NewDelivery>,
        report: Option<Bytes>,
    ) -> Result<(Vec<SealedDelivery>, Option<Stored>), StoreError> {
        if report.is_none() && deliveries.iter().all(|delivery| delivery.output.is_none()) {
            let plain = |delivery| SealedDelivery { delivery, output: None, shipment: None };
            return Ok((deliveries.into_iter().map(plain).collect(), None));
        }
        let (origin, key) = self.inner.readers.read_here(|db| self.origin(db, message)).await?;
        let bytes =
            deliveries.iter().filter_map(|delivery| Some(&delivery.output.as_ref()?.bytes)).chain(&report);
        let here = self.seals_here(bytes.map(Bytes::len).sum());
        let this = self.clone();
        let seal = move || {
            let inner = &this.inner;
            let store = |place, owner, bytes: &Bytes| {
                payload::store(&inner.files, inner.inline_limit, &key, place, owner, bytes)
            };
            // A list that does not open keeps nobody from deciding on its message; whoever is to send it hears of it.
            let attachments = open_attachments(&key, message, origin.attachments.clone()).ok();
            let mut sealed = Vec::with_capacity(deliveries.len());
            for mut delivery in deliveries {
                let shipment = attachments.as_deref().and_then(|list| sent_soon(&delivery, &origin, list));
                let output = delivery.output.as_mut().map(|output| std::mem::take(&mut output.bytes));
                let output = output.map(|bytes| store(Place::Output, delivery.id.0, &bytes)).transpose()?;
                sealed.push(SealedDelivery { delivery, output, shipment });
            }
            let report = report.map(|report| store(Place::Report, message.0, &report)).transpose()?;
            Ok((sealed, report))
        };
        if here { seal() } else { blocking(spawn_blocking(seal)).await }
    }

    /// What the shipments of a message have in common, with its key.
    fn origin(&self, db: &Connection, message: MessageId) -> Done<(Origin, MessageKey)> {
        let sql = concat!("SELECT ", rows::origin_columns!(), " FROM message m WHERE m.id = ?1");
        let found = rows::one(db, sql, [message.0.as_bytes()], rows::origin)?;
        let found = found.ok_or_else(|| StoreError::NotFound(format!("message {message}")))?;
        let origin =
            found.ok_or_else(|| StoreError::Invalid(format!("payload of message {message} was deleted")))?;
        let key = self.inner.vault.unwrap_key(message, &origin.key)?;
        Ok((origin, key))
    }

    fn read_message(&self, db: &Connection, id: MessageId) -> Done<Option<MessageRecord>> {
        let sql = "SELECT * FROM message WHERE id = ?1";
        let Some((seq, sealed, mut record)) = rows::one(db, sql, [id.0.as_bytes()], rows::message)? else {
            return Ok(None);
        };
        if let (Some(_), Some(wrapped)) = (&sealed, &record.key) {
            record.attachments = open_attachments(&self.inner.vault.unwrap_key(id, wrapped)?, id, sealed)?;
        }
        let sql = format!("{} WHERE d.message = ?1 ORDER BY d.seq", rows::DELIVERY);
        record.deliveries = rows::all(db, &sql, [seq], rows::delivery)?;
        let sql = "SELECT id FROM message WHERE answers = ?1 ORDER BY seq";
        record.answered_by =
            rows::all(db, sql, [id.0.as_bytes()], |row| rows::uuid(row, "id").map(MessageId))?;
        Ok(Some(record))
    }

    /// Document or report of a message.
    async fn read_payload(&self, place: Place, id: MessageId) -> Result<Option<Bytes>, StoreError> {
        let read = |db: &Connection| self.payload(db, place, id);
        let Some(sealed) = self.inner.readers.read_here(read).await? else { return Ok(None) };
        sealed.open(&self.inner.files).await.map(Some)
    }

    fn payload(&self, db: &Connection, place: Place, id: MessageId) -> Done<Option<payload::Sealed>> {
        let sql = match place {
            Place::Report => {
                "SELECT m.wrapped_key, p.size, p.sealed, p.blob FROM message m JOIN report p ON p.owner = m.seq
                 WHERE m.id = ?1"
            }
            _ => {
                "SELECT m.wrapped_key, p.size, p.sealed, p.blob FROM message m JOIN document p ON p.owner = m.seq
                 WHERE m.id = ?1"
            }
        };
        let read = |row: &rusqlite::Row<'_>| Ok((row.get("wrapped_key")?, Stored::read(row)?));
        let Some((wrapped, stored)) = rows::one(db, sql, [id.0.as_bytes()], read)? else { return Ok(None) };
        let key = self.inner.vault.unwrap_key(id, &WrappedKey(wrapped))?;
        Ok(Some(payload::Sealed { key, place, owner: id.0, stored }))
    }

    /// A shipment without its bytes, and what they are in.
    fn read_shipment(&self, db: &Connection, id: DeliveryId) -> Done<(Shipment, payload::Sealed)> {
        let missing = || StoreError::NotFound(format!("output of delivery {id}"));
        let sql = concat!(
            "SELECT ",
            rows::origin_columns!(),
            ", m.format, m.digest, d.output_digest, d.media_type, d.file_name, p.size, p.sealed, p.blob
             FROM delivery d JOIN message m ON m.seq = d.message LEFT JOIN output p ON p.owner = d.seq
             WHERE d.id = ?1"
        );
        let found = rows::one(db, sql, [id.0.as_bytes()], rows::shipment)?.flatten();
        let SealedShipment { mut origin, output, stored } = found.ok_or_else(missing)?;
        let (message, key) = (origin.message, self.inner.vault.unwrap_key(origin.message, &origin.key)?);
        let attachments = open_attachments(&key, message, origin.attachments.take())?;
        let bytes = match stored {
            Some(stored) => payload::Sealed { key, place: Place::Output, owner: id.0, stored },
            None => self.payload(db, Place::Document, message)?.ok_or_else(missing)?,
        };
        Ok((origin.shipment(attachments, output), bytes))
    }

    /// Removes a payload file that no commit refers to. A failure leaves an orphan, which retention sweeps.
    async fn discard(&self, blob: Option<BlobRef>) {
        if let Some(blob) = blob
            && let Err(error) = crate::BlobStore::delete(self, &blob).await
        {
            tracing::warn!(%error, "store.payload_left");
        }
    }
}

/// Gives leases back if the claim fails or its caller goes away before it has them.
struct Leases {
    store: SqliteStore,
    leases: Vec<Lease>,
}

impl Leases {
    fn keep(mut self) {
        self.leases.clear();
    }
}

impl Drop for Leases {
    fn drop(&mut self) {
        if !self.leases.is_empty() {
            self.store
                .inner
                .shared
                .queue(|queue| self.leases.iter().for_each(|lease| queue.release(lease, None)));
        }
    }
}

/// What the target of a new delivery gets, to be remembered; see [`fresh::Created`].
fn sent_soon(delivery: &NewDelivery, origin: &Origin, attachments: &[StoredAttachment]) -> Option<Shipment> {
    let output = delivery.output.as_ref().filter(|_| !delivery.pull)?;
    if output.bytes.len() > fresh::LONGEST {
        return None;
    }
    // Copied: the bytes may be cut from the answer of a worker, which is longer and would be kept with them.
    let bytes = Bytes::copy_from_slice(&output.bytes);
    Some(origin.shipment(attachments.to_vec(), Output { bytes, ..output.clone() }))
}

fn with_record(taken: &Taken, delivery: DeliveryRecord) -> Claimed {
    Claimed { lease: taken.lease, until: taken.until, delivery }
}

fn no_document(id: MessageId) -> StoreError {
    StoreError::NotFound(format!("document of message {id}"))
}

/// The list of attachments; none if the message came without.
pub(super) fn open_attachments(
    key: &MessageKey,
    message: MessageId,
    sealed: Option<Vec<u8>>,
) -> Done<Vec<StoredAttachment>> {
    let Some(sealed) = sealed else { return Ok(Vec::new()) };
    let json = seal::open(key, Place::Attachments, message.0, &sealed)?;
    Ok(serde_json::from_slice(&json).map_err(|error| StoreError::Corrupt(error.to_string()))?)
}

fn delivery(db: &Connection, id: DeliveryId) -> Done<Option<DeliveryRecord>> {
    rows::one(db, &format!("{} WHERE d.id = ?1", rows::DELIVERY), [id.0.as_bytes()], rows::delivery)
}
