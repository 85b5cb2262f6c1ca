/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "controller/engine/frames.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

static uint32_t
host_ip4(const struct in6_addr *addr)
{
    return ntohl(addr_get_ip4(addr));
}

static struct in6_addr
addr_from_host_ip4(uint32_t ip)
{
    return addr_from_ip4(htonl(ip));
}

static struct engine_speaker *
find_by_key(const struct engine_net *net, uint32_t key)
{
    for (size_t i = 0; i < net->n_speakers; i++) {
        if (net->speakers[i].key == key) {
            return &net->speakers[i];
        }
    }
    return NULL;
}

/* The speaker of an attachment, NULL if there is no OSPF on it. */
struct engine_speaker *
speakers_find(const struct engine_net *net, size_t attachment)
{
    const struct topo_attachment *ta = &net->topo->attachments[attachment];
    const struct topo_router *tr = &net->topo->routers[ta->router];

    return (!ta->has_ospf ? NULL
            : find_by_key(net, tr->transit ? tr->id : ta->id));
}

void
speakers_destroy(struct engine_net *net)
{
    for (size_t i = 0; i < net->n_speakers; i++) {
        ospf_destroy(net->speakers[i].ospf);
    }
    free(net->speakers);
    net->speakers = NULL;
    net->n_speakers = 0;
}

/* What comes out of OSPF. */

/* LSAs on their way over wires, in order. */
struct wire_queue {
    struct wire_msg {
        uint32_t from;          /* Speaker's key. */
        uint32_t wire;
        struct ospf_lsa *lsa;
    } *msgs;
    size_t n, allocated;
};

struct sending {
    struct engine_out *out;
    const struct topo_attachment *ta;
    const struct engine_att *att;
};

static void
send_frame(struct ofpbuf *frame, void *s_)
{
    const struct sending *s = s_;
    struct engine_action *a = engine_action(s->out, ENGINE_PACKET_OUT,
                                            s->att->host->name);

    a->packet = frame;
    a->ofpacts = ofpbuf_new(64);
    pl_actions_attachment(a->ofpacts, s->ta, s->att->ofport);
}

static void
send_packet(struct engine_net *net, const struct ospf_action *action,
            struct engine_out *out)
{
    size_t a = net_attachment_by_id(net->topo, action->send.iface);
    struct eth_addr dst;

    if (a == SIZE_MAX) {
        return;
    }
    struct sending s = { out, &net->topo->attachments[a], &net->atts[a] };
    ovs_be32 ip = htonl(action->send.dst);
    if (!s.att->host || !s.att->host->connected || !s.att->ofport) {
        return;
    }
    if (ip_is_multicast(ip)) {
        dst = frame_multicast_mac(ip);
    } else if (!ways_mac(net, a, ip, &dst)) {
        return;                 /* It will be retransmitted. */
    }
    frame_compose_ospf(action->send.data, action->send.len, s.ta->mtu,
                       ++net->engine->ip_id, s.ta->mac, dst,
                       htonl(action->send.src), ip, send_frame, &s);
}

static void
log_event(struct engine_net *net, const struct engine_speaker *s,
          const struct ospf_event *ev, struct engine_out *out)
{
    size_t a = net_attachment_by_id(net->topo, ev->iface);
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "%s: router %s", net->key,
                  net->topo->routers[s->router].name);
    if (a != SIZE_MAX) {
        ds_put_format(&ds, ", attachment %s",
                      net->topo->attachments[a].name);
    }
    if (ev->router_id) {
        ds_put_format(&ds, ", neighbor "IP_FMT,
                      IP_ARGS(htonl(ev->router_id)));
    }
    if (ev->from && ev->to) {
        ds_put_format(&ds, ": %s -> %s", ev->from, ev->to);
    }
    if (ev->reason && *ev->reason) {
        ds_put_format(&ds, ": %s", ev->reason);
    }
    engine_log(out, ev->type == OSPF_EVENT_MISMATCH, "%s", ds_cstr(&ds));
    ds_destroy(&ds);
}

