/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/query-private.h"

#include <string.h>
#include "openvswitch/json.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

bool
query_sees(const struct engine_net *net, const char *customer)
{
    return !customer || !strcmp(net->topo->customer, customer);
}

void
query_put_addr(struct json *o, const char *name, const struct in6_addr *addr)
{
    char buf[ADDR_STRLEN];

    json_object_put_string(o, name, addr_to_string(addr, buf));
}

void
query_put_prefix(struct json *o, const char *name, const struct prefix *p)
{
    char buf[PREFIX_STRLEN];

    json_object_put_string(o, name, prefix_to_string(p, buf));
}

void
query_put_mac(struct json *o, const char *name, struct eth_addr mac)
{
    json_object_put_format(o, name, ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));
}

void
query_put_ip4(struct json *o, const char *name, uint32_t ip)
{
    json_object_put_format(o, name, IP_FMT, IP_ARGS(htonl(ip)));
}

void
query_put_int(struct json *o, const char *name, long long int value)
{
    json_object_put(o, name, json_integer_create(value));
}

void
query_put_bool(struct json *o, const char *name, bool value)
{
    json_object_put(o, name, json_boolean_create(value));
}

struct json *
query_net(const struct engine_net *net)
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
        query_put_addr(o, "tunnel", &host->tunnel);
        if (m) {
            query_put_int(o, "mtu", m->mtu);
            query_put_int(o, "capacity", m->capacity);
            if (m->zone) {
                json_object_put_string(o, "zone", m->zone);
            }
        }
        query_put_int(o, "nodes", count_placed(e, host->name));
        query_put_bool(o, "connected", host->connected);
        query_put_bool(o, "applied", host->connected
                 && host->confirmed >= host->sent);
        for (size_t j = 0; j < host->n_presences; j++) {
            const struct engine_presence *p = host->presences[j];

            json_array_add(nets, json_string_create(p->net->key));
            flows += (scope_count_flows(p->scope)
                      + scope_count_flows(p->net->scope));
            groups += (scope_count_groups(p->scope)
                       + scope_count_groups(p->net->scope));
        }
        query_put_int(o, "flows", flows);
        query_put_int(o, "groups", groups);
        query_put_int(o, "ports", host->n_ports);
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
    struct json *o = query_net(net);

    json_object_put_string(o, "node", tn->name);
    json_object_put_string(o, "iface-id", tn->iface_id);
    json_object_put_string(o, "subnet", ts->name);
    query_put_mac(o, "mac", tn->mac);
    query_put_addr(o, "address", &tn->address);
    if (tn->n_addresses) {
        struct json *more = json_array_create_empty();

        for (size_t j = 0; j < tn->n_addresses; j++) {
            char buf[PREFIX_STRLEN];

            json_array_add(more, json_string_create(
                prefix_to_string(&tn->addresses[j], buf)));
        }
        json_object_put(o, "addresses", more);
    }
    query_put_int(o, "mtu", ts->mtu);
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
            query_put_int(o, "ofport", place->ofport);
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

        for (size_t j = 0; query_sees(net, customer)
             && j < net->topo->n_nodes; j++) {
            json_array_add(nodes, node_object(net, j, !customer));
        }
    }
    return nodes;
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
    query_put_ip4(o, "router-id", tr->router_id);
    for (size_t i = 0; i < tr->n_interfaces; i++) {
        const struct topo_interface *ti = &topo->interfaces[tr->interfaces[i]];
        struct json *j = json_object_create();

        json_object_put_string(j, "subnet", topo->subnets[ti->subnet].name);
        query_put_addr(j, "address", &ti->address);
        query_put_mac(j, "mac", ti->mac);
        query_put_int(j, "cost", ti->cost);
        json_array_add(ifaces, j);
    }
    for (size_t i = 0; i < tr->n_attachments; i++) {
        size_t a = tr->attachments[i];
        const struct topo_attachment *ta = &topo->attachments[a];
        struct json *j = json_object_create();

        json_object_put_string(j, "name", ta->name);
        json_object_put_string(j, "point", ta->point);
        query_put_addr(j, "address", &ta->address);
        query_put_mac(j, "mac", ta->mac);
        query_put_int(j, "mtu", ta->mtu);
        query_put_int(j, "cost", ta->cost);
        query_put_int(j, "metric-part", cost_part(net->engine->costs, ta->id));
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

        if (!query_sees(net, customer)) {
            continue;
        }
        struct json *o = query_net(net);
        struct json *subnets = json_array_create_empty();
        struct json *routers = json_array_create_empty();
        struct json *links = json_array_create_empty();

        query_put_int(o, "vni", topo->vni);
        for (size_t j = 0; j < topo->n_subnets; j++) {
            struct json *s = json_object_create();

            json_object_put_string(s, "name", topo->subnets[j].name);
            query_put_prefix(s, "prefix", &topo->subnets[j].prefix);
            query_put_int(s, "mtu", topo->subnets[j].mtu);
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
            query_put_int(l, "cost-ab", tl->cost[0]);
            query_put_int(l, "cost-ba", tl->cost[1]);
            json_array_add(links, l);
        }
        json_object_put(o, "subnets", subnets);
        json_object_put(o, "routers", routers);
        json_object_put(o, "links", links);
        json_array_add(nets, o);
    }
    return nets;
}
