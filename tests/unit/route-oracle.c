/* SPDX-License-Identifier: Apache-2.0 */

/* See route-oracle.h. */

#include <config.h>
#include "tests/unit/route-oracle.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

static bool
is_alive(const struct world *w, int att, int host)
{
    return w->states[att][host] == ROUTE_WHY_ALIVE;
}

static uint64_t
living(const struct world *w, uint64_t ways)
{
    uint64_t result = 0;

    for (int bit = 0; bit < 64; bit++) {
        if (ways & UINT64_C(1) << bit && is_alive(w, bit / 4, bit % 4)) {
            result |= UINT64_C(1) << bit;
        }
    }
    return result;
}

static uint32_t
clamp(uint64_t cost)
{
    return MIN(cost, ROUTE_COST_MAX);
}

/* Which host a stated next hop is. */
static int
via_host(const struct world *w, const struct w_dest *d, int att)
{
    return w->atts[att].type == W_P2P ? 2 : d->vias[att].host;
}

static bool
has_via(const struct world *w, const struct w_dest *d, int att)
{
    return (d->vias[att].present && w_att_exists(w, att)
            && att % W_ROUTERS == d->router);
}

/* The destination that 'router' states for 'prefix', or NULL. */
static const struct w_dest *
find_dest(const struct world *w, int router, int prefix)
{
    for (int i = 0; i < W_DESTS; i++) {
        const struct w_dest *d = &w->dests[i];

        if (d->present && d->router == router && d->prefix == prefix
            && w->routers[router].present) {
            for (int a = 0; a < W_ATTS; a++) {
                if (has_via(w, d, a)) {
                    return d;
                }
            }
            return NULL;
        }
    }
    return NULL;
}

/* Own things. */

struct own {
    struct prefix prefix;
    enum route_kind kind;
    char what[64];
    uint32_t cost;
    bool in_view, space;
    uint64_t way;
};

static void
own_put(struct own *list, size_t *n, const struct own *new)
{
    for (size_t i = 0; i < *n; i++) {
        if (prefix_equal(&list[i].prefix, &new->prefix)) {
            if (new->cost < list[i].cost) {
                list[i] = *new;
            }
            return;
        }
    }
    list[(*n)++] = *new;
}

static void
own_of_router(const struct world *w, int r, enum route_view view, int owner,
              uint32_t distance, struct own *list, size_t *n)
{
    int subnet = MIN(owner, 2);
    int node = owner == 3 && w->routers[2].present ? 2 : owner;
    bool local = r == owner;
    struct own own;

    memset(&own, 0, sizeof own);
    own.space = own.in_view = true;
    own.kind = local ? ROUTE_SUBNET : ROUTE_SIBLING;
    own.cost = local ? 0 : distance + 1 + owner;
    own.prefix = prefix_from_ip4(htonl(0x0a000000u + (subnet << 8)), 24);
    snprintf(own.what, sizeof own.what, local ? "s%d" : "r%d",
             local ? subnet : owner);
    own_put(list, n, &own);
    if (w->routers[node].wide_node) {
        struct in6_addr addr = addr_from_ip4(htonl(0xc6336464u + node));

        own.prefix = prefix_host(&addr);
        if (local) {
            snprintf(own.what, sizeof own.what, "s%d n%d", subnet, node);
        }
        own_put(list, n, &own);
    }
    own.in_view = (view == ROUTE_FROM_SUBNETS
                   || (w->routers[r].transit && w->routers[owner].transit));
    for (int a = owner; a < W_ATTS; a += W_ROUTERS) {
        if (w_att_exists(w, a)) {
            own.prefix = prefix_from_ip4(htonl(w_att_net(a)),
                                         w_att_plen(w, a));
            own.kind = local ? ROUTE_ATTACHMENT : ROUTE_SIBLING;
            own.cost = local ? 1 : distance + w->atts[a].cost;
            snprintf(own.what, sizeof own.what, local ? "a%d" : "r%d",
                     local ? a : owner);
            own_put(list, n, &own);
        }
    }
}

static size_t
own_list(const struct world *w, const struct route_net *net, int r,
         enum route_view view, struct own *list)
{
    uint32_t d[W_ROUTERS][W_ROUTERS];
    size_t n = 0;

