/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_ROUTE_ORACLE_H
#define TESTS_UNIT_ROUTE_ORACLE_H 1

/* What a router does with a packet, computed anew from the text of the rules
 * ("Costs and the choice of route") for one address at a time: the slow twin of
 * the route stage. */

#include "controller/route/route.h"
#include "tests/unit/route-world.h"

struct o_result {
    enum route_kind kind;
    char what[64];              /* Subnet, node, target, attachment by name. */
    uint64_t ways;              /* ROUTE_PATHS: the living ways in use. */
    bool alternate;             /* No way of the best lives: an alternate... */
    uint64_t alternates;        /* ...of these, if any. */
};

/* The areas of a world as each router sees them, made once. */
struct o_areas {
    struct w_area transit[W_ROUTERS];
    struct w_area instances[W_ATTS]; /* Of routers without transit. */
};
void o_areas_init(struct o_areas *, const struct world *);

/* 'net' says only which ways there are, for neighbours on link. */
void o_lookup(const struct world *, const struct o_areas *,
              const struct route_net *net, int router, enum route_view,
              const struct in6_addr *, struct o_result *);

/* What 'router' shall advertise, as route_format_adverts() writes it. */
void o_adverts(const struct world *, int router, struct ds *);

#endif /* tests/unit/route-oracle.h */
