//! What one signed and encrypted storeDelivery of 10 KB costs, and the limits of the same machine beside it.
//!
//! `cargo bench -p dds-osci --bench processing`. The message goes the whole way of an intermediary's intake: transport
//! decryption (RSA-3072 OAEP, AES-256-GCM), MIME, XML, ControlBlock and order, every digest, the signature of the
//! order, the content package.
//!
//! Where Java and the peer of `tests/interop/osci-java` are there (`run.sh` builds it), keys and message are the
//! peer's, and it is measured in turns with this crate, by processor time, so that other work on the machine counts for
//! none: the JDK's cryptography with a protocol of our own, a scale. Where `DDS_OSCI_LIBRARY` names the published
//! library, the harness of `tests/interop/osci-library` is built and takes its turns too: the comparison.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a bench prints, fails loudly and reads the clock"
)]

use std::hint::black_box;
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

mod peers;

use peers::{Java, Side, Turn};

const CONTENT: usize = 10 << 10;
/// Each side is measured so many times, in turns and shortly: what else runs on the machine disturbs all of them alike.
const TURNS: usize = 9;
const WINDOW: Duration = Duration::from_secs(1);

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let java = Java::find(folder.path(), CONTENT);
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

    let mut sides: Vec<Side> =
        java.iter().flat_map(|java| [Some(java.jdk()), java.library()]).flatten().collect();
    let mut ours = Vec::new();
    let mut theirs = vec![Vec::new(); sides.len()];
    for _ in 0..TURNS {
        ours.push(turn(|| process(&message, &key)));
        for (side, turns) in sides.iter_mut().zip(&mut theirs) {
            turns.push(side.turn());
        }
    }
    println!("\n{TURNS} turns each, medians; ratios of processor time turn by turn");
    row("decrypt, parse, verify: this crate", &ours);
    for (side, turns) in sides.iter().zip(&theirs) {
        row(&format!("the same: {}, warm", side.name), turns);
        let ratios: Vec<f64> =
            ours.iter().zip(turns).map(|(ours, theirs)| ours.processor / theirs.processor).collect();
        let each: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.3}")).collect();
        println!("{:<44} {:>10.3}      {}", "  ratio", median(ratios), each.join(" "));
    }
    println!();
    drop(sides);
    limits(&key, median(ours.iter().map(|turn| turn.processor).collect()));
}

fn row(name: &str, turns: &[Turn]) {
    let processor = median(turns.iter().map(|turn| turn.processor).collect());
    let wall = median(turns.iter().map(|turn| turn.wall).collect());
    println!("{name:<44} {processor:>10.0} µs   {:>10.0}/s   by the clock {wall:.0} µs", 1e6 / processor);
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_unstable_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// One turn of this crate.
fn turn(mut work: impl FnMut()) -> Turn {
    let (start, mut count) = (processor_time(), 0_u32);
    let wall = measure(|| {
        work();
        count += 1;
    });
    let processor = processor_time().saturating_sub(start) / count;
    Turn { processor: micros(processor), wall: micros(wall) }
}

/// What this thread has used of the processor: the kernel's own count, to a tick.
fn processor_time() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(said.split(' ').next().unwrap().parse().unwrap())
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
fn limits(key: &SoftwareKey, whole: f64) {
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
        100.0 * micros(cryptography) / whole
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
