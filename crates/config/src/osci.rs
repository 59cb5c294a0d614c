//! `[osci]` of `drehscheibe.toml`: keys, trust and the three ways in. How the parts work together:
//! `docs/osci/operations.md`.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use dds_depot::{SecretRef, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::process::seconds;

/// OSCI-Transport 1.2.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OsciConfig {
    /// Address of the endpoints `/osci` (intermediary) and `/osci/empfang` (passive recipient). Plain HTTP: OSCI signs
    /// and encrypts by itself. Faults are answered with status 200, as the protocol wants.
    #[schemars(extend("since" = "0.2.0"))]
    pub listen: SocketAddr,
    /// Key pairs (Identitäten) by name.
    #[schemars(extend("since" = "0.2.0"))]
    pub identities: BTreeMap<String, OsciIdentity>,
    /// Identity of the sender adapter (`osci` at an office).
    #[schemars(extend("since" = "0.2.0"))]
    pub sender: Option<String>,
    /// Passive recipient: an intermediary pushes deliveries to `/osci/empfang`.
    #[schemars(extend("since" = "0.2.0"))]
    pub recipient: Option<OsciRecipient>,
    /// Active recipient: mailboxes at intermediaries that are fetched from, by name.
    #[schemars(extend("since" = "0.2.0"))]
    pub fetch: BTreeMap<String, OsciFetch>,
    /// Built-in intermediary at `/osci`.
    #[schemars(extend("since" = "0.2.0"))]
    pub intermediary: Option<OsciIntermediary>,
    /// Trust in certificates of partners.
    #[schemars(extend("since" = "0.2.0"))]
    pub trust: OsciTrust,
    /// Old algorithms that may be read: `cbc`, `rsa-1.5`, `sha-1`. None by default; nothing old is ever written.
    #[schemars(extend("since" = "0.2.0"))]
    pub legacy: Vec<OsciLegacy>,
    /// Bytes of one message with all attachments.
    #[schemars(range(min = 65_536), extend("since" = "0.2.0"))]
    pub message_bytes: u64,
    /// Bytes of all envelopes that are being received at the same time; those up to 128 KiB always have room. The
    /// longest has 32 MiB. What finds no room gets the fault 9000 and may come again.
    #[schemars(range(min = 33_554_432), extend("since" = "0.2.0"))]
    pub envelope_memory_bytes: usize,
}

impl Default for OsciConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8444),
            identities: BTreeMap::new(),
            sender: None,
            recipient: None,
            fetch: BTreeMap::new(),
            intermediary: None,
            trust: OsciTrust::default(),
            legacy: Vec::new(),
            message_bytes: 2 << 30,
            envelope_memory_bytes: 96 << 20,
        }
    }
}

/// Identität: the two key pairs of a role, one for encryption (cipher) and one for signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsciIdentity {
    /// Decrypts; its certificate names the mailbox.
    #[schemars(extend("since" = "0.2.0"))]
    pub cipher: OsciKey,
    /// Signs.
    #[schemars(extend("since" = "0.2.0"))]
    pub signature: OsciKey,
    /// With which algorithm it signs. By default `rsa-sha256`, or ECDSA with the digest of the curve.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default)]
    pub signature_algorithm: Option<OsciSignature>,
    /// Cipher keys that it had before (frühere Schlüssel). Their mailboxes at our own intermediary are kept and
    /// collected, and what is encrypted for them is read; nothing new is encrypted for them by us.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default)]
    pub former: Vec<OsciKey>,
}

/// Signaturverfahren.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OsciSignature {
    /// RSA (PKCS #1 v1.5) with SHA-256.
    #[serde(rename = "rsa-sha256")]
    RsaSha256,
    /// RSA (PKCS #1 v1.5) with SHA-512.
    #[serde(rename = "rsa-sha512")]
    RsaSha512,
    /// RSA-PSS with SHA-256.
    #[serde(rename = "rsa-pss-sha256")]
    PssSha256,
    /// RSA-PSS with SHA-512.
    #[serde(rename = "rsa-pss-sha512")]
    PssSha512,
    /// ECDSA with SHA-256.
    #[serde(rename = "ecdsa-sha256")]
    EcdsaSha256,
    /// ECDSA with SHA-384 (Korrigendum 9).
    #[serde(rename = "ecdsa-sha384")]
    EcdsaSha384,
    /// ECDSA with SHA-512.
    #[serde(rename = "ecdsa-sha512")]
    EcdsaSha512,
}

