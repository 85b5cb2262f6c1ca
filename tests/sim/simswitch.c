/* SPDX-License-Identifier: Apache-2.0 */

/* Simulated switch: ports, flows, groups and meters, and what a decoded change
 * does to them.  Messages are in simswitch-msg.c, packets in
 * simswitch-xlate.c. */

#include <config.h>
#include "tests/sim/simswitch-private.h"

#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "util.h"

#define SIM_MAX_BANDS 1         /* As the userspace datapath has it, tried. */

/* Life. */

void
simgroup_unref(struct simgroup *group)
{
    if (group && !--group->ref_cnt) {
        ofputil_bucket_list_destroy(&group->buckets);
        ofputil_group_properties_destroy(&group->props);
        free(group);
    }
}

static void
meter_destroy(struct simmeter *meter)
{
    free(meter->config.bands);
    free(meter->tokens);
    free(meter);
}

void
simswitch_init(struct simswitch *sw, const char *name)
{
    memset(sw, 0, sizeof *sw);
    sw->name = xstrdup(name);
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        simtable_init(&sw->tables[i]);
    }
    hmap_init(&sw->groups);
    hmap_init(&sw->meters);
    hmap_init(&sw->ports);
    hmap_init(&sw->bundles);
}

void
simswitch_restart(struct simswitch *sw)
{
    struct simgroup *group;
    struct simmeter *meter;

    simswitch_disconnect(sw);
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        simtable_clear(&sw->tables[i]);
    }
    HMAP_FOR_EACH_POP (group, node, &sw->groups) {
        simgroup_unref(group);
    }
    HMAP_FOR_EACH_POP (meter, node, &sw->meters) {
        meter_destroy(meter);
    }
}

void
simswitch_destroy(struct simswitch *sw)
{
    struct simport *port;

    simswitch_restart(sw);
    HMAP_FOR_EACH_SAFE (port, node, &sw->ports) {
        simswitch_del_port(sw, port->ofp_port);
    }
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        simtable_destroy(&sw->tables[i]);
    }
    hmap_destroy(&sw->groups);
    hmap_destroy(&sw->meters);
    hmap_destroy(&sw->ports);
    hmap_destroy(&sw->bundles);
    free(sw->name);
}

/* Ports. */

struct simport *
simswitch_add_port(struct simswitch *sw, ofp_port_t ofp_port,
                   const char *name, enum simport_kind kind, ovs_be32 remote)
{
    struct simport *port = xzalloc(sizeof *port);

    ovs_assert(!simswitch_port(sw, ofp_port));
    port->ofp_port = ofp_port;
    port->name = xstrdup(name);
    port->kind = kind;
    port->remote = remote;
    port->up = true;
    hmap_insert(&sw->ports, &port->node, hash_ofp_port(ofp_port));
    return port;
}

void
simswitch_del_port(struct simswitch *sw, ofp_port_t ofp_port)
{
    struct simport *port = simswitch_port(sw, ofp_port);

    if (port) {
        hmap_remove(&sw->ports, &port->node);
        free(port->name);
        free(port);
    }
}

struct simport *
simswitch_port(const struct simswitch *sw, ofp_port_t ofp_port)
{
    struct simport *port;

    HMAP_FOR_EACH_WITH_HASH (port, node, hash_ofp_port(ofp_port),
                             &sw->ports) {
        if (port->ofp_port == ofp_port) {
            return port;
        }
    }
    return NULL;
}

struct simport *
simswitch_port_by_name(const struct simswitch *sw, const char *name)
{
    struct simport *port;

    HMAP_FOR_EACH (port, node, &sw->ports) {
        if (!strcmp(port->name, name)) {
            return port;
        }
    }
    return NULL;
}

