/* SPDX-License-Identifier: Apache-2.0 */

/* An OpenFlow session: the connection's states, what is on its way, and who is
 * told.  The messages themselves are in ofmsgs.c.
 *
 *                 connected                  read
 *     DOWN ------------------------> READING ----> READY
 *      ^                                ^  \         |
 *      | connection lost, from anywhere |   error    | error
 *                                       |    v       v
 *                                       +---- PAUSED
 *                                  pause over
 *
 * Everything that is sent in a session goes over one connection and is handled
 * by the switch in order.  What is read after an error therefore includes
 * whatever became of the messages before. */

#include <config.h>
#include "ovs-glue/ofsession.h"
#include <string.h>
#include "controller/flow/desired.h"
#include "controller/flow/reconcile.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-util.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/rconn.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/ofmsgs.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tw_ofsession);

/* In s. */
#define PROBE_INTERVAL 5
#define MAX_BACKOFF 1

/* How much work one ofsession_run() does: messages sent and received. */
#define SEND_SLICE 1000
#define RECV_SLICE 50

/* A difference is not stuffed into the connection beyond so many messages that
 * the socket doesn't take, and packet-outs are dropped beyond so many. */
#define SEND_QUEUE 32
#define PACKET_OUT_QUEUE 2000

/* Longest frame of a packet-out. */
#define FRAME_MAX 1514

/* Between an error and reading anew, in ms. */
#define MIN_PAUSE 1000
#define MAX_PAUSE 30000
/* Without an error for so long, the next pause is a short one again. */
#define PAUSE_FORGET 60000

enum session_state { SESSION_DOWN, SESSION_READING, SESSION_READY,
                     SESSION_PAUSED };

/* A difference, not confirmed yet. */
struct job {
    struct ovs_list list_node;  /* In struct ofsession's 'jobs'. */
    uint64_t serial;
    struct delta *delta;
    struct dmsgs msgs;          /* Once 'started'. */
    bool started;
    size_t n, n_sent;           /* Messages. */
    uint32_t xid;               /* Of message 0, those of the others follow. */
    uint32_t bundle_id;
};

struct stats_request {
    struct ovs_list list_node;  /* In struct ofsession's 'stats'. */
    enum ofsession_stats_kind kind;
    uint64_t tag;
    uint32_t xid;
    struct ofmsgs_counters counters;
};

enum { READ_FLOWS, READ_GROUPS, READ_METERS, READ_N };

struct ofsession {
    struct rconn *rconn;
    char *name;
    uint64_t generation_id;
    enum session_state state;
    unsigned int seqno;         /* Of the rconn's connection. */
    uint32_t next_xid;
    uint32_t next_bundle_id;
    struct ovs_list events;     /* "struct ofsession_event"s. */

    /* SESSION_READING. */
    struct installed *installed;
    uint32_t setup_xid, setup_n;        /* Transaction IDs of setting up. */
    uint32_t read_xid[READ_N];
    bool read[READ_N];          /* Answered completely. */

    /* SESSION_READY. */
    struct ovs_list jobs;       /* "struct job"s, oldest first. */
    struct ovs_list stats;      /* "struct stats_request"s. */

    /* SESSION_PAUSED. */
    long long int pause_until;
    long long int pause;        /* Last one's length, 0: none yet. */

    unsigned long long int n_applied, n_errors, n_packet_ins, n_packet_outs;
};

/* Events. */

static struct ofsession_event *
add_event(struct ofsession *s, enum ofsession_event_type type)
{
    struct ofsession_event *e = xzalloc(sizeof *e);
    e->type = type;
    ovs_list_push_back(&s->events, &e->list_node);
    return e;
}

struct ofsession_event *
ofsession_pop_event(struct ofsession *s)
{
    if (ovs_list_is_empty(&s->events)) {
        return NULL;
    }
    return CONTAINER_OF(ovs_list_pop_front(&s->events),
                        struct ofsession_event, list_node);
}

void
ofsession_event_destroy(struct ofsession_event *e)
{
    if (e) {
        installed_destroy(e->installed);
        free(e->text);
        ofmsgs_packet_in_uninit(&e->packet_in);
        free(e->stats.counters);
        free(e);
    }
}

