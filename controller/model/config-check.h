/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_CONFIG_CHECK_H
#define CONTROLLER_MODEL_CONFIG_CHECK_H 1

/* Between the files that check a configuration. */

#include "controller/model/model.h"
#include "openvswitch/compiler.h"

struct diag;

struct check {
    const struct model_config *config;
    const struct model_network *network;
    struct diags *diags;
    const struct model_subnet **subnets;    /* The network's, by prefix. */
};

/* Adds an error at 'element' called 'name' (either may be NULL) of 'router', or
 * of the network if 'router' is NULL. */
struct diag *check_error(const struct check *, int line,
                         const struct model_router *router,
                         const char *element, const char *name,
                         const char *format, ...) OVS_PRINTF_FORMAT(6, 7);

/* Router IDs, areas, links, routers in series (routers-check.c). */
void check_routers(const struct check *);

#endif /* controller/model/config-check.h */
