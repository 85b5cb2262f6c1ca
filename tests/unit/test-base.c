/* SPDX-License-Identifier: Apache-2.0 */

/* Tests of controller/base: addresses, prefixes and diagnostics. */

#include <config.h>

#include <arpa/inet.h>

#include "controller/base/diag.h"
#include "controller/base/prefix.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "tests/unit/tw-cunit.h"
#include "util.h"

/* Addresses. */

static struct in6_addr
addr(const char *s)
{
    struct in6_addr a;

    CU_ASSERT_FATAL(addr_parse(s, &a));
    return a;
}

static struct prefix
pfx(const char *s)
{
    struct prefix p;

    CU_ASSERT_EQUAL_FATAL(prefix_parse(s, &p), PREFIX_OK);
    return p;
}

static void
test_addr_text(void)
{
    static const char *good[] = {
        "0.0.0.0", "10.0.1.1", "255.255.255.255", "::", "::1",
        "2001:db8::1", "fe80::a:b", "ff02::5",
    };
    static const char *bad[] = {
        "", " ", "10", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ",
        " 10.0.0.1", "10.0.0.1.2", "1::2::3", ":::", "::ffff:10.0.0.1",
        "::ffff:a00:1", "10.0.0.1/8", "g::1", "-1.0.0.0",
    };
    struct in6_addr a;
    char buf[ADDR_STRLEN];

    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        CU_ASSERT(addr_parse(good[i], &a));
        CU_ASSERT_STRING_EQUAL(addr_to_string(&a, buf), good[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        CU_ASSERT_FALSE(addr_parse(bad[i], &a));
    }
    a = addr("10.0.1.1");
    CU_ASSERT(addr_is_v4(&a));
    CU_ASSERT_EQUAL(addr_get_ip4(&a), htonl(0x0a000101));
    a = addr("2001:db8::1");
    CU_ASSERT_FALSE(addr_is_v4(&a));
    CU_ASSERT_EQUAL(addr_get_ip4(&a), htonl(0));
}

/* Prefixes. */

static void
test_prefix_parse(void)
{
    static const struct {
        const char *text;
        enum prefix_error error;
        const char *prefix;     /* What is stored, if anything. */
    } cases[] = {
        { "10.0.1.0/24", PREFIX_OK, "10.0.1.0/24" },
        { "0.0.0.0/0", PREFIX_OK, "0.0.0.0/0" },
        { "::/0", PREFIX_OK, "::/0" },
        { "10.1.2.3/32", PREFIX_OK, "10.1.2.3/32" },
        { "2001:db8::/32", PREFIX_OK, "2001:db8::/32" },
        { "2001:db8::1/128", PREFIX_OK, "2001:db8::1/128" },
        { "10.0.1.9/24", PREFIX_HOST_BITS, "10.0.1.0/24" },
        { "2001:db8::1/64", PREFIX_HOST_BITS, "2001:db8::/64" },
        { "1.0.0.0/0", PREFIX_HOST_BITS, "0.0.0.0/0" },
        { "10.0.1.0", PREFIX_NO_LENGTH, NULL },
        { "10.0.1.0/", PREFIX_BAD_LENGTH, NULL },
        { "10.0.1.0/33", PREFIX_BAD_LENGTH, NULL },
        { "10.0.1.0/024", PREFIX_BAD_LENGTH, NULL },
        { "10.0.1.0/-1", PREFIX_BAD_LENGTH, NULL },
        { "10.0.1.0/24 ", PREFIX_BAD_LENGTH, NULL },
        { "10.0.1.0/4294967296", PREFIX_BAD_LENGTH, NULL },
        { "10.0.1.0/255.255.255.0", PREFIX_BAD_LENGTH, NULL },
        { "2001:db8::/129", PREFIX_BAD_LENGTH, NULL },
        { "/24", PREFIX_BAD_ADDRESS, NULL },
        { "web/24", PREFIX_BAD_ADDRESS, NULL },
        { "::ffff:10.0.0.0/104", PREFIX_BAD_ADDRESS, NULL },
        { "1111111111111111111111111111111111111111111111111111/24",
          PREFIX_BAD_ADDRESS, NULL },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct prefix p;
        char buf[PREFIX_STRLEN];

        CU_ASSERT_EQUAL(prefix_parse(cases[i].text, &p), cases[i].error);
        if (cases[i].prefix) {
            CU_ASSERT_STRING_EQUAL(prefix_to_string(&p, buf),
                                   cases[i].prefix);
        }
    }
}

static void
test_prefix_interface(void)
{
    struct in6_addr a, want;
    struct prefix p, subnet = pfx("169.254.10.0/30");

    CU_ASSERT_EQUAL(prefix_parse_interface("169.254.10.1/30", &a, &p),
                    PREFIX_OK);
    want = addr("169.254.10.1");
    CU_ASSERT(!addr_compare(&a, &want));
    CU_ASSERT(prefix_equal(&p, &subnet));
}

static void
test_prefix_families(void)
{
    struct prefix v4 = pfx("0.0.0.0/0");
    struct prefix v6 = pfx("::/0");
    struct in6_addr a4 = addr("10.0.0.1");
    struct in6_addr a6 = addr("2001:db8::1");

    CU_ASSERT(prefix_is_v4(&v4));
    CU_ASSERT_FALSE(prefix_is_v4(&v6));
    CU_ASSERT_EQUAL(v4.plen, 96);
    CU_ASSERT_EQUAL(v6.plen, 0);
    CU_ASSERT(prefix_is_default(&v4));
    CU_ASSERT(prefix_is_default(&v6));
    CU_ASSERT(prefix_contains(&v4, &a4));
    CU_ASSERT(prefix_contains(&v6, &a6));
    CU_ASSERT_FALSE(prefix_contains(&v6, &a4));
    CU_ASSERT_FALSE(prefix_contains(&v4, &a6));
    CU_ASSERT_FALSE(prefix_overlaps(&v4, &v6));
    CU_ASSERT_FALSE(prefix_equal(&v4, &v6));
}

static void
test_prefix_hosts(void)
{
    static const struct {
        const char *prefix, *first, *last;
        uint64_t n;
    } cases[] = {
        { "10.0.1.0/24", "10.0.1.1", "10.0.1.254", 254 },
        { "10.0.1.0/30", "10.0.1.1", "10.0.1.2", 2 },
        { "10.0.1.0/31", "10.0.1.0", "10.0.1.1", 2 },
        { "10.0.1.7/32", "10.0.1.7", "10.0.1.7", 1 },
        { "10.255.0.0/16", "10.255.0.1", "10.255.255.254", 65534 },
        { "0.0.0.0/0", "0.0.0.1", "255.255.255.254",
          UINT64_C(0xfffffffe) },
        { "2001:db8::/126", "2001:db8::", "2001:db8::3", 4 },
        { "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          UINT64_MAX },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct prefix p = pfx(cases[i].prefix);
        struct in6_addr first = prefix_first_host(&p);
        struct in6_addr last = prefix_last_host(&p);
        char buf[ADDR_STRLEN];

        CU_ASSERT_STRING_EQUAL(addr_to_string(&first, buf), cases[i].first);
        CU_ASSERT_STRING_EQUAL(addr_to_string(&last, buf), cases[i].last);
        CU_ASSERT_EQUAL(prefix_count_hosts(&p), cases[i].n);
        CU_ASSERT(prefix_is_usable_host(&p, &first));
        CU_ASSERT(prefix_is_usable_host(&p, &last));
    }

    struct prefix p = pfx("10.0.1.0/24");
    struct in6_addr network = addr("10.0.1.0");
    struct in6_addr broadcast = addr("10.0.1.255");
    struct in6_addr outside = addr("10.0.2.1");

    CU_ASSERT_FALSE(prefix_is_usable_host(&p, &network));
    CU_ASSERT_FALSE(prefix_is_usable_host(&p, &broadcast));
    CU_ASSERT_FALSE(prefix_is_usable_host(&p, &outside));
}

static void
test_prefix_martian(void)
{
    static const char *martians[] = {
        "0.0.0.0/8", "0.1.2.3/32", "127.0.0.0/8", "127.0.0.1/32",
        "224.0.0.0/4", "239.1.0.0/16", "240.0.0.0/4", "255.255.255.255/32",
        "::/128", "::1/128", "fe80::/10", "fe80::/64", "ff00::/8",
        "ff02::5/128",
    };
    static const char *fine[] = {
        "0.0.0.0/0", "0.0.0.0/7", "1.0.0.0/8", "10.0.0.0/8", "126.0.0.0/7",
        "128.0.0.0/8", "169.254.10.0/30", "192.0.2.0/24", "203.0.113.0/24",
        "223.255.255.255/32", "192.0.0.0/2", "::/0", "2001:db8::/32",
        "fc00::/7",
    };
    struct in6_addr a;

    for (size_t i = 0; i < ARRAY_SIZE(martians); i++) {
        struct prefix p = pfx(martians[i]);
        CU_ASSERT(prefix_is_martian(&p));
    }
    for (size_t i = 0; i < ARRAY_SIZE(fine); i++) {
        struct prefix p = pfx(fine[i]);
        CU_ASSERT_FALSE(prefix_is_martian(&p));
    }
    a = addr("224.0.0.5");
    CU_ASSERT(addr_is_martian(&a));
    a = addr("10.0.0.1");
    CU_ASSERT_FALSE(addr_is_martian(&a));
}

/* A slow twin of the prefix functions: prefixes as strings of '0' and '1',
 * with a letter for the family in front. */

static void
bits_of(const struct in6_addr *a, unsigned int plen, char bits[130])
{
    bits[0] = addr_is_v4(a) ? 'd' : 's';
    for (unsigned int i = 0; i < plen; i++) {
        bits[1 + i] = a->s6_addr[i / 8] & (0x80 >> i % 8) ? '1' : '0';
    }
    bits[1 + plen] = '\0';
}

static bool
starts_with(const char *s, const char *start)
{
    return !strncmp(s, start, strlen(start));
}

/* Addresses that share many bits with each other. */
static struct in6_addr
random_addr(struct tw_random *r)
{
    struct in6_addr a;

    if (tw_random_range(r, 2)) {
        uint32_t ip = 0x0a000000;

        ip ^= tw_random_u64(r) & ((UINT64_C(1) << tw_random_range(r, 33)) - 1);
        return addr_from_ip4(htonl(ip));
    }
    a = addr("2001:db8::");
    for (unsigned int i = tw_random_range(r, 17); i < 16; i++) {
        a.s6_addr[i] ^= tw_random_u64(r);
    }
    return a;
}

static struct prefix
random_prefix(struct tw_random *r)
{
    struct in6_addr a = random_addr(r);

    return prefix_from_addr(&a, tw_random_range(r, addr_is_v4(&a) ? 33
                                                               : 129));
}

static void
test_prefix_random(void)
{
    unsigned int n_contained = 0;
    struct tw_random r;

    tw_random_init(&r, 1);
    for (int i = 0; i < 50000; i++) {
        struct prefix p = random_prefix(&r);
        struct prefix q = random_prefix(&r);
        struct in6_addr a = random_addr(&r);
        char pb[130], qb[130], ab[130], text[PREFIX_STRLEN];
        struct prefix again;

        bits_of(&p.addr, p.plen, pb);
        bits_of(&q.addr, q.plen, qb);
        bits_of(&a, 128, ab);

        CU_ASSERT_EQUAL(prefix_contains(&p, &a), starts_with(ab, pb));
        CU_ASSERT_EQUAL(prefix_contains_prefix(&p, &q),
                        starts_with(qb, pb));
        CU_ASSERT_EQUAL(prefix_overlaps(&p, &q),
                        starts_with(qb, pb) || starts_with(pb, qb));
        CU_ASSERT_EQUAL(prefix_equal(&p, &q), !strcmp(pb, qb));
        CU_ASSERT_EQUAL(!prefix_compare(&p, &q), !strcmp(pb, qb));
        CU_ASSERT_EQUAL(prefix_compare(&p, &q) < 0,
                        prefix_compare(&q, &p) > 0);
        n_contained += prefix_contains(&p, &a);

        CU_ASSERT_EQUAL(prefix_parse(prefix_to_string(&p, text), &again),
                        PREFIX_OK);
        CU_ASSERT(prefix_equal(&p, &again));
        CU_ASSERT_EQUAL(prefix_hash(&p, 0), prefix_hash(&again, 0));
        if (prefix_is_v4(&p)) {
            CU_ASSERT_EQUAL(prefix_get_ip4(&p) & ~prefix_get_ip4_mask(&p),
                            0);
        }
    }
    CU_ASSERT(n_contained > 1000);
}

static int
compare_prefixes(const void *a, const void *b)
{
    return prefix_compare(a, b);
}

/* In sorted order, each IPv4 prefix is followed at once by all those inside
 * it. */
static void
test_prefix_order(void)
{
    struct prefix p[300];
    struct tw_random r;

    tw_random_init(&r, 2);
    for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
        p[i] = random_prefix(&r);
    }
    qsort(p, ARRAY_SIZE(p), sizeof *p, compare_prefixes);
    for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
        bool inside = true;

        for (size_t j = i + 1; prefix_is_v4(&p[i]) && j < ARRAY_SIZE(p);
             j++) {
            bool contained = prefix_contains_prefix(&p[i], &p[j]);

            CU_ASSERT(inside || !contained);
            inside = inside && contained;
        }
    }
}

