/* SPDX-License-Identifier: Apache-2.0 */

/* Within a subnet: ARP answered, frames switched to a node's MAC or handed to
 * a router's, and for packets that were routed, the MAC of the node that has
 * the address.
 *
 * The tables neighbour and switching match the subnet (reg1), so nobody reaches
 * another subnet by its MAC; resolve matches the network, where addresses are
 * unique. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include "byte-order.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* Priorities: in resolve, 100 and the length of the prefix. */
enum {
    PRI_KNOWN = 100,
    PRI_MULTICAST = 20,
    PRI_SUBNET = 10,
    PRI_NETWORK = 1,
};

void
base_switching(struct pf *f)
{
    pf_put(f, PL_NEIGHBOUR, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_ARP));
    pf_put(f, PL_SWITCHING, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_MAC));
    pf_put(f, PL_RESOLVE, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_DESTINATION));
}

static void
put_arp_answer(struct pf *f, uint32_t subnet_id, const struct prefix *p,
               struct eth_addr mac, uint64_t cookie)
{
    if (!prefix_is_v4(p)) {
        return;
    }
    match_set_reg(&f->match, PL_REG_HOLDER, subnet_id);
    pf_match_arp(f, ARP_OP_REQUEST);
    match_set_nw_dst_masked(&f->match, prefix_get_ip4(p),
                            prefix_get_ip4_mask(p));
    act_arp_answer(&f->acts, p, mac);
    act_reply(&f->acts);
    pf_put(f, PL_NEIGHBOUR, PRI_KNOWN + prefix_length(p), cookie);
}

void
pl_subnet(struct scope *scope, const struct topo_network *net, size_t subnet_,
          struct delta *delta)
{
    const struct topo_subnet *subnet = &net->subnets[subnet_];
    const struct scope_key key = pl_key(TOPO_SUBNET, subnet->id);
    const struct eth_addr multicast = ETH_ADDR_C(01,00,00,00,00,00);
    struct pf f;

    pf_init(&f);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    match_set_reg(&f.match, PL_REG_HOLDER, subnet->id);
    pf_put(&f, PL_NEIGHBOUR, PRI_SUBNET,
           pl_cookie_drop(TOPO_SUBNET, subnet->id, PL_DROP_UNKNOWN_ARP));

    match_set_reg(&f.match, PL_REG_HOLDER, subnet->id);
    match_set_dl_dst_masked(&f.match, multicast, multicast);
    pf_put(&f, PL_SWITCHING, PRI_MULTICAST,
           pl_cookie_drop(TOPO_SUBNET, subnet->id, PL_DROP_MULTICAST));

    match_set_reg(&f.match, PL_REG_HOLDER, subnet->id);
    pf_put(&f, PL_SWITCHING, PRI_SUBNET,
           pl_cookie_drop(TOPO_SUBNET, subnet->id, PL_DROP_UNKNOWN_MAC));
    pf_end(&f, delta);
}

/* Neighbours ask for an address only if it is in their subnet. */
static void
put_node_address(struct pf *f, const struct topo_network *net,
                 const struct topo_node *node, const struct prefix *p)
{
    const struct topo_subnet *subnet = &net->subnets[node->subnet];

    if (prefix_contains_prefix(&subnet->prefix, p)) {
        put_arp_answer(f, subnet->id, p, node->mac,
                       pl_cookie_what(TOPO_NODE, node->id, PL_COOKIE_ARP));
    }
    pf_match_network(f, net);
    pf_match_nw_dst(f, p);
    act_mac(&f->acts, MFF_ETH_DST, node->mac);
    act_resubmit(&f->acts, PL_DELIVERY);
    pf_put(f, PL_RESOLVE, PRI_KNOWN + prefix_length(p),
           pl_cookie(TOPO_NODE, node->id));
}

