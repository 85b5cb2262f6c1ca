/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration's elements -> 'struct model_config'.
 *
 * This file takes values, sorts by name, refuses duplicate names and resolves
 * references.  What the values must be to each other (addresses in subnets,
 * areas, routers in series) is in config-check.c. */

#include <config.h>
#include "controller/model/model.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/document.h"
#include "controller/model/model-private.h"
#include "util.h"

struct config_parser {
    struct document *doc;
    struct model_config *config;
};

static void
refuse_duplicate(struct document *doc, const xmlNode *parent,
                 const char *element, const char *name, int line,
                 int other_line)
{
    const xmlNode *node;
    struct diag *d;

    if (doc->diags->n >= DIAGS_MAX) {
        doc_error(doc, parent, "duplicate names");
        return;
    }
    DOC_FOR_EACH (node, parent, element) {
        if (doc_line(node) == MAX(line, other_line)
            && !strcmp(doc_attr(doc, node, "name"), name)) {
            break;
        }
    }
    d = doc_error(doc, node ? node : parent,
                  "there is another <%s> \"%s\" on line %d", element, name,
                  MIN(line, other_line));
    diag_remedy(d, "give it another name, or remove one of them");
}

/* Sorts elements that begin with 'char *name; int line;' and reports those of
 * the same name. */
static void
sort_by_name(struct document *doc, const xmlNode *parent, const char *element,
             void *array, size_t n, size_t size)
{
    if (!n) {
        return;
    }
    qsort(array, n, size, model_compare_names);
    for (size_t i = 1; i < n; i++) {
        struct model_named *a = (void *) ((char *) array + (i - 1) * size);
        struct model_named *b = (void *) ((char *) array + i * size);

        if (!strcmp(a->name, b->name)) {
            refuse_duplicate(doc, parent, element, b->name, a->line, b->line);
        }
    }
}

/* Index of the thing that attribute 'attr' of 'node' names, or MODEL_UNRESOLVED. */
static size_t
resolve(struct document *doc, const xmlNode *node, const char *attr,
        const void *array, size_t n, size_t size, const char *what)
{
    const char *name = doc_attr(doc, node, attr);
    size_t i = name ? model_find_by_name(array, n, size, name) : MODEL_UNRESOLVED;

    if (i == MODEL_UNRESOLVED) {
        struct diag *d = doc_error(doc, node, "there is no %s \"%s\"", what,
                                   name ? name : "");
        if (n) {
            const struct model_named *first = array;
            diag_remedy(d, "name one that exists, such as \"%s\"",
                        first->name);
        } else {
            diag_remedy(d, "add it");
        }
    }
    return i;
}

/* Number of 'element's in 'parent', or 0 and an error if there are too many
 * for the checks. */
static size_t
count_limited(struct document *doc, const xmlNode *parent, const char *element,
              size_t max)
{
    size_t n = doc_count(parent, element);

    if (n > max) {
        struct diag *d = doc_error(doc, parent, "%"PRIuSIZE" <%s> elements", n,
                                   element);
        diag_remedy(d, "use at most %"PRIuSIZE" in one <%s>", max,
                    parent->name);
        return 0;
    }
    return n;
}

/* Parses the children called ELEMENT of NODE into the vector MEMBER of OBJECT
 * by calling PARSE, which is an expression that uses 'child' and 'item', and
 * sorts them. */
