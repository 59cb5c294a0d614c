//! The writing path (facts 6 to 9): signed envelope, attachments between MIME heads, optional transport encryption.
//!
//! Streaming in constant memory: [`Outgoing`] turns pieces of attachments into octets of the HTTP body. A signed
//! message names the digests of its attachments in the envelope, which goes first: pass every attachment through a
//! [`PartHasher`] before, or keep the digests from when it was stored.

mod envelope;
mod stream;

pub(crate) use envelope::namespaces_of;
pub use envelope::sign_envelope;
pub use stream::{AttachmentHead, Outgoing, PartHasher, message_bytes};
