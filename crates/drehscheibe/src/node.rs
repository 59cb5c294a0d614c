//! The life of the process: open the store, load the release, start workers, router and deliveries, listen, and end in
//! order. Nothing is accepted before everything stands; nothing under way is cut off at the end.

mod certificates;
mod listeners;
pub(crate) mod options;
mod retention;
mod sources;

use std::{collections::BTreeMap, path::Path, process::ExitCode, sync::Arc, time::Duration};

use axum::{extract::Request, middleware::map_request};
use dds_config::{
    ProcessConfig, ReleaseStore, SourcePaths, check_certificates, check_master_key, read_release, read_secret,
};
use dds_delivery::Scheduler;
use dds_depot::{CheckFinding, InForce, ProductPackage, Release, SecretRef};
use dds_inbound::{Context, FolderOptions, Listener, Peer, Sources};
use dds_message::{Clock, Code, Digest, JournalEvent, Problem, Severity, TargetId};
use dds_outbound::{
    OsciSender, Targets, mailbox,
    osci::{Tracker, TrackerParts},
};
use dds_postbox::Postbox;
use dds_router::Router;
use dds_store::{
    Journal, MasterKey, NewEntry, StoreError,
    sqlite::{self, LogReader, SqliteStore},
};
use dds_telemetry::{LogFormat, LogOptions, ReleaseActivated, SystemClock, Telemetry};
use dds_worker::Pool;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};

use self::{
    certificates::Certificates,
    listeners::{Addresses, Doors},
    sources::ActiveSources,
};
use crate::{
    Failure, admin,
    cli::Serve,
    commands, folders,
    interrupt::Interrupt,
    osci::{Around, Keys, Osci, Refresher},
    output::Output,
    supervisor, watch as watcher,
};

/// `drehscheibe serve`.
pub(crate) async fn serve(options: &Serve, output: Output) -> Result<ExitCode, Failure> {
    dds_worker::sandbox::without_core_dumps().map_err(Failure::unexpected)?;
    let config = commands::settings(&options.settings.config)?;
    if let Some(finding) = check_master_key(&options.settings.config, &config) {
        return Err(finding.into());
    }
    let format = if config.telemetry.json { LogFormat::Json } else { LogFormat::Text };
    dds_telemetry::init_log(&LogOptions { format, filter: config.telemetry.log.clone() });
    let config_dir = options.settings.config.parent().unwrap_or(Path::new(".")).to_owned();
    let node = Box::pin(Node::start(config, &config_dir, options.new_store)).await?;
    output.line(format!("{} {}", output.pick("bereit auf", "ready on"), node.addresses.rest));
    output.result_line(&serde_json::json!({ "ready": node.addresses }))?;
    let mut interrupt = Interrupt::new()?;
    supervisor::ready();
    let watching = options.watch.then(|| tokio::spawn(watcher::sources(Arc::clone(&node), config_dir)));
    tokio::select! {
        () = interrupt.wait() => {}
        () = abandoned(), if options.attended => {}
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    Box::pin(node.stop()).await;
    Ok(ExitCode::SUCCESS)
}

/// Standard input is closed: the process at its other end is gone, however it ended. Read by a thread of its own, since
/// a read that still waits would keep the runtime from ending.
async fn abandoned() {
    let (gone, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _read = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _nobody = gone.send(());
    });
    // The sender goes with its thread, which is an end too.
    let _told = told.await;
}

/// When the tasks took the whole time of the drain, answers under way still get so much.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// A running router.
pub(crate) struct Node {
    pub(crate) config: ProcessConfig,
    pub(crate) releases: ReleaseStore,
    pub(crate) pool: Pool,
    pub(crate) clock: Arc<dyn Clock>,
    in_force: InForce,
    store: SqliteStore,
    router: Router,
    telemetry: Telemetry,
    targets: Targets,
    sources: Arc<ActiveSources>,
    context: Context,
    /// Tells tasks to end.
    shutdown: watch::Sender<bool>,
    /// Tells the listeners to end, once the tasks have.
    closing: watch::Sender<bool>,
    ready: watch::Sender<bool>,
    tasks: tokio::sync::Mutex<JoinSet<()>>,
    doors: tokio::sync::Mutex<JoinSet<()>>,
    addresses: Addresses,
    folders: folders::Folders,
}

