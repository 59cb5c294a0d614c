//! Proof of a release: everything compiles, every case gives what it should, in the workers that will do the work.

use std::{collections::BTreeMap, path::Path};

use bytes::Bytes;
use dds_depot::{
    CANONICAL_SCHEMA, Case, CheckFinding, Checks, Expected, Filed, MessageRule, ProductPackage, Recognised,
    Release, RulePackage,
};
use dds_message::{Code, Format, OutputForm, Problem, Text};
use dds_worker::{Bundle, CompileError, Job, JobResult, Pool, TargetJob};
use dds_xml::{Limits, Whitespace};
use serde::Serialize;

/// Prüfprotokoll of a release.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ProofReport {
    /// Every case, package by package.
    pub cases: Vec<CaseResult>,
    /// What does not compile.
    pub findings: Vec<CheckFinding>,
}

impl ProofReport {
    /// Everything compiled and no case failed.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.findings.is_empty() && self.cases.iter().all(|case| case.outcome != CaseOutcome::Failed)
    }

    /// All errors, those of the cases too.
    #[must_use]
    pub fn errors(&self) -> Vec<CheckFinding> {
        let failed = self.cases.iter().filter(|case| case.outcome == CaseOutcome::Failed);
        let failed = failed.map(|case| CheckFinding::error(Code::CASE_FAILED, &case.path, case.text.clone()));
        self.findings.iter().cloned().chain(failed).collect()
    }
}

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseResult {
    /// Package, such as `hundesteuer@1.0`.
    pub package: String,
    /// Name of the case.
    pub case: String,
    /// Path of its input.
    pub path: String,
    /// Outcome.
    pub outcome: CaseOutcome,
    /// What differs, or why it was skipped.
    pub text: Text,
    /// What came out, for `--update`: path of the expectation and its bytes.
    #[serde(skip)]
    pub actual: Option<(String, Vec<u8>)>,
}

/// Outcome of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaseOutcome {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Says nothing: no expectation yet, a third-party schema is missing, or the package does not compile.
    Skipped,
}

/// The part of a release that workers load.
#[must_use]
pub fn bundle(release: &Release) -> Bundle {
    let parts = release.bundle_parts();
    let files: BTreeMap<String, Bytes> = release
        .bundle_files()
        .map(|(path, bytes)| (path.clone(), Bytes::from_owner(bytes.clone())))
        .collect();
    Bundle {
        id: release.id().0,
        files,
        stylesheets: parts.stylesheets,
        schemas: parts.schemas,
        schematrons: parts.schematrons,
    }
}

/// Loads the release into the workers, which compile every stylesheet, schema and Schematron of it; answers what does
/// not compile, each with file, line, column and remedy. The release stays loaded; the caller unloads it.
///
/// # Errors
/// DDS-W001, W002, W003 if the workers themselves fail.
pub async fn compile(release: &Release, pool: &Pool) -> Result<Vec<CheckFinding>, Problem> {
    Ok(pool.load(bundle(release)).await?.iter().map(uncompiled).collect())
}

/// What a compiler says stands in its own words.
fn uncompiled(error: &CompileError) -> CheckFinding {
    let CompileError { code, file, line, column, message, .. } = error;
    let text = (format!("lässt sich nicht übersetzen; der Übersetzer meldet: „{message}“"), message.clone());
    CheckFinding::error(*code, file, text).at((*line as usize, *column as usize))
}

/// Loads the release into the workers, compiles everything and runs every case of every rule and product. The release
/// stays loaded; the caller unloads it if it is not to be used.
///
/// # Errors
/// DDS-W001, W002, W003 if the workers themselves fail. Mistakes of packages are in the report.
pub async fn prove(release: &Release, pool: &Pool) -> Result<ProofReport, Problem> {
    let broken = pool.load(bundle(release)).await?;
    let mut report =
        ProofReport { findings: broken.iter().map(uncompiled).collect(), ..ProofReport::default() };
    for rule in &release.contents().rules {
        for case in release.cases(rule.folder()) {
            let trial = Trial { release, pool, case: &case };
            report.cases.push(trial.result(rule.value.name(), trial.rule(rule).await));
        }
    }
    for product in &release.contents().products {
        for case in release.cases(product.folder()) {
            let trial = Trial { release, pool, case: &case };
            report.cases.push(trial.result(product.value.name(), trial.product(product).await));
        }
    }
    // The mistake is named where it is made, not again for every case that meets it.
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    for case in report.cases.iter_mut().filter(|case| broken.contains(&case.text.english)) {
        case.outcome = CaseOutcome::Skipped;
    }
    Ok(report)
}