/* Sending. */

static uint32_t
alloc_xids(struct ofsession *s, size_t n)
{
    uint32_t xid = s->next_xid;
    s->next_xid += n;
    return xid;
}

static void
send_with_xid(struct ofsession *s, struct ofpbuf *msg, uint32_t xid)
{
    struct ofp_header *oh = msg->data;
    oh->xid = htonl(xid);
    rconn_send(s->rconn, msg, NULL);
}

/* Forgetting. */

static void
job_destroy(struct job *job)
{
    ovs_list_remove(&job->list_node);
    if (job->started) {
        dmsgs_uninit(&job->msgs);
    }
    delta_destroy(job->delta);
    free(job);
}

static void
answer_stats(struct ofsession *s, struct stats_request *r, bool ok)
{
    struct ofsession_event *e = add_event(s, OFSESSION_STATS);
    e->stats.kind = r->kind;
    e->stats.tag = r->tag;
    e->stats.ok = ok;
    if (ok) {
        e->stats.counters = ofmsgs_counters_get(&r->counters, &e->stats.n);
    }
    ovs_list_remove(&r->list_node);
    ofmsgs_counters_uninit(&r->counters);
    free(r);
}

static void
forget(struct ofsession *s)
{
    struct job *job;
    LIST_FOR_EACH_SAFE (job, list_node, &s->jobs) {
        job_destroy(job);
    }
    struct stats_request *r;
    LIST_FOR_EACH_SAFE (r, list_node, &s->stats) {
        answer_stats(s, r, false);
    }
    installed_destroy(s->installed);
    s->installed = NULL;
}

/* States. */

static void
start_reading(struct ofsession *s)
{
    struct ofpbuf *msgs[] = {
        ofmsgs_compose_role(s->generation_id),
        ofmsgs_compose_config(),
        ofmsgs_compose_packet_in_format(),
        ofmsgs_compose_async(),
    };
    s->setup_n = ARRAY_SIZE(msgs);
    s->setup_xid = alloc_xids(s, s->setup_n);
    for (size_t i = 0; i < ARRAY_SIZE(msgs); i++) {
        send_with_xid(s, msgs[i], s->setup_xid + i);
    }

    struct ofpbuf *reads[READ_N] = {
        [READ_FLOWS] = installed_flows_request(),
        [READ_GROUPS] = installed_groups_request(),
        [READ_METERS] = installed_meters_request(),
    };
    s->installed = installed_create();
    for (size_t i = 0; i < READ_N; i++) {
        s->read[i] = false;
        s->read_xid[i] = alloc_xids(s, 1);
        send_with_xid(s, reads[i], s->read_xid[i]);
    }
    s->state = SESSION_READING;
}

/* The switch refused something.  Takes 'text' over. */
static void
fail(struct ofsession *s, uint64_t serial, char *text)
{
    VLOG_WARN("%s: %s", s->name, text);
    struct job *job;
    LIST_FOR_EACH (job, list_node, &s->jobs) {
        if (job->started && ofmsgs_in_bundle(&job->msgs, job->n_sent)) {
            send_with_xid(s, ofmsgs_compose_discard(job->bundle_id),
                          alloc_xids(s, 1));
        }
    }
    forget(s);
    s->n_errors++;

    long long int now = time_msec();
    bool again = s->pause && now < s->pause_until + PAUSE_FORGET;
    s->pause = again ? MIN(s->pause * 2, MAX_PAUSE) : MIN_PAUSE;
    s->pause_until = now + s->pause;
    s->state = SESSION_PAUSED;

    struct ofsession_event *e = add_event(s, OFSESSION_ERROR);
    e->serial = serial;
    e->text = text;
}

static void
run_connection(struct ofsession *s)
{
    rconn_run(s->rconn);
    unsigned int seqno = rconn_get_connection_seqno(s->rconn);
    bool connected = rconn_is_connected(s->rconn);
    if (s->state != SESSION_DOWN && (!connected || seqno != s->seqno)) {
        forget(s);
        s->state = SESSION_DOWN;
        int error = rconn_get_last_error(s->rconn);
        add_event(s, OFSESSION_DISCONNECTED)->text
            = error ? xstrdup(ovs_retval_to_string(error)) : NULL;
    }
    s->seqno = seqno;
    if (s->state == SESSION_DOWN && connected) {
        start_reading(s);
    } else if (s->state == SESSION_PAUSED && time_msec() >= s->pause_until) {
        start_reading(s);
    }
}

