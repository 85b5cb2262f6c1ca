/* SPDX-License-Identifier: Apache-2.0 */

/* Routes and their reasons, as text and as JSON. */

#include <config.h>
#include "controller/route/route-private.h"

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

const char *
route_view_to_string(enum route_view view)
{
    return view == ROUTE_FROM_SUBNETS ? "subnets" : "attachments";
}

const char *
route_source_to_string(enum route_source source)
{
    switch (source) {
    case ROUTE_STATED: return "stated";
    case ROUTE_LEARNED: return "learned";
    case ROUTE_ALTERNATE: return "loop-free alternate";
    case ROUTE_ON_LINK: return "on-link";
    case ROUTE_FALLBACK: return "shorter prefix";
    }
    return "unknown";
}

const char *
route_kind_to_string(enum route_kind kind)
{
    switch (kind) {
    case ROUTE_NO_ENTRY: return "none";
    case ROUTE_SUBNET: return "subnet";
    case ROUTE_SIBLING: return "router";
    case ROUTE_ATTACHMENT: return "attachment";
    case ROUTE_PATHS: return "paths";
    case ROUTE_REFUSED: return "refused";
    }
    return "unknown";
}

const char *
route_refusal_to_string(enum route_refusal refusal)
{
    switch (refusal) {
    case ROUTE_NOT_REFUSED: return "not refused";
    case ROUTE_MARTIAN: return "martian";
    case ROUTE_OWN_SPACE: return "inside our own subnets";
    case ROUTE_N_REFUSALS: break;
    }
    return "unknown";
}

/* Text. */

static void
format_ip4(uint32_t ip, struct ds *ds)
{
    ds_put_format(ds, IP_FMT, IP_ARGS(htonl(ip)));
}

static void
format_way(const struct topo_network *topo, const struct route_way *w,
           struct ds *ds)
{
    ds_put_format(ds, "%s/%s ", topo->routers[w->router].name,
                  topo->attachments[w->attachment].name);
    if (ipv6_addr_is_set(&w->addr)) {
        addr_format(&w->addr, ds);
    } else {
        ds_put_cstr(ds, "neighbour");
    }
}

/* "east/dc-east 169.254.10.2 + ...", with "(dead)" after ways that are. */
static void
format_tier(const struct topo_network *topo, const struct route_tier *tier,
            struct ds *ds)
{
    for (size_t i = 0; i < tier->n_ways; i++) {
        ds_put_cstr(ds, i ? " + " : "");
        format_way(topo, tier->ways[i], ds);
        if (tier->ways[i]->why != ROUTE_WHY_ALIVE) {
            ds_put_format(ds, " (%s)", route_why_to_string(tier->ways[i]->why));
        }
    }
    ds_put_format(ds, ", %s %"PRIu32"%s", route_source_to_string(tier->source),
                  tier->total, tier->horizon ? "" : ", not for what came in by "
                  "an earlier one");
}

static void
format_candidate(const struct topo_network *topo,
                 const struct route_candidate *c, struct ds *ds)
{
    ds_put_format(ds, "  %c ", c->chosen ? '>' : c->backup ? '-' : ' ');
    if (c->way) {
        format_way(topo, c->way, ds);
    } else {
        ds_put_cstr(ds, "learned");
        if (c->border) {
            ds_put_cstr(ds, " from ");
            format_ip4(c->border, ds);
        }
        if (c->forwarding) {
            ds_put_cstr(ds, " to ");
            format_ip4(c->forwarding, ds);
        }
    }
    ds_put_format(ds, ": %s, ", c->type);
    if (c->source == ROUTE_LEARNED) {
        ds_put_format(ds, "external %"PRIu32, c->stated);
    } else {
        ds_put_format(ds, "stated %"PRIu32" + metric %"PRIu32, c->stated,
                      c->metric);
    }
    if (c->internal == UINT32_MAX) {
        ds_put_cstr(ds, ", no internal distance");
    } else {
        ds_put_format(ds, ", internal %"PRIu32", total %"PRIu32, c->internal,
                      c->total);
    }
    if (c->way) {
        ds_put_format(ds, ", %s", route_why_to_string(c->why));
    }
    ds_put_format(ds, ": %s\n", c->verdict);
}

