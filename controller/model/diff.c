/* SPDX-License-Identifier: Apache-2.0 */

/* Differences of two configurations, for people: see diff.h.
 *
 * Both are flattened into sorted lists of objects, each with its attributes as
 * "name=value" texts, and the lists are merged. */

#include <config.h>
#include "controller/model/diff.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "controller/model/model.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "svec.h"
#include "util.h"

/* One object.  'name' sorts parents before children: its parts are separated by
 * '\n', which sorts before whatever is in a name. */
struct flat_object {
    char *name;
    char *network;
    struct svec attrs;          /* "cost=100", the same names in each object of
                                 * a kind, in the same order. */
};

struct flat {
    struct flat_object *objects;
    size_t n, allocated;
    const char *network;        /* Of the objects that are being added. */
};

static struct flat_object *
flat_add(struct flat *flat, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

static struct flat_object *
flat_add(struct flat *flat, const char *format, ...)
{
    struct flat_object *o;
    va_list args;

    if (flat->n >= flat->allocated) {
        flat->objects = x2nrealloc(flat->objects, &flat->allocated,
                                   sizeof *flat->objects);
    }
    o = &flat->objects[flat->n++];
    va_start(args, format);
    o->name = xvasprintf(format, args);
    va_end(args);
    o->network = nullable_xstrdup(flat->network);
    svec_init(&o->attrs);
    return o;
}

static void
attr(struct flat_object *o, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

static void
attr(struct flat_object *o, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    svec_add_nocopy(&o->attrs, xvasprintf(format, args));
    va_end(args);
}

static void
attr_addr(struct flat_object *o, const char *name, const struct in6_addr *addr)
{
    char buf[ADDR_STRLEN];

    attr(o, "%s=%s", name,
         IN6_IS_ADDR_UNSPECIFIED(addr) ? "" : addr_to_string(addr, buf));
}

/* For numbers whose 0 stands for "not stated". */
static void
attr_unless_0(struct flat_object *o, const char *name, unsigned int n)
{
    if (n) {
        attr(o, "%s=%u", name, n);
    } else {
        attr(o, "%s=", name);
    }
}

static void
attr_thousandths(struct flat_object *o, const char *name, uint32_t n)
{
    char buf[16];
    int len = snprintf(buf, sizeof buf, "%u.%03u", n / 1000, n % 1000);

    while (buf[len - 1] == '0') {
        len--;
    }
    len -= buf[len - 1] == '.';
    attr(o, "%s=%.*s", name, len, buf);
}

static void
flatten_policy(struct flat *flat, const struct model_policy *policy)
{
    struct flat_object *o = flat_add(flat, "cost-policy %s", policy->name);

    attr_thousandths(o, "delay-cost", policy->delay_cost);
    attr_thousandths(o, "use-cost", policy->use_cost);
    attr_thousandths(o, "loss-cost", policy->loss_cost);
    attr_thousandths(o, "price-cost", policy->price_cost);
    attr(o, "floor=%u", policy->floor);
    attr(o, "ceiling=%u", policy->ceiling);
    attr(o, "half-life=%ums", policy->half_life_ms);
    attr(o, "hysteresis=%u", policy->hysteresis);
}

static void
flatten_node(struct flat *flat, const struct model_network *network,
             const struct model_node *node)
{
    struct flat_object *o = flat_add(flat, "network %s\nnode %s",
                                     network->name, node->name);
    struct ds s = DS_EMPTY_INITIALIZER;

    attr(o, "subnet=%s", network->subnets[node->subnet].name);
    if (node->has_mac) {
        attr(o, "mac="ETH_ADDR_FMT, ETH_ADDR_ARGS(node->mac));
    } else {
        attr(o, "mac=");
    }
    attr_addr(o, "address", node->has_address ? &node->address : &in6addr_any);
    attr(o, "zone=%s", node->zone ? node->zone : "");
    for (size_t i = 0; i < node->n_addresses; i++) {
        ds_put_cstr(&s, i ? " " : "");
        prefix_format(&node->addresses[i], &s);
    }
    attr(o, "addresses=%s", ds_cstr(&s));
    ds_destroy(&s);
}

static void
flatten_attachment(struct flat *flat, const char *prefix,
                   const struct model_attachment *att)
{
    struct flat_object *o = flat_add(flat, "%s\nattachment %s", prefix,
                                     att->name);
    char buf[ADDR_STRLEN];

    attr(o, "point=%s", att->point);
    attr_unless_0(o, "vlan", att->vlan);
    attr(o, "address=%s/%u", addr_to_string(&att->address, buf),
         prefix_length(&att->prefix));
    attr_unless_0(o, "mtu", att->mtu);
    attr(o, "cost=%u", att->cost);
    attr(o, "policy=%s", att->policy ? att->policy : "");
    if (att->has_ospf) {
        attr(o, "ospf=area "IP_FMT" %s hello-interval %u dead-interval %u "
             "priority %u", IP_ARGS(htonl(att->ospf.area)),
             att->ospf.type == TOPO_P2P ? "point-to-point" : "broadcast",
             att->ospf.hello_interval, att->ospf.dead_interval,
             att->ospf.priority);
    } else {
        attr(o, "ospf=");
    }
    if (att->has_bfd) {
        attr(o, "bfd=%ums x %u", att->bfd.interval_ms, att->bfd.multiplier);
    } else {
        attr(o, "bfd=");
    }
}

static void
flatten_destination(struct flat *flat, const char *prefix,
                    const struct model_router *router,
                    const struct model_destination *dest)
{
    static const char *const advertise[] = { "no", "e1", "e2" };
    char buf[PREFIX_STRLEN], hop[ADDR_STRLEN];
    struct flat_object *o;

    prefix_to_string(&dest->prefix, buf);
    o = flat_add(flat, "%s\ndestination %s", prefix, buf);
    attr(o, "advertise=%s", advertise[dest->advertise]);
    for (size_t i = 0; i < dest->n_vias; i++) {
        const struct model_via *via = &dest->vias[i];

        o = flat_add(flat, "%s\ndestination %s\nvia %s%s%s", prefix, buf,
                     router->attachments[via->attachment].name,
                     IN6_IS_ADDR_UNSPECIFIED(&via->next_hop) ? "" : " ",
                     IN6_IS_ADDR_UNSPECIFIED(&via->next_hop) ? ""
                     : addr_to_string(&via->next_hop, hop));
        attr(o, "cost=%u", via->cost);
    }
}

static void
flatten_router(struct flat *flat, const struct model_network *network,
               const struct model_router *router)
{
    struct flat_object *o = flat_add(flat, "network %s\nrouter %s",
                                     network->name, router->name);
    char *prefix = xstrdup(o->name);

    attr(o, "router-id="IP_FMT, IP_ARGS(htonl(router->router_id)));
    attr(o, "transit=%s", router->transit ? "yes" : "no");
    for (size_t i = 0; i < router->n_interfaces; i++) {
        const struct model_interface *iface = &router->interfaces[i];

        o = flat_add(flat, "%s\ninterface %s", prefix,
                     network->subnets[iface->subnet].name);
        attr_addr(o, "address", &iface->address);
        attr(o, "cost=%u", iface->cost);
        attr(o, "area="IP_FMT, IP_ARGS(htonl(iface->area)));
    }
    for (size_t i = 0; i < router->n_attachments; i++) {
        flatten_attachment(flat, prefix, &router->attachments[i]);
    }
    for (size_t i = 0; i < router->n_destinations; i++) {
        flatten_destination(flat, prefix, router, &router->destinations[i]);
    }
    free(prefix);
}

static void
flatten_network(struct flat *flat, const struct model_network *network)
{
    struct flat_object *o;

    flat->network = network->name;
    flat_add(flat, "network %s", network->name);
    for (size_t i = 0; i < network->n_subnets; i++) {
        const struct model_subnet *subnet = &network->subnets[i];
        char buf[PREFIX_STRLEN];

        o = flat_add(flat, "network %s\nsubnet %s", network->name,
                     subnet->name);
        attr(o, "prefix=%s", prefix_to_string(&subnet->prefix, buf));
        attr_unless_0(o, "mtu", subnet->mtu);
    }
    for (size_t i = 0; i < network->n_nodes; i++) {
        flatten_node(flat, network, &network->nodes[i]);
    }
    for (size_t i = 0; i < network->n_routers; i++) {
        flatten_router(flat, network, &network->routers[i]);
    }
    for (size_t i = 0; i < network->n_links; i++) {
        const struct model_link *link = &network->links[i];

        o = flat_add(flat, "network %s\nlink %s", network->name, link->name);
        attr(o, "a=%s", network->routers[link->router[0]].name);
        attr(o, "b=%s", network->routers[link->router[1]].name);
        attr(o, "cost-ab=%u", link->cost[0]);
        attr(o, "cost-ba=%u", link->cost[1]);
        attr(o, "area="IP_FMT, IP_ARGS(htonl(link->area)));
    }
    flat->network = NULL;
}

static int
compare_objects(const void *a_, const void *b_)
{
    const struct flat_object *a = a_, *b = b_;

    return strcmp(a->name, b->name);
}

static void
flatten(const struct model_config *config, struct flat *flat)
{
    *flat = (struct flat) { NULL, 0, 0, NULL };
    if (!config) {
        return;
    }
    for (size_t i = 0; i < config->n_policies; i++) {
        flatten_policy(flat, &config->policies[i]);
    }
    for (size_t i = 0; i < config->n_networks; i++) {
        flatten_network(flat, &config->networks[i]);
    }
    if (flat->n) {
        qsort(flat->objects, flat->n, sizeof *flat->objects, compare_objects);
    }
}

static void
flat_destroy(struct flat *flat)
{
    for (size_t i = 0; i < flat->n; i++) {
        free(flat->objects[i].name);
        free(flat->objects[i].network);
        svec_destroy(&flat->objects[i].attrs);
    }
    free(flat->objects);
}

/* "cost 100 -> 300, mtu 1400 -> none", or NULL if there is no difference. */
static char *
compare_attrs(const struct flat_object *a, const struct flat_object *b)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < a->attrs.n && i < b->attrs.n; i++) {
        const char *old = a->attrs.names[i], *new = b->attrs.names[i];
        size_t name_len = strcspn(old, "=");

        if (strcmp(old, new)) {
            const char *from = old + name_len + 1, *to = new + name_len + 1;

            ds_put_format(&s, "%s%.*s %s -> %s", s.length ? ", " : "",
                          (int) name_len, old, *from ? from : "none",
                          *to ? to : "none");
        }
    }
    return s.length ? ds_steal_cstr(&s) : NULL;
}

