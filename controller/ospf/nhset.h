/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_NHSET_H
#define CONTROLLER_OSPF_NHSET_H 1

/* Sets of next hops, each kept once, so that a set is a number and comparing
 * two sets is comparing two numbers.  Set 0 is empty.  In a rib the arrays end
 * up as they are; the hash tables serve only while it is built. */

#include <stddef.h>
#include <stdint.h>
#include "controller/ospf/rib.h"

struct nhsets {
    struct ospf_nexthop *nexthops;
    size_t n_nexthops, allocated_nexthops;
    struct ospf_nhset *sets;
    size_t n_sets, allocated_sets;

    uint32_t *index;            /* Open addressing: set numbers by contents,
                                 * 0 where free. */
    size_t index_mask;
    struct nhsets_union {
        uint32_t a, b, result;  /* 'result' 0 where free. */
    } *unions;                  /* Open addressing: unions made before. */
    size_t n_unions, union_mask;
};

void nhsets_init(struct nhsets *);
void nhsets_destroy(struct nhsets *);
/* The set of those 'n' next hops, in any order, with repetitions. */
uint32_t nhsets_make(struct nhsets *, const struct ospf_nexthop *, size_t n);
uint32_t nhsets_one(struct nhsets *, uint32_t exit_router, uint32_t local,
                    uint32_t addr, uint32_t nbr_router_id);
uint32_t nhsets_union(struct nhsets *, uint32_t a, uint32_t b);

int ospf_nexthop_compare(const void *, const void *);

#endif /* controller/ospf/nhset.h */
