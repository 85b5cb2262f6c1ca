/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_ROUTE_H
#define CONTROLLER_ROUTE_ROUTE_H 1

/* Routes: which way a packet takes, and why
 * =========================================
 *
 * A 'struct route_net' holds the routes of all virtual routers of one network.
 * Facts go in (topology, metric parts, the state of ways, what OSPF knows);
 * route_net_run() brings the result up to date and says what changed.
 *
 * There are two levels.
 *
 *   - An *entry* says for (router, view, prefix) what to do: deliver to a
 *     subnet, hand to a sibling router, send by a path set.  Entries depend on
 *     the topology and on which external candidates there are; not on
 *     distances, metrics or liveness.
 *
 *   - A *path set* is what entries with the same candidates share: the same
 *     (way, type, stated cost) and (border, type, external cost).  Distances,
 *     metric parts and liveness are its variables: when one changes, path sets
 *     change, entries do not.  A hundred thousand prefixes of two borders with
 *     200 pairs of metrics are 200 path sets (C7).
 *
 * The result of a path set is a list of *tiers*, best first; each is a set of
 * ways that share the traffic, used if any of them lives and no earlier tier
 * has one that does.  Tiers name ways whether they live or not: that a way dies
 * is the business of its way group alone and changes no tier, except where
 * what is advertised, and with it the choice of section 16, depends on it.
 *
 * A prefix whose stated ways are all dead, and none of whose learned candidates
 * is reachable, has no route, and what the next shorter prefix says holds.
 * OpenFlow tables can't look on, so the tiers of that shorter prefix are the
 * last tiers of a path set ("fallback").
 *
 * Views (docs/costs.md tells why there are two):
 *
 *   - Packets from subnets take the stated ways to a destination, cheapest
 *     first; where none is stated or none lives, what RFC 2328 section 16
 *     chooses.
 *
 *   - Packets from attachments follow section 16 over the LSDB, in which the
 *     AS-external-LSAs of the network's own routers compete with their
 *     advertised type and metric, at the distance of their owner.  Behind such
 *     an LSA are the destination's own ways, in its owner's order.  What is
 *     stated but not advertised does not exist in this view, except for
 *     connected prefixes.
 *
 * A router without transit has only subnets in the view from attachments, and
 * no other router sends packets from attachments to its attachments.
 *
 * What always holds:
 *
 *   - Pure (C1); the result is a function of the facts, not of their order
 *     or history (C2): route_net_equal() compares two objects that were given
 *     the same facts.
 *
 *   - Everything that is listed is sorted: by content, never by hash.
 *
 *   - Identifiers of ways and path sets are derived from their content, so
 *     they survive any restart; collisions are resolved in the order of the
 *     keys, so they don't depend on history either.
 *
 *   - Pointers that functions return are valid until the next call of a
 *     function that takes a non-const 'struct route_net'. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "controller/base/prefix.h"
#include "openvswitch/types.h"

struct ds;
struct json;
struct ospf_rib;
struct route_net;
struct topo_network;

#define ROUTE_COST_MAX 0xfffffeu    /* Totals are clamped to this. */
#define ROUTE_NONE SIZE_MAX         /* No such index. */

enum route_view {
    ROUTE_FROM_SUBNETS,         /* Packets from nodes and from Tollway. */
    ROUTE_FROM_ATTACHMENTS,
    ROUTE_N_VIEWS
};
const char *route_view_to_string(enum route_view);

/* Ways. */

/* Why a way is not alive. */
#define ROUTE_WHYS                                                      \
    WHY(ALIVE, "alive")                                                 \
    WHY(PORT_ABSENT, "port absent")                                     \
    WHY(PORT_DOWN, "port down")                                         \
    WHY(BFD_DOWN, "BFD down")                                           \
    WHY(UNRESOLVED, "next hop not resolved by ARP")                     \
    WHY(NOT_FULL, "OSPF neighbour not Full")                            \
    WHY(HOST_UNREACHABLE, "host unreachable")                           \
    WHY(STALE, "stale")                                                 \
    WHY(UNKNOWN, "state not known yet")
