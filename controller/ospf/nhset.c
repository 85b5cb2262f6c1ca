/* SPDX-License-Identifier: Apache-2.0 */

/* See nhset.h. */

#include <config.h>
#include "controller/ospf/nhset.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"

void
nhsets_init(struct nhsets *s)
{
    memset(s, 0, sizeof *s);
    s->index_mask = 63;
    s->index = xcalloc(s->index_mask + 1, sizeof *s->index);
    s->union_mask = 63;
    s->unions = xcalloc(s->union_mask + 1, sizeof *s->unions);

    s->sets = x2nrealloc(s->sets, &s->allocated_sets, sizeof *s->sets);
    s->sets[s->n_sets++] = (struct ospf_nhset) { 0, 0 };
}

void
nhsets_destroy(struct nhsets *s)
{
    free(s->nexthops);
    free(s->sets);
    free(s->index);
    free(s->unions);
}

int
ospf_nexthop_compare(const void *a_, const void *b_)
{
    const struct ospf_nexthop *a = a_, *b = b_;

    return (a->exit_router != b->exit_router
            ? (a->exit_router < b->exit_router ? -1 : 1)
            : a->local != b->local ? (a->local < b->local ? -1 : 1)
            : a->addr != b->addr ? (a->addr < b->addr ? -1 : 1)
            : a->nbr_router_id < b->nbr_router_id ? -1
            : a->nbr_router_id > b->nbr_router_id);
}

static size_t
hash_nexthops(const struct ospf_nexthop *nh, size_t n)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < n; i++) {
        hash = hash_add(hash, nh[i].exit_router);
        hash = hash_add(hash, nh[i].local);
        hash = hash_add(hash, nh[i].addr);
        hash = hash_add(hash, nh[i].nbr_router_id);
    }
    return hash_finish(hash, n);
}

static void
index_grow(struct nhsets *s)
{
    free(s->index);
    s->index_mask = s->index_mask * 2 + 1;
    s->index = xcalloc(s->index_mask + 1, sizeof *s->index);
    for (size_t i = 1; i < s->n_sets; i++) {
        const struct ospf_nhset *set = &s->sets[i];
        size_t slot = hash_nexthops(s->nexthops + set->first, set->n);
        while (s->index[slot & s->index_mask]) {
            slot++;
        }
        s->index[slot & s->index_mask] = i;
    }
}

/* 'nh' is sorted and has no repetitions. */
static uint32_t
intern(struct nhsets *s, const struct ospf_nexthop *nh, size_t n)
{
    if (!n) {
        return 0;
    }
    size_t slot = hash_nexthops(nh, n);
    for (; s->index[slot & s->index_mask]; slot++) {
        uint32_t i = s->index[slot & s->index_mask];
        const struct ospf_nhset *set = &s->sets[i];
        if (set->n == n
            && !memcmp(s->nexthops + set->first, nh, n * sizeof *nh)) {
            return i;
        }
    }

    while (s->n_nexthops + n > s->allocated_nexthops) {
        s->nexthops = x2nrealloc(s->nexthops, &s->allocated_nexthops,
                                 sizeof *s->nexthops);
    }
    if (s->n_sets >= s->allocated_sets) {
        s->sets = x2nrealloc(s->sets, &s->allocated_sets, sizeof *s->sets);
    }
    memcpy(s->nexthops + s->n_nexthops, nh, n * sizeof *nh);
    s->sets[s->n_sets] = (struct ospf_nhset) { s->n_nexthops, n };
    s->n_nexthops += n;
    s->index[slot & s->index_mask] = s->n_sets++;
    uint32_t result = s->n_sets - 1;
    if (s->n_sets * 2 > s->index_mask) {
        index_grow(s);
    }
    return result;
}

uint32_t
nhsets_make(struct nhsets *s, const struct ospf_nexthop *nh, size_t n)
{
    if (!n) {
        return 0;
    }
    struct ospf_nexthop *v = xmemdup(nh, n * sizeof *nh);
    qsort(v, n, sizeof *v, ospf_nexthop_compare);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        if (!m || ospf_nexthop_compare(&v[m - 1], &v[i])) {
            v[m++] = v[i];
        }
    }
    uint32_t set = intern(s, v, m);
    free(v);
    return set;
}

uint32_t
nhsets_one(struct nhsets *s, uint32_t exit_router, uint32_t local,
           uint32_t addr, uint32_t nbr_router_id)
{
    struct ospf_nexthop nh = { exit_router, local, addr, nbr_router_id };
    return intern(s, &nh, 1);
}

static struct nhsets_union *
union_slot(struct nhsets *s, uint32_t a, uint32_t b)
{
    size_t slot = hash_finish(hash_add(a, b), 8);

    for (;; slot++) {
        struct nhsets_union *u = &s->unions[slot & s->union_mask];
        if (!u->result || (u->a == a && u->b == b)) {
            return u;
        }
    }
}

static void
unions_grow(struct nhsets *s)
{
    struct nhsets_union *old = s->unions;
    size_t n_old = s->union_mask + 1;

    s->union_mask = s->union_mask * 2 + 1;
    s->unions = xcalloc(s->union_mask + 1, sizeof *s->unions);
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].result) {
            *union_slot(s, old[i].a, old[i].b) = old[i];
        }
    }
    free(old);
}

uint32_t
nhsets_union(struct nhsets *s, uint32_t a, uint32_t b)
{
    if (a == b || !b) {
        return a;
    } else if (!a) {
        return b;
    }
    struct nhsets_union *u = union_slot(s, MIN(a, b), MAX(a, b));
    if (u->result) {
        return u->result;
    }

    struct ospf_nhset sa = s->sets[a], sb = s->sets[b];
    struct ospf_nexthop *v = xmalloc((sa.n + sb.n) * sizeof *v);
    memcpy(v, s->nexthops + sa.first, sa.n * sizeof *v);
    memcpy(v + sa.n, s->nexthops + sb.first, sb.n * sizeof *v);
    u->a = MIN(a, b);
    u->b = MAX(a, b);
    uint32_t result = u->result = nhsets_make(s, v, sa.n + sb.n);
    free(v);
    if (++s->n_unions * 2 > s->union_mask) {
        unions_grow(s);
    }
    return result;
}
