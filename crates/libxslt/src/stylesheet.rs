//! A compiled stylesheet and its run.

use std::{
    collections::BTreeMap,
    ffi::CString,
    ptr::{self, NonNull},
};

use libc::{c_int, c_ulong};

use crate::{
    document::Document,
    error::{Error, ErrorKind},
    ffi::{self, Doc, SecurityPrefs, Style, TransformContext},
    output::{self, Written},
    report::{self, Blanks, Files, Listening},
};

/// What one run may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Steps of XSLT and, counted apart, of XPath.
    pub operations: u64,
    /// Depth of nested templates.
    pub depth: u32,
    /// Variables and parameters alive at the same time.
    pub variables: u32,
    /// Bytes of the serialised result.
    pub output_bytes: usize,
}

/// A compiled stylesheet. Cheap to run from several threads at once.
#[derive(Debug)]
pub struct Stylesheet {
    style: NonNull<Style>,
    path: String,
    /// Strips white space everywhere, which libxslt has been told not to do.
    strips_all: bool,
}

// SAFETY: libxslt documents a compiled stylesheet as read-only; its dictionary is locked and counted. One stylesheet
// shared by 16 threads was measured for 60 s without a difference in the results (docs/decisions/0002).
unsafe impl Send for Stylesheet {}
// SAFETY: as above.
unsafe impl Sync for Stylesheet {}

impl Stylesheet {
    /// Compiles the file `path` of `files`. `xsl:import` and `xsl:include` find the other files by their path,
    /// relative to the importing one; nothing else can be reached.
    ///
    /// # Errors
    /// The first error with file and line. libxslt finds unknown variables only when the instruction runs.
    pub fn compile(path: &str, files: BTreeMap<String, Vec<u8>>) -> Result<Self, Error> {
        let Some(main) = files.get(path).cloned() else {
            let message = "file not in the bundle".to_owned();
            return Err(Error { kind: ErrorKind::Refused, file: path.to_owned(), line: 0, message });
        };
        let listening = Listening::start(files);
        let Some(doc) = report::parse_raw(&main, path, ptr::null_mut(), Blanks::Keep) else {
            return Err(listening.into_error(path, "stylesheet cannot be parsed"));
        };
        // SAFETY: `doc` is a live tree of ours. On success the stylesheet owns it, on failure (null) we still do
        // (xsltParseStylesheetDoc, libxslt/xslt.c).
        let style = unsafe { ffi::xsltParseStylesheetDoc(doc) };
        let Some(style) = NonNull::new(style) else {
            // SAFETY: see above.
            unsafe { ffi::xmlFreeDoc(doc) };
            return Err(listening.into_error(path, "stylesheet cannot be compiled"));
        };
        let mut compiled = Self { style, path: path.to_owned(), strips_all: false };
        // SAFETY: a live stylesheet.
        let errors = unsafe { ffi::dds_xslt_stylesheet_errors(style.as_ptr()) };
        if errors > 0 || listening.refused() {
            return Err(listening.into_error(path, "stylesheet cannot be compiled"));
        }
        // SAFETY: a live stylesheet that nobody else knows yet.
        compiled.strips_all = unsafe { ffi::dds_xslt_take_over_stripping(style.as_ptr()) } != 0;
        Ok(compiled)
    }

    /// Parses a document for this stylesheet, as [`Document::parse`] does, but without building first what the
    /// stylesheet strips.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn parse(&self, bytes: &[u8], name: &str) -> Result<Document, Error> {
        Document::parse_with(bytes, name, if self.strips_all { Blanks::Skip } else { Blanks::Keep })
    }

    /// Runs on `document` and serialises as `xsl:output` asks. `params` are strings, not expressions.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] if a file or the network was to be reached, [`ErrorKind::Budget`] if a limit was reached,
    /// [`ErrorKind::Ended`] if the stylesheet ended itself, else [`ErrorKind::Failed`]; with file and line of the
    /// instruction as far as libxslt tells.
    pub fn run(
        &self,
        document: &Document,
        params: &[(&str, &str)],
        limits: &Limits,
    ) -> Result<Vec<u8>, Error> {
        // SAFETY: a live stylesheet.
        let strips = self.strips_all || unsafe { ffi::dds_xslt_strips_space(self.style.as_ptr()) } != 0;
        // SAFETY: a live tree; the copy belongs to nobody else.
        let copy = strips.then(|| Tree(unsafe { ffi::xmlCopyDoc(document.as_ptr(), 1) }));
        let doc = copy.as_ref().map_or(document.as_ptr(), |copy| copy.0);
        self.result(doc, params, limits).map(|(written, _)| written.bytes)
    }

    /// As [`run`](Self::run), for a document that is not needed afterwards, and gives the result also as document, if
    /// it is plain: one root, written as XML in UTF-8 without indentation (`xsl:output`). Else the bytes must be parsed
    /// for it.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn convert(&self, document: Document, limits: &Limits) -> Result<(Vec<u8>, Option<Document>), Error> {
        let (written, tree) = self.result(document.as_ptr(), &[], limits)?;
        Ok((written.bytes, written.plain.then(|| tree.into_document()).flatten()))
    }

    /// Runs on `doc`, which loses the white space that the stylesheet strips.
    fn result(
        &self,
        doc: *mut Doc,
        params: &[(&str, &str)],
        limits: &Limits,
    ) -> Result<(Written, Tree), Error> {
        if self.strips_all && !doc.is_null() {
            // SAFETY: a live tree that only this run uses.
            unsafe { ffi::dds_xslt_strip(doc) };
        }
        let listening = Listening::start(Files::new());
        let error = |listening: Listening, fallback: &str| listening.into_error(&self.path, fallback);
        let Some(run) = Run::prepare(self, doc, limits) else {
            return Err(error(listening, "no memory for a transformation"));
        };
        for (name, value) in params {
            if !run.set_param(name, value) {
                return Err(error(listening, "parameter cannot be set"));
            }
        }
        let result = run.apply();
        if run.exhausted() && !listening.reported(ErrorKind::Budget) {
            return Err(Error { kind: ErrorKind::Budget, ..error(listening, "operation limit exceeded") });
        }
        // Where libxslt did not tell the place of the message, because it says nothing.
        let ended = "the stylesheet ended itself by xsl:message with terminate";
        match result {
            _ if !run.went_well() => Err(error(listening, ended)),
            Some(_) if listening.refused() => Err(error(listening, ended)),
            Some(result) => output::serialise(result.0, self.style.as_ptr(), limits.output_bytes)
                .map(|written| (written, result))
                .map_err(|(kind, message)| Error { kind, file: self.path.clone(), line: 0, message }),
            None => Err(error(listening, "transformation failed")),
        }
    }
}

