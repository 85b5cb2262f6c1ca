/* SPDX-License-Identifier: Apache-2.0 */

/* Simulated world: a customer's router.
 *
 * It speaks OSPF, answers ARP on its attachments, redistributes prefixes
 * behind it as AS-external-LSAs, and forwards from its own database, as a
 * router of somebody else would. */

#include <config.h>
#include "tests/sim/simworld.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine/frames.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

#define PEER_MTU 1500

static struct plan_peer *
plan_of(struct world *w, int customer, int peer)
{
    return &w->plan.customers[customer].peers[peer];
}

uint32_t
peer_address(const struct world *w, int customer, int peer, int iface)
{
    const struct plan_iface *pi
        = &w->plan.customers[customer].peers[peer].ifaces[iface];

    return pi->network + (pi->att >= 0 ? 2 : pi->side);
}

/* Sending. */

struct sender {
    struct world *w;
    int customer, peer, iface;
};

static void
send_frame(struct ofpbuf *frame, void *sender_)
{
    const struct sender *s = sender_;
    const struct plan_customer *pc = &s->w->plan.customers[s->customer];
    const struct plan_iface *pi = &pc->peers[s->peer].ifaces[s->iface];

    if (pi->att >= 0) {
        const struct sim_end *end
            = &s->w->customers[s->customer].atts[pi->att];

        if (world_wire_works(s->w, s->customer, pi->att)) {
            world_queue_to_port(s->w, end->host, end->ofport, frame->data,
                                frame->size);
        }
    } else if (pi->up && pc->peers[pi->peer].up && pc->peers[s->peer].up) {
        world_queue_to_peer(s->w, s->customer, pi->peer, pi->iface,
                            frame->data, frame->size);
    }
    ofpbuf_delete(frame);
}

static void
carry_out(struct world *w, int customer, int peer, struct ospf_out *out)
{
    struct sim_peer *sp = &w->customers[customer].peers[peer];

    for (size_t i = 0; i < out->n; i++) {
        const struct ospf_action *a = &out->actions[i];
        struct sender s = { w, customer, peer, (int) a->send.iface - 1 };
        struct eth_addr dst;

        if (a->type == OSPF_ACTION_EVENT && w->verbose) {
            printf("[%lld.%03lld] peer %s/%d: interface %u, %08x: %s -> %s: "
                   "%s\n", w->now / 1000, w->now % 1000,
                   w->customers[customer].name, peer, a->event.iface,
                   a->event.router_id, a->event.from ? a->event.from : "",
                   a->event.to ? a->event.to : "",
                   a->event.reason ? a->event.reason : "");
        }
        if (a->type != OSPF_ACTION_SEND || !plan_of(w, customer, peer)->up) {
            continue;
        }
        dst = ((a->send.dst >> 28) == 0xe
               ? frame_multicast_mac(htonl(a->send.dst))
               : sp->tollway[s.iface]);
        if (!eth_addr_is_zero(dst)) {
            frame_compose_ospf(a->send.data, a->send.len, PEER_MTU, 1,
                               sp->macs[s.iface], dst, htonl(a->send.src),
                               htonl(a->send.dst), send_frame, &s);
        }
    }
    ospf_out_uninit(out);
}

/* Configuration. */

static void
set_externals(struct world *w, int customer, int peer, struct ospf_out *out)
{
    const struct plan_peer *pp = plan_of(w, customer, peer);
    struct ospf_external_config externals[PLAN_MAX_PREFIXES];
    size_t n = 0;

    for (int i = 0; i < w->plan.customers[customer].n_prefixes; i++) {
        const struct plan_external *x = &pp->externals[i];

        if (x->present) {
            externals[n++] = (struct ospf_external_config) {
                .prefix = plan_prefix(i),
                .plen = 24,
                .e2 = x->e2,
                .metric = x->metric,
            };
        }
    }
    ospf_set_externals(w->customers[customer].peers[peer].ospf, externals, n,
                       w->now, out);
}

