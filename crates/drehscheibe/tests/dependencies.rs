//! The workspace holds to its own rules: crates depend on each other as ARCHITECTURE.md says, every error code has a
//! page, and every licence is one that `deny.toml` allows.

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

use cargo_metadata::{Dependency, DependencyKind, Metadata, MetadataCommand, Package};
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

/// Dependencies of the product; what only tests use is free.
fn product(package: &Package) -> impl Iterator<Item = &Dependency> {
    package.dependencies.iter().filter(|one| one.kind == DependencyKind::Normal)
}

/// The table is the whole list, and no longer than what is there.
#[test]
fn crates_depend_on_each_other_as_the_table_says() {
    let allowed = allowed();
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let names: BTreeSet<_> = members.iter().map(|package| package.name.to_string()).collect();
    let folders: BTreeSet<_> = names.iter().map(|name| folder(name).to_owned()).collect();
    assert_eq!(
        allowed.keys().cloned().collect::<BTreeSet<_>>(),
        folders,
        "the rows of the table are the crates"
    );
    for package in &members {
        let own = folder(&package.name);
        let Some(uses) = &allowed[own] else { continue };
        let there: BTreeSet<_> = product(package)
            .filter(|one| names.contains(&one.name))
            .map(|one| folder(&one.name).to_owned())
            .collect();
        assert_eq!(&there, uses, "what {own} uses, and what it may use");
    }
}

/// What a manifest names, the sources name: a dependency that nobody needs goes, one that only tests need is theirs.
#[test]
fn every_dependency_is_used() {
    let mut unused = Vec::new();
    for package in metadata().workspace_packages() {
        let folder = package.manifest_path.parent().unwrap();
        let sources =
            |names: &[&str]| -> String { names.iter().map(|name| rust(folder.join(name))).collect() };
        let product = sources(&["src", "probe", "build.rs"]);
        let all = product.clone() + &sources(&["tests", "benches"]);
        for dependency in &package.dependencies {
            let text = if dependency.kind == DependencyKind::Development { &all } else { &product };
            let name = dependency.name.replace('-', "_");
            let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
            if !words.any(|word| word == name) {
                unused.push(format!("{} does not use {}", package.name, dependency.name));
            }
        }
    }
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

#[test]
fn every_library_stands_in_a_decision() {
    let pages = fs::read_dir(root().join("docs/decisions")).unwrap();
    let pages: String = pages.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    let named: BTreeSet<_> =
        pages.split(|letter: char| !letter.is_alphanumeric() && !"-_".contains(letter)).collect();
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let dependencies = members.iter().flat_map(|package| &package.dependencies);
    let libraries: BTreeSet<_> =
        dependencies.filter(|one| one.path.is_none()).map(|one| one.name.as_str()).collect();
    let missing: Vec<_> = libraries.difference(&named).collect();
    assert!(missing.is_empty(), "no page of docs/decisions names {missing:?}");
}

/// All Rust below `path`, without comments.
fn rust(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    if let Ok(entries) = fs::read_dir(path) {
        return entries.map(|entry| rust(entry.unwrap().path())).collect();
    }
    if path.extension().is_none_or(|extension| extension != "rs") || !path.exists() {
        return String::new();
    }
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).flat_map(|line| [line, "\n"]).collect()
}

/// Invariant I1. What runs in tests of these crates may read files.
#[test]
fn pure_crates_do_no_io_read_no_clock_and_start_nothing() {
    let metadata = metadata();
    for pure in ["message", "xml", "transform", "validate", "soap", "depot", "osci"] {
        let name = format!("dds-{pure}");
        let package = metadata.packages.iter().find(|package| package.name == name).unwrap();
        for dependency in product(package) {
            let forbidden = ["tokio", "hyper", "reqwest", "rusqlite", "axum", "tempfile", "rustls"];
            assert!(
                !forbidden.contains(&dependency.name.as_str()),
                "{pure} must do no I/O but uses {}",
                dependency.name
            );
        }
        for (file, text) in product_sources(&root().join("crates").join(pure).join("src")) {
            for forbidden in
                ["fs::", "net::", "thread::", "SystemTime::", "Instant::", "Timestamp::now", "Zoned::now"]
            {
                let found = text.match_indices(forbidden).any(|(place, _)| {
                    !text[..place].ends_with(|letter: char| letter.is_alphanumeric() || letter == '_')
                });
                assert!(!found, "{} names {forbidden}", file.display());
            }
        }
    }
}

/// Rust files below `folder` with their text up to their tests.
fn product_sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources.extend(product_sources(&path));
        } else if !path.ends_with("tests.rs") {
            let text = rust(&path);
            let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
            sources.push((path, product.to_owned()));
        }
    }
    sources
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
