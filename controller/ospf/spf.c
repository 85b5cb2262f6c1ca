/* SPDX-License-Identifier: Apache-2.0 */

/* See spf.h. */

#include <config.h>
#include "controller/ospf/spf.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ospf/nhset.h"
#include "controller/ospf/sort.h"
#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"

/* Building the graph. */

/* Vertices by ID: open addressing, vertex number + 1, 0 where free.  Network
 * vertices with one ID are numbered in sequence; the first one is found. */
struct id_table {
    uint32_t *slots;
    uint32_t mask;
};

static uint32_t
id_hash(uint32_t id, bool is_network)
{
    return hash_finish(hash_add(is_network, id), 4);
}

static void
id_table_init(struct id_table *t, const struct spf_graph *g)
{
    size_t size = 64;

    while (size < g->n_vertices * 2) {
        size *= 2;
    }
    t->mask = size - 1;
    t->slots = xcalloc(size, sizeof *t->slots);
    for (uint32_t v = 0; v < g->n_vertices; v++) {
        uint32_t slot = id_hash(g->vertices[v].id, g->vertices[v].is_network);
        while (t->slots[slot & t->mask]) {
            slot++;
        }
        t->slots[slot & t->mask] = v + 1;
    }
}

static uint32_t
id_table_find(const struct id_table *t, const struct spf_graph *g,
              uint32_t id, bool is_network)
{
    for (uint32_t slot = id_hash(id, is_network); t->slots[slot & t->mask];
         slot++) {
        uint32_t v = t->slots[slot & t->mask] - 1;
        if (g->vertices[v].id == id && g->vertices[v].is_network == is_network) {
            return v;
        }
    }
    return SPF_NONE;
}

struct source {
    const struct ospf_lsa *lsa;
    uint32_t id, adv;
    bool is_network;
};

static int
compare_advs(const void *a_, const void *b_)
{
    const struct source *a = a_, *b = b_;

    return a->adv < b->adv ? -1 : a->adv > b->adv;
}

/* Networks first, each kind by ID, then by advertising router. */
static void
sort_sources(struct source *v, size_t n)
{
    struct sort_item *items = xmalloc((n + 1) * sizeof *items);
    struct source *copy = xmemdup(v, n * sizeof *v);

    for (size_t i = 0; i < n; i++) {
        items[i].key = (uint64_t) !v[i].is_network << 32 | v[i].id;
        items[i].index = i;
    }
    sort_items(items, n, 33);
    for (size_t i = 0, first = 0; i < n; i++) {
        v[i] = copy[items[i].index];
        if (i + 1 == n || items[i + 1].key != items[i].key) {
            if (i > first) {
                qsort(&v[first], i + 1 - first, sizeof *v, compare_advs);
            }
            first = i + 1;
        }
    }
    free(copy);
    free(items);
}

/* The LSAs that are vertices, in order. */
static struct source *
collect(const struct lsdb *db, long long int now, size_t *np)
{
    struct source *v = xmalloc((lsdb_count(db) + 1) * sizeof *v);
    const struct lsdb_entry *e;
    size_t n = 0;

    HMAP_FOR_EACH (e, hmap_node, &db->entries) {
        uint8_t type = lsa_type(e->lsa);
        uint32_t id = lsa_id(e->lsa), adv = lsa_adv(e->lsa);
        if ((type == OSPF_LSA_NETWORK
             || (type == OSPF_LSA_ROUTER && id == adv))
            && !lsa_is_max_age(e->lsa, now)) {
            v[n++] = (struct source) { e->lsa, id, adv,
                                       type == OSPF_LSA_NETWORK };
        }
    }
    sort_sources(v, n);
    *np = n;
    return v;
}

static bool
contains(const uint32_t *v, size_t n, uint32_t x)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i] == x) {
            return true;
        }
    }
    return false;
}

static bool
network_lists(const struct ospf_lsa *lsa, uint32_t router_id)
{
    for (size_t i = 0; i < lsa_network_n_routers(lsa); i++) {
        if (lsa_network_router(lsa, i) == router_id) {
            return true;
        }
    }
    return false;
}

