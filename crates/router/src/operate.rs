//! What a person may do with a message: release it from parking, deliver again, redirect, settle a doubtful delivery.

use dds_message::{
    Code, DeliveryId, DeliveryState, JournalEvent, MessageId, MessageState, Problem, TargetId,
};
use dds_store::{
    DeliveryRecord, Lease, MessageRecord, NewDelivery, NewEntry, Outcome, PlanState, Settled, Settlement,
};

use crate::{DEFAULT_DEADLINE, Router, accept, dispatch, route};

impl Router {
    /// Gives a parked message back to routing, after its cause was mended.
    pub async fn release_parked(&self, id: MessageId, by: &str) -> Result<(), Problem> {
        let record = self.record(id).await?;
        if record.state != MessageState::Parked || !record.deliveries.is_empty() {
            return Err(Problem::new(
                Code::BAD_REQUEST,
                format!("message is {}, not parked before delivery", record.state),
            ));
        }
        self.inner
            .parts
            .journal
            .set_state(id, PlanState::Accepted, by_person(JournalEvent::MessageReleased, by))
            .await?;
        self.inner.queue.look_again();
        Ok(())
    }

    /// Makes a dead or doubtful delivery due again under the same id, so that a target that got it already recognises it.
    pub async fn deliver_again(&self, id: DeliveryId, by: &str) -> Result<(), Problem> {
        let (_, delivery) = self.stopped(id).await?;
        let now = self.inner.parts.clock.now();
        let mut entry = by_person(JournalEvent::DeliveryAgain, by);
        entry.delivery = Some(id);
        entry.target = Some(delivery.target);
        self.inner.parts.journal.revive(id, now, now.plus(DEFAULT_DEADLINE), entry).await?;
        Ok(())
    }

    /// Sends a dead or doubtful delivery to another target instead; its product's stylesheet makes new bytes.
    pub async fn redirect(&self, id: DeliveryId, to: &TargetId, by: &str) -> Result<(), Problem> {
        let (record, delivery) = self.stopped(id).await?;
        self.replace(&record, &delivery, to, by).await
    }

    /// Settles a doubtful or dead delivery by the word of a person who asked the target.
    pub async fn settle_by_hand(&self, id: DeliveryId, by: &str) -> Result<(), Problem> {
        self.stopped(id).await?;
        let mut entry = by_person(JournalEvent::DeliveryDelivered, by);
        entry.delivery = Some(id);
        let settlement = Settlement {
            lease: Lease { delivery: id, epoch: 0 },
            outcome: Outcome::Delivered { receipt: None },
            at: self.inner.parts.clock.now(),
            late: true,
            entry,
        };
        match self.inner.parts.journal.settle(vec![settlement]).await?.first() {
            Some(Settled::Applied(_)) => Ok(()),
            _ => Err(Problem::new(Code::BAD_REQUEST, "delivery changed in the meantime")),
        }
    }

    async fn record(&self, id: MessageId) -> Result<MessageRecord, Problem> {
        let record = self.inner.parts.journal.message(id).await?;
        record.ok_or_else(|| Problem::new(Code::NOT_FOUND, format!("no message {id}")))
    }

    async fn stopped(&self, id: DeliveryId) -> Result<(MessageRecord, DeliveryRecord), Problem> {
        let delivery = self.inner.parts.journal.delivery(id).await?;
        let delivery = delivery.ok_or_else(|| Problem::new(Code::NOT_FOUND, format!("no delivery {id}")))?;
        if !matches!(delivery.state, DeliveryState::DeadLetter | DeliveryState::InDoubt) {
            return Err(Problem::new(
                Code::BAD_REQUEST,
                format!("delivery is {}, not stopped", delivery.state),
            ));
        }
        Ok((self.record(delivery.message).await?, delivery))
    }

    /// Makes the document of a message for another target, under the active release, and says so in the journal: what
    /// went out under which release can be told even though the message keeps the one it was matched with (I4).
    async fn replace(
        &self,
        record: &MessageRecord,
        old: &DeliveryRecord,
        to: &TargetId,
        by: &str,
    ) -> Result<(), Problem> {
        let document = self.inner.parts.journal.document(record.id).await?;
        let release = self.release();
        let work = dispatch::work(record.clone(), document);
        let day = work.at.day();
        let limits = &self.inner.options.limits;
        let (facts, recognised) = accept::recognise(&release, &work.document, work.format, limits, &day)?;
        let plan = release.plan_to(to, &facts, recognised, &day)?;
        let run = u32::try_from(record.deliveries.len()).unwrap_or(u32::MAX);
        let id = DeliveryId::derive(record.id, to, record.rule.as_deref().unwrap_or_default(), run);
        let (new, mut prepared) = Box::pin(route::prepare(self, &release, &work, &plan, &facts, id)).await?;
        prepared.data.insert("release".to_owned(), release.id().to_string().into());
        prepared.data.insert("rule".to_owned(), plan.rule.into());
        prepared.data.insert("replaces".to_owned(), old.id.to_string().into());
        let deadline = new.due.plus(DEFAULT_DEADLINE);
        let delivery = NewDelivery { lane: old.lane, deadline, ..new };
        let mut entry = by_person(JournalEvent::DeliveryRedirected, by);
        entry.delivery = Some(old.id);
        entry.target = Some(old.target.clone());
        entry.data.insert("to".to_owned(), to.as_str().into());
        entry.data.insert("replacement".to_owned(), id.to_string().into());
        self.inner
            .parts
            .journal
            .replan(record.id, Some(old.id), vec![delivery], vec![entry, prepared])
            .await?;
        Ok(())
    }
}

fn by_person(event: JournalEvent, by: &str) -> NewEntry {
    let mut entry = NewEntry { event: event.as_str(), ..NewEntry::default() };
    entry.data.insert("by".to_owned(), by.into());
    entry
}
