/* SPDX-License-Identifier: Apache-2.0 */

/* Deltas: what changes, merged, and as messages in a safe order. */

#include <config.h>
#include "controller/flow/desired.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "hash.h"
#include "sort.h"
#include "svec.h"
#include "util.h"

void
delta_init(struct delta *delta)
{
    memset(delta, 0, sizeof *delta);
    hmap_init(&delta->flows_index);
    hmap_init(&delta->groups_index);
    hmap_init(&delta->meters_index);
}

void
delta_clear(struct delta *delta)
{
    for (size_t i = 0; i < delta->n_flows; i++) {
        dflow_unref(delta->flows[i]->key);
        dflow_unref(delta->flows[i]->old);
        dflow_unref(delta->flows[i]->new);
        free(delta->flows[i]);
    }
    for (size_t i = 0; i < delta->n_groups; i++) {
        dgroup_unref(delta->groups[i]->old);
        dgroup_unref(delta->groups[i]->new);
        free(delta->groups[i]);
    }
    for (size_t i = 0; i < delta->n_meters; i++) {
        dmeter_unref(delta->meters[i]->old);
        dmeter_unref(delta->meters[i]->new);
        free(delta->meters[i]);
    }
    delta->n_flows = delta->n_groups = delta->n_meters = 0;
    hmap_clear(&delta->flows_index);
    hmap_clear(&delta->groups_index);
    hmap_clear(&delta->meters_index);
}

void
delta_uninit(struct delta *delta)
{
    delta_clear(delta);
    free(delta->flows);
    free(delta->groups);
    free(delta->meters);
    hmap_destroy(&delta->flows_index);
    hmap_destroy(&delta->groups_index);
    hmap_destroy(&delta->meters_index);
}

struct delta *
delta_create(void)
{
    struct delta *delta = xmalloc(sizeof *delta);

    delta_init(delta);
    return delta;
}

void
delta_destroy(struct delta *delta)
{
    if (delta) {
        delta_uninit(delta);
        free(delta);
    }
}

/* An item that was mentioned before keeps the 'old' that it had then. */

void
delta_flow(struct delta *delta, const struct dflow *old,
           const struct dflow *new)
{
    const struct dflow *key = old ? old : new;
    struct delta_flow *item;

    HMAP_FOR_EACH_WITH_HASH (item, hmap_node, key->hash,
                             &delta->flows_index) {
        if (dflow_same_key(item->key, key)) {
            struct dflow *before = item->new;

            item->new = dflow_ref(new);
            dflow_unref(before);
            return;
        }
    }
    item = xmalloc(sizeof *item);
    item->key = dflow_ref(key);
    item->old = dflow_ref(old);
    item->new = dflow_ref(new);
    hmap_insert(&delta->flows_index, &item->hmap_node, key->hash);
    if (delta->n_flows >= delta->allocated_flows) {
        delta->flows = x2nrealloc(delta->flows, &delta->allocated_flows,
                                  sizeof *delta->flows);
    }
    delta->flows[delta->n_flows++] = item;
}

void
delta_group(struct delta *delta, const struct dgroup *old,
            const struct dgroup *new)
{
    uint32_t id = old ? old->group_id : new->group_id;
    struct delta_group *item;

    HMAP_FOR_EACH_WITH_HASH (item, hmap_node, id, &delta->groups_index) {
        if (item->group_id == id) {
            struct dgroup *before = item->new;

            item->new = dgroup_ref(new);
            dgroup_unref(before);
            return;
        }
    }
    item = xmalloc(sizeof *item);
    item->group_id = id;
    item->old = dgroup_ref(old);
    item->new = dgroup_ref(new);
    hmap_insert(&delta->groups_index, &item->hmap_node, id);
    if (delta->n_groups >= delta->allocated_groups) {
        delta->groups = x2nrealloc(delta->groups, &delta->allocated_groups,
                                   sizeof *delta->groups);
    }
    delta->groups[delta->n_groups++] = item;
}

void
delta_meter(struct delta *delta, const struct dmeter *old,
            const struct dmeter *new)
{
    uint32_t id = old ? old->meter_id : new->meter_id;
    struct delta_meter *item;

    HMAP_FOR_EACH_WITH_HASH (item, hmap_node, id, &delta->meters_index) {
        if (item->meter_id == id) {
            struct dmeter *before = item->new;

            item->new = dmeter_ref(new);
            dmeter_unref(before);
            return;
        }
    }
    item = xmalloc(sizeof *item);
    item->meter_id = id;
    item->old = dmeter_ref(old);
    item->new = dmeter_ref(new);
    hmap_insert(&delta->meters_index, &item->hmap_node, id);
    if (delta->n_meters >= delta->allocated_meters) {
        delta->meters = x2nrealloc(delta->meters, &delta->allocated_meters,
                                   sizeof *delta->meters);
    }
    delta->meters[delta->n_meters++] = item;
}

