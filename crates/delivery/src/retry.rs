//! When to try again.

use std::time::Duration;

use dds_message::{DeliveryId, Timestamp};

use crate::TargetPolicy;

const DAY: i64 = 86_400_000;

/// Longest wait between two attempts, whatever policy or target ask for: with a maintenance window behind it still
/// shorter than [`dds_store::LONGEST_REST`].
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);

/// Due time after failed attempt number `attempt` (from 1): the policy's wait, jittered between half and full.
///
/// The jitter comes from the delivery id, not from a random source: deliveries that failed together spread out, and
/// the same history always gives the same times. A longer wish of the target (`Retry-After`) wins.
pub(crate) fn next_due(
    policy: &TargetPolicy,
    delivery: DeliveryId,
    attempt: u32,
    now: Timestamp,
    retry_after: Option<Duration>,
) -> Timestamp {
    let step = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
    let full = policy.retry.get(step).or(policy.retry.last()).copied().unwrap_or(Duration::from_secs(60));
    let spread = (delivery.0.as_u128() ^ u128::from(attempt).wrapping_mul(0x9E37_79B9_7F4A_7C15)) % 1_000;
    let jittered = full / 2 + full.mul_f64(f64::from(u32::try_from(spread).unwrap_or(0)) / 2_000.0);
    let wait = jittered.max(retry_after.unwrap_or_default());
    after_maintenance(policy, now.plus(wait.min(LONGEST_WAIT)))
}

/// `moment`, or the end of the target's maintenance window if it lies in one.
pub(crate) fn after_maintenance(policy: &TargetPolicy, moment: Timestamp) -> Timestamp {
    let Some((from, to)) = policy.maintenance else { return moment };
    let minute = |minutes: u16| i64::from(minutes) * 60_000;
    let midnight = moment.0 - moment.0.rem_euclid(DAY);
    let (from, to) = (minute(from), minute(to));
    let time = moment.0 - midnight;
    let inside = if from <= to { (from..to).contains(&time) } else { time >= from || time < to };
    if !inside {
        return moment;
    }
    let end = if time < to { midnight + to } else { midnight + DAY + to };
    Timestamp(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn policy() -> TargetPolicy {
        TargetPolicy {
            retry: vec![Duration::from_secs(10), Duration::from_secs(100)],
            ..TargetPolicy::default()
        }
    }

    proptest! {
        #[test]
        fn a_wait_lies_between_half_and_full(id: u128, attempt in 1u32..50) {
            let due = next_due(&policy(), DeliveryId(Uuid::from_u128(id)), attempt, Timestamp(0), None);
            let full = if attempt == 1 { 10_000 } else { 100_000 };
            prop_assert!((full / 2..=full).contains(&due.0), "{due:?}");
        }

        #[test]
        fn nothing_falls_into_the_maintenance_window(moment in 0i64..10 * DAY, from in 0u16..1440, to in 0u16..1440) {
            let policy = TargetPolicy { maintenance: Some((from, to)), ..policy() };
            let due = after_maintenance(&policy, Timestamp(moment));
            prop_assert!(due.0 >= moment);
            prop_assert_eq!(after_maintenance(&policy, due), due);
        }
    }

    /// The store takes what rests longer for the work of a clock that was ahead, and would try it again at once.
    #[test]
    fn no_wait_is_longer_than_a_delivery_rests() {
        let weeks = Duration::from_secs(14 * 86_400);
        for maintenance in [None, Some((0, 1_439)), Some((1_439, 1_438))] {
            let policy = TargetPolicy { retry: vec![weeks], maintenance, ..policy() };
            for retry_after in [None, Some(weeks)] {
                let due = next_due(&policy, DeliveryId(Uuid::nil()), 1, Timestamp(0), retry_after);
                assert!(
                    (DAY..).contains(&due.0) && due < Timestamp(0).plus(dds_store::LONGEST_REST),
                    "{due}"
                );
            }
        }
    }

    #[test]
    fn the_target_may_ask_for_more_time() {
        let due =
            next_due(&policy(), DeliveryId(Uuid::nil()), 1, Timestamp(0), Some(Duration::from_secs(600)));
        assert_eq!(due, Timestamp(600_000));
    }

    #[test]
    fn a_window_over_midnight_ends_the_next_day() {
        let policy = TargetPolicy { maintenance: Some((23 * 60, 60)), ..policy() };
        assert_eq!(after_maintenance(&policy, Timestamp(23 * 3_600_000)), Timestamp(DAY + 3_600_000));
        assert_eq!(after_maintenance(&policy, Timestamp(DAY)), Timestamp(DAY + 3_600_000));
    }
}
