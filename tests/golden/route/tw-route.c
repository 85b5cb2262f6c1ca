/* SPDX-License-Identifier: Apache-2.0 */

/* Prints the routes of a configuration and their reasons, for golden tests:
 *
 *     tw-route SCHEMAS CONFIGURATION FABRIC < FACTS
 *
 * FACTS says what the world is like, one item a line; '#' begins a comment:
 *
 *     metric ROUTER/ATTACHMENT PART          metric part, 0 if not said
 *     way ROUTER/ATTACHMENT ADDRESS STATE    alive if not said, else down, bfd,
 *                                            arp, ospf, host
 *     neighbor ROUTER/ATTACHMENT ID ADDRESS COST   a customer's router, Full,
 *                                            with its cost towards us
 *     link ID ID COST COST                   between customers' routers
 *     stub ID PREFIX COST                    a network of such a router
 *     external ID PREFIX e1|e2 METRIC [FORWARDING]
 *     explain ROUTER subnets|attachments ADDRESS
 *
 * From them an LSDB is made, as the routers would originate it, and with OSPF's
 * own calculation each router's view of it. */

#include <config.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/bytes.h"
#include "controller/base/diag.h"
#include "controller/model/alloc.h"
#include "controller/model/model.h"
#include "controller/model/schema.h"
#include "controller/ospf/lsdb.h"
#include "controller/ospf/rib-build.h"
#include "controller/route/route.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "util.h"

#define MAX_WORDS 8
#define MAX_ITEMS 64

struct item {
    char text[256];
    char *w[MAX_WORDS];
    size_t n;
};

struct facts {
    struct item items[MAX_ITEMS];
    size_t n;
    const struct topo_network *topo;
};

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
read_facts(struct facts *f)
{
    struct item *item = &f->items[0];

    while (f->n < MAX_ITEMS && fgets(item->text, sizeof item->text, stdin)) {
        char *save = NULL;

        item->text[strcspn(item->text, "#\n")] = '\0';
        item->n = 0;
        for (char *s = strtok_r(item->text, " ", &save);
             s && item->n < MAX_WORDS; s = strtok_r(NULL, " ", &save)) {
            item->w[item->n++] = s;
        }
        if (item->n) {
            item = &f->items[++f->n];
        }
    }
}

/* The next item of that kind, with at least 'n' words. */
static const struct item *
next_item(const struct facts *f, const struct item *prev, const char *kind,
          size_t n)
{
    for (size_t i = prev ? prev - f->items + 1 : 0; i < f->n; i++) {
        const struct item *item = &f->items[i];

        if (!strcmp(item->w[0], kind)) {
            if (item->n < n) {
                ovs_fatal(0, "%s: words are missing", kind);
            }
            return item;
        }
    }
    return NULL;
}

static uint32_t
parse_ip(const char *s)
{
    struct in_addr a;

    if (inet_pton(AF_INET, s, &a) != 1) {
        ovs_fatal(0, "%s is not an address", s);
    }
    return ntohl(a.s_addr);
}

static struct prefix
parse_prefix(const char *s)
{
    struct prefix p;

    if (prefix_parse(s, &p)) {
        ovs_fatal(0, "%s is not a prefix", s);
    }
    return p;
}

static size_t
find_router(const struct facts *f, const char *name)
{
    const struct topo_router *r = topo_find_router(f->topo, name);

    if (!r) {
        ovs_fatal(0, "no router %s", name);
    }
    return r - f->topo->routers;
}

/* "ROUTER/ATTACHMENT". */
static size_t
find_attachment(const struct facts *f, const char *name)
{
    for (size_t i = 0; i < f->topo->n_attachments; i++) {
        const struct topo_attachment *a = &f->topo->attachments[i];
        char *full = xasprintf("%s/%s", f->topo->routers[a->router].name,
                               a->name);
        bool same = !strcmp(full, name);

        free(full);
        if (same) {
            return i;
        }
    }
    ovs_fatal(0, "no attachment %s", name);
}

/* LSAs. */

