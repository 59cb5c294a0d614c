//! The public samples of XGewerbeanzeige (KoSIT), as an authority that follows the standard would send them: what the
//! package recognises, what the Vorgang says, what is refused and why, and that no refusal tells who wrote what.
//!
//! They are not copied into the repository; without them the cases of the package cover the same ground with data of
//! our own. Schema and Schematron of the standard are not public: ours judge.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{collections::BTreeSet, fs, path::PathBuf};

use bytes::Bytes;
use dds_config::{SourcePaths, read_release};
use dds_depot::CANONICAL_SCHEMA;
use dds_message::Format;
use dds_worker::{Job, Pool, PoolOptions};
use dds_xml::Limits;
use roxmltree::{Document, Node};
use serde_json::{Value, json};
use support::{
    PROGRAM,
    stage::{Router, Stage},
};

const VORGANG: &str = "urn:datendrehscheibe:vorgang:1";
/// The samples come from this city (AGS 12052000).
const COTTBUS: &str = "120520000000";

/// Folder of the samples, or `None` with a word about it.
fn samples() -> Option<PathBuf> {
    let folder = support::schemas().map(|standards| standards.join("xgewerbeanzeige/beispiele"));
    let folder = folder.filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("NOT TESTED: no samples of XGewerbeanzeige; set DDS_SHARED");
    }
    folder
}

/// A stage on which the city of the samples takes part.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    let office = "title = \"Stadt mit Gewerbeamt\"\n[office.gewerbeamt]\nname = \"Gewerbeamt\"\n\
                  procedures = [\"gewerbeanzeige\"]\nfachverfahren = \"fv-steuerwerk@3.2\"\n";
    fs::write(stage.path("config/profiles/gewerbe.toml"), office).unwrap();
    let dresden = fs::read_dir(stage.path("config/municipalities")).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&dresden).unwrap();
    let text = text.replace(support::stage::CITY, COTTBUS).replace("Dresden, Stadt", "Beispielort");
    let text = text.replace("profile = \"stadt\"", "profile = \"gewerbe\"");
    fs::write(stage.path(&format!("config/municipalities/{COTTBUS}-beispielort.toml")), text).unwrap();
    stage
}

/// Texts of a document by which somebody could be known: all names, and of the rest what is no short code.
fn telling(document: &Document<'_>) -> BTreeSet<String> {
    let leaves = document.descendants().filter(|node| is_leaf(*node));
    let texts = leaves.filter_map(|leaf| leaf.text().map(|text| (leaf, text.trim())));
    let telling = texts.filter(|(leaf, text)| is_name(*leaf) || text.chars().count() > 4);
    telling.map(|(_, text)| text.to_owned()).collect()
}

/// `familienname`, `eingetragenerName` and so on; in DatML the `wert` of a feature that is called so.
fn is_name(leaf: Node<'_, '_>) -> bool {
    let feature = leaf.parent().and_then(|parent| parent.attribute("name")).filter(|_| local(leaf) == "wert");
    feature.unwrap_or(local(leaf)).to_lowercase().ends_with("name")
}

