//! `drehscheibe osci inspect`: what it says, what it exits with, and what it never says.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use dds_osci::{
    algorithm::DigestAlgorithm,
    client::{Client, Delivery},
    content::{Author, ContainerDraft, package},
    keys::{Signer, SoftwareKey},
    message::{CertificateRole, ContentPackage, MessageId, RoleCertificates},
    outgoing::{AttachmentHead, PartHasher, message_bytes},
    random::SystemRandom,
    signature::SigningOptions,
};
use support::{Said, command, root, run};
use tempfile::TempDir;

const SECRET: &[u8] = b"Streng vertraulicher Inhalt";
const PLAN: &[u8] = b"Anlage: Lageplan";
const AUTHOR: &str = "originator_signature_1";

/// One party that plays every role, with its key as PEM files in a folder.
struct Party {
    folder: TempDir,
    key: SoftwareKey,
    key_pem: String,
}

impl Party {
    fn new() -> Self {
        let pair =
            rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "Erfundene Stelle");
        let certificate = parameters.self_signed(&pair).unwrap().pem();
        let folder = TempDir::with_prefix("osci-inspect-").unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        fs::write(folder.path().join("keys/stelle.key"), pair.serialize_pem()).unwrap();
        // Another name: the certificate is found by its key.
        fs::write(folder.path().join("keys/zertifikat.pem"), &certificate).unwrap();
        let key_pem = pair.serialize_pem();
        Self { folder, key: SoftwareKey::from_pem(&key_pem, &certificate).unwrap(), key_pem }
    }

    /// A storeDelivery with a signed container and an attachment; `sent` is what really travels as attachment.
    fn message(&self, encrypted: bool, sent: &[u8]) -> Vec<u8> {
        let certificate = Signer::certificate(&self.key).clone();
        let mut hasher = PartHasher::new("plan.bin", &[DigestAlgorithm::Sha256]);
        hasher.update(PLAN);
        let digests = hasher.finish();
        let author = Author { signer: &self.key, key_id: AUTHOR, time: None };
        let container = ContainerDraft::new("container")
            .inline("inhalt", SECRET)
            .attachment("anlage", digests.clone())
            .write(&[author], SigningOptions::default())
            .unwrap();
        let mut client =
            Client::new(certificate.clone(), certificate.clone(), certificate.clone(), certificate.clone());
        if !encrypted {
            client.intermediary_cipher = None;
        }
        let mut delivery =
            Delivery::new(ContentPackage::new(package(&[], &[container])), certificate.clone());
        let mut certificates = RoleCertificates::default();
        certificates.add(CertificateRole::SignatureOriginator, &certificate);
        certificates.entries.iter_mut().for_each(|entry| entry.id = AUTHOR.to_owned());
        delivery.certificates = certificates;
        let (request, _) = client.store(MessageId::new("kennung-1"), delivery, &mut SystemRandom);
        let signer = Some((&self.key as &dyn Signer, SigningOptions::default()));
        let outgoing = request.seal(signer, &[digests], &mut SystemRandom).unwrap();
        let head = AttachmentHead {
            content_id: "plan.bin".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            length: Some(sent.len() as u64),
        };
        message_bytes(outgoing, &[(head, sent)]).unwrap()
    }

    fn inspect(&self, octets: &[u8], options: &[&str]) -> Said {
        let file = self.folder.path().join("message");
        fs::write(&file, octets).unwrap();
        let mut arguments = vec!["osci", "inspect", file.to_str().unwrap()];
        arguments.extend(options);
        run(arguments)
    }

    fn keys(&self) -> String {
        self.folder.path().join("keys").display().to_string()
    }
}

