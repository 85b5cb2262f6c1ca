/* SPDX-License-Identifier: Apache-2.0 */

/* What the values of a configuration must be to each other: prefixes, addresses
 * and MACs, and what an attachment needs.  Routers, areas and links are in
 * routers-check.c; what depends on the fabric is in fabric-check.c.
 *
 * The checks also run on a document in which a reference did not resolve
 * (MODEL_UNRESOLVED), so that everything wrong with it is reported at once. */

#include <config.h>
#include "controller/model/config-check.h"

#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/model-private.h"
#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

struct diag *
check_error(const struct check *c, int line, const struct model_router *router,
            const char *element, const char *name, const char *format, ...)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    struct ds cause = DS_EMPTY_INITIALIZER;
    struct diag *d;
    va_list args;

    va_start(args, format);
    ds_put_format_valist(&cause, format, args);
    va_end(args);

    diag_path_put(&path, "customer", NULL);
    if (c->network) {
        diag_path_put(&path, "network", c->network->name);
    }
    if (router) {
        diag_path_put(&path, "router", router->name);
    }
    if (element) {
        diag_path_put(&path, element, name);
    }
    d = diags_error(c->diags, c->config->source, line, ds_cstr(&path), "%s",
                    ds_cstr(&cause));
    ds_destroy(&path);
    ds_destroy(&cause);
    return d;
}

/* Subnets. */

static int
compare_subnet_prefixes(const void *a_, const void *b_)
{
    const struct model_subnet *const *a = a_;
    const struct model_subnet *const *b = b_;
    int cmp = prefix_compare(&(*a)->prefix, &(*b)->prefix);

    return cmp ? cmp : (*a)->line - (*b)->line;
}

static void
check_subnet_overlaps(const struct check *c)
{
    const struct model_subnet *outer = NULL;

    for (size_t i = 0; i < c->network->n_subnets; i++) {
        const struct model_subnet *subnet = c->subnets[i];
        char buf[PREFIX_STRLEN];

        if (outer && prefix_overlaps(&outer->prefix, &subnet->prefix)) {
            struct diag *d = check_error(
                c, MAX(subnet->line, outer->line), NULL, "subnet",
                subnet->line > outer->line ? subnet->name : outer->name,
                "prefix %s overlaps that of subnet \"%s\" (line %d)",
                prefix_to_string(subnet->line > outer->line
                                 ? &subnet->prefix : &outer->prefix, buf),
                subnet->line > outer->line ? outer->name : subnet->name,
                MIN(subnet->line, outer->line));
            diag_remedy(d, "use prefixes that have no addresses in common, or "
                        "another network");
        } else {
            outer = subnet;
        }
    }
}

static void
check_subnets(const struct check *c)
{
    for (size_t i = 0; i < c->network->n_subnets; i++) {
        const struct model_subnet *subnet = &c->network->subnets[i];
        unsigned int length = prefix_length(&subnet->prefix);
        char buf[PREFIX_STRLEN];
        struct diag *d;

        prefix_to_string(&subnet->prefix, buf);
        if (length < 8 || length > 30) {
            d = check_error(c, subnet->line, NULL, "subnet", subnet->name,
                            "prefix %s has length %u", buf, length);
            diag_remedy(d, "use a length from 8 to 30");
        } else if (prefix_is_martian(&subnet->prefix)) {
            d = check_error(c, subnet->line, NULL, "subnet", subnet->name,
                            "prefix %s is not unicast space", buf);
            diag_remedy(d, "use a prefix such as 10.0.1.0/24");
        }
    }
    check_subnet_overlaps(c);
}

/* The subnet that has addresses in common with 'p', or NULL.  (If subnets
 * overlap, which is an error, it may miss one.) */
