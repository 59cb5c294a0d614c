//! Time as an argument.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Zeitpunkt: milliseconds since 1970-01-01T00:00:00Z; written as RFC 3339 in UTC, in binary formats as the number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            /// As version 0.1 wrote it.
            Number(i64),
        }
        if !deserializer.is_human_readable() {
            return i64::deserialize(deserializer).map(Self);
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Self::parse(&text).map_err(serde::de::Error::custom),
            Written::Number(number) => Ok(Self(number)),
        }
    }
}

impl Timestamp {
    /// This moment and `duration`.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment less `duration`.
    #[must_use]
    pub fn minus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The same moment as OSCI and mail count it; one that the calendar does not reach is 1970.
    #[must_use]
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or_default()
    }

    /// Time from `earlier` to this moment, zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Result<Self, crate::Malformed> {
        text.parse::<jiff::Timestamp>().map(|moment| Self(moment.as_millisecond())).map_err(|_| {
            crate::Malformed::new(
                "timestamp",
                text,
                ("RFC 3339, etwa 2026-11-22T08:00:00Z", "RFC 3339, such as 2026-11-22T08:00:00Z"),
            )
        })
    }

    /// Kalendertag of this moment in the legal time of Germany as `YYYY-MM-DD`: the day by which rules are valid.
    #[must_use]
    pub fn legal_day(self) -> String {
        self.to_jiff().to_zoned(LEGAL_TIME.clone()).date().to_string()
    }

    /// The day of this moment in UTC as `YYYY-MM-DD`; ordered like the days themselves.
    #[must_use]
    pub fn day(self) -> String {
        let mut text = self.to_string();
        text.truncate(10);
        text
    }
}

/// Mitteleuropäische Zeit and Sommerzeit, as directive 2000/84/EC rules them: from the last Sunday of March to the last
/// one of October, changed at 01:00 UTC.
static LEGAL_TIME: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC));

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl std::fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Where time comes from. The program reads the system clock in one place (`telemetry::SystemClock`); tests pass
/// a clock of their own.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_is_rfc_3339_utc_and_reads_back() {
        let moment = Timestamp(1_795_305_600_123);
        assert_eq!(moment.to_string(), "2026-11-22T00:00:00.123Z");
        assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
        assert_eq!(moment.day(), "2026-11-22");
        assert_eq!(
            moment.plus(std::time::Duration::from_secs(7)).minus(std::time::Duration::from_secs(7)),
            moment
        );
    }

    #[test]
    fn a_legal_day_begins_at_midnight_of_german_legal_time() {
        for (moment, day) in [
            ("2026-12-31T22:59:59.999Z", "2026-12-31"),
            ("2026-12-31T23:00:00Z", "2027-01-01"),
            ("2026-06-30T21:59:59.999Z", "2026-06-30"),
            ("2026-06-30T22:00:00Z", "2026-07-01"),
            // The nights after the changes of 29 March and 25 October.
            ("2026-03-28T22:59:59Z", "2026-03-28"),
            ("2026-03-28T23:00:00Z", "2026-03-29"),
            ("2026-03-29T22:00:00Z", "2026-03-30"),
            ("2026-10-24T22:00:00Z", "2026-10-25"),
            ("2026-10-25T22:59:59Z", "2026-10-25"),
            ("2026-10-25T23:00:00Z", "2026-10-26"),
        ] {
            assert_eq!(Timestamp::parse(moment).unwrap().legal_day(), day, "{moment}");
        }
    }
}
