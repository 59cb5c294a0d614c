//! The command line. English texts are here, their German twins in `german.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// Routes applications of citizens and companies to Fachverfahren and DMS, durably and explainably.
#[derive(Debug, Parser)]
#[command(name = "drehscheibe", version, propagate_version = true)]
pub(crate) struct Cli {
    /// Print results as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Language of help and results: de or en; otherwise taken from LANG
    #[arg(long, global = true, value_name = "LANGUAGE", value_parser = ["de", "en"], hide_possible_values = true)]
    pub(crate) language: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the router
    Serve(Serve),
    /// Watch real messages travel through the whole system, with simulated portal, Fachverfahren, DMS and mail
    Demo(Demo),
    /// Check rules and configuration: overlaps, gaps, unknown references, expiring certificates
    Check(Check),
    /// Build, compare, activate, list and remove releases of the rule depot
    Depot {
        #[command(subcommand)]
        command: Depot,
    },
    /// Tell the story of a message from the journal
    Explain(Explain),
    /// Route stored messages or fixtures against another release and show what would differ
    Replay(Replay),
    /// Send a message to a running router
    Send(Send),
    /// Verify, export and search the journal
    Journal {
        #[command(subcommand)]
        command: Journal,
    },
    /// Deliver again, redirect, settle, release or end what waits for a person
    Deliver {
        #[command(subcommand)]
        command: Deliver,
    },
    /// Run a benchmark scenario
    Bench(Bench),
    /// Ask a running router whether it is ready
    Health(Health),
    /// Look into OSCI messages, and end what waits for a person
    Osci {
        #[command(subcommand)]
        command: Osci,
    },
    /// Print the JSON schema of drehscheibe.toml
    Schema,
    /// Make a master key and print it as 64 hex digits
    Key {
        #[command(subcommand)]
        command: Option<Key>,
    },
    /// Write the example configuration of all Saxon municipalities
    Saxony(Saxony),
    /// A worker process; started by the router itself
    #[command(hide = true)]
    Worker,
}

/// The drehscheibe.toml of a command that names none.
pub(crate) const DEFAULT_CONFIG: &str = "config/drehscheibe.toml";

/// Where rules and configuration lie.
#[derive(Debug, Clone, Args)]
pub(crate) struct Sources {
    /// Folder with rule and product packages
    #[arg(long, default_value = "rules", value_name = "FOLDER")]
    pub(crate) rules: PathBuf,
    /// Folder with sources, profiles and municipalities
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config_dir: PathBuf,
    /// Folder with third-party schemas named by config/catalogue.toml
    #[arg(long, env = "DDS_SCHEMAS", value_name = "FOLDER")]
    pub(crate) schemas: Option<PathBuf>,
}

/// Which running or stopped router is meant.
#[derive(Debug, Clone, Args)]
pub(crate) struct Settings {
    /// The router's drehscheibe.toml
    #[arg(long, short, env = "DDS_CONFIG", default_value = DEFAULT_CONFIG, value_name = "FILE")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Build and activate a new release whenever a file of rules or configuration changes (development)
    #[arg(long)]
    pub(crate) watch: bool,
    /// Begin with an empty store where the old one is lost; what is left of it is set aside
    #[arg(long)]
    pub(crate) new_store: bool,
    /// End in order when standard input is closed; for a parent that may be killed
    #[arg(long, hide = true)]
    pub(crate) attended: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// How many messages to send
    #[arg(long, default_value_t = 70, value_name = "N")]
    pub(crate) messages: u64,
    /// Write the result as JSON to this file, then end
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Kill the router (kill -9) so many times under load and start it again
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) kills: u64,
    /// Stay up afterwards and name the addresses to look at
    #[arg(long)]
    pub(crate) stay: bool,
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Folder with fixture messages
    #[arg(long, default_value = "fixtures", value_name = "FOLDER")]
    pub(crate) fixtures: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Run the cases of all rule and product packages
    #[arg(long)]
    pub(crate) cases: bool,
    /// Rewrite the expectations of the cases with what comes out now
    #[arg(long, requires = "cases")]
    pub(crate) update: bool,
    /// Print the coverage map: procedure, authority, rule, product, case
    #[arg(long)]
    pub(crate) coverage: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Depot {
    /// Build a release from rules and configuration, prove it and store it
    Build(DepotBuild),
    /// Show what differs between two releases; without any, between the active one and rules and configuration as they
    /// are
    Diff(DepotDiff),
    /// List the files of a release with their digests, or print one of them
    Show(DepotShow),
    /// Switch the running router to a release and wait for its confirmation
    Activate(DepotActivate),
    /// List stored releases
    List(Settings),
    /// Remove releases that were never in force and that no message names
    Prune(DepotPrune),
}