static const struct model_subnet *
subnet_of(const struct check *c, const struct prefix *p)
{
    size_t low = 0, high = c->network->n_subnets;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (prefix_overlaps(&c->subnets[mid]->prefix, p)) {
            return c->subnets[mid];
        } else if (prefix_compare(p, &c->subnets[mid]->prefix) < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return NULL;
}

/* Says why 'addr' can't be an address of an interface in 'p', if so. */
static void
check_usable(const struct check *c, int line, const struct model_router *router,
             const char *element, const char *name, const char *what,
             const struct in6_addr *addr, const struct prefix *p)
{
    struct in6_addr first, last;
    char a[ADDR_STRLEN], b[ADDR_STRLEN], prefix[PREFIX_STRLEN];
    struct diag *d;

    if (prefix_is_usable_host(p, addr)) {
        return;
    }
    prefix_to_string(p, prefix);
    addr_to_string(addr, a);
    if (prefix_contains(p, addr)) {
        last = prefix_last_addr(p);
        d = check_error(c, line, router, element, name,
                        "%s %s is the %s address of %s", what, a,
                        addr_compare(addr, &last) ? "network" : "broadcast",
                        prefix);
    } else {
        d = check_error(c, line, router, element, name,
                        "%s %s is outside %s", what, a, prefix);
    }
    first = prefix_first_host(p);
    last = prefix_last_host(p);
    diag_remedy(d, "use one from %s to %s", addr_to_string(&first, a),
                addr_to_string(&last, b));
}

/* Nodes. */

static void
check_further_addresses(const struct check *c, const struct model_node *node,
                        const struct model_subnet *own)
{
    for (size_t i = 0; i < node->n_addresses; i++) {
        const struct prefix *p = &node->addresses[i];
        const struct model_subnet *other = subnet_of(c, p);
        char buf[PREFIX_STRLEN];
        struct diag *d;

        prefix_to_string(p, buf);
        if (prefix_is_martian(p) || prefix_is_default(p)) {
            d = check_error(c, node->line, NULL, "node", node->name,
                            "further address %s is not unicast space", buf);
            diag_remedy(d, "use a prefix such as 10.9.0.0/24");
        } else if (other && other != own) {
            d = check_error(c, node->line, NULL, "node", node->name,
                            "further address %s is in subnet \"%s\" (line %d), "
                            "where the node is not", buf, other->name,
                            other->line);
            diag_remedy(d, "use addresses outside all subnets, or of the "
                        "node's own");
        } else if (other
                   && (!prefix_contains_prefix(&other->prefix, p)
                       || prefix_contains(p, &other->prefix.addr))) {
            d = check_error(c, node->line, NULL, "node", node->name,
                            "further address %s takes the network address of "
                            "subnet \"%s\"", buf, other->name);
            diag_remedy(d, "use a smaller prefix");
        }
    }
}

static void
check_nodes(const struct check *c)
{
    const struct model_network *network = c->network;

    for (size_t i = 0; i < network->n_nodes; i++) {
        const struct model_node *node = &network->nodes[i];
        const struct model_subnet *subnet;

        if (node->subnet == MODEL_UNRESOLVED) {
            continue;
        }
        subnet = &network->subnets[node->subnet];
        if (node->has_address) {
            check_usable(c, node->line, NULL, "node", node->name, "address",
                         &node->address, &subnet->prefix);
        }
        if (node->n_addresses) {
            check_further_addresses(c, node, subnet);
        }
    }
}

static int
compare_macs(const void *a_, const void *b_)
{
    const struct model_node *const *a = a_;
    const struct model_node *const *b = b_;
    int cmp = eth_addr_compare_3way((*a)->mac, (*b)->mac);

    return cmp ? cmp : (*a)->line - (*b)->line;
}

static void
check_macs(const struct check *c)
{
    const struct model_network *network = c->network;
    const struct model_node **sorted;
    size_t n = 0;

    sorted = xcalloc(MAX(network->n_nodes, 1), sizeof *sorted);
    for (size_t i = 0; i < network->n_nodes; i++) {
        if (network->nodes[i].has_mac) {
            sorted[n++] = &network->nodes[i];
        }
    }
    qsort(sorted, n, sizeof *sorted, compare_macs);
    for (size_t i = 1; i < n; i++) {
        if (eth_addr_equals(sorted[i - 1]->mac, sorted[i]->mac)) {
            struct diag *d = check_error(
                c, sorted[i]->line, NULL, "node", sorted[i]->name,
                "MAC address "ETH_ADDR_FMT" is also that of node \"%s\" "
                "(line %d)", ETH_ADDR_ARGS(sorted[i]->mac),
                sorted[i - 1]->name, sorted[i - 1]->line);
            diag_remedy(d, "use another one, or leave it out");
        }
    }
    free(sorted);
}

/* Addresses used once. */

/* Something that uses an address or a prefix of the network. */
struct claim {
    struct prefix prefix;
    int line;
    const struct model_router *router;  /* Or NULL: a node. */
    const char *element;
    const char *name;
};

static int
compare_claims(const void *a_, const void *b_)
{
    const struct claim *a = a_, *b = b_;
    int cmp = prefix_compare(&a->prefix, &b->prefix);

    return cmp ? cmp : a->line - b->line;
}

static void
claim_add(struct claim *claims, size_t *n, struct prefix prefix, int line,
          const struct model_router *router, const char *element,
          const char *name)
{
    claims[(*n)++] = (struct claim) {
        .prefix = prefix, .line = line, .router = router,
        .element = element, .name = name,
    };
}

static size_t
claims_collect(const struct model_network *network, struct claim **claimsp)
{
    struct claim *claims;
    size_t n = 0;

    for (size_t i = 0; i < network->n_nodes; i++) {
        n += 1 + network->nodes[i].n_addresses;
    }
    for (size_t i = 0; i < network->n_routers; i++) {
        n += (network->routers[i].n_interfaces
              + network->routers[i].n_attachments);
    }
    *claimsp = claims = xcalloc(MAX(n, 1), sizeof *claims);

    n = 0;
    for (size_t i = 0; i < network->n_nodes; i++) {
        const struct model_node *node = &network->nodes[i];

        if (node->has_address) {
            claim_add(claims, &n, prefix_host(&node->address), node->line,
                      NULL, "node", node->name);
        }
        for (size_t j = 0; j < node->n_addresses; j++) {
            claim_add(claims, &n, node->addresses[j], node->line, NULL,
                      "node", node->name);
        }
    }
    for (size_t i = 0; i < network->n_routers; i++) {
        const struct model_router *router = &network->routers[i];

        for (size_t j = 0; j < router->n_interfaces; j++) {
            const struct model_interface *iface = &router->interfaces[j];
            const char *name = (iface->subnet != MODEL_UNRESOLVED
                                ? network->subnets[iface->subnet].name : "");

            claim_add(claims, &n, prefix_host(&iface->address), iface->line,
                      router, "interface", name);
        }
        for (size_t j = 0; j < router->n_attachments; j++) {
            const struct model_attachment *att = &router->attachments[j];

            claim_add(claims, &n, prefix_host(&att->address), att->line,
                      router, "attachment", att->name);
        }
    }
    return n;
}

static void
check_claims(const struct check *c)
{
    struct claim *claims;
    size_t n = claims_collect(c->network, &claims);
    const struct claim *outer = NULL;

    qsort(claims, n, sizeof *claims, compare_claims);
    for (size_t i = 0; i < n; i++) {
        const struct claim *claim = &claims[i];

        if (outer && prefix_overlaps(&outer->prefix, &claim->prefix)) {
            const struct claim *first = outer, *later = claim;
            char buf[PREFIX_STRLEN];
            struct diag *d;

            if (first->line > later->line) {
                first = claim;
                later = outer;
            }
            if (claim->prefix.plen == 128) {
                addr_to_string(&claim->prefix.addr, buf);
            } else {
                prefix_to_string(&claim->prefix, buf);
            }
            d = check_error(c, later->line, later->router, later->element,
                            later->name, "address %s is also used by %s%s%s"
                            "%s \"%s\" (line %d)", buf,
                            first->router ? "router \"" : "",
                            first->router ? first->router->name : "",
                            first->router ? "\", " : "",
                            first->element, first->name, first->line);
            diag_remedy(d, "use another one");
        } else {
            outer = claim;
        }
    }
    free(claims);
}

/* Attachments and destinations. */

/* Whether the attachment has exactly one neighbour that BFD could watch. */
static bool
has_one_neighbor(const struct model_router *router, size_t att_idx)
{
    const struct model_attachment *att = &router->attachments[att_idx];
    const struct in6_addr *next_hop = NULL;

    if (prefix_count_hosts(&att->prefix) <= 2
        || (att->has_ospf && att->ospf.type == TOPO_P2P)) {
        return true;
    } else if (att->has_ospf) {
        return false;
    }
    for (size_t i = 0; i < router->n_destinations; i++) {
        const struct model_destination *dest = &router->destinations[i];

        for (size_t j = 0; j < dest->n_vias; j++) {
            if (dest->vias[j].attachment != att_idx) {
                continue;
            } else if (next_hop
                       && addr_compare(next_hop, &dest->vias[j].next_hop)) {
                return false;
            }
            next_hop = &dest->vias[j].next_hop;
        }
    }
    return next_hop != NULL;
}

static void
check_bfd(const struct check *c, const struct model_router *router,
          size_t att_idx)
{
    const struct model_attachment *att = &router->attachments[att_idx];
    struct diag *d;

    if (att->vlan) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "BFD together with VLAN %u", att->vlan);
        diag_remedy(d, "remove <bfd>, or use a port without a VLAN: Open "
                    "vSwitch sends BFD packets untagged");
    } else if (!has_one_neighbor(router, att_idx)) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "BFD watches one neighbour, and here it is not known "
                        "which");
        diag_remedy(d, "use network-type=\"point-to-point\", or a prefix of "
                    "length 30 or 31, or one next-hop only");
    }
}

