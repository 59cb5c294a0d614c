//! The contract of `drehscheibe demo --report`: it ends by itself, and its numbers can be relied on.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

#[test]
fn the_demo_delivers_everything_once_and_reports_it() {
    let (said, report) = support::demo(&["--messages", "70"]);
    assert_eq!(said.code, Some(0), "{report:#}");

    let number = |key: &str| report[key].as_u64().unwrap_or_else(|| panic!("{key}: {report:#}"));
    assert_eq!((number("lost"), number("duplicates"), number("dead_letters")), (0, 0, 0), "{report:#}");
    assert_eq!(number("sent"), 70);
    assert!(number("accepted") > 40 && number("accepted") <= 70, "{report:#}");
    assert!(number("rejected") > 0, "invalid fixtures are sent too: {report:#}");
    assert!(number("delivered") >= number("accepted") - number("rejected"), "{report:#}");
    assert!(report["seconds"].as_f64().unwrap() > 0.0);
    let procedures = report["by_procedure"].as_object().unwrap();
    assert_eq!(procedures.len(), 7, "{report:#}");
    let sum = |key: &str| procedures.values().map(|counts| counts[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("sent"), sum("parked")), (70, 0), "{report:#}");
    assert_eq!(sum("completed") + sum("rejected"), 70, "{report:#}");
    let targets = report["by_target"].as_object().unwrap();
    assert_eq!(targets.values().map(|count| count.as_u64().unwrap()).sum::<u64>(), number("delivered"));
    assert!(targets.len() >= 8, "{report:#}");
}
