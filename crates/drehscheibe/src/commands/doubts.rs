//! What a check has to say beside errors, told in few lines where a release is built or put in force.

use dds_depot::CheckFinding;
use dds_message::{Language, Severity};

use crate::output::Output;

/// The warnings among `findings`: one line per kind, and how many more there are of it.
pub(super) fn tell(findings: &[CheckFinding], output: Output) {
    for (first, count) in kinds(findings) {
        let line = first.line(output.language);
        let more = count - 1;
        output.line(match output.language {
            _ if more == 0 => line,
            Language::German => format!("{line} ({more} weitere dieser Art zeigt drehscheibe check)"),
            Language::English => format!("{line} (drehscheibe check shows {more} more of this kind)"),
        });
    }
}

/// The first warning of each kind, and how many there are. What has the same remedy is of one kind.
fn kinds(findings: &[CheckFinding]) -> Vec<(&CheckFinding, usize)> {
    let mut kinds: Vec<(&CheckFinding, usize)> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.severity == Severity::Warning) {
        let same = |first: &CheckFinding| first.code == finding.code && first.remedy == finding.remedy;
        match kinds.iter_mut().find(|(first, _)| same(first)) {
            Some((_, count)) => *count += 1,
            None => kinds.push((finding, 1)),
        }
    }
    kinds
}

#[cfg(test)]
mod tests {
    use dds_message::Code;

    use super::*;

    #[test]
    fn many_warnings_of_one_kind_are_one_line() {
        let gap = |file: &str| CheckFinding::error(Code::COVERAGE_GAP, file, ("Lücke", "gap")).warning();
        let other = gap("c").remedy(("Anders.", "Otherwise."));
        let findings = [gap("a"), gap("b").info(), other, gap("d")];
        let told: Vec<_> =
            kinds(&findings).into_iter().map(|(first, count)| (first.file.as_str(), count)).collect();
        assert_eq!(told, [("a", 2), ("c", 1)]);
    }
}
