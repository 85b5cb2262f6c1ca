/* SPDX-License-Identifier: Apache-2.0 */

/* Ways and their states.
 *
 * A way exists while something names it: a stated destination, a next hop that
 * OSPF computed, or a neighbour that may become a loop-free alternate.  Its
 * state is a fact of its own, which may be there before the way is. */

#include <config.h>
#include "controller/route/route-private.h"

#include <string.h>

#include "controller/route/route.h"
#include "openvswitch/hmap.h"
#include "packets.h"
#include "util.h"

const char *
route_why_to_string(enum route_why why)
{
    static const char *const names[] = {
#define WHY(NAME, TEXT) TEXT,
        ROUTE_WHYS
#undef WHY
    };

    return why < ROUTE_N_WHYS ? names[why] : "unknown";
}

static bool
is_point_to_point(const struct topo_attachment *a)
{
    return a->has_ospf ? a->ospf.type == TOPO_P2P : a->plen >= 126;
}

struct in6_addr
route_way_key(const struct topo_network *topo, size_t attachment,
              const struct in6_addr *next_hop)
{
    const struct topo_attachment *a = &topo->attachments[attachment];
    struct in6_addr key = *next_hop;

    if (!is_point_to_point(a)) {
        return key;
    }
    if (a->plen < 126) {
        /* OSPF's one neighbour, whatever its address. */
        return a->has_ospf ? in6addr_any : key;
    }
    if (!ipv6_addr_is_set(&key)) {
        key = a->address;
        key.s6_addr[15] ^= a->plen == 126 ? 3 : a->plen == 127 ? 1 : 0;
    }
    return key;
}

static uint32_t
way_hash(uint32_t attachment, const struct in6_addr *next_hop)
{
    return addr_hash(next_hop, attachment);
}

struct rt_way *
rt_way_find(const struct route_net *net, uint32_t attachment,
            const struct in6_addr *next_hop)
{
    struct rt_way *w;

    HMAP_FOR_EACH_WITH_HASH (w, node, way_hash(attachment, next_hop),
                             &net->ways) {
        if (w->attachment == attachment
            && ipv6_addr_equals(&w->pub.next_hop, next_hop)) {
            return w;
        }
    }
    return NULL;
}

static struct rt_state *
state_find(const struct route_net *net, uint32_t attachment,
           const struct in6_addr *next_hop)
{
    struct rt_state *s;

    HMAP_FOR_EACH_WITH_HASH (s, node, way_hash(attachment, next_hop),
                             &net->states) {
        if (s->attachment == attachment
            && ipv6_addr_equals(&s->next_hop, next_hop)) {
            return s;
        }
    }
    return NULL;
}

/* Takes over what is known of the way's state. */
static void
way_set_state(struct route_net *net, struct rt_way *w,
              const struct rt_state *s)
{
    struct route_way *pub = &w->pub;
    enum route_why why = s ? s->why : ROUTE_WHY_UNKNOWN;
    struct in6_addr addr = pub->next_hop;

    if (!ipv6_addr_is_set(&addr) && s) {
        addr = s->addr;
    }
    pub->peer_mac = s ? s->peer_mac : eth_addr_zero;
    if (pub->why == why && ipv6_addr_equals(&pub->addr, &addr)) {
        return;
    }
    if (!ipv6_addr_equals(&pub->addr, &addr)) {
        net->routers[pub->router]->own_dirty = true;
    }
    pub->why = why;
    pub->addr = addr;
    net->routers[pub->router]->adverts_dirty = true;
    net->touched[pub->attachment] = true;
    net->any_touched = net->ways_touched = true;
    net->dirty = true;
}

static void
state_apply(struct route_net *net, uint32_t attachment,
            const struct in6_addr *next_hop, const struct rt_state *s)
{
    struct rt_way *w = rt_way_find(net, attachment, next_hop);

    if (w) {
        way_set_state(net, w, s);
    }
}

void
route_net_set_way(struct route_net *net, const struct way_state *ws)
{
    uint32_t attachment = net->topo->attachments[ws->attachment].id;
    struct in6_addr key = route_way_key(net->topo, ws->attachment,
                                        &ws->next_hop);
    struct rt_state *s = state_find(net, attachment, &key);

    if (!s) {
        s = xzalloc(sizeof *s);
        s->attachment = attachment;
        s->next_hop = key;
        hmap_insert(&net->states, &s->node, way_hash(attachment, &key));
    }
    s->addr = ws->addr;
    s->why = ws->why < ROUTE_N_WHYS ? ws->why : ROUTE_WHY_UNKNOWN;
    s->peer_mac = ws->peer_mac;
    state_apply(net, attachment, &key, s);
}

