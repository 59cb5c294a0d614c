//! Answers of OCSP responders that still count.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::OcspAnswer;
use super::ocsp::latest_update;
use crate::certificate::Certificate;

/// Most answers kept. A certificate is asked about only when an accepted authority has issued it, so nobody fills this
/// at will.
const MOST: usize = 4_096;

/// Verified answers by certificate, each until its `nextUpdate`. Cheap to clone; all clones share them. Whoever asks
/// responders keeps the answers here, and [`TrustPolicy::check`](super::TrustPolicy::check) finds them.
///
/// An answer that revokes counts until one with a later `thisUpdate` says otherwise: neither a responder that is silent
/// nor somebody on the way to it who has kept an answer of yesterday must make a revoked certificate good. Nor may a
/// restart: whoever asks keeps such answers, and [`Self::recall`]s them.
#[derive(Debug, Clone, Default)]
pub struct OcspAnswers(Arc<RwLock<Known>>);

#[derive(Debug, Default)]
struct Known {
    answers: HashMap<Certificate, OcspAnswer>,
    /// Answers of an earlier process that revoked, by fingerprint of the certificate.
    recalled: HashMap<String, Recalled>,
}

#[derive(Debug)]
struct Recalled {
    this_update: Timestamp,
    bytes: Vec<u8>,
}

impl Known {
    /// Not if one that revokes is newer, or of the same moment and this one does not revoke.
    fn counts(&self, new: &OcspAnswer) -> bool {
        let kept = self.answers.get(&new.certificate).filter(|kept| kept.revoked);
        let recalled =
            || self.recalled.get(new.certificate.sha256_hex()).map(|recalled| recalled.this_update);
        let revoking = kept.map(|kept| kept.this_update).or_else(recalled);
        revoking.is_none_or(|revoking| (new.this_update, new.revoked) >= (revoking, true))
    }
}

impl OcspAnswers {
    /// What an earlier process knew as revoked: SHA-256 of the certificate in hex, with the octets of the answer.
    pub fn recall(&self, revoked: impl IntoIterator<Item = (String, Vec<u8>)>) {
        let recalled = revoked.into_iter().map(|(certificate, bytes)| {
            // Octets that cannot be read any more revoke until the responder is reached.
            let this_update = latest_update(&bytes).unwrap_or(Timestamp::MIN);
            (certificate, Recalled { this_update, bytes })
        });
        self.0.write().unwrap_or_else(PoisonError::into_inner).recalled.extend(recalled);
    }

    /// Whether an answer counts, after those that are kept: it does not if it is older than one that revokes.
    #[must_use]
    pub fn counts(&self, answer: &OcspAnswer) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).counts(answer)
    }

    /// Keeps an answer that counts, in place of an earlier one about the same certificate.
    pub fn keep(&self, answer: OcspAnswer) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if !known.counts(&answer) {
            return;
        }
        let Known { answers, recalled } = &mut *known;
        recalled.remove(answer.certificate.sha256_hex());
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
            let Recalled { this_update, bytes } = known.recalled.get(certificate.sha256_hex())?;
            let (certificate, this_update, bytes) = (certificate.clone(), *this_update, bytes.clone());
            Some(OcspAnswer { certificate, revoked: true, this_update, until: Timestamp::MIN, bytes })
        })
    }

    /// Whether the answer about a certificate is missing or has ended.
    #[must_use]
    pub fn is_due(&self, certificate: &Certificate, at: Timestamp) -> bool {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.answers.get(certificate).is_none_or(|answer| !answer.is_fresh(at))
    }
}
