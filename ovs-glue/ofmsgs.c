/* SPDX-License-Identifier: Apache-2.0 */

/* See ofmsgs.h. */

#include <config.h>
#include "ovs-glue/ofmsgs.h"
#include <string.h>
#include "controller/flow/desired.h"
#include "openflow/openflow.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-packet.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/util.h"
#include "byte-order.h"
#include "flow.h"
#include "hash.h"
#include "util.h"

/* Setting up. */

struct ofpbuf *
ofmsgs_compose_role(uint64_t generation_id)
{
    struct ofpbuf *msg = ofpraw_alloc(OFPRAW_OFPT12_ROLE_REQUEST,
                                      OFP15_VERSION, 0);
    struct ofp12_role_request *rr = ofpbuf_put_zeros(msg, sizeof *rr);
    rr->role = htonl(OFPCR12_ROLE_PRIMARY);
    rr->generation_id = htonll(generation_id);
    ofpmsg_update_length(msg);
    return msg;
}

/* Without a nonzero length a service connection (BRIDGE.mgmt) gets no
 * asynchronous messages at all. */
struct ofpbuf *
ofmsgs_compose_config(void)
{
    struct ofputil_switch_config config = {
        .frag = OFPUTIL_FRAG_NORMAL,
        .invalid_ttl_to_controller = -1,
        .miss_send_len = UINT16_MAX,
    };
    return ofputil_encode_set_config(&config, OFP15_VERSION);
}

struct ofpbuf *
ofmsgs_compose_packet_in_format(void)
{
    return ofputil_encode_set_packet_in_format(OFP15_VERSION,
                                               OFPUTIL_PACKET_IN_NXT2);
}

struct ofpbuf *
ofmsgs_compose_async(void)
{
    struct ofputil_async_cfg ac = OFPUTIL_ASYNC_CFG_INIT;
    ac.primary[OAM_PACKET_IN] = ((1u << OFPR_ACTION) | (1u << OFPR_ACTION_SET)
                                 | (1u << OFPR_GROUP)
                                 | (1u << OFPR_PACKET_OUT));
    ac.primary[OAM_PORT_STATUS] = ((1u << OFPPR_ADD) | (1u << OFPPR_DELETE)
                                   | (1u << OFPPR_MODIFY));
    return ofputil_encode_set_async_config(&ac,
                                           (1u << OAM_PACKET_IN)
                                           | (1u << OAM_PORT_STATUS)
                                           | (1u << OAM_FLOW_REMOVED)
                                           | (1u << OAM_ROLE_STATUS)
                                           | (1u << OAM_TABLE_STATUS)
                                           | (1u << OAM_REQUESTFORWARD),
                                           OFP15_VERSION);
}

/* Differences. */

enum step { STEP_PLAIN, STEP_OPEN, STEP_ADD, STEP_COMMIT, STEP_BARRIER };

/* What message number 'i' is, and in '*index' which of 'm->msgs'. */
static enum step
get_step(const struct dmsgs *m, size_t i, size_t *index)
{
    if (i < m->n_before) {
        *index = i;
        return STEP_PLAIN;
    }
    i -= m->n_before;
    if (m->n_bundle) {
        if (i == 0) {
            return STEP_OPEN;
        } else if (i <= m->n_bundle) {
            *index = m->n_before + i - 1;
            return STEP_ADD;
        } else if (i == m->n_bundle + 1) {
            return STEP_COMMIT;
        }
        i -= m->n_bundle + 2;
    }
    *index = m->n_before + m->n_bundle + i;
    return *index < m->n ? STEP_PLAIN : STEP_BARRIER;
}

size_t
ofmsgs_count(const struct dmsgs *m)
{
    return m->n + (m->n_bundle ? 2 : 0) + 1;
}

bool
ofmsgs_in_bundle(const struct dmsgs *m, size_t i)
{
    return (m->n_bundle && i > m->n_before
            && i < m->n_before + m->n_bundle + 2);
}

static struct ofpbuf *
with_xid(struct ofpbuf *msg, uint32_t xid)
{
    struct ofp_header *oh = msg->data;
    oh->xid = htonl(xid);
    return msg;
}

static struct ofpbuf *
compose_control(uint32_t bundle_id, uint16_t type)
{
    struct ofputil_bundle_ctrl_msg bc = {
        .bundle_id = bundle_id,
        .type = type,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };
    return ofputil_encode_bundle_ctrl_request(OFP15_VERSION, &bc);
}

/* The message inside a bundle has the transaction ID of the one around it.
 * Written by hand, this is the one copy that each host needs of its own. */
