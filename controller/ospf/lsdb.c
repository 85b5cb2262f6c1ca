/* SPDX-License-Identifier: Apache-2.0 */

/* See lsdb.h. */

#include <config.h>
#include "controller/ospf/lsdb.h"

#include <limits.h>
#include <stdlib.h>

#include "hash.h"
#include "openvswitch/util.h"
#include "util.h"

void
lsdb_init(struct lsdb *db)
{
    hmap_init(&db->entries);
    heap_init(&db->expiry);
    db->n_max_age = 0;
}

void
lsdb_clear(struct lsdb *db)
{
    struct lsdb_entry *e;

    HMAP_FOR_EACH_SAFE (e, hmap_node, &db->entries) {
        lsdb_remove(db, e);
    }
}

void
lsdb_destroy(struct lsdb *db)
{
    lsdb_clear(db);
    hmap_destroy(&db->entries);
    heap_destroy(&db->expiry);
}

uint32_t
lsa_key_hash(const struct lsa_key *key)
{
    return hash_finish(hash_add(hash_add(key->type, key->id), key->adv), 12);
}

struct lsdb_entry *
lsdb_find(const struct lsdb *db, const struct lsa_key *key)
{
    struct lsdb_entry *e;

    HMAP_FOR_EACH_WITH_HASH (e, hmap_node, lsa_key_hash(key), &db->entries) {
        struct lsa_key k = lsa_key(e->lsa);
        if (!lsa_key_compare(&k, key)) {
            return e;
        }
    }
    return NULL;
}

/* The heap gives the largest first. */
static uint64_t
expiry_priority(long long int ms)
{
    return UINT64_MAX / 2 - ms;
}

struct lsdb_entry *
lsdb_install(struct lsdb *db, const struct ospf_lsa *lsa, long long int now)
{
    struct lsa_key key = lsa_key(lsa);
    struct lsdb_entry *e = lsdb_find(db, &key);
    bool max_age = lsa_is_max_age(lsa, now);

    if (!e) {
        e = xzalloc(sizeof *e);
        e->sent_back_ms = e->served_ms = LLONG_MIN / 2;
        hmap_insert(&db->entries, &e->hmap_node, lsa_key_hash(&key));
    } else {
        if (e->max_age) {
            db->n_max_age--;
        } else {
            heap_remove(&db->expiry, &e->expiry);
        }
    }
    struct ospf_lsa *old = e->lsa;
    e->lsa = lsa_ref(lsa);
    lsa_unref(old);
    e->installed_ms = now;
    e->max_age = max_age;
    if (max_age) {
        db->n_max_age++;
    } else {
        heap_insert(&db->expiry, &e->expiry,
                    expiry_priority(lsa_max_age_time(lsa)));
    }
    return e;
}

void
lsdb_mark_max_age(struct lsdb *db, struct lsdb_entry *e)
{
    if (!e->max_age) {
        heap_remove(&db->expiry, &e->expiry);
        e->max_age = true;
        db->n_max_age++;
    }
}

void
lsdb_remove(struct lsdb *db, struct lsdb_entry *e)
{
    hmap_remove(&db->entries, &e->hmap_node);
    if (e->max_age) {
        db->n_max_age--;
    } else {
        heap_remove(&db->expiry, &e->expiry);
    }
    lsa_unref(e->lsa);
    free(e);
}

size_t
lsdb_count(const struct lsdb *db)
{
    return hmap_count(&db->entries);
}

struct lsdb_entry *
lsdb_first_expiry(const struct lsdb *db)
{
    return (heap_is_empty(&db->expiry) ? NULL
            : CONTAINER_OF(heap_max(&db->expiry), struct lsdb_entry, expiry));
}

long long int
lsdb_next_expiry(const struct lsdb *db)
{
    struct lsdb_entry *e = lsdb_first_expiry(db);
    return e ? lsa_max_age_time(e->lsa) : LLONG_MAX;
}

static int
compare_entries(const void *a_, const void *b_)
{
    struct lsdb_entry *const *a = a_, *const *b = b_;
    struct lsa_key ka = lsa_key((*a)->lsa), kb = lsa_key((*b)->lsa);
    return lsa_key_compare(&ka, &kb);
}

struct lsdb_entry **
lsdb_sorted(const struct lsdb *db, size_t *n)
{
    struct lsdb_entry **v = xmalloc((lsdb_count(db) + 1) * sizeof *v);
    struct lsdb_entry *e;

    *n = 0;
    HMAP_FOR_EACH (e, hmap_node, &db->entries) {
        v[(*n)++] = e;
    }
    qsort(v, *n, sizeof *v, compare_entries);
    return v;
}
