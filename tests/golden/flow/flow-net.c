/* SPDX-License-Identifier: Apache-2.0 */

/* The network of the flow tests: see the header. */

#include <config.h>
#include "tests/golden/flow/flow-net.h"

#include <arpa/inet.h>
#include <string.h>
#include "controller/flow/idspace.h"
#include "util.h"

#define ARRAY(...) __VA_ARGS__

enum { SUBNET_DB, SUBNET_WEB };
enum { NODE_DB1, NODE_WEB1, NODE_WEB2 };
enum { ROUTER_CORE, ROUTER_EDGE };
enum { ATT_EAST, ATT_LAN, ATT_WEST };

static struct in6_addr
ip(const char *s)
{
    struct in6_addr addr;

    ovs_assert(addr_parse(s, &addr));
    return addr;
}

static struct prefix
net(const char *s)
{
    struct prefix p;

    ovs_assert(prefix_parse(s, &p) == PREFIX_OK);
    return p;
}

static size_t *
indexes(size_t n, size_t a, size_t b)
{
    size_t *v = xcalloc(2, sizeof *v);

    v[0] = a;
    v[1] = n > 1 ? b : 0;
    return v;
}

static void
make_subnets_and_nodes(struct topo_network *t)
{
    t->n_subnets = 2;
    t->subnets = xcalloc(t->n_subnets, sizeof *t->subnets);
    t->subnets[SUBNET_DB] = (struct topo_subnet) {
        .name = "db", .id = 11, .prefix = net("10.0.2.0/24"), .mtu = 1450 };
    t->subnets[SUBNET_WEB] = (struct topo_subnet) {
        .name = "web", .id = 12, .prefix = net("10.0.1.0/24"), .mtu = 1450 };

    t->n_nodes = 3;
    t->nodes = xcalloc(t->n_nodes, sizeof *t->nodes);
    t->nodes[NODE_DB1] = (struct topo_node) {
        .name = "db1", .id = 21, .subnet = SUBNET_DB, .host = "h2",
        .mac = topo_mac(TOPO_NODE, 21), .address = ip("10.0.2.10") };
    t->nodes[NODE_WEB1] = (struct topo_node) {
        .name = "web1", .id = 22, .subnet = SUBNET_WEB, .host = "h1",
        .mac = topo_mac(TOPO_NODE, 22), .address = ip("10.0.1.10") };
    t->nodes[NODE_WEB2] = (struct topo_node) {
        .name = "web2", .id = 23, .subnet = SUBNET_WEB, .host = "h2",
        .mac = topo_mac(TOPO_NODE, 23), .address = ip("10.0.1.11"),
        .addresses = xcalloc(2, sizeof(struct prefix)), .n_addresses = 2 };
    t->nodes[NODE_WEB2].addresses[0] = net("10.0.1.64/28");
    t->nodes[NODE_WEB2].addresses[1] = net("10.99.0.0/24");
}

static void
make_routers(struct topo_network *t)
{
    t->n_routers = 2;
    t->routers = xcalloc(t->n_routers, sizeof *t->routers);
    t->routers[ROUTER_CORE] = (struct topo_router) {
        .name = "core", .id = 31, .router_id = 0xc0000202, .transit = true,
        .interfaces = indexes(1, 0, 0), .n_interfaces = 1,
        .attachments = indexes(1, ATT_LAN, 0), .n_attachments = 1,
        .links = indexes(1, 0, 0), .n_links = 1 };
    t->routers[ROUTER_EDGE] = (struct topo_router) {
        .name = "edge", .id = 32, .router_id = 0xc0000201, .transit = true,
        .interfaces = indexes(1, 1, 0), .n_interfaces = 1,
        .attachments = indexes(2, ATT_EAST, ATT_WEST), .n_attachments = 2,
        .links = indexes(1, 0, 0), .n_links = 1 };

    t->n_interfaces = 2;
    t->interfaces = xcalloc(t->n_interfaces, sizeof *t->interfaces);
    t->interfaces[0] = (struct topo_interface) {
        .id = 41, .router = ROUTER_CORE, .subnet = SUBNET_DB,
        .address = ip("10.0.2.1"), .mac = topo_mac(TOPO_INTERFACE, 41),
        .cost = 10 };
    t->interfaces[1] = (struct topo_interface) {
        .id = 42, .router = ROUTER_EDGE, .subnet = SUBNET_WEB,
        .address = ip("10.0.1.1"), .mac = topo_mac(TOPO_INTERFACE, 42),
        .cost = 10 };

    t->n_links = 1;
    t->links = xcalloc(t->n_links, sizeof *t->links);
    t->links[0] = (struct topo_link) {
        .name = "core-edge", .id = 51, .router = { ROUTER_CORE, ROUTER_EDGE },
        .cost = { 10, 10 } };
}

