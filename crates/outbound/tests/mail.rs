//! Mail: what the relay promises is used, what it says is heeded.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::sync::Arc;

use base64::Engine as _;
use dds_message::Code;
use dds_outbound::{MailSecurity, TlsOptions};
use dds_testbench::{MailOptions, MailServerSim, TestPki};
use support::{Damaged, Made, Town, consignment, deliver, told};

async fn plain(options: MailOptions) -> (MailServerSim, dds_outbound::Targets) {
    let sim = MailServerSim::start(MailOptions { keep_messages: true, ..options }).await.unwrap();
    let targets = Town::with_mail(sim.address(), MailSecurity::Plain).targets();
    (sim, targets)
}

#[tokio::test]
async fn a_mail_carries_everything_and_can_be_recognised_again() {
    let (sim, targets) = plain(MailOptions::default()).await;
    let sent = consignment("office", 1, vec![Made::source("Größe.pdf", 100_000)]);
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    let mails = sim.mails();
    assert_eq!(mails[0], mails[1], "a repetition has the same bytes");
    assert_eq!((sim.inbox().len(), sim.inbox().repeats(), sim.inbox().duplicates()), (1, 1, 0));

    let mail = &mails[0];
    assert_eq!(mail.to, ["poststelle@dresden.example"]);
    assert_eq!(mail.parameters[0], format!("SIZE={}", mail.size), "the size announced is the size sent");
    assert!(mail.parameters.contains(&"RET=HDRS".to_owned()));
    assert!(mail.parameters.contains(&format!("ENVID={}", sent.delivery)));
    assert_eq!(mail.to_parameters, ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;poststelle@dresden.example"]);
    assert_eq!(mail.header("Message-ID"), Some(format!("<{}@drehscheibe.example>", sent.delivery)));
    assert_eq!(mail.header("Date"), Some("Sun, 22 Nov 2026 08:00:00 +0000".to_owned()));
    assert_eq!(mail.header("Auto-Submitted"), Some("auto-generated".to_owned()));

    let text = String::from_utf8(mail.text.clone()).unwrap();
    assert!(text.is_ascii() && text.split("\r\n").all(|line| line.len() <= 78), "{text}");
    let parts: Vec<_> = text.split(&format!("--dds-{}", sent.delivery.0.simple())).collect();
    assert_eq!(parts.len(), 5, "head, note, document, attachment, end");
    let body = |part: &str| {
        let coded: String = part.split("\r\n\r\n").nth(1).unwrap().split_whitespace().collect();
        base64::engine::general_purpose::STANDARD.decode(coded).unwrap()
    };
    let note = String::from_utf8(body(parts[1])).unwrap();
    let (german, english) = note.split_once("\r\n--\r\n").unwrap();
    assert!(german.starts_with("Guten Tag,") && german.contains("Vorgang: HS-2026/17"), "{note}");
    assert!(english.contains("Hello,") && english.contains("Case: HS-2026/17"), "{note}");
    assert_eq!(body(parts[2]), sent.document.bytes);
    assert!(parts[3].contains("filename*=UTF-8''Gr%C3%B6%C3%9Fe.pdf"));
    assert_eq!(dds_message::Digest::of(&body(parts[3])), sent.attachments[0].describe().digest);
}

#[tokio::test]
async fn a_relay_without_extensions_gets_plain_commands() {
    let (sim, targets) = plain(MailOptions { dsn: false, size: None, ..MailOptions::default() }).await;
    assert_eq!(told(&deliver(&targets, &consignment("office", 1, Vec::new())).await).0, "delivered");
    let mail = &sim.mails()[0];
    assert_eq!(
        (mail.parameters.as_slice(), mail.to_parameters.len()),
        (["BODY=8BITMIME".to_owned()].as_slice(), 0)
    );
}

#[tokio::test]
async fn a_mail_larger_than_the_relay_takes_is_not_sent() {
    let (sim, targets) = plain(MailOptions { size: Some(50_000), ..MailOptions::default() }).await;
    let verdict = deliver(&targets, &consignment("office", 1, vec![Made::source("a.pdf", 40_000)])).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("permanent", Some(Code::TARGET_TOO_LARGE)),
        "{verdict:?}"
    );
    assert!(sim.mails().is_empty());
}

#[tokio::test]
async fn a_mail_larger_than_we_may_send_does_not_even_reach_the_relay() {
    let sim = MailServerSim::start(MailOptions { size: None, ..MailOptions::default() }).await.unwrap();
    let mut town = Town::with_mail(sim.address(), MailSecurity::Plain);
    let relay = town.options.mail.as_mut().unwrap();
    relay.max_bytes = 50_000;
    let targets = town.targets();
    let verdict = deliver(&targets, &consignment("office", 1, vec![Made::source("a.pdf", 40_000)])).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("permanent", Some(Code::TARGET_TOO_LARGE)));
    assert!(sim.inbox().is_empty());
}

