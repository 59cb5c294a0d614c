//! The main path: accept → recognise → match → validate → transform → deliveries.

mod handle;

pub use handle::{Acknowledgement, Answer, Begin, DeliveryStatus, Handle, Intake, Status};
