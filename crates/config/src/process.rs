//! `drehscheibe.toml`: the process itself. Not part of a release, because it differs from node to node.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use dds_depot::{CheckFinding, SecretRef, Span};
use dds_message::Code;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{OsciConfig, bounds, place::parse, read::unreadable};

/// Configuration of one process (`config/drehscheibe.toml`). Relative paths count from the folder of that file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProcessConfig {
    /// Name of this node; names its confirmation of a release.
    #[schemars(extend("since" = "0.1.0"))]
    pub node: String,
    /// Folder of the store (messages, payloads, journal). One process at a time.
    #[schemars(extend("since" = "0.1.0"))]
    pub store: PathBuf,
    /// Folder of the built releases (Depotstände).
    #[schemars(extend("since" = "0.1.0"))]
    pub releases: PathBuf,
    /// Folder of the rule and product packages.
    #[schemars(extend("since" = "0.1.0"))]
    pub rules: PathBuf,
    /// Folder with third-party schemas named by `catalogue.toml`; the environment variable DDS_SCHEMAS wins over it.
    #[schemars(extend("since" = "0.1.0"))]
    pub schema_folder: Option<PathBuf>,
    /// Master key (Hauptschlüssel) under which the store stands: `env:NAME` or `file:PATH`, 32 bytes in hex.
    #[schemars(with = "String", extend("since" = "0.1.0"))]
    pub master_key: SecretRef,
    /// Where the process listens.
    #[schemars(extend("since" = "0.1.0"))]
    pub listen: Listen,
    /// Limits on what comes in.
    #[schemars(extend("since" = "0.1.0"))]
    pub limits: LimitConfig,
    /// Worker processes for validation and transformation.
    #[schemars(extend("since" = "0.1.0"))]
    pub worker: WorkerConfig,
    /// Delivery.
    #[schemars(extend("since" = "0.1.0"))]
    pub delivery: DeliveryConfig,
    /// Drop folders (Transferverzeichnisse) of sources.
    #[schemars(extend("since" = "0.1.0"))]
    pub folders: FolderConfig,
    /// Mail relay; without it, mail targets keep waiting (DDS-D001).
    #[schemars(extend("since" = "0.1.0"))]
    pub smtp: Option<SmtpConfig>,
    /// OSCI-Transport 1.2; without it nothing is sent or taken by OSCI.
    #[schemars(extend("since" = "0.2.0"))]
    pub osci: Option<OsciConfig>,
    /// Retention (Aufbewahrung).
    #[schemars(extend("since" = "0.1.0"))]
    pub retention: RetentionConfig,
    /// Logs and traces.
    #[schemars(extend("since" = "0.1.0"))]
    pub telemetry: TelemetryConfig,
}

impl Default for ProcessConfig {
    fn default() -> Self {
        Self {
            node: "node-1".to_owned(),
            store: "../data/store".into(),
            releases: "../data/releases".into(),
            rules: "../rules".into(),
            schema_folder: None,
            master_key: SecretRef::Env("DDS_MASTER_KEY".to_owned()),
            listen: Listen::default(),
            limits: LimitConfig::default(),
            worker: WorkerConfig::default(),
            delivery: DeliveryConfig::default(),
            folders: FolderConfig::default(),
            smtp: None,
            osci: None,
            retention: RetentionConfig::default(),
            telemetry: TelemetryConfig::default(),
        }
    }
}

/// Listeners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Listen {
    /// Address of REST, mailbox and OpenAPI document; port 0 takes a free one.
    #[schemars(extend("since" = "0.1.0"))]
    pub rest: SocketAddr,
    /// Address of the SOAP service; without it SOAP is served on `rest` under `/soap`.
    #[schemars(extend("since" = "0.1.0"))]
    pub soap: Option<SocketAddr>,
    /// Address of `/metrics`, `/live`, `/ready`: plain HTTP, therefore best a loopback or management address.
    #[schemars(extend("since" = "0.1.0"))]
    pub admin: SocketAddr,
    /// Address under which senders reach us, such as `https://drehscheibe.example`; stands in the WSDL. Without it the
    /// WSDL names the `Host` of the request.
    #[schemars(extend("since" = "0.2.0"))]
    pub public_url: Option<String>,
    /// TLS of `rest` and `soap`. Without it both must be loopback addresses.
    #[schemars(extend("since" = "0.1.0"))]
    pub tls: Option<TlsConfig>,
}

