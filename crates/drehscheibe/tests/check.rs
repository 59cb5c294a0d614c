//! `drehscheibe check` on broken packages: every mistake is named with file, line, column, remedy and code, in the
//! language of whoever reads it.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::fs;

use support::{Copy, Said, copy, edit, place_of, run};

const RULE: &str = "rules/hundesteuer/1.0/rule.toml";
const STYLESHEET: &str = "rules/hundesteuer/1.0/xslt/to-vorgang.xsl";

/// The line that names the mistake: `file:line:column: code: text — remedy`.
#[track_caller]
fn assert_named(said: &Said, file: &str, place: (usize, usize), code: &str, words: &[&str]) {
    let begin = format!("{file}:{}:{}: {code}: ", place.0, place.1);
    let all = format!("{}{}", said.out, said.err);
    let line = all.lines().map(str::trim_start).find(|line| line.starts_with(&begin));
    let line = line.unwrap_or_else(|| panic!("nothing begins with {begin:?}:\n{all}"));
    let (text, remedy) = line.split_once(" — ").unwrap_or_else(|| panic!("no remedy: {line}"));
    assert!(text.len() > begin.len() && !remedy.is_empty(), "{line}");
    for word in words {
        assert!(line.contains(word), "{word:?} is missing: {line}");
    }
}

#[test]
fn the_repository_itself_is_sound() {
    let said = Copy::new().check(&["--language", "en"]).good();
    assert!(said.out.contains(" 0 errors"), "{}", said.out);
}

#[test]
fn toml_that_does_not_parse() {
    let broken = Copy::new();
    edit(&broken.file(RULE), "level = \"municipality\"", "level = municipality");
    let place = place_of(&broken.file(RULE), "municipality");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, RULE, place, "DDS-C003", &["Correct the file"]);
    assert!(said.err.starts_with("DDS-C003 Rule package malformed\n"), "{}", said.err);
    assert!(said.err.contains("Who acts: rule author"), "{}", said.err);
    assert!(said.err.contains("docs/codes/DDS-C003.md"), "{}", said.err);
}

#[test]
fn a_key_that_does_not_exist() {
    let broken = Copy::new();
    edit(&broken.file(RULE), "fan_out = false", "fan_uot = false");
    let place = place_of(&broken.file(RULE), "fan_uot");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, RULE, place, "DDS-C003", &["fan_uot", "fan_out"]);
}

/// Also what only `serve` uses.
#[test]
fn a_responder_that_has_no_address() {
    let broken = Copy::new();
    let file = "config/drehscheibe.toml";
    let text = "node = \"node-1\"\n[osci]\n[[osci.trust.ocsp]]\nurl = \"ocsp.stelle.example\"\n";
    fs::write(broken.file(file), text).unwrap();
    let place = place_of(&broken.file(file), "\"ocsp.stelle.example");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, file, place, "DDS-C001", &["ocsp.stelle.example", "http://host/path"]);
}

/// Values with which the router would start and do nothing, and a master key that is not there.
#[test]
fn a_process_that_could_not_work() {
    let broken = Copy::new();
    let file = "config/drehscheibe.toml";
    fs::write(broken.file(file), "[delivery]\nparallel = 0\n").unwrap();
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, file, (2, 12), "DDS-C001", &["delivery.parallel", "At least 1; the default is 64."]);
    fs::write(broken.file(file), "master_key = \"file:fehlt.key\"\n").unwrap();
    let said = broken.check(&["--language", "de"]).bad();
    assert_named(&said, file, (1, 14), "DDS-S004", &["master_key", "fehlt.key"]);
}

/// A program that asked for JSON reads JSON, also when it asked wrongly.
#[test]
fn wrong_arguments_are_told_as_json_too() {
    for (arguments, words) in [
        (&["check", "--nix", "--json"][..], "--nix"),
        (&["--json", "explain"], "<ID>"),
        (&["--json"], "command"),
        (&["--json", "jornal"], "jornal"),
    ] {
        let said = run(arguments.iter().copied().chain(["--language", "en"]));
        assert_eq!(said.code, Some(2), "{said:?}");
        let error: serde_json::Value = serde_json::from_str(&said.err).unwrap_or_else(|_| panic!("{said:?}"));
        assert_eq!((&error["error"], &error["actor"]), (&"DDS-C013".into(), &"operator".into()), "{error}");
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.contains(words) && !detail.contains("Usage"), "{error}");
    }
    let german = run(["--json", "--language", "de", "check", "--nix"]);
    assert!(german.err.contains("--nix ist hier nicht vorgesehen."), "{german:?}");
    assert!(run(["--json", "--help"]).good().out.contains("--language"));
}

