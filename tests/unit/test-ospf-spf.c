/* SPDX-License-Identifier: Apache-2.0 */

/* SPF and ribs, on LSDBs made up by the test: against a slow twin on random
 * graphs, and case by case. */

#include <config.h>

#include "controller/base/bytes.h"
#include "controller/ospf/lsdb.h"
#include "controller/ospf/rib-build.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

#define IP(A, B, C, D) \
    ((uint32_t) (A) << 24 | (uint32_t) (B) << 16 | (uint32_t) (C) << 8 | (D))
#define R(N) IP(10, 255, (N) / 256, (N) % 256)

/* Making LSAs. */

static struct ofpbuf *
lsa_begin(uint8_t type, uint32_t id, uint32_t adv)
{
    struct ofpbuf *b = ofpbuf_new(64);

    put_u32(b, 0x0200 | type);
    put_u32(b, id);
    put_u32(b, adv);
    put_u32(b, 0x80000001);
    put_u32(b, 0);
    return b;
}

static void
lsa_end(struct lsdb *db, struct ofpbuf *b)
{
    lsa_seal(b->data, b->size);
    CU_ASSERT_EQUAL(lsa_check(b->data, b->size), LSA_OK);
    struct ospf_lsa *lsa = lsa_new(b->data, b->size, 0, 0);
    lsdb_install(db, lsa, 0);
    lsa_unref(lsa);
    ofpbuf_delete(b);
}

static struct ofpbuf *
router_begin(uint32_t router_id, uint8_t flags)
{
    struct ofpbuf *b = lsa_begin(OSPF_LSA_ROUTER, router_id, router_id);
    put_u8(b, flags);
    put_u8(b, 0);
    put_u16(b, 0);
    return b;
}

static void
add_link(struct ofpbuf *b, enum router_link_type type, uint32_t id,
         uint32_t data, uint16_t metric)
{
    put_u32(b, id);
    put_u32(b, data);
    put_u8(b, type);
    put_u8(b, 0);
    put_u16(b, metric);
    uint8_t *n = (uint8_t *) b->data + LSA_HEADER_LEN + 2;
    store_u16(n, load_u16(n) + 1);
}

static void
put_external(struct lsdb *db, uint32_t adv, uint32_t prefix, uint8_t plen,
             bool e2, uint32_t metric, uint32_t forwarding)
{
    struct ofpbuf *b = lsa_begin(OSPF_LSA_EXTERNAL, prefix, adv);
    put_u32(b, plen ? UINT32_MAX << (32 - plen) : 0);
    put_u32(b, (e2 ? 0x80000000 : 0) | metric);
    put_u32(b, forwarding);
    put_u32(b, 0);
    lsa_end(db, b);
}

static char *
rib_text(const struct lsdb *db, const struct lsdb *externals_db,
         const uint32_t *family, size_t n_family, uint32_t root)
{
    struct spf_graph *g = spf_graph_build(db, family, n_family, 0);
    struct rib_externals *x = rib_externals_build(externals_db, 0);
    struct ospf_rib *rib = rib_build(g, root, x, true);
    struct ds ds = DS_EMPTY_INITIALIZER;

    ospf_rib_format(&ds, rib);
    ospf_rib_destroy(rib);
    rib_externals_destroy(x);
    spf_graph_destroy(g);
    return ds_steal_cstr(&ds);
}

#define CHECK_RIB(DB, XDB, FAMILY, N_FAMILY, ROOT, TEXT)                   \
    do {                                                                   \
        char *s__ = rib_text(DB, XDB, FAMILY, N_FAMILY, ROOT);             \
        if (strcmp(s__, TEXT)) {                                           \
            printf("is:\n%sexpected:\n%s", s__, TEXT);                     \
        }                                                                  \
        CU_ASSERT_STRING_EQUAL(s__, TEXT);                                 \
        free(s__);                                                         \
    } while (0)

/* The twin: routers and networks with a matrix of direct costs, distances by
 * Bellman-Ford, and as first steps all those that some shortest path takes. */

