/* SPDX-License-Identifier: Apache-2.0 */

/* Prints the routes that follow from an LSDB, for golden tests:
 *
 *     tw-spf < FILE
 *
 * The file has one item a line, '#' begins a comment:
 *
 *     router ID [asbr]               a router-LSA; its links follow:
 *       p2p ROUTER DATA METRIC
 *       transit DR DATA METRIC
 *       stub PREFIX/PLEN METRIC
 *     network DR/PLEN ROUTER...      a network-LSA by the first router
 *     external ASBR PREFIX/PLEN e1|e2 METRIC [FORWARDING]
 *     family ROUTER...               the routers that Tollway plays
 *     root ROUTER...                 whose routes to print */

#include <config.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller/base/bytes.h"
#include "controller/ospf/lsdb.h"
#include "controller/ospf/rib-build.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

#define MAX_WORDS 16

struct reader {
    struct lsdb db, externals;
    struct ofpbuf *lsa;         /* Under construction, or NULL. */
    uint32_t family[MAX_WORDS], roots[MAX_WORDS];
    size_t n_family, n_roots;
    int line;
};

static uint32_t
parse_ip(const struct reader *r, const char *s)
{
    struct in_addr a;

    if (!s || inet_pton(AF_INET, s, &a) != 1) {
        ovs_fatal(0, "line %d: %s is not an address", r->line, s ? s : "-");
    }
    return ntohl(a.s_addr);
}

static uint32_t
parse_prefix(const struct reader *r, char *s, uint32_t *mask)
{
    char *slash = s ? strchr(s, '/') : NULL;

    if (!slash) {
        ovs_fatal(0, "line %d: a prefix is missing", r->line);
    }
    *slash = '\0';
    int plen = atoi(slash + 1);
    *mask = plen ? UINT32_MAX << (32 - plen) : 0;
    return parse_ip(r, s);
}

static void
begin(struct reader *r, enum ospf_lsa_type type, uint32_t id, uint32_t adv)
{
    r->lsa = ofpbuf_new(64);
    put_u32(r->lsa, 0x0200 | type);
    put_u32(r->lsa, id);
    put_u32(r->lsa, adv);
    put_u32(r->lsa, 0x80000001);
    put_u32(r->lsa, 0);
}

static void
end(struct reader *r)
{
    struct ofpbuf *b = r->lsa;

    if (!b) {
        return;
    }
    lsa_seal(b->data, b->size);
    if (lsa_check(b->data, b->size) != LSA_OK) {
        ovs_fatal(0, "line %d: the LSA before is not valid", r->line);
    }
    struct ospf_lsa *lsa = lsa_new(b->data, b->size, 0, 0);
    lsdb_install(lsa_type(lsa) == OSPF_LSA_EXTERNAL ? &r->externals : &r->db,
                 lsa, 0);
    lsa_unref(lsa);
    ofpbuf_delete(b);
    r->lsa = NULL;
}

static void
put_link(struct reader *r, enum router_link_type type, uint32_t id,
         uint32_t data, const char *metric)
{
    if (!r->lsa || !metric) {
        ovs_fatal(0, "line %d: a link without router or metric", r->line);
    }
    put_u32(r->lsa, id);
    put_u32(r->lsa, data);
    put_u8(r->lsa, type);
    put_u8(r->lsa, 0);
    put_u16(r->lsa, atoi(metric));
    uint8_t *n = (uint8_t *) r->lsa->data + LSA_HEADER_LEN + 2;
    store_u16(n, load_u16(n) + 1);
}

static void
read_line(struct reader *r, char *w[MAX_WORDS], size_t n)
{
    uint32_t id, mask;

    if (!strcmp(w[0], "p2p") || !strcmp(w[0], "transit")) {
        put_link(r, w[0][0] == 'p' ? LINK_P2P : LINK_TRANSIT,
                 parse_ip(r, w[1]), parse_ip(r, w[2]), w[3]);
        return;
    } else if (!strcmp(w[0], "stub")) {
        id = parse_prefix(r, w[1], &mask);
        put_link(r, LINK_STUB, id, mask, w[2]);
        return;
    }

    end(r);
    if (!strcmp(w[0], "router")) {
        id = parse_ip(r, w[1]);
        begin(r, OSPF_LSA_ROUTER, id, id);
        put_u32(r->lsa, w[2] ? ROUTER_FLAG_E << 24 : 0);
    } else if (!strcmp(w[0], "network")) {
        id = parse_prefix(r, w[1], &mask);
        begin(r, OSPF_LSA_NETWORK, id, parse_ip(r, w[2]));
        put_u32(r->lsa, mask);
        for (size_t i = 2; i < n; i++) {
            put_u32(r->lsa, parse_ip(r, w[i]));
        }
    } else if (!strcmp(w[0], "external") && n >= 5) {
        id = parse_prefix(r, w[2], &mask);
        begin(r, OSPF_LSA_EXTERNAL, id, parse_ip(r, w[1]));
        put_u32(r->lsa, mask);
        put_u32(r->lsa, (strcmp(w[3], "e2") ? 0 : 0x80000000) | atoi(w[4]));
        put_u32(r->lsa, w[5] ? parse_ip(r, w[5]) : 0);
        put_u32(r->lsa, 0);
    } else if (!strcmp(w[0], "family")) {
        for (size_t i = 1; i < n; i++) {
            r->family[r->n_family++] = parse_ip(r, w[i]);
        }
    } else if (!strcmp(w[0], "root")) {
        for (size_t i = 1; i < n; i++) {
            r->roots[r->n_roots++] = parse_ip(r, w[i]);
        }
    } else {
        ovs_fatal(0, "line %d: %s is not understood", r->line, w[0]);
    }
}

static void
read_file(struct reader *r)
{
    char line[512];

    while (fgets(line, sizeof line, stdin)) {
        char *w[MAX_WORDS + 1] = { NULL }, *save = NULL;
        size_t n = 0;

        r->line++;
        line[strcspn(line, "#\n")] = '\0';
        for (char *s = strtok_r(line, " ", &save); s && n < MAX_WORDS;
             s = strtok_r(NULL, " ", &save)) {
            w[n++] = s;
        }
        if (n) {
            read_line(r, w, n);
        }
    }
    end(r);
}

int
main(void)
{
    struct reader r = { .line = 0 };

    lsdb_init(&r.db);
    lsdb_init(&r.externals);
    read_file(&r);

    struct spf_graph *g = spf_graph_build(&r.db, r.family, r.n_family, 0);
    struct rib_externals *x = rib_externals_build(&r.externals, 0);
    for (size_t i = 0; i < r.n_roots; i++) {
        struct ospf_rib *rib = rib_build(g, r.roots[i], x, true);
        struct ds ds = DS_EMPTY_INITIALIZER;
        struct in_addr a = { htonl(r.roots[i]) };

        ospf_rib_format(&ds, rib);
        printf("%sroutes of %s:\n%s", i ? "\n" : "", inet_ntoa(a),
               ds_cstr(&ds));
        ds_destroy(&ds);
        ospf_rib_destroy(rib);
    }
    rib_externals_destroy(x);
    spf_graph_destroy(g);
    lsdb_destroy(&r.db);
    lsdb_destroy(&r.externals);
    return 0;
}