#[test]
fn options_of_a_product_that_mean_nothing() {
    let product = "rules/products/fv-bauakte/2.1/product.toml";
    let broken = Copy::new();
    edit(&broken.file(product), "soap_version = \"1.1\"", "soap_version = \"1.3\"");
    let (line, _) = place_of(&broken.file(product), "soap_version");
    let said = broken.check(&["--language", "en"]).bad();
    assert!(said.err.contains(&format!("{product}:{line}:")) && said.err.contains("1.3"), "{}", said.err);
    let broken = Copy::new();
    edit(&broken.file(product), "attachments = \"base64\"", "attachments = \"files\"");
    let place = place_of(&broken.file(product), "attachments");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, product, place, "DDS-C003", &["adapter = \"soap\" cannot send attachments that way"]);
}

/// What the router would refuse for its limits is refused here too.
#[test]
fn limits_of_the_process_beside_the_sources_count() {
    let narrow = Copy::new();
    let text = "node = \"node-1\"\n[worker]\noutput_bytes = 1024\n";
    fs::write(narrow.file("config/drehscheibe.toml"), text).unwrap();
    let said = narrow.check(&["--cases", "--language", "en"]).bad();
    assert!(format!("{}{}", said.out, said.err).contains("DDS-T002"), "{}", said.out);
}

#[test]
fn a_product_that_does_not_exist() {
    let broken = Copy::new();
    let profile = "config/profiles/stadt-a.toml";
    edit(&broken.file(profile), "fv-steuerwerk@3.2", "fv-steuerwrek@3.2");
    let (line, _) = place_of(&broken.file(profile), "fv-steuerwrek@3.2");
    let (_, column) = place_of(&broken.file(profile), "\"fv-steuerwrek@3.2");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(
        &said,
        profile,
        (line, column + 1),
        "DDS-C002",
        &["fv-steuerwrek@3.2", "Did you mean \"fv-steuerwerk@3.2\"?"],
    );
}

#[test]
fn a_delegate_that_does_not_exist() {
    let broken = Copy::new();
    let municipality = "config/municipalities/145210010010-amtsberg.toml";
    edit(&broken.file(municipality), "bauantrag = \"145210000000\"", "bauantrag = \"145219990000\"");
    let (line, column) = place_of(&broken.file(municipality), "145219990000");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, municipality, (line, column), "DDS-C002", &["145219990000"]);
}

#[test]
fn an_authority_that_is_missing() {
    let broken = Copy::new();
    edit(&broken.file("config/profiles/grossstadt.toml"), "\"hundesteuer\"", "");
    // A gap parks messages and harms no other: a warning, and the coverage map shows it.
    let said = broken.check(&["--language", "en", "--coverage"]).good();
    let gap = said.out.lines().find(|line| line.contains("DDS-C009"));
    let gap = gap.unwrap_or_else(|| panic!("no gap for the cities of this profile"));
    assert!(gap.starts_with("config/municipalities/145110000000-chemnitz.toml:4:1: "), "{gap}");
    assert!(gap.contains("and 2 more of 418 municipalities"), "{gap}");
    assert!(gap.contains("hundesteuer") && gap.contains("DDS-R004") && gap.contains(" — "), "{gap}");
    let row = said.out.lines().find(|line| line.starts_with("hundesteuer") && line.contains("146120000000"));
    assert!(row.is_some_and(|row| row.contains("  ! ")), "{row:?}");
}