#define MAX_NODES 24            /* Routers, then networks. */
#define MAX_ROUTERS 16

struct twin {
    int n_routers, n_networks;
    /* By router and network or router: what the router's own LSA says, 0:
     * nothing.  Several links between two routers are not made up here. */
    uint16_t link[MAX_ROUTERS][MAX_NODES];
    bool listed[MAX_ROUTERS][MAX_NODES]; /* The network-LSA lists it. */
    uint16_t stub[MAX_ROUTERS];
    bool wire[MAX_ROUTERS][MAX_ROUTERS];
    bool family[MAX_ROUTERS];
};

/* The cost of an edge that both ends confirm, or UINT32_MAX. */
static uint32_t
twin_edge(const struct twin *t, int a, int b)
{
    bool a_router = a < t->n_routers, b_router = b < t->n_routers;

    if (a_router && b_router) {
        return t->link[a][b] && t->link[b][a] ? t->link[a][b] : UINT32_MAX;
    } else if (a_router) {
        return t->link[a][b] && t->listed[a][b] ? t->link[a][b] : UINT32_MAX;
    } else if (b_router) {
        return t->link[b][a] && t->listed[b][a] ? 0 : UINT32_MAX;
    }
    return UINT32_MAX;
}

static void
twin_distances(const struct twin *t, int root, uint32_t d[MAX_NODES])
{
    int n = t->n_routers + t->n_networks;

    for (int i = 0; i < n; i++) {
        d[i] = UINT32_MAX;
    }
    d[root] = 0;
    for (int round = 0; round < n; round++) {
        for (int a = 0; a < n; a++) {
            for (int b = 0; b < n; b++) {
                uint32_t cost = twin_edge(t, a, b);
                if (d[a] != UINT32_MAX && cost != UINT32_MAX
                    && d[a] + cost < d[b]) {
                    d[b] = d[a] + cost;
                }
            }
        }
    }
}

static uint32_t
link_address(const struct twin *t, int router, int other)
{
    return (other < t->n_routers
            ? IP(20, MIN(router, other), MAX(router, other),
                 router < other ? 1 : 2)
            : IP(30, other, 0, router + 1));
}

/* Is 'v' reached over wires only, as cheaply as by anything else? */
static bool
twin_inside(const struct twin *t, int root, int v, const uint32_t *d)
{
    if (v == root) {
        return true;
    }
    for (int u = 0; u < t->n_routers && t->family[v]; u++) {
        if (t->wire[u][v] && t->family[u] && d[u] != UINT32_MAX
            && twin_edge(t, u, v) != UINT32_MAX
            && d[u] + twin_edge(t, u, v) == d[v]
            && twin_inside(t, root, u, d)) {
            return true;
        }
    }
    return false;
}

/* Notes every next hop of a shortest path to 'v', backwards. */
static void
twin_nexthops(const struct twin *t, int root, int v, const uint32_t *d,
              struct ospf_nexthop *nh, size_t *n)
{
    int n_nodes = t->n_routers + t->n_networks;

    if (v < t->n_routers && twin_inside(t, root, v, d)) {
        nh[(*n)++] = (struct ospf_nexthop) { .exit_router = R(v + 1) };
        return;
    }
    for (int u = 0; u < n_nodes; u++) {
        uint32_t cost = twin_edge(t, u, v);
        if (u == v || cost == UINT32_MAX || d[u] == UINT32_MAX
            || d[u] + cost != d[v]) {
            continue;
        }
        if (u < t->n_routers && twin_inside(t, root, u, d)) {
            bool on_link = v >= t->n_routers;
            nh[(*n)++] = (struct ospf_nexthop) {
                .exit_router = R(u + 1),
                .local = link_address(t, u, v),
                .addr = on_link ? 0 : link_address(t, v, u),
                .nbr_router_id = on_link ? 0 : R(v + 1),
            };
            continue;
        }
        size_t first = *n;
        twin_nexthops(t, root, u, d, nh, n);
        for (size_t i = first; i < *n; i++) {
            if (nh[i].local && !nh[i].addr) {
                nh[i].addr = link_address(t, v, u);
                nh[i].nbr_router_id = R(v + 1);
            }
        }
    }
}

