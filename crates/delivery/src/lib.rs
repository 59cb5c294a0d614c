//! Zustellung: leases what is due, hands it to the adapter of its target, settles the outcome.
//!
//! [`Scheduler::run`] runs until told to stop. What is leased and not settled when the process dies returns by
//! itself; what a target got twice carries the same delivery id both times.

mod adapter;
mod attempt;
mod breaker;
mod places;
mod retry;
mod scheduler;
mod settle;

pub use adapter::{
    Adapter, AttachmentSource, Consignment, Fault, LiveTarget, Receipt, TargetDirectory, TargetPolicy,
    Verdict,
};
pub use attempt::StoredFile;
pub use scheduler::{Options, Parts, Scheduler};
pub use settle::{Ending, settle};
