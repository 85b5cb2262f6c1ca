/* SPDX-License-Identifier: Apache-2.0 */

/* Simulated switch: OpenFlow messages.  Flow, group and meter mods are decoded
 * and handed to simswitch.c; bundles are kept here until their commit; what is
 * installed is read back through OVS's own encoder. */

#include <config.h>
#include "tests/sim/simswitch-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "svec.h"
#include "util.h"

#define SIM_PROTOCOL OFPUTIL_P_OF15_OXM

/* A bundle that is open, or closed but not yet committed. */
struct simbundle {
    struct hmap_node node;      /* In struct simswitch's 'bundles'. */
    uint32_t id;
    uint16_t flags;
    bool closed;
    struct ovs_list msgs;       /* "struct ofpbuf"s: bundle-add messages. */
};

static void
bundle_destroy(struct simswitch *sw, struct simbundle *bundle)
{
    struct ofpbuf *msg;

    hmap_remove(&sw->bundles, &bundle->node);
    LIST_FOR_EACH_POP (msg, list_node, &bundle->msgs) {
        ofpbuf_delete(msg);
    }
    free(bundle);
}

void
simswitch_disconnect(struct simswitch *sw)
{
    struct simbundle *bundle;

    HMAP_FOR_EACH_SAFE (bundle, node, &sw->bundles) {
        bundle_destroy(sw, bundle);
    }
}

static enum ofperr
handle_flow_mod(struct simswitch *sw, const struct ofp_header *oh, bool apply)
{
    struct ofputil_flow_mod fm;
    struct ofpbuf ofpacts;
    enum ofperr error;

    ofpbuf_init(&ofpacts, 256);
    error = ofputil_decode_flow_mod(&fm, oh, SIM_PROTOCOL, NULL, NULL,
                                    &ofpacts, OFPP_MAX, SIM_N_TABLES);
    if (!error) {
        if (fm.command > OFPFC_DELETE_STRICT) {
            error = OFPERR_OFPFMFC_BAD_COMMAND;
        } else if (fm.buffer_id != UINT32_MAX) {
            error = OFPERR_OFPBRC_BUFFER_UNKNOWN;
        } else if (apply) {
            error = simswitch_apply_flow_mod(sw, &fm);
        }
        minimatch_destroy(&fm.match);
    }
    ofpbuf_uninit(&ofpacts);
    return error;
}

static enum ofperr
handle_group_mod(struct simswitch *sw, const struct ofp_header *oh,
                 bool apply)
{
    struct ofputil_group_mod gm;
    enum ofperr error = ofputil_decode_group_mod(oh, &gm);

    if (!error) {
        if (apply) {
            error = simswitch_apply_group_mod(sw, &gm);
        }
        ofputil_uninit_group_mod(&gm);
    }
    return error;
}

static enum ofperr
handle_meter_mod(struct simswitch *sw, const struct ofp_header *oh)
{
    struct ofputil_meter_mod mm;
    struct ofpbuf bands;
    enum ofperr error;

    ofpbuf_init(&bands, 64);
    error = ofputil_decode_meter_mod(oh, &mm, &bands);
    if (!error) {
        error = simswitch_apply_meter_mod(sw, &mm);
    }
    ofpbuf_uninit(&bands);
    return error;
}

/* Bundles. */

/* The flows and groups before a bundle, to be put back if it fails. */
struct snapshot {
    struct simflow **flows;
    size_t n_flows;
    struct simgroup **groups;
    size_t n_groups;
};

static void
snapshot_take(const struct simswitch *sw, struct snapshot *s)
{
    struct simgroup *group;
    size_t n = 0;

    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        n += sw->tables[i].n_flows;
    }
    s->flows = xmalloc((n + 1) * sizeof *s->flows);
    s->n_flows = 0;
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        if (sw->tables[i].n_flows) {
            struct simflow **flows = simtable_unsorted(&sw->tables[i], &n);

            for (size_t j = 0; j < n; j++) {
                flows[j]->ref_cnt++;
                s->flows[s->n_flows++] = flows[j];
            }
            free(flows);
        }
    }
    s->groups = xmalloc((hmap_count(&sw->groups) + 1) * sizeof *s->groups);
    s->n_groups = 0;
    HMAP_FOR_EACH (group, node, &sw->groups) {
        group->ref_cnt++;
        s->groups[s->n_groups++] = group;
    }
}

