/* SPDX-License-Identifier: Apache-2.0 */

/* Simulated switch: what flows and groups do to a packet.
 *
 * A packet is kept twice: as it came in (bytes) and as a "struct flow" that
 * actions change.  Bytes are made from the two when the packet leaves, as the
 * datapath does.  Translation is a recursion over actions, like OVS's. */

#include <config.h>
#include "tests/sim/simswitch-private.h"

#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "hash.h"
#include "nx-match.h"
#include "openvswitch/meta-flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

#define XLATE_MAX_DEPTH 64
#define XLATE_MAX_RESUBMITS (XLATE_MAX_DEPTH * XLATE_MAX_DEPTH)
#define XLATE_MAX_LIVENESS_DEPTH 128
#define BFD_DEST_PORT 3784
#define ETH_FRAME_LEN_MAX 1514  /* Of a packet-out, measured. */

struct xlate {
    struct simswitch *sw;
    const struct simpkt *in;
    struct dp_packet *packet;   /* As it came in. */
    struct flow orig;           /* As it came in. */
    struct flow flow;           /* As it is now. */
    struct simresult *result;
    unsigned int flags;         /* SIMSWITCH_*. */

    uint8_t table_id;
    ovs_be64 cookie;            /* Of the flow being executed. */
    int depth, resubmits;
    bool exit;
    bool metered;               /* A meter has dropped the packet. */
    bool in_packet_out, in_action_set, in_group;
    struct ofpbuf action_set;   /* ofpacts. */
    struct ofpbuf stack;
    struct flow_wildcards wc;   /* Scratch for functions that want one. */
};

static void do_actions(struct xlate *, const struct ofpact *, size_t len);

static void OVS_PRINTF_FORMAT(2, 3)
trace(struct xlate *x, const char *format, ...)
{
    va_list args;

    if (!(x->flags & SIMSWITCH_TRACE)) {
        return;
    }
    ds_put_char_multiple(&x->result->trace, ' ', 4 + 2 * x->depth);
    va_start(args, format);
    ds_put_format_valist(&x->result->trace, format, args);
    va_end(args);
    ds_put_char(&x->result->trace, '\n');
}

static void
drop(struct xlate *x, const char *why)
{
    x->result->drop = why;
    trace(x, "-> %s", why);
}

static void
fail(struct xlate *x, const char *why)
{
    x->result->error = why;
    trace(x, "-> error: %s", why);
}

static size_t
current_size(const struct xlate *x)
{
    size_t size = dp_packet_size(x->packet);

    for (int i = 0; i < FLOW_MAX_VLAN_HEADERS; i++) {
        size += (!!(x->flow.vlans[i].tci & htons(VLAN_CFI))
                 - !!(x->orig.vlans[i].tci & htons(VLAN_CFI)))
                * VLAN_HEADER_LEN;
    }
    return size;
}

/* Output. */

static void
output_to_port(struct xlate *x, ofp_port_t ofp_port)
{
    struct simport *port = simswitch_port(x->sw, ofp_port);
    struct simresult *r = x->result;
    struct simpkt *out;

    if (!port) {
        drop(x, "output to a port that does not exist");
        return;
    }
    if (x->metered) {
        drop(x, "dropped by a meter");
        return;
    }

    ovs_be32 remote = 0;
    if (port->kind != SIMPORT_PLAIN) {
        remote = (port->kind == SIMPORT_TUNNEL_FIXED ? port->remote
                  : x->flow.tunnel.ip_dst);
        if (!remote) {
            drop(x, "output to a tunnel without destination");
            return;
        } else if (remote == x->orig.tunnel.ip_dst) {
            drop(x, "not tunneling to our own address");
            return;
        }
    }
    if (r->n_outs >= r->allocated_outs) {
        r->outs = x2nrealloc(r->outs, &r->allocated_outs, sizeof *r->outs);
    }
    out = &r->outs[r->n_outs++];
    memset(out, 0, sizeof *out);
    out->port = ofp_port;
    out->tun_remote = remote;
    out->tun_id = remote ? ntohll(x->flow.tunnel.tun_id) : 0;
    simpkt_rewrite(out, x->packet, &x->orig, &x->flow);
    if (!(x->flags & SIMSWITCH_PROBE)) {
        port->n_tx++;
    }
    trace(x, "-> output to %s", port->name);
}

