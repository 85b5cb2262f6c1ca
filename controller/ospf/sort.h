/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_SORT_H
#define CONTROLLER_OSPF_SORT_H 1

/* Sorting many things by a number: stable, and several times as fast as
 * qsort(), because it never compares.  A prefix is such a number. */

#include <stddef.h>
#include <stdint.h>

struct sort_item {
    uint64_t key;
    uint32_t index;             /* The caller's. */
};

/* Sorts by the lowest 'bits' bits of the keys; there must be no others. */
void sort_items(struct sort_item *, size_t n, unsigned int bits);

static inline uint64_t
sort_key_prefix(uint32_t prefix, uint8_t plen)
{
    return (uint64_t) prefix << 6 | plen;
}
#define SORT_PREFIX_BITS 38

#endif /* controller/ospf/sort.h */
