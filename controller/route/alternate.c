/* SPDX-License-Identifier: Apache-2.0 */

/* Loop-free alternates (RFC 5286).
 *
 * A neighbour N is an alternate for destination D if its own shortest path
 * does not come back:
 *
 *     D_opt(N,D) < D_opt(N,S) + D_opt(S,D)            (inequality 1)
 *
 * S is here this router, and also each sibling that the best ways leave from,
 * since a packet that came back to that one would find the same dead way.
 *
 * What N thinks of D's border decides, without its metric: if N's path to one
 * of our best borders avoids S, then no border that N prefers leads over S,
 * for S would then prefer it, too.
 *
 * A router without transit has an OSPF instance per attachment.  None of them
 * hears from it what another one says, so whatever one instance has is an
 * alternate to what another has. */

#include <config.h>
#include "controller/route/choose.h"

#include "packets.h"
#include "util.h"

/* D_opt(N,D) for what 'cand' stands for; UINT32_MAX if unknown. */
static uint32_t
distance_from(const struct rt_neighbor *nbr, const struct rt_cand *cand)
{
    const struct rt_egress *eg = cand->eg;

    if (eg->kind == RT_BORDER) {
        const struct rt_border *b = rt_border_find(nbr->borders,
                                                   nbr->n_borders,
                                                   eg->a, eg->b);

        return b && b->reachable ? b->distance : UINT32_MAX;
    } else if (eg->type) {
        const struct rt_node *node = rt_node_find(nbr->nodes, nbr->n_nodes,
                                                  eg->a);

        /* The neighbour may be that router itself. */
        return (nbr->router_id == eg->a ? 0 : node ? node->cost : UINT32_MAX);
    } else {
        const struct rt_route *route = rt_route_find(nbr->routes,
                                                     nbr->n_routes,
                                                     eg->a, eg->b);

        return route ? route->cost : UINT32_MAX;
    }
}

/* Distance from the neighbour, or from the root, to a router. */
static uint32_t
distance_to(const struct rt_node *nodes, size_t n, uint32_t root,
            uint32_t router_id)
{
    const struct rt_node *node = rt_node_find(nodes, n, router_id);

    return router_id == root ? 0 : node ? node->cost : UINT32_MAX;
}

/* Inequality 1 for the neighbour and router 's', which is on the shortest path
 * to what 'cand' stands for. */
static bool
avoids(const struct rt_neighbor *nbr, const struct rt_cand *cand, uint32_t s)
{
    const struct rt_rib *rib = cand->rib;
    uint32_t nd = distance_from(nbr, cand);
    uint32_t ns = distance_to(nbr->nodes, nbr->n_nodes, nbr->router_id, s);
    uint32_t rs = distance_to(rib->nodes, rib->n_nodes, rib->root, s);

    if (nd == UINT32_MAX) {
        return false;
    }
    if (ns == UINT32_MAX) {
        return true;
    }
    if (rs == UINT32_MAX || rs > cand->pub.internal) {
        return false;
    }
    return nd < (uint64_t) ns + (cand->pub.internal - rs);
}

static bool
avoids_family(const struct rt_neighbor *nbr, const struct rt_cand *cand)
{
    const struct rt_rib *rib = cand->rib;

    if (!avoids(nbr, cand, rib->root)) {
        return false;
    }
    for (uint32_t i = 0; i < cand->nhs->n; i++) {
        if (!avoids(nbr, cand,
                    rib->nexthops[cand->nhs->first + i].exit_router)) {
            return false;
        }
    }
    return true;
}

/* Whether 'w' is used anyway, as a stated way or a best next hop. */
static bool
uses_way(const struct rt_chooser *ch, const struct rt_way *w)
{
    for (size_t i = 0; i < ch->n_picks; i++) {
        if (ch->picks[i].way == &w->pub) {
            return true;
        }
    }
    return false;
}

static bool
uses_attachment(const struct rt_chooser *ch, uint32_t attachment)
{
    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        for (uint32_t j = 0; cand->best && j < cand->nhs->n; j++) {
            const struct rt_way *w
                = cand->rib->nexthops[cand->nhs->first + j].way;

            if (w && w->attachment == attachment) {
                return true;
            }
        }
    }
    return false;
}

struct alternate {
    const struct rt_way *way;
    bool same_attachment;       /* As a best way: protects less. */
    uint32_t cost;
};

static bool
is_better(const struct alternate *a, const struct alternate *b)
{
    if (!b->way) {
        return true;
    }
    if (a->same_attachment != b->same_attachment) {
        return !a->same_attachment;
    }
    if (a->cost != b->cost) {
        return a->cost < b->cost;
    }
    if (a->way->attachment != b->way->attachment) {
        return a->way->attachment < b->way->attachment;
    }
    return addr_compare(&a->way->pub.next_hop, &b->way->pub.next_hop) < 0;
}

/* Considers all neighbours in the instance of 'cand', one of the best. */
static void
consider_neighbors(const struct rt_chooser *ch, const struct rt_cand *cand,
                   struct alternate *best)
{
    const struct route_net *net = ch->net;

