//! Sources of the release in force, as the channels see them.

use dds_config::ProcessConfig;
use dds_depot::{AuthorRule, InForce};
use dds_inbound::Sources;
use dds_message::{Digest, SourceId};

use super::options;

/// Sources of the active release, for authentication.
pub(super) struct ActiveSources {
    pub(super) in_force: InForce,
    pub(super) config: ProcessConfig,
}

impl Sources for ActiveSources {
    fn by_token(&self, digest: &Digest) -> Option<SourceId> {
        self.in_force.get().source_by_token(digest).map(|source| source.id.clone())
    }

    fn by_certificate(&self, digest: &Digest) -> Option<SourceId> {
        self.in_force.get().source_by_certificate(digest).map(|source| source.id.clone())
    }

    fn limits(&self, source: &SourceId) -> Option<dds_inbound::Limits> {
        let release = self.in_force.get();
        Some(options::of_source(&self.config, release.source(source)?))
    }

    fn author(&self, source: &SourceId) -> AuthorRule {
        self.in_force.get().source(source).map_or_else(AuthorRule::default, |source| source.author)
    }
}
