//! Signing and decrypting with SoftHSM, the software token of Debian (package softhsm2). Without it the test says so.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::object::{Attribute, CertificateType, ObjectClass};
use dds_osci::algorithm::{DigestAlgorithm, KeyTransport, SignatureAlgorithm as A};
use dds_osci::certificate::Certificate;
use dds_osci::keys::{Decrypter as _, KeyError, Signer as _};
use dds_pkcs11::{KeyLocation, Module, TokenKey};
use rcgen::{CertificateParams, KeyPair, RsaKeySize};

const PIN: &str = "123456";

fn library() -> Option<PathBuf> {
    let candidates = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
    ];
    candidates.into_iter().map(PathBuf::from).find(|path| path.exists())
}

/// Runs `softhsm2-util` for the token folder of the test.
fn softhsm(configuration: &Path, arguments: &[&str]) {
    let output =
        Command::new("softhsm2-util").env("SOFTHSM2_CONF", configuration).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Imports a key under a label and makes a certificate for it.
fn import(configuration: &Path, label: &str, id: &str, key: &KeyPair) -> Certificate {
    let file = configuration.with_file_name(format!("{label}.pem"));
    std::fs::write(&file, key.serialize_pem()).unwrap();
    let path = file.to_str().unwrap();
    softhsm(
        configuration,
        &["--import", path, "--token", "Stadt", "--label", label, "--id", id, "--pin", PIN],
    );
    Certificate::from_der(CertificateParams::default().self_signed(key).unwrap().der().to_vec()).unwrap()
}

/// One test, because the configuration of SoftHSM is that of the whole process.
#[test]
fn keys_on_a_token() {
    let Some(library) = library() else {
        eprintln!("NOT TESTED: SoftHSM is not installed (Debian package softhsm2)");
        return;
    };
    if std::env::var_os("DDS_PKCS11_CHILD").is_none() {
        // SoftHSM reads its configuration from the environment, which a test must not change for itself.
        let folder = tempfile::tempdir().unwrap();
        let configuration = folder.path().join("softhsm2.conf");
        std::fs::create_dir(folder.path().join("tokens")).unwrap();
        let text =
            format!("directories.tokendir = {}\nlog.level = ERROR\n", folder.path().join("tokens").display());
        std::fs::write(&configuration, text).unwrap();
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "keys_on_a_token", "--nocapture"])
            .env("SOFTHSM2_CONF", &configuration)
            .env("DDS_PKCS11_CHILD", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}{text}", String::from_utf8_lossy(&output.stdout));
        assert!(text.contains("token: everything tested"), "{text}");
        return;
    }
    let configuration = PathBuf::from(std::env::var_os("SOFTHSM2_CONF").unwrap());
    softhsm(
        &configuration,
        &["--init-token", "--free", "--label", "Stadt", "--pin", PIN, "--so-pin", "87654321"],
    );
    let rsa_key = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_3072).unwrap();
    let rsa = import(&configuration, "rsa", "01", &rsa_key);
    let ec =
        import(&configuration, "ec", "02", &KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap());

    let module = Module::load(&library).unwrap();
    let at = |label: &str| KeyLocation { token: "Stadt".to_owned(), label: label.to_owned() };

    // The first login of a process decides: tried before any other, a wrong PIN is wrong.
    assert_eq!(module.key(&at("rsa"), "000000", Some(rsa.clone())).err(), Some(KeyError::Pin));
    let rsa_on_token = module.key(&at("rsa"), PIN, Some(rsa.clone())).unwrap();
    let ec_on_token = module.key(&at("ec"), PIN, Some(ec.clone())).unwrap();

    signatures(&rsa_on_token, &rsa, &[A::RsaSha256, A::RsaSha512, A::PssSha256, A::PssSha512]);
    signatures(&ec_on_token, &ec, &[A::EcdsaSha256]);
    keys(&rsa_on_token, &rsa);

    for (location, certificate, why) in [
        (at("fehlt"), Some(rsa.clone()), "no private key"),
        (KeyLocation { token: "Dorf".to_owned(), ..at("rsa") }, Some(rsa.clone()), "no token"),
        (at("rsa"), None, "no certificate"),
    ] {
        match module.key(&location, PIN, certificate) {
            Err(KeyError::Token(text)) => assert!(text.contains(why), "{text}"),
            other => panic!("{other:?}"),
        }
    }
    // The certificate on the token, found by the id of the key.
    put_certificate(&library, &rsa, &[1]);
    let complete = module.key(&at("rsa"), PIN, None).unwrap();
    assert_eq!(dds_osci::keys::Signer::certificate(&complete), &rsa);

    // The certificate of another key.
    let mixed_up = module.key(&at("ec"), PIN, Some(rsa)).unwrap();
    assert!(mixed_up.sign(A::RsaSha256, b"x").is_err());
    let stranger = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let stranger = CertificateParams::default().self_signed(&stranger).unwrap();
    let stranger = Certificate::from_der(stranger.der().to_vec()).unwrap();
    let mixed_up = module.key(&at("ec"), PIN, Some(stranger)).unwrap();
    assert_eq!(mixed_up.sign(A::EcdsaSha256, b"x"), Err(KeyError::Mismatch));
    eprintln!("token: everything tested");
}

