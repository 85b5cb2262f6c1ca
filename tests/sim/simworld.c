/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/sim/simworld.h"

#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/base/prefix.h"
#include "controller/flow/desired.h"
#include "controller/flow/reconcile.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/shash.h"
#include "packets.h"
#include "util.h"

#define BUNDLE_ID 1
#define MAX_FRAMES_AT_ONCE 100000

void
world_fault(struct world *w, const char *format, ...)
{
    va_list args;

    w->n_faults++;
    if (w->n_faults > 20) {
        return;                 /* The first ones tell. */
    }
    ds_put_format(&w->faults, "[%lld.%03lld] ", w->now / 1000, w->now % 1000);
    va_start(args, format);
    ds_put_format_valist(&w->faults, format, args);
    va_end(args);
    ds_put_char(&w->faults, '\n');
}

/* Ends. */

bool
world_find_end(const struct world *w, int host, int ofport, int *customer,
               int *node, int *att)
{
    for (int c = 0; c < w->plan.n_customers; c++) {
        const struct sim_customer *sc = &w->customers[c];

        *customer = c;
        *node = *att = -1;
        for (int i = 0; i < w->plan.customers[c].n_nodes; i++) {
            if (sc->nodes[i].host == host && sc->nodes[i].ofport == ofport) {
                *node = i;
                return true;
            }
        }
        for (int i = 0; i < w->plan.customers[c].n_atts; i++) {
            if (sc->atts[i].host == host && sc->atts[i].ofport == ofport) {
                *att = i;
                return true;
            }
        }
    }
    return false;
}

bool
world_tunnel_works(const struct world *w, int a, int b)
{
    return w->hosts[a].up && w->hosts[b].up && !w->cut[a][b] && !w->cut[b][a];
}

bool
world_wire_works(const struct world *w, int customer, int att)
{
    const struct plan_customer *pc = &w->plan.customers[customer];

    return pc->atts[att].wire_up && pc->peers[pc->atts[att].peer].up
           && w->hosts[pc->atts[att].host].up;
}

/* Frames. */

static struct sim_frame *
queue_frame(struct world *w, const void *data, size_t size)
{
    struct sim_frame *f;

    if (w->loss_percent && simrand_percent(&w->noise, w->loss_percent)) {
        return NULL;
    }
    f = xzalloc(sizeof *f);
    f->host = f->customer = -1;
    f->data = xmemdup(data, size);
    f->size = size;
    *w->queue_tail = f;
    w->queue_tail = &f->next;
    w->n_frames++;
    return f;
}

void
world_queue_to_port(struct world *w, int host, int ofport, const void *data,
                    size_t size)
{
    struct sim_frame *f = queue_frame(w, data, size);

    if (f) {
        f->host = host;
        f->ofport = ofport;
    }
}

void
world_queue_to_peer(struct world *w, int customer, int peer, int iface,
                    const void *data, size_t size)
{
    struct sim_frame *f = queue_frame(w, data, size);

    if (f) {
        f->customer = customer;
        f->peer = peer;
        f->iface = iface;
    }
}

static void world_act(struct world *, struct engine_out *);

/* Passes on what a bridge puts out.  Tunnelled packets go on at once: the
 * underlay has no delay here. */
static void
dispatch(struct world *w, int host, struct simresult *r)
{
    struct sim_host *h = &w->hosts[host];

    if (r->error) {
        world_fault(w, "%s: %s", h->name, r->error);
    }
    for (size_t i = 0; i < r->n_outs; i++) {
        const struct simpkt *out = &r->outs[i];
        int customer, node, att;

        if (out->tun_remote) {
            int to = (ntohl(out->tun_remote) & 0xff) - 2;
            struct simpkt in = *out;
            struct simresult next;
            struct simport *port;

            if (to < 0 || to >= w->plan.n_hosts
                || !world_tunnel_works(w, host, to)) {
                continue;
            }
            port = simswitch_tunnel_rx(&w->hosts[to].sw, h->tunnel);
            if (!port) {
                continue;
            }
            in.port = port->ofp_port;
            in.tun_remote = h->tunnel;
            in.tun_local = w->hosts[to].tunnel;
            simresult_init(&next);
            simswitch_process(&w->hosts[to].sw, &in, 0, &next);
            dispatch(w, to, &next);
            simresult_destroy(&next);
        } else if (world_find_end(w, host, ofp_to_u16(out->port), &customer,
                                  &node, &att) && att >= 0
                   && world_wire_works(w, customer, att)) {
            const struct plan_att *pa = &w->plan.customers[customer].atts[att];

            world_queue_to_peer(w, customer, pa->peer, pa->peer_iface,
                                out->data, out->size);
        }
    }
    for (size_t i = 0; i < r->n_punts && h->connected; i++) {
        const struct simpunt *p = &r->punts[i];
        struct engine_out out = ENGINE_OUT_INIT;
        struct match metadata;

        flow_get_metadata(&p->md, &metadata);
        w->n_packet_ins++;
        engine_packet_in(w->engine, h->name, p->userdata, p->userdata_len,
                         &metadata, p->pkt.data, p->pkt.size, w->now, &out);
        w->engine_due = true;
        world_act(w, &out);
        engine_out_uninit(&out);
    }
}

