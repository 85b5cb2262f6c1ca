/* SPDX-License-Identifier: Apache-2.0 */

/* Ingress: which network a packet belongs to, and whether its sender is who it
 * says.
 *
 * Three kinds of ports: nodes', attachments' and tunnels'.  Each has its flows
 * under its own port number, so nothing that one port does depends on
 * another.  A node may send ARP and IP with its own MAC and its own addresses;
 * an attachment's frames must be for our MAC; what comes by tunnel was checked
 * where it entered. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include "byte-order.h"
#include "flow.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* Priorities in PL_INGRESS. */
enum {
    PRI_ARP_TO_US = 130,        /* Attachment: ARP to our address. */
    PRI_ARP_NEIGHBOUR = 125,    /* Attachment: other ARP of neighbours. */
    PRI_ARP_OTHER = 120,        /* Attachment: none of our business. */
    PRI_GRATUITOUS = 115,       /* Node: ARP for its own address. */
    PRI_OSPF = 110,
    PRI_ECHO = 105,             /* Attachment: neighbour pings the router. */
    PRI_SENDER = 100,           /* Known sender. */
    PRI_ENTER = 90,             /* Attachment: any IP packet to our MAC. */
    PRI_FAMILY = 20,            /* Node: a family that is not routed. */
    PRI_PORT = 10,              /* The rest of a node's or VLAN's frames. */
    PRI_VLAN = 5,               /* VLANs that nobody has. */
};

#define OSPF_ALL_SPF htonl(0xe0000005)      /* 224.0.0.5 */
#define OSPF_ALL_D htonl(0xe0000006)        /* 224.0.0.6 */

static void
match_port(struct pf *f, uint32_t ofport)
{
    match_set_in_port(&f->match, u16_to_ofp(ofport));
}

void
base_ingress(struct pf *f, uint32_t tunnel_ofport)
{
    if (tunnel_ofport) {
        put_tunnel_ingress(f, tunnel_ofport, pl_cookie(PL_KIND_PL, 0));
    }
    pf_put(f, PL_INGRESS, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_PORT));
}

void
put_tunnel_ingress(struct pf *f, uint32_t ofport, uint64_t cookie)
{
    match_port(f, ofport);
    act_move(&f->acts, MFF_TUN_ID, 0, MFF_METADATA, 0, 24);
    act_reg(&f->acts, PL_REG_FLAGS, PL_F_TUNNEL);
    act_goto(&f->acts, PL_MARKS);
    pf_put(f, PL_INGRESS, PRI_SENDER, cookie);
}

/* Nodes. */

static void
match_node(struct pf *f, const struct topo_node *node, uint32_t ofport)
{
    match_port(f, ofport);
    pf_match_untagged(f);
    match_set_dl_src(&f->match, node->mac);
}

static void
act_from_node(struct pf *f, const struct topo_network *net,
              const struct topo_node *node)
{
    act_metadata(&f->acts, net->vni);
    act_reg(&f->acts, PL_REG_HOLDER, net->subnets[node->subnet].id);
}

/* The node may be 'p' (which may be all zero, in ARP probes). */
static void
put_node_arp(struct pf *f, const struct topo_network *net,
             const struct topo_node *node, uint32_t ofport,
             const struct prefix *p, uint64_t cookie)
{
    match_node(f, node, ofport);
    pf_match_arp(f, 0);
    match_set_arp_sha(&f->match, node->mac);
    match_set_nw_src_masked(&f->match, prefix_get_ip4(p),
                            prefix_get_ip4_mask(p));
    act_from_node(f, net, node);
    act_goto(&f->acts, PL_NEIGHBOUR);
    pf_put(f, PL_INGRESS, PRI_SENDER, cookie);
}

static void
put_node_address(struct pf *f, const struct topo_network *net,
                 const struct topo_node *node, uint32_t ofport,
                 const struct prefix *p)
{
    uint64_t in = pl_cookie_what(TOPO_NODE, node->id, PL_COOKIE_IN);

    if (prefix_is_v4(p)) {
        /* A node that announces itself wants no answer. */
        match_port(f, ofport);
        pf_match_untagged(f);
        pf_match_arp(f, 0);
        match_set_nw_dst_masked(&f->match, prefix_get_ip4(p),
                                prefix_get_ip4_mask(p));
        pf_put(f, PL_INGRESS, PRI_GRATUITOUS,
               pl_cookie_drop(TOPO_NODE, node->id, PL_DROP_GRATUITOUS_ARP));

        put_node_arp(f, net, node, ofport, p,
                     pl_cookie_what(TOPO_NODE, node->id, PL_COOKIE_ARP));
    }

    match_node(f, node, ofport);
    pf_match_nw_src(f, p);
    act_from_node(f, net, node);
    act_goto(&f->acts, PL_SWITCHING);
    pf_put(f, PL_INGRESS, PRI_SENDER, in);
}

