/* SPDX-License-Identifier: Apache-2.0 */

/* The store's connection: lock, loading, requests and their answers.  What a
 * transaction looks like is in store-json.c.
 *
 * A store is in one of three states:
 *
 *     no writer        waiting for a connection or for the lock
 *     loading          has the lock, reads everything (two transactions)
 *     writer           requests are sent as they come
 *
 * A lost connection or lock leads to the first from anywhere. */

#include <config.h>
#include "ovs-glue/store.h"
#include <string.h>
#include "jsonrpc.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/store-json.h"
#include "hash.h"
#include "ovsdb-cs.h"
#include "ovsdb-error.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tw_store);

/* A server that doesn't answer for so long is given up, in ms. */
#define PROBE_INTERVAL 5000
/* Without a connection for so long, the pauses between attempts, which double
 * up to 8 s, start from the beginning. */
#define RESTART_INTERVAL 3000

enum store_state { STORE_S_WAITING, STORE_S_LOADING, STORE_S_WRITER };

enum request_kind {
    REQUEST_LOAD,               /* Everything but configurations. */
    REQUEST_LOAD_DOCUMENTS,     /* These. */
    REQUEST_COMMIT,
    REQUEST_HISTORY,
    REQUEST_DOCUMENT,
    REQUEST_SNAPSHOT,
};

/* A transaction on its way. */
struct request {
    struct ovs_list list_node;  /* In struct store's 'requests'. */
    enum request_kind kind;
    uint64_t tag;
    struct json *id;            /* Of the JSON-RPC request. */
    uint8_t *roles;             /* enum store_op_role of each operation. */
    size_t n_roles;
    struct snapshot *snapshot;  /* REQUEST_SNAPSHOT. */
};

/* What is known of a snapshot's row, and what is to be written to it. */
struct snapshot {
    struct hmap_node hmap_node; /* In struct store's 'snapshots'. */
    char *kind, *name;
    bool exists;                /* There is such a row. */
    bool in_flight;             /* A transaction on it is on its way... */
    bool will_exist;            /* ...and that is what it leads to. */
    bool pending;               /* To be written after that: */
    uint8_t *data;              /* NULL: to be deleted. */
    size_t len;
};

/* Pause before contents that could not be read are read again. */
#define RETRY_MS 2000

struct store {
    struct ovsdb_cs *cs;
    char *remotes;
    long long int restart_at;   /* If not connected before, start anew. */
    long long int retry_at;     /* Read the contents again, LLONG_MAX: no. */
    enum store_state state;
    struct store_contents *loading;     /* While loading. */
    struct ovs_list requests;   /* "struct request"s. */
    struct ovs_list events;     /* "struct store_event"s. */
    struct hmap snapshots;      /* "struct snapshot"s. */
    unsigned long long int n_commits;
};

const char *
store_result_to_string(enum store_result result)
{
    switch (result) {
    case STORE_DONE: return "done";
    case STORE_CONFLICT: return "conflict";
    case STORE_NOT_FOUND: return "not found";
    case STORE_NOT_WRITER: return "not the writer";
    case STORE_UNKNOWN: return "outcome unknown";
    case STORE_FAILED: return "failed";
    }
    return "?";
}

/* Events. */

static struct store_event *
add_event(struct store *store, enum store_event_type type, uint64_t tag,
          enum store_result result)
{
    struct store_event *e = xzalloc(sizeof *e);
    e->type = type;
    e->tag = tag;
    e->result = result;
    ovs_list_push_back(&store->events, &e->list_node);
    return e;
}

struct store_event *
store_pop_event(struct store *store)
{
    if (ovs_list_is_empty(&store->events)) {
        return NULL;
    }
    return CONTAINER_OF(ovs_list_pop_front(&store->events),
                        struct store_event, list_node);
}

void
store_event_destroy(struct store_event *e)
{
    if (e) {
        free(e->text);
        store_contents_destroy(e->contents);
        for (size_t i = 0; i < e->n_revisions; i++) {
            store_revision_uninit(&e->revisions[i]);
        }
        free(e->revisions);
        free(e);
    }
}

/* Requests. */

