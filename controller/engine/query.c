/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "sset.h"
#include "util.h"

static bool
is_visible(const struct engine_net *net, const char *customer)
{
    return !customer || !strcmp(net->topo->customer, customer);
}

static void
put_addr(struct json *o, const char *name, const struct in6_addr *addr)
{
    char buf[ADDR_STRLEN];

    json_object_put_string(o, name, addr_to_string(addr, buf));
}

static void
put_prefix(struct json *o, const char *name, const struct prefix *p)
{
    char buf[PREFIX_STRLEN];

    json_object_put_string(o, name, prefix_to_string(p, buf));
}

static void
put_mac(struct json *o, const char *name, struct eth_addr mac)
{
    json_object_put_format(o, name, ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
}

static void
put_ip4(struct json *o, const char *name, uint32_t ip)
{
    json_object_put_format(o, name, IP_FMT, IP_ARGS(htonl(ip)));
}

static void
put_int(struct json *o, const char *name, long long int value)
{
    json_object_put(o, name, json_integer_create(value));
}

static void
put_bool(struct json *o, const char *name, bool value)
{
    json_object_put(o, name, json_boolean_create(value));
}

static struct json *
net_object(const struct engine_net *net)
{
    struct json *o = json_object_create();

    json_object_put_string(o, "customer", net->topo->customer);
    json_object_put_string(o, "network", net->topo->name);
    return o;
}

/* Hosts. */

static struct json *
host_tunnels(const struct engine *e, const struct engine_host *host)
{
    static const char *const words[] = { "none", "down", "up" };
    struct json *tunnels = json_array_create_empty();

    for (size_t i = 0; i < e->n_hosts; i++) {
        enum engine_bfd_state bfd;

        if (e->hosts[i] != host && host_tunnel(host, e->hosts[i], &bfd)) {
            struct json *t = json_object_create();

            json_object_put_string(t, "host", e->hosts[i]->name);
            json_object_put_string(t, "bfd", words[bfd]);
            json_array_add(tunnels, t);
        }
    }
    return tunnels;
}

static size_t
count_placed(const struct engine *e, const char *host)
{
    size_t n = 0;

    for (size_t i = 0; i < e->alloc->n; i++) {
        const struct alloc *a = e->alloc->records[i];

        n += a->kind == TOPO_NODE && a->host && !strcmp(a->host, host);
    }
    return n;
}

struct json *
engine_query_hosts(const struct engine *e)
{
    struct json *hosts = json_array_create_empty();

    for (size_t i = 0; i < e->n_hosts; i++) {
        const struct engine_host *host = e->hosts[i];
        const struct model_host *m = model_find_host(e->fabric, host->name);
        struct json *o = json_object_create();
        struct json *nets = json_array_create_empty();
        size_t flows = scope_count_flows(host->scope);
        size_t groups = scope_count_groups(host->scope);

        json_object_put_string(o, "host", host->name);
        put_addr(o, "tunnel", &host->tunnel);
        if (m) {
            put_int(o, "mtu", m->mtu);
            put_int(o, "capacity", m->capacity);
            if (m->zone) {
                json_object_put_string(o, "zone", m->zone);
            }
        }
        put_int(o, "nodes", count_placed(e, host->name));
        put_bool(o, "connected", host->connected);
        put_bool(o, "applied", host->connected
                 && host->confirmed >= host->sent);
        for (size_t j = 0; j < host->n_presences; j++) {
            const struct engine_presence *p = host->presences[j];

            json_array_add(nets, json_string_create(p->net->key));
            flows += (scope_count_flows(p->scope)
                      + scope_count_flows(p->net->scope));
            groups += (scope_count_groups(p->scope)
                       + scope_count_groups(p->net->scope));
        }
        put_int(o, "flows", flows);
        put_int(o, "groups", groups);
        put_int(o, "ports", host->n_ports);
        json_object_put(o, "networks", nets);
        json_object_put(o, "tunnels", host_tunnels(e, host));
        json_array_add(hosts, o);
    }
    return hosts;
}

/* Nodes. */

static struct json *
node_object(const struct engine_net *net, size_t i, bool operator)
{
    const struct topo_node *tn = &net->topo->nodes[i];
    const struct topo_subnet *ts = &net->topo->subnets[tn->subnet];
    const struct engine_place *place = &net->nodes[i];
    struct json *o = net_object(net);

    json_object_put_string(o, "node", tn->name);
    json_object_put_string(o, "iface-id", tn->iface_id);
    json_object_put_string(o, "subnet", ts->name);
    put_mac(o, "mac", tn->mac);
    put_addr(o, "address", &tn->address);
    if (tn->n_addresses) {
        struct json *more = json_array_create_empty();

        for (size_t j = 0; j < tn->n_addresses; j++) {
            char buf[PREFIX_STRLEN];

            json_array_add(more, json_string_create(
                prefix_to_string(&tn->addresses[j], buf)));
        }
        json_object_put(o, "addresses", more);
    }
    put_int(o, "mtu", ts->mtu);
    if (tn->zone) {
        json_object_put_string(o, "zone", tn->zone);
    }
    json_object_put_string(o, "state", !place->host ? "absent"
                           : operator && tn->host
                             && strcmp(tn->host, place->host->name)
                           ? "elsewhere" : "present");
    if (operator) {
        if (tn->host) {
            json_object_put_string(o, "host", tn->host);
        }
        if (place->host) {
            json_object_put_string(o, "port-host", place->host->name);
            put_int(o, "ofport", place->ofport);
        }
    }
    return o;
}

struct json *
engine_query_nodes(const struct engine *e, const char *customer)
{
    struct json *nodes = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        for (size_t j = 0; is_visible(net, customer)
             && j < net->topo->n_nodes; j++) {
            json_array_add(nodes, node_object(net, j, !customer));
        }
    }
    return nodes;
}

