//! The operations `submit` and `status`.

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;
use dds_message::{Channel, Code, Format, MessageId, Problem, SourceId};
use dds_router::{Acknowledgement, Status};
use dds_soap::{Parsed, escape};
use futures::StreamExt;
use roxmltree::Node;

use super::{NAMESPACE, base64};
use crate::{Context, body, name};

/// Performs the operation that the body's first element names; returns the body of the answer.
pub(super) async fn perform(
    context: &Context,
    source: &SourceId,
    envelope: &Parsed<'_>,
) -> Result<String, Problem> {
    let operation = envelope.payload().ok_or_else(|| bad("the body is empty"))?;
    let name = operation.tag_name();
    match (name.namespace(), name.name()) {
        (Some(NAMESPACE), "submit") => {
            let acknowledgement = submit(context, source, envelope, &operation).await?;
            Ok(submitted(&acknowledgement))
        }
        (Some(NAMESPACE), "status") => {
            let id = child(&operation, "id").map(|node| text(&node)).unwrap_or_default();
            let unknown = || Problem::new(Code::NOT_FOUND, "no such message of this source");
            let id = MessageId::parse(id.trim()).map_err(|_| unknown())?;
            Ok(described(&context.handle().status(source, id).await?.ok_or_else(unknown)?))
        }
        _ => Err(bad(format!("the body must hold submit or status in the namespace {NAMESPACE}"))),
    }
}

async fn submit(
    context: &Context,
    source: &SourceId,
    envelope: &Parsed<'_>,
    operation: &Node<'_, '_>,
) -> Result<Acknowledgement, Problem> {
    let limits = context.limits(source);
    let key = child(operation, "key").map(|node| text(&node));
    let key = key.as_deref().map(|key| name::sender_key(key.trim().as_bytes())).transpose()?;
    let (document, format) = document(envelope, operation)?;
    body::within(document.len(), limits.document_bytes)?;

    let mut intake = context.handle().begin(source, Channel::Soap, key).await?.intake();
    for (place, attachment) in children(operation, "attachment").enumerate() {
        if place >= limits.attachments {
            return Err(Problem::new(
                Code::TOO_LARGE,
                format!("more than {} attachments", limits.attachments),
            ));
        }
        let file_name = name::file_name(attachment.attribute("name").unwrap_or_default())?;
        let media_type = name::media_type(attachment.attribute("mediaType"));
        let encoded = text(&attachment);
        if encoded.len() as u64 / 4 * 3 > limits.attachment_bytes {
            let detail = format!("an attachment is larger than {} bytes", limits.attachment_bytes);
            return Err(Problem::new(Code::TOO_LARGE, detail));
        }
        let content = futures::stream::iter(base64::pieces(&encoded)).boxed();
        intake.attachment(&file_name, &media_type, content).await?;
    }
    intake.accept(document, format).await
}

/// The main document: `document` holds it as XML, `encodedDocument` in base64.
fn document(envelope: &Parsed<'_>, operation: &Node<'_, '_>) -> Result<(Bytes, Format), Problem> {
    match (child(operation, "document"), child(operation, "encodedDocument")) {
        (Some(plain), None) => {
            let mut elements = plain.children().filter(Node::is_element);
            match (elements.next(), elements.next()) {
                (Some(root), None) => Ok((envelope.standalone(&root).into(), Format::Xml)),
                _ => Err(bad("document must hold one element")),
            }
        }
        (None, Some(encoded)) => {
            let format = match encoded.attribute("format") {
                None | Some("xml") => Format::Xml,
                Some("json") => Format::Json,
                Some(_) => return Err(bad("format must be xml or json")),
            };
            let pieces = base64::pieces(&text(&encoded)).collect::<Result<Vec<_>, _>>()?;
            Ok((pieces.concat().into(), format))
        }
        _ => Err(bad("submit needs document or encodedDocument, one of them")),
    }
}

fn submitted(acknowledgement: &Acknowledgement) -> String {
    let Acknowledgement { id, accepted, duplicate, state } = acknowledgement;
    format!(
        "<submitResponse xmlns=\"{NAMESPACE}\"><id>{id}</id><accepted>{accepted}</accepted><state>{state}</state>\
         <duplicate>{duplicate}</duplicate></submitResponse>"
    )
}

fn described(status: &Status) -> String {
    let Status { id, accepted, state, problem, deliveries, answers } = status;
    let mut xml = format!(
        "<statusResponse xmlns=\"{NAMESPACE}\"><id>{id}</id><accepted>{accepted}</accepted><state>{state}</state>"
    );
    if let Some(problem) = problem {
        let entry = problem.code.entry();
        element(
            &mut xml,
            "problem",
            &[
                ("code", problem.code.as_str()),
                ("actor", entry.actor.as_str()),
                ("remedy", entry.remedy_german),
            ],
            &problem.detail,
        );
    }
    for delivery in deliveries {
        let id = delivery.id.to_string();
        let mut attributes = vec![("id", id.as_str()), ("target", delivery.target.as_str())];
        attributes.extend(delivery.authority.as_deref().map(|authority| ("authority", authority)));
        element(&mut xml, "delivery", &attributes, delivery.state.as_str());
    }
    for (id, kind, at) in answers {
        element(
            &mut xml,
            "answer",
            &[("kind", kind.as_str()), ("accepted", &at.to_string())],
            &id.to_string(),
        );
    }
    xml.push_str("</statusResponse>");
    xml
}

fn element(xml: &mut String, name: &str, attributes: &[(&str, &str)], content: &str) {
    // Writing to a String cannot fail.
    let _infallible = write!(xml, "<{name}");
    for (attribute, value) in attributes {
        let _infallible = write!(xml, " {attribute}=\"{}\"", escape(value));
    }
    let _infallible = write!(xml, ">{}</{name}>", escape(content));
}

fn children<'a, 'i: 'a>(node: &Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name((NAMESPACE, name)))
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    children(node, name).next()
}

/// The text of an element; borrowed unless comments or CDATA part it.
fn text<'a>(node: &Node<'a, '_>) -> Cow<'a, str> {
    let mut parts = node.children().filter_map(|part| part.is_text().then(|| part.text()).flatten());
    match (parts.next(), parts.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => Cow::Owned([first, second].into_iter().chain(parts).collect()),
    }
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(Code::BAD_REQUEST, detail)
}