static void
check_attachment_prefix(const struct check *c,
                        const struct model_router *router,
                        const struct model_attachment *att)
{
    const struct model_subnet *subnet;
    unsigned int length = prefix_length(&att->prefix);
    char buf[PREFIX_STRLEN];
    struct diag *d;

    prefix_to_string(&att->prefix, buf);
    if (length < 8 || length > 31) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "prefix length %u of the address", length);
        diag_remedy(d, "use a length from 8 to 31, such as 30");
        return;
    }
    if (prefix_is_martian(&att->prefix)) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "%s is not unicast space", buf);
        diag_remedy(d, "use an address such as 169.254.10.1/30");
        return;
    }
    check_usable(c, att->line, router, "attachment", att->name, "address",
                 &att->address, &att->prefix);
    subnet = subnet_of(c, &att->prefix);
    if (subnet) {
        d = check_error(c, att->line, router, "attachment", att->name,
                        "%s overlaps subnet \"%s\" (line %d)", buf,
                        subnet->name, subnet->line);
        diag_remedy(d, "use a prefix that is in no subnet");
    }
}

/* An attachment of the network, for sorting. */
struct located {
    const struct model_router *router;
    const struct model_attachment *att;
};

static int
compare_located(const void *a_, const void *b_)
{
    const struct located *a = a_, *b = b_;
    int cmp = prefix_compare(&a->att->prefix, &b->att->prefix);

    return cmp ? cmp : a->att->line - b->att->line;
}

