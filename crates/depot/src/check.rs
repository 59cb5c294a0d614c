//! What is doubtful about a release that can be built: overlaps, gaps, unused products, rules without cases.

use std::collections::HashSet;

use dds_message::Code;

use crate::{
    finding::CheckFinding, index::Recognised, product::AdapterKind, release::Release, rule::RulePackage,
    text::locate,
};

/// At most so many single gaps are listed; the coverage map has them all.
const GAPS: usize = 50;

impl Release {
    /// Checks the release for `day` (`YYYY-MM-DD`). Errors (overlaps, DDS-C004; values that
    /// cannot be meant, DDS-C001 and DDS-C002) forbid to activate it; warnings and
    /// notes are for people.
    #[must_use]
    pub fn check(&self, day: &str) -> Vec<CheckFinding> {
        let mut findings = Vec::new();
        self.overlaps(&mut findings);
        self.packages(&mut findings);
        self.values(&mut findings);
        self.connections(&mut findings);
        self.gaps(day, &mut findings);
        findings.sort_by(|one, other| other.severity.cmp(&one.severity).then_with(|| one.cmp(other)));
        findings
    }

    fn overlaps(&self, findings: &mut Vec<CheckFinding>) {
        for shapes in self.index().roots.values() {
            for shape in shapes {
                for candidates in shape.by_value.values() {
                    // They stand sorted by validity; each is compared with all others: few share root and discriminators.
                    for (place, one) in candidates.iter().enumerate() {
                        for other in &candidates[place + 1..] {
                            if meet(self.rule_of(*one), self.rule_of(*other)) {
                                findings.push(self.overlap(*one, *other));
                            }
                        }
                    }
                }
            }
            self.ambiguous(shapes, findings);
        }
    }

    /// Two message types of one root that look at different fields: a message could satisfy both.
    fn ambiguous(&self, shapes: &[crate::index::Shape], findings: &mut Vec<CheckFinding>) {
        for (place, one) in shapes.iter().enumerate() {
            for other in &shapes[place + 1..] {
                let shared = other.slots.iter().filter(|slot| one.slots.contains(slot)).count();
                // The more specific one wins by design; and shared fields are left to the authors' cases.
                if shared > 0 || other.slots.is_empty() {
                    continue;
                }
                let first = |shape: &crate::index::Shape| shape.by_value.values().flatten().min().copied();
                if let (Some(left), Some(right)) = (first(one), first(other))
                    && meet(self.rule_of(left), self.rule_of(right))
                {
                    findings.push(self.overlap(left, right).warning());
                }
            }
        }
    }

