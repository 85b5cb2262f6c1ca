/* SPDX-License-Identifier: Apache-2.0 */

/* The checks that sort and search, against obvious ones that compare everything
 * with everything, on random documents; and the differences of documents. */

#include <config.h>

#include "controller/base/prefix.h"
#include "controller/model/diff.h"
#include "openvswitch/json.h"
#include "tests/unit/model-docs.h"
#include "tests/unit/tw-cunit.h"

struct checked {
    struct model_schema *config, *fabric;
    int n_good, n_bad;          /* The documents are of use only if both occur. */
};

/* Whether the document is accepted. */
static bool
accepts(struct checked *c, enum model_document document, const struct ds *s)
{
    struct diags diags = DIAGS_INITIALIZER;
    bool ok;

    if (document == MODEL_CONFIG) {
        struct model_config *config = model_config_parse(
            c->config, "x", s->string, s->length, &diags);

        ok = config != NULL;
        model_config_unref(config);
    } else {
        struct model_fabric *fabric = model_fabric_parse(
            c->fabric, "x", s->string, s->length, &diags);

        ok = fabric != NULL;
        model_fabric_unref(fabric);
    }
    diags_destroy(&diags);
    if (ok) {
        c->n_good++;
    } else {
        c->n_bad++;
    }
    return ok;
}

static void
checked_init(struct checked *c)
{
    *c = (struct checked) { docs_schema(MODEL_CONFIG),
                            docs_schema(MODEL_FABRIC), 0, 0 };
}

static void
checked_destroy(struct checked *c)
{
    CU_ASSERT(c->n_good > 100);
    CU_ASSERT(c->n_bad > 100);
    model_schema_destroy(c->config);
    model_schema_destroy(c->fabric);
}

static struct prefix
random_prefix(struct tw_random *r, unsigned int min_plen,
              unsigned int max_plen)
{
    return prefix_from_ip4(htonl(0x0a000000 | tw_random_range(r, 1 << 12)),
                           min_plen + tw_random_range(r, (max_plen - min_plen
                                                          + 1)));
}

static void
test_subnets(void)
{
    struct tw_random r;
    struct checked c;

    checked_init(&c);
    tw_random_init(&r, 3);
    for (int round = 0; round < 1000; round++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        size_t n = 1 + tw_random_range(&r, 6);
        struct prefix p[6];
        bool ok = true;

        ds_put_cstr(&s, DOCS_CONFIG_BEGIN "<network name=\"n\">");
        for (size_t i = 0; i < n; i++) {
            char buf[PREFIX_STRLEN];

            p[i] = random_prefix(&r, 22, 28);
            ds_put_format(&s, "<subnet name=\"s%"PRIuSIZE"\" prefix=\"%s\"/>",
                          i, prefix_to_string(&p[i], buf));
            for (size_t j = 0; j < i; j++) {
                ok = ok && !prefix_overlaps(&p[i], &p[j]);
            }
        }
        ds_put_cstr(&s, "</network>" DOCS_CONFIG_END);
        CU_ASSERT_EQUAL(accepts(&c, MODEL_CONFIG, &s), ok);
        ds_destroy(&s);
    }
    checked_destroy(&c);
}

/* Further addresses of nodes on one subnet, in and outside of it, beside a
 * second subnet. */
static void
test_addresses(void)
{
    struct tw_random r;
    struct checked c;
    struct prefix own, other;

    checked_init(&c);
    prefix_parse("10.0.4.0/24", &own);
    prefix_parse("10.0.8.0/24", &other);
    tw_random_init(&r, 4);
    for (int round = 0; round < 2000; round++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        size_t n = 1 + tw_random_range(&r, 4);
        struct prefix p[4];
        bool ok = true;

        ds_put_cstr(&s, DOCS_CONFIG_BEGIN "<network name=\"n\">"
                    "<subnet name=\"s\" prefix=\"10.0.4.0/24\"/>"
                    "<subnet name=\"t\" prefix=\"10.0.8.0/24\"/>");
        for (size_t i = 0; i < n; i++) {
            char buf[PREFIX_STRLEN];

            p[i] = random_prefix(&r, 22, 32);
            ds_put_format(&s, "<node name=\"v%"PRIuSIZE"\" subnet=\"s\">"
                          "<address prefix=\"%s\"/></node>", i,
                          prefix_to_string(&p[i], buf));
            for (size_t j = 0; j < i; j++) {
                ok = ok && !prefix_overlaps(&p[i], &p[j]);
            }
            ok = ok && !prefix_overlaps(&other, &p[i])
                 && !prefix_contains(&p[i], &own.addr);
        }
        ds_put_cstr(&s, "</network>" DOCS_CONFIG_END);
        CU_ASSERT_EQUAL(accepts(&c, MODEL_CONFIG, &s), ok);
        ds_destroy(&s);
    }
    checked_destroy(&c);
}

