/* SPDX-License-Identifier: Apache-2.0 */

/* Ribs from graphs and LSDBs (RFC 2328 sections 16.1 and 16.4).  See rib.h and
 * rib-build.h. */

#include <config.h>
#include "controller/ospf/rib.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ospf/nhset.h"
#include "controller/ospf/rib-build.h"
#include "controller/ospf/sort.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

void
ospf_rib_destroy(struct ospf_rib *rib)
{
    if (rib) {
        free(rib->routes);
        free(rib->routers);
        free(rib->borders);
        free(rib->externals);
        free(rib->candidates);
        free(rib->nhsets);
        free(rib->nexthops);
        free(rib);
    }
}

/* Lookups. */

static int
compare_prefixes(uint32_t a, uint8_t alen, uint32_t b, uint8_t blen)
{
    return a != b ? (a < b ? -1 : 1) : alen < blen ? -1 : alen > blen;
}

const struct ospf_route *
ospf_rib_route(const struct ospf_rib *rib, uint32_t prefix, uint8_t plen)
{
    size_t low = 0, high = rib->n_routes;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct ospf_route *r = &rib->routes[mid];
        int cmp = compare_prefixes(r->prefix, r->plen, prefix, plen);
        if (!cmp) {
            return r;
        }
        *(cmp < 0 ? &low : &high) = cmp < 0 ? mid + 1 : mid;
    }
    return NULL;
}

const struct ospf_router *
ospf_rib_router(const struct ospf_rib *rib, uint32_t router_id)
{
    size_t low = 0, high = rib->n_routers;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct ospf_router *r = &rib->routers[mid];
        if (r->router_id == router_id) {
            return r;
        }
        *(r->router_id < router_id ? &low : &high)
            = r->router_id < router_id ? mid + 1 : mid;
    }
    return NULL;
}

const struct ospf_external_prefix *
ospf_rib_external(const struct ospf_rib *rib, uint32_t prefix, uint8_t plen)
{
    size_t low = 0, high = rib->n_externals;

    while (low < high) {
        size_t mid = (low + high) / 2;
        const struct ospf_external_prefix *x = &rib->externals[mid];
        int cmp = compare_prefixes(x->prefix, x->plen, prefix, plen);
        if (!cmp) {
            return x;
        }
        *(cmp < 0 ? &low : &high) = cmp < 0 ? mid + 1 : mid;
    }
    return NULL;
}

const struct ospf_route *
ospf_rib_match(const struct ospf_rib *rib, uint32_t address)
{
    for (int plen = 32; plen >= 0; plen--) {
        uint32_t mask = plen ? UINT32_MAX << (32 - plen) : 0;
        const struct ospf_route *r = ospf_rib_route(rib, address & mask, plen);
        if (r) {
            return r;
        }
    }
    return NULL;
}

/* Choice among external candidates. */

uint32_t
ospf_external_cost(const struct ospf_rib *rib, const struct ospf_candidate *c)
{
    return c->e2 ? c->metric : rib->borders[c->border].distance + c->metric;
}

int
ospf_external_compare(const struct ospf_rib *rib,
                      const struct ospf_candidate *a,
                      const struct ospf_candidate *b)
{
    /* (b) */
    if (a->e2 != b->e2) {
        return a->e2 ? 1 : -1;
    }
    if (a->e2 && a->metric != b->metric) {
        return a->metric < b->metric ? -1 : 1;
    }
    /* (c): in one area all paths to borders are of the same kind.  (d) */
    uint32_t da = rib->borders[a->border].distance;
    uint32_t db = rib->borders[b->border].distance;
    if (!a->e2) {
        da += a->metric;
        db += b->metric;
    }
    return da < db ? -1 : da > db;
}

/* Networks and routers (section 16.1). */

