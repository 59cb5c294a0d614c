//! SOAP push.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dds_delivery::{Adapter, AttachmentSource, Consignment, Fault, Verdict};
use dds_message::{Code, Text};
use dds_soap::{Envelope, FaultCode, Version};
use http::{HeaderMap, HeaderValue, Method, header};

use crate::{
    content::{Coding, Content},
    fault::{delivered, permanent, temporary},
    http::{Answer, Endpoint, retry_after},
    rest::refused,
};

/// Namespace of the place holder for the content of an attachment.
const ATTACHMENT_NAMESPACE: &str = "urn:datendrehscheibe:anlage:1";
/// Namespace of the header block that names the delivery.
const DELIVERY_NAMESPACE: &str = "urn:datendrehscheibe:zustellung:1";

/// `soap`: the document as body of an envelope.
pub(crate) struct Soap {
    pub(crate) endpoint: Endpoint,
    pub(crate) version: Version,
    pub(crate) action: String,
    /// `options.attachments = "base64"`: place holders in the document become the contents.
    pub(crate) attachments: bool,
}

#[async_trait]
impl Adapter for Soap {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        let envelope = Bytes::from(self.envelope(consignment));
        let content = if self.attachments {
            match fill(&envelope, &consignment.attachments) {
                Ok(content) => content,
                Err(what) => return permanent(Code::OUTPUT_INVALID, what),
            }
        } else {
            let mut content = Content::default();
            content.push(envelope);
            content
        };
        let (media_type, action) = dds_soap::http::write(self.version, &self.action);
        let mut headers = HeaderMap::new();
        let values = [
            (header::CONTENT_TYPE, Some(media_type)),
            (header::HeaderName::from_static("soapaction"), action),
        ];
        for (name, value) in values {
            if let Some(value) = value.and_then(|value| HeaderValue::try_from(value).ok()) {
                headers.insert(name, value);
            }
        }
        match self.endpoint.send(Method::POST, consignment, headers, content).await {
            Ok(answer) => judge(&answer),
            Err(verdict) => verdict,
        }
    }
}

impl Soap {
    fn envelope(&self, consignment: &Consignment) -> Vec<u8> {
        // Services that cannot see HTTP headers find the delivery id here. Not `mustUnderstand`: it may be ignored.
        let block = format!(
            "<dds:zustellung xmlns:dds=\"{DELIVERY_NAMESPACE}\" kennung=\"{}\" nachricht=\"{}\"/>",
            consignment.delivery, consignment.message
        );
        Envelope::build(self.version, block.as_bytes(), Envelope::embeddable(&consignment.document.bytes))
    }
}

