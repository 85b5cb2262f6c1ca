/* SPDX-License-Identifier: Apache-2.0 */

/* From bytes to typed documents: what hostile bytes meet, and values that the
 * golden tests don't print.  Wrong documents of every kind, and what is said
 * about them, are in tests/golden/model. */

#include <config.h>

#include "tests/unit/model-docs.h"
#include "tests/unit/tw-cunit.h"

/* Parses 'size' bytes as 'document' and returns whether they were accepted;
 * '*diags' has what was said. */
static bool
parse(enum model_document document, const void *data, size_t size,
      struct diags *diags)
{
    struct model_schema *schema = docs_schema(document);
    bool ok;

    if (document == MODEL_CONFIG) {
        struct model_config *c = model_config_parse(schema, "x", data, size,
                                                    diags);
        ok = c != NULL;
        model_config_unref(c);
    } else if (document == MODEL_FABRIC) {
        struct model_fabric *f = model_fabric_parse(schema, "x", data, size,
                                                    diags);
        ok = f != NULL;
        model_fabric_unref(f);
    } else {
        struct model_metrics *m = model_metrics_parse(schema, "x", data, size,
                                                      diags);
        ok = m != NULL;
        model_metrics_unref(m);
    }
    CU_ASSERT_EQUAL(ok, !diags_has_errors(diags));
    model_schema_destroy(schema);
    return ok;
}

/* Asserts that 'text' is refused on 'line' with a cause that contains 'cause'
 * and, if not NULL, a remedy that contains 'remedy'. */
static void
assert_refused(const char *data, size_t size, int line, const char *cause,
               const char *remedy)
{
    struct diags diags = DIAGS_INITIALIZER;

    CU_ASSERT(!parse(MODEL_CONFIG, data, size, &diags));
    CU_ASSERT_FATAL(diags.n > 0);
    CU_ASSERT_EQUAL(diags.items[0].line, line);
    CU_ASSERT(strstr(diags.items[0].cause, cause) != NULL);
    if (!strstr(diags.items[0].cause, cause)) {
        printf("\"%s\" is not \"%s\"\n", diags.items[0].cause, cause);
    }
    if (remedy) {
        CU_ASSERT(diags.items[0].remedy
                  && strstr(diags.items[0].remedy, remedy));
    }
    diags_destroy(&diags);
}

static void
assert_text_refused(const char *text, int line, const char *cause,
                    const char *remedy)
{
    assert_refused(text, strlen(text), line, cause, remedy);
}

static void
test_schema_refused(void)
{
    static const char other[] = "<xs:schema xmlns:xs=\"http://www.w3.org/2001/"
        "XMLSchema\"><xs:element name=\"x\"/></xs:schema>";
    struct diags diags = DIAGS_INITIALIZER;

    CU_ASSERT_PTR_NULL(model_schema_create(MODEL_CONFIG, "nonsense", 8,
                                           &diags));
    CU_ASSERT(diags_has_errors(&diags));
    diags_clear(&diags);
    CU_ASSERT_PTR_NULL(model_schema_create(MODEL_CONFIG, other, strlen(other),
                                           &diags));
    CU_ASSERT(diags_has_errors(&diags));
    diags_destroy(&diags);
    model_schema_destroy(NULL);
}

static void
test_size(void)
{
    size_t size = MODEL_MAX_BYTES;
    char *text = xmalloc(size + 1);
    size_t begin = strlen(DOCS_CONFIG_BEGIN), end = strlen(DOCS_CONFIG_END);
    struct diags diags = DIAGS_INITIALIZER;

    memset(text, ' ', size);
    for (size_t i = 0; i + 7 <= size; i += 7) {
        memcpy(text + i, "<!---->", 7);
    }
    for (size_t i = begin; i < size && text[i] != '<'; i++) {
        text[i] = ' ';
    }
    for (size_t i = size - end; text[i - 1] != '>'; i--) {
        text[i - 1] = ' ';
    }
    memcpy(text, DOCS_CONFIG_BEGIN, begin);
    memcpy(text + size - end, DOCS_CONFIG_END, end);
    CU_ASSERT(parse(MODEL_CONFIG, text, size, &diags));
    text[size] = '\n';
    assert_refused(text, size + 1, 0, "16777217 octets", "at most 16777216");
    assert_refused(text, 0, 0, "empty", NULL);
    diags_destroy(&diags);
    free(text);
}