static void
make_attachments(struct topo_network *t)
{
    t->n_attachments = 3;
    t->attachments = xcalloc(t->n_attachments, sizeof *t->attachments);
    t->attachments[ATT_EAST] = (struct topo_attachment) {
        .name = "east", .id = 61, .router = ROUTER_EDGE, .host = "h1",
        .port = "east", .address = ip("169.254.10.1"), .plen = 126,
        .mac = topo_mac(TOPO_ATTACHMENT, 61), .mtu = 1500, .cost = 10,
        .has_ospf = true, .ospf.type = TOPO_P2P, .pps = 100 };
    t->attachments[ATT_LAN] = (struct topo_attachment) {
        .name = "lan", .id = 62, .router = ROUTER_CORE, .host = "h3",
        .port = "lan", .address = ip("192.168.7.1"), .plen = 120,
        .mac = topo_mac(TOPO_ATTACHMENT, 62), .mtu = 1500, .cost = 10,
        .has_ospf = true, .ospf.type = TOPO_BROADCAST, .pps = 100 };
    t->attachments[ATT_WEST] = (struct topo_attachment) {
        .name = "west", .id = 63, .router = ROUTER_EDGE, .host = "h2",
        .port = "west", .vlan = 100, .address = ip("169.254.10.5"),
        .plen = 126, .mac = topo_mac(TOPO_ATTACHMENT, 63), .mtu = 1500,
        .cost = 10, .pps = 100 };
}

static struct topo_network *
make_topology(void)
{
    struct topo_network *t = xzalloc(sizeof *t);

    t->customer = "acme";
    t->name = "prod";
    t->id = 1;
    t->vni = 257;
    t->ref_cnt = 1;
    make_subnets_and_nodes(t);
    make_routers(t);
    make_attachments(t);
    return t;
}

static void
destroy_topology(struct topo_network *t)
{
    for (size_t i = 0; i < t->n_nodes; i++) {
        free(t->nodes[i].addresses);
    }
    for (size_t i = 0; i < t->n_routers; i++) {
        free(t->routers[i].interfaces);
        free(t->routers[i].attachments);
        free(t->routers[i].links);
    }
    free(t->subnets);
    free(t->nodes);
    free(t->routers);
    free(t->interfaces);
    free(t->links);
    free(t->attachments);
    free(t);
}

/* Routes. */

static void
put_route(struct flow_net *n, size_t router, const char *prefix,
          const struct route_result *result)
{
    struct route_entry entry = { .router = router, .prefix = net(prefix),
                                 .views = { *result, *result } };

    pl_route(n->scope, n->topo, &entry, NULL);
}

static void
put_path_set(struct flow_net *n, size_t router, const char *prefix,
             uint32_t id, const int (*tiers)[2], size_t n_tiers)
{
    const struct route_way *ways[2][2];
    struct route_tier t[2];
    struct route_path_set ps = { .id = id, .router = router, .views = 3,
                                 .tiers = t, .n_tiers = n_tiers };
    struct route_result paths = { .kind = ROUTE_PATHS, .path_set = &ps };

    for (size_t i = 0; i < n_tiers; i++) {
        memset(&t[i], 0, sizeof t[i]);
        t[i].ways = ways[i];
        t[i].horizon = true;
        for (size_t j = 0; j < 2 && tiers[i][j] >= 0; j++) {
            ways[i][j] = &n->ways[tiers[i][j]];
            t[i].n_ways++;
        }
    }
    pl_path_set(n->scope, n->topo, &ps, NULL);
    put_route(n, router, prefix, &paths);
}

