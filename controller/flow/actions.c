/* SPDX-License-Identifier: Apache-2.0 */

/* Matches and actions in the forms that the pipeline uses.
 *
 * Of several ways to say the same, these come back from a bridge in a form that
 * is recognised cheaply: set_field for every constant, and a move only where a
 * value is copied from one field to another. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include "byte-order.h"
#include "flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/packets.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"

/* Matches. */

void
pf_match_network(struct pf *f, const struct topo_network *net)
{
    match_set_metadata(&f->match, htonll(net->vni));
}

void
pf_match_ip(struct pf *f, const struct in6_addr *family_of)
{
    match_set_dl_type(&f->match, (addr_is_v4(family_of)
                                  ? htons(ETH_TYPE_IP)
                                  : htons(ETH_TYPE_IPV6)));
}

void
pf_match_nw_src(struct pf *f, const struct prefix *p)
{
    pf_match_ip(f, &p->addr);
    if (prefix_is_v4(p)) {
        match_set_nw_src_masked(&f->match, prefix_get_ip4(p),
                                prefix_get_ip4_mask(p));
    } else {
        struct in6_addr mask = prefix_get_mask(p);

        match_set_ipv6_src_masked(&f->match, &p->addr, &mask);
    }
}

void
pf_match_nw_dst(struct pf *f, const struct prefix *p)
{
    pf_match_ip(f, &p->addr);
    if (prefix_is_v4(p)) {
        match_set_nw_dst_masked(&f->match, prefix_get_ip4(p),
                                prefix_get_ip4_mask(p));
    } else {
        struct in6_addr mask = prefix_get_mask(p);

        match_set_ipv6_dst_masked(&f->match, &p->addr, &mask);
    }
}

/* After the family is known. */
void
pf_match_icmp_echo(struct pf *f)
{
    bool v4 = f->match.flow.dl_type == htons(ETH_TYPE_IP);

    match_set_nw_proto(&f->match, v4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);
    match_set_icmp_type(&f->match, v4 ? ICMP4_ECHO_REQUEST
                                      : ICMP6_ECHO_REQUEST);
    match_set_icmp_code(&f->match, 0);
}

void
pf_match_arp(struct pf *f, uint8_t op)
{
    match_set_dl_type(&f->match, htons(ETH_TYPE_ARP));
    if (op) {
        match_set_nw_proto(&f->match, op);
    }
}

void
pf_match_untagged(struct pf *f)
{
    match_set_dl_tci(&f->match, htons(0));
}

/* Actions. */

static void
act_set(struct ofpbuf *acts, enum mf_field_id id, const void *value,
        const void *mask)
{
    ofpact_put_set_field(acts, mf_from_id(id), value, mask);
}

void
act_reg(struct ofpbuf *acts, int reg, uint32_t value)
{
    ovs_be32 v = htonl(value);

    act_set(acts, MFF_REG0 + reg, &v, NULL);
}

void
act_reg_masked(struct ofpbuf *acts, int reg, uint32_t value, uint32_t mask)
{
    ovs_be32 v = htonl(value), m = htonl(mask);

    act_set(acts, MFF_REG0 + reg, &v, &m);
}

void
act_metadata(struct ofpbuf *acts, uint64_t value)
{
    ovs_be64 v = htonll(value);

    act_set(acts, MFF_METADATA, &v, NULL);
}

void
act_mac(struct ofpbuf *acts, enum mf_field_id id, struct eth_addr mac)
{
    act_set(acts, id, &mac, NULL);
}

/* For the IPv4 fields an IPv4 address, for the IPv6 fields an IPv6 one. */
void
act_addr(struct ofpbuf *acts, enum mf_field_id id,
         const struct in6_addr *addr)
{
    if (mf_from_id(id)->n_bytes == 4) {
        ovs_be32 ip = addr_get_ip4(addr);

        act_set(acts, id, &ip, NULL);
    } else {
        act_set(acts, id, addr, NULL);
    }
}

