/* SPDX-License-Identifier: Apache-2.0 */

/* Routes under random histories: after every event, what was kept up to date
 * equals what a new object computes from the same facts (C2), what was reported
 * as changed adds up to what there is, and what packets find is what the rules
 * say, read by a slow oracle. */

#include <config.h>
#include "controller/route/route.h"

#include <inttypes.h>

#include "controller/route/route-private.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "tests/unit/route-oracle.h"
#include "tests/unit/route-world.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

/* What somebody has who only listens to changes. */

static char *
entry_text(const struct topo_network *t, const struct route_entry *e)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (int view = 0; view < ROUTE_N_VIEWS; view++) {
        const struct route_result *r = &e->views[view];

        ds_put_format(&ds, "%s ", route_kind_to_string(r->kind));
        switch (r->kind) {
        case ROUTE_NO_ENTRY:
            break;
        case ROUTE_SUBNET:
            ds_put_format(&ds, "%s %"PRIdSIZE, t->subnets[r->subnet].name,
                          (ssize_t) r->node);
            break;
        case ROUTE_SIBLING:
            ds_put_format(&ds, "%s %s", t->routers[r->target].name,
                          t->routers[r->next].name);
            break;
        case ROUTE_ATTACHMENT:
            ds_put_cstr(&ds, t->attachments[r->attachment].name);
            break;
        case ROUTE_PATHS:
            ds_put_format(&ds, "%"PRIx32, r->path_set->id);
            break;
        case ROUTE_REFUSED:
            ds_put_format(&ds, "%d", r->refusal);
            break;
        }
        ds_put_cstr(&ds, "; ");
    }
    return ds_steal_cstr(&ds);
}

static char *
set_text(const struct route_path_set *set)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < set->n_tiers; i++) {
        ds_put_format(&ds, "[%d", set->tiers[i].horizon);
        for (size_t j = 0; j < set->tiers[i].n_ways; j++) {
            ds_put_format(&ds, " %"PRIx32, set->tiers[i].ways[j]->id);
        }
        ds_put_char(&ds, ']');
    }
    return ds_steal_cstr(&ds);
}

static void
put(struct shash *sh, const char *key, char *value)
{
    free(shash_replace(sh, key, value));
}

static void
put_entry(struct shash *sh, const struct topo_network *t, uint32_t router,
          const struct prefix *p, const struct route_entry *e)
{
    char buf[PREFIX_STRLEN];
    char *key = xasprintf("entry %"PRIu32" %s", router,
                          prefix_to_string(p, buf));

    if (e) {
        put(sh, key, entry_text(t, e));
    } else {
        CU_ASSERT(shash_find(sh, key) != NULL);
        free(shash_find_and_delete(sh, key));
    }
    free(key);
}

static void
put_set(struct shash *sh, uint32_t id, const struct route_path_set *set)
{
    char *key = xasprintf("set %"PRIx32, id);

    if (set) {
        put(sh, key, set_text(set));
    } else {
        CU_ASSERT(shash_find(sh, key) != NULL);
        free(shash_find_and_delete(sh, key));
    }
    free(key);
}

static void
put_adverts(struct shash *sh, const struct route_net *net, size_t router)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    char *key = xasprintf("adverts %"PRIu32,
                          route_net_topology(net)->routers[router].id);

    route_format_adverts(net, router, &ds);
    put(sh, key, ds_steal_cstr(&ds));
    free(key);
}

/* Routers that are gone advertise nothing; that is not reported. */
static void
forget_routers(struct shash *sh, const struct topo_network *t)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, sh) {
        bool keep = strncmp(node->name, "adverts ", 8) != 0;

        for (size_t i = 0; i < t->n_routers; i++) {
            keep = keep || (uint32_t) atoi(node->name + 8) == t->routers[i].id;
        }
        if (!keep) {
            free(node->data);
            shash_delete(sh, node);
        }
    }
}

static void
hear(struct shash *sh, const struct route_net *net,
       const struct route_changes *c)
{
    const struct topo_network *t = route_net_topology(net);

    if (c->topology) {
        forget_routers(sh, t);
    }
    for (size_t i = 0; i < c->n_gone; i++) {
        put_set(sh, c->gone[i], NULL);
    }
    for (size_t i = 0; i < c->n_path_sets; i++) {
        put_set(sh, c->path_sets[i]->id, c->path_sets[i]);
    }
    for (size_t i = 0; i < c->n_entries; i++) {
        put_entry(sh, t, c->entries[i].router_id, &c->entries[i].prefix,
                  c->entries[i].entry);
    }
    for (size_t i = 0; i < c->n_adverts; i++) {
        put_adverts(sh, net, c->adverts[i]);
    }
}

