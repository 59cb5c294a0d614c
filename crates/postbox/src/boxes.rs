//! [`Mailboxes`] on one SQLite connection, inside the transaction that the runner holds.

use std::{collections::HashSet, ops::RangeInclusive, sync::Arc};

use dds_osci::{
    certificate::Certificate,
    intermediary::{
        Attachment, Card, ChunkUpload, Client, Delivery, Dialogue, Fingerprint, IdState, Mailboxes,
        RenderedFetch, StoreFailed,
    },
    laufzettel::ProcessCardBundle,
    message::{CardQuery, CardSelection, DateSelection, DeliverySelection, MessageId, Role},
};
use dds_store::MessageKey;
use jiff::Timestamp;
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension as _, Row, params, types::Value};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    PostboxError, StoredPart,
    records::{
        AttachmentRecord, CardRecord, DeliveryRecord, DialogueRecord, RenderedRecord, UploadRecord, micros,
        time,
    },
};

/// Fingerprints of the cipher certificates with a mailbox.
pub(crate) type Owners = Arc<RwLock<HashSet<Fingerprint>>>;

/// The mailboxes within one transaction.
pub struct Boxes<'c> {
    pub(crate) connection: &'c Connection,
    pub(crate) key: &'c MessageKey,
    pub(crate) owners: &'c Owners,
}

/// Role of a certificate in a card.
const ORIGINATOR: i64 = 0;
const ADDRESSEE: i64 = 1;

