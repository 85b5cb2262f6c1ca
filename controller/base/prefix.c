/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses and prefixes: see prefix.h.
 *
 * Text is read by inet_pton(), which is as strict as a document format wants
 * (no leading zeros, no short forms), and written by the C library's inverse.
 * An IPv6 text that spells a v4-mapped address is refused: it would silently
 * mean IPv4. */

#include <config.h>
#include "controller/base/prefix.h"

#include <arpa/inet.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

#define V4_PLEN 96          /* Length of ::ffff:0:0/96. */

const char *
prefix_error_to_string(enum prefix_error error)
{
    switch (error) {
    case PREFIX_OK: return "no error";
    case PREFIX_BAD_ADDRESS: return "not an IPv4 or IPv6 address";
    case PREFIX_NO_LENGTH: return "no prefix length";
    case PREFIX_BAD_LENGTH: return "prefix length out of range";
    case PREFIX_HOST_BITS: return "bits set beyond the prefix length";
    default: return "unknown error";
    }
}

/* Addresses. */

struct in6_addr
addr_from_ip4(ovs_be32 ip)
{
    return in6_addr_mapped_ipv4(ip);
}

bool
addr_is_v4(const struct in6_addr *addr)
{
    return IN6_IS_ADDR_V4MAPPED(addr);
}

/* The IPv4 address in 'addr', or 0 if it is an IPv6 address. */
ovs_be32
addr_get_ip4(const struct in6_addr *addr)
{
    return addr_is_v4(addr) ? in6_addr_get_mapped_ipv4(addr) : 0;
}

bool
addr_parse(const char *s, struct in6_addr *addr)
{
    struct in6_addr ip6;
    struct in_addr ip4;

    if (inet_pton(AF_INET, s, &ip4) == 1) {
        *addr = in6_addr_mapped_ipv4(ip4.s_addr);
        return true;
    } else if (inet_pton(AF_INET6, s, &ip6) == 1 && !addr_is_v4(&ip6)) {
        *addr = ip6;
        return true;
    }
    return false;
}

const char *
addr_to_string(const struct in6_addr *addr, char buf[ADDR_STRLEN])
{
    if (addr_is_v4(addr)) {
        inet_ntop(AF_INET, &addr->s6_addr[12], buf, ADDR_STRLEN);
    } else {
        inet_ntop(AF_INET6, addr, buf, ADDR_STRLEN);
    }
    return buf;
}

void
addr_format(const struct in6_addr *addr, struct ds *s)
{
    char buf[ADDR_STRLEN];

    ds_put_cstr(s, addr_to_string(addr, buf));
}

int
addr_compare(const struct in6_addr *a, const struct in6_addr *b)
{
    return memcmp(a, b, sizeof *a);
}

uint32_t
addr_hash(const struct in6_addr *addr, uint32_t basis)
{
    return hash_bytes(addr, sizeof *addr, basis);
}

/* Whether 'addr' can't be anybody's unicast address (see
 * prefix_is_martian()). */
bool
addr_is_martian(const struct in6_addr *addr)
{
    struct prefix p = prefix_host(addr);

    return prefix_is_martian(&p);
}

/* Bits. */

/* The mask of 'plen' bits, in the 128-bit form. */
static struct in6_addr
mask_from_plen(unsigned int plen)
{
    struct in6_addr mask;

    memset(&mask, 0, sizeof mask);
    memset(&mask, 0xff, plen / 8);
    if (plen % 8) {
        mask.s6_addr[plen / 8] = 0xff << (8 - plen % 8);
    }
    return mask;
}

/* Whether 'a' and 'b' agree in their first 'plen' bits. */
static bool
bits_equal(const struct in6_addr *a, const struct in6_addr *b,
           unsigned int plen)
{
    unsigned int bytes = plen / 8;
    unsigned int bits = plen % 8;

    return !memcmp(a, b, bytes)
           && (!bits
               || !((a->s6_addr[bytes] ^ b->s6_addr[bytes]) >> (8 - bits)));
}

