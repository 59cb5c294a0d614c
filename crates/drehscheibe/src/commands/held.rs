//! What a release would hold back: deliveries that wait for targets which it lacks, or serves another way.

use std::collections::BTreeMap;

use dds_config::{ProcessConfig, ReleaseStore};
use dds_depot::{CheckFinding, Release};
use dds_message::{Code, TargetId};

use crate::{Failure, node};

/// What a release would hold back.
pub(crate) struct Held {
    /// Deliveries by target and whether they wait to be fetched; and whether the release has the target.
    waiting: BTreeMap<(TargetId, bool), (u64, bool)>,
    /// Why the store cannot be asked.
    unseen: Option<CheckFinding>,
}

impl Held {
    /// What waits for targets that `release` lacks or serves another way. Where no router has ever run that is nothing.
    pub(crate) async fn by(config: &ProcessConfig, release: &Release) -> Self {
        let mut held = Self { waiting: BTreeMap::new(), unseen: None };
        if !config.store.exists() {
            return held;
        }
        let waiting = async { Ok::<_, Failure>(node::log_reader(config)?.waiting().await?) };
        match waiting.await {
            Ok(waiting) => {
                let left = waiting.into_iter().filter(|((target, pull), _)| !serves(release, target, *pull));
                let known = |(key, deliveries): ((TargetId, bool), u64)| {
                    let has = release.target(&key.0).is_some();
                    (key, (deliveries, has))
                };
                held.waiting = left.map(known).collect();
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
        let held = self.waiting.iter().map(|((target, pull), (deliveries, has))| match has {
            true => turned(target, *pull, *deliveries),
            false => lost(target, *deliveries),
        });
        held.chain(self.unseen.clone()).collect()
    }

    /// How many deliveries wait for what the release in force still does for them: what it does not do either is taken
    /// from nobody. Where it cannot be read, it may have done it all.
    pub(crate) fn taken(&self, releases: &ReleaseStore) -> u64 {
        if self.waiting.is_empty() {
            return 0;
        }
        let before = super::active(releases).ok();
        let had = |target: &TargetId, pull| before.as_ref().is_none_or(|before| serves(before, target, pull));
        let taken = self.waiting.iter().filter(|((target, pull), _)| had(target, *pull));
        taken.map(|(_, (deliveries, _))| deliveries).sum()
    }
}

/// Whether `release` serves deliveries to `target` that wait to be fetched (`pull`) or to be sent. A delivery keeps the
/// way it was planned with.
pub(crate) fn serves(release: &Release, target: &TargetId, pull: bool) -> bool {
    release.target(target).is_some_and(|target| target.pull == pull)
}

fn lost(target: &TargetId, deliveries: u64) -> CheckFinding {
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

fn turned(target: &TargetId, pull: bool, deliveries: u64) -> CheckFinding {
    let (german, english) = match pull {
        true => ("holt nicht mehr ab", "fetches no more"),
        false => ("holt jetzt ab", "fetches now"),
    };
    let what = (
        format!("das Ziel {target} {german}, und auf dem alten Weg warten Zustellungen ({deliveries})"),
        format!("the target {target} {english}, and deliveries wait on the old way ({deliveries})"),
    );
    let remedy = (
        "Weg beibehalten, bis sie zugestellt sind, oder sie danach mit „deliver redirect“ an dasselbe Ziel neu stellen",
        "keep the way until they are delivered, or make them anew afterwards with “deliver redirect” to the same target",
    );
    CheckFinding::error(Code::TARGET_UNKNOWN, "", what).warning().remedy(remedy)
}
