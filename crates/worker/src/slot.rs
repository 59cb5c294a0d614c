//! A slot of the pool: one worker process after the other.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bytes::Bytes;
use dds_message::{Code, Digest, Problem};
use tokio::sync::{mpsc, oneshot};

use crate::{
    CompileError, ProcessStatus,
    frame::{Done, Reply},
    pool::Shared,
    process::{Failure, Process},
};

/// A job that waits for a worker.
pub(crate) struct Queued {
    /// The encoded request.
    pub(crate) frame: Bytes,
    pub(crate) reply: oneshot::Sender<Attempt>,
}

/// What became of it on one worker.
pub(crate) enum Attempt {
    /// The worker answered.
    Answered(Result<(Done, Vec<Bytes>), Problem>),
    /// The worker is lost: another may try.
    Lost(Failure),
    /// No worker can be started.
    NoWorker,
}

/// Orders to every slot.
pub(crate) enum Control {
    Load { frame: Bytes, reply: mpsc::UnboundedSender<Load> },
    Unload { frame: Bytes },
    Ping { frame: Bytes, reply: mpsc::UnboundedSender<()> },
}

/// What became of a bundle in one slot.
pub(crate) enum Load {
    /// Compiled.
    Compiled(Vec<CompileError>),
    /// The worker is lost.
    Lost(Failure),
    /// No process now; the next one loads it when it starts.
    Later,
}

pub(crate) struct Slot {
    pub(crate) index: usize,
    pub(crate) shared: Arc<Shared>,
    pub(crate) control: mpsc::UnboundedReceiver<Control>,
    /// Processes lost in a row without one job done. One that a job held up for its whole time does not count: the job
    /// did it.
    pub(crate) failures: u32,
}

/// Why a process ended.
enum End {
    /// The pool is closed.
    Closed,
    /// Planned.
    Recycled,
    /// It is lost.
    Lost,
}

/// When this many processes were lost in a row and the last did not even start, jobs are answered if no other slot has
/// one.
const HOPELESS: u32 = 3;

impl Slot {
    /// Runs until the pool is closed. `started` hears how the first process started.
    pub(crate) async fn run(mut self, started: mpsc::UnboundedSender<Result<(), Failure>>) {
        let mut started = Some(started);
        loop {
            let process = self.start().await;
            if let Some(started) = started.take() {
                let outcome = process.as_ref().map(|_| ()).map_err(Failure::repeat);
                // Nobody listens any more once another slot has started.
                _ = started.send(outcome);
            }
            let starts = process.is_ok();
            let end = match process {
                Ok(process) => {
                    self.shared.alive.fetch_add(1, Ordering::Relaxed);
                    let end = self.serve(process).await;
                    self.shared.alive.fetch_sub(1, Ordering::Relaxed);
                    end
                }
                Err(failure) => {
                    tracing::error!(slot = self.index, %failure, "worker.not_started");
                    End::Lost
                }
            };
            self.note(|status| *status = ProcessStatus { lost: status.lost, ..ProcessStatus::default() });
            match end {
                End::Closed => return,
                End::Recycled => self.failures = 0,
                End::Lost => {
                    self.failures += 1;
                    self.shared.deaths.fetch_add(1, Ordering::Relaxed);
                }
            }
            if !self.rest(starts).await {
                return;
            }
        }
    }

    /// A process with every bundle loaded.
    async fn start(&self) -> Result<Process, Failure> {
        let shared = &self.shared;
        let longest_reply = shared.settings.memory_bytes;
        let mut process = Process::start(&shared.spawner, &shared.settings, longest_reply).await?;
        let bundles: Vec<(Digest, Bytes)> =
            shared.bundles.lock().iter().map(|(id, frame)| (*id, frame.clone())).collect();
        for (_, frame) in bundles {
            process.exchange(&frame, shared.load_time).await?;
        }
        self.note(|status| status.pid = process.pid());
        Ok(process)
    }

    async fn serve(&mut self, mut process: Process) -> End {
        let shared = Arc::clone(&self.shared);
        loop {
            let next_job = async { shared.queue.lock().await.recv().await };
            tokio::select! {
                biased;
                control = self.control.recv() => match control {
                    None => return End::Closed,
                    Some(Control::Load { frame, reply }) => {
                        if !self.load(&mut process, &frame, &reply).await {
                            return End::Lost;
                        }
                    }
                    Some(Control::Unload { frame }) => {
                        if process.send(&frame).await.is_err() {
                            return End::Lost;
                        }
                    }
                    Some(Control::Ping { frame, reply }) => {
                        // Who asked may have given up while a job ran.
                        if !reply.is_closed() {
                            if let Err(failure) = process.exchange(&frame, self.shared.job_time).await {
                                tracing::warn!(worker = process.pid(), at = "rest", %failure, "worker.lost");
                                return End::Lost;
                            }
                            _ = reply.send(());
                        }
                    }
                },
                () = process.ended() => {
                    tracing::warn!(worker = process.pid(), at = "rest", "worker.lost");
                    return End::Lost;
                }
                job = next_job => match job {
                    None => return End::Closed,
                    Some(job) => if let Some(end) = self.work(&mut process, job).await {
                        return end;
                    },
                },
            }
        }
    }