static struct ofpbuf *
begin(enum ospf_lsa_type type, uint32_t id, uint32_t adv)
{
    struct ofpbuf *b = ofpbuf_new(64);

    put_u32(b, 0x0200 | type);
    put_u32(b, id);
    put_u32(b, adv);
    put_u32(b, 0x80000001);
    put_u32(b, 0);
    if (type == OSPF_LSA_ROUTER) {
        put_u32(b, ROUTER_FLAG_E << 24);
    }
    return b;
}

static void
end(struct lsdb *db, struct ofpbuf *b)
{
    struct ospf_lsa *lsa;

    lsa_seal(b->data, b->size);
    lsa = lsa_new(b->data, b->size, 0, 0);
    lsdb_install(db, lsa, 0);
    lsa_unref(lsa);
    ofpbuf_delete(b);
}

static void
put_link(struct ofpbuf *b, enum router_link_type type, uint32_t id,
         uint32_t data, uint32_t metric)
{
    uint8_t *n = (uint8_t *) b->data + LSA_HEADER_LEN + 2;

    store_u16(n, load_u16(n) + 1);
    put_u32(b, id);
    put_u32(b, data);
    put_u8(b, type);
    put_u8(b, 0);
    put_u16(b, metric);
}

static void
put_stub(struct ofpbuf *b, const struct prefix *p, uint32_t metric)
{
    put_link(b, LINK_STUB, ntohl(prefix_get_ip4(p)),
             ntohl(prefix_get_ip4_mask(p)), metric);
}

static void
put_own_router(const struct facts *f, const struct topo_router *r,
               struct lsdb *db)
{
    const struct topo_network *t = f->topo;
    struct ofpbuf *b = begin(OSPF_LSA_ROUTER, r->router_id, r->router_id);

    for (size_t i = 0; i < r->n_interfaces; i++) {
        const struct topo_interface *iface = &t->interfaces[r->interfaces[i]];

        put_stub(b, &t->subnets[iface->subnet].prefix, iface->cost);
    }
    for (size_t i = 0; i < r->n_attachments; i++) {
        const struct topo_attachment *a = &t->attachments[r->attachments[i]];
        const struct item *item = NULL;
        struct prefix p = prefix_from_addr(&a->address, a->plen);

        p.plen = a->plen;
        p = prefix_from_ip4(addr_get_ip4(&a->address), a->plen - 96);
        put_stub(b, &p, a->cost);
        while ((item = next_item(f, item, "neighbor", 5)) != NULL) {
            if (find_attachment(f, item->w[1]) == r->attachments[i]) {
                put_link(b, LINK_P2P, parse_ip(item->w[2]),
                         ntohl(addr_get_ip4(&a->address)), a->cost);
            }
        }
    }
    for (size_t i = 0; i < r->n_links; i++) {
        const struct topo_link *link = &t->links[r->links[i]];
        int end_ = &t->routers[link->router[0]] == r ? 0 : 1;

        put_link(b, LINK_P2P, t->routers[link->router[!end_]].router_id,
                 r->links[i] + 1, link->cost[end_]);
    }
    end(db, b);
}

static void
put_peer(const struct facts *f, uint32_t id, struct lsdb *db)
{
    struct ofpbuf *b = begin(OSPF_LSA_ROUTER, id, id);
    const struct item *item = NULL;

    while ((item = next_item(f, item, "neighbor", 5)) != NULL) {
        const struct topo_attachment *a
            = &f->topo->attachments[find_attachment(f, item->w[1])];

        if (parse_ip(item->w[2]) == id) {
            put_link(b, LINK_P2P, f->topo->routers[a->router].router_id,
                     parse_ip(item->w[3]), atoi(item->w[4]));
        }
    }
    while ((item = next_item(f, item, "link", 5)) != NULL) {
        for (int end_ = 0; end_ < 2; end_++) {
            if (parse_ip(item->w[1 + end_]) == id) {
                put_link(b, LINK_P2P, parse_ip(item->w[2 - end_]),
                         0x0a630000 + (item - f->items) * 2 + end_,
                         atoi(item->w[3 + end_]));
            }
        }
    }
    while ((item = next_item(f, item, "stub", 4)) != NULL) {
        struct prefix p = parse_prefix(item->w[2]);

        if (parse_ip(item->w[1]) == id) {
            put_stub(b, &p, atoi(item->w[3]));
        }
    }
    end(db, b);
}

