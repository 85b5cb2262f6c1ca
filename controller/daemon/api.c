/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/daemon/tollwayd.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include "controller/daemon/http.h"
#include "controller/flow/pipeline.h"
#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "ovs-glue/hostdb.h"
#include "ovs-glue/ofsession.h"
#include "ovs-glue/store.h"
#include "timeval.h"
#include "util.h"

/* A daemon that has just started lets requests wait until it knows what the
 * store and the hosts have, or until this much time has passed. */
#define START_MS 3000

struct early {
    struct ovs_list node;
    struct http_request *request;
};

/* A request that waits for something from the store. */
struct lookup {
    struct ovs_list node;
    struct http_request *request;
    uint64_t tag;
    char *customer;
    uint64_t number;            /* Of a revision, 0: all of them. */
};

/* Is 's' 'prefix' and something more, which then is '*rest'? */
static bool
skip_prefix(const char *s, const char *prefix, const char **rest)
{
    size_t n = strlen(prefix);

    if (strncmp(s, prefix, n) || !s[n]) {
        return false;
    }
    *rest = s + n;
    return true;
}

static void
put_int(struct json *o, const char *name, long long int value)
{
    json_object_put(o, name, json_integer_create(value));
}

/* Who asks by the unix socket is the operator: the socket's mode says who may.
 * The operator may look with a customer's eyes. */
static void
identify(const struct http_request *r, struct caller *caller)
{
    struct passwd pw, *found = NULL;
    char buf[1024];

    memset(caller, 0, sizeof *caller);
    if (!getpwuid_r(r->uid, &pw, buf, sizeof buf, &found) && found) {
        ovs_strlcpy(caller->name, found->pw_name, sizeof caller->name);
    } else {
        snprintf(caller->name, sizeof caller->name, "uid %u",
                 (unsigned int) r->uid);
    }
    caller->customer = smap_get(&r->query, "as");
}

/* May 'caller' ask about 'customer'?  Others' customers look like none. */
static bool
may_see(const struct caller *caller, const char *customer)
{
    return !caller->customer || !strcmp(caller->customer, customer);
}

static void
reply_method(struct http_request *r, const char *allowed)
{
    http_reply_error(r, 405, "%s is not possible here; use %s", r->method,
                     allowed);
}

static void
reply_xml(struct http_request *r, const char *text)
{
    http_reply_text(r, 200, "application/xml", text, strlen(text));
}

/* Only the operator may know of hosts. */
static bool
require_operator(struct http_request *r, const struct caller *caller)
{
    if (caller->customer) {
        http_reply_error(r, 404, "there is no \"%s\"", r->path);
        return false;
    }
    return true;
}

/* Customers. */

static void
list_customers(struct daemon *d, struct http_request *r,
               const struct caller *caller)
{
    struct json *array = json_array_create_empty();
    const struct shash_node **nodes = shash_sort(&d->customers);

    for (size_t i = 0; i < shash_count(&d->customers); i++) {
        const struct daemon_customer *c = nodes[i]->data;

        if (c->last && may_see(caller, nodes[i]->name)) {
            struct json *o = json_object_create();

            json_object_put_string(o, "customer", nodes[i]->name);
            put_int(o, "active", c->active);
            put_int(o, "last", c->last);
            if (c->active && c->digest) {
                json_object_put_string(o, "digest", c->digest);
                json_object_put_string(o, "who", c->who);
                put_int(o, "when-ms", c->when_ms);
            }
            json_array_add(array, o);
        }
    }
    free(nodes);
    http_reply(r, 200, array);
}

static void
look_up(struct daemon *d, struct http_request *r, const char *customer,
        bool history, uint64_t number)
{
    struct lookup *l = xzalloc(sizeof *l);

    l->request = r;
    l->tag = ++d->next_tag;
    l->customer = xstrdup(customer);
    l->number = number;
    ovs_list_push_back(&d->lookups, &l->node);
    if (history) {
        store_request_history(d->store, customer, l->tag);
    } else {
        store_request_document(d->store, customer, number, l->tag);
    }
}

static void
get_config(struct daemon *d, struct http_request *r, const char *customer)
{
    const char *revision = smap_get(&r->query, "revision");
    const char *text = shash_find_data(&d->documents, customer);
    unsigned long long int number;

    if (!revision) {
        if (text) {
            reply_xml(r, text);
        } else {
            http_reply_error(r, 404, "customer \"%s\" has no active "
                             "configuration", customer);
        }
    } else if (!str_to_ullong(revision, 10, &number)) {
        http_reply_error(r, 400, "revision is \"%s\"; it is a number",
                         revision);
    } else {
        look_up(d, r, customer, false, number);
    }
}

