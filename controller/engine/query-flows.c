/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/query-private.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "sset.h"
#include "util.h"

/* Cookies. */

static char *
object_name(const struct alloc *a)
{
    return (a->kind == TOPO_NETWORK
            ? xasprintf("%s/%s", a->customer, a->network)
            : xasprintf("%s/%s/%s", a->customer, a->network, a->name));
}

static char *
way_name(const struct engine *e, uint32_t id)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_way *way = ways_find_id(e->nets[i], id);

        if (way) {
            const struct topo_attachment *ta
                = &e->nets[i]->topo->attachments[way->pl.attachment];
            char buf[ADDR_STRLEN];

            return xasprintf("%s/%s/%s via %s", e->nets[i]->key,
                             e->nets[i]->topo->routers[ta->router].name,
                             ta->name, addr_to_string(&way->addr, buf));
        }
    }
    return NULL;
}

char *
engine_cookie_name(const struct engine *e, uint64_t cookie)
{
    struct pl_cookie c = pl_cookie_decode(cookie);
    const struct alloc *a = NULL;
    struct ds ds = DS_EMPTY_INITIALIZER;
    char *name = NULL;

    if (c.kind == TOPO_WAY) {
        name = way_name(e, c.id);
    } else if (c.kind == TOPO_HOST) {
        for (size_t i = 0; i < e->n_hosts; i++) {
            if (e->hosts[i]->id == c.id) {
                name = xstrdup(e->hosts[i]->name);
            }
        }
    } else if (c.kind != TOPO_PATH_SET) {
        a = alloc_find_id(e->alloc, c.id);
        name = a ? object_name(a) : NULL;
    }

    /* "node 17: drop spoofed" becomes "node acme/prod/web1: drop spoofed". */
    struct ds plain = DS_EMPTY_INITIALIZER;
    pl_cookie_format(cookie, &plain);
    const char *rest = strchr(ds_cstr(&plain), ':');
    if (name) {
        ds_put_format(&ds, "%s %s%s", pl_kind_to_string(c.kind), name,
                      rest ? rest : "");
    } else {
        ds_put_cstr(&ds, ds_cstr(&plain));
    }
    ds_destroy(&plain);
    free(name);
    return ds_steal_cstr(&ds);
}

/* Flows. */

static void
add_flows(const struct engine *e, const struct scope *scope,
          struct json *flows)
{
    size_t n;
    struct dflow **sorted = scope_sorted_flows(scope, &n);

    for (size_t i = 0; i < n; i++) {
        struct json *o = json_object_create();
        struct ds ds = DS_EMPTY_INITIALIZER;
        char *name = engine_cookie_name(e, sorted[i]->cookie);

        dflow_format(sorted[i], pl_table_names, PL_N_TABLES, &ds);
        query_put_int(o, "table", sorted[i]->table_id);
        json_object_put_string(o, "table-name",
                               pl_table_names[sorted[i]->table_id]);
        query_put_int(o, "priority", sorted[i]->priority);
        json_object_put_format(o, "cookie", "0x%"PRIx64, sorted[i]->cookie);
        json_object_put_string(o, "object", name);
        json_object_put_string(o, "flow", ds_cstr(&ds));
        json_array_add(flows, o);
        ds_destroy(&ds);
        free(name);
    }
    free(sorted);
}

static void
add_groups(const struct scope *scope, struct json *groups)
{
    size_t n;
    struct dgroup **sorted = scope_sorted_groups(scope, &n);

    for (size_t i = 0; i < n; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        dgroup_format(sorted[i], &ds);
        json_array_add(groups, json_string_create(ds_cstr(&ds)));
        ds_destroy(&ds);
    }
    free(sorted);
}

struct json *
engine_query_flows(const struct engine *e, const char *name)
{
    const struct engine_host *host = engine_find_host(e, name);

    if (!host) {
        return NULL;
    }
    struct json *o = json_object_create();
    struct json *flows = json_array_create_empty();
    struct json *groups = json_array_create_empty();

    add_flows(e, host->scope, flows);
    add_groups(host->scope, groups);
    for (size_t i = 0; i < host->n_presences; i++) {
        const struct engine_presence *p = host->presences[i];

        add_flows(e, p->net->scope, flows);
        add_groups(p->net->scope, groups);
        add_flows(e, p->scope, flows);
        add_groups(p->scope, groups);
    }
    json_object_put_string(o, "host", name);
    json_object_put(o, "flows", flows);
    json_object_put(o, "groups", groups);
    return o;
}

/* Dry run. */

