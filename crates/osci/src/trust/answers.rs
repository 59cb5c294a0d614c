//! Answers of OCSP responders that still count.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;

use super::OcspAnswer;
use crate::certificate::Certificate;

/// Most answers kept. A certificate is asked about only when an accepted authority has issued it, so nobody fills this at will.
const MOST: usize = 4_096;

/// Verified answers by certificate, each until its `nextUpdate`. Cheap to clone; all clones share them. Whoever asks responders keeps
/// the answers here, and [`TrustPolicy::check`](super::TrustPolicy::check) finds them.
///
/// An answer that revokes counts until a newer one says otherwise: a responder that is silent must not make a revoked certificate good.
#[derive(Debug, Clone, Default)]
pub struct OcspAnswers(Arc<RwLock<HashMap<Certificate, OcspAnswer>>>);

impl OcspAnswers {
    /// Keeps an answer in place of an earlier one about the same certificate.
    pub fn keep(&self, answer: OcspAnswer) {
        let mut answers = self.0.write().unwrap_or_else(PoisonError::into_inner);
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
        let answers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(certificate).filter(|answer| answer.revoked || answer.is_fresh(at)).cloned()
    }

    /// Whether the answer about a certificate is missing or has ended.
    #[must_use]
    pub fn is_due(&self, certificate: &Certificate, at: Timestamp) -> bool {
        let answers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        answers.get(certificate).is_none_or(|answer| !answer.is_fresh(at))
    }
}
