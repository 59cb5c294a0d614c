//! Holding a response to what it owes.

use super::answer::{Answer, Answered};
use super::lost::{Lost, LostReason};
use crate::algorithm::CryptoPolicy;
use crate::certificate::Certificate;
use crate::control::Expected;
use crate::feedback::{FeedbackCode, Refused};
use crate::intake::{PartStore, Received};
use crate::message::{Envelope, Message};
use crate::signature::{Verdict, verify_message};

/// What a response must satisfy, worked out when the order was made.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    pub(super) expected: Expected,
    pub(super) signed: bool,
    pub(super) encrypted: bool,
    /// The intermediary's signature certificate, pinned or seen before in this dialogue.
    pub(super) signer: Option<Certificate>,
    pub(super) policy: CryptoPolicy,
}

/// A response that passed; still without its meaning.
pub(super) struct Checked {
    pub(super) envelope: Envelope,
    pub(super) signer: Option<Certificate>,
}

impl Demand {
    /// Reads a response and holds it to everything it owes.
    pub(super) fn check<P: PartStore>(
        &self,
        received: Result<&Received<P>, Refused>,
    ) -> Result<Checked, Lost> {
        let lost = |reason| Err(Lost::new(reason));
        let received = match received {
            Ok(received) => received,
            Err(refused) => return lost(LostReason::Unreadable(refused)),
        };
        let envelope = match Message::read(&received.document) {
            Ok(Message::Envelope(envelope)) => *envelope,
            // Faults come unsigned and unencrypted by their nature (facts 15).
            Ok(Message::Fault(fault)) => return lost(LostReason::Fault(fault)),
            Err(refused) => return lost(LostReason::Unreadable(refused)),
        };
        if self.encrypted && received.transport.is_none() {
            let refused = Refused::new(FeedbackCode::S9202, "an unencrypted response to an encrypted order");
            return lost(LostReason::Unprotected(refused));
        }
        let signer = match self.signature(received, &envelope) {
            Ok(signer) => signer,
            Err(refused) => return lost(LostReason::Unprotected(refused)),
        };
        match self.expected.check(envelope.kind(), &envelope.control) {
            Ok(()) => Ok(Checked { envelope, signer }),
            Err(refused) => lost(LostReason::WrongDialogue(refused)),
        }
    }

    /// The signer of a response, or why it is not signed as it must be. Also for a response that came in chunks.
    pub(super) fn signature<P: PartStore>(
        &self,
        received: &Received<P>,
        envelope: &Envelope,
    ) -> Result<Option<Certificate>, Refused> {
        let verdict = verify_message(&received.document, envelope.kind(), &received.digests(), &self.policy);
        if verdict.verdict == Verdict::Absent {
            return match self.signed {
                true => Err(Refused::new(FeedbackCode::S9600, "an unsigned response to a signed order")),
                false => Ok(None),
            };
        }
        let signer = verdict.require()?;
        match &self.signer {
            Some(known) if known != signer => {
                let signer = signer.sha256_hex();
                let detail = format!("the response is signed by {signer}, not by the intermediary");
                Err(Refused::new(FeedbackCode::S9601, detail))
            }
            _ => Ok(Some(signer.clone())),
        }
    }
}

impl Checked {
    /// The typed answer; the kind was checked, so that a wrong type is a defect of the demand.
    pub(super) fn answer<A: Answered>(self) -> Result<Answer<A>, Lost> {
        let kind = self.envelope.kind();
        let feedback = self.envelope.order.feedback().cloned().unwrap_or_default();
        let features = self.envelope.features.clone();
        match A::take(self.envelope) {
            Some(value) => Ok(Answer { feedback, value, features, signer: self.signer }),
            None => {
                let refused = Refused::new(FeedbackCode::S9400, format!("{kind} is not the answer"));
                Err(Lost::new(LostReason::WrongDialogue(refused)))
            }
        }
    }
}
