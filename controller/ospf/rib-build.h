/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_RIB_BUILD_H
#define CONTROLLER_OSPF_RIB_BUILD_H 1

/* How a rib is made: from a graph and a root on one side, and from the
 * AS-external-LSAs on the other.  The two change apart from each other, so each
 * is kept as long as it is valid. */

#include "controller/ospf/lsdb.h"
#include "controller/ospf/rib.h"
#include "controller/ospf/spf.h"

/* The AS-external-LSAs as candidates, not yet resolved. */
struct rib_externals {
    struct ospf_border *borders; /* 'asbr' and 'forwarding' only; sorted. */
    size_t n_borders;
    struct ospf_external_prefix *prefixes;
    size_t n_prefixes;
    struct ospf_candidate *candidates;
    size_t n_candidates;
};

struct rib_externals *rib_externals_build(const struct lsdb *,
                                          long long int now);
void rib_externals_destroy(struct rib_externals *);

/* From the point of view of router 'root'; without it in the graph nothing is
 * reachable. */
struct ospf_rib *rib_build(const struct spf_graph *, uint32_t root,
                           const struct rib_externals *,
                           bool with_candidates);

#endif /* controller/ospf/rib-build.h */
