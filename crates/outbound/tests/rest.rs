//! REST push: every answer has its verdict, and what a target gets is what the message had.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::time::Duration;

use dds_delivery::{TargetDirectory as _, Verdict};
use dds_depot::InForce;
use dds_message::Code;
use dds_outbound::{MailSecurity, Options, Targets, TlsOptions};
use dds_testbench::{FachverfahrenSim, Fault, Interface, PushOptions, TestPki, free_port};
use support::{ARS, Damaged, Made, Town, canned, consignment, deliver, http, target, told};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

#[tokio::test]
async fn document_and_attachments_arrive_and_the_reference_comes_back() {
    let sim = FachverfahrenSim::rest_json().await.unwrap();
    let targets = Town::at(&sim.url()).targets();
    let attachments = vec![
        Made::source("Ausweis \"ä\".pdf", 3),
        Made::source("leer.pdf", 0),
        Made::source("b.pdf", 200_000),
    ];
    let expected: Vec<_> = attachments.iter().map(|source| source.describe().clone()).collect();
    let sent = consignment("rest", 1, attachments);
    let verdict = deliver(&targets, &sent).await;
    assert_eq!(told(&verdict).0, "delivered");
    assert!(told(&verdict).2.starts_with("FV-"), "{verdict:?}");

    let received = sim.inbox().get(sent.delivery).unwrap();
    assert_eq!((received.place.as_str(), received.document.digest), ("/api", sent.document.digest));
    assert_eq!(
        (received.document.name.as_str(), received.document.media_type.as_str()),
        ("vorgang.xml", "application/xml")
    );
    let names = ["Ausweis %22ä%22.pdf", "leer.pdf", "b.pdf"];
    assert_eq!(received.attachments.len(), 3);
    for ((part, described), name) in received.attachments.iter().zip(&expected).zip(names) {
        assert_eq!((part.name.as_str(), part.size, part.digest), (name, described.size, described.digest));
    }

    // The same attempt again is recognised by its delivery id.
    assert_eq!(told(&deliver(&targets, &sent).await), told(&verdict));
    assert_eq!((sim.inbox().repeats(), sim.inbox().duplicates()), (1, 0));
}

#[tokio::test]
async fn without_attachments_the_body_is_the_document() {
    let sim = FachverfahrenSim::rest_xml().await.unwrap();
    let targets = Town::at(&sim.url()).targets();
    let sent = consignment("plain", 1, vec![Made::source("a.pdf", 10)]);
    let verdict = deliver(&targets, &sent).await;
    assert!(told(&verdict).2.starts_with("/akten/FV-"), "{verdict:?}");
    let received = sim.inbox().get(sent.delivery).unwrap();
    assert_eq!((received.document.digest, received.attachments.len()), (sent.document.digest, 0));
}

#[tokio::test]
async fn every_answer_has_its_verdict() {
    let sent = consignment("plain", 1, Vec::new());
    let same = format!("Idempotency-Key: \"{}\"\r\n", sent.delivery);
    let secret = "Erika Mustermann";
    for (status, headers, expected) in [
        ("200 OK", "", ("delivered", None, "")),
        ("204 No Content", "", ("delivered", None, "")),
        ("409 Conflict", same.as_str(), ("delivered", None, "")),
        ("409 Conflict", "", ("permanent", Some(Code::TARGET_REFUSED), "HTTP 409")),
        ("409 Conflict", "Idempotency-Key: other\r\n", ("permanent", Some(Code::TARGET_REFUSED), "HTTP 409")),
        (
            "302 Found",
            "Location: /x\r\n",
            ("permanent", Some(Code::TARGET_REFUSED), "HTTP 302: redirects are not followed"),
        ),
        ("400 Bad Request", "", ("permanent", Some(Code::TARGET_REFUSED), "HTTP 400")),
        ("401 Unauthorized", "", ("temporary", Some(Code::CREDENTIAL_REFUSED), "HTTP 401")),
        ("403 Forbidden", "", ("temporary", Some(Code::CREDENTIAL_REFUSED), "HTTP 403")),
        ("413 Too Large", "", ("permanent", Some(Code::TARGET_TOO_LARGE), "HTTP 413")),
        ("422 Unprocessable", "", ("permanent", Some(Code::TARGET_REFUSED), "HTTP 422")),
        ("408 Timeout", "", ("temporary", Some(Code::TARGET_BUSY), "HTTP 408")),
        ("425 Too Early", "", ("temporary", Some(Code::TARGET_BUSY), "HTTP 425")),
        ("429 Too Many", "", ("temporary", Some(Code::TARGET_BUSY), "HTTP 429")),
        ("500 Oops", "", ("temporary", Some(Code::TARGET_BUSY), "HTTP 500")),
        ("502 Bad Gateway", "", ("temporary", Some(Code::IN_DOUBT), "HTTP 502")),
        ("504 Gateway Timeout", "", ("temporary", Some(Code::IN_DOUBT), "HTTP 504")),
        ("503 Later", "", ("temporary", Some(Code::TARGET_BUSY), "HTTP 503")),
    ] {
        let url = canned(http(status, headers, if status.starts_with("204") { "" } else { secret })).await;
        let verdict = deliver(&Town::at(&url).targets(), &sent).await;
        let (what, code, detail) = told(&verdict);
        assert_eq!((what, code, detail.as_str()), expected, "{status} {headers}");
    }
}

