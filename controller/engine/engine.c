/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

/* Actions. */

void
engine_out_clear(struct engine_out *out)
{
    for (size_t i = 0; i < out->n; i++) {
        struct engine_action *a = &out->actions[i];

        free(a->host);
        delta_destroy(a->delta);
        ofpbuf_delete(a->ofpacts);
        ofpbuf_delete(a->packet);
        free(a->text);
    }
    out->n = 0;
}

void
engine_out_uninit(struct engine_out *out)
{
    engine_out_clear(out);
    free(out->actions);
    out->actions = NULL;
    out->allocated = 0;
}

struct engine_action *
engine_action(struct engine_out *out, enum engine_action_type type,
              const char *host)
{
    if (out->n >= out->allocated) {
        out->actions = x2nrealloc(out->actions, &out->allocated,
                                  sizeof *out->actions);
    }
    struct engine_action *a = &out->actions[out->n++];
    *a = (struct engine_action) {
        .type = type,
        .host = host ? xstrdup(host) : NULL,
    };
    return a;
}

void
engine_log(struct engine_out *out, bool warn, const char *format, ...)
{
    struct engine_action *a = engine_action(out, ENGINE_LOG, NULL);
    va_list args;

    va_start(args, format);
    a->text = xvasprintf(format, args);
    va_end(args);
    a->warn = warn;
}

/* Moves the actions of 'src' to the end of 'dst'. */
static void
engine_out_append(struct engine_out *dst, struct engine_out *src)
{
    for (size_t i = 0; i < src->n; i++) {
        *engine_action(dst, ENGINE_LOG, NULL) = src->actions[i];
    }
    src->n = 0;
    engine_out_uninit(src);
}

/* Life. */

struct engine *
engine_create(uint32_t basis)
{
    struct engine *e = xzalloc(sizeof *e);

    e->basis = basis;
    e->alloc = alloc_set_create();
    e->group_ids = idspace_create(PL_GROUP_MIN, PL_GROUP_MAX);
    e->meter_ids = idspace_create(PL_METER_MIN, PL_METER_MAX);
    e->host_ids = idspace_create(1, UINT32_MAX);
    e->costs = cost_create(0);
    e->hold_ms = LLONG_MAX;
    return e;
}

void
engine_destroy(struct engine *e)
{
    if (!e) {
        return;
    }
    for (size_t i = 0; i < e->n_nets; i++) {
        net_destroy(e->nets[i]);
    }
    free(e->nets);
    hosts_destroy(e);
    for (size_t i = 0; i < e->n_configs; i++) {
        model_config_unref(e->configs[i]);
    }
    free(e->configs);
    model_fabric_unref(e->fabric);
    alloc_set_unref(e->alloc);
    cost_destroy(e->costs);
    idspace_destroy(e->group_ids);
    idspace_destroy(e->meter_ids);
    idspace_destroy(e->host_ids);
    free(e);
}

/* Documents. */

const struct model_fabric *
engine_fabric(const struct engine *e)
{
    return e->fabric;
}

const struct alloc_set *
engine_alloc(const struct engine *e)
{
    return e->alloc;
}

const struct model_config *
engine_config_at(const struct engine *e, size_t i)
{
    return i < e->n_configs ? e->configs[i] : NULL;
}

const struct model_config *
engine_config(const struct engine *e, const char *customer)
{
    for (size_t i = 0; i < e->n_configs; i++) {
        if (!strcmp(e->configs[i]->customer, customer)) {
            return e->configs[i];
        }
    }
    return NULL;
}

const struct model_config *
net_config(const struct engine_net *net)
{
    return engine_config(net->engine, net->topo->customer);
}

