/* SPDX-License-Identifier: Apache-2.0 */

/* Path sets: their keys, identifiers, and what was reported of them. */

#include <config.h>
#include "controller/route/route-private.h"

#include <stdlib.h>
#include <string.h>

#include "util.h"

/* Keys. */

int
rt_egress_compare(const struct rt_egress *a, const struct rt_egress *b)
{
    const uint32_t x[] = { a->kind, a->instance, a->a, a->b, a->type, a->cost };
    const uint32_t y[] = { b->kind, b->instance, b->a, b->b, b->type, b->cost };

    for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
        if (x[i] != y[i]) {
            return x[i] < y[i] ? -1 : 1;
        }
    }
    return addr_compare(&a->addr, &b->addr);
}

static int
compare_keys(const struct rt_path_set *a, const struct rt_path_set *b)
{
    if (a == b) {
        return 0;
    }
    if (!a || !b) {
        return a ? 1 : -1;
    }
    if (a->router_id != b->router_id) {
        return a->router_id < b->router_id ? -1 : 1;
    }
    if (a->class != b->class) {
        return a->class < b->class ? -1 : 1;
    }
    if (a->n_egresses != b->n_egresses) {
        return a->n_egresses < b->n_egresses ? -1 : 1;
    }
    for (size_t i = 0; i < a->n_egresses; i++) {
        int cmp = rt_egress_compare(&a->egresses[i], &b->egresses[i]);

        if (cmp) {
            return cmp;
        }
    }
    return compare_keys(a->fallback, b->fallback);
}

static uint32_t
hash_key(const struct route_net *net, const struct rt_router *r,
         enum rt_class class, const struct rt_egress *egresses, size_t n,
         const struct rt_path_set *fallback)
{
    uint32_t head[] = { r->id, class, fallback ? fallback->hash : 0 };
    uint32_t hash = rt_hash_bytes(head, sizeof head, 0);

    hash = rt_hash_bytes(egresses, n * sizeof *egresses, hash);
    return 1 + (hash & net->hash_mask) % 0xffefffff;
}

struct rt_path_set *
rt_set_ref(struct route_net *net, struct rt_router *r, enum rt_class class,
           const struct rt_egress *egresses, size_t n,
           struct rt_path_set *fallback, enum route_view view)
{
    uint32_t hash = hash_key(net, r, class, egresses, n, fallback);
    struct rt_path_set *set;

    HMAP_FOR_EACH_WITH_HASH (set, node, hash, &net->path_sets) {
        if (set->router == r && set->class == class
            && set->fallback == fallback && set->n_egresses == n
            && !memcmp(set->egresses, egresses, n * sizeof *egresses)) {
            set->n_refs[view]++;
            return set;
        }
    }

    set = xzalloc(sizeof *set);
    set->hash = hash;
    set->router_id = r->id;
    set->router = r;
    set->class = class;
    set->egresses = xmemdup(egresses, n * sizeof *egresses);
    set->n_egresses = n;
    set->fallback = fallback;
    set->dirty = true;
    set->n_refs[view] = 1;
    if (fallback) {
        fallback->n_children++;
        set->depth = fallback->depth + 1;
    }
    hmap_insert(&net->path_sets, &set->node, hash);
    net->sets_structure = true;
    return set;
}

void
rt_set_unref(struct route_net *net, struct rt_path_set *set,
             enum route_view view)
{
    set->n_refs[view]--;
    net->sets_structure = true;
}

void
rt_tiers_clear(struct route_path_set *pub)
{
    for (size_t i = 0; i < pub->n_tiers; i++) {
        free(pub->tiers[i].ways);
    }
    free(pub->tiers);
    pub->tiers = NULL;
    pub->n_tiers = 0;
    free(pub->reason.candidates);
    memset(&pub->reason, 0, sizeof pub->reason);
}

void
rt_set_destroy(struct rt_path_set *set)
{
    rt_tiers_clear(&set->pub);
    free(set->egresses);
    free(set->words);
    free(set);
}

/* Structure. */

static int
compare_ids(const void *a_, const void *b_)
{
    const struct route_path_set *const *a = a_;
    const struct route_path_set *const *b = b_;

    return (*a)->id < (*b)->id ? -1 : (*a)->id > (*b)->id;
}

