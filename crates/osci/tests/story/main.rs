//! Client, intermediary and passive recipient against each other in memory, signed and encrypted: the cases H and N of
//! the list of interoperability, by their numbers.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests fail loudly"
)]

mod broken;
mod chunks;
mod deposit;
mod fetchable;
mod happy;
mod lost;
mod mailbox;
mod push;
mod refused;
mod unsigned;
mod world;
