/* SPDX-License-Identifier: Apache-2.0 */

/* Interfaces: their state machine, Hello, and the election of the designated
 * router (RFC 2328 sections 9 and 10.5). */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "openvswitch/util.h"
#include "util.h"

struct iface *
ism_create(const struct ospf_iface_config *cfg)
{
    struct iface *iface = xzalloc(sizeof *iface);

    iface->cfg = *cfg;
    iface->cfg.name = xstrdup(cfg->name ? cfg->name : "?");
    iface->state = ISM_DOWN;
    ovs_list_init(&iface->nbrs);
    iface->hello_ms = iface->wait_ms = iface->ack_ms = NEVER;
    return iface;
}

/* Without any action: use ism_stop() first to tell. */
void
ism_destroy(struct iface *iface)
{
    struct nbr *nbr;

    LIST_FOR_EACH_SAFE (nbr, list_node, &iface->nbrs) {
        nsm_destroy(nbr);
    }
    lsa_vec_destroy(&iface->flood);
    lsa_vec_destroy(&iface->acks);
    free(CONST_CAST(char *, iface->cfg.name));
    free(iface);
}

uint32_t
ism_mask(const struct iface *iface)
{
    return iface->cfg.plen ? UINT32_MAX << (32 - iface->cfg.plen) : 0;
}

static void
set_state(const struct step *s, struct iface *iface,
          enum ospf_iface_state new, const char *reason)
{
    enum ospf_iface_state old = iface->state;

    if (old == new) {
        return;
    }
    iface->state = new;
    s->o->own_dirty = true;
    ospf_event_put(s, OSPF_EVENT_IFACE, iface, NULL,
                   ospf_iface_state_string(old), ospf_iface_state_string(new),
                   "%s", reason);
}

void
ism_send_hello(const struct step *s, struct iface *iface)
{
    struct ofpbuf *b = ofpbuf_new(128);
    bool bcast = iface->cfg.type == OSPF_BROADCAST;
    struct nbr *nbr;

    packet_begin(b, PKT_HELLO, s->o->router_id, s->o->area.id);
    put_u32(b, ism_mask(iface));
    put_u16(b, iface->cfg.hello_interval);
    put_u8(b, OSPF_OPTIONS);
    put_u8(b, iface->cfg.priority);
    put_u32(b, iface->cfg.dead_interval);
    put_u32(b, bcast ? iface->dr : 0);
    put_u32(b, bcast ? iface->bdr : 0);
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        put_u32(b, nbr->router_id);
    }
    packet_end(b);
    ospf_send(s, iface, OSPF_ALL_ROUTERS, PKT_HELLO, b);
}

/* Event InterfaceUp. */
void
ism_start(const struct step *s, struct iface *iface)
{
    if (iface->cfg.type == OSPF_P2P) {
        set_state(s, iface, ISM_P2P, "InterfaceUp");
    } else if (iface->restored) {
        set_state(s, iface,
                  iface->dr == iface->cfg.address ? ISM_DR
                  : iface->bdr == iface->cfg.address ? ISM_BACKUP
                  : ISM_DROTHER, "restored");
    } else if (!iface->cfg.priority) {
        set_state(s, iface, ISM_DROTHER, "InterfaceUp");
    } else {
        set_state(s, iface, ISM_WAITING, "InterfaceUp");
        iface->wait_ms = s->now + iface->cfg.dead_interval * 1000LL;
    }
    iface->hello_ms = s->now + iface->cfg.hello_interval * 1000LL;
    ism_send_hello(s, iface);
}

/* Event InterfaceDown. */
void
ism_stop(const struct step *s, struct iface *iface, const char *reason)
{
    struct nbr *nbr;

    LIST_FOR_EACH_SAFE (nbr, list_node, &iface->nbrs) {
        nsm_event(s, nbr, NSM_LL_DOWN, reason);
    }
    set_state(s, iface, ISM_DOWN, reason);
    iface->dr = iface->bdr = iface->dr_router_id = 0;
    iface->restored = iface->election_due = false;
    iface->hello_ms = iface->wait_ms = iface->ack_ms = NEVER;
    lsa_vec_clear(&iface->flood);
    lsa_vec_clear(&iface->acks);
    memset(iface->diagnoses, 0, sizeof iface->diagnoses);
}