#[derive(Debug, Args)]
pub(crate) struct DepotPrune {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// So many of the newest stay in any case
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: u32,
    /// Only say what would be removed
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DepotBuild {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

#[derive(Debug, Args)]
pub(crate) struct DepotDiff {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Release before, at least the first digits of its id; without it the active one
    pub(crate) before: Option<String>,
    /// Release after; without it, rules and configuration as they are now
    pub(crate) after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DepotShow {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Release, at least the first digits of its id
    pub(crate) release: String,
    /// File to print, as the journal names it
    pub(crate) path: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DepotActivate {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Release to activate; without it, rules and configuration are built first
    pub(crate) release: Option<String>,
    /// While no router runs: in force from its next start
    #[arg(long)]
    pub(crate) offline: bool,
    /// Also a release that lacks targets for which deliveries wait
    #[arg(long)]
    pub(crate) force: bool,
    /// Wait so many seconds for the confirmation
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Message id
    pub(crate) id: String,
    /// Show digests in full length
    #[arg(long)]
    pub(crate) full: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Folder with rule and product packages, instead of the one drehscheibe.toml names
    #[arg(long, value_name = "FOLDER")]
    pub(crate) rules: Option<PathBuf>,
    /// Folder with sources, profiles and municipalities, instead of that of drehscheibe.toml
    #[arg(long, value_name = "FOLDER")]
    pub(crate) config_dir: Option<PathBuf>,
    /// Folder with third-party schemas, instead of the one drehscheibe.toml names
    #[arg(long, env = "DDS_SCHEMAS", value_name = "FOLDER")]
    pub(crate) schemas: Option<PathBuf>,
    /// Folder with fixture messages; without it, the stored messages of the router
    #[arg(long, value_name = "FOLDER")]
    pub(crate) fixtures: Option<PathBuf>,
    /// Compare with this stored release instead of the active one
    #[arg(long, value_name = "RELEASE")]
    pub(crate) before: Option<String>,
    /// Route against this stored release; without it, against rules and configuration as they are now
    #[arg(long, value_name = "RELEASE")]
    pub(crate) release: Option<String>,
    /// At most so many messages, newest first
    #[arg(long, default_value_t = 1_000, value_name = "N")]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// Address of the router, such as https://127.0.0.1:8443
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// Environment variable that holds the token of the source; otherwise DDS_TOKEN, and none with --cert
    #[arg(long, value_name = "NAME")]
    pub(crate) token_env: Option<String>,
    /// Client certificate of the source (PEM, with its chain)
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    pub(crate) cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) cert_key: Option<PathBuf>,
    /// Trust this certificate authority (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Idempotency key; otherwise made of the content
    #[arg(long, value_name = "KEY")]
    pub(crate) key: Option<String>,
    /// Document (XML or JSON)
    pub(crate) document: PathBuf,
    /// Attachments
    pub(crate) attachments: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
#[allow(
    clippy::large_enum_variant,
    reason = "read once at start; boxes would only make the commands harder to read"
)]
pub(crate) enum Journal {
    /// Recompute the hash chain, compare messages and deliveries with it, and print its newest entry
    Verify(JournalVerify),
    /// Write entries as JSON lines
    Export(JournalExport),
    /// Find entries
    Search(JournalSearch),
}

#[derive(Debug, Args)]
pub(crate) struct JournalVerify {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// First entry
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) from: i64,
    /// Last entry
    #[arg(long, value_name = "NUMBER")]
    pub(crate) to: Option<i64>,
    /// Entry and hash as an earlier run printed them: whether the journal still contains exactly that
    #[arg(long, value_name = "NUMBER:HASH")]
    pub(crate) anchor: Option<String>,
    /// Also open every payload, with the master key; do so after a restore
    #[arg(long, conflicts_with_all = ["from", "to"])]
    pub(crate) payloads: bool,
    /// Verify this export instead, without store and configuration
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "payloads"])]
    pub(crate) file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JournalExport {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// First entry
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) from: i64,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct JournalSearch {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// From this moment on (RFC 3339); otherwise the last 30 days
    #[arg(long)]
    pub(crate) from: Option<String>,
    /// Before this moment (RFC 3339)
    #[arg(long)]
    pub(crate) to: Option<String>,
    /// Case reference
    #[arg(long)]
    pub(crate) case: Option<String>,
    /// Source
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Procedure
    #[arg(long)]
    pub(crate) procedure: Option<String>,
    /// Authority
    #[arg(long)]
    pub(crate) authority: Option<String>,
    /// Target
    #[arg(long)]
    pub(crate) target: Option<String>,
    /// State
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Error code
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// Event
    #[arg(long)]
    pub(crate) event: Option<String>,
    /// At most so many entries
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Deliver {
    /// Deliver again under the same id
    Again(DeliverOne),
    /// Send to another target instead
    Redirect(DeliverRedirect),
    /// Settle as delivered, after the target confirmed it
    Settle(DeliverOne),
    /// Call off a delivery that nobody shall get
    Cancel(DeliverOne),
    /// Give a parked message back to routing
    Release(DeliverOne),
    /// Reject a parked message that shall not be delivered
    Reject(DeliverReject),
}

#[derive(Debug, Args)]
pub(crate) struct DeliverOne {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Id of the delivery (release: of the message)
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct DeliverRedirect {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Id of the delivery
    pub(crate) id: String,
    /// Target: ARS/OFFICE/PRODUCT
    pub(crate) to: String,
    /// Also to an office that does not handle the procedure, or not for that municipality
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DeliverReject {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Id of the message
    pub(crate) id: String,
    /// Why, in words for its sender; sealed like the message, not in the journal
    #[arg(long)]
    pub(crate) reason: String,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// D, B, X, V, S, Q, A, R or J
    pub(crate) scenario: String,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Messages (J: entries); each scenario has its own default
    #[arg(long, value_name = "N")]
    pub(crate) messages: Option<u64>,
    /// Clients side by side
    #[arg(long, default_value_t = 64, value_name = "N")]
    pub(crate) clients: usize,
    /// X, V: so many messages per second at fixed moments, from which latency counts; without it each client sends its
    /// next message when it has the answer to the one before
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<f64>,
    /// Stylesheets per message: 1, the rule's, and the product takes the Vorgang as it is; 2, the product's as well
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) stylesheets: u8,
    #[command(flatten)]
    pub(crate) sources: Sources,
    /// Folder with fixture messages
    #[arg(long, default_value = "fixtures", value_name = "FOLDER")]
    pub(crate) fixtures: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// Address of the operations listener; without it that of the configuration, or its default
    #[arg(long, env = "DDS_ADMIN", value_name = "URL")]
    pub(crate) admin: Option<String>,
    /// The router's drehscheibe.toml
    #[arg(long, short, env = "DDS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Saxony {
    /// Folder to write profiles and municipalities into
    #[arg(default_value = "config", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Replace also municipalities that were written or edited by hand
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Osci {
    /// Tell everything about a stored message: roles, feedback, process cards, every signature and digest
    Inspect(OsciInspect),
    /// List, retry or drop deliveries in mailboxes of our own that cannot be taken over
    Aside {
        #[command(subcommand)]
        command: Aside,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Put the store of a stopped router under another master key
    Change(KeyChange),
}

#[derive(Debug, Args)]
pub(crate) struct KeyChange {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// Where the new key is found: env:NAME or file:PATH
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) to: String,
    /// Where the present one is found; otherwise where the configuration says
    #[arg(long, value_name = "REFERENCE")]
    pub(crate) from: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Aside {
    /// List them: MessageId, code, since when, when again, originator
    List(Settings),
    /// Try one again now, those of one originator, or all of them
    Retry(AsideRetry),
    /// Give one up, or those of one originator: nobody tries it again, and its process card never shows a reception
    Drop(AsideDrop),
}

#[derive(Debug, Args)]
pub(crate) struct AsideRetry {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// MessageId; without it all
    #[arg(conflicts_with = "originator")]
    pub(crate) id: Option<String>,
    /// All of one originator: SHA-256 of his certificate, as the list shows it
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) originator: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AsideDrop {
    #[command(flatten)]
    pub(crate) settings: Settings,
    /// MessageId
    #[arg(required_unless_present = "originator", conflicts_with = "originator")]
    pub(crate) id: Option<String>,
    /// All of one originator: SHA-256 of his certificate, as the list shows it
    #[arg(long, value_name = "FINGERPRINT")]
    pub(crate) originator: Option<String>,
}

/// Exit code: 0 readable and nothing invalid, 1 something invalid, 2 unreadable.
#[derive(Debug, Args)]
pub(crate) struct OsciInspect {
    /// Stored HTTP body, plain or encrypted
    pub(crate) file: PathBuf,
    /// Folder with cipher keys: PKCS #12, or PEM (key and certificate)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) keys: Option<PathBuf>,
    /// PIN of the PKCS #12 files; others on this machine can see it, so better use --pin-env
    #[arg(long, value_name = "PIN", conflicts_with = "pin_env")]
    pub(crate) pin: Option<String>,
    /// Environment variable that holds the PIN
    #[arg(long, value_name = "NAME")]
    pub(crate) pin_env: Option<String>,
    /// Without effect: old algorithms are always read, and named as findings
    #[arg(long, hide = true)]
    pub(crate) legacy: bool,
}
