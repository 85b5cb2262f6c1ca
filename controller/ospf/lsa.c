/* SPDX-License-Identifier: Apache-2.0 */

/* See lsa.h.  The contents in words are in lsa-format.c. */

#include <config.h>
#include "controller/ospf/lsa.h"

#include <string.h>

#include "controller/base/bytes.h"
#include "openvswitch/util.h"
#include "util.h"

/* Offsets in the header (RFC 2328 A.4.1). */
enum {
    OFS_AGE = 0, OFS_OPTIONS = 2, OFS_TYPE = 3, OFS_ID = 4, OFS_ADV = 8,
    OFS_SEQ = 12, OFS_CHECKSUM = 16, OFS_LENGTH = 18,
};

enum { ROUTER_FIXED = 4, ROUTER_LINK = 12, ROUTER_TOS = 4 };
enum { EXTERNAL_FIXED = 4, EXTERNAL_ROUTE = 12 };

/* Makes an LSA of 'length' bytes at 'data', which have been checked, with
 * 'age' seconds at 'now'. */
struct ospf_lsa *
lsa_new(const uint8_t *data, uint16_t length, uint16_t age, long long int now)
{
    struct ospf_lsa *lsa = xmalloc(sizeof *lsa + length);
    lsa->n_refs = 1;
    lsa->length = length;
    lsa->max_age = age >= LSA_MAX_AGE;
    lsa->born_ms = now - age * 1000LL;
    memcpy(lsa->data, data, length);
    return lsa;
}

struct ospf_lsa *
lsa_ref(const struct ospf_lsa *lsa_)
{
    struct ospf_lsa *lsa = CONST_CAST(struct ospf_lsa *, lsa_);
    lsa->n_refs++;
    return lsa;
}

void
lsa_unref(struct ospf_lsa *lsa)
{
    if (lsa) {
        ovs_assert(lsa->n_refs > 0);
        if (!--lsa->n_refs) {
            free(lsa);
        }
    }
}

/* The same instance, aged to MaxAge (RFC 2328 section 14.1). */
struct ospf_lsa *
lsa_clone_max_age(const struct ospf_lsa *old)
{
    struct ospf_lsa *lsa = xmemdup(old, sizeof *old + old->length);
    lsa->n_refs = 1;
    lsa->max_age = true;
    return lsa;
}

uint8_t
lsa_type(const struct ospf_lsa *lsa)
{
    return lsa->data[OFS_TYPE];
}

uint32_t
lsa_id(const struct ospf_lsa *lsa)
{
    return load_u32(lsa->data + OFS_ID);
}

uint32_t
lsa_adv(const struct ospf_lsa *lsa)
{
    return load_u32(lsa->data + OFS_ADV);
}

int32_t
lsa_seq(const struct ospf_lsa *lsa)
{
    return (int32_t) load_u32(lsa->data + OFS_SEQ);
}

uint16_t
lsa_checksum(const struct ospf_lsa *lsa)
{
    return load_u16(lsa->data + OFS_CHECKSUM);
}

struct lsa_key
lsa_key(const struct ospf_lsa *lsa)
{
    return (struct lsa_key) { .id = lsa_id(lsa), .adv = lsa_adv(lsa),
                              .type = lsa_type(lsa) };
}

uint16_t
lsa_age(const struct ospf_lsa *lsa, long long int now)
{
    if (lsa->max_age) {
        return LSA_MAX_AGE;
    }
    long long int age = (now - lsa->born_ms) / 1000;
    return age < 0 ? 0 : MIN(age, LSA_MAX_AGE);
}

bool
lsa_is_max_age(const struct ospf_lsa *lsa, long long int now)
{
    return lsa_age(lsa, now) >= LSA_MAX_AGE;
}

/* When 'lsa' becomes, or became, MaxAge by itself. */
long long int
lsa_max_age_time(const struct ospf_lsa *lsa)
{
    return lsa->born_ms + LSA_MAX_AGE * 1000LL;
}

void
lsa_header_decode(const uint8_t data[LSA_HEADER_LEN], struct lsa_header *h)
{
    h->age = load_u16(data + OFS_AGE);
    h->options = data[OFS_OPTIONS];
    h->key.type = data[OFS_TYPE];
    h->key.id = load_u32(data + OFS_ID);
    h->key.adv = load_u32(data + OFS_ADV);
    h->seq = (int32_t) load_u32(data + OFS_SEQ);
    h->checksum = load_u16(data + OFS_CHECKSUM);
    h->length = load_u16(data + OFS_LENGTH);
}

