//! Who may come in.

use dds_depot::AuthorRule;
use dds_message::{Digest, SourceId};

use crate::Limits;

/// Knows the sources (Quellen) and their credentials; implemented over the active release, so that a source added
/// there is known with the next request.
pub trait Sources: Send + Sync + 'static {
    /// The source whose bearer token has this SHA-256. Compare in constant time.
    fn by_token(&self, digest: &Digest) -> Option<SourceId>;
    /// The source whose client certificate (DER) has this SHA-256.
    fn by_certificate(&self, digest: &Digest) -> Option<SourceId>;
    /// Limits of its own; `None`: the global ones.
    fn limits(&self, source: &SourceId) -> Option<Limits>;
    /// What its authors' signatures must be worth (OSCI).
    fn author(&self, source: &SourceId) -> AuthorRule;
}

/// Sources in a plain table, for tests; none has limits of its own.
#[derive(Debug, Clone, Default)]
pub struct SourceTable {
    tokens: Vec<(Digest, SourceId)>,
    certificates: Vec<(Digest, SourceId)>,
    authors: Vec<(SourceId, AuthorRule)>,
}

impl SourceTable {
    /// Adds a source with the SHA-256 of its token.
    #[must_use]
    pub fn with_token(mut self, source: SourceId, digest: Digest) -> Self {
        self.tokens.push((digest, source));
        self
    }

    /// Adds a source with the SHA-256 of its client certificate.
    #[must_use]
    pub fn with_certificate(mut self, source: SourceId, digest: Digest) -> Self {
        self.certificates.push((digest, source));
        self
    }

    /// Demands something of the authors of a source.
    #[must_use]
    pub fn with_author(mut self, source: SourceId, rule: AuthorRule) -> Self {
        self.authors.push((source, rule));
        self
    }
}

impl Sources for SourceTable {
    fn by_token(&self, digest: &Digest) -> Option<SourceId> {
        find(&self.tokens, digest)
    }

    fn by_certificate(&self, digest: &Digest) -> Option<SourceId> {
        find(&self.certificates, digest)
    }

    fn limits(&self, _source: &SourceId) -> Option<Limits> {
        None
    }

    fn author(&self, source: &SourceId) -> AuthorRule {
        let found = self.authors.iter().find(|(known, _)| known == source);
        found.map_or_else(AuthorRule::default, |(_, rule)| *rule)
    }
}

/// Looks at every entry and every byte, so that the time taken tells nothing about how near a guess came.
fn find(table: &[(Digest, SourceId)], digest: &Digest) -> Option<SourceId> {
    let mut found = None;
    for (known, source) in table {
        let difference = known.0.iter().zip(digest.0).fold(0u8, |sum, (a, b)| sum | (a ^ b));
        if std::hint::black_box(difference) == 0 {
            found = Some(source);
        }
    }
    found.cloned()
}