/* Which event answers a request of 'kind'; false: none does. */
static bool
answer_type(enum request_kind kind, enum store_event_type *type)
{
    switch (kind) {
    case REQUEST_COMMIT: *type = STORE_COMMITTED; return true;
    case REQUEST_HISTORY: *type = STORE_HISTORY; return true;
    case REQUEST_DOCUMENT: *type = STORE_DOCUMENT; return true;
    case REQUEST_LOAD:
    case REQUEST_LOAD_DOCUMENTS:
    case REQUEST_SNAPSHOT:
        break;
    }
    return false;
}

static void
answer_without(struct store *store, enum request_kind kind, uint64_t tag,
               enum store_result result, const char *text)
{
    enum store_event_type type;
    if (answer_type(kind, &type)) {
        add_event(store, type, tag, result)->text = nullable_xstrdup(text);
    }
}

/* Sends what is in 'txn' and uninitializes it.  NULL if that can't be sent. */
static struct request *
send_request(struct store *store, enum request_kind kind, uint64_t tag,
             struct store_txn *txn)
{
    struct json *id = ovsdb_cs_send_transaction(store->cs, txn->params);
    txn->params = NULL;
    struct request *r = NULL;
    if (id) {
        r = xzalloc(sizeof *r);
        r->kind = kind;
        r->tag = tag;
        r->id = id;
        r->roles = txn->roles;
        r->n_roles = txn->n;
        txn->roles = NULL;
        ovs_list_push_back(&store->requests, &r->list_node);
    } else {
        answer_without(store, kind, tag, STORE_NOT_WRITER,
                       "no connection to the store");
    }
    store_txn_uninit(txn);
    return r;
}

static void
request_destroy(struct request *r)
{
    ovs_list_remove(&r->list_node);
    json_destroy(r->id);
    free(r->roles);
    free(r);
}

/* Snapshots. */

static struct snapshot *
find_snapshot(const struct store *store, const char *kind, const char *name)
{
    uint32_t hash = hash_string(name, hash_string(kind, 0));
    struct snapshot *s;
    HMAP_FOR_EACH_WITH_HASH (s, hmap_node, hash, &store->snapshots) {
        if (!strcmp(s->kind, kind) && !strcmp(s->name, name)) {
            return s;
        }
    }
    return NULL;
}

static struct snapshot *
add_snapshot(struct store *store, const char *kind, const char *name)
{
    struct snapshot *s = xzalloc(sizeof *s);
    s->kind = xstrdup(kind);
    s->name = xstrdup(name);
    hmap_insert(&store->snapshots, &s->hmap_node,
                hash_string(name, hash_string(kind, 0)));
    return s;
}

static void
clear_snapshots(struct store *store)
{
    struct snapshot *s;
    HMAP_FOR_EACH_POP (s, hmap_node, &store->snapshots) {
        free(s->kind);
        free(s->name);
        free(s->data);
        free(s);
    }
}

static void
send_snapshot(struct store *store, struct snapshot *s)
{
    s->pending = false;
    if (!s->data && !s->exists) {
        return;
    }
    struct store_txn txn;
    store_txn_init(&txn);
    store_txn_snapshot(&txn, s->kind, s->name, s->exists, s->data, s->len);
    s->will_exist = s->data != NULL;
    free(s->data);
    s->data = NULL;

    struct request *r = send_request(store, REQUEST_SNAPSHOT, 0, &txn);
    if (r) {
        r->snapshot = s;
        s->in_flight = true;
    }
}

void
store_put_snapshot(struct store *store, const char *kind, const char *name,
                   const void *data, size_t len)
{
    if (store->state != STORE_S_WRITER) {
        return;
    }
    struct snapshot *s = find_snapshot(store, kind, name);
    if (!s) {
        if (!data) {
            return;
        }
        s = add_snapshot(store, kind, name);
    }
    free(s->data);
    s->data = data ? xmemdup(data, len) : NULL;
    s->len = len;
    s->pending = true;
    if (!s->in_flight) {
        send_snapshot(store, s);
    }
}

