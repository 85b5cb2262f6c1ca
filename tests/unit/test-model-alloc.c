/* SPDX-License-Identifier: Apache-2.0 */

/* Allocations over random histories of revisions and fabrics: what must hold
 * after each step is checked in the most obvious way. */

#include <config.h>

#include "controller/base/prefix.h"
#include "controller/model/alloc.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "tests/unit/model-docs.h"
#include "tests/unit/tw-cunit.h"

/* Random documents. */

static char *
random_fabric(struct tw_random *r)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    int n = 1 + tw_random_range(r, 4);

    ds_put_cstr(&s, DOCS_FABRIC_BEGIN);
    for (int i = 1; i <= n; i++) {
        ds_put_format(&s, "<host name=\"h%d\" ovsdb=\"tcp:1.1.1.%d:1\" "
                      "tunnel=\"1.1.1.%d\" zone=\"z%d\" capacity=\"%u\"/>",
                      i, i, i, i % 2, 6 + tw_random_range(r, 8));
    }
    for (int i = 0; i < 3; i++) {
        if (tw_random_range(r, 2)) {
            ds_put_format(&s, "<pin node=\"a/n0/v%d\" host=\"h%u\"/>", i,
                          1 + tw_random_range(r, n));
        }
    }
    ds_put_cstr(&s, DOCS_FABRIC_END);
    return ds_steal_cstr(&s);
}

static void
put_random_network(struct tw_random *r, int index, struct ds *s)
{
    ds_put_format(s, "<network name=\"n%d\">"
                  "<subnet name=\"s\" prefix=\"10.0.%u.0/28\"/>", index,
                  tw_random_range(r, 2));
    for (int i = 0; i < 8; i++) {
        if (tw_random_range(r, 2)) {
            ds_put_format(s, "<node name=\"v%d\" subnet=\"s\"", i);
            if (!tw_random_range(r, 4)) {
                ds_put_format(s, " zone=\"z%u\"", tw_random_range(r, 3));
            }
            if (!tw_random_range(r, 6)) {
                ds_put_format(s, " mac=\"52:54:00:00:00:%02x\"", i);
            }
            ds_put_cstr(s, "/>");
        }
    }
    for (int i = 0; i < 2; i++) {
        ds_put_format(s, "<router name=\"r%d\" router-id=\"1.1.1.%d\"/>", i,
                      i + 1);
    }
    if (tw_random_range(r, 2)) {
        ds_put_cstr(s, "<link name=\"l\" a=\"r0\" b=\"r1\"/>");
    }
    ds_put_cstr(s, "</network>");
}

static char *
random_config(struct tw_random *r, const char *customer)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "<customer xmlns=\"urn:tollway:config:1\" name=\"%s\">",
                  customer);
    for (int i = 0; i < 2; i++) {
        if (tw_random_range(r, 3)) {
            put_random_network(r, i, &s);
        }
    }
    ds_put_cstr(&s, "</customer>");
    return ds_steal_cstr(&s);
}

/* What must hold. */

static size_t
load_of(const struct alloc_set *set, const char *host)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++) {
        n += set->records[i]->host && !strcmp(set->records[i]->host, host);
    }
    return n;
}

static bool
pinned_to(const struct model_fabric *fabric, const struct alloc *a,
          const char **host)
{
    char *name = xasprintf("%s/%s/%s", a->customer, a->network, a->name);
    const struct model_pin *pin = model_find_pin(fabric, name);

    free(name);
    *host = pin ? fabric->hosts[pin->host].name : NULL;
    return pin != NULL;
}

/* Identifiers are unique, addresses are unique in a network and in the subnet,
 * MACs belong to identifiers. */
