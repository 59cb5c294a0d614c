//! An HTTP server that can be taken away and brought back on the same port.

use std::{convert::Infallible, future::Future, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::Router;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::Error;

/// What every kind of server does with one connection.
pub(crate) type Connection = Arc<dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A listener with a switch. Dropping it ends everything.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    wanted: watch::Sender<bool>,
    listening: watch::Receiver<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    /// Listens on a free loopback port and serves each connection with `connection`.
    pub(crate) async fn start(connection: Connection) -> Result<Self, Error> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (wanted, switch) = watch::channel(true);
        let (state, listening) = watch::channel(true);
        let task = tokio::spawn(run(listener, address, connection, switch, state));
        Ok(Self { address, wanted, listening, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends all connections and refuses new ones (connection refused) until [`Server::up`].
    pub(crate) async fn down(&self) {
        self.switch(false).await;
    }

    /// Listens again on the same port.
    pub(crate) async fn up(&self) {
        self.switch(true).await;
    }

    async fn switch(&self, to: bool) {
        self.wanted.send_replace(to);
        // Fails only when the task is gone, and with it the listener.
        let _gone = self.listening.clone().wait_for(|state| *state == to).await.is_err();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    first: TcpListener,
    address: SocketAddr,
    connection: Connection,
    mut wanted: watch::Receiver<bool>,
    state: watch::Sender<bool>,
) {
    let mut first = Some(first);
    loop {
        let listener = match first.take().map_or_else(|| listen(address), Ok) {
            Ok(listener) => listener,
            // Someone else got the port for a moment.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        state.send_replace(true);
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    if let Ok((stream, _)) = accepted {
                        let _slow = stream.set_nodelay(true);
                        connections.spawn(connection(stream));
                    }
                }
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
                changed = wanted.wait_for(|up| !up) => match changed {
                    Ok(_) => break,
                    Err(_) => return,
                },
            }
        }
        drop(listener);
        connections.shutdown().await;
        state.send_replace(false);
        if wanted.wait_for(|up| *up).await.is_err() {
            return;
        }
    }
}

fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(1_024)
}

/// In the extensions of a response: close the connection instead of sending it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hangup;

/// Serves HTTP/1.1 with `router`, with TLS if given.
pub(crate) fn http(router: Router, tls: Option<Arc<ServerConfig>>) -> Connection {
    let tls = tls.map(TlsAcceptor::from);
    Arc::new(move |stream| {
        let (router, tls) = (router.clone(), tls.clone());
        Box::pin(async move {
            match tls {
                None => serve(stream, router).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, router).await;
                    }
                }
            }
        })
    })
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        async move {
            let request = request.map(axum::body::Body::new);
            let answer: Result<Response<axum::body::Body>, Infallible> =
                tower_service(&mut router, request).await;
            match answer {
                Ok(response) if response.extensions().get::<Hangup>().is_some() => Err("hang up"),
                Ok(response) => Ok(response),
                Err(never) => match never {},
            }
        }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).half_close(false);
    // A peer that goes away ends the connection; there is no one to tell.
    let _gone = http.serve_connection(TokioIo::new(stream), service).await.is_err();
}

async fn tower_service(
    router: &mut Router,
    request: Request<axum::body::Body>,
) -> Result<Response<axum::body::Body>, Infallible> {
    use tower::Service as _;
    router.call(request).await
}
