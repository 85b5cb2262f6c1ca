/* SPDX-License-Identifier: Apache-2.0 */

/* Reads documents as tollwayd does and prints what it understood, for golden
 * tests and for looking at a document without a daemon:
 *
 *     tw-model SCHEMAS DOCUMENT [FABRIC [OLD-CONFIGURATION]]
 *
 * SCHEMAS is the directory with the XSDs.  Of a configuration the topologies
 * are printed, as allocated on FABRIC; with OLD-CONFIGURATION also what changes,
 * and the allocations are those that follow from the old ones. */

#include <config.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/alloc.h"
#include "controller/model/diff.h"
#include "controller/model/model.h"
#include "controller/model/schema.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

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

static const char *
file_part(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash ? slash + 1 : name;
}

static void
print_diags(struct diags *diags)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    diags_format(diags, &s);
    fputs(ds_cstr(&s), stdout);
    ds_destroy(&s);
    diags_clear(diags);
}

static struct model_schema *
load_schema(const char *dir, enum model_document document,
            struct diags *diags)
{
    char *name = xasprintf("%s/%s", dir, model_schema_file_name(document));
    struct model_schema *schema;
    size_t size;
    char *xsd = read_file(name, &size);

    schema = model_schema_create(document, xsd, size, diags);
    if (!schema) {
        print_diags(diags);
        exit(2);
    }
    free(xsd);
    free(name);
    return schema;
}

/* Topology. */

static void
print_subnets(const struct topo_network *topo)
{
    char p[PREFIX_STRLEN];

    for (size_t i = 0; i < topo->n_subnets; i++) {
        const struct topo_subnet *subnet = &topo->subnets[i];

        printf("  subnet %s id=%"PRIu32" prefix=%s mtu=%u\n", subnet->name,
               subnet->id, prefix_to_string(&subnet->prefix, p), subnet->mtu);
    }
}

static void
print_nodes(const struct topo_network *topo)
{
    char a[PREFIX_STRLEN];

    for (size_t i = 0; i < topo->n_nodes; i++) {
        const struct topo_node *node = &topo->nodes[i];

        printf("  node %s id=%"PRIu32" subnet=%s mac="ETH_ADDR_FMT
               " address=%s host=%s%s%s", node->name, node->id,
               topo->subnets[node->subnet].name, ETH_ADDR_ARGS(node->mac),
               addr_to_string(&node->address, a), node->host,
               node->zone ? " zone=" : "", node->zone ? node->zone : "");
        for (size_t j = 0; j < node->n_addresses; j++) {
            printf(" also=%s", prefix_to_string(&node->addresses[j], a));
        }
        putchar('\n');
    }
}

static void
print_attachment(const struct topo_attachment *att)
{
    char a[ADDR_STRLEN];

    printf("    attachment %s id=%"PRIu32" point=%s host=%s port=%s vlan=%u "
           "address=%s/%u mac="ETH_ADDR_FMT" mtu=%u cost=%"PRIu32" policy=%s "
           "pps=%"PRIu32"\n", att->name, att->id, att->point, att->host,
           att->port, att->vlan, addr_to_string(&att->address, a),
           att->plen - 96, ETH_ADDR_ARGS(att->mac), att->mtu, att->cost,
           att->policy ? att->policy : "none", att->pps);
    if (att->has_ospf) {
        printf("      ospf area="IP_FMT" type=%s hello=%u dead=%"PRIu32
               " priority=%u\n", IP_ARGS(htonl(att->ospf.area)),
               att->ospf.type == TOPO_P2P ? "point-to-point" : "broadcast",
               att->ospf.hello_interval, att->ospf.dead_interval,
               att->ospf.priority);
    }
    if (att->has_bfd) {
        printf("      bfd %"PRIu32"ms x %u\n", att->bfd.interval_ms,
               att->bfd.multiplier);
    }
}

static void
print_destination(const struct topo_network *topo,
                  const struct topo_destination *dest)
{
    static const char *const advertise[] = { "no", "e1", "e2" };
    char p[PREFIX_STRLEN];

    printf("    destination %s advertise=%s\n",
           prefix_to_string(&dest->prefix, p), advertise[dest->advertise]);
    for (size_t i = 0; i < dest->n_vias; i++) {
        const struct topo_via *via = &dest->vias[i];

        printf("      via %s next-hop=%s cost=%"PRIu32"\n",
               topo->attachments[via->attachment].name,
               IN6_IS_ADDR_UNSPECIFIED(&via->next_hop) ? "neighbour"
               : addr_to_string(&via->next_hop, p), via->cost);
    }
}

static void
print_distances(const struct topo_network *topo, size_t from)
{
    uint32_t *dist = xcalloc(topo->n_routers, sizeof *dist);
    size_t *next = xcalloc(topo->n_routers, sizeof *next);

    topo_link_distances(topo, from, dist, next);
    for (size_t i = 0; i < topo->n_routers; i++) {
        if (i != from && dist[i] != UINT32_MAX) {
            printf("    distance to %s: %"PRIu32" over %s\n",
                   topo->routers[i].name, dist[i], topo->links[next[i]].name);
        }
    }
    free(dist);
    free(next);
}

