/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FLOW_DESIRED_H
#define CONTROLLER_FLOW_DESIRED_H 1

/* Desired state: what a bridge should hold.
 * =========================================
 *
 * Items
 * -----
 *
 * 'struct dflow', 'struct dgroup' and 'struct dmeter' are one flow, group or
 * meter each.  They are immutable and reference counted, and hold the OpenFlow
 * 1.5 message that installs them, encoded once and shared by all bridges that
 * get it (C6).
 *
 * Many actions come back from a bridge in another form than they were sent in.
 * An item is therefore normalised when it is made: encoded and decoded until
 * that changes nothing any more.  What a bridge returns, decoded, is then equal
 * to it byte by byte, and a controller that comes back finds nothing to do (C5).
 *
 * Scopes
 * ------
 *
 * A 'struct scope' holds the items of a set of objects (nodes, routers, ways,
 * ...).  There is one scope per network, for the items that are the same on
 * every host that has the network, and one per host for what is local to it.
 * The items of one object are always made anew as a whole:
 *
 *     scope_begin(scope, &key);
 *     scope_flow(scope, ...);             any number, also groups and meters
 *     scope_end(scope, &delta);
 *
 * and scope_end() adds to 'delta' the difference from what the object had
 * before.  Two objects of a scope never have the same item (that is, the same
 * table, priority and match, or the same group ID or meter ID), nor have two
 * scopes that go to the same bridge.
 *
 * Deltas
 * ------
 *
 * A 'struct delta' is a difference between two desired states: for each item
 * what was there ('old', or NULL) and what shall be there ('new', or NULL), in
 * the order in which they were first mentioned.  Deltas merge; what was added
 * and removed again is gone.  A delta holds references to its items.
 *
 * delta_to_messages() is what to send, in the order of C8: meters added and
 * modified; then for one bundle groups, flows, deletion of flows, deletion of
 * groups; and last the deletion of meters (which would take the flows that name
 * them along). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "openvswitch/hmap.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-meter.h"

struct ds;
struct idspace;
struct ofpact;
struct ofpbuf;

/* Items. */

struct dflow {
    unsigned int ref_cnt;
    uint32_t hash;              /* Of the key: table, priority, match. */
    uint8_t table_id;
    uint16_t priority;
    uint64_t cookie;
    struct minimatch match;
    struct ofpact *ofpacts;     /* With instructions; 64-bit aligned. */
    size_t ofpacts_len;         /* Bytes. */
    struct ofpbuf *msg;         /* OFPT_FLOW_MOD (OFPFC_ADD), xid 0. */
};

struct dgroup {
    unsigned int ref_cnt;
    uint32_t group_id;
    uint8_t rank;               /* Groups name only groups of lower rank. */
    enum ofp11_group_type type;
    struct ovs_list buckets;    /* Of struct ofputil_bucket. */
    struct ofputil_group_props props;
    struct ofpbuf *msg;         /* OFPT_GROUP_MOD (ADD_OR_MOD), xid 0. */
};

struct dmeter {
    unsigned int ref_cnt;
    uint32_t meter_id;
    uint16_t flags;             /* OFPMF13_*. */
    uint32_t rate, burst_size;  /* Of its one drop band. */
};

/* 'ofpacts' holds actions and instructions (OFPACT_GOTO_TABLE); empty means
 * drop. */
struct dflow *dflow_create(uint8_t table_id, uint16_t priority,
                           const struct match *, uint64_t cookie,
                           const struct ofpbuf *ofpacts);
/* The same for what is not our own making: NULL if it has no valid form. */
struct dflow *dflow_try_create(uint8_t table_id, uint16_t priority,
                               const struct match *, uint64_t cookie,
                               const struct ofpbuf *ofpacts);
struct dflow *dflow_ref(const struct dflow *);
void dflow_unref(struct dflow *);
bool dflow_same_key(const struct dflow *, const struct dflow *);
bool dflow_equal(const struct dflow *, const struct dflow *);
int dflow_compare(const struct dflow *, const struct dflow *);

