//! The index of a release: every question of the matcher is a look-up in one of these tables.

use std::collections::HashMap;

use dds_message::{Ags, Ars, Code, Digest, MessageType, ProcedureId, SourceId, Text};
use dds_xml::{KeyPlan, Path, QName, Slot};

use crate::{
    catalogue,
    finding::CheckFinding,
    municipality::Profile,
    product::AdapterKind,
    references,
    release::{Contents, Filed, Files},
    rule::{MessageRule, RulePackage},
    text::locate,
};

/// A message type of a rule package in one release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recognised {
    pub(crate) rule: usize,
    pub(crate) message: usize,
}

#[derive(Default)]
pub(crate) struct Index {
    pub(crate) plan: KeyPlan,
    pub(crate) roots: HashMap<QName, Vec<Shape>>,
    pub(crate) types: HashMap<(ProcedureId, MessageType), Vec<Recognised>>,
    pub(crate) procedures: HashMap<ProcedureId, Vec<usize>>,
    /// By rule, then message.
    pub(crate) messages: Vec<Vec<Compiled>>,
    pub(crate) rules: HashMap<String, usize>,
    pub(crate) products: HashMap<String, usize>,
    pub(crate) mail: Option<usize>,
    pub(crate) areas: HashMap<Ars, usize>,
    pub(crate) ags: HashMap<Ags, usize>,
    pub(crate) sources: HashMap<SourceId, usize>,
    pub(crate) tokens: HashMap<Digest, usize>,
    pub(crate) certificates: HashMap<Digest, usize>,
    profiles: HashMap<String, (usize, Duties)>,
    /// Areas whose exceptions change who does what.
    exceptions: HashMap<usize, Duties>,
}

/// Procedure → short name of the office.
type Duties = HashMap<ProcedureId, String>;

/// Message types of one root that look at the same discriminators. The shapes of a root stand with the most specific
/// first; there are as many as rules use different sets of paths, not as many as there are rules.
#[derive(Default)]
pub(crate) struct Shape {
    pub(crate) slots: Vec<Slot>,
    /// Texts at these slots → message types, the one valid latest first.
    pub(crate) by_value: HashMap<Vec<String>, Vec<Recognised>>,
}

/// A message type with its paths resolved.
pub(crate) struct Compiled {
    pub(crate) root: QName,
    pub(crate) municipality: Option<Slot>,
    pub(crate) addressee: Option<Slot>,
    pub(crate) case: Option<Slot>,
    pub(crate) reference: Option<Slot>,
    pub(crate) leika: Option<Slot>,
    pub(crate) participants: Option<Slot>,
    pub(crate) schema: Option<String>,
    pub(crate) schematrons: Vec<String>,
    pub(crate) canonical: String,
    /// Third-party files that are not in the release.
    pub(crate) missing: Vec<String>,
}

impl Index {
    pub(crate) fn build(contents: &Contents, files: &Files) -> Result<Self, Vec<CheckFinding>> {
        let mut findings = Vec::new();
        let mut index = Self::default();
        index.add_products(contents, &mut findings);
        for (place, rule) in contents.rules.iter().enumerate() {
            index.add_rule(contents, files, place, rule, &mut findings);
        }
        for candidates in index.types.values_mut() {
            sort_candidates(contents, candidates);
        }
        for shapes in index.roots.values_mut() {
            shapes.sort_by(|one, other| {
                other.slots.len().cmp(&one.slots.len()).then(one.slots.cmp(&other.slots))
            });
            for shape in shapes {
                shape.by_value.values_mut().for_each(|candidates| sort_candidates(contents, candidates));
            }
        }
        index.add_areas(contents, &mut findings);
        index.add_sources(contents, &mut findings);
        references::check(contents, files, &index, &mut findings);
        if findings.is_empty() {
            Ok(index)
        } else {
            findings.sort();
            findings.dedup();
            Err(findings)
        }
    }

    fn add_products(&mut self, contents: &Contents, findings: &mut Vec<CheckFinding>) {
        let mut newest: Option<(Vec<u64>, usize)> = None;
        for (place, product) in contents.products.iter().enumerate() {
            let name = product.value.name();
            if let Some(first) = self.products.insert(name.clone(), place) {
                findings.push(twice(&product.file, &name, &contents.products[first].file, Code::RULE_SYNTAX));
            }
            if product.value.adapter == AdapterKind::Mail {
                let version = version_key(&product.value.version);
                if newest.as_ref().is_none_or(|(other, _)| *other < version) {
                    newest = Some((version, place));
                }
            }
        }
        self.mail = newest.map(|(_, place)| place);
    }