struct simport *
simswitch_tunnel_rx(const struct simswitch *sw, ovs_be32 src)
{
    struct simport *by_flow = NULL;
    struct simport *port;

    HMAP_FOR_EACH (port, node, &sw->ports) {
        if (port->kind == SIMPORT_TUNNEL_FIXED && port->remote == src) {
            return port;
        } else if (port->kind == SIMPORT_TUNNEL_FLOW) {
            by_flow = port;
        }
    }
    return by_flow;
}

/* Groups and meters. */

static struct simgroup *
find_group(const struct simswitch *sw, uint32_t id)
{
    struct simgroup *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, hash_int(id, 0), &sw->groups) {
        if (group->group_id == id) {
            return group;
        }
    }
    return NULL;
}

static struct simmeter *
find_meter(const struct simswitch *sw, uint32_t id)
{
    struct simmeter *meter;

    HMAP_FOR_EACH_WITH_HASH (meter, node, hash_int(id, 0), &sw->meters) {
        if (meter->config.meter_id == id) {
            return meter;
        }
    }
    return NULL;
}

const struct simgroup *
simswitch_group(const struct simswitch *sw, uint32_t id)
{
    return find_group(sw, id);
}

const struct simmeter *
simswitch_meter(const struct simswitch *sw, uint32_t id)
{
    return find_meter(sw, id);
}

void
simswitch_insert_group(struct simswitch *sw, struct simgroup *group)
{
    hmap_insert(&sw->groups, &group->node, hash_int(group->group_id, 0));
}

/* True if the flow names the group (OFPACT_GROUP) or meter (OFPACT_METER)
 * 'id'. */
static bool
flow_refers_to(const struct simflow *flow, enum ofpact_type type, uint32_t id)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH_FLATTENED (a, flow->ofpacts, flow->ofpacts_len) {
        if (a->type == type
            && (type == OFPACT_GROUP ? ofpact_get_GROUP(a)->group_id
                : ofpact_get_METER(a)->meter_id) == id) {
            return true;
        }
    }
    return false;
}

/* A bridge deletes the flows that name a deleted group or meter. */
static void
delete_referring_flows(struct simswitch *sw, enum ofpact_type type,
                       uint32_t id)
{
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        size_t n;

        if (!sw->tables[i].n_flows) {
            continue;
        }
        struct simflow **flows = simtable_unsorted(&sw->tables[i], &n);
        for (size_t j = 0; j < n; j++) {
            if ((type == OFPACT_GROUP ? flows[j]->has_group
                 : flows[j]->has_meter)
                && flow_refers_to(flows[j], type, id)) {
                simtable_remove(&sw->tables[i], flows[j]);
            }
        }
        free(flows);
    }
}

static void
delete_group(struct simswitch *sw, struct simgroup *group)
{
    delete_referring_flows(sw, OFPACT_GROUP, group->group_id);
    hmap_remove(&sw->groups, &group->node);
    simgroup_unref(group);
}

/* Checks as OVS does when a group is made. */
static enum ofperr
check_group(const struct ofputil_group_mod *gm)
{
    if (gm->group_id > OFPG_MAX) {
        return OFPERR_OFPGMFC_INVALID_GROUP;
    }
    if (gm->type > OFPGT11_FF) {
        return OFPERR_OFPGMFC_BAD_TYPE;
    }
    return 0;
}

static struct simgroup *
make_group(const struct ofputil_group_mod *gm)
{
    struct simgroup *group = xzalloc(sizeof *group);

    group->ref_cnt = 1;
    group->group_id = gm->group_id;
    group->type = gm->type;
    ovs_list_init(&group->buckets);
    ofputil_bucket_clone_list(&group->buckets, &gm->buckets, NULL);
    ofputil_group_properties_copy(&group->props, &gm->props);
    return group;
}

/* INSERT_BUCKET and REMOVE_BUCKET: fills 'group', which has the buckets that
 * are to be inserted, with those of 'old'. */