impl Default for Listen {
    fn default() -> Self {
        let loopback = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        Self { rest: loopback(8443), soap: None, admin: loopback(9443), public_url: None, tls: None }
    }
}

/// TLS of the listeners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// Certificate chain (PEM), the server's own first.
    #[schemars(extend("since" = "0.1.0"))]
    pub certificate: PathBuf,
    /// Private key (PEM, PKCS #8, SEC 1 or PKCS #1).
    #[schemars(extend("since" = "0.1.0"))]
    pub key: PathBuf,
    /// Certificates (PEM) that may issue client certificates; without it clients show tokens only.
    #[schemars(extend("since" = "0.1.0"))]
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

/// Limits on what comes in; sources may have narrower ones.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitConfig {
    /// Bytes of the main document.
    #[schemars(range(min = 1024, max = 1_073_741_824), extend("since" = "0.1.0"))]
    pub document_bytes: u64,
    /// Bytes of one attachment.
    #[schemars(range(min = 1), extend("since" = "0.1.0"))]
    pub attachment_bytes: u64,
    /// Attachments of one message.
    #[schemars(range(max = 100_000), extend("since" = "0.1.0"))]
    pub attachments: u32,
    /// Bytes of a message with all its attachments.
    #[schemars(range(min = 1024), extend("since" = "0.1.0"))]
    pub message_bytes: u64,
    /// Depth of elements.
    #[schemars(range(min = 10, max = 200), extend("since" = "0.1.0"))]
    pub depth: u32,
    /// Attributes of one element.
    #[schemars(range(min = 8, max = 10_000), extend("since" = "0.1.0"))]
    pub attributes: u32,
    /// Header lines of a request; more are refused with DDS-I015.
    #[schemars(range(min = 16, max = 1_000), extend("since" = "0.1.0"))]
    pub headers: u32,
    /// Submissions by REST and answers received at once; more are refused with DDS-I009. By SOAP it is always 16.
    #[schemars(range(min = 1, max = 100_000), extend("since" = "0.1.0"))]
    pub requests: u32,
    /// Long polls of mailboxes that wait at the same time, of all targets; more are refused with DDS-I009. Of one
    /// target 8 wait (DDS-I016).
    #[schemars(range(min = 1, max = 100_000), extend("since" = "0.2.0"))]
    pub polls: u32,
    /// A transfer that brings nothing for so long is broken off (DDS-I012).
    #[schemars(with = "String", extend("since" = "0.1.0", "least" = "1s", "most" = "1h"))]
    pub idle: Span,
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self {
            document_bytes: 16 << 20,
            attachment_bytes: 1 << 30,
            attachments: 500,
            message_bytes: 4 << 30,
            depth: 100,
            attributes: 256,
            headers: 64,
            requests: 1_024,
            polls: 1_024,
            idle: seconds(30),
        }
    }
}

/// Worker processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkerConfig {
    /// Number of processes; 0 takes one per core.
    #[schemars(range(max = 1_000), extend("since" = "0.1.0"))]
    pub processes: usize,
    /// Memory of each process in bytes.
    #[schemars(range(min = 134_217_728), extend("since" = "0.1.0"))]
    pub memory_bytes: u64,
    /// Time for one message (DDS-W002).
    #[schemars(with = "String", extend("since" = "0.1.0", "least" = "1s", "most" = "1h"))]
    pub timeout: Span,
    /// Bytes one stylesheet may write (DDS-T002).
    #[schemars(range(min = 1024), extend("since" = "0.1.0"))]
    pub output_bytes: u64,
    /// After so many messages a process is replaced by a fresh one.
    #[schemars(range(min = 1), extend("since" = "0.1.0"))]
    pub recycle_after: u64,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        let pool = dds_worker::PoolOptions::default();
        Self {
            processes: 0,
            memory_bytes: pool.memory_bytes,
            timeout: Span(pool.job_time),
            output_bytes: pool.budget.output_bytes as u64,
            recycle_after: pool.jobs_per_process,
        }
    }
}

/// Delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryConfig {
    /// Attempts at the same time over all targets.
    #[schemars(range(min = 1, max = 10_000), extend("since" = "0.1.0"))]
    pub parallel: usize,
    /// Attempts at the same time at one target; `[policy] parallel` of a product or an office can set fewer, not more.
    #[schemars(range(min = 1, max = 10_000), extend("since" = "0.1.0"))]
    pub per_target: usize,
    /// Lease (Abholfrist) of a fetched message.
    #[schemars(with = "String", extend("since" = "0.1.0", "least" = "10s", "most" = "7d"))]
    pub fetch_lease: Span,
    /// At the end of the process, running attempts get so much time.
    #[schemars(with = "String", extend("since" = "0.1.0", "most" = "1h"))]
    pub drain: Span,
    /// Further certificates (PEM) that targets may show.
    #[schemars(extend("since" = "0.1.0"))]
    pub target_ca: Option<PathBuf>,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self { parallel: 64, per_target: 8, fetch_lease: seconds(300), drain: seconds(20), target_ca: None }
    }
}

/// Drop folders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FolderConfig {
    /// Folder below which relative `folder` entries of sources lie; without it drop folders are not read. Neither is
    /// made.
    #[schemars(extend("since" = "0.1.0"))]
    pub inbox: Option<PathBuf>,
    /// How often they are looked at.
    #[schemars(with = "String", extend("since" = "0.1.0", "least" = "1s", "most" = "1d"))]
    pub interval: Span,
    /// `true`: a submission is taken only when its marker (`.fertig`, `.ready`) lies there.
    #[schemars(extend("since" = "0.2.0"))]
    pub marker_required: bool,
    /// What lies in `angenommen/` and `abgelehnt/` is deleted after so long, with its receipt or reason; or `never`.
    #[schemars(with = "String", extend("since" = "0.2.0", "least" = "1h"))]
    pub delete_after: DeleteAfter,
}

/// Löschfrist: a span of time, or `never`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeleteAfter(pub Option<Span>);

impl TryFrom<String> for DeleteAfter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" { Ok(Self(None)) } else { Span::try_from(text).map(|span| Self(Some(span))) }
    }
}

impl From<DeleteAfter> for String {
    fn from(DeleteAfter(after): DeleteAfter) -> Self {
        after.map_or_else(|| "never".to_owned(), Self::from)
    }
}

impl Default for FolderConfig {
    fn default() -> Self {
        Self {
            inbox: None,
            interval: seconds(2),
            marker_required: false,
            delete_after: DeleteAfter(Some(seconds(14 * 86_400))),
        }
    }
}

/// Mail relay.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SmtpConfig {
    /// Host name.
    #[schemars(extend("since" = "0.1.0"))]
    pub host: String,
    /// Port.
    #[schemars(range(min = 1), extend("since" = "0.1.0"))]
    pub port: u16,
    /// Encryption.
    #[schemars(extend("since" = "0.1.0"))]
    #[serde(default)]
    pub tls: SmtpTls,
    /// User, if the relay asks for one.
    #[schemars(extend("since" = "0.1.0"))]
    #[serde(default)]
    pub user: Option<String>,
    /// Password of the user.
    #[schemars(with = "Option<String>", extend("since" = "0.1.0"))]
    #[serde(default)]
    pub secret: Option<SecretRef>,
    /// Sender address (envelope and From).
    #[schemars(extend("since" = "0.1.0"))]
    pub from: String,
    /// Certificates (PEM) that the relay may show, beside those of the system.
    #[schemars(extend("since" = "0.1.0"))]
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Bytes of one mail; larger deliveries become dead letters (DDS-D006).
    #[schemars(range(min = 1024), extend("since" = "0.1.0"))]
    #[serde(default = "mail_bytes")]
    pub max_bytes: u64,
}

/// Encryption towards the mail relay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    /// STARTTLS is required (RFC 3207).
    #[default]
    Starttls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// None; only for a relay on a loopback address.
    None,
}

/// Aufbewahrung.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Payloads are deleted so long after a message is final.
    #[schemars(with = "String", extend("since" = "0.1.0"))]
    pub payload: Span,
    /// Uploads that were never accepted are deleted after so long.
    #[schemars(with = "String", extend("since" = "0.1.0", "least" = "1h"))]
    pub orphan: Span,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { payload: seconds(30 * 86_400), orphan: seconds(86_400) }
    }
}

/// Logs and traces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// Filter in the form of `tracing`: `info`, `info,dds_delivery=debug`.
    #[schemars(extend("since" = "0.1.0"))]
    pub log: String,
    /// `true`: one JSON object per line.
    #[schemars(extend("since" = "0.1.0"))]
    pub json: bool,
    /// Base address of an OpenTelemetry collector (OTLP over HTTP), such as `http://127.0.0.1:4318`, for the spans of
    /// each message's path; without it none are made.
    #[schemars(extend("since" = "0.1.0"))]
    pub otlp_endpoint: Option<String>,
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { log: "info".to_owned(), json: false, otlp_endpoint: None }
    }
}

