/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_FUZZ_FUZZ_MODEL_H
#define TESTS_FUZZ_FUZZ_MODEL_H 1

/* What the fuzzers of the three documents share.  The schemas are read from
 * the source tree, which is where this file was compiled. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/model.h"
#include "controller/model/schema.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static inline void
fuzz_check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static inline struct model_schema *
fuzz_schema(enum model_document document)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct ds name = DS_EMPTY_INITIALIZER;
    struct model_schema *schema;
    static char xsd[1024 * 1024];
    FILE *stream;
    size_t size;

    ds_put_format(&name, "%.*s../../schemas/%s",
                  (int) (strrchr(__FILE__, '/') + 1 - __FILE__), __FILE__,
                  model_schema_file_name(document));
    stream = fopen(ds_cstr(&name), "rb");
    if (!stream) {
        fprintf(stderr, "%s: can't be read\n", ds_cstr(&name));
        abort();
    }
    size = fread(xsd, 1, sizeof xsd, stream);
    fclose(stream);
    ds_destroy(&name);
    schema = model_schema_create(document, xsd, size, &diags);
    fuzz_check(schema != NULL);
    diags_destroy(&diags);
    return schema;
}

/* Prints what was said: it must be there if and only if the document was
 * refused. */
static inline void
fuzz_diags(struct diags *diags, bool accepted)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    fuzz_check(accepted == !diags_has_errors(diags));
    for (size_t i = 0; i < diags->n; i++) {
        fuzz_check(diags->items[i].cause && *diags->items[i].cause);
        fuzz_check(diags->items[i].severity != DIAG_ERROR
                   || diags->items[i].remedy
                   || !diags->items[i].line);
    }
    diags_format(diags, &s);
    ds_destroy(&s);
    diags_destroy(diags);
}

#endif /* tests/fuzz/fuzz-model.h */