enum route_why {
#define WHY(NAME, TEXT) ROUTE_WHY_##NAME,
    ROUTE_WHYS
#undef WHY
    ROUTE_N_WHYS
};
const char *route_why_to_string(enum route_why);

/* A fact about a way, which the engine keeps. */
struct way_state {
    size_t attachment;          /* Index in the topology. */
    struct in6_addr next_hop;   /* As in struct route_way. */
    struct in6_addr addr;       /* Address of the peer if 'next_hop' is
                                 * unspecified, as far as known. */
    enum route_why why;         /* ROUTE_WHY_ALIVE: it is alive. */
    struct eth_addr peer_mac;   /* Not used here; passed on to flows. */
};

/* One next hop on one attachment. */
struct route_way {
    uint32_t id;                /* Never 0. */
    size_t attachment, router;  /* Indexes; 'router' is its owner. */
    struct in6_addr next_hop;   /* What names the way: the peer's address, or
                                 * unspecified for the neighbour on a point-to-
                                 * point attachment wider than /30. */
    struct in6_addr addr;       /* The peer's address; unspecified: not known. */
    bool stated, learned;       /* Where it was named. */
    enum route_why why;         /* ROUTE_WHY_ALIVE: it is alive. */
    struct eth_addr peer_mac;
};

/* What names the way to 'next_hop' on attachment 'index': on a point-to-point
 * attachment whose prefix has just two addresses, the other one is meant by an
 * unspecified 'next_hop'. */
struct in6_addr route_way_key(const struct topo_network *, size_t attachment,
                              const struct in6_addr *next_hop);

/* Path sets. */

enum route_source {
    ROUTE_STATED,               /* By the configuration. */
    ROUTE_LEARNED,              /* What section 16 chooses. */
    ROUTE_ALTERNATE,            /* Loop-free alternate. */
    ROUTE_ON_LINK,              /* The neighbour itself. */
    ROUTE_FALLBACK,             /* From a shorter prefix. */
};
const char *route_source_to_string(enum route_source);

struct route_tier {
    const struct route_way **ways; /* Sorted by id.  At least one. */
    size_t n_ways;
    uint32_t total;             /* Cost, at most ROUTE_COST_MAX. */
    enum route_source source;
    bool horizon;               /* Also for packets that entered by the
                                 * attachment of an earlier tier. */
};

/* One candidate of a choice. */
struct route_candidate {
    enum route_source source;
    const char *type;           /* "stated", "E1", "E2", "intra", ... */
    const struct route_way *way; /* Stated: the way.  Learned: NULL. */
    const char *router;         /* Stated: owner of the way.  Valid as the
                                 * topology. */
    uint32_t border, forwarding; /* Learned: router ID and forwarding address
                                 * (0: none), host byte order. */
    uint32_t stated;            /* Stated or external cost. */
    uint32_t metric;            /* Metric part. */
    uint32_t internal;          /* Distance to owner or border; UINT32_MAX:
                                 * not reachable. */
    uint32_t total;             /* What was compared. */
    enum route_why why;         /* Stated: the way's. */
    bool own_lsa;               /* Competes by its AS-external-LSA. */
    bool reachable;
    bool chosen;                /* In use now. */
    bool backup;                /* In a later tier. */
    const char *verdict;        /* "chosen", "costs more", "not alive", ... */
};

/* Why a path set is as it is. */
struct route_reason {
    struct route_candidate *candidates; /* Best first. */
    size_t n;
    const char *rule;           /* The rule that decided. */
};

struct route_path_set {
    uint32_t id;                /* Never 0. */
    size_t router;              /* Index. */
    unsigned int views;         /* Bit 1 << view. */
    struct route_tier *tiers;   /* Best first; none: no route. */
    size_t n_tiers;
    struct route_reason reason;
};

/* Split horizon: the tiers that are left for packets that entered by
 * attachment 'attachment' (all its ways go), or, if 'way' is not NULL, from the
 * neighbour 'way' on a broadcast attachment (only that way goes).  Returns
 * false if nothing goes, that is if the path set is to be used as it is.
 * Otherwise stores an array of the remaining tiers, possibly none, to be freed
 * with route_tiers_free(). */
