/* SPDX-License-Identifier: Apache-2.0 */

/* Our own LSAs (RFC 2328 section 12.4).
 *
 * What we want to say and what the LSDB has are kept apart.  For each LSA of
 * our own there is a "struct own_lsa" with the contents that it should have;
 * own_rebuild() here and own_set_externals() in externals.c change those.
 * own_run() compares them with the LSDB, when that is due, and originates,
 * refreshes or flushes.
 *
 * When is it due?  An AS-external-LSA is originated at most once per
 * MinLSInterval; the last value wins.  Router- and network-LSAs may follow
 * their predecessor after a little more than MinLSArrival, but at most two of
 * them per MinLSInterval, so that a link that has just come up is usable
 * without waiting five seconds for the interval that the first LSA without it
 * began.
 *
 * Nothing is originated outside ospf_run(), so that any number of calls (the
 * configuration, a restored LSDB, interfaces that come up) lead to one LSA. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"

/* Beyond these the length field of an LSA would overflow. */
#define MAX_LINKS 5400

/* The same instance with so different an age, in seconds, is from an earlier
 * life of ours. */
#define INCARNATION_AGE_DIFF 30

#define REFRESH_SPREAD_MS 150000

static struct own_lsa *
own_find(const struct ospf *o, const struct lsa_key *key)
{
    struct own_lsa *own;

    HMAP_FOR_EACH_WITH_HASH (own, hmap_node, lsa_key_hash(key), &o->own) {
        if (!lsa_key_compare(&own->key, key)) {
            return own;
        }
    }
    return NULL;
}

static void
own_free(struct ospf *o, struct own_lsa *own)
{
    if (own->queued) {
        heap_remove(&o->own_due, &own->due);
    }
    hmap_remove(&o->own, &own->hmap_node);
    free(own->body);
    free(own);
}

static void
schedule(const struct step *s, struct own_lsa *own, long long int ms)
{
    uint64_t priority = UINT64_MAX / 2 - MAX(ms, s->now);

    if (own->queued) {
        heap_change(&s->o->own_due, &own->due, priority);
    } else {
        heap_insert(&s->o->own_due, &own->due, priority);
        own->queued = true;
    }
}

/* When 'own' may be originated again. */
static long long int
earliest(const struct step *s, const struct own_lsa *own)
{
    if (!own->last_seq) {
        return s->now;
    }
    if (!own->wanted) {
        return own->last_ms + MIN_LS_ARRIVAL_SAFE;
    }
    if (own->key.type == OSPF_LSA_EXTERNAL) {
        return own->last_ms + MIN_LS_INTERVAL;
    }
    return MAX(own->last_ms + MIN_LS_ARRIVAL_SAFE,
               own->prev_ms + MIN_LS_INTERVAL);
}

void
own_set(const struct step *s, const struct lsa_key *key, const void *body,
        uint16_t len)
{
    struct own_lsa *own = own_find(s->o, key);

    if (!own) {
        own = xzalloc(sizeof *own);
        own->key = *key;
        own->last_ms = own->prev_ms = own->fight_ms = -MIN_LS_INTERVAL;
        hmap_insert(&s->o->own, &own->hmap_node, lsa_key_hash(key));
    } else if (own->wanted && own->body_len == len
               && !memcmp(own->body, body, len)) {
        return;
    }
    free(own->body);
    own->body = xmemdup(body, len);
    own->body_len = len;
    own->wanted = true;
    own->changed_ms = s->now;
    schedule(s, own, earliest(s, own));
}

void
own_unset(const struct step *s, const struct lsa_key *key)
{
    struct own_lsa *own = own_find(s->o, key);

    if (own && own->wanted) {
        own->wanted = own->forced = false;
        own->changed_ms = s->now;
        schedule(s, own, earliest(s, own));
    }
}

bool
own_is_ours(const struct ospf *o, const struct lsa_key *key)
{
    if (key->adv == o->router_id) {
        return true;
    }
    if (key->type == OSPF_LSA_NETWORK) {
        for (size_t i = 0; i < o->n_ifaces; i++) {
            if (o->ifaces[i]->cfg.address == key->id) {
                return true;
            }
        }
    }
    return false;
}

/* Making and withdrawing instances. */

static bool
says_the_same(const struct own_lsa *own, const struct ospf_lsa *lsa)
{
    return (lsa->length == LSA_HEADER_LEN + own->body_len
            && lsa->data[2] == OSPF_OPTIONS
            && !memcmp(lsa->data + LSA_HEADER_LEN, own->body, own->body_len));
}

