/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_OSPF_NET_H
#define TESTS_UNIT_OSPF_NET_H 1

/* A network of OSPF routers under a virtual clock, for tests: routers, segments
 * that carry packets with delay, loss and duplication, and wires. */

#include "controller/ospf/ospf.h"
#include "openvswitch/dynamic-string.h"
#include "tests/unit/tw-cunit.h"

#define NET_MAX 16

struct net_router {
    struct ospf *ospf;          /* NULL: switched off. */
    struct ospf_config cfg;
    struct ospf_iface_config ifaces[NET_MAX];
    uint32_t segments[NET_MAX]; /* Of each interface. */
    struct ospf_stub_config stubs[NET_MAX];
    struct ospf_wire_config wires[NET_MAX];
    uint32_t family[NET_MAX];
    struct { uint32_t router, wire; } wire_ends[NET_MAX];
    struct ds log;              /* Events. */
    uint64_t n_sent[6];         /* By type. */
    size_t largest_lsu;
};

struct net_packet {
    long long int at;
    uint64_t seq;
    uint32_t router, iface;     /* Receiver. */
    uint32_t src, dst;
    uint8_t *data;
    size_t len;
    struct ospf_lsa *lsa;       /* Over a wire: 'iface' is the wire. */
};

struct net {
    struct net_router routers[NET_MAX];
    size_t n_routers;
    long long int now;
    struct net_packet *queue;
    size_t n_queue, allocated_queue;
    uint64_t seq;
    struct tw_random random;
    unsigned int delay_ms, loss_percent, duplicate_percent;
    bool cut[NET_MAX];          /* Segments that carry nothing. */
    /* Sees each packet; returns true to have it swallowed. */
    bool (*filter)(struct net *, const struct net_packet *);
    void *aux;
};

void net_init(struct net *);
void net_destroy(struct net *);
uint32_t net_add_router(struct net *, uint32_t router_id);
/* Returns the interface ID, which is unique within the router. */
uint32_t net_attach(struct net *, uint32_t router, uint32_t segment,
                    uint32_t address, uint8_t plen, enum ospf_iface_type);
struct ospf_iface_config *net_iface(struct net *, uint32_t router,
                                    uint32_t iface);
void net_add_stub(struct net *, uint32_t router, uint32_t prefix,
                  uint8_t plen, uint16_t cost);
void net_wire(struct net *, uint32_t a, uint32_t b, uint16_t cost_a_to_b,
              uint16_t cost_b_to_a);
/* Tells the router its configuration. */
void net_configure(struct net *, uint32_t router);
/* Creates those that are off, configures all, brings all interfaces up. */
void net_start(struct net *);
void net_up(struct net *, uint32_t router);
/* Takes the router away without a word. */
void net_kill(struct net *, uint32_t router);
void net_externals(struct net *, uint32_t router,
                   const struct ospf_external_config *, size_t n);
/* Carries out 'out' of a call that the test made itself. */
void net_apply(struct net *, uint32_t router, struct ospf_out *);
void net_run(struct net *, long long int ms);
/* Runs until all neighbours of all routers are Full (those of DROthers with
 * each other may be 2-Way), at most 'ms'.  Returns how long it took, or -1. */
long long int net_run_full(struct net *, long long int ms);
enum ospf_nbr_state net_state(struct net *, uint32_t router, uint32_t iface,
                              uint32_t neighbor_router_id);
/* Do all routers have the same LSDB, ages aside? */
bool net_same_lsdb(struct net *);
const struct ospf_lsa *net_lsa(struct net *, uint32_t router, uint8_t type,
                               uint32_t id, uint32_t adv);

#define IP(A, B, C, D) \
    ((uint32_t) (A) << 24 | (uint32_t) (B) << 16 | (uint32_t) (C) << 8 | (D))

#endif /* tests/unit/ospf-net.h */
