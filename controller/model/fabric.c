/* SPDX-License-Identifier: Apache-2.0 */

/* A fabric's elements -> 'struct model_fabric'. */

#include <config.h>
#include "controller/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/document.h"
#include "controller/model/model-private.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define MIN_SUBNET_MTU 576

static void
parse_host(struct document *doc, const xmlNode *node, struct model_host *host)
{
    struct diag *d;

    host->name = doc_string(doc, node, "name");
    host->line = doc_line(node);
    host->ovsdb = doc_string(doc, node, "ovsdb");
    host->openflow = doc_nullable_string(doc, node, "openflow");
    host->bridge = doc_string(doc, node, "bridge");
    host->tunnel = doc_address(doc, node, "tunnel");
    host->mtu = doc_u32(doc, node, "mtu");
    host->zone = doc_nullable_string(doc, node, "zone");
    host->capacity = doc_u32(doc, node, "capacity");

    if (addr_is_martian(&host->tunnel)) {
        char buf[ADDR_STRLEN];

        d = doc_error(doc, node, "tunnel address %s is not the address of one "
                      "host", addr_to_string(&host->tunnel, buf));
        diag_remedy(d, "use the host's address in the underlay");
    }
    if (host->mtu < MIN_SUBNET_MTU + MODEL_TUNNEL_OVERHEAD) {
        d = doc_error(doc, node, "mtu %u has no room for a tunnel", host->mtu);
        diag_remedy(d, "use at least %d",
                    MIN_SUBNET_MTU + MODEL_TUNNEL_OVERHEAD);
    }
}

/* Attachment points. */

static int
compare_vlans(const void *a_, const void *b_)
{
    const struct model_vlans *a = a_, *b = b_;

    return (a->first != b->first ? a->first - b->first
            : a->last - b->last);
}

/* Parses "100", "200-300" or "untagged" (also "0"). */
static bool
parse_vlan_range(const char *s, struct model_vlans *v)
{
    unsigned int first, last;
    int n = 0;

    if (!strcmp(s, "untagged")) {
        first = last = 0;
    } else if (ovs_scan(s, "%u-%u%n", &first, &last, &n) && !s[n]) {
        /* A range. */
    } else if (ovs_scan(s, "%u%n", &first, &n) && !s[n]) {
        last = first;
    } else {
        return false;
    }
    *v = (struct model_vlans) { MIN(first, 4095), MIN(last, 4095) };
    return first <= last && last <= 4094;
}

/* Sorts and joins ranges that overlap or touch. */
static size_t
normalize_vlans(struct model_vlans *vlans, size_t n)
{
    size_t n_out = 0;

    qsort(vlans, n, sizeof *vlans, compare_vlans);
    for (size_t i = 0; i < n; i++) {
        if (n_out && vlans[i].first <= vlans[n_out - 1].last + 1) {
            vlans[n_out - 1].last = MAX(vlans[n_out - 1].last, vlans[i].last);
        } else {
            vlans[n_out++] = vlans[i];
        }
    }
    return n_out;
}

static void
parse_vlans(struct document *doc, const xmlNode *node,
            struct model_point *point)
{
    char *list = doc_string(doc, node, "vlans");
    char *save_ptr = NULL;
    size_t allocated = 0;

    for (char *s = strtok_r(list, ",", &save_ptr); s;
         s = strtok_r(NULL, ",", &save_ptr)) {
        if (point->n_vlans >= allocated) {
            point->vlans = x2nrealloc(point->vlans, &allocated,
                                      sizeof *point->vlans);
        }
        if (parse_vlan_range(s, &point->vlans[point->n_vlans])) {
            point->n_vlans++;
        } else {
            struct diag *d = doc_error(doc, node, "VLANs \"%s\"", s);
            diag_remedy(d, "use \"untagged\", a VLAN ID from 1 to 4094, or a "
                        "range FIRST-LAST of them");
        }
    }
    if (point->n_vlans) {
        point->n_vlans = normalize_vlans(point->vlans, point->n_vlans);
    }
    free(list);
}

static size_t
resolve_host(struct document *doc, const xmlNode *node,
             const struct model_fabric *fabric)
{
    const char *name = doc_attr(doc, node, "host");
    size_t i = (name ? model_find_by_name(fabric->hosts, fabric->n_hosts,
                                          sizeof *fabric->hosts, name)
                : MODEL_UNRESOLVED);

    if (i == MODEL_UNRESOLVED) {
        struct diag *d = doc_error(doc, node, "there is no host \"%s\"",
                                   name ? name : "");
        diag_remedy(d, "add <host name=\"%s\" .../>, or name another",
                    name ? name : "");
    }
    return i;
}

