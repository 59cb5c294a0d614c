//! Listeners, and why one cannot be opened.

use std::net::SocketAddr;

use dds_inbound::{HttpLimits, Listener};
use dds_message::Code;

use crate::Failure;

pub(super) async fn bind(
    address: SocketAddr,
    tls: Option<dds_inbound::Tls>,
    limits: HttpLimits,
) -> Result<Listener, Failure> {
    Listener::bind(address, tls, limits).await.map_err(|error| no_place(address, &error))
}

pub(super) fn no_place(address: SocketAddr, error: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let text = match error.kind() {
        ErrorKind::AddrInUse => {
            (format!("{address} ist schon belegt"), format!("{address} is in use already"))
        }
        ErrorKind::AddrNotAvailable => (
            format!("{address} gehört nicht zu diesem Rechner"),
            format!("{address} does not belong to this machine"),
        ),
        ErrorKind::PermissionDenied => {
            (format!("{address}: das Recht dazu fehlt"), format!("{address}: permission denied"))
        }
        _ => (format!("{address}: {error}"), format!("{address}: {error}")),
    };
    Failure::new(Code::ADDRESS_UNUSABLE, text)
}