static struct ofpbuf *
compose_add(uint32_t bundle_id, const struct ofpbuf *inner, uint32_t xid)
{
    size_t header = (sizeof(struct ofp_header)
                     + sizeof(struct ofp14_bundle_ctrl_msg));
    if (inner->size > UINT16_MAX - header) {
        return NULL;
    }
    struct ofpbuf *msg = ofpbuf_new(header + inner->size);
    struct ofp_header *oh = ofpbuf_put_uninit(msg, sizeof *oh);
    oh->version = OFP15_VERSION;
    oh->type = 34;              /* OFPT_BUNDLE_ADD_MESSAGE. */
    oh->length = htons(header + inner->size);
    oh->xid = htonl(xid);
    struct ofp14_bundle_ctrl_msg *bc = ofpbuf_put_uninit(msg, sizeof *bc);
    bc->bundle_id = htonl(bundle_id);
    bc->type = 0;
    bc->flags = htons(OFPBF_ATOMIC | OFPBF_ORDERED);
    struct ofp_header *copy = ofpbuf_put(msg, inner->data, inner->size);
    copy->xid = htonl(xid);
    return msg;
}

struct ofpbuf *
ofmsgs_compose(const struct dmsgs *m, size_t i, uint32_t bundle_id,
               uint32_t xid)
{
    size_t index = 0;
    switch (get_step(m, i, &index)) {
    case STEP_PLAIN:
        return with_xid(ofpbuf_clone(m->msgs[index].msg), xid);
    case STEP_OPEN:
        return with_xid(compose_control(bundle_id, OFPBCT_OPEN_REQUEST), xid);
    case STEP_ADD:
        return compose_add(bundle_id, m->msgs[index].msg, xid);
    case STEP_COMMIT:
        return with_xid(compose_control(bundle_id, OFPBCT_COMMIT_REQUEST),
                        xid);
    case STEP_BARRIER:
        break;
    }
    return with_xid(ofputil_encode_barrier_request(OFP15_VERSION), xid);
}

struct ofpbuf *
ofmsgs_compose_discard(uint32_t bundle_id)
{
    return compose_control(bundle_id, OFPBCT_DISCARD_REQUEST);
}

char *
ofmsgs_describe(const struct dmsgs *m, size_t i)
{
    size_t index = 0;
    switch (get_step(m, i, &index)) {
    case STEP_PLAIN:
    case STEP_ADD:
        return ofp_to_string(m->msgs[index].msg->data,
                             m->msgs[index].msg->size, NULL, NULL, 1);
    case STEP_OPEN:
        return xstrdup("opening the bundle");
    case STEP_COMMIT:
        return xstrdup("committing the bundle");
    case STEP_BARRIER:
        break;
    }
    return xstrdup("barrier");
}

/* Packets. */

bool
ofmsgs_parse_packet_in(const struct ofp_header *oh,
                       struct ofsession_packet_in *p)
{
    struct ofputil_packet_in pin;
    size_t total_len;
    uint32_t buffer_id;
    memset(p, 0, sizeof *p);
    if (ofputil_decode_packet_in(oh, true, NULL, NULL, &pin, &total_len,
                                 &buffer_id, NULL)) {
        return false;
    }
    p->in_port = ofp_to_u16(pin.flow_metadata.flow.in_port.ofp_port);
    p->metadata = pin.flow_metadata;
    p->reason = pin.reason;
    p->table_id = pin.table_id;
    p->cookie = ntohll(pin.cookie);
    if (pin.userdata_len) {
        p->userdata = xmemdup(pin.userdata, pin.userdata_len);
        p->userdata_len = pin.userdata_len;
    }
    p->frame = xmemdup(pin.packet, pin.packet_len);
    p->frame_len = pin.packet_len;
    p->total_len = total_len;
    return true;
}

void
ofmsgs_packet_in_uninit(struct ofsession_packet_in *p)
{
    free(p->userdata);
    free(p->frame);
}

struct ofpbuf *
ofmsgs_compose_packet_out(uint32_t in_port, const void *ofpacts,
                          size_t ofpacts_len, const void *frame,
                          size_t frame_len)
{
    struct ofputil_packet_out po = {
        .packet = frame,
        .packet_len = frame_len,
        .buffer_id = UINT32_MAX,
        .ofpacts = CONST_CAST(struct ofpact *,
                              (const struct ofpact *) ofpacts),
        .ofpacts_len = ofpacts_len,
    };
    match_init_catchall(&po.flow_metadata);
    match_set_in_port(&po.flow_metadata, u16_to_ofp(in_port));
    return ofputil_encode_packet_out(
        &po, ofputil_protocol_from_ofp_version(OFP15_VERSION));
}

/* Counters. */

struct counter_node {
    struct hmap_node hmap_node;
    struct ofsession_counter c;
};

void
ofmsgs_counters_init(struct ofmsgs_counters *cs)
{
    hmap_init(&cs->map);
}

