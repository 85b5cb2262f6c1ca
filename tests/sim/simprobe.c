/* SPDX-License-Identifier: Apache-2.0 */

/* Simulated world: probes.  A probe is one packet that is followed through
 * bridges, tunnels and peers, without changing anything on its way. */

#include <config.h>
#include "tests/sim/simworld.h"

#include <stdlib.h>
#include <string.h>

#include "controller/flow/pipeline.h"
#include "csum.h"
#include "dp-packet.h"
#include "flow.h"
#include "openvswitch/match.h"
#include "packets.h"
#include "util.h"

#define PROBE_MAX_HOPS 100
#define PROBE_TTL 64
#define PROBE_TTL_OFFSET (ETH_HEADER_LEN + 8)

const char *
probe_verdict_to_string(enum probe_verdict verdict)
{
    switch (verdict) {
    case PROBE_NODE: return "delivered to a node";
    case PROBE_PEER: return "delivered to a peer";
    case PROBE_PREFIX: return "delivered to a prefix behind a peer";
    case PROBE_PUNTED: return "sent to the controller";
    case PROBE_DROPPED: return "dropped by a bridge";
    case PROBE_LOST: return "lost";
    case PROBE_LOOP: return "LOOP";
    case PROBE_WRONG: return "WRONG";
    default: return "?";
    }
}

void
probe_init(struct probe *p)
{
    memset(p, 0, sizeof *p);
    ds_init(&p->trace);
}

void
probe_destroy(struct probe *p)
{
    ds_destroy(&p->trace);
}

/* Where a probe is. */
struct walk {
    struct world *w;
    struct probe *p;
    unsigned int flags;         /* SIMSWITCH_*. */
    int host;                   /* At a bridge: it, and the packet... */
    struct simpkt pkt;          /* ...with its arrival port. */
    int peer, iface;            /* At a peer: 'host' is -1. */
    int entered;                /* Attachment by which it last came in, -1. */
    uint32_t hash;
};

/* All of these end the walk. */
static bool
end(struct walk *k, enum probe_verdict verdict, const char *why)
{
    k->p->verdict = verdict;
    k->p->why = why;
    return false;
}

static bool
punted(struct walk *k, const struct simpunt *punt)
{
    struct pl_punt decoded;
    struct match match;

    flow_get_metadata(&punt->md, &match);
    if (!pl_punt_decode(punt->userdata, punt->userdata_len, &match,
                        &decoded)) {
        return end(k, PROBE_WRONG, "packet-in that can't be decoded");
    }
    k->p->punt = decoded.reason;
    if (decoded.reason == PL_PUNT_TTL) {
        return end(k, PROBE_LOOP, "TTL expired at a bridge");
    }
    return end(k, PROBE_PUNTED, pl_punt_to_string(decoded.reason));
}

static bool
arrive_at_node(struct walk *k, int customer, int node)
{
    const struct sim_customer *sc = &k->w->customers[customer];
    const struct plan_node *pn = &k->w->plan.customers[customer].nodes[node];
    ovs_be32 ip;

    memcpy(&ip, k->pkt.data + ETH_HEADER_LEN + 16, sizeof ip);
    k->p->node = node;
    if (customer != k->p->customer) {
        return end(k, PROBE_WRONG, "leaked to another customer's node");
    }
    if (memcmp(k->pkt.data, &sc->macs[node], ETH_ADDR_LEN)
        || ntohl(ip) != plan_node_address(node, pn->subnet)) {
        return end(k, PROBE_WRONG, "delivered to the wrong node");
    }
    return end(k, PROBE_NODE, NULL);
}

/* An attachment's wire; 'k->pkt' is the frame. */
static bool
leave_by_attachment(struct walk *k, int customer, int att)
{
    const struct plan_att *pa = &k->w->plan.customers[customer].atts[att];
    const struct sim_peer *sp = &k->w->customers[customer].peers[pa->peer];

    if (customer != k->p->customer) {
        return end(k, PROBE_WRONG, "leaked to another customer's router");
    }
    if (!k->p->n_exits++) {
        k->p->first_exit = att;
    }
    if (att == k->entered) {
        return end(k, PROBE_WRONG, "left by the attachment it entered by");
    }
    if (k->flags & SIMSWITCH_TRACE) {
        ds_put_format(&k->p->trace, "  leaves by attachment t%d to peer %d\n",
                      att, pa->peer);
    }
    if (!world_wire_works(k->w, customer, att)) {
        return end(k, PROBE_LOST, "on a wire that is cut");
    }
    if (memcmp(k->pkt.data, &sp->macs[pa->peer_iface], ETH_ADDR_LEN)) {
        return end(k, PROBE_WRONG, "not addressed to the peer's MAC");
    }
    k->host = -1;
    k->peer = pa->peer;
    k->iface = pa->peer_iface;
    return true;
}