static void
deliver(struct world *w, const struct sim_frame *f)
{
    if (f->host >= 0) {
        struct sim_host *h = &w->hosts[f->host];
        struct simpkt in = {
            .port = u16_to_ofp(f->ofport),
            .data = f->data,
            .size = f->size,
        };
        struct simport *port = simswitch_port(&h->sw, in.port);
        struct simresult r;

        if (h->up && port && port->up) {
            simresult_init(&r);
            h->sw.now_ms = w->now;
            simswitch_process(&h->sw, &in, 0, &r);
            dispatch(w, f->host, &r);
            simresult_destroy(&r);
        }
    } else {
        peer_receive(w, f->customer, f->peer, f->iface, f->data, f->size);
    }
}

static bool
run_queue(struct world *w)
{
    bool any = w->queue_head != NULL;

    for (int i = 0; w->queue_head; i++) {
        struct sim_frame *f = w->queue_head;

        w->queue_head = f->next;
        if (!w->queue_head) {
            w->queue_tail = &w->queue_head;
        }
        if (i < MAX_FRAMES_AT_ONCE) {
            deliver(w, f);
        } else if (i == MAX_FRAMES_AT_ONCE) {
            world_fault(w, "frames go round without end");
        }
        free(f->data);
        free(f);
    }
    return any;
}

/* Actions of the engine. */

static int
find_host(const struct world *w, const char *name)
{
    for (int i = 0; i < w->plan.n_hosts; i++) {
        if (!strcmp(w->hosts[i].name, name)) {
            return i;
        }
    }
    return -1;
}

static void
send_message(struct world *w, struct sim_host *h, struct ofpbuf *msg)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    struct ds errors = DS_EMPTY_INITIALIZER;

    if (simswitch_send(&h->sw, msg, &errors)) {
        world_fault(w, "bridge refuses: %s", ds_cstr(&errors));
    }
    ds_destroy(&text);
    ds_destroy(&errors);
}

static void
send_in_bundle(struct world *w, struct sim_host *h, const struct ofpbuf *msg)
{
    struct ofpbuf *inner = ofpbuf_clone(msg);
    struct ofputil_bundle_add_msg badd = {
        .bundle_id = BUNDLE_ID,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
    };
    struct ofp_header *oh = inner->data;

    ofpmsg_update_length(inner);
    oh->xid = htonl(1);
    badd.msg = oh;
    struct ofpbuf *outer = ofputil_encode_bundle_add(OFP15_VERSION, &badd);
    ((struct ofp_header *) outer->data)->xid = oh->xid;
    send_message(w, h, outer);
    ofpbuf_delete(inner);
}

static void
bundle_control(struct world *w, struct sim_host *h, uint16_t type)
{
    struct ofputil_bundle_ctrl_msg ctrl = {
        .bundle_id = BUNDLE_ID,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
        .type = type,
    };

    send_message(w, h, ofputil_encode_bundle_ctrl_request(OFP15_VERSION,
                                                          &ctrl));
}

/* What a mutant loses of a delta. */
static void
mutate(const struct world *w, struct delta *delta)
{
    if (w->mutant == MUTANT_GROUP_CHANGE_DROPPED) {
        for (size_t i = 0; i < delta->n_groups; i++) {
            struct delta_group *g = delta->groups[i];

            if (g->old && g->new) {
                dgroup_unref(g->new);
                g->new = dgroup_ref(g->old);
            }
        }
    } else if (w->mutant == MUTANT_STALE_FLOW_KEPT) {
        for (size_t i = 0; i < delta->n_flows; i++) {
            struct delta_flow *f = delta->flows[i];

            if (f->old && !f->new) {
                f->new = dflow_ref(f->old);
            }
        }
    }
}

