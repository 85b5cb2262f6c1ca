/* SPDX-License-Identifier: Apache-2.0 */

/* Copies of what OSPF knows.
 *
 * A new rib is compared with the copy of the last one, and the prefixes whose
 * candidates differ are marked.  The candidates of an AS-external prefix are
 * taken apart into values (ASBR, forwarding address, type, metric), so that
 * neither the numbering of borders nor their distances make a difference.
 *
 * Prefixes inside the area share the fate of the router that has them: 'by
 * vertex', a prefix is (router, cost beyond it).  A prefix for which that does
 * not hold now (a transit network, or one that two routers have at the same
 * distance) stands for itself. */

#include <config.h>
#include "controller/route/route-private.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ospf/rib.h"
#include "util.h"

/* Lookups. */

#define FIND(ARRAY, N, COMPARE)                                         \
    do {                                                                \
        size_t lo = 0, hi = (N);                                        \
                                                                        \
        while (lo < hi) {                                               \
            size_t mid = lo + (hi - lo) / 2;                            \
            int cmp = COMPARE(&(ARRAY)[mid]);                           \
                                                                        \
            if (!cmp) {                                                 \
                return &(ARRAY)[mid];                                   \
            } else if (cmp < 0) {                                       \
                lo = mid + 1;                                           \
            } else {                                                    \
                hi = mid;                                               \
            }                                                           \
        }                                                               \
        return NULL;                                                    \
    } while (0)

static int
compare2(uint32_t a1, uint32_t a2, uint32_t b1, uint32_t b2)
{
    return (a1 < b1 ? -1 : a1 > b1 ? 1 : a2 < b2 ? -1 : a2 > b2);
}

const struct rt_border *
rt_border_find(const struct rt_border *borders, size_t n, uint32_t asbr,
               uint32_t forwarding)
{
#define CMP(B) compare2((B)->asbr, (B)->forwarding, asbr, forwarding)
    FIND(borders, n, CMP);
#undef CMP
}

const struct rt_node *
rt_node_find(const struct rt_node *nodes, size_t n, uint32_t router_id)
{
#define CMP(N) compare2((N)->router_id, 0, router_id, 0)
    FIND(nodes, n, CMP);
#undef CMP
}

const struct rt_route *
rt_route_find(const struct rt_route *routes, size_t n, uint32_t prefix,
              uint8_t plen)
{
#define CMP(R) compare2((R)->prefix, (R)->plen, prefix, plen)
    FIND(routes, n, CMP);
#undef CMP
}

const struct rt_external *
rt_external_find(const struct rt_rib *rib, uint32_t prefix, uint8_t plen)
{
#define CMP(E) compare2((E)->prefix, (E)->plen, prefix, plen)
    FIND(rib->externals, rib->n_externals, CMP);
#undef CMP
}

static size_t
rib_index(const struct route_net *net, uint32_t router, uint32_t instance)
{
    size_t i = 0;

    while (i < net->n_ribs
           && compare2(net->ribs[i]->router, net->ribs[i]->instance,
                       router, instance) < 0) {
        i++;
    }
    return i;
}

struct rt_rib *
rt_rib_find(const struct route_net *net, uint32_t router, uint32_t instance)
{
    size_t i = rib_index(net, router, instance);

    return (i < net->n_ribs && net->ribs[i]->router == router
            && net->ribs[i]->instance == instance ? net->ribs[i] : NULL);
}

/* Copying. */

static int
compare_borders(const void *a_, const void *b_)
{
    const struct rt_border *a = a_;
    const struct rt_border *b = b_;

    return compare2(a->asbr, a->forwarding, b->asbr, b->forwarding);
}

static int
compare_candidates(const void *a_, const void *b_)
{
    const struct rt_candidate *a = a_;
    const struct rt_candidate *b = b_;
    int cmp = compare2(a->asbr, a->forwarding, b->asbr, b->forwarding);

    return cmp ? cmp : compare2(a->type, a->metric, b->type, b->metric);
}

