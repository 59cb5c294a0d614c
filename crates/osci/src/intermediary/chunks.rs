//! partialStoreDelivery and partialFetchDelivery: large messages in chunks (supplement EFFI, facts 14).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::execute::{Outcome, Refusal, Turn};
use super::fetch::{find, forwarded, hand_out, response};
use super::reply::Frame;
use super::store::{claim, keep};
use super::{
    Attachment, ChunkUpload, Client, Fingerprint, IdState, Intermediary, KB, Mailboxes, RenderedFetch, Reply,
    ReplyMessage, Step, StoreFailed,
};
use crate::feedback::{Feedback, FeedbackClass, FeedbackCode, Refused};
use crate::intake::{PartStore, Received};
use crate::laufzettel::ProcessCardBundle;
use crate::message::{ChunkInformation, ChunkRequest, ContentPackage, DeliverySelection, MessageId, Order};
use crate::signature::PartDigests;
use crate::xml::XmlWriter;

/// What the library appends to the id of the delivery inside.
const SUFFIX: &str = "_Partial";
/// Content-ID of a chunk, in both directions.
const BLOB: &str = "ChunkBlobStoreDelivery";

/// What a chunk says about itself, complete.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    number: u64,
    size: u64,
    total_chunks: u64,
    total_size: u64,
}