static bool
pass_bridge(struct walk *k, struct simresult *r)
{
    struct sim_host *h = &k->w->hosts[k->host];
    int customer, node, att;
    struct simpkt *out;

    if (!h->up) {
        return end(k, PROBE_LOST, "at a host that is down");
    }
    simswitch_process(&h->sw, &k->pkt, k->flags, r);
    if (k->w->watch) {
        k->w->watch(k->w, k->host, &k->pkt, r);
    }
    free(k->pkt.data);
    k->pkt.data = NULL;
    if (k->flags & SIMSWITCH_TRACE) {
        ds_put_cstr(&k->p->trace, ds_cstr(&r->trace));
    }
    if (r->error) {
        return end(k, PROBE_WRONG, r->error);
    } else if (r->ambiguous) {
        return end(k, PROBE_WRONG, "two flows of one priority match");
    } else if (r->n_outs + r->n_punts > 1) {
        return end(k, PROBE_WRONG, "duplicated");
    } else if (r->n_punts) {
        return punted(k, &r->punts[0]);
    } else if (!r->n_outs) {
        return end(k, PROBE_DROPPED, r->drop ? r->drop : "no output");
    }
    out = &r->outs[0];
    k->pkt = *out;
    k->pkt.data = xmemdup(out->data, out->size);
    if (out->tun_remote) {
        int to = (ntohl(out->tun_remote) & 0xff) - 2;
        struct simport *port;

        if (to < 0 || to >= k->w->plan.n_hosts
            || !world_tunnel_works(k->w, k->host, to)) {
            return end(k, PROBE_LOST, "in a tunnel that is cut");
        }
        port = simswitch_tunnel_rx(&k->w->hosts[to].sw, h->tunnel);
        k->pkt.port = port->ofp_port;
        k->pkt.tun_remote = h->tunnel;
        k->pkt.tun_local = k->w->hosts[to].tunnel;
        k->host = to;
        return true;
    }
    if (!world_find_end(k->w, k->host, ofp_to_u16(out->port), &customer,
                        &node, &att)) {
        return end(k, PROBE_WRONG, "output to a port that is nobody's");
    }
    return (node >= 0 ? arrive_at_node(k, customer, node)
            : leave_by_attachment(k, customer, att));
}

static bool
decrement_ttl(uint8_t *frame)
{
    struct ip_header *ip = (struct ip_header *) (frame + ETH_HEADER_LEN);

    if (ip->ip_ttl <= 1) {
        return false;
    }
    ip->ip_ttl--;
    ip->ip_csum = 0;
    ip->ip_csum = csum(ip, sizeof *ip);
    return true;
}

/* Puts the frame on the wire behind the peer's interface. */
static bool
leave_peer(struct walk *k, int iface)
{
    int customer = k->p->customer;
    const struct plan_customer *pc = &k->w->plan.customers[customer];
    const struct plan_iface *pi = &pc->peers[k->peer].ifaces[iface];
    const struct sim_peer *sp = &k->w->customers[customer].peers[k->peer];

    if (k->flags & SIMSWITCH_TRACE) {
        ds_put_format(&k->p->trace, "  peer %d sends it out by %s %d\n",
                      k->peer, pi->att >= 0 ? "attachment" : "link to peer",
                      pi->att >= 0 ? pi->att : pi->peer);
    }
    memcpy(k->pkt.data + ETH_ADDR_LEN, &sp->macs[iface], ETH_ADDR_LEN);
    if (pi->att >= 0) {
        const struct sim_end *e = &k->w->customers[customer].atts[pi->att];

        if (!world_wire_works(k->w, customer, pi->att)) {
            return end(k, PROBE_LOST, "on a wire that is cut");
        }
        if (eth_addr_is_zero(sp->tollway[iface])) {
            return end(k, PROBE_LOST, "at a peer that knows no MAC");
        }
        memcpy(k->pkt.data, &sp->tollway[iface], ETH_ADDR_LEN);
        k->entered = pi->att;
        k->pkt.port = u16_to_ofp(e->ofport);
        k->pkt.tun_remote = k->pkt.tun_local = 0;
        k->pkt.tun_id = 0;
        k->host = e->host;
    } else {
        if (!pi->up || !pc->peers[pi->peer].up) {
            return end(k, PROBE_LOST, "between peers");
        }
        k->peer = pi->peer;
        k->iface = pi->iface;
    }
    return true;
}

