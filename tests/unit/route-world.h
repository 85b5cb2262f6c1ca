/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_ROUTE_WORLD_H
#define TESTS_UNIT_ROUTE_WORLD_H 1

/* A small world for tests of the route stage: virtual routers and their peers,
 * what is stated and what the peers say, all in fixed slots that a test changes
 * as it likes.  From it come a topology, and the ribs that OSPF would compute,
 * the slow and obvious way: all distances by Floyd and Warshall, next hops by
 * trying each. */

#include <stdbool.h>
#include <stdint.h>

#include "controller/model/topo.h"
#include "controller/route/route.h"
#include "tests/unit/tw-cunit.h"

#define W_ROUTERS 4
#define W_ATTS 8                /* Attachments: att % W_ROUTERS has it. */
#define W_PEERS 10
#define W_DESTS 14
#define W_EXTS 24
#define W_STUBS 8
#define W_PREFIXES 14
#define W_VERTICES (W_ROUTERS + W_PEERS + W_ATTS)
#define W_INF 0x3fffffff

struct w_router {
    bool present, transit;
    bool wide_node;             /* Its node has a further address. */
};
struct w_link {
    bool present;
    uint32_t cost[2];           /* From the lower slot, from the higher. */
};
enum w_att_type { W_P2P, W_LAN, W_STATIC };
struct w_att {
    bool present;
    enum w_att_type type;
    uint32_t cost;
    uint32_t part;              /* Metric part. */
};
struct w_peer {
    bool up;                    /* Full, if its attachment has OSPF. */
    int att;                    /* Slot; the second peer there is down if it is
                                 * point-to-point. */
    uint32_t cost;              /* Towards us. */
    uint32_t links[W_PEERS];    /* To other peers, W_INF: none. */
};
struct w_dest {
    bool present;
    int router;
    int prefix;
    enum topo_advertise advertise;
    struct {
        bool present;
        int host;               /* 2 or 3: which next hop, 0: unspecified. */
        uint32_t cost;
    } vias[W_ATTS];             /* By attachment; only the router's own. */
};
struct w_ext {
    bool present;
    int peer;                   /* W_PEERS + i: router i's own LSA. */
    int prefix;
    bool e2;
    uint32_t metric;
    int forwarding;             /* Slot of a W_LAN attachment, -1: none. */
};
struct w_stub {
    bool present;
    int peer;
    int prefix;
    uint32_t cost;
};
struct world {
    struct tw_random random;
    struct w_router routers[W_ROUTERS];
    struct w_link links[W_ROUTERS][W_ROUTERS]; /* [low][high]. */
    struct w_att atts[W_ATTS];
    struct w_peer peers[W_PEERS];
    struct w_dest dests[W_DESTS];
    struct w_ext exts[W_EXTS];
    struct w_stub stubs[W_STUBS];
    enum route_why states[W_ATTS][4]; /* By host part; UNKNOWN: no fact. */
    uint64_t seqno;             /* Of ribs. */
};

/* Names of things. */
struct prefix w_prefix(int prefix);
uint32_t w_att_net(int att);    /* Host byte order. */
uint8_t w_att_plen(const struct world *, int att); /* As written. */
int w_peer_host(int peer);
uint32_t w_peer_addr(const struct world *, int peer);
bool w_peer_up(const struct world *, int peer);
uint32_t w_peer_id(int peer);
uint32_t w_router_id(int router);
struct in6_addr w_host(int att, int host);
bool w_att_exists(const struct world *, int att);
/* Indexes in the topology, SIZE_MAX: not there. */
size_t w_router_index(const struct world *, int router);
size_t w_att_index(const struct world *, int att);

void w_init(struct world *, uint64_t seed);
struct topo_network *w_topology(const struct world *);

/* Distances over links, W_INF: none. */
void w_links(const struct world *, uint32_t d[W_ROUTERS][W_ROUTERS]);

/* The area as 'root', a router's slot, sees it; 'att' is the attachment of its
 * instance if it gives no transit, else -1. */
struct w_area {
    const struct world *w;
    int root, att;
    uint32_t edge[W_VERTICES][W_VERTICES];
    uint32_t d[W_VERTICES][W_VERTICES];
    uint32_t wires[W_ROUTERS][W_ROUTERS]; /* Distances within the family. */
};
#define W_PEER(P) (W_ROUTERS + (P))
#define W_NET(A) (W_ROUTERS + W_PEERS + (A))
void w_area_init(struct w_area *, const struct world *, int root, int att);
/* Ways on shortest paths from the root to vertex 'to', as a set of attachment *
 * 4 + host part.  If 'to' is a network, 'fwd' is the host meant. */
uint64_t w_area_ways(const struct w_area *, int to, int fwd);

bool w_area_has(const struct w_area *, int att);
/* Whether LSA 'e' is in the area; the vertex that it points to. */
bool w_ext_exists(const struct w_area *, const struct w_ext *);
int w_ext_vertex(const struct w_ext *, uint32_t *asbr);

/* The rib of the area, from the root or from 'peer' (>= 0). */
struct ospf_rib *w_rib(const struct w_area *, int peer);
void w_rib_free(struct ospf_rib *);

/* Tells 'net' everything, as a new object would be told. */
void w_tell_all(const struct world *, struct route_net *);
void w_tell_rib(const struct world *, struct route_net *, int router);
void w_tell_state(const struct world *, struct route_net *, int att,
                  int host);

#endif /* tests/unit/route-world.h */
