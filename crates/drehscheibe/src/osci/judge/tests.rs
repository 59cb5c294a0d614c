use std::{fs, path::Path};

use dds_config::ProcessConfig;
use dds_message::{Clock as _, Severity};
use dds_testbench::{ManualClock, OsciPki};
use tempfile::TempDir;

use super::*;

const GOOD: &str = r#"
store = "store"
master_key = "env:NOT_LOOKED_AT"
[osci.identities.vermittler]
cipher = { key = "vermittler-cipher.key", certificate = "vermittler-cipher.pem" }
signature = { key = "vermittler-signature.key", certificate = "vermittler-signature.pem" }
[osci.identities.stadt]
cipher = { key = "stadt-cipher.key", certificate = "stadt-cipher.pem" }
signature = { key = "stadt-signature.key", certificate = "stadt-signature.pem" }
[osci.recipient]
identity = "stadt"
intermediaries = ["vermittler-signature.pem"]
[osci.fetch.land]
identity = "stadt"
intermediary = "http://land.example/osci"
intermediary_cipher = "vermittler-cipher.pem"
intermediary_signature = "vermittler-signature.pem"
every = "1s"
[osci.intermediary]
identity = "vermittler"
own = "stadt"
parties = "teilnehmer"
receivers = ["https://amt.example/"]
[osci.trust]
anchors = ["wurzel.pem"]
"#;

/// Keys and certificates of `GOOD`, and one party.
fn folder() -> TempDir {
    let folder = TempDir::with_prefix("osci-judge-").unwrap();
    let path = folder.path();
    let pki = OsciPki::new().unwrap();
    for name in ["vermittler", "stadt"] {
        pki.identity(name).unwrap().write(path, name).unwrap();
    }
    fs::write(path.join("wurzel.pem"), pki.root_pem()).unwrap();
    fs::create_dir(path.join("teilnehmer")).unwrap();
    fs::copy(path.join("stadt-cipher.pem"), path.join("teilnehmer/amt.pem")).unwrap();
    folder
}

fn judged(folder: &Path, text: &str, now: Timestamp) -> Vec<(Severity, String)> {
    let file = folder.join("drehscheibe.toml");
    fs::write(&file, text).unwrap();
    let config = ProcessConfig::load(&file).unwrap();
    let findings = judge(config.osci.as_ref().unwrap(), now);
    findings.into_iter().map(|finding| (finding.severity, finding.to_string())).collect()
}

fn now() -> Timestamp {
    ManualClock::default().now().to_jiff()
}

#[test]
fn what_is_sound_has_no_finding() {
    let folder = folder();
    assert_eq!(judged(folder.path(), GOOD, now()), []);
}

/// The installed base knows ecdsa-sha256 and ecdsa-sha512 only.
#[test]
fn a_signature_that_old_partners_refuse_is_a_warning() {
    let folder = folder();
    for (algorithm, warned) in
        [(&rcgen::PKCS_ECDSA_P256_SHA256, false), (&rcgen::PKCS_ECDSA_P384_SHA384, true)]
    {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("stadt-signature.key"), key.serialize_pem()).unwrap();
        fs::write(folder.path().join("stadt-signature.pem"), certificate.pem()).unwrap();
        let found = judged(folder.path(), GOOD, now());
        match &found[..] {
            [] => assert!(!warned),
            [(Severity::Warning, text)] => {
                assert!(warned && text.contains("identities.stadt.signature"), "{text}");
            }
            more => panic!("{more:?}"),
        }
    }
}

