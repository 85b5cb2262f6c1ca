/* SPDX-License-Identifier: Apache-2.0 */

/* Scopes: the items of a set of objects, each object made anew as a whole. */

#include <config.h>
#include "controller/flow/desired.h"

#include <stdlib.h>
#include <string.h>
#include "controller/flow/idspace.h"
#include "openvswitch/dynamic-string.h"
#include "hash.h"
#include "util.h"

/* What one object has. */
struct items {
    struct dflow **flows;      size_t n_flows, allocated_flows;
    struct dgroup **groups;    size_t n_groups, allocated_groups;
    struct dmeter **meters;    size_t n_meters, allocated_meters;
    uint32_t *group_ids;       size_t n_group_ids, allocated_group_ids;
    uint32_t *meter_ids;       size_t n_meter_ids, allocated_meter_ids;
};

struct scope_object {
    struct hmap_node hmap_node; /* In struct scope's 'objects', by key. */
    struct scope_key key;
    unsigned int generation;    /* When it was made last. */
    ovs_u128 inputs;            /* Hash of what it was made from, or 0. */
    struct items items;
};

struct scope {
    struct hmap objects;
    struct idspace *group_ids, *meter_ids;
    unsigned int generation;    /* scope_mark() begins another. */
    bool building;              /* Between scope_begin() and scope_end()? */
    struct scope_key key;       /* Then: of this object, */
    ovs_u128 inputs;            /* ...from these inputs, */
    struct items items;         /* ...these so far. */
};

