//! Puts the parts of OSCI together: keys, trust, postbox, courier, and what listens and fetches.

mod judge;
mod refresh;
mod signing;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dds_config::{OsciConfig, OsciIdentity, OsciKey, OsciLegacy, OsciRevocation, ProcessConfig, read_secret};
use dds_courier::{Courier, Desk, Identity, OwnIntermediary, Patience, Responder, Timeouts, Trust};
use dds_inbound::{
    Limits, Sources,
    osci::{
        Collector, CollectorOptions, Fetcher, FetcherOptions, Gate, GateOptions, IntermediaryEndpoint,
        OsciContext, OwnMailbox, RecipientEndpoint,
    },
};
use dds_message::{Clock, Code};
use dds_osci::{
    algorithm::CryptoPolicy,
    certificate::Certificate,
    client::Client,
    intake::{EnvelopeMemory, IntakeConfig},
    intermediary::{Intermediary, Rules},
    keys::{Decrypter, KeyError, Signer, SoftwareKey},
    recipient::Recipient,
    trust::{RevocationDemand, RevocationList, Severity, TrustPolicy},
};
use dds_outbound::OsciSender;
use dds_pkcs11::{KeyLocation, Module};
use dds_postbox::Postbox;
use dds_router::Handle;
use dds_telemetry::Telemetry;
use jiff::SignedDuration;
use rustls::ClientConfig;
use tokio::sync::Notify;

pub(crate) use judge::{judge, lists, ways};
pub(crate) use refresh::Refresher;

use self::refresh::Stand;
use crate::Failure;

/// Without an intermediary of our own, and its `keep`: as by default there.
const KEEP: Duration = Duration::from_secs(30 * 86_400);

/// What the rest of the node gives to OSCI.
pub(crate) struct Around {
    pub(crate) handle: Arc<dyn Handle>,
    pub(crate) sources: Arc<dyn Sources>,
    pub(crate) limits: Limits,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) telemetry: Telemetry,
}

/// What the files hold that `[osci]` names. Read before anything is opened or made: a first start that cannot use them
/// leaves nothing behind.
pub(crate) struct Keys {
    config: OsciConfig,
    policy: CryptoPolicy,
    trust: TrustPolicy,
    responders: Vec<Responder>,
    identities: BTreeMap<String, Identity>,
    recipient: Option<(Recipient, Identity)>,
    clients: Vec<(String, Client, Identity)>,
    /// What is read anew while running, as it lay there before the first reading: what has changed since is read again.
    seen: Stand,
}

impl Keys {
    /// Reads the files; `None` without `[osci]`.
    pub(crate) fn read(config: &ProcessConfig) -> Result<Option<Self>, Failure> {
        let Some(config) = config.osci.clone() else { return Ok(None) };
        let seen = Stand::of(&config);
        let policy = crypto_policy(&config);
        let loaded = config.identities.iter().map(|(name, identity)| Ok((name.clone(), load(identity)?)));
        let identities = loaded.collect::<Result<BTreeMap<_, _>, Failure>>()?;
        let mut recipient = None;
        if let Some(config) = &config.recipient {
            let identity = known(&identities, &config.identity)?;
            let mut rules = Recipient::new(
                identity.cipher_certificate().clone(),
                identity.signature_certificate().clone(),
                certificates(&config.intermediaries)?,
            );
            rules.policy = policy.clone();
            rules.former = identity.former_certificates().cloned().collect();
            recipient = Some((rules, identity));
        }
        let mut clients = Vec::new();
        for (name, config) in &config.fetch {
            let identity = known(&identities, &config.identity)?;
            let mut client = Client::new(
                identity.cipher_certificate().clone(),
                identity.signature_certificate().clone(),
                certificate(&config.intermediary_cipher)?,
                certificate(&config.intermediary_signature)?,
            );
            client.policy = policy.clone();
            clients.push((name.clone(), client, identity));
        }
        if let Some(config) = &config.intermediary {
            // Read again when they are registered: they may have changed by then.
            refresh::parties(config)?;
        }
        let trust = trust_policy(&config)?;
        let responders = responders(&config)?;
        Ok(Some(Self { config, policy, trust, responders, identities, recipient, clients, seen }))
    }

    /// Where partners may send to us; `None` if nobody may.
    pub(crate) fn listen(&self) -> Option<SocketAddr> {
        let listens = self.config.intermediary.is_some() || self.recipient.is_some();
        listens.then_some(self.config.listen)
    }
}