/* What a node's flows depend on, besides where it is. */
void
in_node(struct pf *f, const struct topo_network *net,
        const struct topo_node *node)
{
    const struct topo_subnet *subnet = &net->subnets[node->subnet];

    in_u32(f, net->vni);
    in_u32(f, subnet->id);
    in_prefix(f, &subnet->prefix);
    in_mac(f, node->mac);
    in_addr(f, &node->address);
    for (size_t i = 0; i < node->n_addresses; i++) {
        in_prefix(f, &node->addresses[i]);
    }
}

void
pl_host_node(struct scope *scope, const struct topo_network *net,
             size_t node_, uint32_t ofport, struct delta *delta)
{
    const struct topo_node *node = &net->nodes[node_];
    const struct scope_key key = pl_key(TOPO_NODE, node->id);
    const struct prefix own = prefix_host(&node->address);
    const struct prefix zero = prefix_from_ip4(htonl(0), 32);
    struct pf f;

    pf_init(&f);
    in_node(&f, net, node);
    in_u32(&f, ofport);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    put_node_address(&f, net, node, ofport, &own);
    for (size_t i = 0; i < node->n_addresses; i++) {
        put_node_address(&f, net, node, ofport, &node->addresses[i]);
    }
    put_node_arp(&f, net, node, ofport, &zero,
                 pl_cookie_what(TOPO_NODE, node->id, PL_COOKIE_ARP));

    match_port(&f, ofport);
    match_set_dl_type(&f.match, htons(ETH_TYPE_IP));
    match_set_nw_proto(&f.match, 89);
    pf_put(&f, PL_INGRESS, PRI_OSPF,
           pl_cookie_drop(TOPO_NODE, node->id, PL_DROP_OSPF_FROM_NODE));

    match_port(&f, ofport);
    match_set_dl_type(&f.match, htons(ETH_TYPE_IPV6));
    pf_put(&f, PL_INGRESS, PRI_FAMILY,
           pl_cookie_drop(TOPO_NODE, node->id, PL_DROP_PROTOCOL));

    match_port(&f, ofport);
    pf_put(&f, PL_INGRESS, PRI_PORT,
           pl_cookie_drop(TOPO_NODE, node->id, PL_DROP_SPOOFED));

    pf_match_network(&f, net);
    match_set_dl_dst(&f.match, node->mac);
    act_output(&f.acts, ofport);
    pf_put(&f, PL_DELIVERY, 200,
           pl_cookie_what(TOPO_NODE, node->id, PL_COOKIE_OUT));
    pf_end(&f, delta);
}

/* Attachments. */

void
match_attachment(struct pf *f, const struct topo_attachment *att,
                 uint32_t ofport)
{
    match_port(f, ofport);
    if (att->vlan) {
        match_set_dl_vlan(&f->match, htons(att->vlan), 0);
    } else {
        pf_match_untagged(f);
    }
}

void
act_entered(struct ofpbuf *acts, const struct topo_network *net,
            const struct topo_attachment *att)
{
    act_pop_vlan(acts, att->vlan);
    act_metadata(acts, net->vni);
    act_reg(acts, PL_REG_INGRESS, att->id);
    act_reg(acts, PL_REG_HOLDER, net->routers[att->router].id);
    act_reg(acts, PL_REG_FLAGS, PL_F_ATTACHMENT);
}

/* What an attachment's flows depend on, besides its port and its router's
 * addresses. */
void
in_attachment(struct pf *f, const struct topo_network *net,
              const struct topo_attachment *att)
{
    in_u32(f, net->vni);
    in_u32(f, net->routers[att->router].id);
    in_u32(f, net->routers[att->router].transit);
    in_u32(f, att->id);
    in_u32(f, att->vlan);
    in_addr(f, &att->address);
    in_u32(f, att->plen);
    in_mac(f, att->mac);
    in_u32(f, att->has_ospf);
    in_u32(f, pl_attachment_is_broadcast(att));
    in_u32(f, att->pps);
}