/// Why a `drehscheibe.toml` is not taken, German and English.
struct Refusal {
    /// The key that is wrong, dotted.
    key: String,
    text: (String, String),
    remedy: (&'static str, &'static str),
}

impl ProcessConfig {
    /// Reads `drehscheibe.toml` and resolves its paths.
    ///
    /// # Errors
    /// DDS-C011 if there is no such file; DDS-C001 with file, line, column and remedy.
    pub fn load(file: &Path) -> Result<Self, CheckFinding> {
        let name = file.display().to_string();
        let bytes = std::fs::read(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                let text = ("diese Datei gibt es nicht", "there is no such file");
                CheckFinding::error(Code::CONFIG_MISSING, &name, text)
            }
            _ => CheckFinding::error(Code::CONFIG_SYNTAX, &name, unreadable(&error)),
        })?;
        let mut config = Self::parse(&name, &bytes)?;
        config.resolve(file.parent().unwrap_or(Path::new("")));
        Ok(config)
    }

    /// Reads the text of a `drehscheibe.toml`; paths stay as they are.
    ///
    /// # Errors
    /// DDS-C001 with file, line, column and remedy.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, CheckFinding> {
        let config: Self = parse(name, bytes, Code::CONFIG_SYNTAX)?;
        let source = String::from_utf8_lossy(bytes);
        bounds::check(name, &source, &Self::schema())?;
        let Some(Refusal { key, text, remedy }) = config.refusal() else { return Ok(config) };
        let place = bounds::place(&source, &key);
        Err(CheckFinding::error(Code::CONFIG_SYNTAX, name, text).at(place).remedy(remedy))
    }

    /// The first thing that each key alone does not show.
    fn refusal(&self) -> Option<Refusal> {
        let rules: [fn(&Self) -> Option<Refusal>; 9] = [
            Self::open_without_tls,
            Self::same_address,
            Self::mail_without_tls,
            Self::unknown_identity,
            Self::malformed_responder,
            Self::no_chunk_fits,
            Self::malformed_collector,
            Self::malformed_filter,
            Self::malformed_node,
        ];
        rules.iter().find_map(|rule| rule(self))
    }

    /// Every listener is on a loopback address, so that only this machine reaches it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let osci = self.osci.as_ref().map(|osci| osci.listen);
        let all = self.served().map(|(_, address)| address).chain([self.listen.admin]).chain(osci);
        all.into_iter().all(|address| address.ip().is_loopback())
    }

    /// Where senders and targets come in over HTTP, with the key that says so.
    fn served(&self) -> impl Iterator<Item = (&'static str, SocketAddr)> {
        let soap = self.listen.soap.map(|address| ("listen.soap", address));
        std::iter::once(("listen.rest", self.listen.rest)).chain(soap)
    }

    fn open_without_tls(&self) -> Option<Refusal> {
        let open = |(_, at): &(&str, SocketAddr)| !at.ip().is_loopback() && self.listen.tls.is_none();
        let (key, address) = self.served().find(open)?;
        Some(Refusal {
            key: key.to_owned(),
            text: (
                format!("{address} würde ohne TLS bedient"),
                format!("{address} would be served without TLS"),
            ),
            remedy: (
                "[listen.tls] mit certificate und key ergänzen oder auf 127.0.0.1 lauschen.",
                "Add [listen.tls] with certificate and key, or listen on 127.0.0.1.",
            ),
        })
    }

    /// Two listeners on one port; an address of all interfaces (0.0.0.0) has that of each.
    fn same_address(&self) -> Option<Refusal> {
        let osci = self.osci.as_ref().map(|osci| ("osci.listen", osci.listen));
        let others = self.served().chain([("listen.admin", self.listen.admin)]).chain(osci);
        let mut taken: Vec<(&str, SocketAddr)> = Vec::new();
        for (key, address) in others {
            let ip = address.ip();
            let same = |(_, other): &&(&str, SocketAddr)| {
                let everywhere = ip.is_unspecified() || other.ip().is_unspecified();
                address.port() != 0 && address.port() == other.port() && (ip == other.ip() || everywhere)
            };
            if let Some((first, _)) = taken.iter().find(same) {
                return Some(Refusal {
                    key: key.to_owned(),
                    text: (
                        format!("{key} und {first} haben dieselbe Adresse ({address})"),
                        format!("{key} and {first} have the same address ({address})"),
                    ),
                    remedy: ("Jedem einen eigenen Port geben.", "Give each a port of its own."),
                });
            }
            taken.push((key, address));
        }
        None
    }

    fn mail_without_tls(&self) -> Option<Refusal> {
        let host = &self.smtp.as_ref().filter(|smtp| smtp.tls == SmtpTls::None)?.host;
        let local = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        (!local).then(|| Refusal {
            key: "smtp.tls".to_owned(),
            text: (
                format!("Mail an {host} ginge ohne TLS hinaus"),
                format!("mail to {host} would go without TLS"),
            ),
            remedy: (
                "tls = \"starttls\" oder \"implicit\" verwenden.",
                "Use tls = \"starttls\" or \"implicit\".",
            ),
        })
    }

    fn unknown_identity(&self) -> Option<Refusal> {
        let (name, key) = self.osci.as_ref()?.unknown_identity()?;
        Some(Refusal {
            text: (
                format!("{key} nennt die Identität {name:?}, die nicht beschrieben ist"),
                format!("{key} names the identity {name:?}, which is not described"),
            ),
            key,
            remedy: (
                "Als [osci.identities.NAME] mit cipher und signature beschreiben.",
                "Describe it as [osci.identities.NAME] with cipher and signature.",
            ),
        })
    }

    fn malformed_responder(&self) -> Option<Refusal> {
        let (number, url) = self.osci.as_ref()?.malformed_responder()?;
        Some(Refusal {
            key: format!("osci.trust.ocsp.{number}.url"),
            text: (
                format!("osci.trust.ocsp: {url:?} ist keine Adresse eines Auskunftsdienstes"),
                format!("osci.trust.ocsp: {url:?} is no address of a responder"),
            ),
            remedy: (
                "http://host/pfad oder https://host/pfad schreiben, ohne Benutzer.",
                "Write http://host/path or https://host/path, without user.",
            ),
        })
    }

    fn no_chunk_fits(&self) -> Option<Refusal> {
        let part = self.osci.as_ref()?.intermediary.as_ref()?;
        let (least, most) = (part.min_chunk_kb, part.max_chunk_kb);
        (least > most).then(|| Refusal {
            key: "osci.intermediary.min_chunk_kb".to_owned(),
            text: (
                format!("min_chunk_kb = {least} ist größer als max_chunk_kb = {most}"),
                format!("min_chunk_kb = {least} is larger than max_chunk_kb = {most}"),
            ),
            remedy: ("Einen der beiden ändern.", "Change one of the two."),
        })
    }

    fn malformed_collector(&self) -> Option<Refusal> {
        let address = self.telemetry.otlp_endpoint.as_ref()?;
        let host = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"));
        let malformed = host.is_none_or(|host| host.is_empty() || host.contains(['@', '?', '#', ' ']));
        malformed.then(|| Refusal {
            key: "telemetry.otlp_endpoint".to_owned(),
            text: (
                "otlp_endpoint ist keine Adresse eines Sammlers".to_owned(),
                "otlp_endpoint is no address of a collector".to_owned(),
            ),
            remedy: (
                "http://host:port oder https://host:port schreiben, ohne Benutzer und Abfrage.",
                "Write http://host:port or https://host:port, without user or query.",
            ),
        })
    }

    fn malformed_filter(&self) -> Option<Refusal> {
        let error = dds_telemetry::check_filter(&self.telemetry.log).err()?;
        Some(Refusal {
            key: "telemetry.log".to_owned(),
            text: (
                format!("telemetry.log ist kein Filter (Meldung: „{error}“)"),
                format!("telemetry.log is no filter: {error}"),
            ),
            remedy: (
                "Etwa \"info\" oder \"info,dds_delivery=debug\" schreiben.",
                "Write something like \"info\" or \"info,dds_delivery=debug\".",
            ),
        })
    }

    fn malformed_node(&self) -> Option<Refusal> {
        let node = &self.node;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let fine = (1..=40).contains(&node.len()) && node.bytes().all(plain);
        (!fine).then(|| Refusal {
            key: "node".to_owned(),
            text: (
                format!(
                    "der Name {node:?} des Knotens besteht nicht aus 1 bis 40 Buchstaben, Ziffern oder -"
                ),
                format!("node name {node:?} is not 1 to 40 letters, digits or -"),
            ),
            remedy: ("Umbenennen.", "Rename it."),
        })
    }

    /// The JSON schema of `drehscheibe.toml`, with `since` on each key.
    #[must_use]
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Self).to_value()
    }

    /// The folder with third-party schemas: DDS_SCHEMAS, else `schema_folder`.
    #[must_use]
    pub fn schemas(&self) -> Option<PathBuf> {
        std::env::var_os("DDS_SCHEMAS").map(PathBuf::from).or_else(|| self.schema_folder.clone())
    }

    fn resolve(&mut self, base: &Path) {
        let mut paths: Vec<&mut PathBuf> = vec![&mut self.store, &mut self.releases, &mut self.rules];
        paths.extend(&mut self.schema_folder);
        paths.extend(&mut self.folders.inbox);
        paths.extend(&mut self.delivery.target_ca);
        if let Some(smtp) = &mut self.smtp {
            paths.extend(&mut smtp.ca);
        }
        if let Some(osci) = &mut self.osci {
            osci.resolve(base);
        }
        if let Some(tls) = &mut self.listen.tls {
            paths.extend([&mut tls.certificate, &mut tls.key]);
            paths.extend(&mut tls.client_ca);
        }
        for path in paths {
            *path = base.join(&*path);
        }
        if let SecretRef::File(path) = &self.master_key {
            self.master_key = SecretRef::File(base.join(path).display().to_string());
        }
    }
}

