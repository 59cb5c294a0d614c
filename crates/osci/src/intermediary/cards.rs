//! fetchProcessCard: cards of deliveries in which the client has a part.

use super::Mailboxes;
use super::execute::{Outcome, Refusal, Turn};
use crate::feedback::FeedbackCode;
use crate::message::{CardQuery, Order};

pub(super) fn fetch<M: Mailboxes>(turn: &mut Turn<'_, M>, query: CardQuery) -> Outcome<M::Handle> {
    let limit = query.limit.unwrap_or(u64::MAX).min(turn.intermediary.rules.cards);
    let (found, more) = turn.boxes.find_cards(&turn.client, &query, limit)?;
    if found.is_empty() {
        return Ok(Err(Refusal::new(FeedbackCode::S9804, "no process card that matches")));
    }
    let mut warnings = turn.warnings.clone();
    warnings.extend(more.then_some(FeedbackCode::S3801));
    let feedback = turn.frame.done(&warnings);
    let cards = found.into_iter().map(|card| card.bundle).collect();
    turn.answer(Order::ResponseToFetchProcessCard { feedback, echo: query, cards })
}
