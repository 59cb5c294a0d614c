//! Reading the order element of each message.

use super::fields::{attribute, has, invalid, number, one, optional, text};
use super::order::{ChunkInformation, ChunkRequest, Fault, Order};
use super::read_blocks::feedback;
use super::{CardQuery, CardSelection, DateSelection, DeliverySelection, MessageId, MessageKind, Role};
use crate::feedback::{FaultSide, FeedbackCode, Refused};
use crate::laufzettel::{ProcessCardBundle, bundle, date_time};
use crate::xml::{NS_OSCI, NS_OSCI2017, NS_SOAP, Node, child, children, elements, text_of};

/// Whether the order element stands in the Body; deliveries have it in the Header (facts 5).
pub(super) const fn is_in_body(kind: MessageKind) -> bool {
    use MessageKind as K;
    matches!(
        kind,
        K::InitDialog
            | K::ResponseToInitDialog
            | K::ExitDialog
            | K::ResponseToExitDialog
            | K::GetMessageId
            | K::ResponseToGetMessageId
            | K::FetchProcessCard
            | K::ResponseToFetchProcessCard
    )
}

/// Local name of the order element: the type with a small first letter.
pub(super) fn element_name(kind: MessageKind) -> String {
    let mut name = kind.name().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}

/// Namespace of the order element: that of EFFI for the partial messages.
pub(super) fn namespace(kind: MessageKind) -> &'static str {
    if kind.name().contains("Partial") { NS_OSCI2017 } else { NS_OSCI }
}

pub(super) fn read(kind: MessageKind, node: Node<'_>) -> Result<Order, Refused> {
    use MessageKind as K;
    let answer = || feedback(one(node, NS_OSCI, "Feedback")?);
    Ok(match kind {
        K::InitDialog => Order::InitDialog,
        K::ResponseToInitDialog => Order::ResponseToInitDialog(answer()?),
        K::ExitDialog => Order::ExitDialog,
        K::ResponseToExitDialog => Order::ResponseToExitDialog(answer()?),
        K::GetMessageId => Order::GetMessageId,
        K::ResponseToGetMessageId => {
            Order::ResponseToGetMessageId { feedback: answer()?, message_id: maybe_id(node, "MessageId")? }
        }
        K::StoreDelivery => Order::StoreDelivery { message_id: id(node)?, subject: subject(node)? },
        K::ResponseToStoreDelivery => {
            Order::ResponseToStoreDelivery { feedback: answer()?, card: card(node, "ProcessCardBundle")? }
        }
        K::FetchDelivery => Order::FetchDelivery(delivery_selection(node)?),
        K::ResponseToFetchDelivery => Order::ResponseToFetchDelivery {
            feedback: answer()?,
            echo: delivery_selection(one(node, NS_OSCI, "fetchDelivery")?)?,
            card: card(node, "ProcessCardBundle")?,
        },
        K::FetchProcessCard => Order::FetchProcessCard(card_query(node)?),
        K::ResponseToFetchProcessCard => Order::ResponseToFetchProcessCard {
            feedback: answer()?,
            echo: card_query(one(node, NS_OSCI, "fetchProcessCard")?)?,
            cards: children(node, NS_OSCI, "ProcessCardBundle").map(bundle).collect::<Result<_, _>>()?,
        },
        K::ForwardDelivery => Order::ForwardDelivery {
            receiver: receiver(node)?,
            message_id: id(node)?,
            subject: subject(node)?,
        },
        K::ResponseToForwardDelivery => {
            Order::ResponseToForwardDelivery { feedback: answer()?, card: card(node, "ProcessCardBundle")? }
        }
        K::AcceptDelivery => {
            let bundle = bundle(one(node, NS_OSCI, "ProcessCardBundle")?)?;
            never_received(&bundle)?;
            Order::AcceptDelivery(bundle)
        }
        K::ResponseToAcceptDelivery => Order::ResponseToAcceptDelivery(answer()?),
        K::MediateDelivery => Order::MediateDelivery {
            receiver: receiver(node)?,
            message_id: maybe_id(node, "MessageId")?,
            subject: subject(node)?,
        },
        K::ResponseToMediateDelivery => Order::ResponseToMediateDelivery {
            feedback: answer()?,
            request_card: card(node, "RequestProcessCardBundle")?,
            reply_card: card(node, "ReplyProcessCardBundle")?,
        },
        K::ProcessDelivery => {
            let card = card(node, "ProcessCardBundle")?;
            card.as_ref().map_or(Ok(()), never_received)?;
            Order::ProcessDelivery { message_id_response: maybe_id(node, "MessageIdResponse")?, card }
        }
        K::ResponseToProcessDelivery => Order::ResponseToProcessDelivery {
            feedback: answer()?,
            message_id: maybe_id(node, "MessageId")?,
            subject: subject(node)?,
        },
        K::PartialStoreDelivery => Order::PartialStoreDelivery {
            message_id: id(node)?,
            subject: subject(node)?,
            chunk: if has(node, NS_OSCI2017, "InfoOnly") {
                ChunkRequest::InfoOnly
            } else {
                ChunkRequest::Chunk(chunk(node)?)
            },
        },
        K::ResponseToPartialStoreDelivery => Order::ResponseToPartialStoreDelivery {
            inside: optional(node, NS_OSCI2017, "InsideFeedback")?.map(feedback).transpose()?,
            feedback: answer()?,
            // "procard": the misprint of the schema before Korrigendum 8.
            card: match card(node, "ProcessCardBundle")? {
                None => child(node, NS_OSCI, "procard").map(bundle).transpose()?,
                known => known,
            },
            chunk: chunk(node)?,
        },
        K::PartialFetchDelivery => {
            Order::PartialFetchDelivery { selection: delivery_selection(node)?, chunk: chunk(node)? }
        }
        K::ResponseToPartialFetchDelivery => Order::ResponseToPartialFetchDelivery {
            feedback: answer()?,
            echo: optional(node, NS_OSCI, "fetchDelivery")?.map(delivery_selection).transpose()?.flatten(),
            chunk: chunk(node)?,
            message_id: maybe_id(node, "MessageId")?,
        },
        K::MessageEncrypted | K::Fault => return Err(invalid(format!("{kind} has no order element"))),
    })
}