static void
snapshot_answered(struct store *store, struct snapshot *s, const char *error)
{
    s->in_flight = false;
    if (error) {
        VLOG_WARN("%s: snapshot %s %s not stored: %s",
                  store->remotes, s->kind, s->name, error);
    } else {
        s->exists = s->will_exist;
    }
    if (s->pending) {
        send_snapshot(store, s);
    }
}

/* States. */

/* Gives up being writer, or becoming one. */
static void
lose(struct store *store, const char *why)
{
    struct request *r;
    LIST_FOR_EACH_SAFE (r, list_node, &store->requests) {
        /* A commit may have been executed, questions have just no answer. */
        answer_without(store, r->kind, r->tag,
                       (r->kind == REQUEST_COMMIT ? STORE_UNKNOWN
                        : STORE_NOT_WRITER), why);
        request_destroy(r);
    }
    clear_snapshots(store);
    store_contents_destroy(store->loading);
    store->loading = NULL;
    if (store->state == STORE_S_WRITER) {
        VLOG_WARN("%s: no longer the writer: %s", store->remotes, why);
        add_event(store, STORE_LOST, 0, STORE_DONE)->text = xstrdup(why);
    }
    store->state = STORE_S_WAITING;
}

/* What is there is not what it should be: says so, and reads again a little
 * later. */
static void
retry_later(struct store *store, const char *why)
{
    VLOG_WARN("%s: %s", store->remotes, why);
    lose(store, why);
    store->retry_at = time_msec() + RETRY_MS;
}

static void
start_loading(struct store *store)
{
    struct store_txn txn;
    store_txn_init(&txn);
    store_txn_load(&txn);
    if (send_request(store, REQUEST_LOAD, 0, &txn)) {
        store->state = STORE_S_LOADING;
    }
}

static void
load_documents(struct store *store, const struct json *result)
{
    store->loading = xzalloc(sizeof *store->loading);
    struct store_txn txn;
    store_txn_init(&txn);
    if (store_parse_load(result, store->loading)) {
        store_txn_load_documents(&txn, store->loading);
        if (send_request(store, REQUEST_LOAD_DOCUMENTS, 0, &txn)) {
            return;
        }
    } else {
        store_txn_uninit(&txn);
    }
    retry_later(store, "the store's contents can't be read");
}

static void
finish_loading(struct store *store, const struct json *result)
{
    struct store_contents *c = store->loading;
    if (!store_parse_load_documents(result, c)) {
        retry_later(store, "the active revision of a customer can't be read "
                    "(a database must be copied as a file, not restored row "
                    "by row)");
        return;
    }
    store->loading = NULL;
    for (size_t i = 0; i < c->n_snapshots; i++) {
        add_snapshot(store, c->snapshots[i].kind,
                     c->snapshots[i].name)->exists = true;
    }
    store->state = STORE_S_WRITER;
    VLOG_INFO("%s: writer of generation %"PRIu64", %"PRIuSIZE" customers, "
              "%"PRIuSIZE" allocations", store->remotes, c->generation,
              c->n_customers, c->n_allocs);
    add_event(store, STORE_LOADED, 0, STORE_DONE)->contents = c;
}

/* Answers. */

static enum store_result
classify_error(const struct request *r, const char *error, size_t index)
{
    if (!strncmp(error, "not owner", 9)) {
        return STORE_NOT_WRITER;
    } else if (index < r->n_roles && !strncmp(error, "timed out", 9)) {
        switch ((enum store_op_role) r->roles[index]) {
        case STORE_OP_PRECONDITION: return STORE_CONFLICT;
        case STORE_OP_EXISTS: return STORE_NOT_FOUND;
        case STORE_OP_PLAIN: break;
        }
    }
    return STORE_FAILED;
}

