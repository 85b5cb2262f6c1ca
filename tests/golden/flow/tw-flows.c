/* SPDX-License-Identifier: Apache-2.0 */

/* The flows of a small network, for golden tests and real bridges:
 *
 *     tw-flows show net|h1|h2|h3       what every host has, or one host
 *     tw-flows load HOST TARGET        makes the bridge at TARGET (an OpenFlow
 *                                      connection method) right, the way that
 *                                      tollwayd does; prints what changed
 *     tw-flows dead WAY HOST TARGET    the same with a dead way: east, west,
 *                                      lan2, lan3
 *     tw-flows deltas                  what some changes come to
 *
 * "load" reads what is installed, reconciles, sends the difference, and reads
 * and reconciles again: what is left then is a failure. */

#include <config.h>
#include "tests/golden/flow/flow-net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "controller/flow/reconcile.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vconn.h"
#include "openvswitch/vlog.h"
#include "util.h"

static void
print_ds(struct ds *ds)
{
    fputs(ds_cstr(ds), stdout);
    ds_destroy(ds);
}

static void
show(const struct scope *scope)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    scope_format(scope, pl_table_names, PL_N_TABLES, &ds);
    print_ds(&ds);
}

/* Real bridges. */

static void
read_replies(struct vconn *vconn, struct installed *installed,
             struct ofpbuf *request)
{
    ovs_be32 xid = ((struct ofp_header *) request->data)->xid;
    bool more = true;

    ovs_assert(!vconn_send_block(vconn, request));
    while (more) {
        struct ofpbuf *reply;

        ovs_assert(!vconn_recv_xid(vconn, xid, &reply));
        enum ofperr error = installed_add(installed, reply->data, &more);
        if (error) {
            ovs_fatal(0, "reply: %s", ofperr_to_string(error));
        }
        ofpbuf_delete(reply);
    }
}

static void
bridge_delta(struct vconn *vconn, const struct flow_net *n, int host,
             struct delta *delta)
{
    const struct scope *scopes[] = { n->scope, n->hosts[host] };
    struct installed *installed = installed_create();

    read_replies(vconn, installed, installed_flows_request());
    read_replies(vconn, installed, installed_groups_request());
    read_replies(vconn, installed, installed_meters_request());
    reconcile(installed, scopes, ARRAY_SIZE(scopes), delta);
    installed_destroy(installed);
}

static void
send_plain(struct vconn *vconn, const struct dmsg *msg)
{
    struct ofpbuf *copy = ofpbuf_clone(msg->msg), *reply;
    struct ofp_header *oh = copy->data;

    oh->xid = htonl(0x7000);
    ovs_assert(!vconn_transact_noreply(vconn, copy, &reply));
    if (reply) {
        ovs_fatal(0, "refused: %s",
                  ofperr_to_string(ofperr_decode_msg(reply->data, NULL)));
    }
}

static void
send_bundle(struct vconn *vconn, const struct dmsg *msgs, size_t n)
{
    struct ovs_list requests = OVS_LIST_INITIALIZER(&requests);
    struct ovs_list errors;

    for (size_t i = 0; i < n; i++) {
        struct ofpbuf *copy = ofpbuf_clone(msgs[i].msg);

        ovs_list_push_back(&requests, &copy->list_node);
    }
    int error = vconn_bundle_transact(vconn, &requests,
                                      OFPBF_ORDERED | OFPBF_ATOMIC, &errors);
    struct ofpbuf *msg;
    LIST_FOR_EACH_POP (msg, list_node, &errors) {
        ovs_error(0, "bundle: %s",
                  ofperr_to_string(ofperr_decode_msg(msg->data, NULL)));
        ofpbuf_delete(msg);
    }
    if (error) {
        ovs_fatal(error, "bundle failed");
    }
    LIST_FOR_EACH_POP (msg, list_node, &requests) {
        ofpbuf_delete(msg);
    }
}