static void
apply_delta(struct world *w, struct sim_host *h, struct delta *delta)
{
    struct dmsgs msgs;
    size_t i = 0;

    mutate(w, delta);
    memset(&msgs, 0, sizeof msgs);
    delta_to_messages(delta, &msgs);
    h->sw.now_ms = w->now;
    for (; i < msgs.n_before; i++) {
        send_message(w, h, ofpbuf_clone(msgs.msgs[i].msg));
    }
    if (msgs.n_bundle) {
        bundle_control(w, h, OFPBCT_OPEN_REQUEST);
        for (; i < msgs.n_before + msgs.n_bundle; i++) {
            send_in_bundle(w, h, msgs.msgs[i].msg);
        }
        bundle_control(w, h, OFPBCT_COMMIT_REQUEST);
    }
    for (; i < msgs.n; i++) {
        send_message(w, h, ofpbuf_clone(msgs.msgs[i].msg));
    }
    dmsgs_uninit(&msgs);
    w->n_deltas++;
}

/* Makes tunnel ports and BFD what the engine wants of the host. */
static void
apply_host_config(struct world *w, int host)
{
    struct sim_host *h = &w->hosts[host];
    struct engine_host_config config;
    struct simport *port;

    engine_host_get_config(w->engine, h->name, &config);
    HMAP_FOR_EACH_SAFE (port, node, &h->sw.ports) {
        bool wanted = port->kind != SIMPORT_TUNNEL_FIXED;

        for (size_t i = 0; i < config.n_peers; i++) {
            wanted |= (in6_addr_get_mapped_ipv4(&config.peers[i].remote)
                       == port->remote);
        }
        if (!wanted) {
            simswitch_del_port(&h->sw, port->ofp_port);
            h->ports_due = true;
        } else if (port->kind == SIMPORT_PLAIN) {
            bool bfd = false;

            for (size_t i = 0; i < config.n_bfds; i++) {
                bfd |= !strcmp(config.bfds[i].port, port->name);
            }
            h->ports_due |= bfd != port->bfd;
            port->bfd = bfd;
        }
    }
    for (size_t i = 0; i < config.n_peers; i++) {
        ovs_be32 remote = in6_addr_get_mapped_ipv4(&config.peers[i].remote);
        bool found = false;

        HMAP_FOR_EACH (port, node, &h->sw.ports) {
            found |= (port->kind == SIMPORT_TUNNEL_FIXED
                      && port->remote == remote);
        }
        if (!found) {
            char *name = xasprintf("tun-%s", config.peers[i].host);

            port = simswitch_add_port(&h->sw, u16_to_ofp(h->next_ofport++),
                                      name, SIMPORT_TUNNEL_FIXED, remote);
            port->bfd = true;
            port->bfd_check_tnl_key = true;
            h->ports_due = true;
            free(name);
        }
    }
    engine_host_config_uninit(&config);
}

static void
store_snapshot(struct world *w, const char *network)
{
    struct ofpbuf *b = ofpbuf_new(0);

    engine_snapshot(w->engine, network, w->now, b);
    ofpbuf_delete(shash_replace(w->snapshots, network, b));
}

static void
act(struct world *w, struct engine_action *a)
{
    int host = a->host ? find_host(w, a->host) : -1;
    struct sim_host *h = host >= 0 ? &w->hosts[host] : NULL;

    switch (a->type) {
    case ENGINE_HOST_DELTA:
        if (h && h->connected) {
            apply_delta(w, h, a->delta);
            engine_host_applied(w->engine, h->name, a->serial, w->now);
        } else {
            world_fault(w, "delta for a host that is not connected");
        }
        break;
    case ENGINE_HOST_CONFIG:
        if (h && h->up) {
            apply_host_config(w, host);
        }
        break;
    case ENGINE_PACKET_OUT:
        if (h && h->connected) {
            struct simresult r;
            enum ofperr error;

            simresult_init(&r);
            h->sw.now_ms = w->now;
            error = simswitch_packet_out(&h->sw, a->ofpacts->data,
                                         a->ofpacts->size, a->packet->data,
                                         a->packet->size, OFPP_CONTROLLER, 0,
                                         &r);
            if (error) {
                world_fault(w, "%s refuses packet-out: %s", h->name,
                            ofperr_to_string(error));
            }
            w->n_packet_outs++;
            dispatch(w, host, &r);
            simresult_destroy(&r);
        }
        break;
    case ENGINE_STATE:
        store_snapshot(w, a->text);
        break;
    case ENGINE_LOG:
        if (w->verbose) {
            printf("[%lld.%03lld] log: %s\n", w->now / 1000, w->now % 1000,
                   a->text);
        }
        break;
    }
}

