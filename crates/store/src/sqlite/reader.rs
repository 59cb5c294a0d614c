//! A few connections that read, each used by one blocking task at a time.

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
        let stopped = || StoreError::Unavailable("the store is closed".into());
        let pool = Arc::clone(&self.0);
        let place = self.0.places.acquire().await.map_err(|_| stopped())?;
        let db = pool.idle.lock().pop().ok_or_else(stopped)?;
        // Guarded: the connection goes back even if the work panics or the caller goes away.
        let guard = Guard { pool, db: Some(db) };
        place.forget();
        let result = tokio::task::spawn_blocking(move || match &guard.db {
            Some(db) => work(db).map_err(StoreError::from),
            None => Err(StoreError::Unavailable("the store is closed".into())),
        });
        blocking(result).await
    }
}

struct Guard {
    pool: Arc<Pool>,
    db: Option<Connection>,
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
