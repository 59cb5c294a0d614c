//! The pool of worker processes, as the service sees it.

use std::{
    collections::BTreeMap,
    num::NonZero,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_message::{Code, Digest, Problem, Severity};
use dds_transform::Budget;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Bundle, CompileError, Job, JobError, JobResult,
    frame::{self, Done, Request, RunHeader, Settings},
    slot::{Attempt, Control, Load, Queued, Slot},
    spawner::Spawner,
};

/// How workers are started and what they may use.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Program to start as worker; it must call [`child::run`](crate::child::run).
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Number of processes.
    pub processes: usize,
    /// Jobs that may wait; [`Pool::run`] waits when the queue is full.
    pub queue: usize,
    /// Address space of a worker in bytes.
    pub memory_bytes: u64,
    /// Time of one attempt at a job.
    pub job_time: Duration,
    /// Time to compile a bundle.
    pub load_time: Duration,
    /// After so many jobs a process is replaced.
    pub jobs_per_process: u64,
    /// A process that holds more resident memory than this after a job is replaced, in bytes. The name tables of the
    /// XSD engine grow with foreign names.
    pub resident_bytes: u64,
    /// What one run of a stylesheet may use.
    pub budget: Budget,
    /// Limits of documents.
    pub limits: dds_xml::Limits,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            program: PathBuf::from("/proc/self/exe"),
            args: vec!["worker".to_owned()],
            processes: std::thread::available_parallelism().map_or(2, NonZero::get),
            queue: 256,
            memory_bytes: 512 << 20,
            job_time: Duration::from_secs(10),
            load_time: Duration::from_secs(60),
            jobs_per_process: 10_000,
            resident_bytes: 512 << 20,
            budget: Budget::default(),
            limits: dds_xml::Limits::default(),
        }
    }
}

/// Handle to the pool; cheap to clone. The processes end when the last handle is dropped.
#[derive(Clone)]
pub struct Pool {
    queue: mpsc::Sender<Queued>,
    slots: Arc<[mpsc::UnboundedSender<Control>]>,
    shared: Arc<Shared>,
}

/// What all slots use.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) job_time: Duration,
    pub(crate) load_time: Duration,
    pub(crate) spawner: Spawner,
    pub(crate) queue: tokio::sync::Mutex<mpsc::Receiver<Queued>>,
    /// The encoded request to load each bundle in use, for processes that start later.
    pub(crate) bundles: Mutex<BTreeMap<Digest, Bytes>>,
    /// Slots with a process.
    pub(crate) alive: AtomicUsize,
    pub(crate) status: Mutex<Vec<ProcessStatus>>,
    /// Processes that ended although nobody wanted it, since the start.
    pub(crate) deaths: AtomicU64,
}

/// State of one slot, for the operator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProcessStatus {
    /// Process id; 0 while there is no process.
    pub pid: u32,
    /// Jobs of this process so far.
    pub jobs: u64,
    /// Whether it works on a job now.
    pub busy: bool,
    /// Whether the last job of the slot was lost, with its process or an earlier one.
    pub lost: bool,
}

