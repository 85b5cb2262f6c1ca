/* SPDX-License-Identifier: Apache-2.0 */

/* The life of LSAs: origination and its intervals, flooding, refresh, ageing,
 * flushing, what happens after a restart, wires between siblings. */

#include <config.h>

#include "controller/base/bytes.h"
#include "controller/ospf/packet.h"
#include "openvswitch/ofpbuf.h"
#include "tests/unit/ospf-net.h"
#include "util.h"

#define R(N) IP(10, 255, 0, (N))

/* A chain of 'n' routers with point-to-point links. */
static void
chain(struct net *net, uint32_t n)
{
    net_init(net);
    for (uint32_t i = 0; i < n; i++) {
        net_add_router(net, R(i + 1));
        if (i > 0) {
            net_attach(net, i, i - 1, IP(10, 0, i - 1, 2), 24, OSPF_P2P);
        }
        if (i < n - 1) {
            net_attach(net, i, i, IP(10, 0, i, 1), 24, OSPF_P2P);
        }
        net_add_stub(net, i, IP(172, 16, i, 0), 24, 5);
    }
}

static void
settled_chain(struct net *net, uint32_t n)
{
    chain(net, n);
    net_start(net);
    CU_ASSERT(net_run_full(net, 10000) >= 0);
    net_run(net, 10000);
    CU_ASSERT(net_same_lsdb(net));
}

static struct ospf_external_config
external(uint32_t prefix, uint8_t plen, uint32_t metric)
{
    return (struct ospf_external_config) {
        .prefix = prefix, .plen = plen, .e2 = true, .metric = metric,
    };
}

static uint32_t
metric_at(struct net *net, uint32_t router, uint32_t id, uint32_t adv)
{
    const struct ospf_lsa *lsa = net_lsa(net, router, OSPF_LSA_EXTERNAL, id,
                                         adv);
    struct lsa_external x;

    if (!lsa) {
        return 0;
    }
    lsa_external(lsa, &x);
    return x.metric;
}

static void
test_external_interval(void)
{
    struct net net;

    settled_chain(&net, 3);
    uint32_t prefix = IP(198, 51, 100, 0);
    struct ospf_external_config x = external(prefix, 24, 10);
    net_externals(&net, 0, &x, 1);
    net_run(&net, 10);
    CU_ASSERT_EQUAL(metric_at(&net, 2, prefix, R(1)), 10);
    CU_ASSERT(lsa_router_flags(net_lsa(&net, 2, OSPF_LSA_ROUTER, R(1), R(1)))
              & ROUTER_FLAG_E);

    /* Ten changes in two seconds become one LSA, MinLSInterval after the
     * first, with the last value. */
    int32_t seq = lsa_seq(net_lsa(&net, 0, OSPF_LSA_EXTERNAL, prefix, R(1)));
    for (uint32_t i = 0; i < 10; i++) {
        x.metric = 100 + i;
        net_externals(&net, 0, &x, 1);
        net_run(&net, 200);
        CU_ASSERT_EQUAL(metric_at(&net, 2, prefix, R(1)), 10);
    }
    net_run(&net, 2980);
    CU_ASSERT_EQUAL(metric_at(&net, 2, prefix, R(1)), 10);
    net_run(&net, 100);
    CU_ASSERT_EQUAL(metric_at(&net, 2, prefix, R(1)), 109);
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 2, OSPF_LSA_EXTERNAL, prefix, R(1))),
                    seq + 1);

    /* A value that came and went is no change. */
    x.metric = 7;
    net_externals(&net, 0, &x, 1);
    x.metric = 109;
    net_externals(&net, 0, &x, 1);
    net_run(&net, 10000);
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 2, OSPF_LSA_EXTERNAL, prefix, R(1))),
                    seq + 1);

    /* Removed: flushed everywhere, and the E-bit with it. */
    net_externals(&net, 0, NULL, 0);
    net_run(&net, 2000);
    for (uint32_t i = 0; i < 3; i++) {
        CU_ASSERT_PTR_NULL(net_lsa(&net, i, OSPF_LSA_EXTERNAL, prefix, R(1)));
    }
    CU_ASSERT_FALSE(lsa_router_flags(net_lsa(&net, 2, OSPF_LSA_ROUTER, R(1),
                                             R(1))) & ROUTER_FLAG_E);
    /* Added again: the number goes on. */
    net_externals(&net, 0, &x, 1);
    net_run(&net, 6000);
    CU_ASSERT_EQUAL(metric_at(&net, 2, prefix, R(1)), 109);
    net_destroy(&net);
}

