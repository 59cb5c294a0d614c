//! Against the published schemas of XBau, XBeteiligung and xdomea, where they lie beside the repository.
//!
//! They are not copied into it. The folder is `$DDS_SHARED` or `../shared` beside the repository; without it these
//! tests say so and test nothing, and `schema.rs` and `schematron.rs` cover the same ground with data of our own.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code; clippy.toml covers test functions, not their helpers"
)]

use std::path::{Path, PathBuf};

use dds_validate::{Files, Schema, Schematron, Tree};

fn shared(part: &str) -> Option<PathBuf> {
    let root = std::env::var_os("DDS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let folder = root.join("standards").join(part);
    if !folder.is_dir() {
        eprintln!("no shared data ({part}): not tested against the published schemas");
        return None;
    }
    Some(folder)
}

fn files(folder: &Path) -> Files {
    let mut files = Files::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| end == "xsd" || end == "sch") {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                files.insert(&name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

fn samples(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut samples: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "xml"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    samples.sort();
    samples
}

#[test]
fn xbau_application_is_valid_and_a_mutilated_one_is_not() {
    let Some(folder) = shared("xbau-2.6") else { return };
    let files = files(&folder);
    let schema = Schema::compile("xsd/xbau-nachrichten-baugenehmigung.xsd", &files).unwrap();
    let (_, sample) = samples(&folder.join("samples")).remove(0);
    assert_eq!(schema.validate(&sample), []);

    let text = String::from_utf8(sample).unwrap();
    let cut = text.find("<nachrichtenkopf.g2g").or_else(|| text.find("nachrichtenkopf.g2g")).unwrap();
    let name_end = text[cut + 1..].find(['>', ' ']).unwrap() + cut + 1;
    let wrong = format!("{}<erfunden/>{}", &text[..cut], &text[cut..]);
    assert!(name_end > cut);
    let findings = schema.validate(wrong.as_bytes());
    assert!(findings.iter().any(|finding| finding.rule.starts_with("cvc-complex-type.2.4")), "{findings:?}");
}

#[test]
fn xbau_schematron_says_what_other_engines_say() {
    let Some(folder) = shared("xbau-2.6") else { return };
    let files = files(&folder);
    let (_, sample) = samples(&folder.join("samples")).remove(0);

    let rules = Schematron::compile("schematron/xbau-schematron.sch", &files).unwrap();
    assert!(rules.rules() > 100, "{}", rules.rules());
    assert_eq!(rules.run(&Tree::parse(&sample).unwrap()), []);

    let empty = Schematron::compile("schematron/xbau-schematron-leere-elemente.sch", &files).unwrap();
    let findings = empty.run(&Tree::parse(&sample).unwrap());
    assert_eq!(findings.len(), 9, "{findings:#?}");
    assert!(
        findings
            .iter()
            .all(|finding| finding.rule == "sch-xbau-gen-001" && finding.location.starts_with('/'))
    );
}

#[test]
fn xbeteiligung_messages_are_valid() {
    let Some(folder) = shared("xbeteiligung") else { return };
    let files = files(&folder);
    let schema = Schema::compile("xsd/xbeteiligung.xsd", &files).unwrap();
    for (name, sample) in samples(&folder.join("samples")) {
        dds_xml::check(&sample, &dds_xml::Limits::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(schema.validate(&sample), [], "{name}");
    }
}

#[test]
fn every_published_schema_compiles() {
    for (part, main) in [
        ("xbau-2.6", "xsd/xbau-nachrichten-beteiligung.xsd"),
        ("xbau-2.6", "xsd/xbau-nachrichten-statistik.xsd"),
        ("xbau-kernmodul-1.3.0", "xsd/xbau-kernmodul-basisdatentypen.xsd"),
    ] {
        let Some(folder) = shared(part) else { return };
        if let Err(error) = Schema::compile(main, &files(&folder)) {
            assert!(part.contains("kernmodul"), "{part}: {error}");
            assert_eq!(error.code().as_str(), "DDS-V003", "{error}");
        }
    }
}
