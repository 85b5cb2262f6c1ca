/* SPDX-License-Identifier: Apache-2.0 */

/* Flows, groups and meters: one item each, normalised and encoded.
 *
 * Normal form is the fixed point of encode and decode.  The first encoding of
 * an action may differ from the encoding of what it decodes to (a "move" is one
 * example), but the second is stable; the loops below go on until it is. */

#include <config.h>
#include "controller/flow/desired.h"

#include <string.h>
#include "byte-order.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofp-table.h"
#include "openvswitch/ofpbuf.h"
#include "flow.h"
#include "hash.h"
#include "util.h"

/* Rounds of encode and decode that may be needed; more is a fault of ours. */
#define NORMALISE_ROUNDS 4

static bool
msg_equal(const struct ofpbuf *a, const struct ofpbuf *b)
{
    return a->size == b->size && !memcmp(a->data, b->data, a->size);
}

static struct ofpbuf *
msg_finish(struct ofpbuf *msg)
{
    struct ofp_header *oh = msg->data;

    ofpmsg_update_length(msg);
    oh->xid = 0;
    return msg;
}

/* Flows. */

static struct ofpbuf *
flow_encode(struct ofputil_flow_mod *fm)
{
    return msg_finish(ofputil_encode_flow_mod(fm, OFPUTIL_P_OF15_OXM));
}

static bool
flow_decode(struct ofputil_flow_mod *fm, const struct ofpbuf *msg,
            struct ofpbuf *ofpacts)
{
    ofpbuf_clear(ofpacts);
    return !ofputil_decode_flow_mod(fm, msg->data, OFPUTIL_P_OF15_OXM, NULL,
                                    NULL, ofpacts, OFPP_MAX, 255);
}

/* Brings '*fm', which owns its match, to its normal form; its actions are then
 * in 'ofpacts'.  Returns its message, or NULL if it has no valid form ('*fm'
 * owns nothing then). */
static struct ofpbuf *
flow_normalise(struct ofputil_flow_mod *fm, struct ofpbuf *ofpacts)
{
    struct ofpbuf *msg = flow_encode(fm);

    for (int i = 0; i < NORMALISE_ROUNDS; i++) {
        struct ofpbuf *again;

        minimatch_destroy(&fm->match);
        if (!flow_decode(fm, msg, ofpacts)) {
            ofpbuf_delete(msg);
            return NULL;
        }
        again = flow_encode(fm);
        if (msg_equal(msg, again)) {
            ofpbuf_delete(again);
            ofpbuf_trim(msg);
            return msg;
        }
        ofpbuf_delete(msg);
        msg = again;
    }
    minimatch_destroy(&fm->match);
    ofpbuf_delete(msg);
    return NULL;
}

struct dflow *
dflow_create(uint8_t table_id, uint16_t priority, const struct match *match,
             uint64_t cookie, const struct ofpbuf *ofpacts)
{
    struct dflow *flow = dflow_try_create(table_id, priority, match, cookie,
                                          ofpacts);

    ovs_assert(flow);
    return flow;
}

struct dflow *
dflow_try_create(uint8_t table_id, uint16_t priority, const struct match *match,
             uint64_t cookie, const struct ofpbuf *ofpacts)
{
    struct ofputil_flow_mod fm = {
        .priority = priority,
        .new_cookie = htonll(cookie),
        .table_id = table_id,
        .command = OFPFC_ADD,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .ofpacts = ofpacts->data,
        .ofpacts_len = ofpacts->size,
    };
    struct ofpbuf *msg;
    struct ofpbuf normal;

    minimatch_init(&fm.match, match);
    ofpbuf_init(&normal, ofpacts->size + 64);
    msg = flow_normalise(&fm, &normal);
    if (!msg) {
        ofpbuf_uninit(&normal);
        return NULL;
    }

    struct dflow *flow = xmalloc(sizeof *flow);
    flow->ref_cnt = 1;
    flow->table_id = table_id;
    flow->priority = priority;
    flow->cookie = cookie;
    minimatch_move(&flow->match, &fm.match);
    flow->hash = minimatch_hash(&flow->match,
                                hash_int(((uint32_t) table_id << 16)
                                         | priority, 0));
    flow->ofpacts_len = normal.size;
    flow->ofpacts = normal.size ? xmemdup(normal.data, normal.size) : NULL;
    flow->msg = msg;
    ofpbuf_uninit(&normal);
    return flow;
}

