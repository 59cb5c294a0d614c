//! The example configuration of Saxony with the real rules: complete, without gap, all product combinations.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests may fail loudly"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use dds_config::{
    SourcePaths, read_release,
    saxony::{self, Replace},
};
use dds_depot::{Release, SourceLimits};
use dds_message::{Ars, Code};

const DAY: &str = "2026-11-22";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn release() -> Release {
    let paths = SourcePaths { rules: root().join("rules"), config: root().join("config"), schemas: None };
    read_release(&paths).unwrap_or_else(|error| panic!("{:#?}", error.findings))
}

#[test]
fn the_committed_files_are_what_the_generator_writes() {
    let out = tempfile::tempdir().unwrap();
    saxony::generate(
        &root().join("config/saxony.csv"),
        &root().join("config/saxony.toml"),
        out.path(),
        Replace::Ours,
    )
    .unwrap();
    let read = |folder: &Path| -> BTreeMap<String, String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        entries
            .map(|it| (it.file_name().into_string().unwrap(), std::fs::read_to_string(it.path()).unwrap()))
            .collect()
    };
    let committed = root().join("config/municipalities");
    if std::env::var_os("DDS_UPDATE").is_some() {
        saxony::generate(
            &root().join("config/saxony.csv"),
            &root().join("config/saxony.toml"),
            &committed,
            Replace::All,
        )
        .unwrap();
    }
    assert!(read(out.path()) == read(&committed), "run drehscheibe saxony (or this test with DDS_UPDATE=1)");
}

#[test]
fn a_municipality_edited_by_hand_is_neither_overwritten_nor_removed() {
    let out = tempfile::tempdir().unwrap();
    let generate = |replace: Replace| {
        let config = root().join("config");
        saxony::generate(&config.join("saxony.csv"), &config.join("saxony.toml"), out.path(), replace)
    };
    let refused = || generate(Replace::Ours).unwrap_err();
    let (dresden, own) = (out.path().join("146120000000-dresden.toml"), out.path().join("999-eigene.toml"));
    let edited = "ars = \"146120000000\"\nname = \"Dresden\"\nprofile = \"eigenes\"\n";
    std::fs::write(&dresden, edited).unwrap();
    std::fs::write(&own, "# eigene\n").unwrap();
    let finding = refused();
    assert!(finding.text.german.contains("146120000000-dresden.toml"), "{finding}");
    assert!(!finding.text.german.contains("999-eigene.toml"), "not in the way: {finding}");
    assert!(finding.text.english.contains("nothing was written"), "{finding}");
    assert_eq!(std::fs::read_dir(out.path()).unwrap().count(), 2, "nothing else was written");
    assert_eq!(std::fs::read_to_string(&dresden).unwrap(), edited);
    // The same area under another name would be there twice.
    let other = out.path().join("146120000000-dd.toml");
    std::fs::rename(&dresden, &other).unwrap();
    assert!(refused().text.german.contains("146120000000-dd.toml"));
    let done = generate(Replace::All).unwrap();
    assert_eq!(done.removed, ["146120000000-dd.toml"]);
    assert!(dresden.exists() && !other.exists());
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "# eigene\n", "not in the way");
    // Who edits a file need not know about its first line.
    let (chemnitz, ours) =
        (out.path().join("145110000000-chemnitz.toml"), std::fs::read_to_string(&dresden).unwrap());
    for file in [&dresden, &chemnitz] {
        let text = std::fs::read_to_string(file).unwrap();
        std::fs::write(file, text.replace(".example\"", ".de\"")).unwrap();
    }
    let finding = refused();
    for name in ["146120000000-dresden.toml", "145110000000-chemnitz.toml"] {
        assert!(finding.text.german.contains(name) && finding.text.english.contains(name), "{finding}");
    }
    assert!(std::fs::read_to_string(&dresden).unwrap().contains(".de\""));
    generate(Replace::All).unwrap();
    assert_eq!(std::fs::read_to_string(&dresden).unwrap(), ours);
    // An area that left the list goes, if its file is as it was written.
    let gone = out.path().join("149990000000-weg.toml");
    std::fs::write(&gone, &ours).unwrap();
    assert_eq!(generate(Replace::Ours).unwrap().removed, ["149990000000-weg.toml"]);
    std::fs::write(&gone, format!("{ours}# eigenes\n")).unwrap();
    assert!(generate(Replace::Ours).unwrap().removed.is_empty() && gone.exists());
}

#[test]
fn all_of_saxony_is_there_and_no_procedure_has_a_gap() {
    let release = release();
    let kind = |test: fn(&Ars) -> bool| release.municipalities().filter(|area| test(&area.ars)).count();
    assert_eq!(kind(|ars| ars.district() == *ars), 10 + 3, "districts and district-free cities");
    assert_eq!(kind(|ars| ars.association() != *ars), 418 - 3, "municipalities within districts");
    let rows: Vec<_> = release.coverage(DAY).collect();
    let gaps: Vec<_> = rows.iter().filter_map(|row| row.gap.as_ref().map(|gap| (row, gap))).collect();
    // A third-party schema may be absent on this machine; nobody being responsible may not.
    let real: Vec<_> = gaps.iter().filter(|(_, gap)| gap.code != Code::SCHEMA_MISSING).collect();
    assert!(real.is_empty(), "{} gaps, the first: {:?}", real.len(), real.first());
    let areas: BTreeSet<_> = rows.iter().map(|row| row.ars).collect();
    assert_eq!(areas.len(), 418);
}

#[test]
fn every_combination_of_fachverfahren_and_dms_occurs_with_fifteen_products() {
    let release = release();
    let mut pairs = BTreeSet::new();
    for authority in release.authorities() {
        if let (Some(fachverfahren), Some(dms)) = (&authority.office.fachverfahren, &authority.office.dms) {
            pairs.insert((fachverfahren.clone(), dms.clone()));
        }
    }
    assert_eq!(pairs.len(), 50);
    let products: BTreeSet<_> = pairs.iter().flat_map(|(one, other)| [one, other]).collect();
    assert_eq!(products.len(), 15);
}

#[test]
fn the_check_finds_nothing_and_no_municipality_has_more_than_eight_values() {
    let release = release();
    let said: Vec<String> = release
        .check(DAY)
        .iter()
        .map(ToString::to_string)
        // A third-party schema may be absent on this machine.
        .filter(|finding| !finding.contains("DDS-V003"))
        .collect();
    assert!(said.is_empty(), "{said:#?}");
    for (path, bytes) in release.files().iter().filter(|(path, _)| path.starts_with("config/municipalities/"))
    {
        let values = String::from_utf8_lossy(bytes).lines().filter(|line| line.contains(" = ")).count();
        assert!(values <= 8, "{path} has {values} values");
    }
}

#[test]
fn the_same_folders_give_the_same_id_and_demo_tokens_open_their_source() {
    let release = release();
    assert_eq!(release.id(), self::release().id());
    for id in ["amt24-sim", "openrathaus-sim", "formserver-sim", "fachverfahren-sim"] {
        let token = dds_message::Digest::of(format!("demo-{id}").as_bytes());
        let source = release.source_by_token(&token).unwrap();
        assert_eq!(source.id.as_str(), id);
        assert_eq!(source.limits, SourceLimits::default());
    }
}
