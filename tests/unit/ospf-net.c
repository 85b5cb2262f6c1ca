/* SPDX-License-Identifier: Apache-2.0 */

/* See ospf-net.h. */

#include <config.h>
#include "tests/unit/ospf-net.h"

#include <limits.h>

#include "util.h"

void
net_init(struct net *net)
{
    memset(net, 0, sizeof *net);
    net->now = 1000;
    net->delay_ms = 1;
    tw_random_init(&net->random, 1);
}

void
net_destroy(struct net *net)
{
    for (size_t i = 0; i < net->n_queue; i++) {
        free(net->queue[i].data);
        lsa_unref(net->queue[i].lsa);
    }
    free(net->queue);
    for (size_t i = 0; i < net->n_routers; i++) {
        ospf_destroy(net->routers[i].ospf);
        ds_destroy(&net->routers[i].log);
    }
}

uint32_t
net_add_router(struct net *net, uint32_t router_id)
{
    struct net_router *r = &net->routers[net->n_routers];

    ovs_assert(net->n_routers < NET_MAX);
    r->cfg.router_id = router_id;
    r->cfg.ifaces = r->ifaces;
    r->cfg.stubs = r->stubs;
    r->cfg.wires = r->wires;
    r->cfg.family = r->family;
    ds_init(&r->log);
    return net->n_routers++;
}

uint32_t
net_attach(struct net *net, uint32_t router, uint32_t segment,
           uint32_t address, uint8_t plen, enum ospf_iface_type type)
{
    struct net_router *r = &net->routers[router];
    size_t i = r->cfg.n_ifaces++;

    ovs_assert(i < NET_MAX);
    r->segments[i] = segment;
    r->ifaces[i] = (struct ospf_iface_config) {
        .id = i + 1, .name = "if", .address = address, .plen = plen,
        .type = type, .cost = 10, .hello_interval = 1, .dead_interval = 4,
        .priority = 1, .mtu = 1500,
    };
    return i + 1;
}

struct ospf_iface_config *
net_iface(struct net *net, uint32_t router, uint32_t iface)
{
    return &net->routers[router].ifaces[iface - 1];
}

void
net_add_stub(struct net *net, uint32_t router, uint32_t prefix,
             uint8_t plen, uint16_t cost)
{
    struct net_router *r = &net->routers[router];
    size_t i = r->cfg.n_stubs++;

    ovs_assert(i < NET_MAX);
    r->stubs[i] = (struct ospf_stub_config) { prefix, plen, cost };
}

static void
add_family(struct net_router *r, uint32_t router_id)
{
    for (size_t i = 0; i < r->cfg.n_family; i++) {
        if (r->family[i] == router_id) {
            return;
        }
    }
    r->family[r->cfg.n_family++] = router_id;
}

void
net_wire(struct net *net, uint32_t a, uint32_t b, uint16_t cost_a_to_b,
         uint16_t cost_b_to_a)
{
    struct net_router *ra = &net->routers[a], *rb = &net->routers[b];
    size_t i = ra->cfg.n_wires++, j = rb->cfg.n_wires++;

    ovs_assert(i < NET_MAX && j < NET_MAX);
    ra->wires[i] = (struct ospf_wire_config) {
        .id = i + 1, .peer = rb->cfg.router_id, .cost = cost_a_to_b };
    rb->wires[j] = (struct ospf_wire_config) {
        .id = j + 1, .peer = ra->cfg.router_id, .cost = cost_b_to_a };
    ra->wire_ends[i].router = b;
    ra->wire_ends[i].wire = j + 1;
    rb->wire_ends[j].router = a;
    rb->wire_ends[j].wire = i + 1;
    add_family(ra, rb->cfg.router_id);
    add_family(rb, ra->cfg.router_id);
}

static void
enqueue(struct net *net, const struct net_packet *template)
{
    if (net->n_queue >= net->allocated_queue) {
        net->queue = x2nrealloc(net->queue, &net->allocated_queue,
                                sizeof *net->queue);
    }
    struct net_packet p = *template;
    p.seq = net->seq++;
    size_t i = net->n_queue++;
    for (; i > 0 && net->queue[i - 1].at > p.at; i--) {
        net->queue[i] = net->queue[i - 1];
    }
    net->queue[i] = p;
}

static bool
chance(struct net *net, unsigned int percent)
{
    return percent && tw_random_range(&net->random, 100) < percent;
}

