/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/query-private.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

/* Routes. */

static void
put_way(struct json *o, const struct engine_net *net,
        const struct route_way *way)
{
    json_object_put_string(o, "attachment",
                           net->topo->attachments[way->attachment].name);
    if (ipv6_addr_is_set(&way->addr)) {
        query_put_addr(o, "next-hop", &way->addr);
    }
    query_put_bool(o, "alive", way->why == ROUTE_WHY_ALIVE);
    if (way->why != ROUTE_WHY_ALIVE) {
        json_object_put_string(o, "why", route_why_to_string(way->why));
    }
}

static void
put_paths(struct json *o, const struct engine_net *net,
          const struct route_path_set *ps)
{
    const struct route_tier *best = route_path_set_best(ps);
    struct json *ways = json_array_create_empty();

    for (size_t i = 0; i < ps->n_tiers; i++) {
        const struct route_tier *tier = &ps->tiers[i];

        for (size_t j = 0; j < tier->n_ways; j++) {
            struct json *w = json_object_create();

            put_way(w, net, tier->ways[j]);
            query_put_int(w, "cost", tier->total);
            json_object_put_string(w, "source",
                                   route_source_to_string(tier->source));
            query_put_bool(w, "chosen", tier == best
                     && tier->ways[j]->why == ROUTE_WHY_ALIVE);
            json_array_add(ways, w);
        }
    }
    if (best) {
        query_put_int(o, "cost", best->total);
        json_object_put_string(o, "source",
                               route_source_to_string(best->source));
    }
    json_object_put(o, "ways", ways);
}

static struct json *
route_object(const struct engine_net *net, const struct route_entry *entry,
             enum route_view view, bool both)
{
    const struct topo_network *topo = net->topo;
    const struct route_result *r = &entry->views[view];
    struct json *o = query_net(net);

    json_object_put_string(o, "router", topo->routers[entry->router].name);
    query_put_prefix(o, "prefix", &entry->prefix);
    json_object_put_string(o, "from",
                           both ? "anywhere" : route_view_to_string(view));
    json_object_put_string(o, "kind", route_kind_to_string(r->kind));
    switch (r->kind) {
    case ROUTE_SUBNET:
        json_object_put_string(o, "subnet", topo->subnets[r->subnet].name);
        break;
    case ROUTE_SIBLING:
        json_object_put_string(o, "to", topo->routers[r->target].name);
        json_object_put_string(o, "next", topo->routers[r->next].name);
        break;
    case ROUTE_ATTACHMENT:
        json_object_put_string(o, "attachment",
                               topo->attachments[r->attachment].name);
        break;
    case ROUTE_PATHS:
        put_paths(o, net, r->path_set);
        break;
    case ROUTE_REFUSED:
        json_object_put_string(o, "refused",
                               route_refusal_to_string(r->refusal));
        break;
    case ROUTE_NO_ENTRY:
        break;
    }
    return o;
}

static bool
same_result(const struct route_result *a, const struct route_result *b)
{
    return (a->kind == b->kind && a->subnet == b->subnet
            && a->attachment == b->attachment && a->target == b->target
            && a->path_set == b->path_set);
}

struct json *
engine_query_routes(const struct engine *e, const char *customer,
                    const char *router)
{
    struct json *routes = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        for (size_t r = 0; query_sees(net, customer)
             && r < net->topo->n_routers; r++) {
            size_t n = 0;

            if (router && strcmp(router, net->topo->routers[r].name)) {
                continue;
            }
            const struct route_entry *const *entries
                = route_net_entries(net->routes, r, &n);
            for (size_t j = 0; j < n; j++) {
                const struct route_result *v = entries[j]->views;

                if (same_result(&v[0], &v[1])) {
                    json_array_add(routes, route_object(net, entries[j], 0,
                                                        true));
                    continue;
                }
                for (int k = 0; k < ROUTE_N_VIEWS; k++) {
                    if (v[k].kind != ROUTE_NO_ENTRY) {
                        json_array_add(routes, route_object(net, entries[j],
                                                            k, false));
                    }
                }
            }
        }
    }
    return routes;
}

/* Explain. */

/* Finds what 'from' ("customer/network/name") names: a router, or the node
 * whose gateway that router is. */