/* Routes. */

static void
put_way(struct json *o, const struct engine_net *net,
        const struct route_way *way)
{
    json_object_put_string(o, "attachment",
                           net->topo->attachments[way->attachment].name);
    if (ipv6_addr_is_set(&way->addr)) {
        put_addr(o, "next-hop", &way->addr);
    }
    put_bool(o, "alive", way->why == ROUTE_WHY_ALIVE);
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
            put_int(w, "cost", tier->total);
            json_object_put_string(w, "source",
                                   route_source_to_string(tier->source));
            put_bool(w, "chosen", tier == best
                     && tier->ways[j]->why == ROUTE_WHY_ALIVE);
            json_array_add(ways, w);
        }
    }
    if (best) {
        put_int(o, "cost", best->total);
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
    struct json *o = net_object(net);

    json_object_put_string(o, "router", topo->routers[entry->router].name);
    put_prefix(o, "prefix", &entry->prefix);
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

        for (size_t r = 0; is_visible(net, customer)
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
    if (!slash || !net || !is_visible(net, customer)) {
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

    struct json *o = net_object(net);
    json_object_put_string(o, "from", from);
    put_addr(o, "to", to);

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
    put_prefix(o, "prefix", &entry->prefix);
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

/* OSPF. */

static struct json *
nbr_object(const struct ospf_nbr_info *nbr, long long int now)
{
    struct json *o = json_object_create();

    put_ip4(o, "router-id", nbr->router_id);
    put_ip4(o, "address", nbr->address);
    json_object_put_string(o, "state", ospf_nbr_state_string(nbr->state));
    if (nbr->stale) {
        put_bool(o, "held", true);
    }
    put_int(o, "priority", nbr->priority);
    put_int(o, "dead-ms", MAX(0, nbr->dead_ms - now));
    put_int(o, "since-ms", MAX(0, now - nbr->since_ms));
    if (nbr->last_event) {
        json_object_put_string(o, "last-event", nbr->last_event);
    }
    if (nbr->last_fault) {
        json_object_put_string(o, "last-fault", nbr->last_fault);
    }
    put_int(o, "changes", nbr->n_state_changes);
    return o;
}

static struct json *
iface_object(const struct engine_net *net, const struct engine_speaker *s,
             const struct ospf_iface_info *iface, bool operator,
             long long int now)
{
    struct json *o = net_object(net);
    struct json *nbrs = json_array_create_empty();
    struct json *faults = json_array_create_empty();
    size_t a = net_attachment_by_id(net->topo, iface->id);
    struct ospf_nbr_info nbr;

    json_object_put_string(o, "router", net->topo->routers[s->router].name);
    json_object_put_string(o, "attachment", iface->name);
    if (operator && a != SIZE_MAX && net->atts[a].host) {
        static const char *const words[] = { "none", "down", "up" };

        json_object_put_string(o, "host", net->atts[a].host->name);
        json_object_put_string(o, "port", net->topo->attachments[a].port);
        json_object_put_string(o, "bfd", words[net->atts[a].bfd]);
    }
    json_object_put_format(o, "address", IP_FMT"/%d",
                           IP_ARGS(htonl(iface->address)), iface->plen);
    json_object_put_string(o, "network-type", iface->type == OSPF_P2P
                           ? "point-to-point" : "broadcast");
    json_object_put_string(o, "state", ospf_iface_state_string(iface->state));
    put_int(o, "cost", iface->cost);
    put_int(o, "hello-interval", iface->hello_interval);
    put_int(o, "dead-interval", iface->dead_interval);
    if (iface->dr) {
        put_ip4(o, "dr", iface->dr);
    }
    if (iface->bdr) {
        put_ip4(o, "bdr", iface->bdr);
    }
    for (size_t i = 0; ospf_neighbor_get(s->ospf, iface->id, i, &nbr); i++) {
        json_array_add(nbrs, nbr_object(&nbr, now));
    }
    for (size_t i = 0; i < iface->n_diagnoses; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ospf_diagnosis_format(&ds, &iface->diagnoses[i]);
        json_array_add(faults, json_string_create(ds_cstr(&ds)));
        ds_destroy(&ds);
    }
    json_object_put(o, "neighbors", nbrs);
    json_object_put(o, "mismatches", faults);
    return o;
}

struct json *
engine_query_neighbors(const struct engine *e, const char *customer,
                       long long int now)
{
    struct json *ifaces = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        for (size_t j = 0; is_visible(net, customer)
             && j < net->n_speakers; j++) {
            const struct engine_speaker *s = &net->speakers[j];
            struct ospf_iface_info *iface = xmalloc(sizeof *iface);

            for (size_t k = 0; ospf_iface_get(s->ospf, k, iface); k++) {
                json_array_add(ifaces, iface_object(net, s, iface, !customer,
                                                    now));
            }
            free(iface);
        }
    }
    return ifaces;
}

static struct json *
lsa_object(const struct ospf_lsa *lsa, bool contents, long long int now)
{
    struct json *o = json_object_create();
    struct lsa_key key = lsa_key(lsa);

    json_object_put_string(o, "type", ospf_lsa_type_string(key.type));
    put_ip4(o, "id", key.id);
    put_ip4(o, "advertising-router", key.adv);
    put_int(o, "age", lsa_age(lsa, now));
    json_object_put_format(o, "sequence", "0x%08"PRIx32,
                           (uint32_t) lsa_seq(lsa));
    json_object_put_format(o, "checksum", "0x%04x", lsa_checksum(lsa));
    put_int(o, "length", lsa->length);
    if (contents) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ospf_lsa_format(&ds, lsa, now);
        json_object_put_string(o, "text", ds_cstr(&ds));
        ds_destroy(&ds);
    }
    return o;
}

struct json *
engine_query_lsdb(const struct engine *e, const char *customer, bool contents,
                  long long int now)
{
    struct json *routers = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        for (size_t j = 0; is_visible(net, customer)
             && j < net->n_speakers; j++) {
            const struct engine_speaker *s = &net->speakers[j];
            struct json *o = net_object(net);
            struct json *array = json_array_create_empty();
            size_t n;

            json_object_put_string(o, "router",
                                   net->topo->routers[s->router].name);
            put_ip4(o, "router-id", ospf_router_id(s->ospf));
            if (s->attachment != SIZE_MAX) {
                json_object_put_string(
                    o, "attachment",
                    net->topo->attachments[s->attachment].name);
            }
            const struct ospf_lsa **lsas = ospf_lsas(s->ospf, &n);
            for (size_t k = 0; k < n; k++) {
                json_array_add(array, lsa_object(lsas[k], contents, now));
            }
            free(lsas);
            json_object_put(o, "lsas", array);
            json_array_add(routers, o);
        }
    }
    return routers;
}

