/* SPDX-License-Identifier: Apache-2.0 */

/* Ways: which one a path set takes now, how a packet gets to it, and what
 * happens if it died a moment ago.
 *
 * Groups (all of type "fast failover" unless said otherwise):
 *
 *   - a way's group lives while the way lives, as far as this host knows.  It
 *     passes no packets; other groups watch it.  Where the way's port is, it
 *     watches the port; elsewhere, the BFD of the tunnel to that host.  The
 *     controller empties it when the way is dead for other reasons.
 *
 *   - a path set's group has a bucket per tier, which watches the way's group,
 *     or for a tier of several ways the group that shares among them; and a last
 *     one, always alive, which gives up.
 *
 *   - a sharing group ("select") has a bucket per way, which watches its group.
 *
 *   - a way's exit group, only where its port is: out to the peer, or if the
 *     way is dead, another look ("deflect").
 *
 * So the death of a way changes its own groups and nothing else, and each host
 * notices by itself what it can notice. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include <stdlib.h>
#include "byte-order.h"
#include "controller/route/route.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"

/* Priorities in PL_WAYS. */
enum {
    PRI_FROM_SENDER = 30,       /* Without the neighbour that sent it. */
    PRI_FROM_ATTACHMENT = 20,   /* Without the attachment's ways. */
    PRI_PATH_SET = 10,
};

/* Priorities in PL_EXITS. */
enum {
    PRI_REFUSE = 110,
    PRI_EXIT = 100,
};

/* Priorities in PL_MARKS. */
enum {
    PRI_PLAIN = 30,             /* A mark that says nothing. */
    PRI_SENDER = 25,
    PRI_MARK = 20,
    PRI_OTHER = 10,
};

/* Which flags mean that a mark is to be read, and what a mark can say. */
#define MARK_FLAGS (PL_F_TUNNEL | PL_F_DEFLECTED)

static struct eth_addr
mark_mac(uint8_t mark, uint32_t id)
{
    struct eth_addr mac = topo_mac(TOPO_WAY, id);

    mac.ea[1] = mark;
    return mac;
}

/* Writing marks: the second octet says what the last four are. */
static void
put_mark(struct pf *f, bool sender, bool deflected)
{
    uint8_t mark = (PL_MARK | (deflected ? PL_MARK_DEFLECTED : 0)
                    | (sender ? PL_MARK_SENDER : 0));

    match_set_reg_masked(&f->match, PL_REG_FLAGS,
                         deflected ? PL_F_DEFLECTED : 0, MARK_FLAGS);
    if (!sender) {
        match_set_reg(&f->match, PL_REG_SENDER, 0);
    }
    act_mac(&f->acts, MFF_ETH_SRC, mark_mac(mark, 0));
    act_move(&f->acts, MFF_REG0 + (sender ? PL_REG_SENDER : PL_REG_INGRESS),
             0, MFF_ETH_SRC, 0, 32);
    act_resubmit(&f->acts, PL_DELIVERY);
    pf_put(f, PL_MARKS, sender ? PRI_OTHER : PRI_MARK,
           pl_cookie(PL_KIND_PL, 0));
}

/* Reading marks that name an attachment. */
static void
put_mark_read(struct pf *f, bool deflected, bool attachment)
{
    const struct eth_addr kind = ETH_ADDR_C(ff,ff,00,00,00,00);
    uint8_t mark = PL_MARK | (deflected ? PL_MARK_DEFLECTED : 0);

    match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_TUNNEL, PL_F_TUNNEL);
    if (attachment) {
        match_set_dl_src_masked(&f->match, mark_mac(mark, 0), kind);
        act_move(&f->acts, MFF_ETH_SRC, 0, MFF_REG0 + PL_REG_INGRESS, 0, 32);
    } else {
        match_set_dl_src(&f->match, mark_mac(mark, 0));
    }
    act_reg(&f->acts, PL_REG_FLAGS,
            PL_F_TUNNEL | (deflected ? PL_F_DEFLECTED : 0)
            | (attachment ? PL_F_ATTACHMENT : 0));
    act_resubmit(&f->acts, PL_DELIVERY);
    pf_put(f, PL_MARKS, attachment ? PRI_MARK : PRI_PLAIN,
           pl_cookie(PL_KIND_PL, 0));
}

