//! Large attachments pass in constant memory, in both directions, signed and encrypted on both levels.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it saw and fails loudly"
)]

mod fixture;

use std::convert::Infallible;

use dds_osci::algorithm::DigestAlgorithm;
use dds_osci::content::{AttachmentCipher, AttachmentEncryption, AttachmentPart, AttachmentReader};
use dds_osci::encryption::TransportTarget;
use dds_osci::intake::{Intake, IntakeConfig, PartStore};
use dds_osci::mime::PartHeaders;
use dds_osci::outgoing::{AttachmentHead, Outgoing};
use dds_osci::random::SystemRandom;
use dds_osci::signature::{PartDigests, verify_message};
use fixture::{Message, certificate, decrypters, keys};

/// Mebibytes of the attachment; the figure for a whole gibibyte is taken with DDS_STREAM_MIB=1024 in a release build.
fn mebibytes() -> usize {
    std::env::var("DDS_STREAM_MIB").ok().and_then(|text| text.parse().ok()).unwrap_or(32)
}

const PIECE: usize = 64 << 10;

/// Keeps nothing, decrypts what passes.
struct Passing(Option<AttachmentReader>, Option<PartDigests>, Vec<u8>);

impl PartStore for Passing {
    type Handle = ();
    type Error = Infallible;

    fn begin(&mut self, _: &PartHeaders) -> Result<(), Infallible> {
        Ok(())
    }

    fn write(&mut self, octets: &[u8]) -> Result<(), Infallible> {
        self.2.clear();
        self.0.as_mut().unwrap().update(octets, &mut self.2);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Infallible> {
        self.1 = self.0.take().unwrap().finish(&mut self.2).ok();
        Ok(())
    }
}

fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?
        .trim()
        .strip_suffix("kB")?
        .trim()
        .parse()
        .ok()
}

#[test]
fn a_large_attachment_passes_in_constant_memory() {
    let pieces = mebibytes() * ((1 << 20) / PIECE);
    let piece = vec![0x5A; PIECE];
    let wrap = AttachmentEncryption::key(&mut SystemRandom);
    let (mut octets, mut wire) = (Vec::new(), Vec::new());

    // First pass: the digests, which the envelope must name before the attachment follows.
    let mut encryption = AttachmentEncryption::new("gross", &wrap, DigestAlgorithm::Sha256).unwrap();
    let mut length = 0;
    for _ in 0..pieces {
        octets.clear();
        encryption.update(&piece, &mut octets);
        length += octets.len() as u64;
    }
    octets.clear();
    let (plain, transported) = encryption.finish(&mut octets).unwrap();
    length += octets.len() as u64;

    // The fixture signs what it holds; here the digest comes from the first pass.
    let mut message = Message::new();
    message.attachments.clear();
    let mut envelope = String::new();
    SIGNED.with(|signed| {
        *signed.borrow_mut() = Some(transported.clone());
        message.references = |references| {
            SIGNED.with(|signed| {
                let digests = signed.borrow().clone().unwrap();
                references.push(dds_osci::signature::Reference::Attachment {
                    id: digests.content_id,
                    digest: digests.digests[0].1.clone(),
                });
            });
        };
    });
    envelope.push_str(&message.signed());

    let config = IntakeConfig::default();
    let ours = decrypters();
    let (data, iv) = AttachmentEncryption::METHOD;
    let cipher = AttachmentCipher { data, iv, key: wrap.key.clone() };
    let part = AttachmentPart {
        content_id: "gross".to_owned(),
        cipher: Some(cipher),
        digests: vec![DigestAlgorithm::Sha256],
    };
    let store = Passing(Some(AttachmentReader::new(&part).unwrap().unwrap()), None, Vec::new());
    let before = peak_kib();

    // Second pass: the same key over the same octets, out and in again.
    let target = TransportTarget::new(certificate(&keys().cipher).clone());
    let mut outgoing = Outgoing::encrypted(envelope.into_bytes(), &target, &mut SystemRandom).unwrap();
    let head = AttachmentHead {
        content_id: "gross".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        length: Some(length),
    };
    let announced = outgoing.length(std::slice::from_ref(&head)).unwrap();
    let mut intake = Intake::new(&config, &ours, &mut SystemRandom, store);
    let mut encryption = AttachmentEncryption::new("gross", &wrap, DigestAlgorithm::Sha256).unwrap();
    outgoing.start(&mut wire);
    outgoing.attachment(&head, &mut wire);
    for _ in 0..pieces {
        octets.clear();
        encryption.update(&piece, &mut octets);
        outgoing.data(&octets, &mut wire);
        intake.push(&wire).unwrap();
        wire.clear();
    }
    octets.clear();
    encryption.finish(&mut octets).unwrap();
    outgoing.data(&octets, &mut wire);
    outgoing.finish(&mut wire).unwrap();
    intake.push(&wire).unwrap();

    let received = intake.finish().unwrap();
    assert_eq!(received.bytes, announced);
    assert_eq!(received.attachments[0].bytes, length);
    assert_eq!(received.store.1.as_ref(), Some(&plain));
    verify_message(&received.document, received.kind, &received.digests(), &config.policy).require().unwrap();
    if let (Some(before), Some(after)) = (before, peak_kib()) {
        eprintln!("{} MiB: peak memory {before} KiB before, {after} KiB after", mebibytes());
        assert!(after - before < 8 << 10, "peak memory grew from {before} to {after} KiB");
    }
}

thread_local! {
    static SIGNED: std::cell::RefCell<Option<PartDigests>> = const { std::cell::RefCell::new(None) };
}