/* Counters. */

static struct json *
speaker_counters(const struct engine_net *net, const struct engine_speaker *s)
{
    static const char *const types[] = {
        NULL, "hello", "database-description", "link-state-request",
        "link-state-update", "link-state-acknowledgment",
    };
    const struct ospf_counters *c = ospf_get_counters(s->ospf);
    struct json *o = net_object(net);
    struct json *rx = json_object_create();
    struct json *tx = json_object_create();
    struct json *drops = json_object_create();

    json_object_put_string(o, "router", net->topo->routers[s->router].name);
    for (size_t i = 1; i < ARRAY_SIZE(types); i++) {
        put_int(rx, types[i], c->rx[i]);
        put_int(tx, types[i], c->tx[i]);
    }
    for (size_t i = 0; i < OSPF_N_DROPS; i++) {
        if (c->drops[i]) {
            put_int(drops, ospf_drop_string(i), c->drops[i]);
        }
    }
    json_object_put(o, "received", rx);
    json_object_put(o, "sent", tx);
    json_object_put(o, "dropped", drops);
    put_int(o, "retransmitted", c->retransmitted);
    put_int(o, "originated", c->originated);
    put_int(o, "spf-runs", c->spf_runs);
    return o;
}

struct json *
engine_query_counters(const struct engine *e, const char *customer)
{
    struct json *o = json_object_create();
    struct json *speakers = json_array_create_empty();
    struct json *routes = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];
        struct route_counters rc;

        if (!is_visible(net, customer)) {
            continue;
        }
        for (size_t j = 0; j < net->n_speakers; j++) {
            json_array_add(speakers, speaker_counters(net, &net->speakers[j]));
        }
        route_net_get_counters(net->routes, &rc);
        struct json *r = net_object(net);
        put_int(r, "entries", rc.entries);
        put_int(r, "path-sets", rc.path_sets);
        for (size_t j = 1; j < ROUTE_N_REFUSALS; j++) {
            put_int(r, route_refusal_to_string(j), rc.refused[j]);
        }
        json_array_add(routes, r);
    }
    json_object_put(o, "ospf", speakers);
    json_object_put(o, "routes", routes);
    if (!customer) {
        struct json *punts = json_object_create();

        for (size_t i = 1; i < PL_N_PUNTS; i++) {
            put_int(punts, pl_punt_to_string(i), e->n_punts[i]);
        }
        put_int(punts, "bad frame", e->n_bad_frames);
        put_int(punts, "OSPF fragment", e->n_fragments);
        json_object_put(o, "punts", punts);
    }
    return o;
}

