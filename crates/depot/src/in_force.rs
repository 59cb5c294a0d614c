//! The release in force.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::Release;

/// Geltender Depotstand, shared by all who ask for it: whoever switches it, switches it for all of them in one step
/// (invariant I10). Cheap to clone.
#[derive(Debug, Clone)]
pub struct InForce(Arc<ArcSwap<Release>>);

impl InForce {
    /// Puts the first release in force.
    #[must_use]
    pub fn new(release: Release) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(release)))
    }

    /// The release in force.
    #[must_use]
    pub fn get(&self) -> Release {
        Release::clone(&self.0.load())
    }

    /// Puts another in force, for whatever is asked from now on.
    pub fn switch(&self, release: Release) {
        self.0.store(Arc::new(release));
    }
}

impl From<Release> for InForce {
    fn from(release: Release) -> Self {
        Self::new(release)
    }
}
