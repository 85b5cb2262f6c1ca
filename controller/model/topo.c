/* SPDX-License-Identifier: Apache-2.0 */

/* Lifetime, lookups and distances of topologies; topo-build.c makes them. */

#include <config.h>
#include "controller/model/topo.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

struct topo_network *
topo_network_ref(const struct topo_network *topo_)
{
    struct topo_network *topo = CONST_CAST(struct topo_network *, topo_);

    if (topo) {
        topo->ref_cnt++;
    }
    return topo;
}

static void
free_string(const char *s)
{
    free(CONST_CAST(char *, s));
}

void
topo_network_unref(struct topo_network *topo)
{
    if (!topo || --topo->ref_cnt) {
        return;
    }
    for (size_t i = 0; i < topo->n_subnets; i++) {
        free_string(topo->subnets[i].name);
    }
    for (size_t i = 0; i < topo->n_nodes; i++) {
        struct topo_node *node = &topo->nodes[i];

        free_string(node->name);
        free_string(node->iface_id);
        free_string(node->host);
        free_string(node->zone);
        free(node->addresses);
    }
    for (size_t i = 0; i < topo->n_routers; i++) {
        struct topo_router *router = &topo->routers[i];

        free_string(router->name);
        free(router->interfaces);
        free(router->attachments);
        free(router->links);
        free(router->destinations);
    }
    for (size_t i = 0; i < topo->n_attachments; i++) {
        struct topo_attachment *att = &topo->attachments[i];

        free_string(att->name);
        free_string(att->point);
        free_string(att->host);
        free_string(att->port);
        free_string(att->policy);
    }
    for (size_t i = 0; i < topo->n_links; i++) {
        free_string(topo->links[i].name);
    }
    for (size_t i = 0; i < topo->n_destinations; i++) {
        free(topo->destinations[i].vias);
    }
    free(topo->subnets);
    free(topo->nodes);
    free(topo->routers);
    free(topo->interfaces);
    free(topo->attachments);
    free(topo->links);
    free(topo->destinations);
    free_string(topo->customer);
    free_string(topo->name);
    free(topo);
}

struct eth_addr
topo_mac(enum topo_kind kind, uint32_t id)
{
    struct eth_addr mac = {
        .ea = { 0x0e, kind, id >> 24, id >> 16, id >> 8, id },
    };

    return mac;
}

/* Relaxes the links that leave 'u', which has its final distance. */
static void
relax_links(const struct topo_network *topo, size_t from, size_t u,
            uint32_t *dist, size_t *next)
{
    const struct topo_router *router = &topo->routers[u];

    for (size_t i = 0; i < router->n_links; i++) {
        const struct topo_link *link = &topo->links[router->links[i]];
        int end = link->router[0] == u ? 0 : 1;
        size_t v = link->router[!end];
        uint32_t d = dist[u] + link->cost[end];
        size_t first = u == from ? router->links[i] : next[u];

        if (d < dist[v]) {
            dist[v] = d;
            next[v] = first;
        } else if (d == dist[v] && v != from
                   && topo->links[first].id < topo->links[next[v]].id) {
            next[v] = first;
        }
    }
}

/* Dijkstra's algorithm with a linear search for the next router: a network has
 * at most a few hundred.  Costs are at least 1, so what is on a shortest path to
 * a router is final before the router itself is. */
void
topo_link_distances(const struct topo_network *topo, size_t from,
                    uint32_t *dist, size_t *next)
{
    bool *done = xcalloc(MAX(topo->n_routers, 1), sizeof *done);

    for (size_t i = 0; i < topo->n_routers; i++) {
        dist[i] = UINT32_MAX;
        next[i] = SIZE_MAX;
    }
    dist[from] = 0;
    for (;;) {
        size_t u = SIZE_MAX;

        for (size_t i = 0; i < topo->n_routers; i++) {
            if (!done[i] && dist[i] != UINT32_MAX
                && (u == SIZE_MAX || dist[i] < dist[u])) {
                u = i;
            }
        }
        if (u == SIZE_MAX) {
            break;
        }
        done[u] = true;
        relax_links(topo, from, u, dist, next);
    }
    free(done);
}

const struct topo_node *
topo_find_node(const struct topo_network *topo, const char *name)
{
    size_t low = 0, high = topo->n_nodes;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int cmp = strcmp(name, topo->nodes[mid].name);

        if (!cmp) {
            return &topo->nodes[mid];
        } else if (cmp < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

const struct topo_router *
topo_find_router(const struct topo_network *topo, const char *name)
{
    for (size_t i = 0; i < topo->n_routers; i++) {
        if (!strcmp(name, topo->routers[i].name)) {
            return &topo->routers[i];
        }
    }
    return NULL;
}
