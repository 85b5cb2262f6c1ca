/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMRAND_H
#define TESTS_SIM_SIMRAND_H 1

/* A pseudo-random generator that gives the same numbers everywhere: a history
 * is its seed.  splitmix64 (Steele, Lea, Flood 2014). */

#include <stdbool.h>
#include <stdint.h>

struct simrand {
    uint64_t state;
};

static inline uint64_t
simrand_u64(struct simrand *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 <= result < n; n > 0. */
static inline uint32_t
simrand_below(struct simrand *r, uint32_t n)
{
    return simrand_u64(r) % n;
}

/* min <= result <= max. */
static inline uint32_t
simrand_range(struct simrand *r, uint32_t min, uint32_t max)
{
    return min + simrand_below(r, max - min + 1);
}

/* True in 'percent' of 100 cases. */
static inline bool
simrand_percent(struct simrand *r, uint32_t percent)
{
    return simrand_below(r, 100) < percent;
}

#endif /* tests/sim/simrand.h */
