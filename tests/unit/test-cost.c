/* SPDX-License-Identifier: Apache-2.0 */

/* Costs: metrics and policies to parts. */

#include <config.h>
#include "controller/cost/cost.h"

#include <limits.h>
#include <math.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

static const char *const hosts[] = { "h1", "h2", "h3" };

static void
put(struct cost_state *cs, uint32_t id, const struct cost_policy *policy)
{
    struct cost_attachment ca = {
        .id = id, .point = "east", .host = "h1", .policy = policy,
        .hosts = hosts, .n_hosts = 3,
    };

    cost_set_attachment(cs, &ca);
}

/* Runs, checks that exactly attachment 'id' changed, to 'part'. */
static void
expect(struct cost_state *cs, long long int now, uint32_t id, uint32_t part)
{
    struct cost_changes changes = COST_CHANGES_INIT;

    cost_run(cs, now, &changes);
    CU_ASSERT_EQUAL(changes.n, 1);
    if (changes.n) {
        CU_ASSERT_EQUAL(changes.changes[0].id, id);
        CU_ASSERT_EQUAL(changes.changes[0].part, part);
    }
    CU_ASSERT_EQUAL(cost_part(cs, id), part);
    cost_changes_uninit(&changes);
}

static void
expect_nothing(struct cost_state *cs, long long int now)
{
    struct cost_changes changes = COST_CHANGES_INIT;

    cost_run(cs, now, &changes);
    CU_ASSERT_EQUAL(changes.n, 0);
    cost_changes_uninit(&changes);
}

static void
delay(struct cost_state *cs, const char *from, uint32_t us, long long int now)
{
    struct cost_metrics m = { .has = COST_DELAY, .delay_us = us };

    CU_ASSERT(cost_set_pair(cs, from, "h1", &m, now));
}

static void
test_weights(void)
{
    struct cost_policy policy = {
        .per_ms = 2000, .per_use_percent = 500, .per_loss_percent = 10000,
        .per_price = 1000,
    };
    struct cost_state *cs = cost_create(0);
    struct cost_metrics m = {
        .has = COST_DELAY | COST_USE | COST_LOSS | COST_PRICE,
        .delay_us = 3500,       /* 7 */
        .use = 40000,           /* 40 %: 20 */
        .loss = 100,            /* 0.1 %: 1 */
        .price = 2500,          /* 2.5 */
    };
    struct cost_metrics less = { .has = COST_LOSS };

    put(cs, 7, &policy);
    expect_nothing(cs, 0);
    cost_set_point(cs, "east", &m, 0);
    expect(cs, 0, 7, 31);       /* 30.5, rounded. */
    cost_set_point(cs, "west", &m, 0);
    expect_nothing(cs, 1);
    cost_set_point(cs, "east", &less, 2); /* The others stay. */
    expect(cs, 2, 7, 30);
    put(cs, 7, NULL);
    expect(cs, 3, 7, 0);
    cost_destroy(cs);
}

static void
test_worst_pair(void)
{
    struct cost_policy policy = { .per_ms = 1000 };
    struct cost_state *cs = cost_create(0);
    struct cost_metrics own = { .has = COST_DELAY, .delay_us = 5000 };
    struct cost_reason reason;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct cost_attachment fewer = {
        .id = 7, .point = "east", .host = "h1", .policy = &policy,
        .hosts = hosts, .n_hosts = 2,
    };

    put(cs, 7, &policy);
    cost_set_point(cs, "east", &own, 0);
    delay(cs, "h2", 10000, 0);
    delay(cs, "h3", 30000, 0);
    delay(cs, "h4", 90000, 0);  /* Does not carry the network. */
    delay(cs, "h1", 80000, 0);  /* The attachment's own host. */
    expect(cs, 0, 7, 35);
    delay(cs, "h2", 20000, 1);  /* Not the worst. */
    expect_nothing(cs, 1);
    CU_ASSERT(cost_explain(cs, 7, 1, &reason));
    cost_reason_format(&reason, &ds);
    CU_ASSERT_STRING_EQUAL(ds_cstr(&ds), "35 (attachment 5 + worst pair 30 "
                           "from h3, target 35)");
    ds_destroy(&ds);
    cost_set_attachment(cs, &fewer); /* No node on h3 any more. */
    expect(cs, 2, 7, 25);
    cost_forget_host(cs, "h2");
    expect(cs, 3, 7, 5);
    cost_forget_point(cs, "east");
    expect(cs, 4, 7, 0);
    cost_del_attachment(cs, 7);
    CU_ASSERT_EQUAL(cost_part(cs, 7), 0);
    cost_destroy(cs);
}

