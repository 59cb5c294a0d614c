use std::marker::PhantomData;

use super::answer::{Answer, Answered, ChunkStored, Forwarded, IssuedId, Stored};
use super::demand::Demand;
use super::lost::Lost;
use super::request::{Delivery, Request};
use super::{Client, chunks};
use crate::certificate::Certificate;
use crate::control::challenge;
use crate::feedback::Refused;
use crate::intake::{PartStore, Received};
use crate::message::{ChunkRequest, ControlBlock, Envelope, MessageId, Order};
use crate::random::Random;

/// A single order outside a dialogue is under way (*impliziter Dialog*).
#[derive(Debug)]
pub struct Single<A> {
    demand: Demand,
    answer: PhantomData<A>,
}

impl Client {
    /// Asks for a message id, outside a dialogue.
    pub fn get_message_id(&self, random: &mut dyn Random) -> (Request, Single<IssuedId>) {
        self.single(Order::GetMessageId, |_| {}, random)
    }

    /// Puts a delivery into the addressee's mailbox, outside a dialogue.
    pub fn store(
        &self,
        message_id: MessageId,
        delivery: Delivery,
        random: &mut dyn Random,
    ) -> (Request, Single<Stored>) {
        let order = Order::StoreDelivery { message_id, subject: delivery.subject.clone() };
        self.single(order, |envelope| delivery.fill(self, envelope), random)
    }

    /// Has a delivery pushed to a passive recipient, outside a dialogue. mediateDelivery needs one
    /// ([`super::Open::mediate`]).
    pub fn forward(
        &self,
        receiver: &str,
        message_id: MessageId,
        delivery: Delivery,
        random: &mut dyn Random,
    ) -> (Request, Single<Forwarded>) {
        let order = Order::ForwardDelivery {
            receiver: receiver.to_owned(),
            message_id,
            subject: delivery.subject.clone(),
        };
        self.single(order, |envelope| delivery.fill(self, envelope), random)
    }

    /// Sends one chunk of a storeDelivery, outside a dialogue.
    pub fn partial_store(
        &self,
        transfer: MessageId,
        chunk: ChunkRequest,
        addressee: &Certificate,
        random: &mut dyn Random,
    ) -> (Request, Single<ChunkStored>) {
        let order = Order::PartialStoreDelivery { message_id: transfer, subject: None, chunk: chunk.clone() };
        self.single(order, |envelope| chunks::fill(self, envelope, &chunk, addressee), random)
    }

    fn single<A>(
        &self,
        order: Order,
        fill: impl FnOnce(&mut Envelope),
        random: &mut dyn Random,
    ) -> (Request, Single<A>) {
        let control = ControlBlock {
            challenge: Some(challenge(random)),
            sequence_number: Some(0),
            ..ControlBlock::default()
        };
        let request = Request::new(self, control, order, fill);
        let demand = self.demand(&request);
        (request, Single { demand, answer: PhantomData })
    }
}

impl<A: Answered> Single<A> {
    /// Takes the response, or what kept it from being read.
    ///
    /// # Errors
    /// [`Lost`] if there is no answer; unless it is a refusal, whether the order was executed is unknown.
    pub fn receive<P: PartStore>(self, received: Result<&Received<P>, Refused>) -> Result<Answer<A>, Lost> {
        self.demand.check(received)?.answer()
    }
}