/* Ends the snapshot, after putting it back if 'restore'. */
static void
snapshot_end(struct simswitch *sw, struct snapshot *s, bool restore)
{
    struct simgroup *group;

    if (restore) {
        for (size_t i = 0; i < SIM_N_TABLES; i++) {
            simtable_clear(&sw->tables[i]);
        }
        HMAP_FOR_EACH_POP (group, node, &sw->groups) {
            simgroup_unref(group);
        }
    }
    for (size_t i = 0; i < s->n_flows; i++) {
        if (restore) {
            simtable_insert(&sw->tables[s->flows[i]->table_id], s->flows[i]);
        } else {
            simflow_unref(s->flows[i]);
        }
    }
    for (size_t i = 0; i < s->n_groups; i++) {
        if (restore) {
            simswitch_insert_group(sw, s->groups[i]);
        } else {
            simgroup_unref(s->groups[i]);
        }
    }
    free(s->flows);
    free(s->groups);
}

static void
reply_error(struct simswitch *sw, enum ofperr error,
            const struct ofp_header *oh, struct ovs_list *replies)
{
    struct ofpbuf *msg = ofperr_encode_reply(error, oh);

    sw->n_errors++;
    ovs_list_push_back(replies, &msg->list_node);
}

static struct simbundle *
find_bundle(const struct simswitch *sw, uint32_t id)
{
    struct simbundle *bundle;

    HMAP_FOR_EACH_WITH_HASH (bundle, node, hash_int(id, 0), &sw->bundles) {
        if (bundle->id == id) {
            return bundle;
        }
    }
    return NULL;
}

static struct simbundle *
create_bundle(struct simswitch *sw, uint32_t id, uint16_t flags)
{
    struct simbundle *bundle = xzalloc(sizeof *bundle);

    bundle->id = id;
    bundle->flags = flags;
    ovs_list_init(&bundle->msgs);
    hmap_insert(&sw->bundles, &bundle->node, hash_int(id, 0));
    return bundle;
}

/* Decodes the message within a bundle-add, and applies it if 'apply'. */
static enum ofperr
handle_inner(struct simswitch *sw, const struct ofp_header *outer, bool apply,
             struct ofputil_bundle_add_msg *badd)
{
    enum ofptype type;
    enum ofperr error = ofputil_decode_bundle_add(outer, badd, &type);

    if (error) {
        return error;
    }
    return (type == OFPTYPE_FLOW_MOD ? handle_flow_mod(sw, badd->msg, apply)
            : type == OFPTYPE_GROUP_MOD ? handle_group_mod(sw, badd->msg,
                                                           apply)
            : OFPERR_OFPBFC_MSG_UNSUP);
}

static enum ofperr
commit_bundle(struct simswitch *sw, struct simbundle *bundle, uint16_t flags,
              struct ovs_list *replies)
{
    struct snapshot snapshot;
    struct ofpbuf *msg;
    enum ofperr error = 0;

    if (bundle->flags != flags) {
        error = OFPERR_OFPBFC_BAD_FLAGS;
    } else {
        snapshot_take(sw, &snapshot);
        LIST_FOR_EACH (msg, list_node, &bundle->msgs) {
            struct ofputil_bundle_add_msg badd;

            error = handle_inner(sw, msg->data, true, &badd);
            if (error) {
                reply_error(sw, error, msg->data, replies);
                error = OFPERR_OFPBFC_MSG_FAILED;
                break;
            }
        }
        snapshot_end(sw, &snapshot, error != 0);
    }
    bundle_destroy(sw, bundle);
    return error;
}

