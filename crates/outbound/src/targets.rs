//! The targets of the active release, ready to use.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use async_trait::async_trait;
use dds_delivery::{Adapter, Consignment, LiveTarget, TargetDirectory, TargetPolicy, Verdict};
use dds_depot::{
    AdapterKind, AttachmentForm, Authentication, FolderLayout, InForce, Maintenance, Policy, PushMethod,
    Release, SoapVersion, Target,
};
use dds_message::{Code, ReleaseId, TargetId};
use dds_soap::Version;
use http::Method;
use parking_lot::RwLock;
use reqwest::{Client, Url};
use rustls::ClientConfig;

use crate::{
    Error, MailRelay, OsciSender, TlsOptions,
    credential::Credential,
    fault::{temporary, too_large},
    folder::{Folder, Layout},
    http::{Endpoint, client},
    mail::Mail,
    osci::{Flaw, Osci},
    rest::{Form, Rest},
    soap::Soap,
    tls::client_config,
};

/// What is the same for all targets.
#[derive(Debug, Clone)]
pub struct Options {
    /// Trust and certificate of ours.
    pub tls: TlsOptions,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence of a target that is pushed to: between two pieces of the body that it takes, and between two of
    /// its answer. How long all of it may take, and what the target does between the two, is bounded by its
    /// `attempt_timeout`.
    pub silence: Duration,
    /// Relay for mail; `None`: mail targets wait (DDS-D007).
    pub mail: Option<MailRelay>,
    /// Our OSCI identity; `None`: OSCI targets wait (DDS-D007).
    pub osci: Option<OsciSender>,
    /// Relative drop folders begin here: the folder of `drehscheibe.toml`.
    pub base: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: TlsOptions::default(),
            connect_timeout: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            mail: None,
            osci: None,
            base: PathBuf::from("."),
        }
    }
}

/// Zielverzeichnis: one adapter per target of the active release, made when it is first needed. Cheap to clone.
#[derive(Clone)]
pub struct Targets(Arc<Inner>);

struct Inner {
    options: Options,
    client: Client,
    tls: Arc<ClientConfig>,
    mail: Option<Arc<MailRelay>>,
    in_force: InForce,
    made: ArcSwap<Made>,
}

/// The targets made of a release so far.
struct Made {
    of: ReleaseId,
    live: RwLock<HashMap<TargetId, Arc<LiveTarget>>>,
}

impl Targets {
    /// The targets of the release in force. Attempts under way when it is switched end with the target they began with.
    ///
    /// # Errors
    /// [`Error::Certificates`] (DDS-C001) if a certificate or key of the options cannot be used.
    pub fn new(options: Options, in_force: impl Into<InForce>) -> Result<Self, Error> {
        let tls = client_config(&options.tls)?;
        let client = client(tls.clone(), options.connect_timeout)?;
        let mail = options.mail.clone().map(Arc::new);
        let in_force = in_force.into();
        let made = ArcSwap::from_pointee(Made::of(in_force.get().id()));
        Ok(Self(Arc::new(Inner { options, client, tls: Arc::new(tls), mail, in_force, made })))
    }

    /// The release in force.
    #[must_use]
    pub fn release(&self) -> Release {
        self.0.in_force.get()
    }
}

impl TargetDirectory for Targets {
    fn lookup(&self, target: &TargetId) -> Option<Arc<LiveTarget>> {
        let release = self.0.in_force.get();
        let made = self.0.made_of(release.id());
        if let Some(live) = made.live.read().get(target) {
            return Some(Arc::clone(live));
        }
        let found = release.target(target)?;
        let live = Arc::new(LiveTarget {
            host: self.0.host(&found),
            policy: policy(&found),
            adapter: self.0.adapter(found),
        });
        Some(Arc::clone(made.live.write().entry(target.clone()).or_insert(live)))
    }
}

impl Made {
    fn of(release: ReleaseId) -> Self {
        Self { of: release, live: RwLock::new(HashMap::new()) }
    }
}

impl Inner {
    /// What was made of `release`; with another release it begins anew.
    fn made_of(&self, release: ReleaseId) -> Arc<Made> {
        let made = self.made.load_full();
        if made.of == release {
            return made;
        }
        let made = Arc::new(Made::of(release));
        self.made.store(Arc::clone(&made));
        made
    }

    /// Whom an attempt talks to: targets of one host hang together. A drop folder stands for itself.
    fn host(&self, target: &Target) -> Arc<str> {
        let of = |address: String| Some(Url::parse(&address).ok()?.host_str()?.to_owned());
        let host = match target.adapter {
            AdapterKind::Rest | AdapterKind::Soap => target.url().and_then(of),
            AdapterKind::Osci => target.osci.as_ref().and_then(|way| of(way.intermediary.clone())),
            AdapterKind::Mail => self.mail.as_ref().map(|relay| relay.host.clone()),
            AdapterKind::Folder | AdapterKind::Mailbox => None,
        };
        host.map_or_else(|| target.id.as_str().into(), Arc::from)
    }

    fn adapter(&self, target: Target) -> Arc<dyn Adapter> {
        let limit = target.max_attachment_bytes;
        let inner = self.way(target).unwrap_or_else(|missing| Arc::new(missing));
        match limit {
            Some(bytes) => Arc::new(Limited { bytes, inner }),
            None => inner,
        }
    }

