//! Dialogues that were opened and never begun, and the way from the form before they were told apart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_osci::{
    intermediary::{Client, Dialogue, IdState, Mailboxes as _},
    message::MessageId,
};
use dds_postbox::{Postbox, PostboxError};
use jiff::Timestamp;
use support::postbox;

fn dialogue(conversation: &str, next_sequence: u32, second: i64) -> Dialogue {
    Dialogue {
        conversation: conversation.to_owned(),
        client: Client::default(),
        encrypted: true,
        challenge: "c".to_owned(),
        next_sequence,
        handed_out: Vec::new(),
        used: Timestamp::from_second(1_790_000_000 + second).unwrap(),
    }
}

async fn keep(postbox: &Postbox, dialogues: Vec<Dialogue>) {
    let kept = postbox.run(move |boxes| {
        dialogues.iter().try_for_each(|dialogue| boxes.keep_dialogue(dialogue))?;
        Ok::<_, PostboxError>(())
    });
    kept.await.unwrap();
}

#[tokio::test]
async fn the_dialogue_that_waits_longest_for_its_first_order_ends_first() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    keep(&postbox, vec![dialogue("1", 0, 0), dialogue("2", 0, 2), dialogue("3", 0, 1), dialogue("4", 3, 0)])
        .await;
    keep(&postbox, vec![dialogue("1", 1, 0)]).await;
    let end = |client: Option<&'static str>| {
        postbox.run(move |boxes| {
            let ended = boxes.end_unbegun(client.map(str::to_owned).as_ref())?;
            let open = ["1", "2", "3", "4"].map(|one| boxes.dialogue(one).unwrap().is_some());
            Ok::<_, PostboxError>((ended, open))
        })
    };
    assert_eq!(end(Some("another")).await.unwrap(), (false, [true, true, true, true]));
    assert_eq!(end(Some("")).await.unwrap(), (true, [true, true, false, true]));
    assert_eq!(end(None).await.unwrap(), (true, [true, false, false, true]));
    assert_eq!(end(None).await.unwrap(), (false, [true, false, false, true]), "the others were begun");
}

/// MessageIds of form 6 stay what they are; dialogues are begun anew.
#[tokio::test]
async fn a_postbox_of_form_6_opens() {
    let folder = tempfile::tempdir().unwrap();
    drop(postbox(folder.path()));
    let old = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    old.execute_batch(
        "DROP INDEX message_id_request; ALTER TABLE message_id DROP COLUMN request; DROP INDEX delivery_refused; ALTER TABLE delivery DROP COLUMN originator;
         ALTER TABLE delivery DROP COLUMN refused; DROP TABLE dialogue;
         CREATE TABLE dialogue (conversation TEXT PRIMARY KEY, client TEXT NOT NULL, used INTEGER NOT NULL, record BLOB NOT NULL)
           WITHOUT ROWID;
         INSERT INTO dialogue VALUES ('1', 'c', 0, x'00');
         INSERT INTO message_id VALUES ('m', 'c', 0, 0);
         PRAGMA user_version = 6;",
    )
    .unwrap();
    drop(old);
    let postbox = postbox(folder.path());
    let found = postbox.run(|boxes| {
        let client = "c".to_owned();
        boxes.issue_id(&MessageId::new("n"), &client, Some(b"order"), Timestamp::UNIX_EPOCH)?;
        Ok::<_, PostboxError>((
            boxes.dialogue("1")?,
            boxes.id_state(&MessageId::new("m"), &client)?,
            boxes.issued_for(b"order", &client)?,
            boxes.unused_ids(&client)?,
        ))
    });
    let again = Some((MessageId::new("n"), IdState::Free));
    assert_eq!(found.await.unwrap(), (None, IdState::Free, again, 2));
}
