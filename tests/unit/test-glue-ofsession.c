/* SPDX-License-Identifier: Apache-2.0 */

/* OpenFlow sessions with a real ovs-vswitchd: what is sent is installed and
 * read back as the same, refused bundles leave nothing, and lost connections
 * come back. */

#include <config.h>
#include "ovs-glue/ofsession.h"
#include <time.h>
#include "controller/flow/desired.h"
#include "controller/flow/idspace.h"
#include "controller/flow/reconcile.h"
#include "controller/model/topo.h"
#include "openflow/openflow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "tests/glue/sandbox.h"
#include "tests/unit/tw-cunit.h"
#include "flow.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define CTL "ovs-vsctl --db=unix:$D/db.sock "
#define OFCTL "ovs-ofctl -O OpenFlow15 "

/* What a bridge should hold. */
struct desired {
    struct idspace *groups, *meters;
    struct scope *scope;
};

static void
desired_init(struct desired *d)
{
    d->groups = idspace_create(0x100, 0xfffffe00);
    d->meters = idspace_create(1, 0x1ffff);
    d->scope = scope_create(d->groups, d->meters);
}

static void
desired_uninit(struct desired *d)
{
    scope_destroy(d->scope);
    idspace_destroy(d->groups);
    idspace_destroy(d->meters);
}

/* Object 'id': a flow through a group, a meter and a punting flow. */
static void
make_object(struct desired *d, uint32_t id, uint32_t port, struct delta *delta)
{
    struct scope_key key = SCOPE_KEY(TOPO_NODE, id);
    scope_begin(d->scope, &key);
    uint32_t group_id = scope_group_id(d->scope, &id, sizeof id);
    uint32_t meter_id = scope_meter_id(d->scope, &id, sizeof id);
    scope_meter(d->scope, meter_id, 100 + id % 10, 10);

    struct ofpbuf ofpacts;
    ofpbuf_init(&ofpacts, 0);
    ofpact_put_OUTPUT(&ofpacts)->port = u16_to_ofp(port);
    struct ovs_list buckets = OVS_LIST_INITIALIZER(&buckets);
    struct ofputil_bucket *b = xzalloc(sizeof *b);
    b->watch_port = OFPP_ANY;
    b->watch_group = OFPG_ANY;
    b->bucket_id = 0;
    b->ofpacts_len = ofpacts.size;
    b->ofpacts = ofpbuf_steal_data(&ofpacts);
    ovs_list_push_back(&buckets, &b->list_node);
    scope_group(d->scope, group_id, 0, OFPGT11_INDIRECT, &buckets, NULL);

    struct match match = MATCH_CATCHALL_INITIALIZER;
    match_set_dl_type(&match, htons(ETH_TYPE_IP));
    match_set_nw_dst(&match, htonl(0x0a000000 + id));
    ofpbuf_init(&ofpacts, 0);
    ofpact_put_DEC_TTL(&ofpacts);
    static const uint16_t controller = 0;
    ofpbuf_put(&ofpacts, &controller, sizeof controller);
    struct ofpact_cnt_ids *ids = ofpacts.header;
    ids->n_controllers = 1;
    ofpact_finish_DEC_TTL(&ofpacts, &ids);
    ofpact_put_GROUP(&ofpacts)->group_id = group_id;
    scope_flow(d->scope, 0, 100, &match, 0x0300000000000000 | id, &ofpacts);

    ofpbuf_clear(&ofpacts);
    ofpact_put_METER(&ofpacts)->meter_id = meter_id;
    struct ofpact_controller *c = ofpact_put_CONTROLLER(&ofpacts);
    c->max_len = UINT16_MAX;
    c->reason = OFPR_ACTION;
    c->meter_id = NX_CTLR_NO_METER;
    static const uint8_t userdata[] = { 'T', 'w', 0, 7 };
    ofpbuf_put(&ofpacts, userdata, sizeof userdata);
    c = ofpacts.header;
    c->userdata_len = sizeof userdata;
    ofpact_finish_CONTROLLER(&ofpacts, &c);
    match_set_metadata(&match, htonll(id));
    scope_flow(d->scope, 1, 200, &match, 0x0400000000000000 | id, &ofpacts);
    ofpbuf_uninit(&ofpacts);
    scope_end(d->scope, delta);
}