static void
world_act(struct world *w, struct engine_out *out)
{
    for (size_t i = 0; i < out->n; i++) {
        act(w, &out->actions[i]);
    }
}

/* Ports. */

static void
report_ports(struct world *w, int host)
{
    struct sim_host *h = &w->hosts[host];
    size_t n = 0;
    struct engine_port *ports = xcalloc(hmap_count(&h->sw.ports),
                                        sizeof *ports);
    struct simport *port;

    HMAP_FOR_EACH (port, node, &h->sw.ports) {
        struct engine_port *p = &ports[n++];
        int customer, node, att;

        p->name = port->name;
        p->ofport = ofp_to_u16(port->ofp_port);
        p->up = port->up;
        p->mtu = 1500;
        p->bfd = (!port->bfd ? ENGINE_BFD_NONE
                  : port->bfd_up ? ENGINE_BFD_UP : ENGINE_BFD_DOWN);
        p->tunnel = port->kind != SIMPORT_PLAIN;
        if (port->kind == SIMPORT_TUNNEL_FIXED) {
            p->remote = xasprintf(IP_FMT, IP_ARGS(port->remote));
        }
        if (!p->tunnel && world_find_end(w, host, p->ofport, &customer, &node,
                                         &att) && node >= 0) {
            p->iface_id = xasprintf("%s/n/v%d", w->customers[customer].name,
                                    node);
        }
    }
    engine_host_ports(w->engine, h->name, ports, n, w->now);
    for (size_t i = 0; i < n; i++) {
        free(CONST_CAST(char *, ports[i].remote));
        free(CONST_CAST(char *, ports[i].iface_id));
    }
    free(ports);
    h->ports_due = false;
    w->engine_due = true;
}

static void
set_port(struct sim_host *h, struct simport *port, bool up, bool bfd_up)
{
    h->ports_due |= port->up != up || (port->bfd && port->bfd_up != bfd_up);
    port->up = up;
    port->bfd_up = bfd_up;
}

void
world_update_ports(struct world *w)
{
    for (int i = 0; i < w->plan.n_hosts; i++) {
        struct sim_host *h = &w->hosts[i];
        struct simport *port;

        HMAP_FOR_EACH (port, node, &h->sw.ports) {
            int customer, node, att;

            if (port->kind == SIMPORT_TUNNEL_FIXED) {
                int to = (ntohl(port->remote) & 0xff) - 2;

                set_port(h, port, true, world_tunnel_works(w, i, to));
            } else if (port->kind == SIMPORT_PLAIN
                       && world_find_end(w, i, ofp_to_u16(port->ofp_port),
                                         &customer, &node, &att)
                       && att >= 0) {
                const struct plan_customer *pc = &w->plan.customers[customer];

                set_port(h, port, pc->atts[att].wire_up,
                         world_wire_works(w, customer, att));
            }
        }
    }
    for (int c = 0; c < w->plan.n_customers; c++) {
        for (int i = 0; i < w->plan.customers[c].n_peers; i++) {
            peer_update_ifaces(w, c, i);
        }
    }
}

void
world_place_node(struct world *w, int customer, int node, int host)
{
    struct sim_end *end = &w->customers[customer].nodes[node];

    if (end->host >= 0) {
        simswitch_del_port(&w->hosts[end->host].sw, u16_to_ofp(end->ofport));
        w->hosts[end->host].ports_due = true;
    }
    end->host = end->ofport = -1;
    w->plan.customers[customer].nodes[node].host = host;
    if (host >= 0) {
        struct sim_host *h = &w->hosts[host];
        char *name = xasprintf("tap-%s-%d", w->customers[customer].name, node);

        end->host = host;
        end->ofport = h->next_ofport++;
        simswitch_add_port(&h->sw, u16_to_ofp(end->ofport), name,
                           SIMPORT_PLAIN, 0);
        h->ports_due = true;
        free(name);
    }
}

