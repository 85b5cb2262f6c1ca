/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_SPF_H
#define CONTROLLER_OSPF_SPF_H 1

/* The shortest path tree of an area (RFC 2328 section 16.1), in two pure
 * steps.
 *
 * spf_graph_build() turns the router- and network-LSAs of an LSDB into a graph
 * of numbered vertices and edges.  A link that the other end does not confirm
 * is no edge (section 16.1 (2)(b)), and MaxAge LSAs are no vertices.
 *
 * spf_run() finds the distance of each vertex from a root, and the exits that
 * a packet may take: next hops as rib.h has them.  It keeps its scratch to
 * itself, so that trees from several roots can be had from one graph, whose
 * vertices have the same numbers in each. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/ospf/lsdb.h"
#include "controller/ospf/rib.h"

#define SPF_NONE UINT32_MAX

struct spf_edge {
    uint32_t to;                /* Vertex. */
    uint32_t data;              /* Link data: the address of the interface to
                                 * 'to'; 0 from a network. */
    uint16_t metric;
    bool wire;                  /* Between members of a family. */
};

/* A stub link, or a network with its mask. */
struct spf_stub {
    uint32_t prefix;
    uint8_t plen;
    uint16_t metric;
    uint32_t vertex;            /* Where it is attached. */
};

struct spf_vertex {
    uint32_t id;                /* Router ID, or the DR's address. */
    uint32_t adv;               /* Advertising router. */
    uint32_t first_edge, n_edges;
    uint8_t flags;              /* ROUTER_FLAG_*. */
    bool is_network;
    bool family;                /* A router that Tollway plays. */
};

struct spf_graph {
    struct spf_vertex *vertices; /* Networks, then routers, each sorted. */
    uint32_t n_vertices;
    uint32_t n_networks;
    struct spf_edge *edges;
    uint32_t n_edges;
    struct spf_stub *stubs;     /* Sorted by prefix, plen, vertex. */
    uint32_t n_stubs;
};

struct spf_graph *spf_graph_build(const struct lsdb *, const uint32_t *family,
                                  size_t n_family, long long int now);
void spf_graph_destroy(struct spf_graph *);
/* The vertex of that router, or SPF_NONE. */
uint32_t spf_graph_router(const struct spf_graph *, uint32_t router_id);

/* A tree.  'nexthops' of a vertex are interned: see nhset.h. */
struct spf_tree {
    uint32_t root;              /* Vertex. */
    uint32_t *distance;         /* By vertex; SPF_NONE: unreachable. */
    uint32_t *nhset;            /* By vertex; index into 'sets'. */
    bool *inside;               /* By vertex: root, or a member of the family
                                 * that is reached over wires only. */
};
struct nhsets;
struct spf_tree *spf_run(const struct spf_graph *, uint32_t root,
                         struct nhsets *);
void spf_tree_destroy(struct spf_tree *);

#endif /* controller/ospf/spf.h */
