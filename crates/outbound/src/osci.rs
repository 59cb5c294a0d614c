//! OSCI sender (Sender): stores, forwards or mediates a delivery to the OSCI mailbox of an authority.
//!
//! ```text
//! document ──┐                                                                    ┌─ storeDelivery
//!            ├─► container, signed (author), encrypted (readers) ─┬► order, signed ─┼─ forwardDelivery ─► intermediary
//! attachments┘   each encrypted once, into a part file            │  and encrypted  └─ mediateDelivery
//!                                                                 └► mailbox of our own intermediary (postbox)
//! ```
//!
//! **Our own intermediary** is recognised by its two certificates. What goes into a mailbox there needs no order:
//! `own.rs` puts it in under the rules that an order obeys, in one transaction with our note that it is there.
//!
//! **Never twice** on the wire. The MessageId of a delivery is durable in the postbox before an order with it leaves.
//! Whoever comes back to a delivery that was begun asks for the process card of that id first: a card says that the
//! order had arrived, none that it had not, and then the same id goes again. So a lost answer costs a question, never a
//! second delivery.
//!
//! How answers are judged stands in `judge.rs` and, for operators, in `docs/osci/operations.md`.

mod adapter;
mod chunks;
mod judge;
mod line;
mod name;
mod own;
mod parcel;
mod partner;
mod reply;
mod tracker;

use std::sync::Arc;

use dds_courier::{Courier, Identity, OwnIntermediary, Trust};
use dds_message::Clock;
use dds_postbox::Postbox;

pub(crate) use adapter::Osci;
pub(crate) use partner::Flaw;
pub use partner::certificates_of;
pub use tracker::{Tracker, TrackerParts};

/// What every OSCI target needs: who we are and how we send. Cheap to clone.
#[derive(Clone)]
pub struct OsciSender {
    /// Carries messages.
    pub courier: Courier,
    /// Our keys: sender and author of everything we deliver (`[osci] sender`).
    pub identity: Identity,
    /// MessageIds of what was sent, and encrypted attachments on their way.
    pub postbox: Postbox,
    /// Whose certificates count: nothing is encrypted for one that is revoked or has ended.
    pub trust: Trust,
    /// Time of signatures and of what is kept.
    pub clock: Arc<dyn Clock>,
    /// The intermediary of this process, if there is one; its mailboxes lie in [`Self::postbox`].
    pub own: Option<OwnIntermediary>,
}

impl OsciSender {
    /// Now, as OSCI counts.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        self.clock.now().to_jiff()
    }
}

impl std::fmt::Debug for OsciSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OsciSender({:?})", self.identity)
    }
}