/* Metrics. */

struct json *
engine_query_metrics(const struct engine *e, long long int now)
{
    return cost_metrics_to_json(e->costs, now);
}

/* Appends attribute 'attr' with the value of member 'name', if it is there. */
static void
put_attr(struct ds *ds, const struct json *o, const char *name,
         const char *attr, const char *unit)
{
    const struct json *v = shash_find_data(json_object(o), name);

    if (!v) {
        return;
    }
    ds_put_format(ds, " %s=\"", attr);
    if (v->type == JSON_STRING) {
        ds_put_cstr(ds, json_string(v)); /* A name, checked by its schema. */
    } else if (v->type == JSON_INTEGER) {
        ds_put_format(ds, "%lld%s", (long long int) json_integer(v), unit);
    } else {
        ds_put_format(ds, "%.3f%s", json_real(v), unit);
    }
    ds_put_char(ds, '"');
}

char *
engine_metrics_document(const struct engine *e, long long int now)
{
    struct json *all = cost_metrics_to_json(e->costs, now);
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&ds, "<metrics xmlns=\"urn:tollway:metrics:1\">\n");
    for (size_t i = 0; i < json_array(all)->n; i++) {
        const struct json *o = json_array(all)->elems[i];
        bool point = shash_find(json_object(o), "point") != NULL;

        ds_put_cstr(&ds, point ? "  <attachment" : "  <path");
        put_attr(&ds, o, "point", "point", "");
        put_attr(&ds, o, "from", "from", "");
        put_attr(&ds, o, "to", "to", "");
        put_attr(&ds, o, "delay-us", "delay", "us");
        put_attr(&ds, o, "use-percent", "use", "");
        put_attr(&ds, o, "loss-percent", "loss", "");
        put_attr(&ds, o, "price", "price", "");
        ds_put_cstr(&ds, "/>\n");
    }
    ds_put_cstr(&ds, "</metrics>\n");
    json_destroy(all);
    return ds_steal_cstr(&ds);
}