/* Diagnostics. */

static void
test_diag_text(void)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct diag *d;

    d = diags_error(&diags, "acme.xml", 12,
                    "/customer/network[prod]/node[web1]",
                    "address %s is outside subnet \"%s\" (%s)", "10.0.2.9",
                    "web", "10.0.1.0/24");
    diag_remedy(d, "use an address from %s to %s", "10.0.1.1",
                "10.0.1.254");
    diags_warning(&diags, "acme.xml", 0, NULL, "no node");
    diags_add(&diags, DIAG_NOTE, NULL, 3, "/a[x]y]/b", "fine");
    diags_error(&diags, NULL, 0, NULL, "wrong");
    diags_format(&diags, &s);
    CU_ASSERT_STRING_EQUAL(ds_cstr(&s),
        "acme.xml:12: customer/network \"prod\"/node \"web1\": address "
        "10.0.2.9 is outside subnet \"web\" (10.0.1.0/24); use an address "
        "from 10.0.1.1 to 10.0.1.254\n"
        "acme.xml: warning: no node\n"
        "line 3: note: a \"x]y\"/b: fine\n"
        "wrong\n");
    CU_ASSERT_EQUAL(diags.n_errors, 2);
    CU_ASSERT_EQUAL(diags.n_warnings, 1);
    CU_ASSERT_EQUAL(diags_count(&diags), 4);
    CU_ASSERT(diags_has_errors(&diags));
    ds_destroy(&s);
    diags_destroy(&diags);
}

