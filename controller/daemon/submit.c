/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/daemon/tollwayd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "controller/base/diag.h"
#include "controller/daemon/http.h"
#include "controller/model/alloc.h"
#include "controller/model/diff.h"
#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/store.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(submit);

/* Requests that wait for an earlier one's commit. */
#define MAX_JOBS 64

/* How long "wait" waits. */
#define CONFIRM_MS 30000

enum job_type { JOB_CONFIG, JOB_DELETE, JOB_ROLLBACK, JOB_FABRIC };

/* One change of the documents, from the request to the answer:
 *
 *     queued -> (fetching the old document ->) checked -> committing
 *            -> applied to the engine (-> confirming) -> answered
 *
 * Jobs go one at a time up to the commit's result, so each is checked against
 * what all before it have made. */
struct job {
    struct ovs_list node;
    enum job_type type;
    struct http_request *request;
    struct caller caller;       /* Only its name. */
    char *customer;             /* Or NULL: JOB_FABRIC, and JOB_CONFIG until
                                 * its document says. */
    char *source;               /* The document's name for messages. */
    char *text;                 /* The document. */
    uint64_t number;            /* JOB_ROLLBACK: to which revision. */
    bool if_revision;           /* Only if 'expected' is active. */
    uint64_t expected;
    bool wait, dry_run;
    bool operator;              /* Hosts may be named in the answer. */

    struct model_config *config; /* What it makes. */
    struct model_fabric *fabric;
    struct alloc_set *alloc;
    uint64_t revision;          /* The number that becomes active. */
    uint64_t tag;               /* Of the request to the store on its way. */
    bool fetching;
    long long int deadline_ms;
    struct shash serials;       /* Confirming: host -> serial (boxed). */
    struct diags warnings;      /* Of an accepted document. */
};

static void
job_destroy(struct job *job)
{
    free(job->customer);
    free(job->source);
    free(job->text);
    model_config_unref(job->config);
    model_fabric_unref(job->fabric);
    alloc_set_unref(job->alloc);
    shash_destroy_free_data(&job->serials);
    diags_destroy(&job->warnings);
    free(job);
}

static void
job_fail(struct job *job, unsigned int status, const char *format, ...)
    OVS_PRINTF_FORMAT(3, 4);

static void
job_fail(struct job *job, unsigned int status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    http_reply_error(job->request, status, "%s", text);
    free(text);
    job_destroy(job);
}

/* Answers that the document is refused, and why. */
static void
reply_diags(struct http_request *request, struct diags *diags)
{
    struct json *json = diags_to_json(diags);

    json_object_put_string(json, "error", "the document is refused; nothing "
                           "has changed");
    http_reply(request, 422, json);
    diags_destroy(diags);
}

static void
job_refuse(struct job *job, struct diags *diags)
{
    reply_diags(job->request, diags);
    job_destroy(job);
}

/* Making jobs. */

static bool
get_flag(const struct http_request *r, const char *name)
{
    const char *value = smap_get(&r->query, name);

    return value && strcmp(value, "0") && strcmp(value, "false");
}

static void
enqueue(struct daemon *d, struct job *job)
{
    if (ovs_list_size(&d->jobs) >= MAX_JOBS) {
        job_fail(job, 503, "too many changes are waiting; try again");
        return;
    }
    ovs_list_push_back(&d->jobs, &job->node);
}

/* Starts a job with what all kinds have in common.  False, and the request has
 * been answered, if it can't be. */
static struct job *
job_create(struct daemon *d, enum job_type type, struct http_request *r,
           const struct caller *caller, const char *customer)
{
    const char *rev = smap_get(&r->query, "if-revision");
    unsigned long long int expected = 0;

    if (rev && !str_to_ullong(rev, 10, &expected)) {
        http_reply_error(r, 400, "if-revision is \"%s\"; it is the number of "
                         "a revision, or 0 for none", rev);
        return NULL;
    }
    if (!d->loaded || !store_is_writer(d->store)) {
        http_reply_error(r, 503, "the configuration store is not available; "
                         "forwarding goes on, changes have to wait");
        return NULL;
    }

    struct job *job = xzalloc(sizeof *job);
    const char *source = smap_get(&r->query, "source");
    job->type = type;
    job->request = r;
    job->caller = *caller;
    job->caller.customer = NULL;
    job->operator = !caller->customer;
    job->customer = nullable_xstrdup(customer);
    job->source = xstrdup(source && *source ? source : "document");
    job->if_revision = rev != NULL;
    job->expected = expected;
    job->wait = get_flag(r, "wait");
    job->dry_run = get_flag(r, "dry-run");
    shash_init(&job->serials);
    diags_init(&job->warnings);
    return job;
}

