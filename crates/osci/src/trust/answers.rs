//! Answers of OCSP responders that still count.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::OcspAnswer;
use crate::certificate::Certificate;

/// Most answers kept. A certificate is asked about only when an accepted authority has issued it, so nobody fills this
/// at will.
const MOST: usize = 4_096;

/// Verified answers by certificate, each until its `nextUpdate`. Cheap to clone; all clones share them. Whoever asks
/// responders keeps the answers here, and [`TrustPolicy::check`](super::TrustPolicy::check) finds them.
///
/// An answer that revokes counts until a newer one says otherwise: a responder that is silent must not make a revoked
/// certificate good. Nor may a restart: whoever asks keeps such answers, and [`Self::recall`]s them.
#[derive(Debug, Clone, Default)]
pub struct OcspAnswers(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    answers: HashMap<Certificate, OcspAnswer>,
    /// Answers of an earlier process that revoked, by fingerprint of the certificate.
    revoked: HashMap<String, Vec<u8>>,
}

impl OcspAnswers {
    /// What an earlier process knew as revoked: SHA-256 of the certificate in hex, with the octets of the answer.
    pub fn recall(&self, revoked: impl IntoIterator<Item = (String, Vec<u8>)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).revoked.extend(revoked);
    }

    /// Keeps an answer in place of an earlier one about the same certificate.
    pub fn keep(&self, answer: OcspAnswer) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Known { answers, revoked } = &mut *known;
        revoked.remove(answer.certificate.sha256_hex());
        if answers.len() >= MOST && !answers.contains_key(&answer.certificate) {
            let soonest = answers.values().min_by_key(|answer| (answer.revoked, answer.until));
            if let Some(certificate) = soonest.map(|answer| answer.certificate.clone()) {
                answers.remove(&certificate);
            }
        }
        answers.insert(answer.certificate.clone(), answer);
    }

    /// What is known about a certificate at this time.
    #[must_use]
    pub fn about(&self, certificate: &Certificate, at: Timestamp) -> Option<OcspAnswer> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let answer = known.answers.get(certificate).filter(|answer| answer.revoked || answer.is_fresh(at));
        answer.cloned().or_else(|| {
            let bytes = known.revoked.get(certificate.sha256_hex())?.clone();
            Some(OcspAnswer { certificate: certificate.clone(), revoked: true, until: Timestamp::MIN, bytes })
        })
    }

    /// Whether the answer about a certificate is missing or has ended.
    #[must_use]
    pub fn is_due(&self, certificate: &Certificate, at: Timestamp) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.answers.get(certificate).is_none_or(|answer| !answer.is_fresh(at))
    }
}