/* The address of an OSPF interface of router 'v' inside 'prefix', or 0. */
static uint32_t
local_address(const struct spf_graph *g, uint32_t v, uint32_t prefix,
              uint8_t plen)
{
    const struct spf_vertex *vertex = &g->vertices[v];
    uint32_t mask = plen ? UINT32_MAX << (32 - plen) : 0;

    for (uint32_t i = 0; i < vertex->n_edges; i++) {
        const struct spf_edge *edge = &g->edges[vertex->first_edge + i];
        if (!edge->wire && edge->data >= 0x01000000
            && !((edge->data ^ prefix) & mask)) {
            return edge->data;
        }
    }
    return 0;
}

static uint32_t
stub_nexthops(const struct spf_graph *g, const struct spf_tree *t,
              struct nhsets *sets, const struct spf_stub *stub)
{
    const struct spf_vertex *vertex = &g->vertices[stub->vertex];

    return (t->inside[stub->vertex]
            ? nhsets_one(sets, vertex->id,
                         local_address(g, stub->vertex, stub->prefix,
                                       stub->plen), 0, 0)
            : t->nhset[stub->vertex]);
}

static bool
is_direct(const struct nhsets *sets, uint32_t set, uint32_t root)
{
    for (uint32_t i = 0; i < sets->sets[set].n; i++) {
        const struct ospf_nexthop *nh
            = &sets->nexthops[sets->sets[set].first + i];
        if (nh->exit_router == root && !nh->addr) {
            return true;
        }
    }
    return false;
}

static void
add_routes(struct ospf_rib *rib, const struct spf_graph *g,
           const struct spf_tree *t, struct nhsets *sets)
{
    rib->routes = xmalloc((g->n_stubs + 1) * sizeof *rib->routes);
    for (uint32_t i = 0; i < g->n_stubs; i++) {
        const struct spf_stub *stub = &g->stubs[i];
        uint32_t distance = t->distance[stub->vertex];
        if (distance == SPF_NONE) {
            continue;
        }

        struct ospf_route *r
            = rib->n_routes ? &rib->routes[rib->n_routes - 1] : NULL;
        uint32_t cost = distance + stub->metric;
        if (!r || r->prefix != stub->prefix || r->plen != stub->plen) {
            r = &rib->routes[rib->n_routes++];
            *r = (struct ospf_route) { .prefix = stub->prefix,
                                       .plen = stub->plen,
                                       .cost = UINT32_MAX };
        }
        if (cost < r->cost) {
            r->cost = cost;
            r->nhset = stub_nexthops(g, t, sets, stub);
            r->origin = g->vertices[stub->vertex].id;
        } else if (cost == r->cost) {
            r->nhset = nhsets_union(sets, r->nhset,
                                    stub_nexthops(g, t, sets, stub));
        }
    }
    for (size_t i = 0; i < rib->n_routes; i++) {
        struct ospf_route *r = &rib->routes[i];
        r->direct = is_direct(sets, r->nhset, rib->root);
    }
}

static void
add_routers(struct ospf_rib *rib, const struct spf_graph *g,
            const struct spf_tree *t)
{
    rib->routers = xmalloc((g->n_vertices - g->n_networks + 1)
                           * sizeof *rib->routers);
    for (uint32_t v = g->n_networks; v < g->n_vertices; v++) {
        if (t->distance[v] != SPF_NONE) {
            rib->routers[rib->n_routers++] = (struct ospf_router) {
                .router_id = g->vertices[v].id,
                .cost = t->distance[v],
                .nhset = t->nhset[v],
                .flags = g->vertices[v].flags,
                .family = t->inside[v],
            };
        }
    }
}

/* Borders (section 16.4 (3)). */

static bool
is_own_address(const struct spf_graph *g, const struct spf_tree *t,
               uint32_t addr)
{
    for (uint32_t v = g->n_networks; v < g->n_vertices; v++) {
        if (t->inside[v] && local_address(g, v, addr, 32)) {
            return true;
        }
    }
    return false;
}

/* The way to a forwarding address is the way to its network; where that is
 * on-link, the address itself is the next hop. */
