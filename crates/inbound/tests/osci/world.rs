//! Parties with their keys, and processes that can die.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::Router;
use dds_courier::{Courier, Desk, Identity, OwnIntermediary, Timeouts, Trust};
use dds_inbound::{
    Limits, SourceTable,
    osci::{Office, OsciContext, routes},
};
use dds_message::Digest;
use dds_osci::{
    algorithm::CryptoPolicy,
    certificate::Certificate,
    intake::IntakeConfig,
    intermediary::{Delivery, Intermediary, Mailboxes as _, Rules},
    message::{DeliverySelection, MessageId},
    trust::TrustPolicy,
};
use dds_postbox::{Options, Postbox, PostboxError};
use dds_store::MasterKey;
use dds_telemetry::Telemetry;
use dds_testbench::{ManualClock, OsciIdentity, OsciPeer, OsciPki};
use rusqlite::Connection;
use rustls::ClientConfig;
use tokio::sync::{Notify, Semaphore};

use crate::{
    support::{Fake, source},
    wire::Wire,
};

/// Everybody's keys.
pub(crate) struct Keys {
    root: Certificate,
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
            root: Certificate::from_pem(pki.root_pem()).unwrap(),
            intermediary: pki.identity("vermittler").unwrap(),
            other: pki.identity("vermittler-2").unwrap(),
            portal: pki.identity("portal").unwrap(),
            town: pki.identity("stadt").unwrap(),
        }
    })
}

/// The town's certificate; it names the mailbox.
pub(crate) fn town() -> &'static Certificate {
    keys().town.cipher_certificate()
}

pub(crate) fn identity(keys: &OsciIdentity) -> Identity {
    Identity { cipher: keys.cipher.clone(), signature: keys.signature.clone() }
}

/// An application; each number another.
pub(crate) fn application(number: usize) -> String {
    format!("<anmeldung xmlns=\"urn:datendrehscheibe:hundesteuer:1\"><kopf>{number}</kopf></anmeldung>")
}

/// A machine: its folder, its clock and the router's store outlive the processes on it.
pub(crate) struct Machine {
    folder: tempfile::TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) router: Arc<Fake>,
}

impl Machine {
    pub(crate) fn new(clock: &ManualClock) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: clock.clone(), router: Arc::default() }
    }

    /// Starts a process: the postbox is opened as it lies there.
    pub(crate) fn boot(&self) -> OsciContext {
        let postbox = Postbox::open(Options {
            folder: self.folder.path().to_owned(),
            master_key: MasterKey::from_hex(&"cd".repeat(32)).unwrap(),
            clock: Arc::new(self.clock.clone()),
        })
        .unwrap();
        let desk = Desk { intake: Arc::new(IntakeConfig::default()), postbox: postbox.clone() };
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
            telemetry: Telemetry::default(),
            wake: Arc::new(Notify::new()),
            places: Arc::new(Semaphore::new(16)),
            idle: Duration::from_secs(900),
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
}

impl Place {
    /// The town has a mailbox here; pushes may go to `receivers`.
    pub(crate) async fn start(clock: &ManualClock, receivers: &[&str]) -> Self {
        let keys = keys();
        let machine = Machine::new(clock);
        let context = machine.boot();
        context.postbox.register([town().clone()]);
        let cipher = keys.intermediary.cipher_certificate().clone();
        let signature = keys.intermediary.signature_certificate().clone();
        let rules = Intermediary {
            cipher: cipher.clone(),
            signature: signature.clone(),
            trust: TrustPolicy { anchors: vec![keys.root.clone()], ..TrustPolicy::default() },
            policy: CryptoPolicy::default(),
            rules: Rules {
                receivers: receivers.iter().map(|&receiver| receiver.to_owned()).collect(),
                ..Rules::default()
            },
        };
        let own = OwnIntermediary::new(rules, Arc::clone(&context.wake));
        let office = Office { context, own, identity: identity(&keys.intermediary) };
        let wire = Wire::default();
        let host = serve(wire.before(routes(Some(Arc::new(office)), None))).await;
        let portal = OsciPeer::new(keys.portal.clone(), host.parse().unwrap(), cipher, signature);
        Self { machine, wire, address: format!("http://{host}/osci"), portal }
    }

    /// Gives a waiting delivery another MessageId, as if this intermediary had given it out.
    pub(crate) async fn rename(&self, from: MessageId, to: MessageId) {
        let mailbox = town().sha256_hex().to_owned();
        let postbox = self.machine.boot().postbox;
        let renamed = postbox.run(move |boxes| {
            let by_id = DeliverySelection::MessageId(from.clone());
            let (delivery, _) = boxes.find_delivery(&mailbox, Some(&by_id))?.unwrap();
            let mut card = boxes.card(&from)?.unwrap();
            boxes.taken(&from, delivery.submitted)?;
            boxes.put_delivery(&Delivery { id: to.clone(), ..delivery })?;
            card.bundle.message_id = to;
            boxes.keep_card(&card)?;
            Ok::<_, PostboxError>(())
        });
        renamed.await.unwrap();
    }
}

/// Serves until the test ends; answers host and port.
pub(crate) async fn serve(endpoint: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, endpoint).await.unwrap() });
    host
}