void
submit_config(struct daemon *d, struct http_request *r,
              const struct caller *caller, const char *customer)
{
    struct job *job = job_create(d, JOB_CONFIG, r, caller, customer);

    if (job) {
        struct diags diags = DIAGS_INITIALIZER;

        job->config = model_config_parse(d->schemas[MODEL_CONFIG],
                                         job->source, r->body, r->body_len,
                                         &diags);
        if (!job->config) {
            job_refuse(job, &diags);
            return;
        }
        diags_destroy(&diags);
        if (customer && strcmp(customer, job->config->customer)) {
            job_fail(job, 422, "the document is of customer \"%s\", not of "
                     "\"%s\"", job->config->customer, customer);
            return;
        }
        if (!customer) {
            job->customer = xstrdup(job->config->customer);
        }
        job->text = xmemdup0(r->body, r->body_len);
        enqueue(d, job);
    }
}

void
submit_delete(struct daemon *d, struct http_request *r,
              const struct caller *caller, const char *customer)
{
    struct job *job = job_create(d, JOB_DELETE, r, caller, customer);

    if (job) {
        enqueue(d, job);
    }
}

void
submit_rollback(struct daemon *d, struct http_request *r,
                const struct caller *caller, const char *customer,
                uint64_t number)
{
    struct job *job = job_create(d, JOB_ROLLBACK, r, caller, customer);

    if (job) {
        job->number = number;
        enqueue(d, job);
    }
}

void
submit_fabric(struct daemon *d, struct http_request *r,
              const struct caller *caller)
{
    struct job *job = job_create(d, JOB_FABRIC, r, caller, NULL);

    if (job) {
        struct diags diags = DIAGS_INITIALIZER;

        job->fabric = model_fabric_parse(d->schemas[MODEL_FABRIC],
                                         job->source, r->body, r->body_len,
                                         &diags);
        if (!job->fabric) {
            job_refuse(job, &diags);
            return;
        }
        diags_destroy(&diags);
        job->text = xmemdup0(r->body, r->body_len);
        enqueue(d, job);
    }
}

/* Checks, all of them before anything is changed. */

static bool
check_config(struct daemon *d, struct job *job, struct diags *diags)
{
    const struct model_fabric *fabric = engine_fabric(d->engine);

    if (!fabric) {
        diags_error(diags, job->source, 0, NULL, "there is no fabric yet; the "
                    "operator has to submit one first");
        return false;
    }
    if (!model_config_check_fabric(job->config, fabric, diags)) {
        return false;
    }
    job->alloc = alloc_update(engine_alloc(d->engine), job->config, fabric,
                              diags);
    return job->alloc != NULL;
}

/* A fabric must carry every configuration that is active. */
static bool
check_fabric(struct daemon *d, struct job *job, struct diags *diags)
{
    const struct model_config *config;

    job->alloc = alloc_set_ref(engine_alloc(d->engine));
    for (size_t i = 0; (config = engine_config_at(d->engine, i)); i++) {
        struct diags own = DIAGS_INITIALIZER;

        if (model_config_check_fabric(config, job->fabric, &own)) {
            struct alloc_set *next = alloc_update(job->alloc, config,
                                                  job->fabric, &own);
            if (next) {
                alloc_set_unref(job->alloc);
                job->alloc = next;
            }
        }
        /* It is that document whose lines these are. */
        for (size_t j = 0; j < own.n; j++) {
            free(own.items[j].source);
            own.items[j].source = xasprintf("configuration of %s",
                                            config->customer);
        }
        diags_append(diags, &own);
        diags_destroy(&own);
    }
    return !diags_has_errors(diags);
}

static bool
check(struct daemon *d, struct job *job, struct diags *diags)
{
    switch (job->type) {
    case JOB_CONFIG:
    case JOB_ROLLBACK:
        return check_config(d, job, diags);
    case JOB_DELETE:
        job->alloc = alloc_remove_customer(engine_alloc(d->engine),
                                           job->customer);
        return true;
    case JOB_FABRIC:
        return check_fabric(d, job, diags);
    }
    OVS_NOT_REACHED();
}