static void
twin_lsas(const struct twin *t, struct lsdb *db)
{
    int n = t->n_routers + t->n_networks;

    for (int a = 0; a < t->n_routers; a++) {
        struct ofpbuf *b = router_begin(R(a + 1), 0);
        for (int c = 0; c < n; c++) {
            if (!t->link[a][c]) {
                continue;
            } else if (c >= t->n_routers) {
                add_link(b, LINK_TRANSIT, IP(30, c, 0, 200),
                         link_address(t, a, c), t->link[a][c]);
            } else {
                add_link(b, LINK_P2P, R(c + 1),
                         t->wire[a][c] ? (uint32_t) c + 1
                         : link_address(t, a, c), t->link[a][c]);
            }
        }
        add_link(b, LINK_STUB, IP(40, a, 0, 0), 0xffffff00, t->stub[a]);
        add_link(b, LINK_STUB, IP(50, 0, 0, 0), 0xffff0000, t->stub[a]);
        lsa_end(db, b);
    }
    for (int c = t->n_routers; c < n; c++) {
        struct ofpbuf *b = lsa_begin(OSPF_LSA_NETWORK, IP(30, c, 0, 200),
                                     R(1));
        put_u32(b, 0xffffff00);
        put_u32(b, R(999));
        for (int a = 0; a < t->n_routers; a++) {
            if (t->listed[a][c]) {
                put_u32(b, R(a + 1));
            }
        }
        lsa_end(db, b);
    }
}

static void
twin_random(struct twin *t, struct tw_random *r)
{
    memset(t, 0, sizeof *t);
    t->n_routers = 2 + tw_random_range(r, MAX_ROUTERS - 1);
    t->n_networks = tw_random_range(r, MAX_NODES - MAX_ROUTERS + 1);
    int n = t->n_routers + t->n_networks;
    uint32_t spread = 1 + tw_random_range(r, 4);
    uint32_t density = 10 + tw_random_range(r, 50);

    for (int a = 0; a < t->n_routers; a++) {
        t->family[a] = tw_random_range(r, 4) == 0;
        t->stub[a] = 1 + tw_random_range(r, spread);
    }
    for (int a = 0; a < t->n_routers; a++) {
        for (int b = 0; b < n; b++) {
            if (a == b || (b < t->n_routers && a > b)
                || tw_random_range(r, 100) >= density) {
                continue;
            }
            t->link[a][b] = 1 + tw_random_range(r, spread);
            if (b >= t->n_routers) {
                t->listed[a][b] = tw_random_range(r, 10) > 0;
            } else if (tw_random_range(r, 10) > 0) {
                t->link[b][a] = 1 + tw_random_range(r, spread);
                t->wire[a][b] = t->wire[b][a]
                    = t->family[a] && t->family[b] && tw_random_range(r, 2);
            }
        }
    }
}

static void
check_nexthops(const struct ospf_rib *rib, uint32_t set,
               const struct ospf_nexthop *nh, size_t n)
{
    /* All of the twin's are in the set, and all of the set's in the twin. */
    const struct ospf_nhset *s = &rib->nhsets[set];

    for (size_t i = 0; i < n + s->n; i++) {
        const struct ospf_nexthop *x
            = i < n ? &nh[i] : &rib->nexthops[s->first + i - n];
        const struct ospf_nexthop *in
            = i < n ? &rib->nexthops[s->first] : nh;
        size_t n_in = i < n ? s->n : n;
        bool found = false;
        for (size_t j = 0; j < n_in; j++) {
            found |= !memcmp(x, &in[j], sizeof *x);
        }
        CU_ASSERT(found);
    }
}