static long long int
refresh_time(const struct own_lsa *own, const struct ospf_lsa *lsa)
{
    uint32_t spread = hash_add(lsa_key_hash(&own->key), lsa_seq(lsa));
    return (lsa->born_ms + LSA_REFRESH_TIME * 1000LL
            - hash_finish(spread, 4) % REFRESH_SPREAD_MS);
}

static void
originate(const struct step *s, struct own_lsa *own, int32_t seq)
{
    size_t length = LSA_HEADER_LEN + own->body_len;
    uint8_t *data = xzalloc(length);

    data[2] = OSPF_OPTIONS;
    data[3] = own->key.type;
    store_u32(data + 4, own->key.id);
    store_u32(data + 8, own->key.adv);
    store_u32(data + 12, (uint32_t) seq);
    memcpy(data + LSA_HEADER_LEN, own->body, own->body_len);
    lsa_seal(data, length);

    struct ospf_lsa *lsa = lsa_new(data, length, 0, s->now);
    free(data);
    own->forced = false;
    own->prev_ms = own->last_ms;
    own->last_ms = s->now;
    own->last_seq = seq;
    s->o->counters.originated++;
    flood_install(s, lsa);
    schedule(s, own, refresh_time(own, lsa));
    lsa_unref(lsa);
}

/* 'own' is due. */
static void
process(const struct step *s, struct own_lsa *own)
{
    struct lsdb_entry *e = ospf_lookup(s->o, &own->key);

    /* A neighbour that has just asked for it would drop the next one as too
     * soon, and get it only by retransmission. */
    if (e && s->now < e->served_ms + MIN_LS_ARRIVAL_SAFE
        && s->now < own->changed_ms + MIN_LS_INTERVAL) {
        schedule(s, own, e->served_ms + MIN_LS_ARRIVAL_SAFE);
        return;
    }
    if (!own->wanted) {
        if (e) {
            flood_flush(s, e);  /* own_removed() goes on. */
        } else {
            own_free(s->o, own);
        }
        return;
    }
    if (e && !e->max_age && !own->forced && says_the_same(own, e->lsa)
        && s->now < refresh_time(own, e->lsa)) {
        schedule(s, own, refresh_time(own, e->lsa));
        return;
    }

    int32_t seq = e ? lsa_seq(e->lsa) : own->last_seq;
    if (e && seq == LSA_SEQ_MAX) {
        /* Section 12.1.6: it must be gone before the first number is used
         * again; own_removed() goes on. */
        flood_flush(s, e);
        return;
    }
    originate(s, own, !seq || seq == LSA_SEQ_MAX ? LSA_SEQ_INITIAL : seq + 1);
}

static struct own_lsa *
first_due(const struct ospf *o)
{
    return (heap_is_empty(&o->own_due) ? NULL
            : CONTAINER_OF(heap_max(&o->own_due), struct own_lsa, due));
}

static long long int
due_ms(const struct own_lsa *own)
{
    return UINT64_MAX / 2 - own->due.priority;
}

static int
compare_own(const void *a_, const void *b_)
{
    struct own_lsa *const *a = a_, *const *b = b_;
    return lsa_key_compare(&(*a)->key, &(*b)->key);
}

/* Processes all that is due, in order of keys. */
void
own_run(const struct step *s)
{
    struct own_lsa **v = NULL, *own;
    size_t n = 0, allocated = 0;

    while ((own = first_due(s->o)) && due_ms(own) <= s->now) {
        heap_remove(&s->o->own_due, &own->due);
        own->queued = false;
        if (n >= allocated) {
            v = x2nrealloc(v, &allocated, sizeof *v);
        }
        v[n++] = own;
    }
    if (n) {
        qsort(v, n, sizeof *v, compare_own);
    }
    for (size_t i = 0; i < n; i++) {
        process(s, v[i]);
    }
    free(v);
}

long long int
own_next_wake(const struct ospf *o)
{
    if (o->own_dirty) {
        return 0;
    }
    const struct own_lsa *own = first_due(o);
    return MIN(own ? due_ms(own) : NEVER, o->sweep_ms);
}

