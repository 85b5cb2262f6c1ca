/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVS_GLUE_OFSESSION_H
#define OVS_GLUE_OFSESSION_H 1

/* One OpenFlow 1.5 session to one bridge.
 *
 * A session connects by itself, again and again, at most a second apart.  Each
 * time it has connected it takes the MASTER role, asks for packet-ins (with
 * the pipeline's userdata) and port status, and reads the flows, groups and
 * meters that the bridge holds.  Then it says OFSESSION_CONNECTED with what it
 * read, and from there on the caller sends differences:
 *
 *     ofsession_send(s, delta, serial)    any number, without waiting
 *     OFSESSION_APPLIED, serial           the bridge confirmed by barrier
 *
 * Each difference goes as meters added and modified, one atomic ordered bundle
 * with groups and flows, meters deleted, barrier.  Meters can't be in a bundle;
 * a deleted meter takes the flows that name it along, therefore last.
 *
 * What always holds:
 *
 *   - APPLIED comes in the order of the serials, and only if nothing of that
 *     difference or of an earlier one was refused.
 *
 *   - If the bridge refuses anything, the caller gets one OFSESSION_ERROR that
 *     says what and why.  Differences not yet applied are then forgotten, as
 *     they are on OFSESSION_DISCONNECTED.  After ERROR the session reads the
 *     bridge anew (after a pause that grows from 1 s to 30 s while errors go
 *     on) and says CONNECTED again.  For the caller, DISCONNECTED and ERROR
 *     are therefore the same but for the log.
 *
 *   - Between CONNECTED and the next ERROR or DISCONNECTED
 *     ofsession_is_ready() is true; at other times ofsession_send() forgets
 *     what it is given, and packet-outs are dropped.
 *
 *   - No call blocks, and ofsession_run() does a bounded amount of work: large
 *     differences and dumps are handled in slices.
 *
 * Use, in the manner of the poll loop, any number of sessions in a thread:
 *
 *     ofsession_run(s);
 *     while ((e = ofsession_pop_event(s)) != NULL) {
 *         ...
 *         ofsession_event_destroy(e);
 *     }
 *     ofsession_wait(s);
 *
 * The session owns everything that it is given ("delta" is taken over), the
 * caller everything that it pops. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/list.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/types.h"

struct delta;
struct ds;
struct installed;
struct ofpbuf;
struct ofsession;

enum ofsession_event_type {
    OFSESSION_CONNECTED,        /* 'installed'. */
    OFSESSION_DISCONNECTED,     /* 'text': why, if known. */
    OFSESSION_APPLIED,          /* 'serial'. */
    OFSESSION_ERROR,            /* 'serial', 'text'. */
    OFSESSION_PACKET_IN,        /* 'packet_in'. */
    OFSESSION_PORT,             /* 'port'. */
    OFSESSION_STATS,            /* 'stats'. */
};

/* A packet that the pipeline sent to the controller. */
struct ofsession_packet_in {
    uint32_t in_port;           /* OpenFlow 1.0-sized number, host order. */
    struct match metadata;      /* in_port, metadata, registers, tunnel. */
    uint8_t reason;             /* OFPR_*. */
    uint8_t table_id;
    uint64_t cookie;            /* Of the flow; UINT64_MAX: unknown. */
    uint8_t *userdata;          /* What the controller action says. */
    size_t userdata_len;
    uint8_t *frame;             /* From the Ethernet header on. */
    size_t frame_len;           /* Bytes here... */
    size_t total_len;           /* ...of that many. */
};

/* Counters.  Flows are named by table and cookie: counters of flows that have
 * both in common are added up. */
enum ofsession_stats_kind {
    OFSESSION_STATS_FLOWS,
    OFSESSION_STATS_GROUPS,
    OFSESSION_STATS_METERS,
};
struct ofsession_counter {
    uint64_t id;                /* Flow: cookie; group or meter: its ID. */
    uint8_t table_id;           /* Flow only. */
    uint64_t packets, bytes;    /* Meter: what came in. */
    uint64_t dropped;           /* Meter: packets beyond the rate. */
};
struct ofsession_stats {
    enum ofsession_stats_kind kind;
    uint64_t tag;               /* As given to ofsession_request_stats(). */
    bool ok;                    /* False: the session was lost meanwhile. */
    struct ofsession_counter *counters;     /* By table, then id. */
    size_t n;
};

struct ofsession_event {
    struct ovs_list list_node;  /* For ofsession.c. */
    enum ofsession_event_type type;
    struct installed *installed;            /* NULL once the caller took it. */
    uint64_t serial;
    char *text;
    struct ofsession_packet_in packet_in;
    struct ofputil_port_status port;
    struct ofsession_stats stats;
};

/* 'target' is an active OpenFlow connection method, like
 * "unix:/var/run/openvswitch/br-int.mgmt" or "tcp:192.0.2.1:6653" (which must
 * then listen).  'name' is for log messages. */
struct ofsession *ofsession_create(const char *target, const char *name);
void ofsession_destroy(struct ofsession *);

/* Role MASTER is asked for with this generation ID, which must not be less
 * than that of the controller before: struct store_contents has one.  Without
 * this call it is 1. */
void ofsession_set_generation_id(struct ofsession *, uint64_t);

/* Goes to another target, if it is another. */
void ofsession_set_target(struct ofsession *, const char *target);

/* Tries to connect at once, if not connected: there is reason to believe that
 * it will work now. */
void ofsession_poke(struct ofsession *);

void ofsession_run(struct ofsession *);
void ofsession_wait(struct ofsession *);

/* The next event or NULL. */
struct ofsession_event *ofsession_pop_event(struct ofsession *);
void ofsession_event_destroy(struct ofsession_event *);

/* Sends 'delta' and takes it over; an empty one is confirmed as well.  Serials
 * must increase. */
void ofsession_send(struct ofsession *, struct delta *, uint64_t serial);

/* Sends 'frame' (at most 1514 bytes: longer ones are refused with false, since
 * the bridge would drop them silently) through 'ofpacts', as if it had entered
 * by 'in_port' (OFPP_CONTROLLER and OFPP_LOCAL are possible).  Both stay the
 * caller's.  False if not ready. */
bool ofsession_packet_out(struct ofsession *, uint32_t in_port,
                          const void *ofpacts, size_t ofpacts_len,
                          const void *frame, size_t frame_len);

/* Asks for counters; the answer is an OFSESSION_STATS event with 'tag'.  False
 * if not ready.  'table_id' 0xff is all tables; groups and meters are always
 * all. */
bool ofsession_request_stats(struct ofsession *, enum ofsession_stats_kind,
                             uint8_t table_id, uint64_t tag);

bool ofsession_is_ready(const struct ofsession *);

/* How many differences are not confirmed yet. */
size_t ofsession_backlog(const struct ofsession *);

/* One line about the session's state, for people. */
void ofsession_format(const struct ofsession *, struct ds *);

#endif /* ovs-glue/ofsession.h */