/* Whether 'name' is inside the object called 'outer'. */
static bool
is_inside(const char *name, const char *outer)
{
    size_t n = strlen(outer);

    return !strncmp(name, outer, n) && name[n] == '\n';
}

static void
add_change(struct model_diff *diff, size_t *allocated,
           enum model_change_type type, const struct flat_object *o,
           char *what)
{
    struct model_change *c;
    struct ds name = DS_EMPTY_INITIALIZER;

    if (diff->n >= *allocated) {
        diff->changes = x2nrealloc(diff->changes, allocated,
                                   sizeof *diff->changes);
    }
    for (const char *p = o->name; *p; p++) {
        if (*p == '\n') {
            ds_put_cstr(&name, ", ");
        } else {
            ds_put_char(&name, *p);
        }
    }
    c = &diff->changes[diff->n++];
    c->type = type;
    c->object = ds_steal_cstr(&name);
    c->network = nullable_xstrdup(o->network);
    c->what = what;
}

/* Index of the first object after '*i' that is not inside it. */
static size_t
skip_inside(const struct flat *flat, size_t i)
{
    size_t next = i + 1;

    while (next < flat->n
           && is_inside(flat->objects[next].name, flat->objects[i].name)) {
        next++;
    }
    return next;
}

/* "with 3 objects in it", for what is added or removed as a whole. */
static char *
describe_whole(size_t n_inside)
{
    return (n_inside ? xasprintf("with %"PRIuSIZE" object%s in it", n_inside,
                                 n_inside == 1 ? "" : "s")
            : NULL);
}

