/* SPDX-License-Identifier: Apache-2.0 */

/* What a configuration, or metrics, ask of the fabric. */

#include <config.h>
#include "controller/model/config-check.h"

#include <string.h>

#include "controller/base/diag.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
check_mtu(const struct check *c, int line, const struct model_router *router,
          const char *element, const char *name, uint16_t mtu, uint16_t max)
{
    if (mtu > max) {
        struct diag *d = check_error(c, line, router, element, name,
                                     "mtu %u does not fit: packets between "
                                     "hosts have room for %u octets", mtu,
                                     max);
        diag_remedy(d, "use at most %u, or leave it out", max);
    }
}

static void
put_vlans(const struct model_point *point, struct ds *s)
{
    for (size_t i = 0; i < point->n_vlans; i++) {
        const struct model_vlans *v = &point->vlans[i];

        if (!v->first) {
            ds_put_format(s, "%suntagged", s->length ? ", " : "");
            if (v->last) {
                ds_put_format(s, ", 1-%u", v->last);
            }
        } else if (v->first == v->last) {
            ds_put_format(s, "%s%u", s->length ? ", " : "", v->first);
        } else {
            ds_put_format(s, "%s%u-%u", s->length ? ", " : "", v->first,
                          v->last);
        }
    }
}

static void
check_attachment(const struct check *c, const struct model_fabric *fabric,
                 const struct model_router *router,
                 const struct model_attachment *att)
{
    const struct model_point *point = model_find_point(fabric, att->point);
    struct diag *d;

    check_mtu(c, att->line, router, "attachment", att->name, att->mtu,
              model_fabric_node_mtu(fabric));
    if (!point || strcmp(point->customer, c->config->customer)) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "attachment point \"%s\" is not granted to customer "
                        "\"%s\"", att->point, c->config->customer);
        diag_remedy(d, "use an attachment point that the operator has "
                    "granted");
        return;
    }
    if (!model_point_has_vlan(point, att->vlan)) {
        struct ds vlans = DS_EMPTY_INITIALIZER;

        put_vlans(point, &vlans);
        if (att->vlan) {
            d = check_error(c, att->line, router, "attachment", att->name,
                            "VLAN %u of attachment point \"%s\" is not "
                            "granted", att->vlan, att->point);
        } else {
            d = check_error(c, att->line, router, "attachment", att->name,
                            "attachment point \"%s\" is not granted without "
                            "a VLAN", att->point);
        }
        diag_remedy(d, "granted are: %s", ds_cstr(&vlans));
        ds_destroy(&vlans);
    }
    if (point->mtu && att->mtu > point->mtu) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "mtu %u is above the %u of attachment point \"%s\"",
                        att->mtu, point->mtu, att->point);
        diag_remedy(d, "use at most %u, or leave it out", point->mtu);
    }
}

bool
model_config_check_fabric(const struct model_config *config,
                          const struct model_fabric *fabric,
                          struct diags *diags)
{
    struct diags own = DIAGS_INITIALIZER;
    bool ok;

    if (!fabric) {
        struct diag *d = diags_error(diags, config->source, config->line, NULL,
                                     "there is no fabric yet");
        diag_remedy(d, "ask the operator to submit a fabric document");
        return false;
    }
    for (size_t i = 0; i < config->n_networks; i++) {
        const struct model_network *network = &config->networks[i];
        struct check c = { config, network, &own, NULL };

        for (size_t j = 0; j < network->n_subnets; j++) {
            const struct model_subnet *subnet = &network->subnets[j];

            check_mtu(&c, subnet->line, NULL, "subnet", subnet->name,
                      subnet->mtu, model_fabric_node_mtu(fabric));
        }
        for (size_t j = 0; j < network->n_routers; j++) {
            const struct model_router *router = &network->routers[j];

            for (size_t k = 0; k < router->n_attachments; k++) {
                check_attachment(&c, fabric, router, &router->attachments[k]);
            }
        }
    }
    ok = !diags_has_errors(&own);
    diags_sort(&own);
    diags_append(diags, &own);
    diags_destroy(&own);
    return ok;
}

static void
unknown_in_fabric(const struct model_metrics *metrics, struct diags *diags,
                  int line, const char *element, const char *path_name,
                  const char *what, const char *name)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    struct diag *d;

    diag_path_put(&path, "metrics", NULL);
    diag_path_put(&path, element, path_name);
    d = diags_error(diags, metrics->source, line, ds_cstr(&path),
                    "the fabric has no %s \"%s\"", what, name);
    diag_remedy(d, "name one of the fabric document's");
    ds_destroy(&path);
}

bool
model_metrics_check_fabric(const struct model_metrics *metrics,
                           const struct model_fabric *fabric,
                           struct diags *diags)
{
    struct diags own = DIAGS_INITIALIZER;
    bool ok;

    for (size_t i = 0; i < metrics->n_paths; i++) {
        const struct model_path_metric *m = &metrics->paths[i];

        if (!fabric || !model_find_host(fabric, m->from)) {
            unknown_in_fabric(metrics, &own, m->line, "path", m->from, "host",
                              m->from);
        }
        if (!fabric || !model_find_host(fabric, m->to)) {
            unknown_in_fabric(metrics, &own, m->line, "path", m->from, "host",
                              m->to);
        }
    }
    for (size_t i = 0; i < metrics->n_points; i++) {
        const struct model_point_metric *m = &metrics->points[i];

        if (!fabric || !model_find_point(fabric, m->point)) {
            unknown_in_fabric(metrics, &own, m->line, "attachment", m->point,
                              "attachment point", m->point);
        }
    }
    ok = !diags_has_errors(&own);
    diags_sort(&own);
    diags_append(diags, &own);
    diags_destroy(&own);
    return ok;
}
