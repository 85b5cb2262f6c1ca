/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "controller/engine/frames.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

/* A next hop that is known is asked again after ARP_REFRESH_MS without a word
 * from it; ARP_TRIES questions ARP_RETRY_MS apart without an answer and it is
 * not known any more.  One that isn't known is asked every ARP_RETRY_MS, and
 * after ARP_TRIES every ARP_SLOW_MS. */
#define ARP_REFRESH_MS 30000
#define ARP_RETRY_MS 1000
#define ARP_SLOW_MS 5000
#define ARP_TRIES 3

static int
compare_key(uint32_t a_id, const struct in6_addr *a_hop, uint32_t b_id,
            const struct in6_addr *b_hop)
{
    return (a_id != b_id ? (a_id < b_id ? -1 : 1)
            : addr_compare(a_hop, b_hop));
}

static int
compare_ways(const void *a_, const void *b_)
{
    const struct engine_way *const *a = a_;
    const struct engine_way *const *b = b_;

    return compare_key((*a)->attachment_id, &(*a)->pl.next_hop,
                       (*b)->attachment_id, &(*b)->pl.next_hop);
}

struct engine_way *
ways_find(const struct engine_net *net, uint32_t attachment_id,
          const struct in6_addr *next_hop)
{
    size_t low = 0, high = net->n_ways;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        struct engine_way *way = net->ways[mid];
        int cmp = compare_key(attachment_id, next_hop, way->attachment_id,
                              &way->pl.next_hop);
        if (!cmp) {
            return way;
        } else if (cmp < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

struct engine_way *
ways_find_id(const struct engine_net *net, uint32_t id)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        if (net->ways[i]->pl.id == id) {
            return net->ways[i];
        }
    }
    return NULL;
}

static struct engine_way *
way_create(struct engine_net *net, size_t attachment,
           const struct in6_addr *next_hop)
{
    struct engine_way *way = xzalloc(sizeof *way);

    way->attachment_id = net->topo->attachments[attachment].id;
    way->pl.attachment = attachment;
    way->pl.next_hop = *next_hop;
    way->why = ROUTE_N_WHYS;    /* Not judged. */
    way->changed = true;
    return way;
}

void
ways_destroy(struct engine_net *net)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        free(net->ways[i]);
    }
    free(net->ways);
    net->ways = NULL;
    net->n_ways = 0;
}

static void
add_way(struct engine_net *net, struct engine_way *way)
{
    net->ways = xrealloc(net->ways, (net->n_ways + 1) * sizeof *net->ways);
    net->ways[net->n_ways++] = way;
}

/* After a new topology: attachments have other indexes, or are at another
 * port, or are gone. */
void
ways_remap(struct engine_net *net, long long int now)
{
    size_t n = 0;

    for (size_t i = 0; i < net->n_ways; i++) {
        struct engine_way *way = net->ways[i];
        size_t a = net_attachment_by_id(net->topo, way->attachment_id);

        if (a == SIZE_MAX) {
            free(way);
        } else {
            way->pl.attachment = a;
            way->why = ROUTE_N_WHYS;
            if (net->atts[a].moved && way->arp != ARP_NONE) {
                way->arp = ARP_ASKING;
                way->arp_next_ms = now;
                way->arp_tries = 0;
                way->changed = true;
            }
            net->ways[n++] = way;
        }
    }
    net->n_ways = n;
}

static bool
get_heard(const struct engine_att *att, ovs_be32 ip, struct eth_addr *mac)
{
    for (size_t i = 0; i < MIN(att->n_heard, ARRAY_SIZE(att->heard)); i++) {
        if (att->heard[i].ip == ip) {
            *mac = att->heard[i].mac;
            return true;
        }
    }
    return false;
}

/* Wanted ways. */

struct want {
    size_t attachment;
    uint32_t attachment_id;
    struct in6_addr next_hop;   /* What names it. */
    struct in6_addr addr;       /* Of the peer, or unspecified. */
};
struct wants {
    struct want *wants;
    size_t n, allocated;
};

static int
compare_wants(const void *a_, const void *b_)
{
    const struct want *a = a_;
    const struct want *b = b_;
    int cmp = compare_key(a->attachment_id, &a->next_hop, b->attachment_id,
                          &b->next_hop);

    /* Of equals the one with an address first. */
    return cmp ? cmp : -addr_compare(&a->addr, &b->addr);
}