static void
reply_dry_run(struct daemon *d, struct job *job)
{
    struct json *json = engine_dry_run(d->engine, job->fabric, job->alloc,
                                       job->customer, job->config,
                                       time_msec());

    if (job->customer) {
        struct model_diff diff;

        model_diff(engine_config(d->engine, job->customer), job->config,
                   &diff);
        json_object_put(json, "changes", model_diff_to_json(&diff));
        model_diff_destroy(&diff);
    }
    if (!job->operator) {
        json_destroy(shash_find_and_delete(json_object(json), "hosts"));
    }
    http_reply(job->request, 200, json);
    job_destroy(job);
}

/* Committing. */

struct alloc_list {
    struct store_alloc *allocs;
    size_t n, allocated;
};

static void
put_alloc(struct alloc_list *list, const struct alloc *a)
{
    char buf[ADDR_STRLEN];

    if (list->n >= list->allocated) {
        list->allocs = x2nrealloc(list->allocs, &list->allocated,
                                  sizeof *list->allocs);
    }
    list->allocs[list->n++] = (struct store_alloc) {
        .customer = a->customer,
        .network = a->network,
        .kind = CONST_CAST(char *, alloc_kind_to_string(a->kind)),
        .name = a->name,
        .id = a->id,
        .mac = (eth_addr_is_zero(a->mac) ? xstrdup("")
                : xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(a->mac))),
        .address = xstrdup(ipv6_addr_is_set(&a->address)
                           ? addr_to_string(&a->address, buf) : ""),
        .host = a->host ? a->host : CONST_CAST(char *, ""),
    };
}

struct alloc_lists {
    struct alloc_list removed, added;
};

static void
alloc_removed(const struct alloc *a, void *lists)
{
    put_alloc(&((struct alloc_lists *) lists)->removed, a);
}

static void
alloc_added(const struct alloc *a, void *lists)
{
    put_alloc(&((struct alloc_lists *) lists)->added, a);
}

static void
alloc_list_uninit(struct alloc_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->allocs[i].mac);
        free(list->allocs[i].address);
    }
    free(list->allocs);
}

static void
commit(struct daemon *d, struct job *job)
{
    struct daemon_customer *c = (job->customer
                                 ? daemon_customer(d, job->customer) : NULL);
    struct store_change change = STORE_CHANGE_INIT;
    struct alloc_lists lists;

    memset(&lists, 0, sizeof lists);
    alloc_set_diff(engine_alloc(d->engine), job->alloc, alloc_removed,
                   alloc_added, &lists);
    change.removed = lists.removed.allocs;
    change.n_removed = lists.removed.n;
    change.added = lists.added.allocs;
    change.n_added = lists.added.n;
    change.who = job->caller.name;
    change.when_ms = time_wall_msec();
    if (c) {
        change.customer = job->customer;
        change.expect_active = c->active;
        change.expect_last = c->last;
        change.document = job->type == JOB_CONFIG ? job->text : NULL;
        job->revision = (job->type == JOB_CONFIG ? c->last + 1
                         : job->type == JOB_ROLLBACK ? job->number : 0);
        change.activate = job->revision;
    } else {
        change.fabric = job->text;
        change.expect_fabric_serial = d->fabric_serial;
    }
    job->tag = ++d->next_tag;
    store_commit(d->store, &change, job->tag);
    alloc_list_uninit(&lists.removed);
    alloc_list_uninit(&lists.added);
}

