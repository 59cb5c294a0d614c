//! Deliveries that come in chunks (Teile).
//!
//! Each chunk is durable before the next one is asked for, but the last: with its answer the intermediary holds the
//! delivery as handed out, and the next order would acknowledge it. So the last chunk is put together with the others
//! at once, the whole is made durable, and only then does the dialogue go on. A visit that breaks off leaves its
//! chunks; the next one asks for the first that is missing, by the MessageId. Chunks that make no message together,
//! because an intermediary has written the delivery anew in between, are thrown away; then it comes from the first on.

use dds_message::Problem;
use dds_osci::{
    client::{Answer, ChunkFetched, Fetched, LostReason, Open, Reassembly},
    feedback::{FeedbackCode, Refused},
    intake::{Intake, Received},
    intermediary::Attachment,
    message::{ChunkInformation, DeliverySelection, FeatureDescription, MessageId},
    random::SystemRandom,
};
use dds_postbox::{Download, Fetching, Parts, PostboxError, StoredPart};
use tokio::task::spawn_blocking;

use super::{Fetcher, Ordering, Outcome};

/// What the intermediary said when it was asked for a chunk.
enum Asked {
    /// A chunk, of this delivery.
    Chunk(Open, Received<Parts>, ChunkInformation, MessageId),
    /// The delivery, because it fits into one chunk (facts 14).
    Whole(Open, Received<Parts>, Box<Answer<Fetched>>),
    /// No, with this code. Nothing was handed out.
    Refused(Open, FeedbackCode),
    /// The dialogue is over, and so is asking for chunks.
    NoChunks,
    /// The dialogue is over.
    Over(String),
}

impl Fetcher {
    /// Size of the chunks to ask for; `None` if deliveries come whole.
    pub(super) fn chunk_kb(&self, open: &Open) -> Option<u64> {
        let wished = self.options.chunk_kb.filter(|_| !self.whole_only.load(Ordering::Relaxed))?;
        let partner = open.partner().filter(|partner| partner.has(FeatureDescription::PARTIAL))?;
        let lowest = partner.min_chunk_size.unwrap_or(1).max(1);
        let highest = partner.max_chunk_size.filter(|most| *most > 0).unwrap_or(u64::MAX).max(lowest);
        Some(wished.clamp(lowest, highest))
    }

    /// Deliveries that an earlier visit has begun to fetch.
    pub(super) async fn begun_downloads(&self) -> Result<Vec<MessageId>, Problem> {
        let name = self.options.name.clone();
        self.context.postbox.run(move |boxes| boxes.downloads(&name)).await.map_err(Problem::from)
    }

    /// Fetches a delivery, the oldest or the one with this id, chunk by chunk, and keeps it.
    pub(super) async fn fetch_in_chunks(
        &self,
        mut open: Open,
        id: Option<&MessageId>,
        chunk_kb: u64,
    ) -> Result<Outcome, Problem> {
        let begun = match id {
            Some(id) => self.download(id).await?.map(|begun| (begun, id.clone())),
            None => None,
        };
        let resumed = begun.is_some();
        let mut reassembly = begun.map_or_else(
            || Reassembly::new(chunk_kb),
            |(Download { fetching, chunks }, id)| {
                let totals = (fetching.total_chunks, fetching.total_kb);
                Reassembly::resumed(fetching.chunk_kb, chunks.len() as u64, totals, id)
            },
        );
        let (mut selected, mut is_known) = (id.cloned(), false);
        loop {
            let asked = self.ask(open, selected.as_ref(), &reassembly).await?;
            let (next, received, chunk, came) = match asked {
                Asked::Chunk(open, received, chunk, came) => (open, received, chunk, came),
                Asked::Whole(open, received, answer) => {
                    return self.take(open, selected.as_ref(), received, *answer).await;
                }
                Asked::Refused(open, FeedbackCode::S9803) => {
                    self.end_download(selected.as_ref()).await?;
                    return Ok(Outcome::Nothing(open));
                }
                Asked::Refused(open, code) if reassembly.is_new() => {
                    self.no_chunks(code);
                    return self.fetch_whole(open, selected.as_ref()).await;
                }
                Asked::Refused(_, code) => {
                    return self.stop(resumed, selected.as_ref(), format!("refused with {code}")).await;
                }
                Asked::NoChunks => return Ok(Outcome::Again),
                Asked::Over(reason) => return Ok(Outcome::Unreadable(reason)),
            };
            open = next;
            if selected.as_ref().is_some_and(|id| *id != came) {
                return Ok(Outcome::Unreadable("another delivery comes in its place".to_owned()));
            }
            let bytes = received.attachments.iter().map(|part| part.bytes).sum();
            let first = reassembly.is_new();
            let last = match reassembly.take(&chunk, Some(&came), bytes) {
                Ok(last) => last,
                Err(refused) => return self.stop(resumed, Some(&came), refused.detail).await,
            };
            if first {
                is_known = self.is_known(&came).await?;
                if let Some(reason) = self.too_large(&reassembly) {
                    return Ok(Outcome::Unreadable(reason));
                }
            }
            match (last, is_known) {
                // Only the receipt for it was lost.
                (true, true) => return Ok(Outcome::Kept { open, id: came, fresh: false }),
                (true, false) => return self.whole(open, &came, received, resumed).await,
                (false, true) => reassembly.skip_to_last(),
                (false, false) => self.keep_chunk(&came, &reassembly, received).await?,
            }
            selected = Some(came);
        }
    }

