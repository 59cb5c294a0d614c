//! The second half of invariant I2: knowledge of a procedure lives in `rules/`, of a municipality in `config/`, never
//! in Rust. No source of the product names a procedure, a LeiKa key, a municipality or its official key.
//!
//! Comments may give examples, and tests, simulators, demo and bench need a cast: they are not the product.

#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may end by panic, also in its helpers"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use dds_config::{SourcePaths, read_release};
use support::root;

/// What no source may say.
struct Known {
    /// Procedures (any case), LeiKa keys, ARS and AGS.
    words: BTreeSet<String>,
    /// Names of municipalities and districts, without what they are (`, Stadt`).
    names: BTreeSet<String>,
}

impl Known {
    /// All that `rules/` and `config/` know.
    fn read() -> Self {
        let paths = SourcePaths { rules: root().join("rules"), config: root().join("config"), schemas: None };
        let release = read_release(&paths).unwrap();
        let contents = release.contents();
        let rules = contents.rules.iter().map(|rule| &rule.value);
        let mut words: BTreeSet<_> = rules.clone().map(|rule| rule.procedure.to_string()).collect();
        words.extend(rules.flat_map(|rule| &rule.leika).map(ToString::to_string));
        let areas = contents.municipalities.iter().map(|area| &area.value);
        words.extend(areas.clone().flat_map(|area| [area.ars.to_string(), area.ars.ags().to_string()]));
        let names = areas.map(|area| area.name.split(", ").next().unwrap().to_owned()).collect();
        Self { words, names }
    }

    /// What of it stands in `code`.
    fn said_by(&self, code: &str) -> BTreeSet<&str> {
        let words: BTreeSet<_> =
            code.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase).collect();
        let name = |name: &&String| {
            code.match_indices(name.as_str()).any(|(at, _)| {
                let before = code[..at].chars().next_back();
                let after = code[at + name.len()..].chars().next();
                ![before, after].into_iter().flatten().any(char::is_alphanumeric)
            })
        };
        let said = self.words.iter().filter(|word| words.contains(word.as_str()));
        said.chain(self.names.iter().filter(name)).map(String::as_str).collect()
    }
}

/// Sources of the product.
fn sources() -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path());
    let mut found = Vec::new();
    for folder in crates.filter(|folder| !folder.ends_with("testbench")) {
        rust(&folder.join("src"), &mut found);
    }
    let cast = ["demo", "bench"].map(|name| root().join("crates/drehscheibe/src").join(name));
    found.retain(|file| !cast.iter().any(|cast| file.with_extension("").starts_with(cast)));
    found
}

fn rust(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.file_stem().and_then(|name| name.to_str()) {
            Some("tests") => {}
            _ if path.is_dir() => rust(&path, found),
            _ if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            _ => {}
        }
    }
}

/// A source without comments, and without its tests, which stand last.
fn code(source: &str) -> String {
    let product = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let mut code = String::new();
    let mut rest = product;
    while let Some(letter) = rest.chars().next() {
        let token = token(rest);
        if rest.starts_with("//") || rest.starts_with("/*") {
            code.push(' ');
        } else {
            code.push_str(&rest[..token.max(letter.len_utf8())]);
        }
        rest = &rest[token.max(letter.len_utf8())..];
    }
    code
}

/// Length of the comment, the text or the character at the beginning of `rest`; otherwise 0.
fn token(rest: &str) -> usize {
    let through =
        |from: usize, end: &str| rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len());
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return through(2, "*/");
    }
    let hashes = rest.strip_prefix('r').map_or(0, |raw| raw.len() - raw.trim_start_matches('#').len());
    if rest.starts_with('r') && rest[1 + hashes..].starts_with('"') {
        return through(2 + hashes, &format!("\"{}", "#".repeat(hashes)));
    }
    // A quote as a character begins no text.
    if let Some(character) = ["'\"'", "'\\\"'", "'\\''"].into_iter().find(|one| rest.starts_with(one)) {
        return character.len();
    }
    if !rest.starts_with('"') {
        return 0;
    }
    let mut escaped = false;
    let end = rest[1..].find(|letter| {
        let closes = letter == '"' && !escaped;
        escaped = letter == '\\' && !escaped;
        closes
    });
    end.map_or(rest.len(), |at| at + 2)
}

#[test]
fn no_source_of_the_product_knows_a_procedure_or_a_municipality() {
    let known = Known::read();
    assert!(
        known.words.len() > 850 && known.names.len() > 400,
        "{} {}",
        known.words.len(),
        known.names.len()
    );
    let sources = sources();
    assert!(sources.len() > 250, "only {} sources", sources.len());
    let mut said = BTreeMap::new();
    for file in sources {
        let code = code(&fs::read_to_string(&file).unwrap());
        let words: Vec<String> = known.said_by(&code).into_iter().map(str::to_owned).collect();
        if !words.is_empty() {
            said.insert(file.strip_prefix(root()).unwrap().to_owned(), words);
        }
    }
    assert!(said.is_empty(), "this belongs into rules/ or config/: {said:#?}");
}

#[test]
fn whatever_a_source_knows_is_seen() {
    let known = Known::read();
    for (source, word) in [
        ("if procedure == \"hundesteuer\" { fee() }", "hundesteuer"),
        ("fn is_wohngeld() {}", "wohngeld"),
        ("enum Procedure { Bauantrag }", "bauantrag"),
        ("const KEY: &str = r#\"key 99102008060000\"#;", "99102008060000"),
        ("matches!(ars, \"146120000000\")", "146120000000"),
        ("matches!(ags, \"14612000\")", "14612000"),
        ("let quote = '\"'; // beside \"\nlet city = \"Dresden, Stadt\";", "Dresden"),
        ("/* \" */ let town = \"for Annaberg-Buchholz only\";", "Annaberg-Buchholz"),
    ] {
        assert_eq!(known.said_by(&code(source)), BTreeSet::from([word]), "{source}");
    }
    for source in [
        "/// Such as `hundesteuer`.\nfn fee() {} // Dresden",
        "let address = \"http://host/\"; /* wohngeld */",
        "fn fee() {}\n\n#[cfg(test)]\nmod tests {\n    const OF: &str = \"hundesteuer\";\n}\n",
        "let text = \"Dresdens \\\" Hundesteuerbescheid\";",
    ] {
        assert_eq!(known.said_by(&code(source)), BTreeSet::new(), "{source}");
    }
}
