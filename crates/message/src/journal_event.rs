//! What the journal tells.

/// Ereignis of the journal. The names are stored and part of its chain: they never change, new ones may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JournalEvent {
    /// A message is durable; its sender may be told so.
    MessageAccepted,
    /// A message was planned, rejected or parked.
    MessageRouted,
    /// A person released a parked message.
    MessageReleased,
    /// Every delivery of a message has ended well.
    MessageCompleted,
    /// A delivery of a message has failed for good.
    MessageParked,
    /// A person rejected a parked message, or all its deliveries were called off.
    MessageRejected,
    /// A message that had ended has an open delivery again.
    MessageReopened,
    /// The payload of a message was deleted after its retention period.
    MessageExpired,
    /// An answer was matched with its application.
    AnswerRouted,
    /// A delivery has its document.
    DeliveryPrepared,
    /// An attempt begins at a target that cannot tell a repetition.
    DeliveryAttempting,
    /// The target has it.
    DeliveryDelivered,
    /// The target does not have it yet.
    DeliveryDeferred,
    /// The target will not get it without a person.
    DeliveryDeadLetter,
    /// A person called it off.
    DeliveryCancelled,
    /// The target has what was meanwhile redirected or called off; that decision stands.
    DeliveryLateReceipt,
    /// A person has it delivered again.
    DeliveryAgain,
    /// A person sent it to another target instead.
    DeliveryRedirected,
    /// The recipient fetched it, says the OSCI process card (Laufzettel).
    OsciReceived,
    /// A delivery pushed to us by OSCI was refused; its intermediary was told so.
    OsciRefused,
    /// A delivery in an OSCI mailbox of our own cannot be taken over and waits.
    OsciSetAside,
    /// A person ended a delivery that was set aside.
    OsciDropped,
    /// A release was activated on a node.
    ReleaseActivated,
    /// A closed month of the journal went into a file of its own.
    JournalArchived,
    /// The operator put the store under another master key.
    MasterKeyChanged,
}

impl JournalEvent {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::MessageAccepted,
        Self::MessageRouted,
        Self::MessageReleased,
        Self::MessageCompleted,
        Self::MessageParked,
        Self::MessageRejected,
        Self::MessageReopened,
        Self::MessageExpired,
        Self::AnswerRouted,
        Self::DeliveryPrepared,
        Self::DeliveryAttempting,
        Self::DeliveryDelivered,
        Self::DeliveryDeferred,
        Self::DeliveryDeadLetter,
        Self::DeliveryCancelled,
        Self::DeliveryLateReceipt,
        Self::DeliveryAgain,
        Self::DeliveryRedirected,
        Self::OsciReceived,
        Self::OsciRefused,
        Self::OsciSetAside,
        Self::OsciDropped,
        Self::ReleaseActivated,
        Self::JournalArchived,
        Self::MasterKeyChanged,
    ];

    /// Name in the journal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageAccepted => "message.accepted",
            Self::MessageRouted => "message.routed",
            Self::MessageReleased => "message.released",
            Self::MessageCompleted => "message.completed",
            Self::MessageParked => "message.parked",
            Self::MessageRejected => "message.rejected",
            Self::MessageReopened => "message.reopened",
            Self::MessageExpired => "message.expired",
            Self::AnswerRouted => "answer.routed",
            Self::DeliveryPrepared => "delivery.prepared",
            Self::DeliveryAttempting => "delivery.attempting",
            Self::DeliveryDelivered => "delivery.delivered",
            Self::DeliveryDeferred => "delivery.deferred",
            Self::DeliveryDeadLetter => "delivery.dead_letter",
            Self::DeliveryCancelled => "delivery.cancelled",
            Self::DeliveryLateReceipt => "delivery.late_receipt",
            Self::DeliveryAgain => "delivery.again",
            Self::DeliveryRedirected => "delivery.redirected",
            Self::OsciReceived => "osci.received",
            Self::OsciRefused => "osci.refused",
            Self::OsciSetAside => "osci.set_aside",
            Self::OsciDropped => "osci.dropped",
            Self::ReleaseActivated => "release.activated",
            Self::JournalArchived => "journal.archived",
            Self::MasterKeyChanged => "store.master_key_changed",
        }
    }

    /// The event of that name; `None` if a newer version wrote it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_known_by_its_name() {
        for (place, event) in JournalEvent::ALL.into_iter().enumerate() {
            assert_eq!(event as usize, place, "{event:?} in the order of its declaration");
            assert_eq!(JournalEvent::from_name(event.as_str()), Some(event));
        }
        assert_eq!(JournalEvent::from_name("message.unknown"), None);
    }
}