void
peer_configure(struct world *w, int customer, int peer)
{
    const struct plan_peer *pp = plan_of(w, customer, peer);
    struct sim_peer *sp = &w->customers[customer].peers[peer];
    struct ospf_iface_config ifaces[PLAN_MAX_IFACES];
    struct ospf_config config = {
        .router_id = pp->router_id,
        .ifaces = ifaces,
        .n_ifaces = pp->n_ifaces,
    };
    struct ospf_out out = OSPF_OUT_INIT;

    for (int i = 0; i < pp->n_ifaces; i++) {
        ifaces[i] = (struct ospf_iface_config) {
            .id = i + 1,
            .name = pp->ifaces[i].att >= 0 ? "attachment" : "link",
            .address = peer_address(w, customer, peer, i),
            .plen = 30,
            .type = OSPF_P2P,
            .cost = pp->ifaces[i].cost,
            .hello_interval = PLAN_HELLO_S,
            .dead_interval = PLAN_DEAD_S,
            .mtu = PEER_MTU,
        };
    }
    ospf_configure(sp->ospf, &config, w->now, &out);
    set_externals(w, customer, peer, &out);
    carry_out(w, customer, peer, &out);
}

void
peer_init(struct world *w, int customer, int peer)
{
    struct sim_peer *sp = &w->customers[customer].peers[peer];

    memset(sp, 0, sizeof *sp);
    sp->ospf = ospf_create();
    for (int i = 0; i < PLAN_MAX_IFACES; i++) {
        sp->macs[i] = (struct eth_addr) { .ea = { 2, 0xee, customer, peer, i,
                                                  1 } };
    }
    peer_configure(w, customer, peer);
}

void
peer_destroy(struct world *w, int customer, int peer)
{
    struct sim_peer *sp = &w->customers[customer].peers[peer];

    ospf_destroy(sp->ospf);
    sp->ospf = NULL;
}

/* A silent peer keeps its state: it is frozen, not restarted.  What it would
 * send is lost, and its own timers run out. */
void
peer_update_ifaces(struct world *w, int customer, int peer)
{
    const struct plan_customer *pc = &w->plan.customers[customer];
    const struct plan_peer *pp = &pc->peers[peer];
    struct sim_peer *sp = &w->customers[customer].peers[peer];

    for (int i = 0; i < pp->n_ifaces; i++) {
        const struct plan_iface *pi = &pp->ifaces[i];
        bool up = (pi->att >= 0
                   ? (pc->atts[pi->att].wire_up
                      && w->hosts[pc->atts[pi->att].host].up)
                   : pi->up && pc->peers[pi->peer].ifaces[pi->iface].up);
        struct ospf_out out = OSPF_OUT_INIT;

        if (up != sp->told_up[i]) {
            sp->told_up[i] = up;
            (up ? ospf_iface_up : ospf_iface_down)(sp->ospf, i + 1, w->now,
                                                   &out);
            carry_out(w, customer, peer, &out);
        }
    }
}

/* Receiving. */

static void
answer_arp(struct world *w, int customer, int peer, int iface,
           const struct frame *f)
{
    struct sim_peer *sp = &w->customers[customer].peers[peer];
    ovs_be32 address = htonl(peer_address(w, customer, peer, iface));
    struct sender s = { w, customer, peer, iface };

    if (f->arp_op == ARP_OP_REQUEST && f->arp_tpa == address) {
        send_frame(frame_compose_arp(ARP_OP_REPLY, f->arp_sha,
                                     sp->macs[iface], address, f->arp_sha,
                                     f->arp_spa), &s);
    }
}

void
peer_receive(struct world *w, int customer, int peer, int iface,
             const void *data, size_t size)
{
    struct sim_peer *sp = &w->customers[customer].peers[peer];
    struct ospf_out out = OSPF_OUT_INIT;
    struct frame f;

    if (!plan_of(w, customer, peer)->up || !frame_parse(data, size, &f)
        || eth_addr_equals(f.src, sp->macs[iface])
        || (!eth_addr_is_multicast(f.dst)
            && !eth_addr_equals(f.dst, sp->macs[iface]))) {
        return;
    }
    sp->tollway[iface] = f.src;
    if (f.eth_type == ETH_TYPE_ARP) {
        answer_arp(w, customer, peer, iface, &f);
    } else if (f.ip_proto == 89 && !f.fragment) {
        struct ospf_rx rx = {
            .iface = iface + 1,
            .src = ntohl(f.ip_src),
            .dst = ntohl(f.ip_dst),
            .ttl = f.ip_ttl,
            .data = f.payload,
            .len = f.payload_len,
        };

        ospf_receive(sp->ospf, &rx, w->now, &out);
        carry_out(w, customer, peer, &out);
    }
}

