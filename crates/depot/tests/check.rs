//! What the check of a release says about mistakes that forbid nothing by themselves and lose messages later.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use dds_message::{OutputForm, Severity};
use serde_json::{Value, json};
use support::{CITY, DAY, DISTRICT, Depot, SEAT, VILLAGE};

/// What the check says, `Error` or `Warning` before each line.
fn says(depot: Depot) -> Vec<String> {
    on(depot, DAY)
}

fn on(depot: Depot, day: &str) -> Vec<String> {
    let findings = depot.build().check(day);
    findings
        .iter()
        .filter(|it| it.severity != Severity::Info)
        .map(|it| format!("{:?} {it}", it.severity))
        .collect()
}

#[track_caller]
fn assert_says(said: &[String], begin: &str, part: &str) {
    assert!(said.iter().any(|it| it.starts_with(begin) && it.contains(part)), "{begin} {part}: {said:#?}");
}

/// What is new compared with the depot as it is.
fn new(change: impl FnOnce(&mut Depot)) -> Vec<String> {
    let before = says(Depot::new());
    let mut depot = Depot::new();
    change(&mut depot);
    says(depot).into_iter().filter(|it| !before.contains(it)).collect()
}

#[test]
fn a_release_without_rules_or_municipalities_is_refused() {
    let mut depot = Depot::new();
    depot.contents.municipalities.clear();
    depot.contents.sources.clear();
    let said = says(depot);
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_says(&said, "Error config/municipalities: DDS-C002: the release has no municipality", "mounted");
}

#[test]
fn a_product_that_takes_the_vorgang_as_it_is_takes_xml() {
    let said = new(|depot| {
        let product = &mut depot.contents.products[0].value;
        (product.stylesheet, product.output) = (None, OutputForm::Xml);
    });
    assert_eq!(said, [""; 0]);
    let mut depot = Depot::new();
    let product = &mut depot.contents.products[0].value;
    (product.stylesheet, product.output) = (None, OutputForm::Json);
    depot.file("rules/products/fv-steuerwerk/1.0/product.toml", "adapter = \"rest\"\noutput = \"json\"\n");
    let said = depot.errors();
    assert_eq!(said.len(), 1, "{said:#?}");
    let file = "rules/products/fv-steuerwerk/1.0/product.toml:2:1: DDS-C003";
    assert_says(&said, file, "set output = \"xml\" or name a stylesheet");
}

#[test]
fn two_municipalities_of_one_ags_are_refused() {
    // The village left its association, and the old file stayed.
    let said = new(|depot| depot.area("145210003040", "stadt", json!({})));
    let first = "config/municipalities/145210003040.toml";
    assert_eq!(said.len(), 1, "{said:#?}");
    let begin = format!("Error config/municipalities/{VILLAGE}.toml:1:8: DDS-C002");
    assert_says(&said, &begin, &format!("the same AGS 14521040 as 145210003040 in {first}"));
}

#[test]
fn work_given_to_an_office_that_does_not_do_it_is_a_gap() {
    let file = format!("Warning config/municipalities/{CITY}.toml:2:");
    for (idle, gap) in [(format!("sn:{SEAT}-planung"), "DDS-C002"), (DISTRICT.to_owned(), "DDS-R004")] {
        let said = new(|depot| depot.area(CITY, "stadt", json!({ "delegate": { "hundesteuer": idle } })));
        assert_says(
            &said,
            &file,
            &format!("DDS-C002: the delegation of hundesteuer to {idle} ends at no office"),
        );
        assert_says(&said, "Warning", &format!("hundesteuer in Muster {CITY} ({CITY}): {gap}"));
    }
    let own = format!("sn:{SEAT}-steueramt");
    let said = new(|depot| depot.area(CITY, "stadt", json!({ "delegate": { "hundesteuer": own } })));
    assert!(said.is_empty(), "{said:#?}");
    let said = new(|depot| depot.defaults(json!({ "authority": own, "procedure": { "hundesteuer": own } })));
    assert_says(
        &said,
        "Warning config/defaults.toml",
        &format!("{own} does not handle: bauantrag, beteiligung"),
    );
    assert_says(&said, "Warning", &format!("DDS-C002: {own} gets it and does not handle bauantrag"));
}

