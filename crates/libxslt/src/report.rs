//! What libxml2 and libxslt report while one operation runs in this thread.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    ffi::{CStr, CString},
    ptr,
    sync::Once,
};

use libc::{c_char, c_int, c_void};

use crate::{
    error::{Error, ErrorKind},
    ffi::{self, Dict, Doc, SecurityPrefs, TransformContext},
};

/// Files a stylesheet may import: path → content.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The operation of this thread.
#[derive(Default)]
struct Operation {
    files: Files,
    reports: Vec<Report>,
    /// What the operation wanted to reach and may not.
    refused: Option<String>,
    /// `file`, `line` that libxslt announced for its next message.
    place: Option<(String, u32)>,
    /// `file`, `line` of the `xsl:message` that ends the run.
    ended: Option<(String, u32)>,
}

struct Report {
    kind: ErrorKind,
    file: String,
    line: u32,
    text: String,
}

/// More than this of one operation is not kept.
const MOST_REPORTS: usize = 16;

thread_local! {
    static OPERATION: RefCell<Option<Operation>> = const { RefCell::new(None) };
}

/// Everything reported from here on in this thread belongs to this value, until it is dropped.
pub(crate) struct Listening(());

impl Listening {
    pub(crate) fn start(files: Files) -> Self {
        prepare_process();
        // SAFETY: sets two pointers of this thread to functions that live as long as the program.
        unsafe { ffi::dds_xslt_listen_thread() };
        OPERATION.set(Some(Operation { files, ..Operation::default() }));
        Self(())
    }

    /// The error to answer with: the refusal if there was one, else the first report, else `fallback`.
    pub(crate) fn into_error(self, path: &str, fallback: &str) -> Error {
        let operation = OPERATION.take().unwrap_or_default();
        let here = |kind, message: String| Error { kind, file: path.to_owned(), line: 0, message };
        let first = |kind: Option<ErrorKind>| {
            operation.reports.iter().find(|report| kind.is_none_or(|kind| kind == report.kind))
        };
        let line = first(None).map_or(0, |report| report.line);
        if let Some(refused) = operation.refused {
            return Error { line, ..here(ErrorKind::Refused, refused) };
        }
        let worst = first(Some(ErrorKind::Memory)).or_else(|| first(Some(ErrorKind::Budget)));
        let Some(report) = worst.or_else(|| first(None)) else {
            if let Some((file, line)) = operation.ended {
                return Error {
                    kind: ErrorKind::Ended,
                    file,
                    line,
                    message: "stopped by xsl:message".to_owned(),
                };
            }
            return here(ErrorKind::Failed, fallback.to_owned());
        };
        // libxml2 names no file for an XPath error; the report beside it does.
        let placed = std::iter::once(report).chain(&operation.reports).find(|report| report.line > 0);
        let (file, line) = placed.map_or((path, 0), |report| (report.file.as_str(), report.line));
        let file = if file.is_empty() { path } else { file };
        Error { kind: report.kind, file: file.to_owned(), line, message: report.text.clone() }
    }

    /// Whether access to something was refused.
    pub(crate) fn refused(&self) -> bool {
        OPERATION
            .with_borrow(|operation| operation.as_ref().is_some_and(|operation| operation.refused.is_some()))
    }