    async fn ask(
        &self,
        open: Open,
        selected: Option<&MessageId>,
        reassembly: &Reassembly,
    ) -> Result<Asked, Problem> {
        let selection = selected.cloned().map(DeliverySelection::MessageId);
        let (request, awaiting) = open.partial_fetch(selection, reassembly.next(), &mut SystemRandom);
        let received = self.send(request).await?;
        let (open, answer) = match awaiting.receive(received.as_ref().map_err(Clone::clone)) {
            Ok(answered) => answered,
            Err(lost) => {
                if matches!(lost.reason, LostReason::Fault(_)) && reassembly.is_new() {
                    self.no_chunks(lost.code());
                    return Ok(Asked::NoChunks);
                }
                return Ok(Asked::Over(lost.to_string()));
            }
        };
        let Answer { feedback, value, features, signer } = answer;
        let received = match received {
            Ok(received) if feedback.is_success() => received,
            Ok(_) => return Ok(Asked::Refused(open, feedback.decisive())),
            Err(refused) => return Ok(Asked::Over(refused.to_string())),
        };
        Ok(match value {
            ChunkFetched::Whole(value) => {
                Asked::Whole(open, received, Box::new(Answer { feedback, value, features, signer }))
            }
            ChunkFetched::Chunk { chunk, message_id: Some(id) } if received.attachments.len() == 1 => {
                Asked::Chunk(open, received, chunk, id)
            }
            ChunkFetched::Chunk { .. } => {
                Asked::Over("a chunk names no delivery, or has not one attachment".to_owned())
            }
        })
    }

    /// The intermediary announces chunks and gives none out.
    fn no_chunks(&self, code: FeedbackCode) {
        self.whole_only.store(true, Ordering::Relaxed);
        tracing::warn!(mailbox = self.options.name, %code, "osci.chunks_refused");
    }

    /// Gives up in the middle. What an earlier visit has left fits no more, so it goes, and the delivery comes again.
    async fn stop(&self, resumed: bool, id: Option<&MessageId>, reason: String) -> Result<Outcome, Problem> {
        if !resumed {
            return Ok(Outcome::Unreadable(reason));
        }
        tracing::debug!(mailbox = self.options.name, reason, "osci.chunks_dropped");
        self.end_download(id).await?;
        Ok(Outcome::Again)
    }

    /// Why a delivery is larger than any that can be read.
    fn too_large(&self, reassembly: &Reassembly) -> Option<String> {
        let most = self.context.courier.desk().intake.message_bytes;
        (reassembly.least_bytes() > most).then(|| format!("it has more than {most} bytes"))
    }

