/* SPDX-License-Identifier: Apache-2.0 */

/* Desired state without a pipeline: items in normal form, numbers, scopes,
 * deltas and the order of messages, and reconciliation with what a bridge would
 * answer.  A random history of a scope is compared with a scope made anew. */

#include <config.h>

#include "controller/flow/desired.h"
#include "controller/flow/idspace.h"
#include "controller/flow/reconcile.h"
#include "byte-order.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "tests/unit/tw-cunit.h"

/* Helpers. */

static void
put_flow(struct scope *scope, uint8_t table, uint16_t priority, uint32_t reg,
         uint64_t cookie, uint16_t port)
{
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct ofpbuf acts;

    match_set_reg(&match, 0, reg);
    ofpbuf_init(&acts, 64);
    if (port) {
        ofpact_put_OUTPUT(&acts)->port = (OVS_FORCE ofp_port_t) port;
    }
    scope_flow(scope, table, priority, &match, cookie, &acts);
    ofpbuf_uninit(&acts);
}

static void
put_group(struct scope *scope, uint32_t id, uint8_t rank, uint32_t watch)
{
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);

    if (watch) {
        struct ofputil_bucket *bucket = xzalloc(sizeof *bucket);

        bucket->watch_port = OFPP_ANY;
        bucket->watch_group = watch;
        ovs_list_push_back(&buckets, &bucket->list_node);
    }
    scope_group(scope, id, rank, OFPGT11_FF, &buckets, NULL);
}

struct env {
    struct idspace *groups, *meters;
    struct scope *scope;
    struct delta delta;
};

static void
env_init(struct env *env)
{
    env->groups = idspace_create(100, 0xfffffff0);
    env->meters = idspace_create(1, 1000);
    env->scope = scope_create(env->groups, env->meters);
    delta_init(&env->delta);
}

static void
env_uninit(struct env *env)
{
    scope_destroy(env->scope);
    delta_uninit(&env->delta);
    idspace_destroy(env->groups);
    idspace_destroy(env->meters);
}

static void
begin(struct scope *scope, uint32_t object)
{
    struct scope_key key = SCOPE_KEY(1, object);

    scope_begin(scope, &key);
}

static enum ofptype
type_of(const struct dmsg *msg)
{
    enum ofptype type;

    return ofptype_decode(&type, msg->msg->data) ? OFPTYPE_HELLO : type;
}

/* Numbers. */

static void
test_idspace_derives(void)
{
    struct idspace *a = idspace_create(256, 0xffff0000);
    struct idspace *b = idspace_create(256, 0xffff0000);
    uint32_t one = idspace_ref(a, "one", 3), two = idspace_ref(a, "two", 3);
    size_t len;

    CU_ASSERT_NOT_EQUAL(one, two);
    CU_ASSERT_EQUAL(idspace_ref(b, "two", 3), two);
    CU_ASSERT_EQUAL(idspace_ref(b, "one", 3), one);
    CU_ASSERT_EQUAL(idspace_ref(a, "one", 3), one);
    CU_ASSERT_EQUAL(idspace_find(a, "one", 3), one);
    CU_ASSERT_EQUAL(memcmp(idspace_key(a, one, &len), "one", 3), 0);
    CU_ASSERT_EQUAL(len, 3);
    idspace_unref(a, one);
    CU_ASSERT_EQUAL(idspace_find(a, "one", 3), one);
    idspace_unref(a, one);
    CU_ASSERT_EQUAL(idspace_find(a, "one", 3), 0);
    idspace_unref(a, one);
    idspace_unref(a, 0);
    idspace_destroy(a);
    idspace_destroy(b);
}

static void
test_idspace_collides(void)
{
    struct idspace *space = idspace_create(7, 16);
    bool used[17] = { false };

    for (uint32_t i = 0; i < 10; i++) {
        uint32_t id = idspace_ref(space, &i, sizeof i);

        CU_ASSERT_FATAL(id >= 7 && id <= 16);
        CU_ASSERT_FALSE(used[id]);
        used[id] = true;
    }
    CU_ASSERT_EQUAL(idspace_ref(space, "x", 1), 0);
    idspace_unref(space, 9);
    CU_ASSERT_EQUAL(idspace_ref(space, "x", 1), 9);
    idspace_destroy(space);
}

