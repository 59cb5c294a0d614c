//! A message keeps the release it was matched with (I4); looking at it under another one writes nothing; a rule that
//! never ends harms only its own message (I11).
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use bytes::Bytes;
use dds_message::{Actor, Code, Format, MessageState};
use dds_router::{Subject, judge, recognise};
use dds_store::AuditLog;
use dds_xml::Limits;
use support::{Bench, ENDLESS, application, delivered, release, source, target, write};

#[tokio::test]
async fn a_message_keeps_the_release_it_was_matched_with() {
    let mut bench = Bench::start().await;
    let old = bench.router.release();
    let first = bench.send(None, &application(1)).await.unwrap();
    let call = bench.desk.call().await;
    assert!(call.document.contains(&old.id().to_string()));
    // The tax office of the city moves to the mailbox product; what is on its way stays as it was planned.
    write(bench.dir.path(), "config/profiles/stadt.toml", MOVED);
    let new = release(bench.dir.path());
    assert_ne!(new.id(), old.id());
    bench.activate(new.clone()).await;
    call.says(delivered());
    let record = bench.reaches(first.id, MessageState::Completed).await;
    assert_eq!((record.release, record.deliveries[0].target.clone()), (Some(old.id()), target(support::TAX)));
    let second = bench.send(None, &application(2)).await.unwrap();
    let record = bench.reaches(second.id, MessageState::Routed).await;
    assert_eq!(record.release, Some(new.id()));
    assert_eq!(record.deliveries[0].target, target("146120000000/steueramt/fv-ordnungsamt"));
    assert_eq!(bench.record(first.id).await.release, Some(old.id()));
    bench.finish().await;
}

const MOVED: &str = r#"
title = "Stadt"
[office.steueramt]
name = "Steueramt"
procedures = ["hundesteuer", "endlos"]
fachverfahren = "fv-ordnungsamt@1.4"
"#;

#[tokio::test]
async fn a_second_look_under_another_release_writes_nothing() {
    let mut bench = Bench::start().await;
    let sent = bench.send(None, &application(1)).await.unwrap();
    bench.desk.call().await.says(delivered());
    let before = bench.reaches(sent.id, MessageState::Completed).await;
    write(bench.dir.path(), "config/profiles/stadt.toml", MOVED);
    let other = release(bench.dir.path());
    assert_eq!(bench.pool.load(dds_config::bundle(&other)).await.unwrap(), []);
    let anchor = bench.spy.store.anchor().await.unwrap();
    let document = Bytes::from(application(1));
    let day = sent.accepted.legal_day();
    let (facts, recognised) = recognise(&other, &document, Format::Xml, &Limits::default(), &day).unwrap();
    let portal = source("portal");
    let subject = Subject {
        id: sent.id,
        at: sent.accepted,
        source: &portal,
        document: &document,
        format: Format::Xml,
        attachments: &[],
        release: other.id(),
        case_holders: &[],
    };
    let seen = judge(&bench.pool, &other, &subject, &facts, recognised).await;
    assert!(seen.stopped.is_none());
    let plan = seen.plan.unwrap();
    assert_eq!(plan.deliveries[0].target, target("146120000000/steueramt/fv-ordnungsamt"));
    assert_eq!(seen.outputs.len(), 1);
    assert_eq!(bench.spy.store.anchor().await.unwrap(), anchor, "the look left a trace");
    let after = bench.record(sent.id).await;
    assert_eq!((after.release, after.deliveries.len()), (before.release, 1));
    bench.finish().await;
}

#[tokio::test]
async fn a_rule_without_end_parks_only_its_own_message() {
    let mut bench = Bench::start().await;
    let endless = bench.send(None, ENDLESS).await.unwrap();
    let fine = bench.send(None, &application(1)).await.unwrap();
    let parked = bench.reaches(endless.id, MessageState::Parked).await;
    let code = parked.code.unwrap();
    assert_eq!((code, code.entry().actor), (Code::BUDGET_EXCEEDED, Actor::RuleAuthor));
    assert!(parked.deliveries.is_empty());
    let call = bench.desk.call().await;
    assert_eq!(call.message, fine.id);
    call.says(delivered());
    bench.reaches(fine.id, MessageState::Completed).await;
    // The rule author mends the rule; an operator gives the message back to routing.
    write(bench.dir.path(), "rules/endlos/1.0/xslt/to-vorgang.xsl", MENDED);
    bench.activate(release(bench.dir.path())).await;
    bench.router.release_parked(endless.id, "erika").await.unwrap();
    let call = bench.desk.call().await;
    assert_eq!(call.message, endless.id);
    call.says(delivered());
    bench.reaches(endless.id, MessageState::Completed).await;
    assert_eq!(
        bench.router.release_parked(endless.id, "erika").await.unwrap_err().code,
        Code::WRONG_STATE,
        "what is done is not routed again"
    );
    bench.finish().await;
}

const MENDED: &str = r#"<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><vorgang xmlns="urn:datendrehscheibe:vorgang:1" verfahren="endlos" art="antrag" version="1"><kopf>
<kennung>V-1</kennung><erstellt>2026-11-22T08:00:00Z</erstellt><betreff>Antrag</betreff></kopf><gegenstand>
<abschnitt schluessel="a" titel="A"><angabe schluessel="b" titel="B" typ="text">c</angabe></abschnitt></gegenstand></vorgang>
</xsl:template></xsl:stylesheet>"#;
