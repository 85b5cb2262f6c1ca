/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMPLAN_H
#define TESTS_SIM_SIMPLAN_H 1

/* A plan: what the operator and the customers of a simulated world want.
 *
 * It is made from a seed, changed by events, and written out as the XML
 * documents that the controller reads.  The oracle reads the plan itself.
 *
 * All customers use the same addresses, so that a packet that strays from one
 * to another would be welcome there.  Addresses are in host byte order. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "openvswitch/dynamic-string.h"
#include "tests/sim/simrand.h"

enum {
    PLAN_MAX_HOSTS = 8,
    PLAN_MAX_CUSTOMERS = 3,
    PLAN_MAX_SUBNETS = 3,
    PLAN_MAX_NODES = 8,
    PLAN_MAX_ROUTERS = 6,
    PLAN_MAX_LINKS = 8,
    PLAN_MAX_ATTS = 6,
    PLAN_MAX_PREFIXES = 4,
    PLAN_MAX_PEERS = 5,
    PLAN_MAX_IFACES = 6,
};

#define PLAN_HELLO_S 2
#define PLAN_DEAD_S 8

struct plan_node {
    bool wanted;                /* In the document. */
    int subnet;
    int host;                   /* Where its port is, -1: nowhere. */
};

struct plan_router {
    int subnets;                /* Bits: those that it has an interface on. */
    uint32_t iface_cost;
};

struct plan_link {
    int a, b;                   /* Routers. */
    uint32_t cost_ab, cost_ba;
};

/* An attachment; its attachment point has the same index. */
struct plan_att {
    int router;
    int host;
    uint32_t network;           /* /30: ours is network + 1, theirs + 2. */
    uint32_t cost;
    bool bfd;
    bool policy;                /* Metrics count. */
    int peer, peer_iface;
    bool wire_up;
};

struct plan_via {
    bool wanted;
    uint32_t cost;
};

/* A destination that is stated, at each router that has an attachment among
 * its vias; the prefix has the same index. */
struct plan_destination {
    bool wanted;
    int advertise;              /* 0: no, 1: E1, 2: E2. */
    struct plan_via vias[PLAN_MAX_ATTS];
};

/* What a peer says about an external prefix. */
struct plan_external {
    bool present;
    bool e2;
    uint32_t metric;
};

struct plan_iface {
    int att;                    /* Attachment, or -1: a link to... */
    int peer, iface;            /* ...this one. */
    uint32_t network;           /* Of the link; /30. */
    int side;                   /* Link: 1 or 2, the last bits of the address. */
    uint32_t cost;
    bool up;                    /* Link: not cut. */
};

struct plan_peer {
    uint32_t router_id;
    struct plan_iface ifaces[PLAN_MAX_IFACES];
    int n_ifaces;
    bool up;                    /* False: silent. */
    struct plan_external externals[PLAN_MAX_PREFIXES];
};

struct plan_customer {
    bool wanted;
    struct plan_node nodes[PLAN_MAX_NODES];
    int n_nodes, n_subnets;
    struct plan_router routers[PLAN_MAX_ROUTERS];
    int n_routers;
    struct plan_link links[PLAN_MAX_LINKS];
    int n_links;
    struct plan_att atts[PLAN_MAX_ATTS];
    int n_atts;
    struct plan_destination destinations[PLAN_MAX_PREFIXES];
    int n_prefixes;
    struct plan_peer peers[PLAN_MAX_PEERS];
    int n_peers;
};

struct plan {
    int n_hosts;
    struct plan_customer customers[PLAN_MAX_CUSTOMERS];
    int n_customers;
    uint32_t delay_ms[PLAN_MAX_CUSTOMERS][PLAN_MAX_ATTS]; /* Metrics. */
};

void plan_init(struct plan *, struct simrand *);

/* Addresses. */
uint32_t plan_subnet(int subnet);                   /* /24 */
uint32_t plan_gateway(int subnet, int router);
uint32_t plan_node_address(int node, int subnet);
uint32_t plan_prefix(int prefix);                   /* /24 */

/* Names. */
char plan_customer_letter(int customer);

/* Documents. */
void plan_fabric_xml(const struct plan *, struct ds *);
void plan_config_xml(const struct plan *, int customer, struct ds *);
void plan_metrics_xml(const struct plan *, struct ds *);

#endif /* tests/sim/simplan.h */