struct engine_net *
engine_find_net(const struct engine *e, const char *key)
{
    size_t low = 0, high = e->n_nets;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int cmp = strcmp(key, e->nets[mid]->key);

        if (!cmp) {
            return e->nets[mid];
        } else if (cmp < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static int
compare_configs(const void *a_, const void *b_)
{
    const struct model_config *const *a = a_;
    const struct model_config *const *b = b_;

    return strcmp((*a)->customer, (*b)->customer);
}

static void
set_config(struct engine *e, const char *customer, struct model_config *config)
{
    for (size_t i = 0; i < e->n_configs; i++) {
        if (!strcmp(e->configs[i]->customer, customer)) {
            model_config_unref(e->configs[i]);
            if (config) {
                e->configs[i] = config;
            } else {
                memmove(&e->configs[i], &e->configs[i + 1],
                        (e->n_configs - i - 1) * sizeof *e->configs);
                e->n_configs--;
            }
            return;
        }
    }
    if (config) {
        e->configs = xrealloc(e->configs,
                              (e->n_configs + 1) * sizeof *e->configs);
        e->configs[e->n_configs++] = config;
        qsort(e->configs, e->n_configs, sizeof *e->configs, compare_configs);
    }
}

static int
compare_nets(const void *a_, const void *b_)
{
    const struct engine_net *const *a = a_;
    const struct engine_net *const *b = b_;

    return strcmp((*a)->key, (*b)->key);
}

/* Makes the networks of 'customer' those of its configuration. */
static void
sync_customer(struct engine *e, const char *customer, long long int now,
              struct engine_out *out)
{
    const struct model_config *config = engine_config(e, customer);

    /* Those that are gone. */
    size_t n = 0;
    for (size_t i = 0; i < e->n_nets; i++) {
        struct engine_net *net = e->nets[i];

        if (!strcmp(net->topo->customer, customer)
            && !(config && e->fabric
                 && model_find_network(config, net->topo->name))) {
            speakers_goodbye(net, now, out);
            net_destroy(net);
        } else {
            e->nets[n++] = net;
        }
    }
    e->n_nets = n;

    for (size_t i = 0; config && e->fabric && i < config->n_networks; i++) {
        const char *name = config->networks[i].name;
        struct topo_network *topo = topo_build(config, name, e->fabric,
                                               e->alloc);
        if (!topo) {
            engine_log(out, true, "%s/%s: allocations do not fit the "
                       "configuration", customer, name);
            continue;
        }

        char *key = xasprintf("%s/%s", customer, name);
        struct engine_net *net = engine_find_net(e, key);
        if (!net) {
            net = net_create(e, key);
            e->nets = xrealloc(e->nets, (e->n_nets + 1) * sizeof *e->nets);
            e->nets[e->n_nets++] = net;
            qsort(e->nets, e->n_nets, sizeof *e->nets, compare_nets);
        }
        net_set_topo(net, topo, now, out);
        free(key);
    }
}

/* What was measured of what 'old' had and 'new' has not.  Kept, it would be
 * refused as unknown when a new controller takes over. */
static void
forget_metrics(struct engine *e, const struct model_fabric *old,
               const struct model_fabric *new)
{
    for (size_t i = 0; i < old->n_hosts; i++) {
        if (!model_find_host(new, old->hosts[i].name)) {
            cost_forget_host(e->costs, old->hosts[i].name);
        }
    }
    for (size_t i = 0; i < old->n_points; i++) {
        if (!model_find_point(new, old->points[i].name)) {
            cost_forget_point(e->costs, old->points[i].name);
        }
    }
}

void
engine_set_documents(struct engine *e, struct model_fabric *fabric,
                     struct alloc_set *alloc, const char *customer,
                     struct model_config *config, long long int now,
                     struct engine_out *out)
{
    if (alloc) {
        alloc_set_unref(e->alloc);
        e->alloc = alloc;
    }
    if (customer) {
        set_config(e, customer, config);
    }
    if (fabric) {
        if (!e->fabric) {
            e->hold_ms = now + ENGINE_HOLD_MS;
        } else {
            forget_metrics(e, e->fabric, fabric);
        }
        model_fabric_unref(e->fabric);
        e->fabric = fabric;
        hosts_set_fabric(e);
        for (size_t i = 0; i < e->n_configs; i++) {
            sync_customer(e, e->configs[i]->customer, now, out);
        }
    }
    if (customer && (!fabric || !config)) {
        sync_customer(e, customer, now, out);
    }
}

/* Metrics. */

static struct cost_metrics
cost_metrics_from_model(const struct model_metric *m)
{
    struct cost_metrics c = { .has = 0 };

    if (m->delay_us != MODEL_METRIC_UNKNOWN) {
        c.has |= COST_DELAY;
        c.delay_us = m->delay_us;
    }
    if (m->use != MODEL_METRIC_UNKNOWN) {
        c.has |= COST_USE;
        c.use = m->use;
    }
    if (m->loss != MODEL_METRIC_UNKNOWN) {
        c.has |= COST_LOSS;
        c.loss = m->loss;
    }
    if (m->price != MODEL_METRIC_UNKNOWN) {
        c.has |= COST_PRICE;
        c.price = m->price;
    }
    return c;
}

bool
engine_set_metrics(struct engine *e, const struct model_metrics *metrics,
                   long long int now, struct diags *diags)
{
    if (!e->fabric) {
        diags_error(diags, metrics->source, 0, NULL,
                    "there is no fabric that metrics could be of");
        return false;
    }
    if (!model_metrics_check_fabric(metrics, e->fabric, diags)) {
        return false;
    }
    for (size_t i = 0; i < metrics->n_paths; i++) {
        const struct model_path_metric *p = &metrics->paths[i];
        struct cost_metrics c = cost_metrics_from_model(&p->metric);
        cost_set_pair(e->costs, p->from, p->to, &c, now);
    }
    for (size_t i = 0; i < metrics->n_points; i++) {
        const struct model_point_metric *p = &metrics->points[i];
        struct cost_metrics c = cost_metrics_from_model(&p->metric);
        cost_set_point(e->costs, p->point, &c, now);
    }
    return true;
}

/* Running. */

static void
run_costs(struct engine *e, long long int now)
{
    struct cost_changes changes = { NULL, 0, 0 };

    cost_run(e->costs, now, &changes);
    for (size_t i = 0; i < changes.n; i++) {
        for (size_t j = 0; j < e->n_nets; j++) {
            struct engine_net *net = e->nets[j];
            size_t a = net_attachment_by_id(net->topo, changes.changes[i].id);

            if (a != SIZE_MAX) {
                route_net_set_metric(net->routes, a, changes.changes[i].part);
                net->touched = true;
                break;
            }
        }
    }
    cost_changes_uninit(&changes);
}

/* Nothing is sent while hosts of a controller that has just started may be
 * silent only because they have not been asked yet. */
static bool
is_held(struct engine *e, long long int now)
{
    if (e->hold_ms == LLONG_MIN) {
        return false;
    }
    if (now < e->hold_ms) {
        for (size_t i = 0; i < e->n_hosts; i++) {
            if (!e->hosts[i]->reported) {
                return true;
            }
        }
    }
    if (!e->fabric) {
        return true;
    }
    e->hold_ms = LLONG_MIN;
    return false;
}

static void
find_places(struct engine *e, long long int now, struct engine_out *out)
{
    struct shash index = SHASH_INITIALIZER(&index);

    hosts_index_nodes(e, &index);
    for (size_t i = 0; i < e->n_nets; i++) {
        net_find_places(e->nets[i], &index, now, out);
    }
    shash_destroy_free_data(&index);
    e->places = false;
}

bool
engine_is_held(const struct engine *e)
{
    return e->hold_ms != LLONG_MIN;
}

void
engine_run(struct engine *e, long long int now, struct engine_out *out)
{
    /* What goes to neighbours goes after what goes to bridges.  While held,
     * nothing goes to either: OSPF would tell of interfaces that it merely
     * does not know to be up. */
    struct engine_out late = ENGINE_OUT_INIT;
    bool held = is_held(e, now);

    if (e->places) {
        find_places(e, now, &late);
    }
    if (!held) {
        run_costs(e, now);
        for (size_t i = 0; i < e->n_nets; i++) {
            net_run(e->nets[i], now, &late);
        }
        hosts_base_flows(e);
        hosts_emit(e, now, out);
    }
    engine_out_append(out, &late);
}

long long int
engine_next_wake(const struct engine *e)
{
    bool held = e->hold_ms != LLONG_MIN;
    long long int wake = held ? e->hold_ms : cost_next_wake(e->costs);

    if (e->places) {
        return LLONG_MIN;
    }
    for (size_t i = 0; !held && i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        if (net->touched || net->new_topo) {
            return LLONG_MIN;
        }
        wake = MIN(wake, speakers_next_wake(net));
        wake = MIN(wake, ways_next_wake(net));
        if (net->state_due) {
            wake = MIN(wake, net->state_next_ms);
        }
    }
    return wake;
}

/* State for a restart: records of a type byte, a length and that many bytes,
 * numbers in network byte order. */

#define STATE_MAGIC "tollway1"
enum state_record { STATE_WAY = 1, STATE_SPEAKER = 2 };

struct state_header {
    uint8_t type;
    uint8_t pad[3];
    ovs_be32 key;               /* Attachment's or speaker's. */
    ovs_be32 len;
};
BUILD_ASSERT_DECL(sizeof(struct state_header) == 12);

struct state_way {
    struct in6_addr addr;
    struct eth_addr mac;
    uint8_t pad[2];
};
BUILD_ASSERT_DECL(sizeof(struct state_way) == 24);

static void
put_record(struct ofpbuf *b, enum state_record type, uint32_t key,
           const void *data, size_t len)
{
    struct state_header h = { .type = type, .key = htonl(key),
                              .len = htonl(len) };
    ofpbuf_put(b, &h, sizeof h);
    ofpbuf_put(b, data, len);
}

static void
net_snapshot(const struct engine_net *net, long long int now,
             struct ofpbuf *b)
{
    ofpbuf_put(b, STATE_MAGIC, strlen(STATE_MAGIC));
    for (size_t i = 0; i < net->n_ways; i++) {
        const struct engine_way *way = net->ways[i];

        if (way->arp == ARP_KNOWN || way->arp == ARP_PROBING) {
            struct state_way s = { .addr = way->addr,
                                   .mac = way->mac };
            put_record(b, STATE_WAY, way->attachment_id, &s, sizeof s);
        }
    }
    for (size_t i = 0; i < net->n_speakers; i++) {
        struct ofpbuf s;

        ofpbuf_init(&s, 0);
        ospf_snapshot(net->speakers[i].ospf, now, &s);
        put_record(b, STATE_SPEAKER, net->speakers[i].key, s.data, s.size);
        ofpbuf_uninit(&s);
    }
}

void
engine_snapshot(struct engine *e, const char *network,
                long long int now, struct ofpbuf *b)
{
    struct engine_net *net = engine_find_net(e, network);

    if (net) {
        net_snapshot(net, now, b);
        net->state_size = b->size;
    }
}

void
engine_store_state(struct engine *e)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        e->nets[i]->state_due = true;
    }
}