#[test]
fn the_same_gap_of_many_is_one_line() {
    let said = new(|depot| depot.rule("katze", "1.0", json!({})));
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_says(
        &said,
        "Warning config/municipalities/145215103040.toml:4:1: DDS-C009: katze in Muster 145215103040 (145215103040) and 2 more of 3 municipalities: ",
        "DDS-R004",
    );
}

#[test]
fn a_gap_is_named_where_it_is_mended() {
    // The seat does the dog tax for the village by delegation, and no longer handles it.
    let said = new(|depot| depot.profile("stadt", json!({ "planung": { "procedures": ["beteiligung"] } })));
    let begin = format!("Warning config/municipalities/{VILLAGE}.toml:2:");
    assert_says(&said, &begin, "DDS-C009: hundesteuer");
}

#[test]
fn what_opens_one_municipality_to_another_is_named() {
    let file = format!("Warning config/municipalities/{CITY}.toml");
    let said = new(|depot| depot.area(CITY, "stadt", json!({ "folder": format!("/srv/{SEAT}/") })));
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_says(
        &said,
        &format!("{file}:3:"),
        &format!("at 1 other municipalities too, first in config/municipalities/{SEAT}.toml"),
    );
    let said = new(|depot| depot.area(CITY, "stadt", json!({ "secret": format!("env:X_{SEAT}") })));
    assert_says(&said, &file, "secret = ");
    let office =
        json!({ "steueramt": { "secret": format!("env:X_{SEAT}"), "folder": format!("/srv/{SEAT}") } });
    let said = new(|depot| depot.area(SEAT, "stadt", json!({ "office": office })));
    assert!(said.is_empty(), "within one municipality: {said:#?}");
}

#[test]
fn cases_that_prove_nothing_are_refused() {
    let case = "rules/hundesteuer/1.0/cases/klein";
    for (change, begin) in [
        (
            ("input.xml", "inputt.xml"),
            "Error rules/hundesteuer/1.0/cases/klein: DDS-C005: case klein has no input",
        ),
        (
            ("input.xml", "inputt.xml"),
            "Error rules/hundesteuer/1.0/cases/klein: DDS-C005: nothing reads the file inputt.xml",
        ),
        (
            ("expected.xml", ""),
            "Error rules/hundesteuer/1.0/cases/klein: DDS-C005: case klein has no expectation",
        ),
        (
            ("", "expected.findings"),
            "Error rules/hundesteuer/1.0/cases/klein: DDS-C005: case klein has more than one expectation",
        ),
        (
            ("", "input.json"),
            "Error rules/hundesteuer/1.0/cases/klein: DDS-C005: case klein has more than one input",
        ),
    ] {
        let said = new(|depot| {
            let bytes = depot.files.remove(&format!("{case}/{}", change.0));
            if !change.1.is_empty() {
                depot.files.insert(
                    format!("{case}/{}", change.1),
                    bytes.unwrap_or_else(|| b"<x/>".as_slice().into()),
                );
            }
        });
        assert_says(&said, begin, "");
    }
    let said = new(|depot| depot.files.retain(|path, _| !path.contains("fv-steuerwerk/1.0/cases")));
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_says(
        &said,
        "Error rules/products/fv-steuerwerk/1.0/product.toml: DDS-C005",
        "the package has no case",
    );
    assert!(new(|depot| depot.file(&format!("{case}/README.md"), "x")).is_empty());
}

