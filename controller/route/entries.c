/* SPDX-License-Identifier: Apache-2.0 */

/* Level 1: what a router has for each prefix.
 *
 * An entry is made when anything names its prefix, and resolved when what
 * names it changes: own things first, refusals, then the candidates, which
 * become the key of a path set.  The key includes the path set of the next
 * shorter prefix ("cover"), so entries are resolved in the order of prefixes,
 * in which covers come before what they cover, and an entry that changes has
 * everything inside it resolved anew.
 *
 * A cover is skipped if nothing of it could be left when all candidates of the
 * entry are gone. */

#include <config.h>
#include "controller/route/route-private.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

struct egresses {
    struct rt_egress *items;
    size_t n, allocated;
};

/* Finding and marking. */

static struct rt_entry *
entry_at(const struct rt_router *r, size_t i)
{
    return CONTAINER_OF(r->sorted[i], struct rt_entry, pub);
}

struct rt_entry *
rt_entry_find(const struct rt_router *r, const struct prefix *p)
{
    struct rt_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, node, prefix_hash(p, 0), &r->entries) {
        if (prefix_equal(&e->pub.prefix, p)) {
            return e;
        }
    }
    return NULL;
}

static void
entry_mark(struct rt_router *r, struct rt_entry *e)
{
    if (!e->dirty) {
        e->dirty = true;
        RT_PUSH(r->dirty, r->n_dirty, r->allocated_dirty, e);
    }
}

void
rt_entry_mark(struct rt_router *r, const struct prefix *p)
{
    struct rt_entry *e = rt_entry_find(r, p);

    if (!e) {
        e = xzalloc(sizeof *e);
        e->pub.router = r->index;
        e->pub.prefix = *p;
        e->fresh = true;
        hmap_insert(&r->entries, &e->node, prefix_hash(p, 0));
        r->n_entries[p->plen]++;
    }
    entry_mark(r, e);
}

void
rt_entries_mark_all(struct route_net *net, struct rt_router *r)
{
    const struct rt_own *own;
    struct rt_entry *e;

    HMAP_FOR_EACH (e, node, &r->entries) {
        e->pub.router = r->index;
        entry_mark(r, e);
    }
    HMAP_FOR_EACH (own, node, &r->own) {
        rt_entry_mark(r, &own->prefix);
    }
    for (size_t i = 0; i < net->topo->n_destinations; i++) {
        rt_entry_mark(r, &net->topo->destinations[i].prefix);
    }
    for (size_t i = 0; i < net->n_ribs; i++) {
        const struct rt_rib *rib = net->ribs[i];

        if (rib->router != r->id) {
            continue;
        }
        for (size_t j = 0; j < rib->n_routes; j++) {
            struct prefix p = rt_prefix(rib->routes[j].prefix,
                                        rib->routes[j].plen);

            rt_entry_mark(r, &p);
        }
        for (size_t j = 0; j < rib->n_externals; j++) {
            struct prefix p = rt_prefix(rib->externals[j].prefix,
                                        rib->externals[j].plen);

            rt_entry_mark(r, &p);
        }
    }
}

struct rt_entry *
rt_entry_cover(const struct rt_router *r, enum route_view view,
               const struct prefix *p, unsigned int below)
{
    bool v4 = prefix_is_v4(p);
    unsigned int shortest = v4 ? 96 : 0;

    for (unsigned int plen = below; plen-- > shortest; ) {
        if (r->n_entries[plen]) {
            struct prefix outer = v4
                ? prefix_from_ip4(prefix_get_ip4(p), plen - 96)
                : prefix_from_addr(&p->addr, plen);
            struct rt_entry *e = rt_entry_find(r, &outer);

            if (e && e->sets[view]) {
                return e;
            }
        }
    }
    return NULL;
}

/* Candidates. */

static bool
is_reachable_sibling(const struct route_net *net, const struct rt_router *r,
                     uint32_t router_id)
{
    for (size_t i = 0; i < net->n_routers; i++) {
        if (net->routers[i]->router_id == router_id) {
            return r->distances[i] != UINT32_MAX;
        }
    }
    return false;
}

