//! Between acceptance and routing: a bounded queue in memory, with the store behind it.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dds_message::{Attachment, Direction, Facts, Format, MessageId, SourceId, Timestamp};
use dds_store::MessageRecord;
use parking_lot::Mutex;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
};

use crate::{Router, accept::Answers, route};

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

/// Larger documents are read from the store again instead of waiting in memory.
const HELD_IN_MEMORY: usize = 64 * 1024;

pub(crate) struct Queue {
    sender: mpsc::Sender<Work>,
    receiver: tokio::sync::Mutex<mpsc::Receiver<Work>>,
    /// Something was accepted that is not in the queue: look into the store.
    overflow: AtomicBool,
    /// Being routed; so that the look into the store does not route them a second time.
    busy: Mutex<HashSet<MessageId>>,
}

impl Queue {
    pub(crate) fn new(length: usize) -> Self {
        let (sender, receiver) = mpsc::channel(length.max(1));
        Self {
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
            overflow: AtomicBool::new(true),
            busy: Mutex::new(HashSet::new()),
        }
    }

    /// Queues a message that is durable already; if there is no room it will be found in the store.
    pub(crate) fn put(&self, work: Work) {
        let id = work.id;
        self.busy.lock().insert(id);
        if work.document.len() > HELD_IN_MEMORY || self.sender.try_send(work).is_err() {
            self.busy.lock().remove(&id);
            self.overflow.store(true, Ordering::Release);
        }
    }

    /// Has the store looked through again, after an operator released a message.
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
            work = receiver.recv() => if let Some(work) = work { start(router, &places, &mut tasks, work).await },
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
        let id = work.id;
        Box::pin(route::route(&router, work)).await;
        router.inner.queue.busy.lock().remove(&id);
        drop(place);
    });
}

/// Routes what lies in the store as accepted: left by a crash, or too much for the queue.
async fn refill(router: &Router, places: &Arc<Semaphore>, tasks: &mut JoinSet<()>) {
    const BATCH: usize = 256;
    let mut after = None;
    loop {
        let pending = match router.inner.parts.journal.pending(after, BATCH).await {
            Ok(pending) => pending,
            Err(error) => {
                tracing::error!(code = %error.code(), %error, "router.accepted_not_listed");
                router.inner.queue.look_again();
                tokio::time::sleep(Duration::from_secs(1)).await;
                return;
            }
        };
        let more = pending.len() == BATCH;
        after = pending.last().map(|last| last.id);
        for found in pending {
            if !router.inner.queue.busy.lock().insert(found.id) {
                continue;
            }
            match router.inner.parts.journal.submission(found.id).await {
                Ok(Some((record, document))) => start(router, places, tasks, work(record, document)).await,
                Ok(None) => {
                    router.inner.queue.busy.lock().remove(&found.id);
                }
                Err(error) => {
                    tracing::error!(message = %found.id, code = %error.code(), %error, "router.accepted_unreadable");
                    router.inner.queue.busy.lock().remove(&found.id);
                    router.inner.queue.look_again();
                }
            }
        }
        if !more {
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
