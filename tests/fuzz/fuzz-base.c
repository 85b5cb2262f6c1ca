/* SPDX-License-Identifier: Apache-2.0 */

/* Addresses, prefixes and diagnostics from any text: what is parsed prints and
 * parses again as the same, and what is printed is printable. */
/* sources: controller/base/prefix.c controller/base/diag.c */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "controller/base/diag.h"
#include "controller/base/prefix.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void
fuzz_prefix(const char *s)
{
    enum prefix_error error;
    struct in6_addr addr;
    struct prefix p, q;
    char buf[PREFIX_STRLEN];

    error = prefix_parse(s, &p);
    if (error == PREFIX_OK || error == PREFIX_HOST_BITS) {
        check(!prefix_parse(prefix_to_string(&p, buf), &q));
        check(prefix_equal(&p, &q));
        check(prefix_parse_interface(s, &addr, &q) == PREFIX_OK);
        check(prefix_equal(&p, &q));
        check(prefix_contains(&p, &addr));
        prefix_is_martian(&p);
        check(prefix_count_hosts(&p) > 0);
    }
}

static void
fuzz_diag(const char *s)
{
    struct diags diags = DIAGS_INITIALIZER;
    struct ds out = DS_EMPTY_INITIALIZER;
    struct json *json, *again;
    char *text;

    diag_remedy(diags_error(&diags, s, 1, s, "%s", s), "%s", s);
    diags_format(&diags, &out);
    for (size_t i = 0; i < out.length; i++) {
        check((unsigned char) out.string[i] >= ' ' || i == out.length - 1);
    }
    json = diags_to_json(&diags);
    text = json_to_string(json, JSSF_SORT);
    again = json_from_string(text);
    check(json_equal(json, again));
    json_destroy(again);
    json_destroy(json);
    free(text);
    ds_destroy(&out);
    diags_destroy(&diags);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *s = xmemdup0((const char *) data, size);

    fuzz_prefix(s);
    fuzz_diag(s);
    free(s);
    return 0;
}
