/* SPDX-License-Identifier: Apache-2.0 */

/* The pipeline's builders, on the network of tests/golden/flow/flow-net.h:
 * what changes when something happens, no item made twice, cookies and punts.
 * What packets do with it, tests/golden/run-flow shows. */

#include <config.h>

#include "controller/flow/idspace.h"
#include "controller/flow/pipeline.h"
#include "byte-order.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "tests/golden/flow/flow-net.h"
#include "tests/unit/tw-cunit.h"

static void
clear(struct flow_net *n)
{
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        delta_clear(n->deltas[i]);
    }
}

static struct delta_counts
counts(const struct flow_net *n, int host)
{
    struct delta_counts c;

    delta_count(n->deltas[host], &c);
    return c;
}

static void
test_building_again(void)
{
    struct flow_net *n = flow_net_create();

    clear(n);
    flow_net_build(n);
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        CU_ASSERT(delta_is_empty(n->deltas[i]));
    }
    flow_net_destroy(n);
}

/* Numbers don't depend on the order in which things are built: another
 * controller finds the same. */
static void
test_two_controllers(void)
{
    struct flow_net *a = flow_net_create(), *b = flow_net_create();

    flow_net_set_alive(b, WAY_WEST, false);
    flow_net_move_web1(b, 1);
    flow_net_set_alive(b, WAY_WEST, true);
    flow_net_move_web1(b, 0);
    CU_ASSERT(scope_equal(a->scope, b->scope, NULL));
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        CU_ASSERT(scope_equal(a->hosts[i], b->hosts[i], NULL));
    }
    flow_net_destroy(a);
    flow_net_destroy(b);
}

/* C7: that a way dies is one group on each host. */
static void
test_way_dies(void)
{
    struct flow_net *n = flow_net_create();

    clear(n);
    flow_net_set_alive(n, WAY_EAST, false);
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        struct delta_counts c = counts(n, i);

        CU_ASSERT_EQUAL(c.groups_modified, 1);
        CU_ASSERT_EQUAL(c.groups_added + c.groups_removed, 0);
        CU_ASSERT_EQUAL(c.flows_added + c.flows_modified + c.flows_removed,
                        0);
    }
    flow_net_set_alive(n, WAY_EAST, true);
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        CU_ASSERT(delta_is_empty(n->deltas[i]));
    }
    flow_net_destroy(n);
}

/* A node that moves is one flow on every host, and its own on two. */
static void
test_node_moves(void)
{
    struct flow_net *n = flow_net_create();

    clear(n);
    flow_net_move_web1(n, 2);
    struct delta_counts h1 = counts(n, 0), h2 = counts(n, 1),
                        h3 = counts(n, 2);
    CU_ASSERT_EQUAL(h2.flows_modified, 1);
    CU_ASSERT_EQUAL(h2.flows_added + h2.flows_removed, 0);
    CU_ASSERT_EQUAL(h1.flows_modified, 1);
    CU_ASSERT_EQUAL(h1.flows_removed, h3.flows_added);
    CU_ASSERT(h3.flows_added > 0);
    CU_ASSERT_EQUAL(h3.flows_removed + h1.flows_added, 0);
    flow_net_destroy(n);
}

/* No two objects have the same item, or their deltas would be wrong. */
static void
test_items_are_unique(void)
{
    struct flow_net *n = flow_net_create();

    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        struct delta delta;

        delta_init(&delta);
        scope_add_all(n->scope, &delta);
        scope_add_all(n->hosts[i], &delta);
        CU_ASSERT_EQUAL(delta.n_flows, scope_count_flows(n->scope)
                                       + scope_count_flows(n->hosts[i]));
        CU_ASSERT_EQUAL(delta.n_groups, scope_count_groups(n->scope)
                                        + scope_count_groups(n->hosts[i]));
        delta_uninit(&delta);
    }
    flow_net_destroy(n);
}

/* Groups that buckets name or watch are on each host, and have lower ranks. */
static const struct dgroup *
find_group(struct dgroup **groups, size_t n, uint32_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (groups[i]->group_id == id) {
            return groups[i];
        }
    }
    return NULL;
}

static void
check_groups(const struct flow_net *net, int host)
{
    size_t n = 0, part;
    struct dgroup *groups[200];
    const struct scope *scopes[] = { net->scope, net->hosts[host] };

    for (size_t i = 0; i < 2; i++) {
        struct dgroup **some = scope_sorted_groups(scopes[i], &part);

        CU_ASSERT_FATAL(n + part <= 200);
        for (size_t j = 0; j < part; j++) {
            groups[n++] = some[j];
        }
        free(some);
    }
    for (size_t i = 0; i < n; i++) {
        struct ofputil_bucket *bucket;

        LIST_FOR_EACH (bucket, list_node, &groups[i]->buckets) {
            const struct ofpact *a;

            if (bucket->watch_group != OFPG_ANY) {
                const struct dgroup *g = find_group(groups, n,
                                                    bucket->watch_group);
                CU_ASSERT_PTR_NOT_NULL_FATAL(g);
                CU_ASSERT(g->rank < groups[i]->rank);
            }
            OFPACT_FOR_EACH (a, bucket->ofpacts, bucket->ofpacts_len) {
                if (a->type == OFPACT_GROUP) {
                    const struct dgroup *g = find_group(
                        groups, n, ofpact_get_GROUP(a)->group_id);
                    CU_ASSERT_PTR_NOT_NULL_FATAL(g);
                    CU_ASSERT(g->rank < groups[i]->rank);
                }
            }
        }
    }
}

