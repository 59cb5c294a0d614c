//! Rows of the tables as domain types.

use bytes::Bytes;
use dds_message::{
    AnswerKind, CaseHolder, CaseRef, Channel, Code, DeliveryId, DeliveryState, Digest, Direction, Format,
    MessageId, MessageState, MessageType, ProcedureId, ReleaseId, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Params, Row};
use uuid::Uuid;

use super::{
    fault::{Outcome, damaged},
    payload::Stored,
    shared::Tally,
    tx::{Head, Subject},
};
use crate::{
    Accepted, BlobRef, DeliveryRecord, LogRow, MessageRecord, Output, Shipment, StoredAttachment, WrappedKey,
};

/// The first row of a query, if any.
pub(super) fn one<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    map: impl FnOnce(&Row<'_>) -> Outcome<T>,
) -> Outcome<Option<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(map).transpose()
}

/// All rows of a query.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    mut map: impl FnMut(&Row<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let mut statement = db.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(map(row)?);
    }
    Ok(found)
}

pub(super) fn uuid(row: &Row<'_>, column: &str) -> Outcome<Uuid> {
    opt_uuid(row, column)?.ok_or_else(|| damaged(column))
}

pub(super) fn opt_uuid(row: &Row<'_>, column: &str) -> Outcome<Option<Uuid>> {
    let bytes = row.get_ref(column)?.as_blob_or_null().map_err(|_| damaged(column))?;
    bytes.map(Uuid::from_slice).transpose().map_err(|_| damaged(column))
}

pub(super) fn digest(row: &Row<'_>, column: &str) -> Outcome<Digest> {
    opt_digest(row, column)?.ok_or_else(|| damaged(column))
}

fn opt_digest(row: &Row<'_>, column: &str) -> Outcome<Option<Digest>> {
    let bytes = row.get_ref(column)?.as_blob_or_null().map_err(|_| damaged(column))?;
    bytes.map(|bytes| bytes.try_into().map(Digest)).transpose().map_err(|_| damaged(column))
}

fn text<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Outcome<T> {
    opt_text(row, column, parse)?.ok_or_else(|| damaged(column))
}

fn opt_text<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Outcome<Option<T>> {
    let text = row.get_ref(column)?.as_str_or_null().map_err(|_| damaged(column))?;
    text.map(|text| parse(text).ok_or_else(|| damaged(column))).transpose()
}

pub(super) fn opt_name<T: TryFrom<String>>(row: &Row<'_>, column: &str) -> Outcome<Option<T>> {
    opt_text(row, column, |text| T::try_from(text.to_owned()).ok())
}

pub(super) fn name<T: TryFrom<String>>(row: &Row<'_>, column: &str) -> Outcome<T> {
    text(row, column, |text| T::try_from(text.to_owned()).ok())
}

/// A code of an older version that is no longer known reads as none: the journal keeps its text.
fn code(row: &Row<'_>) -> Outcome<Option<Code>> {
    Ok(row.get_ref("code")?.as_str_or_null().map_err(|_| damaged("code"))?.and_then(Code::from_name))
}

fn number<T: TryFrom<i64>>(row: &Row<'_>, column: &str) -> Outcome<T> {
    T::try_from(row.get::<_, i64>(column)?).map_err(|_| damaged(column))
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Outcome<Timestamp> {
    Ok(Timestamp(row.get(column)?))
}

pub(super) fn message_state(row: &Row<'_>, column: &str) -> Outcome<MessageState> {
    text(row, column, MessageState::from_name)
}

pub(super) fn delivery_state(row: &Row<'_>, column: &str) -> Outcome<DeliveryState> {
    text(row, column, DeliveryState::from_name)
}

pub(super) fn format(row: &Row<'_>) -> Outcome<Format> {
    text(row, "format", |name| [Format::Xml, Format::Json].into_iter().find(|format| format.as_str() == name))
}

pub(super) const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Application => "application",
        Direction::Answer(kind) => kind.as_str(),
    }
}

