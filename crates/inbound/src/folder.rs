//! Drop folder (Transferverzeichnis): a source puts its submissions into `in/` and finds them again in `angenommen/`
//! or, with `fehler.txt` beside, in `abgelehnt/`. Meanwhile they lie in `arbeit/`.
//!
//! Beside an accepted submission lies `<name>.quittung.json`, the acknowledgement with the message id.
//!
//! A submission is one file `*.xml` or `*.json`, or a folder with `nachricht.xml` or `nachricht.json` and attachments.
//! Names that begin with `.` or end in `.tmp`, `.part` or `.filepart` are not looked at: a sender writes under such a
//! name and renames. Who cannot rename puts a marker when done: `<name>.fertig` or `<name>.ready` beside, or `.fertig`
//! or `.ready` inside the folder. Without a marker a submission is taken when it has not changed over several polls,
//! unless [`FolderOptions::marker_required`] says otherwise.
//!
//! Nothing is lost: a submission is taken by moving it to `arbeit/`, so that what is put under its name from then on is
//! another one. It leaves `arbeit/` only when it is durable and routed, or refused or rejected for good: a sender with
//! nothing but a folder cannot ask what became of it. A crash in between finds it there again, and the sender key (name
//! and digest of the content) makes it a duplicate.
//!
//! What lies in `angenommen/` and `abgelehnt/` is deleted with its receipt or reason after [`FolderOptions::keep`].

mod outcome;
mod scan;
mod sweep;

use std::{
    collections::BTreeMap, ffi::OsString, future::Future, io, path::PathBuf, sync::Arc, time::Duration,
};

use bytes::Bytes;
use dds_message::{Channel, Clock, Code, MessageId, MessageState, Problem, SourceId, Timestamp};
use dds_router::{Acknowledgement, Begin, Handle, Status};
use dds_telemetry::{MessageRefused, Telemetry};
use futures::{StreamExt, TryStreamExt};
use tokio_util::io::ReaderStream;

use self::{
    outcome::Desk,
    scan::{Candidate, Content, Fingerprint},
};
use crate::{Limits, name};

/// Submissions of one folder received at the same time.
const PARALLEL: usize = 4;
/// Time between two sweeps.
const SWEEP: Duration = Duration::from_secs(3_600);

/// A drop folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderOptions {
    /// Whose folder it is; who can write there sends as this source.
    pub source: SourceId,
    /// The folder with `in/`, `arbeit/`, `angenommen/`, `abgelehnt/`, all in one file system. They are made if missing,
    /// the folder itself is not.
    pub root: PathBuf,
    /// Time between two polls.
    pub interval: Duration,
    /// Polls without change before a submission without marker is taken.
    pub settle: u32,
    /// Take nothing without marker.
    pub marker_required: bool,
    /// What lies in `angenommen/` and `abgelehnt/` is deleted after so long; `None`: never.
    pub keep: Option<Duration>,
    /// Limits of a submission.
    pub limits: Limits,
}

impl FolderOptions {
    /// The folder `root` of `source`, polled every two seconds.
    #[must_use]
    pub fn new(source: SourceId, root: PathBuf) -> Self {
        let interval = Duration::from_secs(2);
        let keep = Some(Duration::from_secs(14 * 86_400));
        Self { source, root, interval, settle: 2, marker_required: false, keep, limits: Limits::default() }
    }
}

/// Watches a drop folder.
pub struct Watch {
    desk: Arc<Desk>,
    clock: Arc<dyn Clock>,
    seen: BTreeMap<OsString, (Fingerprint, u32)>,
    /// Why the folder cannot be looked at, if it cannot.
    trouble: Option<io::ErrorKind>,
    swept: Option<Timestamp>,
}

/// What one poll did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polled {
    /// Accepted and routed, duplicates among them.
    pub accepted: usize,
    /// Refused, or rejected by the rules.
    pub refused: usize,
    /// Left for a later poll: the router could not take them now, or has not routed them yet.
    pub later: usize,
    /// Perhaps still being written.
    pub unsettled: usize,
}

/// What became of one submission.
#[derive(Clone)]
enum Outcome {
    Accepted(Acknowledgement),
    /// Before it was accepted, or by the rules after that, as the message with this id.
    Refused(Problem, Option<MessageId>),
    Later,
}

