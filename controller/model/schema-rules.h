/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_SCHEMA_RULES_H
#define CONTROLLER_MODEL_SCHEMA_RULES_H 1

/* What an XSD of ours says, in a form that explanations and default values are
 * taken from.
 *
 * libxml2's validator decides whether a document is valid; what it says about
 * one that isn't is meant for people who wrote the XSD.  The rules are read
 * from the same XSD, so the two can't differ in what they know.  They cover
 * what the XSDs in schemas/ use: global elements with attributes and a choice
 * or xs:all of references; simple types that restrict xs:token by patterns or
 * enumerations, or unsigned numbers by bounds. */

#include <libxml/tree.h>
#include <libxml/xmlregexp.h>
#include <libxml/xmlschemas.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/model/schema.h"
#include "openvswitch/shash.h"
#include "svec.h"

struct schema_type {
    char *name;
    char *right;                /* What a right value is, from xs:appinfo. */
    bool number;
    uint64_t min, max;          /* If 'number'. */
    xmlRegexp *pattern;         /* Or NULL. */
    struct svec choices;        /* Enumeration, or empty. */
};

struct schema_attr {
    char *name;
    const struct schema_type *type;
    bool required;
    char *dflt;                 /* Default value, or NULL. */
};

struct schema_element {
    char *name;
    struct schema_attr *attrs;
    size_t n_attrs, allocated_attrs;
    struct svec children;       /* Names. */
    bool once;                  /* Each child at most once. */
    bool needs_child;           /* At least one child. */
};

struct model_schema {
    enum model_document document;
    xmlSchema *xsd;
    char *namespace;
    char *root;                 /* Name of the document element. */
    struct shash elements;      /* Contains "struct schema_element"s. */
    struct shash types;         /* Contains "struct schema_type"s. */
};

const struct schema_element *schema_find_element(const struct model_schema *,
                                                 const char *name);
const struct schema_attr *schema_find_attr(const struct schema_element *,
                                           const char *name);
bool schema_type_accepts(const struct schema_type *, const char *value);

#endif /* controller/model/schema-rules.h */