/* Section 13.4. */
void
own_received(const struct step *s, struct lsdb_entry *e)
{
    struct lsa_key key = lsa_key(e->lsa);
    struct own_lsa *own = own_find(s->o, &key);

    if (e->max_age && (!own || !own->wanted)) {
        return;
    }
    if (key.adv != s->o->router_id || !own || !own->wanted) {
        if (s->now < s->o->sweep_ms && s->o->sweep_ms != NEVER) {
            /* After a restart it may still become wanted. */
            return;
        }
        flood_flush(s, e);
        return;
    }
    if (!e->max_age && says_the_same(own, e->lsa)) {
        own->last_seq = lsa_seq(e->lsa);
        schedule(s, own, refresh_time(own, e->lsa));
        return;
    }
    own->forced = true;
    schedule(s, own, own->fight_ms + MIN_LS_INTERVAL);
    own->fight_ms = s->now;
    ospf_event_put(s, OSPF_EVENT_LSA, NULL, NULL, NULL, NULL,
                   "a more recent copy of our own LSA came back "
                   "(from before a restart, or another router has our ID)");
}

void
own_force(const struct step *s, const struct lsa_key *key)
{
    struct own_lsa *own = own_find(s->o, key);

    if (own && own->wanted) {
        own->forced = true;
        schedule(s, own, earliest(s, own));
    }
}

void
own_check_incarnation(const struct step *s, const struct lsdb_entry *e,
                      const struct lsa_header *theirs)
{
    int diff = theirs->age - lsa_age(e->lsa, s->now);

    if (diff > INCARNATION_AGE_DIFF || diff < -INCARNATION_AGE_DIFF) {
        own_force(s, &theirs->key);
    }
}

void
own_removed(const struct step *s, const struct lsa_key *key)
{
    struct own_lsa *own = own_find(s->o, key);

    if (own && own->wanted) {
        schedule(s, own, s->now);
    } else if (own) {
        /* Forget it, but not the sequence number at once. */
        schedule(s, own, s->now + MIN_LS_INTERVAL);
    }
}

void
own_flush_all(const struct step *s)
{
    struct lsdb *dbs[] = { &s->o->area.lsdb, &s->o->externals_db };
    struct own_lsa *own;

    HMAP_FOR_EACH (own, hmap_node, &s->o->own) {
        own->wanted = own->forced = false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(dbs); i++) {
        size_t n;
        struct lsdb_entry **entries = lsdb_sorted(dbs[i], &n);
        for (size_t j = 0; j < n; j++) {
            if (lsa_adv(entries[j]->lsa) == s->o->router_id) {
                flood_flush(s, entries[j]);
            }
        }
        free(entries);
    }
}

/* Flushes LSAs of ours that were restored and that nothing wants. */
void
own_sweep(const struct step *s)
{
    struct lsdb *dbs[] = { &s->o->area.lsdb, &s->o->externals_db };

    for (size_t i = 0; i < ARRAY_SIZE(dbs); i++) {
        size_t n;
        struct lsdb_entry **entries = lsdb_sorted(dbs[i], &n);
        for (size_t j = 0; j < n; j++) {
            struct lsa_key key = lsa_key(entries[j]->lsa);
            struct own_lsa *own = own_find(s->o, &key);
            if (key.adv == s->o->router_id && (!own || !own->wanted)) {
                flood_flush(s, entries[j]);
            }
        }
        free(entries);
    }
}

/* Router- and network-LSAs. */

static void
put_link(struct ofpbuf *b, size_t *n, uint32_t id, uint32_t data,
         enum router_link_type type, uint16_t metric)
{
    if (++*n <= MAX_LINKS) {
        put_u32(b, id);
        put_u32(b, data);
        put_u8(b, type);
        put_u8(b, 0);
        put_u16(b, metric);
    }
}

static void
put_iface_links(struct ofpbuf *b, size_t *n, const struct iface *iface)
{
    const struct ospf_iface_config *cfg = &iface->cfg;
    uint32_t prefix = cfg->address & ism_mask(iface);
    const struct nbr *nbr;
    bool any_full = false, dr_full = false;

    if (iface->state == ISM_DOWN) {
        return;
    }
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        if (nsm_counts_as_full(nbr)) {
            any_full = true;
            dr_full |= nbr->address == iface->dr;
            if (cfg->type == OSPF_P2P) {
                put_link(b, n, nbr->router_id, cfg->address, LINK_P2P,
                         cfg->cost);
            }
        }
    }
    if (cfg->type == OSPF_BROADCAST && iface->state != ISM_WAITING
        && (iface->state == ISM_DR ? any_full : dr_full)) {
        put_link(b, n, iface->dr, cfg->address, LINK_TRANSIT, cfg->cost);
    } else {
        put_link(b, n, prefix, ism_mask(iface), LINK_STUB, cfg->cost);
    }
}