static void
look(struct shash *sh, const struct route_net *net)
{
    const struct topo_network *t = route_net_topology(net);
    size_t n;
    const struct route_path_set *const *sets = route_net_path_sets(net, &n);

    for (size_t i = 0; i < n; i++) {
        put_set(sh, sets[i]->id, sets[i]);
    }
    for (size_t r = 0; r < t->n_routers; r++) {
        const struct route_entry *const *entries
            = route_net_entries(net, r, &n);

        for (size_t i = 0; i < n; i++) {
            put_entry(sh, t, t->routers[r].id, &entries[i]->prefix,
                      entries[i]);
        }
        put_adverts(sh, net, r);
    }
}

/* Routers that never had any adverts don't matter. */
static bool
same_listening(const struct shash *heard, const struct shash *seen,
               struct ds *ds)
{
    const struct shash_node *node;
    bool same = true;

    SHASH_FOR_EACH (node, seen) {
        const char *h = shash_find_data(heard, node->name);

        if (!h && !((const char *) node->data)[0]) {
            continue;
        }
        if (!h || strcmp(h, node->data)) {
            ds_put_format(ds, "%s is %s, heard %s\n", node->name,
                          (const char *) node->data, h ? h : "nothing");
            same = false;
        }
    }
    SHASH_FOR_EACH (node, heard) {
        if (!shash_find(seen, node->name)) {
            ds_put_format(ds, "%s is gone, heard %s\n", node->name,
                          (const char *) node->data);
            same = false;
        }
    }
    return same;
}

/* The oracle. */

static uint64_t
way_bit(const struct route_net *net, const struct route_way *w)
{
    const struct topo_network *t = route_net_topology(net);
    int att = t->attachments[w->attachment].id - 500;
    int host = (ipv6_addr_is_set(&w->next_hop) ? w->next_hop.s6_addr[15] : 2);

    return UINT64_C(1) << (att * 4 + host);
}

static uint64_t
tier_ways(const struct route_net *net, const struct route_tier *tier)
{
    uint64_t ways = 0;

    for (size_t i = 0; i < tier->n_ways; i++) {
        if (tier->ways[i]->why == ROUTE_WHY_ALIVE) {
            ways |= way_bit(net, tier->ways[i]);
        }
    }
    return ways;
}

/* What the first living tier has, whatever prefix it is from. */
static bool
agrees_with_oracle(const struct route_net *net,
                   const struct route_result *result,
                   const struct o_result *o)
{
    const struct topo_network *t = route_net_topology(net);
    const struct route_tier *best;
    uint64_t alternates;
    char what[64] = "";

    switch (result->kind) {
    case ROUTE_SUBNET:
        snprintf(what, sizeof what, "%s%s%s", t->subnets[result->subnet].name,
                 result->node == ROUTE_NONE ? "" : " ",
                 result->node == ROUTE_NONE ? ""
                 : t->nodes[result->node].name);
        break;
    case ROUTE_SIBLING:
        snprintf(what, sizeof what, "%s", t->routers[result->target].name);
        break;
    case ROUTE_ATTACHMENT:
        snprintf(what, sizeof what, "%s",
                 t->attachments[result->attachment].name);
        break;
    case ROUTE_PATHS:
        best = route_path_set_best(result->path_set);
        if (o->kind == ROUTE_NO_ENTRY) {
            return !best;
        }
        if (o->kind != ROUTE_PATHS) {
            return false;
        }
        if (!o->alternate) {
            return o->ways == (best ? tier_ways(net, best) : 0);
        }
        if (best) {
            return !(tier_ways(net, best) & ~o->alternates);
        }
        /* If there is an alternate, one is there, besides the ways that are
         * in use anyway. */
        alternates = o->alternates;
        for (size_t i = 0; i < result->path_set->n_tiers; i++) {
            const struct route_tier *tier = &result->path_set->tiers[i];

            if (tier->source == ROUTE_ALTERNATE
                || tier->source == ROUTE_FALLBACK) {
                return true;
            }
            for (size_t j = 0; j < tier->n_ways; j++) {
                alternates &= ~way_bit(net, tier->ways[j]);
            }
        }
        return !alternates || o->alternates == UINT64_MAX;
    case ROUTE_NO_ENTRY:
    case ROUTE_REFUSED:
        return false;
    }
    return o->kind == result->kind && !strcmp(o->what, what);
}

