/* SPDX-License-Identifier: Apache-2.0 */

/* Packets and LSAs: what is accepted, what is refused and why, checksums,
 * comparison of instances. */

#include <config.h>

#include "controller/base/bytes.h"
#include "controller/ospf/lsa.h"
#include "controller/ospf/packet.h"
#include "openvswitch/dynamic-string.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

/* A router-LSA as FRR 8.4 sent it: a point-to-point link and a stub. */
static const uint8_t router_lsa[] = {
    0x00, 0x01, 0x02, 0x01, 0x0a, 0xff, 0x00, 0x02, 0x0a, 0xff, 0x00, 0x02,
    0x80, 0x00, 0x00, 0x02, 0x71, 0x74, 0x00, 0x30, 0x02, 0x00, 0x00, 0x02,
    0x0a, 0xff, 0x00, 0x01, 0x0a, 0x09, 0x00, 0x02, 0x01, 0x00, 0x00, 0x0a,
    0x0a, 0x09, 0x00, 0x00, 0xff, 0xff, 0xff, 0xfc, 0x03, 0x00, 0x00, 0x0a,
};

/* A Hello as BIRD 2.0 sent it, that lists one neighbour. */
static const uint8_t hello[] = {
    0x02, 0x01, 0x00, 0x30, 0x0a, 0xff, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xff, 0xff, 0xff, 0x00, 0x00, 0x01, 0x02, 0x01, 0x00, 0x00, 0x00, 0x04,
    0x0a, 0x09, 0x01, 0x02, 0x0a, 0x09, 0x01, 0x01, 0x0a, 0xff, 0x00, 0x01,
};

/* The same with a right checksum. */
static void
good_hello(uint8_t data[sizeof hello])
{
    struct ofpbuf b;

    ofpbuf_init(&b, 0);
    ofpbuf_put(&b, hello, sizeof hello);
    packet_end(&b);
    memcpy(data, b.data, sizeof hello);
    ofpbuf_uninit(&b);
}

static void
test_fletcher(void)
{
    uint8_t data[65535];
    struct tw_random r;

    CU_ASSERT_EQUAL(lsa_fletcher(router_lsa, sizeof router_lsa), 0x7174);
    tw_random_init(&r, 1);
    for (uint32_t i = 0; i < 200; i++) {
        uint16_t n = (i < 5 ? 65535 - i : 36 + tw_random_range(&r, 3000));
        for (size_t j = 0; j < n; j++) {
            data[j] = i % 3 ? tw_random_u64(&r) : 0xff;
        }
        lsa_seal(data, n);
        CU_ASSERT_EQUAL(load_u16(data + 18), n);
        CU_ASSERT_NOT_EQUAL(load_u16(data + 16), 0);
        CU_ASSERT_EQUAL(load_u16(data + 16), lsa_fletcher(data, n));
        /* The plain definition: both sums are 0. */
        uint32_t c0 = 0, c1 = 0;
        for (size_t j = 2; j < n; j++) {
            c0 = (c0 + data[j]) % 255;
            c1 = (c1 + c0) % 255;
        }
        CU_ASSERT_EQUAL(c0, 0);
        CU_ASSERT_EQUAL(c1, 0);
    }
}