/// Where a private key lies: a PKCS #12 file, a PEM pair, or a token (PKCS #11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
pub enum OsciKey {
    /// PKCS #12.
    Pkcs12 {
        /// File.
        #[schemars(extend("since" = "0.2.0"))]
        pkcs12: PathBuf,
        /// Its PIN.
        #[schemars(with = "String", extend("since" = "0.2.0"))]
        pin: SecretRef,
    },
    /// PEM.
    Pem {
        /// Private key (PKCS #8).
        #[schemars(extend("since" = "0.2.0"))]
        key: PathBuf,
        /// Certificate.
        #[schemars(extend("since" = "0.2.0"))]
        certificate: PathBuf,
    },
    /// PKCS #11.
    Token {
        /// Library of the token.
        #[schemars(extend("since" = "0.2.0"))]
        module: PathBuf,
        /// Label of the token.
        #[schemars(extend("since" = "0.2.0"))]
        token: String,
        /// Label of key and certificate.
        #[schemars(extend("since" = "0.2.0"))]
        label: String,
        /// PIN of the user.
        #[schemars(with = "String", extend("since" = "0.2.0"))]
        pin: SecretRef,
    },
}

/// Passive recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsciRecipient {
    /// Identity.
    #[schemars(extend("since" = "0.2.0"))]
    pub identity: String,
    /// Signature certificates (PEM files) of the intermediaries that may push. What they vouch for is the sender: the
    /// source is the one whose `certificates` names the originator's signature certificate.
    #[schemars(extend("since" = "0.2.0"))]
    pub intermediaries: Vec<PathBuf>,
}

/// Active recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsciFetch {
    /// Identity; its cipher certificate names the mailbox.
    #[schemars(extend("since" = "0.2.0"))]
    pub identity: String,
    /// Address of the intermediary.
    #[schemars(extend("since" = "0.2.0"))]
    pub intermediary: String,
    /// Cipher certificate of the intermediary (PEM file).
    #[schemars(extend("since" = "0.2.0"))]
    pub intermediary_cipher: PathBuf,
    /// Signature certificate of the intermediary (PEM file).
    #[schemars(extend("since" = "0.2.0"))]
    pub intermediary_signature: PathBuf,
    /// Time between two looks when the mailbox was empty.
    #[schemars(with = "String", extend("since" = "0.2.0", "least" = "1s", "most" = "1d"))]
    #[serde(default = "minute")]
    pub every: Span,
    /// Deliveries larger than this many KB (1024 bytes) are fetched in chunks of this size, within the limits of the
    /// intermediary and if it announces them. Without it all are fetched whole.
    #[schemars(range(min = 1), extend("since" = "0.2.0"))]
    #[serde(default)]
    pub chunk_kb: Option<u64>,
}