#[test]
fn a_sound_message_is_told_whole_in_two_languages_without_its_content() {
    let party = Party::new();
    let (octets, keys) = (party.message(true, PLAN), party.keys());
    let json = party.inspect(&octets, &["--keys", &keys, "--json"]).good();
    let report = json.json();
    assert_eq!(report["type"], "StoreDelivery");
    assert_eq!((&report["signature"], &report["outcome"]), (&"valid".into(), &"sound".into()));
    assert_eq!(report["contents"][0]["signatures"][0]["verdict"], "valid");
    let references = report["message_signature"]["references"].as_array().unwrap();
    assert!(
        references
            .iter()
            .any(|reference| reference["uri"] == "cid:plan.bin" && reference["verdict"] == "valid")
    );
    assert!(report["transport"].as_str().unwrap().contains("aes256-gcm"), "{report}");

    let german = party.inspect(&octets, &["--keys", &keys, "--language", "de"]).good();
    let english = party.inspect(&octets, &["--keys", &keys, "--language", "en"]).good();
    for line in [
        "Nachricht: StoreDelivery",
        "Auftrag: MessageId = kennung-1",
        "Signatur: gültig",
        "Hashwert von: #body gültig",
    ] {
        assert!(german.out.contains(line), "{line}: {}", german.out);
    }
    for line in [
        "message: StoreDelivery",
        "order: MessageId = kennung-1",
        "signature: valid",
        "digest of: #body valid",
    ] {
        assert!(english.out.contains(line), "{line}: {}", english.out);
    }
    let key = party.key_pem.lines().nth(5).unwrap();
    for said in [json, german, english] {
        for secret in ["vertraulich", "U3RyZW5nIHZlcnRyYXVsaWNo", "Lageplan", key] {
            assert!(!said.out.contains(secret) && !said.err.contains(secret), "{secret}: {said:?}");
        }
    }
}

#[test]
fn the_reference_that_fails_is_named() {
    let party = Party::new();
    let octets = party.message(false, b"Anlage: anders");
    let report = party.inspect(&octets, &["--json"]).bad().json();
    assert_eq!((&report["signature"], &report["outcome"]), (&"invalid".into(), &"invalid".into()));
    assert_eq!(report["message_signature"]["code"], "9601");
    let faults = |signature: &serde_json::Value| signature["faults"].to_string();
    assert_eq!(
        faults(&report["message_signature"]),
        "[\"cid:plan.bin: the digest is wrong, the part was altered\"]"
    );
    assert!(faults(&report["contents"][0]["signatures"][0]).contains("cid:plan.bin"));
    let german = party.inspect(&octets, &["--language", "de"]).bad();
    assert!(
        german.out.contains("Fehler: cid:plan.bin: der Hashwert ist falsch, der Teil wurde verändert"),
        "{}",
        german.out
    );

    // Only the author's signature: the message itself is what its sender signed.
    let text = String::from_utf8(party.message(false, PLAN)).unwrap();
    let unsigned = {
        let start = text.find("<osci:ClientSignature").unwrap();
        let end = text.find("</osci:ClientSignature>").unwrap() + "</osci:ClientSignature>".len();
        text.replace(&text[start..end], "")
    };
    let report = party.inspect(unsigned.as_bytes(), &["--json"]).good().json();
    assert_eq!((&report["signature"], &report["outcome"]), (&"absent".into(), &"sound".into()));
    let bent = unsigned.replace("U3RyZW5n", "TWlsZGVy");
    assert_ne!(bent, unsigned);
    let report = party.inspect(bent.as_bytes(), &["--json"]).bad().json();
    assert_eq!(report["signature"], "absent");
    assert!(faults(&report["contents"][0]["signatures"][0]).contains("#inhalt"), "{report}");

    // Content that cannot even be judged is invalid too.
    let lost = unsigned.replace("href=\"cid:plan.bin\"", "href=\"cid:fehlt\"");
    assert_ne!(lost, unsigned);
    let report = party.inspect(lost.as_bytes(), &["--json"]).bad().json();
    assert!(report["findings"].to_string().contains("OSCI 9100"), "{report}");

    // So is an envelope that every reader refuses, however good its signature.
    let unordered = unsigned.replace("Service=\"reception\"", "Service=\"creation\"");
    assert_ne!(unordered, unsigned);
    let report = party.inspect(unordered.as_bytes(), &["--json"]).bad().json();
    let findings = report["findings"].to_string();
    assert!(findings.contains("OSCI 9100") && findings.contains("QualityOfTimestamp"), "{report}");
}

