/* SPDX-License-Identifier: Apache-2.0 */

/* Level 2: from candidates to tiers.
 *
 * Each candidate of a path set gets a rank, four numbers compared in turn.
 * What may be used becomes "picks": a way with the block that it belongs to
 * (0 is tried first) and its total in there.  Sorted and grouped, picks are
 * tiers.
 *
 *   From subnets       stated ways by total (for E2, distance on ties); then
 *                      what section 16 chooses; then its alternate.
 *   From attachments   each router's own AS-external-LSA, while a way of it
 *                      lives, competes with the learned candidates.  Who wins
 *                      is block 0; an LSA stands for its destination's ways.
 *
 * Last come the tiers of the next shorter prefix, if no learned candidate is
 * reachable. */

#include <config.h>
#include "controller/route/choose.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

/* Ranks of section 16.4 (and 11): type of path. */
enum { RANK_INTRA, RANK_E1, RANK_E2, RANK_NONE };

/* Blocks that are not given by rank. */
enum {
    BLOCK_LEARNED = 1000000,
    BLOCK_ALTERNATE = 2000000,
};

int
rt_rank_compare(const uint32_t a[3], const uint32_t b[3])
{
    for (int i = 0; i < 3; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Candidates. */

static struct rt_cand *
add_cand(struct rt_chooser *ch, const struct rt_egress *eg)
{
    struct rt_cand *cand;

    if (ch->n_cands >= ch->allocated_cands) {
        ch->cands = x2nrealloc(ch->cands, &ch->allocated_cands,
                               sizeof *ch->cands);
    }
    cand = &ch->cands[ch->n_cands++];
    memset(cand, 0, sizeof *cand);
    cand->eg = eg;
    cand->pub.internal = UINT32_MAX;
    cand->rank[0] = RANK_NONE;
    return cand;
}

static void
add_stated(struct rt_chooser *ch, const struct rt_egress *eg)
{
    static const char *const types[] = { "not advertised", "E1", "E2" };
    const struct topo_network *topo = ch->net->topo;
    struct rt_way *w = rt_way_find(ch->net, eg->a, &eg->addr);
    struct rt_cand *cand;
    uint32_t distance;

    if (!w) {
        return;
    }
    cand = add_cand(ch, eg);
    distance = ch->r->distances[w->pub.router];
    cand->way = w;
    cand->pub.source = (eg->kind == RT_ON_LINK ? ROUTE_ON_LINK
                        : ROUTE_STATED);
    cand->pub.type = eg->kind == RT_ON_LINK ? "on-link" : types[eg->type];
    cand->pub.way = &w->pub;
    cand->pub.router = topo->routers[w->pub.router].name;
    cand->pub.stated = eg->cost;
    cand->pub.metric = eg->kind == RT_STATED ? rt_part(ch->net, eg->a) : 0;
    cand->pub.internal = distance;
    cand->pub.why = w->pub.why;
    cand->pub.reachable = distance != UINT32_MAX;
    cand->cost = rt_clamp((uint64_t) cand->pub.stated + cand->pub.metric);
    cand->alive = w->pub.why == ROUTE_WHY_ALIVE;
    if (eg->kind == RT_STATED && eg->type == TOPO_ADV_E2) {
        cand->pub.total = cand->cost;
        cand->tie = distance;
    } else {
        cand->pub.total = rt_clamp((uint64_t) cand->cost + distance);
    }
}

static void
set_distance(struct rt_cand *cand, const struct rt_rib *rib,
             uint32_t distance, uint32_t nhset)
{
    const struct rt_nhset *nhs;

    if (nhset >= rib->n_nhsets) {
        return;
    }
    nhs = &rib->nhsets[nhset];
    for (uint32_t i = 0; i < nhs->n; i++) {
        const struct rt_way *w = rib->nexthops[nhs->first + i].way;

        if (w) {
            cand->pub.reachable = true;
            cand->alive = cand->alive || w->pub.why == ROUTE_WHY_ALIVE;
        }
    }
    cand->nhs = nhs;
    cand->pub.internal = distance;
}

static void
add_learned(struct rt_chooser *ch, const struct rt_egress *eg)
{
    static const char *const types[] = { "", "E1", "E2" };
    const struct rt_rib *rib = rt_rib_find(ch->net, ch->r->id, eg->instance);
    struct rt_cand *cand = add_cand(ch, eg);
    const struct rt_border *border;
    const struct rt_route *route;
    const struct rt_node *node;

    cand->pub.source = ROUTE_LEARNED;
    cand->pub.stated = eg->cost;
    cand->pub.border = eg->a;
    cand->pub.type = eg->kind == RT_INTRA ? "intra" : types[eg->type];
    cand->rib = rib;
    if (!rib) {
        return;
    }
    if (eg->kind == RT_BORDER) {
        cand->pub.forwarding = eg->b;
        border = rt_border_find(rib->borders, rib->n_borders, eg->a, eg->b);
        if (border && border->reachable) {
            set_distance(cand, rib, border->distance, border->nhset);
        }
    } else if (eg->type) {
        node = rt_node_find(rib->nodes, rib->n_nodes, eg->a);
        if (node) {
            set_distance(cand, rib, node->cost, node->nhset);
        }
    } else {
        cand->pub.border = 0;
        route = rt_route_find(rib->routes, rib->n_routes, eg->a, eg->b);
        if (route) {
            set_distance(cand, rib, route->cost, route->nhset);
        }
    }
    if (cand->pub.reachable) {
        bool e2 = eg->kind == RT_BORDER && eg->type == 2;

        cand->rank[0] = (eg->kind == RT_INTRA ? RANK_INTRA
                         : e2 ? RANK_E2 : RANK_E1);
        cand->rank[1] = rt_clamp((e2 ? 0 : (uint64_t) cand->pub.internal)
                                 + eg->cost);
        cand->rank[2] = e2 ? cand->pub.internal : 0;
        cand->pub.total = cand->rank[1];
    }
}

/* Picks. */

void
rt_pick(struct rt_chooser *ch, const struct route_way *way,
        enum route_source source, uint32_t block, uint32_t total, uint32_t tie,
        bool horizon)
{
    struct rt_pick pick = {
        .way = way, .source = source, .block = block, .total = total,
        .tie = tie, .horizon = horizon, .order = ch->n_picks,
    };

    RT_PUSH(ch->picks, ch->n_picks, ch->allocated_picks, pick);
}

static void
remember_key(struct rt_cand *cand, uint32_t block, uint32_t total,
             uint32_t tie)
{
    cand->picked = true;
    cand->key[0] = block;
    cand->key[1] = total;
    cand->key[2] = tie;
}

static void
pick_nexthops(struct rt_chooser *ch, struct rt_cand *cand,
              enum route_source source, uint32_t block, bool horizon)
{
    remember_key(cand, block, cand->rank[1], 0);
    for (uint32_t i = 0; i < cand->nhs->n; i++) {
        const struct rt_nexthop *nh
            = &cand->rib->nexthops[cand->nhs->first + i];

        if (nh->way) {
            rt_pick(ch, &nh->way->pub, source, block, cand->rank[1], 0,
                    horizon);
        }
    }
}

static void
find_best_learned(struct rt_chooser *ch)
{
    for (size_t i = 0; i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];

        if (cand->pub.source == ROUTE_LEARNED && cand->pub.reachable
            && (!ch->learned
                || rt_rank_compare(cand->rank, ch->learned->rank) < 0)) {
            ch->learned = cand;
        }
    }
    for (size_t i = 0; ch->learned && i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];

        cand->best = (cand->pub.source == ROUTE_LEARNED
                      && cand->pub.reachable
                      && !rt_rank_compare(cand->rank, ch->learned->rank));
    }
}

