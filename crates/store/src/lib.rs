//! Ablage: messages, payloads, deliveries, journal and search behind traits cut at router operations.
//!
//! The embedded engine is SQLite ([`sqlite`]); a shared engine for several nodes implements the same traits. Every
//! change of state and its journal entry are one commit (invariant I5); what returns `Ok` is durable (invariant I3).

mod blob;
mod error;
mod journal;
mod model;
mod seal;
pub mod sqlite;
mod vault;

pub use blob::{BlobStore, BlobWriter, ByteStream};
pub use error::StoreError;
pub use journal::{ACCEPTED_IN_ORDER, AuditLog, Journal, Retention};
pub use model::*;
pub use vault::{MasterKey, MessageKey, Vault, WrappedKey};