static void
punt(struct xlate *x, enum ofp_packet_in_reason reason, uint32_t meter_id,
     const uint8_t *userdata, size_t userdata_len)
{
    struct simresult *r = x->result;
    struct simpunt *p;

    if (x->metered) {
        drop(x, "dropped by a meter");
        return;
    }
    if (meter_id != NX_CTLR_NO_METER && !(x->flags & SIMSWITCH_PROBE)
        && !simswitch_meter_passes(x->sw, meter_id, current_size(x))) {
        drop(x, "packet-in dropped by its meter");
        return;
    }
    if (r->n_punts >= r->allocated_punts) {
        r->punts = x2nrealloc(r->punts, &r->allocated_punts,
                              sizeof *r->punts);
    }
    p = &r->punts[r->n_punts++];
    memset(p, 0, sizeof *p);
    simpkt_rewrite(&p->pkt, x->packet, &x->orig, &x->flow);
    p->pkt.port = x->flow.in_port.ofp_port;
    p->md = x->flow;
    p->reason = reason;
    p->table_id = x->table_id;
    p->cookie = x->cookie;
    p->userdata = xmemdup(userdata, userdata_len);
    p->userdata_len = userdata_len;
    p->meter_id = meter_id == NX_CTLR_NO_METER ? 0 : meter_id;
    trace(x, "-> to controller");
}

static void
output(struct xlate *x, ofp_port_t port)
{
    if (port == OFPP_IN_PORT) {
        output_to_port(x, x->flow.in_port.ofp_port);
    } else if (port == OFPP_CONTROLLER) {
        punt(x, (x->in_packet_out ? OFPR_PACKET_OUT
                 : x->in_group ? OFPR_GROUP
                 : x->in_action_set ? OFPR_ACTION_SET : OFPR_ACTION),
             NX_CTLR_NO_METER, NULL, 0);
    } else if (port == OFPP_TABLE || port == OFPP_NORMAL || port == OFPP_FLOOD
               || port == OFPP_ALL) {
        x->sw->n_unsupported++;
        drop(x, "output to a reserved port that is not simulated");
    } else if (port == x->flow.in_port.ofp_port) {
        drop(x, "output to the port it came from");
    } else if (port != OFPP_NONE) {
        output_to_port(x, port);
    }
}

/* Tables. */

static bool
may_go_deeper(struct xlate *x)
{
    if (x->depth >= XLATE_MAX_DEPTH) {
        fail(x, "translation too deep");
    } else if (x->resubmits >= XLATE_MAX_RESUBMITS) {
        fail(x, "too many resubmits");
    } else {
        return true;
    }
    return false;
}

static struct simflow *
lookup(struct xlate *x, uint8_t table_id, ofp_port_t in_port)
{
    ofp_port_t old_in_port = x->flow.in_port.ofp_port;
    ovs_be16 tp_src = x->flow.tp_src;
    ovs_be16 tp_dst = x->flow.tp_dst;
    const struct simflow *rival;
    struct simflow *flow;

    if (table_id >= SIM_N_TABLES) {
        return NULL;
    }
    x->flow.in_port.ofp_port = in_port;
    if (x->flow.nw_frag & FLOW_NW_FRAG_ANY) {
        x->flow.tp_src = x->flow.tp_dst = 0;
    }
    flow = simtable_lookup(&x->sw->tables[table_id], &x->flow, &rival);
    x->flow.in_port.ofp_port = old_in_port;
    x->flow.tp_src = tp_src;
    x->flow.tp_dst = tp_dst;
    if (rival) {
        x->result->ambiguous = true;
        trace(x, "table %d: cookies %#"PRIx64" and %#"PRIx64" both match "
              "with priority %d", table_id, ntohll(flow->cookie),
              ntohll(rival->cookie), flow->priority);
    }
    return flow;
}

