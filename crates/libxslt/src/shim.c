/*
 * What Rust cannot do by itself against every libxml2 from 2.9 to 2.14 and later: read fields of structures whose
 * layout only the installed headers know, expand macros, and take callbacks in the manner of printf.
 * Everything else is declared in ffi.rs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/encoding.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlversion.h>
#include <libxml/xpath.h>
#include <libxslt/imports.h>
#include <libxslt/transform.h>
#include <libxslt/xslt.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>

/* Defined in report.rs. */
extern void dds_xslt_text(const char *text);
extern void dds_xslt_error(int domain, int code, const char *message, const char *file, int line);

static void on_text(void *context, const char *format, ...) {
    char text[4096];
    va_list arguments;
    (void)context;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dds_xslt_text(text);
}

/* libxml2 2.12 made the error const. */
#if LIBXML_VERSION >= 21200
static void on_error(void *context, const xmlError *error) {
#else
static void on_error(void *context, xmlError *error) {
#endif
    (void)context;
    if (error != NULL)
        dds_xslt_error(error->domain, error->code, error->message, error->file, error->line);
}

/* Once per process: xsltGenericError is one variable for all threads. */
void dds_xslt_listen_process(void) {
    xsltSetGenericErrorFunc(NULL, on_text);
}

/* In each thread: libxml2 keeps these per thread. */
void dds_xslt_listen_thread(void) {
    xmlSetGenericErrorFunc(NULL, on_text);
    xmlSetStructuredErrorFunc(NULL, on_error);
}

/* SAX hook: called when the parser has read `<!DOCTYPE name` and nothing of the DTD yet. */
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *id, const xmlChar *system) {
    xmlParserCtxtPtr parser = context;
    (void)name;
    (void)id;
    (void)system;
    *(int *)parser->_private = 1;
    xmlStopParser(parser);
}

/* Parses one document in memory. `dict` may be NULL; `doctype` becomes 1 if a DOCTYPE ended the parsing. */
xmlDocPtr dds_xslt_parse(const char *bytes, int length, const char *url, xmlDictPtr dict, int *doctype) {
    xmlDocPtr document;
    xmlParserCtxtPtr parser = xmlNewParserCtxt();
    *doctype = 0;
    if (parser == NULL)
        return NULL;
    if (dict != NULL) { /* a stylesheet shares names with those it imports */
        if (parser->dict != NULL)
            xmlDictFree(parser->dict);
        parser->dict = dict;
        xmlDictReference(dict);
    }
    parser->_private = doctype;
    parser->sax->internalSubset = refuse_doctype;
    /* No XML_PARSE_NOENT, DTDLOAD, DTDATTR, XINCLUDE, HUGE. XPath knows no CDATA sections, hence NOCDATA. */
    document = xmlCtxtReadMemory(parser, bytes, length, url, NULL, XML_PARSE_NONET | XML_PARSE_NOCDATA);
    if (document != NULL && *doctype) {
        xmlFreeDoc(document);
        document = NULL;
    }
    xmlFreeParserCtxt(parser);
    return document;
}

int dds_xslt_stylesheet_errors(xsltStylesheetPtr style) {
    return style->errors;
}

/* Whether it removes white space from its source documents, in place. */
int dds_xslt_strips_space(xsltStylesheetPtr style) {
    for (; style != NULL; style = xsltNextImport(style))
        if (style->stripSpaces != NULL)
            return 1;
    return 0;
}

static int plain(xmlNodePtr node) {
    for (; node != NULL; node = node->next) {
        if (node->type == XML_TEXT_NODE) {
            if (node->name == xmlStringTextNoenc || (node->next != NULL && node->next->type == XML_TEXT_NODE))
                return 0;
        } else if (node->type != XML_ELEMENT_NODE || !plain(node->children)) {
            return 0;
        }
    }
    return 1;
}

/*
 * Whether parsing the serialised result would only build the same tree once more: XML as it stands, of elements and
 * whole texts, without what serialisation adds (indentation, DOCTYPE) or treats in its own way (CDATA sections,
 * disable-output-escaping).
 */
int dds_xslt_reads_back(xsltStylesheetPtr style, xmlDocPtr result) {
    const xmlChar *method, *public, *system;
    int indent;
    xsltStylesheetPtr each;
    XSLT_GET_IMPORT_PTR(method, style, method)
    XSLT_GET_IMPORT_PTR(public, style, doctypePublic)
    XSLT_GET_IMPORT_PTR(system, style, doctypeSystem)
    XSLT_GET_IMPORT_INT(indent, style, indent)
    for (each = style; each != NULL; each = xsltNextImport(each))
        if (each->cdataSection != NULL)
            return 0;
    return xmlStrEqual(method, BAD_CAST "xml") && public == NULL && system == NULL && indent <= 0 &&
           result->children != NULL && result->children->type == XML_ELEMENT_NODE && result->children->next == NULL &&
           plain(result->children);
}

void dds_xslt_set_limits(xsltTransformContextPtr context, unsigned long operations, int depth, int variables) {
    context->opLimit = operations;
    context->maxTemplateDepth = depth;
    context->maxTemplateVars = variables;
    context->xpathCtxt->opLimit = operations;
}

/* 0 went well, 1 error, 2 stopped. */
int dds_xslt_state(xsltTransformContextPtr context) {
    return context->state;
}

/* Whether one of the counters reached its limit. */
int dds_xslt_exhausted(xsltTransformContextPtr context) {
    return context->opCount >= context->opLimit || context->xpathCtxt->opCount >= context->xpathCtxt->opLimit;
}

/* The encoder for `xsl:output encoding`; NULL for UTF-8. `unknown` becomes 1 if there is no such encoding. */
xmlCharEncodingHandlerPtr dds_xslt_encoder(xsltStylesheetPtr style, int *unknown) {
    const xmlChar *encoding;
    xmlCharEncodingHandlerPtr handler;
    XSLT_GET_IMPORT_PTR(encoding, style, encoding)
    *unknown = 0;
    if (encoding == NULL || xmlStrcasecmp(encoding, BAD_CAST "UTF-8") == 0 ||
        xmlStrcasecmp(encoding, BAD_CAST "UTF8") == 0)
        return NULL;
    handler = xmlFindCharEncodingHandler((const char *)encoding);
    *unknown = handler == NULL;
    return handler;
}
