//! Digests of octets that pass by.

use crate::algorithm::{DigestAlgorithm, Hasher};

/// The digest algorithms that occur in the octets of an envelope, and SHA-256 always.
///
/// A plain search for the URIs, because an envelope that came encrypted must not be parsed before its tag was verified,
/// and its attachments pass before that. A URI that is written with character references is not found; then the digest
/// counts as wrong.
pub(super) fn named(envelope: &[u8]) -> Vec<DigestAlgorithm> {
    let mut algorithms = vec![DigestAlgorithm::Sha256];
    for algorithm in DigestAlgorithm::ALL {
        let known = algorithms.contains(algorithm) || Hasher::new(*algorithm).is_none();
        if !known && memchr::memmem::find(envelope, algorithm.uri().as_bytes()).is_some() {
            algorithms.push(*algorithm);
        }
    }
    algorithms
}

/// Several digests at once.
pub(crate) struct MultiHasher(Vec<(DigestAlgorithm, Hasher)>);

impl MultiHasher {
    pub(crate) fn new(algorithms: &[DigestAlgorithm]) -> Self {
        Self(algorithms.iter().filter_map(|algorithm| Some((*algorithm, Hasher::new(*algorithm)?))).collect())
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        for (_, hasher) in &mut self.0 {
            hasher.update(octets);
        }
    }

    pub(crate) fn finish(self) -> Vec<(DigestAlgorithm, Vec<u8>)> {
        self.0.into_iter().map(|(algorithm, hasher)| (algorithm, hasher.finish())).collect()
    }
}
