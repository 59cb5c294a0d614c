//! The whole path in one process: router, worker, scheduler and store are real; time, targets and senders are the
//! test's.
#![allow(dead_code, unreachable_pub, missing_docs, unused_imports, reason = "each test file uses its part")]

#[path = "../../../delivery/tests/support/desk.rs"]
mod desk;
#[path = "../../../delivery/tests/support/spy.rs"]
mod spy;

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use dds_config::{SourcePaths, bundle, read_release};
use dds_delivery::Scheduler;
use dds_depot::{InForce, Release};
use dds_message::{
    AnswerKind, Channel, DeliveryId, DeliveryState, Format, MessageId, MessageState, Problem, SourceId,
    TargetId,
};
use dds_router::{Acknowledgement, Answer, Begin, Handle, Intake, Options, Parts, Router};
use dds_store::{
    AuditLog, DeliveryRecord, Journal, LogRow, MasterKey, MessageRecord, StoreError,
    sqlite::{self, SqliteStore},
};
use dds_telemetry::Telemetry;
use dds_testbench::ManualClock;
use dds_worker::{Pool, PoolOptions};
use tokio::{sync::watch, task::JoinHandle};

pub use desk::*;
pub use spy::*;

pub const HOUR: Duration = Duration::from_secs(3_600);
pub const TAX: &str = "146120000000/steueramt/fv-steuerwerk";
pub const OTHER: &str = "146120000000/archiv/dms-aktenhof";
pub const VILLAGE: &str = "145215103040";

pub struct Bench {
    pub clock: ManualClock,
    pub spy: Arc<Spy>,
    pub desk: Desk,
    pub pool: Pool,
    pub telemetry: Telemetry,
    pub router: Router,
    pub in_force: InForce,
    pub dir: tempfile::TempDir,
    shutdown: watch::Sender<bool>,
    running: Vec<JoinHandle<()>>,
}

impl Bench {
    /// Everything runs.
    pub async fn start() -> Self {
        let mut bench = Self::still().await;
        bench.run();
        bench
    }

    /// Everything is made and nothing runs: what is accepted stays accepted.
    pub async fn still() -> Self {
        let dir = tempfile::tempdir().unwrap();
        depot(dir.path());
        let release = release(dir.path());
        let clock = ManualClock::default();
        bring_worker(dir.path());
        let options = PoolOptions {
            program: dir.path().join("worker"),
            processes: 1,
            memory_bytes: 512 << 20,
            job_time: Duration::from_secs(60),
            ..PoolOptions::default()
        };
        let pool = Pool::start(options).await.unwrap();
        assert_eq!(pool.load(bundle(&release)).await.unwrap(), []);
        let spy = Arc::new(Spy::new(open(dir.path(), &clock)));
        let telemetry = Telemetry::default();
        let in_force = InForce::new(release);
        let router = router(&spy, &pool, &clock, &telemetry, &in_force);
        let (desk, shutdown) = (Desk::new(), watch::Sender::new(false));
        Self { clock, spy, desk, pool, telemetry, router, in_force, dir, shutdown, running: Vec::new() }
    }

    pub fn run(&mut self) {
        let (router, ended) = (self.router.clone(), self.shutdown.subscribe());
        self.running.push(tokio::spawn(async move { router.run(ended).await }));
        let parts = dds_delivery::Parts {
            journal: self.spy.clone(),
            blobs: Arc::new(self.spy.store.clone()),
            vault: self.spy.store.vault().clone(),
            targets: self.desk.targets.clone(),
            clock: Arc::new(self.clock.clone()),
            telemetry: self.telemetry.clone(),
        };
        let scheduler =
            Scheduler::new(parts, dds_delivery::Options { grace: Duration::ZERO, ..Default::default() });
        self.running.push(tokio::spawn(scheduler.run(self.shutdown.subscribe())));
    }