/// Built-in intermediary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsciIntermediary {
    /// Identity of the intermediary.
    #[schemars(extend("since" = "0.2.0"))]
    pub identity: String,
    /// Identity of our own mailbox: what is addressed to it goes the main path instead of waiting to be fetched.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default)]
    pub own: Option<String>,
    /// Folder with the cipher certificates (`<name>.pem`) of those who have a mailbox here (Teilnehmer). Read anew when
    /// it changes.
    #[schemars(extend("since" = "0.2.0"))]
    pub parties: PathBuf,
    /// Unsigned orders are refused with 9600.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default = "yes")]
    pub signature_required: bool,
    /// Unencrypted orders are refused with 9300; fetching is never possible unencrypted.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default = "yes")]
    pub encryption_required: bool,
    /// Certificates outside their validity are refused; `false` only warns the client (3500, 3700, …).
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default = "yes")]
    pub validity_required: bool,
    /// Smallest chunk of a chunked transfer in KB (1024 bytes), the last one excepted.
    #[schemars(range(min = 1), extend("since" = "0.2.0"))]
    #[serde(default = "smallest_chunk")]
    pub min_chunk_kb: u64,
    /// Largest chunk in KB.
    #[schemars(range(min = 1), extend("since" = "0.2.0"))]
    #[serde(default = "largest_chunk")]
    pub max_chunk_kb: u64,
    /// A dialogue ends after so long without an order.
    #[schemars(with = "String", extend("since" = "0.2.0", "least" = "10s", "most" = "7d"))]
    #[serde(default = "quarter")]
    pub dialogue: Span,
    /// A passive recipient must answer within this time (9809, 9810).
    #[schemars(with = "String", extend("since" = "0.2.0", "least" = "1s", "most" = "1h"))]
    #[serde(default = "minute")]
    pub forward: Span,
    /// A delivery that was received is deleted so long after; the process card stays.
    #[schemars(with = "String", extend("since" = "0.2.0"))]
    #[serde(default = "month")]
    pub keep: Span,
    /// Deliveries that may wait in one mailbox to be received; more are refused (9811) until its owner has fetched.
    #[schemars(range(min = 1), extend("since" = "0.2.0"))]
    #[serde(default = "mailbox_deliveries")]
    pub mailbox_deliveries: u64,
    /// Bytes of the deliveries that wait in one mailbox, attachments included; what would be more is refused (9811).
    #[schemars(range(min = 65_536), extend("since" = "0.2.0"))]
    #[serde(default = "mailbox_bytes")]
    pub mailbox_bytes: u64,
    /// Addresses to which forwardDelivery and mediateDelivery may lead; an address matches if it begins with one of
    /// them; `http://host:*` allows every port of a host. Empty allows none, so that nobody uses us to reach into our
    /// own network.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default)]
    pub receivers: Vec<String>,
}

/// Trust in certificates of partners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OsciTrust {
    /// Certificates (PEM files) that may issue: roots.
    #[schemars(extend("since" = "0.2.0"))]
    pub anchors: Vec<PathBuf>,
    /// Certificates (PEM files) between root and partner; OSCI messages carry no chain.
    #[schemars(extend("since" = "0.2.0"))]
    pub intermediates: Vec<PathBuf>,
    /// Revocation lists (Sperrlisten, DER or PEM files); read anew when they change.
    #[schemars(extend("since" = "0.2.0"))]
    pub crls: Vec<PathBuf>,
    /// Shortest RSA key in bits. 3072 is the rule of the Saxon intermediary since July 2024.
    #[schemars(range(min = 2048, max = 16_384), extend("since" = "0.2.0"))]
    pub min_rsa_bits: u32,
    /// What a certificate is worth about which neither list nor responder says anything. By default `warn` where a
    /// responder is configured, otherwise `accept`.
    #[schemars(extend("since" = "0.2.0"))]
    pub revocation: Option<OsciRevocation>,
    /// Responders (OCSP-Auskunftsdienste). Only these are asked, never an address that stands in a certificate.
    #[schemars(extend("since" = "0.2.0"))]
    pub ocsp: Vec<OsciResponder>,
}

impl Default for OsciTrust {
    fn default() -> Self {
        Self {
            anchors: Vec::new(),
            intermediates: Vec::new(),
            crls: Vec::new(),
            min_rsa_bits: 3072,
            revocation: None,
            ocsp: Vec::new(),
        }
    }
}

/// OCSP-Auskunftsdienst.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OsciResponder {
    /// Address, `http://` or `https://`.
    #[schemars(extend("since" = "0.2.0"))]
    pub url: String,
    /// Certificate (PEM file) of the authority whose certificates it knows. Without it: those of every authority that
    /// has no responder of its own.
    #[schemars(extend("since" = "0.2.0"))]
    #[serde(default)]
    pub issuer: Option<PathBuf>,
}

/// Was ohne Sperrauskunft gilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OsciRevocation {
    /// It counts as not revoked.
    Accept,
    /// It counts, with the warning that the check is incomplete (3501, 3707).
    Warn,
    /// It is refused (the code of its role, 9501 to 9711). While a responder is silent, so are all whose certificates
    /// it knows.
    Refuse,
}