static struct rt_border *
copy_borders(const struct ospf_rib *rib)
{
    struct rt_border *borders = xmalloc(MAX(rib->n_borders, 1)
                                        * sizeof *borders);

    for (size_t i = 0; i < rib->n_borders; i++) {
        const struct ospf_border *b = &rib->borders[i];

        borders[i] = (struct rt_border) {
            .asbr = b->asbr,
            .forwarding = b->forwarding,
            .reachable = b->reachable,
            .distance = b->reachable ? b->distance : UINT32_MAX,
            .nhset = b->reachable ? b->nhset : 0,
        };
    }
    RT_SORT(borders, rib->n_borders, compare_borders);
    return borders;
}

static struct rt_node *
copy_nodes(const struct ospf_rib *rib)
{
    struct rt_node *nodes = xmalloc(MAX(rib->n_routers, 1) * sizeof *nodes);

    for (size_t i = 0; i < rib->n_routers; i++) {
        const struct ospf_router *r = &rib->routers[i];

        nodes[i] = (struct rt_node) {
            .router_id = r->router_id, .cost = r->cost, .nhset = r->nhset,
        };
    }
    return nodes;
}

/* 'nodes' were copied from the same rib. */
static struct rt_route *
copy_routes(const struct ospf_rib *rib, const struct rt_node *nodes,
            size_t *n_)
{
    struct rt_route *routes = xmalloc(MAX(rib->n_routes, 1) * sizeof *routes);
    size_t n = 0;

    for (size_t i = 0; i < rib->n_routes; i++) {
        const struct ospf_route *r = &rib->routes[i];
        const struct rt_node *node = rt_node_find(nodes, rib->n_routers,
                                                  r->origin);
        struct rt_route *copy = &routes[n];

        if (r->direct) {
            continue;
        }
        memset(copy, 0, sizeof *copy);
        copy->prefix = r->prefix;
        copy->plen = r->plen;
        copy->cost = r->cost;
        copy->nhset = r->nhset;
        copy->by_vertex = (node && node->cost <= r->cost
                           && node->nhset == r->nhset);
        copy->origin = copy->by_vertex ? r->origin : r->prefix;
        copy->extra = copy->by_vertex ? r->cost - node->cost : r->plen;
        n++;
    }
    *n_ = n;
    return routes;
}

static void
copy_externals(struct rt_rib *copy, const struct ospf_rib *rib)
{
    copy->externals = xmalloc(MAX(rib->n_externals, 1)
                              * sizeof *copy->externals);
    copy->n_externals = rib->n_externals;
    copy->candidates = xmalloc(MAX(rib->n_candidates, 1)
                               * sizeof *copy->candidates);
    copy->n_candidates = rib->n_candidates;
    for (size_t i = 0; i < rib->n_candidates; i++) {
        const struct ospf_candidate *c = &rib->candidates[i];
        const struct ospf_border *b = &rib->borders[c->border];

        copy->candidates[i] = (struct rt_candidate) {
            .asbr = b->asbr,
            .forwarding = b->forwarding,
            .metric = c->metric,
            .type = c->e2 ? 2 : 1,
        };
    }
    for (size_t i = 0; i < rib->n_externals; i++) {
        const struct ospf_external_prefix *e = &rib->externals[i];

        copy->externals[i] = (struct rt_external) {
            .prefix = e->prefix, .plen = e->plen, .first = e->first, .n = e->n,
        };
        RT_SORT(&copy->candidates[e->first], e->n, compare_candidates);
    }
}

