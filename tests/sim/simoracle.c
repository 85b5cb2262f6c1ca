/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/sim/simoracle.h"

#include <string.h>

#include "packets.h"
#include "tests/sim/simworld.h"
#include "util.h"

#define FAR 0x3fffffffu
#define MAX_VERTICES (PLAN_MAX_ROUTERS + PLAN_MAX_PEERS)

/* Distances between the routers of one customer: ours first, then theirs. */
struct graph {
    const struct plan_customer *c;
    int n;
    uint32_t all[MAX_VERTICES][MAX_VERTICES];    /* Over everything. */
    uint32_t family[MAX_VERTICES][MAX_VERTICES]; /* Over our links alone. */
    bool alive[PLAN_MAX_ATTS];
};

static int
vertex_of_peer(const struct plan_customer *c, int peer)
{
    return c->n_routers + peer;
}

static void
add_edge(uint32_t d[MAX_VERTICES][MAX_VERTICES], int from, int to,
         uint32_t cost)
{
    d[from][to] = MIN(d[from][to], cost);
}

static void
floyd_warshall(uint32_t d[MAX_VERTICES][MAX_VERTICES], int n)
{
    for (int k = 0; k < n; k++) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                d[i][j] = MIN(d[i][j], d[i][k] + d[k][j]);
            }
        }
    }
}

static void
graph_init(struct graph *g, const struct world *w, int customer)
{
    const struct plan_customer *c = &w->plan.customers[customer];

    g->c = c;
    g->n = c->n_routers + c->n_peers;
    for (int i = 0; i < MAX_VERTICES; i++) {
        for (int j = 0; j < MAX_VERTICES; j++) {
            g->all[i][j] = g->family[i][j] = i == j ? 0 : FAR;
        }
    }
    for (int i = 0; i < c->n_links; i++) {
        const struct plan_link *l = &c->links[i];

        add_edge(g->family, l->a, l->b, l->cost_ab);
        add_edge(g->family, l->b, l->a, l->cost_ba);
    }
    memcpy(g->all, g->family, sizeof g->all);
    for (int i = 0; i < c->n_atts; i++) {
        const struct plan_att *att = &c->atts[i];
        int peer = vertex_of_peer(c, att->peer);

        g->alive[i] = world_wire_works(w, customer, i);
        if (g->alive[i]) {
            add_edge(g->all, att->router, peer, att->cost);
            add_edge(g->all, peer, att->router,
                     c->peers[att->peer].ifaces[att->peer_iface].cost);
        }
    }
    for (int i = 0; i < c->n_peers; i++) {
        for (int j = 0; j < c->peers[i].n_ifaces; j++) {
            const struct plan_iface *pi = &c->peers[i].ifaces[j];

            if (pi->att < 0 && pi->up && c->peers[i].up
                && c->peers[pi->peer].up) {
                add_edge(g->all, vertex_of_peer(c, i),
                         vertex_of_peer(c, pi->peer), pi->cost);
            }
        }
    }
    floyd_warshall(g->family, g->n);
    floyd_warshall(g->all, g->n);
}

/* The cheapest living stated ways from 'router' to a prefix, as bits: by total,
 * for what is advertised as type 2 by distance on ties. */
static uint32_t
stated_exits(const struct graph *g, const struct world *w, int customer,
             int router, int prefix)
{
    const struct plan_destination *d = &g->c->destinations[prefix];
    uint64_t best = UINT64_MAX;
    uint32_t exits = 0;

    for (int i = 0; d->wanted && i < g->c->n_atts; i++) {
        const struct plan_att *att = &g->c->atts[i];

        if (d->vias[i].wanted && g->alive[i]) {
            uint64_t cost = (d->vias[i].cost
                             + (att->policy
                                ? 10 * w->plan.delay_ms[customer][i] : 0));
            uint32_t distance = g->family[router][att->router];
            uint64_t rank = (d->advertise == 2 ? cost << 32 | distance
                             : cost + distance);

            if (rank < best) {
                best = rank;
                exits = 0;
            }
            exits |= rank == best ? 1u << i : 0;
        }
    }
    return exits;
}

