/* SPDX-License-Identifier: Apache-2.0 */

/* Verbs of the operator: hosts, their flows, metrics, and how tollwayd is. */

#include <config.h>
#include "controller/cli/tollctl.h"

#include <stdlib.h>
#include <string.h>
#include "controller/cli/answer.h"
#include "controller/cli/table.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Hosts. */

static void
cell_tunnels(struct table *t, const struct json *tunnels)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < array_n(tunnels); i++) {
        const struct json *o = array_at(tunnels, i);
        const char *bfd = get_string(o, "bfd");

        ds_put_format(&ds, "%s%s", i ? ", " : "", get_text(o, "host"));
        if (bfd && strcmp(bfd, "none")) {
            ds_put_format(&ds, " %s", bfd);
        }
    }
    table_cell(t, ds.length ? ds_cstr(&ds) : NULL);
    ds_destroy(&ds);
}

static void
print_hosts(const struct ctl *ctl OVS_UNUSED, const struct json *json,
            struct ds *ds)
{
    struct table *t = table_create("HOST|STATE|TUNNEL|>MTU|ZONE|>NODES"
                                   "|>CAPACITY|>PORTS|>FLOWS|>GROUPS"
                                   "|NETWORKS|TUNNELS TO");

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);
        struct ds nets = DS_EMPTY_INITIALIZER;

        cell_string(t, o, "host");
        table_cell(t, !get_bool(o, "connected") ? "not connected"
                   : get_bool(o, "applied") ? "applied" : "changing");
        cell_string(t, o, "tunnel");
        cell_int(t, o, "mtu");
        cell_string(t, o, "zone");
        cell_int(t, o, "nodes");
        cell_int(t, o, "capacity");
        cell_int(t, o, "ports");
        cell_int(t, o, "flows");
        cell_int(t, o, "groups");
        put_strings(&nets, get_member(o, "networks"), ",");
        table_cell(t, nets.length ? ds_cstr(&nets) : NULL);
        cell_tunnels(t, get_member(o, "tunnels"));
        ds_destroy(&nets);
    }
    table_finish(t, 0, "no hosts; tollctl fabric submit tells of them", ds);
}

int
do_hosts(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "hosts", NULL);
    return call_and_print(ctl, &target, print_hosts);
}

/* Flows. */

/* By table, then by object, then as ovs-ofctl would look: highest priority
 * first. */
static int
compare_flows(const void *a_, const void *b_)
{
    const struct json *a = *(const struct json *const *) a_;
    const struct json *b = *(const struct json *const *) b_;
    long long int table_a = get_int_or(a, "table", 0);
    long long int table_b = get_int_or(b, "table", 0);
    long long int prio_a = get_int_or(a, "priority", 0);
    long long int prio_b = get_int_or(b, "priority", 0);

    if (table_a != table_b) {
        return table_a < table_b ? -1 : 1;
    }
    int cmp = strcmp(get_text(a, "object"), get_text(b, "object"));
    if (!cmp) {
        cmp = strcmp(get_text(a, "cookie"), get_text(b, "cookie"));
    }
    if (!cmp && prio_a != prio_b) {
        cmp = prio_a > prio_b ? -1 : 1;
    }
    return cmp ? cmp : strcmp(get_text(a, "flow"), get_text(b, "flow"));
}

static void
put_object(struct ds *ds, const struct json *flow)
{
    long long int packets;

    ds_put_format(ds, "  %s (cookie %s", get_text(flow, "object"),
                  get_text(flow, "cookie"));
    if (get_int(flow, "object-packets", &packets)) {
        ds_put_format(ds, ", %lld %s", packets,
                      packets == 1 ? "packet" : "packets");
    }
    ds_put_cstr(ds, ")\n");
}

/* The flow without what the lines above it say. */
static const char *
flow_text(const struct json *flow)
{
    const char *text = get_text(flow, "flow");
    const char *cookie = strstr(text, "cookie=");
    const char *rest = cookie ? strstr(cookie, ", ") : NULL;

    return rest ? rest + 2 : text;
}

static void
put_flows(struct ds *ds, const struct json *flows)
{
    size_t n = array_n(flows);
    const struct json **sorted = xmalloc(MAX(n, 1) * sizeof *sorted);

    for (size_t i = 0; i < n; i++) {
        sorted[i] = array_at(flows, i);
    }
    qsort(sorted, n, sizeof *sorted, compare_flows);
    for (size_t i = 0; i < n; ) {
        long long int table = get_int_or(sorted[i], "table", 0);
        const char *cookie = NULL;
        size_t end = i;

        while (end < n && get_int_or(sorted[end], "table", 0) == table) {
            end++;
        }
        ds_put_format(ds, "\ntable %lld %s, %"PRIuSIZE" %s\n", table,
                      get_text(sorted[i], "table-name"), end - i,
                      end - i == 1 ? "flow" : "flows");
        for (; i < end; i++) {
            if (!cookie || strcmp(cookie, get_text(sorted[i], "cookie"))) {
                cookie = get_text(sorted[i], "cookie");
                put_object(ds, sorted[i]);
            }
            ds_put_format(ds, "    %s\n", flow_text(sorted[i]));
        }
    }
    free(sorted);
}

static void
print_flows(const struct ctl *ctl OVS_UNUSED, const struct json *json,
            struct ds *ds)
{
    const struct json *flows = get_member(json, "flows");
    const struct json *groups = get_member(json, "groups");

