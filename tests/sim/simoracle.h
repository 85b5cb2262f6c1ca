/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMORACLE_H
#define TESTS_SIM_SIMORACLE_H 1

/* The slow, obvious twin of costs, OSPF, routes and flows: from the plan and
 * from what works at the moment it says where a node's packet must go.
 *
 * It knows nothing of LSAs, path sets or tables: it runs Floyd and Warshall
 * over all routers, ours and theirs, and compares totals. */

#include <stdbool.h>
#include <stdint.h>

struct ds;
struct probe;
struct world;

/* True if 'p', sent by a node to 'dst' with 'router' as its gateway, did what
 * it had to; otherwise says why not.  Everything must have settled, with all
 * hosts connected. */
bool oracle_judge(struct world *, int customer, int router, uint32_t dst,
                  const struct probe *p, struct ds *why);

#endif /* tests/sim/simoracle.h */
