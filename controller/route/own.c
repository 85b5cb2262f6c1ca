/* SPDX-License-Identifier: Apache-2.0 */

/* What a router has without asking anybody: the subnets of its interfaces,
 * further addresses of nodes there, the prefixes of its attachments and the
 * neighbours on them, and all of that of its siblings over links.  These come
 * before anything stated or learned, and nothing inside their prefixes is taken
 * from elsewhere. */

#include <config.h>
#include "controller/route/route-private.h"

#include <string.h>

#include "packets.h"
#include "util.h"

const struct rt_own *
rt_own_find(const struct rt_router *r, const struct prefix *p)
{
    struct rt_own *own;

    HMAP_FOR_EACH_WITH_HASH (own, node, prefix_hash(p, 0), &r->own) {
        if (prefix_equal(&own->prefix, p)) {
            return own;
        }
    }
    return NULL;
}

bool
rt_own_covers(const struct rt_router *r, const struct prefix *p)
{
    unsigned int shortest = prefix_is_v4(p) ? 96 : 0;

    for (unsigned int plen = p->plen; plen-- > shortest; ) {
        if (r->n_own[plen]) {
            struct prefix outer = prefix_is_v4(p)
                ? prefix_from_ip4(prefix_get_ip4(p), plen - 96)
                : prefix_from_addr(&p->addr, plen);
            const struct rt_own *own = rt_own_find(r, &outer);

            if (own && own->space) {
                return true;
            }
        }
    }
    return false;
}

static void
own_remove(struct rt_router *r, struct rt_own *own)
{
    hmap_remove(&r->own, &own->node);
    r->n_own[own->prefix.plen] -= own->space;
    free(own);
}

static void
own_clear(struct rt_router *r)
{
    struct rt_own *own;

    HMAP_FOR_EACH_SAFE (own, node, &r->own) {
        own_remove(r, own);
    }
}

void
rt_own_destroy(struct rt_router *r)
{
    own_clear(r);
    hmap_destroy(&r->own);
}

/* Adds 'new', unless something at least as near is there. */
static void
own_add(struct rt_router *r, const struct rt_own *new)
{
    struct rt_own *own = CONST_CAST(struct rt_own *,
                                    rt_own_find(r, &new->prefix));

    if (own) {
        if (own->cost <= new->cost) {
            return;
        }
        own_remove(r, own);
    }
    own = xmemdup(new, sizeof *new);
    hmap_insert(&r->own, &own->node, prefix_hash(&own->prefix, 0));
    r->n_own[own->prefix.plen] += own->space;
}

/* Adds 'prefix', which 'result' describes in the view from subnets, and in
 * that from attachments if 'transit'. */
static void
add(struct rt_router *r, const struct prefix *prefix,
    const struct route_result *result, uint32_t cost, bool transit)
{
    struct rt_own own;

    memset(&own, 0, sizeof own);
    own.prefix = *prefix;
    own.views[ROUTE_FROM_SUBNETS] = *result;
    if (transit) {
        own.views[ROUTE_FROM_ATTACHMENTS] = *result;
    }
    own.cost = cost;
    own.space = true;
    own_add(r, &own);
}

static struct prefix
attachment_prefix(const struct topo_attachment *a)
{
    return (addr_is_v4(&a->address)
            ? prefix_from_ip4(addr_get_ip4(&a->address), a->plen - 96)
            : prefix_from_addr(&a->address, a->plen));
}

/* Adds what 'owner' has on its subnets and attachments to 'r', which is
 * 'owner' itself or a sibling. */
static void
add_router(const struct route_net *net, struct rt_router *r,
           const struct rt_router *owner)
{
    const struct topo_network *topo = net->topo;
    const struct topo_router *tr = &topo->routers[owner->index];
    uint32_t distance = r->distances[owner->index];
    bool local = r == owner;
    struct route_result sibling = {
        .kind = ROUTE_SIBLING,
        .target = owner->index,
        .next = r->next[owner->index],
    };

    for (size_t i = 0; i < tr->n_interfaces; i++) {
        const struct topo_interface *iface
            = &topo->interfaces[tr->interfaces[i]];
        const struct topo_subnet *subnet = &topo->subnets[iface->subnet];
        uint32_t cost = local ? 0 : rt_clamp((uint64_t) distance
                                             + iface->cost);
        struct route_result result = sibling;

        if (local) {
            result = (struct route_result) {
                .kind = ROUTE_SUBNET,
                .subnet = iface->subnet,
                .node = ROUTE_NONE,
            };
        }
        add(r, &subnet->prefix, &result, cost, true);
        for (size_t j = 0; j < net->n_wide_nodes; j++) {
            const struct topo_node *node = &topo->nodes[net->wide_nodes[j]];

            for (size_t k = 0; (node->subnet == iface->subnet
                                && k < node->n_addresses); k++) {
                if (!prefix_contains_prefix(&subnet->prefix,
                                            &node->addresses[k])) {
                    if (local) {
                        result.node = net->wide_nodes[j];
                    }
                    add(r, &node->addresses[k], &result, cost, true);
                }
            }
        }
    }
    for (size_t i = 0; i < tr->n_attachments; i++) {
        const struct topo_attachment *a
            = &topo->attachments[tr->attachments[i]];
        struct prefix prefix = attachment_prefix(a);
        struct route_result result = sibling;

        if (local) {
            result = (struct route_result) {
                .kind = ROUTE_ATTACHMENT, .attachment = tr->attachments[i],
            };
        }
        add(r, &prefix, &result,
            local ? 1 : rt_clamp((uint64_t) distance + a->cost),
            r->transit && owner->transit);
    }
}

static void
add_neighbors(const struct route_net *net, struct rt_router *r)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        struct rt_way *w = CONTAINER_OF(net->way_list[i], struct rt_way, pub);

        if (w->pub.router == r->index && ipv6_addr_is_set(&w->pub.addr)) {
            struct rt_own own;

            memset(&own, 0, sizeof own);
            own.prefix = prefix_host(&w->pub.addr);
            own.way = w;
            own_add(r, &own);
        }
    }
}

static bool
own_equal(const struct rt_own *a, const struct rt_own *b)
{
    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        const struct route_result *x = &a->views[view];
        const struct route_result *y = &b->views[view];

        if (x->kind != y->kind
            || (x->kind == ROUTE_SUBNET && (x->subnet != y->subnet
                                            || x->node != y->node))
            || (x->kind == ROUTE_SIBLING && (x->target != y->target
                                             || x->next != y->next))
            || (x->kind == ROUTE_ATTACHMENT
                && x->attachment != y->attachment)) {
            return false;
        }
    }
    return a->way == b->way;
}

void
rt_own_rebuild(struct route_net *net, struct rt_router *r)
{
    struct rt_router old = { .own = HMAP_INITIALIZER(&old.own) };
    struct rt_own *own;

    hmap_swap(&old.own, &r->own);
    memset(r->n_own, 0, sizeof r->n_own);
    for (size_t i = 0; i < net->n_routers; i++) {
        if (r->distances[i] != UINT32_MAX) {
            add_router(net, r, net->routers[i]);
        }
    }
    add_neighbors(net, r);

    HMAP_FOR_EACH (own, node, &r->own) {
        const struct rt_own *before = rt_own_find(&old, &own->prefix);

        if (!before || !own_equal(own, before)) {
            rt_entry_mark(r, &own->prefix);
        }
    }
    HMAP_FOR_EACH (own, node, &old.own) {
        if (!rt_own_find(r, &own->prefix)) {
            rt_entry_mark(r, &own->prefix);
        }
    }
    rt_own_destroy(&old);
}