/* Requests for our address are answered here.  All ARP of neighbours shows the
 * controller that they live and which MAC they have. */
static void
put_attachment_arp(struct pf *f, const struct topo_network *net,
                   const struct topo_attachment *att, uint32_t ofport,
                   uint32_t meter)
{
    struct prefix own = prefix_host(&att->address);
    struct prefix wire = prefix_from_addr(&att->address, att->plen
                                          - (addr_is_v4(&att->address)
                                             ? 96 : 0));

    match_attachment(f, att, ofport);
    pf_match_arp(f, ARP_OP_REQUEST);
    match_set_nw_src_masked(&f->match, prefix_get_ip4(&wire),
                            prefix_get_ip4_mask(&wire));
    match_set_nw_dst(&f->match, prefix_get_ip4(&own));
    act_entered(&f->acts, net, att);
    act_punt_to(&f->acts, PL_PUNT_ARP, att->id, meter);
    act_arp_answer(&f->acts, &own, att->mac);
    act_push_vlan(&f->acts, att->vlan);
    act_reply(&f->acts);
    pf_put(f, PL_INGRESS, PRI_ARP_TO_US,
           pl_cookie_what(TOPO_ATTACHMENT, att->id, PL_COOKIE_ARP));

    match_attachment(f, att, ofport);
    pf_match_arp(f, 0);
    match_set_nw_src_masked(&f->match, prefix_get_ip4(&wire),
                            prefix_get_ip4_mask(&wire));
    act_entered(&f->acts, net, att);
    act_punt_to(&f->acts, PL_PUNT_ARP, att->id, meter);
    pf_put(f, PL_INGRESS, PRI_ARP_NEIGHBOUR,
           pl_cookie_punt(TOPO_ATTACHMENT, att->id, PL_PUNT_ARP));

    match_attachment(f, att, ofport);
    pf_match_arp(f, 0);
    pf_put(f, PL_INGRESS, PRI_ARP_OTHER,
           pl_cookie_drop(TOPO_ATTACHMENT, att->id, PL_DROP_UNKNOWN_ARP));
}

static void
put_attachment_ospf(struct pf *f, const struct topo_network *net,
                    const struct topo_attachment *att, uint32_t ofport,
                    uint32_t meter)
{
    const ovs_be32 to[] = { OSPF_ALL_SPF, OSPF_ALL_D,
                            addr_get_ip4(&att->address) };

    for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
        match_attachment(f, att, ofport);
        match_set_dl_type(&f->match, htons(ETH_TYPE_IP));
        match_set_nw_proto(&f->match, 89);
        match_set_nw_dst(&f->match, to[i]);
        if (att->has_ospf) {
            act_entered(&f->acts, net, att);
            act_punt_to(&f->acts, PL_PUNT_OSPF, att->id, meter);
            pf_put(f, PL_INGRESS, PRI_OSPF,
                   pl_cookie_punt(TOPO_ATTACHMENT, att->id, PL_PUNT_OSPF));
        } else {
            pf_put(f, PL_INGRESS, PRI_OSPF,
                   pl_cookie_drop(TOPO_ATTACHMENT, att->id,
                                  PL_DROP_OSPF_OFF));
        }
    }
}

/* A neighbour's ping goes back by the way that it came: nothing needs to know
 * how to reach the neighbour. */
static void
put_attachment_echo(struct pf *f, const struct topo_attachment *att,
                    uint32_t ofport, const struct in6_addr *own)
{
    struct prefix wire = prefix_from_addr(&att->address, att->plen
                                          - (addr_is_v4(&att->address)
                                             ? 96 : 0));
    struct prefix to = prefix_host(own);

    match_attachment(f, att, ofport);
    match_set_dl_dst(&f->match, att->mac);
    pf_match_nw_src(f, &wire);
    pf_match_nw_dst(f, &to);
    pf_match_icmp_echo(f);
    act_echo_reply(&f->acts, own);
    act_move(&f->acts, MFF_ETH_SRC, 0, MFF_ETH_DST, 0, 48);
    act_mac(&f->acts, MFF_ETH_SRC, att->mac);
    act_reply(&f->acts);
    pf_put(f, PL_INGRESS, PRI_ECHO,
           pl_cookie_what(TOPO_ATTACHMENT, att->id, PL_COOKIE_ECHO));
}

