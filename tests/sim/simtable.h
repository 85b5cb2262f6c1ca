/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMTABLE_H
#define TESTS_SIM_SIMTABLE_H 1

/* One flow table of a simulated switch.
 *
 * A tuple space: flows that share a mask are in one hash table, keyed by the
 * masked fields, so a lookup costs one hash per distinct mask.  The switch is
 * the reference that the pipeline is judged by, so besides the winner a lookup
 * says whether another flow of the same priority matched as well with other
 * actions: OpenFlow leaves open which of the two a real bridge takes, and a
 * pipeline must not depend on it.
 *
 * A flow is immutable once inserted, but for its counters, and is reference
 * counted: a bundle's snapshot holds references and puts the very same flows
 * back if the bundle fails.  */

#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"

struct simflow {
    int ref_cnt;
    struct hmap_node node;      /* In struct simsubtable's 'flows'. */
    uint64_t seq;               /* Order of insertion, for dumps. */

    uint8_t table_id;
    int priority;
    struct minimatch match;
    ovs_be64 cookie;
    enum ofputil_flow_mod_flags flags;
    uint16_t idle_timeout;      /* Seconds; recorded, never enforced. */
    uint16_t hard_timeout;      /* Seconds; recorded, never enforced. */
    uint16_t importance;
    struct ofpact *ofpacts;     /* Owned. */
    size_t ofpacts_len;         /* Bytes. */
    long long int created_ms;
    bool has_group, has_meter;  /* Among its actions. */

    uint64_t n_packets;
    uint64_t n_bytes;
};

void simflow_unref(struct simflow *);

struct simtable {
    struct simsubtable **subs;  /* By falling 'max_priority'. */
    size_t n_subs, allocated_subs;
    size_t n_flows;
};

void simtable_init(struct simtable *);
void simtable_destroy(struct simtable *);
void simtable_clear(struct simtable *);

/* Takes over the caller's reference to the flow.  There must be no flow with
 * the same match and priority. */
void simtable_insert(struct simtable *, struct simflow *);

/* Releases the table's reference. */
void simtable_remove(struct simtable *, struct simflow *);

/* The flow with exactly this match and priority, or NULL. */
struct simflow *simtable_find(const struct simtable *,
                              const struct minimatch *, int priority);

/* The flow of highest priority that matches, or NULL.  If 'rival' is nonnull,
 * stores in it another matching flow of equal priority but different actions,
 * or NULL. */
struct simflow *simtable_lookup(const struct simtable *, const struct flow *,
                                const struct simflow **rival);

/* All flows, in no order; the caller frees the array. */
struct simflow **simtable_unsorted(const struct simtable *, size_t *n);

/* All flows, in order of insertion; the caller frees the array. */
struct simflow **simtable_flows(const struct simtable *, size_t *n);

#endif /* tests/sim/simtable.h */
