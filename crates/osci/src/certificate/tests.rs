use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::algorithm::DigestAlgorithm;

/// Value of a line of `pss-sha3.txt`.
fn known(name: &str) -> Vec<u8> {
    let line = include_str!("pss-sha3.txt").lines().find_map(|line| line.strip_prefix(name)).unwrap();
    STANDARD.decode(line.trim()).unwrap()
}

#[test]
fn what_a_certificate_says() {
    let certificate = Certificate::from_der(known("certificate ")).unwrap();
    assert_eq!(certificate.subject(), "CN=Erfundene Behoerde");
    assert_eq!(certificate.issuer(), "CN=Erfundene Behoerde");
    assert_eq!(certificate.serial(), "4711");
    assert_eq!(certificate.key(), PublicKeyKind::Rsa { bits: 2048 });
    assert_eq!(certificate.not_before(), "2026-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(certificate.not_after(), "2036-01-01T00:00:00Z".parse().unwrap());
    assert!(certificate.may_sign() && certificate.may_encrypt(), "no keyUsage permits both");
    assert_eq!(certificate.sha256_hex().len(), 64);

    let wrapped_lines = STANDARD.encode(certificate.der()).replace("AA", "AA\r\n  ");
    assert_eq!(Certificate::from_base64(&wrapped_lines).as_ref(), Ok(&certificate));
    let pem = format!("x\n-----BEGIN CERTIFICATE-----\n{wrapped_lines}\n-----END CERTIFICATE-----\n");
    assert_eq!(Certificate::from_pem(&pem).as_ref(), Ok(&certificate));
}

#[test]
fn what_is_no_certificate() {
    let der = known("certificate ");
    assert_eq!(Certificate::from_base64("%%"), Err(CertificateError::Base64));
    assert!(matches!(Certificate::from_pem("nothing"), Err(CertificateError::Malformed(_))));
    assert!(matches!(
        Certificate::from_der([der.clone(), vec![0]].concat()),
        Err(CertificateError::Malformed(_))
    ));
    for len in 0..der.len() {
        assert!(Certificate::from_der(der[..len].to_vec()).is_err());
    }
}

/// Known answers of another implementation, for the only signature arithmetic of our own.
#[test]
fn pss_with_sha3_is_verified() {
    use SignatureAlgorithm as A;
    let certificate = Certificate::from_der(known("certificate ")).unwrap();
    for (algorithm, name) in
        [(A::PssSha3_256, "sha3-256 "), (A::PssSha3_384, "sha3-384 "), (A::PssSha3_512, "sha3-512 ")]
    {
        let signature = known(name);
        assert!(certificate.verify(algorithm, b"Nachricht", &signature), "{algorithm:?}");
        assert!(!certificate.verify(algorithm, b"nachricht", &signature), "{algorithm:?}");
        for other in A::ALL.iter().filter(|other| **other != algorithm) {
            assert!(!certificate.verify(*other, b"Nachricht", &signature), "{algorithm:?} is not {other:?}");
        }
        for index in (0..signature.len()).step_by(17) {
            let mut damaged = signature.clone();
            damaged[index] ^= 1;
            assert!(!certificate.verify(algorithm, b"Nachricht", &damaged));
        }
        let zero_led = [&[0], signature.as_slice()].concat();
        assert!(!certificate.verify(algorithm, b"Nachricht", &zero_led), "the length is part of the form");
        for degenerate in [vec![], vec![0; 256], vec![0xff; 256], [vec![0; 255], vec![1]].concat()] {
            assert!(!certificate.verify(algorithm, b"Nachricht", &degenerate));
        }
    }
    let short = known("short-salt ");
    assert!(
        !certificate.verify(A::PssSha3_256, b"Nachricht", &short),
        "the salt has the length of the digest"
    );
}

#[test]
fn keys_are_wrapped_only_in_ways_oaep_has() {
    let certificate = Certificate::from_der(known("certificate ")).unwrap();
    for digest in DigestAlgorithm::ALL {
        let usable =
            matches!(digest, DigestAlgorithm::Sha256 | DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512);
        assert_eq!(certificate.wrap_key(KeyTransport::Oaep(*digest), &[7; 32]).is_ok(), usable, "{digest:?}");
    }
    assert_eq!(
        certificate.wrap_key(KeyTransport::DEFAULT, &[7; 1000]),
        Err(KeyError::Operation),
        "too long to wrap"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_certificates_never_panic(at in 0_usize..700, with in any::<u8>(), signature in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut der = known("certificate ");
        let len = der.len();
        der[at % len] = with;
        if let Ok(certificate) = Certificate::from_der(der) {
            for algorithm in SignatureAlgorithm::ALL {
                prop_assert!(!certificate.verify(*algorithm, b"x", &signature));
            }
            if let Ok(wrapped) = certificate.wrap_key(KeyTransport::DEFAULT, &[7; 32]) {
                prop_assert!(!wrapped.is_empty());
            }
        }
    }
}

#[test]
fn a_certificate_that_was_read_lately_is_the_same_object_and_another_is_another() {
    let der = known("certificate ");
    let (one, again) =
        (Certificate::from_der(der.clone()).unwrap(), Certificate::from_der(der.clone()).unwrap());
    assert!(Arc::ptr_eq(&one.0, &again.0));
    // The octets of the signature say nothing that is read here.
    let mut other = der;
    if let Some(last) = other.last_mut() {
        *last ^= 1;
    }
    let other = Certificate::from_der(other).unwrap();
    assert_ne!(one, other);
    assert_ne!(one.sha256_hex(), other.sha256_hex());
}

#[test]
fn those_read_lately_are_not_kept_without_bound() {
    let der = known("certificate ");
    for change in 0..=u16::try_from(KEPT).unwrap() {
        let mut der = der.clone();
        let place = der.len() - 2;
        der[place..].copy_from_slice(&change.to_be_bytes());
        Certificate::from_der(der).unwrap();
        assert!(LATELY.lock().unwrap().len() <= KEPT);
    }
}
