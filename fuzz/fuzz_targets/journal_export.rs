//! Exports of the journal: any lines give a report; entries that are chained read back as an intact chain, and whatever
//! octet of them is bent, it is noticed or means the same.
#![no_main]

use dds_message::Digest;
use dds_store::{LogRow, sqlite::ExportCheck};
use libfuzzer_sys::fuzz_target;

/// Entries of an export, as `drehscheibe journal verify --file` reads them; `None`: a line is none.
fn read(text: &str) -> Option<Vec<LogRow>> {
    text.lines().map(|line| serde_json::from_str(line).ok()).collect()
}

fn is_intact(rows: &[LogRow]) -> bool {
    let mut check = ExportCheck::default();
    rows.iter().for_each(|row| check.add(row));
    let report = check.report();
    assert!(report.broken.is_some() || report.checked == rows.len() as u64);
    report.broken.is_none()
}

fuzz_target!(|octets: &[u8]| {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let Some(mut rows) = read(text).filter(|rows| !rows.is_empty()) else { return };
    is_intact(&rows);
    // The same entries, chained.
    let (mut seq, mut previous) = (7, Digest([3; 32]));
    for row in &mut rows {
        (row.seq, row.previous) = (seq, previous);
        row.hash = row.expected_hash();
        (seq, previous) = (seq + 1, row.hash);
    }
    assert!(is_intact(&rows));
    let lines = rows.iter().map(|row| serde_json::to_string(row).expect("an entry is JSON") + "\n");
    let mut export = lines.collect::<String>().into_bytes();
    let back = read(std::str::from_utf8(&export).expect("JSON")).expect("what was written is read");
    assert!(is_intact(&back), "what was exported verifies");
    // Where to bend is drawn from the input, so that exports are seeds as they are.
    let draw =
        octets.iter().fold(0_usize, |draw, octet| draw.wrapping_mul(31).wrapping_add(usize::from(*octet)));
    let at = draw % export.len();
    export[at] ^= 1 << (draw / export.len() % 8);
    let bent = std::str::from_utf8(&export).ok().and_then(read);
    if let Some(bent) = bent.filter(|bent| is_intact(bent)) {
        assert!(back.starts_with(&bent), "bent at {at} and not noticed");
    }
});
