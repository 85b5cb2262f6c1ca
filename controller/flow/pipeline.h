/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FLOW_PIPELINE_H
#define CONTROLLER_FLOW_PIPELINE_H 1

/* The pipeline: a virtual network as flow tables.
 * ===============================================
 *
 * docs/pipeline.md describes tables, registers, groups and cookies for those
 * who look at a bridge.  This header is for those who build it.
 *
 * A builder makes the flows, groups and meters of ONE object into a scope, as
 * a whole (scope_begin() to scope_end()), and adds the difference to a delta.
 * What a builder makes depends on its arguments only, so calling it again with
 * the same arguments changes nothing, and calling it when any argument changed
 * is all that is needed to keep a scope right.
 *
 * There are two kinds of scopes:
 *
 *   - a network scope (pl_network() ... pl_path_set()) is the same on every
 *     host that has the network, and depends on no port number;
 *
 *   - a host scope (pl_host() ... pl_host_way()) has what is local: ports, who
 *     enters by them, local delivery, liveness.
 *
 * To remove an object: scope_remove() with its key (pl_key_*()).
 *
 * All addresses are 'struct in6_addr'; the family follows from the address.
 * Object identifiers are those of controller/model/topo.h: one number space,
 * never 0.
 *
 * Nothing here owns anything but what it puts into the scope. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "controller/base/prefix.h"
#include "controller/flow/desired.h"
#include "controller/model/topo.h"
#include "openvswitch/types.h"

struct ds;
struct idspace;
struct match;
struct ofpbuf;
struct route_entry;
struct route_path_set;

/* Tables, registers, marks. */

enum pl_table {
    PL_INGRESS,                 /* Port -> network, sender checked. */
    PL_NEIGHBOUR,               /* ARP from nodes answered. */
    PL_SWITCHING,               /* Within a subnet, or to a router. */
    PL_ROUTER,                  /* To a router itself; TTL. */
    PL_ROUTES,                  /* Longest prefix. */
    PL_WAYS,                    /* Path set -> way. */
    PL_DELIVERY,                /* Destination MAC -> port or host. */
    PL_EXITS,                   /* Chosen way: here, or over which link. */
    PL_MARKS,                   /* What a tunnelled packet's source MAC says. */
    PL_RESOLVE,                 /* Connected destination -> its MAC. */
    PL_TUNNELS,                 /* Host -> tunnel. */
    PL_DEFLECT,                 /* A dead way's packets, once. */
    PL_PUNTS,                   /* To the controller, metered. */
    PL_N_TABLES
};
extern const char *const pl_table_names[PL_N_TABLES];

/* metadata: VNI (low 24 bits).  Registers:
 *
 *   reg0  attachment by which the packet entered (its id), 0: node, Tollway
 *   reg1  what holds it: the id of a subnet, then of virtual routers in turn
 *   reg2  PL_F_* flags
 *   reg3  path set (its group's number)
 *   reg4  way chosen
 *   reg5  way of the on-link neighbour that sent it (broadcast attachments)
 *   reg6  punt reason
 *   reg7  host to tunnel to
 *   reg8  scratch, within one flow's actions */
#define PL_REG_INGRESS 0
#define PL_REG_HOLDER 1
#define PL_REG_FLAGS 2
#define PL_REG_PATHS 3
#define PL_REG_WAY 4
#define PL_REG_SENDER 5
#define PL_REG_PUNT 6
#define PL_REG_HOST 7
#define PL_REG_SCRATCH 8

#define PL_F_ATTACHMENT 0x1     /* Entered by an attachment: its view. */
#define PL_F_DEFLECTED 0x2      /* Was looked up again since its way died. */
#define PL_F_PINNED 0x4         /* reg4 is decided, pass on over links. */
#define PL_F_TUNNEL 0x8         /* Came by tunnel: only delivered here. */

/* Source MACs between hosts of packets on the way out: 0e:MM:II:II:II:II, II
 * the attachment by which the packet entered, or the way of its sender. */
#define PL_MARK 0x40
#define PL_MARK_DEFLECTED 0x01
#define PL_MARK_SENDER 0x02

/* Group that is always alive: the last resort in fast failover groups. */
#define PL_GROUP_ALWAYS 1
/* For the idspaces of groups and meters. */
#define PL_GROUP_MIN 0x100
#define PL_GROUP_MAX 0xfffffe00
#define PL_METER_MIN 1
#define PL_METER_MAX 0xfffe0000

/* Why a packet was dropped; each has flows and so counters of its own. */

