//! XML Schema 1.0 on `xsd-schema`.

use std::cell::Cell;

use dds_message::{Finding, Severity};
use xsd_schema::parser::location::SourceLocation;
use xsd_schema::validation::{
    DriveWithError, ElementStartView, InstancePath, PathStep, SchemaValidator, ValidationError,
    ValidationEventHandler, ValidationFlags, ValidationSink, ValidationWarning, drive_navigator,
    drive_quick_xml_with,
};
use xsd_schema::{SchemaError, SchemaResolver, SchemaSet, SchemaSetBuilder, XsdVersion};

use crate::findings::{MAX_FINDINGS, tidy};
use crate::resolve::{Loader, Missing, SCHEME, rewriter};
use crate::schematron::Cursor;
use crate::{Files, Tree, ValidateError};

/// Names that one document may add to the engine's name table. A valid document adds hardly any; this stops one that is
/// made to fill the memory.
const NEW_NAMES_PER_DOCUMENT: usize = 2_000;

/// A child where the type has none, or a missing one (XML Schema part 1, 3.4.4).
const CONTENT: &str = "cvc-complex-type.2.4";

/// An element without a declaration (3.3.4).
const UNDECLARED: &str = "cvc-elt.1";

/// Names after which the engine should be made anew (about 10 MB).
const NEW_NAMES: usize = 50_000;

self_cell::self_cell!(
    /// The schema and the validator that borrows it: building the validator anew for each message would cost more than
    /// the validation itself.
    struct Engine {
        owner: SchemaSet,
        #[covariant]
        dependent: SchemaValidator,
    }
);

/// Übersetztes Schema: a main document with all it includes and imports. Bound to its thread; each worker compiles its
/// own.
pub struct Schema {
    main: String,
    files: Files,
    engine: Engine,
    /// Size of the name table after compilation.
    names: usize,
}

impl Schema {
    /// Compiles the schema whose main document is `main`. Includes and imports are looked up in `files`: by path
    /// relative to the referring file, or, for an import from the network, by target namespace. Several documents of
    /// one namespace are merged.
    ///
    /// # Errors
    /// [`ValidateError`] names file and place (`DDS-C003`, `DDS-V003`).
    pub fn compile(main: &str, files: &Files) -> Result<Self, ValidateError> {
        let missing = || ValidateError::Missing { file: main.to_owned(), wanted: main.to_owned() };
        let path = files.resolve("", main).ok_or_else(missing)?;
        let content = files.get(path).ok_or_else(missing)?;
        let wrong = |error: SchemaError| rule_error(path, &error);

        let mut resolver = SchemaResolver::with_loader(Box::new(Loader::new(files.clone())));
        let absent = Missing::default();
        resolver.set_location_rewriter(rewriter(files.clone(), absent.clone()));
        let compiled = SchemaSetBuilder::with_resolver(resolver, XsdVersion::V1_0)
            .add_bytes(content, &format!("{SCHEME}{path}"))
            .map_err(wrong)?
            .compile();
        if let Some(error) = absent.error() {
            return Err(error);
        }
        let compiled = compiled.map_err(wrong)?;
        if let Some(failure) = compiled.directive_failures().first() {
            return Err(ValidateError::Missing {
                file: failure.location().map_or(path, |location| local(location)).to_owned(),
                wanted: failure.schema_location().or(failure.namespace()).unwrap_or_default().to_owned(),
            });
        }
        let set = compiled.into_schema_set();
        let names = set.name_table.len();
        let engine = Engine::new(set, |set| SchemaValidator::new(set, ValidationFlags::empty()));
        if let Some((_, reason)) = engine.borrow_dependent().content_model_failures().first() {
            return Err(ValidateError::Rule {
                file: path.to_owned(),
                line: 0,
                column: 0,
                text: tidy(reason),
            });
        }
        Ok(Self { main: main.to_owned(), files: files.clone(), engine, names })
    }

    /// Validates a document that has passed [`dds_xml::check`]. Empty when it is valid; at most
    /// [`crate::MAX_FINDINGS`].
    #[must_use]
    pub fn validate(&self, document: &[u8]) -> Vec<Finding> {
        let set = self.engine.borrow_owner();
        let mut findings = Vec::new();
        let found = Cell::new(0);
        let mut runtime =
            self.engine.borrow_dependent().start_run(Collector { findings: &mut findings, found: &found });
        let mut guard = Guard { set, names: set.name_table.len() + NEW_NAMES_PER_DOCUMENT, found: &found };
        let end = match drive_quick_xml_with(document, &mut runtime, set, &mut guard) {
            Ok(_) => runtime.end_validation().err().map(|error| finding(&error)),
            Err(DriveWithError::Hook(Stop::Enough)) => None,
            Err(DriveWithError::Hook(Stop::Names)) => {
                let text = format!("Mehr als {NEW_NAMES_PER_DOCUMENT} dem Schema unbekannte Namen");
                Some(Finding {
                    severity: Severity::Error,
                    rule: "dds-names".into(),
                    location: String::new(),
                    text,
                })
            }
            Err(error) => Some(Finding {
                severity: Severity::Error,
                rule: "dds-well-formed".into(),
                location: String::new(),
                text: tidy(&error.to_string()),
            }),
        };
        drop(runtime);
        findings.extend(end);
        findings.truncate(MAX_FINDINGS);
        findings
    }