/// Altverfahren.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum OsciLegacy {
    /// AES-CBC and 3DES.
    #[serde(rename = "cbc")]
    Cbc,
    /// RSA PKCS #1 v1.5 key transport.
    #[serde(rename = "rsa-1.5")]
    Rsa15,
    /// SHA-1 in signatures.
    #[serde(rename = "sha-1")]
    Sha1,
}

impl OsciConfig {
    pub(crate) fn resolve(&mut self, base: &Path) {
        let mut paths: Vec<&mut PathBuf> = Vec::new();
        let mut secrets: Vec<&mut SecretRef> = Vec::new();
        for identity in self.identities.values_mut() {
            for key in [&mut identity.cipher, &mut identity.signature].into_iter().chain(&mut identity.former)
            {
                match key {
                    OsciKey::Pkcs12 { pkcs12, pin } => {
                        paths.push(pkcs12);
                        secrets.push(pin);
                    }
                    OsciKey::Pem { key, certificate } => paths.extend([key, certificate]),
                    OsciKey::Token { pin, .. } => secrets.push(pin),
                }
            }
        }
        if let Some(recipient) = &mut self.recipient {
            paths.extend(&mut recipient.intermediaries);
        }
        for fetch in self.fetch.values_mut() {
            paths.extend([&mut fetch.intermediary_cipher, &mut fetch.intermediary_signature]);
        }
        if let Some(intermediary) = &mut self.intermediary {
            paths.push(&mut intermediary.parties);
        }
        let trust = &mut self.trust;
        paths.extend(trust.anchors.iter_mut().chain(&mut trust.intermediates).chain(&mut trust.crls));
        paths.extend(trust.ocsp.iter_mut().filter_map(|responder| responder.issuer.as_mut()));
        for path in paths {
            *path = base.join(&*path);
        }
        for secret in secrets {
            if let SecretRef::File(path) = secret {
                *secret = SecretRef::File(base.join(path).display().to_string());
            }
        }
    }

    /// The first identity that is used but not described: its name and the key that uses it.
    pub(crate) fn unknown_identity(&self) -> Option<(&str, String)> {
        let key = |rest: &str| format!("osci.{rest}");
        let used = self.sender.iter().map(|name| (name, key("sender")));
        let used = used.chain(self.recipient.iter().map(|part| (&part.identity, key("recipient.identity"))));
        let fetch = self.fetch.iter();
        let used = used.chain(fetch.map(|(of, part)| (&part.identity, key(&format!("fetch.{of}.identity")))));
        let intermediary = self.intermediary.iter();
        let used = used.chain(intermediary.map(|part| (&part.identity, key("intermediary.identity"))));
        let own = self.intermediary.iter().filter_map(|part| part.own.as_ref());
        let mut used = used.chain(own.map(|name| (name, key("intermediary.own"))));
        used.find(|(name, _)| !self.identities.contains_key(*name)).map(|(name, key)| (name.as_str(), key))
    }

    /// The first responder whose address is none, with its number from 0.
    pub(crate) fn malformed_responder(&self) -> Option<(usize, &str)> {
        let host = |url: &str| {
            let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
            rest.split('/').next().filter(|host| !host.is_empty() && !host.contains(['@', ' '])).map(drop)
        };
        self.trust
            .ocsp
            .iter()
            .map(|responder| responder.url.as_str())
            .enumerate()
            .find(|(_, url)| host(url).is_none())
    }

    /// Every certificate file, to be watched for its end; former keys have been replaced already.
    #[must_use]
    pub fn certificate_files(&self) -> Vec<&Path> {
        let identities =
            self.identities.values().flat_map(|identity| [&identity.cipher, &identity.signature]);
        let own = identities.filter_map(|key| match key {
            OsciKey::Pem { certificate, .. } => Some(certificate),
            OsciKey::Pkcs12 { .. } | OsciKey::Token { .. } => None,
        });
        let pushing = self.recipient.iter().flat_map(|recipient| &recipient.intermediaries);
        let fetched =
            self.fetch.values().flat_map(|fetch| [&fetch.intermediary_cipher, &fetch.intermediary_signature]);
        let issuers = self.trust.ocsp.iter().filter_map(|responder| responder.issuer.as_ref());
        let trusted = self.trust.anchors.iter().chain(&self.trust.intermediates).chain(issuers);
        own.chain(pushing).chain(fetched).chain(trusted).map(PathBuf::as_path).collect()
    }
}