#[test]
fn schemas_that_are_missing_are_named_with_their_line() {
    let (copy, empty) = (Copy::new(), tempfile::TempDir::new().unwrap());
    let said = copy.check(&["--language", "en", "--schemas", empty.path().to_str().unwrap()]).good();
    for (file, needle, word) in [
        ("config/catalogue.toml", "\"xsd/xbau-codes.xsd\"", "xbau-2.6/xsd/xbau-codes.xsd"),
        ("rules/bauantrag/2.6/rule.toml", "catalogue:xbau", "is not in the schema folder"),
    ] {
        assert_named(&said, file, place_of(&copy.file(file), needle), "DDS-V003", &[word]);
    }
    let json = copy.check(&["--json"]).good().json();
    let missing: Vec<_> =
        json["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "DDS-V003").collect();
    assert!(missing.len() >= 2, "{json:#}");
    for one in missing {
        assert!(one["line"].as_u64() > Some(0) && one["column"].as_u64() > Some(0), "{one:#}");
    }
}

#[test]
fn a_stylesheet_with_an_xpath_error() {
    let broken = Copy::new();
    let (line, _) = place_of(&broken.file(STYLESHEET), "count(h:hund)");
    edit(&broken.file(STYLESHEET), "count(h:hund)", "count(h:hund");
    let said = broken.check(&["--cases", "--json"]).bad();
    let answer = said.json();
    let findings = answer["findings"].as_array().unwrap();
    let error = findings.iter().find(|one| one["code"] == "DDS-T001").unwrap_or_else(|| panic!("{answer:#}"));
    assert_eq!(error["file"], STYLESHEET);
    assert_eq!(error["line"], line);
    assert!(error["column"].as_u64().unwrap() > 1, "{error}");
    assert_eq!(error["severity"], "error");
    for language in ["de", "en"] {
        assert!(!error["remedy"][language].as_str().unwrap().is_empty(), "{error}");
    }
    // Named once, not again for each of its cases.
    let errors = findings.iter().filter(|one| one["severity"] == "error").count();
    assert_eq!((errors, &answer["cases"]["failed"]), (1, &0.into()), "{answer:#}");
    assert!(answer["cases"]["skipped"].as_u64().unwrap() >= 6, "{}", answer["cases"]);
}

#[test]
fn a_vorgang_that_is_invalid_or_of_another_procedure() {
    let broken = Copy::new();
    edit(&broken.file(STYLESHEET), "verfahren=\"hundesteuer\"", "verfahren=\"katze\"");
    let said = broken.check(&["--cases", "--language", "en"]).bad();
    assert!(
        said.out.contains("DDS-T004") && said.out.contains("verfahren of the Vorgang is not hundesteuer"),
        "{said:?}"
    );
    let broken = Copy::new();
    edit(&broken.file(STYLESHEET), "verfahren=\"hundesteuer\"", "verfahren=\"a b\"");
    let said = broken.check(&["--cases", "--language", "en"]).bad();
    let line = said.out.lines().find(|line| line.contains("is no valid Vorgang")).unwrap();
    assert!(line.contains("findings); cvc-") && line.contains(" /vorgang"), "{line}");
}

/// What a release leaves out is told, and what is doubtful counts.
#[test]
fn a_file_that_is_no_part_of_the_release() {
    let stray = Copy::new();
    fs::write(stray.file("rules/hundesteuer/1.0/dump.bin"), "x").unwrap();
    let said = stray.check(&["--language", "en"]).good();
    assert!(
        said.out.contains("rules/hundesteuer/1.0/dump.bin: DDS-C003: is no part of the release — "),
        "{said:?}"
    );
    // It has no place in its file, and says none.
    let json = stray.check(&["--json"]).good().json();
    let mut findings = json["findings"].as_array().unwrap().iter();
    let found = findings.find(|one| one["file"] == "rules/hundesteuer/1.0/dump.bin");
    let found = found.unwrap_or_else(|| panic!("{json:#}")).as_object().unwrap();
    assert!(!found.contains_key("line") && !found.contains_key("column"), "{found:?}");
}

#[test]
fn a_stylesheet_of_a_later_xslt() {
    let broken = Copy::new();
    edit(&broken.file(STYLESHEET), "stylesheet version=\"1.0\"", "stylesheet version=\"2.0\"");
    let place = place_of(&broken.file(STYLESHEET), "<xsl:stylesheet");
    let said = broken.check(&["--cases", "--language", "en"]).bad();
    assert_named(&said, STYLESHEET, place, "DDS-T005", &["version=\"1.0\" is required"]);
}

#[test]
fn rules_that_overlap() {
    let broken = Copy::new();
    copy(&broken.file("rules/hundesteuer/1.0"), &broken.file("rules/hundesteuer/1.1"));
    let twin = "rules/hundesteuer/1.1/rule.toml";
    edit(&broken.file(twin), "version = \"1.0\"", "version = \"1.1\"");
    let place = place_of(&broken.file(twin), "\"hundesteuer.anmeldung\"");
    let said = broken.check(&["--language", "en"]).bad();
    assert_named(&said, twin, place, "DDS-C004", &["hundesteuer@1.1", "hundesteuer@1.0", RULE]);
    // One after the other they may be.
    edit(&broken.file(twin), "valid_from = \"2026-01-01\"", "valid_from = \"2027-01-01\"");
    edit(
        &broken.file(RULE),
        "valid_from = \"2026-01-01\"",
        "valid_from = \"2026-01-01\"\nvalid_until = \"2026-12-31\"",
    );
    broken.check(&[]).good();
}

#[test]
fn german_and_english_say_the_same() {
    let broken = Copy::new();
    fs::write(broken.file("config/profiles/stadt-a.toml"), "title = ").unwrap();
    let german = broken.check(&["--language", "de"]).bad();
    let english = broken.check(&["--language", "en"]).bad();
    for said in [&german, &english] {
        assert_named(said, "config/profiles/stadt-a.toml", (1, 9), "DDS-C001", &[]);
    }
    assert!(german.err.starts_with("DDS-C001 Konfigurationsdatei fehlerhaft\n"), "{}", german.err);
    assert!(german.err.contains("Wer handelt: Betrieb"), "{german:?}");
    assert!(german.err.contains("— Datei an der genannten Zeile und Spalte berichtigen."), "{german:?}");
    assert!(!german.err.contains("Correct the file"), "half a translation: {german:?}");
    assert!(english.err.starts_with("DDS-C001 Configuration file malformed\n"), "{}", english.err);
    assert!(english.err.contains("Who acts: operator"), "{english:?}");
    // The remedy stands with its finding, and only there.
    let remedy = "Correct the file at the line and column named.";
    assert_eq!(english.err.matches(remedy).count(), 1, "{english:?}");
}

#[test]
fn findings_and_remedies_are_german_where_german_is_wanted() {
    let broken = Copy::new();
    edit(&broken.file(RULE), "fan_out = false", "fan_uot = false");
    edit(&broken.file("config/profiles/stadt-a.toml"), "fv-steuerwerk@3.2", "fv-steuerwrek@3.2");
    let said = broken.check(&["--language", "de"]).bad();
    let place = place_of(&broken.file(RULE), "fan_uot");
    assert_named(&said, RULE, place, "DDS-C003", &["unbekannter Schlüssel", "Meinten Sie \"fan_out\"?"]);
    assert!(!said.err.contains("Did you mean") && !said.err.contains("unknown"), "{}", said.err);

    let gap = Copy::new();
    edit(&gap.file("config/profiles/grossstadt.toml"), "\"hundesteuer\"", "");
    let said = gap.check(&["--language", "de"]).good();
    let line = said.out.lines().find(|line| line.contains("DDS-C009")).unwrap();
    assert!(line.contains("niemand ist in 145110000000 für hundesteuer zuständig"), "{line}");
    assert!(line.contains("— Zuständigkeit oder Produkt"), "{line}");
}

#[test]
fn a_configuration_file_that_is_not_there() {
    let said = run(["depot", "list", "--config", "/nicht/da/drehscheibe.toml", "--language", "de"]).bad();
    assert!(said.err.starts_with("DDS-C011 Konfigurationsdatei nicht gefunden\n"), "{}", said.err);
    assert!(said.err.contains("/nicht/da/drehscheibe.toml"), "{}", said.err);
    assert_eq!(said.err.matches("--config").count(), 1, "the remedy once: {}", said.err);
    let said = run(["depot", "list", "--config", "/nicht/da/drehscheibe.toml", "--language", "en"]).bad();
    assert!(said.err.contains("Name the file with --config, or make one"), "{}", said.err);
}

#[test]
fn everything_is_compiled_also_without_cases() {
    let broken = Copy::new();
    let (line, _) = place_of(&broken.file(STYLESHEET), "count(h:hund)");
    edit(&broken.file(STYLESHEET), "count(h:hund)", "count(h:hund");
    let schematron = "rules/hundesteuer/1.0/schematron/hundesteuer.sch";
    edit(&broken.file(schematron), "test=\"", "test=\"(((");
    let schema = "rules/hundesteuer/1.0/schema/hundesteuer.xsd";
    edit(&broken.file(schema), "type=\"", "type=\"h:gibtEsNicht");
    let answer = broken.check(&["--json"]).bad().json();
    let errors: Vec<_> =
        answer["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == "error").collect();
    let of =
        |file: &str| *errors.iter().find(|one| one["file"] == file).unwrap_or_else(|| panic!("{answer:#}"));
    assert_eq!((&of(STYLESHEET)["code"], &of(STYLESHEET)["line"]), (&"DDS-T001".into(), &line.into()));
    assert!(of(STYLESHEET)["column"].as_u64().unwrap() > 1, "{errors:?}");
    for file in [schematron, schema] {
        assert_eq!(of(file)["code"], "DDS-C003", "{errors:?}");
        assert!(of(file)["line"].as_u64().unwrap() > 0, "{errors:?}");
    }
    assert!(answer["cases"].is_null());
}
