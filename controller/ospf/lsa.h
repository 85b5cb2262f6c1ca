/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_LSA_H
#define CONTROLLER_OSPF_LSA_H 1

/* Link state advertisements (RFC 2328 appendix A.4).
 *
 * A "struct ospf_lsa" is one instance of an LSA.  It is validated once, by
 * lsa_check() when it enters from a packet, and after that it is immutable
 * and reference counted: the LSDBs of sibling routers, retransmission lists
 * and actions under way all share it.
 *
 * It keeps the bytes as they travel (network byte order), because flooding
 * sends them and the Fletcher checksum covers them, and it keeps when it had
 * age 0, so that its age at any time needs no update of the object.  The one
 * field of the bytes that never counts is the age itself.
 *
 * Everything these functions return is in host byte order; addresses and
 * router IDs are uint32_t in host byte order everywhere in controller/ospf. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds;

enum ospf_lsa_type {
    OSPF_LSA_ROUTER = 1,
    OSPF_LSA_NETWORK = 2,
    OSPF_LSA_SUMMARY = 3,
    OSPF_LSA_ASBR_SUMMARY = 4,
    OSPF_LSA_EXTERNAL = 5,
};

#define LSA_HEADER_LEN 20
#define LSA_MAX_LEN (65535 - 20 - 28)   /* Behind the headers of an update. */
#define LSA_MAX_AGE 3600                /* Seconds. */
#define LSA_MAX_AGE_DIFF 900             /* Seconds. */
#define LSA_REFRESH_TIME 1800           /* Seconds. */
#define LSA_INFINITY 0xffffff           /* LSInfinity: unreachable. */
#define LSA_SEQ_INITIAL ((int32_t) 0x80000001)
#define LSA_SEQ_MAX ((int32_t) 0x7fffffff)

/* What names an LSA within one flooding scope. */
struct lsa_key {
    uint32_t id;                        /* Link state ID. */
    uint32_t adv;                       /* Advertising router. */
    uint8_t type;
};

/* An LSA header in host byte order, as in DD and acknowledgment packets. */
struct lsa_header {
    struct lsa_key key;
    uint16_t age;                       /* Seconds. */
    uint8_t options;
    int32_t seq;
    uint16_t checksum;
    uint16_t length;                    /* Bytes, header included. */
};

struct ospf_lsa {
    long long int born_ms;              /* When its age was 0. */
    uint32_t n_refs;
    uint16_t length;                    /* Bytes in data[]. */
    bool max_age;                       /* Flushed before its time. */
    uint8_t data[];                     /* Network byte order. */
};

/* Lifetime. */
struct ospf_lsa *lsa_new(const uint8_t *data, uint16_t length, uint16_t age,
                         long long int now);
struct ospf_lsa *lsa_ref(const struct ospf_lsa *);
void lsa_unref(struct ospf_lsa *);
struct ospf_lsa *lsa_clone_max_age(const struct ospf_lsa *);

/* Header accessors. */
struct lsa_key lsa_key(const struct ospf_lsa *);
struct lsa_header lsa_header(const struct ospf_lsa *, long long int now);
uint8_t lsa_type(const struct ospf_lsa *);
uint32_t lsa_id(const struct ospf_lsa *);
uint32_t lsa_adv(const struct ospf_lsa *);
int32_t lsa_seq(const struct ospf_lsa *);
uint16_t lsa_checksum(const struct ospf_lsa *);
uint16_t lsa_age(const struct ospf_lsa *, long long int now);
bool lsa_is_max_age(const struct ospf_lsa *, long long int now);
long long int lsa_max_age_time(const struct ospf_lsa *);

int lsa_key_compare(const struct lsa_key *, const struct lsa_key *);
int lsa_header_compare(const struct lsa_header *, const struct lsa_header *);
bool lsa_body_equal(const struct ospf_lsa *, const struct ospf_lsa *);

void lsa_header_decode(const uint8_t data[LSA_HEADER_LEN],
                       struct lsa_header *);

/* Validation of bytes from outside.  Returns NULL if the 'length' bytes at
 * 'data' are one well-formed LSA, otherwise what is wrong with it. */
enum lsa_fault {
    LSA_OK,
    LSA_SHORT,                          /* Fewer bytes than it says. */
    LSA_BAD_CHECKSUM,
    LSA_BAD_TYPE,                       /* A type that we do not take. */
    LSA_BAD_BODY,                       /* Counts and lengths disagree. */
    LSA_BAD_AGE,                        /* Beyond MaxAge. */
    LSA_BAD_SEQ,                        /* The reserved number. */
};
enum lsa_fault lsa_check(const uint8_t *data, size_t length);
const char *lsa_fault_string(enum lsa_fault);

uint16_t lsa_fletcher(const uint8_t *data, size_t length);
void lsa_seal(uint8_t *data, uint16_t length);

/* Router-LSAs. */
enum router_link_type {
    LINK_P2P = 1,                       /* 'id' is a router ID. */
    LINK_TRANSIT = 2,                   /* 'id' is the DR's address. */
    LINK_STUB = 3,                      /* 'id' is a network, 'data' a mask. */
    LINK_VIRTUAL = 4,
};
struct router_link {
    uint32_t id;
    uint32_t data;
    uint8_t type;                       /* enum router_link_type. */
    uint16_t metric;
};
#define ROUTER_FLAG_B 0x01              /* Area border router. */
#define ROUTER_FLAG_E 0x02              /* AS boundary router. */
#define ROUTER_FLAG_V 0x04              /* Virtual link endpoint. */

struct router_link_iter {
    const uint8_t *pos, *end;
};
uint8_t lsa_router_flags(const struct ospf_lsa *);
struct router_link_iter lsa_router_links(const struct ospf_lsa *);
bool router_link_next(struct router_link_iter *, struct router_link *);

/* Network-LSAs. */
uint32_t lsa_network_mask(const struct ospf_lsa *);
size_t lsa_network_n_routers(const struct ospf_lsa *);
uint32_t lsa_network_router(const struct ospf_lsa *, size_t i);

/* AS-external-LSAs (and, without 'forwarding' and 'tag', summaries). */
struct lsa_external {
    uint32_t prefix;                    /* Link state ID with host bits off. */
    uint8_t plen;                       /* 33: the mask has holes. */
    bool e2;                            /* Type 2 metric. */
    uint32_t metric;
    uint32_t forwarding;
    uint32_t tag;
};
void lsa_external(const struct ospf_lsa *, struct lsa_external *);

/* The contents in words, several lines, as "show ip ospf database" does. */
void ospf_lsa_format(struct ds *, const struct ospf_lsa *,
                     long long int now);
/* One line: type, ID, advertising router, age, sequence, checksum, length. */
void ospf_lsa_format_line(struct ds *, const struct ospf_lsa *,
                          long long int now);
const char *ospf_lsa_type_string(uint8_t type);

#endif /* controller/ospf/lsa.h */
