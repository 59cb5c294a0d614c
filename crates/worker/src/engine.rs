//! The bundles of one worker, compiled, and the jobs on them.

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
};

use bytes::Bytes;
use dds_message::{Code, Digest, Finding, Format, OutputForm, Problem, Severity, Text};
use dds_transform::{Budget, Document, OwnSchema, Stylesheet, TransformError};
use dds_validate::{Files, Schema, Schematron, Tree};

use crate::{
    CompileError, StageTimes,
    frame::{Done, RunHeader},
};

/// Everything a worker knows.
pub(crate) struct Engine {
    budget: Budget,
    limits: dds_xml::Limits,
    bundles: HashMap<Digest, Compiled>,
    /// Memory ran out once. Libraries are not to be trusted after that.
    worn: Cell<bool>,
}

/// A bundle, compiled. What cannot be compiled stays as the problem its jobs end with.
struct Compiled {
    stylesheets: HashMap<String, Result<Stylesheet, Problem>>,
    schemas: HashMap<String, Result<Schema, Problem>>,
    schematrons: HashMap<String, Result<Schematron, Problem>>,
    /// The schemas that stand alone once more, for trees: that of the Vorgang is one.
    own_schemas: HashMap<String, OwnSchema>,
    errors: Vec<CompileError>,
}

/// What is to be compiled of a bundle.
pub(crate) struct Artefacts {
    pub(crate) stylesheets: Vec<String>,
    pub(crate) schemas: Vec<String>,
    pub(crate) schematrons: Vec<String>,
}

impl Engine {
    pub(crate) fn new(budget: Budget, limits: dds_xml::Limits) -> Self {
        Self { budget, limits, bundles: HashMap::new(), worn: Cell::new(false) }
    }

    /// Compiles a bundle, unless it is loaded already.
    pub(crate) fn load(
        &mut self,
        id: Digest,
        files: &BTreeMap<String, Bytes>,
        artefacts: Artefacts,
    ) -> &[CompileError] {
        let bundle = self.bundles.entry(id).or_insert_with(|| Compiled::new(files, artefacts));
        &bundle.errors
    }

    pub(crate) fn unload(&mut self, id: Digest) {
        self.bundles.remove(&id);
    }

    /// Runs a job: gate → schema → Schematron → canonical form → targets. `parts` are the document and the `sendung`
    /// of each target; the parts of the answer are the canonical form, if there is one, and the outputs.
    pub(crate) fn run(&self, job: &RunHeader, parts: &[Bytes]) -> Result<(Done, Vec<Bytes>), Problem> {
        let bundle = self.bundles.get(&job.bundle).ok_or_else(|| {
            let release = job.bundle.short();
            internal((
                format!("der Arbeitsprozess hat den Depotstand {release} nicht geladen"),
                format!("release {release} is not loaded in the worker"),
            ))
        })?;
        let [document, sendungen @ ..] = parts else {
            return Err(internal(("ein Auftrag ohne Dokument", "a job without a document")));
        };
        let mut micros = StageTimes::default();
        let mut watch = Stopwatch::start();

        let document = self.read(document, job.format)?;
        micros.read = watch.lap();

        let findings = bundle.validate(job, &document)?;
        micros.validate = watch.lap();
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Ok((Done { findings, canonical: false, micros }, Vec::new()));
        }

        let mut results = Vec::with_capacity(1 + job.targets.len());
        let mut vorgang = None;
        if let Some(path) = &job.canonical {
            let (bytes, tree) = self.canonical(bundle, path, job, &document)?;
            results.push(bytes);
            vorgang = tree;
        }
        micros.canonical = watch.lap();

