/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMWORLD_H
#define TESTS_SIM_SIMWORLD_H 1

/* A simulated world: the whole controller core, hosts with simulated bridges,
 * nodes, and customers' routers, under a virtual clock.
 *
 * The engine's actions go to the bridges as encoded OpenFlow; frames go from
 * port to port through a queue.  Time advances only when nothing is left to do
 * at the present instant, to the next moment at which somebody wakes.
 *
 * One world is one 'struct world'; any number can live side by side. */

#include "controller/engine/engine.h"
#include "controller/model/alloc.h"
#include "controller/model/model.h"
#include "controller/model/schema.h"
#include "controller/ospf/ospf.h"
#include "tests/sim/simplan.h"
#include "tests/sim/simswitch.h"

#define WORLD_PORT_TUNNEL 1     /* The flow-based tunnel port of each host. */

/* Faults at the seam between engine and bridge, to see that tests find them. */
enum world_mutant {
    MUTANT_NONE,
    MUTANT_GROUP_CHANGE_DROPPED,    /* Changes of existing groups get lost. */
    MUTANT_STALE_FLOW_KEPT,         /* Flows are not deleted. */
};

struct sim_host {
    char name[16];
    ovs_be32 tunnel;
    struct simswitch sw;
    bool up;                    /* False: the machine is dead. */
    bool connected;             /* The controller reaches it. */
    uint16_t next_ofport;
    bool ports_due;             /* Ports changed since they were reported. */
};

/* What is at a port: a node, or an attachment of a customer. */
struct sim_end {
    int host, ofport;           /* -1: nowhere. */
};

struct sim_peer {
    struct ospf *ospf;
    struct eth_addr macs[PLAN_MAX_IFACES];
    struct eth_addr tollway[PLAN_MAX_IFACES]; /* MAC of the other end. */
    bool told_up[PLAN_MAX_IFACES];
};

struct sim_customer {
    char name[2];
    struct model_config *config; /* Active, or NULL. */
    struct sim_end nodes[PLAN_MAX_NODES];
    struct eth_addr macs[PLAN_MAX_NODES];
    struct sim_end atts[PLAN_MAX_ATTS];
    struct sim_peer peers[PLAN_MAX_PEERS];
};

/* A frame under way. */
struct sim_frame {
    struct sim_frame *next;
    int host, ofport;           /* To this bridge's port, or (host -1)... */
    int customer, peer, iface;  /* ...to this peer's interface. */
    uint8_t *data;
    size_t size;
};

struct world {
    uint64_t seed;
    struct simrand rand;        /* For events. */
    struct simrand noise;       /* For packet loss. */
    long long int now;          /* Virtual ms. */
    struct plan plan;
    struct engine *engine;
    struct model_schema **schemas; /* By enum model_document; the caller's. */
    struct model_fabric *fabric;
    struct alloc_set *alloc;
    struct model_metrics *metrics;
    struct sim_host hosts[PLAN_MAX_HOSTS];
    bool cut[PLAN_MAX_HOSTS][PLAN_MAX_HOSTS]; /* No tunnel between the two. */
    struct sim_customer customers[PLAN_MAX_CUSTOMERS];
    struct sim_frame *queue_head, **queue_tail;
    uint32_t loss_percent;
    enum world_mutant mutant;
    bool engine_due;
    struct shash *snapshots;    /* By network: struct ofpbuf. */
    struct simresult scratch;

    /* Called for each bridge that a probe passes. */
    void (*watch)(struct world *, int host, const struct simpkt *,
                  const struct simresult *);
    void *watch_aux;

    /* Faults found: text; empty while all is well. */
    struct ds faults;
    int n_faults;
    bool verbose;
    uint64_t n_deltas, n_packet_outs, n_packet_ins, n_frames;
};

void world_init(struct world *, uint64_t seed, struct model_schema **);
void world_destroy(struct world *);

void world_fault(struct world *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Lets the time pass until 'now' is 'ms' later, whatever happens. */
void world_advance(struct world *, long long int ms);

/* Documents. */
void world_submit(struct world *, int customer); /* The plan's, or deletion. */
void world_submit_metrics(struct world *);

/* Ports. */
void world_place_node(struct world *, int customer, int node, int host);
void world_update_ports(struct world *); /* After plan or cut changed. */

/* Controller and hosts. */
void world_restart_controller(struct world *);
void world_disconnect(struct world *, int host);
void world_connect(struct world *, int host);
void world_restart_bridge(struct world *, int host);
/* Reads the bridge as a controller that comes back does, and checks that it
 * finds nothing to do. */
void world_check_reconnect(struct world *, int host);

/* True if hosts' machines and their tunnels both ways work. */
bool world_tunnel_works(const struct world *, int a, int b);
/* The attachment's wire works: host, port, peer. */
bool world_wire_works(const struct world *, int customer, int att);

/* Frames. */
void world_queue_to_port(struct world *, int host, int ofport,
                         const void *data, size_t size);
void world_queue_to_peer(struct world *, int customer, int peer, int iface,
                         const void *data, size_t size);
/* Who is at a port: customer, and node or attachment (the other -1). */
bool world_find_end(const struct world *, int host, int ofport,
                    int *customer, int *node, int *att);

/* Peers (simpeer.c). */
void peer_init(struct world *, int customer, int peer);
void peer_destroy(struct world *, int customer, int peer);
void peer_configure(struct world *, int customer, int peer);
void peer_update_ifaces(struct world *, int customer, int peer);
void peer_receive(struct world *, int customer, int peer, int iface,
                  const void *data, size_t size);
void peer_run(struct world *, int customer, int peer);
long long int peer_next_wake(const struct world *, int customer, int peer);
uint32_t peer_address(const struct world *, int customer, int peer, int iface);
/* Where a peer sends a packet. */
enum peer_verdict { PEER_LOCAL, PEER_PREFIX, PEER_NO_ROUTE, PEER_FORWARD };
enum peer_verdict peer_route(struct world *, int customer, int peer,
                             uint32_t dst, uint32_t hash, int *iface);

/* Probes (simprobe.c). */
enum probe_verdict {
    PROBE_NODE,                 /* Delivered to 'node'. */
    PROBE_PEER,                 /* Delivered to 'peer' itself, or to... */
    PROBE_PREFIX,               /* ...a prefix behind it. */
    PROBE_PUNTED,               /* To the controller: 'punt'. */
    PROBE_DROPPED,              /* By a bridge. */
    PROBE_LOST,                 /* On a wire or at a peer: 'why'. */
    PROBE_LOOP,
    PROBE_WRONG,                /* 'why': leaked, duplicated, ... */
};
const char *probe_verdict_to_string(enum probe_verdict);

struct probe {
    enum probe_verdict verdict;
    int customer, node, peer;
    int punt;                   /* enum pl_punt_reason. */
    int punt_att;               /* In what network it was... */
    const char *why;            /* Static. */
    int first_exit;             /* First attachment it left by, -1: none. */
    int n_exits;                /* How often it left by attachments. */
    int n_hops;                 /* Bridges and peers. */
    struct ds trace;
};
void probe_init(struct probe *);
void probe_destroy(struct probe *);
/* From a node to its first hop's router 'gateway'. */
void probe_from_node(struct world *, struct probe *, int customer, int node,
                     int router, uint32_t dst, uint16_t sport, bool trace);
/* From a host behind a peer. */
void probe_from_peer(struct world *, struct probe *, int customer, int peer,
                     uint32_t dst, uint16_t sport, bool trace);

#endif /* tests/sim/simworld.h */