impl Boxes<'_> {
    pub(crate) fn seal<T: Serialize>(
        &self,
        table: &str,
        row: &str,
        record: &T,
    ) -> Result<Vec<u8>, PostboxError> {
        let clear = postcard::to_stdvec(record)?;
        Ok(self.key.seal_value(format!("{table}/{row}").as_bytes(), &clear)?)
    }

    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        table: &str,
        row: &str,
        sealed: &[u8],
    ) -> Result<T, PostboxError> {
        Ok(postcard::from_bytes(&self.key.open_value(format!("{table}/{row}").as_bytes(), sealed)?)?)
    }

    /// Notes which files a record names, so that the sweep leaves them; `holder` is table and row.
    pub(crate) fn hold<'a>(
        &self,
        holder: &str,
        parts: impl Iterator<Item = &'a StoredPart>,
    ) -> Result<(), PostboxError> {
        let mut statement =
            self.connection.prepare_cached("INSERT OR REPLACE INTO part (blob, holder) VALUES (?1, ?2)")?;
        for part in parts {
            statement.execute(params![part.blob.0.as_bytes().as_slice(), holder])?;
        }
        Ok(())
    }

    pub(crate) fn release(&self, holder: &str) -> Result<(), PostboxError> {
        self.connection.prepare_cached("DELETE FROM part WHERE holder = ?1")?.execute([holder])?;
        Ok(())
    }

    pub(crate) fn delivery(&self, row: DeliveryRow) -> Result<Delivery<StoredPart>, PostboxError> {
        let DeliveryRow { id, mailbox, submitted, sealed } = row;
        self.open::<DeliveryRecord>("delivery", &id, &sealed)?.delivery(id, mailbox, submitted)
    }

    fn read_card(&self, id: &str, submitted: i64, sealed: &[u8]) -> Result<Card, PostboxError> {
        let record: CardRecord = self.open("card", id, sealed)?;
        let bundle = ProcessCardBundle::from_xml(record.bundle)
            .map_err(|refused| PostboxError::Damaged(refused.detail))?;
        Ok(Card {
            bundle,
            originator: record.originator,
            addressee: record.addressee,
            submitted: time(submitted)?,
        })
    }

    fn try_find_delivery(
        &self,
        mailbox: &str,
        selection: Option<&DeliverySelection>,
    ) -> Result<Option<(Delivery<StoredPart>, bool)>, PostboxError> {
        let (condition, value) = match selection {
            None => ("received IS NULL AND ?2 IS NULL", Value::Null),
            Some(DeliverySelection::MessageId(id)) => ("id = ?2", Value::Text(id.as_str().to_owned())),
            Some(DeliverySelection::ReceptionOfDelivery(from)) => {
                ("submitted >= ?2", Value::Integer(micros(*from)))
            }
            Some(DeliverySelection::RecentModification(from)) => {
                ("modified >= ?2", Value::Integer(micros(*from)))
            }
        };
        let query = format!(
            "SELECT id, mailbox, submitted, record, number FROM delivery JOIN sealed USING (number) \
             WHERE mailbox = ?1 AND {condition} AND number > ?3 ORDER BY number LIMIT 2"
        );
        let named = matches!(selection, Some(DeliverySelection::MessageId(_)));
        let mut statement = self.connection.prepare_cached(&query)?;
        let mut after = 0_i64;
        loop {
            let mut rows = statement.query(params![mailbox, value, after])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let (first, number) = (DeliveryRow::read(row)?, row.get(4)?);
            let more = rows.next()?.is_some();
            let id = first.id();
            match self.delivery(first) {
                Ok(delivery) => return Ok(Some((delivery, more))),
                Err(error) if named => return Err(error),
                // It holds up nothing behind it; who asks for it by name learns that it cannot be had.
                Err(error) => tracing::error!(osci = %id, %error, "osci.record_broken"),
            }
            after = number;
        }
    }

    fn try_keep_card(&self, card: &Card) -> Result<(), PostboxError> {
        let id = card.bundle.message_id.as_str();
        let record = CardRecord {
            bundle: card.bundle.to_xml(),
            originator: card.originator.clone(),
            addressee: card.addressee.clone(),
        };
        let sealed = self.seal("card", id, &record)?;
        let modified = micros(card.bundle.card.recent_modification);
        let received = card.bundle.card.reception.as_ref().map(|_| modified);
        self.connection
            .prepare_cached(
                "INSERT INTO card (id, submitted, modified, received, record) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE \
                 SET modified = excluded.modified, received = excluded.received, record = excluded.record",
            )?
            .execute(params![id, micros(card.submitted), modified, received, sealed])?;
        let mut part = self
            .connection
            .prepare_cached("INSERT OR IGNORE INTO card_part (certificate, role, id) VALUES (?1, ?2, ?3)")?;
        for certificate in &card.originator {
            part.execute(params![certificate, ORIGINATOR, id])?;
        }
        if let Some(certificate) = &card.addressee {
            part.execute(params![certificate, ADDRESSEE, id])?;
        }
        self.connection
            .prepare_cached("UPDATE delivery SET modified = ?2, received = ?3 WHERE id = ?1")?
            .execute(params![id, modified, received])?;
        Ok(())
    }

    fn try_find_cards(
        &self,
        client: &Client,
        query: &CardQuery,
        limit: u64,
    ) -> Result<(Vec<Card>, bool), PostboxError> {
        let certificate = |certificate: &Option<Certificate>| {
            Value::from(certificate.as_ref().map(|one| one.sha256_hex().to_owned()))
        };
        let mut values = vec![certificate(&client.signature), certificate(&client.cipher)];
        let mut conditions = String::new();
        let mut role = None;
        match &query.selection {
            None => {}
            Some(CardSelection::MessageIds(ids)) => {
                let places: Vec<String> = ids
                    .iter()
                    .map(|id| {
                        values.push(Value::Text(id.as_str().to_owned()));
                        format!("?{}", values.len())
                    })
                    .collect();
                conditions = format!(" AND card.id IN ({})", places.join(","));
            }
            Some(CardSelection::ReceptionOfDelivery(rule)) => {
                conditions = dated("submitted", rule, &mut values);
                role = rule.role;
            }
            Some(CardSelection::RecentModification(rule)) => {
                conditions = dated("modified", rule, &mut values);
                role = rule.role;
            }
        }
        let role = match role {
            None => String::new(),
            Some(Role::Originator) => format!(" AND role = {ORIGINATOR}"),
            Some(Role::Addressee) => format!(" AND role = {ADDRESSEE}"),
        };
        let fetched = limit.saturating_add(1).min(i64::MAX as u64);
        let text = format!(
            "SELECT DISTINCT card.id, card.submitted, card.record, card.modified FROM card_part JOIN card ON card.id = card_part.id \
             WHERE certificate IN (?1, ?2){role}{conditions} ORDER BY card.modified, card.id LIMIT {fetched}"
        );
        let mut statement = self.connection.prepare(&text)?;
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?))
        })?;
        let mut cards = Vec::new();
        for row in rows {
            let (id, submitted, sealed) = row?;
            cards.push(self.read_card(&id, submitted, &sealed)?);
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = cards.len() > limit;
        cards.truncate(limit);
        Ok((cards, more))
    }

    fn try_expire(&self, used: &RangeInclusive<Timestamp>) -> Result<(), PostboxError> {
        let ended: Vec<String> = self
            .connection
            .prepare_cached("SELECT conversation FROM dialogue WHERE used < ?1 OR used > ?2")?
            .query_map([micros(*used.start()), micros(*used.end())], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for conversation in ended {
            self.try_end_dialogue(&conversation)?;
        }
        Ok(())
    }

    fn try_end_dialogue(&self, conversation: &str) -> Result<(), PostboxError> {
        self.connection
            .prepare_cached("DELETE FROM dialogue WHERE conversation = ?1")?
            .execute([conversation])?;
        Ok(())
    }
}