/* Takes a job as far as it goes without the store. */
static void
job_start(struct daemon *d, struct job *job)
{
    const struct daemon_customer *c = (job->customer ? shash_find_data(
                                           &d->customers, job->customer)
                                       : NULL);
    struct diags diags = DIAGS_INITIALIZER;
    uint64_t active = (c ? c->active : job->customer ? 0 : d->fabric_serial);

    if (job->if_revision && job->expected != active) {
        job_fail(job, 409, "revision %"PRIu64" is active, not %"PRIu64"; look "
                 "at what has changed and submit again",
                 active, job->expected);
        return;
    }
    if ((job->type == JOB_DELETE || job->type == JOB_ROLLBACK)
        && !(c && c->last)) {
        job_fail(job, 404, "there is no customer \"%s\"", job->customer);
        return;
    }
    if (job->type == JOB_DELETE && !c->active) {
        job_fail(job, 404, "customer \"%s\" has no active configuration",
                 job->customer);
        return;
    }
    if (job->type == JOB_ROLLBACK && !job->text) {
        d->current = job;
        job->fetching = true;
        job->tag = ++d->next_tag;
        store_request_document(d->store, job->customer, job->number,
                               job->tag);
        return;
    }
    if (!check(d, job, &diags)) {
        job_refuse(job, &diags);
        return;
    }
    diags_append(&job->warnings, &diags);
    diags_destroy(&diags);
    if (job->dry_run) {
        reply_dry_run(d, job);
        return;
    }
    d->current = job;
    commit(d, job);
}

/* After the commit. */

void
daemon_remember_document(struct daemon *d, const char *customer,
                         const char *text)
{
    free(shash_find_and_delete(&d->documents, customer));
    if (text) {
        shash_add(&d->documents, customer, xstrdup(text));
    }
}

static void
apply(struct daemon *d, struct job *job)
{
    struct engine_out out = ENGINE_OUT_INIT;

    if (job->type == JOB_FABRIC) {
        d->fabric_serial++;
        free(d->fabric_text);
        d->fabric_text = xstrdup(job->text);
        job->revision = d->fabric_serial;
    } else {
        struct daemon_customer *c = daemon_customer(d, job->customer);

        c->active = job->revision;
        c->last = MAX(c->last, job->revision);
        free(c->who);
        c->who = xstrdup(job->caller.name);
        c->when_ms = time_wall_msec();
        daemon_remember_document(d, job->customer, job->text);
        free(c->digest);
        c->digest = NULL;
        if (job->text) {
            c->digest = xmalloc(STORE_DIGEST_LEN + 1);
            store_digest(job->text, c->digest);
        }
    }
    engine_set_documents(
        d->engine, model_fabric_ref(job->fabric), alloc_set_ref(job->alloc),
        job->type == JOB_FABRIC ? NULL : job->customer,
        job->type == JOB_FABRIC ? NULL : model_config_ref(job->config),
        time_msec(), &out);
    if (job->type == JOB_FABRIC) {
        sessions_follow_fabric(d);
        d->metrics_due = true;  /* Those of what is gone are forgotten. */
    }
    engine_run(d->engine, time_msec(), &out);
    daemon_act(d, &out);
    engine_out_uninit(&out);
    d->engine_due = true;
}

static struct json *
job_answer(const struct daemon *d, const struct job *job)
{
    struct json *json = json_object_create();

    if (job->customer) {
        json_object_put_string(json, "customer", job->customer);
    }
    json_object_put(json, "revision", json_integer_create(job->revision));
    if (job->wait && job->operator) {
        const struct model_fabric *fabric = engine_fabric(d->engine);
        struct json *applied = json_array_create_empty();
        struct json *missing = json_array_create_empty();

        for (size_t i = 0; i < fabric->n_hosts; i++) {
            const char *name = fabric->hosts[i].name;
            const uint64_t *serial = shash_find_data(&job->serials, name);
            bool ok = (engine_host_is_connected(d->engine, name)
                       && engine_host_confirmed(d->engine, name)
                          >= (serial ? *serial
                              : engine_host_sent(d->engine, name)));

            json_array_add(ok ? applied : missing, json_string_create(name));
        }
        json_object_put(json, "applied", applied);
        json_object_put(json, "unreachable", missing);
    }
    if (diags_count(&job->warnings)) {
        struct json *w = diags_to_json(&job->warnings);
        struct json *list = shash_find_data(json_object(w), "diagnostics");

        json_object_put(json, "diagnostics", json_clone(list));
        json_destroy(w);
    }
    return json;
}

/* Remembers what each reachable host has to confirm. */
static void
start_confirming(struct daemon *d, struct job *job)
{
    const struct model_fabric *fabric = engine_fabric(d->engine);

    for (size_t i = 0; fabric && i < fabric->n_hosts; i++) {
        const char *name = fabric->hosts[i].name;

        if (engine_host_is_connected(d->engine, name)) {
            uint64_t *serial = xmalloc(sizeof *serial);
            *serial = engine_host_sent(d->engine, name);
            shash_add(&job->serials, name, serial);
        }
    }
    job->deadline_ms = time_msec() + CONFIRM_MS;
    ovs_list_push_back(&d->confirming, &job->node);
}