static void
trace_flow(struct xlate *x, const struct simflow *flow, uint8_t table_id)
{
    if (x->flags & SIMSWITCH_TRACE) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct ofpact_format_params fp = { .s = &s };

        if (flow) {
            minimatch_format(&flow->match, NULL, NULL, &s, flow->priority);
            ds_put_format(&s, ", cookie %#"PRIx64": ", ntohll(flow->cookie));
            ofpacts_format(flow->ofpacts, flow->ofpacts_len, &fp);
        } else {
            ds_put_cstr(&s, "no match");
        }
        trace(x, "%d. %s", table_id, ds_cstr(&s));
        ds_destroy(&s);
    }
}

/* Executes the actions of 'flow' (null: no match), found in 'table_id'. */
static void
do_flow(struct xlate *x, struct simflow *flow, uint8_t table_id)
{
    uint8_t old_table_id = x->table_id;
    ovs_be64 old_cookie = x->cookie;
    bool old_in_group = x->in_group;

    trace_flow(x, flow, table_id);
    x->result->last_table = table_id;
    x->result->last_cookie = flow ? flow->cookie : 0;
    if (!flow) {
        drop(x, "no match");
        return;
    }
    if (!(x->flags & SIMSWITCH_PROBE)) {
        flow->n_packets++;
        flow->n_bytes += current_size(x);
    }
    x->table_id = table_id;
    x->cookie = flow->cookie;
    x->in_group = false;
    if (!flow->ofpacts_len) {
        drop(x, "drop");
    }
    do_actions(x, flow->ofpacts, flow->ofpacts_len);
    x->table_id = old_table_id;
    x->cookie = old_cookie;
    x->in_group = old_in_group;
}

static void
do_table(struct xlate *x, uint8_t table_id, ofp_port_t in_port)
{
    int old_depth = x->depth;

    if (may_go_deeper(x)) {
        x->resubmits++;
        x->depth += table_id <= x->table_id;
        x->result->max_depth = MAX(x->result->max_depth, x->depth);
        do_flow(x, lookup(x, table_id, in_port), table_id);
        x->depth = old_depth;
    }
}

static void
do_resubmit(struct xlate *x, const struct ofpact_resubmit *resubmit)
{
    ofp_port_t in_port = resubmit->in_port;

    do_table(x, resubmit->table_id == 255 ? x->table_id : resubmit->table_id,
             in_port == OFPP_IN_PORT ? x->flow.in_port.ofp_port : in_port);
}

/* Groups. */

static const struct ofputil_bucket *first_live_bucket(
    const struct xlate *, const struct simgroup *, int depth);

static bool
bucket_is_alive(const struct xlate *x, const struct simgroup *group,
                const struct ofputil_bucket *bucket, int depth)
{
    if (depth >= XLATE_MAX_LIVENESS_DEPTH) {
        return false;
    }
    if (group->type == OFPGT11_SELECT && !bucket->weight) {
        return false;
    }
    if (!ofputil_bucket_has_liveness(bucket)) {
        return true;
    }
    if (bucket->watch_port == OFPP_CONTROLLER) {
        return true;
    }
    if (bucket->watch_port != OFPP_ANY) {
        const struct simport *port = simswitch_port(x->sw,
                                                    bucket->watch_port);

        if (port && simport_is_alive(port)) {
            return true;
        }
    }
    if (bucket->watch_group != OFPG_ANY) {
        const struct simgroup *watched = simswitch_group(x->sw,
                                                         bucket->watch_group);

        return watched && first_live_bucket(x, watched, depth + 1);
    }
    return false;
}

