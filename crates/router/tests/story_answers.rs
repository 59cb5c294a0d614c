//! The way back: receipt, further request and decision reach the source of the application.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use bytes::Bytes;
use dds_message::{
    AnswerKind, AuthorityId, Channel, Code, DeliveryState, Digest, Direction, Format, MessageId, MessageState,
};
use dds_router::Handle;
use dds_store::AuditLog;
use futures::{StreamExt, TryStreamExt};
use support::{
    Bench, HOUR, VILLAGE, application, application_of_the_village, case, delivered, invalid, refused, source,
    target, to_case, to_message,
};
use uuid::Uuid;

const KINDS: [AnswerKind; 3] = [AnswerKind::Receipt, AnswerKind::FurtherRequest, AnswerKind::Decision];

#[tokio::test]
async fn answers_come_back_by_callback_matched_by_message_id_and_by_case() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    for (number, kind) in KINDS.into_iter().enumerate() {
        let text = format!("<antwort nummer=\"{number}\"/>");
        let answer = if number == 1 { to_case(kind, &case(1)) } else { to_message(kind, sent.id) };
        let told = bench.reply("fach", answer, &text).await.unwrap();
        let call = bench.desk.call().await;
        assert_eq!((&call.target, call.message), (&target("source/portal"), told.id));
        assert_eq!((call.answer, call.document.as_str()), (Some((kind, sent.id)), text.as_str()));
        call.says(delivered());
        let record = bench.reaches(told.id, MessageState::Completed).await;
        assert_eq!((record.direction, record.answers), (Direction::Answer(kind), Some(sent.id)));
    }
    let status = bench.router.status(&source("portal"), sent.id).await.unwrap().unwrap();
    let kinds: Vec<_> = status.answers.iter().map(|(_, kind, _)| *kind).collect();
    assert_eq!(kinds, KINDS);
    assert!(
        bench.router.status(&source("formular"), sent.id).await.unwrap().is_none(),
        "told to another source"
    );
    bench.finish().await;
}