impl Watch {
    /// A watcher of the folder, which need not be there yet.
    pub fn new(
        options: FolderOptions,
        handle: Arc<dyn Handle>,
        telemetry: Telemetry,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let desk = Arc::new(Desk::new(options, handle, telemetry));
        Self { desk, clock, seen: BTreeMap::new(), trouble: None, swept: None }
    }

    /// Polls and sweeps until `shutdown` resolves; what is being received then is finished first.
    pub async fn run(mut self, shutdown: impl Future<Output = ()> + Send) {
        tokio::pin!(shutdown);
        loop {
            let polled = self.poll().await;
            self.tell(polled.err().map(|error| error.kind()));
            if self.trouble.is_none() && self.swept.is_none_or(|at| self.clock.now().since(at) >= SWEEP) {
                self.swept = Some(self.clock.now());
                self.sweep().await;
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = tokio::time::sleep(self.desk.options.interval) => {}
            }
        }
    }

    /// Logs that the folder cannot be looked at, and that it can again; not at every poll.
    fn tell(&mut self, trouble: Option<io::ErrorKind>) {
        let FolderOptions { source, root, .. } = &self.desk.options;
        let folder = root.display();
        match trouble {
            Some(kind) if self.trouble != trouble => {
                tracing::error!(%source, %folder, %kind, code = %Code::FILE_UNUSABLE, "inbound.folder_unreadable");
            }
            None if self.trouble.is_some() => {
                tracing::info!(%source, %folder, "inbound.folder_readable_again")
            }
            _ => {}
        }
        self.trouble = trouble;
    }

    /// Deletes what lay in `angenommen/` and `abgelehnt/` for its time. It never runs beside a poll, which moves things
    /// there.
    async fn sweep(&mut self) {
        let FolderOptions { source, root, keep: Some(keep), .. } = &self.desk.options else { return };
        let (root, before) = (root.clone(), self.clock.now().minus(*keep));
        match blocking(move || sweep::sweep(&root, before)).await {
            Ok(0) => {}
            Ok(submissions) => tracing::info!(%source, submissions, "inbound.folder_swept"),
            Err(error) => tracing::warn!(%source, kind = %error.kind(), "inbound.folder_not_swept"),
        }
    }

    /// Looks once and receives what is ready.
    ///
    /// # Errors
    /// If the folder is not there, or `in/` or `arbeit/` cannot be made or read; the operator must act.
    pub async fn poll(&mut self) -> io::Result<Polled> {
        let desk = Arc::clone(&self.desk);
        let candidates = blocking(move || desk.candidates()).await?;
        let (ready, unsettled) = self.settled(candidates);
        let polled = Polled { unsettled, ..Polled::default() };
        let outcomes = futures::stream::iter(ready.into_iter().map(|candidate| self.desk.receive(candidate)));
        Ok(outcomes
            .buffer_unordered(PARALLEL)
            .fold(polled, |mut polled, outcome| async move {
                match outcome {
                    Outcome::Accepted(_) => polled.accepted += 1,
                    Outcome::Refused(..) => polled.refused += 1,
                    Outcome::Later => polled.later += 1,
                }
                polled
            })
            .await)
    }

    /// Parts what is surely complete from what may still be written.
    fn settled(&mut self, candidates: Vec<Candidate>) -> (Vec<Candidate>, usize) {
        let mut before = std::mem::take(&mut self.seen);
        let (mut ready, mut unsettled) = (Vec::new(), 0);
        for candidate in candidates {
            let key = candidate.path.file_name().unwrap_or_default().to_owned();
            let before = before.remove(&key);
            let changed = before.as_ref().is_some_and(|(before, _)| *before != candidate.fingerprint);
            let quiet = before.filter(|_| !changed).map_or(0, |(_, polls)| polls + 1);
            let settled = quiet >= self.desk.options.settle && !self.desk.options.marker_required;
            self.seen.insert(key, (candidate.fingerprint.clone(), quiet));
            // What was taken had been complete; somebody may have had it open.
            let complete = if candidate.taken { !changed } else { candidate.marked || settled };
            if complete {
                ready.push(candidate);
            } else {
                unsettled += 1;
            }
        }
        (ready, unsettled)
    }
}