/* Carries out what 'o' asks for; LSAs for siblings are queued. */
static void
take_actions(struct engine_net *net, const struct engine_speaker *s,
             struct ospf_out *o, struct wire_queue *q, struct engine_out *out)
{
    for (size_t i = 0; i < o->n; i++) {
        const struct ospf_action *a = &o->actions[i];

        switch (a->type) {
        case OSPF_ACTION_SEND:
            send_packet(net, a, out);
            break;
        case OSPF_ACTION_WIRE:
            if (q->n >= q->allocated) {
                q->msgs = x2nrealloc(q->msgs, &q->allocated, sizeof *q->msgs);
            }
            q->msgs[q->n++] = (struct wire_msg) {
                s->key, a->wire.wire, lsa_ref(a->wire.lsa)
            };
            break;
        case OSPF_ACTION_EVENT:
            if (a->event.type == OSPF_EVENT_NEIGHBOR) {
                net->state_due = true;
            }
            log_event(net, s, &a->event, out);
            break;
        }
    }
    if (o->n || ospf_dirty(s->ospf)) {
        net->touched = true;
    }
    ospf_out_clear(o);
}

static struct engine_speaker *
far_end(const struct engine_net *net, const struct engine_speaker *from,
        uint32_t wire)
{
    for (size_t i = 0; i < net->topo->n_links; i++) {
        const struct topo_link *link = &net->topo->links[i];

        if (link->id == wire) {
            size_t far = link->router[link->router[0] == from->router];
            return find_by_key(net, net->topo->routers[far].id);
        }
    }
    return NULL;
}

/* Carries out everything that follows from one call into 's'. */
static void
finish(struct engine_net *net, const struct engine_speaker *s,
       struct ospf_out *o, long long int now, struct engine_out *out)
{
    struct wire_queue q = { NULL, 0, 0 };

    take_actions(net, s, o, &q, out);
    for (size_t i = 0; i < q.n; i++) {
        struct wire_msg m = q.msgs[i];
        const struct engine_speaker *from = find_by_key(net, m.from);
        const struct engine_speaker *to = from ? far_end(net, from, m.wire)
                                               : NULL;
        if (to) {
            ospf_wire_receive(to->ospf, m.wire, m.lsa, now, o);
            take_actions(net, to, o, &q, out);
        }
        lsa_unref(m.lsa);
    }
    free(q.msgs);
    ospf_out_uninit(o);
}

/* Configuration. */

struct lists {
    struct ospf_iface_config *ifaces;
    struct ospf_stub_config *stubs;
    struct ospf_wire_config *wires;
    uint32_t *family;
    size_t n_ifaces, n_stubs, allocated_stubs, n_wires, n_family;
};

static void
add_iface(struct lists *l, const struct topo_attachment *ta)
{
    l->ifaces[l->n_ifaces++] = (struct ospf_iface_config) {
        .id = ta->id,
        .name = ta->name,
        .address = host_ip4(&ta->address),
        .plen = ta->plen - 96,
        .type = ta->ospf.type == TOPO_P2P ? OSPF_P2P : OSPF_BROADCAST,
        .cost = ta->cost,
        .hello_interval = ta->ospf.hello_interval,
        .dead_interval = ta->ospf.dead_interval,
        .priority = ta->ospf.priority,
        .mtu = ta->mtu,
    };
}

static void
add_stub(struct lists *l, const struct prefix *prefix, uint32_t cost)
{
    uint32_t ip = ntohl(prefix_get_ip4(prefix));
    uint8_t plen = prefix_length(prefix);

    cost = MIN(cost, UINT16_MAX);
    for (size_t i = 0; i < l->n_stubs; i++) {
        struct ospf_stub_config *s = &l->stubs[i];

        if (s->prefix == ip && s->plen == plen) {
            s->cost = MIN(s->cost, cost);
            return;
        }
    }
    if (l->n_stubs >= l->allocated_stubs) {
        l->stubs = x2nrealloc(l->stubs, &l->allocated_stubs,
                              sizeof *l->stubs);
    }
    l->stubs[l->n_stubs++] = (struct ospf_stub_config) { ip, plen, cost };
}