static const struct ofputil_bucket *
first_live_bucket(const struct xlate *x, const struct simgroup *group,
                  int depth)
{
    const struct ofputil_bucket *bucket;

    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        if (bucket_is_alive(x, group, bucket, depth)) {
            return bucket;
        }
    }
    return NULL;
}

/* Hash of the fields that the group's selection method "hash" names. */
static uint32_t
hash_group_fields(const struct xlate *x, const struct simgroup *group)
{
    const struct field_array *fields = &group->props.fields;
    const uint8_t *masks = fields->values;
    uint32_t basis = hash_uint64(group->props.selection_method_param);
    size_t id;

    BITMAP_FOR_EACH_1 (id, MFF_N_IDS, fields->used.bm) {
        const struct mf_field *mf = mf_from_id(id);
        const uint8_t *mask = masks;
        union mf_value value;

        masks += mf->n_bytes;
        if (!mf_are_prereqs_ok(mf, &x->flow, NULL)) {
            continue;
        }
        mf_get_value(mf, &x->flow, &value);
        for (size_t i = 0; i < (size_t) mf->n_bytes; i++) {
            value.b[i] &= mask[i];
        }
        basis = hash_bytes(&value, mf->n_bytes, basis);
    }
    return basis;
}

static const struct ofputil_bucket *
select_bucket(struct xlate *x, const struct simgroup *group)
{
    const struct ofputil_bucket *best = NULL;
    const struct ofputil_bucket *bucket;
    uint32_t best_score = 0;
    uint32_t basis;

    if (!strcmp(group->props.selection_method, "hash")) {
        basis = hash_group_fields(x, group);
    } else {
        /* One hash for all groups that a packet passes.  A bridge has the
         * datapath compute it, and starts a new translation with it. */
        if (!x->flow.dp_hash) {
            x->flow.dp_hash = flow_hash_symmetric_l4(&x->orig, 0) | 1;
            x->depth = 0;
            x->resubmits = 0;
        }
        basis = x->flow.dp_hash;
    }
    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        if (bucket_is_alive(x, group, bucket, 0)) {
            uint32_t score = ((hash_int(bucket->bucket_id, basis) & 0xffff)
                              * bucket->weight);

            if (score >= best_score) {
                best = bucket;
                best_score = score;
            }
        }
    }
    return best;
}

/* A bucket works on a clone, and its errors other than limits, and its exit,
 * end with it. */
static void
do_bucket(struct xlate *x, const struct ofputil_bucket *bucket)
{
    struct ofpbuf list, set;
    struct flow old_flow = x->flow;
    bool old_in_group = x->in_group;
    int old_depth = x->depth;

    trace(x, "bucket %"PRIu32, bucket->bucket_id);
    ofpbuf_init(&list, 256);
    ofpbuf_use_const(&set, bucket->ofpacts, bucket->ofpacts_len);
    ofpacts_execute_action_set(&list, &set);
    x->depth++;
    x->result->max_depth = MAX(x->result->max_depth, x->depth);
    x->in_group = true;
    do_actions(x, list.data, list.size);
    x->in_group = old_in_group;
    x->depth = old_depth;
    ofpbuf_uninit(&list);
    x->flow = old_flow;
    x->exit = false;
}

/* Returns false if there is no such group, which ends the list of actions. */
static bool
do_group(struct xlate *x, uint32_t group_id)
{
    const struct simgroup *group;
    const struct ofputil_bucket *bucket;

    if (!may_go_deeper(x)) {
        return true;
    }
    group = simswitch_group(x->sw, group_id);
    if (!group) {
        drop(x, "output to a group that does not exist");
        return false;
    }
    trace(x, "group %"PRIu32, group_id);
    if (group->type == OFPGT11_ALL || group->type == OFPGT11_INDIRECT) {
        LIST_FOR_EACH (bucket, list_node, &group->buckets) {
            do_bucket(x, bucket);
        }
        return true;
    }
    if (group->type == OFPGT11_SELECT) {
        bucket = select_bucket(x, group);
    } else {
        bucket = first_live_bucket(x, group, 0);
    }
    if (bucket) {
        do_bucket(x, bucket);
    } else {
        drop(x, "no live bucket");
    }
    return true;
}