impl Node {
    /// Starts everything; when this returns the router is ready.
    pub(crate) async fn start(
        config: ProcessConfig,
        config_dir: &Path,
        new_store: bool,
    ) -> Result<Arc<Self>, Failure> {
        // From now on it ends the process no more, also where there is nothing to read anew.
        let hangup = signal(SignalKind::hangup()).map_err(Failure::unexpected)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        check_certificates(&config, clock.now()).iter().for_each(certificate_ends);
        let now = clock.now().to_jiff();
        for finding in config.osci.iter().flat_map(|osci| crate::osci::judge(osci, now)) {
            unsound(&finding);
        }
        let telemetry = options::telemetry(&config)?;
        let releases = ReleaseStore::new(&config.releases);
        // What this start puts in force is there until the journal names it.
        let _hold = releases.hold();
        // What cannot be used is refused before the store is opened: a first start that fails leaves none behind.
        let master_key = may_open(&config, &releases, new_store)?;
        let (release, stored) = active_release(&config, config_dir, &releases)?;
        for finding in config.osci.iter().flat_map(|osci| crate::osci::ways(osci, &release, now)) {
            unsound(&finding);
        }
        let mut ways_out = options::outbound(&config, config_dir)?;
        let client = dds_outbound::client_config(&ways_out.tls).map_err(Problem::from)?;
        let tls =
            config.listen.tls.as_ref().map(|tls| Certificates::open(tls, &telemetry, &clock)).transpose()?;
        let keys = Keys::read(&config)?;
        let partners = keys.as_ref().and_then(Keys::listen);
        let (mut doors, addresses) =
            Doors::open(&config, tls.as_ref().map(Certificates::tls), partners).await?;
        let pool = Pool::start(options::pool(&config)).await?;
        load(&pool, &release).await?;
        if !stored {
            releases.save(&release, clock.now())?;
        }

        let options = sqlite::Options::new(&config.store, master_key, Arc::clone(&clock));
        let store = SqliteStore::open(sqlite::Options { new_store, ..options })?;
        let token = admin::write_token(&config.store)?;
        if !stored {
            releases.activate(&release)?;
        }
        let open = |keys| {
            let (folder, vault) = (dds_postbox::folder(&config.store), store.vault().clone());
            Osci::open(keys, dds_postbox::Options { folder, vault, clock: Arc::clone(&clock) }, client)
        };
        let osci = keys.map(open).transpose()?.map(Arc::new);
        ways_out.osci = osci.as_ref().and_then(|osci| osci.sender(&clock));
        let sender = ways_out.osci.clone();
        let in_force = InForce::new(release.clone());
        name_labels(&telemetry, &release);
        let targets = Targets::new(ways_out, in_force.clone()).map_err(Problem::from)?;
        let router = Router::new(
            router_parts(&store, &pool, &clock, &telemetry),
            options::router(&config),
            in_force.clone(),
        );
        let scheduler =
            Scheduler::new(delivery_parts(&store, &targets, &clock, &telemetry), options::delivery(&config));
        let sources = Arc::new(ActiveSources { in_force: in_force.clone(), config: config.clone() });
        let context = Context::new(
            Arc::new(router.clone()),
            Arc::clone(&sources) as Arc<dyn Sources>,
            telemetry.clone(),
            options::inbound(&config),
        );
        let (shutdown, ended) = watch::channel(false);
        let (ready, is_ready) = watch::channel(false);
        let node = Arc::new(Self {
            config,
            releases,
            pool,
            clock,
            in_force,
            store,
            router,
            telemetry,
            targets,
            sources,
            context,
            shutdown,
            ready,
            tasks: tokio::sync::Mutex::default(),
            doors: tokio::sync::Mutex::default(),
            addresses,
            folders: folders::Folders::default(),
            closing: watch::Sender::new(false),
        });
        let postbox = osci.as_ref().map(|osci| osci.postbox().clone());
        // First, because it may still fail.
        if let Some(osci) = osci {
            node.serve_osci(osci, doors.osci.take(), sender, &ended).await?;
        }
        node.serve(doors, token, postbox, &is_ready, &ended).await;
        let mut tasks = node.tasks.lock().await;
        let router = node.router.clone();
        let until = ended.clone();
        tasks.spawn(async move { router.run(until).await });
        tasks.spawn(scheduler.run(ended.clone()));
        if let Some(certificates) = tls {
            tasks.spawn(certificates.follow(hangup, ended.clone()));
        }
        tasks.spawn(watcher::release(Arc::downgrade(&node), ended.clone()));
        tasks.spawn(retention::expire(
            node.store.clone(),
            Arc::clone(&node.clock),
            node.config.clone(),
            ended,
        ));
        drop(tasks);
        node.note(&release, None).await?;
        node.ready.send_replace(true);
        Ok(node)
    }

