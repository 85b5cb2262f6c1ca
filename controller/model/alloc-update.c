/* SPDX-License-Identifier: Apache-2.0 */

/* Allocations for a configuration: see alloc.h.
 *
 * In steps, each over the customer's objects in the order of their keys, so that
 * the result depends on the documents and the old allocations alone:
 *
 *   1. list the objects, and pair each with its old record;
 *   2. give identifiers (the smallest that no record has or has just lost) and
 *      MAC addresses;
 *   3. give addresses to nodes, by subnet: first those that are stated or were
 *      given before, then the lowest free ones;
 *   4. give hosts to nodes: pinned ones, those that have one already, then the
 *      others where the largest part of the capacity is free. */

#include <config.h>
#include "controller/model/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "controller/base/diag.h"
#include "controller/model/alloc-private.h"
#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* One object of the configuration, with what will be in its record. */
struct wanted {
    const struct model_network *network;
    const struct model_node *node;      /* TOPO_NODE only. */
    const struct alloc *old;            /* Or NULL. */
    enum topo_kind kind;
    const char *name;
    char *own_name;                     /* 'name', if it was made here. */
    uint32_t id;
    struct eth_addr mac;
    struct in6_addr address;
    const char *host;                   /* The fabric's. */
};

struct updater {
    const struct alloc_set *old;
    size_t begin, end;                  /* The customer's records in 'old'. */
    const struct model_config *config;
    const struct model_fabric *fabric;
    struct diags *diags;
    struct wanted *wanted;              /* Sorted like records. */
    size_t n, allocated;
    uint32_t *load;                     /* Nodes by host of the fabric. */
    struct ds scratch;                  /* For names. */
    bool failed;
};

static struct diag *
update_error(struct updater *u, const struct wanted *w, const char *format,
             ...)
    OVS_PRINTF_FORMAT(3, 4);

static void
put_path(const struct wanted *w, struct ds *path)
{
    diag_path_put(path, "customer", NULL);
    diag_path_put(path, "network", w->network->name);
    if (w->kind != TOPO_NETWORK) {
        diag_path_put(path, alloc_kind_to_string(w->kind), w->name);
    }
}

static int
wanted_line(const struct wanted *w)
{
    return w->node ? w->node->line : w->network->line;
}

static struct diag *
update_error(struct updater *u, const struct wanted *w, const char *format,
             ...)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    struct ds cause = DS_EMPTY_INITIALIZER;
    struct diag *d;
    va_list args;

    va_start(args, format);
    ds_put_format_valist(&cause, format, args);
    va_end(args);
    put_path(w, &path);
    d = diags_error(u->diags, u->config->source, wanted_line(w),
                    ds_cstr(&path), "%s", ds_cstr(&cause));
    ds_destroy(&path);
    ds_destroy(&cause);
    u->failed = true;
    return d;
}

/* 1. Objects and their old records. */

static struct wanted *
want(struct updater *u, const struct model_network *network,
     enum topo_kind kind, const char *name)
{
    struct wanted *w;

    if (u->n >= u->allocated) {
        u->wanted = x2nrealloc(u->wanted, &u->allocated, sizeof *u->wanted);
    }
    w = &u->wanted[u->n++];
    *w = (struct wanted) { .network = network, .kind = kind, .name = name };
    return w;
}

static void
want_part(struct updater *u, const struct model_network *network,
          enum topo_kind kind, const struct model_router *router,
          const char *name)
{
    char *full_name = xasprintf("%s/%s", router->name, name);

    want(u, network, kind, full_name)->own_name = full_name;
}

