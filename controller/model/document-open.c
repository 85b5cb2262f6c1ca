/* SPDX-License-Identifier: Apache-2.0 */

/* From hostile bytes to a valid tree.
 *
 * What can make an XML parser work or remember out of proportion is refused
 * before or while it parses:
 *
 *   - more than MODEL_MAX_BYTES;
 *   - many attributes in one tag, which libxml2 compares in pairs: between two
 *     '<' there may be MAX_QUOTES quotation marks, whatever they stand in (no
 *     tag can have a '<' inside, so this needs no parsing);
 *   - a DTD, and with it every entity; the parser is stopped where it begins.
 *     No file or network address is ever opened;
 *   - elements nested deeper than MAX_DEPTH or more than MAX_ELEMENTS, values
 *     longer than MAX_VALUE;
 *   - comments, processing instructions and white space are not kept.
 *
 * libxml2's SAX callbacks are wrapped for that, in the one parser context;
 * errors come to a callback of that context too.  Nothing of the process is
 * changed. */

#include <config.h>
#include "controller/model/document.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdlib.h>
#include <string.h>

#include "controller/model/document-private.h"
#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define MAX_QUOTES 256
#define MAX_DEPTH 16
#define MAX_ELEMENTS 500000
#define MAX_VALUE 4096

struct reader {
    struct document *doc;
    size_t n_elements;
    bool stopped;               /* An error was reported, the rest is void. */
};

static struct reader *
reader_from_ctxt(void *ctxt_)
{
    xmlParserCtxt *ctxt = ctxt_;

    return ctxt->_private;
}

/* Reports an error where the parser is, once, and stops it. */
static struct diag *
reader_refuse(xmlParserCtxt *ctxt, const char *cause)
{
    struct reader *reader = ctxt->_private;
    int line = ctxt->input ? ctxt->input->line : 0;

    if (reader->stopped) {
        return NULL;
    }
    reader->stopped = true;
    xmlStopParser(ctxt);
    return diags_error(reader->doc->diags, reader->doc->source, line, NULL,
                       "%s", cause);
}

static void
sax_internal_subset(void *ctxt, const xmlChar *name OVS_UNUSED,
                    const xmlChar *external_id OVS_UNUSED,
                    const xmlChar *system_id OVS_UNUSED)
{
    diag_remedy(reader_refuse(ctxt, "documents with a DTD or entities are not "
                              "accepted"),
                "remove the <!DOCTYPE ...>");
}

/* The line where the tag begins that the parser has just read. */
static intptr_t
tag_line(const xmlParserCtxt *ctxt)
{
    intptr_t line = ctxt->input->line;

    for (const xmlChar *p = ctxt->input->cur;
         p > ctxt->input->base && p[-1] != '<'; p--) {
        line -= p[-1] == '\n';
    }
    return MAX(line, 1);
}

static void
sax_start_element(void *ctxt_, const xmlChar *name, const xmlChar *prefix,
                  const xmlChar *uri, int n_namespaces,
                  const xmlChar **namespaces, int n_attributes,
                  int n_defaulted, const xmlChar **attributes)
{
    xmlParserCtxt *ctxt = ctxt_;
    struct reader *reader = ctxt->_private;

    if (reader->stopped) {
        return;
    }
    if (ctxt->nodeNr >= MAX_DEPTH) {
        diag_remedy(reader_refuse(ctxt, "elements are nested too deep"),
                    "nest at most %d elements", MAX_DEPTH);
        return;
    }
    if (++reader->n_elements > MAX_ELEMENTS) {
        diag_remedy(reader_refuse(ctxt, "the document has too many elements"),
                    "use at most %d elements", MAX_ELEMENTS);
        return;
    }
    for (int i = 0; i < n_attributes; i++) {
        if (attributes[i * 5 + 4] - attributes[i * 5 + 3] > MAX_VALUE) {
            diag_remedy(reader_refuse(ctxt, "the value of an attribute is too "
                                      "long"),
                        "use at most %d octets", MAX_VALUE);
            return;
        }
    }
    xmlSAX2StartElementNs(ctxt, name, prefix, uri, n_namespaces, namespaces,
                          n_attributes, n_defaulted, attributes);
    if (ctxt->node) {
        ctxt->node->_private = (void *) tag_line(ctxt);
    }
}

static void
sax_characters(void *ctxt, const xmlChar *text, int len)
{
    for (int i = 0; i < len; i++) {
        if (!strchr(" \t\r\n", text[i]) || !text[i]) {
            xmlSAX2Characters(ctxt, text, len);
            return;
        }
    }
}

static void
sax_error(void *ctxt, xmlError *error)
{
    struct reader *reader = reader_from_ctxt(ctxt);
    struct ds cause = DS_EMPTY_INITIALIZER;
    struct diag *d;

    if (reader->stopped || error->level == XML_ERR_WARNING) {
        return;
    }
    reader->stopped = true;
    ds_put_cstr(&cause, error->message ? error->message : "unknown error");
    ds_chomp(&cause, '\n');
    d = diags_error(reader->doc->diags, reader->doc->source, error->line, NULL,
                    "not well-formed XML: %s", ds_cstr(&cause));
    diag_remedy(d, (error->code == XML_ERR_UNDECLARED_ENTITY
                    ? "only the entities of XML itself (&amp; &lt; &gt; "
                      "&quot; &apos;) may be used"
                    : "correct the text there; the document must be "
                      "well-formed XML in UTF-8"));
    ds_destroy(&cause);
}

