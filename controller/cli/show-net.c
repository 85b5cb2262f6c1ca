/* SPDX-License-Identifier: Apache-2.0 */

/* Verbs that show nodes, routes, and why a packet goes where it goes. */

#include <config.h>
#include "controller/cli/tollctl.h"

#include <stdlib.h>
#include <string.h>
#include "controller/cli/answer.h"
#include "controller/cli/table.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Nodes. */

static void
print_nodes(const struct ctl *ctl OVS_UNUSED, const struct json *json,
            struct ds *ds)
{
    struct table *t = table_create("NODE|SUBNET|ADDRESS|MORE|MAC|>MTU|ZONE"
                                   "|PLACED|PORT ON|STATE");

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);
        const struct json *more = get_member(o, "addresses");
        struct ds cell = DS_EMPTY_INITIALIZER;

        cell_path(t, o, "node");
        cell_string(t, o, "subnet");
        cell_string(t, o, "address");
        put_strings(&cell, more, ",");
        table_cell(t, cell.length ? ds_cstr(&cell) : NULL);
        cell_string(t, o, "mac");
        cell_int(t, o, "mtu");
        cell_string(t, o, "zone");
        cell_string(t, o, "host");
        cell_string(t, o, "port-host");
        cell_string(t, o, "state");
        ds_destroy(&cell);
    }
    table_finish(t, 0, "no nodes", ds);
}

int
do_nodes(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "nodes", NULL);
    target_put(&target, "customer", ctl->n_args ? ctl->args[0] : NULL);
    return call_and_print(ctl, &target, print_nodes);
}

/* Routes. */

/* What "routes" was asked for: CUSTOMER[/NETWORK[/ROUTER]]. */
struct route_filter {
    char *customer, *network, *router;
};

static void
route_filter_init(struct route_filter *f, const char *arg)
{
    char *s = arg ? xstrdup(arg) : NULL;

    memset(f, 0, sizeof *f);
    f->customer = s;
    if (s && (s = strchr(s, '/'))) {
        *s++ = '\0';
        f->network = s;
        if ((s = strchr(s, '/'))) {
            *s++ = '\0';
            f->router = s;
        }
    }
}

static bool
has_value(const struct json *o, const char *name, const char *value)
{
    const char *s = get_string(o, name);

    return !value || (s && !strcmp(s, value));
}

static bool
is_refused(const struct json *route)
{
    return get_string(route, "refused") != NULL;
}

/* Is the route shown?  Refused ones are no routes: they are only counted. */
static bool
is_wanted(const struct ctl *ctl, const struct json *route)
{
    return ctl->options & CTL_ALL || !is_refused(route);
}

static struct json *
filter_routes(const struct json *json, const struct route_filter *f)
{
    struct json *filtered = json_array_create_empty();

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);

        if (has_value(o, "customer", f->customer)
            && has_value(o, "network", f->network)
            && has_value(o, "router", f->router)) {
            json_array_add(filtered, json_clone(o));
        }
    }
    return filtered;
}

static void
route_head(struct table *t, const struct json *o, const char *prefix)
{
    const char *from = get_string(o, "from");

    table_cell(t, prefix);
    table_cell(t, from && strcmp(from, "anywhere") ? from : "");
}

/* A way's row goes on from the route's cells. */
static void
way_cells(struct table *t, const struct json *way)
{
    const char *why = get_string(way, "why");

    table_cell(t, get_bool(way, "chosen") ? "*" : "");
    cell_int(t, way, "cost");
    cell_string(t, way, "source");
    cell_string(t, way, "next-hop");
    table_cellf(t, "attachment %s", get_text(way, "attachment"));
    table_cell(t, get_bool(way, "alive") ? "alive" : why ? why : "dead");
}

/* The same for a route without a choice of ways. */
static void
plain_cells(struct table *t, const struct json *o)
{
    const char *subnet = get_string(o, "subnet");
    const char *next = get_string(o, "next");
    const char *to = get_string(o, "to");
    const char *attachment = get_string(o, "attachment");

    if (is_refused(o)) {
        table_blank(t, 2);
        table_cell(t, "refused");
        table_blank(t, 2);
        table_cell(t, get_text(o, "refused"));
        return;
    }
    table_cell(t, "*");
    table_blank(t, 1);
    table_cell(t, subnet || attachment ? "connected" : get_text(o, "kind"));
    table_blank(t, 1);
    if (subnet) {
        table_cellf(t, "subnet %s", subnet);
    } else if (attachment) {
        table_cellf(t, "attachment %s", attachment);
    } else {
        table_cellf(t, "router %s%s%s", next ? next : "?",
                    to && next && strcmp(to, next) ? ", to " : "",
                    to && next && strcmp(to, next) ? to : "");
    }
    table_blank(t, 1);
}