#[test]
fn what_cannot_be_read_is_told_with_exit_code_2() {
    let party = Party::new();
    let octets = party.message(true, PLAN);
    let said = party.inspect(&octets, &["--json"]);
    assert_eq!((said.code, said.json()["outcome"].as_str()), (Some(2), Some("unreadable")));
    assert!(said.json()["refused"].as_str().unwrap().starts_with("OSCI 9200"), "{said:?}");

    let mut bent = octets;
    let place = bent.len() - 100;
    bent[place] ^= 1;
    let said = party.inspect(&bent, &["--keys", &party.keys(), "--json"]);
    assert_eq!(said.code, Some(2));
    assert!(said.json()["refused"].as_str().unwrap().starts_with("OSCI 9202"), "{said:?}");

    assert_eq!(party.inspect(b"\x1b[31mrot", &["--language", "de"]).code, Some(2));
    for (language, why) in [
        ("de", "/nowhere/at/all: nicht gefunden (gebraucht wird der gespeicherte HTTP-Body"),
        ("en", "/nowhere/at/all: not found (wanted is the stored HTTP body"),
    ] {
        let missing = run(["osci", "inspect", "/nowhere/at/all", "--language", language]);
        assert!(missing.code == Some(2) && missing.err.contains(why), "{missing:?}");
        assert!(missing.err.contains("DDS-C012") && !missing.err.contains("openapi"), "{missing:?}");
    }
    let missing = party.inspect(b"", &["--keys", "/nowhere/at/all", "--language", "de"]);
    assert!(missing.code == Some(2) && missing.err.contains("DDS-C012"), "{missing:?}");
    assert!(
        missing.err.contains("/nowhere/at/all: nicht gefunden (gebraucht wird ein Ordner"),
        "{missing:?}"
    );
    let missing = party.inspect(b"", &["--pin-env", "DDS_TEST_NO_SUCH_PIN"]);
    assert!(missing.code == Some(2) && missing.err.contains("DDS_TEST_NO_SUCH_PIN"), "{missing:?}");
}

/// Only what is true is found: a message that cannot be decrypted is packaged well, one without packaging is not.
#[test]
fn the_packaging_is_blamed_only_when_it_is_broken() {
    let party = Party::new();
    let mut corrupted = party.message(true, PLAN);
    let place = corrupted.len() - 100;
    corrupted[place] ^= 1;
    let report = party.inspect(&corrupted, &["--keys", &party.keys(), "--json"]).json();
    assert_eq!(report["refused"], "OSCI 9202: the message cannot be decrypted");
    assert_eq!((&report["findings"], &report["type"]), (&serde_json::json!([]), &"MessageEncrypted".into()));

    // Refused for something else, and packaged well: the attachment counts for the signature.
    let text = String::from_utf8(party.message(false, PLAN)).unwrap();
    let wrapped = text.replace("</soap:Envelope>", "<x:mehr xmlns:x=\"urn:x\"></x:mehr></soap:Envelope>");
    let report = party.inspect(wrapped.as_bytes(), &["--json"]).json();
    assert_eq!(report["refused"], "OSCI 9100: the Envelope holds more than Header and Body");
    assert_eq!(report["findings"], serde_json::json!([]));
    let references = report["message_signature"]["references"].as_array().unwrap();
    let plan = references.iter().find(|reference| reference["uri"] == "cid:plan.bin").unwrap();
    assert_eq!(plan["verdict"], "valid", "{report}");

    // A proxy has taken the MIME head off.
    let bare = &text[text.find("<?xml").unwrap()..];
    let report = party.inspect(bare.as_bytes(), &["--json"]).json();
    assert_eq!(report["type"], "StoreDelivery");
    let finding = "not a MIME message of OSCI: ";
    assert!(report["findings"][0].as_str().unwrap().starts_with(finding), "{report}");
    assert_eq!(report["outcome"], "unreadable");
}

