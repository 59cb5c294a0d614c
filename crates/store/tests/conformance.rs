//! What every engine of the store must do, written against its traits only. A second engine adds one line at the end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "helpers of a test fail by panicking"
)]

mod common;

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use common::*;
use dds_message::{
    AnswerKind, Code, Completed, DeliveryId, DeliveryState, Digest, Direction, MessageState, ProcedureId,
    Timestamp,
};
use dds_store::{
    Attempting, ClaimFilter, Claimed, Lease, LogQuery, NewDelivery, NewEntry, NewPlan, PlanState, Settled,
    StoreError, Waiting,
};
use futures::{FutureExt, StreamExt, TryStreamExt};

/// Accepts and plans message `n` with a delivery to each target.
async fn routed<E: Engine>(store: &E, n: u64, targets: &[&str]) -> Vec<DeliveryId> {
    store.accept(message(store.vault(), n)).await.unwrap();
    let deliveries: Vec<_> = targets.iter().map(|target| delivery(id(n), target)).collect();
    let ids = deliveries.iter().map(|delivery| delivery.id).collect();
    assert!(store.plan(plan(id(n), deliveries)).await.unwrap());
    ids
}

async fn claim_one<E: Engine>(store: &E, now: Timestamp) -> Claimed {
    let mut claimed = store.claim(&PUSH, 1, TTL, now).await.unwrap();
    assert_eq!(claimed.len(), 1, "nothing to claim");
    claimed.remove(0)
}

async fn state<E: Engine>(store: &E, n: u64) -> MessageState {
    store.message(id(n)).await.unwrap().unwrap().state
}

/// State of the message afterwards; `None` if the settlement was stale.
async fn settle<E: Engine>(store: &E, settlement: dds_store::Settlement) -> Option<MessageState> {
    store.settle(vec![settlement]).await.unwrap()[0].state()
}

async fn events<E: Engine>(store: &E, n: u64) -> Vec<String> {
    store.history(id(n)).await.unwrap().into_iter().map(|row| row.event).collect()
}

async fn chain_holds<E: Engine>(store: &E) {
    let report = store.verify(1, None).await.unwrap();
    assert_eq!(report.broken, None);
    assert_eq!(report.anchor.unwrap(), store.anchor().await.unwrap());
    assert_eq!(report.checked, report.anchor.unwrap().seq as u64);
}

async fn a_message_goes_all_the_way<E: Engine>(store: E) {
    let accepted = store.accept(message(store.vault(), 1)).await.unwrap();
    assert!(accepted.fresh && accepted.id == id(1) && accepted.state == MessageState::Accepted);
    assert_eq!(store.pending(None, 10).await.unwrap().len(), 1);
    assert_eq!(store.document(id(1)).await.unwrap(), document(1));

    let findings = Bytes::from_static(b"[\"Hinweis\"]");
    let new = delivery(id(1), "dresden/steueramt/fv");
    let new = NewPlan { report: Some(findings.clone()), ..plan(id(1), vec![new]) };
    assert!(store.plan(new).await.unwrap());
    assert!(store.pending(None, 10).await.unwrap().is_empty());
    assert_eq!(store.report(id(1)).await.unwrap(), Some(findings));

    let claimed = claim_one(&store, START).await;
    assert_eq!(claimed.delivery.message, id(1));
    assert_eq!(claimed.until, START.plus(TTL));
    let output = store.shipment(claimed.lease.delivery).await.unwrap().output;
    assert_eq!((output.media_type.as_str(), output.file_name.as_str()), ("application/json", "vorgang.json"));
    assert_eq!(Digest::of(&output.bytes), output.digest);

    let waiting = Waiting {
        target: target("dresden/steueramt/fv"),
        procedure: Some(ProcedureId::parse("hundesteuer").unwrap()),
        deliveries: 1,
        due: Some(START),
        held: None,
    };
    assert_eq!(store.backlog().await.unwrap().waiting, std::slice::from_ref(&waiting));
    let settled = store.settle(vec![delivered(claimed.lease), late(claimed.lease)]).await.unwrap();
    assert_eq!(settled.iter().filter_map(Settled::state).collect::<Vec<_>>(), [MessageState::Completed; 2]);
    let completed = Completed { message: id(1), procedure: waiting.procedure, took: Duration::from_secs(1) };
    assert_eq!(settled[0].completed(), Some(&completed));
    assert_eq!(settled[1].completed(), None, "completed once");
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(record.state, MessageState::Completed);
    assert_eq!(record.size, document(1).len() as u64);
    let delivery = &record.deliveries[0];
    assert_eq!((delivery.state, delivery.attempts), (DeliveryState::Delivered, 1));
    assert_eq!(delivery.receipt.as_deref(), Some("AZ-7"));

    let expected = ["message.accepted", "message.routed", "delivery.delivered", "message.completed"];
    assert_eq!(events(&store, 1).await, expected);
    let row = store.history(id(1)).await.unwrap().remove(2);
    assert_eq!(row.delivery, Some(claimed.lease.delivery));
    assert_eq!(row.case.as_deref(), Some("case-1"));
    assert_eq!(row.source.as_deref(), Some("amt24"));
    assert_eq!(row.procedure.as_deref(), Some("hundesteuer"));
    assert_eq!(row.authority.as_deref(), Some("sn:146120000000-steueramt"));
    assert_eq!(row.target.as_deref(), Some("dresden/steueramt/fv"));
    assert_eq!(row.state.as_deref(), Some("delivered"));
    assert_eq!(row.expected_hash(), row.hash, "an exported entry can be verified by itself");
    chain_holds(&store).await;

    let backlog = store.backlog().await.unwrap();
    assert_eq!(backlog.messages[&MessageState::Completed], 1);
    assert_eq!(backlog.messages[&MessageState::Accepted], 0);
    assert_eq!(backlog.deliveries[&DeliveryState::Delivered], 1);
    assert!(backlog.waiting.is_empty());
}