enum pl_drop {
    PL_DROP_NONE,
    PL_DROP_UNKNOWN_PORT,       /* A port that is nobody's. */
    PL_DROP_SPOOFED,            /* A node's sender is not the node. */
    PL_DROP_OSPF_FROM_NODE,
    PL_DROP_PROTOCOL,           /* Neither ARP nor a family we route. */
    PL_DROP_GRATUITOUS_ARP,
    PL_DROP_UNKNOWN_VLAN,       /* No attachment has it on that port. */
    PL_DROP_NOT_OURS,           /* On an attachment, not to our MAC. */
    PL_DROP_OSPF_OFF,           /* OSPF where none is configured. */
    PL_DROP_UNKNOWN_ARP,        /* ARP request for nobody's address. */
    PL_DROP_UNKNOWN_MAC,
    PL_DROP_MULTICAST,
    PL_DROP_MARTIAN,
    PL_DROP_OWN_ADDRESS,        /* To a router, nothing that it answers. */
    PL_DROP_NODE_ABSENT,        /* The node has no port anywhere. */
    PL_DROP_NOT_HERE,           /* By tunnel, for something not here. */
    PL_DROP_UNKNOWN_DESTINATION,
    PL_DROP_NO_TUNNEL,          /* No tunnel to that host. */
    PL_DROP_DEFLECTED_TWICE,
    PL_N_DROPS
};
const char *pl_drop_to_string(enum pl_drop);

/* Why a packet is sent to the controller. */

enum pl_punt_reason {
    PL_PUNT_NONE,
    PL_PUNT_OSPF,               /* From an attachment, addressed to us. */
    PL_PUNT_ARP,                /* From an attachment: a next hop speaks. */
    PL_PUNT_TTL,                /* To be answered: time exceeded, */
    PL_PUNT_NET_UNREACHABLE,    /* no route, */
    PL_PUNT_HOST_UNREACHABLE,   /* connected, but nobody has the address, */
    PL_PUNT_PORT_UNREACHABLE,   /* UDP to a router's own address, */
    PL_PUNT_NO_WAY,             /* no way alive, or only back: host unreach., */
    PL_PUNT_TRANSIT,            /* transit="no": administratively prohibited. */
    PL_N_PUNTS
};
const char *pl_punt_to_string(enum pl_punt_reason);

/* What a packet-in says. */
struct pl_punt {
    enum pl_punt_reason reason;
    uint32_t vni;               /* 0: not known. */
    uint32_t attachment;        /* By which it entered; 0: a node's packet. */
    uint32_t router;            /* Virtual router that holds it; 0: none yet. */
    uint32_t way;               /* Way of the sender, if it was known on a
                                 * broadcast attachment, else 0. */
    uint32_t in_port;           /* OpenFlow port; OFPP_NONE: lost on the way. */
};

/* 'metadata' is the packet-in's (NXT_PACKET_IN2, in_port and registers).
 * False: not one of ours. */
bool pl_punt_decode(const void *userdata, size_t len,
                    const struct match *metadata, struct pl_punt *);

/* Cookies: kind (8 bits), what (8), reason (8), 0 (8), object's id (32). */

enum { PL_KIND_PL = 0x80 };     /* Like TOPO_*: belongs to the pipeline as such. */

enum pl_cookie_what {
    PL_COOKIE_PLAIN,
    PL_COOKIE_DROP,             /* 'reason' is enum pl_drop. */
    PL_COOKIE_PUNT,             /* 'reason' is enum pl_punt_reason. */
    PL_COOKIE_ECHO,             /* A ping answered here. */
    PL_COOKIE_ARP,              /* An ARP request answered here. */
    PL_COOKIE_OUT,              /* Way: packets given to it. */
    PL_COOKIE_IN,               /* Attachment, node: packets from it. */
};
struct pl_cookie {
    uint8_t kind;               /* enum topo_kind or PL_KIND_PL. */
    enum pl_cookie_what what;
    uint8_t reason;
    uint32_t id;                /* TOPO_ROUTE: of the router; TOPO_WAY,
                                 * TOPO_PATH_SET: the route stage's. */
};
uint64_t pl_cookie(uint8_t kind, uint32_t id);
uint64_t pl_cookie_what(uint8_t kind, uint32_t id, enum pl_cookie_what);
uint64_t pl_cookie_drop(uint8_t kind, uint32_t id, enum pl_drop);
uint64_t pl_cookie_punt(uint8_t kind, uint32_t id, enum pl_punt_reason);
struct pl_cookie pl_cookie_decode(uint64_t);
const char *pl_kind_to_string(uint8_t kind);

/* "node 17", "attachment 5: drop spoofed". */
void pl_cookie_format(uint64_t cookie, struct ds *);

/* Ways. */

/* A way as the pipeline sees it.  Its id is the route stage's, unique within
 * the network; it is also in its MAC address, topo_mac(TOPO_WAY, id). */
struct pl_way {
    uint32_t id;
    size_t attachment;          /* Index in the network. */
    struct in6_addr next_hop;   /* The peer's address; unspecified: unknown. */
};

