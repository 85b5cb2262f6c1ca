/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/sim/simplan.h"

#include <string.h>

#include "openvswitch/types.h"
#include "packets.h"
#include "util.h"

#define IP(ADDRESS) IP_ARGS(htonl(ADDRESS))

uint32_t
plan_subnet(int subnet)
{
    return 0x0a000100 + (subnet << 8);                  /* 10.0.1.0 ... */
}

uint32_t
plan_gateway(int subnet, int router)
{
    return plan_subnet(subnet) + 1 + router;
}

uint32_t
plan_node_address(int node, int subnet)
{
    return plan_subnet(subnet) + 20 + node;
}

uint32_t
plan_prefix(int prefix)
{
    return 0xcb007100 + (prefix << 8);                  /* 203.0.113.0 ... */
}

char
plan_customer_letter(int customer)
{
    return 'a' + customer;
}

/* Costs are few and small, so that ties are common. */
static uint32_t
random_cost(struct simrand *r)
{
    return 10 * simrand_range(r, 1, 4);
}

/* Small worlds are quicker, and most faults show in them. */
static int
random_size(struct simrand *r, int min, int max)
{
    return simrand_range(r, min, simrand_range(r, min, max));
}

static void
add_iface(struct plan_customer *c, int peer, int att, uint32_t network,
          int other_peer, int other_iface, int side, struct simrand *r)
{
    struct plan_peer *p = &c->peers[peer];

    p->ifaces[p->n_ifaces++] = (struct plan_iface) {
        .att = att, .peer = other_peer, .iface = other_iface,
        .network = network, .side = side, .cost = random_cost(r), .up = true,
    };
}

static void
plan_peers(struct plan_customer *c, struct simrand *r)
{
    int n_links = 0;
    int n_atts;

    c->n_peers = simrand_range(r, 2, PLAN_MAX_PEERS - 1);
    for (int i = 0; i < c->n_peers; i++) {
        c->peers[i].router_id = 0x0a0a0a01 + i;
        c->peers[i].up = true;
    }
    /* Every peer has an attachment, some have two. */
    n_atts = simrand_range(r, 2, PLAN_MAX_ATTS);
    c->n_atts = MAX(c->n_peers, n_atts);
    for (int i = 0; i < c->n_atts; i++) {
        struct plan_att *att = &c->atts[i];

        att->peer = i < c->n_peers ? i : (int) simrand_below(r, c->n_peers);
        att->peer_iface = c->peers[att->peer].n_ifaces;
        if (att->peer_iface >= PLAN_MAX_IFACES - 2) {
            c->n_atts = i;
            break;
        }
        att->network = 0xa9fe0a00 + 4 * i;              /* 169.254.10.0 */
        att->cost = random_cost(r);
        att->router = simrand_below(r, c->n_routers);
        att->bfd = simrand_percent(r, 50);
        att->policy = simrand_percent(r, 50);
        att->wire_up = true;
        add_iface(c, att->peer, i, att->network, -1, -1, 2, r);
    }
    /* Some peers are neighbours of each other. */
    for (int a = 0; a < c->n_peers; a++) {
        for (int b = a + 1; b < c->n_peers; b++) {
            struct plan_peer *pa = &c->peers[a];
            struct plan_peer *pb = &c->peers[b];

            if (simrand_percent(r, 30) && pa->n_ifaces < PLAN_MAX_IFACES
                && pb->n_ifaces < PLAN_MAX_IFACES) {
                uint32_t network = 0xac100000 + 4 * n_links++; /* 172.16 */

                add_iface(c, a, -1, network, b, pb->n_ifaces, 1, r);
                add_iface(c, b, -1, network, a, pa->n_ifaces - 1, 2, r);
            }
        }
    }
}

static void
plan_prefixes(struct plan_customer *c, struct simrand *r)
{
    c->n_prefixes = simrand_range(r, 2, PLAN_MAX_PREFIXES);
    for (int i = 0; i < c->n_prefixes; i++) {
        struct plan_destination *d = &c->destinations[i];
        int n_present = 0;

        for (int j = 0; j < c->n_peers; j++) {
            struct plan_external *x = &c->peers[j].externals[i];

            x->present = simrand_percent(r, 50);
            x->e2 = simrand_percent(r, 50);
            x->metric = random_cost(r);
            n_present += x->present;
        }
        if (!n_present) {
            c->peers[simrand_below(r, c->n_peers)].externals[i].present = true;
        }
        d->advertise = simrand_below(r, 3);
        for (int j = 0; j < c->n_atts; j++) {
            /* Customers err: some state what is not there. */
            d->vias[j].wanted = simrand_percent(
                r, c->peers[c->atts[j].peer].externals[i].present ? 60 : 10);
            d->vias[j].cost = random_cost(r);
            d->wanted |= d->vias[j].wanted;
        }
        d->wanted &= simrand_percent(r, 70);
    }
}

