//! States of a message and of a delivery (`ARCHITECTURE.md`, "States").

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{MessageId, ProcedureId};

/// Zustand einer Nachricht. `Completed` and `Rejected` are its end, and their retention period begins; `Parked` waits
/// for a named role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Durable, acknowledged, not yet matched and planned.
    Accepted,
    /// Matched, validated, transformed: its deliveries exist.
    Routed,
    /// Every delivery is final and none is a dead letter.
    Completed,
    /// Not to be processed; the sender is told why.
    Rejected,
    /// Klärfall: a named role must act.
    Parked,
}

/// Zustand einer Zustellung.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its due time (first attempt, retry, or fetch by the target).
    Prepared,
    /// A durable attempt was begun at a target that cannot deduplicate; its fate is not known yet.
    InDoubt,
    /// The target has it, with a receipt.
    Delivered,
    /// Unzustellbar: a named role must act.
    DeadLetter,
    /// Replaced by a delivery to another target.
    Redirected,
    /// Called off by an operator.
    Cancelled,
}

names!(MessageState {
    Accepted = "accepted" "angenommen",
    Routed = "routed" "in Zustellung",
    Completed = "completed" "vollständig zugestellt",
    Rejected = "rejected" "zurückgewiesen",
    Parked = "parked" "Klärfall",
});
names!(DeliveryState {
    Prepared = "prepared" "wartet auf Zustellung",
    InDoubt = "in_doubt" "Ausgang ungewiss",
    Delivered = "delivered" "zugestellt",
    DeadLetter = "dead_letter" "unzustellbar",
    Redirected = "redirected" "umgeleitet",
    Cancelled = "cancelled" "abgebrochen",
});

/// A message that everybody has got who shall have it: it has become [`MessageState::Completed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completed {
    /// The message.
    pub message: MessageId,
    /// Its procedure; `None` for an answer.
    pub procedure: Option<ProcedureId>,
    /// Time since its acceptance.
    pub took: Duration,
}

impl MessageState {
    /// No transition leaves this state without a person.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Accepted | Self::Routed)
    }
}

impl DeliveryState {
    /// No transition leaves this state without a person.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Prepared | Self::InDoubt)
    }
}