fn direction(name: &str) -> Option<Direction> {
    if name == "application" {
        return Some(Direction::Application);
    }
    AnswerKind::from_name(name).map(Direction::Answer)
}

fn channel(name: &str) -> Option<Channel> {
    Channel::ALL.into_iter().find(|channel| channel.as_str() == name)
}

/// Reads the columns `authority, procedure, municipality`.
pub(super) fn case_holder(row: &Row<'_>) -> Outcome<CaseHolder> {
    Ok(CaseHolder {
        authority: name(row, "authority")?,
        procedure: name(row, "procedure")?,
        municipality: opt_name(row, "municipality")?,
    })
}

/// What a transition needs of its message.
#[derive(Debug)]
pub(super) struct MessageFacts {
    pub(super) seq: i64,
    pub(super) id: MessageId,
    /// Acceptance time.
    pub(super) at: Timestamp,
    /// Its own procedure; `None` for an answer, which the journal tells of under that of its application.
    pub(super) procedure: Option<ProcedureId>,
    pub(super) state: MessageState,
    pub(super) subject: Subject,
}

/// Columns of a message `m` that [`message_facts`] reads. An answer is told of under procedure and case of its
/// application `a`.
macro_rules! message_columns {
    () => {
        "m.seq m_seq, m.id m_id, m.at m_at, m.state m_state, m.source m_source, m.procedure m_own_procedure,
         coalesce(m.procedure, a.procedure) m_procedure, m.authority m_authority, coalesce(m.case_ref, a.case_ref) m_case"
    };
}
/// The application of an answer `m`.
macro_rules! its_application {
    () => {
        "LEFT JOIN message a ON a.id = m.answers"
    };
}
pub(super) use {its_application, message_columns};

/// Reads `message_columns!()`.
pub(super) fn message_facts(row: &Row<'_>) -> Outcome<MessageFacts> {
    let id = MessageId(uuid(row, "m_id")?);
    let subject = Subject {
        message: Some(id),
        case: row.get("m_case")?,
        source: row.get("m_source")?,
        procedure: row.get("m_procedure")?,
        authority: row.get("m_authority")?,
    };
    Ok(MessageFacts {
        seq: row.get("m_seq")?,
        id,
        at: time(row, "m_at")?,
        procedure: opt_name(row, "m_own_procedure")?,
        state: message_state(row, "m_state")?,
        subject,
    })
}

/// The facts of a message by its id.
pub(super) fn facts_of(db: &Connection, id: MessageId) -> Outcome<Option<MessageFacts>> {
    let sql =
        concat!("SELECT ", message_columns!(), " FROM message m ", its_application!(), " WHERE m.id = ?1");
    one(db, sql, [id.0.as_bytes()], message_facts)
}

/// Columns read by [`accepted`].
pub(super) const ACCEPTED: &str =
    "SELECT id, at, state, digest, imprint FROM message WHERE source = ?1 AND sender_key = ?2";

/// A message already accepted.
pub(super) fn accepted(row: &Row<'_>) -> Outcome<Accepted> {
    Ok(Accepted {
        id: MessageId(uuid(row, "id")?),
        at: time(row, "at")?,
        fresh: false,
        state: message_state(row, "state")?,
        digest: digest(row, "digest")?,
        imprint: row.get::<_, Option<[u8; 32]>>("imprint")?.map(Digest),
    })
}