/* What nodes on 'subnet' have besides their addresses in it. */
static void
add_further(struct lists *l, const struct topo_network *topo, size_t subnet,
            uint32_t cost)
{
    for (size_t i = 0; i < topo->n_nodes; i++) {
        const struct topo_node *tn = &topo->nodes[i];

        for (size_t j = 0; tn->subnet == subnet && j < tn->n_addresses; j++) {
            if (!prefix_contains_prefix(&topo->subnets[subnet].prefix,
                                        &tn->addresses[j])) {
                add_stub(l, &tn->addresses[j], cost);
            }
        }
    }
}

/* Subnets of this router and, where the LSDB can't show the way over a link
 * (one end gives no transit and so has no wire), of those behind links. */
static void
add_subnets(struct lists *l, const struct topo_network *topo, size_t router)
{
    uint32_t *dist = xmalloc(topo->n_routers * sizeof *dist);
    size_t *next = xmalloc(topo->n_routers * sizeof *next);

    topo_link_distances(topo, router, dist, next);
    for (size_t i = 0; i < topo->n_interfaces; i++) {
        const struct topo_interface *ti = &topo->interfaces[i];
        bool hidden = (!topo->routers[router].transit
                       || !topo->routers[ti->router].transit);

        if (ti->router == router
            || (hidden && dist[ti->router] != UINT32_MAX)) {
            uint32_t cost = ti->cost + dist[ti->router];

            add_stub(l, &topo->subnets[ti->subnet].prefix, cost);
            add_further(l, topo, ti->subnet, cost);
        }
    }
    free(dist);
    free(next);
}

static void
configure(struct engine_net *net, const struct engine_speaker *s,
          long long int now, struct ospf_out *o)
{
    const struct topo_network *topo = net->topo;
    const struct topo_router *tr = &topo->routers[s->router];
    struct lists l = {
        .ifaces = xcalloc(topo->n_attachments, sizeof *l.ifaces),
        .wires = xcalloc(topo->n_links, sizeof *l.wires),
        .family = xcalloc(topo->n_routers, sizeof *l.family),
    };
    uint32_t area = 0;

    add_subnets(&l, topo, s->router);
    for (size_t i = 0; i < tr->n_attachments; i++) {
        size_t a = tr->attachments[i];
        const struct topo_attachment *ta = &topo->attachments[a];

        if (s->attachment != SIZE_MAX && s->attachment != a) {
            continue;
        }
        if (ta->has_ospf) {
            add_iface(&l, ta);
            area = ta->ospf.area;
        } else {
            struct prefix p = prefix_from_addr(&ta->address, ta->plen - 96);
            add_stub(&l, &p, ta->cost);
        }
    }
    for (size_t i = 0; s->attachment == SIZE_MAX && i < tr->n_links; i++) {
        const struct topo_link *link = &topo->links[tr->links[i]];
        int end = link->router[0] == s->router ? 0 : 1;
        const struct topo_router *far = &topo->routers[link->router[!end]];

        if (far->transit) {
            l.wires[l.n_wires++] = (struct ospf_wire_config) {
                link->id, far->router_id, link->cost[end]
            };
            area = link->area;
        }
    }
    for (size_t i = 0; i < topo->n_routers; i++) {
        if (topo->routers[i].transit) {
            l.family[l.n_family++] = topo->routers[i].router_id;
        }
    }

    struct ospf_config config = {
        .router_id = tr->router_id, .area = area,
        .ifaces = l.ifaces, .n_ifaces = l.n_ifaces,
        .stubs = l.stubs, .n_stubs = l.n_stubs,
        .wires = l.wires, .n_wires = l.n_wires,
        .family = l.family, .n_family = s->attachment == SIZE_MAX
                                        ? l.n_family : 0,
    };
    ospf_configure(s->ospf, &config, now, o);
    free(l.ifaces);
    free(l.stubs);
    free(l.wires);
    free(l.family);
}

