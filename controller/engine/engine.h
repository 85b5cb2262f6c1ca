/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ENGINE_ENGINE_H
#define CONTROLLER_ENGINE_ENGINE_H 1

/* The engine: events in, actions out.
 *
 * A 'struct engine' is a whole controller without its wires.  It holds the
 * facts (documents, allocations, metrics, what each host has, what neighbours
 * and next hops answered) and what follows from them:
 *
 *     topology -> costs -> OSPF -> routes -> flows -> a delta per host
 *
 * Events record facts and mark what depends on them.  engine_run() then
 * recomputes exactly that, once, however many events there were, and appends
 * actions to 'struct engine_out' in an order that depends on nothing but the
 * events.  The caller (tollwayd, or a simulation) carries the actions out.
 *
 * What always holds:
 *
 *   - The engine is pure (no socket, file, clock or random number); time is
 *     passed in, monotonic, in milliseconds.
 *
 *   - After engine_run() the derived state equals what a new engine given the
 *     same facts computes; engine_check() compares the two.
 *
 *   - Nothing that arrives in an event from outside can make it abort.
 *     Documents come in already parsed and checked, packets as bytes.
 *
 *   - A host gets nothing while it is not connected; when it connects, the
 *     caller passes in what is installed there and the difference goes out.
 *
 * Who is served: any number of customers, networks, hosts.  Customers are
 * independent of each other: an event of one recomputes nothing of another. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "controller/base/diag.h"
#include "openvswitch/types.h"

struct delta;
struct ds;
struct engine;
struct installed;
struct json;
struct match;
struct alloc_set;
struct model_config;
struct model_fabric;
struct model_metrics;
struct ofpbuf;

/* What comes out. */

enum engine_action_type {
    ENGINE_HOST_DELTA,          /* Send 'delta' to 'host'; then say applied. */
    ENGINE_HOST_CONFIG,         /* The host's OVSDB part changed. */
    ENGINE_PACKET_OUT,          /* Send 'packet' on 'host'. */
    ENGINE_STATE,               /* OSPF state of 'network' is worth storing. */
    ENGINE_LOG,                 /* For the log. */
};

struct engine_action {
    enum engine_action_type type;
    char *host;                 /* Its name; owned. */
    uint64_t serial;            /* ENGINE_HOST_DELTA: to be confirmed. */
    struct delta *delta;        /* Owned. */
    struct ofpbuf *ofpacts;     /* ENGINE_PACKET_OUT: what to do with it; owned. */
    struct ofpbuf *packet;      /* Ethernet frame, at most 1514 bytes; owned. */
    char *text;                 /* ENGINE_LOG: the line; ENGINE_STATE:
                                 * "customer/network"; owned. */
    bool warn;                  /* ENGINE_LOG: worth a warning. */
};

struct engine_out {
    struct engine_action *actions;
    size_t n, allocated;
};
#define ENGINE_OUT_INIT { NULL, 0, 0 }
void engine_out_clear(struct engine_out *);
void engine_out_uninit(struct engine_out *);

/* Life.  'basis' seeds what must differ between peers but be the same in a
 * replay (DD sequence numbers and the like). */
struct engine *engine_create(uint32_t basis);
void engine_destroy(struct engine *);

/* Documents.
 *
 * The engine takes ownership of what it is given.  engine_set_documents()
 * replaces fabric, allocations and the configurations in one step: a NULL
 * fabric or alloc leaves the present one, 'config' is the new configuration of
 * 'customer', NULL to delete it ('customer' NULL: configurations stay). */
void engine_set_documents(struct engine *, struct model_fabric *,
                          struct alloc_set *, const char *customer,
                          struct model_config *, long long int now,
                          struct engine_out *);
const struct model_fabric *engine_fabric(const struct engine *);
const struct alloc_set *engine_alloc(const struct engine *);
const struct model_config *engine_config(const struct engine *,
                                         const char *customer);
/* The customers in order of name; false beyond the end. */
const struct model_config *engine_config_at(const struct engine *, size_t i);

/* Metrics: names that the fabric doesn't know are diagnosed, and nothing is
 * taken. */
bool engine_set_metrics(struct engine *, const struct model_metrics *,
                        long long int now, struct diags *);

/* Hosts. */

enum engine_bfd_state {
    ENGINE_BFD_NONE,            /* Not configured. */
    ENGINE_BFD_DOWN,
    ENGINE_BFD_UP,
};

struct engine_port {
    const char *name;
    uint32_t ofport;            /* OpenFlow port number. */
    const char *iface_id;       /* external_ids:iface-id, or NULL. */
    bool up;                    /* Administratively up, with link. */
    enum engine_bfd_state bfd;
    uint16_t mtu;               /* 0: not known. */
    bool tunnel;                /* One of Tollway's tunnel ports: ... */
    const char *remote;         /* ...to this address; NULL: "flow". */
};

