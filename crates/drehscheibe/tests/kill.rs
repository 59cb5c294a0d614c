//! kill -9 under load, a hundred times: everything acknowledged is delivered, and nothing twice (I3, I7, I8).

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use support::{Said, command, root};

#[test]
fn a_hundred_kills_lose_nothing_and_repeat_nothing() {
    let root = root();
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let mut demo = command(["demo", "--messages", "600", "--kills", "100", "--language", "en", "--report"]);
    demo.arg(&report);
    for (option, name) in [("--rules", "rules"), ("--config-dir", "config"), ("--fixtures", "fixtures")] {
        demo.arg(option).arg(root.join(name));
    }
    let said = Said::from(demo.output().unwrap());
    let text = std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&report["lost"], &report["duplicates"]), (&0.into(), &0.into()), "{report:#}");
    assert_eq!((&report["kills"], &report["sent"]), (&100.into(), &600.into()), "{report:#}");
    assert!(report["accepted"].as_u64().unwrap() > 300, "{report:#}");
    assert!(report["delivered"].as_u64().unwrap() > 300, "{report:#}");
    assert_eq!(said.code, Some(0), "{report:#}");
}