/* RFC 2328 appendix E. */
static void
test_external_ids(void)
{
    struct net net;
    uint32_t a = IP(10, 64, 0, 0);
    struct ospf_external_config x[] = {
        external(a, 8, 8), external(a, 16, 16), external(a, 24, 24),
        external(a, 32, 32), external(a | 255, 32, 33), external(a, 0, 1),
    };

    settled_chain(&net, 2);
    net_externals(&net, 0, x, 3);
    net_run(&net, 7000);
    net_externals(&net, 0, x, 6);
    net_run(&net, 12000);
    CU_ASSERT(net_same_lsdb(&net));

    /* All are there, under different IDs, host routes under their own. */
    const struct ospf_rib *rib = ospf_run_spf(net.routers[1].ospf, net.now);
    CU_ASSERT_EQUAL(rib->n_externals, 6);
    for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
        uint32_t mask = x[i].plen ? UINT32_MAX << (32 - x[i].plen) : 0;
        const struct ospf_external_prefix *p
            = ospf_rib_external(rib, x[i].prefix & mask, x[i].plen);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL(p->n, 1);
        CU_ASSERT_EQUAL(rib->candidates[p->first].metric, x[i].metric);
    }
    CU_ASSERT_EQUAL(metric_at(&net, 1, a, R(1)), 32);
    CU_ASSERT_EQUAL(metric_at(&net, 1, a | 255, R(1)), 33);

    /* And all go. */
    net_externals(&net, 0, x + 2, 1);
    net_run(&net, 7000);
    rib = ospf_run_spf(net.routers[1].ospf, net.now);
    CU_ASSERT_EQUAL(rib->n_externals, 1);
    CU_ASSERT(net_same_lsdb(&net));
    net_destroy(&net);
}

static void
test_refresh(void)
{
    struct net net;

    settled_chain(&net, 3);
    struct ospf_external_config x = external(IP(198, 51, 100, 0), 24, 10);
    net_externals(&net, 0, &x, 1);
    net_run(&net, 1000);
    int32_t seq = lsa_seq(net_lsa(&net, 2, OSPF_LSA_EXTERNAL, x.prefix, R(1)));
    net_run(&net, 1600 * 1000);
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 2, OSPF_LSA_EXTERNAL, x.prefix,
                                    R(1))), seq);
    ospf_run_spf(net.routers[2].ospf, net.now);
    net_run(&net, 300 * 1000);
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 2, OSPF_LSA_EXTERNAL, x.prefix,
                                    R(1))), seq + 1);
    /* A refresh is no change to SPF. */
    CU_ASSERT_EQUAL(ospf_dirty(net.routers[2].ospf), 0);
    net_run(&net, 8000 * 1000);
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 2, OSPF_LSA_EXTERNAL, x.prefix,
                                    R(1))), seq + 5);
    CU_ASSERT(net_same_lsdb(&net));
    size_t n;
    free(ospf_lsas(net.routers[2].ospf, &n));
    CU_ASSERT_EQUAL(n, 4);
    net_destroy(&net);
}

