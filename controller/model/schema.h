/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_SCHEMA_H
#define CONTROLLER_MODEL_SCHEMA_H 1

/* Schemas, compiled once
 * ======================
 *
 * Validates a document against its XSD and says what is wrong with it in words
 * of the schema itself: the lists of what an element may hold are read from
 * the XSD, and what a value should look like is the xs:appinfo of its type.
 *
 * A 'struct model_schema' is made from the bytes of an XSD (whoever has files
 * reads them), does not change afterwards, and may be used by many parses. */

#include <stdbool.h>
#include <stddef.h>

struct diags;

enum model_document {
    MODEL_FABRIC,               /* schemas/tollway-fabric.xsd */
    MODEL_CONFIG,               /* schemas/tollway-config.xsd */
    MODEL_METRICS,              /* schemas/tollway-metrics.xsd */
};
#define MODEL_N_DOCUMENTS 3

/* More than any schema of ours. */
#define MODEL_SCHEMA_MAX_BYTES (1024 * 1024)

/* "tollway-config.xsd" and so on; "configuration" and so on. */
const char *model_schema_file_name(enum model_document);
const char *model_document_name(enum model_document);

/* Returns NULL and diagnostics if the bytes are no usable schema. */
struct model_schema *model_schema_create(enum model_document,
                                         const void *xsd, size_t size,
                                         struct diags *);
void model_schema_destroy(struct model_schema *);

#endif /* controller/model/schema.h */
