//! kill -9 under load, a hundred times: everything acknowledged is delivered, and nothing twice (I3, I7, I8).

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

#[test]
fn a_hundred_kills_lose_nothing_and_repeat_nothing() {
    let (said, report) = support::demo(&["--messages", "600", "--kills", "100"]);
    assert_eq!((&report["lost"], &report["duplicates"]), (&0.into(), &0.into()), "{report:#}");
    assert_eq!((&report["kills"], &report["sent"]), (&100.into(), &600.into()), "{report:#}");
    assert!(report["accepted"].as_u64().unwrap() > 300, "{report:#}");
    assert!(report["delivered"].as_u64().unwrap() > 300, "{report:#}");
    assert_eq!(said.code, Some(0), "{report:#}");
}
