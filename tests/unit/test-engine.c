/* SPDX-License-Identifier: Apache-2.0 */

/* The engine with documents that change while it runs: hosts that come and go,
 * customers, attachments that move, OSPF that is switched on and off.  Peers
 * are small OSPF routers behind attachment points under a virtual clock.  When
 * things have come to rest, what the engine has must equal what it computes
 * anew (C2). */

#include <config.h>
#include "controller/engine/engine-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "controller/engine/frames.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "svec.h"
#include "tests/unit/model-docs.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

/* Peers. */

struct peer {
    const char *point;          /* Where it is; NULL: unplugged. */
    uint32_t ip;                /* Host byte order. */
    struct eth_addr mac;
    struct ospf *ospf;          /* NULL: speaks ARP only. */
    bool mute;                  /* Says and hears nothing. */
    struct eth_addr us;         /* Who is at the other end, as last seen. */
};

struct world {
    struct engine *e;
    struct engine_out out;
    long long int now;
    struct peer peers[4];
    size_t n_peers;
    enum engine_bfd_state bfd[4][4]; /* Tunnels, by host's index. */
    size_t n_runs;
};

static void
world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->e = engine_create(1);
    w->now = 1000;
    for (int i = 0; i < 16; i++) {
        w->bfd[i / 4][i % 4] = ENGINE_BFD_UP;
    }
}

static void
world_destroy(struct world *w)
{
    for (size_t i = 0; i < w->n_peers; i++) {
        ospf_destroy(w->peers[i].ospf);
    }
    engine_out_uninit(&w->out);
    engine_destroy(w->e);
}

static struct peer *
add_peer(struct world *w, const char *point, uint32_t ip)
{
    struct peer *p = &w->peers[w->n_peers++];

    *p = (struct peer) {
        .point = point, .ip = ip,
        .mac = { .ea = { 2, w->n_peers, ip >> 24, ip >> 16, ip >> 8, ip } },
    };
    return p;
}

/* Lets the peer speak OSPF and know 'prefix'/24. */
static void
peer_ospf(struct world *w, struct peer *p, uint32_t router_id, uint32_t prefix)
{
    struct ospf_iface_config iface = {
        .id = 1, .name = "up", .address = p->ip, .plen = 30,
        .type = OSPF_P2P, .cost = 10, .hello_interval = 10,
        .dead_interval = 40, .mtu = 1500,
    };
    struct ospf_config config = {
        .router_id = router_id, .ifaces = &iface, .n_ifaces = 1,
    };
    struct ospf_external_config ext = {
        .prefix = prefix, .plen = 24, .e2 = true, .metric = 20,
    };
    struct ospf_out o = OSPF_OUT_INIT;

    p->ospf = ospf_create();
    ospf_configure(p->ospf, &config, w->now, &o);
    ospf_set_externals(p->ospf, &ext, 1, w->now, &o);
    ospf_iface_up(p->ospf, 1, w->now, &o);
    ospf_out_uninit(&o);
}

/* The attachment behind a point. */
static struct engine_net *
find_attachment(struct world *w, const char *point, size_t *attachment)
{
    for (size_t i = 0; i < w->e->n_nets; i++) {
        struct engine_net *net = w->e->nets[i];

        for (size_t j = 0; j < net->topo->n_attachments; j++) {
            if (!strcmp(net->topo->attachments[j].point, point)) {
                *attachment = j;
                return net;
            }
        }
    }
    return NULL;
}

static void
peer_said(struct world *w, struct peer *p, struct ospf_out *o)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct ospf_action *a = &o->actions[i];
        struct engine_net *net;
        size_t att;

        if (a->type != OSPF_ACTION_SEND || p->mute || !p->point) {
            continue;
        }
        net = find_attachment(w, p->point, &att);
        if (net && net->atts[att].ofport && net->atts[att].up) {
            struct ospf_rx rx = {
                .iface = net->topo->attachments[att].id,
                .src = a->send.src, .dst = a->send.dst, .ttl = 1,
                .data = a->send.data, .len = a->send.len,
            };
            ways_heard(net, att, htonl(p->ip), p->mac, w->now);
            speakers_receive(net, att, &rx, w->now, &w->out);
        }
    }
    ospf_out_uninit(o);
}