/* Attachments' prefixes are apart, except that routers may meet on one
 * broadcast segment, each with its own address. */
static void
check_attachment_overlaps(const struct check *c)
{
    const struct model_network *network = c->network;
    const struct located *outer = NULL;
    struct located *all;
    size_t n = 0;

    for (size_t i = 0; i < network->n_routers; i++) {
        n += network->routers[i].n_attachments;
    }
    all = xcalloc(MAX(n, 1), sizeof *all);
    n = 0;
    for (size_t i = 0; i < network->n_routers; i++) {
        const struct model_router *router = &network->routers[i];

        for (size_t j = 0; j < router->n_attachments; j++) {
            all[n++] = (struct located) { router, &router->attachments[j] };
        }
    }
    qsort(all, n, sizeof *all, compare_located);
    for (size_t i = 0; i < n; i++) {
        const struct located *l = &all[i];
        char buf[PREFIX_STRLEN];

        if (outer && prefix_overlaps(&outer->att->prefix, &l->att->prefix)
            && (outer->router == l->router
                || !prefix_equal(&outer->att->prefix, &l->att->prefix))) {
            struct diag *d = check_error(
                c, l->att->line, l->router, "attachment", l->att->name,
                "%s overlaps the prefix of attachment \"%s\" (line %d)",
                prefix_to_string(&l->att->prefix, buf), outer->att->name,
                outer->att->line);
            diag_remedy(d, "give each attachment a prefix of its own");
        } else {
            outer = l;
        }
    }
    free(all);
}

