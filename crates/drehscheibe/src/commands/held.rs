//! What a release would hold back: deliveries that wait for targets which it lacks.

use dds_config::ProcessConfig;
use dds_depot::{CheckFinding, Release};
use dds_message::Code;

use crate::{Failure, node};

/// A warning per target that `release` lacks while deliveries wait for it; a note if the store cannot be asked. Where
/// no router has ever run there are none.
pub(crate) async fn held(config: &ProcessConfig, release: &Release) -> Vec<CheckFinding> {
    if !config.store.exists() {
        return Vec::new();
    }
    let waiting = async { Ok::<_, Failure>(node::reader(config)?.waiting().await?) };
    match waiting.await {
        Ok(waiting) => {
            let lacking = waiting.into_iter().filter(|(target, _)| release.target(target).is_none());
            lacking.map(|(target, deliveries)| finding(target.as_str(), deliveries)).collect()
        }
        Err(Failure { problem, .. }) => {
            let what = (
                format!("nicht zu sehen, was auf Ziele wartet: {}", problem.detail.german),
                format!("what waits for targets cannot be seen: {}", problem.detail.english),
            );
            vec![CheckFinding::error(problem.code, "", what).info()]
        }
    }
}

fn finding(target: &str, deliveries: u64) -> CheckFinding {
    let what = (
        format!("{deliveries} Zustellungen warten auf das Ziel {target}, das dieser Depotstand nicht hat"),
        format!("{deliveries} deliveries wait for the target {target}, which this release lacks"),
    );
    let remedy = (
        "Ziel beibehalten, oder mit „deliver redirect“ umleiten; sonst werden sie bei Fristende unzustellbar",
        "keep the target, or redirect them with “deliver redirect”; else they are dead letters at their deadline",
    );
    CheckFinding::error(Code::TARGET_UNKNOWN, "", what).warning().remedy(remedy)
}
