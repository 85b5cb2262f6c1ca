/* SPDX-License-Identifier: Apache-2.0 */

/* Runs the whole controller on documents, without a host or a peer, and prints
 * what follows from them:
 *
 *     tw-engine SCHEMAS FABRIC CONFIGURATION [METRICS]
 *
 * Every host is connected with an empty bridge, every placed node and every
 * attachment point has its port, and every next hop without OSPF has answered
 * ARP.  Printed are, by virtual router, routes and advertised externals, our own
 * LSAs, and what each host's bridge is sent. */

#include <config.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "controller/engine/engine-private.h"
#include "controller/engine/frames.h"
#include "controller/model/schema.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "svec.h"
#include "util.h"

#define SETTLE_MS 12000

static char *
read_file(const char *name, size_t *size)
{
    FILE *stream = fopen(name, "rb");
    struct ds s = DS_EMPTY_INITIALIZER;
    char buf[65536];
    size_t n;

    if (!stream) {
        ovs_fatal(errno, "%s", name);
    }
    while ((n = fread(buf, 1, sizeof buf, stream)) > 0) {
        ds_put_buffer(&s, buf, n);
    }
    fclose(stream);
    *size = s.length;
    return ds_steal_cstr(&s);
}

static void
fail(const struct diags *diags)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    diags_format(diags, &s);
    fputs(ds_cstr(&s), stdout);
    exit(1);
}

static struct model_schema *
load_schema(const char *dir, enum model_document document,
            struct diags *diags)
{
    char *name = xasprintf("%s/%s", dir, model_schema_file_name(document));
    size_t size;
    char *xsd = read_file(name, &size);
    struct model_schema *schema = model_schema_create(document, xsd, size,
                                                      diags);
    if (!schema) {
        fail(diags);
    }
    free(xsd);
    free(name);
    return schema;
}

/* Port numbers: the flow-based tunnel is 1, tunnels to other hosts follow, then
 * attachment points, then nodes, each in order of name. */
static void
plug(struct engine *e, const struct model_host *host, long long int now)
{
    struct engine_port *ports = xcalloc(e->fabric->n_hosts
                                        + e->fabric->n_points + e->alloc->n,
                                        sizeof *ports);
    struct svec strings = SVEC_EMPTY_INITIALIZER;
    size_t n = 0;

    ports[n++] = (struct engine_port) {
        .name = "tunnel", .ofport = 1, .up = true, .tunnel = true,
    };
    for (size_t i = 0; i < e->fabric->n_hosts; i++) {
        const struct model_host *other = &e->fabric->hosts[i];
        char buf[ADDR_STRLEN];

        if (other != host) {
            svec_add_nocopy(&strings, xasprintf("to-%s", other->name));
            svec_add(&strings, addr_to_string(&other->tunnel, buf));
            ports[n] = (struct engine_port) {
                .name = strings.names[strings.n - 2], .ofport = n + 1,
                .up = true, .tunnel = true, .bfd = ENGINE_BFD_UP,
                .remote = strings.names[strings.n - 1],
            };
            n++;
        }
    }
    for (size_t i = 0; i < e->fabric->n_points; i++) {
        const struct model_point *p = &e->fabric->points[i];

        if (p->host == (size_t) (host - e->fabric->hosts)) {
            ports[n] = (struct engine_port) {
                .name = p->port, .ofport = n + 1, .up = true,
            };
            n++;
        }
    }
    for (size_t i = 0; i < e->alloc->n; i++) {
        const struct alloc *a = e->alloc->records[i];

        if (a->kind == TOPO_NODE && !strcmp(a->host, host->name)) {
            svec_add_nocopy(&strings, xasprintf("%s/%s/%s", a->customer,
                                                a->network, a->name));
            ports[n] = (struct engine_port) {
                .name = strings.names[strings.n - 1], .ofport = n + 1,
                .iface_id = strings.names[strings.n - 1], .up = true,
            };
            n++;
        }
    }
    engine_host_ports(e, host->name, ports, n, now);
    engine_host_connected(e, host->name, installed_create(), now);
    free(ports);
    svec_destroy(&strings);
}