async fn the_same_key_gets_the_first_answer<E: Engine>(store: E) {
    assert_eq!(store.find(&source(), "key-1").await.unwrap(), None);
    let first = store.accept(message(store.vault(), 1)).await.unwrap();
    let again =
        dds_store::NewMessage { sender_key: "key-1".into(), ..message_of(store.vault(), 2, document(1)).0 };
    let second = store.accept(again.clone()).await.unwrap();
    assert_eq!(second, dds_store::Accepted { fresh: false, ..first.clone() });
    assert_eq!(store.find(&source(), "key-1").await.unwrap(), Some(second));
    assert!(store.message(id(2)).await.unwrap().is_none());

    let other = dds_store::NewMessage { digest: Digest::of(b"other"), ..again.clone() };
    assert!(matches!(store.accept(other).await, Err(StoreError::KeyReused)));
    let elsewhere = dds_message::SourceId::parse("portal").unwrap();
    assert!(store.accept(dds_store::NewMessage { source: elsewhere, ..again }).await.unwrap().fresh);
    assert_eq!(store.anchor().await.unwrap().seq, 2, "a duplicate writes no entry");
    // The id is taken: nothing is stored, and nothing of it stays.
    let taken = dds_store::NewMessage { sender_key: "new".into(), ..message(store.vault(), 1) };
    assert!(matches!(store.accept(taken).await, Err(StoreError::Invalid(_))));
    chain_holds(&store).await;
}

async fn one_of_many_concurrent_duplicates_is_fresh<E: Engine + Clone>(store: E) {
    let tasks = (0..32).map(|n| {
        let (store, vault) = (store.clone(), store.vault().clone());
        let message = message_of(&vault, 100 + n, document(1)).0;
        let message = dds_store::NewMessage { sender_key: "the-key".into(), ..message };
        tokio::spawn(async move { store.accept(message).await.unwrap() })
    });
    let answers: Vec<_> = futures::future::join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| answer.fresh).count(), 1);
    assert_eq!(answers.iter().map(|answer| answer.id).collect::<BTreeSet<_>>().len(), 1);
}

async fn planning_again_changes_nothing<E: Engine>(store: E) {
    let ids = routed(&store, 1, &["a"]).await;
    assert!(!store.plan(plan(id(1), vec![delivery(id(1), "a")])).await.unwrap());
    assert!(!store.plan(plan(id(1), vec![delivery(id(1), "b")])).await.unwrap());
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(record.deliveries.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), ids);
    assert_eq!(events(&store, 1).await.len(), 2);
    assert!(matches!(store.plan(plan(id(9), vec![])).await, Err(StoreError::NotFound(_))));
    store.accept(message(store.vault(), 2)).await.unwrap();
    let stuck = store.plan(plan(id(2), vec![])).await;
    assert!(matches!(stuck, Ok(true) | Err(StoreError::Invalid(_))));
}

async fn a_message_is_parked_released_and_rejected<E: Engine>(store: E) {
    store.accept(message(store.vault(), 1)).await.unwrap();
    let parked = NewPlan { state: PlanState::Parked(Code::NO_TARGET), ..plan(id(1), vec![]) };
    assert!(store.plan(parked).await.unwrap());
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!((record.state, record.code), (MessageState::Parked, Some(Code::NO_TARGET)));
    store.set_state(id(1), PlanState::Accepted, None, entry("message.released")).await.unwrap();
    assert_eq!(store.pending(None, 1).await.unwrap()[0].id, id(1));
    let why = Bytes::from_static(b"[\"Grund\"]");
    let rejected = PlanState::Rejected(Code::NO_AUTHORITY);
    store.set_state(id(1), rejected, Some(why.clone()), entry("message.rejected")).await.unwrap();
    assert_eq!(store.report(id(1)).await.unwrap(), Some(why));
    assert_eq!(state(&store, 1).await, MessageState::Rejected);
    let back = store.set_state(id(1), PlanState::Accepted, None, entry("message.released")).await;
    assert!(matches!(back, Err(StoreError::Invalid(_))));
    let nobody = store.set_state(id(7), PlanState::Accepted, None, entry("message.released")).await;
    assert!(matches!(nobody, Err(StoreError::NotFound(_))));
}

async fn pending_goes_on_where_it_ended<E: Engine>(store: E) {
    for n in 0..5 {
        store.accept(message(store.vault(), n)).await.unwrap();
    }
    let first = store.pending(None, 2).await.unwrap();
    let rest = store.pending(Some(first[1].id), 10).await.unwrap();
    let ids: Vec<_> = first.iter().chain(&rest).map(|pending| pending.id).collect();
    assert_eq!(ids, (0..5).map(id).collect::<Vec<_>>());
}

async fn messages_accepted_together_keep_their_order<E: Engine>(store: E) {
    let under_way = (0..40).map(|n| store.accept(message(store.vault(), n)));
    for accepted in futures::future::join_all(under_way).await {
        assert!(accepted.unwrap().fresh);
    }
    let pending = store.pending(None, 100).await.unwrap();
    let ids: Vec<_> = pending.iter().map(|pending| pending.id).collect();
    assert_eq!(ids, (0..40).map(id).collect::<Vec<_>>());
}

async fn a_lost_lease_settles_nothing<E: Engine>(store: E) {
    routed(&store, 1, &["a"]).await;
    let first = claim_one(&store, START).await;
    assert!(store.claim(&PUSH, 1, TTL, START).await.unwrap().is_empty(), "leased twice");
    let later = START.plus(TTL);
    assert_eq!(store.next_due(&PUSH).await.unwrap(), Some(later));
    let second = claim_one(&store, later).await;
    assert!(second.lease.epoch > first.lease.epoch);
    assert_eq!(settle(&store, delivered(first.lease)).await, None);
    assert!(!store.extend(&first.lease, TTL, later).await.unwrap());
    assert!(store.extend(&second.lease, TTL, later.plus(TTL / 2)).await.unwrap());
    assert!(store.claim(&PUSH, 1, TTL, later.plus(TTL)).await.unwrap().is_empty(), "extended lease ran out");
    assert_eq!(settle(&store, delivered(second.lease)).await, Some(MessageState::Completed));
    assert_eq!(settle(&store, dead(second.lease)).await, None);
    assert_eq!(events(&store, 1).await.len(), 4);
}

async fn a_late_receipt_counts<E: Engine>(store: E) {
    // Under a lost lease,
    routed(&store, 1, &["a"]).await;
    let first = claim_one(&store, START).await;
    let second = claim_one(&store, START.plus(TTL)).await;
    assert_eq!(settle(&store, late(first.lease)).await, Some(MessageState::Completed));
    assert_eq!(settle(&store, retry(second.lease, START)).await, None);
    assert_eq!(settle(&store, late(second.lease)).await, Some(MessageState::Completed), "twice");
    assert!(store.claim(&PUSH, 1, TTL, seconds(9_999)).await.unwrap().is_empty());

    // after the last attempt was given up, which takes the message back from parking,
    routed(&store, 2, &["a"]).await;
    let claimed = claim_one(&store, START).await;
    assert_eq!(settle(&store, dead(claimed.lease)).await, Some(MessageState::Parked));
    assert_eq!(store.message(id(2)).await.unwrap().unwrap().code, Some(Code::DEADLINE_PASSED));
    assert_eq!(settle(&store, delivered(claimed.lease)).await, None);
    assert_eq!(settle(&store, late(claimed.lease)).await, Some(MessageState::Completed));
    assert_eq!(store.message(id(2)).await.unwrap().unwrap().code, None);

    // but nothing else may come late.
    let not_a_receipt = dds_store::Settlement { late: true, ..dead(claimed.lease) };
    assert!(matches!(store.settle(vec![not_a_receipt]).await, Err(StoreError::Invalid(_))));
    chain_holds(&store).await;
}