static void
format_result(const struct topo_network *topo,
              const struct route_result *result, struct ds *ds)
{
    const struct route_tier *best;

    switch (result->kind) {
    case ROUTE_NO_ENTRY:
        ds_put_cstr(ds, "no entry");
        break;
    case ROUTE_SUBNET:
        ds_put_format(ds, "connected: subnet %s",
                      topo->subnets[result->subnet].name);
        if (result->node != ROUTE_NONE) {
            ds_put_format(ds, ", node %s", topo->nodes[result->node].name);
        }
        break;
    case ROUTE_SIBLING:
        ds_put_format(ds, "connected at router %s, next router %s",
                      topo->routers[result->target].name,
                      topo->routers[result->next].name);
        break;
    case ROUTE_ATTACHMENT:
        ds_put_format(ds, "connected: attachment %s",
                      topo->attachments[result->attachment].name);
        break;
    case ROUTE_REFUSED:
        ds_put_format(ds, "refused: %s",
                      route_refusal_to_string(result->refusal));
        break;
    case ROUTE_PATHS:
        best = route_path_set_best(result->path_set);
        if (best) {
            format_tier(topo, best, ds);
        } else {
            ds_put_cstr(ds, "no living way");
        }
        break;
    }
}

void
route_explain(const struct route_net *net, size_t router,
              enum route_view view, const struct route_entry *entry,
              struct ds *ds)
{
    const struct topo_network *topo = net->topo;
    const struct route_result *result = &entry->views[view];
    const struct route_path_set *set;

    ds_put_format(ds, "router %s, packets from %s, ",
                  topo->routers[router].name, route_view_to_string(view));
    prefix_format(&entry->prefix, ds);
    ds_put_cstr(ds, ": ");
    format_result(topo, result, ds);
    ds_put_char(ds, '\n');
    if (result->kind != ROUTE_PATHS) {
        return;
    }
    set = result->path_set;
    for (size_t i = 0; i < set->reason.n; i++) {
        format_candidate(topo, &set->reason.candidates[i], ds);
    }
    ds_put_format(ds, "  rule: %s\n", set->reason.rule);
    for (size_t i = 0; i < set->n_tiers; i++) {
        ds_put_format(ds, "  tier %"PRIuSIZE": ", i + 1);
        format_tier(topo, &set->tiers[i], ds);
        ds_put_char(ds, '\n');
    }
}

void
route_format(const struct route_net *net, size_t router, struct ds *ds)
{
    const struct rt_router *r = net->routers[router];

    for (size_t i = 0; i < r->n_sorted; i++) {
        const struct route_entry *e = r->sorted[i];
        struct ds line[ROUTE_N_VIEWS] = {
            DS_EMPTY_INITIALIZER, DS_EMPTY_INITIALIZER,
        };

        for (int view = 0; view < ROUTE_N_VIEWS; view++) {
            format_result(net->topo, &e->views[view], &line[view]);
        }
        prefix_format(&e->prefix, ds);
        if (ds_cstr(&line[0])[0]
            && !strcmp(ds_cstr(&line[0]), ds_cstr(&line[1]))) {
            ds_put_format(ds, ": %s\n", ds_cstr(&line[0]));
        } else {
            ds_put_format(ds, ": from subnets %s; from attachments %s\n",
                          ds_cstr(&line[0]), ds_cstr(&line[1]));
        }
        ds_destroy(&line[0]);
        ds_destroy(&line[1]);
    }
}

void
route_format_adverts(const struct route_net *net, size_t router,
                     struct ds *ds)
{
    const struct rt_router *r = net->routers[router];

    for (size_t i = 0; i < r->n_adverts; i++) {
        const struct route_advert *a = &r->adverts[i];

        prefix_format(&a->prefix, ds);
        ds_put_format(ds, ": %s %"PRIu32, a->e2 ? "E2" : "E1", a->metric);
        if (ipv6_addr_is_set(&a->forwarding)) {
            ds_put_cstr(ds, " forwarding ");
            addr_format(&a->forwarding, ds);
        }
        ds_put_char(ds, '\n');
    }
}

/* JSON. */

static void
put_ip4(struct json *obj, const char *name, uint32_t ip)
{
    if (ip) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        format_ip4(ip, &ds);
        json_object_put(obj, name, json_string_create(ds_cstr(&ds)));
        ds_destroy(&ds);
    }
}

static struct json *
way_to_json(const struct topo_network *topo, const struct route_way *w)
{
    struct json *obj = json_object_create();
    char buf[ADDR_STRLEN];

    json_object_put_string(obj, "router", topo->routers[w->router].name);
    json_object_put_string(obj, "attachment",
                           topo->attachments[w->attachment].name);
    if (ipv6_addr_is_set(&w->addr)) {
        json_object_put_string(obj, "next-hop",
                               addr_to_string(&w->addr, buf));
    }
    json_object_put(obj, "id", json_integer_create(w->id));
    json_object_put(obj, "alive",
                    json_boolean_create(w->why == ROUTE_WHY_ALIVE));
    if (w->why != ROUTE_WHY_ALIVE) {
        json_object_put_string(obj, "why", route_why_to_string(w->why));
    }
    return obj;
}