        if !job.targets.is_empty() {
            let mut vorgang = match vorgang {
                Some(tree) => tree,
                None => Document::parse(results.first().unwrap_or(&document), "Vorgang")?,
            };
            for ((path, output), sendung) in job.targets.iter().zip(sendungen) {
                let sendung =
                    (!sendung.is_empty()).then(|| Document::parse(sendung, "sendung")).transpose()?;
                let added = vorgang.set_first_child(sendung.as_ref());
                added.inspect_err(|error| self.wear(error))?;
                results.push(match path {
                    Some(path) => self.target(bundle, path, *output, &vorgang)?,
                    None => self.as_it_is(&vorgang)?,
                });
            }
        }
        micros.targets = watch.lap();
        Ok((Done { findings, canonical: job.canonical.is_some(), micros }, results))
    }

    fn read(&self, document: &Bytes, format: Format) -> Result<Bytes, Problem> {
        let refused = |error: dds_xml::XmlError| {
            Problem::new(Code::NOT_WELL_FORMED, (error.german(), error.to_string()))
        };
        match format {
            Format::Json => dds_xml::json::to_xml(document, &self.limits).map(Bytes::from).map_err(refused),
            Format::Xml => {
                dds_xml::check(document, &self.limits).map_err(refused)?;
                Ok(document.clone())
            }
        }
    }

    /// The canonical form of a document, as bytes and, if they need not be parsed for it, as tree.
    fn canonical(
        &self,
        bundle: &Compiled,
        path: &str,
        job: &RunHeader,
        document: &Bytes,
    ) -> Result<(Bytes, Option<Document>), Problem> {
        let stylesheet = find(&bundle.stylesheets, path)?;
        let source = stylesheet.parse(document, "document")?;
        let converted = stylesheet.convert(source, &self.budget).inspect_err(|error| self.wear(error))?;
        let (vorgang, tree) = (Bytes::from(converted.0.bytes), converted.1);
        bundle.accepts(path, job, &vorgang, tree.as_ref())?;
        if let Some(procedure) = &job.procedure {
            let names = |tree: &Document| tree.root_has("verfahren", procedure);
            let named = match &tree {
                Some(tree) => names(tree),
                None => names(&Document::parse(&vorgang, "Vorgang")?),
            };
            if !named {
                let text = (
                    format!("{path}: verfahren des Vorgangs ist nicht {procedure}"),
                    format!("{path}: verfahren of the Vorgang is not {procedure}"),
                );
                return Err(Problem::new(Code::OUTPUT_INVALID, text));
            }
        }
        Ok((vorgang, tree))
    }

    fn target(
        &self,
        bundle: &Compiled,
        path: &str,
        output: OutputForm,
        vorgang: &Document,
    ) -> Result<Bytes, Problem> {
        let stylesheet = find(&bundle.stylesheets, path)?;
        let result = stylesheet.run(vorgang, &self.budget).inspect_err(|error| self.wear(error))?.bytes;
        match output {
            OutputForm::Xml | OutputForm::Text => Ok(result.into()),
            OutputForm::Json => dds_xml::json::from_map(&result).map(Bytes::from).map_err(|error| {
                let text = (
                    format!("{path}: aus dem Ergebnis wird kein JSON: {}", error.german()),
                    format!("{path}: its result is not the map vocabulary: {error}"),
                );
                Problem::new(Code::OUTPUT_INVALID, text)
            }),
        }
    }

    /// The Vorgang for a product without a stylesheet.
    fn as_it_is(&self, vorgang: &Document) -> Result<Bytes, Problem> {
        let written = vorgang.write(&self.budget).inspect_err(|error| self.wear(error));
        written.map(Bytes::from).map_err(|TransformError { code, message, .. }| {
            let german = format!("der Vorgang lässt sich nicht schreiben (Meldung: „{message}“)");
            Problem::new(code, (german, format!("the Vorgang cannot be written: {message}")))
        })
    }

    fn wear(&self, error: &TransformError) {
        self.worn.set(self.worn.get() || error.out_of_memory);
    }

    /// Whether this process must not see another message.
    pub(crate) fn is_worn(&self) -> bool {
        self.worn.get()
    }

    /// Work that may wait until the answer is out: frees what foreign names took in the schemas.
    pub(crate) fn tidy(&mut self) {
        let bundles = self.bundles.values_mut();
        for (_, slot) in bundles.flat_map(|bundle| &mut bundle.schemas) {
            let Ok(schema) = slot else { continue };
            if schema.needs_rebuild()
                && let Err(error) = schema.rebuild()
            {
                let german = format!("das Schema lässt sich nicht übersetzen (Meldung: „{error}“)");
                *slot = Err(Problem::new(error.code(), (german, error.to_string())));
            }
        }
    }
}

impl Compiled {
    fn new(files: &BTreeMap<String, Bytes>, artefacts: Artefacts) -> Self {
        let mut errors = Vec::new();
        let stylesheets = compile(artefacts.stylesheets, &mut errors, |path| {
            Stylesheet::compile(path, &|path| files.get(path).map(|bytes| bytes.to_vec())).map_err(|error| {
                let dds_transform::TransformError { code, file, line, column, message, .. } = error;
                CompileError { artefact: path.to_owned(), code, file, line, column, message }
            })
        });
        let schema_files: Files = files.iter().map(|(path, bytes)| (path, bytes.as_ref())).collect();
        let schemas = compile(artefacts.schemas, &mut errors, |path| {
            Schema::compile(path, &schema_files).map_err(|error| of_validation(path, error))
        });
        let schematrons = compile(artefacts.schematrons, &mut errors, |path| {
            Schematron::compile(path, &schema_files).map_err(|error| of_validation(path, error))
        });
        let own = |(path, _): (&String, _)| Some((path.clone(), OwnSchema::compile(path, files.get(path)?)?));
        let own_schemas = schemas.iter().filter_map(own).collect();
        Self { stylesheets, schemas, schematrons, own_schemas, errors }
    }

