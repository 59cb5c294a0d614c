//! Recognition, building, checking and comparing releases, and that the order of files changes no decision.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

mod support;

use dds_depot::{Release, diff};
use dds_message::{Code, Severity};
use proptest::prelude::*;
use serde_json::json;
use support::{CITY, DAY, DISTRICT, Depot, SEAT, VILLAGE, message, recognise};

fn with_versions() -> Release {
    let mut depot = Depot::new();
    let ns = json!({ "x": "urn:wohngeld" });
    depot.rule("wohngeld", "1.0", json!({ "namespaces": ns, "valid_until": "2026-11-30" }));
    depot.rule("wohngeld", "2.0", json!({ "namespaces": ns, "valid_from": "2026-12-01" }));
    depot.build()
}

#[test]
fn versions_follow_each_other_by_the_day() {
    let release = with_versions();
    let rule = |day| {
        recognise(&release, &message("wohngeld", ""), day).map(|(_, rule)| release.rule_of(rule).name())
    };
    assert_eq!(rule("2026-11-30").unwrap(), "wohngeld@1.0");
    assert_eq!(rule("2026-12-01").unwrap(), "wohngeld@2.0");
    let early = rule("2025-12-31").unwrap_err();
    assert_eq!(early.code, Code::NOT_VALID_TODAY);
    let (facts, _) = recognise(&release, &message("wohngeld", ""), "2026-11-30").unwrap();
    assert!(release.rule_for(&facts, "2026-11-30").is_ok());
    let late = release.rule_for(&facts, "2026-12-02").unwrap_err();
    assert_eq!(late.code, Code::NOT_VALID_TODAY);
    assert!(late.detail.english.contains("valid on that day: wohngeld@2.0 (from 2026-12-01)"), "{late}");
}

#[test]
fn what_is_not_recognised_names_what_would_be() {
    let release = Depot::new().build();
    let refuse = |document: &str| recognise(&release, document, DAY).unwrap_err();
    let near = refuse("<antrag xmlns='urn:hundesteur'/>");
    assert_eq!(near.code, Code::UNKNOWN_TYPE);
    assert!(near.detail.english.contains("{urn:hundesteuer}antrag"), "{near}");
    let bad = refuse(&message("hundesteuer", "<ars>Erika Mustermann</ars>"));
    assert_eq!(bad.code, Code::BAD_KEY);
    assert!(bad.detail.english.contains("/x:antrag/x:ars") && !bad.detail.english.contains("Erika"), "{bad}");
    let german = &bad.detail.german;
    assert!(german.contains("12 oder ein AGS mit 8 Ziffern") && !german.contains("Erika"), "{german}");
    assert_eq!(refuse(&message("hundesteuer", "<ars>99999999</ars>")).code, Code::NO_MUNICIPALITY);
    assert_eq!(refuse(&message("hundesteuer", "<an>Erika Mustermann</an>")).code, Code::BAD_KEY);
    let (facts, _) = recognise(&release, &message("hundesteuer", "<ars>14612000</ars>"), DAY).unwrap();
    assert_eq!(facts.municipality.unwrap().as_str(), CITY);
    assert_eq!(facts.case.unwrap().as_str(), "V-1");
}

#[test]
fn discriminators_tell_messages_of_one_root_apart() {
    let mut depot = Depot::new();
    let ns = json!({ "x": "urn:gemeinsam" });
    for name in ["katze", "pferd"] {
        depot.rule(name, "1.0", json!({ "namespaces": ns }));
        let message = &mut depot.contents.rules.last_mut().unwrap().value.messages[0];
        message.when.insert("/x:antrag/x:tier".to_owned(), name.to_owned());
    }
    let release = depot.build();
    let tier = |name: &str| recognise(&release, &message("gemeinsam", &format!("<tier>{name}</tier>")), DAY);
    assert_eq!(tier("pferd").unwrap().0.procedure.as_str(), "pferd");
    assert_eq!(tier("katze").unwrap().0.procedure.as_str(), "katze");
    let other = tier("hund").unwrap_err();
    assert!(other.detail.english.contains("/x:antrag/x:tier = \"pferd\" (pferd@1.0)"), "{other}");
}

#[test]
fn unknown_references_name_file_line_column_and_what_was_meant() {
    let mut depot = Depot::new();
    depot.profile(
        "falsch",
        json!({ "amt": { "procedures": ["hundesteur"], "fachverfahren": "fv-steuerwek@1.0" } }),
    );
    depot.area(SEAT, "stad", json!({ "delegate": { "hundesteuer": "149999999999" } }));
    let errors = depot.errors();
    let has = |start: &str, part: &str| errors.iter().any(|it| it.starts_with(start) && it.contains(part));
    assert!(has("config/profiles/falsch.toml:4:8: DDS-C002", "Did you mean \"hundesteuer\"?"), "{errors:#?}");
    assert!(
        has("config/profiles/falsch.toml:6:23: DDS-C002", "Did you mean \"fv-steuerwerk@1.0\"?"),
        "{errors:#?}"
    );
    assert!(has("config/municipalities/145215103120.toml:", "Did you mean \"stadt\"?"), "{errors:#?}");
    assert!(has("config/municipalities/145215103120.toml:2:28: DDS-C002", "149999999999"), "{errors:#?}");
    assert_eq!(errors.len(), 4, "{errors:#?}");
}