static uint32_t
forwarding_nexthops(struct nhsets *sets, uint32_t set, uint32_t addr)
{
    struct ospf_nhset s = sets->sets[set];

    if (!s.n) {
        return set;
    }
    struct ospf_nexthop *nh = xmemdup(sets->nexthops + s.first,
                                      s.n * sizeof *nh);
    for (uint32_t i = 0; i < s.n; i++) {
        if (!nh[i].addr) {
            nh[i].addr = addr;
        }
    }
    uint32_t result = nhsets_make(sets, nh, s.n);
    free(nh);
    return result;
}

static void
resolve_borders(struct ospf_rib *rib, const struct spf_graph *g,
                const struct spf_tree *t, struct nhsets *sets)
{
    for (size_t i = 0; i < rib->n_borders; i++) {
        struct ospf_border *b = &rib->borders[i];
        const struct ospf_router *r = ospf_rib_router(rib, b->asbr);

        b->own = b->asbr == rib->root;
        b->family = r && r->family;
        b->reachable = false;
        b->distance = b->nhset = 0;
        /* Our own LSAs may be ahead of our router-LSA. */
        if (!r || !(b->family || r->flags & ROUTER_FLAG_E)) {
            continue;
        }
        if (!b->forwarding) {
            b->reachable = true;
            b->distance = r->cost;
            b->nhset = r->nhset;
            continue;
        }
        const struct ospf_route *route = ospf_rib_match(rib, b->forwarding);
        if (route && !is_own_address(g, t, b->forwarding)) {
            b->reachable = true;
            b->distance = route->cost;
            b->nhset = forwarding_nexthops(sets, route->nhset, b->forwarding);
        }
    }
}

/* External candidates. */

struct raw_candidate {
    uint32_t prefix;
    uint32_t asbr, forwarding, lsid;
    uint32_t metric, tag;
    uint8_t plen;
    bool e2;
};

static int
compare_raw(const void *a_, const void *b_)
{
    const struct raw_candidate *a = a_, *b = b_;

    return (a->prefix != b->prefix ? (a->prefix < b->prefix ? -1 : 1)
            : a->plen != b->plen ? (a->plen < b->plen ? -1 : 1)
            : a->asbr != b->asbr ? (a->asbr < b->asbr ? -1 : 1)
            : a->forwarding != b->forwarding
            ? (a->forwarding < b->forwarding ? -1 : 1)
            : a->lsid < b->lsid ? -1 : a->lsid > b->lsid);
}

/* By prefix, then by whom. */
static void
sort_raw(struct raw_candidate *v, size_t n)
{
    struct sort_item *items = xmalloc((n + 1) * sizeof *items);
    struct raw_candidate *copy = xmemdup(v, n * sizeof *v);

    for (size_t i = 0; i < n; i++) {
        items[i].key = sort_key_prefix(v[i].prefix, v[i].plen);
        items[i].index = i;
    }
    sort_items(items, n, SORT_PREFIX_BITS);
    for (size_t i = 0, first = 0; i < n; i++) {
        v[i] = copy[items[i].index];
        if (i + 1 == n || items[i + 1].key != items[i].key) {
            if (i > first) {
                qsort(&v[first], i + 1 - first, sizeof *v, compare_raw);
            }
            first = i + 1;
        }
    }
    free(copy);
    free(items);
}

static struct raw_candidate *
collect_raw(const struct lsdb *db, long long int now, size_t *np)
{
    struct raw_candidate *v = xmalloc((lsdb_count(db) + 1) * sizeof *v);
    const struct lsdb_entry *e;
    size_t n = 0;

    HMAP_FOR_EACH (e, hmap_node, &db->entries) {
        struct lsa_external x;
        lsa_external(e->lsa, &x);
        if (x.plen <= 32 && x.metric < LSA_INFINITY
            && !lsa_is_max_age(e->lsa, now)) {
            v[n++] = (struct raw_candidate) {
                x.prefix, lsa_adv(e->lsa), x.forwarding, lsa_id(e->lsa),
                x.metric, x.tag, x.plen, x.e2
            };
        }
    }
    sort_raw(v, n);
    *np = n;
    return v;
}

