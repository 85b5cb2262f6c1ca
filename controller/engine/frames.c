/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/frames.h"

#include <string.h>
#include "csum.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* IP Precedence "internetwork control", as RFC 2328 appendix A.1 asks. */
#define OSPF_TOS 0xc0

static bool
parse_arp(const uint8_t *p, size_t len, struct frame *f)
{
    struct arp_eth_header arp;

    if (len < ARP_ETH_HEADER_LEN) {
        return false;
    }
    memcpy(&arp, p, sizeof arp);
    if (arp.ar_hrd != htons(ARP_HRD_ETHERNET) || arp.ar_pro != htons(ETH_TYPE_IP)
        || arp.ar_hln != ETH_ADDR_LEN || arp.ar_pln != 4) {
        return false;
    }
    f->arp_op = ntohs(arp.ar_op);
    f->arp_spa = get_16aligned_be32(&arp.ar_spa);
    f->arp_tpa = get_16aligned_be32(&arp.ar_tpa);
    f->arp_sha = arp.ar_sha;
    return true;
}

static bool
parse_ip(const uint8_t *p, size_t len, struct frame *f)
{
    struct ip_header ip;

    if (len < IP_HEADER_LEN) {
        return false;
    }
    memcpy(&ip, p, sizeof ip);
    size_t ihl = IP_IHL(ip.ip_ihl_ver) * 4;
    size_t tot_len = ntohs(ip.ip_tot_len);
    if (IP_VER(ip.ip_ihl_ver) != 4 || ihl < IP_HEADER_LEN || tot_len < ihl
        || tot_len > len || csum(p, ihl)) {
        return false;
    }
    f->ip_src = get_16aligned_be32(&ip.ip_src);
    f->ip_dst = get_16aligned_be32(&ip.ip_dst);
    f->ip_proto = ip.ip_proto;
    f->ip_ttl = ip.ip_ttl;
    f->fragment = IP_IS_FRAGMENT(ip.ip_frag_off);
    f->later_fragment = (ip.ip_frag_off & htons(IP_FRAG_OFF_MASK)) != 0;
    f->ip = p;
    f->ip_len = tot_len;
    f->payload = p + ihl;
    f->payload_len = tot_len - ihl;
    return true;
}

bool
frame_parse(const void *bytes, size_t len, struct frame *f)
{
    const uint8_t *p = bytes;
    struct eth_header eth;

    memset(f, 0, sizeof *f);
    if (len < sizeof eth) {
        return false;
    }
    memcpy(&eth, p, sizeof eth);
    p += sizeof eth;
    len -= sizeof eth;
    f->src = eth.eth_src;
    f->dst = eth.eth_dst;
    f->eth_type = ntohs(eth.eth_type);
    if (f->eth_type == ETH_TYPE_VLAN_8021Q) {
        if (len < VLAN_HEADER_LEN) {
            return false;
        }
        f->eth_type = ((uint16_t) p[2] << 8) | p[3];
        p += VLAN_HEADER_LEN;
        len -= VLAN_HEADER_LEN;
    }
    switch (f->eth_type) {
    case ETH_TYPE_ARP:
        return parse_arp(p, len, f);
    case ETH_TYPE_IP:
        return parse_ip(p, len, f);
    default:
        return false;
    }
}

static void
put_eth(struct ofpbuf *b, struct eth_addr dst, struct eth_addr src,
        uint16_t type)
{
    struct eth_header *eth = ofpbuf_put_zeros(b, sizeof *eth);

    eth->eth_dst = dst;
    eth->eth_src = src;
    eth->eth_type = htons(type);
}

static void
put_ip(struct ofpbuf *b, size_t payload_len, uint8_t tos, uint8_t ttl,
       uint8_t proto, ovs_be16 id, ovs_be16 frag_off, ovs_be32 src,
       ovs_be32 dst)
{
    struct ip_header *ip = ofpbuf_put_zeros(b, sizeof *ip);

    ip->ip_ihl_ver = IP_IHL_VER(IP_HEADER_LEN / 4, 4);
    ip->ip_tos = tos;
    ip->ip_tot_len = htons(IP_HEADER_LEN + payload_len);
    ip->ip_id = id;
    ip->ip_frag_off = frag_off;
    ip->ip_ttl = ttl;
    ip->ip_proto = proto;
    put_16aligned_be32(&ip->ip_src, src);
    put_16aligned_be32(&ip->ip_dst, dst);
    ip->ip_csum = csum(ip, sizeof *ip);
}

