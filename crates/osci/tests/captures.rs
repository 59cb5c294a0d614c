//! Every capture of the Java library 2.4.1 is read, decrypted and verified.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it saw and fails loudly"
)]

mod shared;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dds_osci::algorithm::{CryptoPolicy, DataAlgorithm, KeyTransport};
use dds_osci::content::{self, AttachmentReader, LayerState};
use dds_osci::feedback::FeedbackCode;
use dds_osci::intake::{IntakeConfig, MemoryStore, Received, read_all};
use dds_osci::keys::{Decrypter, SoftwareKey};
use dds_osci::message::MessageKind;
use dds_osci::random::SystemRandom;
use dds_osci::signature::{Verdict, verify_message};

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "http-body" || extension == "plain") {
            found.push(path);
        }
    }
    found.sort();
}

fn keys(captures: &Path) -> Vec<SoftwareKey> {
    ["originator", "addressee", "reader", "intermed"]
        .iter()
        .map(|role| {
            let read = |extension: &str| {
                std::fs::read_to_string(captures.join(format!("certs/{role}_cipher.{extension}"))).unwrap()
            };
            SoftwareKey::from_pem(&read("key"), &read("pem")).unwrap()
        })
        .collect()
}

fn permissive() -> IntakeConfig {
    IntakeConfig {
        policy: CryptoPolicy { allow_cbc: true, allow_rsa15: true, ..CryptoPolicy::default() },
        ..IntakeConfig::default()
    }
}

#[test]
fn every_capture_is_read_decrypted_and_verified() {
    let Some(captures) = shared::shared("captures") else { return };
    let (keys, config) = (keys(&captures), permissive());
    let decrypters: Vec<&dyn Decrypter> = keys.iter().map(|key| key as &dyn Decrypter).collect();
    let mut paths = Vec::new();
    files(&captures, &mut paths);
    assert!(paths.len() > 250, "only {} captures", paths.len());

    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for path in &paths {
        let name = path.strip_prefix(&captures).unwrap().display().to_string();
        let octets = std::fs::read(path).unwrap();
        let received = read_all(&config, &decrypters, &mut SystemRandom, &octets)
            .unwrap_or_else(|refused| panic!("{name}: {refused}"));
        *seen.entry("messages").or_default() += 1;
        if received.transport.is_some() {
            *seen.entry("decrypted").or_default() += 1;
        }
        if received.kind == MessageKind::Fault {
            continue;
        }
        let verdict = verify_message(&received.document, received.kind, &received.digests(), &config.policy);
        // The stand-in intermediary did not sign the message it cut into chunks.
        if name.contains("unsigned") || name.contains("99-reassembled") {
            assert_eq!(verdict.verdict, Verdict::Absent, "{name}");
            assert_eq!(verdict.require().unwrap_err().code, FeedbackCode::S9600);
        } else {
            verdict.require().unwrap_or_else(|refused| panic!("{name}: {refused}: {:?}", verdict.faults));
            assert!(verdict.covers(received.document.body().unwrap().id()), "{name}");
            *seen.entry("message signatures").or_default() += 1;
        }
        contents(&name, &received, &decrypters, &config, &mut seen);
    }
    eprintln!("{seen:?}");
    for what in [
        "decrypted",
        "message signatures",
        "containers",
        "content signatures",
        "layers opened",
        "encrypted attachments",
    ] {
        assert!(seen.get(what).is_some_and(|count| *count > 0), "no {what} in the captures");
    }
}

fn contents(
    name: &str,
    received: &Received<MemoryStore>,
    decrypters: &[&dyn Decrypter],
    config: &IntakeConfig,
    seen: &mut BTreeMap<&str, usize>,
) {
    let mut content =
        content::open(&received.document, &received.digests(), decrypters, config, &mut SystemRandom)
            .unwrap_or_else(|refused| panic!("{name}: {refused}"));
    for encrypted in content.all_encrypted() {
        match &encrypted.state {
            LayerState::Opened(_) => *seen.entry("layers opened").or_default() += 1,
            LayerState::Closed => panic!("{name}: no key for {:?}", encrypted.id),
            LayerState::Failed(refused) => panic!("{name}: {refused}"),
        }
    }
    let parts: Vec<_> = content.attachments().into_iter().cloned().collect();
    for part in &parts {
        let Some(reader) = AttachmentReader::new(part) else { continue };
        let mut reader = reader.unwrap();
        let attachment =
            received.attachments.iter().find(|attachment| attachment.content_id == part.content_id).unwrap();
        let mut plaintext = Vec::new();
        for piece in received.store.parts[attachment.handle].chunks(7) {
            reader.update(piece, &mut plaintext);
        }
        let digests = reader
            .finish(&mut plaintext)
            .unwrap_or_else(|refused| panic!("{name}: {}: {refused}", part.content_id));
        content.settle(&digests);
        *seen.entry("encrypted attachments").or_default() += 1;
    }
    for container in content.all_containers() {
        *seen.entry("containers").or_default() += 1;
        for signature in &container.signatures {
            assert_eq!(
                signature.verdict,
                Verdict::Valid,
                "{name}: {:?}: {:?}",
                container.id,
                signature.faults
            );
            *seen.entry("content signatures").or_default() += 1;
        }
    }
}

#[test]
fn the_strict_policy_refuses_rsa15_and_cbc() {
    let Some(captures) = shared::shared("captures") else { return };
    let (keys, strict) = (keys(&captures), IntakeConfig::default());
    let decrypters: Vec<&dyn Decrypter> = keys.iter().map(|key| key as &dyn Decrypter).collect();
    for (name, data, key) in [
        ("smoke-rsa15/client/01-InitDialog.request.http-body", DataAlgorithm::Aes256Gcm, KeyTransport::Rsa15),
        ("smoke-cbc/client/01-InitDialog.request.http-body", DataAlgorithm::Aes256Cbc, KeyTransport::DEFAULT),
    ] {
        let octets = std::fs::read(captures.join(name)).unwrap();
        let refused = read_all(&strict, &decrypters, &mut SystemRandom, &octets).unwrap_err();
        assert_eq!(refused.code, FeedbackCode::S9202, "{name}");
        let transport =
            read_all(&permissive(), &decrypters, &mut SystemRandom, &octets).unwrap().transport.unwrap();
        assert_eq!((transport.data, transport.key), (data, key), "{name}");
    }
}

#[test]
fn a_changed_octet_anywhere_in_the_body_breaks_the_signature() {
    let Some(captures) = shared::shared("captures") else { return };
    let octets = std::fs::read(captures.join("smoke-plain/client/03-StoreDelivery.request.plain")).unwrap();
    let config = IntakeConfig::default();
    let mut octets = octets;
    let place = octets.windows(6).position(|window| window == b"Betref").unwrap();
    octets[place] = b'C';
    let received = read_all(&config, &[], &mut SystemRandom, &octets).unwrap();
    let verdict = verify_message(&received.document, received.kind, &received.digests(), &config.policy);
    let refused = verdict.require().unwrap_err();
    assert_eq!(refused.code, FeedbackCode::S9601);
    assert_eq!(verdict.faults[0].place, "#storedelivery");
    assert!(!verdict.covers(received.document.body().unwrap().id()));
}