/// Stores a certificate beside a key.
fn put_certificate(library: &Path, certificate: &Certificate, id: &[u8]) {
    let context = Pkcs11::new(library).unwrap();
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap_err(); // the module under test did
    let slots = context.get_slots_with_token().unwrap();
    let slot =
        slots.into_iter().find(|slot| context.get_token_info(*slot).unwrap().label() == "Stadt").unwrap();
    let session = context.open_rw_session(slot).unwrap();
    let template = [
        Attribute::Class(ObjectClass::CERTIFICATE),
        Attribute::CertificateType(CertificateType::X_509),
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Subject(vec![0x30, 0]),
        Attribute::Id(id.to_vec()),
        Attribute::Value(certificate.der().to_vec()),
    ];
    session.create_object(&template).unwrap();
}

fn signatures(key: &TokenKey, certificate: &Certificate, algorithms: &[A]) {
    for algorithm in A::ALL {
        match key.sign(*algorithm, b"Auftrag") {
            Ok(signature) => {
                assert!(certificate.verify(*algorithm, b"Auftrag", &signature), "{algorithm:?}");
                assert!(!certificate.verify(*algorithm, b"auftrag", &signature), "{algorithm:?}");
            }
            Err(error) => assert!(!algorithms.contains(algorithm), "{algorithm:?}: {error}"),
        }
    }
    // From many threads at once: each gets a session of its own.
    std::thread::scope(|scope| {
        for number in 0..8_u8 {
            scope.spawn(move || {
                let signature = key.sign(algorithms[0], &[number]).unwrap();
                assert!(certificate.verify(algorithms[0], &[number], &signature));
            });
        }
    });
}

fn keys(token: &TokenKey, certificate: &Certificate) {
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512] {
        let transport = KeyTransport::Oaep(digest);
        let wrapped = certificate.wrap_key(transport, &[5; 32]).unwrap();
        assert_eq!(token.unwrap_key(transport, &wrapped).unwrap().as_slice(), [5; 32], "{digest:?}");
        let mut damaged = wrapped.clone();
        damaged[200] ^= 1;
        assert_eq!(token.unwrap_key(transport, &damaged), Err(KeyError::Operation));
        assert_eq!(token.unwrap_key(transport, &wrapped[1..]), Err(KeyError::Operation));
        assert_eq!(token.unwrap_key(transport, &[]), Err(KeyError::Operation));
    }
    let wrapped = certificate.wrap_key(KeyTransport::Rsa15, &[5; 32]).unwrap();
    assert_eq!(token.unwrap_key(KeyTransport::Rsa15, &wrapped).unwrap().as_slice(), [5; 32]);
    assert_eq!(token.unwrap_key(KeyTransport::Rsa15, &[9; 384]), Err(KeyError::Operation));
}
