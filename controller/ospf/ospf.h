/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_OSPF_H
#define CONTROLLER_OSPF_OSPF_H 1

/* One OSPFv2 router (RFC 2328).
 *
 * A "struct ospf" speaks in the name of one virtual router, or of one
 * attachment of a router that gives no transit.  It is a pure object: it has
 * no sockets and no clock.  Whoever owns it passes events in, each with the
 * time (monotonic milliseconds), and gets back what to do, appended in order
 * to a "struct ospf_out":
 *
 *   - SEND: an OSPF packet to send from an interface.  The caller adds the IP
 *     header (protocol 89, TTL 1, TOS 0xc0) and fragments what is larger than
 *     the interface's MTU (a single LSA may be).
 *
 *   - WIRE: an LSA for a sibling.  Virtual routers of one network are linked
 *     by wires; both ends live in this process, so that no packets are needed:
 *     the caller hands the LSA to the router at the other end with
 *     ospf_wire_receive().  A wire needs no Hello and is always adjacent.
 *     When a wire appears, everything known is offered over it, so WIRE actions
 *     must be delivered after both ends have been configured.
 *
 *   - EVENT: something for the log: a neighbour or interface changed state, a
 *     peer disagrees with us, ...
 *
 * After any call, ospf_next_wake() says when ospf_run() is due, and
 * ospf_dirty() what changed in the result.
 *
 * Invariants:
 *
 *   - Nothing that a peer sends can do more than count a drop: packets are
 *     validated once, in packet.c and lsa.c, before anything looks at them.
 *
 *   - The actions depend on the order of the calls and the times passed in
 *     only; no hash decides an order.
 *
 *   - ospf_configure() may be called with any change at any time; adjacencies
 *     whose interface did not change in a way that peers must notice stay.
 *
 * Addresses, masks and router IDs are uint32_t in host byte order. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/ospf/lsa.h"
#include "controller/ospf/rib.h"

struct ds;
struct ofpbuf;
struct ospf;

#define OSPF_ALL_ROUTERS 0xe0000005u    /* 224.0.0.5 */
#define OSPF_ALL_DROUTERS 0xe0000006u   /* 224.0.0.6 */

/* Configuration.  The caller owns it; ospf_configure() copies. */

enum ospf_iface_type {
    OSPF_P2P,
    OSPF_BROADCAST,
};

struct ospf_iface_config {
    uint32_t id;                /* The caller's, unique within the router. */
    const char *name;           /* For messages. */
    uint32_t address;
    uint8_t plen;
    enum ospf_iface_type type;
    uint16_t cost;              /* 1 .. 65535. */
    uint16_t hello_interval;    /* Seconds, at least 1. */
    uint32_t dead_interval;     /* Seconds, more than hello_interval. */
    uint16_t rxmt_interval;     /* Seconds; 0: the default, 5. */
    uint16_t transmit_delay;    /* Seconds; 0: the default, 1. */
    uint8_t priority;           /* 0: never designated router. */
    uint16_t mtu;               /* IP bytes, at least 576. */
};

/* A network that no neighbour speaks on: a subnet, a loopback, an attachment
 * without OSPF. */
struct ospf_stub_config {
    uint32_t prefix;
    uint8_t plen;
    uint16_t cost;
};

/* A link to a sibling router in this process. */
struct ospf_wire_config {
    uint32_t id;                /* The caller's, unique within the router,
                                 * 1 .. 0xffffff: it is the link data that the
                                 * router-LSA carries. */
    uint32_t peer;              /* Router ID of the sibling. */
    uint16_t cost;              /* 1 .. 65535, from here to there. */
};

struct ospf_config {
    uint32_t router_id;
    uint32_t area;
    const struct ospf_iface_config *ifaces;
    size_t n_ifaces;
    const struct ospf_stub_config *stubs;
    size_t n_stubs;
    const struct ospf_wire_config *wires;
    size_t n_wires;
    const uint32_t *family;     /* Router IDs of all siblings, with or without
                                 * a wire to this router; own ID optional. */
    size_t n_family;
};