static void
add_speaker(struct engine_net *net, struct engine_speaker **old, size_t n_old,
            size_t router, size_t attachment, uint32_t key)
{
    struct engine_speaker s = {
        .router = router, .attachment = attachment, .key = key,
    };

    for (size_t i = 0; i < n_old; i++) {
        if ((*old)[i].ospf && (*old)[i].key == key
            && ((*old)[i].attachment == SIZE_MAX) == (attachment == SIZE_MAX)) {
            s.ospf = (*old)[i].ospf;
            (*old)[i].ospf = NULL;
        }
    }
    if (!s.ospf) {
        s.ospf = ospf_create();
        s.fresh = true;
    }
    net->speakers = xrealloc(net->speakers, (net->n_speakers + 1)
                             * sizeof *net->speakers);
    net->speakers[net->n_speakers++] = s;
}

static bool
has_ospf(const struct topo_network *topo)
{
    for (size_t i = 0; i < topo->n_attachments; i++) {
        if (topo->attachments[i].has_ospf) {
            return true;
        }
    }
    return false;
}

static void
goodbye(struct engine_net *net, struct ospf *ospf, long long int now,
        struct engine_out *out)
{
    struct ospf_out o = OSPF_OUT_INIT;

    ospf_shutdown(ospf, now, &o);
    for (size_t i = 0; i < o.n; i++) {
        if (o.actions[i].type == OSPF_ACTION_SEND) {
            send_packet(net, &o.actions[i], out);
        }
    }
    ospf_out_uninit(&o);
}

void
speakers_goodbye(struct engine_net *net, long long int now,
                 struct engine_out *out)
{
    for (size_t i = 0; i < net->n_speakers; i++) {
        goodbye(net, net->speakers[i].ospf, now, out);
    }
}

/* What 's', which is gone, learned, is not known any more. */
static void
forget_rib(struct engine_net *net, const struct engine_speaker *s)
{
    const struct topo_network *topo = net->topo;

    for (size_t i = 0; s->attachment == SIZE_MAX && i < topo->n_routers; i++) {
        if (topo->routers[i].id == s->key) {
            route_net_set_rib(net->routes, i, ROUTE_NONE, NULL, NULL, 0);
        }
    }
    if (s->attachment != SIZE_MAX) {
        size_t a = net_attachment_by_id(topo, s->key);

        if (a != SIZE_MAX) {
            route_net_set_rib(net->routes, topo->attachments[a].router, a,
                              NULL, NULL, 0);
        }
    }
}

/* Makes interfaces that are new, or at another port, wait until they are told
 * that their port is up. */
static void
reset_ports(struct engine_net *net, long long int now, struct engine_out *out)
{
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        const struct engine_speaker *s = speakers_find(net, i);
        struct engine_att *att = &net->atts[i];

        if (!s || s->fresh) {
            att->told_up = false;
        } else if (att->moved && att->told_up) {
            struct ospf_out o = OSPF_OUT_INIT;

            ospf_iface_down(s->ospf, net->topo->attachments[i].id, now, &o);
            finish(net, s, &o, now, out);
            att->told_up = false;
        }
    }
}

/* Makes the speakers those of the topology.  A network without OSPF has none;
 * otherwise each router with transit has one, also without attachments, since
 * others' LSAs pass through it. */
void
speakers_configure(struct engine_net *net, long long int now,
                   struct engine_out *out)
{
    const struct topo_network *topo = net->topo;
    struct engine_speaker *old = net->speakers;
    size_t n_old = net->n_speakers;

    net->speakers = NULL;
    net->n_speakers = 0;
    for (size_t r = 0; has_ospf(topo) && r < topo->n_routers; r++) {
        const struct topo_router *tr = &topo->routers[r];

        if (tr->transit) {
            add_speaker(net, &old, n_old, r, SIZE_MAX, tr->id);
            continue;
        }
        for (size_t i = 0; i < tr->n_attachments; i++) {
            const struct topo_attachment *ta
                = &topo->attachments[tr->attachments[i]];

            if (ta->has_ospf) {
                add_speaker(net, &old, n_old, r, tr->attachments[i], ta->id);
            }
        }
    }

