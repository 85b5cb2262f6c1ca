/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_FLOW_IDSPACE_H
#define CONTROLLER_FLOW_IDSPACE_H 1

/* Numbers derived from content.
 *
 * OpenFlow names groups and meters by numbers, and ways and path sets have
 * numbers too.  None is stored: a number is a hash of the bytes that say what
 * it is for (the "key"), so that a controller that starts again finds the same
 * numbers on the bridges.  If two keys hash to the same number, the later one
 * takes the next free number.
 *
 * What always holds: within one space, a key that is in use has one number and
 * a number in use has one key; numbers are within the space's limits; the hash
 * is our own, so it is the same on every machine and with every version of the
 * libraries.
 *
 * A number stays in use as long as somebody holds a reference.  The space owns
 * copies of the keys. */

#include <stddef.h>
#include <stdint.h>

struct idspace;

/* Numbers from 'min' to 'max', both included, 0 < min <= max. */
struct idspace *idspace_create(uint32_t min, uint32_t max);
void idspace_destroy(struct idspace *);

/* The number of 'key', with one more reference; 0 if the space is full. */
uint32_t idspace_ref(struct idspace *, const void *key, size_t len);

/* Gives one reference back.  Unknown numbers (0 too) are ignored. */
void idspace_unref(struct idspace *, uint32_t id);

/* The number of 'key' if it is in use, else 0. */
uint32_t idspace_find(const struct idspace *, const void *key, size_t len);

/* The key of 'id', its length in '*len'; NULL if 'id' is not in use. */
const void *idspace_key(const struct idspace *, uint32_t id, size_t *len);

/* The hash, in all 32 bits. */
uint32_t idspace_hash(const void *key, size_t len);

#endif /* controller/flow/idspace.h */
