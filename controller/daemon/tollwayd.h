/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_DAEMON_TOLLWAYD_H
#define CONTROLLER_DAEMON_TOLLWAYD_H 1

/* tollwayd: the engine and what it is wired to.
 *
 *     main.c       options, start, loop
 *     tollwayd.c   store events, engine actions
 *     sessions.c   one OVSDB and one OpenFlow connection per host
 *     load.c       from the store to the engine
 *     submit.c     documents on their way from a request to the hosts
 *     api.c        requests to answers
 *     http.c       HTTP
 *     stats.c      counters gathered from the hosts
 *
 * Everything happens in one thread in the manner of OVS's poll loop.  The
 * daemon owns the engine and is the only one that calls it; whoever tells the
 * engine something sets 'engine_due'. */

#include <stdbool.h>
#include <stdint.h>
#include "controller/engine/engine.h"
#include "controller/model/schema.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"

struct http;
struct http_request;
struct job;
struct store;
struct store_contents;

/* What the daemon knows of a customer's revisions. */
struct daemon_customer {
    uint64_t active;            /* 0: none. */
    uint64_t last;              /* Highest number given. */
    char *digest, *who;         /* Of the active one. */
    long long int when_ms;      /* Since 1970. */
};

/* A host's connections. */
struct session {
    char *name;
    struct hostdb *hostdb;
    struct ofsession *of;       /* NULL until the bridge is there. */
    char *target;               /* OpenFlow, as the fabric says, or NULL. */
    char *remote;               /* OVSDB. */
    char *bridge;
    struct in6_addr tunnel;
    bool leaving;               /* No longer in the fabric... */
    uint64_t last_serial;       /* ...empty when this is confirmed... */
    long long int deadline_ms;  /* ...or given up at this time. */
    bool releasing;             /* hostdb_release() was called. */
};

struct daemon {
    struct engine *engine;
    bool engine_due;
    struct model_schema *schemas[MODEL_N_DOCUMENTS];

    struct store *store;
    uint64_t generation;        /* Of this writer among all that were. */
    bool loaded;                /* The engine has what the store has. */
    uint64_t fabric_serial;
    char *fabric_text;          /* The document. */
    struct shash customers;     /* Of struct daemon_customer. */
    struct shash documents;     /* Of char *: active documents. */
    uint64_t next_tag;

    struct shash sessions;      /* Of struct session. */

    struct http *http;
    struct ovs_list jobs;       /* Of struct job: waiting for their turn. */
    struct job *current;        /* The one whose commit is on its way. */
    struct ovs_list confirming; /* Jobs whose changes hosts must confirm. */
    struct ovs_list early;      /* Requests that came before we knew enough. */
    struct ovs_list lookups;    /* Requests that wait for the store. */
    struct ovs_list gatherings; /* Requests that wait for counters. */
    bool metrics_due;           /* Metrics are to be put into the store. */

    struct vlog_rate_limit log_limit; /* Of what peers cause to be logged. */
    long long int started_ms;
    bool exiting;
};

/* Who asks.  Decides what is seen: a customer its own networks and no host, the
 * operator everything. */
struct caller {
    const char *customer;       /* NULL: the operator. */
    char name[64];              /* For the history. */
};

/* tollwayd.c */
struct daemon *daemon_create(const char *db, const char *socket_path,
                             const char *schemas_dir, char **error);
void daemon_destroy(struct daemon *);
void daemon_run(struct daemon *);
void daemon_wait(struct daemon *);
struct daemon_customer *daemon_customer(struct daemon *, const char *name);
/* Carries out what the engine wants. */
void daemon_act(struct daemon *, struct engine_out *);

/* sessions.c */
void sessions_follow_fabric(struct daemon *);
void sessions_set_generation(struct daemon *);
void sessions_run(struct daemon *);
void sessions_wait(struct daemon *);
void sessions_destroy(struct daemon *);
/* Sends what the engine wants; takes 'a->delta' over. */
void sessions_act(struct daemon *, struct engine_action *a);

/* submit.c */
struct store_event;
void submit_config(struct daemon *, struct http_request *,
                   const struct caller *, const char *customer);
void submit_delete(struct daemon *, struct http_request *,
                   const struct caller *, const char *customer);
void submit_rollback(struct daemon *, struct http_request *,
                     const struct caller *, const char *customer,
                     uint64_t number);
void submit_fabric(struct daemon *, struct http_request *,
                   const struct caller *);
void submit_metrics(struct daemon *, struct http_request *,
                    const struct caller *);
void submit_validate(struct daemon *, struct http_request *,
                     const struct caller *);
void submit_run(struct daemon *);
void submit_wait(struct daemon *);
void submit_store_event(struct daemon *, struct store_event *);
void submit_store_lost(struct daemon *);
void submit_abort_all(struct daemon *);
/* Notes the active document of 'customer', NULL: none. */
void daemon_remember_document(struct daemon *, const char *customer,
                              const char *text);

/* load.c */
/* Makes the engine what the store has. */
void load_from_store(struct daemon *, const struct store_contents *);

/* api.c */
void api_handle(struct http_request *, void *daemon);
bool api_store_event(struct daemon *, struct store_event *);
void api_run(struct daemon *);
void api_wait(struct daemon *);
void api_abort_all(struct daemon *);

/* stats.c */
struct ofsession_stats;
/* Answers with what 'finish' makes of the counters of all connected hosts, or
 * of 'host' alone. */
struct stats_result {
    struct stats_host {
        char *host;
        const struct ofsession_stats *stats; /* NULL: no answer. */
    } *hosts;
    size_t n;
};
void stats_gather(struct daemon *, struct http_request *, const char *host,
                  void (*finish)(struct daemon *, struct http_request *,
                                 const char *customer,
                                 const struct stats_result *),
                  const struct caller *);
void stats_take(struct daemon *, const char *host,
                struct ofsession_stats *);
void stats_run(struct daemon *);
void stats_wait(struct daemon *);
void stats_abort_all(struct daemon *);

#endif /* controller/daemon/daemon.h */