/// No English sentence slips into the German report, whatever is wrong with the message.
#[test]
fn the_german_report_is_german() {
    let party = Party::new();
    let (sealed, keys) = (party.message(true, PLAN), party.keys());
    let plain = String::from_utf8(party.message(false, PLAN)).unwrap();
    let mut corrupted = sealed.clone();
    let place = corrupted.len() - 100;
    corrupted[place] ^= 1;
    let changed = |from: &str, to: &str| {
        let changed = plain.replacen(from, to, 1);
        assert_ne!(changed, plain, "{from}");
        changed.into_bytes()
    };
    let cases: [(&str, Vec<u8>, &str); 11] = [
        ("sound", sealed.clone(), "für CN=Erfundene Stelle"),
        ("corrupted", corrupted, "Abgelehnt: OSCI 9202: die Nachricht lässt sich nicht entschlüsseln"),
        (
            "cut",
            sealed[..sealed.len() - 9].to_vec(),
            "Abgelehnt: OSCI 9100: keine MIME-Nachricht nach OSCI: die Nachricht endet vor",
        ),
        ("bent", party.message(false, b"Anlage: anders"), "Fehler: cid:plan.bin: der Hashwert ist falsch"),
        (
            "lost",
            changed("href=\"cid:plan.bin\"", "href=\"cid:fehlt\""),
            "Befund: OSCI 9100: eine Anlage fehlt",
        ),
        (
            "odd",
            changed("<osci:Base64Content", "<osci:Inhalt"),
            "Abgelehnt: OSCI 9100: kein zulässiges XML: Zeile",
        ),
        (
            "wrapped",
            changed("</soap:Envelope>", "<x:y xmlns:x=\"urn:x\"></x:y></soap:Envelope>"),
            "mehr als Header und Body",
        ),
        (
            "bare",
            plain.as_bytes()[plain.find("<?xml").unwrap()..].to_vec(),
            "; der Umschlag wurde für sich gelesen",
        ),
        ("untyped", changed("schemaLocation=", "schemaOrt="), "xsi:schemaLocation fehlt"),
        ("unsigned part", changed("URI=\"#body\"", "URI=\"#anders\""), "#anders: "),
        ("nothing", b"unlesbar".to_vec(), "Abgelehnt: OSCI 9100: keine MIME-Nachricht"),
    ];
    for (name, octets, expected) in cases {
        let said = party.inspect(&octets, &["--keys", &keys, "--language", "de"]);
        assert!(said.out.contains(expected), "{name}: {}", said.out);
        let words = said.out.split(|letter: char| !letter.is_alphanumeric());
        let english =
            ["the", "is", "of", "not", "with", "without", "octets", "inline", "for", "cannot", "has", "bit"];
        let slipped: Vec<_> = words.filter(|word| english.contains(word)).collect();
        assert!(slipped.is_empty(), "{name}: {slipped:?} in {}", said.out);
    }
    // For another key: nothing is known but the type.
    let said = party.inspect(&sealed, &["--language", "de"]);
    assert!(said.out.contains("Abgelehnt: OSCI 9200: kein privater Schlüssel zum Zertifikat"), "{said:?}");
}

