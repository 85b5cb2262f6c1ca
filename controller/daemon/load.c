/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine starts from: the store's documents and allocations. */
#include <config.h>
#include "controller/daemon/tollwayd.h"

#include <stdlib.h>
#include <string.h>
#include "controller/base/diag.h"
#include "controller/model/alloc.h"
#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/store.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(load);

static struct alloc_set *
load_allocs(const struct daemon *d, const struct store_contents *contents,
            struct diags *diags)
{
    struct alloc_builder *b = alloc_builder_create();

    for (size_t i = 0; i < contents->n_allocs; i++) {
        const struct store_alloc *a = &contents->allocs[i];
        const struct model_config *config = engine_config(d->engine,
                                                          a->customer);
        const struct model_network *net = (config ? model_find_network(
                                               config, a->network) : NULL);
        const struct model_node *node = (net && !strcmp(a->kind, "node")
                                         ? model_find_node(net, a->name)
                                         : NULL);

        if (!alloc_builder_add(b, a->customer, a->network, a->kind, a->name,
                               a->id, *a->mac ? a->mac : NULL,
                               *a->address ? a->address : NULL,
                               node && node->has_address,
                               *a->host ? a->host : NULL)) {
            VLOG_WARN("allocation of %s %s/%s/%s can't be read", a->kind,
                      a->customer, a->network, a->name);
        }
    }
    return alloc_builder_finish(b, diags);
}

static void
log_diags(const struct diags *diags, const char *what)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    diags_format(diags, &ds);
    VLOG_WARN("%s in the store: %s", what, ds_cstr(&ds));
    ds_destroy(&ds);
}

static void
load_customer(struct daemon *d, const struct store_customer *sc)
{
    struct daemon_customer *c = daemon_customer(d, sc->name);
    struct engine_out out = ENGINE_OUT_INIT;
    struct diags diags = DIAGS_INITIALIZER;
    struct model_config *config = NULL;

    c->active = sc->active;
    c->last = sc->last;
    if (sc->active && sc->revision.document) {
        free(c->digest);
        free(c->who);
        c->digest = xstrdup(sc->revision.digest);
        c->who = xstrdup(sc->revision.who);
        c->when_ms = sc->revision.when_ms;
        config = model_config_parse(d->schemas[MODEL_CONFIG], sc->name,
                                    sc->revision.document,
                                    strlen(sc->revision.document), &diags);
        if (!config) {
            log_diags(&diags, sc->name);
        }
    }
    daemon_remember_document(d, sc->name, config ? sc->revision.document : NULL);
    engine_set_documents(d->engine, NULL, NULL, sc->name, config, time_msec(),
                         &out);
    daemon_act(d, &out);
    engine_out_uninit(&out);
    diags_destroy(&diags);
}

void
load_from_store(struct daemon *d, const struct store_contents *contents)
{
    struct engine_out out = ENGINE_OUT_INIT;
    struct diags diags = DIAGS_INITIALIZER;
    struct model_fabric *fabric = NULL;

    for (size_t i = 0; i < contents->n_customers; i++) {
        load_customer(d, &contents->customers[i]);
    }
    d->fabric_serial = contents->fabric_serial;
    free(d->fabric_text);
    d->fabric_text = nullable_xstrdup(contents->fabric);
    if (contents->fabric) {
        fabric = model_fabric_parse(d->schemas[MODEL_FABRIC], "fabric",
                                    contents->fabric,
                                    strlen(contents->fabric), &diags);
        if (!fabric) {
            log_diags(&diags, "fabric");
        }
    }
    struct alloc_set *alloc = load_allocs(d, contents, &diags);
    if (!alloc) {
        log_diags(&diags, "allocations");
    }
    /* Everything at once now that all of it is there. */
    engine_set_documents(d->engine, fabric, alloc, NULL, NULL, time_msec(),
                         &out);
    daemon_act(d, &out);
    engine_out_uninit(&out);
    diags_destroy(&diags);
    if (fabric) {
        sessions_follow_fabric(d);
    }
}