async fn a_late_receipt_undoes_no_decision<E: Engine>(store: E) {
    let stale = async |lease| assert_eq!(settle(&store, late(lease)).await, None);
    let state_of = async |lease: Lease| store.delivery(lease.delivery).await.unwrap().unwrap().state;
    // A number that was never given out is no lease: neither before the delivery is claimed,
    let ids = routed(&store, 1, &["a"]).await;
    stale(Lease { delivery: ids[0], epoch: 999 }).await;
    let first = claim_one(&store, START).await.lease;
    // nor the next one, nor one from before there was the delivery.
    stale(Lease { epoch: first.epoch + 1, ..first }).await;
    stale(Lease { epoch: first.epoch - 1, ..first }).await;
    assert_eq!(state_of(first).await, DeliveryState::Prepared);
    // The target sent it back,
    let back = dds_store::Outcome::DeadLetter { code: Code::FETCH_REJECTED };
    settle(&store, settlement(first, back)).await;
    stale(first).await;
    assert_eq!(state_of(first).await, DeliveryState::DeadLetter);
    // also when a person offers it once more, until it has fetched it again,
    store.revive(ids[0], START, seconds(9_000), entry("delivery.again")).await.unwrap();
    stale(first).await;
    let again = claim_one(&store, START).await.lease;
    stale(first).await;
    assert_eq!(state_of(first).await, DeliveryState::Prepared);
    settle(&store, dead(again)).await;
    // a person gave it to somebody else,
    let why = NewEntry { delivery: Some(ids[0]), ..entry("delivery.redirected") };
    store.replan(id(1), Some(ids[0]), vec![delivery(id(1), "b")], vec![why]).await.unwrap();
    stale(first).await;
    assert_eq!(state_of(first).await, DeliveryState::Redirected);
    // or called it off.
    let second = claim_one(&store, START).await.lease;
    settle(&store, dead(second)).await;
    settle(&store, settlement(Lease::manual(second.delivery), dds_store::Outcome::Cancelled)).await;
    stale(second).await;
    stale(Lease::manual(second.delivery)).await;
    assert_eq!(state_of(second).await, DeliveryState::Cancelled);
    chain_holds(&store).await;
}

async fn the_last_outcome_decides_the_message<E: Engine>(store: E) {
    routed(&store, 1, &["a", "b", "c"]).await;
    let claimed = store.claim(&PUSH, 10, TTL, START).await.unwrap();
    let [a, b, c] = [0, 1, 2].map(|n| claimed[n].lease);
    let outcomes = vec![delivered(a), dead(b), delivered(Lease { epoch: 1, ..c })];
    let settled = store.settle(outcomes).await.unwrap();
    let routed = Some(MessageState::Routed);
    assert_eq!(settled.iter().map(Settled::state).collect::<Vec<_>>(), [routed, routed, None]);
    assert_eq!(settle(&store, delivered(c)).await, Some(MessageState::Parked));
    assert_eq!(events(&store, 1).await.last().unwrap(), "message.parked");
}

async fn a_retry_waits_for_its_time<E: Engine>(store: E) {
    let ids = routed(&store, 1, &["a"]).await;
    let claimed = claim_one(&store, START).await;
    assert_eq!(settle(&store, retry(claimed.lease, seconds(30))).await, Some(MessageState::Routed));
    let record = store.delivery(ids[0]).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts, record.due), (DeliveryState::Prepared, 1, seconds(30)));
    assert_eq!(record.code, Some(Code::TARGET_UNREACHABLE));
    assert_eq!(store.next_due(&PUSH).await.unwrap(), Some(seconds(30)));
    assert!(store.claim(&PUSH, 1, TTL, seconds(29)).await.unwrap().is_empty());
    let again = claim_one(&store, seconds(30)).await;
    assert_eq!((again.delivery.attempts, again.delivery.due), (1, seconds(30)));
    store.release(&again.lease, seconds(40)).await.unwrap();
    assert!(store.claim(&PUSH, 1, TTL, seconds(39)).await.unwrap().is_empty());
    assert_eq!(settle(&store, delivered(again.lease)).await, None, "given back");
    claim_one(&store, seconds(40)).await;
    assert_eq!(events(&store, 1).await.len(), 3, "giving back writes no entry");
}

async fn a_marked_attempt_waits_for_a_person<E: Engine>(store: E) {
    let ids = routed(&store, 1, &["a"]).await;
    let claimed = claim_one(&store, START).await;
    let mark = |lease| Attempting { lease, entry: entry("delivery.attempting") };
    assert!(!store.attempting(mark(Lease { epoch: 1, ..claimed.lease })).await.unwrap());
    assert!(store.attempting(mark(claimed.lease)).await.unwrap());
    assert_eq!(store.delivery(ids[0]).await.unwrap().unwrap().state, DeliveryState::InDoubt);
    // In normal life the outcome moves it on,
    settle(&store, retry(claimed.lease, START)).await;
    let record = store.delivery(ids[0]).await.unwrap().unwrap();
    assert_eq!((record.state, record.attempts), (DeliveryState::Prepared, 1));
    // but if the attempt is never heard of again, nobody tries blindly.
    let claimed = claim_one(&store, START).await;
    assert!(store.attempting(mark(claimed.lease)).await.unwrap());
    let later = START.plus(TTL * 2);
    assert!(store.claim(&PUSH, 1, TTL, later).await.unwrap().is_empty());
    assert_eq!(settle(&store, delivered(claimed.lease)).await, None);
    store.revive(ids[0], later, seconds(9_000), entry("delivery.again")).await.unwrap();
    let record = store.delivery(ids[0]).await.unwrap().unwrap();
    assert_eq!(
        (record.state, record.deadline, record.attempts),
        (DeliveryState::Prepared, seconds(9_000), 2)
    );
    let again = claim_one(&store, later).await;
    assert!(again.lease.epoch > claimed.lease.epoch);
    settle(&store, delivered(again.lease)).await;
    let done = store.revive(ids[0], later, later, entry("delivery.again")).await;
    assert!(matches!(done, Err(StoreError::Invalid(_))), "delivered is delivered");
}

