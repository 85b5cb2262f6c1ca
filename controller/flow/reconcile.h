/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FLOW_RECONCILE_H
#define CONTROLLER_FLOW_RECONCILE_H 1

/* What a bridge holds, against what it should hold.
 *
 * 'struct installed' collects what a bridge answered when it was asked for its
 * flows, groups and meters.  reconcile() compares it with the desired scopes
 * of that bridge.  The result is a delta that makes the bridge right: what is
 * missing or different is sent, what nobody desires is removed, whoever's it
 * was (br-int is ours alone), and what is already right is left alone.
 *
 * Replies come from outside: one that does not decode is an error of that
 * reply and not an assertion.  A foreign flow whose actions we can't decode
 * can't occur, since the bridge speaks our own library's language; if it does,
 * installed_add() fails and the caller should wipe the bridge's tables. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/ofp-errors.h"

struct delta;
struct installed;
struct ofp_header;
struct ofpbuf;
struct scope;

struct installed *installed_create(void);
void installed_destroy(struct installed *);         /* NULL is allowed. */

/* The requests to send, OpenFlow 1.5: all flows, all groups, all meters.  The
 * caller owns them. */
struct ofpbuf *installed_flows_request(void);
struct ofpbuf *installed_groups_request(void);
struct ofpbuf *installed_meters_request(void);

/* Adds what one reply (one part of a multipart) says: OFPMP_FLOW_DESC (flow
 * statistics), OFPMP_GROUP_DESC or OFPMP_METER_CONFIG.  0, or an error that
 * says why the reply does not decode.  '*more' tells whether further parts
 * follow. */
enum ofperr installed_add(struct installed *, const struct ofp_header *,
                          bool *more);

size_t installed_count_flows(const struct installed *);

/* Adds to 'delta' what makes the bridge hold exactly what 'scopes' hold. */
void reconcile(const struct installed *, const struct scope *const *scopes,
               size_t n_scopes, struct delta *);

#endif /* controller/flow/reconcile.h */