static void
test_limits(void)
{
    struct cost_policy policy = { .per_ms = 1000, .floor = 10, .ceiling = 50 };
    struct cost_policy open = {
        .per_ms = UINT32_MAX, .per_use_percent = UINT32_MAX,
        .per_loss_percent = UINT32_MAX, .per_price = UINT32_MAX,
    };
    struct cost_metrics max = {
        .has = COST_DELAY | COST_USE | COST_LOSS | COST_PRICE,
        .delay_us = UINT32_MAX, .use = UINT32_MAX, .loss = UINT32_MAX,
        .price = UINT32_MAX,
    };
    struct cost_state *cs = cost_create(3);

    put(cs, 7, &policy);
    expect(cs, 0, 7, 10);
    delay(cs, "h2", 2000, 0);
    expect_nothing(cs, 1);
    delay(cs, "h2", 20000, 2);
    expect(cs, 2, 7, 20);
    delay(cs, "h2", 2000000000, 3);
    expect(cs, 3, 7, 50);
    put(cs, 7, &open);
    cost_set_point(cs, "east", &max, 4);
    cost_set_pair(cs, "h2", "h1", &max, 4);
    expect(cs, 4, 7, COST_MAX);

    /* Bounded. */
    delay(cs, "h3", 1, 5);
    CU_ASSERT_EQUAL(cost_n_metrics(cs), 3);
    CU_ASSERT(!cost_set_pair(cs, "h4", "h1", &max, 5));
    CU_ASSERT(!cost_set_point(cs, "north", &max, 5));
    CU_ASSERT_EQUAL(cost_n_refused(cs), 2);
    CU_ASSERT_EQUAL(cost_n_metrics(cs), 3);
    delay(cs, "h3", 2, 6);      /* Known ones still change. */
    cost_destroy(cs);
}

/* Runs at each wake until it rests; returns how often the part changed and
 * checks its course against the real function. */
static int
settle(struct cost_state *cs, uint32_t id, long long int t0, double from,
       double to, double half_life, double band)
{
    struct cost_changes changes = COST_CHANGES_INIT;
    long long int now = t0, last = t0;
    int n = 0;

    for (;;) {
        uint32_t before = cost_part(cs, id);
        long long int wake = cost_run(cs, now, &changes);
        double v = to + (from - to) * pow(2, -(now - t0) / half_life);

        if (cost_part(cs, id) != before) {
            n++;
            CU_ASSERT(n == 1 || now - last >= half_life / 8
                      || cost_part(cs, id) == to);
            CU_ASSERT(fabs(cost_part(cs, id) - v) <= 1.0);
            last = now;
        } else if (now - last >= half_life / 8 && wake < LLONG_MAX) {
            CU_ASSERT(fabs(before - v) <= before * band + 1.0);
        }
        if (wake == LLONG_MAX) {
            break;
        }
        CU_ASSERT_FATAL(wake > now);
        now = wake;
    }
    cost_changes_uninit(&changes);
    CU_ASSERT_EQUAL(cost_part(cs, id), to);
    return n;
}