async fn a_person_decides_on_a_delivery<E: Engine>(store: E) {
    let ids = routed(&store, 1, &["a"]).await;
    let claimed = claim_one(&store, START).await;
    let cancel = |id| settlement(Lease::manual(id), dds_store::Outcome::Cancelled);
    assert_eq!(settle(&store, cancel(ids[0])).await, None, "an attempt is under way");
    settle(&store, dead(claimed.lease)).await;
    store.revive(ids[0], START, seconds(99), entry("delivery.again")).await.unwrap();
    assert_eq!(state(&store, 1).await, MessageState::Routed);
    // Nobody got it, so it is not completed.
    assert_eq!(settle(&store, cancel(ids[0])).await, Some(MessageState::Rejected));
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (record.code, record.deliveries[0].state),
        (Some(Code::ENDED_BY_HAND), DeliveryState::Cancelled)
    );
    assert!(store.claim(&PUSH, 1, TTL, START).await.unwrap().is_empty());
    assert_eq!(events(&store, 1).await.last().unwrap(), "message.rejected");

    // Where somebody got it, the rest may be called off.
    routed(&store, 2, &["a", "b"]).await;
    let claimed = store.claim(&PUSH, 2, TTL, START).await.unwrap();
    settle(&store, delivered(claimed[0].lease)).await;
    assert_eq!(settle(&store, dead(claimed[1].lease)).await, Some(MessageState::Parked));
    let reject =
        || store.set_state(id(2), PlanState::Rejected(Code::ENDED_BY_HAND), None, entry("message.rejected"));
    assert!(matches!(reject().await, Err(StoreError::Invalid(_))), "somebody has it");
    assert_eq!(state(&store, 2).await, MessageState::Parked);
    let rest = cancel(claimed[1].lease.delivery);
    assert_eq!(settle(&store, rest).await, Some(MessageState::Completed));
    chain_holds(&store).await;
}

async fn a_rejection_calls_dead_letters_off<E: Engine>(store: E) {
    let ids = routed(&store, 1, &["a"]).await;
    settle(&store, dead(claim_one(&store, START).await.lease)).await;
    let ended = PlanState::Rejected(Code::ENDED_BY_HAND);
    store.set_state(id(1), ended, None, entry("message.rejected")).await.unwrap();
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!((record.state, record.code), (MessageState::Rejected, Some(Code::ENDED_BY_HAND)));
    assert_eq!(record.deliveries[0].state, DeliveryState::Cancelled);
    let backlog = store.backlog().await.unwrap();
    assert_eq!(backlog.deliveries[&DeliveryState::DeadLetter], 0, "it would alarm for ever");
    let again = store.revive(ids[0], START, seconds(99), entry("delivery.again")).await;
    assert!(matches!(again, Err(StoreError::Invalid(_))));
    let rows = store.history(id(1)).await.unwrap();
    let row = rows.iter().find(|row| row.event == "delivery.cancelled").unwrap();
    assert_eq!(
        (row.delivery, row.state.as_deref(), row.target.as_deref()),
        (Some(ids[0]), Some("cancelled"), Some("a"))
    );
    chain_holds(&store).await;
}

async fn a_delivery_is_redirected<E: Engine>(store: E) {
    let ids = routed(&store, 1, &["a"]).await;
    let claimed = claim_one(&store, START).await;
    let redirect =
        || (vec![delivery(id(1), "b")], NewEntry { delivery: Some(ids[0]), ..entry("delivery.redirected") });
    let (to, why) = redirect();
    let busy = store.replan(id(1), Some(ids[0]), to, vec![why]).await;
    assert!(matches!(busy, Err(StoreError::Invalid(_))), "an attempt is under way");
    settle(&store, dead(claimed.lease)).await;
    let (to, why) = redirect();
    store.replan(id(1), Some(ids[0]), to, vec![why]).await.unwrap();
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!((record.state, record.code), (MessageState::Routed, None));
    assert_eq!(record.deliveries[0].state, DeliveryState::Redirected);
    // The same once more is the same; to somebody else it would go to both.
    let told = events(&store, 1).await.len();
    let (to, why) = redirect();
    store.replan(id(1), Some(ids[0]), to, vec![why.clone()]).await.unwrap();
    assert_eq!(events(&store, 1).await.len(), told);
    let second = store.replan(id(1), Some(ids[0]), vec![delivery(id(1), "c")], vec![why]).await;
    assert!(matches!(second, Err(StoreError::Invalid(_))), "redirected twice");
    assert_eq!(store.message(id(1)).await.unwrap().unwrap().deliveries.len(), 2);
    let claimed = claim_one(&store, START).await;
    assert_eq!(claimed.delivery.target, target("b"));
    assert_eq!(settle(&store, delivered(claimed.lease)).await, Some(MessageState::Completed));
    let late =
        store.replan(id(1), Some(claimed.lease.delivery), vec![], vec![entry("message.released")]).await;
    assert!(matches!(late, Err(StoreError::Invalid(_))));
    let other = store
        .replan(id(1), Some(DeliveryId(uuid::Uuid::nil())), vec![], vec![entry("message.released")])
        .await;
    assert!(matches!(other, Err(StoreError::NotFound(_))));
}

async fn targets_take_turns<E: Engine>(store: E) {
    for n in 0..20 {
        routed(&store, n, &["busy"]).await;
    }
    routed(&store, 20, &["quiet"]).await;
    let claimed = store.claim(&PUSH, 4, TTL, START).await.unwrap();
    assert!(claimed.iter().any(|claimed| claimed.delivery.target == target("quiet")), "starved");
    let two = ClaimFilter::Push { per_target: 5 };
    let claimed = store.claim(&two, 100, TTL, START).await.unwrap();
    assert_eq!(claimed.len(), 2, "three were under lease, five are allowed");
    assert_eq!(store.next_due(&two).await.unwrap(), Some(START.plus(TTL)), "all places taken");
    settle(&store, delivered(claimed[0].lease)).await;
    assert_eq!(store.claim(&two, 100, TTL, START).await.unwrap().len(), 1);
}

