//! Old algorithms under a policy that lets them be read: CBC, 3DES and RSA-1.5, and no oracle in any of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

mod fixture;

use std::ops::Range;

use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::NoPadding};
use dds_osci::algorithm::{CryptoPolicy, DataAlgorithm, DigestAlgorithm, IvLength, KeyTransport};
use dds_osci::content::{LayerState, open, package};
use dds_osci::encryption::{KeyWrap, TransportTarget, failure, write_content, write_transport};
use dds_osci::feedback::{FeedbackCode, Refused};
use dds_osci::inspect::{Finding, inspect};
use dds_osci::intake::{Intake, IntakeConfig, MemoryStore, Received};
use dds_osci::outgoing::{AttachmentHead, Outgoing, message_bytes};
use dds_osci::random::SystemRandom;
use fixture::{Message, body, certificate, decrypters, keys};

const OLD: [DataAlgorithm; 4] = [
    DataAlgorithm::Aes128Cbc,
    DataAlgorithm::Aes192Cbc,
    DataAlgorithm::Aes256Cbc,
    DataAlgorithm::TripleDesCbc,
];
const OAEP: KeyTransport = KeyTransport::Oaep(DigestAlgorithm::Sha256);

fn config(allow_cbc: bool, allow_rsa15: bool) -> IntakeConfig {
    let policy = CryptoPolicy { allow_cbc, allow_rsa15, ..CryptoPolicy::default() };
    IntakeConfig { policy, ..IntakeConfig::default() }
}

/// IV and ciphertext, as partners of old wrote them (XML Encryption 5.2: the last octet counts the padding).
fn cbc(data: DataAlgorithm, key: &[u8], iv: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let padding = iv.len() - plaintext.len() % iv.len();
    let mut padded = [plaintext, &vec![0xA5; padding]].concat();
    *padded.last_mut().unwrap() = u8::try_from(padding).unwrap();
    macro_rules! encrypt {
        ($cipher:ty) => {
            cbc::Encryptor::<$cipher>::new_from_slices(key, iv)
                .unwrap()
                .encrypt_padded_vec::<NoPadding>(&padded)
        };
    }
    let octets = match data {
        DataAlgorithm::Aes128Cbc => encrypt!(aes::Aes128),
        DataAlgorithm::Aes192Cbc => encrypt!(aes::Aes192),
        DataAlgorithm::Aes256Cbc => encrypt!(aes::Aes256),
        DataAlgorithm::TripleDesCbc => encrypt!(des::TdesEde3),
        other => panic!("{other:?}"),
    };
    [iv, &octets].concat()
}

/// An encrypted message that a test bends: the outer envelope, and the octets it names.
struct Sealed {
    envelope: Vec<u8>,
    octets: Vec<u8>,
    /// Length of IV and block.
    block: usize,
}

impl Sealed {
    fn new(inner: &[u8], data: DataAlgorithm, key: KeyTransport) -> Self {
        let certificate = certificate(&keys().cipher).clone();
        let target = TransportTarget { certificate, data, iv: IvLength::Sixteen, key };
        let wrap = KeyWrap::fresh(data, target.iv, &mut SystemRandom);
        let envelope = write_transport(&target, &wrap.key, "osci_enc").unwrap();
        Self { envelope, octets: cbc(data, &wrap.key, &wrap.iv, inner), block: wrap.iv.len() }
    }

    fn message(&self) -> Vec<u8> {
        let head = AttachmentHead {
            content_id: "osci_enc".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            length: None,
        };
        let outgoing = Outgoing::plain(self.envelope.clone(), &mut SystemRandom);
        message_bytes(outgoing, &[(head, self.octets.as_slice())]).unwrap()
    }

    fn read(&self, config: &IntakeConfig) -> Result<Received<MemoryStore>, Refused> {
        self.read_as(config).1
    }

    /// Reads it in pieces; `true` if it was refused before the end.
    fn read_as(&self, config: &IntakeConfig) -> (bool, Result<Received<MemoryStore>, Refused>) {
        let ours = decrypters();
        let mut intake = Intake::new(config, &ours, &mut SystemRandom, MemoryStore::default());
        for piece in self.message().chunks(113) {
            if let Err(refused) = intake.push(piece) {
                return (true, Err(refused));
            }
        }
        (false, intake.finish())
    }