static void
test_diag_json(void)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct json *json;
    struct diag *d;
    char *text;

    d = diags_error(&diags, "a.xml", 5, "/customer", "bad \"thing\"");
    diag_remedy(d, "a good one");
    diags_warning(&diags, NULL, 0, NULL, "odd");
    json = diags_to_json(&diags);
    text = json_to_string(json, JSSF_SORT);
    CU_ASSERT_STRING_EQUAL(text,
        "{\"diagnostics\":[{\"cause\":\"bad \\\"thing\\\"\",\"line\":5,"
        "\"path\":\"/customer\",\"remedy\":\"a good one\","
        "\"severity\":\"error\",\"source\":\"a.xml\"},"
        "{\"cause\":\"odd\",\"severity\":\"warning\"}],"
        "\"dropped\":0,\"errors\":1,\"warnings\":1}");
    free(text);
    json_destroy(json);
    diags_destroy(&diags);
}

static void
test_diag_bounds(void)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct diags more = DIAGS_INITIALIZER;
    struct ds s = DS_EMPTY_INITIALIZER;

    for (int i = 0; i < 250; i++) {
        struct diag *d = diags_error(&diags, NULL, 0, NULL, "%d", i);

        CU_ASSERT_EQUAL(d != NULL, i < DIAGS_MAX);
        diag_remedy(d, "less");
    }
    CU_ASSERT_EQUAL(diags.n, DIAGS_MAX);
    CU_ASSERT_EQUAL(diags.n_errors, 250);
    CU_ASSERT_EQUAL(diags_dropped(&diags), 150);
    CU_ASSERT_STRING_EQUAL(diags.items[99].cause, "99");

    diags_warning(&more, NULL, 1, NULL, "last");
    diags_append(&diags, &more);
    CU_ASSERT_EQUAL(more.n, 0);
    CU_ASSERT_EQUAL(diags_count(&more), 0);
    CU_ASSERT_EQUAL(diags_count(&diags), 251);
    diags_format(&diags, &s);
    CU_ASSERT(strstr(ds_cstr(&s), "(151 more not shown)\n") != NULL);
    diags_clear(&diags);
    CU_ASSERT_EQUAL(diags_count(&diags), 0);

    diags_error(&more, NULL, 7, NULL, "b");
    diags_error(&more, NULL, 7, NULL, "c");
    diags_error(&more, NULL, 2, NULL, "a");
    diags_append(&diags, &more);
    diags_sort(&diags);
    CU_ASSERT_EQUAL_FATAL(diags.n, 3);
    CU_ASSERT_STRING_EQUAL(diags.items[0].cause, "a");
    CU_ASSERT_STRING_EQUAL(diags.items[1].cause, "b");
    CU_ASSERT_STRING_EQUAL(diags.items[2].cause, "c");

    ds_destroy(&s);
    diags_destroy(&more);
    diags_destroy(&diags);
}