async fn a_lane_goes_one_after_the_other<E: Engine>(store: E) {
    for n in 0..3 {
        store.accept(message(store.vault(), n)).await.unwrap();
        let mut delivery = delivery(id(n), "a");
        delivery.lane = Some(u64::MAX);
        store.plan(plan(id(n), vec![delivery])).await.unwrap();
    }
    let first = claim_one(&store, START).await;
    assert_eq!(first.delivery.message, id(0));
    assert_eq!(first.delivery.lane, Some(u64::MAX));
    assert!(store.claim(&PUSH, 10, TTL, START).await.unwrap().is_empty());
    settle(&store, retry(first.lease, seconds(30))).await;
    assert!(store.claim(&PUSH, 10, TTL, seconds(29)).await.unwrap().is_empty(), "the retry holds its lane");
    let first = claim_one(&store, seconds(30)).await;
    assert_eq!(first.delivery.message, id(0));
    settle(&store, dead(first.lease)).await;
    let second = claim_one(&store, seconds(30)).await;
    assert_eq!(second.delivery.message, id(1), "the dead letter released it");
    settle(&store, delivered(second.lease)).await;
    assert_eq!(claim_one(&store, seconds(30)).await.delivery.message, id(2));
}

async fn a_target_is_held_back<E: Engine>(store: E) {
    routed(&store, 1, &["a", "b"]).await;
    store.hold(&target("a"), Some(seconds(30))).await.unwrap();
    let claimed = store.claim(&PUSH, 10, TTL * 10, START).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(claimed[0].delivery.target, target("b"));
    assert_eq!(store.next_due(&PUSH).await.unwrap(), Some(seconds(30)));
    store.hold(&target("a"), None).await.unwrap();
    assert_eq!(claim_one(&store, START).await.delivery.target, target("a"));
}

/// What was put off while the clock was ten years ahead is due when it is right again, and with it held targets and
/// leases.
async fn a_clock_that_was_ahead_puts_nothing_off<E: Engine>(store: E) {
    let ahead = START.plus(Duration::from_secs(10 * 365 * 86_400));
    routed(&store, 1, &["leased"]).await;
    claim_one(&store, ahead).await;
    store.accept(message(store.vault(), 2)).await.unwrap();
    let late = NewDelivery { due: ahead, ..delivery(id(2), "due") };
    let put_off = late.id;
    assert!(store.plan(plan(id(2), vec![late])).await.unwrap());
    routed(&store, 3, &["held"]).await;
    store.hold(&target("held"), Some(ahead)).await.unwrap();

    let now = seconds(1);
    let taken = store.claim(&PUSH, 9, TTL, now).await.unwrap();
    let mut targets: Vec<_> = taken.iter().map(|claimed| claimed.delivery.target.as_str()).collect();
    targets.sort_unstable();
    assert_eq!(targets, ["due", "held"]);
    assert_eq!(store.next_due(&PUSH).await.unwrap(), Some(now.plus(TTL)), "the lease ends as given out now");
    let waiting = store.backlog().await.unwrap().waiting;
    assert!(waiting.iter().all(|waiting| waiting.due <= Some(now) && waiting.held.is_none()), "{waiting:?}");
    for claimed in taken {
        store.release(&claimed.lease, now).await.unwrap();
    }
    // A person need not wait for it either, which mends the deadline too.
    assert!(store.delivery(put_off).await.unwrap().unwrap().is_put_off(now));
    store.revive(put_off, now, seconds(9_000), entry("delivery.again")).await.unwrap();
    let record = store.delivery(put_off).await.unwrap().unwrap();
    assert_eq!((record.due, record.deadline, record.is_put_off(now)), (now, seconds(9_000), false));
    let again = store.revive(put_off, now, seconds(9_000), entry("delivery.again")).await;
    assert!(matches!(again, Err(StoreError::Invalid(_))), "it waits for its next attempt as any other");
    chain_holds(&store).await;
}

async fn a_fetching_target_takes_its_own<E: Engine>(store: E) {
    store.accept(message(store.vault(), 1)).await.unwrap();
    let mut box_a = delivery(id(1), "mailbox/a");
    box_a.pull = true;
    box_a.deadline = seconds(100);
    store.plan(plan(id(1), vec![box_a])).await.unwrap();
    let (a, b) = (ClaimFilter::Pull(target("mailbox/a")), ClaimFilter::Pull(target("mailbox/b")));
    assert!(store.claim(&PUSH, 1, TTL, START).await.unwrap().is_empty());
    assert!(store.claim(&b, 1, TTL, START).await.unwrap().is_empty());
    assert_eq!(store.next_due(&PUSH).await.unwrap(), None);
    assert_eq!(store.next_due(&a).await.unwrap(), Some(START));
    assert!(store.claim(&ClaimFilter::Overdue, 1, TTL, seconds(99)).await.unwrap().is_empty());
    assert_eq!(store.next_due(&ClaimFilter::Overdue).await.unwrap(), Some(seconds(100)));
    assert_eq!(store.claim(&a, 5, TTL, START).await.unwrap().len(), 1);
    // Not fetched again, so the scheduler gets it when the deadline has passed.
    let overdue = store.claim(&ClaimFilter::Overdue, 5, TTL, seconds(100)).await.unwrap();
    assert_eq!(overdue.len(), 1);
    assert_eq!(settle(&store, dead(overdue[0].lease)).await, Some(MessageState::Parked));
}

async fn waiting_ends_when_there_is_work<E: Engine + Clone>(store: E) {
    // Work that came between claim and wait is not missed.
    assert!(store.claim(&PUSH, 1, TTL, START).await.unwrap().is_empty());
    routed(&store, 1, &["a"]).await;
    store.wait(&PUSH, None, START).await;
    claim_one(&store, START).await;

    let pull = ClaimFilter::Pull(target("mailbox"));
    let waiting = {
        let (store, pull) = (store.clone(), pull.clone());
        tokio::spawn(async move { store.wait(&pull, None, START).await })
    };
    store.accept(message(store.vault(), 2)).await.unwrap();
    let mut fetched = delivery(id(2), "mailbox");
    fetched.pull = true;
    store.plan(plan(id(2), vec![fetched])).await.unwrap();
    waiting.await.unwrap();
    assert!(store.wait(&pull, None, START).now_or_never().is_some(), "it is still there");
    // Nothing to come: the limit ends it.
    let nothing = ClaimFilter::Pull(target("elsewhere"));
    store.wait(&nothing, Some(START.plus(Duration::from_millis(5))), START).await;
    store.wait(&nothing, Some(START), seconds(1)).await;
}