    /* Good-bye from those that are gone.  Their attachments may be gone, too;
     * then it reaches nobody and their LSAs age away. */
    for (size_t i = 0; i < n_old; i++) {
        if (old[i].ospf) {
            goodbye(net, old[i].ospf, now, out);
            ospf_destroy(old[i].ospf);
            forget_rib(net, &old[i]);
        }
    }
    free(old);

    /* First everybody gets the configuration, then what is known crosses the
     * wires. */
    struct ospf_out *outs = xcalloc(net->n_speakers, sizeof *outs);
    for (size_t i = 0; i < net->n_speakers; i++) {
        configure(net, &net->speakers[i], now, &outs[i]);
    }
    for (size_t i = 0; i < net->n_speakers; i++) {
        finish(net, &net->speakers[i], &outs[i], now, out);
    }
    free(outs);
    for (size_t i = 0; i < topo->n_links; i++) {
        for (int end = 0; end < 2; end++) {
            size_t r = topo->links[i].router[end];
            size_t far = topo->links[i].router[!end];
            const struct engine_speaker *s
                = find_by_key(net, topo->routers[r].id);
            const struct engine_speaker *t
                = find_by_key(net, topo->routers[far].id);

            if (s && t && t->fresh && !s->fresh) {
                struct ospf_out o = OSPF_OUT_INIT;
                ospf_wire_resync(s->ospf, topo->links[i].id, now, &o);
                finish(net, s, &o, now, out);
            }
        }
    }
    reset_ports(net, now, out);
    for (size_t i = 0; i < net->n_speakers; i++) {
        net->speakers[i].fresh = false;
    }
}

/* Events. */

/* Tells interfaces that their ports came or went. */
void
speakers_ports(struct engine_net *net, long long int now,
               struct engine_out *out)
{
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        struct engine_speaker *s = speakers_find(net, i);
        struct engine_att *att = &net->atts[i];
        bool up = att->ofport && att->up && !att->host_lost;

        if (s && up != att->told_up) {
            struct ospf_out o = OSPF_OUT_INIT;

            att->told_up = up;
            (up ? ospf_iface_up : ospf_iface_down)(
                s->ospf, net->topo->attachments[i].id, now, &o);
            finish(net, s, &o, now, out);
        }
    }
}

void
speakers_bfd_down(struct engine_net *net, size_t attachment,
                  long long int now, struct engine_out *out)
{
    struct engine_speaker *s = speakers_find(net, attachment);
    uint32_t iface = net->topo->attachments[attachment].id;
    struct ospf_nbr_info nbr;

    /* Each call may remove a neighbour, so collect them first. */
    uint32_t ids[16];
    size_t n = 0;
    while (s && n < ARRAY_SIZE(ids)
           && ospf_neighbor_get(s->ospf, iface, n, &nbr)) {
        ids[n++] = nbr.router_id;
    }
    for (size_t i = 0; i < n; i++) {
        struct ospf_out o = OSPF_OUT_INIT;

        ospf_neighbor_down(s->ospf, iface, ids[i], "BFD session down", now,
                           &o);
        finish(net, s, &o, now, out);
    }
}

void
speakers_run(struct engine_net *net, long long int now, struct engine_out *out)
{
    for (size_t i = 0; i < net->n_speakers; i++) {
        if (ospf_next_wake(net->speakers[i].ospf) <= now) {
            struct ospf_out o = OSPF_OUT_INIT;

            ospf_run(net->speakers[i].ospf, now, &o);
            finish(net, &net->speakers[i], &o, now, out);
        }
    }
}

long long int
speakers_next_wake(const struct engine_net *net)
{
    long long int wake = LLONG_MAX;

    for (size_t i = 0; i < net->n_speakers; i++) {
        wake = MIN(wake, ospf_next_wake(net->speakers[i].ospf));
    }
    return wake;
}

