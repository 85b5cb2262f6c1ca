/* SPDX-License-Identifier: Apache-2.0 */

/* Life, configuration, dispatch of events and timers.  See ospf.h and
 * ospf-private.h. */

#include <config.h>
#include "controller/ospf/ospf.h"

#include <stdarg.h>

#include "controller/base/bytes.h"
#include "controller/ospf/ospf-private.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

/* Vectors of LSAs. */

void
lsa_vec_push(struct lsa_vec *v, const struct ospf_lsa *lsa)
{
    if (v->n >= v->allocated) {
        v->lsas = x2nrealloc(v->lsas, &v->allocated, sizeof *v->lsas);
    }
    v->lsas[v->n++] = lsa_ref(lsa);
}

void
lsa_vec_clear(struct lsa_vec *v)
{
    for (size_t i = 0; i < v->n; i++) {
        lsa_unref(v->lsas[i]);
    }
    v->n = 0;
}

void
lsa_vec_destroy(struct lsa_vec *v)
{
    lsa_vec_clear(v);
    free(v->lsas);
    v->lsas = NULL;
    v->allocated = 0;
}

/* Actions. */

static struct ospf_action *
out_add(struct ospf_out *out, enum ospf_action_type type)
{
    if (out->n >= out->allocated) {
        out->actions = x2nrealloc(out->actions, &out->allocated,
                                  sizeof *out->actions);
    }
    struct ospf_action *a = &out->actions[out->n++];
    memset(a, 0, sizeof *a);
    a->type = type;
    return a;
}

void
ospf_out_clear(struct ospf_out *out)
{
    for (size_t i = 0; i < out->n; i++) {
        struct ospf_action *a = &out->actions[i];
        switch (a->type) {
        case OSPF_ACTION_SEND:
            free(a->send.data);
            break;
        case OSPF_ACTION_WIRE:
            lsa_unref(a->wire.lsa);
            break;
        case OSPF_ACTION_EVENT:
            free(a->event.reason);
            break;
        }
    }
    out->n = 0;
}

void
ospf_out_uninit(struct ospf_out *out)
{
    ospf_out_clear(out);
    free(out->actions);
    *out = (struct ospf_out) OSPF_OUT_INIT;
}

/* Sends a complete packet, whose ownership is taken. */
void
ospf_send(const struct step *s, struct iface *iface, uint32_t dst,
          enum packet_type type, struct ofpbuf *b)
{
    struct ospf_action *a = out_add(s->out, OSPF_ACTION_SEND);

    a->send.iface = iface->cfg.id;
    a->send.src = iface->cfg.address;
    a->send.dst = dst;
    a->send.len = b->size;
    a->send.data = ofpbuf_steal_data(b);
    free(b);
    s->o->counters.tx[type]++;
}

void
ospf_wire_put(const struct step *s, const struct wire *wire,
              const struct ospf_lsa *lsa)
{
    struct ospf_action *a = out_add(s->out, OSPF_ACTION_WIRE);

    a->wire.wire = wire->cfg.id;
    a->wire.lsa = lsa_ref(lsa);
}

void
ospf_event_put(const struct step *s, enum ospf_event_type type,
               const struct iface *iface, const struct nbr *nbr,
               const char *from, const char *to, const char *reason, ...)
{
    struct ospf_action *a = out_add(s->out, OSPF_ACTION_EVENT);
    va_list args;

    a->event.type = type;
    a->event.iface = iface ? iface->cfg.id : 0;
    a->event.router_id = nbr ? nbr->router_id : 0;
    a->event.address = nbr ? nbr->address : 0;
    a->event.from = from;
    a->event.to = to;
    va_start(args, reason);
    a->event.reason = xvasprintf(reason, args);
    va_end(args);
}