    /// Serves everybody but partners of OSCI.
    async fn serve(
        &self,
        doors: Doors,
        token: Digest,
        postbox: Option<Postbox>,
        is_ready: &watch::Receiver<bool>,
        ended: &watch::Receiver<bool>,
    ) {
        let fetching = mailbox::router(self.mailbox(ended)).layer(map_request(with_certificate));
        let app = dds_inbound::app_with(self.context.clone(), fetching);
        let operations = admin::app(admin::Admin {
            router: self.router.clone(),
            journal: Arc::new(self.store.clone()),
            telemetry: self.telemetry.clone(),
            clock: Arc::clone(&self.clock),
            ready: is_ready.clone(),
            pool: self.pool.clone(),
            token,
            postbox,
        });
        let mut open = self.doors.lock().await;
        let closing = || end(self.closing.subscribe());
        if let Some(soap) = doors.soap {
            open.spawn(soap.serve(dds_inbound::app(self.context.clone()), closing()));
        }
        open.spawn(doors.rest.serve(app, closing()));
        open.spawn(doors.admin.serve(operations, closing()));
        drop(open);
        self.watch_folders().await;
    }

    /// Serves the endpoints of OSCI, and starts what fetches, collects and follows. `door`: if partners may send.
    async fn serve_osci(
        &self,
        osci: Arc<Osci>,
        door: Option<Listener>,
        sender: Option<OsciSender>,
        ended: &watch::Receiver<bool>,
    ) -> Result<(), Failure> {
        let parts = osci.stand_up(Around {
            handle: Arc::new(self.router.clone()),
            sources: Arc::clone(&self.sources) as Arc<dyn Sources>,
            limits: options::inbound(&self.config).limits,
            clock: Arc::clone(&self.clock),
            telemetry: self.telemetry.clone(),
        })?;
        let mut tasks = self.tasks.lock().await;
        if let Some(door) = door {
            let routes = dds_inbound::osci::routes(parts.intermediary.clone(), parts.recipient);
            self.doors.lock().await.spawn(door.serve(routes, end(self.closing.subscribe())));
        }
        for fetcher in parts.fetchers {
            tasks.spawn(fetcher.run(end(ended.clone())));
        }
        tasks.spawn(parts.collector.run(end(ended.clone())));
        if let Some(sender) = sender {
            let tracker = Tracker::new(TrackerParts {
                sender,
                targets: self.targets.clone(),
                journal: Arc::new(self.store.clone()),
                telemetry: self.telemetry.clone(),
                every: Duration::from_secs(60),
            });
            tasks.spawn(tracker.run(ended.clone()));
        }
        let refresher = Refresher::new(Arc::clone(&osci), self.clock.now().to_jiff());
        tasks.spawn(watcher::osci(osci, refresher, Arc::clone(&self.clock), ended.clone()));
        Ok(())
    }

    /// Watches the drop folders of the release in force, each with the limits it has there.
    async fn watch_folders(&self) {
        let Some(inbox) = &self.config.folders.inbox else { return };
        let release = self.release();
        let wanted = release.sources().filter_map(|source| {
            let name = source.folder.as_ref()?;
            let mut options = FolderOptions::new(source.id.clone(), inbox.join(name));
            options.interval = self.config.folders.interval.0;
            options.marker_required = self.config.folders.marker_required;
            options.keep = self.config.folders.delete_after.0.map(|span| span.0);
            options.limits = options::of_source(&self.config, source);
            Some(options)
        });
        let handle = Arc::new(self.router.clone());
        self.folders.keep(wanted.collect(), handle, &self.telemetry, &self.clock).await;
    }

    fn mailbox(&self, closing: &watch::Receiver<bool>) -> mailbox::Mailbox {
        mailbox::Mailbox {
            journal: Arc::new(self.store.clone()),
            blobs: Arc::new(self.store.clone()),
            vault: self.store.vault().clone(),
            targets: self.targets.clone(),
            clock: Arc::clone(&self.clock),
            telemetry: self.telemetry.clone(),
            lease: self.config.delivery.fetch_lease.0,
            polls: mailbox::Polls::new(self.config.limits.polls as usize),
            closing: closing.clone(),
        }
    }