    w_links(w, d);
    for (int i = 0; i < W_ROUTERS; i++) {
        if (w->routers[i].present && d[r][i] < W_INF) {
            own_of_router(w, r, view, i, d[r][i], list, &n);
        }
    }
    for (int a = r; a < W_ATTS; a += W_ROUTERS) {
        for (int host = 2; host < 4 && w_att_exists(w, a); host++) {
            struct in6_addr addr = w_host(a, host);
            struct own own;
            bool p2p = w->atts[a].type == W_P2P;

            if ((p2p && (host != 2
                         || (w_att_plen(w, a) < 30
                             && w->states[a][2] == ROUTE_WHY_UNKNOWN)))
                || !route_net_way(net, w_att_index(w, a), &addr)) {
                continue;
            }
            memset(&own, 0, sizeof own);
            own.prefix = prefix_host(&addr);
            own.kind = ROUTE_PATHS;
            own.way = UINT64_C(1) << (a * 4 + host);
            own.in_view = view == ROUTE_FROM_SUBNETS || w->routers[r].transit;
            list[n++] = own;
        }
    }
    return n;
}

/* Section 16. */

struct path {
    int type;                   /* 0: intra, 1, 2: external. */
    uint32_t cost, distance;
    uint64_t ways;              /* Learned. */
    int vertex;                 /* Learned: where to, or -1. */
    const struct w_area *area;
    const struct w_dest *dest;  /* Own LSA. */
    uint32_t dest_cost;         /* Its metric. */
};

static int
compare_paths(const struct path *a, const struct path *b)
{
    return (a->type != b->type ? (a->type < b->type ? -1 : 1)
            : a->cost != b->cost ? (a->cost < b->cost ? -1 : 1)
            : a->type == 2 && a->distance != b->distance
            ? (a->distance < b->distance ? -1 : 1) : 0);
}

static bool
is_sibling(const struct world *w, int r, int peer)
{
    uint32_t d[W_ROUTERS][W_ROUTERS];

    w_links(w, d);
    return peer >= W_PEERS && d[r][peer - W_PEERS] < W_INF;
}

static size_t
learned_paths(const struct w_area *a, int prefix, struct path *paths)
{
    size_t n = 0;
    uint32_t best = W_INF;

    for (int i = 0; i < W_STUBS; i++) {
        const struct w_stub *s = &a->w->stubs[i];
        uint32_t d = a->d[a->root][W_PEER(s->peer)];

        if (s->present && s->prefix == prefix && d < W_INF) {
            best = MIN(best, d + s->cost);
        }
    }
    for (int i = 0; i < W_STUBS; i++) {
        const struct w_stub *s = &a->w->stubs[i];
        uint32_t d = a->d[a->root][W_PEER(s->peer)];

        if (s->present && s->prefix == prefix && d < W_INF
            && d + s->cost == best) {
            paths[n++] = (struct path) {
                .cost = best,
                .ways = w_area_ways(a, W_PEER(s->peer), 0),
                .vertex = W_PEER(s->peer),
                .area = a,
            };
        }
    }
    for (int i = 0; i < W_EXTS; i++) {
        const struct w_ext *e = &a->w->exts[i];
        uint32_t asbr, d;
        int vertex;

        if (!w_ext_exists(a, e) || e->prefix != prefix
            || is_sibling(a->w, a->root, e->peer)) {
            continue;
        }
        vertex = (e->forwarding >= 0 ? W_NET(e->forwarding)
                  : w_ext_vertex(e, &asbr));
        d = a->d[a->root][vertex];
        if (d < W_INF) {
            paths[n++] = (struct path) {
                .type = e->e2 ? 2 : 1,
                .cost = clamp(e->e2 ? e->metric : (uint64_t) d + e->metric),
                .distance = d,
                .ways = w_area_ways(a, vertex, 2),
                .vertex = vertex,
                .area = a,
            };
        }
    }
    for (size_t i = 0; i < n; ) {
        if (paths[i].ways) {
            i++;
        } else {
            paths[i] = paths[--n];
        }
    }
    return n;
}

static size_t
own_lsas(const struct world *w, int r, int prefix, struct path *paths)
{
    uint32_t d[W_ROUTERS][W_ROUTERS];
    size_t n = 0;

    w_links(w, d);
    for (int i = 0; i < W_ROUTERS; i++) {
        const struct w_dest *dest = find_dest(w, i, prefix);
        uint32_t best = UINT32_MAX;

        if (!dest || d[r][i] >= W_INF || dest->advertise == TOPO_ADV_NO
            || !w->routers[i].transit) {
            continue;
        }
        for (int a = 0; a < W_ATTS; a++) {
            if (has_via(w, dest, a) && is_alive(w, a, via_host(w, dest, a))) {
                best = MIN(best, clamp((uint64_t) dest->vias[a].cost
                                       + w->atts[a].part));
            }
        }
        if (best != UINT32_MAX) {
            bool e2 = dest->advertise == TOPO_ADV_E2;

            paths[n++] = (struct path) {
                .type = e2 ? 2 : 1,
                .cost = clamp(e2 ? best : (uint64_t) best + d[r][i]),
                .distance = d[r][i],
                .dest = dest,
                .dest_cost = best,
                .vertex = -1,
            };
        }
    }
    return n;
}