static void
check_root(const struct twin *t, const struct spf_graph *g, int root)
{
    static struct ospf_nexthop nh[100000];
    struct rib_externals none = { .n_borders = 0 };
    uint32_t d[MAX_NODES];
    struct ospf_rib *rib = rib_build(g, R(root + 1), &none, false);
    uint32_t shared = UINT32_MAX;

    twin_distances(t, root, d);
    for (int v = 0; v < t->n_routers; v++) {
        const struct ospf_router *r = ospf_rib_router(rib, R(v + 1));
        CU_ASSERT_EQUAL(r != NULL, d[v] != UINT32_MAX);
        if (!r || d[v] == UINT32_MAX) {
            continue;
        }
        CU_ASSERT_EQUAL(r->cost, d[v]);
        CU_ASSERT_EQUAL(r->family, twin_inside(t, root, v, d));
        size_t n = 0;
        twin_nexthops(t, root, v, d, nh, &n);
        check_nexthops(rib, r->nhset, nh, n);
        const struct ospf_route *route
            = ospf_rib_route(rib, IP(40, v, 0, 0), 24);
        CU_ASSERT_PTR_NOT_NULL_FATAL(route);
        CU_ASSERT_EQUAL(route->cost, d[v] + t->stub[v]);
        check_nexthops(rib, route->nhset, nh, n);
        shared = MIN(shared, route->cost);
    }
    for (int v = t->n_routers; v < t->n_routers + t->n_networks; v++) {
        const struct ospf_route *route
            = ospf_rib_route(rib, IP(30, v, 0, 0), 24);
        CU_ASSERT_EQUAL(route != NULL, d[v] != UINT32_MAX);
        if (route && d[v] != UINT32_MAX) {
            size_t n = 0;
            CU_ASSERT_EQUAL(route->cost, d[v]);
            twin_nexthops(t, root, v, d, nh, &n);
            check_nexthops(rib, route->nhset, nh, n);
        }
    }

    /* The stub that all have: the nearest share it. */
    size_t n = 0;
    for (int v = 0; v < t->n_routers; v++) {
        if (d[v] != UINT32_MAX && d[v] + t->stub[v] == shared) {
            twin_nexthops(t, root, v, d, nh, &n);
        }
    }
    const struct ospf_route *route = ospf_rib_route(rib, IP(50, 0, 0, 0), 16);
    CU_ASSERT_PTR_NOT_NULL_FATAL(route);
    CU_ASSERT_EQUAL(route->cost, shared);
    check_nexthops(rib, route->nhset, nh, n);
    ospf_rib_destroy(rib);
}

static void
test_twin(void)
{
    struct tw_random r;

    tw_random_init(&r, 42);
    for (int i = 0; i < 500; i++) {
        struct twin t;
        struct lsdb db;
        uint32_t family[MAX_ROUTERS];
        size_t n_family = 0;

        twin_random(&t, &r);
        lsdb_init(&db);
        twin_lsas(&t, &db);
        for (int v = 0; v < t.n_routers; v++) {
            if (t.family[v]) {
                family[n_family++] = R(v + 1);
            }
        }
        struct spf_graph *g = spf_graph_build(&db, family, n_family, 0);
        for (int root = 0; root < t.n_routers; root++) {
            check_root(&t, g, root);
        }
        spf_graph_destroy(g);
        lsdb_destroy(&db);
    }
}

/* Two virtual routers (1 and 2) with a wire; a customer's router at each, a
 * third one behind both, and a broadcast segment at router 2. */
