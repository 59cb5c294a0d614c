use super::*;

#[test]
fn every_uri_names_its_algorithm_and_no_other() {
    for algorithm in DigestAlgorithm::ALL {
        assert_eq!(DigestAlgorithm::from_uri(algorithm.uri()), Some(*algorithm));
    }
    for algorithm in SignatureAlgorithm::ALL {
        assert_eq!(SignatureAlgorithm::from_uri(algorithm.uri()), Some(*algorithm));
    }
    for algorithm in DataAlgorithm::ALL {
        assert_eq!(DataAlgorithm::from_uri(algorithm.uri()), Some(*algorithm));
    }
    assert_eq!(SignatureAlgorithm::from_uri("http://www.w3.org/2001/04/xmldsig-more#RSA-sha256"), None);
}

#[test]
fn key_transport_is_read_only_whole() {
    const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
    const MGF: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";
    let sha256 = Some(DigestAlgorithm::Sha256.uri());
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
        let transport = KeyTransport::Oaep(digest);
        let read = KeyTransport::from_uris(transport.uri(), transport.mgf_uri(), Some(digest.uri()));
        assert_eq!(read, Some(transport));
    }
    assert_eq!(KeyTransport::from_uris(KeyTransport::Rsa15.uri(), None, None), Some(KeyTransport::Rsa15));
    // INTEROP N32.
    for (method, mgf, digest) in [
        (OAEP, None, sha256),
        (OAEP, Some(MGF), None),
        (OAEP, Some("http://www.w3.org/2009/xmlenc11#mgf1sha512"), sha256),
        (OAEP, Some("http://www.w3.org/2009/xmlenc11#mgf1sha1"), Some(DigestAlgorithm::Sha1.uri())),
        (OAEP, Some(MGF), Some(DigestAlgorithm::Sha3_256.uri())),
        ("http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p", Some(MGF), sha256),
        ("http://www.w3.org/2001/04/xmlenc#rsa-1_5", Some(MGF), sha256),
    ] {
        assert_eq!(KeyTransport::from_uris(method, mgf, digest), None, "{method} {mgf:?} {digest:?}");
    }
}

#[test]
fn iv_length_is_twelve_or_sixteen() {
    assert_eq!(IvLength::from_element(None), Some(IvLength::Sixteen));
    assert_eq!(IvLength::from_element(Some("12")), Some(IvLength::Twelve));
    assert_eq!(IvLength::from_element(Some("16")), Some(IvLength::Sixteen));
    assert_eq!(IvLength::from_element(Some("13")), None);
    assert_eq!(IvLength::from_element(Some("")), None);
}

#[test]
fn the_policy_is_strict_by_default() {
    let strict = CryptoPolicy::default();
    for algorithm in SignatureAlgorithm::ALL {
        let legacy = matches!(algorithm, SignatureAlgorithm::RsaSha1 | SignatureAlgorithm::RsaRipemd160);
        assert_eq!(strict.accepts_signature(*algorithm), !legacy, "{algorithm:?}");
    }
    for algorithm in DataAlgorithm::ALL {
        assert_eq!(strict.accepts_data(*algorithm), algorithm.is_authenticated(), "{algorithm:?}");
    }
    assert!(strict.accepts_transport(KeyTransport::DEFAULT));
    assert!(!strict.accepts_transport(KeyTransport::Rsa15));
    assert!(!strict.accepts_transport(KeyTransport::Oaep(DigestAlgorithm::Sha1)));
    assert!(!strict.accepts_key(PublicKeyKind::Rsa { bits: 3071 }));
    assert!(strict.accepts_key(PublicKeyKind::Rsa { bits: 3072 }));
    assert!(strict.accepts_key(PublicKeyKind::Ec { curve: Curve::P521 }));
    assert!(!strict.accepts_key(PublicKeyKind::Ec { curve: Curve::Other }));
    assert!(!strict.accepts_key(PublicKeyKind::Other));

    let lax = CryptoPolicy { allow_cbc: true, allow_rsa15: true, allow_sha1: true, ..strict };
    assert!(lax.accepts_data(DataAlgorithm::TripleDesCbc) && lax.accepts_transport(KeyTransport::Rsa15));
    assert!(lax.accepts_digest(DigestAlgorithm::Sha1));
    assert!(!lax.accepts_digest(DigestAlgorithm::Ripemd160), "never, whatever the policy");
}

/// Known answers: FIPS 180-4 and FIPS 202, the message "abc".
#[test]
fn digests() {
    let cases = [
        (DigestAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (DigestAlgorithm::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
        (DigestAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    ];
    for (algorithm, expected) in cases {
        let mut hasher = Hasher::new(algorithm).unwrap();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(crate::certificate::hex(&hasher.finish()), expected);
    }
    for (algorithm, len) in
        [(DigestAlgorithm::Sha512, 64), (DigestAlgorithm::Sha3_384, 48), (DigestAlgorithm::Sha3_512, 64)]
    {
        assert_eq!(Hasher::digest(algorithm, b"abc").unwrap().len(), len);
    }
    assert!(Hasher::new(DigestAlgorithm::Ripemd160).is_none());
}
