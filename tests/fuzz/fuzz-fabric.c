/* SPDX-License-Identifier: Apache-2.0 */

/* A fabric from any bytes; what is accepted can be asked anything. */
/* sources: controller/model/[a-z]*.c controller/base/prefix.c controller/base/diag.c */
/* options: -max_len=4096 */

#include <config.h>

#include "tests/fuzz/fuzz-model.h"

static void
use(const struct model_fabric *fabric)
{
    fuzz_check(fabric->n_hosts > 0);
    fuzz_check(model_fabric_node_mtu(fabric) >= 576);
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        fuzz_check(model_find_host(fabric, fabric->hosts[i].name)
                   == &fabric->hosts[i]);
    }
    for (size_t i = 0; i < fabric->n_points; i++) {
        const struct model_point *point = &fabric->points[i];
        int n = 0;

        fuzz_check(model_find_point(fabric, point->name) == point);
        fuzz_check(point->host < fabric->n_hosts);
        for (int vlan = 0; vlan < 4095; vlan++) {
            n += model_point_has_vlan(point, vlan);
        }
        fuzz_check(n > 0);
    }
    for (size_t i = 0; i < fabric->n_pins; i++) {
        fuzz_check(fabric->pins[i].host < fabric->n_hosts);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model_schema *schema;
    struct diags diags = DIAGS_INITIALIZER;
    struct model_fabric *fabric;

    if (!schema) {
        schema = fuzz_schema(MODEL_FABRIC);
    }
    fabric = model_fabric_parse(schema, "input", data, size, &diags);
    fuzz_diags(&diags, fabric != NULL);
    if (fabric) {
        use(fabric);
        model_fabric_unref(fabric);
    }
    return 0;
}
