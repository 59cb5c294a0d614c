//! What asks a long-running command to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::Failure;

/// Ctrl-C, or SIGTERM as `timeout` and supervisors send it.
pub(crate) struct Interrupt(Signal, Signal);

impl Interrupt {
    /// From now on the signals end nothing by themselves.
    pub(crate) fn new() -> Result<Self, Failure> {
        let listen = |kind| signal(kind).map_err(Failure::unexpected);
        Ok(Self(listen(SignalKind::interrupt())?, listen(SignalKind::terminate())?))
    }

    /// Waits for one of them.
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
