/* SPDX-License-Identifier: Apache-2.0 */

/* Delivery: destination MAC to port or host, and hosts to tunnels.
 *
 * What a host has itself it knows by flows of its own, of a higher priority;
 * everything else the network's flows send to its host.  A packet that came by
 * tunnel is delivered or dropped, never tunnelled on: two hosts that disagree
 * about where something is can't play ball with it. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* Priorities in PL_DELIVERY; local ones have 200. */
enum {
    PRI_KNOWN = 100,
    PRI_NOT_HERE = 50,
};

#define PRI_HOST 10             /* In PL_TUNNELS. */

void
base_delivery(struct pf *f)
{
    match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_TUNNEL, PL_F_TUNNEL);
    pf_put(f, PL_DELIVERY, PRI_NOT_HERE,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_NOT_HERE));
    pf_put(f, PL_DELIVERY, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_DESTINATION));
    pf_put(f, PL_TUNNELS, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_NO_TUNNEL));
    pf_put(f, PL_PUNTS, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_DESTINATION));
}

/* What has 'mac' is at 'host'. */
void
put_delivery(struct pf *f, const struct topo_network *net,
             struct eth_addr mac, uint32_t host, uint64_t cookie,
             uint64_t absent_cookie)
{
    pf_match_network(f, net);
    match_set_dl_dst(&f->match, mac);
    match_set_reg_masked(&f->match, PL_REG_FLAGS, 0, PL_F_TUNNEL);
    if (host) {
        act_tunnel(&f->acts, net, host);
    }
    pf_put(f, PL_DELIVERY, PRI_KNOWN, host ? cookie : absent_cookie);
}

void
pl_host(struct scope *scope, uint32_t tunnel_ofport, struct delta *delta)
{
    const struct scope_key key = pl_key(PL_KIND_PL, 0);
    struct pf f;

    pf_init(&f);
    in_u32(&f, tunnel_ofport);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    base_ingress(&f, tunnel_ofport);
    base_switching(&f);
    base_router(&f);
    base_ways(&f);
    base_delivery(&f);
    pf_end(&f, delta);
}

/* The tunnel that has BFD takes all packets of that peer, in both
 * directions; without it, the one to anywhere does. */
void
pl_host_peer(struct scope *scope, const struct pl_peer *peer,
             uint32_t tunnel_ofport, struct delta *delta)
{
    const struct scope_key key = pl_key(TOPO_HOST, peer->host);
    uint64_t cookie = pl_cookie(TOPO_HOST, peer->host);
    struct pf f;

    pf_init(&f);
    in_addr(&f, &peer->tunnel_address);
    in_u32(&f, peer->fixed_ofport);
    in_u32(&f, tunnel_ofport);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    if (peer->fixed_ofport) {
        put_tunnel_ingress(&f, peer->fixed_ofport, cookie);
        act_output(&f.acts, peer->fixed_ofport);
    } else if (tunnel_ofport) {
        act_addr(&f.acts, (addr_is_v4(&peer->tunnel_address)
                           ? MFF_TUN_DST : MFF_TUN_IPV6_DST),
                 &peer->tunnel_address);
        act_output(&f.acts, tunnel_ofport);
    }
    if (f.acts.size) {
        match_set_reg(&f.match, PL_REG_HOST, peer->host);
        pf_put(&f, PL_TUNNELS, PRI_HOST, cookie);
    }
    pf_end(&f, delta);
}
