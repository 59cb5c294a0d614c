//! What a worker is asked and what it answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use dds_message::{Code, Digest, Finding, Format, OutputForm, Problem};
use serde::{Deserialize, Serialize};

/// The executable part of a release (Depotstand): all files that jobs of this release need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Digest of the release; jobs name it.
    pub id: Digest,
    /// Every file by its path, such as `rules/hundesteuer/1.0/xslt/to-vorgang.xsl`; schemas of the catalogue as
    /// `catalogue/xbau@2.6/….xsd`. Imports and includes find only these.
    pub files: BTreeMap<String, Bytes>,
    /// Paths of the stylesheets to compile.
    pub stylesheets: Vec<String>,
    /// Paths of the main schema documents to compile.
    pub schemas: Vec<String>,
    /// Paths of the Schematron files to compile.
    pub schematrons: Vec<String>,
}

/// Fehler beim Übersetzen: a file of the bundle that cannot be compiled. Jobs that need it end with its code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{code}: {}: {message}", dds_message::place(file, *line as usize, *column as usize))]
pub struct CompileError {
    /// The path in the bundle under which it was to be compiled.
    pub artefact: String,
    /// DDS-T001, T003, T005, C003, V003.
    pub code: Code,
    /// The file with the error; the artefact or one it imports.
    pub file: String,
    /// Line from 1; 0 if unknown.
    pub line: u32,
    /// Column from 1; 0 if unknown.
    pub column: u32,
    /// What is wrong, in English.
    pub message: String,
}

/// One message to check and to turn into what its targets want. Paths are those of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The release to use; it must be loaded.
    pub bundle: Digest,
    /// Main document of the message.
    pub document: Bytes,
    /// Its form. JSON is read as XML first (`dds_xml::json::to_xml`).
    pub format: Format,
    /// Schema of the message.
    pub schema: Option<String>,
    /// Schematron files, in order.
    pub schematrons: Vec<String>,
    /// Stylesheet source → Vorgang; `None`: the document is a Vorgang already.
    pub canonical: Option<String>,
    /// Schema of the Vorgang; a result that violates it ends as DDS-T004 with the findings.
    pub canonical_schema: Option<String>,
    /// Procedure the Vorgang must name (`verfahren`): products choose Aktenplan and retention by it. A result that
    /// names another ends as DDS-T004.
    pub procedure: Option<String>,
    /// What to make of the Vorgang.
    pub targets: Vec<TargetJob>,
}

/// One document to make of the Vorgang.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetJob {
    /// Stylesheet of the product; `None`: the product takes the Vorgang as it is.
    pub stylesheet: Option<String>,
    /// Form of the result. The Vorgang itself is XML.
    pub output: OutputForm,
    /// `<sendung xmlns="urn:datendrehscheibe:vorgang:1" …/>`: made the first child of the Vorgang for this target.
    /// Empty: nothing is inserted.
    pub sendung: Bytes,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobResult {
    /// Findings of schema and Schematron. If one of them is an error the job stopped there: no canonical form, no
    /// outputs.
    pub findings: Vec<Finding>,
    /// The Vorgang, if the job had a stylesheet for it.
    pub canonical: Option<Bytes>,
    /// The results, in the order of the targets.
    pub outputs: Vec<Bytes>,
    /// Time spent.
    pub micros: StageTimes,
}

/// Microseconds of a job in its worker.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTimes {
    /// Reading and the gate of `dds_xml::check`.
    pub read: u64,
    /// Schema and Schematron.
    pub validate: u64,
    /// Source → Vorgang, with the check of the result.
    pub canonical: u64,
    /// Vorgang → all targets.
    pub targets: u64,
}

/// A job that could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct JobError {
    /// DDS-I005 (document not acceptable), T001 to T005 (rule), C003, V003 (schema of the release unusable), W001 and
    /// W002 (worker died or ran out of time twice), W003 (no worker can be started), X001 (bundle not loaded).
    pub problem: Problem,
}

impl From<Problem> for JobError {
    fn from(problem: Problem) -> Self {
        Self { problem }
    }
}

impl From<CompileError> for Problem {
    fn from(error: CompileError) -> Self {
        let CompileError { code, file, line, column, message, .. } = error;
        let place = dds_message::place(&file, line as usize, column as usize);
        let german = format!("{place}: die Datei lässt sich nicht übersetzen (Meldung: „{message}“)");
        Self::new(code, (german, format!("{place}: {message}")))
    }
}
