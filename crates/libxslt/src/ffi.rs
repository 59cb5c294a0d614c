//! Declarations of the C functions used. Only functions and opaque types: structures are read in `shim.c`, which the
//! C compiler checks against the installed headers.

use libc::{c_char, c_int, c_ulong, c_void};

macro_rules! opaque {
    ($($name:ident),+) => { $(
        #[repr(C)]
        pub(crate) struct $name { _private: [u8; 0] }
    )+ };
}
opaque!(Doc, Node, Dict, Style, TransformContext, SecurityPrefs, OutputBuffer, Encoder, XPathExpression);
opaque!(SchemaParser, Schema, SchemaRun);

/// `xsltDocLoaderFunc`
pub(crate) type Loader = extern "C" fn(
    url: *const u8,
    dict: *mut Dict,
    options: c_int,
    context: *mut c_void,
    kind: c_int,
) -> *mut Doc;
/// `xsltSecurityCheck`
pub(crate) type SecurityCheck =
    extern "C" fn(prefs: *mut SecurityPrefs, context: *mut TransformContext, value: *const c_char) -> c_int;
/// `xmlOutputWriteCallback`
pub(crate) type Write = extern "C" fn(context: *mut c_void, bytes: *const c_char, length: c_int) -> c_int;
/// `xmlExternalEntityLoader`
pub(crate) type EntityLoader =
    extern "C" fn(url: *const c_char, id: *const c_char, parser: *mut c_void) -> *mut c_void;

/// `xsltLoadType` (libxslt/documents.h): `xsl:import` or `xsl:include`.
pub(crate) const LOAD_STYLESHEET: c_int = 1;
/// `xsltSecurityOption` (libxslt/security.h): read file, write file, create directory, read network, write network.
pub(crate) const SECURITY_OPTIONS: std::ops::RangeInclusive<c_int> = 1..=5;
/// The first of them: read file.
pub(crate) const READ_FILE: c_int = 1;

