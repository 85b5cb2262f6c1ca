/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ROUTE_ROUTE_PRIVATE_H
#define CONTROLLER_ROUTE_ROUTE_PRIVATE_H 1

/* Inside of the route stage.
 *
 *     route.c      facts, the run, getters
 *     ways.c       ways and their states
 *     ribs.c       copies of what OSPF knows, and what changed in them
 *     own.c        what a router has itself: subnets, siblings, neighbours
 *     entries.c    level 1: prefixes -> candidates -> path sets
 *     sets.c       path sets: keys, identifiers, tiers kept
 *     choose.c     level 2: candidates -> tiers and their reason
 *     alternate.c  loop-free alternates
 *     reason.c     why a choice was made
 *     adverts.c    AS-external-LSAs to originate
 *     explain.c    text and JSON
 *     equal.c      comparing two objects
 *
 * Keys and candidates name things by what stays over a new topology (object
 * identifiers, addresses, router IDs); indexes are only in what is handed out,
 * and are brought up to date whenever the topology changes. */

#include "controller/route/route.h"

#include <stdlib.h>

#include "controller/model/topo.h"
#include "openvswitch/hmap.h"

/* Facts. */

struct rt_part {                /* A metric part. */
    struct hmap_node node;      /* In route_net's 'parts', by 'attachment'. */
    uint32_t attachment;        /* Object id. */
    uint32_t part;
};

struct rt_state {               /* A way's state. */
    struct hmap_node node;      /* In route_net's 'states', by way_hash(). */
    uint32_t attachment;        /* Object id. */
    struct in6_addr next_hop;
    struct in6_addr addr;
    enum route_why why;
    struct eth_addr peer_mac;
};

struct rt_way {
    struct hmap_node node;      /* In route_net's 'ways', by way_hash(). */
    struct route_way pub;
    uint32_t attachment;        /* Object id. */
    uint32_t hash;              /* What 'pub.id' derives from. */
    bool used;                  /* Named by something (mark and sweep). */
};

/* What OSPF knows, copied.  Everything sorted.  IPv4 in host byte order. */

struct rt_route {
    uint32_t prefix;
    uint8_t plen;
    bool by_vertex;             /* Behaves as router 'origin' does. */
    uint32_t origin;            /* by_vertex: router ID, else 'prefix'. */
    uint32_t extra;             /* by_vertex: cost beyond the router, else the
                                 * length. */
    uint32_t cost;
    uint32_t nhset;
};
struct rt_border {
    uint32_t asbr, forwarding;
    bool reachable;
    uint32_t distance;
    uint32_t nhset;
};
struct rt_node {                /* A router. */
    uint32_t router_id;
    uint32_t cost;
    uint32_t nhset;
};
struct rt_candidate {
    uint32_t asbr, forwarding;
    uint32_t metric;
    uint32_t type;              /* 1 or 2. */
};
struct rt_external {
    uint32_t prefix;
    uint8_t plen;
    uint32_t first, n;          /* In 'candidates'. */
};
struct rt_nexthop {
    uint32_t exit_router, local, addr;
    struct rt_way *way;         /* Or NULL; set by rt_ways_collect(). */
};
struct rt_nhset {
    uint32_t first, n;
};

/* Distances from a neighbour. */
struct rt_neighbor {
    uint32_t router_id;
    uint32_t attachment;        /* Object id of ours. */
    struct in6_addr addr;
    bool has_rib;
    struct rt_border *borders;  size_t n_borders;
    struct rt_node *nodes;      size_t n_nodes;
    struct rt_route *routes;    size_t n_routes;
};

struct rt_rib {
    uint32_t router;            /* Object id. */
    uint32_t instance;          /* Attachment's object id, or 0. */
    uint64_t seqno, externals_seqno;
    uint32_t root;
    struct rt_route *routes;    size_t n_routes;
    struct rt_node *nodes;      size_t n_nodes;
    struct rt_border *borders;  size_t n_borders;
    struct rt_external *externals; size_t n_externals;
    struct rt_candidate *candidates; size_t n_candidates;
    struct rt_nhset *nhsets;    size_t n_nhsets;
    struct rt_nexthop *nexthops; size_t n_nexthops;
    struct rt_neighbor *neighbors; size_t n_neighbors;
};

/* Path sets. */

enum rt_egress_kind {
    RT_STATED,                  /* a: attachment, addr: next hop. */
    RT_ON_LINK,                 /* The same. */
    RT_INTRA,                   /* a: origin; type: by_vertex; b, cost: extra. */
    RT_BORDER,                  /* a: ASBR; b: forwarding address. */
};
/* One candidate as part of a key.  No padding. */
struct rt_egress {
    uint32_t kind;              /* enum rt_egress_kind. */
    uint32_t type;              /* Stated: enum topo_advertise.  Border: 1, 2. */
    uint32_t instance;          /* Learned: attachment's object id, or 0. */
    uint32_t cost;              /* Stated or external cost. */
    uint32_t a, b;
    struct in6_addr addr;
};