void
route_net_del_way(struct route_net *net, size_t attachment_index,
                  const struct in6_addr *next_hop)
{
    uint32_t attachment = net->topo->attachments[attachment_index].id;
    struct in6_addr key = route_way_key(net->topo, attachment_index, next_hop);
    struct rt_state *s = state_find(net, attachment, &key);

    if (s) {
        state_apply(net, attachment, &key, NULL);
        hmap_remove(&net->states, &s->node);
        free(s);
    }
}

/* Collecting. */

static struct rt_way *
way_use(struct route_net *net, size_t index, const struct in6_addr *next_hop,
        bool *changed)
{
    const struct topo_attachment *a = &net->topo->attachments[index];
    struct in6_addr key = route_way_key(net->topo, index, next_hop);
    struct rt_way *w = rt_way_find(net, a->id, &key);

    if (!w) {
        w = xzalloc(sizeof *w);
        w->attachment = a->id;
        w->pub.attachment = index;
        w->pub.router = a->router;
        w->pub.next_hop = key;
        w->pub.why = ROUTE_N_WHYS; /* So that any state is a change. */
        hmap_insert(&net->ways, &w->node, way_hash(a->id, &key));
        way_set_state(net, w, state_find(net, a->id, &key));
        *changed = true;
    }
    w->used = true;
    return w;
}

/* The attachment that 'nh' leaves by, or ROUTE_NONE. */
static size_t
nexthop_attachment(const struct topo_network *topo,
                   const struct rt_nexthop *nh)
{
    for (size_t i = 0; i < topo->n_routers && nh->local; i++) {
        const struct topo_router *r = &topo->routers[i];

        if (r->router_id != nh->exit_router) {
            continue;
        }
        for (size_t j = 0; j < r->n_attachments; j++) {
            const struct topo_attachment *a
                = &topo->attachments[r->attachments[j]];

            if (addr_is_v4(&a->address)
                && ntohl(addr_get_ip4(&a->address)) == nh->local) {
                return r->attachments[j];
            }
        }
    }
    return ROUTE_NONE;
}

static void
rib_use(struct route_net *net, struct rt_rib *rib, bool *changed)
{
    for (size_t i = 0; i < rib->n_nexthops; i++) {
        struct rt_nexthop *nh = &rib->nexthops[i];
        size_t attachment = nexthop_attachment(net->topo, nh);

        nh->way = NULL;
        if (attachment != ROUTE_NONE) {
            struct in6_addr addr = (nh->addr ? addr_from_ip4(htonl(nh->addr))
                                    : in6addr_any);
            struct in6_addr key = route_way_key(net->topo, attachment, &addr);

            if (ipv6_addr_is_set(&key)
                || is_point_to_point(&net->topo->attachments[attachment])) {
                nh->way = way_use(net, attachment, &addr, changed);
                nh->way->pub.learned = true;
            }
        }
    }
    for (size_t i = 0; i < rib->n_neighbors; i++) {
        size_t attachment = rt_attachment_index(net->topo,
                                                rib->neighbors[i].attachment);

        if (attachment != ROUTE_NONE) {
            way_use(net, attachment, &rib->neighbors[i].addr,
                    changed)->pub.learned = true;
        }
    }
}

static int
compare_ways(const void *a_, const void *b_)
{
    const struct route_way *const *a_p = a_;
    const struct route_way *const *b_p = b_;
    const struct rt_way *a = CONTAINER_OF(*a_p, struct rt_way, pub);
    const struct rt_way *b = CONTAINER_OF(*b_p, struct rt_way, pub);

    return (a->attachment < b->attachment ? -1
            : a->attachment > b->attachment ? 1
            : addr_compare(&a->pub.next_hop, &b->pub.next_hop));
}

static int
compare_ways_by_hash(const void *a_, const void *b_)
{
    const struct route_way *const *a_p = a_;
    const struct route_way *const *b_p = b_;
    const struct rt_way *a = CONTAINER_OF(*a_p, struct rt_way, pub);
    const struct rt_way *b = CONTAINER_OF(*b_p, struct rt_way, pub);

    return (a->hash < b->hash ? -1 : a->hash > b->hash ? 1
            : compare_ways(a_, b_));
}

/* Gives each way the first free identifier from its hash on, in the order of
 * (hash, key): the same for the same ways, whatever happened before. */
