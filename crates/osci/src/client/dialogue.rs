use std::marker::PhantomData;

use super::answer::{
    Answer, Answered, Cards, ChunkFetched, ChunkStored, Exited, Fetched, Forwarded, IssuedId, Mediated,
    Stored,
};
use super::demand::Demand;
use super::lost::{Lost, LostReason};
use super::request::{Delivery, Request};
use super::{Client, chunks};
use crate::certificate::Certificate;
use crate::control::challenge;
use crate::feedback::{Feedback, Refused};
use crate::intake::{PartStore, Received};
use crate::message::{
    CardQuery, ChunkInformation, ChunkRequest, ControlBlock, DeliverySelection, FeatureDescription,
    MessageId, MessageKind, Order,
};
use crate::random::Random;

impl Client {
    /// Opens an explicit dialogue.
    pub fn init(&self, random: &mut dyn Random) -> (Request, AwaitingInit) {
        let control = ControlBlock { challenge: Some(challenge(random)), ..ControlBlock::default() };
        let request = Request::new(self, control, Order::InitDialog, |_| {});
        let demand = self.demand(&request);
        (request, AwaitingInit { client: self.clone(), demand })
    }

    pub(super) fn demand(&self, request: &Request) -> Demand {
        Demand {
            expected: request.expected(),
            signed: request.sign,
            encrypted: request.encrypt.is_some(),
            signer: self.intermediary_signature.clone(),
            policy: self.policy.clone(),
        }
    }
}

/// initDialog is under way.
#[derive(Debug)]
pub struct AwaitingInit {
    client: Client,
    demand: Demand,
}

impl AwaitingInit {
    /// Takes the response, or what kept it from being read.
    ///
    /// # Errors
    /// [`Lost`]: there is no dialogue.
    pub fn receive<P: PartStore>(self, received: Result<&Received<P>, Refused>) -> Result<Open, Lost> {
        let Self { mut client, demand } = self;
        let checked = demand.check(received)?;
        let feedback = checked.envelope.order.feedback().cloned().unwrap_or_default();
        let control = &checked.envelope.control;
        // The ConversationId is there: the ControlBlock was checked.
        let (Some(conversation), Some(last)) = (control.conversation_id.clone(), control.challenge.clone())
        else {
            return Err(Lost::new(LostReason::NotOpened(feedback)));
        };
        if !feedback.is_success() {
            return Err(Lost::new(LostReason::NotOpened(feedback)));
        }
        client.partner = checked.envelope.features;
        // Whoever opened the dialogue answers in it.
        let signer = checked.signer.or_else(|| client.intermediary_signature.clone());
        Ok(Open { client, conversation, last, next: 0, signer, feedback })
    }
}

/// An open dialogue; it has the turn.
#[derive(Debug)]
pub struct Open {
    client: Client,
    conversation: String,
    last: String,
    next: u32,
    signer: Option<Certificate>,
    feedback: Feedback,
}

impl Open {
    /// Feedback of the last answer.
    pub const fn feedback(&self) -> &Feedback {
        &self.feedback
    }

    /// What the intermediary announces: limits of chunks among others.
    pub const fn partner(&self) -> Option<&FeatureDescription> {
        self.client.partner.as_ref()
    }

    /// Asks for a message id.
    pub fn get_message_id(self, random: &mut dyn Random) -> (Request, Awaiting<IssuedId>) {
        self.send(Order::GetMessageId, |_, _| {}, random)
    }

    /// Puts a delivery into the addressee's mailbox.
    pub fn store(
        self,
        message_id: MessageId,
        delivery: Delivery,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<Stored>) {
        let order = Order::StoreDelivery { message_id, subject: delivery.subject.clone() };
        self.send(order, |client, envelope| delivery.fill(client, envelope), random)
    }

    /// Has a delivery pushed to a passive recipient at an address.
    pub fn forward(
        self,
        receiver: &str,
        message_id: MessageId,
        delivery: Delivery,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<Forwarded>) {
        let order = Order::ForwardDelivery {
            receiver: receiver.to_owned(),
            message_id,
            subject: delivery.subject.clone(),
        };
        self.send(order, |client, envelope| delivery.fill(client, envelope), random)
    }

    /// Has a delivery pushed and the reply brought back. Without a message id nothing is logged: no cards, no time
    /// stamps.
    pub fn mediate(
        self,
        receiver: &str,
        message_id: Option<MessageId>,
        delivery: Delivery,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<Mediated>) {
        let subject = delivery.subject.clone().filter(|_| message_id.is_some());
        let order = Order::MediateDelivery { receiver: receiver.to_owned(), message_id, subject };
        self.send(order, |client, envelope| delivery.fill(client, envelope), random)
    }