static void
place_attachment(struct world *w, int customer, int att)
{
    struct sim_end *end = &w->customers[customer].atts[att];
    struct sim_host *h;
    char *name;

    end->host = w->plan.customers[customer].atts[att].host;
    h = &w->hosts[end->host];
    end->ofport = h->next_ofport++;
    name = xasprintf("%s-p%d", w->customers[customer].name, att);
    simswitch_add_port(&h->sw, u16_to_ofp(end->ofport), name, SIMPORT_PLAIN,
                       0);
    h->ports_due = true;
    free(name);
}

/* Time. */

static bool
run_once(struct world *w)
{
    bool any = run_queue(w);

    for (int i = 0; i < w->plan.n_hosts; i++) {
        if (w->hosts[i].ports_due && w->hosts[i].connected) {
            world_update_ports(w);
            report_ports(w, i);
            any = true;
        }
    }
    if (w->engine_due || engine_next_wake(w->engine) <= w->now) {
        struct engine_out out = ENGINE_OUT_INIT;

        w->engine_due = false;
        engine_run(w->engine, w->now, &out);
        world_act(w, &out);
        engine_out_uninit(&out);
        any = true;
    }
    for (int c = 0; c < w->plan.n_customers; c++) {
        for (int i = 0; i < w->plan.customers[c].n_peers; i++) {
            if (peer_next_wake(w, c, i) <= w->now) {
                peer_run(w, c, i);
                any = true;
            }
        }
    }
    return any;
}

void
world_advance(struct world *w, long long int ms)
{
    long long int end = w->now + ms;

    for (;;) {
        long long int next;
        int rounds = 0;

        while (run_once(w)) {
            if (++rounds > 10000) {
                world_fault(w, "never comes to rest");
                return;
            }
        }
        next = engine_next_wake(w->engine);
        for (int c = 0; c < w->plan.n_customers; c++) {
            for (int i = 0; i < w->plan.customers[c].n_peers; i++) {
                next = MIN(next, peer_next_wake(w, c, i));
            }
        }
        if (next >= end) {
            w->now = end;
            run_once(w);
            return;
        }
        w->now = MAX(next, w->now + 1);
    }
}

/* Documents. */

static void
put_diags(struct world *w, const char *what, struct diags *diags)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    diags_format(diags, &s);
    world_fault(w, "%s: %s", what, ds_cstr(&s));
    ds_destroy(&s);
}

static void
learn_macs(struct world *w, int customer)
{
    struct sim_customer *sc = &w->customers[customer];

    for (int i = 0; i < w->plan.customers[customer].n_nodes; i++) {
        char *name = xasprintf("v%d", i);
        const struct alloc *a = alloc_find(w->alloc, sc->name, "n", TOPO_NODE,
                                           name);
        sc->macs[i] = a ? a->mac : eth_addr_zero;
        free(name);
    }
}

void
world_submit(struct world *w, int customer)
{
    struct sim_customer *sc = &w->customers[customer];
    struct diags diags = DIAGS_INITIALIZER;
    struct engine_out out = ENGINE_OUT_INIT;
    struct model_config *config = NULL;
    struct alloc_set *alloc = NULL;
    struct ds xml = DS_EMPTY_INITIALIZER;

    if (w->plan.customers[customer].wanted) {
        plan_config_xml(&w->plan, customer, &xml);
        config = model_config_parse(w->schemas[MODEL_CONFIG], "config.xml",
                                    ds_cstr(&xml), xml.length, &diags);
        if (config && model_config_check_fabric(config, w->fabric, &diags)) {
            alloc = alloc_update(w->alloc, config, w->fabric, &diags);
        }
    } else {
        alloc = alloc_remove_customer(w->alloc, sc->name);
    }
    if (!alloc) {
        put_diags(w, ds_cstr(&xml), &diags);
        model_config_unref(config);
    } else {
        alloc_set_unref(w->alloc);
        w->alloc = alloc;
        model_config_unref(sc->config);
        sc->config = config ? model_config_ref(config) : NULL;
        engine_set_documents(w->engine, NULL, alloc_set_ref(alloc), sc->name,
                             config, w->now, &out);
        world_act(w, &out);
        w->engine_due = true;
        learn_macs(w, customer);
    }
    engine_out_uninit(&out);
    diags_destroy(&diags);
    ds_destroy(&xml);
}

