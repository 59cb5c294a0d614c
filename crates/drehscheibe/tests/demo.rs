//! The contract of `drehscheibe demo --report`: it ends by itself, and its numbers can be relied on.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

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
    assert_eq!(targets.len(), 15, "each product package gets something, by mail too: {report:#}");
    // Receipt, further request and decision: one application by callback, one fetched.
    let answers = |key: &str| report["answers"][key].as_u64().unwrap_or_else(|| panic!("{key}: {report:#}"));
    assert_eq!((answers("sent"), answers("by_callback"), answers("fetched")), (6, 3, 3), "{report:#}");
    assert_eq!((answers("lost"), answers("duplicates")), (0, 0), "{report:#}");
    // By OSCI each way in and out: here, at an intermediary of somebody else, and mediated with the reply brought back.
    let osci = |key: &str| report["osci"][key].as_u64().unwrap_or_else(|| panic!("{key}: {report:#}"));
    assert_eq!((osci("sent"), osci("sent_elsewhere"), osci("duplicates")), (4, 1, 0), "{report:#}");
    assert_eq!((osci("received"), osci("expected")), (8, 8), "{report:#}");
    assert_eq!((osci("received_elsewhere"), osci("mediated"), osci("answers")), (2, 2, 2), "{report:#}");
}

/// A demo that runs, and the process id of its router; its temporary folder is below `folder`.
fn begin(folder: &Path) -> (Child, BufReader<std::process::ChildStdout>, String) {
    let mut demo = support::command(["demo", "--language", "en", "--messages", "3", "--stay"]);
    for (option, name) in [("--rules", "rules"), ("--config-dir", "config"), ("--fixtures", "fixtures")] {
        demo.arg(option).arg(support::root().join(name));
    }
    let mut demo = demo.env("TMPDIR", folder).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(demo.stdout.take().unwrap());
    let line = until(&mut said, "(PID ");
    let id = line.rsplit_once("(PID ").unwrap().1.trim_end().trim_end_matches(')').to_owned();
    (demo, said, id)
}

/// The next line with these words.
fn until(said: &mut impl BufRead, words: &str) -> String {
    said.lines().map(Result::unwrap).find(|line| line.contains(words)).expect("a line with these words")
}

fn signal(demo: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &demo.id().to_string()]).status().unwrap().success());
}

fn runs(id: &str) -> bool {
    Path::new("/proc").join(id).exists()
}

#[test]
fn a_demo_that_is_told_to_end_takes_its_router_and_its_folder_with_it() {
    // In the midst of it: it has not done what it should.
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, _said, router) = begin(folder.path());
    assert!(runs(&router));
    signal(&demo, "-TERM");
    assert_eq!(demo.wait().unwrap().code(), Some(1));
    assert!(!runs(&router));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    // While it stays up: everything went well.
    let (mut demo, mut said, router) = begin(folder.path());
    until(&mut said, "End with Ctrl-C");
    signal(&demo, "-TERM");
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert!(!runs(&router));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_demo_that_is_killed_leaves_no_router_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (mut demo, _said, router) = begin(folder.path());
    signal(&demo, "-KILL");
    demo.wait().unwrap();
    let gone = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while runs(&router) {
            tick.tick().await;
        }
    };
    tokio::time::timeout(support::stage::PATIENCE, gone).await.expect("the router ends by itself");
}
