/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/engine-private.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

static void
port_uninit(struct engine_port_fact *p)
{
    free(p->name);
    free(p->iface_id);
    free(p->remote);
}

static void
host_destroy(struct engine *e, struct engine_host *host)
{
    for (size_t i = 0; i < host->n_ports; i++) {
        port_uninit(&host->ports[i]);
    }
    free(host->ports);
    free(host->presences);
    scope_destroy(host->scope);
    delta_uninit(&host->pending);
    installed_destroy(host->installed);
    idspace_unref(e->host_ids, host->id);
    free(host->name);
    free(host);
}

void
hosts_destroy(struct engine *e)
{
    for (size_t i = 0; i < e->n_hosts; i++) {
        host_destroy(e, e->hosts[i]);
    }
    free(e->hosts);
    e->hosts = NULL;
    e->n_hosts = 0;
}

struct engine_host *
engine_find_host(const struct engine *e, const char *name)
{
    size_t low = 0, high = e->n_hosts;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int cmp = strcmp(name, e->hosts[mid]->name);

        if (!cmp) {
            return e->hosts[mid];
        } else if (cmp < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

static int
compare_hosts(const void *a_, const void *b_)
{
    const struct engine_host *const *a = a_;
    const struct engine_host *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

/* Makes the hosts those of the fabric.  One that is gone stays until nothing
 * refers to it and its last delta, which empties it, is out (hosts_emit()). */
void
hosts_set_fabric(struct engine *e)
{
    size_t n_old = e->n_hosts;

    for (size_t i = 0; i < n_old; i++) {
        e->hosts[i]->in_fabric = false;
    }
    for (size_t i = 0; i < e->fabric->n_hosts; i++) {
        const struct model_host *m = &e->fabric->hosts[i];
        struct engine_host *host = NULL;

        for (size_t j = 0; j < n_old; j++) {
            if (!strcmp(e->hosts[j]->name, m->name)) {
                host = e->hosts[j];
            }
        }
        if (!host) {
            host = xzalloc(sizeof *host);
            host->name = xstrdup(m->name);
            host->id = idspace_ref(e->host_ids, m->name, strlen(m->name));
            host->scope = scope_create(e->group_ids, e->meter_ids);
            delta_init(&host->pending);
            e->hosts = xrealloc(e->hosts,
                                (e->n_hosts + 1) * sizeof *e->hosts);
            e->hosts[e->n_hosts++] = host;
        }
        host->in_fabric = true;
        host->tunnel = m->tunnel;
    }
    qsort(e->hosts, e->n_hosts, sizeof *e->hosts, compare_hosts);
    for (size_t i = 0; i < e->n_hosts; i++) {
        e->hosts[i]->stale = true;
    }
    e->places = true;
}

/* Ports. */

static int
compare_ports(const void *a_, const void *b_)
{
    const struct engine_port_fact *a = a_;
    const struct engine_port_fact *b = b_;

    return strcmp(a->name, b->name);
}

const struct engine_port_fact *
host_find_port(const struct engine_host *host, const char *name)
{
    const struct engine_port_fact key = { .name = CONST_CAST(char *, name) };

    return (host->n_ports
            ? bsearch(&key, host->ports, host->n_ports, sizeof *host->ports,
                      compare_ports)
            : NULL);
}

static bool
same_string(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool
same_port(const struct engine_port_fact *a, const struct engine_port *b)
{
    return (a->ofport == b->ofport && a->up == b->up && a->bfd == b->bfd
            && a->mtu == b->mtu && a->tunnel == b->tunnel
            && same_string(a->iface_id, b->iface_id)
            && same_string(a->remote, b->remote));
}

void
engine_host_ports(struct engine *e, const char *name,
                  const struct engine_port *ports, size_t n,
                  long long int now OVS_UNUSED)
{
    struct engine_host *host = engine_find_host(e, name);

    if (!host) {
        return;
    }

    struct engine_port_fact *facts = xcalloc(n, sizeof *facts);
    bool changed = n != host->n_ports || !host->reported;
    for (size_t i = 0; i < n; i++) {
        const struct engine_port *p = &ports[i];
        const struct engine_port_fact *old = host_find_port(host, p->name);
        bool same = old && same_port(old, p);

        changed |= !same;
        facts[i] = (struct engine_port_fact) {
            .name = xstrdup(p->name),
            .iface_id = nullable_xstrdup(p->iface_id),
            .remote = nullable_xstrdup(p->remote),
            .ofport = p->ofport,
            .seqno = (old && same_string(old->iface_id, p->iface_id)
                      ? old->seqno : ++e->port_seqno),
            .up = p->up,
            .tunnel = p->tunnel,
            .bfd = p->bfd,
            .mtu = p->mtu,
        };
    }
    for (size_t i = 0; i < host->n_ports; i++) {
        port_uninit(&host->ports[i]);
    }
    free(host->ports);
    host->ports = facts;
    host->n_ports = n;
    if (n) {
        qsort(facts, n, sizeof *facts, compare_ports);
    }
    host->reported = true;
    if (changed) {
        host->stale = true;
        e->places = true;
    }
}

/* Indexes the nodes' ports of all hosts: of several for one node the newest
 * counts. */
void
hosts_index_nodes(const struct engine *e, struct shash *index)
{
    for (size_t i = 0; i < e->n_hosts; i++) {
        struct engine_host *host = e->hosts[i];

        for (size_t j = 0; host->in_fabric && j < host->n_ports; j++) {
            const struct engine_port_fact *p = &host->ports[j];
            struct engine_node_port *np;

            if (!p->iface_id) {
                continue;
            }
            np = shash_find_data(index, p->iface_id);
            if (!np) {
                np = xzalloc(sizeof *np);
                shash_add(index, p->iface_id, np);
            }
            if (p->seqno > np->seqno) {
                *np = (struct engine_node_port) { host, p->ofport, p->seqno };
            }
        }
    }
}

/* The tunnel port of 'host' to 'to' alone, or if 'to' is NULL to anybody; 0 if
 * there is none. */
uint32_t
host_tunnel(const struct engine_host *host, const struct engine_host *to,
            enum engine_bfd_state *bfd)
{
    char remote[ADDR_STRLEN];

    if (to) {
        addr_to_string(&to->tunnel, remote);
    }
    for (size_t i = 0; i < host->n_ports; i++) {
        const struct engine_port_fact *p = &host->ports[i];

        if (p->tunnel && same_string(p->remote, to ? remote : NULL)) {
            if (bfd) {
                *bfd = p->bfd;
            }
            return p->ofport;
        }
    }
    return 0;
}

/* Is a tunnel up between two hosts other than 'host'? */
static bool
others_see_each_other(const struct engine *e, const struct engine_host *host)
{
    for (size_t i = 0; i < e->n_hosts; i++) {
        for (size_t j = 0; j < e->n_hosts; j++) {
            enum engine_bfd_state bfd;

            if (i != j && e->hosts[i] != host && e->hosts[j] != host
                && e->hosts[i]->in_fabric && e->hosts[j]->in_fabric
                && e->hosts[i]->connected
                && host_tunnel(e->hosts[i], e->hosts[j], &bfd)
                && bfd == ENGINE_BFD_UP) {
                return true;
            }
        }
    }
    return false;
}

/* A host is lost if all who watch it by BFD say so: its attachments must not
 * attract what it can't pass on.  One that merely doesn't speak to the
 * controller goes on forwarding.  One that does speak is believed more than a
 * single watcher, who may be the one that is cut off, and more than watchers
 * who see nobody at all, since then the fault is not that host's. */
bool
host_is_lost(const struct engine *e, const struct engine_host *host)
{
    size_t n_down = 0;

    for (size_t i = 0; i < e->n_hosts; i++) {
        enum engine_bfd_state bfd;

        if (e->hosts[i] != host && e->hosts[i]->in_fabric
            && e->hosts[i]->connected
            && host_tunnel(e->hosts[i], host, &bfd)) {
            if (bfd == ENGINE_BFD_UP) {
                return false;
            }
            n_down += bfd == ENGINE_BFD_DOWN;
        }
    }
    return (host->connected
            ? n_down > 1 && others_see_each_other(e, host)
            : n_down > 0);
}

/* Presences. */

void
presence_destroy(struct engine_presence *p)
{
    struct engine_host *host = p->host;

    for (size_t i = 0; i < host->n_presences; i++) {
        if (host->presences[i] == p) {
            memmove(&host->presences[i], &host->presences[i + 1],
                    (host->n_presences - i - 1) * sizeof *host->presences);
            host->n_presences--;
            break;
        }
    }
    if (!p->fresh) {
        ovs_assert(delta_is_empty(&p->net->delta));
        scope_remove_all(p->net->scope, &host->pending);
        scope_remove_all(p->scope, &host->pending);
    }
    host->stale = true;
    scope_destroy(p->scope);
    free(p);
}

static struct engine_presence *
presence_create(struct engine_host *host, struct engine_net *net)
{
    struct engine_presence *p = xzalloc(sizeof *p);
    struct engine *e = net->engine;
    size_t i;

    p->host = host;
    p->net = net;
    p->scope = scope_create(e->group_ids, e->meter_ids);
    p->fresh = true;
    host->presences = xrealloc(host->presences, (host->n_presences + 1)
                               * sizeof *host->presences);
    for (i = host->n_presences; i > 0; i--) {
        if (strcmp(host->presences[i - 1]->net->key, net->key) < 0) {
            break;
        }
        host->presences[i] = host->presences[i - 1];
    }
    host->presences[i] = p;
    host->n_presences++;
    host->stale = true;
    return p;
}

/* Which hosts have something of 'net', by their index in the engine. */
static bool *
hosts_of_net(const struct engine_net *net)
{
    const struct engine *e = net->engine;
    bool *needed = xcalloc(e->n_hosts, sizeof *needed);

    for (size_t i = 0; i < e->n_hosts; i++) {
        e->hosts[i]->index = i;
    }
    for (size_t i = 0; i < net->topo->n_attachments; i++) {
        if (net->atts[i].host) {
            needed[net->atts[i].host->index] = true;
        }
    }
    for (size_t i = 0; i < net->topo->n_nodes; i++) {
        if (net->nodes[i].host) {
            needed[net->nodes[i].host->index] = true;
        }
    }
    return needed;
}

/* Makes the presences of 'net' follow from where its things are. */
void
presences_sync(struct engine_net *net)
{
    struct engine *e = net->engine;
    struct engine_presence **presences = xcalloc(e->n_hosts,
                                                 sizeof *presences);
    bool *needed = hosts_of_net(net);
    bool changed = false;
    size_t n = 0;

    for (size_t i = 0, j = 0; i < e->n_hosts; i++) {
        struct engine_host *host = e->hosts[i];
        struct engine_presence *p = NULL;

        if (j < net->n_presences && net->presences[j]->host == host) {
            p = net->presences[j++];
        }
        if (host->in_fabric && needed[i]) {
            changed |= !p;
            presences[n++] = p ? p : presence_create(host, net);
        } else if (p) {
            presence_destroy(p);
            changed = true;
        }
    }
    free(needed);
    free(net->presences);
    net->presences = presences;
    net->n_presences = n;

    /* Who watches whom over tunnels, and the metric part of attachments,
     * depend on who has the network. */
    if (changed) {
        for (size_t i = 0; i < n; i++) {
            presences[i]->host->stale = true;
        }
        net->new_topo = true;
    }
}

/* Flows. */

static bool
mac_is_known(const struct engine_way *way)
{
    return way->arp == ARP_KNOWN || way->arp == ARP_PROBING;
}

/* Has another way of the attachment, with a lower id, the same peer? */
static bool
shares_mac(const struct engine_net *net, const struct engine_way *way)
{
    for (size_t i = 0; i < net->n_ways; i++) {
        const struct engine_way *other = net->ways[i];

        if (other->attachment_id == way->attachment_id && other->pl.id
            && other->pl.id < way->pl.id && mac_is_known(other)
            && eth_addr_equals(other->mac, way->mac)) {
            return true;
        }
    }
    return false;
}

static void
presence_way(struct engine_presence *p, const struct engine_way *way,
             struct delta *delta)
{
    struct engine_net *net = p->net;
    const struct engine_att *att = &net->atts[way->pl.attachment];
    struct pl_way_here here = { .alive = way->alive };

    if (att->host == p->host) {
        here.local = true;
        here.ofport = att->ofport;
        if (mac_is_known(way)) {
            here.peer_mac = way->mac;
            here.shared_mac = shares_mac(net, way);
        }
    } else if (att->host) {
        here.watch_ofport = host_tunnel(p->host, att->host, NULL);
    }
    pl_host_way(p->scope, net->topo, &way->pl, &here, delta);
}

/* Builds the local flows of what changed, or all of them.  'p->scope' is
 * the host's alone, so the difference goes right to what the host is sent. */
void
presence_flows(struct engine_presence *p, bool all)
{
    struct engine_net *net = p->net;
    const struct topo_network *topo = net->topo;
    struct delta *delta = p->fresh ? NULL : &p->host->pending;

    if (all) {
        scope_mark(p->scope);
    }
    for (size_t i = 0; i < topo->n_nodes; i++) {
        if (all || net->nodes[i].changed) {
            if (net->nodes[i].host == p->host) {
                pl_host_node(p->scope, topo, i, net->nodes[i].ofport, delta);
            } else if (!all) {
                struct scope_key key = pl_key(TOPO_NODE, topo->nodes[i].id);
                scope_remove(p->scope, &key, delta);
            }
        }
    }
    for (size_t i = 0; i < topo->n_attachments; i++) {
        const struct engine_att *att = &net->atts[i];

        if (all || att->changed) {
            if (att->host == p->host && att->ofport) {
                pl_host_attachment(p->scope, topo, i, att->ofport, delta);
            } else if (!all) {
                struct scope_key key = pl_key(TOPO_ATTACHMENT,
                                              topo->attachments[i].id);
                scope_remove(p->scope, &key, delta);
            }
        }
    }
    for (size_t i = 0; i < net->n_ways; i++) {
        const struct engine_way *way = net->ways[i];

        if (way->pl.id && (all || way->changed)) {
            presence_way(p, way, delta);
        }
    }
    if (all) {
        scope_sweep(p->scope, delta);
    }
    if (p->fresh) {
        scope_add_all(net->scope, &p->host->pending);
        scope_add_all(p->scope, &p->host->pending);
        p->fresh = false;
    }
}

static void
host_base_flows(struct engine *e, struct engine_host *host)
{
    struct delta *delta = &host->pending;
    uint32_t tunnel = host_tunnel(host, NULL, NULL);

    scope_mark(host->scope);
    if (host->in_fabric) {
        pl_host(host->scope, tunnel, delta);
        for (size_t i = 0; i < e->n_hosts; i++) {
            const struct engine_host *other = e->hosts[i];

            if (other != host && other->in_fabric) {
                struct pl_peer peer = {
                    .host = other->id,
                    .tunnel_address = other->tunnel,
                    .fixed_ofport = host_tunnel(host, other, NULL),
                };
                pl_host_peer(host->scope, &peer, tunnel, delta);
            }
        }
        for (size_t i = 0; i < host->n_presences; i++) {
            const struct engine_net *net = host->presences[i]->net;

            for (size_t j = 0; j < net->topo->n_attachments; j++) {
                if (net->atts[j].host == host && net->atts[j].ofport) {
                    pl_host_port(host->scope, net->atts[j].ofport, delta);
                }
            }
        }
    }
    scope_sweep(host->scope, delta);
}

void
hosts_base_flows(struct engine *e)
{
    for (size_t i = 0; i < e->n_hosts; i++) {
        if (e->hosts[i]->stale) {
            host_base_flows(e, e->hosts[i]);
            e->hosts[i]->stale = false;
        }
    }
}

/* What a host's OVSDB shall hold. */

static void
add_peer(struct engine_host_config *c, const struct engine_host *other)
{
    for (size_t i = 0; i < c->n_peers; i++) {
        if (c->peers[i].host == other->name) {
            return;
        }
    }
    c->peers = xrealloc(c->peers, (c->n_peers + 1) * sizeof *c->peers);
    c->peers[c->n_peers++] = (struct engine_peer) {
        .host = other->name, .remote = other->tunnel,
    };
}

static int
compare_peers(const void *a_, const void *b_)
{
    const struct engine_peer *a = a_;
    const struct engine_peer *b = b_;

    return strcmp(a->host, b->host);
}

/* BFD on an attachment is with the one neighbour whose address is known. */
static void
add_bfd(struct engine_host_config *c, const struct engine_net *net,
        size_t attachment)
{
    const struct topo_attachment *ta = &net->topo->attachments[attachment];

    for (size_t i = 0; i < net->n_ways; i++) {
        const struct engine_way *way = net->ways[i];

        if (way->attachment_id == ta->id && ipv6_addr_is_set(&way->addr)
            && (way->arp == ARP_KNOWN || way->arp == ARP_PROBING)) {
            c->bfds = xrealloc(c->bfds, (c->n_bfds + 1) * sizeof *c->bfds);
            c->bfds[c->n_bfds++] = (struct engine_bfd_session) {
                .port = ta->port,
                .interval_ms = ta->bfd.interval_ms,
                .multiplier = ta->bfd.multiplier,
                .local_ip = ta->address,
                .remote_ip = way->addr,
                .local_mac = ta->mac,
                .remote_mac = way->mac,
            };
            return;
        }
    }
}

void
engine_host_get_config(const struct engine *e, const char *name,
                       struct engine_host_config *c)
{
    const struct engine_host *host = engine_find_host(e, name);

    memset(c, 0, sizeof *c);
    for (size_t i = 0; host && i < host->n_presences; i++) {
        const struct engine_net *net = host->presences[i]->net;

        for (size_t j = 0; j < net->topo->n_attachments; j++) {
            const struct engine_host *owner = net->atts[j].host;

            if (owner != host) {
                if (owner && owner->in_fabric) {
                    add_peer(c, owner);
                }
                continue;
            }
            for (size_t k = 0; k < net->n_presences; k++) {
                if (net->presences[k]->host != host) {
                    add_peer(c, net->presences[k]->host);
                }
            }
            if (net->topo->attachments[j].has_bfd) {
                add_bfd(c, net, j);
            }
        }
    }
    if (c->n_peers) {
        qsort(c->peers, c->n_peers, sizeof *c->peers, compare_peers);
    }
}

void
engine_host_config_uninit(struct engine_host_config *c)
{
    free(c->peers);
    free(c->bfds);
    memset(c, 0, sizeof *c);
}

/* A digest by which a changed configuration is noticed; never 0. */
static uint64_t
config_digest(const struct engine *e, const char *name)
{
    struct engine_host_config c;
    uint32_t h[2] = { 1, 2 };

    engine_host_get_config(e, name, &c);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; i < c.n_peers; i++) {
            h[k] = hash_string(c.peers[i].host, h[k]);
            h[k] = addr_hash(&c.peers[i].remote, h[k]);
        }
        for (size_t i = 0; i < c.n_bfds; i++) {
            const struct engine_bfd_session *b = &c.bfds[i];

            h[k] = hash_string(b->port, h[k]);
            h[k] = hash_2words(h[k], b->interval_ms);
            h[k] = hash_2words(h[k], b->multiplier);
            h[k] = addr_hash(&b->local_ip, h[k]);
            h[k] = addr_hash(&b->remote_ip, h[k]);
            h[k] = hash_mac(b->local_mac, 0, h[k]);
            h[k] = hash_mac(b->remote_mac, 0, h[k]);
        }
    }
    engine_host_config_uninit(&c);
    return ((uint64_t) h[0] << 32 | h[1]) | 1;
}

/* Sessions. */

static void
host_send(struct engine *e, struct engine_host *host, struct delta *delta,
          struct engine_out *out)
{
    struct engine_action *a = engine_action(out, ENGINE_HOST_DELTA,
                                            host->name);

    a->delta = delta;
    a->serial = host->sent = ++e->serial;
}

/* Compares what a host that has just connected holds with what it should. */
static void
host_reconcile(struct engine *e, struct engine_host *host,
               struct engine_out *out)
{
    const struct scope **scopes = xcalloc(1 + 2 * host->n_presences,
                                          sizeof *scopes);
    struct delta *delta = delta_create();
    size_t n = 0;

    scopes[n++] = host->scope;
    for (size_t i = 0; i < host->n_presences; i++) {
        scopes[n++] = host->presences[i]->net->scope;
        scopes[n++] = host->presences[i]->scope;
    }
    reconcile(host->installed, scopes, n, delta);
    free(scopes);
    installed_destroy(host->installed);
    host->installed = NULL;
    host_send(e, host, delta, out);
}

/* A network whose new topology could not be built still has its old places. */
static void
forget_host(struct engine *e, const struct engine_host *host)
{
    for (size_t i = 0; i < e->n_nets; i++) {
        struct engine_net *net = e->nets[i];

        for (size_t j = 0; j < net->topo->n_attachments; j++) {
            if (net->atts[j].host == host) {
                net->atts[j].host = NULL;
            }
        }
    }
}

void
hosts_emit(struct engine *e, long long int now OVS_UNUSED,
           struct engine_out *out)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n_hosts; i++) {
        struct engine_host *host = e->hosts[i];

        if (host->installed) {
            host_reconcile(e, host, out);
        } else if (host->connected && !delta_is_empty(&host->pending)) {
            struct delta *delta = delta_create();
            delta_merge(delta, &host->pending);
            host_send(e, host, delta, out);
        }
        delta_clear(&host->pending);

        if (!host->in_fabric) {
            forget_host(e, host);
            host_destroy(e, host);
            continue;
        }
        uint64_t digest = config_digest(e, host->name);
        if (digest != host->config_digest) {
            host->config_digest = digest;
            engine_action(out, ENGINE_HOST_CONFIG, host->name);
        }
        e->hosts[n++] = host;
    }
    e->n_hosts = n;
}