void
base_ways(struct pf *f)
{
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);

    bucket_add(&buckets, 0, 0, NULL);
    scope_group(f->scope, PL_GROUP_ALWAYS, RANK_WAY, OFPGT11_INDIRECT,
                &buckets, NULL);

    pf_put(f, PL_WAYS, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_DESTINATION));
    pf_put(f, PL_EXITS, 0,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_UNKNOWN_DESTINATION));

    for (int deflected = 0; deflected <= 1; deflected++) {
        put_mark(f, false, deflected);
        put_mark(f, true, deflected);
        put_mark_read(f, deflected, false);
        put_mark_read(f, deflected, true);
    }
    match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_TUNNEL, PL_F_TUNNEL);
    act_resubmit(&f->acts, PL_DELIVERY);
    pf_put(f, PL_MARKS, PRI_OTHER, pl_cookie(PL_KIND_PL, 0));

    match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_DEFLECTED,
                         PL_F_DEFLECTED);
    pf_put(f, PL_DEFLECT, PRI_PATH_SET,
           pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_DEFLECTED_TWICE));

    act_reg_masked(&f->acts, PL_REG_FLAGS, PL_F_DEFLECTED,
                   PL_F_DEFLECTED | PL_F_TUNNEL | PL_F_PINNED);
    act_clear_in_port(&f->acts);
    act_resubmit(&f->acts, PL_ROUTES);
    pf_put(f, PL_DEFLECT, 0, pl_cookie(PL_KIND_PL, 0));
}

/* Path sets. */

static void
act_way(struct ofpbuf *acts, const struct route_way *way)
{
    act_reg(acts, PL_REG_WAY, way->id);
    act_resubmit(acts, PL_EXITS);
}

/* The group that shares a tier's load.  One hash serves all such groups that a
 * packet meets, so the packets of a connection stay together. */
static uint32_t
put_share(struct pf *f, const struct topo_network *net,
          const struct route_path_set *ps, uint32_t without,
          const struct route_tier *tier, uint32_t number)
{
    struct ofputil_group_props props = { .selection_method = "dp_hash" };
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);
    uint32_t id = group_number(f->scope, ID_SHARE, net, ps->id, without,
                               number);
    uint64_t stub[16];
    struct ofpbuf acts;

    ofpbuf_use_stub(&acts, stub, sizeof stub);
    for (size_t i = 0; i < tier->n_ways; i++) {
        const struct route_way *way = tier->ways[i];
        uint32_t watch = group_number(f->scope, ID_WAY, net, way->id, 0, 0);

        ofpbuf_clear(&acts);
        act_way(&acts, way);
        bucket_add(&buckets, watch, 0, &acts)->weight = 1;
    }
    ofpbuf_uninit(&acts);
    scope_group(f->scope, id, RANK_SHARE, OFPGT11_SELECT, &buckets, &props);
    return id;
}

/* The group for these tiers; 'without' tells apart the variants. */
static uint32_t
put_tiers(struct pf *f, const struct topo_network *net,
          const struct route_path_set *ps, uint32_t without,
          const struct route_tier *tiers, size_t n_tiers)
{
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);
    uint32_t id = group_number(f->scope, ID_PATH_SET, net, ps->id, without,
                               0);
    uint64_t stub[16];
    struct ofpbuf acts;

    ofpbuf_use_stub(&acts, stub, sizeof stub);
    for (size_t i = 0; i < n_tiers; i++) {
        const struct route_tier *tier = &tiers[i];
        uint32_t watch;

        ofpbuf_clear(&acts);
        if (tier->n_ways == 1) {
            watch = group_number(f->scope, ID_WAY, net, tier->ways[0]->id,
                                 0, 0);
            act_way(&acts, tier->ways[0]);
        } else {
            watch = put_share(f, net, ps, without, tier, i + 1);
            act_group(&acts, watch);
        }
        bucket_add(&buckets, watch, 0, &acts);
    }
    ofpbuf_clear(&acts);
    act_punt_in_bucket(&acts, PL_PUNT_NO_WAY);
    bucket_add(&buckets, PL_GROUP_ALWAYS, 0, &acts);
    ofpbuf_uninit(&acts);
    scope_group(f->scope, id, RANK_PATH_SET, OFPGT11_FF, &buckets, NULL);
    return id;
}

