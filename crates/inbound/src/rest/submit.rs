//! Receiving applications and answers.

use axum::{
    Json,
    extract::{Query, Request, State},
    http::{HeaderMap, StatusCode, header, request},
    response::{IntoResponse, Response},
};
use dds_message::{AnswerKind, Channel, Code, Format, MessageId, Problem, SourceId};
use dds_router::{Acknowledgement, Answer, Begin, Intake};
use serde::Deserialize;
use serde_json::{Value, json};

use super::parts::Parts;
use crate::{
    Caller, Context, Limits,
    body::{self, Pieces},
    name,
    refusal::Refusal,
};

/// `POST /v1/messages`
pub(super) async fn message(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    receive(&context, request, Purpose::Application).await
}

/// `POST /v1/answers`
pub(super) async fn answer(State(context): State<Context>, request: Request) -> Result<Response, Refusal> {
    receive(&context, request, Purpose::Answer).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Application,
    Answer,
}

/// What an answer refers to, as the sender wrote it: query, or form fields before the document.
#[derive(Debug, Clone, Default, Deserialize)]
struct Reference {
    kind: Option<String>,
    message: Option<String>,
    case: Option<String>,
}

async fn receive(context: &Context, request: Request, purpose: Purpose) -> Result<Response, Refusal> {
    let (head, body) = request.into_parts();
    let mut pieces = Pieces::new(&head.headers, body, context.options().pace());
    let caller = Caller::authenticate(context, &head);
    let source = caller.as_ref().ok().map(|Caller(source)| source.clone());
    let received = match caller {
        Ok(Caller(source)) => admit(context, &head, &mut pieces, &source, purpose).await,
        Err(problem) => Err(problem),
    };
    pieces.linger();
    match received {
        Ok(acknowledgement) => Ok(acknowledged(&acknowledgement)),
        Err(problem) => {
            context.refused(source.as_ref(), Channel::Rest, &problem);
            Err(problem.into())
        }
    }
}

async fn admit(
    context: &Context,
    head: &request::Parts,
    pieces: &mut Pieces,
    source: &SourceId,
    purpose: Purpose,
) -> Result<Acknowledgement, Problem> {
    let _place = context.place(Channel::Rest)?;
    let limits = context.limits(source);
    pieces.allow(limits.total_bytes)?;
    let Query(reference) = Query::<Reference>::try_from_uri(&head.uri)
        .map_err(|_| bad("die Abfrage ist fehlerhaft", "the query is malformed"))?;
    let sender_key =
        head.headers.get("idempotency-key").map(|key| name::sender_key(key.as_bytes())).transpose()?;
    let submission = Submission { context, source, sender_key, purpose, limits };
    let content_type = text(&head.headers, header::CONTENT_TYPE);
    match media_type(content_type).as_str() {
        "multipart/form-data" => submission.parts(Parts::new(content_type, pieces)?, reference).await,
        _ => submission.single(format_of(content_type)?, pieces, &reference).await,
    }
}

struct Submission<'a> {
    context: &'a Context,
    source: &'a SourceId,
    sender_key: Option<&'a str>,
    purpose: Purpose,
    limits: Limits,
}

impl Submission<'_> {
    async fn begin(&self, reference: &Reference) -> Result<Begin, Problem> {
        let handle = self.context.handle();
        match self.purpose {
            Purpose::Application => handle.begin(self.source, Channel::Rest, self.sender_key).await,
            Purpose::Answer => {
                handle.begin_answer(self.source, Channel::Rest, self.sender_key, reference.read()?).await
            }
        }
    }

    /// The body is the document.
    async fn single(
        &self,
        format: Format,
        pieces: &mut Pieces,
        reference: &Reference,
    ) -> Result<Acknowledgement, Problem> {
        let intake = self.begin(reference).await?.intake();
        let document = pieces.whole(self.limits.document_bytes).await?;
        intake.accept(document, format).await
    }

    /// The body has parts: the document (`message` or `answer`), attachments in any order, and for an answer first the
    /// fields it refers by.
    async fn parts(
        &self,
        mut parts: Parts<'_>,
        mut reference: Reference,
    ) -> Result<Acknowledgement, Problem> {
        let document_name = if self.purpose == Purpose::Application { "message" } else { "answer" };
        let mut intake: Option<Box<dyn Intake>> = None;
        let (mut document, mut attachments) = (None, 0);
        while let Some(head) = parts.next().await? {
            if intake.is_none() && self.purpose == Purpose::Answer && reference.takes(&head.name) {
                reference.set(&head.name, parts.text().await?)?;
                continue;
            }
            if head.name != document_name && head.name != "attachment" {
                // Passed over, a misnamed attachment would be lost without anybody noticing.
                return Err(unknown_part(&head.name, document_name));
            }
            let begun = match &mut intake {
                Some(begun) => begun,
                None => intake.insert(self.begin(&reference).await?.intake()),
            };
            if head.name == document_name {
                let format = format_of(head.content_type.as_deref().unwrap_or_default())?;
                let bytes =
                    parts.whole(self.limits.document_bytes, ("das Dokument", "the main document")).await?;
                if document.replace((bytes, format)).is_some() {
                    return Err(bad(
                        format!("der Teil {document_name} kommt doppelt vor"),
                        format!("the part {document_name} occurs twice"),
                    ));
                }
            } else {
                attachments += 1;
                if attachments > self.limits.attachments {
                    return Err(body::many_attachments(self.limits.attachments));
                }
                let file_name = name::file_name(head.file_name.as_deref().unwrap_or_default())?;
                let media_type = name::media_type(head.content_type.as_deref());
                begun
                    .attachment(&file_name, &media_type, parts.content(self.limits.attachment_bytes))
                    .await?;
            }
        }
        match (intake, document) {
            (Some(intake), Some((bytes, format))) => intake.accept(bytes, format).await,
            _ => Err(bad(
                format!("der Teil {document_name} fehlt"),
                format!("the part {document_name} is missing"),
            )),
        }
    }
}

