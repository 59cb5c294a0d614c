//! The supervisor that started the service, such as systemd (`Type=notify`), wants to hear when it is ready.

use std::{env, os::unix::net::UnixDatagram};

/// Names the socket at which the supervisor listens, as in `sd_notify(3)`. Without it nobody wants to know.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Tells that the service is ready. A supervisor that does not hear it ends the service in its own time, so the log
/// must say why; the service itself can do its work.
pub(crate) fn ready() {
    let Some(socket) = env::var_os(SOCKET) else { return };
    let told = UnixDatagram::unbound().and_then(|ours| ours.send_to(b"READY=1", &socket));
    if let Err(error) = told {
        tracing::error!(%error, "supervisor.not_told");
    }
}