static bool
restore_record(struct engine_net *net, const struct state_header *h,
               const void *data, size_t len, long long int now)
{
    uint32_t key = ntohl(h->key);

    if (h->type == STATE_WAY) {
        struct state_way s;

        if (len != sizeof s) {
            return false;
        }
        memcpy(&s, data, sizeof s);
        ways_restore(net, key, &s.addr, s.mac, now);
        return true;
    } else if (h->type == STATE_SPEAKER) {
        for (size_t i = 0; i < net->n_speakers; i++) {
            if (net->speakers[i].key == key) {
                struct ospf_out o = OSPF_OUT_INIT;
                bool ok = ospf_restore(net->speakers[i].ospf, data, len, now,
                                       &o);
                ospf_out_uninit(&o);
                return ok;
            }
        }
        return true;            /* Of something that is gone. */
    }
    return false;
}

bool
engine_restore(struct engine *e, const char *network, const void *data,
               size_t size, long long int now, struct engine_out *out)
{
    struct engine_net *net = engine_find_net(e, network);
    struct ofpbuf b;
    bool ok = true;

    if (!net) {
        return false;
    }
    ofpbuf_use_const(&b, data, size);
    const char *magic = ofpbuf_try_pull(&b, strlen(STATE_MAGIC));
    ok = magic && !memcmp(magic, STATE_MAGIC, strlen(STATE_MAGIC));
    while (ok && b.size) {
        struct state_header h;
        const void *p = ofpbuf_try_pull(&b, sizeof h);

        ok = p != NULL;
        if (ok) {
            memcpy(&h, p, sizeof h);
            p = ofpbuf_try_pull(&b, ntohl(h.len));
            ok = p && restore_record(net, &h, p, ntohl(h.len), now);
        }
    }
    net->touched = true;
    if (!ok) {
        engine_log(out, true, "%s: stored state is damaged, going on with "
                   "what could be read", network);
    }
    return ok;
}