/* Single actions. */

/* Returns false if the packet's TTL has expired, which ends the list. */
static bool
dec_ttl(struct xlate *x, const struct ofpact_cnt_ids *ids)
{
    if (!is_ip_any(&x->flow)) {
        return true;
    }
    if (x->flow.nw_ttl > 1) {
        x->flow.nw_ttl--;
        return true;
    }
    drop(x, "TTL expired in dec_ttl");
    for (size_t i = 0; i < ids->n_controllers; i++) {
        punt(x, OFPR_INVALID_TTL, NX_CTLR_NO_METER, NULL, 0);
    }
    return false;
}

static void
do_action_set(struct xlate *x)
{
    struct ofpbuf list;

    ofpbuf_init(&list, 256);
    ofpacts_execute_action_set(&list, &x->action_set);
    ofpbuf_clear(&x->action_set);
    if (list.size) {
        x->in_action_set = true;
        do_actions(x, list.data, list.size);
        x->in_action_set = false;
    }
    ofpbuf_uninit(&list);
}

/* Executes actions on a copy of the packet, its stack and its action set. */
static void
do_clone(struct xlate *x, const struct ofpact *ofpacts, size_t len,
         bool keep_meter, bool keep_set)
{
    struct ofpbuf old_stack = x->stack;
    struct ofpbuf old_set = x->action_set;
    struct flow old_flow = x->flow;
    bool old_metered = x->metered;

    ofpbuf_init(&x->stack, 64);
    ofpbuf_put(&x->stack, old_stack.data, old_stack.size);
    ofpbuf_init(&x->action_set, 64);
    if (keep_set) {
        ofpbuf_put(&x->action_set, old_set.data, old_set.size);
    }
    do_actions(x, ofpacts, len);
    do_action_set(x);
    ofpbuf_uninit(&x->stack);
    ofpbuf_uninit(&x->action_set);
    x->stack = old_stack;
    x->action_set = old_set;
    x->flow = old_flow;
    if (!keep_meter) {
        x->metered = old_metered;
    }
}

/* The actions after check_pkt_larger run on a clone that knows the result; the
 * original goes no further in this list.  OVS translates the case of a larger
 * packet first, which uses up the action set: the other case has none. */
static void
check_pkt_larger(struct xlate *x, const struct ofpact_check_pkt_larger *a,
                 const struct ofpact *rest, size_t rest_len)
{
    bool larger = current_size(x) > a->pkt_len;
    struct flow old_flow = x->flow;
    union mf_subvalue value;

    memset(&value, 0, sizeof value);
    value.u8_val = larger;
    mf_write_subfield_flow(&a->dst, &value, &x->flow);
    do_clone(x, rest, rest_len, true, larger);
    x->flow = old_flow;
    x->exit = false;
}

static void
set_field(struct xlate *x, const struct ofpact_set_field *a)
{
    if (mf_are_prereqs_ok(a->field, &x->flow, NULL)) {
        mf_set_flow_value_masked(a->field, a->value,
                                 ofpact_set_field_mask(a), &x->flow);
    }
}

static void
set_vlan(struct flow *flow, uint16_t tci, uint16_t mask, bool push_if_needed)
{
    union flow_vlan_hdr *vlan = &flow->vlans[0];

    if (vlan->tci & htons(VLAN_CFI) || push_if_needed) {
        if (!vlan->tpid) {
            vlan->tpid = htons(ETH_TYPE_VLAN);
        }
        vlan->tci = (vlan->tci & ~htons(mask)) | htons(tci | VLAN_CFI);
    }
}