#[tokio::test]
async fn references_of_json_answers_are_taken_if_they_are_no_free_text() {
    for (body, reference) in [
        (r#"{"reference":"AZ 1/2"}"#, ""),
        (r#"{"reference":"AZ-1/2","id":7}"#, "AZ-1/2"),
        (r#"{"id":4711}"#, "4711"),
        ("[]", ""),
        ("kein JSON", ""),
    ] {
        let url = canned(http("201 Created", "", body)).await;
        let verdict = deliver(&Town::at(&url).targets(), &consignment("plain", 1, Vec::new())).await;
        assert_eq!(told(&verdict), ("delivered", None, reference.to_owned()), "{body}");
    }
}

#[tokio::test]
async fn the_wish_of_a_busy_target_is_obeyed() {
    let sim = FachverfahrenSim::rest_json().await.unwrap();
    sim.faults().plan("/", Fault::RefuseFor(429, 120), 1);
    let verdict = deliver(&Town::at(&sim.url()).targets(), &consignment("rest", 1, Vec::new())).await;
    let Verdict::Temporary { retry_after, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn no_connection_is_temporary_and_no_answer_is_in_doubt() {
    let nobody = free_port().unwrap();
    let verdict =
        deliver(&Town::at(&format!("http://{nobody}")).targets(), &consignment("plain", 1, Vec::new())).await;
    assert_eq!(
        told(&verdict),
        ("temporary", Some(Code::TARGET_UNREACHABLE), "connection refused".to_owned())
    );

    let sim = FachverfahrenSim::rest_json().await.unwrap();
    sim.faults().plan("/", Fault::DropAfterReceiving, 1);
    let targets = Town::at(&sim.url()).targets();
    let sent = consignment("rest", 1, Vec::new());
    let verdict = deliver(&targets, &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::IN_DOUBT)), "{verdict:?}");
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!((sim.inbox().len(), sim.inbox().repeats(), sim.inbox().duplicates()), (1, 1, 0));

    sim.down().await;
    assert_eq!(told(&deliver(&targets, &sent).await).1, Some(Code::TARGET_UNREACHABLE));
    sim.up().await;
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
}

/// A target that reads the beginning of the request and `pieces` times 256 KB, each after `pause`, answers `response`
/// and then keeps the connection open without another word.
async fn unhurried(pieces: usize, pause: Duration, response: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut piece = vec![0; 256 << 10];
        assert!(stream.read(&mut piece).await.unwrap() > 0);
        let mut ticks = tokio::time::interval(pause.max(Duration::from_millis(1)));
        for _ in 0..pieces {
            ticks.tick().await;
            stream.read_exact(&mut piece).await.unwrap();
        }
        stream.write_all(response.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
        drop(stream);
    });
    format!("http://{address}")
}

/// Targets whose silence is borne for so many milliseconds.
fn impatient(url: &str, silence: u64) -> Targets {
    let options = Options { silence: Duration::from_millis(silence), ..Options::default() };
    Town { options, ..Town::at(url) }.targets()
}

#[tokio::test]
async fn a_target_that_stops_in_the_middle_is_given_up() {
    let doubt = ("temporary", Some(Code::IN_DOUBT), "no answer: timed out".to_owned());
    // It takes a part of the body and nothing more.
    let sent = consignment("rest", 1, vec![Made::source("a.pdf", 40 << 20)]);
    let url = unhurried(2, Duration::ZERO, "").await;
    assert_eq!(told(&deliver(&impatient(&url, 50), &sent).await), doubt);
    // It breaks off in its answer.
    let sent = consignment("rest", 1, Vec::new());
    let url = unhurried(0, Duration::ZERO, "HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{").await;
    assert_eq!(told(&deliver(&impatient(&url, 50), &sent).await), doubt);
}

#[tokio::test]
async fn a_slow_target_has_all_the_time_of_the_attempt() {
    // What it does with the delivery before it answers takes longer than any silence in between.
    let sim = FachverfahrenSim::rest_json().await.unwrap();
    sim.faults().plan("/", Fault::Slow(Duration::from_millis(300)), 1);
    let sent = consignment("rest", 1, vec![Made::source("a.pdf", 10)]);
    assert_eq!(told(&deliver(&impatient(&sim.url(), 50), &sent).await).0, "delivered");
    // It takes the body slowly, but it takes it: more than two seconds in all, a piece every 40 ms.
    let sent = consignment("rest", 2, vec![Made::source("a.pdf", 16 << 20)]);
    let url = unhurried(63, Duration::from_millis(40), "HTTP/1.1 204 Done\r\n\r\n").await;
    assert_eq!(told(&deliver(&impatient(&url, 1_000), &sent).await).0, "delivered");
}

#[tokio::test]
async fn an_attachment_that_cannot_be_read_is_our_fault_and_nothing_half_arrives() {
    let sim = FachverfahrenSim::rest_json().await.unwrap();
    let sent = consignment("rest", 1, vec![Damaged::source()]);
    let verdict = deliver(&Town::at(&sim.url()).targets(), &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::STORE_CORRUPT)), "{verdict:?}");
    assert!(sim.inbox().is_empty());
}

