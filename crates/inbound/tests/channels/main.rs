//! The channels over real sockets and folders, with a router in memory behind them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking, also in its helpers"
)]

mod folder;
mod multipart;
mod rest;
mod soap;
mod support;
mod tls;
mod wire;
mod zeep;
