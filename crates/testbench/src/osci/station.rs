//! What a simulated partner listens with: one address that orders are posted to.

use std::sync::Arc;

use axum::{Router, extract::DefaultBodyLimit, handler::Handler, routing::post};

use crate::{
    Error,
    server::{Server, http},
};

/// A server, and the desk behind it that orders come to.
pub(super) struct Station<D> {
    pub(super) server: Server,
    pub(super) desk: Arc<D>,
    path: &'static str,
}

impl<D: Send + Sync + 'static> Station<D> {
    /// Has `serve` answer what is posted to `path`, however large it is.
    pub(super) async fn start<H, T>(path: &'static str, serve: H, desk: D) -> Result<Self, Error>
    where
        H: Handler<T, Arc<D>>,
        T: 'static,
    {
        let desk = Arc::new(desk);
        let router = Router::new()
            .route(path, post(serve))
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(&desk));
        Ok(Self { server: Server::start(http(router, None)).await?, desk, path })
    }

    /// The address that orders go to.
    pub(super) fn url(&self) -> String {
        format!("http://{}{}", self.server.address(), self.path)
    }
}