static void
make_site(struct lsdb *db)
{
    struct ofpbuf *b = router_begin(R(1), 0);
    add_link(b, LINK_P2P, R(3), IP(10, 0, 0, 1), 10);
    add_link(b, LINK_STUB, IP(10, 0, 0, 0), 0xfffffffc, 10);
    add_link(b, LINK_P2P, R(2), 1, 5);
    add_link(b, LINK_STUB, IP(172, 16, 1, 0), 0xffffff00, 3);
    lsa_end(db, b);

    b = router_begin(R(2), 0);
    add_link(b, LINK_P2P, R(4), IP(10, 0, 1, 1), 10);
    add_link(b, LINK_STUB, IP(10, 0, 1, 0), 0xfffffffc, 10);
    add_link(b, LINK_P2P, R(1), 1, 5);
    add_link(b, LINK_TRANSIT, IP(10, 0, 2, 7), IP(10, 0, 2, 1), 10);
    add_link(b, LINK_STUB, IP(172, 16, 2, 0), 0xffffff00, 3);
    lsa_end(db, b);

    b = router_begin(R(3), ROUTER_FLAG_E);
    add_link(b, LINK_P2P, R(1), IP(10, 0, 0, 2), 10);
    add_link(b, LINK_STUB, IP(10, 0, 0, 0), 0xfffffffc, 10);
    add_link(b, LINK_P2P, R(5), IP(192, 168, 0, 1), 15);
    lsa_end(db, b);

    b = router_begin(R(4), ROUTER_FLAG_E);
    add_link(b, LINK_P2P, R(2), IP(10, 0, 1, 2), 10);
    add_link(b, LINK_STUB, IP(10, 0, 1, 0), 0xfffffffc, 10);
    add_link(b, LINK_P2P, R(5), IP(192, 168, 1, 1), 10);
    lsa_end(db, b);

    b = router_begin(R(5), 0);
    add_link(b, LINK_P2P, R(3), IP(192, 168, 0, 2), 10);
    add_link(b, LINK_P2P, R(4), IP(192, 168, 1, 2), 10);
    add_link(b, LINK_STUB, IP(172, 16, 5, 0), 0xffffff00, 1);
    lsa_end(db, b);

    b = router_begin(R(7), ROUTER_FLAG_E);
    add_link(b, LINK_TRANSIT, IP(10, 0, 2, 7), IP(10, 0, 2, 7), 10);
    add_link(b, LINK_STUB, IP(172, 16, 7, 0), 0xffffff00, 1);
    lsa_end(db, b);

    b = lsa_begin(OSPF_LSA_NETWORK, IP(10, 0, 2, 7), R(7));
    put_u32(b, 0xffffff00);
    put_u32(b, R(2));
    put_u32(b, R(7));
    lsa_end(db, b);
}

static void
test_family(void)
{
    const uint32_t family[] = { R(1), R(2) };
    struct lsdb db, xdb;

    lsdb_init(&db);
    lsdb_init(&xdb);
    make_site(&db);
    CHECK_RIB(&db, &xdb, family, 2, R(1),
        "10.0.0.0/30 intra cost 10 on-link from 10.0.0.1\n"
        "10.0.1.0/30 intra cost 15 on-link from 10.0.1.1 of 10.255.0.2\n"
        "10.0.2.0/24 intra cost 15 on-link from 10.0.2.1 of 10.255.0.2\n"
        "172.16.1.0/24 intra cost 3 inside\n"
        "172.16.2.0/24 intra cost 8 inside of 10.255.0.2\n"
        "172.16.5.0/24 intra cost 26 via 10.0.0.2 from 10.0.0.1"
        " via 10.0.1.2 from 10.0.1.1 of 10.255.0.2\n"
        "172.16.7.0/24 intra cost 16 via 10.0.2.7 from 10.0.2.1"
        " of 10.255.0.2\n"
        "router 10.255.0.1 cost 0 inside\n"
        "router 10.255.0.2 cost 5 inside of 10.255.0.2\n"
        "router 10.255.0.3 cost 10 as-boundary via 10.0.0.2 from 10.0.0.1\n"
        "router 10.255.0.4 cost 15 as-boundary via 10.0.1.2 from 10.0.1.1"
        " of 10.255.0.2\n"
        "router 10.255.0.5 cost 25 via 10.0.0.2 from 10.0.0.1"
        " via 10.0.1.2 from 10.0.1.1 of 10.255.0.2\n"
        "router 10.255.0.7 cost 15 as-boundary via 10.0.2.7 from 10.0.2.1"
        " of 10.255.0.2\n");
    lsdb_destroy(&db);
    lsdb_destroy(&xdb);
}

