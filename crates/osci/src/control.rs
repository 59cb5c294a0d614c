//! Rules of the ControlBlock: what must and must not be in it, and what binds a response to its order (facts 4).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::feedback::{FeedbackCode, Refused};
use crate::message::{ControlBlock, MessageKind};
use crate::random::Random;

/// Octets of a challenge. The Java library sends 10; at least that many from a strong generator (facts 4).
const CHALLENGE: usize = 16;

/// Whether an item may stand in a ControlBlock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It must be there.
    Required,
    /// It must not be there.
    Forbidden,
    /// Both are lawful.
    Optional,
}

/// The row of the table of facts 4 for one type of message (`ControlBlockType` of its schema).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `Response`
    pub response: Presence,
    /// `Challenge`
    pub challenge: Presence,
    /// `ConversationId`
    pub conversation_id: Presence,
    /// `SequenceNumber`
    pub sequence_number: Presence,
}

impl Rules {
    /// The row of a type; `None` for messages without a ControlBlock (MessageEncrypted, faults).
    pub const fn of(kind: MessageKind) -> Option<Self> {
        use MessageKind as K;
        use Presence::{Forbidden as No, Optional as May, Required as Must};
        match kind {
            K::InitDialog | K::AcceptDelivery | K::ProcessDelivery => row(No, Must, No, No),
            K::ResponseToInitDialog => row(Must, Must, Must, No),
            K::ResponseToExitDialog => row(Must, No, Must, Must),
            K::GetMessageId | K::StoreDelivery | K::PartialStoreDelivery | K::ForwardDelivery => {
                row(May, Must, May, Must)
            }
            K::ResponseToGetMessageId | K::ResponseToStoreDelivery | K::ResponseToPartialStoreDelivery => {
                row(Must, May, Must, Must)
            }
            K::ResponseToForwardDelivery => row(Must, May, May, Must),
            K::ExitDialog
            | K::FetchDelivery
            | K::FetchProcessCard
            | K::MediateDelivery
            | K::PartialFetchDelivery
            | K::ResponseToFetchDelivery
            | K::ResponseToFetchProcessCard
            | K::ResponseToMediateDelivery
            | K::ResponseToPartialFetchDelivery => row(Must, Must, Must, Must),
            K::ResponseToAcceptDelivery | K::ResponseToProcessDelivery => row(Must, No, No, No),
            K::MessageEncrypted | K::Fault => None,
        }
    }

    /// Whether the order exists only inside an explicit dialogue.
    pub const fn needs_dialogue(self) -> bool {
        matches!(self.conversation_id, Presence::Required)
    }
}

const fn row(
    response: Presence,
    challenge: Presence,
    conversation_id: Presence,
    sequence_number: Presence,
) -> Option<Rules> {
    Some(Rules { response, challenge, conversation_id, sequence_number })
}

/// Checks an order against its row.
///
/// A `Response` without ConversationId is overlooked: the Java library re-uses a handler for a second implicit order
/// and then sends the stale challenge of the first (facts 4, quirk).
///
/// # Errors
/// 9100 without Challenge, 9802 when the order needs a dialogue and names none, 9400 for everything else.
pub fn check_order(kind: MessageKind, control: &ControlBlock) -> Result<(), Refused> {
    let Some(rules) = Rules::of(kind) else {
        return Err(Refused::new(FeedbackCode::S9300, format!("{kind} is no order")));
    };
    if control.challenge.as_deref().is_none_or(str::is_empty) {
        return Err(Refused::new(FeedbackCode::S9100, "the order has no Challenge"));
    }
    if rules.needs_dialogue() && control.conversation_id.is_none() {
        return Err(Refused::new(FeedbackCode::S9802, format!("{kind} outside a dialogue")));
    }
    present("ConversationId", rules.conversation_id, control.conversation_id.is_some())?;
    present("SequenceNumber", rules.sequence_number, control.sequence_number.is_some())?;
    match (&control.conversation_id, rules.response) {
        (Some(_), Presence::Optional) => present("Response", Presence::Required, control.response.is_some()),
        (None, Presence::Optional) if control.sequence_number != Some(0) => {
            Err(wrong("an order outside a dialogue has SequenceNumber 0"))
        }
        (_, rule) => present("Response", rule, control.response.is_some()),
    }
}

