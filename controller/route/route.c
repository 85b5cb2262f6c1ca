/* SPDX-License-Identifier: Apache-2.0 */

/* The object: facts in, runs, results out.  See route.h. */

#include <config.h>
#include "controller/route/route-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"

/* Helpers. */

/* FNV-1a, finished as MurmurHash3 does: the same on every machine, which
 * hash_bytes() of the library is not. */
uint32_t
rt_hash_bytes(const void *data, size_t n, uint32_t basis)
{
    const uint8_t *p = data;
    uint32_t h = UINT32_C(2166136261) ^ (basis * UINT32_C(0x9e3779b1));

    for (size_t i = 0; i < n; i++) {
        h = (h ^ p[i]) * UINT32_C(16777619);
    }
    h ^= h >> 16;
    h *= UINT32_C(0x85ebca6b);
    h ^= h >> 13;
    h *= UINT32_C(0xc2b2ae35);
    return h ^ h >> 16;
}

uint32_t
rt_clamp(uint64_t cost)
{
    return MIN(cost, ROUTE_COST_MAX);
}

struct prefix
rt_prefix(uint32_t addr, uint8_t plen)
{
    return prefix_from_ip4(htonl(addr), plen);
}

size_t
rt_attachment_index(const struct topo_network *topo, uint32_t id)
{
    for (size_t i = 0; i < topo->n_attachments; i++) {
        if (topo->attachments[i].id == id) {
            return i;
        }
    }
    return ROUTE_NONE;
}

static struct rt_part *
part_find(const struct route_net *net, uint32_t attachment)
{
    struct rt_part *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_int(attachment, 0), &net->parts) {
        if (p->attachment == attachment) {
            return p;
        }
    }
    return NULL;
}

uint32_t
rt_part(const struct route_net *net, uint32_t attachment)
{
    const struct rt_part *p = part_find(net, attachment);

    return p ? p->part : 0;
}

void
route_net_set_metric(struct route_net *net, size_t attachment, uint32_t part)
{
    const struct topo_attachment *a = &net->topo->attachments[attachment];
    struct rt_part *p = part_find(net, a->id);

    part = rt_clamp(part);
    if ((p ? p->part : 0) == part) {
        return;
    }
    if (!p) {
        p = xzalloc(sizeof *p);
        p->attachment = a->id;
        hmap_insert(&net->parts, &p->node, hash_int(a->id, 0));
    }
    p->part = part;
    net->touched[attachment] = true;
    net->any_touched = true;
    net->routers[a->router]->adverts_dirty = true;
    net->dirty = true;
}

/* Topology. */

static struct rt_router *
router_create(uint32_t id)
{
    struct rt_router *r = xzalloc(sizeof *r);

    r->id = id;
    hmap_init(&r->own);
    hmap_init(&r->entries);
    return r;
}

static void
router_destroy(struct route_net *net, struct rt_router *r, bool report)
{
    rt_entries_destroy(net, r, report);
    rt_own_destroy(r);
    free(r->distances);
    free(r->next);
    free(r->adverts);
    free(r);
}

static void
find_distances(struct route_net *net, struct rt_router *r)
{
    const struct topo_network *topo = net->topo;
    size_t n = topo->n_routers;

    free(r->distances);
    free(r->next);
    r->distances = xmalloc(n * sizeof *r->distances);
    r->next = xmalloc(n * sizeof *r->next);
    topo_link_distances(topo, r->index, r->distances, r->next);
    for (size_t i = 0; i < n; i++) {
        if (r->next[i] != SIZE_MAX) {
            const struct topo_link *link = &topo->links[r->next[i]];

            r->next[i] = link->router[link->router[0] == r->index];
        }
    }
}

/* Makes 'routers' follow the topology; those that stay keep their entries. */
static void
sync_routers(struct route_net *net)
{
    const struct topo_network *topo = net->topo;
    struct rt_router **old = net->routers;
    size_t n_old = net->n_routers;

    net->routers = xcalloc(MAX(topo->n_routers, 1), sizeof *net->routers);
    net->n_routers = topo->n_routers;
    for (size_t i = 0; i < topo->n_routers; i++) {
        const struct topo_router *tr = &topo->routers[i];
        struct rt_router *r = NULL;

        for (size_t j = 0; j < n_old && !r; j++) {
            if (old[j] && old[j]->id == tr->id) {
                r = old[j];
                old[j] = NULL;
            }
        }
        if (!r) {
            r = router_create(tr->id);
        }
        net->routers[i] = r;
        r->index = i;
        r->router_id = tr->router_id;
        r->transit = tr->transit;
        r->own_dirty = r->adverts_dirty = r->sets_dirty = true;
        find_distances(net, r);
    }
    for (size_t j = 0; j < n_old; j++) {
        if (old[j]) {
            /* Its path sets refer to it until they are purged. */
            rt_entries_destroy(net, old[j], true);
            hmap_init(&old[j]->entries);
            old[j]->sorted = NULL;
            old[j]->dirty = old[j]->changed = NULL;
            old[j]->n_sorted = old[j]->n_dirty = old[j]->n_changed = 0;
            RT_PUSH(net->dead_routers, net->n_dead_routers,
                    net->allocated_dead_routers, old[j]);
            net->sets_structure = true;
        }
    }
    free(old);
}

