//! The way back through the real process: receipt, further request (Nachforderung) and decision (Bescheid) reach the
//! source of the application by callback and by fetch, once each, also when the process dies on the way.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{collections::HashMap, fs, time::Duration};

use bytes::Bytes;
use dds_message::{AnswerKind, Digest, MessageId, TargetId};
use dds_testbench::{
    About, AnsweringFachverfahren, CallbackSim, Fault, FetchingFachverfahren, Ledger, PortalSim,
};
use support::{
    root,
    stage::{CITY, PATIENCE, Router, Stage, TOKEN},
};

const KINDS: [AnswerKind; 3] = [AnswerKind::Receipt, AnswerKind::FurtherRequest, AnswerKind::Decision];
const FORM_SERVER: &str = "pruefformular";
const AUTHORITY: &str = "pruefamt";

/// Beside the portal of the stage, which fetches: a form server with a callback, and a Fachverfahren that answers.
fn add_sources(stage: &Stage, callback: &CallbackSim) {
    let token = |source: &str| Digest::of(source.as_bytes());
    let sources = [
        (
            FORM_SERVER,
            format!(
                "procedures = [\"*\"]\nmunicipalities = [\"*\"]\n\
                 answers = {{ kind = \"callback\", url = \"{}/antworten\", secret = \"file:{}\" }}\n",
                callback.url(),
                stage.path("token").display()
            ),
        ),
        (AUTHORITY, format!("municipalities = [\"{CITY}\"]\nmay_answer = true\n")),
    ];
    for (source, more) in sources {
        let text =
            format!("id = \"{source}\"\nname = \"{source}\"\ntokens = [\"{}\"]\n{more}", token(source));
        fs::write(stage.path(&format!("config/sources/{source}.toml")), text).unwrap();
    }
}

/// The ordinary application as case `number`.
fn application(number: u32) -> Bytes {
    let text = fs::read_to_string(root().join("fixtures/hundesteuer/gewoehnlich.xml")).unwrap();
    let text = text.replace("40f40</nachrichtenId>", &format!("4{number:04}</nachrichtenId>"));
    assert!(text.contains("HST-2026-000117"));
    text.replace("HST-2026-000117", &case(number)).into()
}

fn case(number: u32) -> String {
    format!("HST-2026-9{number:05}")
}

fn document(kind: AnswerKind, number: u32) -> Bytes {
    format!("<antwort xmlns=\"urn:pruefung\" vorgang=\"{}\">{}</antwort>", case(number), kind.german()).into()
}

