/* SPDX-License-Identifier: Apache-2.0 */

/* See route-world.h. */

#include <config.h>
#include "tests/unit/route-world.h"

#include <stdlib.h>
#include <string.h>

#include "controller/ospf/rib.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Names. */

struct prefix
w_prefix(int i)
{
    static const struct {
        uint32_t addr;
        uint8_t plen;
    } prefixes[W_PREFIXES] = {
        { 0xcb007100, 24 },     /* 203.0.113.0/24, and around it. */
        { 0xcb007100, 25 },
        { 0xcb007140, 26 },
        { 0xcb007000, 20 },
        { 0, 0 },
        { 0xc6336400, 24 },     /* 198.51.100.0/24, and around it. */
        { 0xc6330000, 16 },
        { 0xc0000200, 24 },     /* 192.0.2.0/24, and in it. */
        { 0xc0000280, 25 },
        { 0x0a000180, 25 },     /* In a subnet. */
        { 0x0a000000, 8 },      /* Around subnets. */
        { 0x7f010000, 16 },     /* Martian. */
        { 0xcb00714d, 32 },
        { 0x0a000200, 24 },     /* A subnet. */
    };

    return prefix_from_ip4(htonl(prefixes[i].addr), prefixes[i].plen);
}

uint32_t
w_att_net(int att)
{
    return 0xac100000u + (att << 8); /* 172.16.ATT.0 */
}

uint8_t
w_att_plen(const struct world *w, int att)
{
    return w->atts[att].type == W_P2P ? (att & 4 ? 30 : 29) : 24;
}

/* The first peer of an attachment has host 2, the second 3. */
int
w_peer_host(int peer)
{
    return 2 + peer / W_ATTS;
}

uint32_t
w_peer_addr(const struct world *w, int peer)
{
    return w_att_net(w->peers[peer].att) + w_peer_host(peer);
}

bool
w_peer_up(const struct world *w, int peer)
{
    const struct w_peer *p = &w->peers[peer];

    return p->up && (peer < W_ATTS || w->atts[p->att].type != W_P2P);
}

uint32_t
w_peer_id(int peer)
{
    return 0xc0a80001u + peer;
}

uint32_t
w_router_id(int router)
{
    return 0x0a000001u + router;
}

struct in6_addr
w_host(int att, int host)
{
    return host ? addr_from_ip4(htonl(w_att_net(att) + host)) : in6addr_any;
}

bool
w_att_exists(const struct world *w, int att)
{
    return w->atts[att].present && w->routers[att % W_ROUTERS].present;
}

size_t
w_router_index(const struct world *w, int router)
{
    size_t index = 0;

    for (int i = 0; i < router; i++) {
        index += w->routers[i].present;
    }
    return w->routers[router].present ? index : SIZE_MAX;
}

size_t
w_att_index(const struct world *w, int att)
{
    size_t index = 0;

    for (int i = 0; i < att; i++) {
        index += w_att_exists(w, i);
    }
    return w_att_exists(w, att) ? index : SIZE_MAX;
}

/* Random start. */

static uint32_t
rnd(struct world *w, uint32_t n)
{
    return tw_random_range(&w->random, n);
}