static bool
check_address(const struct world *w, const struct o_areas *areas,
              const struct route_net *net, int router, enum route_view view,
              const struct in6_addr *addr, struct ds *ds)
{
    size_t index = w_router_index(w, router);
    const struct route_entry *e = route_net_lookup(net, index, view, addr);
    struct o_result o;

    o_lookup(w, areas, net, router, view, addr, &o);
    if (e ? agrees_with_oracle(net, &e->views[view], &o)
        : o.kind == ROUTE_NO_ENTRY) {
        return true;
    }
    ds_put_cstr(ds, "packet to ");
    addr_format(addr, ds);
    ds_put_format(ds, " at r%d: the oracle says %s %s ways %"PRIx64"%s "
                  "%"PRIx64"\n", router, route_kind_to_string(o.kind), o.what,
                  o.ways, o.alternate ? ", alternate" : "", o.alternates);
    if (e) {
        route_explain(net, index, view, e, ds);
    } else {
        ds_put_cstr(ds, "no entry\n");
    }
    return false;
}

static bool
check_oracle(const struct world *w, const struct route_net *net, struct ds *ds)
{
    static const uint32_t extra[] = {
        0x08080808, 0x0a000005, 0x0a000105, 0x0a000205, 0x0a000009,
        0xc6336464, 0xc6336465, 0xc6336466, 0xc6336467, 0x0a090909,
    };
    struct o_areas areas;
    bool ok = true;

    o_areas_init(&areas, w);
    for (int r = 0; r < W_ROUTERS; r++) {
        for (int view = 0; view < ROUTE_N_VIEWS && w->routers[r].present;
             view++) {
            struct in6_addr addr;

            for (int p = 0; p < W_PREFIXES; p++) {
                struct prefix prefix = w_prefix(p);

                addr = prefix_last_addr(&prefix);
                ok = check_address(w, &areas, net, r, view, &addr, ds) && ok;
                addr = prefix.addr;
                ok = check_address(w, &areas, net, r, view, &addr, ds) && ok;
            }
            for (int a = 0; a < W_ATTS; a++) {
                for (int host = 2; host < 5; host++) {
                    addr = w_host(a, host);
                    ok = check_address(w, &areas, net, r, view, &addr, ds) && ok;
                }
            }
            for (size_t i = 0; i < ARRAY_SIZE(extra); i++) {
                addr = addr_from_ip4(htonl(extra[i]));
                ok = check_address(w, &areas, net, r, view, &addr, ds) && ok;
            }
        }
        if (w->routers[r].present) {
            struct ds ours = DS_EMPTY_INITIALIZER;
            struct ds theirs = DS_EMPTY_INITIALIZER;

            o_adverts(w, r, &ours);
            route_format_adverts(net, w_router_index(w, r), &theirs);
            if (strcmp(ds_cstr(&ours), ds_cstr(&theirs))) {
                ds_put_format(ds, "r%d shall advertise\n%sand has\n%s", r,
                              ds_cstr(&ours), ds_cstr(&theirs));
                ok = false;
            }
            ds_destroy(&ours);
            ds_destroy(&theirs);
        }
    }
    return ok;
}

/* Split horizon: nothing leaves by where it came from, and what is left is in
 * the same order. */
static void
check_horizon(const struct route_net *net)
{
    size_t n;
    const struct route_path_set *const *sets = route_net_path_sets(net, &n);
    const struct topo_network *t = route_net_topology(net);

    for (size_t i = 0; i < n; i++) {
        for (size_t a = 0; a < t->n_attachments; a++) {
            struct route_tier *tiers;
            size_t n_tiers;
            bool any = false;

            for (size_t j = 0; j < sets[i]->n_tiers; j++) {
                for (size_t k = 0; k < sets[i]->tiers[j].n_ways; k++) {
                    any = any || sets[i]->tiers[j].ways[k]->attachment == a;
                }
            }
            CU_ASSERT_EQUAL(route_path_set_without(sets[i], a, NULL, &tiers,
                                                   &n_tiers), any);
            for (size_t j = 0; j < n_tiers; j++) {
                CU_ASSERT(tiers[j].horizon && tiers[j].n_ways > 0);
                for (size_t k = 0; k < tiers[j].n_ways; k++) {
                    CU_ASSERT(tiers[j].ways[k]->attachment != a);
                }
            }
            route_tiers_free(tiers, n_tiers);
        }
    }
}

/* Events. */

