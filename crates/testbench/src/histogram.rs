//! Latencies with bounded memory and bounded error.

use std::time::Duration;

/// Values below this have a bucket each; above it every power of two is cut into as many.
const STEPS: u64 = 128;
/// log2 of `STEPS`.
const BITS: u32 = STEPS.trailing_zeros();

/// Histogramm of durations in microseconds, up to about 70 minutes, with an error below 2 %.
#[derive(Debug, Clone)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; place(u64::from(u32::MAX)) + 1], count: 0, max: 0 }
    }
}

impl Histogram {
    /// Counts one value.
    pub fn record(&mut self, value: Duration) {
        let micros = u64::try_from(value.as_micros()).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
        self.buckets[place(micros)] += 1;
        self.count += 1;
        self.max = self.max.max(micros);
    }

    /// Adds the values of another.
    pub fn merge(&mut self, other: &Self) {
        self.buckets.iter_mut().zip(&other.buckets).for_each(|(mine, theirs)| *mine += theirs);
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// Values counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The largest value.
    #[must_use]
    pub fn max(&self) -> Duration {
        Duration::from_micros(self.max)
    }

    /// The value that `share` (0.0 to 1.0, such as 0.99) of all values do not exceed; zero when empty.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let rank = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (place, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_micros(upper(place).min(self.max));
            }
        }
        Duration::ZERO
    }
}

/// Bucket of a value: linear below `STEPS`, then `STEPS` / 2 new buckets per power of two.
fn place(micros: u64) -> usize {
    if micros < STEPS {
        return micros as usize;
    }
    let shift = 63 - micros.leading_zeros() - (BITS - 1);
    let step = (micros >> shift) - STEPS / 2;
    (STEPS + u64::from(shift - 1) * (STEPS / 2) + step) as usize
}

/// Largest value of a bucket.
fn upper(place: usize) -> u64 {
    let place = place as u64;
    if place < STEPS {
        return place;
    }
    let shift = (place - STEPS) / (STEPS / 2) + 1;
    let step = (place - STEPS) % (STEPS / 2) + STEPS / 2;
    ((step + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_whose_end_is_less_than_two_percent_away() {
        for micros in
            (0..5_000).chain((0..31).map(|bit| 1 << bit)).chain([127, 128, 129, 255, 256, 4_000_000_000])
        {
            let end = upper(place(micros));
            assert!(end >= micros, "{micros}");
            assert!(end - micros <= micros / 64, "{micros}: {end}");
        }
    }

    #[test]
    fn quantiles_of_one_to_a_thousand_milliseconds() {
        let mut histogram = Histogram::default();
        let mut other = Histogram::default();
        for millis in 1..=1_000 {
            let half = if millis % 2 == 0 { &mut histogram } else { &mut other };
            half.record(Duration::from_millis(millis));
        }
        histogram.merge(&other);
        assert_eq!(histogram.count(), 1_000);
        for (share, millis) in [(0.5, 500.0), (0.99, 990.0), (0.999, 999.0), (1.0, 1_000.0)] {
            let found = histogram.quantile(share).as_secs_f64() * 1_000.0;
            assert!((found / millis - 1.0).abs() < 0.02, "{share}: {found}");
        }
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
    }
}