bool route_path_set_without(const struct route_path_set *, size_t attachment,
                            const struct route_way *way,
                            struct route_tier **tiers, size_t *n_tiers);
void route_tiers_free(struct route_tier *, size_t n_tiers);

/* Entries. */

enum route_kind {
    ROUTE_NO_ENTRY,             /* Nothing in this view. */
    ROUTE_SUBNET,               /* Connected subnet, or a node's further
                                 * addresses on it. */
    ROUTE_SIBLING,              /* To router 'target' over links. */
    ROUTE_ATTACHMENT,           /* Prefix of an own attachment: unreachable but
                                 * for the neighbours, which have entries. */
    ROUTE_PATHS,                /* By 'path_set'. */
    ROUTE_REFUSED,              /* 'refusal' says why.  No flow. */
};
const char *route_kind_to_string(enum route_kind);

enum route_refusal {
    ROUTE_NOT_REFUSED,
    ROUTE_MARTIAN,              /* Learned, not unicast space. */
    ROUTE_OWN_SPACE,            /* Inside a connected or link-reachable
                                 * subnet. */
    ROUTE_N_REFUSALS
};
const char *route_refusal_to_string(enum route_refusal);

struct route_result {
    enum route_kind kind;
    enum route_refusal refusal; /* ROUTE_REFUSED. */
    union {
        struct {                /* ROUTE_SUBNET. */
            size_t subnet;      /* Index. */
            size_t node;        /* Index, or ROUTE_NONE. */
        };
        size_t attachment;      /* ROUTE_ATTACHMENT: index. */
        struct {                /* ROUTE_SIBLING. */
            size_t target;      /* The router meant, index. */
            size_t next;        /* The next router, index. */
        };
        const struct route_path_set *path_set; /* ROUTE_PATHS. */
    };
};

struct route_entry {
    size_t router;              /* Index. */
    struct prefix prefix;
    struct route_result views[ROUTE_N_VIEWS];
};

/* Advertisements: AS-external-LSAs that a router shall originate. */
struct route_advert {
    struct prefix prefix;
    bool e2;
    uint32_t metric;            /* 1...ROUTE_COST_MAX. */
    struct in6_addr forwarding; /* Unspecified: none. */
};

/* What changed in a run. */
struct route_entry_change {
    uint32_t router_id;         /* The router's object id; it may be gone. */
    struct prefix prefix;
    const struct route_entry *entry; /* NULL: gone. */
};
struct route_changes {
    bool topology;              /* The topology is new, and indexes may mean
                                 * something else: 'entries' has, besides those
                                 * that changed, all that name a subnet, node,
                                 * attachment or sibling. */
    struct route_entry_change *entries; /* Sorted by router_id, prefix. */
    size_t n_entries, allocated_entries;
    /* Path sets that are new or whose tiers have other ways (totals don't
     * count), sorted by id. */
    const struct route_path_set **path_sets;
    size_t n_path_sets, allocated_path_sets;
    uint32_t *gone;             /* Ids of path sets that are gone, sorted. */
    size_t n_gone, allocated_gone;
    size_t *adverts;            /* Routers (indexes) whose adverts changed. */
    size_t n_adverts, allocated_adverts;
    bool ways;                  /* Ways were added or removed. */
};
#define ROUTE_CHANGES_INIT { .topology = false }
void route_changes_clear(struct route_changes *);
void route_changes_uninit(struct route_changes *);
bool route_changes_is_empty(const struct route_changes *);

/* Life. */
struct route_net *route_net_create(const struct topo_network *);
void route_net_destroy(struct route_net *);

/* Facts.  Metric parts and way states belong to attachments by their ids, and
 * OSPF's knowledge to routers by theirs, so that they stay over a new topology;
 * what belongs to something that is gone is forgotten. */
void route_net_set_topology(struct route_net *, const struct topo_network *);
void route_net_set_metric(struct route_net *, size_t attachment,
                          uint32_t part);
