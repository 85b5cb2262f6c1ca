/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ENGINE_ENGINE_PRIVATE_H
#define CONTROLLER_ENGINE_ENGINE_PRIVATE_H 1

/* Inside of the engine.
 *
 *     engine.c        documents, the run loop, clone and check
 *     hosts.c         hosts: ports, what goes to whom, deltas
 *     net.c           one network: topology, places, flows
 *     ways.c          ways: which there are, ARP, alive or not
 *     speakers.c      OSPF instances and what connects them
 *     punts.c         packets from the bridges
 *     query*.c        what 'tollctl' shows
 *     frames.c        the controller's own frames
 *
 * Who owns what: the engine owns hosts and networks.  A network owns its ways,
 * speakers, routes and scope; a host owns its ports and scope.  A network
 * refers to hosts (where its nodes and attachments are); a 'struct
 * engine_presence' joins a network with a host that has something of it.
 *
 * Facts are recorded by events, with a flag that says what has to follow.
 * Only engine_run() computes, in this order: places, costs, then for each
 * network OSPF, routes and adverts until nothing changes, then flows; then
 * each host's local flows and its delta. */

#include "controller/engine/engine.h"

#include "controller/cost/cost.h"
#include "controller/flow/desired.h"
#include "controller/flow/idspace.h"
#include "controller/flow/pipeline.h"
#include "controller/flow/reconcile.h"
#include "controller/model/alloc.h"
#include "controller/model/model.h"
#include "controller/model/topo.h"
#include "controller/ospf/ospf.h"
#include "controller/route/route.h"
#include "openvswitch/shash.h"

/* A port as last reported. */
struct engine_port_fact {
    char *name;
    char *iface_id;             /* Or NULL. */
    char *remote;               /* Tunnel: address, or NULL for "flow". */
    uint32_t ofport;
    uint64_t seqno;             /* When it came: a later one wins a node. */
    bool up;
    bool tunnel;
    enum engine_bfd_state bfd;
    uint16_t mtu;
};

struct engine_host {
    char *name;
    uint32_t id;                /* Number in flows, from 'host_ids'. */
    struct in6_addr tunnel;
    bool in_fabric;
    size_t index;               /* Scratch of presences_sync(). */

    struct engine_port_fact *ports; /* By name. */
    size_t n_ports;

    bool connected;
    struct installed *installed; /* Just connected, to be compared; or NULL. */
    uint64_t sent, confirmed;   /* Serials. */

    bool reported;              /* Its ports have been heard of. */
    bool stale;                 /* Ports or peers changed: local flows due. */

    struct scope *scope;        /* What is no network's. */
    struct engine_presence **presences; /* By network's key. */
    size_t n_presences;

    struct delta pending;       /* To be sent by this engine_run(). */
    uint64_t config_digest;     /* Of the engine_host_config last announced. */
};

/* A network on a host: the flows that are local there. */
struct engine_presence {
    struct engine_host *host;
    struct engine_net *net;
    struct scope *scope;
    bool fresh;                 /* The host has nothing of the network yet. */
};

/* A port with a node's iface-id. */
struct engine_node_port {
    struct engine_host *host;
    uint32_t ofport;
    uint64_t seqno;
};

/* Where a node's port is. */
struct engine_place {
    struct engine_host *host;   /* NULL: nowhere. */
    uint32_t ofport;
    bool changed;               /* For flows. */
};

/* An attachment's port. */
struct engine_att {
    struct engine_host *host;   /* The fabric's word; never NULL once built. */
    uint32_t ofport;            /* 0: not there. */
    bool up;
    enum engine_bfd_state bfd;
    bool host_lost;             /* Its host answers nobody. */
    bool changed;               /* For flows. */
    bool told_up;               /* What the OSPF interface was told last. */
    bool moved;                 /* By this configuration, to another port. */
    struct engine_heard {       /* Who spoke there last, a ring. */
        ovs_be32 ip;
        struct eth_addr mac;
    } heard[16];
    unsigned int n_heard;
};

/* A way that the routes name, or an OSPF neighbour. */
enum arp_state { ARP_NONE, ARP_ASKING, ARP_KNOWN, ARP_PROBING };
struct engine_way {
    struct pl_way pl;
    uint32_t attachment_id;
    struct in6_addr addr;       /* Of the peer; unspecified: not known. */
    enum arp_state arp;
    struct eth_addr mac;        /* While ARP_KNOWN or ARP_PROBING. */
    long long int arp_next_ms;  /* When to ask, or ask again. */
    unsigned int arp_tries;

    bool alive;
    enum route_why why;
    bool changed;               /* For flows. */
};

/* An OSPF router: one per virtual router, or per attachment without transit. */
struct engine_speaker {
    struct ospf *ospf;
    size_t router;              /* Index. */
    size_t attachment;          /* Index, SIZE_MAX: the router as a whole. */
    uint32_t key;               /* Router's or attachment's object id. */
    bool fresh;                 /* Made by this configuration. */
    bool told;                  /* The routes have its rib. */
};

struct engine_net {
    struct engine *engine;
    char *key;                  /* "customer/network". */
    struct topo_network *topo;
    struct pl_links links;
    struct scope *scope;
    struct route_net *routes;

    struct engine_place *nodes; /* As topo->nodes. */
    struct engine_att *atts;    /* As topo->attachments. */
    struct engine_way **ways;   /* By attachment id, next hop. */
    size_t n_ways;
    struct engine_speaker *speakers; /* By router, attachment. */
    size_t n_speakers;

