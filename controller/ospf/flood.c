/* SPDX-License-Identifier: Apache-2.0 */

/* Flooding: what comes in updates, over wires and from ourselves goes into
 * the LSDB and out again to everybody else (RFC 2328 sections 13 and 14).
 *
 * Updates are collected per interface and sent packed at the end of the step;
 * what is sent to one neighbour alone (answers, retransmissions) goes at
 * once. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "openvswitch/util.h"
#include "util.h"

/* LSAs that one retransmission sends at most. */
#define MAX_RETRANSMIT 400

/* Sending. */

/* Sends LSAs in as few updates as fit the interface.  One that is larger than
 * the MTU goes alone. */
void
flood_send_lsas(const struct step *s, struct iface *iface, uint32_t dst,
                struct ospf_lsa **lsas, size_t n)
{
    size_t room = ism_payload(iface) - 4;
    size_t i = 0;

    while (i < n) {
        struct ofpbuf *b = ofpbuf_new(iface->cfg.mtu);
        uint32_t count = 0;
        size_t used = 0;

        packet_begin(b, PKT_LSU, s->o->router_id, s->o->area.id);
        put_u32(b, 0);
        while (i < n && (!count || used + lsas[i]->length <= room)) {
            packet_put_lsa(b, lsas[i], s->now, iface->cfg.transmit_delay);
            used += lsas[i]->length;
            count++;
            i++;
        }
        store_u32((uint8_t *) b->data + PACKET_HEADER_LEN, count);
        packet_end(b);
        ospf_send(s, iface, dst, PKT_LSU, b);
    }
}

/* Where floods and delayed acknowledgments on 'iface' go. */
static uint32_t
flood_dst(const struct iface *iface)
{
    return (iface->cfg.type == OSPF_P2P || iface->state == ISM_DR
            || iface->state == ISM_BACKUP
            ? OSPF_ALL_ROUTERS : OSPF_ALL_DROUTERS);
}

void
flood_send_pending(const struct step *s, struct iface *iface)
{
    if (iface->flood.n) {
        flood_send_lsas(s, iface, flood_dst(iface), iface->flood.lsas,
                        iface->flood.n);
        lsa_vec_clear(&iface->flood);
    }
}

static void
send_ack_packets(const struct step *s, struct iface *iface, uint32_t dst,
                 struct ospf_lsa **lsas, size_t n)
{
    size_t room = ism_payload(iface) / LSA_HEADER_LEN;

    for (size_t i = 0; i < n; ) {
        struct ofpbuf *b = ofpbuf_new(iface->cfg.mtu);
        packet_begin(b, PKT_ACK, s->o->router_id, s->o->area.id);
        for (size_t j = 0; j < room && i < n; j++) {
            packet_put_header(b, lsas[i++], s->now);
        }
        packet_end(b);
        ospf_send(s, iface, dst, PKT_ACK, b);
    }
}

void
flood_send_acks(const struct step *s, struct iface *iface)
{
    send_ack_packets(s, iface, flood_dst(iface), iface->acks.lsas,
                     iface->acks.n);
    lsa_vec_clear(&iface->acks);
    iface->ack_ms = NEVER;
}

static void
ack_later(const struct step *s, struct iface *iface,
          const struct ospf_lsa *lsa)
{
    lsa_vec_push(&iface->acks, lsa);
    iface->ack_ms = MIN(iface->ack_ms, s->now + ACK_DELAY);
    if (iface->acks.n * LSA_HEADER_LEN >= ism_payload(iface)) {
        iface->ack_ms = s->now;
    }
}

/* Retransmission lists. */

static void
rxmt_remove(const struct step *s, struct nbr *nbr, struct nbr_lsa *item)
{
    struct lsa_key key = item->header.key;
    struct lsdb_entry *e = ospf_lookup(s->o, &key);

    nbr_lsa_remove(&nbr->rxmt, item);
    if (e) {
        ovs_assert(e->n_rxmt > 0);
        if (!--e->n_rxmt && e->max_age) {
            ospf_reap(s->o, &key);
        }
    }
    if (hmap_is_empty(&nbr->rxmt.map)) {
        nbr->lsu_rxmt_ms = NEVER;
    }
}

