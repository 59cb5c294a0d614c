//! Systems that fetch: mailbox clients and readers of drop folders. Systems that are pushed to live in the stage.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dds_message::TargetId;
use dds_testbench::{FetchingFachverfahren, FolderSim, Inbox};
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinHandle};

use super::stage::{Stage, TOKEN};

/// Fetching systems at work.
pub(crate) struct Receivers {
    stage: Arc<Stage>,
    fetched: Inbox,
    folders: Arc<Mutex<Vec<Arc<FolderSim>>>>,
    wanted: watch::Sender<Vec<TargetId>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Receivers {
    /// Begins to read drop folders and to fetch from mailboxes that [`Receivers::want`] names.
    pub(crate) fn start(stage: &Arc<Stage>) -> Self {
        let (wanted, wishes) = watch::channel(Vec::new());
        let (stop, stopped) = watch::channel(false);
        let fetched = Inbox::new(true);
        let folders = Arc::default();
        let task =
            tokio::spawn(work(Arc::clone(stage), fetched.clone(), Arc::clone(&folders), wishes, stopped));
        Self { stage: Arc::clone(stage), fetched, folders, wanted, stop, task }
    }

    /// Mailboxes that hold something, as far as the senders know from the status of their messages.
    pub(crate) fn want(&self, targets: Vec<TargetId>) {
        self.wanted.send_replace(targets);
    }

    /// All inboxes, those of the stage too.
    pub(crate) fn inboxes(&self) -> Vec<Inbox> {
        let mut all = vec![
            self.stage.systems.inbox().clone(),
            self.stage.mail.inbox().clone(),
            self.stage.callback.inbox().clone(),
            self.fetched.clone(),
        ];
        all.extend(self.folders.lock().iter().map(|folder| folder.inbox().clone()));
        all
    }

    /// Ends fetching.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        // The task only ends by the signal above; that it was cancelled elsewhere would be no harm.
        let _ended = self.task.await;
    }
}

async fn work(
    stage: Arc<Stage>,
    fetched: Inbox,
    folders: Arc<Mutex<Vec<Arc<FolderSim>>>>,
    wishes: watch::Receiver<Vec<TargetId>>,
    stopped: watch::Receiver<bool>,
) {
    let mut clients: HashMap<TargetId, FetchingFachverfahren> = HashMap::new();
    while !*stopped.borrow() {
        let wanted = wishes.borrow().clone();
        for target in wanted {
            let client = clients.entry(target.clone()).or_insert_with(|| {
                FetchingFachverfahren::new(stage.rest(), target, TOKEN).with_inbox(fetched.clone())
            });
            // While the router is down the mailbox cannot be reached; the next round tries again.
            let _taken = client.take_all(0).await;
        }
        let mut known = std::mem::take(&mut *folders.lock());
        let _found = stage.folders(&mut known);
        for folder in &known {
            // A folder may be read in the moment it appears; what is not complete is taken in the next round.
            let _taken = folder.collect();
        }
        *folders.lock() = known;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
