/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_BASE_PREFIX_H
#define CONTROLLER_BASE_PREFIX_H 1

/* Addresses and prefixes
 * ======================
 *
 * Every address in Tollway is a 'struct in6_addr'.  An IPv4 address is held
 * "v4-mapped" (::ffff:a.b.c.d), which is Open vSwitch's own convention, so
 * that whatever stores, compares or hashes addresses needs no second case for
 * IPv6.
 *
 * A prefix is such an address and a length in bits of the 128-bit form.  An
 * IPv4 prefix therefore has a 'plen' of 96 to 128 (10.0.0.0/8 has 104); the
 * functions below that take or return a length as people write it ("/8") say
 * so in their names or comments.  0.0.0.0/0 (::ffff:0:0/96) and ::/0 are
 * different prefixes; although the bits of the second would cover the first,
 * nothing of one family ever contains or overlaps anything of the other.
 *
 * What always holds for a prefix that came from any function of this module:
 * plen <= 128, and all bits of 'addr' beyond 'plen' are 0.  Two prefixes are
 * therefore equal exactly when their members are.
 *
 * Everything here is a pure function on values; nothing is owned. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

struct ds;

struct prefix {
    struct in6_addr addr;   /* Network byte order, host bits 0. */
    uint8_t plen;           /* 0...128; IPv4: 96...128. */
};

/* Room for any address or prefix as text, with its null byte. */
#define ADDR_STRLEN INET6_ADDRSTRLEN
#define PREFIX_STRLEN (INET6_ADDRSTRLEN + 4)

/* Why a text is not an address or a prefix. */
enum prefix_error {
    PREFIX_OK = 0,
    PREFIX_BAD_ADDRESS,     /* Not an IPv4 or IPv6 address. */
    PREFIX_NO_LENGTH,       /* An address, but no "/length". */
    PREFIX_BAD_LENGTH,      /* Length not a number, or too large. */
    PREFIX_HOST_BITS,       /* Bits set beyond the length. */
};
const char *prefix_error_to_string(enum prefix_error);

/* Addresses. */

struct in6_addr addr_from_ip4(ovs_be32);
bool addr_is_v4(const struct in6_addr *);
ovs_be32 addr_get_ip4(const struct in6_addr *);
bool addr_parse(const char *, struct in6_addr *);
void addr_format(const struct in6_addr *, struct ds *);
const char *addr_to_string(const struct in6_addr *, char buf[ADDR_STRLEN]);
int addr_compare(const struct in6_addr *, const struct in6_addr *);
uint32_t addr_hash(const struct in6_addr *, uint32_t basis);
bool addr_is_martian(const struct in6_addr *);

/* Making prefixes. */

/* 'plen' is as written for the family: 0...32 or 0...128.  Host bits are
 * cleared, and a larger 'plen' is taken as the largest. */
struct prefix prefix_from_ip4(ovs_be32, unsigned int plen);
struct prefix prefix_from_addr(const struct in6_addr *, unsigned int plen);

/* The prefix of one address: /32 or /128. */
struct prefix prefix_host(const struct in6_addr *);

/* Parses "10.0.1.0/24".  PREFIX_HOST_BITS still stores in '*p' the prefix
 * that was probably meant, for the remedy; other errors store nothing. */
enum prefix_error prefix_parse(const char *, struct prefix *p);

/* Parses an interface's "10.0.1.1/24" into the address and its subnet. */
enum prefix_error prefix_parse_interface(const char *, struct in6_addr *,
                                         struct prefix *);

/* Asking prefixes. */

bool prefix_is_v4(const struct prefix *);
ovs_be32 prefix_get_ip4(const struct prefix *);
ovs_be32 prefix_get_ip4_mask(const struct prefix *);
struct in6_addr prefix_get_mask(const struct prefix *);

/* The length as written: 0...32 for IPv4, 0...128 for IPv6. */
unsigned int prefix_length(const struct prefix *);

/* True if 'p' is 0.0.0.0/0 or ::/0. */
bool prefix_is_default(const struct prefix *);

bool prefix_contains(const struct prefix *, const struct in6_addr *);
bool prefix_contains_prefix(const struct prefix *outer,
                            const struct prefix *inner);
bool prefix_overlaps(const struct prefix *, const struct prefix *);
bool prefix_equal(const struct prefix *, const struct prefix *);

/* Total order by the bytes of the address, then the shorter prefix first: a
 * prefix comes right before those inside it. */
int prefix_compare(const struct prefix *, const struct prefix *);
uint32_t prefix_hash(const struct prefix *, uint32_t basis);

/* Whether 'addr' may be given to an interface in subnet 'p': inside it, and in
 * an IPv4 subnet shorter than /31 neither its network nor its broadcast
 * address. */
bool prefix_is_usable_host(const struct prefix *p, const struct in6_addr *);

/* The lowest and the highest address that prefix_is_usable_host() accepts. */
struct in6_addr prefix_first_host(const struct prefix *);
struct in6_addr prefix_last_host(const struct prefix *);

/* The highest address in 'p' (IPv4: the broadcast address). */
struct in6_addr prefix_last_addr(const struct prefix *p);

/* The number of usable hosts, at most UINT64_MAX. */
uint64_t prefix_count_hosts(const struct prefix *);

/* Whether no route to 'p' may ever be learned or stated: it lies inside a block
 * that is not unicast space ("this network", loopback, multicast, reserved;
 * IPv6: unspecified, loopback, link-local, multicast).  The default route is
 * not a martian.  IPv4 link-local space (169.254.0.0/16) is not one either:
 * it is a habitual choice for the small subnets of attachments, and sites
 * advertise those to each other. */
bool prefix_is_martian(const struct prefix *);

/* Text. */

void prefix_format(const struct prefix *, struct ds *);
const char *prefix_to_string(const struct prefix *, char buf[PREFIX_STRLEN]);

#endif /* controller/base/prefix.h */