    /// Fetches a delivery; without a selection the oldest not yet fetched. **The next order in the dialogue, whichever,
    /// tells the intermediary that it was received**: make the content durable before.
    pub fn fetch(
        self,
        selection: Option<DeliverySelection>,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<Fetched>) {
        self.send(Order::FetchDelivery(selection), |_, _| {}, random)
    }

    /// Fetches process cards.
    pub fn fetch_process_cards(
        self,
        query: CardQuery,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<Cards>) {
        self.send(Order::FetchProcessCard(query), |_, _| {}, random)
    }

    /// Sends one chunk of a storeDelivery ([`super::ChunkPlan`]); its octets are the attachment
    /// [`super::ChunkPlan::CONTENT_ID`].
    pub fn partial_store(
        self,
        transfer: MessageId,
        chunk: ChunkRequest,
        addressee: &Certificate,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<ChunkStored>) {
        let order = Order::PartialStoreDelivery { message_id: transfer, subject: None, chunk: chunk.clone() };
        self.send(order, |client, envelope| chunks::fill(client, envelope, &chunk, addressee), random)
    }

    /// Asks for one chunk of a delivery ([`super::Reassembly`]).
    pub fn partial_fetch(
        self,
        selection: Option<DeliverySelection>,
        chunk: ChunkInformation,
        random: &mut dyn Random,
    ) -> (Request, Awaiting<ChunkFetched>) {
        self.send(Order::PartialFetchDelivery { selection, chunk }, |_, _| {}, random)
    }

    /// Ends the dialogue.
    pub fn exit(self, random: &mut dyn Random) -> (Request, AwaitingExit) {
        let (request, awaiting) = self.send::<Exited>(Order::ExitDialog, |_, _| {}, random);
        (request, AwaitingExit { demand: awaiting.demand })
    }

    fn send<A>(
        self,
        order: Order,
        fill: impl FnOnce(&Client, &mut crate::message::Envelope),
        random: &mut dyn Random,
    ) -> (Request, Awaiting<A>) {
        let control = ControlBlock {
            response: Some(self.last.clone()),
            challenge: Some(challenge(random)),
            conversation_id: Some(self.conversation.clone()),
            sequence_number: Some(self.next),
        };
        let request = Request::new(&self.client, control, order, |envelope| fill(&self.client, envelope));
        let mut demand = self.client.demand(&request);
        demand.signer = self.signer.clone();
        (request, Awaiting { dialogue: self, demand, answer: PhantomData })
    }
}

/// An order inside a dialogue is under way.
#[derive(Debug)]
pub struct Awaiting<A> {
    dialogue: Open,
    demand: Demand,
    answer: PhantomData<A>,
}

impl<A: Answered> Awaiting<A> {
    /// Takes the response, or what kept it from being read: no connection, or what [`crate::intake::Intake`] refused.
    ///
    /// # Errors
    /// [`Lost`]: the dialogue is over, and nothing may be sent in it.
    pub fn receive<P: PartStore>(
        mut self,
        received: Result<&Received<P>, Refused>,
    ) -> Result<(Open, Answer<A>), Lost> {
        // A delivery that fits into one chunk may come whole (facts 14).
        if self.demand.expected.kind == MessageKind::ResponseToPartialFetchDelivery
            && received.as_ref().is_ok_and(|received| received.kind == MessageKind::ResponseToFetchDelivery)
        {
            self.demand.expected.kind = MessageKind::ResponseToFetchDelivery;
        }
        let checked = self.demand.check(received)?;
        let mut dialogue = self.dialogue;
        if let Some(next) = &checked.envelope.control.challenge {
            dialogue.last.clone_from(next);
        }
        dialogue.next = dialogue.next.saturating_add(1);
        if checked.envelope.features.is_some() {
            dialogue.client.partner.clone_from(&checked.envelope.features);
        }
        let answer = checked.answer()?;
        dialogue.feedback.clone_from(&answer.feedback);
        Ok((dialogue, answer))
    }
}

/// exitDialog is under way.
#[derive(Debug)]
pub struct AwaitingExit {
    demand: Demand,
}

impl AwaitingExit {
    /// Takes the response. The dialogue is over in any case: the order itself was the receipt for what was fetched.
    ///
    /// # Errors
    /// [`Lost`] if the response is none.
    pub fn receive<P: PartStore>(
        self,
        received: Result<&Received<P>, Refused>,
    ) -> Result<Answer<Exited>, Lost> {
        self.demand.check(received)?.answer()
    }
}
