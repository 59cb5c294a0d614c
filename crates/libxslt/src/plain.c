/*
 * Serialises plain results: XML in UTF-8 of elements, attributes and whole texts, without indentation, DOCTYPE, CDATA sections or
 * disable-output-escaping. That is what nearly every stylesheet here writes, and a tenth of the cost of xmlsave.c, which
 * writes the same bytes (tests/same.rs). Parsing these bytes would only build the same tree once more.
 */
#include <string.h>

#include <libxml/parserInternals.h>
#include <libxml/tree.h>
#include <libxslt/imports.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>

/* Takes bytes; negative when it takes no more. */
typedef int (*sink)(void *context, const char *bytes, int length);

struct writer {
    sink write;
    void *context;
    int failed;
    char *at;
    char bytes[8192];
};

static void flush(struct writer *to) {
    int length = (int)(to->at - to->bytes);
    if (!to->failed && length > 0 && to->write(to->context, to->bytes, length) < 0)
        to->failed = 1;
    to->at = to->bytes;
}

/* Byte by byte: names are too short for strlen and memcpy to pay. */
static void put(struct writer *to, const void *string) {
    const char *from = string, *end = to->bytes + sizeof to->bytes;
    char *at = to->at;
    for (; *from != 0; from++) {
        if (at == end) {
            to->at = at;
            flush(to);
            at = to->at;
        }
        *at++ = *from;
    }
    to->at = at;
}

/* What libxml2 escapes. A tab or a line break in an attribute would be read as a space (XML 1.0, 3.3.3). */
static const char *const in_text[256] = {['<'] = "&lt;", ['>'] = "&gt;", ['&'] = "&amp;", ['\r'] = "&#13;"};
static const char *const in_attribute[256] = {['<'] = "&lt;",   ['>'] = "&gt;",  ['&'] = "&amp;", ['"'] = "&quot;",
                                              ['\r'] = "&#13;", ['\n'] = "&#10;", ['\t'] = "&#9;"};

static void put_escaped(struct writer *to, const xmlChar *text, const char *const *escapes) {
    const char *end = to->bytes + sizeof to->bytes;
    char *at = to->at;
    for (; *text != 0; text++) {
        if (at == end || escapes[*text] != NULL) {
            to->at = at;
            if (at == end)
                flush(to);
            if (escapes[*text] != NULL) {
                put(to, escapes[*text]);
                at = to->at;
                continue;
            }
            at = to->at;
        }
        *at++ = (char)*text;
    }
    to->at = at;
}

static void put_name(struct writer *to, const xmlNs *namespace, const xmlChar *name) {
    if (namespace != NULL && namespace->prefix != NULL) {
        put(to, namespace->prefix);
        put(to, ":");
    }
    put(to, name);
}

static void put_start(struct writer *to, const xmlNode *element) {
    const xmlNs *namespace;
    const xmlAttr *attribute;
    put(to, "<");
    put_name(to, element->ns, element->name);
    for (namespace = element->nsDef; namespace != NULL; namespace = namespace->next) {
        if (xmlStrEqual(namespace->prefix, BAD_CAST "xml"))
            continue;
        put(to, " xmlns");
        if (namespace->prefix != NULL) {
            put(to, ":");
            put(to, namespace->prefix);
        }
        put(to, "=\"");
        put(to, namespace->href);
        put(to, "\"");
    }
    for (attribute = element->properties; attribute != NULL; attribute = attribute->next) {
        put(to, " ");
        put_name(to, attribute->ns, attribute->name);
        put(to, "=\"");
        if (attribute->children != NULL && attribute->children->content != NULL)
            put_escaped(to, attribute->children->content, in_attribute);
        put(to, "\"");
    }
    if (element->children == NULL)
        put(to, "/>");
    else
        put(to, ">");
}

static void put_end(struct writer *to, const xmlNode *element) {
    put(to, "</");
    put_name(to, element->ns, element->name);
    put(to, ">");
}

static void put_tree(struct writer *to, const xmlNode *root) {
    const xmlNode *node = root;
    while (!to->failed) {
        if (node->type == XML_TEXT_NODE) {
            if (node->content != NULL)
                put_escaped(to, node->content, in_text);
        } else {
            put_start(to, node);
            if (node->children != NULL) {
                node = node->children;
                continue;
            }
        }
        while (node != root && node->next == NULL) {
            node = node->parent;
            put_end(to, node);
        }
        if (node == root)
            return;
        node = node->next;
    }
}