    /// The process dies: nothing of router and store is left but the folder. Then another one starts over it.
    pub async fn crash(&mut self) {
        assert!(self.running.is_empty(), "only a bench that stands still is dropped at once");
        // A store is opened by one process at a time, so the old one goes first.
        let spare = tempfile::tempdir().unwrap();
        let nothing = Arc::new(Spy::new(open(spare.path(), &self.clock)));
        self.router = router(&nothing, &self.pool, &self.clock, &self.telemetry, &self.in_force);
        self.spy = nothing;
        // What was cut off lets go of the old store when the runtime comes to it.
        let store = soon(async {
            loop {
                match SqliteStore::open(store_options(self.dir.path(), &self.clock)) {
                    Err(StoreError::InUse(_)) => tokio::task::yield_now().await,
                    opened => return opened.unwrap(),
                }
            }
        });
        self.spy = Arc::new(Spy::new(store.await));
        self.router = router(&self.spy, &self.pool, &self.clock, &self.telemetry, &self.in_force);
    }

    /// Router and scheduler stop where they are, as a killed process does.
    pub async fn die(&mut self) {
        for task in self.running.drain(..) {
            task.abort();
            assert!(soon(task).await.is_err_and(|ended| ended.is_cancelled()));
        }
    }

    pub async fn activate(&self, release: Release) {
        assert_eq!(self.pool.load(bundle(&release)).await.unwrap(), []);
        self.in_force.switch(release);
    }

    /// Begins as the source `from`; panics on a refusal.
    pub async fn begin(&self, from: &str, key: Option<&str>) -> Begin {
        self.router.begin(&source(from), Channel::Rest, key).await.unwrap()
    }

    /// Sends a document as `portal`.
    pub async fn send(&self, key: Option<&str>, document: &str) -> Result<Acknowledgement, Problem> {
        self.send_as("portal", key, document).await
    }

    pub async fn send_as(
        &self,
        from: &str,
        key: Option<&str>,
        document: &str,
    ) -> Result<Acknowledgement, Problem> {
        self.send_with(from, key, document, &[]).await
    }

