//! Mailboxes in memory: for tests and as the plainest statement of what [`Mailboxes`] means.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::RangeInclusive;

use jiff::Timestamp;

use super::{
    Attachment, Card, ChunkUpload, Client, Delivery, Dialogue, Fingerprint, IdState, Mailboxes,
    RenderedFetch, StoreFailed,
};
use crate::certificate::Certificate;
use crate::message::{CardQuery, CardSelection, DateSelection, DeliverySelection, MessageId, Role};

/// A transfer and its chunks.
type Upload<H> = (ChunkUpload, BTreeMap<u64, Attachment<H>>);

#[derive(Debug, Clone)]
struct IssuedId {
    owner: Fingerprint,
    order: Option<Vec<u8>>,
    used: bool,
}

/// Postfächer im Speicher. Nothing is durable; transactions are the caller's clone.
#[derive(Debug, Clone)]
pub struct MemoryMailboxes<H> {
    owners: HashSet<Fingerprint>,
    dialogues: HashMap<String, Dialogue>,
    ids: HashMap<MessageId, IssuedId>,
    deliveries: Vec<Delivery<H>>,
    cards: BTreeMap<MessageId, Card>,
    uploads: HashMap<(Fingerprint, MessageId), Upload<H>>,
    rendered: HashMap<MessageId, RenderedFetch<H>>,
}

impl<H> Default for MemoryMailboxes<H> {
    fn default() -> Self {
        Self {
            owners: HashSet::new(),
            dialogues: HashMap::new(),
            ids: HashMap::new(),
            deliveries: Vec::new(),
            cards: BTreeMap::new(),
            uploads: HashMap::new(),
            rendered: HashMap::new(),
        }
    }
}

impl<H> MemoryMailboxes<H> {
    /// Registers a mailbox.
    pub fn register(&mut self, owner: &Certificate) {
        self.owners.insert(owner.sha256_hex().to_owned());
    }
}

impl<H: Clone + std::fmt::Debug> Mailboxes for MemoryMailboxes<H> {
    type Handle = H;

    fn dialogue(&mut self, conversation: &str) -> Result<Option<Dialogue>, StoreFailed> {
        Ok(self.dialogues.get(conversation).cloned())
    }

    fn keep_dialogue(&mut self, dialogue: &Dialogue) -> Result<(), StoreFailed> {
        self.dialogues.insert(dialogue.conversation.clone(), dialogue.clone());
        Ok(())
    }

    fn end_dialogue(&mut self, conversation: &str) -> Result<(), StoreFailed> {
        self.dialogues.remove(conversation);
        Ok(())
    }

    fn expire_dialogues(&mut self, used: RangeInclusive<Timestamp>) -> Result<(), StoreFailed> {
        self.dialogues.retain(|_, dialogue| used.contains(&dialogue.used));
        Ok(())
    }

    fn open_dialogues(&mut self, client: &Fingerprint) -> Result<(usize, usize), StoreFailed> {
        let own = self.dialogues.values().filter(|dialogue| dialogue.client.fingerprint() == *client);
        Ok((self.dialogues.len(), own.count()))
    }

    fn end_unbegun(&mut self, client: Option<&Fingerprint>) -> Result<bool, StoreFailed> {
        let waiting = self.dialogues.values().filter(|dialogue| {
            dialogue.next_sequence == 0
                && client.is_none_or(|client| dialogue.client.fingerprint() == *client)
        });
        let oldest = waiting.min_by_key(|dialogue| dialogue.used).map(|one| one.conversation.clone());
        Ok(oldest.is_some_and(|conversation| self.dialogues.remove(&conversation).is_some()))
    }

    fn unused_ids(&mut self, client: &Fingerprint) -> Result<usize, StoreFailed> {
        Ok(self.ids.values().filter(|issued| issued.owner == *client && !issued.used).count())
    }

    fn issued_for(
        &mut self,
        order: &[u8],
        client: &Fingerprint,
    ) -> Result<Option<(MessageId, IdState)>, StoreFailed> {
        let same = |issued: &IssuedId| issued.owner == *client && issued.order.as_deref() == Some(order);
        let found = self.ids.iter().find(|(_, issued)| same(issued));
        Ok(found.map(|(id, issued)| (id.clone(), IdState::of(Some((client, issued.used)), client))))
    }

    fn issue_id(
        &mut self,
        id: &MessageId,
        client: &Fingerprint,
        order: Option<&[u8]>,
        _: Timestamp,
    ) -> Result<(), StoreFailed> {
        let issued = IssuedId { owner: client.clone(), order: order.map(<[u8]>::to_vec), used: false };
        self.ids.insert(id.clone(), issued);
        Ok(())
    }

    fn id_state(&mut self, id: &MessageId, client: &Fingerprint) -> Result<IdState, StoreFailed> {
        let issued = self.ids.get(id).map(|issued| (issued.owner.as_str(), issued.used));
        Ok(IdState::of(issued, client))
    }

    fn use_id(&mut self, id: &MessageId) -> Result<(), StoreFailed> {
        if let Some(issued) = self.ids.get_mut(id) {
            issued.used = true;
        }
        Ok(())
    }

    fn has_mailbox(&mut self, owner: &Certificate) -> Result<bool, StoreFailed> {
        Ok(self.owners.contains(owner.sha256_hex()))
    }

    fn load(&mut self, mailbox: &Fingerprint) -> Result<(u64, u64), StoreFailed> {
        let received =
            |id| self.cards.get(id).is_some_and(|card: &Card| card.bundle.card.reception.is_some());
        let own = self.deliveries.iter().filter(|one| &one.mailbox == mailbox && !received(&one.id));
        Ok(own.fold((0, 0), |(count, bytes), one| (count + 1, bytes + one.bytes())))
    }

