/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <string.h>
#include "controller/engine/frames.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

static struct engine_net *
find_net_by_vni(const struct engine *e, uint32_t vni)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        if (e->nets[i]->topo->vni == vni) {
            return e->nets[i];
        }
    }
    return NULL;
}

static size_t
find_router(const struct topo_network *topo, uint32_t id)
{
    for (size_t i = 0; i < topo->n_routers; i++) {
        if (topo->routers[i].id == id) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void
take_ospf(struct engine *e, struct engine_net *net, size_t attachment,
          const struct frame *f, long long int now, struct engine_out *out)
{
    struct ospf_rx rx = {
        .iface = net->topo->attachments[attachment].id,
        .src = ntohl(f->ip_src),
        .dst = ntohl(f->ip_dst),
        .ttl = f->ip_ttl,
        .data = f->payload,
        .len = f->payload_len,
    };

    if (f->eth_type != ETH_TYPE_IP || f->ip_proto != 89) {
        e->n_bad_frames++;
    } else if (f->fragment) {
        e->n_fragments++;
    } else {
        const struct topo_attachment *ta = &net->topo->attachments[attachment];
        struct prefix p = prefix_from_addr(&ta->address, ta->plen - 96);
        struct in6_addr src = addr_from_ip4(f->ip_src);

        if (prefix_contains(&p, &src)
            && !ipv6_addr_equals(&src, &ta->address)) {
            ways_heard(net, attachment, f->ip_src, f->src, now);
        }
        speakers_receive(net, attachment, &rx, now, out);
    }
}

static void
take_arp(struct engine *e, struct engine_net *net, size_t attachment,
         const struct frame *f, long long int now)
{
    const struct topo_attachment *ta = &net->topo->attachments[attachment];
    struct prefix p = prefix_from_addr(&ta->address, ta->plen - 96);
    struct in6_addr spa = addr_from_ip4(f->arp_spa);

    /* The address that a frame claims must be the frame's own, on the
     * attachment's wire, and not ours. */
    if (f->eth_type != ETH_TYPE_ARP || !prefix_is_usable_host(&p, &spa)
        || !eth_addr_equals(f->arp_sha, f->src)
        || ipv6_addr_equals(&spa, &ta->address)) {
        e->n_bad_frames++;
    } else {
        ways_heard(net, attachment, f->arp_spa, f->arp_sha, now);
    }
}

/* The address by which a router answers: that of the interface by which the
 * packet came. */
static struct in6_addr
answering_address(const struct topo_network *topo, size_t router,
                  size_t attachment, ovs_be32 to)
{
    const struct topo_router *tr = &topo->routers[router];
    struct in6_addr dst = addr_from_ip4(to);

    if (attachment != SIZE_MAX
        && topo->attachments[attachment].router == router) {
        return topo->attachments[attachment].address;
    }
    for (size_t i = 0; i < tr->n_interfaces; i++) {
        const struct topo_interface *ti = &topo->interfaces[tr->interfaces[i]];

        if (prefix_contains(&topo->subnets[ti->subnet].prefix, &dst)) {
            return ti->address;
        }
    }
    return (tr->n_interfaces ? topo->interfaces[tr->interfaces[0]].address
            : tr->n_attachments
            ? topo->attachments[tr->attachments[0]].address
            : addr_from_ip4(htonl(tr->router_id)));
}

/* ICMP type and code that answer a punt; false for those that none does. */
static bool
icmp_of_punt(enum pl_punt_reason reason, uint8_t *type, uint8_t *code)
{
    *type = ICMP4_DST_UNREACH;
    switch (reason) {
    case PL_PUNT_TTL:
        *type = ICMP4_TIME_EXCEEDED;
        *code = 0;
        return true;
    case PL_PUNT_NET_UNREACHABLE:
        *code = 0;
        return true;
    case PL_PUNT_HOST_UNREACHABLE:
    case PL_PUNT_NO_WAY:
        *code = 1;
        return true;
    case PL_PUNT_PORT_UNREACHABLE:
        *code = 3;
        return true;
    case PL_PUNT_TRANSIT:
        *code = 13;
        return true;
    case PL_PUNT_NONE:
    case PL_PUNT_OSPF:
    case PL_PUNT_ARP:
    case PL_N_PUNTS:
    default:
        return false;
    }
}

static void
answer(struct engine_net *net, const char *host, const struct pl_punt *punt,
       size_t attachment, const struct frame *f, struct engine_out *out)
{
    size_t router = find_router(net->topo, punt->router);
    uint8_t type, code;

    if (router == SIZE_MAX || f->eth_type != ETH_TYPE_IP
        || !icmp_of_punt(punt->reason, &type, &code)) {
        return;
    }
    struct in6_addr src = answering_address(net->topo, router, attachment,
                                            f->ip_src);
    struct ofpbuf *icmp = frame_compose_icmp_error(
        f, type, code, addr_get_ip4(&src),
        topo_mac(TOPO_ROUTER, punt->router), f->src);
    if (icmp) {
        struct engine_action *a = engine_action(out, ENGINE_PACKET_OUT, host);

        a->packet = icmp;
        a->ofpacts = ofpbuf_new(256);
        pl_actions_routed(a->ofpacts, net->topo, router);
    }
}

void
engine_packet_in(struct engine *e, const char *host, const void *userdata,
                 size_t userdata_len, const struct match *metadata,
                 const void *bytes, size_t len, long long int now,
                 struct engine_out *out)
{
    struct pl_punt punt;
    struct frame f;

    if (!pl_punt_decode(userdata, userdata_len, metadata, &punt)
        || !frame_parse(bytes, len, &f)) {
        e->n_bad_frames++;
        return;
    }
    e->n_punts[punt.reason]++;

    struct engine_net *net = find_net_by_vni(e, punt.vni);
    size_t attachment = (net && punt.attachment
                         ? net_attachment_by_id(net->topo, punt.attachment)
                         : SIZE_MAX);
    if (!net) {
        return;
    }
    if (punt.reason == PL_PUNT_OSPF || punt.reason == PL_PUNT_ARP) {
        /* Only from the host that has the attachment. */
        if (attachment == SIZE_MAX || !net->atts[attachment].host
            || strcmp(net->atts[attachment].host->name, host)) {
            e->n_bad_frames++;
        } else if (punt.reason == PL_PUNT_OSPF) {
            take_ospf(e, net, attachment, &f, now, out);
        } else {
            take_arp(e, net, attachment, &f, now);
        }
    } else {
        answer(net, host, &punt, attachment, &f, out);
    }
}