void
world_submit_metrics(struct world *w)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct ds xml = DS_EMPTY_INITIALIZER;

    plan_metrics_xml(&w->plan, &xml);
    model_metrics_unref(w->metrics);
    w->metrics = model_metrics_parse(w->schemas[MODEL_METRICS], "metrics.xml",
                                     ds_cstr(&xml), xml.length, &diags);
    if (!w->metrics || !engine_set_metrics(w->engine, w->metrics, w->now,
                                           &diags)) {
        put_diags(w, ds_cstr(&xml), &diags);
    }
    w->engine_due = true;
    diags_destroy(&diags);
    ds_destroy(&xml);
}

/* Controller and hosts. */

static void
read_part(struct sim_host *h, struct installed *installed,
          struct ofpbuf *request, struct world *w)
{
    struct ovs_list replies = OVS_LIST_INITIALIZER(&replies);
    struct ofpbuf *reply;

    ofpmsg_update_length(request);
    simswitch_recv(&h->sw, request->data, &replies);
    ofpbuf_delete(request);
    LIST_FOR_EACH_POP (reply, list_node, &replies) {
        enum ofperr error;
        bool more;

        error = installed_add(installed, reply->data, &more);
        if (error) {
            world_fault(w, "%s: can't read what is installed: %s", h->name,
                        ofperr_to_string(error));
        }
        ofpbuf_delete(reply);
    }
}

static struct installed *
read_installed(struct world *w, struct sim_host *h)
{
    struct installed *installed = installed_create();

    read_part(h, installed, installed_flows_request(), w);
    read_part(h, installed, installed_groups_request(), w);
    read_part(h, installed, installed_meters_request(), w);
    return installed;
}

void
world_connect(struct world *w, int host)
{
    struct sim_host *h = &w->hosts[host];

    if (!h->connected && h->up) {
        h->connected = true;
        apply_host_config(w, host);
        world_update_ports(w);
        report_ports(w, host);
        engine_host_connected(w->engine, h->name, read_installed(w, h),
                              w->now);
        w->engine_due = true;
    }
}

void
world_disconnect(struct world *w, int host)
{
    struct sim_host *h = &w->hosts[host];

    if (h->connected) {
        h->connected = false;
        simswitch_disconnect(&h->sw);
        engine_host_disconnected(w->engine, h->name, w->now);
        w->engine_due = true;
    }
}

void
world_restart_bridge(struct world *w, int host)
{
    world_disconnect(w, host);
    simswitch_restart(&w->hosts[host].sw);
    world_connect(w, host);
}

void
world_check_reconnect(struct world *w, int host)
{
    struct sim_host *h = &w->hosts[host];
    struct engine_out out = ENGINE_OUT_INIT;

    if (!h->connected) {
        return;
    }
    engine_host_disconnected(w->engine, h->name, w->now);
    engine_host_connected(w->engine, h->name, read_installed(w, h), w->now);
    engine_run(w->engine, w->now, &out);
    for (size_t i = 0; i < out.n; i++) {
        struct engine_action *a = &out.actions[i];

        if (a->type == ENGINE_HOST_DELTA && !delta_is_empty(a->delta)) {
            struct ds s = DS_EMPTY_INITIALIZER;

            delta_format(a->delta, NULL, 0, &s);
            world_fault(w, "%s: a controller that comes back changes:\n%s",
                        a->host, ds_cstr(&s));
            ds_destroy(&s);
        }
    }
    world_act(w, &out);
    engine_out_uninit(&out);
}

static void
start_controller(struct world *w)
{
    struct engine_out out = ENGINE_OUT_INIT;
    struct shash_node *node;

    w->engine = engine_create(w->seed);
    for (int i = 0; i < w->plan.n_customers; i++) {
        if (w->customers[i].config) {
            engine_set_documents(w->engine, NULL, NULL, w->customers[i].name,
                                 model_config_ref(w->customers[i].config),
                                 w->now, &out);
        }
    }
    engine_set_documents(w->engine, model_fabric_ref(w->fabric),
                         alloc_set_ref(w->alloc), NULL, NULL, w->now, &out);
    SHASH_FOR_EACH (node, w->snapshots) {
        const struct ofpbuf *b = node->data;

        engine_restore(w->engine, node->name, b->data, b->size, w->now, &out);
    }
    if (w->metrics) {
        struct diags diags = DIAGS_INITIALIZER;

        engine_set_metrics(w->engine, w->metrics, w->now, &diags);
        diags_destroy(&diags);
    }
    world_act(w, &out);
    engine_out_uninit(&out);
    w->engine_due = true;
}

