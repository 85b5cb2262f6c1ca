/* SPDX-License-Identifier: Apache-2.0 */

/* Configuration + fabric + allocations -> topology: see topo.h.
 *
 * All vectors of the configuration are sorted as the topology wants them, and
 * so are the allocations, so building is one walk through both. */

#include <config.h>
#include "controller/model/topo.h"

#include <stdlib.h>
#include <string.h>

#include "controller/model/alloc.h"
#include "controller/model/model.h"
#include "packets.h"
#include "util.h"

#define DEFAULT_MTU 1500

struct builder {
    const struct model_config *config;
    const struct model_network *network;
    const struct model_fabric *fabric;
    const struct alloc_set *allocs;
    size_t next;                /* Where the next record probably is. */
    size_t *first_attachment;   /* By router: index of its first attachment in
                                 * the topology. */
    struct topo_network *topo;
    bool failed;                /* Something has no record, or no grant. */
};

/* The record of an object.  Objects are mostly asked for in the order in which
 * records are sorted. */
static const struct alloc *
find_record(struct builder *b, enum topo_kind kind, const char *name)
{
    const struct alloc *record = NULL;

    if (b->next < b->allocs->n) {
        record = b->allocs->records[b->next];
        if (record->kind != kind || strcmp(record->name, name)
            || strcmp(record->network, b->network->name)
            || strcmp(record->customer, b->config->customer)) {
            record = NULL;
        }
    }
    if (!record) {
        size_t pos = alloc_find_position(b->allocs, b->config->customer,
                                         b->network->name, kind, name);
        if (pos == SIZE_MAX) {
            b->failed = true;
            return NULL;
        }
        b->next = pos;
        record = b->allocs->records[pos];
    }
    b->next++;
    return record;
}

static uint32_t
find_id(struct builder *b, enum topo_kind kind, const char *name)
{
    const struct alloc *record = find_record(b, kind, name);

    return record ? record->id : 0;
}

/* The record of something that is named "router/name". */
static uint32_t
find_part_id(struct builder *b, enum topo_kind kind,
             const struct model_router *router, const char *name)
{
    char *full_name = xasprintf("%s/%s", router->name, name);
    uint32_t id = find_id(b, kind, full_name);

    free(full_name);
    return id;
}

static void
build_subnets(struct builder *b)
{
    struct topo_network *topo = b->topo;
    uint16_t max = model_fabric_node_mtu(b->fabric);

    topo->n_subnets = b->network->n_subnets;
    topo->subnets = xcalloc(MAX(topo->n_subnets, 1), sizeof *topo->subnets);
    for (size_t i = 0; i < topo->n_subnets; i++) {
        const struct model_subnet *subnet = &b->network->subnets[i];

        topo->subnets[i] = (struct topo_subnet) {
            .name = xstrdup(subnet->name),
            .id = find_id(b, TOPO_SUBNET, subnet->name),
            .prefix = subnet->prefix,
            .mtu = subnet->mtu ? subnet->mtu : MIN(DEFAULT_MTU, max),
        };
    }
}

static void
build_node(struct builder *b, const struct model_node *node,
           struct topo_node *out)
{
    const struct alloc *record = find_record(b, TOPO_NODE, node->name);

    out->name = xstrdup(node->name);
    out->iface_id = xasprintf("%s/%s/%s", b->config->customer,
                              b->network->name, node->name);
    out->subnet = node->subnet;
    out->zone = nullable_xstrdup(node->zone);
    if (node->n_addresses) {
        out->n_addresses = node->n_addresses;
        out->addresses = xmemdup(node->addresses,
                                 node->n_addresses * sizeof *node->addresses);
    }
    if (record) {
        out->id = record->id;
        out->mac = record->mac;
        out->address = record->address;
        out->host = nullable_xstrdup(record->host);
    }
}

