/* SPDX-License-Identifier: Apache-2.0 */

/* Bringing up an adjacency: database description and loading (RFC 2328
 * sections 10.6 to 10.9).
 *
 * Requests that arrive while we are still in Exchange are held until
 * ExchangeDone.  Answered at once they would be correct, too, but a peer that
 * asks during Exchange and is answered before it has finished that state
 * itself (FRR 8.4) sends its next request only when its retransmission timer
 * expires.
 *
 * Two routers seldom come to ExStart at the same moment.  The first packet of
 * the one who is early is dropped by the other, and by the letter of the RFC
 * both would wait for a retransmission, 5 s.  So we remember an offer that came
 * early, and repeat our own when the peer shows that it has only now come to
 * ExStart. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "openvswitch/util.h"
#include "util.h"

/* A peer does not ask for more than this while in Exchange. */
#define MAX_HELD 65536

/* After so many unanswered packets the operator is told. */
#define DD_TRIES_TOLD 3

/* An offer is repeated at most so often. */
#define DD_REPEAT_MS 1000

static void negotiate(const struct step *, struct nbr *,
                      const struct packet *);

/* Forgets the exchange: the neighbour is not, or not yet, adjacent. */
void
exchange_reset(const struct step *s, struct nbr *nbr)
{
    ofpbuf_delete(nbr->dd_sent);
    nbr->dd_sent = NULL;
    nbr->dd_rxmt_ms = nbr->dd_free_ms = NEVER;
    nbr->dd_any = false;
    nbr->dd_tries = 0;
    lsa_vec_clear(&nbr->summary);
    nbr->summary_pos = 0;
    nbr_lsa_clear(&nbr->requests);
    nbr->n_in_flight = 0;
    nbr->lsr_rxmt_ms = NEVER;
    nbr->n_held = 0;
    flood_clear_rxmt(s, nbr);
}

static void
send_copy(const struct step *s, struct nbr *nbr)
{
    ospf_send(s, nbr->iface, nsm_dst(nbr), PKT_DD,
              ofpbuf_clone(nbr->dd_sent));
}

/* Sends the next database description. */
static void
send_dd(const struct step *s, struct nbr *nbr)
{
    struct ofpbuf *b = ofpbuf_new(nbr->iface->cfg.mtu);
    bool init = nbr->state == NSM_EXSTART;
    size_t room = (ism_payload(nbr->iface) - 8) / LSA_HEADER_LEN;
    size_t n = init ? 0 : MIN(room, nbr->summary.n - nbr->summary_pos);

    nbr->dd_more = init || nbr->summary_pos + n < nbr->summary.n;
    packet_begin(b, PKT_DD, s->o->router_id, s->o->area.id);
    put_u16(b, nbr->iface->cfg.mtu);
    put_u8(b, OSPF_OPTIONS);
    put_u8(b, (init ? DD_INIT : 0) | (nbr->dd_more ? DD_MORE : 0)
              | (nbr->master ? DD_MASTER : 0));
    put_u32(b, nbr->dd_seq);
    for (size_t i = 0; i < n; i++) {
        packet_put_header(b, nbr->summary.lsas[nbr->summary_pos++], s->now);
    }
    packet_end(b);

    ofpbuf_delete(nbr->dd_sent);
    nbr->dd_sent = b;
    nbr->dd_rxmt_ms = (init || nbr->master
                       ? s->now + nbr->iface->cfg.rxmt_interval * 1000LL
                       : NEVER);
    nbr->dd_tries = 0;
    send_copy(s, nbr);
}

void
exchange_start(const struct step *s, struct nbr *nbr)
{
    nbr->master = true;
    nbr->dd_seq++;
    nbr->dd_any = false;
    nbr->dd_repeat_ms = s->now;
    send_dd(s, nbr);
    if (nbr->early) {
        nbr->early = false;
        if (s->now - nbr->early_ms < nbr->iface->cfg.rxmt_interval * 1000LL) {
            const struct packet p = {
                .type = PKT_DD, .router_id = nbr->router_id,
                .dd = { .options = nbr->early_options,
                        .flags = DD_INIT | DD_MORE | DD_MASTER,
                        .seq = nbr->early_seq },
            };
            negotiate(s, nbr, &p);
        }
    }
}

void
exchange_resend_dd(const struct step *s, struct nbr *nbr)
{
    if (!nbr->dd_sent) {
        nbr->dd_rxmt_ms = NEVER;
        return;
    }
    send_copy(s, nbr);
    if (++nbr->dd_tries == DD_TRIES_TOLD) {
        ospf_event_put(s, OSPF_EVENT_MISMATCH, nbr->iface, nbr, NULL, NULL,
                       "the peer does not answer database descriptions: "
                       "perhaps its MTU is not our %"PRIu16,
                       nbr->iface->cfg.mtu);
    }
}

