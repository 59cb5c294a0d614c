//! What waits in a mailbox is counted as it comes and goes, and its cards stay.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_message::Timestamp;
use dds_osci::{
    intermediary::{Card, Delivery, Mailboxes as _},
    laufzettel::{ProcessCard, ProcessCardBundle},
    message::MessageId,
};
use dds_postbox::{Postbox, PostboxError};
use jiff::Timestamp as Moment;
use support::postbox;

/// A delivery of so many octets, and its card.
async fn put(postbox: &Postbox, id: &str, mailbox: &str, octets: usize) {
    let id = MessageId::new(id);
    let (mailbox, envelope, attachments) = (mailbox.to_owned(), vec![b'x'; octets], Vec::new());
    let submitted = Moment::UNIX_EPOCH;
    let card = ProcessCard {
        recent_modification: submitted,
        creation: None,
        forwarding: None,
        reception: None,
        subject: None,
    };
    let bundle = ProcessCardBundle { message_id: id.clone(), card, inspections: Vec::new() };
    let card = Card { bundle, originator: Vec::new(), addressee: Some(mailbox.clone()), submitted };
    let delivery = Delivery { id, mailbox, submitted, envelope, attachments };
    let kept = postbox.run(move |boxes| {
        boxes.put_delivery(&delivery)?;
        boxes.keep_card(&card)?;
        Ok::<_, PostboxError>(())
    });
    kept.await.unwrap();
}

async fn load(postbox: &Postbox, mailbox: &str) -> (u64, u64) {
    let mailbox = mailbox.to_owned();
    postbox.run(move |boxes| Ok::<_, PostboxError>(boxes.load(&mailbox)?)).await.unwrap()
}

async fn receive(postbox: &Postbox, id: &str) {
    let id = MessageId::new(id);
    postbox.run(move |boxes| boxes.taken(&id, Moment::UNIX_EPOCH)).await.unwrap();
}

#[tokio::test]
async fn a_delivery_waits_until_it_is_received() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    put(&postbox, "a", "amt", 10).await;
    put(&postbox, "b", "amt", 20).await;
    put(&postbox, "c", "anderes", 40).await;
    assert_eq!((load(&postbox, "amt").await, load(&postbox, "niemand").await), ((2, 30), (0, 0)));
    receive(&postbox, "a").await;
    receive(&postbox, "a").await;
    assert_eq!((load(&postbox, "amt").await, load(&postbox, "anderes").await), ((1, 20), (1, 40)));
    postbox.sweep(Timestamp(i64::MAX / 1_000), Timestamp(0)).await.unwrap();
    assert_eq!(load(&postbox, "amt").await, (1, 20));
}

#[tokio::test]
async fn what_lay_in_a_postbox_of_form_2_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let old = postbox(folder.path());
    put(&old, "a", "amt", 10).await;
    put(&old, "b", "amt", 10).await;
    receive(&old, "a").await;
    drop(old);
    let file = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    file.execute_batch(
        "DROP INDEX message_id_request; ALTER TABLE message_id DROP COLUMN request; DROP INDEX delivery_refused; ALTER TABLE delivery DROP COLUMN originator;
         ALTER TABLE delivery DROP COLUMN refused;
         ALTER TABLE delivery ADD COLUMN record BLOB NOT NULL DEFAULT x'';
         UPDATE delivery SET record = (SELECT record FROM sealed WHERE sealed.number = delivery.number);
         DROP TRIGGER delivery_swept; DROP TABLE sealed;
         DROP TRIGGER delivery_comes; DROP TRIGGER delivery_goes; DROP TABLE load; ALTER TABLE set_aside DROP COLUMN tries;
         ALTER TABLE delivery DROP COLUMN bytes; PRAGMA user_version = 2;",
    )
    .unwrap();
    drop(file);
    let new = postbox(folder.path());
    let (deliveries, bytes) = load(&new, "amt").await;
    assert!(deliveries == 1 && bytes >= 10, "{deliveries} {bytes}");
    let found = new.run(|boxes| boxes.find_delivery(&"amt".to_owned(), None)).await.unwrap();
    assert!(found.is_some_and(|(delivery, more)| delivery.id.as_str() == "b" && !more));
}

#[tokio::test]
async fn the_cards_of_a_postbox_of_form_9_stay() {
    let folder = tempfile::tempdir().unwrap();
    let old = postbox(folder.path());
    put(&old, "b", "amt", 10).await;
    put(&old, "a", "amt", 10).await;
    receive(&old, "a").await;
    drop(old);
    let file = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    file.execute_batch(
        "CREATE TABLE before (id TEXT PRIMARY KEY, submitted INTEGER NOT NULL, modified INTEGER NOT NULL, received INTEGER, record BLOB NOT NULL)
           WITHOUT ROWID;
         INSERT INTO before SELECT id, submitted, modified, received, record FROM card;
         DROP TABLE card; ALTER TABLE before RENAME TO card; PRAGMA user_version = 9;",
    )
    .unwrap();
    drop(file);
    let new = postbox(folder.path());
    let received = |id: &'static str| {
        let card = new.run(move |boxes| boxes.card(&MessageId::new(id)));
        async { card.await.unwrap().map(|card| card.bundle.card.reception.is_some()) }
    };
    assert_eq!(
        (received("a").await, received("b").await, received("c").await),
        (Some(true), Some(false), None)
    );
    receive(&new, "b").await;
    assert_eq!(received("b").await, Some(true));
    let file = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    let cards = "SELECT count(*) FROM card WHERE number IN (1, 2)";
    assert_eq!(file.query_one(cards, [], |row| row.get::<_, i64>(0)), Ok(2));
}
