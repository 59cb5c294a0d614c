//! Transfers in chunks: one row for each chunk, and the way from the form before.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::collections::BTreeSet;

use dds_osci::{
    intermediary::{Attachment, ChunkUpload, Mailboxes as _},
    message::MessageId,
    signature::PartDigests,
};
use dds_postbox::{Postbox, PostboxError, StoredPart};
use support::postbox;

fn chunk(postbox: &Postbox, octets: &[u8]) -> Attachment<StoredPart> {
    let mut parts = postbox.parts().unwrap();
    let handle = parts.put(octets).unwrap();
    parts.keep();
    Attachment {
        content_id: "ChunkBlobStoreDelivery".to_owned(),
        media_type: "application/octet-stream".to_owned(),
        bytes: octets.len() as u64,
        offset: 0,
        digests: PartDigests { content_id: "ChunkBlobStoreDelivery".to_owned(), digests: Vec::new() },
        handle,
    }
}

fn upload(transfer: &str) -> ChunkUpload {
    ChunkUpload {
        client: "ab".repeat(32),
        transfer: MessageId::new(transfer),
        size: 64,
        total_chunks: 3,
        total_size: 180,
        received: BTreeSet::new(),
        begun: jiff::Timestamp::from_millisecond(1_790_000_000_000).unwrap(),
    }
}

#[tokio::test]
async fn chunks_come_back_in_their_order_and_count_for_their_client() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let chunks = [(3, chunk(&postbox, b"drei")), (1, chunk(&postbox, b"eins!"))];
    let client = upload("m").client;
    let (known, order, octets, others) = postbox
        .run(move |boxes| {
            for (number, chunk) in &chunks {
                boxes.keep_chunk(&upload("m"), *number, chunk)?;
            }
            let transfer = MessageId::new("m");
            let octets = boxes.upload_bytes(&client)?;
            let known = boxes.upload(&client, &transfer)?.unwrap();
            let order = boxes.upload_chunks(&client, &transfer)?;
            boxes.end_upload(&client, &transfer)?;
            assert_eq!((boxes.upload_bytes(&client)?, boxes.upload(&client, &transfer)?), (0, None));
            assert!(boxes.upload_chunks(&client, &transfer)?.is_empty());
            let others = boxes.upload_bytes(&"cd".repeat(32))?;
            Ok::<_, PostboxError>((known, order, octets, others))
        })
        .await
        .unwrap();
    assert_eq!(known, ChunkUpload { received: BTreeSet::from([1, 3]), ..upload("m") });
    assert_eq!(order.iter().map(|chunk| chunk.bytes).collect::<Vec<_>>(), [5, 4]);
    assert_eq!((octets, others), (9, 0));
}

/// A chunk more writes one row, not all rows again.
#[tokio::test]
async fn a_further_chunk_leaves_the_others_alone() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let chunks: Vec<_> = (1..=3_u64).map(|number| (number, chunk(&postbox, b"x"))).collect();
    for (number, chunk) in chunks {
        postbox.run(move |boxes| boxes.keep_chunk(&upload("m"), number, &chunk)).await.unwrap();
        let rows = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
        let count = |table: &str| -> i64 {
            rows.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert_eq!(
            (count("upload"), count("upload_chunk"), count("part")),
            (1, number.cast_signed(), number.cast_signed())
        );
    }
}

/// Dialogues and transfers of form 1 are begun anew; everything else stays.
#[tokio::test]
async fn a_postbox_of_form_1_opens() {
    let folder = tempfile::tempdir().unwrap();
    drop(postbox(folder.path()));
    let file = folder.path().join("postbox.sqlite");
    let old = rusqlite::Connection::open(&file).unwrap();
    old.execute_batch(
        "DROP INDEX message_id_request; ALTER TABLE message_id DROP COLUMN request; DROP INDEX delivery_refused; ALTER TABLE delivery DROP COLUMN originator;
         ALTER TABLE delivery DROP COLUMN refused;
         ALTER TABLE delivery ADD COLUMN record BLOB NOT NULL DEFAULT x''; DROP TRIGGER delivery_swept; DROP TABLE sealed;
         DROP TRIGGER delivery_comes; DROP TRIGGER delivery_goes; DROP TABLE load; ALTER TABLE set_aside DROP COLUMN tries; ALTER TABLE delivery DROP COLUMN bytes;
         DROP TABLE dialogue; DROP TABLE upload; DROP TABLE upload_chunk;
         CREATE TABLE dialogue (conversation TEXT PRIMARY KEY, used INTEGER NOT NULL, record BLOB NOT NULL) WITHOUT ROWID;
         CREATE TABLE upload (client TEXT NOT NULL, transfer TEXT NOT NULL, begun INTEGER NOT NULL, record BLOB NOT NULL,
           PRIMARY KEY (client, transfer)) WITHOUT ROWID;
         INSERT INTO dialogue VALUES ('1', 0, x'00');
         INSERT INTO upload VALUES ('c', 'm', 0, x'00');
         INSERT INTO part VALUES (x'01', 'upload/c/m'), (x'02', 'delivery/d');
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(old);
    let postbox = postbox(folder.path());
    let (open, upload) = postbox
        .run(|boxes| {
            Ok::<_, PostboxError>((
                boxes.open_dialogues(&"c".to_owned())?,
                boxes.upload(&"c".to_owned(), &MessageId::new("m"))?,
            ))
        })
        .await
        .unwrap();
    assert_eq!((open, upload), ((0, 0), None));
    let rows = rusqlite::Connection::open(&file).unwrap();
    let held: String = rows.query_row("SELECT group_concat(holder) FROM part", [], |row| row.get(0)).unwrap();
    assert_eq!(held, "delivery/d");
}
