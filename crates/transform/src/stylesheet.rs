//! Compiled stylesheets and parsed documents.

use std::collections::BTreeMap;

use dds_libxslt::{Error, ErrorKind, Limits};
use dds_message::{Code, Problem};

use crate::{
    TransformError,
    check::{self, Ending},
};

/// What one run of a stylesheet may use. It stops with DDS-T002 beyond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Steps of XSLT and, counted apart, of XPath. 20 million are 0.3 to 0.8 s on one core.
    pub operations: u64,
    /// Depth of nested templates.
    pub depth: u32,
    /// Variables and parameters alive at the same time.
    pub variables: u32,
    /// Size of the result in bytes.
    pub output_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { operations: 20_000_000, depth: 3000, variables: 15_000, output_bytes: 64 << 20 }
    }
}

/// A stylesheet of the depot, compiled. Can be shared by threads.
#[derive(Debug)]
pub struct Stylesheet {
    compiled: dds_libxslt::Stylesheet,
    /// Each `xsl:message` that can end a run.
    endings: Vec<Ending>,
}

/// Result of a run, in the encoding that `xsl:output` names (UTF-8 unless it says otherwise).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Budget {
    const fn limits(&self) -> Limits {
        let &Self { operations, depth, variables, output_bytes } = self;
        Limits { operations, depth, variables, output_bytes }
    }
}

impl Stylesheet {
    /// Compiles the file `path` and what it imports or includes; `files` answers the content of a file of the bundle.
    ///
    /// # Errors
    /// DDS-T005 if it is not XSLT 1.0 with the subset of EXSLT (common, math, sets, functions, strings, dates and
    /// times), DDS-T003 if it reaches outside the bundle, DDS-T001 if it is wrong otherwise. libxslt itself finds
    /// an unknown variable only when the instruction runs: the cases of a rule must cover each template.
    pub fn compile(path: &str, files: &dyn Fn(&str) -> Option<Vec<u8>>) -> Result<Self, TransformError> {
        let mut sources = BTreeMap::new();
        check::collect(path, files, &mut sources)?;
        let endings = check::check(&sources)?;
        let compiled =
            dds_libxslt::Stylesheet::compile(path, sources).map_err(TransformError::of_compilation)?;
        Ok(Self { compiled, endings })
    }

    /// What its author wrote into the `xsl:message` that ended a run is told; what it would compute from the message is
    /// not (I9).
    fn of_run(&self, error: Error) -> TransformError {
        let ended = error.kind == ErrorKind::Ended;
        let mut error = TransformError::of_run(error);
        let mut endings = self.endings.iter().filter(|_| ended);
        if let Some(ending) = endings.find(|ending| ending.is_at(&error.file, error.line)) {
            error.message = format!("{}: {}", error.message, ending.text);
        }
        error
    }

    /// Parses a document for [`convert`](Self::convert): as [`Document::parse`], but what the stylesheet strips anyway
    /// (`xsl:strip-space`) is not built first.
    ///
    /// # Errors
    /// DDS-I005 if it is not well-formed.
    pub fn parse(&self, bytes: &[u8], name: &str) -> Result<Document, Problem> {
        self.compiled.parse(bytes, name).map(Document).map_err(|error| not_well_formed(name, &error))
    }

    /// Runs on `document`, which is as before afterwards and can be used by another stylesheet.
    ///
    /// # Errors
    /// DDS-T001 failed, DDS-T002 budget exceeded, DDS-T003 access refused.
    pub fn run(&self, document: &Document, budget: &Budget) -> Result<Output, TransformError> {
        match self.compiled.run(&document.0, &[], &budget.limits()) {
            Ok(bytes) => Ok(Output { bytes }),
            Err(error) => Err(self.of_run(error)),
        }
    }

    /// Runs on a document that is not needed afterwards, and gives the result also as document for the next stylesheet;
    /// `None` if the bytes must be parsed for that.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn convert(
        &self,
        document: Document,
        budget: &Budget,
    ) -> Result<(Output, Option<Document>), TransformError> {
        match self.compiled.convert(document.0, &budget.limits()) {
            Ok((bytes, document)) => Ok((Output { bytes }, document.map(Document))),
            Err(error) => Err(self.of_run(error)),
        }
    }
}

/// A parsed document.
pub struct Document(dds_libxslt::Document);

impl Document {
    /// Parses XML 1.0 without DOCTYPE. `name` stands for the document in errors.
    ///
    /// # Errors
    /// DDS-I005 if it is not well-formed.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self, Problem> {
        dds_libxslt::Document::parse(bytes, name).map(Self).map_err(|error| not_well_formed(name, &error))
    }

    /// Whether the root element has the attribute, without namespace, with this value.
    #[must_use]
    pub fn root_has(&self, attribute: &str, value: &str) -> bool {
        self.0.root_has(attribute, value)
    }

    /// Makes a copy of the root of `fragment` the first child element of the root, in place of the one given before;
    /// `None` takes that away again. So one Vorgang serves every target with its own `sendung`.
    ///
    /// # Errors
    /// DDS-T002 if there is no memory for it.
    pub fn set_first_child(&mut self, fragment: Option<&Self>) -> Result<(), TransformError> {
        self.0.set_first_child(fragment.map(|fragment| &fragment.0)).map_err(TransformError::of_run)
    }

    /// The document as it is, as XML in UTF-8.
    ///
    /// # Errors
    /// DDS-T002 if it is larger than the budget allows, or there is no memory for it.
    pub fn write(&self, budget: &Budget) -> Result<Vec<u8>, TransformError> {
        self.0.write(budget.output_bytes).map_err(TransformError::of_run)
    }
}

/// The text of libxml2 quotes names of the document, which may be anything: only the line is told.
fn not_well_formed(name: &str, error: &dds_libxslt::Error) -> Problem {
    let line = error.line;
    let text = (
        format!("{name}: kein zulässiges XML in Zeile {line}"),
        format!("{name}: not acceptable XML at line {line}"),
    );
    Problem::new(Code::NOT_WELL_FORMED, text)
}

/// A schema of our own, for documents that are trees already. Says only whether a document is valid: findings, and the
/// judgement of foreign messages, are the business of `dds-validate`.
pub struct OwnSchema(dds_libxslt::Schema);

impl OwnSchema {
    /// Compiles a schema without includes and imports.
    #[must_use]
    pub fn compile(path: &str, bytes: &[u8]) -> Option<Self> {
        dds_libxslt::Schema::compile(path, bytes).ok().map(Self)
    }

    /// Whether the document is valid.
    #[must_use]
    pub fn accepts(&self, document: &Document) -> bool {
        self.0.validate(&document.0).is_ok()
    }
}