static void
want_network(struct updater *u, const struct model_network *network)
{
    want(u, network, TOPO_NETWORK, network->name);
    for (size_t i = 0; i < network->n_subnets; i++) {
        want(u, network, TOPO_SUBNET, network->subnets[i].name);
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        const struct model_node *node = &network->nodes[i];

        want(u, network, TOPO_NODE, node->name)->node = node;
    }
    for (size_t i = 0; i < network->n_links; i++) {
        want(u, network, TOPO_LINK, network->links[i].name);
    }
    for (size_t i = 0; i < network->n_routers; i++) {
        const struct model_router *router = &network->routers[i];

        want(u, network, TOPO_ROUTER, router->name);
        for (size_t j = 0; j < router->n_interfaces; j++) {
            size_t subnet = router->interfaces[j].subnet;

            want_part(u, network, TOPO_INTERFACE, router,
                      network->subnets[subnet].name);
        }
        for (size_t j = 0; j < router->n_attachments; j++) {
            want_part(u, network, TOPO_ATTACHMENT, router,
                      router->attachments[j].name);
        }
    }
}

/* The order of records, within one customer. */
static int
compare_wanted(const void *a_, const void *b_)
{
    const struct wanted *a = a_, *b = b_;
    int cmp = (a->network == b->network ? 0
               : strcmp(a->network->name, b->network->name));

    return (cmp ? cmp
            : a->kind != b->kind ? (int) a->kind - (int) b->kind
            : strcmp(a->name, b->name));
}

static int
compare_with_old(const struct alloc *old, const struct wanted *w)
{
    int cmp = strcmp(old->network, w->network->name);

    return (cmp ? cmp
            : old->kind != w->kind ? (int) old->kind - (int) w->kind
            : strcmp(old->name, w->name));
}

static void
list_wanted(struct updater *u)
{
    size_t pos = u->begin;

    for (size_t i = 0; i < u->config->n_networks; i++) {
        want_network(u, &u->config->networks[i]);
    }
    if (u->n) {
        qsort(u->wanted, u->n, sizeof *u->wanted, compare_wanted);
    }
    for (size_t i = 0; i < u->n; i++) {
        struct wanted *w = &u->wanted[i];
        int cmp = 1;

        while (pos < u->end
               && (cmp = compare_with_old(u->old->records[pos], w)) < 0) {
            pos++;
        }
        w->old = pos < u->end && !cmp ? u->old->records[pos] : NULL;
    }
}

/* 2. Identifiers and MAC addresses. */

#define MAX_VNI 0xffffff

/* The identifiers of all old records, also of those that are dropped now: what
 * was just let go should not come back as something else at once. */
static unsigned long *
used_ids(const struct updater *u, size_t *n_bits)
{
    unsigned long *used;

    /* Among so many there is a free one for every object. */
    *n_bits = u->old->n + u->n + 1;
    used = bitmap_allocate(*n_bits);
    bitmap_set1(used, 0);
    for (size_t i = 0; i < u->old->n; i++) {
        if (u->old->records[i]->id < *n_bits) {
            bitmap_set1(used, u->old->records[i]->id);
        }
    }
    return used;
}

static void
give_ids(struct updater *u)
{
    size_t n_bits;
    unsigned long *used = used_ids(u, &n_bits);
    size_t next = 1;

    for (size_t i = 0; i < u->n; i++) {
        struct wanted *w = &u->wanted[i];

        if (w->old) {
            w->id = w->old->id;
        } else {
            next = bitmap_scan(used, false, next, n_bits);
            w->id = next++;
            if (w->kind == TOPO_NETWORK && w->id > MAX_VNI) {
                diag_remedy(update_error(u, w, "no VNI is free"),
                            "ask the operator to remove networks");
            }
        }
    }
    bitmap_free(used);
}

static void
give_macs(struct updater *u)
{
    for (size_t i = 0; i < u->n; i++) {
        struct wanted *w = &u->wanted[i];
        enum topo_kind kind = w->kind;

        if (w->node && w->node->has_mac) {
            w->mac = w->node->mac;
        } else if (kind == TOPO_NODE || kind == TOPO_INTERFACE
                   || kind == TOPO_ATTACHMENT) {
            w->mac = topo_mac(kind, w->id);
        }
    }
}

/* 3. Addresses. */

/* An address or prefix of a subnet that is taken. */
struct taken {
    struct prefix prefix;
    const struct wanted *by;    /* A node, or NULL: stated somewhere. */
};

/* What is taken of one subnet. */
struct pool {
    const struct prefix *subnet;
    struct taken *taken;
    size_t n, allocated;
};