static int is_plain_text(const xmlNode *node) {
    return node->type == XML_TEXT_NODE && node->name != xmlStringTextNoenc &&
           (node->next == NULL || node->next->type != XML_TEXT_NODE);
}

static int is_plain_element(const xmlNode *node) {
    const xmlNs *namespace;
    const xmlAttr *attribute;
    if (node->type != XML_ELEMENT_NODE)
        return 0;
    /* libxml2 does not escape these as it does other attributes. */
    for (namespace = node->nsDef; namespace != NULL; namespace = namespace->next)
        if (namespace->href == NULL || strpbrk((const char *)namespace->href, "\"'<>&\t\n\r") != NULL)
            return 0;
    for (attribute = node->properties; attribute != NULL; attribute = attribute->next)
        if (attribute->children != NULL && (attribute->children->next != NULL || !is_plain_text(attribute->children)))
            return 0;
    return 1;
}

static int is_plain_tree(const xmlNode *root) {
    const xmlNode *node = root;
    for (;;) {
        if (!is_plain_text(node) && !is_plain_element(node))
            return 0;
        if (node->type == XML_ELEMENT_NODE && node->children != NULL) {
            node = node->children;
            continue;
        }
        while (node != root && node->next == NULL)
            node = node->parent;
        if (node == root)
            return 1;
        node = node->next;
    }
}

static int is_plain_document(const xmlDoc *document) {
    const xmlNode *root = document->children;
    return root != NULL && root->type == XML_ELEMENT_NODE && root->next == NULL && is_plain_tree(root);
}

static void put_document(struct writer *to, const xmlDoc *document, int bare) {
    if (!bare) {
        put(to, "<?xml version=\"");
        put(to, document->version != NULL ? document->version : BAD_CAST "1.0");
        put(to, "\" encoding=\"UTF-8\"?>\n");
    }
    put_tree(to, document->children);
}

static void begin(struct writer *to, sink write, void *context) {
    to->write = write;
    to->context = context;
    to->failed = 0;
    to->at = to->bytes;
}

/* 1 when the result is plain and was written, 0 when it is not plain, -1 when it was too long. */
int dds_xslt_write_plain(xsltStylesheetPtr style, xmlDocPtr result, sink write, void *context) {
    const xmlChar *method, *encoding;
    int indent, bare, standalone;
    struct writer to;
    XSLT_GET_IMPORT_PTR(method, style, method)
    XSLT_GET_IMPORT_PTR(encoding, style, encoding)
    XSLT_GET_IMPORT_INT(indent, style, indent)
    XSLT_GET_IMPORT_INT(bare, style, omitXmlDeclaration)
    XSLT_GET_IMPORT_INT(standalone, style, standalone)
    /* Without `xsl:output encoding` libxml2 escapes what is not ASCII in attributes. */
    if (style->methodURI != NULL || !xmlStrEqual(method, BAD_CAST "xml") || !xmlStrEqual(encoding, BAD_CAST "UTF-8") ||
        result->encoding == NULL || indent == 1 || standalone != -1 || !is_plain_document(result))
        return 0;

    begin(&to, write, context);
    put_document(&to, result, bare == 1);
    if (indent != 0) /* as xsltSaveResultTo ends when xsl:output does not say */
        put(&to, "\n");
    flush(&to);
    return to.failed ? -1 : 1;
}

/* Any document as XML in UTF-8: 0 when it was too long, or there was no memory for it. */
int dds_xslt_write_document(xmlDocPtr document, sink write, void *context) {
    struct writer to;
    xmlOutputBufferPtr buffer;
    if (!is_plain_document(document)) {
        buffer = xmlOutputBufferCreateIO(write, NULL, context, NULL);
        return buffer != NULL && xmlSaveFormatFileTo(buffer, document, "UTF-8", 0) >= 0;
    }
    begin(&to, write, context);
    put_document(&to, document, 0);
    put(&to, "\n");
    flush(&to);
    return !to.failed;
}
