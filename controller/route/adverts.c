/* SPDX-License-Identifier: Apache-2.0 */

/* What a router advertises: an AS-external-LSA for each of its destinations
 * that is to be advertised, as long as a way lives.
 *
 * The metric is the cost of the best living way; distance is never in it, for
 * whoever reads the LSA adds its own. */

#include <config.h>
#include "controller/route/route-private.h"

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "util.h"

static int
compare_adverts(const void *a_, const void *b_)
{
    const struct route_advert *a = a_;
    const struct route_advert *b = b_;

    return prefix_compare(&a->prefix, &b->prefix);
}

static bool
advert_equal(const struct route_advert *a, const struct route_advert *b)
{
    return (prefix_equal(&a->prefix, &b->prefix)
            && a->e2 == b->e2
            && a->metric == b->metric
            && ipv6_addr_equals(&a->forwarding, &b->forwarding));
}

static bool
make_advert(const struct route_net *net, const struct rt_router *r,
            const struct topo_destination *d, struct route_advert *advert)
{
    const struct rt_way *best;
    uint32_t cost;
    size_t n;

    if (d->advertise == TOPO_ADV_NO || rt_own_find(r, &d->prefix)
        || rt_own_covers(r, &d->prefix) || prefix_is_martian(&d->prefix)) {
        return false;
    }
    best = rt_best_living(net, d, &cost, &n);
    if (!best) {
        return false;
    }
    memset(advert, 0, sizeof *advert);
    advert->prefix = d->prefix;
    advert->e2 = d->advertise == TOPO_ADV_E2;
    advert->metric = MAX(cost, 1);
    if (n == 1 && net->topo->attachments[best->pub.attachment].has_ospf) {
        advert->forwarding = best->pub.addr;
    }
    return true;
}

void
rt_adverts_run(struct route_net *net, struct rt_router *r,
               struct route_changes *changes)
{
    const struct topo_router *tr = &net->topo->routers[r->index];
    struct route_advert *adverts;
    size_t n = 0;
    bool same;

    adverts = xmalloc(MAX(tr->n_destinations, 1) * sizeof *adverts);
    for (size_t i = 0; r->transit && i < tr->n_destinations; i++) {
        n += make_advert(net, r,
                         &net->topo->destinations[tr->destinations[i]],
                         &adverts[n]);
    }
    RT_SORT(adverts, n, compare_adverts);

    same = r->adverts_reported && n == r->n_adverts;
    for (size_t i = 0; same && i < n; i++) {
        same = advert_equal(&adverts[i], &r->adverts[i]);
    }
    free(r->adverts);
    r->adverts = adverts;
    r->n_adverts = n;
    r->adverts_reported = true;
    if (!same) {
        RT_PUSH(changes->adverts, changes->n_adverts,
                changes->allocated_adverts, r->index);
    }
}
