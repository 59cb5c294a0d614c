//! Pages for people: what this is, and what a code means.

use axum::{
    extract::Path,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use dds_message::{CODES, Code, CodeEntry, Problem};

use crate::refusal::Refusal;

/// The description of the interface, written by hand.
const OPENAPI: &str = include_str!("openapi.json");
const STYLE: &str = include_str!("page.css");

/// `GET /`
pub(super) async fn index() -> Response {
    page("de", "Datendrehscheibe", include_str!("index.html"))
}

/// `GET /openapi.json`
pub(super) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "public, max-age=3600")], OPENAPI)
        .into_response()
}

/// `GET /codes/{code}`
pub(super) async fn code(Path(name): Path<String>) -> Result<Response, Refusal> {
    let entry = CODES
        .iter()
        .find(|entry| entry.code.as_str() == name)
        .ok_or_else(|| Problem::new(Code::NOT_FOUND, ("kein solcher Code", "no such code")))?;
    Ok(page("de", entry.code.as_str(), &described(entry)))
}

fn described(entry: &CodeEntry) -> String {
    let CodeEntry { code, actor, status, german, english, remedy_german, remedy_english, .. } = entry;
    let (who, who_english) = (actor.german(), actor.as_str().replace('_', " "));
    format!(
        r#"<p class="code">{code}</p>
<h1>{german}</h1>
<dl>
<dt>Wer muss handeln</dt><dd>{who}</dd>
<dt>Was ist zu tun</dt><dd>{remedy_german}</dd>
<dt>HTTP-Status</dt><dd>{status}</dd>
</dl>
<section lang="en">
<h2>{english}</h2>
<dl>
<dt>Who must act</dt><dd>{who_english}</dd>
<dt>What to do</dt><dd>{remedy_english}</dd>
</dl>
</section>
<p><a href="/">Zur Schnittstelle</a></p>"#
    )
}

fn page(language: &str, title: &str, content: &str) -> Response {
    let html = format!(
        "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>{STYLE}</style>\n</head>\n<body>\n<main>\n{content}\n</main>\n</body>\n</html>\n"
    );
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
    let mut response = Html(html).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