static void
route_rows(struct table *t, const struct json *o, const char **last_prefix)
{
    const struct json *ways = get_member(o, "ways");
    const char *prefix = get_string(o, "prefix");

    if (!prefix) {
        return;
    }
    /* Both views of one prefix have the prefix once. */
    bool again = *last_prefix && !strcmp(*last_prefix, prefix);
    *last_prefix = prefix;
    if (!array_n(ways)) {
        route_head(t, o, again ? "" : prefix);
        if (ways) {
            table_blank(t, 5);
            table_cell(t, "unreachable");
        } else {
            plain_cells(t, o);
        }
    }
    for (size_t i = 0; i < array_n(ways); i++) {
        if (i) {
            table_blank(t, 2);
        } else {
            route_head(t, o, again ? "" : prefix);
        }
        way_cells(t, array_at(ways, i));
    }
}

static bool
same_router(const struct json *a, const struct json *b)
{
    return (has_value(a, "customer", get_string(b, "customer"))
            && has_value(a, "network", get_string(b, "network"))
            && has_value(a, "router", get_string(b, "router")));
}

static void
print_routes(const struct ctl *ctl, const struct json *json, struct ds *ds)
{
    size_t n = array_n(json), n_refused = 0;

    for (size_t i = 0; i < n; ) {
        const struct json *first = array_at(json, i);
        struct table *t = table_create("PREFIX|FROM| |>COST|SOURCE|NEXT HOP"
                                       "|THROUGH|STATE");
        const char *last_prefix = NULL;

        ds_put_format(ds, "%srouter %s/%s/%s\n", ds->length ? "\n" : "",
                      get_text(first, "customer"), get_text(first, "network"),
                      get_text(first, "router"));
        for (; i < n && same_router(array_at(json, i), first); i++) {
            const struct json *o = array_at(json, i);

            n_refused += is_refused(o);
            if (is_wanted(ctl, o)) {
                route_rows(t, o, &last_prefix);
            }
        }
        table_finish(t, 2, "no routes", ds);
    }
    if (!n) {
        ds_put_cstr(ds, "no routes\n");
    }
    if (n_refused && !(ctl->options & CTL_ALL)) {
        ds_put_format(ds, "\n%"PRIuSIZE" refused; --all shows them\n",
                      n_refused);
    }
}

int
do_routes(const struct ctl *ctl)
{
    struct route_filter f;
    struct ds target;
    struct json *json;
    char *text;

    route_filter_init(&f, ctl->n_args ? ctl->args[0] : NULL);
    target_init(&target, "routes", NULL);
    target_put(&target, "customer", f.customer);
    target_put(&target, "router", f.router);
    int code = call(ctl, "GET", &target, NULL, &json, &text);
    ds_destroy(&target);
    if (code == CTL_OK) {
        struct json *filtered = filter_routes(json, &f);

        if (ctl->json) {
            print_json(filtered);
        } else {
            struct ds ds = DS_EMPTY_INITIALIZER;

            print_routes(ctl, filtered, &ds);
            print_text(&ds);
        }
        json_destroy(filtered);
    }
    json_destroy(json);
    free(text);
    free(f.customer);
    return code;
}

/* Explain. */

/* Where a candidate leads: a way of ours, or what OSPF says of others. */
static void
candidate_place(struct table *t, const struct json *c)
{
    const struct json *way = get_member(c, "way");
    const char *attachment = get_string(way, "attachment");
    const char *border = get_string(c, "border");
    const char *hop = get_string(way, "next-hop");

    if (!hop) {
        hop = get_string(c, "forwarding");
    }
    if (attachment) {
        table_cell(t, attachment);
    } else if (border) {
        table_cellf(t, "router ID %s", border);
    } else {
        table_cell(t, NULL);
    }
    table_cell(t, hop);
}

static void
candidate_state(struct table *t, const struct json *c)
{
    const struct json *way = get_member(c, "way");
    const char *why = get_string(way, "why");

    table_cell(t, way ? (get_bool(way, "alive") ? "alive" : why ? why : "dead")
               : get_bool(c, "reachable") ? "reachable" : "not reachable");
}

