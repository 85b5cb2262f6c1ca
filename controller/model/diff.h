/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_DIFF_H
#define CONTROLLER_MODEL_DIFF_H 1

/* What two revisions of a configuration differ in, for people: a dry run, the
 * history.  (The later stages compare topologies, not documents.)
 *
 * An object is a path of elements like "network prod, router edge,
 * destination 203.0.113.0/24, via dc-east"; its attributes are compared one by
 * one.  An object that was added or removed is reported with everything in it
 * as one change. */

#include <stddef.h>

struct ds;
struct json;
struct model_config;

enum model_change_type { MODEL_ADDED, MODEL_REMOVED, MODEL_CHANGED };

struct model_change {
    enum model_change_type type;
    char *object;               /* "network prod, node web1". */
    char *network;              /* Network's name, or NULL (a cost policy). */
    char *what;                 /* "cost 100 -> 300", or NULL. */
};

struct model_diff {
    struct model_change *changes;   /* In the order of the objects' names. */
    size_t n;
};

/* Either may be NULL: the customer has none. */
void model_diff(const struct model_config *old, const struct model_config *new,
                struct model_diff *);
void model_diff_destroy(struct model_diff *);

/* One line each: "+ ", "- " or "~ ", the object, ": " and what. */
void model_diff_format(const struct model_diff *, struct ds *);
struct json *model_diff_to_json(const struct model_diff *);

#endif /* controller/model/diff.h */