/// What a partner must know to answer: the dialogue data of the order we sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// Type of the response.
    pub kind: MessageKind,
    /// Our challenge.
    pub challenge: String,
    /// The dialogue; `None` outside one and after initDialog, where the partner names it.
    pub conversation_id: Option<String>,
    /// The number of our order.
    pub sequence_number: Option<u32>,
}

impl Expected {
    /// Checks the ControlBlock of a response.
    ///
    /// One leniency: outside a dialogue the ConversationId (invented by the supplier, the table demands it) may be
    /// missing; nothing hangs on it.
    ///
    /// # Errors
    /// 9400 if it does not answer our order.
    pub fn check(&self, kind: MessageKind, control: &ControlBlock) -> Result<(), Refused> {
        if kind != self.kind {
            return Err(wrong(format!("{kind} answers, not {}", self.kind)));
        }
        let Some(rules) = Rules::of(kind) else { return Err(wrong(format!("{kind} is no response"))) };
        if !control.response.as_deref().is_some_and(|response| same(response, &self.challenge)) {
            return Err(wrong("Response is not our Challenge"));
        }
        if control.sequence_number != self.sequence_number {
            return Err(wrong("the SequenceNumber is not that of our order"));
        }
        match (&self.conversation_id, &control.conversation_id) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            (Some(_), _) => return Err(wrong("the ConversationId is not ours")),
            (None, Some(_)) => present("ConversationId", rules.conversation_id, true)?,
            (None, None) if kind == MessageKind::ResponseToInitDialog => {
                return Err(wrong("the dialogue has no ConversationId"));
            }
            (None, None) => {}
        }
        present("Challenge", rules.challenge, control.challenge.is_some())?;
        // Without a new challenge the next order could not be bound to this dialogue.
        let goes_on = self.conversation_id.is_some() && kind != MessageKind::ResponseToExitDialog;
        if goes_on && control.challenge.is_none() {
            return Err(wrong("the response inside a dialogue has no Challenge"));
        }
        Ok(())
    }
}

/// A fresh challenge: random octets in Base64.
pub fn challenge(random: &mut dyn Random) -> String {
    let mut octets = [0; CHALLENGE];
    random.fill(&mut octets);
    STANDARD.encode(octets)
}

/// A fresh ConversationId: digits only. Responses to orders outside a dialogue need one too (facts 4).
pub fn conversation_id(random: &mut dyn Random) -> String {
    let mut octets = [0; 16];
    random.fill(&mut octets);
    u128::from_be_bytes(octets).to_string()
}

/// Compares two challenges; how long it takes says nothing about where they differ.
pub fn same(received: &str, known: &str) -> bool {
    verify_slices_are_equal(received.as_bytes(), known.as_bytes()).is_ok()
}

fn present(name: &str, rule: Presence, there: bool) -> Result<(), Refused> {
    match (rule, there) {
        (Presence::Required, false) => Err(wrong(format!("{name} is missing"))),
        (Presence::Forbidden, true) => Err(wrong(format!("{name} is out of place"))),
        _ => Ok(()),
    }
}