/* An external prefix to advertise. */
struct ospf_external_config {
    uint32_t prefix;
    uint8_t plen;
    bool e2;
    uint32_t metric;            /* 1 .. 0xfffffe. */
    uint32_t forwarding;        /* 0: none. */
    uint32_t tag;
};

/* What comes out. */

enum ospf_action_type {
    OSPF_ACTION_SEND,
    OSPF_ACTION_WIRE,
    OSPF_ACTION_EVENT,
};

enum ospf_event_type {
    OSPF_EVENT_NEIGHBOR,        /* A neighbour changed state. */
    OSPF_EVENT_IFACE,           /* An interface changed state. */
    OSPF_EVENT_MISMATCH,        /* First or changed disagreement with a peer. */
    OSPF_EVENT_LSA,             /* Something odd about an LSA of ours. */
};

struct ospf_event {
    enum ospf_event_type type;
    uint32_t iface;             /* The caller's interface ID, 0: none. */
    uint32_t router_id;         /* Of the neighbour, 0: none. */
    uint32_t address;           /* Of the neighbour, 0: none. */
    const char *from, *to;      /* States, static strings, or NULL. */
    char *reason;               /* Text, owned by the action. */
};

struct ospf_action {
    enum ospf_action_type type;
    union {
        struct {
            uint32_t iface;     /* The caller's interface ID. */
            uint32_t src;       /* The interface's address. */
            uint32_t dst;
            uint8_t *data;      /* OSPF packet without IP header; owned. */
            size_t len;
        } send;
        struct {
            uint32_t wire;      /* The caller's wire ID. */
            struct ospf_lsa *lsa; /* One reference is owned. */
        } wire;
        struct ospf_event event;
    };
};

struct ospf_out {
    struct ospf_action *actions;
    size_t n, allocated;
};
#define OSPF_OUT_INIT { NULL, 0, 0 }
void ospf_out_clear(struct ospf_out *);
void ospf_out_uninit(struct ospf_out *);

/* Life. */
struct ospf *ospf_create(void);
void ospf_destroy(struct ospf *);
void ospf_configure(struct ospf *, const struct ospf_config *,
                    long long int now, struct ospf_out *);
void ospf_set_externals(struct ospf *, const struct ospf_external_config *,
                        size_t n, long long int now, struct ospf_out *);
/* Says good-bye before ospf_destroy(): flushes all own LSAs. */
void ospf_shutdown(struct ospf *, long long int now, struct ospf_out *);

/* Events.  Interfaces are down until they are said to be up. */
struct ospf_rx {
    uint32_t iface;             /* The caller's interface ID. */
    uint32_t src, dst;          /* IP addresses. */
    uint8_t ttl;
    const uint8_t *data;        /* OSPF packet without IP header. */
    size_t len;
};
void ospf_iface_up(struct ospf *, uint32_t iface, long long int now,
                   struct ospf_out *);
void ospf_iface_down(struct ospf *, uint32_t iface, long long int now,
                     struct ospf_out *);
void ospf_receive(struct ospf *, const struct ospf_rx *, long long int now,
                  struct ospf_out *);
void ospf_wire_receive(struct ospf *, uint32_t wire, const struct ospf_lsa *,
                       long long int now, struct ospf_out *);
/* Offers everything over 'wire' once more, after the other end was made
 * anew. */
void ospf_wire_resync(struct ospf *, uint32_t wire, long long int now,
                      struct ospf_out *);
/* BFD or the port says that the neighbour is gone. */
void ospf_neighbor_down(struct ospf *, uint32_t iface, uint32_t router_id,
                        const char *reason, long long int now,
                        struct ospf_out *);
void ospf_run(struct ospf *, long long int now, struct ospf_out *);
long long int ospf_next_wake(const struct ospf *); /* LLONG_MAX: never. */

