//! The one thread that writes: takes what is queued, does it in one transaction, and only when that is durable
//! answers everybody.
//!
//! A request that fails leaves no trace and does not disturb the rest of its group. Savepoints see to that, and SQLite
//! copies every page it changes under one; so a group is tried without them, and only if a request of it fails is it
//! taken back and done once more with a savepoint for each. A busy store lets steps that nobody outside waits for wait
//! a moment, for fewer and larger commits. What a request changes in the memory of the engine (due queue, counts) is
//! applied after the commit.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, atomic::Ordering},
    thread,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    checkpoint::Checkpoints,
    fault::{self, Fault, Outcome},
    shared::Shared,
    tx::{Head, Tx},
};
use crate::StoreError;

/// At most so many requests in one transaction.
const GROUP: usize = 256;
/// At most so many bytes in one transaction (8 MB), so that nobody waits long for the payloads of others.
const GROUP_BYTES: usize = 8 << 20;
/// Requests that may wait; senders beyond it wait for a place.
const QUEUE: usize = 1024;
/// A group of steps that nobody waits for is held open so long, in all: every commit costs the disk and the processor
/// as much as several requests do.
pub const COMPANY: Duration = Duration::from_millis(5);

/// Eile: whether somebody outside waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// A sender waits for its acknowledgement, or an operator.
    Waited,
    /// A step of the router's own (planned, settled), or a system that has fetched: a few milliseconds do not matter to
    /// it.
    Patient,
}

/// Sends work to the committer.
#[derive(Debug)]
pub(super) struct Committer {
    queue: Option<mpsc::Sender<Box<dyn Request>>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Committer {
    /// Starts the thread. `head` is the end of the journal.
    pub(super) fn start(
        db: Connection,
        shared: Arc<Shared>,
        head: Head,
        checkpoints: Checkpoints,
    ) -> Result<Self, StoreError> {
        let (queue, requests) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new()
            .name("store-committer".into())
            .spawn(move || {
                Loop { db, shared, head, checkpoints, waiting: VecDeque::new(), company: false }
                    .run(requests);
            })
            .map_err(|error| fault::io("starting the committer", &error))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// No committer: for a store that is only read.
    pub(super) const fn none() -> Self {
        Self { queue: None, thread: None }
    }

    /// Does `work` in the next transaction; durable when it returns. `bytes`: roughly what it writes. `work` is done a
    /// second time if its group is taken back, so what it does beside the transaction must bear that.
    pub(super) async fn submit<T, F>(&self, haste: Haste, bytes: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let request = Box::new(Work { work, outcome: None, haste, bytes, reply });
        let stopped = || StoreError::Unavailable("the committer has stopped; restart the service".into());
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(request).await.map_err(|_| stopped())?;
        if haste == Haste::Waited
            && let Some(committer) = &self.thread
        {
            // It may be holding a group open.
            committer.thread().unpark();
        }
        // Without an answer the thread died with the request in hand, before or after the commit.
        answer.await.unwrap_or_else(|_| Err(StoreError::Unknown("the committer died".into())))
    }
}

impl Drop for Committer {
    /// Finishes what is queued, then closes the database.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("store.committer_panicked");
        }
    }
}

/// A piece of work and the one who waits for it.
trait Request: Send {
    fn haste(&self) -> Haste;
    fn bytes(&self) -> usize;
    /// Does the work; the result is kept until the fate of the group is known.
    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Fault>;
    /// The work failed with `error`, or panicked.
    fn fail(&mut self, error: StoreError);
    /// Answers.
    fn finish(self: Box<Self>, group: &Result<(), StoreError>);
}

