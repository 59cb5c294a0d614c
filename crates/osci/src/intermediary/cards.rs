//! fetchProcessCard: cards of deliveries in which the client has a part.

use super::Mailboxes;
use super::execute::{Outcome, Refusal, Turn};
use crate::feedback::FeedbackCode;
use crate::message::{CardQuery, Order};

/// Octets of the cards in one response: far from what a reader takes, in octets and in elements. One card alone, with
/// as many inspections as a message may have certificates, is so too.
const LIST: usize = 4 << 20;

pub(super) fn fetch<M: Mailboxes>(turn: &mut Turn<'_, M>, query: CardQuery) -> Outcome<M::Handle> {
    let limit = query.limit.unwrap_or(u64::MAX).min(turn.intermediary.rules.cards);
    let (found, more) = turn.boxes.find_cards(&turn.client, &query, limit)?;
    if found.is_empty() {
        return Ok(Err(Refusal::new(FeedbackCode::S9804, "no process card that matches")));
    }
    let all = found.len();
    let mut bytes = 0;
    let cards: Vec<_> = found
        .into_iter()
        .map(|card| card.bundle)
        .enumerate()
        .take_while(|(index, bundle)| {
            bytes += bundle.to_xml().len();
            *index == 0 || bytes <= LIST
        })
        .map(|(_, bundle)| bundle)
        .collect();
    let mut warnings = turn.warnings.clone();
    warnings.extend((more || cards.len() < all).then_some(FeedbackCode::S3801));
    let feedback = turn.frame.done(&warnings);
    turn.answer(Order::ResponseToFetchProcessCard { feedback, echo: query, cards })
}
