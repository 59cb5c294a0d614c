//! Writing the order element of each message.

use super::order::{ChunkInformation, ChunkRequest, Order};
use super::write_blocks::{Block, feedback};
use super::{CardQuery, CardSelection, DateSelection, DeliverySelection, MessageId, Part, Role, read_order};
use crate::feedback::Feedback;
use crate::laufzettel::{ProcessCardBundle, write_bundle, write_date_time};
use crate::xml::{NS_OSCI2017, XmlWriter};

/// The order element as a header block.
pub(super) fn header(block: &Block<'_>, order: &Order) -> Part {
    let kind = order.kind();
    let name = read_order::element_name(kind);
    let prefix = if read_order::namespace(kind) == NS_OSCI2017 { "osci2017" } else { "osci" };
    block.part(&format!("{prefix}:{name}"), &name.to_ascii_lowercase(), &[], |writer| fill(writer, order))
}

/// The order element in the Body.
pub(super) fn body(writer: &mut XmlWriter, order: &Order) {
    writer.open(&format!("osci:{}", read_order::element_name(order.kind())));
    fill(writer, order);
    writer.end();
}

fn fill(writer: &mut XmlWriter, order: &Order) {
    match order {
        Order::InitDialog | Order::ExitDialog | Order::GetMessageId => {}
        Order::ResponseToInitDialog(answer)
        | Order::ResponseToExitDialog(answer)
        | Order::ResponseToAcceptDelivery(answer) => answered(writer, answer),
        Order::ResponseToGetMessageId { feedback, message_id } => {
            answered(writer, feedback);
            id(writer, "osci:MessageId", message_id.as_ref());
        }
        Order::StoreDelivery { message_id, subject } => {
            id(writer, "osci:MessageId", Some(message_id));
            text(writer, "osci:Subject", subject.as_ref());
        }
        Order::ResponseToStoreDelivery { feedback, card }
        | Order::ResponseToForwardDelivery { feedback, card } => {
            answered(writer, feedback);
            bundle(writer, "osci:ProcessCardBundle", card.as_ref());
        }
        Order::FetchDelivery(selection) => delivery_selection(writer, selection.as_ref()),
        Order::ResponseToFetchDelivery { feedback, echo, card } => {
            answered(writer, feedback);
            writer.open("osci:fetchDelivery");
            delivery_selection(writer, echo.as_ref());
            writer.end();
            bundle(writer, "osci:ProcessCardBundle", card.as_ref());
        }
        Order::FetchProcessCard(query) => card_query(writer, query),
        Order::ResponseToFetchProcessCard { feedback, echo, cards } => {
            answered(writer, feedback);
            writer.open("osci:fetchProcessCard");
            card_query(writer, echo);
            writer.end();
            for card in cards {
                write_bundle(writer, "osci:ProcessCardBundle", card);
            }
        }
        Order::ForwardDelivery { receiver, message_id, subject } => {
            writer.empty("osci:ContentReceiver", &[("URI", receiver)]);
            id(writer, "osci:MessageId", Some(message_id));
            text(writer, "osci:Subject", subject.as_ref());
        }
        Order::AcceptDelivery(card) => write_bundle(writer, "osci:ProcessCardBundle", card),
        Order::MediateDelivery { receiver, message_id, subject } => {
            writer.empty("osci:ContentReceiver", &[("URI", receiver)]);
            id(writer, "osci:MessageId", message_id.as_ref());
            text(writer, "osci:Subject", subject.as_ref());
        }
        Order::ResponseToMediateDelivery { feedback, request_card, reply_card } => {
            answered(writer, feedback);
            bundle(writer, "osci:RequestProcessCardBundle", request_card.as_ref());
            bundle(writer, "osci:ReplyProcessCardBundle", reply_card.as_ref());
        }
        Order::ProcessDelivery { message_id_response, card } => {
            id(writer, "osci:MessageIdResponse", message_id_response.as_ref());
            bundle(writer, "osci:ProcessCardBundle", card.as_ref());
        }
        Order::ResponseToProcessDelivery { feedback, message_id, subject } => {
            answered(writer, feedback);
            id(writer, "osci:MessageId", message_id.as_ref());
            text(writer, "osci:Subject", subject.as_ref());
        }
        Order::PartialStoreDelivery { message_id, subject, chunk: request } => {
            id(writer, "osci:MessageId", Some(message_id));
            text(writer, "osci:Subject", subject.as_ref());
            match request {
                ChunkRequest::InfoOnly => {
                    writer.element("osci2017:InfoOnly", "");
                }
                ChunkRequest::Chunk(information) => chunk(writer, information),
            }
        }
        Order::ResponseToPartialStoreDelivery { inside, feedback: outer, card, chunk: state } => {
            if let Some(inside) = inside {
                feedback(writer, "osci2017:InsideFeedback", inside);
            }
            answered(writer, outer);
            bundle(writer, "osci:ProcessCardBundle", card.as_ref());
            chunk(writer, state);
        }
        Order::PartialFetchDelivery { selection, chunk: wanted } => {
            delivery_selection(writer, selection.as_ref());
            chunk(writer, wanted);
        }
        Order::ResponseToPartialFetchDelivery { feedback, echo, chunk: sent, message_id } => {
            answered(writer, feedback);
            writer.open("osci:fetchDelivery");
            delivery_selection(writer, echo.as_ref());
            writer.end();
            chunk(writer, sent);
            id(writer, "osci:MessageId", message_id.as_ref());
        }
    }
}