/* Picks what section 16 chooses among the learned candidates. */
static void
pick_learned(struct rt_chooser *ch, uint32_t block, bool horizon,
             bool alternate_horizon)
{
    for (size_t i = 0; i < ch->n_cands; i++) {
        if (ch->cands[i].best) {
            pick_nexthops(ch, &ch->cands[i], ROUTE_LEARNED, block, horizon);
        }
    }
    if (ch->learned) {
        rt_pick_alternates(ch, BLOCK_ALTERNATE, alternate_horizon);
    }
}

/* The view from subnets, and what is the same in both. */
static void
choose_for_subnets(struct rt_chooser *ch)
{
    bool horizon = true;

    for (size_t i = 0; i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];

        if (cand->pub.source != ROUTE_LEARNED && cand->pub.reachable) {
            remember_key(cand, 0, cand->pub.total, cand->tie);
            rt_pick(ch, cand->pub.way, cand->pub.source, 0, cand->pub.total,
                    cand->tie, true);
            if (cand->alive && ch->set->class != RT_SUBNETS) {
                horizon = false;
            }
        }
    }
    pick_learned(ch, BLOCK_LEARNED, true, true);
    ch->fallback_horizon = horizon;
}

/* Gives the candidates that stand behind the AS-external-LSA of 'owner' their
 * rank: all the same.  'cands[first]' is the first of them. */
