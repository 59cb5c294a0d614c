use std::fmt;

use crate::feedback::{Feedback, FeedbackCode, Refused};
use crate::message::Fault;

/// A dialogue that is over without an answer to our order. It has no methods that send.
#[derive(Debug)]
pub struct Lost {
    /// Why.
    pub reason: LostReason,
}

/// Why an order has no answer.
#[derive(Debug)]
pub enum LostReason {
    /// The intermediary answered with a SOAP fault. Nobody vouches for it: faults are unsigned.
    Fault(Fault),
    /// The dialogue was not opened.
    NotOpened(Feedback),
    /// The response could not be decrypted, or is no message at all. **Whether the order was executed is unknown.**
    Unreadable(Refused),
    /// The response is not protected as the order was: unsigned to a signed order (9600), unencrypted to an encrypted
    /// one, badly signed (9601, 9602), or by a foreign signer (9601).
    Unprotected(Refused),
    /// The response does not answer our order (9400).
    WrongDialogue(Refused),
}

impl Lost {
    pub(super) const fn new(reason: LostReason) -> Self {
        Self { reason }
    }

    /// The code of the table that comes nearest.
    pub fn code(&self) -> FeedbackCode {
        match &self.reason {
            LostReason::Fault(fault) => fault.code,
            LostReason::NotOpened(feedback) => feedback.decisive(),
            LostReason::Unreadable(refused)
            | LostReason::Unprotected(refused)
            | LostReason::WrongDialogue(refused) => refused.code,
        }
    }

    /// Whether the intermediary itself said that the order was not executed.
    pub const fn is_refusal(&self) -> bool {
        matches!(self.reason, LostReason::Fault(_) | LostReason::NotOpened(_))
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reason {
            LostReason::Fault(fault) => write!(f, "the intermediary answered with fault {}", fault.code),
            LostReason::NotOpened(feedback) => {
                write!(f, "the dialogue was not opened: {}", feedback.decisive())
            }
            LostReason::Unreadable(refused) => write!(f, "the response is unreadable: {refused}"),
            LostReason::Unprotected(refused) => write!(f, "the response is not protected: {refused}"),
            LostReason::WrongDialogue(refused) => write!(f, "the response is not to our order: {refused}"),
        }
    }
}

impl std::error::Error for Lost {}
