/* SPDX-License-Identifier: Apache-2.0 */

/* Comparing two objects, for tests of C2: everything that users can see. */

#include <config.h>
#include "controller/route/route-private.h"

#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Compares two texts; of different ones, puts the lines around the first
 * difference into 'ds'. */
static bool
same_text(const char *what, const char *a, const char *b, struct ds *ds)
{
    size_t i = 0, start;
    int lines = 0;

    if (!strcmp(a, b)) {
        return true;
    }
    while (a[i] && a[i] == b[i]) {
        i++;
    }
    for (start = i; start > 0 && lines < 20; start--) {
        lines += a[start - 1] == '\n';
    }
    ds_put_format(ds, "%s:\n%.*s<<< one\n%.300s\n>>> other\n%.300s\n",
                  what, (int) (i - start), a + start, a + i, b + i);
    return false;
}

static void
format_ways(const struct route_net *net, struct ds *ds)
{
    size_t n;
    const struct route_way *const *ways = route_net_ways(net, &n);

    for (size_t i = 0; i < n; i++) {
        const struct route_way *w = ways[i];

        ds_put_format(ds, "%08"PRIx32" %s ", w->id,
                      net->topo->attachments[w->attachment].name);
        addr_format(&w->next_hop, ds);
        ds_put_char(ds, ' ');
        addr_format(&w->addr, ds);
        ds_put_format(ds, " router %"PRIuSIZE" %s%s %s\n", w->router,
                      w->stated ? "stated" : "", w->learned ? " learned" : "",
                      route_why_to_string(w->why));
    }
}

static void
format_path_sets(const struct route_net *net, struct ds *ds)
{
    size_t n;
    const struct route_path_set *const *sets = route_net_path_sets(net, &n);

    for (size_t i = 0; i < n; i++) {
        ds_put_format(ds, "%08"PRIx32" router %"PRIuSIZE" views %x tiers",
                      sets[i]->id, sets[i]->router, sets[i]->views);
        for (size_t j = 0; j < sets[i]->n_tiers; j++) {
            const struct route_tier *tier = &sets[i]->tiers[j];

            ds_put_format(ds, " [%d %d %"PRIu32":", tier->source,
                          tier->horizon, tier->total);
            for (size_t k = 0; k < tier->n_ways; k++) {
                ds_put_format(ds, " %08"PRIx32, tier->ways[k]->id);
            }
            ds_put_char(ds, ']');
        }
        ds_put_char(ds, '\n');
    }
}

static bool
same_entries(const struct route_net *a, const struct route_net *b,
             size_t router, struct ds *ds)
{
    size_t n_a, n_b;
    const struct route_entry *const *x = route_net_entries(a, router, &n_a);
    const struct route_entry *const *y = route_net_entries(b, router, &n_b);

    for (size_t i = 0; i < MIN(n_a, n_b); i++) {
        for (int view = 0; view < ROUTE_N_VIEWS; view++) {
            struct json *json_x = route_explain_json(a, router, view, x[i]);
            struct json *json_y = route_explain_json(b, router, view, y[i]);
            char *text_x = json_to_string(json_x, JSSF_SORT | JSSF_PRETTY);
            char *text_y = json_to_string(json_y, JSSF_SORT | JSSF_PRETTY);
            bool same = same_text("entry", text_x, text_y, ds);

            free(text_x);
            free(text_y);
            json_destroy(json_x);
            json_destroy(json_y);
            if (!same) {
                return false;
            }
        }
    }
    if (n_a != n_b) {
        ds_put_format(ds, "router %"PRIuSIZE": %"PRIuSIZE" entries, not "
                      "%"PRIuSIZE"\n", router, n_a, n_b);
        return false;
    }
    return true;
}

static bool
same_formats(const char *what, const struct route_net *a,
             const struct route_net *b,
             void (*format)(const struct route_net *, struct ds *),
             struct ds *ds)
{
    struct ds x = DS_EMPTY_INITIALIZER, y = DS_EMPTY_INITIALIZER;
    bool same;

    format(a, &x);
    format(b, &y);
    same = same_text(what, ds_cstr(&x), ds_cstr(&y), ds);
    ds_destroy(&x);
    ds_destroy(&y);
    return same;
}

bool
route_net_equal(const struct route_net *a, const struct route_net *b,
                struct ds *ds)
{
    bool same = true;

    if (a->n_routers != b->n_routers) {
        ds_put_cstr(ds, "number of routers differs\n");
        return false;
    }
    same = same_formats("ways", a, b, format_ways, ds) && same;
    same = same_formats("path sets", a, b, format_path_sets, ds) && same;
    for (size_t i = 0; i < a->n_routers; i++) {
        struct ds x = DS_EMPTY_INITIALIZER, y = DS_EMPTY_INITIALIZER;

        same = same_entries(a, b, i, ds) && same;
        route_format_adverts(a, i, &x);
        route_format_adverts(b, i, &y);
        same = same_text("adverts", ds_cstr(&x), ds_cstr(&y), ds) && same;
        ds_destroy(&x);
        ds_destroy(&y);
    }
    for (int i = 0; i < ROUTE_N_REFUSALS; i++) {
        if (a->counters.refused[i] != b->counters.refused[i]) {
            ds_put_cstr(ds, "counts of refusals differ\n");
            same = false;
        }
    }
    return same;
}