/// Keys, postbox, courier and the rules of our own intermediary: there before anything is served, because the sender
/// needs them too.
pub(crate) struct Osci {
    keys: Keys,
    postbox: Postbox,
    courier: Courier,
    trust: Trust,
    own: Option<OwnIntermediary>,
    /// Wakes the collector.
    wake: Arc<Notify>,
}

impl Osci {
    /// Opens the postbox.
    pub(crate) fn open(
        keys: Keys,
        postbox: dds_postbox::Options,
        client: ClientConfig,
    ) -> Result<Self, Failure> {
        let postbox = Postbox::open(postbox).map_err(dds_message::Problem::from)?;
        let config = &keys.config;
        let intake = IntakeConfig {
            message_bytes: config.message_bytes,
            memory: EnvelopeMemory::new(config.envelope_memory_bytes),
            policy: keys.policy.clone(),
            ..IntakeConfig::default()
        };
        let desk = Desk { intake: Arc::new(intake), postbox: postbox.clone() };
        let silence = config.intermediary.as_ref().map_or(Timeouts::default().silence, |part| part.forward.0);
        let (policy, responders) = (keys.trust.clone(), keys.responders.clone());
        let trust =
            Trust::asking(policy, responders, client.clone(), Patience::default(), Some(postbox.clone()))
                .map_err(|error| unusable("OCSP", &error))?;
        let courier = Courier::new(desk, client, Timeouts { silence, ..Timeouts::default() })
            .map_err(|error| unusable("Kurier", &error))?;
        let wake = Arc::new(Notify::new());
        let mut osci = Self { keys, postbox, courier, trust, own: None, wake };
        let rules = osci.rules()?;
        osci.own = rules.map(|rules| OwnIntermediary::new(rules, Arc::clone(&osci.wake)));
        Ok(osci)
    }

    /// The sender adapter's part, if a sender is configured.
    pub(crate) fn sender(&self, clock: &Arc<dyn Clock>) -> Option<OsciSender> {
        Some(OsciSender {
            courier: self.courier.clone(),
            identity: self.sending()?,
            postbox: self.postbox.clone(),
            trust: self.trust.clone(),
            clock: Arc::clone(clock),
            own: self.own.clone(),
        })
    }

    /// As whom we send, if we do.
    fn sending(&self) -> Option<Identity> {
        self.keys.identities.get(self.keys.config.sender.as_deref()?).cloned()
    }

    fn known(&self, name: &str) -> Result<Identity, Failure> {
        known(&self.keys.identities, name)
    }

    /// Makes what listens, collects and fetches.
    pub(crate) fn stand_up(&self, around: Around) -> Result<Parts, Failure> {
        let context = OsciContext {
            handle: around.handle,
            sources: around.sources,
            limits: around.limits,
            postbox: self.postbox.clone(),
            courier: self.courier.clone(),
            trust: self.trust.clone(),
            clock: around.clock,
            telemetry: around.telemetry,
            wake: Arc::clone(&self.wake),
            gate: Gate::new(GateOptions::default()),
        };
        let mut own = Vec::new();
        let mut intermediary = None;
        if let (Some(config), Some(rules)) = (&self.keys.config.intermediary, &self.own) {
            let identity = self.known(&config.identity)?;
            if let Some(name) = &config.own {
                own.extend(OwnMailbox::all_of(&self.known(name)?));
            }
            let endpoint = IntermediaryEndpoint { context: context.clone(), own: rules.clone(), identity };
            intermediary = Some(Arc::new(endpoint));
        }
        let recipient = self.keys.recipient.clone().map(|(recipient, identity)| {
            Arc::new(RecipientEndpoint { context: context.clone(), recipient, identity })
        });
        let mut fetchers = Vec::new();
        for (name, client, identity) in &self.keys.clients {
            let config = &self.keys.config.fetch[name];
            let options = FetcherOptions {
                name: name.clone(),
                address: config.intermediary.clone(),
                every: config.every.0,
                chunk_kb: config.chunk_kb,
            };
            own.push(OwnMailbox::fetched(name, identity.clone()));
            fetchers.push(Fetcher::new(context.clone(), client.clone(), identity.clone(), options));
        }
        own.extend(self.sending().map(OwnMailbox::replies));
        let collector = Collector::new(&context, own, CollectorOptions::default());
        refresh::mailboxes(self)?;
        Ok(Parts { intermediary, recipient, fetchers, collector })
    }

