//! What is set aside: how long it rests, what holds it up no longer, and how a person ends it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_message::Timestamp;
use dds_osci::{
    intermediary::{Client, Delivery, Dialogue, Mailboxes as _},
    message::MessageId,
};
use dds_postbox::{Boxes, Postbox, PostboxError, Why};
use jiff::{SignedDuration, Timestamp as Moment};
use support::{NOW, postbox};

const DAY: i64 = 86_400_000;

fn now() -> Moment {
    Moment::from_millisecond(NOW).unwrap()
}

async fn run<T: Send + 'static>(
    postbox: &Postbox,
    step: impl FnOnce(&mut Boxes<'_>) -> Result<T, PostboxError> + Send + 'static,
) -> T {
    postbox.run(step).await.unwrap()
}

async fn put(postbox: &Postbox, id: &str) -> MessageId {
    put_into(postbox, "town", id).await
}

async fn put_into(postbox: &Postbox, mailbox: &str, id: &str) -> MessageId {
    let delivery = Delivery {
        id: MessageId::new(id),
        mailbox: mailbox.to_owned(),
        submitted: now(),
        envelope: b"<e/>".to_vec(),
        attachments: Vec::new(),
    };
    let id = delivery.id.clone();
    run(postbox, move |boxes| Ok(boxes.put_delivery(&delivery)?)).await;
    id
}

/// Refused for good, by this code; the envelope names nobody.
const fn refused(code: &str) -> Why<'_> {
    Why { code, originator: None, refused: true }
}

const RESTS: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(15), SignedDuration::from_hours(24));

#[tokio::test]
async fn the_rest_doubles_up_to_a_day_and_begins_anew_with_another_reason_or_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let id = put(&postbox, "1").await;
    let aside = |code: &'static str| {
        let (postbox, id) = (postbox.clone(), id.clone());
        async move {
            let aside = run(&postbox, move |boxes| boxes.set_aside(&id, &refused(code), now(), RESTS));
            let aside = aside.await.unwrap();
            (aside.again.duration_since(now()).as_mins(), aside.is_new)
        }
    };
    let mut rests = Vec::new();
    for _ in 0..9 {
        rests.push(aside("DDS-R001").await);
    }
    let minutes: Vec<i64> = rests.iter().map(|(minutes, _)| *minutes).collect();
    assert_eq!(minutes, [15, 30, 60, 120, 240, 480, 960, 1440, 1440]);
    assert!(rests[0].1 && rests[1..].iter().all(|(_, is_new)| !is_new));
    assert_eq!(aside("DDS-O010").await, (15, true), "another reason");
    assert_eq!(aside("DDS-O010").await, (30, false));
    let retried = id.clone();
    assert_eq!(run(&postbox, move |boxes| boxes.retry_set_aside(Some(&retried))).await, 1);
    assert_eq!(aside("DDS-O010").await, (15, false), "by hand: short again, and nothing new");
}

#[tokio::test]
async fn what_a_person_drops_is_tried_no_more_and_is_no_reception() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let (dropped, other) = (put(&postbox, "1").await, put(&postbox, "2").await);
    for id in [dropped.clone(), other.clone()] {
        run(&postbox, move |boxes| boxes.set_aside(&id, &refused("DDS-O010"), now(), RESTS)).await;
    }
    let listed = run(&postbox, |boxes| boxes.all_set_aside(10)).await;
    let codes: Vec<_> = listed.iter().map(|aside| (aside.id.as_str(), aside.code.as_str())).collect();
    assert_eq!(codes, [("1", "DDS-O010"), ("2", "DDS-O010")]);
    let id = dropped.clone();
    assert!(run(&postbox, move |boxes| boxes.drop_set_aside(&id, now())).await.is_some());
    let id = dropped.clone();
    assert!(run(&postbox, move |boxes| boxes.drop_set_aside(&id, now())).await.is_none(), "only once");
    assert_eq!(run(&postbox, |boxes| boxes.count_set_aside()).await, 1);
    run(&postbox, |boxes| boxes.retry_set_aside(None)).await;
    let town = ["town".to_owned()];
    let waiting = run(&postbox, move |boxes| boxes.waiting(&town, now(), 9, 9)).await;
    let ids: Vec<_> = waiting.deliveries.into_iter().map(|(delivery, _)| delivery.id).collect();
    assert_eq!(ids, [other]);
    let new = put(&postbox, "3").await;
    let id = new.clone();
    assert!(run(&postbox, move |boxes| boxes.drop_set_aside(&id, now())).await.is_none(), "not set aside");
}

/// What a client may have lying refused is counted in each mailbox, and only while it lies there for good.
#[tokio::test]
async fn what_is_refused_counts_against_its_originator_until_it_is_taken_or_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let aside = |id: MessageId, originator: &'static str, refused: bool| {
        let why = Why { code: "DDS-I001", originator: Some(originator), refused };
        run(&postbox, move |boxes| boxes.set_aside(&id, &why, now(), RESTS))
    };
    let counted = |mailbox: &'static str, client: &'static str| {
        run(&postbox, move |boxes| Ok(boxes.refused(&mailbox.to_owned(), &client.to_owned())?))
    };
    let [taken, dropped, waiting] =
        [put(&postbox, "1").await, put(&postbox, "2").await, put(&postbox, "3").await];
    for id in [&taken, &dropped, &waiting] {
        aside(id.clone(), "stranger", true).await;
    }
    aside(put(&postbox, "4").await, "portal", true).await;
    aside(put(&postbox, "5").await, "stranger", false).await;
    aside(put_into(&postbox, "district", "6").await, "stranger", true).await;
    put(&postbox, "7").await;
    assert_eq!(counted("town", "stranger").await, (3, 3 * 4));
    assert_eq!((counted("town", "portal").await, counted("district", "stranger").await), ((1, 4), (1, 4)));
    assert_eq!(counted("district", "portal").await, (0, 0));
    let stranger = "stranger".to_owned();
    let all = run(&postbox, move |boxes| boxes.set_aside_of(&stranger)).await;
    let all: Vec<_> = all.iter().map(|one| (one.id.as_str(), one.originator.as_deref())).collect();
    assert_eq!(all, ["1", "2", "3", "5", "6"].map(|id| (id, Some("stranger"))));

    run(&postbox, move |boxes| boxes.taken(&taken, now())).await;
    assert_eq!(counted("town", "stranger").await, (2, 2 * 4));
    run(&postbox, move |boxes| boxes.drop_set_aside(&dropped, now())).await;
    assert_eq!(counted("town", "stranger").await, (1, 4));
    // Tried again, and now it is only the router that takes nothing more.
    aside(waiting, "stranger", false).await;
    assert_eq!(counted("town", "stranger").await, (0, 0));
}

