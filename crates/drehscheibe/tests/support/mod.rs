//! What the tests of the binary share: the program, copies of rules and configuration, and a small running router.

#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::print_stderr, reason = "a test without its data says so")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) mod stage;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_drehscheibe");

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Folder of third-party schemas: in the shared data, which is not part of the repository. Says so when it is absent.
pub(crate) fn schemas() -> Option<PathBuf> {
    let shared = std::env::var_os("DDS_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    let folder = shared.join("standards");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("no {}: set DDS_SHARED to test with the schemas of third parties too", folder.display());
    None
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    /// Exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Said {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, after success.
    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// The same, after exit code 1.
    #[track_caller]
    pub(crate) fn bad(self) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        self
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// The program with arguments, untouched by the environment of whoever runs the tests.
pub(crate) fn command<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(arguments: I) -> Command {
    let mut command = Command::new(PROGRAM);
    for name in ["DDS_SCHEMAS", "DDS_CONFIG", "DDS_ADMIN", "DDS_TOKEN", "DDS_MASTER_KEY"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

/// Runs the program to its end.
pub(crate) fn run<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(arguments: I) -> Said {
    command(arguments).output().unwrap().into()
}

/// `drehscheibe demo --report` with these options over the repository: what it said, and the report.
pub(crate) fn demo(options: &[&str]) -> (Said, Value) {
    let folder = TempDir::with_prefix("drehscheibe-demo-").unwrap();
    let report = folder.path().join("report.json");
    let mut demo = command(["demo", "--language", "en"]);
    demo.args(options).arg("--report").arg(&report);
    for (option, name) in [("--rules", "rules"), ("--config-dir", "config"), ("--fixtures", "fixtures")] {
        demo.arg(option).arg(root().join(name));
    }
    let said = Said::from(demo.output().unwrap());
    let text = fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    (said, serde_json::from_str(&text).unwrap())
}

/// Copies a folder with all below it.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Replaces `old` by `new` in a file, where it stands first.
#[track_caller]
pub(crate) fn edit(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(old), "{} does not contain {old:?}", file.display());
    fs::write(file, text.replacen(old, new, 1)).unwrap();
}

/// Line and column (from 1) at which `needle` first stands in a file.
#[track_caller]
pub(crate) fn place_of(file: &Path, needle: &str) -> (usize, usize) {
    let text = fs::read_to_string(file).unwrap();
    let at = text.find(needle).unwrap_or_else(|| panic!("{} lacks {needle:?}", file.display()));
    let before = &text[..at];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Rules and configuration of the repository, to be broken.
pub(crate) struct Copy(TempDir);

impl Copy {
    /// A fresh copy.
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("drehscheibe-check-").unwrap();
        for name in ["rules", "config"] {
            copy(&root().join(name), &folder.path().join(name));
        }
        Self(folder)
    }

    /// A file of the copy.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// `drehscheibe check` on the copy.
    pub(crate) fn check(&self, more: &[&str]) -> Said {
        let mut check = command(["check"]);
        check.args(more).current_dir(self.0.path());
        check.output().unwrap().into()
    }
}