static void
test_router_lsa(void)
{
    CU_ASSERT_EQUAL(lsa_check(router_lsa, sizeof router_lsa), LSA_OK);
    struct ospf_lsa *lsa = lsa_new(router_lsa, sizeof router_lsa, 1, 5000);
    CU_ASSERT_EQUAL(lsa_type(lsa), OSPF_LSA_ROUTER);
    CU_ASSERT_EQUAL(lsa_id(lsa), 0x0aff0002);
    CU_ASSERT_EQUAL(lsa_adv(lsa), 0x0aff0002);
    CU_ASSERT_EQUAL(lsa_seq(lsa), LSA_SEQ_INITIAL + 1);
    CU_ASSERT_EQUAL(lsa_age(lsa, 5000), 1);
    CU_ASSERT_EQUAL(lsa_age(lsa, 7500), 3);
    CU_ASSERT_EQUAL(lsa_age(lsa, 3604000), 3600);
    CU_ASSERT_EQUAL(lsa_age(lsa, 99999999), 3600);
    CU_ASSERT_EQUAL(lsa_max_age_time(lsa), 3604000);
    CU_ASSERT_EQUAL(lsa_router_flags(lsa), ROUTER_FLAG_E);

    struct router_link_iter it = lsa_router_links(lsa);
    struct router_link link;
    CU_ASSERT(router_link_next(&it, &link));
    CU_ASSERT_EQUAL(link.type, LINK_P2P);
    CU_ASSERT_EQUAL(link.id, 0x0aff0001);
    CU_ASSERT_EQUAL(link.data, 0x0a090002);
    CU_ASSERT_EQUAL(link.metric, 10);
    CU_ASSERT(router_link_next(&it, &link));
    CU_ASSERT_EQUAL(link.type, LINK_STUB);
    CU_ASSERT_FALSE(router_link_next(&it, &link));

    struct ds ds = DS_EMPTY_INITIALIZER;
    ospf_lsa_format(&ds, lsa, 5000);
    CU_ASSERT_STRING_EQUAL(ds_cstr(&ds),
        "router       10.255.0.2      10.255.0.2      age    1 seq 0x80000002 "
        "checksum 0x7174 length 48\n"
        "    flags: as-boundary\n"
        "    point-to-point link to router 10.255.0.1, interface 10.9.0.2, "
        "metric 10\n"
        "    stub network 10.9.0.0 mask 255.255.255.252, metric 10\n");
    ds_destroy(&ds);
    lsa_unref(lsa);
}

static void
test_lsa_faults(void)
{
    uint8_t data[200];
    size_t n = sizeof router_lsa;

    for (size_t i = 0; i < n; i++) {
        /* From memory of exactly that size, so that ASan sees overruns. */
        uint8_t *cut = xmemdup(router_lsa, MAX(i, 1));
        CU_ASSERT_EQUAL(lsa_check(cut, i), LSA_SHORT);
        if (i >= LSA_HEADER_LEN) {
            lsa_seal(cut, i);
            CU_ASSERT_EQUAL(lsa_check(cut, i), LSA_BAD_BODY);
        }
        free(cut);
    }
    for (size_t i = 2; i < n; i++) {
        memcpy(data, router_lsa, n);
        data[i] ^= 0x10;
        enum lsa_fault fault = lsa_check(data, n);
        CU_ASSERT(fault == LSA_BAD_CHECKSUM
                  || ((i == 18 || i == 19) && fault == LSA_SHORT));
    }

#define CASE(FAULT, ...)                                        \
    memcpy(data, router_lsa, n);                                \
    __VA_ARGS__;                                                \
    lsa_seal(data, n);                                          \
    CU_ASSERT_EQUAL(lsa_check(data, n), FAULT)

    CASE(LSA_OK, (void) 0);
    CASE(LSA_OK, store_u16(data, LSA_MAX_AGE));
    CASE(LSA_BAD_AGE, store_u16(data, LSA_MAX_AGE + 1));
    CASE(LSA_BAD_AGE, store_u16(data, 0x8001));
    CASE(LSA_BAD_SEQ, store_u32(data + 12, 0x80000000));
    CASE(LSA_BAD_TYPE, data[3] = 0);
    CASE(LSA_BAD_TYPE, data[3] = 7);
    CASE(LSA_BAD_TYPE, data[3] = 11);
    CASE(LSA_BAD_BODY, data[23] = 3);   /* More links than there are. */
    CASE(LSA_BAD_BODY, data[23] = 1);   /* Fewer. */
    CASE(LSA_BAD_BODY, data[22] = 0xff);
    CASE(LSA_BAD_BODY, data[33] = 1);   /* A TOS metric that is not there. */
    CASE(LSA_BAD_BODY, data[33] = 0xff);
    CASE(LSA_BAD_BODY, data[45] = 1);
    /* With the stub as TOS metrics of the first link it fits again. */
    CASE(LSA_OK, (data[33] = 3, data[23] = 1));
    /* The length alone would do for these, too: 28 bytes are six routers, or
     * an external route and one more for another TOS. */
    CASE(LSA_OK, data[3] = OSPF_LSA_NETWORK);
    CASE(LSA_OK, data[3] = OSPF_LSA_EXTERNAL);
    n -= 4;
    CASE(LSA_BAD_BODY, data[3] = OSPF_LSA_EXTERNAL);
    n += 4;
    memcpy(data, router_lsa, n);
    store_u16(data + 16, 0);
    CU_ASSERT_EQUAL(lsa_check(data, n), LSA_BAD_CHECKSUM);
}

