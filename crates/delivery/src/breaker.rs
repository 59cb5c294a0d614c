//! Circuit breaker: a target that fails again and again is left alone for a while, then tried once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use dds_message::{TargetId, Timestamp};
use dds_store::LONGEST_REST;
use parking_lot::Mutex;

/// The breakers of all targets that fail, or that attempts are under way at, and of some others; any that is not here
/// is as good as new.
#[derive(Debug, Default)]
pub(crate) struct Breakers(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    breakers: HashMap<TargetId, Arc<Mutex<Breaker>>>,
    /// With so many, those that are as good as new are forgotten before one more is added.
    full: usize,
}

/// So few are not worth looking through.
const FEW: usize = 64;

impl Breakers {
    /// The breaker of a target, for one attempt. What it costs does not grow with the number of targets that fail: they
    /// are looked through only when there are twice as many as were left the last time.
    pub(crate) fn of(&self, target: &TargetId) -> Arc<Mutex<Breaker>> {
        let Known { breakers, full } = &mut *self.0.lock();
        if let Some(breaker) = breakers.get(target) {
            return Arc::clone(breaker);
        }
        if breakers.len() >= *full {
            breakers.retain(|_, breaker| Arc::strong_count(breaker) > 1 || breaker.lock().failures > 0);
            *full = (breakers.len() * 2).max(FEW);
        }
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
            // A pause that would last longer was begun by a clock that was ahead: it is over.
            Some(until) if now < until && until <= now.plus(LONGEST_REST) => Permission::Wait(until),
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
        self.open_until = Some(now.plus(pause.min(LONGEST_REST)));
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
    fn a_pause_begun_by_a_clock_that_was_ahead_is_over_when_it_is_right() {
        let mut breaker = Breaker::default();
        let ahead = Timestamp(0).plus(LONGEST_REST * 100);
        for _ in 0..3 {
            breaker.failed(ahead, POLICY);
        }
        assert_eq!(breaker.ask(ahead), Permission::Wait(ahead.plus(PAUSE)));
        assert_eq!(breaker.ask(Timestamp(0)), Permission::Probe);
        // No configured pause is taken for one.
        breaker.failed(Timestamp(0), (3, LONGEST_REST * 2));
        assert_eq!(breaker.ask(Timestamp(0)), Permission::Wait(Timestamp(0).plus(LONGEST_REST)));
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
    fn what_fails_or_is_in_use_is_kept_and_little_else() {
        let breakers = Breakers::default();
        let of = |name: &str| breakers.of(&TargetId::parse(name).unwrap());
        let fine = |name: &str| assert!(!of(name).lock().alive());
        let known = || breakers.0.lock().breakers.len();
        of("failed").lock().failed(Timestamp(0), POLICY);
        let used = of("used");
        for n in 0..10_000 {
            fine(&format!("fine-{n}"));
            assert!(known() <= FEW, "{n}");
        }
        assert!(Arc::ptr_eq(&used, &of("used")));
        assert_eq!(of("failed").lock().failures, 1, "the next failure is its second");
    }

    #[test]
    fn with_many_failing_targets_an_attempt_does_not_look_through_them() {
        let breakers = Breakers::default();
        let of = |name: String| breakers.of(&TargetId::parse(&name).unwrap());
        let mut looks = 0;
        for n in 0..1_000 {
            let before = breakers.0.lock().full;
            of(format!("failed-{n}")).lock().failed(Timestamp(0), POLICY);
            looks += u32::from(breakers.0.lock().full != before);
        }
        assert_eq!(looks, 5, "with none, 64, 128, 256 and 512");
        for n in 0..3_000 {
            assert!(!of(format!("fine-{n}")).lock().alive());
            assert!(breakers.0.lock().breakers.len() <= 2_000);
        }
        assert_eq!(of("failed-7".to_owned()).lock().failures, 1);
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
