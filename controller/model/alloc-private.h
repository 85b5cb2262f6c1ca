/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_ALLOC_PRIVATE_H
#define CONTROLLER_MODEL_ALLOC_PRIVATE_H 1

/* Between alloc.c and alloc-update.c. */

#include "controller/model/alloc.h"

struct alloc *alloc_create(const char *customer, const char *network,
                           enum topo_kind, const char *name);
struct alloc *alloc_ref(const struct alloc *);
void alloc_unref(struct alloc *);
bool alloc_equals(const struct alloc *, const struct alloc *);

/* Order of the records in a set. */
int alloc_compare(const struct alloc *, const struct alloc *);

/* The records [*begin, *end) are those of 'customer'. */
void alloc_customer_range(const struct alloc_set *, const char *customer,
                          size_t *begin, size_t *end);

/* 'old' with its records [begin, end) replaced by 'records', which it takes. */
struct alloc_set *alloc_set_replace(const struct alloc_set *old, size_t begin,
                                    size_t end, struct alloc **records,
                                    size_t n);

#endif /* controller/model/alloc-private.h */