/// A message without attachments, answers and deliveries, with its row id and its sealed list of attachments.
pub(super) fn message(row: &Row<'_>) -> Outcome<(i64, Option<Vec<u8>>, MessageRecord)> {
    let type_name: Option<String> = row.get("type_name")?;
    let type_version: Option<String> = row.get("type_version")?;
    let record = MessageRecord {
        id: MessageId(uuid(row, "id")?),
        at: time(row, "at")?,
        direction: text(row, "direction", direction)?,
        answers: opt_uuid(row, "answers")?.map(MessageId),
        answered_by: Vec::new(),
        source: name(row, "source")?,
        channel: text(row, "channel", channel)?,
        state: message_state(row, "state")?,
        code: code(row)?,
        digest: digest(row, "digest")?,
        size: number(row, "size")?,
        format: format(row)?,
        procedure: opt_name(row, "procedure")?,
        message_type: type_name.zip(type_version).map(|(name, version)| MessageType { name, version }),
        municipality: opt_name(row, "municipality")?,
        addressee: opt_name(row, "addressee")?,
        authority: opt_name(row, "authority")?,
        case: opt_name(row, "case_ref")?,
        release: opt_digest(row, "release")?.map(ReleaseId),
        rule: row.get("rule")?,
        attachments: Vec::new(),
        key: row.get::<_, Option<Vec<u8>>>("wrapped_key")?.map(WrappedKey),
        deliveries: Vec::new(),
    };
    Ok((row.get("seq")?, row.get("attachments")?, record))
}

/// Columns of a message `m` that [`origin`] reads.
macro_rules! origin_columns {
    () => {
        "m.id, m.wrapped_key, m.at, m.direction, m.answers, m.procedure, m.case_ref, m.attachments"
    };
}
pub(super) use origin_columns;

/// What the shipments of a message have in common.
pub(super) struct Origin {
    pub(super) message: MessageId,
    /// Sealed list of attachments.
    pub(super) attachments: Option<Vec<u8>>,
    pub(super) key: WrappedKey,
    at: Timestamp,
    direction: Direction,
    answers: Option<MessageId>,
    procedure: Option<ProcedureId>,
    case: Option<CaseRef>,
}

impl Origin {
    /// The shipment of `output`.
    pub(super) fn shipment(&self, attachments: Vec<StoredAttachment>, output: Output) -> Shipment {
        Shipment {
            accepted: self.at,
            direction: self.direction,
            answers: self.answers,
            procedure: self.procedure.clone(),
            case: self.case.clone(),
            key: self.key.clone(),
            attachments,
            output,
        }
    }
}

/// Reads `origin_columns!()`; `None` if the payload of the message was deleted.
pub(super) fn origin(row: &Row<'_>) -> Outcome<Option<Origin>> {
    let Some(key) = row.get("wrapped_key")? else { return Ok(None) };
    Ok(Some(Origin {
        message: MessageId(uuid(row, "id")?),
        attachments: row.get("attachments")?,
        key: WrappedKey(key),
        at: time(row, "at")?,
        direction: text(row, "direction", direction)?,
        answers: opt_uuid(row, "answers")?.map(MessageId),
        procedure: opt_name(row, "procedure")?,
        case: opt_name(row, "case_ref")?,
    }))
}

/// A shipment as it lies there.
pub(super) struct SealedShipment {
    pub(super) origin: Origin,
    /// Without its bytes.
    pub(super) output: Output,
    /// The bytes; missing if the target gets the document itself.
    pub(super) stored: Option<Stored>,
}

/// A shipment, unless the payload of its message was deleted.
pub(super) fn shipment(row: &Row<'_>) -> Outcome<Option<SealedShipment>> {
    let Some(origin) = origin(row)? else { return Ok(None) };
    let (stored, output) = match row.get::<_, Option<String>>("media_type")? {
        Some(media_type) => {
            let (file_name, digest) = (row.get("file_name")?, digest(row, "output_digest")?);
            (Some(Stored::read(row)?), Output { bytes: Bytes::new(), media_type, file_name, digest })
        }
        None => {
            let (format, digest) = (format(row)?, digest(row, "digest")?);
            let file_name = format!("nachricht.{}", format.as_str());
            (None, Output { bytes: Bytes::new(), media_type: format.media_type().into(), file_name, digest })
        }
    };
    Ok(Some(SealedShipment { origin, output, stored }))
}

