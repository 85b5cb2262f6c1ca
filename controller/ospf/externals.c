/* SPDX-License-Identifier: Apache-2.0 */

/* Our AS-external-LSAs (RFC 2328 section 12.4.4): which there should be, and
 * under which link state IDs (appendix E).  originate.c does the rest. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"

static uint32_t
mask_of(uint8_t plen)
{
    return plen ? UINT32_MAX << (32 - plen) : 0;
}

static uint32_t
external_hash(uint32_t prefix, uint8_t plen)
{
    return hash_finish(hash_add(plen, prefix), 8);
}

static struct own_external *
external_find(const struct ospf *o, uint32_t prefix, uint8_t plen)
{
    struct own_external *x;

    HMAP_FOR_EACH_WITH_HASH (x, hmap_node, external_hash(prefix, plen),
                             &o->externals) {
        if (x->cfg.prefix == prefix && x->cfg.plen == plen) {
            return x;
        }
    }
    return NULL;
}

static struct own_external *
external_by_id(const struct ospf *o, uint32_t lsid)
{
    struct own_external *x;

    HMAP_FOR_EACH_WITH_HASH (x, id_node, hash_finish(lsid, 4),
                             &o->external_ids) {
        if (x->lsid == lsid) {
            return x;
        }
    }
    return NULL;
}

static struct lsa_key
external_key(const struct ospf *o, const struct own_external *x)
{
    return (struct lsa_key) { .type = OSPF_LSA_EXTERNAL, .id = x->lsid,
                              .adv = o->router_id };
}

static void
external_release_id(struct ospf *o, struct own_external *x)
{
    if (x->has_lsid) {
        hmap_remove(&o->external_ids, &x->id_node);
        x->has_lsid = false;
    }
}

static void
external_take_id(struct ospf *o, struct own_external *x, uint32_t lsid)
{
    x->lsid = lsid;
    x->has_lsid = true;
    hmap_insert(&o->external_ids, &x->id_node, hash_finish(lsid, 4));
}

/* Finds a link state ID for 'x' (appendix E): the prefix itself, or with host
 * bits set, all of them first.  A host route can have only its own address,
 * and moves another prefix away from there.  Returns the one that had to
 * move, which then has no ID. */
static struct own_external *
external_choose_id(struct ospf *o, struct own_external *x)
{
    uint32_t host = ~mask_of(x->cfg.plen);
    struct own_external *other = external_by_id(o, x->cfg.prefix);

    if (!other) {
        external_take_id(o, x, x->cfg.prefix);
        return NULL;
    }
    if (!host) {
        external_release_id(o, other);
        external_take_id(o, x, x->cfg.prefix);
        return other;
    }
    for (uint32_t bits = host; bits; bits--) {
        if (!external_by_id(o, x->cfg.prefix | bits)) {
            external_take_id(o, x, x->cfg.prefix | bits);
            break;
        }
    }
    return NULL;
}

static void
external_originate(const struct step *s, const struct own_external *x)
{
    struct ofpbuf b;

    if (!x->has_lsid) {
        /* Each address in it has a host route. */
        return;
    }
    ofpbuf_init(&b, 16);
    put_u32(&b, mask_of(x->cfg.plen));
    put_u32(&b, (x->cfg.e2 ? 0x80000000 : 0) | (x->cfg.metric & 0xffffff));
    put_u32(&b, x->cfg.forwarding);
    put_u32(&b, x->cfg.tag);
    struct lsa_key key = external_key(s->o, x);
    own_set(s, &key, b.data, b.size);
    ofpbuf_uninit(&b);
}

static int
compare_prefixes(const struct ospf_external_config *a,
                 const struct ospf_external_config *b)
{
    return (a->prefix != b->prefix ? (a->prefix < b->prefix ? -1 : 1)
            : a->plen < b->plen ? -1 : a->plen > b->plen);
}

/* By prefix; of several for one prefix the best comes first. */
static int
compare_externals(const void *a_, const void *b_)
{
    const struct ospf_external_config *a = a_, *b = b_;
    int cmp = compare_prefixes(a, b);

    return (cmp ? cmp
            : a->e2 != b->e2 ? (a->e2 ? 1 : -1)
            : a->metric < b->metric ? -1 : a->metric > b->metric);
}

