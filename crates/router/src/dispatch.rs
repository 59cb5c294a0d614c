//! Between acceptance and routing: a bounded queue in memory, with the store behind it.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_depot::Release;
use dds_message::{
    Attachment, CaseHolder, CaseRef, Direction, Facts, Format, MessageId, ProcedureId, SourceId, Timestamp,
};
use dds_store::{MessageRecord, StoreError};
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::Instant,
};

use crate::{Router, Subject, accept::Answers, delivery_of::lane, route};

/// A message to route, with what acceptance knows already.
pub(crate) struct Work {
    pub(crate) id: MessageId,
    pub(crate) at: Timestamp,
    pub(crate) source: SourceId,
    pub(crate) answers: Answers,
    pub(crate) document: Bytes,
    pub(crate) format: Format,
    /// `None`: to be recognised again (after a restart), or an answer.
    pub(crate) facts: Option<Facts>,
    pub(crate) attachments: Vec<Attachment>,
}

impl Work {
    /// As routing under `release` looks at it.
    pub(crate) fn subject<'a>(&'a self, release: &Release, case_holders: &'a [CaseHolder]) -> Subject<'a> {
        Subject {
            id: self.id,
            at: self.at,
            source: &self.source,
            document: &self.document,
            format: self.format,
            attachments: &self.attachments,
            release: release.id(),
            case_holders,
        }
    }
}

/// Larger documents are read from the store again instead of waiting in memory.
const LARGEST_IN_MEMORY: usize = 64 << 10;

/// Bytes of all documents that wait in memory (16 MB).
const HELD_IN_MEMORY: usize = 16 << 20;

/// An accepted message that cannot be read is tried again after so long.
const REST: Duration = Duration::from_secs(30);

pub(crate) struct Queue {
    sender: mpsc::Sender<Work>,
    receiver: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    /// Bytes of the documents in it.
    held: AtomicUsize,
    /// Something was accepted that is not in the queue: look into the store.
    overflow: AtomicBool,
    under_way: Mutex<UnderWay>,
}

/// What is being routed or waits to be, and who waits for whom.
#[derive(Default)]
struct UnderWay {
    /// What an earlier process left is taken. Before, what comes stays in the store too: it must not go before what is
    /// older, of the same case perhaps.
    caught_up: bool,
    /// Being routed or waiting to be, each with its line; so that the look into the store does not route it a second
    /// time.
    taken: HashMap<MessageId, Option<u64>>,
    /// Those of them that the next look into the store shall route. They keep their turn.
    left: HashSet<MessageId>,
    /// Those of them that could not be read, and when they are tried again, the first first. Each keeps its turn, and
    /// holds up nothing but its line.
    put_off: VecDeque<(Instant, MessageId)>,
    /// Messages of one case that go in order (`line`), as they were accepted, until they are planned. The first is
    /// routed; whoever has routed it goes on with the next, so that waiting takes no place.
    lines: HashMap<u64, VecDeque<MessageId>>,
}

impl UnderWay {
    /// Takes a message for routing. `false`: it is taken already, or it is not its turn yet and it will be routed
    /// after those before it.
    fn take(&mut self, id: MessageId, line: Option<u64>) -> bool {
        if self.taken.contains_key(&id) {
            return self.left.remove(&id);
        }
        self.taken.insert(id, line);
        let Some(line) = line else { return true };
        let waiting = self.lines.entry(line).or_default();
        waiting.push_back(id);
        waiting.len() == 1
    }

    /// Whether the look into the store has nothing to do with it.
    fn has(&self, id: MessageId) -> bool {
        self.taken.contains_key(&id) && !self.left.contains(&id)
    }

    /// A message is planned; answers the next of its line.
    fn end(&mut self, id: MessageId) -> Option<MessageId> {
        let line = self.taken.remove(&id)??;
        let waiting = self.lines.get_mut(&line)?;
        waiting.pop_front();
        let next = waiting.front().copied();
        if next.is_none() {
            self.lines.remove(&line);
        }
        next
    }
}

/// The line of a message whose procedure wants the messages of a case in order; `None`: it waits for no other.
pub(crate) fn line(
    release: &Release,
    source: &SourceId,
    procedure: Option<&ProcedureId>,
    case: Option<&CaseRef>,
) -> Option<u64> {
    let (procedure, case) = (procedure.filter(|procedure| release.in_order(procedure))?, case?);
    Some(lane(&[source.as_str(), procedure.as_str(), case.as_str()]))
}

impl Queue {
    pub(crate) fn new(length: usize) -> Self {
        let (sender, receiver) = mpsc::channel(length.max(1));
        Self {
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
            held: AtomicUsize::new(0),
            overflow: AtomicBool::new(true),
            under_way: Mutex::default(),
        }
    }