static void
request_answered(struct store *store, struct request *r,
                 const struct json *result, const char *error,
                 enum store_result outcome)
{
    struct store_event *e;
    switch (r->kind) {
    case REQUEST_LOAD:
    case REQUEST_LOAD_DOCUMENTS:
        if (error) {
            retry_later(store, error);
        } else if (r->kind == REQUEST_LOAD) {
            load_documents(store, result);
        } else {
            finish_loading(store, result);
        }
        break;

    case REQUEST_COMMIT:
        store->n_commits += outcome == STORE_DONE;
        answer_without(store, r->kind, r->tag, outcome, error);
        break;

    case REQUEST_HISTORY:
    case REQUEST_DOCUMENT:
        e = add_event(store, (r->kind == REQUEST_HISTORY ? STORE_HISTORY
                              : STORE_DOCUMENT), r->tag, outcome);
        e->text = nullable_xstrdup(error);
        if (!error && !store_parse_revisions(result, &e->revisions,
                                             &e->n_revisions)) {
            e->result = STORE_FAILED;
        } else if (!error && !e->n_revisions) {
            e->result = STORE_NOT_FOUND;
        }
        break;

    case REQUEST_SNAPSHOT:
        snapshot_answered(store, r->snapshot, error);
        break;
    }
}

static void
process_reply(struct store *store, const struct jsonrpc_msg *msg)
{
    struct request *r, *found = NULL;
    LIST_FOR_EACH (r, list_node, &store->requests) {
        if (json_equal(r->id, msg->id)) {
            found = r;
            break;
        }
    }
    if (!found) {
        return;
    }

    size_t index = SIZE_MAX;
    char *error;
    if (msg->type == JSONRPC_ERROR) {
        error = msg->error ? json_to_string(msg->error, 0) : xstrdup("error");
    } else {
        error = store_find_error(msg->result, &index);
    }
    enum store_result outcome = (error ? classify_error(found, error, index)
                                 : STORE_DONE);

    /* Off the list first: the answer may make the store lose everything. */
    ovs_list_remove(&found->list_node);
    ovs_list_init(&found->list_node);
    request_answered(store, found, msg->result, error, outcome);
    request_destroy(found);
    free(error);
}

/* Life. */

/* Nothing is replicated but the generation, since some table has to be. */
static struct json *
compose_monitor_requests(const struct json *schema OVS_UNUSED,
                         void *aux OVS_UNUSED)
{
    struct json *mr = json_object_create();
    json_object_put(mr, "columns", json_array_create_1(
        json_string_create("generation")));
    struct json *requests = json_object_create();
    json_object_put(requests, "Tollway", json_array_create_1(mr));
    return requests;
}

static const struct ovsdb_cs_ops cs_ops = { compose_monitor_requests };

struct store *
store_create(const char *remotes, const char *lock)
{
    struct store *store = xzalloc(sizeof *store);
    store->retry_at = LLONG_MAX;
    store->remotes = xstrdup(remotes);
    store->state = STORE_S_WAITING;
    ovs_list_init(&store->requests);
    ovs_list_init(&store->events);
    hmap_init(&store->snapshots);
    store->cs = ovsdb_cs_create("Tollway", 3, &cs_ops, NULL);
    ovsdb_cs_set_lock(store->cs, lock ? lock : "tollwayd");
    ovsdb_cs_set_probe_interval(store->cs, PROBE_INTERVAL);
    ovsdb_cs_set_remote(store->cs, remotes, true);
    store->restart_at = time_msec() + RESTART_INTERVAL;
    return store;
}

void
store_destroy(struct store *store)
{
    if (!store) {
        return;
    }
    struct request *r;
    LIST_FOR_EACH_SAFE (r, list_node, &store->requests) {
        request_destroy(r);
    }
    struct store_event *e;
    while ((e = store_pop_event(store)) != NULL) {
        store_event_destroy(e);
    }
    clear_snapshots(store);
    hmap_destroy(&store->snapshots);
    store_contents_destroy(store->loading);
    ovsdb_cs_destroy(store->cs);
    free(store->remotes);
    free(store);
}

/* A server that has started again, or a cluster that has a new leader, should
 * not have to wait for us. */
static void
restart_connecting(struct store *store)
{
    long long int now = time_msec();
    if (ovsdb_cs_is_connected(store->cs)) {
        store->restart_at = now + RESTART_INTERVAL;
    } else if (now >= store->restart_at) {
        ovsdb_cs_set_remote(store->cs, NULL, true);
        ovsdb_cs_set_remote(store->cs, store->remotes, true);
        store->restart_at = now + RESTART_INTERVAL;
    }
}