static enum ofperr
merge_buckets(struct simgroup *group, const struct simgroup *old,
              const struct ofputil_group_mod *gm)
{
    uint32_t id = gm->command_bucket_id;

    if (gm->command == OFPGC15_REMOVE_BUCKET) {
        const struct ofputil_bucket *skip;

        if (id == OFPG15_BUCKET_ALL || ovs_list_is_empty(&old->buckets)) {
            return 0;
        }
        skip = (id == OFPG15_BUCKET_FIRST
                ? ofputil_bucket_list_front(&old->buckets)
                : id == OFPG15_BUCKET_LAST
                ? ofputil_bucket_list_back(&old->buckets)
                : ofputil_bucket_find(&old->buckets, id));
        if (!skip) {
            return OFPERR_OFPGMFC_UNKNOWN_BUCKET;
        }
        ofputil_bucket_clone_list(&group->buckets, &old->buckets, skip);
        return 0;
    }

    struct ovs_list added;
    struct ovs_list *before;

    ovs_list_init(&added);
    if (!ovs_list_is_empty(&group->buckets)) {
        ovs_list_splice(&added, group->buckets.next, &group->buckets);
    }
    ofputil_bucket_clone_list(&group->buckets, &old->buckets, NULL);
    if (id == OFPG15_BUCKET_FIRST) {
        before = group->buckets.next;
    } else if (id == OFPG15_BUCKET_LAST) {
        before = &group->buckets;
    } else {
        struct ofputil_bucket *after = ofputil_bucket_find(&group->buckets,
                                                           id);
        before = after ? after->list_node.next : NULL;
    }
    if (!before) {
        ofputil_bucket_list_destroy(&added);
        return OFPERR_OFPGMFC_UNKNOWN_BUCKET;
    }
    if (!ovs_list_is_empty(&added)) {
        ovs_list_splice(before, added.next, &added);
    }
    return ofputil_bucket_check_duplicate_id(&group->buckets)
           ? OFPERR_OFPGMFC_BUCKET_EXISTS : 0;
}

static enum ofperr
modify_group(struct simswitch *sw, struct ofputil_group_mod *gm,
             struct simgroup *old)
{
    struct simgroup *group;
    enum ofperr error = check_group(gm);

    if (error) {
        return error;
    }
    group = make_group(gm);
    if (gm->command == OFPGC15_INSERT_BUCKET
        || gm->command == OFPGC15_REMOVE_BUCKET) {
        group->type = old->type;
        ofputil_group_properties_destroy(&group->props);
        ofputil_group_properties_copy(&group->props, &old->props);
        error = merge_buckets(group, old, gm);
        if (error) {
            simgroup_unref(group);
            return error;
        }
    }
    hmap_remove(&sw->groups, &old->node);
    simgroup_unref(old);
    simswitch_insert_group(sw, group);
    return 0;
}

enum ofperr
simswitch_apply_group_mod(struct simswitch *sw, struct ofputil_group_mod *gm)
{
    struct simgroup *old = find_group(sw, gm->group_id);
    enum ofperr error;

    sw->n_group_mods++;
    switch (gm->command) {
    case OFPGC11_ADD:
    case OFPGC11_ADD_OR_MOD:
        if (old) {
            return (gm->command == OFPGC11_ADD ? OFPERR_OFPGMFC_GROUP_EXISTS
                    : modify_group(sw, gm, old));
        }
        error = check_group(gm);
        if (!error) {
            simswitch_insert_group(sw, make_group(gm));
        }
        return error;

    case OFPGC11_MODIFY:
    case OFPGC15_INSERT_BUCKET:
    case OFPGC15_REMOVE_BUCKET:
        return old ? modify_group(sw, gm, old) : OFPERR_OFPGMFC_UNKNOWN_GROUP;

    case OFPGC11_DELETE:
        if (gm->group_id == OFPG_ALL) {
            HMAP_FOR_EACH_SAFE (old, node, &sw->groups) {
                delete_group(sw, old);
            }
        } else if (old) {
            delete_group(sw, old);
        }
        return 0;

    default:
        return OFPERR_OFPGMFC_BAD_COMMAND;
    }
}