/* Result. */
#define OSPF_DIRTY_TOPOLOGY 0x1 /* Router- or network-LSAs changed. */
#define OSPF_DIRTY_EXTERNAL 0x2 /* AS-external-LSAs changed. */
#define OSPF_DIRTY_NEIGHBOR 0x4 /* A neighbour became or ceased to be Full. */
/* What changed since ospf_run_spf() (OSPF_DIRTY_NEIGHBOR is cleared by it,
 * too). */
unsigned int ospf_dirty(const struct ospf *);
/* Recomputes what is dirty.  The rib stays valid until the next call; it is the
 * same object, with the same 'seqno', if nothing was.  ospf_get_rib() is NULL
 * before the first call. */
const struct ospf_rib *ospf_run_spf(struct ospf *, long long int now);
const struct ospf_rib *ospf_get_rib(const struct ospf *);
/* The same from another router's point of view, for loop-free alternates:
 * routes, routers and borders (same border indexes as ospf_get_rib()), without
 * externals, from the LSDB that ospf_run_spf() last saw.  The caller destroys it.  NULL if 'root' is not in the LSDB. */
struct ospf_rib *ospf_rib_from(const struct ospf *, uint32_t root);

/* True if the neighbour with that address, or with any address if 0, on
 * 'iface' is Full, or held as Full since a restart. */
bool ospf_neighbor_is_full(const struct ospf *, uint32_t iface,
                           uint32_t address);

/* State for a restart: LSDB and neighbours.  Restore after ospf_configure()
 * and before the interfaces come up; neighbours are then held as Full until
 * they are, or until their dead interval has passed.  'now' of the two calls
 * may come from different clocks. */
void ospf_snapshot(const struct ospf *, long long int now, struct ofpbuf *);
bool ospf_restore(struct ospf *, const void *, size_t, long long int now,
                  struct ospf_out *);

/* Introspection. */

enum ospf_iface_state {
    ISM_DOWN, ISM_WAITING, ISM_P2P, ISM_DROTHER, ISM_BACKUP, ISM_DR,
};
enum ospf_nbr_state {
    NSM_DOWN, NSM_INIT, NSM_2WAY, NSM_EXSTART, NSM_EXCHANGE, NSM_LOADING,
    NSM_FULL,
};
const char *ospf_iface_state_string(enum ospf_iface_state);
const char *ospf_nbr_state_string(enum ospf_nbr_state);

/* Why a packet, or an LSA in one, was dropped. */
#define OSPF_DROPS                                                          \
    DROP(NO_IFACE, "no such interface, or it is down")                      \
    DROP(SHORT, "packet too short")                                         \
    DROP(VERSION, "not OSPF version 2")                                     \
    DROP(LENGTH, "length field does not fit the packet")                    \
    DROP(TYPE, "unknown packet type")                                       \
    DROP(CHECKSUM, "wrong packet checksum")                                 \
    DROP(BODY, "malformed packet body")                                     \
    DROP(OWN, "our own packet came back")                                   \
    DROP(SOURCE, "source address outside the interface's subnet")           \
    DROP(DESTINATION, "not addressed to us")                                \
    DROP(ROUTER_ID, "the peer has our router ID")                           \
    DROP(AREA, "area differs")                                              \
    DROP(AUTH, "authentication type differs")                               \
    DROP(HELLO_INTERVAL, "hello interval differs")                          \
    DROP(DEAD_INTERVAL, "dead interval differs")                            \
    DROP(MASK, "network mask differs")                                      \
    DROP(E_BIT, "external capability (E-bit) differs")                      \
    DROP(NO_NEIGHBOR, "no Hello seen from that router")                     \
    DROP(STATE, "not expected in the neighbour's state")                    \
    DROP(MTU, "the peer's MTU differs")                         \
    DROP(NETWORK_TYPE, "one side is point-to-point, the other broadcast")   \
    DROP(SEQUENCE, "database description out of sequence")                  \
    DROP(REQUEST, "request for an LSA that we do not have")                 \
    DROP(LSA_CHECKSUM, "LSA with wrong checksum")                           \
    DROP(LSA_TYPE, "LSA of a type that we do not take")                     \
    DROP(LSA_BODY, "malformed LSA")                                         \
    DROP(LSA_TOO_SOON, "LSA changed again within a second")                 \
    DROP(OTHER_ROUTER, "the peer's router ID changed")                      \
    DROP(SECOND_PEER, "second peer on a point-to-point link")               \
    DROP(NEIGHBORS, "more neighbours than fit into a Hello")
