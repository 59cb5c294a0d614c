//! A case is one story for its authority too: its messages go to the same place, one after the other.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use dds_message::{Code, MessageState};
use dds_router::Handle;
use support::{Bench, HOUR, OTHER, application, busy, case, delivered, invalid, refused, release, target};

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

/// A redirected delivery takes its turn where it goes, and holds up nobody where it was.
#[tokio::test]
async fn a_redirected_delivery_leaves_its_lane() {
    let mut bench = Bench::start().await;
    let first = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    let id = call.delivery;
    call.says(busy());
    bench.until(first.id, |record| record.deliveries[0].attempts == 1).await;
    bench.router.redirect(id, &target(OTHER), true, "erika").await.unwrap();
    let elsewhere = bench.desk.call().await;
    assert_eq!((elsewhere.message, &elsewhere.target), (first.id, &target(OTHER)));
    let second = bench.send(None, &application(2).replace(&case(2), &case(1))).await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.message, second.id, "while the first is under way elsewhere");
    call.says(delivered());
    elsewhere.says(delivered());
    for id in [first.id, second.id] {
        bench.reaches(id, MessageState::Completed).await;
    }
    bench.finish().await;
}

/// Larger documents wait in the store instead of in memory, and take longer to route.
fn large(document: &str) -> String {
    let root = document.find("<?xml").map_or(0, |start| document[start..].find("?>").unwrap() + start + 2);
    format!("{}<!--{}-->{}", &document[..root], "x".repeat(100_000), &document[root..])
}

#[tokio::test]
async fn messages_of_one_case_are_planned_as_they_were_accepted() {
    let mut bench = Bench::start().await;
    bench.send(None, &application(90)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let of_case = |number: u32| application(number).replace(&case(number), &case(1));
    let mut sent = Vec::new();
    for number in 1..=6 {
        let document = if number % 3 == 1 { large(&of_case(number)) } else { of_case(number) };
        sent.push(bench.send(None, &document).await.unwrap().id);
    }
    for (number, id) in sent.iter().enumerate() {
        let call = bench.desk.call().await;
        assert_eq!(call.message, *id, "number {} was overtaken", number + 1);
        call.says(delivered());
    }
    for id in sent {
        bench.reaches(id, MessageState::Completed).await;
    }
    bench.finish().await;
}

#[tokio::test]
async fn what_an_earlier_process_left_of_a_case_goes_first() {
    let mut bench = Bench::still().await;
    let of_case = |number: u32| application(number).replace(&case(number), &case(1));
    let left =
        [bench.send(None, &large(&of_case(1))).await.unwrap(), bench.send(None, &of_case(2)).await.unwrap()];
    bench.crash().await;
    let fresh = bench.send(None, &of_case(3)).await.unwrap();
    bench.run();
    for sent in left.iter().chain([&fresh]) {
        let call = bench.desk.call().await;
        assert_eq!(call.message, sent.id);
        call.says(delivered());
        bench.reaches(sent.id, MessageState::Completed).await;
    }
    bench.finish().await;
}

#[tokio::test]
async fn what_is_rejected_or_parked_does_not_hold_its_case() {
    let mut bench = Bench::start().await;
    let of_case = |document: String, number: u32| document.replace(&case(number), &case(1));
    let rejected = bench.send(None, &of_case(invalid(1), 1)).await.unwrap();
    let nowhere = of_case(application(2), 2).replace("146120000000", "145110000000");
    let parked = bench.send(None, &nowhere).await.unwrap();
    let last = bench.send(None, &of_case(application(3), 3)).await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.message, last.id);
    call.says(delivered());
    for (sent, state) in
        [(rejected, MessageState::Rejected), (parked, MessageState::Parked), (last, MessageState::Completed)]
    {
        bench.reaches(sent.id, state).await;
    }
    bench.finish().await;
}

/// A case is one of its source and procedure, whatever version of the rule a message belongs to.
#[tokio::test]
async fn a_lane_is_of_source_procedure_and_case() {
    let mut bench = Bench::still().await;
    let lane = async |bench: &Bench, sent: dds_router::Acknowledgement| {
        bench.reaches(sent.id, MessageState::Completed).await.deliveries[0].lane.unwrap()
    };
    let of_case = |number: u32| application(number).replace(&case(number), &case(1));
    let ours = bench.send(None, &of_case(1)).await.unwrap();
    let theirs = bench.send_as("formular", None, &of_case(2)).await.unwrap();
    bench.run();
    let (one, another) = (bench.desk.call().await, bench.desk.call().await);
    assert_eq!(
        [one.message, another.message].iter().filter(|id| [ours.id, theirs.id].contains(id)).count(),
        2
    );
    one.says(delivered());
    another.says(delivered());
    let (ours, theirs) = (lane(&bench, ours).await, lane(&bench, theirs).await);
    assert_ne!(ours, theirs, "a case of another source");
    // The same rule under another version.
    let rule = bench.dir.path().join("rules/hundesteuer");
    std::fs::rename(rule.join("1.0"), rule.join("1.1")).unwrap();
    let toml = rule.join("1.1/rule.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("\nversion = \"1.0\"\nti", "\nversion = \"1.1\"\nti")).unwrap();
    bench.activate(release(bench.dir.path())).await;
    let later = bench.send(None, &of_case(3)).await.unwrap();
    bench.desk.call().await.says(delivered());
    assert_eq!(
        bench.reaches(later.id, MessageState::Completed).await.rule.as_deref(),
        Some("hundesteuer@1.1")
    );
    assert_eq!(lane(&bench, later).await, ours);
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
