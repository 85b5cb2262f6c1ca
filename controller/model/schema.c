/* SPDX-License-Identifier: Apache-2.0 */

/* Compiles an XSD and reads its rules: see schema.h and schema-rules.h. */

#include <config.h>
#include "controller/model/schema.h"

#include <errno.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/schema-rules.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

const char *
model_schema_file_name(enum model_document document)
{
    switch (document) {
    case MODEL_FABRIC: return "tollway-fabric.xsd";
    case MODEL_CONFIG: return "tollway-config.xsd";
    case MODEL_METRICS: return "tollway-metrics.xsd";
    default: return "unknown.xsd";
    }
}

const char *
model_document_name(enum model_document document)
{
    switch (document) {
    case MODEL_FABRIC: return "fabric";
    case MODEL_CONFIG: return "configuration";
    case MODEL_METRICS: return "metrics";
    default: return "unknown";
    }
}

static const char *
document_root_name(enum model_document document)
{
    return document == MODEL_CONFIG ? "customer" : model_document_name(document);
}

const struct schema_element *
schema_find_element(const struct model_schema *schema, const char *name)
{
    return shash_find_data(&schema->elements, name);
}

const struct schema_attr *
schema_find_attr(const struct schema_element *element, const char *name)
{
    for (size_t i = 0; i < element->n_attrs; i++) {
        if (!strcmp(element->attrs[i].name, name)) {
            return &element->attrs[i];
        }
    }
    return NULL;
}

static bool
number_accepted(const struct schema_type *type, const char *value)
{
    unsigned long long int n;
    char *tail;

    if (!*value || strspn(value, "0123456789") != strlen(value)) {
        return false;
    }
    errno = 0;
    n = strtoull(value, &tail, 10);
    return !errno && n >= type->min && n <= type->max;
}

/* Whether 'value', without white space around it, is a value of 'type'. */
bool
schema_type_accepts(const struct schema_type *type, const char *value)
{
    if (type->number && !number_accepted(type, value)) {
        return false;
    }
    if (type->pattern
        && xmlRegexpExec(type->pattern, (const xmlChar *) value) != 1) {
        return false;
    }
    if (type->choices.n) {
        for (size_t i = 0; i < type->choices.n; i++) {
            if (!strcmp(type->choices.names[i], value)) {
                return true;
            }
        }
        return false;
    }
    return true;
}

/* Reading the XSD. */

static bool
is_xs(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE
           && !strcmp((const char *) node->name, name);
}

static const xmlNode *
find_xs(const xmlNode *parent, const char *name)
{
    for (const xmlNode *n = parent->children; n; n = n->next) {
        if (is_xs(n, name)) {
            return n;
        }
    }
    return NULL;
}

/* Returns a copy of an attribute's value, or NULL. */
static char *
xs_attr(const xmlNode *node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(CONST_CAST(xmlNode *, node),
                                    (const xmlChar *) name);
    char *copy = value ? xstrdup((char *) value) : NULL;

    xmlFree(value);
    return copy;
}

/* The text of 'node' with each run of white space made one space. */
static char *
xs_text(const xmlNode *node)
{
    xmlChar *content = xmlNodeGetContent(CONST_CAST(xmlNode *, node));
    char *save_ptr = NULL;
    struct ds s = DS_EMPTY_INITIALIZER;

    for (char *word = strtok_r((char *) content, " \t\r\n", &save_ptr); word;
         word = strtok_r(NULL, " \t\r\n", &save_ptr)) {
        ds_put_format(&s, "%s%s", s.length ? " " : "", word);
    }
    xmlFree(content);
    return ds_steal_cstr(&s);
}