    struct engine_presence **presences; /* By host's name. */
    size_t n_presences;

    struct delta delta;         /* Of 'scope', of this engine_run(). */

    bool new_topo;              /* Everything is due. */
    bool touched;               /* Something happened: run it. */
    bool state_due;             /* Worth storing... */
    long long int state_next_ms; /* ...but not before this. */
    size_t state_size;          /* Bytes when it was stored last. */
    uint64_t n_runs;
};

struct engine {
    uint32_t basis;
    struct model_fabric *fabric;
    struct alloc_set *alloc;
    struct model_config **configs;  /* By customer. */
    size_t n_configs;

    struct engine_host **hosts; /* By name. */
    size_t n_hosts;
    struct engine_net **nets;   /* By key. */
    size_t n_nets;

    struct idspace *group_ids, *meter_ids, *host_ids;
    struct cost_state *costs;

    uint64_t port_seqno;
    uint64_t serial;
    uint16_t ip_id;             /* Identification of our IP packets. */
    bool places;                /* Some host's ports changed. */
    long long int hold_ms;      /* Nothing is sent before; LLONG_MIN: ready. */
    uint64_t n_punts[PL_N_PUNTS];
    uint64_t n_bad_frames;
    uint64_t n_fragments;       /* OSPF fragments, dropped. */
};

/* engine.c */
void engine_log(struct engine_out *, bool warn, const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);
struct engine_action *engine_action(struct engine_out *,
                                    enum engine_action_type, const char *host);
struct engine_net *engine_find_net(const struct engine *, const char *key);
struct engine *engine_clone(const struct engine *, long long int now);

/* hosts.c */
struct engine_host *engine_find_host(const struct engine *, const char *name);
void hosts_set_fabric(struct engine *);
void hosts_destroy(struct engine *);
/* Fills 'index' with iface-id -> struct engine_node_port. */
void hosts_index_nodes(const struct engine *, struct shash *index);
const struct engine_port_fact *host_find_port(const struct engine_host *,
                                              const char *name);
uint32_t host_tunnel(const struct engine_host *,
                     const struct engine_host *to, enum engine_bfd_state *);
bool host_is_lost(const struct engine *, const struct engine_host *);
void presences_sync(struct engine_net *);
void presence_destroy(struct engine_presence *);
void presence_flows(struct engine_presence *, bool all);
void hosts_base_flows(struct engine *);
void hosts_emit(struct engine *, long long int now, struct engine_out *);
void hosts_copy_facts(struct engine *, const struct engine *);

/* net.c */
struct engine_net *net_create(struct engine *, const char *key);
void net_destroy(struct engine_net *);
void net_set_topo(struct engine_net *, struct topo_network *,
                  long long int now, struct engine_out *);
void net_find_places(struct engine_net *, const struct shash *index,
                     long long int now, struct engine_out *);
void net_run(struct engine_net *, long long int now, struct engine_out *);
const struct model_config *net_config(const struct engine_net *);
size_t net_attachment_by_id(const struct topo_network *, uint32_t id);

/* ways.c */
struct engine_way *ways_find(const struct engine_net *, uint32_t attachment_id,
                             const struct in6_addr *next_hop);
struct engine_way *ways_find_id(const struct engine_net *, uint32_t id);
/* Makes the set of ways what routes and neighbours name; true if it changed. */
bool ways_collect(struct engine_net *, long long int now);
/* Tells the routes which ways are alive; true if that changed. */
bool ways_judge(struct engine_net *);
void ways_spread_changes(struct engine_net *);
void ways_arp(struct engine_net *, long long int now, struct engine_out *);
long long int ways_next_wake(const struct engine_net *);
void ways_heard(struct engine_net *, size_t attachment, ovs_be32 ip,
                struct eth_addr mac, long long int now);
bool ways_mac(const struct engine_net *, size_t attachment, ovs_be32 ip,
              struct eth_addr *);
void ways_restore(struct engine_net *, uint32_t attachment_id,
                  const struct in6_addr *addr, struct eth_addr mac,
                  long long int now);
void ways_remap(struct engine_net *, long long int now);
void ways_destroy(struct engine_net *);

/* speakers.c */
void speakers_configure(struct engine_net *, long long int now,
                        struct engine_out *);
void speakers_ports(struct engine_net *, long long int now,
                    struct engine_out *);
void speakers_bfd_down(struct engine_net *, size_t attachment,
                       long long int now, struct engine_out *);
void speakers_run(struct engine_net *, long long int now, struct engine_out *);
/* Gives the routes what OSPF knows; true if that changed. */
bool speakers_ribs(struct engine_net *, long long int now);
void speakers_adverts(struct engine_net *, size_t router, long long int now,
                      struct engine_out *);
void speakers_receive(struct engine_net *, size_t attachment,
                      const struct ospf_rx *, long long int now,
                      struct engine_out *);
long long int speakers_next_wake(const struct engine_net *);
struct engine_speaker *speakers_find(const struct engine_net *,
                                     size_t attachment);
/* Takes leave of all neighbours, before the network goes. */
void speakers_goodbye(struct engine_net *, long long int now,
                      struct engine_out *);
void speakers_destroy(struct engine_net *);

#endif /* controller/engine/engine-private.h */
