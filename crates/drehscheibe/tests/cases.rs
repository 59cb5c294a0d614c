//! The packages of this repository keep what they promise: every case of every rule and product passes.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{fs, path::Path};

use dds_config::{SourcePaths, read_release};
use support::{root, run, schemas};

fn check(more: &[&str]) -> serde_json::Value {
    let root = root();
    let folder = |name: &str| root.join(name).display().to_string();
    let (rules, config) = (folder("rules"), folder("config"));
    let mut arguments = vec!["check", "--cases", "--json", "--rules", &rules, "--config-dir", &config];
    arguments.extend(more);
    let said = run(arguments);
    let answer = said.json();
    let errors: Vec<_> =
        answer["findings"].as_array().unwrap().iter().filter(|one| one["severity"] == "error").collect();
    assert_eq!(said.code, Some(0), "{errors:#?}");
    assert!(errors.is_empty(), "{errors:#?}");
    answer
}

#[test]
fn every_case_passes_without_third_party_schemas() {
    let answer = check(&[]);
    assert_eq!(answer["cases"]["failed"], 0);
    assert!(answer["cases"]["passed"].as_u64().unwrap() >= 110, "{}", answer["cases"]);
    // Without their schema, these two refuse nothing: `ungueltig-schema` of bauantrag and of beteiligung.
    assert_eq!(answer["cases"]["skipped"], 2);
}

#[test]
fn every_case_passes_with_third_party_schemas() {
    let Some(schemas) = schemas() else { return };
    let answer = check(&["--schemas", &schemas.display().to_string()]);
    assert_eq!((&answer["cases"]["failed"], &answer["cases"]["skipped"]), (&0.into(), &0.into()));
    assert!(!answer["findings"].to_string().contains("DDS-V003"), "{}", answer["findings"]);
}

#[test]
fn every_package_has_enough_cases_and_every_procedure_enough_fixtures() {
    let root = root();
    let paths = SourcePaths { rules: root.join("rules"), config: root.join("config"), schemas: None };
    let release = read_release(&paths).unwrap();
    for rule in &release.contents().rules {
        let cases = release.cases(rule.folder());
        assert!(cases.len() >= 4, "{} has {} cases", rule.value.name(), cases.len());
        let refused = cases.iter().filter(|case| case.name.contains("ungueltig")).count();
        assert!(refused >= 2, "{} shows {refused} refusals", rule.value.name());
        let fixtures = names(&root.join("fixtures").join(rule.value.procedure.as_str()));
        assert!(fixtures.len() >= 4, "{}: {fixtures:?}", rule.value.procedure);
        for kind in ["gewoehnlich", "maximal", "din91379", "ungueltig-schema", "ungueltig-regel"] {
            assert!(
                fixtures.iter().any(|name| name.starts_with(kind)),
                "{}: no {kind}",
                rule.value.procedure
            );
        }
    }
    for product in &release.contents().products {
        let cases = release.cases(product.folder()).len();
        assert!(cases >= 4, "{} has {cases} cases", product.value.name());
    }
    let with_fixtures = names(&root.join("fixtures")).len();
    assert!(with_fixtures >= 7, "{with_fixtures} procedures have fixtures");
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
