//! What the sweep takes, and above all what it leaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use dds_message::{DeliveryId, TargetId, Timestamp};
use dds_osci::{
    intermediary::{Delivery, IdState, Mailboxes as _},
    message::MessageId,
};
use dds_postbox::{Postbox, PostboxError, Sent, SentState, Swept};
use support::{NOW, postbox};

const DAY: i64 = 86_400_000;

/// So many days ago.
fn ago(days: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(NOW - days * DAY).unwrap()
}

/// As the router does it: what was received is kept for 30 days, what was begun for one.
async fn sweep(postbox: &Postbox) -> Swept {
    postbox.sweep(Timestamp(NOW - 30 * DAY), Timestamp(NOW - DAY)).await.unwrap()
}

#[tokio::test]
async fn what_we_sent_goes_after_its_reception_and_never_before() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let states = [SentState::Begun, SentState::Stored, SentState::Received];
    let sent: Vec<Sent> = states
        .into_iter()
        .flat_map(|state| [29, 31, 3_000].map(|days| (state, days)))
        .map(|(state, days)| Sent {
            delivery: DeliveryId(uuid::Uuid::now_v7()),
            target: TargetId::parse("146120000000/steueramt/fv-steuerwerk").unwrap(),
            message_id: MessageId::new(format!("{state:?}-{days}")),
            state,
            at: ago(days),
        })
        .collect();
    for sent in sent.clone() {
        postbox.run(move |boxes| boxes.keep_sent(&sent)).await.unwrap();
    }
    assert_eq!(sweep(&postbox).await, Swept { deliveries: 0, sent: 2, files: 0 });
    let mut left = Vec::new();
    for sent in sent {
        if postbox.run(move |boxes| boxes.sent(sent.delivery)).await.unwrap().is_some() {
            left.push(sent.message_id.to_string());
        }
    }
    let tracked =
        ["Begun-29", "Begun-31", "Begun-3000", "Stored-29", "Stored-31", "Stored-3000", "Received-29"];
    assert_eq!(left, tracked);
    assert_eq!(
        postbox.run(|boxes| boxes.unreceived(10)).await.unwrap().len(),
        3,
        "the tracker still follows"
    );
}

#[tokio::test]
async fn a_message_id_stays_known_as_long_as_it_could_be_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    let client = "ab".repeat(32);
    let owner = client.clone();
    let issued = [("fresh", 0, false), ("forgotten", 2, false), ("used", 3_000, true)];
    postbox
        .run(move |boxes| {
            for (id, days, used) in issued {
                boxes.issue_id(&MessageId::new(id), &owner, Some(id.as_bytes()), ago(days))?;
                if used {
                    boxes.use_id(&MessageId::new(id))?;
                }
            }
            Ok::<_, PostboxError>(())
        })
        .await
        .unwrap();
    sweep(&postbox).await;
    let state = |id: &'static str| {
        let client = client.clone();
        postbox.run(move |boxes| boxes.id_state(&MessageId::new(id), &client))
    };
    let asked = |order: &'static [u8]| {
        let client = client.clone();
        postbox.run(move |boxes| boxes.issued_for(order, &client))
    };
    assert_eq!(asked(b"used").await.unwrap(), Some((MessageId::new("used"), IdState::Used)));
    assert_eq!(asked(b"fresh").await.unwrap(), Some((MessageId::new("fresh"), IdState::Free)));
    assert_eq!(asked(b"forgotten").await.unwrap(), None);
    assert_eq!(state("fresh").await.unwrap(), IdState::Free);
    assert_eq!(state("forgotten").await.unwrap(), IdState::Unknown);
    assert_eq!(state("used").await.unwrap(), IdState::Used);
}

#[tokio::test]
async fn a_delivery_goes_after_it_was_received() {
    let folder = tempfile::tempdir().unwrap();
    let postbox = postbox(folder.path());
    for (id, received) in [("waiting", None), ("yesterday", Some(1)), ("long ago", Some(31))] {
        let delivery = Delivery {
            id: MessageId::new(id),
            mailbox: "cd".repeat(32),
            submitted: ago(60),
            envelope: b"<x/>".to_vec(),
            attachments: Vec::new(),
        };
        postbox
            .run(move |boxes| {
                boxes.put_delivery(&delivery)?;
                if let Some(days) = received {
                    boxes.taken(&delivery.id, ago(days))?;
                }
                Ok::<_, PostboxError>(())
            })
            .await
            .unwrap();
    }
    assert_eq!(sweep(&postbox).await, Swept { deliveries: 1, sent: 0, files: 0 });
    for (id, there) in [("waiting", true), ("yesterday", true), ("long ago", false)] {
        let found = postbox.run(move |boxes| boxes.has_delivery(&MessageId::new(id))).await.unwrap();
        assert_eq!(found, there, "{id}");
    }
    let file = rusqlite::Connection::open(folder.path().join("postbox.sqlite")).unwrap();
    let sealed: i64 = file.query_row("SELECT count(*) FROM sealed", [], |row| row.get(0)).unwrap();
    assert_eq!(sealed, 2, "and what was delivered goes with it");
}