static void
plan_customer(struct plan *p, int index, struct simrand *r)
{
    struct plan_customer *c = &p->customers[index];

    c->wanted = true;
    c->n_subnets = simrand_range(r, 1, PLAN_MAX_SUBNETS);
    c->n_routers = random_size(r, 2, PLAN_MAX_ROUTERS);
    for (int i = 0; i < c->n_routers; i++) {
        c->routers[i].iface_cost = random_cost(r);
    }
    for (int i = 0; i < c->n_subnets; i++) {
        c->routers[simrand_below(r, c->n_routers)].subnets |= 1 << i;
        if (simrand_percent(r, 30)) {
            c->routers[simrand_below(r, c->n_routers)].subnets |= 1 << i;
        }
    }
    /* A tree, and perhaps a cycle. */
    for (int i = 1; i < c->n_routers; i++) {
        c->links[c->n_links++] = (struct plan_link) {
            .a = simrand_below(r, i), .b = i,
            .cost_ab = random_cost(r), .cost_ba = random_cost(r),
        };
    }
    if (c->n_routers > 2 && simrand_percent(r, 50)) {
        c->links[c->n_links++] = (struct plan_link) {
            .a = 0, .b = c->n_routers - 1,
            .cost_ab = random_cost(r), .cost_ba = random_cost(r),
        };
    }
    c->n_nodes = simrand_range(r, 2, PLAN_MAX_NODES - 2);
    for (int i = 0; i < PLAN_MAX_NODES; i++) {
        c->nodes[i].wanted = i < c->n_nodes;
        c->nodes[i].subnet = simrand_below(r, c->n_subnets);
        c->nodes[i].host = simrand_below(r, p->n_hosts);
    }
    c->n_nodes = PLAN_MAX_NODES;
    plan_peers(c, r);
    for (int i = 0; i < c->n_atts; i++) {
        c->atts[i].host = simrand_below(r, p->n_hosts);
    }
    plan_prefixes(c, r);
}

void
plan_init(struct plan *p, struct simrand *r)
{
    memset(p, 0, sizeof *p);
    p->n_hosts = random_size(r, 3, PLAN_MAX_HOSTS);
    p->n_customers = random_size(r, 2, PLAN_MAX_CUSTOMERS);
    for (int i = 0; i < p->n_customers; i++) {
        plan_customer(p, i, r);
    }
}

/* Documents. */

void
plan_fabric_xml(const struct plan *p, struct ds *s)
{
    ds_put_cstr(s, "<fabric xmlns=\"urn:tollway:fabric:1\">\n");
    for (int i = 0; i < p->n_hosts; i++) {
        ds_put_format(s, "  <host name=\"h%d\" ovsdb=\"unix:/sim/h%d\" "
                      "tunnel=\"10.9.0.%d\" mtu=\"1600\" capacity=\"100\"/>\n",
                      i, i, i + 2);
    }
    for (int i = 0; i < p->n_customers; i++) {
        const struct plan_customer *c = &p->customers[i];

        for (int j = 0; j < c->n_atts; j++) {
            ds_put_format(s, "  <attachment-point name=\"%c-p%d\" host=\"h%d\""
                          " port=\"%c-p%d\" customer=\"%c\"/>\n",
                          plan_customer_letter(i), j, c->atts[j].host,
                          plan_customer_letter(i), j,
                          plan_customer_letter(i));
        }
    }
    ds_put_cstr(s, "</fabric>\n");
}

static void
router_xml(const struct plan_customer *c, int customer, int router,
           struct ds *s)
{
    static const char *const advertise[] = { "no", "e1", "e2" };
    const struct plan_router *r = &c->routers[router];