fn wrong(detail: impl Into<String>) -> Refused {
    Refused::new(FeedbackCode::S9400, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(response: bool, challenge: bool, conversation: bool, sequence: Option<u32>) -> ControlBlock {
        ControlBlock {
            response: response.then(|| "r".to_owned()),
            challenge: challenge.then(|| "c".to_owned()),
            conversation_id: conversation.then(|| "1".to_owned()),
            sequence_number: sequence,
        }
    }

    fn code(kind: MessageKind, control: &ControlBlock) -> Option<u16> {
        check_order(kind, control).err().map(|refused| refused.code.number())
    }

    #[test]
    fn table_of_orders() {
        use MessageKind as K;
        assert_eq!(code(K::InitDialog, &block(false, true, false, None)), None);
        assert_eq!(code(K::InitDialog, &block(true, true, false, None)), Some(9400));
        assert_eq!(code(K::InitDialog, &block(false, true, true, None)), Some(9400));
        assert_eq!(code(K::InitDialog, &block(false, true, false, Some(0))), Some(9400));
        for kind in [
            K::ExitDialog,
            K::FetchDelivery,
            K::FetchProcessCard,
            K::MediateDelivery,
            K::PartialFetchDelivery,
        ] {
            assert_eq!(code(kind, &block(true, true, true, Some(3))), None);
            assert_eq!(code(kind, &block(false, true, true, Some(3))), Some(9400));
            assert_eq!(code(kind, &block(true, true, true, None)), Some(9400));
        }
        for kind in [K::GetMessageId, K::StoreDelivery, K::PartialStoreDelivery, K::ForwardDelivery] {
            assert_eq!(code(kind, &block(true, true, true, Some(3))), None);
            assert_eq!(code(kind, &block(false, true, true, Some(3))), Some(9400));
            assert_eq!(code(kind, &block(false, true, false, Some(0))), None);
            assert_eq!(code(kind, &block(false, true, false, Some(1))), Some(9400));
        }
        for kind in [K::AcceptDelivery, K::ProcessDelivery] {
            assert_eq!(code(kind, &block(false, true, false, None)), None);
            assert_eq!(code(kind, &block(true, true, false, None)), Some(9400));
        }
        assert_eq!(code(K::Fault, &block(false, true, false, None)), Some(9300));
    }

    #[test]
    fn h3_stale_response_of_a_second_implicit_order_is_overlooked() {
        assert_eq!(code(MessageKind::GetMessageId, &block(true, true, false, Some(0))), None);
    }

    #[test]
    fn n15_orders_that_need_a_dialogue() {
        assert_eq!(code(MessageKind::FetchDelivery, &block(false, true, false, Some(0))), Some(9802));
        assert_eq!(code(MessageKind::MediateDelivery, &block(false, true, false, Some(0))), Some(9802));
    }

    #[test]
    fn n17_missing_challenge() {
        assert_eq!(code(MessageKind::GetMessageId, &block(true, false, true, Some(0))), Some(9100));
        assert_eq!(code(MessageKind::AcceptDelivery, &block(false, false, false, None)), Some(9100));
    }

    #[test]
    fn responses_must_answer_our_order() {
        let expected = Expected {
            kind: MessageKind::ResponseToFetchDelivery,
            challenge: "ours".into(),
            conversation_id: Some("7".into()),
            sequence_number: Some(2),
        };
        let good = ControlBlock {
            response: Some("ours".into()),
            challenge: Some("next".into()),
            conversation_id: Some("7".into()),
            sequence_number: Some(2),
        };
        let check = |control: &ControlBlock| expected.check(MessageKind::ResponseToFetchDelivery, control);
        assert_eq!(check(&good), Ok(()));
        let broken = [
            ControlBlock { response: Some("other".into()), ..good.clone() },
            ControlBlock { response: None, ..good.clone() },
            ControlBlock { conversation_id: Some("8".into()), ..good.clone() },
            ControlBlock { conversation_id: None, ..good.clone() },
            ControlBlock { sequence_number: Some(3), ..good.clone() },
            ControlBlock { sequence_number: None, ..good.clone() },
            ControlBlock { challenge: None, ..good.clone() },
            ControlBlock::default(),
        ];
        for control in broken {
            assert_eq!(check(&control).unwrap_err().code, FeedbackCode::S9400, "{control:?}");
        }
        assert!(expected.check(MessageKind::ResponseToFetchProcessCard, &good).is_err());
    }

    #[test]
    fn the_answer_to_the_end_has_no_challenge() {
        let expected = Expected {
            kind: MessageKind::ResponseToExitDialog,
            challenge: "ours".into(),
            conversation_id: Some("7".into()),
            sequence_number: Some(2),
        };
        let mut control = ControlBlock {
            response: Some("ours".into()),
            challenge: None,
            conversation_id: Some("7".into()),
            sequence_number: Some(2),
        };
        assert_eq!(expected.check(MessageKind::ResponseToExitDialog, &control), Ok(()));
        control.challenge = Some("more".into());
        assert!(expected.check(MessageKind::ResponseToExitDialog, &control).is_err());
    }

    #[test]
    fn conversation_ids_are_digits_and_challenges_are_fresh() {
        let mut random = crate::random::SystemRandom;
        let id = conversation_id(&mut random);
        assert!(!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        assert_ne!(challenge(&mut random), challenge(&mut random));
        assert!(challenge(&mut random).len() >= 16);
    }
}