static void
test_groups_are_there(void)
{
    struct flow_net *n = flow_net_create();

    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        check_groups(n, i);
    }
    flow_net_destroy(n);
}

static void
test_numbers_are_given_back(void)
{
    struct flow_net *n = flow_net_create();

    scope_mark(n->scope);
    scope_sweep(n->scope, NULL);
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        scope_mark(n->hosts[i]);
        scope_sweep(n->hosts[i], NULL);
        CU_ASSERT_EQUAL(scope_count_flows(n->hosts[i]), 0);
    }
    for (uint32_t class = 0; class < 10; class++) {
        ovs_be32 key[] = { htonl(class), htonl(1), htonl(0xa1), 0, 0 };

        CU_ASSERT_EQUAL(idspace_find(n->group_ids, key, sizeof key), 0);
    }
    flow_net_destroy(n);
}

/* Cookies and punts. */

static void
check_cookie(uint64_t cookie, const char *text)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    pl_cookie_format(cookie, &ds);
    CU_ASSERT_STRING_EQUAL(ds_cstr(&ds), text);
    ds_destroy(&ds);
}

static void
test_cookies(void)
{
    check_cookie(pl_cookie(TOPO_NODE, 17), "node 17");
    check_cookie(pl_cookie_drop(TOPO_ATTACHMENT, 0xffffffff,
                                PL_DROP_NOT_OURS),
                 "attachment 4294967295: drop not-ours");
    check_cookie(pl_cookie_punt(TOPO_ROUTER, 3, PL_PUNT_TTL),
                 "router 3: punt ttl");
    check_cookie(pl_cookie_what(TOPO_WAY, 9, PL_COOKIE_OUT), "way 9: out");
    check_cookie(pl_cookie_drop(PL_KIND_PL, 0, PL_DROP_MARTIAN),
                 "pipeline: drop martian");
    check_cookie(UINT64_MAX, "unknown 4294967295: unknown");

    struct pl_cookie c = pl_cookie_decode(
        pl_cookie_drop(TOPO_NODE, 5, PL_DROP_SPOOFED));
    CU_ASSERT_EQUAL(c.kind, TOPO_NODE);
    CU_ASSERT_EQUAL(c.what, PL_COOKIE_DROP);
    CU_ASSERT_EQUAL(c.reason, PL_DROP_SPOOFED);
    CU_ASSERT_EQUAL(c.id, 5);
}

static void
test_names(void)
{
    for (int i = 0; i < PL_N_DROPS; i++) {
        CU_ASSERT_STRING_NOT_EQUAL(pl_drop_to_string(i), "unknown");
    }
    for (int i = 0; i < PL_N_PUNTS; i++) {
        CU_ASSERT_STRING_NOT_EQUAL(pl_punt_to_string(i), "unknown");
    }
    for (int i = 0; i < PL_N_TABLES; i++) {
        CU_ASSERT_PTR_NOT_NULL(pl_table_names[i]);
    }
}

/* The userdata of each controller action decodes to its reason. */
static void
test_punts(void)
{
    struct flow_net *n = flow_net_create();
    size_t n_flows, found = 0;
    struct dflow **flows = scope_sorted_flows(n->hosts[0], &n_flows);
    struct match md = MATCH_CATCHALL_INITIALIZER;

    md.flow.metadata = htonll(257);
    md.flow.regs[PL_REG_INGRESS] = 61;
    md.flow.regs[PL_REG_HOLDER] = 32;
    md.flow.in_port.ofp_port = (OVS_FORCE ofp_port_t) 10;
    for (size_t i = 0; i < n_flows; i++) {
        const struct ofpact *a;

        OFPACT_FOR_EACH (a, flows[i]->ofpacts, flows[i]->ofpacts_len) {
            if (a->type == OFPACT_CONTROLLER) {
                const struct ofpact_controller *oc = ofpact_get_CONTROLLER(a);
                struct pl_cookie c = pl_cookie_decode(flows[i]->cookie);
                struct pl_punt punt;

                found++;
                CU_ASSERT_NOT_EQUAL(oc->meter_id, NX_CTLR_NO_METER);
                CU_ASSERT_FATAL(pl_punt_decode(oc->userdata,
                                               oc->userdata_len, &md,
                                               &punt));
                CU_ASSERT_EQUAL(punt.reason, (c.what == PL_COOKIE_PUNT
                                              ? c.reason : PL_PUNT_ARP));
                CU_ASSERT_EQUAL(punt.vni, 257);
                CU_ASSERT_EQUAL(punt.attachment, 61);
                CU_ASSERT_EQUAL(punt.router, 32);
                CU_ASSERT_EQUAL(punt.in_port, 10);
            }
        }
    }
    CU_ASSERT(found > 5);

    struct pl_punt punt;
    CU_ASSERT_FALSE(pl_punt_decode("TW", 2, &md, &punt));
    CU_ASSERT_FALSE(pl_punt_decode("TW\1\0\0\0\0\0", 8, &md, &punt));
    CU_ASSERT_FALSE(pl_punt_decode("TW\1\x63\0\0\0\0", 8, &md, &punt));
    CU_ASSERT_FALSE(pl_punt_decode("", 0, &md, &punt));
    free(flows);
    flow_net_destroy(n);
}

TW_TESTS("flow/pipeline",
         TW_TEST(test_building_again),
         TW_TEST(test_two_controllers),
         TW_TEST(test_way_dies),
         TW_TEST(test_node_moves),
         TW_TEST(test_items_are_unique),
         TW_TEST(test_groups_are_there),
         TW_TEST(test_numbers_are_given_back),
         TW_TEST(test_cookies),
         TW_TEST(test_names),
         TW_TEST(test_punts))