/* Topology. */

static struct json *
router_object(const struct engine_net *net, const struct topo_router *tr,
              bool operator)
{
    const struct topo_network *topo = net->topo;
    struct json *o = json_object_create();
    struct json *ifaces = json_array_create_empty();
    struct json *atts = json_array_create_empty();

    json_object_put_string(o, "name", tr->name);
    put_ip4(o, "router-id", tr->router_id);
    for (size_t i = 0; i < tr->n_interfaces; i++) {
        const struct topo_interface *ti = &topo->interfaces[tr->interfaces[i]];
        struct json *j = json_object_create();

        json_object_put_string(j, "subnet", topo->subnets[ti->subnet].name);
        put_addr(j, "address", &ti->address);
        put_mac(j, "mac", ti->mac);
        put_int(j, "cost", ti->cost);
        json_array_add(ifaces, j);
    }
    for (size_t i = 0; i < tr->n_attachments; i++) {
        size_t a = tr->attachments[i];
        const struct topo_attachment *ta = &topo->attachments[a];
        struct json *j = json_object_create();

        json_object_put_string(j, "name", ta->name);
        json_object_put_string(j, "point", ta->point);
        put_addr(j, "address", &ta->address);
        put_mac(j, "mac", ta->mac);
        put_int(j, "mtu", ta->mtu);
        put_int(j, "cost", ta->cost);
        put_int(j, "metric-part", cost_part(net->engine->costs, ta->id));
        json_object_put_string(j, "port", !net->atts[a].ofport ? "absent"
                               : net->atts[a].up ? "up" : "down");
        if (operator) {
            json_object_put_string(j, "host", ta->host);
            json_object_put_string(j, "host-port", ta->port);
        }
        json_array_add(atts, j);
    }
    json_object_put(o, "interfaces", ifaces);
    json_object_put(o, "attachments", atts);
    return o;
}

struct json *
engine_query_topology(const struct engine *e, const char *customer)
{
    struct json *nets = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];
        const struct topo_network *topo = net->topo;

        if (!is_visible(net, customer)) {
            continue;
        }
        struct json *o = net_object(net);
        struct json *subnets = json_array_create_empty();
        struct json *routers = json_array_create_empty();
        struct json *links = json_array_create_empty();

        put_int(o, "vni", topo->vni);
        for (size_t j = 0; j < topo->n_subnets; j++) {
            struct json *s = json_object_create();

            json_object_put_string(s, "name", topo->subnets[j].name);
            put_prefix(s, "prefix", &topo->subnets[j].prefix);
            put_int(s, "mtu", topo->subnets[j].mtu);
            json_array_add(subnets, s);
        }
        for (size_t j = 0; j < topo->n_routers; j++) {
            json_array_add(routers, router_object(net, &topo->routers[j],
                                                  !customer));
        }
        for (size_t j = 0; j < topo->n_links; j++) {
            const struct topo_link *tl = &topo->links[j];
            struct json *l = json_object_create();

            json_object_put_string(l, "name", tl->name);
            json_object_put_string(l, "a", topo->routers[tl->router[0]].name);
            json_object_put_string(l, "b", topo->routers[tl->router[1]].name);
            put_int(l, "cost-ab", tl->cost[0]);
            put_int(l, "cost-ba", tl->cost[1]);
            json_array_add(links, l);
        }
        json_object_put(o, "subnets", subnets);
        json_object_put(o, "routers", routers);
        json_object_put(o, "links", links);
        json_array_add(nets, o);
    }
    return nets;
}

/* Cookies. */

static char *
object_name(const struct alloc *a)
{
    return (a->kind == TOPO_NETWORK
            ? xasprintf("%s/%s", a->customer, a->network)
            : xasprintf("%s/%s/%s", a->customer, a->network, a->name));
}

