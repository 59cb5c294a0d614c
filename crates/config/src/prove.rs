//! Proof of a release: everything compiles, every case gives what it should, in the workers that will do the work.

use std::{collections::BTreeMap, path::Path};

use bytes::Bytes;
use dds_depot::{
    CANONICAL_SCHEMA, Case, CheckFinding, Expected, Filed, OutputForm, ProductPackage, Release, RulePackage,
};
use dds_message::{Code, Format};
use dds_worker::{Bundle, Job, JobResult, Pool, TargetJob};
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
        let failed = failed.map(|case| CheckFinding::error(Code::CASE_FAILED, &case.path, &case.text));
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
    pub text: String,
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

/// Form of a stylesheet's result in the words of the worker.
#[must_use]
pub fn worker_output(output: OutputForm) -> dds_worker::OutputForm {
    match output {
        OutputForm::Xml => dds_worker::OutputForm::Xml,
        OutputForm::Json => dds_worker::OutputForm::Json,
        OutputForm::Text => dds_worker::OutputForm::Text,
    }
}

/// Loads the release into the workers, compiles everything and runs every case of every rule and product. The release
/// stays loaded; the caller unloads it if it is not to be used.
///
/// # Errors
/// DDS-W001, W002, W003 if the workers themselves fail. Mistakes of packages are in the report.
pub async fn prove(release: &Release, pool: &Pool) -> Result<ProofReport, dds_message::Problem> {
    let mut report = ProofReport::default();
    let broken = pool.load(bundle(release)).await?;
    for error in &broken {
        let place = (error.line as usize, error.column as usize);
        report.findings.push(CheckFinding::error(error.code, &error.file, &error.message).at(place));
    }
    for rule in &release.contents().rules {
        for case in release.cases(rule.folder()) {
            report.cases.push(rule_case(release, pool, rule, &case).await);
        }
    }
    for product in &release.contents().products {
        for case in release.cases(product.folder()) {
            report.cases.push(product_case(release, pool, product, &case).await);
        }
    }
    // The mistake is named where it is made, not again for every case that meets it.
    let broken: Vec<String> = broken.iter().map(ToString::to_string).collect();
    for case in report.cases.iter_mut().filter(|case| broken.contains(&case.text)) {
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
            CheckFinding::error(Code::CASE_FAILED, path, format!("cannot be written: {error}"))
        })?;
        written.push(path.clone());
    }
    Ok(written)
}

fn format_of(path: &str) -> Format {
    if path.ends_with(".json") { Format::Json } else { Format::Xml }
}