void
act_u8(struct ofpbuf *acts, enum mf_field_id id, uint8_t value)
{
    act_set(acts, id, &value, NULL);
}

void
act_move(struct ofpbuf *acts, enum mf_field_id src, unsigned int src_ofs,
         enum mf_field_id dst, unsigned int dst_ofs, unsigned int n_bits)
{
    struct ofpact_reg_move *move = ofpact_put_REG_MOVE(acts);

    move->src.field = mf_from_id(src);
    move->src.ofs = src_ofs;
    move->src.n_bits = n_bits;
    move->dst.field = mf_from_id(dst);
    move->dst.ofs = dst_ofs;
    move->dst.n_bits = n_bits;
}

/* Output to the port that a packet came from does nothing.  Once a packet has
 * been routed, that port is as good as any other. */
void
act_clear_in_port(struct ofpbuf *acts)
{
    ovs_be16 none = htons(0xffff);      /* OFPP_NONE. */

    act_set(acts, MFF_IN_PORT, &none, NULL);
}

void
act_goto(struct ofpbuf *acts, enum pl_table table)
{
    ofpact_put_GOTO_TABLE(acts)->table_id = table;
}

void
act_resubmit(struct ofpbuf *acts, enum pl_table table)
{
    struct ofpact_resubmit *resubmit = ofpact_put_RESUBMIT(acts);

    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = table;
}

void
act_output(struct ofpbuf *acts, uint32_t ofport)
{
    ofpact_put_OUTPUT(acts)->port = u16_to_ofp(ofport);
}

void
act_reply(struct ofpbuf *acts)
{
    ofpact_put_OUTPUT(acts)->port = OFPP_IN_PORT;
}

void
act_group(struct ofpbuf *acts, uint32_t group_id)
{
    ofpact_put_GROUP(acts)->group_id = group_id;
}

void
act_dec_ttl(struct ofpbuf *acts)
{
    struct ofpact_cnt_ids *ids = ofpact_put_DEC_TTL(acts);
    uint16_t id = 0;

    ids->n_controllers = 1;
    ofpbuf_put(acts, &id, sizeof id);
    ids = acts->header;
    ofpact_finish_DEC_TTL(acts, &ids);
}

void
act_push_vlan(struct ofpbuf *acts, uint16_t vid)
{
    if (vid) {
        ovs_be16 tci = htons(vid | VLAN_CFI);

        ofpact_put_PUSH_VLAN(acts)->ethertype = htons(ETH_TYPE_VLAN_8021Q);
        act_set(acts, MFF_VLAN_VID, &tci, NULL);
    }
}

void
act_pop_vlan(struct ofpbuf *acts, uint16_t vid)
{
    if (vid) {
        ofpact_put_STRIP_VLAN(acts);
    }
}

void
act_punt_to(struct ofpbuf *acts, enum pl_punt_reason reason,
            uint32_t attachment_id, uint32_t meter_id)
{
    struct ofpact_controller *oc = ofpact_put_CONTROLLER(acts);
    uint8_t userdata[PUNT_LEN] = { 'T', 'W', PUNT_VERSION, reason };

    put_unaligned_be32((ovs_be32 *) (void *) (userdata + 4),
                       htonl(attachment_id));
    oc->max_len = UINT16_MAX;
    oc->controller_id = 0;
    oc->reason = OFPR_ACTION;
    oc->meter_id = meter_id ? meter_id : NX_CTLR_NO_METER;
    oc->userdata_len = sizeof userdata;
    ofpbuf_put(acts, userdata, sizeof userdata);
    oc = acts->header;
    ofpact_finish_CONTROLLER(acts, &oc);
}

/* Packets for the controller get their reason here and their meter there. */
void
act_punt(struct ofpbuf *acts, enum pl_punt_reason reason)
{
    act_reg(acts, PL_REG_PUNT, reason);
    act_goto(acts, PL_PUNTS);
}

