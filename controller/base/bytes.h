/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_BASE_BYTES_H
#define CONTROLLER_BASE_BYTES_H 1

/* Bounded reading and writing of network byte order.
 *
 * A "struct bytes" is a cursor over bytes from outside.  Reading beyond the end
 * is no fault of the reader: it yields 0 and makes the cursor 'short' for
 * good, so that a parser can read a whole structure and check once.
 *
 * Writing needs no bound, because an ofpbuf grows; the store_*() functions
 * patch what has been written. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "openvswitch/ofpbuf.h"

struct bytes {
    const uint8_t *pos;
    size_t left;
    bool is_short;              /* Something was read beyond the end. */
};

static inline struct bytes
bytes_init(const void *data, size_t n)
{
    return (struct bytes) { .pos = data, .left = n, .is_short = false };
}

/* The next 'n' bytes, or NULL if there are not so many. */
static inline const uint8_t *
bytes_pull(struct bytes *b, size_t n)
{
    if (b->left < n) {
        b->is_short = true;
        b->left = 0;
        return NULL;
    }
    const uint8_t *p = b->pos;
    b->pos += n;
    b->left -= n;
    return p;
}

static inline uint16_t
load_u16(const uint8_t *p)
{
    return (uint16_t) (p[0] << 8 | p[1]);
}

static inline uint32_t
load_u24(const uint8_t *p)
{
    return (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
}

static inline uint32_t
load_u32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | load_u24(p + 1);
}

static inline void
store_u16(uint8_t *p, uint16_t x)
{
    p[0] = x >> 8;
    p[1] = x & 0xff;
}

static inline void
store_u32(uint8_t *p, uint32_t x)
{
    store_u16(p, x >> 16);
    store_u16(p + 2, x & 0xffff);
}

static inline uint8_t
bytes_u8(struct bytes *b)
{
    const uint8_t *p = bytes_pull(b, 1);
    return p ? *p : 0;
}

static inline uint16_t
bytes_u16(struct bytes *b)
{
    const uint8_t *p = bytes_pull(b, 2);
    return p ? load_u16(p) : 0;
}

static inline uint32_t
bytes_u32(struct bytes *b)
{
    const uint8_t *p = bytes_pull(b, 4);
    return p ? load_u32(p) : 0;
}

static inline uint64_t
bytes_u64(struct bytes *b)
{
    uint64_t hi = bytes_u32(b);
    return hi << 32 | bytes_u32(b);
}

static inline void
put_u8(struct ofpbuf *b, uint8_t x)
{
    ofpbuf_put(b, &x, 1);
}

static inline void
put_u16(struct ofpbuf *b, uint16_t x)
{
    store_u16(ofpbuf_put_uninit(b, 2), x);
}

static inline void
put_u32(struct ofpbuf *b, uint32_t x)
{
    store_u32(ofpbuf_put_uninit(b, 4), x);
}

static inline void
put_u64(struct ofpbuf *b, uint64_t x)
{
    put_u32(b, x >> 32);
    put_u32(b, x & 0xffffffff);
}

#endif /* controller/base/bytes.h */