/* The neighbours that satisfy inequality 1 for any of 'paths', all equally
 * good and learned in one instance, and are not among 'primary'. */
static uint64_t
find_alternates(const struct world *w, const struct path *paths, size_t n,
                uint64_t primary)
{
    uint64_t result = 0;

    for (size_t i = 0; i < n; i++) {
        const struct w_area *a = paths[i].area;
        int root = a->root, to = paths[i].vertex;

        for (int p = 0; p < W_PEERS; p++) {
            int att = w->peers[p].att;
            uint64_t bit = UINT64_C(1) << (att * 4 + w_peer_host(p));
            int v = W_PEER(p);
            bool ok = true;

            if (!w_peer_up(w, p) || !w_area_has(a, att) || primary & bit
                || a->wires[root][att % W_ROUTERS] >= W_INF
                || a->d[v][to] >= W_INF
                || a->d[v][to] >= a->d[v][root] + a->d[root][to]) {
                continue;
            }
            for (int b = 0; b < 64; b++) {
                int exit = b / 4 % W_ROUTERS;

                if (paths[i].ways & UINT64_C(1) << b
                    && a->d[v][to] >= a->d[v][exit] + a->d[exit][to]) {
                    ok = false;
                }
            }
            result |= ok ? bit : 0;
        }
    }
    return result;
}

/* Uses the best of 'paths', some of which may be own LSAs. */
static bool
use_paths(const struct world *w, const struct path *paths, size_t n,
          bool many_areas, struct o_result *result)
{
    struct path best[W_EXTS + W_STUBS + W_ROUTERS];
    size_t n_best = 0;
    uint64_t all = 0;

    for (size_t i = 0; i < n; i++) {
        int cmp = n_best ? compare_paths(&paths[i], &best[0]) : -1;

        if (cmp < 0) {
            n_best = 0;
        }
        if (cmp <= 0) {
            best[n_best++] = paths[i];
        }
    }
    if (!n_best) {
        return false;
    }
    result->kind = ROUTE_PATHS;
    for (size_t i = 0; i < n_best; i++) {
        const struct w_dest *d = best[i].dest;

        all |= best[i].ways;
        for (int a = 0; d && a < W_ATTS; a++) {
            if (has_via(w, d, a) && is_alive(w, a, via_host(w, d, a))
                && clamp((uint64_t) d->vias[a].cost
                         + w->atts[a].part) == best[i].dest_cost) {
                all |= UINT64_C(1) << (a * 4 + via_host(w, d, a));
            }
        }
    }
    result->ways = living(w, all);
    if (!result->ways) {
        result->alternate = true;
        result->alternates = (many_areas ? UINT64_MAX
                              : find_alternates(w, best, n_best, all));
    }
    return true;
}

/* Rules for one prefix. */

static bool
use_stated(const struct world *w, int r, int prefix, struct o_result *result)
{
    uint32_t d[W_ROUTERS][W_ROUTERS];
    uint64_t best = UINT64_MAX;

    w_links(w, d);
    for (int i = 0; i < W_ROUTERS; i++) {
        const struct w_dest *dest = find_dest(w, i, prefix);

        for (int a = 0; dest && d[r][i] < W_INF && a < W_ATTS; a++) {
            bool e2 = dest->advertise == TOPO_ADV_E2;
            uint64_t key, cost;

            if (!has_via(w, dest, a) || !is_alive(w, a, via_host(w, dest, a))) {
                continue;
            }
            cost = clamp((uint64_t) dest->vias[a].cost + w->atts[a].part);
            key = ((uint64_t) clamp(cost + (e2 ? 0 : d[r][i])) << 32
                   | (e2 ? d[r][i] : 0));
            if (key < best) {
                best = key;
                result->ways = 0;
            }
            if (key == best) {
                result->ways |= UINT64_C(1) << (a * 4 + via_host(w, dest, a));
            }
        }
    }
    result->kind = ROUTE_PATHS;
    return best != UINT64_MAX;
}

static bool
decide(const struct world *w, const struct o_areas *areas, int r,
       enum route_view view, int prefix, struct o_result *result)
{
    struct path paths[2 * (W_EXTS + W_STUBS) + W_ROUTERS];
    size_t n = 0, n_areas = 0;
    bool found;

    memset(result, 0, sizeof *result);
    if (view == ROUTE_FROM_SUBNETS && use_stated(w, r, prefix, result)) {
        return true;
    }
    if (w->routers[r].transit) {
        n += learned_paths(&areas->transit[r], prefix, paths);
        if (view == ROUTE_FROM_ATTACHMENTS) {
            n += own_lsas(w, r, prefix, &paths[n]);
        }
    } else if (view == ROUTE_FROM_SUBNETS) {
        for (int a = r; a < W_ATTS; a += W_ROUTERS) {
            if (w_att_exists(w, a) && w->atts[a].type != W_STATIC) {
                n += learned_paths(&areas->instances[a], prefix, &paths[n]);
                n_areas++;
            }
        }
    }
    found = use_paths(w, paths, n, n_areas > 1, result);
    return found;
}

