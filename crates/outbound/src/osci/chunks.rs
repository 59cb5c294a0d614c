//! A storeDelivery in chunks (Teile): supplement EFFI, facts 14.
//!
//! The whole message is cut once, into part files that are durable before the first chunk leaves. Whoever comes back,
//! after a crash too, asks which chunks have arrived and sends the others, octet by octet the same. Chunks of two cuts
//! must never meet: a message that was cut anew and finds others of its id there takes another id.

use std::slice;

use dds_courier::Package;
use dds_delivery::{Consignment, Verdict};
use dds_message::Code;
use dds_osci::{
    client::{ChunkPlan, ChunkVerdict, Client, partial_id},
    feedback::{FeedbackCode, Refused},
    intake::PartStore as _,
    intermediary::Attachment,
    message::{ChunkInformation, ChunkRequest, MessageId},
    outgoing::PartHasher,
    random::SystemRandom,
    signature::SigningOptions,
};
use dds_postbox::{Parts, Postbox, PostboxError, StoredPart, Transfer};
use tokio::task::spawn_blocking;

use super::{
    adapter::{Osci, store},
    judge::{self, Meaning, meaning, told},
    line::Line,
    parcel::Parcel,
};
use crate::fault::{because, broke_off, permanent, temporary};

/// Octets of a KB.
const KB: u64 = 1024;

impl Osci {
    /// The order, whole or in chunks; the deciding feedback. What was cut before goes on where it stopped.
    pub(super) async fn send(
        &self,
        line: &mut Line<'_>,
        consignment: &Consignment,
        id: &MessageId,
    ) -> Result<FeedbackCode, Verdict> {
        let delivery = consignment.delivery;
        let kept = self.sender.postbox.run(move |boxes| boxes.transfer(delivery)).await.map_err(store)?;
        // Chunks for a certificate that was replaced meanwhile would go to whoever had it.
        let parties = self.partner.parties();
        if let Some(transfer) = kept.filter(|kept| kept.message_id == *id && kept.parties == parties) {
            return self.send_chunks(line, &transfer, false).await;
        }
        let parcel = Parcel::pack(&self.sender, &self.partner, consignment).await?;
        match self.partner.chunk_kb {
            Some(chunk_kb) if parcel.octets() > chunk_kb.saturating_mul(KB) => {
                let transfer = self.cut(line, consignment, id, &parcel, chunk_kb).await?;
                self.send_chunks(line, &transfer, true).await
            }
            _ => self.hand_over(line, consignment, id, &parcel).await,
        }
    }

    /// Cuts the message: signed, not encrypted for transport, because each chunk travels in an order that is.
    async fn cut(
        &self,
        line: &Line<'_>,
        consignment: &Consignment,
        id: &MessageId,
        parcel: &Parcel,
        chunk_kb: u64,
    ) -> Result<Transfer, Verdict> {
        let own = |why: String| temporary(Code::OSCI_KEYS, judge::unusable(why));
        self.end_transfer(consignment.delivery).await?;
        let plain = Client { intermediary_cipher: None, ..line.client.clone() };
        let (request, _) = plain.store(id.clone(), parcel.delivery.clone(), &mut SystemRandom);
        let partner = line.client.partner.clone();
        let (signer, attachments) = (self.sender.identity.signature.clone(), parcel.attachments.clone());
        let postbox = self.sender.postbox.clone();
        let cutting = spawn_blocking(move || {
            let digests: Vec<_> = attachments.iter().map(|attachment| attachment.digests.clone()).collect();
            let signer = Some((signer.as_ref(), SigningOptions::default()));
            let outgoing =
                request.seal(signer, &digests, &mut SystemRandom).map_err(|refused| own(refused.detail))?;
            let package = Package { outgoing, attachments };
            let octets = package.length().ok_or_else(|| own("an attachment has no length".to_owned()))?;
            let plan =
                ChunkPlan::new(octets, chunk_kb, partner.as_ref()).map_err(|refused| uncut(&refused))?;
            let (parts, chunks) = split(&postbox, package, plan).map_err(store)?;
            Ok((parts, chunks, octets, plan))
        });
        let cut = cutting.await.map_err(|error| broke_off(&error))?;
        let (parts, chunks, octets, plan) = cut?;
        let transfer = Transfer {
            delivery: consignment.delivery,
            message_id: id.clone(),
            parties: self.partner.parties(),
            octets,
            chunk_kb: plan.chunk_kb(),
            chunks,
        };
        let (kept, now) = (transfer.clone(), self.sender.now());
        let keeping = self.sender.postbox.run(move |boxes| {
            boxes.keep_transfer(&kept, now)?;
            // Within the step: the attempt may be given up while it is committed, and parts that nobody has kept
            // vanish.
            parts.keep();
            Ok::<_, PostboxError>(())
        });
        keeping.await.map_err(store)?;
        Ok(transfer)
    }