/* The hash is part of what bridges hold; it must never change. */
static void
test_idspace_hash(void)
{
    CU_ASSERT_EQUAL(idspace_hash("", 0), 0x74141c20);
    CU_ASSERT_EQUAL(idspace_hash("tollway", 7), 0xab4c53ae);
}

/* Items. */

static void
test_flow_normal_form(void)
{
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct ofputil_flow_mod fm;
    struct ofpbuf acts, decoded;
    struct dflow *flow;

    ofpbuf_init(&acts, 64);
    match_set_dl_type(&match, htons(ETH_TYPE_IP));
    match_set_dl_tci(&match, htons(0));
    struct ofpact_reg_move *move = ofpact_put_REG_MOVE(&acts);
    move->src = (struct mf_subfield) { mf_from_id(MFF_IPV4_SRC), 0, 32 };
    move->dst = (struct mf_subfield) { mf_from_id(MFF_IPV4_DST), 0, 32 };
    ofpact_put_RESUBMIT(&acts)->table_id = 3;
    ((struct ofpact_resubmit *) acts.header)->in_port = OFPP_IN_PORT;
    flow = dflow_create(2, 10, &match, 0x1234, &acts);

    /* What its message decodes to is what it holds. */
    ofpbuf_init(&decoded, 64);
    CU_ASSERT_EQUAL_FATAL(
        ofputil_decode_flow_mod(&fm, flow->msg->data, OFPUTIL_P_OF15_OXM,
                                NULL, NULL, &decoded, OFPP_MAX, 255), 0);
    CU_ASSERT_EQUAL(fm.command, OFPFC_ADD);
    CU_ASSERT_EQUAL(fm.table_id, 2);
    CU_ASSERT_EQUAL(fm.priority, 10);
    CU_ASSERT_EQUAL(ntohll(fm.new_cookie), 0x1234);
    CU_ASSERT(minimatch_equal(&fm.match, &flow->match));
    CU_ASSERT_EQUAL_FATAL(decoded.size, flow->ofpacts_len);
    CU_ASSERT_EQUAL(memcmp(decoded.data, flow->ofpacts, decoded.size), 0);

    /* And making it from that makes the same. */
    struct match again;
    minimatch_expand(&fm.match, &again);
    struct dflow *copy = dflow_create(2, 10, &again, 0x1234, &decoded);
    CU_ASSERT(dflow_equal(flow, copy));
    CU_ASSERT(dflow_same_key(flow, copy));
    struct dflow *other = dflow_create(2, 10, &again, 0x1235, &decoded);
    CU_ASSERT_FALSE(dflow_equal(flow, other));
    CU_ASSERT(dflow_same_key(flow, other));

    dflow_unref(flow);
    dflow_unref(copy);
    dflow_unref(other);
    minimatch_destroy(&fm.match);
    ofpbuf_uninit(&acts);
    ofpbuf_uninit(&decoded);
}

static void
test_flow_without_valid_form(void)
{
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct ofpbuf acts;

    ofpbuf_init(&acts, 64);
    uint8_t ttl = 64;
    ofpact_put_set_field(&acts, mf_from_id(MFF_IP_TTL), &ttl, NULL);
    CU_ASSERT_PTR_NULL(dflow_try_create(0, 1, &match, 0, &acts));
    ofpbuf_uninit(&acts);
}

/* Scopes and deltas. */

