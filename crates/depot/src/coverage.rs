//! Coverage map (Abdeckung): procedure × area → authority, rule, products, cases.

use std::collections::HashMap;

use dds_message::{Ars, AuthorityId, Code, Facts, Problem, ProcedureId, Text};
use serde::Serialize;

use crate::{decide::Decision, index::Recognised, product::ProductKind, release::Release};

/// One field of the map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CoverageRow {
    /// Procedure.
    pub procedure: ProcedureId,
    /// Area.
    pub ars: Ars,
    /// Its name.
    pub municipality: String,
    /// Rule.
    pub rule: String,
    /// Authority responsible.
    pub authority: Option<AuthorityId>,
    /// Its Fachverfahren.
    pub fachverfahren: Option<String>,
    /// Its DMS.
    pub dms: Option<String>,
    /// Also by mail.
    pub mail: bool,
    /// Cases of the rule.
    pub cases: usize,
    /// Why there is a gap.
    pub gap: Option<Gap>,
}

/// Why a message would be parked, or go where nobody handles it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What it would be parked with, or what is wrong with the release.
    pub code: Code,
    /// For people; begins with the code.
    #[serde(flatten)]
    pub text: Text,
}

impl Gap {
    fn new(code: Code, (german, english): (&str, &str)) -> Self {
        Self { code, text: (format!("{code}: {german}"), format!("{code}: {english}")).into() }
    }

    fn of(Problem { code, detail, .. }: &Problem) -> Self {
        Self::new(*code, (&detail.german, &detail.english))
    }
}

impl Release {
    /// The coverage on `day`: what the matcher itself decides for a plain message of each rule valid on that day from
    /// each municipality; a procedure without a valid rule is a gap, and so is an authority that takes what it does not
    /// handle. Districts, associations and the Land count only where they have no municipalities.
    pub fn coverage(&self, day: &str) -> impl Iterator<Item = CoverageRow> {
        let mut members: HashMap<Ars, usize> = HashMap::new();
        for area in self.municipalities() {
            for above in [area.ars.association(), area.ars.district(), area.ars.land()] {
                if above != area.ars {
                    *members.entry(above).or_default() += 1;
                }
            }
        }
        let all = &self.contents().rules;
        let mut rules: Vec<(Recognised, usize)> = Vec::new();
        for places in self.index().procedures.values() {
            let valid: Vec<usize> =
                places.iter().copied().filter(|it| all[*it].value.valid_on(day)).collect();
            // Where no rule is valid, the one that would be latest stands for the gap.
            let latest = || places.iter().copied().max_by_key(|place| &all[*place].value.valid_from);
            let shown = if valid.is_empty() { latest().into_iter().collect() } else { valid };
            let shown = shown.into_iter().map(|place| (place, self.cases(all[place].folder()).len()));
            rules.extend(shown.map(|(rule, cases)| (Recognised { rule, message: 0 }, cases)));
        }
        rules.sort_unstable();
        let day = day.to_owned();
        self.municipalities().filter(move |area| !members.contains_key(&area.ars)).flat_map(move |area| {
            let rows: Vec<CoverageRow> = rules
                .iter()
                .map(|(rule, cases)| self.row(area.ars, &area.name, *rule, *cases, &day))
                .collect();
            rows
        })
    }

    fn row(&self, ars: Ars, name: &str, recognised: Recognised, cases: usize, day: &str) -> CoverageRow {
        let rule = self.rule_of(recognised);
        let facts = Facts {
            procedure: rule.procedure.clone(),
            message_type: self.message_of(recognised).message_type(),
            leika: None,
            municipality: Some(ars),
            addressee: None,
            case: None,
            reference: None,
            participants: Vec::new(),
        };
        let mut row = CoverageRow {
            procedure: rule.procedure.clone(),
            ars,
            municipality: name.to_owned(),
            rule: rule.name(),
            authority: None,
            fachverfahren: None,
            dms: None,
            mail: false,
            cases,
            gap: None,
        };
        if !rule.valid_on(day) {
            row.gap = Some(Gap::of(&self.not_valid(recognised, day)));
            return row;
        }
        match self.decide(&facts, recognised, &[], day) {
            Decision::Park { problem, .. } => row.gap = Some(Gap::of(&problem)),
            Decision::Route(plan) => {
                let own = plan.deliveries.into_iter().filter(|delivery| delivery.authority == plan.authority);
                for delivery in own {
                    match self.product(&delivery.product).map(|product| product.value.kind) {
                        _ if delivery.target.as_str().ends_with("/mail") => row.mail = true,
                        Some(ProductKind::Fachverfahren) => row.fachverfahren = Some(delivery.product),
                        Some(ProductKind::Dms) => row.dms = Some(delivery.product),
                        None => {}
                    }
                }
                if !self.handles(&plan.authority, &rule.procedure) {
                    let (id, procedure) = (&plan.authority, &rule.procedure);
                    let german = format!("{id} bekommt es und bearbeitet {procedure} nicht");
                    let english = format!("{id} gets it and does not handle {procedure}");
                    row.gap = Some(Gap::new(Code::CONFIG_REFERENCE, (&german, &english)));
                }
                row.authority = Some(plan.authority);
            }
        }
        row
    }
}
