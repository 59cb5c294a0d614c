//! Drop folder: all of a delivery or nothing.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_message::Code;
use dds_testbench::FolderSim;
use support::{Damaged, Made, Town, consignment, deliver, told};

#[tokio::test]
async fn a_delivery_appears_whole_under_a_name_people_can_find() {
    for (office, ending) in [("folder", ""), ("zip", ".zip")] {
        let folder = tempfile::tempdir().unwrap();
        let sim = FolderSim::new(folder.path()).unwrap();
        let targets = Town::in_folder(folder.path()).targets();
        let attachments = vec![
            Made::source("../böse.pdf", 150_000),
            Made::source("Böse.pdf", 3),
            Made::source("zustellung.json", 5),
            Made::source("vorgang.xml", 0),
        ];
        let digests: Vec<_> = attachments.iter().map(|source| source.describe().digest).collect();
        let sent = consignment(office, 1, attachments);
        let verdict = deliver(&targets, &sent).await;
        let name = format!("HS-2026_17-{}{ending}", &sent.delivery.0.simple().to_string()[..12]);
        assert_eq!(told(&verdict), ("delivered", None, name));

        assert_eq!(sim.collect().unwrap(), 1);
        let received = sim.inbox().get(sent.delivery).unwrap();
        assert_eq!(
            (received.document.name.as_str(), received.document.digest),
            ("vorgang.xml", sent.document.digest)
        );
        let names: Vec<_> = received.attachments.iter().map(|part| part.name.as_str()).collect();
        assert_eq!(names, ["böse.pdf", "Böse-2.pdf", "zustellung-2.json", "vorgang-2.xml"]);
        assert_eq!(received.attachments.iter().map(|part| part.digest).collect::<Vec<_>>(), digests);

        // A repeated attempt finds it there and changes nothing.
        assert_eq!(told(&deliver(&targets, &sent).await).0, "delivered");
        assert_eq!((sim.collect().unwrap(), std::fs::read_dir(folder.path()).unwrap().count()), (0, 1));
    }
}

#[tokio::test]
async fn a_broken_attempt_leaves_nothing_that_anyone_could_take() {
    for office in ["folder", "zip"] {
        let folder = tempfile::tempdir().unwrap();
        let sim = FolderSim::new(folder.path()).unwrap();
        let targets = Town::in_folder(folder.path()).targets();
        let broken = consignment(office, 1, vec![Damaged::source()]);
        let verdict = deliver(&targets, &broken).await;
        assert_eq!((told(&verdict).0, told(&verdict).1), ("temporary", Some(Code::STORE_CORRUPT)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

        // What a killed process left is hidden, and the next attempt clears it away.
        let whole = consignment(office, 1, vec![Made::source("a.pdf", 10)]);
        let ending = if office == "zip" { ".zip" } else { "" };
        let left = folder.path().join(format!(".tmp-{}-1{ending}", whole.delivery));
        if office == "zip" {
            std::fs::write(&left, "PK half").unwrap();
        } else {
            std::fs::create_dir(&left).unwrap();
            std::fs::write(left.join("half.pdf"), "x").unwrap();
        }
        assert_eq!(sim.collect().unwrap(), 0);
        assert_eq!(told(&deliver(&targets, &whole).await).0, "delivered");
        assert!(!left.exists());
        assert_eq!(sim.collect().unwrap(), 1);
    }
}

#[tokio::test]
async fn an_attempt_that_is_given_up_in_the_middle_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let targets = Town::in_folder(folder.path()).targets();
    let sent = consignment("folder", 1, vec![Made::source("a.pdf", 300 << 20)]);
    {
        let attempt = deliver(&targets, &sent);
        tokio::pin!(attempt);
        // Polled until the hidden folder is there, then dropped, as the scheduler does when the lease runs out.
        loop {
            tokio::select! {
                biased;
                verdict = &mut attempt => panic!("too fast for this test: {verdict:?}"),
                () = tokio::task::yield_now() => {}
            }
            if std::fs::read_dir(folder.path()).unwrap().next().is_some() {
                break;
            }
        }
    }
    while std::fs::read_dir(folder.path()).unwrap().next().is_some() {
        let names: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert!(names.iter().all(|name| name.to_string_lossy().starts_with(".tmp-")), "{names:?}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_missing_folder_is_a_drive_that_is_not_mounted() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("laufwerk");
    let verdict = deliver(&Town::in_folder(&missing).targets(), &consignment("folder", 1, Vec::new())).await;
    assert_eq!(
        (told(&verdict).0, told(&verdict).1),
        ("temporary", Some(Code::TARGET_UNREACHABLE)),
        "{verdict:?}"
    );
    assert!(!missing.exists());
}