static void
read_facet(struct schema_type *type, const xmlNode *facet)
{
    char *value = xs_attr(facet, "value");

    if (!value) {
        return;
    }
    if (is_xs(facet, "pattern")) {
        xmlRegFreeRegexp(type->pattern);
        type->pattern = xmlRegexpCompile((const xmlChar *) value);
    } else if (is_xs(facet, "enumeration")) {
        svec_add(&type->choices, value);
    } else if (is_xs(facet, "minInclusive")) {
        type->min = strtoull(value, NULL, 10);
    } else if (is_xs(facet, "maxInclusive")) {
        type->max = strtoull(value, NULL, 10);
    }
    free(value);
}

static void
read_type(struct model_schema *schema, const xmlNode *node)
{
    const xmlNode *restriction = find_xs(node, "restriction");
    const xmlNode *annotation = find_xs(node, "annotation");
    const xmlNode *appinfo = annotation ? find_xs(annotation, "appinfo") : NULL;
    struct schema_type *type = xzalloc(sizeof *type);
    char *base = restriction ? xs_attr(restriction, "base") : NULL;

    type->name = xs_attr(node, "name");
    type->right = appinfo ? xs_text(appinfo) : xstrdup("a valid value");
    svec_init(&type->choices);
    if (base && !strncmp(base, "xs:unsigned", 11)) {
        type->number = true;
        type->max = (!strcmp(base, "xs:unsignedByte") ? UINT8_MAX
                     : !strcmp(base, "xs:unsignedShort") ? UINT16_MAX
                     : UINT32_MAX);
    }
    for (const xmlNode *n = restriction ? restriction->children : NULL; n;
         n = n->next) {
        read_facet(type, n);
    }
    shash_add_assert(&schema->types, type->name, type);
    free(base);
}

static void
read_children(struct schema_element *element, const xmlNode *model)
{
    char *min = xs_attr(model, "minOccurs");

    element->once = is_xs(model, "all");
    element->needs_child = !element->once && (!min || strcmp(min, "0"));
    for (const xmlNode *n = model->children; n; n = n->next) {
        char *ref = is_xs(n, "element") ? xs_attr(n, "ref") : NULL;

        if (ref) {
            svec_add_nocopy(&element->children, ref);
        }
    }
    free(min);
}

static void
read_attr(struct model_schema *schema, struct schema_element *element,
          const xmlNode *node)
{
    char *type = xs_attr(node, "type");
    char *use = xs_attr(node, "use");

    if (element->n_attrs >= element->allocated_attrs) {
        element->attrs = x2nrealloc(element->attrs, &element->allocated_attrs,
                                    sizeof *element->attrs);
    }
    element->attrs[element->n_attrs++] = (struct schema_attr) {
        .name = xs_attr(node, "name"),
        .type = type ? shash_find_data(&schema->types, type) : NULL,
        .required = use && !strcmp(use, "required"),
        .dflt = xs_attr(node, "default"),
    };
    free(type);
    free(use);
}

static void
read_element(struct model_schema *schema, const xmlNode *node)
{
    const xmlNode *complex = find_xs(node, "complexType");
    struct schema_element *element = xzalloc(sizeof *element);

    element->name = xs_attr(node, "name");
    svec_init(&element->children);
    for (const xmlNode *n = complex ? complex->children : NULL; n;
         n = n->next) {
        if (is_xs(n, "choice") || is_xs(n, "all")) {
            read_children(element, n);
        } else if (is_xs(n, "attribute")) {
            read_attr(schema, element, n);
        }
    }
    shash_add_assert(&schema->elements, element->name, element);
}

static void
read_rules(struct model_schema *schema, const xmlNode *root)
{
    schema->namespace = xs_attr(root, "targetNamespace");
    for (const xmlNode *n = root->children; n; n = n->next) {
        if (is_xs(n, "simpleType")) {
            read_type(schema, n);
        }
    }
    for (const xmlNode *n = root->children; n; n = n->next) {
        if (is_xs(n, "element")) {
            read_element(schema, n);
        }
    }
}