static void
test_encodings(void)
{
    struct diags diags = DIAGS_INITIALIZER;
    static const char utf8[] = "\xef\xbb\xbf<?xml version=\"1.0\" "
        "encoding=\"UTF-8\"?><!-- \xc3\xa4 -->"
        DOCS_CONFIG_BEGIN DOCS_CONFIG_END;

    CU_ASSERT(parse(MODEL_CONFIG, utf8, strlen(utf8), &diags));
    diags_destroy(&diags);

    assert_text_refused(DOCS_CONFIG_BEGIN "\n<network name=\"\xe4\"/>"
                        DOCS_CONFIG_END, 2, "not well-formed", "UTF-8");
    assert_refused("<\0a\0/\0>\0", 8, 1, "not well-formed", NULL);
    assert_refused(DOCS_CONFIG_BEGIN "\0" DOCS_CONFIG_END,
                   strlen(DOCS_CONFIG_BEGIN DOCS_CONFIG_END) + 1, 1,
                   "not well-formed", NULL);
}

static void
test_dtd(void)
{
    assert_text_refused("<!DOCTYPE customer>\n"
                        DOCS_CONFIG_BEGIN DOCS_CONFIG_END,
                        1, "DTD", "remove");
    assert_text_refused("\n<!DOCTYPE customer [<!ENTITY a \"b\">]>\n"
                        DOCS_CONFIG_BEGIN "&a;" DOCS_CONFIG_END,
                        2, "DTD", "remove");
    assert_text_refused("<!DOCTYPE customer SYSTEM \"/dev/zero\" [\n"
                        "<!ENTITY % a SYSTEM \"/dev/zero\"> %a; ]>\n"
                        DOCS_CONFIG_BEGIN DOCS_CONFIG_END,
                        1, "DTD", "remove");
    assert_text_refused(DOCS_CONFIG_BEGIN "&passwd;" DOCS_CONFIG_END, 1,
                        "not defined", "entities of XML itself");
}

/* "BEGIN middle middle middle... END" */
static char *
repeat(const char *begin, const char *middle, size_t n, const char *end,
       const char *last)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, begin);
    for (size_t i = 0; i < n; i++) {
        ds_put_cstr(&s, middle);
    }
    for (size_t i = 0; last && i < n; i++) {
        ds_put_cstr(&s, last);
    }
    ds_put_cstr(&s, end);
    return ds_steal_cstr(&s);
}

static void
test_bounds(void)
{
    char *text;

    text = repeat(DOCS_CONFIG_BEGIN, "\n<network name=\"a\">", 15,
                  DOCS_CONFIG_END, "</network>");
    assert_text_refused(text, 3, "unknown element <network>", NULL);
    free(text);
    text = repeat(DOCS_CONFIG_BEGIN, "\n<network name=\"a\">", 100000,
                  DOCS_CONFIG_END, "</network>");
    assert_text_refused(text, 17, "nested too deep", "16");
    free(text);

    text = repeat(DOCS_CONFIG_BEGIN, "<a/>", 600000, DOCS_CONFIG_END, NULL);
    assert_text_refused(text, 1, "too many elements", "500000");
    free(text);

    /* In a tag, and where libxml2 goes on after an error. */
    text = repeat("<customer", " a=''", 1000000, "/>", NULL);
    assert_text_refused(text, 1, "quotation marks", "128 attributes");
    free(text);
    text = repeat("<customer a=<!-- ", " a=''", 1000000, "/>", NULL);
    assert_text_refused(text, 1, "quotation marks", NULL);
    free(text);

    text = repeat("<customer name='", "aaaa", 2000, "'/>", NULL);
    assert_text_refused(text, 1, "too long", "4096 octets");
    free(text);

    text = repeat(DOCS_CONFIG_BEGIN, "<?a?><!---->", 100000, DOCS_CONFIG_END,
                  NULL);
    struct diags diags = DIAGS_INITIALIZER;
    CU_ASSERT(parse(MODEL_CONFIG, text, strlen(text), &diags));
    diags_destroy(&diags);
    free(text);
}

static void
test_too_many_things(void)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, DOCS_CONFIG_BEGIN "<network name=\"a\">");
    for (int i = 0; i <= MODEL_MAX_ROUTERS; i++) {
        ds_put_format(&s, "<router name=\"r%d\" router-id=\"1.1.%d.%d\"/>", i,
                      i / 256, i % 256);
    }
    ds_put_cstr(&s, "</network>" DOCS_CONFIG_END);
    assert_text_refused(ds_cstr(&s), 1, "257 <router> elements",
                        "at most 256");
    ds_destroy(&s);
}