#[tokio::test]
async fn every_reply_has_its_verdict() {
    let (sim, targets) = plain(MailOptions::default()).await;
    let sent = consignment("office", 1, Vec::new());
    for (verb, reply, expected) in [
        (
            "MAIL",
            "451 4.3.0 Erika Mustermann",
            ("temporary", Some(Code::TARGET_BUSY), "SMTP 451 4.3.0 on MAIL"),
        ),
        ("RCPT", "450 4.2.1 später", ("temporary", Some(Code::TARGET_BUSY), "SMTP 450 4.2.1 on RCPT")),
        (
            "RCPT",
            "550 5.1.1 <poststelle> unbekannt",
            ("permanent", Some(Code::TARGET_REFUSED), "SMTP 550 5.1.1 on RCPT"),
        ),
        ("RCPT", "552 voll", ("permanent", Some(Code::TARGET_TOO_LARGE), "SMTP 552 on RCPT")),
        ("DATA", "554 5.7.1 Spam", ("permanent", Some(Code::TARGET_REFUSED), "SMTP 554 5.7.1 on DATA")),
        ("RCPT", "251 wird weitergeleitet", ("delivered", None, "")),
    ] {
        sim.reply_once(verb, reply);
        let (what, code, detail) = told(&deliver(&targets, &sent).await);
        assert_eq!((what, code, detail.as_str()), expected, "{verb} {reply}");
    }
}

#[tokio::test]
async fn no_reply_to_the_message_is_in_doubt_and_no_relay_is_not() {
    let (sim, targets) = plain(MailOptions::default()).await;
    let sent = consignment("office", 1, Vec::new());
    sim.reply_once("AFTER", "");
    let verdict = deliver(&targets, &sent).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::IN_DOUBT)), "{verdict:?}");
    sim.down().await;
    let verdict = deliver(&targets, &sent).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::TARGET_UNREACHABLE)),
        "{verdict:?}"
    );
    sim.up().await;
    assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
    assert_eq!(sim.inbox().repeats(), 1);
}

#[tokio::test]
async fn a_mail_that_breaks_off_is_never_taken_for_whole() {
    let (sim, targets) = plain(MailOptions::default()).await;
    let verdict = deliver(&targets, &consignment("office", 1, vec![Damaged::source()])).await;
    assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::STORE_CORRUPT)), "{verdict:?}");
    assert_eq!(told(&deliver(&targets, &consignment("office", 2, Vec::new())).await).0, "delivered");
    assert_eq!(sim.mails().len(), 1);
}

#[tokio::test]
async fn protection_and_account_are_as_configured_or_nothing_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "geheim\n").unwrap();
    let (pki, other) = (TestPki::new().unwrap(), TestPki::new().unwrap());
    let tls = pki.server_config(false).unwrap();
    let account = ("drehscheibe".to_owned(), "geheim".to_owned());
    let server = |mechanisms, implicit_tls| MailOptions {
        tls: Some(Arc::clone(&tls)),
        implicit_tls,
        account: Some(account.clone()),
        mechanisms,
        ..MailOptions::default()
    };
    let sent = consignment("office", 1, vec![Made::source("a.pdf", 100_000)]);
    for (options, security, root, secret, expected) in [
        (server("PLAIN", false), MailSecurity::StartTls, &pki, "geheim", ("delivered", None)),
        (server("LOGIN", true), MailSecurity::Tls, &pki, "geheim", ("delivered", None)),
        (
            server("PLAIN", false),
            MailSecurity::StartTls,
            &other,
            "geheim",
            ("temporary", Some(Code::TARGET_UNREACHABLE)),
        ),
        (
            server("PLAIN", false),
            MailSecurity::StartTls,
            &pki,
            "falsch",
            ("temporary", Some(Code::CREDENTIAL_REFUSED)),
        ),
        (
            server("GSSAPI", false),
            MailSecurity::StartTls,
            &pki,
            "geheim",
            ("temporary", Some(Code::TARGET_BUSY)),
        ),
        (
            MailOptions::default(),
            MailSecurity::StartTls,
            &pki,
            "geheim",
            ("temporary", Some(Code::TARGET_BUSY)),
        ),
    ] {
        std::fs::write(&password, secret).unwrap();
        let sim = MailServerSim::start(options).await.unwrap();
        let mut town = Town::with_mail(sim.address(), security);
        town.options.tls =
            TlsOptions { extra_roots: vec![root.root_pem().into()], only_extra_roots: true, identity: None };
        let reference = dds_depot::SecretRef::File(password.to_string_lossy().into_owned());
        town.options.mail.as_mut().unwrap().account = Some(("drehscheibe".to_owned(), reference));
        let verdict = deliver(&town.targets(), &sent).await;
        assert_eq!((told(&verdict).0, told(&verdict).1), expected, "{verdict:?}");
        assert_eq!(sim.mails().len(), usize::from(expected.0 == "delivered"));
    }
}
