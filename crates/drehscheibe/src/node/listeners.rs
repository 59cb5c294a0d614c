//! Listeners, and why one cannot be opened.

use std::net::SocketAddr;

use dds_inbound::{HttpLimits, Listener};
use dds_message::Code;
use serde::Serialize;

use crate::Failure;

/// Where the router listens, with the real ports.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Addresses {
    pub(super) rest: SocketAddr,
    pub(super) admin: SocketAddr,
    /// Where SOAP has an address of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) soap: Option<SocketAddr>,
    /// Where partners may send by OSCI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) osci: Option<SocketAddr>,
}

/// The address of a listener with its real port; `wanted` is that of the configuration.
pub(super) fn address(listener: &Listener, wanted: SocketAddr) -> Result<SocketAddr, Failure> {
    listener.address().map_err(|error| no_place(wanted, &error))
}

pub(super) async fn bind(
    address: SocketAddr,
    tls: Option<dds_inbound::Tls>,
    limits: HttpLimits,
) -> Result<Listener, Failure> {
    Listener::bind(address, tls, limits).await.map_err(|error| no_place(address, &error))
}

fn no_place(address: SocketAddr, error: &std::io::Error) -> Failure {
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
