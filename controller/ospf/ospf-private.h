/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_OSPF_PRIVATE_H
#define CONTROLLER_OSPF_OSPF_PRIVATE_H 1

/* The inside of a "struct ospf", for the files in this folder only.
 *
 *    ospf.c        life, configuration, dispatch of events, timers
 *    iface.c       interface state machine, Hello, election of the DR
 *    neighbor.c    neighbour state machine
 *    exchange.c    database description and loading
 *    flood.c       updates, acknowledgments, retransmission, ageing
 *    originate.c   our own LSAs
 *    externals.c   which AS-external-LSAs are ours
 *
 * Who changes what: a neighbour's state changes in nsm_event() only, an
 * interface's in iface.c only; the LSDB in flood.c (flood_install(),
 * flood_flush(), and removal) only; own LSAs get their contents and sequence
 * numbers in originate.c only.
 *
 * Every function that acts takes a "struct step": the router, the time, and
 * where actions go.  Nothing else reads a time.
 *
 * Entry points end with step_finish(), which sends what has been collected
 * (updates are packed per interface) and removes MaxAge LSAs that nobody needs
 * any more; so no function below an entry point removes an LSDB entry that its
 * caller may hold. */

#include <limits.h>
#include "controller/ospf/lsdb.h"
#include "controller/ospf/ospf.h"
#include "controller/ospf/packet.h"
#include "controller/ospf/rib-build.h"
#include "controller/ospf/spf.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/ofpbuf.h"

#define NEVER LLONG_MAX

#define OSPF_OPTIONS OPTION_E   /* Ours, never changing. */

/* Architectural constants, in ms. */
#define MIN_LS_INTERVAL 5000
#define MIN_LS_ARRIVAL 1000
#define MAX_SOON 10             /* So many may come sooner. */
/* A little more than MinLSArrival, so that what was sent at that distance is
 * not too soon for a peer's clock. */
#define MIN_LS_ARRIVAL_SAFE 1100
#define ACK_DELAY 200           /* Of delayed acknowledgments. */

struct step {
    struct ospf *o;
    long long int now;
    struct ospf_out *out;
};

struct lsa_vec {
    struct ospf_lsa **lsas;     /* References are owned. */
    size_t n, allocated;
};

/* An entry of a neighbour's retransmission or request list. */
struct nbr_lsa {
    struct hmap_node hmap_node; /* By key. */
    struct ovs_list list_node;  /* Oldest first. */
    struct lsa_header header;
    struct ospf_lsa *lsa;       /* Retransmissions only. */
    long long int sent_ms;      /* Retransmissions only: last time. */
    bool in_flight;             /* Requests only: asked for. */
};
struct nbr_lsa_list {
    struct hmap map;
    struct ovs_list order;
};

struct nbr {
    struct ovs_list list_node;  /* In iface->nbrs, by router ID. */
    struct iface *iface;
    uint32_t router_id;
    uint32_t address;

    /* From its Hello. */
    uint8_t priority;
    uint32_t dr, bdr;           /* Addresses. */
    bool hello_seen;
    long long int first_hello_ms;

    /* State machine. */
    enum ospf_nbr_state state;
    long long int since_ms;
    const char *last_event;
    char *last_fault;
    uint64_t n_state_changes;
    long long int inactivity_ms;

    /* Held as Full since a restart, until then. */
    bool stale;
    long long int stale_until_ms;

    /* Database description. */
    bool master;                /* We are. */
    uint32_t dd_seq;
    struct ofpbuf *dd_sent;     /* Our last packet, or NULL. */
    long long int dd_rxmt_ms;
    long long int dd_free_ms;   /* Slave: when 'dd_sent' may go. */
    unsigned int dd_tries;
    long long int dd_repeat_ms; /* When our offer may be repeated. */
    bool early;                 /* A peer that is to be master offered... */
    uint32_t early_seq;         /* ...this before we were in ExStart... */
    uint8_t early_options;      /* ...with these... */
    long long int early_ms;     /* ...at this time. */
    bool dd_any;                /* Something has been received... */
    uint8_t dd_flags, dd_options; /* ...last with these... */
    uint32_t dd_peer_seq;       /* ...and this number. */
    bool dd_more;               /* We have more to describe. */
    struct lsa_vec summary;     /* To describe, from 'summary_pos' on. */
    size_t summary_pos;

    /* Loading. */
    struct nbr_lsa_list requests;
    size_t n_in_flight;
    long long int lsr_rxmt_ms;
    struct lsa_key *held;       /* Its requests, until ExchangeDone. */
    size_t n_held, allocated_held;

    /* Flooding. */
    struct nbr_lsa_list rxmt;
    long long int lsu_rxmt_ms;
};

struct iface {
    struct ospf_iface_config cfg; /* 'name' is owned. */
    bool up;
    bool keep;                  /* Mark for ospf_configure(). */
    enum ospf_iface_state state;
    uint32_t dr, bdr;           /* Addresses. */
    uint32_t dr_router_id;      /* Of the DR, 0 if it is not known. */
    bool restored;              /* 'dr' and 'bdr' come from a snapshot. */
    bool election_due;          /* NeighborChange, at the end of the step. */
    struct ovs_list nbrs;       /* Of struct nbr. */