static void
test_scope_changes(void)
{
    struct delta_counts c;
    struct env env;

    env_init(&env);
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 1, 10, 1);
    put_flow(env.scope, 0, 1, 2, 10, 2);
    CU_ASSERT(scope_end(env.scope, &env.delta));
    delta_count(&env.delta, &c);
    CU_ASSERT_EQUAL(c.flows_added, 2);
    delta_clear(&env.delta);

    /* The same again, in another order. */
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 2, 10, 2);
    put_flow(env.scope, 0, 1, 1, 10, 1);
    CU_ASSERT_FALSE(scope_end(env.scope, &env.delta));
    CU_ASSERT(delta_is_empty(&env.delta));

    /* One changed, one gone, one new. */
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 2, 10, 3);
    put_flow(env.scope, 0, 1, 3, 10, 3);
    CU_ASSERT(scope_end(env.scope, &env.delta));
    delta_count(&env.delta, &c);
    CU_ASSERT_EQUAL(c.flows_added, 1);
    CU_ASSERT_EQUAL(c.flows_modified, 1);
    CU_ASSERT_EQUAL(c.flows_removed, 1);

    struct scope_key key = SCOPE_KEY(1, 1);
    CU_ASSERT(scope_has(env.scope, &key));
    CU_ASSERT(scope_remove(env.scope, &key, &env.delta));
    CU_ASSERT_FALSE(scope_has(env.scope, &key));
    CU_ASSERT_FALSE(scope_remove(env.scope, &key, &env.delta));
    delta_count(&env.delta, &c);
    CU_ASSERT_EQUAL(c.flows_added, 0);
    CU_ASSERT_EQUAL(c.flows_modified, 0);
    CU_ASSERT_EQUAL(c.flows_removed, 2);
    env_uninit(&env);
}

static void
test_scope_numbers_follow_objects(void)
{
    struct env env;

    env_init(&env);
    begin(env.scope, 1);
    uint32_t id = scope_group_id(env.scope, "a", 1);
    scope_end(env.scope, NULL);
    begin(env.scope, 2);
    CU_ASSERT_EQUAL(scope_group_id(env.scope, "a", 1), id);
    scope_end(env.scope, NULL);

    begin(env.scope, 1);
    scope_end(env.scope, NULL);
    CU_ASSERT_EQUAL(idspace_find(env.groups, "a", 1), id);
    begin(env.scope, 2);
    scope_end(env.scope, NULL);
    CU_ASSERT_EQUAL(idspace_find(env.groups, "a", 1), 0);
    env_uninit(&env);
}

static void
test_scope_sweep(void)
{
    struct delta_counts c;
    struct env env;

    env_init(&env);
    for (uint32_t i = 1; i <= 3; i++) {
        begin(env.scope, i);
        put_flow(env.scope, 0, 1, i, 10, 1);
        scope_end(env.scope, NULL);
    }
    scope_mark(env.scope);
    begin(env.scope, 2);
    put_flow(env.scope, 0, 1, 2, 10, 1);
    scope_end(env.scope, &env.delta);
    scope_sweep(env.scope, &env.delta);
    delta_count(&env.delta, &c);
    CU_ASSERT_EQUAL(c.flows_removed, 2);
    CU_ASSERT_EQUAL(scope_count_flows(env.scope), 1);
    env_uninit(&env);
}

static void
test_delta_cancels(void)
{
    struct delta merged;
    struct env env;

    env_init(&env);
    delta_init(&merged);
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 1, 10, 1);
    put_group(env.scope, 200, 0, 0);
    scope_meter(env.scope, 1, 100, 100);
    scope_end(env.scope, &env.delta);
    delta_merge(&merged, &env.delta);
    CU_ASSERT_FALSE(delta_is_empty(&merged));
    delta_merge_reverse(&merged, &env.delta);
    CU_ASSERT(delta_is_empty(&merged));

    /* Back and forth, by way of something else. */
    delta_clear(&env.delta);
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 1, 10, 2);
    put_group(env.scope, 200, 0, 1);
    scope_meter(env.scope, 1, 200, 100);
    scope_end(env.scope, &env.delta);
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 1, 10, 1);
    put_group(env.scope, 200, 0, 0);
    scope_meter(env.scope, 1, 100, 100);
    scope_end(env.scope, &env.delta);
    CU_ASSERT(delta_is_empty(&env.delta));
    struct dmsgs msgs;
    delta_to_messages(&env.delta, &msgs);
    CU_ASSERT_EQUAL(msgs.n, 0);
    dmsgs_uninit(&msgs);
    delta_uninit(&merged);
    env_uninit(&env);
}

/* Meters, then groups from the lowest rank, flows, deletions; and back: flows
 * before groups before meters. */
