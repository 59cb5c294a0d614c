//! Parties with their keys, and processes that can die.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use dds_courier::{Courier, Desk, Identity, OwnIntermediary, Timeouts, Trust};
use dds_inbound::{
    Limits, Pace, SourceTable,
    osci::{Gate, GateOptions, IntermediaryEndpoint, OsciContext, routes},
};
use dds_message::{Clock as _, Digest};
use dds_osci::{
    algorithm::CryptoPolicy,
    certificate::Certificate,
    encryption::TransportTarget,
    intake::{IntakeConfig, MemoryStore, Received, read_all},
    intermediary::{Delivery, Intermediary, Mailboxes as _, Rules},
    keys::{Decrypter, Signer},
    message::{DeliverySelection, Envelope, MessageId},
    outgoing::{AttachmentHead, message_bytes},
    random::SystemRandom,
    signature::SigningOptions,
    trust::{RevocationList, TrustPolicy},
};
use dds_postbox::{Options, Postbox, PostboxError, StoredPart};
use dds_store::{MasterKey, Vault};
use dds_telemetry::Telemetry;
use dds_testbench::{ManualClock, OsciIdentity, OsciPeer, OsciPki};
use rusqlite::Connection;
use rustls::ClientConfig;
use rustls_pki_types::{CertificateRevocationListDer, pem::PemObject as _};
use tokio::sync::Notify;

use crate::{
    support::{Fake, source},
    wire::Wire,
};

/// Everybody's keys.
pub(crate) struct Keys {
    pki: OsciPki,
    pub(crate) intermediary: OsciIdentity,
    /// Another intermediary.
    pub(crate) other: OsciIdentity,
    pub(crate) portal: OsciIdentity,
    pub(crate) town: OsciIdentity,
}

/// Made once: RSA primes are searched for.
pub(crate) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let pki = OsciPki::new().unwrap();
        Keys {
            intermediary: pki.identity("vermittler").unwrap(),
            other: pki.identity("vermittler-2").unwrap(),
            portal: pki.identity("portal").unwrap(),
            town: pki.identity("stadt").unwrap(),
            pki,
        }
    })
}

impl Keys {
    /// Trusts the authority of all of them, which has revoked these certificates.
    pub(crate) fn policy(&self, revoked: &[&Certificate]) -> TrustPolicy {
        let list = self.pki.revoke(revoked).unwrap();
        let list = CertificateRevocationListDer::from_pem_slice(list.as_bytes()).unwrap();
        TrustPolicy {
            anchors: vec![Certificate::from_pem(self.pki.root_pem()).unwrap()],
            crls: vec![RevocationList::from_der(list.to_vec()).unwrap()],
            ..TrustPolicy::default()
        }
    }
}

/// The town's certificate; it names the mailbox.
pub(crate) fn town() -> &'static Certificate {
    keys().town.cipher_certificate()
}

pub(crate) fn identity(keys: &OsciIdentity) -> Identity {
    Identity::new(keys.cipher.clone(), keys.signature.clone())
}

/// An application; each number another.
pub(crate) fn application(number: usize) -> String {
    format!("<anmeldung xmlns=\"urn:datendrehscheibe:hundesteuer:1\"><kopf>{number}</kopf></anmeldung>")
}

/// The log of this process. One for all tests: a subscriber of a single thread does not hear events that another thread
/// came to first.
pub(crate) fn log() -> &'static Path {
    static LOG: OnceLock<tempfile::TempPath> = OnceLock::new();
    LOG.get_or_init(|| {
        let (file, path) = tempfile::NamedTempFile::new().unwrap().into_parts();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(file)).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        path
    })
}

/// A machine: its folder, its clock and the router's store outlive the processes on it.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) router: Arc<Fake>,
    /// Octets of the largest message that its processes read.
    pub(crate) message_bytes: AtomicU64,
    pub(crate) telemetry: Telemetry,
}

