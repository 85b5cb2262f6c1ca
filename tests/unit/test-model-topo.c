/* SPDX-License-Identifier: Apache-2.0 */

/* Topologies: MAC addresses, distances against an obvious algorithm, and
 * building.  What a built topology holds is in tests/golden/model. */

#include <config.h>

#include "controller/model/alloc.h"
#include "controller/model/topo.h"
#include "packets.h"
#include "tests/unit/model-docs.h"
#include "tests/unit/tw-cunit.h"

static void
test_mac(void)
{
    struct eth_addr mac = topo_mac(TOPO_WAY, 0x12345678);
    struct eth_addr expected = ETH_ADDR_C(0e, 08, 12, 34, 56, 78);

    CU_ASSERT(eth_addr_equals(mac, expected));
    CU_ASSERT(!eth_addr_is_multicast(mac));
    CU_ASSERT(!eth_addr_equals(mac, topo_mac(TOPO_NODE, 0x12345678)));
    CU_ASSERT(!eth_addr_equals(mac, topo_mac(TOPO_WAY, 0x12345679)));
}

/* A topology of routers and links alone, on the heap as topo_network_unref()
 * wants it. */
static struct topo_network *
random_routers(struct tw_random *r)
{
    struct topo_network *topo = xzalloc(sizeof *topo);
    size_t n = 1 + tw_random_range(r, 9);

    topo->ref_cnt = 1;
    topo->n_routers = n;
    topo->routers = xcalloc(n, sizeof *topo->routers);
    topo->n_links = n > 1 ? tw_random_range(r, 2 * n) : 0;
    topo->links = xcalloc(MAX(topo->n_links, 1), sizeof *topo->links);
    for (size_t i = 0; i < n; i++) {
        topo->routers[i].links = xcalloc(MAX(topo->n_links, 1),
                                         sizeof *topo->routers[i].links);
    }
    for (size_t i = 0; i < topo->n_links; i++) {
        struct topo_link *link = &topo->links[i];

        link->id = 1 + (i * 7) % topo->n_links * 100 + tw_random_range(r, 50);
        link->router[0] = tw_random_range(r, n);
        link->router[1] = (link->router[0] + 1 + tw_random_range(r, n - 1)) % n;
        for (int j = 0; j < 2; j++) {
            struct topo_router *router = &topo->routers[link->router[j]];

            link->cost[j] = 1 + tw_random_range(r, 4);
            router->links[router->n_links++] = i;
        }
    }
    return topo;
}

/* Bellman-Ford. */
static void
slow_distances(const struct topo_network *topo, size_t from, uint32_t *dist)
{
    for (size_t i = 0; i < topo->n_routers; i++) {
        dist[i] = i == from ? 0 : UINT32_MAX;
    }
    for (size_t round = 0; round < topo->n_routers; round++) {
        for (size_t i = 0; i < topo->n_links; i++) {
            const struct topo_link *link = &topo->links[i];

            for (int j = 0; j < 2; j++) {
                if (dist[link->router[j]] != UINT32_MAX) {
                    dist[link->router[!j]]
                        = MIN(dist[link->router[!j]],
                              dist[link->router[j]] + link->cost[j]);
                }
            }
        }
    }
}

/* The link with the smallest identifier that begins a shortest path from 'from'
 * to 'to'. */
static size_t
slow_next(const struct topo_network *topo, size_t from, size_t to)
{
    uint32_t *dist = xcalloc(topo->n_routers, sizeof *dist);
    uint32_t total;
    size_t best = SIZE_MAX;

    slow_distances(topo, from, dist);
    total = dist[to];
    for (size_t i = 0; i < topo->n_links && from != to; i++) {
        const struct topo_link *link = &topo->links[i];

        for (int j = 0; j < 2; j++) {
            if (link->router[j] == from && total != UINT32_MAX) {
                slow_distances(topo, link->router[!j], dist);
                if (dist[to] != UINT32_MAX
                    && link->cost[j] + dist[to] == total
                    && (best == SIZE_MAX
                        || link->id < topo->links[best].id)) {
                    best = i;
                }
            }
        }
    }
    free(dist);
    return best;
}

static void
test_link_distances(void)
{
    struct tw_random r;

    tw_random_init(&r, 1);
    for (int round = 0; round < 1000; round++) {
        struct topo_network *topo = random_routers(&r);
        uint32_t *dist = xcalloc(topo->n_routers, sizeof *dist);
        uint32_t *slow = xcalloc(topo->n_routers, sizeof *slow);
        size_t *next = xcalloc(topo->n_routers, sizeof *next);
        bool ok = true;

        for (size_t from = 0; from < topo->n_routers; from++) {
            topo_link_distances(topo, from, dist, next);
            slow_distances(topo, from, slow);
            for (size_t to = 0; to < topo->n_routers; to++) {
                ok = ok && dist[to] == slow[to]
                     && next[to] == slow_next(topo, from, to);
            }
        }
        CU_ASSERT(ok);
        free(dist);
        free(slow);
        free(next);
        topo_network_unref(topo);
    }
}

