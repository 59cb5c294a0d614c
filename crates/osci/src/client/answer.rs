use crate::certificate::Certificate;
use crate::feedback::{Feedback, FeedbackCode};
use crate::laufzettel::ProcessCardBundle;
use crate::message::{ChunkInformation, Envelope, FeatureDescription, MessageId, Order};

/// The answer to an order: executed or not, it came from the intermediary and belongs to the order.
#[derive(Debug)]
pub struct Answer<A> {
    /// Feedback; the last entry decides.
    pub feedback: Feedback,
    /// What the answer holds.
    pub value: A,
    /// What the intermediary announces.
    pub features: Option<FeatureDescription>,
    /// Who signed it, if it is signed.
    pub signer: Option<Certificate>,
}

impl<A> Answer<A> {
    /// Whether the order was executed.
    pub fn is_success(&self) -> bool {
        self.feedback.is_success()
    }
}

/// What an answer can hold; sealed by the types of this module.
pub trait Answered: Sized {
    #[doc(hidden)]
    fn take(envelope: Envelope) -> Option<Self>;
}

/// Answer to getMessageId.
#[derive(Debug)]
pub struct IssuedId {
    /// The id; absent when refused.
    pub message_id: Option<MessageId>,
}

/// Answer to storeDelivery.
#[derive(Debug)]
pub struct Stored {
    /// Process card with the creation time.
    pub card: Option<ProcessCardBundle>,
}

/// Answer to forwardDelivery.
#[derive(Debug)]
pub struct Forwarded {
    /// Process card; with a reception time if the recipient took it.
    pub card: Option<ProcessCardBundle>,
}

/// Answer to mediateDelivery.
#[derive(Debug)]
pub struct Mediated {
    /// Process card of our request.
    pub request_card: Option<ProcessCardBundle>,
    /// Process card of the reply.
    pub reply_card: Option<ProcessCardBundle>,
    /// The reply: its content and certificates are in here.
    pub envelope: Box<Envelope>,
}

/// Answer to fetchDelivery.
#[derive(Debug)]
pub struct Fetched {
    /// Process card with creation and forwarding time.
    pub card: Option<ProcessCardBundle>,
    /// The delivery: its content and certificates are in here; without content if there was none (9803).
    pub envelope: Box<Envelope>,
}

/// Answer to fetchProcessCard.
#[derive(Debug)]
pub struct Cards {
    /// What was found.
    pub cards: Vec<ProcessCardBundle>,
}

/// Answer to exitDialog.
#[derive(Debug)]
pub struct Exited;

/// Answer to partialStoreDelivery. [`Self::verdict`] says what it means; a success of the transfer can hide a refusal
/// of the delivery inside (facts 14).
#[derive(Debug)]
pub struct ChunkStored {
    /// Feedback on the transfer.
    pub feedback: Feedback,
    /// `InsideFeedback`: on the delivery inside.
    pub inside: Option<Feedback>,
    /// Process card.
    pub card: Option<ProcessCardBundle>,
    /// Which chunks have arrived.
    pub chunk: ChunkInformation,
}

/// What became of a chunk and of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChunkVerdict {
    /// The chunk is there, others are missing.
    More,
    /// All are there, the delivery is being worked on (3951, 3952): ask again with InfoOnly.
    Working,
    /// The delivery inside was executed.
    Done(Feedback),
    /// The chunk or the delivery inside was refused; the feedback that says so.
    Refused(Feedback),
}

impl ChunkStored {
    /// Evaluates both feedbacks.
    pub fn verdict(&self) -> ChunkVerdict {
        if let Some(inside) = &self.inside {
            return if inside.is_success() {
                ChunkVerdict::Done(inside.clone())
            } else {
                ChunkVerdict::Refused(inside.clone())
            };
        }
        if !self.feedback.is_success() {
            return ChunkVerdict::Refused(self.feedback.clone());
        }
        if self.feedback.has(FeedbackCode::S3951) || self.feedback.has(FeedbackCode::S3952) {
            return ChunkVerdict::Working;
        }
        // 3950 says that there is an inner feedback; without one nothing can be said of the delivery.
        if self.feedback.has(FeedbackCode::S3950) {
            return ChunkVerdict::Refused(self.feedback.clone());
        }
        ChunkVerdict::More
    }
}

/// Answer to partialFetchDelivery.
#[derive(Debug)]
pub enum ChunkFetched {
    /// One chunk; its octets are the only attachment.
    Chunk {
        /// Which of how many.
        chunk: ChunkInformation,
        /// The delivery's id.
        message_id: Option<MessageId>,
    },
    /// The whole delivery, because it fits into one chunk (facts 14, H13).
    Whole(Fetched),
}

impl Answered for IssuedId {
    fn take(envelope: Envelope) -> Option<Self> {
        match envelope.order {
            Order::ResponseToGetMessageId { message_id, .. } => Some(Self { message_id }),
            _ => None,
        }
    }
}

impl Answered for Stored {
    fn take(envelope: Envelope) -> Option<Self> {
        match envelope.order {
            Order::ResponseToStoreDelivery { card, .. } => Some(Self { card }),
            _ => None,
        }
    }
}

impl Answered for Forwarded {
    fn take(envelope: Envelope) -> Option<Self> {
        match envelope.order {
            Order::ResponseToForwardDelivery { card, .. } => Some(Self { card }),
            _ => None,
        }
    }
}

impl Answered for Mediated {
    fn take(envelope: Envelope) -> Option<Self> {
        match &envelope.order {
            Order::ResponseToMediateDelivery { request_card, reply_card, .. } => Some(Self {
                request_card: request_card.clone(),
                reply_card: reply_card.clone(),
                envelope: Box::new(envelope),
            }),
            _ => None,
        }
    }
}

impl Answered for Fetched {
    fn take(envelope: Envelope) -> Option<Self> {
        match &envelope.order {
            Order::ResponseToFetchDelivery { card, .. } => {
                Some(Self { card: card.clone(), envelope: Box::new(envelope) })
            }
            _ => None,
        }
    }
}

impl Answered for Cards {
    fn take(envelope: Envelope) -> Option<Self> {
        match envelope.order {
            Order::ResponseToFetchProcessCard { cards, .. } => Some(Self { cards }),
            _ => None,
        }
    }
}

impl Answered for Exited {
    fn take(envelope: Envelope) -> Option<Self> {
        matches!(envelope.order, Order::ResponseToExitDialog(_)).then_some(Self)
    }
}

impl Answered for ChunkStored {
    fn take(envelope: Envelope) -> Option<Self> {
        match envelope.order {
            Order::ResponseToPartialStoreDelivery { inside, feedback, card, chunk } => {
                Some(Self { feedback, inside, card, chunk })
            }
            _ => None,
        }
    }
}

impl Answered for ChunkFetched {
    fn take(envelope: Envelope) -> Option<Self> {
        match &envelope.order {
            Order::ResponseToPartialFetchDelivery { chunk, message_id, .. } => {
                Some(Self::Chunk { chunk: chunk.clone(), message_id: message_id.clone() })
            }
            _ => Fetched::take(envelope).map(Self::Whole),
        }
    }
}
