//! Reads `rules/` and `config/` into the definitions of a release.

use std::path::{Path, PathBuf};

use dds_depot::{
    Catalogue, CheckFinding, Contents, Defaults, Filed, Files, Municipality, Release, Source, position,
};
use dds_message::{Code, Digest, Text};
use serde::de::DeserializeOwned;
use walkdir::WalkDir;

use crate::place::parse;

/// Where a release is built from.
#[derive(Debug, Clone, Default)]
pub struct SourcePaths {
    /// Folder of the rule and product packages.
    pub rules: PathBuf,
    /// Folder with `profiles/`, `municipalities/`, `sources/`, `catalogue.toml`, `defaults.toml`.
    pub config: PathBuf,
    /// Folder with third-party schemas.
    pub schemas: Option<PathBuf>,
}

/// A release could not be built. The running one stays as it is.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the release has {} error(s); the first: {}", findings.len(), findings.first().map(ToString::to_string).unwrap_or_default())]
pub struct BuildError {
    /// Everything that is wrong, by file.
    pub findings: Vec<CheckFinding>,
}

impl From<Vec<CheckFinding>> for BuildError {
    fn from(mut findings: Vec<CheckFinding>) -> Self {
        findings.sort();
        Self { findings }
    }
}

/// Reads everything and builds the release, without proving it by its cases (see [`crate::prove`]).
///
/// # Errors
/// Every mistake in every file at once (DDS-C001, C002, C003), each with file, line, column and remedy.
pub fn read_release(paths: &SourcePaths) -> Result<Release, BuildError> {
    let (contents, files) = read_contents(paths)?;
    Ok(Release::build(contents, files)?)
}

/// Reads the definitions and files of a release, so that a demonstration can point them elsewhere before it builds.
///
/// # Errors
/// As [`read_release`], as far as a single file is concerned.
pub fn read_contents(paths: &SourcePaths) -> Result<(Contents, Files), BuildError> {
    let mut reader = Reader::default();
    reader.folder("rules", &paths.rules);
    reader.folder("config", &paths.config);
    let mut contents = reader.definitions();
    if let Some(catalogue) = &mut contents.catalogue {
        reader.third_party(&catalogue.value, paths.schemas.as_deref());
    }
    if reader.findings.is_empty() { Ok((contents, reader.files)) } else { Err(reader.findings.into()) }
}

/// Files of the catalogue that are absent from the schema folder or differ from their digest (DDS-V003).
#[must_use]
pub fn missing_schemas(catalogue: &Catalogue, folder: Option<&Path>) -> Vec<CheckFinding> {
    let mut reader = Reader::default();
    reader.third_party(catalogue, folder);
    reader.absent
}

#[derive(Default)]
struct Reader {
    files: Files,
    findings: Vec<CheckFinding>,
    absent: Vec<CheckFinding>,
}