static void
build_nodes(struct builder *b)
{
    struct topo_network *topo = b->topo;

    topo->n_nodes = b->network->n_nodes;
    topo->nodes = xcalloc(MAX(topo->n_nodes, 1), sizeof *topo->nodes);
    for (size_t i = 0; i < topo->n_nodes; i++) {
        build_node(b, &b->network->nodes[i], &topo->nodes[i]);
    }
}

static void
build_interface(struct builder *b, const struct model_router *router,
                size_t router_idx, const struct model_interface *iface)
{
    const char *subnet = b->network->subnets[iface->subnet].name;
    uint32_t id = find_part_id(b, TOPO_INTERFACE, router, subnet);

    b->topo->interfaces[b->topo->n_interfaces++] = (struct topo_interface) {
        .id = id,
        .router = router_idx,
        .subnet = iface->subnet,
        .address = iface->address,
        .mac = topo_mac(TOPO_INTERFACE, id),
        .cost = iface->cost,
        .area = iface->area,
    };
}

static void
build_attachment(struct builder *b, const struct model_router *router,
                 size_t router_idx, const struct model_attachment *att)
{
    const struct model_point *point = model_find_point(b->fabric, att->point);
    uint32_t id = find_part_id(b, TOPO_ATTACHMENT, router, att->name);
    uint16_t mtu = MIN(DEFAULT_MTU, model_fabric_node_mtu(b->fabric));

    if (!point) {
        b->failed = true;
    } else if (point->mtu) {
        mtu = MIN(mtu, point->mtu);
    }
    b->topo->attachments[b->topo->n_attachments++] = (struct topo_attachment) {
        .name = xstrdup(att->name),
        .id = id,
        .router = router_idx,
        .point = xstrdup(att->point),
        .host = point ? xstrdup(b->fabric->hosts[point->host].name) : NULL,
        .port = point ? xstrdup(point->port) : NULL,
        .vlan = att->vlan,
        .address = att->address,
        .plen = att->prefix.plen,
        .mac = topo_mac(TOPO_ATTACHMENT, id),
        .mtu = att->mtu ? att->mtu : mtu,
        .cost = att->cost,
        .policy = nullable_xstrdup(att->policy),
        .has_ospf = att->has_ospf,
        .ospf = att->ospf,
        .has_bfd = att->has_bfd,
        .bfd = att->bfd,
        .pps = point ? point->pps : 0,
    };
}

static void
build_destination(struct builder *b, size_t router_idx,
                  const struct model_destination *dest)
{
    struct topo_destination *out
        = &b->topo->destinations[b->topo->n_destinations++];

    out->router = router_idx;
    out->prefix = dest->prefix;
    out->advertise = dest->advertise;
    out->n_vias = dest->n_vias;
    out->vias = xcalloc(MAX(dest->n_vias, 1), sizeof *out->vias);
    for (size_t i = 0; i < dest->n_vias; i++) {
        out->vias[i] = (struct topo_via) {
            .attachment = (b->first_attachment[router_idx]
                           + dest->vias[i].attachment),
            .next_hop = dest->vias[i].next_hop,
            .cost = dest->vias[i].cost,
        };
    }
}

static void
count_parts(struct builder *b)
{
    struct topo_network *topo = b->topo;
    size_t n_interfaces = 0, n_attachments = 0, n_destinations = 0;

    for (size_t i = 0; i < b->network->n_routers; i++) {
        const struct model_router *router = &b->network->routers[i];

        b->first_attachment[i] = n_attachments;
        n_interfaces += router->n_interfaces;
        n_attachments += router->n_attachments;
        n_destinations += router->n_destinations;
    }
    topo->interfaces = xcalloc(MAX(n_interfaces, 1), sizeof *topo->interfaces);
    topo->attachments = xcalloc(MAX(n_attachments, 1),
                                sizeof *topo->attachments);
    topo->destinations = xcalloc(MAX(n_destinations, 1),
                                 sizeof *topo->destinations);
}

