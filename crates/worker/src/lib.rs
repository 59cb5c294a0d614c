//! Worker processes: where rules meet messages.
//!
//! Stylesheets, schemas and messages are foreign, and libxslt is memory-unsafe C that cannot bound its memory. So they
//! meet in long-lived processes of the same binary that can do nothing but compute: no file, no socket, no process, a
//! fixed amount of memory ([`sandbox`]). The service talks to them through a socket pair ([`Pool`]). A process that
//! dies or hangs costs the message at hand one retry, then that message ends as DDS-W001 or DDS-W002; the service and
//! all other messages go on (invariant I11).
//!
//! The binary calls [`child::run`] for its hidden subcommand `worker`.

pub mod child;
mod engine;
mod frame;
#[cfg(feature = "fuzz")]
pub mod fuzz;
mod job;
mod pool;
mod process;
#[allow(unsafe_code, reason = "resource limits, prctl and close_range have no safe face in std")]
pub mod sandbox;
mod slot;
mod spawner;

pub use job::{Bundle, CompileError, Job, JobError, JobResult, StageTimes, TargetJob};
pub use pool::{Pool, PoolOptions, ProcessStatus};