static void
rank_lsa(struct rt_chooser *ch, size_t first)
{
    size_t owner = ch->cands[first].way->pub.router;
    uint32_t rank[3] = { RANK_NONE, UINT32_MAX, 0 };
    uint32_t distance = ch->r->distances[owner];

    for (size_t i = first; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        if (cand->way && cand->way->pub.router == owner && cand->alive
            && cand->cost < rank[1]) {
            bool e2 = cand->eg->type == TOPO_ADV_E2;

            rank[0] = e2 ? RANK_E2 : RANK_E1;
            rank[1] = cand->cost;
            rank[2] = e2 ? distance : 0;
        }
    }
    if (rank[0] == RANK_E1) {
        rank[1] = rt_clamp((uint64_t) rank[1] + distance);
    }
    for (size_t i = first; i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];

        if (cand->way && cand->way->pub.router == owner) {
            memcpy(cand->rank, rank, sizeof rank);
            cand->pub.own_lsa = true;
            cand->ranked = true;
        }
    }
}

static void
choose_for_attachments(struct rt_chooser *ch)
{
    const struct rt_cand *best = NULL;
    bool own_wins = false;

    for (size_t i = 0; i < ch->n_cands; i++) {
        if (ch->cands[i].way && !ch->cands[i].ranked) {
            rank_lsa(ch, i);
        }
    }
    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        if (cand->rank[0] != RANK_NONE
            && (!best || rt_rank_compare(cand->rank, best->rank) < 0)) {
            best = cand;
        }
    }
    for (size_t i = 0; best && i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        own_wins = own_wins || (cand->way
                                && !rt_rank_compare(cand->rank, best->rank));
    }
    ch->fallback_horizon = !best;
    if (!own_wins) {
        pick_learned(ch, 0, true, true);
        return;
    }

    for (size_t i = 0; i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];
        uint32_t block = 0, total = (cand->eg->type == TOPO_ADV_E2 ? cand->cost
                                     : cand->pub.total);

        if (!cand->way || cand->rank[0] == RANK_NONE) {
            continue;
        }
        for (size_t j = 0; j < ch->n_cands; j++) {
            block += rt_rank_compare(ch->cands[j].rank, cand->rank) < 0;
        }
        remember_key(cand, block, total, 0);
        rt_pick(ch, cand->pub.way, ROUTE_STATED, block, total, 0, true);
    }
    if (ch->learned) {
        uint32_t block = 0;

        for (size_t j = 0; j < ch->n_cands; j++) {
            block += rt_rank_compare(ch->cands[j].rank, ch->learned->rank) < 0;
        }
        pick_learned(ch, block, !block || rt_learned_is_safe(ch), !block);
    }
}

/* Tiers. */

static int
compare_picks(const void *a_, const void *b_)
{
    const struct rt_pick *a = a_;
    const struct rt_pick *b = b_;

    return (a->block != b->block ? (a->block < b->block ? -1 : 1)
            : a->total != b->total ? (a->total < b->total ? -1 : 1)
            : a->tie != b->tie ? (a->tie < b->tie ? -1 : 1)
            : a->order < b->order ? -1 : a->order > b->order);
}

