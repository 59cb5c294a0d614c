//! Postfächer: the durable state of the built-in OSCI intermediary, and the MessageIds of what we send ourselves.
//!
//! One SQLite file beside the store (`osci/postbox.sqlite`) and one folder of encrypted parts. [`Postbox`] runs each
//! step of an order as one transaction; steps that come together share one commit and its fsync. When [`Postbox::run`]
//! returns, the step is durable: only then may its answer leave (invariant I3).
//!
//! Personal data lie sealed: envelopes and attachments under a key of their own delivery, process cards and dialogues
//! under the key of the postbox. All keys are wrapped under the root key of the store.

mod boxes;
mod download;
mod error;
mod parts;
mod records;
mod revoked;
mod runner;
mod schema;
mod sent;
mod sweep;
mod taking;
mod transfer;
mod unreadable;

pub use boxes::Boxes;
pub use dds_store::sqlite::{Haste, files::FileReader as PartReader};
pub use download::{Download, Fetching};
pub use error::PostboxError;
pub use parts::{Parts, StoredPart};
pub use revoked::Revoked;
pub use runner::{Options, Postbox, folder};
pub use sent::{Sent, SentState};
pub use sweep::Swept;
pub use taking::{LONGEST_REST, REPLIES, Reply, SetAside, Waiting, Why, fetched_by};
pub use transfer::Transfer;
pub use unreadable::Unreadable;
