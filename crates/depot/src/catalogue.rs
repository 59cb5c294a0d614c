//! Third-party schemas by namespace, version and digest (`config/catalogue.toml`).

use dds_message::Digest;
use serde::{Deserialize, Serialize};

/// Schemakatalog. The schemas themselves lie in a folder that the operator fills; `drehscheibe.toml` names it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Sets of schemas.
    #[serde(default, rename = "schema")]
    pub schemas: Vec<SchemaSet>,
}

/// One standard in one version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaSet {
    /// Short name, such as `xbau`.
    pub name: String,
    /// Version, such as `2.6`.
    pub version: String,
    /// Namespace of its messages.
    pub namespace: String,
    /// Where to obtain it, for people.
    #[serde(default)]
    pub origin: Option<String>,
    /// Its folder below the schema folder.
    pub folder: String,
    /// Its files.
    #[serde(default, rename = "file")]
    pub files: Vec<SchemaFile>,
}

/// One file of a set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaFile {
    /// Path below the set's folder.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// Prefix of references to the catalogue in a rule.
pub(crate) const PREFIX: &str = "catalogue:";

impl Catalogue {
    /// Resolves `catalogue:<name>@<version>#<file>`; `<file>` is a path below the set's folder, or its last part.
    #[must_use]
    pub fn resolve(&self, reference: &str) -> Option<(&SchemaSet, &SchemaFile)> {
        let (set, file) = reference.strip_prefix(PREFIX)?.split_once('#')?;
        let (name, version) = set.split_once('@')?;
        let set = self.schemas.iter().find(|set| set.name == name && set.version == version)?;
        let last = |path: &str| path.rsplit_once('/').map_or(path == file, |(_, last)| last == file);
        let found = set
            .files
            .iter()
            .find(|entry| entry.path == file)
            .or_else(|| set.files.iter().find(|entry| last(&entry.path)))?;
        Some((set, found))
    }
}

impl SchemaSet {
    /// Name and version, as rules write it: `xbau@2.6`.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    /// Path of one of its files in a release.
    #[must_use]
    pub fn release_path(&self, file: &SchemaFile) -> String {
        format!("catalogue/{}@{}/{}", self.name, self.version, file.path)
    }
}