static void
sync_dests(struct route_net *net)
{
    struct rt_dest *dest;

    HMAP_FOR_EACH_SAFE (dest, node, &net->dests) {
        hmap_remove(&net->dests, &dest->node);
        free(dest);
    }
    for (size_t i = 0; i < net->topo->n_destinations; i++) {
        dest = xmalloc(sizeof *dest);
        dest->index = i;
        hmap_insert(&net->dests, &dest->node,
                    prefix_hash(&net->topo->destinations[i].prefix, 0));
    }
}

/* Forgets facts about what is gone. */
static void
sync_facts(struct route_net *net)
{
    const struct topo_network *topo = net->topo;
    struct rt_part *p;
    size_t n = 0;

    HMAP_FOR_EACH_SAFE (p, node, &net->parts) {
        if (rt_attachment_index(topo, p->attachment) == ROUTE_NONE) {
            hmap_remove(&net->parts, &p->node);
            free(p);
        }
    }
    for (size_t i = 0; i < net->n_ribs; i++) {
        struct rt_rib *rib = net->ribs[i];
        bool keep = false;

        for (size_t j = 0; j < topo->n_routers; j++) {
            keep = keep || (topo->routers[j].id == rib->router
                            && topo->routers[j].transit == !rib->instance);
        }
        if (keep && rib->instance) {
            size_t index = rt_attachment_index(topo, rib->instance);

            keep = (index != ROUTE_NONE
                    && topo->attachments[index].has_ospf
                    && (topo->routers[topo->attachments[index].router].id
                        == rib->router));
        }
        if (keep) {
            net->ribs[n++] = rib;
        } else {
            rt_rib_destroy(rib);
        }
    }
    net->n_ribs = n;
}

static void
sync_nodes(struct route_net *net)
{
    const struct topo_network *topo = net->topo;

    free(net->wide_nodes);
    net->wide_nodes = xmalloc(MAX(topo->n_nodes, 1) * sizeof(size_t));
    net->n_wide_nodes = 0;
    for (size_t i = 0; i < topo->n_nodes; i++) {
        if (topo->nodes[i].n_addresses) {
            net->wide_nodes[net->n_wide_nodes++] = i;
        }
    }
}

static bool
same_attachments(const struct topo_network *a, const struct topo_network *b)
{
    if (a->n_attachments != b->n_attachments) {
        return false;
    }
    for (size_t i = 0; i < a->n_attachments; i++) {
        const struct topo_attachment *x = &a->attachments[i];
        const struct topo_attachment *y = &b->attachments[i];

        if (x->id != y->id || x->router != y->router || x->plen != y->plen
            || addr_compare(&x->address, &y->address)
            || x->has_ospf != y->has_ospf
            || (x->has_ospf && x->ospf.type != y->ospf.type)) {
            return false;
        }
    }
    return true;
}

void
route_net_set_topology(struct route_net *net, const struct topo_network *topo)
{
    struct topo_network *old = net->topo;

    if (old == topo) {
        return;
    }
    net->topo = topo_network_ref(topo);
    net->all_sets = net->all_sets || !old || !same_attachments(old, topo);
    free(net->touched);
    net->touched = xcalloc(MAX(topo->n_attachments, 1), sizeof(bool));
    net->any_touched = net->ways_touched = false;
    sync_routers(net);
    sync_dests(net);
    sync_facts(net);
    sync_nodes(net);
    rt_ways_remap(net);
    net->ways_dirty = net->topology_dirty = net->dirty = true;
    if (old) {
        topo_network_unref(old);
    }
}

const struct topo_network *
route_net_topology(const struct route_net *net)
{
    return net->topo;
}

struct route_net *
route_net_create(const struct topo_network *topo)
{
    struct route_net *net = xzalloc(sizeof *net);

    net->hash_mask = UINT32_MAX;
    hmap_init(&net->parts);
    hmap_init(&net->dests);
    hmap_init(&net->path_sets);
    hmap_init(&net->ids);
    rt_ways_init(net);
    route_net_set_topology(net, topo);
    return net;
}