/* Answers the ARP requests among 'out', as next hops 02:00 and their address. */
static void
answer_arp(struct engine *e, const struct engine_out *out, long long int now)
{
    for (size_t i = 0; i < out->n; i++) {
        const struct engine_action *a = &out->actions[i];
        struct frame f;

        if (a->type != ENGINE_PACKET_OUT
            || !frame_parse(a->packet->data, a->packet->size, &f)
            || f.eth_type != ETH_TYPE_ARP) {
            continue;
        }
        for (size_t j = 0; j < e->n_nets; j++) {
            struct engine_net *net = e->nets[j];

            for (size_t k = 0; k < net->topo->n_attachments; k++) {
                if (eth_addr_equals(net->topo->attachments[k].mac, f.src)) {
                    uint32_t ip = ntohl(f.arp_tpa);
                    struct eth_addr mac = { .ea = {
                        2, 0, ip >> 24, ip >> 16, ip >> 8, ip } };
                    ways_heard(net, k, f.arp_tpa, mac, now);
                }
            }
        }
    }
}

static void
print_net(const struct engine_net *net, long long int now)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < net->topo->n_routers; i++) {
        ds_put_format(&s, "== routes of %s/%s\n", net->key,
                      net->topo->routers[i].name);
        route_format(net->routes, i, &s);
        ds_put_format(&s, "== externals of %s/%s\n", net->key,
                      net->topo->routers[i].name);
        route_format_adverts(net->routes, i, &s);
    }
    for (size_t i = 0; i < net->n_speakers; i++) {
        const struct engine_speaker *sp = &net->speakers[i];

        ds_put_format(&s, "== LSAs of %s/%s\n", net->key,
                      net->topo->routers[sp->router].name);
        ospf_format_lsdb(sp->ospf, true, now, &s);
    }
    fputs(ds_cstr(&s), stdout);
    ds_destroy(&s);
}

static void
print_scope(const char *title, const struct scope *scope)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    scope_format(scope, pl_table_names, PL_N_TABLES, &s);
    printf("== flows: %s\n%s", title, ds_cstr(&s));
    ds_destroy(&s);
}

int
main(int argc, char *argv[])
{
    struct diags diags = DIAGS_INITIALIZER;
    struct engine_out out = ENGINE_OUT_INIT;
    long long int now = 0;
    size_t size;

    set_program_name(argv[0]);
    if (argc < 4) {
        ovs_fatal(0, "usage: tw-engine SCHEMAS FABRIC CONFIGURATION "
                  "[METRICS]");
    }
    struct model_schema *fs = load_schema(argv[1], MODEL_FABRIC, &diags);
    struct model_schema *cs = load_schema(argv[1], MODEL_CONFIG, &diags);
    struct model_schema *ms = load_schema(argv[1], MODEL_METRICS, &diags);
    char *text = read_file(argv[2], &size);
    struct model_fabric *fabric = model_fabric_parse(fs, "fabric", text, size,
                                                     &diags);
    free(text);
    text = read_file(argv[3], &size);
    struct model_config *config = model_config_parse(cs, "config", text, size,
                                                     &diags);
    free(text);
    struct alloc_set *none = alloc_set_create();
    struct alloc_set *alloc = (fabric && config
                               && model_config_check_fabric(config, fabric,
                                                            &diags)
                               ? alloc_update(none, config, fabric, &diags)
                               : NULL);
    if (!alloc) {
        fail(&diags);
    }
    alloc_set_unref(none);

    struct engine *e = engine_create(1);
    engine_set_documents(e, fabric, alloc, config->customer, config, now,
                         &out);
    if (argc > 4) {
        text = read_file(argv[4], &size);
        struct model_metrics *m = model_metrics_parse(ms, "metrics", text,
                                                      size, &diags);
        if (!m || !engine_set_metrics(e, m, now, &diags)) {
            fail(&diags);
        }
        model_metrics_unref(m);
        free(text);
    }
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        plug(e, &fabric->hosts[i], now);
    }
    /* Until LSAs have settled: they are originated by timers. */
    while (now < SETTLE_MS) {
        engine_run(e, now, &out);
        answer_arp(e, &out, now);
        engine_out_clear(&out);
        now = MAX(now + 1, MIN(engine_next_wake(e), SETTLE_MS));
    }
    engine_run(e, now, &out);

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        print_net(net, now);
        print_scope("every host", net->scope);
        for (size_t j = 0; j < net->n_presences; j++) {
            print_scope(net->presences[j]->host->name,
                        net->presences[j]->scope);
        }
    }
    struct ds s = DS_EMPTY_INITIALIZER;
    bool same = engine_check(e, now, &s);
    if (!same) {
        printf("== computed anew, it is different:\n%s", ds_cstr(&s));
    }
    ds_destroy(&s);
    engine_out_uninit(&out);
    engine_destroy(e);
    model_schema_destroy(fs);
    model_schema_destroy(cs);
    model_schema_destroy(ms);
    diags_destroy(&diags);
    return same ? 0 : 1;
}