    /// Queues a message that is durable already; if there is no room it will be found in the store.
    pub(crate) fn put(&self, work: Work, line: Option<u64>) {
        let id = work.id;
        let mut under_way = self.under_way.lock();
        if !under_way.caught_up {
            self.look_again();
            return;
        }
        let taken = under_way.take(id, line);
        drop(under_way);
        if !taken {
            return;
        }
        if !self.hold(work) {
            self.leave(id);
        }
    }

    /// Keeps a message in memory until it is routed, if there is room.
    fn hold(&self, work: Work) -> bool {
        let size = work.document.len();
        if size > LARGEST_IN_MEMORY {
            return false;
        }
        let before = self.held.fetch_add(size, Ordering::Relaxed);
        let held = before + size <= HELD_IN_MEMORY && self.sender.try_send(work).is_ok();
        if !held {
            self.held.fetch_sub(size, Ordering::Relaxed);
        }
        held
    }

    /// The next message that was held.
    async fn next(&self, receiver: &mut mpsc::Receiver<Work>) -> Option<Work> {
        let work = receiver.recv().await?;
        self.held.fetch_sub(work.document.len(), Ordering::Relaxed);
        Some(work)
    }

    /// The store was looked through to its end. Under the same lock as `put`: what was left there meanwhile is found
    /// by another look first.
    fn caught_up(&self) {
        let mut under_way = self.under_way.lock();
        under_way.caught_up |= !self.overflow.load(Ordering::Acquire);
    }

    /// Leaves a message to the look into the store.
    fn leave(&self, id: MessageId) {
        self.under_way.lock().left.insert(id);
        self.look_again();
    }

    /// A message that cannot be read now is left to the look into the store after a while.
    fn put_off(&self, id: MessageId, error: &StoreError) {
        tracing::error!(message = %id, code = %error.code(), %error, "router.accepted_unreadable");
        let mut under_way = self.under_way.lock();
        under_way.left.remove(&id);
        under_way.taken.entry(id).or_insert(None);
        under_way.put_off.push_back((Instant::now() + REST, id));
    }

    /// Leaves those to the look into the store whose while is over.
    fn try_again(&self) {
        let now = Instant::now();
        let mut under_way = self.under_way.lock();
        while let Some(&(_, id)) = under_way.put_off.front().filter(|(due, _)| *due <= now) {
            under_way.put_off.pop_front();
            under_way.left.insert(id);
            self.look_again();
        }
    }

    /// Has the store looked through again.
    pub(crate) fn look_again(&self) {
        self.overflow.store(true, Ordering::Release);
    }
}

/// Routes until shutdown.
pub(crate) async fn run(router: &Router, mut shutdown: watch::Receiver<bool>) {
    let queue = &router.inner.queue;
    let mut receiver = queue.receiver.lock().await;
    let places = Arc::new(Semaphore::new(router.inner.options.concurrency.max(1)));
    let mut tasks = JoinSet::new();
    while !*shutdown.borrow() {
        while tasks.try_join_next().is_some() {}
        queue.try_again();
        if receiver.is_empty() && queue.overflow.swap(false, Ordering::AcqRel) {
            tokio::select! {
                () = refill(router, &places, &mut tasks) => {}
                _ = shutdown.changed() => break,
            }
            continue;
        }
        // The pause bounds how long a message waits whose `put` raced with the check above.
        let pause = tokio::time::sleep(Duration::from_millis(200));
        tokio::select! {
            work = queue.next(&mut receiver) => if let Some(work) = work { start(router, &places, &mut tasks, work).await },
            () = pause => {}
            _ = shutdown.changed() => break,
        }
    }
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(router.inner.options.grace, ended).await.is_err() {
        // Store or workers are not available; what is not planned stays accepted for the next start.
        tracing::warn!("router.cut_off");
    }
}

async fn start(router: &Router, places: &Arc<Semaphore>, tasks: &mut JoinSet<()>, work: Work) {
    let Ok(place) = Arc::clone(places).acquire_owned().await else { return };
    let router = router.clone();
    tasks.spawn(async move {
        let mut work = Some(work);
        while let Some(first) = work.take() {
            let id = first.id;
            Box::pin(route::route(&router, first)).await;
            work = next(&router, id).await;
        }
        drop(place);
    });
}

/// The message whose turn it is after `done`.
async fn next(router: &Router, mut done: MessageId) -> Option<Work> {
    let queue = &router.inner.queue;
    loop {
        let id = queue.under_way.lock().end(done)?;
        match router.inner.parts.journal.submission(id).await {
            Ok(Some((record, document))) => return Some(work(record, document)),
            Ok(None) => done = id,
            Err(error) => {
                queue.put_off(id, &error);
                return None;
            }
        }
    }
}