    fn with(&self, octets: Vec<u8>) -> Self {
        Self { envelope: self.envelope.clone(), octets, block: self.block }
    }

    /// One bit of each of these octets is another.
    fn bent(&self, places: Range<usize>) -> Self {
        let mut octets = self.octets.clone();
        octets[places].iter_mut().for_each(|octet| *octet ^= 1);
        self.with(octets)
    }
}

#[test]
fn each_permission_opens_its_algorithm_and_no_other() {
    let message = Message::new();
    let inner = message.packed(&message.signed());
    for data in OLD {
        for key in [OAEP, KeyTransport::Rsa15] {
            let sealed = Sealed::new(&inner, data, key);
            let received = sealed.read(&config(true, true)).unwrap();
            assert_eq!(received.store.parts, [b"Anlage eins"]);
            let transport = received.transport.unwrap();
            assert_eq!((transport.data, transport.key), (data, key));
            let code = |config| sealed.read(&config).map(drop).map_err(|refused| refused.code);
            let refused = Err(FeedbackCode::S9202);
            assert_eq!(code(IntakeConfig::default()), refused, "{data:?} {key:?}");
            assert_eq!(code(config(false, true)), refused, "{data:?} {key:?}");
            assert_eq!(code(config(true, false)).is_ok(), key == OAEP, "{data:?} {key:?}");
        }
    }
    let gcm = TransportTarget {
        key: KeyTransport::Rsa15,
        ..TransportTarget::new(certificate(&keys().cipher).clone())
    };
    let outgoing = Outgoing::encrypted(message.signed().into_bytes(), &gcm, &mut SystemRandom).unwrap();
    let octets = message_bytes(outgoing, &message.heads()).unwrap();
    let code = |config: &IntakeConfig| {
        let read = dds_osci::intake::read_all(config, &decrypters(), &mut SystemRandom, &octets);
        read.map(drop).map_err(|refused| refused.code)
    };
    assert_eq!(code(&config(false, true)), Ok(()));
    assert_eq!(code(&config(true, false)), Err(FeedbackCode::S9202));
}

/// An inspection reads them and names each.
#[test]
fn inspection_names_what_is_old() {
    let message = Message::new();
    let sealed =
        Sealed::new(&message.packed(&message.signed()), DataAlgorithm::TripleDesCbc, KeyTransport::Rsa15);
    let report = inspect(&sealed.message(), &decrypters(), &config(true, true), &mut SystemRandom);
    let old = [DataAlgorithm::TripleDesCbc.uri(), KeyTransport::Rsa15.uri()].map(Finding::Algorithm);
    let algorithms = report.findings.into_iter().filter(|finding| matches!(finding, Finding::Algorithm(_)));
    assert_eq!(algorithms.collect::<Vec<_>>(), old);
    assert_eq!(report.signature.verdict, "valid");
}

/// The attack of 2017 (facts 17): two blocks behind the ciphertext, the second one of the message, and all values of
/// the octet before it that its padding depends on. A reader that overlooks what stands behind the closing boundary
/// takes every sixteenth of them.
#[test]
fn appended_blocks_tell_nothing() {
    let message = Message::new();
    let inner = message.packed(&message.signed());
    let config = config(true, true);
    for data in [DataAlgorithm::Aes256Cbc, DataAlgorithm::TripleDesCbc] {
        let sealed = Sealed::new(&inner, data, OAEP);
        let block = sealed.block;
        let wanted = &sealed.octets[20 * block..21 * block];
        for value in 0..=255 {
            let mut before = vec![0x5A; block];
            before[block - 1] = value;
            let appended = sealed.with([&sealed.octets, before.as_slice(), wanted].concat());
            let (early, read) = appended.read_as(&config);
            assert!(!early, "{data:?} {value}");
            assert_eq!(read.map(drop), Err(failure()), "{data:?} {value}");
        }
    }
}