static void
add_want(struct wants *w, const struct engine_net *net, size_t attachment,
         const struct in6_addr *next_hop, const struct in6_addr *addr)
{
    if (w->n >= w->allocated) {
        w->wants = x2nrealloc(w->wants, &w->allocated, sizeof *w->wants);
    }
    w->wants[w->n++] = (struct want) {
        .attachment = attachment,
        .attachment_id = net->topo->attachments[attachment].id,
        .next_hop = *next_hop,
        .addr = *addr,
    };
}

static void
collect_neighbors(struct wants *w, const struct engine_net *net,
                  size_t attachment)
{
    const struct engine_speaker *s = speakers_find(net, attachment);
    struct ospf_nbr_info nbr;

    for (size_t i = 0;
         s && ospf_neighbor_get(s->ospf, net->topo->attachments[attachment].id,
                                i, &nbr);
         i++) {
        if (nbr.state >= NSM_2WAY || nbr.stale) {
            struct in6_addr addr = addr_from_ip4(htonl(nbr.address));
            struct in6_addr key = route_way_key(net->topo, attachment, &addr);

            add_want(w, net, attachment, &key, &addr);
        }
    }
}

/* Ways get their numbers from the route stage, as soon as that names them. */
static bool
way_set_id(const struct engine_net *net, struct engine_way *way)
{
    const struct route_way *rw = route_net_way(net->routes, way->pl.attachment,
                                               &way->pl.next_hop);
    uint32_t id = rw ? rw->id : 0;
    bool changed = id != way->pl.id;

    way->pl.id = id;
    return changed;
}

static void
way_set_addr(struct engine_net *net, struct engine_way *way,
             const struct in6_addr *addr, long long int now)
{
    bool known = way->arp == ARP_KNOWN || way->arp == ARP_PROBING;

    if (ipv6_addr_equals(&way->addr, addr)
        || (known && !ipv6_addr_is_set(addr))) {
        return;                 /* One that is gone stays, and ARP finds out. */
    }
    way->addr = *addr;
    if (!ipv6_addr_is_set(addr)) {
        way->arp = ARP_NONE;
        way->arp_tries = 0;
    } else if (get_heard(&net->atts[way->pl.attachment], addr_get_ip4(addr),
                  &way->mac)) {
        way->arp = ARP_KNOWN;
        way->arp_next_ms = now + ARP_REFRESH_MS;
        net->state_due = true;
    } else if (way->arp == ARP_NONE) {
        way->arp = ARP_ASKING;
        way->arp_next_ms = now;
    }
    way->why = ROUTE_N_WHYS;
    way->changed = true;
}

bool
ways_collect(struct engine_net *net, long long int now)
{
    struct wants w = { NULL, 0, 0 };
    struct engine_way **old = net->ways;
    size_t n_old = net->n_ways;
    bool changed = false;
    size_t n, j = 0;

    const struct route_way *const *rw = route_net_ways(net->routes, &n);
    for (size_t i = 0; i < n; i++) {
        add_want(&w, net, rw[i]->attachment, &rw[i]->next_hop,
                 &rw[i]->next_hop);
    }
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        collect_neighbors(&w, net, i);
    }
    if (w.n) {
        qsort(w.wants, w.n, sizeof *w.wants, compare_wants);
    }

    net->ways = NULL;
    net->n_ways = 0;
    for (size_t i = 0; i < w.n; i++) {
        const struct want *want = &w.wants[i];
        struct engine_way *way = NULL;

        if (i && !compare_key(want->attachment_id, &want->next_hop,
                              w.wants[i - 1].attachment_id,
                              &w.wants[i - 1].next_hop)) {
            continue;
        }
        while (j < n_old
               && compare_key(old[j]->attachment_id, &old[j]->pl.next_hop,
                              want->attachment_id, &want->next_hop) < 0) {
            route_net_del_way(net->routes, old[j]->pl.attachment,
                              &old[j]->pl.next_hop);
            free(old[j++]);
            changed = true;
        }
        if (j < n_old
            && !compare_key(old[j]->attachment_id, &old[j]->pl.next_hop,
                            want->attachment_id, &want->next_hop)) {
            way = old[j++];
        } else {
            way = way_create(net, want->attachment, &want->next_hop);
            changed = true;
        }
        changed |= way_set_id(net, way);
        way_set_addr(net, way, &want->addr, now);
        add_way(net, way);
    }
    for (; j < n_old; j++) {
        route_net_del_way(net->routes, old[j]->pl.attachment,
                          &old[j]->pl.next_hop);
        free(old[j]);
        changed = true;
    }
    free(old);
    free(w.wants);
    return changed;
}