/// Puts the contents of attachments in place of `<inhalt xmlns="urn:datendrehscheibe:anlage:1" name="…"/>`. The first
/// place holder of a name gets the first attachment of that name, the second the second. A place holder without
/// attachment, and an attachment without place holder, is an error of the stylesheet: nothing may get lost unnoticed.
fn fill(envelope: &Bytes, attachments: &[Arc<dyn AttachmentSource>]) -> Result<Content, Text> {
    let mut content = Content::default();
    if attachments.is_empty() && !contains(envelope, ATTACHMENT_NAMESPACE.as_bytes()) {
        content.push(envelope.clone());
        return Ok(content);
    }
    let text = std::str::from_utf8(envelope)
        .map_err(|_| ("das Dokument ist kein UTF-8", "the document is not UTF-8"))?;
    let document = roxmltree::Document::parse(text)
        .map_err(|_| ("das Dokument ist nicht wohlgeformt", "the document is not well-formed"))?;
    let mut left: Vec<Option<&Arc<dyn AttachmentSource>>> = attachments.iter().map(Some).collect();
    let mut end = 0;
    for holder in document.descendants().filter(|node| node.has_tag_name((ATTACHMENT_NAMESPACE, "inhalt"))) {
        let name = holder.attribute("name").unwrap_or_default();
        let place = left.iter_mut().find(|slot| slot.is_some_and(|source| source.describe().name == name));
        let attachment = place.and_then(Option::take);
        let attachment = attachment.ok_or((
            "ein Platzhalter nennt keine Anlage der Nachricht",
            "a place holder names no attachment of the message",
        ))?;
        content.push(envelope.slice(end..holder.range().start));
        content.attach(attachment, Coding::Base64);
        end = holder.range().end;
    }
    if left.iter().any(Option::is_some) {
        let text = (
            "eine Anlage hat keinen Platzhalter im Dokument",
            "an attachment has no place holder in the document",
        );
        return Err(text.into());
    }
    content.push(envelope.slice(end..));
    Ok(content)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn judge(answer: &Answer) -> Verdict {
    // Whatever the body says: who refuses our credential has not read the message.
    if matches!(answer.status.as_u16(), 401 | 403) {
        return refused(answer.status, &answer.headers);
    }
    let root = root(answer);
    let body = root.as_deref().map_or(answer.body.as_ref(), str::as_bytes);
    let parsed = dds_soap::parse(body).ok();
    if let Some(fault) = parsed.as_ref().and_then(dds_soap::Parsed::fault) {
        // The reason is text of the target and stays out of log and journal.
        return match fault.code {
            FaultCode::Receiver => Verdict::Temporary {
                fault: Fault {
                    code: Code::TARGET_BUSY,
                    detail: ("SOAP-Fault: Server", "SOAP fault: Server").into(),
                },
                retry_after: retry_after(&answer.headers),
            },
            FaultCode::Sender => {
                permanent(Code::TARGET_REFUSED, ("SOAP-Fault: Client", "SOAP fault: Client"))
            }
            other => permanent(
                Code::TARGET_REFUSED,
                (format!("SOAP-Fault: {other:?}"), format!("SOAP fault: {other:?}")),
            ),
        };
    }
    if !answer.status.is_success() {
        return refused(answer.status, &answer.headers);
    }
    // 202 and an empty body are the answer of a one-way operation. A long answer, such as an echo of the request, is
    // told by its beginning.
    let taken = parsed.is_some()
        || body.trim_ascii().is_empty()
        || (answer.cut && dds_soap::begins_with_fault(body) == Some(false));
    if !taken {
        return temporary(
            Code::IN_DOUBT,
            ("die Antwort ist kein SOAP-Umschlag", "the answer is no SOAP envelope"),
        );
    }
    delivered(parsed.as_ref().and_then(reference).as_deref())
}

/// The envelope in a `multipart/related` answer (MTOM, SOAP with Attachments): its root part, which `start` names and
/// which otherwise is the first (RFC 2387 section 3).
fn root(answer: &Answer) -> Option<String> {
    let media_type = answer.headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let (kind, _) = media_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/related") {
        return None;
    }
    let delimiter = format!("--{}", parameter(media_type, "boundary")?);
    let start = parameter(media_type, "start").unwrap_or_default();
    // Other parts may be no text; the envelope is.
    let text = String::from_utf8_lossy(&answer.body);
    let mut parts = text.split(&delimiter).skip(1).filter_map(|part| part.split_once("\r\n\r\n"));
    parts.find(|(head, _)| head.contains(start)).map(|(_, content)| content.to_owned())
}

/// A parameter of a media type (RFC 9110 section 5.6.6).
fn parameter<'a>(media_type: &'a str, wanted: &str) -> Option<&'a str> {
    media_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"'))
    })
}

/// Text of the first element named like a reference.
fn reference(envelope: &dds_soap::Parsed<'_>) -> Option<String> {
    const NAMES: [&str; 5] = ["kennung", "reference", "referenz", "aktenzeichen", "id"];
    let named = |name: &str| NAMES.contains(&name.to_ascii_lowercase().as_str());
    let payload = envelope.payload()?;
    let found = payload.descendants().find(|node| named(node.tag_name().name()) && node.text().is_some())?;
    found.text().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::{Memory, read};

    #[tokio::test]
    async fn place_holders_become_contents_whatever_their_prefix() {
        let attachments = [Memory::source("b.pdf", "BBBB", 1), Memory::source("a.pdf", "A", 9)];
        let envelope = Bytes::from_static(
            br#"<e xmlns:x="urn:datendrehscheibe:anlage:1"><d><x:inhalt name="a.pdf"/></d><inhalt xmlns="urn:datendrehscheibe:anlage:1" name="b.pdf"></inhalt></e>"#,
        );
        let content = fill(&envelope, &attachments).unwrap();
        let promised = content.len();
        let text = String::from_utf8(read(content).await.unwrap()).unwrap();
        assert_eq!(text, r#"<e xmlns:x="urn:datendrehscheibe:anlage:1"><d>QQ==</d>QkJCQg==</e>"#);
        assert_eq!(text.len() as u64, promised);
    }

    #[test]
    fn nothing_gets_lost_unnoticed() {
        let attachments = [Memory::source("a.pdf", "A", 1)];
        let holder = Bytes::from_static(br#"<inhalt xmlns="urn:datendrehscheibe:anlage:1" name="b.pdf"/>"#);
        assert!(fill(&Bytes::from_static(b"<e/>"), &attachments).is_err());
        assert!(fill(&holder, &attachments).is_err());
        assert!(fill(&holder, &[]).is_err());
        assert!(fill(&Bytes::from_static(b"<e/>"), &[]).is_ok());
    }
}
