//! XML Schema on a tree that is there anyway.

use std::ptr::{self, NonNull};

use crate::{
    document::Document,
    error::{Error, ErrorKind},
    ffi,
    report::{self, Blanks, Files, Listening},
};

/// A compiled schema of a single file. libxml2 does not know all of XML Schema (it ignores `xs:ID`) and passes some
/// documents it should not: for schemas of our own, not for the judgement of foreign messages.
pub struct Schema {
    schema: NonNull<ffi::Schema>,
    /// Its source, into which the schema points.
    _source: Document,
    path: String,
}

// SAFETY: a compiled schema is used through `&self` by the one thread that owns it.
unsafe impl Send for Schema {}

impl Schema {
    /// Compiles the schema `bytes`; `path` stands for the file. Includes and imports are refused.
    ///
    /// # Errors
    /// The first error with its line.
    pub fn compile(path: &str, bytes: &[u8]) -> Result<Self, Error> {
        let listening = Listening::start(Files::new());
        let fallback = "schema cannot be compiled";
        let Some(doc) = report::parse_raw(bytes, path, ptr::null_mut(), Blanks::Keep).and_then(NonNull::new)
        else {
            return Err(listening.into_error(path, fallback));
        };
        // SAFETY: a tree just made. The parser leaves it to us (xmlSchemaNewDocParserCtxt, libxml2/xmlschemas.c).
        let (source, schema) = unsafe {
            let parser = ffi::xmlSchemaNewDocParserCtxt(doc.as_ptr());
            let schema = if parser.is_null() { ptr::null_mut() } else { ffi::xmlSchemaParse(parser) };
            ffi::xmlSchemaFreeParserCtxt(parser);
            (Document::from_raw(doc), schema)
        };
        let compiled =
            NonNull::new(schema).map(|schema| Self { schema, _source: source, path: path.to_owned() });
        match compiled {
            Some(compiled) if !listening.refused() && !listening.reported(ErrorKind::Failed) => Ok(compiled),
            _ => Err(listening.into_error(path, fallback)),
        }
    }

    /// Whether `document` is valid. The first error is that of libxml2, with names of the document in it.
    ///
    /// # Errors
    /// If it is not valid, or memory ran out.
    pub fn validate(&self, document: &Document) -> Result<(), Error> {
        let listening = Listening::start(Files::new());
        // SAFETY: schema and tree live; the context is freed here.
        let outcome = unsafe {
            let run = ffi::xmlSchemaNewValidCtxt(self.schema.as_ptr());
            let outcome = if run.is_null() { -1 } else { ffi::xmlSchemaValidateDoc(run, document.as_ptr()) };
            ffi::xmlSchemaFreeValidCtxt(run);
            outcome
        };
        if outcome == 0 { Ok(()) } else { Err(listening.into_error(&self.path, "document is not valid")) }
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone.
        unsafe { ffi::xmlSchemaFree(self.schema.as_ptr()) };
    }
}