    /// Whether the Vorgang that `path` made is valid.
    fn accepts(
        &self,
        path: &str,
        job: &RunHeader,
        vorgang: &Bytes,
        tree: Option<&Document>,
    ) -> Result<(), Problem> {
        let Some(schema) = &job.canonical_schema else { return Ok(()) };
        // The tree is at hand and the schema our own, so libxml2 may say yes; what is wrong the strict engine says.
        if self.own_schemas.get(schema).zip(tree).is_some_and(|(own, tree)| own.accepts(tree)) {
            return Ok(());
        }
        let findings = find(&self.schemas, schema)?.validate(vorgang);
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            let count = findings.len();
            let text = (
                format!("{path}: das Ergebnis ist kein gültiger Vorgang (Befunde: {count})"),
                format!("{path}: its result is no valid Vorgang ({count} findings)"),
            );
            return Err(Problem { findings, ..Problem::new(Code::OUTPUT_INVALID, text) });
        }
        Ok(())
    }

    fn validate(&self, job: &RunHeader, document: &Bytes) -> Result<Vec<Finding>, Problem> {
        let schema = job.schema.as_ref().map(|path| find(&self.schemas, path)).transpose()?;
        if job.schematrons.is_empty() {
            return Ok(schema.map_or_else(Vec::new, |schema| schema.validate(document)));
        }
        // Schematron needs a tree, and a schema that accepts a tree has nothing to tell.
        let tree = Tree::parse(document);
        let accepted = schema.is_none_or(|schema| tree.as_ref().is_ok_and(|tree| schema.accepts(tree)));
        let mut findings = match schema {
            Some(schema) if !accepted => schema.validate(document),
            _ => Vec::new(),
        };
        // Rules of the trade presuppose a valid document; their findings would only repeat those of the schema.
        if findings.iter().any(|finding| finding.severity == Severity::Error) {
            return Ok(findings);
        }
        match tree {
            Err(finding) => findings.push(finding),
            Ok(tree) => {
                for path in &job.schematrons {
                    findings.extend(find(&self.schematrons, path)?.run(&tree));
                }
            }
        }
        Ok(findings)
    }
}

fn compile<T>(
    paths: Vec<String>,
    errors: &mut Vec<CompileError>,
    compile: impl Fn(&str) -> Result<T, CompileError>,
) -> HashMap<String, Result<T, Problem>> {
    let outcome = |path: String| {
        let compiled = compile(&path).map_err(|error| {
            errors.push(error.clone());
            error.into()
        });
        (path, compiled)
    };
    paths.into_iter().map(outcome).collect()
}

fn of_validation(path: &str, error: dds_validate::ValidateError) -> CompileError {
    use dds_validate::ValidateError::{Missing, Rule, Xml};
    let code = error.code();
    let (file, line, column, message) = match error {
        Missing { ref file, .. } => (file.clone(), 0, 0, error.to_string()),
        Xml { file, error } => (file, error.line, error.column, error.kind.to_string()),
        Rule { file, line, column, text } => (file, line, column, text),
    };
    CompileError { artefact: path.to_owned(), code, file, line, column, message }
}

fn find<'a, T>(compiled: &'a HashMap<String, Result<T, Problem>>, path: &str) -> Result<&'a T, Problem> {
    match compiled.get(path) {
        Some(Ok(found)) => Ok(found),
        Some(Err(problem)) => Err(problem.clone()),
        None => Err(internal((
            format!("{path} gehört nicht zu dem, was der Depotstand übersetzt"),
            format!("{path} is not among what the release compiles"),
        ))),
    }
}

fn internal(text: impl Into<Text>) -> Problem {
    Problem::new(Code::INTERNAL, text)
}

/// Measures stages.
struct Stopwatch(std::time::Instant);

#[allow(clippy::disallowed_methods, reason = "measures how long stages take; no decision depends on it")]
impl Stopwatch {
    fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Microseconds since the start or the last lap.
    fn lap(&mut self) -> u64 {
        let now = std::time::Instant::now();
        let lap = now.duration_since(std::mem::replace(&mut self.0, now));
        u64::try_from(lap.as_micros()).unwrap_or(u64::MAX)
    }
}