static void
handle_customer(struct daemon *d, struct http_request *r,
                const struct caller *caller, const char *rest)
{
    const char *slash = strchr(rest, '/');
    char *customer = xmemdup0(rest, slash ? (size_t) (slash - rest)
                                     : strlen(rest));
    const char *what = slash ? slash + 1 : "";

    if (!may_see(caller, customer)) {
        http_reply_error(r, 404, "there is no customer \"%s\"", customer);
    } else if (!strcmp(what, "config")) {
        if (!strcmp(r->method, "PUT")) {
            submit_config(d, r, caller, customer);
        } else if (!strcmp(r->method, "DELETE")) {
            submit_delete(d, r, caller, customer);
        } else if (!strcmp(r->method, "GET")) {
            get_config(d, r, customer);
        } else {
            reply_method(r, "PUT, GET or DELETE");
        }
    } else if (!strcmp(what, "rollback")) {
        const char *revision = smap_get(&r->query, "revision");
        unsigned long long int number;

        if (strcmp(r->method, "POST")) {
            reply_method(r, "POST");
        } else if (!revision || !str_to_ullong(revision, 10, &number)
                   || !number) {
            http_reply_error(r, 400, "say which revision: ?revision=N");
        } else {
            submit_rollback(d, r, caller, customer, number);
        }
    } else if (!strcmp(what, "history")) {
        if (strcmp(r->method, "GET")) {
            reply_method(r, "GET");
        } else {
            look_up(d, r, customer, true, 0);
        }
    } else {
        http_reply_error(r, 404, "there is no \"%s\"", r->path);
    }
    free(customer);
}

/* What the store answered to a lookup; false if it was not for one. */
bool
api_store_event(struct daemon *d, struct store_event *e)
{
    struct lookup *l;

    LIST_FOR_EACH (l, node, &d->lookups) {
        if (l->tag != e->tag) {
            continue;
        }
        ovs_list_remove(&l->node);
        if (e->result == STORE_NOT_FOUND && l->number) {
            http_reply_error(l->request, 404, "customer \"%s\" has no "
                             "revision %"PRIu64, l->customer, l->number);
        } else if (e->result == STORE_NOT_FOUND) {
            http_reply_error(l->request, 404, "there is no customer \"%s\"",
                             l->customer);
        } else if (e->result != STORE_DONE) {
            http_reply_error(l->request, 503, "%s", e->text ? e->text
                             : store_result_to_string(e->result));
        } else if (e->type == STORE_DOCUMENT) {
            reply_xml(l->request, e->revisions[0].document);
        } else {
            struct json *array = json_array_create_empty();

            for (size_t i = 0; i < e->n_revisions; i++) {
                const struct store_revision *rev = &e->revisions[i];
                const struct daemon_customer *c = shash_find_data(
                    &d->customers, rev->customer);
                struct json *o = json_object_create();

                put_int(o, "revision", rev->number);
                json_object_put_string(o, "who", rev->who);
                put_int(o, "when-ms", rev->when_ms);
                json_object_put_string(o, "digest", rev->digest);
                json_object_put(o, "active", json_boolean_create(
                    c && c->active == rev->number));
                json_array_add(array, o);
            }
            http_reply(l->request, 200, array);
        }
        free(l->customer);
        free(l);
        return true;
    }
    return false;
}

void
api_abort_all(struct daemon *d)
{
    while (!ovs_list_is_empty(&d->early)) {
        struct early *e = CONTAINER_OF(ovs_list_pop_front(&d->early),
                                       struct early, node);

        http_reply_error(e->request, 503, "tollwayd is stopping");
        free(e);
    }
    while (!ovs_list_is_empty(&d->lookups)) {
        struct lookup *l = CONTAINER_OF(ovs_list_pop_front(&d->lookups),
                                        struct lookup, node);

        http_reply_error(l->request, 503, "the configuration store is not "
                         "available");
        free(l->customer);
        free(l);
    }
}

/* Counters. */

struct tally {
    uint64_t packets, bytes;
};

static void
count(struct shash *tallies, const char *name, uint64_t packets,
      uint64_t bytes)
{
    struct tally *t = shash_find_data(tallies, name);

    if (!t) {
        t = xzalloc(sizeof *t);
        shash_add(tallies, name, t);
    }
    t->packets += packets;
    t->bytes += bytes;
}

