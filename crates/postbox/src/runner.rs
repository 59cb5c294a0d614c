//! One thread owns the connection. Steps that wait at the same time share a commit, and those that nobody outside waits
//! for wait a moment for others: every commit costs the disk and the processor as much as several steps do.

use std::{
    collections::HashSet,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    thread,
};

use dds_message::{Clock, MessageId};
use dds_osci::certificate::Certificate;
use dds_store::{
    MessageKey, Vault, WrappedKey,
    sqlite::{
        COMPANY, Haste,
        files::{FileReader, Files},
        private_file, private_folder,
    },
};
use parking_lot::RwLock;
use rusqlite::{Connection, OptionalExtension as _};
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use crate::{
    Boxes, Parts, PostboxError, Revoked, StoredPart, boxes::Owners, parts, parts::Held, revoked, schema,
};

/// Steps in one transaction.
const BATCH: usize = 64;

/// Where and under which key.
pub struct Options {
    /// Folder; made if missing.
    pub folder: PathBuf,
    /// Vault of the store.
    pub vault: Vault,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// The postbox of a process. Cheap to clone; the thread ends with the last clone.
#[derive(Clone)]
pub struct Postbox {
    jobs: mpsc::SyncSender<Job>,
    owners: Owners,
    pub(crate) files: Files,
    pub(crate) held: Held,
    vault: Vault,
    revoked: Arc<[Revoked]>,
}

/// One step, and whether somebody outside waits for it.
struct Job {
    haste: Haste,
    step: Step,
}

/// Does its work inside the transaction, and gives what says how it ended once that is known. Without a transaction it
/// gets the reason instead, for whoever waits.
type Step = Box<dyn FnOnce(Result<&mut Boxes<'_>, PostboxError>) -> Ended + Send>;

/// What a step leaves behind: whether it wants its changes, and whom to tell.
struct Ended {
    keep: bool,
    tell: Box<dyn FnOnce(Result<(), PostboxError>) + Send>,
}

impl Postbox {
    /// Opens the postbox.
    ///
    /// # Errors
    /// [`PostboxError`] if folder or file cannot be used, or it was made beside another store.
    pub fn open(options: Options) -> Result<Self, PostboxError> {
        let Options { folder, vault, clock } = options;
        let failed = |error: std::io::Error| {
            PostboxError::Unavailable(format!("folder {}: {}", folder.display(), error.kind()))
        };
        private_folder(&folder).map_err(failed)?;
        let files = Files::open(&folder, Arc::clone(&clock))?;
        let file = folder.join("postbox.sqlite");
        private_file(&file).map_err(failed)?;
        let connection = Connection::open(file)?;
        schema::prepare(&connection)?;
        let key = own_key(&connection, &vault)?;
        let revoked = revoked::all(&connection)?.into();
        let owners: Owners = Arc::new(RwLock::new(HashSet::new()));
        let (jobs, queue) = mpsc::sync_channel(4 * BATCH);
        let known = Arc::clone(&owners);
        thread::Builder::new()
            .name("osci-postbox".to_owned())
            .spawn(move || work(&connection, &key, &known, &queue))
            .map_err(|error| PostboxError::Unavailable(error.kind().to_string()))?;
        Ok(Self { jobs, owners, files, held: Held::default(), vault, revoked })
    }

    /// Runs one step as a transaction, at once. When this returns `Ok`, what the step did is durable; when the step
    /// itself returned `Err`, nothing of it stays.
    ///
    /// # Errors
    /// What the step returned, or why the commit failed.
    pub async fn run<T, E>(
        &self,
        step: impl FnOnce(&mut Boxes<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, PostboxError>
    where
        T: Send + 'static,
        E: Into<PostboxError>,
    {
        self.run_as(Haste::Waited, step).await
    }

    /// As [`Self::run`]. A patient step waits a few milliseconds for others to share its commit.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn run_as<T, E>(
        &self,
        haste: Haste,
        step: impl FnOnce(&mut Boxes<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, PostboxError>
    where
        T: Send + 'static,
        E: Into<PostboxError>,
    {
        let (send, receive) = oneshot::channel();
        let step: Step = Box::new(move |boxes| {
            let outcome = boxes.and_then(|boxes| step(boxes).map_err(Into::into));
            Ended {
                keep: outcome.is_ok(),
                tell: Box::new(move |committed| {
                    // Whoever waited may have gone away; the step stays done.
                    let _gone = send.send(committed.and(outcome));
                }),
            }
        });
        let (jobs, job) = (self.jobs.clone(), Job { haste, step });
        if let Err(mpsc::TrySendError::Full(job) | mpsc::TrySendError::Disconnected(job)) = jobs.try_send(job)
        {
            let waiting = tokio::task::spawn_blocking(move || jobs.send(job));
            waiting.await?.map_err(|_| PostboxError::Lost)?;
        }
        receive.await.map_err(|_| PostboxError::Lost)?
    }

    /// A part store for one message.
    ///
    /// # Errors
    /// [`PostboxError`] without randomness.
    pub fn parts(&self) -> Result<Parts, PostboxError> {
        Parts::new(self.files.clone(), &self.vault, Uuid::now_v7(), Arc::clone(&self.held))
    }

    /// Opens a stored part; blocks.
    ///
    /// # Errors
    /// [`PostboxError`] if it is gone or does not decrypt.
    pub fn open_part(&self, part: &StoredPart) -> Result<FileReader, PostboxError> {
        parts::open(&self.files, &self.vault, part)
    }

    /// Removes parts that nothing durable names any more; what cannot be removed now is left to the sweep. Blocks.
    pub fn discard(&self, parts: &[StoredPart]) {
        for part in parts {
            if let Err(error) = self.files.delete(&part.blob) {
                tracing::warn!(%error, "osci.part_not_removed");
            }
        }
    }

    /// What responders had revoked when the postbox was opened.
    #[must_use]
    pub fn revoked_before(&self) -> &[Revoked] {
        &self.revoked
    }

    /// Says who has a mailbox from now on.
    pub fn register(&self, owners: impl IntoIterator<Item = Certificate>) {
        *self.owners.write() = owners.into_iter().map(|owner| owner.sha256_hex().to_owned()).collect();
    }
}

/// The key of the postbox: made once, kept wrapped. The vault of another store shows here, not at the first dialogue.
fn own_key(connection: &Connection, vault: &Vault) -> Result<MessageKey, PostboxError> {
    let owner = MessageId(Uuid::nil());
    let found: Option<Vec<u8>> =
        connection.query_row("SELECT value FROM meta WHERE name = 'key'", [], |row| row.get(0)).optional()?;
    if let Some(wrapped) = found {
        return vault.unwrap_key(owner, &WrappedKey(wrapped)).map_err(|_| PostboxError::OtherStore);
    }
    let (key, wrapped) = vault.new_message_key(owner)?;
    connection.execute("INSERT INTO meta (name, value) VALUES ('key', ?1)", [wrapped.0])?;
    Ok(key)
}

fn work(connection: &Connection, key: &MessageKey, owners: &Owners, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let batch = gather(first, queue);
        let mut ended = Vec::with_capacity(batch.len());
        let committed = commit(connection, key, owners, batch, &mut ended);
        for tell in ended {
            tell(committed.clone());
        }
    }
}

/// What shares a commit with `first`: all that waits already, and as long as all of it is patient what else comes soon.
fn gather(first: Job, queue: &mpsc::Receiver<Job>) -> Vec<Job> {
    let mut batch = vec![first];
    batch.extend(queue.try_iter().take(BATCH - 1));
    let until = Instant::now() + COMPANY;
    while worth_holding_open(&batch)
        && let Ok(next) = queue.recv_timeout(until.saturating_duration_since(Instant::now()))
    {
        batch.push(next);
        batch.extend(queue.try_iter().take(BATCH - batch.len()));
    }
    batch
}

/// Whether to wait a moment for more: only if nobody outside waits for one of these.
fn worth_holding_open(batch: &[Job]) -> bool {
    batch.len() < BATCH && batch.iter().all(|job| job.haste == Haste::Patient)
}

type Tell = Box<dyn FnOnce(Result<(), PostboxError>) + Send>;

/// Does the steps of a batch in one transaction, in which one that fails takes no other with it. What each has to tell
/// comes into `ended`.
fn commit(
    connection: &Connection,
    key: &MessageKey,
    owners: &Owners,
    batch: Vec<Job>,
    ended: &mut Vec<Tell>,
) -> Result<(), PostboxError> {
    let mut boxes = Boxes { connection, key, owners };
    let committed = match <[Job; 1]>::try_from(batch) {
        Ok([job]) => alone(&mut boxes, job, ended),
        Err(batch) => together(&mut boxes, batch, ended),
    };
    if committed.is_err() {
        // Fails when SQLite has rolled back by itself already.
        let _rolled_back = connection.execute_batch("ROLLBACK");
    }
    committed
}

/// A step that no other shares the transaction with. It needs no savepoint, under which SQLite would copy each page
/// before its first change.
fn alone(boxes: &mut Boxes<'_>, job: Job, ended: &mut Vec<Tell>) -> Result<(), PostboxError> {
    let begun = statement(boxes.connection, "BEGIN IMMEDIATE");
    let keep = step(job, begun.clone().map(|()| &mut *boxes), ended);
    begun?;
    if !keep && boxes.connection.is_autocommit() {
        // SQLite has rolled back by itself. What the step says of it is the reason.
        return Ok(());
    }
    statement(boxes.connection, if keep { "COMMIT" } else { "ROLLBACK" })
}

/// Steps that came at the same time, each under a savepoint.
fn together(boxes: &mut Boxes<'_>, batch: Vec<Job>, ended: &mut Vec<Tell>) -> Result<(), PostboxError> {
    let mut jobs = batch.into_iter();
    let begun = statement(boxes.connection, "BEGIN IMMEDIATE");
    let done = begun.and_then(|()| {
        jobs.try_for_each(|job| {
            let opened = statement(boxes.connection, "SAVEPOINT step");
            let keep = step(job, opened.clone().map(|()| &mut *boxes), ended);
            opened?;
            if !keep {
                statement(boxes.connection, "ROLLBACK TO step")?;
            }
            statement(boxes.connection, "RELEASE step")
        })
    });
    // Steps that no transaction was there for hear the reason too.
    if let Err(error) = &done {
        ended.extend(jobs.map(|job| (job.step)(Err(error.clone())).tell));
    }
    done.and_then(|()| statement(boxes.connection, "COMMIT"))
}

/// Runs a step; whether it wants its changes. One that panics loses them and tells nobody: its channel closes.
fn step(job: Job, boxes: Result<&mut Boxes<'_>, PostboxError>, ended: &mut Vec<Tell>) -> bool {
    let end = std::panic::catch_unwind(AssertUnwindSafe(|| (job.step)(boxes))).ok();
    let keep = end.as_ref().is_some_and(|end| end.keep);
    ended.extend(end.map(|end| end.tell));
    keep
}

/// Runs a statement without arguments or rows, of those that come with every step.
fn statement(connection: &Connection, sql: &str) -> Result<(), PostboxError> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Where the postbox lies below the folder of the store.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    store.join("osci")
}

#[cfg(test)]
mod tests {
    use dds_store::MasterKey;

    use super::*;

    /// A connection to a postbox of its own, the key, and the file.
    fn opened(folder: &Path) -> (Connection, MessageKey) {
        let connection = Connection::open(folder.join("postbox.sqlite")).unwrap();
        schema::prepare(&connection).unwrap();
        let key = own_key(&connection, &Vault::apart(&MasterKey::generate().unwrap())).unwrap();
        (connection, key)
    }

    type Heard = Arc<parking_lot::Mutex<Vec<Result<(), PostboxError>>>>;

    /// A step, and what its caller hears.
    fn job(
        heard: &Heard,
        step: impl FnOnce(&mut Boxes<'_>) -> Result<(), PostboxError> + Send + 'static,
    ) -> Job {
        let heard = Arc::clone(heard);
        let step: Step = Box::new(move |boxes| {
            let outcome = boxes.and_then(step);
            Ended {
                keep: outcome.is_ok(),
                tell: Box::new(move |committed| {
                    heard.lock().push(committed.and(outcome));
                }),
            }
        });
        Job { haste: Haste::Waited, step }
    }

    fn run(connection: &Connection, key: &MessageKey, batch: Vec<Job>) {
        let mut ended = Vec::new();
        let committed = commit(connection, key, &Owners::default(), batch, &mut ended);
        ended.into_iter().for_each(|tell| tell(committed.clone()));
    }

    #[test]
    fn only_what_nobody_outside_waits_for_waits_for_company() {
        let batch = |patient: &[bool]| -> Vec<Job> {
            let heard = Heard::default();
            let haste = |patient: &bool| if *patient { Haste::Patient } else { Haste::Waited };
            patient.iter().map(|one| Job { haste: haste(one), ..job(&heard, |_| Ok(())) }).collect()
        };
        assert!(worth_holding_open(&batch(&[true, true])));
        assert!(!worth_holding_open(&batch(&[true, false, true])));
        assert!(!worth_holding_open(&batch(&[true; BATCH])));
    }

    /// On a busy machine the time of the first may be over before the other comes, so they may try more than once.
    #[test]
    fn patient_steps_that_come_one_after_the_other_share_a_commit() {
        let shared = || {
            let (jobs, queue) = mpsc::sync_channel(1);
            let patient = || Job { haste: Haste::Patient, ..job(&Heard::default(), |_| Ok(())) };
            let (first, next) = (patient(), patient());
            let coming = thread::spawn(move || jobs.send(next));
            let gathered = gather(first, &queue).len();
            coming.join().is_ok() && gathered == 2
        };
        assert!((0..1_000).any(|_| shared()));
    }

    #[test]
    fn who_waits_for_a_step_without_a_transaction_hears_why() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, key) = opened(folder.path());
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(folder.path().join("postbox.sqlite")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let heard = Heard::default();
        run(&connection, &key, vec![job(&heard, |_| Ok(())), job(&heard, |_| Ok(()))]);
        assert_eq!(*heard.lock(), vec![Err(PostboxError::Unavailable("database is locked".to_owned())); 2]);

        other.execute_batch("ROLLBACK").unwrap();
        heard.lock().clear();
        run(&connection, &key, vec![job(&heard, |_| Ok(()))]);
        assert_eq!(*heard.lock(), [Ok(())]);
    }

    /// Alone and among others: what a step that fails or panics has done does not stay, and only it hears of it.
    #[test]
    fn what_a_failed_step_has_done_does_not_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, key) = opened(folder.path());
        let note = |boxes: &mut Boxes<'_>, name: &str| {
            boxes.connection.execute("INSERT INTO meta (name, value) VALUES (?1, x'')", [name]).map(drop)
        };
        let heard = Heard::default();
        let failing = || {
            job(&heard, move |boxes| {
                note(boxes, "failed")?;
                Err(PostboxError::Lost)
            })
        };
        let panicking = || {
            job(&heard, move |boxes| {
                note(boxes, "panicked")?;
                panic!("a step that panics")
            })
        };
        let good = |name: &'static str| job(&heard, move |boxes| Ok(note(boxes, name)?));
        for batch in [vec![failing()], vec![panicking()], vec![good("alone")]] {
            run(&connection, &key, batch);
        }
        assert_eq!(*heard.lock(), [Err(PostboxError::Lost), Ok(())]);
        heard.lock().clear();
        run(&connection, &key, vec![failing(), good("among others"), panicking()]);
        assert_eq!(*heard.lock(), [Err(PostboxError::Lost), Ok(())]);

        let mut names =
            connection.prepare("SELECT name FROM meta WHERE name <> 'key' ORDER BY name").unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        assert_eq!(names, ["alone", "among others"]);
    }

    /// Whoever ends the transaction under a step or a batch takes all of it with it, and all hear of it.
    #[test]
    fn who_waits_for_a_step_behind_a_broken_one_hears_why() {
        let folder = tempfile::tempdir().unwrap();
        let (connection, key) = opened(folder.path());
        let heard = Heard::default();
        let breaks = |boxes: &mut Boxes<'_>| Ok(boxes.connection.execute_batch("ROLLBACK")?);
        run(&connection, &key, vec![job(&heard, breaks)]);
        assert!(heard.lock().pop().is_some_and(|heard| heard.is_err()));
        let fails = move |boxes: &mut Boxes<'_>| breaks(boxes).and(Err(PostboxError::Lost));
        run(&connection, &key, vec![job(&heard, fails)]);
        assert_eq!(heard.lock().pop(), Some(Err(PostboxError::Lost)), "the reason, not that of the way back");
        run(&connection, &key, vec![job(&heard, breaks), job(&heard, |_| Ok(()))]);
        let heard = heard.lock();
        assert_eq!(heard.len(), 2);
        assert!(
            heard.iter().all(|heard| heard.as_ref().is_err_and(|why| why.to_string().contains("savepoint"))),
            "{heard:?}"
        );
    }
}