    /// Sends what the intermediary has not got yet. `fresh`: the message was cut just now.
    async fn send_chunks(
        &self,
        line: &mut Line<'_>,
        transfer: &Transfer,
        fresh: bool,
    ) -> Result<FeedbackCode, Verdict> {
        let plan =
            ChunkPlan::new(transfer.octets, transfer.chunk_kb, None).map_err(|refused| uncut(&refused))?;
        let none: &[Attachment<StoredPart>] = &[];
        let (arrived, mut verdict) = self.order(line, transfer, ChunkRequest::InfoOnly, none).await?;
        let arrived = match &verdict {
            // Nothing is known of the transfer.
            ChunkVerdict::Refused(_) => Vec::new(),
            _ => arrived.received.unwrap_or_default(),
        };
        if fresh && !arrived.is_empty() {
            return Ok(FeedbackCode::S9801);
        }
        let all = (1..=plan.count()).all(|number| arrived.contains(&number));
        for (number, chunk) in (1..).zip(&transfer.chunks) {
            // Has it all and no verdict, it may have ended before it read the whole: the last chunk once more reminds
            // it.
            let reminder = all && number == plan.count() && verdict == ChunkVerdict::More;
            if arrived.contains(&number) && !reminder {
                continue;
            }
            (_, verdict) = self.order(line, transfer, plan.request(number), slice::from_ref(chunk)).await?;
            match &verdict {
                ChunkVerdict::More => {}
                ChunkVerdict::Refused(feedback) if feedback.decisive() == FeedbackCode::S9900 => {
                    if fresh {
                        return Ok(FeedbackCode::S9801);
                    }
                }
                ChunkVerdict::Working | ChunkVerdict::Done(_) | ChunkVerdict::Refused(_) => break,
            }
        }
        match verdict {
            ChunkVerdict::Done(feedback) => Ok(judge::decisive(&feedback)),
            ChunkVerdict::Refused(feedback) if feedback.decisive() != FeedbackCode::S9900 => {
                let code = feedback.decisive();
                // After trouble of its own the intermediary still has what it has; after a refusal it has given up the
                // chunks.
                if !matches!(meaning(code), Meaning::Wait(_)) {
                    self.end_transfer(transfer.delivery).await?;
                }
                Ok(code)
            }
            // Not delivered: what is inside may still be refused. The next attempt asks again.
            ChunkVerdict::Working | ChunkVerdict::More | ChunkVerdict::Refused(_) => {
                Err(temporary(Code::TARGET_BUSY, told(FeedbackCode::S3952)))
            }
        }
    }

    async fn order(
        &self,
        line: &mut Line<'_>,
        transfer: &Transfer,
        chunk: ChunkRequest,
        attachments: &[Attachment<StoredPart>],
    ) -> Result<(ChunkInformation, ChunkVerdict), Verdict> {
        let id = partial_id(&transfer.message_id);
        let addressee = &self.partner.addressee;
        let asked =
            line.ask(|client, random| client.partial_store(id, chunk, addressee, random), attachments).await;
        let answer = asked.map_err(|why| judge::unanswered(&why, true))?.value;
        let verdict = answer.verdict();
        Ok((answer.chunk, verdict))
    }
}

/// The partner takes chunks of another size, or fewer.
fn uncut(refused: &Refused) -> Verdict {
    let what = ("die Nachricht lässt sich nicht in Teile schneiden", "the message cannot be cut into chunks");
    permanent(Code::TARGET_TOO_LARGE, because(what, &refused.detail))
}

/// Writes the message into part files of the size of a chunk, with their digests.
fn split(
    postbox: &Postbox,
    package: Package,
    plan: ChunkPlan,
) -> Result<(Parts, Vec<Attachment<StoredPart>>), PostboxError> {
    let mut cutter = Cutter { parts: postbox.parts()?, plan, chunks: Vec::new(), open: None };
    let mut pieces = package.pieces(postbox.clone());
    while let Some(piece) = pieces.next_piece()? {
        cutter.take(&piece)?;
    }
    cutter.end()?;
    Ok((cutter.parts, cutter.chunks))
}

struct Cutter {
    parts: Parts,
    plan: ChunkPlan,
    chunks: Vec<Attachment<StoredPart>>,
    /// The chunk being written, and its octets so far.
    open: Option<(PartHasher, u64)>,
}

impl Cutter {
    fn take(&mut self, mut octets: &[u8]) -> Result<(), PostboxError> {
        let full = self.plan.chunk_kb().saturating_mul(KB);
        while !octets.is_empty() {
            let (mut hasher, written) = match self.open.take() {
                Some(open) => open,
                None => {
                    self.parts.start()?;
                    (PartHasher::new(ChunkPlan::CONTENT_ID, &[SigningOptions::default().digest]), 0)
                }
            };
            let room = usize::try_from(full - written).unwrap_or(usize::MAX);
            let (now, rest) = octets.split_at(room.min(octets.len()));
            hasher.update(now);
            self.parts.write(now)?;
            self.open = Some((hasher, written + now.len() as u64));
            if now.len() == room {
                self.end()?;
            }
            octets = rest;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), PostboxError> {
        let Some((hasher, bytes)) = self.open.take() else { return Ok(()) };
        self.chunks.push(Attachment {
            content_id: ChunkPlan::CONTENT_ID.to_owned(),
            media_type: "application/octet-stream".to_owned(),
            bytes,
            offset: 0,
            digests: hasher.finish(),
            handle: self.parts.end()?,
        });
        Ok(())
    }
}
