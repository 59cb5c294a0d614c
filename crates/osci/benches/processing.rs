//! What one signed and encrypted storeDelivery of 10 KB costs, and the limits of the same machine beside it.
//!
//! `cargo bench -p dds-osci --bench processing`. The message goes the whole way of an intermediary's intake: transport decryption
//! (RSA-3072 OAEP, AES-256-GCM), MIME, XML, ControlBlock and order, every digest, the signature of the order, the content package.
//!
//! Where Java and the peer of `tests/interop/osci-java` are there (`run.sh` builds it), keys and message are the peer's and its own
//! figure stands in the same table: the JDK's cryptography with a protocol of our own, a scale. Where `tests/interop/osci-library` was
//! built too, the published OSCI library reads the same message, for the comparison.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench prints, fails loudly and reads the clock"
)]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use dds_osci::algorithm::{
    DataAlgorithm, DigestAlgorithm, Hasher, IvLength, KeyTransport, SignatureAlgorithm,
};
use dds_osci::certificate::Certificate;
use dds_osci::cipher::Decryption;
use dds_osci::client::{Client, Delivery};
use dds_osci::content::{Author, ContainerDraft, open, package};
use dds_osci::intake::{IntakeConfig, read_all};
use dds_osci::keys::{Decrypter, Signer, SoftwareKey};
use dds_osci::message::{ContentPackage, Envelope, MessageId};
use dds_osci::outgoing::message_bytes;
use dds_osci::random::SystemRandom;
use dds_osci::signature::{SigningOptions, verify_message};

const CONTENT: usize = 10 << 10;
const WINDOW: Duration = Duration::from_secs(3);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let java = Java::find(folder.path());
    let (key, message, source) = match &java {
        Some(java) => (java.key(), java.message(), "keys and message of the Java peer"),
        None => {
            let key = own_key();
            let message = own_message(&key);
            (
                key,
                message,
                "keys and message of our own (no Java peer: build it with tests/interop/osci-java/run.sh)",
            )
        }
    };
    println!("{source}; {} octets, {}", message.len(), Signer::certificate(&key).key());

    let ours = measure(|| process(&message, &key));
    println!(
        "{:<44} {:>10.0} µs   {:>10.0}/s",
        "decrypt, parse, verify (this crate)",
        micros(ours),
        rate(ours)
    );
    if let Some(java) = &java {
        let theirs = java.measure();
        println!(
            "{:<44} {theirs:>10.0} µs   {:>10.0}/s",
            "the same by the Java peer (JDK), warm",
            1e6 / theirs
        );
        println!("{:<44} {:>10.2}", "ratio to the Java peer", micros(ours) / theirs);
        match java.library() {
            Some(theirs) => {
                println!(
                    "{:<44} {theirs:>10.0} µs   {:>10.0}/s",
                    "the same by the published library, warm",
                    1e6 / theirs
                );
                println!("{:<44} {:>10.2}", "ratio to the published library", micros(ours) / theirs);
            }
            None => println!("the published library is not there (tests/interop/osci-library/README.md)"),
        }
    }
    limits(&key, ours);
}

/// One message through the intake of an intermediary.
fn process(octets: &[u8], key: &SoftwareKey) {
    let config = IntakeConfig::default();
    let ours: [&dyn Decrypter; 1] = [key];
    let received = read_all(&config, &ours, &mut SystemRandom, octets).unwrap();
    let verdict = verify_message(&received.document, received.kind, &received.digests(), &config.policy);
    verdict.require().unwrap();
    black_box(Envelope::read(&received.document).unwrap());
    black_box(open(&received.document, &received.digests(), &ours, &config, &mut SystemRandom).unwrap());
}

