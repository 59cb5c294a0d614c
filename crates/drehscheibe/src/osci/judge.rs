//! What is wrong with `[osci]` and with the OSCI ways of offices, as far as it can be seen before anybody sends:
//! `drehscheibe check` prints it, `serve` logs it.

use std::{path::Path, sync::Arc};

use dds_config::{OsciConfig, OsciIdentity, OsciIntermediary, OsciKey, check_end, read_secret};
use dds_depot::CheckFinding;
use dds_message::{Code, Text};
use dds_osci::{
    algorithm::SignatureAlgorithm,
    certificate::Certificate,
    german,
    keys::Signer,
    trust::{CertificateUse, Severity, TrustPolicy},
};
use jiff::Timestamp;

mod lists;
mod ways;

pub(crate) use lists::lists;
pub(crate) use ways::ways;

use super::{certificate, files, is_certificate, key, read, signing, trust_policy};
use crate::Failure;

/// Everything that cannot work is an error. Keys on a token are not looked at, and neither are those whose PIN is not
/// here: it may be known to the service only.
pub(crate) fn judge(config: &OsciConfig, now: Timestamp) -> Vec<CheckFinding> {
    let (policy, failure) = named_policy(config);
    let findings = lists::judged(config, &policy, now).chain(failure.map(of)).collect();
    let mut judge = Judge { config, policy, now, findings };
    judge.identities();
    if let Some(part) = &config.recipient {
        if part.intermediaries.is_empty() {
            judge.error(
                "recipient.intermediaries",
                (
                    "ohne Zertifikat eines Intermediärs wird keine Zustellung angenommen",
                    "without the certificate of an intermediary no push is taken",
                ),
            );
        }
        for file in &part.intermediaries {
            judge.file(file, CertificateUse::AddresseeSignature);
        }
    }
    for (name, part) in &config.fetch {
        judge.file(&part.intermediary_cipher, CertificateUse::ReaderCipher);
        judge.file(&part.intermediary_signature, CertificateUse::AddresseeSignature);
        if !has_host(&part.intermediary) {
            judge.no_address(&format!("fetch.{name}.intermediary"), &part.intermediary);
        }
    }
    if let Some(part) = &config.intermediary {
        judge.intermediary(part);
    }
    judge.findings
}

/// By which certificates that the operator has named are judged, as far as it can be read, and why not further. Whether
/// one has ended is told apart.
fn named_policy(config: &OsciConfig) -> (TrustPolicy, Option<Failure>) {
    let (policy, failure) = match trust_policy(config) {
        Ok(policy) => (policy, None),
        Err(failure) => {
            let policy = TrustPolicy { min_rsa_bits: config.trust.min_rsa_bits, ..TrustPolicy::default() };
            (policy, Some(failure))
        }
    };
    (TrustPolicy { validity: Severity::Warn, ..policy }, failure)
}

/// Why a certificate does not serve this use: German, English.
fn unusable(
    policy: &TrustPolicy,
    certificate: &Certificate,
    used_as: CertificateUse,
    now: Timestamp,
) -> Option<(String, String)> {
    let report = policy.check_named(certificate, used_as, now);
    report.is_refused().then(|| {
        let why = report.detail_without_holder();
        let german = format!("das Zertifikat ist hier nicht verwendbar ({})", german::reason(&why));
        (german, format!("the certificate cannot be used here: {why}"))
    })
}

struct Judge<'a> {
    config: &'a OsciConfig,
    policy: TrustPolicy,
    now: Timestamp,
    findings: Vec<CheckFinding>,
}

