use super::{CardQuery, DeliverySelection, MessageId, MessageKind};
use crate::feedback::{FaultSide, Feedback, FeedbackClass, FeedbackCode};
use crate::laufzettel::ProcessCardBundle;

/// The order or response that an envelope carries, with the content of its order element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Opens a dialogue.
    InitDialog,
    /// The dialogue is open, or not.
    ResponseToInitDialog(Feedback),
    /// Ends a dialogue.
    ExitDialog,
    /// The dialogue is closed.
    ResponseToExitDialog(Feedback),
    /// Asks for a message id.
    GetMessageId,
    /// The message id.
    ResponseToGetMessageId {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// The id; absent when refused.
        message_id: Option<MessageId>,
    },
    /// Puts the content into a mailbox.
    StoreDelivery {
        /// The id issued before.
        message_id: MessageId,
        /// Subject (*Betreff*); visible to the intermediary.
        subject: Option<String>,
    },
    /// The delivery lies in the mailbox, or not.
    ResponseToStoreDelivery {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// Process card with the creation time.
        card: Option<ProcessCardBundle>,
    },
    /// Fetches a delivery; without a selection the oldest not yet fetched.
    FetchDelivery(Option<DeliverySelection>),
    /// The delivery.
    ResponseToFetchDelivery {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// The selection of the order, repeated.
        echo: Option<DeliverySelection>,
        /// Process card with creation and forwarding time.
        card: Option<ProcessCardBundle>,
    },
    /// Fetches process cards.
    FetchProcessCard(CardQuery),
    /// The process cards.
    ResponseToFetchProcessCard {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// The query of the order, repeated.
        echo: CardQuery,
        /// What was found.
        cards: Vec<ProcessCardBundle>,
    },
    /// Has the content pushed to a passive recipient.
    ForwardDelivery {
        /// `ContentReceiver@URI`.
        receiver: String,
        /// The id issued before.
        message_id: MessageId,
        /// Subject (*Betreff*).
        subject: Option<String>,
    },
    /// What became of the push.
    ResponseToForwardDelivery {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// Process card.
        card: Option<ProcessCardBundle>,
    },
    /// The push of a forwarded delivery, with its process card (creation and forwarding, never reception).
    AcceptDelivery(ProcessCardBundle),
    /// Whether the recipient took it.
    ResponseToAcceptDelivery(Feedback),
    /// Has the content pushed and the reply brought back.
    MediateDelivery {
        /// `ContentReceiver@URI`.
        receiver: String,
        /// The id issued before; without it nothing is logged.
        message_id: Option<MessageId>,
        /// Subject (*Betreff*).
        subject: Option<String>,
    },
    /// The reply of the recipient.
    ResponseToMediateDelivery {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// Process card of the request.
        request_card: Option<ProcessCardBundle>,
        /// Process card of the reply.
        reply_card: Option<ProcessCardBundle>,
    },
    /// The push of a mediated delivery.
    ProcessDelivery {
        /// The message id the recipient shall use for its reply.
        message_id_response: Option<MessageId>,
        /// Process card of the request.
        card: Option<ProcessCardBundle>,
    },
    /// The recipient's reply.
    ResponseToProcessDelivery {
        /// Feedback of the recipient.
        feedback: Feedback,
        /// The id of the reply: `MessageIdResponse` of the order.
        message_id: Option<MessageId>,
        /// Subject (*Betreff*) of the reply.
        subject: Option<String>,
    },
    /// One chunk of a storeDelivery.
    PartialStoreDelivery {
        /// Id of the transfer; the Java library appends `_Partial` to the id of the delivery inside.
        message_id: MessageId,
        /// Subject (*Betreff*).
        subject: Option<String>,
        /// Which chunk, or only a question.
        chunk: ChunkRequest,
    },
    /// What became of the chunk, and after the last one of the delivery inside.
    ResponseToPartialStoreDelivery {
        /// `InsideFeedback`: the feedback on the delivery inside; **must** be evaluated.
        inside: Option<Feedback>,
        /// Feedback on the transfer.
        feedback: Feedback,
        /// Process card of the delivery inside.
        card: Option<ProcessCardBundle>,
        /// Which chunks have arrived.
        chunk: ChunkInformation,
    },
    /// Asks for one chunk of a delivery.
    PartialFetchDelivery {
        /// Which delivery.
        selection: Option<DeliverySelection>,
        /// Which chunk, of what size.
        chunk: ChunkInformation,
    },
    /// The chunk.
    ResponseToPartialFetchDelivery {
        /// Feedback of the intermediary.
        feedback: Feedback,
        /// The selection of the order, repeated.
        echo: Option<DeliverySelection>,
        /// Which chunk of how many.
        chunk: ChunkInformation,
        /// The delivery's id.
        message_id: Option<MessageId>,
    },
}