    for (size_t i = 0; i < cand->rib->n_neighbors; i++) {
        const struct rt_neighbor *nbr = &cand->rib->neighbors[i];
        struct alternate alt;
        uint32_t links;

        alt.way = rt_way_find(net, nbr->attachment, &nbr->addr);
        if (!nbr->has_rib || !alt.way || uses_way(ch, alt.way)
            || !avoids_family(nbr, cand)) {
            continue;
        }
        links = ch->r->distances[alt.way->pub.router];
        if (links == UINT32_MAX) {
            continue;
        }
        alt.same_attachment = uses_attachment(ch, nbr->attachment);
        alt.cost = rt_clamp(
            (uint64_t) links
            + net->topo->attachments[alt.way->pub.attachment].cost
            + distance_from(nbr, cand)
            + (cand->eg->kind == RT_INTRA || cand->eg->type == 1
               ? cand->eg->cost : 0));
        if (is_better(&alt, best)) {
            *best = alt;
        }
    }
}

/* Picks what the other instances of a router without transit have. */
static void
pick_other_instances(struct rt_chooser *ch, uint32_t block, bool horizon)
{
    const struct rt_cand *best = NULL;

    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        if (cand->pub.source == ROUTE_LEARNED && cand->pub.reachable
            && !cand->best && cand->rib != ch->learned->rib
            && (!best || rt_rank_compare(cand->rank, best->rank) < 0)) {
            best = cand;
        }
    }
    for (size_t i = 0; best && i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        if (cand->pub.source != ROUTE_LEARNED || !cand->pub.reachable
            || cand->best || cand->rib == ch->learned->rib
            || rt_rank_compare(cand->rank, best->rank)) {
            continue;
        }
        for (uint32_t j = 0; j < cand->nhs->n; j++) {
            const struct rt_way *w
                = cand->rib->nexthops[cand->nhs->first + j].way;

            if (w) {
                rt_pick(ch, &w->pub, ROUTE_ALTERNATE, block, cand->rank[1], 0,
                        horizon);
            }
        }
    }
}

void
rt_pick_alternates(struct rt_chooser *ch, uint32_t block, bool horizon)
{
    struct alternate best = { .way = NULL };

    for (size_t i = 0; i < ch->n_cands; i++) {
        if (ch->cands[i].best) {
            consider_neighbors(ch, &ch->cands[i], &best);
        }
    }
    if (best.way) {
        rt_pick(ch, &best.way->pub, ROUTE_ALTERNATE, block, best.cost, 0,
                horizon);
    }
    pick_other_instances(ch, block + 1, horizon);
}

/* Whether the neighbour, from all that is in the LSDB, prefers what 'cand'
 * stands for to each of our own AS-external-LSAs. */
static bool
prefers_learned(const struct rt_chooser *ch, const struct rt_neighbor *nbr,
                const struct rt_cand *cand)
{
    uint32_t distance = distance_from(nbr, cand);
    bool e2 = cand->eg->kind == RT_BORDER && cand->eg->type == 2;
    uint32_t theirs[3];

    if (distance == UINT32_MAX) {
        return false;
    }
    theirs[0] = cand->rank[0];
    theirs[1] = rt_clamp((e2 ? 0 : (uint64_t) distance) + cand->eg->cost);
    theirs[2] = e2 ? distance : 0;
    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *own = &ch->cands[i];
        const struct rt_router *owner;
        uint32_t to_owner;
        uint32_t ours[3];

        if (!own->pub.own_lsa || !own->alive) {
            continue;
        }
        owner = ch->net->routers[own->way->pub.router];
        to_owner = distance_to(nbr->nodes, nbr->n_nodes, nbr->router_id,
                               owner->router_id);
        if (to_owner == UINT32_MAX) {
            continue;
        }
        e2 = own->eg->type == TOPO_ADV_E2;
        ours[0] = own->rank[0];
        ours[1] = rt_clamp((e2 ? 0 : (uint64_t) to_owner) + own->cost);
        ours[2] = e2 ? to_owner : 0;
        if (rt_rank_compare(theirs, ours) >= 0) {
            return false;
        }
    }
    return true;
}

/* Whether the neighbour behind 'w' keeps packets for 'cand' away from us. */
static bool
way_is_safe(const struct rt_chooser *ch, const struct rt_cand *cand,
            const struct rt_way *w)
{
    for (size_t i = 0; i < cand->rib->n_neighbors; i++) {
        const struct rt_neighbor *nbr = &cand->rib->neighbors[i];

        if (nbr->attachment == w->attachment
            && ipv6_addr_equals(&nbr->addr, &w->pub.next_hop)) {
            return (nbr->has_rib && avoids_family(nbr, cand)
                    && prefers_learned(ch, nbr, cand));
        }
    }
    return false;
}

bool
rt_learned_is_safe(const struct rt_chooser *ch)
{
    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        for (uint32_t j = 0; cand->best && j < cand->nhs->n; j++) {
            const struct rt_way *w
                = cand->rib->nexthops[cand->nhs->first + j].way;

            if (w && !way_is_safe(ch, cand, w)) {
                return false;
            }
        }
    }
    return true;
}
