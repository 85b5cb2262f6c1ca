/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_BASE_DIAG_H
#define CONTROLLER_BASE_DIAG_H 1

/* Diagnostics
 * ===========
 *
 * What is wrong with something that came from outside is a value, not a log
 * line: where it is (document, line, element), what is wrong, and what would
 * be right.  A 'struct diags' collects them in the order found, so that one
 * look at a document reports all that is wrong with it, and prints them as
 * text for people or as JSON for the API.
 *
 *     struct diag *d = diags_error(&diags, "acme.xml", 12,
 *                                  "/customer/network[prod]/node[web1]",
 *                                  "address %s is outside subnet \"%s\"",
 *                                  addr, subnet);
 *     diag_remedy(d, "use an address from %s to %s", first, last);
 *
 * prints as
 *
 *     acme.xml:12: customer/network "prod"/node "web1": address 10.0.2.9 is
 *     outside subnet "web"; use an address from 10.0.1.1 to 10.0.1.254
 *
 * (on one line).
 *
 * A hostile document must not make a hostile amount of diagnostics: only the
 * first DIAGS_MAX are kept, the others are counted; each text is cut at
 * DIAG_TEXT_MAX bytes, and control characters and invalid UTF-8 in it are
 * escaped, so it is safe to print to a terminal and to put into JSON.
 *
 * A 'struct diags' owns all its texts.  The pointer that an add function
 * returns is for diag_remedy() only and lives until the next add. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/compiler.h"

struct ds;
struct json;

#define DIAGS_MAX 100
#define DIAG_TEXT_MAX 1000

enum diag_severity {
    DIAG_NOTE,              /* Worth knowing. */
    DIAG_WARNING,           /* Accepted, but probably not meant. */
    DIAG_ERROR,             /* Not accepted. */
};
const char *diag_severity_to_string(enum diag_severity);

struct diag {
    enum diag_severity severity;
    char *source;           /* The document's name, or NULL. */
    int line;               /* From 1; 0 if unknown. */
    char *path;             /* Like "/customer/network[prod]", or NULL. */
    char *cause;            /* What is wrong. */
    char *remedy;           /* What would be right, or NULL. */
};

struct diags {
    struct diag *items;     /* The first 'n' diagnostics, in order. */
    size_t n;               /* At most DIAGS_MAX. */
    size_t allocated;
    size_t n_errors;        /* All ever added, the dropped ones too. */
    size_t n_warnings;      /* Likewise. */
    size_t n_notes;         /* Likewise. */
};
#define DIAGS_INITIALIZER { NULL, 0, 0, 0, 0, 0 }

void diags_init(struct diags *);
void diags_clear(struct diags *);
void diags_destroy(struct diags *);

/* 'source' and 'path' may be NULL and are copied.  Returns NULL if only
 * counted. */
struct diag *diags_add(struct diags *, enum diag_severity, const char *source,
                       int line, const char *path, const char *cause, ...)
    OVS_PRINTF_FORMAT(6, 7);
struct diag *diags_error(struct diags *, const char *source, int line,
                         const char *path, const char *cause, ...)
    OVS_PRINTF_FORMAT(5, 6);
struct diag *diags_warning(struct diags *, const char *source, int line,
                           const char *path, const char *cause, ...)
    OVS_PRINTF_FORMAT(5, 6);

/* Says what would be right.  'd' may be NULL (a dropped diagnostic). */
void diag_remedy(struct diag *d, const char *remedy, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Moves everything from 'src' to the end of 'dst' and leaves 'src' empty. */
void diags_append(struct diags *dst, struct diags *src);

/* Sorts by line, those of equal line in the order added, for callers whose
 * checks don't go through the document from top to bottom. */
void diags_sort(struct diags *);

bool diags_has_errors(const struct diags *);
size_t diags_count(const struct diags *);       /* All, the dropped too. */
size_t diags_dropped(const struct diags *);

/* One line each, and one more if some were dropped. */
void diag_format(const struct diag *, struct ds *);
void diags_format(const struct diags *, struct ds *);

/* Element paths, as held in 'path': appends "/element" or "/element[name]". */
void diag_path_put(struct ds *path, const char *element, const char *name);

/* {"errors": N, "warnings": N, "dropped": N, "diagnostics": [{"severity",
 * "source", "line", "path", "cause", "remedy"}...]}; unknown members are left
 * out.  The caller owns the result. */
struct json *diag_to_json(const struct diag *);
struct json *diags_to_json(const struct diags *);

#endif /* controller/base/diag.h */