void route_net_set_way(struct route_net *, const struct way_state *);
void route_net_del_way(struct route_net *, size_t attachment,
                       const struct in6_addr *next_hop);

/* What OSPF knows: one instance per router (instance ROUTE_NONE), or one per
 * attachment if the router gives no transit (instance: its index).
 *
 * 'neighbors' are the root's and its siblings' Full neighbours with their own
 * view of the area (ospf_rib_from()), from which loop-free alternates come; a
 * 'rib' of NULL there is a neighbour that can't be one.
 *
 * Everything is read during the call.  Nothing is done if neither 'rib->seqno'
 * changed nor the neighbours.  A 'rib' of NULL forgets the instance, and so does
 * a topology without it; a 'struct ospf' that replaces another one under the
 * same instance needs that, because its numbers begin anew. */
struct route_neighbor {
    uint32_t router_id;         /* Host byte order. */
    size_t attachment;          /* Index of ours. */
    struct in6_addr addr;       /* Its address there. */
    const struct ospf_rib *rib;
};
void route_net_set_rib(struct route_net *, size_t router, size_t instance,
                       const struct ospf_rib *rib,
                       const struct route_neighbor *, size_t n_neighbors);

/* Brings the result up to date; appends what changed. */
void route_net_run(struct route_net *, struct route_changes *);

/* Results, as of the last route_net_run(). */

const struct topo_network *route_net_topology(const struct route_net *);

/* All ways that anything names, sorted by (attachment, next hop). */
const struct route_way *const *route_net_ways(const struct route_net *,
                                              size_t *n);
const struct route_way *route_net_way(const struct route_net *,
                                      size_t attachment,
                                      const struct in6_addr *next_hop);
const struct route_way *route_net_way_by_id(const struct route_net *,
                                            uint32_t id);

/* The entries of one router, sorted by prefix. */
const struct route_entry *const *route_net_entries(const struct route_net *,
                                                   size_t router, size_t *n);
/* The entry for exactly that prefix, or NULL. */
const struct route_entry *route_net_entry(const struct route_net *,
                                          size_t router,
                                          const struct prefix *);
/* Longest match in a view, skipping what has no entry or is refused there;
 * NULL if there is no route. */
const struct route_entry *route_net_lookup(const struct route_net *,
                                           size_t router, enum route_view,
                                           const struct in6_addr *);

/* All path sets, sorted by id. */
const struct route_path_set *const *
    route_net_path_sets(const struct route_net *, size_t *n);
const struct route_path_set *route_net_path_set(const struct route_net *,
                                                uint32_t id);

/* The tiers' first living ways, that is where packets go now.  Returns the
 * tier, or NULL if nothing lives. */
const struct route_tier *route_path_set_best(const struct route_path_set *);

/* What 'router' shall advertise, sorted by prefix. */
const struct route_advert *route_net_adverts(const struct route_net *,
                                             size_t router, size_t *n);

struct route_counters {
    uint64_t entries;           /* Now, over all routers. */
    uint64_t path_sets;         /* Now. */
    uint64_t refused[ROUTE_N_REFUSALS]; /* Entries refused now. */
    uint64_t runs;              /* Runs that had something to do. */
    uint64_t path_sets_run;     /* Path sets evaluated. */
    uint64_t entries_run;       /* Entries resolved. */
};
void route_net_get_counters(const struct route_net *,
                            struct route_counters *);

/* Explanations: the reason that was kept. */
void route_explain(const struct route_net *, size_t router, enum route_view,
                   const struct route_entry *, struct ds *);
struct json *route_explain_json(const struct route_net *, size_t router,
                                enum route_view, const struct route_entry *);
/* All entries of a router, a line each. */
void route_format(const struct route_net *, size_t router, struct ds *);
void route_format_adverts(const struct route_net *, size_t router,
                          struct ds *);

/* For tests: appends the differences to 'ds' and returns false if there are
 * any.  Both must be up to date. */
bool route_net_equal(const struct route_net *, const struct route_net *,
                     struct ds *);

#endif /* controller/route/route.h */
