//! Moving pages from the write-ahead log into the database, so that the log stays short.
//!
//! A thread of its own copies while the committer goes on writing. The log can only start over when all of it is copied
//! and nobody appends meanwhile; when it has grown long, the committer itself copies the rest between two commits.

use std::{sync::mpsc, thread};

use rusqlite::Connection;

use super::fault;
use crate::StoreError;

/// Frames (pages of 8 KiB) in the log from which on the thread copies: 16 MiB.
const COPY: i64 = 2_048;
/// Frames from which on the committer does the rest: 64 MiB.
const RESTART: i64 = 8_192;
/// Commits between two looks at the log; a group of 256 requests writes some 500 pages.
const EVERY: u32 = 4;

/// Decides after each commit whether to copy.
#[derive(Debug)]
pub(super) struct Checkpoints {
    nudge: Option<mpsc::SyncSender<()>>,
    thread: Option<thread::JoinHandle<()>>,
    commits: u32,
}

impl Checkpoints {
    /// Starts the thread with a connection of its own.
    pub(super) fn start(db: Connection) -> Result<Self, StoreError> {
        let (nudge, nudges) = mpsc::sync_channel(1);
        let thread = thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn(move || {
                while nudges.recv().is_ok() {
                    copy(&db);
                }
            })
            .map_err(|error| fault::io("starting the checkpoint thread", &error))?;
        Ok(Self { nudge: Some(nudge), thread: Some(thread), commits: 0 })
    }

    /// Called by the committer between two transactions.
    pub(super) fn after_commit(&mut self, db: &Connection) {
        self.commits += 1;
        if self.commits < EVERY {
            return;
        }
        self.commits = 0;
        let Some((log, copied)) = frames(db, "PRAGMA wal_checkpoint(NOOP)") else { return };
        if log > RESTART && log - copied < COPY {
            copy(db);
        } else if log - copied > COPY
            && let Some(nudge) = &self.nudge
        {
            // Full: the thread is at it already.
            nudge.try_send(()).ok();
        }
    }

    /// Ends the thread and closes its connection.
    pub(super) fn stop(&mut self) {
        self.nudge = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("store.checkpoint_panicked");
        }
    }
}

fn copy(db: &Connection) {
    frames(db, "PRAGMA wal_checkpoint(PASSIVE)");
}

/// Frames in the log, and how many of them are copied.
fn frames(db: &Connection, pragma: &str) -> Option<(i64, i64)> {
    let frames = |row: &rusqlite::Row<'_>| Ok((row.get(1)?, row.get(2)?));
    match db.prepare_cached(pragma).and_then(|mut statement| statement.query_row([], frames)) {
        Ok((log, copied)) => Some((log, copied)),
        Err(error) => {
            tracing::warn!(%error, "store.checkpoint_failed");
            None
        }
    }
}