static void
test_ageing(void)
{
    struct net net;

    /* The LSAs of a router that is gone become MaxAge an hour later. */
    settled_chain(&net, 3);
    struct ospf_external_config x = external(IP(198, 51, 100, 0), 24, 10);
    net_externals(&net, 2, &x, 1);
    net_run(&net, 1000);
    net_kill(&net, 2);
    net_run(&net, 1700 * 1000);
    CU_ASSERT_PTR_NOT_NULL(net_lsa(&net, 0, OSPF_LSA_ROUTER, R(3), R(3)));
    CU_ASSERT_EQUAL(metric_at(&net, 0, x.prefix, R(3)), 10);
    const struct ospf_rib *rib = ospf_run_spf(net.routers[0].ospf, net.now);
    CU_ASSERT_PTR_NULL(ospf_rib_router(rib, R(3)));
    CU_ASSERT_EQUAL(rib->n_externals, 1);
    CU_ASSERT_FALSE(rib->borders[0].reachable);
    net_run(&net, 1910 * 1000);
    CU_ASSERT_PTR_NULL(net_lsa(&net, 0, OSPF_LSA_ROUTER, R(3), R(3)));
    CU_ASSERT_EQUAL(metric_at(&net, 0, x.prefix, R(3)), 0);
    CU_ASSERT(ospf_dirty(net.routers[0].ospf) & OSPF_DIRTY_EXTERNAL);
    CU_ASSERT_EQUAL(ospf_run_spf(net.routers[0].ospf, net.now)->n_externals,
                    0);
    net_destroy(&net);
}

static void
test_shutdown(void)
{
    struct net net;
    struct ospf_out out = OSPF_OUT_INIT;

    settled_chain(&net, 3);
    struct ospf_external_config x = external(IP(198, 51, 100, 0), 24, 10);
    net_externals(&net, 2, &x, 1);
    net_run(&net, 6000);
    ospf_shutdown(net.routers[2].ospf, net.now, &out);
    net_apply(&net, 2, &out);
    net_kill(&net, 2);
    net_run(&net, 7000);
    CU_ASSERT_PTR_NULL(net_lsa(&net, 0, OSPF_LSA_ROUTER, R(3), R(3)));
    CU_ASSERT_EQUAL(metric_at(&net, 0, x.prefix, R(3)), 0);
    CU_ASSERT(net_same_lsdb(&net));
    net_destroy(&net);
}

/* A router that forgot everything must outdo what it said before. */
static void
test_restart_without_memory(void)
{
    struct net net;
    uint32_t old = IP(198, 51, 100, 0), both = IP(198, 51, 101, 0);

    settled_chain(&net, 3);
    struct ospf_external_config x[] = { external(old, 24, 10),
                                        external(both, 24, 11) };
    net_externals(&net, 0, x, 2);
    net_run(&net, 60000);
    x[1].metric = 12;
    net_externals(&net, 0, x, 2);
    net_run(&net, 60000);
    int32_t seq = lsa_seq(net_lsa(&net, 2, OSPF_LSA_ROUTER, R(1), R(1)));
    CU_ASSERT_EQUAL(metric_at(&net, 2, both, R(1)), 12);

    net_kill(&net, 0);
    net_run(&net, 1000);
    net.routers[0].stubs[0].cost = 99;
    net.routers[0].ospf = ospf_create();
    net_configure(&net, 0);
    x[1].metric = 13;
    net_externals(&net, 0, x + 1, 1);
    net_start(&net);
    net_run(&net, 20000);
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT_EQUAL(metric_at(&net, 2, both, R(1)), 13);
    CU_ASSERT_EQUAL(metric_at(&net, 2, old, R(1)), 0);
    CU_ASSERT(lsa_seq(net_lsa(&net, 2, OSPF_LSA_ROUTER, R(1), R(1))) > seq);
    const struct ospf_rib *rib = ospf_run_spf(net.routers[2].ospf, net.now);
    CU_ASSERT_EQUAL(ospf_rib_route(rib, IP(172, 16, 0, 0), 24)->cost, 119);
    net_destroy(&net);
}

