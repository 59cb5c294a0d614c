//! The release: everything a decision depends on, under one digest.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use dds_message::{Ars, AuthorityId, Digest, ReleaseId, SourceId, TargetId};
use dds_xml::KeyPlan;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Catalogue,
    directory::Authority,
    finding::CheckFinding,
    index::Index,
    municipality::{Defaults, Municipality, Profile},
    names::{self, Names},
    product::ProductPackage,
    rule::RulePackage,
    source::Source,
    sources::{self, Sources},
    target::Target,
};

/// Files of a release: path with `/` → bytes.
pub type Files = BTreeMap<String, Arc<[u8]>>;

/// Path of the compiled definitions among the files of a release.
pub const COMPILED: &str = "compiled.json";

/// A definition and the file it was read from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filed<T> {
    /// Path in the release, such as `rules/hundesteuer/1.0/rule.toml`.
    pub file: String,
    /// The definition.
    pub value: T,
}

impl<T> Filed<T> {
    /// The folder of the file, without a slash at its end.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.file.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The name of the file without folder and ending.
    #[must_use]
    pub fn stem(&self) -> &str {
        let name = self.file.rsplit_once('/').map_or(self.file.as_str(), |(_, name)| name);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }
}

/// All definitions of a release.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Contents {
    /// Rule packages.
    pub rules: Vec<Filed<RulePackage>>,
    /// Product packages.
    pub products: Vec<Filed<ProductPackage>>,
    /// Profiles.
    pub profiles: Vec<Filed<Profile>>,
    /// Municipalities.
    pub municipalities: Vec<Filed<Municipality>>,
    /// Sources.
    pub sources: Vec<Filed<Source>>,
    /// Third-party schemas.
    pub catalogue: Option<Filed<Catalogue>>,
    /// Defaults.
    pub defaults: Option<Filed<Defaults>>,
}

impl Contents {
    /// Sorts everything by file, so that the order of reading leaves no trace in the release.
    fn sort(&mut self) {
        fn by_file<T>(list: &mut [Filed<T>]) {
            list.sort_by(|one, other| one.file.cmp(&other.file));
        }
        by_file(&mut self.rules);
        by_file(&mut self.products);
        by_file(&mut self.profiles);
        by_file(&mut self.municipalities);
        by_file(&mut self.sources);
    }
}

/// Depotstand: immutable, cheap to clone, shared by all threads.
#[derive(Clone)]
pub struct Release(Arc<Inner>);

struct Inner {
    id: ReleaseId,
    contents: Contents,
    files: Files,
    index: Index,
    /// Worked out when the first message with findings asks.
    names: OnceLock<Names>,
    /// Worked out when the first message is routed.
    sources: OnceLock<Sources>,
}

impl Release {
    /// Builds a release of definitions and the files they were read from.
    ///
    /// # Errors
    /// Every finding that forbids to use it (DDS-C002, DDS-C003): unknown references, twofold names, paths that are
    /// none, cyclic delegations.
    pub fn build(mut contents: Contents, mut files: Files) -> Result<Self, Vec<CheckFinding>> {
        contents.sort();
        let compiled = serde_json::to_vec(&contents)
            .map_err(|error| vec![CheckFinding::internal(&error.to_string())])?;
        files.insert(COMPILED.to_owned(), compiled.into());
        Self::assemble(contents, files)
    }

    /// Opens a release of the files of one that was built before; the caller compares [`Release::id`] with the id it
    /// expects.
    ///
    /// # Errors
    /// DDS-C010 if the compiled definitions are missing or unreadable; otherwise like [`Release::build`].
    pub fn open(files: Files) -> Result<Self, Vec<CheckFinding>> {
        let missing = || vec![CheckFinding::damaged(COMPILED, ("die Datei fehlt", "it is missing"))];
        let compiled = files.get(COMPILED).ok_or_else(missing)?;
        let contents = serde_json::from_slice(compiled).map_err(|error| {
            let text =
                (format!("die Datei ist nicht lesbar: {error}"), format!("it is not readable: {error}"));
            vec![CheckFinding::damaged(COMPILED, text)]
        })?;
        Self::assemble(contents, files)
    }

    fn assemble(contents: Contents, files: Files) -> Result<Self, Vec<CheckFinding>> {
        let index = Index::build(&contents, &files)?;
        let id = release_id(files.iter().map(|(path, bytes)| (path.as_str(), Digest::of(bytes))));
        Ok(Self(Arc::new(Inner {
            id,
            contents,
            files,
            index,
            names: OnceLock::new(),
            sources: OnceLock::new(),
        })))
    }