void
delta_merge(struct delta *dst, const struct delta *src)
{
    for (size_t i = 0; i < src->n_meters; i++) {
        const struct delta_meter *m = src->meters[i];

        if (m->old || m->new) {
            delta_meter(dst, m->old, m->new);
        }
    }
    for (size_t i = 0; i < src->n_groups; i++) {
        const struct delta_group *g = src->groups[i];

        if (g->old || g->new) {
            delta_group(dst, g->old, g->new);
        }
    }
    for (size_t i = 0; i < src->n_flows; i++) {
        const struct delta_flow *f = src->flows[i];

        if (f->old || f->new) {
            delta_flow(dst, f->old, f->new);
        }
    }
}

void
delta_merge_reverse(struct delta *dst, const struct delta *src)
{
    for (size_t i = 0; i < src->n_meters; i++) {
        const struct delta_meter *m = src->meters[i];

        if (m->old || m->new) {
            delta_meter(dst, m->new, m->old);
        }
    }
    for (size_t i = 0; i < src->n_groups; i++) {
        const struct delta_group *g = src->groups[i];

        if (g->old || g->new) {
            delta_group(dst, g->new, g->old);
        }
    }
    for (size_t i = 0; i < src->n_flows; i++) {
        const struct delta_flow *f = src->flows[i];

        if (f->old || f->new) {
            delta_flow(dst, f->new, f->old);
        }
    }
}

/* What an item comes to. */
enum change { CHANGE_NONE, CHANGE_ADD, CHANGE_MODIFY, CHANGE_REMOVE };

static enum change
change_of(const void *old, const void *new, bool equal)
{
    return (old && new ? (equal ? CHANGE_NONE : CHANGE_MODIFY)
            : new ? CHANGE_ADD
            : old ? CHANGE_REMOVE
            : CHANGE_NONE);
}

static enum change
flow_change(const struct delta_flow *f)
{
    return change_of(f->old, f->new,
                     f->old && f->new && dflow_equal(f->old, f->new));
}

static enum change
group_change(const struct delta_group *g)
{
    return change_of(g->old, g->new,
                     g->old && g->new && dgroup_equal(g->old, g->new));
}

static enum change
meter_change(const struct delta_meter *m)
{
    return change_of(m->old, m->new,
                     m->old && m->new && dmeter_equal(m->old, m->new));
}

static void
count_one(enum change change, size_t *added, size_t *modified,
          size_t *removed)
{
    *added += change == CHANGE_ADD;
    *modified += change == CHANGE_MODIFY;
    *removed += change == CHANGE_REMOVE;
}

void
delta_count(const struct delta *delta, struct delta_counts *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < delta->n_flows; i++) {
        count_one(flow_change(delta->flows[i]), &c->flows_added,
                  &c->flows_modified, &c->flows_removed);
    }
    for (size_t i = 0; i < delta->n_groups; i++) {
        count_one(group_change(delta->groups[i]), &c->groups_added,
                  &c->groups_modified, &c->groups_removed);
    }
    for (size_t i = 0; i < delta->n_meters; i++) {
        count_one(meter_change(delta->meters[i]), &c->meters_added,
                  &c->meters_modified, &c->meters_removed);
    }
}

bool
delta_is_empty(const struct delta *delta)
{
    for (size_t i = 0; i < delta->n_flows; i++) {
        if (flow_change(delta->flows[i]) != CHANGE_NONE) {
            return false;
        }
    }
    for (size_t i = 0; i < delta->n_groups; i++) {
        if (group_change(delta->groups[i]) != CHANGE_NONE) {
            return false;
        }
    }
    for (size_t i = 0; i < delta->n_meters; i++) {
        if (meter_change(delta->meters[i]) != CHANGE_NONE) {
            return false;
        }
    }
    return true;
}

/* Messages. */

static void
dmsgs_add(struct dmsgs *msgs, const struct ofpbuf *msg, struct ofpbuf *owned)
{
    if (msgs->n >= msgs->allocated) {
        msgs->msgs = x2nrealloc(msgs->msgs, &msgs->allocated,
                                sizeof *msgs->msgs);
    }
    msgs->msgs[msgs->n++] = (struct dmsg) { .msg = msg, .owned = owned };
}

static void
dmsgs_add_owned(struct dmsgs *msgs, struct ofpbuf *msg)
{
    struct ofp_header *oh = msg->data;

    ofpmsg_update_length(msg);
    oh->xid = 0;
    dmsgs_add(msgs, msg, msg);
}

void
dmsgs_uninit(struct dmsgs *msgs)
{
    for (size_t i = 0; i < msgs->n; i++) {
        ofpbuf_delete(msgs->msgs[i].owned);
    }
    free(msgs->msgs);
    memset(msgs, 0, sizeof *msgs);
}

static struct ofpbuf *
meter_message(uint16_t command, const struct dmeter *meter)
{
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP,
        .rate = meter->rate,
        .burst_size = meter->burst_size,
    };
    struct ofputil_meter_mod mm = {
        .command = command,
        .meter = {
            .meter_id = meter->meter_id,
            .flags = meter->flags,
            .n_bands = command == OFPMC13_DELETE ? 0 : 1,
            .bands = &band,
        },
    };

    return ofputil_encode_meter_mod(OFP15_VERSION, &mm);
}

