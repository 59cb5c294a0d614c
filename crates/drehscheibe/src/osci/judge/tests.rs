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

/// The certificates of [`OsciPki`] end then.
const END: &str = "4096-01-01T00:00:00Z";

/// So long before they end.
fn left(days: i64) -> Timestamp {
    END.parse::<Timestamp>().unwrap() - jiff::SignedDuration::from_hours(24 * days)
}

#[test]
fn the_end_of_a_partys_certificate_is_told_before_it_comes() {
    let folder = folder();
    for (days, severity, words) in [
        (89, Severity::Info, "expires on 4096-01-01"),
        (29, Severity::Warning, "in 29 days"),
        (3, Severity::Warning, "act now"),
        (-1, Severity::Warning, "expired on 4096-01-01"),
    ] {
        let findings = judged(folder.path(), GOOD, left(days));
        let [(found, text)] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(*found, severity, "{text}");
        assert!(text.contains("amt.pem") && text.contains("DDS-C007") && text.contains(words), "{text}");
    }
    assert_eq!(judged(folder.path(), GOOD, left(91)), []);
}

#[test]
fn the_end_of_a_key_in_pkcs12_is_told_before_it_comes() {
    use p12_keystore::{KeyStore, KeyStoreEntry, PrivateKey, PrivateKeyChain};
    use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

    let folder = folder();
    let path = folder.path();
    let key = PrivatePkcs8KeyDer::from_pem_file(path.join("stadt-cipher.key")).unwrap();
    let certificate = super::super::certificate(&path.join("stadt-cipher.pem")).unwrap();
    let certificate = p12_keystore::Certificate::from_der(certificate.der()).unwrap();
    let key = PrivateKey::from_der(key.secret_pkcs8_der()).unwrap();
    let mut store = KeyStore::new();
    store.add_entry("k", KeyStoreEntry::PrivateKeyChain(PrivateKeyChain::new(vec![1], key, [certificate])));
    fs::write(path.join("stadt.p12"), store.writer("geheim").write().unwrap()).unwrap();
    fs::write(path.join("pin"), "geheim").unwrap();
    fs::remove_file(path.join("teilnehmer/amt.pem")).unwrap();
    let text = GOOD.replacen(
        "{ key = \"stadt-cipher.key\", certificate = \"stadt-cipher.pem\" }",
        "{ pkcs12 = \"stadt.p12\", pin = \"file:pin\" }",
        1,
    );
    assert_eq!(judged(path, &text, left(91)), []);
    for (days, severity) in [(89, Severity::Info), (29, Severity::Warning), (-1, Severity::Error)] {
        let findings = judged(path, &text, left(days));
        let [(found, text)] = &findings[..] else { panic!("{findings:?}") };
        assert_eq!(*found, severity, "{text}");
        assert!(text.contains("identities.stadt.cipher") && text.contains("DDS-C007"), "{text}");
    }
}

#[test]
fn a_revocation_list_without_effect_is_named() {
    let folder = folder();
    let path = folder.path();
    let text =
        GOOD.replace("anchors = [\"wurzel.pem\"]", "anchors = [\"wurzel.pem\"]\ncrls = [\"liste.crl\"]");
    let other = OsciPki::new().unwrap();
    fs::write(path.join("liste.crl"), other.revoke(&[]).unwrap()).unwrap();
    let findings = judged(path, &text, now());
    let [(Severity::Error, why)] = &findings[..] else { panic!("{findings:?}") };
    assert!(why.contains("liste.crl") && why.contains("no effect"), "{why}");

    // As an intermediate it is an authority of ours too.
    fs::write(path.join("zwischen.pem"), other.root_pem()).unwrap();
    let text = text.replace("crls =", "intermediates = [\"zwischen.pem\"]\ncrls =");
    assert_eq!(judged(path, &text, now()), []);
    let at = |moment: &str| judged(path, &text, moment.parse().unwrap());
    let findings = at("2019-12-31T00:00:00Z");
    let [(Severity::Error, why)] = &findings[..] else { panic!("{findings:?}") };
    assert!(why.contains("from 2020-01-01"), "{why}");
    let findings = at("2120-01-02T00:00:00Z");
    let [(Severity::Warning, why)] = &findings[..] else { panic!("{findings:?}") };
    assert!(why.contains("until 2120-01-01") && why.contains("no new revocation"), "{why}");
}

/// A release whose only office has this way.
fn release(way: &str) -> dds_depot::Release {
    let text = format!("title = \"Amt\"\n[office.steueramt]\n[office.steueramt.osci]\n{way}");
    let profile = dds_depot::Filed {
        file: "config/profiles/amt.toml".to_owned(),
        value: toml::from_str(&text).unwrap(),
    };
    let contents = dds_depot::Contents { profiles: vec![profile], ..dds_depot::Contents::default() };
    let files = [("config/profiles/amt.toml".to_owned(), text.into_bytes().into())].into();
    dds_depot::Release::build(contents, files).unwrap()
}

#[test]
fn the_certificates_of_an_office_are_judged_where_they_stand() {
    let folder = folder();
    let path = folder.path();
    let pki = OsciPki::new().unwrap();
    let amt = pki.identity("amt").unwrap();
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap();
    let file = path.join("drehscheibe.toml");
    // The office belongs to another authority, of the same name.
    fs::write(&file, GOOD.replace("anchors = [\"wurzel.pem\"]", "anchors = []")).unwrap();
    let config = ProcessConfig::load(&file).unwrap().osci.unwrap();
    let judged = |addressee: &str, more: &str, now: Timestamp| -> Vec<(Severity, String)> {
        let way = format!(
            "intermediary = \"http://land.example/osci\"\nintermediary_cipher = '''{}'''\nintermediary_signature = '''{}'''\naddressee = '''{addressee}'''\n{more}",
            read("vermittler-cipher.pem"),
            read("vermittler-signature.pem"),
        );
        let findings = ways(&config, &release(&way), now);
        findings.into_iter().map(|finding| (finding.severity, finding.to_string())).collect()
    };
    assert_eq!(judged(&amt.cipher_pem, "", now()), []);
    let reader = format!("readers = ['''{}''']", amt.signature_pem);
    for (addressee, more, place, why) in [
        (amt.signature_pem.as_str(), "", "addressee", "cannot be used here"),
        (&read("stadt-cipher.pem"), "", "addressee", "our own certificate"),
        ("Unfug", "", "steueramt", "malformed"),
        (&amt.cipher_pem, &reader, "readers", "cannot be used here"),
        (&amt.cipher_pem, "mode = \"forward\"", "steueramt", "no receiver"),
    ] {
        let findings = judged(addressee, more, now());
        let [(Severity::Error, text)] = &findings[..] else { panic!("{why}: {findings:?}") };
        assert!(text.contains("config/profiles/amt.toml:") && text.contains(place), "{text}");
        assert!(text.contains(why), "{text}");
    }
    // Its two certificates of the intermediary, and its own.
    for (days, severity) in [(29, Severity::Warning), (-1, Severity::Error)] {
        let findings = judged(&amt.cipher_pem, "", left(days));
        let found: Vec<Severity> = findings.iter().map(|(found, _)| *found).collect();
        assert_eq!(found, [severity; 3], "{findings:?}");
    }
}
