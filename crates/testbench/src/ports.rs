//! Loopback ports.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use crate::Error;

/// A loopback port that was free a moment ago. Listen on port 0 where you can: another process may take this one.
///
/// # Errors
/// [`Error::Io`] if there is none.
pub fn free_port() -> Result<SocketAddr, Error> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