/* However many faults there are, what is said stays bounded. */
static void
test_many_faults(void)
{
    struct diags diags = DIAGS_INITIALIZER;
    char *text = repeat(DOCS_CONFIG_BEGIN "<network name=\"n\">"
                        "<subnet name=\"s\" prefix=\"10.0.0.0/8\"/>",
                        "<node name=\"a\" subnet=\"s\" address=\"11.0.0.1\" "
                        "mac=\"52:54:00:00:00:01\"/>", 20000,
                        "</network>" DOCS_CONFIG_END, NULL);

    CU_ASSERT(!parse(MODEL_CONFIG, text, strlen(text), &diags));
    CU_ASSERT_EQUAL(diags.n, DIAGS_MAX);
    CU_ASSERT(diags.n_errors >= 60000 - 3);
    diags_destroy(&diags);
    free(text);
}

/* libxml2 itself counts lines to 65535 only. */
static void
test_line_numbers(void)
{
    char *lines = repeat(DOCS_CONFIG_BEGIN, "\n", 99999,
                         "<network name=\"prod\"\n\n\n>\n"
                         "<subnet name=\"web\"/></network>" DOCS_CONFIG_END,
                         NULL);
    char *good = repeat(DOCS_CONFIG_BEGIN, "\n", 99999,
                        "<network name=\"prod\"\n\n\n>\n"
                        "<subnet name=\"web\" prefix=\"10.0.1.0/24\"/>"
                        "</network>" DOCS_CONFIG_END, NULL);
    struct model_config *config = docs_config(good);

    assert_text_refused(lines, 100004, "\"prefix\" is missing", NULL);
    CU_ASSERT_EQUAL(config->line, 1);
    CU_ASSERT_EQUAL(config->networks[0].line, 100000);
    CU_ASSERT_EQUAL(config->networks[0].subnets[0].line, 100004);
    model_config_unref(config);
    free(lines);
    free(good);
}

static void
test_white_space(void)
{
    struct model_config *config = docs_config(
        DOCS_CONFIG_BEGIN "<network name=\" \n prod&#x20;\">"
        "<subnet name=\"w&#x65;b\" prefix=\"\t10.0.1.0/24 \"/>"
        "<![CDATA[  ]]></network>" DOCS_CONFIG_END);

    CU_ASSERT_STRING_EQUAL(config->networks[0].name, "prod");
    CU_ASSERT_STRING_EQUAL(config->networks[0].subnets[0].name, "web");
    model_config_unref(config);
}

static void
test_defaults(void)
{
    struct model_config *config = docs_config(
        DOCS_CONFIG_BEGIN "<cost-policy name=\"p\"/><network name=\"n\">"
        "<router name=\"r\" router-id=\"1.1.1.1\">"
        "<attachment name=\"a\" point=\"p\" address=\"169.254.1.1/30\">"
        "<ospf/><bfd interval=\"1s\"/></attachment>"
        "<destination prefix=\"0.0.0.0/0\">"
        "<via attachment=\"a\" next-hop=\"169.254.1.2\" cost=\"1\"/>"
        "</destination></router></network>" DOCS_CONFIG_END);
    const struct model_policy *policy = model_find_policy(config, "p");
    const struct model_network *network = model_find_network(config, "n");
    const struct model_router *router = model_find_router(network, "r");
    const struct model_attachment *att = &router->attachments[0];

    CU_ASSERT_EQUAL(policy->ceiling, MODEL_MAX_COST);
    CU_ASSERT_EQUAL(policy->half_life_ms, 5000);
    CU_ASSERT_EQUAL(policy->hysteresis, 10);
    CU_ASSERT_EQUAL(router->router_id, 0x01010101);
    CU_ASSERT(router->transit);
    CU_ASSERT_EQUAL(att->cost, 10);
    CU_ASSERT_EQUAL(att->vlan, 0);
    CU_ASSERT_EQUAL(att->mtu, 0);
    CU_ASSERT_EQUAL(att->prefix.plen, 96 + 30);
    CU_ASSERT_EQUAL(att->ospf.type, TOPO_BROADCAST);
    CU_ASSERT_EQUAL(att->ospf.hello_interval, 10);
    CU_ASSERT_EQUAL(att->ospf.dead_interval, 40);
    CU_ASSERT_EQUAL(att->ospf.priority, 1);
    CU_ASSERT_EQUAL(att->bfd.interval_ms, 1000);
    CU_ASSERT_EQUAL(att->bfd.multiplier, 3);
    CU_ASSERT_EQUAL(router->destinations[0].advertise, TOPO_ADV_E2);
    model_config_unref(config);
}

