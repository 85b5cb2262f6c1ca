/* SPDX-License-Identifier: Apache-2.0 */

/* Records and sets of records: see alloc.h.  Making allocations for a
 * configuration is in alloc-update.c. */

#include <config.h>
#include "controller/model/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/base/prefix.h"
#include "controller/model/alloc-private.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

/* Records. */

struct alloc *
alloc_ref(const struct alloc *record_)
{
    struct alloc *record = CONST_CAST(struct alloc *, record_);

    record->ref_cnt++;
    return record;
}

void
alloc_unref(struct alloc *record)
{
    if (record && !--record->ref_cnt) {
        free(record->customer);
        free(record->network);
        free(record->name);
        free(record->host);
        free(record);
    }
}

struct alloc *
alloc_create(const char *customer, const char *network, enum topo_kind kind,
             const char *name)
{
    struct alloc *record = xzalloc(sizeof *record);

    record->ref_cnt = 1;
    record->kind = kind;
    record->customer = xstrdup(customer);
    record->network = xstrdup(network);
    record->name = xstrdup(name);
    return record;
}

bool
alloc_equals(const struct alloc *a, const struct alloc *b)
{
    return a->kind == b->kind
           && a->id == b->id
           && eth_addr_equals(a->mac, b->mac)
           && !addr_compare(&a->address, &b->address)
           && a->fixed_address == b->fixed_address
           && nullable_string_is_equal(a->host, b->host)
           && !strcmp(a->name, b->name)
           && !strcmp(a->network, b->network)
           && !strcmp(a->customer, b->customer);
}

static int
compare_key(const char *customer, const char *network, enum topo_kind kind,
            const char *name, const struct alloc *record)
{
    int cmp = strcmp(customer, record->customer);

    if (!cmp) {
        cmp = strcmp(network, record->network);
    }
    if (!cmp) {
        cmp = (int) kind - (int) record->kind;
    }
    return cmp ? cmp : strcmp(name, record->name);
}

int
alloc_compare(const struct alloc *a, const struct alloc *b)
{
    return compare_key(a->customer, a->network, a->kind, a->name, b);
}

static int
compare_records(const void *a, const void *b)
{
    return alloc_compare(*(const struct alloc *const *) a,
                         *(const struct alloc *const *) b);
}

/* Sets. */

struct alloc_set *
alloc_set_create(void)
{
    struct alloc_set *set = xzalloc(sizeof *set);

    set->ref_cnt = 1;
    return set;
}

struct alloc_set *
alloc_set_ref(const struct alloc_set *set_)
{
    struct alloc_set *set = CONST_CAST(struct alloc_set *, set_);

    if (set) {
        set->ref_cnt++;
    }
    return set;
}

void
alloc_set_unref(struct alloc_set *set)
{
    if (set && !--set->ref_cnt) {
        for (size_t i = 0; i < set->n; i++) {
            alloc_unref(set->records[i]);
        }
        free(set->records);
        free(set);
    }
}

/* The index of the first record that is not before the given key. */
static size_t
lower_bound(const struct alloc_set *set, const char *customer,
            const char *network, enum topo_kind kind, const char *name)
{
    size_t low = 0, high = set->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (compare_key(customer, network, kind, name, set->records[mid])
            <= 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return low;
}

void
alloc_customer_range(const struct alloc_set *set, const char *customer,
                     size_t *begin, size_t *end)
{
    size_t low, high = set->n;

    *begin = low = lower_bound(set, customer, "", 0, "");
    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(set->records[mid]->customer, customer)) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    *end = low;
}

size_t
alloc_find_position(const struct alloc_set *set, const char *customer,
                    const char *network, enum topo_kind kind, const char *name)
{
    size_t i = lower_bound(set, customer, network, kind, name);

    return (i < set->n && !compare_key(customer, network, kind, name,
                                       set->records[i])
            ? i : SIZE_MAX);
}

const struct alloc *
alloc_find(const struct alloc_set *set, const char *customer,
           const char *network, enum topo_kind kind, const char *name)
{
    size_t i = alloc_find_position(set, customer, network, kind, name);

    return i != SIZE_MAX ? set->records[i] : NULL;
}

const struct alloc *
alloc_find_id(const struct alloc_set *set, uint32_t id)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->records[i]->id == id) {
            return set->records[i];
        }
    }
    return NULL;
}

struct alloc_set *
alloc_set_replace(const struct alloc_set *old, size_t begin, size_t end,
                  struct alloc **records, size_t n)
{
    struct alloc_set *set = alloc_set_create();

