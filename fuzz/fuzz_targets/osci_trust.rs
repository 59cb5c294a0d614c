//! Certificates and revocation lists of partners, and what a responder answers (or somebody in its place).
#![no_main]

use std::sync::OnceLock;

use dds_osci::certificate::Certificate;
use dds_osci::random::SystemRandom;
use dds_osci::trust::{OcspRequest, RevocationList};
use libfuzzer_sys::fuzz_target;

/// A question about a certificate whose key nobody has any more.
fn question() -> &'static (OcspRequest, Certificate) {
    static QUESTION: OnceLock<(OcspRequest, Certificate)> = OnceLock::new();
    QUESTION.get_or_init(|| {
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = rcgen::CertificateParams::new(Vec::new())
            .and_then(|parameters| parameters.self_signed(&key))
            .expect("a certificate");
        let certificate = Certificate::from_pem(&certificate.pem()).expect("a certificate");
        let request = OcspRequest::new(&certificate, &certificate, &mut SystemRandom).expect("a question");
        (request, certificate)
    })
}

fuzz_target!(|octets: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(octets.to_vec()) {
        let again = Certificate::from_der(certificate.der().to_vec()).expect("what was read is read again");
        assert_eq!(again.sha256_hex(), certificate.sha256_hex());
        let _request = OcspRequest::new(&certificate, &certificate, &mut SystemRandom);
    }
    if let Ok(text) = std::str::from_utf8(octets) {
        let _certificates = (Certificate::from_pem(text), Certificate::from_base64(text));
    }
    if let Ok(list) = RevocationList::from_der(octets.to_vec()) {
        let _times = (list.this_update(), list.next_update());
    }
    let (request, certificate) = question();
    assert!(request.read(octets, certificate.not_before()).is_err(), "nobody can have signed this");
});