static void
build_routes(struct flow_net *n)
{
    static const int east_west[][2] = { { WAY_EAST, -1 }, { WAY_WEST, -1 } };
    static const int both[][2] = { { WAY_EAST, WAY_WEST } };
    static const int lan[][2] = { { WAY_LAN2, -1 }, { WAY_LAN3, -1 } };
    struct route_result to_edge = { .kind = ROUTE_SIBLING, .target = 1,
                                    .next = 1 };
    struct route_result to_core = { .kind = ROUTE_SIBLING, .target = 0,
                                    .next = 0 };
    struct route_result web = { .kind = ROUTE_SUBNET, .subnet = SUBNET_WEB,
                                .node = ROUTE_NONE };
    struct route_result db = { .kind = ROUTE_SUBNET, .subnet = SUBNET_DB,
                               .node = ROUTE_NONE };
    struct route_result on_link = { .kind = ROUTE_ATTACHMENT };

    put_route(n, ROUTER_EDGE, "10.0.1.0/24", &web);
    put_route(n, ROUTER_EDGE, "10.99.0.0/24", &web);
    put_route(n, ROUTER_EDGE, "10.0.2.0/24", &to_core);
    put_route(n, ROUTER_CORE, "10.0.2.0/24", &db);
    put_route(n, ROUTER_CORE, "10.0.1.0/24", &to_edge);
    put_route(n, ROUTER_EDGE, "169.254.10.0/30", &on_link);

    put_path_set(n, ROUTER_EDGE, "203.0.113.0/24", 1001, east_west, 2);
    put_path_set(n, ROUTER_CORE, "203.0.113.0/24", 1002, east_west, 2);
    put_path_set(n, ROUTER_EDGE, "198.51.100.0/24", 1003, both, 1);
    put_path_set(n, ROUTER_CORE, "192.0.2.0/24", 1004, lan, 2);
    put_path_set(n, ROUTER_EDGE, "192.0.2.0/24", 1005, lan, 2);
}

/* Hosts. */

static int
host_of(const char *name)
{
    return name[1] - '1';
}

static uint32_t
fixed_port(int host)
{
    return 101 + host;
}

static struct pl_way
pl_way_of(const struct flow_net *n, int w)
{
    return (struct pl_way) { .id = n->ways[w].id,
                             .attachment = n->ways[w].attachment,
                             .next_hop = n->ways[w].next_hop };
}

static void
build_way_here(struct flow_net *n, int w, int host)
{
    const struct topo_attachment *att
        = &n->topo->attachments[n->ways[w].attachment];
    struct pl_way way = pl_way_of(n, w);
    struct pl_way_here here = { .alive = n->alive[w] };

    if (host_of(att->host) == host) {
        here.local = true;
        here.ofport = 10;
        here.peer_mac = n->ways[w].peer_mac;
    } else {
        here.watch_ofport = fixed_port(host_of(att->host));
    }
    pl_host_way(n->hosts[host], n->topo, &way, &here, n->deltas[host]);
}

static void
build_host(struct flow_net *n, int host)
{
    struct scope *scope = n->hosts[host];
    struct delta *delta = n->deltas[host];

    scope_mark(scope);
    pl_host(scope, 100, delta);
    pl_host_port(scope, 10, delta);
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        if (i != host) {
            struct pl_peer peer = { .host = i + 1,
                                    .tunnel_address = ip("10.9.0.11"),
                                    .fixed_ofport = fixed_port(i) };

            peer.tunnel_address.s6_addr[15] += i;
            pl_host_peer(scope, &peer, 100, delta);
        }
    }
    for (size_t i = 0; i < n->topo->n_nodes; i++) {
        if (host_of(n->topo->nodes[i].host) == host) {
            pl_host_node(scope, n->topo, i, i == NODE_DB1 ? 2 : 1, delta);
        }
    }
    for (size_t i = 0; i < n->topo->n_attachments; i++) {
        if (host_of(n->topo->attachments[i].host) == host) {
            pl_host_attachment(scope, n->topo, i, 10, delta);
        }
    }
    for (int w = 0; w < FLOW_NET_WAYS; w++) {
        build_way_here(n, w, host);
    }
    scope_sweep(scope, delta);
}