impl Desk {
    /// Receives one submission and puts it where it belongs.
    async fn receive(self: &Arc<Self>, candidate: Candidate) -> Outcome {
        let source = &self.options.source;
        let desk = Arc::clone(self);
        let candidate = match blocking(move || desk.take(candidate)).await {
            Ok(candidate) => candidate,
            Err(error) => {
                tracing::warn!(%source, kind = %error.kind(), "inbound.folder_move_failed");
                return Outcome::Later;
            }
        };
        let outcome = self.fate(&candidate).await;
        let (desk, fate) = (Arc::clone(self), outcome.clone());
        let moved = blocking(move || match &fate {
            Outcome::Accepted(receipt) => desk.accepted(&candidate, receipt),
            Outcome::Refused(problem, id) => desk.refused(&candidate, problem, *id),
            Outcome::Later => Ok(()),
        });
        if let Err(error) = moved.await {
            // It stays in `arbeit/` and is a duplicate at the next poll.
            tracing::warn!(%source, kind = %error.kind(), "inbound.folder_move_failed");
        }
        outcome
    }

    /// Has the submission accepted, unless that was done at an earlier poll, and learns what became of the message.
    async fn fate(&self, candidate: &Candidate) -> Outcome {
        let source = &self.options.source;
        let admitted = match self.accepted_before(candidate) {
            Some(receipt) => Ok(receipt),
            None => self.admit(candidate).await,
        };
        let receipt = match admitted {
            Ok(receipt) => receipt,
            Err(problem) => {
                let event =
                    MessageRefused { source: Some(source), channel: Channel::Folder, code: problem.code };
                let _facts = self.telemetry.record(&event);
                return if is_final(&problem) { Outcome::Refused(problem, None) } else { Outcome::Later };
            }
        };
        match self.handle.status(source, receipt.id).await {
            Ok(Some(Status { state: MessageState::Rejected, problem, .. })) => {
                let unknown = || {
                    Problem::new(
                        Code::INTERNAL,
                        ("der Grund ist nicht mehr bekannt", "the reason is not known any more"),
                    )
                };
                Outcome::Refused(problem.unwrap_or_else(unknown), Some(receipt.id))
            }
            Ok(Some(Status { state: MessageState::Accepted, .. })) | Err(_) => {
                self.waits(candidate, receipt);
                Outcome::Later
            }
            // Not there: it ended so long ago that it was deleted.
            Ok(status) => {
                let state = status.map_or(receipt.state, |status| status.state);
                Outcome::Accepted(Acknowledgement { state, ..receipt })
            }
        }
    }

    async fn admit(&self, candidate: &Candidate) -> Result<Acknowledgement, Problem> {
        let (path, limits) = (candidate.path.clone(), self.options.limits);
        let content = blocking(move || Ok(scan::read(&path, &limits))).await.map_err(unreadable)??;
        let Content { document, format, attachments, digest } = content;
        let sender_key = format!("{}:{digest}", candidate.name);
        let mut intake =
            match self.handle.begin(&self.options.source, Channel::Folder, Some(&sender_key)).await? {
                Begin::New(intake) => intake,
                // The key holds the digest of the content.
                Begin::Known { first, .. } => return first,
            };
        for attachment in attachments {
            let path = attachment.path.clone();
            let file = blocking(move || scan::open(&path)).await.map_err(unreadable)?;
            let stream = ReaderStream::with_capacity(tokio::fs::File::from_std(file), 64 << 10);
            let media_type = name::media_type_of(&attachment.name);
            let taken =
                intake.attachment(&attachment.name, media_type, stream.map_err(unreadable).boxed()).await?;
            if taken.digest != attachment.digest {
                let text = (
                    "eine Datei änderte sich, während sie gelesen wurde",
                    "a file changed while it was read",
                );
                return Err(Problem::new(Code::BROKEN_OFF, text));
            }
        }
        intake.accept(Bytes::from(document), format).await
    }
}

/// Only what another try cannot change is final.
fn is_final(problem: &Problem) -> bool {
    // Nothing is asked for here, so what is "not found" is a fault of ours and not of the submission.
    let passing = [Code::BROKEN_OFF, Code::TOO_SLOW, Code::NOT_FOUND];
    problem.code.entry().status < 500 && !passing.contains(&problem.code)
}

fn unreadable(error: io::Error) -> Problem {
    // Not the submission's fault, as far as we know: left for the next poll.
    let kind = error.kind();
    let text = (
        format!("eine Datei ist nicht lesbar (Meldung: „{kind}“)"),
        format!("a file could not be read: {kind}"),
    );
    Problem::new(Code::BROKEN_OFF, text)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panic| Err(io::Error::other(panic)))
}
