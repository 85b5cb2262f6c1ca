/* SPDX-License-Identifier: Apache-2.0 */

/* What the routers of a network must be to each other: router IDs, areas, links,
 * and how many of them a packet may have to pass in series. */

#include <config.h>
#include "controller/model/config-check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/model-private.h"
#include "heap.h"
#include "packets.h"
#include "util.h"

static int
compare_router_ids(const void *a_, const void *b_)
{
    const struct model_router *const *a = a_;
    const struct model_router *const *b = b_;

    return ((*a)->router_id != (*b)->router_id
            ? ((*a)->router_id < (*b)->router_id ? -1 : 1)
            : (*a)->line - (*b)->line);
}

static void
check_router_ids(const struct check *c)
{
    const struct model_network *network = c->network;
    const struct model_router **sorted;
    struct diag *d;

    sorted = xcalloc(MAX(network->n_routers, 1), sizeof *sorted);
    for (size_t i = 0; i < network->n_routers; i++) {
        sorted[i] = &network->routers[i];
    }
    qsort(sorted, network->n_routers, sizeof *sorted, compare_router_ids);
    for (size_t i = 0; i < network->n_routers; i++) {
        const struct model_router *router = sorted[i];

        if (!router->router_id || router->router_id >= 0xe0000000) {
            d = check_error(c, router->line, router, NULL, NULL,
                            "router ID "IP_FMT" is not the ID of one router",
                            IP_ARGS(htonl(router->router_id)));
            diag_remedy(d, "use one from 0.0.0.1 to 223.255.255.255, such as "
                        "an address of the router");
        }
        if (i && router->router_id == sorted[i - 1]->router_id) {
            d = check_error(c, router->line, router, NULL, NULL,
                            "router ID "IP_FMT" is also that of router \"%s\" "
                            "(line %d)", IP_ARGS(htonl(router->router_id)),
                            sorted[i - 1]->name, sorted[i - 1]->line);
            diag_remedy(d, "give each router an ID of its own");
        }
    }
    free(sorted);
}

/* Areas. */

/* Compares the area of something, which is in 'parent' or, if NULL, in the
 * network, with that of 'router'. */
static void
check_area(const struct check *c, const struct model_router *router,
           const struct model_router *parent, int line, const char *element,
           const char *name, uint32_t area)
{
    struct diag *d;

    if (area == router->area) {
        return;
    }
    d = check_error(c, line, parent, element, name,
                    "area "IP_FMT" differs from area "IP_FMT" of router "
                    "\"%s\"", IP_ARGS(htonl(area)),
                    IP_ARGS(htonl(router->area)), router->name);
    diag_remedy(d, "state the same area everywhere on a router and its links: "
                "several areas on one router are not accepted");
}

static void
check_router_area(const struct check *c, const struct model_router *router)
{
    for (size_t i = 0; i < router->n_interfaces; i++) {
        const struct model_interface *iface = &router->interfaces[i];

        check_area(c, router, router, iface->line, "interface",
                   (iface->subnet != MODEL_UNRESOLVED
                    ? c->network->subnets[iface->subnet].name : NULL),
                   iface->area);
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        const struct model_attachment *att = &router->attachments[i];

        if (att->has_ospf) {
            check_area(c, router, router, att->line, "attachment", att->name,
                       att->ospf.area);
        }
    }
}

static void
check_links(const struct check *c)
{
    const struct model_network *network = c->network;

    for (size_t i = 0; i < network->n_links; i++) {
        const struct model_link *link = &network->links[i];

        for (int j = 0; j < 2; j++) {
            if (link->router[j] != MODEL_UNRESOLVED) {
                check_area(c, &network->routers[link->router[j]], NULL,
                           link->line, "link", link->name, link->area);
            }
        }
        if (link->router[0] == link->router[1]
            && link->router[0] != MODEL_UNRESOLVED) {
            struct diag *d = check_error(c, link->line, NULL, "link",
                                         link->name, "both ends are router "
                                         "\"%s\"",
                                         network->routers[link->router[0]]
                                         .name);
            diag_remedy(d, "link two different routers");
        }
    }
}

/* Routers in series. */

struct edge {
    size_t from, to;
    uint32_t cost;
};

