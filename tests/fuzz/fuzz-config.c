/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration from any bytes, through everything that happens to it up to
 * topologies: nothing but diagnostics may come of wrong ones, and what is
 * accepted gives a topology, the same allocations twice, and no difference from
 * itself. */
/* sources: controller/model/[a-z]*.c controller/base/prefix.c controller/base/diag.c */
/* options: -max_len=8192 */

#include <config.h>

#include "controller/model/alloc.h"
#include "controller/model/diff.h"
#include "controller/model/topo.h"
#include "tests/fuzz/fuzz-model.h"

static const char fabric_text[] =
    "<fabric xmlns=\"urn:tollway:fabric:1\">"
    "<host name=\"h1\" ovsdb=\"tcp:1.1.1.1:1\" tunnel=\"1.1.1.1\" "
    "mtu=\"1600\" capacity=\"20\"/>"
    "<host name=\"h2\" ovsdb=\"tcp:1.1.1.2:1\" tunnel=\"1.1.1.2\" "
    "mtu=\"1600\" zone=\"z\" capacity=\"20\"/>"
    "<attachment-point name=\"acme-east\" host=\"h1\" port=\"a\" "
    "customer=\"acme\" vlans=\"0-4094\"/>"
    "<attachment-point name=\"acme-west\" host=\"h2\" port=\"b\" "
    "customer=\"acme\" vlans=\"untagged,100-200\" mtu=\"1500\"/>"
    "<attachment-point name=\"acme-branch\" host=\"h2\" port=\"c\" "
    "customer=\"acme\"/>"
    "<attachment-point name=\"other-east\" host=\"h2\" port=\"d\" "
    "customer=\"other\"/>"
    "<pin node=\"acme/prod/web1\" host=\"h2\"/></fabric>";

static struct model_fabric *
parse_fabric(void)
{
    struct model_schema *schema = fuzz_schema(MODEL_FABRIC);
    struct diags diags = DIAGS_INITIALIZER;
    struct model_fabric *fabric;

    fabric = model_fabric_parse(schema, "fabric", fabric_text,
                                strlen(fabric_text), &diags);
    fuzz_diags(&diags, fabric != NULL);
    model_schema_destroy(schema);
    return fabric;
}

static void
build(const struct model_config *config, const struct model_fabric *fabric,
      const struct alloc_set *allocs)
{
    for (size_t i = 0; i < config->n_networks; i++) {
        struct topo_network *topo = topo_build(
            config, config->networks[i].name, fabric, allocs);
        uint32_t *dist;
        size_t *next;

        fuzz_check(topo != NULL);
        dist = xcalloc(topo->n_routers + 1, sizeof *dist);
        next = xcalloc(topo->n_routers + 1, sizeof *next);
        for (size_t j = 0; j < topo->n_routers; j++) {
            topo_link_distances(topo, j, dist, next);
        }
        free(dist);
        free(next);
        topo_network_unref(topo);
    }
}

static void
use(const struct model_config *config, const struct model_fabric *fabric)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct model_diff diff;
    struct alloc_set *none, *allocs;

    model_diff(NULL, config, &diff);
    model_diff_destroy(&diff);
    model_diff(config, config, &diff);
    fuzz_check(!diff.n);

    if (!model_config_check_fabric(config, fabric, &diags)) {
        fuzz_diags(&diags, false);
        return;
    }
    none = alloc_set_create();
    allocs = alloc_update(none, config, fabric, &diags);
    if (allocs) {
        struct alloc_set *again = alloc_update(allocs, config, fabric, &diags);

        fuzz_check(again == allocs);
        alloc_set_unref(again);
        build(config, fabric, allocs);
    }
    fuzz_diags(&diags, allocs != NULL);
    alloc_set_unref(allocs);
    alloc_set_unref(none);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model_schema *schema;
    static struct model_fabric *fabric;
    struct diags diags = DIAGS_INITIALIZER;
    struct model_config *config;

    if (!schema) {
        schema = fuzz_schema(MODEL_CONFIG);
        fabric = parse_fabric();
    }
    config = model_config_parse(schema, "input", data, size, &diags);
    fuzz_diags(&diags, config != NULL);
    if (config) {
        use(config, fabric);
        model_config_unref(config);
    }
    return 0;
}