#[test]
fn broken_rules_and_circles_are_refused() {
    let mut depot = Depot::new();
    depot.contents.rules[0].value.messages[0].keys.case = Some("/x:antrag/y:fall".to_owned());
    depot.contents.rules[1].value.messages[0].canonical = "xslt/to-vorgan.xsl".to_owned();
    let errors = depot.errors();
    assert!(errors.iter().any(|it| it.contains("DDS-C003") && it.contains("prefix \"y\"")), "{errors:#?}");
    assert!(errors.iter().any(|it| it.contains("Did you mean \"xslt/to-vorgang.xsl\"?")), "{errors:#?}");
    let mut depot = Depot::new();
    depot.area(SEAT, "stadt", json!({ "delegate": { "hundesteuer": VILLAGE } }));
    let errors = depot.errors();
    assert!(errors.iter().all(|it| it.contains("runs in a circle")) && errors.len() == 2, "{errors:#?}");
    let mut depot = Depot::new();
    depot.rule("hundesteuer", "1.0", json!({}));
    assert!(depot.errors().iter().any(|it| it.contains("already defined in")));
}

#[test]
fn the_check_finds_overlap_gap_unused_and_untested() {
    let mut depot = Depot::new();
    depot.rule("hundesteuer", "1.1", json!({ "valid_until": "2026-12-31" }));
    depot.product("fv-unbenutzt", "rest", "fachverfahren");
    depot.files.retain(|path, _| !path.starts_with("rules/bauantrag/1.0/cases"));
    let findings = depot.build().check(DAY);
    let find = |code: Code, part: &str| {
        let found = findings.iter().find(|it| it.code == code && it.to_string().contains(part));
        found.unwrap_or_else(|| panic!("{code} {part} in {findings:#?}")).severity
    };
    assert_eq!(find(Code::RULE_OVERLAP, "hundesteuer@1.1"), Severity::Error);
    assert_eq!(find(Code::RULE_OVERLAP, "hundesteuer@1.0"), Severity::Error);
    assert_eq!(find(Code::COVERAGE_GAP, "bauantrag in Muster 146120000000"), Severity::Warning);
    assert_eq!(find(Code::CONFIG_REFERENCE, "no office uses fv-unbenutzt@1.0"), Severity::Info);
    assert_eq!(find(Code::CASE_FAILED, "rules/bauantrag/1.0/rule.toml"), Severity::Error);
    assert!(with_versions().check(DAY).iter().all(|it| it.code != Code::RULE_OVERLAP));
}

/// What the check says of `severity` about a file that has nothing to do with packages and gaps.
fn values(depot: Depot, severity: Severity) -> Vec<String> {
    let findings = depot.build().check(DAY);
    let of_values = |it: &&dds_depot::CheckFinding| {
        it.severity == severity && matches!(it.code, Code::CONFIG_SYNTAX | Code::CONFIG_REFERENCE)
    };
    findings.iter().filter(of_values).map(ToString::to_string).collect()
}