/* Whether destinations are inside one of several subnets. */
static void
test_destinations(void)
{
    struct tw_random r;
    struct checked c;

    checked_init(&c);
    tw_random_init(&r, 5);
    for (int round = 0; round < 2000; round++) {
        struct ds s = DS_EMPTY_INITIALIZER;
        struct prefix d = random_prefix(&r, 20, 30);
        char buf[PREFIX_STRLEN];
        bool ok = true;

        ds_put_cstr(&s, DOCS_CONFIG_BEGIN "<network name=\"n\">");
        for (int i = 0; i < 16; i++) {
            unsigned int plen = 24 + tw_random_range(&r, 3);
            struct prefix subnet = prefix_from_ip4(htonl(0x0a000000 | i << 8),
                                                   plen);

            if (!tw_random_range(&r, 3)) {
                ds_put_format(&s, "<subnet name=\"s%d\" prefix=\"%s\"/>", i,
                              prefix_to_string(&subnet, buf));
                ok = ok && !prefix_contains_prefix(&subnet, &d);
            }
        }
        ds_put_format(&s, "<router name=\"r\" router-id=\"1.1.1.1\">"
                      "<attachment name=\"a\" point=\"p\" "
                      "address=\"169.254.1.1/30\">"
                      "<ospf network-type=\"point-to-point\"/></attachment>"
                      "<destination prefix=\"%s\">"
                      "<via attachment=\"a\" cost=\"1\"/></destination>"
                      "</router></network>" DOCS_CONFIG_END,
                      prefix_to_string(&d, buf));
        CU_ASSERT_EQUAL(accepts(&c, MODEL_CONFIG, &s), ok);
        ds_destroy(&s);
    }
    checked_destroy(&c);
}

/* A VLAN of a port is granted once. */
static void
test_grants(void)
{
    struct tw_random r;
    struct checked c;

    checked_init(&c);
    tw_random_init(&r, 6);
    for (int round = 0; round < 1000; round++) {
        bool granted[2][64] = { { false } };
        struct ds s = DS_EMPTY_INITIALIZER;
        bool ok = true;

        ds_put_cstr(&s, DOCS_FABRIC_BEGIN "<host name=\"h\" "
                    "ovsdb=\"tcp:1.1.1.1:1\" tunnel=\"1.1.1.1\"/>");
        for (int i = 0; i < 4; i++) {
            unsigned int port = tw_random_range(&r, 2);
            bool mine[64] = { false };

            ds_put_format(&s, "<attachment-point name=\"p%d\" host=\"h\" "
                          "port=\"%u\" customer=\"c\" vlans=\"", i, port);
            for (int j = 0; j < 2; j++) {
                unsigned int first = tw_random_range(&r, 60);
                unsigned int last = first + tw_random_range(&r, 4);

                ds_put_format(&s, "%s%u-%u", j ? "," : "", first, last);
                for (unsigned int k = first; k <= last; k++) {
                    mine[k] = true;
                }
            }
            ds_put_cstr(&s, "\"/>");
            for (int k = 0; k < 64; k++) {
                ok = ok && !(mine[k] && granted[port][k]);
                granted[port][k] |= mine[k];
            }
        }
        ds_put_cstr(&s, DOCS_FABRIC_END);
        CU_ASSERT_EQUAL(accepts(&c, MODEL_FABRIC, &s), ok);
        ds_destroy(&s);
    }
    checked_destroy(&c);
}

/* Differences; their text is in tests/golden/model/ok/revision.txt. */
static void
test_diff(void)
{
    struct model_config *config = docs_config(
        DOCS_CONFIG_BEGIN "<cost-policy name=\"p\"/><network name=\"n\">"
        "<subnet name=\"s\" prefix=\"10.0.0.0/24\"/></network>"
        DOCS_CONFIG_END);
    struct model_config *other = docs_config(
        DOCS_CONFIG_BEGIN "<network name=\"n\">"
        "<subnet name=\"s\" prefix=\"10.0.0.0/24\" mtu=\"1400\"/></network>"
        DOCS_CONFIG_END);
    struct model_diff diff;
    struct json *json;
    char *text;

    model_diff(NULL, NULL, &diff);
    CU_ASSERT_EQUAL(diff.n, 0);
    model_diff_destroy(&diff);
    model_diff(config, config, &diff);
    CU_ASSERT_EQUAL(diff.n, 0);
    model_diff_destroy(&diff);

    model_diff(NULL, config, &diff);
    CU_ASSERT_EQUAL_FATAL(diff.n, 2);
    CU_ASSERT_EQUAL(diff.changes[0].type, MODEL_ADDED);
    CU_ASSERT_STRING_EQUAL(diff.changes[0].object, "cost-policy p");
    CU_ASSERT_PTR_NULL(diff.changes[0].network);
    CU_ASSERT_STRING_EQUAL(diff.changes[1].network, "n");
    CU_ASSERT_STRING_EQUAL(diff.changes[1].what, "with 1 object in it");
    model_diff_destroy(&diff);

    model_diff(config, other, &diff);
    json = model_diff_to_json(&diff);
    text = json_to_string(json, JSSF_SORT);
    CU_ASSERT_STRING_EQUAL(
        text,
        "[{\"object\":\"cost-policy p\",\"type\":\"removed\"},"
        "{\"network\":\"n\",\"object\":\"network n, subnet s\","
        "\"type\":\"changed\",\"what\":\"mtu none -> 1400\"}]");
    free(text);
    json_destroy(json);
    model_diff_destroy(&diff);
    model_config_unref(config);
    model_config_unref(other);
}

TW_TESTS("model-check",
         TW_TEST(test_subnets),
         TW_TEST(test_addresses),
         TW_TEST(test_destinations),
         TW_TEST(test_grants),
         TW_TEST(test_diff))