/// Writes what came out as the new expectation of every case that did not pass; answers the paths written.
///
/// # Errors
/// DDS-C005 with the file that cannot be written.
pub fn update(report: &ProofReport, rules: &Path) -> Result<Vec<String>, CheckFinding> {
    let mut written = Vec::new();
    for case in report.cases.iter().filter(|case| case.outcome != CaseOutcome::Passed) {
        let Some((path, bytes)) = &case.actual else { continue };
        let Some(inner) = path.strip_prefix("rules/") else { continue };
        std::fs::write(rules.join(inner), bytes).map_err(|error| {
            let text = (format!("nicht zu schreiben: {error}"), format!("cannot be written: {error}"));
            CheckFinding::error(Code::CASE_FAILED, path, text)
        })?;
        written.push(path.clone());
    }
    Ok(written)
}

fn format_of(path: &str) -> Format {
    if path.ends_with(".json") { Format::Json } else { Format::Xml }
}

/// One case at work.
struct Trial<'a> {
    release: &'a Release,
    pool: &'a Pool,
    case: &'a Case,
}

/// What a case made: the expectation it would be, and what is wrong with the one that stands there.
struct Made {
    path: String,
    bytes: Vec<u8>,
    wrong: Option<Ended>,
}

/// How a case ended that did not pass, and why.
type Ended = (CaseOutcome, Text);

fn failed(text: impl Into<Text>) -> Ended {
    (CaseOutcome::Failed, text.into())
}

/// With the findings, if it has some: without them nobody knows what to change.
fn refused(problem: &Problem) -> Ended {
    let each = problem.findings.iter();
    let findings: String = each.map(|it| format!("; {} {}: {}", it.rule, it.location, it.text)).collect();
    let Problem { code, detail, .. } = problem;
    failed((format!("{code}: {}{findings}", detail.german), format!("{problem}{findings}")))
}