static void
copy_neighbors(struct rt_rib *copy, const struct topo_network *topo,
               const struct route_neighbor *neighbors, size_t n)
{
    copy->neighbors = xcalloc(MAX(n, 1), sizeof *copy->neighbors);
    copy->n_neighbors = n;
    for (size_t i = 0; i < n; i++) {
        const struct ospf_rib *rib = neighbors[i].rib;
        struct rt_neighbor *nbr = &copy->neighbors[i];

        nbr->router_id = neighbors[i].router_id;
        nbr->attachment = topo->attachments[neighbors[i].attachment].id;
        nbr->addr = route_way_key(topo, neighbors[i].attachment,
                                  &neighbors[i].addr);
        nbr->has_rib = rib != NULL;
        if (rib) {
            nbr->borders = copy_borders(rib);
            nbr->n_borders = rib->n_borders;
            nbr->nodes = copy_nodes(rib);
            nbr->n_nodes = rib->n_routers;
            nbr->routes = copy_routes(rib, nbr->nodes, &nbr->n_routes);
        }
    }
}

static struct rt_rib *
copy_rib(const struct topo_network *topo, uint32_t router, uint32_t instance,
         const struct ospf_rib *rib, const struct route_neighbor *neighbors,
         size_t n_neighbors)
{
    struct rt_rib *copy = xzalloc(sizeof *copy);

    copy->router = router;
    copy->instance = instance;
    copy->seqno = rib->seqno;
    copy->externals_seqno = rib->externals_seqno;
    copy->root = rib->root;
    copy->nodes = copy_nodes(rib);
    copy->n_nodes = rib->n_routers;
    copy->routes = copy_routes(rib, copy->nodes, &copy->n_routes);
    copy->borders = copy_borders(rib);
    copy->n_borders = rib->n_borders;
    copy_externals(copy, rib);
    copy->nhsets = xmalloc(MAX(rib->n_nhsets, 1) * sizeof *copy->nhsets);
    copy->n_nhsets = rib->n_nhsets;
    for (size_t i = 0; i < rib->n_nhsets; i++) {
        copy->nhsets[i] = (struct rt_nhset) {
            .first = rib->nhsets[i].first, .n = rib->nhsets[i].n,
        };
    }
    copy->nexthops = xcalloc(MAX(rib->n_nexthops, 1), sizeof *copy->nexthops);
    copy->n_nexthops = rib->n_nexthops;
    for (size_t i = 0; i < rib->n_nexthops; i++) {
        copy->nexthops[i].exit_router = rib->nexthops[i].exit_router;
        copy->nexthops[i].local = rib->nexthops[i].local;
        copy->nexthops[i].addr = rib->nexthops[i].addr;
    }
    copy_neighbors(copy, topo, neighbors, n_neighbors);
    return copy;
}

void
rt_rib_destroy(struct rt_rib *rib)
{
    if (rib) {
        for (size_t i = 0; i < rib->n_neighbors; i++) {
            free(rib->neighbors[i].borders);
            free(rib->neighbors[i].nodes);
            free(rib->neighbors[i].routes);
        }
        free(rib->neighbors);
        free(rib->routes);
        free(rib->nodes);
        free(rib->borders);
        free(rib->externals);
        free(rib->candidates);
        free(rib->nhsets);
        free(rib->nexthops);
        free(rib);
    }
}

/* Comparing. */

static bool
same_neighbors(const struct topo_network *topo, const struct rt_rib *rib,
               const struct route_neighbor *neighbors, size_t n)
{
    if (rib->n_neighbors != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct rt_neighbor *nbr = &rib->neighbors[i];
        struct in6_addr addr = route_way_key(topo, neighbors[i].attachment,
                                             &neighbors[i].addr);

        if (nbr->router_id != neighbors[i].router_id
            || nbr->attachment != topo->attachments[neighbors[i].attachment].id
            || addr_compare(&nbr->addr, &addr)
            || nbr->has_rib != (neighbors[i].rib != NULL)) {
            return false;
        }
    }
    return true;
}

static void
mark(struct rt_router *r, uint32_t addr, uint8_t plen)
{
    struct prefix prefix = rt_prefix(addr, plen);

    rt_entry_mark(r, &prefix);
}

