/* SPDX-License-Identifier: Apache-2.0 */

/* Hello, adjacencies, the election of the designated router, and what is said
 * about peers that disagree, between routers in a virtual network. */

#include <config.h>

#include "controller/base/bytes.h"
#include "controller/ospf/packet.h"
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

static struct ospf_iface_info
iface_info(struct net *net, uint32_t router)
{
    struct ospf_iface_info info;

    CU_ASSERT_FATAL(ospf_iface_get(net->routers[router].ospf, 0, &info));
    return info;
}

static bool
lsdb_contains(struct net *net, uint32_t router, const char *text)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ospf_format_lsdb(net->routers[router].ospf, true, net->now, &ds);
    bool found = strstr(ds_cstr(&ds), text) != NULL;
    ds_destroy(&ds);
    return found;
}

/* The diagnosis of that kind as text, or "". */
static char *
diagnosis(struct net *net, uint32_t router, enum ospf_drop reason)
{
    struct ospf_iface_info info = iface_info(net, router);
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < info.n_diagnoses; i++) {
        if (info.diagnoses[i].reason == reason) {
            ospf_diagnosis_format(&ds, &info.diagnoses[i]);
        }
    }
    return ds_steal_cstr(&ds);
}

#define CHECK_DIAGNOSIS(NET, ROUTER, REASON, TEXT)              \
    do {                                                        \
        char *s__ = diagnosis(NET, ROUTER, REASON);             \
        CU_ASSERT_STRING_EQUAL(s__, TEXT);                      \
        free(s__);                                              \
    } while (0)

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
    CU_ASSERT(lsdb_contains(&net, 1,
        "point-to-point link to router 10.255.0.2, interface 10.0.0.1, "
        "metric 10"));
    CU_ASSERT(lsdb_contains(&net, 0,
        "stub network 172.16.1.0 mask 255.255.255.0, metric 5"));
    CU_ASSERT(ospf_neighbor_is_full(net.routers[0].ospf, 1, 0));
    CU_ASSERT(ospf_neighbor_is_full(net.routers[0].ospf, 1, IP(10, 0, 0, 2)));
    CU_ASSERT_FALSE(ospf_neighbor_is_full(net.routers[0].ospf, 1,
                                          IP(10, 0, 0, 3)));
    net_destroy(&net);
}

static void
test_dead_interval(void)
{
    struct net net;

    segment(&net, 2, OSPF_P2P);
    net_start(&net);
    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    net_run(&net, 10000);
    net.cut[0] = true;
    net_run(&net, 2500);
    CU_ASSERT_EQUAL(net_state(&net, 0, 1, R(2)), NSM_FULL);
    net_run(&net, 2000);
    CU_ASSERT_EQUAL(net_state(&net, 0, 1, R(2)), NSM_DOWN);
    net_run(&net, 2000);
    CU_ASSERT_FALSE(lsdb_contains(&net, 0, "link to router 10.255.0.2"));
    net.cut[0] = false;
    CU_ASSERT(net_run_full(&net, 3000) >= 0);
    net_run(&net, 7000);
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT(lsdb_contains(&net, 1, "link to router 10.255.0.2"));
    net_destroy(&net);
}

static void
test_bfd_down(void)
{
    struct net net;
    struct ospf_out out = OSPF_OUT_INIT;

    segment(&net, 2, OSPF_P2P);
    net_start(&net);
    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    net_run(&net, 10000);
    ospf_neighbor_down(net.routers[0].ospf, 1, R(2), "BFD down", net.now,
                       &out);
    CU_ASSERT(ospf_dirty(net.routers[0].ospf) & OSPF_DIRTY_NEIGHBOR);
    net_apply(&net, 0, &out);
    CU_ASSERT_FALSE(ospf_neighbor_is_full(net.routers[0].ospf, 1, 0));
    net_run(&net, 1);
    CU_ASSERT_FALSE(lsdb_contains(&net, 0, "link to router 10.255.0.2"));
    CU_ASSERT_PTR_NOT_NULL(strstr(ds_cstr(&net.routers[0].log),
                                  "Full -> Down BFD down"));
    /* The peer learns it from the Hello that does not list it any more. */
    CU_ASSERT(net_run_full(&net, 5000) >= 0);
    net_destroy(&net);
}