fn id(node: Node<'_>) -> Result<MessageId, Refused> {
    maybe_id(node, "MessageId")?.ok_or_else(|| invalid("MessageId is missing"))
}

fn maybe_id(node: Node<'_>, name: &str) -> Result<Option<MessageId>, Refused> {
    optional(node, NS_OSCI, name)?.map(parse_id).transpose()
}

fn parse_id(node: Node<'_>) -> Result<MessageId, Refused> {
    let wire = text(node)?;
    // Ours have 32 characters; a longer one than this was issued by nobody.
    if wire.len() > 1024 {
        return Err(invalid("MessageId is too long"));
    }
    MessageId::from_wire(&wire).ok_or_else(|| invalid("MessageId is not Base64 of text"))
}

/// Octets of a subject, which stands in every list of process cards.
const LONGEST_SUBJECT: usize = 16 << 10;

fn subject(node: Node<'_>) -> Result<Option<String>, Refused> {
    let subject = optional(node, NS_OSCI, "Subject")?.map(text).transpose()?;
    if subject.as_ref().is_some_and(|subject| subject.len() > LONGEST_SUBJECT) {
        return Err(invalid("Subject is too long"));
    }
    Ok(subject)
}

fn receiver(node: Node<'_>) -> Result<String, Refused> {
    Ok(attribute(one(node, NS_OSCI, "ContentReceiver")?, "URI")?.to_owned())
}

fn card(node: Node<'_>, name: &str) -> Result<Option<ProcessCardBundle>, Refused> {
    optional(node, NS_OSCI, name)?.map(bundle).transpose()
}

/// The card of acceptDelivery and processDelivery never has a reception time (schema AcceptDelivery).
fn never_received(bundle: &ProcessCardBundle) -> Result<(), Refused> {
    match bundle.card.reception {
        Some(_) => Err(invalid("the process card of a push has a Reception")),
        None => Ok(()),
    }
}