static int
compare_taken(const void *a_, const void *b_)
{
    const struct taken *a = a_, *b = b_;

    return prefix_compare(&a->prefix, &b->prefix);
}

static void
pool_take(struct pool *pool, struct prefix prefix, const struct wanted *by)
{
    if (pool->n >= pool->allocated) {
        pool->taken = x2nrealloc(pool->taken, &pool->allocated,
                                 sizeof *pool->taken);
    }
    pool->taken[pool->n++] = (struct taken) { prefix, by };
}

/* Makes the pools of 'network' and takes what the document states. */
static struct pool *
pools_create(const struct model_network *network)
{
    struct pool *pools = xcalloc(MAX(network->n_subnets, 1), sizeof *pools);

    for (size_t i = 0; i < network->n_subnets; i++) {
        pools[i].subnet = &network->subnets[i].prefix;
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        const struct model_node *node = &network->nodes[i];
        struct pool *pool = &pools[node->subnet];

        if (node->has_address) {
            pool_take(pool, prefix_host(&node->address), NULL);
        }
        for (size_t j = 0; j < node->n_addresses; j++) {
            if (prefix_overlaps(pool->subnet, &node->addresses[j])) {
                pool_take(pool, node->addresses[j], NULL);
            }
        }
    }
    for (size_t i = 0; i < network->n_routers; i++) {
        const struct model_router *router = &network->routers[i];

        for (size_t j = 0; j < router->n_interfaces; j++) {
            const struct model_interface *iface = &router->interfaces[j];

            pool_take(&pools[iface->subnet], prefix_host(&iface->address),
                      NULL);
        }
    }
    return pools;
}

static void
pools_destroy(struct pool *pools, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(pools[i].taken);
    }
    free(pools);
}

static void
pool_sort(struct pool *pool)
{
    if (pool->n) {
        qsort(pool->taken, pool->n, sizeof *pool->taken, compare_taken);
    }
}

/* A node keeps the address that it was given before.  That something else now
 * states the same address is an error: a running node doesn't change its
 * address because of a neighbour. */
static void
refuse_clashes(struct updater *u, const struct pool *pool)
{
    const struct taken *outer = NULL;

    for (size_t i = 0; i < pool->n; i++) {
        const struct taken *t = &pool->taken[i];

        if (outer && prefix_overlaps(&outer->prefix, &t->prefix)) {
            const struct wanted *w = t->by ? t->by : outer->by;

            if (w) {
                char buf[ADDR_STRLEN];
                struct diag *d;

                addr_to_string(&w->address, buf);
                d = update_error(u, w, "node \"%s\" was given address %s, "
                                 "which is stated for something else now",
                                 w->name, buf);
                diag_remedy(d, "use another address there, or state one for "
                            "node \"%s\"", w->name);
            }
        } else {
            outer = t;
        }
    }
}

/* Adds 1 to 'addr'. */
static void
addr_increment(struct in6_addr *addr)
{
    for (int i = 15; i >= 0 && !++addr->s6_addr[i]; i--) {
        continue;
    }
}

/* Moves 'addr' to the lowest address from there on that is not taken.  '*pos' is
 * the first of the sorted 'taken' that may matter. */
static void
pool_skip_taken(const struct pool *pool, size_t *pos, struct in6_addr *addr)
{
    for (; *pos < pool->n; ++*pos) {
        const struct prefix *p = &pool->taken[*pos].prefix;

        if (prefix_contains(p, addr)) {
            *addr = prefix_last_addr(p);
            addr_increment(addr);
        } else if (addr_compare(&p->addr, addr) > 0) {
            break;
        }
    }
}

/* Gives addresses to the nodes among 'wanted' that have none. */
static void
give_free_addresses(struct updater *u, struct wanted *wanted, size_t n,
                    struct pool *pools, size_t n_pools)
{
    struct in6_addr *next = xcalloc(MAX(n_pools, 1), sizeof *next);
    size_t *pos = xcalloc(MAX(n_pools, 1), sizeof *pos);