static void
test_broadcast_pair(void)
{
    struct net net;

    segment(&net, 2, OSPF_BROADCAST);
    net_start(&net);
    long long int took = net_run_full(&net, 20000);
    CU_ASSERT(took >= 0 && took < 5000);
    net_run(&net, 2000);
    CU_ASSERT_EQUAL(iface_info(&net, 1).state, ISM_DR);
    CU_ASSERT_EQUAL(iface_info(&net, 0).state, ISM_BACKUP);
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT(lsdb_contains(&net, 0, "attached router 10.255.0.1"));
    CU_ASSERT(lsdb_contains(&net, 0, "transit network, designated router "
                            "10.0.0.2, interface 10.0.0.1, metric 10"));
    net_destroy(&net);
}

static void
test_broadcast_election(void)
{
    struct net net;

    /* Priorities beat router IDs, 0 never wins, and five routers have
     * 2 + 3 adjacencies each, not 4. */
    segment(&net, 5, OSPF_BROADCAST);
    net_iface(&net, 0, 1)->priority = 9;
    net_iface(&net, 1, 1)->priority = 8;
    net_iface(&net, 4, 1)->priority = 0;
    net_start(&net);
    CU_ASSERT(net_run_full(&net, 20000) >= 0);
    net_run(&net, 12000);
    CU_ASSERT_EQUAL(iface_info(&net, 0).state, ISM_DR);
    CU_ASSERT_EQUAL(iface_info(&net, 1).state, ISM_BACKUP);
    for (uint32_t i = 2; i < 5; i++) {
        struct ospf_iface_info info = iface_info(&net, i);
        CU_ASSERT_EQUAL(info.state, ISM_DROTHER);
        CU_ASSERT_EQUAL(info.dr, IP(10, 0, 0, 1));
        CU_ASSERT_EQUAL(info.bdr, IP(10, 0, 0, 2));
        CU_ASSERT_EQUAL(info.n_neighbors, 4);
        CU_ASSERT_EQUAL(info.n_full, 2);
    }
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT(lsdb_contains(&net, 4, "attached router 10.255.0.5"));

    /* The Backup takes over at once, and the best other becomes Backup; who
     * comes back later does not push anybody out. */
    net_kill(&net, 0);
    net_run(&net, 12000);
    CU_ASSERT_EQUAL(iface_info(&net, 1).state, ISM_DR);
    CU_ASSERT_EQUAL(iface_info(&net, 3).state, ISM_BACKUP);
    CU_ASSERT(net_run_full(&net, 1000) >= 0);
    net_start(&net);
    net_run(&net, 30000);
    CU_ASSERT_EQUAL(iface_info(&net, 1).state, ISM_DR);
    CU_ASSERT_EQUAL(iface_info(&net, 3).state, ISM_BACKUP);
    CU_ASSERT_EQUAL(iface_info(&net, 0).state, ISM_DROTHER);
    CU_ASSERT(net_run_full(&net, 1000) >= 0);
    CU_ASSERT(net_same_lsdb(&net));
    net_destroy(&net);
}

static void
test_loss_and_duplication(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct net net;

        segment(&net, 4, seed % 2 ? OSPF_BROADCAST : OSPF_P2P);
        for (uint32_t i = 0; i < 4 && !(seed % 2); i++) {
            /* A chain of point-to-point links. */
            net.routers[i].segments[0] = i / 2;
            if (i == 1 || i == 2) {
                net_attach(&net, i, 2, IP(10, 1, 0, i), 24, OSPF_P2P);
            }
        }
        tw_random_init(&net.random, 77 + seed);
        net.loss_percent = 15;
        net.duplicate_percent = 10;
        net_start(&net);
        net_run(&net, 20000);
        for (uint32_t i = 0; i < 4; i++) {
            struct ospf_external_config x = {
                .prefix = IP(198, 51, i, 0), .plen = 24, .metric = i + 1,
            };
            net_externals(&net, i, &x, 1);
        }
        net_run(&net, 60000);
        net.loss_percent = 0;
        CU_ASSERT(net_run_full(&net, 30000) >= 0);
        net_run(&net, 20000);
        CU_ASSERT(net_same_lsdb(&net));
        CU_ASSERT(lsdb_contains(&net, 0, "network 198.51.3.0/24"));
        net_destroy(&net);
    }
}

/* A pair where 'change' was done to the second router's interface. */
static void
mismatch(struct net *net, enum ospf_iface_type type,
         void (*change)(struct net *))
{
    segment(net, 2, type);
    change(net);
    net_start(net);
    net_run(net, 15000);
}