static char *
way_name(const struct engine *e, uint32_t id)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_way *way = ways_find_id(e->nets[i], id);

        if (way) {
            const struct topo_attachment *ta
                = &e->nets[i]->topo->attachments[way->pl.attachment];
            char buf[ADDR_STRLEN];

            return xasprintf("%s/%s/%s via %s", e->nets[i]->key,
                             e->nets[i]->topo->routers[ta->router].name,
                             ta->name, addr_to_string(&way->addr, buf));
        }
    }
    return NULL;
}

char *
engine_cookie_name(const struct engine *e, uint64_t cookie)
{
    struct pl_cookie c = pl_cookie_decode(cookie);
    const struct alloc *a = NULL;
    struct ds ds = DS_EMPTY_INITIALIZER;
    char *name = NULL;

    if (c.kind == TOPO_WAY) {
        name = way_name(e, c.id);
    } else if (c.kind == TOPO_HOST) {
        for (size_t i = 0; i < e->n_hosts; i++) {
            if (e->hosts[i]->id == c.id) {
                name = xstrdup(e->hosts[i]->name);
            }
        }
    } else if (c.kind != TOPO_PATH_SET) {
        a = alloc_find_id(e->alloc, c.id);
        name = a ? object_name(a) : NULL;
    }

    /* "node 17: drop spoofed" becomes "node acme/prod/web1: drop spoofed". */
    struct ds plain = DS_EMPTY_INITIALIZER;
    pl_cookie_format(cookie, &plain);
    const char *rest = strchr(ds_cstr(&plain), ':');
    if (name) {
        ds_put_format(&ds, "%s %s%s", pl_kind_to_string(c.kind), name,
                      rest ? rest : "");
    } else {
        ds_put_cstr(&ds, ds_cstr(&plain));
    }
    ds_destroy(&plain);
    free(name);
    return ds_steal_cstr(&ds);
}

/* Flows. */

static void
add_flows(const struct engine *e, const struct scope *scope,
          struct json *flows)
{
    size_t n;
    struct dflow **sorted = scope_sorted_flows(scope, &n);

    for (size_t i = 0; i < n; i++) {
        struct json *o = json_object_create();
        struct ds ds = DS_EMPTY_INITIALIZER;
        char *name = engine_cookie_name(e, sorted[i]->cookie);

        dflow_format(sorted[i], pl_table_names, PL_N_TABLES, &ds);
        put_int(o, "table", sorted[i]->table_id);
        json_object_put_string(o, "table-name",
                               pl_table_names[sorted[i]->table_id]);
        put_int(o, "priority", sorted[i]->priority);
        json_object_put_format(o, "cookie", "0x%"PRIx64, sorted[i]->cookie);
        json_object_put_string(o, "object", name);
        json_object_put_string(o, "flow", ds_cstr(&ds));
        json_array_add(flows, o);
        ds_destroy(&ds);
        free(name);
    }
    free(sorted);
}

static void
add_groups(const struct scope *scope, struct json *groups)
{
    size_t n;
    struct dgroup **sorted = scope_sorted_groups(scope, &n);

    for (size_t i = 0; i < n; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        dgroup_format(sorted[i], &ds);
        json_array_add(groups, json_string_create(ds_cstr(&ds)));
        ds_destroy(&ds);
    }
    free(sorted);
}

struct json *
engine_query_flows(const struct engine *e, const char *name)
{
    const struct engine_host *host = engine_find_host(e, name);

    if (!host) {
        return NULL;
    }
    struct json *o = json_object_create();
    struct json *flows = json_array_create_empty();
    struct json *groups = json_array_create_empty();

    add_flows(e, host->scope, flows);
    add_groups(host->scope, groups);
    for (size_t i = 0; i < host->n_presences; i++) {
        const struct engine_presence *p = host->presences[i];

        add_flows(e, p->net->scope, flows);
        add_groups(p->net->scope, groups);
        add_flows(e, p->scope, flows);
        add_groups(p->scope, groups);
    }
    json_object_put_string(o, "host", name);
    json_object_put(o, "flows", flows);
    json_object_put(o, "groups", groups);
    return o;
}

/* Dry run. */

/* Lines of 'a' and 'b' (sorted sets of lines) that only one of them has. */
static void
diff_lines(const char *a_, const char *b_, struct json *removed,
           struct json *added)
{
    struct sset a = SSET_INITIALIZER(&a);
    struct sset b = SSET_INITIALIZER(&b);