/* Jobs. */

static void
job_start(struct ofsession *s, struct job *job)
{
    delta_to_messages(job->delta, &job->msgs);
    job->n = ofmsgs_count(&job->msgs);
    job->xid = alloc_xids(s, job->n);
    job->bundle_id = s->next_bundle_id++;
    job->started = true;
}

/* The oldest difference of which something is not sent yet. */
static struct job *
unsent_job(const struct ofsession *s)
{
    struct job *job;
    LIST_FOR_EACH (job, list_node, &s->jobs) {
        if (!job->started || job->n_sent < job->n) {
            return job;
        }
    }
    return NULL;
}

static void
run_jobs(struct ofsession *s)
{
    int budget = SEND_SLICE;
    struct job *job;
    while (s->state == SESSION_READY && (job = unsent_job(s)) != NULL) {
        if (!job->started) {
            job_start(s, job);
        }
        for (; job->n_sent < job->n; job->n_sent++) {
            if (budget-- <= 0 || rconn_count_txqlen(s->rconn) >= SEND_QUEUE) {
                return;
            }
            struct ofpbuf *msg = ofmsgs_compose(&job->msgs, job->n_sent,
                                                job->bundle_id,
                                                job->xid + job->n_sent);
            if (!msg) {
                fail(s, job->serial,
                     xasprintf("a message is too long for OpenFlow"));
                return;
            }
            rconn_send(s->rconn, msg, NULL);
        }
    }
}

/* The difference that one of the switch's answers is about. */
static struct job *
find_job(const struct ofsession *s, uint32_t xid)
{
    struct job *job;
    LIST_FOR_EACH (job, list_node, &s->jobs) {
        if (job->started && xid - job->xid < job->n) {
            return job;
        }
    }
    return NULL;
}

static void
handle_barrier(struct ofsession *s, uint32_t xid)
{
    struct job *job = find_job(s, xid);
    if (job && xid - job->xid == job->n - 1) {
        add_event(s, OFSESSION_APPLIED)->serial = job->serial;
        s->n_applied++;
        job_destroy(job);
    }
}

/* What comes in. */

static void
handle_error(struct ofsession *s, const struct ofp_header *oh)
{
    uint32_t xid = ntohl(oh->xid);
    enum ofperr error = ofperr_decode_msg(oh, NULL);
    const char *what = error ? ofperr_to_string(error) : "undecodable error";
    struct job *job = find_job(s, xid);
    if (job) {
        char *msg = ofmsgs_describe(&job->msgs, xid - job->xid);
        size_t len = strcspn(msg, "\n");
        fail(s, job->serial, xasprintf("%s: %.*s", what,
                                       (int) MIN(len, 2000), msg));
        free(msg);
        return;
    }

    if (s->state == SESSION_READING && xid - s->setup_xid < s->setup_n) {
        fail(s, 0, xasprintf("%s: %s", what,
                             (xid == s->setup_xid
                              ? "another controller is the bridge's master"
                              : "setting up the session")));
        return;
    }
    for (size_t i = 0; i < READ_N && s->state == SESSION_READING; i++) {
        if (xid == s->read_xid[i]) {
            fail(s, 0, xasprintf("%s: reading the bridge", what));
        }
    }
    struct stats_request *r;
    LIST_FOR_EACH_SAFE (r, list_node, &s->stats) {
        if (xid == r->xid) {
            answer_stats(s, r, false);
        }
    }
    /* Others are about packet-outs (a port that has just gone), or about what
     * was sent before an error that is known already. */
    VLOG_DBG("%s: %s", s->name, what);
}