static void
test_externals(void)
{
    const uint32_t family[] = { R(1), R(2) };
    struct lsdb db, xdb;

    lsdb_init(&db);
    lsdb_init(&xdb);
    make_site(&db);
    uint32_t p = IP(198, 51, 100, 0);
    /* Type 1 beats type 2; of type 2 the metric, then the distance; equal
     * ones share. */
    put_external(&xdb, R(3), p, 24, false, 500, 0);
    put_external(&xdb, R(4), p, 24, true, 1, 0);
    put_external(&xdb, R(3), p + 256, 24, true, 7, 0);
    put_external(&xdb, R(4), p + 256, 24, true, 7, 0);
    put_external(&xdb, R(7), p + 256, 24, true, 8, 0);
    put_external(&xdb, R(4), p + 512, 24, true, 7, 0);
    put_external(&xdb, R(7), p + 512, 24, true, 7, 0);
    put_external(&xdb, R(3), p + 768, 24, false, 10, 0);
    put_external(&xdb, R(4), p + 768, 24, false, 5, 0);
    /* Forwarding addresses: on-link of a sibling; on a stub; nowhere; our
     * own. */
    put_external(&xdb, R(7), p + 1024, 24, true, 7, IP(10, 0, 2, 99));
    put_external(&xdb, R(7), p + 1280, 24, true, 7, IP(172, 16, 5, 9));
    put_external(&xdb, R(7), p + 1536, 24, true, 7, IP(9, 9, 9, 9));
    put_external(&xdb, R(7), p + 1792, 24, true, 7, IP(10, 0, 2, 1));
    /* No ASBR, infinity, a sibling's, our own. */
    put_external(&xdb, R(5), p + 2048, 24, true, 7, 0);
    put_external(&xdb, R(3), p + 2304, 24, true, LSA_INFINITY, 0);
    put_external(&xdb, R(2), p + 2560, 24, false, 7, IP(10, 0, 1, 2));
    put_external(&xdb, R(2), p + 2816, 24, false, 7, 0);
    put_external(&xdb, R(1), p + 3072, 24, false, 7, 0);

    char *s = rib_text(&db, &xdb, family, 2, R(1));
    const char *x = strstr(s, "198.51.100.0/24");
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    const char *expected =
        "198.51.100.0/24 E1 cost 510 distance 10 by 10.255.0.3"
        " via 10.0.0.2 from 10.0.0.1\n"
        "198.51.101.0/24 E2 cost 7 distance 10 by 10.255.0.3"
        " via 10.0.0.2 from 10.0.0.1\n"
        "198.51.102.0/24 E2 cost 7 distance 15 by 10.255.0.4"
        " via 10.0.1.2 from 10.0.1.1 of 10.255.0.2\n"
        "198.51.102.0/24 E2 cost 7 distance 15 by 10.255.0.7"
        " via 10.0.2.7 from 10.0.2.1 of 10.255.0.2\n"
        "198.51.103.0/24 E1 cost 20 distance 10 by 10.255.0.3"
        " via 10.0.0.2 from 10.0.0.1\n"
        "198.51.103.0/24 E1 cost 20 distance 15 by 10.255.0.4"
        " via 10.0.1.2 from 10.0.1.1 of 10.255.0.2\n"
        "198.51.104.0/24 E2 cost 7 distance 15 by 10.255.0.7"
        " via 10.0.2.99 from 10.0.2.1 of 10.255.0.2\n"
        "198.51.105.0/24 E2 cost 7 distance 26 by 10.255.0.7"
        " via 10.0.0.2 from 10.0.0.1"
        " via 10.0.1.2 from 10.0.1.1 of 10.255.0.2\n"
        "198.51.106.0/24 unreachable\n"
        "198.51.107.0/24 unreachable\n"
        "198.51.108.0/24 unreachable\n"
        "198.51.110.0/24 E1 cost 22 distance 15 by 10.255.0.2"
        " via 10.0.1.2 from 10.0.1.1 of 10.255.0.2\n"
        "198.51.111.0/24 E1 cost 12 distance 5 by 10.255.0.2"
        " inside of 10.255.0.2\n"
        "198.51.112.0/24 E1 cost 7 distance 0 by 10.255.0.1 inside\n";
    if (strcmp(x, expected)) {
        printf("is:\n%s", x);
    }
    CU_ASSERT_STRING_EQUAL(x, expected);
    free(s);
    lsdb_destroy(&db);
    lsdb_destroy(&xdb);
}

