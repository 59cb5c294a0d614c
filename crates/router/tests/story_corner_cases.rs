//! The six corner cases of delivery.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use bytes::Bytes;
use dds_message::{Actor, Clock, Code, DeliveryState, Digest, MessageState};
use dds_router::Handle;
use dds_store::AuditLog;
use support::{
    Bench, HOUR, OTHER, TAX, application, busy, delivered, invalid, refused, release, source, target, write,
};

/// A lease of the scheduler.
/// After so long the lease of an attempt has ended: its timeout, and the time to wait for a place.
const LEASE: Duration = Duration::from_secs(60 + 300);

#[tokio::test]
async fn a_duplicate_of_a_failed_message_gets_no_positive_receipt() {
    let bench = Bench::start().await;
    let first = bench.send(Some("k"), &invalid(1)).await.unwrap();
    assert_eq!((first.duplicate, first.state), (false, MessageState::Accepted));
    bench.reaches(first.id, MessageState::Rejected).await;
    // By key, and, without one, by the sender's own message id.
    let again = bench.send(Some("k"), &invalid(1)).await.unwrap_err();
    assert_eq!((again.code, again.findings.is_empty()), (Code::SCHEMA_INVALID, false));
    let other = bench.send(None, &invalid(2)).await.unwrap();
    bench.reaches(other.id, MessageState::Rejected).await;
    let again = bench.send(None, &invalid(2)).await.unwrap_err();
    assert_eq!(again.code, Code::SCHEMA_INVALID);
    let status = bench.router.status(&source("portal"), first.id).await.unwrap().unwrap();
    let problem = status.problem.unwrap();
    assert_eq!((problem.code, problem.findings.is_empty()), (Code::SCHEMA_INVALID, false));
    bench.finish().await;
}

#[tokio::test]
async fn a_rejected_message_may_be_mended_and_sent_under_its_own_id() {
    let mut bench = Bench::start().await;
    let wrong = bench.send(None, &invalid(1)).await.unwrap();
    bench.reaches(wrong.id, MessageState::Rejected).await;
    let mended = bench.send(None, &application(1)).await.unwrap();
    assert!(!mended.duplicate);
    bench.desk.call().await.says(delivered());
    bench.reaches(mended.id, MessageState::Completed).await;
    // Each again is what it was before, and the id binds again now that one of its messages was taken.
    assert_eq!(bench.send(None, &invalid(1)).await.unwrap_err().code, Code::SCHEMA_INVALID);
    let again = bench.send(None, &application(1)).await.unwrap();
    assert_eq!((again.id, again.duplicate), (mended.id, true));
    let other = application(1).replace("Beagle", "Dackel");
    assert_eq!(bench.send(None, &other).await.unwrap_err().code, Code::KEY_REUSED);
    // A key that the sender chose binds for good.
    let wrong = bench.send(Some("k"), &invalid(2)).await.unwrap();
    bench.reaches(wrong.id, MessageState::Rejected).await;
    assert_eq!(bench.send(Some("k"), &application(2)).await.unwrap_err().code, Code::KEY_REUSED);
    assert!(bench.desk.is_empty());
    bench.finish().await;
}

#[tokio::test]
async fn a_late_receipt_after_the_last_retry_counts() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!((call.target.clone(), call.message), (target(TAX), sent.id));
    // The target takes its time; lease and deadline pass.
    bench.pass(LEASE).await;
    bench.pass(100 * HOUR).await;
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    assert_eq!(parked.code, Some(Code::DEADLINE_PASSED));
    call.says(delivered());
    let done = bench.reaches(sent.id, MessageState::Completed).await;
    assert_eq!(done.deliveries[0].state, DeliveryState::Delivered);
    bench.finish().await;
}

#[tokio::test]
async fn a_failed_message_is_not_delivered() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &invalid(1)).await.unwrap();
    let record = bench.reaches(sent.id, MessageState::Rejected).await;
    assert_eq!((record.code, record.deliveries.len()), (Some(Code::SCHEMA_INVALID), 0));
    bench.pass(HOUR).await;
    assert!(bench.desk.is_empty());
    bench.finish().await;
}

#[tokio::test]
async fn a_detected_duplicate_is_not_delivered() {
    let mut bench = Bench::start().await;
    let first = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(first.id, MessageState::Completed).await;
    let again = bench.send(None, &application(1)).await.unwrap();
    assert_eq!((again.id, again.duplicate, again.state), (first.id, true, MessageState::Completed));
    bench.pass(HOUR).await;
    assert!(bench.desk.is_empty());
    assert_eq!(bench.record(first.id).await.deliveries.len(), 1);
    // The same id with other content is no duplicate but a mistake of the sender.
    let other = application(1).replace("Beagle", "Dackel");
    assert_eq!(bench.send(None, &other).await.unwrap_err().code, Code::KEY_REUSED);
    bench.finish().await;
}