static int
compare_way_ids(const void *a_, const void *b_)
{
    const struct route_way *const *a = a_;
    const struct route_way *const *b = b_;

    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

static bool
tiers_have(const struct route_path_set *pub, const struct route_way *way)
{
    for (size_t i = 0; i < pub->n_tiers; i++) {
        for (size_t j = 0; j < pub->tiers[i].n_ways; j++) {
            if (pub->tiers[i].ways[j] == way) {
                return true;
            }
        }
    }
    return false;
}

/* Appends those of 'ways' that no tier has yet. */
static void
append_tier(struct route_path_set *pub, const struct route_way **ways,
            size_t n, uint32_t total, enum route_source source, bool horizon)
{
    struct route_tier tier = {
        .ways = xmalloc(n * sizeof *tier.ways),
        .total = total,
        .source = source,
        .horizon = horizon,
    };

    for (size_t i = 0; i < n; i++) {
        bool seen = tiers_have(pub, ways[i]);

        for (size_t j = 0; !seen && j < tier.n_ways; j++) {
            seen = tier.ways[j] == ways[i];
        }
        if (!seen) {
            tier.ways[tier.n_ways++] = ways[i];
        }
    }
    if (!tier.n_ways) {
        free(tier.ways);
        return;
    }
    RT_SORT(tier.ways, tier.n_ways, compare_way_ids);
    pub->tiers = xrealloc(pub->tiers, (pub->n_tiers + 1) * sizeof *pub->tiers);
    pub->tiers[pub->n_tiers++] = tier;
}

static void
make_tiers(struct rt_chooser *ch)
{
    struct route_path_set *pub = &ch->set->pub;
    const struct route_way **ways = xmalloc(MAX(ch->n_picks, 1)
                                            * sizeof *ways);

    RT_SORT(ch->picks, ch->n_picks, compare_picks);
    ch->tier_keys = xmalloc(MAX(ch->n_picks, 1) * sizeof *ch->tier_keys);
    for (size_t i = 0; i < ch->n_picks; ) {
        const struct rt_pick *first = &ch->picks[i];
        size_t n = 0;

        while (i < ch->n_picks
               && ch->picks[i].block == first->block
               && ch->picks[i].total == first->total
               && ch->picks[i].tie == first->tie) {
            ways[n++] = ch->picks[i++].way;
        }
        append_tier(pub, ways, n, first->total, first->source,
                    first->horizon);
        if (pub->n_tiers > ch->n_tier_keys) {
            uint32_t *key = ch->tier_keys[ch->n_tier_keys++];

            key[0] = first->block;
            key[1] = first->total;
            key[2] = first->tie;
        }
    }
    free(ways);

    if (ch->set->fallback && !ch->learned) {
        const struct route_path_set *fallback = &ch->set->fallback->pub;

        for (size_t i = 0; i < fallback->n_tiers; i++) {
            const struct route_tier *tier = &fallback->tiers[i];

            append_tier(pub, tier->ways, tier->n_ways, tier->total,
                        ROUTE_FALLBACK,
                        tier->horizon && ch->fallback_horizon);
        }
    }
}

void
rt_choose(const struct route_net *net, struct rt_path_set *set)
{
    struct rt_chooser ch = { .net = net, .set = set, .r = set->router };

    for (size_t i = 0; i < set->n_egresses; i++) {
        const struct rt_egress *eg = &set->egresses[i];

        if (eg->kind == RT_STATED || eg->kind == RT_ON_LINK) {
            add_stated(&ch, eg);
        } else {
            add_learned(&ch, eg);
        }
    }
    find_best_learned(&ch);
    if (set->class == RT_ATTACHMENTS) {
        choose_for_attachments(&ch);
    } else {
        choose_for_subnets(&ch);
    }
    make_tiers(&ch);
    rt_give_reason(&ch);
    free(ch.cands);
    free(ch.picks);
    free(ch.tier_keys);
}

const struct rt_way *
rt_best_living(const struct route_net *net, const struct topo_destination *d,
               uint32_t *cost, size_t *n)
{
    const struct rt_way *best = NULL;

    *cost = UINT32_MAX;
    *n = 0;
    for (size_t i = 0; i < d->n_vias; i++) {
        const struct topo_via *via = &d->vias[i];
        uint32_t id = net->topo->attachments[via->attachment].id;
        struct in6_addr key = route_way_key(net->topo, via->attachment,
                                            &via->next_hop);
        const struct rt_way *w = rt_way_find(net, id, &key);
        uint32_t c = rt_clamp((uint64_t) via->cost + rt_part(net, id));

        if (!w || w->pub.why != ROUTE_WHY_ALIVE || c > *cost) {
            continue;
        }
        *n = c < *cost ? 1 : w == best ? *n : *n + 1;
        best = c < *cost ? w : best;
        *cost = c;
    }
    return best;
}