impl Reader {
    /// Takes the files below a folder that belong to a release.
    fn folder(&mut self, name: &str, folder: &Path) {
        for entry in WalkDir::new(folder).follow_links(false).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.findings.push(CheckFinding::error(Code::CONFIG_SYNTAX, name, unreadable(&error)));
                    continue;
                }
            };
            let Ok(inner) = entry.path().strip_prefix(folder) else { continue };
            let parts: Option<Vec<&str>> = inner.iter().map(|part| part.to_str()).collect();
            let path = format!("{name}/{}", parts.unwrap_or_default().join("/"));
            if !entry.file_type().is_file() || !belongs(&path) {
                continue;
            }
            match std::fs::read(entry.path()) {
                Ok(bytes) => {
                    self.files.insert(path, bytes.into());
                }
                Err(error) => {
                    self.findings.push(CheckFinding::error(Code::CONFIG_SYNTAX, path, unreadable(&error)));
                }
            }
        }
    }

    fn definitions(&mut self) -> Contents {
        let mut contents = Contents::default();
        let paths: Vec<String> = self.files.keys().filter(|path| path.ends_with(".toml")).cloned().collect();
        for path in paths {
            let parts: Vec<&str> = path.split('/').collect();
            match parts.as_slice() {
                ["rules", "products" | "dms", _, _, "product.toml"] => {
                    self.read(&path, &mut contents.products)
                }
                ["rules", _, _, "rule.toml"] => self.read(&path, &mut contents.rules),
                ["config", "profiles", _] => self.read(&path, &mut contents.profiles),
                ["config", "municipalities", name] => {
                    self.read(&path, &mut contents.municipalities);
                    self.named_by_ars(&path, name, contents.municipalities.last());
                }
                ["config", "sources", name] => {
                    self.read(&path, &mut contents.sources);
                    self.named_by_id(&path, name, contents.sources.last());
                }
                ["config", "catalogue.toml"] => contents.catalogue = self.value(&path),
                ["config", "defaults.toml"] => {
                    contents.defaults = self.value::<Defaults>(&path);
                }
                _ => {}
            }
        }
        contents
    }

    fn value<T: DeserializeOwned>(&mut self, path: &str) -> Option<Filed<T>> {
        let code = if path.starts_with("rules/") { Code::RULE_SYNTAX } else { Code::CONFIG_SYNTAX };
        match parse(path, self.files.get(path).map_or(&[], |bytes| &bytes[..]), code) {
            Ok(value) => Some(Filed { file: path.to_owned(), value }),
            Err(finding) => {
                self.findings.push(finding);
                None
            }
        }
    }

    fn read<T: DeserializeOwned>(&mut self, path: &str, list: &mut Vec<Filed<T>>) {
        list.extend(self.value(path));
    }

    /// A municipality is found by the name of its file: that name must tell the truth.
    fn named_by_ars(&mut self, path: &str, name: &str, read: Option<&Filed<Municipality>>) {
        let Some(area) = read.filter(|area| area.file == path) else { return };
        let ars = area.value.ars.as_str();
        if name.strip_prefix(ars).is_none_or(|rest| !rest.starts_with(['-', '.'])) {
            self.misnamed(
                path,
                "ars",
                (
                    format!("die Datei heißt {name}, aber ihr ars ist {ars}"),
                    format!("the file is named {name}, but its ars is {ars}"),
                ),
                (format!("In {ars}-<name>.toml umbenennen."), format!("Rename it to {ars}-<name>.toml.")),
            );
        }
    }

    fn named_by_id(&mut self, path: &str, name: &str, read: Option<&Filed<Source>>) {
        let Some(source) = read.filter(|source| source.file == path) else { return };
        let id = source.value.id.as_str();
        if name != format!("{id}.toml") {
            self.misnamed(
                path,
                "id",
                (
                    format!("die Datei heißt {name}, aber ihre id ist {id}"),
                    format!("the file is named {name}, but its id is {id}"),
                ),
                (format!("In {id}.toml umbenennen."), format!("Rename it to {id}.toml.")),
            );
        }
    }

    fn misnamed(&mut self, path: &str, key: &str, text: impl Into<Text>, remedy: impl Into<Text>) {
        let source = self.files.get(path).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let place = position(&source, source.find(key).unwrap_or(0));
        self.findings.push(CheckFinding::error(Code::CONFIG_REFERENCE, path, text).at(place).remedy(remedy));
    }

    /// Takes the third-party schemas that are there with the right digest. The others are left out: rules that need
    /// them park their messages with DDS-V003.
    fn third_party(&mut self, catalogue: &Catalogue, folder: Option<&Path>) {
        for set in &catalogue.schemas {
            for file in &set.files {
                let label = format!("{}/{}", set.folder, file.path);
                let found = folder.map(|folder| std::fs::read(folder.join(&set.folder).join(&file.path)));
                let Text { german, english } = match found {
                    None => ("kein Schemaordner ist eingestellt", "no schema folder is configured").into(),
                    Some(Err(error)) => unreadable(&error),
                    Some(Ok(bytes)) => match Digest::of(&bytes) {
                        digest if digest == file.sha256 => {
                            self.files.insert(set.release_path(file), bytes.into());
                            continue;
                        }
                        digest => {
                            let wanted = &file.sha256;
                            (
                                format!("sein SHA-256 ist {digest}, der Katalog verlangt {wanted}"),
                                format!("it has SHA-256 {digest}, the catalogue wants {wanted}"),
                            )
                                .into()
                        }
                    },
                };
                let set = set.label();
                let text = (
                    format!("Schema {label} von {set}: {german}"),
                    format!("schema {label} of {set}: {english}"),
                );
                self.absent
                    .push(CheckFinding::error(Code::SCHEMA_MISSING, "config/catalogue.toml", text).warning());
            }
        }
    }
}

/// What the operating system says stands in its own words.
pub(crate) fn unreadable(error: &impl std::fmt::Display) -> Text {
    (format!("nicht lesbar: {error}"), format!("cannot be read: {error}")).into()
}

/// Whether a file is part of a release: all of the rules, of the configuration what decides about messages.
fn belongs(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.') || part.ends_with('~'));
    let part = path.starts_with("rules/")
        || path == "config/catalogue.toml"
        || path == "config/defaults.toml"
        || (path.ends_with(".toml")
            && ["config/profiles/", "config/municipalities/", "config/sources/"]
                .iter()
                .any(|at| path.starts_with(at)));
    part && !hidden
}