    async fn is_known(&self, id: &MessageId) -> Result<bool, Problem> {
        let id = self.own_id(id);
        self.context.postbox.run(move |boxes| boxes.has_delivery(&id)).await.map_err(Problem::from)
    }

    async fn download(&self, id: &MessageId) -> Result<Option<Download>, Problem> {
        let (name, id) = (self.options.name.clone(), id.clone());
        self.context.postbox.run(move |boxes| boxes.download(&name, &id)).await.map_err(Problem::from)
    }

    async fn end_download(&self, id: Option<&MessageId>) -> Result<(), Problem> {
        let Some(id) = id.cloned() else { return Ok(()) };
        let name = self.options.name.clone();
        let ended = self.context.postbox.run(move |boxes| boxes.end_download(&name, &id));
        self.discard(ended.await?).await;
        Ok(())
    }

    /// Removes the files of chunks that no record names any more; what stays because of an error is swept.
    pub(super) async fn discard(&self, chunks: Vec<StoredPart>) {
        let postbox = self.context.postbox.clone();
        if !chunks.is_empty() && spawn_blocking(move || postbox.discard(&chunks)).await.is_err() {
            tracing::warn!(mailbox = self.options.name, "osci.part_not_removed");
        }
    }

    async fn keep_chunk(
        &self,
        id: &MessageId,
        reassembly: &Reassembly,
        received: Received<Parts>,
    ) -> Result<(), Problem> {
        let Some((total_chunks, total_kb)) = reassembly.totals() else { return Ok(()) };
        let fetching = Fetching { chunk_kb: reassembly.chunk_kb(), total_chunks, total_kb };
        let (name, id, number) = (self.options.name.clone(), id.clone(), reassembly.received());
        let now = self.context.clock.now().to_jiff();
        let chunks: Vec<_> = received.attachments.iter().map(Attachment::from).collect();
        let store = received.store;
        let keeping = self.context.postbox.run(move |boxes| {
            for chunk in &chunks {
                boxes.keep_fetched(&name, &id, &fetching, (number, chunk), now)?;
            }
            // Within the step: a visit may be given up while it is committed, and parts that nobody has kept vanish.
            store.keep();
            Ok::<_, PostboxError>(())
        });
        keeping.await.map_err(Problem::from)
    }

    /// The last chunk is there: reads the message that all of them make, and keeps it.
    async fn whole(
        &self,
        open: Open,
        id: &MessageId,
        last: Received<Parts>,
        resumed: bool,
    ) -> Result<Outcome, Problem> {
        let mut chunks = self.download(id).await?.map(|begun| begun.chunks).unwrap_or_default();
        chunks.extend(last.attachments.iter().map(Attachment::from));
        let read = match self.reassemble(chunks).await {
            Ok(received) => self.client.read_reassembled(&received).map(|answer| (received, answer)),
            Err(refused) if refused.code == FeedbackCode::S9000 => {
                return Err(PostboxError::from(refused).into());
            }
            Err(refused) => Err(refused),
        };
        match read {
            Ok((received, answer)) => self.take(open, Some(id), received, answer).await,
            Err(refused) => {
                self.end_download(Some(id)).await?;
                self.stop(resumed, None, refused.to_string()).await
            }
        }
    }

    /// Reads chunks as one message; it has no transport encryption of its own. 9000: our own disk.
    async fn reassemble(&self, chunks: Vec<Attachment<StoredPart>>) -> Result<Received<Parts>, Refused> {
        let desk = self.context.courier.desk().clone();
        let reading = spawn_blocking(move || {
            let disk = |error: PostboxError| Refused::from(error);
            let store = desk.postbox.parts().map_err(disk)?;
            let mut intake = Intake::new(&desk.intake, &[], &mut SystemRandom, store);
            for chunk in chunks {
                let mut reader = desk.postbox.open_part(&chunk.handle).map_err(disk)?;
                while let Some(piece) = reader.next_chunk().map_err(|error| disk(error.into()))? {
                    intake.push(&piece)?;
                }
            }
            intake.finish()
        });
        reading.await.map_err(|error| Refused::new(FeedbackCode::S9000, error.to_string()))?
    }
}