static void
add_stated(const struct route_net *net, const struct rt_router *r,
           enum route_view view, const struct prefix *p, struct egresses *egs)
{
    const struct rt_dest *dest;

    HMAP_FOR_EACH_WITH_HASH (dest, node, prefix_hash(p, 0), &net->dests) {
        const struct topo_destination *d
            = &net->topo->destinations[dest->index];

        if (!prefix_equal(&d->prefix, p)
            || r->distances[d->router] == UINT32_MAX
            || (view == ROUTE_FROM_ATTACHMENTS
                && (d->advertise == TOPO_ADV_NO
                    || !net->routers[d->router]->transit))) {
            continue;
        }
        for (size_t i = 0; i < d->n_vias; i++) {
            const struct topo_via *via = &d->vias[i];
            struct rt_egress eg = {
                .kind = RT_STATED,
                .type = d->advertise,
                .cost = via->cost,
                .a = net->topo->attachments[via->attachment].id,
                .addr = route_way_key(net->topo, via->attachment,
                                      &via->next_hop),
            };

            RT_PUSH(egs->items, egs->n, egs->allocated, eg);
        }
    }
}

static void
add_learned(const struct route_net *net, const struct rt_router *r,
            const struct prefix *p, struct egresses *egs)
{
    uint32_t addr;
    uint8_t plen;

    if (!prefix_is_v4(p)) {
        return;
    }
    addr = ntohl(prefix_get_ip4(p));
    plen = prefix_length(p);
    for (size_t i = 0; i < net->n_ribs; i++) {
        const struct rt_rib *rib = net->ribs[i];
        const struct rt_external *ext;
        const struct rt_route *route;

        if (rib->router != r->id) {
            continue;
        }
        route = rt_route_find(rib->routes, rib->n_routes, addr, plen);
        if (route) {
            struct rt_egress eg = {
                .kind = RT_INTRA,
                .type = route->by_vertex,
                .instance = rib->instance,
                .cost = route->by_vertex ? route->extra : 0,
                .a = route->origin,
                .b = route->by_vertex ? 0 : route->plen,
            };

            RT_PUSH(egs->items, egs->n, egs->allocated, eg);
        }
        ext = rt_external_find(rib, addr, plen);
        for (size_t j = 0; ext && j < ext->n; j++) {
            const struct rt_candidate *c = &rib->candidates[ext->first + j];

            if (!is_reachable_sibling(net, r, c->asbr)) {
                struct rt_egress eg = {
                    .kind = RT_BORDER,
                    .type = c->type,
                    .instance = rib->instance,
                    .cost = c->metric,
                    .a = c->asbr,
                    .b = c->forwarding,
                };

                RT_PUSH(egs->items, egs->n, egs->allocated, eg);
            }
        }
    }
}

static int
compare_egresses(const void *a, const void *b)
{
    return rt_egress_compare(a, b);
}

/* Whether 'a' and 'b' are there or gone together. */
static bool
same_fate(const struct rt_egress *a, const struct rt_egress *b)
{
    if (a->kind != b->kind || a->a != b->a || a->instance != b->instance) {
        return false;
    }
    switch ((enum rt_egress_kind) a->kind) {
    case RT_STATED:
    case RT_ON_LINK:
        return ipv6_addr_equals(&a->addr, &b->addr);
    case RT_INTRA:
        return a->type == b->type && a->b == b->b;
    case RT_BORDER:
        return a->b == b->b;
    }
    return false;
}

static bool
is_subset(const struct rt_egress *a, size_t n_a,
          const struct rt_egress *b, size_t n_b)
{
    for (size_t i = 0; i < n_a; i++) {
        size_t j = 0;

        while (j < n_b && !same_fate(&a[i], &b[j])) {
            j++;
        }
        if (j == n_b) {
            return false;
        }
    }
    return true;
}

static struct rt_path_set *
find_fallback(const struct rt_router *r, enum route_view view,
              const struct prefix *p, const struct egresses *egs)
{
    struct rt_entry *e = rt_entry_cover(r, view, p, p->plen);

    while (e && is_subset(e->sets[view]->egresses, e->sets[view]->n_egresses,
                          egs->items, egs->n)) {
        e = rt_entry_cover(r, view, p, e->pub.prefix.plen);
    }
    return e ? e->sets[view] : NULL;
}