/* Marks what differs between the routes of two ribs, either possibly NULL. */
static void
mark_routes(struct rt_router *r, const struct rt_rib *a,
            const struct rt_rib *b)
{
    size_t n_a = a ? a->n_routes : 0, n_b = b ? b->n_routes : 0;
    size_t i = 0, j = 0;

    while (i < n_a || j < n_b) {
        const struct rt_route *x = i < n_a ? &a->routes[i] : NULL;
        const struct rt_route *y = j < n_b ? &b->routes[j] : NULL;
        int cmp = (!x ? 1 : !y ? -1
                   : compare2(x->prefix, x->plen, y->prefix, y->plen));

        if (cmp) {
            mark(r, cmp < 0 ? x->prefix : y->prefix,
                 cmp < 0 ? x->plen : y->plen);
        } else if (x->by_vertex != y->by_vertex || x->origin != y->origin
                   || x->extra != y->extra) {
            mark(r, x->prefix, x->plen);
        }
        i += cmp <= 0;
        j += cmp >= 0;
    }
}

static bool
same_candidates(const struct rt_rib *a, const struct rt_external *x,
                const struct rt_rib *b, const struct rt_external *y)
{
    if (x->n != y->n) {
        return false;
    }
    for (size_t i = 0; i < x->n; i++) {
        if (compare_candidates(&a->candidates[x->first + i],
                               &b->candidates[y->first + i])) {
            return false;
        }
    }
    return true;
}

static void
mark_externals(struct rt_router *r, const struct rt_rib *a,
               const struct rt_rib *b)
{
    size_t n_a = a ? a->n_externals : 0, n_b = b ? b->n_externals : 0;
    size_t i = 0, j = 0;

    if (a && b && a->externals_seqno == b->externals_seqno) {
        return;
    }
    while (i < n_a || j < n_b) {
        const struct rt_external *x = i < n_a ? &a->externals[i] : NULL;
        const struct rt_external *y = j < n_b ? &b->externals[j] : NULL;
        int cmp = (!x ? 1 : !y ? -1
                   : compare2(x->prefix, x->plen, y->prefix, y->plen));

        if (cmp) {
            mark(r, cmp < 0 ? x->prefix : y->prefix,
                 cmp < 0 ? x->plen : y->plen);
        } else if (!same_candidates(a, x, b, y)) {
            mark(r, x->prefix, x->plen);
        }
        i += cmp <= 0;
        j += cmp >= 0;
    }
}

void
route_net_set_rib(struct route_net *net, size_t router, size_t instance,
                  const struct ospf_rib *rib,
                  const struct route_neighbor *neighbors, size_t n_neighbors)
{
    struct rt_router *r = net->routers[router];
    uint32_t attachment = (instance == ROUTE_NONE ? 0
                           : net->topo->attachments[instance].id);
    size_t i = rib_index(net, r->id, attachment);
    struct rt_rib *old = rt_rib_find(net, r->id, attachment);
    struct rt_rib *new = NULL;

    if (!rib && !old) {
        return;
    }
    if (old && rib && old->seqno == rib->seqno
        && old->externals_seqno == rib->externals_seqno
        && same_neighbors(net->topo, old, neighbors, n_neighbors)) {
        return;
    }
    if (rib) {
        new = copy_rib(net->topo, r->id, attachment, rib, neighbors,
                       n_neighbors);
    }
    mark_routes(r, old, new);
    mark_externals(r, old, new);

    if (old && new) {
        net->ribs[i] = new;
    } else if (old) {
        net->n_ribs--;
        memmove(&net->ribs[i], &net->ribs[i + 1],
                (net->n_ribs - i) * sizeof *net->ribs);
    } else {
        RT_PUSH(net->ribs, net->n_ribs, net->allocated_ribs, new);
        memmove(&net->ribs[i + 1], &net->ribs[i],
                (net->n_ribs - 1 - i) * sizeof *net->ribs);
        net->ribs[i] = new;
    }
    rt_rib_destroy(old);
    r->sets_dirty = true;
    net->ways_dirty = true;
    net->dirty = true;
}
