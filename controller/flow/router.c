/* SPDX-License-Identifier: Apache-2.0 */

/* A virtual router: what is for itself, TTL, and what each destination means.
 *
 * A packet passes the table "router" once for each virtual router on its way,
 * with reg1 naming the router, and loses one TTL there.  dec_ttl alone would
 * send what expires to the controller past any meter, so TTL 0 and 1 are matched
 * before it. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include <netinet/in.h>
#include "controller/route/route.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* Priorities in PL_ROUTER. */
enum {
    PRI_MARTIAN_SENDER = 210,   /* Nothing is to be answered to these. */
    PRI_ECHO = 200,             /* Before TTL: it is not passed on. */
    PRI_UDP = 190,              /* traceroute's last hop. */
    PRI_OWN = 180,
    PRI_MARTIAN = 170,
    PRI_TTL = 150,
    PRI_PINNED = 100,
    PRI_FORWARD = 50,
};

/* Priorities in PL_ROUTES: 100 and four times the prefix's length. */
enum {
    PRI_PREFIX = 100,
    PRI_NO_TRANSIT = 3,
};

void
base_router(struct pf *f)
{
    static const struct {
        uint32_t net;
        unsigned int plen;
    } martians[] = {
        { 0x00000000, 8 }, { 0x7f000000, 8 },
        { 0xe0000000, 4 }, { 0xf0000000, 4 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(martians); i++) {
        struct prefix p = prefix_from_ip4(htonl(martians[i].net),
                                          martians[i].plen);

        pf_match_nw_dst(f, &p);
        pf_put(f, PL_ROUTER, PRI_MARTIAN,
               pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_MARTIAN));
        pf_match_nw_src(f, &p);
        pf_put(f, PL_ROUTER, PRI_MARTIAN_SENDER,
               pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_MARTIAN));
    }

    match_set_dl_type(&f->match, htons(ETH_TYPE_IP));
    match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_PINNED, PL_F_PINNED);
    act_clear_in_port(&f->acts);
    act_dec_ttl(&f->acts);
    act_goto(&f->acts, PL_EXITS);
    pf_put(f, PL_ROUTER, PRI_PINNED, pl_cookie(PL_KIND_PL, 0));

    match_set_dl_type(&f->match, htons(ETH_TYPE_IP));
    act_clear_in_port(&f->acts);
    act_dec_ttl(&f->acts);
    act_goto(&f->acts, PL_ROUTES);
    pf_put(f, PL_ROUTER, PRI_FORWARD, pl_cookie(PL_KIND_PL, 0));

    pf_put(f, PL_ROUTER, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_PROTOCOL));
    pf_put(f, PL_ROUTES, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_DESTINATION));
}

static void
match_own(struct pf *f, const struct topo_router *router,
          const struct in6_addr *own)
{
    struct prefix p = prefix_host(own);

    match_set_reg(&f->match, PL_REG_HOLDER, router->id);
    pf_match_nw_dst(f, &p);
}

void
put_own_address(struct pf *f, const struct topo_router *router,
                const struct in6_addr *own, uint8_t kind, uint32_t id)
{
    /* The reply is Tollway's own packet: it may leave where the request came
     * in. */
    match_own(f, router, own);
    pf_match_icmp_echo(f);
    act_echo_reply(&f->acts, own);
    act_reg(&f->acts, PL_REG_INGRESS, 0);
    act_reg(&f->acts, PL_REG_SENDER, 0);
    act_reg(&f->acts, PL_REG_FLAGS, 0);
    act_clear_in_port(&f->acts);
    act_goto(&f->acts, PL_ROUTES);
    pf_put(f, PL_ROUTER, PRI_ECHO, pl_cookie_what(kind, id, PL_COOKIE_ECHO));

    match_own(f, router, own);
    match_set_nw_proto(&f->match, IPPROTO_UDP);
    act_punt(&f->acts, PL_PUNT_PORT_UNREACHABLE);
    pf_put(f, PL_ROUTER, PRI_UDP,
           pl_cookie_punt(kind, id, PL_PUNT_PORT_UNREACHABLE));

    match_own(f, router, own);
    pf_put(f, PL_ROUTER, PRI_OWN,
           pl_cookie_drop(kind, id, PL_DROP_OWN_ADDRESS));
}

/* An attachment's address; its packets are matched where its port is. */
void
pl_attachment(struct scope *scope, const struct topo_network *net, size_t att_,
              struct delta *delta)
{
    const struct topo_attachment *att = &net->attachments[att_];
    const struct scope_key key = pl_key(TOPO_ATTACHMENT, att->id);
    struct pf f;

    pf_init(&f);
    in_attachment(&f, net, att);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    put_own_address(&f, &net->routers[att->router], &att->address,
                    TOPO_ATTACHMENT, att->id);
    pf_end(&f, delta);
}

void
pl_router(struct scope *scope, const struct topo_network *net, size_t router_,
          struct delta *delta)
{
    const struct topo_router *router = &net->routers[router_];
    const struct scope_key key = pl_key(TOPO_ROUTER, router->id);
    struct pf f;