/* A thousand prefixes of two borders are two borders. */
static void
test_borders_are_shared(void)
{
    struct lsdb db, xdb;

    lsdb_init(&db);
    lsdb_init(&xdb);
    make_site(&db);
    for (uint32_t i = 0; i < 1000; i++) {
        put_external(&xdb, R(3), IP(20, i / 256, i % 256, 0), 24, true, 7, 0);
        put_external(&xdb, R(4), IP(20, i / 256, i % 256, 0), 24, true, 9, 0);
    }
    struct spf_graph *g = spf_graph_build(&db, NULL, 0, 0);
    struct rib_externals *x = rib_externals_build(&xdb, 0);
    struct ospf_rib *rib = rib_build(g, R(1), x, true);
    struct ospf_rib *from = rib_build(g, R(5), x, false);
    CU_ASSERT_EQUAL(rib->n_borders, 2);
    CU_ASSERT_EQUAL(rib->n_externals, 1000);
    CU_ASSERT_EQUAL(rib->n_candidates, 2000);
    CU_ASSERT_EQUAL(rib->candidates[0].border, 0);
    CU_ASSERT_EQUAL(rib->candidates[1].border, 1);
    CU_ASSERT_EQUAL(rib->borders[1].asbr, R(4));
    CU_ASSERT_EQUAL(rib->borders[1].distance, 15);
    CU_ASSERT_EQUAL(from->borders[1].asbr, R(4));
    CU_ASSERT_EQUAL(from->borders[1].distance, 10);
    CU_ASSERT_EQUAL(from->n_externals, 0);
    ospf_rib_destroy(rib);
    ospf_rib_destroy(from);
    rib_externals_destroy(x);
    spf_graph_destroy(g);
    lsdb_destroy(&db);
    lsdb_destroy(&xdb);
}

/* Two parallel links: each next hop has the address on its own link. */
static void
test_parallel_links(void)
{
    struct lsdb db, xdb;

    lsdb_init(&db);
    lsdb_init(&xdb);
    for (uint32_t i = 1; i <= 2; i++) {
        struct ofpbuf *b = router_begin(R(i), 0);
        for (uint32_t j = 0; j < 3; j++) {
            add_link(b, LINK_P2P, R(3 - i), IP(10, 0, j, i),
                     j == 2 && i == 1 ? 11 : 10);
            add_link(b, LINK_STUB, IP(10, 0, j, 0), 0xfffffffc, 10);
        }
        add_link(b, LINK_STUB, IP(172, 16, i, 0), 0xffffff00, 1);
        lsa_end(&db, b);
    }
    CHECK_RIB(&db, &xdb, NULL, 0, R(1),
        "10.0.0.0/30 intra cost 10 on-link from 10.0.0.1\n"
        "10.0.1.0/30 intra cost 10 on-link from 10.0.1.1\n"
        "10.0.2.0/30 intra cost 10 on-link from 10.0.2.1\n"
        "172.16.1.0/24 intra cost 1 inside\n"
        "172.16.2.0/24 intra cost 11 via 10.0.0.2 from 10.0.0.1"
        " via 10.0.1.2 from 10.0.1.1\n"
        "router 10.255.0.1 cost 0 inside\n"
        "router 10.255.0.2 cost 10 via 10.0.0.2 from 10.0.0.1"
        " via 10.0.1.2 from 10.0.1.1\n");
    lsdb_destroy(&db);
    lsdb_destroy(&xdb);
}

TW_TESTS("ospf-spf",
         TW_TEST(test_twin),
         TW_TEST(test_family),
         TW_TEST(test_externals),
         TW_TEST(test_borders_are_shared),
         TW_TEST(test_parallel_links))