impl Trial<'_> {
    fn result(&self, package: String, made: Result<Made, Ended>) -> CaseResult {
        let (ended, actual) = match made {
            Ok(Made { wrong: None, .. }) => (None, None),
            Ok(Made { path, bytes, wrong }) => (wrong, Some((path, bytes))),
            Err(ended) => (Some(ended), None),
        };
        let (outcome, text) = ended.unwrap_or_else(|| (CaseOutcome::Passed, ("", "").into()));
        let (case, path) = (self.case.name.clone(), self.case.input.clone());
        CaseResult { package, case, path, outcome, text, actual }
    }

    fn input(&self) -> Result<Bytes, Ended> {
        let input = self.release.file(&self.case.input);
        let missing = || failed(("die Eingabe fehlt", "the input is missing"));
        input.map(|input| Bytes::from_owner(input.clone())).ok_or_else(missing)
    }

    async fn run(&self, job: Job) -> Result<JobResult, Ended> {
        self.pool.run(job).await.map_err(|error| refused(&error.problem))
    }

    /// What was made stands beside the input as `expected.<ending>`.
    fn made(&self, ending: &str, bytes: Vec<u8>, wrong: Option<Ended>) -> Made {
        let folder = self.case.input.rsplit_once('/').map_or("", |(folder, _)| folder);
        Made { path: format!("{folder}/expected.{ending}"), bytes, wrong }
    }

    fn expected(&self, path: &str) -> &[u8] {
        self.release.file(path).map_or(&[], |bytes| &bytes[..])
    }

    async fn rule(&self, rule: &Filed<RulePackage>) -> Result<Made, Ended> {
        let document = self.input()?;
        let format = format_of(&self.case.input);
        let recognised = self.recognise(rule, &document, format)?;
        let checks = self.release.checks(recognised);
        self.complete(rule, self.release.message_of(recognised), &checks)?;
        let job = Job {
            bundle: self.release.id().0,
            document,
            format,
            schema: checks.schema,
            schematrons: checks.schematrons,
            canonical: Some(checks.canonical),
            canonical_schema: self.release.file(CANONICAL_SCHEMA).map(|_| CANONICAL_SCHEMA.to_owned()),
            procedure: Some(rule.value.procedure.to_string()),
            targets: Vec::new(),
        };
        let result = self.run(job).await?;
        let findings = findings(&result);
        let differs = |difference: Option<Text>| difference.map(failed);
        let wrong = match (&self.case.expected, &result.canonical) {
            (None, _) => Some(unexpected()),
            (Some(Expected::Findings(path)), None) => {
                differs(lines(&String::from_utf8_lossy(self.expected(path)), &findings))
            }
            (Some(Expected::Findings(_)), Some(_)) => Some(failed((
                "Befunde waren erwartet, aber die Nachricht ist gültig",
                "findings were expected, but the message is valid",
            ))),
            (Some(Expected::Document(_)), None) => {
                let findings = findings.trim().replace('\n', "; ");
                Some(failed((
                    format!("die Nachricht ist nicht gültig: {findings}"),
                    format!("the message is not valid: {findings}"),
                )))
            }
            (Some(Expected::Document(path)), Some(vorgang)) => {
                differs(xml_difference(self.expected(path), vorgang))
            }
        };
        Ok(match result.canonical {
            Some(vorgang) => self.made("xml", vorgang.to_vec(), wrong),
            None => self.made("findings", findings.into_bytes(), wrong),
        })
    }

    /// The rule itself must recognise its cases.
    fn recognise(
        &self,
        rule: &Filed<RulePackage>,
        document: &Bytes,
        format: Format,
    ) -> Result<Recognised, Ended> {
        let xml = match format {
            Format::Xml => Ok(document.to_vec()),
            Format::Json => dds_xml::json::to_xml(document, &Limits::default()),
        };
        let extracted = xml
            .and_then(|xml| dds_xml::extract(&xml, self.release.key_plan(), &Limits::default()))
            .map_err(|error| {
                let german = format!("die Eingabe ist nicht zulässig (Zeile {})", error.line);
                failed((german, format!("the input is not acceptable: {error}")))
            })?;
        // On its first day the rule must recognise its cases, also when it is not valid today.
        let day = rule.value.valid_from.as_str();
        let recognised = match self.release.recognise(&extracted, day) {
            Ok((_, recognised)) => Ok(recognised),
            // A package proves itself also where the municipality of its case is not connected.
            Err(problem) if problem.code == Code::NO_MUNICIPALITY => {
                self.release.recognise_type(&extracted, day)
            }
            Err(problem) => Err(problem),
        };
        let recognised = recognised.map_err(|problem| refused(&problem))?;
        let found = self.release.rule_of(recognised).name();
        if found == rule.value.name() {
            return Ok(recognised);
        }
        Err(failed((
            format!("die Eingabe wird als {found} erkannt"),
            format!("the input is recognised as {found}"),
        )))
    }

    /// Whether all schemas of the message are there. Without one, messages are parked (DDS-V003), or pass without it; a
    /// case that the schema should refuse proves nothing then.
    fn complete(
        &self,
        rule: &Filed<RulePackage>,
        message: &MessageRule,
        checks: &Checks,
    ) -> Result<(), Ended> {
        let complete = (message.schema.is_none() || checks.schema.is_some())
            && checks.schematrons.len() == message.schematron.len();
        let by_schema = match &self.case.expected {
            Some(Expected::Findings(path)) => {
                String::from_utf8_lossy(self.expected(path)).lines().any(|line| line.starts_with("cvc-"))
            }
            _ => false,
        };
        if complete || (rule.value.schema_optional && !by_schema) {
            return Ok(());
        }
        let package = rule.value.name();
        let text = (
            format!("ein Schema Dritter von {package} liegt nicht im Schemaordner"),
            format!("a third-party schema of {package} is not in the schema folder"),
        );
        Err((CaseOutcome::Skipped, text.into()))
    }

    async fn product(&self, product: &Filed<ProductPackage>) -> Result<Made, Ended> {
        let target = TargetJob {
            stylesheet: self.release.stylesheet_of(product),
            output: product.value.output,
            sendung: Bytes::new(),
        };
        let job = Job {
            bundle: self.release.id().0,
            document: self.input()?,
            format: Format::Xml,
            schema: self.release.file(CANONICAL_SCHEMA).map(|_| CANONICAL_SCHEMA.to_owned()),
            schematrons: Vec::new(),
            canonical: None,
            canonical_schema: None,
            procedure: None,
            targets: vec![target],
        };
        let result = self.run(job).await?;
        let Some(output) = result.outputs.first() else {
            let findings = findings(&result).trim().replace('\n', "; ");
            return Err(failed((
                format!("die Eingabe ist kein gültiger Vorgang: {findings}"),
                format!("the input is no valid Vorgang: {findings}"),
            )));
        };
        let wrong = match &self.case.expected {
            Some(Expected::Document(path)) => {
                let expected = self.expected(path);
                let difference = match product.value.output {
                    OutputForm::Xml => xml_difference(expected, output),
                    OutputForm::Json => json_difference(expected, output),
                    OutputForm::Text => {
                        lines(&String::from_utf8_lossy(expected), &String::from_utf8_lossy(output))
                    }
                };
                difference.map(failed)
            }
            _ => Some(unexpected()),
        };
        let ending = match product.value.output {
            OutputForm::Xml => "xml",
            OutputForm::Json => "json",
            OutputForm::Text => "txt",
        };
        Ok(self.made(ending, output.to_vec(), wrong))
    }
}

fn unexpected() -> Ended {
    (CaseOutcome::Skipped, ("noch keine Erwartung", "no expectation yet").into())
}