static bool
has_stated(const struct egresses *egs)
{
    for (size_t i = 0; i < egs->n; i++) {
        if (egs->items[i].kind == RT_STATED) {
            return true;
        }
    }
    return false;
}

/* Whether packets from subnets and from attachments find the same at 'r':
 * nothing is stated, or only 'r' itself has stated and advertises it, and
 * nothing is learned. */
static bool
views_agree(const struct route_net *net, const struct rt_router *r,
            const struct egresses *egs)
{
    size_t n_stated = 0;

    for (size_t i = 0; i < egs->n; i++) {
        const struct rt_egress *eg = &egs->items[i];
        size_t index;

        if (eg->kind != RT_STATED) {
            continue;
        }
        n_stated++;
        index = rt_attachment_index(net->topo, eg->a);
        if (eg->type == TOPO_ADV_NO || !r->transit || index == ROUTE_NONE
            || net->topo->attachments[index].router != r->index) {
            return false;
        }
    }
    return !n_stated || n_stated == egs->n;
}

/* Resolving. */

static void
set_path_set(struct route_net *net, struct rt_entry *e, enum route_view view,
             struct rt_path_set *set)
{
    if (e->sets[view]) {
        rt_set_unref(net, e->sets[view], view);
    }
    e->sets[view] = set;
    e->pub.views[view] = (struct route_result) { .kind = ROUTE_NO_ENTRY };
    if (set) {
        e->pub.views[view].kind = ROUTE_PATHS;
        e->pub.views[view].path_set = &set->pub;
    }
}

static void
resolve_own(struct route_net *net, struct rt_router *r, struct rt_entry *e,
            const struct rt_own *own)
{
    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        struct rt_path_set *set = NULL;

        if (own->way && (r->transit || view == ROUTE_FROM_SUBNETS)) {
            struct rt_egress eg = {
                .kind = RT_ON_LINK,
                .a = own->way->attachment,
                .addr = own->way->pub.next_hop,
            };

            set = rt_set_ref(net, r, RT_ANY, &eg, 1, NULL, view);
        }
        set_path_set(net, e, view, set);
        if (!own->way) {
            e->pub.views[view] = own->views[view];
        }
    }
}

static void
resolve_paths(struct route_net *net, struct rt_router *r, struct rt_entry *e,
              struct egresses *egs)
{
    const struct prefix *p = &e->pub.prefix;

    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        struct rt_path_set *set = NULL;

        if (view == ROUTE_FROM_ATTACHMENTS
            && (!r->transit || has_stated(egs))) {
            egs->n = 0;
            if (r->transit) {
                add_stated(net, r, view, p, egs);
                add_learned(net, r, p, egs);
            }
        }
        if (egs->n) {
            enum rt_class class = (views_agree(net, r, egs) ? RT_ANY
                                   : view == ROUTE_FROM_SUBNETS ? RT_SUBNETS
                                   : RT_ATTACHMENTS);

            RT_SORT(egs->items, egs->n, compare_egresses);
            set = rt_set_ref(net, r, class, egs->items, egs->n,
                             find_fallback(r, view, p, egs), view);
        }
        set_path_set(net, e, view, set);
    }
}

/* Brings 'e' up to date. */
static void
resolve(struct route_net *net, struct rt_router *r, struct rt_entry *e,
        struct egresses *egs)
{
    const struct prefix *p = &e->pub.prefix;
    const struct rt_own *own = rt_own_find(r, p);
    enum route_refusal refusal = ROUTE_NOT_REFUSED;

    net->counters.entries_run++;
    egs->n = 0;
    e->dead = false;
    if (own) {
        resolve_own(net, r, e, own);
        return;
    }
    add_stated(net, r, ROUTE_FROM_SUBNETS, p, egs);
    add_learned(net, r, p, egs);
    if (egs->n) {
        refusal = (rt_own_covers(r, p) ? ROUTE_OWN_SPACE
                   : prefix_is_martian(p) ? ROUTE_MARTIAN
                   : ROUTE_NOT_REFUSED);
    }
    if (egs->n && !refusal) {
        resolve_paths(net, r, e, egs);
        return;
    }
    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        set_path_set(net, e, view, NULL);
        if (refusal) {
            e->pub.views[view].kind = ROUTE_REFUSED;
            e->pub.views[view].refusal = refusal;
        }
    }
    e->dead = !egs->n;
}