static void
check_via(const struct check *c, const struct model_router *router,
          const struct model_destination *dest, const struct model_via *via)
{
    const struct model_attachment *att;
    char buf[PREFIX_STRLEN];
    struct diag *d;

    if (via->attachment == MODEL_UNRESOLVED) {
        return;
    }
    att = &router->attachments[via->attachment];
    prefix_to_string(&dest->prefix, buf);
    if (IN6_IS_ADDR_UNSPECIFIED(&via->next_hop)) {
        if (!att->has_ospf || att->ospf.type != TOPO_P2P) {
            d = check_error(c, via->line, router, "destination", buf,
                            "the way via \"%s\" needs a next-hop", att->name);
            diag_remedy(d, "add next-hop=\"...\": it can be left out only "
                        "where OSPF runs point-to-point");
        }
        return;
    }
    check_usable(c, via->line, router, "destination", buf, "next-hop",
                 &via->next_hop, &att->prefix);
    if (!addr_compare(&via->next_hop, &att->address)) {
        char hop[ADDR_STRLEN];

        d = check_error(c, via->line, router, "destination", buf,
                        "next-hop %s is the router's own address",
                        addr_to_string(&via->next_hop, hop));
        diag_remedy(d, "use the address of the customer's router");
    }
}

static void
check_destination(const struct check *c, const struct model_router *router,
                  const struct model_destination *dest)
{
    const struct model_subnet *subnet;
    char buf[PREFIX_STRLEN];
    struct diag *d;

    prefix_to_string(&dest->prefix, buf);
    if (prefix_is_martian(&dest->prefix)) {
        d = check_error(c, dest->line, router, "destination", buf,
                        "%s is not unicast space", buf);
        diag_remedy(d, "use a prefix that packets may be routed to");
    }
    subnet = subnet_of(c, &dest->prefix);
    if (subnet && prefix_contains_prefix(&subnet->prefix, &dest->prefix)) {
        d = check_error(c, dest->line, router, "destination", buf,
                        "%s is inside subnet \"%s\" (line %d)", buf,
                        subnet->name, subnet->line);
        diag_remedy(d, "remove it: subnets are reached directly");
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        const struct model_attachment *att = &router->attachments[i];

        if (prefix_contains_prefix(&att->prefix, &dest->prefix)) {
            d = check_error(c, dest->line, router, "destination", buf,
                            "%s is inside the prefix of attachment \"%s\" "
                            "(line %d)", buf, att->name, att->line);
            diag_remedy(d, "remove it: neighbours are reached directly");
        }
    }
    for (size_t i = 0; i < dest->n_vias; i++) {
        const struct model_via *via = &dest->vias[i];
        const struct model_via *prev = i ? via - 1 : NULL;

        check_via(c, router, dest, via);
        if (prev && via->attachment == prev->attachment
            && via->attachment != MODEL_UNRESOLVED
            && !addr_compare(&via->next_hop, &prev->next_hop)) {
            d = check_error(c, MAX(via->line, prev->line), router,
                            "destination", buf, "the same way is on line %d",
                            MIN(via->line, prev->line));
            diag_remedy(d, "state one cost for each way");
        }
    }
}

static void
check_router_outside(const struct check *c, const struct model_router *router)
{
    for (size_t i = 0; i < router->n_attachments; i++) {
        check_attachment_prefix(c, router, &router->attachments[i]);
        if (router->attachments[i].has_bfd) {
            check_bfd(c, router, i);
        }
    }
    for (size_t i = 0; i < router->n_destinations; i++) {
        const struct model_destination *dest = &router->destinations[i];

        check_destination(c, router, dest);
        if (i && prefix_equal(&dest->prefix, &dest[-1].prefix)) {
            char buf[PREFIX_STRLEN];
            struct diag *d;

            prefix_to_string(&dest->prefix, buf);
            d = check_error(c, dest->line, router, "destination", buf,
                            "%s is also on line %d", buf, dest[-1].line);
            diag_remedy(d, "put all its ways into one <destination>");
        }
    }
}

