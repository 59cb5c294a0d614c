//! Stylesheets of the rule depot: compiled once, run under a budget.
//!
//! The depot promises XSLT 1.0 and a listed subset of EXSLT, and nothing else: libxslt would run a later version in
//! its forwards-compatible mode and silently drop what it does not know, so a stylesheet that could be misunderstood is
//! refused when it is compiled, with file, line and column ([`Stylesheet::compile`]).
//!
//! Nothing here does I/O (invariant I1). What a stylesheet may not do at run time ends as [`TransformError`] on the
//! message at hand (invariant I11); memory and time are bounded by the process around it (`dds-worker`).

mod check;
mod error;
mod expression;
mod stylesheet;

pub use error::TransformError;
pub use stylesheet::{Budget, Document, Output, OwnSchema, Stylesheet};

pub use dds_libxslt::preload_encodings;