static void
summarize(const struct step *s, struct nbr *nbr, struct lsdb *db)
{
    size_t n;
    struct lsdb_entry **entries = lsdb_sorted(db, &n);

    for (size_t i = 0; i < n; i++) {
        struct lsdb_entry *e = entries[i];
        if (lsa_is_max_age(e->lsa, s->now)) {
            /* It is flushed, not described (section 10.3). */
            struct lsa_header h = lsa_header(e->lsa, s->now);
            if (!nbr_lsa_find(&nbr->rxmt, &h.key)) {
                nbr_lsa_add(&nbr->rxmt, &h, e->lsa)->sent_ms
                    = s->now - nbr->iface->cfg.rxmt_interval * 1000LL;
                e->n_rxmt++;
                nbr->lsu_rxmt_ms = s->now;
            }
        } else {
            lsa_vec_push(&nbr->summary, e->lsa);
        }
    }
    free(entries);
}

/* Lists what we have.  The caller sends the packet. */
void
exchange_negotiated(const struct step *s, struct nbr *nbr)
{
    lsa_vec_clear(&nbr->summary);
    nbr->summary_pos = 0;
    summarize(s, nbr, &s->o->area.lsdb);
    summarize(s, nbr, &s->o->externals_db);
}

static void
answer_requests(const struct step *s, struct nbr *nbr,
                const struct lsa_key *keys, size_t n)
{
    struct lsa_vec v = { NULL, 0, 0 };

    for (size_t i = 0; i < n; i++) {
        struct lsdb_entry *e = ospf_lookup(s->o, &keys[i]);
        if (e) {
            e->served_ms = s->now;
            lsa_vec_push(&v, e->lsa);
        }
    }
    flood_send_lsas(s, nbr->iface, nsm_dst(nbr), v.lsas, v.n);
    lsa_vec_destroy(&v);
}

/* Exchange is over. */
void
exchange_done(const struct step *s, struct nbr *nbr)
{
    lsa_vec_clear(&nbr->summary);
    nbr->summary_pos = 0;
    nbr->dd_rxmt_ms = NEVER;
    if (nbr->master) {
        ofpbuf_delete(nbr->dd_sent);
        nbr->dd_sent = NULL;
    } else {
        /* The master may not have got our last packet. */
        nbr->dd_free_ms = s->now + nbr->iface->cfg.dead_interval * 1000LL;
    }

    struct lsa_key *held = nbr->held;
    size_t n_held = nbr->n_held;
    nbr->held = NULL;
    nbr->n_held = nbr->allocated_held = 0;
    answer_requests(s, nbr, held, n_held);
    free(held);

    if (nbr->state == NSM_LOADING) {
        exchange_request_more(s, nbr, false);
    }
}

/* Takes note of what the peer has.  False if it is not acceptable. */
static bool
take_headers(const struct step *s, struct nbr *nbr, const struct packet *p)
{
    for (size_t i = 0; i < packet_n_headers(p); i++) {
        struct lsa_header h;
        packet_lsa_header(p, i, &h);
        if (!lsdb_for(s->o, h.key.type)) {
            return false;
        }
        struct lsdb_entry *e = ospf_lookup(s->o, &h.key);
        if (e) {
            struct lsa_header ours = lsa_header(e->lsa, s->now);
            int cmp = lsa_header_compare(&h, &ours);
            if (!cmp && own_is_ours(s->o, &h.key)) {
                own_check_incarnation(s, e, &h);
            }
            if (cmp <= 0) {
                continue;
            }
        }
        if (!nbr_lsa_find(&nbr->requests, &h.key)) {
            nbr_lsa_add(&nbr->requests, &h, NULL);
        }
    }
    return true;
}

/* Processes the contents of a packet that is next in sequence, and answers
 * (the last part of section 10.6). */
static void
accept_dd(const struct step *s, struct nbr *nbr, const struct packet *p)
{
    nbr->dd_any = true;
    nbr->dd_flags = p->dd.flags;
    nbr->dd_options = p->dd.options;
    nbr->dd_peer_seq = p->dd.seq;
    if (!take_headers(s, nbr, p)) {
        nsm_event(s, nbr, NSM_SEQ_MISMATCH,
                  "described an LSA of a type that we do not take");
        return;
    }

    bool peer_more = (p->dd.flags & DD_MORE) != 0;
    if (nbr->master) {
        nbr->dd_seq++;
        if (!nbr->dd_more && !peer_more) {
            nsm_event(s, nbr, NSM_EXCHANGE_DONE, NULL);
        } else {
            send_dd(s, nbr);
        }
    } else {
        nbr->dd_seq = p->dd.seq;
        send_dd(s, nbr);
        if (!nbr->dd_more && !peer_more) {
            nsm_event(s, nbr, NSM_EXCHANGE_DONE, NULL);
        }
    }
}