    /// Sends a document with attachments: name and text.
    pub async fn send_with(
        &self,
        from: &str,
        key: Option<&str>,
        document: &str,
        attachments: &[(&str, &'static str)],
    ) -> Result<Acknowledgement, Problem> {
        let mut intake = self.router.begin(&source(from), Channel::Rest, key).await?.intake();
        for (name, text) in attachments {
            let body = futures::stream::iter([Ok(Bytes::from_static(text.as_bytes()))]);
            intake.attachment(name, "text/plain", Box::pin(body)).await?;
        }
        intake.accept(Bytes::from(document.to_owned()), Format::Xml).await
    }

    /// An answer of the Fachverfahren `from`.
    pub async fn reply(&self, from: &str, answer: Answer, text: &str) -> Result<Acknowledgement, Problem> {
        self.reply_with(from, None, answer, text).await
    }

    /// An answer under a key.
    pub async fn reply_with(
        &self,
        from: &str,
        key: Option<&str>,
        answer: Answer,
        text: &str,
    ) -> Result<Acknowledgement, Problem> {
        let intake = self.router.begin_answer(&source(from), Channel::Rest, key, answer).await?.intake();
        intake.accept(Bytes::from(text.to_owned()), Format::Xml).await
    }

    /// See [`Spy::pass`].
    pub async fn pass(&self, by: Duration) {
        self.spy.pass(&self.clock, by).await;
    }

    pub async fn record(&self, id: MessageId) -> MessageRecord {
        self.spy.message(id).await.unwrap().unwrap()
    }

    pub async fn until(&self, id: MessageId, wanted: impl Fn(&MessageRecord) -> bool) -> MessageRecord {
        self.spy.until(async || self.record(id).await, wanted).await
    }

    /// Waits until the message is in `state`.
    pub async fn reaches(&self, id: MessageId, state: MessageState) -> MessageRecord {
        self.until(id, |record| record.state == state).await
    }

    pub async fn rows(&self) -> Vec<LogRow> {
        self.spy.store.rows(1, 100_000).await.unwrap()
    }

    /// Ends everything and walks all histories: each state has its entry (I5), no message is left without a final
    /// state, a waiting delivery or a person who must act (I7), and the chain of the journal is whole.
    pub async fn finish(self) {
        self.shutdown.send_replace(true);
        for task in self.running {
            soon(task).await.unwrap();
        }
        let rows = self.spy.store.rows(1, 100_000).await.unwrap();
        let (mut messages, mut deliveries) = (HashMap::new(), HashMap::new());
        for row in &rows {
            let Some(message) = row.message else { continue };
            messages.entry(message).or_insert(None);
            match (row.delivery, row.state.as_deref()) {
                (Some(delivery), Some(state)) => drop(deliveries.insert(delivery, state)),
                (None, Some(state)) => drop(messages.insert(message, Some(state))),
                _ => {}
            }
        }
        for (id, last) in messages {
            let record = self.spy.store.message(id).await.unwrap().unwrap();
            assert_eq!(last, Some(record.state.as_str()), "state of {id} without its entry");
            for delivery in &record.deliveries {
                let told = deliveries.get(&delivery.id).copied();
                assert_eq!(told, Some(delivery.state.as_str()), "{delivery:?} without its entry");
            }
            let open = record.deliveries.iter().any(|delivery| !delivery.state.is_final());
            match record.state {
                MessageState::Completed => assert!(!open, "completed with an open delivery"),
                MessageState::Rejected | MessageState::Parked => {
                    assert!(record.code.is_some(), "without a reason")
                }
                MessageState::Routed => assert!(open, "routed and nothing waits"),
                MessageState::Accepted => panic!("{id} was never routed"),
            }
        }
        // A journal without any entry is a broken one.
        let entries = self.spy.store.anchor().await.unwrap().seq;
        let chain = self.spy.store.verify(1, Some(entries)).await.unwrap();
        assert_eq!((chain.broken, chain.checked), (None, rows.len() as u64));
    }
}

fn open(dir: &Path, clock: &ManualClock) -> SqliteStore {
    SqliteStore::open(store_options(dir, clock)).unwrap()
}

pub fn store_options(dir: &Path, clock: &ManualClock) -> sqlite::Options {
    let key = MasterKey::from_hex(&"5a".repeat(32)).unwrap();
    sqlite::Options::new(dir.join("store"), key, Arc::new(clock.clone()))
}

fn router(
    spy: &Arc<Spy>,
    pool: &Pool,
    clock: &ManualClock,
    telemetry: &Telemetry,
    in_force: &InForce,
) -> Router {
    let parts = Parts {
        journal: spy.clone(),
        blobs: Arc::new(spy.store.clone()),
        vault: spy.store.vault().clone(),
        pool: pool.clone(),
        clock: Arc::new(clock.clone()),
        telemetry: telemetry.clone(),
    };
    Router::new(parts, Options::default(), in_force.clone())
}

/// Puts the program of the workers where the pool looks for it.
pub fn bring_worker(dir: &Path) {
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_dds-router-probe"), dir.join("worker")).unwrap();
}

/// The release that `dir` holds now.
pub fn release(dir: &Path) -> Release {
    let paths = SourcePaths { rules: dir.join("rules"), config: dir.join("config"), schemas: None };
    read_release(&paths).unwrap_or_else(|error| panic!("{:#?}", error.findings))
}

/// A part of the repository's own rules, one rule that never ends, and a small configuration.
fn depot(dir: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let parts = ["lib", "vorgang", "hundesteuer", "products/fv-steuerwerk", "products/fv-ordnungsamt"];
    for part in parts.into_iter().chain(["dms/dms-aktenhof"]) {
        copy(&root.join("rules").join(part), &dir.join("rules").join(part));
    }
    let endless = "rules/endlos/1.0/";
    write(dir, &format!("{endless}rule.toml"), ENDLESS_RULE);
    write(dir, &format!("{endless}xslt/to-vorgang.xsl"), ENDLESS_SHEET);
    write(dir, "config/profiles/stadt.toml", CITY);
    write(dir, "config/profiles/dorf.toml", HAMLET);
    let area = |ars: &str, profile: &str| {
        format!(
            "ars = \"{ars}\"\nname = \"Muster {profile}\"\nprofile = \"{profile}\"\nendpoint = \"http://127.0.0.1:9\"\n"
        )
    };
    write(dir, "config/municipalities/146120000000-stadt.toml", &area("146120000000", "stadt"));
    write(dir, "config/municipalities/145215103040-dorf.toml", &area(VILLAGE, "dorf"));
    for (id, rest) in SOURCES {
        write(
            dir,
            &format!("config/sources/{id}.toml"),
            &format!("id = \"{id}\"\nname = \"{id}\"\n{rest}\n"),
        );
    }
}

const SOURCES: [(&str, &str); 5] = [
    (
        "portal",
        "procedures = [\"*\"]\nmunicipalities = [\"*\"]\nanswers = { kind = \"callback\", url = \"http://127.0.0.1:9/r\" }",
    ),
    ("formular", "procedures = [\"*\"]\nmunicipalities = [\"*\"]"),
    ("fach", "municipalities = [\"*\"]\nmay_answer = true"),
    ("fach-stadt", "municipalities = [\"146120000000\"]\nmay_answer = true"),
    ("fach-dorf", "municipalities = [\"1452*\"]\nmay_answer = true"),
];

const CITY: &str = r#"
title = "Stadt"
[office.steueramt]
name = "Steueramt"
procedures = ["hundesteuer", "endlos"]
fachverfahren = "fv-steuerwerk@3.2"
[office.archiv]
name = "Archiv"
procedures = []
dms = "dms-aktenhof@2.0"
"#;

const HAMLET: &str = r#"
title = "Dorf"
[office.kasse]
name = "Kasse"
procedures = ["hundesteuer"]
fachverfahren = "fv-ordnungsamt@1.4"
"#;

const ENDLESS_RULE: &str = r#"
procedure = "endlos"
version = "1.0"
title = "Regel ohne Ende"
owner = "Test"
valid_from = "2026-01-01"
level = "municipality"
deadline = "1h"
[namespaces]
e = "urn:endlos"
[[message]]
name = "endlos.antrag"
version = "1.0"
root = "e:antrag"
canonical = "xslt/to-vorgang.xsl"
[message.keys]
municipality = "/e:antrag/e:ars"
"#;

const ENDLESS_SHEET: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><xsl:call-template name="again"/></xsl:template>
<xsl:template name="again"><xsl:call-template name="again"/></xsl:template>
</xsl:stylesheet>"#;

pub const ENDLESS: &str = r#"<antrag xmlns="urn:endlos"><ars>146120000000</ars></antrag>"#;

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

pub fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

pub fn fixture(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/hundesteuer");
    fs::read_to_string(root.join(name)).unwrap()
}

/// An ordinary application with message id and case of its own.
pub fn application(number: u32) -> String {
    fixture("gewoehnlich.xml")
        .replace("16371b14-4b52-4959-9268-b54043e40f40", &format!("16371b14-4b52-4959-9268-{number:012}"))
        .replace("HST-2026-000117", &case(number))
}

pub fn case(number: u32) -> String {
    format!("HST-TEST-{number}")
}

/// The same for the village, whose Fachverfahren fetches.
pub fn application_of_the_village(number: u32) -> String {
    application(number).replace("146120000000", VILLAGE)
}

/// One that its schema does not allow, for the city.
pub fn invalid(number: u32) -> String {
    application(number).replace("1984-05-17", "1984-13-17")
}

pub fn source(id: &str) -> SourceId {
    SourceId::parse(id).unwrap()
}

pub fn target(name: &str) -> TargetId {
    TargetId::parse(name).unwrap()
}

pub fn to_message(kind: AnswerKind, message: MessageId) -> Answer {
    Answer { kind, message: Some(message), case: None }
}

pub fn to_case(kind: AnswerKind, case: &str) -> Answer {
    Answer { kind, message: None, case: Some(case.to_owned()) }
}

/// What the program logs.
#[derive(Clone, Default)]
pub struct Captured(pub Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
