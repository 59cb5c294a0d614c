//! Drop folder: all of a delivery or nothing.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use dds_delivery::AttachmentSource;
use dds_message::{Attachment, Code, Digest};
use dds_store::{ByteStream, StoreError};
use dds_testbench::FolderSim;
use futures::StreamExt as _;
use support::{Damaged, Made, Town, consignment, deliver, told};
use tokio::sync::Notify;

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
        let private = folder.path().join(format!(".tmp-{}", whole.delivery));
        for left in ["7", "7.weg"] {
            let left = private.join(left);
            std::fs::create_dir_all(&left).unwrap();
            std::fs::write(left.join("half.pdf"), "x").unwrap();
        }
        std::fs::write(private.join("8.zip"), "PK half").unwrap();
        assert_eq!(sim.collect().unwrap(), 0);
        assert_eq!(told(&deliver(&targets, &whole).await).0, "delivered");
        assert!(!private.exists());
        assert_eq!(sim.collect().unwrap(), 1);
    }
}

/// An attachment whose second half is read when the test says so.
struct Halved {
    attachment: Attachment,
    half: Bytes,
    waits: Notify,
    go: Notify,
}

impl Halved {
    fn new() -> Arc<Self> {
        let half = Bytes::from(vec![b'h'; 100_000]);
        let whole = [half.as_ref(), half.as_ref()].concat();
        let attachment = Attachment {
            name: "a.pdf".to_owned(),
            media_type: "application/pdf".to_owned(),
            size: 200_000,
            digest: Digest::of(&whole),
        };
        Arc::new(Self { attachment, half, waits: Notify::new(), go: Notify::new() })
    }
}

/// A handle that can be opened more than once.
struct Shared(Arc<Halved>);

#[async_trait]
impl AttachmentSource for Shared {
    fn describe(&self) -> &Attachment {
        &self.0.attachment
    }

    async fn open(&self) -> Result<ByteStream, StoreError> {
        let source = Arc::clone(&self.0);
        let first = futures::stream::iter([Ok(source.half.clone())]);
        let second = futures::stream::once(async move {
            source.waits.notify_one();
            source.go.notified().await;
            Ok(source.half.clone())
        });
        Ok(first.chain(second).boxed())
    }
}

/// An attempt whose lease ran out, and the next one beside it: nothing half appears, whoever ends first.
#[tokio::test]
async fn two_attempts_at_a_time_do_not_share_what_they_write() {
    for office in ["folder", "zip"] {
        let folder = tempfile::tempdir().unwrap();
        let sim = FolderSim::new(folder.path()).unwrap();
        let targets = Town::in_folder(folder.path()).targets();
        let begin = |source: &Arc<Halved>| {
            let sent = consignment(office, 1, vec![Arc::new(Shared(Arc::clone(source)))]);
            let targets = targets.clone();
            tokio::spawn(async move { deliver(&targets, &sent).await })
        };
        let (late, next) = (Halved::new(), Halved::new());
        let late_attempt = begin(&late);
        late.waits.notified().await;
        let next_attempt = begin(&next);
        next.waits.notified().await;
        late.go.notify_one();
        let late_verdict = late_attempt.await.unwrap();
        let shown = sim.collect();
        next.go.notify_one();
        let next_verdict = next_attempt.await.unwrap();
        assert_eq!((told(&late_verdict).0, shown.unwrap()), ("temporary", 0), "{office}: {late_verdict:?}");
        assert_eq!((told(&next_verdict).0, sim.collect().unwrap()), ("delivered", 1), "{office}");
        assert_eq!(sim.inbox().all()[0].attachments[0].digest, next.attachment.digest);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
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
