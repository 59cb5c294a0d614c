//! SOAP push.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use base64::Engine as _;
use dds_message::Code;
use dds_testbench::{FachverfahrenSim, Fault, Interface, PushOptions};
use support::{Made, Town, canned, consignment, deliver, http, told};

async fn sim() -> FachverfahrenSim {
    let options = PushOptions { keep_documents: true, ..PushOptions::new(Interface::Soap11) };
    FachverfahrenSim::start(options).await.unwrap()
}

#[tokio::test]
async fn the_document_is_the_body_and_attachments_stand_where_the_stylesheet_put_them() {
    let sim = sim().await;
    let mut sent = consignment("soap", 1, vec![Made::source("a.pdf", 100_000)]);
    let holder = r#"<?xml version="1.0"?><neu xmlns="urn:fv"><pdf><d:inhalt xmlns:d="urn:datendrehscheibe:anlage:1" name="a.pdf"/></pdf></neu>"#;
    sent.document.bytes = holder.into();
    let verdict = deliver(&Town::at(&sim.url()).targets(), &sent).await;
    assert!(told(&verdict).2.starts_with("FV-"), "{verdict:?}");

    let received = sim.inbox().get(sent.delivery).unwrap();
    assert_eq!(
        (received.place.as_str(), received.document.media_type.as_str()),
        ("/soap", "text/xml; charset=utf-8")
    );
    let bytes = received.bytes.unwrap();
    let envelope = dds_soap::parse(&bytes).unwrap();
    assert_eq!(envelope.headers[0].name, "zustellung");
    assert!(String::from_utf8_lossy(envelope.headers[0].xml).contains(&sent.delivery.to_string()));
    let payload = envelope.payload().unwrap();
    let pdf = payload.first_element_child().unwrap().text().unwrap();
    let pdf = base64::engine::general_purpose::STANDARD.decode(pdf).unwrap();
    assert_eq!(dds_message::Digest::of(&pdf), sent.attachments[0].describe().digest);
}

#[tokio::test]
async fn an_attachment_without_place_is_an_error_of_the_stylesheet() {
    let sim = sim().await;
    let verdict =
        deliver(&Town::at(&sim.url()).targets(), &consignment("soap", 1, vec![Made::source("a", 1)])).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("permanent", Some(Code::OUTPUT_INVALID)));
    assert!(sim.inbox().is_empty());
}

#[tokio::test]
async fn faults_tell_whose_they_are() {
    let sim = sim().await;
    let targets = Town::at(&sim.url()).targets();
    sim.faults().plan("/soap", Fault::Refuse(503), 1);
    sim.faults().plan("/soap", Fault::Refuse(400), 1);
    sim.faults().plan("/soap", Fault::RefuseFor(503, 7), 1);
    let sent = consignment("soap", 1, Vec::new());
    for expected in [
        ("temporary", Some(Code::TARGET_BUSY), "SOAP fault: Server"),
        ("permanent", Some(Code::TARGET_REFUSED), "SOAP fault: Client"),
        ("temporary", Some(Code::TARGET_BUSY), "HTTP 503"),
    ] {
        let (what, code, detail) = told(&deliver(&targets, &sent).await);
        assert_eq!((what, code, detail.as_str()), expected);
    }
    assert!(sim.inbox().is_empty());
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
}

fn envelope(payload: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>{payload}</s:Body></s:Envelope>"
    )
}

/// What a target answers, and short what comes of it.
async fn answered(status: &str, headers: &str, body: &str) -> (&'static str, Option<Code>, String) {
    let url = canned(http(status, headers, body)).await;
    told(&deliver(&Town::at(&url).targets(), &consignment("soap", 1, Vec::new())).await)
}

#[tokio::test]
async fn a_one_way_service_answers_nothing_and_what_cannot_be_read_is_in_doubt() {
    let unread = ("temporary", Some(Code::IN_DOUBT), "the answer is no SOAP envelope".to_owned());
    assert_eq!(answered("202 Accepted", "", "").await.0, "delivered");
    assert_eq!(answered("404 Not", "", "").await.0, "permanent");
    for body in ["<html>Anmeldung</html>", "OK", "{}", "<s:Envelope"] {
        assert_eq!(answered("200 OK", "", body).await, unread, "{body}");
    }
    for status in ["502 Bad Gateway", "504 Gateway Timeout"] {
        let (what, code, detail) = answered(status, "", "<html/>").await;
        assert_eq!(
            (what, code, detail),
            ("temporary", Some(Code::IN_DOUBT), format!("HTTP {}", &status[..3]))
        );
    }
}

#[tokio::test]
async fn the_root_of_a_multipart_answer_is_its_envelope() {
    let part = |id: &str, content: &str| {
        format!("--B-1\r\nContent-ID: <{id}>\r\nContent-Type: application/xop+xml\r\n\r\n{content}\r\n")
    };
    let receipt = envelope("<ok><kennung>FV-7</kennung></ok>");
    let first = format!("{}{}--B-1--\r\n", part("root", &receipt), part("bild", "\u{fffd}PNG"));
    let last = format!("{}{}--B-1--", part("bild", "PNG"), part("root", &receipt));
    let headers = "Content-Type: Multipart/Related; type=\"application/xop+xml\"; boundary=\"B-1\"";
    let delivered = ("delivered", None, "FV-7".to_owned());
    assert_eq!(answered("200 OK", &format!("{headers}\r\n"), &first).await, delivered);
    let named = format!("{headers}; start=\"<root>\"\r\n");
    assert_eq!(answered("200 OK", &named, &last).await, delivered);
    let fault = part("root", &envelope("<s:Fault><faultcode>s:Client</faultcode></s:Fault>"));
    assert_eq!(answered("500 No", &named, &fault).await.2, "SOAP fault: Client");
}

#[tokio::test]
async fn the_beginning_of_a_long_answer_tells_what_it_is() {
    let echo = "x".repeat(2 << 20);
    assert_eq!(answered("200 OK", "", &envelope(&format!("<ok>{echo}</ok>"))).await.0, "delivered");
    for unclear in [echo.clone(), envelope(&format!("<s:Fault>{echo}</s:Fault>"))] {
        let (what, code, _) = answered("200 OK", "", &unclear).await;
        assert_eq!((what, code), ("temporary", Some(Code::IN_DOUBT)));
    }
}
