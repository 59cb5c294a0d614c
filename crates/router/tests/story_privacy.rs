//! Personal data reaches neither journal, metrics page, log nor the disk in clear (I9).
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::{fs, path::Path};

use bytes::Bytes;
use dds_message::{Code, Format, MessageState};
use dds_router::Begin;
use dds_store::{AuditLog, BlobStore, Journal};
use dds_telemetry::Gauges;
use futures::{StreamExt, stream};
use support::{Bench, Captured, ENDLESS, application, delivered, fixture, invalid, refused};

/// Everything about people in the fixture `gewoehnlich.xml`, and in what the test adds to it.
const PERSONAL: [&str; 15] = [
    "Zwirbelquastow",
    "Erika",
    "Beispiel",
    "1984-05-17",
    "1984-13-17",
    "Musterweg",
    "erika.beispiel@example.org",
    "5550117",
    "Bello",
    "Beagle",
    "276098106234567",
    "DE02120300000000202051",
    "BYLADEM1001",
    "ausweis-von",
    "Lebenslauf",
];

#[tokio::test]
async fn nothing_about_people_leaves_the_sealed_payload() {
    let log = Captured::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let mut bench = Bench::start().await;
    bench.telemetry.metrics().names().replace(["hundesteuer".to_owned()], []);
    let Begin::New(mut intake) = bench.begin("portal", Some("Beispiel, Erika")).await else { panic!() };
    let text = "Lebenslauf von Erika Beispiel. ".repeat(10_000);
    let body = stream::iter([Ok(Bytes::from(text.clone()))]).boxed();
    intake.attachment("ausweis-von-Erika-Beispiel.pdf", "application/pdf", body).await.unwrap();
    let fine = intake.accept(Bytes::from(application(1)), Format::Xml).await.unwrap();
    let call = bench.desk.call().await;
    assert!(call.document.contains("Beispiel"), "the target does get it");
    call.says(delivered());
    bench.reaches(fine.id, MessageState::Completed).await;
    // One of each other fate: rejected with findings that quote the value, refused, parked, not well-formed.
    let rejected = bench.send(None, &invalid(2)).await.unwrap();
    bench.reaches(rejected.id, MessageState::Rejected).await;
    let broken = fixture("ungueltig-regel.xml").replace("145210330330", "146120000000");
    let broken = bench.send(None, &broken).await.unwrap();
    bench.until(broken.id, |record| record.state.is_final() || !record.deliveries.is_empty()).await;
    // The name of an element that the sender made up is content, too.
    let invented = application(4).replace("<hund>", "<Zwirbelquastow-Erika/><hund>");
    let invented = bench.send(None, &invented).await.unwrap();
    bench.reaches(invented.id, MessageState::Rejected).await;
    let report = bench.spy.report(invented.id).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&report).contains("Zwirbelquastow"), "the sealed report has it");
    let told = serde_json::to_string(&bench.spy.store.history(invented.id).await.unwrap()).unwrap();
    assert!(told.contains(r#"/anmeldung"#), "what the schema declares is told: {told}");
    let dead = bench.send(None, &application(3)).await.unwrap();
    loop {
        let call = bench.desk.call().await;
        let last = call.message == dead.id;
        call.says(refused(Code::TARGET_REFUSED));
        if last {
            break;
        }
    }
    bench.reaches(dead.id, MessageState::Parked).await;
    let endless = ENDLESS.replace("</antrag>", "<name>Erika Beispiel</name></antrag>");
    let endless = bench.send(None, &endless).await.unwrap();
    bench.reaches(endless.id, MessageState::Parked).await;
    let refused = bench.send(None, "<Beispiel><Erika></Beispiel>").await.unwrap_err();
    assert_eq!(refused.code, Code::NOT_WELL_FORMED);

    for row in bench.rows().await {
        nowhere("the journal", &serde_json::to_string(&row).unwrap());
    }
    let page = bench.telemetry.metrics().page(&Gauges::default()).unwrap();
    assert!(page.contains("hundesteuer"));
    nowhere("the metrics", &page);
    // What can be read with the key is there; what lies on the disk cannot be read without.
    assert_eq!(bench.spy.document(fine.id).await.unwrap(), application(1));
    let record = bench.record(fine.id).await;
    assert_eq!(record.attachments[0].attachment.name, "ausweis-von-Erika-Beispiel.pdf");
    let key = bench.spy.store.vault().unwrap_key(fine.id, record.key.as_ref().unwrap()).unwrap();
    let mut clear = Vec::new();
    let mut pieces = bench.spy.store.open(&record.attachments[0].blob, &key).await.unwrap();
    while let Some(piece) = pieces.next().await {
        clear.extend_from_slice(&piece.unwrap());
    }
    assert_eq!(clear, text.as_bytes());
    let files = read_all(&bench.dir.path().join("store"));
    assert!(files.len() >= 2, "database and attachment");
    for (name, bytes) in files {
        nowhere(&name, &String::from_utf8_lossy(&bytes));
    }
    bench.finish().await;
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("message.rejected") || log.contains(&fine.id.to_string()), "nothing was logged");
    for line in log.lines() {
        nowhere("the log", line);
    }
}

fn nowhere(place: &str, text: &str) {
    for word in PERSONAL {
        assert!(!text.contains(word), "{word:?} in {place}: {}", text.chars().take(400).collect::<String>());
    }
}

fn read_all(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(read_all(&path));
        } else {
            found.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
    found
}