static void
delete_meter(struct simswitch *sw, struct simmeter *meter)
{
    delete_referring_flows(sw, OFPACT_METER, meter->config.meter_id);
    hmap_remove(&sw->meters, &meter->node);
    meter_destroy(meter);
}

static void
configure_meter(struct simswitch *sw, struct simmeter *meter,
                const struct ofputil_meter_config *config)
{
    free(meter->config.bands);
    free(meter->tokens);
    meter->config = *config;
    meter->config.bands = xmemdup(config->bands,
                                  config->n_bands * sizeof *config->bands);
    meter->tokens = xcalloc(config->n_bands + 1, sizeof *meter->tokens);
    for (size_t i = 0; i < config->n_bands; i++) {
        const struct ofputil_meter_band *band = &config->bands[i];
        uint64_t burst = band->burst_size ? band->burst_size : band->rate;

        meter->tokens[i] = burst * 1000;
    }
    meter->used_ms = sw->now_ms;
}

enum ofperr
simswitch_apply_meter_mod(struct simswitch *sw, const struct ofputil_meter_mod *mm)
{
    uint32_t id = mm->meter.meter_id;
    struct simmeter *meter = find_meter(sw, id);

    sw->n_meter_mods++;
    if (mm->command == OFPMC13_DELETE) {
        if (id == OFPM13_ALL) {
            HMAP_FOR_EACH_SAFE (meter, node, &sw->meters) {
                delete_meter(sw, meter);
            }
        } else if (meter) {
            delete_meter(sw, meter);
        }
        return 0;
    }
    if (!id || (id > OFPM13_MAX && id != OFPM13_SLOWPATH
                && id != OFPM13_CONTROLLER)) {
        return OFPERR_OFPMMFC_INVALID_METER;
    }
    if (mm->meter.n_bands > SIM_MAX_BANDS) {
        return OFPERR_OFPMMFC_OUT_OF_BANDS;
    }
    if (mm->command == OFPMC13_ADD) {
        if (meter) {
            return OFPERR_OFPMMFC_METER_EXISTS;
        }
        meter = xzalloc(sizeof *meter);
        hmap_insert(&sw->meters, &meter->node, hash_int(id, 0));
    } else if (mm->command != OFPMC13_MODIFY) {
        return OFPERR_OFPMMFC_BAD_COMMAND;
    } else if (!meter) {
        return OFPERR_OFPMMFC_UNKNOWN_METER;
    }
    configure_meter(sw, meter, &mm->meter);
    return 0;
}

bool
simswitch_meter_passes(struct simswitch *sw, uint32_t meter_id, size_t size)
{
    struct simmeter *meter = find_meter(sw, meter_id);
    bool passes = true;

    if (!meter) {
        return true;
    }
    meter->n_packets++;
    for (size_t i = 0; i < meter->config.n_bands; i++) {
        const struct ofputil_meter_band *band = &meter->config.bands[i];
        uint64_t burst = band->burst_size ? band->burst_size : band->rate;
        uint64_t gained = (sw->now_ms - meter->used_ms) * band->rate;
        uint64_t cost = (meter->config.flags & OFPMF13_PKTPS
                         ? 1000 : (uint64_t) size * 8);

        /* Rates are packets or kilobits per second: thousandths of a packet,
         * or bits, per millisecond. */
        meter->tokens[i] = MIN(meter->tokens[i] + gained, burst * 1000);
        if (meter->tokens[i] < cost) {
            passes = false;
        } else {
            meter->tokens[i] -= cost;
        }
    }
    meter->used_ms = sw->now_ms;
    meter->n_dropped += !passes;
    return passes;
}

/* Flows. */

/* Checks that need the bridge's state.  Groups that a bucket names are not
 * checked: a bridge accepts them, and drops there. */
