//! REST push.

use async_trait::async_trait;
use dds_delivery::{Adapter, Consignment, Fault, Verdict};
use dds_message::{Code, Text};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{
    content::Content,
    fault::{delivered, permanent, temporary},
    http::{Answer, Endpoint, retry_after},
    multipart,
};

/// `rest`: the document as body, or with its attachments as `multipart/form-data`.
pub(crate) struct Rest {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: Method,
    pub(crate) form: Form,
    pub(crate) document_part: Option<String>,
}

/// What the body is (`options.attachments`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `multipart`: always a form, so that the target sees one interface.
    Multipart,
    /// `none`: the document alone; the product wants no attachments.
    Document,
    /// Not said: the document alone, but a form as soon as there are attachments, so that none is lost unnoticed.
    AsNeeded,
}

#[async_trait]
impl Adapter for Rest {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        let multipart = match self.form {
            Form::Multipart => true,
            Form::Document => false,
            Form::AsNeeded => !consignment.attachments.is_empty(),
        };
        let (media_type, content) = if multipart {
            multipart::build(consignment, self.document_part.as_deref())
        } else {
            let mut content = Content::default();
            content.push(consignment.document.bytes.clone());
            (consignment.document.media_type.clone(), content)
        };
        let Ok(media_type) = HeaderValue::try_from(media_type) else {
            return permanent(
                Code::OUTPUT_INVALID,
                ("der Medientyp des Dokuments ist fehlerhaft", "the media type of the document is malformed"),
            );
        };
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, media_type)]);
        match self.endpoint.send(self.method.clone(), consignment, headers, content).await {
            Ok(answer) => judge(&answer, consignment),
            Err(verdict) => verdict,
        }
    }
}

/// The verdict of an answer, as `docs/interface-targets.md` promises.
fn judge(answer: &Answer, consignment: &Consignment) -> Verdict {
    let status = answer.status;
    if status.is_success() || (status == StatusCode::CONFLICT && echoes(answer, consignment)) {
        return delivered(reference(answer).as_deref());
    }
    refused(status, &answer.headers)
}

/// 409 means many things. Only with the delivery id in `Idempotency-Key` it says: this delivery is here already.
fn echoes(answer: &Answer, consignment: &Consignment) -> bool {
    let echo = answer.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
    echo.is_some_and(|echo| echo.trim_matches('"') == consignment.delivery.to_string())
}

/// The verdict of a status that is no success.
pub(crate) fn refused(status: StatusCode, headers: &HeaderMap) -> Verdict {
    let detail = Text::verbatim(format!("HTTP {}", status.as_u16()));
    match status.as_u16() {
        // A gateway has no answer from what is behind it, which may have the delivery all the same.
        502 | 504 => Verdict::Temporary {
            fault: Fault { code: Code::IN_DOUBT, detail },
            retry_after: retry_after(headers),
        },
        408 | 425 | 429 | 500..=599 => Verdict::Temporary {
            fault: Fault { code: Code::TARGET_BUSY, detail },
            retry_after: retry_after(headers),
        },
        // Our credential is wrong, not the message: it waits, like all others for this target.
        401 | 403 => temporary(Code::CREDENTIAL_REFUSED, detail),
        413 => permanent(Code::TARGET_TOO_LARGE, detail),
        300..=399 => {
            let german = format!("{detail}: Weiterleitungen wird nicht gefolgt");
            permanent(Code::TARGET_REFUSED, (german, format!("{detail}: redirects are not followed")))
        }
        _ => permanent(Code::TARGET_REFUSED, detail),
    }
}

/// The target's own reference: member `reference` or `id` of a JSON answer, otherwise `Location`.
fn reference(answer: &Answer) -> Option<String> {
    let json: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let member = |name: &str| match json.as_ref()?.get(name)? {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let location = || answer.headers.get(header::LOCATION)?.to_str().ok().map(str::to_owned);
    member("reference").or_else(|| member("id")).or_else(location)
}
