use jiff::Timestamp;

use super::MessageId;

/// `SelectionRule` of fetchDelivery (specification 1.2, 6.6.9): which delivery. Without one: the oldest not yet
/// fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliverySelection {
    /// The one with this id, also again.
    MessageId(MessageId),
    /// The first one submitted at this time or later.
    ReceptionOfDelivery(Timestamp),
    /// The first one whose process card changed at this time or later (Korrigendum 10).
    RecentModification(Timestamp),
}

/// The content of fetchProcessCard: which cards, and how many at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CardQuery {
    /// Which cards; without it all of the client's.
    pub selection: Option<CardSelection>,
    /// `Quantity@Limit`
    pub limit: Option<u64>,
}

/// `SelectionRule` of fetchProcessCard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardSelection {
    /// The cards of these deliveries.
    MessageIds(Vec<MessageId>),
    /// Cards of deliveries submitted at this time or later.
    ReceptionOfDelivery(DateSelection),
    /// Cards that changed at this time or later.
    RecentModification(DateSelection),
}

/// A date with its restrictions (`SelectionDateType`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateSelection {
    /// From when on.
    pub from: Timestamp,
    /// `NoReception`: true = only cards without a reception time.
    pub no_reception: Option<bool>,
    /// `Role`: only cards in which the client has this role.
    pub role: Option<Role>,
}

/// The role of the client in a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Recipient (*Empfänger*).
    Addressee,
    /// Sender (*Sender*).
    Originator,
}