static struct json *
tallies_to_json(struct shash *tallies)
{
    const struct shash_node **nodes = shash_sort(tallies);
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < shash_count(tallies); i++) {
        const struct tally *t = nodes[i]->data;
        struct json *o = json_object_create();

        json_object_put_string(o, "object", nodes[i]->name);
        put_int(o, "packets", t->packets);
        put_int(o, "bytes", t->bytes);
        json_array_add(array, o);
    }
    free(nodes);
    shash_destroy_free_data(tallies);
    return array;
}

/* Does the object of a cookie belong to 'customer' (NULL: anybody)? */
static bool
is_of_customer(const char *name, const char *customer)
{
    const char *space = strchr(name, ' ');
    size_t n = customer ? strlen(customer) : 0;

    return !customer || (space && !strncmp(space + 1, customer, n)
                         && space[1 + n] == '/');
}

static void
finish_counters(struct daemon *d, struct http_request *r,
                const char *customer, const struct stats_result *result)
{
    struct json *json = engine_query_counters(d->engine, customer);
    struct json *silent = json_array_create_empty();
    struct shash ways, drops, punts, answers, in;

    shash_init(&ways);
    shash_init(&drops);
    shash_init(&punts);
    shash_init(&answers);
    shash_init(&in);
    for (size_t i = 0; i < result->n; i++) {
        const struct stats_host *h = &result->hosts[i];

        for (size_t j = 0; h->stats && j < h->stats->n; j++) {
            const struct ofsession_counter *c = &h->stats->counters[j];
            enum pl_cookie_what what = pl_cookie_decode(c->id).what;
            struct shash *to = (what == PL_COOKIE_OUT ? &ways
                                : what == PL_COOKIE_DROP ? &drops
                                : what == PL_COOKIE_PUNT ? &punts
                                : what == PL_COOKIE_ECHO
                                  || what == PL_COOKIE_ARP ? &answers
                                : what == PL_COOKIE_IN ? &in : NULL);
            char *name = to ? engine_cookie_name(d->engine, c->id) : NULL;

            if (name && is_of_customer(name, customer)) {
                count(to, name, c->packets, c->bytes);
            }
            free(name);
        }
        if (!h->stats) {
            json_array_add(silent, json_string_create(h->host));
        }
    }
    json_object_put(json, "ways", tallies_to_json(&ways));
    json_object_put(json, "drops", tallies_to_json(&drops));
    json_object_put(json, "to-controller", tallies_to_json(&punts));
    json_object_put(json, "answered", tallies_to_json(&answers));
    json_object_put(json, "received", tallies_to_json(&in));
    if (customer) {
        json_destroy(silent);
    } else {
        json_object_put(json, "silent", silent);
    }
    http_reply(r, 200, json);
}

/* Flows of one host, with the bridge's own counters by table and cookie. */
static void
finish_flows(struct daemon *d, struct http_request *r,
             const char *customer OVS_UNUSED,
             const struct stats_result *result)
{
    const char *host = strrchr(r->path, '/') + 1;
    struct json *json = engine_query_flows(d->engine, host);

    if (!json) {
        http_reply_error(r, 404, "there is no host \"%s\"", host);
        return;
    }
    struct json *flows = shash_find_data(json_object(json), "flows");
    const struct ofsession_stats *stats = (result->n ? result->hosts[0].stats
                                           : NULL);
    json_object_put(json, "connected", json_boolean_create(stats != NULL));
    for (size_t i = 0; stats && i < json_array(flows)->n; i++) {
        struct json *flow = json_array(flows)->elems[i];
        const char *cookie = json_string(shash_find_data(json_object(flow),
                                                         "cookie"));
        int table = json_integer(shash_find_data(json_object(flow), "table"));
        uint64_t id = strtoull(cookie, NULL, 16);

        for (size_t j = 0; j < stats->n; j++) {
            if (stats->counters[j].id == id
                && stats->counters[j].table_id == table) {
                put_int(flow, "object-packets", stats->counters[j].packets);
                break;
            }
        }
    }
    http_reply(r, 200, json);
}

/* Status. */

static bool
is_ready(const struct daemon *d)
{
    return (time_msec() >= d->started_ms + START_MS
            || (d->loaded && !(engine_fabric(d->engine)
                               && engine_is_held(d->engine))));
}