static void
free_dead_routers(struct route_net *net)
{
    for (size_t i = 0; i < net->n_dead_routers; i++) {
        router_destroy(net, net->dead_routers[i], false);
    }
    net->n_dead_routers = 0;
}

void
route_net_destroy(struct route_net *net)
{
    struct rt_path_set *set;
    struct rt_dest *dest;
    struct rt_part *p;

    if (!net) {
        return;
    }
    free_dead_routers(net);
    free(net->dead_routers);
    for (size_t i = 0; i < net->n_routers; i++) {
        router_destroy(net, net->routers[i], false);
    }
    free(net->routers);
    HMAP_FOR_EACH_SAFE (set, node, &net->path_sets) {
        hmap_remove(&net->path_sets, &set->node);
        rt_set_destroy(set);
    }
    HMAP_FOR_EACH_SAFE (dest, node, &net->dests) {
        hmap_remove(&net->dests, &dest->node);
        free(dest);
    }
    HMAP_FOR_EACH_SAFE (p, node, &net->parts) {
        hmap_remove(&net->parts, &p->node);
        free(p);
    }
    hmap_destroy(&net->path_sets);
    hmap_destroy(&net->ids);
    hmap_destroy(&net->dests);
    hmap_destroy(&net->parts);
    for (size_t i = 0; i < net->n_ribs; i++) {
        rt_rib_destroy(net->ribs[i]);
    }
    rt_ways_destroy(net);
    free(net->ribs);
    free(net->set_list);
    free(net->gone_entries);
    free(net->gone_sets);
    free(net->touched);
    free(net->wide_nodes);
    topo_network_unref(net->topo);
    free(net);
}

void
route_net_set_hash_mask(struct route_net *net, uint32_t mask)
{
    net->hash_mask = mask;
}

/* The run. */

static int
compare_changes(const void *a_, const void *b_)
{
    const struct route_entry_change *a = a_;
    const struct route_entry_change *b = b_;

    return (a->router_id != b->router_id
            ? (a->router_id < b->router_id ? -1 : 1)
            : prefix_compare(&a->prefix, &b->prefix));
}

static void
report_entries(struct route_net *net, struct route_changes *changes)
{
    size_t first = changes->n_entries;

    for (size_t i = 0; i < net->n_gone_entries; i++) {
        RT_PUSH(changes->entries, changes->n_entries,
                changes->allocated_entries, net->gone_entries[i]);
    }
    net->n_gone_entries = 0;
    for (size_t i = 0; i < net->n_routers; i++) {
        rt_entries_finish(net->routers[i],
                          changes->topology || net->renumbered, changes);
    }
    if (changes->n_entries > first) {
        RT_SORT(&changes->entries[first], changes->n_entries - first,
                compare_changes);
    }
}

/* Forgets what was to be done. */
static void
settle(struct route_net *net)
{
    struct rt_path_set *set;

    if (net->renumbered) {
        HMAP_FOR_EACH (set, node, &net->path_sets) {
            set->renumbered = false;
        }
    }
    for (size_t i = 0; i < net->n_routers; i++) {
        net->routers[i]->sets_dirty = false;
    }
    memset(net->touched, 0, net->topo->n_attachments * sizeof(bool));
    net->any_touched = net->ways_touched = false;
    net->renumbered = net->all_sets = false;
    net->ways_dirty = net->topology_dirty = net->dirty = false;
    rt_ways_free_dead(net);
    free_dead_routers(net);
}

void
route_net_run(struct route_net *net, struct route_changes *changes)
{
    if (!net->dirty) {
        return;
    }
    net->counters.runs++;
    changes->topology = changes->topology || net->topology_dirty;
    if (net->ways_dirty && rt_ways_collect(net)) {
        changes->ways = true;
        for (size_t i = 0; i < net->n_routers; i++) {
            net->routers[i]->own_dirty = true;
        }
    }
    for (size_t i = 0; i < net->n_routers; i++) {
        struct rt_router *r = net->routers[i];

        if (r->own_dirty) {
            rt_own_rebuild(net, r);
            r->own_dirty = false;
        }
        if (net->topology_dirty) {
            rt_entries_mark_all(net, r);
        }
        rt_entries_run(net, r);
    }
    rt_sets_run(net, changes);
    report_entries(net, changes);
    for (size_t i = 0; i < net->n_routers; i++) {
        struct rt_router *r = net->routers[i];

        if (r->adverts_dirty) {
            rt_adverts_run(net, r, changes);
            r->adverts_dirty = false;
        }
    }
    settle(net);
}

