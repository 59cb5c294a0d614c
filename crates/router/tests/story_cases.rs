//! A case binds later messages to the authority that has it, and never carries one to the wrong authority.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::path::Path;

use dds_message::{MessageId, MessageState};
use dds_store::AuditLog;
use support::{Bench, VILLAGE, application, application_of_the_village, case, copy, invalid, release, write};

/// Application `number` in the case of the first.
fn follow_up(number: u32) -> String {
    application(number).replace(&case(number), &case(1))
}

/// What the decision said about the case of a message.
async fn said(bench: &Bench, id: MessageId) -> Vec<String> {
    let rows = bench.spy.store.history(id).await.unwrap();
    let routed = rows.iter().find(|row| row.event == "message.routed").unwrap();
    let reasons = routed.data["reasons"].as_array().unwrap();
    let of_case = reasons.iter().filter(|reason| reason["step"] == "case");
    of_case.map(|reason| reason["because"]["en"].as_str().unwrap().to_owned()).collect()
}

async fn authority(bench: &Bench, id: MessageId) -> String {
    bench.reaches(id, MessageState::Routed).await.authority.unwrap().to_string()
}

#[tokio::test]
async fn a_case_does_not_carry_a_message_to_another_municipality() {
    let bench = Bench::start().await;
    let city = bench.send(None, &application(1)).await.unwrap();
    assert_eq!(authority(&bench, city.id).await, "sn:146120000000-steueramt");
    let village = follow_up(2).replace("146120000000", VILLAGE);
    let village = bench.send(None, &village).await.unwrap();
    assert_eq!(authority(&bench, village.id).await, "sn:145215103040-kasse");
    let told = "case HST-TEST-1 is with sn:146120000000-steueramt, which does not count, because there it concerns \
                municipality 146120000000, not 145215103040";
    assert_eq!(said(&bench, village.id).await, [told]);
    let unknown = follow_up(3).replace("146120000000", "149999999999");
    let unknown = bench.send(None, &unknown).await.unwrap();
    let parked = bench.reaches(unknown.id, MessageState::Parked).await;
    assert!(parked.authority.is_none() && parked.deliveries.is_empty());
    bench.finish().await;
}

#[tokio::test]
async fn a_case_does_not_carry_a_message_to_the_office_of_another_procedure() {
    let bench = Bench::start().await;
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/personenstandsurkunde");
    copy(&rules, &bench.dir.path().join("rules/personenstandsurkunde"));
    write(bench.dir.path(), "config/profiles/dorf.toml", WITH_REGISTRY);
    bench.activate(release(bench.dir.path())).await;
    let tax = bench.send(None, &application_of_the_village(1)).await.unwrap();
    assert_eq!(authority(&bench, tax.id).await, "sn:145215103040-kasse");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/personenstandsurkunde");
    let certificate = std::fs::read_to_string(fixtures.join("gewoehnlich.xml")).unwrap();
    let own = certificate.split("<vorgang>").nth(1).unwrap().split('<').next().unwrap();
    let ars = certificate.split("<ars>").nth(1).unwrap().split('<').next().unwrap();
    let certificate =
        bench.send(None, &certificate.replace(own, &case(1)).replace(ars, VILLAGE)).await.unwrap();
    assert_eq!(authority(&bench, certificate.id).await, "sn:145215103040-standesamt");
    let told = "case HST-TEST-1 is with sn:145215103040-kasse, which does not count, because there it is a case of \
                hundesteuer, not of personenstandsurkunde";
    assert_eq!(said(&bench, certificate.id).await, [told]);
    bench.finish().await;
}

#[tokio::test]
async fn a_rejected_message_leaves_its_case_with_nobody() {
    let bench = Bench::start().await;
    let wrong = bench.send(None, &invalid(1).replace("146120000000", VILLAGE)).await.unwrap();
    bench.reaches(wrong.id, MessageState::Rejected).await;
    let corrected = bench.send(None, &follow_up(2)).await.unwrap();
    assert_eq!(authority(&bench, corrected.id).await, "sn:146120000000-steueramt");
    assert_eq!(said(&bench, corrected.id).await, ["no authority has case HST-TEST-1 yet"]);
    bench.finish().await;
}

#[tokio::test]
async fn a_case_stays_where_it_is_when_the_procedure_moves() {
    let bench = Bench::start().await;
    // The village hands its dog tax to the city: new cases go there, and stay there when it takes the tax back.
    let village = "config/municipalities/145215103040-dorf.toml";
    let before = std::fs::read_to_string(bench.dir.path().join(village)).unwrap();
    let delegated = format!("{before}delegate = {{ hundesteuer = \"146120000000\" }}\n");
    write(bench.dir.path(), village, &delegated);
    bench.activate(release(bench.dir.path())).await;
    let first = bench.send(None, &application_of_the_village(1)).await.unwrap();
    assert_eq!(authority(&bench, first.id).await, "sn:146120000000-steueramt");
    write(bench.dir.path(), village, &before);
    bench.activate(release(bench.dir.path())).await;
    let later = bench.send(None, &follow_up(2).replace("146120000000", VILLAGE)).await.unwrap();
    assert_eq!(authority(&bench, later.id).await, "sn:146120000000-steueramt");
    assert_eq!(said(&bench, later.id).await, ["this authority has case HST-TEST-1"]);
    let new = bench.send(None, &application_of_the_village(3)).await.unwrap();
    assert_eq!(authority(&bench, new.id).await, "sn:145215103040-kasse");
    // Another source may use the same reference for a case of its own.
    let elsewhere = follow_up(4).replace("146120000000", VILLAGE);
    let elsewhere = bench.send_as("formular", None, &elsewhere).await.unwrap();
    assert_eq!(authority(&bench, elsewhere.id).await, "sn:145215103040-kasse");
    bench.finish().await;
}

const WITH_REGISTRY: &str = r#"
title = "Dorf"
[office.kasse]
name = "Kasse"
procedures = ["hundesteuer"]
fachverfahren = "fv-ordnungsamt@1.4"
[office.standesamt]
name = "Standesamt"
procedures = ["personenstandsurkunde"]
fachverfahren = "fv-ordnungsamt@1.4"
"#;
