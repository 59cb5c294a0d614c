//! Validity: windows that are none, end soon, or leave days on which nobody accepts a procedure.

use dds_message::{Code, ProcedureId, Timestamp};

use crate::{
    finding::CheckFinding,
    release::{Filed, Release},
    rule::{Day, RulePackage},
};

const DAY: i64 = 86_400_000;

impl Release {
    /// What is doubtful about the windows of validity, seen from `day`. That no rule of a procedure is valid today is a
    /// gap of the coverage.
    pub(crate) fn windows(&self, day: &str, findings: &mut Vec<CheckFinding>) {
        for (procedure, places) in &self.index().procedures {
            let mut rules: Vec<&Filed<RulePackage>> = Vec::new();
            for rule in places.iter().map(|place| &self.contents().rules[*place]) {
                match &rule.value.valid_until {
                    Some(last) if *last < rule.value.valid_from => findings.push(self.inverted(rule, last)),
                    _ => rules.push(rule),
                }
            }
            rules.sort_by(|one, other| one.value.valid_from.cmp(&other.value.valid_from));
            findings.extend(self.uncovered(procedure, &rules, day));
        }
    }

    fn inverted(&self, rule: &Filed<RulePackage>, last: &Day) -> CheckFinding {
        let (first, last) = (rule.value.valid_from.as_str(), last.as_str());
        let text = (
            format!("die Regel endet am {last}, bevor sie am {first} beginnt"),
            format!("the rule ends on {last}, before it begins on {first}"),
        );
        CheckFinding::error(Code::RULE_SYNTAX, &rule.file, text).at(self.place(&rule.file, "", "valid_until"))
    }

    /// Days to come without a rule: between two windows, and after the last.
    fn uncovered(
        &self,
        procedure: &ProcedureId,
        rules: &[&Filed<RulePackage>],
        day: &str,
    ) -> Vec<CheckFinding> {
        let mut findings = Vec::new();
        // The rule that is valid longest of those that have begun; an open end is later than any day.
        let end = |rule: &RulePackage| rule.valid_until.as_ref().map(Day::as_str).unwrap_or("~").to_owned();
        let mut longest: Option<&Filed<RulePackage>> = None;
        for rule in rules {
            let first = rule.value.valid_from.as_str();
            if let Some(before) = longest
                && let Some(last) = before.value.valid_until.as_ref().map(Day::as_str)
                && first > day
                && midnight(first) - midnight(last) > DAY
            {
                let text = (
                    format!("nach dem {last} und vor dem {first} ist keine Regel von {procedure} gültig"),
                    format!("no rule of {procedure} is valid after {last} and before {first}"),
                );
                findings.push(self.at_window(rule, "valid_from", text).warning());
            }
            if longest.is_none_or(|before| end(&before.value) <= end(&rule.value)) {
                longest = Some(rule);
            }
        }
        let ending = longest.and_then(|rule| Some((rule, rule.value.valid_until.as_ref()?.as_str())));
        if let Some((rule, last)) = ending.filter(|(_, last)| *last >= day) {
            // As certificates are judged.
            let days = (midnight(last) - midnight(day)) / DAY;
            let (german, english) = if days < 7 { (", sofort handeln", ", act now") } else { ("", "") };
            let text = (
                format!("{procedure} endet am {last}, in {days} Tagen, ohne Nachfolger{german}"),
                format!("{procedure} ends on {last}, in {days} days, without a successor{english}"),
            );
            let finding = self.at_window(rule, "valid_until", text);
            match days {
                0..30 => findings.push(finding.warning()),
                30..90 => findings.push(finding.info()),
                _ => {}
            }
        }
        findings
    }

    fn at_window(&self, rule: &Filed<RulePackage>, key: &str, text: (String, String)) -> CheckFinding {
        let remedy = (
            "valid_until verlängern, oder die nächste Version rechtzeitig beginnen lassen.",
            "Extend valid_until, or let the next version begin in time.",
        );
        CheckFinding::error(Code::COVERAGE_GAP, &rule.file, text)
            .at(self.place(&rule.file, "", key))
            .remedy(remedy)
    }
}

/// The beginning of a day in milliseconds.
fn midnight(day: &str) -> i64 {
    Timestamp::parse(&format!("{day}T00:00:00Z")).map_or(0, |moment| moment.0)
}
