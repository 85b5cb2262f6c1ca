/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ENGINE_FRAMES_H
#define CONTROLLER_ENGINE_FRAMES_H 1

/* Frames that the controller itself sends, and a careful look at those that it
 * gets: ARP (RFC 826), ICMP errors (RFC 792, RFC 1812 section 4.3.2) and OSPF
 * in IPv4.
 *
 * A frame is an ofpbuf without VLAN tag; tags are pushed by the actions that
 * send it.  Whoever calls a frame_compose_*() function owns the result.
 * Addresses are in network byte order. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

struct ofpbuf;

/* A packet-out of more than this is dropped by ovs-vswitchd without a word. */
#define FRAME_MAX 1514

/* A parsed frame: pointers into the bytes that were parsed. */
struct frame {
    struct eth_addr src, dst;
    uint16_t eth_type;          /* Host byte order. */

    /* ETH_TYPE_ARP. */
    uint16_t arp_op;            /* Host byte order. */
    ovs_be32 arp_spa, arp_tpa;
    struct eth_addr arp_sha;

    /* ETH_TYPE_IP. */
    ovs_be32 ip_src, ip_dst;
    uint8_t ip_proto, ip_ttl;
    bool fragment;              /* Any fragment, the first one too. */
    bool later_fragment;        /* Not the first. */
    const uint8_t *ip;          /* The IP header... */
    size_t ip_len;              /* ...and its total length, trailer cut. */
    const uint8_t *payload;     /* Behind the IP header. */
    size_t payload_len;
};

/* False if 'bytes' is not a well-formed frame of one of the two types, or its
 * IP header's checksum is wrong.  One VLAN tag is skipped. */
bool frame_parse(const void *bytes, size_t len, struct frame *);

struct ofpbuf *frame_compose_arp(uint16_t op, struct eth_addr eth_dst,
                                 struct eth_addr sha, ovs_be32 spa,
                                 struct eth_addr tha, ovs_be32 tpa);

/* An ICMP error about 'about', from 'src'.  NULL where none may be sent: about
 * a later fragment, an ICMP error, a broadcast or multicast, a source that is
 * not one host.  'eth_src' and 'eth_dst' are of the frame. */
struct ofpbuf *frame_compose_icmp_error(const struct frame *about,
                                        uint8_t type, uint8_t code,
                                        ovs_be32 src, struct eth_addr eth_src,
                                        struct eth_addr eth_dst);

/* OSPF packet 'data' as one frame, or as IP fragments if it exceeds 'mtu'
 * (octets of IP packet): calls 'cb' with each frame, which it then owns.  'id'
 * is the IP identification. */
void frame_compose_ospf(const void *data, size_t len, uint16_t mtu,
                        uint16_t id, struct eth_addr eth_src,
                        struct eth_addr eth_dst, ovs_be32 src, ovs_be32 dst,
                        void (*cb)(struct ofpbuf *frame, void *aux),
                        void *aux);

/* Destination MAC of a multicast group (RFC 1112 section 6.4). */
struct eth_addr frame_multicast_mac(ovs_be32 group);

#endif /* controller/engine/frames.h */
