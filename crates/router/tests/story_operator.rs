//! What a person decides: reject, call off, redirect; and what is no longer theirs to decide.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use dds_message::{Actor, AnswerKind, Code, DeliveryId, DeliveryState, MessageId, MessageState, Problem};
use dds_router::Handle;
use dds_store::{AuditLog, LogRow};
use support::{
    Bench, HOUR, OTHER, TAX, VILLAGE, application, application_of_the_village, busy, delivered, refused,
    release, source, target, to_message,
};

/// A lease of the scheduler.
const LEASE: Duration = Duration::from_secs(300);

/// What an operator is told, never as if it had sent something.
fn refusal<T: std::fmt::Debug>(result: Result<T, Problem>, code: Code) {
    let problem = result.unwrap_err();
    assert_eq!((problem.code, problem.actor()), (code, Actor::Operator), "{problem}");
    assert_ne!(problem.detail.german, problem.detail.english, "{problem}");
}

#[tokio::test]
async fn a_parked_message_is_rejected_with_a_reason_for_its_sender_alone() {
    const REASON: &str = "Zurückgezogen, Anruf von Erika Beispiel";
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    refusal(bench.router.reject_parked(sent.id, REASON, "erika").await, Code::WRONG_STATE);
    bench.desk.call().await.says(refused(Code::TARGET_REFUSED));
    bench.reaches(sent.id, MessageState::Parked).await;
    refusal(bench.router.reject_parked(sent.id, "  ", "erika").await, Code::BAD_ARGUMENT);
    bench.router.reject_parked(sent.id, REASON, "erika").await.unwrap();

    let record = bench.record(sent.id).await;
    assert_eq!((record.state, record.code), (MessageState::Rejected, Some(Code::ENDED_BY_HAND)));
    assert_eq!(record.deliveries[0].state, DeliveryState::Cancelled);
    // Its sender is told, with the status and when it sends the same again,
    let status = bench.router.status(&source("portal"), sent.id).await.unwrap().unwrap();
    let again = bench.send(None, &application(1)).await.unwrap_err();
    for problem in [status.problem.unwrap(), again] {
        assert_eq!((problem.code, problem.actor()), (Code::ENDED_BY_HAND, Actor::Sender));
        assert_eq!(problem.findings[0].text, REASON);
    }
    // the journal tells who and that, but not why.
    let rows = bench.spy.store.history(sent.id).await.unwrap();
    assert!(!serde_json::to_string(&rows).unwrap().contains("Erika"));
    let row = rows.iter().find(|row| row.event == "message.rejected").unwrap();
    assert_eq!((row.data["by"].as_str(), row.state.as_deref()), (Some("erika"), Some("rejected")));
    let row = rows.iter().find(|row| row.event == "delivery.cancelled").unwrap();
    assert_eq!((row.target.as_deref(), row.state.as_deref()), (Some(TAX), Some("cancelled")));

    refusal(bench.router.reject_parked(sent.id, REASON, "erika").await, Code::WRONG_STATE);
    refusal(bench.router.deliver_again(record.deliveries[0].id, "erika").await, Code::WRONG_STATE);
    bench.pass(100 * HOUR).await;
    assert!(bench.desk.is_empty());
    bench.finish().await;
}

#[tokio::test]
async fn a_delivery_that_waits_may_be_redirected_or_called_off() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    let id = call.delivery;
    refusal(bench.router.cancel(id, "erika").await, Code::WRONG_STATE);
    refusal(bench.router.redirect(id, &target(OTHER), true, "erika").await, Code::WRONG_STATE);
    call.says(busy());
    bench.until(sent.id, |record| record.deliveries[0].attempts == 1).await;
    refusal(bench.router.settle_by_hand(id, "erika").await, Code::WRONG_STATE);
    bench.router.redirect(id, &target(OTHER), true, "erika").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.target, target(OTHER));
    call.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    refusal(bench.router.redirect(id, &target(TAX), true, "erika").await, Code::WRONG_STATE);

    let sent = bench.send(None, &application(2)).await.unwrap();
    bench.desk.call().await.says(busy());
    let waiting = bench.until(sent.id, |record| record.deliveries.iter().any(|one| one.attempts == 1)).await;
    bench.router.cancel(waiting.deliveries[0].id, "erika").await.unwrap();
    let record = bench.reaches(sent.id, MessageState::Rejected).await;
    assert_eq!(
        (record.code, record.deliveries[0].state),
        (Some(Code::ENDED_BY_HAND), DeliveryState::Cancelled)
    );
    bench.pass(100 * HOUR).await;
    assert!(bench.desk.is_empty(), "called off, and delivered all the same");
    bench.finish().await;
}

/// The first office has it after all: the decision stands, and the journal tells who has it.
#[tokio::test]
async fn a_receipt_after_a_redirection_is_noted_and_changes_nothing() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    let mut calls = vec![bench.desk.call().await];
    bench.pass(LEASE).await;
    bench.pass(100 * HOUR).await;
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    bench.router.redirect(parked.deliveries[0].id, &target(OTHER), true, "erika").await.unwrap();
    while calls.last().unwrap().target != target(OTHER) {
        calls.push(bench.desk.call().await);
    }
    calls.pop().unwrap().says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    calls.remove(0).says(delivered());
    let noted = |rows: &Vec<LogRow>| rows.iter().any(|row| row.event == "delivery.late_receipt");
    let rows = bench.spy.until(async || bench.spy.store.history(sent.id).await.unwrap(), noted).await;
    let row = rows.iter().find(|row| row.event == "delivery.late_receipt").unwrap();
    assert_eq!((row.target.as_deref(), row.state.as_deref()), (Some(TAX), None));
    let states: Vec<_> = bench.record(sent.id).await.deliveries.iter().map(|one| one.state).collect();
    assert_eq!(states, [DeliveryState::Redirected, DeliveryState::Delivered]);
    drop(calls);
    bench.finish().await;
}