    ds_put_format(ds, "host %s, %"PRIuSIZE" flows, %"PRIuSIZE" groups%s\n",
                  get_text(json, "host"), array_n(flows), array_n(groups),
                  !get_member(json, "connected") || get_bool(json, "connected")
                  ? "" : "; the bridge is not connected, so this is what it "
                         "shall have");
    put_flows(ds, flows);
    if (array_n(groups)) {
        ds_put_cstr(ds, "\ngroups\n");
        for (size_t i = 0; i < array_n(groups); i++) {
            ds_put_format(ds, "  %s\n", array_string(groups, i));
        }
    }
}

int
do_flows(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "flows/%s", ctl->args[0]);
    return call_and_print(ctl, &target, print_flows);
}

static void
print_cookie(const struct ctl *ctl OVS_UNUSED, const struct json *json,
             struct ds *ds)
{
    ds_put_format(ds, "%s\n", get_text(json, "object"));
}

int
do_cookie(const struct ctl *ctl)
{
    const char *cookie = ctl->args[0];
    struct ds target;
    char *end;

    strtoull(cookie, &end, 0);
    if (!*cookie || *end) {
        complain("\"%s\" is no cookie; it is a number like those of "
                 "ovs-ofctl dump-flows, 0x...", cookie);
        return CTL_USAGE;
    }
    target_init(&target, "cookie/%s", cookie);
    return call_and_print(ctl, &target, print_cookie);
}

/* Metrics. */

static void
cell_real(struct table *t, const struct json *o, const char *name,
          double divisor, const char *unit)
{
    const struct json *m = get_member(o, name);

    if (m && m->type == JSON_REAL) {
        table_cellf(t, "%g%s", m->real / divisor, unit);
    } else if (m && m->type == JSON_INTEGER) {
        table_cellf(t, "%g%s", m->integer / divisor, unit);
    } else {
        table_cell(t, NULL);
    }
}

static void
print_metrics(const struct ctl *ctl OVS_UNUSED, const struct json *json,
              struct ds *ds)
{
    struct table *t = table_create("OF|>DELAY|>USE|>LOSS|>PRICE|>AGE");

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);
        const char *point = get_string(o, "point");

        if (point) {
            table_cellf(t, "attachment point %s", point);
        } else {
            table_cellf(t, "path %s -> %s", get_text(o, "from"),
                        get_text(o, "to"));
        }
        cell_real(t, o, "delay-us", 1000, " ms");
        cell_real(t, o, "use-percent", 1, "%");
        cell_real(t, o, "loss-percent", 1, "%");
        cell_real(t, o, "price", 1, "");
        cell_real(t, o, "age-ms", 1000, " s");
    }
    table_finish(t, 0, "no metrics", ds);
}

int
do_metrics_show(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "metrics", NULL);
    return call_and_print(ctl, &target, print_metrics);
}

/* Status. */

static void
put_int_line(struct ds *ds, const struct json *json, const char *name,
             const char *title)
{
    long long int value;

    if (get_int(json, name, &value)) {
        ds_put_format(ds, "%-18s %lld\n", title, value);
    }
}

/* "TITLE TEXT", with the further lines of the text below its first. */
static void
put_text_line(struct ds *ds, const char *title, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        ds_put_format(ds, "%-18s %.*s\n", title, (int) n, text);
        text += n + (text[n] == '\n');
        title = "";
    }
}

static void
put_sessions(struct ds *ds, const struct json *sessions)
{
    for (size_t i = 0; i < array_n(sessions); i++) {
        const struct json *o = array_at(sessions, i);
        const char *database = get_string(o, "database");
        const char *bridge = get_string(o, "bridge");

        ds_put_format(ds, "\nhost %s%s\n", get_text(o, "host"),
                      get_bool(o, "leaving")
                      ? ", leaving: its bridge is being cleaned" : "");
        put_text_line(ds, "  database", database ? database : "");
        put_text_line(ds, "  bridge", (bridge && *bridge ? bridge
                                       : "not connected"));
    }
}

static void
print_status(const struct ctl *ctl OVS_UNUSED, const struct json *json,
             struct ds *ds)
{
    const char *state = get_string(json, "store-state");
    const char *version = get_string(json, "version");
    long long int uptime;

    ds_put_format(ds, "%-18s %s\n", "tollwayd", version ? version : "?");
    if (get_int(json, "uptime-ms", &uptime)) {
        ds_put_format(ds, "%-18s ", "up for");
        put_duration(ds, uptime);
        ds_put_char(ds, '\n');
    }
    ds_put_format(ds, "%-18s %s\n", "store", get_bool(json, "store")
                  ? "connected" : "not available; changes have to wait");
    put_text_line(ds, "", state ? state : "");
    put_int_line(ds, json, "customers", "customers");
    put_int_line(ds, json, "fabric-revision", "fabric revision");
    if (get_member(json, "hosts")) {
        ds_put_format(ds, "%-18s %lld of %lld connected\n", "hosts",
                      get_int_or(json, "hosts-connected", 0),
                      get_int_or(json, "hosts", 0));
    }
    put_sessions(ds, get_member(json, "sessions"));
}

int
do_status(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "status", NULL);
    return call_and_print(ctl, &target, print_status);
}
