//! Deliveries just created. Most are claimed and sent a moment later: what they are then need not be read, opened and
//! unpacked again.

use std::collections::{HashMap, VecDeque};

use dds_message::DeliveryId;

use crate::{DeliveryRecord, Shipment};

/// Deliveries remembered at most: the last ones.
const MOST: usize = 4_096;

/// Bytes of all shipments remembered (16 MiB).
const BYTES: usize = 16 << 20;

/// Longer outputs are not remembered.
pub(super) const LONGEST: usize = 64 << 10;

/// A delivery as it was created.
#[derive(Debug, Clone)]
pub(super) struct Created {
    pub(super) record: DeliveryRecord,
    /// What its target gets, unless that is long, waits until it is fetched, or is the document as it came.
    pub(super) shipment: Option<Shipment>,
}

impl Created {
    /// Bytes of the shipment: the output, and the list of attachments, of which there may be hundreds.
    fn bytes(&self) -> usize {
        let Some(Shipment { attachments, output, .. }) = &self.shipment else { return 0 };
        let named = attachments.iter().map(|one| one.attachment.name.len() + one.attachment.media_type.len());
        output.bytes.len() + named.sum::<usize>() + size_of_val(attachments.as_slice())
    }
}

/// The last deliveries created, each until its first change.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    known: HashMap<DeliveryId, Created>,
    /// As they were created, also those that have changed since.
    order: VecDeque<DeliveryId>,
    /// Of the shipments of all known.
    bytes: usize,
}

impl Fresh {
    /// Remembers a delivery; the oldest make room.
    pub(super) fn remember(&mut self, created: Created) {
        let id = created.record.id;
        self.bytes += created.bytes();
        self.order.push_back(id);
        self.known.insert(id, created);
        while self.order.len() > MOST || self.bytes > BYTES {
            let Some(oldest) = self.order.pop_front() else { return };
            self.forget(oldest);
        }
    }

    /// The delivery has changed.
    pub(super) fn forget(&mut self, id: DeliveryId) {
        if let Some(known) = self.known.remove(&id) {
            self.bytes -= known.bytes();
        }
    }

    /// The delivery, if it is as it was created and remembered.
    pub(super) fn get(&self, id: DeliveryId) -> Option<&Created> {
        self.known.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use dds_message::{Attachment, DeliveryState, Digest, Direction, MessageId, TargetId, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::{BlobRef, Output, StoredAttachment, WrappedKey};

    fn created(number: u128, bytes: usize) -> Created {
        let record = DeliveryRecord {
            id: DeliveryId(Uuid::from_u128(number)),
            message: MessageId(Uuid::nil()),
            target: TargetId::parse("ziel").unwrap(),
            authority: None,
            product: None,
            state: DeliveryState::Prepared,
            attempts: 0,
            due: Timestamp(0),
            deadline: Timestamp(0),
            code: None,
            receipt: None,
            output_digest: None,
            pull: false,
            lane: None,
        };
        let output = Output {
            bytes: vec![0; bytes].into(),
            media_type: "application/xml".into(),
            file_name: "antrag.xml".into(),
            digest: Digest::of(b""),
        };
        let shipment = Shipment {
            accepted: Timestamp(0),
            direction: Direction::Application,
            answers: None,
            procedure: None,
            case: None,
            key: WrappedKey(Vec::new()),
            attachments: Vec::new(),
            output,
        };
        Created { record, shipment: Some(shipment) }
    }

    fn knows(fresh: &Fresh, number: u128) -> bool {
        fresh.get(DeliveryId(Uuid::from_u128(number))).is_some()
    }

    #[test]
    fn the_oldest_make_room_when_there_are_too_many() {
        let mut fresh = Fresh::default();
        let most = MOST as u128;
        (0..=most).for_each(|number| fresh.remember(created(number, 1)));
        assert!(!knows(&fresh, 0));
        assert!(knows(&fresh, 1) && knows(&fresh, most));
        assert_eq!((fresh.known.len(), fresh.bytes), (MOST, MOST));
    }

    #[test]
    fn the_oldest_make_room_when_they_are_too_long_together() {
        let mut fresh = Fresh::default();
        let most = (BYTES / LONGEST) as u128;
        (0..most).for_each(|number| fresh.remember(created(number, LONGEST)));
        assert!(knows(&fresh, 0));
        fresh.remember(created(most, 1));
        assert!(!knows(&fresh, 0) && knows(&fresh, 1));
        assert_eq!(fresh.bytes, BYTES - LONGEST + 1);
    }

    #[test]
    fn lists_of_attachments_take_room_too() {
        let mut fresh = Fresh::default();
        let attachment = Attachment {
            name: "a".repeat(200),
            media_type: "application/pdf".to_owned(),
            size: 1,
            digest: Digest::of(b""),
        };
        let attachment = StoredAttachment { attachment, blob: BlobRef(Uuid::nil()) };
        for number in 0..1_000 {
            let mut new = created(number, 1);
            new.shipment.as_mut().unwrap().attachments = vec![attachment.clone(); 500];
            fresh.remember(new);
        }
        assert!(fresh.known.len() < 160, "{}", fresh.known.len());
        assert!(fresh.bytes <= BYTES);
    }

    #[test]
    fn what_has_changed_takes_no_room() {
        let mut fresh = Fresh::default();
        for number in 0..10 * MOST as u128 {
            fresh.remember(created(number, LONGEST));
            fresh.forget(DeliveryId(Uuid::from_u128(number)));
        }
        assert_eq!((fresh.known.len(), fresh.bytes, fresh.order.len()), (0, 0, MOST));
    }
}