struct dflow *
dflow_ref(const struct dflow *flow_)
{
    struct dflow *flow = CONST_CAST(struct dflow *, flow_);

    if (flow) {
        flow->ref_cnt++;
    }
    return flow;
}

void
dflow_unref(struct dflow *flow)
{
    if (flow && !--flow->ref_cnt) {
        minimatch_destroy(&flow->match);
        free(flow->ofpacts);
        ofpbuf_delete(flow->msg);
        free(flow);
    }
}

bool
dflow_same_key(const struct dflow *a, const struct dflow *b)
{
    return (a == b
            || (a->hash == b->hash
                && a->table_id == b->table_id
                && a->priority == b->priority
                && minimatch_equal(&a->match, &b->match)));
}

bool
dflow_equal(const struct dflow *a, const struct dflow *b)
{
    return a == b || msg_equal(a->msg, b->msg);
}

/* By table, then priority with the highest first, then whatever is stable. */
int
dflow_compare(const struct dflow *a, const struct dflow *b)
{
    if (a->table_id != b->table_id) {
        return a->table_id < b->table_id ? -1 : 1;
    } else if (a->priority != b->priority) {
        return a->priority > b->priority ? -1 : 1;
    }

    /* The match begins at the same offset in both messages. */
    size_t n = MIN(a->msg->size, b->msg->size);
    size_t skip = sizeof(struct ofp_header) + 40;
    int cmp = (n > skip
               ? memcmp((char *) a->msg->data + skip,
                        (char *) b->msg->data + skip, n - skip)
               : 0);
    return cmp ? cmp : a->msg->size < b->msg->size ? -1
                     : a->msg->size > b->msg->size;
}

void
dflow_format(const struct dflow *flow, const char *const *table_names,
             size_t n_tables, struct ds *ds)
{
    struct ofpact_format_params fp;
    struct match match;
    struct ofputil_table_map map;

    ofputil_table_map_init(&map);
    if (table_names) {
        for (size_t i = 0; i < n_tables; i++) {
            ofputil_table_map_put(&map, i, table_names[i]);
        }
    }

    ds_put_cstr(ds, "table=");
    if (table_names && flow->table_id < n_tables) {
        ds_put_cstr(ds, table_names[flow->table_id]);
    } else {
        ds_put_format(ds, "%"PRIu8, flow->table_id);
    }
    ds_put_format(ds, ", cookie=0x%"PRIx64", ", flow->cookie);
    minimatch_expand(&flow->match, &match);
    match_format(&match, NULL, ds, flow->priority);
    if (ds_last(ds) != ' ') {
        ds_put_char(ds, ' ');
    }
    ds_put_cstr(ds, "actions=");
    memset(&fp, 0, sizeof fp);
    fp.table_map = table_names ? &map : NULL;
    fp.s = ds;
    ofpacts_format(flow->ofpacts, flow->ofpacts_len, &fp);
    ofputil_table_map_destroy(&map);
}

/* Groups. */

static struct ofpbuf *
group_encode(const struct ofputil_group_mod *gm)
{
    return msg_finish(ofputil_encode_group_mod(OFP15_VERSION, gm, NULL, -1));
}

/* As flow_normalise(). */
static struct ofpbuf *
group_normalise(struct ofputil_group_mod *gm)
{
    struct ofpbuf *msg = group_encode(gm);

    for (int i = 0; i < NORMALISE_ROUNDS; i++) {
        struct ofpbuf *again;

        ofputil_uninit_group_mod(gm);
        if (ofputil_decode_group_mod(msg->data, gm)) {
            ofpbuf_delete(msg);
            return NULL;
        }
        again = group_encode(gm);
        if (msg_equal(msg, again)) {
            ofpbuf_delete(again);
            ofpbuf_trim(msg);
            return msg;
        }
        ofpbuf_delete(msg);
        msg = again;
    }
    ofputil_uninit_group_mod(gm);
    ofpbuf_delete(msg);
    return NULL;
}

struct dgroup *
dgroup_create(uint32_t group_id, uint8_t rank, enum ofp11_group_type type,
              struct ovs_list *buckets,
              const struct ofputil_group_props *props)
{
    struct dgroup *group = dgroup_try_create(group_id, rank, type, buckets,
                                             props);

    ovs_assert(group);
    return group;
}