void
engine_host_connected(struct engine *e, const char *name,
                      struct installed *installed,
                      long long int now OVS_UNUSED)
{
    struct engine_host *host = engine_find_host(e, name);

    if (!host) {
        installed_destroy(installed);
        return;
    }
    installed_destroy(host->installed);
    host->installed = installed;
    host->connected = true;
    e->places = true;
}

void
engine_host_disconnected(struct engine *e, const char *name,
                         long long int now OVS_UNUSED)
{
    struct engine_host *host = engine_find_host(e, name);

    if (host && host->connected) {
        host->connected = false;
        installed_destroy(host->installed);
        host->installed = NULL;
        e->places = true;
    }
}

void
engine_host_applied(struct engine *e, const char *name, uint64_t serial,
                    long long int now OVS_UNUSED)
{
    struct engine_host *host = engine_find_host(e, name);

    if (host && serial > host->confirmed) {
        host->confirmed = serial;
    }
}

bool
engine_host_is_connected(const struct engine *e, const char *name)
{
    const struct engine_host *host = engine_find_host(e, name);

    return host && host->connected;
}

uint64_t
engine_host_sent(const struct engine *e, const char *name)
{
    const struct engine_host *host = engine_find_host(e, name);

    return host ? host->sent : 0;
}

uint64_t
engine_host_confirmed(const struct engine *e, const char *name)
{
    const struct engine_host *host = engine_find_host(e, name);

    return host ? host->confirmed : 0;
}

/* For a copy of the engine: what the hosts reported. */
void
hosts_copy_facts(struct engine *dst, const struct engine *src)
{
    for (size_t i = 0; i < src->n_hosts; i++) {
        const struct engine_host *s = src->hosts[i];
        struct engine_host *d = engine_find_host(dst, s->name);

        if (!d) {
            continue;
        }
        d->connected = s->connected;
        d->reported = s->reported;
        d->ports = xcalloc(s->n_ports, sizeof *d->ports);
        d->n_ports = s->n_ports;
        for (size_t j = 0; j < s->n_ports; j++) {
            d->ports[j] = s->ports[j];
            d->ports[j].name = xstrdup(s->ports[j].name);
            d->ports[j].iface_id = nullable_xstrdup(s->ports[j].iface_id);
            d->ports[j].remote = nullable_xstrdup(s->ports[j].remote);
        }
        d->stale = true;
    }
    dst->port_seqno = src->port_seqno;
    dst->places = true;
}
