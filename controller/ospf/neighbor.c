/* SPDX-License-Identifier: Apache-2.0 */

/* Neighbours and their state machine (RFC 2328 section 10).
 *
 * nsm_table[] is section 10.3.  An event that the table does not expect in a
 * state changes nothing: peers may send what they like. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "openvswitch/util.h"
#include "util.h"

/* Retransmission and request lists. */

void
nbr_lsa_init(struct nbr_lsa_list *l)
{
    hmap_init(&l->map);
    ovs_list_init(&l->order);
}

struct nbr_lsa *
nbr_lsa_find(const struct nbr_lsa_list *l, const struct lsa_key *key)
{
    struct nbr_lsa *item;

    HMAP_FOR_EACH_WITH_HASH (item, hmap_node, lsa_key_hash(key), &l->map) {
        if (!lsa_key_compare(&item->header.key, key)) {
            return item;
        }
    }
    return NULL;
}

struct nbr_lsa *
nbr_lsa_add(struct nbr_lsa_list *l, const struct lsa_header *h,
            const struct ospf_lsa *lsa)
{
    struct nbr_lsa *item = xzalloc(sizeof *item);

    item->header = *h;
    item->lsa = lsa ? lsa_ref(lsa) : NULL;
    hmap_insert(&l->map, &item->hmap_node, lsa_key_hash(&h->key));
    ovs_list_push_back(&l->order, &item->list_node);
    return item;
}

void
nbr_lsa_remove(struct nbr_lsa_list *l, struct nbr_lsa *item)
{
    hmap_remove(&l->map, &item->hmap_node);
    ovs_list_remove(&item->list_node);
    lsa_unref(item->lsa);
    free(item);
}

void
nbr_lsa_clear(struct nbr_lsa_list *l)
{
    struct nbr_lsa *item;

    LIST_FOR_EACH_SAFE (item, list_node, &l->order) {
        nbr_lsa_remove(l, item);
    }
}

void
nbr_lsa_destroy(struct nbr_lsa_list *l)
{
    nbr_lsa_clear(l);
    hmap_destroy(&l->map);
}

/* Neighbours. */

struct nbr *
nsm_create(const struct step *s, struct iface *iface, uint32_t router_id,
           uint32_t address)
{
    struct nbr *nbr = xzalloc(sizeof *nbr);

    nbr->iface = iface;
    nbr->router_id = router_id;
    nbr->address = address;
    nbr->state = NSM_DOWN;
    nbr->since_ms = s->now;
    nbr->last_event = "created";
    nbr->inactivity_ms = NEVER;
    nbr->first_hello_ms = NEVER;
    nbr->stale_until_ms = NEVER;
    nbr->dd_rxmt_ms = nbr->dd_free_ms = NEVER;
    nbr->lsr_rxmt_ms = nbr->lsu_rxmt_ms = NEVER;
    /* Any number will do that differs from the one before. */
    nbr->dd_seq = (uint32_t) s->now ^ s->o->router_id;
    nbr_lsa_init(&nbr->requests);
    nbr_lsa_init(&nbr->rxmt);

    struct nbr *next;
    LIST_FOR_EACH (next, list_node, &iface->nbrs) {
        if (next->router_id > router_id) {
            break;
        }
    }
    ovs_list_insert(next ? &next->list_node : &iface->nbrs, &nbr->list_node);
    return nbr;
}

/* The retransmission list must be empty of LSAs that the LSDB counts. */
void
nsm_destroy(struct nbr *nbr)
{
    ovs_list_remove(&nbr->list_node);
    ofpbuf_delete(nbr->dd_sent);
    lsa_vec_destroy(&nbr->summary);
    nbr_lsa_destroy(&nbr->requests);
    nbr_lsa_destroy(&nbr->rxmt);
    free(nbr->held);
    free(nbr->last_fault);
    free(nbr);
}

struct nbr *
nsm_find(const struct iface *iface, uint32_t router_id)
{
    struct nbr *nbr;

    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        if (nbr->router_id == router_id) {
            return nbr;
        }
    }
    return NULL;
}

struct nbr *
nsm_find_address(const struct iface *iface, uint32_t address)
{
    struct nbr *nbr;

    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        if (nbr->address == address) {
            return nbr;
        }
    }
    return NULL;
}

bool
nsm_counts_as_full(const struct nbr *nbr)
{
    return nbr->state == NSM_FULL || nbr->stale;
}

/* Where packets for this neighbour alone go (RFC 2328 section 8.1). */
uint32_t
nsm_dst(const struct nbr *nbr)
{
    return (nbr->iface->cfg.type == OSPF_P2P ? OSPF_ALL_ROUTERS
            : nbr->address);
}

bool
ospf_any_exchanging(const struct ospf *o)
{
    for (size_t i = 0; i < o->n_ifaces; i++) {
        struct nbr *nbr;
        LIST_FOR_EACH (nbr, list_node, &o->ifaces[i]->nbrs) {
            if (nbr->state == NSM_EXCHANGE || nbr->state == NSM_LOADING) {
                return true;
            }
        }
    }
    return false;
}