void
o_areas_init(struct o_areas *areas, const struct world *w)
{
    for (int r = 0; r < W_ROUTERS; r++) {
        if (w->routers[r].present && w->routers[r].transit) {
            w_area_init(&areas->transit[r], w, r, -1);
        }
    }
    for (int a = 0; a < W_ATTS; a++) {
        if (w_att_exists(w, a) && !w->routers[a % W_ROUTERS].transit) {
            w_area_init(&areas->instances[a], w, a % W_ROUTERS, a);
        }
    }
}

void
o_lookup(const struct world *w, const struct o_areas *areas,
         const struct route_net *net, int r, enum route_view view,
         const struct in6_addr *addr, struct o_result *result)
{
    struct own own[64];
    size_t n = own_list(w, net, r, view, own);

    for (int plen = 128; plen >= 96; plen--) {
        struct prefix here = prefix_from_ip4(addr_get_ip4(addr), plen - 96);

        for (size_t i = 0; i < n; i++) {
            if (prefix_equal(&own[i].prefix, &here)) {
                if (!own[i].in_view) {
                    goto next;
                }
                memset(result, 0, sizeof *result);
                result->kind = own[i].kind;
                ovs_strlcpy(result->what, own[i].what, sizeof result->what);
                result->ways = living(w, own[i].way);
                return;
            }
        }
        for (int p = 0; p < W_PREFIXES; p++) {
            struct prefix prefix = w_prefix(p);
            bool refused;

            if (!prefix_equal(&prefix, &here)) {
                continue;
            }
            refused = prefix_is_martian(&prefix);
            for (size_t i = 0; i < n; i++) {
                refused = refused || (own[i].space
                                      && prefix_contains_prefix(&own[i].prefix,
                                                                &prefix));
            }
            if (!refused && decide(w, areas, r, view, p, result)) {
                return;
            }
        }
    next:;
    }
    memset(result, 0, sizeof *result);
    result->kind = ROUTE_NO_ENTRY;
}

void
o_adverts(const struct world *w, int r, struct ds *ds)
{
    struct own own[64];
    size_t n_own = 0;
    uint32_t d[W_ROUTERS][W_ROUTERS];
    struct prefix sorted[W_PREFIXES];

    w_links(w, d);
    for (int i = 0; i < W_ROUTERS; i++) {
        if (w->routers[i].present && d[r][i] < W_INF) {
            own_of_router(w, r, ROUTE_FROM_SUBNETS, i, d[r][i], own, &n_own);
        }
    }
    for (int p = 0; p < W_PREFIXES; p++) {
        sorted[p] = w_prefix(p);
    }
    for (int round = 0; round < W_PREFIXES; round++) {
        int p = -1;
        struct path path;
        uint64_t best = 0;
        bool refused;

        for (int i = 0; i < W_PREFIXES; i++) {
            if (sorted[i].plen != 255
                && (p < 0 || prefix_compare(&sorted[i], &sorted[p]) < 0)) {
                p = i;
            }
        }
        refused = prefix_is_martian(&sorted[p]);
        for (size_t i = 0; i < n_own; i++) {
            refused = refused || prefix_contains_prefix(&own[i].prefix,
                                                        &sorted[p]);
        }
        if (!refused && w->routers[r].transit) {
            struct path paths[W_ROUTERS];
            size_t n = own_lsas(w, r, p, paths);

            for (size_t i = 0; i < n; i++) {
                path = paths[i];
                if (path.dest->router != r) {
                    continue;
                }
                for (int a = 0; a < W_ATTS; a++) {
                    if (has_via(w, path.dest, a)
                        && is_alive(w, a, via_host(w, path.dest, a))
                        && clamp((uint64_t) path.dest->vias[a].cost
                                 + w->atts[a].part) == path.dest_cost) {
                        best |= UINT64_C(1) << (a * 4
                                                + via_host(w, path.dest, a));
                    }
                }
                prefix_format(&sorted[p], ds);
                ds_put_format(ds, ": E%d %"PRIu32, path.type, path.dest_cost);
                if (!(best & (best - 1))) {
                    int bit = __builtin_ctzll(best);

                    if (w->atts[bit / 4].type != W_STATIC) {
                        struct in6_addr fwd = w_host(bit / 4, bit % 4);

                        ds_put_cstr(ds, " forwarding ");
                        addr_format(&fwd, ds);
                    }
                }
                ds_put_char(ds, '\n');
            }
        }
        sorted[p].plen = 255;
    }
}