#[test]
fn values_of_packages_that_nobody_means_are_refused() {
    let rule = |change: Value| {
        new(move |depot| {
            let mut value = serde_json::to_value(&depot.contents.rules[0].value).unwrap();
            let file = depot.contents.rules[0].file.clone();
            for (key, inner) in change.as_object().unwrap() {
                match key.as_str() {
                    "message" => value["message"][0]["name"] = inner.clone(),
                    _ => value[key] = inner.clone(),
                }
                let line = format!("{key} = {inner}\n");
                depot.files.insert(file.clone(), line.as_bytes().into());
            }
            depot.contents.rules[0].value = serde_json::from_value(value).unwrap();
        })
    };
    let file = "Error rules/hundesteuer/1.0/rule.toml";
    for (change, part) in [
        (json!({ "deadline": "0h" }), ":1:1: DDS-C003: deadline is not between 1m and 366d"),
        (json!({ "deadline": "99999d" }), ":1:1: DDS-C003: deadline is not between"),
        (json!({ "message": "" }), ":1:1: DDS-C003: name = \"\" is not 1 to 100 of"),
        (json!({ "version": "1.0 beta" }), ":1:1: DDS-C003: version = \"1.0 beta\" is not 1 to 100 of"),
        (json!({ "version": "1.1" }), ": DDS-C003: the package belongs into rules/hundesteuer/1.1"),
        (
            json!({ "valid_until": "2025-12-31" }),
            ":1:1: DDS-C003: the rule ends on 2025-12-31, before it begins",
        ),
    ] {
        assert_says(&rule(change), file, part);
    }
    let product = |key: &str, text: &str| {
        new(|depot| {
            let product = &mut depot.contents.products[0].value;
            match key {
                "path" => product.options.path = Some(text.to_owned()),
                "file_name" => text.clone_into(&mut product.file_name),
                _ => text.clone_into(&mut product.media_type),
            }
        })
    };
    let file = "Error rules/products/fv-steuerwerk/1.0/product.toml";
    for (key, text, part) in [
        ("path", "api/../../x?y=1#z", "DDS-C003: path \"api/../../x?y=1#z\" leaves the address"),
        ("file_name", "../../evil.xml", "DDS-C003: \"../../evil.xml\" is no file name"),
        ("media_type", "quatsch\r\nX-Evil: y", "is no media type"),
    ] {
        let said = product(key, text);
        assert!(said.len() == 1, "{said:#?}");
        assert_says(&said, file, part);
    }
}

#[test]
fn keys_that_contradict_each_other_are_refused() {
    let said = new(|depot| {
        let rule = &mut depot.contents.rules[0].value;
        (rule.order, rule.fan_out) = (dds_depot::Order::Case, true);
        rule.messages[0].keys.case = None;
        rule.messages[0].keys.participants = None;
    });
    assert_eq!(said.len(), 2, "{said:#?}");
    assert_says(&said, "Error rules/hundesteuer/1.0/rule.toml", "order = \"case\" orders nothing");
    assert_says(&said, "Error rules/hundesteuer/1.0/rule.toml", "fan_out = true distributes nothing");
    let said = new(|depot| {
        depot.contents.rules[2].value.messages[0].keys.participants = None;
        let always = json!({ "beteiligung": [format!("sn:{SEAT}-planung")] });
        depot.area(CITY, "stadt", json!({ "participants": always }));
    });
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn windows_that_leave_days_open_are_named() {
    let windows = |windows: &[(&str, Option<&str>)], day: &str| {
        let mut depot = Depot::new();
        for (number, (first, last)) in windows.iter().enumerate() {
            depot.rule("katze", &format!("1.{number}"), json!({ "valid_from": first, "valid_until": last }));
        }
        let said = on(depot, day);
        let katze = said
            .into_iter()
            .filter(|it| it.contains("katze") && !it.contains("DDS-R004") && !it.contains("DDS-C004"));
        katze.collect::<Vec<_>>()
    };
    let followed = [("2026-01-01", Some("2026-11-30")), ("2026-12-01", None)];
    assert_eq!(windows(&followed, DAY), [""; 0]);
    assert_eq!(windows(&[("2026-01-01", Some("2027-12-31"))], DAY), [""; 0]);
    let hole = windows(&[("2026-01-01", Some("2026-11-30")), ("2026-12-03", None)], DAY);
    assert_says(
        &hole,
        "Warning rules/katze/1.1/rule.toml",
        "DDS-C009: no rule of katze is valid after 2026-11-30 and before 2026-12-03",
    );
    // An old version with an open end covers the hole.
    assert_eq!(
        windows(&[("2026-01-01", None), ("2026-02-01", Some("2026-11-30")), ("2026-12-03", None)], DAY),
        [""; 0]
    );
    let ends = windows(&[("2026-01-01", Some("2026-11-23"))], DAY);
    assert_says(
        &ends,
        "Warning rules/katze/1.0/rule.toml",
        "katze ends on 2026-11-23, in 1 days, without a successor, act now",
    );
    for (first, last, day) in [
        ("2026-01-01", Some("2026-11-21"), DAY),
        ("2026-11-23", None, DAY),
        ("2026-01-01", Some("2026-02-01"), "2027-01-01"),
    ] {
        let none = windows(&[(first, last)], day);
        assert_eq!(none.len(), 1, "{none:#?}");
        assert_says(&none, "Warning rules/katze/1.0/rule.toml:3:1: DDS-C009: katze in Muster", "DDS-R002");
    }
}

#[test]
fn a_key_that_no_case_yields_is_named() {
    let with = |case: &'static str| {
        new(move |depot| {
            depot.file("rules/hundesteuer/1.0/cases/klein/input.xml", case);
            depot.file(
                "rules/hundesteuer/1.0/rule.toml",
                "name = \"hundesteuer.antrag\"\nmunicipality = \"/x:antrag/x:ars\"\n",
            );
        })
    };
    let all = "<antrag xmlns='urn:hundesteuer' vorgang='V'><ars>1</ars><an>a</an><beteiligter>b</beteiligter></antrag>";
    assert_eq!(with(all), [""; 0]);
    let said = with("<antrag xmlns='urn:hundesteuer' vorgang='V'><beteiligter>b</beteiligter></antrag>");
    assert_eq!(said.len(), 2, "{said:#?}");
    let file = "rules/hundesteuer/1.0/rule.toml";
    let text = "DDS-C005: no case of hundesteuer.antrag contains";
    assert_says(&said, &format!("Error {file}:2:16: {text} municipality at /x:antrag/x:ars"), "");
    assert_says(&said, &format!("Warning {file}:1:8: {text} addressee"), "");
}

