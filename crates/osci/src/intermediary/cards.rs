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
    let mut bytes = 0;
    let fitting = found.iter().take_while(|card| {
        bytes += card.bundle.to_xml().len();
        bytes <= LIST
    });
    let count = fitting.count().max(1);
    let mut warnings = turn.warnings.clone();
    warnings.extend((more || count < found.len()).then_some(FeedbackCode::S3801));
    let feedback = turn.frame.done(&warnings);
    let cards = found.into_iter().take(count).map(|card| card.bundle).collect();
    turn.answer(Order::ResponseToFetchProcessCard { feedback, echo: query, cards })
}