static void
start(struct sandbox *sb)
{
    sandbox_init(sb);
    sandbox_start_db(sb, "vswitch", SCHEMA);
    CU_ASSERT(sandbox_sh(sb, CTL "--no-wait init"));
    sandbox_start_vswitchd(sb);
    CU_ASSERT(sandbox_sh(sb, CTL "add-br br0 -- set Bridge br0 "
                         "fail_mode=secure protocols=OpenFlow15 "
                         "-- add-port br0 p1 -- set Interface p1 type=dummy "
                         "ofport_request=1 options:pstream=punix:$D/p1.sock "
                         "-- add-port br0 p2 -- set Interface p2 type=dummy "
                         "ofport_request=2"));
}

static struct ofsession *
open_session(const struct sandbox *sb)
{
    char *target = sandbox_path(sb, "unix", "br0.mgmt");
    struct ofsession *s = ofsession_create(target, "h1");
    free(target);
    return s;
}

static struct ofsession_event *
next_event(struct ofsession *s, int ms)
{
    long long int deadline = time_msec() + ms;
    for (;;) {
        ofsession_run(s);
        struct ofsession_event *e = ofsession_pop_event(s);
        if (e || time_msec() >= deadline) {
            return e;
        }
        ofsession_wait(s);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* The next event of 'type'; port events are skipped. */
static struct ofsession_event *
expect(struct ofsession *s, enum ofsession_event_type type)
{
    struct ofsession_event *e;
    while ((e = next_event(s, 20000)) != NULL && e->type != type
           && e->type == OFSESSION_PORT) {
        ofsession_event_destroy(e);
    }
    CU_ASSERT_FATAL(e != NULL);
    if (e->type != type) {
        printf("event %d instead of %d: %s\n", e->type, type,
               e->text ? e->text : "");
    }
    CU_ASSERT_EQUAL_FATAL(e->type, type);
    return e;
}

/* What would have to change so that 'e->installed' is as desired. */
static void
reconcile_counts(const struct ofsession_event *e, const struct desired *d,
                 struct delta_counts *counts)
{
    struct delta delta;
    delta_init(&delta);
    const struct scope *scopes[] = { d->scope };
    reconcile(e->installed, scopes, 1, &delta);
    delta_count(&delta, counts);
    delta_uninit(&delta);
}

static bool
is_right(const struct ofsession_event *e, const struct desired *d)
{
    struct delta_counts c;
    reconcile_counts(e, d, &c);
    static const struct delta_counts none;
    return !memcmp(&c, &none, sizeof c);
}

static void
test_apply_and_read_back(void)
{
    struct sandbox sb;
    start(&sb);
    struct ofsession *s = open_session(&sb);
    struct ofsession_event *e = expect(s, OFSESSION_CONNECTED);
    CU_ASSERT_EQUAL(installed_count_flows(e->installed), 0);
    ofsession_event_destroy(e);
    CU_ASSERT(ofsession_is_ready(s));

    struct desired d;
    desired_init(&d);
    struct delta *delta = delta_create();
    for (uint32_t id = 1; id <= 1000; id++) {
        make_object(&d, id, 1, delta);
    }
    ofsession_send(s, delta, 17);
    CU_ASSERT_EQUAL(ofsession_backlog(s), 1);
    e = expect(s, OFSESSION_APPLIED);
    CU_ASSERT_EQUAL(e->serial, 17);
    ofsession_event_destroy(e);
    CU_ASSERT_EQUAL(ofsession_backlog(s), 0);
    CU_ASSERT(sandbox_sh(&sb, "test $(" OFCTL "dump-flows unix:$D/br0.mgmt | "
                         "grep -c cookie) = 2000"));
    CU_ASSERT(sandbox_sh(&sb, "test $(" OFCTL "dump-groups unix:$D/br0.mgmt | "
                         "grep -c group_id) = 1000"));
    CU_ASSERT(sandbox_sh(&sb, "test $(" OFCTL "dump-meters unix:$D/br0.mgmt | "
                         "grep -c meter=) = 1000"));

    /* A few changes, several at once without waiting, one of them empty. */
    for (uint32_t i = 0; i < 10; i++) {
        delta = delta_create();
        if (i != 5) {
            make_object(&d, i + 1, 2, delta);
            struct scope_key key = SCOPE_KEY(TOPO_NODE, 500 + i);
            scope_remove(d.scope, &key, delta);
        }
        ofsession_send(s, delta, 20 + i);
    }
    for (uint32_t i = 0; i < 10; i++) {
        e = expect(s, OFSESSION_APPLIED);
        CU_ASSERT_EQUAL(e->serial, 20 + i);
        ofsession_event_destroy(e);
    }
    ofsession_destroy(s);

    /* Another session finds exactly what was sent. */
    s = open_session(&sb);
    e = expect(s, OFSESSION_CONNECTED);
    CU_ASSERT_EQUAL(installed_count_flows(e->installed), 2 * (1000 - 9));
    CU_ASSERT(is_right(e, &d));
    make_object(&d, 7, 1, NULL);
    CU_ASSERT(!is_right(e, &d));
    ofsession_event_destroy(e);
    ofsession_destroy(s);
    desired_uninit(&d);
    sandbox_uninit(&sb);
}

static void
test_vswitchd_killed(void)
{
    struct sandbox sb;
    start(&sb);
    struct ofsession *s = open_session(&sb);
    ofsession_event_destroy(expect(s, OFSESSION_CONNECTED));
    struct desired d;
    desired_init(&d);
    struct delta *delta = delta_create();
    for (uint32_t id = 1; id <= 100; id++) {
        make_object(&d, id, 1, delta);
    }
    ofsession_send(s, delta, 1);
    ofsession_event_destroy(expect(s, OFSESSION_APPLIED));

    sandbox_kill(&sb.vswitchd);
    ofsession_event_destroy(expect(s, OFSESSION_DISCONNECTED));
    CU_ASSERT(!ofsession_is_ready(s));
    ofsession_send(s, delta_create(), 2);       /* Forgotten. */
    CU_ASSERT_EQUAL(ofsession_backlog(s), 0);
    sandbox_start_vswitchd(&sb);
    struct ofsession_event *e = expect(s, OFSESSION_CONNECTED);
    struct delta_counts c;
    reconcile_counts(e, &d, &c);
    CU_ASSERT_EQUAL(c.flows_added, 200);
    CU_ASSERT_EQUAL(c.groups_added, 100);
    CU_ASSERT_EQUAL(c.meters_added, 100);
    delta = delta_create();
    const struct scope *scopes[] = { d.scope };
    reconcile(e->installed, scopes, 1, delta);
    ofsession_event_destroy(e);
    ofsession_send(s, delta, 3);
    e = expect(s, OFSESSION_APPLIED);
    CU_ASSERT_EQUAL(e->serial, 3);
    ofsession_event_destroy(e);
    ofsession_destroy(s);
    desired_uninit(&d);
    sandbox_uninit(&sb);
}

/* A flow that the switch refuses: its group doesn't exist. */
static void
add_bad_flow(struct delta *delta)
{
    struct match match = MATCH_CATCHALL_INITIALIZER;
    struct ofpbuf ofpacts;
    ofpbuf_init(&ofpacts, 0);
    ofpact_put_GROUP(&ofpacts)->group_id = 0xbad;
    struct dflow *flow = dflow_create(3, 7, &match, 0xbad, &ofpacts);
    delta_flow(delta, NULL, flow);
    dflow_unref(flow);
    ofpbuf_uninit(&ofpacts);
}

static void
test_refused(void)
{
    struct sandbox sb;
    start(&sb);
    struct ofsession *s = open_session(&sb);
    ofsession_event_destroy(expect(s, OFSESSION_CONNECTED));
    struct desired d;
    desired_init(&d);
    struct delta *delta = delta_create();
    for (uint32_t id = 1; id <= 20; id++) {
        make_object(&d, id, 1, delta);
    }
    add_bad_flow(delta);
    ofsession_send(s, delta, 5);
    ofsession_send(s, delta_create(), 6);
    struct ofsession_event *e = expect(s, OFSESSION_ERROR);
    CU_ASSERT_EQUAL(e->serial, 5);
    CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "OFPBAC_BAD_OUT_GROUP"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "group:2989"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "cookie:0xbad"));
    ofsession_event_destroy(e);
    CU_ASSERT(!ofsession_is_ready(s));
    CU_ASSERT_EQUAL(ofsession_backlog(s), 0);

    /* It comes back with what is there: no flow, no group. */
    long long int before = time_msec();
    e = expect(s, OFSESSION_CONNECTED);
    CU_ASSERT(time_msec() - before >= 500);
    CU_ASSERT_EQUAL(installed_count_flows(e->installed), 0);
    struct delta_counts c;
    reconcile_counts(e, &d, &c);
    CU_ASSERT_EQUAL(c.flows_added, 40);
    CU_ASSERT_EQUAL(c.groups_added, 20);
    CU_ASSERT_EQUAL(c.meters_added, 0);         /* Not in the bundle. */
    delta = delta_create();
    const struct scope *scopes[] = { d.scope };
    reconcile(e->installed, scopes, 1, delta);
    ofsession_event_destroy(e);
    ofsession_send(s, delta, 7);
    e = expect(s, OFSESSION_APPLIED);
    CU_ASSERT_EQUAL(e->serial, 7);
    ofsession_event_destroy(e);
    ofsession_destroy(s);
    desired_uninit(&d);
    sandbox_uninit(&sb);
}

