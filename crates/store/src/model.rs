//! What goes into the store and comes out of it.

mod delivery;
mod entry;
mod message;

pub use delivery::*;
pub use entry::*;
pub use message::*;