/* Actions that only change the flow.  Returns false if 'a' is another. */
static bool
do_modification(struct xlate *x, const struct ofpact *a)
{
    struct flow *flow = &x->flow;
    bool ipv4 = flow->dl_type == htons(ETH_TYPE_IP);
    bool l4 = is_ip_any(flow) && !(flow->nw_frag & FLOW_NW_FRAG_LATER);

    switch ((int) a->type) {
    case OFPACT_SET_FIELD:
        set_field(x, ofpact_get_SET_FIELD(a));
        return true;
    case OFPACT_REG_MOVE:
        mf_subfield_copy(&ofpact_get_REG_MOVE(a)->src,
                         &ofpact_get_REG_MOVE(a)->dst, flow, &x->wc);
        return true;
    case OFPACT_STACK_PUSH:
        nxm_execute_stack_push(ofpact_get_STACK_PUSH(a), flow, &x->wc,
                               &x->stack);
        return true;
    case OFPACT_STACK_POP:
        nxm_execute_stack_pop(ofpact_get_STACK_POP(a), flow, &x->wc,
                              &x->stack);
        return true;
    case OFPACT_SET_VLAN_VID:
        set_vlan(flow, ofpact_get_SET_VLAN_VID(a)->vlan_vid, VLAN_VID_MASK,
                 ofpact_get_SET_VLAN_VID(a)->push_vlan_if_needed);
        return true;
    case OFPACT_SET_VLAN_PCP:
        set_vlan(flow, ofpact_get_SET_VLAN_PCP(a)->vlan_pcp << VLAN_PCP_SHIFT,
                 VLAN_PCP_MASK,
                 ofpact_get_SET_VLAN_PCP(a)->push_vlan_if_needed);
        return true;
    case OFPACT_STRIP_VLAN:
        flow_pop_vlan(flow, NULL);
        return true;
    case OFPACT_PUSH_VLAN:
        flow_push_vlan_uninit(flow, NULL);
        flow->vlans[0].tpid = ofpact_get_PUSH_VLAN(a)->ethertype;
        flow->vlans[0].tci = htons(VLAN_CFI);
        return true;
    case OFPACT_SET_ETH_SRC:
        flow->dl_src = ofpact_get_SET_ETH_SRC(a)->mac;
        return true;
    case OFPACT_SET_ETH_DST:
        flow->dl_dst = ofpact_get_SET_ETH_DST(a)->mac;
        return true;
    case OFPACT_SET_IPV4_SRC:
        if (ipv4) {
            flow->nw_src = ofpact_get_SET_IPV4_SRC(a)->ipv4;
        }
        return true;
    case OFPACT_SET_IPV4_DST:
        if (ipv4) {
            flow->nw_dst = ofpact_get_SET_IPV4_DST(a)->ipv4;
        }
        return true;
    case OFPACT_SET_IP_DSCP:
        if (is_ip_any(flow)) {
            flow->nw_tos = ((flow->nw_tos & ~IP_DSCP_MASK)
                            | ofpact_get_SET_IP_DSCP(a)->dscp);
        }
        return true;
    case OFPACT_SET_IP_ECN:
        if (is_ip_any(flow)) {
            flow->nw_tos = ((flow->nw_tos & ~IP_ECN_MASK)
                            | ofpact_get_SET_IP_ECN(a)->ecn);
        }
        return true;
    case OFPACT_SET_IP_TTL:
        if (is_ip_any(flow)) {
            flow->nw_ttl = ofpact_get_SET_IP_TTL(a)->ttl;
        }
        return true;
    case OFPACT_SET_L4_SRC_PORT:
        if (l4) {
            flow->tp_src = htons(ofpact_get_SET_L4_SRC_PORT(a)->port);
        }
        return true;
    case OFPACT_SET_L4_DST_PORT:
        if (l4) {
            flow->tp_dst = htons(ofpact_get_SET_L4_DST_PORT(a)->port);
        }
        return true;
    case OFPACT_SET_TUNNEL:
        flow->tunnel.tun_id = htonll(ofpact_get_SET_TUNNEL(a)->tun_id);
        return true;
    case OFPACT_WRITE_METADATA: {
        const struct ofpact_metadata *md = ofpact_get_WRITE_METADATA(a);

        flow->metadata = (flow->metadata & ~md->mask) | (md->metadata
                                                         & md->mask);
        return true;
    }
    case OFPACT_NOTE:
        return true;
    default:
        return false;
    }
}