async fn rule_case(release: &Release, pool: &Pool, rule: &Filed<RulePackage>, case: &Case) -> CaseResult {
    let package = rule.value.name();
    let done = |outcome, text: String, actual| CaseResult {
        package: package.clone(),
        case: case.name.clone(),
        path: case.input.clone(),
        outcome,
        text,
        actual,
    };
    let failed = |text: String| done(CaseOutcome::Failed, text, None);
    let Some(input) = release.file(&case.input) else { return failed("the input is missing".to_owned()) };
    let document = Bytes::from_owner(input.clone());
    let format = format_of(&case.input);
    let xml = match format {
        Format::Xml => Ok(document.to_vec()),
        Format::Json => dds_xml::json::to_xml(&document, &Limits::default()),
    };
    let extracted = xml.and_then(|xml| dds_xml::extract(&xml, release.key_plan(), &Limits::default()));
    let extracted = match extracted {
        Ok(extracted) => extracted,
        Err(error) => return failed(format!("the input is not acceptable: {error}")),
    };
    // On its first day the rule itself must recognise its cases, also when it is not valid today.
    let day = rule.value.valid_from.as_str();
    let recognised = match release.recognise(&extracted, day) {
        Ok((_, recognised)) => Ok(recognised),
        // A package proves itself also where the municipality of its case is not connected.
        Err(problem) if problem.code == Code::NO_MUNICIPALITY => release.recognise_type(&extracted, day),
        Err(problem) => Err(problem),
    };
    let recognised = match recognised {
        Ok(recognised) => recognised,
        Err(problem) => return failed(problem.to_string()),
    };
    let found = release.rule_of(recognised).name();
    if found != package {
        return failed(format!("the input is recognised as {found}"));
    }
    let (message, checks) = (release.message_of(recognised), release.checks(recognised));
    let complete = (message.schema.is_none() || checks.schema.is_some())
        && checks.schematrons.len() == message.schematron.len();
    if !complete {
        // Messages are parked then (DDS-V003), or pass without the schema. A case the schema should refuse proves nothing.
        let by_schema = match &case.expected {
            Some(Expected::Findings(path)) => {
                text_of(release, path).lines().any(|line| line.starts_with("cvc-"))
            }
            _ => false,
        };
        if by_schema || !rule.value.schema_optional {
            let text = format!("a third-party schema of {package} is not in the schema folder");
            return done(CaseOutcome::Skipped, text, None);
        }
    }
    let job = Job {
        bundle: release.id().0,
        document,
        format,
        schema: checks.schema,
        schematrons: checks.schematrons,
        canonical: Some(checks.canonical),
        canonical_schema: release.file(CANONICAL_SCHEMA).map(|_| CANONICAL_SCHEMA.to_owned()),
        targets: Vec::new(),
    };
    let result = match pool.run(job).await {
        Ok(result) => result,
        Err(error) => return failed(error.to_string()),
    };
    let folder = case.input.rsplit_once('/').map_or("", |(folder, _)| folder);
    let findings = findings(&result);
    let actual = match &result.canonical {
        Some(vorgang) => (format!("{folder}/expected.xml"), vorgang.to_vec()),
        None => (format!("{folder}/expected.findings"), findings.clone().into_bytes()),
    };
    let difference = match (&case.expected, &result.canonical) {
        (None, _) => return done(CaseOutcome::Skipped, "no expectation yet".to_owned(), Some(actual)),
        (Some(Expected::Findings(path)), None) => lines(&text_of(release, path), &findings),
        (Some(Expected::Findings(_)), Some(_)) => {
            Some("findings were expected, but the message is valid".to_owned())
        }
        (Some(Expected::Document(_)), None) => {
            Some(format!("the message is not valid: {}", findings.trim().replace('\n', "; ")))
        }
        (Some(Expected::Document(path)), Some(vorgang)) => {
            xml_difference(release.file(path).map_or(&[], |bytes| &bytes[..]), vorgang)
        }
    };
    match difference {
        None => done(CaseOutcome::Passed, String::new(), None),
        Some(text) => done(CaseOutcome::Failed, text, Some(actual)),
    }
}

async fn product_case(
    release: &Release,
    pool: &Pool,
    product: &Filed<ProductPackage>,
    case: &Case,
) -> CaseResult {
    let package = product.value.name();
    let done = |outcome, text: String, actual| CaseResult {
        package: package.clone(),
        case: case.name.clone(),
        path: case.input.clone(),
        outcome,
        text,
        actual,
    };
    let failed = |text: String| done(CaseOutcome::Failed, text, None);
    let Some(input) = release.file(&case.input) else { return failed("the input is missing".to_owned()) };
    let target = TargetJob {
        stylesheet: release.stylesheet_of(product),
        output: worker_output(product.value.output),
        sendung: Bytes::new(),
    };
    let job = Job {
        bundle: release.id().0,
        document: Bytes::from_owner(input.clone()),
        format: Format::Xml,
        schema: release.file(CANONICAL_SCHEMA).map(|_| CANONICAL_SCHEMA.to_owned()),
        schematrons: Vec::new(),
        canonical: None,
        canonical_schema: None,
        targets: vec![target],
    };
    let result = match pool.run(job).await {
        Ok(result) => result,
        Err(error) => return failed(error.to_string()),
    };
    let Some(output) = result.outputs.first() else {
        return failed(format!(
            "the input is no valid Vorgang: {}",
            findings(&result).trim().replace('\n', "; ")
        ));
    };
    let folder = case.input.rsplit_once('/').map_or("", |(folder, _)| folder);
    let ending = match product.value.output {
        OutputForm::Xml => "xml",
        OutputForm::Json => "json",
        OutputForm::Text => "txt",
    };
    let actual = (format!("{folder}/expected.{ending}"), output.to_vec());
    let Some(Expected::Document(path)) = &case.expected else {
        return done(CaseOutcome::Skipped, "no expectation yet".to_owned(), Some(actual));
    };
    let expected = release.file(path).map_or(&[][..], |bytes| &bytes[..]);
    let difference = match product.value.output {
        OutputForm::Xml => xml_difference(expected, output),
        OutputForm::Json => json_difference(expected, output),
        OutputForm::Text => lines(&String::from_utf8_lossy(expected), &String::from_utf8_lossy(output)),
    };
    match difference {
        None => done(CaseOutcome::Passed, String::new(), None),
        Some(text) => done(CaseOutcome::Failed, text, Some(actual)),
    }
}