/* Remembers a disagreement with a peer, and tells of it if it is new. */
void
ospf_diagnose(const struct step *s, struct iface *iface, enum ospf_drop reason,
              uint32_t src, uint32_t router_id, uint32_t ours, uint32_t theirs)
{
    struct ospf_diagnosis *d = &iface->diagnoses[reason];
    bool is_new = (!d->count || d->src != src || d->router_id != router_id
                   || d->ours != ours || d->theirs != theirs);

    d->reason = reason;
    d->src = src;
    d->router_id = router_id;
    d->ours = ours;
    d->theirs = theirs;
    d->count++;
    d->last_ms = s->now;

    /* These come in numbers, and the values differ each time. */
    if (reason == OSPF_DROP_SEQUENCE || reason == OSPF_DROP_NO_NEIGHBOR) {
        is_new = d->count == 1;
    }
    if (is_new) {
        struct ds text = DS_EMPTY_INITIALIZER;
        ospf_diagnosis_format(&text, d);
        ospf_event_put(s, OSPF_EVENT_MISMATCH, iface, NULL, NULL, NULL,
                       "%s", ds_cstr(&text));
        struct ospf_event *event = &s->out->actions[s->out->n - 1].event;
        event->router_id = router_id;
        event->address = src;
        ds_destroy(&text);
    }
}

/* Counts a dropped packet or LSA. */
void
ospf_drop(const struct step *s, struct iface *iface, enum ospf_drop reason,
          uint32_t src, uint32_t router_id, uint32_t ours, uint32_t theirs)
{
    s->o->counters.drops[reason]++;
    /* These two happen between routers that agree on everything. */
    if (iface && reason != OSPF_DROP_LSA_TOO_SOON
        && reason != OSPF_DROP_STATE) {
        ospf_diagnose(s, iface, reason, src, router_id, ours, theirs);
    }
}

/* Lookups. */

struct iface *
ism_find(const struct ospf *o, uint32_t id)
{
    for (size_t i = 0; i < o->n_ifaces; i++) {
        if (o->ifaces[i]->cfg.id == id) {
            return o->ifaces[i];
        }
    }
    return NULL;
}

static struct wire *
wire_find(const struct ospf *o, uint32_t id)
{
    for (size_t i = 0; i < o->n_wires; i++) {
        if (o->wires[i].cfg.id == id) {
            return &o->wires[i];
        }
    }
    return NULL;
}

size_t
ism_payload(const struct iface *iface)
{
    return iface->cfg.mtu - IP_HEADER_LEN_MIN - PACKET_HEADER_LEN;
}

/* The database that holds LSAs of 'type', or NULL if we do not take it. */
struct lsdb *
lsdb_for(struct ospf *o, uint8_t type)
{
    switch (type) {
    case OSPF_LSA_ROUTER:
    case OSPF_LSA_NETWORK:
    case OSPF_LSA_SUMMARY:
    case OSPF_LSA_ASBR_SUMMARY:
        return &o->area.lsdb;
    case OSPF_LSA_EXTERNAL:
        return &o->externals_db;
    default:
        return NULL;
    }
}

struct lsdb_entry *
ospf_lookup(struct ospf *o, const struct lsa_key *key)
{
    struct lsdb *db = lsdb_for(o, key->type);
    return db ? lsdb_find(db, key) : NULL;
}

/* The LSA with 'key' may be removable: see flood_reap(). */
void
ospf_reap(struct ospf *o, const struct lsa_key *key)
{
    if (o->n_reap >= o->allocated_reap) {
        o->reap = x2nrealloc(o->reap, &o->allocated_reap, sizeof *o->reap);
    }
    o->reap[o->n_reap++] = *key;
}

/* Every entry point ends here. */
void
step_finish(const struct step *s)
{
    struct ospf *o = s->o;

    /* An election may change neighbours, and so may bring about another. */
    for (size_t i = 0; i < o->n_ifaces; i++) {
        for (int round = 0; o->ifaces[i]->election_due && round < 4; round++) {
            ism_neighbor_change(s, o->ifaces[i]);
        }
    }
    flood_reap(s);
    for (size_t i = 0; i < o->n_ifaces; i++) {
        flood_send_pending(s, o->ifaces[i]);
    }
}

/* Life. */

struct ospf *
ospf_create(void)
{
    struct ospf *o = xzalloc(sizeof *o);

    lsdb_init(&o->area.lsdb);
    lsdb_init(&o->externals_db);
    hmap_init(&o->own);
    heap_init(&o->own_due);
    hmap_init(&o->externals);
    hmap_init(&o->external_ids);
    o->sweep_ms = NEVER;
    return o;
}

