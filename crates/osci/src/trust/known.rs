//! Signatures over certificates that were found right once.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use super::x509::Verified;
use crate::certificate::Certificate;

/// Most pairs kept. Only certificates that a configured authority has signed are among them.
const MOST: usize = 1_024;

/// Pairs of certificates of which the second is signed by the first. That is a fact about their octets, whatever the
/// policy and the time; validity, revocation and the rules for authorities are looked at anew for every message. All
/// clones share it.
#[derive(Debug, Clone, Default)]
pub struct KnownSignatures(Arc<RwLock<HashSet<(Certificate, Certificate)>>>);

impl KnownSignatures {
    /// What `verify` says about the signature of `issuer` over `certificate`, asked only if it is not known to be
    /// right.
    pub(super) fn look(
        &self,
        issuer: &Certificate,
        certificate: &Certificate,
        verify: impl FnOnce() -> Verified,
    ) -> Verified {
        let pair = (issuer.clone(), certificate.clone());
        if self.0.read().unwrap_or_else(PoisonError::into_inner).contains(&pair) {
            return Verified::Right;
        }
        let verified = verify();
        if verified == Verified::Right {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() >= MOST {
                known.clear();
            }
            known.insert(pair);
        }
        verified
    }
}