/// Columns read by [`delivery`].
pub(super) const DELIVERY: &str =
    "SELECT d.id, m.id AS message_id, d.target, d.authority, d.product, d.state,
    d.attempts, d.due, d.deadline, d.code, d.receipt, d.output_digest, d.pull, d.lane
    FROM delivery d JOIN message m ON m.seq = d.message";

/// A delivery.
pub(super) fn delivery(row: &Row<'_>) -> Outcome<DeliveryRecord> {
    Ok(DeliveryRecord {
        id: DeliveryId(uuid(row, "id")?),
        message: MessageId(uuid(row, "message_id")?),
        target: name(row, "target")?,
        authority: opt_name(row, "authority")?,
        product: row.get("product")?,
        state: delivery_state(row, "state")?,
        attempts: number(row, "attempts")?,
        due: time(row, "due")?,
        deadline: time(row, "deadline")?,
        code: code(row)?,
        receipt: row.get("receipt")?,
        output_digest: opt_digest(row, "output_digest")?,
        pull: row.get("pull")?,
        lane: row.get::<_, Option<i64>>("lane")?.map(i64::cast_unsigned),
    })
}

/// Columns read by [`log_row`]; the hash before comes from the row before, or from the end of the closed month before.
pub(super) const LOG: &str = "SELECT l.*, COALESCE((SELECT p.hash FROM log p WHERE p.seq = l.seq - 1),
     (SELECT a.hash FROM archive a WHERE a.last = l.seq - 1)) AS previous FROM log l";

/// A journal entry.
pub(super) fn log_row(row: &Row<'_>) -> Outcome<LogRow> {
    let data = row.get_ref("data")?.as_str().map_err(|_| damaged("data"))?;
    Ok(LogRow {
        seq: row.get("seq")?,
        at: time(row, "at")?,
        event: row.get("event")?,
        message: opt_uuid(row, "message")?.map(MessageId),
        delivery: opt_uuid(row, "delivery")?.map(DeliveryId),
        case: row.get("case_ref")?,
        source: row.get("source")?,
        procedure: row.get("procedure")?,
        authority: row.get("authority")?,
        target: row.get("target")?,
        state: row.get("state")?,
        code: row.get("code")?,
        data: serde_json::from_str(data).map_err(|_| damaged("data"))?,
        previous: opt_digest(row, "previous")?.unwrap_or(super::chain::GENESIS),
        hash: digest(row, "hash")?,
    })
}

/// End of the journal.
pub(super) fn head(db: &Connection) -> Outcome<Head> {
    let head = one(db, "SELECT seq, hash FROM log ORDER BY seq DESC LIMIT 1", [], |row| {
        Ok(Head { seq: row.get("seq")?, hash: digest(row, "hash")? })
    })?;
    Ok(head.unwrap_or(Head { seq: 0, hash: super::chain::GENESIS }))
}

/// Counts per state.
pub(super) fn tally(db: &Connection) -> Outcome<Tally> {
    let mut tally = Tally::default();
    all(db, "SELECT kind, state, n FROM tally", [], |row| {
        let n = row.get("n")?;
        match row.get_ref("kind")?.as_str().map_err(|_| damaged("kind"))? {
            "message" => tally.add_message(message_state(row, "state")?, n),
            _ => tally.add_delivery(delivery_state(row, "state")?, n),
        }
        Ok(())
    })?;
    Ok(tally)
}

/// The row id of a message.
pub(super) fn seq_of(db: &Connection, id: MessageId) -> Outcome<Option<i64>> {
    let mut statement = db.prepare_cached("SELECT seq FROM message WHERE id = ?1")?;
    Ok(statement.query_row([id.0.as_bytes()], |row| row.get(0)).optional()?)
}

/// A blob's name.
pub(super) fn blob(row: &Row<'_>, column: &str) -> Outcome<Option<BlobRef>> {
    Ok(opt_uuid(row, column)?.map(BlobRef))
}
