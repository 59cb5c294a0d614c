//! What a release would hold back: deliveries that wait for targets which it lacks.

use std::collections::BTreeMap;

use dds_config::{ProcessConfig, ReleaseStore};
use dds_depot::{CheckFinding, Release};
use dds_message::{Code, TargetId};

use crate::{Failure, node};

/// What a release would hold back.
pub(crate) struct Held {
    /// Deliveries by target.
    waiting: BTreeMap<TargetId, u64>,
    /// Why the store cannot be asked.
    unseen: Option<CheckFinding>,
}

impl Held {
    /// What waits for targets that `release` lacks. Where no router has ever run that is nothing.
    pub(crate) async fn by(config: &ProcessConfig, release: &Release) -> Self {
        let mut held = Self { waiting: BTreeMap::new(), unseen: None };
        if !config.store.exists() {
            return held;
        }
        let waiting = async { Ok::<_, Failure>(node::log_reader(config)?.waiting().await?) };
        match waiting.await {
            Ok(mut waiting) => {
                waiting.retain(|target, _| release.target(target).is_none());
                held.waiting = waiting;
            }
            Err(Failure { problem, .. }) => {
                let what = (
                    format!("nicht zu sehen, was auf Ziele wartet: {}", problem.detail.german),
                    format!("what waits for targets cannot be seen: {}", problem.detail.english),
                );
                held.unseen = Some(CheckFinding::error(problem.code, "", what).info());
            }
        }
        held
    }

    /// A warning per target; a note if the store cannot be asked.
    pub(crate) fn findings(&self) -> Vec<CheckFinding> {
        let held = self.waiting.iter().map(|(target, deliveries)| finding(target, *deliveries));
        held.chain(self.unseen.clone()).collect()
    }

    /// How many deliveries wait for targets that the release in force has: what it lacks too is taken from nobody.
    /// Where it cannot be read, it may have had any.
    pub(crate) fn taken(&self, releases: &ReleaseStore) -> u64 {
        if self.waiting.is_empty() {
            return 0;
        }
        let before = super::active(releases).ok();
        let had = |target: &TargetId| before.as_ref().is_none_or(|before| before.target(target).is_some());
        self.waiting.iter().filter(|(target, _)| had(target)).map(|(_, deliveries)| deliveries).sum()
    }
}

fn finding(target: &TargetId, deliveries: u64) -> CheckFinding {
    let what = (
        format!("dieser Depotstand hat das Ziel {target} nicht, auf das Zustellungen warten ({deliveries})"),
        format!("this release lacks the target {target}, for which deliveries wait ({deliveries})"),
    );
    let remedy = (
        "Ziel beibehalten, oder mit „deliver redirect“ umleiten; sonst werden sie bei Fristende unzustellbar",
        "keep the target, or redirect them with “deliver redirect”; else they are dead letters at their deadline",
    );
    CheckFinding::error(Code::TARGET_UNKNOWN, "", what).warning().remedy(remedy)
}