static const char fabric_text[] =
    DOCS_FABRIC_BEGIN
    "<host name=\"h1\" ovsdb=\"tcp:1.1.1.1:1\" tunnel=\"1.1.1.1\"/>"
    "<attachment-point name=\"p\" host=\"h1\" port=\"x\" customer=\"acme\"/>"
    DOCS_FABRIC_END;
static const char config_text[] =
    DOCS_CONFIG_BEGIN "<network name=\"n\">"
    "<subnet name=\"b\" prefix=\"10.0.2.0/24\"/>"
    "<subnet name=\"a\" prefix=\"10.0.1.0/24\"/>"
    "<node name=\"y\" subnet=\"b\"/><node name=\"x\" subnet=\"a\"/>"
    /* "r-1/a" sorts before "r/a", although "r" sorts before "r-1". */
    "<router name=\"r\" router-id=\"1.1.1.1\">"
    "<interface subnet=\"b\" address=\"10.0.2.1\"/>"
    "<interface subnet=\"a\" address=\"10.0.1.1\"/>"
    "<attachment name=\"z\" point=\"p\" address=\"169.254.1.1/30\"/></router>"
    "<router name=\"r-1\" router-id=\"1.1.1.2\">"
    "<interface subnet=\"a\" address=\"10.0.1.2\"/></router>"
    "<link name=\"l\" a=\"r-1\" b=\"r\"/>"
    "</network><network name=\"empty\"/>" DOCS_CONFIG_END;

static void
test_build(void)
{
    struct model_fabric *fabric = docs_fabric(fabric_text);
    struct model_config *config = docs_config(config_text);
    struct diags diags = DIAGS_INITIALIZER;
    struct alloc_set *none = alloc_set_create();
    struct alloc_set *allocs = alloc_update(none, config, fabric, &diags);
    struct topo_network *topo;

    CU_ASSERT_PTR_NULL(topo_build(config, "n", fabric, none));
    CU_ASSERT_PTR_NULL(topo_build(config, "m", fabric, allocs));
    topo = topo_build(config, "empty", fabric, allocs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(topo);
    CU_ASSERT_EQUAL(topo->n_routers, 0);
    topo_network_unref(topo);

    topo = topo_build(config, "n", fabric, allocs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(topo);
    CU_ASSERT_STRING_EQUAL(topo->nodes[0].iface_id, "acme/n/x");
    CU_ASSERT_EQUAL(topo_find_node(topo, "y"), &topo->nodes[1]);
    CU_ASSERT_PTR_NULL(topo_find_node(topo, "z"));
    CU_ASSERT_EQUAL(topo_find_router(topo, "r-1"), &topo->routers[1]);
    CU_ASSERT_PTR_NULL(topo_find_router(topo, "q"));
    CU_ASSERT_STRING_EQUAL(topo->subnets[0].name, "a");
    for (size_t i = 0; i < topo->n_interfaces; i++) {
        const struct topo_interface *iface = &topo->interfaces[i];
        char *name = xasprintf("%s/%s", topo->routers[iface->router].name,
                               topo->subnets[iface->subnet].name);

        CU_ASSERT_EQUAL(alloc_find(allocs, "acme", "n", TOPO_INTERFACE,
                                   name)->id, iface->id);
        free(name);
    }
    CU_ASSERT_EQUAL(topo->routers[0].n_interfaces, 2);
    CU_ASSERT_EQUAL(topo->routers[1].interfaces[0], 2);
    CU_ASSERT_EQUAL(topo->routers[0].n_links, 1);
    CU_ASSERT_EQUAL(topo->links[0].router[0], 1);
    CU_ASSERT_STRING_EQUAL(topo->attachments[0].port, "x");
    CU_ASSERT_EQUAL(topo->attachments[0].mtu, 1450);
    CU_ASSERT_EQUAL(topo->subnets[0].mtu, 1450);

    /* It needs nothing of what it was built from. */
    alloc_set_unref(none);
    alloc_set_unref(allocs);
    model_config_unref(config);
    model_fabric_unref(fabric);
    CU_ASSERT_EQUAL(topo_network_ref(topo), topo);
    topo_network_unref(topo);
    CU_ASSERT_STRING_EQUAL(topo->name, "n");
    topo_network_unref(topo);
    diags_destroy(&diags);
}

TW_TESTS("model-topo",
         TW_TEST(test_mac),
         TW_TEST(test_link_distances),
         TW_TEST(test_build))