void
world_restart_controller(struct world *w)
{
    bool connected[PLAN_MAX_HOSTS];

    for (int i = 0; i < w->plan.n_hosts; i++) {
        connected[i] = w->hosts[i].connected;
        w->hosts[i].connected = false;
        simswitch_disconnect(&w->hosts[i].sw);
    }
    engine_destroy(w->engine);
    start_controller(w);
    for (int i = 0; i < w->plan.n_hosts; i++) {
        if (connected[i]) {
            world_connect(w, i);
        }
    }
}

/* Life. */

void
world_init(struct world *w, uint64_t seed, struct model_schema **schemas)
{
    struct ds xml = DS_EMPTY_INITIALIZER;
    struct diags diags = DIAGS_INITIALIZER;

    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->rand.state = seed;
    w->noise.state = ~seed;
    w->now = 1000000;
    w->schemas = schemas;
    w->queue_tail = &w->queue_head;
    ds_init(&w->faults);
    simresult_init(&w->scratch);
    w->snapshots = xmalloc(sizeof *w->snapshots);
    shash_init(w->snapshots);
    plan_init(&w->plan, &w->rand);
    plan_fabric_xml(&w->plan, &xml);
    w->fabric = model_fabric_parse(schemas[MODEL_FABRIC], "fabric.xml",
                                   ds_cstr(&xml), xml.length, &diags);
    if (!w->fabric) {
        put_diags(w, ds_cstr(&xml), &diags);
    }
    diags_destroy(&diags);
    ds_destroy(&xml);
    w->alloc = alloc_set_create();
    for (int i = 0; i < w->plan.n_hosts; i++) {
        struct sim_host *h = &w->hosts[i];

        snprintf(h->name, sizeof h->name, "h%u", (unsigned int) i % 1000);
        h->tunnel = htonl(0x0a090002 + i);
        simswitch_init(&h->sw, h->name);
        simswitch_add_port(&h->sw, u16_to_ofp(WORLD_PORT_TUNNEL), "tun-flow",
                           SIMPORT_TUNNEL_FLOW, 0);
        h->next_ofport = 10;
        h->up = true;
    }
    for (int c = 0; c < w->plan.n_customers; c++) {
        struct sim_customer *sc = &w->customers[c];

        sc->name[0] = plan_customer_letter(c);
        for (int i = 0; i < PLAN_MAX_NODES; i++) {
            sc->nodes[i] = (struct sim_end) { -1, -1 };
        }
        for (int i = 0; i < w->plan.customers[c].n_atts; i++) {
            place_attachment(w, c, i);
        }
        for (int i = 0; i < w->plan.customers[c].n_peers; i++) {
            peer_init(w, c, i);
        }
    }
    start_controller(w);
    for (int c = 0; c < w->plan.n_customers; c++) {
        world_submit(w, c);
        for (int i = 0; i < PLAN_MAX_NODES; i++) {
            if (w->plan.customers[c].nodes[i].wanted) {
                world_place_node(w, c, i, w->plan.customers[c].nodes[i].host);
            }
        }
    }
    for (int i = 0; i < w->plan.n_hosts; i++) {
        world_connect(w, i);
    }
    world_update_ports(w);
}

void
world_destroy(struct world *w)
{
    struct shash_node *node;

    engine_destroy(w->engine);
    for (int c = 0; c < w->plan.n_customers; c++) {
        model_config_unref(w->customers[c].config);
        for (int i = 0; i < w->plan.customers[c].n_peers; i++) {
            peer_destroy(w, c, i);
        }
    }
    for (int i = 0; i < w->plan.n_hosts; i++) {
        simswitch_destroy(&w->hosts[i].sw);
    }
    while (w->queue_head) {
        struct sim_frame *f = w->queue_head;

        w->queue_head = f->next;
        free(f->data);
        free(f);
    }
    SHASH_FOR_EACH (node, w->snapshots) {
        ofpbuf_delete(node->data);
    }
    shash_destroy(w->snapshots);
    free(w->snapshots);
    simresult_destroy(&w->scratch);
    alloc_set_unref(w->alloc);
    model_fabric_unref(w->fabric);
    model_metrics_unref(w->metrics);
    ds_destroy(&w->faults);
}
