/* SPDX-License-Identifier: Apache-2.0 */

/* Lifetime of the typed documents, and looking things up in them. */

#include <config.h>
#include "controller/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "controller/model/model-private.h"
#include "util.h"

int
model_compare_names(const void *a_, const void *b_)
{
    const struct model_named *a = a_;
    const struct model_named *b = b_;

    return strcmp(a->name, b->name);
}

size_t
model_find_by_name(const void *array, size_t n, size_t size, const char *name)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct model_named *item
            = (const void *) ((const char *) array + mid * size);
        int cmp = strcmp(name, item->name);

        if (!cmp) {
            return mid;
        } else if (cmp < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return MODEL_UNRESOLVED;
}

/* The element of ARRAY with NAME, or NULL. */
#define FIND(OBJECT, MEMBER, NAME)                                          \
    find((OBJECT)->MEMBER, (OBJECT)->n_##MEMBER, sizeof *(OBJECT)->MEMBER,  \
         NAME)
static const void *
find(const void *array, size_t n, size_t size, const char *name)
{
    size_t i = model_find_by_name(array, n, size, name);

    return i != MODEL_UNRESOLVED ? (const char *) array + i * size : NULL;
}

/* Configuration. */

struct model_config *
model_config_ref(const struct model_config *config_)
{
    struct model_config *config = CONST_CAST(struct model_config *, config_);

    if (config) {
        config->ref_cnt++;
    }
    return config;
}

static void
router_uninit(struct model_router *router)
{
    for (size_t i = 0; i < router->n_attachments; i++) {
        free(router->attachments[i].name);
        free(router->attachments[i].point);
        free(router->attachments[i].policy);
    }
    for (size_t i = 0; i < router->n_destinations; i++) {
        free(router->destinations[i].vias);
    }
    free(router->interfaces);
    free(router->attachments);
    free(router->destinations);
    free(router->name);
}

static void
network_uninit(struct model_network *network)
{
    for (size_t i = 0; i < network->n_subnets; i++) {
        free(network->subnets[i].name);
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        free(network->nodes[i].name);
        free(network->nodes[i].zone);
        free(network->nodes[i].addresses);
    }
    for (size_t i = 0; i < network->n_routers; i++) {
        router_uninit(&network->routers[i]);
    }
    for (size_t i = 0; i < network->n_links; i++) {
        free(network->links[i].name);
    }
    free(network->subnets);
    free(network->nodes);
    free(network->routers);
    free(network->links);
    free(network->name);
}

void
model_config_unref(struct model_config *config)
{
    if (!config || --config->ref_cnt) {
        return;
    }
    for (size_t i = 0; i < config->n_networks; i++) {
        network_uninit(&config->networks[i]);
    }
    for (size_t i = 0; i < config->n_policies; i++) {
        free(config->policies[i].name);
    }
    free(config->networks);
    free(config->policies);
    free(config->customer);
    free(config->source);
    free(config);
}

const struct model_network *
model_find_network(const struct model_config *config, const char *name)
{
    return FIND(config, networks, name);
}

const struct model_policy *
model_find_policy(const struct model_config *config, const char *name)
{
    return FIND(config, policies, name);
}

const struct model_node *
model_find_node(const struct model_network *network, const char *name)
{
    return FIND(network, nodes, name);
}

const struct model_router *
model_find_router(const struct model_network *network, const char *name)
{
    return FIND(network, routers, name);
}

/* Fabric. */

struct model_fabric *
model_fabric_ref(const struct model_fabric *fabric_)
{
    struct model_fabric *fabric = CONST_CAST(struct model_fabric *, fabric_);

    if (fabric) {
        fabric->ref_cnt++;
    }
    return fabric;
}

void
model_fabric_unref(struct model_fabric *fabric)
{
    if (!fabric || --fabric->ref_cnt) {
        return;
    }
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        struct model_host *host = &fabric->hosts[i];

        free(host->name);
        free(host->ovsdb);
        free(host->openflow);
        free(host->bridge);
        free(host->zone);
    }
    for (size_t i = 0; i < fabric->n_points; i++) {
        struct model_point *point = &fabric->points[i];

        free(point->name);
        free(point->port);
        free(point->customer);
        free(point->vlans);
    }
    for (size_t i = 0; i < fabric->n_pins; i++) {
        free(fabric->pins[i].node);
    }
    free(fabric->hosts);
    free(fabric->points);
    free(fabric->pins);
    free(fabric->source);
    free(fabric);
}

const struct model_host *
model_find_host(const struct model_fabric *fabric, const char *name)
{
    return FIND(fabric, hosts, name);
}

const struct model_point *
model_find_point(const struct model_fabric *fabric, const char *name)
{
    return FIND(fabric, points, name);
}

const struct model_pin *
model_find_pin(const struct model_fabric *fabric, const char *node)
{
    return FIND(fabric, pins, node);
}

bool
model_point_has_vlan(const struct model_point *point, uint16_t vlan)
{
    for (size_t i = 0; i < point->n_vlans; i++) {
        if (vlan >= point->vlans[i].first && vlan <= point->vlans[i].last) {
            return true;
        }
    }
    return false;
}

uint16_t
model_fabric_node_mtu(const struct model_fabric *fabric)
{
    return fabric->mtu - MODEL_TUNNEL_OVERHEAD;
}

/* Metrics. */

struct model_metrics *
model_metrics_ref(const struct model_metrics *metrics_)
{
    struct model_metrics *metrics = CONST_CAST(struct model_metrics *,
                                               metrics_);

    if (metrics) {
        metrics->ref_cnt++;
    }
    return metrics;
}

void
model_metrics_unref(struct model_metrics *metrics)
{
    if (!metrics || --metrics->ref_cnt) {
        return;
    }
    for (size_t i = 0; i < metrics->n_paths; i++) {
        free(metrics->paths[i].from);
        free(metrics->paths[i].to);
    }
    for (size_t i = 0; i < metrics->n_points; i++) {
        free(metrics->points[i].point);
    }
    free(metrics->paths);
    free(metrics->points);
    free(metrics->source);
    free(metrics);
}