pub(crate) const fn seconds(number: u64) -> Span {
    Span(std::time::Duration::from_secs(number))
}

const fn mail_bytes() -> u64 {
    25 << 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_sound_configuration_and_it_reads_back() {
        let config = ProcessConfig::parse("drehscheibe.toml", b"").unwrap();
        assert_eq!(config, ProcessConfig::default());
        let text = toml::to_string(&config).unwrap();
        assert_eq!(ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap(), config);
    }

    #[test]
    fn mistakes_are_named_with_place_and_remedy() {
        let finding = |text: &str| ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap_err();
        let unknown = finding("node = \"a\"\n[limits]\nattachment_byte = 1\n");
        assert_eq!((unknown.line, unknown.column), (3, 1));
        assert_eq!(unknown.remedy.english, "Did you mean \"attachment_bytes\"?");
        let open = finding("\n[listen]\nrest = \"0.0.0.0:8443\"\n");
        assert_eq!((open.line, open.column), (3, 8));
        assert!(open.text.english.contains("without TLS"), "{open}");
        assert!(finding("master_key = \"00ff\"\n").text.english.contains("env:NAME"));
        assert!(
            !finding("master_key = \"00ff\"\n").to_string().contains("00ff"),
            "a key must not be repeated"
        );
        let filter = finding("[telemetry]\nlog = \"quatsch[[\"\n");
        assert_eq!(filter.line, 2);
        assert!(filter.text.english.contains("telemetry.log"), "{filter}");
        assert!(
            finding("[smtp]\nhost = \"relay.example\"\nport = 25\nfrom = \"a@b.example\"\ntls = \"none\"\n")
                .text
                .english
                .contains("without TLS")
        );
    }

    #[test]
    fn two_listeners_at_one_address_are_refused() {
        for (text, line) in [
            ("[listen]\nrest = \"127.0.0.1:9443\"\n", 1),
            ("[listen]\nadmin = \"127.0.0.1:8443\"\n", 2),
            ("[listen]\nadmin = \"0.0.0.0:8443\"\n", 2),
            ("[osci]\nlisten = \"[::]:9443\"\n", 2),
            ("[listen]\nsoap = \"127.0.0.1:8443\"\n", 2),
        ] {
            let finding = ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap_err();
            assert!(finding.text.english.contains("same address"), "{finding}");
            assert_eq!(finding.line, line, "{finding}");
        }
        let free = "[listen]\nrest = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n";
        ProcessConfig::parse("drehscheibe.toml", free.as_bytes()).unwrap();
    }

    #[test]
    fn every_key_says_since_when() {
        fn walk(value: &serde_json::Value, missing: &mut Vec<String>) {
            if let Some(properties) = value.get("properties").and_then(|value| value.as_object()) {
                for (key, property) in properties {
                    if property.get("since").is_none() || property.get("description").is_none() {
                        missing.push(key.clone());
                    }
                }
            }
            if let Some(object) = value.as_object() {
                object.values().for_each(|inner| walk(inner, missing));
            }
        }
        let mut missing = Vec::new();
        walk(&ProcessConfig::schema(), &mut missing);
        assert!(missing.is_empty(), "keys without since or description: {missing:?}");
    }
}