void
w_init(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    tw_random_init(&w->random, seed);
    w->seqno = 1;
    for (int i = 0; i < W_ROUTERS; i++) {
        w->routers[i].present = rnd(w, 5) || !i;
        w->routers[i].transit = rnd(w, 4) != 0;
        w->routers[i].wide_node = rnd(w, 2);
        for (int j = i + 1; j < W_ROUTERS; j++) {
            w->links[i][j].present = rnd(w, 2);
            w->links[i][j].cost[0] = 1 + rnd(w, 4);
            w->links[i][j].cost[1] = 1 + rnd(w, 4);
        }
    }
    for (int i = 0; i < W_ATTS; i++) {
        w->atts[i].present = rnd(w, 6) != 0;
        w->atts[i].type = rnd(w, 3);
        w->atts[i].cost = 1 + rnd(w, 4);
        w->atts[i].part = rnd(w, 3) ? 0 : rnd(w, 4);
        for (int j = 0; j < 4; j++) {
            w->states[i][j] = rnd(w, 3) ? ROUTE_WHY_ALIVE : rnd(w, ROUTE_N_WHYS);
        }
    }
    for (int i = 0; i < W_PEERS; i++) {
        w->peers[i].att = i % W_ATTS;
        w->peers[i].up = rnd(w, 5) != 0;
        w->peers[i].cost = 1 + rnd(w, 4);
        for (int j = 0; j < W_PEERS; j++) {
            w->peers[i].links[j] = rnd(w, 4) ? W_INF : 1 + rnd(w, 5);
        }
    }
    for (int i = 0; i < W_DESTS; i++) {
        struct w_dest *d = &w->dests[i];

        d->present = rnd(w, 3) != 0;
        d->router = i % W_ROUTERS;
        d->prefix = rnd(w, W_PREFIXES);
        d->advertise = rnd(w, 3);
        for (int j = 0; j < W_ATTS; j++) {
            d->vias[j].present = rnd(w, 2);
            d->vias[j].host = rnd(w, 3) ? 2 : 3;
            d->vias[j].cost = (rnd(w, 30) ? 1 + rnd(w, 8)
                               : ROUTE_COST_MAX - rnd(w, 3));
        }
    }
    for (int i = 0; i < W_EXTS; i++) {
        w->exts[i].present = rnd(w, 3) != 0;
        w->exts[i].peer = rnd(w, 8) ? rnd(w, W_PEERS)
                          : W_PEERS + rnd(w, W_ROUTERS);
        w->exts[i].prefix = rnd(w, W_PREFIXES);
        w->exts[i].e2 = rnd(w, 2);
        w->exts[i].metric = 1 + rnd(w, 8);
        w->exts[i].forwarding = rnd(w, 4) ? -1 : (int) rnd(w, W_ATTS);
    }
    for (int i = 0; i < W_STUBS; i++) {
        w->stubs[i].present = rnd(w, 3) == 0;
        w->stubs[i].peer = rnd(w, W_PEERS);
        w->stubs[i].prefix = rnd(w, W_PREFIXES);
        w->stubs[i].cost = 1 + rnd(w, 5);
    }
}

/* Topology. */

static char *
name(const char *format, int i)
{
    return xasprintf("%s%d", format, i);
}

static void
add_destinations(const struct world *w, struct topo_network *t, int router)
{
    size_t index = w_router_index(w, router);

    for (int p = 0; p < W_PREFIXES; p++) {
        for (int i = 0; i < W_DESTS; i++) {
            const struct w_dest *d = &w->dests[i];
            struct topo_destination *td = &t->destinations[t->n_destinations];

            if (!d->present || d->router != router || d->prefix != p) {
                continue;
            }
            td->router = index;
            td->prefix = w_prefix(p);
            td->advertise = d->advertise;
            td->vias = xcalloc(W_ATTS, sizeof *td->vias);
            for (int a = 0; a < W_ATTS; a++) {
                if (d->vias[a].present && w_att_exists(w, a)
                    && a % W_ROUTERS == router) {
                    struct topo_via *via = &td->vias[td->n_vias++];
                    bool p2p = w->atts[a].type == W_P2P;

                    via->attachment = w_att_index(w, a);
                    via->next_hop = w_host(a, p2p ? 0 : d->vias[a].host);
                    via->cost = d->vias[a].cost;
                }
            }
            if (td->n_vias) {
                struct topo_router *tr = &t->routers[index];

                tr->destinations[tr->n_destinations++] = t->n_destinations++;
            } else {
                free(td->vias);
            }
            break;              /* One for each prefix. */
        }
    }
}