    for (size_t i = 0; i < n_pools; i++) {
        next[i] = prefix_first_host(pools[i].subnet);
    }
    for (size_t i = 0; i < n; i++) {
        struct wanted *w = &wanted[i];
        size_t s;

        if (!w->node || !IN6_IS_ADDR_UNSPECIFIED(&w->address)) {
            continue;
        }
        s = w->node->subnet;
        pool_skip_taken(&pools[s], &pos[s], &next[s]);
        if (prefix_is_usable_host(pools[s].subnet, &next[s])) {
            w->address = next[s];
            addr_increment(&next[s]);
        } else {
            diag_remedy(update_error(u, w, "subnet \"%s\" has no free address",
                                     w->network->subnets[s].name),
                        "use a larger prefix, or another subnet");
        }
    }
    free(next);
    free(pos);
}

/* 'wanted' are the objects of one network. */
static void
give_addresses(struct updater *u, struct wanted *wanted, size_t n)
{
    const struct model_network *network = wanted->network;
    struct pool *pools = pools_create(network);

    for (size_t i = 0; i < n; i++) {
        struct wanted *w = &wanted[i];
        struct pool *pool;

        if (!w->node) {
            continue;
        }
        pool = &pools[w->node->subnet];
        if (w->node->has_address) {
            w->address = w->node->address;
        } else if (w->old
                   && prefix_is_usable_host(pool->subnet, &w->old->address)) {
            w->address = w->old->address;
            pool_take(pool, prefix_host(&w->address), w);
        }
    }
    for (size_t i = 0; i < network->n_subnets; i++) {
        pool_sort(&pools[i]);
        refuse_clashes(u, &pools[i]);
    }
    if (!u->failed) {
        give_free_addresses(u, wanted, n, pools, network->n_subnets);
    }
    pools_destroy(pools, network->n_subnets);
}

/* 4. Hosts. */

/* The index of the host called 'name', or SIZE_MAX. */
static size_t
host_index(const struct updater *u, const char *name)
{
    const struct model_host *host = name ? model_find_host(u->fabric, name)
                                         : NULL;

    return host ? (size_t) (host - u->fabric->hosts) : SIZE_MAX;
}

static void
place(struct updater *u, struct wanted *w, size_t host)
{
    w->host = u->fabric->hosts[host].name;
    u->load[host]++;
}

/* The host with room that has the largest part of its capacity free, among
 * those of 'zone' if not NULL. */
static size_t
best_host(const struct updater *u, const char *zone)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < u->fabric->n_hosts; i++) {
        const struct model_host *host = &u->fabric->hosts[i];
        uint64_t free_i, free_best;

        if (u->load[i] >= host->capacity
            || (zone && (!host->zone || strcmp(zone, host->zone)))) {
            continue;
        }
        if (best == SIZE_MAX) {
            best = i;
            continue;
        }
        free_i = host->capacity - u->load[i];
        free_best = u->fabric->hosts[best].capacity - u->load[best];
        if (free_i * u->fabric->hosts[best].capacity
            > free_best * host->capacity) {
            best = i;
        }
    }
    return best;
}

static void
place_somewhere(struct updater *u, struct wanted *w)
{
    size_t host = best_host(u, w->node->zone);

    if (host == SIZE_MAX && w->node->zone) {
        host = best_host(u, NULL);
        if (host != SIZE_MAX) {
            struct ds path = DS_EMPTY_INITIALIZER;

            put_path(w, &path);
            diags_warning(u->diags, u->config->source, w->node->line,
                          ds_cstr(&path), "zone \"%s\" has no room; the node "
                          "is placed elsewhere", w->node->zone);
            ds_destroy(&path);
        }
    }
    if (host == SIZE_MAX) {
        diag_remedy(update_error(u, w, "there is no capacity left for node "
                                 "\"%s\"", w->name),
                    "remove nodes, or ask the operator for more capacity");
        return;
    }
    place(u, w, host);
}

