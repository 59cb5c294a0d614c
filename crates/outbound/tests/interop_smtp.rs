//! Our SMTP client against a mail server and a mail parser that are not ours: aiosmtpd and Python's `email`.
//!
//! Runs where `python3` (or what the environment variable `DDS_PYTHON` names) can import aiosmtpd, and says so loudly
//! where not: `pip install aiosmtpd`.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use dds_message::Code;
use dds_outbound::{MailSecurity, TlsOptions};
use dds_testbench::TestPki;
use support::{Made, Town, consignment, deliver, told};

struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ended = self.0.kill().is_ok();
        let _reaped = self.0.wait().is_ok();
    }
}

#[tokio::test]
async fn aiosmtpd_takes_our_mail_and_python_reads_it() {
    let python = std::env::var("DDS_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&python).args(["-c", "import aiosmtpd"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        eprintln!("interop_smtp: NOT RUN, {python} has no aiosmtpd (pip install aiosmtpd)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let pki = TestPki::new().unwrap();
    let server = pki.server().unwrap();
    let (certificate, key) = (folder.path().join("server.pem"), folder.path().join("server.key"));
    std::fs::write(&certificate, &server.certificate_pem).unwrap();
    std::fs::write(&key, &server.key_pem).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/smtp/peer.py");
    let mut child = Command::new(&python)
        .arg(script)
        .args([&certificate, &key])
        .args(["drehscheibe", "geheim", "1000000"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let _peer = Peer(child);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let port: u16 = line.trim().strip_prefix("port ").unwrap().parse().unwrap();

    let mut town = Town::with_mail(([127, 0, 0, 1], port).into(), MailSecurity::StartTls);
    town.options.tls =
        TlsOptions { extra_roots: vec![pki.root_pem().into()], only_extra_roots: true, identity: None };
    let password = folder.path().join("password");
    std::fs::write(&password, "geheim").unwrap();
    let reference = dds_depot::SecretRef::File(password.to_string_lossy().into_owned());
    town.options.mail.as_mut().unwrap().account = Some(("drehscheibe".to_owned(), reference));
    let targets = town.targets();

    let names = [
        "Größenangaben – Fußboden “neu” für den sehr langen Namen einer Anlage.pdf",
        "plain name (1).pdf",
        "leer.bin",
    ];
    let sizes = [150_000, 57, 0];
    let attachments: Vec<_> =
        names.into_iter().zip(sizes).map(|(name, size)| Made::source(name, size)).collect();
    let sent = consignment("office", 1, attachments);
    assert_eq!(told(&deliver(&targets, &sent).await), ("delivered", None, "AIO-1".to_owned()));

    line.clear();
    output.read_line(&mut line).unwrap();
    let mail: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&mail["tls"], &mail["authenticated"]), (&true.into(), &true.into()), "{mail:#}");
    assert_eq!(mail["to"][0], "poststelle@dresden.example");
    assert_eq!(mail["subject"], "Neuer Antrag für die Behörde [000000000001]");
    assert_eq!(mail["message_id"], format!("<{}@drehscheibe.example>", sent.delivery));
    assert_eq!(mail["date"], "2026-11-22T08:00:00+00:00");
    assert_eq!(mail["defects"].as_array().unwrap().len(), 0, "{mail:#}");
    let parts = mail["parts"].as_array().unwrap();
    assert_eq!(parts.len(), 2 + names.len());
    assert_eq!(parts[1]["sha256"], sent.document.digest.to_string());
    for (part, source) in parts[2..].iter().zip(&sent.attachments) {
        let described = source.describe();
        assert_eq!(part["name"], described.name.as_str());
        assert_eq!(part["sha256"], described.digest.to_string());
        assert_eq!(part["defects"].as_array().unwrap().len(), 0, "{part:#}");
    }

    let verdict =
        deliver(&targets, &consignment("office", 2, vec![Made::source("gross.pdf", 900_000)])).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("permanent", Some(Code::TARGET_TOO_LARGE)),
        "{verdict:?}"
    );
    std::fs::write(&password, "falsch").unwrap();
    let verdict = deliver(&targets, &consignment("office", 3, Vec::new())).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::CREDENTIAL_REFUSED)),
        "{verdict:?}"
    );
}