void
ospf_destroy(struct ospf *o)
{
    if (!o) {
        return;
    }
    for (size_t i = 0; i < o->n_ifaces; i++) {
        ism_destroy(o->ifaces[i]);
    }
    free(o->ifaces);
    free(o->wires);
    free(o->stubs);
    free(o->family);
    own_destroy(o);
    hmap_destroy(&o->own);
    heap_destroy(&o->own_due);
    hmap_destroy(&o->externals);
    hmap_destroy(&o->external_ids);
    lsdb_destroy(&o->area.lsdb);
    lsdb_destroy(&o->externals_db);
    free(o->reap);
    spf_graph_destroy(o->graph);
    rib_externals_destroy(o->rib_externals);
    ospf_rib_destroy(o->rib);
    free(o);
}

/* Configuration. */

static struct ospf_iface_config
sanitize(const struct ospf_iface_config *cfg)
{
    struct ospf_iface_config c = *cfg;

    c.plen = MIN(c.plen, 32);
    c.cost = MAX(c.cost, 1);
    c.hello_interval = MAX(c.hello_interval, 1);
    c.dead_interval = MAX(c.dead_interval, c.hello_interval);
    c.rxmt_interval = c.rxmt_interval ? c.rxmt_interval : 5;
    c.transmit_delay = c.transmit_delay ? c.transmit_delay : 1;
    c.mtu = MAX(c.mtu, 576);
    return c;
}

/* Leaves the old name to nobody: a new area or router ID is a new router. */
static void
restart(const struct step *s, const struct ospf_config *cfg)
{
    struct ospf *o = s->o;

    if (o->configured) {
        own_flush_all(s);
        for (size_t i = 0; i < o->n_ifaces; i++) {
            struct nbr *nbr;
            flood_send_pending(s, o->ifaces[i]);
            LIST_FOR_EACH_SAFE (nbr, list_node, &o->ifaces[i]->nbrs) {
                nsm_event(s, nbr, NSM_KILL, "router ID or area changed");
            }
        }
        lsdb_clear(&o->area.lsdb);
        lsdb_clear(&o->externals_db);
        o->n_reap = 0;
        o->dirty |= OSPF_DIRTY_TOPOLOGY | OSPF_DIRTY_EXTERNAL;
    }
    o->router_id = cfg->router_id;
    o->area.id = cfg->area;
    own_restart(s);
    o->own_dirty = true;
}

static bool
needs_restart(const struct ospf_iface_config *a,
              const struct ospf_iface_config *b)
{
    return (a->address != b->address || a->plen != b->plen
            || a->type != b->type);
}

static void
change_iface(const struct step *s, struct iface *iface,
             const struct ospf_iface_config *cfg)
{
    struct ospf_iface_config old = iface->cfg;
    bool again = needs_restart(&old, cfg);

    if (again && iface->state != ISM_DOWN) {
        ism_stop(s, iface, "the interface's address or type changed");
    }
    char *name = xstrdup(cfg->name ? cfg->name : "?");
    free(CONST_CAST(char *, iface->cfg.name));
    iface->cfg = *cfg;
    iface->cfg.name = name;
    if (again && iface->up) {
        ism_start(s, iface);
    }
    if (old.priority != cfg->priority) {
        iface->election_due = true;
    }
    if (old.hello_interval != cfg->hello_interval
        && iface->hello_ms != NEVER) {
        iface->hello_ms = MIN(iface->hello_ms,
                              s->now + cfg->hello_interval * 1000LL);
    }
}