/* Liveness. */

static enum route_why
judge(const struct engine_net *net, const struct engine_way *way)
{
    const struct topo_attachment *ta
        = &net->topo->attachments[way->pl.attachment];
    const struct engine_att *att = &net->atts[way->pl.attachment];

    if (!att->host || att->host_lost) {
        return ROUTE_WHY_HOST_UNREACHABLE;
    } else if (!att->ofport) {
        return ROUTE_WHY_PORT_ABSENT;
    } else if (!att->up) {
        return ROUTE_WHY_PORT_DOWN;
    } else if (ta->has_bfd && att->bfd == ENGINE_BFD_DOWN) {
        return ROUTE_WHY_BFD_DOWN;
    } else if (way->arp != ARP_KNOWN && way->arp != ARP_PROBING) {
        return ROUTE_WHY_UNRESOLVED;
    } else if (ta->has_ospf) {
        /* Where several are on the wire, a learned next hop need not speak
         * OSPF (it may be a forwarding address); a stated one must. */
        const struct route_way *rw = route_net_way(net->routes,
                                                   way->pl.attachment,
                                                   &way->pl.next_hop);
        const struct engine_speaker *s = speakers_find(net,
                                                       way->pl.attachment);
        bool must = (ta->ospf.type == TOPO_P2P || !rw || rw->stated
                     || !rw->learned);

        if (must && !(s && ospf_neighbor_is_full(
                          s->ospf, ta->id,
                          ntohl(addr_get_ip4(&way->addr))))) {
            return ROUTE_WHY_NOT_FULL;
        }
    }
    return ROUTE_WHY_ALIVE;
}

bool
ways_judge(struct engine_net *net)
{
    bool changed = false;

    for (size_t i = 0; i < net->n_ways; i++) {
        struct engine_way *way = net->ways[i];
        enum route_why why = judge(net, way);

        if (why != way->why) {
            struct way_state state = {
                .attachment = way->pl.attachment,
                .next_hop = way->pl.next_hop,
                .addr = way->addr,
                .why = why,
                .peer_mac = way->mac,
            };
            bool alive = why == ROUTE_WHY_ALIVE;

            route_net_set_way(net->routes, &state);
            way->why = why;
            if (alive != way->alive) {
                way->alive = alive;
                way->changed = true;
            }
            changed = true;
        }
    }
    return changed;
}

/* The local flows of a way depend on the other ways of its attachment (two may
 * have the same peer), and on the attachment's port. */
void
ways_spread_changes(struct engine_net *net)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        net->ways[i]->changed |= net->atts[net->ways[i]->pl.attachment]
                                     .changed;
    }
    for (size_t i = 0; i < net->n_ways; ) {
        uint32_t id = net->ways[i]->attachment_id;
        bool changed = false;
        size_t j;

        for (j = i; j < net->n_ways && net->ways[j]->attachment_id == id;
             j++) {
            changed |= net->ways[j]->changed;
        }
        for (; i < j; i++) {
            net->ways[i]->changed = changed;
        }
    }
}

/* ARP. */

static bool
can_ask(const struct engine_net *net, const struct engine_way *way)
{
    const struct engine_att *att = &net->atts[way->pl.attachment];

    return (att->host && att->host->connected && att->ofport && att->up
            && way->arp != ARP_NONE);
}

static void
ask(struct engine_net *net, const struct engine_way *way,
    struct engine_out *out)
{
    const struct topo_attachment *ta
        = &net->topo->attachments[way->pl.attachment];
    const struct engine_att *att = &net->atts[way->pl.attachment];
    struct engine_action *a = engine_action(out, ENGINE_PACKET_OUT,
                                            att->host->name);
    struct eth_addr dst = (way->arp == ARP_PROBING ? way->mac
                           : eth_addr_broadcast);

    a->packet = frame_compose_arp(ARP_OP_REQUEST, dst, ta->mac,
                                  addr_get_ip4(&ta->address), eth_addr_zero,
                                  addr_get_ip4(&way->addr));
    a->ofpacts = ofpbuf_new(64);
    pl_actions_attachment(a->ofpacts, ta, att->ofport);
}