impl Pool {
    /// Starts the processes and waits for the first to be ready. Needs a tokio runtime.
    ///
    /// # Errors
    /// DDS-W003 if no process can be started.
    pub async fn start(options: PoolOptions) -> Result<Self, Problem> {
        let unavailable = |cause: &dyn std::fmt::Display| {
            let program = options.program.display();
            let text = (
                format!("{program} lässt sich nicht als Arbeitsprozess starten (Meldung: „{cause}“)"),
                format!("{program} cannot be started as worker: {cause}"),
            );
            Problem::new(Code::WORKER_UNAVAILABLE, text)
        };
        let processes = options.processes.max(1);
        let spawner = Spawner::start(options.program.clone(), options.args.clone())
            .map_err(|cause| unavailable(&cause))?;
        let (queue, jobs) = mpsc::channel(options.queue.max(1));
        let shared = Arc::new(Shared {
            settings: options.settings(),
            job_time: options.job_time,
            load_time: options.load_time,
            spawner,
            queue: tokio::sync::Mutex::new(jobs),
            bundles: Mutex::default(),
            alive: AtomicUsize::new(0),
            status: Mutex::new(vec![ProcessStatus::default(); processes]),
            deaths: AtomicU64::new(0),
        });
        let (started, mut starts) = mpsc::unbounded_channel();
        let slots = (0..processes).map(|index| {
            let (sender, control) = mpsc::unbounded_channel();
            let slot = Slot { index, shared: Arc::clone(&shared), control, failures: 0 };
            tokio::spawn(slot.run(started.clone()));
            sender
        });
        let slots = slots.collect();
        drop(started);
        let mut last = None;
        while let Some(start) = starts.recv().await {
            match start {
                Ok(()) => return Ok(Self { queue, slots, shared }),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.map_or_else(|| unavailable(&"unknown"), |failure| unavailable(&failure)))
    }

    /// Sends the files of a release to every process and compiles them there, beside the releases already loaded.
    /// Processes started later load it by themselves. Answers what could not be compiled; jobs that need such a file
    /// end with its code.
    ///
    /// # Errors
    /// DDS-W001, W002 if a worker dies or takes too long, W003 if there is none: the bundle is not loaded then.
    pub async fn load(&self, bundle: Bundle) -> Result<Vec<CompileError>, Problem> {
        let Bundle { id, files, stylesheets, schemas, schematrons } = bundle;
        let (files, parts): (Vec<String>, Vec<Bytes>) = files.into_iter().unzip();
        let parts: Vec<&[u8]> = parts.iter().map(AsRef::as_ref).collect();
        let request = Request::Load { id, files, stylesheets, schemas, schematrons };
        let frame = Bytes::from(encode(&request, &parts)?);
        // First the list, then the order: a process that starts meanwhile finds the bundle in one of the two.
        self.shared.bundles.lock().insert(id, frame.clone());
        let (reply, mut answers) = mpsc::unbounded_channel();
        for slot in self.slots.iter() {
            // A slot that is gone drops its sender of `reply` as well.
            _ = slot.send(Control::Load { frame: frame.clone(), reply: reply.clone() });
        }
        drop(reply);
        let mut errors = None;
        while let Some(answer) = answers.recv().await {
            match answer {
                Load::Compiled(found) => errors = Some(found),
                Load::Later => {}
                Load::Lost(failure) => {
                    self.unload(id);
                    return Err(failure.problem());
                }
            }
        }
        errors.ok_or_else(|| {
            self.unload(id);
            no_worker()
        })
    }

    /// Forgets a release. Jobs that still name it end with DDS-X001.
    pub fn unload(&self, id: Digest) {
        self.shared.bundles.lock().remove(&id);
        let Ok(frame) = encode(&Request::Unload(id), &[]).map(Bytes::from) else { return };
        for slot in self.slots.iter() {
            // A slot that is gone has nothing to forget.
            _ = slot.send(Control::Unload { frame: frame.clone() });
        }
    }

    /// Forgets a release after `pause`, in which jobs that name it come to their end; unless it is loaded anew
    /// meanwhile.
    pub async fn retire(&self, id: Digest, pause: Duration) {
        let frame = self.shared.bundles.lock().get(&id).cloned();
        tokio::time::sleep(pause).await;
        // Each loading makes a frame of its own.
        let same = |now: &Bytes| frame.as_ref().is_some_and(|then| then.as_ptr() == now.as_ptr());
        let retired = self.shared.bundles.lock().get(&id).is_some_and(same);
        if retired {
            self.unload(id);
        }
    }

    /// Runs a job, after those that wait already. A worker that dies or hangs costs the job one retry on another.
    ///
    /// # Errors
    /// See [`JobError::problem`].
    pub async fn run(&self, job: Job) -> Result<JobResult, JobError> {
        let targets = job.targets.len();
        let frame = encode_job(job)?;
        let mut retried = false;
        loop {
            let (reply, attempt) = oneshot::channel();
            let queued = Queued { frame: frame.clone(), reply };
            self.queue.send(queued).await.map_err(|_| no_worker())?;
            match attempt.await.map_err(|_| no_worker())? {
                Attempt::Answered(outcome) => return Ok(result(outcome?, targets)?),
                Attempt::NoWorker => return Err(no_worker().into()),
                Attempt::Lost(_) if !retried => retried = true,
                Attempt::Lost(failure) => return Err(failure.problem().into()),
            }
        }
    }

    /// Whether at least one process answers within `patience`. One that works on a job counts as answering, unless its
    /// slot lost the job before: then the jobs do not come back.
    pub async fn responds(&self, patience: Duration) -> bool {
        if self.shared.status.lock().iter().any(|status| status.busy && !status.lost) {
            return true;
        }
        let Ok(frame) = encode(&Request::Ping, &[]).map(Bytes::from) else { return false };
        let (reply, mut answers) = mpsc::unbounded_channel();
        for slot in self.slots.iter() {
            // A slot that is gone does not answer.
            _ = slot.send(Control::Ping { frame: frame.clone(), reply: reply.clone() });
        }
        drop(reply);
        tokio::time::timeout(patience, answers.recv()).await.is_ok_and(|answer| answer.is_some())
    }

    /// Processes that died, had to be killed, or did not start, since the pool was started.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.shared.deaths.load(Ordering::Relaxed)
    }