async fn payloads_stream_and_stay_secret<E: Engine>(store: E) {
    let (mut new, key) = message_of(store.vault(), 1, document(1));
    for size in [0usize, 1, 65_535, 65_536, 65_537, 1 << 20] {
        let clear: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
        let mut writer = store.create(&key).await.unwrap();
        for piece in clear.chunks(10_000) {
            writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        let (blob, length, digest) = writer.finish().await.unwrap();
        assert_eq!((length, digest), (size as u64, Digest::of(&clear)));
        let pieces: Vec<Bytes> = store.open(&blob, &key).await.unwrap().try_collect().await.unwrap();
        assert!(pieces.iter().all(|piece| piece.len() <= 65_536));
        assert_eq!(pieces.concat(), clear);
        let (other, _) = store.vault().new_message_key(id(1)).unwrap();
        let mut wrong = store.open(&blob, &other).await.unwrap();
        assert!(matches!(wrong.next().await, Some(Err(StoreError::Corrupt(_)))));
        new.attachments.push(attachment(blob, length, digest));
    }
    let attachments = new.attachments.clone();
    store.accept(new).await.unwrap();
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert_eq!(record.attachments, attachments);
    let unwrapped = store.vault().unwrap_key(id(1), &record.key.unwrap()).unwrap();
    assert!(store.open(&attachments[5].blob, &unwrapped).await.is_ok());
    store.delete(&attachments[0].blob).await.unwrap();
    store.delete(&attachments[0].blob).await.unwrap();
    // The message has it still: that it is gone is damage.
    assert!(matches!(store.open(&attachments[0].blob, &unwrapped).await, Err(StoreError::Corrupt(_))));
}

async fn large_documents_and_outputs_come_back<E: Engine>(store: E) {
    // Does not pack, so it cannot lie in the database.
    let noise = |seed: u64| -> Bytes {
        (0..6_000u64)
            .flat_map(|n| Digest::of(&(n ^ (seed << 32)).to_be_bytes()).0)
            .collect::<Vec<u8>>()
            .into()
    };
    store.accept(message_of(store.vault(), 1, noise(1)).0).await.unwrap();
    let mut large = delivery(id(1), "a");
    if let Some(output) = &mut large.output {
        (output.bytes, output.digest) = (noise(2), Digest::of(&noise(2)));
    }
    let plain = dds_store::NewDelivery { output: None, ..delivery(id(1), "b") };
    let ids = [large.id, plain.id];
    store.plan(plan(id(1), vec![large, plain])).await.unwrap();
    assert_eq!(store.document(id(1)).await.unwrap(), noise(1));
    assert_eq!(store.shipment(ids[0]).await.unwrap().output.bytes, noise(2));
    let unchanged = store.shipment(ids[1]).await.unwrap().output;
    assert_eq!((unchanged.bytes, unchanged.media_type.as_str()), (noise(1), "application/xml"));
    // A duplicate leaves no second file.
    let files = store.list(seconds(9_999)).await.unwrap().len();
    assert_eq!(files, 2);
    let again = message_of(store.vault(), 2, noise(1)).0;
    store.accept(dds_store::NewMessage { sender_key: "key-1".into(), ..again }).await.unwrap();
    assert_eq!(store.list(seconds(9_999)).await.unwrap().len(), files);
}

/// Whether an engine remembers what it has just written is its own affair: the target gets the same.
async fn a_shipment_is_the_same_at_every_attempt<E: Engine>(store: E) {
    let (mut new, key) = message_of(store.vault(), 1, document(1));
    let mut writer = store.create(&key).await.unwrap();
    writer.write(Bytes::from_static(b"ausweis")).await.unwrap();
    let (blob, size, digest) = writer.finish().await.unwrap();
    new.attachments.push(attachment(blob, size, digest));
    let attachments = new.attachments.clone();
    store.accept(new).await.unwrap();
    store.plan(plan(id(1), vec![delivery(id(1), "a")])).await.unwrap();

    let claimed = claim_one(&store, START).await;
    let first = store.shipment(claimed.lease.delivery).await.unwrap();
    assert_eq!(first.attachments, attachments);
    assert_eq!((first.accepted, first.direction), (START, Direction::Application));
    assert_eq!(first.case.as_ref().map(dds_message::CaseRef::as_str), Some("case-1"));
    assert_eq!(first.procedure.as_ref().map(ProcedureId::as_str), Some("hundesteuer"));
    assert_eq!(Digest::of(&first.output.bytes), first.output.digest);
    settle(&store, retry(claimed.lease, seconds(10))).await;

    let claimed = claim_one(&store, seconds(10)).await;
    assert_eq!(claimed.delivery.attempts, 1);
    assert_eq!(store.shipment(claimed.lease.delivery).await.unwrap(), first);
}

/// What a worker answers is one piece of memory, cut into outputs: a short one must not keep all of it.
async fn a_planned_delivery_does_not_keep_what_its_output_was_cut_from<E: Engine>(store: E) {
    store.accept(message(store.vault(), 1)).await.unwrap();
    let whole = Bytes::from(vec![b' '; 1 << 20]);
    let mut new = delivery(id(1), "a");
    let output = new.output.as_mut().unwrap();
    (output.bytes, output.digest) = (whole.slice(..10), Digest::of(&whole[..10]));
    store.plan(plan(id(1), vec![new])).await.unwrap();
    let claimed = claim_one(&store, START).await;
    assert_eq!(store.shipment(claimed.lease.delivery).await.unwrap().output.bytes, whole[..10]);
    assert!(whole.is_unique());
}

async fn answers_find_their_application<E: Engine>(store: E) {
    let same_case =
        |n: u64| dds_store::NewMessage { case: message(store.vault(), 1).case, ..message(store.vault(), n) };
    for n in 1..=3 {
        store.accept(same_case(n)).await.unwrap();
    }
    let answer = dds_store::NewMessage {
        direction: Direction::Answer(AnswerKind::Decision),
        answers: Some(id(3)),
        ..same_case(4)
    };
    store.accept(answer).await.unwrap();
    let by_case = async |case| {
        let found = store.by_case(case).await.unwrap();
        found.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    assert_eq!(by_case("case-1").await, [], "nobody has what is not routed");
    for n in 1..=2 {
        store.plan(plan(id(n), vec![delivery(id(n), "a")])).await.unwrap();
    }
    assert_eq!(by_case("case-1").await, [id(2)]);
    assert_eq!(by_case("case-2").await, []);
    // What was rejected or called off has no answer of an authority.
    store
        .plan(NewPlan { state: PlanState::Rejected(Code::SCHEMA_INVALID), ..plan(id(3), vec![]) })
        .await
        .unwrap();
    assert_eq!(by_case("case-1").await, [id(2)]);
    let lease = Lease::manual(delivery(id(2), "a").id);
    settle(&store, settlement(lease, dds_store::Outcome::Cancelled)).await;
    assert_eq!(by_case("case-1").await, [id(1)]);
    // Elsewhere the same reference is another case, and another authority may have another of its messages.
    let elsewhere = dds_message::SourceId::parse("portal").unwrap();
    store.accept(dds_store::NewMessage { source: elsewhere, ..same_case(5) }).await.unwrap();
    let town = dds_message::Ars::parse("145110000000").ok();
    store.accept(dds_store::NewMessage { municipality: town, ..same_case(6) }).await.unwrap();
    store.accept(same_case(7)).await.unwrap();
    for n in 5..=6 {
        store.plan(plan(id(n), vec![delivery(id(n), "a")])).await.unwrap();
    }
    let authority = dds_message::AuthorityId::parse("sn:146120000000-archiv").ok();
    let archive = dds_store::NewDelivery { authority, ..delivery(id(7), "b") };
    store.plan(plan(id(7), vec![archive])).await.unwrap();
    assert_eq!(by_case("case-1").await, [id(7), id(6), id(5), id(1)]);
    assert_eq!(store.message(id(3)).await.unwrap().unwrap().answered_by, [id(4)]);
    let record = store.message(id(4)).await.unwrap().unwrap();
    assert_eq!(record.direction, Direction::Answer(AnswerKind::Decision));
}

async fn a_case_is_with_whom_its_messages_were_planned_for<E: Engine>(store: E) {
    let of_case =
        |n: u64| dds_store::NewMessage { case: message(store.vault(), 1).case, ..message(store.vault(), n) };
    let holders = async |source, before| store.case_holders(&source, "case-1", id(before)).await.unwrap();
    for n in 1..=8 {
        store.accept(of_case(n)).await.unwrap();
    }
    let elsewhere = dds_message::SourceId::parse("portal").unwrap();
    assert_eq!(holders(source(), 8).await, [], "accepted is not planned");
    // Rejected and parked before delivery.
    let state = |n, state| NewPlan { state, ..plan(id(n), vec![]) };
    store.plan(state(1, PlanState::Rejected(Code::SCHEMA_INVALID))).await.unwrap();
    store.plan(state(2, PlanState::Parked(Code::NO_TARGET))).await.unwrap();
    // Called off.
    let cancelled = delivery(id(3), "a");
    let lease = Lease::manual(cancelled.id);
    store.plan(plan(id(3), vec![cancelled])).await.unwrap();
    settle(&store, settlement(lease, dds_store::Outcome::Cancelled)).await;
    // Redirected to another authority.
    let old = delivery(id(4), "a");
    let old_id = old.id;
    store.plan(plan(id(4), vec![old])).await.unwrap();
    let other = dds_message::AuthorityId::parse("sn:145110000000-archiv").ok();
    let new = dds_store::NewDelivery { authority: other, ..delivery(id(4), "b") };
    let why = NewEntry { delivery: Some(old_id), ..entry("delivery.redirected") };
    store.replan(id(4), Some(old_id), vec![new], vec![why]).await.unwrap();
    assert_eq!(holders(source(), 8).await, []);
    // Planned, and a dead letter; the same combination once.
    for n in 5..=6 {
        store.plan(plan(id(n), vec![delivery(id(n), "dead")])).await.unwrap();
    }
    let authority = dds_message::AuthorityId::parse("sn:145110000000-steueramt").unwrap();
    let of_other = |new| dds_store::NewDelivery { authority: Some(authority.clone()), ..new };
    let chemnitz = plan(id(7), vec![of_other(delivery(id(7), "c"))]);
    store.plan(NewPlan { authority: Some(authority.clone()), ..chemnitz }).await.unwrap();
    let found = holders(source(), 8).await;
    let names: Vec<_> = found.iter().map(|holder| holder.authority.as_str()).collect();
    assert_eq!(names, ["sn:145110000000-steueramt", "sn:146120000000-steueramt"]);
    let first = message(store.vault(), 1);
    assert_eq!(Some(&found[0].procedure), first.procedure.as_ref());
    assert_eq!(found[0].municipality, first.municipality);
    assert_eq!(holders(source(), 5).await, [], "only what came before");
    assert_eq!(holders(elsewhere, 8).await, [], "a case belongs to its source");
}

async fn the_journal_is_searched_by_pages<E: Engine>(store: E) {
    for n in 0..25 {
        routed(&store, n, &[if n % 5 == 0 { "five" } else { "other" }]).await;
    }
    for claimed in store.claim(&PUSH, 100, TTL, START).await.unwrap() {
        settle(&store, delivered(claimed.lease)).await;
    }
    store.note(NewEntry { at: Some(seconds(500)), ..entry("release.activated") }).await.unwrap();
    let query =
        LogQuery { target: Some("five".into()), state: Some("delivered".into()), ..LogQuery::default() };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.search(&query, after, 2).await.unwrap();
        assert!(page.rows.len() <= 2);
        found.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found.len(), 5);
    assert!(found.windows(2).all(|pair| pair[0].seq > pair[1].seq), "newest first");
    let count = async |query: LogQuery| store.search(&query, None, 1_000).await.unwrap().rows.len();
    let all = store.anchor().await.unwrap().seq as usize;
    let any = LogQuery::default;
    assert_eq!(count(any()).await, all);
    assert_eq!(count(LogQuery { from: Some(seconds(500)), ..any() }).await, 1);
    assert_eq!(count(LogQuery { to: Some(seconds(500)), ..any() }).await, all - 1);
    assert_eq!(count(LogQuery { case: Some("case-3".into()), ..any() }).await, 4);
    assert_eq!(count(LogQuery { source: Some("amt24".into()), ..any() }).await, all - 1);
    assert_eq!(count(LogQuery { procedure: Some("hundesteuer".into()), ..any() }).await, all - 1);
    assert_eq!(count(LogQuery { authority: Some("sn:146120000000-steueramt".into()), ..any() }).await, 75);
    assert_eq!(count(LogQuery { event: Some("release.activated".into()), ..any() }).await, 1);
    assert_eq!(count(LogQuery { code: Some("DDS-D001".into()), ..any() }).await, 0);
    // Each part of the journal verifies by itself, and comes out in order.
    let part = store.verify(10, Some(20)).await.unwrap();
    assert_eq!((part.checked, part.broken), (11, None));
    let rows = store.rows(10, 5).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), [10, 11, 12, 13, 14]);
    assert!(rows.windows(2).all(|pair| pair[0].hash == pair[1].previous));
    let beyond = store.verify(1, Some(all as i64 + 1)).await.unwrap();
    assert_eq!(beyond.broken.unwrap().0, all as i64 + 1, "an entry that should be there is missing");
}