static void
transmit(struct net *net, uint32_t router, const struct ospf_action *a)
{
    struct net_router *from = &net->routers[router];
    uint32_t segment = from->segments[a->send.iface - 1];

    from->n_sent[a->send.data[1]]++;
    if (a->send.data[1] == 4) {
        from->largest_lsu = MAX(from->largest_lsu, a->send.len);
    }
    if (net->cut[segment]) {
        return;
    }
    for (uint32_t i = 0; i < net->n_routers; i++) {
        for (uint32_t j = 0; j < net->routers[i].cfg.n_ifaces; j++) {
            bool multicast = a->send.dst >> 28 == 0xe;
            const struct ospf_iface_config *cfg = &net->routers[i].ifaces[j];

            if ((i == router && cfg->id == a->send.iface)
                || net->routers[i].segments[j] != segment
                || (!multicast && cfg->address != a->send.dst)) {
                continue;
            }
            struct net_packet p = {
                .at = net->now + net->delay_ms, .router = i, .iface = cfg->id,
                .src = a->send.src, .dst = a->send.dst, .len = a->send.len,
            };
            p.data = a->send.data;
            if ((net->filter && net->filter(net, &p))
                || chance(net, net->loss_percent)) {
                continue;
            }
            p.data = xmemdup(a->send.data, a->send.len);
            enqueue(net, &p);
            if (chance(net, net->duplicate_percent)) {
                p.data = xmemdup(a->send.data, a->send.len);
                p.at += net->delay_ms;
                enqueue(net, &p);
            }
        }
    }
}

void
net_apply(struct net *net, uint32_t router, struct ospf_out *out)
{
    struct net_router *r = &net->routers[router];

    for (size_t i = 0; i < out->n; i++) {
        struct ospf_action *a = &out->actions[i];
        switch (a->type) {
        case OSPF_ACTION_SEND:
            transmit(net, router, a);
            break;
        case OSPF_ACTION_WIRE: {
            struct net_packet p = {
                .at = net->now,
                .router = r->wire_ends[a->wire.wire - 1].router,
                .iface = r->wire_ends[a->wire.wire - 1].wire,
                .lsa = lsa_ref(a->wire.lsa),
            };
            enqueue(net, &p);
            break;
        }
        case OSPF_ACTION_EVENT:
            ds_put_format(&r->log, "%lld %s%s%s %s\n", net->now,
                          a->event.from ? a->event.from : "",
                          a->event.to ? " -> " : "",
                          a->event.to ? a->event.to : "", a->event.reason);
            break;
        }
    }
    ospf_out_uninit(out);
}

void
net_configure(struct net *net, uint32_t router)
{
    struct net_router *r = &net->routers[router];
    struct ospf_out out = OSPF_OUT_INIT;

    ospf_configure(r->ospf, &r->cfg, net->now, &out);
    net_apply(net, router, &out);
}

void
net_up(struct net *net, uint32_t router)
{
    struct net_router *r = &net->routers[router];

    for (size_t i = 0; i < r->cfg.n_ifaces; i++) {
        struct ospf_out out = OSPF_OUT_INIT;
        ospf_iface_up(r->ospf, r->ifaces[i].id, net->now, &out);
        net_apply(net, router, &out);
    }
}

void
net_start(struct net *net)
{
    for (uint32_t i = 0; i < net->n_routers; i++) {
        if (!net->routers[i].ospf) {
            net->routers[i].ospf = ospf_create();
        }
        net_configure(net, i);
        net_up(net, i);
    }
}

void
net_kill(struct net *net, uint32_t router)
{
    ospf_destroy(net->routers[router].ospf);
    net->routers[router].ospf = NULL;
}

void
net_externals(struct net *net, uint32_t router,
              const struct ospf_external_config *v, size_t n)
{
    struct ospf_out out = OSPF_OUT_INIT;

    ospf_set_externals(net->routers[router].ospf, v, n, net->now, &out);
    net_apply(net, router, &out);
}

static void
deliver(struct net *net, struct net_packet *p)
{
    struct net_router *r = &net->routers[p->router];
    struct ospf_out out = OSPF_OUT_INIT;

    if (!r->ospf) {
        return;
    }
    if (p->lsa) {
        ospf_wire_receive(r->ospf, p->iface, p->lsa, net->now, &out);
    } else {
        struct ospf_rx rx = { .iface = p->iface, .src = p->src, .dst = p->dst,
                              .ttl = 1, .data = p->data, .len = p->len };
        ospf_receive(r->ospf, &rx, net->now, &out);
    }
    net_apply(net, p->router, &out);
}

