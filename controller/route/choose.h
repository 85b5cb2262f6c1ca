/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_CHOOSE_H
#define CONTROLLER_ROUTE_CHOOSE_H 1

/* One choice under way: shared by choose.c (ranks and tiers), alternate.c
 * (loop-free alternates) and reason.c (why). */

#include "controller/route/route-private.h"

/* A candidate. */
struct rt_cand {
    struct route_candidate pub;
    const struct rt_egress *eg;
    const struct rt_way *way;   /* Stated, on-link. */
    const struct rt_rib *rib;   /* Learned. */
    const struct rt_nhset *nhs; /* Learned, if reachable. */
    uint32_t cost;              /* Stated + metric part. */
    uint32_t tie;               /* Compared if totals are equal. */
    uint32_t rank[3];           /* Section 16: path type, cost, distance. */
    bool ranked;
    bool alive;                 /* The way, or one of the next hops, lives. */
    bool best;                  /* Learned: among the best. */
    bool picked;                /* With this key: */
    uint32_t key[3];            /* Block, total, tie. */
};

struct rt_pick {
    const struct route_way *way;
    enum route_source source;
    uint32_t block, total, tie;
    size_t order;               /* As picked. */
    bool horizon;
};

struct rt_chooser {
    const struct route_net *net;
    struct rt_path_set *set;
    const struct rt_router *r;
    struct rt_cand *cands;
    size_t n_cands, allocated_cands;
    struct rt_pick *picks;
    size_t n_picks, allocated_picks;
    uint32_t (*tier_keys)[3];   /* Of the tiers, but for the fallback's. */
    size_t n_tier_keys;
    const struct rt_cand *learned; /* One of the best, or NULL. */
    bool fallback_horizon;
};

int rt_rank_compare(const uint32_t a[3], const uint32_t b[3]);
void rt_pick(struct rt_chooser *, const struct route_way *, enum route_source,
             uint32_t block, uint32_t total, uint32_t tie, bool horizon);

/* alternate.c */
void rt_pick_alternates(struct rt_chooser *, uint32_t block, bool horizon);
/* Whether packets that are given to the best learned next hops stay away even
 * though our own AS-external-LSAs are better. */
bool rt_learned_is_safe(const struct rt_chooser *);

/* reason.c */
void rt_give_reason(struct rt_chooser *);

#endif /* controller/route/choose.h */
