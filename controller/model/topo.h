/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_TOPO_H
#define CONTROLLER_MODEL_TOPO_H 1

/* Topology: one network as the later stages see it.
 *
 * A configuration document names things and leaves some values open; the
 * fabric says where the operator's hosts are; allocations fill in what both
 * leave out (VNI, MACs, addresses, placement, numbers).  topo_build() joins the
 * three into a 'struct topo_network' in which every reference is an index or a
 * pointer and every value is final.  Costs, routes and flows are computed from
 * it and from nothing else of the documents.
 *
 * A topology is immutable once built and reference counted; a new revision,
 * fabric or allocation makes a new one.  What changes by itself (where a port
 * is, whether a way is alive, metrics, OSPF) is not here.
 *
 * All vectors are sorted by name (destinations by router, then prefix), so that
 * nothing that is computed from them depends on the order of a document or of
 * a hash.
 *
 * Identifiers ('id' members) are allocated from one number space for all
 * customers, stored, never reused while the object lives, and never 0. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "controller/base/prefix.h"
#include "openvswitch/types.h"

struct alloc_set;
struct model_config;
struct model_fabric;
struct topo_router;

/* Kinds of things that have an identifier, a MAC address of Tollway's own, or
 * a cookie. */
enum topo_kind {
    TOPO_NETWORK = 1,
    TOPO_SUBNET,
    TOPO_NODE,
    TOPO_ROUTER,
    TOPO_INTERFACE,
    TOPO_LINK,
    TOPO_ATTACHMENT,
    TOPO_WAY,
    TOPO_PATH_SET,
    TOPO_ROUTE,
    TOPO_HOST,
};

/* An L2 segment with a prefix. */
struct topo_subnet {
    const char *name;
    uint32_t id;
    struct prefix prefix;
    uint16_t mtu;               /* Octets of IP packet that a node may send. */
};

/* A computing node (VM). */
struct topo_node {
    const char *name;
    uint32_t id;
    const char *iface_id;       /* "customer/network/node", external_ids:iface-id. */
    size_t subnet;              /* Index in subnets[]. */
    struct eth_addr mac;
    struct in6_addr address;    /* IPv4 as v4-mapped, like every address here. */
    struct prefix *addresses;   /* Further addresses or prefixes it may use. */
    size_t n_addresses;
    const char *host;           /* Where it should be (placement), or NULL. */
    const char *zone;           /* Wished zone, or NULL. */
};

/* A router's interface on a subnet. */
struct topo_interface {
    uint32_t id;
    size_t router, subnet;      /* Indexes. */
    struct in6_addr address;    /* Within the subnet's prefix. */
    struct eth_addr mac;
    uint32_t cost;              /* 1...65535, the stub link's cost. */
    uint32_t area;              /* Host byte order. */
};

enum topo_net_type { TOPO_P2P, TOPO_BROADCAST };

struct topo_ospf {
    uint32_t area;              /* Host byte order. */
    enum topo_net_type type;
    uint16_t hello_interval;    /* Seconds. */
    uint32_t dead_interval;     /* Seconds. */
    uint8_t priority;           /* Router priority, broadcast only. */
};

struct topo_bfd {
    uint32_t interval_ms;       /* Both min_tx and min_rx. */
    uint8_t multiplier;
};

/* Where a router meets the customer's outside. */
struct topo_attachment {
    const char *name;           /* Unique within its router. */
    uint32_t id;
    size_t router;              /* Index. */
    const char *point;          /* The attachment point's name. */
    const char *host;           /* From the fabric. */
    const char *port;           /* Port name on that host's br-int. */
    uint16_t vlan;              /* 0: untagged, else VID 1...4094. */
    struct in6_addr address;    /* Ours. */
    uint8_t plen;               /* Of the attachment's prefix, 96...128. */
    struct eth_addr mac;        /* Ours, what the customer's router sees. */
    uint16_t mtu;               /* Octets of IP packet. */
    uint32_t cost;              /* 1...65535, the OSPF interface output cost. */
    const char *policy;         /* Cost policy's name, or NULL. */
    bool has_ospf;
    struct topo_ospf ospf;
    bool has_bfd;
    struct topo_bfd bfd;
    uint32_t pps;               /* Meter for packets to the controller, packets/s. */
};

/* A virtual wire between two routers of the network. */
struct topo_link {
    const char *name;
    uint32_t id;
    size_t router[2];           /* Indexes; router[0]'s name sorts as written. */
    uint32_t cost[2];           /* cost[i]: leaving router[i]. 1...65535. */
    uint32_t area;
};

/* One stated way to a destination. */
struct topo_via {
    size_t attachment;          /* Index, of the same router. */
    struct in6_addr next_hop;   /* Within the attachment's prefix, or unspecified:
                                 * the point-to-point neighbour. */
    uint32_t cost;              /* Stated, 1...0xfffffe. */
};

enum topo_advertise { TOPO_ADV_NO, TOPO_ADV_E1, TOPO_ADV_E2 };

struct topo_destination {
    size_t router;              /* The router that owns it. */
    struct prefix prefix;
    enum topo_advertise advertise;
    struct topo_via *vias;      /* Sorted by attachment name, then next hop. */
    size_t n_vias;
};

struct topo_router {
    const char *name;
    uint32_t id;
    uint32_t router_id;         /* OSPF router ID, host byte order. */
    bool transit;               /* May traffic cross from attachment to attachment? */
    size_t *interfaces, n_interfaces;     /* Indexes into the network's vectors. */
    size_t *attachments, n_attachments;
    size_t *links, n_links;
    size_t *destinations, n_destinations;
};

struct topo_network {
    const char *customer;
    const char *name;
    uint32_t id;
    uint32_t vni;               /* 1...0xffffff. */
    unsigned int ref_cnt;

    struct topo_subnet *subnets;           size_t n_subnets;
    struct topo_node *nodes;               size_t n_nodes;
    struct topo_router *routers;           size_t n_routers;
    struct topo_interface *interfaces;     size_t n_interfaces;
    struct topo_attachment *attachments;   size_t n_attachments;
    struct topo_link *links;               size_t n_links;
    struct topo_destination *destinations; size_t n_destinations;
};

/* Builds the topology of the customer's network 'name' (topo-build.c).  The
 * configuration must have passed model_config_check_fabric(), and the
 * allocations must be those that alloc_update() made for it; returns NULL if
 * they don't fit together. */
struct topo_network *topo_build(const struct model_config *, const char *name,
                                const struct model_fabric *,
                                const struct alloc_set *);

struct topo_network *topo_network_ref(const struct topo_network *);
void topo_network_unref(struct topo_network *);

/* MAC address of Tollway's own for object 'id' of 'kind': locally administered,
 * 0e:KK:II:II:II:II.  Distinct (kind, id) have distinct MACs. */
struct eth_addr topo_mac(enum topo_kind, uint32_t id);

/* Distance over links alone from router 'from' to every router, into
 * 'dist[n_routers]' (UINT32_MAX: not reachable over links) and the links that
 * leave 'from' on a shortest path into 'next[n_routers]' (index in links[], the
 * one with the smallest id on ties, SIZE_MAX: none). */
void topo_link_distances(const struct topo_network *, size_t from,
                         uint32_t *dist, size_t *next);

/* Looks up by name; NULL if there is none. */
const struct topo_node *topo_find_node(const struct topo_network *, const char *);
const struct topo_router *topo_find_router(const struct topo_network *, const char *);

#endif /* controller/model/topo.h */