static void
rebuild_router_lsa(const struct step *s)
{
    struct ospf *o = s->o;
    struct ofpbuf b;
    size_t n = 0;

    ofpbuf_init(&b, 256);
    put_u8(&b, hmap_is_empty(&o->externals) ? 0 : ROUTER_FLAG_E);
    put_u8(&b, 0);
    put_u16(&b, 0);
    for (size_t i = 0; i < o->n_ifaces; i++) {
        put_iface_links(&b, &n, o->ifaces[i]);
    }
    for (size_t i = 0; i < o->n_wires; i++) {
        put_link(&b, &n, o->wires[i].cfg.peer, o->wires[i].cfg.id, LINK_P2P,
                 o->wires[i].cfg.cost);
    }
    for (size_t i = 0; i < o->n_stubs; i++) {
        const struct ospf_stub_config *stub = &o->stubs[i];
        uint32_t mask = stub->plen ? UINT32_MAX << (32 - stub->plen) : 0;
        put_link(&b, &n, stub->prefix & mask, mask, LINK_STUB, stub->cost);
    }
    if (n > MAX_LINKS) {
        ospf_event_put(s, OSPF_EVENT_LSA, NULL, NULL, NULL, NULL,
                       "%"PRIuSIZE" links and stub networks are too many for "
                       "a router-LSA: only the first %d are advertised",
                       n, MAX_LINKS);
        n = MAX_LINKS;
    }
    store_u16((uint8_t *) b.data + 2, n);

    struct lsa_key key = { .type = OSPF_LSA_ROUTER, .id = o->router_id,
                           .adv = o->router_id };
    own_set(s, &key, b.data, b.size);
    ofpbuf_uninit(&b);
}

/* Returns true if there is to be a network-LSA for 'iface'. */
static bool
rebuild_network_lsa(const struct step *s, const struct iface *iface)
{
    struct ofpbuf b;
    const struct nbr *nbr;
    size_t n = 0;

    if (iface->cfg.type != OSPF_BROADCAST || iface->state != ISM_DR) {
        return false;
    }
    ofpbuf_init(&b, 64);
    put_u32(&b, ism_mask(iface));
    put_u32(&b, s->o->router_id);
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        if (nsm_counts_as_full(nbr)) {
            put_u32(&b, nbr->router_id);
            n++;
        }
    }
    if (n) {
        struct lsa_key key = { .type = OSPF_LSA_NETWORK,
                               .id = iface->cfg.address,
                               .adv = s->o->router_id };
        own_set(s, &key, b.data, b.size);
    }
    ofpbuf_uninit(&b);
    return n > 0;
}

void
own_rebuild(const struct step *s)
{
    struct ospf *o = s->o;

    if (!o->own_dirty || !o->configured || o->shutting_down) {
        o->own_dirty = false;
        return;
    }
    o->own_dirty = false;
    rebuild_router_lsa(s);

    uint32_t *old = o->networks;
    size_t n_old = o->n_networks;
    o->networks = xmalloc((o->n_ifaces + 1) * sizeof *o->networks);
    o->n_networks = 0;
    for (size_t i = 0; i < o->n_ifaces; i++) {
        if (rebuild_network_lsa(s, o->ifaces[i])) {
            o->networks[o->n_networks++] = o->ifaces[i]->cfg.address;
        }
    }
    for (size_t i = 0; i < n_old; i++) {
        bool still = false;
        for (size_t j = 0; j < o->n_networks; j++) {
            still |= o->networks[j] == old[i];
        }
        if (!still) {
            struct lsa_key key = { .type = OSPF_LSA_NETWORK, .id = old[i],
                                   .adv = o->router_id };
            own_unset(s, &key);
        }
    }
    free(old);
}

void
own_destroy(struct ospf *o)
{
    struct own_lsa *own;

    HMAP_FOR_EACH_SAFE (own, hmap_node, &o->own) {
        own_free(o, own);
    }
    own_externals_destroy(o);
    free(o->networks);
    o->networks = NULL;
    o->n_networks = 0;
}

void
own_restart(const struct step *s)
{
    struct ospf *o = s->o;
    struct ospf_external_config *v = o->external_cfg;
    size_t n = o->n_external_cfg;

    o->external_cfg = NULL;
    own_destroy(o);
    own_set_externals(s, v, n);
    free(v);
}
