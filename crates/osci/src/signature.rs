//! Signatures of messages (Auftragssignatur) and of content (Inhaltssignatur): verdicts and making.
//!
//! facts 8, 9 and 11. A reference is resolved to an element object exactly once; what was digested is what later code
//! reads: [`MessageVerdict::covers`] answers by the number of the element object, never by a second look-up of an Id
//! (signature wrapping, facts 17).

mod content;
mod message;
mod reading;
mod verdict;
mod writing;

pub use content::{ContentSignature, verify_content};
pub(crate) use message::is_signature_block;
pub use message::{MessageVerdict, SignerRole, verify_message};
pub(crate) use reading::{certificate_element, certificate_in};
pub use verdict::{Fault, PartDigests, Reason, ReferenceVerdict, Target, Verdict};
pub use writing::{Reference, SignatureDraft, SigningError, SigningOptions, sign};