void
speakers_receive(struct engine_net *net, size_t attachment,
                 const struct ospf_rx *rx, long long int now,
                 struct engine_out *out)
{
    struct engine_speaker *s = speakers_find(net, attachment);

    if (s) {
        struct ospf_out o = OSPF_OUT_INIT;

        ospf_receive(s->ospf, rx, now, &o);
        finish(net, s, &o, now, out);
    }
}

/* Results. */

/* Neighbours that could be loop-free alternates for 's': its own and its
 * siblings'. */
static size_t
collect_neighbors(const struct engine_net *net, const struct engine_speaker *s,
                  struct route_neighbor **neighbors)
{
    size_t n = 0, allocated = 0;

    *neighbors = NULL;
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        const struct engine_speaker *t = speakers_find(net, i);
        uint32_t iface = net->topo->attachments[i].id;
        struct ospf_nbr_info nbr;

        if (!t || (s->attachment != SIZE_MAX ? t != s
                   : t->attachment != SIZE_MAX)) {
            continue;
        }
        for (size_t j = 0; ospf_neighbor_get(t->ospf, iface, j, &nbr); j++) {
            if (nbr.state != NSM_FULL && !nbr.stale) {
                continue;
            }
            if (n >= allocated) {
                *neighbors = x2nrealloc(*neighbors, &allocated,
                                        sizeof **neighbors);
            }
            (*neighbors)[n++] = (struct route_neighbor) {
                .router_id = nbr.router_id,
                .attachment = i,
                .addr = addr_from_host_ip4(nbr.address),
                .rib = ospf_rib_from(s->ospf, nbr.router_id),
            };
        }
    }
    return n;
}

bool
speakers_ribs(struct engine_net *net, long long int now)
{
    bool changed = false;

    for (size_t i = 0; i < net->n_speakers; i++) {
        struct engine_speaker *s = &net->speakers[i];
        struct route_neighbor *neighbors;

        if (!ospf_dirty(s->ospf) && s->told) {
            continue;
        }
        const struct ospf_rib *rib = ospf_run_spf(s->ospf, now);
        size_t n = collect_neighbors(net, s, &neighbors);

        route_net_set_rib(net->routes, s->router,
                          s->attachment == SIZE_MAX ? ROUTE_NONE
                                                    : s->attachment,
                          rib, neighbors, n);
        for (size_t j = 0; j < n; j++) {
            ospf_rib_destroy(CONST_CAST(struct ospf_rib *, neighbors[j].rib));
        }
        free(neighbors);
        s->told = true;
        net->state_due = changed = true;
    }
    return changed;
}

/* Gives the router's speaker what it shall advertise.  A router without
 * transit advertises no destinations: what came for them by an attachment would
 * have to leave by another. */
void
speakers_adverts(struct engine_net *net, size_t router, long long int now,
                 struct engine_out *out)
{
    const struct topo_router *tr = &net->topo->routers[router];
    const struct engine_speaker *s = find_by_key(net, tr->id);
    size_t n;

    if (!tr->transit || !s) {
        return;
    }
    const struct route_advert *adverts = route_net_adverts(net->routes,
                                                           router, &n);
    struct ospf_external_config *ext = xcalloc(n, sizeof *ext);
    for (size_t i = 0; i < n; i++) {
        ext[i] = (struct ospf_external_config) {
            .prefix = ntohl(prefix_get_ip4(&adverts[i].prefix)),
            .plen = prefix_length(&adverts[i].prefix),
            .e2 = adverts[i].e2,
            .metric = adverts[i].metric,
            .forwarding = (ipv6_addr_is_set(&adverts[i].forwarding)
                           ? host_ip4(&adverts[i].forwarding) : 0),
        };
    }

    struct ospf_out o = OSPF_OUT_INIT;
    ospf_set_externals(s->ospf, ext, n, now, &o);
    finish(net, s, &o, now, out);
    free(ext);
}
