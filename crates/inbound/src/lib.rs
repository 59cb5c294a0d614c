//! Channels in: REST, SOAP and drop folder. Each authenticates the source, streams what comes into the router's
//! [`Handle`](dds_router::Handle) and tells the sender what became of it.
//!
//! A channel decides nothing about a message: what it is, who may send it and where it goes is the router's matter.
//! A channel guards the door: who is there ([`Sources`]), how much and how slowly ([`Limits`], [`HttpLimits`]), how
//! many at once ([`Context`]). Attachments never lie in memory; a broken transfer leaves nothing behind, because a
//! dropped [`Intake`](dds_router::Intake) accepts nothing.
//!
//! ```text
//! Listener ── serve ──► rest::router ─┐
//!   (TLS, drain)   └──► soap::router ─┼──► dds_router::Handle
//!                      folder::Watch ─┘
//! ```

mod body;
mod caller;
mod context;
pub mod folder;
mod guard;
pub mod multipart;
mod name;
mod options;
pub mod osci;
mod pace;
mod refusal;
pub mod rest;
mod server;
mod share;
pub mod soap;
mod sources;
mod tls;

pub use caller::{Caller, Peer};
pub use context::Context;
pub use dds_depot::AuthorRule;
pub use folder::{FolderOptions, Watch};
pub use options::{HttpLimits, Limits, Options};
pub use pace::Pace;
pub use refusal::Refusal;
pub use server::Listener;
pub use sources::{SourceTable, Sources};
pub use tls::{Tls, TlsError};

/// REST and SOAP together, ready to be served.
pub fn app(context: Context) -> axum::Router {
    app_with(context, axum::Router::new())
}

/// REST, SOAP and `further` routes, which authenticate by themselves (they find the [`Peer`] in the extensions of each
/// request) and stand behind the same guard: limits of the request head, headers of every answer.
pub fn app_with(context: Context, further: axum::Router) -> axum::Router {
    guard::guarded(rest::routes().merge(soap::routes()), further, context)
}
