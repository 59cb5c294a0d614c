//! The drop folder: what is taken, when, and where it goes.

use std::{
    ffi::OsStr,
    fs,
    io::ErrorKind,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::support::{DOCUMENT, Fake, source};
use dds_inbound::{FolderOptions, Limits, Watch, folder::Polled};
use dds_message::{Channel, Clock, Code, Digest, Finding, Format, MessageState, Problem, Severity};
use dds_telemetry::Telemetry;
use dds_testbench::ManualClock;
use tempfile::TempDir;

struct Folder {
    root: TempDir,
    fake: Arc<Fake>,
    watch: Watch,
}

impl Folder {
    fn new(change: impl FnOnce(&mut FolderOptions)) -> Self {
        let root = tempfile::tempdir().unwrap();
        let fake = Arc::new(Fake::default());
        *fake.state.lock() = Some(MessageState::Routed);
        let watch = Self::watch(root.path(), &fake, change);
        Self { root, fake, watch }
    }

    fn watch(root: &Path, fake: &Arc<Fake>, change: impl FnOnce(&mut FolderOptions)) -> Watch {
        let mut options = FolderOptions::new(source(), root.to_owned());
        change(&mut options);
        Watch::new(options, fake.clone(), Telemetry::default(), Arc::new(ManualClock::default()))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    async fn poll(&mut self) -> Polled {
        self.watch.poll().await.unwrap()
    }
}

fn accepted(accepted: usize) -> Polled {
    Polled { accepted, ..Polled::default() }
}

fn refused(refused: usize) -> Polled {
    Polled { refused, ..Polled::default() }
}

fn unsettled(unsettled: usize) -> Polled {
    Polled { unsettled, ..Polled::default() }
}

#[tokio::test]
async fn a_marked_folder_is_taken_at_once_with_its_attachments() {
    let mut folder = Folder::new(|_| {});
    folder.put("in/antrag-1/nachricht.xml", DOCUMENT);
    folder.put("in/antrag-1/ausweis.pdf", b"%PDF");
    folder.put("in/antrag-1/.fertig", "");
    assert_eq!(folder.poll().await, accepted(1));
    let taken = &folder.fake.taken()[0];
    assert_eq!((taken.channel, taken.format, &taken.source), (Channel::Folder, Format::Xml, &source()));
    assert_eq!(taken.document, DOCUMENT.as_bytes());
    assert_eq!((taken.attachments.len(), taken.attachments[0].digest), (1, Digest::of(b"%PDF")));
    assert_eq!(taken.attachments[0].media_type, "application/pdf");
    assert!(taken.key.as_deref().unwrap().starts_with("antrag-1:"));
    assert!(folder.at("angenommen/antrag-1/nachricht.xml").exists());
    let receipt = fs::read_to_string(folder.at("angenommen/antrag-1.quittung.json")).unwrap();
    assert!(
        receipt.contains(&taken.id.to_string()) && receipt.contains("2026-11-22T00:00:00.123Z"),
        "{receipt}"
    );
    assert!(!folder.at("in/antrag-1").exists());
    assert_eq!(folder.poll().await, accepted(0));
}

#[tokio::test]
async fn without_marker_it_must_stand_still_for_a_while() {
    let mut folder = Folder::new(|_| {});
    folder.put("in/a.xml", "<half");
    assert_eq!(folder.poll().await, unsettled(1));
    assert_eq!(folder.poll().await, unsettled(1));
    folder.put("in/a.xml", DOCUMENT);
    assert_eq!(folder.poll().await, unsettled(1));
    assert_eq!(folder.poll().await, unsettled(1));
    assert_eq!(folder.poll().await, accepted(1));
    assert!(folder.at("angenommen/a.xml").exists());
}

#[tokio::test]
async fn unfinished_names_and_strict_folders_are_left_alone() {
    let mut folder = Folder::new(|options| options.settle = 0);
    for name in ["in/.verborgen.xml", "in/a.xml.tmp", "in/b.part", "in/c.filepart"] {
        folder.put(name, DOCUMENT);
    }
    assert_eq!(folder.poll().await, Polled::default());

    let mut strict = Folder::new(|options| (options.settle, options.marker_required) = (0, true));
    strict.put("in/a.xml", DOCUMENT);
    for _ in 0..5 {
        assert_eq!(strict.poll().await, unsettled(1));
    }
    strict.put("in/a.xml.ready", "");
    assert_eq!(strict.poll().await, accepted(1));
    assert!(!strict.at("in/a.xml.ready").exists());
}

#[tokio::test]
async fn a_marker_left_behind_vouches_for_nothing() {
    let mut folder = Folder::new(|options| options.marker_required = true);
    folder.put("in/a.xml.fertig", "");
    assert_eq!(folder.poll().await, Polled::default());
    folder.put("in/a.xml", "<half");
    assert_eq!(folder.poll().await, unsettled(1));
}

#[tokio::test]
async fn refused_submissions_come_with_a_reason_in_german() {
    let mut folder = Folder::new(|options| options.settle = 0);
    folder.put("in/kaputt.xml", "<!DOCTYPE a><a/>");
    folder.put("in/ohne/anlage.pdf", "x");
    folder.put("in/doppelt/nachricht.xml", "<a/>");
    folder.put("in/doppelt/nachricht.json", "{}");
    folder.put("in/tief/nachricht.xml", "<a/>");
    folder.put("in/tief/unterordner/x", "");
    folder.put("in/bild.png", "x");
    std::os::unix::fs::symlink("/etc/passwd", folder.at("in/link.xml")).unwrap();
    folder.put("in/mitlink/nachricht.xml", "<a/>");
    std::os::unix::fs::symlink("/etc/passwd", folder.at("in/mitlink/anlage.txt")).unwrap();
    folder.put("in/versteckt/nachricht.xml", "<a/>");
    folder.put("in/versteckt/.plan.pdf", "x");
    let long = "ä".repeat(125);
    folder.put(&format!("in/{long}.xml"), "<a/>");
    assert_eq!(folder.poll().await, refused(9));
    assert!(folder.fake.taken().is_empty());
    let reason = |name: &str| fs::read_to_string(folder.at(&format!("abgelehnt/{name}/fehler.txt"))).unwrap();
    let text = reason("kaputt.xml");
    for part in ["DDS-I005", "Absender", Code::NOT_WELL_FORMED.entry().remedy_german, "„kaputt.xml“"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for name in ["ohne", "doppelt", "tief", "link.xml", "mitlink", "versteckt", &"ä".repeat(100)] {
        assert!(reason(name).contains("DDS-I004"), "{name}");
    }
    assert!(reason("bild.png").contains("DDS-I006"));
    assert!(folder.at("abgelehnt/ohne/ohne/anlage.pdf").exists(), "the submission lies beside its reason");
    assert!(folder.at(&format!("abgelehnt/{}/{long}.xml", "ä".repeat(100))).exists());
    assert_eq!(fs::read_dir(folder.at("in")).unwrap().count(), 0);

    // Corrected and sent again under the same name.
    folder.put("in/kaputt.xml", DOCUMENT);
    assert_eq!(folder.poll().await, accepted(1));
    folder.put("in/kaputt.xml", "<!DOCTYPE a><a/>");
    assert_eq!(folder.poll().await, refused(1));
    assert!(folder.at("abgelehnt/kaputt.xml~2/fehler.txt").exists());
}

#[tokio::test]
async fn what_the_router_cannot_take_now_stays_and_is_taken_later() {
    let mut folder = Folder::new(|options| options.settle = 0);
    folder.put("in/a.xml", DOCUMENT);
    for code in [Code::STORE_UNAVAILABLE, Code::OVERLOADED, Code::FATE_UNKNOWN, Code::NOT_FOUND] {
        *folder.fake.refuse.lock() = Some(code);
        assert_eq!(folder.poll().await, Polled { later: 1, ..Polled::default() });
        assert!(folder.at("arbeit/a.xml").exists());
    }
    *folder.fake.refuse.lock() = None;
    assert_eq!(folder.poll().await, accepted(1));
}

#[tokio::test]
async fn a_crash_between_acceptance_and_move_makes_a_duplicate_not_a_second_message() {
    let mut folder = Folder::new(|options| options.settle = 0);
    folder.put("in/antrag/nachricht.xml", DOCUMENT);
    folder.put("in/antrag/a.pdf", "%PDF");
    assert_eq!(folder.poll().await, accepted(1));
    // As if the move had never happened, and another process began.
    fs::rename(folder.at("angenommen/antrag"), folder.at("arbeit/antrag")).unwrap();
    folder.watch = Folder::watch(folder.root.path(), &folder.fake, |options| options.settle = 0);
    assert_eq!(folder.poll().await, accepted(1));
    assert_eq!(folder.fake.taken().len(), 1);
    assert!(folder.at("angenommen/antrag/nachricht.xml").exists());

    // The same name with other content is another message.
    folder.put("in/antrag/nachricht.xml", DOCUMENT);
    folder.put("in/antrag/a.pdf", "%PDF-2");
    assert_eq!(folder.poll().await, accepted(1));
    assert_eq!(folder.fake.taken().len(), 2);
    assert!(folder.at("angenommen/antrag~2/a.pdf").exists());
}

#[tokio::test]
async fn what_is_put_in_while_a_submission_is_received_is_another_one() {
    const OTHER: &str = "<anmeldung>a second one</anmeldung>";
    let mut folder = Folder::new(|options| options.settle = 0);
    folder.put("in/a.xml", DOCUMENT);
    folder.put("in/a.xml.fertig", "");
    folder.put("in/b/nachricht.xml", DOCUMENT);
    let (waiting, go) = folder.fake.pause();
    let (inbox, work) = (folder.at("in"), folder.at("arbeit"));
    let sender = async {
        // Two that tell it at once are one notification.
        while !(work.join("a.xml").exists() && work.join("b").exists()) {
            waiting.notified().await;
        }
        fs::write(inbox.join(".a"), OTHER).unwrap();
        fs::rename(inbox.join(".a"), inbox.join("a.xml")).unwrap();
        assert!(!inbox.join("b").exists() && !inbox.join("a.xml.fertig").exists());
        fs::create_dir(inbox.join("b")).unwrap();
        fs::write(inbox.join("b/nachricht.xml"), OTHER).unwrap();
        fs::write(inbox.join("b/nachweis.pdf"), "%PDF").unwrap();
        for _ in 0..2 {
            go.notify_one();
            tokio::task::yield_now().await;
        }
    };
    let (polled, ()) = tokio::join!(folder.watch.poll(), sender);
    assert_eq!(polled.unwrap(), accepted(2));
    let text = |path: &str| fs::read_to_string(folder.at(path)).unwrap();
    assert_eq!(
        (text("angenommen/a.xml"), text("angenommen/b/nachricht.xml")),
        (DOCUMENT.into(), DOCUMENT.into())
    );
    assert!(!folder.at("angenommen/b/nachweis.pdf").exists());
    assert_eq!(text("in/a.xml"), OTHER);

    *folder.fake.pause.lock() = None;
    assert_eq!(folder.poll().await, accepted(2));
    let text = |path: &str| fs::read_to_string(folder.at(path)).unwrap();
    assert_eq!(text("angenommen/a.xml~2"), OTHER);
    let taken = folder.fake.taken();
    assert_eq!((taken.len(), taken.iter().filter(|one| one.attachments.len() == 1).count()), (4, 1));
    assert!(folder.at("angenommen/b~2/nachweis.pdf").exists());
}

#[tokio::test]
async fn what_was_taken_before_a_crash_is_taken_up_again_before_what_came_later() {
    let mut folder = Folder::new(|options| options.marker_required = true);
    folder.put("arbeit/a.xml", DOCUMENT);
    folder.put("in/a.xml", "<later/>");
    folder.put("in/a.xml.fertig", "");
    assert_eq!(folder.poll().await, accepted(1));
    assert_eq!(folder.fake.taken()[0].document, DOCUMENT.as_bytes());
    assert_eq!(folder.poll().await, accepted(1));
    assert_eq!(fs::read_to_string(folder.at("angenommen/a.xml~2")).unwrap(), "<later/>");
}

#[tokio::test]
async fn who_has_only_a_folder_is_told_what_the_rules_say() {
    let mut folder = Folder::new(|options| options.settle = 0);
    let later = Polled { later: 1, ..Polled::default() };
    *folder.fake.state.lock() = Some(MessageState::Accepted);
    folder.put("in/a.xml", DOCUMENT);
    for _ in 0..2 {
        assert_eq!(folder.poll().await, later);
        assert!(folder.at("arbeit/a.xml").exists() && !folder.at("angenommen/a.xml").exists());
    }
    *folder.fake.state.lock() = Some(MessageState::Rejected);
    let finding = Finding {
        severity: Severity::Error,
        rule: "cvc-type".into(),
        location: "/anmeldung".into(),
        text: "not as it should be".into(),
    };
    let problem = Problem {
        findings: vec![finding],
        ..Problem::new(Code::SCHEMA_INVALID, ("the reason", "the reason"))
    };
    *folder.fake.problem.lock() = Some(problem);
    assert_eq!(folder.poll().await, refused(1));
    let reason = fs::read_to_string(folder.at("abgelehnt/a.xml/fehler.txt")).unwrap();
    let id = folder.fake.taken()[0].id.to_string();
    for part in ["DDS-V001", "cvc-type", &id] {
        assert!(reason.contains(part), "{part} in {reason}");
    }
    assert_eq!((folder.fake.taken().len(), fs::read_dir(folder.at("arbeit")).unwrap().count()), (1, 0));
    assert!(!folder.at("angenommen/a.xml.quittung.json").exists());

    // A Klärfall is the business of the authority, not of the sender.
    *folder.fake.state.lock() = Some(MessageState::Parked);
    folder.put("in/b.xml", DOCUMENT);
    assert_eq!(folder.poll().await, accepted(1));
    assert!(fs::read_to_string(folder.at("angenommen/b.xml.quittung.json")).unwrap().contains("parked"));
}

#[tokio::test]
async fn a_name_that_is_not_utf8_is_refused_and_not_passed_over() {
    let mut folder = Folder::new(|options| options.marker_required = true);
    fs::create_dir(folder.at("in")).unwrap();
    for name in [&b"M\xfcller.xml"[..], b"M\xfcller.xml.fertig"] {
        fs::write(folder.at("in").join(OsStr::from_bytes(name)), DOCUMENT).unwrap();
    }
    assert_eq!(folder.poll().await, refused(1));
    let reason = fs::read_to_string(folder.at("abgelehnt/M\u{fffd}ller.xml/fehler.txt")).unwrap();
    assert!(reason.contains("DDS-I004"), "{reason}");
    assert_eq!(fs::read_dir(folder.at("in")).unwrap().count(), 0);
    assert!(folder.fake.taken().is_empty());
}

#[tokio::test]
async fn limits_hold_in_folders() {
    let limits = Limits { document_bytes: 200, attachment_bytes: 10, total_bytes: 215, attachments: 2 };
    let mut folder = Folder::new(|options| (options.settle, options.limits) = (0, limits));
    folder.put("in/dokument.xml", format!("<a>{}</a>", "x".repeat(200)));
    folder.put("in/anlage/nachricht.xml", DOCUMENT);
    folder.put("in/anlage/a.bin", [0; 11]);
    folder.put("in/zusammen/nachricht.xml", format!("<a>{}</a>", "x".repeat(190)));
    folder.put("in/zusammen/a.bin", [0; 10]);
    folder.put("in/zusammen/b.bin", [0; 10]);
    folder.put("in/anzahl/nachricht.xml", "<a/>");
    for name in ["a", "b", "c"] {
        folder.put(&format!("in/anzahl/{name}"), "x");
    }
    assert_eq!(folder.poll().await, refused(4));
    for name in ["dokument.xml", "anlage", "zusammen", "anzahl"] {
        let reason = fs::read_to_string(folder.at(&format!("abgelehnt/{name}/fehler.txt"))).unwrap();
        assert!(reason.contains("DDS-I003"), "{reason}");
    }
}

#[tokio::test]
async fn watching_ends_when_told() {
    let folder = Folder::new(|options| options.settle = 0);
    folder.put("in/a.xml", DOCUMENT);
    folder.watch.run(std::future::ready(())).await;
    assert_eq!(folder.fake.taken().len(), 1, "what was there is finished first");
}

/// A network drive that is not mounted must not look like an empty folder.
#[tokio::test]
async fn a_folder_that_is_not_there_is_never_made_and_is_taken_up_once_it_is() {
    let mut folder = Folder::new(|options| {
        options.settle = 0;
        options.root.push("laufwerk");
    });
    for _ in 0..2 {
        assert_eq!(folder.watch.poll().await.unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!folder.at("laufwerk").exists());
    }
    folder.put("laufwerk/in/a.xml", DOCUMENT);
    assert_eq!(folder.poll().await, accepted(1));
    assert!(folder.at("laufwerk/angenommen/a.xml").exists());
}

/// Accepted and refused submissions, some of them older than `keep`, and what a watcher with this option leaves.
async fn swept(keep: Option<Duration>) -> Vec<String> {
    let mut folder = Folder::new(|options| (options.settle, options.keep) = (0, keep));
    for name in ["alt", "neu"] {
        folder.put(&format!("in/{name}.xml"), DOCUMENT);
        folder.put(&format!("in/{name}-kaputt.xml"), "<!DOCTYPE a><a/>");
    }
    folder.put("in/ordner/nachricht.xml", DOCUMENT);
    folder.put("in/ordner/ausweis.pdf", b"%PDF");
    // Only named like a receipt.
    folder.put("in/neu.quittung.json", "{\"a\":1}");
    assert_eq!(folder.poll().await, Polled { accepted: 4, refused: 2, ..Polled::default() });
    folder.put("angenommen/fremd.xml", "von jemand anderem");
    let written = |path: &str, days: u32| {
        let now = Duration::from_millis(ManualClock::default().now().0.unsigned_abs());
        let file = fs::File::options().write(true).open(folder.at(path)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + now - DAY * days).unwrap();
    };
    for (days, path) in [
        (8, "angenommen/alt.xml.quittung.json"),
        (8, "angenommen/ordner.quittung.json"),
        (8, "abgelehnt/alt-kaputt.xml/fehler.txt"),
        (6, "angenommen/neu.xml.quittung.json"),
        (6, "abgelehnt/neu-kaputt.xml/fehler.txt"),
        (9, "angenommen/neu.quittung.json"),
        (6, "angenommen/neu.quittung.json.quittung.json"),
        // A sender may date its files as it likes.
        (900, "angenommen/neu.xml"),
        (900, "angenommen/fremd.xml"),
    ] {
        written(path, days);
    }
    let Folder { root, watch, .. } = folder;
    watch.run(std::future::ready(())).await;
    let names = |part: &str| {
        let entries = fs::read_dir(root.path().join(part)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    let mut left = [names("angenommen"), names("abgelehnt")].concat();
    left.sort();
    left
}

const DAY: Duration = Duration::from_secs(86_400);

#[tokio::test]
async fn what_lay_there_for_its_time_is_deleted_with_receipt_or_reason() {
    let kept = [
        "fremd.xml",
        "neu-kaputt.xml",
        "neu.quittung.json",
        "neu.quittung.json.quittung.json",
        "neu.xml",
        "neu.xml.quittung.json",
    ];
    assert_eq!(swept(Some(DAY * 7)).await, kept);
    assert_eq!(swept(None).await.len(), kept.len() + 5, "never means never");
}