    long long int hello_ms;     /* Next Hello. */
    long long int wait_ms;      /* End of Waiting. */

    struct lsa_vec flood;       /* To be sent at the end of the step. */
    struct lsa_vec acks;        /* To be acknowledged, delayed. */
    long long int ack_ms;

    struct ospf_diagnosis diagnoses[OSPF_N_DROPS];
};

struct wire {
    struct ospf_wire_config cfg;
};

/* The seam for more areas: everything with area scope. */
struct ospf_area {
    uint32_t id;
    struct lsdb lsdb;
};

/* An LSA of our own that should exist, or should go. */
struct own_lsa {
    struct hmap_node hmap_node; /* In o->own, by key. */
    struct heap_node due;       /* In o->own_due, if 'queued'. */
    bool queued;
    bool wanted;
    bool forced;                /* Originate although nothing changed. */
    struct lsa_key key;
    uint8_t *body;              /* Without header; network byte order. */
    uint16_t body_len;
    int32_t last_seq;           /* Of the last origination, 0: none. */
    long long int changed_ms;   /* When 'body' or 'wanted' last changed. */
    long long int last_ms;      /* Last origination... */
    long long int prev_ms;      /* ...the one before. */
    long long int fight_ms;     /* Last answer to somebody else's copy. */
};

/* An external prefix of ours. */
struct own_external {
    struct hmap_node hmap_node; /* In o->externals, by prefix. */
    struct hmap_node id_node;   /* In o->external_ids, if 'has_lsid'. */
    struct ospf_external_config cfg;
    uint32_t lsid;
    bool has_lsid;
};

struct ospf {
    uint32_t router_id;
    bool configured;
    bool shutting_down;

    struct iface **ifaces;      /* In order of the configuration. */
    size_t n_ifaces;
    struct wire *wires;         /* Likewise. */
    size_t n_wires;
    struct ospf_stub_config *stubs;
    size_t n_stubs;
    uint32_t *family;
    size_t n_family;

    struct ospf_area area;
    struct lsdb externals_db;

    struct hmap own;            /* Of struct own_lsa. */
    struct heap own_due;
    struct hmap externals;      /* Of struct own_external. */
    struct hmap external_ids;   /* The same, by link state ID. */
    struct ospf_external_config *external_cfg; /* The same, sorted. */
    size_t n_external_cfg;
    uint32_t *networks;         /* Link state IDs of own network-LSAs. */
    size_t n_networks;
    bool own_dirty;             /* Router- and network-LSAs to be rebuilt. */
    long long int sweep_ms;     /* When restored LSAs of ours go that nothing
                                 * wants. */

    unsigned int dirty;         /* OSPF_DIRTY_*. */
    struct lsa_key *reap;       /* Entries that may be removable. */
    size_t n_reap, allocated_reap;
    long long int reap_ms;      /* When to look at them at the latest. */
    struct ospf_counters counters;

    /* Results, as of the last ospf_run_spf(). */
    struct spf_graph *graph;
    struct rib_externals *rib_externals;
    struct ospf_rib *rib;
    uint64_t seqno, externals_seqno;
};

/* ospf.c */
void step_finish(const struct step *);
void ospf_event_put(const struct step *, enum ospf_event_type,
                    const struct iface *, const struct nbr *,
                    const char *from, const char *to, const char *reason, ...)
    OVS_PRINTF_FORMAT(7, 8);
void ospf_send(const struct step *, struct iface *, uint32_t dst,
               enum packet_type, struct ofpbuf *);
void ospf_drop(const struct step *, struct iface *, enum ospf_drop,
               uint32_t src, uint32_t router_id, uint32_t ours,
               uint32_t theirs);
/* The same without a drop: remembers the disagreement. */
void ospf_diagnose(const struct step *, struct iface *, enum ospf_drop,
                   uint32_t src, uint32_t router_id, uint32_t ours,
                   uint32_t theirs);
void ospf_wire_put(const struct step *, const struct wire *,
                   const struct ospf_lsa *);
struct iface *ism_find(const struct ospf *, uint32_t id);
size_t ism_payload(const struct iface *); /* Bytes behind OSPF's header. */
struct lsdb *lsdb_for(struct ospf *, uint8_t type);
struct lsdb_entry *ospf_lookup(struct ospf *, const struct lsa_key *);
void ospf_reap(struct ospf *, const struct lsa_key *);
void lsa_vec_push(struct lsa_vec *, const struct ospf_lsa *);
void lsa_vec_clear(struct lsa_vec *);
void lsa_vec_destroy(struct lsa_vec *);

/* iface.c */
struct iface *ism_create(const struct ospf_iface_config *);
void ism_destroy(struct iface *);
void ism_start(const struct step *, struct iface *);
void ism_stop(const struct step *, struct iface *, const char *reason);
void ism_neighbor_change(const struct step *, struct iface *);
void ism_receive_hello(const struct step *, struct iface *,
                         const struct ospf_rx *, const struct packet *);