static struct ofpbuf *
group_delete_message(uint32_t group_id)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC11_DELETE,
        .group_id = group_id,
        .command_bucket_id = OFPG15_BUCKET_ALL,
    };

    ovs_list_init(&gm.buckets);
    return ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1);
}

static struct ofpbuf *
flow_delete_message(const struct dflow *flow)
{
    struct ofputil_flow_mod fm = {
        .priority = flow->priority,
        .table_id = flow->table_id,
        .command = OFPFC_DELETE_STRICT,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
    };
    struct ofpbuf *msg;

    minimatch_clone(&fm.match, &flow->match);
    msg = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM);
    minimatch_destroy(&fm.match);
    return msg;
}

/* Groups by rank, lowest first, since a group may name only what exists. */
static void
groups_to_messages(const struct delta *delta, struct dmsgs *msgs)
{
    unsigned int max_rank = 0;

    for (size_t i = 0; i < delta->n_groups; i++) {
        const struct dgroup *new = delta->groups[i]->new;

        max_rank = MAX(max_rank, new ? new->rank : 0);
    }
    for (unsigned int rank = 0; rank <= max_rank; rank++) {
        for (size_t i = 0; i < delta->n_groups; i++) {
            const struct dgroup *new = delta->groups[i]->new;

            if (new && new->rank == rank
                && group_change(delta->groups[i]) != CHANGE_NONE) {
                dmsgs_add(msgs, new->msg, NULL);
            }
        }
    }
}

void
delta_to_messages(const struct delta *delta, struct dmsgs *msgs)
{
    memset(msgs, 0, sizeof *msgs);
    for (size_t i = 0; i < delta->n_meters; i++) {
        const struct delta_meter *m = delta->meters[i];
        enum change change = meter_change(m);

        if (change == CHANGE_ADD || change == CHANGE_MODIFY) {
            dmsgs_add_owned(msgs, meter_message(change == CHANGE_ADD
                                                ? OFPMC13_ADD
                                                : OFPMC13_MODIFY, m->new));
        }
    }
    msgs->n_before = msgs->n;

    groups_to_messages(delta, msgs);
    for (size_t i = 0; i < delta->n_flows; i++) {
        enum change change = flow_change(delta->flows[i]);

        if (change == CHANGE_ADD || change == CHANGE_MODIFY) {
            dmsgs_add(msgs, delta->flows[i]->new->msg, NULL);
        }
    }
    for (size_t i = 0; i < delta->n_flows; i++) {
        if (flow_change(delta->flows[i]) == CHANGE_REMOVE) {
            dmsgs_add_owned(msgs, flow_delete_message(delta->flows[i]->old));
        }
    }
    for (size_t i = 0; i < delta->n_groups; i++) {
        if (group_change(delta->groups[i]) == CHANGE_REMOVE) {
            dmsgs_add_owned(msgs,
                            group_delete_message(delta->groups[i]->group_id));
        }
    }
    msgs->n_bundle = msgs->n - msgs->n_before;

    for (size_t i = 0; i < delta->n_meters; i++) {
        if (meter_change(delta->meters[i]) == CHANGE_REMOVE) {
            dmsgs_add_owned(msgs, meter_message(OFPMC13_DELETE,
                                                delta->meters[i]->old));
        }
    }
}

/* Text. */

static void
add_line(struct svec *lines, char sign, struct ds *ds)
{
    svec_add_nocopy(lines, xasprintf("%c %s", sign, ds_cstr(ds)));
    ds_clear(ds);
}

void
delta_format(const struct delta *delta, const char *const *table_names,
             size_t n_tables, struct ds *out)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < delta->n_meters; i++) {
        const struct delta_meter *m = delta->meters[i];
        enum change change = meter_change(m);

        if (m->old && change >= CHANGE_MODIFY) {
            dmeter_format(m->old, &ds);
            add_line(&lines, '-', &ds);
        }
        if (m->new && change != CHANGE_NONE) {
            dmeter_format(m->new, &ds);
            add_line(&lines, '+', &ds);
        }
    }
    for (size_t i = 0; i < delta->n_groups; i++) {
        const struct delta_group *g = delta->groups[i];
        enum change change = group_change(g);

        if (g->old && change >= CHANGE_MODIFY) {
            dgroup_format(g->old, &ds);
            add_line(&lines, '-', &ds);
        }
        if (g->new && change != CHANGE_NONE) {
            dgroup_format(g->new, &ds);
            add_line(&lines, '+', &ds);
        }
    }
    for (size_t i = 0; i < delta->n_flows; i++) {
        const struct delta_flow *f = delta->flows[i];
        enum change change = flow_change(f);

        if (f->old && change >= CHANGE_MODIFY) {
            dflow_format(f->old, table_names, n_tables, &ds);
            add_line(&lines, '-', &ds);
        }
        if (f->new && change != CHANGE_NONE) {
            dflow_format(f->new, table_names, n_tables, &ds);
            add_line(&lines, '+', &ds);
        }
    }
    svec_sort(&lines);
    for (size_t i = 0; i < lines.n; i++) {
        ds_put_format(out, "%s\n", lines.names[i]);
    }
    svec_destroy(&lines);
    ds_destroy(&ds);
}
