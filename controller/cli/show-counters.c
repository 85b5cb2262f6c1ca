/* SPDX-License-Identifier: Apache-2.0 */

/* "tollctl counters". */

#include <config.h>
#include "controller/cli/tollctl.h"

#include <stdlib.h>
#include <string.h>
#include "controller/cli/answer.h"
#include "controller/cli/table.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

static void
put_title(struct ds *ds, const char *title)
{
    ds_put_format(ds, "%s%s\n", ds->length ? "\n" : "", title);
}

/* Appends and destroys 't', with a title if it has rows. */
static void
put_title_and_table(struct ds *ds, const char *title, struct table *t)
{
    struct ds body = DS_EMPTY_INITIALIZER;

    table_finish(t, 2, NULL, &body);
    if (body.length) {
        put_title(ds, title);
        ds_put_cstr(ds, ds_cstr(&body));
    }
    ds_destroy(&body);
}

/* Packets by object, as the bridges count them; those that have counted
 * nothing only if 'zeros'. */
static void
put_tallies(struct ds *ds, const struct json *json, const char *name,
            const char *title, bool zeros)
{
    const struct json *list = get_member(json, name);
    struct table *t;

    if (!list) {
        return;
    }
    t = table_create(">PACKETS|>BYTES|OBJECT");
    for (size_t i = 0; i < array_n(list); i++) {
        const struct json *o = array_at(list, i);

        if (zeros || get_int_or(o, "packets", 0)) {
            cell_int(t, o, "packets");
            cell_int(t, o, "bytes");
            cell_string(t, o, "object");
        }
    }
    put_title(ds, title);
    table_finish(t, 2, "none", ds);
}

/* Numbers by name. */
static void
put_numbers(struct ds *ds, const struct json *json, const char *title)
{
    struct table *t = table_create(">NUMBER|WHAT");
    struct members m;

    for (members_init(&m, json); members_next(&m); ) {
        if (m.value->type == JSON_INTEGER && m.value->integer) {
            table_number(t, true, m.value->integer);
            table_cell(t, m.name);
        }
    }
    put_title_and_table(ds, title, t);
}

static void
ospf_row(struct table *t, const struct json *counts, const char *direction)
{
    table_cell(t, direction);
    cell_int(t, counts, "hello");
    cell_int(t, counts, "database-description");
    cell_int(t, counts, "link-state-request");
    cell_int(t, counts, "link-state-update");
    cell_int(t, counts, "link-state-acknowledgment");
}

static void
put_ospf(struct ds *ds, const struct json *speakers)
{
    struct table *t = table_create("ROUTER| |>HELLO|>DESCRIPTION|>REQUEST"
                                   "|>UPDATE|>ACKNOWLEDGMENT|>RETRANSMITTED"
                                   "|>ORIGINATED|>SPF RUNS");

    for (size_t i = 0; i < array_n(speakers); i++) {
        const struct json *o = array_at(speakers, i);

        cell_path(t, o, "router");
        ospf_row(t, get_member(o, "received"), "received");
        table_blank(t, 4);
        ospf_row(t, get_member(o, "sent"), "sent");
        cell_int(t, o, "retransmitted");
        cell_int(t, o, "originated");
        cell_int(t, o, "spf-runs");
    }
    put_title_and_table(ds, "OSPF packets", t);

    for (size_t i = 0; i < array_n(speakers); i++) {
        const struct json *o = array_at(speakers, i);
        char *title = xasprintf("OSPF packets refused by router %s/%s/%s",
                                get_text(o, "customer"),
                                get_text(o, "network"), get_text(o, "router"));

        put_numbers(ds, get_member(o, "dropped"), title);
        free(title);
    }
}

static void
put_networks(struct ds *ds, const struct json *networks)
{
    for (size_t i = 0; i < array_n(networks); i++) {
        const struct json *o = array_at(networks, i);
        char *title = xasprintf("routes of network %s/%s, and what was "
                                "refused", get_text(o, "customer"),
                                get_text(o, "network"));

        put_numbers(ds, o, title);
        free(title);
    }
}

static void
print_counters(const struct ctl *ctl, const struct json *json, struct ds *ds)
{
    bool all = ctl->options & CTL_ALL;
    const struct json *silent = get_member(json, "silent");

    put_tallies(ds, json, "ways", "sent by ways and to nodes", true);
    put_tallies(ds, json, "received", "received", true);
    put_tallies(ds, json, "drops", "dropped", all);
    put_tallies(ds, json, "answered", "answered on the hosts", all);
    put_tallies(ds, json, "to-controller", "sent to tollwayd", all);
    put_numbers(ds, get_member(json, "punts"), "taken by tollwayd");
    put_ospf(ds, get_member(json, "ospf"));
    put_networks(ds, get_member(json, "routes"));
    if (array_n(silent)) {
        ds_put_cstr(ds, "\nwithout counters of ");
        put_strings(ds, silent, ", ");
        ds_put_char(ds, '\n');
    }
}

int
do_counters(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "counters", NULL);
    return call_and_print(ctl, &target, print_counters);
}