void
store_run(struct store *store)
{
    restart_connecting(store);
    if (time_msec() >= store->retry_at) {
        store->retry_at = LLONG_MAX;
        ovsdb_cs_force_reconnect(store->cs);
    }
    struct ovs_list events;
    ovsdb_cs_run(store->cs, &events);
    struct ovsdb_cs_event *e;
    LIST_FOR_EACH_POP (e, list_node, &events) {
        switch (e->type) {
        case OVSDB_CS_EVENT_TYPE_RECONNECT:
            lose(store, "connection to the store lost");
            break;
        case OVSDB_CS_EVENT_TYPE_TXN_REPLY:
            process_reply(store, e->txn_reply);
            break;
        case OVSDB_CS_EVENT_TYPE_LOCKED:
        case OVSDB_CS_EVENT_TYPE_UPDATE:
            break;
        }
        ovsdb_cs_event_destroy(e);
    }

    if (store->state != STORE_S_WAITING && !ovsdb_cs_has_lock(store->cs)) {
        lose(store, "another tollwayd took the lock");
    }
    if (store->state == STORE_S_WAITING
        && ovsdb_cs_may_send_transaction(store->cs)) {
        start_loading(store);
    }
}

void
store_wait(struct store *store)
{
    ovsdb_cs_wait(store->cs);
    if (store->retry_at != LLONG_MAX) {
        poll_timer_wait_until(store->retry_at);
    }
    if (!ovsdb_cs_is_connected(store->cs)) {
        poll_timer_wait_until(store->restart_at);
    }
    if (!ovs_list_is_empty(&store->events)) {
        poll_immediate_wake();
    }
}

bool
store_is_writer(const struct store *store)
{
    return store->state == STORE_S_WRITER;
}

bool
store_is_connected(const struct store *store)
{
    return ovsdb_cs_is_connected(store->cs);
}

/* Sends a request of the caller's, or answers at once if there is no use. */
static void
request(struct store *store, enum request_kind kind, uint64_t tag,
        struct store_txn *txn)
{
    if (store->state == STORE_S_WRITER) {
        send_request(store, kind, tag, txn);
    } else {
        store_txn_uninit(txn);
        answer_without(store, kind, tag, STORE_NOT_WRITER,
                       (ovsdb_cs_is_lock_contended(store->cs)
                        ? "another tollwayd has the lock"
                        : "no connection to the store"));
    }
}

void
store_commit(struct store *store, const struct store_change *change,
             uint64_t tag)
{
    struct store_txn txn;
    store_txn_init(&txn);
    char *error = store_txn_commit(&txn, change);
    if (error) {
        store_txn_uninit(&txn);
        answer_without(store, REQUEST_COMMIT, tag, STORE_FAILED, error);
        free(error);
    } else {
        request(store, REQUEST_COMMIT, tag, &txn);
    }
}

void
store_request_history(struct store *store, const char *customer, uint64_t tag)
{
    struct store_txn txn;
    store_txn_init(&txn);
    store_txn_history(&txn, customer);
    request(store, REQUEST_HISTORY, tag, &txn);
}

void
store_request_document(struct store *store, const char *customer,
                       uint64_t number, uint64_t tag)
{
    struct store_txn txn;
    store_txn_init(&txn);
    store_txn_document(&txn, customer, number);
    request(store, REQUEST_DOCUMENT, tag, &txn);
}

void
store_format(const struct store *store, struct ds *ds)
{
    static const char *const names[] = { "waiting", "loading", "writer" };
    ds_put_format(ds, "%s: %s", store->remotes, names[store->state]);
    if (store->state == STORE_S_WAITING) {
        if (ovsdb_cs_is_lock_contended(store->cs)) {
            ds_put_cstr(ds, " for the lock");
        } else {
            int error = ovsdb_cs_get_last_error(store->cs);
            ds_put_format(ds, " for a connection%s%s", error ? ": " : "",
                          error ? ovs_retval_to_string(error) : "");
        }
    }
    ds_put_format(ds, ", %llu commits, %"PRIuSIZE" requests on their way",
                  store->n_commits, ovs_list_size(&store->requests));
}