/* Mark, update, sweep. */
static void
configure_ifaces(const struct step *s, const struct ospf_config *cfg)
{
    struct ospf *o = s->o;
    struct iface **v = xmalloc((cfg->n_ifaces + 1) * sizeof *v);

    for (size_t i = 0; i < o->n_ifaces; i++) {
        o->ifaces[i]->keep = false;
    }
    for (size_t i = 0; i < cfg->n_ifaces; i++) {
        struct ospf_iface_config c = sanitize(&cfg->ifaces[i]);
        struct iface *iface = ism_find(o, c.id);
        if (iface) {
            change_iface(s, iface, &c);
        } else {
            iface = ism_create(&c);
        }
        iface->keep = true;
        v[i] = iface;
    }
    for (size_t i = 0; i < o->n_ifaces; i++) {
        struct iface *iface = o->ifaces[i];
        if (!iface->keep) {
            ism_stop(s, iface, "the interface was removed");
            ism_destroy(iface);
        }
    }
    free(o->ifaces);
    o->ifaces = v;
    o->n_ifaces = cfg->n_ifaces;
}

static void
configure_wires(const struct step *s, const struct ospf_config *cfg)
{
    struct ospf *o = s->o;
    struct wire *old = o->wires;
    size_t n_old = o->n_wires;

    o->wires = xzalloc((cfg->n_wires + 1) * sizeof *o->wires);
    o->n_wires = cfg->n_wires;
    for (size_t i = 0; i < cfg->n_wires; i++) {
        bool is_new = true;
        o->wires[i].cfg = cfg->wires[i];
        for (size_t j = 0; j < n_old; j++) {
            if (old[j].cfg.id == cfg->wires[i].id
                && old[j].cfg.peer == cfg->wires[i].peer) {
                is_new = false;
            }
        }
        if (is_new) {
            flood_offer_all(s, &o->wires[i]);
        }
    }
    free(old);
}

void
ospf_configure(struct ospf *o, const struct ospf_config *cfg,
               long long int now, struct ospf_out *out)
{
    struct step s = { o, now, out };

    if (!o->configured || cfg->router_id != o->router_id
        || cfg->area != o->area.id) {
        restart(&s, cfg);
    }
    o->configured = true;

    free(o->stubs);
    o->stubs = xmemdup(cfg->stubs, cfg->n_stubs * sizeof *o->stubs);
    o->n_stubs = cfg->n_stubs;
    if (cfg->n_family != o->n_family
        || (o->n_family && memcmp(o->family, cfg->family,
                                  o->n_family * sizeof *o->family))) {
        o->dirty |= OSPF_DIRTY_TOPOLOGY; /* The family is in the graph. */
    }
    free(o->family);
    o->family = xmemdup(cfg->family, cfg->n_family * sizeof *o->family);
    o->n_family = cfg->n_family;
    configure_ifaces(&s, cfg);
    configure_wires(&s, cfg);

    o->own_dirty = true;
    step_finish(&s);
}

void
ospf_set_externals(struct ospf *o, const struct ospf_external_config *cfg,
                   size_t n, long long int now, struct ospf_out *out)
{
    struct step s = { o, now, out };

    if (o->configured && !o->shutting_down) {
        own_set_externals(&s, cfg, n);
    }
}

void
ospf_shutdown(struct ospf *o, long long int now, struct ospf_out *out)
{
    struct step s = { o, now, out };

    o->shutting_down = true;
    own_flush_all(&s);
    step_finish(&s);
    for (size_t i = 0; i < o->n_ifaces; i++) {
        struct iface *iface = o->ifaces[i];
        if (iface->state != ISM_DOWN) {
            struct nbr *nbr;
            LIST_FOR_EACH_SAFE (nbr, list_node, &iface->nbrs) {
                nsm_event(&s, nbr, NSM_KILL, "this router is shut down");
            }
            /* It lists nobody, so that the peers need not wait. */
            ism_send_hello(&s, iface);
            ism_stop(&s, iface, "this router is shut down");
        }
    }
    step_finish(&s);
}

/* Events. */

void
ospf_iface_up(struct ospf *o, uint32_t id, long long int now,
              struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct iface *iface = ism_find(o, id);

    if (iface && !iface->up) {
        iface->up = true;
        if (!o->shutting_down) {
            ism_start(&s, iface);
        }
        step_finish(&s);
    }
}

void
ospf_iface_down(struct ospf *o, uint32_t id, long long int now,
                struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct iface *iface = ism_find(o, id);

    if (iface && iface->up) {
        iface->up = false;
        ism_stop(&s, iface, "InterfaceDown");
        step_finish(&s);
    }
}