static void
test_packets(void)
{
    struct sandbox sb;
    start(&sb);
    struct ofsession *s = open_session(&sb);
    ofsession_event_destroy(expect(s, OFSESSION_CONNECTED));
    struct desired d;
    desired_init(&d);
    struct delta *delta = delta_create();
    make_object(&d, 9, 2, delta);

    /* Everything from port 1 gets metadata 9 and is looked at in table 1. */
    struct match match = MATCH_CATCHALL_INITIALIZER;
    match_set_in_port(&match, u16_to_ofp(1));
    struct ofpbuf ofpacts;
    ofpbuf_init(&ofpacts, 0);
    struct ofpact_metadata *om = ofpact_put_WRITE_METADATA(&ofpacts);
    om->metadata = htonll(9);
    om->mask = OVS_BE64_MAX;
    ofpact_put_GOTO_TABLE(&ofpacts)->table_id = 1;
    struct dflow *flow = dflow_create(0, 500, &match, 0x1234, &ofpacts);
    delta_flow(delta, NULL, flow);
    dflow_unref(flow);
    ofsession_send(s, delta, 1);
    ofsession_event_destroy(expect(s, OFSESSION_APPLIED));

    /* In. */
    CU_ASSERT(sandbox_sh(&sb, "ovs-appctl -t $D/vswitchd.ctl "
        "netdev-dummy/receive p1 'in_port(1),"
        "eth(src=00:00:00:00:00:01,dst=00:00:00:00:00:02),eth_type(0x0800),"
        "ipv4(src=10.0.0.1,dst=10.0.0.9,proto=17,tos=0,ttl=64,frag=no),"
        "udp(src=1,dst=2)' >/dev/null"));
    struct ofsession_event *e = expect(s, OFSESSION_PACKET_IN);
    const struct ofsession_packet_in *p = &e->packet_in;
    CU_ASSERT_EQUAL(p->in_port, 1);
    CU_ASSERT_EQUAL(p->table_id, 1);
    CU_ASSERT_EQUAL(p->cookie, 0x0400000000000009);
    CU_ASSERT_EQUAL(ntohll(p->metadata.flow.metadata), 9);
    CU_ASSERT_EQUAL_FATAL(p->userdata_len, 4);
    CU_ASSERT(!memcmp(p->userdata, "Tw\0\7", 4));
    CU_ASSERT_FATAL(p->frame_len >= 42);
    CU_ASSERT_EQUAL(p->total_len, p->frame_len);
    CU_ASSERT_EQUAL(p->frame[5], 2);            /* Destination's last byte. */
    uint8_t frame[1515] = { 0 };
    memcpy(frame, p->frame, 42);
    ofsession_event_destroy(e);

    /* Out, the longest and one that is longer. */
    ofpbuf_clear(&ofpacts);
    ofpact_put_OUTPUT(&ofpacts)->port = u16_to_ofp(2);
    CU_ASSERT(ofsession_packet_out(s, ofp_to_u16(OFPP_CONTROLLER),
                                   ofpacts.data, ofpacts.size, frame, 1514));
    CU_ASSERT(!ofsession_packet_out(s, ofp_to_u16(OFPP_CONTROLLER),
                                    ofpacts.data, ofpacts.size, frame, 1515));
    ofsession_send(s, delta_create(), 2);
    ofsession_event_destroy(expect(s, OFSESSION_APPLIED));
    char *stats = sandbox_capture(&sb, OFCTL "dump-ports unix:$D/br0.mgmt 2");
    CU_ASSERT_PTR_NOT_NULL(strstr(stats, "tx pkts=1, bytes=1514"));
    free(stats);

    /* Out to a port that isn't there is no reason to start over. */
    ofpbuf_clear(&ofpacts);
    ofpact_put_OUTPUT(&ofpacts)->port = u16_to_ofp(77);
    CU_ASSERT(ofsession_packet_out(s, 1, ofpacts.data, ofpacts.size, frame,
                                   64));
    ofsession_send(s, delta_create(), 3);
    ofsession_event_destroy(expect(s, OFSESSION_APPLIED));
    ofpbuf_uninit(&ofpacts);

    /* Counters. */
    CU_ASSERT(ofsession_request_stats(s, OFSESSION_STATS_FLOWS, 0xff, 99));
    e = expect(s, OFSESSION_STATS);
    CU_ASSERT(e->stats.ok);
    CU_ASSERT_EQUAL(e->stats.tag, 99);
    CU_ASSERT_EQUAL_FATAL(e->stats.n, 3);
    CU_ASSERT_EQUAL(e->stats.counters[0].id, 0x1234);
    CU_ASSERT_EQUAL(e->stats.counters[0].packets, 1);
    CU_ASSERT_EQUAL(e->stats.counters[1].packets, 0);
    CU_ASSERT_EQUAL(e->stats.counters[2].table_id, 1);
    CU_ASSERT_EQUAL(e->stats.counters[2].packets, 1);
    ofsession_event_destroy(e);
    CU_ASSERT(ofsession_request_stats(s, OFSESSION_STATS_METERS, 0, 100));
    e = expect(s, OFSESSION_STATS);
    CU_ASSERT_EQUAL_FATAL(e->stats.n, 1);
    ofsession_event_destroy(e);
    CU_ASSERT(ofsession_request_stats(s, OFSESSION_STATS_GROUPS, 0, 101));
    e = expect(s, OFSESSION_STATS);
    CU_ASSERT_EQUAL_FATAL(e->stats.n, 1);
    CU_ASSERT_EQUAL(e->stats.counters[0].packets, 0);
    ofsession_event_destroy(e);

    /* Ports. */
    CU_ASSERT(sandbox_sh(&sb, "ovs-appctl -t $D/vswitchd.ctl "
                         "netdev-dummy/set-admin-state p2 down >/dev/null"));
    e = expect(s, OFSESSION_PORT);
    CU_ASSERT_EQUAL(ofp_to_u16(e->port.desc.port_no), 2);
    CU_ASSERT_STRING_EQUAL(e->port.desc.name, "p2");
    CU_ASSERT(!(e->port.desc.state & OFPUTIL_PS_LIVE));
    ofsession_event_destroy(e);
    CU_ASSERT(sandbox_sh(&sb, "ovs-appctl -t $D/vswitchd.ctl "
                         "netdev-dummy/set-admin-state p2 up >/dev/null"));
    bool live;
    do {
        e = expect(s, OFSESSION_PORT);
        live = e->port.desc.state & OFPUTIL_PS_LIVE;
        ofsession_event_destroy(e);
    } while (!live);
    ofsession_destroy(s);
    desired_uninit(&d);
    sandbox_uninit(&sb);
}