static struct json *
candidate_to_json(const struct topo_network *topo,
                  const struct route_candidate *c)
{
    struct json *obj = json_object_create();

    json_object_put_string(obj, "source", route_source_to_string(c->source));
    json_object_put_string(obj, "type", c->type);
    if (c->way) {
        json_object_put(obj, "way", way_to_json(topo, c->way));
        json_object_put(obj, "metric", json_integer_create(c->metric));
    }
    put_ip4(obj, "border", c->border);
    put_ip4(obj, "forwarding", c->forwarding);
    json_object_put(obj, c->source == ROUTE_LEARNED ? "external" : "stated",
                    json_integer_create(c->stated));
    if (c->internal != UINT32_MAX) {
        json_object_put(obj, "internal", json_integer_create(c->internal));
        json_object_put(obj, "total", json_integer_create(c->total));
    }
    json_object_put(obj, "own-lsa", json_boolean_create(c->own_lsa));
    json_object_put(obj, "reachable", json_boolean_create(c->reachable));
    json_object_put(obj, "chosen", json_boolean_create(c->chosen));
    json_object_put(obj, "backup", json_boolean_create(c->backup));
    json_object_put_string(obj, "verdict", c->verdict);
    return obj;
}

static struct json *
tier_to_json(const struct topo_network *topo, const struct route_tier *tier)
{
    struct json *obj = json_object_create();
    struct json *ways = json_array_create_empty();

    for (size_t i = 0; i < tier->n_ways; i++) {
        json_array_add(ways, way_to_json(topo, tier->ways[i]));
    }
    json_object_put(obj, "ways", ways);
    json_object_put_string(obj, "source",
                           route_source_to_string(tier->source));
    json_object_put(obj, "total", json_integer_create(tier->total));
    json_object_put(obj, "for-earlier-attachments",
                    json_boolean_create(tier->horizon));
    return obj;
}

static void
put_path_set(struct json *obj, const struct topo_network *topo,
             const struct route_path_set *set)
{
    const struct route_tier *best = route_path_set_best(set);
    struct json *candidates = json_array_create_empty();
    struct json *tiers = json_array_create_empty();

    for (size_t i = 0; i < set->reason.n; i++) {
        json_array_add(candidates,
                       candidate_to_json(topo, &set->reason.candidates[i]));
    }
    for (size_t i = 0; i < set->n_tiers; i++) {
        json_array_add(tiers, tier_to_json(topo, &set->tiers[i]));
    }
    json_object_put(obj, "path-set", json_integer_create(set->id));
    json_object_put(obj, "candidates", candidates);
    json_object_put(obj, "tiers", tiers);
    if (best) {
        json_object_put(obj, "tier", json_integer_create(best - set->tiers));
    }
    json_object_put_string(obj, "rule", set->reason.rule);
}

struct json *
route_explain_json(const struct route_net *net, size_t router,
                   enum route_view view, const struct route_entry *entry)
{
    const struct topo_network *topo = net->topo;
    const struct route_result *result = &entry->views[view];
    struct json *obj = json_object_create();
    char buf[PREFIX_STRLEN];

    json_object_put_string(obj, "router", topo->routers[router].name);
    json_object_put_string(obj, "view", route_view_to_string(view));
    json_object_put_string(obj, "prefix",
                           prefix_to_string(&entry->prefix, buf));
    json_object_put_string(obj, "kind", route_kind_to_string(result->kind));
    switch (result->kind) {
    case ROUTE_NO_ENTRY:
        break;
    case ROUTE_SUBNET:
        json_object_put_string(obj, "subnet",
                               topo->subnets[result->subnet].name);
        if (result->node != ROUTE_NONE) {
            json_object_put_string(obj, "node",
                                   topo->nodes[result->node].name);
        }
        break;
    case ROUTE_SIBLING:
        json_object_put_string(obj, "target",
                               topo->routers[result->target].name);
        json_object_put_string(obj, "next", topo->routers[result->next].name);
        break;
    case ROUTE_ATTACHMENT:
        json_object_put_string(obj, "attachment",
                               topo->attachments[result->attachment].name);
        break;
    case ROUTE_REFUSED:
        json_object_put_string(obj, "refusal",
                               route_refusal_to_string(result->refusal));
        break;
    case ROUTE_PATHS:
        put_path_set(obj, topo, result->path_set);
        break;
    }
    return obj;
}