struct ofpbuf *
frame_compose_arp(uint16_t op, struct eth_addr eth_dst, struct eth_addr sha,
                  ovs_be32 spa, struct eth_addr tha, ovs_be32 tpa)
{
    struct ofpbuf *b = ofpbuf_new(ETH_HEADER_LEN + ARP_ETH_HEADER_LEN);
    put_eth(b, eth_dst, sha, ETH_TYPE_ARP);

    struct arp_eth_header *arp = ofpbuf_put_zeros(b, sizeof *arp);
    arp->ar_hrd = htons(ARP_HRD_ETHERNET);
    arp->ar_pro = htons(ETH_TYPE_IP);
    arp->ar_hln = ETH_ADDR_LEN;
    arp->ar_pln = 4;
    arp->ar_op = htons(op);
    arp->ar_sha = sha;
    put_16aligned_be32(&arp->ar_spa, spa);
    arp->ar_tha = tha;
    put_16aligned_be32(&arp->ar_tpa, tpa);
    return b;
}

/* RFC 1122 section 3.2.2: what never causes an ICMP error. */
static bool
deserves_icmp_error(const struct frame *f)
{
    uint32_t src = ntohl(f->ip_src);

    if (f->eth_type != ETH_TYPE_IP || f->later_fragment
        || eth_addr_is_multicast(f->dst) || ip_is_multicast(f->ip_dst)
        || f->ip_dst == htonl(UINT32_MAX)
        || !src || src >= 0xe0000000 || (src >> 24) == 127) {
        return false;
    }
    if (f->ip_proto == IPPROTO_ICMP) {
        /* Only queries may be answered. */
        uint8_t type = f->payload_len ? f->payload[0] : 0;
        return f->payload_len
               && (type == ICMP4_ECHO_REQUEST || type == ICMP4_ECHO_REPLY
                   || type == ICMP4_TIMESTAMP);
    }
    return true;
}

struct ofpbuf *
frame_compose_icmp_error(const struct frame *about, uint8_t type, uint8_t code,
                         ovs_be32 src, struct eth_addr eth_src,
                         struct eth_addr eth_dst)
{
    if (!deserves_icmp_error(about)) {
        return NULL;
    }

    /* As much of the packet as fits in 576 octets (RFC 1812 4.3.2.3). */
    size_t quoted = MIN(about->ip_len, 576 - IP_HEADER_LEN - ICMP_HEADER_LEN);
    struct ofpbuf *b = ofpbuf_new(ETH_HEADER_LEN + 576);
    put_eth(b, eth_dst, eth_src, ETH_TYPE_IP);
    put_ip(b, ICMP_HEADER_LEN + quoted, OSPF_TOS, 255, IPPROTO_ICMP, 0,
           htons(IP_DONT_FRAGMENT), src, about->ip_src);

    struct icmp_header *icmp = ofpbuf_put_zeros(b, ICMP_HEADER_LEN);
    icmp->icmp_type = type;
    icmp->icmp_code = code;
    size_t ofs = b->size - ICMP_HEADER_LEN;
    ofpbuf_put(b, about->ip, quoted);
    icmp = ofpbuf_at_assert(b, ofs, ICMP_HEADER_LEN);
    icmp->icmp_csum = csum(icmp, ICMP_HEADER_LEN + quoted);
    return b;
}

void
frame_compose_ospf(const void *data, size_t len, uint16_t mtu, uint16_t id,
                   struct eth_addr eth_src, struct eth_addr eth_dst,
                   ovs_be32 src, ovs_be32 dst,
                   void (*cb)(struct ofpbuf *, void *), void *aux)
{
    size_t limit = MIN(mtu, FRAME_MAX - ETH_HEADER_LEN) - IP_HEADER_LEN;
    size_t step = len <= limit ? len : ROUND_DOWN(limit, 8);
    size_t ofs = 0;

    do {
        size_t n = MIN(step, len - ofs);
        bool more = ofs + n < len;
        struct ofpbuf *b = ofpbuf_new(ETH_HEADER_LEN + IP_HEADER_LEN + n);

        put_eth(b, eth_dst, eth_src, ETH_TYPE_IP);
        put_ip(b, n, OSPF_TOS, 1, 89, htons(id),
               htons((ofs / 8) | (more ? IP_MORE_FRAGMENTS : 0)), src, dst);
        ofpbuf_put(b, (const uint8_t *) data + ofs, n);
        cb(b, aux);
        ofs += n;
    } while (ofs < len);
}

struct eth_addr
frame_multicast_mac(ovs_be32 group)
{
    uint32_t g = ntohl(group);

    return (struct eth_addr) {
        .ea = { 0x01, 0x00, 0x5e, (g >> 16) & 0x7f, (g >> 8) & 0xff, g & 0xff }
    };
}
