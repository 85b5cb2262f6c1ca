/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that the controller sends and takes. */
#include <config.h>
#include "controller/engine/frames.h"

#include <string.h>
#include <CUnit/CUnit.h>
#include "csum.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tests/unit/tw-cunit.h"

static const struct eth_addr A = { .ea = { 0x0e, 1, 2, 3, 4, 5 } };
static const struct eth_addr B = { .ea = { 0x0e, 9, 8, 7, 6, 5 } };

struct collected {
    struct ofpbuf *frames[64];
    size_t n;
};

static void
collect(struct ofpbuf *frame, void *aux)
{
    struct collected *c = aux;
    c->frames[c->n++] = frame;
}

static void
test_arp(void)
{
    struct ofpbuf *b = frame_compose_arp(ARP_OP_REQUEST, eth_addr_broadcast, A,
                                         htonl(0x0a000001), eth_addr_zero,
                                         htonl(0x0a000002));
    struct frame f;

    CU_ASSERT(frame_parse(b->data, b->size, &f));
    CU_ASSERT_EQUAL(f.arp_op, ARP_OP_REQUEST);
    CU_ASSERT_EQUAL(f.arp_spa, htonl(0x0a000001));
    CU_ASSERT_EQUAL(f.arp_tpa, htonl(0x0a000002));
    CU_ASSERT(eth_addr_equals(f.arp_sha, A));
    for (size_t len = 0; len < b->size; len++) {
        CU_ASSERT_FALSE(frame_parse(b->data, len, &f));
    }
    ofpbuf_delete(b);
}

/* An OSPF packet of any length arrives whole, in order, in frames that fit. */
static void
test_ospf_fragments(void)
{
    static const size_t sizes[] = { 44, 1479, 1480, 1481, 4000, 20000 };
    uint8_t data[20000];

    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = i * 7 + i / 256;
    }
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct collected c = { .n = 0 };
        uint8_t got[20000];
        size_t n = 0;

        frame_compose_ospf(data, sizes[s], 1500, 77, A, B, htonl(1), htonl(2),
                           collect, &c);
        for (size_t i = 0; i < c.n; i++) {
            struct frame f;

            CU_ASSERT(frame_parse(c.frames[i]->data, c.frames[i]->size, &f));
            CU_ASSERT(c.frames[i]->size <= FRAME_MAX);
            CU_ASSERT_EQUAL(f.ip_ttl, 1);
            CU_ASSERT_EQUAL(f.ip_proto, 89);
            CU_ASSERT_EQUAL(f.fragment, c.n > 1);
            CU_ASSERT_EQUAL(f.later_fragment, i > 0);
            memcpy(got + n, f.payload, f.payload_len);
            n += f.payload_len;
            ofpbuf_delete(c.frames[i]);
        }
        CU_ASSERT_EQUAL(n, sizes[s]);
        CU_ASSERT(!memcmp(got, data, n));
    }
}

static void
first_fragment_only(struct ofpbuf *frame, void *aux)
{
    struct ofpbuf **first = aux;
    if (*first) {
        ofpbuf_delete(frame);
    } else {
        *first = frame;
    }
}

static void
test_icmp_error(void)
{
    uint8_t udp[64] = { 0 };
    struct ofpbuf *probe = NULL;
    struct frame f, e;

    frame_compose_ospf(udp, sizeof udp, 1500, 1, A, B, htonl(0x0a000001),
                       htonl(0xcb00710a), first_fragment_only, &probe);
    CU_ASSERT(frame_parse(probe->data, probe->size, &f));
    struct ofpbuf *b = frame_compose_icmp_error(&f, 11, 0, htonl(0xc0000201),
                                                B, A);
    CU_ASSERT_FATAL(b != NULL);
    CU_ASSERT(frame_parse(b->data, b->size, &e));
    CU_ASSERT_EQUAL(e.ip_src, htonl(0xc0000201));
    CU_ASSERT_EQUAL(e.ip_dst, htonl(0x0a000001));
    CU_ASSERT_EQUAL(e.payload[0], 11);
    CU_ASSERT_EQUAL(csum(e.payload, e.payload_len), 0);
    CU_ASSERT(!memcmp(e.payload + 8, f.ip, f.ip_len));

    /* No error about an error, nor to a source that is no host. */
    CU_ASSERT_PTR_NULL(frame_compose_icmp_error(&e, 11, 0, htonl(1), A, B));
    f.ip_src = htonl(0xe0000001);
    CU_ASSERT_PTR_NULL(frame_compose_icmp_error(&f, 11, 0, htonl(1), A, B));
    ofpbuf_delete(b);
    ofpbuf_delete(probe);
}

static void
test_wrong_checksum(void)
{
    uint8_t data[44] = { 0 };
    struct ofpbuf *b = NULL;
    struct frame f;

    frame_compose_ospf(data, sizeof data, 1500, 1, A, B, htonl(1), htonl(2),
                       first_fragment_only, &b);
    CU_ASSERT(frame_parse(b->data, b->size, &f));
    ((uint8_t *) b->data)[ETH_HEADER_LEN + 8]++;
    CU_ASSERT_FALSE(frame_parse(b->data, b->size, &f));
    ofpbuf_delete(b);
}

static void
test_multicast_mac(void)
{
    static const struct eth_addr want = { .ea = { 1, 0, 0x5e, 0, 0, 5 } };
    CU_ASSERT(eth_addr_equals(frame_multicast_mac(htonl(0xe0000005)), want));
}

TW_TESTS("frames",
         TW_TEST(test_arp),
         TW_TEST(test_ospf_fragments),
         TW_TEST(test_icmp_error),
         TW_TEST(test_wrong_checksum),
         TW_TEST(test_multicast_mac))