/// Padding, structure, and what stands behind the end: one answer, and only at the end.
#[test]
fn every_failure_of_decryption_looks_alike() {
    let message = Message::new();
    let good = message.packed(&message.signed());
    let config = config(true, true);
    for data in OLD {
        for key in [OAEP, KeyTransport::Rsa15] {
            let sealed = Sealed::new(&good, data, key);
            assert!(sealed.read(&config).is_ok());
            let (block, end) = (sealed.block, sealed.octets.len());
            let mut broken = vec![
                ("MIME head", sealed.bent(block..block + 160)),
                ("envelope", sealed.bent(900..1000)),
                ("last block", sealed.bent(end - 2 * block..end)),
                ("half a block", sealed.with(sealed.octets[..end - block / 2].to_vec())),
                ("last block cut off", sealed.with(sealed.octets[..end - block].to_vec())),
                ("half of it cut off", sealed.with(sealed.octets[..end / 2 / block * block].to_vec())),
                ("nothing but the IV", sealed.with(sealed.octets[..block].to_vec())),
                ("nothing", sealed.with(Vec::new())),
            ];
            for (what, inner) in [
                ("octets behind the end", [&good, b"\r\n".as_slice()].concat()),
                ("no MIME", b"<no-mime/>".to_vec()),
                ("no envelope", message.packed("<no-envelope/>")),
                ("XML broken", message.packed("<no-end>")),
                ("nested", sealed.message()),
                ("empty", Vec::new()),
            ] {
                broken.push((what, Sealed::new(&inner, data, key)));
            }
            let text = String::from_utf8(sealed.envelope.clone()).unwrap();
            let start = text.find("<xenc:CipherValue>").unwrap() + 18;
            for wrapped in ["A".repeat(512), "QUJD".to_owned(), String::new()] {
                let rest = &text[text.find("</xenc:CipherValue>").unwrap()..];
                let envelope = format!("{}{wrapped}{rest}", &text[..start]).into_bytes();
                broken.push(("wrapped key", Sealed { envelope, octets: sealed.octets.clone(), block }));
            }
            for (what, broken) in broken {
                let (early, read) = broken.read_as(&config);
                assert!(!early, "{data:?} {key:?} {what}: refused before the end");
                assert_eq!(read.map(drop), Err(failure()), "{data:?} {key:?} {what}");
            }
        }
    }
}

/// A container for us, one layer down: the same rule.
#[test]
fn a_layer_of_content_fails_alike() {
    let container = dds_osci::content::ContainerDraft::new("offen").inline("c1", b"Geheimnis");
    let container = container.write(&[], Default::default()).unwrap();
    for data in OLD {
        for key in [OAEP, KeyTransport::Rsa15] {
            let state = |plaintext: &[u8], bend: &dyn Fn(&mut Vec<u8>), config: &IntakeConfig| {
                let wrap = KeyWrap::fresh(data, IvLength::Sixteen, &mut SystemRandom);
                let mut octets = cbc(data, &wrap.key, &wrap.iv, plaintext);
                bend(&mut octets);
                let readers = [("addressee_cipher_1", certificate(&keys().cipher))];
                let encrypted =
                    write_content("geheim", &readers, key, (data, IvLength::Sixteen), &wrap.key, &octets)
                        .unwrap();
                let body = body(std::str::from_utf8(&package(&[encrypted], &[])).unwrap());
                let message = Message { body, ..Message::new() };
                let received = fixture::read(&message.packed(&message.signed())).unwrap();
                let digests = received.digests();
                let content = open(&received.document, &digests, &decrypters(), config, &mut SystemRandom);
                content.unwrap().encrypted.remove(0).state
            };
            let as_it_is = |_: &mut Vec<u8>| {};
            let permissive = config(true, true);
            assert!(
                matches!(state(&container, &as_it_is, &permissive), LayerState::Opened(_)),
                "{data:?} {key:?}"
            );
            let strict = state(&container, &as_it_is, &IntakeConfig::default());
            assert!(matches!(&strict, LayerState::Failed(refused) if refused.code == FeedbackCode::S9202));
            let failed = |state: LayerState| match state {
                LayerState::Failed(refused) => assert_eq!(refused, failure(), "{data:?} {key:?}"),
                other => panic!("{data:?} {key:?} {other:?}"),
            };
            failed(state(b"<no-container/>", &as_it_is, &permissive));
            failed(state(b"<no-end>", &as_it_is, &permissive));
            failed(state(&container, &|octets| octets.truncate(octets.len() - 3), &permissive));
            failed(state(
                &container,
                &|octets| octets[20..90].iter_mut().for_each(|octet| *octet ^= 1),
                &permissive,
            ));
        }
    }
}