    /// The adapter, or what is missing for it.
    fn way(&self, target: Target) -> Result<Arc<dyn Adapter>, Unusable> {
        let options = &target.options;
        Ok(match target.adapter {
            AdapterKind::Rest => {
                let form = match options.attachments {
                    Some(AttachmentForm::Multipart) => Form::Multipart,
                    Some(AttachmentForm::None) => Form::Document,
                    // The ways of other adapters: the check of the release has named them.
                    None | Some(AttachmentForm::Base64 | AttachmentForm::Files | AttachmentForm::Mime) => {
                        Form::AsNeeded
                    }
                };
                Arc::new(Rest {
                    endpoint: self.endpoint(&target)?,
                    method: match options.method {
                        None | Some(PushMethod::Post) => Method::POST,
                        Some(PushMethod::Put) => Method::PUT,
                    },
                    form,
                    document_part: options.document_part.clone(),
                })
            }
            AdapterKind::Soap => Arc::new(Soap {
                endpoint: self.endpoint(&target)?,
                version: match options.soap_version {
                    None | Some(SoapVersion::V11) => Version::V11,
                    Some(SoapVersion::V12) => Version::V12,
                },
                action: options.soap_action.clone().unwrap_or_default(),
                attachments: options.attachments != Some(AttachmentForm::None),
            }),
            AdapterKind::Folder => Arc::new(Folder {
                folder: self
                    .options
                    .base
                    .join(target.folder.as_deref().ok_or(("es hat keinen Ordner", "it has no folder"))?),
                layout: match options.layout {
                    None | Some(FolderLayout::FolderPerCase) => Layout::Folder,
                    Some(FolderLayout::Container) => Layout::Container,
                },
            }),
            AdapterKind::Mail => Arc::new(Mail {
                relay: Arc::clone(
                    self.mail
                        .as_ref()
                        .ok_or(("kein Mailserver ist konfiguriert", "no mail relay is configured"))?,
                ),
                tls: Arc::clone(&self.tls),
                to: target.mail.clone().ok_or(("es hat keine Mailadresse", "it has no mail address"))?,
                subject: options.subject.clone(),
            }),
            AdapterKind::Mailbox => {
                return Err(("es holt ab, gesandt wird nichts", "it fetches, nothing is pushed").into());
            }
            AdapterKind::Osci => {
                let sender = self.options.osci.clone().ok_or((
                    "keine OSCI-Identität zum Senden ist konfiguriert",
                    "no OSCI sender identity is configured",
                ))?;
                Arc::new(Osci::new(
                    sender,
                    target.osci.as_ref().ok_or(("es hat keinen OSCI-Weg", "it has no OSCI way"))?,
                )?)
            }
        })
    }

    fn endpoint(&self, target: &Target) -> Result<Endpoint, Words> {
        let url = target.url().ok_or(("es hat keine Adresse", "it has no endpoint"))?;
        let url =
            Url::parse(&url).map_err(|_| ("seine Adresse ist fehlerhaft", "its endpoint is malformed"))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err((
                "seine Adresse ist weder http noch https",
                "its endpoint is neither http nor https",
            ));
        }
        let shows = target.options.authentication != Some(Authentication::None);
        let credential = target.secret.clone().filter(|_| shows).map(Credential);
        Ok(Endpoint { client: self.client.clone(), url, credential, silence: self.options.silence })
    }
}

/// A target that lacks something in the configuration. Its deliveries wait: a corrected release mends it.
struct Unusable {
    code: Code,
    what: Words,
}

/// What is lacking: German, English.
type Words = (&'static str, &'static str);

impl From<Words> for Unusable {
    fn from(what: Words) -> Self {
        Self { code: Code::TARGET_UNKNOWN, what }
    }
}

impl From<Flaw> for Unusable {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Certificate(what) => Self { code: Code::OSCI_CERTIFICATE, what },
            Flaw::Value(what) => what.into(),
        }
    }
}

#[async_trait]
impl Adapter for Unusable {
    async fn deliver(&self, _: &Consignment) -> Verdict {
        let (german, english) = self.what;
        let text =
            (format!("das Ziel ist nicht benutzbar: {german}"), format!("target cannot be used: {english}"));
        temporary(self.code, text)
    }
}

/// A target that takes so many bytes of attachments.
struct Limited {
    bytes: u64,
    inner: Arc<dyn Adapter>,
}

#[async_trait]
impl Adapter for Limited {
    async fn deliver(&self, consignment: &Consignment) -> Verdict {
        let bytes: u64 = consignment.attachments.iter().map(|source| source.describe().size).sum();
        if let Some(fault) = too_large(bytes, self.bytes) {
            return Verdict::Permanent(fault);
        }
        self.inner.deliver(consignment).await
    }
}

fn policy(target: &Target) -> TargetPolicy {
    let base = TargetPolicy::default();
    let Policy { parallel, retry, attempt_timeout, breaker_faults, breaker_pause, maintenance } =
        target.policy.clone();
    TargetPolicy {
        parallel: parallel.unwrap_or(base.parallel),
        deduplicates: target.deduplicates,
        retry: retry.map_or(base.retry, |waits| waits.into_iter().map(|wait| wait.0).collect()),
        attempt_timeout: attempt_timeout.map_or(base.attempt_timeout, |limit| limit.0),
        breaker: (
            breaker_faults.unwrap_or(base.breaker.0),
            breaker_pause.map_or(base.breaker.1, |pause| pause.0),
        ),
        maintenance: maintenance.map(|Maintenance(from, to)| (from, to)),
    }
}