static void
reply_status(struct daemon *d, struct http_request *r,
             const struct caller *caller)
{
    struct json *json = json_object_create();
    const struct model_fabric *fabric = engine_fabric(d->engine);
    size_t connected = 0;

    json_object_put_string(json, "version", PACKAGE_VERSION);
    put_int(json, "uptime-ms", time_msec() - d->started_ms);
    json_object_put(json, "ready", json_boolean_create(is_ready(d)));
    json_object_put(json, "store", json_boolean_create(
        store_is_writer(d->store)));
    put_int(json, "customers", shash_count(&d->documents));
    if (!caller->customer) {
        struct json *sessions = json_array_create_empty();
        const struct shash_node **nodes = shash_sort(&d->sessions);
        struct ds ds = DS_EMPTY_INITIALIZER;

        for (size_t i = 0; fabric && i < fabric->n_hosts; i++) {
            connected += engine_host_is_connected(d->engine,
                                                  fabric->hosts[i].name);
        }
        put_int(json, "hosts", fabric ? fabric->n_hosts : 0);
        put_int(json, "hosts-connected", connected);
        put_int(json, "fabric-revision", d->fabric_serial);
        store_format(d->store, &ds);
        json_object_put_string(json, "store-state", ds_cstr(&ds));
        for (size_t i = 0; i < shash_count(&d->sessions); i++) {
            const struct session *s = nodes[i]->data;
            struct json *o = json_object_create();

            json_object_put_string(o, "host", s->name);
            ds_clear(&ds);
            hostdb_format(s->hostdb, &ds);
            json_object_put_string(o, "database", ds_cstr(&ds));
            ds_clear(&ds);
            if (s->of) {
                ofsession_format(s->of, &ds);
            }
            json_object_put_string(o, "bridge", ds_cstr(&ds));
            json_object_put(o, "leaving", json_boolean_create(s->leaving));
            json_array_add(sessions, o);
        }
        json_object_put(json, "sessions", sessions);
        ds_destroy(&ds);
        free(nodes);
    }
    http_reply(r, 200, json);
}

static void
reply_explain(struct daemon *d, struct http_request *r,
              const struct caller *caller)
{
    const char *from = smap_get(&r->query, "from");
    const char *to = smap_get(&r->query, "to");
    struct in6_addr addr;
    char *error = NULL;

    if (!from || !to) {
        http_reply_error(r, 400, "say from where (customer/network/node) and "
                         "to which address: ?from=...&to=...");
        return;
    } else if (!addr_parse(to, &addr)) {
        http_reply_error(r, 400, "\"%s\" is no IP address; say to which address, as "
                         "in 203.0.113.10", to);
        return;
    }
    struct json *json = engine_query_explain(d->engine, caller->customer,
                                             from, &addr, &error);
    if (json) {
        http_reply(r, 200, json);
    } else {
        http_reply_error(r, 404, "%s", error ? error : "not known");
        free(error);
    }
}

/* Whose networks to show: the caller's own, or those the operator asks for. */
static const char *
whose(const struct http_request *r, const struct caller *caller)
{
    return caller->customer ? caller->customer
                            : smap_get(&r->query, "customer");
}

/* Results for one customer, but with the operator's eyes if he asks. */
static struct json *
of_customer(struct json *array, const char *customer)
{
    struct json *filtered;

    if (!customer) {
        return array;
    }
    filtered = json_array_create_empty();
    for (size_t i = 0; i < json_array(array)->n; i++) {
        struct json *o = json_array(array)->elems[i];
        const struct json *c = shash_find_data(json_object(o), "customer");

        if (c && !strcmp(json_string(c), customer)) {
            json_array_add(filtered, json_clone(o));
        }
    }
    json_destroy(array);
    return filtered;
}

static bool
get_simple(struct daemon *d, struct http_request *r,
           const struct caller *caller, const char *what)
{
    const char *eyes = caller->customer;
    const char *customer = whose(r, caller);
    struct json *json;

    if (!strcmp(what, "nodes")) {
        json = engine_query_nodes(d->engine, eyes);
    } else if (!strcmp(what, "routes")) {
        json = engine_query_routes(d->engine, eyes,
                                   smap_get(&r->query, "router"));
    } else if (!strcmp(what, "neighbors")) {
        json = engine_query_neighbors(d->engine, eyes, time_msec());
    } else if (!strcmp(what, "lsdb")) {
        json = engine_query_lsdb(d->engine, eyes,
                                 smap_get(&r->query, "contents") != NULL,
                                 time_msec());
    } else if (!strcmp(what, "topology")) {
        json = engine_query_topology(d->engine, eyes);
    } else {
        return false;
    }
    http_reply(r, 200, of_customer(json, customer));
    return true;
}