static void
test_lookups(void)
{
    struct model_fabric *fabric = docs_fabric(
        DOCS_FABRIC_BEGIN
        "<host name=\"h2\" ovsdb=\"tcp:1.1.1.2:1\" tunnel=\"1.1.1.2\"/>"
        "<host name=\"h1\" ovsdb=\"tcp:1.1.1.1:1\" tunnel=\"1.1.1.1\" "
        "mtu=\"1400\"/>"
        "<attachment-point name=\"p\" host=\"h2\" port=\"x\" customer=\"c\" "
        "vlans=\"5,untagged,100-200\"/>"
        "<pin node=\"c/n/v\" host=\"h2\"/>" DOCS_FABRIC_END);
    const struct model_point *point = model_find_point(fabric, "p");

    CU_ASSERT_EQUAL(model_find_host(fabric, "h1"), &fabric->hosts[0]);
    CU_ASSERT_EQUAL(model_find_host(fabric, "h2"), &fabric->hosts[1]);
    CU_ASSERT_PTR_NULL(model_find_host(fabric, "h3"));
    CU_ASSERT_EQUAL(point->host, 1);
    CU_ASSERT(model_point_has_vlan(point, 0));
    CU_ASSERT(model_point_has_vlan(point, 5));
    CU_ASSERT(model_point_has_vlan(point, 100));
    CU_ASSERT(model_point_has_vlan(point, 200));
    CU_ASSERT(!model_point_has_vlan(point, 4));
    CU_ASSERT(!model_point_has_vlan(point, 99));
    CU_ASSERT(!model_point_has_vlan(point, 201));
    CU_ASSERT_EQUAL(model_find_pin(fabric, "c/n/v")->host, 1);
    CU_ASSERT_PTR_NULL(model_find_pin(fabric, "c/n/w"));
    CU_ASSERT_PTR_NULL(model_find_point(fabric, "q"));
    CU_ASSERT_EQUAL(model_fabric_node_mtu(fabric), 1350);
    CU_ASSERT_EQUAL(model_fabric_ref(fabric), fabric);
    model_fabric_unref(fabric);
    model_fabric_unref(fabric);
}

static void
test_no_fabric(void)
{
    struct model_config *config = docs_config(DOCS_CONFIG_BEGIN
                                              DOCS_CONFIG_END);
    struct diags diags = DIAGS_INITIALIZER;

    CU_ASSERT(!model_config_check_fabric(config, NULL, &diags));
    CU_ASSERT_EQUAL(diags.n_errors, 1);
    diags_destroy(&diags);
    model_config_unref(config);
}

/* Whether a chain of 'n' routers, with one more that stands alone and a last
 * link 'ring' that may close it, is accepted. */
static bool
chain_is_accepted(int n, const char *ring)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct diags diags = DIAGS_INITIALIZER;
    bool ok;

    ds_put_cstr(&s, DOCS_CONFIG_BEGIN "<network name=\"n\">");
    for (int i = 0; i <= n; i++) {
        ds_put_format(&s, "<router name=\"r%02d\" router-id=\"1.1.1.%d\"/>",
                      i, i + 1);
    }
    for (int i = 0; i < n - 1; i++) {
        ds_put_format(&s, "<link name=\"l%02d\" a=\"r%02d\" b=\"r%02d\"/>",
                      i, i, i + 1);
    }
    ds_put_format(&s, "%s</network>" DOCS_CONFIG_END, ring);
    ok = parse(MODEL_CONFIG, s.string, s.length, &diags);
    diags_destroy(&diags);
    ds_destroy(&s);
    return ok;
}

/* The bound counts routers on the paths that packets take, not on others. */
static void
test_series(void)
{
    CU_ASSERT(chain_is_accepted(16, ""));
    CU_ASSERT(!chain_is_accepted(17, ""));

    /* A ring of 17 needs to pass 9 at most, unless the short way is dear. */
    CU_ASSERT(chain_is_accepted(
        17, "<link name=\"x\" a=\"r16\" b=\"r00\"/>"));
    CU_ASSERT(!chain_is_accepted(
        17, "<link name=\"x\" a=\"r16\" b=\"r00\" cost-ba=\"1000\"/>"));

    /* Of two ways of the same cost, either may be taken. */
    CU_ASSERT(chain_is_accepted(
        17, "<link name=\"x\" a=\"r16\" b=\"r00\" cost-ab=\"159\"/>"));
    CU_ASSERT(!chain_is_accepted(
        17, "<link name=\"x\" a=\"r16\" b=\"r00\" cost-ab=\"160\"/>"));
}

TW_TESTS("model-document",
         TW_TEST(test_schema_refused),
         TW_TEST(test_size),
         TW_TEST(test_encodings),
         TW_TEST(test_dtd),
         TW_TEST(test_bounds),
         TW_TEST(test_too_many_things),
         TW_TEST(test_many_faults),
         TW_TEST(test_line_numbers),
         TW_TEST(test_white_space),
         TW_TEST(test_defaults),
         TW_TEST(test_lookups),
         TW_TEST(test_no_fabric),
         TW_TEST(test_series))