static void
change_hello(struct net *net)
{
    net_iface(net, 1, 1)->hello_interval = 2;
}

static void
change_dead(struct net *net)
{
    net_iface(net, 1, 1)->dead_interval = 40;
}

static void
change_mask(struct net *net)
{
    net_iface(net, 1, 1)->plen = 25;
}

static void
change_area(struct net *net)
{
    net->routers[1].cfg.area = 7;
}

static void
change_router_id(struct net *net)
{
    net->routers[1].cfg.router_id = R(1);
}

static void
change_address(struct net *net)
{
    net_iface(net, 1, 1)->address = IP(10, 0, 9, 2);
}

static void
change_mtu(struct net *net)
{
    net_iface(net, 1, 1)->mtu = 1400;
}

static void
change_type(struct net *net)
{
    net_iface(net, 1, 1)->type = OSPF_BROADCAST;
}

static void
test_mismatches(void)
{
    static const struct {
        void (*change)(struct net *);
        enum ospf_iface_type type;
        enum ospf_drop reason;
        const char *text;
    } cases[] = {
        { change_hello, OSPF_P2P, OSPF_DROP_HELLO_INTERVAL,
          "hello interval differs: ours 1 s, the peer's 2 s "
          "(router 10.255.0.2 at 10.0.0.2)" },
        { change_dead, OSPF_P2P, OSPF_DROP_DEAD_INTERVAL,
          "dead interval differs: ours 4 s, the peer's 40 s "
          "(router 10.255.0.2 at 10.0.0.2)" },
        { change_mask, OSPF_BROADCAST, OSPF_DROP_MASK,
          "network mask differs: ours 255.255.255.0, the peer's "
          "255.255.255.128 (router 10.255.0.2 at 10.0.0.2)" },
        { change_area, OSPF_P2P, OSPF_DROP_AREA,
          "area differs: ours 0.0.0.0, the peer's 0.0.0.7 "
          "(router 10.255.0.2 at 10.0.0.2)" },
        { change_router_id, OSPF_P2P, OSPF_DROP_ROUTER_ID,
          "the peer has our router ID: ours 10.255.0.1, the peer's "
          "10.255.0.1 (router 10.255.0.1 at 10.0.0.2)" },
        { change_address, OSPF_P2P, OSPF_DROP_SOURCE,
          "source address outside the interface's subnet: ours 10.0.0.1, "
          "the peer's 10.0.9.2 (router 10.255.0.2 at 10.0.9.2)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct net net;

        mismatch(&net, cases[i].type, cases[i].change);
        CHECK_DIAGNOSIS(&net, 0, cases[i].reason, cases[i].text);
        CU_ASSERT(ospf_get_counters(net.routers[0].ospf)
                  ->drops[cases[i].reason] > 5);
        CU_ASSERT_EQUAL(net_state(&net, 0, 1, net.routers[1].cfg.router_id),
                        NSM_DOWN);
        /* It was told once, not with each packet. */
        char *first = strstr(ds_cstr(&net.routers[0].log), cases[i].text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(first);
        CU_ASSERT_PTR_NULL(strstr(first + 1, cases[i].text));
        net_destroy(&net);
    }
}

static void
test_mtu_mismatch(void)
{
    struct net net;

    mismatch(&net, OSPF_P2P, change_mtu);
    CU_ASSERT(net_state(&net, 1, 1, R(1)) < NSM_FULL);
    CHECK_DIAGNOSIS(&net, 1, OSPF_DROP_MTU,
                    "the peer's MTU differs: ours 1400, the peer's 1500 "
                    "(router 10.255.0.1 at 10.0.0.1)");
    CHECK_DIAGNOSIS(&net, 0, OSPF_DROP_MTU,
                    "the peer's MTU differs: ours 1500, the peer's 1400 "
                    "(router 10.255.0.2 at 10.0.0.2)");

    /* Once it fits, the neighbours become Full and all is forgotten. */
    net_iface(&net, 1, 1)->mtu = 1500;
    net_configure(&net, 1);
    net_run(&net, 15000);
    CU_ASSERT_EQUAL(net_state(&net, 1, 1, R(1)), NSM_FULL);
    CHECK_DIAGNOSIS(&net, 0, OSPF_DROP_MTU, "");
    net_destroy(&net);
}

static void
test_network_type_mismatch(void)
{
    struct net net;

    mismatch(&net, OSPF_P2P, change_type);
    CHECK_DIAGNOSIS(&net, 0, OSPF_DROP_NETWORK_TYPE,
        "one side is point-to-point, the other broadcast: ours "
        "point-to-point, the peer's broadcast "
        "(router 10.255.0.2 at 10.0.0.2)");
    CHECK_DIAGNOSIS(&net, 1, OSPF_DROP_NETWORK_TYPE,
        "one side is point-to-point, the other broadcast: ours "
        "broadcast, the peer's point-to-point "
        "(router 10.255.0.1 at 10.0.0.1)");
    net_destroy(&net);
}

static void
test_reconfigure(void)
{
    struct net net;

    segment(&net, 2, OSPF_P2P);
    net_start(&net);
    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    net_run(&net, 10000);

    /* A cost, a stub, another interface: the adjacency stays. */
    struct ospf_nbr_info nbr;
    CU_ASSERT(ospf_neighbor_get(net.routers[0].ospf, 1, 0, &nbr));
    long long int since = nbr.since_ms;
    net_iface(&net, 0, 1)->cost = 77;
    net_add_stub(&net, 0, IP(172, 30, 0, 0), 16, 3);
    net_attach(&net, 0, 1, IP(10, 7, 0, 1), 24, OSPF_P2P);
    net_configure(&net, 0);
    net_run(&net, 100);
    CU_ASSERT(lsdb_contains(&net, 1, "interface 10.0.0.1, metric 77"));
    CU_ASSERT(lsdb_contains(&net, 1, "stub network 172.30.0.0"));
    CU_ASSERT(ospf_neighbor_get(net.routers[0].ospf, 1, 0, &nbr));
    CU_ASSERT_EQUAL(nbr.since_ms, since);

    /* A new router ID is a new router; the old one is flushed. */
    net_run(&net, 10000);
    struct ospf_external_config x = { .prefix = IP(198, 51, 100, 0),
                                      .plen = 24, .metric = 5 };
    net_externals(&net, 0, &x, 1);
    net_run(&net, 1000);
    net.routers[0].cfg.router_id = R(9);
    net_configure(&net, 0);
    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    net_run(&net, 10000);
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT_FALSE(lsdb_contains(&net, 1, "10.255.0.1 "));
    CU_ASSERT_PTR_NOT_NULL(net_lsa(&net, 1, OSPF_LSA_EXTERNAL,
                                   IP(198, 51, 100, 0), R(9)));
    net_destroy(&net);
}

/* Of packets that are cut, lengthened or have a bit flipped none does more
 * than count. */
struct noise {
    struct tw_random random;
    struct ospf *victim;
    struct net *net;
};

static bool
add_noise(struct net *net, const struct net_packet *p)
{
    struct noise *noise = net->aux;

    if (net->routers[p->router].ospf != noise->victim) {
        return false;
    }
    for (int i = 0; i < 3; i++) {
        uint8_t *data = xmalloc(p->len + 8);
        size_t len = p->len;
        struct ospf_out out = OSPF_OUT_INIT;

        memcpy(data, p->data, p->len);
        memset(data + p->len, 0, 8);
        if (i == 0) {
            len = tw_random_range(&noise->random, p->len);
        } else if (i == 1) {
            size_t bit = tw_random_range(&noise->random, p->len * 8);
            if (bit >= 16 * 8 && bit < 24 * 8) {
                bit -= 16 * 8;      /* The checksum leaves these out. */
            }
            data[bit / 8] ^= 1 << bit % 8;
        } else {
            store_u16(data + 2, len + 4);
        }
        struct ospf_rx rx = { .iface = p->iface, .src = p->src,
                              .dst = p->dst, .data = data, .len = len };
        uint64_t before = 0, after = 0;
        const struct ospf_counters *c = ospf_get_counters(noise->victim);
        for (size_t j = 0; j < OSPF_N_DROPS; j++) {
            before += c->drops[j];
        }
        ospf_receive(noise->victim, &rx, net->now, &out);
        for (size_t j = 0; j < OSPF_N_DROPS; j++) {
            after += c->drops[j];
        }
        CU_ASSERT(after == before + 1);
        for (size_t j = 0; j < out.n; j++) {
            CU_ASSERT_NOT_EQUAL(out.actions[j].type, OSPF_ACTION_SEND);
        }
        ospf_out_uninit(&out);
        free(data);
    }
    return false;
}

static void
test_broken_packets(void)
{
    struct net net;
    struct noise noise;

    segment(&net, 2, OSPF_P2P);
    net_start(&net);
    tw_random_init(&noise.random, 5);
    noise.victim = net.routers[0].ospf;
    net.aux = &noise;
    net.filter = add_noise;
    CU_ASSERT(net_run_full(&net, 10000) >= 0);
    net_run(&net, 30000);
    CU_ASSERT_EQUAL(net_state(&net, 0, 1, R(2)), NSM_FULL);
    CU_ASSERT(net_same_lsdb(&net));
    net_destroy(&net);
}

/* A Hello lists all neighbours, and must fit the MTU. */
static void
test_too_many_neighbors(void)
{
    struct net net;

    segment(&net, 1, OSPF_BROADCAST);
    net_iface(&net, 0, 1)->plen = 16;
    net_iface(&net, 0, 1)->dead_interval = 40;
    net_start(&net);
    for (uint32_t i = 0; i < 2000; i++) {
        struct ofpbuf b;
        struct ospf_out out = OSPF_OUT_INIT;
        ofpbuf_init(&b, 0);
        packet_begin(&b, PKT_HELLO, R(2 + i), 0);
        put_u32(&b, 0xffff0000);
        put_u32(&b, 1 << 16 | OPTION_E << 8);
        put_u32(&b, 40);
        put_u64(&b, 0);
        packet_end(&b);
        struct ospf_rx rx = {
            .iface = 1, .src = IP(10, 0, 1, 0) + i, .dst = OSPF_ALL_ROUTERS,
            .data = b.data, .len = b.size,
        };
        ospf_receive(net.routers[0].ospf, &rx, net.now, &out);
        for (size_t j = 0; j < out.n; j++) {
            CU_ASSERT(out.actions[j].type != OSPF_ACTION_SEND
                      || out.actions[j].send.len <= 1480);
        }
        net_apply(&net, 0, &out);
        ofpbuf_uninit(&b);
    }
    CU_ASSERT_EQUAL(iface_info(&net, 0).n_neighbors, (1500 - 64) / 4);
    CU_ASSERT_EQUAL(ospf_get_counters(net.routers[0].ospf)
                    ->drops[OSPF_DROP_NEIGHBORS], 2000 - (1500 - 64) / 4);
    net_destroy(&net);
}

/* A large database in small packets: none exceeds the MTU. */
static void
test_large_database(void)
{
    struct net net;
    struct ospf_external_config x[700];

    segment(&net, 2, OSPF_P2P);
    net_iface(&net, 0, 1)->mtu = net_iface(&net, 1, 1)->mtu = 600;
    for (size_t i = 0; i < ARRAY_SIZE(x); i++) {
        x[i] = (struct ospf_external_config) {
            .prefix = IP(20, i / 256, i % 256, 0), .plen = 24,
            .metric = i + 1,
        };
    }
    for (uint32_t i = 0; i < 2; i++) {
        net.routers[i].ospf = ospf_create();
        net_configure(&net, i);
        net_externals(&net, i, x, ARRAY_SIZE(x));
    }
    net_start(&net);
    long long int took = net_run_full(&net, 20000);
    CU_ASSERT(took >= 0 && took < 2000);
    net_run(&net, 10000);
    CU_ASSERT(net_same_lsdb(&net));
    CU_ASSERT(net.routers[0].largest_lsu <= 580);
    CU_ASSERT(net.routers[0].largest_lsu > 500);
    CU_ASSERT_EQUAL(ospf_get_counters(net.routers[0].ospf)->retransmitted, 0);
    net_destroy(&net);
}

TW_TESTS("ospf-adjacency",
         TW_TEST(test_p2p_full),
         TW_TEST(test_dead_interval),
         TW_TEST(test_bfd_down),
         TW_TEST(test_broadcast_pair),
         TW_TEST(test_broadcast_election),
         TW_TEST(test_loss_and_duplication),
         TW_TEST(test_mismatches),
         TW_TEST(test_mtu_mismatch),
         TW_TEST(test_network_type_mismatch),
         TW_TEST(test_reconfigure),
         TW_TEST(test_broken_packets),
         TW_TEST(test_too_many_neighbors),
         TW_TEST(test_large_database))