/* Election of DR and Backup (section 9.4). */

struct candidate {
    uint32_t router_id, address;
    uint32_t dr, bdr;           /* What it declares, addresses. */
    uint8_t priority;
};

static const struct candidate *
better(const struct candidate *a, const struct candidate *b)
{
    return (!a ? b
            : a->priority != b->priority ? (a->priority > b->priority ? a : b)
            : a->router_id > b->router_id ? a : b);
}

/* Steps (2) and (3). */
static void
elect_once(const struct candidate *c, size_t n, uint32_t *dr, uint32_t *bdr)
{
    const struct candidate *best_dr = NULL, *best_bdr = NULL, *any = NULL;

    for (size_t i = 0; i < n; i++) {
        if (c[i].dr == c[i].address) {
            best_dr = better(best_dr, &c[i]);
            continue;
        }
        if (c[i].bdr == c[i].address) {
            best_bdr = better(best_bdr, &c[i]);
        }
        any = better(any, &c[i]);
    }
    if (!best_bdr) {
        best_bdr = any;
    }
    *bdr = best_bdr ? best_bdr->address : 0;
    *dr = best_dr ? best_dr->address : *bdr;
}

/* candidates[0] is ourselves if our priority is not 0. */
static struct candidate *
list_candidates(const struct step *s, const struct iface *iface, size_t *np)
{
    struct candidate *c
        = xmalloc((ovs_list_size(&iface->nbrs) + 1) * sizeof *c);
    size_t n = 0;

    if (iface->cfg.priority) {
        c[n++] = (struct candidate) {
            .router_id = s->o->router_id, .address = iface->cfg.address,
            .dr = iface->dr, .bdr = iface->bdr,
            .priority = iface->cfg.priority,
        };
    }
    const struct nbr *nbr;
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        if (nbr->priority && (nbr->state >= NSM_2WAY || nbr->stale)) {
            c[n++] = (struct candidate) {
                .router_id = nbr->router_id, .address = nbr->address,
                .dr = nbr->dr, .bdr = nbr->bdr, .priority = nbr->priority,
            };
        }
    }
    *np = n;
    return c;
}

static uint32_t
router_id_of(const struct step *s, const struct iface *iface, uint32_t address)
{
    if (address == iface->cfg.address) {
        return s->o->router_id;
    }
    const struct nbr *nbr = address ? nsm_find_address(iface, address) : NULL;
    return nbr ? nbr->router_id : 0;
}

static void
elect(const struct step *s, struct iface *iface, const char *reason)
{
    uint32_t own = iface->cfg.address;
    uint32_t old_dr = iface->dr, old_bdr = iface->bdr;
    uint32_t dr, bdr;
    size_t n;

    struct candidate *c = list_candidates(s, iface, &n);
    elect_once(c, n, &dr, &bdr);
    if ((dr == own) != (old_dr == own) || (bdr == own) != (old_bdr == own)) {
        /* Step (4): once more with what we now declare. */
        if (iface->cfg.priority) {
            c[0].dr = dr;
            c[0].bdr = bdr;
        }
        elect_once(c, n, &dr, &bdr);
    }
    free(c);

    iface->dr = dr;
    iface->bdr = bdr;
    uint32_t dr_router_id = router_id_of(s, iface, dr);
    if (dr_router_id != iface->dr_router_id) {
        iface->dr_router_id = dr_router_id;
        s->o->own_dirty = true;
    }
    iface->wait_ms = NEVER;
    set_state(s, iface, dr == own ? ISM_DR : bdr == own ? ISM_BACKUP
              : ISM_DROTHER, reason);

    if (dr != old_dr || bdr != old_bdr) {
        struct nbr *nbr;

        s->o->own_dirty = true;
        LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
            nsm_event(s, nbr, NSM_ADJ_OK, "the designated routers changed");
        }
        /* Tell at once rather than at the next Hello. */
        ism_send_hello(s, iface);
    }
}

/* Event NeighborChange. */
void
ism_neighbor_change(const struct step *s, struct iface *iface)
{
    iface->election_due = false;
    if (iface->cfg.type == OSPF_BROADCAST
        && (iface->state == ISM_DROTHER || iface->state == ISM_BACKUP
            || iface->state == ISM_DR)) {
        elect(s, iface, "NeighborChange");
    }
}