fn delivery_selection(node: Node<'_>) -> Result<Option<DeliverySelection>, Refused> {
    let Some(rule) = optional(node, NS_OSCI, "SelectionRule")? else { return Ok(None) };
    let mut choices = elements(rule);
    let (Some(choice), None) = (choices.next(), choices.next()) else {
        return Err(invalid("SelectionRule must hold one rule"));
    };
    Ok(Some(match choice.tag_name().name() {
        "MessageId" => DeliverySelection::MessageId(parse_id(choice)?),
        "ReceptionOfDelivery" => DeliverySelection::ReceptionOfDelivery(date_time(&text(choice)?)?),
        "RecentModification" => DeliverySelection::RecentModification(date_time(&text(choice)?)?),
        other => return Err(invalid(format!("unknown selection {other}"))),
    }))
}

fn card_query(node: Node<'_>) -> Result<CardQuery, Refused> {
    let limit = optional(node, NS_OSCI, "Quantity")?
        .map(|quantity| attribute(quantity, "Limit").and_then(|_| number(quantity, "Limit")))
        .transpose()?
        .flatten();
    let Some(rule) = optional(node, NS_OSCI, "SelectionRule")? else {
        return Ok(CardQuery { selection: None, limit });
    };
    let mut selection = None;
    for choice in elements(rule) {
        selection = Some(match (choice.tag_name().name(), selection) {
            ("MessageId", None) => CardSelection::MessageIds(vec![parse_id(choice)?]),
            ("MessageId", Some(CardSelection::MessageIds(mut ids))) => {
                ids.push(parse_id(choice)?);
                CardSelection::MessageIds(ids)
            }
            ("ReceptionOfDelivery", None) => CardSelection::ReceptionOfDelivery(date_selection(choice)?),
            ("RecentModification", None) => CardSelection::RecentModification(date_selection(choice)?),
            (other, _) => return Err(invalid(format!("unexpected selection {other}"))),
        });
    }
    match selection {
        None => Err(invalid("SelectionRule is empty")),
        selection => Ok(CardQuery { selection, limit }),
    }
}

fn date_selection(node: Node<'_>) -> Result<DateSelection, Refused> {
    let no_reception = match node.attribute("NoReception") {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(_) => return Err(invalid("NoReception is not a boolean")),
    };
    let role = match node.attribute("Role") {
        None => None,
        Some("Addressee") => Some(Role::Addressee),
        Some("Originator") => Some(Role::Originator),
        Some(_) => return Err(invalid("unknown Role in a selection")),
    };
    Ok(DateSelection { from: date_time(&text(node)?)?, no_reception, role })
}

fn chunk(node: Node<'_>) -> Result<ChunkInformation, Refused> {
    let node = one(node, NS_OSCI2017, "ChunkInformation")?;
    let received = match node.attribute("ReceivedChunks") {
        None => None,
        // "-1" is how the library says: none yet (facts 14).
        Some(list) => Some(
            list.split_ascii_whitespace()
                .filter(|number| *number != "-1")
                .map(|number| number.parse::<u64>().map_err(|_| invalid("ReceivedChunks holds no numbers")))
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    // Negative numbers (the library's "unknown") read as absent.
    let value = |name: &str| match node.attribute(name) {
        Some(text) if text.trim().starts_with('-') => Ok(None),
        _ => number(node, name),
    };
    Ok(ChunkInformation {
        number: value("ChunkNumber")?,
        size: value("ChunkSize")?,
        received,
        total_chunks: value("TotalChunkNumbers")?,
        total_size: value("TotalMessageSize")?,
    })
}

impl Fault {
    /// Reads `soap:Fault`; its children may be unqualified (SOAP 1.1) or qualified, as printed in the specification.
    pub(super) fn read(body: Node<'_>) -> Result<Self, Refused> {
        let fault = one(body, NS_SOAP, "Fault")?;
        let part = |name: &str| {
            elements(fault).find(|child| {
                child.tag_name().name() == name
                    && matches!(child.tag_name().namespace(), None | Some(NS_SOAP))
            })
        };
        let side =
            part("faultcode").and_then(text_of).map(|value| value.trim().to_owned()).unwrap_or_default();
        let side =
            if side == "Client" || side.ends_with(":Client") { FaultSide::Client } else { FaultSide::Server };
        let code = part("detail")
            .and_then(|detail| child(detail, NS_OSCI, "Code"))
            .and_then(text_of)
            .and_then(|code| code.trim().parse().ok())
            .unwrap_or(FeedbackCode::S9811);
        let text =
            part("faultstring").and_then(text_of).map(std::borrow::Cow::into_owned).unwrap_or_default();
        Ok(Self { code, side, text })
    }
}