/* Adds 'delta' (-1 or 1) to 'addr' as a 128-bit number. */
static void
addr_step(struct in6_addr *addr, int delta)
{
    for (int i = 15; i >= 0; i--) {
        addr->s6_addr[i] += delta;
        if (addr->s6_addr[i] != (delta > 0 ? 0 : 0xff)) {
            return;
        }
    }
}

/* Making prefixes. */

/* A prefix of 'plen' bits in the 128-bit form. */
static struct prefix
prefix_make(const struct in6_addr *addr, unsigned int plen)
{
    struct in6_addr mask = mask_from_plen(plen);
    struct prefix p = { .plen = plen };

    for (size_t i = 0; i < sizeof p.addr.s6_addr; i++) {
        p.addr.s6_addr[i] = addr->s6_addr[i] & mask.s6_addr[i];
    }
    return p;
}

struct prefix
prefix_from_ip4(ovs_be32 ip, unsigned int plen)
{
    struct in6_addr addr = in6_addr_mapped_ipv4(ip);

    return prefix_from_addr(&addr, plen);
}

struct prefix
prefix_from_addr(const struct in6_addr *addr, unsigned int plen)
{
    return (addr_is_v4(addr)
            ? prefix_make(addr, V4_PLEN + MIN(plen, 32))
            : prefix_make(addr, MIN(plen, 128)));
}

struct prefix
prefix_host(const struct in6_addr *addr)
{
    return prefix_make(addr, 128);
}

/* Parses the decimal digits of a length, at most 'max'. */
static bool
parse_length(const char *s, unsigned int max, unsigned int *plen)
{
    unsigned int n = 0;

    if (!*s || (s[0] == '0' && s[1])) {
        return false;
    }
    for (; *s; s++) {
        if (*s < '0' || *s > '9') {
            return false;
        }
        n = n * 10 + (*s - '0');
        if (n > max) {
            return false;
        }
    }
    *plen = n;
    return true;
}

enum prefix_error
prefix_parse_interface(const char *s, struct in6_addr *addrp,
                       struct prefix *p)
{
    size_t len = strcspn(s, "/");
    struct in6_addr addr;
    unsigned int plen;
    char buf[ADDR_STRLEN];

    if (len >= sizeof buf) {
        return PREFIX_BAD_ADDRESS;
    }
    memcpy(buf, s, len);
    buf[len] = '\0';
    if (!addr_parse(buf, &addr)) {
        return PREFIX_BAD_ADDRESS;
    }
    if (!s[len]) {
        return PREFIX_NO_LENGTH;
    }
    if (!parse_length(&s[len + 1], addr_is_v4(&addr) ? 32 : 128, &plen)) {
        return PREFIX_BAD_LENGTH;
    }
    *addrp = addr;
    *p = prefix_from_addr(&addr, plen);
    return PREFIX_OK;
}

enum prefix_error
prefix_parse(const char *s, struct prefix *p)
{
    struct in6_addr addr;
    enum prefix_error error = prefix_parse_interface(s, &addr, p);

    if (!error && addr_compare(&addr, &p->addr)) {
        error = PREFIX_HOST_BITS;
    }
    return error;
}

/* Asking prefixes. */

bool
prefix_is_v4(const struct prefix *p)
{
    return p->plen >= V4_PLEN && addr_is_v4(&p->addr);
}

ovs_be32
prefix_get_ip4(const struct prefix *p)
{
    return addr_get_ip4(&p->addr);
}

ovs_be32
prefix_get_ip4_mask(const struct prefix *p)
{
    return be32_prefix_mask(prefix_is_v4(p) ? p->plen - V4_PLEN : 0);
}

struct in6_addr
prefix_get_mask(const struct prefix *p)
{
    return mask_from_plen(p->plen);
}

unsigned int
prefix_length(const struct prefix *p)
{
    return prefix_is_v4(p) ? p->plen - V4_PLEN : p->plen;
}

bool
prefix_is_default(const struct prefix *p)
{
    return !prefix_length(p);
}

bool
prefix_contains(const struct prefix *p, const struct in6_addr *addr)
{
    return prefix_is_v4(p) == addr_is_v4(addr)
           && bits_equal(&p->addr, addr, p->plen);
}

