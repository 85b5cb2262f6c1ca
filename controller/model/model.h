/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_MODEL_H
#define CONTROLLER_MODEL_MODEL_H 1

/* The three documents, as typed values
 * ====================================
 *
 * A customer's configuration, the operator's fabric and the operator's metrics
 * come as XML.  A parse function here takes bytes and a compiled schema
 * (schema.h) and returns an immutable structure, or NULL and diagnostics that
 * say for each fault its line, its element, what is wrong and what would be
 * right.  What was returned holds all that can be said of the document by
 * itself:
 *
 *   - every name is unique in its scope and every reference resolves;
 *   - every number is inside the range stated beside its member;
 *   - every vector is sorted as stated, so nothing depends on the document's
 *     order.
 *
 * What depends on other documents (is this attachment point granted to that
 * customer?) is checked by model_config_check_fabric().
 *
 * Documents are hostile until proved otherwise: at most MODEL_MAX_BYTES, no
 * DTD and thus no entities, no file or network access, bounded depth and
 * bounded numbers of things whose checks are not linear.
 *
 * Structures are reference counted and never change.  'line' is the line of
 * the element's start tag, kept for diagnostics of later stages. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "controller/base/prefix.h"
#include "controller/model/topo.h"
#include "openvswitch/types.h"

struct diags;
struct ds;
struct model_schema;

#define MODEL_MAX_BYTES (16 * 1024 * 1024)
#define MODEL_MAX_NETWORKS 256          /* Per customer. */
#define MODEL_MAX_POLICIES 1024         /* Per customer. */
#define MODEL_MAX_SUBNETS 4096          /* Per network. */
#define MODEL_MAX_ROUTERS 256           /* Per network. */
#define MODEL_MAX_ATTACHMENTS 256       /* Per router. */
#define MODEL_MAX_LINKS 4096            /* Per network. */
#define MODEL_MAX_NODES 65536           /* Per network. */

/* The most virtual routers that a packet may pass on its way through a
 * network.  One bridge does the work of all of them, and Open vSwitch bounds
 * how deep the resubmits for one packet may nest. */
#define MODEL_MAX_SERIES 16

/* Octets that a tunnel adds to a node's IP packet: Ethernet 14, VXLAN or
 * Geneve 8, UDP 8, IPv4 20. */
#define MODEL_TUNNEL_OVERHEAD 50

/* The largest cost of an external route: LSInfinity - 1 (RFC 2328 B). */
#define MODEL_MAX_COST 0xfffffe

/* Configuration. */

struct model_subnet {
    char *name;
    int line;
    struct prefix prefix;       /* IPv4, /8.../30; not martian. */
    uint16_t mtu;               /* 0: the largest that fits, at most 1500. */
};

struct model_node {
    char *name;
    int line;
    size_t subnet;              /* Index in the network's subnets[]. */
    bool has_mac;
    struct eth_addr mac;        /* If 'has_mac': unicast, not Tollway's own. */
    bool has_address;
    struct in6_addr address;    /* If 'has_address': in the subnet. */
    char *zone;                 /* Or NULL. */
    struct prefix *addresses;   /* Further ones, sorted. */
    size_t n_addresses;
};

struct model_interface {
    int line;
    size_t subnet;              /* Index; sort key, unique per router. */
    struct in6_addr address;
    uint32_t cost;              /* 1...65535. */
    uint32_t area;              /* Host byte order. */
};

struct model_attachment {
    char *name;
    int line;
    char *point;                /* Attachment point's name. */
    uint16_t vlan;              /* 0: untagged, else 1...4094. */
    struct in6_addr address;
    struct prefix prefix;       /* Of the address, IPv4 /8.../31. */
    uint16_t mtu;               /* 0: the largest that fits, at most 1500. */
    uint32_t cost;              /* 1...65535. */
    char *policy;               /* Cost policy's name, or NULL. */
    bool has_ospf;
    struct topo_ospf ospf;
    bool has_bfd;
    struct topo_bfd bfd;
};

struct model_via {
    int line;
    size_t attachment;          /* Index in the router's attachments[]. */
    struct in6_addr next_hop;   /* in6addr_any: the neighbour. */
    uint32_t cost;              /* 1...MODEL_MAX_COST. */
};

struct model_destination {
    int line;
    struct prefix prefix;       /* Sort key. */
    enum topo_advertise advertise;
    struct model_via *vias;     /* Sorted by attachment, next hop.  n > 0. */
    size_t n_vias;
};

struct model_router {
    char *name;
    int line;
    uint32_t router_id;         /* Host byte order. */
    bool transit;
    uint32_t area;              /* The one area of all its parts. */
    struct model_interface *interfaces;     size_t n_interfaces;
    struct model_attachment *attachments;   size_t n_attachments;
    struct model_destination *destinations; size_t n_destinations;
};

struct model_link {
    char *name;
    int line;
    size_t router[2];           /* Indexes in the network's routers[]. */
    uint32_t cost[2];           /* cost[i]: leaving router[i]. 1...65535. */
    uint32_t area;
};

struct model_network {
    char *name;
    int line;
    struct model_subnet *subnets;   size_t n_subnets;   /* By name. */
    struct model_node *nodes;       size_t n_nodes;     /* By name. */
    struct model_router *routers;   size_t n_routers;   /* By name. */
    struct model_link *links;       size_t n_links;     /* By name. */
};

/* How metrics become part of a cost.  Weights are fixed point, in thousandths
 * of a cost unit, so that every host and every run computes the same. */