static enum ofperr
handle_bundle_control(struct simswitch *sw, const struct ofp_header *oh,
                      struct ovs_list *replies)
{
    struct ofputil_bundle_ctrl_msg bctrl, reply;
    struct simbundle *bundle;
    enum ofperr error = ofputil_decode_bundle_ctrl(oh, &bctrl);

    if (error) {
        return error;
    }
    memset(&reply, 0, sizeof reply);
    reply.bundle_id = bctrl.bundle_id;
    reply.type = bctrl.type + 1;
    bundle = find_bundle(sw, bctrl.bundle_id);
    if (bctrl.type == OFPBCT_OPEN_REQUEST) {
        if (bundle) {
            bundle_destroy(sw, bundle);
            return OFPERR_OFPBFC_BAD_ID;
        }
        create_bundle(sw, bctrl.bundle_id, bctrl.flags);
    } else if (bctrl.type != OFPBCT_CLOSE_REQUEST
               && bctrl.type != OFPBCT_COMMIT_REQUEST
               && bctrl.type != OFPBCT_DISCARD_REQUEST) {
        return OFPERR_OFPBFC_BAD_TYPE;
    } else if (!bundle) {
        return OFPERR_OFPBFC_BAD_ID;
    } else if (bctrl.type == OFPBCT_COMMIT_REQUEST) {
        error = commit_bundle(sw, bundle, bctrl.flags, replies);
    } else if (bctrl.type == OFPBCT_DISCARD_REQUEST) {
        bundle_destroy(sw, bundle);
    } else if (bundle->closed || bundle->flags != bctrl.flags) {
        error = (bundle->closed ? OFPERR_OFPBFC_BUNDLE_CLOSED
                 : OFPERR_OFPBFC_BAD_FLAGS);
        bundle_destroy(sw, bundle);
    } else {
        bundle->closed = true;
    }
    if (!error) {
        struct ofpbuf *msg = ofputil_encode_bundle_ctrl_reply(oh, &reply);

        ovs_list_push_back(replies, &msg->list_node);
    }
    return error;
}

static enum ofperr
handle_bundle_add(struct simswitch *sw, const struct ofp_header *oh)
{
    struct ofputil_bundle_add_msg badd;
    struct simbundle *bundle;
    struct ofpbuf *msg;
    enum ofperr error = handle_inner(sw, oh, false, &badd);

    if (error) {
        return error;
    }
    bundle = find_bundle(sw, badd.bundle_id);
    if (!bundle) {
        bundle = create_bundle(sw, badd.bundle_id, badd.flags);
    } else if (bundle->closed || bundle->flags != badd.flags) {
        error = (bundle->closed ? OFPERR_OFPBFC_BUNDLE_CLOSED
                 : OFPERR_OFPBFC_BAD_FLAGS);
        bundle_destroy(sw, bundle);
        return error;
    }
    msg = ofpbuf_clone_data(oh, ntohs(oh->length));
    ovs_list_push_back(&bundle->msgs, &msg->list_node);
    return 0;
}

/* Reading. */

static enum ofperr
handle_flow_stats_request(struct simswitch *sw, const struct ofp_header *oh,
                          struct ovs_list *replies)
{
    struct ofputil_flow_stats_request fsr;
    struct ofputil_flow_mod criteria;
    struct ovs_list parts;
    struct simflow **flows;
    enum ofperr error;
    size_t n;

    error = ofputil_decode_flow_stats_request(&fsr, oh, NULL, NULL);
    if (error) {
        return error;
    }
    memset(&criteria, 0, sizeof criteria);
    minimatch_init(&criteria.match, &fsr.match);
    criteria.cookie = fsr.cookie;
    criteria.cookie_mask = fsr.cookie_mask;
    criteria.table_id = fsr.table_id;
    criteria.out_port = fsr.out_port;
    criteria.out_group = fsr.out_group;
    flows = simswitch_collect_flows(sw, &criteria, false, true, &n);
    minimatch_destroy(&criteria.match);

