//! The operations listener: `/live`, `/ready`, `/metrics`, and what a person may do with deliveries.

mod aside;
mod metrics;

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::{Path as PathPart, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use dds_message::{Clock, Code, DeliveryId, Digest, MessageId, Problem, TargetId};
use dds_postbox::Postbox;
use dds_store::Journal;
use dds_telemetry::Telemetry;
use dds_worker::Pool;
use serde::{Deserialize, Serialize};

use crate::{Failure, output::file_error};

/// Store and workers must answer `/ready` within this time; shorter than what health checks usually wait (3 s).
const PATIENCE: Duration = Duration::from_secs(2);
const TOKEN_FILE: &str = "admin.token";

/// What the operations listener shows and does.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) router: dds_router::Router,
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) telemetry: Telemetry,
    pub(crate) clock: Arc<dyn Clock>,
    /// The router has started and is not about to end.
    pub(crate) ready: tokio::sync::watch::Receiver<bool>,
    pub(crate) pool: Pool,
    pub(crate) token: Digest,
    /// Mailboxes of OSCI, if there are any.
    pub(crate) postbox: Option<Postbox>,
}

/// Routes of the operations listener.
pub(crate) fn app(admin: Admin) -> Router {
    Router::new()
        .route("/live", get(|| async { "live\n" }))
        .route("/ready", get(ready))
        .route("/metrics", get(metrics::page))
        .route("/admin/deliveries/{id}/again", post(again))
        .route("/admin/deliveries/{id}/settle", post(settle))
        .route("/admin/deliveries/{id}/redirect", post(redirect))
        .route("/admin/deliveries/{id}/cancel", post(cancel))
        .route("/admin/messages/{id}/release", post(release))
        .route("/admin/messages/{id}/reject", post(reject))
        .route("/admin/osci/aside", get(aside::list))
        .route("/admin/osci/aside/retry", post(aside::retry))
        .route("/admin/osci/aside/drop", post(aside::end))
        .with_state(admin)
}

/// Makes a fresh token for this run, readable only by the owner of the store's folder.
pub(crate) fn write_token(store: &Path) -> Result<Digest, Failure> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| {
        Failure::internal(("das System liefert keine Zufallszahlen", "no random bytes from the system"))
    })?;
    let token = hex::encode(bytes);
    let write = || {
        let file = store.join(TOKEN_FILE);
        let fresh = store.join("admin.token.new");
        // Removed first, so that the mode below holds also where an older file was left.
        let _absent = fs::remove_file(&fresh);
        fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&fresh)?
            .write_all(token.as_bytes())?;
        fs::rename(fresh, file)
    };
    write().map_err(|error| Failure::new(Code::STORE_UNAVAILABLE, file_error(store, &error)))?;
    Ok(Digest::of(token.as_bytes()))
}

/// The token of the running router; it is made at its start.
pub(crate) fn read_token(store: &Path) -> Result<String, Failure> {
    let file = store.join(TOKEN_FILE);
    fs::read_to_string(&file).map_err(|error| {
        if error.kind() != std::io::ErrorKind::NotFound {
            return Failure::new(Code::FILE_UNUSABLE, file_error(&file, &error));
        }
        let store = store.display();
        let text = (
            format!("mit dieser Konfiguration läuft keine Datendrehscheibe (Ablage {store}): --config prüfen, sonst „drehscheibe serve“ starten"),
            format!("no router runs with this configuration (store {store}): check --config, else start “drehscheibe serve”"),
        );
        Failure::new(Code::ROUTER_UNREACHABLE, text)
    })
}

async fn ready(State(admin): State<Admin>) -> Response {
    let store = async {
        let checked = tokio::time::timeout(PATIENCE, admin.journal.check()).await;
        match checked {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(code = %error.code(), %error, "ready.store");
                false
            }
            Err(_) => false,
        }
    };
    let (store, workers) = tokio::join!(store, admin.pool.responds(PATIENCE));
    let parts = [
        ("Annahme", "serving", *admin.ready.borrow()),
        ("Ablage", "store", store),
        ("Arbeitsprozesse", "workers", workers),
    ];
    let lacking = || parts.into_iter().filter(|(.., there)| !there);
    if lacking().next().is_none() {
        return "bereit · ready\n".into_response();
    }
    let german = lacking().map(|(german, ..)| german).collect::<Vec<_>>().join(", ");
    let english = lacking().map(|(_, english, _)| english).collect::<Vec<_>>().join(", ");
    (StatusCode::SERVICE_UNAVAILABLE, format!("nicht bereit: {german} · not ready: {english}\n"))
        .into_response()
}

async fn again(State(admin): State<Admin>, headers: HeaderMap, PathPart(id): PathPart<String>) -> Response {
    act(&admin, &headers, async { admin.router.deliver_again(delivery(&id)?, "cli").await }).await
}

async fn settle(State(admin): State<Admin>, headers: HeaderMap, PathPart(id): PathPart<String>) -> Response {
    act(&admin, &headers, async { admin.router.settle_by_hand(delivery(&id)?, "cli").await }).await
}

async fn cancel(State(admin): State<Admin>, headers: HeaderMap, PathPart(id): PathPart<String>) -> Response {
    act(&admin, &headers, async { admin.router.cancel(delivery(&id)?, "cli").await }).await
}

#[derive(Deserialize)]
struct Redirect {
    to: String,
    #[serde(default)]
    force: bool,
}

async fn redirect(
    State(admin): State<Admin>,
    headers: HeaderMap,
    PathPart(id): PathPart<String>,
    Query(wish): Query<Redirect>,
) -> Response {
    let deed = async {
        let to = TargetId::parse(&wish.to).map_err(|error| Problem::new(Code::BAD_ARGUMENT, error))?;
        Box::pin(admin.router.redirect(delivery(&id)?, &to, wish.force, "cli")).await
    };
    act(&admin, &headers, deed).await
}

async fn release(State(admin): State<Admin>, headers: HeaderMap, PathPart(id): PathPart<String>) -> Response {
    act(&admin, &headers, async { admin.router.release_parked(message(&id)?, "cli").await }).await
}

#[derive(Deserialize)]
struct Reject {
    reason: String,
}

async fn reject(
    State(admin): State<Admin>,
    headers: HeaderMap,
    PathPart(id): PathPart<String>,
    Json(wish): Json<Reject>,
) -> Response {
    let deed = async { admin.router.reject_parked(message(&id)?, &wish.reason, "cli").await };
    act(&admin, &headers, deed).await
}

fn delivery(id: &str) -> Result<DeliveryId, Problem> {
    DeliveryId::parse(id).map_err(|error| Problem::new(Code::BAD_ARGUMENT, error))
}

fn message(id: &str) -> Result<MessageId, Problem> {
    MessageId::parse(id).map_err(|error| Problem::new(Code::BAD_ARGUMENT, error))
}

/// Does `deed` if the caller shows the token, and answers what came of it.
async fn act<T: Serialize>(
    admin: &Admin,
    headers: &HeaderMap,
    deed: impl Future<Output = Result<T, Problem>>,
) -> Response {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // Digests are compared, so the time taken tells nothing about the token.
    if Digest::of(shown.as_bytes()) != admin.token {
        let text =
            ("das Token aus dem Ordner der Ablage ist nötig", "the token in the store's folder is needed");
        return refuse(&Problem::new(Code::NOT_AUTHENTICATED, text));
    }
    match deed.await {
        Ok(done) => Json(done).into_response(),
        Err(problem) => refuse(&problem),
    }
}

fn refuse(problem: &Problem) -> Response {
    let status =
        StatusCode::from_u16(problem.code.entry().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(problem)).into_response()
}