static void
put_candidates(struct ds *ds, const struct json *candidates)
{
    struct table *t = table_create(" |SOURCE|WAY|NEXT HOP|TYPE|>STATED|>METRIC"
                                   "|>INTERNAL|>TOTAL|STATE|VERDICT");

    for (size_t i = 0; i < array_n(candidates); i++) {
        const struct json *c = array_at(candidates, i);
        const char *verdict = get_string(c, "verdict");
        bool learned = get_member(c, "external") != NULL;

        table_cell(t, get_bool(c, "chosen") ? "*" : "");
        cell_string(t, c, "source");
        candidate_place(t, c);
        cell_string(t, c, "type");
        cell_int(t, c, learned ? "external" : "stated");
        cell_int(t, c, "metric");
        cell_int(t, c, "internal");
        cell_int(t, c, "total");
        candidate_state(t, c);
        table_cellf(t, "%s%s", verdict ? verdict : "",
                    get_bool(c, "backup") ? ", backup" : "");
    }
    table_finish(t, 2, "no candidate", ds);
}

/* Says what is done where there is nothing to choose from. */
static void
put_single_result(struct ds *ds, const struct json *reason)
{
    const char *subnet = get_string(reason, "subnet");
    const char *node = get_string(reason, "node");
    const char *attachment = get_string(reason, "attachment");
    const char *next = get_string(reason, "next");
    const char *refusal = get_string(reason, "refusal");

    ds_put_cstr(ds, "  ");
    if (refusal) {
        ds_put_format(ds, "refused: %s", refusal);
    } else if (subnet) {
        ds_put_format(ds, "delivered to subnet %s%s%s", subnet,
                      node ? ", node " : "", node ? node : "");
    } else if (attachment) {
        ds_put_format(ds, "on the link of attachment %s", attachment);
    } else if (next) {
        ds_put_format(ds, "by way of router %s", next);
    } else {
        ds_put_cstr(ds, "no route");
    }
    ds_put_char(ds, '\n');
}

static size_t
count_chosen(const struct json *candidates)
{
    size_t n = 0;

    for (size_t i = 0; i < array_n(candidates); i++) {
        n += get_bool(array_at(candidates, i), "chosen");
    }
    return n;
}

static void
put_tier(struct ds *ds, const struct json *tier)
{
    const struct json *ways = get_member(tier, "ways");

    for (size_t i = 0; i < array_n(ways); i++) {
        const struct json *way = array_at(ways, i);
        const char *hop = get_string(way, "next-hop");
        const char *why = get_string(way, "why");

        ds_put_format(ds, "%s%s%s%s", i ? ", " : "",
                      get_text(way, "attachment"), hop ? " via " : "",
                      hop ? hop : "");
        if (why) {
            ds_put_format(ds, " (%s)", why);
        }
    }
    ds_put_char(ds, '\n');
}

/* Where packets leave now, and where they will if that dies. */
static void
put_tiers(struct ds *ds, const struct json *reason)
{
    const struct json *tiers = get_member(reason, "tiers");
    long long int used;

    if (!get_int(reason, "tier", &used) || used < 0) {
        return;
    }
    for (size_t i = used; i < array_n(tiers); i++) {
        ds_put_cstr(ds, i == (size_t) used ? "out by: " : "failover: ");
        put_tier(ds, array_at(tiers, i));
    }
}

static void
print_explain(const struct ctl *ctl, const struct json *json, struct ds *ds)
{
    const struct json *reason = get_member(json, "reason");
    const struct json *candidates = get_member(reason, "candidates");
    const struct json *routers = get_member(json, "routers");
    const struct json *hosts = get_member(json, "hosts");
    const char *prefix = get_string(json, "prefix");
    const char *rule = get_string(reason, "rule");

    ds_put_format(ds, "from %s to %s", ctl->args[0], ctl->args[1]);
    if (prefix) {
        ds_put_format(ds, ", prefix %s", prefix);
    }
    ds_put_char(ds, '\n');
    if (array_n(routers)) {
        ds_put_format(ds, "router%s: ", array_n(routers) > 1 ? "s" : "");
        put_strings(ds, routers, " -> ");
        ds_put_char(ds, '\n');
    }
    if (candidates) {
        ds_put_cstr(ds, "ways:\n");
        put_candidates(ds, candidates);
    } else if (reason) {
        put_single_result(ds, reason);
    }
    if (!rule) {
        rule = get_string(json, "rule");
    }
    if (rule) {
        ds_put_format(ds, "rule: %s\n", rule);
    }
    put_tiers(ds, reason);
    if (array_n(hosts)) {
        ds_put_format(ds, "host%s passed: ", array_n(hosts) > 1 ? "s" : "");
        put_strings(ds, hosts, count_chosen(candidates) > 1 ? ", " : " -> ");
        ds_put_char(ds, '\n');
    }
}

int
do_explain(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "explain", NULL);
    target_put(&target, "from", ctl->args[0]);
    target_put(&target, "to", ctl->args[1]);
    return call_and_print(ctl, &target, print_explain);
}