/* Is 'p' from somebody and to somebody that this interface may hear (RFC 2328
 * section 8.2)?  If not, '*ours' and '*theirs' are what differs. */
static enum ospf_drop
check_rx(const struct ospf *o, const struct iface *iface,
         const struct ospf_rx *rx, const struct packet *p,
         uint32_t *ours, uint32_t *theirs)
{
    uint32_t mask = ism_mask(iface);
    bool unnumbered = iface->cfg.type == OSPF_P2P && iface->cfg.plen == 32;

    *ours = iface->cfg.address;
    *theirs = rx->src;
    if (rx->src == iface->cfg.address && p->router_id == o->router_id) {
        return OSPF_DROP_OWN;
    }
    if (!unnumbered && (rx->src ^ iface->cfg.address) & mask) {
        return OSPF_DROP_SOURCE;
    }
    if (rx->dst != OSPF_ALL_ROUTERS && rx->dst != iface->cfg.address
        && !(rx->dst == OSPF_ALL_DROUTERS
             && (iface->state == ISM_DR || iface->state == ISM_BACKUP))) {
        *theirs = rx->dst;
        return OSPF_DROP_DESTINATION;
    }
    if (p->area != o->area.id) {
        *ours = o->area.id;
        *theirs = p->area;
        return OSPF_DROP_AREA;
    }
    if (p->router_id == o->router_id || rx->src == iface->cfg.address) {
        *ours = o->router_id;
        *theirs = p->router_id;
        return OSPF_DROP_ROUTER_ID;
    }
    return OSPF_N_DROPS;
}

static void
receive_packet(const struct step *s, struct iface *iface,
               const struct ospf_rx *rx, const struct packet *p)
{
    if (p->type == PKT_HELLO) {
        ism_receive_hello(s, iface, rx, p);
        return;
    }

    struct nbr *nbr = (iface->cfg.type == OSPF_P2P
                       ? nsm_find(iface, p->router_id)
                       : nsm_find_address(iface, rx->src));
    if (!nbr || nbr->router_id != p->router_id
        || (nbr->state == NSM_DOWN && p->type != PKT_DD)) {
        ospf_drop(s, iface, OSPF_DROP_NO_NEIGHBOR, rx->src, p->router_id,
                  0, p->type);
        return;
    }
    switch (p->type) {
    case PKT_DD:
        exchange_receive_dd(s, nbr, p, rx->src);
        break;
    case PKT_LSR:
        exchange_receive_lsr(s, nbr, p, rx->src);
        break;
    case PKT_LSU:
        flood_receive_lsu(s, nbr, p, rx->src);
        break;
    case PKT_ACK:
        flood_receive_ack(s, nbr, p);
        break;
    case PKT_HELLO:
    default:
        OVS_NOT_REACHED();
    }
}

void
ospf_receive(struct ospf *o, const struct ospf_rx *rx, long long int now,
             struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct iface *iface = ism_find(o, rx->iface);
    uint32_t ours = 0, theirs = 0;
    struct packet p;

    if (!iface || iface->state == ISM_DOWN) {
        o->counters.drops[OSPF_DROP_NO_IFACE]++;
        return;
    }
    enum ospf_drop drop = packet_decode(rx->data, rx->len, &p);
    if (drop == OSPF_N_DROPS) {
        drop = check_rx(o, iface, rx, &p, &ours, &theirs);
    } else if (drop == OSPF_DROP_AUTH) {
        theirs = p.auth_type;
    }
    if (drop == OSPF_DROP_OWN || drop == OSPF_DROP_DESTINATION) {
        /* Nobody's fault. */
        o->counters.drops[drop]++;
    } else if (drop != OSPF_N_DROPS) {
        ospf_drop(&s, iface, drop, rx->src, p.router_id, ours, theirs);
    } else {
        o->counters.rx[p.type]++;
        receive_packet(&s, iface, rx, &p);
    }
    step_finish(&s);
}

