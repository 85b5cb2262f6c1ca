/* SPDX-License-Identifier: Apache-2.0 */

/* LSAs from any bytes.  What lsa_check() lets pass is walked by everything
 * that walks LSAs: accessors, text, and SPF and external routes over an LSDB
 * of all those in the input. */
/* sources: controller/ospf/*.c */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "controller/base/bytes.h"
#include "controller/ospf/lsdb.h"
#include "controller/ospf/rib-build.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(bool ok)
{
    if (!ok) {
        abort();
    }
}

/* The input is a sequence of LSAs, each behind a byte whose lowest bit says
 * whether length and checksum are made right first. */
static void
take(struct lsdb *db, struct lsdb *externals, const uint8_t *data, size_t n,
     bool seal)
{
    uint8_t *copy = xmalloc(n);
    nullable_memcpy(copy, data, n);

    if (seal && n >= LSA_HEADER_LEN) {
        lsa_seal(copy, n);
    }
    if (lsa_check(copy, n) == LSA_OK) {
        struct ospf_lsa *lsa = lsa_new(copy, n, load_u16(copy), 0);
        struct lsa_header h = lsa_header(lsa, 0);
        struct ds ds = DS_EMPTY_INITIALIZER;

        check(h.length == n);
        check(!lsa_header_compare(&h, &h));
        check(lsa_fletcher(copy, n) == h.checksum
              || (h.checksum >> 8 == 0) || (h.checksum & 0xff) == 0
              || (h.checksum >> 8 == 0xff) || (h.checksum & 0xff) == 0xff);
        ospf_lsa_format(&ds, lsa, 0);
        check(ds.length > 0);
        ds_destroy(&ds);
        if (!lsa->max_age) {
            lsdb_install(h.key.type == OSPF_LSA_EXTERNAL ? externals : db,
                         lsa, 0);
        }
        lsa_unref(lsa);
    }
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lsdb db, externals;
    struct bytes b = bytes_init(data, size);

    lsdb_init(&db);
    lsdb_init(&externals);
    uint32_t family[2] = { bytes_u32(&b), bytes_u32(&b) };
    while (b.left) {
        uint8_t flags = bytes_u8(&b);
        size_t n = bytes_u8(&b);
        n = MIN(n, b.left);
        take(&db, &externals, bytes_pull(&b, n), n, flags & 1);
    }

    struct spf_graph *g = spf_graph_build(&db, family, 2, 0);
    struct rib_externals *x = rib_externals_build(&externals, 0);
    for (int i = 0; i < 2; i++) {
        struct ospf_rib *rib = rib_build(g, family[i], x, true);
        struct ds ds = DS_EMPTY_INITIALIZER;

        ospf_rib_format(&ds, rib);
        ds_destroy(&ds);
        for (size_t j = 1; j < rib->n_routes; j++) {
            const struct ospf_route *p = &rib->routes[j - 1], *r = p + 1;
            check(p->prefix < r->prefix
                  || (p->prefix == r->prefix && p->plen < r->plen));
            check(ospf_rib_route(rib, r->prefix, r->plen) == r);
        }
        for (size_t j = 0; j < rib->n_candidates; j++) {
            check(rib->candidates[j].border < rib->n_borders);
        }
        ospf_rib_destroy(rib);
    }
    rib_externals_destroy(x);
    spf_graph_destroy(g);
    lsdb_destroy(&db);
    lsdb_destroy(&externals);
    return 0;
}