/* Lines of 'a' and 'b' (sorted sets of lines) that only one of them has. */
static void
diff_lines(const char *a_, const char *b_, struct json *removed,
           struct json *added)
{
    struct sset a = SSET_INITIALIZER(&a);
    struct sset b = SSET_INITIALIZER(&b);

    sset_from_delimited_string(&a, a_, "\n");
    sset_from_delimited_string(&b, b_, "\n");
    const char **list = sset_sort(&a);
    for (size_t i = 0; i < sset_count(&a); i++) {
        if (!sset_contains(&b, list[i])) {
            json_array_add(removed, json_string_create(list[i]));
        }
    }
    free(list);
    list = sset_sort(&b);
    for (size_t i = 0; i < sset_count(&b); i++) {
        if (!sset_contains(&a, list[i])) {
            json_array_add(added, json_string_create(list[i]));
        }
    }
    free(list);
    sset_destroy(&a);
    sset_destroy(&b);
}

static void
net_routes_text(const struct engine_net *net, bool adverts, struct ds *ds)
{
    for (size_t i = 0; net && i < net->topo->n_routers; i++) {
        struct ds text = DS_EMPTY_INITIALIZER;
        char *save = NULL;

        if (adverts) {
            route_format_adverts(net->routes, i, &text);
        } else {
            route_format(net->routes, i, &text);
        }
        for (char *line = strtok_r(ds_cstr(&text), "\n", &save); line;
             line = strtok_r(NULL, "\n", &save)) {
            ds_put_format(ds, "%s/%s: %s\n", net->key,
                          net->topo->routers[i].name, line);
        }
        ds_destroy(&text);
    }
}

static void
put_diff(struct json *o, const char *name, const char *a, const char *b)
{
    struct json *d = json_object_create();
    struct json *removed = json_array_create_empty();
    struct json *added = json_array_create_empty();

    diff_lines(a, b, removed, added);
    json_object_put(d, "removed", removed);
    json_object_put(d, "added", added);
    json_object_put(o, name, d);
}

static void
customer_text(const struct engine *e, const char *customer, bool adverts,
              struct ds *ds)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        if (!customer || !strcmp(e->nets[i]->topo->customer, customer)) {
            net_routes_text(e->nets[i], adverts, ds);
        }
    }
}

struct json *
engine_dry_run(const struct engine *e, const struct model_fabric *fabric,
               const struct alloc_set *alloc, const char *customer,
               const struct model_config *config, long long int now)
{
    struct engine *c = engine_clone(e, now);
    struct engine_out out = ENGINE_OUT_INIT;
    struct json *o = json_object_create();
    struct json *hosts = json_object_create();

    /* Once as it is, so that what is sent afterwards is the difference. */
    engine_run(c, now, &out);
    engine_out_clear(&out);
    engine_set_documents(c, fabric ? model_fabric_ref(fabric) : NULL,
                         alloc ? alloc_set_ref(alloc) : NULL, customer,
                         config ? model_config_ref(config) : NULL, now, &out);
    engine_run(c, now, &out);

    for (int adverts = 0; adverts < 2; adverts++) {
        struct ds before = DS_EMPTY_INITIALIZER;
        struct ds after = DS_EMPTY_INITIALIZER;

        customer_text(e, customer, adverts, &before);
        customer_text(c, customer, adverts, &after);
        put_diff(o, adverts ? "lsas" : "routes", ds_cstr(&before),
                 ds_cstr(&after));
        ds_destroy(&before);
        ds_destroy(&after);
    }
    for (size_t i = 0; i < out.n; i++) {
        if (out.actions[i].type == ENGINE_HOST_DELTA) {
            struct delta_counts n;
            struct ds ds = DS_EMPTY_INITIALIZER;
            struct json *h = json_object_create();

            delta_count(out.actions[i].delta, &n);
            delta_format(out.actions[i].delta, pl_table_names, PL_N_TABLES,
                         &ds);
            query_put_int(h, "flows-added", n.flows_added);
            query_put_int(h, "flows-modified", n.flows_modified);
            query_put_int(h, "flows-removed", n.flows_removed);
            query_put_int(h, "groups-added", n.groups_added);
            query_put_int(h, "groups-modified", n.groups_modified);
            query_put_int(h, "groups-removed", n.groups_removed);
            json_object_put_string(h, "text", ds_cstr(&ds));
            json_object_put(hosts, out.actions[i].host, h);
            ds_destroy(&ds);
        }
    }
    json_object_put(o, "hosts", hosts);
    engine_out_uninit(&out);
    engine_destroy(c);
    return o;
}
