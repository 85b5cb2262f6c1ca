/* SPDX-License-Identifier: Apache-2.0 */

/* Hello, adjacencies and the election of the designated router, between
 * routers in a virtual network. */

#include <config.h>

#include "tests/unit/ospf-net.h"
#include "util.h"

#define R(N) IP(10, 255, 0, (N))

/* 'n' routers on one segment, 10.0.0.<i + 1>/24. */
static void
segment(struct net *net, uint32_t n, enum ospf_iface_type type)
{
    net_init(net);
    for (uint32_t i = 0; i < n; i++) {
        net_add_router(net, R(i + 1));
        net_attach(net, i, 0, IP(10, 0, 0, i + 1), 24, type);
        net_add_stub(net, i, IP(172, 16, i, 0), 24, 5);
    }
}

static void
test_p2p_full(void)
{
    struct net net;

    segment(&net, 2, OSPF_P2P);
    net_start(&net);
    long long int took = net_run_full(&net, 10000);
    CU_ASSERT(took >= 0 && took < 100);
    net_run(&net, 2000);
    CU_ASSERT(net_same_lsdb(&net));

    struct ds ds = DS_EMPTY_INITIALIZER;
    ospf_format_lsdb(net.routers[0].ospf, true, net.now, &ds);
    if (getenv("SHOW")) {
        puts(ds_cstr(&ds));
        puts(ds_cstr(&net.routers[0].log));
        puts(ds_cstr(&net.routers[1].log));
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(ds_cstr(&ds),
        "point-to-point link to router 10.255.0.2, interface 10.0.0.1, "
        "metric 10"));
    CU_ASSERT_PTR_NOT_NULL(strstr(ds_cstr(&ds),
        "stub network 172.16.1.0 mask 255.255.255.0, metric 5"));
    ds_destroy(&ds);
    net_destroy(&net);
}

TW_TESTS("ospf-adjacency",
         TW_TEST(test_p2p_full))
