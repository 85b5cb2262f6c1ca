/* SPDX-License-Identifier: Apache-2.0 */

/* watch NAME=SOCKET...
 *
 * Tells when bridges change.  Opens an OpenFlow 1.5 session to the management
 * socket of each bridge, asks for a flow monitor of all tables (without what is
 * there already) and for OFPT_REQUESTFORWARD, which is how a bridge tells of
 * group changes that another controller makes: flow monitors don't.
 *
 * For each message with changes it prints one line as soon as it has read it:
 *
 *     NANOSECONDS NAME flow TABLE[,TABLE...]
 *     NANOSECONDS NAME group NUMBER
 *
 * The time is CLOCK_MONOTONIC, taken after the message was received and before
 * it is decoded.  A table is listed once however many of its flows changed.
 * When all bridges are being watched, "ready" is printed.  It ends when
 * standard input does. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-connection.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-monitor.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-switch.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vconn.h"
#include "openvswitch/vlog.h"
#include "fatal-signal.h"
#include "util.h"

/* A bridge that is watched. */
struct bridge {
    char *name;
    struct vconn *vconn;
};

static uint64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
}

static void
send_block(struct bridge *b, struct ofpbuf *msg)
{
    int error = vconn_send_block(b->vconn, msg);

    if (error) {
        ovs_fatal(error, "%s: can't send", b->name);
    }
}

/* A service connection gets asynchronous messages only with a miss send length;
 * of these, only requests of other controllers are wanted. */
static void
ask_for_requests(struct bridge *b)
{
    struct ofputil_switch_config config = { .miss_send_len = 1 };
    struct ofputil_async_cfg async = OFPUTIL_ASYNC_CFG_INIT;
    uint32_t types = ((1u << OAM_PACKET_IN) | (1u << OAM_PORT_STATUS)
                      | (1u << OAM_FLOW_REMOVED) | (1u << OAM_REQUESTFORWARD));

    async.primary[OAM_REQUESTFORWARD] = 1u << OFPRFR_GROUP_MOD;
    async.secondary[OAM_REQUESTFORWARD] = 1u << OFPRFR_GROUP_MOD;
    send_block(b, ofputil_encode_set_config(&config, OFP15_VERSION));
    send_block(b, ofputil_encode_set_async_config(&async, types,
                                                  OFP15_VERSION));
}

static void
ask_for_flows(struct bridge *b)
{
    struct ofputil_flow_monitor_request request = {
        .id = 1,
        .command = OFPFMC_ADD,
        .flags = OFPFMF_ADD | OFPFMF_REMOVED | OFPFMF_MODIFY,
        .out_port = OFPP_NONE,
        .out_group = OFPG_ANY,
        .table_id = 0xff,
    };
    struct ofpbuf *msg = ofpbuf_new(0);
    struct ofpbuf *reply;

    match_init_catchall(&request.match);
    ofputil_append_flow_monitor_request(&request, msg, OFPUTIL_P_OF15_OXM);
    ofpmsg_update_length(msg);
    int error = vconn_transact(b->vconn, msg, &reply);
    if (error) {
        ovs_fatal(error, "%s: no flow monitor", b->name);
    }
    enum ofptype type;
    if (ofptype_decode(&type, reply->data)
        || type != OFPTYPE_FLOW_MONITOR_STATS_REPLY) {
        ovs_fatal(0, "%s: the flow monitor is refused", b->name);
    }
    ofpbuf_delete(reply);
}

static void
bridge_open(struct bridge *b, char *arg)
{
    char *socket = strchr(arg, '=');

    if (!socket) {
        ovs_fatal(0, "%s: not NAME=SOCKET", arg);
    }
    b->name = xmemdup0(arg, socket - arg);
    char *remote = xasprintf("unix:%s", socket + 1);
    int error = vconn_open_block(remote, 1u << OFP15_VERSION, 0, 10000,
                                 &b->vconn);
    if (error) {
        ovs_fatal(error, "%s: can't be reached", remote);
    }
    free(remote);
    ask_for_requests(b);
    ask_for_flows(b);
}

