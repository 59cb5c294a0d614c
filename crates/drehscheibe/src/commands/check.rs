//! `drehscheibe check`: is the depot sound?

use std::{path::Path, process::ExitCode};

use dds_config::{
    CaseOutcome, ProcessConfig, ProofReport, SourcePaths, check_certificates, check_master_key, compile,
    left_out, missing_schemas, prove, read_release, update,
};
use dds_depot::{CheckFinding, CoverageRow, Release};
use dds_message::{Clock, Severity};
use dds_telemetry::SystemClock;
use dds_worker::{Pool, PoolOptions};
use serde::Serialize;

use super::held::Held;
use crate::{
    Failure,
    cli::{Check, Sources},
    node,
    output::{Language, Output},
};

#[derive(Serialize)]
struct Result_<'a> {
    release: dds_message::ReleaseId,
    findings: &'a [CheckFinding],
    #[serde(skip_serializing_if = "Option::is_none")]
    cases: Option<Cases>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<&'a [CoverageRow]>,
}

#[derive(Serialize)]
struct Cases {
    passed: usize,
    failed: usize,
    skipped: usize,
}

/// Where rules and configuration of a command lie.
pub(crate) fn paths(sources: &Sources) -> SourcePaths {
    SourcePaths {
        rules: sources.rules.clone(),
        config: sources.config_dir.clone(),
        schemas: sources.schemas.clone(),
    }
}

/// Checks, prints, and fails on any error.
pub(crate) async fn run(options: &Check, output: Output) -> Result<ExitCode, Failure> {
    let day = SystemClock.now().legal_day();
    let paths = paths(&options.sources);
    let release = read_release(&paths)?;
    let mut findings = release.check(&day);
    findings.extend(left_out(&paths));
    let (config, wrong) = process(&paths.config);
    findings.extend(wrong);
    let osci = config.as_ref().and_then(|config| config.osci.clone()).unwrap_or_default();
    findings.extend(crate::osci::ways(&osci, &release, SystemClock.now().to_jiff()));
    // Where the configuration of the process lies elsewhere, it is told when the release is built or the router
    // started.
    let local = config.as_ref().is_none_or(ProcessConfig::is_local);
    let public = release.public_tokens().into_iter();
    findings.extend(public.map(|finding| if local { finding.warning() } else { finding }));
    if let Some(config) = &config {
        findings.extend(Held::by(config, &release).await.findings());
    }
    // Judged as the router would, where its configuration lies beside the sources.
    let pool = config.as_ref().map_or_else(PoolOptions::default, node::options::pool);
    // Without a schema folder every file of the catalogue is missing; the rules that need one say so above.
    if paths.schemas.is_some() {
        findings.extend(missing_schemas(&release, paths.schemas.as_deref()));
    }
    let proof = if options.cases { Some(run_cases(&release, pool.clone(), output).await?) } else { None };
    if proof.is_none() {
        // Without cases everything is at least compiled: a mistake in a stylesheet must not wait for a message.
        let pool = Pool::start(PoolOptions { processes: 1, ..pool }).await?;
        findings.extend(compile(&release, &pool).await?);
    }
    if let (Some(proof), true) = (&proof, options.update) {
        let written = update(proof, &paths.rules)?;
        for path in &written {
            output.line(format!("{} {path}", output.pick("geschrieben:", "written:")));
        }
        output.result(&serde_json::json!({ "written": written }))?;
        return Ok(ExitCode::SUCCESS);
    }
    findings.extend(proof.iter().flat_map(ProofReport::errors));
    findings.sort();
    let coverage: Option<Vec<CoverageRow>> = options.coverage.then(|| release.coverage(&day).collect());
    for finding in &findings {
        output.line(finding.line(output.language));
    }
    for row in coverage.iter().flatten() {
        output.line(coverage_line(row, output.language));
    }
    let cases = proof.as_ref().map(|proof| {
        let count = |wanted| proof.cases.iter().filter(|case| case.outcome == wanted).count();
        Cases {
            passed: count(CaseOutcome::Passed),
            failed: count(CaseOutcome::Failed),
            skipped: count(CaseOutcome::Skipped),
        }
    });
    summary(&release, &findings, cases.as_ref(), output);
    let good = !findings.iter().any(|finding| finding.severity == Severity::Error);
    output.result(&Result_ {
        release: release.id(),
        findings: &findings,
        cases,
        coverage: coverage.as_deref(),
    })?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The `drehscheibe.toml` beside the sources, if there is one, and what is wrong with it: its values, certificates that
/// end, a master key that is not there, and keys and certificates of OSCI that cannot be used.
fn process(config: &Path) -> (Option<ProcessConfig>, Vec<CheckFinding>) {
    let file = config.join("drehscheibe.toml");
    if !file.exists() {
        return (None, Vec::new());
    }
    match ProcessConfig::load(&file) {
        Ok(config) => {
            let now = SystemClock.now();
            let mut findings = check_certificates(&config, now);
            findings.extend(check_master_key(&file, &config));
            findings.extend(config.osci.iter().flat_map(|osci| crate::osci::judge(osci, now.to_jiff())));
            (Some(config), findings)
        }
        Err(finding) => (None, vec![finding]),
    }
}

async fn run_cases(release: &Release, pool: PoolOptions, output: Output) -> Result<ProofReport, Failure> {
    let busy = output.busy("Fälle werden ausgeführt …", "running cases …");
    let pool = Pool::start(pool).await?;
    let proof = prove(release, &pool).await?;
    drop(busy);
    for case in proof.cases.iter().filter(|case| case.outcome != CaseOutcome::Passed) {
        output.line(format!("{} {}: {}", case.package, case.case, case.text.pick(output.language)));
    }
    Ok(proof)
}

fn coverage_line(row: &CoverageRow, language: Language) -> String {
    let or = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    format!(
        "{:<22} {} {:<28} {:<40} {:<26} {:<22} {:>3}{}",
        row.procedure,
        row.ars,
        row.municipality.chars().take(28).collect::<String>(),
        or(row.authority.as_ref().map(ToString::to_string)),
        or(row.fachverfahren.clone()),
        or(row.dms.clone()),
        row.cases,
        row.gap.as_ref().map(|gap| format!("  ! {}", gap.text.pick(language))).unwrap_or_default(),
    )
}

/// The ending of an English noun.
fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

fn summary(release: &Release, findings: &[CheckFinding], cases: Option<&Cases>, output: Output) {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let (rules, products) = (release.rules().len(), release.products().len());
    let municipalities = release.municipalities().len();
    output.line(match output.language {
        Language::German => format!(
            "{rules} Regeln, {products} Produkte, {municipalities} Kommunen und Kreise: {errors} Fehler, {warnings} Hinweis{}",
            if warnings == 1 { "" } else { "e" }
        ),
        Language::English => format!(
            "{rules} rules, {products} products, {municipalities} municipalities and districts: {errors} error{}, {warnings} warning{}",
            plural(errors),
            plural(warnings)
        ),
    });
    if let Some(cases) = cases {
        output.line(match output.language {
            Language::German => {
                format!(
                    "Fälle: {} bestanden, {} nicht bestanden, {} übersprungen",
                    cases.passed, cases.failed, cases.skipped
                )
            }
            Language::English => {
                format!("cases: {} passed, {} failed, {} skipped", cases.passed, cases.failed, cases.skipped)
            }
        });
    }
}