static void
parse_point(struct document *doc, const xmlNode *node,
            const struct model_fabric *fabric, struct model_point *point)
{
    point->name = doc_string(doc, node, "name");
    point->line = doc_line(node);
    point->host = resolve_host(doc, node, fabric);
    point->port = doc_string(doc, node, "port");
    point->customer = doc_string(doc, node, "customer");
    point->mtu = doc_has(node, "mtu") ? doc_u32(doc, node, "mtu") : 0;
    point->pps = doc_u32(doc, node, "control-rate");
    parse_vlans(doc, node, point);
}

static void
parse_pin(struct document *doc, const xmlNode *node,
          const struct model_fabric *fabric, struct model_pin *pin)
{
    pin->node = doc_string(doc, node, "node");
    pin->line = doc_line(node);
    pin->host = resolve_host(doc, node, fabric);
}

/* Checks. */

static struct diag *
fabric_error(const struct model_fabric *fabric, struct document *doc, int line,
             const char *element, const char *name, const char *cause)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    struct diag *d;

    diag_path_put(&path, "fabric", NULL);
    diag_path_put(&path, element, name);
    d = diags_error(doc->diags, fabric->source, line, ds_cstr(&path), "%s",
                    cause);
    ds_destroy(&path);
    doc->failed = true;
    return d;
}

/* Reports elements that come next to each other in 'array' after sorting by
 * 'compare' without the final criterion. */
static void
check_unique_names(struct document *doc, const struct model_fabric *fabric,
                   const char *element, void *array, size_t n, size_t size)
{
    if (!n) {
        return;
    }
    qsort(array, n, size, model_compare_names);
    for (size_t i = 1; i < n; i++) {
        const struct model_named *a
            = (void *) ((char *) array + (i - 1) * size);
        const struct model_named *b = (void *) ((char *) array + i * size);

        if (!strcmp(a->name, b->name)) {
            char *cause = xasprintf("there is another <%s> for \"%s\" on line "
                                    "%d", element, a->name,
                                    MIN(a->line, b->line));
            struct diag *d = fabric_error(fabric, doc, MAX(a->line, b->line),
                                          element, a->name, cause);
            diag_remedy(d, "remove one of them");
            free(cause);
        }
    }
}

static int
compare_host_tunnels(const void *a_, const void *b_)
{
    const struct model_host *const *a = a_;
    const struct model_host *const *b = b_;

    return addr_compare(&(*a)->tunnel, &(*b)->tunnel);
}

static int
compare_host_bridges(const void *a_, const void *b_)
{
    const struct model_host *const *a = a_;
    const struct model_host *const *b = b_;
    int cmp = strcmp((*a)->ovsdb, (*b)->ovsdb);

    return cmp ? cmp : strcmp((*a)->bridge, (*b)->bridge);
}

/* Reports hosts that 'compare' says are the same. */
static void
check_unique_hosts(struct document *doc, const struct model_fabric *fabric,
                   const struct model_host **sorted,
                   int (*compare)(const void *, const void *),
                   const char *what)
{
    qsort(sorted, fabric->n_hosts, sizeof *sorted, compare);
    for (size_t i = 1; i < fabric->n_hosts; i++) {
        if (!compare(&sorted[i - 1], &sorted[i])) {
            bool order = sorted[i - 1]->line < sorted[i]->line;
            const struct model_host *a = sorted[i - order];
            const struct model_host *b = sorted[i - !order];
            char *cause = xasprintf("host \"%s\" (line %d) has the same %s",
                                    a->name, a->line, what);
            struct diag *d = fabric_error(fabric, doc, b->line, "host",
                                          b->name, cause);
            diag_remedy(d, "give each host its own");
            free(cause);
        }
    }
}

static void
check_hosts(struct document *doc, const struct model_fabric *fabric)
{
    const struct model_host **sorted;

    sorted = xcalloc(MAX(fabric->n_hosts, 1), sizeof *sorted);
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        sorted[i] = &fabric->hosts[i];
    }
    check_unique_hosts(doc, fabric, sorted, compare_host_tunnels,
                       "tunnel address");
    check_unique_hosts(doc, fabric, sorted, compare_host_bridges,
                       "bridge in the same OVSDB");
    free(sorted);
}

/* One range of VLANs on one port. */
struct grant {
    const struct model_point *point;
    struct model_vlans vlans;
};

static int
compare_grant_ports(const struct grant *a, const struct grant *b)
{
    return (a->point->host != b->point->host
            ? (a->point->host < b->point->host ? -1 : 1)
            : strcmp(a->point->port, b->point->port));
}