static int
compare_hashes(const void *a_, const void *b_)
{
    const struct route_path_set *const *a_p = a_;
    const struct route_path_set *const *b_p = b_;
    const struct rt_path_set *a = CONTAINER_OF(*a_p, struct rt_path_set, pub);
    const struct rt_path_set *b = CONTAINER_OF(*b_p, struct rt_path_set, pub);

    return (a->hash != b->hash ? (a->hash < b->hash ? -1 : 1)
            : compare_keys(a, b));
}

static void
forget_id(struct route_net *net, struct rt_path_set *set)
{
    hmap_remove(&net->ids, &set->id_node);
    if (set->reported) {
        RT_PUSH(net->gone_sets, net->n_gone_sets, net->allocated_gone_sets,
                set->pub.id);
    }
    set->reported = false;
    set->pub.id = 0;
}

/* Removes path sets that nobody uses any more. */
static void
purge_sets(struct route_net *net)
{
    struct rt_path_set *set;
    bool again;

    do {
        again = false;
        HMAP_FOR_EACH_SAFE (set, node, &net->path_sets) {
            if (set->n_refs[ROUTE_FROM_SUBNETS]
                || set->n_refs[ROUTE_FROM_ATTACHMENTS] || set->n_children) {
                continue;
            }
            if (set->fallback) {
                set->fallback->n_children--;
                again = true;
            }
            if (set->pub.id) {
                forget_id(net, set);
            }
            hmap_remove(&net->path_sets, &set->node);
            rt_set_destroy(set);
        }
    } while (again);
}

/* Gives each path set the first free identifier from its hash on, in the order
 * of (hash, key).  While all hashes differ these are the hashes themselves. */
static void
number_sets(struct route_net *net)
{
    const struct route_path_set **list = net->set_list;
    uint32_t next = 1;

    RT_SORT(list, net->n_sets, compare_hashes);
    for (size_t i = 0; i < net->n_sets; i++) {
        struct rt_path_set *set = CONTAINER_OF(list[i], struct rt_path_set,
                                               pub);
        uint32_t id = MAX(set->hash, next);

        next = id + 1;
        if (set->pub.id == id) {
            continue;
        }
        if (set->pub.id) {
            forget_id(net, set);
            set->renumbered = true;
            net->renumbered = true;
        }
        set->pub.id = id;
        hmap_insert(&net->ids, &set->id_node, id);
    }
}

static void
sync_structure(struct route_net *net)
{
    struct rt_path_set *set;
    size_t n = 0;

    purge_sets(net);
    free(net->set_list);
    net->n_sets = hmap_count(&net->path_sets);
    net->set_list = xmalloc(MAX(net->n_sets, 1) * sizeof *net->set_list);
    net->max_depth = 0;
    HMAP_FOR_EACH (set, node, &net->path_sets) {
        net->set_list[n++] = &set->pub;
        set->pub.views = ((set->n_refs[ROUTE_FROM_SUBNETS] != 0)
                          << ROUTE_FROM_SUBNETS
                          | (set->n_refs[ROUTE_FROM_ATTACHMENTS] != 0)
                          << ROUTE_FROM_ATTACHMENTS);
        net->max_depth = MAX(net->max_depth, set->depth);
    }
    number_sets(net);
    RT_SORT(net->set_list, n, compare_ids);
}

/* Choosing. */

/* True if 'set' depends on an attachment whose metric part or ways changed.
 * What learned candidates have for next hops is not in the key, so they count
 * whichever way changed. */
static bool
is_touched(const struct route_net *net, const struct rt_path_set *set)
{
    for (size_t i = 0; i < set->n_egresses; i++) {
        const struct rt_egress *eg = &set->egresses[i];

        if (eg->kind == RT_STATED || eg->kind == RT_ON_LINK) {
            size_t index = rt_attachment_index(net->topo, eg->a);

            if (index == ROUTE_NONE || net->touched[index]) {
                return true;
            }
        } else if (net->ways_touched) {
            return true;
        }
    }
    for (size_t i = 0; i < set->pub.n_tiers; i++) {
        const struct route_tier *tier = &set->pub.tiers[i];

        for (size_t j = 0; j < tier->n_ways; j++) {
            if (net->touched[tier->ways[j]->attachment]) {
                return true;
            }
        }
    }
    return false;
}