struct builder {
    struct spf_graph *g;
    const struct source *sources; /* By vertex. */
    struct id_table ids;
    size_t allocated_edges, allocated_stubs;
};

static void
add_edge(struct builder *b, uint32_t to, uint32_t data, uint16_t metric,
         bool wire)
{
    struct spf_graph *g = b->g;

    if (g->n_edges >= b->allocated_edges) {
        g->edges = x2nrealloc(g->edges, &b->allocated_edges,
                              sizeof *g->edges);
    }
    g->edges[g->n_edges++] = (struct spf_edge) { to, data, metric, wire };
}

static void
add_stub(struct builder *b, uint32_t vertex, uint32_t prefix, uint32_t mask,
         uint16_t metric)
{
    struct spf_graph *g = b->g;

    if (~mask & (~mask + 1)) {
        return;                 /* The mask has holes. */
    }
    if (g->n_stubs >= b->allocated_stubs) {
        g->stubs = x2nrealloc(g->stubs, &b->allocated_stubs,
                              sizeof *g->stubs);
    }
    g->stubs[g->n_stubs++] = (struct spf_stub) {
        prefix & mask, mask ? 32 - ctz32(mask) : 0, metric, vertex
    };
}

/* The network vertex that router 'router_id' means by a transit link to the
 * DR with address 'id'.  A former DR's network-LSA with the same ID may still
 * be there; it is told by the routers that it lists. */
static uint32_t
find_network(const struct builder *b, uint32_t id, uint32_t router_id)
{
    const struct spf_graph *g = b->g;
    uint32_t v = id_table_find(&b->ids, g, id, true);

    if (v != SPF_NONE) {
        while (v > 0 && g->vertices[v - 1].is_network
               && g->vertices[v - 1].id == id) {
            v--;
        }
        for (; v < g->n_networks && g->vertices[v].id == id; v++) {
            if (network_lists(b->sources[v].lsa, router_id)) {
                return v;
            }
        }
    }
    return SPF_NONE;
}

static void
add_router(struct builder *b, uint32_t v)
{
    struct spf_vertex *vertex = &b->g->vertices[v];
    struct router_link_iter it = lsa_router_links(b->sources[v].lsa);
    struct router_link link;

    vertex->flags = lsa_router_flags(b->sources[v].lsa);
    while (router_link_next(&it, &link)) {
        uint32_t to;
        switch (link.type) {
        case LINK_P2P:
            to = id_table_find(&b->ids, b->g, link.id, false);
            if (to != SPF_NONE) {
                bool wire = (vertex->family && b->g->vertices[to].family
                             && link.data < 0x01000000);
                add_edge(b, to, link.data, link.metric, wire);
            }
            break;
        case LINK_TRANSIT:
            to = find_network(b, link.id, vertex->id);
            if (to != SPF_NONE) {
                add_edge(b, to, link.data, link.metric, false);
            }
            break;
        case LINK_STUB:
            add_stub(b, v, link.id, link.data, link.metric);
            break;
        default:
            break;
        }
    }
}

static void
add_network(struct builder *b, uint32_t v)
{
    const struct ospf_lsa *lsa = b->sources[v].lsa;

    for (size_t i = 0; i < lsa_network_n_routers(lsa); i++) {
        uint32_t to = id_table_find(&b->ids, b->g, lsa_network_router(lsa, i),
                                    false);
        if (to != SPF_NONE) {
            add_edge(b, to, 0, 0, false);
        }
    }
    uint32_t mask = lsa_network_mask(lsa);
    add_stub(b, v, lsa_id(lsa), mask, 0);
}

/* Removes edges that have no counterpart.  For each vertex, those that have
 * an edge to it are marked. */