    /// Puts another release in force: compiled first, then switched, then confirmed. On any error the old one stays.
    pub(crate) async fn activate(&self, release: Release) -> Result<(), Failure> {
        let before = self.release();
        if before.id() == release.id() {
            self.releases.confirm(&self.config.node, &release.id())?;
            return Ok(());
        }
        forbid_public_tokens(&self.config, &release)?;
        load(&self.pool, &release).await?;
        self.in_force.switch(release.clone());
        name_labels(&self.telemetry, &release);
        self.watch_folders().await;
        self.note(&release, Some(&before)).await?;
        // Messages matched with the old release may still be at the workers for the time of a job.
        let (pool, old) = (self.pool.clone(), before.id().0);
        tokio::spawn(async move { pool.retire(old, Duration::from_secs(60)).await });
        Ok(())
    }

    /// The release in force.
    pub(crate) fn release(&self) -> Release {
        self.in_force.get()
    }

    /// How many deliveries of each target are not done; those that it fetches (`true`) apart.
    pub(crate) async fn waiting(&self) -> Result<BTreeMap<(TargetId, bool), u64>, Failure> {
        Ok(self.store.waiting().await?)
    }

    async fn note(&self, release: &Release, before: Option<&Release>) -> Result<(), Failure> {
        let event = ReleaseActivated {
            release: release.id(),
            previous: before.map(Release::id),
            rules: release.rules().len(),
            municipalities: release.municipalities().len(),
        };
        let data = self.telemetry.record(&event);
        self.store.note(NewEntry { data, ..NewEntry::new(JournalEvent::ReleaseActivated) }).await?;
        self.releases.confirm(&self.config.node, &release.id())?;
        Ok(())
    }

    /// Takes nothing new, lets what is under way end, closes the store. Until the tasks have ended the listeners go on:
    /// senders are refused (DDS-I008) instead of finding nobody, and operations can be watched.
    pub(crate) async fn stop(&self) {
        self.ready.send_replace(false);
        self.context.drain();
        let drain = self.config.delivery.drain.0;
        let deadline = tokio::time::Instant::now() + drain;
        self.shutdown.send_replace(true);
        let mut tasks = self.tasks.lock().await;
        let ended = async {
            self.folders.end().await;
            while tasks.join_next().await.is_some() {}
        };
        if tokio::time::timeout_at(deadline, ended).await.is_err() {
            // The next start goes on with what they were doing.
            tracing::warn!("node.tasks_cut_off");
            tasks.abort_all();
        }
        self.closing.send_replace(true);
        let mut doors = self.doors.lock().await;
        // Requests under way may end within what is left of the time.
        let closed = async { while doors.join_next().await.is_some() {} };
        let deadline = deadline.max(tokio::time::Instant::now() + LAST_ANSWERS.min(drain));
        if tokio::time::timeout_at(deadline, closed).await.is_err() {
            tracing::warn!("node.requests_cut_off");
        }
        let telemetry = self.telemetry.clone();
        // A panic of the export must not keep the process from ending in order.
        let _closed = tokio::task::spawn_blocking(move || telemetry.close(Duration::from_secs(2))).await;
    }
}

/// The key under which a store stands. `DDS-S004` if it is missing or malformed.
pub(crate) fn master_key(reference: &SecretRef) -> Result<MasterKey, Failure> {
    let hex = read_secret(reference).map_err(|problem| Problem { code: Code::KEY_MISSING, ..problem })?;
    MasterKey::from_hex(&hex).map_err(|_| {
        let text = (
            format!(
                "unter {reference} stehen nicht 64 Hexziffern; „drehscheibe key“ erzeugt einen Schlüssel"
            ),
            format!("what stands under {reference} is not 64 hex digits; \"drehscheibe key\" makes a key"),
        );
        Failure::new(Code::KEY_MISSING, text)
    })
}

/// Logs what was found of a certificate that ends.
fn certificate_ends(finding: &CheckFinding) {
    match finding.severity {
        Severity::Info => tracing::info!(code = %finding.code, %finding, "certificate.ends"),
        _ => tracing::warn!(code = %finding.code, %finding, "certificate.ends"),
    }
}

/// Logs what was found in `[osci]`, or in the OSCI way of an office.
pub(crate) fn unsound(finding: &CheckFinding) {
    if finding.code == Code::CERTIFICATE_EXPIRES {
        certificate_ends(finding);
    } else {
        tracing::warn!(code = %finding.code, %finding, "osci.unsound");
    }
}