void ism_run(const struct step *, struct iface *);
long long int ism_next_wake(const struct iface *);
void ism_send_hello(const struct step *, struct iface *);
uint32_t ism_mask(const struct iface *);

/* neighbor.c */
enum nsm_event {
    NSM_HELLO_RECEIVED, NSM_2WAY_RECEIVED, NSM_NEGOTIATION_DONE,
    NSM_EXCHANGE_DONE, NSM_BAD_LS_REQ, NSM_LOADING_DONE, NSM_ADJ_OK,
    NSM_SEQ_MISMATCH, NSM_1WAY, NSM_KILL, NSM_INACTIVITY, NSM_LL_DOWN,
};
struct nbr *nsm_create(const struct step *, struct iface *,
                       uint32_t router_id, uint32_t address);
void nsm_destroy(struct nbr *);
struct nbr *nsm_find(const struct iface *, uint32_t router_id);
struct nbr *nsm_find_address(const struct iface *, uint32_t address);
/* May destroy 'nbr' (Kill, InactivityTimer, LLDown do). */
void nsm_event(const struct step *, struct nbr *, enum nsm_event,
               const char *reason);
bool nsm_counts_as_full(const struct nbr *);
void nsm_run(const struct step *, struct nbr *);
long long int nsm_next_wake(const struct nbr *);
uint32_t nsm_dst(const struct nbr *);
/* A neighbour left the states between Full and ExStart, or came to Full. */
bool ospf_any_exchanging(const struct ospf *);

struct nbr_lsa *nbr_lsa_find(const struct nbr_lsa_list *,
                             const struct lsa_key *);
struct nbr_lsa *nbr_lsa_add(struct nbr_lsa_list *, const struct lsa_header *,
                            const struct ospf_lsa *);
void nbr_lsa_remove(struct nbr_lsa_list *, struct nbr_lsa *);
void nbr_lsa_clear(struct nbr_lsa_list *);
void nbr_lsa_init(struct nbr_lsa_list *);
void nbr_lsa_destroy(struct nbr_lsa_list *);

/* exchange.c */
void exchange_start(const struct step *, struct nbr *);
void exchange_negotiated(const struct step *, struct nbr *);
void exchange_done(const struct step *, struct nbr *);
void exchange_reset(const struct step *, struct nbr *);
void exchange_receive_dd(const struct step *, struct nbr *,
                         const struct packet *, uint32_t src);
void exchange_receive_lsr(const struct step *, struct nbr *,
                          const struct packet *, uint32_t src);
void exchange_resend_dd(const struct step *, struct nbr *);
void exchange_request_more(const struct step *, struct nbr *, bool again);
void exchange_request_answered(const struct step *, struct nbr *,
                               struct nbr_lsa *);

/* flood.c */
void flood_receive_lsu(const struct step *, struct nbr *,
                       const struct packet *, uint32_t src);
void flood_receive_ack(const struct step *, struct nbr *,
                       const struct packet *);
void flood_receive_wire(const struct step *, struct wire *,
                        const struct ospf_lsa *);
void flood_offer_all(const struct step *, const struct wire *);
/* Installs 'lsa' and floods it everywhere.  It is ours. */
void flood_install(const struct step *, const struct ospf_lsa *);
/* Ages the entry to MaxAge and floods that. */
void flood_flush(const struct step *, struct lsdb_entry *);
void flood_retransmit(const struct step *, struct nbr *);
void flood_clear_rxmt(const struct step *, struct nbr *);
void flood_send_pending(const struct step *, struct iface *);
void flood_send_acks(const struct step *, struct iface *);
void flood_send_lsas(const struct step *, struct iface *, uint32_t dst,
                     struct ospf_lsa **, size_t n);
void flood_expire(const struct step *);
void flood_reap(const struct step *);

/* originate.c */
void own_rebuild(const struct step *); /* If o->own_dirty. */
void own_run(const struct step *);
long long int own_next_wake(const struct ospf *);
/* The LSA with that key shall have that body, or shall not be. */
void own_set(const struct step *, const struct lsa_key *, const void *body,
             uint16_t len);
void own_unset(const struct step *, const struct lsa_key *);
bool own_is_ours(const struct ospf *, const struct lsa_key *);
/* Somebody sent us a more recent instance of an LSA of ours, which has been
 * installed. */
void own_received(const struct step *, struct lsdb_entry *);
/* A peer describes the same instance of an LSA of ours as we have: is it from
 * an earlier life? */
void own_check_incarnation(const struct step *, const struct lsdb_entry *,
                           const struct lsa_header *theirs);
/* An LSA of ours is gone from the LSDB. */
void own_removed(const struct step *, const struct lsa_key *);
/* Raises the sequence number although nothing changed. */
void own_force(const struct step *, const struct lsa_key *);
void own_flush_all(const struct step *);
void own_sweep(const struct step *);
/* The router ID changed: everything is to be originated anew. */
void own_restart(const struct step *);
void own_destroy(struct ospf *);

/* externals.c */
void own_set_externals(const struct step *,
                       const struct ospf_external_config *, size_t n);
void own_externals_destroy(struct ospf *);

#endif /* controller/ospf/ospf-private.h */