/* Copies, to look what would be, and to check what is. */

struct engine *
engine_clone(const struct engine *e, long long int now)
{
    struct engine *c = engine_create(e->basis);
    struct engine_out out = ENGINE_OUT_INIT;

    cost_destroy(c->costs);
    c->costs = cost_clone(e->costs);
    alloc_set_unref(c->alloc);
    c->alloc = alloc_set_ref(e->alloc);
    for (size_t i = 0; i < e->n_configs; i++) {
        set_config(c, e->configs[i]->customer,
                   model_config_ref(e->configs[i]));
    }
    if (e->fabric) {
        engine_set_documents(c, model_fabric_ref(e->fabric), NULL, NULL, NULL,
                             now, &out);
    }
    hosts_copy_facts(c, e);
    for (size_t i = 0; i < e->n_nets; i++) {
        struct ofpbuf b;

        ofpbuf_init(&b, 0);
        net_snapshot(e->nets[i], now, &b);
        engine_restore(c, e->nets[i]->key, b.data, b.size, now, &out);
        ofpbuf_uninit(&b);
    }
    engine_out_uninit(&out);
    c->hold_ms = LLONG_MIN;
    return c;
}

static bool
check_scopes(const struct scope *a, const struct scope *b, const char *what,
             const char *where, struct ds *ds)
{
    struct ds diff = DS_EMPTY_INITIALIZER;
    bool ok = scope_equal(a, b, &diff);

    if (!ok) {
        ds_put_format(ds, "%s%s%s:\n%s", what, where ? " on " : "",
                      where ? where : "", ds_cstr(&diff));
    }
    ds_destroy(&diff);
    return ok;
}

bool
engine_check(const struct engine *e, long long int now, struct ds *ds)
{
    struct engine *c = engine_clone(e, now);
    struct engine_out out = ENGINE_OUT_INIT;
    bool ok = true;

    engine_run(c, now, &out);
    engine_out_uninit(&out);
    for (size_t i = 0; i < e->n_hosts; i++) {
        const struct engine_host *a = e->hosts[i];
        const struct engine_host *b = engine_find_host(c, a->name);

        ok &= b && check_scopes(a->scope, b->scope, "host", a->name, ds);
    }
    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *a = e->nets[i];
        const struct engine_net *b = engine_find_net(c, a->key);

        if (!b || a->n_presences != b->n_presences) {
            ds_put_format(ds, "%s: on other hosts\n", a->key);
            ok = false;
            continue;
        }
        ok &= route_net_equal(a->routes, b->routes, ds);
        ok &= check_scopes(a->scope, b->scope, a->key, NULL, ds);
        for (size_t j = 0; j < a->n_presences; j++) {
            ok &= check_scopes(a->presences[j]->scope, b->presences[j]->scope,
                               a->key, a->presences[j]->host->name, ds);
        }
    }
    engine_destroy(c);
    return ok;
}