async fn retention_deletes_payloads_and_keeps_the_journal<E: Engine>(store: E) {
    let (mut new, key) = message_of(store.vault(), 1, document(1));
    let upload = async |bytes: &'static [u8]| {
        let mut writer = store.create(&key).await.unwrap();
        writer.write(Bytes::from_static(bytes)).await.unwrap();
        writer.finish().await.unwrap()
    };
    let (blob, size, digest) = upload(b"ausweis").await;
    let (orphan, ..) = upload(b"never accepted").await;
    new.attachments.push(attachment(blob.clone(), size, digest));
    store.accept(new).await.unwrap();
    store.plan(plan(id(1), vec![delivery(id(1), "a")])).await.unwrap();
    let claimed = claim_one(&store, START).await;
    settle(&store, delivered(claimed.lease)).await;
    routed(&store, 2, &["b"]).await;

    let nothing = store.expire(START, START, 100).await.unwrap();
    assert_eq!(nothing, dds_store::Expired::default());
    let expired = store.expire(seconds(100), seconds(100), 100).await.unwrap();
    assert_eq!(expired, dds_store::Expired { messages: 1, blobs: 2, orphans: 1 });
    for gone in [&blob, &orphan] {
        assert!(matches!(store.open(gone, &key).await, Err(StoreError::NotFound(_))));
    }
    let record = store.message(id(1)).await.unwrap().unwrap();
    assert!(record.key.is_none() && record.attachments.is_empty());
    assert!(matches!(store.document(id(1)).await, Err(StoreError::NotFound(_))));
    assert!(matches!(store.shipment(claimed.lease.delivery).await, Err(StoreError::NotFound(_))));
    assert_eq!(events(&store, 1).await.last().unwrap(), "message.expired");
    assert_eq!(store.document(id(2)).await.unwrap(), document(2), "not final: kept");
    chain_holds(&store).await;
    // An upload that was swept can no longer be accepted.
    let mut late = message(store.vault(), 3);
    late.attachments.push(attachment(orphan, 1, digest));
    assert!(matches!(store.accept(late).await, Err(StoreError::Unavailable(_))), "send again");
    assert_eq!(store.expire(seconds(100), seconds(100), 100).await.unwrap(), dds_store::Expired::default());
}

