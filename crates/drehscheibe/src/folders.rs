//! The drop folders that are watched: those of the release in force.

use std::{collections::BTreeMap, sync::Arc};

use dds_inbound::{FolderOptions, Watch};
use dds_message::{Clock, SourceId};
use dds_router::Handle;
use dds_telemetry::Telemetry;
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

/// The running watchers, one for each source with a folder.
#[derive(Default)]
pub(crate) struct Folders(Mutex<BTreeMap<SourceId, Running>>);

struct Running {
    options: FolderOptions,
    /// Dropped: the watcher ends after what it is receiving.
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    async fn end(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::error!("inbound.folder_watcher_panicked");
        }
    }
}

impl Folders {
    /// Watches `wanted` and nothing else. A watcher whose folder and limits are the same goes on undisturbed; one that
    /// must change ends before its successor starts, so that nobody takes a submission twice.
    pub(crate) async fn keep(
        &self,
        wanted: Vec<FolderOptions>,
        handle: Arc<dyn Handle>,
        telemetry: &Telemetry,
        clock: &Arc<dyn Clock>,
    ) {
        let mut running = self.0.lock().await;
        let unchanged = |one: &Running| wanted.contains(&one.options) && !one.task.is_finished();
        let gone: Vec<SourceId> =
            running.iter().filter(|(_, one)| !unchanged(one)).map(|(source, _)| source.clone()).collect();
        for source in gone {
            if let Some(one) = running.remove(&source) {
                one.end().await;
            }
        }
        for options in wanted {
            if running.contains_key(&options.source) {
                continue;
            }
            let watch =
                Watch::new(options.clone(), Arc::clone(&handle), telemetry.clone(), Arc::clone(clock));
            let (stop, stopped) = oneshot::channel::<()>();
            let task = tokio::spawn(watch.run(async move { drop(stopped.await) }));
            running.insert(options.source.clone(), Running { options, stop, task });
        }
    }

    /// Ends all watchers.
    pub(crate) async fn end(&self) {
        for (_, one) in std::mem::take(&mut *self.0.lock().await) {
            one.end().await;
        }
    }
}