static void
print_router(const struct topo_network *topo, size_t idx)
{
    const struct topo_router *router = &topo->routers[idx];
    char a[ADDR_STRLEN];

    printf("  router %s id=%"PRIu32" router-id="IP_FMT" transit=%s\n",
           router->name, router->id, IP_ARGS(htonl(router->router_id)),
           router->transit ? "yes" : "no");
    for (size_t i = 0; i < router->n_interfaces; i++) {
        const struct topo_interface *iface
            = &topo->interfaces[router->interfaces[i]];

        printf("    interface %s id=%"PRIu32" address=%s mac="ETH_ADDR_FMT
               " cost=%"PRIu32" area="IP_FMT"\n",
               topo->subnets[iface->subnet].name, iface->id,
               addr_to_string(&iface->address, a), ETH_ADDR_ARGS(iface->mac),
               iface->cost, IP_ARGS(htonl(iface->area)));
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        print_attachment(&topo->attachments[router->attachments[i]]);
    }
    for (size_t i = 0; i < router->n_destinations; i++) {
        print_destination(topo, &topo->destinations[router->destinations[i]]);
    }
    print_distances(topo, idx);
}

static void
print_topology(const struct topo_network *topo)
{
    printf("network %s/%s vni=%"PRIu32"\n", topo->customer, topo->name,
           topo->vni);
    print_subnets(topo);
    print_nodes(topo);
    for (size_t i = 0; i < topo->n_routers; i++) {
        print_router(topo, i);
    }
    for (size_t i = 0; i < topo->n_links; i++) {
        const struct topo_link *link = &topo->links[i];

        printf("  link %s id=%"PRIu32" %s->%s cost %"PRIu32", %s->%s cost %"
               PRIu32" area="IP_FMT"\n", link->name, link->id,
               topo->routers[link->router[0]].name,
               topo->routers[link->router[1]].name, link->cost[0],
               topo->routers[link->router[1]].name,
               topo->routers[link->router[0]].name, link->cost[1],
               IP_ARGS(htonl(link->area)));
    }
}

static void
print_policies(const struct model_config *config)
{
    for (size_t i = 0; i < config->n_policies; i++) {
        const struct model_policy *p = &config->policies[i];

        printf("cost-policy %s delay=%"PRIu32" use=%"PRIu32" loss=%"PRIu32
               " price=%"PRIu32" (thousandths) floor=%"PRIu32" ceiling=%"PRIu32
               " half-life=%"PRIu32"ms hysteresis=%"PRIu32"%%\n", p->name,
               p->delay_cost, p->use_cost, p->loss_cost, p->price_cost,
               p->floor, p->ceiling, p->half_life_ms, p->hysteresis);
    }
}

static bool
print_config(const struct model_config *config,
             const struct model_fabric *fabric,
             const struct model_config *old, struct diags *diags)
{
    struct alloc_set *empty = alloc_set_create();
    struct alloc_set *before = NULL, *allocs = NULL;
    bool ok = model_config_check_fabric(config, fabric, diags);

    if (ok && old) {
        ok = model_config_check_fabric(old, fabric, diags);
        before = ok ? alloc_update(empty, old, fabric, diags) : NULL;
    }
    if (ok && (!old || before)) {
        allocs = alloc_update(before ? before : empty, config, fabric, diags);
    }
    print_diags(diags);
    if (old) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct model_diff diff;

        model_diff(old, config, &diff);
        model_diff_format(&diff, &s);
        fputs(ds_cstr(&s), stdout);
        ds_destroy(&s);
        model_diff_destroy(&diff);
    }
    if (allocs) {
        print_policies(config);
        for (size_t i = 0; i < config->n_networks; i++) {
            struct topo_network *topo = topo_build(
                config, config->networks[i].name, fabric, allocs);

            print_topology(topo);
            topo_network_unref(topo);
        }
    }
    ok = allocs != NULL;
    alloc_set_unref(empty);
    alloc_set_unref(before);
    alloc_set_unref(allocs);
    return ok;
}