/* The worst case of it: the same sequence number, and by chance the same
 * checksum, with other contents.  Only the age tells. */
static void
test_restart_same_instance(void)
{
    struct net net;
    uint32_t prefix = IP(198, 51, 100, 0);

    settled_chain(&net, 2);
    struct ospf_external_config x = external(prefix, 24, 10);
    net_externals(&net, 0, &x, 1);
    net_run(&net, 120000);
    net_kill(&net, 0);

    /* Metrics that give the same sums: bytes a, b, c become a + 1, b - 2,
     * c + 1. */
    x.metric = 0x010201;
    net.routers[0].ospf = ospf_create();
    net_configure(&net, 0);
    net_externals(&net, 0, &x, 1);
    net_start(&net);
    net_run(&net, 300000);
    uint16_t first = lsa_checksum(net_lsa(&net, 1, OSPF_LSA_EXTERNAL, prefix,
                                          R(1)));
    int32_t seq = lsa_seq(net_lsa(&net, 1, OSPF_LSA_EXTERNAL, prefix, R(1)));
    net_kill(&net, 0);
    net_run(&net, 1000);

    x.metric = 0x020002;
    net.routers[0].ospf = ospf_create();
    net_configure(&net, 0);
    net_externals(&net, 0, &x, 1);
    struct ospf_out out = OSPF_OUT_INIT;
    for (int32_t i = LSA_SEQ_INITIAL; i < seq; i++) {
        /* Up to the same number. */
        net_run(&net, 6000);
        x.metric = 0x020002 ^ (seq - 1 - i);
        net_externals(&net, 0, &x, 1);
        ospf_run(net.routers[0].ospf, net.now, &out);
        net_apply(&net, 0, &out);
    }
    net_run(&net, 1);
    const struct ospf_lsa *ours = net_lsa(&net, 0, OSPF_LSA_EXTERNAL, prefix,
                                          R(1));
    CU_ASSERT_PTR_NOT_NULL_FATAL(ours);
    CU_ASSERT_EQUAL(lsa_seq(ours), seq);
    CU_ASSERT_EQUAL(lsa_checksum(ours), first);
    CU_ASSERT_EQUAL(metric_at(&net, 1, prefix, R(1)), 0x010201);
    net_start(&net);
    net_run(&net, 20000);
    CU_ASSERT_EQUAL(metric_at(&net, 1, prefix, R(1)), 0x020002);
    CU_ASSERT(net_same_lsdb(&net));
    net_destroy(&net);
}

