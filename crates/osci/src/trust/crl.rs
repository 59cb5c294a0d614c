//! Revocation lists (Sperrlisten, CRL).

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use x509_parser::oid_registry::OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER;
use x509_parser::prelude::{CertificateRevocationList, FromDer as _, X509Certificate};

use super::TrustError;
use super::x509::{Verified, verify};
use crate::certificate::Certificate;

/// A revocation list, parsed once. Its signature is verified when it is first used.
#[derive(Clone)]
pub struct RevocationList(Arc<Inner>);

struct Inner {
    der: Vec<u8>,
    /// Name of the issuer as bytes.
    issuer: Vec<u8>,
    /// Which of his keys has signed (authorityKeyIdentifier); empty if the list does not say.
    issuer_key: Vec<u8>,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    revoked: HashSet<Vec<u8>>,
    /// Authorities whose signature is right; several if one was renewed with its key.
    verified_by: RwLock<HashSet<Certificate>>,
}

/// What a list says about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    No(Timestamp),
    Yes(Timestamp),
    /// The list is by somebody else, not signed right, or not of this time.
    NotApplicable,
}

impl RevocationList {
    /// Reads a list in DER.
    ///
    /// # Errors
    /// [`TrustError`] if it is not exactly one CRL, or one with critical extensions: delta lists, and lists for a part
    /// of the certificates, answer another question than ours.
    pub fn from_der(der: Vec<u8>) -> Result<Self, TrustError> {
        let (rest, crl) = CertificateRevocationList::from_der(&der).map_err(|_| TrustError::MalformedCrl)?;
        let entries = || crl.iter_revoked_certificates();
        let critical =
            crl.extensions().iter().chain(entries().flat_map(|entry| entry.extensions())).any(|e| e.critical);
        if !rest.is_empty() {
            return Err(TrustError::MalformedCrl);
        }
        if critical {
            return Err(TrustError::UnsupportedCrl);
        }
        let time = |time: x509_parser::time::ASN1Time| {
            Timestamp::from_second(time.timestamp()).map_err(|_| TrustError::MalformedCrl)
        };
        let inner = Inner {
            issuer: crl.issuer().as_raw().to_vec(),
            issuer_key: crl
                .extensions()
                .iter()
                .find(|extension| extension.oid == OID_X509_EXT_AUTHORITY_KEY_IDENTIFIER)
                .map_or_else(Vec::new, |extension| extension.value.to_vec()),
            this_update: time(crl.last_update())?,
            next_update: crl.next_update().map(time).transpose()?,
            revoked: entries().map(|entry| entry.raw_serial().to_vec()).collect(),
            verified_by: RwLock::default(),
            der: Vec::new(),
        };
        drop(crl);
        Ok(Self(Arc::new(Inner { der, ..inner })))
    }

    /// `thisUpdate` of the list.
    #[must_use]
    pub fn this_update(&self) -> Timestamp {
        self.0.this_update
    }

    /// `nextUpdate` of the list: from then on it says nothing any more.
    #[must_use]
    pub fn next_update(&self) -> Option<Timestamp> {
        self.0.next_update
    }

    /// What the list says about a certificate by this issuer. A list whose `nextUpdate` has passed still revokes, but
    /// no longer clears.
    pub(super) fn lists(
        &self,
        certificate: &X509Certificate<'_>,
        issuer: &Certificate,
        at: Timestamp,
    ) -> Listed {
        let applicable = self.0.issuer == certificate.issuer().as_raw() && self.0.this_update <= at;
        if !applicable || !self.signed_by(issuer) {
            return Listed::NotApplicable;
        }
        if self.0.revoked.contains(certificate.raw_serial()) {
            return Listed::Yes(self.0.this_update);
        }
        match self.0.next_update {
            Some(next) if at <= next => Listed::No(self.0.this_update),
            _ => Listed::NotApplicable,
        }
    }

    /// Whether both are by the same issuer with the same key, so that the newer one stands for the other.
    pub(super) fn continues(&self, other: &Self) -> bool {
        (&self.0.issuer, &self.0.issuer_key) == (&other.0.issuer, &other.0.issuer_key)
    }

    /// Whether this certificate, which may sign lists, has signed this one.
    pub(super) fn signed_by(&self, issuer: &Certificate) -> bool {
        let verified_by = &self.0.verified_by;
        if verified_by.read().unwrap_or_else(PoisonError::into_inner).contains(issuer) {
            return true;
        }
        let right = self.verify(issuer).unwrap_or(false);
        if right {
            verified_by.write().unwrap_or_else(PoisonError::into_inner).insert(issuer.clone());
        }
        right
    }

    /// Signature and cRLSign of the issuer.
    fn verify(&self, issuer: &Certificate) -> Option<bool> {
        let (_, x509) = X509Certificate::from_der(issuer.der()).ok()?;
        if x509.subject().as_raw() != self.0.issuer {
            return None;
        }
        let (_, crl) = CertificateRevocationList::from_der(&self.0.der).ok()?;
        let may = x509.key_usage().ok()?.is_none_or(|usage| usage.value.crl_sign());
        let signed = crl.tbs_cert_list.as_ref();
        let right =
            verify(&crl.signature_algorithm, signed, &crl.signature_value.data, issuer) == Verified::Right;
        Some(may && right)
    }
}

impl std::fmt::Debug for RevocationList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RevocationList")
            .field("this_update", &self.0.this_update)
            .field("next_update", &self.0.next_update)
            .field("revoked", &self.0.revoked.len())
            .finish_non_exhaustive()
    }
}
