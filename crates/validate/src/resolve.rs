//! Keeps the schema engine inside the given files.

use std::sync::{Arc, Mutex, PoisonError};

use xsd_schema::{EmbeddedLoader, LocationRequest, SchemaError, SchemaLoader, SchemaResolver};

use crate::{Files, ValidateError};

/// Made-up scheme under which the engine knows the files: with it no location is ever a path of the file system.
pub(crate) const SCHEME: &str = "depot:///";

/// Namespaces whose schema the engine brings along, for imports that name only the W3C's address.
const EMBEDDED: [(&str, &str); 2] = [
    ("http://www.w3.org/XML/1998/namespace", "embedded://xml.xsd"),
    ("http://www.w3.org/1999/xlink", "embedded://xlink.xsd"),
];

/// The first location that led nowhere, and the file it stands in. The engine itself goes on without such a document
/// and then complains of something else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missing(Arc<Mutex<Option<(String, String)>>>);

impl Missing {
    fn note(&self, file: &str, location: &str) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| (file.to_owned(), location.to_owned()));
    }

    /// The error, if a location led nowhere.
    pub(crate) fn error(&self) -> Option<ValidateError> {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        first.map(|(file, wanted)| ValidateError::Missing { file, wanted })
    }
}

/// Where a location leads: to a file beside, else to the only file of the imported namespace, else nowhere.
pub(crate) fn rewriter(
    files: Files,
    missing: Missing,
) -> impl Fn(&LocationRequest<'_>, &SchemaResolver) -> Option<String> + Send + Sync + 'static {
    move |request, _| {
        let base = request.base_uri.strip_prefix(SCHEME).unwrap_or("");
        let location = request.location;
        if location.starts_with(SCHEME) {
            return None;
        }
        let found = if location.contains(':') { None } else { files.resolve(base, location) };
        let found = found.or_else(|| by_namespace(&files, request.namespace?));
        let embedded = || EMBEDDED.iter().find(|(namespace, _)| request.namespace == Some(*namespace));
        Some(match (found, embedded()) {
            (Some(path), _) => format!("{SCHEME}{path}"),
            (None, Some((_, embedded))) => (*embedded).to_owned(),
            (None, None) => {
                missing.note(base, location);
                format!("{SCHEME}?")
            }
        })
    }
}

/// The file with this target namespace, if there is exactly one.
fn by_namespace<'a>(files: &'a Files, namespace: &str) -> Option<&'a str> {
    let mut found = files.iter().filter(|(_, content)| {
        std::str::from_utf8(content)
            .ok()
            .and_then(|text| roxmltree::Document::parse(text).ok())
            .is_some_and(|document| document.root_element().attribute("targetNamespace") == Some(namespace))
    });
    let (path, _) = found.next()?;
    found.next().is_none().then_some(path)
}

/// Gives the engine the content of the files, and nothing else.
#[derive(Debug)]
pub(crate) struct Loader {
    files: Files,
    embedded: EmbeddedLoader,
}

impl Loader {
    pub(crate) const fn new(files: Files) -> Self {
        Self { files, embedded: EmbeddedLoader }
    }
}

impl SchemaLoader for Loader {
    fn load(&self, location: &str) -> Result<String, SchemaError> {
        if self.embedded.can_load(location) {
            return self.embedded.load(location);
        }
        let content = location.strip_prefix(SCHEME).and_then(|path| self.files.get(path));
        let content = content.ok_or_else(|| SchemaError::resolution("not among the given files"))?;
        String::from_utf8(content.to_vec()).map_err(|_| SchemaError::resolution("not UTF-8"))
    }

    fn can_load(&self, _location: &str) -> bool {
        true
    }
}