struct model_policy {
    char *name;
    int line;
    uint32_t delay_cost;        /* Thousandths of a cost unit per ms. */
    uint32_t use_cost;          /* ...per percent of use. */
    uint32_t loss_cost;         /* ...per percent of loss. */
    uint32_t price_cost;        /* ...per unit of price. */
    uint32_t floor, ceiling;    /* Cost units; floor <= ceiling. */
    uint32_t half_life_ms;      /* Damping; 0: none. */
    uint32_t hysteresis;        /* Percent: smaller changes are not taken. */
};

struct model_config {
    char *customer;
    char *source;               /* The document's name in diagnostics. */
    int line;
    unsigned int ref_cnt;
    struct model_network *networks; size_t n_networks;  /* By name. */
    struct model_policy *policies;  size_t n_policies;  /* By name. */
};

struct model_config *model_config_parse(const struct model_schema *,
                                        const char *source,
                                        const void *data, size_t size,
                                        struct diags *);
struct model_config *model_config_ref(const struct model_config *);
void model_config_unref(struct model_config *);

const struct model_network *model_find_network(const struct model_config *,
                                               const char *name);
const struct model_policy *model_find_policy(const struct model_config *,
                                             const char *name);
const struct model_node *model_find_node(const struct model_network *,
                                         const char *name);
const struct model_router *model_find_router(const struct model_network *,
                                             const char *name);

/* Fabric. */

struct model_vlans {
    uint16_t first, last;       /* 0: untagged. */
};

struct model_host {
    char *name;
    int line;
    char *ovsdb;                /* "unix:/...", "tcp:...", "ssl:...". */
    char *openflow;             /* Of the bridge, or NULL: the default. */
    char *bridge;               /* "br-int" if not stated. */
    struct in6_addr tunnel;     /* IPv4. */
    uint16_t mtu;               /* Of the underlay. */
    char *zone;                 /* Or NULL. */
    uint32_t capacity;          /* Nodes. */
};

struct model_point {
    char *name;
    int line;
    size_t host;                /* Index in hosts[]. */
    char *port;
    char *customer;             /* Whom it is granted to. */
    struct model_vlans *vlans;  /* Sorted, disjoint. */
    size_t n_vlans;
    uint16_t mtu;               /* Of the port; 0: not stated. */
    uint32_t pps;               /* Packets/s of an attachment to the controller. */
};

struct model_pin {
    char *node;                 /* "customer/network/node", sort key. */
    int line;
    size_t host;
};

struct model_fabric {
    char *source;
    unsigned int ref_cnt;
    uint16_t mtu;               /* The smallest of the hosts' MTUs. */
    struct model_host *hosts;   size_t n_hosts;         /* By name.  n > 0. */
    struct model_point *points; size_t n_points;        /* By name. */
    struct model_pin *pins;     size_t n_pins;          /* By node. */
};

struct model_fabric *model_fabric_parse(const struct model_schema *,
                                        const char *source,
                                        const void *data, size_t size,
                                        struct diags *);
struct model_fabric *model_fabric_ref(const struct model_fabric *);
void model_fabric_unref(struct model_fabric *);

const struct model_host *model_find_host(const struct model_fabric *,
                                         const char *name);
const struct model_point *model_find_point(const struct model_fabric *,
                                           const char *name);
const struct model_pin *model_find_pin(const struct model_fabric *,
                                       const char *node);
bool model_point_has_vlan(const struct model_point *, uint16_t vlan);

/* The largest IP packet that a node may send, whatever its host. */
uint16_t model_fabric_node_mtu(const struct model_fabric *);

/* Checks what 'config' asks of the fabric: that it uses only attachment points
 * and VLANs granted to it, and MTUs that fit.  An attachment point of another
 * customer looks just like one that does not exist.  Before a new fabric
 * replaces one in use, call it for every active configuration.  Returns true
 * if nothing is wrong. */
bool model_config_check_fabric(const struct model_config *,
                               const struct model_fabric *, struct diags *);

/* Metrics.  A document says what is known now about the paths and attachments
 * that it names, and nothing about others. */

#define MODEL_METRIC_UNKNOWN UINT32_MAX

struct model_metric {
    uint32_t delay_us;          /* 0...60,000,000 or unknown, like the others. */
    uint32_t use;               /* Thousandths of a percent, 0...100,000. */
    uint32_t loss;              /* Thousandths of a percent, 0...100,000. */
    uint32_t price;             /* Thousandths of a unit, 0...1,000,000,000. */
};

struct model_path_metric {
    int line;
    char *from, *to;            /* Hosts' names, sort key. */
    struct model_metric metric;
};

struct model_point_metric {
    char *point;                /* Attachment point's name, sort key. */
    int line;
    struct model_metric metric;
};

struct model_metrics {
    char *source;
    unsigned int ref_cnt;
    struct model_path_metric *paths;   size_t n_paths;
    struct model_point_metric *points; size_t n_points;
};

struct model_metrics *model_metrics_parse(const struct model_schema *,
                                          const char *source,
                                          const void *data, size_t size,
                                          struct diags *);
struct model_metrics *model_metrics_ref(const struct model_metrics *);
void model_metrics_unref(struct model_metrics *);

/* Checks that every host and attachment point named exists. */
bool model_metrics_check_fabric(const struct model_metrics *,
                                const struct model_fabric *, struct diags *);

#endif /* controller/model/model.h */
