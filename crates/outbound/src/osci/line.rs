//! The line to one intermediary: orders out, answers in.

use std::sync::Arc;

use dds_courier::{ExchangeError, Package};
use dds_osci::{
    client::{Answer, Answered, Awaiting, Cards, Client, Lost, Open, Request, Single},
    feedback::{FeedbackClass, FeedbackCode, Refused},
    intake::Received,
    intermediary::Attachment,
    laufzettel::ProcessCardBundle,
    message::{CardQuery, CardSelection, MessageId},
    random::{Random, SystemRandom},
    signature::SigningOptions,
};
use dds_postbox::{Parts, StoredPart};
use tokio::task::spawn_blocking;

use super::{OsciSender, judge::decisive};

/// Why an order has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The intermediary knows nothing of it.
    #[error("not reached: {0}")]
    NotReached(String),
    /// It was sent; the intermediary may have executed it.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// Something came that is no answer to it.
    #[error(transparent)]
    Lost(Lost),
    /// It could not be made: our key or our content.
    #[error("our key or content cannot be used: {0}")]
    Own(String),
}

/// A line to an intermediary; learns what the intermediary announces.
#[derive(Debug, Clone)]
pub(crate) struct Line<'a> {
    sender: &'a OsciSender,
    address: &'a str,
    pub(crate) client: Client,
}

impl<'a> Line<'a> {
    pub(crate) const fn new(sender: &'a OsciSender, address: &'a str, client: Client) -> Self {
        Self { sender, address, client }
    }

    /// An order outside a dialogue.
    pub(crate) async fn ask<A: Answered>(
        &mut self,
        order: impl FnOnce(&Client, &mut dyn Random) -> (Request, Single<A>),
        attachments: &[Attachment<StoredPart>],
    ) -> Result<Answer<A>, Unanswered> {
        let (request, awaiting) = order(&self.client, &mut SystemRandom);
        let came = self.exchange(request, attachments).await?;
        let answer = awaiting.receive(came.as_ref().map_err(Refused::clone)).map_err(lost)?;
        if answer.features.is_some() {
            self.client.partner.clone_from(&answer.features);
        }
        Ok(answer)
    }

    /// One order in a dialogue of its own, which is left open: a further order, exitDialog too, says that what the
    /// answer brought was received (specification 1.2, section 4; facts 12). With the answer comes the message it was
    /// in.
    pub(crate) async fn ask_in_dialogue<A: Answered>(
        &mut self,
        order: impl FnOnce(Open, &mut dyn Random) -> (Request, Awaiting<A>),
        attachments: &[Attachment<StoredPart>],
    ) -> Result<(Open, Answer<A>, Received<Parts>), Unanswered> {
        let open = self.open().await?;
        let (request, awaiting) = order(open, &mut SystemRandom);
        let came = self.exchange(request, attachments).await?;
        let (open, answer) = awaiting.receive(came.as_ref().map_err(Refused::clone)).map_err(lost)?;
        // There is no answer without a message.
        let came = came.map_err(|refused| Unanswered::Own(refused.detail))?;
        Ok((open, answer, came))
    }