static void
check_both_ways(struct spf_graph *g)
{
    uint32_t *in_first = xcalloc(g->n_vertices + 1, sizeof *in_first);
    uint32_t *in = xmalloc((g->n_edges + 1) * sizeof *in);
    uint32_t *mark = xmalloc((g->n_vertices + 1) * sizeof *mark);

    for (uint32_t e = 0; e < g->n_edges; e++) {
        in_first[g->edges[e].to + 1]++;
    }
    for (uint32_t v = 0; v < g->n_vertices; v++) {
        in_first[v + 1] += in_first[v];
        mark[v] = SPF_NONE;
    }
    uint32_t *fill = xmemdup(in_first, (g->n_vertices + 1) * sizeof *fill);
    for (uint32_t v = 0; v < g->n_vertices; v++) {
        const struct spf_vertex *vertex = &g->vertices[v];
        for (uint32_t i = 0; i < vertex->n_edges; i++) {
            in[fill[g->edges[vertex->first_edge + i].to]++] = v;
        }
    }

    uint32_t n = 0;
    for (uint32_t v = 0; v < g->n_vertices; v++) {
        struct spf_vertex *vertex = &g->vertices[v];
        for (uint32_t i = in_first[v]; i < in_first[v + 1]; i++) {
            mark[in[i]] = v;
        }
        uint32_t first = n;
        for (uint32_t i = 0; i < vertex->n_edges; i++) {
            struct spf_edge edge = g->edges[vertex->first_edge + i];
            if (mark[edge.to] == v) {
                g->edges[n++] = edge;
            }
        }
        vertex->first_edge = first;
        vertex->n_edges = n - first;
    }
    g->n_edges = n;
    free(in_first);
    free(in);
    free(fill);
    free(mark);
}

/* By prefix; what has the same one stays in order of vertices. */
static void
sort_stubs(struct spf_graph *g)
{
    struct sort_item *items = xmalloc((g->n_stubs + 1) * sizeof *items);
    struct spf_stub *sorted = xmalloc((g->n_stubs + 1) * sizeof *sorted);

    for (uint32_t i = 0; i < g->n_stubs; i++) {
        items[i].key = sort_key_prefix(g->stubs[i].prefix, g->stubs[i].plen);
        items[i].index = i;
    }
    sort_items(items, g->n_stubs, SORT_PREFIX_BITS);
    for (uint32_t i = 0; i < g->n_stubs; i++) {
        sorted[i] = g->stubs[items[i].index];
    }
    free(g->stubs);
    g->stubs = sorted;
    free(items);
}

struct spf_graph *
spf_graph_build(const struct lsdb *db, const uint32_t *family,
                size_t n_family, long long int now)
{
    struct spf_graph *g = xzalloc(sizeof *g);
    struct builder b = { .g = g };
    size_t n;
    struct source *sources = collect(db, now, &n);

    b.sources = sources;
    g->n_vertices = n;
    g->vertices = xcalloc(n + 1, sizeof *g->vertices);
    for (uint32_t v = 0; v < n; v++) {
        struct spf_vertex *vertex = &g->vertices[v];
        vertex->id = sources[v].id;
        vertex->adv = sources[v].adv;
        vertex->is_network = sources[v].is_network;
        g->n_networks += vertex->is_network;
        vertex->family = (!vertex->is_network
                          && contains(family, n_family, vertex->id));
    }
    id_table_init(&b.ids, g);
    for (uint32_t v = 0; v < n; v++) {
        g->vertices[v].first_edge = g->n_edges;
        if (g->vertices[v].is_network) {
            add_network(&b, v);
        } else {
            add_router(&b, v);
        }
        g->vertices[v].n_edges = g->n_edges - g->vertices[v].first_edge;
    }
    free(b.ids.slots);
    free(sources);
    check_both_ways(g);
    sort_stubs(g);
    return g;
}

void
spf_graph_destroy(struct spf_graph *g)
{
    if (g) {
        free(g->vertices);
        free(g->edges);
        free(g->stubs);
        free(g);
    }
}