void
model_diff(const struct model_config *old, const struct model_config *new,
           struct model_diff *diff)
{
    struct flat a, b;
    size_t allocated = 0;
    size_t i = 0, j = 0;

    *diff = (struct model_diff) { NULL, 0 };
    flatten(old, &a);
    flatten(new, &b);
    while (i < a.n || j < b.n) {
        int cmp = (i >= a.n ? 1 : j >= b.n ? -1
                   : compare_objects(&a.objects[i], &b.objects[j]));

        if (cmp < 0) {
            size_t next = skip_inside(&a, i);

            add_change(diff, &allocated, MODEL_REMOVED, &a.objects[i],
                       describe_whole(next - i - 1));
            i = next;
        } else if (cmp > 0) {
            size_t next = skip_inside(&b, j);

            add_change(diff, &allocated, MODEL_ADDED, &b.objects[j],
                       describe_whole(next - j - 1));
            j = next;
        } else {
            char *what = compare_attrs(&a.objects[i], &b.objects[j]);

            if (what) {
                add_change(diff, &allocated, MODEL_CHANGED, &b.objects[j],
                           what);
            }
            i++, j++;
        }
    }
    flat_destroy(&a);
    flat_destroy(&b);
}

void
model_diff_destroy(struct model_diff *diff)
{
    for (size_t i = 0; i < diff->n; i++) {
        free(diff->changes[i].object);
        free(diff->changes[i].network);
        free(diff->changes[i].what);
    }
    free(diff->changes);
    *diff = (struct model_diff) { NULL, 0 };
}

void
model_diff_format(const struct model_diff *diff, struct ds *s)
{
    for (size_t i = 0; i < diff->n; i++) {
        const struct model_change *c = &diff->changes[i];

        ds_put_format(s, "%c %s%s%s\n",
                      (c->type == MODEL_ADDED ? '+'
                       : c->type == MODEL_REMOVED ? '-' : '~'),
                      c->object, c->what ? ": " : "", c->what ? c->what : "");
    }
}

struct json *
model_diff_to_json(const struct model_diff *diff)
{
    static const char *const types[] = { "added", "removed", "changed" };
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < diff->n; i++) {
        const struct model_change *c = &diff->changes[i];
        struct json *json = json_object_create();

        json_object_put_string(json, "type", types[c->type]);
        json_object_put_string(json, "object", c->object);
        if (c->network) {
            json_object_put_string(json, "network", c->network);
        }
        if (c->what) {
            json_object_put_string(json, "what", c->what);
        }
        json_array_add(array, json);
    }
    return array;
}