void
flood_clear_rxmt(const struct step *s, struct nbr *nbr)
{
    struct nbr_lsa *item;

    LIST_FOR_EACH_SAFE (item, list_node, &nbr->rxmt.order) {
        rxmt_remove(s, nbr, item);
    }
    nbr->lsu_rxmt_ms = NEVER;
}

static void
rxmt_add(const struct step *s, struct nbr *nbr, struct lsdb_entry *e)
{
    struct lsa_header h = lsa_header(e->lsa, s->now);

    nbr_lsa_add(&nbr->rxmt, &h, e->lsa)->sent_ms = s->now;
    e->n_rxmt++;
    if (nbr->lsu_rxmt_ms == NEVER) {
        nbr->lsu_rxmt_ms = s->now + nbr->iface->cfg.rxmt_interval * 1000LL;
    }
}

/* Section 13 (5)(c). */
static void
rxmt_remove_everywhere(const struct step *s, const struct lsa_key *key)
{
    for (size_t i = 0; i < s->o->n_ifaces; i++) {
        struct nbr *nbr;
        LIST_FOR_EACH (nbr, list_node, &s->o->ifaces[i]->nbrs) {
            struct nbr_lsa *item = nbr_lsa_find(&nbr->rxmt, key);
            if (item) {
                rxmt_remove(s, nbr, item);
            }
        }
    }
}

/* Sends what was not acknowledged in time.  The list is ordered by the time of
 * the last transmission. */
void
flood_retransmit(const struct step *s, struct nbr *nbr)
{
    long long int interval = nbr->iface->cfg.rxmt_interval * 1000LL;
    struct lsa_vec v = { NULL, 0, 0 };

    nbr->lsu_rxmt_ms = NEVER;
    while (!ovs_list_is_empty(&nbr->rxmt.order)) {
        struct nbr_lsa *item = CONTAINER_OF(ovs_list_front(&nbr->rxmt.order),
                                            struct nbr_lsa, list_node);
        if (item->sent_ms + interval > s->now || v.n >= MAX_RETRANSMIT) {
            nbr->lsu_rxmt_ms = MAX(item->sent_ms + interval, s->now + 100);
            break;
        }
        lsa_vec_push(&v, item->lsa);
        item->sent_ms = s->now;
        ovs_list_remove(&item->list_node);
        ovs_list_push_back(&nbr->rxmt.order, &item->list_node);
    }
    s->o->counters.retransmitted += v.n;
    flood_send_lsas(s, nbr->iface, nsm_dst(nbr), v.lsas, v.n);
    lsa_vec_destroy(&v);
}

/* The LSDB. */

/* Notes what a change from 'old' (may be NULL) to 'new' means to SPF. */
static void
note_change(const struct step *s, const struct ospf_lsa *old,
            const struct ospf_lsa *new)
{
    bool old_gone = !old || lsa_is_max_age(old, s->now);
    bool new_gone = lsa_is_max_age(new, s->now);

    if (old_gone != new_gone
        || (!old_gone && !new_gone && !lsa_body_equal(old, new))) {
        s->o->dirty |= (lsa_type(new) == OSPF_LSA_EXTERNAL
                        ? OSPF_DIRTY_EXTERNAL : OSPF_DIRTY_TOPOLOGY);
    }
}

static struct lsdb_entry *
install(const struct step *s, const struct ospf_lsa *lsa)
{
    struct lsdb *db = lsdb_for(s->o, lsa_type(lsa));
    struct lsa_key key = lsa_key(lsa);
    struct lsdb_entry *e = lsdb_find(db, &key);

    note_change(s, e ? e->lsa : NULL, lsa);
    if (e) {
        rxmt_remove_everywhere(s, &key);
    }
    e = lsdb_install(db, lsa, s->now);
    if (e->max_age) {
        ospf_reap(s->o, &key);
    }
    return e;
}

/* Section 13.3: sends 'e' on to everybody but 'from' or 'from_wire', one of
 * which may be non-NULL.  Returns true if it goes back out of the interface
 * that it came from. */