/// What the library of cryptography alone does here.
fn limits(key: &SoftwareKey, whole: Duration) {
    let certificate: &Certificate = Signer::certificate(key);
    let wrapped = certificate.wrap_key(KeyTransport::DEFAULT, &[7; 32]).unwrap();
    let private = measure(|| drop(black_box(key.unwrap_key(KeyTransport::DEFAULT, &wrapped).unwrap())));
    let signature = key.sign(SignatureAlgorithm::RsaSha256, b"message").unwrap();
    let sign = measure(|| drop(black_box(key.sign(SignatureAlgorithm::RsaSha256, b"message").unwrap())));
    let public = measure(|| {
        assert!(black_box(certificate.verify(SignatureAlgorithm::RsaSha256, b"message", &signature)))
    });
    println!(
        "{:<44} {:>10.0} µs   {:>10.0}/s",
        "limit: RSA private operation, OAEP",
        micros(private),
        rate(private)
    );
    println!(
        "{:<44} {:>10.0} µs   {:>10.0}/s",
        "limit: RSA private operation, signature",
        micros(sign),
        rate(sign)
    );
    println!("{:<44} {:>10.0} µs   {:>10.0}/s", "limit: RSA public operation", micros(public), rate(public));
    let octets = vec![0x5A; 1 << 20];
    let mut out = Vec::with_capacity(octets.len());
    let gcm = measure(|| {
        out.clear();
        let mut cipher = Decryption::new(DataAlgorithm::Aes256Gcm, IvLength::Twelve, &[7; 32]).unwrap();
        cipher.update(black_box(&octets), &mut out);
    });
    let hash = measure(|| drop(black_box(Hasher::digest(DigestAlgorithm::Sha256, &octets))));
    let per_second = |time: Duration| 1.048_576 / time.as_secs_f64();
    println!("{:<44} {:>10.0} MB/s", "limit: AES-256-GCM, streamed", per_second(gcm));
    println!("{:<44} {:>10.0} MB/s", "limit: SHA-256", per_second(hash));
    let cryptography = private + public;
    println!(
        "{:<44} {:>10.0} µs   ({:.0} % of the message)",
        "private + public operation of one message",
        micros(cryptography),
        100.0 * cryptography.as_secs_f64() / whole.as_secs_f64()
    );
    // An intermediary decrypts the order, signs the answer, and encrypts it (a public operation).
    println!(
        "{:<44} {:>10.0}/s on one core",
        "bound for order and signed answer",
        1.0 / (private + sign + 2 * public).as_secs_f64()
    );
}

/// Median over a window, after a warm-up of a third of it.
fn measure(mut work: impl FnMut()) -> Duration {
    let warm = Instant::now();
    while warm.elapsed() < WINDOW / 3 {
        work();
    }
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < WINDOW {
        let one = Instant::now();
        work();
        times.push(one.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn rate(time: Duration) -> f64 {
    1.0 / time.as_secs_f64()
}

fn own_key() -> SoftwareKey {
    let pair = rcgen::KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
    SoftwareKey::from_pem(&pair.serialize_pem(), &certificate.pem()).unwrap()
}

fn own_message(key: &SoftwareKey) -> Vec<u8> {
    let certificate = Signer::certificate(key).clone();
    let options = SigningOptions::default();
    let no_authors: [Author<'_>; 0] = [];
    let container = ContainerDraft::new("container")
        .inline("inhalt", &[0x5A; CONTENT])
        .write(&no_authors, options)
        .unwrap();
    let delivery = Delivery::new(ContentPackage::new(package(&[], &[container])), certificate.clone());
    let client = Client::new(certificate.clone(), certificate.clone(), certificate.clone(), certificate);
    let (request, _) = client.store(MessageId::new("bench"), delivery, &mut SystemRandom);
    message_bytes(request.seal(Some((key, options)), &[], &mut SystemRandom).unwrap(), &[]).unwrap()
}

/// The Java peer with its keys and message in a folder.
struct Java {
    jar: PathBuf,
    folder: PathBuf,
}

impl Java {
    fn find(folder: &Path) -> Option<Self> {
        let jar =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/osci-java/target/osci-peer.jar");
        let java = Self { jar, folder: folder.to_owned() };
        if !java.jar.is_file() || java.run(&["keys", java.path("keys").to_str()?]).is_none() {
            return None;
        }
        let (keys, message) = (java.path("keys"), java.path("message"));
        let bytes = CONTENT.to_string();
        java.run(&["message", "--keys", keys.to_str()?, "--out", message.to_str()?, "--bytes", &bytes])?;
        Some(java)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn run(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("java").arg("-jar").arg(&self.jar).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn key(&self) -> SoftwareKey {
        let read = |name: &str| std::fs::read(self.path("keys").join(name)).unwrap();
        SoftwareKey::from_pkcs12(&read("intermediary_cipher.p12"), "123456").unwrap()
    }

    fn message(&self) -> Vec<u8> {
        std::fs::read(self.path("message")).unwrap()
    }

    /// Median of the peer's own loop of 500 after a warm-up of 500, in microseconds.
    fn measure(&self) -> f64 {
        let mut peer = Command::new("java");
        peer.arg("-jar").arg(&self.jar);
        self.median(peer).unwrap()
    }

    /// The same by the published library, if its harness was built.
    fn library(&self) -> Option<f64> {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/interop/osci-library/target");
        let jar = target.join("osci-library-peer.jar");
        if !jar.is_file() {
            return None;
        }
        let mut peer = Command::new("java");
        peer.arg("-cp").arg(format!("{}:{}/lib/*", jar.display(), target.display())).arg("library.Main");
        self.median(peer)
    }

    fn median(&self, mut peer: Command) -> Option<f64> {
        peer.arg("measure").arg("--keys").arg(self.path("keys")).arg("--message").arg(self.path("message"));
        let output = peer.output().ok().filter(|output| output.status.success())?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.split("\"p50_us\":").nth(1)?.split([',', '}']).next()?.trim().parse().ok()
    }
}