pub(super) fn store<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    transfer: &MessageId,
    request: ChunkRequest,
) -> Outcome<M::Handle> {
    let owner = turn.client.fingerprint();
    let known = turn.boxes.upload(&owner, transfer)?;
    let information = match request {
        ChunkRequest::InfoOnly => {
            let received: Vec<u64> =
                known.iter().flat_map(|upload| upload.received.iter().copied()).collect();
            let total = known.as_ref().map(|upload| upload.total_chunks);
            let feedback = turn.frame.done(&turn.warnings);
            let chunk = ChunkInformation {
                number: Some(received.last().copied().unwrap_or(0)),
                received: Some(received),
                total_chunks: total,
                ..ChunkInformation::default()
            };
            return turn.answer(Order::ResponseToPartialStoreDelivery {
                inside: None,
                feedback,
                card: None,
                chunk,
            });
        }
        ChunkRequest::Chunk(information) => information,
    };
    let inside = inner_id(turn.boxes, transfer, &owner)?;
    if let Err(refusal) = claim(turn.boxes, &inside, &turn.client)? {
        return Ok(Err(refusal));
    }
    let chunk = match sound(turn, &information, known.as_ref()) {
        Ok(chunk) => chunk,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let blob = match turn.order.attachments.as_slice() {
        [blob] => blob.clone(),
        _ => return Ok(Err(Refusal::new(FeedbackCode::S9905, "a chunk is exactly one attachment"))),
    };
    let full = chunk.size * KB;
    if blob.bytes > full {
        return Ok(Err(Refusal::new(FeedbackCode::S9902, "the chunk is longer than announced")));
    }
    if blob.bytes < full && chunk.number != chunk.total_chunks {
        return Ok(Err(Refusal::new(FeedbackCode::S9903, "only the last chunk may be shorter")));
    }
    let mut upload = known.unwrap_or_else(|| ChunkUpload {
        client: owner,
        transfer: transfer.clone(),
        size: chunk.size,
        total_chunks: chunk.total_chunks,
        total_size: chunk.total_size,
        received: BTreeSet::new(),
        begun: turn.order.at,
    });
    if upload.received.insert(chunk.number) {
        let rules = &turn.intermediary.rules;
        let most = rules.uploads.saturating_mul(rules.max_message_kb).saturating_mul(KB);
        if turn.boxes.upload_bytes(&upload.client)?.saturating_add(blob.bytes) > most {
            return Ok(Err(Refusal::new(
                FeedbackCode::S9811,
                "too much of the client is under way in chunks",
            )));
        }
        turn.boxes.keep_chunk(&upload, chunk.number, &blob)?;
    }
    let answer = ChunkInformation {
        number: Some(chunk.number),
        received: Some(upload.received.iter().copied().collect()),
        total_chunks: Some(chunk.total_chunks),
        ..ChunkInformation::default()
    };
    if (upload.received.len() as u64) < upload.total_chunks {
        let feedback = turn.frame.done(&turn.warnings);
        return turn.answer(Order::ResponseToPartialStoreDelivery {
            inside: None,
            feedback,
            card: None,
            chunk: answer,
        });
    }
    let then = Reassembly {
        frame: turn.frame.clone(),
        warnings: turn.warnings.clone(),
        client: turn.client.clone(),
        transfer: transfer.clone(),
        chunk: answer,
    };
    let chunks = turn.boxes.upload_chunks(&upload.client, transfer)?;
    Ok(Ok(Step::Reassemble { chunks, then: Box::new(then) }))
}

/// The id of the delivery inside: the transfer's without the suffix, unless the transfer's own id was issued.
fn inner_id<M: Mailboxes>(
    boxes: &mut M,
    transfer: &MessageId,
    owner: &Fingerprint,
) -> Result<MessageId, StoreFailed> {
    if boxes.id_state(transfer, owner)? != IdState::Unknown {
        return Ok(transfer.clone());
    }
    Ok(transfer.as_str().strip_suffix(SUFFIX).map_or_else(|| transfer.clone(), MessageId::new))
}

fn sound<M: Mailboxes>(
    turn: &Turn<'_, M>,
    information: &ChunkInformation,
    known: Option<&ChunkUpload>,
) -> Result<Chunk, Refusal> {
    let rules = &turn.intermediary.rules;
    let refuse = |code, detail: &str| Err(Refusal::new(code, detail));
    let (Some(number), Some(size), Some(total_chunks), Some(total_size)) =
        (information.number, information.size, information.total_chunks, information.total_size)
    else {
        return refuse(FeedbackCode::S9905, "the chunk says not all about itself");
    };
    if total_size > rules.max_message_kb {
        return refuse(FeedbackCode::S9904, "the message is larger than announced in FeatureDescription");
    }
    check_size(turn.intermediary, size, total_chunks)?;
    if number == 0 || number > total_chunks {
        return refuse(FeedbackCode::S9901, "there is no chunk of this number");
    }
    // Partners round the total down or up (facts 14): one KB either way is no contradiction.
    let most = total_chunks.saturating_mul(size);
    let least = total_chunks.saturating_sub(1).saturating_mul(size);
    if total_size > most || least > total_size.saturating_add(1) {
        return refuse(FeedbackCode::S9905, "number and size of chunks contradict the total");
    }
    if let Some(known) = known {
        if (known.size, known.total_chunks, known.total_size) != (size, total_chunks, total_size) {
            return refuse(FeedbackCode::S9905, "the chunk contradicts the ones before");
        }
        // Complete and still here: it was never read, because we ended in between. Any chunk once more makes up for it.
        let complete = known.received.len() as u64 == known.total_chunks;
        if known.received.contains(&number) && !complete {
            return refuse(FeedbackCode::S9900, "the chunk has arrived before");
        }
    }
    Ok(Chunk { number, size, total_chunks, total_size })
}

fn check_size(intermediary: &Intermediary, size: u64, total_chunks: u64) -> Result<(), Refusal> {
    if size > intermediary.rules.max_chunk_kb {
        return Err(Refusal::new(
            FeedbackCode::S9902,
            "chunks are larger than announced in FeatureDescription",
        ));
    }
    if size == 0 || (size < intermediary.rules.min_chunk_kb && total_chunks > 1) {
        return Err(Refusal::new(
            FeedbackCode::S9903,
            "chunks are smaller than announced in FeatureDescription",
        ));
    }
    Ok(())
}

/// All chunks are there; the delivery inside is being read.
#[derive(Debug)]
pub struct Reassembly {
    frame: Frame,
    warnings: Vec<FeedbackCode>,
    client: Client,
    transfer: MessageId,
    chunk: ChunkInformation,
}

impl Reassembly {
    /// The delivery inside, or why it could not be read. The verdict on it comes in InsideFeedback; 3950 or 9950 tells
    /// the client to look there. The chunks are given up either way: what was refused must be sent anew. The driver
    /// runs this inside a transaction and commits before the reply leaves.
    ///
    /// # Errors
    /// [`StoreFailed`]: roll back, answer with the fault 9000.
    pub fn done<P: PartStore, M: Mailboxes<Handle = P::Handle>>(
        self,
        intermediary: &Intermediary,
        inside: Result<&Received<P>, Refused>,
        boxes: &mut M,
        now: Timestamp,
    ) -> Result<Reply<P::Handle>, StoreFailed> {
        let verdict = match inside {
            Ok(received) => self.deliver(intermediary, received, boxes, now)?,
            Err(refused) => Err(refused),
        };
        boxes.end_upload(&self.client.fingerprint(), &self.transfer)?;
        let languages = &self.frame.languages;
        let (inside, feedback, card, refused) = match verdict {
            Ok((bundle, warnings)) => {
                let inner: Vec<_> = std::iter::once(FeedbackCode::S0800).chain(warnings).collect();
                // The deciding entry last: 3950 only points to the inside (as the library writes it).
                let outer: Vec<_> =
                    self.warnings.iter().copied().chain([FeedbackCode::S3950, self.frame.success]).collect();
                (Feedback::of(&inner, languages), Feedback::of(&outer, languages), Some(bundle), None)
            }
            Err(refused) => {
                let outer: Vec<_> = self.warnings.iter().copied().chain([FeedbackCode::S9950]).collect();
                (
                    Feedback::of(&[refused.code], languages),
                    Feedback::of(&outer, languages),
                    None,
                    Some(refused),
                )
            }
        };
        let order = Order::ResponseToPartialStoreDelivery {
            inside: Some(inside),
            feedback,
            card,
            chunk: self.chunk.clone(),
        };
        let mut reply = self.frame.reply(intermediary, order);
        reply.refused = refused;
        Ok(reply)
    }

    #[allow(clippy::type_complexity, reason = "a card and its warnings, used here only")]
    fn deliver<P: PartStore, M: Mailboxes<Handle = P::Handle>>(
        &self,
        intermediary: &Intermediary,
        received: &Received<P>,
        boxes: &mut M,
        now: Timestamp,
    ) -> Result<Result<(ProcessCardBundle, Vec<FeedbackCode>), Refused>, StoreFailed> {
        // The library writes the delivery inside unsigned; the client has signed every octet of it with the chunks
        // (facts 14).
        let order = match intermediary.examine_vouched(received, self.client.signature.as_ref(), now) {
            Ok(order) => order,
            Err(fault) => {
                return Ok(Err(fault.refused.unwrap_or_else(|| Refused::new(FeedbackCode::S9100, ""))));
            }
        };
        let Order::StoreDelivery { message_id, subject } = order.envelope.order.clone() else {
            return Ok(Err(Refused::new(FeedbackCode::S9300, "chunks carry a storeDelivery")));
        };
        if self.transfer.as_str().strip_suffix(SUFFIX).unwrap_or(self.transfer.as_str())
            != message_id.as_str()
            && self.transfer != message_id
        {
            return Ok(Err(Refused::new(FeedbackCode::S9801, "the delivery inside has another MessageId")));
        }
        match &order.signer {
            Err(refused) => return Ok(Err(refused.clone())),
            Ok(Some(signer)) if self.client.signature.as_ref().is_some_and(|client| client != signer) => {
                return Ok(Err(Refused::new(
                    FeedbackCode::S9601,
                    "the delivery inside is signed by another",
                )));
            }
            Ok(_) => {}
        }
        if let Some(code) =
            order.findings(|class| matches!(class, FeedbackClass::Error | FeedbackClass::Fault(_))).last()
        {
            return Ok(Err(Refused::new(*code, "a certificate of the delivery inside")));
        }
        let warnings = order.findings(|class| class == FeedbackClass::Warning);
        let kept = keep(boxes, intermediary, &order, &self.client, (&message_id, subject))?;
        Ok(kept.map(|bundle| (bundle, warnings)).map_err(|refusal| refusal.refused))
    }
}

pub(super) fn fetch<M: Mailboxes>(
    turn: &mut Turn<'_, M>,
    selection: Option<DeliverySelection>,
    chunk: ChunkInformation,
) -> Outcome<M::Handle> {
    let (Some(number), Some(size)) = (chunk.number, chunk.size) else {
        return Ok(Err(Refusal::new(FeedbackCode::S9905, "number or size of the chunk is missing")));
    };
    if let Err(refusal) = check_size(turn.intermediary, size, u64::MAX) {
        return Ok(Err(refusal));
    }
    let (delivery, _) = match find(turn, selection.as_ref())? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let received = chunk.received.unwrap_or_default().into_iter().collect();
    let wanted = Wanted { selection, number, size, received, id: delivery.id.clone() };
    if let Some(rendered) = turn.boxes.rendered(&delivery.id)? {
        let complete = wanted.completes(rendered.bytes);
        let reply = match wanted.chunk_of(turn.intermediary, &turn.frame, &turn.warnings, &rendered) {
            Ok(reply) => reply,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if complete {
            // Only whoever has all chunks has the delivery: the next order acknowledges it.
            let card = forwarded(turn, &delivery.id)?;
            hand_out(turn, &delivery.id, card)?;
        }
        return Ok(Ok(Step::Answer(reply)));
    }
    let id = delivery.id.clone();
    let card = forwarded(turn, &id)?;
    let feedback = turn.frame.done(&turn.warnings);
    let bundle = card.as_ref().map(|card| card.bundle.clone());
    let mut whole = match response(turn, delivery, feedback, wanted.selection.clone(), bundle)? {
        Ok(whole) => whole,
        Err(refusal) => return Ok(Err(refusal)),
    };
    // What is written now bears this time in every chunk, and so does what another dialogue makes of it later.
    if let Some(card) = &card {
        turn.boxes.keep_card(card)?;
    }
    whole.encrypt = None;
    let then =
        Rendering { frame: turn.frame.clone(), warnings: turn.warnings.clone(), at: turn.order.at, wanted };
    Ok(Ok(Step::Render { response: Box::new(whole), then: Box::new(then) }))
}

#[derive(Debug)]
struct Wanted {
    selection: Option<DeliverySelection>,
    number: u64,
    size: u64,
    /// The chunks that the client has (`ReceivedChunks`).
    received: BTreeSet<u64>,
    id: MessageId,
}

impl Wanted {
    fn total_chunks(&self, bytes: u64) -> u64 {
        bytes.div_ceil(self.size * KB)
    }

    /// Whether the client has the whole when he has this chunk too.
    fn completes(&self, bytes: u64) -> bool {
        let total = self.total_chunks(bytes);
        let others = self.received.range(1..=total).filter(|&&other| other != self.number).count();
        (1..=total).contains(&self.number) && others as u64 + 1 == total
    }

    fn chunk_of<H: Clone>(
        &self,
        intermediary: &Intermediary,
        frame: &Frame,
        warnings: &[FeedbackCode],
        rendered: &RenderedFetch<H>,
    ) -> Result<Reply<H>, Refusal> {
        let total_chunks = self.total_chunks(rendered.bytes);
        if self.number == 0 || self.number > total_chunks {
            return Err(Refusal::new(FeedbackCode::S9901, "there is no chunk of this number"));
        }
        let offset = (self.number - 1) * self.size * KB;
        let blob = Attachment {
            content_id: BLOB.to_owned(),
            media_type: "application/octet-stream".to_owned(),
            bytes: (rendered.bytes - offset).min(self.size * KB),
            offset,
            digests: PartDigests { content_id: BLOB.to_owned(), digests: Vec::new() },
            handle: rendered.handle.clone(),
        };
        let order = Order::ResponseToPartialFetchDelivery {
            feedback: frame.done(warnings),
            echo: self.selection.clone(),
            chunk: ChunkInformation {
                number: Some(self.number),
                total_chunks: Some(total_chunks),
                total_size: Some(rendered.bytes / KB),
                ..ChunkInformation::default()
            },
            message_id: Some(self.id.clone()),
        };
        let mut reply = frame.reply(intermediary, order);
        reply.attachments.push(blob);
        if let ReplyMessage::Envelope(envelope) = &mut reply.message {
            envelope.content = Some(package());
        }
        Ok(reply)
    }
}

/// The content that points to the chunk.
fn package() -> ContentPackage {
    let mut writer = XmlWriter::new();
    writer.open("osci:ContentPackage").start("osci:ContentContainer", &[("Id", "ChunkContentContainer")]);
    writer.empty("osci:Content", &[("Id", "ChunkContent"), ("href", &format!("cid:{BLOB}"))]);
    ContentPackage::new(writer.finish())
}

/// The whole response of a chunked fetch is being written.
#[derive(Debug)]
pub struct Rendering {
    frame: Frame,
    warnings: Vec<FeedbackCode>,
    at: Timestamp,
    wanted: Wanted,
}

impl Rendering {
    /// The octets are stored: `bytes` of them behind `handle`. The driver runs this inside a transaction and commits
    /// before the reply leaves.
    ///
    /// # Errors
    /// [`StoreFailed`]: roll back, answer with the fault 9000.
    pub fn done<M: Mailboxes>(
        self,
        intermediary: &Intermediary,
        handle: M::Handle,
        bytes: u64,
        boxes: &mut M,
    ) -> Result<Reply<M::Handle>, StoreFailed> {
        let Self { frame, warnings, at, wanted } = self;
        let rendered = match boxes.rendered(&wanted.id)? {
            // Another dialogue was faster; its chunks must fit together too.
            Some(rendered) => rendered,
            None => {
                let rendered = RenderedFetch { id: wanted.id.clone(), at, bytes, handle };
                boxes.keep_rendered(&rendered)?;
                rendered
            }
        };
        let conversation = frame.control.conversation_id.as_deref().unwrap_or_default();
        if wanted.completes(rendered.bytes)
            && let Some(mut dialogue) = boxes.dialogue(conversation)?
        {
            dialogue.handed_out.push(wanted.id.clone());
            boxes.keep_dialogue(&dialogue)?;
        }
        Ok(wanted.chunk_of(intermediary, &frame, &warnings, &rendered).unwrap_or_else(|refusal| {
            let order = Order::ResponseToPartialFetchDelivery {
                feedback: frame.refusal(&warnings, refusal.refused.code),
                echo: wanted.selection.clone(),
                chunk: ChunkInformation { number: Some(wanted.number), ..ChunkInformation::default() },
                message_id: None,
            };
            frame.reply(intermediary, order)
        }))
    }
}