static void
put_variant(struct pf *f, const struct topo_network *net,
            const struct route_path_set *ps, size_t attachment,
            const struct route_way *way)
{
    uint32_t without = way ? way->id : net->attachments[attachment].id;
    struct route_tier *tiers;
    size_t n_tiers;

    if (!route_path_set_without(ps, attachment, way, &tiers, &n_tiers)) {
        return;
    }
    act_group(&f->acts, put_tiers(f, net, ps, without, tiers, n_tiers));
    route_tiers_free(tiers, n_tiers);
    match_set_reg(&f->match, PL_REG_PATHS,
                  group_number(f->scope, ID_PATH_SET, net, ps->id, 0, 0));
    match_set_reg(&f->match, PL_REG_INGRESS,
                  net->attachments[attachment].id);
    if (way) {
        match_set_reg(&f->match, PL_REG_SENDER, way->id);
    }
    pf_put(f, PL_WAYS, way ? PRI_FROM_SENDER : PRI_FROM_ATTACHMENT,
           pl_cookie(TOPO_PATH_SET, ps->id));
}

/* Each way once, in order of its first tier. */
static const struct route_way **
collect_ways(const struct route_path_set *ps, size_t *n)
{
    const struct route_way **ways;
    size_t max = 0;

    for (size_t i = 0; i < ps->n_tiers; i++) {
        max += ps->tiers[i].n_ways;
    }
    ways = xcalloc(max, sizeof *ways);
    *n = 0;
    for (size_t i = 0; i < ps->n_tiers; i++) {
        for (size_t j = 0; j < ps->tiers[i].n_ways; j++) {
            const struct route_way *way = ps->tiers[i].ways[j];
            bool known = false;

            for (size_t k = 0; k < *n && !known; k++) {
                known = ways[k]->id == way->id;
            }
            if (!known) {
                ways[(*n)++] = way;
            }
        }
    }
    return ways;
}

static void
put_variants(struct pf *f, const struct topo_network *net,
             const struct route_path_set *ps)
{
    size_t n;
    const struct route_way **ways = collect_ways(ps, &n);

    for (size_t i = 0; i < n; i++) {
        size_t attachment = ways[i]->attachment;
        bool first = true;

        if (pl_attachment_is_broadcast(&net->attachments[attachment])) {
            put_variant(f, net, ps, attachment, ways[i]);
            continue;
        }
        for (size_t j = 0; j < i && first; j++) {
            first = ways[j]->attachment != attachment;
        }
        if (first) {
            put_variant(f, net, ps, attachment, NULL);
        }
    }
    free(ways);
}

static void
in_path_set(struct pf *f, const struct topo_network *net,
            const struct route_path_set *ps)
{
    in_u32(f, net->id);
    in_u32(f, ps->views);
    for (size_t i = 0; i < ps->n_tiers; i++) {
        in_u32(f, ps->tiers[i].n_ways);
        in_u32(f, ps->tiers[i].horizon);
        for (size_t j = 0; j < ps->tiers[i].n_ways; j++) {
            const struct route_way *way = ps->tiers[i].ways[j];
            const struct topo_attachment *att
                = &net->attachments[way->attachment];

            in_u32(f, way->id);
            in_u32(f, att->id);
            in_u32(f, pl_attachment_is_broadcast(att));
        }
    }
}

