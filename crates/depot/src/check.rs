//! What is doubtful about a release that can be built: overlaps and gaps here; packages, validity, municipalities and
//! values each in a file of its own.

use std::collections::{BTreeMap, HashMap};

use dds_message::{Code, ProcedureId};

use crate::{
    catalogue,
    coverage::CoverageRow,
    finding::CheckFinding,
    index::Recognised,
    product::{AdapterKind, Authentication},
    release::Release,
    rule::RulePackage,
    text::locate,
};

impl Release {
    /// Checks the release for `day` (`YYYY-MM-DD`). Errors (overlaps, DDS-C004; cases that
    /// prove nothing, DDS-C005; values that cannot be meant, DDS-C001 to C003) forbid to activate it; warnings and
    /// notes are for people.
    #[must_use]
    pub fn check(&self, day: &str) -> Vec<CheckFinding> {
        let mut findings = Vec::new();
        self.overlaps(&mut findings);
        self.packages(&mut findings);
        self.idle_keys(&mut findings);
        self.windows(day, &mut findings);
        self.areas(&mut findings);
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
                    // They stand sorted by validity; each is compared with all others: few share root and
                    // discriminators.
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
        let place = self.place(file, "", &format!("\"{}\"", self.message_of(one).name));
        CheckFinding::error(Code::RULE_OVERLAP, file, text).at(place)
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
                        AdapterKind::Rest | AdapterKind::Soap
                            if target.secret.is_none()
                                && target.options.authentication != Some(Authentication::None) =>
                        {
                            "secret"
                        }
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
                    let place = self.place(&area.file, "", "profile");
                    let finding = CheckFinding::error(Code::CONFIG_REFERENCE, &area.file, text).at(place);
                    findings.push(finding.warning().remedy(remedy));
                }
            }
        }
    }

    /// The same gap of many municipalities is one finding; the coverage map names them all.
    fn gaps(&self, day: &str, findings: &mut Vec<CheckFinding>) {
        let mut gaps: BTreeMap<(String, Code), Vec<CoverageRow>> = BTreeMap::new();
        let mut areas: HashMap<ProcedureId, usize> = HashMap::new();
        for row in self.coverage(day) {
            *areas.entry(row.procedure.clone()).or_default() += 1;
            if let Some(gap) = &row.gap {
                gaps.entry((row.rule.clone(), gap.code)).or_default().push(row);
            }
        }
        for rows in gaps.into_values() {
            let [CoverageRow { procedure, ars, municipality, gap: Some(gap), .. }, others @ ..] =
                rows.as_slice()
            else {
                continue;
            };
            let (many_german, many) = match (others.len() + 1, areas.get(procedure)) {
                (2.., Some(all)) => (
                    format!(" und {} weiteren von {all} Kommunen", others.len()),
                    format!(" and {} more of {all} municipalities", others.len()),
                ),
                _ => Default::default(),
            };
            let place = format!("{procedure} in {municipality} ({ars})");
            let (german, english) = (&gap.text.german, &gap.text.english);
            let text = (format!("{place}{many_german}: {german}"), format!("{place}{many}: {english}"));
            let (file, place) = self.place_of_gap(&rows[0], gap.code);
            findings.push(CheckFinding::error(Code::COVERAGE_GAP, file, text).at(place).warning());
        }
    }

    /// Where a gap is mended: in the rule, if none is valid or its schema is missing; else where the municipality says
    /// who handles the procedure, by delegation or by its profile.
    fn place_of_gap(&self, row: &CoverageRow, because: Code) -> (&str, (usize, usize)) {
        let needle = match because {
            Code::SCHEMA_MISSING => Some(catalogue::PREFIX),
            Code::NOT_VALID_TODAY => Some("valid_"),
            _ => None,
        };
        if let Some((rule, needle)) = self.rule(&row.rule).zip(needle) {
            return (&rule.file, self.place(&rule.file, "", needle));
        }
        let Some(area) = self.area(&row.ars).map(|place| &self.contents().municipalities[place]) else {
            return ("", (0, 0));
        };
        let delegated = area.value.delegate.contains_key(&row.procedure);
        let (section, needle) =
            if delegated { ("delegate", row.procedure.as_str()) } else { ("", "profile") };
        (&area.file, self.place(&area.file, section, needle))
    }

    /// Where `needle` stands in a file of the release, behind `section` if that occurs.
    pub(crate) fn place(&self, file: &str, section: &str, needle: &str) -> (usize, usize) {
        let source = self.file(file).map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        locate(&source, section, needle)
    }
}

/// Whether the validity of two rules has a day in common.
fn meet(one: &RulePackage, other: &RulePackage) -> bool {
    let begins_in_time =
        |a: &RulePackage, b: &RulePackage| b.valid_until.as_ref().is_none_or(|last| a.valid_from <= *last);
    begins_in_time(one, other) && begins_in_time(other, one)
}