struct Work<T, F> {
    work: F,
    outcome: Option<Result<T, StoreError>>,
    haste: Haste,
    bytes: usize,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Request for Work<T, F>
where
    T: Send + 'static,
    F: FnMut(&mut Tx<'_>) -> Outcome<T> + Send + 'static,
{
    fn haste(&self) -> Haste {
        self.haste
    }

    fn bytes(&self) -> usize {
        self.bytes
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> Result<(), Fault> {
        self.outcome = Some(Ok((self.work)(tx)?));
        Ok(())
    }

    fn fail(&mut self, error: StoreError) {
        self.outcome = Some(Err(error));
    }

    fn finish(self: Box<Self>, group: &Result<(), StoreError>) {
        let answer = match (self.outcome, group) {
            (Some(Err(own)), _) => Err(own),
            (_, Err(group)) => Err(group.clone()),
            (Some(done), Ok(())) => done,
            (None, Ok(())) => Err(StoreError::Unavailable("the request was not run".into())),
        };
        // The caller may have gone; the commit stands all the same.
        drop(self.reply.send(answer));
    }
}

struct Loop {
    db: Connection,
    shared: Arc<Shared>,
    head: Head,
    checkpoints: Checkpoints,
    waiting: VecDeque<Box<dyn Request>>,
    /// The last group had more than one request: the store is busy.
    company: bool,
}

impl Loop {
    fn run(mut self, mut requests: mpsc::Receiver<Box<dyn Request>>) {
        let mut fresh = Vec::with_capacity(GROUP);
        loop {
            if self.waiting.is_empty() && requests.blocking_recv_many(&mut fresh, GROUP) == 0 {
                break;
            }
            self.waiting.extend(fresh.drain(..));
            self.take(&mut requests);
            if worth_holding_open(self.company, &self.waiting) {
                thread::park_timeout(COMPANY);
                self.take(&mut requests);
            }
            let group = self.next_group();
            self.company = group.len() > 1;
            self.commit(group);
            self.checkpoints.after_commit(&self.db);
        }
        self.checkpoints.stop();
        if let Err(error) = self.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "store.last_checkpoint_failed");
        }
    }

    /// Takes what is queued without waiting.
    fn take(&mut self, requests: &mut mpsc::Receiver<Box<dyn Request>>) {
        while self.waiting.len() < GROUP
            && let Ok(request) = requests.try_recv()
        {
            self.waiting.push_back(request);
        }
    }

    fn next_group(&mut self) -> Vec<Box<dyn Request>> {
        let mut bytes = 0;
        let mut group = Vec::with_capacity(self.waiting.len().min(GROUP));
        while group.len() < GROUP
            && let Some(next) = self.waiting.front()
        {
            bytes += next.bytes();
            if bytes > GROUP_BYTES && !group.is_empty() {
                break;
            }
            group.extend(self.waiting.pop_front());
        }
        group
    }

    fn commit(&mut self, mut group: Vec<Box<dyn Request>>) {
        let mut tx = Tx::new(&self.db, &self.shared, self.head);
        let fate = transact(&mut tx, &mut group);
        let fate = match fate {
            Ok(()) => {
                self.head = tx.apply();
                Ok(())
            }
            Err(error) => {
                if let Err(fault) = tx.take_back() {
                    tracing::error!(error = %StoreError::from(fault), "store.not_rolled_back");
                }
                tracing::error!(code = %error.code(), %error, requests = group.len(), "store.commit_failed");
                Err(error)
            }
        };
        self.shared.commit_failed.store(fate.is_err(), Ordering::Relaxed);
        for request in group {
            request.finish(&fate);
        }
    }
}

/// Whether to wait a moment for more: only in a busy store, and only if nobody outside waits for one of these.
fn worth_holding_open(busy: bool, waiting: &VecDeque<Box<dyn Request>>) -> bool {
    busy && waiting.len() < GROUP && waiting.iter().all(|request| request.haste() == Haste::Patient)
}

/// Runs the group and commits it.
fn transact(tx: &mut Tx<'_>, group: &mut [Box<dyn Request>]) -> Result<(), StoreError> {
    tx.statement("BEGIN IMMEDIATE").map_err(StoreError::from)?;
    // What goes on after SQLite rolled back by itself would be committed statement by statement.
    let done = |request: &mut Box<dyn Request>| attempt(tx, request.as_mut()).is_ok() && !tx.is_gone();
    if !group.iter_mut().all(done) {
        tx.take_back().map_err(StoreError::from)?;
        tx.statement("BEGIN IMMEDIATE").map_err(StoreError::from)?;
        group.iter_mut().try_for_each(|request| attempt_alone(tx, request.as_mut()))?;
    }
    tx.write_tally().map_err(StoreError::from)?;
    match tx.statement("COMMIT") {
        Ok(()) => Ok(()),
        Err(Fault::Db(error)) => Err(fault::commit_failed(&error)),
        Err(fault) => Err(fault.into()),
    }
}

/// Runs one request. After an error the transaction holds half of it.
fn attempt(tx: &mut Tx<'_>, request: &mut dyn Request) -> Result<(), StoreError> {
    match catch_unwind(AssertUnwindSafe(|| request.run(tx))) {
        Ok(outcome) => outcome.map_err(StoreError::from),
        Err(_) => Err(StoreError::Unavailable("the request made the store panic; nothing was done".into())),
    }
}

/// Runs one request under a savepoint. `Err` only if the whole group is lost.
fn attempt_alone(tx: &mut Tx<'_>, request: &mut dyn Request) -> Result<(), StoreError> {
    tx.statement("SAVEPOINT request").map_err(StoreError::from)?;
    let mark = tx.mark();
    let Err(error) = attempt(tx, request) else {
        return tx.statement("RELEASE request").map_err(StoreError::from);
    };
    tx.revert(mark);
    request.fail(error.clone());
    // Without room SQLite may have rolled back the whole transaction by itself.
    if tx.is_gone() {
        return Err(error);
    }
    tx.statement("ROLLBACK TO request")
        .and_then(|()| tx.statement("RELEASE request"))
        .map_err(StoreError::from)
}

#[cfg(test)]
mod tests {
    use dds_message::{Clock, JournalEvent, MessageState, Timestamp};