static bool
pass_peer(struct walk *k)
{
    uint32_t dst;
    ovs_be32 ip;
    int iface;

    memcpy(&ip, k->pkt.data + ETH_HEADER_LEN + 16, sizeof ip);
    dst = ntohl(ip);
    k->p->peer = k->peer;
    switch (peer_route(k->w, k->p->customer, k->peer, dst, k->hash, &iface)) {
    case PEER_LOCAL:
        return end(k, PROBE_PEER, NULL);
    case PEER_PREFIX:
        return end(k, PROBE_PREFIX, NULL);
    case PEER_NO_ROUTE:
        return end(k, PROBE_LOST, "at a peer that has no route");
    case PEER_FORWARD:
        break;
    }
    if (!decrement_ttl(k->pkt.data)) {
        return end(k, PROBE_LOOP, "TTL expired at a peer");
    }
    return leave_peer(k, iface);
}

static void
walk(struct walk *k)
{
    bool more = true;

    while (more) {
        if (++k->p->n_hops > PROBE_MAX_HOPS) {
            more = end(k, PROBE_LOOP, "too many hops");
        } else if (k->host >= 0) {
            simresult_clear(&k->w->scratch);
            more = pass_bridge(k, &k->w->scratch);
        } else {
            more = pass_peer(k);
        }
    }
    free(k->pkt.data);
    if (k->flags & SIMSWITCH_TRACE) {
        ds_put_format(&k->p->trace, "  = %s%s%s\n",
                      probe_verdict_to_string(k->p->verdict),
                      k->p->why ? ": " : "", k->p->why ? k->p->why : "");
    }
}

static void
walk_init(struct walk *k, struct world *w, struct probe *p, int customer,
          struct eth_addr eth_src, struct eth_addr eth_dst, uint32_t src,
          uint32_t dst, uint16_t sport, bool trace)
{
    struct dp_packet packet;
    struct flow flow;

    ds_clear(&p->trace);
    p->customer = customer;
    p->node = p->peer = p->first_exit = -1;
    p->punt = p->n_exits = p->n_hops = 0;
    p->why = NULL;
    memset(k, 0, sizeof *k);
    k->w = w;
    k->p = p;
    k->flags = SIMSWITCH_PROBE | (trace ? SIMSWITCH_TRACE : 0);
    k->host = k->entered = -1;
    k->hash = src * 31 + dst * 17 + sport;

    memset(&flow, 0, sizeof flow);
    flow.packet_type = htonl(PT_ETH);
    flow.dl_src = eth_src;
    flow.dl_dst = eth_dst;
    flow.dl_type = htons(ETH_TYPE_IP);
    flow.nw_src = htonl(src);
    flow.nw_dst = htonl(dst);
    flow.nw_proto = IPPROTO_UDP;
    flow.nw_ttl = PROBE_TTL;
    flow.tp_src = htons(sport);
    flow.tp_dst = htons(7);
    dp_packet_init(&packet, 0);
    flow_compose(&packet, &flow, NULL, 18);
    k->pkt.size = dp_packet_size(&packet);
    k->pkt.data = xmemdup(dp_packet_data(&packet), k->pkt.size);
    dp_packet_uninit(&packet);
    if (trace) {
        ds_put_format(&p->trace, "probe of customer %d: "IP_FMT" > "IP_FMT
                      " sport %u\n", customer, IP_ARGS(htonl(src)),
                      IP_ARGS(htonl(dst)), sport);
    }
}

void
probe_from_node(struct world *w, struct probe *p, int customer, int node,
                int router, uint32_t dst, uint16_t sport, bool trace)
{
    struct sim_customer *sc = &w->customers[customer];
    const struct plan_node *pn = &w->plan.customers[customer].nodes[node];
    struct eth_addr eth_dst = eth_addr_zero;
    struct walk k;

    if (dst >> 8 == plan_subnet(pn->subnet) >> 8) {
        for (int i = 0; i < PLAN_MAX_NODES; i++) {
            if (plan_node_address(i, pn->subnet) == dst) {
                eth_dst = sc->macs[i];
            }
        }
    } else {
        char *name = xasprintf("r%d/s%d", router, pn->subnet);
        const struct alloc *a = alloc_find(w->alloc, sc->name, "n",
                                           TOPO_INTERFACE, name);
        if (a) {
            eth_dst = a->mac;
        }
        free(name);
    }
    walk_init(&k, w, p, customer, sc->macs[node], eth_dst,
              plan_node_address(node, pn->subnet), dst, sport, trace);
    k.host = sc->nodes[node].host;
    k.pkt.port = u16_to_ofp(sc->nodes[node].ofport);
    walk(&k);
}

void
probe_from_peer(struct world *w, struct probe *p, int customer, int peer,
                uint32_t dst, uint16_t sport, bool trace)
{
    const struct sim_peer *sp = &w->customers[customer].peers[peer];
    struct walk k;

    /* From a host behind it, 198.51.100.PEER. */
    walk_init(&k, w, p, customer, sp->macs[0], sp->macs[0],
              0xc6336400 + peer, dst, sport, trace);
    k.peer = peer;
    walk(&k);
}