    pf_init(&f);
    in_u32(&f, router->transit);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    for (uint8_t ttl = 0; ttl <= 1; ttl++) {
        match_set_reg(&f.match, PL_REG_HOLDER, router->id);
        match_set_dl_type(&f.match, htons(ETH_TYPE_IP));
        match_set_nw_ttl(&f.match, ttl);
        act_punt(&f.acts, PL_PUNT_TTL);
        pf_put(&f, PL_ROUTER, PRI_TTL,
               pl_cookie_punt(TOPO_ROUTER, router->id, PL_PUNT_TTL));
    }
    if (!router->transit) {
        match_set_reg(&f.match, PL_REG_HOLDER, router->id);
        match_set_reg_masked(&f.match, PL_REG_FLAGS, PL_F_ATTACHMENT,
                             PL_F_ATTACHMENT);
        act_punt(&f.acts, PL_PUNT_TRANSIT);
        pf_put(&f, PL_ROUTES, PRI_NO_TRANSIT,
               pl_cookie_punt(TOPO_ROUTER, router->id, PL_PUNT_TRANSIT));
    }
    pf_end(&f, delta);
}

/* Routes. */

static const struct topo_interface *
find_interface(const struct topo_network *net, size_t router, size_t subnet)
{
    const struct topo_router *r = &net->routers[router];

    for (size_t i = 0; i < r->n_interfaces; i++) {
        const struct topo_interface *iface
            = &net->interfaces[r->interfaces[i]];

        if (iface->subnet == subnet) {
            return iface;
        }
    }
    return NULL;
}

/* Puts the actions for one view's result; false if it has no flow, so that a
 * shorter prefix or nothing decides. */
static bool
act_route(struct pf *f, const struct topo_network *net, size_t router,
          const struct route_result *result)
{
    const struct topo_interface *iface;

    switch (result->kind) {
    case ROUTE_SUBNET:
        iface = find_interface(net, router, result->subnet);
        if (iface) {
            act_mac(&f->acts, MFF_ETH_SRC, iface->mac);
        }
        act_goto(&f->acts, PL_RESOLVE);
        return true;

    case ROUTE_SIBLING:
        act_reg(&f->acts, PL_REG_HOLDER, net->routers[result->next].id);
        act_resubmit(&f->acts, PL_ROUTER);
        return true;

    case ROUTE_ATTACHMENT:
        act_punt(&f->acts, PL_PUNT_HOST_UNREACHABLE);
        return true;

    case ROUTE_PATHS:
        act_reg(&f->acts, PL_REG_PATHS,
                group_number(f->scope, ID_PATH_SET, net,
                             result->path_set->id, 0, 0));
        act_goto(&f->acts, PL_WAYS);
        return true;

    case ROUTE_NO_ENTRY:
    case ROUTE_REFUSED:
        break;
    }
    return false;
}

/* What the flow for a result depends on. */
static void
in_route(struct pf *f, const struct topo_network *net, size_t router,
         const struct route_result *result)
{
    const struct topo_interface *iface;

    in_u32(f, result->kind);
    switch (result->kind) {
    case ROUTE_SUBNET:
        iface = find_interface(net, router, result->subnet);
        if (iface) {
            in_mac(f, iface->mac);
        }
        break;
    case ROUTE_SIBLING:
        in_u32(f, net->routers[result->next].id);
        break;
    case ROUTE_PATHS:
        in_u32(f, result->path_set->id);
        break;
    case ROUTE_ATTACHMENT:
    case ROUTE_NO_ENTRY:
    case ROUTE_REFUSED:
        break;
    }
}

static bool
same_route(const struct route_result *a, const struct route_result *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case ROUTE_SUBNET: return a->subnet == b->subnet;
    case ROUTE_SIBLING: return a->next == b->next;
    case ROUTE_PATHS: return a->path_set->id == b->path_set->id;
    case ROUTE_ATTACHMENT:
    case ROUTE_NO_ENTRY:
    case ROUTE_REFUSED:
        break;
    }
    return true;
}

void
pl_route(struct scope *scope, const struct topo_network *net,
         const struct route_entry *entry, struct delta *delta)
{
    const struct topo_router *router = &net->routers[entry->router];
    const struct scope_key key = pl_key_route(router->id, &entry->prefix);
    bool same = same_route(&entry->views[ROUTE_FROM_SUBNETS],
                           &entry->views[ROUTE_FROM_ATTACHMENTS]);
    struct pf f;

    pf_init(&f);
    in_u32(&f, net->id);
    in_route(&f, net, entry->router, &entry->views[ROUTE_FROM_SUBNETS]);
    in_route(&f, net, entry->router, &entry->views[ROUTE_FROM_ATTACHMENTS]);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    for (int view = 0; view < (same ? 1 : ROUTE_N_VIEWS); view++) {
        if (!act_route(&f, net, entry->router, &entry->views[view])) {
            continue;
        }
        match_set_reg(&f.match, PL_REG_HOLDER, router->id);
        if (!same) {
            match_set_reg_masked(&f.match, PL_REG_FLAGS,
                                 (view == ROUTE_FROM_ATTACHMENTS
                                  ? PL_F_ATTACHMENT : 0), PL_F_ATTACHMENT);
        }
        pf_match_nw_dst(&f, &entry->prefix);
        pf_put(&f, PL_ROUTES, PRI_PREFIX + 4 * prefix_length(&entry->prefix),
               pl_cookie(TOPO_ROUTE, router->id));
    }
    pf_end(&f, delta);
}
