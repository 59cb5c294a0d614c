//! The workspace holds to its own rules: crates depend on each other only as ARCHITECTURE.md allows, every error code
//! has a page, and every licence is one that `deny.toml` allows.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};
use dds_message::CODES;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Metadata {
    MetadataCommand::new().manifest_path(root().join("Cargo.toml")).exec().unwrap()
}

/// The table "may use" of ARCHITECTURE.md, section 2: folder → folders it may depend on; `None`: all.
fn allowed() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text.split("## 2. Crates").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let uses = match cells[2] {
            "all" => None,
            "–" => Some(BTreeSet::new()),
            list => Some(list.split(',').map(|name| name.trim().to_owned()).collect()),
        };
        (cells[0].trim_matches('`').to_owned(), uses)
    })
    .collect()
}

fn folder(package: &str) -> &str {
    package.strip_prefix("dds-").unwrap_or(package)
}

#[test]
fn crates_depend_only_in_the_allowed_direction() {
    let allowed = allowed();
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let names: BTreeSet<_> = members.iter().map(|package| package.name.to_string()).collect();
    let mut wrong = Vec::new();
    for package in &members {
        let own = folder(&package.name);
        let Some(uses) = allowed.get(own) else {
            wrong.push(format!("{own} is not in the table of ARCHITECTURE.md"));
            continue;
        };
        let Some(uses) = uses else { continue };
        for dependency in package.dependencies.iter().filter(|one| one.kind == DependencyKind::Normal) {
            let other = folder(&dependency.name);
            if names.contains(&dependency.name) && !uses.contains(other) {
                wrong.push(format!("{own} → {other} is not allowed"));
            }
        }
    }
    for name in allowed.keys() {
        if !names.iter().any(|package| folder(package) == name) {
            wrong.push(format!("{name} stands in the table but is no crate"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_crates_use_no_runtime_and_no_network() {
    let metadata = metadata();
    for pure in ["dds-message", "dds-xml", "dds-transform", "dds-validate", "dds-soap", "dds-depot"] {
        let package = metadata.packages.iter().find(|package| package.name == pure).unwrap();
        for dependency in package.dependencies.iter().filter(|one| one.kind == DependencyKind::Normal) {
            let forbidden = ["tokio", "hyper", "reqwest", "rusqlite", "axum", "tempfile", "rustls"];
            assert!(
                !forbidden.contains(&dependency.name.as_str()),
                "{pure} must do no I/O but uses {}",
                dependency.name
            );
        }
    }
}

#[test]
fn every_code_has_a_page_and_back() {
    let folder = root().join("docs/codes");
    let pages: BTreeSet<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))
        .filter(|stem| stem != "README")
        .collect();
    let codes: BTreeSet<_> = CODES.iter().map(|entry| entry.code.as_str().to_owned()).collect();
    assert_eq!(codes.difference(&pages).collect::<Vec<_>>(), Vec::<&String>::new(), "codes without a page");
    assert_eq!(pages.difference(&codes).collect::<Vec<_>>(), Vec::<&String>::new(), "pages without a code");
    for entry in CODES {
        let page = fs::read_to_string(folder.join(format!("{}.md", entry.code))).unwrap();
        for text in
            [entry.german, entry.english, entry.remedy_german, entry.remedy_english, entry.actor.german()]
        {
            assert!(page.contains(text), "the page of {} does not say {text:?}", entry.code);
        }
    }
}

#[test]
fn every_licence_is_allowed() {
    let deny = fs::read_to_string(root().join("deny.toml")).unwrap();
    let list = deny.split("allow = [").nth(1).unwrap().split(']').next().unwrap();
    // Every second piece between quotation marks is a name; comments stand outside of them.
    let allowed: BTreeSet<_> = list.split('"').skip(1).step_by(2).collect();
    // An expression is fine when one of its alternatives is made of allowed licences only.
    let fine = |expression: &str| {
        let normal = expression.replace('/', " OR ").replace(['(', ')'], " ");
        normal.split(" OR ").any(|one| one.split(" AND ").all(|name| allowed.contains(name.trim())))
    };
    let mut wrong = Vec::new();
    for package in metadata().packages.into_iter().filter(|package| package.source.is_some()) {
        match &package.license {
            Some(license) if fine(license) => {}
            other => wrong.push(format!("{} {}: {other:?}", package.name, package.version)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
