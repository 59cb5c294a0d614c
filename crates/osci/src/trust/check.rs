//! The check itself: path, validity, usage, strength, revocation, and their feedback codes.

use jiff::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::crl::Listed;
use super::path::{self, Path};
use super::{
    CertificateReport, CertificateUse, MathResult, OfflineResult, OnlineResult, RevocationDemand,
    RevocationSource, Severity, TrustPolicy,
};
use crate::certificate::{Certificate, PublicKeyKind};
use crate::feedback::{FeedbackClass, FeedbackCode as F};

/// The codes of one use (facts 15).
struct Codes {
    /// Outside validity; a warning.
    validity: F,
    /// The check is incomplete; a warning.
    incomplete: F,
    /// The signature over the certificate is wrong. Also stands for everything else that makes a certificate
    /// unacceptable and has no code of its own: unknown authority, wrong usage, weak key (INTEROP N25, N26).
    untrusted: F,
    /// Revoked.
    revoked: F,
}

impl CertificateUse {
    const fn codes(self) -> Codes {
        let (validity, incomplete, untrusted, revoked) = match self {
            Self::ClientCipher => (F::S3500, F::S3501, F::S9501, F::S9502),
            Self::ClientSignature => (F::S3700, F::S3707, F::S9700, F::S9701),
            Self::AuthorSignature => (F::S3701, F::S3707, F::S3702, F::S3703),
            Self::AuthorCipher => (F::S3704, F::S3707, F::S9704, F::S9705),
            Self::AddresseeCipher => (F::S3705, F::S3707, F::S9706, F::S9707),
            Self::ReaderCipher => (F::S3706, F::S3707, F::S9708, F::S9709),
            Self::AddresseeSignature | Self::RecipientResponseSignature => {
                (F::S3708, F::S3707, F::S9711, F::S9712)
            }
        };
        Codes { validity, incomplete, untrusted, revoked }
    }

    /// Whether the certificate signs; otherwise it encrypts.
    const fn signs(self) -> bool {
        match self {
            Self::ClientSignature
            | Self::AuthorSignature
            | Self::AddresseeSignature
            | Self::RecipientResponseSignature => true,
            Self::ClientCipher | Self::AuthorCipher | Self::AddresseeCipher | Self::ReaderCipher => false,
        }
    }
}

impl TrustPolicy {
    /// Checks one certificate at a moment, with the revocation lists and OCSP answers of the policy.
    #[must_use]
    pub fn check(
        &self,
        certificate: &Certificate,
        used_as: CertificateUse,
        at: Timestamp,
    ) -> CertificateReport {
        self.judge(certificate, used_as, at, false)
    }

    /// Checks a certificate that the operator himself has named: it needs no path to an anchor. Where there is one, it
    /// is not revoked; validity, usage and strength count as always.
    #[must_use]
    pub fn check_named(
        &self,
        certificate: &Certificate,
        used_as: CertificateUse,
        at: Timestamp,
    ) -> CertificateReport {
        self.judge(certificate, used_as, at, true)
    }

    fn judge(
        &self,
        certificate: &Certificate,
        used_as: CertificateUse,
        at: Timestamp,
        named: bool,
    ) -> CertificateReport {
        let mut check = Check { codes: used_as.codes(), findings: Vec::new(), detail: Vec::new() };
        let (math, path) = self.path(certificate, named, at, &mut check);
        self.usage(certificate, used_as, &mut check);
        self.strength(certificate, &mut check);
        self.validity(path.as_deref().unwrap_or(std::slice::from_ref(certificate)), at, &mut check);
        let offline = match math {
            _ if check.has_findings() => OfflineResult::Invalid,
            MathResult::Ok => OfflineResult::Valid,
            MathResult::Corrupted | MathResult::Indeterminate => OfflineResult::Indeterminate,
        };
        let online = path.and_then(|path| self.revocation(&path, at, &mut check));
        // The last entry of a feedback decides whether an order was executed (specification 1.2, section 5): warnings
        // stand first.
        check.findings.sort_by_key(|code| code.class() != FeedbackClass::Warning);
        CertificateReport {
            certificate: certificate.clone(),
            used_as,
            math,
            offline,
            online,
            findings: check.findings,
            detail: check.detail.join("; "),
        }
    }

