/* SPDX-License-Identifier: Apache-2.0 */

/* A metrics document's elements -> 'struct model_metrics'. */

#include <config.h>
#include "controller/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/model/document.h"
#include "controller/model/model-private.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define MAX_DELAY_US (60 * 1000 * 1000)

static uint32_t
parse_thousandths(struct document *doc, const xmlNode *node, const char *name)
{
    return (doc_has(node, name) ? doc_thousandths(doc, node, name)
            : MODEL_METRIC_UNKNOWN);
}

static struct model_metric
parse_metric(struct document *doc, const xmlNode *node)
{
    struct model_metric m = {
        .delay_us = (doc_has(node, "delay")
                     ? doc_time_us(doc, node, "delay", 0, MAX_DELAY_US)
                     : MODEL_METRIC_UNKNOWN),
        .use = parse_thousandths(doc, node, "use"),
        .loss = parse_thousandths(doc, node, "loss"),
        .price = parse_thousandths(doc, node, "price"),
    };

    return m;
}

static int
compare_paths(const void *a_, const void *b_)
{
    const struct model_path_metric *a = a_, *b = b_;
    int cmp = strcmp(a->from, b->from);

    return cmp ? cmp : strcmp(a->to, b->to);
}

static void
duplicate(struct document *doc, const char *what, int line, int other_line)
{
    struct diag *d = diags_error(doc->diags, doc->source,
                                 MAX(line, other_line), "/metrics",
                                 "%s is also on line %d", what,
                                 MIN(line, other_line));
    diag_remedy(d, "name each path and attachment point once");
    doc->failed = true;
}

static void
parse_paths(struct document *doc, struct model_metrics *metrics)
{
    const xmlNode *node;

    metrics->paths = xcalloc(MAX(doc_count(doc->root, "path"), 1),
                             sizeof *metrics->paths);
    DOC_FOR_EACH (node, doc->root, "path") {
        struct model_path_metric *m = &metrics->paths[metrics->n_paths++];

        m->line = doc_line(node);
        m->from = doc_string(doc, node, "from");
        m->to = doc_string(doc, node, "to");
        m->metric = parse_metric(doc, node);
        if (!strcmp(m->from, m->to)) {
            diag_remedy(doc_error(doc, node, "from and to are the same host"),
                        "name two hosts");
        }
    }
    qsort(metrics->paths, metrics->n_paths, sizeof *metrics->paths,
          compare_paths);
    for (size_t i = 1; i < metrics->n_paths; i++) {
        if (!compare_paths(&metrics->paths[i - 1], &metrics->paths[i])) {
            char *what = xasprintf("the path from \"%s\" to \"%s\"",
                                   metrics->paths[i].from,
                                   metrics->paths[i].to);

            duplicate(doc, what, metrics->paths[i - 1].line,
                      metrics->paths[i].line);
            free(what);
        }
    }
}

static void
parse_points(struct document *doc, struct model_metrics *metrics)
{
    const xmlNode *node;

    metrics->points = xcalloc(MAX(doc_count(doc->root, "attachment"), 1),
                              sizeof *metrics->points);
    DOC_FOR_EACH (node, doc->root, "attachment") {
        struct model_point_metric *m = &metrics->points[metrics->n_points++];

        m->line = doc_line(node);
        m->point = doc_string(doc, node, "point");
        m->metric = parse_metric(doc, node);
    }
    qsort(metrics->points, metrics->n_points, sizeof *metrics->points,
          model_compare_names);
    for (size_t i = 1; i < metrics->n_points; i++) {
        if (!model_compare_names(&metrics->points[i - 1],
                                 &metrics->points[i])) {
            char *what = xasprintf("attachment point \"%s\"",
                                   metrics->points[i].point);

            duplicate(doc, what, metrics->points[i - 1].line,
                      metrics->points[i].line);
            free(what);
        }
    }
}

struct model_metrics *
model_metrics_parse(const struct model_schema *schema, const char *source,
                    const void *data, size_t size, struct diags *diags)
{
    struct diags own = DIAGS_INITIALIZER;
    struct model_metrics *metrics;
    struct document doc;
    bool ok;

    if (!document_open(&doc, schema, source, data, size, diags)) {
        return NULL;
    }
    doc.diags = &own;

    metrics = xzalloc(sizeof *metrics);
    metrics->ref_cnt = 1;
    metrics->source = xstrdup(source);
    parse_paths(&doc, metrics);
    parse_points(&doc, metrics);

    ok = !doc.failed;
    diags_sort(&own);
    diags_append(diags, &own);
    diags_destroy(&own);
    document_close(&doc);
    if (!ok) {
        model_metrics_unref(metrics);
        return NULL;
    }
    return metrics;
}