    ofpmp_init(&parts, oh);
    for (size_t i = 0; i < n; i++) {
        const struct simflow *flow = flows[i];
        long long int age_ms = sw->now_ms - flow->created_ms;
        struct ofputil_flow_stats fs = {
            .cookie = flow->cookie,
            .table_id = flow->table_id,
            .priority = flow->priority,
            .idle_timeout = flow->idle_timeout,
            .hard_timeout = flow->hard_timeout,
            .duration_sec = age_ms / 1000,
            .duration_nsec = age_ms % 1000 * 1000000,
            .idle_age = -1,
            .hard_age = -1,
            .packet_count = flow->n_packets,
            .byte_count = flow->n_bytes,
            .ofpacts = flow->ofpacts,
            .ofpacts_len = flow->ofpacts_len,
            .flags = flow->flags,
            .importance = flow->importance,
        };

        minimatch_expand(&flow->match, &fs.match);
        ofputil_append_flow_stats_reply(&fs, &parts, NULL);
    }
    free(flows);
    ovs_list_push_back_all(replies, &parts);
    return 0;
}

static void
handle_group_desc_request(struct simswitch *sw, const struct ofp_header *oh,
                          struct ovs_list *replies)
{
    uint32_t id = ofputil_decode_group_desc_request(oh);
    struct simgroup *group;
    struct ovs_list parts;

    ofpmp_init(&parts, oh);
    HMAP_FOR_EACH (group, node, &sw->groups) {
        if (id == OFPG_ALL || id == group->group_id) {
            struct ofputil_group_desc gd = {
                .type = group->type,
                .group_id = group->group_id,
                .props = group->props,
            };

            ofputil_append_group_desc_reply(&gd, &group->buckets, &parts);
        }
    }
    ovs_list_push_back_all(replies, &parts);
}

static enum ofperr
handle_meter_config_request(struct simswitch *sw, const struct ofp_header *oh,
                            struct ovs_list *replies)
{
    struct simmeter *meter;
    struct ovs_list parts;
    uint32_t id;

    ofputil_decode_meter_request(oh, &id);
    if (id != OFPM13_ALL && !simswitch_meter(sw, id)) {
        return OFPERR_OFPMMFC_UNKNOWN_METER;
    }
    ofpmp_init(&parts, oh);
    HMAP_FOR_EACH (meter, node, &sw->meters) {
        if (id == OFPM13_ALL || id == meter->config.meter_id) {
            ofputil_append_meter_config(&parts, &meter->config);
        }
    }
    ovs_list_push_back_all(replies, &parts);
    return 0;
}

static enum ofperr
handle_message(struct simswitch *sw, const struct ofp_header *oh,
               struct ovs_list *replies)
{
    enum ofptype type;
    enum ofperr error = ofptype_decode(&type, oh);

    if (error) {
        return error;
    }
    switch ((int) type) {
    case OFPTYPE_FLOW_MOD:
        return handle_flow_mod(sw, oh, true);
    case OFPTYPE_GROUP_MOD:
        return handle_group_mod(sw, oh, true);
    case OFPTYPE_METER_MOD:
        return handle_meter_mod(sw, oh);
    case OFPTYPE_BUNDLE_CONTROL:
        return handle_bundle_control(sw, oh, replies);
    case OFPTYPE_BUNDLE_ADD_MESSAGE:
        return handle_bundle_add(sw, oh);
    case OFPTYPE_BARRIER_REQUEST: {
        struct ofpbuf *msg = ofpraw_alloc_reply(OFPRAW_OFPT11_BARRIER_REPLY,
                                                oh, 0);
        ovs_list_push_back(replies, &msg->list_node);
        return 0;
    }
    case OFPTYPE_FLOW_STATS_REQUEST:
        return handle_flow_stats_request(sw, oh, replies);
    case OFPTYPE_GROUP_DESC_STATS_REQUEST:
        handle_group_desc_request(sw, oh, replies);
        return 0;
    case OFPTYPE_METER_CONFIG_STATS_REQUEST:
        return handle_meter_config_request(sw, oh, replies);
    default:
        return OFPERR_OFPBRC_BAD_TYPE;
    }
}