static void
handle_read(struct ofsession *s, size_t i, const struct ofp_header *oh)
{
    bool more = false;
    enum ofperr error = installed_add(s->installed, oh, &more);
    if (error) {
        fail(s, 0, xasprintf("%s: can't decode what the bridge holds",
                             ofperr_to_string(error)));
        return;
    }
    s->read[i] = !more;
    for (size_t j = 0; j < READ_N; j++) {
        if (!s->read[j]) {
            return;
        }
    }
    s->state = SESSION_READY;
    struct ofsession_event *e = add_event(s, OFSESSION_CONNECTED);
    e->installed = s->installed;
    s->installed = NULL;
}

/* Part of what the bridge holds, or of counters. */
static void
handle_multipart(struct ofsession *s, const struct ofp_header *oh)
{
    uint32_t xid = ntohl(oh->xid);
    for (size_t i = 0; i < READ_N && s->state == SESSION_READING; i++) {
        if (xid == s->read_xid[i] && !s->read[i]) {
            handle_read(s, i, oh);
            return;
        }
    }
    struct stats_request *r;
    LIST_FOR_EACH_SAFE (r, list_node, &s->stats) {
        if (xid == r->xid) {
            bool ok = ofmsgs_counters_add(&r->counters, r->kind, oh);
            if (!ok || !ofpmp_more(oh)) {
                answer_stats(s, r, ok);
            }
            return;
        }
    }
}

static void
handle_packet_in(struct ofsession *s, const struct ofp_header *oh)
{
    struct ofsession_packet_in p;
    if (s->state != SESSION_READY) {
        return;
    }
    if (ofmsgs_parse_packet_in(oh, &p)) {
        add_event(s, OFSESSION_PACKET_IN)->packet_in = p;
        s->n_packet_ins++;
    }
}

static void
handle_port_status(struct ofsession *s, const struct ofp_header *oh)
{
    struct ofputil_port_status ps;
    if (!ofputil_decode_port_status(oh, &ps)) {
        add_event(s, OFSESSION_PORT)->port = ps;
    }
}

static void
handle_message(struct ofsession *s, const struct ofp_header *oh)
{
    enum ofptype type;
    if (ofptype_decode(&type, oh)) {
        VLOG_DBG("%s: undecodable message of type %"PRIu8, s->name, oh->type);
        return;
    }
    switch ((int) type) {
    case OFPTYPE_ECHO_REQUEST:
        rconn_send(s->rconn, ofputil_encode_echo_reply(oh), NULL);
        break;
    case OFPTYPE_ERROR:
        handle_error(s, oh);
        break;
    case OFPTYPE_BARRIER_REPLY:
        handle_barrier(s, ntohl(oh->xid));
        break;
    case OFPTYPE_PACKET_IN:
        handle_packet_in(s, oh);
        break;
    case OFPTYPE_PORT_STATUS:
        handle_port_status(s, oh);
        break;
    case OFPTYPE_FLOW_STATS_REPLY:
    case OFPTYPE_GROUP_STATS_REPLY:
    case OFPTYPE_GROUP_DESC_STATS_REPLY:
    case OFPTYPE_METER_STATS_REPLY:
    case OFPTYPE_METER_CONFIG_STATS_REPLY:
        handle_multipart(s, oh);
        break;
    default:
        break;
    }
}

/* Life. */

struct ofsession *
ofsession_create(const char *target, const char *name)
{
    struct ofsession *s = xzalloc(sizeof *s);
    s->name = xstrdup(name);
    s->generation_id = 1;
    s->next_xid = 0x10000000;
    s->next_bundle_id = 1;
    ovs_list_init(&s->events);
    ovs_list_init(&s->jobs);
    ovs_list_init(&s->stats);
    s->rconn = rconn_create(PROBE_INTERVAL, MAX_BACKOFF, DSCP_DEFAULT,
                            1u << OFP15_VERSION);
    rconn_connect(s->rconn, target, name);
    s->seqno = rconn_get_connection_seqno(s->rconn);
    return s;
}

void
ofsession_destroy(struct ofsession *s)
{
    if (!s) {
        return;
    }
    forget(s);
    struct ofsession_event *e;
    while ((e = ofsession_pop_event(s)) != NULL) {
        ofsession_event_destroy(e);
    }
    rconn_destroy(s->rconn);
    free(s->name);
    free(s);
}

