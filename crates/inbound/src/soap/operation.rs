//! The operations `submit` and `status`.

use std::{borrow::Cow, fmt::Write as _};

use bytes::Bytes;
use dds_message::{Channel, Code, Format, Language, MessageId, Problem, Severity, SourceId};
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
    let operation = envelope.payload().ok_or_else(|| bad("der Body ist leer", "the body is empty"))?;
    if operation.next_sibling_element().is_some() {
        return Err(bad("der Body enthält mehr als ein Element", "the body holds more than one element"));
    }
    let name = operation.tag_name();
    match (name.namespace(), name.name()) {
        (Some(NAMESPACE), "submit") => {
            let acknowledgement = submit(context, source, envelope, &operation).await?;
            Ok(submitted(&acknowledgement))
        }
        (Some(NAMESPACE), "status") => {
            let id = match elements(&operation)?.as_slice() {
                [id] if id.has_tag_name((NAMESPACE, "id")) => text(id)?,
                _ => {
                    return Err(bad(
                        "status muss id enthalten und sonst nichts",
                        "status must hold id and nothing else",
                    ));
                }
            };
            let unknown = || {
                let text = ("keine solche Nachricht dieser Quelle", "no such message of this source");
                Problem::new(Code::NOT_FOUND, text)
            };
            let id = MessageId::parse(id.trim()).map_err(|_| unknown())?;
            Ok(described(&context.handle().status(source, id).await?.ok_or_else(unknown)?))
        }
        _ => Err(bad(
            format!("der Body muss submit oder status im Namensraum {NAMESPACE} enthalten"),
            format!("the body must hold submit or status in the namespace {NAMESPACE}"),
        )),
    }
}

/// The content of `submit`, in the sequence of the WSDL and nothing else: what we do not know could be an attachment.
struct Submit<'a, 'i> {
    key: Option<Node<'a, 'i>>,
    document: Node<'a, 'i>,
    attachments: Vec<Node<'a, 'i>>,
}

impl<'a, 'i: 'a> Submit<'a, 'i> {
    fn read(operation: &Node<'a, 'i>) -> Result<Self, Problem> {
        let mut elements = elements(operation)?.into_iter().peekable();
        let key = elements.next_if(|one| one.has_tag_name((NAMESPACE, "key")));
        let document = elements.next_if(|one| {
            ["document", "encodedDocument"].iter().any(|name| one.has_tag_name((NAMESPACE, *name)))
        });
        let mut attachments = Vec::new();
        while document.is_some()
            && let Some(attachment) = elements.next_if(|one| one.has_tag_name((NAMESPACE, "attachment")))
        {
            attachments.push(attachment);
        }
        match (document, elements.next()) {
            (Some(document), None) => Ok(Self { key, document, attachments }),
            (_, Some(other)) => {
                let name = other.tag_name().name();
                Err(bad(
                    format!(
                        "submit enthält <{name}>, wo es nicht hingehört: erst key (darf fehlen), dann document oder encodedDocument, dann beliebig viele attachment"
                    ),
                    format!(
                        "submit has <{name}> where it has no place: it holds key (may be missing), then document or encodedDocument, then any number of attachment"
                    ),
                ))
            }
            (None, None) => Err(bad(
                "submit braucht document oder encodedDocument, eines davon",
                "submit needs document or encodedDocument, one of them",
            )),
        }
    }
}

