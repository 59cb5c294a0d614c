//! Acceptance: message, document and journal entry in one commit, once per key of the sender.

use dds_message::{Digest, MessageState, ProcedureId};
use rusqlite::params;

use super::{
    fault::Outcome,
    payload,
    payload::Stored,
    rows,
    tx::{Subject, Tx},
};
use crate::{Accepted, NewMessage, StoreError};

/// A message with its payloads sealed.
pub(super) struct Sealed {
    pub(super) message: NewMessage,
    pub(super) sender_key: Digest,
    pub(super) imprint: Digest,
    pub(super) document: Stored,
    pub(super) attachments: Option<Vec<u8>>,
}

/// Writes the message unless its key is known.
pub(super) fn accept(tx: &mut Tx<'_>, sealed: &Sealed) -> Outcome<Accepted> {
    let Sealed { message, sender_key, imprint, document, attachments } = sealed;
    let blobs = || message.attachments.iter().map(|stored| &stored.blob);
    let source = message.source.as_str();
    let state = MessageState::Accepted;
    let inserted = tx
        .db()
        .prepare_cached(
            "INSERT INTO message (id, at, direction, answers, source, channel, sender_key, wrapped_key, digest, imprint, size,
             format, attachments, procedure, type_name, type_version, municipality, addressee, case_ref, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
             ON CONFLICT (source, sender_key) DO NOTHING",
        )?
        .execute(params![
            message.id.0.as_bytes(),
            message.at.0,
            rows::direction_name(message.direction),
            message.answers.as_ref().map(|id| id.0.as_bytes().as_slice()),
            source,
            message.channel.as_str(),
            sender_key.0,
            message.key.0,
            message.digest.0,
            imprint.0,
            i64::try_from(message.document.len()).unwrap_or(i64::MAX),
            message.format.as_str(),
            attachments,
            message.procedure.as_ref().map(ProcedureId::as_str),
            message.message_type.as_ref().map(|kind| &kind.name),
            message.message_type.as_ref().map(|kind| &kind.version),
            message.municipality.as_ref().map(dds_message::Ars::as_str),
            message.addressee.as_ref().map(dds_message::AuthorityId::as_str),
            message.case.as_ref().map(dds_message::CaseRef::as_str),
            state.as_str(),
        ])?;
    if inserted == 0 {
        let first = rows::one(tx.db(), rows::ACCEPTED, params![source, sender_key.0], rows::accepted)?;
        return match first {
            Some(first) if first.is(message.digest, *imprint) => Ok(first),
            _ => Err(StoreError::KeyReused.into()),
        };
    }
    let seq = tx.db().last_insert_rowid();
    document.insert(tx, "document", seq, seq)?;
    blobs().try_for_each(|blob| payload::own(tx, blob, seq))?;
    let application = match message.answers {
        Some(id) => rows::facts_of(tx.db(), id)?.map(|facts| facts.subject).unwrap_or_default(),
        None => Subject::default(),
    };
    let text = |procedure: &ProcedureId| procedure.as_str().to_owned();
    let subject = Subject {
        message: Some(message.id),
        case: message.case.as_ref().map(|case| case.as_str().to_owned()).or(application.case),
        source: Some(source.to_owned()),
        procedure: message.procedure.as_ref().map(text).or(application.procedure),
        authority: None,
    };
    tx.log(&message.entry, message.at, &subject, None, Some(state.as_str()))?;
    tx.count_message(None, state);
    Ok(Accepted {
        id: message.id,
        at: message.at,
        fresh: true,
        state,
        digest: message.digest,
        imprint: Some(*imprint),
    })
}