void
ofmsgs_counters_uninit(struct ofmsgs_counters *cs)
{
    struct counter_node *node;
    HMAP_FOR_EACH_POP (node, hmap_node, &cs->map) {
        free(node);
    }
    hmap_destroy(&cs->map);
}

struct ofpbuf *
ofmsgs_compose_stats(enum ofsession_stats_kind kind, uint8_t table_id)
{
    struct ofputil_flow_stats_request fsr = {
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = table_id,
    };
    switch (kind) {
    case OFSESSION_STATS_GROUPS:
        return ofputil_encode_group_stats_request(OFP15_VERSION, OFPG_ALL);
    case OFSESSION_STATS_METERS:
        return ofputil_encode_meter_request(OFP15_VERSION, OFPUTIL_METER_STATS,
                                            OFPM13_ALL);
    case OFSESSION_STATS_FLOWS:
        break;
    }
    match_init_catchall(&fsr.match);
    return ofputil_encode_flow_stats_request(
        &fsr, ofputil_protocol_from_ofp_version(OFP15_VERSION));
}

static struct ofsession_counter *
get_counter(struct ofmsgs_counters *cs, uint8_t table_id, uint64_t id)
{
    uint32_t hash = hash_uint64_basis(id, table_id);
    struct counter_node *node;
    HMAP_FOR_EACH_WITH_HASH (node, hmap_node, hash, &cs->map) {
        if (node->c.id == id && node->c.table_id == table_id) {
            return &node->c;
        }
    }
    node = xzalloc(sizeof *node);
    node->c.id = id;
    node->c.table_id = table_id;
    hmap_insert(&cs->map, &node->hmap_node, hash);
    return &node->c;
}

/* UINT64_MAX says that the switch does not count. */
static void
count(struct ofsession_counter *c, uint64_t packets, uint64_t bytes)
{
    c->packets += packets != UINT64_MAX ? packets : 0;
    c->bytes += bytes != UINT64_MAX ? bytes : 0;
}

static int
add_flows(struct ofmsgs_counters *cs, struct ofpbuf *msg)
{
    struct ofpbuf ofpacts;
    ofpbuf_init(&ofpacts, 0);
    struct ofputil_flow_stats fs;
    int retval;
    while (!(retval = ofputil_decode_flow_stats_reply(&fs, msg, true,
                                                      &ofpacts))) {
        count(get_counter(cs, fs.table_id, ntohll(fs.cookie)),
              fs.packet_count, fs.byte_count);
    }
    ofpbuf_uninit(&ofpacts);
    return retval;
}

static int
add_groups(struct ofmsgs_counters *cs, struct ofpbuf *msg)
{
    struct ofputil_group_stats gs;
    int retval;
    while (!(retval = ofputil_decode_group_stats_reply(msg, &gs))) {
        count(get_counter(cs, 0, gs.group_id), gs.packet_count,
              gs.byte_count);
        free(gs.bucket_stats);
    }
    return retval;
}

static int
add_meters(struct ofmsgs_counters *cs, struct ofpbuf *msg)
{
    struct ofpbuf bands;
    ofpbuf_init(&bands, 0);
    struct ofputil_meter_stats ms;
    int retval;
    while (!(retval = ofputil_decode_meter_stats(msg, &ms, &bands))) {
        struct ofsession_counter *c = get_counter(cs, 0, ms.meter_id);
        count(c, ms.packet_in_count, ms.byte_in_count);
        for (size_t i = 0; i < ms.n_bands; i++) {
            c->dropped += ms.bands[i].packet_count;
        }
    }
    ofpbuf_uninit(&bands);
    return retval;
}

bool
ofmsgs_counters_add(struct ofmsgs_counters *cs, enum ofsession_stats_kind kind,
                    const struct ofp_header *oh)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    int retval = EOF;
    switch (kind) {
    case OFSESSION_STATS_FLOWS:
        retval = add_flows(cs, &msg);
        break;
    case OFSESSION_STATS_GROUPS:
        retval = add_groups(cs, &msg);
        break;
    case OFSESSION_STATS_METERS:
        retval = add_meters(cs, &msg);
        break;
    }
    return retval == EOF;
}

static int
compare_counters(const void *a_, const void *b_)
{
    const struct ofsession_counter *a = a_, *b = b_;
    return (a->table_id != b->table_id ? a->table_id - b->table_id
            : a->id < b->id ? -1 : a->id > b->id);
}

struct ofsession_counter *
ofmsgs_counters_get(const struct ofmsgs_counters *cs, size_t *n)
{
    struct ofsession_counter *array = xcalloc(hmap_count(&cs->map) + 1,
                                              sizeof *array);
    const struct counter_node *node;
    *n = 0;
    HMAP_FOR_EACH (node, hmap_node, &cs->map) {
        array[(*n)++] = node->c;
    }
    qsort(array, *n, sizeof *array, compare_counters);
    return array;
}