static void
put_attachment_punts(struct pf *f, const struct topo_attachment *att,
                     uint32_t meter)
{
    for (int reason = PL_PUNT_TTL; reason < PL_N_PUNTS; reason++) {
        match_set_reg(&f->match, PL_REG_INGRESS, att->id);
        match_set_reg(&f->match, PL_REG_PUNT, reason);
        act_punt_to(&f->acts, reason, att->id, meter);
        pf_put(f, PL_PUNTS, 20,
               pl_cookie_punt(TOPO_ATTACHMENT, att->id, reason));
    }
}

/* OSPF's share is larger: to synchronise a large database takes bursts. */
#define OSPF_MIN_PPS 2000

void
pl_host_attachment(struct scope *scope, const struct topo_network *net,
                   size_t att_, uint32_t ofport, struct delta *delta)
{
    const struct topo_attachment *att = &net->attachments[att_];
    const struct topo_router *router = &net->routers[att->router];
    const struct scope_key key = pl_key(TOPO_ATTACHMENT, att->id);
    uint32_t ospf_pps = MAX(att->pps, OSPF_MIN_PPS);
    struct pf f;

    pf_init(&f);
    in_attachment(&f, net, att);
    in_u32(&f, ofport);
    for (size_t i = 0; i < router->n_interfaces; i++) {
        in_addr(&f, &net->interfaces[router->interfaces[i]].address);
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        in_addr(&f, &net->attachments[router->attachments[i]].address);
    }
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    uint32_t punts = meter_number(scope, ID_METER_PUNTS, att->id);
    scope_meter(scope, punts, att->pps, att->pps);
    uint32_t arp = meter_number(scope, ID_METER_ARP, att->id);
    scope_meter(scope, arp, att->pps, att->pps);
    if (att->has_ospf) {
        uint32_t ospf = meter_number(scope, ID_METER_OSPF, att->id);

        scope_meter(scope, ospf, ospf_pps, ospf_pps);
        put_attachment_ospf(&f, net, att, ofport, ospf);
    } else {
        put_attachment_ospf(&f, net, att, ofport, 0);
    }
    put_attachment_arp(&f, net, att, ofport, arp);
    put_attachment_punts(&f, att, punts);
    for (size_t i = 0; i < router->n_interfaces; i++) {
        put_attachment_echo(&f, att, ofport,
                            &net->interfaces[router->interfaces[i]].address);
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        put_attachment_echo(
            &f, att, ofport,
            &net->attachments[router->attachments[i]].address);
    }

    match_attachment(&f, att, ofport);
    match_set_dl_dst(&f.match, att->mac);
    match_set_dl_type(&f.match, htons(ETH_TYPE_IP));
    act_entered(&f.acts, net, att);
    act_goto(&f.acts, PL_ROUTER);
    pf_put(&f, PL_INGRESS, PRI_ENTER,
           pl_cookie_what(TOPO_ATTACHMENT, att->id, PL_COOKIE_IN));

    match_attachment(&f, att, ofport);
    pf_put(&f, PL_INGRESS, PRI_PORT,
           pl_cookie_drop(TOPO_ATTACHMENT, att->id, PL_DROP_NOT_OURS));
    pf_end(&f, delta);
}

void
pl_host_port(struct scope *scope, uint32_t ofport, struct delta *delta)
{
    const struct scope_key key = pl_key_port(ofport);
    struct pf f;

    pf_init(&f);
    in_u32(&f, ofport);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    match_port(&f, ofport);
    pf_put(&f, PL_INGRESS, PRI_VLAN,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_VLAN));
    pf_end(&f, delta);
}

/* On a broadcast attachment the packets of a way's neighbour are not to go
 * back to it. */
void
put_way_sender(struct pf *f, const struct topo_network *net,
               const struct pl_way *way, const struct pl_way_here *here)
{
    const struct topo_attachment *att = &net->attachments[way->attachment];

    if (pl_attachment_is_broadcast(att) && here->ofport && !here->shared_mac
        && !eth_addr_is_zero(here->peer_mac)) {
        match_attachment(f, att, here->ofport);
        match_set_dl_src(&f->match, here->peer_mac);
        match_set_dl_dst(&f->match, att->mac);
        match_set_dl_type(&f->match, htons(ETH_TYPE_IP));
        act_entered(&f->acts, net, att);
        act_reg(&f->acts, PL_REG_SENDER, way->id);
        act_goto(&f->acts, PL_ROUTER);
        pf_put(f, PL_INGRESS, PRI_SENDER,
               pl_cookie_what(TOPO_WAY, way->id, PL_COOKIE_IN));
    }
}