static void
peer_hears(struct world *w, struct peer *p, struct engine_net *net, size_t att,
           const struct frame *f)
{
    if (f->eth_type == ETH_TYPE_ARP) {
        if (net && ntohl(f->arp_tpa) == p->ip) {
            ways_heard(net, att, f->arp_tpa, p->mac, w->now);
        }
    } else if (f->ip_proto == 89 && p->ospf
               && (eth_addr_is_multicast(f->dst)
                   || eth_addr_equals(f->dst, p->mac))) {
        struct ospf_rx rx = {
            .iface = 1, .src = ntohl(f->ip_src), .dst = ntohl(f->ip_dst),
            .ttl = 1, .data = f->payload, .len = f->payload_len,
        };
        struct ospf_out o = OSPF_OUT_INIT;

        ospf_receive(p->ospf, &rx, w->now, &o);
        peer_said(w, p, &o);
    }
}

/* Gives what the engine sent to those who hear it. */
static void
deliver(struct world *w)
{
    struct engine_out out = w->out;

    memset(&w->out, 0, sizeof w->out);
    for (size_t i = 0; i < out.n; i++) {
        const struct engine_action *a = &out.actions[i];
        struct frame f;

        if (a->type == ENGINE_HOST_DELTA) {
            engine_host_applied(w->e, a->host, a->serial, w->now);
        } else if (a->type == ENGINE_PACKET_OUT
                   && frame_parse(a->packet->data, a->packet->size, &f)) {
            for (size_t j = 0; j < w->n_peers; j++) {
                struct peer *p = &w->peers[j];
                size_t att = 0;
                struct engine_net *net = (p->point && !p->mute
                                          ? find_attachment(w, p->point, &att)
                                          : NULL);
                if (net) {
                    p->us = net->topo->attachments[att].mac;
                }
                if (!p->mute && eth_addr_equals(f.src, p->us)) {
                    peer_hears(w, p, net, att, &f);
                }
            }
        }
    }
    engine_out_uninit(&out);
}

static bool
check(struct world *w, int line)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    bool ok = engine_check(w->e, w->now, &s);

    if (!ok) {
        printf("line %d, %lld ms: %s\n", line, w->now, ds_cstr(&s));
    }
    ds_destroy(&s);
    return ok;
}

/* Runs until all is done at this moment. */
static void
settle(struct world *w)
{
    for (int i = 0; i < 200; i++) {
        engine_run(w->e, w->now, &w->out);
        w->n_runs++;
        deliver(w);
        if (!w->out.n && engine_next_wake(w->e) > w->now) {
            return;
        }
    }
    CU_FAIL("busy loop");
}

static bool
advance(struct world *w, long long int ms, int line)
{
    long long int end = w->now + ms;

    settle(w);
    while (w->now < end) {
        long long int next = MIN(end, engine_next_wake(w->e));

        for (size_t i = 0; i < w->n_peers; i++) {
            if (w->peers[i].ospf) {
                next = MIN(next, ospf_next_wake(w->peers[i].ospf));
            }
        }
        w->now = MAX(next, w->now + 1);
        for (size_t i = 0; i < w->n_peers; i++) {
            struct peer *p = &w->peers[i];

            if (p->ospf && ospf_next_wake(p->ospf) <= w->now) {
                struct ospf_out o = OSPF_OUT_INIT;
                ospf_run(p->ospf, w->now, &o);
                peer_said(w, p, &o);
            }
        }
        settle(w);
    }
    return check(w, line);
}
#define ADVANCE(W, MS) CU_ASSERT(advance(W, MS, __LINE__))

/* Documents. */