#[test]
fn an_area_that_lies_in_no_land_is_refused() {
    for wrong in ["996120000000", "006120000000", "176120000000"] {
        let said = new(|depot| depot.area(wrong, "stadt", json!({})));
        let begin =
            format!("Error config/municipalities/{wrong}.toml:1:8: DDS-C002: {wrong} lies in no Land");
        assert_says(&said, &begin, &wrong[..2]);
    }
    let said = new(|depot| depot.area("166120000000", "stadt", json!({})));
    assert!(!said.iter().any(|it| it.contains("Land")), "{said:#?}");
}

#[test]
fn a_pushed_target_without_the_secret_its_product_shows_is_told() {
    let lacks = |depot: &mut Depot| depot.area("146270000000", "stadt", json!({ "secret": null }));
    let said = new(lacks);
    let target = "target 146270000000/steueramt/fv-steuerwerk needs \"secret\"";
    assert_says(&said, "Warning config/municipalities/146270000000.toml", target);
    let said = new(|depot| {
        lacks(depot);
        for product in &mut depot.contents.products {
            product.value.options.authentication = Some(dds_depot::Authentication::None);
        }
    });
    assert!(!said.iter().any(|it| it.contains(target)), "{said:#?}");
}

#[test]
fn addresses_that_stand_at_two_municipalities_are_noted() {
    let notes = |change: Value| {
        let mut depot = Depot::new();
        depot.area(CITY, "stadt", change);
        let findings = depot.build().check(DAY);
        let notes = findings.into_iter().filter(|it| it.severity == Severity::Info);
        notes.map(|it| it.to_string()).filter(|it| it.contains("too, first in")).collect::<Vec<_>>()
    };
    let endpoint = format!("https://x.example/{SEAT}");
    let mail = format!("a-{SEAT}@x.example");
    assert_eq!(notes(json!({})), Vec::<String>::new());
    assert_says(&notes(json!({ "endpoint": &endpoint })), "config/municipalities/", "endpoint = ");
    assert_says(&notes(json!({ "mail": mail.to_uppercase() })), "config/municipalities/", "mail = ");
}

#[test]
fn a_token_published_with_the_examples_is_found_with_its_line() {
    let mut depot = Depot::new();
    assert_eq!(Depot::new().build().public_tokens(), []);
    let digest = dds_message::Digest::of(b"demo-fachverfahren-sim");
    depot.contents.sources[0].value.tokens = vec![digest];
    let file = depot.contents.sources[0].file.clone();
    depot.file(&file, &format!("id = \"amt24\"\ntokens = [\"{digest}\"]\n"));
    let found = depot.build().public_tokens();
    let said: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 1, "{said:#?}");
    assert_says(&said, "config/sources/amt24.toml:2:12: DDS-C018: source amt24", "demo-fachverfahren-sim");
}