static void
check_interfaces(const struct check *c, const struct model_router *router)
{
    for (size_t i = 0; i < router->n_interfaces; i++) {
        const struct model_interface *iface = &router->interfaces[i];
        const struct model_subnet *subnet;

        if (iface->subnet == MODEL_UNRESOLVED) {
            continue;
        }
        subnet = &c->network->subnets[iface->subnet];
        check_usable(c, iface->line, router, "interface", subnet->name,
                     "address", &iface->address, &subnet->prefix);
        if (i && iface[-1].subnet == iface->subnet) {
            struct diag *d = check_error(
                c, iface->line, router, "interface", subnet->name,
                "there is another interface on subnet \"%s\" on line %d",
                subnet->name, iface[-1].line);
            diag_remedy(d, "remove one of them");
        }
    }
}

/* Where each (attachment point, VLAN) of the customer is used. */

struct use {
    const struct model_network *network;
    const struct model_router *router;
    const struct model_attachment *att;
};

static int
compare_uses(const void *a_, const void *b_)
{
    const struct use *a = a_, *b = b_;
    int cmp = strcmp(a->att->point, b->att->point);

    return (cmp ? cmp
            : a->att->vlan != b->att->vlan ? a->att->vlan - b->att->vlan
            : a->att->line - b->att->line);
}

static void
check_uses(const struct model_config *config, struct diags *diags)
{
    size_t n = 0, allocated = 0;
    struct use *uses = NULL;

    for (size_t i = 0; i < config->n_networks; i++) {
        const struct model_network *network = &config->networks[i];

        for (size_t j = 0; j < network->n_routers; j++) {
            const struct model_router *router = &network->routers[j];

            for (size_t k = 0; k < router->n_attachments; k++) {
                if (n >= allocated) {
                    uses = x2nrealloc(uses, &allocated, sizeof *uses);
                }
                uses[n++] = (struct use) { network, router,
                                           &router->attachments[k] };
            }
        }
    }
    if (n) {
        qsort(uses, n, sizeof *uses, compare_uses);
    }
    for (size_t i = 1; i < n; i++) {
        const struct use *u = &uses[i];

        if (!strcmp(u->att->point, u[-1].att->point)
            && u->att->vlan == u[-1].att->vlan) {
            struct check c = { config, u->network, diags, NULL };
            struct diag *d;

            d = check_error(&c, u->att->line, u->router, "attachment",
                            u->att->name, "attachment point \"%s\"%s is also "
                            "used by attachment \"%s\" (line %d)",
                            u->att->point,
                            u->att->vlan ? " with this VLAN" : " untagged",
                            u[-1].att->name, u[-1].att->line);
            diag_remedy(d, "use another VLAN or attachment point");
        }
    }
    free(uses);
}

static void
check_network(struct check *c)
{
    const struct model_network *network = c->network;

    c->subnets = xcalloc(MAX(network->n_subnets, 1), sizeof *c->subnets);
    for (size_t i = 0; i < network->n_subnets; i++) {
        c->subnets[i] = &network->subnets[i];
    }
    qsort(c->subnets, network->n_subnets, sizeof *c->subnets,
          compare_subnet_prefixes);

    check_subnets(c);
    check_nodes(c);
    check_macs(c);
    check_claims(c);
    check_attachment_overlaps(c);
    for (size_t i = 0; i < network->n_routers; i++) {
        check_interfaces(c, &network->routers[i]);
        check_router_outside(c, &network->routers[i]);
    }
    check_routers(c);
    free(c->subnets);
}

void
config_check(const struct model_config *config, struct diags *diags)
{
    for (size_t i = 0; i < config->n_networks; i++) {
        struct check c = { config, &config->networks[i], diags, NULL };

        check_network(&c);
    }
    check_uses(config, diags);
}
