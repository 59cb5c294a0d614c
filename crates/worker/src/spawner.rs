//! The one thread that starts and buries worker processes.
//!
//! A worker dies with the thread that started it (`PR_SET_PDEATHSIG`), so that must be a thread that lives as long as
//! the pool. Threads of an async runtime do not promise that.

use std::{
    io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
};

use tokio::sync::oneshot;

/// Asks the thread; it ends when the last of these is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Spawner(mpsc::Sender<Order>);

enum Order {
    Start(oneshot::Sender<io::Result<Started>>),
    Bury(Child),
}

/// A process just started.
pub(crate) struct Started {
    pub(crate) child: Child,
    pub(crate) socket: UnixStream,
    pub(crate) stderr: Option<OwnedFd>,
}

impl Spawner {
    pub(crate) fn start(program: PathBuf, args: Vec<String>) -> io::Result<Self> {
        let (sender, orders) = mpsc::channel();
        thread::Builder::new().name("dds-worker-spawner".to_owned()).spawn(move || {
            for order in orders {
                match order {
                    Order::Start(reply) => {
                        if let Err(Ok(unwanted)) = reply.send(start(&program, &args)) {
                            bury(unwanted.child);
                        }
                    }
                    Order::Bury(child) => bury(child),
                }
            }
        })?;
        Ok(Self(sender))
    }

    pub(crate) async fn spawn(&self) -> io::Result<Started> {
        let (reply, started) = oneshot::channel();
        self.0.send(Order::Start(reply)).map_err(io::Error::other)?;
        started.await.map_err(io::Error::other)?
    }

    /// Kills the process, if it still lives, and waits for its end.
    pub(crate) fn bury(&self, child: Child) {
        // If the thread is gone, so is the process.
        _ = self.0.send(Order::Bury(child));
    }
}

fn start(program: &PathBuf, args: &[String]) -> io::Result<Started> {
    let (socket, theirs) = UnixStream::pair()?;
    socket.set_nonblocking(true)?;
    let mut child = Command::new(program)
        .args(args)
        .env_clear()
        .current_dir("/")
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let stderr = child.stderr.take().map(OwnedFd::from);
    Ok(Started { child, socket, stderr })
}

fn bury(mut child: Child) {
    // Both fail only if the process is gone already.
    _ = child.kill();
    _ = child.wait();
}
