//! A case is one story for its authority too: its messages go to the same place, one after the other.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dds_message::{Code, MessageState};
use dds_router::Handle;
use support::{Bench, HOUR, application, busy, case, delivered, refused};

#[tokio::test]
async fn messages_of_one_case_do_not_overtake_each_other() {
    let mut bench = Bench::start().await;
    let first = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.message, first.id);
    // A second message of the same case, and one of another case.
    let second = bench.send(None, &application(2).replace(&case(2), &case(1))).await.unwrap();
    bench.reaches(second.id, MessageState::Routed).await;
    let other = bench.send(None, &application(3)).await.unwrap();
    let free = bench.desk.call().await;
    assert_eq!(free.message, other.id, "only the same case waits");
    free.says(delivered());
    call.says(busy());
    bench.until(first.id, |record| record.deliveries[0].attempts == 1).await;
    assert!(bench.desk.is_empty(), "the second overtook the first while that waited for its retry");
    bench.pass(HOUR).await;
    let call = bench.desk.call().await;
    assert_eq!(call.message, first.id);
    call.says(delivered());
    let call = bench.desk.call().await;
    assert_eq!(call.message, second.id);
    call.says(delivered());
    for id in [first.id, second.id, other.id] {
        bench.reaches(id, MessageState::Completed).await;
    }
    bench.finish().await;
}

#[tokio::test]
async fn a_dead_letter_does_not_block_its_case() {
    let mut bench = Bench::start().await;
    let first = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(refused(Code::TARGET_REFUSED));
    bench.reaches(first.id, MessageState::Parked).await;
    let second = bench.send(None, &application(2).replace(&case(2), &case(1))).await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.message, second.id);
    call.says(delivered());
    bench.reaches(second.id, MessageState::Completed).await;
    assert!(
        bench.router.status(&support::source("portal"), first.id).await.unwrap().unwrap().problem.is_some()
    );
    bench.finish().await;
}
