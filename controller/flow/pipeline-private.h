/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FLOW_PIPELINE_PRIVATE_H
#define CONTROLLER_FLOW_PIPELINE_PRIVATE_H 1

/* What the pipeline's builders share: one flow in the making, matches and
 * actions in the few forms that the pipeline uses, and keys of numbers. */

#include "controller/flow/pipeline.h"
#include "openvswitch/match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofpbuf.h"

/* An object in the making, one flow after the other:
 *
 *     pf_init(&f);
 *     in_u32(&f, ...);                 all that the flows depend on
 *     if (pf_begin(&f, scope, &key)) {
 *         match_...(&f.match, ...);
 *         act_...(&f.acts, ...);
 *         pf_put(&f, table, priority, cookie);
 *         ...
 *         pf_end(&f, delta);
 *     }
 *
 * An object whose inputs are what they were is not made again: this makes it
 * cheap to go through thousands of objects of which few changed. */
struct pf {
    struct scope *scope;
    struct ofpbuf inputs;
    uint64_t inputs_stub[64];
    struct match match;         /* Of the next flow. */
    struct ofpbuf acts;         /* Of the next flow. */
    uint64_t stub[96];
};

void pf_init(struct pf *);
void in_u32(struct pf *, uint32_t);
void in_mac(struct pf *, struct eth_addr);
void in_addr(struct pf *, const struct in6_addr *);
void in_prefix(struct pf *, const struct prefix *);
void in_node(struct pf *, const struct topo_network *,
             const struct topo_node *);
void in_attachment(struct pf *, const struct topo_network *,
                   const struct topo_attachment *);
bool pf_begin(struct pf *, struct scope *, const struct scope_key *);
void pf_end(struct pf *, struct delta *);

/* Adds the flow, and starts the next from nothing. */
void pf_put(struct pf *, enum pl_table, uint16_t priority, uint64_t cookie);

/* Matches. */
void pf_match_network(struct pf *, const struct topo_network *);
void pf_match_ip(struct pf *, const struct in6_addr *family_of);
void pf_match_nw_src(struct pf *, const struct prefix *);
void pf_match_nw_dst(struct pf *, const struct prefix *);
void pf_match_icmp_echo(struct pf *);
void pf_match_arp(struct pf *, uint8_t op);     /* 0: any. */
void pf_match_untagged(struct pf *);

/* Actions. */
void act_reg(struct ofpbuf *, int reg, uint32_t value);
void act_reg_masked(struct ofpbuf *, int reg, uint32_t value, uint32_t mask);
void act_metadata(struct ofpbuf *, uint64_t);
void act_mac(struct ofpbuf *, enum mf_field_id, struct eth_addr);
void act_addr(struct ofpbuf *, enum mf_field_id, const struct in6_addr *);
void act_u8(struct ofpbuf *, enum mf_field_id, uint8_t);
void act_move(struct ofpbuf *, enum mf_field_id src, unsigned int src_ofs,
              enum mf_field_id dst, unsigned int dst_ofs, unsigned int n_bits);
void act_clear_in_port(struct ofpbuf *);
void act_goto(struct ofpbuf *, enum pl_table);      /* Last; only onwards. */
void act_resubmit(struct ofpbuf *, enum pl_table);
void act_output(struct ofpbuf *, uint32_t ofport);
void act_reply(struct ofpbuf *);                    /* Out where it came in. */
void act_group(struct ofpbuf *, uint32_t group_id);
void act_dec_ttl(struct ofpbuf *);
void act_push_vlan(struct ofpbuf *, uint16_t vid);  /* 0: none. */
void act_pop_vlan(struct ofpbuf *, uint16_t vid);   /* 0: none. */
/* Sends a copy to the controller. */
void act_punt_to(struct ofpbuf *, enum pl_punt_reason, uint32_t attachment_id,
                 uint32_t meter_id);

/* The userdata of a controller action is
 *
 *     'T' 'W' version reason attachment(4, network byte order)
 *
 * and the rest is in the registers. */
#define PUNT_VERSION 1
#define PUNT_LEN 8

/* Ends the actions with sending the packet to the punts table. */
void act_punt(struct ofpbuf *, enum pl_punt_reason);
void act_punt_in_bucket(struct ofpbuf *, enum pl_punt_reason);

/* Ends the actions with sending the packet to 'host' by tunnel. */
void act_tunnel(struct ofpbuf *, const struct topo_network *, uint32_t host);

/* Turns an echo request to 'own' into the reply. */
void act_echo_reply(struct ofpbuf *, const struct in6_addr *own);

/* An ARP request becomes the answer that 'mac' has the address asked for. */
void act_arp_answer(struct ofpbuf *, const struct prefix *, struct eth_addr);

/* Groups. */
struct ofputil_bucket *bucket_add(struct ovs_list *, uint32_t watch_group,
                                  uint32_t watch_port,
                                  const struct ofpbuf *acts);

/* What numbers are for. */
enum id_class {
    ID_PATH_SET = 1,            /* Group of a path set. */
    ID_SHARE,                   /* Select group of one tier of it. */
    ID_WAY,                     /* Group that lives while the way lives. */
    ID_WAY_OUT,                 /* Group by which packets leave. */
    ID_METER_NETWORK,
    ID_METER_PUNTS,
    ID_METER_ARP,
    ID_METER_OSPF,
};
uint32_t group_number(struct scope *, enum id_class,
                      const struct topo_network *, uint32_t object,
                      uint32_t without, uint32_t tier);
uint32_t meter_number(struct scope *, enum id_class, uint32_t object);

/* Ranks of groups (struct dgroup). */
enum { RANK_WAY, RANK_OUT, RANK_SHARE, RANK_PATH_SET };

/* The parts of pl_host() that each file knows about. */
void base_ingress(struct pf *, uint32_t tunnel_ofport);
void base_switching(struct pf *);
void base_router(struct pf *);
void base_ways(struct pf *);
void base_delivery(struct pf *);

/* A port by which packets come from other hosts. */
void put_tunnel_ingress(struct pf *, uint32_t ofport, uint64_t cookie);

/* What has 'mac' is at 'host'; nowhere (0) has the other cookie. */
void put_delivery(struct pf *, const struct topo_network *, struct eth_addr,
                  uint32_t host, uint64_t cookie, uint64_t absent_cookie);

/* A router's own address, which object 'id' of 'kind' has. */
void put_own_address(struct pf *, const struct topo_router *,
                     const struct in6_addr *, uint8_t kind, uint32_t id);

/* The frames of an attachment: in_port and VLAN. */
void match_attachment(struct pf *, const struct topo_attachment *,
                      uint32_t ofport);
/* What is known of packets that enter by it, without punting them. */
void act_entered(struct ofpbuf *, const struct topo_network *,
                 const struct topo_attachment *);

/* What a way's neighbour sends, on the host that has the attachment. */
void put_way_sender(struct pf *, const struct topo_network *,
                    const struct pl_way *, const struct pl_way_here *);

#endif /* controller/flow/pipeline-private.h */