/* May several neighbours be on the attachment's wire?  (Else split horizon
 * excludes all that is there.)  As OSPF's network type says; without OSPF by
 * the length of the prefix. */
bool pl_attachment_is_broadcast(const struct topo_attachment *);

/* Which router is next from 'from' to 'to' over links. */
struct pl_links {
    size_t n;
    size_t *next;               /* [from * n + to], SIZE_MAX: none. */
};
void pl_links_init(struct pl_links *, const struct topo_network *);
void pl_links_uninit(struct pl_links *);
size_t pl_links_next(const struct pl_links *, size_t from, size_t to);

/* Keys of objects, for scope_remove().  Ways have a key of their own, since
 * two networks on one host may have ways with the same id. */
struct scope_key pl_key(uint8_t kind, uint32_t id);
struct scope_key pl_key_way(uint32_t network_id, uint32_t way_id);

/* Network scopes.
 *
 * 'host' arguments are identifiers of hosts (any numbers but 0 that the caller
 * gives to hosts and keeps), 0 for "nowhere". */

/* What is there once per network: its meter ('pps' packets per second to the
 * controller from its nodes, per host), punts. */
void pl_network(struct scope *, const struct topo_network *, uint32_t pps,
                struct delta *);
void pl_subnet(struct scope *, const struct topo_network *, size_t subnet,
               struct delta *);
void pl_node(struct scope *, const struct topo_network *, size_t node,
             uint32_t host, struct delta *);
void pl_router(struct scope *, const struct topo_network *, size_t router,
               struct delta *);
void pl_interface(struct scope *, const struct topo_network *, size_t iface,
                  struct delta *);
void pl_attachment(struct scope *, const struct topo_network *, size_t att,
                   struct delta *);

/* A way, which leaves from 'host' (that of its attachment). */
void pl_way(struct scope *, const struct topo_network *,
            const struct pl_links *, const struct pl_way *, uint32_t host,
            struct delta *);

/* One destination at one router, in both views. */
void pl_route(struct scope *, const struct topo_network *,
              const struct route_entry *, struct delta *);
struct scope_key pl_key_route(uint32_t router_id, const struct prefix *);

/* A path set, with its variants for split horizon.  Its id is the route
 * stage's, unique within the network; the group's number follows from it, and
 * routes and path sets may be made in any order. */
void pl_path_set(struct scope *, const struct topo_network *,
                 const struct route_path_set *, struct delta *);
struct scope_key pl_key_path_set(uint32_t path_set_id);

/* Host scopes. */

/* What every host has.  'tunnel_ofport' is its tunnel port to any remote
 * ("flow"), 0: none yet. */
void pl_host(struct scope *, uint32_t tunnel_ofport, struct delta *);

/* Another host.  'fixed_ofport' is the tunnel port that goes to it alone (and
 * has BFD), 0: none. */
struct pl_peer {
    uint32_t host;
    struct in6_addr tunnel_address;
    uint32_t fixed_ofport;
};
void pl_host_peer(struct scope *, const struct pl_peer *,
                  uint32_t tunnel_ofport, struct delta *);

/* A node whose port is here. */
void pl_host_node(struct scope *, const struct topo_network *, size_t node,
                  uint32_t ofport, struct delta *);

/* An attachment whose port is here. */
void pl_host_attachment(struct scope *, const struct topo_network *,
                        size_t att, uint32_t ofport, struct delta *);

/* A port of attachments (any customers'): frames with VLANs that no attachment
 * has. */
void pl_host_port(struct scope *, uint32_t ofport, struct delta *);
struct scope_key pl_key_port(uint32_t ofport);

/* A way, on a host that has its network. */
struct pl_way_here {
    bool alive;
    bool local;                 /* Its attachment is here, whether its port is
                                 * there at the moment or not: packets that
                                 * others still send get another look. */
    uint32_t ofport;            /* Local: the port, 0: absent.  With... */
    struct eth_addr peer_mac;   /* ...this destination (zero: unknown). */
    bool shared_mac;            /* Another way of the attachment, with a lower
                                 * id, has the same 'peer_mac'. */
    uint32_t watch_ofport;      /* Not local: the tunnel port with BFD to the host
                                 * that has it, 0: none. */
};
void pl_host_way(struct scope *, const struct topo_network *,
                 const struct pl_way *, const struct pl_way_here *,
                 struct delta *);

/* Actions for packets that Tollway sends (packet-out, in_port CONTROLLER). */

/* Out on an attachment, the frame being complete but for the VLAN tag. */
void pl_actions_attachment(struct ofpbuf *ofpacts,
                           const struct topo_attachment *, uint32_t ofport);
/* An IP packet (Ethernet addresses don't matter) is routed as if 'router' had
 * made it. */
void pl_actions_routed(struct ofpbuf *ofpacts, const struct topo_network *,
                       size_t router);

#endif /* controller/flow/pipeline.h */
