//! `/metrics`: what waits, worked out when the page is asked for, beside what was counted.

use std::{cmp::Reverse, collections::BTreeMap, fmt};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use dds_depot::Release;
use dds_message::{Code, Problem, ProcedureId, TargetId, Timestamp};
use dds_store::Waiting;
use dds_telemetry::{Backlog, Gauges, Names, OTHER};

use super::{Admin, refuse};

/// So many targets have a name on the page. All that wait may be thousands, and a time series that was begun once stays
/// with whoever collects them; of those that are in trouble a person looks at a few.
const NAMED_TARGETS: usize = 20;

pub(super) async fn page(State(admin): State<Admin>) -> Response {
    let backlog = match admin.journal.backlog().await {
        Ok(backlog) => backlog,
        Err(error) => return refuse(&error.into()),
    };
    let osci_set_aside = match &admin.postbox {
        Some(postbox) => match postbox.run(|boxes| boxes.count_set_aside()).await {
            Ok(count) => count,
            Err(error) => return refuse(&error.into()),
        },
        None => 0,
    };
    let messages = backlog.messages.iter().map(|(state, count)| ("message", state.as_str(), *count));
    let deliveries = backlog.deliveries.iter().map(|(state, count)| ("delivery", state.as_str(), *count));
    let metrics = admin.telemetry.metrics();
    let (release, now) = (admin.router.release(), admin.clock.now());
    let targets = by_target(&backlog.waiting, now);
    let gauges = Gauges {
        states: messages.chain(deliveries).collect(),
        products: by_product(&backlog.waiting, &release, metrics.names(), now),
        targets_waiting: targets.len() as u64,
        targets: named(targets, |target| release.target(target).is_some()),
        workers_lost: admin.pool.lost(),
        osci_set_aside,
    };
    answer(metrics.page(&gauges))
}

fn answer(page: Result<String, fmt::Error>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match page {
        Ok(page) => ([(header::CONTENT_TYPE, kind)], page).into_response(),
        Err(fmt::Error) => {
            let text = ("die Metriken lassen sich nicht schreiben", "the metrics cannot be written");
            refuse(&Problem::new(Code::INTERNAL, text))
        }
    }
}

fn share(waiting: &Waiting, now: Timestamp) -> Backlog {
    Backlog {
        deliveries: waiting.deliveries,
        overdue: waiting.due.map_or(0, |due| now.since(due).as_secs()),
        paused: waiting.held.is_some_and(|until| until > now).into(),
    }
}

fn by_product(
    waiting: &[Waiting],
    release: &Release,
    names: &Names,
    now: Timestamp,
) -> BTreeMap<(String, String), Backlog> {
    let mut found = BTreeMap::<_, Backlog>::new();
    for one in waiting {
        let product = match release.target(&one.target) {
            Some(target) => names.product(target.product.as_deref().unwrap_or_default()),
            None => OTHER.to_owned(),
        };
        let procedure = names.procedure(one.procedure.as_ref().map_or("", ProcedureId::as_str));
        let backlog = found.entry((product, procedure)).or_default();
        *backlog = backlog.and(share(one, now));
    }
    found
}

fn by_target(waiting: &[Waiting], now: Timestamp) -> BTreeMap<&TargetId, Backlog> {
    let mut found = BTreeMap::<_, Backlog>::new();
    for one in waiting {
        let backlog = found.entry(&one.target).or_default();
        *backlog = backlog.and(share(one, now));
        // It has a share for each procedure, and is paused once.
        backlog.paused = backlog.paused.min(1);
    }
    found
}

/// The targets of the release that are in most trouble by name: paused ones first, then whose oldest delivery is most
/// overdue, then who has the most. All others together are [`OTHER`].
fn named(
    targets: BTreeMap<&TargetId, Backlog>,
    known: impl Fn(&TargetId) -> bool,
) -> BTreeMap<String, Backlog> {
    let mut targets: Vec<_> = targets.into_iter().collect();
    targets.sort_by_key(|(_, of)| Reverse((of.paused, of.overdue, of.deliveries)));
    let mut found = BTreeMap::<String, Backlog>::new();
    let mut places = NAMED_TARGETS;
    for (target, of) in targets {
        let name = if places > 0 && known(target) {
            places -= 1;
            target.as_str()
        } else {
            OTHER
        };
        let backlog = found.entry(name.to_owned()).or_default();
        *backlog = backlog.and(of);
    }
    found
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn waiting(target: &str, procedure: Option<&str>, deliveries: u64, due: i64, held: bool) -> Waiting {
        Waiting {
            target: TargetId::parse(target).unwrap(),
            procedure: procedure.map(|name| ProcedureId::parse(name).unwrap()),
            deliveries,
            due: Some(Timestamp(due)),
            held: held.then_some(Timestamp(i64::MAX)),
        }
    }

    const NOW: Timestamp = Timestamp(100_000);

    #[test]
    fn the_targets_in_most_trouble_have_a_name() {
        let mut all: Vec<_> =
            (0..30).map(|n| waiting(&format!("t{n:02}"), None, 1, n * 1_000, false)).collect();
        all.push(waiting("paused", Some("hundesteuer"), 2, 99_000, true));
        all.push(waiting("paused", Some("wohngeld"), 3, 98_000, true));
        all.push(waiting("gone", None, 7, 0, true));
        let found = named(by_target(&all, NOW), |target| target.as_str() != "gone");
        assert_eq!(found.len(), NAMED_TARGETS + 1);
        assert_eq!(found["paused"], Backlog { deliveries: 5, overdue: 2, paused: 1 });
        assert_eq!(found["t00"], Backlog { deliveries: 1, overdue: 100, paused: 0 });
        assert!(!found.contains_key("t19"), "not among the twenty");
        assert_eq!(found[OTHER], Backlog { deliveries: 11 + 7, overdue: 100, paused: 1 });
    }

    #[test]
    fn what_is_not_due_yet_or_in_doubt_is_not_overdue() {
        let later = waiting("t", None, 1, 100_001, false);
        let doubt = Waiting { due: None, ..later.clone() };
        let past = Waiting { held: Some(Timestamp(99_999)), ..later.clone() };
        for one in [later, doubt, past] {
            assert_eq!(share(&one, NOW), Backlog { deliveries: 1, overdue: 0, paused: 0 });
        }
    }

    #[tokio::test]
    async fn a_page_that_cannot_be_written_is_no_empty_page() {
        let refused = answer(Err(fmt::Error));
        assert_eq!(refused.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = axum::body::to_bytes(refused.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains("the metrics cannot be written"));
        assert_eq!(answer(Ok("# EOF\n".to_owned())).status(), StatusCode::OK);
    }
}