void
ospf_wire_receive(struct ospf *o, uint32_t id, const struct ospf_lsa *lsa,
                  long long int now, struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct wire *wire = wire_find(o, id);

    if (wire && !o->shutting_down) {
        flood_receive_wire(&s, wire, lsa);
        step_finish(&s);
    }
}

void
ospf_wire_resync(struct ospf *o, uint32_t id, long long int now,
                 struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct wire *wire = wire_find(o, id);

    if (wire) {
        flood_offer_all(&s, wire);
    }
}

void
ospf_neighbor_down(struct ospf *o, uint32_t iface_id, uint32_t router_id,
                   const char *reason, long long int now,
                   struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct iface *iface = ism_find(o, iface_id);
    struct nbr *nbr = iface ? nsm_find(iface, router_id) : NULL;

    if (nbr) {
        nsm_event(&s, nbr, NSM_KILL, reason);
        step_finish(&s);
    }
}

void
ospf_run(struct ospf *o, long long int now, struct ospf_out *out)
{
    struct step s = { o, now, out };

    for (size_t i = 0; i < o->n_ifaces; i++) {
        ism_run(&s, o->ifaces[i]);
    }
    flood_expire(&s);
    step_finish(&s);
    own_rebuild(&s);
    if (now >= o->sweep_ms) {
        o->sweep_ms = NEVER;
        own_sweep(&s);
    }
    own_run(&s);
    step_finish(&s);
}

long long int
ospf_next_wake(const struct ospf *o)
{
    if (!o->configured || o->shutting_down) {
        return NEVER;
    }
    long long int t = own_next_wake(o);
    for (size_t i = 0; i < o->n_ifaces; i++) {
        t = MIN(t, ism_next_wake(o->ifaces[i]));
    }
    if (o->n_reap && !ospf_any_exchanging(o)) {
        t = MIN(t, o->reap_ms);
    }
    t = MIN(t, lsdb_next_expiry(&o->area.lsdb));
    return MIN(t, lsdb_next_expiry(&o->externals_db));
}

/* Results. */

const struct ospf_rib *
ospf_run_spf(struct ospf *o, long long int now)
{
    bool topology = !o->graph || o->dirty & OSPF_DIRTY_TOPOLOGY;
    bool externals = !o->rib_externals || o->dirty & OSPF_DIRTY_EXTERNAL;

    o->dirty = 0;
    if (!topology && !externals) {
        return o->rib;
    }
    if (topology) {
        spf_graph_destroy(o->graph);
        o->graph = spf_graph_build(&o->area.lsdb, o->family, o->n_family, now);
        o->counters.spf_runs++;
    }
    if (externals) {
        rib_externals_destroy(o->rib_externals);
        o->rib_externals = rib_externals_build(&o->externals_db, now);
        o->externals_seqno++;
    }
    ospf_rib_destroy(o->rib);
    o->rib = rib_build(o->graph, o->router_id, o->rib_externals, true);
    o->rib->seqno = ++o->seqno;
    o->rib->externals_seqno = o->externals_seqno;
    return o->rib;
}

const struct ospf_rib *
ospf_get_rib(const struct ospf *o)
{
    return o->rib;
}

struct ospf_rib *
ospf_rib_from(const struct ospf *o, uint32_t root)
{
    if (!o->graph || spf_graph_router(o->graph, root) == SPF_NONE) {
        return NULL;
    }
    struct ospf_rib *rib = rib_build(o->graph, root, o->rib_externals, false);
    rib->seqno = o->seqno;
    rib->externals_seqno = o->externals_seqno;
    return rib;
}

unsigned int
ospf_dirty(const struct ospf *o)
{
    return o->dirty;
}

uint32_t
ospf_router_id(const struct ospf *o)
{
    return o->router_id;
}

const struct ospf_counters *
ospf_get_counters(const struct ospf *o)
{
    return &o->counters;
}

bool
ospf_neighbor_is_full(const struct ospf *o, uint32_t id, uint32_t address)
{
    const struct iface *iface = ism_find(o, id);

    if (iface) {
        const struct nbr *nbr;
        LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
            if ((!address || nbr->address == address)
                && nsm_counts_as_full(nbr)) {
                return true;
            }
        }
    }
    return false;
}