enum ofperr
simswitch_recv(struct simswitch *sw, const struct ofp_header *oh,
               struct ovs_list *replies)
{
    enum ofperr error = handle_message(sw, oh, replies);

    struct ofpbuf *reply;

    if (error) {
        reply_error(sw, error, oh, replies);
    }
    LIST_FOR_EACH (reply, list_node, replies) {
        ofpmsg_update_length(reply);
    }
    return error;
}

enum ofperr
simswitch_send(struct simswitch *sw, struct ofpbuf *msg, struct ds *errors)
{
    struct ovs_list replies = OVS_LIST_INITIALIZER(&replies);
    struct ofpbuf *reply;
    enum ofperr error;

    ofpmsg_update_length(msg);
    error = simswitch_recv(sw, msg->data, &replies);
    LIST_FOR_EACH_POP (reply, list_node, &replies) {
        enum ofptype type;

        if (errors && !ofptype_decode(&type, reply->data)
            && type == OFPTYPE_ERROR) {
            char *s = ofp_to_string(reply->data, reply->size, NULL, NULL, 0);

            ds_put_format(errors, "%s: %s\n", sw->name, s);
            free(s);
        }
        ofpbuf_delete(reply);
    }
    ofpbuf_delete(msg);
    return error;
}

/* Sends a request and calls 'cb' for each part of the reply. */
static void
read_replies(struct simswitch *sw, struct ofpbuf *request,
             void (*cb)(struct ofpbuf *part, void *aux), void *aux)
{
    struct ovs_list replies = OVS_LIST_INITIALIZER(&replies);
    struct ofpbuf *part;

    ofpmsg_update_length(request);
    simswitch_recv(sw, request->data, &replies);
    ofpbuf_delete(request);
    LIST_FOR_EACH_POP (part, list_node, &replies) {
        /* As received: bytes without an idea of where the headers end. */
        struct ofpbuf *received = ofpbuf_clone_data(part->data, part->size);

        cb(received, aux);
        ofpbuf_delete(received);
        ofpbuf_delete(part);
    }
}

static struct ofpbuf *
encode_flow_stats_request(void)
{
    struct ofputil_flow_stats_request fsr = {
        .match = MATCH_CATCHALL_INITIALIZER,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = OFPTT_ALL,
    };

    return ofputil_encode_flow_stats_request(&fsr, SIM_PROTOCOL);
}

static struct ofpbuf *
encode_meter_config_request(void)
{
    return ofputil_encode_meter_request(OFP15_VERSION,
                                        OFPUTIL_METER_CONFIG, OFPM13_ALL);
}

static void
dump_flows_part(struct ofpbuf *part, void *dump_)
{
    struct simdump *dump = dump_;
    struct ofputil_flow_stats fs;
    struct ofpbuf ofpacts;

    ofpbuf_init(&ofpacts, 256);
    while (!ofputil_decode_flow_stats_reply(&fs, part, true, &ofpacts)) {
        fs.ofpacts = xmemdup(fs.ofpacts, fs.ofpacts_len);
        dump->flows = xrealloc(dump->flows,
                               (dump->n_flows + 1) * sizeof *dump->flows);
        dump->flows[dump->n_flows++] = fs;
    }
    ofpbuf_uninit(&ofpacts);
}

static void
dump_groups_part(struct ofpbuf *part, void *dump_)
{
    struct simdump *dump = dump_;

    for (;;) {
        struct ofputil_group_desc *gd = xmalloc(sizeof *gd);

        if (ofputil_decode_group_desc_reply(gd, part, OFP15_VERSION)) {
            free(gd);
            break;
        }
        dump->groups = xrealloc(dump->groups,
                                (dump->n_groups + 1) * sizeof *dump->groups);
        dump->groups[dump->n_groups++] = gd;
    }
}