#[test]
fn what_a_source_may_do_must_exist() {
    let mut depot = Depot::new();
    let token = "0".repeat(64);
    let text = "id = \"falsch\"\nprocedures = [\"hundesteur\", \"bau*\", \"wohn*\"]\n\
                municipalities = [\"x*\", \"14612\", \"146*\", \"099999999999\"]\n\
                mailboxes = [\"146120000000/nix\", \"146120000000/*\", \"146120000000/steueramt/fv-steuerwerk\"]\n\
                answers = { kind = \"callback\", url = \"quatsch\" }\n[limits]\ndocument_bytes = 0\n";
    let value = json!({ "tokens": [token], "procedures": ["hundesteur", "bau*", "wohn*"],
        "municipalities": ["x*", "14612", "146*", "099999999999"],
        "mailboxes": ["146120000000/nix", "146120000000/*", "146120000000/steueramt/fv-steuerwerk"],
        "answers": { "kind": "callback", "url": "quatsch" }, "limits": { "document_bytes": 0 } });
    depot.source("falsch", text, value.clone());
    let errors = values(depot, Severity::Error);
    let file = "config/sources/falsch.toml";
    let expected = [
        ("2:15: DDS-C002", "Did you mean \"hundesteuer\"?"),
        ("2:37: DDS-C002", "\"wohn*\" matches no procedure"),
        ("3:19: DDS-C001", "\"x*\" is neither an ARS"),
        ("3:25: DDS-C001", "\"14612\" is neither an ARS"),
        ("4:14: DDS-C002", "\"146120000000/nix\" matches no mailbox"),
        ("4:52: DDS-C002", "fv-steuerwerk\" matches no mailbox"),
        ("5:38: DDS-C001", "\"quatsch\" is no address"),
        ("7:1: DDS-C001", "document_bytes = 0 would allow nothing"),
    ];
    for (place, part) in expected {
        let found = errors.iter().any(|it| it.starts_with(&format!("{file}:{place}")) && it.contains(part));
        assert!(found, "{place} {part}: {errors:#?}");
    }
    assert_eq!(errors.len(), expected.len(), "{errors:#?}");
    let mut depot = Depot::new();
    depot.source("offen", "", json!({ "answers": { "kind": "callback", "url": "http://portal.example/r" } }));
    depot.source("folder", "", json!({ "folder": "eingang" }));
    depot.source("falsch", "", json!({ "tokens": [token], "municipalities": ["099999999999"] }));
    let warnings = values(depot, Severity::Warning).join("\n");
    assert!(
        warnings.contains("source offen has neither token nor certificate nor drop folder"),
        "{warnings}"
    );
    assert!(warnings.contains("\"http://portal.example/r\" is not encrypted"), "{warnings}");
    assert!(warnings.contains("\"099999999999\" matches no connected municipality"), "{warnings}");
    assert!(!warnings.contains("source folder"), "{warnings}");
}

#[test]
fn addresses_and_limits_of_a_municipality_must_be_possible() {
    let file = format!("config/municipalities/{SEAT}.toml");
    let says = |extra: serde_json::Value, severity: Severity| {
        let mut depot = Depot::new();
        depot.area(SEAT, "stadt", extra);
        values(depot, severity)
    };
    for (extra, part) in [
        (json!({ "endpoint": "quatsch" }), "\"quatsch\" is no address"),
        (json!({ "endpoint": "ftp://x.example/" }), "\"ftp://x.example/\" is no address"),
        (json!({ "mail": "" }), "\"\" is no mail address"),
        (json!({ "mail": "post stelle@x.example" }), "is no mail address"),
        (
            json!({ "office": { "steueramt": { "policy": { "parallel": 0 } } } }),
            "parallel = 0 would allow nothing",
        ),
        (json!({ "office": { "steueramt": { "endpoint": "/weg" } } }), "\"/weg\" is no address"),
        (json!({ "office": { "steueramt": { "mail_address": "@x" } } }), "\"@x\" is no mail address"),
    ] {
        let errors = says(extra.clone(), Severity::Error);
        assert!(
            errors.len() == 1 && errors[0].starts_with(&file) && errors[0].contains(part),
            "{extra} {errors:#?}"
        );
    }
    let open = says(json!({ "endpoint": "http://x.example/" }), Severity::Warning);
    assert!(open.iter().any(|it| it.contains("is not encrypted")), "{open:#?}");
    for own in ["http://127.0.0.1:9/", "http://[::1]:9", "http://localhost:9/x", "https://x.example"] {
        for severity in [Severity::Error, Severity::Warning] {
            assert_eq!(says(json!({ "endpoint": own }), severity), [""; 0], "{own}");
        }
    }
}

#[test]
fn a_drop_folder_lies_in_the_inbox_and_belongs_to_one_source() {
    let errors = |folders: &[&str]| {
        let mut depot = Depot::new();
        for (number, folder) in folders.iter().enumerate() {
            let text = format!("id = \"s{number}\"\nfolder = \"{folder}\"\n");
            depot.source(&format!("s{number}"), &text, json!({ "folder": folder }));
        }
        depot.errors()
    };
    assert_eq!(errors(&["a", "ab", "b/c", "b/d/"]), [""; 0]);
    for outside in ["../../x", "/srv/x", "", ".", "a/../b", "a//b"] {
        let errors = errors(&[outside]);
        assert!(
            errors.len() == 1 && errors[0].contains("is not below [folders] inbox"),
            "{outside} {errors:#?}"
        );
        assert!(errors[0].starts_with("config/sources/s0.toml:2:10: DDS-C002"), "{errors:#?}");
    }
    for twice in [["a", "a/"], ["a", "a/b"], ["a/in", "a"]] {
        let errors = errors(&twice);
        let part = "belongs to the source of config/sources/s0.toml already";
        assert!(errors.len() == 1 && errors[0].contains(part), "{twice:?} {errors:#?}");
    }
}