#define ITEMS_PUT(ITEMS, WHAT, VALUE)                                       \
    do {                                                                    \
        if ((ITEMS)->n_##WHAT >= (ITEMS)->allocated_##WHAT) {               \
            (ITEMS)->WHAT = x2nrealloc((ITEMS)->WHAT,                       \
                                       &(ITEMS)->allocated_##WHAT,          \
                                       sizeof *(ITEMS)->WHAT);              \
        }                                                                   \
        (ITEMS)->WHAT[(ITEMS)->n_##WHAT++] = (VALUE);                       \
    } while (0)

static void
items_uninit(struct items *items, struct scope *scope)
{
    for (size_t i = 0; i < items->n_flows; i++) {
        dflow_unref(items->flows[i]);
    }
    for (size_t i = 0; i < items->n_groups; i++) {
        dgroup_unref(items->groups[i]);
    }
    for (size_t i = 0; i < items->n_meters; i++) {
        dmeter_unref(items->meters[i]);
    }
    for (size_t i = 0; i < items->n_group_ids; i++) {
        idspace_unref(scope->group_ids, items->group_ids[i]);
    }
    for (size_t i = 0; i < items->n_meter_ids; i++) {
        idspace_unref(scope->meter_ids, items->meter_ids[i]);
    }
    free(items->flows);
    free(items->groups);
    free(items->meters);
    free(items->group_ids);
    free(items->meter_ids);
    memset(items, 0, sizeof *items);
}

/* Gives back what doubling allocated too much; scopes have many objects. */
static void
items_trim(struct items *items)
{
#define TRIM(WHAT)                                                          \
    if (items->n_##WHAT) {                                                  \
        items->WHAT = xrealloc(items->WHAT,                                 \
                               items->n_##WHAT * sizeof *items->WHAT);      \
        items->allocated_##WHAT = items->n_##WHAT;                          \
    }
    TRIM(flows);
    TRIM(groups);
    TRIM(meters);
    TRIM(group_ids);
    TRIM(meter_ids);
#undef TRIM
}

static bool
items_empty(const struct items *items)
{
    return (!items->n_flows && !items->n_groups && !items->n_meters
            && !items->n_group_ids && !items->n_meter_ids);
}

static uint32_t
scope_key_hash(const struct scope_key *key)
{
    return hash_bytes(key, sizeof *key, 0);
}

static struct scope_object *
scope_find(const struct scope *scope, const struct scope_key *key)
{
    struct scope_object *object;

    HMAP_FOR_EACH_WITH_HASH (object, hmap_node, scope_key_hash(key),
                             &scope->objects) {
        if (!memcmp(&object->key, key, sizeof *key)) {
            return object;
        }
    }
    return NULL;
}

struct scope *
scope_create(struct idspace *group_ids, struct idspace *meter_ids)
{
    struct scope *scope = xzalloc(sizeof *scope);

    hmap_init(&scope->objects);
    scope->group_ids = group_ids;
    scope->meter_ids = meter_ids;
    return scope;
}

static void
scope_object_destroy(struct scope *scope, struct scope_object *object)
{
    hmap_remove(&scope->objects, &object->hmap_node);
    items_uninit(&object->items, scope);
    free(object);
}

void
scope_destroy(struct scope *scope)
{
    if (scope) {
        struct scope_object *object;

        HMAP_FOR_EACH_SAFE (object, hmap_node, &scope->objects) {
            scope_object_destroy(scope, object);
        }
        hmap_destroy(&scope->objects);
        items_uninit(&scope->items, scope);
        free(scope);
    }
}

void
scope_begin(struct scope *scope, const struct scope_key *key)
{
    ovs_assert(!scope->building);
    scope->building = true;
    scope->key = *key;
    scope->inputs = OVS_U128_ZERO;
}

bool
scope_begin_from(struct scope *scope, const struct scope_key *key,
                 const void *inputs, size_t len)
{
    struct scope_object *object = scope_find(scope, key);
    ovs_u128 hash;

    hash_bytes128(inputs, len, 0, &hash);
    if (object && ovs_u128_equals(object->inputs, hash)) {
        object->generation = scope->generation;
        return false;
    }
    scope_begin(scope, key);
    scope->inputs = hash;
    return true;
}

void
scope_flow(struct scope *scope, uint8_t table_id, uint16_t priority,
           const struct match *match, uint64_t cookie,
           const struct ofpbuf *ofpacts)
{
    ovs_assert(scope->building);
    ITEMS_PUT(&scope->items, flows,
              dflow_create(table_id, priority, match, cookie, ofpacts));
}

void
scope_group(struct scope *scope, uint32_t group_id, uint8_t rank,
            enum ofp11_group_type type, struct ovs_list *buckets,
            const struct ofputil_group_props *props)
{
    ovs_assert(scope->building);
    ITEMS_PUT(&scope->items, groups,
              dgroup_create(group_id, rank, type, buckets, props));
}

void
scope_meter(struct scope *scope, uint32_t meter_id, uint32_t pps,
            uint32_t burst)
{
    ovs_assert(scope->building);
    ITEMS_PUT(&scope->items, meters, dmeter_create(meter_id, pps, burst));
}

uint32_t
scope_group_id(struct scope *scope, const void *key, size_t len)
{
    uint32_t id = idspace_ref(scope->group_ids, key, len);

    ovs_assert(scope->building);
    ITEMS_PUT(&scope->items, group_ids, id);
    return id;
}

uint32_t
scope_meter_id(struct scope *scope, const void *key, size_t len)
{
    uint32_t id = idspace_ref(scope->meter_ids, key, len);

    ovs_assert(scope->building);
    ITEMS_PUT(&scope->items, meter_ids, id);
    return id;
}

/* Finds the flow with the key of 'flow' in 'old', and marks it in 'seen'. */
struct flow_finder {
    struct hmap hmap;
    struct flow_finder_node {
        struct hmap_node hmap_node;
        bool seen;
    } *nodes;
};

static void
flow_finder_init(struct flow_finder *finder, const struct items *old)
{
    hmap_init(&finder->hmap);
    hmap_reserve(&finder->hmap, old->n_flows);
    finder->nodes = xcalloc(old->n_flows, sizeof *finder->nodes);
    for (size_t i = 0; i < old->n_flows; i++) {
        hmap_insert_fast(&finder->hmap, &finder->nodes[i].hmap_node,
                         old->flows[i]->hash);
    }
}

static void
flow_finder_uninit(struct flow_finder *finder)
{
    hmap_destroy(&finder->hmap);
    free(finder->nodes);
}

static struct dflow *
flow_finder_take(struct flow_finder *finder, const struct items *old,
                 const struct dflow *flow)
{
    struct flow_finder_node *node;

    HMAP_FOR_EACH_WITH_HASH (node, hmap_node, flow->hash, &finder->hmap) {
        struct dflow *candidate = old->flows[node - finder->nodes];

        if (dflow_same_key(candidate, flow)) {
            node->seen = true;
            return candidate;
        }
    }
    return NULL;
}

static bool
diff_flows(const struct items *old, struct items *new, struct delta *delta)
{
    struct flow_finder finder;
    bool changed = false;

    flow_finder_init(&finder, old);
    for (size_t i = 0; i < new->n_flows; i++) {
        struct dflow *before = flow_finder_take(&finder, old, new->flows[i]);

        if (before && dflow_equal(before, new->flows[i])) {
            dflow_unref(new->flows[i]);
            new->flows[i] = dflow_ref(before);
        } else {
            changed = true;
            if (delta) {
                delta_flow(delta, before, new->flows[i]);
            }
        }
    }
    for (size_t i = 0; i < old->n_flows; i++) {
        if (!finder.nodes[i].seen) {
            changed = true;
            if (delta) {
                delta_flow(delta, old->flows[i], NULL);
            }
        }
    }
    flow_finder_uninit(&finder);
    return changed;
}

/* An object has few groups and meters. */

static bool
diff_groups(const struct items *old, struct items *new, struct delta *delta)
{
    bool changed = false;

    for (size_t i = 0; i < new->n_groups; i++) {
        struct dgroup *before = NULL;

        for (size_t j = 0; j < old->n_groups && !before; j++) {
            if (old->groups[j]->group_id == new->groups[i]->group_id) {
                before = old->groups[j];
            }
        }
        if (before && dgroup_equal(before, new->groups[i])) {
            dgroup_unref(new->groups[i]);
            new->groups[i] = dgroup_ref(before);
        } else {
            changed = true;
            if (delta) {
                delta_group(delta, before, new->groups[i]);
            }
        }
    }
    for (size_t j = 0; j < old->n_groups; j++) {
        bool found = false;

        for (size_t i = 0; i < new->n_groups && !found; i++) {
            found = old->groups[j]->group_id == new->groups[i]->group_id;
        }
        if (!found) {
            changed = true;
            if (delta) {
                delta_group(delta, old->groups[j], NULL);
            }
        }
    }
    return changed;
}

static bool
diff_meters(const struct items *old, struct items *new, struct delta *delta)
{
    bool changed = false;

    for (size_t i = 0; i < new->n_meters; i++) {
        struct dmeter *before = NULL;

        for (size_t j = 0; j < old->n_meters && !before; j++) {
            if (old->meters[j]->meter_id == new->meters[i]->meter_id) {
                before = old->meters[j];
            }
        }
        if (!before || !dmeter_equal(before, new->meters[i])) {
            changed = true;
            if (delta) {
                delta_meter(delta, before, new->meters[i]);
            }
        }
    }
    for (size_t j = 0; j < old->n_meters; j++) {
        bool found = false;

        for (size_t i = 0; i < new->n_meters && !found; i++) {
            found = old->meters[j]->meter_id == new->meters[i]->meter_id;
        }
        if (!found) {
            changed = true;
            if (delta) {
                delta_meter(delta, old->meters[j], NULL);
            }
        }
    }
    return changed;
}

bool
scope_end(struct scope *scope, struct delta *delta)
{
    struct scope_object *object = scope_find(scope, &scope->key);
    struct items none = { .n_flows = 0 };
    struct items *old = object ? &object->items : &none;
    bool changed = false;

    ovs_assert(scope->building);
    scope->building = false;
    changed |= diff_meters(old, &scope->items, delta);
    changed |= diff_groups(old, &scope->items, delta);
    changed |= diff_flows(old, &scope->items, delta);
    if (object) {
        items_uninit(&object->items, scope);
    }
    if (items_empty(&scope->items)) {
        if (object) {
            scope_object_destroy(scope, object);
        }
        return changed;
    }
    if (!object) {
        object = xzalloc(sizeof *object);
        object->key = scope->key;
        hmap_insert(&scope->objects, &object->hmap_node,
                    scope_key_hash(&scope->key));
    }
    items_trim(&scope->items);
    object->items = scope->items;
    object->inputs = scope->inputs;
    object->generation = scope->generation;
    memset(&scope->items, 0, sizeof scope->items);
    return changed;
}

bool
scope_remove(struct scope *scope, const struct scope_key *key,
             struct delta *delta)
{
    scope_begin(scope, key);
    return scope_end(scope, delta);
}

bool
scope_has(const struct scope *scope, const struct scope_key *key)
{
    return scope_find(scope, key) != NULL;
}

/* The objects in an order that no hash decides. */

static int
compare_objects(const void *a_, const void *b_)
{
    const struct scope_object *const *a = a_;
    const struct scope_object *const *b = b_;

    return memcmp(&(*a)->key, &(*b)->key, sizeof (*a)->key);
}

static struct scope_object **
scope_sorted_objects(const struct scope *scope, bool stale_only, size_t *n)
{
    struct scope_object **objects = NULL, *object;
    size_t allocated = 0;

    *n = 0;
    HMAP_FOR_EACH (object, hmap_node, &scope->objects) {
        if (stale_only && object->generation == scope->generation) {
            continue;
        }
        if (*n >= allocated) {
            objects = x2nrealloc(objects, &allocated, sizeof *objects);
        }
        objects[(*n)++] = object;
    }
    if (!*n) {
        return NULL;
    }
    qsort(objects, *n, sizeof *objects, compare_objects);
    return objects;
}

void
scope_mark(struct scope *scope)
{
    scope->generation++;
}

void
scope_sweep(struct scope *scope, struct delta *delta)
{
    size_t n;
    struct scope_object **objects = scope_sorted_objects(scope, true, &n);

    for (size_t i = 0; i < n; i++) {
        struct scope_key key = objects[i]->key;

        scope_remove(scope, &key, delta);
    }
    free(objects);
}

static void
scope_to_delta(const struct scope *scope, bool add, struct delta *delta)
{
    size_t n;
    struct scope_object **objects = scope_sorted_objects(scope, false, &n);

    for (size_t i = 0; i < n; i++) {
        const struct items *items = &objects[i]->items;

        for (size_t j = 0; j < items->n_meters; j++) {
            struct dmeter *m = items->meters[j];
            delta_meter(delta, add ? NULL : m, add ? m : NULL);
        }
        for (size_t j = 0; j < items->n_groups; j++) {
            struct dgroup *g = items->groups[j];
            delta_group(delta, add ? NULL : g, add ? g : NULL);
        }
        for (size_t j = 0; j < items->n_flows; j++) {
            struct dflow *f = items->flows[j];
            delta_flow(delta, add ? NULL : f, add ? f : NULL);
        }
    }
    free(objects);
}

void
scope_add_all(const struct scope *scope, struct delta *delta)
{
    scope_to_delta(scope, true, delta);
}

void
scope_remove_all(const struct scope *scope, struct delta *delta)
{
    scope_to_delta(scope, false, delta);
}

bool
scope_equal(const struct scope *a, const struct scope *b, struct ds *ds)
{
    struct delta delta;
    bool equal;

    delta_init(&delta);
    scope_remove_all(a, &delta);
    scope_add_all(b, &delta);
    equal = delta_is_empty(&delta);
    if (!equal && ds) {
        delta_format(&delta, NULL, 0, ds);
    }
    delta_uninit(&delta);
    return equal;
}

size_t
scope_count_flows(const struct scope *scope)
{
    const struct scope_object *object;
    size_t n = 0;

    HMAP_FOR_EACH (object, hmap_node, &scope->objects) {
        n += object->items.n_flows;
    }
    return n;
}

size_t
scope_count_groups(const struct scope *scope)
{
    const struct scope_object *object;
    size_t n = 0;

    HMAP_FOR_EACH (object, hmap_node, &scope->objects) {
        n += object->items.n_groups;
    }
    return n;
}

static int
compare_flows(const void *a_, const void *b_)
{
    const struct dflow *const *a = a_;
    const struct dflow *const *b = b_;

    return dflow_compare(*a, *b);
}

static int
compare_groups(const void *a_, const void *b_)
{
    const struct dgroup *const *a = a_;
    const struct dgroup *const *b = b_;

    return ((*a)->group_id < (*b)->group_id ? -1
            : (*a)->group_id > (*b)->group_id);
}

static int
compare_meters(const void *a_, const void *b_)
{
    const struct dmeter *const *a = a_;
    const struct dmeter *const *b = b_;

    return ((*a)->meter_id < (*b)->meter_id ? -1
            : (*a)->meter_id > (*b)->meter_id);
}

struct dflow **
scope_sorted_flows(const struct scope *scope, size_t *n)
{
    struct dflow **flows = xcalloc(scope_count_flows(scope), sizeof *flows);
    const struct scope_object *object;

    *n = 0;
    HMAP_FOR_EACH (object, hmap_node, &scope->objects) {
        for (size_t i = 0; i < object->items.n_flows; i++) {
            flows[(*n)++] = object->items.flows[i];
        }
    }
    qsort(flows, *n, sizeof *flows, compare_flows);
    return flows;
}

struct dgroup **
scope_sorted_groups(const struct scope *scope, size_t *n)
{
    struct dgroup **groups = xcalloc(scope_count_groups(scope),
                                     sizeof *groups);
    const struct scope_object *object;

    *n = 0;
    HMAP_FOR_EACH (object, hmap_node, &scope->objects) {
        for (size_t i = 0; i < object->items.n_groups; i++) {
            groups[(*n)++] = object->items.groups[i];
        }
    }
    qsort(groups, *n, sizeof *groups, compare_groups);
    return groups;
}

struct dmeter **
scope_sorted_meters(const struct scope *scope, size_t *n)
{
    struct dmeter **meters = NULL;
    size_t allocated = 0;
    const struct scope_object *object;

    *n = 0;
    HMAP_FOR_EACH (object, hmap_node, &scope->objects) {
        for (size_t i = 0; i < object->items.n_meters; i++) {
            if (*n >= allocated) {
                meters = x2nrealloc(meters, &allocated, sizeof *meters);
            }
            meters[(*n)++] = object->items.meters[i];
        }
    }
    if (*n) {
        qsort(meters, *n, sizeof *meters, compare_meters);
    }
    return meters;
}

void
scope_format(const struct scope *scope, const char *const *table_names,
             size_t n_tables, struct ds *ds)
{
    size_t n;
    struct dmeter **meters = scope_sorted_meters(scope, &n);

    for (size_t i = 0; i < n; i++) {
        dmeter_format(meters[i], ds);
        ds_put_char(ds, '\n');
    }
    free(meters);

    struct dgroup **groups = scope_sorted_groups(scope, &n);
    for (size_t i = 0; i < n; i++) {
        dgroup_format(groups[i], ds);
        ds_put_char(ds, '\n');
    }
    free(groups);

    struct dflow **flows = scope_sorted_flows(scope, &n);
    for (size_t i = 0; i < n; i++) {
        dflow_format(flows[i], table_names, n_tables, ds);
        ds_put_char(ds, '\n');
    }
    free(flows);
}