static bool
is_duplicate(const struct nbr *nbr, const struct packet *p)
{
    return (nbr->dd_any && p->dd.flags == nbr->dd_flags
            && p->dd.options == nbr->dd_options
            && p->dd.seq == nbr->dd_peer_seq);
}

/* Section 10.6, state ExStart. */
static void
negotiate(const struct step *s, struct nbr *nbr, const struct packet *p)
{
    const uint8_t all = DD_INIT | DD_MORE | DD_MASTER;

    if ((p->dd.flags & all) == all && !packet_n_headers(p)
        && p->router_id > s->o->router_id) {
        nbr->master = false;
        nbr->dd_seq = p->dd.seq;
    } else if (!(p->dd.flags & (DD_INIT | DD_MASTER))
               && p->dd.seq == nbr->dd_seq
               && p->router_id < s->o->router_id) {
        nbr->master = true;
    } else {
        /* Most often the first packet of the one who will be slave, who may
         * not have heard ours. */
        if ((p->dd.flags & all) == all && nbr->dd_sent
            && p->router_id < s->o->router_id && s->now >= nbr->dd_repeat_ms) {
            nbr->dd_repeat_ms = s->now + DD_REPEAT_MS;
            send_copy(s, nbr);
        }
        return;
    }
    nsm_event(s, nbr, NSM_NEGOTIATION_DONE, NULL);
    accept_dd(s, nbr, p);
}

/* Section 10.6, state Exchange, no duplicate.  Returns why the packet is out
 * of sequence, or NULL. */
static const char *
check_sequence(const struct nbr *nbr, const struct packet *p)
{
    bool peer_master = (p->dd.flags & DD_MASTER) != 0;

    return (peer_master == nbr->master ? "master and slave disagree"
            : p->dd.flags & DD_INIT ? "the peer began the exchange anew"
            : p->dd.options != nbr->dd_options ? "the peer's options changed"
            : p->dd.seq != nbr->dd_seq + (nbr->master ? 0 : 1)
            ? "database description out of sequence"
            : NULL);
}

/* Does a peer that is to be master begin? */
static bool
is_offer_of_master(const struct step *s, const struct packet *p)
{
    return (p->router_id > s->o->router_id
            && p->dd.flags == (DD_INIT | DD_MORE | DD_MASTER)
            && !packet_n_headers(p));
}

/* For exchange_start(). */
static void
remember_offer(const struct step *s, struct nbr *nbr, const struct packet *p)
{
    nbr->early = true;
    nbr->early_seq = p->dd.seq;
    nbr->early_options = p->dd.options;
    nbr->early_ms = s->now;
}

/* False if the peer's MTU is one that we can't take. */
static bool
check_mtu(const struct step *s, struct iface *iface, const struct packet *p,
          uint32_t src)
{
    if (p->dd.mtu > iface->cfg.mtu) {
        ospf_drop(s, iface, OSPF_DROP_MTU, src, p->router_id, iface->cfg.mtu,
                  p->dd.mtu);
        return false;
    }
    if (p->dd.mtu && p->dd.mtu < iface->cfg.mtu) {
        /* Allowed, but the peer will hardly accept ours. */
        ospf_diagnose(s, iface, OSPF_DROP_MTU, src, p->router_id,
                      iface->cfg.mtu, p->dd.mtu);
    }
    return true;
}

/* Section 10.6, states Exchange and later.  Returns why the exchange is to
 * begin anew, or NULL. */
static const char *
continue_exchange(const struct step *s, struct nbr *nbr,
                  const struct packet *p)
{
    if (is_duplicate(nbr, p)
        && (nbr->state == NSM_EXCHANGE || nbr->master || nbr->dd_sent)) {
        if (!nbr->master && nbr->dd_sent) {
            send_copy(s, nbr);
        }
        return NULL;
    }
    if (nbr->state != NSM_EXCHANGE) {
        return (p->dd.flags & DD_INIT ? "the peer began the exchange anew"
                : "database description after the exchange");
    }
    const char *fault = check_sequence(nbr, p);
    if (!fault) {
        accept_dd(s, nbr, p);
    }
    return fault;
}