static void
apply(struct vconn *vconn, const struct delta *delta)
{
    struct dmsgs msgs;
    size_t i = 0;

    delta_to_messages(delta, &msgs);
    for (; i < msgs.n_before; i++) {
        send_plain(vconn, &msgs.msgs[i]);
    }
    if (msgs.n_bundle) {
        send_bundle(vconn, &msgs.msgs[i], msgs.n_bundle);
    }
    for (i += msgs.n_bundle; i < msgs.n; i++) {
        send_plain(vconn, &msgs.msgs[i]);
    }
    dmsgs_uninit(&msgs);
}

static void
print_counts(const struct delta *delta)
{
    struct delta_counts c;

    delta_count(delta, &c);
    printf("flows +%"PRIuSIZE" ~%"PRIuSIZE" -%"PRIuSIZE
           " groups +%"PRIuSIZE" ~%"PRIuSIZE" -%"PRIuSIZE
           " meters +%"PRIuSIZE" ~%"PRIuSIZE" -%"PRIuSIZE"\n",
           c.flows_added, c.flows_modified, c.flows_removed,
           c.groups_added, c.groups_modified, c.groups_removed,
           c.meters_added, c.meters_modified, c.meters_removed);
}

static int
load(const struct flow_net *n, const char *host_name, const char *target)
{
    int host = host_name[1] - '1';
    struct delta delta;
    struct vconn *vconn;
    int error, result = 0;

    if (host < 0 || host >= FLOW_NET_HOSTS) {
        ovs_fatal(0, "%s: no such host", host_name);
    }
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_WARN);
    error = vconn_open_block(target, 1u << OFP15_VERSION, 0, -1, &vconn);
    if (error) {
        ovs_fatal(error, "%s", target);
    }
    delta_init(&delta);
    bridge_delta(vconn, n, host, &delta);
    print_counts(&delta);
    apply(vconn, &delta);
    delta_clear(&delta);

    bridge_delta(vconn, n, host, &delta);
    if (!delta_is_empty(&delta)) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        delta_format(&delta, pl_table_names, PL_N_TABLES, &ds);
        puts("left after loading:");
        print_ds(&ds);
        result = 1;
    }
    delta_uninit(&delta);
    vconn_close(vconn);
    return result;
}

static void
print_deltas(struct flow_net *n, const char *what)
{
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        printf("\n%s, h%d:\n", what, i + 1);
        delta_format(n->deltas[i], pl_table_names, PL_N_TABLES, &ds);
        print_ds(&ds);
        delta_clear(n->deltas[i]);
    }
}

static void
deltas(struct flow_net *n)
{
    for (int i = 0; i < FLOW_NET_HOSTS; i++) {
        delta_clear(n->deltas[i]);
    }
    flow_net_build(n);
    print_deltas(n, "built again");
    flow_net_set_alive(n, WAY_EAST, false);
    print_deltas(n, "east dies");
    flow_net_set_alive(n, WAY_EAST, true);
    flow_net_set_alive(n, WAY_EAST, false);
    print_deltas(n, "east comes back and dies again");
    flow_net_set_alive(n, WAY_EAST, true);
    print_deltas(n, "east comes back");
    flow_net_move_web1(n, 2);
    print_deltas(n, "web1 moves to h3");
}

static int
find_way(const char *name)
{
    static const char *const names[] = { "east", "west", "lan2", "lan3" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(name, names[i])) {
            return i;
        }
    }
    ovs_fatal(0, "%s: no such way", name);
}

int
main(int argc, char *argv[])
{
    struct flow_net *n = flow_net_create();
    const char *command = argc > 1 ? argv[1] : "";
    int result = 0;

    if (!strcmp(command, "show") && argc == 3) {
        show(argv[2][0] == 'h' ? n->hosts[argv[2][1] - '1'] : n->scope);
    } else if (!strcmp(command, "load") && argc == 4) {
        result = load(n, argv[2], argv[3]);
    } else if (!strcmp(command, "dead") && argc == 5) {
        flow_net_set_alive(n, find_way(argv[2]), false);
        result = load(n, argv[3], argv[4]);
    } else if (!strcmp(command, "deltas") && argc == 2) {
        deltas(n);
    } else {
        ovs_fatal(0, "see the head of tw-flows.c");
    }
    flow_net_destroy(n);
    return result;
}