static void
add_router(const struct world *w, struct topo_network *t, int i)
{
    struct topo_router *tr = &t->routers[t->n_routers++];
    struct topo_interface *iface = &t->interfaces[t->n_interfaces];
    struct topo_subnet *subnet = &t->subnets[t->n_subnets];
    struct topo_node *node = &t->nodes[t->n_nodes];

    tr->name = name("r", i);
    tr->id = 100 + i;
    tr->router_id = w_router_id(i);
    tr->transit = w->routers[i].transit;
    tr->interfaces = xcalloc(2, sizeof(size_t));
    tr->attachments = xcalloc(W_ATTS, sizeof(size_t));
    tr->links = xcalloc(W_ROUTERS, sizeof(size_t));
    tr->destinations = xcalloc(W_DESTS, sizeof(size_t));

    /* Routers 2 and 3 share subnet 10.0.2.0/24 if both are there. */
    if (i == 3 && w->routers[2].present) {
        subnet = &t->subnets[t->n_subnets - 1];
    } else {
        subnet->name = name("s", MIN(i, 2));
        subnet->id = 200 + i;
        subnet->prefix = prefix_from_ip4(htonl(0x0a000000u
                                               + (MIN(i, 2) << 8)), 24);
        t->n_subnets++;
        node->name = name("n", i);
        node->id = 300 + i;
        node->subnet = subnet - t->subnets;
        node->address = addr_from_ip4(htonl(0x0a00000au + (i << 8)));
        node->addresses = xcalloc(1, sizeof *node->addresses);
        if (w->routers[i].wide_node) {
            struct in6_addr wide = addr_from_ip4(htonl(0xc6336464u + i));

            node->addresses[0] = prefix_host(&wide);
            node->n_addresses = 1;
        }
        t->n_nodes++;
    }
    iface->id = 400 + i;
    iface->router = t->n_routers - 1;
    iface->subnet = subnet - t->subnets;
    iface->cost = 1 + i;
    tr->interfaces[tr->n_interfaces++] = t->n_interfaces++;
}

static void
add_attachment(const struct world *w, struct topo_network *t, int i)
{
    struct topo_attachment *a = &t->attachments[t->n_attachments];
    size_t router = w_router_index(w, i % W_ROUTERS);
    struct topo_router *tr = &t->routers[router];

    a->name = name("a", i);
    a->id = 500 + i;
    a->router = router;
    a->point = name("p", i);
    a->host = name("h", i % 3);
    a->port = name("eth", i);
    a->address = addr_from_ip4(htonl(w_att_net(i) + 1));
    a->plen = 96 + w_att_plen(w, i);
    a->cost = w->atts[i].cost;
    a->has_ospf = w->atts[i].type != W_STATIC;
    a->ospf.type = w->atts[i].type == W_P2P ? TOPO_P2P : TOPO_BROADCAST;
    tr->attachments[tr->n_attachments++] = t->n_attachments++;
}

static void
add_link(const struct world *w, struct topo_network *t, int i, int j)
{
    struct topo_link *link = &t->links[t->n_links];

    link->name = xasprintf("l%d-%d", i, j);
    link->id = 600 + i * W_ROUTERS + j;
    link->router[0] = w_router_index(w, i);
    link->router[1] = w_router_index(w, j);
    link->cost[0] = w->links[i][j].cost[0];
    link->cost[1] = w->links[i][j].cost[1];
    for (int k = 0; k < 2; k++) {
        struct topo_router *tr = &t->routers[link->router[k]];

        tr->links[tr->n_links++] = t->n_links;
    }
    t->n_links++;
}

static bool
link_exists(const struct world *w, int i, int j)
{
    return (w->links[i][j].present && w->routers[i].present
            && w->routers[j].present);
}

struct topo_network *
w_topology(const struct world *w)
{
    struct topo_network *t = xzalloc(sizeof *t);

    t->customer = xstrdup("acme");
    t->name = xstrdup("prod");
    t->ref_cnt = 1;
    t->id = 1;
    t->vni = 1;
    t->subnets = xcalloc(W_ROUTERS, sizeof *t->subnets);
    t->nodes = xcalloc(W_ROUTERS, sizeof *t->nodes);
    t->routers = xcalloc(W_ROUTERS, sizeof *t->routers);
    t->interfaces = xcalloc(W_ROUTERS, sizeof *t->interfaces);
    t->attachments = xcalloc(W_ATTS, sizeof *t->attachments);
    t->links = xcalloc(W_ROUTERS * W_ROUTERS, sizeof *t->links);
    t->destinations = xcalloc(W_DESTS + 1, sizeof *t->destinations);
    for (int i = 0; i < W_ROUTERS; i++) {
        if (w->routers[i].present) {
            add_router(w, t, i);
        }
    }
    for (int i = 0; i < W_ATTS; i++) {
        if (w_att_exists(w, i)) {
            add_attachment(w, t, i);
        }
    }
    for (int i = 0; i < W_ROUTERS; i++) {
        for (int j = i + 1; j < W_ROUTERS; j++) {
            if (link_exists(w, i, j)) {
                add_link(w, t, i, j);
            }
        }
    }
    for (int i = 0; i < W_ROUTERS; i++) {
        if (w->routers[i].present) {
            add_destinations(w, t, i);
        }
    }
    return t;
}