static bool
flood(const struct step *s, struct lsdb_entry *e, struct nbr *from,
      const struct wire *from_wire)
{
    struct lsa_header h = lsa_header(e->lsa, s->now);
    bool back = false;

    for (size_t i = 0; i < s->o->n_ifaces; i++) {
        struct iface *iface = s->o->ifaces[i];
        bool added = false;
        struct nbr *nbr;

        if (iface->state == ISM_DOWN) {
            continue;
        }
        LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
            if (nbr->state < NSM_EXCHANGE) {
                continue;
            }
            struct nbr_lsa *req = nbr_lsa_find(&nbr->requests, &h.key);
            if (req) {
                int cmp = lsa_header_compare(&h, &req->header);
                if (cmp < 0) {
                    continue;
                }
                exchange_request_answered(s, nbr, req);
                if (cmp == 0) {
                    continue;
                }
            }
            if (nbr == from) {
                continue;
            }
            rxmt_add(s, nbr, e);
            added = true;
        }
        if (!added) {
            continue;
        }
        if (from && from->iface == iface) {
            if (iface->cfg.type == OSPF_BROADCAST
                && (from->address == iface->dr || from->address == iface->bdr
                    || iface->state == ISM_BACKUP)) {
                continue;
            }
            back = true;
        }
        lsa_vec_push(&iface->flood, e->lsa);
    }

    for (size_t i = 0; i < s->o->n_wires; i++) {
        const struct wire *wire = &s->o->wires[i];
        if (wire != from_wire) {
            ospf_wire_put(s, wire, e->lsa);
        }
    }
    return back;
}

void
flood_install(const struct step *s, const struct ospf_lsa *lsa)
{
    flood(s, install(s, lsa), NULL, NULL);
}

void
flood_flush(const struct step *s, struct lsdb_entry *e)
{
    if (!e->lsa->max_age) {
        struct ospf_lsa *lsa = lsa_clone_max_age(e->lsa);
        flood_install(s, lsa);
        lsa_unref(lsa);
    }
}

static int
compare_keys(const void *a, const void *b)
{
    return lsa_key_compare(a, b);
}

/* What has become MaxAge by itself (section 14), in order of keys. */
static void
expire(const struct step *s, struct lsdb *db)
{
    struct lsa_key *keys = NULL;
    size_t n = 0, allocated = 0;
    struct lsdb_entry *e;

    while (lsdb_next_expiry(db) <= s->now) {
        e = lsdb_first_expiry(db);
        if (n >= allocated) {
            keys = x2nrealloc(keys, &allocated, sizeof *keys);
        }
        keys[n++] = lsa_key(e->lsa);
        lsdb_mark_max_age(db, e);
    }
    if (n) {
        qsort(keys, n, sizeof *keys, compare_keys);
    }
    for (size_t i = 0; i < n; i++) {
        /* For SPF it was the live one until now. */
        s->o->dirty |= (keys[i].type == OSPF_LSA_EXTERNAL
                        ? OSPF_DIRTY_EXTERNAL : OSPF_DIRTY_TOPOLOGY);
        flood_flush(s, lsdb_find(db, &keys[i]));
    }
    free(keys);
}

void
flood_expire(const struct step *s)
{
    expire(s, &s->o->area.lsdb);
    expire(s, &s->o->externals_db);
}

/* Removes MaxAge LSAs that no neighbour needs any more (section 14).
 *
 * Nobody acknowledges over wires.  If wires form a ring, an LSA and its flush
 * may go round it one behind the other, each installed anew where the one
 * before it has just been forgotten; so a router with wires remembers what was
 * flushed for a while. */
void
flood_reap(const struct step *s)
{
    struct ospf *o = s->o;

    if (!o->n_reap || ospf_any_exchanging(o)) {
        return;
    }
    o->reap_ms = NEVER;
    size_t n = o->n_reap;
    struct lsa_key *keys = o->reap;
    o->reap = NULL;
    o->n_reap = o->allocated_reap = 0;
    for (size_t i = 0; i < n; i++) {
        struct lsdb_entry *e = ospf_lookup(o, &keys[i]);
        if (e && e->max_age && !e->n_rxmt && o->n_wires
            && s->now < e->installed_ms + MIN_LS_ARRIVAL) {
            ospf_reap(o, &keys[i]);
            o->reap_ms = MIN(o->reap_ms, e->installed_ms + MIN_LS_ARRIVAL);
        } else if (e && e->max_age && !e->n_rxmt) {
            lsdb_remove(lsdb_for(o, keys[i].type), e);
            own_removed(s, &keys[i]);
        }
    }
    free(keys);
}

/* Receiving (section 13). */

