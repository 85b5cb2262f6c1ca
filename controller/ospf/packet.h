/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_PACKET_H
#define CONTROLLER_OSPF_PACKET_H 1

/* OSPFv2 packets (RFC 2328 appendix A.3).
 *
 * packet_decode() is the door: it validates everything that can be said of a
 * packet without knowing an interface, and hands on typed values in host byte
 * order.  Lists stay bytes, of a length that has been checked, and are walked
 * with the accessors below.  LSAs inside an update are not yet validated one
 * by one, since a wrong one does not spoil the others: packet_next_lsa() gives
 * each with its fault.
 *
 * packet_begin() and packet_end() frame what we send. */

#include "controller/ospf/lsa.h"
#include "controller/ospf/ospf.h"

struct ofpbuf;

enum packet_type {
    PKT_HELLO = 1,
    PKT_DD = 2,                 /* Database description. */
    PKT_LSR = 3,                /* Link state request. */
    PKT_LSU = 4,                /* Link state update. */
    PKT_ACK = 5,                /* Link state acknowledgment. */
};

#define PACKET_HEADER_LEN 24
#define IP_HEADER_LEN_MIN 20
#define PACKET_REQUEST_LEN 12
#define OPTION_E 0x02           /* AS-external-LSAs are wanted. */
#define OPTION_NP 0x08
#define DD_MASTER 0x01
#define DD_MORE 0x02
#define DD_INIT 0x04

struct packet {
    enum packet_type type;
    uint32_t router_id;
    uint32_t area;
    uint16_t auth_type;
    union {
        struct {
            uint32_t mask;
            uint16_t hello_interval;
            uint8_t options;
            uint8_t priority;
            uint32_t dead_interval;
            uint32_t dr, bdr;
        } hello;
        struct {
            uint16_t mtu;
            uint8_t options;
            uint8_t flags;      /* DD_*. */
            uint32_t seq;
        } dd;
    };
    const uint8_t *list;        /* Neighbours, headers, requests or LSAs. */
    size_t list_len;            /* Bytes. */
};

/* Returns OSPF_N_DROPS if the packet is good, otherwise why it is not. */
enum ospf_drop packet_decode(const uint8_t *data, size_t len, struct packet *);

size_t packet_n_neighbors(const struct packet *);
uint32_t packet_neighbor(const struct packet *, size_t i);
size_t packet_n_headers(const struct packet *);
void packet_lsa_header(const struct packet *, size_t i, struct lsa_header *);
size_t packet_n_requests(const struct packet *);
/* False if the type asked for is out of range. */
bool packet_request(const struct packet *, size_t i, struct lsa_key *);

struct packet_lsa_iter {
    const uint8_t *pos;
    size_t left;                /* Bytes. */
};
struct packet_lsa_iter packet_lsas(const struct packet *);
/* False at the end.  On true, 'fault' says whether *data is an LSA. */
bool packet_next_lsa(struct packet_lsa_iter *, const uint8_t **data,
                     uint16_t *length, enum lsa_fault *);

void packet_begin(struct ofpbuf *, enum packet_type, uint32_t router_id,
                  uint32_t area);
void packet_end(struct ofpbuf *);
/* Appends an LSA's header, or all of it, with its age at 'now' plus 'delay'
 * seconds. */
void packet_put_header(struct ofpbuf *, const struct ospf_lsa *,
                       long long int now);
void packet_put_lsa(struct ofpbuf *, const struct ospf_lsa *,
                    long long int now, unsigned int delay);

#endif /* controller/ospf/packet.h */