    /// State of each slot.
    #[must_use]
    pub fn status(&self) -> Vec<ProcessStatus> {
        self.shared.status.lock().clone()
    }
}

impl PoolOptions {
    fn settings(&self) -> Settings {
        Settings {
            memory_bytes: self.memory_bytes,
            cpu_seconds: self.job_time.as_secs(),
            jobs: self.jobs_per_process,
            resident_bytes: self.resident_bytes,
            operations: self.budget.operations,
            depth: self.budget.depth,
            variables: self.budget.variables,
            output_bytes: self.budget.output_bytes as u64,
            limits: self.limits.clone(),
        }
    }
}

fn encode_job(job: Job) -> Result<Bytes, Problem> {
    let Job {
        bundle,
        document,
        format,
        schema,
        schematrons,
        canonical,
        canonical_schema,
        procedure,
        targets,
    } = job;
    let mut parts: Vec<&[u8]> = vec![&document];
    parts.extend(targets.iter().map(|target| target.sendung.as_ref()));
    let names = targets.iter().map(|target| (target.stylesheet.clone(), target.output)).collect();
    let header = RunHeader {
        bundle,
        format,
        schema,
        schematrons,
        canonical,
        canonical_schema,
        procedure,
        targets: names,
    };
    encode(&Request::Run(header), &parts).map(Bytes::from)
}

fn encode(request: &Request, parts: &[&[u8]]) -> Result<Vec<u8>, Problem> {
    frame::encode(request, parts).map_err(|error| {
        let text = (
            format!("Auftrag an einen Arbeitsprozess (Meldung: „{error}“)"),
            format!("request to a worker: {error}"),
        );
        Problem::new(Code::INTERNAL, text)
    })
}

fn result((done, parts): (Done, Vec<Bytes>), targets: usize) -> Result<JobResult, Problem> {
    let stopped = done.findings.iter().any(|finding| finding.severity == Severity::Error);
    let expected = if stopped { 0 } else { targets } + usize::from(done.canonical);
    if parts.len() != expected {
        let text = (
            "ein Arbeitsprozess lieferte eine andere Zahl von Ergebnissen als verlangt",
            "a worker answered with another number of results",
        );
        return Err(Problem::new(Code::INTERNAL, text));
    }
    let mut parts = parts.into_iter();
    let canonical = if done.canonical { parts.next() } else { None };
    Ok(JobResult { findings: done.findings, canonical, outputs: parts.collect(), micros: done.micros })
}

fn no_worker() -> Problem {
    let text = (
        "kein Arbeitsprozess läuft, und keiner lässt sich starten",
        "no worker process is running and none can be started",
    );
    Problem::new(Code::WORKER_UNAVAILABLE, text)
}
