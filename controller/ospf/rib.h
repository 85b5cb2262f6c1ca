/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_RIB_H
#define CONTROLLER_OSPF_RIB_H 1

/* What OSPF knows about the way to everything (RFC 2328 section 16), as one
 * value that the route module reads.
 *
 * A rib holds (1) routes to the networks inside the area, (2) the routers,
 * (3) for each external prefix every candidate AS-external-LSA.  It does not
 * choose among external candidates, because stated costs compete with them;
 * ospf_external_compare() is section 16.4 (6) for whoever chooses.
 *
 * A thousand prefixes from two borders share their computation.  A *border*
 * is what an AS-external-LSA points to: an ASBR, or a forwarding address
 * given by that ASBR.  Candidates name their border by index; only the border
 * carries reachability, distance and next hops.  When the topology changes,
 * borders change and candidates do not ('externals_seqno' stays).  Border
 * indexes stay the same as long as 'externals_seqno' does.
 *
 * Next hops are *exits*: where a packet leaves the family, which is the root
 * and every sibling router reached from it over wires only (the routers that
 * Tollway itself plays).  A next hop names the family router that it leaves
 * from, that router's interface address, and the address of the peer.
 *
 * Everything is in host byte order and sorted; two ribs from equal LSDBs are
 * equal. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds;

struct ospf_nexthop {
    uint32_t exit_router;       /* Router ID of the family router. */
    uint32_t local;             /* Address of its interface; 0: the router
                                 * itself, a subnet of its own, or an
                                 * interface that has no neighbour now, which
                                 * LSAs can't tell from one. */
    uint32_t addr;              /* The peer's address, or a forwarding address;
                                 * 0: on-link. */
    uint32_t nbr_router_id;     /* Router ID of that peer, 0: none. */
};

/* A set of next hops: rib->nexthops[first .. first + n - 1], sorted.
 * Set 0 is the empty set.  Equal sets have the same index. */
struct ospf_nhset {
    uint32_t first;
    uint32_t n;
};

/* A network inside the area. */
struct ospf_route {
    uint32_t prefix;
    uint8_t plen;
    bool direct;                /* The root's own network. */
    uint32_t cost;
    uint32_t nhset;
    uint32_t origin;            /* Link state ID that it comes from. */
};

/* A reachable router. */
struct ospf_router {
    uint32_t router_id;
    uint32_t cost;
    uint32_t nhset;
    uint8_t flags;              /* ROUTER_FLAG_*. */
    bool family;                /* Root or sibling over wires only. */
};

/* A point that external prefixes are reached through. */
struct ospf_border {
    uint32_t asbr;              /* Router ID of the originator. */
    uint32_t forwarding;        /* Forwarding address, 0: the ASBR itself. */
    bool own;                   /* The originator is the root. */
    bool family;                /* The originator is the root or a sibling. */
    bool reachable;
    uint32_t distance;          /* Only if reachable. */
    uint32_t nhset;             /* Only if reachable. */
};

/* One AS-external-LSA. */
struct ospf_candidate {
    uint32_t border;            /* Index into rib->borders. */
    uint32_t metric;            /* 1 .. 0xfffffe. */
    uint32_t tag;
    bool e2;                    /* Type 2; otherwise type 1. */
};

/* An external prefix: rib->candidates[first .. first + n - 1], sorted by
 * border. */
struct ospf_external_prefix {
    uint32_t prefix;
    uint8_t plen;
    uint32_t first;
    uint32_t n;
};

struct ospf_rib {
    uint64_t seqno;             /* Changes with each rebuild. */
    uint64_t externals_seqno;   /* Changes when 'externals' or 'candidates' or
                                 * the numbering of 'borders' does. */
    uint32_t root;              /* Router ID. */

    struct ospf_route *routes;  /* Sorted by prefix, then plen. */
    size_t n_routes;
    struct ospf_router *routers; /* Sorted by router ID. */
    size_t n_routers;
    struct ospf_border *borders;
    size_t n_borders;
    struct ospf_external_prefix *externals; /* Sorted by prefix, then plen. */
    size_t n_externals;
    struct ospf_candidate *candidates;
    size_t n_candidates;

    struct ospf_nhset *nhsets;
    size_t n_nhsets;
    struct ospf_nexthop *nexthops;
    size_t n_nexthops;
};

void ospf_rib_destroy(struct ospf_rib *);

/* Exact lookups; NULL if there is none. */
const struct ospf_route *ospf_rib_route(const struct ospf_rib *,
                                        uint32_t prefix, uint8_t plen);
const struct ospf_router *ospf_rib_router(const struct ospf_rib *,
                                          uint32_t router_id);
const struct ospf_external_prefix *ospf_rib_external(const struct ospf_rib *,
                                                     uint32_t prefix,
                                                     uint8_t plen);
/* Longest match among the routes inside the area. */
const struct ospf_route *ospf_rib_match(const struct ospf_rib *,
                                        uint32_t address);

/* Section 16.4 (6) with RFC1583Compatibility disabled: negative if 'a' is preferred to 'b', 0 if they are equal
 * (their next hops are then shared).  Both must be reachable. */
int ospf_external_compare(const struct ospf_rib *,
                          const struct ospf_candidate *a,
                          const struct ospf_candidate *b);
/* The cost that a candidate has: for type 1 distance + metric, for type 2 the
 * metric. */
uint32_t ospf_external_cost(const struct ospf_rib *,
                            const struct ospf_candidate *);

/* Routes, routers, and the external routes that section 16.4 alone would
 * choose, as text: one line each, sorted. */
void ospf_rib_format(struct ds *, const struct ospf_rib *);

#endif /* controller/ospf/rib.h */