static struct engine_net *
find_origin(const struct engine *e, const char *customer, const char *from,
            size_t *router, const struct topo_node **node, char **error)
{
    const char *slash = strrchr(from, '/');
    char *key = slash ? xmemdup0(from, slash - from) : xstrdup("");
    struct engine_net *net = engine_find_net(e, key);

    free(key);
    *router = SIZE_MAX;
    *node = NULL;
    if (!slash || !net || !query_sees(net, customer)) {
        *error = xasprintf("%s: no such network; name a node or a router as "
                           "customer/network/name", from);
        return NULL;
    }
    const struct topo_network *topo = net->topo;
    const struct topo_router *tr = topo_find_router(topo, slash + 1);
    *node = topo_find_node(topo, slash + 1);
    if (*node) {
        for (size_t i = 0; i < topo->n_interfaces; i++) {
            if (topo->interfaces[i].subnet == (*node)->subnet) {
                *router = topo->interfaces[i].router;
                break;
            }
        }
        if (*router == SIZE_MAX) {
            *error = xasprintf("%s: its subnet \"%s\" has no router", from,
                               topo->subnets[(*node)->subnet].name);
            return NULL;
        }
    } else if (tr) {
        *router = tr - topo->routers;
    } else {
        *error = xasprintf("%s: network %s has no node or router of that "
                           "name", from, net->key);
        return NULL;
    }
    return net;
}

static void
add_hop(struct json *hosts, const struct engine_host *host)
{
    size_t n = json_array(hosts)->n;

    if (host && (!n || strcmp(json_string(json_array(hosts)->elems[n - 1]),
                              host->name))) {
        json_array_add(hosts, json_string_create(host->name));
    }
}

/* The hosts that a packet of 'node' passes. */
static struct json *
passed_hosts(const struct engine_net *net, const struct topo_node *node,
             const struct route_result *r, const struct in6_addr *to)
{
    struct json *hosts = json_array_create_empty();

    if (node) {
        add_hop(hosts, net->nodes[node - net->topo->nodes].host);
    }
    if (r->kind == ROUTE_PATHS) {
        const struct route_tier *best = route_path_set_best(r->path_set);

        for (size_t i = 0; best && i < best->n_ways; i++) {
            if (best->ways[i]->why == ROUTE_WHY_ALIVE) {
                add_hop(hosts, net->atts[best->ways[i]->attachment].host);
            }
        }
    } else if (r->kind == ROUTE_SUBNET) {
        for (size_t i = 0; i < net->topo->n_nodes; i++) {
            if (ipv6_addr_equals(&net->topo->nodes[i].address, to)) {
                add_hop(hosts, net->nodes[i].host);
            }
        }
    }
    return hosts;
}

struct json *
engine_query_explain(const struct engine *e, const char *customer,
                     const char *from, const struct in6_addr *to,
                     char **error)
{
    const struct topo_node *node;
    size_t router;

    *error = NULL;
    struct engine_net *net = find_origin(e, customer, from, &router, &node,
                                         error);
    if (!net) {
        return NULL;
    }

    struct json *o = query_net(net);
    json_object_put_string(o, "from", from);
    query_put_addr(o, "to", to);

    /* Follow siblings to the router that decides. */
    struct json *routers = json_array_create_empty();
    const struct route_entry *entry = NULL;
    for (size_t hop = 0; hop <= net->topo->n_routers; hop++) {
        json_array_add(routers, json_string_create(
            net->topo->routers[router].name));
        entry = route_net_lookup(net->routes, router, ROUTE_FROM_SUBNETS, to);
        if (!entry || entry->views[ROUTE_FROM_SUBNETS].kind != ROUTE_SIBLING) {
            break;
        }
        router = entry->views[ROUTE_FROM_SUBNETS].next;
    }
    json_object_put(o, "routers", routers);
    if (!entry) {
        json_object_put_string(o, "rule", "no route");
        return o;
    }
    query_put_prefix(o, "prefix", &entry->prefix);
    json_object_put(o, "reason", route_explain_json(net->routes, router,
                                                    ROUTE_FROM_SUBNETS,
                                                    entry));
    struct ds text = DS_EMPTY_INITIALIZER;
    route_explain(net->routes, router, ROUTE_FROM_SUBNETS, entry, &text);
    json_object_put_string(o, "text", ds_cstr(&text));
    ds_destroy(&text);
    if (!customer) {
        json_object_put(o, "hosts", passed_hosts(
            net, node, &entry->views[ROUTE_FROM_SUBNETS], to));
    }
    return o;
}