/* A router that restarts with a snapshot: routes stay, LSAs go on. */
static void
restart_with_snapshot(enum ospf_iface_type type)
{
    struct net net;

    chain(&net, 3);
    for (uint32_t i = 0; i < 3; i++) {
        for (uint32_t j = 1; j <= net.routers[i].cfg.n_ifaces; j++) {
            net_iface(&net, i, j)->type = type;
        }
    }
    for (uint32_t i = 0; i < 3; i++) {
        net.routers[i].ospf = ospf_create();
        net_configure(&net, i);
    }
    struct ospf_external_config x = external(IP(198, 51, 100, 0), 24, 10);
    net_externals(&net, 1, &x, 1);
    net_start(&net);
    CU_ASSERT(net_run_full(&net, 20000) >= 0);
    net_run(&net, 20000);
    CU_ASSERT(net_same_lsdb(&net));

    struct ds before = DS_EMPTY_INITIALIZER, after = DS_EMPTY_INITIALIZER;
    ospf_rib_format(&before, ospf_run_spf(net.routers[1].ospf, net.now));
    int32_t seq = lsa_seq(net_lsa(&net, 0, OSPF_LSA_ROUTER, R(2), R(2)));
    int32_t xseq = lsa_seq(net_lsa(&net, 0, OSPF_LSA_EXTERNAL, x.prefix,
                                   R(2)));
    struct ofpbuf b;
    ofpbuf_init(&b, 0);
    ospf_snapshot(net.routers[1].ospf, net.now, &b);
    net_kill(&net, 1);
    net_run(&net, 1500);

    struct ospf_out out = OSPF_OUT_INIT;
    net.routers[1].ospf = ospf_create();
    net_configure(&net, 1);
    net_externals(&net, 1, &x, 1);
    CU_ASSERT(ospf_restore(net.routers[1].ospf, b.data, b.size, net.now,
                           &out));
    net_apply(&net, 1, &out);
    net_up(&net, 1);
    net_run(&net, 0);
    CU_ASSERT(ospf_neighbor_is_full(net.routers[1].ospf, 1, 0));
    CU_ASSERT(ospf_neighbor_is_full(net.routers[1].ospf, 2, 0));
    ospf_rib_format(&after, ospf_run_spf(net.routers[1].ospf, net.now));
    CU_ASSERT_STRING_EQUAL(ds_cstr(&before), ds_cstr(&after));
    CU_ASSERT_EQUAL(ospf_get_counters(net.routers[1].ospf)->originated, 0);

    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    net_run(&net, 20000);
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 0, OSPF_LSA_ROUTER, R(2), R(2))),
                    seq);
    CU_ASSERT_EQUAL(lsa_seq(net_lsa(&net, 0, OSPF_LSA_EXTERNAL, x.prefix,
                                    R(2))), xseq);
    ds_clear(&after);
    ospf_rib_format(&after, ospf_run_spf(net.routers[1].ospf, net.now));
    CU_ASSERT_STRING_EQUAL(ds_cstr(&before), ds_cstr(&after));

    ds_destroy(&before);
    ds_destroy(&after);
    ofpbuf_uninit(&b);
    net_destroy(&net);
}

static void
test_restart_with_snapshot(void)
{
    restart_with_snapshot(OSPF_P2P);
    restart_with_snapshot(OSPF_BROADCAST);
}

/* What a snapshot promised must come true within the dead interval. */
static void
test_stale_neighbor_gone(void)
{
    struct net net;
    struct ospf_out out = OSPF_OUT_INIT;
    struct ofpbuf b;

    settled_chain(&net, 2);
    struct ospf_external_config x = external(IP(198, 51, 100, 0), 24, 10);
    net_externals(&net, 0, &x, 1);
    net_run(&net, 6000);
    ofpbuf_init(&b, 0);
    ospf_snapshot(net.routers[0].ospf, net.now, &b);
    net_kill(&net, 0);
    net_kill(&net, 1);

    /* Another monotonic clock, and no external any more. */
    net.now = 5000000;
    net.routers[0].ospf = ospf_create();
    net_configure(&net, 0);
    CU_ASSERT(ospf_restore(net.routers[0].ospf, b.data, b.size, net.now,
                           &out));
    net_apply(&net, 0, &out);
    net_up(&net, 0);
    net_run(&net, 3900);
    CU_ASSERT(ospf_neighbor_is_full(net.routers[0].ospf, 1, 0));
    CU_ASSERT_EQUAL(metric_at(&net, 0, x.prefix, R(1)), 10);
    CU_ASSERT(lsa_age(net_lsa(&net, 0, OSPF_LSA_ROUTER, R(2), R(2)), net.now)
              < 30);
    net_run(&net, 200);
    CU_ASSERT_FALSE(ospf_neighbor_is_full(net.routers[0].ospf, 1, 0));
    CU_ASSERT_EQUAL(metric_at(&net, 0, x.prefix, R(1)), 0);
    net_run(&net, 6000);
    CU_ASSERT_EQUAL(ospf_run_spf(net.routers[0].ospf, net.now)->n_routers, 1);
    ofpbuf_uninit(&b);
    net_destroy(&net);
}