    /// Certificates on the path of this one whose OCSP answer is missing or has ended, each with its issuer, for an
    /// [`OcspRequest`](super::OcspRequest). Empty for a certificate that leads to no anchor: nobody is asked about
    /// those.
    #[must_use]
    pub fn unanswered(&self, certificate: &Certificate, at: Timestamp) -> Vec<(Certificate, Certificate)> {
        let Path::Found(path) = path::find(certificate, self, at) else {
            return Vec::new();
        };
        let pairs = path.windows(2).filter_map(|pair| match pair {
            [certificate, issuer] => Some((certificate.clone(), issuer.clone())),
            _ => None,
        });
        pairs.filter(|(certificate, _)| self.answers.is_due(certificate, at)).collect()
    }

    fn path(
        &self,
        certificate: &Certificate,
        named: bool,
        at: Timestamp,
        check: &mut Check,
    ) -> (MathResult, Option<Vec<Certificate>>) {
        match path::find(certificate, self, at) {
            Path::Found(path) => (MathResult::Ok, Some(path)),
            Path::Unknown(_) if named => (MathResult::Indeterminate, Some(vec![certificate.clone()])),
            Path::SelfSigned { signature_right: true } if self.self_signed_ok || named => {
                (MathResult::Ok, Some(vec![certificate.clone()]))
            }
            Path::SelfSigned { signature_right: true } => {
                check.unacceptable("the certificate is self-signed and no anchor".to_owned());
                (MathResult::Indeterminate, None)
            }
            Path::SelfSigned { signature_right: false } => {
                check.unacceptable("the certificate is self-signed, and wrongly".to_owned());
                (MathResult::Corrupted, None)
            }
            Path::Corrupted(reason) => {
                check.unacceptable(reason);
                (MathResult::Corrupted, None)
            }
            Path::Refused(reason) | Path::Unknown(reason) => {
                check.unacceptable(reason);
                (MathResult::Indeterminate, None)
            }
        }
    }

    fn usage(&self, certificate: &Certificate, used_as: CertificateUse, check: &mut Check) {
        if used_as.signs() && !certificate.may_sign() {
            check.unacceptable("keyUsage has neither digitalSignature nor nonRepudiation".to_owned());
        }
        if !used_as.signs() && !certificate.may_encrypt() {
            check.unacceptable("keyUsage has neither keyEncipherment nor dataEncipherment".to_owned());
        }
        if !used_as.signs() && !matches!(certificate.key(), PublicKeyKind::Rsa { .. }) {
            check.unacceptable(format!("keys are wrapped with RSA, this is {}", certificate.key()));
        }
    }

    fn strength(&self, certificate: &Certificate, check: &mut Check) {
        match certificate.key() {
            PublicKeyKind::Rsa { bits } if bits < self.min_rsa_bits => {
                check.unacceptable(format!("the RSA key has {bits} bit, {} are demanded", self.min_rsa_bits));
            }
            PublicKeyKind::Ec { curve } if !self.curves.contains(&curve) => {
                check.unacceptable(format!("the key is on {curve}, which is not accepted"));
            }
            PublicKeyKind::Other => check.unacceptable("the key is neither RSA nor EC".to_owned()),
            PublicKeyKind::Rsa { .. } | PublicKeyKind::Ec { .. } => {}
        }
    }

    fn validity(&self, path: &[Certificate], at: Timestamp, check: &mut Check) {
        for certificate in path.iter().filter(|certificate| !is_valid(certificate, at)) {
            let (from, until) = (certificate.not_before(), certificate.not_after());
            check.warn(
                check.codes.validity,
                format!("\"{}\" is valid from {from} to {until}", certificate.subject()),
            );
            if self.validity == Severity::Refuse {
                check.find(check.codes.untrusted);
            }
        }
    }