static void
number_ways(struct route_net *net)
{
    const struct route_way **list = xmemdup(net->way_list, (net->n_ways
                                                            * sizeof *list));
    uint32_t next = 1;

    for (size_t i = 0; i < net->n_ways; i++) {
        struct rt_way *w = CONTAINER_OF(list[i], struct rt_way, pub);
        uint32_t hash = rt_hash_bytes(&w->pub.next_hop,
                                      sizeof w->pub.next_hop, w->attachment);

        w->hash = 1 + (hash & net->hash_mask) % 0xffefffff;
    }
    RT_SORT(list, net->n_ways, compare_ways_by_hash);
    for (size_t i = 0; i < net->n_ways; i++) {
        struct rt_way *w = CONTAINER_OF(list[i], struct rt_way, pub);
        uint32_t id = MAX(w->hash, next);

        if (w->pub.id != id) {
            w->pub.id = id;
            net->touched[w->pub.attachment] = true;
            net->any_touched = net->ways_touched = true;
        }
        next = id + 1;
    }
    free(list);
}

bool
rt_ways_collect(struct route_net *net)
{
    const struct topo_network *topo = net->topo;
    bool changed = net->n_dead_ways > 0; /* By rt_ways_remap(). */
    struct rt_way *w;
    size_t n = 0;

    HMAP_FOR_EACH (w, node, &net->ways) {
        w->used = w->pub.stated = w->pub.learned = false;
    }
    for (size_t i = 0; i < topo->n_destinations; i++) {
        const struct topo_destination *d = &topo->destinations[i];

        for (size_t j = 0; j < d->n_vias; j++) {
            way_use(net, d->vias[j].attachment, &d->vias[j].next_hop,
                    &changed)->pub.stated = true;
        }
    }
    for (size_t i = 0; i < net->n_ribs; i++) {
        rib_use(net, net->ribs[i], &changed);
    }
    HMAP_FOR_EACH_SAFE (w, node, &net->ways) {
        if (!w->used) {
            hmap_remove(&net->ways, &w->node);
            RT_PUSH(net->dead_ways, net->n_dead_ways,
                    net->allocated_dead_ways, w);
            changed = true;
        }
    }
    if (changed) {
        free(net->way_list);
        net->n_ways = hmap_count(&net->ways);
        net->way_list = xmalloc(MAX(net->n_ways, 1) * sizeof *net->way_list);
        HMAP_FOR_EACH (w, node, &net->ways) {
            net->way_list[n++] = &w->pub;
        }
        RT_SORT(net->way_list, n, compare_ways);
        number_ways(net);
    }
    return changed;
}

void
rt_ways_free_dead(struct route_net *net)
{
    for (size_t i = 0; i < net->n_dead_ways; i++) {
        free(net->dead_ways[i]);
    }
    net->n_dead_ways = 0;
}

void
rt_ways_remap(struct route_net *net)
{
    struct rt_state *s;
    struct rt_way *w;

    HMAP_FOR_EACH_SAFE (s, node, &net->states) {
        if (rt_attachment_index(net->topo, s->attachment) == ROUTE_NONE) {
            hmap_remove(&net->states, &s->node);
            free(s);
        }
    }
    HMAP_FOR_EACH_SAFE (w, node, &net->ways) {
        size_t index = rt_attachment_index(net->topo, w->attachment);

        if (index == ROUTE_NONE) {
            hmap_remove(&net->ways, &w->node);
            RT_PUSH(net->dead_ways, net->n_dead_ways,
                    net->allocated_dead_ways, w);
        } else {
            w->pub.attachment = index;
            w->pub.router = net->topo->attachments[index].router;
        }
    }
}

void
rt_ways_init(struct route_net *net)
{
    hmap_init(&net->ways);
    hmap_init(&net->states);
}

void
rt_ways_destroy(struct route_net *net)
{
    struct rt_state *s;
    struct rt_way *w;

    HMAP_FOR_EACH_SAFE (s, node, &net->states) {
        hmap_remove(&net->states, &s->node);
        free(s);
    }
    HMAP_FOR_EACH_SAFE (w, node, &net->ways) {
        hmap_remove(&net->ways, &w->node);
        free(w);
    }
    rt_ways_free_dead(net);
    hmap_destroy(&net->states);
    hmap_destroy(&net->ways);
    free(net->dead_ways);
    free(net->way_list);
}

const struct route_way *const *
route_net_ways(const struct route_net *net, size_t *n)
{
    *n = net->n_ways;
    return net->way_list;
}

const struct route_way *
route_net_way(const struct route_net *net, size_t attachment,
              const struct in6_addr *next_hop)
{
    struct in6_addr key = route_way_key(net->topo, attachment, next_hop);
    const struct rt_way *w = rt_way_find(net,
                                         net->topo->attachments[attachment].id,
                                         &key);

    return w ? &w->pub : NULL;
}

const struct route_way *
route_net_way_by_id(const struct route_net *net, uint32_t id)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        if (net->way_list[i]->id == id) {
            return net->way_list[i];
        }
    }
    return NULL;
}
