//! `drehscheibe replay`: what another release would do differently, and nothing else.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::path::Path;

use support::{Copy, Said, command, copy, edit, root};

/// Replays dog tax from a folder that is not that of the configuration.
fn replay(copied: &Copy, before: &str, more: &[&str]) -> Said {
    let elsewhere = tempfile::tempdir().unwrap();
    let fixtures = elsewhere.path().join("fixtures");
    copy(&root().join("fixtures/hundesteuer"), &fixtures.join("hundesteuer"));
    let mut replay = command(["replay", "--language", "en", "--fixtures"]);
    replay.arg(&fixtures).arg("--config").arg(copied.file("config/drehscheibe.toml"));
    replay.args(["--before", before]).args(more).current_dir(elsewhere.path());
    replay.output().unwrap().into()
}

#[test]
fn only_what_a_target_would_see_differently_is_a_difference() {
    let copied = Copy::new();
    let config = copied.file("config/drehscheibe.toml");
    let build = |config: &Path| {
        let mut build = command(["--json", "depot", "build", "--config"]);
        let said: Said = build.arg(config).output().unwrap().into();
        said.good().json()["release"].as_str().unwrap().to_owned()
    };
    let before = build(&config);
    // Another release, but no other document: what products print of it is no difference.
    let readme = copied.file("rules/hundesteuer/1.0/rule.toml");
    edit(&readme, "owner = \"", "owner = \"Anderes ");
    let said = replay(&copied, &before, &[]).good();
    let line = said.out.lines().last().unwrap();
    assert!(!line.starts_with(&format!("{0} → {0}", &before[..12])), "the same release: {line}");
    assert!(line.ends_with("7 messages, 0 treated differently"), "{said:?}");
    // A document that changes is named with path and values, also where it is JSON.
    let sheet = copied.file("rules/products/fv-steuerwerk/3.2/xslt/from-vorgang.xsl");
    edit(&sheet, "steuerwerk/3.2", "steuerwerk/3.3");
    let said = replay(&copied, &before, &[]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.out.contains("$.schnittstelle: \"steuerwerk/3.2\" → \"steuerwerk/3.3\""), "{said:?}");
    // What an option names wins over drehscheibe.toml.
    let own = root().join("rules");
    let said = replay(&copied, &before, &["--rules", own.to_str().unwrap()]).good();
    assert!(said.out.ends_with("0 treated differently\n"), "{said:?}");
    // A configuration that was named must be there.
    let mut missing = command(["replay", "--fixtures"]);
    missing.arg(root().join("fixtures")).args(["--config", "/nirgends/drehscheibe.toml"]);
    let said = Said::from(missing.output().unwrap()).bad();
    assert!(said.err.contains("DDS-C011"), "{said:?}");
    // So must the folder of fixtures, with messages of a procedure each.
    for (folder, code) in
        [("/nirgends", "DDS-C012"), (root().join("fixtures/hundesteuer").to_str().unwrap(), "DDS-C013")]
    {
        let mut none = command(["replay", "--fixtures", folder]);
        let said = Said::from(none.current_dir(root()).output().unwrap()).bad();
        assert!(said.err.contains(code) && said.err.contains(folder), "{said:?}");
    }
}