struct lsa_header
lsa_header(const struct ospf_lsa *lsa, long long int now)
{
    struct lsa_header h;

    lsa_header_decode(lsa->data, &h);
    h.age = lsa_age(lsa, now);
    return h;
}

int
lsa_key_compare(const struct lsa_key *a, const struct lsa_key *b)
{
    return a->type != b->type ? (a->type < b->type ? -1 : 1)
           : a->id != b->id ? (a->id < b->id ? -1 : 1)
           : a->adv != b->adv ? (a->adv < b->adv ? -1 : 1)
           : 0;
}

/* Which instance is more recent (RFC 2328 section 13.1)?  Positive: 'a',
 * negative: 'b', 0: they are the same instance. */
int
lsa_header_compare(const struct lsa_header *a, const struct lsa_header *b)
{
    if (a->seq != b->seq) {
        return a->seq > b->seq ? 1 : -1;
    }
    if (a->checksum != b->checksum) {
        return a->checksum > b->checksum ? 1 : -1;
    }
    bool a_max = a->age >= LSA_MAX_AGE, b_max = b->age >= LSA_MAX_AGE;
    if (a_max != b_max) {
        return a_max ? 1 : -1;
    }
    int diff = a->age - b->age;
    return diff > LSA_MAX_AGE_DIFF ? -1 : diff < -LSA_MAX_AGE_DIFF ? 1 : 0;
}

/* Do 'a' and 'b' say the same (RFC 2328 section 13.2)? */
bool
lsa_body_equal(const struct ospf_lsa *a, const struct ospf_lsa *b)
{
    return a->length == b->length
           && a->data[OFS_OPTIONS] == b->data[OFS_OPTIONS]
           && !memcmp(a->data + LSA_HEADER_LEN, b->data + LSA_HEADER_LEN,
                      a->length - LSA_HEADER_LEN);
}

/* Sums of Fletcher's checksum over the LSA without its age, not reduced to
 * two bytes. */
static void
fletcher_sums(const uint8_t *data, size_t length, uint32_t *c0p, uint32_t *c1p)
{
    uint32_t c0 = 0, c1 = 0;
    size_t i = OFS_OPTIONS;

    while (i < length) {
        /* 4,102 bytes is how far c1 can go without overflow. */
        size_t end = MIN(length, i + 4096);
        for (; i < end; i++) {
            c0 += data[i];
            c1 += c0;
        }
        c0 %= 255;
        c1 %= 255;
    }
    *c0p = c0;
    *c1p = c1;
}

/* The checksum that an LSA should have (RFC 905 annex B), whatever its
 * checksum field says. */
uint16_t
lsa_fletcher(const uint8_t *data, size_t length)
{
    uint32_t c0, c1;
    fletcher_sums(data, length, &c0, &c1);

    /* Take the field's own bytes out again. */
    int64_t behind = length - OFS_CHECKSUM;
    int64_t b0 = data[OFS_CHECKSUM], b1 = data[OFS_CHECKSUM + 1];
    int64_t s0 = c0 - b0 - b1;
    int64_t s1 = c1 - b0 * behind - b1 * (behind - 1);

    int x = ((behind - 1) * s0 - s1) % 255;
    int y = (-s0 - x) % 255;
    x = x <= 0 ? x + 255 : x;
    y = y <= 0 ? y + 255 : y;
    return x << 8 | y;
}

/* Completes an LSA: length, then checksum. */
void
lsa_seal(uint8_t *data, uint16_t length)
{
    store_u16(data + OFS_LENGTH, length);
    store_u16(data + OFS_CHECKSUM, 0);
    store_u16(data + OFS_CHECKSUM, lsa_fletcher(data, length));
}

static bool
router_body_ok(const uint8_t *body, size_t n)
{
    if (n < ROUTER_FIXED) {
        return false;
    }
    size_t n_links = load_u16(body + 2);
    size_t ofs = ROUTER_FIXED;
    for (size_t i = 0; i < n_links; i++) {
        if (n - ofs < ROUTER_LINK) {
            return false;
        }
        size_t link = ROUTER_LINK + body[ofs + 9] * ROUTER_TOS;
        if (n - ofs < link) {
            return false;
        }
        ofs += link;
    }
    return ofs == n;
}