/* Takes the buckets over and leaves the list empty.  'props' may be NULL. */
struct dgroup *dgroup_create(uint32_t group_id, uint8_t rank,
                             enum ofp11_group_type, struct ovs_list *buckets,
                             const struct ofputil_group_props *props);
struct dgroup *dgroup_try_create(uint32_t group_id, uint8_t rank,
                                 enum ofp11_group_type,
                                 struct ovs_list *buckets,
                                 const struct ofputil_group_props *props);
struct dgroup *dgroup_ref(const struct dgroup *);
void dgroup_unref(struct dgroup *);
bool dgroup_equal(const struct dgroup *, const struct dgroup *);

/* Packets per second. */
struct dmeter *dmeter_create(uint32_t meter_id, uint32_t pps, uint32_t burst);
struct dmeter *dmeter_ref(const struct dmeter *);
void dmeter_unref(struct dmeter *);
bool dmeter_equal(const struct dmeter *, const struct dmeter *);

/* One line each, without newline, as ovs-ofctl prints it.  'table_names' has
 * 'n_tables' names, or NULL. */
void dflow_format(const struct dflow *, const char *const *table_names,
                  size_t n_tables, struct ds *);
void dgroup_format(const struct dgroup *, struct ds *);
void dmeter_format(const struct dmeter *, struct ds *);

/* Deltas. */

struct delta_flow {
    struct hmap_node hmap_node; /* In delta's 'flows_index', by 'key'. */
    struct dflow *key;          /* The one first mentioned: names the item. */
    struct dflow *old, *new;
};
struct delta_group {
    struct hmap_node hmap_node; /* In 'groups_index', by group ID. */
    uint32_t group_id;
    struct dgroup *old, *new;
};
struct delta_meter {
    struct hmap_node hmap_node; /* In 'meters_index', by meter ID. */
    uint32_t meter_id;
    struct dmeter *old, *new;
};

/* An item of which old equals new (or both are NULL) is no change: it was
 * changed to and fro. */
struct delta {
    struct delta_flow **flows;     size_t n_flows, allocated_flows;
    struct delta_group **groups;   size_t n_groups, allocated_groups;
    struct delta_meter **meters;   size_t n_meters, allocated_meters;
    struct hmap flows_index, groups_index, meters_index;
};

void delta_init(struct delta *);
void delta_clear(struct delta *);
void delta_uninit(struct delta *);

/* On the heap, for those that hand deltas on. */
struct delta *delta_create(void);
void delta_destroy(struct delta *);         /* NULL is allowed. */

/* Notes that 'old' becomes 'new'; either may be NULL.  Takes references of its
 * own. */
void delta_flow(struct delta *, const struct dflow *old, const struct dflow *);
void delta_group(struct delta *, const struct dgroup *old,
                 const struct dgroup *);
void delta_meter(struct delta *, const struct dmeter *old,
                 const struct dmeter *);

/* Adds to 'dst' what 'src' changes after it. */
void delta_merge(struct delta *dst, const struct delta *src);
/* Adds to 'dst' the contrary of 'src'. */
void delta_merge_reverse(struct delta *dst, const struct delta *src);

bool delta_is_empty(const struct delta *);

/* How many items are added, modified or removed. */
struct delta_counts {
    size_t flows_added, flows_modified, flows_removed;
    size_t groups_added, groups_modified, groups_removed;
    size_t meters_added, meters_modified, meters_removed;
};
void delta_count(const struct delta *, struct delta_counts *);

/* "+ flow ...", "- flow ..." lines, sorted, for people and tests. */
void delta_format(const struct delta *, const char *const *table_names,
                  size_t n_tables, struct ds *);

/* What to send, in order.  Messages are OpenFlow 1.5 with xid 0; those that
 * items hold are shared ('owned' NULL), so clone one to set its xid or put it
 * into an OFPT_BUNDLE_ADD. */