    /// The process cards of these deliveries, as far as the intermediary knows them; all in one dialogue.
    pub(crate) async fn cards(&mut self, ids: &[MessageId]) -> Result<Vec<ProcessCardBundle>, CardsMissing> {
        let mut found = Vec::new();
        let mut open = self.open().await.map_err(CardsMissing::Unanswered)?;
        for batch in ids.chunks(BATCH) {
            let mut missing = batch.to_vec();
            loop {
                let selection = Some(CardSelection::MessageIds(missing.clone()));
                let query = CardQuery { selection, limit: None };
                let (request, awaiting) = open.fetch_process_cards(query, &mut SystemRandom);
                let came = self.exchange(request, &[]).await.map_err(CardsMissing::Unanswered)?;
                let received = awaiting.receive(came.as_ref().map_err(Refused::clone));
                let (next, answer): (Open, Answer<Cards>) =
                    received.map_err(lost).map_err(CardsMissing::Unanswered)?;
                open = next;
                match decisive(&answer.feedback) {
                    // A warning alone may be a refusal: it says of no delivery that it is unknown.
                    code if code.class() == FeedbackClass::Ok => {}
                    FeedbackCode::S9804 => break,
                    refused => {
                        self.close(open).await;
                        return Err(CardsMissing::Refused(refused));
                    }
                }
                let before = missing.len();
                missing.retain(|id| answer.value.cards.iter().all(|card| card.message_id != *id));
                found.extend(answer.value.cards);
                // There are more cards than the intermediary answers at once: the rest, as long as each answer brings
                // some of it.
                let more = answer.feedback.codes().contains(&FeedbackCode::S3801);
                if !more || missing.is_empty() || missing.len() == before {
                    break;
                }
            }
        }
        self.close(open).await;
        // Nobody vouches for a card that was not asked for.
        found.retain(|card| ids.contains(&card.message_id));
        Ok(found)
    }

    async fn open(&mut self) -> Result<Open, Unanswered> {
        let (request, awaiting) = self.client.init(&mut SystemRandom);
        let came = self.exchange(request, &[]).await?;
        let open = awaiting.receive(came.as_ref().map_err(Refused::clone)).map_err(lost)?;
        self.client.partner = open.partner().cloned();
        Ok(open)
    }

    /// Ends a dialogue. That it ended well is of no interest: the intermediary lets it expire otherwise.
    pub(crate) async fn close(&self, open: Open) {
        let (request, awaiting) = open.exit(&mut SystemRandom);
        let ended = match self.exchange(request, &[]).await {
            Ok(came) => awaiting.receive(came.as_ref().map_err(Refused::clone)).is_ok(),
            Err(_) => false,
        };
        if !ended {
            tracing::debug!("osci.dialogue_left_open");
        }
    }

    /// Signs, sends, receives. The inner error is an answer that cannot be read.
    async fn exchange(
        &self,
        request: Request,
        attachments: &[Attachment<StoredPart>],
    ) -> Result<Result<Received<Parts>, Refused>, Unanswered> {
        let digests: Vec<_> = attachments.iter().map(|attachment| attachment.digests.clone()).collect();
        let signer = Arc::clone(&self.sender.identity.signature);
        let sealing = spawn_blocking(move || {
            request.seal(Some((signer.as_ref(), SigningOptions::default())), &digests, &mut SystemRandom)
        });
        let sealed = sealing.await.map_err(|error| Unanswered::Own(error.to_string()))?;
        let outgoing = sealed.map_err(|refused| Unanswered::Own(refused.detail))?;
        let package = Package { outgoing, attachments: attachments.to_vec() };
        let keys = vec![Arc::clone(&self.sender.identity.cipher)];
        match self.sender.courier.exchange(self.address, package, keys).await {
            Ok(received) => Ok(Ok(received)),
            Err(ExchangeError::Unreadable(refused)) => Ok(Err(refused)),
            Err(ExchangeError::NotReached(detail)) => Err(Unanswered::NotReached(detail)),
            Err(ExchangeError::NoAnswer(detail)) => Err(Unanswered::NoAnswer(detail)),
        }
    }
}

/// What exactly is wrong with an answer is for the log; the journal keeps the code of our own table (invariant I9).
fn lost(lost: Lost) -> Unanswered {
    tracing::warn!(reason = %lost, "osci.answer_lost");
    Unanswered::Lost(lost)
}

/// Ids in one fetchProcessCard: intermediaries answer with a limited number of cards (ours with 100), and with 3801
/// where there are more.
const BATCH: usize = 50;

/// Why there are no process cards.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CardsMissing {
    #[error(transparent)]
    Unanswered(Unanswered),
    #[error("refused with {0}")]
    Refused(FeedbackCode),
}
