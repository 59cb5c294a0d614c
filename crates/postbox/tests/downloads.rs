//! Deliveries fetched in chunks, on both sides: what has come so far, and what is given out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_message::Timestamp;
use dds_osci::{
    intermediary::{Attachment, Mailboxes as _, RenderedFetch},
    message::MessageId,
    signature::PartDigests,
};
use dds_postbox::{Fetching, Postbox, PostboxError, StoredPart, Swept};
use support::{NOW, postbox};

const DAY: i64 = 86_400_000;
const CUT: Fetching = Fetching { chunk_kb: 64, total_chunks: 3, total_kb: Some(180) };

fn ago(days: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(NOW - days * DAY).unwrap()
}

fn part(postbox: &Postbox, octets: &[u8]) -> StoredPart {
    let mut parts = postbox.parts().unwrap();
    let part = parts.put(octets).unwrap();
    parts.keep();
    part
}

/// Keeps a chunk of the delivery `m`.
async fn keep(postbox: &Postbox, recipient: &'static str, number: u64, days: i64) -> Attachment<StoredPart> {
    let chunk = Attachment {
        content_id: "ChunkBlobFetchDelivery".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        bytes: 64 << 10,
        offset: 0,
        digests: PartDigests { content_id: "ChunkBlobFetchDelivery".to_owned(), digests: Vec::new() },
        handle: part(postbox, format!("{recipient} {number}").as_bytes()),
    };
    let kept = chunk.clone();
    let keeping = postbox.run(move |boxes| {
        boxes.keep_fetched(recipient, &MessageId::new("m"), &CUT, (number, &kept), ago(days))
    });
    keeping.await.unwrap();
    chunk
}

#[tokio::test]
async fn chunks_come_back_in_their_order_for_the_recipient_that_fetched_them() {
    let folder = tempfile::tempdir().unwrap();
    let open = || postbox(folder.path());
    let postbox = open();
    let chunks = [keep(&postbox, "land", 1, 0).await, keep(&postbox, "land", 2, 0).await];
    keep(&postbox, "bund", 1, 0).await;
    drop(postbox);
    // Another process.
    let postbox = open();
    let (found, ended, gone, other) = postbox
        .run(|boxes| {
            let id = MessageId::new("m");
            assert_eq!(boxes.downloads("land")?, std::slice::from_ref(&id));
            assert!(boxes.downloads("kreis")?.is_empty());
            let found = boxes.download("land", &id)?.unwrap();
            let ended = boxes.end_download("land", &id)?;
            let other = boxes.download("bund", &id)?.unwrap().chunks.len();
            Ok::<_, PostboxError>((found, ended, boxes.download("land", &id)?, other))
        })
        .await
        .unwrap();
    assert_eq!((found.fetching, &found.chunks[..]), (CUT, &chunks[..]));
    assert_eq!(ended, chunks.map(|chunk| chunk.handle));
    assert_eq!((gone, other), (None, 1));
}

/// What goes on stays whole, however long ago it was begun; what stopped a day ago goes.
#[tokio::test]
async fn what_nobody_goes_on_with_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    keep(&postbox, "land", 1, 5).await;
    keep(&postbox, "land", 2, 0).await;
    keep(&postbox, "bund", 1, 2).await;
    for (id, days) in [("alt", 2), ("neu", 0)] {
        let handle = part(&postbox, id.as_bytes());
        let rendered = RenderedFetch { id: MessageId::new(id), at: ago(days), bytes: 3, handle };
        postbox.run(move |boxes| boxes.keep_rendered(&rendered)).await.unwrap();
    }
    let swept = postbox.sweep(Timestamp(NOW - 30 * DAY), Timestamp(NOW - DAY)).await.unwrap();
    // Files are as old as this test.
    assert_eq!(swept, Swept { deliveries: 0, sent: 0, files: 0 });
    let left = postbox.run(|boxes| {
        let chunks = boxes.download("land", &MessageId::new("m"))?.map(|found| found.chunks.len());
        let rendered = [boxes.rendered(&MessageId::new("alt"))?, boxes.rendered(&MessageId::new("neu"))?];
        Ok::<_, PostboxError>((chunks, boxes.downloads("bund")?.len(), rendered.map(|one| one.is_some())))
    });
    assert_eq!(left.await.unwrap(), (Some(2), 0, [false, true]));
    let rows = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    let held: String = rows
        .query_row("SELECT group_concat(holder) FROM (SELECT holder FROM part ORDER BY holder)", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(held, "download/land/m,download/land/m,rendered/neu");
}