/* Section 10.4. */
static bool
should_be_adjacent(const struct nbr *nbr)
{
    const struct iface *iface = nbr->iface;

    return (iface->cfg.type == OSPF_P2P
            || iface->state == ISM_DR || iface->state == ISM_BACKUP
            || nbr->address == iface->dr || nbr->address == iface->bdr);
}

/* The state machine. */

typedef enum ospf_nbr_state nsm_action(const struct step *, struct nbr *);

static enum ospf_nbr_state
act_hello(const struct step *s, struct nbr *nbr)
{
    nbr->inactivity_ms = s->now + nbr->iface->cfg.dead_interval * 1000LL;
    if (nbr->state == NSM_FULL) {
        nbr->stale = false;
        nbr->stale_until_ms = NEVER;
    }
    return nbr->state == NSM_DOWN ? NSM_INIT : nbr->state;
}

static enum ospf_nbr_state
act_2way(const struct step *s OVS_UNUSED, struct nbr *nbr)
{
    return should_be_adjacent(nbr) ? NSM_EXSTART : NSM_2WAY;
}

static enum ospf_nbr_state
act_exchange_done(const struct step *s OVS_UNUSED, struct nbr *nbr)
{
    return hmap_is_empty(&nbr->requests.map) ? NSM_FULL : NSM_LOADING;
}

static enum ospf_nbr_state
act_adj_ok(const struct step *s OVS_UNUSED, struct nbr *nbr)
{
    return should_be_adjacent(nbr) ? nbr->state : NSM_2WAY;
}

#define S(STATE) (1u << NSM_##STATE)
#define FROM_EXCHANGE (S(EXCHANGE) | S(LOADING) | S(FULL))
#define FROM_EXSTART (S(EXSTART) | FROM_EXCHANGE)
#define FROM_2WAY (S(2WAY) | FROM_EXSTART)
#define FROM_INIT (S(INIT) | FROM_2WAY)
#define ANY (S(DOWN) | FROM_INIT)

static const struct {
    unsigned int states;
    enum nsm_event event;
    nsm_action *action;         /* Decides the next state, if not NULL. */
    enum ospf_nbr_state next;   /* Otherwise. */
} nsm_table[] = {
    { ANY,           NSM_HELLO_RECEIVED,   act_hello,         0 },
    { S(INIT),       NSM_2WAY_RECEIVED,    act_2way,          0 },
    { S(EXSTART),    NSM_NEGOTIATION_DONE, NULL,              NSM_EXCHANGE },
    { S(EXCHANGE),   NSM_EXCHANGE_DONE,    act_exchange_done, 0 },
    { S(LOADING),    NSM_LOADING_DONE,     NULL,              NSM_FULL },
    { S(2WAY),       NSM_ADJ_OK,           act_2way,          0 },
    { FROM_EXSTART,  NSM_ADJ_OK,           act_adj_ok,        0 },
    { FROM_EXCHANGE, NSM_SEQ_MISMATCH,     NULL,              NSM_EXSTART },
    { FROM_EXCHANGE, NSM_BAD_LS_REQ,       NULL,              NSM_EXSTART },
    { FROM_2WAY,     NSM_1WAY,             NULL,              NSM_INIT },
    { ANY,           NSM_KILL,             NULL,              NSM_DOWN },
    { ANY,           NSM_INACTIVITY,       NULL,              NSM_DOWN },
    { ANY,           NSM_LL_DOWN,          NULL,              NSM_DOWN },
};

static const char *
nsm_event_string(enum nsm_event event)
{
    switch (event) {
    case NSM_HELLO_RECEIVED: return "HelloReceived";
    case NSM_2WAY_RECEIVED: return "2-WayReceived";
    case NSM_NEGOTIATION_DONE: return "NegotiationDone";
    case NSM_EXCHANGE_DONE: return "ExchangeDone";
    case NSM_BAD_LS_REQ: return "BadLSReq";
    case NSM_LOADING_DONE: return "LoadingDone";
    case NSM_ADJ_OK: return "AdjOK?";
    case NSM_SEQ_MISMATCH: return "SeqNumberMismatch";
    case NSM_1WAY: return "1-WayReceived";
    case NSM_KILL: return "KillNbr";
    case NSM_INACTIVITY: return "InactivityTimer";
    case NSM_LL_DOWN: return "LLDown";
    }
    return "?";
}

static void
forget_diagnoses(struct nbr *nbr)
{
    for (size_t i = 0; i < OSPF_N_DROPS; i++) {
        struct ospf_diagnosis *d = &nbr->iface->diagnoses[i];
        if (i != OSPF_DROP_NETWORK_TYPE
            && (d->router_id == nbr->router_id || d->src == nbr->address)) {
            memset(d, 0, sizeof *d);
        }
    }
}