/* Another controller with a higher generation: this one is refused, and takes
 * over again when it is allowed to. */
static void
test_master(void)
{
    struct sandbox sb;
    start(&sb);
    struct ofsession *a = open_session(&sb);
    ofsession_set_generation_id(a, 5);
    ofsession_event_destroy(expect(a, OFSESSION_CONNECTED));
    struct ofsession *b = open_session(&sb);
    ofsession_set_generation_id(b, 4);
    struct ofsession_event *e = expect(b, OFSESSION_ERROR);
    CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "STALE"));
    CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "another controller"));
    ofsession_event_destroy(e);
    ofsession_set_generation_id(b, 6);
    ofsession_event_destroy(expect(b, OFSESSION_CONNECTED));

    struct delta *delta = delta_create();
    struct desired d;
    desired_init(&d);
    make_object(&d, 1, 1, delta);
    ofsession_send(a, delta, 1);
    e = expect(a, OFSESSION_ERROR);
    CU_ASSERT_PTR_NOT_NULL(strstr(e->text, "OFPBRC_IS_SECONDARY"));
    ofsession_event_destroy(e);
    ofsession_destroy(a);
    ofsession_destroy(b);
    desired_uninit(&d);
    sandbox_uninit(&sb);
}

static long long int
cpu_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static void
test_large(void)
{
    struct sandbox sb;
    start(&sb);
    struct ofsession *s = open_session(&sb);
    ofsession_event_destroy(expect(s, OFSESSION_CONNECTED));
    struct desired d;
    desired_init(&d);
    struct delta *delta = delta_create();
    enum { N = 50000 };         /* Twice as many flows. */
    for (uint32_t id = 1; id <= N; id++) {
        struct scope_key key = SCOPE_KEY(TOPO_NODE, id);
        scope_begin(d.scope, &key);
        struct match match = MATCH_CATCHALL_INITIALIZER;
        match_set_dl_type(&match, htons(ETH_TYPE_IP));
        match_set_nw_dst(&match, htonl(0x0a000000 + id));
        struct ofpbuf ofpacts;
        ofpbuf_init(&ofpacts, 0);
        ofpact_put_OUTPUT(&ofpacts)->port = u16_to_ofp(1);
        scope_flow(d.scope, 0, 1, &match, id, &ofpacts);
        scope_flow(d.scope, 1, 1, &match, id, &ofpacts);
        ofpbuf_uninit(&ofpacts);
        scope_end(d.scope, delta);
    }
    /* No run takes much of the processor's time, and all comes through. */
    long long int start_ms = time_msec(), longest = 0;
    ofsession_send(s, delta, 1);
    struct ofsession_event *e = NULL;
    while (!e && time_msec() - start_ms < 60000) {
        long long int before = cpu_ms();
        ofsession_run(s);
        longest = MAX(longest, cpu_ms() - before);
        e = ofsession_pop_event(s);
        if (!e) {
            ofsession_wait(s);
            poll_timer_wait(1000);
            poll_block();
        }
    }
    CU_ASSERT_FATAL(e != NULL);
    CU_ASSERT_EQUAL(e->type, OFSESSION_APPLIED);
    printf("100,000 flows in %lld ms, longest run %lld ms\n",
           time_msec() - start_ms, longest);
    CU_ASSERT(longest < 500);
    ofsession_event_destroy(e);
    ofsession_destroy(s);

    start_ms = time_msec();
    s = open_session(&sb);
    e = expect(s, OFSESSION_CONNECTED);
    printf("read back in %lld ms\n", time_msec() - start_ms);
    CU_ASSERT_EQUAL(installed_count_flows(e->installed), 2 * N);
    CU_ASSERT(is_right(e, &d));
    ofsession_event_destroy(e);
    ofsession_destroy(s);
    desired_uninit(&d);
    sandbox_uninit(&sb);
}

static void
test_no_switch(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    struct ofsession *s = open_session(&sb);
    CU_ASSERT_PTR_NULL(next_event(s, 300));
    CU_ASSERT(!ofsession_packet_out(s, 1, NULL, 0, "", 0));
    CU_ASSERT(!ofsession_request_stats(s, OFSESSION_STATS_FLOWS, 0xff, 1));
    struct ds ds = DS_EMPTY_INITIALIZER;
    ofsession_format(s, &ds);
    CU_ASSERT_PTR_NOT_NULL(strstr(ds_cstr(&ds), "not connected"));
    ds_destroy(&ds);
    ofsession_destroy(s);
    sandbox_uninit(&sb);
}

TW_TESTS("glue-ofsession",
         TW_TEST(test_apply_and_read_back),
         TW_TEST(test_vswitchd_killed),
         TW_TEST(test_refused),
         TW_TEST(test_packets),
         TW_TEST(test_master),
         TW_TEST(test_large),
         TW_TEST(test_no_switch))