static bool
set_is_sound(const struct alloc_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct alloc *a = set->records[i];

        if (!a->id || a->ref_cnt < 1) {
            return false;
        }
        if (a->kind == TOPO_NODE
            && (IN6_IS_ADDR_UNSPECIFIED(&a->address) || !a->host)) {
            return false;
        }
        if (a->kind == TOPO_NODE && a->mac.ea[0] == 0x0e
            && !eth_addr_equals(a->mac, topo_mac(a->kind, a->id))) {
            return false;
        }
        for (size_t j = 0; j < i; j++) {
            const struct alloc *b = set->records[j];

            if (a->id == b->id
                || (a->kind == TOPO_NODE && b->kind == TOPO_NODE
                    && !strcmp(a->customer, b->customer)
                    && !strcmp(a->network, b->network)
                    && !addr_compare(&a->address, &b->address))) {
                return false;
            }
        }
    }
    return true;
}

/* Compares the records of 'new' with those of the same objects in 'old'. */
static bool
is_stable(const struct alloc_set *old, const struct alloc_set *new,
          const char *customer, const struct model_fabric *fabric)
{
    for (size_t i = 0; i < new->n; i++) {
        const struct alloc *a = new->records[i];
        const struct alloc *b = alloc_find(old, a->customer, a->network,
                                           a->kind, a->name);
        const char *pin;

        if (strcmp(a->customer, customer)) {
            /* Somebody else's: the same record. */
            if (a != b) {
                return false;
            }
            continue;
        }
        if (b && a->id != b->id) {
            return false;
        }
        /* An address changes only with its subnet's prefix, a /28. */
        if (b && (a->address.s6_addr[14] == b->address.s6_addr[14]
                  && addr_compare(&a->address, &b->address))) {
            return false;
        }
        if (!a->host) {
            continue;
        }
        if (pinned_to(fabric, a, &pin)) {
            if (strcmp(a->host, pin)) {
                return false;
            }
        } else if (b && model_find_host(fabric, b->host)) {
            if (strcmp(a->host, b->host)) {
                return false;
            }
        } else {
            const struct model_host *host = model_find_host(fabric, a->host);

            if (!host || load_of(new, a->host) > host->capacity + 3) {
                return false;
            }
        }
    }
    return true;
}

struct diff_check {
    const struct alloc_set *old, *new;
    size_t n_removed, n_added;
    bool ok;
};

static void
count_removed(const struct alloc *a, void *c_)
{
    struct diff_check *c = c_;

    c->n_removed++;
    c->ok = c->ok && alloc_find(c->old, a->customer, a->network, a->kind,
                                a->name) == a;
}

static void
count_added(const struct alloc *a, void *c_)
{
    struct diff_check *c = c_;

    c->n_added++;
    c->ok = c->ok && alloc_find(c->new, a->customer, a->network, a->kind,
                                a->name) == a;
}

static bool
diff_is_right(const struct alloc_set *old, const struct alloc_set *new)
{
    struct diff_check c = { old, new, 0, 0, true };

    alloc_set_diff(old, new, count_removed, count_added, &c);
    return c.ok && old->n - c.n_removed + c.n_added == new->n;
}

static bool
json_round_trips(const struct alloc_set *set)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct json *json = alloc_set_to_json(set);
    struct alloc_set *again = alloc_set_from_json(json, &diags);
    struct diff_check c = { set, again, 0, 0, true };

    json_destroy(json);
    if (!again) {
        return false;
    }
    alloc_set_diff(set, again, count_removed, count_added, &c);
    alloc_set_unref(again);
    return !c.n_removed && !c.n_added;
}

