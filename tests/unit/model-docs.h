/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_MODEL_DOCS_H
#define TESTS_UNIT_MODEL_DOCS_H 1

/* Documents for tests: the schemas of the source tree, and parsing of texts. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/model.h"
#include "controller/model/schema.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* The bytes of a file, to be freed by the caller. */
static inline char *
docs_read_file(const char *name, size_t *size)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    FILE *stream = fopen(name, "rb");
    char buf[4096];
    size_t n;

    if (!stream) {
        printf("%s: can't be read\n", name);
        exit(EXIT_FAILURE);
    }
    while ((n = fread(buf, 1, sizeof buf, stream)) > 0) {
        ds_put_buffer(&s, buf, n);
    }
    fclose(stream);
    *size = s.length;
    return ds_steal_cstr(&s);
}

static inline struct model_schema *
docs_schema(enum model_document document)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct model_schema *schema;
    size_t size;
    char *name = xasprintf("%s/%s", TW_SCHEMAS,
                           model_schema_file_name(document));
    char *xsd = docs_read_file(name, &size);

    schema = model_schema_create(document, xsd, size, &diags);
    if (!schema) {
        printf("%s: no usable schema\n", name);
        exit(EXIT_FAILURE);
    }
    free(name);
    free(xsd);
    diags_destroy(&diags);
    return schema;
}

/* Parses what must be right. */
static inline struct model_config *
docs_config(const char *text)
{
    struct model_schema *schema = docs_schema(MODEL_CONFIG);
    struct diags diags = DIAGS_INITIALIZER;
    struct model_config *config;

    config = model_config_parse(schema, "test.xml", text, strlen(text),
                                &diags);
    if (!config) {
        struct ds s = DS_EMPTY_INITIALIZER;

        diags_format(&diags, &s);
        printf("%s", ds_cstr(&s));
        exit(EXIT_FAILURE);
    }
    diags_destroy(&diags);
    model_schema_destroy(schema);
    return config;
}

static inline struct model_fabric *
docs_fabric(const char *text)
{
    struct model_schema *schema = docs_schema(MODEL_FABRIC);
    struct diags diags = DIAGS_INITIALIZER;
    struct model_fabric *fabric;

    fabric = model_fabric_parse(schema, "fabric.xml", text, strlen(text),
                                &diags);
    if (!fabric) {
        struct ds s = DS_EMPTY_INITIALIZER;

        diags_format(&diags, &s);
        printf("%s", ds_cstr(&s));
        exit(EXIT_FAILURE);
    }
    diags_destroy(&diags);
    model_schema_destroy(schema);
    return fabric;
}

#define DOCS_CONFIG_BEGIN "<customer xmlns=\"urn:tollway:config:1\" " \
                          "name=\"acme\">"
#define DOCS_CONFIG_END "</customer>"
#define DOCS_FABRIC_BEGIN "<fabric xmlns=\"urn:tollway:fabric:1\">"
#define DOCS_FABRIC_END "</fabric>"

#endif /* tests/unit/model-docs.h */