#[tokio::test]
async fn a_fetched_answer_is_delivered_when_its_source_confirms_it() {
    let mut bench = Bench::start().await;
    let form = source("formular");
    let sent = bench.send_as("formular", None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    for kind in KINDS {
        let text = format!("<antwort>{}</antwort>", kind.as_str());
        let told = bench.reply("fach", to_case(kind, &case(1)), &text).await.unwrap();
        let record = bench.reaches(told.id, MessageState::Routed).await;
        assert_eq!(
            (record.deliveries[0].target.clone(), record.deliveries[0].pull),
            (target("source/formular"), true)
        );
        assert!(bench.desk.is_empty(), "pushed to a source that fetches");
        let other = bench.router.answer_document(&source("portal"), told.id).await.unwrap();
        assert!(other.is_none(), "given to another source");
        assert_eq!(bench.record(told.id).await.state, MessageState::Routed);
        // Reading, as often as one likes, ends nothing.
        for _ in 0..2 {
            let (bytes, format) = bench.router.answer_document(&form, told.id).await.unwrap().unwrap();
            assert_eq!((bytes, format), (text.clone().into(), Format::Xml));
        }
        assert_eq!(bench.record(told.id).await.state, MessageState::Routed);
        assert_eq!(bench.router.answer_received(&source("portal"), told.id).await.unwrap(), None);
        assert_eq!(bench.router.answer_received(&form, told.id).await.unwrap(), Some(true));
        let record = bench.record(told.id).await;
        assert_eq!(
            (record.state, record.deliveries[0].state),
            (MessageState::Completed, DeliveryState::Delivered)
        );
        // Our answer may have been lost: it may confirm and fetch again, and nothing is written a second time.
        let entries = bench.rows().await.len();
        assert_eq!(bench.router.answer_received(&form, told.id).await.unwrap(), Some(false));
        assert!(bench.router.answer_document(&form, told.id).await.unwrap().is_some());
        assert_eq!(bench.rows().await.len(), entries);
    }
    bench.finish().await;
}

#[tokio::test]
async fn the_attachments_of_an_answer_are_there_for_its_source() {
    let mut bench = Bench::start().await;
    let form = source("formular");
    let sent = bench.send_as("formular", None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let answer = to_message(AnswerKind::Decision, sent.id);
    let begun = bench.router.begin_answer(&source("fach"), Channel::Rest, None, answer).await.unwrap();
    let mut intake = begun.intake();
    let letter = Bytes::from(vec![b'x'; 200_000]);
    let body = futures::stream::once(async { Ok(Bytes::from(vec![b'x'; 200_000])) }).boxed();
    intake.attachment("bescheid.pdf", "application/pdf", body).await.unwrap();
    let told = intake.accept(Bytes::from_static(b"<bescheid/>"), Format::Xml).await.unwrap();
    bench.reaches(told.id, MessageState::Routed).await;

    let router = &bench.router;
    let listed = router.answer_attachments(&form, told.id).await.unwrap().unwrap();
    assert_eq!((listed[0].name.as_str(), listed[0].digest), ("bescheid.pdf", Digest::of(&letter)));
    let (_, pieces) = router.answer_attachment(&form, told.id, 0).await.unwrap().unwrap();
    let pieces: Vec<Bytes> = pieces.try_collect().await.unwrap();
    assert_eq!(pieces.concat(), letter);
    assert!(router.answer_attachment(&form, told.id, 1).await.unwrap().is_none());
    let portal = source("portal");
    assert!(router.answer_attachments(&portal, told.id).await.unwrap().is_none(), "listed for another");
    assert!(router.answer_attachment(&portal, told.id, 0).await.unwrap().is_none(), "given to another");
    // The application is no answer, though the source sent it.
    assert!(router.answer_attachments(&form, sent.id).await.unwrap().is_none());
    assert_eq!(router.answer_received(&form, told.id).await.unwrap(), Some(true));
    // Confirmed is not deleted: it may be read again until its retention ends.
    assert!(router.answer_attachment(&form, told.id, 0).await.unwrap().is_some());
    bench.finish().await;
}

#[tokio::test]
async fn an_answer_nobody_fetches_is_a_dead_letter_until_it_is_fetched_after_all() {
    let mut bench = Bench::start().await;
    let sent = bench.send_as("formular", None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let told = bench.reply("fach", to_message(AnswerKind::Decision, sent.id), "<bescheid/>").await.unwrap();
    bench.reaches(told.id, MessageState::Routed).await;
    bench.pass(72 * HOUR).await;
    let parked = bench.reaches(told.id, MessageState::Parked).await;
    assert_eq!(parked.code, Some(Code::DEADLINE_PASSED));
    assert_eq!(bench.router.answer_received(&source("formular"), told.id).await.unwrap(), Some(true));
    assert_eq!(bench.record(told.id).await.state, MessageState::Completed);
    bench.finish().await;
}

#[tokio::test]
async fn an_answer_is_shown_once_its_way_back_is_planned() {
    let mut bench = Bench::still().await;
    let form = source("formular");
    let sent = bench.send_as("formular", None, &application(1)).await.unwrap();
    bench.run();
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    bench.die().await;
    let told = bench.reply("fach", to_message(AnswerKind::Receipt, sent.id), "<ja/>").await.unwrap();
    assert!(bench.router.answer_document(&form, told.id).await.unwrap().is_none());
    assert!(bench.router.status(&form, sent.id).await.unwrap().unwrap().answers.is_empty());
    bench.run();
    bench.reaches(told.id, MessageState::Routed).await;
    assert_eq!(bench.router.status(&form, sent.id).await.unwrap().unwrap().answers.len(), 1);
    assert!(bench.router.answer_document(&form, told.id).await.unwrap().is_some());
    bench.finish().await;
}

#[tokio::test]
async fn an_answer_nobody_waits_for_is_refused() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let told = bench.reply("fach", to_message(AnswerKind::Receipt, sent.id), "<ja/>").await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    let entries = bench.rows().await.len();
    let unknown = MessageId(Uuid::from_u128(1));
    for answer in [
        to_message(AnswerKind::Decision, unknown),
        to_case(AnswerKind::Decision, "HST-NIEMAND"),
        // An answer is no application: nobody waits for an answer to it.
        to_message(AnswerKind::Decision, told.id),
    ] {
        let refused = bench.reply("fach", answer, "<nein/>").await.unwrap_err();
        assert_eq!(refused.code, Code::NO_SUCH_CASE);
        assert_eq!(refused.code.as_str(), "DDS-I013");
    }
    assert_eq!(bench.rows().await.len(), entries, "a refused answer left a trace");
    bench.finish().await;
}

#[tokio::test]
async fn only_a_fachverfahren_of_the_municipality_may_answer() {
    let mut bench = Bench::start().await;
    let city = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(city.id, MessageState::Completed).await;
    let village = bench.send(None, &application_of_the_village(2)).await.unwrap();
    bench.reaches(village.id, MessageState::Routed).await;
    let receipt = |id| to_message(AnswerKind::Receipt, id);
    for (from, id) in [("portal", city.id), ("fach-dorf", city.id)] {
        let refused = bench.reply(from, receipt(id), "<nein/>").await.unwrap_err();
        assert_eq!(refused.code, Code::NOT_ALLOWED, "{from}");
    }
    let told = bench.reply("fach-dorf", receipt(village.id), "<ja/>").await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

/// The municipality that a message names says whose citizen it is, not who has it.
#[tokio::test]
async fn who_has_the_application_answers_it_and_is_named() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(refused(Code::TARGET_REFUSED));
    let parked = bench.reaches(sent.id, MessageState::Parked).await;
    let to = target(&format!("{VILLAGE}/kasse/fv-ordnungsamt"));
    bench.router.redirect(parked.deliveries[0].id, &to, true, "erika").await.unwrap();
    for answer in [to_message(AnswerKind::Decision, sent.id), to_case(AnswerKind::Decision, &case(1))] {
        let code = if answer.message.is_some() { Code::NOT_ALLOWED } else { Code::NO_SUCH_CASE };
        let refused = bench.reply("fach-stadt", answer, "<nein/>").await.unwrap_err();
        assert_eq!(refused.code, code, "the city, which has it no more");
    }
    for (number, answer) in
        [to_message(AnswerKind::Receipt, sent.id), to_case(AnswerKind::Decision, &case(1))]
            .into_iter()
            .enumerate()
    {
        let told = bench.reply("fach-dorf", answer, &format!("<ja nummer=\"{number}\"/>")).await.unwrap();
        let call = bench.desk.call().await;
        assert_eq!((call.answer.map(|(_, id)| id), &call.target), (Some(sent.id), &target("source/portal")));
        call.says(delivered());
        let record = bench.reaches(told.id, MessageState::Completed).await;
        let named = |authority: &Option<AuthorityId>| authority.as_ref().map(ToString::to_string);
        let office = Some(format!("sn:{VILLAGE}-kasse"));
        assert_eq!(
            (named(&record.authority), named(&record.deliveries[0].authority)),
            (office.clone(), office.clone())
        );
        let rows = bench.spy.store.history(told.id).await.unwrap();
        let routed = rows.iter().find(|row| row.event == "answer.routed").unwrap();
        assert_eq!(routed.authority, office);
    }
    bench.finish().await;
}

#[tokio::test]
async fn an_application_that_nobody_has_is_not_answered() {
    let mut bench = Bench::still().await;
    let sent = bench.send(None, &invalid(1)).await.unwrap();
    for answer in [to_message(AnswerKind::Decision, sent.id), to_case(AnswerKind::Decision, &case(1))] {
        let refused = bench.reply("fach", answer, "<nein/>").await.unwrap_err();
        assert_eq!(refused.code, Code::NO_SUCH_CASE, "not routed yet");
    }
    bench.run();
    bench.reaches(sent.id, MessageState::Rejected).await;
    let refused =
        bench.reply("fach", to_message(AnswerKind::Decision, sent.id), "<nein/>").await.unwrap_err();
    assert_eq!(refused.code, Code::NO_SUCH_CASE);
    assert!(refused.detail.english.contains("no authority has this application"), "{:?}", refused.detail);
    bench.finish().await;
}

#[tokio::test]
async fn the_journal_says_what_an_answer_is_and_who_gets_it() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    let told = bench.reply("fach", to_message(AnswerKind::Decision, sent.id), "<ja/>").await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    let rows = bench.spy.store.history(told.id).await.unwrap();
    for row in &rows {
        assert_eq!(row.case.as_deref(), Some(case(1).as_str()), "{} under another case", row.event);
        assert!(row.procedure.is_some(), "{} without the procedure of its application", row.event);
    }
    let of = |event: &str| rows.iter().find(|row| row.event == event).unwrap();
    assert_eq!(of("answer.routed").data["kind"], "decision");
    assert_eq!(of("answer.routed").data["application"], sent.id.to_string());
    let prepared = of("delivery.prepared");
    assert_eq!(
        (prepared.target.as_deref(), prepared.state.as_deref()),
        (Some("source/portal"), Some("prepared"))
    );
    bench.finish().await;
}

#[tokio::test]
async fn an_answer_by_a_case_of_two_sources_is_refused_instead_of_guessed() {
    let mut bench = Bench::start().await;
    let ours = bench.send_as("portal", None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let theirs = bench.send_as("formular", None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    for sent in [&ours, &theirs] {
        bench.reaches(sent.id, MessageState::Completed).await;
    }
    let refused = bench.reply("fach", to_case(AnswerKind::Decision, &case(1)), "<ja/>").await.unwrap_err();
    assert_eq!(refused.code, Code::NO_SUCH_CASE);
    let told = bench.reply("fach", to_message(AnswerKind::Decision, theirs.id), "<ja/>").await.unwrap();
    assert_eq!(
        bench.reaches(told.id, MessageState::Routed).await.deliveries[0].target,
        target("source/formular")
    );
}

/// Another office's case with the same number, and an attempt that no office ever got.
#[tokio::test]
async fn an_answer_by_case_does_not_reach_another_application_with_that_number() {
    let mut bench = Bench::start().await;
    let ours = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(ours.id, MessageState::Completed).await;
    let same_case = |document: String, number| document.replace(&case(number), &case(1));
    let rejected = bench.send(None, &same_case(invalid(2), 2)).await.unwrap();
    bench.reaches(rejected.id, MessageState::Rejected).await;
    let told = bench.reply("fach", to_case(AnswerKind::Receipt, &case(1)), "<da/>").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.answer, Some((AnswerKind::Receipt, ours.id)));
    call.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    let theirs = bench.send(None, &same_case(application_of_the_village(3), 3)).await.unwrap();
    bench.reaches(theirs.id, MessageState::Routed).await;
    let refused = bench.reply("fach", to_case(AnswerKind::Decision, &case(1)), "<ja/>").await.unwrap_err();
    assert_eq!(refused.code, Code::NO_SUCH_CASE);
    let told = bench.reply("fach", to_message(AnswerKind::Decision, ours.id), "<ja/>").await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn the_same_words_to_two_applications_or_of_two_kinds_are_different_answers() {
    let mut bench = Bench::start().await;
    let mut sent = Vec::new();
    for number in [1, 2] {
        sent.push(bench.send(None, &application(number)).await.unwrap().id);
        bench.desk.call().await.says(delivered());
        bench.reaches(sent[sent.len() - 1], MessageState::Completed).await;
    }
    let text = "<eingang>Ihr Antrag ist eingegangen.</eingang>";
    let mut told = Vec::new();
    for (kind, application) in
        [(AnswerKind::Receipt, sent[0]), (AnswerKind::Receipt, sent[1]), (AnswerKind::Decision, sent[0])]
    {
        let answer = bench.reply("fach", to_message(kind, application), text).await.unwrap();
        assert!(!answer.duplicate, "swallowed: {kind:?}");
        let call = bench.desk.call().await;
        assert_eq!(call.answer, Some((kind, application)));
        call.says(delivered());
        bench.reaches(answer.id, MessageState::Completed).await;
        told.push(answer.id);
    }
    // The same once more is a repetition.
    let again = bench.reply("fach", to_message(AnswerKind::Receipt, sent[0]), text).await.unwrap();
    assert_eq!((again.id, again.duplicate), (told[0], true));
    // A key covers what the answer is about.
    let key = Some("k");
    let keyed = bench.reply_with("fach", key, to_message(AnswerKind::Receipt, sent[0]), text).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(keyed.id, MessageState::Completed).await;
    let elsewhere = bench.reply_with("fach", key, to_message(AnswerKind::Receipt, sent[1]), text).await;
    assert_eq!(elsewhere.unwrap_err().code, Code::KEY_REUSED);
    bench.finish().await;
}

#[tokio::test]
async fn message_and_case_must_mean_the_same_application() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    let both = |case: String| dds_router::Answer {
        kind: AnswerKind::Decision,
        message: Some(sent.id),
        case: Some(case),
    };
    let refused = bench.reply("fach", both(case(2)), "<a/>").await.unwrap_err();
    assert_eq!(refused.code, Code::NO_SUCH_CASE);
    let told = bench.reply("fach", both(case(1)), "<a/>").await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(told.id, MessageState::Completed).await;
    bench.finish().await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_refused() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    bench.reaches(sent.id, MessageState::Completed).await;
    let answer = || to_message(AnswerKind::Decision, sent.id);
    for text in ["", "<a", "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "<a>&b;</a>"] {
        let refused = bench.reply("fach", answer(), text).await.unwrap_err();
        assert_eq!(refused.code, Code::NOT_WELL_FORMED, "{text}");
    }
    assert!(bench.router.status(&source("portal"), sent.id).await.unwrap().unwrap().answers.is_empty());
    bench.finish().await;
}
