/* SPDX-License-Identifier: Apache-2.0 */

/* Verbs that show OSPF, in the manner of "show ip ospf". */

#include <config.h>
#include "controller/cli/tollctl.h"

#include <stdlib.h>
#include <string.h>
#include "controller/cli/answer.h"
#include "controller/cli/table.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
target_customer(const struct ctl *ctl, const char *what, struct ds *target)
{
    target_init(target, what, NULL);
    target_put(target, "customer", ctl->n_args ? ctl->args[0] : NULL);
}

/* Neighbours. */

static void
cell_duration(struct table *t, const struct json *o, const char *name)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    long long int ms;

    if (get_int(o, name, &ms)) {
        put_duration(&ds, ms);
        table_cell(t, ds_cstr(&ds));
    } else {
        table_cell(t, NULL);
    }
    ds_destroy(&ds);
}

static void
interface_cells(struct table *t, const struct json *iface)
{
    const char *state = get_string(iface, "state");
    const char *type = get_string(iface, "network-type");
    const char *bfd = get_string(iface, "bfd");

    cell_path(t, iface, "router");
    cell_string(t, iface, "attachment");
    cell_string(t, iface, "host");
    /* The state of a point-to-point interface says no more than its type. */
    table_cell(t, (type && !strcmp(type, "broadcast") ? state
                   : state && strcmp(state, "Point-to-point") ? state : NULL));
    table_cell(t, bfd && strcmp(bfd, "none") ? bfd : NULL);
}

static void
neighbor_cells(struct table *t, const struct json *nbr)
{
    const char *state = get_string(nbr, "state");

    cell_string(t, nbr, "router-id");
    cell_string(t, nbr, "address");
    cell_int(t, nbr, "priority");
    table_cellf(t, "%s%s", state ? state : "?",
                get_bool(nbr, "held") ? " (held)" : "");
    cell_duration(t, nbr, "since-ms");
    cell_duration(t, nbr, "dead-ms");
    cell_string(t, nbr, "last-fault");
}

static void
put_mismatches(struct ds *ds, const struct json *ifaces)
{
    for (size_t i = 0; i < array_n(ifaces); i++) {
        const struct json *iface = array_at(ifaces, i);
        const struct json *list = get_member(iface, "mismatches");
        const char *attachment = get_string(iface, "attachment");

        for (size_t j = 0; j < array_n(list); j++) {
            ds_put_format(ds, "%s: %s\n", attachment ? attachment : "?",
                          array_string(list, j));
        }
    }
}

static void
print_neighbors(const struct ctl *ctl OVS_UNUSED, const struct json *json,
                struct ds *ds)
{
    struct table *t = table_create("ROUTER|ATTACHMENT|HOST|WE ARE|BFD"
                                   "|NEIGHBOR ID|ADDRESS|>PRI|STATE|SINCE"
                                   "|DEAD IN|FAULT");
    struct ds faults = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *iface = array_at(json, i);
        const struct json *nbrs = get_member(iface, "neighbors");

        interface_cells(t, iface);
        if (!array_n(nbrs)) {
            table_cell(t, NULL);
            table_cell(t, NULL);
            table_cell(t, NULL);
            table_cell(t, "no neighbor");
            table_blank(t, 3);
        }
        for (size_t j = 0; j < array_n(nbrs); j++) {
            if (j) {
                table_blank(t, 5);
            }
            neighbor_cells(t, array_at(nbrs, j));
        }
    }
    table_finish(t, 0, "no attachment speaks OSPF", ds);
    put_mismatches(&faults, json);
    if (faults.length) {
        ds_put_format(ds, "\nPackets were refused, because settings differ or "
                      "for another reason:\n%s", ds_cstr(&faults));
    }
    ds_destroy(&faults);
}

int
do_neighbors(const struct ctl *ctl)
{
    struct ds target;

    target_customer(ctl, "neighbors", &target);
    return call_and_print(ctl, &target, print_neighbors);
}

/* Link state database. */

static void
put_lsa_texts(struct ds *ds, const struct json *lsas)
{
    for (size_t i = 0; i < array_n(lsas); i++) {
        const char *text = get_string(array_at(lsas, i), "text");

        for (text = text ? text : ""; *text; ) {
            size_t n = strcspn(text, "\n");

            ds_put_cstr(ds, "  ");
            ds_put_buffer(ds, text, n);
            ds_put_char(ds, '\n');
            text += n + (text[n] == '\n');
        }
    }
}

static void
put_lsa_table(struct ds *ds, const struct json *lsas)
{
    struct table *t = table_create("TYPE|LINK STATE ID|ADV ROUTER|>AGE"
                                   "|SEQUENCE|CHECKSUM|>LENGTH");

    for (size_t i = 0; i < array_n(lsas); i++) {
        const struct json *o = array_at(lsas, i);

        cell_string(t, o, "type");
        cell_string(t, o, "id");
        cell_string(t, o, "advertising-router");
        cell_int(t, o, "age");
        cell_string(t, o, "sequence");
        cell_string(t, o, "checksum");
        cell_int(t, o, "length");
    }
    table_finish(t, 2, "empty", ds);
}

static void
print_lsdb(const struct ctl *ctl, const struct json *json, struct ds *ds)
{
    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);
        const struct json *lsas = get_member(o, "lsas");
        const char *attachment = get_string(o, "attachment");

        ds_put_format(ds, "%srouter %s/%s/%s", i ? "\n" : "",
                      get_text(o, "customer"), get_text(o, "network"),
                      get_text(o, "router"));
        if (attachment) {
            ds_put_format(ds, ", attachment %s", attachment);
        }
        ds_put_format(ds, ", router ID %s, %"PRIuSIZE" LSAs\n",
                      get_text(o, "router-id"), array_n(lsas));
        if (ctl->options & CTL_CONTENTS) {
            put_lsa_texts(ds, lsas);
        } else {
            put_lsa_table(ds, lsas);
        }
    }
}

int
do_lsdb(const struct ctl *ctl)
{
    struct ds target;

    target_customer(ctl, "lsdb", &target);
    target_put(&target, "contents", ctl->options & CTL_CONTENTS ? "1" : NULL);
    return call_and_print(ctl, &target, print_lsdb);
}