#[test]
fn the_id_covers_every_byte_and_a_release_reopens() {
    let release = Depot::new().build();
    assert_eq!(release.id(), Depot::new().build().id());
    let mut other = Depot::new();
    other.file("rules/hundesteuer/1.0/xslt/to-vorgang.xsl", "<y/>");
    assert_ne!(release.id(), other.build().id());
    let reopened = Release::open(release.files().clone()).unwrap();
    assert_eq!((reopened.id(), reopened.contents()), (release.id(), release.contents()));
    let mut files = release.files().clone();
    files.insert(dds_depot::COMPILED.to_owned(), b"{}".as_slice().into());
    assert_eq!(Release::open(files).unwrap_err()[0].code, Code::RELEASE_DAMAGED);
}

#[test]
fn the_difference_names_rules_targets_and_routes() {
    let old = Depot::new().build();
    let mut depot = Depot::new();
    depot.file("rules/bauantrag/1.0/xslt/to-vorgang.xsl", "<y/>");
    depot.rule("katze", "1.0", json!({}));
    depot.area(
        CITY,
        "stadt",
        json!({ "delegate": { "hundesteuer": SEAT }, "endpoint": "https://neu.example" }),
    );
    let new = depot.build();
    let difference = diff(&old, &new, DAY);
    assert_eq!(
        (difference.rules.added, difference.rules.changed),
        (vec!["katze@1.0".to_owned()], vec!["bauantrag@1.0".to_owned()])
    );
    assert_eq!(difference.municipalities.changed, [CITY]);
    assert!(difference.targets.changed.contains(&format!("{CITY}/planung/fv-ordnungsamt")));
    let route = difference.routes.iter().find(|it| it.procedure.as_str() == "hundesteuer").unwrap();
    assert!(route.before.as_ref().unwrap().starts_with(&format!("sn:{CITY}-steueramt")));
    assert!(route.after.as_ref().unwrap().starts_with(&format!("sn:{SEAT}-steueramt")));
    assert!(diff(&old, &old, DAY).routes.is_empty() && diff(&old, &old, DAY).targets.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The order in which files are read changes neither the id nor any decision.
    #[test]
    fn order_changes_nothing(
        rules in Just((0..6usize).collect::<Vec<_>>()).prop_shuffle(),
        areas in Just((0..4usize).collect::<Vec<_>>()).prop_shuffle(),
        ars in prop::sample::select(vec![CITY, VILLAGE, SEAT, DISTRICT]),
        procedure in prop::sample::select(vec!["hundesteuer", "bauantrag", "beteiligung", "wohngeld"]),
    ) {
        let depot = || {
            let mut depot = Depot::new();
            // Overlapping on purpose: even then the choice must not depend on the order.
            for version in ["1.9", "1.10", "1.2"] {
                depot.rule("wohngeld", version, json!({}));
            }
            depot
        };
        let straight = depot().build();
        let mut shuffled = depot();
        let (all_rules, all_areas) = (shuffled.contents.rules.clone(), shuffled.contents.municipalities.clone());
        shuffled.contents.rules = rules.iter().map(|place| all_rules[*place].clone()).collect();
        shuffled.contents.municipalities = areas.iter().map(|place| all_areas[*place].clone()).collect();
        let shuffled = shuffled.build();
        prop_assert_eq!(straight.id(), shuffled.id());
        let decide = |release: &Release| {
            let (facts, rule) = recognise(release, &message(procedure, &format!("<ars>{ars}</ars>")), DAY).unwrap();
            (release.rule_of(rule).name(), release.decide(&facts, rule, &[], DAY))
        };
        let (name, decision) = decide(&straight);
        prop_assert_eq!((name.clone(), decision), decide(&shuffled));
        prop_assert!(procedure != "wohngeld" || name == "wohngeld@1.10");
    }
}

#[test]
fn a_location_tells_only_names_that_a_schema_declares() {
    let mut depot = Depot::new();
    let schema = r#"<xs:element name="anmeldung"/><xs:element minOccurs="0" name='hund'/><xs:attribute name="art"/><x typename="Erika"/>"#;
    depot.file("rules/hundesteuer/1.0/schema/hund.xsd", schema);
    depot.file("rules/hundesteuer/1.0/notes.txt", "<xs:element name=\"Erika\"/>");
    let release = depot.build();
    for (location, told) in [
        ("", ""),
        ("/anmeldung", "/anmeldung"),
        ("/anmeldung/hund[2]/@art", "/anmeldung/hund[2]/@art"),
        ("/anmeldung/Erika[1]", "/anmeldung/?"),
        ("/anmeldung/Erika[1]/hund[1]", "/anmeldung/?"),
        ("/anmeldung/hund[Erika]", "/anmeldung/?"),
        ("/Erika", "/?"),
        ("Erika", "?"),
    ] {
        assert_eq!(release.known_location(location), told, "{location}");
    }
}
