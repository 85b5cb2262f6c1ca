/* SPDX-License-Identifier: Apache-2.0 */

/* Why a path set is as it is: what 'tollctl explain' prints is written down
 * here, at the time of the choice. */

#include <config.h>
#include "controller/route/choose.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

static bool
is_stated(const struct rt_cand *cand)
{
    return cand->pub.source != ROUTE_LEARNED;
}

/* The tier that 'cand' was picked for, or SIZE_MAX. */
static size_t
cand_tier(const struct rt_chooser *ch, const struct rt_cand *cand)
{
    for (size_t i = 0; cand->picked && i < ch->n_tier_keys; i++) {
        if (!rt_rank_compare(ch->tier_keys[i], cand->key)) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Why 'cand', which is in no use, lost to 'best'. */
static const char *
why_not(const struct rt_chooser *ch, const struct rt_cand *cand,
        const struct rt_cand *best)
{
    if (!cand->pub.reachable) {
        return "not reachable";
    }
    if (cand->pub.own_lsa && !cand->alive && cand->rank[1] == UINT32_MAX) {
        return "not alive, so not advertised";
    }
    if (!cand->alive) {
        return is_stated(cand) ? "not alive" : "next hop not alive";
    }
    if (!best || cand == best) {
        return "not used";
    }
    if (ch->set->class != RT_ATTACHMENTS) {
        if (is_stated(best) != is_stated(cand)) {
            return is_stated(best) ? "stated ways come first" : "not used";
        }
        if (is_stated(best)) {
            return (cand->pub.total != best->pub.total ? "costs more"
                    : "costs the same, but is farther");
        }
    }
    if (cand->rank[0] != best->rank[0]) {
        return (best->rank[0] == 0 ? "paths inside the area come first"
                : "type 1 comes before type 2");
    }
    return (cand->rank[1] != best->rank[1] ? "costs more"
            : cand->rank[2] != best->rank[2] ? "costs the same, but is farther"
            : "costs more");
}

/* The rule that made 'best' win. */
static const char *
decisive_rule(const struct rt_chooser *ch, const struct rt_cand *best,
              size_t n_usable, size_t n_chosen)
{
    const struct rt_cand *next = NULL;

    if (best->pub.source == ROUTE_ON_LINK) {
        return "on-link neighbour";
    }
    if (n_usable == 1) {
        return "the only candidate that can be used";
    }
    if (n_chosen > 1) {
        return "lowest cost, equal ones share the traffic";
    }
    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        if (!cand->pub.chosen && cand->pub.reachable && cand->alive
            && is_stated(cand) == is_stated(best)
            && (!next || (is_stated(best)
                          ? (cand->pub.total < next->pub.total
                             || (cand->pub.total == next->pub.total
                                 && cand->tie < next->tie))
                          : rt_rank_compare(cand->rank, next->rank) < 0))) {
            next = cand;
        }
    }
    if (ch->set->class != RT_ATTACHMENTS && is_stated(best)) {
        return (!next ? "stated before learned"
                : next->pub.total == best->pub.total
                ? "lowest total, then the nearer router" : "lowest total");
    }
    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        if (!cand->pub.chosen && cand->pub.reachable && cand->alive
            && (!next || rt_rank_compare(cand->rank, next->rank) < 0)) {
            next = cand;
        }
    }
    if (!next || next->rank[0] == best->rank[0]) {
        return (next && next->rank[1] == best->rank[1]
                && next->rank[2] != best->rank[2]
                ? "section 16: lowest cost, then the nearest border"
                : "section 16: lowest cost");
    }
    return (best->rank[0] == 0 ? "section 16: paths inside the area first"
            : "section 16: type 1 before type 2");
}

static const char *
find_rule(const struct rt_chooser *ch, const struct route_tier *best_tier,
          const struct rt_cand *best)
{
    size_t n_usable = 0, n_chosen = 0;

    for (size_t i = 0; i < ch->n_cands; i++) {
        const struct rt_cand *cand = &ch->cands[i];

        n_usable += cand->pub.reachable && cand->alive;
        n_chosen += cand->pub.chosen;
    }
    if (!best_tier) {
        return "nothing lives";
    }
    if (best_tier->source == ROUTE_FALLBACK) {
        return "nothing lives: the next shorter prefix";
    }
    if (best_tier->source == ROUTE_ALTERNATE) {
        return "best next hop not alive: loop-free alternate";
    }
    return best ? decisive_rule(ch, best, n_usable, n_chosen) : "none";
}

static int
compare_numbers(const uint32_t *a, const uint32_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Stated ones by total first, or, for packets from attachments, all by rank;
 * those that can't be used last. */
static int
compare_cands(const void *a_, const void *b_)
{
    const struct rt_cand *a = a_;
    const struct rt_cand *b = b_;
    bool lsa = a->pub.own_lsa || b->pub.own_lsa;
    uint32_t x[] = {
        !a->pub.reachable, lsa ? 0 : !is_stated(a),
        lsa || !is_stated(a) ? a->rank[0] : 0,
        lsa || !is_stated(a) ? a->rank[1] : 0,
        lsa || !is_stated(a) ? a->rank[2] : 0, a->pub.total, a->tie,
    };
    uint32_t y[] = {
        !b->pub.reachable, lsa ? 0 : !is_stated(b),
        lsa || !is_stated(b) ? b->rank[0] : 0,
        lsa || !is_stated(b) ? b->rank[1] : 0,
        lsa || !is_stated(b) ? b->rank[2] : 0, b->pub.total, b->tie,
    };
    int cmp = compare_numbers(x, y, ARRAY_SIZE(x));

    return cmp ? cmp : rt_egress_compare(a->eg, b->eg);
}

void
rt_give_reason(struct rt_chooser *ch)
{
    struct route_path_set *pub = &ch->set->pub;
    const struct route_tier *best_tier = route_path_set_best(pub);
    size_t best_index = (best_tier ? (size_t) (best_tier - pub->tiers)
                         : SIZE_MAX);
    const struct rt_cand *best = NULL;
    struct route_reason *reason = &pub->reason;

    RT_SORT(ch->cands, ch->n_cands, compare_cands);
    for (size_t i = 0; i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];
        size_t tier = cand_tier(ch, cand);

        cand->pub.chosen = (best_tier && cand->alive && tier == best_index);
        cand->pub.backup = (!cand->pub.chosen && tier != SIZE_MAX
                            && best_tier && tier > best_index);
        if (cand->pub.chosen && !best) {
            best = cand;
        }
    }

    reason->n = ch->n_cands;
    reason->candidates = xmalloc(MAX(reason->n, 1)
                                 * sizeof *reason->candidates);
    for (size_t i = 0; i < ch->n_cands; i++) {
        struct rt_cand *cand = &ch->cands[i];

        cand->pub.verdict = (cand->pub.chosen ? "chosen"
                             : why_not(ch, cand, best));
        reason->candidates[i] = cand->pub;
    }
    reason->rule = find_rule(ch, best_tier, best);
}
