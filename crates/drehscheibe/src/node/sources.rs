//! Sources of the release in force, as the channels see them.

use arc_swap::ArcSwap;
use dds_config::ProcessConfig;
use dds_depot::{AuthorRule, Release};
use dds_inbound::Sources;
use dds_message::{Digest, SourceId};

use super::options;

/// Sources of the active release, for authentication.
pub(super) struct ActiveSources {
    pub(super) release: ArcSwap<Release>,
    pub(super) config: ProcessConfig,
}

impl Sources for ActiveSources {
    fn by_token(&self, digest: &Digest) -> Option<SourceId> {
        self.release.load().source_by_token(digest).map(|source| source.id.clone())
    }

    fn by_certificate(&self, digest: &Digest) -> Option<SourceId> {
        self.release.load().source_by_certificate(digest).map(|source| source.id.clone())
    }

    fn limits(&self, source: &SourceId) -> Option<dds_inbound::Limits> {
        let release = self.release.load();
        Some(options::of_source(&self.config, release.source(source)?))
    }

    fn author(&self, source: &SourceId) -> AuthorRule {
        self.release.load().source(source).map_or_else(AuthorRule::default, |source| source.author)
    }
}
