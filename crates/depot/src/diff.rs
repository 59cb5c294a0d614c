//! What changed between two releases.

use std::collections::BTreeMap;

use dds_message::{Ars, Digest, ProcedureId, ReleaseId};
use serde::Serialize;

use crate::release::{Filed, Release};

/// Unterschied of two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReleaseDiff {
    /// The older one.
    pub from: ReleaseId,
    /// The newer one.
    pub to: ReleaseId,
    /// Rule packages by name; any file of the package counts.
    pub rules: Changes,
    /// Product packages by name; any file of the package counts.
    pub products: Changes,
    /// Profiles.
    pub profiles: Changes,
    /// Municipalities by ARS.
    pub municipalities: Changes,
    /// Sources.
    pub sources: Changes,
    /// Targets as they result from all of that.
    pub targets: Changes,
    /// Procedure and area that go to another authority.
    pub routes: Vec<RouteChange>,
}

/// Names that came, went or mean something else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// Only in the newer one.
    pub added: Vec<String>,
    /// Only in the older one.
    pub removed: Vec<String>,
    /// In both, with other content.
    pub changed: Vec<String>,
}

impl Changes {
    /// Nothing changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty() && self.changed.is_empty()
    }

    fn of<V: PartialEq>(old: &BTreeMap<String, V>, new: &BTreeMap<String, V>) -> Self {
        let only = |one: &BTreeMap<String, V>, other: &BTreeMap<String, V>| {
            one.keys().filter(|name| !other.contains_key(*name)).cloned().collect()
        };
        let changed = old.iter().filter(|(name, value)| new.get(*name).is_some_and(|other| other != *value));
        Self {
            added: only(new, old),
            removed: only(old, new),
            changed: changed.map(|(name, _)| name.clone()).collect(),
        }
    }
}

/// A procedure of an area that is decided differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteChange {
    /// Procedure.
    pub procedure: ProcedureId,
    /// Area.
    pub ars: Ars,
    /// Authority and products before, or the gap.
    pub before: Option<String>,
    /// The same after.
    pub after: Option<String>,
}

/// Compares two releases; routes are those of `day`.
#[must_use]
pub fn diff(from: &Release, to: &Release, day: &str) -> ReleaseDiff {
    let (old, new) = (from.contents(), to.contents());
    let packages = |release: &Release, list: Vec<(String, String)>| -> BTreeMap<String, Digest> {
        list.into_iter().map(|(name, folder)| (name, folder_digest(release, &folder))).collect()
    };
    let rules = |release: &Release| {
        let list = release.contents().rules.iter().map(|rule| (rule.value.name(), rule.folder().to_owned()));
        packages(release, list.collect())
    };
    let products = |release: &Release| {
        let list = release
            .contents()
            .products
            .iter()
            .map(|product| (product.value.name(), product.folder().to_owned()));
        packages(release, list.collect())
    };
    let targets = |release: &Release| -> BTreeMap<String, Digest> {
        let text = |target: &crate::target::Target| serde_json::to_vec(target).unwrap_or_default();
        release.targets().map(|target| (target.id.to_string(), Digest::of(&text(&target)))).collect()
    };
    ReleaseDiff {
        from: from.id(),
        to: to.id(),
        rules: Changes::of(&rules(from), &rules(to)),
        products: Changes::of(&products(from), &products(to)),
        profiles: changes(&old.profiles, &new.profiles, |profile| profile.stem().to_owned()),
        municipalities: changes(&old.municipalities, &new.municipalities, |area| area.value.ars.to_string()),
        sources: changes(&old.sources, &new.sources, |source| source.value.id.to_string()),
        targets: Changes::of(&targets(from), &targets(to)),
        routes: routes(from, to, day),
    }
}

fn changes<T: PartialEq>(old: &[Filed<T>], new: &[Filed<T>], name: impl Fn(&Filed<T>) -> String) -> Changes {
    let map = |list: &'_ [Filed<T>]| -> Vec<String> { list.iter().map(&name).collect() };
    let (old_names, new_names) = (map(old), map(new));
    let old: BTreeMap<String, &T> = old_names.into_iter().zip(old.iter().map(|filed| &filed.value)).collect();
    let new: BTreeMap<String, &T> = new_names.into_iter().zip(new.iter().map(|filed| &filed.value)).collect();
    Changes::of(&old, &new)
}

/// Digest of every file below a folder.
fn folder_digest(release: &Release, folder: &str) -> Digest {
    let prefix = format!("{folder}/");
    let files = release.files().range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
    crate::release::release_id(files.map(|(path, bytes)| (path.as_str(), Digest::of(bytes)))).0
}

fn routes(from: &Release, to: &Release, day: &str) -> Vec<RouteChange> {
    let map = |release: &Release| -> BTreeMap<(ProcedureId, Ars, String), String> {
        let rows = release.coverage(day).map(|row| {
            let text = row.gap.map(|gap| gap.text.english).unwrap_or_else(|| {
                let products = [row.fachverfahren, row.dms, row.mail.then(|| "mail".to_owned())];
                let products: Vec<String> = products.into_iter().flatten().collect();
                format!(
                    "{}: {}",
                    row.authority.map(|id| id.to_string()).unwrap_or_default(),
                    products.join(", ")
                )
            });
            ((row.procedure, row.ars, row.rule), text)
        });
        rows.collect()
    };
    let (old, new) = (map(from), map(to));
    let keys: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key))
        .map(|key| RouteChange {
            procedure: key.0.clone(),
            ars: key.1,
            before: old.get(key).cloned(),
            after: new.get(key).cloned(),
        })
        .collect()
}
