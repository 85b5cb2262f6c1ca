/* SPDX-License-Identifier: Apache-2.0 */

/* Simulated switch: the results of a translation, and the bytes of packets
 * that leave. */

#include <config.h>
#include "tests/sim/simswitch-private.h"

#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "packets.h"
#include "util.h"

/* Results. */

void
simresult_init(struct simresult *r)
{
    memset(r, 0, sizeof *r);
    ds_init(&r->trace);
}

void
simresult_drop_outputs(struct simresult *r)
{
    for (size_t i = 0; i < r->n_outs; i++) {
        free(r->outs[i].data);
    }
    r->n_outs = 0;
    for (size_t i = 0; i < r->n_punts; i++) {
        free(r->punts[i].pkt.data);
        free(r->punts[i].userdata);
    }
    r->n_punts = 0;
}

void
simresult_clear(struct simresult *r)
{
    struct simresult empty = {
        .outs = r->outs, .allocated_outs = r->allocated_outs,
        .punts = r->punts, .allocated_punts = r->allocated_punts,
        .trace = r->trace,
    };

    simresult_drop_outputs(r);
    *r = empty;
    ds_clear(&r->trace);
}

void
simresult_destroy(struct simresult *r)
{
    simresult_drop_outputs(r);
    free(r->outs);
    free(r->punts);
    ds_destroy(&r->trace);
}

/* Bytes. */

static void
rewrite_vlans(struct dp_packet *p, const struct flow *orig,
              const struct flow *flow)
{
    if (!memcmp(orig->vlans, flow->vlans, sizeof flow->vlans)) {
        return;
    }
    for (int i = 0; i < FLOW_MAX_VLAN_HEADERS; i++) {
        if (orig->vlans[i].tci & htons(VLAN_CFI)) {
            eth_pop_vlan(p);
        }
    }
    for (int i = FLOW_MAX_VLAN_HEADERS - 1; i >= 0; i--) {
        if (flow->vlans[i].tci & htons(VLAN_CFI)) {
            eth_push_vlan(p, flow->vlans[i].tpid,
                          flow->vlans[i].tci & ~htons(VLAN_CFI));
        }
    }
}

static void
rewrite_l4(struct dp_packet *p, const struct flow *orig,
           const struct flow *flow)
{
    if (flow->tp_src == orig->tp_src && flow->tp_dst == orig->tp_dst) {
        return;
    }
    if (flow->nw_proto == IPPROTO_UDP && dp_packet_get_udp_payload(p)) {
        packet_set_udp_port(p, flow->tp_src, flow->tp_dst);
    } else if (flow->nw_proto == IPPROTO_TCP
               && dp_packet_get_tcp_payload(p)) {
        packet_set_tcp_port(p, flow->tp_src, flow->tp_dst);
    } else if (flow->nw_proto == IPPROTO_ICMP
               && flow->dl_type == htons(ETH_TYPE_IP)
               && dp_packet_get_icmp_payload(p)) {
        packet_set_icmp(p, ntohs(flow->tp_src), ntohs(flow->tp_dst));
    }
}

static void
rewrite_arp(struct dp_packet *p, const struct flow *flow)
{
    struct arp_eth_header *arp = dp_packet_l3(p);

    if (!arp || dp_packet_l3_size(p) < sizeof *arp) {
        return;
    }
    arp->ar_op = htons(flow->nw_proto);
    put_16aligned_be32(&arp->ar_spa, flow->nw_src);
    put_16aligned_be32(&arp->ar_tpa, flow->nw_dst);
    arp->ar_sha = flow->arp_sha;
    arp->ar_tha = flow->arp_tha;
}

void
simpkt_rewrite(struct simpkt *out, const struct dp_packet *in,
               const struct flow *orig, const struct flow *flow)
{
    struct dp_packet *p = dp_packet_clone_with_headroom(in, 64);
    struct eth_header *eth = dp_packet_eth(p);

    if (eth) {
        eth->eth_src = flow->dl_src;
        eth->eth_dst = flow->dl_dst;
    }
    if (flow->nw_proto && flow->dl_type == htons(ETH_TYPE_IP)
        && dp_packet_l3(p)) {
        packet_set_ipv4(p, flow->nw_src, flow->nw_dst, flow->nw_tos,
                        flow->nw_ttl);
        if (!(flow->nw_frag & FLOW_NW_FRAG_LATER)) {
            rewrite_l4(p, orig, flow);
        }
    } else if (flow->dl_type == htons(ETH_TYPE_ARP) && flow->nw_proto) {
        rewrite_arp(p, flow);
    }
    rewrite_vlans(p, orig, flow);
    out->size = dp_packet_size(p);
    out->data = xmemdup(dp_packet_data(p), out->size);
    dp_packet_delete(p);
}