void
pl_path_set(struct scope *scope, const struct topo_network *net,
            const struct route_path_set *ps, struct delta *delta)
{
    const struct scope_key key = pl_key_path_set(ps->id);
    struct pf f;

    pf_init(&f);
    in_path_set(&f, net, ps);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    uint32_t group = put_tiers(&f, net, ps, 0, ps->tiers, ps->n_tiers);
    match_set_reg(&f.match, PL_REG_PATHS, group);
    act_group(&f.acts, group);
    pf_put(&f, PL_WAYS, PRI_PATH_SET, pl_cookie(TOPO_PATH_SET, ps->id));
    if (ps->views & (1u << ROUTE_FROM_ATTACHMENTS)) {
        put_variants(&f, net, ps);
    }
    pf_end(&f, delta);
}

/* Ways. */

/* At each router: the way leaves here, or the packet goes on, one TTL less,
 * to the next router that is nearer. */
static void
put_exits(struct pf *f, const struct topo_network *net,
          const struct pl_links *links, const struct pl_way *way)
{
    size_t owner = net->attachments[way->attachment].router;

    for (size_t i = 0; i < net->n_routers; i++) {
        size_t next = i == owner ? SIZE_MAX : pl_links_next(links, i, owner);

        if (i != owner && next == SIZE_MAX) {
            continue;
        }
        match_set_reg(&f->match, PL_REG_HOLDER, net->routers[i].id);
        match_set_reg(&f->match, PL_REG_WAY, way->id);
        if (i == owner) {
            act_mac(&f->acts, MFF_ETH_DST, topo_mac(TOPO_WAY, way->id));
            act_goto(&f->acts, PL_MARKS);
        } else {
            act_reg(&f->acts, PL_REG_HOLDER, net->routers[next].id);
            act_reg_masked(&f->acts, PL_REG_FLAGS, PL_F_PINNED, PL_F_PINNED);
            act_resubmit(&f->acts, PL_ROUTER);
        }
        pf_put(f, PL_EXITS, PRI_EXIT, pl_cookie(TOPO_WAY, way->id));
    }

    if (!net->routers[owner].transit) {
        match_set_reg(&f->match, PL_REG_HOLDER, net->routers[owner].id);
        match_set_reg(&f->match, PL_REG_WAY, way->id);
        match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_ATTACHMENT,
                             PL_F_ATTACHMENT);
        act_punt(&f->acts, PL_PUNT_TRANSIT);
        pf_put(f, PL_EXITS, PRI_REFUSE,
               pl_cookie_punt(TOPO_WAY, way->id, PL_PUNT_TRANSIT));
    }
}

/* Reading marks that name this way as the sender. */
static void
put_sender_marks(struct pf *f, const struct topo_network *net,
                 const struct pl_way *way)
{
    for (int deflected = 0; deflected <= 1; deflected++) {
        uint8_t mark = (PL_MARK | PL_MARK_SENDER
                        | (deflected ? PL_MARK_DEFLECTED : 0));

        pf_match_network(f, net);
        match_set_reg_masked(&f->match, PL_REG_FLAGS, PL_F_TUNNEL,
                             PL_F_TUNNEL);
        match_set_dl_src(&f->match, mark_mac(mark, way->id));
        act_reg(&f->acts, PL_REG_INGRESS,
                net->attachments[way->attachment].id);
        act_reg(&f->acts, PL_REG_SENDER, way->id);
        act_reg(&f->acts, PL_REG_FLAGS,
                PL_F_TUNNEL | PL_F_ATTACHMENT
                | (deflected ? PL_F_DEFLECTED : 0));
        act_resubmit(&f->acts, PL_DELIVERY);
        pf_put(f, PL_MARKS, PRI_SENDER, pl_cookie(TOPO_WAY, way->id));
    }
}

void
pl_way(struct scope *scope, const struct topo_network *net,
       const struct pl_links *links, const struct pl_way *way, uint32_t host,
       struct delta *delta)
{
    const struct topo_attachment *att = &net->attachments[way->attachment];
    const struct scope_key key = pl_key_way(net->id, way->id);
    struct pf f;