    /// Its id: SHA-256 over `path`, line feed, hex SHA-256 of the file, line feed, for all files in the order of their
    /// paths.
    #[must_use]
    pub fn id(&self) -> ReleaseId {
        self.0.id
    }

    /// What to read out of each message, for one streaming pass.
    #[must_use]
    pub fn key_plan(&self) -> &KeyPlan {
        &self.0.index.plan
    }

    /// Its definitions.
    #[must_use]
    pub fn contents(&self) -> &Contents {
        &self.0.contents
    }

    /// Its files.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.0.files
    }

    /// One file.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&Arc<[u8]>> {
        self.0.files.get(path)
    }

    /// Rule packages.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &RulePackage> {
        self.0.contents.rules.iter().map(|rule| &rule.value)
    }

    /// Product packages.
    pub fn products(&self) -> impl ExactSizeIterator<Item = &ProductPackage> {
        self.0.contents.products.iter().map(|product| &product.value)
    }

    /// Municipalities.
    pub fn municipalities(&self) -> impl ExactSizeIterator<Item = &Municipality> {
        self.0.contents.municipalities.iter().map(|municipality| &municipality.value)
    }

    /// Sources.
    pub fn sources(&self) -> impl ExactSizeIterator<Item = &Source> {
        self.0.contents.sources.iter().map(|source| &source.value)
    }

    /// The source of that id.
    #[must_use]
    pub fn source(&self, id: &SourceId) -> Option<&Source> {
        self.0.index.sources.get(id).map(|place| &self.0.contents.sources[*place].value)
    }

    /// The source that may show the token of which this is the SHA-256.
    #[must_use]
    pub fn source_by_token(&self, token: &Digest) -> Option<&Source> {
        self.0.index.tokens.get(token).map(|place| &self.0.contents.sources[*place].value)
    }

    /// The source that may show the client certificate (DER) of which this is the SHA-256.
    #[must_use]
    pub fn source_by_certificate(&self, certificate: &Digest) -> Option<&Source> {
        self.0.index.certificates.get(certificate).map(|place| &self.0.contents.sources[*place].value)
    }

    /// The municipality of that ARS.
    #[must_use]
    pub fn municipality(&self, ars: &Ars) -> Option<&Municipality> {
        self.area(ars).map(|place| &self.0.contents.municipalities[place].value)
    }

    /// The product package of that name, such as `fv-steuerwerk@3.2`.
    #[must_use]
    pub fn product(&self, name: &str) -> Option<&Filed<ProductPackage>> {
        self.0.index.products.get(name).map(|place| &self.0.contents.products[*place])
    }

    /// The rule package of that name, such as `hundesteuer@1.0`.
    #[must_use]
    pub fn rule(&self, name: &str) -> Option<&Filed<RulePackage>> {
        self.0.index.rules.get(name).map(|place| &self.0.contents.rules[*place])
    }

    /// The authority of that id; only the form `sn:<ars>-<office>` names one.
    #[must_use]
    pub fn authority(&self, id: &AuthorityId) -> Option<Authority<'_>> {
        self.find_authority(id)
    }

    /// The target of that id, worked out from municipality, office and product.
    #[must_use]
    pub fn target(&self, id: &TargetId) -> Option<Target> {
        self.find_target(id)
    }

    pub(crate) fn names(&self) -> &Names {
        self.0.names.get_or_init(|| names::declared(&self.0.files))
    }

    pub(crate) fn stylesheet_sources(&self) -> &Sources {
        self.0.sources.get_or_init(|| sources::digests(self))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.0.index
    }

    pub(crate) fn area(&self, ars: &Ars) -> Option<usize> {
        self.0.index.areas.get(ars).copied()
    }
}

impl std::fmt::Debug for Release {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Release({})", self.0.id.0.short())
    }
}

/// The id of a release with these files, which must come in the order of their paths.
pub fn release_id<'a>(files: impl IntoIterator<Item = (&'a str, Digest)>) -> ReleaseId {
    let mut list = String::new();
    for (path, digest) in files {
        list.push_str(path);
        list.push('\n');
        list.push_str(&digest.to_string());
        list.push('\n');
    }
    ReleaseId(Digest::of(list.as_bytes()))
}