fn dated(column: &str, rule: &DateSelection, values: &mut Vec<Value>) -> String {
    values.push(Value::Integer(micros(rule.from)));
    let open = if rule.no_reception == Some(true) { " AND card.received IS NULL" } else { "" };
    format!(" AND card.{column} >= ?{}{open}", values.len())
}

pub(crate) struct DeliveryRow {
    id: String,
    mailbox: String,
    submitted: i64,
    sealed: Vec<u8>,
}

impl DeliveryRow {
    pub(crate) fn id(&self) -> MessageId {
        MessageId::new(self.id.clone())
    }

    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, mailbox: row.get(1)?, submitted: row.get(2)?, sealed: row.get(3)? })
    }
}

/// Runs fallible database work and turns its failure into that of the port.
fn attempt<T>(work: impl FnOnce() -> Result<T, PostboxError>) -> Result<T, StoreFailed> {
    work().map_err(StoreFailed::from)
}

impl Mailboxes for Boxes<'_> {
    type Handle = StoredPart;

    fn dialogue(&mut self, conversation: &str) -> Result<Option<Dialogue>, StoreFailed> {
        attempt(|| {
            let found = self
                .connection
                .prepare_cached("SELECT used, record FROM dialogue WHERE conversation = ?1")?
                .query_row([conversation], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()?;
            let Some((used, sealed)) = found else { return Ok(None) };
            self.open::<DialogueRecord>("dialogue", conversation, &sealed)?
                .dialogue(conversation, used)
                .map(Some)
        })
    }

    fn keep_dialogue(&mut self, dialogue: &Dialogue) -> Result<(), StoreFailed> {
        attempt(|| {
            let sealed = self.seal("dialogue", &dialogue.conversation, &DialogueRecord::of(dialogue))?;
            self.connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO dialogue (conversation, client, used, begun, record) VALUES (?1, ?2, ?3, ?4, ?5)",
                )?
                .execute(params![
                    dialogue.conversation,
                    dialogue.client.fingerprint(),
                    micros(dialogue.used),
                    dialogue.next_sequence > 0,
                    sealed
                ])?;
            Ok(())
        })
    }

    fn end_dialogue(&mut self, conversation: &str) -> Result<(), StoreFailed> {
        attempt(|| self.try_end_dialogue(conversation))
    }

    fn expire_dialogues(&mut self, used: RangeInclusive<Timestamp>) -> Result<(), StoreFailed> {
        attempt(|| self.try_expire(&used))
    }

    fn open_dialogues(&mut self, client: &Fingerprint) -> Result<(usize, usize), StoreFailed> {
        attempt(|| {
            let mut counts = self.connection.prepare_cached(
                "SELECT (SELECT count(*) FROM dialogue), (SELECT count(*) FROM dialogue WHERE client = ?1)",
            )?;
            let (all, own): (i64, i64) = counts.query_row([client], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((usize::try_from(all).unwrap_or(usize::MAX), usize::try_from(own).unwrap_or(usize::MAX)))
        })
    }

    fn end_unbegun(&mut self, client: Option<&Fingerprint>) -> Result<bool, StoreFailed> {
        attempt(|| {
            let waiting = match client {
                Some(_) => "begun = 0 AND client = ?1",
                None => "begun = 0 AND ?1 IS NULL",
            };
            let oldest = self
                .connection
                .prepare_cached(&format!(
                    "SELECT conversation FROM dialogue WHERE {waiting} ORDER BY used LIMIT 1"
                ))?
                .query_row([client], |row| row.get::<_, String>(0))
                .optional()?;
            oldest.as_deref().map(|conversation| self.try_end_dialogue(conversation)).transpose()?;
            Ok(oldest.is_some())
        })
    }

    fn unused_ids(&mut self, client: &Fingerprint) -> Result<usize, StoreFailed> {
        attempt(|| {
            let count = self
                .connection
                .prepare_cached("SELECT count(*) FROM message_id WHERE client = ?1 AND used = 0")?
                .query_row([client], |row| row.get::<_, i64>(0))?;
            Ok(usize::try_from(count).unwrap_or(usize::MAX))
        })
    }

    fn issued_for(
        &mut self,
        order: &[u8],
        client: &Fingerprint,
    ) -> Result<Option<(MessageId, IdState)>, StoreFailed> {
        attempt(|| {
            let found = self
                .connection
                .prepare_cached("SELECT id, used FROM message_id WHERE client = ?1 AND request = ?2")?
                .query_row(params![client, order], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
                })
                .optional()?;
            Ok(found.map(|(id, used)| (MessageId::new(id), IdState::of(Some((client, used)), client))))
        })
    }

    fn issue_id(
        &mut self,
        id: &MessageId,
        client: &Fingerprint,
        order: Option<&[u8]>,
        at: Timestamp,
    ) -> Result<(), StoreFailed> {
        attempt(|| {
            self.connection
                .prepare_cached(
                    "INSERT INTO message_id (id, client, used, issued, request) VALUES (?1, ?2, 0, ?3, ?4)",
                )?
                .execute(params![id.as_str(), client, micros(at), order])?;
            Ok(())
        })
    }

    fn id_state(&mut self, id: &MessageId, client: &Fingerprint) -> Result<IdState, StoreFailed> {
        attempt(|| {
            let found = self
                .connection
                .prepare_cached("SELECT client, used FROM message_id WHERE id = ?1")?
                .query_row([id.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))
                .optional()?;
            let issued = found.as_ref().map(|(owner, used)| (owner.as_str(), *used));
            Ok(IdState::of(issued, client))
        })
    }

    fn use_id(&mut self, id: &MessageId) -> Result<(), StoreFailed> {
        attempt(|| {
            self.connection
                .prepare_cached("UPDATE message_id SET used = 1 WHERE id = ?1")?
                .execute([id.as_str()])?;
            Ok(())
        })
    }

    fn has_mailbox(&mut self, owner: &Certificate) -> Result<bool, StoreFailed> {
        Ok(self.owners.read().contains(owner.sha256_hex()))
    }

    fn load(&mut self, mailbox: &Fingerprint) -> Result<(u64, u64), StoreFailed> {
        attempt(|| {
            let found = self
                .connection
                .prepare_cached("SELECT deliveries, bytes FROM load WHERE mailbox = ?1")?
                .query_row([mailbox], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
                .optional()?;
            Ok(found
                .map_or((0, 0), |(deliveries, bytes)| (deliveries.cast_unsigned(), bytes.cast_unsigned())))
        })
    }

    fn refused(&mut self, mailbox: &Fingerprint, client: &Fingerprint) -> Result<(u64, u64), StoreFailed> {
        attempt(|| {
            let mut sum = self.connection.prepare_cached(
                "SELECT count(*), coalesce(sum(bytes), 0) FROM delivery \
                 WHERE mailbox = ?1 AND originator = ?2 AND refused = 1 AND received IS NULL",
            )?;
            let (deliveries, bytes): (i64, i64) =
                sum.query_row([mailbox, client], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((deliveries.cast_unsigned(), bytes.cast_unsigned()))
        })
    }

    fn put_delivery(&mut self, delivery: &Delivery<StoredPart>) -> Result<(), StoreFailed> {
        attempt(|| {
            let id = delivery.id.as_str();
            let sealed = self.seal("delivery", id, &DeliveryRecord::of(delivery))?;
            let submitted = micros(delivery.submitted);
            self.connection
                .prepare_cached(
                    "INSERT INTO delivery (id, mailbox, submitted, modified, bytes) VALUES (?1, ?2, ?3, ?3, ?4)",
                )?
                .execute(params![id, delivery.mailbox, submitted, delivery.bytes().cast_signed()])?;
            self.connection
                .prepare_cached("INSERT INTO sealed (number, record) VALUES (?1, ?2)")?
                .execute(params![self.connection.last_insert_rowid(), sealed])?;
            self.hold(
                &format!("delivery/{id}"),
                delivery.attachments.iter().map(|attachment| &attachment.handle),
            )
        })
    }

    fn find_delivery(
        &mut self,
        mailbox: &Fingerprint,
        selection: Option<&DeliverySelection>,
    ) -> Result<Option<(Delivery<StoredPart>, bool)>, StoreFailed> {
        attempt(|| self.try_find_delivery(mailbox, selection))
    }

    fn keep_card(&mut self, card: &Card) -> Result<(), StoreFailed> {
        attempt(|| self.try_keep_card(card))
    }

    fn card(&mut self, id: &MessageId) -> Result<Option<Card>, StoreFailed> {
        attempt(|| {
            let found = self
                .connection
                .prepare_cached("SELECT submitted, record FROM card WHERE id = ?1")?
                .query_row([id.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()?;
            found.map(|(submitted, sealed)| self.read_card(id.as_str(), submitted, &sealed)).transpose()
        })
    }

    fn find_cards(
        &mut self,
        client: &Client,
        query: &CardQuery,
        limit: u64,
    ) -> Result<(Vec<Card>, bool), StoreFailed> {
        attempt(|| self.try_find_cards(client, query, limit))
    }

    fn upload(
        &mut self,
        client: &Fingerprint,
        transfer: &MessageId,
    ) -> Result<Option<ChunkUpload>, StoreFailed> {
        attempt(|| {
            let of = params![client, transfer.as_str()];
            let found = self
                .connection
                .prepare_cached("SELECT begun, record FROM upload WHERE client = ?1 AND transfer = ?2")?
                .query_row(of, |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()?;
            let Some((begun, sealed)) = found else { return Ok(None) };
            let received = self
                .connection
                .prepare_cached("SELECT number FROM upload_chunk WHERE client = ?1 AND transfer = ?2")?
                .query_map(of, |row| row.get::<_, i64>(0).map(i64::cast_unsigned))?
                .collect::<Result<_, _>>()?;
            let record: UploadRecord = self.open("upload", &format!("{client}/{transfer}"), &sealed)?;
            record.upload(client, transfer, begun, received).map(Some)
        })
    }

    fn keep_chunk(
        &mut self,
        upload: &ChunkUpload,
        number: u64,
        chunk: &Attachment<StoredPart>,
    ) -> Result<(), StoreFailed> {
        attempt(|| {
            let (client, transfer) = (&upload.client, upload.transfer.as_str());
            let row = format!("{client}/{transfer}");
            let sealed = self.seal("upload", &row, &UploadRecord::of(upload))?;
            self.connection
                .prepare_cached(
                    "INSERT INTO upload (client, transfer, begun, bytes, record) VALUES (?1, ?2, ?3, ?4, ?5) \
                     ON CONFLICT (client, transfer) DO UPDATE SET bytes = bytes + excluded.bytes",
                )?
                .execute(params![
                    client,
                    transfer,
                    micros(upload.begun),
                    chunk.bytes.cast_signed(),
                    sealed
                ])?;
            let sealed =
                self.seal("upload_chunk", &format!("{row}/{number}"), &AttachmentRecord::of(chunk))?;
            self.connection
                .prepare_cached(
                    "INSERT INTO upload_chunk (client, transfer, number, record) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![client, transfer, number.cast_signed(), sealed])?;
            self.hold(&format!("upload/{row}"), std::iter::once(&chunk.handle))
        })
    }

    fn upload_chunks(
        &mut self,
        client: &Fingerprint,
        transfer: &MessageId,
    ) -> Result<Vec<Attachment<StoredPart>>, StoreFailed> {
        attempt(|| {
            let mut statement = self.connection.prepare_cached(
                "SELECT number, record FROM upload_chunk WHERE client = ?1 AND transfer = ?2 ORDER BY number",
            )?;
            let rows = statement.query_map(params![client, transfer.as_str()], |row| {
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, Vec<u8>>(1)?))
            })?;
            let mut chunks = Vec::new();
            for row in rows {
                let (number, sealed) = row?;
                let record: AttachmentRecord =
                    self.open("upload_chunk", &format!("{client}/{transfer}/{number}"), &sealed)?;
                chunks.push(record.attachment());
            }
            Ok(chunks)
        })
    }

    fn upload_bytes(&mut self, client: &Fingerprint) -> Result<u64, StoreFailed> {
        attempt(|| {
            let mut sum = self
                .connection
                .prepare_cached("SELECT coalesce(sum(bytes), 0) FROM upload WHERE client = ?1")?;
            Ok(sum.query_row([client], |row| row.get::<_, i64>(0).map(i64::cast_unsigned))?)
        })
    }

    fn end_upload(&mut self, client: &Fingerprint, transfer: &MessageId) -> Result<(), StoreFailed> {
        attempt(|| {
            self.connection
                .prepare_cached("DELETE FROM upload WHERE client = ?1 AND transfer = ?2")?
                .execute(params![client, transfer.as_str()])?;
            self.connection
                .prepare_cached("DELETE FROM upload_chunk WHERE client = ?1 AND transfer = ?2")?
                .execute(params![client, transfer.as_str()])?;
            self.release(&format!("upload/{client}/{transfer}"))
        })
    }

    fn rendered(&mut self, id: &MessageId) -> Result<Option<RenderedFetch<StoredPart>>, StoreFailed> {
        attempt(|| {
            let found = self
                .connection
                .prepare_cached("SELECT made, record FROM rendered WHERE id = ?1")?
                .query_row([id.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
                .optional()?;
            let Some((made, sealed)) = found else { return Ok(None) };
            self.open::<RenderedRecord>("rendered", id.as_str(), &sealed)?.rendered(id, made).map(Some)
        })
    }

    fn keep_rendered(&mut self, rendered: &RenderedFetch<StoredPart>) -> Result<(), StoreFailed> {
        attempt(|| {
            let id = rendered.id.as_str();
            let sealed = self.seal("rendered", id, &RenderedRecord::of(rendered))?;
            self.connection
                .prepare_cached("INSERT OR REPLACE INTO rendered (id, made, record) VALUES (?1, ?2, ?3)")?
                .execute(params![id, micros(rendered.at), sealed])?;
            self.hold(&format!("rendered/{id}"), std::iter::once(&rendered.handle))
        })
    }

    fn end_rendered(&mut self, id: &MessageId) -> Result<(), StoreFailed> {
        attempt(|| {
            let gone = self
                .connection
                .prepare_cached("DELETE FROM rendered WHERE id = ?1")?
                .execute([id.as_str()])?;
            if gone > 0 { self.release(&format!("rendered/{id}")) } else { Ok(()) }
        })
    }
}
