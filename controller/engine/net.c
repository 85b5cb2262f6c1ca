/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Packets per second and host that a network's nodes may cause to come to the
 * controller (ICMP errors). */
#define NETWORK_PPS 100

/* State is stored at most this often, and less often if it is large.  What an
 * LSA says should be in the store before it is acknowledged (after 200 ms):
 * then a restart at any moment misses nothing that the peer thinks we have. */
#define STATE_INTERVAL_MS 100
#define STATE_BYTES_PER_MS 1000

/* How often routes, adverts and OSPF may change each other in one run.  Two
 * rounds are the rule: an advert that follows from a way's death changes the
 * LSDB, and that the view from attachments. */
#define MAX_ROUNDS 16

struct engine_net *
net_create(struct engine *e, const char *key)
{
    struct engine_net *net = xzalloc(sizeof *net);

    net->engine = e;
    net->key = xstrdup(key);
    net->scope = scope_create(e->group_ids, e->meter_ids);
    delta_init(&net->delta);
    return net;
}

void
net_destroy(struct engine_net *net)
{
    if (!net) {
        return;
    }
    for (size_t i = 0; i < net->n_presences; i++) {
        presence_destroy(net->presences[i]);
    }
    free(net->presences);
    for (size_t i = 0; net->topo && i < net->topo->n_attachments; i++) {
        cost_del_attachment(net->engine->costs, net->topo->attachments[i].id);
    }
    ways_destroy(net);
    speakers_destroy(net);
    route_net_destroy(net->routes);
    scope_destroy(net->scope);
    delta_uninit(&net->delta);
    pl_links_uninit(&net->links);
    free(net->nodes);
    free(net->atts);
    topo_network_unref(net->topo);
    free(net->key);
    free(net);
}

size_t
net_attachment_by_id(const struct topo_network *topo, uint32_t id)
{
    for (size_t i = 0; i < topo->n_attachments; i++) {
        if (topo->attachments[i].id == id) {
            return i;
        }
    }
    return SIZE_MAX;
}

static bool
same_wire(const struct topo_attachment *a, const struct topo_attachment *b)
{
    return (!strcmp(a->host, b->host) && !strcmp(a->port, b->port)
            && a->vlan == b->vlan);
}

/* Takes over from the old topology what is known of attachments.  At another
 * port there are others, whatever their addresses. */
static void
move_atts(struct engine_net *net, const struct topo_network *old)
{
    struct engine_att *atts = xcalloc(net->topo->n_attachments, sizeof *atts);

    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        size_t j = old ? net_attachment_by_id(old, net->topo->attachments[i].id)
                       : SIZE_MAX;
        if (j != SIZE_MAX) {
            atts[i] = net->atts[j];
            if (!same_wire(&net->topo->attachments[i],
                           &old->attachments[j])) {
                atts[i].moved = true;
                atts[i].n_heard = 0;
            }
        }
        atts[i].host = engine_find_host(net->engine,
                                        net->topo->attachments[i].host);
    }
    free(net->atts);
    net->atts = atts;
}

/* 'topo' is taken over. */
void
net_set_topo(struct engine_net *net, struct topo_network *topo,
             long long int now, struct engine_out *out)
{
    struct topo_network *old = net->topo;

    net->topo = topo;
    for (size_t i = 0; old && i < old->n_attachments; i++) {
        if (net_attachment_by_id(topo, old->attachments[i].id) == SIZE_MAX) {
            cost_del_attachment(net->engine->costs, old->attachments[i].id);
        }
    }
    move_atts(net, old);
    free(net->nodes);
    net->nodes = xcalloc(topo->n_nodes, sizeof *net->nodes);
    pl_links_uninit(&net->links);
    pl_links_init(&net->links, topo);
    if (net->routes) {
        route_net_set_topology(net->routes, topo);
    } else {
        net->routes = route_net_create(topo);
    }
    ways_remap(net, now);
    speakers_configure(net, now, out);
    for (size_t i = 0; i < topo->n_attachments; i++) {
        net->atts[i].moved = false;
    }
    topo_network_unref(old);
    net->new_topo = true;
    net->engine->places = true;
}