/* Whose rules a path set follows. */
enum rt_class {
    RT_ANY,                     /* The same in both views. */
    RT_SUBNETS,
    RT_ATTACHMENTS,
};

struct rt_path_set {
    struct hmap_node node;      /* In route_net's 'path_sets', by 'hash'. */
    struct hmap_node id_node;   /* In route_net's 'ids', by 'pub.id'. */
    struct route_path_set pub;

    /* Key. */
    uint32_t hash;
    uint32_t router_id;         /* Object id. */
    enum rt_class class;
    struct rt_path_set *fallback; /* Or NULL.  Counted in its 'n_children'. */
    struct rt_egress *egresses; /* Sorted. */
    size_t n_egresses;

    struct rt_router *router;
    size_t n_refs[ROUTE_N_VIEWS]; /* Entries. */
    size_t n_children;
    size_t depth;               /* Of the chain of fallbacks. */
    bool dirty;                 /* To be chosen anew. */
    bool ran;                   /* In this run. */
    bool reported;              /* In some run. */
    bool renumbered;            /* In this run. */
    uint32_t *words;            /* As last reported: per tier 'horizon', the
                                 * number of ways, their ids. */
    size_t n_words;
};

/* Entries. */

struct rt_entry {
    struct hmap_node node;      /* In rt_router's 'entries', by prefix. */
    struct route_entry pub;
    struct rt_path_set *sets[ROUTE_N_VIEWS];
    bool dirty;                 /* On the router's list of dirty entries. */
    bool changed;               /* In this run. */
    bool dead;                  /* To be removed at the end of the run. */
    bool fresh;                 /* Not in 'sorted' yet. */
};

/* What a router has itself for a prefix. */
struct rt_own {
    struct hmap_node node;      /* In rt_router's 'own', by prefix. */
    struct prefix prefix;
    struct route_result views[ROUTE_N_VIEWS]; /* Not ROUTE_PATHS. */
    struct rt_way *way;         /* On-link neighbour, or NULL. */
    uint32_t cost;              /* The lowest wins. */
    bool space;                 /* Nothing inside is learned or stated. */
};

#define RT_N_PLENS 129

struct rt_router {
    uint32_t id;                /* Object id. */
    uint32_t router_id;         /* Host byte order. */
    bool transit;
    size_t index;
    uint32_t *distances;        /* To each router, by index. */
    size_t *next;               /* The next router, ROUTE_NONE: none. */

    struct hmap own;
    size_t n_own[RT_N_PLENS];   /* With 'space', by length. */
    bool own_dirty;

    struct hmap entries;
    size_t n_entries[RT_N_PLENS]; /* By length. */
    const struct route_entry **sorted; /* By prefix, in struct rt_entry. */
    size_t n_sorted, allocated_sorted;
    struct rt_entry **dirty;
    size_t n_dirty, allocated_dirty;
    struct rt_entry **changed;  /* In this run, sorted. */
    size_t n_changed, allocated_changed;
    size_t n_dead;              /* Among them. */

    struct route_advert *adverts; /* By prefix. */
    size_t n_adverts;
    bool adverts_dirty;
    bool adverts_reported;      /* Ever. */
    bool sets_dirty;            /* All path sets must be chosen anew. */
};

/* A stated destination, by prefix. */
struct rt_dest {
    struct hmap_node node;      /* In route_net's 'dests', by prefix. */
    size_t index;               /* In the topology. */
};

struct route_net {
    struct topo_network *topo;
    struct rt_router **routers; /* By index in the topology. */
    size_t n_routers;
    struct rt_router **dead_routers; /* Freed at the end of a run. */
    size_t n_dead_routers, allocated_dead_routers;

    size_t *wide_nodes;         /* Nodes with further addresses, indexes. */
    size_t n_wide_nodes;

    struct hmap parts, states;
    struct rt_rib **ribs;       /* Sorted by router, instance. */
    size_t n_ribs, allocated_ribs;
    struct hmap dests;
    bool *touched;              /* By attachment index: metric part or a way
                                 * changed since the last run. */
    bool any_touched;
    bool ways_touched;          /* Not only metric parts. */

    struct hmap ways;
    const struct route_way **way_list; /* Sorted. */
    size_t n_ways;
    bool ways_dirty;            /* What is named may have changed. */
    struct rt_way **dead_ways;  /* Freed at the end of a run. */
    size_t n_dead_ways, allocated_dead_ways;

    struct hmap path_sets, ids;
    const struct route_path_set **set_list; /* Sorted by id. */
    size_t n_sets;
    bool sets_structure;        /* Path sets came, or lost a user. */
    bool renumbered;            /* Some path set was, in this run. */
    size_t max_depth;           /* Of any path set. */

    bool topology_dirty;
    bool dirty;                 /* Anything at all. */
    bool all_sets;              /* Report all path sets. */
    struct route_entry_change *gone_entries; /* Of routers that are gone. */
    size_t n_gone_entries, allocated_gone_entries;
    uint32_t *gone_sets;        /* Reported ids that are gone. */
    size_t n_gone_sets, allocated_gone_sets;

