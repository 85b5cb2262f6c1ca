/* SPDX-License-Identifier: Apache-2.0 */

/* Routes of a hundred thousand external prefixes (C7): what changes when a
 * border, a metric or a link does is at most one path set per distinct pair of
 * costs, and never an entry. */

#include <config.h>
#include "controller/route/route.h"

#include <time.h>

#include "controller/ospf/rib.h"
#include "openvswitch/dynamic-string.h"
#include "tests/unit/route-world.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

#define N_PREFIXES 100000
#define N_PAIRS 200

struct big {
    struct world w;
    struct route_net *net;
    struct ospf_rib rib;
    struct ospf_border borders[2];
    struct ospf_nhset nhsets[3];
    struct ospf_nexthop nexthops[2];
    struct route_changes changes;
};

static double
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1e3 + ts.tv_nsec / 1e6;
}

/* Runs and prints how long it took. */
static void
run(struct big *big, const char *what)
{
    double start = now_ms();

    route_changes_clear(&big->changes);
    route_net_run(big->net, &big->changes);
    printf("%-44s %7.2f ms, %"PRIuSIZE" entries, %"PRIuSIZE" path sets\n",
           what, now_ms() - start, big->changes.n_entries,
           big->changes.n_path_sets);
}

static void
tell(struct big *big)
{
    big->rib.seqno++;
    route_net_set_rib(big->net, 0, ROUTE_NONE, &big->rib, NULL, 0);
}

/* One router, with peers 0 (attachment 0) and 4 (attachment 4) as borders that
 * both have all prefixes, with one of 200 pairs of metrics. */
static void
big_init(struct big *big)
{
    struct world *w = &big->w;
    struct topo_network *t;

    memset(big, 0, sizeof *big);
    w->routers[0].present = w->routers[0].transit = true;
    for (int a = 0; a <= 4; a += 4) {
        w->atts[a].present = true;
        w->atts[a].type = W_LAN;
        w->atts[a].cost = 1;
    }
    t = w_topology(w);
    big->net = route_net_create(t);
    topo_network_unref(t);
    for (int a = 0; a <= 4; a += 4) {
        w->states[a][2] = ROUTE_WHY_ALIVE;
        w_tell_state(w, big->net, a, 2);
    }

    big->rib.root = w_router_id(0);
    big->rib.externals_seqno = 1;
    big->rib.borders = big->borders;
    big->rib.n_borders = 2;
    big->rib.nhsets = big->nhsets;
    big->rib.n_nhsets = 3;
    big->rib.nexthops = big->nexthops;
    big->rib.n_nexthops = 2;
    for (int i = 0; i < 2; i++) {
        big->borders[i] = (struct ospf_border) {
            .asbr = w_peer_id(4 * i), .reachable = true, .distance = 10,
            .nhset = i + 1,
        };
        big->nhsets[i + 1] = (struct ospf_nhset) { .first = i, .n = 1 };
        big->nexthops[i] = (struct ospf_nexthop) {
            .exit_router = w_router_id(0),
            .local = w_att_net(4 * i) + 1,
            .addr = w_att_net(4 * i) + 2,
        };
    }
    big->rib.externals = xcalloc(N_PREFIXES + 1, sizeof *big->rib.externals);
    big->rib.candidates = xcalloc(2 * N_PREFIXES + 2,
                                  sizeof *big->rib.candidates);
    for (int i = 0; i < N_PREFIXES; i++) {
        big->rib.externals[i] = (struct ospf_external_prefix) {
            .prefix = 0x14000000u + (i << 8), .plen = 24,
            .first = 2 * i, .n = 2,
        };
        for (int j = 0; j < 2; j++) {
            big->rib.candidates[2 * i + j] = (struct ospf_candidate) {
                .border = j,
                .metric = j ? 100 : 1 + i % N_PAIRS,
                .e2 = false,
            };
        }
    }
    big->rib.n_externals = N_PREFIXES;
    big->rib.n_candidates = 2 * N_PREFIXES;
    tell(big);
}

static void
big_destroy(struct big *big)
{
    route_changes_uninit(&big->changes);
    route_net_destroy(big->net);
    free(big->rib.externals);
    free(big->rib.candidates);
}

static size_t
n_path_sets(const struct big *big)
{
    struct route_counters c;

    route_net_get_counters(big->net, &c);
    return c.path_sets;
}

static void
test_borders(void)
{
    struct big big;

    big_init(&big);
    run(&big, "all of them");
    CU_ASSERT(big.changes.n_entries >= N_PREFIXES);
    /* Besides those, the two neighbours on link. */
    CU_ASSERT_EQUAL(n_path_sets(&big), N_PAIRS + 2);

    /* A border moves away: only where that makes a difference. */
    big.borders[0].distance = 60;
    tell(&big);
    run(&big, "a border's distance changed");
    CU_ASSERT_EQUAL(big.changes.n_entries, 0);
    /* Metrics 51 to 99 change sides, 50 and 100 had or get a tie. */
    CU_ASSERT_EQUAL(big.changes.n_path_sets, 51);

    big.borders[0].reachable = false;
    tell(&big);
    run(&big, "a border gone");
    CU_ASSERT_EQUAL(big.changes.n_entries, 0);
    CU_ASSERT_EQUAL(big.changes.n_path_sets, 50);

    big.borders[1].reachable = false;
    tell(&big);
    run(&big, "both borders gone");
    CU_ASSERT_EQUAL(big.changes.n_entries, 0);
    CU_ASSERT_EQUAL(big.changes.n_path_sets, N_PAIRS);

    big.borders[0].reachable = big.borders[1].reachable = true;
    tell(&big);
    run(&big, "both borders back");
    CU_ASSERT_EQUAL(big.changes.n_entries, 0);
    CU_ASSERT_EQUAL(big.changes.n_path_sets, N_PAIRS);

    /* A dead way changes nothing but its own way group. */
    big.w.states[0][2] = ROUTE_WHY_BFD_DOWN;
    w_tell_state(&big.w, big.net, 0, 2);
    run(&big, "a way dead");
    CU_ASSERT_EQUAL(big.changes.n_entries, 0);
    CU_ASSERT_EQUAL(big.changes.n_path_sets, 0);
    big_destroy(&big);
}

static void
test_prefixes(void)
{
    struct big big;

    big_init(&big);
    run(&big, "all of them");

    big.rib.candidates[2 * 777].metric = 99999;
    big.rib.externals_seqno++;
    tell(&big);
    run(&big, "one prefix with a metric of its own");
    CU_ASSERT_EQUAL(big.changes.n_entries, 1);
    CU_ASSERT_EQUAL(big.changes.n_path_sets, 1);

    big.rib.n_externals--;
    big.rib.externals_seqno++;
    tell(&big);
    run(&big, "one prefix less");
    CU_ASSERT_EQUAL(big.changes.n_entries, 1);
    CU_ASSERT_PTR_NULL(big.changes.entries[0].entry);

    /* A default route of the same borders is no way out when they are gone:
     * nothing but its own entry. */
    memmove(&big.rib.externals[1], &big.rib.externals[0],
            big.rib.n_externals++ * sizeof *big.rib.externals);
    big.rib.externals[0].prefix = 0;
    big.rib.externals[0].plen = 0;
    big.rib.externals_seqno++;
    tell(&big);
    run(&big, "a default route");
    CU_ASSERT_EQUAL(big.changes.n_entries, 1);
    big_destroy(&big);
}

TW_TESTS("route-scale",
         TW_TEST(test_borders),
         TW_TEST(test_prefixes))