/* What a host's bridge has now: the whole list each time, any order.  Must
 * come before engine_host_connected().  Until every host of the fabric has
 * been heard of, or ENGINE_HOLD_MS have passed since the first documents,
 * nothing is sent to any host: a controller that starts must not take away
 * what it merely does not know yet. */
#define ENGINE_HOLD_MS 2000
void engine_host_ports(struct engine *, const char *host,
                       const struct engine_port *, size_t n, long long int now);
/* Whether that is so now: then ENGINE_HOST_CONFIG does not know everything
 * either.  It comes again when it does. */
bool engine_is_held(const struct engine *);
/* The OpenFlow session is there, and this is what the bridge holds; the engine
 * takes it over.  The next engine_run() sends the difference. */
void engine_host_connected(struct engine *, const char *host,
                           struct installed *, long long int now);
void engine_host_disconnected(struct engine *, const char *host,
                              long long int now);
/* The host confirmed everything up to 'serial'. */
void engine_host_applied(struct engine *, const char *host, uint64_t serial,
                         long long int now);
/* The session to the host is still up (or not), and everything sent up to
 * engine_serial() is confirmed. */
bool engine_host_is_connected(const struct engine *, const char *host);
/* The last serial that was sent to the host, and the last confirmed. */
uint64_t engine_host_sent(const struct engine *, const char *host);
uint64_t engine_host_confirmed(const struct engine *, const char *host);

/* What the host's OVSDB shall hold besides the bridge itself. */
struct engine_host_config {
    struct engine_peer {        /* Fixed-remote tunnel with BFD, to 'remote'. */
        const char *host;
        struct in6_addr remote;
    } *peers;
    size_t n_peers;
    struct engine_bfd_session { /* BFD on an attachment's port. */
        const char *port;
        uint32_t interval_ms;
        uint8_t multiplier;
        struct in6_addr local_ip, remote_ip;
        struct eth_addr local_mac, remote_mac;
    } *bfds;
    size_t n_bfds;
};
void engine_host_get_config(const struct engine *, const char *host,
                            struct engine_host_config *);
void engine_host_config_uninit(struct engine_host_config *);

/* A packet came from the host's bridge: what the pipeline put in its userdata,
 * the packet-in's metadata (port, registers), and the frame. */
void engine_packet_in(struct engine *, const char *host, const void *userdata,
                      size_t userdata_len, const struct match *metadata,
                      const void *frame, size_t len, long long int now,
                      struct engine_out *);

/* State for a restart, of one network ("customer/network"): OSPF databases and
 * neighbours, next hops' MAC addresses.  Restore after engine_set_documents()
 * and before the first engine_run(). */
void engine_snapshot(struct engine *, const char *network,
                     long long int now, struct ofpbuf *);
/* Asks for all networks' state to be stored again (ENGINE_STATE). */
void engine_store_state(struct engine *);
bool engine_restore(struct engine *, const char *network, const void *,
                    size_t, long long int now, struct engine_out *);

/* Recomputes what is to be recomputed, runs timers. */
void engine_run(struct engine *, long long int now, struct engine_out *);
long long int engine_next_wake(const struct engine *);

/* For tests: compares the derived state with one computed anew from the same
 * facts.  False, with the differences in '*ds', if they differ. */
bool engine_check(const struct engine *, long long int now, struct ds *);

/* What would change: as engine_set_documents(), but on a copy of everything;
 * the differences in routes, LSAs and flows per host as text or JSON.  Does
 * not change the engine. */
struct json *engine_dry_run(const struct engine *, const struct model_fabric *,
                            const struct alloc_set *, const char *customer,
                            const struct model_config *, long long int now);

/* Queries.  The results are for one customer's eyes if 'customer' is not NULL:
 * only its networks, and no host's name. */
struct json *engine_query_hosts(const struct engine *);
struct json *engine_query_nodes(const struct engine *, const char *customer);
struct json *engine_query_routes(const struct engine *, const char *customer,
                                 const char *router);
struct json *engine_query_neighbors(const struct engine *,
                                    const char *customer, long long int now);
struct json *engine_query_lsdb(const struct engine *, const char *customer,
                               bool contents, long long int now);
/* 'from' is customer/network/node or customer/network/router. */
struct json *engine_query_explain(const struct engine *, const char *customer,
                                  const char *from, const struct in6_addr *to,
                                  char **error);
struct json *engine_query_counters(const struct engine *, const char *customer);
struct json *engine_query_metrics(const struct engine *, long long int now);
/* All that is known as one metrics document, which the caller frees. */
char *engine_metrics_document(const struct engine *, long long int now);
struct json *engine_query_topology(const struct engine *, const char *customer);
/* What 'cookie' stands for, as "kind customer/network/name"; the caller frees
 * it. */
char *engine_cookie_name(const struct engine *, uint64_t cookie);
/* All desired flows of one host as text, each with its object. */
struct json *engine_query_flows(const struct engine *, const char *host);

#endif /* controller/engine/engine.h */
