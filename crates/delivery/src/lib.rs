//! Zustellung: leases what is due, hands it to the adapter of its target, settles the outcome.

mod adapter;

pub use adapter::{Adapter, AttachmentSource, Consignment, Fault, LiveTarget, Receipt, TargetDirectory, TargetPolicy, Verdict};