enum lsa_fault
lsa_check(const uint8_t *data, size_t length)
{
    struct lsa_header h;

    if (length < LSA_HEADER_LEN) {
        return LSA_SHORT;
    }
    lsa_header_decode(data, &h);
    if (h.length != length) {
        return LSA_SHORT;
    }

    uint32_t c0, c1;
    fletcher_sums(data, length, &c0, &c1);
    if (!h.checksum || c0 || c1) {
        return LSA_BAD_CHECKSUM;
    }
    if (h.age > LSA_MAX_AGE) {
        return LSA_BAD_AGE;
    }
    if (h.seq == INT32_MIN) {
        return LSA_BAD_SEQ;
    }

    const uint8_t *body = data + LSA_HEADER_LEN;
    size_t n = length - LSA_HEADER_LEN;
    bool ok;
    switch (h.key.type) {
    case OSPF_LSA_ROUTER:
        ok = router_body_ok(body, n);
        break;
    case OSPF_LSA_NETWORK:
        ok = n >= 8 && n % 4 == 0;
        break;
    case OSPF_LSA_SUMMARY:
    case OSPF_LSA_ASBR_SUMMARY:
        ok = n >= 8 && n % 4 == 0;
        break;
    case OSPF_LSA_EXTERNAL:
        ok = (n >= EXTERNAL_FIXED + EXTERNAL_ROUTE
              && (n - EXTERNAL_FIXED) % EXTERNAL_ROUTE == 0);
        break;
    default:
        return LSA_BAD_TYPE;
    }
    return ok && length <= LSA_MAX_LEN ? LSA_OK : LSA_BAD_BODY;
}

const char *
lsa_fault_string(enum lsa_fault fault)
{
    switch (fault) {
    case LSA_OK: return "ok";
    case LSA_SHORT: return "truncated";
    case LSA_BAD_CHECKSUM: return "wrong checksum";
    case LSA_BAD_TYPE: return "unsupported type";
    case LSA_BAD_BODY: return "malformed contents";
    case LSA_BAD_AGE: return "age beyond MaxAge";
    case LSA_BAD_SEQ: return "reserved sequence number";
    }
    return "unknown fault";
}

uint8_t
lsa_router_flags(const struct ospf_lsa *lsa)
{
    return lsa->data[LSA_HEADER_LEN];
}

struct router_link_iter
lsa_router_links(const struct ospf_lsa *lsa)
{
    return (struct router_link_iter) {
        .pos = lsa->data + LSA_HEADER_LEN + ROUTER_FIXED,
        .end = lsa->data + lsa->length,
    };
}

bool
router_link_next(struct router_link_iter *it, struct router_link *link)
{
    if (it->pos >= it->end) {
        return false;
    }
    link->id = load_u32(it->pos);
    link->data = load_u32(it->pos + 4);
    link->type = it->pos[8];
    link->metric = load_u16(it->pos + 10);
    it->pos += ROUTER_LINK + it->pos[9] * ROUTER_TOS;
    return true;
}

uint32_t
lsa_network_mask(const struct ospf_lsa *lsa)
{
    return load_u32(lsa->data + LSA_HEADER_LEN);
}

size_t
lsa_network_n_routers(const struct ospf_lsa *lsa)
{
    return (lsa->length - LSA_HEADER_LEN - 4) / 4;
}

uint32_t
lsa_network_router(const struct ospf_lsa *lsa, size_t i)
{
    return load_u32(lsa->data + LSA_HEADER_LEN + 4 + 4 * i);
}

void
lsa_external(const struct ospf_lsa *lsa, struct lsa_external *e)
{
    const uint8_t *body = lsa->data + LSA_HEADER_LEN;
    uint32_t mask = load_u32(body);

    /* Contiguous masks only: the complement is one less than a power of 2. */
    e->plen = ~mask & (~mask + 1) ? 33 : mask ? 32 - ctz32(mask) : 0;
    e->prefix = lsa_id(lsa) & mask;
    e->metric = load_u24(body + 5);
    if (lsa_type(lsa) == OSPF_LSA_EXTERNAL) {
        e->e2 = (body[4] & 0x80) != 0;
        e->forwarding = load_u32(body + 8);
        e->tag = load_u32(body + 12);
    } else {
        e->e2 = false;
        e->forwarding = e->tag = 0;
    }
}