/* Refuses bytes that would cost libxml2 too much (see the top of this
 * file). */
static bool
bytes_are_acceptable(struct document *doc, const char *data, size_t size)
{
    int n_quotes = 0;
    int line = 1;
    struct diag *d;

    if (size > MODEL_MAX_BYTES) {
        d = diags_error(doc->diags, doc->source, 0, NULL,
                        "the document has %"PRIuSIZE" octets", size);
        diag_remedy(d, "use at most %d octets", MODEL_MAX_BYTES);
        return false;
    } else if (!size) {
        d = diags_error(doc->diags, doc->source, 0, NULL,
                        "the document is empty");
        diag_remedy(d, "submit an XML document");
        return false;
    }

    for (size_t i = 0; i < size; i++) {
        switch (data[i]) {
        case '<':
            n_quotes = 0;
            break;
        case '\n':
            line++;
            break;
        case '"':
        case '\'':
            if (++n_quotes > MAX_QUOTES) {
                d = diags_error(doc->diags, doc->source, line, NULL,
                                "too many quotation marks between two tags");
                diag_remedy(d, "use at most %d, which is %d attributes",
                            MAX_QUOTES, MAX_QUOTES / 2);
                return false;
            }
            break;
        }
    }
    return true;
}

static xmlDoc *
parse_bytes(struct document *doc, const void *data, size_t size)
{
    struct reader reader = { .doc = doc };
    xmlParserCtxt *ctxt = xmlNewParserCtxt();
    xmlDoc *xml;

    if (!ctxt) {
        out_of_memory();
    }
    ctxt->_private = &reader;
    ctxt->sax->internalSubset = sax_internal_subset;
    ctxt->sax->externalSubset = NULL;
    ctxt->sax->resolveEntity = NULL;
    ctxt->sax->entityDecl = NULL;
    ctxt->sax->startElementNs = sax_start_element;
    ctxt->sax->characters = sax_characters;
    ctxt->sax->ignorableWhitespace = sax_characters;
    ctxt->sax->comment = NULL;
    ctxt->sax->processingInstruction = NULL;
    ctxt->sax->serror = sax_error;

    xml = xmlCtxtReadMemory(ctxt, data, size, NULL, "UTF-8",
                            XML_PARSE_NONET | XML_PARSE_NOCDATA
                            | XML_PARSE_COMPACT);
    if (!xml && !reader.stopped) {
        diags_error(doc->diags, doc->source, 0, NULL, "not an XML document");
        reader.stopped = true;
    }
    xmlFreeParserCtxt(ctxt);
    if (reader.stopped) {
        xmlFreeDoc(xml);
        return NULL;
    }
    return xml;
}

/* Validation. */

static void
valid_error_cb(void *message_, xmlError *error)
{
    char **message = message_;

    if (!*message && error->message) {
        *message = xasprintf("line %d: %s", error->line, error->message);
    }
}

static bool
validate(struct document *doc)
{
    xmlSchemaValidCtxt *ctxt = xmlSchemaNewValidCtxt(doc->schema->xsd);
    struct diags own = DIAGS_INITIALIZER;
    struct diags *diags = doc->diags;
    char *message = NULL;
    int retval;

    if (!ctxt) {
        out_of_memory();
    }
    xmlSchemaSetValidStructuredErrors(ctxt, valid_error_cb, &message);
    retval = xmlSchemaValidateDoc(ctxt, doc->xml);
    xmlSchemaFreeValidCtxt(ctxt);
    if (!retval) {
        free(message);
        return true;
    }

    doc->diags = &own;
    document_explain(doc);
    if (!diags_has_errors(&own)) {
        diags_error(&own, doc->source, 0, NULL, "not valid: %s",
                    message ? message : "unknown reason");
    }
    diags_sort(&own);
    diags_append(diags, &own);
    diags_destroy(&own);
    doc->diags = diags;
    free(message);
    return false;
}

bool
document_open(struct document *doc, const struct model_schema *schema,
              const char *source, const void *data, size_t size,
              struct diags *diags)
{
    *doc = (struct document) {
        .schema = schema,
        .source = source,
        .diags = diags,
        .pool = SVEC_EMPTY_INITIALIZER,
    };

    if (!bytes_are_acceptable(doc, data, size)) {
        return false;
    }
    doc->xml = parse_bytes(doc, data, size);
    doc->root = doc->xml ? xmlDocGetRootElement(doc->xml) : NULL;
    if (!doc->root || !validate(doc)) {
        document_close(doc);
        return false;
    }
    return true;
}

void
document_close(struct document *doc)
{
    xmlFreeDoc(doc->xml);
    doc->xml = NULL;
    svec_destroy(&doc->pool);
}
