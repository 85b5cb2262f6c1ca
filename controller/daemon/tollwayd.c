/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/daemon/tollwayd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/base/diag.h"
#include "controller/daemon/http.h"
#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/store.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tollwayd);

/* Kinds of snapshots in the store. */
#define SNAPSHOT_NETWORK "network"
#define SNAPSHOT_METRICS "metrics"

struct daemon_customer *
daemon_customer(struct daemon *d, const char *name)
{
    struct daemon_customer *c = shash_find_data(&d->customers, name);

    if (!c) {
        c = xzalloc(sizeof *c);
        shash_add(&d->customers, name, c);
    }
    return c;
}

static struct model_schema *
load_schema(const char *dir, enum model_document type, char **error)
{
    char *path = xasprintf("%s/%s", dir, model_schema_file_name(type));
    struct diags diags = DIAGS_INITIALIZER;
    struct model_schema *schema = NULL;
    char *bytes = xmalloc(MODEL_SCHEMA_MAX_BYTES);
    FILE *f = fopen(path, "r");

    if (!f) {
        *error = xasprintf("%s: %s", path, ovs_strerror(errno));
    } else {
        size_t n = fread(bytes, 1, MODEL_SCHEMA_MAX_BYTES, f);

        fclose(f);
        schema = model_schema_create(type, bytes, n, &diags);
        if (!schema) {
            struct ds ds = DS_EMPTY_INITIALIZER;

            diags_format(&diags, &ds);
            *error = xasprintf("%s: %s", path, ds_cstr(&ds));
            ds_destroy(&ds);
        }
    }
    diags_destroy(&diags);
    free(bytes);
    free(path);
    return schema;
}

struct daemon *
daemon_create(const char *db, const char *socket_path,
              const char *schemas_dir, char **error)
{
    struct daemon *d = xzalloc(sizeof *d);

    shash_init(&d->customers);
    shash_init(&d->documents);
    shash_init(&d->sessions);
    ovs_list_init(&d->jobs);
    ovs_list_init(&d->confirming);
    ovs_list_init(&d->early);
    ovs_list_init(&d->lookups);
    ovs_list_init(&d->gatherings);
    d->started_ms = time_msec();
    d->log_limit = (struct vlog_rate_limit) VLOG_RATE_LIMIT_INIT(120, 1200);
    d->engine = engine_create(random_uint32());
    for (int i = 0; i < MODEL_N_DOCUMENTS; i++) {
        d->schemas[i] = load_schema(schemas_dir, i, error);
        if (!d->schemas[i]) {
            daemon_destroy(d);
            return NULL;
        }
    }
    d->http = http_create(socket_path, api_handle, d, error);
    if (!d->http) {
        daemon_destroy(d);
        return NULL;
    }
    d->store = store_create(db, NULL);
    return d;
}

void
daemon_destroy(struct daemon *d)
{
    struct shash_node *node;

    d->exiting = true;          /* What comes now is refused at once. */
    if (d->http) {
        submit_abort_all(d);
        api_abort_all(d);
        stats_abort_all(d);
        http_run(d->http);      /* The last answers go out. */
        http_destroy(d->http);
    }
    sessions_destroy(d);
    shash_destroy(&d->sessions);
    if (d->store) {
        store_destroy(d->store);
    }
    engine_destroy(d->engine);
    for (int i = 0; i < MODEL_N_DOCUMENTS; i++) {
        model_schema_destroy(d->schemas[i]);
    }
    SHASH_FOR_EACH (node, &d->customers) {
        struct daemon_customer *c = node->data;

        free(c->digest);
        free(c->who);
    }
    shash_destroy_free_data(&d->customers);
    shash_destroy_free_data(&d->documents);
    free(d->fabric_text);
    free(d);
}

/* The store. */

static void
restore_metrics(struct daemon *d, const struct store_snapshot *snapshot)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct model_metrics *m = model_metrics_parse(
        d->schemas[MODEL_METRICS], "stored metrics", snapshot->data,
        snapshot->len, &diags);

    if (!m || !engine_set_metrics(d->engine, m, time_msec(), &diags)) {
        VLOG_WARN("stored metrics don't fit the fabric any more");
    }
    model_metrics_unref(m);
    diags_destroy(&diags);
}