static uint32_t
rnd(struct world *w, uint32_t n)
{
    return tw_random_range(&w->random, n);
}

static void
tell_topology(struct world *w, struct route_net *net)
{
    struct topo_network *t = w_topology(w);

    w->seqno++;
    route_net_set_topology(net, t);
    topo_network_unref(t);
    w_tell_all(w, net);
}

static void
tell_ribs(struct world *w, struct route_net *net)
{
    w->seqno++;
    for (int i = 0; i < W_ROUTERS; i++) {
        w_tell_rib(w, net, i);
    }
}

static const char *
event(struct world *w, struct route_net *net)
{
    int i = rnd(w, W_ATTS), j = rnd(w, W_PEERS), k = rnd(w, W_ROUTERS);

    switch (rnd(w, 16)) {
    case 0:
    case 1:
        w->atts[i].part = rnd(w, 5);
        if (w_att_exists(w, i)) {
            route_net_set_metric(net, w_att_index(w, i), w->atts[i].part);
        }
        return "metric";
    case 2:
    case 3:
    case 4: {
        int host = 2 + rnd(w, 2);

        w->states[i][host] = rnd(w, 2) ? 0 : rnd(w, ROUTE_N_WHYS);
        w_tell_state(w, net, i, host);
        return "way";
    }
    case 5:
        w->peers[j].up = !w->peers[j].up;
        tell_ribs(w, net);
        return "neighbour";
    case 6:
        w->peers[j].cost = 1 + rnd(w, 4);
        w->peers[j].links[rnd(w, W_PEERS)] = rnd(w, 2) ? W_INF
                                             : 1 + rnd(w, 5);
        tell_ribs(w, net);
        return "peer's cost";
    case 7:
    case 8: {
        struct w_ext *e = &w->exts[rnd(w, W_EXTS)];

        e->present = !e->present;
        e->metric = 1 + rnd(w, 8);
        e->prefix = rnd(w, W_PREFIXES);
        tell_ribs(w, net);
        return "external";
    }
    case 9: {
        struct w_stub *s = &w->stubs[rnd(w, W_STUBS)];

        s->present = rnd(w, 3) != 0;
        s->prefix = rnd(w, 3) ? s->prefix : (int) rnd(w, W_PREFIXES);
        s->cost = 1 + rnd(w, 5);
        tell_ribs(w, net);
        return "stub";
    }
    case 10:
    case 11: {
        struct w_dest *d = &w->dests[rnd(w, W_DESTS)];

        d->vias[rnd(w, W_ATTS)].cost = 1 + rnd(w, 8);
        d->advertise = rnd(w, 3);
        tell_topology(w, net);
        return "stated cost";
    }
    case 12: {
        struct w_dest *d = &w->dests[rnd(w, W_DESTS)];

        d->present = !d->present;
        d->prefix = rnd(w, W_PREFIXES);
        d->vias[rnd(w, W_ATTS)].present = rnd(w, 2);
        tell_topology(w, net);
        return "destination";
    }
    case 13: {
        int low = MIN(k, (k + 1) % W_ROUTERS), high = MAX(k, (k + 1) % W_ROUTERS);

        w->links[low][high].present = rnd(w, 4) != 0;
        w->links[low][high].cost[rnd(w, 2)] = 1 + rnd(w, 4);
        tell_topology(w, net);
        return "link";
    }
    case 14:
        w->atts[i].present = rnd(w, 4) != 0;
        w->atts[i].cost = 1 + rnd(w, 4);
        if (!rnd(w, 3)) {
            w->atts[i].type = rnd(w, 3);
        }
        tell_topology(w, net);
        return "attachment";
    default:
        if (rnd(w, 2)) {
            w->routers[k].present = rnd(w, 3) || !k;
        }
        w->routers[k].transit = rnd(w, 4) != 0;
        w->routers[k].wide_node = rnd(w, 2);
        tell_topology(w, net);
        return "router";
    }
}

static bool
check(const struct world *w, const struct route_net *net,
      const struct shash *heard, uint32_t mask, struct ds *ds)
{
    struct topo_network *t = w_topology(w);
    struct route_net *scratch = route_net_create(t);
    struct route_changes changes = ROUTE_CHANGES_INIT;
    struct shash seen = SHASH_INITIALIZER(&seen);
    bool ok;

    route_net_set_hash_mask(scratch, mask);
    w_tell_all(w, scratch);
    route_net_run(scratch, &changes);
    ok = route_net_equal(net, scratch, ds);
    route_changes_uninit(&changes);
    route_net_destroy(scratch);
    topo_network_unref(t);

    look(&seen, net);
    ok = same_listening(heard, &seen, ds) && ok;
    shash_destroy_free_data(&seen);
    return check_oracle(w, net, ds) && ok;
}

