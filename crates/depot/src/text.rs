//! Small text forms: spans of time, nearest names, places in files.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Zeitspanne, written as a whole number and its unit: `500ms`, `90s`, `15m`, `72h`, `14d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(pub Duration);

/// Units of a [`Span`] in milliseconds, the longest last.
const UNITS: [(&str, u128); 5] =
    [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parsed = UNITS.iter().find_map(|(unit, milliseconds)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            u64::try_from(milliseconds * u128::from(number)).ok()
        });
        parsed
            .map(|milliseconds| Self(Duration::from_millis(milliseconds)))
            .ok_or_else(|| format!("{text:?} is not a span of time such as 500ms, 90s, 15m, 72h or 14d"))
    }
}

/// In the longest unit that leaves nothing over.
impl From<Span> for String {
    fn from(span: Span) -> Self {
        let all = span.0.as_millis();
        let whole = UNITS.iter().rev().find(|(_, unit)| all > 0 && all.is_multiple_of(*unit));
        whole.map_or_else(|| "0s".to_owned(), |(unit, milliseconds)| format!("{}{unit}", all / milliseconds))
    }
}

/// The known name nearest to `name`, if any is near enough to be meant. Looks at the first 2,000 names only, so that
/// an error message never costs more than a fraction of a second.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = (name.chars().count() / 3).max(2);
    known
        .into_iter()
        .take(2_000)
        .map(|other| (distance(name, other), other))
        .filter(|(far, _)| *far <= reach)
        .min()
        .map(|(_, other)| other)
}

/// Levenshtein distance in characters.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (down, left) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], down + 1);
        for (across, right) in other.iter().enumerate() {
            let change = diagonal + usize::from(left != *right);
            diagonal = row[across + 1];
            row[across + 1] = change.min(diagonal + 1).min(row[across] + 1);
        }
    }
    row[other.len()]
}

/// Line and column (both from 1, columns in characters) of a byte offset.
#[must_use]
pub fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    (line, column)
}

/// Line and column of `needle`, searched behind `section` if that occurs; (1, 1) if nowhere.
///
/// Definitions keep no positions of their own: their file stays in the release, and this finds the place again.
#[must_use]
pub fn locate(text: &str, section: &str, needle: &str) -> (usize, usize) {
    let start = if section.is_empty() { 0 } else { text.find(section).unwrap_or(0) };
    match text[start..].find(needle).map(|at| start + at).or_else(|| text.find(needle)) {
        Some(at) => position(text, at),
        None if start > 0 => position(text, start),
        None => (1, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back() {
        for text in ["90s", "15m", "72h", "14d", "0s", "200ms", "1500ms"] {
            let span = Span::try_from(text.to_owned()).unwrap();
            assert_eq!(Span::try_from(String::from(span)).unwrap(), span);
        }
        for text in
            ["", "h", "1w", "-1h", "1.5h", "1h30m", "99999999999999999999d", "18446744073709551615d", "1ü"]
        {
            assert!(Span::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_nearest_name_is_the_one_meant_or_none() {
        let known = ["fv-steuerwerk@3.2", "fv-bauakte@1.0", "dms-dokuma@1.0"];
        assert_eq!(nearest("fv-steuerwek@3.2", known), Some("fv-steuerwerk@3.2"));
        assert_eq!(nearest("zzz", known), None);
    }

    #[test]
    fn places_count_from_one_and_in_characters() {
        let text = "a = 1\n[office.x]\nä = \"b\"\n";
        assert_eq!(locate(text, "[office.x]", "\"b\""), (3, 5));
        assert_eq!(locate(text, "", "a = 1"), (1, 1));
        assert_eq!(locate(text, "[office.x]", "missing"), (2, 1));
    }
}