#define PARSE_ALL(DOC, NODE, ELEMENT, MAX_N, OBJECT, MEMBER, PARSE)         \
    do {                                                                    \
        size_t n__ = count_limited(DOC, NODE, ELEMENT, MAX_N);              \
        const xmlNode *child;                                               \
                                                                            \
        (OBJECT)->MEMBER = xcalloc(MAX(n__, 1), sizeof *(OBJECT)->MEMBER);  \
        DOC_FOR_EACH (child, NODE, ELEMENT) {                               \
            if ((OBJECT)->n_##MEMBER < n__) {                               \
                void *item = &(OBJECT)->MEMBER[(OBJECT)->n_##MEMBER++];     \
                PARSE;                                                      \
            }                                                               \
        }                                                                   \
        sort_by_name(DOC, NODE, ELEMENT, (OBJECT)->MEMBER,                  \
                     (OBJECT)->n_##MEMBER, sizeof *(OBJECT)->MEMBER);       \
    } while (0)

static void
parse_policy(struct document *doc, const xmlNode *node,
             struct model_policy *policy)
{
    policy->name = doc_string(doc, node, "name");
    policy->line = doc_line(node);
    policy->delay_cost = doc_thousandths(doc, node, "delay-cost");
    policy->use_cost = doc_thousandths(doc, node, "use-cost");
    policy->loss_cost = doc_thousandths(doc, node, "loss-cost");
    policy->price_cost = doc_thousandths(doc, node, "price-cost");
    policy->floor = doc_u32(doc, node, "floor");
    policy->ceiling = doc_u32(doc, node, "ceiling");
    policy->half_life_ms
        = doc_time_us(doc, node, "half-life", 0, UINT64_C(3600000000)) / 1000;
    policy->hysteresis = doc_u32(doc, node, "hysteresis");

    if (policy->floor > policy->ceiling) {
        struct diag *d = doc_error(doc, node, "floor %"PRIu32" is above "
                                   "ceiling %"PRIu32, policy->floor,
                                   policy->ceiling);
        diag_remedy(d, "use a floor of at most %"PRIu32, policy->ceiling);
    }
}

static void
parse_subnet(struct document *doc, const xmlNode *node,
             struct model_subnet *subnet)
{
    subnet->name = doc_string(doc, node, "name");
    subnet->line = doc_line(node);
    subnet->prefix = doc_prefix(doc, node, "prefix");
    subnet->mtu = doc_has(node, "mtu") ? doc_u32(doc, node, "mtu") : 0;
}

static int
compare_prefixes(const void *a, const void *b)
{
    return prefix_compare(a, b);
}

static void
parse_node(struct document *doc, const xmlNode *xml,
           const struct model_network *network, struct model_node *node)
{
    size_t n_addresses = doc_count(xml, "address");
    const xmlNode *child;

    node->name = doc_string(doc, xml, "name");
    node->line = doc_line(xml);
    node->subnet = resolve(doc, xml, "subnet", network->subnets,
                           network->n_subnets, sizeof *network->subnets,
                           "subnet");
    node->has_mac = doc_has(xml, "mac");
    if (node->has_mac) {
        node->mac = doc_mac(doc, xml, "mac");
    }
    node->has_address = doc_has(xml, "address");
    if (node->has_address) {
        node->address = doc_address(doc, xml, "address");
    }
    node->zone = doc_has(xml, "zone") ? doc_string(doc, xml, "zone") : NULL;
    if (n_addresses) {
        node->addresses = xcalloc(n_addresses, sizeof *node->addresses);
        DOC_FOR_EACH (child, xml, "address") {
            node->addresses[node->n_addresses++]
                = doc_prefix(doc, child, "prefix");
        }
        qsort(node->addresses, n_addresses, sizeof *node->addresses,
              compare_prefixes);
    }
}

static void
parse_interface(struct document *doc, const xmlNode *node,
                const struct model_network *network,
                struct model_interface *iface)
{
    iface->line = doc_line(node);
    iface->subnet = resolve(doc, node, "subnet", network->subnets,
                            network->n_subnets, sizeof *network->subnets,
                            "subnet");
    iface->address = doc_address(doc, node, "address");
    iface->cost = doc_u32(doc, node, "cost");
    iface->area = doc_area(doc, node, "area");
}

static int
compare_interfaces(const void *a_, const void *b_)
{
    const struct model_interface *a = a_, *b = b_;

    return (a->subnet != b->subnet ? (a->subnet < b->subnet ? -1 : 1)
            : a->line - b->line);
}

static void
parse_interfaces(struct document *doc, const xmlNode *xml,
                 const struct model_network *network,
                 struct model_router *router)
{
    const xmlNode *child;

    router->interfaces = xcalloc(MAX(doc_count(xml, "interface"), 1),
                                 sizeof *router->interfaces);
    DOC_FOR_EACH (child, xml, "interface") {
        parse_interface(doc, child, network,
                        &router->interfaces[router->n_interfaces++]);
    }
    qsort(router->interfaces, router->n_interfaces,
          sizeof *router->interfaces, compare_interfaces);
}

static void
parse_ospf(struct document *doc, const xmlNode *node, struct topo_ospf *ospf)
{
    const char *type = doc_attr(doc, node, "network-type");

    ospf->area = doc_area(doc, node, "area");
    ospf->type = (type && !strcmp(type, "point-to-point")
                  ? TOPO_P2P : TOPO_BROADCAST);
    ospf->hello_interval = doc_u32(doc, node, "hello-interval");
    ospf->dead_interval = (doc_has(node, "dead-interval")
                           ? doc_u32(doc, node, "dead-interval")
                           : 4 * ospf->hello_interval);
    ospf->priority = doc_u32(doc, node, "priority");
    if (ospf->dead_interval <= ospf->hello_interval) {
        struct diag *d = doc_error(doc, node, "dead-interval %"PRIu32" is not "
                                   "longer than hello-interval %u",
                                   ospf->dead_interval, ospf->hello_interval);
        diag_remedy(d, "use four times hello-interval, %u, if the neighbours "
                    "do", 4 * ospf->hello_interval);
    }
}

static void
parse_attachment(struct config_parser *p, const xmlNode *node,
                 struct model_attachment *att)
{
    struct document *doc = p->doc;
    const xmlNode *child;

    att->name = doc_string(doc, node, "name");
    att->line = doc_line(node);
    att->point = doc_string(doc, node, "point");
    att->vlan = doc_has(node, "vlan") ? doc_u32(doc, node, "vlan") : 0;
    doc_interface(doc, node, "address", &att->address, &att->prefix);
    att->mtu = doc_has(node, "mtu") ? doc_u32(doc, node, "mtu") : 0;
    att->cost = doc_u32(doc, node, "cost");
    if (doc_has(node, "policy")) {
        att->policy = doc_string(doc, node, "policy");
        resolve(doc, node, "policy", p->config->policies,
                p->config->n_policies, sizeof *p->config->policies,
                "cost policy");
    }
    DOC_FOR_EACH (child, node, "ospf") {
        att->has_ospf = true;
        parse_ospf(doc, child, &att->ospf);
    }
    DOC_FOR_EACH (child, node, "bfd") {
        att->has_bfd = true;
        att->bfd.interval_ms
            = doc_time_us(doc, child, "interval", 10 * 1000,
                          10 * 1000 * 1000) / 1000;
        att->bfd.multiplier = doc_u32(doc, child, "multiplier");
    }
}

static int
compare_vias(const void *a_, const void *b_)
{
    const struct model_via *a = a_, *b = b_;

    return (a->attachment != b->attachment
            ? (a->attachment < b->attachment ? -1 : 1)
            : addr_compare(&a->next_hop, &b->next_hop));
}

static void
parse_destination(struct document *doc, const xmlNode *node,
                  const struct model_router *router,
                  struct model_destination *dest)
{
    const char *advertise = doc_attr(doc, node, "advertise");
    const xmlNode *child;

    dest->line = doc_line(node);
    dest->prefix = doc_prefix(doc, node, "prefix");
    dest->advertise = (advertise && !strcmp(advertise, "no") ? TOPO_ADV_NO
                       : advertise && !strcmp(advertise, "e1") ? TOPO_ADV_E1
                       : TOPO_ADV_E2);
    dest->vias = xcalloc(MAX(doc_count(node, "via"), 1), sizeof *dest->vias);
    DOC_FOR_EACH (child, node, "via") {
        struct model_via *via = &dest->vias[dest->n_vias++];

        via->line = doc_line(child);
        via->attachment = resolve(doc, child, "attachment",
                                  router->attachments, router->n_attachments,
                                  sizeof *router->attachments, "attachment");
        via->next_hop = (doc_has(child, "next-hop")
                         ? doc_address(doc, child, "next-hop") : in6addr_any);
        via->cost = doc_u32(doc, child, "cost");
    }
    qsort(dest->vias, dest->n_vias, sizeof *dest->vias, compare_vias);
}

static int
compare_destinations(const void *a_, const void *b_)
{
    const struct model_destination *a = a_, *b = b_;
    int cmp = prefix_compare(&a->prefix, &b->prefix);

    return cmp ? cmp : a->line - b->line;
}

static void
parse_destinations(struct document *doc, const xmlNode *node,
                   struct model_router *router)
{
    const xmlNode *child;

    router->destinations = xcalloc(MAX(doc_count(node, "destination"), 1),
                                   sizeof *router->destinations);
    DOC_FOR_EACH (child, node, "destination") {
        parse_destination(doc, child, router,
                          &router->destinations[router->n_destinations++]);
    }
    qsort(router->destinations, router->n_destinations,
          sizeof *router->destinations, compare_destinations);
}

/* The area of a router is what is first stated on it, or else on a link of it;
 * the check compares the others with that. */
static uint32_t
router_area(const struct model_network *network,
            const struct model_router *router)
{
    size_t idx = router - network->routers;
    uint32_t area = 0;
    int line = INT_MAX;

    for (size_t i = 0; i < router->n_interfaces; i++) {
        if (router->interfaces[i].line < line) {
            line = router->interfaces[i].line;
            area = router->interfaces[i].area;
        }
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        const struct model_attachment *att = &router->attachments[i];

        if (att->has_ospf && att->line < line) {
            line = att->line;
            area = att->ospf.area;
        }
    }
    for (size_t i = 0; i < network->n_links && line == INT_MAX; i++) {
        const struct model_link *link = &network->links[i];

        if (link->router[0] == idx || link->router[1] == idx) {
            return link->area;
        }
    }
    return area;
}

static void
parse_router(struct config_parser *p, const xmlNode *node,
             const struct model_network *network, struct model_router *router)
{
    struct document *doc = p->doc;
    const char *transit = doc_attr(doc, node, "transit");
    struct in6_addr id;

    router->name = doc_string(doc, node, "name");
    router->line = doc_line(node);
    id = doc_address(doc, node, "router-id");
    router->router_id = ntohl(addr_get_ip4(&id));
    router->transit = !transit || strcmp(transit, "no");

    parse_interfaces(doc, node, network, router);

    PARSE_ALL(doc, node, "attachment", MODEL_MAX_ATTACHMENTS, router,
              attachments, parse_attachment(p, child, item));

    parse_destinations(doc, node, router);
}

static void
parse_link(struct document *doc, const xmlNode *node,
           const struct model_network *network, struct model_link *link)
{
    link->name = doc_string(doc, node, "name");
    link->line = doc_line(node);
    for (int i = 0; i < 2; i++) {
        link->router[i] = resolve(doc, node, i ? "b" : "a", network->routers,
                                  network->n_routers,
                                  sizeof *network->routers, "router");
    }
    link->cost[0] = doc_u32(doc, node, "cost-ab");
    link->cost[1] = (doc_has(node, "cost-ba") ? doc_u32(doc, node, "cost-ba")
                     : link->cost[0]);
    link->area = doc_area(doc, node, "area");
}

static void
parse_network(struct config_parser *p, const xmlNode *node,
              struct model_network *network)
{
    struct document *doc = p->doc;

    network->name = doc_string(doc, node, "name");
    network->line = doc_line(node);
    PARSE_ALL(doc, node, "subnet", MODEL_MAX_SUBNETS, network, subnets,
              parse_subnet(doc, child, item));
    PARSE_ALL(doc, node, "node", MODEL_MAX_NODES, network, nodes,
              parse_node(doc, child, network, item));
    PARSE_ALL(doc, node, "router", MODEL_MAX_ROUTERS, network, routers,
              parse_router(p, child, network, item));
    PARSE_ALL(doc, node, "link", MODEL_MAX_LINKS, network, links,
              parse_link(doc, child, network, item));
    for (size_t i = 0; i < network->n_routers; i++) {
        network->routers[i].area = router_area(network, &network->routers[i]);
    }
}

struct model_config *
model_config_parse(const struct model_schema *schema, const char *source,
                   const void *data, size_t size, struct diags *diags)
{
    struct diags own = DIAGS_INITIALIZER;
    struct model_config *config;
    struct document doc;
    bool ok;

    if (!document_open(&doc, schema, source, data, size, diags)) {
        return NULL;
    }
    doc.diags = &own;

    config = xzalloc(sizeof *config);
    config->ref_cnt = 1;
    config->source = xstrdup(source);
    config->customer = doc_string(&doc, doc.root, "name");
    config->line = doc_line(doc.root);

    struct config_parser p = { .doc = &doc, .config = config };
    PARSE_ALL(&doc, doc.root, "cost-policy", MODEL_MAX_POLICIES, config,
              policies, parse_policy(&doc, child, item));
    PARSE_ALL(&doc, doc.root, "network", MODEL_MAX_NETWORKS, config, networks,
              parse_network(&p, child, item));
    config_check(config, &own);

    ok = !doc.failed && !diags_has_errors(&own);
    diags_sort(&own);
    diags_append(diags, &own);
    diags_destroy(&own);
    document_close(&doc);
    if (!ok) {
        model_config_unref(config);
        return NULL;
    }
    return config;
}
