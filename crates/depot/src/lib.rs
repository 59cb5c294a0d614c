//! The depot (Regeldepot): rule packages, product packages, municipalities and sources, built into one immutable
//! [`Release`] that answers every question of routing by look-up and says why.
//!
//! Nothing here does I/O or reads a clock (invariant I1): files come in as bytes, the day as an argument. `dds-config`
//! reads the folders. Start at [`Release`], then [`Release::recognise`] and [`Release::decide`].

mod addressee;
mod areas;
mod bundle;
mod cases;
mod catalogue;
mod check;
mod coverage;
mod decide;
mod diff;
mod directory;
mod finding;
mod in_force;
mod index;
mod keys;
mod municipality;
mod names;
mod osci;
mod packages;
mod product;
mod public;
mod recognise;
mod references;
mod release;
mod rule;
mod source;
mod sources;
mod target;
mod text;
mod values;
mod windows;

pub use bundle::{BundleParts, Checks};
pub use cases::{Case, Expected};
pub use catalogue::{Catalogue, SchemaFile, SchemaSet};
pub use coverage::{CoverageRow, Gap};
pub use decide::{CANONICAL_SCHEMA, Decision, Plan, PlannedDelivery};
pub use diff::{Changes, ReleaseDiff, RouteChange, diff};
pub use directory::Authority;
pub use finding::CheckFinding;
pub use in_force::InForce;
pub use index::Recognised;
pub use municipality::{Defaults, Municipality, Office, Profile};
pub use osci::{OsciMode, OsciWay};
pub use product::{
    AdapterKind, AttachmentForm, Authentication, FolderLayout, Maintenance, Options, Policy, ProductKind,
    ProductLimits, ProductPackage, PushMethod, SoapVersion,
};
pub use release::{COMPILED, Contents, Filed, Files, Release, release_id};
pub use rule::{Day, Keys, Level, MessageRule, Order, RulePackage};
pub use source::{Allow, Answers, AuthorRule, SecretRef, Source, SourceLimits};
pub use target::Target;
pub use text::{Span, locate, nearest, position};
