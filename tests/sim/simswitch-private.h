/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMSWITCH_PRIVATE_H
#define TESTS_SIM_SIMSWITCH_PRIVATE_H 1

/* What the simulated switch's own files share. */

#include "tests/sim/simswitch.h"

struct ofputil_group_mod;
struct ofputil_meter_mod;

/* Changes that are decoded and well-formed by themselves. */
enum ofperr simswitch_apply_flow_mod(struct simswitch *,
                                     const struct ofputil_flow_mod *);
enum ofperr simswitch_apply_group_mod(struct simswitch *,
                                      struct ofputil_group_mod *);
enum ofperr simswitch_apply_meter_mod(struct simswitch *,
                                      const struct ofputil_meter_mod *);

/* The flows that the match, cookie and table of a flow mod select (and its
 * out_port and out_group, if 'out'), in order of table and insertion.  The
 * caller frees the array, not the flows. */
struct simflow **simswitch_collect_flows(const struct simswitch *,
                                         const struct ofputil_flow_mod *,
                                         bool strict, bool out, size_t *n);

/* Checks of actions that need the bridge's state. */
enum ofperr simswitch_check_ofpacts(const struct simswitch *,
                                    const struct ofpact *, size_t ofpacts_len);

/* Takes over the caller's reference. */
void simswitch_insert_group(struct simswitch *, struct simgroup *);
void simgroup_unref(struct simgroup *);

/* True if a packet of 'size' bytes passes the meter now; takes its tokens. */
bool simswitch_meter_passes(struct simswitch *, uint32_t meter_id,
                            size_t size);

/* Fills in 'data' and 'size' of a packet that leaves: the packet that came in,
 * as 'orig' says, with the changes that 'flow' has. */
void simpkt_rewrite(struct simpkt *, const struct dp_packet *in,
                    const struct flow *orig, const struct flow *flow);

/* An abandoned translation outputs nothing. */
void simresult_drop_outputs(struct simresult *);

#endif /* tests/sim/simswitch-private.h */