static void
test_damping(void)
{
    struct cost_policy policy = {
        .per_ms = 1000, .half_life_ms = 1000, .hysteresis_percent = 10,
    };
    struct cost_state *cs = cost_create(0), *copy;
    int n;

    put(cs, 7, &policy);
    expect_nothing(cs, 0);
    delay(cs, "h2", 100000, 0);
    expect(cs, 0, 7, 100);      /* The first value, at once. */
    CU_ASSERT_EQUAL(cost_next_wake(cs), LLONG_MAX);

    /* Within the band: only the final value. */
    delay(cs, "h2", 105000, 1000);
    n = settle(cs, 7, 1000, 100, 105, 1000, .1);
    CU_ASSERT_EQUAL(n, 1);

    delay(cs, "h2", 400000, 100000);
    copy = cost_clone(cs);
    n = settle(cs, 7, 100000, 105, 400, 1000, .1);
    CU_ASSERT(n > 5 && n < 20);
    CU_ASSERT_EQUAL(settle(copy, 7, 100000, 105, 400, 1000, .1), n);
    cost_destroy(copy);

    delay(cs, "h2", 0, 200000);
    n = settle(cs, 7, 200000, 400, 0, 1000, .1);
    CU_ASSERT(n > 5 && n < 80);

    /* A short peak: it never gets to the peak's value. */
    delay(cs, "h2", 1000000, 300000);
    expect_nothing(cs, 300000);
    expect(cs, 300001, 7, 1);
    expect_nothing(cs, 300002);
    expect_nothing(cs, 300100);
    delay(cs, "h2", 0, 300100);
    n = settle(cs, 7, 300100, 1000 * (1 - pow(2, -.1)), 0, 1000, .1);
    CU_ASSERT(n > 1 && n < 80);
    cost_destroy(cs);
}

/* More calls than necessary change nothing. */
static void
test_extra_calls(void)
{
    struct tw_random r;

    tw_random_init(&r, 1);
    for (int round = 0; round < 20; round++) {
        struct cost_policy policy = {
            .per_ms = 1000, .half_life_ms = 1 + tw_random_range(&r, 3000),
            .hysteresis_percent = tw_random_range(&r, 30),
        };
        struct cost_state *a = cost_create(0), *b = cost_create(0);
        struct cost_changes changes = COST_CHANGES_INIT;

        put(a, 7, &policy);
        put(b, 7, &policy);
        cost_run(a, 0, &changes);
        cost_run(b, 0, &changes);
        for (long long int now = 1; now < 5000; now++) {
            if (!tw_random_range(&r, 700)) {
                uint32_t us = tw_random_range(&r, 1000000);

                delay(a, "h2", us, now);
                delay(b, "h2", us, now);
            }
            cost_run(a, now, &changes);
            if (cost_next_wake(b) <= now) {
                cost_run(b, now, &changes);
            }
            CU_ASSERT_EQUAL_FATAL(cost_part(a, 7), cost_part(b, 7));
        }
        cost_changes_uninit(&changes);
        cost_destroy(a);
        cost_destroy(b);
    }
}

static void
test_stale(void)
{
    struct cost_policy policy = { .per_ms = 1000, .stale_ms = 1000 };
    struct cost_state *cs = cost_create(0);
    struct cost_reason reason;
    struct json *json;
    char *text;

    put(cs, 7, &policy);
    delay(cs, "h2", 9000, 0);
    expect(cs, 0, 7, 9);
    CU_ASSERT(cost_explain(cs, 7, 1000, &reason));
    CU_ASSERT(!reason.stale);
    expect_nothing(cs, 1001);
    CU_ASSERT(cost_explain(cs, 7, 1001, &reason));
    CU_ASSERT(reason.stale);
    CU_ASSERT_EQUAL(reason.part, 9);
    CU_ASSERT(!cost_explain(cs, 8, 1001, &reason));

    json = cost_metrics_to_json(cs, 5);
    text = json_to_string(json, JSSF_SORT);
    CU_ASSERT_STRING_EQUAL(text, "[{\"age-ms\":5,\"delay-us\":9000,"
                           "\"from\":\"h2\",\"to\":\"h1\"}]");
    free(text);
    json_destroy(json);
    cost_destroy(cs);
}

TW_TESTS("cost",
         TW_TEST(test_weights),
         TW_TEST(test_worst_pair),
         TW_TEST(test_limits),
         TW_TEST(test_damping),
         TW_TEST(test_extra_calls),
         TW_TEST(test_stale))