impl Judge<'_> {
    fn error(&mut self, place: &str, text: impl Into<Text>) {
        self.findings.push(CheckFinding::error(Code::OSCI_KEYS, format!("[osci] {place}"), text));
    }

    fn no_address(&mut self, place: &str, address: &str) {
        self.error(
            place,
            (
                format!("„{address}“ ist keine Adresse mit http:// oder https:// und einem Rechnernamen"),
                format!("{address:?} is no address with http:// or https:// and a host"),
            ),
        );
    }

    fn identities(&mut self) {
        for (name, OsciIdentity { cipher, signature, signature_algorithm, former }) in &self.config.identities
        {
            let place = |kind: &str| format!("[osci] identities.{name}.{kind}");
            self.key(&place("cipher"), cipher, CertificateUse::ClientCipher);
            // What they are worth now is no question: they only read what is under way.
            self.findings.extend(former.iter().filter_map(|key| readable(key).err()).map(of));
            let Some(signer) = self.key(&place("signature"), signature, CertificateUse::ClientSignature)
            else {
                continue;
            };
            match signing::with(signer, *signature_algorithm) {
                Ok(signer) => self.too_new(&place("signature"), signer.default_algorithm()),
                Err(failure) => self.findings.push(CheckFinding::error(
                    failure.problem.code,
                    place("signature_algorithm"),
                    failure.problem.detail,
                )),
            }
        }
    }

    /// Judges the certificate of a key; answers the key, as far as it can be read here.
    fn key(&mut self, place: &str, key: &OsciKey, used_as: CertificateUse) -> Option<Arc<dyn Signer>> {
        match readable(key) {
            Ok(signer) => {
                let signer = signer?;
                let end = if matches!(key, OsciKey::Pem { .. }) { End::Watched } else { End::Ours };
                self.certificate(place, signer.certificate(), used_as, end);
                Some(signer)
            }
            Err(failure) => {
                self.findings.push(of(failure));
                None
            }
        }
    }

    /// ecdsa-sha384, which a key on P-384 signs with by itself, came with Korrigendum 9.
    fn too_new(&mut self, place: &str, algorithm: SignatureAlgorithm) {
        if algorithm == SignatureAlgorithm::EcdsaSha384 {
            let text = (
                "der Schlüssel signiert mit ecdsa-sha384: Partner vor Korrigendum 9 weisen das zurück (9601); RSA nehmen alle an, ebenso signature_algorithm = \"ecdsa-sha256\" mit einem Schlüssel auf P-256 oder P-521",
                "the key signs with ecdsa-sha384: partners before Korrigendum 9 refuse it (9601); all take RSA, and signature_algorithm = \"ecdsa-sha256\" of a key on P-256 or P-521",
            );
            self.findings.push(CheckFinding::error(Code::OSCI_KEYS, place, text).warning());
        }
    }

    fn intermediary(&mut self, part: &OsciIntermediary) {
        if self.config.trust.anchors.is_empty() {
            self.error(
                "trust.anchors",
                ("ohne Anker wird jeder Auftrag abgelehnt", "without an anchor every order is refused"),
            );
        }
        if part.own.as_ref() == Some(&part.identity) {
            self.error(
                "intermediary.own",
                (
                    "ist die Identität des Intermediärs; das eigene Postfach braucht eine andere",
                    "is the identity of the intermediary; our own mailbox needs another",
                ),
            );
        }
        for receiver in part.receivers.iter().filter(|receiver| !has_host(receiver)) {
            self.no_address("intermediary.receivers", receiver);
        }
        match files(&part.parties) {
            Ok(found) => found
                .iter()
                .filter(|file| is_certificate(file))
                .for_each(|file| self.file(file, CertificateUse::AddresseeCipher)),
            Err(failure) => self.findings.push(of(failure)),
        }
    }

    fn file(&mut self, file: &Path, used_as: CertificateUse) {
        match certificate(file) {
            Ok(found) => {
                let watched = self.config.certificate_files().contains(&file);
                let end = if watched { End::Watched } else { End::Theirs };
                self.certificate(&file.display().to_string(), &found, used_as, end);
            }
            Err(failure) => self.findings.push(of(failure)),
        }
    }

    fn certificate(&mut self, place: &str, certificate: &Certificate, used_as: CertificateUse, end: End) {
        if let Some(text) = unusable(&self.policy, certificate, used_as, self.now) {
            self.findings.push(CheckFinding::error(Code::OSCI_KEYS, place, text));
            return;
        }
        match end {
            End::Watched => {}
            End::Ours => self.findings.extend(validity(place, certificate, self.now)),
            End::Theirs => {
                let found = validity(place, certificate, self.now);
                // A party whose certificate has ended is its own affair: for everybody else nothing changes.
                self.findings.extend(found.map(|found| match found.severity {
                    dds_message::Severity::Error => found.warning(),
                    _ => found,
                }));
            }
        }
    }
}

/// Who tells that a certificate ends.
#[derive(Clone, Copy)]
enum End {
    /// [`dds_config::check_certificates`].
    Watched,
    /// We; it is ours.
    Ours,
    /// We; it is somebody else's.
    Theirs,
}

/// Whether a certificate counts today, and for how long. Its holder may be a person.
fn validity(place: &str, certificate: &Certificate, now: Timestamp) -> Option<CheckFinding> {
    let from = certificate.not_before();
    if now < from {
        let text =
            (format!("das Zertifikat gilt erst ab {from}"), format!("the certificate counts from {from} on"));
        return Some(CheckFinding::error(Code::OSCI_KEYS, place, text).warning());
    }
    let [until, now] = [certificate.not_after(), now].map(|at| dds_message::Timestamp(at.as_millisecond()));
    check_end(place, None, until, now)
}

/// A key, as far as it can be read here.
fn readable(of: &OsciKey) -> Result<Option<Arc<dyn Signer>>, Failure> {
    match of {
        OsciKey::Token { .. } => return Ok(None),
        OsciKey::Pkcs12 { pkcs12, pin } if read_secret(pin).is_err() => {
            return read(pkcs12).map(|_| None);
        }
        OsciKey::Pkcs12 { .. } | OsciKey::Pem { .. } => {}
    }
    let (signer, _) = key(of)?;
    Ok(Some(signer))
}

fn of(failure: Failure) -> CheckFinding {
    CheckFinding::error(failure.problem.code, "[osci]", failure.problem.detail)
}

fn has_host(address: &str) -> bool {
    let rest = address.strip_prefix("http://").or_else(|| address.strip_prefix("https://"));
    let host = rest.and_then(|rest| rest.split(['/', ':']).next());
    host.is_some_and(|host| !host.is_empty() && !host.contains(['@', ' ', '%']))
}

#[cfg(test)]
mod tests;