    ds_put_format(s, "    <router name=\"r%d\" router-id=\"192.0.2.%d\">\n",
                  router, router + 1);
    for (int i = 0; i < c->n_subnets; i++) {
        if (r->subnets & (1 << i)) {
            ds_put_format(s, "      <interface subnet=\"s%d\" address=\""
                          IP_FMT"\" cost=\"%u\"/>\n", i,
                          IP(plan_gateway(i, router)), r->iface_cost);
        }
    }
    for (int i = 0; i < c->n_atts; i++) {
        const struct plan_att *att = &c->atts[i];

        if (att->router != router) {
            continue;
        }
        ds_put_format(s, "      <attachment name=\"t%d\" point=\"%c-p%d\" "
                      "address=\""IP_FMT"/30\" cost=\"%u\"%s>\n", i,
                      plan_customer_letter(customer), i, IP(att->network + 1),
                      att->cost, att->policy ? " policy=\"delay\"" : "");
        ds_put_format(s, "        <ospf network-type=\"point-to-point\" "
                      "hello-interval=\"%d\" dead-interval=\"%d\"/>\n",
                      PLAN_HELLO_S, PLAN_DEAD_S);
        if (att->bfd) {
            ds_put_cstr(s, "        <bfd interval=\"50ms\"/>\n");
        }
        ds_put_cstr(s, "      </attachment>\n");
    }
    for (int i = 0; i < c->n_prefixes; i++) {
        const struct plan_destination *d = &c->destinations[i];
        bool here = false;

        for (int j = 0; j < c->n_atts; j++) {
            here |= d->vias[j].wanted && c->atts[j].router == router;
        }
        if (!d->wanted || !here) {
            continue;
        }
        ds_put_format(s, "      <destination prefix=\""IP_FMT"/24\" "
                      "advertise=\"%s\">\n", IP(plan_prefix(i)),
                      advertise[d->advertise]);
        for (int j = 0; j < c->n_atts; j++) {
            if (d->vias[j].wanted && c->atts[j].router == router) {
                ds_put_format(s, "        <via attachment=\"t%d\" "
                              "cost=\"%u\"/>\n", j, d->vias[j].cost);
            }
        }
        ds_put_cstr(s, "      </destination>\n");
    }
    ds_put_cstr(s, "    </router>\n");
}

void
plan_config_xml(const struct plan *p, int customer, struct ds *s)
{
    const struct plan_customer *c = &p->customers[customer];

    ds_put_format(s, "<customer xmlns=\"urn:tollway:config:1\" name=\"%c\">\n",
                  plan_customer_letter(customer));
    ds_put_cstr(s, "  <cost-policy name=\"delay\" delay-cost=\"10\" "
                "half-life=\"0s\" hysteresis=\"0\"/>\n");
    ds_put_cstr(s, "  <network name=\"n\">\n");
    for (int i = 0; i < c->n_subnets; i++) {
        ds_put_format(s, "    <subnet name=\"s%d\" prefix=\""IP_FMT"/24\"/>\n",
                      i, IP(plan_subnet(i)));
    }
    for (int i = 0; i < c->n_nodes; i++) {
        if (c->nodes[i].wanted) {
            ds_put_format(s, "    <node name=\"v%d\" subnet=\"s%d\" "
                          "address=\""IP_FMT"\"/>\n", i, c->nodes[i].subnet,
                          IP(plan_node_address(i, c->nodes[i].subnet)));
        }
    }
    for (int i = 0; i < c->n_routers; i++) {
        router_xml(c, customer, i, s);
    }
    for (int i = 0; i < c->n_links; i++) {
        const struct plan_link *l = &c->links[i];

        ds_put_format(s, "    <link name=\"l%d\" a=\"r%d\" b=\"r%d\" "
                      "cost-ab=\"%u\" cost-ba=\"%u\"/>\n", i, l->a, l->b,
                      l->cost_ab, l->cost_ba);
    }
    ds_put_cstr(s, "  </network>\n</customer>\n");
}

void
plan_metrics_xml(const struct plan *p, struct ds *s)
{
    ds_put_cstr(s, "<metrics xmlns=\"urn:tollway:metrics:1\">\n");
    for (int i = 0; i < p->n_customers; i++) {
        for (int j = 0; j < p->customers[i].n_atts; j++) {
            ds_put_format(s, "  <attachment point=\"%c-p%d\" "
                          "delay=\"%ums\"/>\n", plan_customer_letter(i), j,
                          p->delay_ms[i][j]);
        }
    }
    ds_put_cstr(s, "</metrics>\n");
}
