//! Transport encryption and packaging: one answer for every failure, bounds, truncation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

mod fixture;

use std::sync::atomic::{AtomicUsize, Ordering};

use dds_osci::algorithm::{DataAlgorithm, IvLength, KeyTransport};
use dds_osci::certificate::Certificate;
use dds_osci::encryption::{TransportTarget, failure};
use dds_osci::feedback::{FeedbackCode, Refused};
use dds_osci::intake::{Intake, IntakeConfig, MemoryStore};
use dds_osci::keys::{Decrypter, KeyError};
use dds_osci::outgoing::{Outgoing, message_bytes};
use dds_osci::random::SystemRandom;
use fixture::{Message, certificate, decrypters, keys, read};

fn target() -> TransportTarget {
    TransportTarget::new(certificate(&keys().cipher).clone())
}

fn encrypted(message: &Message, envelope: &str, target: &TransportTarget) -> Vec<u8> {
    message_bytes(
        Outgoing::encrypted(envelope.as_bytes().to_vec(), target, &mut SystemRandom).unwrap(),
        &message.heads(),
    )
    .unwrap()
}

/// Pushes in pieces and says whether anything was refused before the end.
fn read_in_pieces(octets: &[u8], decrypters: &[&dyn Decrypter]) -> (bool, Result<(), Refused>) {
    let config = IntakeConfig::default();
    let mut intake = Intake::new(&config, decrypters, &mut SystemRandom, MemoryStore::default());
    for piece in octets.chunks(113) {
        if let Err(refused) = intake.push(piece) {
            return (true, Err(refused));
        }
    }
    (false, intake.finish().map(drop))
}

#[test]
fn all_algorithms_go_round() {
    let message = Message::new();
    let envelope = message.signed();
    for data in [DataAlgorithm::Aes128Gcm, DataAlgorithm::Aes192Gcm, DataAlgorithm::Aes256Gcm] {
        for iv in [IvLength::Twelve, IvLength::Sixteen] {
            let target = TransportTarget { data, iv, ..target() };
            let outgoing =
                Outgoing::encrypted(envelope.as_bytes().to_vec(), &target, &mut SystemRandom).unwrap();
            let heads: Vec<_> = message.heads().into_iter().map(|(head, _)| head).collect();
            let announced = outgoing.length(&heads).unwrap();
            let octets = message_bytes(outgoing, &message.heads()).unwrap();
            assert_eq!(announced, octets.len() as u64);
            let received = read(&octets).unwrap();
            assert_eq!(received.store.parts, [b"Anlage eins"]);
            let transport = received.transport.unwrap();
            assert_eq!((transport.data, transport.iv, transport.key), (data, iv, KeyTransport::DEFAULT));
        }
    }
}

#[test]
fn a_message_for_another_key_is_9200() {
    let message = Message::new();
    let target = TransportTarget::new(certificate(&keys().stranger).clone());
    assert_eq!(read(&encrypted(&message, &message.signed(), &target)).unwrap_err().code, FeedbackCode::S9200);
}

/// Counts the operations with the private key.
struct Counting(AtomicUsize);

impl Decrypter for Counting {
    fn certificate(&self) -> &Certificate {
        certificate(&keys().cipher)
    }

    fn unwrap_key(
        &self,
        transport: KeyTransport,
        wrapped: &[u8],
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, KeyError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        keys().cipher.unwrap_key(transport, wrapped)
    }
}

/// Padding oracle (facts 17): the same answer to the letter, and never before the last octet was worked through.
/// Without the random key in place of one that cannot be unwrapped, or with an answer as soon as the plaintext looks
/// wrong, `early` becomes true; without the tag deciding first, the code becomes 9100.
#[test]
fn every_failure_of_decryption_looks_alike() {
    let message = Message::new();
    let good = encrypted(&message, &message.signed(), &target());
    let counting = Counting(AtomicUsize::new(0));
    let decrypters: [&dyn Decrypter; 1] = [&counting];
    assert!(read_in_pieces(&good, &decrypters).1.is_ok());

    let find = |needle: &[u8], from: usize| {
        from + good[from..].windows(needle.len()).position(|window| window == needle).unwrap()
    };
    let cipher_value = find(b"<xenc:CipherValue>", 0) + 18;
    let cipher = find(b"<osci_enc>\r\n\r\n", 0) + 14;
    let end = find(b"\r\n--MIME_boundary", cipher);
    let mut broken: Vec<(String, Vec<u8>)> = Vec::new();
    for (what, place) in [
        ("iv", cipher),
        ("first octet: the MIME head", cipher + 12),
        ("the envelope", cipher + 700),
        ("the middle", (cipher + end) / 2),
        ("the tag", end - 1),
    ] {
        let mut octets = good.clone();
        // One bit, and so that neither a line end nor a boundary of the packaging comes about.
        octets[place] ^= if octets[place] ^ 1 == b'\r' { 4 } else { 1 };
        broken.push((what.to_owned(), octets));
    }
    let mut octets = good.clone();
    octets[cipher_value + 5] = if octets[cipher_value + 5] == b'A' { b'B' } else { b'A' };
    broken.push(("the wrapped key".to_owned(), octets));
    let mut octets = good.clone();
    octets.drain(cipher_value..find(b"</xenc:CipherValue>", 0));
    broken.push(("an empty wrapped key".to_owned(), octets));
    for cut in [1, 16, 200] {
        let mut octets = good.clone();
        octets.drain(end - cut..end);
        broken.push((format!("{cut} octets cut off"), octets));
    }
    let mut octets = good.clone();
    octets.drain(cipher..end);
    broken.push(("no ciphertext at all".to_owned(), octets));

    for (what, octets) in broken {
        let before = counting.0.load(Ordering::Relaxed);
        let (early, outcome) = read_in_pieces(&octets, &decrypters);
        assert!(!early, "{what}: refused before the end");
        assert_eq!(outcome.unwrap_err(), failure(), "{what}");
        assert_eq!(counting.0.load(Ordering::Relaxed), before + 1, "{what}: one operation with the key");
    }
}