enum ospf_drop {
#define DROP(NAME, TEXT) OSPF_DROP_##NAME,
    OSPF_DROPS
#undef DROP
    OSPF_N_DROPS
};
const char *ospf_drop_string(enum ospf_drop);

/* The last disagreement of each kind that an interface has seen.  It is
 * forgotten when the peer becomes Full. */
struct ospf_diagnosis {
    enum ospf_drop reason;
    uint32_t src;               /* The peer's address. */
    uint32_t router_id;         /* The peer's. */
    uint32_t ours, theirs;      /* Values; the reason says of what. */
    uint64_t count;
    long long int last_ms;
};
void ospf_diagnosis_format(struct ds *, const struct ospf_diagnosis *);

/* Packets by type, 1 .. 5; counts from the creation of the router. */
struct ospf_counters {
    uint64_t rx[6];
    uint64_t tx[6];
    uint64_t drops[OSPF_N_DROPS];
    uint64_t retransmitted;     /* LSAs. */
    uint64_t originated;        /* LSAs. */
    uint64_t spf_runs;
};
const struct ospf_counters *ospf_get_counters(const struct ospf *);

struct ospf_iface_info {
    uint32_t id;
    const char *name;
    uint32_t address;
    uint8_t plen;
    enum ospf_iface_type type;
    enum ospf_iface_state state;
    uint16_t cost, mtu, hello_interval;
    uint32_t dead_interval;
    uint32_t dr, bdr;           /* Addresses, 0: none. */
    long long int next_hello_ms, wait_end_ms; /* LLONG_MAX: not running. */
    size_t n_neighbors, n_full;
    struct ospf_diagnosis diagnoses[OSPF_N_DROPS]; /* Those with count > 0. */
    size_t n_diagnoses;
};
struct ospf_nbr_info {
    uint32_t iface;
    uint32_t router_id, address;
    enum ospf_nbr_state state;
    bool stale;                 /* Held as Full since a restart. */
    uint8_t priority;
    uint32_t dr, bdr;           /* What it says. */
    long long int dead_ms;      /* When its Hello is overdue. */
    long long int since_ms;     /* When it came to this state. */
    const char *last_event;     /* What brought it there. */
    const char *last_fault;     /* Why it last went back, or NULL. */
    size_t n_requests, n_retransmits;
    uint64_t n_state_changes;
};
/* By position, in the order of the configuration (interfaces) and of router
 * IDs (neighbours); false beyond the end. */
bool ospf_iface_get(const struct ospf *, size_t i, struct ospf_iface_info *);
bool ospf_neighbor_get(const struct ospf *, uint32_t iface, size_t i,
                       struct ospf_nbr_info *);

uint32_t ospf_router_id(const struct ospf *);

/* The LSAs in order of (type, ID, advertising router).  The caller frees the
 * array, not the LSAs, which stay valid until the next call into 'ospf'. */
const struct ospf_lsa **ospf_lsas(const struct ospf *, size_t *n);
/* All LSAs as text: one line each, or with their contents. */
void ospf_format_lsdb(const struct ospf *, bool contents, long long int now,
                      struct ds *);

#endif /* controller/ospf/ospf.h */