impl Reference {
    fn takes(&self, field: &str) -> bool {
        ["kind", "message", "case"].contains(&field)
    }

    /// Takes the value of a form field. One given twice, also once in the query, is refused: whichever of the two
    /// won, the answer could reach another citizen.
    fn set(&mut self, field: &str, value: String) -> Result<(), Problem> {
        let place = match field {
            "kind" => &mut self.kind,
            "message" => &mut self.message,
            _ => &mut self.case,
        };
        match place.replace(value) {
            None => Ok(()),
            Some(_) => Err(bad(
                format!("{field} steht doppelt da, in Feldern oder in Abfrage und Feld"),
                format!("{field} is given twice, in fields or in query and field"),
            )),
        }
    }

    fn read(&self) -> Result<Answer, Problem> {
        let kind = self.kind.as_deref().and_then(AnswerKind::from_name).ok_or_else(|| {
            bad(
                "kind muss receipt, further-request oder decision sein",
                "kind must be receipt, further-request or decision",
            )
        })?;
        let message = self
            .message
            .as_deref()
            .map(|id| {
                MessageId::parse(id).map_err(|_| {
                    bad(
                        "message muss die Kennung des Antrags sein",
                        "message must be the id of the application",
                    )
                })
            })
            .transpose()?;
        if message.is_none() && self.case.is_none() {
            return Err(bad("eine Antwort braucht message oder case", "an answer needs message or case"));
        }
        Ok(Answer { kind, message, case: self.case.clone() })
    }
}

/// Answer to an accepted submission: 202, or 200 if it had been accepted before.
fn acknowledged(accepted: &Acknowledgement) -> Response {
    let status = if accepted.duplicate { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, [(header::LOCATION, status_url(accepted))], Json(acknowledgement(accepted))).into_response()
}

/// The acknowledgement as senders read it, here and in a drop folder.
pub(crate) fn acknowledgement(accepted: &Acknowledgement) -> Value {
    json!({
        "id": accepted.id,
        "accepted": accepted.accepted.to_string(),
        "state": accepted.state,
        "duplicate": accepted.duplicate,
        "status_url": status_url(accepted),
    })
}

fn status_url(accepted: &Acknowledgement) -> String {
    format!("/v1/messages/{}", accepted.id)
}

fn format_of(content_type: &str) -> Result<Format, Problem> {
    let charset = crate::multipart::parameter(content_type, "charset");
    if charset.is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8")) {
        let text = (
            "der Zeichensatz (charset) des Dokuments muss utf-8 sein",
            "the charset of the document must be utf-8",
        );
        return Err(Problem::new(Code::UNSUPPORTED_MEDIA, text));
    }
    match media_type(content_type).as_str() {
        "application/xml" | "text/xml" => Ok(Format::Xml),
        "application/json" => Ok(Format::Json),
        _ => {
            let text = (
                "das Dokument muss application/xml oder application/json sein, allein oder als Teil von multipart/form-data",
                "the document must be application/xml or application/json, alone or as a part of multipart/form-data",
            );
            Err(Problem::new(Code::UNSUPPORTED_MEDIA, text))
        }
    }
}

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn unknown_part(name: &str, document_name: &str) -> Problem {
    let (german, english) = match document_name {
        "answer" => (" (davor kind, message und case)", " (kind, message and case stand before them)"),
        _ => ("", ""),
    };
    bad(
        format!("der Teil {name:?} ist hier nicht bekannt: es gibt {document_name} und attachment{german}"),
        format!("the part {name:?} is not known here: there are {document_name} and attachment{english}"),
    )
}

fn bad(german: impl Into<String>, english: impl Into<String>) -> Problem {
    Problem::new(Code::BAD_REQUEST, (german, english))
}
