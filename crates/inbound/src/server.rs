//! Listening, TLS, and an orderly end.

use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use dds_message::Digest;
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::{
    HttpLimits, Peer, Tls,
    pace::Paced,
    share::{Share, Shares},
};

/// Header fields hyper reads at least; beyond its number it answers 431 by itself, without a problem document.
const MIN_HEADERS: usize = 100;
/// Read buffer of a connection in bytes; also the most a request head may take.
const BUFFER_BYTES: usize = 64 << 10;

/// One address holds at most this part of the places for connections.
const SHARE_OF_ONE: usize = 4;

/// A bound address. Bind first, tell the address, then [`Listener::serve`].
pub struct Listener {
    tcp: TcpListener,
    tls: Option<Tls>,
    limits: HttpLimits,
}

impl Listener {
    /// Binds `address` (port 0: any free one), with TLS or plain. Plain is for loopback and behind a proxy.
    ///
    /// # Errors
    /// As the system reports; the operator must act.
    pub async fn bind(address: SocketAddr, tls: Option<Tls>, limits: HttpLimits) -> io::Result<Self> {
        let tcp = TcpListener::bind(address).await?;
        Ok(Self { tcp, tls, limits })
    }

    /// The address it listens on, with its real port.
    ///
    /// # Errors
    /// As the system reports.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }

    /// Serves `app` until `shutdown` resolves. Then takes no more connections, lets requests in flight finish within
    /// [`HttpLimits::drain_seconds`], closes what is left and returns.
    pub async fn serve(self, app: Router, shutdown: impl Future<Output = ()> + Send) {
        let mut places = Places::new(&self.limits);
        let (end, connections) = (CancellationToken::new(), TaskTracker::new());
        let abandon = CancellationToken::new();
        let server = Connections { app, tls: self.tls, limits: self.limits, end: end.clone() };
        let server = Arc::new(server);
        tokio::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = places.next(&self.tcp) => accepted,
            };
            if let Some((stream, address, place)) = accepted {
                let (server, abandoned) = (Arc::clone(&server), abandon.clone().cancelled_owned());
                connections.spawn(async move {
                    tokio::select! {
                        () = server.connection(stream, address) => {}
                        () = abandoned => {}
                    }
                    drop(place);
                });
            }
        }
        drop(self.tcp);
        end.cancel();
        connections.close();
        if timeout(server.limits.drain(), connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "inbound.drain_timeout");
            abandon.cancel();
            connections.wait().await;
        }
    }
}

/// Places for connections; of one address only a share, so that nobody takes them all by opening connections and saying
/// nothing.
struct Places {
    all: Arc<Semaphore>,
    shares: Shares,
    /// When a crowd was told of last.
    told: Option<Instant>,
}

/// A place; given back when dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    _share: Share,
}

impl Places {
    fn new(limits: &HttpLimits) -> Self {
        let each = limits.connections.div_ceil(SHARE_OF_ONE);
        let all = Arc::new(Semaphore::new(limits.connections));
        Self { all, shares: Shares::new(each), told: None }
    }

    /// The next connection, as soon as there is a place for it.
    async fn next(&mut self, tcp: &TcpListener) -> Option<(TcpStream, IpAddr, Place)> {
        if self.all.available_permits() == 0 && self.may_tell() {
            tracing::warn!("inbound.connections_full");
        }
        let permit = Arc::clone(&self.all).acquire_owned().await.ok()?;
        match tcp.accept().await {
            Ok((stream, address)) => {
                let address = address.ip();
                let Some(share) = self.shares.take(address) else {
                    if self.may_tell() {
                        tracing::warn!("inbound.connections_of_one_full");
                    }
                    return None;
                };
                Some((stream, address, Place { _permit: permit, _share: share }))
            }
            Err(error) => {
                // Out of file descriptors, for instance: trying again at once would only burn the processor.
                tracing::warn!(kind = %error.kind(), "inbound.accept_failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                None
            }
        }
    }

    /// At most once a minute: a crowd must not fill the log too.
    fn may_tell(&mut self) -> bool {
        let now = Instant::now();
        let may = self.told.is_none_or(|told| now.duration_since(told) >= Duration::from_secs(60));
        if may {
            self.told = Some(now);
        }
        may
    }
}

struct Connections {
    app: Router,
    tls: Option<Tls>,
    limits: HttpLimits,
    end: CancellationToken,
}

impl Connections {
    async fn connection(&self, stream: TcpStream, address: IpAddr) {
        let address = Some(address);
        // Answers are small and awaited: never hold them back.
        if stream.set_nodelay(true).is_err() {
            return;
        }
        let Some(tls) = &self.tls else {
            return self.http(stream, Peer { address, ..Peer::default() }).await;
        };
        let accepted = TlsAcceptor::from(tls.current()).accept(stream);
        match timeout(self.limits.handshake(), accepted).await {
            Ok(Ok(stream)) => {
                let certificate = stream.get_ref().1.peer_certificates().and_then(|chain| chain.first());
                let certificate = certificate.map(|certificate| Digest::of(certificate));
                self.http(stream, Peer { tls: true, certificate, address }).await;
            }
            Ok(Err(_)) => tracing::debug!("inbound.handshake_failed"),
            Err(_) => tracing::debug!("inbound.handshake_timeout"),
        }
    }

    async fn http(&self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: Peer) {
        let app = self.app.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(peer.clone());
            request
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head())
            .max_headers(self.limits.headers.saturating_mul(2).max(MIN_HEADERS))
            .max_buf_size(BUFFER_BYTES)
            .serve_connection(
                TokioIo::new(Paced::new(stream, self.limits.pace)),
                TowerToHyperService::new(app),
            );
        tokio::pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = self.end.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = result {
            tracing::debug!(
                timeout = error.is_timeout(),
                incomplete = error.is_incomplete_message(),
                "inbound.connection_ended"
            );
        }
    }
}
