//! The receiving roles of OSCI over real sockets, with a router in memory behind them: whatever breaks or dies on the
//! way, each application ends in the main path exactly once.
//!
//! A process that dies is a role whose future is dropped where it stands; the next one is a new role on the same
//! folder.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, also in its helpers"
)]

mod chunked;
mod collecting;
mod content;
mod fetching;
mod former;
mod gate;
mod mediating;
mod receiving;
#[path = "../channels/support.rs"]
mod support;
mod token;
mod unreadable;
mod wire;
mod world;