    struct route_counters counters;
    uint32_t hash_mask;         /* UINT32_MAX but in tests. */
};

/* Appends to a growing array. */
#define RT_PUSH(ARRAY, N, ALLOCATED, VALUE)                             \
    do {                                                                \
        if ((N) >= (ALLOCATED)) {                                       \
            (ARRAY) = x2nrealloc(ARRAY, &(ALLOCATED), sizeof *(ARRAY)); \
        }                                                               \
        (ARRAY)[(N)++] = (VALUE);                                       \
    } while (0)

/* For tests: keeps only these bits of hashes, so that collisions happen. */
void route_net_set_hash_mask(struct route_net *, uint32_t mask);

/* qsort() that takes the NULL of an array that was never allocated. */
#define RT_SORT(ARRAY, N, COMPARE)                                      \
    do {                                                                \
        if ((N) > 1) {                                                  \
            qsort(ARRAY, N, sizeof *(ARRAY), COMPARE);                  \
        }                                                               \
    } while (0)

uint32_t rt_hash_bytes(const void *, size_t n, uint32_t basis);
uint32_t rt_part(const struct route_net *, uint32_t attachment);
size_t rt_attachment_index(const struct topo_network *, uint32_t id);
struct rt_router *rt_router_by_id(const struct route_net *, uint32_t id);
uint32_t rt_clamp(uint64_t cost);
struct prefix rt_prefix(uint32_t addr, uint8_t plen);

/* ways.c */
void rt_ways_init(struct route_net *);
void rt_ways_destroy(struct route_net *);
struct rt_way *rt_way_find(const struct route_net *, uint32_t attachment,
                           const struct in6_addr *next_hop);
/* Makes 'ways' what topology and ribs name, with identifiers; true if a way
 * came or went.  Those that went live until rt_ways_free_dead(). */
bool rt_ways_collect(struct route_net *);
void rt_ways_free_dead(struct route_net *);
/* Brings indexes up to date after a new topology, and forgets states of what
 * is gone. */
void rt_ways_remap(struct route_net *);

/* ribs.c */
struct rt_rib *rt_rib_find(const struct route_net *, uint32_t router,
                           uint32_t instance);
void rt_rib_destroy(struct rt_rib *);
const struct rt_border *rt_border_find(const struct rt_border *, size_t n,
                                       uint32_t asbr, uint32_t forwarding);
const struct rt_node *rt_node_find(const struct rt_node *, size_t n,
                                   uint32_t router_id);
const struct rt_route *rt_route_find(const struct rt_route *, size_t n,
                                     uint32_t prefix, uint8_t plen);
const struct rt_external *rt_external_find(const struct rt_rib *,
                                           uint32_t prefix, uint8_t plen);

/* own.c */
void rt_own_rebuild(struct route_net *, struct rt_router *);
void rt_own_destroy(struct rt_router *);
const struct rt_own *rt_own_find(const struct rt_router *,
                                 const struct prefix *);
/* Whether own space covers 'p', 'p' itself not counted. */
bool rt_own_covers(const struct rt_router *, const struct prefix *);

/* entries.c */
void rt_entry_mark(struct rt_router *, const struct prefix *);
void rt_entries_mark_all(struct route_net *, struct rt_router *);
void rt_entries_run(struct route_net *, struct rt_router *);
void rt_entries_finish(struct rt_router *, bool all, struct route_changes *);
void rt_entries_destroy(struct route_net *, struct rt_router *, bool report);
struct rt_entry *rt_entry_find(const struct rt_router *,
                               const struct prefix *);
/* All prefixes that contain 'p', longest first, as entries with a path set in
 * 'view'; 'p' itself does not count.  NULL at the end. */
struct rt_entry *rt_entry_cover(const struct rt_router *, enum route_view,
                                const struct prefix *p, unsigned int below);

/* adverts.c */
void rt_adverts_run(struct route_net *, struct rt_router *,
                    struct route_changes *);

/* sets.c */
struct rt_path_set *rt_set_ref(struct route_net *, struct rt_router *,
                               enum rt_class, const struct rt_egress *,
                               size_t n, struct rt_path_set *fallback,
                               enum route_view);
void rt_set_unref(struct route_net *, struct rt_path_set *, enum route_view);
void rt_sets_run(struct route_net *, struct route_changes *);
void rt_set_destroy(struct rt_path_set *);
int rt_egress_compare(const struct rt_egress *, const struct rt_egress *);
void rt_tiers_clear(struct route_path_set *);

/* choose.c */
void rt_choose(const struct route_net *, struct rt_path_set *);
/* The best living way of 'dest' as its owner sees it: its cost in '*cost', and
 * how many ways have that cost; NULL if none lives. */
const struct rt_way *rt_best_living(const struct route_net *,
                                    const struct topo_destination *,
                                    uint32_t *cost, size_t *n);

#endif /* controller/route/route-private.h */