fn text_of(release: &Release, path: &str) -> String {
    release.file(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default()
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
fn lines(expected: &str, actual: &str) -> Option<String> {
    let trimmed = |text: &str| -> Vec<String> {
        text.trim_end().lines().map(|line| line.trim_end().to_owned()).collect()
    };
    let (expected, actual) = (trimmed(expected), trimmed(actual));
    let place = (0..expected.len().max(actual.len())).find(|at| expected.get(*at) != actual.get(*at))?;
    let line = |list: &[String]| list.get(place).cloned().unwrap_or_else(|| "nothing".to_owned());
    Some(format!("line {}: expected {:?}, got {:?}", place + 1, line(&expected), line(&actual)))
}

fn xml_difference(expected: &[u8], actual: &[u8]) -> Option<String> {
    match dds_xml::diff(expected, actual, Whitespace::DropBetweenElements) {
        Ok(None) => None,
        Ok(Some(difference)) => {
            Some(format!("{}: expected {:?}, got {:?}", difference.path, difference.left, difference.right))
        }
        Err(error) => Some(format!("the expectation or the result is no XML: {error}")),
    }
}

fn json_difference(expected: &[u8], actual: &[u8]) -> Option<String> {
    let read = |bytes: &[u8], what: &str| -> Result<serde_json::Value, String> {
        serde_json::from_slice(bytes).map_err(|error| format!("{what} is no JSON: {error}"))
    };
    let compared = read(expected, "the expectation").and_then(|left| Ok((left, read(actual, "the result")?)));
    match compared {
        Ok((left, right)) => json_place(&left, &right, String::new()),
        Err(text) => Some(text),
    }
}

/// The first place at which two JSON values differ; the order of members counts for nothing.
fn json_place(left: &serde_json::Value, right: &serde_json::Value, path: String) -> Option<String> {
    use serde_json::Value::{Array, Object};
    match (left, right) {
        (Object(one), Object(other)) => {
            let missing =
                one.keys().find(|key| !other.contains_key(*key)).map(|key| format!("{path}/{key}: missing"));
            let surplus = || {
                other
                    .keys()
                    .find(|key| !one.contains_key(*key))
                    .map(|key| format!("{path}/{key}: not expected"))
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
        _ => Some(format!("{path}: expected {left}, got {right}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_their_place() {
        assert_eq!(json_difference(br#"{"a":[1,{"b":2}],"c":1}"#, br#"{"c":1,"a":[1,{"b":2}]}"#), None);
        let text = json_difference(br#"{"a":[1,{"b":2}]}"#, br#"{"a":[1,{"b":3}]}"#).unwrap();
        assert_eq!(text, "/a/1/b: expected 2, got 3");
        assert_eq!(json_difference(br#"{"a":1}"#, br#"{}"#).unwrap(), "/a: missing");
        assert_eq!(json_difference(br#"{}"#, br#"{"a":1}"#).unwrap(), "/a: not expected");
        assert_eq!(lines("a \nb\n", "a\nb"), None);
        assert_eq!(lines("a\nb", "a").unwrap(), "line 2: expected \"b\", got \"nothing\"");
    }
}
