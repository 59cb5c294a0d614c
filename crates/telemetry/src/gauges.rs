//! Values that are read when the metrics page is asked for. They are written into a registry of that page alone, so
//! that a target that waits for nothing any more is not on the next one.

use std::collections::BTreeMap;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::metrics::PREFIX;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    kind: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Product {
    product: String,
    procedure: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Target {
    target: String,
}

/// Values that are read from store and workers when the metrics page is asked for.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    /// `message` or `delivery`, its state, how many.
    pub states: Vec<(&'static str, &'static str, u64)>,
    /// By product and procedure, see [`crate::Names`].
    pub products: BTreeMap<(String, String), Backlog>,
    /// By target, as many as shall have a name; the rest together is [`crate::OTHER`].
    pub targets: BTreeMap<String, Backlog>,
    /// Targets with waiting deliveries.
    pub targets_waiting: u64,
    /// Worker processes lost since the start.
    pub workers_lost: u64,
    /// OSCI deliveries set aside.
    pub osci_set_aside: u64,
}

/// Rückstand: deliveries that are not final.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many.
    pub deliveries: u64,
    /// Seconds that the oldest due one is overdue; 0 when none is.
    pub overdue: u64,
    /// Targets among theirs that are paused, because they fail or are unknown.
    pub paused: u64,
}

impl Backlog {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            deliveries: self.deliveries + other.deliveries,
            overdue: self.overdue.max(other.overdue),
            paused: self.paused + other.paused,
        }
    }
}

impl Gauges {
    pub(crate) fn registry(&self) -> Registry {
        let mut page = Page(Registry::with_prefix(PREFIX));
        let states = self
            .states
            .iter()
            .map(|(kind, state, count)| (State { kind, state }, *count))
            .collect::<Vec<_>>();
        page.family("in_state", "Messages and deliveries per state", states);
        let products = || {
            let label = |(product, procedure): &(String, String)| Product {
                product: product.clone(),
                procedure: procedure.clone(),
            };
            self.products.iter().map(move |(names, backlog)| (label(names), backlog))
        };
        page.family(
            "backlog",
            "Deliveries that are not final, by product and procedure",
            products().map(|(label, backlog)| (label, backlog.deliveries)),
        );
        page.family(
            "backlog_oldest_due_seconds",
            "How long the oldest due delivery is overdue, by product and procedure",
            products().map(|(label, backlog)| (label, backlog.overdue)),
        );
        let targets =
            || self.targets.iter().map(|(target, backlog)| (Target { target: target.clone() }, backlog));
        page.family(
            "target_backlog",
            "Deliveries that are not final, by target; the most troubled targets have a name",
            targets().map(|(label, backlog)| (label, backlog.deliveries)),
        );
        page.family(
            "target_oldest_due_seconds",
            "How long the oldest due delivery of a target is overdue",
            targets().map(|(label, backlog)| (label, backlog.overdue)),
        );
        page.family(
            "target_paused",
            "Targets with a backlog that are paused, because they fail or are unknown",
            targets().map(|(label, backlog)| (label, backlog.paused)),
        );
        let oldest = self.targets.values().map(|backlog| backlog.overdue).max().unwrap_or(0);
        page.one("oldest_due_seconds", "How long the oldest due delivery is overdue", oldest);
        page.one("targets_waiting", "Targets with waiting deliveries", self.targets_waiting);
        page.one(
            "osci_set_aside",
            "Deliveries in OSCI mailboxes of our own that cannot be taken over and wait",
            self.osci_set_aside,
        );
        page.0
    }
}

struct Page(Registry);

impl Page {
    fn one(&mut self, name: &str, help: &str, value: u64) {
        let gauge = Gauge::<i64>::default();
        gauge.set(number(value));
        self.0.register(name, help, gauge);
    }

    fn family<L>(&mut self, name: &str, help: &str, rows: impl IntoIterator<Item = (L, u64)>)
    where
        L: EncodeLabelSet + Clone + Eq + std::hash::Hash + std::fmt::Debug + Send + Sync + 'static,
    {
        let family = Family::<L, Gauge>::default();
        for (label, value) in rows {
            family.get_or_create(&label).set(number(value));
        }
        self.0.register(name, help, family);
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