static void
test_snapshot_garbage(void)
{
    struct net net;
    struct tw_random random;
    struct ofpbuf b;

    settled_chain(&net, 3);
    ofpbuf_init(&b, 0);
    ospf_snapshot(net.routers[1].ospf, net.now, &b);
    tw_random_init(&random, 9);
    for (size_t i = 0; i < 400; i++) {
        struct ospf *o = ospf_create();
        struct ospf_out out = OSPF_OUT_INIT;
        uint8_t *data = xmemdup(b.data, b.size);
        size_t size = i % 2 ? b.size : tw_random_range(&random, b.size);

        ospf_configure(o, &net.routers[1].cfg, net.now, &out);
        if (size == b.size) {
            data[tw_random_range(&random, size)] ^= tw_random_u64(&random);
        }
        bool ok = ospf_restore(o, data, size, net.now, &out);
        CU_ASSERT(size == b.size || !ok);
        for (uint32_t j = 1; j <= 2; j++) {
            ospf_iface_up(o, j, net.now, &out);
        }
        ospf_run(o, net.now, &out);
        ospf_run_spf(o, net.now);
        ospf_run(o, net.now + 10000, &out);
        ospf_out_uninit(&out);
        ospf_destroy(o);
        free(data);
    }
    ofpbuf_uninit(&b);
    net_destroy(&net);
}

/* Three siblings in a triangle of wires, two of them with a customer's
 * router. */
static void
test_wires(void)
{
    struct net net;

    net_init(&net);
    for (uint32_t i = 0; i < 5; i++) {
        net_add_router(&net, R(i + 1));
        net_add_stub(&net, i, IP(172, 16, i, 0), 24, 5);
    }
    for (uint32_t i = 0; i < 2; i++) {
        net_attach(&net, i, i, IP(10, 0, i, 1), 24, OSPF_P2P);
        net_attach(&net, i + 3, i, IP(10, 0, i, 2), 24, OSPF_P2P);
    }
    net_wire(&net, 0, 1, 7, 8);
    net_start(&net);
    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    struct ospf_external_config x = external(IP(198, 51, 100, 0), 24, 10);
    net_externals(&net, 3, &x, 1);
    net_run(&net, 6000);
    CU_ASSERT_EQUAL(metric_at(&net, 4, x.prefix, R(4)), 10);

    /* A wire that comes later brings all that there is. */
    net_wire(&net, 1, 2, 1, 1);
    net_wire(&net, 2, 0, 1, 1);
    for (uint32_t i = 0; i < 3; i++) {
        net_configure(&net, i);
    }
    net_run(&net, 6000);
    CU_ASSERT(net_same_lsdb(&net));
    const struct ospf_rib *rib = ospf_run_spf(net.routers[2].ospf, net.now);
    CU_ASSERT_EQUAL(ospf_rib_router(rib, R(4))->cost, 11);

    /* A flush passes them, too. */
    net_externals(&net, 3, NULL, 0);
    net_run(&net, 6000);
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(metric_at(&net, i, x.prefix, R(4)), 0);
    }
    CU_ASSERT(net_same_lsdb(&net));

    /* A sibling made anew is offered everything again. */
    net_kill(&net, 2);
    net_run(&net, 100);
    net.routers[2].ospf = ospf_create();
    net_configure(&net, 2);
    for (uint32_t i = 0; i < 2; i++) {
        struct ospf_out out = OSPF_OUT_INIT;
        ospf_wire_resync(net.routers[i].ospf, 2, net.now, &out);
        net_apply(&net, i, &out);
    }
    net_run(&net, 20000);
    CU_ASSERT(net_same_lsdb(&net));
    net_destroy(&net);
}

/* A peer that originates much too often: a few are taken, then one a
 * second. */