void
exchange_receive_dd(const struct step *s, struct nbr *nbr,
                    const struct packet *p, uint32_t src)
{
    if (!check_mtu(s, nbr->iface, p, src)) {
        return;
    }
    if (nbr->state == NSM_INIT) {
        nsm_event(s, nbr, NSM_2WAY_RECEIVED, NULL);
    }
    if (nbr->state < NSM_EXSTART) {
        if (is_offer_of_master(s, p)) {
            remember_offer(s, nbr, p);
        } else {
            ospf_drop(s, nbr->iface, OSPF_DROP_STATE, src, p->router_id,
                      nbr->state, p->type);
        }
        return;
    }
    if (nbr->state == NSM_EXSTART) {
        negotiate(s, nbr, p);
        return;
    }

    const char *fault = continue_exchange(s, nbr, p);
    if (fault) {
        ospf_drop(s, nbr->iface, OSPF_DROP_SEQUENCE, src, p->router_id,
                  nbr->dd_seq, p->dd.seq);
        if (is_offer_of_master(s, p)) {
            remember_offer(s, nbr, p);
        }
        nsm_event(s, nbr, NSM_SEQ_MISMATCH, fault);
    }
}

/* Section 10.7. */
void
exchange_receive_lsr(const struct step *s, struct nbr *nbr,
                     const struct packet *p, uint32_t src)
{
    size_t n = packet_n_requests(p);

    if (nbr->state < NSM_EXCHANGE) {
        ospf_drop(s, nbr->iface, OSPF_DROP_STATE, src, p->router_id,
                  nbr->state, p->type);
        return;
    }

    struct lsa_key *keys = xmalloc((n + 1) * sizeof *keys);
    for (size_t i = 0; i < n; i++) {
        if (!packet_request(p, i, &keys[i]) || !ospf_lookup(s->o, &keys[i])) {
            ospf_drop(s, nbr->iface, OSPF_DROP_REQUEST, src, p->router_id,
                      0, keys[i].id);
            nsm_event(s, nbr, NSM_BAD_LS_REQ,
                      "the peer asked for an LSA that we do not have");
            free(keys);
            return;
        }
    }
    if (nbr->state == NSM_EXCHANGE) {
        for (size_t i = 0; i < n && nbr->n_held < MAX_HELD; i++) {
            if (nbr->n_held >= nbr->allocated_held) {
                nbr->held = x2nrealloc(nbr->held, &nbr->allocated_held,
                                       sizeof *nbr->held);
            }
            nbr->held[nbr->n_held++] = keys[i];
        }
    } else {
        answer_requests(s, nbr, keys, n);
    }
    free(keys);
}

/* Section 10.9: asks for the next LSAs, or 'again' for those that did not
 * come. */
void
exchange_request_more(const struct step *s, struct nbr *nbr, bool again)
{
    size_t room = ism_payload(nbr->iface) / PACKET_REQUEST_LEN;
    struct nbr_lsa *item;

    if (hmap_is_empty(&nbr->requests.map) || nbr->state < NSM_EXCHANGE) {
        nbr->lsr_rxmt_ms = NEVER;
        return;
    }

    struct ofpbuf *b = ofpbuf_new(nbr->iface->cfg.mtu);
    packet_begin(b, PKT_LSR, s->o->router_id, s->o->area.id);
    LIST_FOR_EACH (item, list_node, &nbr->requests.order) {
        if (item->in_flight && !again) {
            continue;
        }
        if (!room--) {
            break;
        }
        put_u32(b, item->header.key.type);
        put_u32(b, item->header.key.id);
        put_u32(b, item->header.key.adv);
        if (!item->in_flight) {
            item->in_flight = true;
            nbr->n_in_flight++;
        }
    }
    packet_end(b);
    ospf_send(s, nbr->iface, nsm_dst(nbr), PKT_LSR, b);
    nbr->lsr_rxmt_ms = s->now + nbr->iface->cfg.rxmt_interval * 1000LL;
}

/* What was asked for has come. */
void
exchange_request_answered(const struct step *s, struct nbr *nbr,
                          struct nbr_lsa *item)
{
    if (item->in_flight) {
        nbr->n_in_flight--;
    }
    nbr_lsa_remove(&nbr->requests, item);
    if (nbr->state != NSM_LOADING) {
        return;
    }
    if (hmap_is_empty(&nbr->requests.map)) {
        nbr->lsr_rxmt_ms = NEVER;
        nsm_event(s, nbr, NSM_LOADING_DONE, NULL);
    } else if (!nbr->n_in_flight) {
        exchange_request_more(s, nbr, false);
    }
}