    fn add_rule(
        &mut self,
        contents: &Contents,
        files: &Files,
        place: usize,
        rule: &Filed<RulePackage>,
        findings: &mut Vec<CheckFinding>,
    ) {
        let name = rule.value.name();
        if let Some(first) = self.rules.insert(name.clone(), place) {
            findings.push(twice(&rule.file, &name, &contents.rules[first].file, Code::RULE_SYNTAX));
        }
        self.procedures.entry(rule.value.procedure.clone()).or_default().push(place);
        let mut messages = Vec::with_capacity(rule.value.messages.len());
        for (number, message) in rule.value.messages.iter().enumerate() {
            let recognised = Recognised { rule: place, message: number };
            match self.add_message(contents, files, rule, message, recognised) {
                Ok(compiled) => messages.push(compiled),
                Err((needle, error)) => {
                    let text = files.get(&rule.file).map(|bytes| String::from_utf8_lossy(bytes));
                    let section = format!("\"{}\"", message.name);
                    findings.push(CheckFinding::error(Code::RULE_SYNTAX, &rule.file, error).at(locate(
                        text.as_deref().unwrap_or_default(),
                        &section,
                        &needle,
                    )));
                    return;
                }
            }
        }
        // A later rule may not be looked up before all its messages compiled: findings end the build anyway.
        self.messages.push(messages);
    }

    fn add_message(
        &mut self,
        contents: &Contents,
        files: &Files,
        rule: &Filed<RulePackage>,
        message: &MessageRule,
        recognised: Recognised,
    ) -> Result<Compiled, (String, Text)> {
        let prefixes = &rule.value.namespaces;
        let root = Path::parse_name(&message.root, prefixes)
            .map_err(|error| (message.root.clone(), no_path(&message.root, &error)))?;
        self.plan.add_root(&root);
        let plan = &mut self.plan;
        let mut slot = |text: &str| -> Result<Slot, (String, Text)> {
            let path =
                Path::parse(text, prefixes).map_err(|error| (text.to_owned(), no_path(text, &error)))?;
            // A path that starts elsewhere could never have a value: its first step is a mistake.
            if path.root() != &root {
                let why = (
                    format!("der Pfad {text:?} beginnt nicht beim Wurzelelement {}", message.root),
                    format!("path {text:?} does not start at the root element {}", message.root),
                );
                return Err((text.to_owned(), why.into()));
            }
            Ok(plan.add(&path))
        };
        let mut when: Vec<(Slot, String)> = Vec::new();
        for (path, value) in &message.when {
            when.push((slot(path)?, value.clone()));
        }
        when.sort();
        let mut key = |path: &Option<String>| path.as_deref().map(&mut slot).transpose();
        let keys = &message.keys;
        let mut compiled = Compiled {
            municipality: key(&keys.municipality)?,
            addressee: key(&keys.addressee)?,
            case: key(&keys.case)?,
            reference: key(&keys.reference)?,
            leika: key(&keys.leika)?,
            participants: key(&keys.participants)?,
            root: root.clone(),
            schema: None,
            schematrons: Vec::new(),
            canonical: join(rule.folder(), &message.canonical),
            missing: Vec::new(),
        };
        let mut resolve = |reference: &String| {
            let path = file_of(contents, rule, reference);
            if reference.starts_with(catalogue::PREFIX) && !files.contains_key(&path) {
                compiled.missing.push(reference.clone());
            }
            path
        };
        compiled.schema = message.schema.as_ref().map(&mut resolve);
        compiled.schematrons = message.schematron.iter().map(&mut resolve).collect();
        let (slots, values): (Vec<Slot>, Vec<String>) = when.into_iter().unzip();
        let shapes = self.roots.entry(root).or_default();
        let at = shapes.iter().position(|shape| shape.slots == slots).unwrap_or_else(|| {
            shapes.push(Shape { slots, by_value: HashMap::new() });
            shapes.len() - 1
        });
        shapes[at].by_value.entry(values).or_default().push(recognised);
        self.types
            .entry((rule.value.procedure.clone(), message.message_type()))
            .or_default()
            .push(recognised);
        Ok(compiled)
    }

    fn add_areas(&mut self, contents: &Contents, findings: &mut Vec<CheckFinding>) {
        for (place, profile) in contents.profiles.iter().enumerate() {
            let duties = duties(profile.value.offices.iter(), &profile.file, findings);
            self.profiles.insert(profile.stem().to_owned(), (place, duties));
        }
        for (place, area) in contents.municipalities.iter().enumerate() {
            if let Some(first) = self.areas.insert(area.value.ars, place) {
                let name = area.value.ars.to_string();
                findings.push(twice(
                    &area.file,
                    &name,
                    &contents.municipalities[first].file,
                    Code::CONFIG_REFERENCE,
                ));
            }
            if let Some(ags) = own_ags(&area.value.ars) {
                self.ags.insert(ags, place);
            }
            if area.value.offices.values().all(|office| office.procedures.is_none()) {
                continue;
            }
            let general = self.profile(contents, &area.value.profile);
            let mut offices = general.map(|profile| profile.offices.clone()).unwrap_or_default();
            for (key, exception) in &area.value.offices {
                let merged = offices.get(key).map_or_else(|| exception.clone(), |base| exception.over(base));
                offices.insert(key.clone(), merged);
            }
            let own = duties(offices.iter(), &area.file, findings);
            self.exceptions.insert(place, own);
        }
    }