static int
compare_grants(const void *a_, const void *b_)
{
    const struct grant *a = a_, *b = b_;
    int cmp = compare_grant_ports(a, b);

    return (cmp ? cmp
            : a->vlans.first != b->vlans.first
            ? a->vlans.first - b->vlans.first
            : a->point->line - b->point->line);
}

/* A VLAN of a port is granted once. */
static void
check_grants(struct document *doc, const struct model_fabric *fabric)
{
    size_t n = 0, allocated = 0;
    struct grant *grants = NULL;
    const struct grant *widest = NULL;

    for (size_t i = 0; i < fabric->n_points; i++) {
        const struct model_point *point = &fabric->points[i];

        for (size_t j = 0; j < point->n_vlans; j++) {
            if (n >= allocated) {
                grants = x2nrealloc(grants, &allocated, sizeof *grants);
            }
            grants[n++] = (struct grant) { point, point->vlans[j] };
        }
    }
    if (n) {
        qsort(grants, n, sizeof *grants, compare_grants);
    }
    for (size_t i = 0; i < n; i++) {
        const struct grant *g = &grants[i];

        if (widest && !compare_grant_ports(widest, g)
            && g->vlans.first <= widest->vlans.last) {
            bool order = widest->point->line < g->point->line;
            const struct model_point *a = order ? widest->point : g->point;
            const struct model_point *b = order ? g->point : widest->point;
            char *cause = xasprintf("port \"%s\" %s%.0u is granted by \"%s\" "
                                    "(line %d) too", b->port,
                                    g->vlans.first ? "with VLAN " : "untagged",
                                    g->vlans.first, a->name, a->line);
            struct diag *d = fabric_error(fabric, doc, b->line,
                                          "attachment-point", b->name, cause);
            diag_remedy(d, "grant each VLAN of a port once");
            free(cause);
        }
        if (!widest || compare_grant_ports(widest, g)
            || g->vlans.last > widest->vlans.last) {
            widest = g;
        }
    }
    free(grants);
}

static void
parse_elements(struct document *doc, struct model_fabric *fabric)
{
    const xmlNode *node;

    fabric->hosts = xcalloc(MAX(doc_count(doc->root, "host"), 1),
                            sizeof *fabric->hosts);
    DOC_FOR_EACH (node, doc->root, "host") {
        parse_host(doc, node, &fabric->hosts[fabric->n_hosts++]);
    }
    check_unique_names(doc, fabric, "host", fabric->hosts, fabric->n_hosts,
                       sizeof *fabric->hosts);

    fabric->points = xcalloc(MAX(doc_count(doc->root, "attachment-point"), 1),
                             sizeof *fabric->points);
    DOC_FOR_EACH (node, doc->root, "attachment-point") {
        parse_point(doc, node, fabric, &fabric->points[fabric->n_points++]);
    }
    check_unique_names(doc, fabric, "attachment-point", fabric->points,
                       fabric->n_points, sizeof *fabric->points);

    fabric->pins = xcalloc(MAX(doc_count(doc->root, "pin"), 1),
                           sizeof *fabric->pins);
    DOC_FOR_EACH (node, doc->root, "pin") {
        parse_pin(doc, node, fabric, &fabric->pins[fabric->n_pins++]);
    }
    check_unique_names(doc, fabric, "pin", fabric->pins, fabric->n_pins,
                       sizeof *fabric->pins);
}

struct model_fabric *
model_fabric_parse(const struct model_schema *schema, const char *source,
                   const void *data, size_t size, struct diags *diags)
{
    struct diags own = DIAGS_INITIALIZER;
    struct model_fabric *fabric;
    struct document doc;
    bool ok;

    if (!document_open(&doc, schema, source, data, size, diags)) {
        return NULL;
    }
    doc.diags = &own;

    fabric = xzalloc(sizeof *fabric);
    fabric->ref_cnt = 1;
    fabric->source = xstrdup(source);
    fabric->mtu = UINT16_MAX;
    parse_elements(&doc, fabric);
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        fabric->mtu = MIN(fabric->mtu, fabric->hosts[i].mtu);
    }
    if (!fabric->n_hosts) {
        diag_remedy(doc_error(&doc, doc.root, "there are no hosts"),
                    "add at least one <host .../>");
    }
    check_hosts(&doc, fabric);
    check_grants(&doc, fabric);

    ok = !doc.failed;
    diags_sort(&own);
    diags_append(diags, &own);
    diags_destroy(&own);
    document_close(&doc);
    if (!ok) {
        model_fabric_unref(fabric);
        return NULL;
    }
    return fabric;
}
