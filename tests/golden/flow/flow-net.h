/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GOLDEN_FLOW_NET_H
#define TESTS_GOLDEN_FLOW_NET_H 1

/* A small network on three hosts, made by hand, with everything that has flows:
 *
 *     web1 (h1)   web2 (h2)            db1 (h2)
 *        |           |                    |
 *     ---+--- web ---+---              -- db --
 *               |                         |
 *             edge -------- link ------- core
 *            /    \                       |
 *        east(h1)  west(h2, VLAN 100)    lan(h3, broadcast)
 *        .10.2     .10.6                 .7.2, .7.3
 *
 *     203.0.113.0/24   east, then west (stated, advertised by edge)
 *     198.51.100.0/24  east and west share, at edge only
 *     192.0.2.0/24     lan's .7.2, then .7.3
 *
 * Ports: nodes 1 and 2, attachments 10, tunnels 100 (to any remote) and 101 to
 * 103 (to h1 to h3 alone, with BFD). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "controller/flow/desired.h"
#include "controller/flow/pipeline.h"
#include "controller/model/topo.h"
#include "controller/route/route.h"

#define FLOW_NET_HOSTS 3
enum { WAY_EAST, WAY_WEST, WAY_LAN2, WAY_LAN3, FLOW_NET_WAYS };

struct flow_net {
    struct topo_network *topo;
    struct pl_links links;
    struct idspace *group_ids, *meter_ids;
    struct route_way ways[FLOW_NET_WAYS];
    bool alive[FLOW_NET_WAYS];

    struct scope *scope;                    /* The network's. */
    struct scope *hosts[FLOW_NET_HOSTS];    /* h1, h2, h3. */
    struct delta *deltas[FLOW_NET_HOSTS];   /* Since last cleared. */
};

/* Everything is built. */
struct flow_net *flow_net_create(void);
void flow_net_destroy(struct flow_net *);

/* Builds everything again: changes nothing if nothing changed. */
void flow_net_build(struct flow_net *);

/* A node moves to a host (0 to 2). */
void flow_net_move_web1(struct flow_net *, int host);

/* A way dies or comes back. */
void flow_net_set_alive(struct flow_net *, int way, bool alive);

#endif /* tests/golden/flow/flow-net.h */