fn answered(writer: &mut XmlWriter, answer: &Feedback) {
    feedback(writer, "osci:Feedback", answer);
}

fn id(writer: &mut XmlWriter, name: &str, id: Option<&MessageId>) {
    if let Some(id) = id {
        writer.element(name, &id.to_wire());
    }
}

fn text(writer: &mut XmlWriter, name: &str, text: Option<&String>) {
    if let Some(text) = text {
        writer.element(name, text);
    }
}

fn bundle(writer: &mut XmlWriter, name: &str, bundle: Option<&ProcessCardBundle>) {
    if let Some(bundle) = bundle {
        write_bundle(writer, name, bundle);
    }
}

fn delivery_selection(writer: &mut XmlWriter, selection: Option<&DeliverySelection>) {
    let (name, value) = match selection {
        None => return,
        Some(DeliverySelection::MessageId(id)) => ("osci:MessageId", id.to_wire()),
        Some(DeliverySelection::ReceptionOfDelivery(from)) => {
            ("osci:ReceptionOfDelivery", write_date_time(*from))
        }
        Some(DeliverySelection::RecentModification(from)) => {
            ("osci:RecentModification", write_date_time(*from))
        }
    };
    writer.open("osci:SelectionRule").element(name, &value).end();
}

fn card_query(writer: &mut XmlWriter, query: &CardQuery) {
    if let Some(selection) = &query.selection {
        writer.open("osci:SelectionRule");
        match selection {
            CardSelection::MessageIds(ids) => {
                ids.iter().for_each(|one| id(writer, "osci:MessageId", Some(one)))
            }
            CardSelection::ReceptionOfDelivery(date) => {
                date_selection(writer, "osci:ReceptionOfDelivery", date)
            }
            CardSelection::RecentModification(date) => {
                date_selection(writer, "osci:RecentModification", date)
            }
        }
        writer.end();
    }
    if let Some(limit) = query.limit {
        writer.empty("osci:Quantity", &[("Limit", limit.to_string())]);
    }
}

fn date_selection(writer: &mut XmlWriter, name: &str, date: &DateSelection) {
    let mut attributes = Vec::new();
    if let Some(only_waiting) = date.no_reception {
        attributes.push(("NoReception", only_waiting.to_string()));
    }
    if let Some(role) = date.role {
        let name = match role {
            Role::Addressee => "Addressee",
            Role::Originator => "Originator",
        };
        attributes.push(("Role", name.to_owned()));
    }
    writer.start(name, &attributes).text(&write_date_time(date.from)).end();
}

fn chunk(writer: &mut XmlWriter, chunk: &ChunkInformation) {
    let number = |value: Option<u64>| value.map(|number| number.to_string());
    let received = chunk.received.as_ref().map(|numbers| {
        let list: Vec<_> = numbers.iter().map(u64::to_string).collect();
        // The library's way to say: none yet.
        if list.is_empty() { "-1".to_owned() } else { list.join(" ") }
    });
    let attributes: Vec<_> = [
        ("ChunkNumber", number(chunk.number)),
        ("ChunkSize", number(chunk.size)),
        ("ReceivedChunks", received),
        ("TotalChunkNumbers", number(chunk.total_chunks)),
        ("TotalMessageSize", number(chunk.total_size)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    writer.empty("osci2017:ChunkInformation", &attributes);
}