/// What the key cannot do is an error; what it is told to do decides about the warning.
#[test]
fn an_identity_signs_as_it_is_told_to_if_its_key_can() {
    let folder = folder();
    let told = |algorithm: &str| {
        let line =
            format!("certificate = \"stadt-signature.pem\" }}\nsignature_algorithm = \"{algorithm}\"\n");
        let text = GOOD.replacen("certificate = \"stadt-signature.pem\" }", &line, 1);
        judged(folder.path(), &text, now())
    };
    let refused = |algorithm: &str| {
        let found = told(algorithm);
        let [(Severity::Error, text)] = &found[..] else { panic!("{algorithm}: {found:?}") };
        assert!(text.contains("identities.stadt.signature_algorithm"), "{text}");
        assert!(text.contains("does not sign so"), "{text}");
    };
    let put = |key: &rcgen::KeyPair| {
        let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(key).unwrap();
        fs::write(folder.path().join("stadt-signature.key"), key.serialize_pem()).unwrap();
        fs::write(folder.path().join("stadt-signature.pem"), certificate.pem()).unwrap();
    };
    let size = rcgen::RsaKeySize::_3072;
    put(&rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size).unwrap());
    for algorithm in ["rsa-sha256", "rsa-sha512", "rsa-pss-sha256", "rsa-pss-sha512"] {
        assert_eq!(told(algorithm), [], "{algorithm}");
    }
    refused("ecdsa-sha256");
    put(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).unwrap());
    for algorithm in ["ecdsa-sha256", "ecdsa-sha512"] {
        assert_eq!(told(algorithm), [], "{algorithm}");
    }
    let found = told("ecdsa-sha384");
    let [(Severity::Warning, text)] = &found[..] else { panic!("{found:?}") };
    assert!(text.contains("signature_algorithm"), "{text}");
    refused("rsa-sha256");
}

#[test]
fn what_cannot_work_is_an_error_that_says_where() {
    let folder = folder();
    let wrong = [
        ("key = \"stadt-cipher.key\"", "key = \"fehlt.key\"", "fehlt.key"),
        (
            "cipher = { key = \"stadt-cipher.key\", certificate = \"stadt-cipher.pem\" }",
            "cipher = { key = \"stadt-signature.key\", certificate = \"stadt-signature.pem\" }",
            "identities.stadt.cipher",
        ),
        (
            "[osci.recipient]",
            "former = [{ key = \"alt.key\", certificate = \"alt.pem\" }]\n[osci.recipient]",
            "alt.key",
        ),
        ("parties = \"teilnehmer\"", "parties = \"fehlt\"", "fehlt"),
        ("anchors = [\"wurzel.pem\"]", "anchors = []", "trust.anchors"),
        (
            "intermediaries = [\"vermittler-signature.pem\"]",
            "intermediaries = [\"vermittler-cipher.pem\"]",
            "vermittler-cipher.pem",
        ),
        (
            "intermediaries = [\"vermittler-signature.pem\"]",
            "intermediaries = []",
            "recipient.intermediaries",
        ),
        (
            "intermediary_signature = \"vermittler-signature.pem\"",
            "intermediary_signature = \"vermittler-cipher.pem\"",
            "vermittler-cipher.pem",
        ),
        ("own = \"stadt\"", "own = \"vermittler\"", "intermediary.own"),
        ("https://amt.example/", "http://", "intermediary.receivers"),
        ("http://land.example/osci", "land.example", "fetch.land.intermediary"),
    ];
    for (good, bad, place) in wrong {
        assert!(GOOD.contains(good), "{good}");
        let findings = judged(folder.path(), &GOOD.replace(good, bad), now());
        let named =
            |(severity, text): &(Severity, String)| *severity == Severity::Error && text.contains(place);
        assert!(findings.iter().any(named), "{bad}: {findings:?}");
    }
}

#[test]
fn a_party_has_one_certificate_that_encrypts() {
    let folder = folder();
    let path = folder.path();
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let party = path.join("teilnehmer/amt.pem");
    let chain = format!("{}{}", read("wurzel.pem"), read("stadt-cipher.pem"));
    for content in [read("stadt-signature.pem"), chain, "Unfug".to_owned()] {
        fs::write(&party, content).unwrap();
        let findings = judged(path, GOOD, now());
        let [(Severity::Error, text)] = &findings[..] else { panic!("{findings:?}") };
        assert!(text.contains("amt.pem"), "{text}");
    }
}

#[test]
fn a_party_that_has_ended_is_a_warning() {
    let folder = folder();
    let later: Timestamp = "9000-01-01T00:00:00Z".parse().unwrap();
    let findings = judged(folder.path(), GOOD, later);
    let [(Severity::Warning, text)] = &findings[..] else { panic!("{findings:?}") };
    assert!(text.contains("amt.pem"), "{text}");
}
