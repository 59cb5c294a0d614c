//! Certificate policy (Zertifikatsprüfung) of a role: chain, validity, key usage, strength, revocation.

//!
//! Sans-IO: revocation lists and OCSP answers are bytes somebody has fetched from configured places. The path check is
//! our own small one, because an inspection must tell signature, validity and revocation apart (docs/decisions/0011).

use jiff::Timestamp;
use thiserror::Error;

use crate::certificate::{Certificate, Curve};
use crate::feedback::{FeedbackClass, FeedbackCode};

mod answers;
mod check;
mod crl;
mod known;
mod ocsp;
mod path;
mod x509;

pub use answers::OcspAnswers;
pub use crl::RevocationList;
pub use known::KnownSignatures;
pub use ocsp::{OcspAnswer, OcspError, OcspRequest};

/// Why revocation information cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TrustError {
    /// Not a revocation list.
    #[error("not a revocation list (CRL)")]
    MalformedCrl,
    /// A delta list, an indirect list or one for a part of the certificates.
    #[error("a revocation list (CRL) with critical extensions is not supported")]
    UnsupportedCrl,
}

/// What a certificate is used as in a message; decides about the feedback code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateUse {
    /// Cipher certificate of the client (35xx, 95xx).
    ClientCipher,
    /// Signature certificate of the client (3700, 9700, 9701).
    ClientSignature,
    /// Cipher certificate of an author (3704, 9704, 9705).
    AuthorCipher,
    /// Signature certificate of an author (3701–3703).
    AuthorSignature,
    /// Cipher certificate of the recipient (3705, 9706, 9707).
    AddresseeCipher,
    /// Signature certificate of the recipient (3708, 9711, 9712).
    AddresseeSignature,
    /// Cipher certificate of a reader (3706, 9708, 9709).
    ReaderCipher,
    /// Signature certificate in the response of a passive recipient (3708, 9711, 9712).
    RecipientResponseSignature,
}

/// `MathResult` of an inspection: the signature over the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MathResult {
    /// Every signature of the path is right.
    Ok,
    /// A signature of the path is wrong.
    Corrupted,
    /// No path to an anchor was found.
    Indeterminate,
}

/// `OfflineResult` of an inspection: what can be said without asking anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfflineResult {
    /// Path, validity, usage and strength are right.
    Valid,
    /// Something of them is wrong.
    Invalid,
    /// It could not be decided.
    Indeterminate,
}

/// `OnlineResult` of an inspection: revocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnlineResult {
    /// Not revoked.
    Ok(RevocationSource),
    /// Revoked.
    Revoked(RevocationSource),
}

/// Where the answer about revocation comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationSource {
    /// A revocation list, with its `thisUpdate`.
    Crl(Timestamp),
    /// An OCSP response, as received.
    Ocsp(Vec<u8>),
}

/// What to do about a certificate outside its validity, which the code table has as a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Report the warning and go on.
    Warn,
    /// Refuse.
    Refuse,
}

/// When revocation information is demanded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RevocationDemand {
    /// Use what there is; silence is fine.
    IfAvailable,
    /// Without an answer about each certificate of the path but the anchor the check is incomplete: a warning (3501,
    /// 3707).
    Warn,
    /// Without an answer about each certificate of the path but the anchor the certificate is refused.
    Require,
}

/// Which certificates are accepted.
#[derive(Debug, Clone)]
pub struct TrustPolicy {
    /// Trust anchors (Vertrauensanker).
    pub anchors: Vec<Certificate>,
    /// Intermediate certificates; messages carry no chains (facts 10).
    pub intermediates: Vec<Certificate>,
    /// Revocation lists.
    pub crls: Vec<RevocationList>,
    /// Answers of OCSP responders.
    pub answers: OcspAnswers,
    /// Shortest RSA key, in bits.
    pub min_rsa_bits: u32,
    /// Accepted curves.
    pub curves: Vec<Curve>,
    /// Whether a self-signed certificate that is not an anchor may pass.
    pub self_signed_ok: bool,
    /// Outside its validity: warn (the class of the code table) or refuse.
    pub validity: Severity,
    /// Whether revocation information is demanded.
    pub revocation: RevocationDemand,
    /// Signatures over certificates that need not be verified again.
    pub signatures: KnownSignatures,
}

/// Result of the check of one certificate: feedback and material of the inspection (Prüfprotokoll).
#[derive(Debug, Clone)]
pub struct CertificateReport {
    /// The certificate.
    pub certificate: Certificate,
    /// What it is used as.
    pub used_as: CertificateUse,
    /// Signatures of the path.
    pub math: MathResult,
    /// What can be said offline.
    pub offline: OfflineResult,
    /// Revocation, if known.
    pub online: Option<OnlineResult>,
    /// Feedback codes, worst last.
    pub findings: Vec<FeedbackCode>,
    /// For our log and `inspect`.
    pub detail: String,
}

impl Default for TrustPolicy {
    /// Strict, and without any anchor: refuses every certificate.
    fn default() -> Self {
        Self {
            anchors: Vec::new(),
            intermediates: Vec::new(),
            crls: Vec::new(),
            answers: OcspAnswers::default(),
            min_rsa_bits: 3072,
            curves: vec![Curve::P256, Curve::P384, Curve::P521],
            self_signed_ok: false,
            validity: Severity::Refuse,
            revocation: RevocationDemand::IfAvailable,
            signatures: KnownSignatures::default(),
        }
    }
}

impl TrustPolicy {
    /// Whether an authority of this policy has signed the list, and may. A list that nobody known has signed says
    /// nothing.
    #[must_use]
    pub fn has_signed(&self, list: &RevocationList) -> bool {
        self.anchors.iter().chain(&self.intermediates).any(|issuer| list.signed_by(issuer))
    }

    /// This policy in place of an earlier one. What responders have said goes on counting; and a revocation list gives
    /// way neither to an older one of the same authority nor to one that no authority of the policy has signed, because
    /// a copy of yesterday would make good whoever was revoked today.
    #[must_use]
    pub fn in_place_of(self, earlier: &Self) -> Self {
        let worth = |list: &RevocationList| (self.has_signed(list), list.this_update());
        let in_force = |list: &RevocationList| {
            let before = earlier.crls.iter().filter(|before| before.continues(list));
            let best = before.max_by_key(|before| worth(before)).filter(|before| worth(before) > worth(list));
            best.unwrap_or(list).clone()
        };
        let crls = self.crls.iter().map(in_force).collect();
        Self { crls, answers: earlier.answers.clone(), ..self }
    }
}

impl CertificateReport {
    /// [`Self::detail`] for a log: the holder, who may be a natural person, is named by the fingerprint of the
    /// certificate.
    #[must_use]
    pub fn detail_without_holder(&self) -> String {
        let holder = self.certificate.subject();
        if holder.is_empty() {
            return self.detail.clone();
        }
        self.detail.replace(holder, self.certificate.sha256_hex())
    }

    /// Whether the certificate is refused: a finding has the class error or fault. An author's signature certificate
    /// never is; the code table has only warnings for it (3701–3703), and its reader decides.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.findings
            .iter()
            .any(|code| matches!(code.class(), FeedbackClass::Error | FeedbackClass::Fault(_)))
    }
}

#[cfg(test)]
mod tests;