static bool
result_equal(const struct route_result *a, const struct route_result *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case ROUTE_NO_ENTRY:
        return true;
    case ROUTE_SUBNET:
        return a->subnet == b->subnet && a->node == b->node;
    case ROUTE_SIBLING:
        return a->target == b->target && a->next == b->next;
    case ROUTE_ATTACHMENT:
        return a->attachment == b->attachment;
    case ROUTE_PATHS:
        return a->path_set == b->path_set;
    case ROUTE_REFUSED:
        return a->refusal == b->refusal;
    }
    return false;
}

static void
count_refusals(struct route_net *net, const struct rt_entry *e, int sign)
{
    const struct route_result *result = &e->pub.views[ROUTE_FROM_SUBNETS];

    if (result->kind == ROUTE_REFUSED) {
        net->counters.refused[result->refusal] += sign;
    }
}

/* Resolves 'e'; returns true if what it covers may be affected. */
static bool
run_entry(struct route_net *net, struct rt_router *r, struct rt_entry *e,
          struct egresses *egs)
{
    struct rt_path_set *sets[ROUTE_N_VIEWS];
    struct route_result before[ROUTE_N_VIEWS];

    memcpy(sets, e->sets, sizeof sets);
    memcpy(before, e->pub.views, sizeof before);
    count_refusals(net, e, -1);
    resolve(net, r, e, egs);
    count_refusals(net, e, 1);
    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        if (!result_equal(&before[view], &e->pub.views[view])) {
            e->changed = true;
        }
    }
    if (e->changed || e->dead || e->fresh) {
        RT_PUSH(r->changed, r->n_changed, r->allocated_changed, e);
        r->n_dead += e->dead;
    }
    return e->fresh || e->dead || memcmp(sets, e->sets, sizeof sets);
}

static int
compare_entries(const void *a_, const void *b_)
{
    const struct rt_entry *const *a = a_;
    const struct rt_entry *const *b = b_;

    return prefix_compare(&(*a)->pub.prefix, &(*b)->pub.prefix);
}

static size_t
sorted_index(const struct rt_router *r, const struct prefix *p)
{
    size_t lo = 0, hi = r->n_sorted;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (prefix_compare(&r->sorted[mid]->prefix, p) < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

/* Merges the fresh ones among the dirty entries, which are sorted, into
 * 'sorted'. */
static void
merge_fresh(struct rt_router *r)
{
    size_t n_fresh = 0, i, j, k;

    for (i = 0; i < r->n_dirty; i++) {
        n_fresh += r->dirty[i]->fresh;
    }
    if (!n_fresh) {
        return;
    }
    if (r->n_sorted + n_fresh > r->allocated_sorted) {
        r->allocated_sorted = MAX(r->n_sorted + n_fresh,
                                  2 * r->allocated_sorted);
        r->sorted = xrealloc(r->sorted,
                             r->allocated_sorted * sizeof *r->sorted);
    }
    i = r->n_sorted;
    j = r->n_dirty;
    k = r->n_sorted += n_fresh;
    while (j > 0) {
        struct rt_entry *e = r->dirty[j - 1];

        if (!e->fresh) {
            j--;
        } else if (i > 0 && prefix_compare(&r->sorted[i - 1]->prefix,
                                           &e->pub.prefix) > 0) {
            r->sorted[--k] = r->sorted[--i];
        } else {
            r->sorted[--k] = &e->pub;
            j--;
        }
    }
}

void
rt_entries_run(struct route_net *net, struct rt_router *r)
{
    struct egresses egs = { NULL, 0, 0 };
    size_t pos = 0, until = 0, d = 0;

    if (!r->n_dirty) {
        return;
    }
    RT_SORT(r->dirty, r->n_dirty, compare_entries);
    merge_fresh(r);

    for (;;) {
        struct rt_entry *e;

        if (pos >= until) {
            /* On to the next dirty one that has not been passed. */
            while (d < r->n_dirty && !r->dirty[d]->dirty) {
                d++;
            }
            if (d >= r->n_dirty) {
                break;
            }
            pos = sorted_index(r, &r->dirty[d]->pub.prefix);
        }
        e = entry_at(r, pos++);
        e->dirty = false;
        if (run_entry(net, r, e, &egs)) {
            size_t end = MAX(pos, until);

            while (end < r->n_sorted
                   && prefix_contains_prefix(&e->pub.prefix,
                                             &r->sorted[end]->prefix)) {
                end++;
            }
            until = MAX(until, end);
        }
    }
    r->n_dirty = 0;
    free(egs.items);
}

/* Reporting. */

static bool
names_topology(const struct rt_entry *e)
{
    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        enum route_kind kind = e->pub.views[view].kind;

        if (kind == ROUTE_SUBNET || kind == ROUTE_SIBLING
            || kind == ROUTE_ATTACHMENT) {
            return true;
        }
    }
    return false;
}

static void
report(struct route_changes *changes, const struct rt_router *r,
       const struct rt_entry *e)
{
    struct route_entry_change change = {
        .router_id = r->id,
        .prefix = e->pub.prefix,
        .entry = e->dead ? NULL : &e->pub,
    };

    RT_PUSH(changes->entries, changes->n_entries, changes->allocated_entries,
            change);
}

static bool
was_renumbered(const struct rt_entry *e)
{
    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        if (e->sets[view] && e->sets[view]->renumbered) {
            return true;
        }
    }
    return false;
}