/// One `rule location` per line, sorted, each once.
fn findings(result: &JobResult) -> String {
    let mut lines: Vec<String> = result
        .findings
        .iter()
        .map(|finding| format!("{} {}", finding.rule, finding.location).trim_end().to_owned())
        .collect();
    lines.sort();
    lines.dedup();
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The first line that differs; white space at the ends of lines and of the text does not count.
fn lines(expected: &str, actual: &str) -> Option<Text> {
    let trimmed = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    let (expected, actual) = (trimmed(expected), trimmed(actual));
    let place = (0..expected.len().max(actual.len())).find(|at| expected.get(*at) != actual.get(*at))?;
    let line = |list: &[String]| list.get(place).cloned().unwrap_or_default();
    let (place, wanted, got) = (place + 1, line(&expected), line(&actual));
    Some(differs(
        &format!("Zeile {place}"),
        &format!("line {place}"),
        &format!("{wanted:?}"),
        &format!("{got:?}"),
    ))
}

fn differs(place: &str, place_english: &str, wanted: &str, got: &str) -> Text {
    (
        format!("{place}: erwartet {wanted}, erhalten {got}"),
        format!("{place_english}: expected {wanted}, got {got}"),
    )
        .into()
}

fn xml_difference(expected: &[u8], actual: &[u8]) -> Option<Text> {
    match dds_xml::diff(expected, actual, Whitespace::DropBetweenElements) {
        Ok(None) => None,
        Ok(Some(difference)) => {
            let (wanted, got) = (format!("{:?}", difference.left), format!("{:?}", difference.right));
            Some(differs(&difference.path, &difference.path, &wanted, &got))
        }
        Err(error) => {
            let german = format!("Erwartung oder Ergebnis ist kein XML (Zeile {})", error.line);
            Some((german, format!("the expectation or the result is no XML: {error}")).into())
        }
    }
}

fn json_difference(expected: &[u8], actual: &[u8]) -> Option<Text> {
    let read = |bytes: &[u8], (german, english): (&str, &str)| -> Result<serde_json::Value, Text> {
        serde_json::from_slice(bytes).map_err(|error| {
            let german =
                format!("{german} ist kein JSON (Zeile {}, Spalte {})", error.line(), error.column());
            (german, format!("{english} is no JSON: {error}")).into()
        })
    };
    let compared = read(expected, ("die Erwartung", "the expectation"))
        .and_then(|left| Ok((left, read(actual, ("das Ergebnis", "the result"))?)));
    match compared {
        Ok((left, right)) => json_place(&left, &right, String::new()),
        Err(text) => Some(text),
    }
}

/// The first place at which two JSON values differ; the order of members counts for nothing.
fn json_place(left: &serde_json::Value, right: &serde_json::Value, path: String) -> Option<Text> {
    use serde_json::Value::{Array, Object};
    match (left, right) {
        (Object(one), Object(other)) => {
            let missing = one.keys().find(|key| !other.contains_key(*key));
            let missing =
                missing.map(|key| (format!("{path}/{key}: fehlt"), format!("{path}/{key}: missing")).into());
            let surplus = || {
                let surplus = other.keys().find(|key| !one.contains_key(*key));
                surplus.map(|key| {
                    (format!("{path}/{key}: nicht erwartet"), format!("{path}/{key}: not expected")).into()
                })
            };
            missing.or_else(surplus).or_else(|| {
                one.iter().find_map(|(key, value)| json_place(value, &other[key], format!("{path}/{key}")))
            })
        }
        (Array(one), Array(other)) if one.len() == other.len() => {
            let mut pairs = one.iter().zip(other).enumerate();
            pairs.find_map(|(place, (value, found))| json_place(value, found, format!("{path}/{place}")))
        }
        _ if left == right => None,
        _ => Some(differs(&path, &path, &left.to_string(), &right.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_their_place() {
        assert_eq!(json_difference(br#"{"a":[1,{"b":2}],"c":1}"#, br#"{"c":1,"a":[1,{"b":2}]}"#), None);
        let text = json_difference(br#"{"a":[1,{"b":2}]}"#, br#"{"a":[1,{"b":3}]}"#).unwrap();
        assert_eq!(text.english, "/a/1/b: expected 2, got 3");
        assert_eq!(text.german, "/a/1/b: erwartet 2, erhalten 3");
        assert_eq!(json_difference(br#"{"a":1}"#, br#"{}"#).unwrap().english, "/a: missing");
        assert_eq!(json_difference(br#"{}"#, br#"{"a":1}"#).unwrap().english, "/a: not expected");
        assert_eq!(lines("a \nb\n", "a\nb"), None);
        assert_eq!(lines("a\nb", "a").unwrap().english, "line 2: expected \"b\", got \"\"");
    }
}