struct graph {
    size_t n_routers;
    struct edge *edges;         /* Sorted by 'from'. */
    size_t n_edges;
    size_t *first;              /* first[i]: the first edge of router 'i';
                                 * 'n_routers' + 1 of them. */
};

static int
compare_edges(const void *a_, const void *b_)
{
    const struct edge *a = a_, *b = b_;

    return a->from != b->from ? (a->from < b->from ? -1 : 1) : 0;
}

static void
graph_init(struct graph *g, const struct model_network *network)
{
    g->n_routers = network->n_routers;
    g->edges = xcalloc(MAX(network->n_links * 2, 1), sizeof *g->edges);
    g->first = xcalloc(g->n_routers + 1, sizeof *g->first);
    g->n_edges = 0;
    for (size_t i = 0; i < network->n_links; i++) {
        const struct model_link *link = &network->links[i];

        for (int j = 0; j < 2; j++) {
            if (link->router[0] != MODEL_UNRESOLVED
                && link->router[1] != MODEL_UNRESOLVED) {
                g->edges[g->n_edges++] = (struct edge) {
                    .from = link->router[j], .to = link->router[!j],
                    .cost = link->cost[j],
                };
            }
        }
    }
    qsort(g->edges, g->n_edges, sizeof *g->edges, compare_edges);
    for (size_t i = 0, e = 0; i <= g->n_routers; i++) {
        while (e < g->n_edges && g->edges[e].from < i) {
            e++;
        }
        g->first[i] = e;
    }
}

struct vertex {
    struct heap_node node;      /* In the heap while it is a candidate. */
    bool seen;                  /* Has a distance. */
    uint64_t dist;
    size_t hops;                /* Links on the shortest path that has the most
                                 * of them. */
};

/* Dijkstra from 'source'.  Returns the router that is the most links away. */
static size_t
graph_farthest(const struct graph *g, size_t source, struct vertex *vertices)
{
    size_t farthest = source;
    struct heap heap;

    memset(vertices, 0, g->n_routers * sizeof *vertices);
    heap_init(&heap);
    vertices[source].seen = true;
    heap_insert(&heap, &vertices[source].node, UINT64_MAX);
    while (!heap_is_empty(&heap)) {
        struct vertex *v = CONTAINER_OF(heap_max(&heap), struct vertex, node);
        size_t u = v - vertices;

        heap_remove(&heap, &v->node);
        if (v->hops > vertices[farthest].hops) {
            farthest = u;
        }
        for (size_t e = g->first[u]; e < g->first[u + 1]; e++) {
            struct vertex *w = &vertices[g->edges[e].to];
            uint64_t dist = v->dist + g->edges[e].cost;

            if (!w->seen) {
                w->seen = true;
                w->dist = dist;
                w->hops = v->hops + 1;
                heap_insert(&heap, &w->node, UINT64_MAX - dist);
            } else if (dist < w->dist) {
                w->dist = dist;
                w->hops = v->hops + 1;
                heap_change(&heap, &w->node, UINT64_MAX - dist);
            } else if (dist == w->dist) {
                w->hops = MAX(w->hops, v->hops + 1);
            }
        }
    }
    heap_destroy(&heap);
    return farthest;
}

static void
check_series(const struct check *c)
{
    const struct model_network *network = c->network;
    struct vertex *vertices;
    struct graph g;

    if (network->n_routers <= MODEL_MAX_SERIES) {
        return;
    }
    graph_init(&g, network);
    vertices = xcalloc(g.n_routers, sizeof *vertices);
    for (size_t i = 0; i < g.n_routers; i++) {
        size_t far = graph_farthest(&g, i, vertices);

        if (vertices[far].hops + 1 > MODEL_MAX_SERIES) {
            struct diag *d = check_error(
                c, network->routers[i].line, &network->routers[i], NULL, NULL,
                "packets from it to router \"%s\" pass %"PRIuSIZE" routers in "
                "series", network->routers[far].name,
                vertices[far].hops + 1);
            diag_remedy(d, "add links, or change their costs, so that at most "
                        "%d routers are in series", MODEL_MAX_SERIES);
            break;
        }
    }
    free(g.edges);
    free(g.first);
    free(vertices);
}

void
check_routers(const struct check *c)
{
    check_router_ids(c);
    for (size_t i = 0; i < c->network->n_routers; i++) {
        check_router_area(c, &c->network->routers[i]);
    }
    check_links(c);
    check_series(c);
}