static void
put_externals(const struct facts *f, struct lsdb *db)
{
    const struct item *item = NULL;

    while ((item = next_item(f, item, "external", 5)) != NULL) {
        struct prefix p = parse_prefix(item->w[2]);
        struct ofpbuf *b = begin(OSPF_LSA_EXTERNAL, ntohl(prefix_get_ip4(&p)),
                                 parse_ip(item->w[1]));

        put_u32(b, ntohl(prefix_get_ip4_mask(&p)));
        put_u32(b, (strcmp(item->w[3], "e2") ? 0 : 0x80000000)
                | atoi(item->w[4]));
        put_u32(b, item->n > 5 ? parse_ip(item->w[5]) : 0);
        put_u32(b, 0);
        end(db, b);
    }
}

static void
tell_ribs(const struct facts *f, struct route_net *net)
{
    const struct topo_network *t = f->topo;
    struct route_neighbor neighbors[MAX_ITEMS];
    struct ospf_rib *ribs[MAX_ITEMS];
    uint32_t family[MAX_ITEMS];
    const struct item *item = NULL;
    struct lsdb db, externals;
    struct rib_externals *x;
    struct spf_graph *g;
    size_t n = 0;

    lsdb_init(&db);
    lsdb_init(&externals);
    for (size_t i = 0; i < t->n_routers; i++) {
        family[i] = t->routers[i].router_id;
        put_own_router(f, &t->routers[i], &db);
    }
    for (const char *const *kind = (const char *[]) { "neighbor", "link", NULL };
         *kind; kind++) {
        while ((item = next_item(f, item, *kind, 5)) != NULL) {
            bool neighbor = **kind == 'n';

            put_peer(f, parse_ip(item->w[neighbor ? 2 : 1]), &db);
            if (!neighbor) {
                put_peer(f, parse_ip(item->w[2]), &db);
            }
        }
    }
    put_externals(f, &externals);
    g = spf_graph_build(&db, family, t->n_routers, 0);
    x = rib_externals_build(&externals, 0);

    while ((item = next_item(f, item, "neighbor", 5)) != NULL) {
        ribs[n] = rib_build(g, parse_ip(item->w[2]), x, false);
        neighbors[n] = (struct route_neighbor) {
            .router_id = parse_ip(item->w[2]),
            .attachment = find_attachment(f, item->w[1]),
            .addr = addr_from_ip4(htonl(parse_ip(item->w[3]))),
            .rib = ribs[n],
        };
        n++;
    }
    for (size_t i = 0; i < t->n_routers; i++) {
        struct ospf_rib *rib = rib_build(g, family[i], x, true);

        if (t->routers[i].transit) {
            route_net_set_rib(net, i, ROUTE_NONE, rib, neighbors, n);
        }
        ospf_rib_destroy(rib);
    }
    for (size_t i = 0; i < n; i++) {
        ospf_rib_destroy(ribs[i]);
    }
    rib_externals_destroy(x);
    spf_graph_destroy(g);
    lsdb_destroy(&db);
    lsdb_destroy(&externals);
}

/* Other facts. */

static enum route_why
parse_state(const char *s)
{
    return (!strcmp(s, "down") ? ROUTE_WHY_PORT_DOWN
            : !strcmp(s, "bfd") ? ROUTE_WHY_BFD_DOWN
            : !strcmp(s, "arp") ? ROUTE_WHY_UNRESOLVED
            : !strcmp(s, "ospf") ? ROUTE_WHY_NOT_FULL
            : !strcmp(s, "host") ? ROUTE_WHY_HOST_UNREACHABLE
            : ROUTE_WHY_ALIVE);
}

static void
tell_ways(const struct facts *f, struct route_net *net)
{
    size_t n;
    const struct route_way *const *ways = route_net_ways(net, &n);

    for (size_t i = 0; i < n; i++) {
        struct way_state state = {
            .attachment = ways[i]->attachment,
            .next_hop = ways[i]->next_hop,
            .addr = ways[i]->next_hop,
        };
        const struct item *item = NULL;

        while ((item = next_item(f, item, "way", 4)) != NULL) {
            struct in6_addr addr
                = addr_from_ip4(htonl(parse_ip(item->w[2])));

            if (find_attachment(f, item->w[1]) == state.attachment
                && ipv6_addr_equals(&addr, &state.next_hop)) {
                state.why = parse_state(item->w[3]);
            }
        }
        route_net_set_way(net, &state);
    }
}

