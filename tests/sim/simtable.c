/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/sim/simtable.h"

#include <stdlib.h>
#include <string.h>

#include "classifier.h"
#include "classifier-private.h"
#include "flow.h"
#include "util.h"

/* The flows that have one mask in common. */
struct simsubtable {
    struct minimask *mask;
    struct hmap flows;          /* Contains "struct simflow"s. */
    int max_priority;           /* Of its flows; never too low. */
};

void
simflow_unref(struct simflow *flow)
{
    if (flow && !--flow->ref_cnt) {
        minimatch_destroy(&flow->match);
        free(flow->ofpacts);
        free(flow);
    }
}

void
simtable_init(struct simtable *table)
{
    memset(table, 0, sizeof *table);
}

static void
subtable_destroy(struct simsubtable *sub)
{
    struct simflow *flow;

    HMAP_FOR_EACH_POP (flow, node, &sub->flows) {
        simflow_unref(flow);
    }
    hmap_destroy(&sub->flows);
    free(sub->mask);
    free(sub);
}

void
simtable_clear(struct simtable *table)
{
    for (size_t i = 0; i < table->n_subs; i++) {
        subtable_destroy(table->subs[i]);
    }
    table->n_subs = 0;
    table->n_flows = 0;
}

void
simtable_destroy(struct simtable *table)
{
    simtable_clear(table);
    free(table->subs);
}

static int
compare_subtables(const void *a_, const void *b_)
{
    const struct simsubtable *const *a = a_;
    const struct simsubtable *const *b = b_;

    return ((*a)->max_priority < (*b)->max_priority)
           - ((*a)->max_priority > (*b)->max_priority);
}

static void
sort_subtables(struct simtable *table)
{
    qsort(table->subs, table->n_subs, sizeof *table->subs, compare_subtables);
}

static struct simsubtable *
find_subtable(const struct simtable *table, const struct minimask *mask)
{
    for (size_t i = 0; i < table->n_subs; i++) {
        if (minimask_equal(table->subs[i]->mask, mask)) {
            return table->subs[i];
        }
    }
    return NULL;
}

static uint32_t
hash_of_match(const struct minimatch *match)
{
    struct flow flow;

    miniflow_expand(match->flow, &flow);
    return flow_hash_in_minimask(&flow, match->mask, 0);
}

void
simtable_insert(struct simtable *table, struct simflow *flow)
{
    struct simsubtable *sub = find_subtable(table, flow->match.mask);

    if (!sub) {
        struct flow_wildcards wc;

        if (table->n_subs >= table->allocated_subs) {
            table->subs = x2nrealloc(table->subs, &table->allocated_subs,
                                     sizeof *table->subs);
        }
        sub = xzalloc(sizeof *sub);
        minimask_expand(flow->match.mask, &wc);
        sub->mask = minimask_create(&wc);
        hmap_init(&sub->flows);
        sub->max_priority = -1;
        table->subs[table->n_subs++] = sub;
    }
    hmap_insert(&sub->flows, &flow->node, hash_of_match(&flow->match));
    if (flow->priority > sub->max_priority) {
        sub->max_priority = flow->priority;
        sort_subtables(table);
    }
    table->n_flows++;
}

void
simtable_remove(struct simtable *table, struct simflow *flow)
{
    struct simsubtable *sub = find_subtable(table, flow->match.mask);

    hmap_remove(&sub->flows, &flow->node);
    table->n_flows--;
    if (hmap_is_empty(&sub->flows)) {
        for (size_t i = 0; i < table->n_subs; i++) {
            if (table->subs[i] == sub) {
                table->n_subs--;
                memmove(&table->subs[i], &table->subs[i + 1],
                        (table->n_subs - i) * sizeof *table->subs);
                break;
            }
        }
        subtable_destroy(sub);
    }
    simflow_unref(flow);
}

struct simflow *
simtable_find(const struct simtable *table, const struct minimatch *match,
              int priority)
{
    struct simsubtable *sub = find_subtable(table, match->mask);
    struct simflow *flow;

    if (sub) {
        HMAP_FOR_EACH_WITH_HASH (flow, node, hash_of_match(match), &sub->flows) {
            if (flow->priority == priority
                && minimatch_equal(&flow->match, match)) {
                return flow;
            }
        }
    }
    return NULL;
}

static bool
same_actions(const struct simflow *a, const struct simflow *b)
{
    return ofpacts_equal(a->ofpacts, a->ofpacts_len,
                         b->ofpacts, b->ofpacts_len);
}

struct simflow *
simtable_lookup(const struct simtable *table, const struct flow *key,
                const struct simflow **rival)
{
    struct simflow *best = NULL;

    if (rival) {
        *rival = NULL;
    }
    for (size_t i = 0; i < table->n_subs; i++) {
        const struct simsubtable *sub = table->subs[i];
        struct simflow *flow;

        if (best && best->priority > sub->max_priority) {
            break;
        }
        HMAP_FOR_EACH_WITH_HASH (flow, node,
                                 flow_hash_in_minimask(key, sub->mask, 0),
                                 &sub->flows) {
            if (!minimatch_matches_flow(&flow->match, key)) {
                continue;
            }
            if (!best || flow->priority > best->priority) {
                best = flow;
                if (rival) {
                    *rival = NULL;
                }
            } else if (flow->priority == best->priority) {
                if (rival && !same_actions(flow, best)) {
                    *rival = flow;
                }
            }
        }
    }
    return best;
}

static int
compare_flows(const void *a_, const void *b_)
{
    const struct simflow *const *a = a_;
    const struct simflow *const *b = b_;

    return ((*a)->seq > (*b)->seq) - ((*a)->seq < (*b)->seq);
}

struct simflow **
simtable_unsorted(const struct simtable *table, size_t *n)
{
    struct simflow **flows = xmalloc((table->n_flows + 1) * sizeof *flows);

    *n = 0;
    for (size_t i = 0; i < table->n_subs; i++) {
        struct simflow *flow;

        HMAP_FOR_EACH (flow, node, &table->subs[i]->flows) {
            flows[(*n)++] = flow;
        }
    }
    return flows;
}

struct simflow **
simtable_flows(const struct simtable *table, size_t *n)
{
    struct simflow **flows = simtable_unsorted(table, n);

    qsort(flows, *n, sizeof *flows, compare_flows);
    return flows;
}