static int
compare_borders(const void *a_, const void *b_)
{
    const struct ospf_border *a = a_, *b = b_;

    return (a->asbr != b->asbr ? (a->asbr < b->asbr ? -1 : 1)
            : a->forwarding < b->forwarding ? -1
            : a->forwarding > b->forwarding);
}

static struct ospf_border *
find_border(const struct rib_externals *x, uint32_t asbr, uint32_t forwarding)
{
    struct ospf_border key = { .asbr = asbr, .forwarding = forwarding };

    return bsearch(&key, x->borders, x->n_borders, sizeof key,
                   compare_borders);
}

static void
collect_borders(struct rib_externals *x, const struct raw_candidate *raw,
                size_t n)
{
    size_t allocated = 0;

    /* Neighbours in 'raw' differ more often than not; so sort what is seen
     * and drop repetitions whenever the array is full. */
    for (size_t i = 0; i <= n; i++) {
        if (i == n || x->n_borders >= allocated) {
            if (x->n_borders) {
                qsort(x->borders, x->n_borders, sizeof *x->borders,
                      compare_borders);
            }
            size_t m = 0;
            for (size_t j = 0; j < x->n_borders; j++) {
                if (!m || compare_borders(&x->borders[m - 1],
                                          &x->borders[j])) {
                    x->borders[m++] = x->borders[j];
                }
            }
            x->n_borders = m;
            if (i < n && m * 2 >= allocated) {
                allocated = MAX(64, allocated * 2);
                x->borders = xrealloc(x->borders,
                                      allocated * sizeof *x->borders);
            }
        }
        if (i < n) {
            x->borders[x->n_borders++] = (struct ospf_border) {
                .asbr = raw[i].asbr, .forwarding = raw[i].forwarding };
        }
    }
}

struct rib_externals *
rib_externals_build(const struct lsdb *db, long long int now)
{
    struct rib_externals *x = xzalloc(sizeof *x);
    size_t n;
    struct raw_candidate *raw = collect_raw(db, now, &n);

    collect_borders(x, raw, n);
    x->prefixes = xmalloc((n + 1) * sizeof *x->prefixes);
    x->candidates = xmalloc((n + 1) * sizeof *x->candidates);
    for (size_t i = 0; i < n; i++) {
        const struct raw_candidate *r = &raw[i];
        struct ospf_external_prefix *p
            = x->n_prefixes ? &x->prefixes[x->n_prefixes - 1] : NULL;
        if (!p || p->prefix != r->prefix || p->plen != r->plen) {
            p = &x->prefixes[x->n_prefixes++];
            *p = (struct ospf_external_prefix) { r->prefix, r->plen,
                                                 x->n_candidates, 0 };
        }
        p->n++;
        x->candidates[x->n_candidates++] = (struct ospf_candidate) {
            .border = find_border(x, r->asbr, r->forwarding) - x->borders,
            .metric = r->metric, .tag = r->tag, .e2 = r->e2,
        };
    }
    free(raw);
    return x;
}

void
rib_externals_destroy(struct rib_externals *x)
{
    if (x) {
        free(x->borders);
        free(x->prefixes);
        free(x->candidates);
        free(x);
    }
}

/* Putting it together. */

struct ospf_rib *
rib_build(const struct spf_graph *g, uint32_t root,
          const struct rib_externals *x, bool with_candidates)
{
    struct ospf_rib *rib = xzalloc(sizeof *rib);
    uint32_t v = spf_graph_router(g, root);
    struct nhsets sets;

    nhsets_init(&sets);
    rib->root = root;
    rib->n_borders = x->n_borders;
    rib->borders = xmemdup(x->borders, x->n_borders * sizeof *x->borders);
    if (with_candidates) {
        rib->externals = xmemdup(x->prefixes,
                                 x->n_prefixes * sizeof *x->prefixes);
        rib->n_externals = x->n_prefixes;
        rib->candidates = xmemdup(x->candidates,
                                  x->n_candidates * sizeof *x->candidates);
        rib->n_candidates = x->n_candidates;
    }
    if (v != SPF_NONE) {
        struct spf_tree *t = spf_run(g, v, &sets);
        add_routes(rib, g, t, &sets);
        add_routers(rib, g, t);
        resolve_borders(rib, g, t, &sets);
        spf_tree_destroy(t);
    }

    rib->nhsets = sets.sets;
    rib->n_nhsets = sets.n_sets;
    rib->nexthops = sets.nexthops;
    rib->n_nexthops = sets.n_nexthops;
    sets.sets = NULL;
    sets.nexthops = NULL;
    nhsets_destroy(&sets);
    return rib;
}