    fn overlap(&self, one: Recognised, other: Recognised) -> CheckFinding {
        let name =
            |it: Recognised| format!("{} ({})", self.rule_of(it).name(), self.message_of(it).message_type());
        let file = &self.contents().rules[one.rule].file;
        let (left, right, file_of_right) = (name(one), name(other), &self.contents().rules[other.rule].file);
        let (window, window_of_right) = (self.rule_of(one).window(), self.rule_of(other).window());
        let text = (
            format!(
                "{left} und {right} in {file_of_right} erkennen dieselben Nachrichten, gültig {} und {}",
                window.german, window_of_right.german
            ),
            format!(
                "{left} and {right} of {file_of_right} recognise the same messages, valid {} and {}",
                window.english, window_of_right.english
            ),
        );
        let source = self.file(file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let place = locate(&source, "", &format!("\"{}\"", self.message_of(one).name));
        CheckFinding::error(Code::RULE_OVERLAP, file, text).at(place)
    }

    fn packages(&self, findings: &mut Vec<CheckFinding>) {
        let packages = self.contents().rules.iter().map(|rule| (rule.folder(), &rule.file));
        let products = self.contents().products.iter().map(|product| (product.folder(), &product.file));
        for (folder, file) in packages.chain(products) {
            let cases = self.cases(folder);
            if cases.is_empty() {
                let remedy = (
                    "Mindestens einen Ordner mit input und expected unter cases/ anlegen.",
                    "Add at least one folder below cases/ with input and expected.",
                );
                let text = ("das Paket hat keinen Fall", "the package has no case");
                findings.push(CheckFinding::error(Code::CASE_FAILED, file, text).warning().remedy(remedy));
            }
            for case in cases.iter().filter(|case| case.expected.is_none()) {
                let text = (
                    format!("der Fall {} hat keine Erwartung", case.name),
                    format!("case {} has no expectation", case.name),
                );
                let remedy = (
                    "Mit drehscheibe check --cases --update schreiben lassen und lesen, was geschrieben wurde.",
                    "Write it with drehscheibe check --cases --update and read what it wrote.",
                );
                findings.push(CheckFinding::error(Code::CASE_FAILED, file, text).warning().remedy(remedy));
            }
        }
        for (place, rule) in self.contents().rules.iter().enumerate() {
            for message in 0..rule.value.messages.len() {
                for missing in &self.compiled(Recognised { rule: place, message }).missing {
                    let text = (
                        format!("{missing} liegt nicht im Schemaordner"),
                        format!("{missing} is not in the schema folder"),
                    );
                    let (german, english) = if rule.value.schema_optional {
                        ("laufen Nachrichten dieser Regel ungeprüft durch", "pass unchecked")
                    } else {
                        ("werden Nachrichten dieser Regel zum Klärfall", "are parked")
                    };
                    let remedy = (
                        format!("Im Schemaordner ablegen; bis dahin {german}."),
                        format!("Put it into the schema folder; until then messages of this rule {english}."),
                    );
                    let finding = CheckFinding::error(Code::SCHEMA_MISSING, &rule.file, text).warning();
                    findings.push(finding.remedy(remedy));
                }
            }
        }
        let mut used: HashSet<&str> = HashSet::new();
        let profiles = self.contents().profiles.iter().flat_map(|profile| profile.value.offices.values());
        let exceptions = self.municipalities().flat_map(|area| area.offices.values());
        for office in profiles.chain(exceptions) {
            used.extend(office.products());
        }
        let mail = self.mail_product().map(|product| product.value.name());
        for product in &self.contents().products {
            let name = product.value.name();
            if !used.contains(name.as_str()) && mail.as_ref() != Some(&name) {
                let finding = CheckFinding::error(
                    Code::CONFIG_REFERENCE,
                    &product.file,
                    (format!("kein Amt verwendet {name}"), format!("no office uses {name}")),
                );
                findings.push(finding.info().remedy((
                    "Einem Amt zuordnen oder das Paket entfernen.",
                    "Assign it to an office, or remove the package.",
                )));
            }
        }
        findings.dedup();
    }

    /// Targets that lack what their adapter needs.
    fn connections(&self, findings: &mut Vec<CheckFinding>) {
        for (place, area) in self.contents().municipalities.iter().enumerate() {
            for authority in self.authorities_of(place) {
                for (id, product) in authority.targets() {
                    let Some(target) = self.office_target(&authority, id, product) else { continue };
                    let lacks = match target.adapter {
                        AdapterKind::Rest | AdapterKind::Soap if target.endpoint.is_none() => "endpoint",
                        AdapterKind::Folder if target.folder.is_none() => "folder",
                        AdapterKind::Mail if target.mail.is_none() => "mail",
                        AdapterKind::Mailbox if target.secret.is_none() => "secret",
                        _ => continue,
                    };
                    let text = (
                        format!("das Ziel {} braucht {lacks:?}", target.id),
                        format!("target {} needs {lacks:?}", target.id),
                    );
                    let remedy = (
                        format!("In der Datei der Kommune {lacks} = \"…\" ergänzen."),
                        format!("Add {lacks} = \"…\" to the municipality."),
                    );
                    findings.push(
                        CheckFinding::error(Code::CONFIG_REFERENCE, &area.file, text)
                            .warning()
                            .remedy(remedy),
                    );
                }
            }
        }
    }

    fn gaps(&self, day: &str, findings: &mut Vec<CheckFinding>) {
        let mut more = 0usize;
        let mut listed = 0usize;
        for row in self.coverage(day) {
            let Some(gap) = row.gap else { continue };
            if listed == GAPS {
                more += 1;
                continue;
            }
            listed += 1;
            let file = self.area(&row.ars).map(|place| self.contents().municipalities[place].file.as_str());
            let place = format!("{} in {} ({})", row.procedure, row.municipality, row.ars);
            let text = (format!("{place}: {}", gap.german), format!("{place}: {}", gap.english));
            findings.push(CheckFinding::error(Code::COVERAGE_GAP, file.unwrap_or_default(), text).warning());
        }
        if more > 0 {
            let text = (
                format!("{more} weitere Lücken; check --coverage nennt alle"),
                format!("{more} further gaps; check --coverage lists them all"),
            );
            findings.push(CheckFinding::error(Code::COVERAGE_GAP, "", text).warning());
        }
    }
}

/// Whether the validity of two rules has a day in common.
fn meet(one: &RulePackage, other: &RulePackage) -> bool {
    let begins_in_time =
        |a: &RulePackage, b: &RulePackage| b.valid_until.as_ref().is_none_or(|last| a.valid_from <= *last);
    begins_in_time(one, other) && begins_in_time(other, one)
}