static void
build_network(struct flow_net *n)
{
    struct topo_network *t = n->topo;

    pl_network(n->scope, t, 100, NULL);
    for (size_t i = 0; i < t->n_subnets; i++) {
        pl_subnet(n->scope, t, i, NULL);
    }
    for (size_t i = 0; i < t->n_nodes; i++) {
        pl_node(n->scope, t, i, host_of(t->nodes[i].host) + 1, NULL);
    }
    for (size_t i = 0; i < t->n_routers; i++) {
        pl_router(n->scope, t, i, NULL);
    }
    for (size_t i = 0; i < t->n_interfaces; i++) {
        pl_interface(n->scope, t, i, NULL);
    }
    for (size_t i = 0; i < t->n_attachments; i++) {
        pl_attachment(n->scope, t, i, NULL);
    }
    for (int w = 0; w < FLOW_NET_WAYS; w++) {
        struct pl_way way = pl_way_of(n, w);
        const char *host = t->attachments[way.attachment].host;

        pl_way(n->scope, t, &n->links, &way, host_of(host) + 1, NULL);
    }
    build_routes(n);
}

/* The network's part of a build goes to all hosts. */
void
flow_net_build(struct flow_net *n)
{
    struct scope *before = n->scope;

    n->scope = scope_create(n->group_ids, n->meter_ids);
    build_network(n);
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        if (before) {
            scope_remove_all(before, n->deltas[i]);
        }
        scope_add_all(n->scope, n->deltas[i]);
        build_host(n, i);
    }
    scope_destroy(before);
}

struct flow_net *
flow_net_create(void)
{
    static const struct {
        uint32_t id;
        size_t attachment;
        const char *next_hop;
        struct eth_addr peer;
    } ways[FLOW_NET_WAYS] = {
        { 0xa1, ATT_EAST, "169.254.10.2", ETH_ADDR_C(02,00,00,00,00,e1) },
        { 0xa2, ATT_WEST, "169.254.10.6", ETH_ADDR_C(02,00,00,00,00,e2) },
        { 0xa3, ATT_LAN, "192.168.7.2", ETH_ADDR_C(02,00,00,00,00,12) },
        { 0xa4, ATT_LAN, "192.168.7.3", ETH_ADDR_C(02,00,00,00,00,13) },
    };
    struct flow_net *n = xzalloc(sizeof *n);

    n->topo = make_topology();
    pl_links_init(&n->links, n->topo);
    n->group_ids = idspace_create(PL_GROUP_MIN, PL_GROUP_MAX);
    n->meter_ids = idspace_create(PL_METER_MIN, PL_METER_MAX);
    for (int i = 0; i < FLOW_NET_WAYS; i++) {
        n->ways[i] = (struct route_way) {
            .id = ways[i].id, .attachment = ways[i].attachment,
            .next_hop = ip(ways[i].next_hop), .addr = ip(ways[i].next_hop),
            .peer_mac = ways[i].peer,
        };
        n->alive[i] = true;
    }
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        n->hosts[i] = scope_create(n->group_ids, n->meter_ids);
        n->deltas[i] = delta_create();
    }
    flow_net_build(n);
    return n;
}

void
flow_net_destroy(struct flow_net *n)
{
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        scope_destroy(n->hosts[i]);
        delta_destroy(n->deltas[i]);
    }
    scope_destroy(n->scope);
    idspace_destroy(n->group_ids);
    idspace_destroy(n->meter_ids);
    pl_links_uninit(&n->links);
    destroy_topology(n->topo);
    free(n);
}

void
flow_net_move_web1(struct flow_net *n, int host)
{
    static const char *const names[] = { "h1", "h2", "h3" };

    n->topo->nodes[NODE_WEB1].host = names[host];
    flow_net_build(n);
}

void
flow_net_set_alive(struct flow_net *n, int way, bool alive)
{
    n->alive[way] = alive;
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        build_way_here(n, way, i);
    }
}