    fn add_sources(&mut self, contents: &Contents, findings: &mut Vec<CheckFinding>) {
        for (place, source) in contents.sources.iter().enumerate() {
            let value = &source.value;
            let mut clash = |first: Option<usize>, what: &str| {
                if let Some(first) = first {
                    findings.push(twice(
                        &source.file,
                        what,
                        &contents.sources[first].file,
                        Code::CONFIG_REFERENCE,
                    ));
                }
            };
            clash(self.sources.insert(value.id.clone(), place), value.id.as_str());
            for token in &value.tokens {
                clash(self.tokens.insert(*token, place), &format!("token {}", token.short()));
            }
            for certificate in &value.certificates {
                clash(
                    self.certificates.insert(*certificate, place),
                    &format!("certificate {}", certificate.short()),
                );
            }
        }
    }

    pub(crate) fn profile<'a>(&self, contents: &'a Contents, name: &str) -> Option<&'a Profile> {
        self.profiles.get(name).map(|(place, _)| &contents.profiles[*place].value)
    }

    pub(crate) fn own_office(&self, place: usize, profile: &str, procedure: &ProcedureId) -> Option<&str> {
        let duties = match self.exceptions.get(&place) {
            Some(own) => own,
            None => &self.profiles.get(profile)?.1,
        };
        duties.get(procedure).map(String::as_str)
    }
}

/// The AGS of an area. A Verband has none of its own: its digits would read as those of its district.
pub(crate) fn own_ags(ars: &Ars) -> Option<Ags> {
    (ars.association() != *ars || ars.district() == *ars).then(|| ars.ags())
}

/// Path in the release of a schema or Schematron a rule names.
pub(crate) fn file_of(contents: &Contents, rule: &Filed<RulePackage>, reference: &str) -> String {
    if !reference.starts_with(catalogue::PREFIX) {
        return join(rule.folder(), reference);
    }
    let found = contents.catalogue.as_ref().and_then(|catalogue| catalogue.value.resolve(reference));
    found.map_or_else(|| reference.to_owned(), |(set, file)| set.release_path(file))
}

/// A path relative to a folder of the release; `..` leads to its parent, never out of the release.
pub(crate) fn join(folder: &str, reference: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').collect();
    for part in reference.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The one valid latest first; equal ones by name, so that the order of the files decides nothing.
fn sort_candidates(contents: &Contents, candidates: &mut [Recognised]) {
    let key = |one: &Recognised| {
        let rule = &contents.rules[one.rule].value;
        (std::cmp::Reverse((rule.valid_from.clone(), version_key(&rule.version))), rule.name(), one.message)
    };
    candidates.sort_by_cached_key(key);
}

/// Numbers of a version, so that 1.10 stands above 1.9.
pub(crate) fn version_key(version: &str) -> Vec<u64> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

fn duties<'a>(
    offices: impl Iterator<Item = (&'a String, &'a crate::municipality::Office)>,
    file: &str,
    findings: &mut Vec<CheckFinding>,
) -> Duties {
    let mut duties = Duties::new();
    for (key, office) in offices {
        for procedure in office.procedures.iter().flatten() {
            if let Some(first) = duties.insert(procedure.clone(), key.clone()) {
                let text = (
                    format!("das Verfahren {procedure} ist beiden Ämtern {first:?} und {key:?} gegeben"),
                    format!("procedure {procedure} is given to both offices {first:?} and {key:?}"),
                );
                let remedy = ("Das Verfahren bei einem Amt lassen.", "Leave the procedure with one office.");
                findings.push(CheckFinding::error(Code::CONFIG_REFERENCE, file, text).remedy(remedy));
            }
        }
    }
    duties
}

fn twice(file: &str, name: &str, first: &str, code: Code) -> CheckFinding {
    let text =
        (format!("{name} ist schon in {first} definiert"), format!("{name} is already defined in {first}"));
    CheckFinding::error(code, file, text).remedy(("Eines von beiden behalten.", "Keep one of the two."))
}

/// The reader of paths tells its reason in English only; German says what a path may be.
fn no_path(text: &str, error: &impl std::fmt::Display) -> Text {
    let german = format!(
        "{text:?} ist kein zulässiger Pfad: absolut, aus Kindschritten mit in [namespaces] erklärten Präfixen, zuletzt auch @attribut"
    );
    (german, error.to_string()).into()
}