static void
plug(struct world *w, const struct model_host *host)
{
    const struct model_fabric *fabric = w->e->fabric;
    struct engine_port *ports = xcalloc(fabric->n_hosts + fabric->n_points
                                        + w->e->alloc->n + 1, sizeof *ports);
    struct svec strings = SVEC_EMPTY_INITIALIZER;
    size_t n = 0;

    ports[n++] = (struct engine_port) {
        .name = "tunnel", .ofport = 1, .up = true, .tunnel = true,
    };
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        const struct model_host *other = &fabric->hosts[i];
        char buf[ADDR_STRLEN];

        if (other != host) {
            svec_add_nocopy(&strings, xasprintf("to-%s", other->name));
            svec_add(&strings, addr_to_string(&other->tunnel, buf));
            ports[n] = (struct engine_port) {
                .name = strings.names[strings.n - 2], .ofport = 10 + i,
                .up = true, .tunnel = true,
                .bfd = w->bfd[host->name[1] - '1'][other->name[1] - '1'],
                .remote = strings.names[strings.n - 1],
            };
            n++;
        }
    }
    for (size_t i = 0; i < fabric->n_points; i++) {
        const struct model_point *p = &fabric->points[i];

        if (p->host == (size_t) (host - fabric->hosts)) {
            ports[n++] = (struct engine_port) {
                .name = p->port, .ofport = 100 + i, .up = true,
            };
        }
    }
    for (size_t i = 0; i < w->e->alloc->n; i++) {
        const struct alloc *a = w->e->alloc->records[i];

        if (a->kind == TOPO_NODE && a->host && !strcmp(a->host, host->name)) {
            svec_add_nocopy(&strings, xasprintf("%s/%s/%s", a->customer,
                                                a->network, a->name));
            ports[n] = (struct engine_port) {
                .name = strings.names[strings.n - 1], .ofport = 200 + n,
                .iface_id = strings.names[strings.n - 1], .up = true,
            };
            n++;
        }
    }
    engine_host_ports(w->e, host->name, ports, n, w->now);
    if (!engine_host_is_connected(w->e, host->name)) {
        engine_host_connected(w->e, host->name, installed_create(), w->now);
    }
    free(ports);
    svec_destroy(&strings);
}

static void
plug_all(struct world *w)
{
    for (size_t i = 0; i < w->e->fabric->n_hosts; i++) {
        plug(w, &w->e->fabric->hosts[i]);
    }
}

/* Submits documents; NULL 'config' with a customer deletes it. */
static void
submit(struct world *w, const char *fabric_text, const char *customer,
       const char *config_text)
{
    struct model_fabric *fabric = (fabric_text ? docs_fabric(fabric_text)
                                   : NULL);
    struct model_config *config = (config_text ? docs_config(config_text)
                                   : NULL);
    const struct model_fabric *f = fabric ? fabric : w->e->fabric;
    struct diags diags = DIAGS_INITIALIZER;
    struct alloc_set *alloc = alloc_set_ref(w->e->alloc);

    for (size_t i = 0; fabric && i < w->e->n_configs; i++) {
        struct alloc_set *next = alloc_update(alloc, w->e->configs[i], f,
                                              &diags);
        alloc_set_unref(alloc);
        alloc = next;
        CU_ASSERT_FATAL(alloc != NULL);
    }
    if (customer) {
        struct alloc_set *next
            = (config ? alloc_update(alloc, config, f, &diags)
               : alloc_remove_customer(alloc, customer));

        alloc_set_unref(alloc);
        alloc = next;
        if (!alloc) {
            struct ds s = DS_EMPTY_INITIALIZER;
            diags_format(&diags, &s);
            printf("%s\n", ds_cstr(&s));
            ds_destroy(&s);
        }
        CU_ASSERT_FATAL(alloc != NULL);
    }
    engine_set_documents(w->e, fabric, alloc, customer, config, w->now,
                         &w->out);
    diags_destroy(&diags);
    plug_all(w);
}

#define HOST(N) "<host name='h" #N "' ovsdb='unix:/h" #N "' " \
                "tunnel='172.31.0." #N "' mtu='1600'/>"
#define POINT(NAME, H) "<attachment-point name='" NAME "' host='" H "' " \
                       "port='" NAME "' customer='acme'/>"
#define FABRIC(S) DOCS_FABRIC_BEGIN S DOCS_FABRIC_END
#define FABRIC3 FABRIC(HOST(1) HOST(2) HOST(3) POINT("east", "h2") \
                       POINT("west", "h3"))
#define CONFIG(S) DOCS_CONFIG_BEGIN "<network name='prod'>" \
                  "<subnet name='web' prefix='10.0.1.0/24'/>" \
                  "<node name='web1' subnet='web' address='10.0.1.10'/>" S \
                  "</network>" DOCS_CONFIG_END