    sset_from_delimited_string(&a, a_, "\n");
    sset_from_delimited_string(&b, b_, "\n");
    const char **list = sset_sort(&a);
    for (size_t i = 0; i < sset_count(&a); i++) {
        if (!sset_contains(&b, list[i])) {
            json_array_add(removed, json_string_create(list[i]));
        }
    }
    free(list);
    list = sset_sort(&b);
    for (size_t i = 0; i < sset_count(&b); i++) {
        if (!sset_contains(&a, list[i])) {
            json_array_add(added, json_string_create(list[i]));
        }
    }
    free(list);
    sset_destroy(&a);
    sset_destroy(&b);
}

static void
net_routes_text(const struct engine_net *net, bool adverts, struct ds *ds)
{
    for (size_t i = 0; net && i < net->topo->n_routers; i++) {
        struct ds text = DS_EMPTY_INITIALIZER;
        char *save = NULL;

        if (adverts) {
            route_format_adverts(net->routes, i, &text);
        } else {
            route_format(net->routes, i, &text);
        }
        for (char *line = strtok_r(ds_cstr(&text), "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            ds_put_format(ds, "%s/%s: %s\n", net->key,
                          net->topo->routers[i].name, line);
        }
        ds_destroy(&text);
    }
}

static void
put_diff(struct json *o, const char *name, const char *a, const char *b)
{
    struct json *d = json_object_create();
    struct json *removed = json_array_create_empty();
    struct json *added = json_array_create_empty();

    diff_lines(a, b, removed, added);
    json_object_put(d, "removed", removed);
    json_object_put(d, "added", added);
    json_object_put(o, name, d);
}

static void
customer_text(const struct engine *e, const char *customer, bool adverts,
              struct ds *ds)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        if (!customer || !strcmp(e->nets[i]->topo->customer, customer)) {
            net_routes_text(e->nets[i], adverts, ds);
        }
    }
}

struct json *
engine_dry_run(const struct engine *e, const struct model_fabric *fabric,
               const struct alloc_set *alloc, const char *customer,
               const struct model_config *config, long long int now)
{
    struct engine *c = engine_clone(e, now);
    struct engine_out out = ENGINE_OUT_INIT;
    struct json *o = json_object_create();
    struct json *hosts = json_object_create();

    /* Once as it is, so that what is sent afterwards is the difference. */
    engine_run(c, now, &out);
    engine_out_clear(&out);
    engine_set_documents(c, fabric ? model_fabric_ref(fabric) : NULL,
                         alloc ? alloc_set_ref(alloc) : NULL, customer,
                         config ? model_config_ref(config) : NULL, now, &out);
    engine_run(c, now, &out);

    for (int adverts = 0; adverts < 2; adverts++) {
        struct ds before = DS_EMPTY_INITIALIZER;
        struct ds after = DS_EMPTY_INITIALIZER;

        customer_text(e, customer, adverts, &before);
        customer_text(c, customer, adverts, &after);
        put_diff(o, adverts ? "lsas" : "routes", ds_cstr(&before),
                 ds_cstr(&after));
        ds_destroy(&before);
        ds_destroy(&after);
    }
    for (size_t i = 0; i < out.n; i++) {
        if (out.actions[i].type == ENGINE_HOST_DELTA) {
            struct delta_counts n;
            struct ds ds = DS_EMPTY_INITIALIZER;
            struct json *h = json_object_create();

            delta_count(out.actions[i].delta, &n);
            delta_format(out.actions[i].delta, pl_table_names, PL_N_TABLES,
                         &ds);
            put_int(h, "flows-added", n.flows_added);
            put_int(h, "flows-modified", n.flows_modified);
            put_int(h, "flows-removed", n.flows_removed);
            put_int(h, "groups-added", n.groups_added);
            put_int(h, "groups-modified", n.groups_modified);
            put_int(h, "groups-removed", n.groups_removed);
            json_object_put_string(h, "text", ds_cstr(&ds));
            json_object_put(hosts, out.actions[i].host, h);
            ds_destroy(&ds);
        }
    }
    json_object_put(o, "hosts", hosts);
    engine_out_uninit(&out);
    engine_destroy(c);
    return o;
}