enum ofperr
simswitch_check_ofpacts(const struct simswitch *sw,
                        const struct ofpact *ofpacts, size_t ofpacts_len)
{
    const struct ofpact *a;

    OFPACT_FOR_EACH_FLATTENED (a, ofpacts, ofpacts_len) {
        if (a->type == OFPACT_METER
            && !find_meter(sw, ofpact_get_METER(a)->meter_id)) {
            return OFPERR_OFPMMFC_INVALID_METER;
        }
        if (a->type == OFPACT_GROUP
            && !find_group(sw, ofpact_get_GROUP(a)->group_id)) {
            return OFPERR_OFPBAC_BAD_OUT_GROUP;
        }
    }
    return 0;
}

static struct simflow *
make_flow(struct simswitch *sw, const struct ofputil_flow_mod *fm,
          const struct minimatch *match, uint8_t table_id, int priority)
{
    struct simflow *flow = xzalloc(sizeof *flow);
    const struct ofpact *a;

    flow->ref_cnt = 1;
    flow->seq = sw->next_seq++;
    flow->table_id = table_id;
    flow->priority = priority;
    minimatch_clone(&flow->match, match);
    flow->cookie = fm->new_cookie;
    flow->flags = fm->flags & ~OFPUTIL_FF_RESET_COUNTS;
    flow->idle_timeout = fm->idle_timeout;
    flow->hard_timeout = fm->hard_timeout;
    flow->importance = fm->importance;
    flow->ofpacts = xmemdup(fm->ofpacts, fm->ofpacts_len);
    flow->ofpacts_len = fm->ofpacts_len;
    flow->created_ms = sw->now_ms;
    OFPACT_FOR_EACH_FLATTENED (a, flow->ofpacts, flow->ofpacts_len) {
        flow->has_group |= a->type == OFPACT_GROUP;
        flow->has_meter |= a->type == OFPACT_METER;
    }
    return flow;
}

/* Puts a flow with fm's actions in the place of 'old' (null: none). */
static void
replace_flow(struct simswitch *sw, const struct ofputil_flow_mod *fm,
             struct simflow *old, const struct minimatch *match,
             uint8_t table_id, int priority)
{
    struct simtable *table = &sw->tables[table_id];
    struct simflow *flow = make_flow(sw, fm, match, table_id, priority);

    if (old) {
        bool modify_cookie = fm->modify_cookie || fm->command == OFPFC_ADD;

        if (fm->command != OFPFC_ADD) {
            flow->idle_timeout = old->idle_timeout;
            flow->hard_timeout = old->hard_timeout;
            flow->importance = old->importance;
            flow->flags = old->flags;
            flow->created_ms = old->created_ms;
        }
        if (!modify_cookie || flow->cookie == OVS_BE64_MAX) {
            flow->cookie = old->cookie;
        }
        if (!(fm->flags & OFPUTIL_FF_RESET_COUNTS)) {
            flow->n_packets = old->n_packets;
            flow->n_bytes = old->n_bytes;
        }
        simtable_remove(table, old);
    }
    simtable_insert(table, flow);
}

static enum ofperr
add_flow(struct simswitch *sw, const struct ofputil_flow_mod *fm)
{
    uint8_t table_id = fm->table_id == 0xff ? 0 : fm->table_id;
    enum ofperr error = simswitch_check_ofpacts(sw, fm->ofpacts, fm->ofpacts_len);

    if (!error) {
        replace_flow(sw, fm,
                     simtable_find(&sw->tables[table_id], &fm->match,
                                   fm->priority),
                     &fm->match, table_id, fm->priority);
    }
    return error;
}

/* True if 'flow' is one that a loose or strict modify, delete or dump
 * means. */
static bool
is_selected(const struct simflow *flow, const struct ofputil_flow_mod *fm,
            bool strict)
{
    if ((flow->cookie ^ fm->cookie) & fm->cookie_mask) {
        return false;
    }
    if (strict) {
        return flow->priority == fm->priority
               && minimatch_equal(&flow->match, &fm->match);
    }

    struct flow key;

    miniflow_expand(flow->match.flow, &key);
    return !minimask_has_extra(flow->match.mask, fm->match.mask)
           && minimatch_matches_flow(&fm->match, &key);
}