    pf_init(&f);
    in_attachment(&f, net, att);
    in_u32(&f, host);
    for (size_t i = 0; i < net->n_routers; i++) {
        size_t next = pl_links_next(links, i, att->router);

        in_u32(&f, net->routers[i].id);
        in_u32(&f, next == SIZE_MAX ? 0 : net->routers[next].id);
    }
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    put_exits(&f, net, links, way);
    if (pl_attachment_is_broadcast(att)) {
        put_sender_marks(&f, net, way);
    }
    put_delivery(&f, net, topo_mac(TOPO_WAY, way->id), host,
                 pl_cookie(TOPO_WAY, way->id),
                 pl_cookie_drop(TOPO_WAY, way->id, PL_DROP_NO_TUNNEL));
    pf_end(&f, delta);
}

/* The group that lives while the way lives. */
static uint32_t
put_way_group(struct pf *f, const struct topo_network *net,
              const struct pl_way *way, const struct pl_way_here *here)
{
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);
    uint32_t id = group_number(f->scope, ID_WAY, net, way->id, 0, 0);
    uint32_t watch = here->local ? here->ofport : here->watch_ofport;

    if (!here->alive || (here->local && !here->ofport)) {
        scope_group(f->scope, id, RANK_WAY, OFPGT11_FF, &buckets, NULL);
    } else if (watch) {
        bucket_add(&buckets, 0, watch, NULL);
        scope_group(f->scope, id, RANK_WAY, OFPGT11_FF, &buckets, NULL);
    } else {
        bucket_add(&buckets, 0, 0, NULL);
        scope_group(f->scope, id, RANK_WAY, OFPGT11_INDIRECT, &buckets,
                    NULL);
    }
    return id;
}

/* Out by the attachment's port, or back to the router that owns the way. */
static void
put_way_out(struct pf *f, const struct topo_network *net,
            const struct pl_way *way, const struct pl_way_here *here,
            uint32_t way_group)
{
    const struct topo_attachment *att = &net->attachments[way->attachment];
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);
    uint32_t id = group_number(f->scope, ID_WAY_OUT, net, way->id, 0, 0);
    uint64_t stub[32];
    struct ofpbuf acts;

    ofpbuf_use_stub(&acts, stub, sizeof stub);
    if (here->ofport && !eth_addr_is_zero(here->peer_mac)) {
        act_mac(&acts, MFF_ETH_SRC, att->mac);
        act_mac(&acts, MFF_ETH_DST, here->peer_mac);
        act_push_vlan(&acts, att->vlan);
        act_output(&acts, here->ofport);
        bucket_add(&buckets, way_group, 0, &acts);
    }
    ofpbuf_clear(&acts);
    act_reg(&acts, PL_REG_HOLDER, net->routers[att->router].id);
    act_resubmit(&acts, PL_DEFLECT);
    bucket_add(&buckets, PL_GROUP_ALWAYS, 0, &acts);
    ofpbuf_uninit(&acts);
    scope_group(f->scope, id, RANK_OUT, OFPGT11_FF, &buckets, NULL);

    pf_match_network(f, net);
    match_set_dl_dst(&f->match, topo_mac(TOPO_WAY, way->id));
    act_group(&f->acts, id);
    pf_put(f, PL_DELIVERY, 200,
           pl_cookie_what(TOPO_WAY, way->id, PL_COOKIE_OUT));
}

void
pl_host_way(struct scope *scope, const struct topo_network *net,
            const struct pl_way *way, const struct pl_way_here *here,
            struct delta *delta)
{
    const struct scope_key key = pl_key_way(net->id, way->id);
    struct pf f;

    pf_init(&f);
    in_attachment(&f, net, &net->attachments[way->attachment]);
    in_u32(&f, here->alive);
    in_u32(&f, here->local);
    in_u32(&f, here->ofport);
    in_mac(&f, here->peer_mac);
    in_u32(&f, here->shared_mac);
    in_u32(&f, here->watch_ofport);
    if (!pf_begin(&f, scope, &key)) {
        return;
    }
    uint32_t group = put_way_group(&f, net, way, here);
    if (here->local) {
        put_way_out(&f, net, way, here, group);
        put_way_sender(&f, net, way, here);
    }
    pf_end(&f, delta);
}