static void
run_history(uint64_t seed, int n_events, uint32_t mask)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct route_changes changes = ROUTE_CHANGES_INIT;
    struct shash heard = SHASH_INITIALIZER(&heard);
    const char *what = "start";
    struct topo_network *t;
    struct route_net *net;
    struct world w;

    w_init(&w, seed);
    t = w_topology(&w);
    net = route_net_create(t);
    topo_network_unref(t);
    route_net_set_hash_mask(net, mask);
    w_tell_all(&w, net);
    for (int i = 0; i <= n_events; i++) {
        if (i) {
            int n = rnd(&w, 4) ? 1 : 3;

            while (n-- > 0) {
                what = event(&w, net);
            }
        }
        route_changes_clear(&changes);
        route_net_run(net, &changes);
        hear(&heard, net, &changes);
        check_horizon(net);
        if (!check(&w, net, &heard, mask, &ds)) {
            printf("seed %"PRIu64", event %d (%s):\n%.3000s\n", seed, i, what,
                   ds_cstr(&ds));
            CU_FAIL("history");
            break;
        }
        route_changes_clear(&changes);
        route_net_run(net, &changes);
        CU_ASSERT(route_changes_is_empty(&changes));
    }
    ds_destroy(&ds);
    shash_destroy_free_data(&heard);
    route_changes_uninit(&changes);
    route_net_destroy(net);
}

static void
test_histories(void)
{
    struct tw_random r;
    uint64_t first;

    tw_random_init(&r, 1);
    first = r.state;
    printf("seeds %"PRIu64" to %"PRIu64"\n", first, first + 31);
    for (uint64_t seed = first; seed < first + 32; seed++) {
        run_history(seed, 20, UINT32_MAX);
    }
}

/* The same with identifiers that collide all the time. */
static void
test_collisions(void)
{
    struct tw_random r;

    tw_random_init(&r, 1000);
    for (uint64_t seed = r.state; seed < r.state + 10; seed++) {
        run_history(seed, 15, 0x1f);
    }
}

/* Small worlds: router 0 with attachments 0 and 4 and a peer on each. */

static void
small_world(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->seqno = 1;
    w->routers[0].present = w->routers[0].transit = true;
    for (int p = 0; p < W_PEERS; p++) {
        w->peers[p].att = p % W_ATTS;
        w->peers[p].up = p == 0 || p == 4;
        w->peers[p].cost = 1;
        for (int i = 0; i < W_PEERS; i++) {
            w->peers[p].links[i] = W_INF;
        }
    }
    for (int a = 0; a <= 4; a += 4) {
        w->atts[a].present = true;
        w->atts[a].cost = 1;
        w->states[a][2] = ROUTE_WHY_ALIVE;
    }
}

static void
state(struct world *w, int dest, int prefix, int att, uint32_t cost)
{
    w->dests[dest].present = true;
    w->dests[dest].router = att % W_ROUTERS;
    w->dests[dest].prefix = prefix;
    w->dests[dest].advertise = TOPO_ADV_E2;
    w->dests[dest].vias[att].present = true;
    w->dests[dest].vias[att].cost = cost;
}

static struct route_net *
build(struct world *w)
{
    struct route_changes changes = ROUTE_CHANGES_INIT;
    struct topo_network *t = w_topology(w);
    struct route_net *net = route_net_create(t);

    topo_network_unref(t);
    w_tell_all(w, net);
    route_net_run(net, &changes);
    route_changes_uninit(&changes);
    return net;
}

/* Sets the state of the way on 'att' and runs. */
static void
set_state(struct world *w, struct route_net *net, int att, enum route_why why)
{
    struct route_changes changes = ROUTE_CHANGES_INIT;

    w->states[att][2] = why;
    w_tell_state(w, net, att, 2);
    route_net_run(net, &changes);
    route_changes_uninit(&changes);
}

/* The ways that are left, tier after tier, for a packet to 'prefix' that
 * entered by 'att' (-1: another one), as "a0 a4". */