    set->records = xcalloc(MAX(old->n - (end - begin) + n, 1),
                           sizeof *set->records);
    for (size_t i = 0; i < begin; i++) {
        set->records[set->n++] = alloc_ref(old->records[i]);
    }
    for (size_t i = 0; i < n; i++) {
        set->records[set->n++] = records[i];
    }
    for (size_t i = end; i < old->n; i++) {
        set->records[set->n++] = alloc_ref(old->records[i]);
    }
    return set;
}

struct alloc_set *
alloc_remove_customer(const struct alloc_set *old, const char *customer)
{
    size_t begin, end;

    alloc_customer_range(old, customer, &begin, &end);
    return (begin == end ? alloc_set_ref(old)
            : alloc_set_replace(old, begin, end, NULL, 0));
}

void
alloc_set_diff(const struct alloc_set *old, const struct alloc_set *new,
               void (*removed)(const struct alloc *, void *aux),
               void (*added)(const struct alloc *, void *aux), void *aux)
{
    size_t i = 0, j = 0;

    while (i < old->n || j < new->n) {
        int cmp = (i >= old->n ? 1 : j >= new->n ? -1
                   : old->records[i] == new->records[j] ? 0
                   : alloc_compare(old->records[i], new->records[j]));

        if (!cmp && (old->records[i] == new->records[j]
                     || alloc_equals(old->records[i], new->records[j]))) {
            i++, j++;
            continue;
        }
        if (cmp <= 0) {
            removed(old->records[i++], aux);
        }
        if (cmp >= 0) {
            added(new->records[j++], aux);
        }
    }
}

/* Text forms. */

static const struct {
    enum topo_kind kind;
    const char *name;
} kinds[] = {
    { TOPO_NETWORK, "network" },
    { TOPO_SUBNET, "subnet" },
    { TOPO_NODE, "node" },
    { TOPO_ROUTER, "router" },
    { TOPO_INTERFACE, "interface" },
    { TOPO_LINK, "link" },
    { TOPO_ATTACHMENT, "attachment" },
};

const char *
alloc_kind_to_string(enum topo_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].kind == kind) {
            return kinds[i].name;
        }
    }
    return "unknown";
}

bool
alloc_kind_from_string(const char *name, enum topo_kind *kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!strcmp(kinds[i].name, name)) {
            *kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

struct json *
alloc_set_to_json(const struct alloc_set *set)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < set->n; i++) {
        const struct alloc *r = set->records[i];
        struct json *json = json_object_create();

        json_object_put_string(json, "customer", r->customer);
        json_object_put_string(json, "network", r->network);
        json_object_put_string(json, "kind", alloc_kind_to_string(r->kind));
        json_object_put_string(json, "name", r->name);
        json_object_put(json, "id", json_integer_create(r->id));
        if (!eth_addr_is_zero(r->mac)) {
            json_object_put_format(json, "mac", ETH_ADDR_FMT,
                                   ETH_ADDR_ARGS(r->mac));
        }
        if (!IN6_IS_ADDR_UNSPECIFIED(&r->address)) {
            char buf[ADDR_STRLEN];

            json_object_put_string(json, "address",
                                   addr_to_string(&r->address, buf));
            json_object_put(json, "fixed-address",
                            json_boolean_create(r->fixed_address));
        }
        if (r->host) {
            json_object_put_string(json, "host", r->host);
        }
        json_array_add(array, json);
    }
    return array;
}

/* Sets from stored records. */

struct alloc_builder {
    struct alloc **records;
    size_t n, allocated;
};

struct alloc_builder *
alloc_builder_create(void)
{
    return xzalloc(sizeof(struct alloc_builder));
}

/* Adds a record.  'mac', 'address' and 'host' may be NULL or empty.  Returns
 * false if the texts are no record. */
bool
alloc_builder_add(struct alloc_builder *b, const char *customer,
                  const char *network, const char *kind_name, const char *name,
                  uint32_t id, const char *mac, const char *address,
                  bool fixed_address, const char *host)
{
    struct in6_addr addr = in6addr_any;
    struct eth_addr ea = eth_addr_zero;
    enum topo_kind kind;
    struct alloc *record;

    if (!id || !alloc_kind_from_string(kind_name, &kind)
        || (kind == TOPO_NETWORK && id > 0xffffff)
        || (mac && *mac && !eth_addr_from_string(mac, &ea))
        || (address && *address && !addr_parse(address, &addr))) {
        return false;
    }
    record = alloc_create(customer, network, kind, name);
    record->id = id;
    record->mac = ea;
    record->address = addr;
    record->fixed_address = fixed_address;
    record->host = host && *host ? xstrdup(host) : NULL;

    if (b->n >= b->allocated) {
        b->records = x2nrealloc(b->records, &b->allocated, sizeof *b->records);
    }
    b->records[b->n++] = record;
    return true;
}