static void
print_routes(const struct facts *f, const struct route_net *net)
{
    const struct item *item = NULL;

    for (size_t i = 0; i < f->topo->n_routers; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ds_put_format(&ds, "routes of %s:\n", f->topo->routers[i].name);
        route_format(net, i, &ds);
        ds_put_format(&ds, "advertised by %s:\n", f->topo->routers[i].name);
        route_format_adverts(net, i, &ds);
        puts(ds_cstr(&ds));
        ds_destroy(&ds);
    }
    while ((item = next_item(f, item, "explain", 4)) != NULL) {
        struct ds ds = DS_EMPTY_INITIALIZER;
        struct in6_addr addr = addr_from_ip4(htonl(parse_ip(item->w[3])));
        size_t router = find_router(f, item->w[1]);
        enum route_view view = (!strcmp(item->w[2], "subnets")
                                ? ROUTE_FROM_SUBNETS : ROUTE_FROM_ATTACHMENTS);
        const struct route_entry *e = route_net_lookup(net, router, view,
                                                       &addr);

        ds_put_format(&ds, "explain %s:\n", item->w[3]);
        if (e) {
            route_explain(net, router, view, e, &ds);
        } else {
            ds_put_cstr(&ds, "no route\n");
        }
        puts(ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

static struct topo_network *
read_topology(char *argv[], struct diags *diags)
{
    void *documents[2] = { NULL, NULL };
    struct topo_network *topo = NULL;
    struct alloc_set *empty = alloc_set_create(), *allocs = NULL;

    for (int i = 0; i < 2; i++) {
        enum model_document type = i ? MODEL_FABRIC : MODEL_CONFIG;
        size_t xsd_size, size;
        char *name = xasprintf("%s/%s", argv[1], model_schema_file_name(type));
        char *xsd = read_file(name, &xsd_size);
        char *text = read_file(argv[2 + i], &size);
        struct model_schema *schema = model_schema_create(type, xsd, xsd_size,
                                                          diags);

        if (schema && i) {
            documents[i] = model_fabric_parse(schema, argv[3], text, size,
                                              diags);
        } else if (schema) {
            documents[i] = model_config_parse(schema, argv[2], text, size,
                                              diags);
        }
        model_schema_destroy(schema);
        free(name);
        free(xsd);
        free(text);
    }
    if (documents[0] && documents[1]
        && model_config_check_fabric(documents[0], documents[1], diags)) {
        allocs = alloc_update(empty, documents[0], documents[1], diags);
    }
    if (allocs) {
        const struct model_config *config = documents[0];

        topo = topo_build(config, config->networks[0].name, documents[1],
                          allocs);
    }
    alloc_set_unref(empty);
    alloc_set_unref(allocs);
    model_config_unref(documents[0]);
    model_fabric_unref(documents[1]);
    return topo;
}

int
main(int argc, char *argv[])
{
    struct route_changes changes = ROUTE_CHANGES_INIT;
    struct diags diags = DIAGS_INITIALIZER;
    struct facts facts = { .n = 0 };
    const struct item *item = NULL;
    struct topo_network *topo;
    struct route_net *net;

    if (argc != 4) {
        ovs_fatal(0, "usage: tw-route SCHEMAS CONFIGURATION FABRIC < FACTS");
    }
    topo = read_topology(argv, &diags);
    if (!topo) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        diags_format(&diags, &ds);
        fputs(ds_cstr(&ds), stdout);
        return 1;
    }
    diags_destroy(&diags);
    facts.topo = topo;
    read_facts(&facts);
    net = route_net_create(topo);
    while ((item = next_item(&facts, item, "metric", 3)) != NULL) {
        route_net_set_metric(net, find_attachment(&facts, item->w[1]),
                             atoi(item->w[2]));
    }
    tell_ribs(&facts, net);
    route_net_run(net, &changes);
    tell_ways(&facts, net);
    route_net_run(net, &changes);
    print_routes(&facts, net);
    route_changes_uninit(&changes);
    route_net_destroy(net);
    topo_network_unref(topo);
    return 0;
}
