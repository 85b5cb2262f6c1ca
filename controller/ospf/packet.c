/* SPDX-License-Identifier: Apache-2.0 */

/* See packet.h. */

#include <config.h>
#include "controller/ospf/packet.h"

#include "controller/base/bytes.h"
#include "csum.h"
#include "openvswitch/util.h"
#include "unaligned.h"
#include "util.h"

#define OSPF_VERSION 2

enum { OFS_LENGTH = 2, OFS_CHECKSUM = 12, OFS_AUTH = 16 };

/* The smallest length of each type, header included. */
static const uint8_t min_len[] = {
    [PKT_HELLO] = PACKET_HEADER_LEN + 20,
    [PKT_DD] = PACKET_HEADER_LEN + 8,
    [PKT_LSR] = PACKET_HEADER_LEN,
    [PKT_LSU] = PACKET_HEADER_LEN + 4,
    [PKT_ACK] = PACKET_HEADER_LEN,
};

/* The IP checksum of the packet without its authentication field. */
static ovs_be16
packet_csum(const uint8_t *data, size_t len)
{
    uint32_t sum = csum_continue(0, data, OFS_AUTH);
    sum = csum_continue(sum, data + PACKET_HEADER_LEN,
                        len - PACKET_HEADER_LEN);
    return csum_finish(sum);
}

static bool
decode_body(struct bytes *b, struct packet *p)
{
    size_t item;

    switch (p->type) {
    case PKT_HELLO:
        p->hello.mask = bytes_u32(b);
        p->hello.hello_interval = bytes_u16(b);
        p->hello.options = bytes_u8(b);
        p->hello.priority = bytes_u8(b);
        p->hello.dead_interval = bytes_u32(b);
        p->hello.dr = bytes_u32(b);
        p->hello.bdr = bytes_u32(b);
        item = 4;
        break;
    case PKT_DD:
        p->dd.mtu = bytes_u16(b);
        p->dd.options = bytes_u8(b);
        p->dd.flags = bytes_u8(b);
        p->dd.seq = bytes_u32(b);
        item = LSA_HEADER_LEN;
        break;
    case PKT_LSR:
        item = PACKET_REQUEST_LEN;
        break;
    case PKT_LSU:
        bytes_u32(b);           /* The number; the lengths tell it as well. */
        item = 1;
        break;
    case PKT_ACK:
        item = LSA_HEADER_LEN;
        break;
    default:
        return false;
    }
    p->list = b->pos;
    p->list_len = b->left;
    return !b->is_short && b->left % item == 0;
}

enum ospf_drop
packet_decode(const uint8_t *data, size_t len, struct packet *p)
{
    struct bytes b = bytes_init(data, len);

    memset(p, 0, sizeof *p);
    uint8_t version = bytes_u8(&b);
    uint8_t type = bytes_u8(&b);
    uint16_t length = bytes_u16(&b);
    p->router_id = bytes_u32(&b);
    p->area = bytes_u32(&b);
    bytes_u16(&b);
    p->auth_type = bytes_u16(&b);
    bytes_u64(&b);
    if (b.is_short) {
        return OSPF_DROP_SHORT;
    }
    if (version != OSPF_VERSION) {
        return OSPF_DROP_VERSION;
    }
    if (type < PKT_HELLO || type > PKT_ACK) {
        return OSPF_DROP_TYPE;
    }
    p->type = type;
    /* What follows 'length' is authentication data or link-local signaling. */
    if (length > len || length < min_len[type]) {
        return OSPF_DROP_LENGTH;
    }
    if (p->auth_type != 0) {
        return OSPF_DROP_AUTH;
    }
    if (packet_csum(data, length)) {
        return OSPF_DROP_CHECKSUM;
    }
    b = bytes_init(data + PACKET_HEADER_LEN, length - PACKET_HEADER_LEN);
    return decode_body(&b, p) ? OSPF_N_DROPS : OSPF_DROP_BODY;
}

size_t
packet_n_neighbors(const struct packet *p)
{
    return p->list_len / 4;
}

uint32_t
packet_neighbor(const struct packet *p, size_t i)
{
    return load_u32(p->list + 4 * i);
}

size_t
packet_n_headers(const struct packet *p)
{
    return p->list_len / LSA_HEADER_LEN;
}

void
packet_lsa_header(const struct packet *p, size_t i, struct lsa_header *h)
{
    lsa_header_decode(p->list + i * LSA_HEADER_LEN, h);
}

size_t
packet_n_requests(const struct packet *p)
{
    return p->list_len / PACKET_REQUEST_LEN;
}

bool
packet_request(const struct packet *p, size_t i, struct lsa_key *key)
{
    const uint8_t *r = p->list + i * PACKET_REQUEST_LEN;
    uint32_t type = load_u32(r);

    key->type = type;
    key->id = load_u32(r + 4);
    key->adv = load_u32(r + 8);
    return type >= 1 && type <= UINT8_MAX;
}

struct packet_lsa_iter
packet_lsas(const struct packet *p)
{
    return (struct packet_lsa_iter) { .pos = p->list, .left = p->list_len };
}

bool
packet_next_lsa(struct packet_lsa_iter *it, const uint8_t **data,
                uint16_t *length, enum lsa_fault *fault)
{
    if (!it->left) {
        return false;
    }
    *data = it->pos;
    *length = 0;
    if (it->left >= LSA_HEADER_LEN) {
        *length = load_u16(it->pos + 18);
    }
    if (*length < LSA_HEADER_LEN || *length > it->left) {
        /* Where the next one begins is anybody's guess. */
        *fault = LSA_SHORT;
        it->left = 0;
        return true;
    }
    *fault = lsa_check(it->pos, *length);
    it->pos += *length;
    it->left -= *length;
    return true;
}

void
packet_begin(struct ofpbuf *b, enum packet_type type, uint32_t router_id,
             uint32_t area)
{
    put_u8(b, OSPF_VERSION);
    put_u8(b, type);
    put_u16(b, 0);              /* Length: see packet_end(). */
    put_u32(b, router_id);
    put_u32(b, area);
    put_u16(b, 0);              /* Checksum: see packet_end(). */
    put_u16(b, 0);              /* Null authentication. */
    put_u64(b, 0);
}

void
packet_end(struct ofpbuf *b)
{
    uint8_t *data = b->data;

    store_u16(data + OFS_LENGTH, b->size);
    store_u16(data + OFS_CHECKSUM, 0);
    ovs_be16 csum = packet_csum(data, b->size);
    memcpy(data + OFS_CHECKSUM, &csum, sizeof csum);
}

void
packet_put_header(struct ofpbuf *b, const struct ospf_lsa *lsa,
                  long long int now)
{
    uint8_t *p = ofpbuf_put(b, lsa->data, LSA_HEADER_LEN);
    store_u16(p, lsa_age(lsa, now));
}

void
packet_put_lsa(struct ofpbuf *b, const struct ospf_lsa *lsa,
               long long int now, unsigned int delay)
{
    uint8_t *p = ofpbuf_put(b, lsa->data, lsa->length);
    store_u16(p, MIN(lsa_age(lsa, now) + delay, LSA_MAX_AGE));
}