    /// Whether a document that is a tree already is valid: the same engine, without reading the text once more. `false`
    /// may also mean that the document brings many foreign names; [`Schema::validate`] judges it then, and tells the
    /// findings.
    #[must_use]
    pub fn accepts(&self, document: &Tree<'_>) -> bool {
        let set = self.engine.borrow_owner();
        if foreign_names(&document.0, set) > NEW_NAMES_PER_DOCUMENT {
            return false;
        }
        let (mut findings, found) = (Vec::new(), Cell::new(0));
        let sink = Collector { findings: &mut findings, found: &found };
        let mut runtime = self.engine.borrow_dependent().start_run(sink);
        let end = drive_navigator(&Cursor::new(document.0.root()), &mut runtime, set);
        end.is_ok() && found.get() == 0
    }

    /// Whether foreign names have filled the engine's name table so far that [`Schema::rebuild`] is due: the table only
    /// grows, and every unknown name of an invalid document goes into it.
    #[must_use]
    pub fn needs_rebuild(&self) -> bool {
        self.engine.borrow_owner().name_table.len() > self.names + NEW_NAMES
    }

    /// Compiles the schema anew and so frees what foreign names took.
    ///
    /// # Errors
    /// As [`Schema::compile`]; the files are the same, so none is to be expected.
    pub fn rebuild(&mut self) -> Result<(), ValidateError> {
        *self = Self::compile(&self.main, &self.files)?;
        Ok(())
    }
}

impl std::fmt::Debug for Schema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Schema").field("main", &self.main).finish_non_exhaustive()
    }
}

/// How many names of the document the schema does not know, each counted as often as it occurs.
fn foreign_names(document: &roxmltree::Document<'_>, set: &SchemaSet) -> usize {
    let unknown = |name: &str| usize::from(set.name_table.get(name).is_none());
    let names = |element: roxmltree::Node<'_, '_>| {
        let attributes: usize = element.attributes().map(|attribute| unknown(attribute.name())).sum();
        let namespaces = element
            .namespaces()
            .map(|namespace| unknown(namespace.uri()) + namespace.name().map_or(0, unknown));
        unknown(element.tag_name().name()) + attributes + namespaces.sum::<usize>()
    };
    document.descendants().filter(roxmltree::Node::is_element).map(names).sum()
}

struct Collector<'a> {
    findings: &'a mut Vec<Finding>,
    found: &'a Cell<usize>,
}

impl Collector<'_> {
    /// Whether it only repeats that the content of an element is not what its type wants: the engine says so of each
    /// child from there on, and of each once more that it is not declared. The first place is what helps.
    fn follows(&self, finding: &Finding) -> bool {
        let element = match finding.rule.as_str() {
            CONTENT => Some(finding.location.as_str()),
            UNDECLARED => finding.location.rsplit_once('/').map(|(parent, _)| parent),
            _ => None,
        };
        element.is_some_and(|element| {
            self.findings.iter().any(|told| told.rule == CONTENT && told.location == element)
        })
    }
}

impl ValidationSink for Collector<'_> {
    fn on_error(&mut self, error: ValidationError) {
        let finding = finding(&error);
        if self.follows(&finding) {
            return;
        }
        self.found.set(self.found.get() + 1);
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        }
    }

    fn on_warning(&mut self, _warning: ValidationWarning) {}
}

/// Ends the run of a document that is not worth going on with.
struct Guard<'a> {
    set: &'a SchemaSet,
    /// Size of the name table at which the document is given up.
    names: usize,
    found: &'a Cell<usize>,
}

enum Stop {
    Enough,
    Names,
}

impl ValidationEventHandler for Guard<'_> {
    type Error = Stop;

    fn before_element(&mut self, _view: ElementStartView<'_>) -> Result<(), Stop> {
        if self.found.get() >= MAX_FINDINGS {
            return Err(Stop::Enough);
        }
        if self.set.name_table.len() > self.names { Err(Stop::Names) } else { Ok(()) }
    }
}

fn finding(error: &ValidationError) -> Finding {
    Finding {
        severity: Severity::Error,
        rule: error.constraint.to_owned(),
        location: error.instance_path().map(location).unwrap_or_default(),
        text: tidy(&error.message),
    }
}

/// `/antrag/halter[1]/@art`: local names, the position among siblings of that name except at the root.
fn location(path: &InstancePath) -> String {
    let mut out = String::new();
    for (depth, step) in path.steps().enumerate() {
        out.push('/');
        match step {
            PathStep::Element { name, position, .. } => {
                out.push_str(name.local_name());
                if depth > 0 {
                    out.push_str(&format!("[{position}]"));
                }
            }
            PathStep::Attribute { name, .. } => {
                out.push('@');
                out.push_str(name.local_name());
            }
            _ => {}
        }
    }
    out
}

fn rule_error(main: &str, error: &SchemaError) -> ValidateError {
    let (place, text) = match error {
        SchemaError::XmlError { message, location }
        | SchemaError::NamespaceError { message, location }
        | SchemaError::FeatureError { message, location }
        | SchemaError::LimitExceeded { message, location, .. } => (location.as_ref(), message.clone()),
        SchemaError::StructuralError { constraint, message, location } => {
            (location.as_ref(), format!("{constraint}: {message}"))
        }
        other => (None, other.to_string()),
    };
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    ValidateError::Rule {
        file: place.map_or(main, local).to_owned(),
        line: place.map_or(0, |place| count(place.line)),
        column: place.map_or(0, |place| count(place.column)),
        text: tidy(&text.replace(SCHEME, "")),
    }
}

/// Path of the file of a place, among the given files.
fn local(place: &SourceLocation) -> &str {
    place.base_uri.strip_prefix(SCHEME).unwrap_or(&place.base_uri)
}