#[tokio::test]
async fn a_receipt_followed_by_refusal() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    let first = bench.desk.call().await;
    bench.pass(LEASE).await;
    let second = bench.desk.call().await;
    assert_eq!(second.delivery, first.delivery);
    first.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    second.says(refused(Code::TARGET_REFUSED));
    // The refusal was heard when the target is asked for something else after it.
    let next = bench.send(None, &application(2)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(next.id, MessageState::Completed).await;
    let record = bench.record(sent.id).await;
    assert_eq!(
        (record.state, record.deliveries[0].state),
        (MessageState::Completed, DeliveryState::Delivered)
    );
    bench.finish().await;
}

#[tokio::test]
async fn payload_limit_exceeded_after_acceptance() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(refused(Code::TARGET_TOO_LARGE));
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    assert_eq!(parked.code, Some(Code::TARGET_TOO_LARGE));
    assert_eq!(Code::TARGET_TOO_LARGE.entry().actor, Actor::Operator);
    let old = parked.deliveries[0].id;
    bench.router.redirect(old, &target(OTHER), true, "erika").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.target, target(OTHER));
    assert!(call.document.contains("Beagle"));
    assert!(call.document.contains(&call.delivery.to_string()), "the document names its own delivery");
    assert_ne!(call.delivery, old);
    call.says(delivered());
    let done = bench.reaches(sent.id, MessageState::Completed).await;
    let states: Vec<_> = done.deliveries.iter().map(|delivery| delivery.state).collect();
    assert_eq!(states, [DeliveryState::Redirected, DeliveryState::Delivered]);
    let rows = bench.spy.store.history(sent.id).await.unwrap();
    let row = rows.iter().find(|row| row.event == "delivery.redirected").unwrap();
    assert_eq!((row.delivery, row.state.as_deref()), (Some(old), Some("redirected")));
    assert_eq!((row.data["by"].as_str(), row.data["to"].as_str()), (Some("erika"), Some(OTHER)));
    bench.finish().await;
}

#[tokio::test]
async fn a_redirected_delivery_leaves_evidence_of_what_was_sent() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(refused(Code::TARGET_REFUSED));
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    // Meanwhile another release is active; the message keeps its own.
    let sheet = "rules/dms/dms-aktenhof/2.0/xslt/from-vorgang.xsl";
    let text = std::fs::read_to_string(bench.dir.path().join(sheet)).unwrap();
    write(bench.dir.path(), sheet, &format!("{text}<!-- geändert -->"));
    with_deadline(&bench, "5h");
    let new = release(bench.dir.path());
    bench.activate(new.clone()).await;
    bench.router.redirect(parked.deliveries[0].id, &target(OTHER), true, "erika").await.unwrap();
    let call = bench.desk.call().await;
    let (id, document) = (call.delivery, Bytes::from(call.document.clone()));
    call.says(delivered());
    let done = bench.reaches(sent.id, MessageState::Completed).await;
    assert_ne!(done.release, Some(new.id()));
    let redirected = done.deliveries.iter().find(|delivery| delivery.id == id).unwrap();
    assert_eq!(redirected.deadline.since(redirected.due), 5 * HOUR, "what its rule says now");
    let rows = bench.spy.store.history(sent.id).await.unwrap();
    let row = rows.iter().find(|row| row.event == "delivery.prepared" && row.delivery == Some(id)).unwrap();
    assert_eq!((row.state.as_deref(), row.target.as_deref()), (Some("prepared"), Some(OTHER)));
    assert_eq!(row.authority.as_deref(), Some("sn:146120000000-archiv"));
    let digest = |bytes: &[u8]| serde_json::json!(Digest::of(bytes));
    assert_eq!(row.data["output"], digest(&document));
    assert_eq!(row.data["stylesheet_digest"], digest(new.file(sheet).unwrap()));
    assert_eq!(row.data["sources"], serde_json::json!(new.sources_digest(sheet).unwrap()));
    let routed = rows.iter().find(|row| row.event == "message.routed").unwrap();
    let canonical = routed.data["stylesheet"].as_str().unwrap();
    assert!(canonical.contains("to-vorgang"), "{canonical}");
    assert!(routed.data["sources"].as_str().is_some_and(|hex| hex.len() == 64), "{:?}", routed.data);
    assert_eq!(row.data["release"], new.id().to_string());
    assert_eq!(row.data["rule"], "hundesteuer@1.0");
    assert_eq!(row.data["replaces"], parked.deliveries[0].id.to_string());
    bench.finish().await;
}

/// A product that speaks the common form needs no stylesheet, and the journal names none.
#[tokio::test]
async fn a_product_without_a_stylesheet_gets_the_vorgang() {
    let mut bench = Bench::start().await;
    let file = "rules/products/fv-steuerwerk/3.2/product.toml";
    let text = std::fs::read_to_string(bench.dir.path().join(file)).unwrap();
    let text = text.replace("stylesheet = \"xslt/from-vorgang.xsl\"\n", "").replace("\"json\"", "\"xml\"");
    assert!(!text.contains("stylesheet") && !text.contains("\"json\""));
    write(bench.dir.path(), file, &text);
    bench.activate(release(bench.dir.path())).await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    let text = call.document.clone();
    call.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    assert!(
        text.contains("<vorgang xmlns=\"urn:datendrehscheibe:vorgang:1\" verfahren=\"hundesteuer\""),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "<sendung xmlns=\"urn:datendrehscheibe:vorgang:1\" nachricht=\"{}\"",
            sent.id
        ))
    );
    let rows = bench.spy.store.history(sent.id).await.unwrap();
    let prepared = rows.iter().find(|row| row.event == "delivery.prepared").unwrap();
    assert_eq!(prepared.data["output"], serde_json::json!(Digest::of(text.as_bytes())));
    assert_eq!(prepared.data.get("stylesheet"), None);
    bench.finish().await;
}