static void
test_message_order(void)
{
    struct dmsgs msgs;
    struct env env;

    env_init(&env);
    begin(env.scope, 1);
    put_flow(env.scope, 0, 1, 1, 10, 1);
    put_group(env.scope, 300, 2, 200);
    put_group(env.scope, 200, 0, 0);
    scope_meter(env.scope, 1, 100, 100);
    scope_end(env.scope, &env.delta);
    delta_to_messages(&env.delta, &msgs);
    CU_ASSERT_EQUAL_FATAL(msgs.n, 4);
    CU_ASSERT_EQUAL(msgs.n_before, 1);
    CU_ASSERT_EQUAL(msgs.n_bundle, 3);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[0]), OFPTYPE_METER_MOD);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[1]), OFPTYPE_GROUP_MOD);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[2]), OFPTYPE_GROUP_MOD);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[3]), OFPTYPE_FLOW_MOD);
    struct ofputil_group_mod gm;
    CU_ASSERT_EQUAL_FATAL(
        ofputil_decode_group_mod(msgs.msgs[1].msg->data, &gm), 0);
    CU_ASSERT_EQUAL(gm.group_id, 200);
    ofputil_uninit_group_mod(&gm);
    dmsgs_uninit(&msgs);

    struct delta back;
    delta_init(&back);
    delta_merge_reverse(&back, &env.delta);
    delta_to_messages(&back, &msgs);
    CU_ASSERT_EQUAL_FATAL(msgs.n, 4);
    CU_ASSERT_EQUAL(msgs.n_before, 0);
    CU_ASSERT_EQUAL(msgs.n_bundle, 3);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[0]), OFPTYPE_FLOW_MOD);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[1]), OFPTYPE_GROUP_MOD);
    CU_ASSERT_EQUAL(type_of(&msgs.msgs[3]), OFPTYPE_METER_MOD);
    dmsgs_uninit(&msgs);
    delta_uninit(&back);
    env_uninit(&env);
}

/* Reconciliation. */

static void
answer_flows(struct installed *installed, const struct scope *scope)
{
    struct ovs_list replies;
    size_t n;
    struct dflow **flows = scope_sorted_flows(scope, &n);
    struct ofpbuf *request = installed_flows_request(), *reply;

    ofpmp_init(&replies, request->data);
    for (size_t i = 0; i < n; i++) {
        struct ofputil_flow_stats fs = {
            .cookie = htonll(flows[i]->cookie),
            .table_id = flows[i]->table_id,
            .priority = flows[i]->priority,
            .ofpacts = flows[i]->ofpacts,
            .ofpacts_len = flows[i]->ofpacts_len,
        };

        minimatch_expand(&flows[i]->match, &fs.match);
        ofputil_append_flow_stats_reply(&fs, &replies, NULL);
    }
    LIST_FOR_EACH_POP (reply, list_node, &replies) {
        bool more;

        ofpmsg_update_length(reply);
        CU_ASSERT_EQUAL(installed_add(installed, reply->data, &more), 0);
        CU_ASSERT_EQUAL(more, !ovs_list_is_empty(&replies));
        ofpbuf_delete(reply);
    }
    ofpbuf_delete(request);
    free(flows);
}

static void
test_reconcile(void)
{
    const struct scope *scopes[1];
    struct delta_counts c;
    struct env env;

    env_init(&env);
    scopes[0] = env.scope;
    begin(env.scope, 1);
    for (uint32_t i = 0; i < 3000; i++) {
        put_flow(env.scope, i % 7, 1, i, 10, 1 + i % 3);
    }
    scope_end(env.scope, NULL);

    struct installed *installed = installed_create();
    answer_flows(installed, env.scope);
    CU_ASSERT_EQUAL(installed_count_flows(installed), 3000);
    reconcile(installed, scopes, 1, &env.delta);
    CU_ASSERT(delta_is_empty(&env.delta));

    /* Then something else is wanted. */
    begin(env.scope, 1);
    for (uint32_t i = 2; i < 3001; i++) {
        put_flow(env.scope, i % 7, 1, i, i == 2 ? 11 : 10, 1 + i % 3);
    }
    scope_end(env.scope, NULL);
    reconcile(installed, scopes, 1, &env.delta);
    delta_count(&env.delta, &c);
    CU_ASSERT_EQUAL(c.flows_added, 1);
    CU_ASSERT_EQUAL(c.flows_modified, 1);
    CU_ASSERT_EQUAL(c.flows_removed, 2);
    installed_destroy(installed);
    env_uninit(&env);
}