    /// Nobody takes anything over from here: whoever owns a mailbox fetches.
    fn refused(&mut self, _: &Fingerprint, _: &Fingerprint) -> Result<(u64, u64), StoreFailed> {
        Ok((0, 0))
    }

    fn put_delivery(&mut self, delivery: &Delivery<H>) -> Result<(), StoreFailed> {
        self.deliveries.push(delivery.clone());
        Ok(())
    }

    fn find_delivery(
        &mut self,
        mailbox: &Fingerprint,
        selection: Option<&DeliverySelection>,
    ) -> Result<Option<(Delivery<H>, bool)>, StoreFailed> {
        let card = |delivery: &Delivery<H>| self.cards.get(&delivery.id);
        let mut found =
            self.deliveries.iter().filter(|delivery| &delivery.mailbox == mailbox).filter(|delivery| {
                match selection {
                    None => card(delivery).is_none_or(|card| card.bundle.card.reception.is_none()),
                    Some(DeliverySelection::MessageId(id)) => &delivery.id == id,
                    Some(DeliverySelection::ReceptionOfDelivery(from)) => delivery.submitted >= *from,
                    Some(DeliverySelection::RecentModification(from)) => {
                        card(delivery).is_some_and(|card| card.bundle.card.recent_modification >= *from)
                    }
                }
            });
        Ok(found.next().cloned().map(|first| (first, found.next().is_some())))
    }

    fn keep_card(&mut self, card: &Card) -> Result<(), StoreFailed> {
        self.cards.insert(card.bundle.message_id.clone(), card.clone());
        Ok(())
    }

    fn card(&mut self, id: &MessageId) -> Result<Option<Card>, StoreFailed> {
        Ok(self.cards.get(id).cloned())
    }

    fn find_cards(
        &mut self,
        client: &Client,
        query: &CardQuery,
        limit: u64,
    ) -> Result<(Vec<Card>, bool), StoreFailed> {
        let own = [&client.signature, &client.cipher];
        let own: Vec<&str> = own.into_iter().flatten().map(Certificate::sha256_hex).collect();
        let originated = |card: &Card| card.originator.iter().any(|part| own.contains(&part.as_str()));
        let addressed = |card: &Card| card.addressee.as_deref().is_some_and(|part| own.contains(&part));
        let dated = |card: &Card, of: Timestamp, rule: &DateSelection| {
            of >= rule.from
                && rule.no_reception.is_none_or(|wanted| !wanted || card.bundle.card.reception.is_none())
                && match rule.role {
                    None => true,
                    Some(Role::Originator) => originated(card),
                    Some(Role::Addressee) => addressed(card),
                }
        };
        let mut found: Vec<Card> = self
            .cards
            .values()
            .filter(|card| originated(card) || addressed(card))
            .filter(|card| match &query.selection {
                None => true,
                Some(CardSelection::MessageIds(ids)) => ids.contains(&card.bundle.message_id),
                Some(CardSelection::ReceptionOfDelivery(rule)) => dated(card, card.submitted, rule),
                Some(CardSelection::RecentModification(rule)) => {
                    dated(card, card.bundle.card.recent_modification, rule)
                }
            })
            .cloned()
            .collect();
        found.sort_by_key(|card| card.bundle.card.recent_modification);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        Ok((found, more))
    }

    fn upload(
        &mut self,
        client: &Fingerprint,
        transfer: &MessageId,
    ) -> Result<Option<ChunkUpload>, StoreFailed> {
        Ok(self.uploads.get(&(client.clone(), transfer.clone())).map(|(upload, _)| upload.clone()))
    }

    fn keep_chunk(
        &mut self,
        upload: &ChunkUpload,
        number: u64,
        chunk: &Attachment<H>,
    ) -> Result<(), StoreFailed> {
        let key = (upload.client.clone(), upload.transfer.clone());
        let (known, chunks) = self.uploads.entry(key).or_insert_with(|| (upload.clone(), BTreeMap::new()));
        known.received.insert(number);
        chunks.insert(number, chunk.clone());
        Ok(())
    }

    fn upload_chunks(
        &mut self,
        client: &Fingerprint,
        transfer: &MessageId,
    ) -> Result<Vec<Attachment<H>>, StoreFailed> {
        let found = self.uploads.get(&(client.clone(), transfer.clone()));
        Ok(found.map(|(_, chunks)| chunks.values().cloned().collect()).unwrap_or_default())
    }

    fn upload_bytes(&mut self, client: &Fingerprint) -> Result<u64, StoreFailed> {
        let own = self.uploads.values().filter(|(upload, _)| upload.client == *client);
        Ok(own.flat_map(|(_, chunks)| chunks.values()).map(|chunk| chunk.bytes).sum())
    }

    fn end_upload(&mut self, client: &Fingerprint, transfer: &MessageId) -> Result<(), StoreFailed> {
        self.uploads.remove(&(client.clone(), transfer.clone()));
        Ok(())
    }

    fn rendered(&mut self, id: &MessageId) -> Result<Option<RenderedFetch<H>>, StoreFailed> {
        Ok(self.rendered.get(id).cloned())
    }

    fn keep_rendered(&mut self, rendered: &RenderedFetch<H>) -> Result<(), StoreFailed> {
        self.rendered.insert(rendered.id.clone(), rendered.clone());
        Ok(())
    }

    fn end_rendered(&mut self, id: &MessageId) -> Result<(), StoreFailed> {
        self.rendered.remove(id);
        Ok(())
    }
}