bool
prefix_contains_prefix(const struct prefix *outer, const struct prefix *inner)
{
    return prefix_is_v4(outer) == prefix_is_v4(inner)
           && outer->plen <= inner->plen
           && bits_equal(&outer->addr, &inner->addr, outer->plen);
}

bool
prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
    return prefix_contains_prefix(a, b) || prefix_contains_prefix(b, a);
}

bool
prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return a->plen == b->plen && !addr_compare(&a->addr, &b->addr);
}

int
prefix_compare(const struct prefix *a, const struct prefix *b)
{
    int cmp = addr_compare(&a->addr, &b->addr);

    return cmp ? cmp : (int) a->plen - (int) b->plen;
}

uint32_t
prefix_hash(const struct prefix *p, uint32_t basis)
{
    return addr_hash(&p->addr, hash_int(p->plen, basis));
}

/* Whether 'p' is an IPv4 subnet that has a network and a broadcast address. */
static bool
has_broadcast(const struct prefix *p)
{
    return prefix_is_v4(p) && p->plen < 127;
}

struct in6_addr
prefix_last_addr(const struct prefix *p)
{
    struct in6_addr mask = mask_from_plen(p->plen);
    struct in6_addr addr = p->addr;

    for (size_t i = 0; i < sizeof addr.s6_addr; i++) {
        addr.s6_addr[i] |= ~mask.s6_addr[i];
    }
    return addr;
}

struct in6_addr
prefix_first_host(const struct prefix *p)
{
    struct in6_addr addr = p->addr;

    if (has_broadcast(p)) {
        addr_step(&addr, 1);
    }
    return addr;
}

struct in6_addr
prefix_last_host(const struct prefix *p)
{
    struct in6_addr addr = prefix_last_addr(p);

    if (has_broadcast(p)) {
        addr_step(&addr, -1);
    }
    return addr;
}

bool
prefix_is_usable_host(const struct prefix *p, const struct in6_addr *addr)
{
    struct in6_addr first = prefix_first_host(p);
    struct in6_addr last = prefix_last_host(p);

    return prefix_contains(p, addr)
           && addr_compare(&first, addr) <= 0
           && addr_compare(addr, &last) <= 0;
}

uint64_t
prefix_count_hosts(const struct prefix *p)
{
    unsigned int bits = 128 - p->plen;

    return (bits >= 64 ? UINT64_MAX
            : (UINT64_C(1) << bits) - (has_broadcast(p) ? 2 : 0));
}

/* A block of addresses that are nobody's. */
struct martian {
    uint8_t addr[16];
    uint8_t plen;
};

#define V4_BLOCK(FIRST, PLEN) \
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, FIRST }, V4_PLEN + (PLEN) }

bool
prefix_is_martian(const struct prefix *p)
{
    static const struct martian martians[] = {
        V4_BLOCK(0, 8),                 /* "This network", RFC 1122. */
        V4_BLOCK(127, 8),               /* Loopback. */
        V4_BLOCK(224, 4),               /* Multicast. */
        V4_BLOCK(240, 4),               /* Reserved, and broadcast. */
        { { 0 }, 128 },                 /* Unspecified. */
        { { [15] = 1 }, 128 },          /* Loopback. */
        { { 0xfe, 0x80 }, 10 },         /* Link-local. */
        { { 0xff }, 8 },                /* Multicast. */
    };

    for (size_t i = 0; i < ARRAY_SIZE(martians); i++) {
        struct prefix block = { .plen = martians[i].plen };

        memcpy(&block.addr, martians[i].addr, sizeof block.addr);
        if (prefix_contains_prefix(&block, p)) {
            return true;
        }
    }
    return false;
}

/* Text. */

const char *
prefix_to_string(const struct prefix *p, char buf[PREFIX_STRLEN])
{
    size_t len;

    addr_to_string(&p->addr, buf);
    len = strlen(buf);
    snprintf(buf + len, PREFIX_STRLEN - len, "/%u", prefix_length(p));
    return buf;
}

void
prefix_format(const struct prefix *p, struct ds *s)
{
    char buf[PREFIX_STRLEN];

    ds_put_cstr(s, prefix_to_string(p, buf));
}
