/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_COST_COST_H
#define CONTROLLER_COST_COST_H 1

/* Costs: from what is measured to what a way costs
 * ================================================
 *
 * Monitoring reports facts about pairs of hosts and about attachment points:
 * delay, use, loss, price.  A cost policy gives each of them a weight.  The
 * result is one number per attachment, the *metric part* that is added to
 * every cost stated for that attachment:
 *
 *     part = clamp(floor, own + worst pair, ceiling)
 *
 * where "own" is the policy applied to the attachment point's metrics, and
 * "worst pair" the largest result of the policy applied to the pairs (host,
 * attachment's host) over all other hosts that carry the network.  It is thus
 * the same number on every host and in the LSA.  An attachment without policy
 * has the part 0.
 *
 * Measurements are noisy, routes must not be.  Between measurement and part
 * stand two things:
 *
 *   - Damping: the smoothed value approaches the computed one ("target")
 *     exponentially; after half_life_ms half of the difference is left.
 *
 *   - Hysteresis: the published part stays as it is while the smoothed value
 *     is within hysteresis_percent of it.  It changes when the smoothed value
 *     leaves that band (at most eight times per half-life), and once more when
 *     it has come to rest at its target, so that in the end the part is
 *     exactly what the policy says.
 *
 * A first value, and any change of the question rather than of the answer
 * (policy, place of the attachment, hosts that carry the network), takes
 * effect at once.
 *
 * What always holds:
 *
 *   - Pure (C1) and integer arithmetic only: the same calls give the same
 *     numbers on every machine.  cost_run() may be called more often than
 *     necessary without changing any result.
 *
 *   - Only the latest metrics of each pair and point are kept, and at most
 *     'max_metrics' of them, whatever rate they come at.  A call costs one
 *     hash lookup; the work is done by cost_run(), once per attachment.
 *
 *   - Metrics never expire: one that is no longer reported keeps its last
 *     value (silence of the monitoring is no reason to move traffic), and is
 *     shown as stale after the policy's stale_ms. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cost_state;
struct ds;
struct json;

#define COST_MAX 0xfffffeu      /* No cost, stated or summed up, is larger. */

/* What one unit of each metric costs, in thousandths of a cost unit. */
struct cost_policy {
    uint32_t per_ms;            /* Per millisecond of delay. */
    uint32_t per_use_percent;   /* Per percent of use. */
    uint32_t per_loss_percent;  /* Per percent of packets lost. */
    uint32_t per_price;         /* Per unit of price. */
    uint32_t floor, ceiling;    /* Of the part, in cost units; ceiling 0: no
                                 * limit but COST_MAX. */
    uint32_t half_life_ms;      /* 0: no damping. */
    uint32_t hysteresis_percent; /* 0: no hysteresis. */
    uint32_t stale_ms;          /* 0: never shown as stale. */
};

/* One report.  Members that are not in 'has' keep what they were. */
enum cost_metric {
    COST_DELAY = 1 << 0,
    COST_USE = 1 << 1,
    COST_LOSS = 1 << 2,
    COST_PRICE = 1 << 3,
};
struct cost_metrics {
    unsigned int has;           /* COST_* bits. */
    uint32_t delay_us;          /* Microseconds. */
    uint32_t use;               /* Thousandths of a percent of the capacity. */
    uint32_t loss;              /* Thousandths of a percent of the packets. */
    uint32_t price;             /* Thousandths of a unit the operator chose. */
};

/* An attachment, as far as its cost depends on it. */
struct cost_attachment {
    uint32_t id;                /* The attachment's object id. */
    const char *point;          /* Attachment point. */
    const char *host;           /* Its host. */
    const struct cost_policy *policy; /* NULL: the part is always 0. */
    const char *const *hosts;   /* Hosts that carry the network, any order; the
                                 * attachment's own is ignored if there. */
    size_t n_hosts;
};

/* 'max_metrics' bounds the pairs and points known together; 0: the default,
 * 262,144. */
struct cost_state *cost_create(size_t max_metrics);
void cost_destroy(struct cost_state *);

/* Inputs; everything is copied.  The setters of metrics return false, and
 * count, if there are too many. */
bool cost_set_pair(struct cost_state *, const char *from, const char *to,
                   const struct cost_metrics *, long long int now);
bool cost_set_point(struct cost_state *, const char *point,
                    const struct cost_metrics *, long long int now);
/* Forgets metrics, for hosts and points that left the fabric. */
void cost_forget_host(struct cost_state *, const char *host);
void cost_forget_point(struct cost_state *, const char *point);
/* Adds an attachment or replaces what was known of it. */
void cost_set_attachment(struct cost_state *, const struct cost_attachment *);
void cost_del_attachment(struct cost_state *, uint32_t id);

/* Results. */

struct cost_change {
    uint32_t id;                /* Attachment. */
    uint32_t part;              /* Now. */
};
struct cost_changes {
    struct cost_change *changes; /* Sorted by id. */
    size_t n, allocated;
};
#define COST_CHANGES_INIT { NULL, 0, 0 }
void cost_changes_uninit(struct cost_changes *);

/* Brings all parts to 'now' and appends those that changed to '*changes'.
 * Returns when to call again, LLONG_MAX: not before an input changes. */
long long int cost_run(struct cost_state *, long long int now,
                       struct cost_changes *changes);
/* What cost_run() returned, or LLONG_MIN if an input changed since. */
long long int cost_next_wake(const struct cost_state *);

/* The part as of the last cost_run(), 0 for an unknown attachment. */
uint32_t cost_part(const struct cost_state *, uint32_t id);

/* How a part came about. */
struct cost_reason {
    bool has_policy;
    uint32_t own;               /* From the attachment point, cost units. */
    uint32_t pair;              /* From the worst pair. */
    const char *pair_from;      /* That pair's other host, NULL: none.  Not
                                 * for customers' eyes. */
    uint32_t target;            /* own + pair, within floor and ceiling. */
    uint32_t smoothed;          /* As of the last cost_run(). */
    uint32_t part;              /* Published. */
    bool stale;                 /* A metric it rests on is stale. */
};
bool cost_explain(const struct cost_state *, uint32_t id, long long int now,
                  struct cost_reason *);
void cost_reason_format(const struct cost_reason *, struct ds *);

/* All metrics known, sorted, for 'tollctl status' and the like. */
struct json *cost_metrics_to_json(const struct cost_state *,
                                  long long int now);
uint64_t cost_n_refused(const struct cost_state *);
size_t cost_n_metrics(const struct cost_state *);

/* A copy that goes on from the same state (for a dry run). */
struct cost_state *cost_clone(const struct cost_state *);

#endif /* controller/cost/cost.h */