unsafe extern "C" {
    // libxml2
    pub(crate) fn xmlInitParser();
    pub(crate) fn xmlSetExternalEntityLoader(loader: EntityLoader);
    pub(crate) fn xmlFindCharEncodingHandler(name: *const c_char) -> *mut Encoder;
    pub(crate) fn xmlFreeDoc(doc: *mut Doc);
    pub(crate) fn xmlCopyDoc(doc: *mut Doc, recursive: c_int) -> *mut Doc;
    pub(crate) fn xmlDocGetRootElement(doc: *const Doc) -> *mut Node;
    pub(crate) fn xmlFirstElementChild(node: *mut Node) -> *mut Node;
    pub(crate) fn xmlDocCopyNode(node: *mut Node, doc: *mut Doc, recursive: c_int) -> *mut Node;
    pub(crate) fn xmlAddChild(parent: *mut Node, node: *mut Node) -> *mut Node;
    pub(crate) fn xmlAddPrevSibling(sibling: *mut Node, node: *mut Node) -> *mut Node;
    pub(crate) fn xmlUnlinkNode(node: *mut Node);
    pub(crate) fn xmlFreeNode(node: *mut Node);
    pub(crate) fn xmlXPathCompile(text: *const u8) -> *mut XPathExpression;
    pub(crate) fn xmlXPathFreeCompExpr(expression: *mut XPathExpression);
    pub(crate) fn xmlOutputBufferCreateIO(
        write: Write,
        close: Option<extern "C" fn(*mut c_void) -> c_int>,
        context: *mut c_void,
        encoder: *mut Encoder,
    ) -> *mut OutputBuffer;
    pub(crate) fn xmlOutputBufferClose(buffer: *mut OutputBuffer) -> c_int;

    pub(crate) fn xmlSchemaNewDocParserCtxt(doc: *mut Doc) -> *mut SchemaParser;
    pub(crate) fn xmlSchemaFreeParserCtxt(parser: *mut SchemaParser);
    pub(crate) fn xmlSchemaParse(parser: *mut SchemaParser) -> *mut Schema;
    pub(crate) fn xmlSchemaFree(schema: *mut Schema);
    pub(crate) fn xmlSchemaNewValidCtxt(schema: *mut Schema) -> *mut SchemaRun;
    pub(crate) fn xmlSchemaFreeValidCtxt(run: *mut SchemaRun);
    pub(crate) fn xmlSchemaValidateDoc(run: *mut SchemaRun, doc: *mut Doc) -> c_int;

    // libxslt
    pub(crate) fn xsltInit();
    pub(crate) fn xsltSetLoaderFunc(loader: Loader);
    pub(crate) fn xsltNewSecurityPrefs() -> *mut SecurityPrefs;
    pub(crate) fn xsltSetSecurityPrefs(
        prefs: *mut SecurityPrefs,
        option: c_int,
        check: SecurityCheck,
    ) -> c_int;
    pub(crate) fn xsltFreeSecurityPrefs(prefs: *mut SecurityPrefs);
    pub(crate) fn xsltSetDefaultSecurityPrefs(prefs: *mut SecurityPrefs);
    pub(crate) fn xsltSetCtxtSecurityPrefs(
        prefs: *mut SecurityPrefs,
        context: *mut TransformContext,
    ) -> c_int;
    pub(crate) fn xsltParseStylesheetDoc(doc: *mut Doc) -> *mut Style;
    pub(crate) fn xsltFreeStylesheet(style: *mut Style);
    pub(crate) fn xsltNewTransformContext(style: *mut Style, doc: *mut Doc) -> *mut TransformContext;
    pub(crate) fn xsltFreeTransformContext(context: *mut TransformContext);
    pub(crate) fn xsltQuoteOneUserParam(
        context: *mut TransformContext,
        name: *const u8,
        value: *const u8,
    ) -> c_int;
    pub(crate) fn xsltApplyStylesheetUser(
        style: *mut Style,
        doc: *mut Doc,
        params: *const *const c_char,
        output: *const c_char,
        profile: *mut c_void,
        context: *mut TransformContext,
    ) -> *mut Doc;
    pub(crate) fn xsltSaveResultTo(buffer: *mut OutputBuffer, result: *mut Doc, style: *mut Style) -> c_int;

    // libexslt
    pub(crate) fn exsltCommonRegister();
    pub(crate) fn exsltMathRegister();
    pub(crate) fn exsltSetsRegister();
    pub(crate) fn exsltFuncRegister();
    pub(crate) fn exsltStrRegister();
    pub(crate) fn exsltDateRegister();

    // plain.c
    pub(crate) fn dds_xslt_write_plain(
        style: *mut Style,
        result: *mut Doc,
        write: Write,
        context: *mut c_void,
    ) -> c_int;

    pub(crate) fn dds_xslt_write_document(document: *mut Doc, write: Write, context: *mut c_void) -> c_int;

    // pool.c
    pub(crate) fn dds_xslt_pool_memory();

    // shim.c
    pub(crate) fn dds_xslt_listen_process();
    pub(crate) fn dds_xslt_listen_thread();
    pub(crate) fn dds_xslt_parse(
        bytes: *const u8,
        length: c_int,
        url: *const c_char,
        dict: *mut Dict,
        skip_blanks: c_int,
        doctype: *mut c_int,
    ) -> *mut Doc;
    pub(crate) fn dds_xslt_stylesheet_errors(style: *mut Style) -> c_int;
    pub(crate) fn dds_xslt_strips_space(style: *mut Style) -> c_int;
    pub(crate) fn dds_xslt_take_over_stripping(style: *mut Style) -> c_int;
    pub(crate) fn dds_xslt_strip(doc: *mut Doc);
    pub(crate) fn dds_xslt_root_has(doc: *mut Doc, name: *const c_char, value: *const c_char) -> c_int;
    pub(crate) fn dds_xslt_set_limits(
        context: *mut TransformContext,
        operations: c_ulong,
        depth: c_int,
        variables: c_int,
    );
    pub(crate) fn dds_xslt_listen_run(context: *mut TransformContext);
    pub(crate) fn dds_xslt_state(context: *mut TransformContext) -> c_int;
    pub(crate) fn dds_xslt_exhausted(context: *mut TransformContext) -> c_int;
    pub(crate) fn dds_xslt_encoder(style: *mut Style, unknown: *mut c_int) -> *mut Encoder;
}