/* A new fabric's hosts are only just being connected: it is confirmed when all
 * of them are there.  Of other changes only what was sent counts. */
static bool
is_confirmed(const struct daemon *d, const struct job *job)
{
    struct shash_node *node;

    for (size_t i = 0; job->type == JOB_FABRIC && i < job->fabric->n_hosts;
         i++) {
        const char *name = job->fabric->hosts[i].name;

        if (!engine_host_is_connected(d->engine, name)
            || (engine_host_confirmed(d->engine, name)
                < engine_host_sent(d->engine, name))) {
            return false;
        }
    }

    SHASH_FOR_EACH (node, &job->serials) {
        const uint64_t *serial = node->data;

        if (engine_host_is_connected(d->engine, node->name)
            && engine_host_confirmed(d->engine, node->name) < *serial) {
            return false;
        }
    }
    return true;
}

static void
job_done(struct daemon *d, struct job *job)
{
    apply(d, job);
    VLOG_INFO("%s: revision %"PRIu64" by %s",
              job->customer ? job->customer : "fabric", job->revision,
              job->caller.name);
    if (job->wait) {
        start_confirming(d, job);
    } else {
        http_reply(job->request, 200, job_answer(d, job));
        job_destroy(job);
    }
}

static void
take_document(struct daemon *d, struct job *job, const struct store_event *e)
{
    struct diags diags = DIAGS_INITIALIZER;

    if (e->result != STORE_DONE || !e->n_revisions) {
        job_fail(job, e->result == STORE_NOT_FOUND ? 404 : 503,
                 "customer \"%s\" has no revision %"PRIu64"%s", job->customer,
                 job->number, e->result == STORE_NOT_FOUND ? ""
                 : " that could be read now");
        return;
    }
    job->fetching = false;
    job->text = xstrdup(e->revisions[0].document);
    job->config = model_config_parse(d->schemas[MODEL_CONFIG], job->source,
                                     job->text, strlen(job->text), &diags);
    if (!job->config) {
        job_refuse(job, &diags);
        return;
    }
    diags_destroy(&diags);
    job_start(d, job);
}

void
submit_store_event(struct daemon *d, struct store_event *e)
{
    struct job *job = d->current;

    if (!job || job->tag != e->tag) {
        return;
    }
    d->current = NULL;
    if (job->fetching) {
        take_document(d, job, e);
    } else if (e->result == STORE_DONE) {
        job_done(d, job);
    } else if (e->result == STORE_CONFLICT) {
        job_fail(job, 409, "another change came first; look at it and submit "
                 "again");
    } else {
        job_fail(job, e->result == STORE_FAILED ? 500 : 503,
                 "not stored: %s%s%s", store_result_to_string(e->result),
                 e->text ? ": " : "", e->text ? e->text : "");
    }
}

void
submit_run(struct daemon *d)
{
    struct job *job, *next;

    while (!d->current && !ovs_list_is_empty(&d->jobs)) {
        job = CONTAINER_OF(ovs_list_pop_front(&d->jobs), struct job, node);
        job_start(d, job);
    }
    LIST_FOR_EACH_SAFE (job, next, node, &d->confirming) {
        bool late = time_msec() >= job->deadline_ms;

        if (is_confirmed(d, job) || late) {
            ovs_list_remove(&job->node);
            http_reply(job->request, late ? 504 : 200, job_answer(d, job));
            job_destroy(job);
        }
    }
}

void
submit_wait(struct daemon *d)
{
    struct job *job;

    if (!d->current && !ovs_list_is_empty(&d->jobs)) {
        poll_immediate_wake();
    }
    LIST_FOR_EACH (job, node, &d->confirming) {
        if (is_confirmed(d, job)) {
            poll_immediate_wake();
        }
        poll_timer_wait_until(job->deadline_ms);
    }
}

