//! Nothing enters a mailbox that nobody could read when it is fetched: it would stand there before all that came later.

use super::reply::Frame;
use super::store::new_card;
use super::{Examined, Intermediary, fetch};
use crate::feedback::{FeedbackCode, Language, Refused};
use crate::message::{Envelope, NamespaceContext, Order};
use crate::xml::{Document, Limits, limits};

/// An envelope up to this size is far from every limit of its reader, whatever a response adds to it or has to escape.
const SMALL: usize = 512 << 10;

/// Longest Id of a certificate of which the same holds: escaped, it still fits an attribute.
const SHORT: usize = 1024;

impl Intermediary {
    /// Refuses a delivery with 9100 whose response to fetchDelivery could not be written, or is beyond what this
    /// crate's own reader takes.
    pub(super) fn check_fetchable<H>(&self, order: &Examined<H>) -> Result<(), Refused> {
        let Order::StoreDelivery { message_id, subject } = &order.envelope.order else { return Ok(()) };
        if is_plain(order) {
            return Ok(());
        }
        let frame = Frame {
            control: order.envelope.control.clone(),
            languages: vec![Language::German, Language::English],
            sign: true,
            encrypt: None,
            success: FeedbackCode::S0801,
        };
        let mut card = new_card(order, &order.client(), message_id, subject.clone(), None);
        card.forward(order.at);
        card.receive(order.at);
        let feedback = frame.done(&[FeedbackCode::S3800]);
        let response = Order::ResponseToFetchDelivery { feedback, echo: None, card: Some(card.bundle) };
        fetch::submitted(order.octets.clone())
            .and_then(|stored| fetch::relay(self, &frame, stored, response).write())
            .and_then(|written| read(written.assemble(None)))
            .map_err(|refused| {
                Refused::new(FeedbackCode::S9100, format!("not to be fetched: {}", refused.detail))
            })
    }
}

/// Whether the response is readable because the order was. Content in the usual namespaces goes out octet for octet
/// among the same ones, certificates and subject are written anew, and all blocks beside them are ours. Foreign
/// namespaces and custom headers may need declarations in their new place.
fn is_plain<H>(order: &Examined<H>) -> bool {
    let Envelope { custom_headers, content, certificates, .. } = &order.envelope;
    order.octets.len() <= SMALL
        && custom_headers.is_empty()
        && content.as_ref().is_none_or(|content| content.namespaces == NamespaceContext::default())
        && certificates.entries.iter().all(|entry| entry.id.len() <= SHORT)
}

/// Reads a response that is not signed yet, with room for the signature and for what is only known when it is fetched.
fn read(response: Vec<u8>) -> Result<(), Refused> {
    let most = limits();
    let room = Limits { bytes: most.bytes - (1 << 20), elements: most.elements - 8192, ..most };
    let document = Document::parse(response, &room)
        .map_err(|error| Refused::new(FeedbackCode::S9100, error.to_string()))?;
    Envelope::read(&document).map(drop)
}