static int
compare_ids(const void *a_, const void *b_)
{
    const struct alloc *const *a = a_;
    const struct alloc *const *b = b_;

    return ((*a)->id != (*b)->id ? ((*a)->id < (*b)->id ? -1 : 1)
            : alloc_compare(*a, *b));
}

/* Reports records that share an identifier. */
static bool
ids_are_unique(const struct alloc_set *set, struct diags *diags)
{
    struct alloc **sorted = xmemdup(set->records,
                                    MAX(set->n, 1) * sizeof *sorted);
    bool ok = true;

    qsort(sorted, set->n, sizeof *sorted, compare_ids);
    for (size_t i = 1; i < set->n; i++) {
        if (sorted[i - 1]->id == sorted[i]->id) {
            diags_error(diags, NULL, 0, NULL, "stored allocations: %s/%s %s "
                        "and %s/%s %s share identifier %"PRIu32,
                        sorted[i - 1]->customer, sorted[i - 1]->network,
                        sorted[i - 1]->name, sorted[i]->customer,
                        sorted[i]->network, sorted[i]->name, sorted[i]->id);
            ok = false;
        }
    }
    free(sorted);
    return ok;
}

/* Returns the set, or NULL and diagnostics.  Destroys 'b'. */
struct alloc_set *
alloc_builder_finish(struct alloc_builder *b, struct diags *diags)
{
    struct alloc_set *set = alloc_set_create();
    bool ok = true;

    set->records = b->records ? b->records : xzalloc(sizeof *set->records);
    set->n = b->n;
    free(b);

    qsort(set->records, set->n, sizeof *set->records, compare_records);
    for (size_t i = 1; i < set->n; i++) {
        const struct alloc *r = set->records[i];

        if (!alloc_compare(set->records[i - 1], r)) {
            diags_error(diags, NULL, 0, NULL, "stored allocations: %s %s/%s/%s "
                        "occurs twice", alloc_kind_to_string(r->kind),
                        r->customer, r->network, r->name);
            ok = false;
        }
    }
    if (!ok || !ids_are_unique(set, diags)) {
        alloc_set_unref(set);
        return NULL;
    }
    return set;
}

/* The string member 'name' of 'object', or NULL. */
static const char *
get_string(const struct json *object, const char *name)
{
    const struct json *json = shash_find_data(json_object(object), name);

    return json && json->type == JSON_STRING ? json_string(json) : NULL;
}

static bool
add_from_json(struct alloc_builder *b, const struct json *object)
{
    const char *customer, *network, *kind, *name;
    const struct json *id, *fixed;

    if (object->type != JSON_OBJECT) {
        return false;
    }
    customer = get_string(object, "customer");
    network = get_string(object, "network");
    kind = get_string(object, "kind");
    name = get_string(object, "name");
    id = shash_find_data(json_object(object), "id");
    fixed = shash_find_data(json_object(object), "fixed-address");
    return customer && network && kind && name
           && id && id->type == JSON_INTEGER
           && json_integer(id) > 0 && json_integer(id) <= UINT32_MAX
           && alloc_builder_add(b, customer, network, kind, name,
                                json_integer(id), get_string(object, "mac"),
                                get_string(object, "address"),
                                fixed && fixed->type == JSON_TRUE,
                                get_string(object, "host"));
}

struct alloc_set *
alloc_set_from_json(const struct json *json, struct diags *diags)
{
    struct alloc_builder *b = alloc_builder_create();
    struct alloc_set *set;
    bool ok = json->type == JSON_ARRAY;

    for (size_t i = 0; ok && i < json->array.n; i++) {
        ok = add_from_json(b, json->array.elems[i]);
        if (!ok) {
            diags_error(diags, NULL, 0, NULL, "stored allocations: record "
                        "%"PRIuSIZE" is malformed", i);
        }
    }
    set = alloc_builder_finish(b, diags);
    if (!ok) {
        alloc_set_unref(set);
        return NULL;
    }
    return set;
}
