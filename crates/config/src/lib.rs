//! Configuration: reads `config/` and `rules/`, builds, checks, proves and stores releases (Depotstände).
//!
//! [`ProcessConfig`] is the process itself. A release goes [`read_release`] → [`prove`] ([`build_release`] does both) →
//! [`ReleaseStore`].

mod bounds;
mod build;
mod certificate;
mod osci;
mod parts;
mod place;
mod process;
mod prove;
mod read;
pub mod saxony;
mod secret;
mod store;

pub use build::build_release;
pub use certificate::{certificate_end, check_certificates, check_end, check_file};
pub use osci::{
    OsciConfig, OsciFetch, OsciIdentity, OsciIntermediary, OsciKey, OsciLegacy, OsciRecipient, OsciResponder,
    OsciRevocation, OsciSignature, OsciTrust,
};
pub use process::{
    DeleteAfter, DeliveryConfig, FolderConfig, LimitConfig, Listen, ProcessConfig, RetentionConfig,
    SmtpConfig, SmtpTls, TelemetryConfig, TlsConfig, WorkerConfig,
};
pub use prove::{CaseOutcome, CaseResult, ProofReport, bundle, compile, prove, update};
pub use read::{BuildError, SourcePaths, left_out, missing_schemas, read_contents, read_release};
pub use secret::{check_master_key, read_secret};
pub use store::{Hold, Pruning, ReleaseStore, StoredRelease};