#define ROUTER(ATTRS, S) "<router name='edge' router-id='192.0.2.1' " ATTRS \
                         "><interface subnet='web' address='10.0.1.1' " \
                         "cost='10'/>" S "</router>"
#define OSPF "<ospf network-type='point-to-point'/>"
#define EAST(S) "<attachment name='east' point='east' " \
                "address='169.254.10.1/30'>" S "</attachment>"
#define WEST(S) "<attachment name='west' point='west' " \
                "address='169.254.10.5/30'>" S "</attachment>"

#define PEER_EAST 0xa9fe0a02u
#define PEER_WEST 0xa9fe0a06u
#define LEARNED_EAST 0xc6336400u /* 198.51.100.0/24. */
#define LEARNED_WEST 0xcb007100u /* 203.0.113.0/24. */

/* Has router 0 a living way to 'prefix'/24? */
static bool
reaches(struct world *w, uint32_t prefix)
{
    struct in6_addr addr = addr_from_ip4(htonl(prefix));
    struct prefix p = prefix_from_addr(&addr, 24);
    const struct route_entry *entry = route_net_entry(w->e->nets[0]->routes,
                                                      0, &p);

    return (entry && entry->views[0].kind == ROUTE_PATHS
            && route_path_set_best(entry->views[0].path_set));
}

static bool
is_full(struct world *w, const char *point)
{
    size_t att;
    struct engine_net *net = find_attachment(w, point, &att);
    struct engine_speaker *s = net ? speakers_find(net, att) : NULL;

    return s && ospf_neighbor_is_full(s->ospf,
                                      net->topo->attachments[att].id, 0);
}

/* Two sites that both speak OSPF. */
static void
two_sites(struct world *w, const char *config)
{
    world_init(w);
    submit(w, FABRIC3, "acme", config);
    peer_ospf(w, add_peer(w, "east", PEER_EAST), 0x0a0a0a01, LEARNED_EAST);
    peer_ospf(w, add_peer(w, "west", PEER_WEST), 0x0a0a0a02, LEARNED_WEST);
    ADVANCE(w, 60000);
}

static void
test_transit_flips(void)
{
    struct world w;

    two_sites(&w, CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF))));
    CU_ASSERT(is_full(&w, "east") && is_full(&w, "west"));
    CU_ASSERT(reaches(&w, LEARNED_EAST));
    submit(&w, NULL, "acme", CONFIG(ROUTER("transit='no'",
                                           EAST(OSPF) WEST(OSPF))));
    ADVANCE(&w, 120000);
    CU_ASSERT(is_full(&w, "east") && is_full(&w, "west"));
    submit(&w, NULL, "acme", CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF))));
    ADVANCE(&w, 120000);
    CU_ASSERT(is_full(&w, "east") && is_full(&w, "west"));
    CU_ASSERT(reaches(&w, LEARNED_EAST));
    world_destroy(&w);
}

static void
test_ospf_goes(void)
{
    struct world w;

    two_sites(&w, CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF))));
    CU_ASSERT(reaches(&w, LEARNED_EAST));
    submit(&w, NULL, "acme", CONFIG(ROUTER("", EAST("") WEST(""))));
    ADVANCE(&w, 5000);
    CU_ASSERT(!reaches(&w, LEARNED_EAST));
    CU_ASSERT(!reaches(&w, LEARNED_WEST));
    world_destroy(&w);

    two_sites(&w, CONFIG(ROUTER("transit='no'", EAST(OSPF) WEST(OSPF))));
    submit(&w, NULL, "acme", CONFIG(ROUTER("transit='no'",
                                           EAST("") WEST(OSPF))));
    ADVANCE(&w, 5000);
    CU_ASSERT(!reaches(&w, LEARNED_EAST));
    CU_ASSERT(reaches(&w, LEARNED_WEST));
    world_destroy(&w);
}

static void
test_neighbor_goes(void)
{
    struct world w;

    two_sites(&w, CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF)
        "<destination prefix='192.0.2.128/25'><via attachment='east' "
        "cost='5'/></destination>")));
    w.peers[0].mute = true;
    ADVANCE(&w, 200000);
    CU_ASSERT(!reaches(&w, LEARNED_EAST));
    w.peers[0].mute = false;
    ADVANCE(&w, 100000);
    CU_ASSERT(reaches(&w, LEARNED_EAST));
    world_destroy(&w);
}