static void
output_reg(struct xlate *x, const struct ofpact_output_reg *a)
{
    uint64_t port = mf_get_subfield(&a->src, &x->flow);

    if (port <= UINT16_MAX) {
        output(x, u16_to_ofp(port));
    } else {
        drop(x, "output port out of range");
    }
}

static void
do_meter(struct xlate *x, const struct ofpact_meter *a)
{
    if (!(x->flags & SIMSWITCH_PROBE) && !x->metered
        && !simswitch_meter_passes(x->sw, a->meter_id, current_size(x))) {
        x->metered = true;
    }
}

/* Actions that do something with the packet.  Returns false if the list of
 * actions ends here. */
static bool
do_action(struct xlate *x, const struct ofpact *a)
{
    switch ((int) a->type) {
    case OFPACT_OUTPUT:
        output(x, ofpact_get_OUTPUT(a)->port);
        return true;
    case OFPACT_OUTPUT_REG:
        output_reg(x, ofpact_get_OUTPUT_REG(a));
        return true;
    case OFPACT_CONTROLLER: {
        const struct ofpact_controller *c = ofpact_get_CONTROLLER(a);

        punt(x, c->reason, c->meter_id, c->userdata, c->userdata_len);
        return true;
    }
    case OFPACT_GROUP:
        return do_group(x, ofpact_get_GROUP(a)->group_id);
    case OFPACT_RESUBMIT:
        do_resubmit(x, ofpact_get_RESUBMIT(a));
        return true;
    case OFPACT_GOTO_TABLE:
        do_table(x, ofpact_get_GOTO_TABLE(a)->table_id,
                 x->flow.in_port.ofp_port);
        return true;
    case OFPACT_DEC_TTL:
        return dec_ttl(x, ofpact_get_DEC_TTL(a));
    case OFPACT_CLONE: {
        const struct ofpact_nest *nest = ofpact_get_CLONE(a);

        do_clone(x, nest->actions, ofpact_nest_get_action_len(nest), false,
                 true);
        return true;
    }
    case OFPACT_METER:
        do_meter(x, ofpact_get_METER(a));
        return true;
    case OFPACT_EXIT:
        x->exit = true;
        return true;
    case OFPACT_CLEAR_ACTIONS:
        ofpbuf_clear(&x->action_set);
        return true;
    case OFPACT_WRITE_ACTIONS: {
        const struct ofpact_nest *nest = ofpact_get_WRITE_ACTIONS(a);

        ofpbuf_put(&x->action_set, nest->actions,
                   ofpact_nest_get_action_len(nest));
        return true;
    }
    default:
        x->sw->n_unsupported++;
        drop(x, "action that is not simulated");
        return true;
    }
}

static void
do_actions(struct xlate *x, const struct ofpact *ofpacts, size_t len)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH (a, ofpacts, len) {
        if (x->result->error || x->exit) {
            return;
        }
        if (a->type == OFPACT_CHECK_PKT_LARGER) {
            const struct ofpact *rest = ofpact_next(a);

            check_pkt_larger(x, ofpact_get_CHECK_PKT_LARGER(a), rest,
                             (const char *) ofpact_end(ofpacts, len)
                             - (const char *) rest);
            return;
        }
        if (!do_modification(x, a) && !do_action(x, a)) {
            return;
        }
    }
}

/* Entry. */

