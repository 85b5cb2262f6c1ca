/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_TW_CUNIT_H
#define TESTS_UNIT_TW_CUNIT_H 1

/* A unit test program is a list of functions:
 *
 *     static void
 *     test_something(void)
 *     {
 *         CU_ASSERT_EQUAL(1 + 1, 2);
 *     }
 *
 *     TW_TESTS("something",
 *              TW_TEST(test_something),
 *              TW_TEST(test_something_else))
 *
 * which makes a main() that runs them all, prints what failed, ends with the
 * line "N passed, N failed" and exits with 1 if anything failed.  An argument
 * runs only the tests whose names contain it.  CUnit's assertions are used as
 * they are, and those named ..._FATAL end the test function.
 *
 * Random tests take their numbers from 'struct tw_random', seeded by the test
 * itself, so that each run does the same.  TOLLWAY_SEED in the environment
 * gives tw_random_init() other ones to try. */

#include <CUnit/CUnit.h>
#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tw_random {
    uint64_t state;
};

/* splitmix64. */
static inline uint64_t
tw_random_u64(struct tw_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* A number from 0 to n - 1. */
static inline uint32_t
tw_random_range(struct tw_random *r, uint32_t n)
{
    return tw_random_u64(r) % n;
}

static inline void
tw_random_init(struct tw_random *r, uint64_t seed)
{
    const char *s = getenv("TOLLWAY_SEED");

    r->state = seed + (s ? strtoull(s, NULL, 0) : 0);
}

struct tw_test {
    const char *name;
    void (*run)(void);
};

/* Prints the first few failures of each test. */
static inline void
tw_print_failures(const char *suite_name)
{
    CU_pTest test = NULL;
    unsigned int n = 0;

    for (CU_pFailureRecord f = CU_get_failure_list(); f; f = f->pNext) {
        n = f->pTest == test ? n + 1 : 0;
        test = f->pTest;
        if (n < 5) {
            printf("%s: %s: %s:%u: %s\n", suite_name,
                   test ? test->pName : "-",
                   f->strFileName ? f->strFileName : "-", f->uiLineNumber,
                   f->strCondition ? f->strCondition : "-");
        } else if (n == 5) {
            printf("%s: %s: and more\n", suite_name,
                   test ? test->pName : "-");
        }
    }
}

static inline int
tw_run_tests(const char *suite_name, const struct tw_test tests[], size_t n,
             const char *only)
{
    CU_pSuite suite;
    unsigned int n_run, n_failed;

    if (CU_initialize_registry() != CUE_SUCCESS) {
        return EXIT_FAILURE;
    }
    suite = CU_add_suite(suite_name, NULL, NULL);
    if (!suite) {
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < n; i++) {
        if ((!only || strstr(tests[i].name, only))
            && !CU_add_test(suite, tests[i].name, tests[i].run)) {
            return EXIT_FAILURE;
        }
    }

    CU_run_all_tests();
    n_run = CU_get_number_of_tests_run();
    n_failed = CU_get_number_of_tests_failed();
    tw_print_failures(suite_name);
    printf("%u passed, %u failed\n", n_run - n_failed, n_failed);
    CU_cleanup_registry();
    return n_failed || !n_run ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define TW_TEST(FUNCTION) { #FUNCTION, FUNCTION }
#define TW_TESTS(SUITE, ...)                                            \
    int                                                                 \
    main(int argc, char *argv[])                                        \
    {                                                                   \
        static const struct tw_test tests[] = { __VA_ARGS__ };          \
                                                                        \
        return tw_run_tests(SUITE, tests,                               \
                            sizeof tests / sizeof tests[0],             \
                            argc > 1 ? argv[1] : NULL);                 \
    }

#endif /* tests/unit/tw-cunit.h */