/* Distances. */

static void
floyd_warshall(uint32_t *d, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < n; j++) {
                d[i * n + j] = MIN(d[i * n + j],
                                   MIN(d[i * n + k] + d[k * n + j], W_INF));
            }
        }
    }
}

static void
link_distances(const struct world *w, bool transit_only,
               uint32_t d[W_ROUTERS][W_ROUTERS])
{
    for (int i = 0; i < W_ROUTERS; i++) {
        for (int j = 0; j < W_ROUTERS; j++) {
            int low = MIN(i, j), high = MAX(i, j);

            d[i][j] = (i == j ? 0
                       : link_exists(w, low, high)
                       && (!transit_only || (w->routers[i].transit
                                             && w->routers[j].transit))
                       ? w->links[low][high].cost[i > j] : W_INF);
        }
    }
    floyd_warshall(&d[0][0], W_ROUTERS);
}

void
w_links(const struct world *w, uint32_t d[W_ROUTERS][W_ROUTERS])
{
    link_distances(w, false, d);
}

/* Whether the instance has attachment 'att' of some router. */
bool
w_area_has(const struct w_area *a, int att)
{
    int router = att % W_ROUTERS;

    return (w_att_exists(a->w, att) && a->w->atts[att].type != W_STATIC
            && (router == a->root && a->att >= 0 ? att == a->att
                : a->w->routers[router].transit));
}

void
w_area_init(struct w_area *a, const struct world *w, int root, int att)
{
    memset(a, 0, sizeof *a);
    a->w = w;
    a->root = root;
    a->att = att;
    for (int i = 0; i < W_VERTICES; i++) {
        for (int j = 0; j < W_VERTICES; j++) {
            a->edge[i][j] = i == j ? 0 : W_INF;
        }
    }
    for (int i = 0; i < W_ROUTERS; i++) {
        for (int j = i + 1; j < W_ROUTERS; j++) {
            if (link_exists(w, i, j) && w->routers[i].transit
                && w->routers[j].transit) {
                a->edge[i][j] = w->links[i][j].cost[0];
                a->edge[j][i] = w->links[i][j].cost[1];
            }
        }
    }
    for (int i = 0; i < W_PEERS; i++) {
        const struct w_peer *p = &w->peers[i];
        int router = p->att % W_ROUTERS;

        for (int j = 0; j < W_PEERS; j++) {
            if (i != j) {
                a->edge[W_PEER(i)][W_PEER(j)] = p->links[j];
            }
        }
        if (!w_peer_up(w, i) || !w_area_has(a, p->att)) {
            continue;
        }
        if (w->atts[p->att].type == W_P2P) {
            a->edge[router][W_PEER(i)] = w->atts[p->att].cost;
            a->edge[W_PEER(i)][router] = p->cost;
        } else {
            a->edge[router][W_NET(p->att)] = w->atts[p->att].cost;
            a->edge[W_NET(p->att)][router] = 0;
            a->edge[W_PEER(i)][W_NET(p->att)] = p->cost;
            a->edge[W_NET(p->att)][W_PEER(i)] = 0;
        }
    }
    memcpy(a->d, a->edge, sizeof a->d);
    floyd_warshall(&a->d[0][0], W_VERTICES);
    link_distances(w, true, a->wires);
}

static uint64_t
way_bit(int att, int host)
{
    return UINT64_C(1) << (att * 4 + host);
}

