/*
 * What Rust cannot do by itself against every libxml2 from 2.9 to 2.14 and later: read fields of structures whose
 * layout only the installed headers know, expand macros, and take callbacks in the manner of printf.
 * Everything else is declared in ffi.rs.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/encoding.h>
#include <libxml/hash.h>
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
extern void dds_xslt_ended(const char *file, long line);
extern void dds_xslt_error(int domain, int code, const char *message, const char *file, int line);

static void pass_on(const char *format, va_list arguments) {
    char text[4096];
    vsnprintf(text, sizeof text, format, arguments);
    dds_xslt_text(text);
}

static void on_text(void *context, const char *format, ...) {
    va_list arguments;
    (void)context;
    va_start(arguments, format);
    pass_on(format, arguments);
    va_end(arguments);
}

/* Of a run: tells also the place of an xsl:message that ends it. */
static void on_text_of_run(void *context, const char *format, ...) {
    xmlNodePtr instruction = ((xsltTransformContextPtr)context)->inst;
    va_list arguments;
    if (instruction != NULL && instruction->type == XML_ELEMENT_NODE && xmlStrEqual(instruction->name, BAD_CAST "message")) {
        xmlChar *terminate = xmlGetNoNsProp(instruction, BAD_CAST "terminate");
        if (xmlStrEqual(terminate, BAD_CAST "yes") && instruction->doc != NULL)
            dds_xslt_ended((const char *)instruction->doc->URL, xmlGetLineNo(instruction));
        if (terminate != NULL)
            xmlFree(terminate);
    }
    va_start(arguments, format);
    pass_on(format, arguments);
    va_end(arguments);
}

void dds_xslt_listen_run(xsltTransformContextPtr context) {
    xsltSetTransformErrorFunc(context, context, on_text_of_run);
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

static int is_blank(const xmlChar *text, int length) {
    while (length > 0 && (*text == ' ' || *text == '\n' || *text == '\t' || *text == '\r')) {
        text++;
        length--;
    }
    return length == 0;
}

/*
 * SAX hook: passes text on, except white space that is a whole text node: a tag comes before it, or it would follow a text,
 * and a tag comes behind it. Before a reference or `<!`, which may be a CDATA section, the text may go on.
 */
static void skip_blank_text(void *context, const xmlChar *text, int length) {
    xmlParserCtxtPtr parser = context;
    const xmlChar *next = parser->input->cur;
    if (next[0] == '<' && next[1] != '!' && parser->node != NULL && is_blank(text, length) &&
        (parser->node->last == NULL || parser->node->last->type != XML_TEXT_NODE))
        return;
    xmlSAX2Characters(context, text, length);
}

/*
 * Parses one document in memory. `dict` may be NULL; `doctype` becomes 1 if a DOCTYPE ended the parsing. With `skip_blanks`
 * text nodes of white space alone are left away where that can be told while parsing.
 */
xmlDocPtr dds_xslt_parse(const char *bytes, int length, const char *url, xmlDictPtr dict, int skip_blanks, int *doctype) {
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
    if (skip_blanks) {
        parser->sax->characters = skip_blank_text;
        parser->sax->ignorableWhitespace = skip_blank_text;
    }
    /*
     * No XML_PARSE_NOENT, DTDLOAD, DTDATTR, XINCLUDE, HUGE. XPath knows no CDATA sections, hence NOCDATA. COMPACT keeps a short
     * text in its node.
     */
    document = xmlCtxtReadMemory(parser, bytes, length, url, NULL,
                                 XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_COMPACT);
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

/*
 * Whether it removes white space everywhere: `<xsl:strip-space elements="*"/>` and no other word about it. Then libxslt, which
 * looks up every element for that, is left without anything to remove: `dds_xslt_strip` does it before.
 */
int dds_xslt_take_over_stripping(xsltStylesheetPtr style) {
    xsltStylesheetPtr each;
    int strips = 0;
    for (each = style; each != NULL; each = xsltNextImport(each)) {
        if (each->stripSpaces == NULL)
            continue;
        if (each->stripAll != 1 || xmlHashSize(each->stripSpaces) != 0)
            return 0;
        strips = 1;
    }
    for (each = style; each != NULL; each = xsltNextImport(each)) {
        xmlHashFree(each->stripSpaces, NULL);
        each->stripSpaces = NULL;
        each->stripAll = 0;
    }
    return strips;
}

/* Removes all text nodes of white space alone inside `parent`. The parser bounds the depth. */
static void strip(xmlNodePtr parent) {
    xmlNodePtr node = parent->children, next;
    for (; node != NULL; node = next) {
        next = node->next;
        if (node->type == XML_ELEMENT_NODE) {
            strip(node);
        } else if (node->type == XML_TEXT_NODE && is_blank(node->content, xmlStrlen(node->content))) {
            xmlUnlinkNode(node);
            xmlFreeNode(node);
        }
    }
}

void dds_xslt_strip(xmlDocPtr document) {
    xmlNodePtr root = xmlDocGetRootElement(document);
    if (root != NULL)
        strip(root);
}

/* Whether the root element has the attribute, without namespace, with this value. */
int dds_xslt_root_has(xmlDocPtr document, const xmlChar *name, const xmlChar *value) {
    xmlNodePtr root = xmlDocGetRootElement(document);
    xmlChar *found = root == NULL ? NULL : xmlGetNoNsProp(root, name);
    int same = found != NULL && xmlStrEqual(found, value);
    if (found != NULL)
        xmlFree(found);
    return same;
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
