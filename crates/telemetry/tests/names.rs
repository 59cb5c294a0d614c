//! Operators alarm on names, not on sentences: whatever the program logs begins with one.
#![allow(clippy::print_stderr, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

#[test]
fn every_log_line_has_a_name_of_dotted_words() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Vec::new();
    for folder in fs::read_dir(crates).unwrap() {
        sources(&folder.unwrap().path().join("src"), &mut files);
    }
    let mut lines = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for level in ["error", "warn", "info"] {
            for (at, start) in text.match_indices(&format!("tracing::{level}!(")) {
                let call = inside(&text[at + start.len()..]);
                // The message is the last text of the call; what it is filled with would come after.
                let name = call.rsplit('"').nth(1).unwrap_or_default();
                // `{name}`: its caller has it.
                assert!(
                    is_name(name) || name == "{name}",
                    "{}: {name:?} is no name of the form area.what",
                    file.display()
                );
                lines += 1;
            }
        }
    }
    assert!(lines > 50, "only {lines} log lines found");
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

/// The arguments of a call, up to its closing parenthesis.
fn inside(text: &str) -> &str {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

fn is_name(text: &str) -> bool {
    let word =
        |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.contains('.') && text.split('.').all(word)
}