/* Whatever bytes come: an error, not an abort. */
static void
test_reply_from_outside(void)
{
    struct ovs_list replies;
    struct ofpbuf *request = installed_flows_request();
    struct ofpbuf *whole;
    struct env env;
    struct tw_random r;
    bool more;

    env_init(&env);
    tw_random_init(&r, 1);
    begin(env.scope, 1);
    put_flow(env.scope, 1, 1, 1, 10, 1);
    scope_end(env.scope, NULL);
    size_t n;
    struct dflow **flows = scope_sorted_flows(env.scope, &n);
    ofpmp_init(&replies, request->data);
    struct ofputil_flow_stats fs = { .ofpacts = flows[0]->ofpacts,
                                     .ofpacts_len = flows[0]->ofpacts_len };
    minimatch_expand(&flows[0]->match, &fs.match);
    ofputil_append_flow_stats_reply(&fs, &replies, NULL);
    whole = ofpbuf_from_list(ovs_list_pop_front(&replies));
    ofpmsg_update_length(whole);

    for (int i = 0; i < 20000; i++) {
        struct installed *installed = installed_create();
        struct ofpbuf *copy = ofpbuf_clone(whole);
        struct ofp_header *oh = copy->data;

        for (uint32_t k = tw_random_range(&r, 4); k > 0; k--) {
            uint32_t at = sizeof *oh + tw_random_range(&r, copy->size
                                                           - sizeof *oh);
            ((uint8_t *) copy->data)[at] = tw_random_u64(&r);
        }
        installed_add(installed, oh, &more);
        installed_destroy(installed);
        ofpbuf_delete(copy);
    }
    ofpbuf_delete(whole);
    ofpbuf_delete(request);
    free(flows);
    env_uninit(&env);
}

/* A random history: the scope's deltas, applied to what was there, give what a
 * scope made anew gives. */
static void
build_object(struct scope *scope, uint32_t object, uint32_t content,
             struct delta *delta)
{
    begin(scope, object);
    for (uint32_t i = 0; i < content % 5; i++) {
        put_flow(scope, i, 1, object, object, 1 + (content >> i) % 3);
    }
    if (content & 32) {
        put_group(scope, 1000 + object, 0, content % 2);
    }
    scope_end(scope, delta);
}

static void
test_random_history(void)
{
    enum { OBJECTS = 20 };
    uint32_t contents[OBJECTS] = { 0 };
    struct delta all;
    struct tw_random r;
    struct env env;

    env_init(&env);
    delta_init(&all);
    tw_random_init(&r, 7);
    for (int step = 0; step < 2000; step++) {
        struct scope *anew = scope_create(env.groups, env.meters);
        uint32_t object = tw_random_range(&r, OBJECTS);
        struct delta from_nothing;

        contents[object] = tw_random_range(&r, 64);
        build_object(env.scope, object, contents[object], &env.delta);
        delta_merge(&all, &env.delta);
        delta_clear(&env.delta);

        for (uint32_t i = 0; i < OBJECTS; i++) {
            build_object(anew, i, contents[i], NULL);
        }
        struct ds ds = DS_EMPTY_INITIALIZER;
        CU_ASSERT_FATAL(scope_equal(env.scope, anew, &ds));
        ds_destroy(&ds);

        delta_init(&from_nothing);
        scope_add_all(anew, &from_nothing);
        delta_merge_reverse(&from_nothing, &all);
        CU_ASSERT_FATAL(delta_is_empty(&from_nothing));
        delta_uninit(&from_nothing);
        scope_destroy(anew);
    }
    delta_uninit(&all);
    env_uninit(&env);
}

TW_TESTS("flow/desired",
         TW_TEST(test_idspace_derives),
         TW_TEST(test_idspace_collides),
         TW_TEST(test_idspace_hash),
         TW_TEST(test_flow_normal_form),
         TW_TEST(test_flow_without_valid_form),
         TW_TEST(test_scope_changes),
         TW_TEST(test_scope_numbers_follow_objects),
         TW_TEST(test_scope_sweep),
         TW_TEST(test_delta_cancels),
         TW_TEST(test_message_order),
         TW_TEST(test_reconcile),
         TW_TEST(test_reply_from_outside),
         TW_TEST(test_random_history))