static void
xlate_begin(struct xlate *x, struct simswitch *sw, const struct simpkt *in,
            unsigned int flags, struct simresult *r)
{
    memset(x, 0, sizeof *x);
    x->sw = sw;
    x->in = in;
    x->result = r;
    x->flags = flags;
    x->packet = dp_packet_clone_data_with_headroom(in->data, in->size, 2);
    pkt_metadata_init(&x->packet->md, u32_to_odp(UINT32_MAX));
    flow_extract(x->packet, &x->orig);
    x->orig.in_port.ofp_port = in->port;
    x->orig.actset_output = OFPP_UNSET;
    if (in->tun_remote) {
        x->orig.tunnel.ip_src = in->tun_remote;
        x->orig.tunnel.ip_dst = in->tun_local;
        x->orig.tunnel.tun_id = htonll(in->tun_id);
        x->orig.tunnel.flags = FLOW_TNL_F_KEY;
        x->orig.tunnel.ip_ttl = 64;
    }
    x->flow = x->orig;
    x->cookie = OVS_BE64_MAX;
    ofpbuf_init(&x->action_set, 64);
    ofpbuf_init(&x->stack, 64);
}

static void
xlate_end(struct xlate *x)
{
    if (x->result->error) {
        simresult_drop_outputs(x->result);
    }
    x->result->n_resubmits = x->resubmits;
    dp_packet_delete(x->packet);
    ofpbuf_uninit(&x->action_set);
    ofpbuf_uninit(&x->stack);
}

/* BFD of the port itself never reaches the tables. */
static bool
is_bfd_for_port(const struct simport *port, const struct flow *flow)
{
    return port->bfd
           && flow->dl_type == htons(ETH_TYPE_IP)
           && flow->nw_proto == IPPROTO_UDP
           && !(flow->nw_frag & FLOW_NW_FRAG_LATER)
           && flow->tp_dst == htons(BFD_DEST_PORT)
           && (port->kind == SIMPORT_PLAIN || !port->bfd_check_tnl_key
               || !flow->tunnel.tun_id);
}

void
simswitch_process(struct simswitch *sw, const struct simpkt *in,
                  unsigned int flags, struct simresult *r)
{
    struct simport *port = simswitch_port(sw, in->port);
    struct xlate x;

    simresult_clear(r);
    xlate_begin(&x, sw, in, flags, r);
    if (flags & SIMSWITCH_TRACE) {
        char *s = flow_to_string(&x.flow, NULL);

        ds_put_format(&r->trace, "  %s: in by %s: %s\n", sw->name,
                      port ? port->name : "?", s);
        free(s);
    }
    if (port && !(flags & SIMSWITCH_PROBE)) {
        port->n_rx++;
    }
    if (port && is_bfd_for_port(port, &x.flow)) {
        drop(&x, "taken by the port's BFD");
    } else {
        struct simflow *flow = lookup(&x, 0, in->port);

        do_flow(&x, flow, 0);
        x.cookie = flow ? flow->cookie : 0;
        if (!r->error) {
            do_action_set(&x);
        }
    }
    xlate_end(&x);
}

enum ofperr
simswitch_packet_out(struct simswitch *sw, const struct ofpact *ofpacts,
                     size_t ofpacts_len, const void *data, size_t size,
                     ofp_port_t in_port, unsigned int flags,
                     struct simresult *r)
{
    struct simpkt in = {
        .port = in_port,
        .data = CONST_CAST(uint8_t *, data),
        .size = size,
    };
    struct xlate x;
    enum ofperr error;

    simresult_clear(r);
    error = simswitch_check_ofpacts(sw, ofpacts, ofpacts_len);
    if (error) {
        sw->n_errors++;
        return error;
    }
    if (size > ETH_FRAME_LEN_MAX) {
        r->drop = "packet-out larger than a bridge takes";
        return 0;
    }
    xlate_begin(&x, sw, &in, flags, r);
    x.in_packet_out = true;
    if (flags & SIMSWITCH_TRACE) {
        char *s = flow_to_string(&x.flow, NULL);

        ds_put_format(&r->trace, "  %s: packet-out: %s\n", sw->name, s);
        free(s);
    }
    do_actions(&x, ofpacts, ofpacts_len);
    if (!r->error) {
        do_action_set(&x);
    }
    xlate_end(&x);
    return 0;
}