    /// Whether an error of this kind was reported.
    pub(crate) fn reported(&self, kind: ErrorKind) -> bool {
        OPERATION.with_borrow(|operation| {
            operation
                .as_ref()
                .is_some_and(|operation| operation.reports.iter().any(|report| report.kind == kind))
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        OPERATION.set(None);
    }
}

fn with_operation(act: impl FnOnce(&mut Operation)) {
    OPERATION.with_borrow_mut(|operation| {
        if let Some(operation) = operation {
            act(operation);
        }
    });
}

/// Registers handlers, refusals and the EXSLT subset, once.
pub(crate) fn prepare_process() {
    static ONCE: Once = Once::new();
    // SAFETY: the documented initialisers, called once and before any other use (`Once`); the functions registered
    // live as long as the program, and so do the security preferences, which are never freed.
    ONCE.call_once(|| unsafe {
        // The tools that find errors of memory know the blocks of malloc.
        if !cfg!(fuzzing) {
            ffi::dds_xslt_pool_memory();
        }
        ffi::xmlInitParser();
        ffi::xsltInit();
        ffi::exsltCommonRegister();
        ffi::exsltMathRegister();
        ffi::exsltSetsRegister();
        ffi::exsltFuncRegister();
        ffi::exsltStrRegister();
        ffi::exsltDateRegister();
        ffi::dds_xslt_listen_process();
        ffi::xmlSetExternalEntityLoader(no_entity);
        ffi::xsltSetLoaderFunc(load);
        let prefs = ffi::xsltNewSecurityPrefs();
        forbid_all(prefs);
        ffi::xsltSetSecurityPrefs(prefs, ffi::READ_FILE, read_of_compiler);
        ffi::xsltSetDefaultSecurityPrefs(prefs);
    });
}

/// Sets every preference to [`forbid`].
///
/// # Safety
/// `prefs` is null or came from `xsltNewSecurityPrefs` and is used by nobody else now.
pub(crate) unsafe fn forbid_all(prefs: *mut SecurityPrefs) {
    for option in ffi::SECURITY_OPTIONS {
        // SAFETY: as promised by the caller; libxslt checks for null itself.
        unsafe { ffi::xsltSetSecurityPrefs(prefs, option, forbid) };
    }
}

extern "C" fn forbid(_: *mut SecurityPrefs, _: *mut TransformContext, _: *const c_char) -> c_int {
    // The value is not kept: at run time it may hold content of the message.
    with_operation(|operation| {
        operation.refused.get_or_insert_with(|| "access to a file or the network refused".to_owned());
    });
    0
}

/// Reading is allowed to the compiler, and only of files it was given.
extern "C" fn read_of_compiler(
    prefs: *mut SecurityPrefs,
    context: *mut TransformContext,
    value: *const c_char,
) -> c_int {
    if !context.is_null() {
        return forbid(prefs, context, value);
    }
    // SAFETY: libxslt passes the URI as C string, or null.
    let url = unsafe { text_of(value) };
    let mut known = false;
    with_operation(|operation| {
        known = operation.files.contains_key(&url);
        if !known {
            operation
                .refused
                .get_or_insert_with(|| format!("import of {url:?} refused: not a file of this bundle"));
        }
    });
    c_int::from(known)
}

/// `xsltDocLoaderFunc`: imports and includes come from the files given, `document()` gets nothing.
extern "C" fn load(
    url: *const u8,
    dict: *mut Dict,
    _options: c_int,
    _context: *mut c_void,
    kind: c_int,
) -> *mut Doc {
    // SAFETY: libxslt passes the URI as C string, or null.
    let name = unsafe { text_of(url.cast()) };
    let mut content = None;
    with_operation(|operation| {
        if kind == ffi::LOAD_STYLESHEET {
            content = operation.files.get(&name).cloned();
        }
        if content.is_none() {
            operation.refused.get_or_insert_with(|| "access to a file or the network refused".to_owned());
        }
    });
    // Outside of `with_operation`: the parser reports errors into it.
    content.map_or(ptr::null_mut(), |content| {
        parse_raw(&content, &name, dict, Blanks::Keep).unwrap_or(ptr::null_mut())
    })
}

/// `xmlExternalEntityLoader`: nothing outside the document is ever read.
extern "C" fn no_entity(_: *const c_char, _: *const c_char, _: *mut c_void) -> *mut c_void {
    with_operation(|operation| {
        operation.refused.get_or_insert_with(|| "external entity refused".to_owned());
    });
    ptr::null_mut()
}

/// Text nodes of white space alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blanks {
    Keep,
    /// Left away where the parser can tell; some may remain.
    Skip,
}

/// Parses; `None` after an error that was reported to the operation of this thread.
pub(crate) fn parse_raw(bytes: &[u8], name: &str, dict: *mut Dict, blanks: Blanks) -> Option<*mut Doc> {
    let report = |text: &str| {
        let report =
            Report { kind: ErrorKind::Failed, file: name.to_owned(), line: 0, text: text.to_owned() };
        with_operation(|operation| operation.reports.push(report));
    };
    let (Ok(length), Ok(url)) = (c_int::try_from(bytes.len()), CString::new(name)) else {
        report("document of more than 2 GiB, or a name with a zero byte");
        return None;
    };
    let mut doctype = 0;
    // SAFETY: pointer and length are those of `bytes`, the other pointers live until the call returns; `dict` is null
    // or the dictionary libxslt passed to `load`.
    let doc = unsafe {
        let skip = c_int::from(blanks == Blanks::Skip);
        ffi::dds_xslt_parse(bytes.as_ptr(), length, url.as_ptr(), dict, skip, &raw mut doctype)
    };
    if doctype != 0 {
        with_operation(|operation| operation.reports.clear());
        report("DOCTYPE is not allowed");
        return None;
    }
    (!doc.is_null()).then_some(doc)
}

/// A C string as text.
///
/// # Safety
/// `pointer` is null or points to a C string.
unsafe fn text_of(pointer: *const c_char) -> String {
    if pointer.is_null() {
        return String::new();
    }
    // SAFETY: as promised by the caller.
    unsafe { CStr::from_ptr(pointer) }.to_string_lossy().into_owned()
}

/// `XML_ERR_NO_MEMORY` (libxml/xmlerror.h).
const NO_MEMORY: c_int = 2;
/// `XML_FROM_XPATH` (libxml/xmlerror.h).
const FROM_XPATH: c_int = 12;
/// `XPATH_MEMORY_ERROR` as code of `xmlError`: `XML_XPATH_EXPRESSION_OK` + place in `xmlXPathError`.
const XPATH_MEMORY: c_int = 1215;
/// `XPATH_STACK_ERROR`, `XPATH_OP_LIMIT_EXCEEDED`, `XPATH_RECURSION_LIMIT_EXCEEDED`, likewise.
const XPATH_LIMITS: [c_int; 3] = [1223, 1224, 1226];

/// Called by `shim.c` for each structured error.
#[unsafe(no_mangle)]
extern "C" fn dds_xslt_error(
    domain: c_int,
    code: c_int,
    message: *const c_char,
    file: *const c_char,
    line: c_int,
) {
    // SAFETY: the fields of an xmlError are C strings or null.
    let (text, file) = unsafe { (text_of(message), text_of(file)) };
    let kind = match code {
        NO_MEMORY | XPATH_MEMORY => ErrorKind::Memory,
        limit if domain == FROM_XPATH && XPATH_LIMITS.contains(&limit) => ErrorKind::Budget,
        _ => ErrorKind::Failed,
    };
    let line = u32::try_from(line).unwrap_or(0);
    with_operation(|operation| operation.push(Report { kind, file, line, text: text.trim().to_owned() }));
}

/// Called by `shim.c` with the text messages of libxslt. They come in pairs: first the place
/// (`runtime error: file F line N element E`), then what happened. Text without a place is an `xsl:message`, whose
/// text may hold content of the message, or the trace of templates behind an error: neither is kept.
#[unsafe(no_mangle)]
extern "C" fn dds_xslt_text(text: *const c_char) {
    // SAFETY: `shim.c` passes the array it has just filled.
    let text = unsafe { text_of(text) };
    with_operation(|operation| {
        if let Some(place) = place_in(&text) {
            operation.place = Some(place);
        } else if let Some((file, line)) = operation.place.take() {
            let says = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
            let kind = if says(&["malloc failed", "allocation failed", "out of memory"]) {
                ErrorKind::Memory
            } else if says(&["infinite template recursion", "limit exceeded", "Maximum"]) {
                ErrorKind::Budget
            } else {
                ErrorKind::Failed
            };
            operation.push(Report { kind, file, line, text: text.trim().to_owned() });
        }
    });
}

/// Called by `shim.c` before the text of an `xsl:message` with `terminate="yes"`.
#[unsafe(no_mangle)]
extern "C" fn dds_xslt_ended(file: *const c_char, line: libc::c_long) {
    // SAFETY: the URL of the stylesheet is a C string or null.
    let file = unsafe { text_of(file) };
    with_operation(|operation| operation.ended = Some((file, u32::try_from(line).unwrap_or(0))));
}

impl Operation {
    fn push(&mut self, report: Report) {
        if self.reports.len() < MOST_REPORTS && !report.text.is_empty() {
            self.reports.push(report);
        }
    }
}

/// Reads the announcement of `xsltPrintErrorContext` (libxslt/xsltutils.c).
fn place_in(text: &str) -> Option<(String, u32)> {
    let (kind, rest) = text.trim_end().split_once(": ")?;
    if !["error", "compilation error", "runtime error"].contains(&kind) {
        return None;
    }
    let Some(rest) = rest.strip_prefix("file ") else {
        return rest.starts_with("element ").then(|| (String::new(), 0));
    };
    let (file, rest) =
        rest.split_once(" line ").or_else(|| rest.split_once(" element ")).unwrap_or((rest, ""));
    let line = rest.split(' ').next().and_then(|line| line.parse().ok()).unwrap_or(0);
    Some((file.to_owned(), line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_an_error_is_read() {
        assert_eq!(
            place_in("runtime error: file a b.xsl line 7 element value-of\n"),
            Some(("a b.xsl".into(), 7))
        );
        assert_eq!(place_in("compilation error: file x.xsl element y\n"), Some(("x.xsl".into(), 0)));
        assert_eq!(place_in("runtime error: element y\n"), Some((String::new(), 0)));
        assert_eq!(place_in("Geburtsdatum: file\n"), None);
    }
}
