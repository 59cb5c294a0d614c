//! A store that an older version wrote: this one goes on with it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test fail by panicking"
)]

mod common;

use common::*;
use dds_message::MessageState;
use dds_store::{AuditLog, Journal, Retention, StoreError};

#[tokio::test]
async fn a_store_of_each_older_version_is_brought_to_this_one() {
    for steps in 1..=BACK.len() {
        let (dir, clock) = (tempfile::tempdir().unwrap(), TestClock::new());
        drop(open(dir.path(), &clock).unwrap());
        // Once through version 3: from then on the root key is what the master key is.
        back(dir.path(), 1);
        let store = open(dir.path(), &clock).unwrap();
        store.accept(message(store.vault(), 1)).await.unwrap();
        store.plan(plan(id(1), vec![delivery(id(1), "fv")])).await.unwrap();
        drop(store);
        back(dir.path(), steps);

        let wrong = open_with(dir.path(), &clock, &"ff".repeat(32));
        assert!(matches!(wrong, Err(StoreError::OtherKey(_))), "{wrong:?}");
        let store = open(dir.path(), &clock).unwrap();
        // What it holds is there …
        assert_eq!(store.message(id(1)).await.unwrap().unwrap().state, MessageState::Routed);
        assert_eq!(store.document(id(1)).await.unwrap(), document(1));
        assert_eq!(store.claim(&PUSH, 8, TTL, START).await.unwrap().len(), 1);
        assert_eq!(store.history(id(1)).await.unwrap()[0].event, "message.accepted");
        // … and the tables take what this version writes, also beside what has no imprint yet.
        store.accept(message(store.vault(), 2)).await.unwrap();
        assert!(!store.accept(message(store.vault(), 2)).await.unwrap().fresh);
        assert!(!store.accept(message(store.vault(), 1)).await.unwrap().fresh);
        store.archive().await.unwrap();
    }
}
