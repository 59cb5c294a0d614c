//! From folders to a release that may be activated.

use dds_depot::Release;
use dds_message::Severity;
use dds_worker::Pool;

use crate::{
    prove::{ProofReport, prove},
    read::{BuildError, SourcePaths, read_release},
};

/// Reads, checks and proves a release. Only what comes back here may be saved and activated (invariant I10).
///
/// `day` is today, `YYYY-MM-DD` in UTC.
///
/// # Errors
/// Every mistake with file, line, column and remedy. The running release is not touched, and the workers forget the
/// failed one.
pub async fn build_release(
    paths: &SourcePaths,
    pool: &Pool,
    day: &str,
) -> Result<(Release, ProofReport), BuildError> {
    let release = read_release(paths)?;
    let mut errors = release.check(day);
    errors.retain(|finding| finding.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(errors.into());
    }
    let report = match prove(&release, pool).await {
        Ok(report) => report,
        Err(problem) => {
            let finding = dds_depot::CheckFinding::error(problem.code, "", problem.detail);
            return Err(vec![finding].into());
        }
    };
    if !report.passed() {
        pool.unload(release.id().0);
        return Err(report.errors().into());
    }
    Ok((release, report))
}
