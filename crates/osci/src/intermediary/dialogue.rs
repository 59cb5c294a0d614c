//! Dialogue data of an order: which dialogue it belongs to and whether it comes at its turn (facts 4).

use std::fmt::Write as _;

use jiff::Timestamp;

use super::reply::Frame;
use super::{Dialogue, Examined, Intermediary, Mailboxes, StoreFailed};
use crate::control::{Rules, challenge as fresh_challenge, conversation_id, same};
use crate::feedback::{FeedbackCode, Language, Refused};
use crate::message::{CertificateRole, ControlBlock, MessageKind};
use crate::random::Random;

/// Where an order stands.
#[derive(Debug)]
pub(super) enum Place {
    /// It opens this dialogue, if it is executed.
    Opens(Dialogue),
    /// It came at its turn; the dialogue is advanced already.
    In(Dialogue),
    /// A single order outside any dialogue.
    Implicit,
    /// It needs a dialogue and names none (9802).
    Homeless,
}

/// Finds the place of an order and the frame of its response.
pub(super) fn enter<M: Mailboxes>(
    order: &Examined<M::Handle>,
    intermediary: &Intermediary,
    boxes: &mut M,
    random: &mut dyn Random,
) -> Result<Result<(Place, Frame), Refused>, StoreFailed> {
    let control = &order.envelope.control;
    let kind = order.kind();
    let wrong = |detail: &str| Ok(Err(Refused::new(FeedbackCode::S9400, detail)));
    let Some(challenge) = control.challenge.clone() else {
        return Ok(Err(Refused::new(FeedbackCode::S9100, "the order has no Challenge")));
    };
    let idle = intermediary.rules.dialogue_idle;
    // What was used later than now, and by more than two orders at once could explain, was noted by a clock that was
    // ahead: it would count against the bound for as long.
    let (since, until) = (order.at.checked_sub(idle), order.at.checked_add(idle));
    boxes.expire_dialogues(since.unwrap_or(order.at)..=until.unwrap_or(order.at))?;
    let fresh = fresh_challenge(random);
    let place = match (&control.conversation_id, kind) {
        (conversation, MessageKind::InitDialog) => {
            if conversation.is_some() || control.sequence_number.is_some() || control.response.is_some() {
                return wrong("initDialog names a dialogue already");
            }
            Place::Opens(Dialogue {
                conversation: conversation_id(random),
                client: order.client(),
                encrypted: order.transport.is_some(),
                challenge: fresh.clone(),
                next_sequence: 0,
                handed_out: Vec::new(),
                used: order.at,
            })
        }
        (Some(conversation), _) => {
            let Some(mut dialogue) = boxes.dialogue(conversation)? else {
                return wrong("there is no such dialogue");
            };
            if control.sequence_number != Some(dialogue.next_sequence) {
                return wrong("the SequenceNumber is not the next one");
            }
            let echoed = control.response.as_deref().unwrap_or_default();
            if !same(echoed, &dialogue.challenge) {
                return wrong("the Response is not our last Challenge");
            }
            if dialogue.encrypted && order.transport.is_none() {
                return wrong("an order in the clear within an encrypted dialogue");
            }
            dialogue.challenge.clone_from(&fresh);
            dialogue.next_sequence = dialogue.next_sequence.saturating_add(1);
            dialogue.used = order.at;
            Place::In(dialogue)
        }
        // The Java library sends a stale Response with a second implicit order: without ConversationId it says nothing.
        (None, _) if control.sequence_number != Some(0) => {
            return wrong("an order outside a dialogue has SequenceNumber 0");
        }
        (None, kind) if Rules::of(kind).is_some_and(Rules::needs_dialogue) => Place::Homeless,
        (None, _) => Place::Implicit,
    };
    let dialogue = match &place {
        Place::Opens(dialogue) | Place::In(dialogue) => Some(dialogue),
        Place::Implicit | Place::Homeless => None,
    };
    let encrypt = match &order.transport {
        None => None,
        Some(transport) => {
            let own = order.envelope.certificates.certificate(CertificateRole::CipherOriginator);
            let known = dialogue.and_then(|dialogue| dialogue.client.cipher.as_ref());
            // Inside a dialogue only the certificate that opened it counts: an order cannot lead its answers elsewhere.
            let Some(certificate) = known.or(own) else {
                return Ok(Err(Refused::new(
                    FeedbackCode::S9500,
                    "there is no certificate to encrypt the response for",
                )));
            };
            Some(transport.answering(certificate))
        }
    };
    let control = ControlBlock {
        response: Some(challenge),
        challenge: (kind != MessageKind::ExitDialog).then_some(fresh),
        // Responses to single orders need a ConversationId as well, although there is no dialogue (facts 4).
        conversation_id: Some(
            dialogue.map_or_else(|| conversation_id(random), |dialogue| dialogue.conversation.clone()),
        ),
        sequence_number: control.sequence_number,
    };
    let stays = dialogue.is_some() && kind != MessageKind::ExitDialog;
    let frame = Frame {
        control,
        languages: Language::wished(&order.envelope.languages),
        sign: !matches!(order.signer, Ok(None)),
        encrypt,
        success: if stays { FeedbackCode::S0801 } else { FeedbackCode::S0800 },
    };
    Ok(Ok((place, frame)))
}

/// A fresh MessageId: the time in milliseconds since 1970 in 48 bits, then 80 random bits, in lower-case hex. So ids
/// that are issued one after the other lie side by side in whatever keeps them by id, however many there are.
pub(super) fn message_id(at: Timestamp, random: &mut dyn Random) -> crate::message::MessageId {
    let mut octets = [0; 16];
    random.fill(&mut octets);
    let [_, _, time @ ..] = at.as_millisecond().max(0).to_be_bytes();
    octets[..time.len()].copy_from_slice(&time);
    let mut text = String::with_capacity(32);
    for octet in octets {
        let _infallible = write!(text, "{octet:02x}");
    }
    crate::message::MessageId::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn later_ids_sort_behind_earlier_ones_and_no_two_are_the_same() {
        let at = Timestamp::from_millisecond;
        let before: Timestamp = "1969-01-01T00:00:00Z".parse().unwrap();
        let times = [before, at(1).unwrap(), at(1_795_000_000_000).unwrap(), Timestamp::MAX];
        let ids = times.map(|at| [message_id(at, &mut SystemRandom), message_id(at, &mut SystemRandom)]);
        assert!(ids.iter().all(|[one, other]| one != other && one.as_str().len() == 32), "{ids:?}");
        assert!(ids.is_sorted_by(|earlier, later| earlier.iter().max() < later.iter().min()), "{ids:?}");
        assert!(ids[2][0].as_str().starts_with("01a1ee565e00"), "{ids:?}");
    }
}
