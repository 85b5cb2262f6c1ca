/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_REALBRIDGE_H
#define TESTS_SIM_REALBRIDGE_H 1

/* The real Open vSwitch bridge that the simulated one is compared with.
 *
 * tests/sim/with-bridge starts a private ovs-vswitchd with a dummy datapath:
 * bridge "br0", whose ports realbridge_sync_ports() makes equal to those of a
 * simulated switch, and bridge "br-phy" as the way to all tunnel addresses
 * within 10.9.0.0/16.  A packet is not sent: ofproto/trace says which datapath
 * actions it gets, and they are executed here, so that the result is bytes on
 * ports, as a simulated switch gives them.
 *
 * For tests only: it blocks, and faults end the program. */

#include "openvswitch/ofp-errors.h"
#include "tests/sim/simswitch.h"

struct ofpbuf;
struct realbridge;

/* 'rundir' is where the private ovs-vswitchd has its sockets. */
struct realbridge *realbridge_open(const char *rundir);
void realbridge_close(struct realbridge *);

/* Makes br0's ports those of 'sw', with liveness. */
void realbridge_sync_ports(struct realbridge *, const struct simswitch *sw);

/* Makes br0 hold what 'sw' holds: ports, meters, groups, flows. */
void realbridge_load(struct realbridge *, struct simswitch *sw);

/* Removes all flows, groups and meters. */
void realbridge_clear(struct realbridge *);

/* Sends 'msg', which stays the caller's, and returns the error that it met. */
enum ofperr realbridge_send(struct realbridge *, const struct ofpbuf *msg);

/* What br0 does with a packet: outputs and packet-ins.  Tunnel outputs have no
 * port number (OFPP_NONE): a datapath does not tell one tunnel port from
 * another.  If 'text' is nonnull, appends what ofproto/trace said.  Returns
 * false, with no result, if the packet needs the datapath's own hash, which a
 * trace does not know. */
bool realbridge_trace(struct realbridge *, const struct simpkt *,
                      struct simresult *, struct ds *text);

/* True if a simulated switch's result has the same outputs in the same order
 * as the real one's; otherwise says in 'why' what differs. */
bool realbridge_same_result(const struct simresult *sim,
                            const struct simresult *real, struct ds *why);

#endif /* tests/sim/realbridge.h */
