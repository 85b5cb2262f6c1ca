/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVS_GLUE_OFMSGS_H
#define OVS_GLUE_OFMSGS_H 1

/* The OpenFlow 1.5 messages of a session, to and from bytes.  No connection and
 * no state: ofsession.c has those.
 *
 * Whoever calls a compose function owns the message.  What is parsed comes from
 * outside: everything here refuses what it can't decode and asserts nothing. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"
#include "ovs-glue/ofsession.h"

struct dmsgs;
struct ofp_header;
struct ofpbuf;

/* Setting up. */

struct ofpbuf *ofmsgs_compose_role(uint64_t generation_id);
struct ofpbuf *ofmsgs_compose_config(void);
struct ofpbuf *ofmsgs_compose_packet_in_format(void);
struct ofpbuf *ofmsgs_compose_async(void);

/* Differences.
 *
 * A difference goes as a series of messages, numbered from 0:
 *
 *     before the bundle, open, in the bundle, commit, after it, barrier
 *
 * (no open and commit if nothing is in the bundle).  Their transaction IDs
 * follow each other, so that an answer's transaction ID says which one it
 * answers. */
size_t ofmsgs_count(const struct dmsgs *);

/* Message number 'i' of 'ofmsgs_count()', with transaction ID 'xid', or NULL if
 * it is too long for OpenFlow. */
struct ofpbuf *ofmsgs_compose(const struct dmsgs *, size_t i,
                              uint32_t bundle_id, uint32_t xid);
/* Whether the bundle is open after messages 0...i-1. */
bool ofmsgs_in_bundle(const struct dmsgs *, size_t i);
struct ofpbuf *ofmsgs_compose_discard(uint32_t bundle_id);
/* What message number 'i' is, as text; the caller frees it. */
char *ofmsgs_describe(const struct dmsgs *, size_t i);

/* Packets. */

bool ofmsgs_parse_packet_in(const struct ofp_header *,
                            struct ofsession_packet_in *);
void ofmsgs_packet_in_uninit(struct ofsession_packet_in *);
struct ofpbuf *ofmsgs_compose_packet_out(uint32_t in_port,
                                         const void *ofpacts,
                                         size_t ofpacts_len,
                                         const void *frame, size_t frame_len);

/* Counters, which may come in several messages. */

struct ofmsgs_counters {
    struct hmap map;
};
void ofmsgs_counters_init(struct ofmsgs_counters *);
void ofmsgs_counters_uninit(struct ofmsgs_counters *);
struct ofpbuf *ofmsgs_compose_stats(enum ofsession_stats_kind,
                                    uint8_t table_id);
/* False if 'oh' does not decode. */
bool ofmsgs_counters_add(struct ofmsgs_counters *, enum ofsession_stats_kind,
                         const struct ofp_header *);
/* The sum, sorted; the caller frees the array. */
struct ofsession_counter *ofmsgs_counters_get(const struct ofmsgs_counters *,
                                              size_t *n);

#endif /* ovs-glue/ofmsgs.h */