/* Prints the tables in which 'msg', flow updates, says that flows changed. */
static void
print_flow_updates(const struct bridge *b, struct ofpbuf *msg, uint64_t when)
{
    struct ds tables = DS_EMPTY_INITIALIZER;
    bool seen[256] = { false };
    uint64_t stub[512 / 8];
    struct ofpbuf ofpacts;

    ofpbuf_use_stub(&ofpacts, stub, sizeof stub);
    for (;;) {
        struct ofputil_flow_update update;

        ofpbuf_clear(&ofpacts);
        if (ofputil_decode_flow_update(&update, msg, &ofpacts)) {
            break;
        }
        if (update.event != OFPFME_INITIAL && update.event != OFPFME_ABBREV
            && update.event != OFPFME_PAUSED
            && update.event != OFPFME_RESUMED && !seen[update.table_id]) {
            seen[update.table_id] = true;
            ds_put_format(&tables, "%s%d", tables.length ? "," : "",
                          update.table_id);
        }
    }
    if (tables.length) {
        printf("%"PRIu64" %s flow %s\n", when, b->name, ds_cstr(&tables));
    }
    ofpbuf_uninit(&ofpacts);
    ds_destroy(&tables);
}

static void
print_request(const struct bridge *b, const struct ofpbuf *msg, uint64_t when)
{
    struct ofputil_requestforward rf;

    if (!ofputil_decode_requestforward(msg->data, &rf)) {
        if (rf.reason == OFPRFR_GROUP_MOD) {
            printf("%"PRIu64" %s group %"PRIu32"\n", when, b->name,
                   rf.group_mod->group_id);
        }
        ofputil_destroy_requestforward(&rf);
    }
}

static void
handle(struct bridge *b, struct ofpbuf *msg, uint64_t when)
{
    enum ofptype type;

    if (ofptype_decode(&type, msg->data)) {
        return;
    }
    if (type == OFPTYPE_FLOW_MONITOR_STATS_REPLY) {
        print_flow_updates(b, msg, when);
    } else if (type == OFPTYPE_REQUESTFORWARD) {
        print_request(b, msg, when);
    } else if (type == OFPTYPE_ECHO_REQUEST) {
        send_block(b, ofputil_encode_echo_reply(msg->data));
    } else if (type == OFPTYPE_ERROR) {
        ovs_fatal(0, "%s: a request is refused: %s", b->name,
                  ofperr_to_string(ofperr_decode_msg(msg->data, NULL)));
    }
}

/* Takes all that has arrived; false when the bridge has gone. */
static bool
bridge_run(struct bridge *b)
{
    struct ofpbuf *msg;
    int error;

    vconn_run(b->vconn);
    while (!(error = vconn_recv(b->vconn, &msg))) {
        uint64_t when = now_ns();

        handle(b, msg, when);
        ofpbuf_delete(msg);
    }
    return error == EAGAIN;
}

int
main(int argc, char *argv[])
{
    struct bridge *bridges = xcalloc(argc, sizeof *bridges);
    size_t n = argc - 1;

    set_program_name(argv[0]);
    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    /* The error by which a bridge refuses a monitor can't be told from others,
     * so it would be waited for in vain. */
    alarm(20);
    for (size_t i = 0; i < n; i++) {
        bridge_open(&bridges[i], argv[1 + i]);
    }
    alarm(0);
    printf("ready\n");
    fflush(stdout);
    int in = dup(STDIN_FILENO);         /* poll_fd_wait() takes no 0. */
    fcntl(in, F_SETFL, fcntl(in, F_GETFL) | O_NONBLOCK);
    for (;;) {
        char c;

        for (size_t i = 0; i < n; i++) {
            if (!bridge_run(&bridges[i])) {
                ovs_fatal(0, "%s: the session ended", bridges[i].name);
            }
            vconn_run_wait(bridges[i].vconn);
            vconn_recv_wait(bridges[i].vconn);
        }
        fflush(stdout);
        if (read(in, &c, 1) == 0) {
            break;
        }
        poll_fd_wait(in, POLLIN);
        poll_block();
    }
    for (size_t i = 0; i < n; i++) {
        vconn_close(bridges[i].vconn);
        free(bridges[i].name);
    }
    free(bridges);
    return EXIT_SUCCESS;
}