    use super::*;
    use crate::{
        AuditLog, Journal, MasterKey, NewEntry,
        sqlite::{Options, SqliteStore},
    };

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp(1_795_305_600_000)
        }
    }

    fn store(dir: &std::path::Path) -> SqliteStore {
        SqliteStore::open(Options::new(dir, MasterKey::from_hex(&"07".repeat(32)).unwrap(), Arc::new(Still)))
            .unwrap()
    }

    fn entry(text: String) -> NewEntry {
        let data = dds_message::EntryFacts::new().with("text", text);
        NewEntry { data, ..NewEntry::new(JournalEvent::ReleaseActivated) }
    }

    #[test]
    fn only_what_nobody_waits_for_waits_for_company_and_only_in_a_busy_store() {
        let waiting = |all: &[Haste]| -> VecDeque<Box<dyn Request>> {
            let request = |haste: &Haste| {
                let work: fn(&mut Tx<'_>) -> Outcome<()> = |_| Ok(());
                let reply = oneshot::channel().0;
                Box::new(Work { work, outcome: None, haste: *haste, bytes: 0, reply }) as Box<dyn Request>
            };
            all.iter().map(request).collect()
        };
        let (patient, mixed) = ([Haste::Patient; 2], [Haste::Patient, Haste::Waited]);
        assert!(worth_holding_open(true, &waiting(&patient)));
        assert!(!worth_holding_open(false, &waiting(&patient)), "an idle store commits at once");
        assert!(!worth_holding_open(true, &waiting(&mixed)), "a sender waits");
        assert!(!worth_holding_open(true, &waiting(&[Haste::Patient; GROUP])), "the group is full");
    }

    #[tokio::test]
    async fn a_panic_costs_only_the_request_that_made_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let boom = store.inner.committer.submit(Haste::Waited, 0, |tx| -> Outcome<()> {
            tx.log(&entry("half".into()), Timestamp(0), &Default::default(), None, None)?;
            panic!("as the test wants it")
        });
        let (boom, fine) = tokio::join!(boom, store.note(entry("whole".into())));
        assert!(matches!(boom, Err(StoreError::Unavailable(_))));
        fine.unwrap();
        assert_eq!(store.anchor().await.unwrap().seq, 1);
        assert_eq!(store.verify(1, None).await.unwrap().broken, None);
    }

    /// A request that holds the committer up until it is released: what is queued meanwhile makes one group, alone or
    /// with this one.
    fn busy() -> (std::sync::mpsc::Sender<()>, impl FnMut(&mut Tx<'_>) -> Outcome<()> + Send) {
        let (release, wait) = std::sync::mpsc::channel();
        let work = move |_: &mut Tx<'_>| {
            _ = wait.recv();
            Ok(())
        };
        (release, work)
    }

    #[tokio::test]
    async fn what_shares_a_group_with_a_failure_is_done_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let committer = &store.inner.committer;
        let (queued, wait) = busy();
        let busy = committer.submit(Haste::Waited, 0, wait);
        let runs = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let counted = Arc::clone(&runs);
        let good = committer.submit(Haste::Waited, 0, move |tx| {
            counted.fetch_add(1, Ordering::Relaxed);
            tx.count_message(None, MessageState::Accepted);
            tx.log(&entry("good".into()), Timestamp(0), &Default::default(), None, None)
        });
        let bad = committer.submit(Haste::Waited, 0, |tx| -> Outcome<()> {
            tx.count_message(None, MessageState::Accepted);
            tx.log(&entry("bad".into()), Timestamp(0), &Default::default(), None, None)?;
            Err(StoreError::Invalid("as the test wants it".into()).into())
        });
        let release = async move { queued.send(()).unwrap() };
        let (busy, good, bad, ()) = tokio::join!(biased; busy, good, bad, release);
        assert!(matches!((busy, good, bad), (Ok(()), Ok(()), Err(StoreError::Invalid(_)))));
        assert_eq!(runs.load(Ordering::Relaxed), 2, "they were not in one group");
        assert_eq!(store.anchor().await.unwrap().seq, 1);
        assert_eq!(store.verify(1, None).await.unwrap().broken, None);
        assert_eq!(store.backlog().await.unwrap().messages.get(&MessageState::Accepted), Some(&1));
    }

    #[tokio::test]
    async fn a_full_store_says_so_and_works_again_when_there_is_room() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let limit = |pages: i64| {
            store.inner.committer.submit(Haste::Waited, 0, move |tx| {
                let set = format!("PRAGMA max_page_count = {pages}");
                Ok(tx.db().query_row(&set, [], |row| row.get::<_, i64>(0))?)
            })
        };
        // Below what it has: SQLite takes the present size as the limit.
        let pages = limit(1).await.unwrap();
        let mut written = 0;
        let full = loop {
            match store.note(entry("x".repeat(5_000))).await {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
            assert!(written < 1_000, "the limit does not hold");
        };
        assert!(matches!(full, StoreError::Full(_)), "{full:?}");
        assert_eq!(store.anchor().await.unwrap().seq, written);
        limit(pages + 1_000).await.unwrap();
        store.note(entry("x".repeat(5_000))).await.unwrap();
        assert_eq!(store.verify(1, None).await.unwrap().checked, written as u64 + 1);
    }

    #[tokio::test]
    async fn a_transaction_lost_without_a_word_is_acknowledged_to_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let committer = &store.inner.committer;
        let (queued, wait) = busy();
        let busy = committer.submit(Haste::Waited, 0, wait);
        let mute = committer.submit(Haste::Waited, 0, |tx| Ok(tx.db().execute_batch("ROLLBACK")?));
        let behind = store.note(entry("behind it".into()));
        let release = async move { queued.send(()).unwrap() };
        let (_, mute, behind, ()) = tokio::join!(biased; busy, mute, behind, release);
        mute.unwrap_err();
        behind.unwrap_err();
        store.note(entry("after".into())).await.unwrap();
        assert_eq!(store.verify(1, None).await.unwrap().broken, None);
    }

    #[tokio::test]
    async fn a_lost_transaction_is_acknowledged_to_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let requests = (0..20).map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let work = move |tx: &mut Tx<'_>| {
                    tx.log(&entry(n.to_string()), Timestamp(0), &Default::default(), None, None)?;
                    if n == 7 {
                        // What SQLite does by itself on some errors.
                        tx.db().execute_batch("ROLLBACK")?;
                        return Err(StoreError::Full("as the test wants it".into()).into());
                    }
                    Ok(())
                };
                store.inner.committer.submit(Haste::Waited, 0, work).await.is_ok()
            })
        });
        let answers = futures::future::join_all(requests).await;
        let acknowledged = answers.into_iter().filter(|answer| *answer.as_ref().unwrap()).count();
        assert!(acknowledged < 20);
        assert_eq!(store.anchor().await.unwrap().seq, acknowledged as i64);
        store.note(entry("after".into())).await.unwrap();
        assert_eq!(store.verify(1, None).await.unwrap().broken, None);
    }
}
