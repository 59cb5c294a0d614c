//! The release in force.

use dds_depot::Release;

/// A release as the router uses it.
pub struct Active {
    /// The release.
    pub release: Release,
}

impl Active {
    /// Puts `release` into force.
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self { release }
    }
}