/* Places. */

static void
find_attachment(struct engine_net *net, size_t i, long long int now,
                struct engine_out *out)
{
    const struct topo_attachment *ta = &net->topo->attachments[i];
    struct engine_att *att = &net->atts[i];
    const struct engine_port_fact *p = (att->host && att->host->in_fabric
                                        ? host_find_port(att->host, ta->port)
                                        : NULL);
    struct engine_att new = *att;

    new.ofport = p ? p->ofport : 0;
    new.up = p && p->up;
    new.bfd = p ? p->bfd : ENGINE_BFD_NONE;
    new.host_lost = att->host && host_is_lost(net->engine, att->host);
    if (new.ofport != att->ofport) {
        new.changed = true;
    }
    if (new.ofport != att->ofport || new.up != att->up || new.bfd != att->bfd
        || new.host_lost != att->host_lost) {
        net->touched = true;
    }
    bool bfd_down = att->bfd == ENGINE_BFD_UP && new.bfd == ENGINE_BFD_DOWN;
    *att = new;
    if (bfd_down && ta->has_bfd) {
        speakers_bfd_down(net, i, now, out);
    }
}

/* Looks where everything is now that some ports changed. */
void
net_find_places(struct engine_net *net, const struct shash *index,
                long long int now, struct engine_out *out)
{
    for (size_t i = 0; i < net->topo->n_nodes; i++) {
        const struct engine_node_port *np = shash_find_data(
            index, net->topo->nodes[i].iface_id);
        struct engine_host *host = np ? np->host : NULL;
        uint32_t ofport = np ? np->ofport : 0;
        struct engine_place *place = &net->nodes[i];

        if (place->host != host || place->ofport != ofport) {
            *place = (struct engine_place) { host, ofport, true };
            net->touched = true;
        }
    }
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        find_attachment(net, i, now, out);
    }
    presences_sync(net);
    for (size_t i = 0; i < net->n_presences; i++) {
        net->touched |= net->presences[i]->host->stale;
    }
    speakers_ports(net, now, out);
}

/* Costs. */

static struct cost_policy
policy_from_model(const struct model_policy *m)
{
    return (struct cost_policy) {
        .per_ms = m->delay_cost,
        .per_use_percent = m->use_cost,
        .per_loss_percent = m->loss_cost,
        .per_price = m->price_cost,
        .floor = m->floor,
        .ceiling = m->ceiling,
        .half_life_ms = m->half_life_ms,
        .hysteresis_percent = m->hysteresis,
    };
}

/* Tells the cost stage of the network's attachments, and takes the parts that
 * follow at once. */
static void
configure_costs(struct engine_net *net, long long int now)
{
    const struct model_config *config = net_config(net);
    const char **hosts = xcalloc(net->n_presences, sizeof *hosts);
    struct cost_changes changes = { NULL, 0, 0 };

    for (size_t i = 0; i < net->n_presences; i++) {
        hosts[i] = net->presences[i]->host->name;
    }
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        const struct topo_attachment *ta = &net->topo->attachments[i];
        const struct model_policy *m = (ta->policy && config
                                        ? model_find_policy(config, ta->policy)
                                        : NULL);
        struct cost_policy policy;
        struct cost_attachment ca = {
            .id = ta->id, .point = ta->point, .host = ta->host,
            .hosts = hosts, .n_hosts = net->n_presences,
        };

        if (m) {
            policy = policy_from_model(m);
            ca.policy = &policy;
        }
        cost_set_attachment(net->engine->costs, &ca);
    }
    cost_run(net->engine->costs, now, &changes);
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        route_net_set_metric(net->routes, i,
                             cost_part(net->engine->costs,
                                       net->topo->attachments[i].id));
    }
    cost_changes_uninit(&changes);
    free(hosts);
}

/* Routes to flows. */