/// An envelope can name the certificate of somebody else, who would have to answer for it.
#[tokio::test]
async fn the_originator_is_whom_the_message_id_was_issued_to() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    for (id, client, known) in [("1", "stranger", Some("stranger")), ("2", "", None)] {
        let id = put(&postbox, id).await;
        let why = Why { code: "DDS-I001", originator: Some("portal"), refused: true };
        let (aside, counts) = run(&postbox, move |boxes| {
            boxes.issue_id(&id, &client.to_owned(), None, now())?;
            let aside = boxes.set_aside(&id, &why, now(), RESTS)?.unwrap();
            let counts =
                [client, "portal"].map(|who| boxes.refused(&"town".to_owned(), &who.to_owned()).unwrap());
            Ok((aside, counts))
        })
        .await;
        assert_eq!((aside.originator.as_deref(), counts), (known, [(1, 4), (0, 0)]), "{client:?}");
    }
}

/// What was set aside before originators were noted stays, counts against nobody, and learns whose it is.
#[tokio::test]
async fn a_postbox_of_form_8_opens() {
    let folder = tempfile::tempdir().unwrap();
    let old = postbox(folder.path());
    let id = put(&old, "1").await;
    let aside = id.clone();
    run(&old, move |boxes| boxes.set_aside(&aside, &refused("DDS-I001"), now(), RESTS)).await;
    drop(old);
    let file = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    file.execute_batch(
        "DROP INDEX delivery_refused; ALTER TABLE delivery DROP COLUMN originator; ALTER TABLE delivery DROP COLUMN refused;
         PRAGMA user_version = 8;",
    )
    .unwrap();
    drop(file);
    let new = postbox(folder.path());
    let listed = run(&new, |boxes| boxes.all_set_aside(9)).await;
    assert_eq!(listed.iter().map(|one| (&one.id, &one.originator)).collect::<Vec<_>>(), [(&id, &None)]);
    let counted = || run(&new, |boxes| Ok(boxes.refused(&"town".to_owned(), &"stranger".to_owned())?));
    assert_eq!(counted().await, (0, 0));
    let why = Why { originator: Some("stranger"), ..refused("DDS-I001") };
    let again = run(&new, move |boxes| boxes.set_aside(&id, &why, now(), RESTS)).await.unwrap();
    assert_eq!((again.originator.as_deref(), again.tries, again.is_new), (Some("stranger"), 2, false));
    assert_eq!(counted().await, (1, 4));
}

/// The oldest of a mailbox cannot be read: who fetches gets the next one.
#[tokio::test]
async fn a_broken_record_holds_up_nobody_who_fetches() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    put(&postbox, "1").await;
    let next = put(&postbox, "2").await;
    let connection = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    connection
        .execute(
            "UPDATE sealed SET record = x'00' WHERE number = (SELECT number FROM delivery WHERE id = '1')",
            [],
        )
        .unwrap();
    let found = run(&postbox, |boxes| Ok(boxes.find_delivery(&"town".to_owned(), None)?)).await;
    let (delivery, more) = found.unwrap();
    assert_eq!((delivery.id, more), (next, false));
}

#[tokio::test]
async fn a_dialogue_from_the_future_ends() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let left = run(&postbox, |boxes| {
        for (name, days) in [("now", 0), ("ahead", 365)] {
            boxes.keep_dialogue(&Dialogue {
                conversation: name.to_owned(),
                client: Client { cipher: None, signature: None },
                encrypted: true,
                challenge: String::new(),
                next_sequence: 0,
                handed_out: Vec::new(),
                used: Moment::from_millisecond(NOW + days * DAY).unwrap(),
            })?;
        }
        let idle = SignedDuration::from_mins(15);
        boxes.expire_dialogues(now().checked_sub(idle).unwrap()..=now().checked_add(idle).unwrap())?;
        Ok([boxes.dialogue("now")?.is_some(), boxes.dialogue("ahead")?.is_some()])
    });
    assert_eq!(left.await, [true, false]);
}

/// A fetch that lasts longer than a day, or during which the clock jumps by one, keeps what it has.
#[tokio::test]
async fn the_sweep_leaves_what_somebody_still_has_in_his_hands() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let mut parts = postbox.parts().unwrap();
    let part = parts.put(b"Anlage").unwrap();
    let later = Timestamp(NOW + 2 * DAY);
    assert_eq!(postbox.sweep(later, later).await.unwrap().files, 0);
    assert!(postbox.open_part(&part).is_ok());
    parts.keep();
    assert_eq!(postbox.sweep(later, later).await.unwrap().files, 1, "given up by everybody");
}