#define WIDE "<attachment name='east' point='east' " \
             "address='169.254.10.1/24'>" OSPF "</attachment>"

static void
test_wide_neighbor_goes(void)
{
    struct world w;

    world_init(&w);
    submit(&w, FABRIC3, "acme", CONFIG(ROUTER("", WIDE
        "<destination prefix='192.0.2.128/25'><via attachment='east' "
        "cost='5'/></destination>")));
    peer_ospf(&w, add_peer(&w, "east", PEER_EAST), 0x0a0a0a01, LEARNED_EAST);
    ADVANCE(&w, 60000);
    CU_ASSERT(is_full(&w, "east"));
    w.peers[0].mute = true;
    ADVANCE(&w, 200000);
    w.peers[0].mute = false;
    ADVANCE(&w, 100000);
    CU_ASSERT(is_full(&w, "east"));
    world_destroy(&w);
}

/* Of those who see h2 as dead one leaves: the other alone is not believed. */
static void
test_watcher_leaves(void)
{
    struct world w;
    size_t att;

    world_init(&w);
    submit(&w, FABRIC3, "acme", CONFIG(ROUTER("", EAST(""))));
    w.bfd[0][1] = w.bfd[2][1] = ENGINE_BFD_DOWN;
    plug_all(&w);
    ADVANCE(&w, 5000);
    struct engine_net *net = find_attachment(&w, "east", &att);
    CU_ASSERT(net->atts[att].host_lost);
    submit(&w, FABRIC(HOST(1) HOST(2) POINT("east", "h2")), NULL, NULL);
    ADVANCE(&w, 5000);
    CU_ASSERT(!net->atts[att].host_lost);
    world_destroy(&w);
}

/* A host leaves the fabric and comes back, before and after anything ran. */
static void
test_host_leaves(void)
{
    struct world w;

    two_sites(&w, CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF))));
    submit(&w, NULL, "acme", CONFIG(ROUTER("", EAST(OSPF))));
    submit(&w, FABRIC(HOST(1) HOST(2) POINT("east", "h2")), NULL, NULL);
    submit(&w, FABRIC3, NULL, NULL);
    ADVANCE(&w, 1000);
    submit(&w, FABRIC(HOST(1) HOST(2) POINT("east", "h2")), NULL, NULL);
    ADVANCE(&w, 1000);
    submit(&w, FABRIC3, NULL, NULL);
    submit(&w, NULL, "acme", CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF))));
    ADVANCE(&w, 60000);
    CU_ASSERT(is_full(&w, "east") && is_full(&w, "west"));
    world_destroy(&w);
}

static void
test_customer_comes_back(void)
{
    struct world w;
    const char *config = CONFIG(ROUTER("", EAST(OSPF) WEST(OSPF)));

    two_sites(&w, config);
    submit(&w, NULL, "acme", NULL);
    submit(&w, NULL, "acme", config);
    ADVANCE(&w, 100000);
    CU_ASSERT(is_full(&w, "east") && is_full(&w, "west"));
    submit(&w, NULL, "acme", NULL);
    ADVANCE(&w, 1);
    /* The peers were told, and don't wait for their dead interval. */
    for (int i = 0; i < 2; i++) {
        const struct ospf_rib *rib = ospf_run_spf(w.peers[i].ospf, w.now);
        for (size_t j = 0; j < rib->n_routes; j++) {
            CU_ASSERT(rib->routes[j].prefix != 0x0a000100);
        }
    }
    submit(&w, NULL, "acme", config);
    ADVANCE(&w, 100000);
    CU_ASSERT(is_full(&w, "east") && is_full(&w, "west"));
    world_destroy(&w);
}