/* Hello received (section 10.5). */

static enum ospf_drop
check_hello(const struct iface *iface, const struct packet *p,
            uint32_t *ours, uint32_t *theirs)
{
    if (iface->cfg.type == OSPF_BROADCAST
        && p->hello.mask != ism_mask(iface)) {
        *ours = ism_mask(iface);
        *theirs = p->hello.mask;
        return OSPF_DROP_MASK;
    }
    if (p->hello.hello_interval != iface->cfg.hello_interval) {
        *ours = iface->cfg.hello_interval;
        *theirs = p->hello.hello_interval;
        return OSPF_DROP_HELLO_INTERVAL;
    }
    if (p->hello.dead_interval != iface->cfg.dead_interval) {
        *ours = iface->cfg.dead_interval;
        *theirs = p->hello.dead_interval;
        return OSPF_DROP_DEAD_INTERVAL;
    }
    if (!(p->hello.options & OPTION_E)) {
        *ours = 1;
        *theirs = 0;
        return OSPF_DROP_E_BIT;
    }
    return OSPF_N_DROPS;
}

/* Finds the neighbour that a Hello comes from, or makes it.  NULL if there
 * is no place for it. */
static struct nbr *
hello_neighbor(const struct step *s, struct iface *iface,
               const struct ospf_rx *rx, const struct packet *p, bool *is_new)
{
    bool p2p = iface->cfg.type == OSPF_P2P;
    struct nbr *nbr = (p2p ? nsm_find(iface, p->router_id)
                       : nsm_find_address(iface, rx->src));

    *is_new = false;
    if (nbr && nbr->router_id != p->router_id) {
        ospf_drop(s, iface, OSPF_DROP_OTHER_ROUTER, rx->src, p->router_id,
                  nbr->router_id, p->router_id);
        nsm_event(s, nbr, NSM_KILL, "the peer's router ID changed");
        nbr = NULL;
    }
    if (!nbr && p2p && !ovs_list_is_empty(&iface->nbrs)) {
        struct nbr *other = CONTAINER_OF(ovs_list_front(&iface->nbrs),
                                         struct nbr, list_node);
        if (other->address != rx->src) {
            ospf_drop(s, iface, OSPF_DROP_SECOND_PEER, rx->src, p->router_id,
                      other->router_id, p->router_id);
            return NULL;
        }
        ospf_drop(s, iface, OSPF_DROP_OTHER_ROUTER, rx->src, p->router_id,
                  other->router_id, p->router_id);
        nsm_event(s, other, NSM_KILL, "the peer's router ID changed");
    }
    if (!nbr && ovs_list_size(&iface->nbrs)
                >= (ism_payload(iface) - 20) / 4) {
        ospf_drop(s, iface, OSPF_DROP_NEIGHBORS, rx->src, p->router_id, 0, 0);
        return NULL;
    }
    if (!nbr) {
        nbr = nsm_create(s, iface, p->router_id, rx->src);
        nbr->first_hello_ms = s->now;
        *is_new = true;
    }
    return nbr;
}

/* One side point-to-point and the other broadcast come to Full with each
 * other and have no routes.  A point-to-point router never names a DR; a
 * broadcast router does as soon as it has waited. */
static void
check_network_type(const struct step *s, struct iface *iface, struct nbr *nbr,
                   const struct packet *p, bool two_way)
{
    bool p2p = iface->cfg.type == OSPF_P2P;
    bool wrong = (p2p ? p->hello.dr || p->hello.bdr
                  : (two_way && !p->hello.dr && !p->hello.bdr
                     && p->hello.priority
                     && s->now - nbr->first_hello_ms
                        > iface->cfg.dead_interval * 1000LL + 1000));

    if (wrong) {
        ospf_diagnose(s, iface, OSPF_DROP_NETWORK_TYPE, nbr->address,
                      nbr->router_id, iface->cfg.type,
                      p2p ? OSPF_BROADCAST : OSPF_P2P);
    }
}

