/* SPDX-License-Identifier: Apache-2.0 */

/* See sort.h. */

#include <config.h>
#include "controller/ospf/sort.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/util.h"
#include "util.h"

#define DIGIT_BITS 10
#define DIGITS (1u << DIGIT_BITS)

void
sort_items(struct sort_item *items, size_t n, unsigned int bits)
{
    struct sort_item *from = items;
    struct sort_item *spare = xmalloc((n + 1) * sizeof *spare);
    struct sort_item *to = spare;

    for (unsigned int shift = 0; shift < bits; shift += DIGIT_BITS) {
        size_t start[DIGITS + 1] = { 0 };

        for (size_t i = 0; i < n; i++) {
            start[(from[i].key >> shift & (DIGITS - 1)) + 1]++;
        }
        if (n && start[(from[0].key >> shift & (DIGITS - 1)) + 1] == n) {
            continue;           /* All the same. */
        }
        for (size_t d = 0; d < DIGITS; d++) {
            start[d + 1] += start[d];
        }
        for (size_t i = 0; i < n; i++) {
            to[start[from[i].key >> shift & (DIGITS - 1)]++] = from[i];
        }
        struct sort_item *swap = from;
        from = to;
        to = swap;
    }
    if (from != items) {
        memcpy(items, from, n * sizeof *items);
    }
    free(spare);
}