static void
handle_fabric(struct daemon *d, struct http_request *r,
              const struct caller *caller)
{
    if (!require_operator(r, caller)) {
        return;
    }
    if (!strcmp(r->method, "PUT")) {
        submit_fabric(d, r, caller);
    } else if (!strcmp(r->method, "GET")) {
        if (d->fabric_text) {
            reply_xml(r, d->fabric_text);
        } else {
            http_reply_error(r, 404, "there is no fabric yet");
        }
    } else {
        reply_method(r, "PUT or GET");
    }
}

static void
handle_get(struct daemon *d, struct http_request *r,
           const struct caller *caller, const char *what)
{
    const char *rest;

    if (!strcmp(what, "customers")) {
        list_customers(d, r, caller);
    } else if (!strcmp(what, "hosts")) {
        if (require_operator(r, caller)) {
            http_reply(r, 200, engine_query_hosts(d->engine));
        }
    } else if (!strcmp(what, "explain")) {
        reply_explain(d, r, caller);
    } else if (!strcmp(what, "status")) {
        reply_status(d, r, caller);
    } else if (!strcmp(what, "counters")) {
        stats_gather(d, r, NULL, finish_counters, caller);
    } else if (skip_prefix(what, "flows/", &rest)) {
        if (require_operator(r, caller)) {
            stats_gather(d, r, rest, finish_flows, caller);
        }
    } else if (skip_prefix(what, "cookie/", &rest)) {
        if (require_operator(r, caller)) {
            struct json *json = json_object_create();
            char *name = engine_cookie_name(d->engine,
                                            strtoull(rest, NULL, 0));
            json_object_put_string(json, "object", name);
            free(name);
            http_reply(r, 200, json);
        }
    } else if (!strcmp(what, "metrics")) {
        if (require_operator(r, caller)) {
            http_reply(r, 200, engine_query_metrics(d->engine, time_msec()));
        }
    } else if (!get_simple(d, r, caller, what)) {
        http_reply_error(r, 404, "there is no \"%s\"", r->path);
    }
}

static void
handle(struct daemon *d, struct http_request *r)
{
    struct caller caller;
    const char *what, *rest;

    identify(r, &caller);
    if (!skip_prefix(r->path, "/v1/", &what)) {
        http_reply_error(r, 404, "there is no \"%s\"; paths begin with /v1/",
                         r->path);
    } else if (skip_prefix(what, "customers/", &rest)) {
        handle_customer(d, r, &caller, rest);
    } else if (!strcmp(what, "config") && !strcmp(r->method, "PUT")) {
        submit_config(d, r, &caller, caller.customer);
    } else if (!strcmp(what, "fabric")) {
        handle_fabric(d, r, &caller);
    } else if (!strcmp(what, "metrics") && !strcmp(r->method, "POST")) {
        if (require_operator(r, &caller)) {
            submit_metrics(d, r, &caller);
        }
    } else if (!strcmp(what, "validate")) {
        if (strcmp(r->method, "POST")) {
            reply_method(r, "POST");
        } else {
            submit_validate(d, r, &caller);
        }
    } else if (!strcmp(r->method, "GET")) {
        handle_get(d, r, &caller, what);
    } else {
        reply_method(r, "GET");
    }
}

void
api_handle(struct http_request *r, void *d_)
{
    struct daemon *d = d_;

    if (d->exiting) {
        http_reply_error(r, 503, "tollwayd is stopping");
    } else if (is_ready(d) && ovs_list_is_empty(&d->early)) {
        handle(d, r);
    } else {
        struct early *e = xmalloc(sizeof *e);

        e->request = r;
        ovs_list_push_back(&d->early, &e->node);
    }
}

void
api_run(struct daemon *d)
{
    while (is_ready(d) && !ovs_list_is_empty(&d->early)) {
        struct early *e = CONTAINER_OF(ovs_list_pop_front(&d->early),
                                       struct early, node);

        handle(d, e->request);
        free(e);
    }
}

void
api_wait(struct daemon *d)
{
    if (!ovs_list_is_empty(&d->early)) {
        if (is_ready(d)) {
            poll_immediate_wake();
        } else {
            poll_timer_wait_until(d->started_ms + START_MS);
        }
    }
}