/* All flows of the network. */
static void
flow_all(struct engine_net *net)
{
    const struct topo_network *topo = net->topo;
    struct scope *s = net->scope;
    struct delta *d = &net->delta;

    scope_mark(s);
    pl_network(s, topo, NETWORK_PPS, d);
    for (size_t i = 0; i < topo->n_subnets; i++) {
        pl_subnet(s, topo, i, d);
    }
    for (size_t i = 0; i < topo->n_nodes; i++) {
        pl_node(s, topo, i, net->nodes[i].host ? net->nodes[i].host->id : 0,
                d);
    }
    for (size_t i = 0; i < topo->n_routers; i++) {
        pl_router(s, topo, i, d);
    }
    for (size_t i = 0; i < topo->n_interfaces; i++) {
        pl_interface(s, topo, i, d);
    }
    for (size_t i = 0; i < topo->n_attachments; i++) {
        pl_attachment(s, topo, i, d);
    }
    for (size_t i = 0; i < net->n_ways; i++) {
        const struct engine_way *way = net->ways[i];
        const struct engine_host *host = net->atts[way->pl.attachment].host;

        if (way->pl.id) {
            pl_way(s, topo, &net->links, &way->pl, host ? host->id : 0, d);
        }
    }

    size_t n;
    const struct route_path_set *const *sets = route_net_path_sets(net->routes,
                                                                   &n);
    for (size_t i = 0; i < n; i++) {
        pl_path_set(s, topo, sets[i], d);
    }
    for (size_t r = 0; r < topo->n_routers; r++) {
        const struct route_entry *const *entries
            = route_net_entries(net->routes, r, &n);

        for (size_t i = 0; i < n; i++) {
            pl_route(s, topo, entries[i], d);
        }
    }
    scope_sweep(s, d);
}

/* What changed in the routes over several rounds: names only, since what they
 * name may change again or go. */
struct touched {
    struct touched_entry {
        uint32_t router_id;     /* Object id. */
        struct prefix prefix;
    } *entries;
    size_t n_entries, allocated_entries;
    uint32_t *path_sets;
    size_t n_path_sets, allocated_path_sets;
};

static void
touch_path_set(struct touched *t, uint32_t id)
{
    if (t->n_path_sets >= t->allocated_path_sets) {
        t->path_sets = x2nrealloc(t->path_sets, &t->allocated_path_sets,
                                  sizeof *t->path_sets);
    }
    t->path_sets[t->n_path_sets++] = id;
}

static void
touch(struct touched *t, const struct route_changes *c)
{
    for (size_t i = 0; i < c->n_entries; i++) {
        const struct route_entry_change *ec = &c->entries[i];

        if (t->n_entries >= t->allocated_entries) {
            t->entries = x2nrealloc(t->entries, &t->allocated_entries,
                                    sizeof *t->entries);
        }
        t->entries[t->n_entries++] = (struct touched_entry) {
            ec->router_id, ec->prefix
        };
        for (int v = 0; ec->entry && v < ROUTE_N_VIEWS; v++) {
            if (ec->entry->views[v].kind == ROUTE_PATHS) {
                /* Its views may have changed. */
                touch_path_set(t, ec->entry->views[v].path_set->id);
            }
        }
    }
    for (size_t i = 0; i < c->n_path_sets; i++) {
        touch_path_set(t, c->path_sets[i]->id);
    }
    for (size_t i = 0; i < c->n_gone; i++) {
        touch_path_set(t, c->gone[i]);
    }
}

static void
touched_uninit(struct touched *t)
{
    free(t->entries);
    free(t->path_sets);
}

static const struct route_entry *
find_entry(const struct engine_net *net, const struct touched_entry *t)
{
    for (size_t i = 0; i < net->topo->n_routers; i++) {
        if (net->topo->routers[i].id == t->router_id) {
            return route_net_entry(net->routes, i, &t->prefix);
        }
    }
    return NULL;
}

