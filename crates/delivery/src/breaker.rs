//! Circuit breaker: a target that fails again and again is left alone for a while, then tried once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dds_message::{TargetId, Timestamp};
use parking_lot::Mutex;

/// The breakers of all targets that fail, or that attempts are under way at; any other is as good as new.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<HashMap<TargetId, Arc<Mutex<Breaker>>>>);

impl Breakers {
    /// The breaker of a target, for one attempt.
    pub(crate) fn of(&self, target: &TargetId) -> Arc<Mutex<Breaker>> {
        let mut breakers = self.0.lock();
        breakers.retain(|_, breaker| Arc::strong_count(breaker) > 1 || breaker.lock().failures > 0);
        Arc::clone(breakers.entry(target.clone()).or_default())
    }
}

/// State of one target's breaker. Pure; the scheduler keeps one per target.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    failures: u32,
    open_until: Option<Timestamp>,
    probing: bool,
}

/// May an attempt begin?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Go,
    /// As the only one: it finds out whether the target is back.
    Probe,
    /// Not before this moment.
    Wait(Timestamp),
}

/// What was claimed together with the probe asks again after this time; all else waits in the queue until the probe has
/// ended.
const BESIDE_THE_PROBE: Duration = Duration::from_secs(1);

impl Breaker {
    /// Asks for an attempt at `now`. After the pause one attempt goes ahead as a probe.
    pub(crate) fn ask(&mut self, now: Timestamp) -> Permission {
        match self.open_until {
            None => Permission::Go,
            Some(until) if now < until => Permission::Wait(until),
            Some(_) if self.probing => Permission::Wait(now.plus(BESIDE_THE_PROBE)),
            Some(_) => {
                self.probing = true;
                Permission::Probe
            }
        }
    }

    /// The target answered, be it with a refusal: it is alive. Whether that ends a pause.
    pub(crate) fn alive(&mut self) -> bool {
        std::mem::take(self).open_until.is_some()
    }

    /// The attempt that was allowed did not take place, so it says nothing about the target: the next one may probe.
    /// Whether it was a probe.
    pub(crate) const fn not_tried(&mut self) -> bool {
        std::mem::replace(&mut self.probing, false)
    }

    /// The target failed; opens after `threshold` failures in a row, at once when a probe fails. Returns the end of the
    /// pause when the breaker opened now.
    pub(crate) fn failed(
        &mut self,
        now: Timestamp,
        (threshold, pause): (u32, Duration),
    ) -> Option<Timestamp> {
        self.failures = self.failures.saturating_add(1);
        let opens = self.probing || (self.open_until.is_none() && self.failures >= threshold);
        if !opens {
            return None;
        }
        self.probing = false;
        self.open_until = Some(now.plus(pause));
        self.open_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(30);
    const POLICY: (u32, Duration) = (3, PAUSE);

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_probe_through() {
        let mut breaker = Breaker::default();
        assert_eq!(breaker.failed(Timestamp(0), POLICY), None);
        assert_eq!(breaker.failed(Timestamp(0), POLICY), None);
        assert_eq!(breaker.failed(Timestamp(0), POLICY), Some(Timestamp(30_000)));
        assert_eq!(breaker.ask(Timestamp(29_999)), Permission::Wait(Timestamp(30_000)));
        assert_eq!(breaker.ask(Timestamp(30_000)), Permission::Probe);
        assert_eq!(breaker.ask(Timestamp(30_000)), Permission::Wait(Timestamp(31_000)));
        assert_eq!(breaker.failed(Timestamp(31_000), POLICY), Some(Timestamp(61_000)));
        assert_eq!(breaker.ask(Timestamp(61_000)), Permission::Probe);
        assert!(breaker.alive());
        assert_eq!(breaker.ask(Timestamp(61_001)), Permission::Go);
        assert_eq!(breaker.ask(Timestamp(61_001)), Permission::Go);
    }

    #[test]
    fn a_probe_that_did_not_take_place_leaves_room_for_the_next() {
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            breaker.failed(Timestamp(0), POLICY);
        }
        assert_eq!(breaker.ask(Timestamp(30_000)), Permission::Probe);
        assert!(breaker.not_tried());
        assert_eq!(breaker.ask(Timestamp(30_000)), Permission::Probe);
    }

    #[test]
    fn only_what_fails_or_is_in_use_is_kept() {
        let breakers = Breakers::default();
        let of = |name: &str| breakers.of(&TargetId::parse(name).unwrap());
        of("failed").lock().failed(Timestamp(0), POLICY);
        let used = of("used");
        for n in 0..100 {
            assert!(!of(&format!("fine-{n}")).lock().alive());
        }
        assert!(Arc::ptr_eq(&used, &of("used")));
        assert_eq!(of("failed").lock().failures, 1, "the next failure is its second");
        assert_eq!(breakers.0.lock().len(), 2);
    }

    #[test]
    fn a_success_between_failures_keeps_it_closed() {
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.failed(Timestamp(0), POLICY);
            breaker.failed(Timestamp(0), POLICY);
            assert!(!breaker.alive(), "it was never open");
        }
        assert_eq!(breaker.ask(Timestamp(0)), Permission::Go);
    }
}
