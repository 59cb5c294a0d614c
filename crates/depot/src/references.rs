//! References between definitions: what must exist for a release to be built at all.

use dds_message::{Ars, AuthorityId, Code, OutputForm, ProcedureId};
use std::collections::HashSet;

use crate::{
    catalogue,
    directory::LONGEST_CHAIN,
    finding::CheckFinding,
    index::{Index, file_of, join},
    municipality::{Municipality, Office},
    product::{ProductKind, ProductPackage},
    release::{Contents, Filed, Files},
    source::Source,
    text::{locate, nearest},
};

pub(crate) fn check(contents: &Contents, files: &Files, index: &Index, findings: &mut Vec<CheckFinding>) {
    let mut check = References { contents, files, index, findings };
    check.packages();
    check.profiles();
    check.areas();
    check.defaults();
    check.folders();
}

/// What a name stands for, German with its article and English.
struct What(&'static str, &'static str);

struct References<'a> {
    contents: &'a Contents,
    files: &'a Files,
    index: &'a Index,
    findings: &'a mut Vec<CheckFinding>,
}

impl References<'_> {
    /// Notes an unknown name with its place and the nearest known one.
    fn unknown(&mut self, code: Code, file: &str, section: &str, what: What, name: &str, near: Option<&str>) {
        let place = self.place(file, section, name);
        let What(german, english) = what;
        let text = (format!("{german} {name:?} gibt es nicht"), format!("{english} {name:?} does not exist"));
        let finding = CheckFinding::error(code, file, text).at(place);
        self.findings.push(match near {
            Some(near) => finding.meant(near),
            None => finding,
        });
    }

    /// Where `needle` stands in a file, behind `section` if that occurs.
    fn place(&self, file: &str, section: &str, needle: &str) -> (usize, usize) {
        let text = self.files.get(file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        locate(&text, section, needle)
    }

    fn packages(&mut self) {
        let contents = self.contents;
        for rule in &contents.rules {
            if rule.value.messages.is_empty() {
                let text = (
                    "die Regel erkennt keine Nachricht: [[message]] fehlt",
                    "the rule recognises no message: [[message]] is missing",
                );
                self.findings.push(CheckFinding::error(Code::RULE_SYNTAX, &rule.file, text));
            }
            for message in &rule.value.messages {
                let section = format!("\"{}\"", message.name);
                for reference in message.schema.iter().chain(&message.schematron).chain([&message.canonical])
                {
                    self.file(&rule.file, &section, reference, &file_of(contents, rule, reference));
                }
            }
        }
        for product in &contents.products {
            let Some(stylesheet) = &product.value.stylesheet else {
                self.vorgang_as_it_is(product);
                continue;
            };
            self.file(&product.file, "", stylesheet, &join(product.folder(), stylesheet));
        }
    }

    /// A product without a stylesheet gets XML, whatever it calls it.
    fn vorgang_as_it_is(&mut self, product: &Filed<ProductPackage>) {
        if product.value.output != OutputForm::Xml {
            let text = (
                "ohne stylesheet nimmt das Produkt den Vorgang, wie er ist, und das ist XML: output = \"xml\" setzen \
                 oder ein stylesheet nennen",
                "without a stylesheet the product takes the Vorgang as it is, which is XML: set output = \"xml\" or \
                 name a stylesheet",
            );
            let place = self.place(&product.file, "", "output");
            self.findings.push(CheckFinding::error(Code::RULE_SYNTAX, &product.file, text).at(place));
        }
    }

    fn file(&mut self, file: &str, section: &str, reference: &str, path: &str) {
        let contents = self.contents;
        if reference.starts_with(catalogue::PREFIX) {
            // Known to the catalogue is enough: a missing file parks messages (DDS-V003) and is a finding of `check`.
            if path == reference {
                let sets = contents.catalogue.iter().flat_map(|catalogue| &catalogue.value.schemas);
                let known: Vec<String> = sets
                    .flat_map(|set| {
                        set.files
                            .iter()
                            .map(|file| format!("{}{}#{}", catalogue::PREFIX, set.label(), file.path))
                    })
                    .collect();
                let near = nearest(reference, known.iter().map(String::as_str));
                self.unknown(
                    Code::RULE_SYNTAX,
                    file,
                    section,
                    What("das Schema des Katalogs", "schema of the catalogue"),
                    reference,
                    near,
                );
            }
            return;
        }
        if !self.files.contains_key(path) {
            let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
            let inside = self.files.keys().filter_map(|path| path.strip_prefix(folder)?.strip_prefix('/'));
            let near = nearest(reference, inside);
            self.unknown(Code::RULE_SYNTAX, file, section, What("die Datei", "file"), reference, near);
        }
    }

    fn profiles(&mut self) {
        let contents = self.contents;
        for profile in &contents.profiles {
            for (key, office) in &profile.value.offices {
                self.office(&profile.file, key, office);
            }
        }
    }

    fn office(&mut self, file: &str, key: &str, office: &Office) {
        let section = format!("[office.{key}]");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if key.is_empty() || key.len() > 60 || !key.bytes().all(plain) {
            let text = (
                format!("der Name {key:?} eines Amtes besteht nicht aus 1 bis 60 Zeichen a-z 0-9 -"),
                format!("office name {key:?} is not 1 to 60 of a-z 0-9 -"),
            );
            self.findings.push(CheckFinding::error(Code::CONFIG_SYNTAX, file, text));
        }
        for procedure in office.procedures.iter().flatten() {
            self.procedure(file, &section, procedure);
        }
        for (name, kind) in
            [(&office.fachverfahren, ProductKind::Fachverfahren), (&office.dms, ProductKind::Dms)]
        {
            let Some(name) = name.as_deref().filter(|name| !name.is_empty()) else { continue };
            match self.index.products.get(name) {
                None => {
                    let known = self.index.products.keys().map(String::as_str);
                    let near = nearest(name, known);
                    self.unknown(
                        Code::CONFIG_REFERENCE,
                        file,
                        &section,
                        What("das Produkt", "product"),
                        name,
                        near,
                    );
                }
                Some(place) if self.contents.products[*place].value.kind != kind => {
                    let text = (
                        format!(
                            "das Produkt {name:?} des Amtes {key:?} ist nicht von der Art, die sein Platz nennt"
                        ),
                        format!("product {name:?} of office {key:?} is not of the kind its place says"),
                    );
                    self.findings.push(CheckFinding::error(Code::CONFIG_REFERENCE, file, text));
                }
                Some(_) => {}
            }
        }
        if office.mail == Some(true) && self.index.mail.is_none() {
            let near = None;
            self.unknown(
                Code::CONFIG_REFERENCE,
                file,
                &section,
                What("das Produkt mit adapter mail für", "product with adapter mail, for"),
                "mail = true",
                near,
            );
        }
    }

    fn procedure(&mut self, file: &str, section: &str, procedure: &ProcedureId) {
        if !self.index.procedures.contains_key(procedure) {
            let near = nearest(procedure.as_str(), self.index.procedures.keys().map(ProcedureId::as_str));
            self.unknown(
                Code::CONFIG_REFERENCE,
                file,
                section,
                What("das Verfahren", "procedure"),
                procedure.as_str(),
                near,
            );
        }
    }

    fn areas(&mut self) {
        let contents = self.contents;
        let mut sound = HashSet::new();
        for (place, area) in contents.municipalities.iter().enumerate() {
            let value = &area.value;
            if self.index.profile(contents, &value.profile).is_none() {
                let near = nearest(&value.profile, contents.profiles.iter().map(Filed::stem));
                self.unknown(
                    Code::CONFIG_REFERENCE,
                    &area.file,
                    "profile",
                    What("das Profil", "profile"),
                    &value.profile,
                    near,
                );
            }
            for (key, office) in &value.offices {
                self.office(&area.file, key, office);
            }
            for (procedure, other) in &value.delegate {
                self.procedure(&area.file, "delegate", procedure);
                if !self.exists(other) {
                    self.unknown(
                        Code::CONFIG_REFERENCE,
                        &area.file,
                        "delegate",
                        What("die Stelle", "delegate"),
                        other,
                        None,
                    );
                }
                self.chain(place, procedure, &mut sound);
            }
            for (procedure, participants) in &value.participants {
                self.procedure(&area.file, "participants", procedure);
                for name in participants.iter().map(AuthorityId::as_str) {
                    if self.exists(name) {
                        continue;
                    }
                    self.unknown(
                        Code::CONFIG_REFERENCE,
                        &area.file,
                        "participants",
                        What("der Beteiligte", "participant"),
                        name,
                        None,
                    );
                }
            }
        }
    }

    /// Follows a delegation to its end; a cycle or an end without an office is an error.
    fn chain(&mut self, start: usize, procedure: &ProcedureId, sound: &mut HashSet<(usize, ProcedureId)>) {
        let mut way = vec![start];
        let mut at = start;
        while !sound.contains(&(at, procedure.clone())) {
            let area: &Municipality = &self.contents.municipalities[at].value;
            let Some(other) = area.delegate.get(procedure) else { break };
            let Some(next) = Ars::parse(other).ok().and_then(|ars| self.index.areas.get(&ars).copied())
            else {
                break;
            };
            let cycle = way.contains(&next);
            way.push(next);
            if cycle || way.len() > LONGEST_CHAIN {
                let names: Vec<&str> =
                    way.iter().map(|place| self.contents.municipalities[*place].value.ars.as_str()).collect();
                let (german, english) = if cycle {
                    ("läuft im Kreis", "runs in a circle")
                } else {
                    ("ist zu lang", "is too long")
                };
                let names = names.join(" → ");
                let text = (
                    format!("die Übertragung von {procedure} {german}: {names}"),
                    format!("delegation of {procedure} {english}: {names}"),
                );
                let file = &self.contents.municipalities[start].file;
                let place = self.place(file, "delegate", procedure.as_str());
                let remedy = (
                    "Die letzte Kommune der Kette muss das Verfahren mit einem eigenen Amt erledigen.",
                    "Let the last area of the chain do it with an office of its own.",
                );
                self.findings
                    .push(CheckFinding::error(Code::CONFIG_REFERENCE, file, text).at(place).remedy(remedy));
                return;
            }
            at = next;
        }
        sound.extend(way.into_iter().map(|place| (place, procedure.clone())));
    }

    /// Whether an ARS or `sn:<ars>-<office>` names something.
    fn exists(&self, name: &str) -> bool {
        if let Ok(ars) = Ars::parse(name) {
            return self.index.areas.contains_key(&ars);
        }
        let key = name.strip_prefix("sn:").or_else(|| name.strip_prefix("ars:")).unwrap_or_default();
        let Some((ars, office)) = key.split_once('-') else {
            return Ars::parse(key).is_ok_and(|ars| self.index.areas.contains_key(&ars));
        };
        let Some(place) = Ars::parse(ars).ok().and_then(|ars| self.index.areas.get(&ars)) else {
            return false;
        };
        let area = &self.contents.municipalities[*place].value;
        let profile = self.index.profile(self.contents, &area.profile);
        area.offices.contains_key(office)
            || profile.is_some_and(|profile| profile.offices.contains_key(office))
    }

    /// Drop folders lie below the inbox and belong to one source alone: who can write there sends as this source.
    fn folders(&mut self) {
        let contents = self.contents;
        let mut seen: Vec<(Vec<&str>, &Filed<Source>)> = Vec::new();
        for source in &contents.sources {
            let Some(folder) = &source.value.folder else { continue };
            let parts: Vec<&str> = folder.trim_end_matches('/').split('/').collect();
            let text = if parts.iter().any(|part| matches!(*part, "" | "." | "..") || part.contains('\\')) {
                Some((
                    format!("das Transferverzeichnis {folder:?} liegt nicht unter [folders] inbox"),
                    format!("drop folder {folder:?} is not below [folders] inbox"),
                ))
            } else {
                let other =
                    seen.iter().find(|(other, _)| other.starts_with(&parts) || parts.starts_with(other));
                other.map(|(_, other)| {
                    let other = &other.file;
                    (
                        format!("das Transferverzeichnis {folder:?} gehört schon der Quelle in {other}"),
                        format!("drop folder {folder:?} belongs to the source of {other} already"),
                    )
                })
            };
            match text {
                Some(text) => {
                    let file = &source.file;
                    let place = self.place(file, "", &format!("\"{folder}\""));
                    let remedy = (
                        "Einen eigenen Namen ohne führenden Schrägstrich und ohne „..“ wählen.",
                        "Choose a name of its own that does not begin with a slash and has no \"..\" in it.",
                    );
                    let finding = CheckFinding::error(Code::CONFIG_REFERENCE, file, text).at(place);
                    self.findings.push(finding.remedy(remedy));
                }
                None => seen.push((parts, source)),
            }
        }
    }

    fn defaults(&mut self) {
        let Some(defaults) = &self.contents.defaults else { return };
        let ids: Vec<&AuthorityId> =
            defaults.value.authority.iter().chain(defaults.value.procedure.values()).collect();
        for id in ids {
            if !self.exists(id.as_str()) {
                self.unknown(
                    Code::CONFIG_REFERENCE,
                    &defaults.file,
                    "",
                    What("die Stelle", "authority"),
                    id.as_str(),
                    None,
                );
            }
        }
    }
}