uint64_t
w_area_ways(const struct w_area *a, int to, int fwd)
{
    uint32_t total = a->d[a->root][to];
    uint64_t ways = 0;

    if (total >= W_INF) {
        return 0;
    }
    for (int i = 0; i < W_PEERS; i++) {
        const struct w_peer *p = &a->w->peers[i];
        int exit = p->att % W_ROUTERS;

        if (w_peer_up(a->w, i) && w_area_has(a, p->att) && a->wires[a->root][exit] < W_INF
            && (a->wires[a->root][exit] + a->w->atts[p->att].cost
                + a->d[W_PEER(i)][to]) == total) {
            ways |= way_bit(p->att, w_peer_host(i));
        }
    }
    for (int i = 0; i < W_ATTS; i++) {
        int exit = i % W_ROUTERS;

        if (to == W_NET(i) && w_area_has(a, i)
            && a->wires[a->root][exit] < W_INF
            && a->edge[exit][W_NET(i)] < W_INF
            && a->wires[a->root][exit] + a->edge[exit][W_NET(i)] == total) {
            ways |= way_bit(i, fwd);
        }
    }
    return ways;
}

/* Ribs. */

struct builder {
    const struct w_area *a;
    int from;                   /* Vertex. */
    struct ospf_rib *rib;
    uint64_t sets[64];
};

/* The set of next hops for 'ways'. */
static uint32_t
put_nhset(struct builder *b, uint64_t ways)
{
    struct ospf_rib *rib = b->rib;
    struct ospf_nhset *set;
    size_t i;

    for (i = 0; i < rib->n_nhsets; i++) {
        if (b->sets[i] == ways) {
            return i;
        }
    }
    ovs_assert(rib->n_nhsets < ARRAY_SIZE(b->sets));
    b->sets[i] = ways;
    set = &rib->nhsets[rib->n_nhsets++];
    set->first = rib->n_nexthops;
    for (int bit = 0; bit < 64; bit++) {
        if (ways & UINT64_C(1) << bit) {
            struct ospf_nexthop *nh = &rib->nexthops[rib->n_nexthops++];

            nh->exit_router = w_router_id(bit / 4 % W_ROUTERS);
            nh->local = w_att_net(bit / 4) + 1;
            nh->addr = w_att_net(bit / 4) + bit % 4;
            set->n++;
        }
    }
    return i;
}

static uint32_t
ways_to(struct builder *b, int to, int fwd)
{
    return (b->from == b->a->root
            ? put_nhset(b, w_area_ways(b->a, to, fwd)) : 0);
}

static void
put_routers(struct builder *b)
{
    /* In order of router IDs: routers have lower ones than peers. */
    for (int v = 0; v < W_ROUTERS + W_PEERS; v++) {
        uint32_t d = b->a->d[b->from][v];

        if (d < W_INF) {
            b->rib->routers[b->rib->n_routers++] = (struct ospf_router) {
                .router_id = (v < W_ROUTERS ? w_router_id(v)
                              : w_peer_id(v - W_ROUTERS)),
                .cost = d,
                .nhset = ways_to(b, v, 0),
            };
        }
    }
}

static int
compare_routes(const void *a_, const void *b_)
{
    const struct ospf_route *a = a_;
    const struct ospf_route *b = b_;

    return (a->prefix != b->prefix ? (a->prefix < b->prefix ? -1 : 1)
            : a->plen < b->plen ? -1 : a->plen > b->plen);
}