enum verdict {
    LSA_IS_NEWER,               /* Was installed and flooded. */
    LSA_FLOODED_BACK,           /* Likewise, also where it came from. */
    LSA_IS_SAME,
    LSA_IS_OLDER,
    LSA_TOO_SOON,
    LSA_UNKNOWN_MAX_AGE,        /* Nothing to flush. */
};

/* Steps (4), (5), (7) and (8) up to acknowledgments.  '*ep' is our copy
 * afterwards, if any.
 *
 * MinLSArrival protects us from a peer that originates without end; but an
 * LSA that it drops is back only after the peer's retransmission interval, and
 * peers whose timers are set for fast convergence, or that have just come up,
 * originate several times a second.  So a few in a row are taken, and then one
 * per MinLSArrival. */
static enum verdict
take_lsa(const struct step *s, const struct ospf_lsa *lsa, struct nbr *from,
         const struct wire *from_wire, struct lsdb_entry **ep)
{
    struct lsa_header h = lsa_header(lsa, s->now);
    struct lsdb_entry *e = *ep = ospf_lookup(s->o, &h.key);

    if (!e && h.age >= LSA_MAX_AGE && !ospf_any_exchanging(s->o)) {
        return LSA_UNKNOWN_MAX_AGE;
    }

    int cmp = 1;
    if (e) {
        struct lsa_header ours = lsa_header(e->lsa, s->now);
        cmp = lsa_header_compare(&h, &ours);
    }
    if (cmp < 0) {
        return LSA_IS_OLDER;
    } else if (!cmp) {
        return LSA_IS_SAME;
    }

    bool own = own_is_ours(s->o, &h.key);
    uint8_t n_soon = 0;
    if (e && !own && from && !nbr_lsa_find(&from->requests, &h.key)) {
        long long int intervals = (s->now - e->installed_ms) / MIN_LS_ARRIVAL;
        if (!intervals && e->n_soon >= MAX_SOON) {
            return LSA_TOO_SOON;
        }
        n_soon = (intervals ? e->n_soon - MIN(e->n_soon, intervals - 1)
                  : e->n_soon + 1);
    }
    e = *ep = install(s, lsa);
    e->n_soon = n_soon;
    bool back = flood(s, e, from, from_wire);
    if (own) {
        own_received(s, e);
    }
    return back ? LSA_FLOODED_BACK : LSA_IS_NEWER;
}

/* Answers one LSA of an update (section 13.5, table 19). */
static void
acknowledge(const struct step *s, struct nbr *nbr, const struct ospf_lsa *lsa,
            enum verdict verdict, struct lsa_vec *direct)
{
    struct iface *iface = nbr->iface;
    bool backup = iface->state == ISM_BACKUP;
    bool from_dr = nbr->address == iface->dr;

    if (verdict == LSA_IS_NEWER) {
        if (!backup || from_dr) {
            ack_later(s, iface, lsa);
        }
    } else if (verdict == LSA_IS_SAME) {
        struct lsa_key key = lsa_key(lsa);
        struct nbr_lsa *item = nbr_lsa_find(&nbr->rxmt, &key);
        if (item) {
            rxmt_remove(s, nbr, item);
            if (backup && from_dr) {
                ack_later(s, iface, lsa);
            }
        } else {
            lsa_vec_push(direct, lsa);
        }
    } else if (verdict == LSA_UNKNOWN_MAX_AGE) {
        lsa_vec_push(direct, lsa);
    }
}

/* Step (8): the peer has an older one than we. */
static void
send_back(const struct step *s, struct nbr *nbr, struct lsdb_entry *e)
{
    if (e->max_age && lsa_seq(e->lsa) == LSA_SEQ_MAX) {
        return;
    }
    if (s->now - e->sent_back_ms < MIN_LS_ARRIVAL) {
        return;
    }
    e->sent_back_ms = s->now;
    flood_send_lsas(s, nbr->iface, nsm_dst(nbr), &e->lsa, 1);
}

/* Returns false if the rest of the packet must not be looked at. */
static bool
receive_lsa(const struct step *s, struct nbr *nbr, const struct ospf_lsa *lsa,
            struct lsa_vec *direct, uint32_t src)
{
    struct lsa_key key = lsa_key(lsa);
    struct lsdb_entry *e;
    enum verdict verdict = take_lsa(s, lsa, nbr, NULL, &e);