static void
load(struct daemon *d, const struct store_contents *contents)
{
    struct engine_out out = ENGINE_OUT_INIT;

    /* The store counts its writers, but one made anew counts from 1 while the
     * bridges remember; the clock goes on. */
    d->generation = MAX(contents->generation,
                        (uint64_t) time_wall_msec());
    sessions_set_generation(d);
    load_from_store(d, contents);
    for (size_t i = 0; !d->loaded && i < contents->n_snapshots; i++) {
        const struct store_snapshot *s = &contents->snapshots[i];

        if (!strcmp(s->kind, SNAPSHOT_NETWORK)) {
            engine_restore(d->engine, s->name, s->data, s->len, time_msec(),
                           &out);
        } else if (!strcmp(s->kind, SNAPSHOT_METRICS)) {
            restore_metrics(d, s);
        }
    }
    daemon_act(d, &out);
    engine_out_uninit(&out);
    if (d->loaded) {
        /* A server that was restarted has forgotten the snapshots. */
        engine_store_state(d->engine);
        d->metrics_due = true;
    }
    VLOG_INFO("store loaded: fabric %s, %"PRIuSIZE" customers",
              contents->fabric ? "present" : "absent",
              contents->n_customers);
    d->loaded = true;
    d->engine_due = true;
}

static void
run_store(struct daemon *d)
{
    struct store_event *e;

    store_run(d->store);
    while ((e = store_pop_event(d->store)) != NULL) {
        switch (e->type) {
        case STORE_LOADED:
            load(d, e->contents);
            break;
        case STORE_LOST:
            VLOG_WARN("store lost: %s; forwarding goes on, changes are "
                      "refused", e->text ? e->text : "no connection");
            break;
        case STORE_COMMITTED:
        case STORE_HISTORY:
        case STORE_DOCUMENT:
            if (!api_store_event(d, e)) {
                submit_store_event(d, e);
            }
            break;
        }
        store_event_destroy(e);
    }
    if (d->metrics_due && store_is_writer(d->store)) {
        char *text = engine_metrics_document(d->engine, time_msec());

        store_put_snapshot(d->store, SNAPSHOT_METRICS, "", text,
                           strlen(text));
        free(text);
        d->metrics_due = false;
    }
}

/* The engine. */

void
daemon_act(struct daemon *d, struct engine_out *out)
{
    for (size_t i = 0; i < out->n; i++) {
        struct engine_action *a = &out->actions[i];

        if (a->type == ENGINE_STATE) {
            struct ofpbuf b;

            ofpbuf_init(&b, 0);
            engine_snapshot(d->engine, a->text, time_msec(), &b);
            store_put_snapshot(d->store, SNAPSHOT_NETWORK, a->text, b.data,
                               b.size);
            ofpbuf_uninit(&b);
        } else {
            sessions_act(d, a);
        }
    }
}

static void
run_engine(struct daemon *d)
{
    if (d->engine_due || time_msec() >= engine_next_wake(d->engine)) {
        struct engine_out out = ENGINE_OUT_INIT;

        d->engine_due = false;
        engine_run(d->engine, time_msec(), &out);
        daemon_act(d, &out);
        engine_out_uninit(&out);
    }
}

void
daemon_run(struct daemon *d)
{
    run_store(d);
    sessions_run(d);
    http_run(d->http);
    submit_run(d);
    run_engine(d);
    stats_run(d);
    api_run(d);
}

void
daemon_wait(struct daemon *d)
{
    store_wait(d->store);
    sessions_wait(d);
    http_wait(d->http);
    submit_wait(d);
    stats_wait(d);
    api_wait(d);
    if (d->engine_due) {
        poll_immediate_wake();
    } else {
        long long int wake = engine_next_wake(d->engine);

        if (wake != LLONG_MAX) {
            poll_timer_wait_until(wake);
        }
    }
}
