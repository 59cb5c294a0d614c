//! The SOAP web service `/soap/v1`, versions 1.1 and 1.2, document/literal.
//!
//! An envelope is read as a whole, so it has a limit ([`crate::Options::soap_bytes`]) and few places
//! ([`crate::Options::soap_intakes`]); their product bounds the memory. Its base64 attachments are decoded in pieces on
//! their way to the router. What is larger belongs to REST.

mod base64;
mod operation;
mod wsdl;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use dds_message::{Actor, Channel, Code, Problem, SourceId};
use dds_soap::{Envelope, Fault, FaultCode, SoapError, Version, http};

use crate::{Caller, Context, body::Pieces, guard, refusal};

/// Namespace of the operations.
pub const NAMESPACE: &str = "urn:datendrehscheibe:eingang:1";

/// The web service, ready to be served.
pub fn router(context: Context) -> Router {
    guard::guarded(routes(), Router::new(), context)
}

pub(crate) fn routes() -> Router<Context> {
    Router::new().route("/soap/v1", post(call).get(wsdl::describe))
}

/// A problem on its way into a fault.
struct Failure {
    problem: Problem,
    /// Where it is not to be told from the problem.
    code: Option<FaultCode>,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { problem, code: None }
    }
}

impl From<SoapError> for Failure {
    fn from(error: SoapError) -> Self {
        let code = (error == SoapError::Version).then_some(FaultCode::VersionMismatch);
        Self { problem: error.into(), code }
    }
}

/// `POST /soap/v1`
async fn call(State(context): State<Context>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut pieces = Pieces::new(&head.headers, body, context.options().pace());
    let binding = binding(&head.headers);
    // A fault must be of the version of the request (SOAP 1.2 part 1 section 5.4.7), as soon as that is known.
    let mut version = binding.as_ref().map_or(Version::V11, |binding| binding.version);
    let caller = Caller::authenticate(&context, &head);
    let source = caller.as_ref().ok().map(|Caller(source)| source.clone());
    let answered = match (caller, binding) {
        (Ok(Caller(source)), Ok(_)) => serve(&context, &mut pieces, &source, &mut version).await,
        (Err(problem), _) | (Ok(_), Err(problem)) => Err(problem.into()),
    };
    pieces.linger();
    match answered {
        Ok(body) => answer(version, StatusCode::OK, Envelope::build(version, b"", body.as_bytes())),
        Err(failure) => {
            context.refused(source.as_ref(), Channel::Soap, &failure.problem);
            fault(&context, version, &failure)
        }
    }
}

/// Reads the envelope, performs its operation and returns the content of the answer's body. `version`, so far that of
/// the media type, becomes that of the envelope.
async fn serve(
    context: &Context,
    pieces: &mut Pieces,
    source: &SourceId,
    version: &mut Version,
) -> Result<String, Failure> {
    let _place = context.place(Channel::Soap)?;
    let limit = context.options().soap_bytes;
    pieces.allow(limit as u64)?;
    let bytes = pieces.whole(limit as u64).await?;
    let envelope = dds_soap::parse_with(&bytes, &dds_soap::limits(limit))?;
    let announced = std::mem::replace(version, envelope.version);
    if envelope.version != announced {
        let text = (
            "Medientyp und Umschlag gehören zu verschiedenen SOAP-Versionen",
            "media type and envelope are of different SOAP versions",
        );
        let problem = Problem::new(Code::BAD_REQUEST, text);
        return Err(Failure { problem, code: Some(FaultCode::VersionMismatch) });
    }
    if envelope.not_understood(&[]).is_some() {
        let text = (
            "ein Kopfblock mit mustUnderstand wird hier nicht verstanden",
            "a header block with mustUnderstand is not understood here",
        );
        let problem = Problem::new(Code::BAD_REQUEST, text);
        return Err(Failure { problem, code: Some(FaultCode::MustUnderstand) });
    }
    Ok(operation::perform(context, source, &envelope).await?)
}

fn binding(headers: &HeaderMap) -> Result<http::Binding, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    http::read(text("content-type").unwrap_or_default(), text("soapaction")).map_err(|error| {
        let code = match error {
            http::BindingError::ActionMissing => Code::BAD_REQUEST,
            http::BindingError::MediaType | http::BindingError::Charset => Code::UNSUPPORTED_MEDIA,
        };
        Problem::new(code, (error.german(), error.to_string()))
    })
}

fn fault(context: &Context, version: Version, failure: &Failure) -> Response {
    let mut fault = Fault::of(&failure.problem);
    if let Some(code) = failure.code {
        fault = fault.with_code(code);
    }
    let status = status(version, &failure.problem);
    let mut response = answer(version, status, fault.to_bytes(version));
    refusal::companions(status, context.options().retry_after, response.headers_mut());
    response
}

/// SOAP 1.1 section 6.2: a fault is a 500. SOAP 1.2 part 2 table 20: 400 if the sender must act, else 500. What HTTP
/// itself has to say (who is there, too large, come back later) keeps its own status, so that proxies understand it.
fn status(version: Version, problem: &Problem) -> StatusCode {
    let own = refusal::status(problem);
    match own {
        StatusCode::UNAUTHORIZED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::SERVICE_UNAVAILABLE => own,
        _ if version == Version::V12 && problem.actor() == Actor::Sender => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn answer(version: Version, status: StatusCode, envelope: Vec<u8>) -> Response {
    let content_type = HeaderValue::from_static(http::answer_type(version));
    (status, [(header::CONTENT_TYPE, content_type)], envelope).into_response()
}
