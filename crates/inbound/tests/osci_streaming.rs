//! A large attachment, encrypted for us, comes into the main path by each way of OSCI — fetched whole, fetched in
//! chunks, pushed — through our intermediary, without ever being held: the peak of the process is measured, so this
//! file has one test only. `DDS_STREAM_MIB` sets its size; the way out: `crates/outbound/tests/osci_streaming.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    dead_code,
    reason = "a test fails by panicking, also in its helpers, of which it uses a part"
)]

#[path = "channels/support.rs"]
mod support;
#[path = "osci/wire.rs"]
mod wire;
#[path = "osci/world.rs"]
mod world;

use std::sync::Arc;

use dds_courier::Package;
use dds_inbound::osci::{
    Collector, CollectorOptions, Fetched, Fetcher, FetcherOptions, OsciContext, OwnMailbox,
    RecipientEndpoint, routes,
};
use dds_osci::{
    algorithm::{DigestAlgorithm, KeyTransport},
    client::{Client, Delivery},
    content::{AttachmentEncryption, Author, ContainerDraft, encrypt_container, package},
    intake::PartStore as _,
    intermediary::{Attachment, Rules},
    keys::Decrypter,
    message::{CertificateRole, ContentPackage, RoleCertificates},
    random::SystemRandom,
    recipient::Recipient,
    signature::SigningOptions,
};
use dds_postbox::StoredPart;
use dds_testbench::{ManualClock, OsciIdentity};
use wire::Wire;
use world::{Machine, Place, application, identity, intermediary, keys, serve, town};

const PIECE: usize = 64 << 10;
/// Growth allowed for portal, intermediary, recipient and their buffers together.
const GROWTH_KB: u64 = 24 << 10;

fn mebibytes() -> u64 {
    std::env::var("DDS_STREAM_MIB").map_or(48, |text| text.parse().unwrap())
}

/// The portal with a disk of its own, so that it holds nothing either.
struct Portal {
    machine: Machine,
    context: OsciContext,
}

impl Portal {
    fn new(clock: &ManualClock) -> Self {
        let machine = Machine::new(clock);
        let context = machine.boot();
        Self { machine, context }
    }

    /// Encrypts an attachment for the town, and signs the application with it.
    fn make(&self, number: usize, bytes: u64) -> (Delivery, Attachment<StoredPart>) {
        let mut parts = self.context.postbox.parts().unwrap();
        let wrap = AttachmentEncryption::key(&mut SystemRandom);
        let mut encryption = AttachmentEncryption::new("gross.pdf", &wrap, DigestAlgorithm::Sha256).unwrap();
        let (piece, mut out, mut written) = (vec![7; PIECE], Vec::new(), 0);
        parts.start().unwrap();
        for _ in 0..bytes / PIECE as u64 {
            encryption.update(&piece, &mut out);
            written += out.len() as u64;
            parts.write(&out).unwrap();
            out.clear();
        }
        let (plaintext, digests) = encryption.finish(&mut out).unwrap();
        parts.write(&out).unwrap();
        let attachment = Attachment {
            content_id: "gross.pdf".to_owned(),
            media_type: "application/octet-stream".to_owned(),
            bytes: written + out.len() as u64,
            offset: 0,
            digests,
            handle: parts.end().unwrap(),
        };
        parts.keep();
        let portal = &keys().portal;
        let key_id = CertificateRole::SignatureOriginator.usual_id(portal.signature_certificate(), 0);
        let author = Author { signer: portal.signature.as_ref(), key_id: &key_id, time: None };
        let container = ContainerDraft::new("Antrag")
            .inline("Antragsdaten", application(number).as_bytes())
            .encrypted_attachment("Anlage1", plaintext, &wrap)
            .write(&[author], SigningOptions::default())
            .unwrap();
        let mut certificates = RoleCertificates::default();
        let reader = certificates.add(CertificateRole::CipherAddressee, town()).to_owned();
        let readers = [(reader.as_str(), town())];
        let encrypted =
            encrypt_container("Antrag1", &container, &readers, KeyTransport::DEFAULT, &mut SystemRandom);
        let content = ContentPackage::new(package(&[encrypted.unwrap()], &[]));
        let mut delivery = Delivery::new(content, town().clone());
        delivery.certificates = certificates;
        (delivery, attachment)
    }