void
peer_run(struct world *w, int customer, int peer)
{
    struct ospf_out out = OSPF_OUT_INIT;

    ospf_run(w->customers[customer].peers[peer].ospf, w->now, &out);
    carry_out(w, customer, peer, &out);
}

long long int
peer_next_wake(const struct world *w, int customer, int peer)
{
    return ospf_next_wake(w->customers[customer].peers[peer].ospf);
}

/* Forwarding. */

static bool
is_own_address(const struct world *w, int customer, int peer, uint32_t dst)
{
    const struct plan_peer *pp = &w->plan.customers[customer].peers[peer];

    for (int i = 0; i < pp->n_ifaces; i++) {
        if (peer_address(w, customer, peer, i) == dst) {
            return true;
        }
    }
    return false;
}

/* The best external candidate for 'prefix' (RFC 2328 section 16.4); an LSA
 * whose forwarding address is one's own is not taken. */
static const struct ospf_candidate *
best_candidate(const struct world *w, int customer, int peer,
               const struct ospf_rib *rib,
               const struct ospf_external_prefix *x)
{
    const struct ospf_candidate *best = NULL;

    for (size_t i = x->first; i < x->first + x->n; i++) {
        const struct ospf_candidate *c = &rib->candidates[i];
        const struct ospf_border *b = &rib->borders[c->border];

        if (b->reachable && !b->own
            && !(b->forwarding && is_own_address(w, customer, peer,
                                                 b->forwarding))
            && (!best || ospf_external_compare(rib, c, best) < 0)) {
            best = c;
        }
    }
    return best;
}

static bool
find_nhset(const struct world *w, int customer, int peer,
           const struct ospf_rib *rib, uint32_t dst, uint32_t *nhset)
{
    const struct ospf_route *route = ospf_rib_match(rib, dst);
    const struct ospf_external_prefix *best_x = NULL;
    const struct ospf_candidate *best = NULL;

    for (size_t i = 0; i < rib->n_externals; i++) {
        const struct ospf_external_prefix *x = &rib->externals[i];
        uint32_t mask = x->plen ? UINT32_MAX << (32 - x->plen) : 0;

        if ((dst & mask) == x->prefix && (!best_x || x->plen > best_x->plen)) {
            const struct ospf_candidate *c = best_candidate(w, customer, peer,
                                                            rib, x);
            if (c) {
                best_x = x;
                best = c;
            }
        }
    }
    if (route && (!best || route->plen >= best_x->plen)) {
        *nhset = route->nhset;
        return true;
    } else if (best) {
        *nhset = rib->borders[best->border].nhset;
        return true;
    }
    return false;
}

enum peer_verdict
peer_route(struct world *w, int customer, int peer, uint32_t dst,
           uint32_t hash, int *iface)
{
    const struct plan_peer *pp = plan_of(w, customer, peer);
    const struct ospf_rib *rib;
    const struct ospf_nexthop *nh;
    uint32_t nhset;

    if (is_own_address(w, customer, peer, dst)) {
        return PEER_LOCAL;
    }
    for (int i = 0; i < w->plan.customers[customer].n_prefixes; i++) {
        if (pp->externals[i].present && (dst >> 8) == plan_prefix(i) >> 8) {
            return PEER_PREFIX;
        }
    }
    rib = ospf_run_spf(w->customers[customer].peers[peer].ospf, w->now);
    if (!find_nhset(w, customer, peer, rib, dst, &nhset)
        || !rib->nhsets[nhset].n) {
        return PEER_NO_ROUTE;
    }
    nh = &rib->nexthops[rib->nhsets[nhset].first
                        + hash % rib->nhsets[nhset].n];
    for (int i = 0; i < pp->n_ifaces; i++) {
        if (peer_address(w, customer, peer, i) == nh->local) {
            *iface = i;
            return PEER_FORWARD;
        }
    }
    return PEER_NO_ROUTE;
}