/* Whatever bytes a document holds, the texts stay printable and short. */
static void
test_diag_hostile(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "plain", "plain" },
        { "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f" },
        { "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
        { "a\nb\x1b[31m", "a\\x0ab\\x1b[31m" },
        { "\xc2\x9b" "31m", "\\xc2\\x9b31m" },
        { "\xff\xc3", "\\xff\\xc3" },
        { "\xc0\x80", "\\xc0\\x80" },
        { "\xed\xa0\x80", "\\xed\\xa0\\x80" },
        { "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
    };
    struct diags diags = DIAGS_INITIALIZER;
    struct tw_random r;
    char *big;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct diag *d = diags_error(&diags, NULL, 0, NULL, "%s",
                                     cases[i].in);
        CU_ASSERT_STRING_EQUAL(d->cause, cases[i].out);
    }
    diags_clear(&diags);

    big = xmalloc(3001);
    tw_random_init(&r, 3);
    for (int i = 0; i < DIAGS_MAX; i++) {
        size_t n = tw_random_range(&r, 3001);
        struct diag *d;

        for (size_t j = 0; j < n; j++) {
            big[j] = 1 + tw_random_range(&r, i % 2 ? 255 : 200);
        }
        big[n] = '\0';
        d = diags_error(&diags, big, 1, big, "%s", big);
        CU_ASSERT(strlen(d->cause) <= DIAG_TEXT_MAX);
        CU_ASSERT(strlen(d->path) <= DIAG_TEXT_MAX);
        for (const char *p = d->cause; *p; p++) {
            CU_ASSERT((unsigned char) *p >= 0x20 && *p != 0x7f);
        }
    }
    free(big);
    diags_destroy(&diags);
}

TW_TESTS("base",
         TW_TEST(test_addr_text),
         TW_TEST(test_prefix_parse),
         TW_TEST(test_prefix_interface),
         TW_TEST(test_prefix_families),
         TW_TEST(test_prefix_hosts),
         TW_TEST(test_prefix_martian),
         TW_TEST(test_prefix_random),
         TW_TEST(test_prefix_order),
         TW_TEST(test_diag_text),
         TW_TEST(test_diag_json),
         TW_TEST(test_diag_bounds),
         TW_TEST(test_diag_hostile))