static void
entry_free(struct rt_router *r, struct rt_entry *e)
{
    hmap_remove(&r->entries, &e->node);
    r->n_entries[e->pub.prefix.plen]--;
    free(e);
}

/* Reports what changed, and removes what is dead. */
void
rt_entries_finish(struct rt_router *r, bool all, struct route_changes *changes)
{
    if (all) {
        /* Unchanged entries may have to be reported, too. */
        for (size_t i = 0; i < r->n_sorted; i++) {
            struct rt_entry *e = entry_at(r, i);

            if (e->dead ? !e->fresh
                : (e->changed || was_renumbered(e)
                   || (changes->topology && names_topology(e)))) {
                report(changes, r, e);
            }
        }
    } else {
        for (size_t i = 0; i < r->n_changed; i++) {
            struct rt_entry *e = r->changed[i];

            if (e->dead ? !e->fresh : e->changed) {
                report(changes, r, e);
            }
        }
    }
    if (r->n_dead) {
        size_t n = 0;

        for (size_t i = 0; i < r->n_sorted; i++) {
            if (!entry_at(r, i)->dead) {
                r->sorted[n++] = r->sorted[i];
            }
        }
        r->n_sorted = n;
    }
    for (size_t i = 0; i < r->n_changed; i++) {
        struct rt_entry *e = r->changed[i];

        e->changed = e->fresh = false;
        if (e->dead) {
            entry_free(r, e);
        }
    }
    r->n_changed = r->n_dead = 0;
}

void
rt_entries_destroy(struct route_net *net, struct rt_router *r, bool report_)
{
    for (size_t i = 0; i < r->n_dirty; i++) {
        if (r->dirty[i]->fresh) {
            entry_free(r, r->dirty[i]);
        }
    }
    for (size_t i = 0; i < r->n_sorted; i++) {
        struct rt_entry *e = entry_at(r, i);

        count_refusals(net, e, -1);
        for (int view = 0; view < ROUTE_N_VIEWS; view++) {
            set_path_set(net, e, view, NULL);
        }
        if (report_) {
            struct route_entry_change gone = {
                .router_id = r->id, .prefix = e->pub.prefix,
            };

            RT_PUSH(net->gone_entries, net->n_gone_entries,
                    net->allocated_gone_entries, gone);
        }
        entry_free(r, e);
    }
    hmap_destroy(&r->entries);
    free(r->sorted);
    free(r->dirty);
    free(r->changed);
}