    /// Stores an application with an attachment of so many bytes, or has it pushed to `receiver`.
    async fn send(&self, place: &Place, number: usize, bytes: u64, receiver: Option<&str>) {
        let (delivery, attachment) = self.make(number, bytes);
        let id = place.portal.message_id().await.unwrap();
        let portal = client(&keys().portal);
        let (request, stored, forwarded) = match receiver {
            None => {
                let (request, awaiting) = portal.store(id, delivery, &mut SystemRandom);
                (request, Some(awaiting), None)
            }
            Some(receiver) => {
                let (request, awaiting) = portal.forward(receiver, id, delivery, &mut SystemRandom);
                (request, None, Some(awaiting))
            }
        };
        let signer = Some((keys().portal.signature.as_ref() as _, SigningOptions::default()));
        let digests = [attachment.digests.clone()];
        let outgoing = request.seal(signer, &digests, &mut SystemRandom).unwrap();
        let package = Package { outgoing, attachments: vec![attachment] };
        let deciphers: Vec<Arc<dyn Decrypter>> = vec![keys().portal.cipher.clone()];
        let answer = self.context.courier.exchange(&place.address, package, deciphers).await.unwrap();
        let feedback = match (stored, forwarded) {
            (Some(awaiting), _) => awaiting.receive(Ok(&answer)).unwrap().feedback,
            (_, Some(awaiting)) => awaiting.receive(Ok(&answer)).unwrap().feedback,
            _ => panic!("nothing was sent"),
        };
        assert!(feedback.is_success(), "{feedback:?}");
    }
}

fn client(of: &OsciIdentity) -> Client {
    let keys = keys();
    Client::new(
        of.cipher_certificate().clone(),
        of.signature_certificate().clone(),
        keys.intermediary.cipher_certificate().clone(),
        keys.intermediary.signature_certificate().clone(),
    )
}

/// Fetches all there is, and takes it over.
async fn fetch(machine: &Machine, place: &Place, chunk_kb: Option<u64>) {
    let context = machine.boot();
    let own = identity(&keys().town);
    let options = FetcherOptions {
        name: "anderswo".to_owned(),
        address: place.address.clone(),
        every: std::time::Duration::from_millis(1),
        chunk_kb,
    };
    let mailbox = OwnMailbox::fetched("anderswo", own.clone());
    let collector = Collector::new(&context, vec![mailbox], CollectorOptions::default());
    let fetcher = Fetcher::new(context, client(&keys().town), own, options);
    assert_eq!(fetcher.visit().await.unwrap(), Fetched { deliveries: 1, known: 0 });
    assert_eq!(collector.collect().await.unwrap(), 1);
}

/// Address of a passive recipient.
async fn recipient(machine: &Machine) -> String {
    let keys = keys();
    let endpoint = RecipientEndpoint {
        context: machine.boot(),
        recipient: Recipient::new(
            town().clone(),
            keys.town.signature_certificate().clone(),
            vec![keys.intermediary.signature_certificate().clone()],
        ),
        identity: identity(&keys.town),
    };
    format!("http://{}/osci/empfang", serve(routes(None, Some(Arc::new(endpoint)))).await)
}

#[tokio::test]
async fn large_attachments_come_in_constant_memory() {
    let clock = ManualClock::default();
    let machine = Machine::new(&clock);
    let url = recipient(&machine).await;
    let rules = Rules { receivers: vec![url.clone()], mailbox_bytes: u64::MAX, ..Rules::default() };
    // Without a wire in between, which holds every message.
    let office = Machine::new(&clock);
    let host = serve(intermediary(office.boot(), identity(&keys().intermediary), rules)).await;
    let place = Place::at(office, Wire::default(), &host);
    let portal = Portal::new(&clock);
    let ways = [(None, None), (None, Some(4_096)), (Some(url.as_str()), None)];
    let (mut number, mut before) = (0, 0);
    // What libraries keep for good, and threads, are there after the first round.
    for bytes in [1 << 20, mebibytes() << 20] {
        before = memory("VmHWM:");
        for (receiver, chunk_kb) in ways {
            portal.send(&place, number, bytes, receiver).await;
            if receiver.is_none() {
                fetch(&machine, &place, chunk_kb).await;
            }
            number += 1;
            let taken = machine.router.taken();
            assert_eq!((taken.len(), taken[number - 1].attachments[0].size), (number, bytes));
        }
    }
    assert_eq!(machine.applications(), (0..number).collect::<Vec<_>>());
    let after = memory("VmHWM:");
    eprintln!("{} MiB taken three ways, peak {before} KB before and {after} KB after", mebibytes());
    assert!(after - before < GROWTH_KB, "{} KB above {before} KB", after - before);
}

/// A line of `/proc/self/status` in KB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let value = status.lines().find_map(|text| text.strip_prefix(line)).unwrap();
    value.trim().trim_end_matches(" kB").parse().unwrap()
}
