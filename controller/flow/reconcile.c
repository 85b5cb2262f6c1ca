/* SPDX-License-Identifier: Apache-2.0 */

/* What a bridge holds, against what it should hold: see the header.
 *
 * What is installed is turned into the same items as what is desired, so that
 * the comparison is a merge of two deltas: everything installed goes, then
 * everything desired comes, and what is equal cancels out. */

#include <config.h>
#include "controller/flow/reconcile.h"

#include <stdlib.h>
#include "byte-order.h"
#include "controller/flow/desired.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

struct installed {
    struct dflow **flows;      size_t n_flows, allocated_flows;
    struct dgroup **groups;    size_t n_groups, allocated_groups;
    struct dmeter **meters;    size_t n_meters, allocated_meters;
};

struct installed *
installed_create(void)
{
    return xzalloc(sizeof(struct installed));
}

void
installed_destroy(struct installed *installed)
{
    if (installed) {
        for (size_t i = 0; i < installed->n_flows; i++) {
            dflow_unref(installed->flows[i]);
        }
        for (size_t i = 0; i < installed->n_groups; i++) {
            dgroup_unref(installed->groups[i]);
        }
        for (size_t i = 0; i < installed->n_meters; i++) {
            dmeter_unref(installed->meters[i]);
        }
        free(installed->flows);
        free(installed->groups);
        free(installed->meters);
        free(installed);
    }
}

struct ofpbuf *
installed_flows_request(void)
{
    struct ofputil_flow_stats_request fsr = {
        .aggregate = false,
        .match = MATCH_CATCHALL_INITIALIZER,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .table_id = OFPTT_ALL,
    };

    return ofputil_encode_flow_stats_request(&fsr, OFPUTIL_P_OF15_OXM);
}

struct ofpbuf *
installed_groups_request(void)
{
    return ofputil_encode_group_desc_request(OFP15_VERSION, OFPG_ALL);
}

struct ofpbuf *
installed_meters_request(void)
{
    return ofputil_encode_meter_request(OFP15_VERSION, OFPUTIL_METER_CONFIG,
                                        OFPM13_ALL);
}

size_t
installed_count_flows(const struct installed *installed)
{
    return installed->n_flows;
}

static enum ofperr
add_flows(struct installed *installed, struct ofpbuf *msg)
{
    struct ofpbuf ofpacts;
    enum ofperr error = 0;

    ofpbuf_init(&ofpacts, 256);
    for (;;) {
        struct ofputil_flow_stats fs;
        int retval;

        ofpbuf_clear(&ofpacts);
        retval = ofputil_decode_flow_stats_reply(&fs, msg, false, &ofpacts);
        if (retval) {
            error = retval == EOF ? 0 : OFPERR_OFPBRC_BAD_LEN;
            break;
        }
        /* Timeouts and flags are none that we set, so such a flow is to be
         * replaced: its cookie, which no object of ours has, sees to it. */
        bool foreign = fs.idle_timeout || fs.hard_timeout || fs.flags
                       || fs.importance;
        struct dflow *flow
            = dflow_try_create(fs.table_id, fs.priority, &fs.match,
                               foreign ? UINT64_MAX - 1 : ntohll(fs.cookie),
                               &ofpacts);
        if (!flow) {
            error = OFPERR_OFPBAC_BAD_ARGUMENT;
            break;
        }
        if (installed->n_flows >= installed->allocated_flows) {
            installed->flows = x2nrealloc(installed->flows,
                                          &installed->allocated_flows,
                                          sizeof *installed->flows);
        }
        installed->flows[installed->n_flows++] = flow;
    }
    ofpbuf_uninit(&ofpacts);
    return error;
}

static enum ofperr
add_groups(struct installed *installed, struct ofpbuf *msg)
{
    for (;;) {
        struct ofputil_group_desc gd;
        int retval;

        retval = ofputil_decode_group_desc_reply(&gd, msg, OFP15_VERSION);
        if (retval) {
            return retval == EOF ? 0 : OFPERR_OFPBRC_BAD_LEN;
        }
        struct dgroup *group = dgroup_try_create(gd.group_id, 0, gd.type,
                                                 &gd.buckets, &gd.props);
        ofputil_uninit_group_desc(&gd);
        if (!group) {
            return OFPERR_OFPGMFC_INVALID_GROUP;
        }
        if (installed->n_groups >= installed->allocated_groups) {
            installed->groups = x2nrealloc(installed->groups,
                                           &installed->allocated_groups,
                                           sizeof *installed->groups);
        }
        installed->groups[installed->n_groups++] = group;
    }
}

static enum ofperr
add_meters(struct installed *installed, struct ofpbuf *msg)
{
    struct ofpbuf bands;
    enum ofperr error = 0;

    ofpbuf_init(&bands, 64);
    for (;;) {
        struct ofputil_meter_config mc;
        struct dmeter *meter;
        int retval;

        retval = ofputil_decode_meter_config(msg, &mc, &bands);
        if (retval) {
            error = retval == EOF ? 0 : OFPERR_OFPBRC_BAD_LEN;
            break;
        }
        if (mc.meter_id > OFPM13_MAX) {
            continue;           /* The bridge's own, for slow paths. */
        }
        meter = dmeter_create(mc.meter_id,
                              mc.n_bands ? mc.bands[0].rate : 0,
                              mc.n_bands ? mc.bands[0].burst_size : 0);
        meter->flags = (mc.n_bands == 1 && mc.bands[0].type == OFPMBT13_DROP
                        ? mc.flags : 0);
        if (installed->n_meters >= installed->allocated_meters) {
            installed->meters = x2nrealloc(installed->meters,
                                           &installed->allocated_meters,
                                           sizeof *installed->meters);
        }
        installed->meters[installed->n_meters++] = meter;
    }
    ofpbuf_uninit(&bands);
    return error;
}

enum ofperr
installed_add(struct installed *installed, const struct ofp_header *oh,
              bool *more)
{
    struct ofpbuf msg = ofpbuf_const_initializer(oh, ntohs(oh->length));
    enum ofptype type;
    enum ofperr error;

    *more = false;
    if (oh->version != OFP15_VERSION) {
        return OFPERR_OFPBRC_BAD_VERSION;
    }
    error = ofptype_decode(&type, oh);
    if (error) {
        return error;
    }
    switch ((int) type) {
    case OFPTYPE_FLOW_STATS_REPLY:
        error = add_flows(installed, &msg);
        break;
    case OFPTYPE_GROUP_DESC_STATS_REPLY:
        error = add_groups(installed, &msg);
        break;
    case OFPTYPE_METER_CONFIG_STATS_REPLY:
        error = add_meters(installed, &msg);
        break;
    default:
        return OFPERR_OFPBRC_BAD_TYPE;
    }
    if (!error) {
        *more = ofpmp_more(oh);
    }
    return error;
}

void
reconcile(const struct installed *installed, const struct scope *const *scopes,
          size_t n_scopes, struct delta *delta)
{
    struct delta diff;

    delta_init(&diff);
    for (size_t i = 0; i < installed->n_meters; i++) {
        delta_meter(&diff, installed->meters[i], NULL);
    }
    for (size_t i = 0; i < installed->n_groups; i++) {
        delta_group(&diff, installed->groups[i], NULL);
    }
    for (size_t i = 0; i < installed->n_flows; i++) {
        delta_flow(&diff, installed->flows[i], NULL);
    }
    for (size_t i = 0; i < n_scopes; i++) {
        scope_add_all(scopes[i], &diff);
    }
    delta_merge(delta, &diff);
    delta_uninit(&diff);
}