static void
test_external_lsa(void)
{
    static const struct {
        uint32_t mask, id, prefix;
        uint8_t plen;
    } cases[] = {
        { 0xffffff00, 0xc6336400, 0xc6336400, 24 },
        { 0xffffff00, 0xc63364ff, 0xc6336400, 24 },
        { 0xffffffff, 0xc63364ff, 0xc63364ff, 32 },
        { 0x00000000, 0x00000000, 0x00000000, 0 },
        { 0x80000000, 0xffffffff, 0x80000000, 1 },
        { 0xff00ff00, 0x0a000000, 0x0a000000, 33 },
        { 0x0000ffff, 0x00000001, 0x00000001, 33 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t data[36] = { 0 };
        struct lsa_external x;

        data[3] = OSPF_LSA_EXTERNAL;
        store_u32(data + 4, cases[i].id);
        store_u32(data + 12, 0x80000001);
        store_u32(data + 20, cases[i].mask);
        store_u32(data + 24, 0x80000000 | 0x123456);
        store_u32(data + 28, 0x0a090909);
        store_u32(data + 32, 77);
        lsa_seal(data, sizeof data);
        CU_ASSERT_EQUAL(lsa_check(data, sizeof data), LSA_OK);
        struct ospf_lsa *lsa = lsa_new(data, sizeof data, 0, 0);
        lsa_external(lsa, &x);
        CU_ASSERT_EQUAL(x.prefix, cases[i].prefix);
        CU_ASSERT_EQUAL(x.plen, cases[i].plen);
        CU_ASSERT(x.e2);
        CU_ASSERT_EQUAL(x.metric, 0x123456);
        CU_ASSERT_EQUAL(x.forwarding, 0x0a090909);
        CU_ASSERT_EQUAL(x.tag, 77);
        lsa_unref(lsa);
    }
}

static void
test_compare(void)
{
    const struct lsa_header base = { .seq = 5, .checksum = 100, .age = 50 };
    struct lsa_header other;

#define NEWER(FIELD, VALUE)                                     \
    other = base;                                               \
    other.FIELD = VALUE;                                        \
    CU_ASSERT(lsa_header_compare(&other, &base) > 0);           \
    CU_ASSERT(lsa_header_compare(&base, &other) < 0)

    NEWER(seq, 6);
    NEWER(checksum, 101);
    NEWER(checksum, 0xffff);
    NEWER(age, LSA_MAX_AGE);
    other = base;
    other.seq = LSA_SEQ_INITIAL;        /* Numbers are signed. */
    CU_ASSERT(lsa_header_compare(&other, &base) < 0);
    other = base;
    other.age = 950;                    /* Within MaxAgeDiff: the same. */
    CU_ASSERT_EQUAL(lsa_header_compare(&other, &base), 0);
    other.age = 951;                    /* Beyond: the younger is newer. */
    CU_ASSERT(lsa_header_compare(&other, &base) < 0);
    CU_ASSERT(lsa_header_compare(&base, &other) > 0);
}

static void
test_hello(void)
{
    uint8_t data[sizeof hello];
    struct packet p;

    good_hello(data);
    CU_ASSERT_EQUAL(packet_decode(data, sizeof data, &p), OSPF_N_DROPS);
    CU_ASSERT_EQUAL(p.type, PKT_HELLO);
    CU_ASSERT_EQUAL(p.router_id, 0x0aff0004);
    CU_ASSERT_EQUAL(p.hello.mask, 0xffffff00);
    CU_ASSERT_EQUAL(p.hello.hello_interval, 1);
    CU_ASSERT_EQUAL(p.hello.dead_interval, 4);
    CU_ASSERT_EQUAL(p.hello.options, OPTION_E);
    CU_ASSERT_EQUAL(p.hello.priority, 1);
    CU_ASSERT_EQUAL(p.hello.dr, 0x0a090102);
    CU_ASSERT_EQUAL(p.hello.bdr, 0x0a090101);
    CU_ASSERT_EQUAL(packet_n_neighbors(&p), 1);
    CU_ASSERT_EQUAL(packet_neighbor(&p, 0), 0x0aff0001);
}

static void
test_packet_faults(void)
{
    uint8_t data[sizeof hello + 12];
    struct packet p;

    memset(data, 0, sizeof data);
    good_hello(data);
    for (size_t i = 0; i < sizeof hello; i++) {
        uint8_t *cut = xmemdup(data, MAX(i, 1));
        CU_ASSERT_EQUAL(packet_decode(cut, i, &p),
                        i < PACKET_HEADER_LEN ? OSPF_DROP_SHORT
                        : OSPF_DROP_LENGTH);
        free(cut);
    }
    /* What follows the packet (link-local signaling) does not matter. */
    CU_ASSERT_EQUAL(packet_decode(data, sizeof data, &p), OSPF_N_DROPS);

#define PACKET_CASE(DROP, ...)                                          \
    good_hello(data);                                                   \
    __VA_ARGS__;                                                        \
    CU_ASSERT_EQUAL(packet_decode(data, sizeof hello, &p), DROP)

    PACKET_CASE(OSPF_DROP_VERSION, data[0] = 3);
    PACKET_CASE(OSPF_DROP_TYPE, data[1] = 0);
    PACKET_CASE(OSPF_DROP_TYPE, data[1] = 6);
    PACKET_CASE(OSPF_DROP_LENGTH, store_u16(data + 2, 43));
    PACKET_CASE(OSPF_DROP_LENGTH, store_u16(data + 2, 49));
    PACKET_CASE(OSPF_DROP_AUTH, data[15] = 1);
    PACKET_CASE(OSPF_DROP_AUTH, data[15] = 2);
    PACKET_CASE(OSPF_DROP_CHECKSUM, data[12] ^= 1);
    PACKET_CASE(OSPF_DROP_CHECKSUM, data[47] ^= 1);
    /* The authentication field is not covered. */
    PACKET_CASE(OSPF_N_DROPS, memset(data + 16, 0xaa, 8));

    /* Lists that are no multiple of their items. */
    static const struct { uint8_t type; size_t len; } odd[] = {
        { PKT_HELLO, 24 + 20 + 3 }, { PKT_DD, 24 + 8 + 19 },
        { PKT_LSR, 24 + 13 }, { PKT_ACK, 24 + 21 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
        struct ofpbuf b;
        ofpbuf_init(&b, 0);
        packet_begin(&b, odd[i].type, 1, 0);
        ofpbuf_put_zeros(&b, odd[i].len - PACKET_HEADER_LEN);
        packet_end(&b);
        CU_ASSERT_EQUAL(packet_decode(b.data, b.size, &p), OSPF_DROP_BODY);
        ofpbuf_uninit(&b);
    }
}

/* In an update a broken LSA does not spoil those before and behind it. */
static void
test_update(void)
{
    struct ospf_lsa *lsa = lsa_new(router_lsa, sizeof router_lsa, 1, 0);
    struct ofpbuf b;
    struct packet p;

    ofpbuf_init(&b, 0);
    packet_begin(&b, PKT_LSU, 1, 0);
    put_u32(&b, 4);
    packet_put_lsa(&b, lsa, 2500, 1);
    size_t second = b.size;
    packet_put_lsa(&b, lsa, 5000000, 1);
    packet_put_lsa(&b, lsa, 0, 1);
    size_t fourth = b.size;
    packet_put_lsa(&b, lsa, 0, 1);
    ((uint8_t *) b.data)[second + 40] ^= 1;
    store_u16((uint8_t *) b.data + fourth + 18, 49);
    packet_end(&b);
    CU_ASSERT_EQUAL(packet_decode(b.data, b.size, &p), OSPF_N_DROPS);

    static const enum lsa_fault faults[] = {
        LSA_OK, LSA_BAD_CHECKSUM, LSA_OK, LSA_SHORT,
    };
    static const uint16_t ages[] = { 4, 3600, 2, 2 };
    struct packet_lsa_iter it = packet_lsas(&p);
    const uint8_t *data;
    uint16_t length;
    enum lsa_fault fault;
    size_t n = 0;
    while (packet_next_lsa(&it, &data, &length, &fault)) {
        CU_ASSERT_FATAL(n < ARRAY_SIZE(faults));
        CU_ASSERT_EQUAL(fault, faults[n]);
        CU_ASSERT_EQUAL(load_u16(data), ages[n]);
        n++;
    }
    CU_ASSERT_EQUAL(n, 4);
    ofpbuf_uninit(&b);
    lsa_unref(lsa);
}

TW_TESTS("ospf-codec",
         TW_TEST(test_fletcher),
         TW_TEST(test_router_lsa),
         TW_TEST(test_lsa_faults),
         TW_TEST(test_external_lsa),
         TW_TEST(test_compare),
         TW_TEST(test_hello),
         TW_TEST(test_packet_faults),
         TW_TEST(test_update))