/* Another router is at the other port, with the same address. */
static void
test_attachment_moves(void)
{
    struct world w;

    world_init(&w);
    submit(&w, FABRIC3, "acme", CONFIG(ROUTER("", EAST(OSPF))));
    peer_ospf(&w, add_peer(&w, "east", PEER_EAST), 0x0a0a0a01, LEARNED_EAST);
    ADVANCE(&w, 60000);
    CU_ASSERT(is_full(&w, "east"));
    peer_ospf(&w, add_peer(&w, "west", PEER_EAST), 0x0a0a0a02, LEARNED_WEST);
    submit(&w, NULL, "acme", CONFIG(ROUTER("",
        "<attachment name='east' point='west' address='169.254.10.1/30'>"
        OSPF "</attachment>")));
    ADVANCE(&w, 1500);
    struct engine_way *way = w.e->nets[0]->n_ways ? w.e->nets[0]->ways[0]
                                                   : NULL;
    CU_ASSERT(!way || way->arp != ARP_KNOWN
              || eth_addr_equals(way->mac, w.peers[1].mac));
    ADVANCE(&w, 60000);
    CU_ASSERT(is_full(&w, "west"));
    CU_ASSERT(!reaches(&w, LEARNED_EAST));
    CU_ASSERT(reaches(&w, LEARNED_WEST));
    world_destroy(&w);
}

/* What is known of hosts and points that left must not keep the rest from
 * being restored. */
static void
test_metrics_of_gone(void)
{
    struct model_schema *schema = docs_schema(MODEL_METRICS);
    const char *text = "<metrics xmlns='urn:tollway:metrics:1'>"
                       "<path from='h1' to='h2' delay='5ms'/>"
                       "<path from='h1' to='h3' delay='7ms'/>"
                       "<attachment point='west' delay='1ms'/>"
                       "<attachment point='east' delay='1ms'/></metrics>";
    struct diags diags = DIAGS_INITIALIZER;
    struct world w;

    world_init(&w);
    submit(&w, FABRIC3, "acme", CONFIG(ROUTER("", EAST(""))));
    struct model_metrics *m = model_metrics_parse(schema, "m", text,
                                                  strlen(text), &diags);
    CU_ASSERT_FATAL(m != NULL);
    CU_ASSERT(engine_set_metrics(w.e, m, w.now, &diags));
    model_metrics_unref(m);
    ADVANCE(&w, 1000);
    submit(&w, FABRIC(HOST(1) HOST(2) POINT("east", "h2")), NULL, NULL);
    ADVANCE(&w, 1000);

    char *stored = engine_metrics_document(w.e, w.now);
    m = model_metrics_parse(schema, "m", stored, strlen(stored), &diags);
    CU_ASSERT_FATAL(m != NULL);
    CU_ASSERT(engine_set_metrics(w.e, m, w.now, &diags));
    CU_ASSERT_EQUAL(m->n_paths, 1);
    CU_ASSERT_EQUAL(m->n_points, 1);
    model_metrics_unref(m);
    free(stored);
    diags_destroy(&diags);
    model_schema_destroy(schema);
    world_destroy(&w);
}

#define TWO_ROUTERS(LINK) CONFIG( \
    "<router name='a' router-id='192.0.2.1'>" EAST(OSPF) "</router>" \
    "<router name='b' router-id='192.0.2.2'>" \
    "<interface subnet='web' address='10.0.1.1' cost='10'/>" \
    WEST(OSPF) "</router>" LINK)

static void
test_wires(void)
{
    const char *linked = TWO_ROUTERS(
        "<link name='wire' a='a' b='b' cost-ab='7' cost-ba='9'/>");
    struct world w;

    two_sites(&w, linked);
    CU_ASSERT(reaches(&w, LEARNED_WEST));
    submit(&w, NULL, "acme", TWO_ROUTERS(""));
    ADVANCE(&w, 10000);
    CU_ASSERT(!reaches(&w, LEARNED_WEST));
    submit(&w, NULL, "acme", linked);
    ADVANCE(&w, 30000);
    CU_ASSERT(reaches(&w, LEARNED_WEST));
    w.peers[0].mute = true;
    ADVANCE(&w, 100000);
    w.peers[0].mute = false;
    ADVANCE(&w, 100000);
    w.peers[1].mute = true;
    ADVANCE(&w, 100000);
    world_destroy(&w);
}

TW_TESTS("engine",
         TW_TEST(test_transit_flips),
         TW_TEST(test_ospf_goes),
         TW_TEST(test_neighbor_goes),
         TW_TEST(test_wide_neighbor_goes),
         TW_TEST(test_watcher_leaves),
         TW_TEST(test_host_leaves),
         TW_TEST(test_customer_comes_back),
         TW_TEST(test_attachment_moves),
         TW_TEST(test_metrics_of_gone),
         TW_TEST(test_wires))