void
pl_node(struct scope *scope, const struct topo_network *net, size_t node_,
        uint32_t host, struct delta *delta)
{
    const struct topo_node *node = &net->nodes[node_];
    const struct scope_key key = pl_key(TOPO_NODE, node->id);
    const struct prefix own = prefix_host(&node->address);
    struct pf f;

    pf_init(&f);
    in_node(&f, net, node);
    in_u32(&f, host);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    put_node_address(&f, net, node, &own);
    for (size_t i = 0; i < node->n_addresses; i++) {
        put_node_address(&f, net, node, &node->addresses[i]);
    }

    match_set_reg(&f.match, PL_REG_HOLDER, net->subnets[node->subnet].id);
    match_set_dl_dst(&f.match, node->mac);
    act_goto(&f.acts, PL_DELIVERY);
    pf_put(&f, PL_SWITCHING, PRI_KNOWN, pl_cookie(TOPO_NODE, node->id));

    put_delivery(&f, net, node->mac, host, pl_cookie(TOPO_NODE, node->id),
                 pl_cookie_drop(TOPO_NODE, node->id, PL_DROP_NODE_ABSENT));
    pf_end(&f, delta);
}

/* A router's interface: its address in the subnet, its MAC, and for packets
 * that another router sends into the subnet, the way to it. */
void
pl_interface(struct scope *scope, const struct topo_network *net,
             size_t iface_, struct delta *delta)
{
    const struct topo_interface *iface = &net->interfaces[iface_];
    const struct scope_key key = pl_key(TOPO_INTERFACE, iface->id);
    const struct prefix own = prefix_host(&iface->address);
    uint32_t subnet_id = net->subnets[iface->subnet].id;
    const struct topo_router *router = &net->routers[iface->router];
    struct pf f;

    pf_init(&f);
    in_u32(&f, net->vni);
    in_u32(&f, subnet_id);
    in_u32(&f, router->id);
    in_addr(&f, &iface->address);
    in_mac(&f, iface->mac);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    put_own_address(&f, router, &iface->address, TOPO_INTERFACE, iface->id);
    put_arp_answer(&f, subnet_id, &own, iface->mac,
                   pl_cookie_what(TOPO_INTERFACE, iface->id, PL_COOKIE_ARP));

    match_set_reg(&f.match, PL_REG_HOLDER, subnet_id);
    match_set_dl_dst(&f.match, iface->mac);
    pf_match_ip(&f, &iface->address);
    act_reg(&f.acts, PL_REG_HOLDER, router->id);
    act_goto(&f.acts, PL_ROUTER);
    pf_put(&f, PL_SWITCHING, PRI_KNOWN,
           pl_cookie(TOPO_INTERFACE, iface->id));

    pf_match_network(&f, net);
    pf_match_nw_dst(&f, &own);
    act_reg(&f.acts, PL_REG_HOLDER, router->id);
    act_resubmit(&f.acts, PL_ROUTER);
    pf_put(&f, PL_RESOLVE, PRI_KNOWN + prefix_length(&own) + 1,
           pl_cookie(TOPO_INTERFACE, iface->id));
    pf_end(&f, delta);
}

/* Once per network: what is connected but has no MAC, and how packets of the
 * network that entered by no attachment of this host reach the controller. */
void
pl_network(struct scope *scope, const struct topo_network *net, uint32_t pps,
           struct delta *delta)
{
    const struct scope_key key = pl_key(TOPO_NETWORK, net->id);
    struct pf f;

    pf_init(&f);
    in_u32(&f, net->vni);
    in_u32(&f, pps);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    uint32_t meter = meter_number(scope, ID_METER_NETWORK, net->id);
    scope_meter(scope, meter, pps, pps);
    for (int reason = PL_PUNT_TTL; reason < PL_N_PUNTS; reason++) {
        pf_match_network(&f, net);
        match_set_reg(&f.match, PL_REG_PUNT, reason);
        act_punt_to(&f.acts, reason, 0, meter);
        pf_put(&f, PL_PUNTS, PRI_SUBNET,
               pl_cookie_punt(TOPO_NETWORK, net->id, reason));
    }

    pf_match_network(&f, net);
    act_punt(&f.acts, PL_PUNT_NET_UNREACHABLE);
    pf_put(&f, PL_ROUTES, PRI_NETWORK,
           pl_cookie_punt(TOPO_NETWORK, net->id, PL_PUNT_NET_UNREACHABLE));

    pf_match_network(&f, net);
    act_punt(&f.acts, PL_PUNT_HOST_UNREACHABLE);
    pf_put(&f, PL_RESOLVE, PRI_NETWORK,
           pl_cookie_punt(TOPO_NETWORK, net->id, PL_PUNT_HOST_UNREACHABLE));
    pf_end(&f, delta);
}