const fn smallest_chunk() -> u64 {
    64
}

const fn largest_chunk() -> u64 {
    50 << 10
}

const fn yes() -> bool {
    true
}

const fn mailbox_deliveries() -> u64 {
    100_000
}

const fn mailbox_bytes() -> u64 {
    50 << 30
}

const fn minute() -> Span {
    seconds(60)
}

const fn quarter() -> Span {
    seconds(900)
}

const fn month() -> Span {
    seconds(30 * 86_400)
}

#[cfg(test)]
mod tests {
    use crate::ProcessConfig;

    const TEXT: &str = r#"
        [osci]
        sender = "stadt"
        [osci.identities.stadt]
        cipher = { pkcs12 = "osci/c.p12", pin = "env:PIN" }
        signature = { key = "osci/s.key", certificate = "osci/s.pem" }
        former = [{ pkcs12 = "osci/c-2025.p12", pin = "file:osci/pin" }]
        [osci.intermediary]
        identity = "vermittler"
        parties = "osci/teilnehmer"
        [osci.fetch.sid]
        identity = "stadt"
        intermediary = "http://osci.example/"
        intermediary_cipher = "osci/i-c.pem"
        intermediary_signature = "osci/i-s.pem"
    "#;

    #[test]
    fn an_identity_that_is_not_described_is_named_with_its_place() {
        let finding = ProcessConfig::parse("drehscheibe.toml", TEXT.as_bytes()).unwrap_err();
        assert!(
            finding.text.english.contains("vermittler")
                && finding.text.english.contains("intermediary.identity"),
            "{finding}"
        );
        assert!(finding.line > 1, "{finding}");
    }

    #[test]
    fn a_responder_without_an_address_is_named() {
        for url in ["ocsp.example", "ftp://ocsp.example", "http://", "http://user@ocsp.example/"] {
            let text = TEXT.replace("\"vermittler\"", "\"stadt\"");
            let text = format!("{text}\n[[osci.trust.ocsp]]\nurl = \"{url}\"\n");
            let finding = ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap_err();
            assert!(finding.text.english.contains(url), "{finding}");
        }
    }

    #[test]
    fn chunks_that_no_size_fits_are_refused() {
        let text = TEXT.replace("\"vermittler\"", "\"stadt\"");
        let text = text.replace("parties =", "min_chunk_kb = 60000\nparties =");
        let finding = ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap_err();
        assert!(finding.text.english.contains("larger than max_chunk_kb = 51200"), "{finding}");
    }

    #[test]
    fn a_sound_section_reads_back() {
        let text = TEXT.replace("\"vermittler\"", "\"stadt\"");
        let text = text.replace(
            "[osci.fetch.sid]",
            "[osci.trust]\nrevocation = \"refuse\"\n[[osci.trust.ocsp]]\nurl = \"http://ocsp.example/\"\nissuer = \"osci/ca.pem\"\n[osci.fetch.sid]",
        );
        let config = ProcessConfig::parse("drehscheibe.toml", text.as_bytes()).unwrap();
        let osci = config.osci.as_ref().unwrap();
        let Some(crate::OsciKey::Pkcs12 { pkcs12, .. }) = osci.identities["stadt"].former.first() else {
            panic!("{osci:?}")
        };
        assert_eq!(pkcs12, std::path::Path::new("osci/c-2025.p12"));
        let again = toml::to_string(&config).unwrap();
        assert_eq!(ProcessConfig::parse("drehscheibe.toml", again.as_bytes()).unwrap(), config);
        assert_eq!(config.osci.unwrap().certificate_files().len(), 4);
    }
}