static void
put_routes(struct builder *b)
{
    const struct world *w = b->a->w;
    uint32_t links[W_ROUTERS][W_ROUTERS];

    for (int p = 0; p < W_PREFIXES; p++) {
        struct prefix prefix = w_prefix(p);
        uint32_t best = W_INF, origin = 0;
        uint64_t ways = 0;

        for (int i = 0; i < W_STUBS; i++) {
            const struct w_stub *s = &w->stubs[i];
            uint32_t d = b->a->d[b->from][W_PEER(s->peer)];

            if (!s->present || s->prefix != p || d >= W_INF
                || d + s->cost > best) {
                continue;
            }
            if (d + s->cost < best) {
                ways = 0;
                origin = UINT32_MAX;
            }
            best = d + s->cost;
            origin = MIN(origin, w_peer_id(s->peer));
            ways |= (b->from == b->a->root
                     ? w_area_ways(b->a, W_PEER(s->peer), 0) : 0);
        }
        if (best < W_INF) {
            b->rib->routes[b->rib->n_routes++] = (struct ospf_route) {
                .prefix = ntohl(prefix_get_ip4(&prefix)),
                .plen = prefix_length(&prefix),
                .cost = best,
                .origin = origin,
                .nhset = put_nhset(b, ways),
            };
        }
    }
    w_links(w, links);
    for (int i = 0; i < W_ATTS; i++) {
        /* Our own networks, not to be taken from here. */
        if (w_area_has(b->a, i) && links[b->a->root][i % W_ROUTERS] < W_INF
            && b->a->d[b->from][W_NET(i)] < W_INF) {
            b->rib->routes[b->rib->n_routes++] = (struct ospf_route) {
                .prefix = w_att_net(i),
                .plen = w_att_plen(w, i),
                .direct = b->from == i % W_ROUTERS,
                .cost = b->a->d[b->from][W_NET(i)],
                .origin = w_att_net(i) + 1,
                .nhset = ways_to(b, W_NET(i), 0),
            };
        }
    }
    qsort(b->rib->routes, b->rib->n_routes, sizeof *b->rib->routes,
          compare_routes);
}

/* The vertex and ID of an LSA's originator. */
int
w_ext_vertex(const struct w_ext *e, uint32_t *id)
{
    int router = e->peer - W_PEERS;

    *id = router >= 0 ? w_router_id(router) : w_peer_id(e->peer);
    return router >= 0 ? router : W_PEER(e->peer);
}

bool
w_ext_exists(const struct w_area *a, const struct w_ext *e)
{
    int router = e->peer - W_PEERS;

    return (e->present && (router < 0 || a->w->routers[router].present)
            && (e->forwarding < 0
                || a->w->atts[e->forwarding].type == W_LAN));
}

static uint32_t
put_border(struct builder *b, const struct w_ext *e)
{
    struct ospf_rib *rib = b->rib;
    uint32_t asbr, fwd = 0;
    int vertex = w_ext_vertex(e, &asbr);
    struct ospf_border *border;

    if (e->forwarding >= 0) {
        fwd = w_att_net(e->forwarding) + 2;
        vertex = W_NET(e->forwarding);
    }
    for (size_t i = 0; i < rib->n_borders; i++) {
        if (rib->borders[i].asbr == asbr && rib->borders[i].forwarding == fwd) {
            return i;
        }
    }
    border = &rib->borders[rib->n_borders++];
    border->asbr = asbr;
    border->forwarding = fwd;
    border->reachable = b->a->d[b->from][vertex] < W_INF;
    if (border->reachable) {
        border->distance = b->a->d[b->from][vertex];
        border->nhset = ways_to(b, vertex, 2);
    }
    return rib->n_borders - 1;
}

static int
compare_externals(const void *a_, const void *b_)
{
    const struct ospf_external_prefix *a = a_;
    const struct ospf_external_prefix *b = b_;

    return (a->prefix != b->prefix ? (a->prefix < b->prefix ? -1 : 1)
            : a->plen < b->plen ? -1 : a->plen > b->plen);
}

static void
put_externals(struct builder *b)
{
    struct ospf_rib *rib = b->rib;

    for (int p = 0; p < W_PREFIXES; p++) {
        struct prefix prefix = w_prefix(p);
        struct ospf_external_prefix ext = {
            .prefix = ntohl(prefix_get_ip4(&prefix)),
            .plen = prefix_length(&prefix),
            .first = rib->n_candidates,
        };

        for (int i = 0; i < W_EXTS; i++) {
            const struct w_ext *e = &b->a->w->exts[i];

            if (w_ext_exists(b->a, e) && e->prefix == p) {
                rib->candidates[rib->n_candidates++]
                    = (struct ospf_candidate) {
                        .border = put_border(b, e),
                        .metric = e->metric,
                        .e2 = e->e2,
                    };
            }
        }
        ext.n = rib->n_candidates - ext.first;
        if (ext.n) {
            rib->externals[rib->n_externals++] = ext;
        }
    }
    qsort(rib->externals, rib->n_externals, sizeof *rib->externals,
          compare_externals);
}