/// What the callback got, by kind and application.
fn called_back(callback: &CallbackSim) -> HashMap<(AnswerKind, MessageId), Bytes> {
    let all = callback.inbox().all();
    let by_kind: HashMap<_, _> =
        all.iter().map(|call| (call.answer.unwrap(), call.bytes.clone().unwrap())).collect();
    assert_eq!(by_kind.len(), all.len(), "an answer came as two deliveries");
    by_kind
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_reach_their_source_once_though_the_process_dies_between_decision_and_arrival() {
    let stage = Stage::new().await;
    let callback = PortalSim::callback(Some(TOKEN.to_owned())).await.unwrap();
    add_sources(&stage, &callback);
    let router = Router::start(&stage).await;
    let mut portal = PortalSim::new(stage.rest(), TOKEN, Ledger::default());
    let mut form_server = PortalSim::new(stage.rest(), FORM_SERVER, Ledger::default());
    let mut authority = AnsweringFachverfahren::new(stage.rest(), AUTHORITY);

    let mut sent = Vec::new();
    for (number, sender) in [(1, &mut form_server), (2, &mut portal)] {
        let answer = sender.post(&case(number), "application/xml", application(number)).await.unwrap();
        let id = MessageId::parse(answer.success().unwrap().json()["id"].as_str().unwrap()).unwrap();
        stage.until(&id.to_string(), "completed").await;
        sent.push(id);
    }
    let [called, fetched] = sent[..] else { panic!("{sent:?}") };

    // Receipt and further request, by message id and by case, arrive while all is well.
    for (number, id) in [(1, called), (2, fetched)] {
        let by_id = About { message: Some(id), case: None };
        let by_case = About { message: None, case: Some(case(number)) };
        for (kind, about) in [(AnswerKind::Receipt, by_id), (AnswerKind::FurtherRequest, by_case)] {
            let key = format!("{number}-{}", kind.as_str());
            let answered = authority.answer(&key, kind, &about, document(kind, number)).await.unwrap();
            let state = if number == 1 { "completed" } else { "routed" };
            stage.until(&answered.0.to_string(), state).await;
        }
    }
    assert_eq!(callback.inbox().len(), 2);
    for (id, kind) in portal.answers(fetched).await.unwrap() {
        assert_eq!(portal.answer(id).await.unwrap(), document(kind, 2));
        assert!(portal.confirm(id).await.unwrap());
    }
    // An answer that names another case than that of its application is refused.
    let wrong = About { message: Some(called), case: Some(case(2)) };
    let refused = authority.answer("falsch", AnswerKind::Decision, &wrong, document(KINDS[2], 1)).await;
    assert!(refused.unwrap_err().to_string().contains("DDS-I013"));

    // The process dies while one decision is under way to its callback and the other has just been acknowledged.
    callback.faults().plan("/antworten", Fault::Hang, 1);
    let decide =
        |number, id| (format!("{number}-decision"), About { message: Some(id), case: Some(case(number)) });
    let (first_key, about_first) = decide(1, called);
    let decision = document(AnswerKind::Decision, 1);
    let (first, _) =
        authority.answer(&first_key, AnswerKind::Decision, &about_first, decision.clone()).await.unwrap();
    under_way(&callback).await;
    let (second_key, about_second) = decide(2, fetched);
    let letter = document(AnswerKind::Decision, 2);
    let (second, _) =
        authority.answer(&second_key, AnswerKind::Decision, &about_second, letter.clone()).await.unwrap();
    router.kill().await;
    assert_eq!(callback.inbox().len(), 2, "the decision had arrived before the process died");

    let router = Router::start(&stage).await;
    assert!(callback.inbox().wait_for(3, PATIENCE).await, "the decision never came");
    stage.until(&first.to_string(), "completed").await;
    stage.until(&second.to_string(), "routed").await;
    // The Fachverfahren, which cannot know, sends both once more: they are the same answers.
    let again = authority.answer(&first_key, AnswerKind::Decision, &about_first, decision).await.unwrap();
    assert_eq!(again, (first, true));
    let again =
        authority.answer(&second_key, AnswerKind::Decision, &about_second, letter.clone()).await.unwrap();
    assert_eq!(again, (second, true));

    // Read, but not confirmed before the process ends: still there behind the next start.
    assert_eq!(portal.answer(second).await.unwrap(), letter);
    assert_eq!(router.terminate().await, Some(0));
    let router = Router::start(&stage).await;
    assert_eq!(portal.answer(second).await.unwrap(), letter);
    assert!(portal.confirm(second).await.unwrap());
    stage.until(&second.to_string(), "completed").await;
    assert!(!portal.confirm(second).await.unwrap(), "confirmed twice, counted twice");

    // Three answers for each application, in the order of the authority; nothing else anywhere.
    let kinds: Vec<_> = portal.answers(fetched).await.unwrap().into_iter().map(|(_, kind)| kind).collect();
    assert_eq!(kinds, KINDS);
    let expected = KINDS.map(|kind| ((kind, called), document(kind, 1)));
    assert_eq!(called_back(&callback), HashMap::from(expected));
    assert_eq!(callback.inbox().repeats(), 0);
    let mailbox = TargetId::parse("source/pruefportal").unwrap();
    let mut mailbox = FetchingFachverfahren::new(stage.rest(), mailbox, TOKEN);
    assert!(mailbox.next(0).await.unwrap().is_none(), "confirmed, and offered again");
    // The Laufzettel of the application names what answered it.
    let story = stage.ask(&["explain", &called.to_string()]).good().out;
    assert!(story.contains(&format!("decision {first} completed")), "{story}");
    stage.ask(&["journal", "verify"]).good();
    assert_eq!(router.terminate().await, Some(0));
}

/// Waits until an attempt hangs at the callback.
async fn under_way(callback: &CallbackSim) {
    let met = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while callback.faults().pending() > 0 {
            tick.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, met).await.expect("an attempt in time");
}
