//! Coverage map (Abdeckung): procedure × area → authority, rule, products, cases.

use std::collections::HashMap;

use dds_message::{Ars, AuthorityId, Facts, Problem, ProcedureId, Text};
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
    pub gap: Option<Text>,
}

impl Release {
    /// The coverage on `day`: what the matcher itself decides for a plain message of each rule valid on that day from
    /// each municipality. Districts, associations and the Land count only where they have no municipalities.
    pub fn coverage(&self, day: &str) -> impl Iterator<Item = CoverageRow> {
        let mut members: HashMap<Ars, usize> = HashMap::new();
        for area in self.municipalities() {
            for above in [area.ars.association(), area.ars.district(), area.ars.land()] {
                if above != area.ars {
                    *members.entry(above).or_default() += 1;
                }
            }
        }
        let rules: Vec<(Recognised, usize)> = self
            .contents()
            .rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.value.valid_on(day) && !rule.value.messages.is_empty())
            .map(|(place, rule)| (Recognised { rule: place, message: 0 }, self.cases(rule.folder()).len()))
            .collect();
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
        match self.decide(&facts, recognised, &[], day) {
            Decision::Park { problem, .. } => row.gap = Some(gap(&problem)),
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
                row.authority = Some(plan.authority);
            }
        }
        row
    }
}

fn gap(problem: &Problem) -> Text {
    let Problem { code, detail, .. } = problem;
    (format!("{code}: {}", detail.german), format!("{code}: {}", detail.english)).into()
}