/* Whether the rules are whole: every type, pattern and child is known. */
static bool
rules_are_whole(const struct model_schema *schema)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &schema->elements) {
        const struct schema_element *e = node->data;

        for (size_t i = 0; i < e->n_attrs; i++) {
            if (!e->attrs[i].name || !e->attrs[i].type) {
                return false;
            }
        }
        for (size_t i = 0; i < e->children.n; i++) {
            if (!schema_find_element(schema, e->children.names[i])) {
                return false;
            }
        }
    }
    return schema->namespace && schema_find_element(schema, schema->root);
}

static void
schema_error_cb(void *diags_, xmlError *error)
{
    struct diags *diags = diags_;

    diags_error(diags, error->file, error->line, NULL, "%s",
                error->message ? error->message : "schema error");
}

static xmlSchema *
compile_xsd(const void *xsd, size_t size, struct diags *diags)
{
    xmlSchemaParserCtxt *ctxt = xmlSchemaNewMemParserCtxt(xsd, size);
    xmlSchema *schema;

    if (!ctxt) {
        return NULL;
    }
    xmlSchemaSetParserStructuredErrors(ctxt, schema_error_cb, diags);
    schema = xmlSchemaParse(ctxt);
    xmlSchemaFreeParserCtxt(ctxt);
    return schema;
}

struct model_schema *
model_schema_create(enum model_document document, const void *xsd, size_t size,
                    struct diags *diags)
{
    const char *file_name = model_schema_file_name(document);
    struct model_schema *schema;
    xmlDoc *doc;

    if (size > MODEL_SCHEMA_MAX_BYTES) {
        diags_error(diags, file_name, 0, NULL, "the schema is too large");
        return NULL;
    }

    xmlInitParser();
    schema = xzalloc(sizeof *schema);
    schema->document = document;
    schema->root = xstrdup(document_root_name(document));
    shash_init(&schema->elements);
    shash_init(&schema->types);

    /* Read first, because the compiler of schemas prints what is not XML. */
    doc = xmlReadMemory(xsd, size, NULL, "UTF-8",
                        XML_PARSE_NONET | XML_PARSE_NOERROR
                        | XML_PARSE_NOWARNING);
    if (doc && xmlDocGetRootElement(doc)) {
        schema->xsd = compile_xsd(xsd, size, diags);
        if (schema->xsd) {
            read_rules(schema, xmlDocGetRootElement(doc));
        }
    }
    xmlFreeDoc(doc);

    if (!schema->xsd || !rules_are_whole(schema)) {
        struct diag *d = diags_error(diags, file_name, 0, NULL,
                                     "not a schema for a %s document",
                                     model_document_name(document));
        diag_remedy(d, "install the %s that belongs to this version",
                    file_name);
        model_schema_destroy(schema);
        return NULL;
    }
    return schema;
}

static void
schema_element_destroy(struct schema_element *element)
{
    for (size_t i = 0; i < element->n_attrs; i++) {
        free(element->attrs[i].name);
        free(element->attrs[i].dflt);
    }
    free(element->attrs);
    svec_destroy(&element->children);
    free(element->name);
    free(element);
}

static void
schema_type_destroy(struct schema_type *type)
{
    if (type->pattern) {
        xmlRegFreeRegexp(type->pattern);
    }
    svec_destroy(&type->choices);
    free(type->name);
    free(type->right);
    free(type);
}

void
model_schema_destroy(struct model_schema *schema)
{
    struct shash_node *node;

    if (!schema) {
        return;
    }
    SHASH_FOR_EACH_SAFE (node, &schema->elements) {
        schema_element_destroy(node->data);
        shash_delete(&schema->elements, node);
    }
    SHASH_FOR_EACH_SAFE (node, &schema->types) {
        schema_type_destroy(node->data);
        shash_delete(&schema->types, node);
    }
    shash_destroy(&schema->elements);
    shash_destroy(&schema->types);
    xmlSchemaFree(schema->xsd);
    free(schema->namespace);
    free(schema->root);
    free(schema);
}
