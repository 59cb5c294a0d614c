//! Listeners, and why one cannot be opened.

use std::net::SocketAddr;

use dds_config::ProcessConfig;
use dds_inbound::{HttpLimits, Listener, Tls};
use dds_message::Code;
use serde::Serialize;

use super::options;
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

/// Open sockets: a start takes its addresses before it opens or makes a store, and serves when everything stands.
/// Whoever connects in between waits for that.
pub(super) struct Doors {
    pub(super) rest: Listener,
    pub(super) admin: Listener,
    pub(super) soap: Option<Listener>,
    pub(super) osci: Option<Listener>,
}

impl Doors {
    /// Takes the addresses of the configuration; `osci` if partners may send there.
    pub(super) async fn open(
        config: &ProcessConfig,
        tls: Option<Tls>,
        osci: Option<SocketAddr>,
    ) -> Result<(Self, Addresses), Failure> {
        let listen = &config.listen;
        let limits = options::http(config);
        let (rest, rest_address) = bind(listen.rest, tls.clone(), limits.clone()).await?;
        let (admin, admin_address) = bind(listen.admin, None, limits.clone()).await?;
        let mut addresses = Addresses { rest: rest_address, admin: admin_address, soap: None, osci: None };
        let mut doors = Self { rest, admin, soap: None, osci: None };
        if let Some(wanted) = listen.soap {
            let (soap, address) = bind(wanted, tls, limits.clone()).await?;
            (doors.soap, addresses.soap) = (Some(soap), Some(address));
        }
        if let Some(wanted) = osci {
            let (osci, address) = bind(wanted, None, limits).await?;
            (doors.osci, addresses.osci) = (Some(osci), Some(address));
        }
        Ok((doors, addresses))
    }
}

/// A listener, and its address with the real port; `wanted` is that of the configuration.
async fn bind(
    wanted: SocketAddr,
    tls: Option<Tls>,
    limits: HttpLimits,
) -> Result<(Listener, SocketAddr), Failure> {
    let bound = Listener::bind(wanted, tls, limits).await.and_then(|listener| {
        let address = listener.address()?;
        Ok((listener, address))
    });
    bound.map_err(|error| no_place(wanted, &error))
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