async fn submit(
    context: &Context,
    source: &SourceId,
    envelope: &Parsed<'_>,
    operation: &Node<'_, '_>,
) -> Result<Acknowledgement, Problem> {
    let limits = context.limits(source);
    let submit = Submit::read(operation)?;
    let key = submit.key.as_ref().map(text).transpose()?;
    let key = key.as_deref().map(|key| name::sender_key(key.trim().as_bytes())).transpose()?;
    let (document, format) = document(envelope, &submit.document)?;
    body::within(document.len(), limits.document_bytes)?;
    if submit.attachments.len() > limits.attachments {
        return Err(body::many_attachments(limits.attachments));
    }

    let mut intake = context.handle().begin(source, Channel::Soap, key).await?.intake();
    for attachment in &submit.attachments {
        let file_name = name::file_name(attachment.attribute("name").unwrap_or_default())?;
        let media_type = name::media_type(attachment.attribute("mediaType"));
        let encoded = text(attachment)?;
        if encoded.len() as u64 / 4 * 3 > limits.attachment_bytes {
            return Err(body::large_attachment(limits.attachment_bytes));
        }
        let content = futures::stream::iter(base64::pieces(&encoded)).boxed();
        intake.attachment(&file_name, &media_type, content).await?;
    }
    intake.accept(document, format).await
}

/// The main document: `document` holds it as XML, `encodedDocument` in base64.
fn document(envelope: &Parsed<'_>, holder: &Node<'_, '_>) -> Result<(Bytes, Format), Problem> {
    if holder.has_tag_name((NAMESPACE, "document")) {
        return match elements(holder)?.as_slice() {
            [root] => Ok((envelope.standalone(root).into(), Format::Xml)),
            _ => Err(bad("document muss genau ein Element enthalten", "document must hold one element")),
        };
    }
    let format = match holder.attribute("format") {
        None | Some("xml") => Format::Xml,
        Some("json") => Format::Json,
        Some(_) => return Err(bad("format muss xml oder json sein", "format must be xml or json")),
    };
    let pieces = base64::pieces(&text(holder)?).collect::<Result<Vec<_>, _>>()?;
    Ok((pieces.concat().into(), format))
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
                ("remedyEnglish", entry.remedy_english),
                ("english", problem.outward(Language::English)),
            ],
            problem.outward(Language::German),
        );
        for finding in &problem.findings {
            let severity = match finding.severity {
                Severity::Info => "info",
                Severity::Warning => "warning",
                Severity::Error => "error",
            };
            let attributes =
                [("severity", severity), ("rule", &finding.rule), ("location", &finding.location)];
            element(&mut xml, "finding", &attributes, &finding.text);
        }
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

/// The elements of an element that holds no text.
fn elements<'a, 'i: 'a>(node: &Node<'a, 'i>) -> Result<Vec<Node<'a, 'i>>, Problem> {
    let blank = |part: &Node<'_, '_>| part.text().is_none_or(|text| text.trim().is_empty());
    if !node.children().filter(Node::is_text).all(|part| blank(&part)) {
        let name = node.tag_name().name();
        return Err(bad(
            format!("<{name}> enthält Text neben seinen Elementen"),
            format!("<{name}> holds text beside its elements"),
        ));
    }
    Ok(node.children().filter(Node::is_element).collect())
}

/// The text of an element that holds no elements; borrowed unless comments or CDATA part it.
fn text<'a>(node: &Node<'a, '_>) -> Result<Cow<'a, str>, Problem> {
    if let Some(inner) = node.children().find(Node::is_element) {
        let (name, inner) = (node.tag_name().name(), inner.tag_name().name());
        return Err(bad(
            format!("<{name}> enthält <{inner}> statt Text; MTOM und XOP werden hier nicht gelesen"),
            format!("<{name}> holds <{inner}> instead of text; MTOM and XOP are not read here"),
        ));
    }
    let mut parts = node.children().filter_map(|part| part.is_text().then(|| part.text()).flatten());
    Ok(match (parts.next(), parts.next()) {
        (None, _) => Cow::Borrowed(""),
        (Some(only), None) => Cow::Borrowed(only),
        (Some(first), Some(second)) => Cow::Owned([first, second].into_iter().chain(parts).collect()),
    })
}

fn bad(german: impl Into<String>, english: impl Into<String>) -> Problem {
    Problem::new(Code::BAD_REQUEST, (german, english))
}