#[track_caller]
fn tells_nothing(said: &str, telling: &BTreeSet<String>) {
    // The key of the municipality is no secret, and stands in its ARS.
    for text in telling.iter().filter(|text| !COTTBUS.starts_with(text.as_str())) {
        assert!(!said.contains(text.as_str()), "{text:?} in {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sample_comes_to_what_it_should() {
    let Some(samples) = samples() else { return };
    let stage = stage().await;
    let router = Router::start(&stage).await;
    let entries = fs::read_dir(&samples).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    // The invalid one before the valid one: both bear the same id, as a message and its correction may.
    paths.sort();
    assert_eq!(paths.len(), 9, "{paths:?}");
    let mut telling_of_all = BTreeSet::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let telling = telling(&Document::parse(&text).unwrap());
        telling_of_all.extend(telling.iter().cloned());
        let answer = stage.post(&text).await.unwrap();
        let said = String::from_utf8(answer.body.to_vec()).unwrap();
        tells_nothing(&said, &telling);
        let name = path.file_name().unwrap().to_str().unwrap();
        match name {
            "xgwa2.2-valid.xml" => {
                let story = stage.until(answer.json()["id"].as_str().unwrap(), "completed").await;
                tells_nothing(&story.to_string(), &telling);
                let message = &story["message"];
                let facts = ["procedure", "municipality", "authority"].map(|fact| &message[fact]);
                let office = format!("sn:{COTTBUS}-gewerbeamt");
                assert_eq!(facts, ["gewerbeanzeige", COTTBUS, &office], "{message:#}");
                let kind = json!({ "name": "abh.gewerbemeldung.0500", "version": "2.2" });
                assert_eq!(
                    (&message["message_type"], &message["code"]),
                    (&kind, &Value::Null),
                    "{message:#}"
                );
            }
            "xgwa2.2-invalid.xml" => {
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                let story = stage.until(&id, "rejected").await;
                tells_nothing(&story.to_string(), &telling);
                let status = stage.status(&id).await;
                tells_nothing(&status.to_string(), &telling);
                assert_eq!(status["problem"]["code"], "DDS-V002", "{status:#}");
                let findings = status["problem"]["findings"].as_array().unwrap().iter();
                let found: Vec<_> =
                    findings.map(|one| [&one["severity"], &one["rule"], &one["location"]]).collect();
                // The kind of the trade and the family name are missing, and nothing else.
                let trade = "/abh.gewerbemeldung.0500/satz[1]/anmeldung[1]/gewerbe[1]";
                let person = format!("{trade}/beteiligtePerson[1]");
                assert_eq!(found, [["error", "GEW-07", trade], ["error", "GEW-21", &person]], "{status:#}");
            }
            // Older versions, DatML, and what is none of these: nobody has a rule for them.
            other => {
                assert_eq!(
                    (answer.status.as_u16(), &answer.json()["code"]),
                    (422, &"DDS-R001".into()),
                    "{other}"
                );
            }
        }
    }
    assert_eq!(router.terminate().await, Some(0));
    assert!(["Pick", "Hugo", "Rodríguez"].iter().all(|name| telling_of_all.contains(*name)));
    tells_nothing(&stage.ask(&["journal", "export"]).good().out, &telling_of_all);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vorgang_of_the_valid_sample_is_valid_and_says_all_that_it_says() {
    let Some(samples) = samples() else { return };
    let stage = stage().await;
    let paths = SourcePaths { rules: stage.path("rules"), config: stage.path("config"), schemas: None };
    let release = read_release(&paths).unwrap();
    let sample = fs::read(samples.join("xgwa2.2-valid.xml")).unwrap();
    let extracted = dds_xml::extract(&sample, release.key_plan(), &Limits::default()).unwrap();
    let (facts, recognised) = release.recognise(&extracted, "2026-11-22").unwrap();
    assert_eq!(facts.reference.as_deref(), Some("00000000-0000-0000-0000-000000000001"));

    let pool = Pool::start(PoolOptions { program: PROGRAM.into(), ..PoolOptions::default() }).await.unwrap();
    assert_eq!(pool.load(dds_config::bundle(&release)).await.unwrap(), []);
    let checks = release.checks(recognised);
    let job = Job {
        bundle: release.id().0,
        document: Bytes::from(sample.clone()),
        format: Format::Xml,
        schema: checks.schema,
        schematrons: checks.schematrons,
        canonical: Some(checks.canonical),
        // With its schema: a Vorgang that violates it would be no result but an error.
        canonical_schema: Some(CANONICAL_SCHEMA.to_owned()),
        procedure: Some("gewerbeanzeige".to_owned()),
        targets: Vec::new(),
    };
    let result = pool.run(job).await.unwrap();
    assert_eq!(result.findings, []);
    let vorgang = String::from_utf8(result.canonical.unwrap().to_vec()).unwrap();
    let vorgang = Document::parse(&vorgang).unwrap();
    let text = |path: &[&str]| at(vorgang.root_element(), path).and_then(|node| node.text());
    assert_eq!(vorgang.root_element().attribute("art"), Some("anmeldung"));
    for (path, expected) in [
        (&["kopf", "kennung"][..], "0c9003a6-5b4f-4a99-98ae-b2b915708c1d"),
        (&["kopf", "aktenzeichen"], "2015 1023"),
        (&["kopf", "betreff"], "Gewerbe: Anmeldung"),
        (&["beteiligter", "name"], "Pick"),
        (&["beteiligter", "vorname"], "Tibor"),
        (&["beteiligter", "geburtsname"], "Rodríguez"),
        (&["beteiligter", "geburtsdatum"], "1965-10-12"),
        (&["beteiligter", "anschrift", "strasse"], "Ewald-Hase-Str."),
        (&["beteiligter", "telefon"], "0355 141455"),
    ] {
        assert_eq!(text(path), Some(expected), "{path:?}");
    }
    let roles: Vec<_> = vorgang.descendants().filter_map(|node| node.attribute("rolle")).collect();
    assert_eq!(roles, ["antragsteller", "betrieb"]);

    // Whatever the report says of the trade and its people, the Vorgang says too.
    let texts = vorgang.descendants().filter(Node::is_text).filter_map(|node| node.text());
    let said: BTreeSet<_> = texts.map(str::trim).collect();
    let sample = String::from_utf8(sample).unwrap();
    let sample = Document::parse(&sample).unwrap();
    let report = sample.descendants().find(|node| local(*node) == "anmeldung");
    let leaves = report.unwrap().descendants().filter(|node| is_leaf(*node) && !of_the_sender(*node));
    let mut compared = 0;
    for leaf in leaves {
        let value = leaf.text().unwrap().trim();
        let (day, month) = (value.get(..2), value.get(2..4));
        let expected = match (local(leaf), local(leaf.parent().unwrap()), day.zip(month)) {
            ("geburtsdatum", _, Some((day, month))) => format!("{}-{month}-{day}", &value[4..]),
            ("code", "istKorrektur" | "industrie" | "handwerk" | "handel" | "sonstiges", _)
            | ("code", "istReisegewerbe" | "istNebenerwerb", _) => (value == "1").to_string(),
            _ => value.to_owned(),
        };
        assert!(said.contains(expected.as_str()), "{} {value:?} is lost", local(leaf));
        compared += 1;
    }
    assert!(compared > 50, "only {compared} values were compared");
}

/// The first element at a path of the Vorgang.
fn at<'a>(from: Node<'a, 'a>, path: &[&str]) -> Option<Node<'a, 'a>> {
    path.iter().try_fold(from, |node, name| node.children().find(|one| one.has_tag_name((VORGANG, *name))))
}

fn local<'a>(node: Node<'a, '_>) -> &'a str {
    node.tag_name().name()
}

fn is_leaf(node: Node<'_, '_>) -> bool {
    node.is_element()
        && !node.children().any(|child| child.is_element())
        && node.text().is_some_and(|text| !text.trim().is_empty())
}

/// The authority that reports, and when it wrote: the router says who sends (`sendung`).
fn of_the_sender(node: Node<'_, '_>) -> bool {
    node.ancestors().any(|one| ["autor", "satzErstellung"].contains(&local(one)))
}

#[test]
fn a_refusal_that_quotes_somebody_is_seen() {
    let document = "<a><familienname>Pick</familienname><mm name=\"Geburtsname\"><wert>Ude</wert></mm>\
                    <code>0500</code><strasse>Ewald-Hase-Str.</strasse></a>";
    let telling = telling(&Document::parse(document).unwrap());
    assert_eq!(telling, ["Ewald-Hase-Str.", "Pick", "Ude"].map(str::to_owned).into());
    tells_nothing("0500: an element is missing", &telling);
    for said in ["'Ewald-Hase-Str.' is not valid", "'Pick' is no code"] {
        assert!(std::panic::catch_unwind(|| tells_nothing(said, &telling)).is_err());
    }
}