void
act_punt_in_bucket(struct ofpbuf *acts, enum pl_punt_reason reason)
{
    act_reg(acts, PL_REG_PUNT, reason);
    act_resubmit(acts, PL_PUNTS);
}

void
act_tunnel(struct ofpbuf *acts, const struct topo_network *net, uint32_t host)
{
    ovs_be64 tun_id = htonll(net->vni);

    act_set(acts, MFF_TUN_ID, &tun_id, NULL);
    act_reg(acts, PL_REG_HOST, host);
    act_goto(acts, PL_TUNNELS);
}

void
act_echo_reply(struct ofpbuf *acts, const struct in6_addr *own)
{
    if (addr_is_v4(own)) {
        act_move(acts, MFF_IPV4_SRC, 0, MFF_IPV4_DST, 0, 32);
        act_addr(acts, MFF_IPV4_SRC, own);
        act_u8(acts, MFF_ICMPV4_TYPE, ICMP4_ECHO_REPLY);
    } else {
        act_move(acts, MFF_IPV6_SRC, 0, MFF_IPV6_DST, 0, 128);
        act_addr(acts, MFF_IPV6_SRC, own);
        act_u8(acts, MFF_ICMPV6_TYPE, ICMP6_ECHO_REPLY);
    }
    act_u8(acts, MFF_IP_TTL, 64);
}

void
act_arp_answer(struct ofpbuf *acts, const struct prefix *p,
               struct eth_addr mac)
{
    bool one = prefix_length(p) == 32;
    ovs_be16 op = htons(ARP_OP_REPLY);

    act_move(acts, MFF_ETH_SRC, 0, MFF_ETH_DST, 0, 48);
    act_mac(acts, MFF_ETH_SRC, mac);
    act_set(acts, MFF_ARP_OP, &op, NULL);
    act_move(acts, MFF_ARP_SHA, 0, MFF_ARP_THA, 0, 48);
    act_mac(acts, MFF_ARP_SHA, mac);
    if (!one) {
        act_move(acts, MFF_ARP_TPA, 0, MFF_REG0 + PL_REG_SCRATCH, 0, 32);
    }
    act_move(acts, MFF_ARP_SPA, 0, MFF_ARP_TPA, 0, 32);
    if (one) {
        act_addr(acts, MFF_ARP_SPA, &p->addr);
    } else {
        act_move(acts, MFF_REG0 + PL_REG_SCRATCH, 0, MFF_ARP_SPA, 0, 32);
    }
}

/* Groups. */

struct ofputil_bucket *
bucket_add(struct ovs_list *buckets, uint32_t watch_group,
           uint32_t watch_port, const struct ofpbuf *acts)
{
    struct ofputil_bucket *bucket = xzalloc(sizeof *bucket);

    bucket->watch_port = u16_to_ofp(watch_port ? watch_port
                                               : ofp_to_u16(OFPP_ANY));
    bucket->watch_group = watch_group ? watch_group : OFPG_ANY;
    bucket->bucket_id = ovs_list_size(buckets);
    if (acts && acts->size) {
        bucket->ofpacts = xmemdup(acts->data, acts->size);
        bucket->ofpacts_len = acts->size;
    }
    ovs_list_push_back(buckets, &bucket->list_node);
    return bucket;
}

/* Packets that Tollway sends. */

void
pl_actions_attachment(struct ofpbuf *acts, const struct topo_attachment *att,
                      uint32_t ofport)
{
    act_push_vlan(acts, att->vlan);
    act_output(acts, ofport);
}

void
pl_actions_routed(struct ofpbuf *acts, const struct topo_network *net,
                  size_t router)
{
    act_metadata(acts, net->vni);
    act_reg(acts, PL_REG_HOLDER, net->routers[router].id);
    act_resubmit(acts, PL_ROUTES);
}