static void
print_fabric(const struct model_fabric *fabric)
{
    char a[ADDR_STRLEN];

    printf("fabric, nodes' mtu %u\n", model_fabric_node_mtu(fabric));
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        const struct model_host *h = &fabric->hosts[i];

        printf("  host %s ovsdb=%s openflow=%s bridge=%s tunnel=%s mtu=%u "
               "zone=%s capacity=%"PRIu32"\n", h->name, h->ovsdb,
               h->openflow ? h->openflow : "default", h->bridge,
               addr_to_string(&h->tunnel, a), h->mtu,
               h->zone ? h->zone : "none", h->capacity);
    }
    for (size_t i = 0; i < fabric->n_points; i++) {
        const struct model_point *p = &fabric->points[i];

        printf("  attachment-point %s host=%s port=%s customer=%s mtu=%u "
               "pps=%"PRIu32" vlans=", p->name, fabric->hosts[p->host].name,
               p->port, p->customer, p->mtu, p->pps);
        for (size_t j = 0; j < p->n_vlans; j++) {
            printf("%s%u-%u", j ? "," : "", p->vlans[j].first,
                   p->vlans[j].last);
        }
        putchar('\n');
    }
    for (size_t i = 0; i < fabric->n_pins; i++) {
        printf("  pin %s host=%s\n", fabric->pins[i].node,
               fabric->hosts[fabric->pins[i].host].name);
    }
}

static void
print_metric(const struct model_metric *m)
{
    printf(" delay_us=%"PRId32" use=%"PRId32" loss=%"PRId32" price=%"PRId32
           "\n", (int32_t) m->delay_us, (int32_t) m->use, (int32_t) m->loss,
           (int32_t) m->price);
}

static void
print_metrics(const struct model_metrics *metrics)
{
    for (size_t i = 0; i < metrics->n_paths; i++) {
        printf("path %s -> %s", metrics->paths[i].from, metrics->paths[i].to);
        print_metric(&metrics->paths[i].metric);
    }
    for (size_t i = 0; i < metrics->n_points; i++) {
        printf("attachment %s", metrics->points[i].point);
        print_metric(&metrics->points[i].metric);
    }
}

static enum model_document
guess_document(const char *text)
{
    return (strstr(text, "<fabric") ? MODEL_FABRIC
            : strstr(text, "<metrics") ? MODEL_METRICS
            : MODEL_CONFIG);
}

struct inputs {
    struct model_schema *schemas[MODEL_N_DOCUMENTS];
    const char *document, *fabric, *old;
    struct diags diags;
};

static void *
parse_file(struct inputs *in, const char *name, enum model_document type)
{
    const struct model_schema *schema = in->schemas[type];
    const char *source = file_part(name);
    size_t size;
    char *text = read_file(name, &size);
    void *result;

    result = (type == MODEL_FABRIC
              ? (void *) model_fabric_parse(schema, source, text, size,
                                            &in->diags)
              : type == MODEL_METRICS
              ? (void *) model_metrics_parse(schema, source, text, size,
                                             &in->diags)
              : (void *) model_config_parse(schema, source, text, size,
                                            &in->diags));
    free(text);
    return result;
}

static bool
run_config(struct inputs *in, struct model_fabric *fabric)
{
    struct model_config *config = parse_file(in, in->document, MODEL_CONFIG);
    struct model_config *old = (in->old ? parse_file(in, in->old, MODEL_CONFIG)
                                : NULL);
    bool ok = false;

    if (config && (!in->old || old)) {
        ok = print_config(config, fabric, old, &in->diags);
    }
    model_config_unref(config);
    model_config_unref(old);
    return ok;
}

static bool
run(struct inputs *in)
{
    size_t size;
    char *text = read_file(in->document, &size);
    enum model_document type = guess_document(text);
    struct model_fabric *fabric = NULL;
    bool ok = true;

    free(text);
    if (in->fabric) {
        fabric = parse_file(in, in->fabric, MODEL_FABRIC);
    }
    if (type == MODEL_CONFIG) {
        ok = run_config(in, fabric);
    } else if (type == MODEL_FABRIC) {
        struct model_fabric *f = parse_file(in, in->document, type);

        ok = f != NULL;
        if (f) {
            print_fabric(f);
        }
        model_fabric_unref(f);
    } else {
        struct model_metrics *m = parse_file(in, in->document, type);

        ok = m && (!fabric
                   || model_metrics_check_fabric(m, fabric, &in->diags));
        if (ok) {
            print_metrics(m);
        }
        model_metrics_unref(m);
    }
    print_diags(&in->diags);
    model_fabric_unref(fabric);
    return ok;
}

int
main(int argc, char *argv[])
{
    struct inputs in = { .diags = DIAGS_INITIALIZER };
    bool ok;

    if (argc < 3) {
        ovs_fatal(0, "usage: %s SCHEMAS DOCUMENT [FABRIC [OLD]]", argv[0]);
    }
    for (int i = 0; i < MODEL_N_DOCUMENTS; i++) {
        in.schemas[i] = load_schema(argv[1], i, &in.diags);
    }
    in.document = argv[2];
    in.fabric = argc > 3 ? argv[3] : NULL;
    in.old = argc > 4 ? argv[4] : NULL;
    ok = run(&in);

    for (int i = 0; i < MODEL_N_DOCUMENTS; i++) {
        model_schema_destroy(in.schemas[i]);
    }
    diags_destroy(&in.diags);
    return ok ? 0 : 1;
}