void
ofsession_set_generation_id(struct ofsession *s, uint64_t generation_id)
{
    s->generation_id = generation_id;
}

void
ofsession_set_target(struct ofsession *s, const char *target)
{
    if (strcmp(target, rconn_get_target(s->rconn))) {
        rconn_connect(s->rconn, target, s->name);
    }
}

void
ofsession_poke(struct ofsession *s)
{
    if (!rconn_is_connected(s->rconn)) {
        char *target = xstrdup(rconn_get_target(s->rconn));
        rconn_connect(s->rconn, target, s->name);
        free(target);
    }
}

void
ofsession_run(struct ofsession *s)
{
    run_connection(s);
    for (int i = 0; i < RECV_SLICE; i++) {
        struct ofpbuf *msg = rconn_recv(s->rconn);
        if (!msg) {
            break;
        }
        handle_message(s, msg->data);
        ofpbuf_delete(msg);
    }
    run_jobs(s);
}

void
ofsession_wait(struct ofsession *s)
{
    rconn_run_wait(s->rconn);
    rconn_recv_wait(s->rconn);
    if (!ovs_list_is_empty(&s->events)
        || (s->state == SESSION_DOWN && rconn_is_connected(s->rconn))
        || (s->state == SESSION_READY && unsent_job(s)
            && rconn_count_txqlen(s->rconn) < SEND_QUEUE)) {
        poll_immediate_wake();
    }
    if (s->state == SESSION_PAUSED) {
        poll_timer_wait_until(s->pause_until);
    }
}

void
ofsession_send(struct ofsession *s, struct delta *delta, uint64_t serial)
{
    if (s->state != SESSION_READY) {
        delta_destroy(delta);
        return;
    }
    struct job *job = xzalloc(sizeof *job);
    job->serial = serial;
    job->delta = delta;
    ovs_list_push_back(&s->jobs, &job->list_node);
    run_jobs(s);
}

bool
ofsession_packet_out(struct ofsession *s, uint32_t in_port,
                     const void *ofpacts, size_t ofpacts_len,
                     const void *frame, size_t frame_len)
{
    if (s->state != SESSION_READY || frame_len > FRAME_MAX
        || rconn_count_txqlen(s->rconn) >= PACKET_OUT_QUEUE) {
        return false;
    }
    struct ofpbuf *msg = ofmsgs_compose_packet_out(in_port, ofpacts,
                                                   ofpacts_len, frame,
                                                   frame_len);
    send_with_xid(s, msg, alloc_xids(s, 1));
    s->n_packet_outs++;
    return true;
}

bool
ofsession_request_stats(struct ofsession *s, enum ofsession_stats_kind kind,
                        uint8_t table_id, uint64_t tag)
{
    if (s->state != SESSION_READY) {
        return false;
    }
    struct stats_request *r = xzalloc(sizeof *r);
    r->kind = kind;
    r->tag = tag;
    r->xid = alloc_xids(s, 1);
    ofmsgs_counters_init(&r->counters);
    ovs_list_push_back(&s->stats, &r->list_node);
    send_with_xid(s, ofmsgs_compose_stats(kind, table_id), r->xid);
    return true;
}

bool
ofsession_is_ready(const struct ofsession *s)
{
    return s->state == SESSION_READY;
}

size_t
ofsession_backlog(const struct ofsession *s)
{
    return ovs_list_size(&s->jobs);
}

void
ofsession_format(const struct ofsession *s, struct ds *ds)
{
    static const char *const names[] = { "not connected", "reading", "ready",
                                         "pausing after an error" };
    ds_put_format(ds, "%s: %s", s->name, names[s->state]);
    int error = rconn_get_last_error(s->rconn);
    if (s->state == SESSION_DOWN && error) {
        ds_put_format(ds, " (%s)", ovs_retval_to_string(error));
    }
    ds_put_format(ds, ", %"PRIuSIZE" differences on their way, %llu applied, "
                  "%llu errors, %llu packet-ins, %llu packet-outs",
                  ofsession_backlog(s), s->n_applied, s->n_errors,
                  s->n_packet_ins, s->n_packet_outs);
}