struct dmsg {
    const struct ofpbuf *msg;
    struct ofpbuf *owned;       /* Made for this list, or NULL. */
};
struct dmsgs {
    struct dmsg *msgs;
    size_t n, allocated;
    size_t n_before;            /* msgs[0...n_before): before the bundle, */
    size_t n_bundle;            /* then so many in the bundle, then the rest. */
};
void delta_to_messages(const struct delta *, struct dmsgs *);
void dmsgs_uninit(struct dmsgs *);

/* Scopes. */

/* What an object of a scope is called.  All bytes count, so start from
 * SCOPE_KEY() or zero it. */
struct scope_key {
    uint8_t kind;               /* enum topo_kind or PL_KIND_*. */
    uint8_t sub;
    uint16_t sub16;
    uint32_t id;                /* The object's identifier. */
    uint64_t extra;
    struct in6_addr addr;       /* For routes: with 'sub16' the prefix. */
};
#define SCOPE_KEY(KIND, ID) ((struct scope_key) { .kind = (KIND), .id = (ID) })

struct scope;

/* Group numbers come from 'group_ids', meter numbers from 'meter_ids'; both
 * must outlive the scope. */
struct scope *scope_create(struct idspace *group_ids,
                           struct idspace *meter_ids);
void scope_destroy(struct scope *);

void scope_begin(struct scope *, const struct scope_key *);
/* The same for an object whose items depend on 'inputs' (all of 'len' bytes)
 * alone.  False if the object was made from the same inputs: then it counts as
 * made anew, and there is no scope_end(). */
bool scope_begin_from(struct scope *, const struct scope_key *,
                      const void *inputs, size_t len);
void scope_flow(struct scope *, uint8_t table_id, uint16_t priority,
                const struct match *, uint64_t cookie,
                const struct ofpbuf *ofpacts);
void scope_group(struct scope *, uint32_t group_id, uint8_t rank,
                 enum ofp11_group_type, struct ovs_list *buckets,
                 const struct ofputil_group_props *);
void scope_meter(struct scope *, uint32_t meter_id, uint32_t pps,
                 uint32_t burst);

/* Numbers for the object between begin and end.  The object holds a reference
 * until it is made anew without asking for the number, or removed. */
uint32_t scope_group_id(struct scope *, const void *key, size_t len);
uint32_t scope_meter_id(struct scope *, const void *key, size_t len);

/* 'delta' may be NULL.  True if anything changed. */
bool scope_end(struct scope *, struct delta *);

/* Removes an object; one that does not exist is no error. */
bool scope_remove(struct scope *, const struct scope_key *, struct delta *);
bool scope_has(const struct scope *, const struct scope_key *);

/* Mark and sweep, for a new topology: objects not made anew since
 * scope_mark() are removed by scope_sweep(). */
void scope_mark(struct scope *);
void scope_sweep(struct scope *, struct delta *);

/* Everything in the scope, as the delta from or to nothing: a host begins or
 * ceases to have it. */
void scope_add_all(const struct scope *, struct delta *);
void scope_remove_all(const struct scope *, struct delta *);

/* The same items?  If not, the difference from 'a' to 'b' as text in '*ds'
 * (may be NULL). */
bool scope_equal(const struct scope *a, const struct scope *b, struct ds *);

size_t scope_count_flows(const struct scope *);
size_t scope_count_groups(const struct scope *);

/* Copies of the items in order of table, priority (highest first) and match;
 * group ID; meter ID.  The caller frees the arrays; the items stay the
 * scope's. */
struct dflow **scope_sorted_flows(const struct scope *, size_t *n);
struct dgroup **scope_sorted_groups(const struct scope *, size_t *n);
struct dmeter **scope_sorted_meters(const struct scope *, size_t *n);

/* All of it as text, sorted. */
void scope_format(const struct scope *, const char *const *table_names,
                  size_t n_tables, struct ds *);

#endif /* controller/flow/desired.h */