    /// The rules of our own intermediary as they are now; `None` without `[osci.intermediary]`.
    fn rules(&self) -> Result<Option<Intermediary>, Failure> {
        let Some(config) = &self.keys.config.intermediary else { return Ok(None) };
        let identity = self.known(&config.identity)?;
        let mut rules = Rules {
            signature_required: config.signature_required,
            encryption_required: config.encryption_required,
            max_message_kb: self.keys.config.message_bytes >> 10,
            min_chunk_kb: config.min_chunk_kb,
            max_chunk_kb: config.max_chunk_kb,
            mailbox_deliveries: config.mailbox_deliveries,
            mailbox_bytes: config.mailbox_bytes,
            receivers: config.receivers.clone(),
            ..Rules::default()
        };
        rules.dialogue_idle = SignedDuration::try_from(config.dialogue.0).unwrap_or(rules.dialogue_idle);
        let mut trust = TrustPolicy::clone(&self.trust.policy());
        if !config.validity_required {
            trust.validity = Severity::Warn;
        }
        Ok(Some(Intermediary {
            cipher: identity.cipher_certificate().clone(),
            signature: identity.signature_certificate().clone(),
            trust,
            policy: self.keys.policy.clone(),
            rules,
        }))
    }

    /// How long received deliveries, and what is known of those we sent, are kept after their reception.
    pub(crate) fn keep(&self) -> Duration {
        self.keys.config.intermediary.as_ref().map_or(KEEP, |part| part.keep.0)
    }

    /// The postbox.
    pub(crate) const fn postbox(&self) -> &Postbox {
        &self.postbox
    }
}

/// What was stood up.
pub(crate) struct Parts {
    pub(crate) intermediary: Option<Arc<IntermediaryEndpoint>>,
    pub(crate) recipient: Option<Arc<RecipientEndpoint>>,
    pub(crate) fetchers: Vec<Fetcher>,
    pub(crate) collector: Collector,
}

fn known(identities: &BTreeMap<String, Identity>, name: &str) -> Result<Identity, Failure> {
    // The configuration was checked for it when it was read.
    identities.get(name).cloned().ok_or_else(|| unusable(name, "the identity is not described"))
}

fn responders(config: &OsciConfig) -> Result<Vec<Responder>, Failure> {
    let read = config.trust.ocsp.iter().map(|responder| {
        let issuer = responder.issuer.as_deref().map(certificate).transpose()?;
        Ok(Responder { url: responder.url.clone(), issuer })
    });
    read.collect()
}