/* What of the tiers makes a difference to flows, as numbers. */
static uint32_t *
tiers_to_words(const struct route_path_set *pub, size_t *n_)
{
    size_t n = 0;
    uint32_t *words;

    for (size_t i = 0; i < pub->n_tiers; i++) {
        n += 2 + pub->tiers[i].n_ways;
    }
    words = xmalloc(MAX(n, 1) * sizeof *words);
    n = 0;
    for (size_t i = 0; i < pub->n_tiers; i++) {
        const struct route_tier *tier = &pub->tiers[i];

        words[n++] = tier->horizon;
        words[n++] = tier->n_ways;
        for (size_t j = 0; j < tier->n_ways; j++) {
            words[n++] = tier->ways[j]->id;
        }
    }
    *n_ = n;
    return words;
}

static void
report(struct route_net *net, struct rt_path_set *set,
       struct route_changes *changes)
{
    size_t n_words;
    uint32_t *words = tiers_to_words(&set->pub, &n_words);
    bool same = (n_words == set->n_words
                 && (!n_words
                     || !memcmp(words, set->words, n_words * sizeof *words)));

    free(set->words);
    set->words = words;
    set->n_words = n_words;
    if (!same || !set->reported || net->all_sets) {
        RT_PUSH(changes->path_sets, changes->n_path_sets,
                changes->allocated_path_sets, &set->pub);
    }
    set->reported = true;
}

static int
compare_numbers(const void *a_, const void *b_)
{
    const uint32_t *a = a_;
    const uint32_t *b = b_;

    return *a < *b ? -1 : *a > *b;
}

/* Moves to 'changes' the identifiers that were given up and are not in use
 * again. */
static void
report_gone(struct route_net *net, struct route_changes *changes)
{
    RT_SORT(net->gone_sets, net->n_gone_sets, compare_numbers);
    for (size_t i = 0; i < net->n_gone_sets; i++) {
        if (!route_net_path_set(net, net->gone_sets[i])) {
            RT_PUSH(changes->gone, changes->n_gone, changes->allocated_gone,
                    net->gone_sets[i]);
        }
    }
    net->n_gone_sets = 0;
}

/* Brings all path sets up to date and reports them.  A path set comes after
 * the one that it falls back to. */
void
rt_sets_run(struct route_net *net, struct route_changes *changes)
{
    if (net->sets_structure) {
        sync_structure(net);
        net->sets_structure = false;
    }
    for (size_t depth = 0; depth <= net->max_depth; depth++) {
        for (size_t i = 0; i < net->n_sets; i++) {
            struct rt_path_set *set = CONTAINER_OF(net->set_list[i],
                                                   struct rt_path_set, pub);

            if (set->depth != depth) {
                continue;
            }
            set->pub.router = set->router->index;
            if (set->dirty || set->router->sets_dirty
                || (set->fallback && set->fallback->ran)
                || (net->any_touched && is_touched(net, set))) {
                rt_tiers_clear(&set->pub);
                rt_choose(net, set);
                set->dirty = false;
                set->ran = true;
                net->counters.path_sets_run++;
            }
        }
    }
    for (size_t i = 0; i < net->n_sets; i++) {
        struct rt_path_set *set = CONTAINER_OF(net->set_list[i],
                                               struct rt_path_set, pub);

        if (set->ran || !set->reported || net->all_sets) {
            report(net, set, changes);
        }
        set->ran = false;
    }
    report_gone(net, changes);
}

const struct route_path_set *const *
route_net_path_sets(const struct route_net *net, size_t *n)
{
    *n = net->n_sets;
    return net->set_list;
}

const struct route_path_set *
route_net_path_set(const struct route_net *net, uint32_t id)
{
    const struct rt_path_set *set;

    HMAP_FOR_EACH_WITH_HASH (set, id_node, id, &net->ids) {
        if (set->pub.id == id) {
            return &set->pub;
        }
    }
    return NULL;
}