#[tokio::test]
async fn an_office_gets_by_hand_only_what_it_handles_unless_somebody_insists() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(refused(Code::TARGET_REFUSED));
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    let id = parked.deliveries[0].id;
    refusal(bench.router.redirect(id, &target(OTHER), false, "erika").await, Code::BAD_ARGUMENT);
    assert_eq!(bench.record(sent.id).await.deliveries.len(), 1);
    // An office that handles the procedure, but for others: both are named.
    let village = target(&format!("{VILLAGE}/kasse/fv-ordnungsamt"));
    let elsewhere = bench.router.redirect(id, &village, false, "erika").await;
    let told = elsewhere.as_ref().unwrap_err().to_string();
    assert!(told.contains("146120000000") && told.contains(VILLAGE) && told.contains("--force"), "{told}");
    refusal(elsewhere, Code::BAD_ARGUMENT);
    assert_eq!(bench.record(sent.id).await.deliveries.len(), 1);
    // Of two who insist one wins.
    let insisted = target(OTHER);
    let (one, other) = tokio::join!(
        Box::pin(bench.router.redirect(id, &village, true, "erika")),
        Box::pin(bench.router.redirect(id, &insisted, true, "erika")),
    );
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    refusal(if one.is_ok() { other } else { one }, Code::WRONG_STATE);
    assert_eq!(bench.record(sent.id).await.deliveries.len(), 2);
    let new = bench.record(sent.id).await.deliveries.remove(1);
    if !new.pull {
        bench.desk.call().await.says(delivered());
        bench.reaches(sent.id, MessageState::Completed).await;
    }
    bench.finish().await;
}

#[tokio::test]
async fn an_unknown_id_is_told_to_the_operator() {
    let bench = Bench::start().await;
    let (message, delivery) = (MessageId(uuid::Uuid::nil()), DeliveryId(uuid::Uuid::nil()));
    refusal(bench.router.release_parked(message, "erika").await, Code::NO_SUCH_ID);
    refusal(bench.router.reject_parked(message, "Unfug", "erika").await, Code::NO_SUCH_ID);
    refusal(bench.router.deliver_again(delivery, "erika").await, Code::NO_SUCH_ID);
    refusal(bench.router.settle_by_hand(delivery, "erika").await, Code::NO_SUCH_ID);
    refusal(bench.router.cancel(delivery, "erika").await, Code::NO_SUCH_ID);
    refusal(bench.router.redirect(delivery, &target(OTHER), true, "erika").await, Code::NO_SUCH_ID);
    bench.finish().await;
}

/// A delivery keeps the way it was planned with; when its target is served another way, it is made anew.
#[tokio::test]
async fn what_waits_on_an_old_way_is_made_anew_for_the_same_target() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application_of_the_village(1)).await.unwrap();
    let waits = bench.reaches(sent.id, MessageState::Routed).await;
    let told = bench.reply("fach", to_message(AnswerKind::Receipt, sent.id), "<ja/>").await.unwrap();
    bench.desk.call().await.says(busy());
    let answer = bench.until(told.id, |record| record.deliveries.iter().any(|one| one.attempts == 1)).await;
    assert_eq!((waits.deliveries[0].pull, answer.deliveries[0].pull), (true, false));
    // The village's product is sent to from now on, and the portal fetches.
    let product = bench.dir.path().join("rules/products/fv-ordnungsamt/1.4/product.toml");
    let text = std::fs::read_to_string(&product).unwrap();
    std::fs::write(&product, text.replace("adapter = \"mailbox\"", "adapter = \"rest\"")).unwrap();
    let portal = bench.dir.path().join("config/sources/portal.toml");
    let text = std::fs::read_to_string(&portal).unwrap();
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("answers")).collect();
    std::fs::write(&portal, kept.join("\n")).unwrap();
    bench.activate(release(bench.dir.path())).await;

    let to = waits.deliveries[0].target.clone();
    bench.router.redirect(waits.deliveries[0].id, &to, false, "erika").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!((&call.target, call.message), (&to, sent.id));
    call.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    let elsewhere = target("source/formular");
    let refused = bench.router.redirect(answer.deliveries[0].id, &elsewhere, true, "erika").await;
    refusal(refused, Code::BAD_ARGUMENT);
    bench.router.deliver_again(answer.deliveries[0].id, "erika").await.unwrap();
    let anew = bench.record(told.id).await;
    let of: Vec<_> = anew.deliveries.iter().map(|one| (one.state, one.pull, one.target.as_str())).collect();
    let to = "source/portal";
    assert_eq!(of, [(DeliveryState::Redirected, false, to), (DeliveryState::Prepared, true, to)]);
    assert_eq!(anew.deliveries[1].authority, anew.deliveries[0].authority);
    assert_eq!(bench.router.answer_received(&source("portal"), told.id).await.unwrap(), Some(true));
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}