/// The next release gives dog tax another deadline.
fn with_deadline(bench: &Bench, deadline: &str) {
    let rule = "rules/hundesteuer/1.0/rule.toml";
    let text = std::fs::read_to_string(bench.dir.path().join(rule)).unwrap();
    assert!(text.contains("deadline = \"72h\""));
    write(bench.dir.path(), rule, &text.replace("deadline = \"72h\"", &format!("deadline = \"{deadline}\"")));
}

#[tokio::test]
async fn a_person_delivers_again_or_settles_by_hand() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    let id = call.delivery;
    // While an attempt is under way there is nothing for a person to do.
    assert_eq!(bench.router.settle_by_hand(id, "erika").await.unwrap_err().code, Code::WRONG_STATE);
    call.says(refused(Code::TARGET_REFUSED));
    bench.reaches(sent.id, MessageState::Parked).await;
    with_deadline(&bench, "5h");
    bench.activate(release(bench.dir.path())).await;
    let now = Clock::now(&bench.clock);
    bench.router.deliver_again(id, "erika").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(bench.record(sent.id).await.deliveries[0].deadline, now.plus(5 * HOUR));
    assert_eq!((call.delivery, call.attempt), (id, 2), "the same id, so that the target recognises it");
    call.says(busy());
    bench.until(sent.id, |record| record.deliveries[0].attempts == 2).await;
    bench.pass(100 * HOUR).await;
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    assert_eq!(parked.code, Some(Code::DEADLINE_PASSED));
    assert!(bench.desk.is_empty());
    bench.router.settle_by_hand(id, "erika").await.unwrap();
    let done = bench.reaches(sent.id, MessageState::Completed).await;
    assert_eq!(done.deliveries[0].state, DeliveryState::Delivered);
    assert_eq!(bench.router.deliver_again(id, "erika").await.unwrap_err().code, Code::WRONG_STATE);
    bench.finish().await;
}

/// What waits for an ordinary retry needs no person, what a clock ten years ahead put off may have one.
#[tokio::test]
async fn a_person_need_not_wait_for_what_a_clock_that_was_ahead_put_off() {
    let mut bench = Bench::start().await;
    let now = Clock::now(&bench.clock);
    bench.clock.set(now.plus(87_600 * HOUR));
    let sent = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    let id = call.delivery;
    call.says(busy());
    bench.until(sent.id, |record| record.deliveries[0].attempts == 1).await;
    assert_eq!(bench.router.deliver_again(id, "erika").await.unwrap_err().code, Code::WRONG_STATE);
    bench.clock.set(now);
    bench.router.deliver_again(id, "erika").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!((call.delivery, call.attempt), (id, 2));
    let record = bench.record(sent.id).await;
    assert_eq!(record.deliveries[0].deadline, now.plus(72 * HOUR), "its deadline is right again too");
    call.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn a_key_used_again_for_other_content_is_refused_and_nothing_is_lost() {
    let mut bench = Bench::start().await;
    let first = bench.send(Some("k"), &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(first.id, MessageState::Completed).await;
    let again = bench.send(Some("k"), &application(1)).await.unwrap();
    assert_eq!((again.id, again.duplicate), (first.id, true));
    let other = bench.send(Some("k"), &application(2)).await;
    assert_eq!(other.unwrap_err().code, Code::KEY_REUSED, "swallowed as a duplicate");
    // Under a key of its own it is accepted.
    let other = bench.send(Some("l"), &application(2)).await.unwrap();
    assert!(!other.duplicate);
    bench.desk.call().await.says(delivered());
    bench.reaches(other.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn the_same_document_with_other_attachments_is_another_message() {
    let mut bench = Bench::start().await;
    let plan: (&str, &'static str) = ("plan.txt", "Plan");
    // With a key, and known by the message id inside.
    for (number, key) in [(1, Some("k")), (2, None)] {
        let document = application(number);
        let first = bench.send_with("portal", key, &document, &[plan]).await.unwrap();
        bench.desk.call().await.says(delivered());
        bench.reaches(first.id, MessageState::Completed).await;
        let again = bench.send_with("portal", key, &document, &[plan]).await.unwrap();
        assert_eq!((again.id, again.duplicate), (first.id, true));
        for other in [&[("plan.txt", "Anderer Plan")][..], &[("grundriss.txt", "Plan")], &[plan, plan], &[]] {
            let refused = bench.send_with("portal", key, &document, other).await;
            assert_eq!(refused.unwrap_err().code, Code::KEY_REUSED, "{other:?}");
        }
    }
    bench.finish().await;
}