static void
test_histories(void)
{
    size_t n_failed = 0, n_done = 0;
    struct tw_random r;

    tw_random_init(&r, 7);
    for (int history = 0; history < 60; history++) {
        struct alloc_set *set = alloc_set_create();
        char *text = random_fabric(&r);
        struct model_fabric *fabric = docs_fabric(text);

        free(text);
        for (int step = 0; step < 10; step++) {
            const char *customer = tw_random_range(&r, 2) ? "a" : "b";
            struct diags diags = DIAGS_INITIALIZER;
            struct model_config *config;
            struct alloc_set *new, *same;

            if (!tw_random_range(&r, 5)) {
                text = random_fabric(&r);
                model_fabric_unref(fabric);
                fabric = docs_fabric(text);
                free(text);
            }
            text = random_config(&r, customer);
            config = docs_config(text);
            free(text);
            new = alloc_update(set, config, fabric, &diags);
            CU_ASSERT_EQUAL(new != NULL, !diags_has_errors(&diags));
            if (new) {
                CU_ASSERT(set_is_sound(new));
                CU_ASSERT(is_stable(set, new, customer, fabric));
                CU_ASSERT(diff_is_right(set, new));
                CU_ASSERT(json_round_trips(new));
                same = alloc_update(new, config, fabric, &diags);
                CU_ASSERT_EQUAL(same, new);
                alloc_set_unref(same);
                alloc_set_unref(set);
                set = new;
                n_done++;
            } else {
                n_failed++;
            }
            model_config_unref(config);
            diags_destroy(&diags);
        }
        model_fabric_unref(fabric);
        alloc_set_unref(set);
    }
    /* The histories are of use only if both happen. */
    CU_ASSERT(n_done > 300);
    CU_ASSERT(n_failed > 5);
}

static void
test_remove_customer(void)
{
    struct model_fabric *fabric = docs_fabric(
        DOCS_FABRIC_BEGIN "<host name=\"h\" ovsdb=\"tcp:1.1.1.1:1\" "
        "tunnel=\"1.1.1.1\"/>" DOCS_FABRIC_END);
    struct model_config *a = docs_config(
        "<customer xmlns=\"urn:tollway:config:1\" name=\"a\">"
        "<network name=\"n\"/></customer>");
    struct model_config *ab = docs_config(
        "<customer xmlns=\"urn:tollway:config:1\" name=\"ab\">"
        "<network name=\"n\"/><network name=\"m\"/></customer>");
    struct diags diags = DIAGS_INITIALIZER;
    struct alloc_set *s0 = alloc_set_create();
    struct alloc_set *s1 = alloc_update(s0, a, fabric, &diags);
    struct alloc_set *s2 = alloc_update(s1, ab, fabric, &diags);
    struct alloc_set *s3 = alloc_remove_customer(s2, "a");
    struct alloc_set *s4 = alloc_remove_customer(s3, "a");
    struct alloc_set *s5 = alloc_update(s3, a, fabric, &diags);

    CU_ASSERT_EQUAL(s2->n, 3);
    CU_ASSERT_EQUAL(s3->n, 2);
    CU_ASSERT_PTR_NULL(alloc_find(s3, "a", "n", TOPO_NETWORK, "n"));
    CU_ASSERT_EQUAL(alloc_find(s3, "ab", "n", TOPO_NETWORK, "n")->id, 3);
    CU_ASSERT_EQUAL(alloc_find_id(s3, 3)->kind, TOPO_NETWORK);
    CU_ASSERT_PTR_NULL(alloc_find_id(s3, 1));
    CU_ASSERT_EQUAL(s4, s3);
    CU_ASSERT_EQUAL(alloc_find(s5, "a", "n", TOPO_NETWORK, "n")->id, 1);
    alloc_set_unref(s0);
    alloc_set_unref(s1);
    alloc_set_unref(s2);
    alloc_set_unref(s3);
    alloc_set_unref(s4);
    alloc_set_unref(s5);
    model_config_unref(a);
    model_config_unref(ab);
    model_fabric_unref(fabric);
    diags_destroy(&diags);
}

/* What was dropped in a revision does not come back as something else in the
 * same revision. */