    if (verdict == LSA_TOO_SOON) {
        ospf_drop(s, nbr->iface, OSPF_DROP_LSA_TOO_SOON, src, nbr->router_id,
                  0, key.id);
        return true;
    }
    if ((verdict == LSA_IS_SAME || verdict == LSA_IS_OLDER)
        && nbr_lsa_find(&nbr->requests, &key)) {
        struct nbr_lsa *req = nbr_lsa_find(&nbr->requests, &key);
        struct lsa_header ours = lsa_header(e->lsa, s->now);
        if (verdict == LSA_IS_SAME
            || lsa_header_compare(&ours, &req->header) >= 0) {
            /* It came from somebody else in the meantime; or its age, which
             * the way here has increased, now says that it is the one that we
             * have, where the description was just MaxAgeDiff younger. */
            exchange_request_answered(s, nbr, req);
        } else {
            nsm_event(s, nbr, NSM_BAD_LS_REQ,
                      "sent an older LSA than it described");
            return false;
        }
    }
    acknowledge(s, nbr, lsa, verdict, direct);
    if (verdict == LSA_IS_OLDER) {
        send_back(s, nbr, e);
    }
    return true;
}

void
flood_receive_lsu(const struct step *s, struct nbr *nbr,
                  const struct packet *p, uint32_t src)
{
    struct iface *iface = nbr->iface;
    struct lsa_vec direct = { NULL, 0, 0 };

    if (nbr->state < NSM_EXCHANGE) {
        ospf_drop(s, iface, OSPF_DROP_STATE, src, p->router_id, nbr->state,
                  p->type);
        return;
    }

    struct packet_lsa_iter it = packet_lsas(p);
    const uint8_t *data;
    uint16_t length;
    enum lsa_fault fault;
    bool more = true;
    while (more && packet_next_lsa(&it, &data, &length, &fault)) {
        if (fault != LSA_OK) {
            ospf_drop(s, iface,
                      fault == LSA_BAD_CHECKSUM ? OSPF_DROP_LSA_CHECKSUM
                      : fault == LSA_BAD_TYPE ? OSPF_DROP_LSA_TYPE
                      : OSPF_DROP_LSA_BODY, src, p->router_id, 0, fault);
            continue;
        }
        struct ospf_lsa *lsa = lsa_new(data, length, load_u16(data), s->now);
        more = receive_lsa(s, nbr, lsa, &direct, src);
        lsa_unref(lsa);
    }
    send_ack_packets(s, iface, nsm_dst(nbr), direct.lsas, direct.n);
    lsa_vec_destroy(&direct);
}

/* Section 13.7. */
void
flood_receive_ack(const struct step *s, struct nbr *nbr,
                  const struct packet *p)
{
    if (nbr->state < NSM_EXCHANGE) {
        ospf_drop(s, nbr->iface, OSPF_DROP_STATE, nbr->address, p->router_id,
                  nbr->state, p->type);
        return;
    }
    for (size_t i = 0; i < packet_n_headers(p); i++) {
        struct lsa_header h;
        packet_lsa_header(p, i, &h);
        struct nbr_lsa *item = nbr_lsa_find(&nbr->rxmt, &h.key);
        if (item) {
            struct lsa_header ours = lsa_header(item->lsa, s->now);
            if (!lsa_header_compare(&h, &ours)) {
                rxmt_remove(s, nbr, item);
            }
        }
    }
}

/* Wires. */

void
flood_receive_wire(const struct step *s, struct wire *wire,
                   const struct ospf_lsa *lsa)
{
    struct lsdb_entry *e;

    if (!lsdb_for(s->o, lsa_type(lsa))) {
        return;
    }
    if (take_lsa(s, lsa, NULL, wire, &e) == LSA_IS_OLDER) {
        ospf_wire_put(s, wire, e->lsa);
    }
}

void
flood_offer_all(const struct step *s, const struct wire *wire)
{
    struct lsdb *dbs[] = { &s->o->area.lsdb, &s->o->externals_db };

    for (size_t i = 0; i < ARRAY_SIZE(dbs); i++) {
        size_t n;
        struct lsdb_entry **entries = lsdb_sorted(dbs[i], &n);
        for (size_t j = 0; j < n; j++) {
            ospf_wire_put(s, wire, entries[j]->lsa);
        }
        free(entries);
    }
}