    /// Runs a job; answers how the process ended, if it did.
    async fn work(&mut self, process: &mut Process, job: Queued) -> Option<End> {
        if job.reply.is_closed() {
            return None;
        }
        self.note(|status| status.busy = true);
        let answer = process.exchange(&job.frame, self.shared.job_time).await;
        let (attempt, end) = match answer {
            Ok((Reply::Done { recycle, outcome }, parts)) => {
                self.failures = 0;
                let outcome = outcome.map(|done| (done, parts));
                (Attempt::Answered(outcome), recycle.then_some(End::Recycled))
            }
            Ok(_) => (Attempt::Lost(Failure::nonsense()), Some(End::Lost)),
            Err(failure) => {
                if matches!(failure, Failure::TimedOut(_)) {
                    self.failures = 0;
                }
                (Attempt::Lost(failure), Some(End::Lost))
            }
        };
        if let Attempt::Lost(failure) = &attempt {
            tracing::warn!(worker = process.pid(), at = "work", %failure, "worker.lost");
        }
        self.note(|status| {
            status.busy = false;
            status.lost = matches!(attempt, Attempt::Lost(_));
            status.jobs += 1;
        });
        // The caller may have gone.
        _ = job.reply.send(attempt);
        end
    }

    async fn load(&self, process: &mut Process, frame: &[u8], reply: &mpsc::UnboundedSender<Load>) -> bool {
        let answer = match process.exchange(frame, self.shared.load_time).await {
            Ok((Reply::Loaded(errors), _)) => Load::Compiled(errors),
            Ok(_) => Load::Lost(Failure::nonsense()),
            Err(failure) => Load::Lost(failure),
        };
        let alive = matches!(answer, Load::Compiled(_));
        // The caller may have gone.
        _ = reply.send(answer);
        alive
    }

    /// Waits before the next start: not at all after the first loss, then ever longer. `starts`: the last one
    /// succeeded. `false`: the pool is closed.
    async fn rest(&mut self, starts: bool) -> bool {
        let doublings = self.failures.saturating_sub(2).min(7);
        let pause = if self.failures < 2 { Duration::ZERO } else { FIRST_PAUSE * 2_u32.pow(doublings) };
        let shared = Arc::clone(&self.shared);
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            let hopeless = !starts && self.failures >= HOPELESS && shared.alive.load(Ordering::Relaxed) == 0;
            let next_job = async { shared.queue.lock().await.recv().await };
            tokio::select! {
                biased;
                control = self.control.recv() => match control {
                    None => return false,
                    // The caller may have gone.
                    Some(Control::Load { reply, .. }) => _ = reply.send(Load::Later),
                    Some(Control::Unload { .. } | Control::Ping { .. }) => {}
                },
                () = &mut over => return true,
                job = next_job, if hopeless => match job {
                    None => return false,
                    Some(job) => _ = job.reply.send(Attempt::NoWorker),
                },
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut ProcessStatus)) {
        if let Some(status) = self.shared.status.lock().get_mut(self.index) {
            change(status);
        }
    }
}

/// Pause after the second loss in a row; doubled with each further one, up to 6.4 s.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl Failure {
    fn nonsense() -> Self {
        Self::Died(std::io::Error::other("it answered something else than was asked"))
    }

    /// The same failure once more; an `io::Error` cannot be cloned.
    fn repeat(&self) -> Self {
        match self {
            Self::Died(error) => Self::Died(std::io::Error::new(error.kind(), error.to_string())),
            Self::TimedOut(time) => Self::TimedOut(*time),
        }
    }

    /// The problem of a job that was lost twice.
    pub(crate) fn problem(&self) -> Problem {
        let (code, german) = match self {
            Self::Died(error) => {
                (Code::WORKER_DIED, format!("der Arbeitsprozess endete (Meldung: „{error}“)"))
            }
            Self::TimedOut(time) => (
                Code::WORKER_TIMEOUT,
                format!("der Arbeitsprozess hat nicht innerhalb von {time:?} geantwortet"),
            ),
        };
        Problem::new(code, (german, self.to_string()))
    }
}