struct dgroup *
dgroup_try_create(uint32_t group_id, uint8_t rank, enum ofp11_group_type type,
                  struct ovs_list *buckets,
                  const struct ofputil_group_props *props)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC11_ADD_OR_MOD,
        .type = type,
        .group_id = group_id,
        .command_bucket_id = OFPG15_BUCKET_ALL,
    };
    struct ofpbuf *msg;

    ovs_list_init(&gm.buckets);
    ovs_list_push_back_all(&gm.buckets, buckets);
    if (props) {
        gm.props = *props;
        gm.props.fields.values
            = (props->fields.values_size
               ? xmemdup(props->fields.values, props->fields.values_size)
               : NULL);
    }
    msg = group_normalise(&gm);
    if (!msg) {
        return NULL;
    }

    struct dgroup *group = xmalloc(sizeof *group);
    group->ref_cnt = 1;
    group->group_id = group_id;
    group->rank = rank;
    group->type = type;
    group->props = gm.props;
    ovs_list_init(&group->buckets);
    ovs_list_push_back_all(&group->buckets, &gm.buckets);
    group->msg = msg;
    return group;
}

struct dgroup *
dgroup_ref(const struct dgroup *group_)
{
    struct dgroup *group = CONST_CAST(struct dgroup *, group_);

    if (group) {
        group->ref_cnt++;
    }
    return group;
}

void
dgroup_unref(struct dgroup *group)
{
    if (group && !--group->ref_cnt) {
        ofputil_bucket_list_destroy(&group->buckets);
        ofputil_group_properties_destroy(&group->props);
        ofpbuf_delete(group->msg);
        free(group);
    }
}

bool
dgroup_equal(const struct dgroup *a, const struct dgroup *b)
{
    return a == b || msg_equal(a->msg, b->msg);
}

static const char *
group_type_to_string(enum ofp11_group_type type)
{
    switch (type) {
    case OFPGT11_ALL: return "all";
    case OFPGT11_SELECT: return "select";
    case OFPGT11_INDIRECT: return "indirect";
    case OFPGT11_FF: return "fast_failover";
    }
    return "unknown";
}

void
dgroup_format(const struct dgroup *group, struct ds *ds)
{
    const struct ofputil_bucket *bucket;

    ds_put_format(ds, "group_id=%"PRIu32",type=%s", group->group_id,
                  group_type_to_string(group->type));
    if (group->props.selection_method[0]) {
        ds_put_format(ds, ",selection_method=%s",
                      group->props.selection_method);
    }
    LIST_FOR_EACH (bucket, list_node, &group->buckets) {
        struct ofpact_format_params fp;

        ds_put_format(ds, ",bucket=bucket_id:%"PRIu32, bucket->bucket_id);
        if (group->type == OFPGT11_SELECT) {
            ds_put_format(ds, ",weight:%"PRIu16, bucket->weight);
        }
        if (bucket->watch_port != OFPP_ANY) {
            ds_put_format(ds, ",watch_port:%"PRIu32,
                          ofp_to_u16(bucket->watch_port));
        }
        if (bucket->watch_group != OFPG_ANY) {
            ds_put_format(ds, ",watch_group:%"PRIu32, bucket->watch_group);
        }
        ds_put_cstr(ds, ",actions=");
        memset(&fp, 0, sizeof fp);
        fp.s = ds;
        ofpacts_format(bucket->ofpacts, bucket->ofpacts_len, &fp);
    }
}

/* Meters. */

struct dmeter *
dmeter_create(uint32_t meter_id, uint32_t pps, uint32_t burst)
{
    struct dmeter *meter = xmalloc(sizeof *meter);

    meter->ref_cnt = 1;
    meter->meter_id = meter_id;
    meter->flags = OFPMF13_PKTPS | OFPMF13_STATS | OFPMF13_BURST;
    meter->rate = pps;
    meter->burst_size = burst;
    return meter;
}

struct dmeter *
dmeter_ref(const struct dmeter *meter_)
{
    struct dmeter *meter = CONST_CAST(struct dmeter *, meter_);

    if (meter) {
        meter->ref_cnt++;
    }
    return meter;
}

void
dmeter_unref(struct dmeter *meter)
{
    if (meter && !--meter->ref_cnt) {
        free(meter);
    }
}

bool
dmeter_equal(const struct dmeter *a, const struct dmeter *b)
{
    return (a == b
            || (a->meter_id == b->meter_id && a->flags == b->flags
                && a->rate == b->rate && a->burst_size == b->burst_size));
}

void
dmeter_format(const struct dmeter *meter, struct ds *ds)
{
    ds_put_format(ds, "meter=%"PRIu32",pktps,burst,stats,"
                  "bands=type=drop,rate=%"PRIu32",burst_size=%"PRIu32,
                  meter->meter_id, meter->rate, meter->burst_size);
}
