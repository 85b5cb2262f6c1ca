/* SPDX-License-Identifier: Apache-2.0 */

/* Metrics from any bytes: what is accepted is within the documented bounds. */
/* sources: controller/model/[a-z]*.c controller/base/prefix.c controller/base/diag.c */
/* options: -max_len=4096 */

#include <config.h>

#include "tests/fuzz/fuzz-model.h"

static void
check_bound(uint32_t value, uint32_t max)
{
    fuzz_check(value <= max || value == MODEL_METRIC_UNKNOWN);
}

static void
check_metric(const struct model_metric *m)
{
    check_bound(m->delay_us, 60000000);
    check_bound(m->use, 100000);
    check_bound(m->loss, 100000);
    check_bound(m->price, 1000000000);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct model_schema *schema;
    struct diags diags = DIAGS_INITIALIZER;
    struct model_metrics *metrics;

    if (!schema) {
        schema = fuzz_schema(MODEL_METRICS);
    }
    metrics = model_metrics_parse(schema, "input", data, size, &diags);
    fuzz_diags(&diags, metrics != NULL);
    if (metrics) {
        for (size_t i = 0; i < metrics->n_paths; i++) {
            check_metric(&metrics->paths[i].metric);
        }
        for (size_t i = 0; i < metrics->n_points; i++) {
            check_metric(&metrics->points[i].metric);
        }
        model_metrics_unref(metrics);
    }
    return 0;
}