/* Attachments by which 'router' leaves for 'peer' on a shortest path. */
static uint32_t
exits_to_peer(const struct graph *g, int router, int peer)
{
    int to = vertex_of_peer(g->c, peer);
    uint32_t exits = 0;

    for (int i = 0; i < g->c->n_atts; i++) {
        const struct plan_att *att = &g->c->atts[i];

        if (g->alive[i] && g->all[router][to] < FAR
            && (g->family[router][att->router] + att->cost
                + g->all[vertex_of_peer(g->c, att->peer)][to]
                == g->all[router][to])) {
            exits |= 1u << i;
        }
    }
    return exits;
}

/* RFC 2328 section 16.4 among what the peers redistribute: type 1 before type
 * 2, type 1 by distance and metric, type 2 by metric, then distance. */
static uint32_t
learned_exits(const struct graph *g, int router, int prefix)
{
    uint64_t best = UINT64_MAX;
    uint32_t exits = 0;

    for (int i = 0; i < g->c->n_peers; i++) {
        const struct plan_external *x = &g->c->peers[i].externals[prefix];
        uint32_t distance = g->all[router][vertex_of_peer(g->c, i)];
        uint64_t rank;

        if (!x->present || !g->c->peers[i].up || distance >= FAR) {
            continue;
        }
        rank = (x->e2 ? (UINT64_C(1) << 62) | ((uint64_t) x->metric << 30)
                | distance : x->metric + distance);
        if (rank < best) {
            best = rank;
            exits = 0;
        }
        if (rank == best) {
            exits |= exits_to_peer(g, router, i);
        }
    }
    return exits;
}

static bool
judge_prefix(const struct world *w, int customer, int router, int prefix,
             const struct probe *p, struct ds *why)
{
    struct graph g;
    uint32_t exits;
    bool stated, has_it = true;

    graph_init(&g, w, customer);
    exits = stated_exits(&g, w, customer, router, prefix);
    stated = exits != 0;
    if (!stated) {
        exits = learned_exits(&g, router, prefix);
    }
    if (!exits) {
        if (p->first_exit >= 0) {
            ds_put_format(why, "oracle: no way to prefix %d from r%d, but "
                          "left by t%d", prefix, router, p->first_exit);
            return false;
        }
        return true;
    }
    if (p->first_exit < 0 || !(exits & (1u << p->first_exit))) {
        ds_put_format(why, "oracle: %s exits from r%d to prefix %d are %#x, "
                      "took %d", stated ? "stated" : "learned", router,
                      prefix, exits, p->first_exit);
        return false;
    }
    for (int i = 0; stated && i < g.c->n_atts; i++) {
        has_it &= (!(exits & (1u << i))
                   || g.c->peers[g.c->atts[i].peer].externals[prefix].present);
    }
    if (has_it && p->verdict != PROBE_PREFIX) {
        ds_put_format(why, "oracle: should arrive at prefix %d", prefix);
        return false;
    }
    return true;
}

static bool
judge_node(const struct world *w, int customer, uint32_t dst,
           const struct probe *p, struct ds *why)
{
    const struct plan_customer *c = &w->plan.customers[customer];
    int expected = -1;

    for (int i = 0; i < c->n_nodes; i++) {
        if (c->nodes[i].wanted && w->customers[customer].nodes[i].host >= 0
            && plan_node_address(i, c->nodes[i].subnet) == dst) {
            expected = i;
        }
    }
    if (expected < 0 ? p->verdict == PROBE_NODE
        : p->verdict != PROBE_NODE || p->node != expected) {
        ds_put_format(why, "oracle: should reach node %d", expected);
        return false;
    }
    return true;
}

bool
oracle_judge(struct world *w, int customer, int router, uint32_t dst,
             const struct probe *p, struct ds *why)
{
    const struct plan_customer *c = &w->plan.customers[customer];

    for (int i = 0; i < c->n_subnets; i++) {
        if (dst >> 8 == plan_subnet(i) >> 8) {
            return judge_node(w, customer, dst, p, why);
        }
    }
    for (int i = 0; i < c->n_prefixes; i++) {
        if (dst >> 8 == plan_prefix(i) >> 8) {
            return judge_prefix(w, customer, router, i, p, why);
        }
    }
    return true;
}