fn trust_policy(osci: &OsciConfig) -> Result<TrustPolicy, Failure> {
    let config = &osci.trust;
    let mut crls = Vec::new();
    for file in &config.crls {
        let bytes = read(file)?;
        let der = match pem_block(&bytes) {
            Some(der) => der,
            None => bytes,
        };
        let list = RevocationList::from_der(der).map_err(|error| of_file(file, &error.to_string()))?;
        crls.push(list);
    }
    let revocation = match config.revocation {
        None if config.ocsp.is_empty() => RevocationDemand::IfAvailable,
        Some(OsciRevocation::Accept) => RevocationDemand::IfAvailable,
        None | Some(OsciRevocation::Warn) => RevocationDemand::Warn,
        Some(OsciRevocation::Refuse) => RevocationDemand::Require,
    };
    Ok(TrustPolicy {
        anchors: certificates(&config.anchors)?,
        intermediates: certificates(&config.intermediates)?,
        crls,
        min_rsa_bits: config.min_rsa_bits,
        revocation,
        ..TrustPolicy::default()
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = std::fs::read_dir(folder).map_err(|error| of_file(folder, &error.kind().to_string()))?;
    let mut files: Vec<PathBuf> =
        entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}

/// Each word of `legacy` opens its algorithm and no other.
fn crypto_policy(osci: &OsciConfig) -> CryptoPolicy {
    CryptoPolicy {
        allow_cbc: osci.legacy.contains(&OsciLegacy::Cbc),
        allow_rsa15: osci.legacy.contains(&OsciLegacy::Rsa15),
        allow_sha1: osci.legacy.contains(&OsciLegacy::Sha1),
        min_rsa_bits: osci.trust.min_rsa_bits,
        ..CryptoPolicy::default()
    }
}

fn load(identity: &OsciIdentity) -> Result<Identity, Failure> {
    let (_, cipher) = key(&identity.cipher)?;
    let (signature, _) = key(&identity.signature)?;
    let signature = signing::with(signature, identity.signature_algorithm)?;
    if !cipher.certificate().may_encrypt() {
        return Err(unusable(
            cipher.certificate().subject(),
            "the certificate is not for encryption (keyUsage)",
        ));
    }
    if !signature.certificate().may_sign() {
        return Err(unusable(
            signature.certificate().subject(),
            "the certificate is not for signatures (keyUsage)",
        ));
    }
    let former = identity.former.iter().map(|former| key(former).map(|(_, cipher)| cipher));
    Ok(Identity { former: former.collect::<Result<_, _>>()?, ..Identity::new(cipher, signature) })
}

type Pair = (Arc<dyn Signer>, Arc<dyn Decrypter>);

fn key(key: &OsciKey) -> Result<Pair, Failure> {
    fn pair<K: Signer + Decrypter + 'static>(key: K) -> Pair {
        let key = Arc::new(key);
        (Arc::clone(&key) as Arc<dyn Signer>, key)
    }
    match key {
        OsciKey::Pkcs12 { pkcs12, pin } => {
            let pin = read_secret(pin)?;
            SoftwareKey::from_pkcs12(&read(pkcs12)?, &pin).map(pair).map_err(|error| of_key(pkcs12, &error))
        }
        OsciKey::Pem { key, certificate } => {
            let private = String::from_utf8_lossy(&read(key)?).into_owned();
            let public = String::from_utf8_lossy(&read(certificate)?).into_owned();
            SoftwareKey::from_pem(&private, &public).map(pair).map_err(|error| of_key(key, &error))
        }
        OsciKey::Token { module, token, label, pin } => {
            let pin = read_secret(pin)?;
            let location = KeyLocation { token: token.clone(), label: label.clone() };
            let opened = Module::load(module).and_then(|module| module.key(&location, &pin, None));
            opened.map(pair).map_err(|error| of_key(module, &error))
        }
    }
}

fn certificates(files: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
    files.iter().map(|file| certificate(file)).collect()
}

/// Whether a file of the parties is one of a certificate, by its name.
fn is_certificate(file: &Path) -> bool {
    file.extension().is_some_and(|end| ["pem", "cer", "crt"].iter().any(|known| end == *known))
}

/// The one certificate of a file: of several nobody could say which is meant.
fn certificate(file: &Path) -> Result<Certificate, Failure> {
    let bytes = read(file)?;
    let read = match std::str::from_utf8(&bytes) {
        Ok(text) if text.contains("-----BEGIN") => {
            let count = text.matches("-----BEGIN CERTIFICATE-----").count();
            if count > 1 {
                return Err(of_file(file, &format!("it holds {count} certificates, and one is wanted")));
            }
            Certificate::from_pem(text)
        }
        _ => Certificate::from_der(bytes),
    };
    read.map_err(|error| of_file(file, &error.to_string()))
}

fn pem_block(bytes: &[u8]) -> Option<Vec<u8>> {
    use rustls_pki_types::{CertificateRevocationListDer, pem::PemObject as _};
    CertificateRevocationListDer::from_pem_slice(bytes).ok().map(|list| list.to_vec())
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(file).map_err(|error| of_file(file, &error.kind().to_string()))
}

fn of_key(file: &Path, error: &KeyError) -> Failure {
    of_file(file, &error.to_string())
}

fn of_file(file: &Path, why: &str) -> Failure {
    unusable(&file.display().to_string(), why)
}

fn unusable(what: &str, why: &str) -> Failure {
    let text =
        (format!("OSCI: {what} ist nicht verwendbar: {why}"), format!("OSCI: {what} cannot be used: {why}"));
    Failure::new(Code::OSCI_KEYS, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_legacy_opens_its_algorithm_and_no_other() {
        let opened = |words: &str| {
            let legacy = serde_json::from_str(words).unwrap();
            let policy = crypto_policy(&OsciConfig { legacy, ..OsciConfig::default() });
            (policy.allow_cbc, policy.allow_rsa15, policy.allow_sha1)
        };
        assert_eq!(opened("[]"), (false, false, false));
        assert_eq!(opened("[\"cbc\"]"), (true, false, false));
        assert_eq!(opened("[\"rsa-1.5\"]"), (false, true, false));
        assert_eq!(opened("[\"sha-1\"]"), (false, false, true));
    }
}
