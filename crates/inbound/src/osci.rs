//! OSCI-Transport 1.2: the passive recipient, the active recipient and the built-in intermediary.
//!
//! ```text
//! POST /osci ─────────► Intermediary ──► postbox ◄── Collector ──► dds_router::Handle
//! mailbox elsewhere ◄── Fetcher ───────► postbox ◄──────┘             ▲
//! POST /osci/empfang ─► Recipient ─────────────────────────────────────┘
//! ```
//!
//! What is stored at our intermediary for ourselves and what we fetch elsewhere lies durably in the postbox before
//! anybody is told that we have it, and so does what our own sender puts there without an order; the [`Collector`]
//! takes it over into the main path. What an intermediary pushes is answered after the router has accepted it: the
//! partner learns at once why something is refused.

mod collector;
mod content;
mod door;
mod fetcher;
mod gate;
mod intermediary;
mod receipt;
mod recipient;
mod refusal;
mod server;

pub use collector::{Collector, CollectorOptions, OwnMailbox};
pub use fetcher::{Fetched, Fetcher, FetcherOptions};
pub use gate::{Gate, GateOptions};
pub use intermediary::IntermediaryEndpoint;
pub use recipient::RecipientEndpoint;
pub use server::{OsciContext, routes};