static void
set_state(const struct step *s, struct nbr *nbr, enum ospf_nbr_state new,
          enum nsm_event event, const char *reason)
{
    enum ospf_nbr_state old = nbr->state;
    bool was_full = nsm_counts_as_full(nbr);

    nbr->state = new;
    nbr->since_ms = s->now;
    nbr->last_event = nsm_event_string(event);
    nbr->n_state_changes++;
    if (new < old) {
        free(nbr->last_fault);
        nbr->last_fault = xstrdup(reason ? reason : nbr->last_event);
    }
    if (new == NSM_FULL || new == NSM_DOWN) {
        nbr->stale = false;
        nbr->stale_until_ms = NEVER;
    }
    ospf_event_put(s, OSPF_EVENT_NEIGHBOR, nbr->iface, nbr,
                   ospf_nbr_state_string(old), ospf_nbr_state_string(new),
                   "%s", reason ? reason : nbr->last_event);

    if (nsm_counts_as_full(nbr) != was_full || (new == NSM_FULL)
        || old == NSM_FULL) {
        s->o->own_dirty = true;
        s->o->dirty |= OSPF_DIRTY_NEIGHBOR;
    }
    if ((old >= NSM_2WAY) != (new >= NSM_2WAY)) {
        nbr->iface->election_due = true;
    }
    if (new == NSM_FULL) {
        forget_diagnoses(nbr);
    }
}

void
nsm_event(const struct step *s, struct nbr *nbr, enum nsm_event event,
          const char *reason)
{
    enum ospf_nbr_state old = nbr->state, new = old;

    for (size_t i = 0; i < ARRAY_SIZE(nsm_table); i++) {
        if (nsm_table[i].event == event && nsm_table[i].states & 1u << old) {
            new = (nsm_table[i].action ? nsm_table[i].action(s, nbr)
                   : nsm_table[i].next);
            break;
        }
    }

    /* SeqNumberMismatch and BadLSReq begin the adjacency anew. */
    bool anew = new == NSM_EXSTART && old > NSM_EXSTART;
    if (new == old && event != NSM_KILL && event != NSM_INACTIVITY
        && event != NSM_LL_DOWN) {
        return;
    }
    if (new < NSM_EXSTART || anew) {
        exchange_reset(s, nbr);
    }
    if (new != old) {
        set_state(s, nbr, new, event, reason);
    } else if (nbr->stale) {
        s->o->own_dirty = true;
        s->o->dirty |= OSPF_DIRTY_NEIGHBOR;
    }

    switch (new) {
    case NSM_DOWN:
        nbr->iface->election_due = true;
        nsm_destroy(nbr);
        break;
    case NSM_EXSTART:
        exchange_start(s, nbr);
        break;
    case NSM_EXCHANGE:
        exchange_negotiated(s, nbr);
        break;
    case NSM_LOADING:
    case NSM_FULL:
        if (event == NSM_EXCHANGE_DONE) {
            exchange_done(s, nbr);
        }
        break;
    case NSM_INIT:
    case NSM_2WAY:
        break;
    }
}

/* Timers. */

void
nsm_run(const struct step *s, struct nbr *nbr)
{
    long long int rxmt = nbr->iface->cfg.rxmt_interval * 1000LL;

    if (s->now >= nbr->stale_until_ms) {
        nbr->stale = false;
        nbr->stale_until_ms = NEVER;
        s->o->own_dirty = true;
        s->o->dirty |= OSPF_DIRTY_NEIGHBOR;
        nbr->iface->election_due = true;
        ospf_event_put(s, OSPF_EVENT_NEIGHBOR, nbr->iface, nbr, "stale",
                       ospf_nbr_state_string(nbr->state),
                       "not Full again within its dead interval");
        if (nbr->state == NSM_DOWN) {
            nsm_event(s, nbr, NSM_KILL, "not heard of since the restart");
            return;
        }
    }
    if (s->now >= nbr->inactivity_ms) {
        nsm_event(s, nbr, NSM_INACTIVITY, "no Hello within dead interval");
        return;
    }
    if (s->now >= nbr->dd_rxmt_ms) {
        nbr->dd_rxmt_ms = s->now + rxmt;
        exchange_resend_dd(s, nbr);
    }
    if (s->now >= nbr->dd_free_ms) {
        ofpbuf_delete(nbr->dd_sent);
        nbr->dd_sent = NULL;
        nbr->dd_free_ms = NEVER;
    }
    if (s->now >= nbr->lsr_rxmt_ms) {
        exchange_request_more(s, nbr, true);
    }
    if (s->now >= nbr->lsu_rxmt_ms) {
        flood_retransmit(s, nbr);
    }
}

long long int
nsm_next_wake(const struct nbr *nbr)
{
    long long int t = MIN(nbr->stale_until_ms, nbr->inactivity_ms);
    t = MIN(t, MIN(nbr->dd_rxmt_ms, nbr->dd_free_ms));
    return MIN(t, MIN(nbr->lsr_rxmt_ms, nbr->lsu_rxmt_ms));
}