/* The host that 'w' is pinned to, or SIZE_MAX. */
static size_t
pinned_host(struct updater *u, const struct wanted *w)
{
    const struct model_pin *pin;

    if (!u->fabric->n_pins) {
        return SIZE_MAX;
    }
    ds_clear(&u->scratch);
    ds_put_cstr(&u->scratch, u->config->customer);
    ds_put_char(&u->scratch, '/');
    ds_put_cstr(&u->scratch, w->network->name);
    ds_put_char(&u->scratch, '/');
    ds_put_cstr(&u->scratch, w->name);
    pin = model_find_pin(u->fabric, ds_cstr(&u->scratch));
    return pin ? pin->host : SIZE_MAX;
}

static void
give_hosts(struct updater *u)
{
    for (size_t i = 0; i < u->old->n; i++) {
        size_t host;

        if (i == u->begin) {
            i = u->end;
            if (i >= u->old->n) {
                break;
            }
        }
        host = host_index(u, u->old->records[i]->host);
        if (host != SIZE_MAX) {
            u->load[host]++;
        }
    }
    for (size_t i = 0; i < u->n; i++) {
        struct wanted *w = &u->wanted[i];

        if (w->node) {
            size_t host = pinned_host(u, w);

            if (host == SIZE_MAX && w->old) {
                host = host_index(u, w->old->host);
            }
            if (host != SIZE_MAX) {
                place(u, w, host);
            }
        }
    }
    for (size_t i = 0; i < u->n && !u->failed; i++) {
        struct wanted *w = &u->wanted[i];

        if (w->node && !w->host) {
            place_somewhere(u, w);
        }
    }
}

/* Whether the old record says what the new one would. */
static bool
is_unchanged(const struct wanted *w)
{
    return w->old
           && w->old->id == w->id
           && eth_addr_equals(w->old->mac, w->mac)
           && !addr_compare(&w->old->address, &w->address)
           && w->old->fixed_address == (w->node && w->node->has_address)
           && nullable_string_is_equal(w->old->host, w->host);
}

static struct alloc *
make_record(const struct updater *u, const struct wanted *w)
{
    struct alloc *record = alloc_create(u->config->customer,
                                        w->network->name, w->kind, w->name);

    record->id = w->id;
    record->mac = w->mac;
    record->address = w->address;
    record->fixed_address = w->node && w->node->has_address;
    record->host = nullable_xstrdup(w->host);
    return record;
}

/* The new set, which shares the records that did not change. */
static struct alloc_set *
finish(struct updater *u)
{
    struct alloc **records = xcalloc(MAX(u->n, 1), sizeof *records);
    struct alloc_set *set;
    bool same = u->n == u->end - u->begin;

    for (size_t i = 0; i < u->n; i++) {
        const struct wanted *w = &u->wanted[i];

        if (is_unchanged(w)) {
            records[i] = alloc_ref(w->old);
        } else {
            records[i] = make_record(u, w);
            same = false;
        }
    }
    set = alloc_set_replace(u->old, u->begin, u->end, records, u->n);
    free(records);
    if (same) {
        alloc_set_unref(set);
        set = alloc_set_ref(u->old);
    }
    return set;
}

struct alloc_set *
alloc_update(const struct alloc_set *old, const struct model_config *config,
             const struct model_fabric *fabric, struct diags *diags)
{
    struct updater u = {
        .old = old, .config = config, .fabric = fabric, .diags = diags,
        .scratch = DS_EMPTY_INITIALIZER,
    };
    struct alloc_set *set = NULL;

    alloc_customer_range(old, config->customer, &u.begin, &u.end);
    u.load = xcalloc(fabric->n_hosts, sizeof *u.load);
    list_wanted(&u);
    give_ids(&u);
    give_macs(&u);
    for (size_t i = 0, n; i < u.n; i += n) {
        for (n = 1; i + n < u.n
             && u.wanted[i + n].network == u.wanted[i].network; n++) {
            continue;
        }
        give_addresses(&u, &u.wanted[i], n);
    }
    give_hosts(&u);

    if (!u.failed) {
        set = finish(&u);
    }
    for (size_t i = 0; i < u.n; i++) {
        free(u.wanted[i].own_name);
    }
    free(u.wanted);
    free(u.load);
    ds_destroy(&u.scratch);
    return set;
}