static void
broadcast_hello(const struct step *s, struct iface *iface, struct nbr *nbr,
                const struct packet *p, bool heard_before)
{
    uint32_t addr = nbr->address;
    uint32_t old_dr = nbr->dr, old_bdr = nbr->bdr;
    bool change = heard_before && nbr->priority != p->hello.priority;

    nbr->priority = p->hello.priority;
    nbr->dr = p->hello.dr;
    nbr->bdr = p->hello.bdr;

    bool says_dr = nbr->dr == addr, says_bdr = nbr->bdr == addr;
    if (iface->state == ISM_WAITING) {
        if (nbr->state >= NSM_2WAY
            && (says_bdr || (says_dr && !nbr->bdr))) {
            elect(s, iface, "BackupSeen");
        }
        return;
    }
    change |= heard_before && says_dr != (old_dr == addr);
    change |= heard_before && says_bdr != (old_bdr == addr);
    if (change) {
        iface->election_due = true;
    }
}

void
ism_receive_hello(const struct step *s, struct iface *iface,
                  const struct ospf_rx *rx, const struct packet *p)
{
    uint32_t ours = 0, theirs = 0;
    enum ospf_drop drop = check_hello(iface, p, &ours, &theirs);

    if (drop != OSPF_N_DROPS) {
        ospf_drop(s, iface, drop, rx->src, p->router_id, ours, theirs);
        return;
    }

    bool is_new;
    struct nbr *nbr = hello_neighbor(s, iface, rx, p, &is_new);
    if (!nbr) {
        return;
    }
    nbr->address = rx->src;
    bool heard_before = nbr->hello_seen;
    nbr->hello_seen = true;
    nbr->first_hello_ms = MIN(nbr->first_hello_ms, s->now);
    nsm_event(s, nbr, NSM_HELLO_RECEIVED, NULL);

    bool two_way = false;
    for (size_t i = 0; i < packet_n_neighbors(p); i++) {
        two_way |= packet_neighbor(p, i) == s->o->router_id;
    }
    check_network_type(s, iface, nbr, p, two_way);
    if (is_new) {
        /* So that the peer need not wait for our next one. */
        ism_send_hello(s, iface);
    }
    if (two_way) {
        /* The designated routers of an election that this neighbour takes
         * part in must be known before it is decided whether to become
         * adjacent, hence the order. */
        if (iface->cfg.type == OSPF_BROADCAST && nbr->state == NSM_INIT) {
            nbr->priority = p->hello.priority;
            nbr->dr = p->hello.dr;
            nbr->bdr = p->hello.bdr;
        }
        nsm_event(s, nbr, NSM_2WAY_RECEIVED, NULL);
    } else {
        nsm_event(s, nbr, NSM_1WAY, "the peer's Hello does not list us");
    }
    if (iface->cfg.type == OSPF_BROADCAST) {
        broadcast_hello(s, iface, nbr, p, heard_before);
    } else {
        nbr->priority = p->hello.priority;
        nbr->dr = p->hello.dr;
        nbr->bdr = p->hello.bdr;
    }
}

/* Timers. */

void
ism_run(const struct step *s, struct iface *iface)
{
    struct nbr *nbr;

    LIST_FOR_EACH_SAFE (nbr, list_node, &iface->nbrs) {
        nsm_run(s, nbr);
    }
    if (iface->state == ISM_DOWN) {
        return;                 /* Those were restored. */
    }
    if (s->now >= iface->wait_ms) {
        iface->wait_ms = NEVER;
        if (iface->state == ISM_WAITING) {
            elect(s, iface, "WaitTimer");
        }
    }
    if (s->now >= iface->hello_ms) {
        long long int interval = iface->cfg.hello_interval * 1000LL;
        /* Keep the rhythm, unless we are late by more than an interval. */
        iface->hello_ms += interval;
        if (iface->hello_ms <= s->now) {
            iface->hello_ms = s->now + interval;
        }
        ism_send_hello(s, iface);
    }
    if (s->now >= iface->ack_ms) {
        flood_send_acks(s, iface);
    }
}

long long int
ism_next_wake(const struct iface *iface)
{
    long long int t = MIN(iface->hello_ms, iface->wait_ms);
    const struct nbr *nbr;

    t = MIN(t, iface->ack_ms);
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        t = MIN(t, nsm_next_wake(nbr));
    }
    return t;
}