impl Machine {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: clock.clone(),
            router: Arc::default(),
            message_bytes: AtomicU64::new(IntakeConfig::default().message_bytes),
            telemetry: Telemetry::default(),
        }
    }

    /// Starts a process: the postbox is opened as it lies there.
    pub(crate) fn boot(&self) -> OsciContext {
        let postbox = Postbox::open(Options {
            folder: self.folder.path().to_owned(),
            vault: Vault::apart(&MasterKey::from_hex(&"cd".repeat(32)).unwrap()),
            clock: Arc::new(self.clock.clone()),
        })
        .unwrap();
        let message_bytes = self.message_bytes.load(Ordering::Relaxed);
        let intake = IntakeConfig { message_bytes, ..IntakeConfig::default() };
        let desk = Desk { intake: Arc::new(intake), postbox: postbox.clone() };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        // A test machine may be slow; nothing here waits for the time-out.
        let timeouts = Timeouts { silence: Duration::from_secs(900), ..Timeouts::default() };
        let portal = Digest::of(keys().portal.signature_certificate().der());
        OsciContext {
            handle: self.router.clone(),
            sources: Arc::new(SourceTable::default().with_certificate(source(), portal)),
            limits: Limits::default(),
            postbox,
            courier: Courier::new(desk, tls, timeouts).unwrap(),
            trust: Trust::new(TrustPolicy::default()),
            clock: Arc::new(self.clock.clone()),
            telemetry: self.telemetry.clone(),
            wake: Arc::new(Notify::new()),
            gate: Gate::new(GateOptions {
                pace: Pace {
                    idle: Duration::from_secs(900),
                    grace: Duration::from_secs(900),
                    ..Pace::default()
                },
                ..GateOptions::default()
            }),
        }
    }

    /// The postbox as somebody else sees it: only what is committed.
    fn connection(&self) -> Connection {
        Connection::open(self.folder.path().join("postbox.sqlite")).unwrap()
    }

    /// From now on the postbox fails at this, such as `INSERT ON delivery`.
    pub(crate) fn fail_at(&self, what: &str) {
        let fail = "BEGIN SELECT RAISE(ABORT, 'the disk is full, as the test wants it'); END";
        self.connection().execute_batch(&format!("CREATE TRIGGER broken BEFORE {what} {fail}")).unwrap();
    }

    /// From now on the postbox notes no delivery as received, and says so to nobody.
    pub(crate) fn forget_receipts(&self) {
        let forgets =
            "BEFORE UPDATE ON delivery WHEN NEW.received IS NOT NULL BEGIN SELECT RAISE(IGNORE); END";
        self.connection().execute_batch(&format!("CREATE TRIGGER forgetful {forgets}")).unwrap();
    }

    /// The responses that are given out in chunks have to be written anew.
    pub(crate) fn forget_rendered(&self) {
        assert_eq!(self.connection().execute("DELETE FROM rendered", []).unwrap(), 1);
    }

    /// The postbox works again.
    pub(crate) fn mend(&self) {
        self.connection().execute_batch("DROP TRIGGER broken").unwrap();
    }

    /// Nothing can be written beside the database.
    pub(crate) fn break_disk(&self) {
        std::fs::remove_dir(self.folder.path().join("tmp")).unwrap();
    }

    /// It can again.
    pub(crate) fn mend_disk(&self) {
        std::fs::create_dir(self.folder.path().join("tmp")).unwrap();
    }

    /// Code and due time of what is set aside.
    pub(crate) fn set_aside(&self) -> Vec<(String, i64)> {
        let connection = self.connection();
        let mut rows = connection.prepare("SELECT code, again FROM set_aside").unwrap();
        let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// How many of those set aside are due.
    pub(crate) fn due(&self, clock: &ManualClock) -> usize {
        let now = clock.now().to_jiff().as_microsecond();
        self.set_aside().into_iter().filter(|(_, again)| *again <= now).count()
    }

    /// The record of a delivery is destroyed.
    pub(crate) fn garble(&self, id: &MessageId) {
        let garbled =
            "UPDATE sealed SET record = x'00' WHERE number = (SELECT number FROM delivery WHERE id = ?1)";
        assert_eq!(self.connection().execute(garbled, [id.as_str()]).unwrap(), 1);
    }

    /// How many deliveries in its mailboxes nobody has received.
    pub(crate) fn unreceived(&self) -> u32 {
        let query = "SELECT count(*) FROM delivery WHERE received IS NULL";
        self.connection().query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// The process card of a delivery is gone.
    pub(crate) fn lose_card(&self, id: &MessageId) {
        let gone = self.connection().execute("DELETE FROM card WHERE id = ?1", [id.as_str()]).unwrap();
        assert_eq!(gone, 1);
    }

    /// Attachments and pieces of attachments on the disk.
    pub(crate) fn files(&self) -> usize {
        let mut open = vec![self.folder.path().join("blobs"), self.folder.path().join("tmp")];
        let mut count = 0;
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { count += 1 }
            }
        }
        count
    }

    /// Numbers of the applications in the main path, as often as they are there.
    pub(crate) fn applications(&self) -> Vec<usize> {
        let number = |taken: crate::support::Taken| {
            let text = String::from_utf8(taken.document.to_vec()).unwrap();
            text.split(['>', '<']).find_map(|piece| piece.parse().ok()).unwrap()
        };
        let mut numbers: Vec<usize> = self.router.taken().into_iter().map(number).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// An intermediary, with a portal that sends over it.
pub(crate) struct Place {
    pub(crate) machine: Machine,
    pub(crate) wire: Wire,
    pub(crate) address: String,
    pub(crate) portal: OsciPeer,
    /// Its certificates are good as well, and it is no source.
    pub(crate) stranger: OsciPeer,
}

impl Place {
    /// The town has a mailbox here; pushes may go to `receivers`.
    pub(crate) async fn start(clock: &ManualClock, receivers: &[&str]) -> Self {
        let receivers = receivers.iter().map(|&receiver| receiver.to_owned()).collect();
        Self::with(clock, Rules { receivers, ..Rules::default() }).await
    }

    /// An intermediary with these rules; the town has a mailbox here.
    pub(crate) async fn with(clock: &ManualClock, rules: Rules) -> Self {
        Self::on(Machine::new(clock), rules).await
    }

    /// The process has ended, and another one is the intermediary on the same machine, at an address of its own.
    pub(crate) async fn rebooted(self, receivers: &[&str]) -> Self {
        let receivers = receivers.iter().map(|&receiver| receiver.to_owned()).collect();
        Self::on(self.machine, Rules { receivers, ..Rules::default() }).await
    }

    async fn on(machine: Machine, rules: Rules) -> Self {
        let wire = Wire::default();
        let endpoint = intermediary(machine.boot(), identity(&keys().intermediary), rules);
        let host = serve(wire.before(endpoint)).await;
        Self::at(machine, wire, &host)
    }

    /// An intermediary that is served already.
    pub(crate) fn at(machine: Machine, wire: Wire, host: &str) -> Self {
        let peer = |keys: &OsciIdentity, at: &OsciIdentity| {
            let (cipher, signature) = (at.cipher_certificate().clone(), at.signature_certificate().clone());
            OsciPeer::new(keys.clone(), host.parse().unwrap(), cipher, signature)
        };
        let Keys { portal, other, intermediary, .. } = keys();
        let (portal, stranger) = (peer(portal, intermediary), peer(other, intermediary));
        Self { machine, wire, address: format!("http://{host}/osci"), portal, stranger }
    }

    /// Gives a waiting delivery another MessageId, as if this intermediary had given it out.
    pub(crate) async fn rename(&self, from: MessageId, to: MessageId) {
        self.replace(from, to, |delivery| delivery).await;
    }

    /// A waiting delivery is spoilt on the intermediary's disk, and has another MessageId.
    pub(crate) async fn spoil(&self, from: MessageId, to: MessageId) {
        self.replace(from, to, |delivery| Delivery { envelope: b"<kaputt>".to_vec(), ..delivery }).await;
    }

    /// A waiting delivery names another certificate as its addressee, and has another MessageId.
    pub(crate) async fn misaddress(&self, from: MessageId, to: MessageId) {
        self.replace(from, to, |delivery| {
            let mut envelope = String::from_utf8(delivery.envelope).unwrap();
            let block = envelope.find("CipherCertificateAddressee").unwrap();
            let start =
                block + envelope[block..].find("X509Certificate>").unwrap() + "X509Certificate>".len();
            let end = start + envelope[start..].find('<').unwrap();
            let other = STANDARD.encode(keys().other.cipher_certificate().der());
            envelope.replace_range(start..end, &other);
            Delivery { envelope: envelope.into_bytes(), ..delivery }
        })
        .await;
    }

    /// Another process of the town has received a delivery.
    pub(crate) async fn receive_elsewhere(&self, id: &MessageId) {
        let (postbox, id) = (self.machine.boot().postbox, id.clone());
        postbox.run(move |boxes| boxes.taken(&id, jiff::Timestamp::UNIX_EPOCH)).await.unwrap();
    }

    async fn replace(
        &self,
        from: MessageId,
        to: MessageId,
        change: fn(Delivery<StoredPart>) -> Delivery<StoredPart>,
    ) {
        let mailbox = town().sha256_hex().to_owned();
        let postbox = self.machine.boot().postbox;
        let renamed = postbox.run(move |boxes| {
            let by_id = DeliverySelection::MessageId(from.clone());
            let (delivery, _) = boxes.find_delivery(&mailbox, Some(&by_id))?.unwrap();
            let mut card = boxes.card(&from)?.unwrap();
            boxes.taken(&from, delivery.submitted)?;
            boxes.put_delivery(&change(Delivery { id: to.clone(), ..delivery }))?;
            card.bundle.message_id = to;
            boxes.keep_card(&card)?;
            Ok::<_, PostboxError>(())
        });
        renamed.await.unwrap();
    }
}

/// An intermediary with these keys and rules, where the town has a mailbox.
pub(crate) fn intermediary(context: OsciContext, identity: Identity, rules: Rules) -> Router {
    context.postbox.register([town().clone()]);
    let intermediary = Intermediary {
        cipher: identity.cipher_certificate().clone(),
        signature: identity.signature_certificate().clone(),
        trust: keys().policy(&[]),
        policy: CryptoPolicy::default(),
        rules,
    };
    let own = OwnIntermediary::new(intermediary, Arc::clone(&context.wake));
    routes(Some(Arc::new(IntermediaryEndpoint { context, own, identity })), None)
}

/// Serves until the test ends; answers host and port.
pub(crate) async fn serve(endpoint: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, endpoint).await.unwrap() });
    host
}

/// A message for these keys, read.
pub(crate) fn opened(keys: &OsciIdentity, octets: &[u8]) -> Received<MemoryStore> {
    let deciphers: [&dyn Decrypter; 1] = [keys.cipher.as_ref()];
    read_all(&IntakeConfig::default(), &deciphers, &mut SystemRandom, octets).unwrap()
}

/// What was received, with this envelope in place of its own: signed by `by`, for the town.
pub(crate) fn sealed_anew(
    received: &Received<MemoryStore>,
    envelope: &Envelope,
    by: &OsciIdentity,
) -> Vec<u8> {
    let signer = (by.signature.as_ref() as &dyn Signer, SigningOptions::default());
    let target = TransportTarget::new(town().clone());
    let digests = received.digests();
    let outgoing = envelope.seal(Some(signer), Some(&target), &digests, &mut SystemRandom).unwrap();
    let parts = received.attachments.iter().map(|part| {
        let head = AttachmentHead {
            content_id: part.content_id.clone(),
            media_type: part.media_type.clone(),
            length: Some(part.bytes),
        };
        (head, received.store.parts[part.handle].as_slice())
    });
    message_bytes(outgoing, &parts.collect::<Vec<_>>()).unwrap()
}