/* Text. */

#define QUAD "%d.%d.%d.%d"
#define QUAD_ARGS(A) (int) ((A) >> 24), (int) ((A) >> 16 & 0xff),       \
                     (int) ((A) >> 8 & 0xff), (int) ((A) & 0xff)

static void
format_nexthops(struct ds *ds, const struct ospf_rib *rib, uint32_t set)
{
    const struct ospf_nhset *s = &rib->nhsets[set];

    for (uint32_t i = 0; i < s->n; i++) {
        const struct ospf_nexthop *nh = &rib->nexthops[s->first + i];
        if (nh->addr) {
            ds_put_format(ds, " via "QUAD, QUAD_ARGS(nh->addr));
        } else {
            ds_put_cstr(ds, nh->local ? " on-link" : " inside");
        }
        if (nh->local) {
            ds_put_format(ds, " from "QUAD, QUAD_ARGS(nh->local));
        }
        if (nh->exit_router != rib->root) {
            ds_put_format(ds, " of "QUAD, QUAD_ARGS(nh->exit_router));
        }
    }
    ds_put_char(ds, '\n');
}

static void
format_external(struct ds *ds, const struct ospf_rib *rib,
                const struct ospf_external_prefix *p)
{
    const struct ospf_candidate *best = NULL;

    for (uint32_t i = 0; i < p->n; i++) {
        const struct ospf_candidate *c = &rib->candidates[p->first + i];
        if (rib->borders[c->border].reachable
            && (!best || ospf_external_compare(rib, c, best) < 0)) {
            best = c;
        }
    }
    if (!best) {
        ds_put_format(ds, QUAD"/%d unreachable\n", QUAD_ARGS(p->prefix),
                      p->plen);
        return;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        const struct ospf_candidate *c = &rib->candidates[p->first + i];
        const struct ospf_border *b = &rib->borders[c->border];
        if (b->reachable && !ospf_external_compare(rib, c, best)) {
            ds_put_format(ds, QUAD"/%d %s cost %"PRIu32" distance %"PRIu32
                          " by "QUAD, QUAD_ARGS(p->prefix), p->plen,
                          c->e2 ? "E2" : "E1", ospf_external_cost(rib, c),
                          b->distance, QUAD_ARGS(b->asbr));
            format_nexthops(ds, rib, b->nhset);
        }
    }
}

void
ospf_rib_format(struct ds *ds, const struct ospf_rib *rib)
{
    for (size_t i = 0; i < rib->n_routes; i++) {
        const struct ospf_route *r = &rib->routes[i];
        ds_put_format(ds, QUAD"/%d intra cost %"PRIu32, QUAD_ARGS(r->prefix),
                      r->plen, r->cost);
        format_nexthops(ds, rib, r->nhset);
    }
    for (size_t i = 0; i < rib->n_routers; i++) {
        const struct ospf_router *r = &rib->routers[i];
        ds_put_format(ds, "router "QUAD" cost %"PRIu32"%s",
                      QUAD_ARGS(r->router_id), r->cost,
                      r->flags & ROUTER_FLAG_E ? " as-boundary" : "");
        format_nexthops(ds, rib, r->nhset);
    }
    for (size_t i = 0; i < rib->n_externals; i++) {
        format_external(ds, rib, &rib->externals[i]);
    }
}
