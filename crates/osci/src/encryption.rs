//! `xenc:EncryptedData` and `xenc:EncryptedKey`: reading and writing (facts 7 and 11).
//!
//! Reading stops at the structure; what follows the choice of the key has one answer for every failure, see
//! [`failure`].

mod reading;
mod writing;

pub use reading::{CipherSource, EncryptedData, EncryptedKey, KeyRecipient, read};
pub(crate) use writing::write_attachment;
pub use writing::{KeyWrap, TransportTarget, write_content, write_transport};

use crate::feedback::{FeedbackCode, Refused};

/// The one answer to every failure after the key was chosen: wrapped key, ciphertext, tag, padding, and, where the
/// cipher does not authenticate, everything found in the plaintext (facts 17: uniform 9202).
#[must_use]
pub fn failure() -> Refused {
    Refused::new(FeedbackCode::S9202, "the message cannot be decrypted")
}
