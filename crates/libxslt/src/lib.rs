//! C binding to libxml2 and libxslt with a safe face.
//!
//! Thin and hand-written, because the binding crates that exist crash from safe code and leak (`docs/decisions/0002`).
//! Every operation runs with the same refusals: no DOCTYPE, no entity, no file, no network. Stylesheets come from a
//! given set of files. A run has limits for operations, depth, variables and output; memory and time are bounded by
//! the process around it (`dds-worker`), because libxslt cannot bound them itself.
//!
//! The EXSLT modules registered: common, math, sets, functions, strings, dates and times.

#![allow(
    unsafe_code,
    reason = "libxslt is C; this crate exists to keep that in one place, behind a safe face"
)]
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod document;
mod error;
mod ffi;
mod output;
mod report;
mod schema;
mod stylesheet;

pub use document::{Document, preload_encodings};
pub use error::{Error, ErrorKind};
pub use schema::Schema;
pub use stylesheet::{Limits, Stylesheet, check_xpath};