static void
test_min_arrival(void)
{
    struct net net;

    settled_chain(&net, 2);
    net_kill(&net, 1);
    uint32_t taken = 0;
    for (uint32_t i = 1; i <= 150; i++) {
        uint8_t data[36] = { 0, 0, 2, OSPF_LSA_EXTERNAL };
        store_u32(data + 4, IP(198, 51, 100, 0));
        store_u32(data + 8, R(2));
        store_u32(data + 12, 0x80000000 + i);
        store_u32(data + 20, 0xffffff00);
        store_u32(data + 24, i);
        lsa_seal(data, sizeof data);
        struct ospf_lsa *lsa = lsa_new(data, sizeof data, 0, net.now);
        struct ofpbuf b;
        ofpbuf_init(&b, 0);
        packet_begin(&b, PKT_LSU, R(2), 0);
        put_u32(&b, 1);
        packet_put_lsa(&b, lsa, net.now, 1);
        packet_end(&b);
        struct ospf_rx rx = {
            .iface = 1, .src = IP(10, 0, 0, 2), .dst = OSPF_ALL_ROUTERS,
            .data = b.data, .len = b.size,
        };
        struct ospf_out out = OSPF_OUT_INIT;
        ospf_receive(net.routers[0].ospf, &rx, net.now, &out);
        net_apply(&net, 0, &out);
        taken += metric_at(&net, 0, IP(198, 51, 100, 0), R(2)) == i;
        ofpbuf_uninit(&b);
        lsa_unref(lsa);
        net_run(&net, 20);
    }
    /* Three seconds' worth. */
    CU_ASSERT(taken >= 11 && taken <= 14);
    CU_ASSERT_EQUAL(ospf_get_counters(net.routers[0].ospf)
                    ->drops[OSPF_DROP_LSA_TOO_SOON], 150 - taken);
    net_destroy(&net);
}

/* Wires, links and segments, configured and cut at random: in the end all
 * agree. */
static void
test_random_changes(void)
{
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct net net;
        struct tw_random r;

        tw_random_init(&r, seed);
        chain(&net, 5);
        net_wire(&net, 0, 4, 3, 3);
        for (uint32_t i = 0; i < 5; i++) {
            net_attach(&net, i, 9, IP(10, 9, 0, i + 1), 24, OSPF_BROADCAST);
        }
        net_start(&net);
        for (int step = 0; step < 40; step++) {
            uint32_t i = tw_random_range(&r, 5);
            struct ospf_external_config x[3];
            switch (tw_random_range(&r, 5)) {
            case 0:
                for (int j = 0; j < 3; j++) {
                    x[j] = external(IP(198, 51, tw_random_range(&r, 4), 0),
                                    24 + tw_random_range(&r, 2),
                                    1 + tw_random_range(&r, 9));
                }
                net_externals(&net, i, x, tw_random_range(&r, 4));
                break;
            case 1:
                net.cut[tw_random_range(&r, 4)] ^= true;
                break;
            case 2:
                net_iface(&net, i, 1)->cost = 1 + tw_random_range(&r, 50);
                net_configure(&net, i);
                break;
            case 3:
                net.loss_percent = tw_random_range(&r, 20);
                break;
            case 4:
                net.cut[9] ^= true;
                break;
            }
            net_run(&net, tw_random_range(&r, 8000));
        }
        memset(net.cut, 0, sizeof net.cut);
        net.loss_percent = 0;
        net_run(&net, 60000);
        CU_ASSERT(net_run_full(&net, 1000) >= 0);
        CU_ASSERT(net_same_lsdb(&net));
        net_destroy(&net);
    }
}

TW_TESTS("ospf-flooding",
         TW_TEST(test_external_interval),
         TW_TEST(test_external_ids),
         TW_TEST(test_refresh),
         TW_TEST(test_ageing),
         TW_TEST(test_shutdown),
         TW_TEST(test_restart_without_memory),
         TW_TEST(test_restart_same_instance),
         TW_TEST(test_restart_with_snapshot),
         TW_TEST(test_stale_neighbor_gone),
         TW_TEST(test_snapshot_garbage),
         TW_TEST(test_wires),
         TW_TEST(test_min_arrival),
         TW_TEST(test_random_changes))