#[tokio::test]
async fn too_many_bytes_for_the_product_are_not_sent() {
    let sim = FachverfahrenSim::rest_json().await.unwrap();
    let targets = Town { attachment_limit: Some(1_000), ..Town::at(&sim.url()) }.targets();
    let big = consignment("rest", 1, vec![Made::source("a", 600), Made::source("b", 401)]);
    let verdict = deliver(&targets, &big).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("permanent", Some(Code::TARGET_TOO_LARGE)));
    assert!(sim.inbox().is_empty());
    let fits = consignment("rest", 2, vec![Made::source("a", 600), Made::source("b", 400)]);
    assert_eq!(told(&deliver(&targets, &fits).await).0, "delivered");
}

#[tokio::test]
async fn a_missing_secret_delays_and_a_renewed_one_works_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let options = PushOptions { token: Some("geheim-2".to_owned()), ..PushOptions::new(Interface::RestJson) };
    let sim = FachverfahrenSim::start(options).await.unwrap();
    let targets = Town { secret: Some(format!("file:{}", file.display())), ..Town::at(&sim.url()) }.targets();
    let sent = consignment("rest", 1, Vec::new());
    let verdict = deliver(&targets, &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::SECRET_MISSING)));
    std::fs::write(&file, "geheim-1\n").unwrap();
    assert_eq!(told(&deliver(&targets, &sent).await).2, "HTTP 401");
    std::fs::write(&file, "geheim-2\n").unwrap();
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
}

#[tokio::test]
async fn tls_wants_a_known_authority_and_shows_our_certificate() {
    let (pki, other) = (TestPki::new().unwrap(), TestPki::new().unwrap());
    let options =
        PushOptions { tls: Some(pki.server_config(true).unwrap()), ..PushOptions::new(Interface::RestJson) };
    let sim = FachverfahrenSim::start(options).await.unwrap();
    let client = pki.client("drehscheibe").unwrap();
    let identity = Some((client.certificate_pem.clone(), client.key_pem.clone()));
    let sent = consignment("rest", 1, vec![Made::source("a.pdf", 300_000)]);
    let url = sim.url().replace("127.0.0.1", "localhost");
    for (root, identity, expected) in
        [(&pki, identity.clone(), "delivered"), (&pki, None, "temporary"), (&other, identity, "temporary")]
    {
        let tls =
            TlsOptions { extra_roots: vec![root.root_pem().to_owned()], only_extra_roots: true, identity };
        let targets = Town { options: Options { tls, ..Options::default() }, ..Town::at(&url) }.targets();
        let verdict = deliver(&targets, &sent).await;
        assert_eq!(told(&verdict).0, expected, "{verdict:?}");
        if root.root_pem() == other.root_pem() {
            assert!(told(&verdict).2.contains("invalid peer certificate"), "{verdict:?}");
        }
    }
    assert_eq!(sim.inbox().repeats(), 0);
}

#[tokio::test]
async fn a_target_without_what_it_needs_waits_for_a_better_release() {
    let in_force = InForce::new(Town::default().release());
    let targets = Town::default().targets_of(in_force.clone());
    for office in ["rest", "soap", "folder", "office", "box"] {
        let verdict = deliver(&targets, &consignment(office, 1, Vec::new())).await;
        assert_eq!(
            (told(&verdict).0, told(&verdict).1),
            ("temporary", Some(Code::TARGET_UNKNOWN)),
            "{office}"
        );
    }
    let sim = FachverfahrenSim::rest_json().await.unwrap();
    in_force.switch(Town::at(&sim.url()).release());
    assert_eq!(told(&deliver(&targets, &consignment("rest", 1, Vec::new())).await).0, "delivered");
}

/// What an attempt hangs at: a REST and a SOAP target of one system share its host, mails the relay.
#[test]
fn targets_are_known_by_their_host() {
    let mut town = Town::with_mail(([127, 0, 0, 1], 25).into(), MailSecurity::Plain);
    town.endpoint = Some("https://fachverfahren.example:8443/dresden".to_owned());
    let targets = town.targets();
    let host = |office| targets.lookup(&target(office)).unwrap().host.to_string();
    let hosts = ["rest", "soap", "office", "folder"].map(host);
    let own = format!("{ARS}/folder/fv-folder");
    assert_eq!(hosts, ["fachverfahren.example", "fachverfahren.example", "localhost", &own]);
}