/// What a partialStoreDelivery is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChunkRequest {
    /// `InfoOnly`: which chunks have arrived?
    InfoOnly,
    /// A chunk is in the content.
    Chunk(ChunkInformation),
}

/// `osci2017:ChunkInformation`; sizes in KB (1024 octets), chunks are counted from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChunkInformation {
    /// `ChunkNumber`
    pub number: Option<u64>,
    /// `ChunkSize` in KB.
    pub size: Option<u64>,
    /// `ReceivedChunks`: absent, or the numbers; an empty list is written as `-1`.
    pub received: Option<Vec<u64>>,
    /// `TotalChunkNumbers`
    pub total_chunks: Option<u64>,
    /// `TotalMessageSize` in KB; partners round down or up.
    pub total_size: Option<u64>,
}

/// A SOAP fault (facts 15).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The code; an unknown or missing one reads as 9811.
    pub code: FeedbackCode,
    /// `soap:Client` or `soap:Server`.
    pub side: FaultSide,
    /// `faultstring` as the partner wrote it; empty in faults we write ourselves means the text of the table.
    pub text: String,
}

impl Fault {
    /// The fault for a code. Codes that are no faults by the table count as the supplier's.
    pub fn of(code: FeedbackCode) -> Self {
        let side = match code.class() {
            FeedbackClass::Fault(side) => side,
            _ => FaultSide::Server,
        };
        Self { code, side, text: String::new() }
    }
}

impl Order {
    /// The type of message that carries this.
    pub const fn kind(&self) -> MessageKind {
        match self {
            Self::InitDialog => MessageKind::InitDialog,
            Self::ResponseToInitDialog(_) => MessageKind::ResponseToInitDialog,
            Self::ExitDialog => MessageKind::ExitDialog,
            Self::ResponseToExitDialog(_) => MessageKind::ResponseToExitDialog,
            Self::GetMessageId => MessageKind::GetMessageId,
            Self::ResponseToGetMessageId { .. } => MessageKind::ResponseToGetMessageId,
            Self::StoreDelivery { .. } => MessageKind::StoreDelivery,
            Self::ResponseToStoreDelivery { .. } => MessageKind::ResponseToStoreDelivery,
            Self::FetchDelivery(_) => MessageKind::FetchDelivery,
            Self::ResponseToFetchDelivery { .. } => MessageKind::ResponseToFetchDelivery,
            Self::FetchProcessCard(_) => MessageKind::FetchProcessCard,
            Self::ResponseToFetchProcessCard { .. } => MessageKind::ResponseToFetchProcessCard,
            Self::ForwardDelivery { .. } => MessageKind::ForwardDelivery,
            Self::ResponseToForwardDelivery { .. } => MessageKind::ResponseToForwardDelivery,
            Self::AcceptDelivery(_) => MessageKind::AcceptDelivery,
            Self::ResponseToAcceptDelivery(_) => MessageKind::ResponseToAcceptDelivery,
            Self::MediateDelivery { .. } => MessageKind::MediateDelivery,
            Self::ResponseToMediateDelivery { .. } => MessageKind::ResponseToMediateDelivery,
            Self::ProcessDelivery { .. } => MessageKind::ProcessDelivery,
            Self::ResponseToProcessDelivery { .. } => MessageKind::ResponseToProcessDelivery,
            Self::PartialStoreDelivery { .. } => MessageKind::PartialStoreDelivery,
            Self::ResponseToPartialStoreDelivery { .. } => MessageKind::ResponseToPartialStoreDelivery,
            Self::PartialFetchDelivery { .. } => MessageKind::PartialFetchDelivery,
            Self::ResponseToPartialFetchDelivery { .. } => MessageKind::ResponseToPartialFetchDelivery,
        }
    }

    /// The feedback of a response; `None` for orders.
    pub const fn feedback(&self) -> Option<&Feedback> {
        match self {
            Self::ResponseToInitDialog(feedback)
            | Self::ResponseToExitDialog(feedback)
            | Self::ResponseToAcceptDelivery(feedback)
            | Self::ResponseToGetMessageId { feedback, .. }
            | Self::ResponseToStoreDelivery { feedback, .. }
            | Self::ResponseToFetchDelivery { feedback, .. }
            | Self::ResponseToFetchProcessCard { feedback, .. }
            | Self::ResponseToForwardDelivery { feedback, .. }
            | Self::ResponseToMediateDelivery { feedback, .. }
            | Self::ResponseToProcessDelivery { feedback, .. }
            | Self::ResponseToPartialStoreDelivery { feedback, .. }
            | Self::ResponseToPartialFetchDelivery { feedback, .. } => Some(feedback),
            _ => None,
        }
    }
}