/// One message of every kind, from the golden files of the protocol crate.
#[test]
fn every_kind_of_message_is_recognised() {
    let folder = TempDir::with_prefix("osci-inspect-").unwrap();
    let mut seen = 0;
    for entry in fs::read_dir(root().join("crates/osci/tests/golden/messages")).unwrap() {
        let path = entry.unwrap().path();
        let envelope = fs::read_to_string(&path).unwrap();
        let mut octets = format!(
            "MIME-Version: 1.0\r\nContent-Type: Multipart/Related; boundary=grenze; type=text/xml\r\n\r\n--grenze\r\n\
             Content-Type: text/xml; charset=UTF-8\r\nContent-Transfer-Encoding: 8bit\r\nContent-ID: <osci@message>\r\n\r\n{envelope}"
        );
        if envelope.contains("cid:anlage.pdf") {
            octets += "\r\n--grenze\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: 8-bit\r\n\
                       Content-ID: <anlage.pdf>\r\n\r\nPDF";
        }
        octets += "\r\n--grenze--\r\n";
        let file = folder.path().join("message");
        fs::write(&file, octets).unwrap();
        let said = run(["osci", "inspect", file.to_str().unwrap(), "--json"]);
        assert_eq!(said.code, Some(0), "{}: {said:?}", path.display());
        let name = path.file_stem().unwrap().to_string_lossy().replace('_', "");
        let kind = said.json()["type"].as_str().unwrap().to_ascii_lowercase();
        assert!(name.starts_with(&kind), "{name} is said to be {kind}");
        seen += 1;
    }
    assert!(seen >= 26, "only {seen} golden messages");
}

/// The captures of the Java library, or `None` with a word about it: the other tests have messages of their own.
fn captures() -> Option<PathBuf> {
    let shared = std::env::var_os("DDS_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let folder = shared.join("osci/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("NOT TESTED: no captures at {}; set DDS_SHARED", folder.display());
    None
}

fn bodies(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bodies(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "http-body") {
            found.push(path);
        }
    }
}

#[test]
fn every_capture_is_sound() {
    let Some(captures) = captures() else { return };
    let certificates = captures.join("certs");
    let keys = TempDir::with_prefix("osci-inspect-").unwrap();
    for role in ["originator", "addressee", "reader", "intermed"] {
        for ending in ["key", "pem"] {
            let name = format!("{role}_cipher.{ending}");
            fs::copy(certificates.join(&name), keys.path().join(&name)).unwrap();
        }
    }
    let mut files = Vec::new();
    bodies(&captures, &mut files);
    assert!(files.len() > 100, "only {} captures", files.len());
    let mut old = (0, 0);
    for file in &files {
        let text = file.display().to_string();
        let mut inspect = command(["osci", "inspect", &text, "--json", "--keys"]);
        inspect.arg(keys.path());
        let said = Said::from(inspect.output().unwrap());
        assert_eq!(said.code, Some(0), "{text}: {said:?}");
        let report = said.json();
        let findings = report["findings"].to_string();
        old.0 += usize::from(text.contains("smoke-cbc") && findings.contains("-cbc"));
        old.1 += usize::from(text.contains("smoke-rsa15") && findings.contains("#rsa-1_5"));
        let unsigned =
            text.contains("unsigned") || report["type"] == "Fault" || text.contains("99-reassembled");
        assert_eq!(report["signature"], if unsigned { "absent" } else { "valid" }, "{text}");
    }
    assert!(old.0 > 0 && old.1 > 0, "old algorithms are named: {old:?}");
    eprintln!("{} captures inspected", files.len());

    // PKCS #12 with its PIN; and the option of old is taken and changes nothing.
    let read = |name: &str, options: &[&str]| {
        let mut inspect = command(["osci", "inspect", "--json", "--keys"]);
        inspect.arg(&certificates).arg(captures.join(name)).args(options).env("DDS_TEST_PIN", "123456");
        Said::from(inspect.output().unwrap())
    };
    let message = "smoke-default/client/03-StoreDelivery.request.http-body";
    let report = read(message, &["--pin-env", "DDS_TEST_PIN"]).good().json();
    assert!(report["keys"].as_array().unwrap().len() > 5, "{}", report["keys"]);
    let old = "smoke-cbc/client/01-InitDialog.request.http-body";
    let [without, with] = [&["--pin-env", "DDS_TEST_PIN"][..], &["--legacy", "--pin-env", "DDS_TEST_PIN"]];
    assert_eq!(read(old, with).good().json(), read(old, without).good().json());
}