struct ospf_rib *
w_rib(const struct w_area *a, int peer)
{
    struct ospf_rib *rib = xzalloc(sizeof *rib);
    struct builder b = {
        .a = a, .from = peer < 0 ? a->root : W_PEER(peer), .rib = rib,
    };

    rib->seqno = a->w->seqno;
    rib->externals_seqno = a->w->seqno;
    rib->root = peer < 0 ? w_router_id(a->root) : w_peer_id(peer);
    rib->routes = xcalloc(W_PREFIXES + W_ATTS, sizeof *rib->routes);
    rib->routers = xcalloc(W_ROUTERS + W_PEERS, sizeof *rib->routers);
    rib->borders = xcalloc(W_EXTS, sizeof *rib->borders);
    rib->externals = xcalloc(W_PREFIXES, sizeof *rib->externals);
    rib->candidates = xcalloc(W_EXTS, sizeof *rib->candidates);
    rib->nhsets = xcalloc(64, sizeof *rib->nhsets);
    rib->nexthops = xcalloc(64 * 16, sizeof *rib->nexthops);
    put_nhset(&b, 0);
    put_routers(&b);
    put_routes(&b);
    put_externals(&b);
    return rib;
}

void
w_rib_free(struct ospf_rib *rib)
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

/* Telling. */

static void
tell_instance(const struct world *w, struct route_net *net, int router,
              int att)
{
    struct route_neighbor neighbors[W_PEERS];
    struct ospf_rib *ribs[W_PEERS], *rib;
    size_t n = 0;
    struct w_area a;

    w_area_init(&a, w, router, att);
    rib = w_rib(&a, -1);
    for (int i = 0; i < W_PEERS; i++) {
        const struct w_peer *p = &w->peers[i];

        if (w_peer_up(w, i) && w_area_has(&a, p->att)
            && a.wires[router][p->att % W_ROUTERS] < W_INF) {
            ribs[n] = w_rib(&a, i);
            neighbors[n] = (struct route_neighbor) {
                .router_id = w_peer_id(i),
                .attachment = w_att_index(w, p->att),
                .addr = addr_from_ip4(htonl(w_peer_addr(w, i))),
                .rib = ribs[n],
            };
            n++;
        }
    }
    route_net_set_rib(net, w_router_index(w, router),
                      att < 0 ? ROUTE_NONE : w_att_index(w, att), rib,
                      neighbors, n);
    for (size_t i = 0; i < n; i++) {
        w_rib_free(ribs[i]);
    }
    w_rib_free(rib);
}

void
w_tell_rib(const struct world *w, struct route_net *net, int router)
{
    if (!w->routers[router].present) {
        return;
    }
    if (w->routers[router].transit) {
        tell_instance(w, net, router, -1);
        return;
    }
    for (int i = router; i < W_ATTS; i += W_ROUTERS) {
        if (!w_att_exists(w, i)) {
            continue;
        }
        if (w->atts[i].type != W_STATIC) {
            tell_instance(w, net, router, i);
        } else {
            route_net_set_rib(net, w_router_index(w, router),
                              w_att_index(w, i), NULL, NULL, 0);
        }
    }
}

void
w_tell_state(const struct world *w, struct route_net *net, int att, int host)
{
    struct way_state ws = {
        .next_hop = w_host(att, host),
        .addr = w_host(att, host),
        .why = w->states[att][host],
    };

    if (!w_att_exists(w, att) || (w->atts[att].type == W_P2P && host != 2)) {
        return;
    }
    ws.attachment = w_att_index(w, att);
    if (ws.why == ROUTE_WHY_UNKNOWN) {
        route_net_del_way(net, ws.attachment, &ws.next_hop);
    } else {
        route_net_set_way(net, &ws);
    }
}

void
w_tell_all(const struct world *w, struct route_net *net)
{
    for (int i = 0; i < W_ATTS; i++) {
        if (w_att_exists(w, i)) {
            route_net_set_metric(net, w_att_index(w, i), w->atts[i].part);
            for (int host = 2; host < 4; host++) {
                w_tell_state(w, net, i, host);
            }
        }
    }
    for (int i = 0; i < W_ROUTERS; i++) {
        w_tell_rib(w, net, i);
    }
}