static void
test_no_reuse_at_once(void)
{
    struct model_fabric *fabric = docs_fabric(
        DOCS_FABRIC_BEGIN "<host name=\"h\" ovsdb=\"tcp:1.1.1.1:1\" "
        "tunnel=\"1.1.1.1\"/>" DOCS_FABRIC_END);
    struct model_config *a = docs_config(DOCS_CONFIG_BEGIN
                                         "<network name=\"x\"/>"
                                         DOCS_CONFIG_END);
    struct model_config *b = docs_config(DOCS_CONFIG_BEGIN
                                         "<network name=\"y\"/>"
                                         DOCS_CONFIG_END);
    struct diags diags = DIAGS_INITIALIZER;
    struct alloc_set *s0 = alloc_set_create();
    struct alloc_set *s1 = alloc_update(s0, a, fabric, &diags);
    struct alloc_set *s2 = alloc_update(s1, b, fabric, &diags);

    CU_ASSERT_EQUAL(s1->records[0]->id, 1);
    CU_ASSERT_EQUAL(s2->records[0]->id, 2);
    alloc_set_unref(s0);
    alloc_set_unref(s1);
    alloc_set_unref(s2);
    model_config_unref(a);
    model_config_unref(b);
    model_fabric_unref(fabric);
    diags_destroy(&diags);
}

static bool
builder_accepts(const char *kind, uint32_t id, const char *mac,
                const char *address)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct alloc_builder *b = alloc_builder_create();
    bool ok = alloc_builder_add(b, "a", "n", kind, "x", id, mac, address,
                                false, NULL);

    alloc_set_unref(alloc_builder_finish(b, &diags));
    diags_destroy(&diags);
    return ok;
}

static void
test_builder(void)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct alloc_builder *b;

    CU_ASSERT(builder_accepts("node", 1, NULL, NULL));
    CU_ASSERT(builder_accepts("node", 1, "", ""));
    CU_ASSERT(builder_accepts("node", UINT32_MAX, "52:54:00:00:00:01",
                              "10.0.0.1"));
    CU_ASSERT(!builder_accepts("node", 0, NULL, NULL));
    CU_ASSERT(!builder_accepts("nodes", 1, NULL, NULL));
    CU_ASSERT(!builder_accepts("node", 1, "52:54", NULL));
    CU_ASSERT(!builder_accepts("node", 1, NULL, "10.0.0"));
    CU_ASSERT(!builder_accepts("network", 0x1000000, NULL, NULL));

    b = alloc_builder_create();
    alloc_builder_add(b, "a", "n", "node", "x", 1, NULL, NULL, false, NULL);
    alloc_builder_add(b, "a", "n", "node", "x", 2, NULL, NULL, false, NULL);
    CU_ASSERT_PTR_NULL(alloc_builder_finish(b, &diags));
    CU_ASSERT_EQUAL(diags.n_errors, 1);
    diags_clear(&diags);

    b = alloc_builder_create();
    alloc_builder_add(b, "a", "n", "node", "x", 1, NULL, NULL, false, NULL);
    alloc_builder_add(b, "a", "n", "router", "x", 1, NULL, NULL, false, NULL);
    CU_ASSERT_PTR_NULL(alloc_builder_finish(b, &diags));
    CU_ASSERT_EQUAL(diags.n_errors, 1);
    diags_destroy(&diags);
}

static void
test_bad_json(void)
{
    static const char *const texts[] = {
        "{}", "[1]", "[{}]",
        "[{\"customer\":\"a\",\"network\":\"n\",\"kind\":\"node\","
        "\"name\":\"x\",\"id\":4294967296}]",
        "[{\"customer\":\"a\",\"network\":\"n\",\"kind\":\"node\","
        "\"name\":1,\"id\":1}]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct diags diags = DIAGS_INITIALIZER;
        struct json *json = json_from_string(texts[i]);

        CU_ASSERT_PTR_NULL(alloc_set_from_json(json, &diags));
        json_destroy(json);
        diags_destroy(&diags);
    }
}

TW_TESTS("model-alloc",
         TW_TEST(test_histories),
         TW_TEST(test_remove_customer),
         TW_TEST(test_no_reuse_at_once),
         TW_TEST(test_builder),
         TW_TEST(test_bad_json))