/* 'n' numbers from 'first'. */
static size_t *
index_range(size_t first, size_t n)
{
    size_t *indexes = xcalloc(MAX(n, 1), sizeof *indexes);

    for (size_t i = 0; i < n; i++) {
        indexes[i] = first + i;
    }
    return indexes;
}

static void
build_router(struct builder *b, const struct model_router *router,
             size_t router_idx)
{
    struct topo_network *topo = b->topo;
    struct topo_router *out = &topo->routers[router_idx];

    out->name = xstrdup(router->name);
    out->id = find_id(b, TOPO_ROUTER, router->name);
    out->router_id = router->router_id;
    out->transit = router->transit;
    out->n_interfaces = router->n_interfaces;
    out->interfaces = index_range(topo->n_interfaces, out->n_interfaces);
    out->n_attachments = router->n_attachments;
    out->attachments = index_range(topo->n_attachments, out->n_attachments);
    out->n_destinations = router->n_destinations;
    out->destinations = index_range(topo->n_destinations,
                                    out->n_destinations);

    for (size_t i = 0; i < router->n_interfaces; i++) {
        build_interface(b, router, router_idx, &router->interfaces[i]);
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        build_attachment(b, router, router_idx, &router->attachments[i]);
    }
    for (size_t i = 0; i < router->n_destinations; i++) {
        build_destination(b, router_idx, &router->destinations[i]);
    }
}

static void
build_routers(struct builder *b)
{
    struct topo_network *topo = b->topo;

    topo->n_routers = b->network->n_routers;
    topo->routers = xcalloc(MAX(topo->n_routers, 1), sizeof *topo->routers);
    b->first_attachment = xcalloc(MAX(topo->n_routers, 1),
                                  sizeof *b->first_attachment);
    count_parts(b);
    for (size_t i = 0; i < topo->n_routers; i++) {
        build_router(b, &b->network->routers[i], i);
    }
    free(b->first_attachment);
}

static void
build_links(struct builder *b)
{
    struct topo_network *topo = b->topo;
    size_t *allocated = xcalloc(MAX(topo->n_routers, 1), sizeof *allocated);

    topo->n_links = b->network->n_links;
    topo->links = xcalloc(MAX(topo->n_links, 1), sizeof *topo->links);
    for (size_t i = 0; i < topo->n_links; i++) {
        const struct model_link *link = &b->network->links[i];

        topo->links[i] = (struct topo_link) {
            .name = xstrdup(link->name),
            .id = find_id(b, TOPO_LINK, link->name),
            .router = { link->router[0], link->router[1] },
            .cost = { link->cost[0], link->cost[1] },
            .area = link->area,
        };
        for (int j = 0; j < 2; j++) {
            struct topo_router *router = &topo->routers[link->router[j]];

            if (router->n_links >= allocated[link->router[j]]) {
                router->links = x2nrealloc(router->links,
                                           &allocated[link->router[j]],
                                           sizeof *router->links);
            }
            router->links[router->n_links++] = i;
        }
    }
    free(allocated);
}

struct topo_network *
topo_build(const struct model_config *config, const char *name,
           const struct model_fabric *fabric, const struct alloc_set *allocs)
{
    struct builder b = {
        .config = config,
        .network = model_find_network(config, name),
        .fabric = fabric,
        .allocs = allocs,
    };
    const struct alloc *record;

    if (!b.network) {
        return NULL;
    }
    b.topo = xzalloc(sizeof *b.topo);
    b.topo->ref_cnt = 1;
    b.topo->customer = xstrdup(config->customer);
    b.topo->name = xstrdup(b.network->name);
    record = find_record(&b, TOPO_NETWORK, b.network->name);
    b.topo->id = b.topo->vni = record ? record->id : 0;

    build_subnets(&b);
    build_nodes(&b);
    build_routers(&b);
    build_links(&b);
    if (b.failed) {
        topo_network_unref(b.topo);
        return NULL;
    }
    return b.topo;
}