static void
step_to(struct net *net, long long int until)
{
    for (;;) {
        long long int next = net->n_queue ? net->queue[0].at : LLONG_MAX;
        for (size_t i = 0; i < net->n_routers; i++) {
            if (net->routers[i].ospf) {
                next = MIN(next, ospf_next_wake(net->routers[i].ospf));
            }
        }
        if (next > until) {
            net->now = until;
            return;
        }
        net->now = MAX(net->now, next);
        while (net->n_queue && net->queue[0].at <= net->now) {
            struct net_packet p = net->queue[0];
            net->n_queue--;
            memmove(net->queue, net->queue + 1,
                    net->n_queue * sizeof *net->queue);
            deliver(net, &p);
            free(p.data);
            lsa_unref(p.lsa);
        }
        for (uint32_t i = 0; i < net->n_routers; i++) {
            struct ospf *o = net->routers[i].ospf;
            if (o && ospf_next_wake(o) <= net->now) {
                struct ospf_out out = OSPF_OUT_INIT;
                ospf_run(o, net->now, &out);
                net_apply(net, i, &out);
            }
        }
    }
}

void
net_run(struct net *net, long long int ms)
{
    step_to(net, net->now + ms);
}

static bool
all_full(struct net *net)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_routers; i++) {
        struct ospf *o = net->routers[i].ospf;
        struct ospf_iface_info info;
        for (size_t j = 0; o && ospf_iface_get(o, j, &info); j++) {
            struct ospf_nbr_info nbr;
            if (info.state == ISM_WAITING) {
                return false;
            }
            for (size_t k = 0; ospf_neighbor_get(o, info.id, k, &nbr); k++) {
                if (nbr.state != NSM_FULL
                    && !(nbr.state == NSM_2WAY && info.state == ISM_DROTHER
                         && nbr.address != info.dr
                         && nbr.address != info.bdr)) {
                    return false;
                }
                n++;
            }
        }
    }
    return n > 0;
}

long long int
net_run_full(struct net *net, long long int ms)
{
    long long int start = net->now;

    while (net->now < start + ms) {
        net_run(net, 1);
        if (all_full(net)) {
            return net->now - start;
        }
    }
    return -1;
}

enum ospf_nbr_state
net_state(struct net *net, uint32_t router, uint32_t iface,
          uint32_t neighbor_router_id)
{
    struct ospf_nbr_info nbr;
    for (size_t k = 0; ospf_neighbor_get(net->routers[router].ospf, iface, k,
                                         &nbr); k++) {
        if (nbr.router_id == neighbor_router_id) {
            return nbr.state;
        }
    }
    return NSM_DOWN;
}

bool
net_same_lsdb(struct net *net)
{
    const struct ospf_lsa **first = NULL;
    size_t n_first = 0;
    bool same = true, any = false;

    for (size_t i = 0; i < net->n_routers && same; i++) {
        if (!net->routers[i].ospf) {
            continue;
        }
        size_t n;
        const struct ospf_lsa **v = ospf_lsas(net->routers[i].ospf, &n);
        if (!any) {
            first = v;
            n_first = n;
            any = true;
            continue;
        }
        same = n == n_first;
        for (size_t j = 0; same && j < n; j++) {
            same = (v[j]->length == first[j]->length
                    && !memcmp(v[j]->data + 2, first[j]->data + 2,
                               v[j]->length - 2));
        }
        free(v);
    }
    free(first);
    return same;
}

const struct ospf_lsa *
net_lsa(struct net *net, uint32_t router, uint8_t type, uint32_t id,
        uint32_t adv)
{
    struct lsa_key key = { .id = id, .adv = adv, .type = type };
    const struct ospf_lsa *found = NULL;
    size_t n;
    const struct ospf_lsa **v = ospf_lsas(net->routers[router].ospf, &n);

    for (size_t i = 0; i < n; i++) {
        struct lsa_key k = lsa_key(v[i]);
        if (!lsa_key_compare(&k, &key)) {
            found = v[i];
        }
    }
    free(v);
    return found;
}