impl Drop for Stylesheet {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone.
        unsafe { ffi::xsltFreeStylesheet(self.style.as_ptr()) };
    }
}

/// One run with all it must free.
struct Run {
    context: NonNull<TransformContext>,
    style: *mut Style,
    doc: *mut Doc,
    prefs: *mut SecurityPrefs,
}

/// A tree of libxml2 that is freed when dropped.
struct Tree(*mut Doc);

impl Tree {
    fn into_document(self) -> Option<Document> {
        let doc = NonNull::new(std::mem::ManuallyDrop::new(self).0);
        // SAFETY: the tree was owned by `self` alone, which is not dropped.
        doc.map(|doc| unsafe { Document::from_raw(doc) })
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone; null is allowed.
        unsafe { ffi::xmlFreeDoc(self.0) };
    }
}

impl Run {
    /// `doc` outlives this value, or is null.
    fn prepare(stylesheet: &Stylesheet, doc: *mut Doc, limits: &Limits) -> Option<Self> {
        let style = stylesheet.style.as_ptr();
        // SAFETY: all pointers live; the context is freed by Drop, after the preferences were last used.
        unsafe {
            let context = NonNull::new(ffi::xsltNewTransformContext(style, doc))?;
            let prefs = ffi::xsltNewSecurityPrefs();
            let run = Self { context, style, doc, prefs };
            if prefs.is_null() || doc.is_null() {
                return None;
            }
            report::forbid_all(prefs);
            ffi::xsltSetCtxtSecurityPrefs(prefs, context.as_ptr());
            let small = |limit: u32| c_int::try_from(limit).unwrap_or(c_int::MAX);
            let operations = c_ulong::try_from(limits.operations).unwrap_or(c_ulong::MAX);
            ffi::dds_xslt_set_limits(
                context.as_ptr(),
                operations,
                small(limits.depth),
                small(limits.variables),
            );
            ffi::dds_xslt_listen_run(context.as_ptr());
            Some(run)
        }
    }

    fn set_param(&self, name: &str, value: &str) -> bool {
        let (Ok(name), Ok(value)) = (CString::new(name), CString::new(value)) else { return false };
        // SAFETY: C strings that live until the call returns; libxslt copies them into its dictionary.
        0 == unsafe {
            ffi::xsltQuoteOneUserParam(self.context.as_ptr(), name.as_ptr().cast(), value.as_ptr().cast())
        }
    }

    fn apply(&self) -> Option<Tree> {
        // SAFETY: the context was made for this stylesheet, all pointers live; no output file, no profile.
        let result = unsafe {
            ffi::xsltApplyStylesheetUser(
                self.style,
                self.doc,
                ptr::null(),
                ptr::null(),
                ptr::null_mut(),
                self.context.as_ptr(),
            )
        };
        (!result.is_null()).then_some(Tree(result))
    }

    fn went_well(&self) -> bool {
        // SAFETY: a live context.
        unsafe { ffi::dds_xslt_state(self.context.as_ptr()) == 0 }
    }

    fn exhausted(&self) -> bool {
        // SAFETY: a live context.
        unsafe { ffi::dds_xslt_exhausted(self.context.as_ptr()) != 0 }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // SAFETY: owned by this value alone. The context goes before the preferences it points to.
        unsafe {
            ffi::xsltFreeTransformContext(self.context.as_ptr());
            ffi::xsltFreeSecurityPrefs(self.prefs);
        }
    }
}

/// Whether `expression` is XPath 1.0 by its grammar; names are not resolved.
///
/// # Errors
/// The text of libxml2.
pub fn check_xpath(expression: &str) -> Result<(), String> {
    let text = CString::new(expression).map_err(|_| "zero byte in the expression".to_owned())?;
    let listening = Listening::start(Files::new());
    // SAFETY: a C string; the compiled form is freed at once (null is allowed).
    let correct = unsafe {
        let compiled = ffi::xmlXPathCompile(text.as_ptr().cast());
        ffi::xmlXPathFreeCompExpr(compiled);
        !compiled.is_null()
    };
    if correct { Ok(()) } else { Err(listening.into_error("", "not an XPath expression").message) }
}