static void
way_arp(struct engine_net *net, struct engine_way *way, long long int now,
        struct engine_out *out)
{
    switch (way->arp) {
    case ARP_KNOWN:
        way->arp = ARP_PROBING;
        way->arp_tries = 0;
        break;
    case ARP_PROBING:
        if (way->arp_tries >= ARP_TRIES) {
            way->arp = ARP_ASKING;
            way->arp_tries = 0;
            way->changed = true;
            net->touched = net->state_due = true;
        }
        break;
    case ARP_NONE:
    case ARP_ASKING:
        break;
    }
    ask(net, way, out);
    way->arp_tries++;
    way->arp_next_ms = now + (way->arp_tries > ARP_TRIES ? ARP_SLOW_MS
                              : ARP_RETRY_MS);
}

void
ways_arp(struct engine_net *net, long long int now, struct engine_out *out)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        struct engine_way *way = net->ways[i];

        if (can_ask(net, way) && now >= way->arp_next_ms) {
            way_arp(net, way, now, out);
        }
    }
}

long long int
ways_next_wake(const struct engine_net *net)
{
    long long int wake = LLONG_MAX;

    for (size_t i = 0; i < net->n_ways; i++) {
        if (can_ask(net, net->ways[i])) {
            wake = MIN(wake, net->ways[i]->arp_next_ms);
        }
    }
    return wake;
}

/* 'ip' spoke on 'attachment', with source address 'mac'. */
void
ways_heard(struct engine_net *net, size_t attachment, ovs_be32 ip,
           struct eth_addr mac, long long int now)
{
    struct engine_att *att = &net->atts[attachment];
    struct in6_addr addr = addr_from_ip4(ip);
    struct in6_addr key = route_way_key(net->topo, attachment, &addr);
    struct engine_way *way = ways_find(
        net, net->topo->attachments[attachment].id, &key);
    size_t i, n = MIN(att->n_heard, ARRAY_SIZE(att->heard));

    if (eth_addr_is_multicast(mac) || eth_addr_is_zero(mac)) {
        return;
    }
    for (i = 0; i < n && att->heard[i].ip != ip; i++) {
        continue;
    }
    if (i == n) {
        i = att->n_heard++ % ARRAY_SIZE(att->heard);
    }
    att->heard[i].ip = ip;
    att->heard[i].mac = mac;

    if (way && ipv6_addr_equals(&way->addr, &addr)) {
        bool known = way->arp == ARP_KNOWN || way->arp == ARP_PROBING;

        if (!known || !eth_addr_equals(way->mac, mac)) {
            way->mac = mac;
            way->changed = true;
            net->touched = net->state_due = true;
        }
        way->arp = ARP_KNOWN;
        way->arp_tries = 0;
        way->arp_next_ms = now + ARP_REFRESH_MS;
    }
}

/* The MAC address of a peer, whether it is a way or not. */
bool
ways_mac(const struct engine_net *net, size_t attachment, ovs_be32 ip,
         struct eth_addr *mac)
{
    struct in6_addr addr = addr_from_ip4(ip);
    struct in6_addr key = route_way_key(net->topo, attachment, &addr);
    const struct engine_way *way = ways_find(
        net, net->topo->attachments[attachment].id, &key);

    if (way && (way->arp == ARP_KNOWN || way->arp == ARP_PROBING)
        && ipv6_addr_equals(&way->addr, &addr)) {
        *mac = way->mac;
        return true;
    }
    return get_heard(&net->atts[attachment], ip, mac);
}

/* A way as it was before a restart: its MAC address holds until it is asked,
 * which is soon. */
void
ways_restore(struct engine_net *net, uint32_t attachment_id,
             const struct in6_addr *addr, struct eth_addr mac,
             long long int now)
{
    size_t a = net_attachment_by_id(net->topo, attachment_id);

    if (a == SIZE_MAX || !addr_is_v4(addr)) {
        return;
    }
    struct in6_addr key = route_way_key(net->topo, a, addr);
    struct engine_way *way = ways_find(net, attachment_id, &key);
    if (!way) {
        way = way_create(net, a, &key);
        add_way(net, way);
        qsort(net->ways, net->n_ways, sizeof *net->ways, compare_ways);
    }
    way->addr = *addr;
    way->mac = mac;
    way->arp = ARP_KNOWN;
    way->arp_next_ms = now + ARP_RETRY_MS;
}