/* Answers everything that waits, when the daemon ends. */
void
submit_abort_all(struct daemon *d)
{
    if (d->current) {
        job_fail(d->current, 503, "tollwayd is stopping; whether the change "
                 "was stored is not known");
        d->current = NULL;
    }
    while (!ovs_list_is_empty(&d->jobs)) {
        job_fail(CONTAINER_OF(ovs_list_pop_front(&d->jobs), struct job, node),
                 503, "tollwayd is stopping; nothing has changed");
    }
    while (!ovs_list_is_empty(&d->confirming)) {
        job_fail(CONTAINER_OF(ovs_list_pop_front(&d->confirming), struct job,
                              node), 503, "tollwayd is stopping; the change "
                 "is stored but not confirmed by all hosts");
    }
}

/* Metrics. */

void
submit_metrics(struct daemon *d, struct http_request *r,
               const struct caller *caller OVS_UNUSED)
{
    const char *source = smap_get(&r->query, "source");
    struct diags diags = DIAGS_INITIALIZER;
    struct model_metrics *m = model_metrics_parse(
        d->schemas[MODEL_METRICS], source ? source : "document", r->body,
        r->body_len, &diags);
    bool ok = m && engine_set_metrics(d->engine, m, time_msec(), &diags);

    if (ok) {
        struct json *json = json_object_create();

        json_object_put(json, "taken", json_integer_create(
            m->n_paths + m->n_points));
        http_reply(r, 200, json);
        d->engine_due = true;
        d->metrics_due = true;
        diags_destroy(&diags);
    } else {
        reply_diags(r, &diags);
    }
    model_metrics_unref(m);
}

/* Validation only: the document says what it is. */

/* Which document it is meant to be, by its namespace; a configuration if that
 * doesn't say, whose schema then tells what is wrong. */
static enum model_document
guess_type(const struct http_request *r)
{
    size_t len = MIN(r->body_len, 4096);

    return (memmem(r->body, len, "urn:tollway:fabric:", 19) ? MODEL_FABRIC
            : memmem(r->body, len, "urn:tollway:metrics:", 20) ? MODEL_METRICS
            : MODEL_CONFIG);
}

static bool
validate(struct daemon *d, const struct http_request *r,
         const struct caller *caller, const char *source, struct diags *diags,
         const char **what)
{
    /* What is wrong with a fabric may name other customers. */
    enum model_document type = (caller->customer ? MODEL_CONFIG
                                : guess_type(r));

    *what = model_document_name(type);
    switch (type) {
    case MODEL_FABRIC: {
        struct job job = { .source = CONST_CAST(char *, source) };
        job.fabric = model_fabric_parse(d->schemas[type], source, r->body,
                                        r->body_len, diags);
        bool ok = job.fabric && check_fabric(d, &job, diags);
        model_fabric_unref(job.fabric);
        alloc_set_unref(job.alloc);
        return ok;
    }
    case MODEL_METRICS: {
        struct model_metrics *m = model_metrics_parse(
            d->schemas[type], source, r->body, r->body_len, diags);
        const struct model_fabric *fabric = engine_fabric(d->engine);
        bool ok = m && (!fabric
                        || model_metrics_check_fabric(m, fabric, diags));
        model_metrics_unref(m);
        return ok;
    }
    case MODEL_CONFIG:
    default: {
        struct job job = { .source = CONST_CAST(char *, source) };
        job.config = model_config_parse(d->schemas[MODEL_CONFIG], source,
                                        r->body, r->body_len, diags);
        bool ok = job.config != NULL;
        if (ok && caller->customer
            && strcmp(caller->customer, job.config->customer)) {
            diags_error(diags, source, 0, NULL, "the document is of customer "
                        "\"%s\"", job.config->customer);
            ok = false;
        }
        ok = ok && (!engine_fabric(d->engine)
                    || check_config(d, &job, diags));
        model_config_unref(job.config);
        alloc_set_unref(job.alloc);
        return ok;
    }
    }
}

void
submit_validate(struct daemon *d, struct http_request *r,
                const struct caller *caller)
{
    const char *source = smap_get(&r->query, "source");
    struct diags diags = DIAGS_INITIALIZER;
    const char *what;

    if (validate(d, r, caller, source ? source : "document", &diags, &what)) {
        struct json *json = diags_to_json(&diags);

        json_object_put(json, "valid", json_boolean_create(true));
        json_object_put_string(json, "document", what);
        http_reply(r, 200, json);
        diags_destroy(&diags);
    } else {
        reply_diags(r, &diags);
    }
}