static bool
has_out(const struct simflow *flow, const struct ofputil_flow_mod *fm)
{
    return (fm->out_port == OFPP_ANY
            || ofpacts_output_to_port(flow->ofpacts, flow->ofpacts_len,
                                      fm->out_port))
           && (fm->out_group == OFPG_ANY
               || ofpacts_output_to_group(flow->ofpacts, flow->ofpacts_len,
                                          fm->out_group));
}

/* The selected flows, in order of table and insertion; the caller frees. */
struct simflow **
simswitch_collect_flows(const struct simswitch *sw,
                        const struct ofputil_flow_mod *fm, bool strict,
                        bool out, size_t *n)
{
    struct simflow **found = NULL;
    size_t allocated = 0;

    *n = 0;
    for (size_t i = 0; i < SIM_N_TABLES; i++) {
        struct simflow **flows;
        size_t n_flows;

        if (!sw->tables[i].n_flows
            || (fm->table_id != 0xff && fm->table_id != i)) {
            continue;
        }
        flows = simtable_flows(&sw->tables[i], &n_flows);
        for (size_t j = 0; j < n_flows; j++) {
            if (is_selected(flows[j], fm, strict)
                && (!out || has_out(flows[j], fm))) {
                if (*n >= allocated) {
                    found = x2nrealloc(found, &allocated, sizeof *found);
                }
                found[(*n)++] = flows[j];
            }
        }
        free(flows);
    }
    return found;
}

/* One exact flow: the common case, without a walk over the table. */
static struct simflow **
collect_strict(const struct simswitch *sw, const struct ofputil_flow_mod *fm,
               bool out, size_t *n)
{
    struct simflow *flow;

    if (fm->table_id == 0xff) {
        return simswitch_collect_flows(sw, fm, true, out, n);
    }
    flow = simtable_find(&sw->tables[fm->table_id], &fm->match, fm->priority);
    *n = flow && is_selected(flow, fm, true) && (!out || has_out(flow, fm));
    return *n ? xmemdup(&flow, sizeof flow) : NULL;
}

static enum ofperr
modify_flows(struct simswitch *sw, const struct ofputil_flow_mod *fm,
             struct simflow **flows, size_t n)
{
    if (!n) {
        return (fm->new_cookie != OVS_BE64_MAX && !fm->cookie_mask
                ? add_flow(sw, fm) : 0);
    }

    enum ofperr error = simswitch_check_ofpacts(sw, fm->ofpacts, fm->ofpacts_len);

    for (size_t i = 0; !error && i < n; i++) {
        struct simflow *old = flows[i];

        old->ref_cnt++;
        replace_flow(sw, fm, old, &old->match, old->table_id, old->priority);
        simflow_unref(old);
    }
    return error;
}

enum ofperr
simswitch_apply_flow_mod(struct simswitch *sw, const struct ofputil_flow_mod *fm)
{
    bool strict = (fm->command == OFPFC_MODIFY_STRICT
                   || fm->command == OFPFC_DELETE_STRICT);
    bool delete = (fm->command == OFPFC_DELETE
                   || fm->command == OFPFC_DELETE_STRICT);
    struct simflow **flows;
    enum ofperr error = 0;
    size_t n;

    sw->n_flow_mods++;
    if (fm->command == OFPFC_ADD) {
        return add_flow(sw, fm);
    }
    flows = (strict ? collect_strict(sw, fm, delete, &n)
             : simswitch_collect_flows(sw, fm, false, delete, &n));
    if (delete) {
        for (size_t i = 0; i < n; i++) {
            simtable_remove(&sw->tables[flows[i]->table_id], flows[i]);
        }
    } else {
        error = modify_flows(sw, fm, flows, n);
    }
    free(flows);
    return error;
}