static void
dump_meters_part(struct ofpbuf *part, void *dump_)
{
    struct simdump *dump = dump_;
    struct ofputil_meter_config config;
    struct ofpbuf bands;

    ofpbuf_init(&bands, 64);
    while (!ofputil_decode_meter_config(part, &config, &bands)) {
        config.bands = xmemdup(config.bands,
                               config.n_bands * sizeof *config.bands);
        dump->meters = xrealloc(dump->meters,
                                (dump->n_meters + 1) * sizeof *dump->meters);
        dump->meters[dump->n_meters++] = config;
    }
    ofpbuf_uninit(&bands);
}

void
simswitch_dump(struct simswitch *sw, struct simdump *dump)
{
    memset(dump, 0, sizeof *dump);
    read_replies(sw, encode_flow_stats_request(), dump_flows_part, dump);
    read_replies(sw, ofputil_encode_group_desc_request(OFP15_VERSION,
                                                       OFPG_ALL),
                 dump_groups_part, dump);
    read_replies(sw, encode_meter_config_request(), dump_meters_part, dump);
}

void
simdump_destroy(struct simdump *dump)
{
    for (size_t i = 0; i < dump->n_flows; i++) {
        free(CONST_CAST(struct ofpact *, dump->flows[i].ofpacts));
    }
    free(dump->flows);
    for (size_t i = 0; i < dump->n_groups; i++) {
        ofputil_uninit_group_desc(dump->groups[i]);
        free(dump->groups[i]);
    }
    free(dump->groups);
    for (size_t i = 0; i < dump->n_meters; i++) {
        free(dump->meters[i].bands);
    }
    free(dump->meters);
}

void
simswitch_format_flows(struct simswitch *sw, struct ds *s)
{
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        size_t n;

        if (!sw->tables[i].n_flows) {
            continue;
        }
        struct simflow **flows = simtable_flows(&sw->tables[i], &n);
        for (size_t j = 0; j < n; j++) {
            struct ofpact_format_params fp = { .s = s };

            ds_put_format(s, "cookie=%#"PRIx64",table=%d,",
                          ntohll(flows[j]->cookie), flows[j]->table_id);
            minimatch_format(&flows[j]->match, NULL, NULL, s,
                             flows[j]->priority);
            /* The default priority is left out by the formatter. */
            ds_put_cstr(s, ds_last(s) == ' ' || ds_last(s) == ','
                        ? "" : ",");
            ds_put_cstr(s, "actions=");
            ofpacts_format(flows[j]->ofpacts, flows[j]->ofpacts_len, &fp);
            ds_put_char(s, '\n');
        }
        free(flows);
    }
}

static void
format_groups_part(struct ofpbuf *part, void *text)
{
    ofputil_group_desc_format(text, part->data, NULL, NULL);
}

void
simswitch_format_groups(struct simswitch *sw, struct ds *s)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const char *line;
    size_t i;

    read_replies(sw, ofputil_encode_group_desc_request(OFP15_VERSION,
                                                       OFPG_ALL),
                 format_groups_part, &text);
    for (char *save, *token = strtok_r(ds_cstr(&text), "\n", &save);
         token; token = strtok_r(NULL, "\n", &save)) {
        svec_add(&lines, token + strspn(token, " "));
    }
    svec_sort(&lines);
    SVEC_FOR_EACH (i, line, &lines) {
        ds_put_format(s, "%s\n", line);
    }
    svec_destroy(&lines);
    ds_destroy(&text);
}

void
simswitch_format_meters(struct simswitch *sw, struct ds *s)
{
    struct simmeter *meter;

    HMAP_FOR_EACH (meter, node, &sw->meters) {
        ofputil_format_meter_config(s, &meter->config);
        ds_put_char(s, '\n');
    }
}