    /// Asks the OCSP answers and the lists about all of the path but the anchor. What revokes counts, wherever it
    /// stands; so does what nobody says anything about. The result is that of the certificate itself, unless something
    /// is revoked.
    fn revocation(&self, path: &[Certificate], at: Timestamp, check: &mut Check) -> Option<OnlineResult> {
        let mut revoked = None;
        let mut own = None;
        // An anchor, or a self-signed certificate that may pass, has nobody who could revoke it: it is issued by nobody
        // in the path.
        let mut unknown = 0;
        for (index, pair) in path.windows(2).enumerate() {
            let [certificate, issuer] = pair else { continue };
            let known = self.known(certificate, issuer, at);
            if let Some(OnlineResult::Revoked(source)) = &known {
                let name = certificate.subject();
                check.detail.push(match source {
                    RevocationSource::Crl(_) => format!("\"{name}\" is on the revocation list"),
                    RevocationSource::Ocsp(_) => format!("\"{name}\" is revoked, says its responder"),
                });
                revoked = known;
                continue;
            }
            unknown += usize::from(known.is_none());
            if index == 0 {
                own = known;
            }
        }
        match (&revoked, self.revocation) {
            (Some(_), _) => check.warn(check.codes.revoked, "revoked".to_owned()),
            (None, RevocationDemand::Warn) if unknown > 0 => {
                check.warn(check.codes.incomplete, missing(unknown, path));
            }
            (None, RevocationDemand::Require) if unknown > 0 => {
                check.warn(check.codes.incomplete, format!("{}, and it is demanded", missing(unknown, path)));
                check.find(check.codes.untrusted);
            }
            (None, _) => {}
        }
        revoked.or(own)
    }

    /// What answers and lists say about one certificate: what revokes outweighs the rest.
    fn known(&self, certificate: &Certificate, issuer: &Certificate, at: Timestamp) -> Option<OnlineResult> {
        use OnlineResult::{Ok, Revoked};
        use RevocationSource::{Crl, Ocsp};
        match (self.answers.about(certificate, at), self.listed(certificate, issuer, at)) {
            (_, Listed::Yes(this_update)) => Some(Revoked(Crl(this_update))),
            (Some(answer), _) if answer.revoked => Some(Revoked(Ocsp(answer.bytes))),
            (Some(answer), _) => Some(Ok(Ocsp(answer.bytes))),
            (None, Listed::No(this_update)) => Some(Ok(Crl(this_update))),
            (None, Listed::NotApplicable) => None,
        }
    }

    /// Whether the authorities of a path are valid and, as far as is known, not revoked. What nobody has said anything
    /// about holds: it is asked about afterwards ([`Self::unanswered`]).
    pub(super) fn authorities_hold(&self, path: &[Certificate], at: Timestamp) -> bool {
        let revoked = |pair: &[Certificate]| match pair {
            [certificate, issuer] => {
                matches!(self.known(certificate, issuer, at), Some(OnlineResult::Revoked(_)))
            }
            _ => false,
        };
        path.iter().skip(1).all(|authority| is_valid(authority, at)) && !path.windows(2).skip(1).any(revoked)
    }

    /// What the lists say together: one that revokes counts more than any that does not.
    fn listed(&self, certificate: &Certificate, issuer: &Certificate, at: Timestamp) -> Listed {
        let Ok((_, x509)) = X509Certificate::from_der(certificate.der()) else {
            return Listed::NotApplicable;
        };
        let rank = |listed: &Listed| match listed {
            Listed::Yes(time) => (2, *time),
            Listed::No(time) => (1, *time),
            Listed::NotApplicable => (0, Timestamp::MIN),
        };
        self.crls
            .iter()
            .map(|crl| crl.lists(&x509, issuer, at))
            .max_by_key(rank)
            .unwrap_or(Listed::NotApplicable)
    }
}

fn is_valid(certificate: &Certificate, at: Timestamp) -> bool {
    (certificate.not_before()..=certificate.not_after()).contains(&at)
}

fn missing(unknown: usize, path: &[Certificate]) -> String {
    let of = path.len().saturating_sub(1);
    format!("no revocation information about {unknown} of {of} certificates of the path")
}

/// What was found so far.
struct Check {
    codes: Codes,
    findings: Vec<F>,
    detail: Vec<String>,
}

impl Check {
    /// Each code once.
    fn find(&mut self, code: F) {
        if !self.findings.contains(&code) {
            self.findings.push(code);
        }
    }

    fn warn(&mut self, code: F, detail: String) {
        self.detail.push(detail);
        self.find(code);
    }

    fn unacceptable(&mut self, detail: String) {
        self.warn(self.codes.untrusted, detail);
    }

    fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }
}