uint32_t
spf_graph_router(const struct spf_graph *g, uint32_t router_id)
{
    uint32_t low = g->n_networks, high = g->n_vertices;

    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (g->vertices[mid].id < router_id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return (low < g->n_vertices && g->vertices[low].id == router_id
            ? low : SPF_NONE);
}

/* The candidate list: a binary heap of vertices, with each vertex's place.
 * Of equal distances the smaller number comes first; so networks come before
 * routers, as section 16.1 (3) wants, and the order is always the same. */
struct queue {
    const uint32_t *distance;
    uint32_t *heap;             /* Vertices. */
    uint32_t *place;            /* By vertex: index in 'heap', or SPF_NONE. */
    uint32_t n;
};

static bool
before(const struct queue *q, uint32_t a, uint32_t b)
{
    return (q->distance[a] != q->distance[b]
            ? q->distance[a] < q->distance[b] : a < b);
}

static void
queue_put(struct queue *q, uint32_t i, uint32_t v)
{
    q->heap[i] = v;
    q->place[v] = i;
}

/* 'v' is new, or has come closer. */
static void
queue_update(struct queue *q, uint32_t v)
{
    uint32_t i = q->place[v] != SPF_NONE ? q->place[v] : q->n++;

    while (i && before(q, v, q->heap[(i - 1) / 2])) {
        queue_put(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    queue_put(q, i, v);
}

static uint32_t
queue_pop(struct queue *q)
{
    uint32_t result = q->heap[0];
    uint32_t v = q->heap[--q->n];
    uint32_t i = 0;

    q->place[result] = SPF_NONE;
    for (;;) {
        uint32_t child = 2 * i + 1;
        if (child >= q->n) {
            break;
        }
        if (child + 1 < q->n
            && before(q, q->heap[child + 1], q->heap[child])) {
            child++;
        }
        if (!before(q, q->heap[child], v)) {
            break;
        }
        queue_put(q, i, q->heap[child]);
        i = child;
    }
    if (q->n) {
        queue_put(q, i, v);
    }
    return result;
}

/* Next hops (section 16.1.1). */

/* The mask of the prefix that router 'v' has its address 'addr' in. */
static uint32_t
subnet_mask(const struct spf_graph *g, uint32_t v, uint32_t addr)
{
    uint8_t best = 0;

    for (uint32_t i = 0; i < g->n_stubs; i++) {
        const struct spf_stub *stub = &g->stubs[i];
        uint32_t mask = stub->plen ? UINT32_MAX << (32 - stub->plen) : 0;
        if (stub->vertex == v && !((stub->prefix ^ addr) & mask)) {
            best = MAX(best, stub->plen);
        }
    }
    return best ? UINT32_MAX << (32 - best) : 0;
}

/* The address that 'w' has on its link to 'v'.  Between routers with several
 * links it is the one in the subnet of 'v''s address 'local'. */
static uint32_t
peer_address(const struct spf_graph *g, uint32_t v, uint32_t w,
             uint32_t local)
{
    const struct spf_vertex *vertex = &g->vertices[w];
    uint32_t found = 0, n = 0;

    for (uint32_t i = 0; i < vertex->n_edges; i++) {
        const struct spf_edge *back = &g->edges[vertex->first_edge + i];
        if (back->to == v && back->data >= 0x01000000) {
            found = n++ ? found : back->data;
        }
    }
    if (n > 1 && local) {
        uint32_t mask = subnet_mask(g, v, local);
        for (uint32_t i = 0; i < vertex->n_edges; i++) {
            const struct spf_edge *back = &g->edges[vertex->first_edge + i];
            if (back->to == v && back->data >= 0x01000000
                && !((back->data ^ local) & mask)) {
                return back->data;
            }
        }
    }
    return found;
}

/* From network 'v' to router 'w': who is on that network needs no other
 * router, whoever is further away is reached as the network is. */
static uint32_t
through_network(const struct spf_graph *g, const struct spf_tree *t,
                struct nhsets *sets, uint32_t v, uint32_t w)
{
    struct ospf_nhset set = sets->sets[t->nhset[v]];
    bool any = false;

    for (uint32_t i = 0; i < set.n; i++) {
        const struct ospf_nexthop *nh = &sets->nexthops[set.first + i];
        any |= nh->local && !nh->addr;
    }
    if (!any) {
        return t->nhset[v];
    }
    struct ospf_nexthop *nh = xmemdup(sets->nexthops + set.first,
                                      set.n * sizeof *nh);
    for (uint32_t i = 0; i < set.n; i++) {
        if (nh[i].local && !nh[i].addr) {
            nh[i].addr = peer_address(g, v, w, 0);
            nh[i].nbr_router_id = g->vertices[w].id;
        }
    }
    uint32_t result = nhsets_make(sets, nh, set.n);
    free(nh);
    return result;
}

static uint32_t
next_hops(const struct spf_graph *g, const struct spf_tree *t,
          struct nhsets *sets, uint32_t v, const struct spf_edge *edge)
{
    const struct spf_vertex *from = &g->vertices[v];
    const struct spf_vertex *to = &g->vertices[edge->to];

    if (from->is_network) {
        return through_network(g, t, sets, v, edge->to);
    } else if (!t->inside[v]) {
        return t->nhset[v];
    } else if (edge->wire) {
        return nhsets_one(sets, to->id, 0, 0, 0);
    } else if (to->is_network) {
        return nhsets_one(sets, from->id, edge->data, 0, 0);
    } else {
        return nhsets_one(sets, from->id, edge->data,
                          peer_address(g, v, edge->to, edge->data), to->id);
    }
}

static void
relax(const struct spf_graph *g, struct spf_tree *t, struct nhsets *sets,
      struct queue *q, uint32_t v, const struct spf_edge *edge)
{
    uint32_t w = edge->to;
    uint32_t d = t->distance[v] + edge->metric;
    bool inside = t->inside[v] && edge->wire;

    if (d > t->distance[w]) {
        return;
    }
    if (d < t->distance[w]) {
        t->distance[w] = d;
        t->inside[w] = inside;
        t->nhset[w] = next_hops(g, t, sets, v, edge);
        queue_update(q, w);
    } else if (q->place[w] == SPF_NONE || t->inside[w]) {
        /* Settled, or a sibling, to which nothing else is as short. */
    } else if (inside) {
        t->inside[w] = true;
        t->nhset[w] = next_hops(g, t, sets, v, edge);
    } else {
        t->nhset[w] = nhsets_union(sets, t->nhset[w],
                                   next_hops(g, t, sets, v, edge));
    }
}

struct spf_tree *
spf_run(const struct spf_graph *g, uint32_t root, struct nhsets *sets)
{
    struct spf_tree *t = xzalloc(sizeof *t);
    uint32_t n = g->n_vertices;

    t->root = root;
    t->distance = xmalloc(n * sizeof *t->distance);
    t->nhset = xcalloc(n, sizeof *t->nhset);
    t->inside = xcalloc(n, sizeof *t->inside);
    struct queue q = {
        .distance = t->distance,
        .heap = xmalloc(n * sizeof *q.heap),
        .place = xmalloc(n * sizeof *q.place),
    };
    memset(t->distance, 0xff, n * sizeof *t->distance);
    memset(q.place, 0xff, n * sizeof *q.place);

    t->distance[root] = 0;
    t->inside[root] = true;
    t->nhset[root] = nhsets_one(sets, g->vertices[root].id, 0, 0, 0);
    queue_update(&q, root);
    while (q.n) {
        uint32_t v = queue_pop(&q);
        const struct spf_vertex *vertex = &g->vertices[v];
        for (uint32_t i = 0; i < vertex->n_edges; i++) {
            relax(g, t, sets, &q, v, &g->edges[vertex->first_edge + i]);
        }
    }
    free(q.heap);
    free(q.place);
    return t;
}

void
spf_tree_destroy(struct spf_tree *t)
{
    if (t) {
        free(t->distance);
        free(t->nhset);
        free(t->inside);
        free(t);
    }
}