static bool
external_equal(const struct ospf_external_config *a,
               const struct ospf_external_config *b)
{
    return (a->e2 == b->e2 && a->metric == b->metric
            && a->forwarding == b->forwarding && a->tag == b->tag);
}

static struct own_external *
external_create(struct ospf *o, const struct ospf_external_config *cfg)
{
    struct own_external *x = xzalloc(sizeof *x);

    x->cfg = *cfg;
    hmap_insert(&o->externals, &x->hmap_node,
                external_hash(cfg->prefix, cfg->plen));
    return x;
}

static void
external_destroy(struct ospf *o, struct own_external *x)
{
    external_release_id(o, x);
    hmap_remove(&o->externals, &x->hmap_node);
    free(x);
}

/* A sorted copy with one entry per prefix. */
static struct ospf_external_config *
normalize(const struct ospf_external_config *cfg, size_t *np)
{
    struct ospf_external_config *v = xmalloc((*np + 1) * sizeof *v);
    bool sorted = true;
    size_t n = 0;

    for (size_t i = 0; i < *np; i++) {
        v[i] = cfg[i];
        v[i].plen = MIN(v[i].plen, 32);
        v[i].prefix &= mask_of(v[i].plen);
        sorted &= !i || compare_externals(&v[i - 1], &v[i]) <= 0;
    }
    if (!sorted) {
        qsort(v, *np, sizeof *v, compare_externals);
    }
    for (size_t i = 0; i < *np; i++) {
        if (!n || compare_prefixes(&v[n - 1], &v[i])) {
            v[n++] = v[i];
        }
    }
    *np = n;
    return v;
}

static void
external_remove(const struct step *s, const struct ospf_external_config *cfg)
{
    struct own_external *x = external_find(s->o, cfg->prefix, cfg->plen);

    if (x->has_lsid) {
        struct lsa_key key = external_key(s->o, x);
        own_unset(s, &key);
    }
    external_destroy(s->o, x);
}

static void
external_add(const struct step *s, const struct ospf_external_config *cfg)
{
    struct own_external *x = external_create(s->o, cfg);
    struct own_external *moved = external_choose_id(s->o, x);

    external_originate(s, x);
    if (moved) {
        external_choose_id(s->o, moved);
        external_originate(s, moved);
    }
}

/* The rare prefix that had no link state ID may have one now. */
static void
external_change(const struct step *s, const struct ospf_external_config *cfg)
{
    struct own_external *x = external_find(s->o, cfg->prefix, cfg->plen);

    x->cfg = *cfg;
    if (!x->has_lsid) {
        external_choose_id(s->o, x);
    }
    external_originate(s, x);
}

/* Compares what is advertised with what is to be, both sorted.  What goes,
 * goes first, so that its link state ID becomes free. */
void
own_set_externals(const struct step *s, const struct ospf_external_config *cfg,
                  size_t n)
{
    struct ospf *o = s->o;
    struct ospf_external_config *new = normalize(cfg, &n);
    struct ospf_external_config *old = o->external_cfg;
    size_t n_old = o->n_external_cfg;

    for (int pass = 0; pass < 2; pass++) {
        size_t i = 0, j = 0;
        while (i < n_old || j < n) {
            int cmp = (i == n_old ? 1 : j == n ? -1
                       : compare_prefixes(&old[i], &new[j]));
            if (cmp < 0) {
                if (!pass) {
                    external_remove(s, &old[i]);
                }
            } else if (!pass) {
                /* Not yet. */
            } else if (cmp > 0) {
                external_add(s, &new[j]);
            } else if (!external_equal(&old[i], &new[j])) {
                external_change(s, &new[j]);
            }
            i += cmp <= 0;
            j += cmp >= 0;
        }
    }
    free(old);
    o->external_cfg = new;
    o->n_external_cfg = n;
    if (!n_old != !n) {
        o->own_dirty = true;
    }
}

void
own_externals_destroy(struct ospf *o)
{
    struct own_external *x;

    HMAP_FOR_EACH_SAFE (x, hmap_node, &o->externals) {
        external_destroy(o, x);
    }
    free(o->external_cfg);
    o->external_cfg = NULL;
    o->n_external_cfg = 0;
}
