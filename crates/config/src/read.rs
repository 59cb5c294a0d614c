//! Reads `rules/` and `config/` into the definitions of a release.

use std::path::{Path, PathBuf};

use dds_depot::{
    Catalogue, CheckFinding, Contents, Defaults, Filed, Files, Municipality, Release, Source, locate,
    position,
};
use dds_message::{Code, Digest, Text};
use serde::de::DeserializeOwned;
use walkdir::{DirEntry, WalkDir};

use crate::{
    parts::{LARGEST, Part, is_hidden, part},
    place::parse,
};

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
    let contents = reader.definitions();
    if let Some(catalogue) = &contents.catalogue {
        reader.third_party(catalogue, paths.schemas.as_deref());
    }
    if reader.findings.is_empty() { Ok((contents, reader.files)) } else { Err(reader.findings.into()) }
}

/// Files of the catalogue that are absent from the schema folder or differ from their digest (DDS-V003).
#[must_use]
pub fn missing_schemas(release: &Release, folder: Option<&Path>) -> Vec<CheckFinding> {
    let Some(catalogue) = &release.contents().catalogue else { return Vec::new() };
    let mut reader = Reader { files: release.files().clone(), ..Reader::default() };
    reader.third_party(catalogue, folder);
    reader.absent
}

/// Files below `rules/` and `config/` that look like part of a release, but that none takes.
#[must_use]
pub fn left_out(paths: &SourcePaths) -> Vec<CheckFinding> {
    let of = |name: &'static str, folder: &Path| -> Vec<String> {
        let files = walk(name, folder).flatten().filter(|entry| entry.file_type().is_file());
        files
            .map(|entry| label(name, folder, entry.path()))
            .filter(|path| part(path) == Part::Stray)
            .collect()
    };
    let strays = [of("rules", &paths.rules), of("config", &paths.config)].concat();
    let finding = |path: String| {
        let text = ("ist nicht Teil des Depotstands", "is no part of the release");
        CheckFinding::error(code_of(&path), path, text).warning().remedy((
            "An einen Ort verlegen, an dem sie niemand für wirksam hält, oder berichtigen, wie sie heißt.",
            "Move it to where nobody takes it for effective, or correct its name.",
        ))
    };
    strays.into_iter().map(finding).collect()
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
        for entry in walk(name, folder) {
            match entry {
                Ok(entry) => self.file(label(name, folder, entry.path()), &entry),
                Err(error) => {
                    let path = error.path().map_or_else(|| name.to_owned(), |path| label(name, folder, path));
                    self.findings.push(CheckFinding::error(code_of(&path), path, unreadable(&error)));
                }
            }
        }
    }

    fn file(&mut self, path: String, entry: &DirEntry) {
        let finding = |text: Text, remedy: (&str, &str)| {
            CheckFinding::error(code_of(&path), &path, text).remedy(remedy)
        };
        let refused = match part(&path) {
            Part::Foreign => return,
            // What a link of a package leads to was not delivered with it, and may be none of its business.
            _ if !entry.file_type().is_file() => finding(
                ("ist keine gewöhnliche Datei", "is not a regular file").into(),
                (
                    "Eine Kopie an diese Stelle legen: unter rules/ führen keine Verknüpfungen (symlinks) weiter.",
                    "Put a copy in its place: links (symlinks) are not followed below rules/.",
                ),
            ),
            Part::Stray => return,
            Part::Misplaced => finding(
                (
                    "liegt da, wo nichts diese Datei liest, und wäre nicht im Depotstand",
                    "lies where nothing reads it, and would not be in the release",
                )
                    .into(),
                (
                    "Genau so ablegen: rules/<verfahren>/<version>/rule.toml, rules/products|dms/<produkt>/<version>/product.toml, \
                     config/profiles|municipalities|sources/<name>.toml; oder entfernen.",
                    "Name it exactly: rules/<procedure>/<version>/rule.toml, rules/products|dms/<product>/<version>/product.toml, \
                     config/profiles|municipalities|sources/<name>.toml; or remove it.",
                ),
            ),
            Part::Taken if entry.metadata().is_ok_and(|data| data.len() > LARGEST) => finding(
                (
                    format!("ist größer als {} MiB", LARGEST >> 20),
                    format!("is larger than {} MiB", LARGEST >> 20),
                )
                    .into(),
                ("Die Datei verkleinern oder entfernen.", "Make the file smaller, or remove it."),
            ),
            Part::Taken => match std::fs::read(entry.path()) {
                Ok(bytes) => {
                    self.files.insert(path, bytes.into());
                    return;
                }
                Err(error) => CheckFinding::error(code_of(&path), &path, unreadable(&error)),
            },
        };
        self.findings.push(refused);
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
        match parse(path, self.files.get(path).map_or(&[], |bytes| &bytes[..]), code_of(path)) {
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
    fn third_party(&mut self, catalogue: &Filed<Catalogue>, folder: Option<&Path>) {
        let source = self.files.get(&catalogue.file).cloned().unwrap_or_default();
        let source = String::from_utf8_lossy(&source);
        for set in &catalogue.value.schemas {
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
                let place = locate(&source, &format!("{:?}", set.folder), &format!("{:?}", file.path));
                let set = set.label();
                let text = (
                    format!("Schema {label} von {set}: {german}"),
                    format!("schema {label} of {set}: {english}"),
                );
                let finding = CheckFinding::error(Code::SCHEMA_MISSING, &catalogue.file, text).at(place);
                self.absent.push(finding.warning());
            }
        }
    }
}

/// What the operating system says stands in its own words.
pub(crate) fn unreadable(error: &impl std::fmt::Display) -> Text {
    (format!("nicht lesbar: {error}"), format!("cannot be read: {error}")).into()
}

/// Everything below a folder that is no folder. In `config/` links are followed: the volumes of container platforms
/// consist of them.
fn walk(name: &str, folder: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let entries = WalkDir::new(folder).min_depth(1).follow_links(name == "config").sort_by_file_name();
    let entries =
        entries.into_iter().filter_entry(|entry| !entry.file_name().to_str().is_some_and(is_hidden));
    entries.filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir()))
}

/// The path of a file in the release.
fn label(name: &str, folder: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(folder).unwrap_or(path);
    let parts = inner.iter().map(|part| part.to_string_lossy());
    parts.fold(name.to_owned(), |path, part| path + "/" + &part)
}

fn code_of(path: &str) -> Code {
    if path.starts_with("rules") { Code::RULE_SYNTAX } else { Code::CONFIG_SYNTAX }
}