/// The key of the store, if this start may open the store or make the first one: nobody else has it open, and it is not
/// lost. A node that has confirmed a release had a store: where that is gone with its folder (a disk that is not
/// mounted), an empty one in its place would forget what was accepted.
fn may_open(config: &ProcessConfig, releases: &ReleaseStore, new_store: bool) -> Result<MasterKey, Failure> {
    let key = master_key(&config.master_key)?;
    let confirmed = || !matches!(releases.confirmed(&config.node), Ok(None));
    if !new_store && !SqliteStore::exists(&config.store) && confirmed() {
        return Err(StoreError::Missing(config.store.display().to_string()).into());
    }
    // Asked here too, so that a second start says this and not that the ports of the first are taken.
    if SqliteStore::in_use(&config.store) {
        return Err(StoreError::InUse(config.store.display().to_string()).into());
    }
    Ok(key)
}

/// A reader of the journal of a running or stopped router, which needs no key.
pub(crate) fn log_reader(config: &ProcessConfig) -> Result<LogReader, Failure> {
    Ok(LogReader::open(&config.store, Arc::new(SystemClock))?)
}

/// A reader of the store of a running or stopped router.
pub(crate) fn reader(config: &ProcessConfig) -> Result<SqliteStore, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let options = sqlite::Options::new(&config.store, master_key(&config.master_key)?, clock);
    Ok(SqliteStore::open_read_only(options)?)
}

/// The active release, and whether it is stored; the first start builds it from rules and configuration.
fn active_release(
    config: &ProcessConfig,
    config_dir: &Path,
    releases: &ReleaseStore,
) -> Result<(Release, bool), Failure> {
    let active = releases.active()?;
    let release = match &active {
        Some(id) => releases.load(id)?,
        None => read_release(&SourcePaths {
            rules: config.rules.clone(),
            config: config_dir.to_owned(),
            schemas: config.schemas(),
        })?,
    };
    forbid_public_tokens(config, &release)?;
    Ok((release, active.is_some()))
}

/// Tokens that everybody knows are good for what only this machine can reach. `DDS-C018` otherwise.
pub(crate) fn forbid_public_tokens(config: &ProcessConfig, release: &Release) -> Result<(), Failure> {
    let public = release.public_tokens();
    if config.is_local() || public.is_empty() {
        return Ok(());
    }
    Err(public.into())
}

/// Has the workers compile a release. Errors of packages name file, line and column.
pub(crate) async fn load(pool: &Pool, release: &Release) -> Result<(), Failure> {
    let errors = dds_config::compile(release, pool).await?;
    if errors.is_empty() {
        return Ok(());
    }
    pool.unload(release.id().0);
    Err(errors.into())
}

fn router_parts(
    store: &SqliteStore,
    pool: &Pool,
    clock: &Arc<dyn Clock>,
    telemetry: &Telemetry,
) -> dds_router::Parts {
    dds_router::Parts {
        journal: Arc::new(store.clone()),
        blobs: Arc::new(store.clone()),
        vault: store.vault().clone(),
        pool: pool.clone(),
        clock: Arc::clone(clock),
        telemetry: telemetry.clone(),
    }
}

fn delivery_parts(
    store: &SqliteStore,
    targets: &Targets,
    clock: &Arc<dyn Clock>,
    telemetry: &Telemetry,
) -> dds_delivery::Parts {
    dds_delivery::Parts {
        journal: Arc::new(store.clone()),
        blobs: Arc::new(store.clone()),
        vault: store.vault().clone(),
        targets: Arc::new(targets.clone()),
        clock: Arc::clone(clock),
        telemetry: telemetry.clone(),
    }
}

/// What metrics call by name is what the release in force has.
fn name_labels(telemetry: &Telemetry, release: &Release) {
    let procedures = release.rules().map(|rule| rule.procedure.to_string());
    telemetry.metrics().names().replace(procedures, release.products().map(ProductPackage::name));
}

/// Tells the mailbox which client certificate the listener saw: the two do not know each other (invariant I2).
async fn with_certificate(mut request: Request) -> Request {
    if let Some(digest) = request.extensions().get::<Peer>().and_then(|peer| peer.certificate) {
        request.extensions_mut().insert(mailbox::PeerCertificate(digest));
    }
    request
}

async fn end(mut ended: watch::Receiver<bool>) {
    // An error means that the node is gone: that is an end too.
    let _ended = ended.wait_for(|ended| *ended).await;
}