static void
flow_touched(struct engine_net *net, const struct touched *t)
{
    struct scope *s = net->scope;
    struct delta *d = &net->delta;

    for (size_t i = 0; i < t->n_path_sets; i++) {
        const struct route_path_set *ps = route_net_path_set(net->routes,
                                                             t->path_sets[i]);
        if (ps) {
            pl_path_set(s, net->topo, ps, d);
        } else {
            struct scope_key key = pl_key_path_set(t->path_sets[i]);
            scope_remove(s, &key, d);
        }
    }
    for (size_t i = 0; i < t->n_entries; i++) {
        const struct route_entry *entry = find_entry(net, &t->entries[i]);

        if (entry) {
            pl_route(s, net->topo, entry, d);
        } else {
            struct scope_key key = pl_key_route(t->entries[i].router_id,
                                                &t->entries[i].prefix);
            scope_remove(s, &key, d);
        }
    }
    for (size_t i = 0; i < net->topo->n_nodes; i++) {
        const struct engine_place *p = &net->nodes[i];

        if (p->changed) {
            pl_node(s, net->topo, i, p->host ? p->host->id : 0, d);
        }
    }
}

/* Brings the network's flows and those of its hosts up to date, and notes for
 * each host what to send. */
static void
net_flows(struct engine_net *net, const struct touched *t, bool all)
{
    ways_spread_changes(net);
    if (all) {
        flow_all(net);
    } else {
        flow_touched(net, t);
    }

    for (size_t i = 0; i < net->n_presences; i++) {
        struct engine_presence *p = net->presences[i];

        if (!p->fresh) {
            delta_merge(&p->host->pending, &net->delta);
        }
        presence_flows(p, all || p->fresh || p->host->stale);
    }
    delta_clear(&net->delta);

    for (size_t i = 0; i < net->topo->n_nodes; i++) {
        net->nodes[i].changed = false;
    }
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        if (net->atts[i].changed && net->atts[i].host) {
            net->atts[i].host->stale = true;
        }
        net->atts[i].changed = false;
    }
    for (size_t i = 0; i < net->n_ways; i++) {
        net->ways[i]->changed = false;
    }
}

/* Runs the routes until they, OSPF and the ways agree.  True if all flows are
 * to be built anew, since the set of ways changed. */
static bool
settle(struct engine_net *net, long long int now, struct touched *t,
       struct engine_out *out)
{
    struct route_changes c = ROUTE_CHANGES_INIT;
    bool all = false;

    for (int round = 0; round < MAX_ROUNDS; round++) {
        bool again = speakers_ribs(net, now);

        route_net_run(net->routes, &c);
        touch(t, &c);
        if (ways_collect(net, now)) {
            all = again = true;
        }
        again |= ways_judge(net);
        if (net->new_topo && !round) {
            for (size_t i = 0; i < net->topo->n_routers; i++) {
                speakers_adverts(net, i, now, out);
            }
            again = true;
        } else {
            for (size_t i = 0; i < c.n_adverts; i++) {
                speakers_adverts(net, c.adverts[i], now, out);
                again = true;
            }
        }
        all |= c.topology;
        route_changes_clear(&c);
        if (!again) {
            break;
        }
    }
    route_changes_uninit(&c);
    return all;
}

void
net_run(struct engine_net *net, long long int now, struct engine_out *out)
{
    bool due = net->touched || net->new_topo;

    if (speakers_next_wake(net) <= now) {
        speakers_run(net, now, out);
        due = true;
    }
    if (ways_next_wake(net) <= now) {
        ways_arp(net, now, out);
        due = true;
    }
    if (due) {
        struct touched t = { NULL, 0, 0, NULL, 0, 0 };
        bool all = net->new_topo;

        net->n_runs++;
        if (net->new_topo) {
            configure_costs(net, now);
        }
        all |= settle(net, now, &t, out);
        net_flows(net, &t, all);
        touched_uninit(&t);
        net->new_topo = net->touched = false;
        ways_arp(net, now, out);
    }
    if (net->state_due && now >= net->state_next_ms) {
        engine_action(out, ENGINE_STATE, NULL)->text = xstrdup(net->key);
        net->state_due = false;
        net->state_next_ms = now + STATE_INTERVAL_MS
                             + net->state_size / STATE_BYTES_PER_MS;
    }
}
