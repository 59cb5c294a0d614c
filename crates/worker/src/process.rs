//! One worker process, seen from the service.

use std::{io, os::fd::OwnedFd, process::Child, time::Duration};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{UnixStream, unix::pipe},
    time::timeout,
};

use crate::{
    child::LOG_PREFIX,
    frame::{self, Reply, Request, Settings},
    spawner::{Spawner, Started},
};

/// How an exchange with a worker failed. Either way the process is useless now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// It is gone, or talks nonsense.
    #[error("worker died: {0}")]
    Died(#[from] io::Error),
    /// It did not answer in time.
    #[error("worker did not answer in {0:?}")]
    TimedOut(Duration),
}

/// A running worker. Dropping it kills the process.
pub(crate) struct Process {
    child: Option<Child>,
    socket: BufReader<UnixStream>,
    spawner: Spawner,
    longest_reply: u64,
}

/// A worker that is not in its sandbox after this time never will be.
const START_TIME: Duration = Duration::from_secs(10);

impl Process {
    /// Starts a worker and sees it into its sandbox.
    pub(crate) async fn start(
        spawner: &Spawner,
        settings: &Settings,
        longest_reply: u64,
    ) -> Result<Self, Failure> {
        let Started { child, socket, stderr } = spawner.spawn().await?;
        let pid = child.id();
        let mut process = Self {
            child: Some(child),
            socket: BufReader::with_capacity(256 << 10, UnixStream::from_std(socket)?),
            spawner: spawner.clone(),
            longest_reply,
        };
        if let Some(stderr) = stderr {
            tokio::spawn(log_stderr(pid, stderr));
        }
        let start = frame::encode(&Request::Start(settings.clone()), &[])?;
        match process.exchange(&start, START_TIME).await? {
            (Reply::Ready { missing: None }, _) => {
                tracing::debug!(worker = pid, "worker.started");
            }
            (Reply::Ready { missing: Some(missing) }, _) => {
                tracing::error!(
                    worker = pid,
                    missing,
                    remedy = "rules run WITHOUT the system call filter; resource limits and the refusals of libxslt \
                              hold. Run on a kernel or in a container that allows seccomp",
                    "worker.sandbox_incomplete"
                );
            }
            _ => return Err(io::Error::other("another answer than Ready").into()),
        }
        Ok(process)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Sends a frame and waits for the answer.
    pub(crate) async fn exchange(
        &mut self,
        request: &[u8],
        time: Duration,
    ) -> Result<(Reply, Vec<Bytes>), Failure> {
        let exchange = async {
            self.socket.get_mut().write_all(request).await?;
            frame::decode(&frame::read_async(&mut self.socket, self.longest_reply).await?)
        };
        timeout(time, exchange).await.map_err(|_| Failure::TimedOut(time))?.map_err(Failure::Died)
    }

    /// Sends a frame that has no answer.
    pub(crate) async fn send(&mut self, request: &[u8]) -> Result<(), Failure> {
        Ok(self.socket.get_mut().write_all(request).await?)
    }

    /// Completes when an idle worker ends, or says something unasked.
    pub(crate) async fn ended(&self) {
        let socket = self.socket.get_ref();
        loop {
            if socket.readable().await.is_err() {
                return;
            }
            match socket.try_read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                _ => return,
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            self.spawner.bury(child);
        }
    }
}

/// Logs what a worker says on purpose. Other lines, such as those of a C library, may hold content (invariant I9):
/// only their length is told.
async fn log_stderr(pid: u32, stderr: OwnedFd) {
    let Ok(stderr) = pipe::Receiver::from_owned_fd(stderr) else { return };
    let mut lines = BufReader::new(tokio::io::AsyncReadExt::take(stderr, MOST_LOG_BYTES)).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match line.strip_prefix(LOG_PREFIX) {
            Some(text) => tracing::warn!(worker = pid, text, "worker.said"),
            None => {
                tracing::warn!(worker = pid, bytes = line.len(), "worker.said")
            }
        }
    }
}

/// A worker that writes more is no longer listened to.
const MOST_LOG_BYTES: u64 = 64 << 10;
