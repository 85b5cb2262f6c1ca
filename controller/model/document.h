/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_DOCUMENT_H
#define CONTROLLER_MODEL_DOCUMENT_H 1

/* One XML document on its way to typed values (inside controller/model only)
 * =========================================================================
 *
 * document_open() turns bytes into a tree that is valid by its schema, or into
 * diagnostics.  The accessors then take values from it; one that meets what it
 * can't take (a range that the XSD doesn't express) adds a diagnostic, marks
 * the document as failed and returns something harmless, so that the caller
 * goes on and finds the other faults too. */

#include <libxml/tree.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/base/diag.h"
#include "controller/base/prefix.h"
#include "controller/model/schema-rules.h"
#include "openvswitch/types.h"
#include "svec.h"

struct document {
    const struct model_schema *schema;
    const char *source;
    struct diags *diags;
    xmlDoc *xml;
    const xmlNode *root;
    bool failed;                /* An accessor added an error. */
    struct svec pool;           /* Values that had to be copied. */
};

bool document_open(struct document *, const struct model_schema *,
                   const char *source, const void *data, size_t size,
                   struct diags *);
void document_close(struct document *);

/* Elements. */
const xmlNode *doc_first(const xmlNode *parent);
const xmlNode *doc_next(const xmlNode *);
size_t doc_count(const xmlNode *parent, const char *name);
bool doc_is(const xmlNode *, const char *name);
int doc_line(const xmlNode *);

#define DOC_FOR_EACH(CHILD, PARENT, NAME)                               \
    for ((CHILD) = doc_first(PARENT); (CHILD); (CHILD) = doc_next(CHILD)) \
        if (!doc_is(CHILD, NAME)) {                                     \
        } else

/* Adds an error at 'node'. */
struct diag *doc_error(struct document *, const xmlNode *, const char *, ...)
    OVS_PRINTF_FORMAT(3, 4);

/* The value of an attribute, or its default, or NULL.  Belongs to 'doc'. */
const char *doc_attr(struct document *, const xmlNode *, const char *name);

/* Values of attributes that the schema requires or has a default for. */
char *doc_string(struct document *, const xmlNode *, const char *name);
uint32_t doc_u32(struct document *, const xmlNode *, const char *name);
struct in6_addr doc_address(struct document *, const xmlNode *,
                            const char *name);
struct prefix doc_prefix(struct document *, const xmlNode *, const char *name);
void doc_interface(struct document *, const xmlNode *, const char *name,
                   struct in6_addr *, struct prefix *);
uint32_t doc_area(struct document *, const xmlNode *, const char *name);

/* A decimal number as thousandths: "2.5" is 2500. */
uint32_t doc_thousandths(struct document *, const xmlNode *, const char *name);

/* A number with a unit ("us", "ms", "s", "m") in microseconds. */
uint64_t doc_time_us(struct document *, const xmlNode *, const char *name,
                     uint64_t min_us, uint64_t max_us);

/* For attributes that may be absent. */
bool doc_has(const xmlNode *, const char *name);
char *doc_nullable_string(struct document *, const xmlNode *, const char *name);
struct eth_addr doc_mac(struct document *, const xmlNode *, const char *name);

#endif /* controller/model/document.h */
