/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/daemon/tollwayd.h"

#include <stdlib.h>
#include <string.h>
#include "controller/daemon/http.h"
#include "openvswitch/poll-loop.h"
#include "ovs-glue/ofsession.h"
#include "timeval.h"
#include "util.h"

/* How long hosts may take to tell their counters. */
#define GATHER_MS 5000

/* A request that waits for the counters of hosts. */
struct gathering {
    struct ovs_list node;
    struct http_request *request;
    char *customer;
    void (*finish)(struct daemon *, struct http_request *,
                   const char *customer, const struct stats_result *);
    uint64_t tag;
    long long int deadline_ms;
    struct waiting {
        char *host;
        bool answered;
        struct ofsession_stats stats; /* Taken over. */
    } *hosts;
    size_t n;
};

static void
gathering_destroy(struct gathering *g)
{
    for (size_t i = 0; i < g->n; i++) {
        free(g->hosts[i].host);
        free(g->hosts[i].stats.counters);
    }
    free(g->hosts);
    free(g->customer);
    free(g);
}

static void
gathering_finish(struct daemon *d, struct gathering *g)
{
    struct stats_result result = {
        .hosts = xcalloc(g->n, sizeof *result.hosts), .n = g->n,
    };

    for (size_t i = 0; i < g->n; i++) {
        result.hosts[i].host = g->hosts[i].host;
        result.hosts[i].stats = (g->hosts[i].answered && g->hosts[i].stats.ok
                                 ? &g->hosts[i].stats : NULL);
    }
    g->finish(d, g->request, g->customer, &result);
    free(result.hosts);
    gathering_destroy(g);
}

void
stats_gather(struct daemon *d, struct http_request *request, const char *host,
             void (*finish)(struct daemon *, struct http_request *,
                            const char *, const struct stats_result *),
             const struct caller *caller)
{
    struct gathering *g = xzalloc(sizeof *g);
    const struct shash_node **nodes = shash_sort(&d->sessions);

    g->request = request;
    g->customer = nullable_xstrdup(caller->customer);
    g->finish = finish;
    g->tag = ++d->next_tag;
    g->deadline_ms = time_msec() + GATHER_MS;
    g->hosts = xcalloc(shash_count(&d->sessions), sizeof *g->hosts);
    for (size_t i = 0; i < shash_count(&d->sessions); i++) {
        struct session *s = nodes[i]->data;

        if (s->of && (!host || !strcmp(host, s->name))
            && ofsession_request_stats(s->of, OFSESSION_STATS_FLOWS, 0xff,
                                       g->tag)) {
            g->hosts[g->n++].host = xstrdup(s->name);
        }
    }
    free(nodes);
    ovs_list_push_back(&d->gatherings, &g->node);
}

/* Takes over the counters in 'stats'. */
void
stats_take(struct daemon *d, const char *host, struct ofsession_stats *stats)
{
    struct gathering *g;

    LIST_FOR_EACH (g, node, &d->gatherings) {
        for (size_t i = 0; g->tag == stats->tag && i < g->n; i++) {
            if (!g->hosts[i].answered && !strcmp(g->hosts[i].host, host)) {
                g->hosts[i].answered = true;
                g->hosts[i].stats = *stats;
                stats->counters = NULL;
                stats->n = 0;
                return;
            }
        }
    }
}

static bool
is_complete(const struct gathering *g)
{
    for (size_t i = 0; i < g->n; i++) {
        if (!g->hosts[i].answered) {
            return false;
        }
    }
    return true;
}

void
stats_run(struct daemon *d)
{
    struct gathering *g, *next;

    LIST_FOR_EACH_SAFE (g, next, node, &d->gatherings) {
        if (is_complete(g) || time_msec() >= g->deadline_ms) {
            ovs_list_remove(&g->node);
            gathering_finish(d, g);
        }
    }
}

void
stats_wait(struct daemon *d)
{
    struct gathering *g;

    LIST_FOR_EACH (g, node, &d->gatherings) {
        if (is_complete(g)) {
            poll_immediate_wake();
        }
        poll_timer_wait_until(g->deadline_ms);
    }
}

void
stats_abort_all(struct daemon *d)
{
    while (!ovs_list_is_empty(&d->gatherings)) {
        struct gathering *g = CONTAINER_OF(
            ovs_list_pop_front(&d->gatherings), struct gathering, node);

        http_reply_error(g->request, 503, "tollwayd is stopping");
        gathering_destroy(g);
    }
}
