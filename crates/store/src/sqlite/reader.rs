//! A few connections that read, each used by one task at a time.

use std::{path::Path, sync::Arc};

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::{fault::Outcome, schema};
use crate::StoreError;

/// The connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Readers(Arc<Pool>);

struct Pool {
    places: Semaphore,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    /// Opens `number` connections.
    pub(super) fn open(dir: &Path, number: usize) -> Result<Self, StoreError> {
        let idle = (0..number.max(1)).map(|_| schema::open_reader(dir)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(Arc::new(Pool { places: Semaphore::new(idle.len()), idle: Mutex::new(idle) })))
    }

    /// Runs `work` on a connection, off the async threads. It sees everything committed before the call.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let guard = self.connection().await?;
        blocking(tokio::task::spawn_blocking(move || guard.run(work))).await
    }

    /// As [`read`](Self::read), on the thread of the caller: for the rows of one message or delivery that the router
    /// needs at each step. They were written a moment ago and lie in memory; to hand this to another thread and back
    /// costs more than to do it (decision 0001, *Reading*).
    pub(super) async fn read_here<T>(
        &self,
        work: impl FnOnce(&Connection) -> Outcome<T>,
    ) -> Result<T, StoreError> {
        self.connection().await?.run(work)
    }

    async fn connection(&self) -> Result<Guard, StoreError> {
        let pool = Arc::clone(&self.0);
        let place = self.0.places.acquire().await.map_err(|_| closed())?;
        let db = pool.idle.lock().pop().ok_or_else(closed)?;
        // Guarded: the connection goes back even if the work panics or the caller goes away.
        let guard = Guard { pool, db: Some(db) };
        place.forget();
        Ok(guard)
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".into())
}

struct Guard {
    pool: Arc<Pool>,
    db: Option<Connection>,
}

impl Guard {
    fn run<T>(&self, work: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T, StoreError> {
        work(self.db.as_ref().ok_or_else(closed)?).map_err(StoreError::from)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.pool.idle.lock().extend(self.db.take());
        self.pool.places.add_permits(1);
    }
}

/// Result of a blocking task.
pub(super) async fn blocking<T>(
    task: tokio::task::JoinHandle<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    task.await
        .unwrap_or_else(|error| Err(StoreError::Unavailable(format!("blocking task of the store: {error}"))))
}