/* Changes. */

void
route_changes_clear(struct route_changes *c)
{
    c->topology = c->ways = false;
    c->n_entries = c->n_path_sets = c->n_gone = c->n_adverts = 0;
}

void
route_changes_uninit(struct route_changes *c)
{
    free(c->entries);
    free(c->path_sets);
    free(c->gone);
    free(c->adverts);
    memset(c, 0, sizeof *c);
}

bool
route_changes_is_empty(const struct route_changes *c)
{
    return (!c->topology && !c->ways && !c->n_entries && !c->n_path_sets
            && !c->n_gone && !c->n_adverts);
}

/* Results. */

const struct route_entry *const *
route_net_entries(const struct route_net *net, size_t router, size_t *n)
{
    const struct rt_router *r = net->routers[router];

    *n = r->n_sorted;
    return r->sorted;
}

const struct route_entry *
route_net_entry(const struct route_net *net, size_t router,
                const struct prefix *p)
{
    const struct rt_entry *e = rt_entry_find(net->routers[router], p);

    return e ? &e->pub : NULL;
}

const struct route_entry *
route_net_lookup(const struct route_net *net, size_t router,
                 enum route_view view, const struct in6_addr *addr)
{
    const struct rt_router *r = net->routers[router];
    struct prefix p = prefix_host(addr);
    bool v4 = prefix_is_v4(&p);

    for (unsigned int plen = 129; plen-- > (v4 ? 96u : 0u); ) {
        struct prefix outer;
        const struct rt_entry *e;

        if (!r->n_entries[plen]) {
            continue;
        }
        outer = (v4 ? prefix_from_ip4(prefix_get_ip4(&p), plen - 96)
                 : prefix_from_addr(addr, plen));
        e = rt_entry_find(r, &outer);
        if (e && e->pub.views[view].kind != ROUTE_NO_ENTRY
            && e->pub.views[view].kind != ROUTE_REFUSED) {
            return &e->pub;
        }
    }
    return NULL;
}

const struct route_tier *
route_path_set_best(const struct route_path_set *set)
{
    for (size_t i = 0; i < set->n_tiers; i++) {
        for (size_t j = 0; j < set->tiers[i].n_ways; j++) {
            if (set->tiers[i].ways[j]->why == ROUTE_WHY_ALIVE) {
                return &set->tiers[i];
            }
        }
    }
    return NULL;
}

const struct route_advert *
route_net_adverts(const struct route_net *net, size_t router, size_t *n)
{
    *n = net->routers[router]->n_adverts;
    return net->routers[router]->adverts;
}

void
route_net_get_counters(const struct route_net *net,
                       struct route_counters *counters)
{
    *counters = net->counters;
    counters->entries = 0;
    for (size_t i = 0; i < net->n_routers; i++) {
        counters->entries += net->routers[i]->n_sorted;
    }
    counters->path_sets = net->n_sets;
}

/* Split horizon. */

bool
route_path_set_without(const struct route_path_set *set, size_t attachment,
                       const struct route_way *way,
                       struct route_tier **tiers, size_t *n_tiers)
{
    bool any = false;

    for (size_t i = 0; i < set->n_tiers; i++) {
        for (size_t j = 0; j < set->tiers[i].n_ways; j++) {
            const struct route_way *w = set->tiers[i].ways[j];

            any = any || (way ? w == way : w->attachment == attachment);
        }
    }
    *tiers = NULL;
    *n_tiers = 0;
    if (!any) {
        return false;
    }
    *tiers = xmalloc(set->n_tiers * sizeof **tiers);
    for (size_t i = 0; i < set->n_tiers; i++) {
        const struct route_tier *old = &set->tiers[i];
        struct route_tier new = *old;

        if (!old->horizon) {
            continue;
        }
        new.ways = xmalloc(old->n_ways * sizeof *new.ways);
        new.n_ways = 0;
        for (size_t j = 0; j < old->n_ways; j++) {
            const struct route_way *w = old->ways[j];

            if (way ? w != way : w->attachment != attachment) {
                new.ways[new.n_ways++] = w;
            }
        }
        if (new.n_ways) {
            (*tiers)[(*n_tiers)++] = new;
        } else {
            free(new.ways);
        }
    }
    return true;
}

void
route_tiers_free(struct route_tier *tiers, size_t n_tiers)
{
    for (size_t i = 0; i < n_tiers; i++) {
        free(tiers[i].ways);
    }
    free(tiers);
}