static bool
left_is(const struct world *w, const struct route_net *net, int prefix,
        int att, const char *expected)
{
    const struct topo_network *t = route_net_topology(net);
    struct prefix p = w_prefix(prefix);
    const struct route_entry *e = route_net_entry(net, 0, &p);
    const struct route_path_set *set;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct route_tier *tiers = NULL;
    size_t n = 0;
    bool same, any;

    if (!e || e->views[ROUTE_FROM_ATTACHMENTS].kind != ROUTE_PATHS) {
        return false;
    }
    set = e->views[ROUTE_FROM_ATTACHMENTS].path_set;
    any = att >= 0 && route_path_set_without(set, w_att_index(w, att), NULL,
                                             &tiers, &n);
    for (size_t i = 0; i < (any ? n : set->n_tiers); i++) {
        const struct route_tier *tier = any ? &tiers[i] : &set->tiers[i];

        for (size_t j = 0; j < tier->n_ways; j++) {
            ds_put_format(&ds, "%s ",
                          t->attachments[tier->ways[j]->attachment].name);
        }
    }
    ds_chomp(&ds, ' ');
    same = !strcmp(ds_cstr(&ds), expected);
    if (!same) {
        printf("\"%s\", not \"%s\"\n", ds_cstr(&ds), expected);
    }
    ds_destroy(&ds);
    route_tiers_free(tiers, n);
    return same;
}

/* While a way lives, what comes back from its site does not go on to a shorter
 * prefix, whose neighbours would follow our LSA back to us. */
static void
test_horizon_of_fallback(void)
{
    /* Once with the same path set for both views, once not. */
    for (int views = 1; views <= 2; views++) {
        struct world w;
        struct route_net *net;

        small_world(&w);
        state(&w, 0, 0, 0, 100); /* 203.0.113.0/24 by a0, */
        state(&w, 4, 4, 4, 100); /* 0.0.0.0/0 by a4. */
        w.exts[0] = (struct w_ext) {
            .present = views == 2, .peer = 1, .metric = 1,
            .forwarding = -1,   /* Not reachable. */
        };
        net = build(&w);
        CU_ASSERT(left_is(&w, net, 0, -1, "a0 a4"));
        CU_ASSERT(left_is(&w, net, 0, 0, ""));
        CU_ASSERT(left_is(&w, net, 0, 4, "a0"));
        set_state(&w, net, 0, ROUTE_WHY_PORT_DOWN);
        CU_ASSERT(left_is(&w, net, 0, 0, "a4"));
        route_net_destroy(net);
    }
}

/* Learned routes behind an own LSA: if their neighbour prefers that LSA, they
 * are not for what the LSA's site sends back. */
static void
test_horizon_of_learned(void)
{
    for (int metric = 5; metric <= 7; metric++) {
        struct world w;
        struct route_net *net;

        small_world(&w);
        state(&w, 0, 0, 0, 6);
        w.exts[0] = (struct w_ext) {
            .present = true, .peer = 4, .e2 = true, .metric = metric,
            .forwarding = -1,
        };
        net = build(&w);
        if (metric == 5) {
            /* Peer 4 is cheaper and wins. */
            CU_ASSERT(left_is(&w, net, 0, -1, "a4"));
        } else {
            /* As cheap, but farther for us; for peer 4 we are.  Or dearer. */
            CU_ASSERT(left_is(&w, net, 0, -1, "a0 a4"));
            CU_ASSERT(left_is(&w, net, 0, 0, metric == 6 ? "a4" : ""));
        }
        route_net_destroy(net);
    }
}

/* A shorter prefix that comes to life reaches the longer ones. */
static void
test_fallback_follows(void)
{
    struct world w;
    struct route_net *net;

    small_world(&w);
    state(&w, 0, 0, 0, 100);
    state(&w, 4, 3, 4, 100);    /* 203.0.112.0/20. */
    w.exts[0] = (struct w_ext) {
        .present = true, .peer = 1, .prefix = 3, .metric = 1,
        .forwarding = -1,       /* Not reachable. */
    };
    w.states[4][2] = ROUTE_WHY_UNRESOLVED;
    net = build(&w);
    CU_ASSERT(left_is(&w, net, 0, -1, "a0"));
    set_state(&w, net, 4, ROUTE_WHY_ALIVE);
    CU_ASSERT(left_is(&w, net, 3, -1, "a4"));
    CU_ASSERT(left_is(&w, net, 0, -1, "a0 a4"));
    route_net_destroy(net);
}

TW_TESTS("route",
         TW_TEST(test_horizon_of_fallback),
         TW_TEST(test_horizon_of_learned),
         TW_TEST(test_fallback_follows),
         TW_TEST(test_histories),
         TW_TEST(test_collisions))
