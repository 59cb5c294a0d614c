//! What comes after the key: the plaintext of a message that an attacker may have written, and every bent octet of an
//! encrypted one.
#![no_main]

use std::sync::OnceLock;

use dds_osci::algorithm::{CryptoPolicy, DataAlgorithm, IvLength};
use dds_osci::certificate::Certificate;
use dds_osci::encryption::{TransportTarget, failure};
use dds_osci::intake::{IntakeConfig, read_all};
use dds_osci::keys::{Decrypter, SoftwareKey};
use dds_osci::outgoing::{Outgoing, message_bytes};
use dds_osci::random::SystemRandom;
use libfuzzer_sys::fuzz_target;

fn key() -> &'static (SoftwareKey, Certificate) {
    static KEY: OnceLock<(SoftwareKey, Certificate)> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072)
            .expect("a key");
        let certificate = rcgen::CertificateParams::new(Vec::new())
            .and_then(|parameters| parameters.self_signed(&pair))
            .expect("a certificate");
        let key = SoftwareKey::from_pem(&pair.serialize_pem(), &certificate.pem()).expect("a key");
        let certificate = Decrypter::certificate(&key).clone();
        (key, certificate)
    })
}

fuzz_target!(|input: (u16, u8, &[u8])| {
    let (place, bits, envelope) = input;
    let (key, certificate) = key();
    let target = TransportTarget {
        data: DataAlgorithm::Aes128Gcm,
        iv: IvLength::Twelve,
        ..TransportTarget::new(certificate.clone())
    };
    let outgoing = Outgoing::encrypted(envelope.to_vec(), &target, &mut SystemRandom).expect("encrypted");
    let mut octets = message_bytes(outgoing, &[]).expect("a message");
    let config = IntakeConfig { policy: CryptoPolicy::default(), ..IntakeConfig::default() };
    let decrypters: [&dyn Decrypter; 1] = [key];

    // Unbent: an envelope of anyone, authentic as to the cipher. It must not crash, and must not look like a failure of
    // decryption.
    if let Err(refused) = read_all(&config, &decrypters, &mut SystemRandom, &octets) {
        assert_ne!(refused, failure());
    }
    // Bent inside the ciphertext: one answer, whatever the plaintext became.
    let start =
        octets.windows(14).position(|window| window == b"<osci_enc>\r\n\r\n").expect("the encrypted part")
            + 14;
    let end = octets.len() - 4;
    let close =
        (start..end).rev().find(|at| octets[*at..].starts_with(b"\r\n--")).expect("the end of the part");
    let at = start + usize::from(place) % (close - start);
    octets[at] ^= bits;
    let bent = read_all(&config, &decrypters, &mut SystemRandom, &octets);
    let looks_like_packaging = octets[start..close].windows(4).any(|window| window == b"\r\n--");
    if bits != 0 && !looks_like_packaging {
        assert_eq!(bent.err(), Some(failure()));
    }
});
