/* SPDX-License-Identifier: Apache-2.0 */

/* Numbers derived from content: see the header. */

#include <config.h>
#include "controller/flow/idspace.h"

#include <string.h>
#include "openvswitch/hmap.h"
#include "openvswitch/util.h"
#include "util.h"

struct idspace_entry {
    struct hmap_node by_key;    /* Hash: idspace_hash(key). */
    struct hmap_node by_id;     /* Hash: the id. */
    uint32_t id;
    unsigned int refs;
    size_t len;
    uint8_t key[];
};

struct idspace {
    uint32_t min, max;
    struct hmap by_key;
    struct hmap by_id;
};

struct idspace *
idspace_create(uint32_t min, uint32_t max)
{
    struct idspace *space = xmalloc(sizeof *space);

    ovs_assert(min > 0 && min <= max);
    space->min = min;
    space->max = max;
    hmap_init(&space->by_key);
    hmap_init(&space->by_id);
    return space;
}

static void
idspace_entry_remove(struct idspace *space, struct idspace_entry *entry)
{
    hmap_remove(&space->by_key, &entry->by_key);
    hmap_remove(&space->by_id, &entry->by_id);
    free(entry);
}

void
idspace_destroy(struct idspace *space)
{
    if (space) {
        struct idspace_entry *entry;

        HMAP_FOR_EACH_SAFE (entry, by_id, &space->by_id) {
            idspace_entry_remove(space, entry);
        }
        hmap_destroy(&space->by_key);
        hmap_destroy(&space->by_id);
        free(space);
    }
}

/* FNV-1a, then mixed so that the low bits of similar keys differ too. */
uint32_t
idspace_hash(const void *key_, size_t len)
{
    const uint8_t *key = key_;
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ key[i]) * 16777619u;
    }
    hash ^= hash >> 16;
    hash *= 0x7feb352du;
    hash ^= hash >> 15;
    hash *= 0x846ca68bu;
    hash ^= hash >> 16;
    return hash;
}

static struct idspace_entry *
idspace_lookup_key(const struct idspace *space, uint32_t hash,
                   const void *key, size_t len)
{
    struct idspace_entry *entry;

    HMAP_FOR_EACH_WITH_HASH (entry, by_key, hash, &space->by_key) {
        if (entry->len == len && !memcmp(entry->key, key, len)) {
            return entry;
        }
    }
    return NULL;
}

static struct idspace_entry *
idspace_lookup_id(const struct idspace *space, uint32_t id)
{
    struct idspace_entry *entry;

    HMAP_FOR_EACH_WITH_HASH (entry, by_id, id, &space->by_id) {
        if (entry->id == id) {
            return entry;
        }
    }
    return NULL;
}

/* The first number from where 'hash' points that is not in use. */
static uint32_t
idspace_pick(const struct idspace *space, uint32_t hash)
{
    uint64_t n = (uint64_t) space->max - space->min + 1;
    uint64_t offset = hash % n;

    if (hmap_count(&space->by_id) >= n) {
        return 0;
    }
    while (idspace_lookup_id(space, space->min + offset)) {
        offset = (offset + 1) % n;
    }
    return space->min + offset;
}

uint32_t
idspace_ref(struct idspace *space, const void *key, size_t len)
{
    uint32_t hash = idspace_hash(key, len);
    struct idspace_entry *entry = idspace_lookup_key(space, hash, key, len);

    if (!entry) {
        uint32_t id = idspace_pick(space, hash);

        if (!id) {
            return 0;
        }
        entry = xmalloc(sizeof *entry + len);
        entry->id = id;
        entry->refs = 0;
        entry->len = len;
        memcpy(entry->key, key, len);
        hmap_insert(&space->by_key, &entry->by_key, hash);
        hmap_insert(&space->by_id, &entry->by_id, id);
    }
    entry->refs++;
    return entry->id;
}

void
idspace_unref(struct idspace *space, uint32_t id)
{
    struct idspace_entry *entry = idspace_lookup_id(space, id);

    if (entry && !--entry->refs) {
        idspace_entry_remove(space, entry);
    }
}

uint32_t
idspace_find(const struct idspace *space, const void *key, size_t len)
{
    const struct idspace_entry *entry
        = idspace_lookup_key(space, idspace_hash(key, len), key, len);

    return entry ? entry->id : 0;
}

const void *
idspace_key(const struct idspace *space, uint32_t id, size_t *len)
{
    const struct idspace_entry *entry = idspace_lookup_id(space, id);

    *len = entry ? entry->len : 0;
    return entry ? entry->key : NULL;
}