/// Routes what lies in the store as accepted: left by a crash, or too much for the queue.
async fn refill(router: &Router, places: &Arc<Semaphore>, tasks: &mut JoinSet<()>) {
    const BATCH: usize = 256;
    let queue = &router.inner.queue;
    let mut after = None;
    loop {
        let pending = match router.inner.parts.journal.pending(after, BATCH).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!(code = %error.code(), %error, "router.accepted_not_listed");
                queue.look_again();
                tokio::time::sleep(Duration::from_secs(1)).await;
                return;
            }
        };
        let more = pending.len() == BATCH;
        after = pending.last().map(|last| last.id);
        for found in pending {
            if queue.under_way.lock().has(found.id) {
                continue;
            }
            match router.inner.parts.journal.submission(found.id).await {
                Ok(Some((record, document))) => {
                    let release = router.release();
                    let (procedure, case) = (record.procedure.as_ref(), record.case.as_ref());
                    let line = line(&release, &record.source, procedure, case);
                    let taken = queue.under_way.lock().take(found.id, line);
                    if taken {
                        start(router, places, tasks, work(record, document)).await;
                    }
                }
                Ok(None) => {}
                Err(error) => queue.put_off(found.id, &error),
            }
        }
        if !more {
            queue.caught_up();
            return;
        }
    }
}

/// A stored message as work.
pub(crate) fn work(record: MessageRecord, document: Bytes) -> Work {
    let answers = match (record.direction, record.answers) {
        (Direction::Answer(kind), Some(application)) => Some((kind, application)),
        _ => None,
    };
    Work {
        id: record.id,
        at: record.at,
        source: record.source,
        answers,
        document,
        format: record.format,
        facts: None,
        attachments: record.attachments.into_iter().map(|stored| stored.attachment).collect(),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Else the look into the store would go on for ever, and nothing new would be taken before it has ended.
    #[test]
    fn a_message_that_cannot_be_read_is_looked_at_again_after_a_while() {
        let (queue, id) = (Queue::new(1), MessageId(Uuid::from_u128(1)));
        let asks = || queue.overflow.swap(false, Ordering::AcqRel);
        assert!(asks(), "the first look");
        queue.put_off(id, &StoreError::Corrupt("damaged".to_owned()));
        queue.try_again();
        queue.caught_up();
        assert!(!asks() && queue.under_way.lock().has(id) && queue.under_way.lock().caught_up);
        queue.under_way.lock().put_off[0].0 = Instant::now();
        queue.try_again();
        assert!(asks() && !queue.under_way.lock().has(id));
        assert!(queue.under_way.lock().take(id, None));
    }

    #[tokio::test]
    async fn what_waits_in_memory_is_bounded_in_bytes() {
        let queue = Queue::new(10_000);
        let work = |size| Work {
            id: MessageId(Uuid::nil()),
            at: Timestamp(0),
            source: SourceId::parse("portal").unwrap(),
            answers: None,
            document: vec![b'x'; size].into(),
            format: Format::Xml,
            facts: None,
            attachments: Vec::new(),
        };
        assert!(!queue.hold(work(LARGEST_IN_MEMORY + 1)), "too long for memory");
        let held = (0..).take_while(|_| queue.hold(work(LARGEST_IN_MEMORY))).count();
        assert_eq!(held * LARGEST_IN_MEMORY, HELD_IN_MEMORY);
        let mut receiver = queue.receiver.lock().await;
        assert!(queue.next(&mut receiver).await.is_some());
        assert!(queue.hold(work(LARGEST_IN_MEMORY)), "there is room again");
        assert!(!queue.hold(work(1)));
        // A queue that is full keeps no bytes of what it did not take.
        let queue = Queue::new(1);
        assert!(queue.hold(work(10)) && !queue.hold(work(10)));
        assert_eq!(queue.held.load(Ordering::Relaxed), 10);
    }

    #[test]
    fn a_line_is_routed_one_by_one_in_the_order_in_which_it_came() {
        let id = |number| MessageId(Uuid::from_u128(number));
        let mut under_way = UnderWay::default();
        assert!(under_way.take(id(1), Some(7)));
        assert!(!under_way.take(id(2), Some(7)), "before the first is planned");
        assert!(under_way.take(id(3), Some(8)) && under_way.take(id(4), None), "none of their business");
        assert!(!under_way.take(id(1), Some(7)), "twice");
        // Left to the store, the first keeps its turn, also if a new release knows no order any more.
        under_way.left.insert(id(1));
        assert!(!under_way.has(id(1)) && under_way.has(id(2)));
        assert!(!under_way.take(id(5), Some(7)));
        assert!(under_way.take(id(1), None));
        assert_eq!(under_way.end(id(1)), Some(id(2)));
        assert_eq!(under_way.end(id(2)), Some(id(5)));
        assert_eq!(under_way.end(id(5)), None);
        assert_eq!((under_way.end(id(3)), under_way.end(id(4))), (None, None));
        assert!(under_way.taken.is_empty() && under_way.lines.is_empty(), "something is kept for ever");
    }
}