/// A sweep while the clock was ten years ahead took what was nobody's then, and nothing that came afterwards.
async fn a_sweep_ahead_of_its_time_refuses_no_later_upload<E: Engine>(store: E) {
    let (mut new, key) = message_of(store.vault(), 1, document(1));
    let upload = async || {
        let mut writer = store.create(&key).await.unwrap();
        writer.write(Bytes::from_static(b"ausweis")).await.unwrap();
        writer.finish().await.unwrap()
    };
    let (swept, size, digest) = upload().await;
    let ahead = START.plus(Duration::from_secs(10 * 365 * 86_400));
    assert_eq!(store.expire(START, ahead, 100).await.unwrap().orphans, 1);
    let (blob, ..) = upload().await;
    new.attachments.push(attachment(blob, size, digest));
    assert!(store.accept(new).await.unwrap().fresh);
    let mut late = message(store.vault(), 2);
    late.attachments.push(attachment(swept, size, digest));
    assert!(matches!(store.accept(late).await, Err(StoreError::Unavailable(_))));
    assert!(store.message(id(2)).await.unwrap().is_none());
    assert_eq!(store.expire(START, ahead, 100).await.unwrap(), dds_store::Expired::default(), "kept");
}

async fn one_bad_request_does_not_disturb_its_group<E: Engine + Clone>(store: E) {
    store.accept(message(store.vault(), 1)).await.unwrap();
    let tasks = (0..60u64).map(|n| {
        let store = store.clone();
        let mut new = message(store.vault(), 10 + n);
        let bad = n % 3 == 0;
        if bad {
            new.id = id(1);
            new.key = store.vault().new_message_key(id(1)).unwrap().1;
        }
        tokio::spawn(async move { (bad, store.accept(new).await.is_ok()) })
    });
    for answer in futures::future::join_all(tasks).await {
        let (bad, ok) = answer.unwrap();
        assert_ne!(bad, ok);
    }
    assert_eq!(store.anchor().await.unwrap().seq, 41);
    assert_eq!(store.backlog().await.unwrap().messages[&MessageState::Accepted], 41);
    chain_holds(&store).await;
}

macro_rules! conformance {
    ($engine:ident, $open:expr; $($test:ident)+) => {
        mod $engine {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let dir = tempfile::tempdir().unwrap();
                let open: fn(&std::path::Path) -> _ = $open;
                super::$test(open(dir.path())).await;
            })+
        }
    };
}

conformance! {
    sqlite, |dir| crate::common::open(dir, &crate::common::TestClock::new()).unwrap();
    a_message_goes_all_the_way
    the_same_key_gets_the_first_answer
    one_of_many_concurrent_duplicates_is_fresh
    planning_again_changes_nothing
    a_message_is_parked_released_and_rejected
    pending_goes_on_where_it_ended
    messages_accepted_together_keep_their_order
    a_lost_lease_settles_nothing
    a_late_receipt_counts
    a_late_receipt_undoes_no_decision
    the_last_outcome_decides_the_message
    a_retry_waits_for_its_time
    a_marked_attempt_waits_for_a_person
    a_person_decides_on_a_delivery
    a_rejection_calls_dead_letters_off
    a_delivery_is_redirected
    targets_take_turns
    a_lane_goes_one_after_the_other
    a_target_is_held_back
    a_clock_that_was_ahead_puts_nothing_off
    a_fetching_target_takes_its_own
    waiting_ends_when_there_is_work
    payloads_stream_and_stay_secret
    a_shipment_is_the_same_at_every_attempt
    a_planned_delivery_does_not_keep_what_its_output_was_cut_from
    large_documents_and_outputs_come_back
    answers_find_their_application
    a_case_is_with_whom_its_messages_were_planned_for
    the_journal_is_searched_by_pages
    retention_deletes_payloads_and_keeps_the_journal
    a_sweep_ahead_of_its_time_refuses_no_later_upload
    one_bad_request_does_not_disturb_its_group
}