/// What the partner itself wrote wrongly is named; the tag vouches for it.
#[test]
fn an_authentic_message_that_is_none_is_9100_at_the_end() {
    let message = Message::new();
    let (early, outcome) = read_in_pieces(&encrypted(&message, "<no-envelope/>", &target()), &decrypters());
    assert!(!early);
    assert_eq!(outcome.unwrap_err().code, FeedbackCode::S9100);

    let nested = String::from_utf8_lossy(&encrypted(&message, &message.signed(), &target())).into_owned();
    let start = nested.find("<?xml").unwrap();
    let outer = &nested[start..nested.find("</soap:Envelope>").unwrap() + "</soap:Envelope>".len()];
    let octets = encrypted(&Message { attachments: Vec::new(), ..Message::new() }, outer, &target());
    assert_eq!(read(&octets).unwrap_err().code, FeedbackCode::S9100, "nesting only once");
}

#[test]
fn truncated_messages_are_refused() {
    let message = Message::new();
    for octets in [message.packed(&message.signed()), encrypted(&message, &message.signed(), &target())] {
        for length in (0..octets.len() - 4).step_by(61) {
            assert!(read(&octets[..length]).is_err(), "{length} of {} octets", octets.len());
        }
    }
}

#[test]
fn pieces_of_any_size_read_alike() {
    let message = Message::new();
    let octets = encrypted(&message, &message.signed(), &target());
    let config = IntakeConfig::default();
    let ours = decrypters();
    for size in [1, 2, 3, 17, 1000, octets.len()] {
        let mut intake = Intake::new(&config, &ours, &mut SystemRandom, MemoryStore::default());
        octets.chunks(size).for_each(|piece| intake.push(piece).unwrap());
        let received = intake.finish().unwrap();
        assert_eq!(received.store.parts, [b"Anlage eins"]);
        assert_eq!(received.bytes, octets.len() as u64);
    }
}

#[test]
fn too_many_parts_and_too_many_octets_are_refused() {
    let mut message = Message::new();
    let envelope = message.signed();
    message.attachments = (0..10_000).map(|number| (format!("a{number}"), Vec::new())).collect();
    assert_eq!(read(&message.packed(&envelope)).unwrap_err().code, FeedbackCode::S9100);

    message.attachments = vec![("a".into(), Vec::new()), ("a".into(), Vec::new())];
    assert_eq!(read(&message.packed(&envelope)).unwrap_err().code, FeedbackCode::S9100, "Content-ID twice");

    let config = IntakeConfig { message_bytes: 1000, ..IntakeConfig::default() };
    let mut intake = Intake::new(&config, &[], &mut SystemRandom, MemoryStore::default());
    assert_eq!(intake.push(&Message::new().packed(&envelope)).unwrap_err().code, FeedbackCode::S9100);
}

#[test]
fn downgrades_of_the_encryption_are_refused() {
    let message = Message::new();
    let good = encrypted(&message, &message.signed(), &target());
    let text = good.iter().map(|byte| char::from(*byte)).collect::<String>();
    let bend = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        let octets: Vec<u8> =
            text.replacen(from, to, 1).chars().map(|char| u8::try_from(u32::from(char)).unwrap()).collect();
        read(&octets).unwrap_err().code
    };
    let method = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
    assert_eq!(bend(method, "http://www.w3.org/2001/04/xmlenc#aes256-cbc"), FeedbackCode::S9202);
    assert_eq!(bend(method, "urn:unknown"), FeedbackCode::S9202);
    assert_eq!(bend("Value=\"12\"", "Value=\"13\""), FeedbackCode::S9202);
    assert_eq!(
        bend("http://www.w3.org/2009/xmlenc11#rsa-oaep", "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"),
        FeedbackCode::S9202
    );
    assert_eq!(
        bend("http://www.w3.org/2009/xmlenc11#rsa-oaep", "http://www.w3.org/2001/04/xmlenc#rsa-1_5"),
        FeedbackCode::S9202
    );
    assert_eq!(bend("<xenc11:MGF", "<xenc:OAEPparams></xenc:OAEPparams><xenc11:MGF"), FeedbackCode::S9202);
    assert_eq!(
        bend("</xenc:EncryptionMethod>", "<xenc:KeySize>256</xenc:KeySize></xenc:EncryptionMethod>"),
        FeedbackCode::S9100
    );
    assert_eq!(bend("cid:osci_enc", "cid:other"), FeedbackCode::S9100);
}
