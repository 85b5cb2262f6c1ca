/* SPDX-License-Identifier: Apache-2.0 */

/* Costs from metrics, see cost.h.
 *
 * Metrics are kept in one hash map by (from, to), points by (NULL, point).  A
 * report marks its "place" (the host that a pair leads to, or the point), and
 * cost_run() computes anew the targets of the attachments at marked places.
 *
 * The smoothed value is never stepped: it is a function of time,
 *
 *     v(t) = target + (v0 - target) * 2^-((t - t0) / half_life)
 *
 * with v0 and t0 taken anew only when the target changes.  When the part is
 * to change next is therefore found by bisection, and calls in between have no
 * effect.  Values are kept in 1/256 cost units. */

#include <config.h>
#include "controller/cost/cost.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/json.h"
#include "util.h"

#define FRACTION_BITS 8
#define ONE (INT64_C(1) << FRACTION_BITS)
#define MICRO UINT64_C(1000000)     /* Weighted metrics are in millionths. */
#define DEFAULT_MAX_METRICS 262144
#define STEPS_PER_HALF_LIFE 8
#define REST_HALF_LIVES 34          /* 2^33 / 2^34 is below any difference. */

/* Names of places are shared by what refers to them. */
struct metric {
    struct hmap_node node;      /* In cost_state's 'metrics'. */
    char *from;                 /* NULL: 'to' is an attachment point. */
    char *to;
    struct cost_metrics values;
    long long int updated_ms;
};

/* What attachments depend on: a host (as the end of pairs) or a point. */
struct place {
    struct hmap_node node;      /* In cost_state's 'places'. */
    bool is_point;
    char *name;
    size_t n_refs;              /* Attachments here. */
    bool dirty;                 /* Metrics changed since cost_run(). */
};

struct attachment {
    uint32_t id;
    bool has_policy;
    struct cost_policy policy;
    struct place *point, *host;
    char **hosts;               /* Sorted, without 'host' and duplicates. */
    size_t n_hosts;

    bool dirty;                 /* The target must be computed anew. */
    bool jump;                  /* ...and takes effect at once. */
    bool known;                 /* Some metric existed. */
    uint32_t own, pair, target; /* Cost units. */
    size_t pair_from;           /* Index in 'hosts', SIZE_MAX: none. */
    int64_t v0;                 /* 1/256 cost units. */
    long long int t0;
    long long int published_ms; /* When 'part' last changed. */
    uint32_t part;              /* Published. */
    long long int wake;
};

struct cost_state {
    size_t max_metrics;
    uint64_t n_refused;
    struct hmap metrics;
    struct hmap places;
    struct attachment **attachments; /* Sorted by id. */
    size_t n, allocated;
    bool dirty;
    long long int wake, now;
};

/* Metrics. */

static uint32_t
metric_hash(const char *from, const char *to)
{
    return hash_string(to, from ? hash_string(from, 1) : 0);
}

static struct metric *
metric_find(const struct cost_state *cs, const char *from, const char *to)
{
    struct metric *m;

    HMAP_FOR_EACH_WITH_HASH (m, node, metric_hash(from, to), &cs->metrics) {
        if (!strcmp(m->to, to)
            && (from ? m->from && !strcmp(m->from, from) : !m->from)) {
            return m;
        }
    }
    return NULL;
}

static struct metric *
metric_add(struct cost_state *cs, const char *from, const char *to)
{
    struct metric *m = xzalloc(sizeof *m);

    m->from = nullable_xstrdup(from);
    m->to = xstrdup(to);
    hmap_insert(&cs->metrics, &m->node, metric_hash(from, to));
    return m;
}

static void
metric_remove(struct cost_state *cs, struct metric *m)
{
    hmap_remove(&cs->metrics, &m->node);
    free(m->from);
    free(m->to);
    free(m);
}

/* Places. */

static struct place *
place_find(const struct cost_state *cs, bool is_point, const char *name)
{
    struct place *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_string(name, is_point),
                             &cs->places) {
        if (p->is_point == is_point && !strcmp(p->name, name)) {
            return p;
        }
    }
    return NULL;
}

static struct place *
place_ref(struct cost_state *cs, bool is_point, const char *name)
{
    struct place *p = place_find(cs, is_point, name);

    if (!p) {
        p = xzalloc(sizeof *p);
        p->is_point = is_point;
        p->name = xstrdup(name);
        hmap_insert(&cs->places, &p->node, hash_string(name, is_point));
    }
    p->n_refs++;
    return p;
}

static void
place_unref(struct cost_state *cs, struct place *p)
{
    if (!--p->n_refs) {
        hmap_remove(&cs->places, &p->node);
        free(p->name);
        free(p);
    }
}

static void
place_mark(struct cost_state *cs, bool is_point, const char *name)
{
    struct place *p = place_find(cs, is_point, name);

    if (p) {
        p->dirty = true;
        cs->dirty = true;
    }
}

static bool
set_metric(struct cost_state *cs, const char *from, const char *to,
           const struct cost_metrics *new, long long int now)
{
    struct metric *m = metric_find(cs, from, to);
    struct cost_metrics *v;

    if (!m) {
        if (hmap_count(&cs->metrics) >= cs->max_metrics) {
            cs->n_refused++;
            return false;
        }
        m = metric_add(cs, from, to);
    }
    v = &m->values;
    v->has |= new->has;
    v->delay_us = new->has & COST_DELAY ? new->delay_us : v->delay_us;
    v->use = new->has & COST_USE ? new->use : v->use;
    v->loss = new->has & COST_LOSS ? new->loss : v->loss;
    v->price = new->has & COST_PRICE ? new->price : v->price;
    m->updated_ms = now;
    place_mark(cs, !from, to);
    return true;
}

bool
cost_set_pair(struct cost_state *cs, const char *from, const char *to,
              const struct cost_metrics *values, long long int now)
{
    return set_metric(cs, from, to, values, now);
}

bool
cost_set_point(struct cost_state *cs, const char *point,
               const struct cost_metrics *values, long long int now)
{
    return set_metric(cs, NULL, point, values, now);
}

void
cost_forget_host(struct cost_state *cs, const char *host)
{
    struct metric *m;

    HMAP_FOR_EACH_SAFE (m, node, &cs->metrics) {
        if (m->from && (!strcmp(m->from, host) || !strcmp(m->to, host))) {
            place_mark(cs, false, m->to);
            metric_remove(cs, m);
        }
    }
}

void
cost_forget_point(struct cost_state *cs, const char *point)
{
    struct metric *m = metric_find(cs, NULL, point);

    if (m) {
        metric_remove(cs, m);
        place_mark(cs, true, point);
    }
}

/* Attachments. */

static size_t
attachment_index(const struct cost_state *cs, uint32_t id)
{
    size_t lo = 0, hi = cs->n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (cs->attachments[mid]->id < id) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo;
}

static struct attachment *
attachment_find(const struct cost_state *cs, uint32_t id)
{
    size_t i = attachment_index(cs, id);

    return (i < cs->n && cs->attachments[i]->id == id
            ? cs->attachments[i] : NULL);
}

static int
compare_strings(const void *a_, const void *b_)
{
    const char *const *a = a_;
    const char *const *b = b_;

    return strcmp(*a, *b);
}

static void
free_strings(char **strings, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(strings[i]);
    }
    free(strings);
}

/* The other hosts of 'ca', sorted, each once. */
static char **
other_hosts(const struct cost_attachment *ca, size_t *n_)
{
    char **hosts = xmalloc((ca->n_hosts + 1) * sizeof *hosts);
    const char **sorted = xmemdup(ca->hosts ? (const void *) ca->hosts : "",
                                  ca->n_hosts * sizeof *sorted);
    size_t n = 0;

    qsort(sorted, ca->n_hosts, sizeof *sorted, compare_strings);
    for (size_t i = 0; i < ca->n_hosts; i++) {
        if (strcmp(sorted[i], ca->host)
            && (!n || strcmp(hosts[n - 1], sorted[i]))) {
            hosts[n++] = xstrdup(sorted[i]);
        }
    }
    free(sorted);
    *n_ = n;
    return hosts;
}

static bool
strings_equal(char **a, size_t n_a, char **b, size_t n_b)
{
    if (n_a != n_b) {
        return false;
    }
    for (size_t i = 0; i < n_a; i++) {
        if (strcmp(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

static bool
policy_equal(const struct cost_policy *a, const struct cost_policy *b)
{
    return (a->per_ms == b->per_ms
            && a->per_use_percent == b->per_use_percent
            && a->per_loss_percent == b->per_loss_percent
            && a->per_price == b->per_price
            && a->floor == b->floor
            && a->ceiling == b->ceiling
            && a->half_life_ms == b->half_life_ms
            && a->hysteresis_percent == b->hysteresis_percent);
}

void
cost_set_attachment(struct cost_state *cs, const struct cost_attachment *ca)
{
    static const struct cost_policy no_policy;
    const struct cost_policy *policy = ca->policy ? ca->policy : &no_policy;
    size_t i = attachment_index(cs, ca->id);
    struct attachment *a;
    size_t n_hosts;
    char **hosts;

    hosts = other_hosts(ca, &n_hosts);
    if (i < cs->n && cs->attachments[i]->id == ca->id) {
        a = cs->attachments[i];
        if (a->has_policy == !!ca->policy
            && policy_equal(&a->policy, policy)
            && !strcmp(a->point->name, ca->point)
            && !strcmp(a->host->name, ca->host)
            && strings_equal(a->hosts, a->n_hosts, hosts, n_hosts)) {
            a->policy.stale_ms = policy->stale_ms;
            free_strings(hosts, n_hosts);
            return;
        }
        place_unref(cs, a->point);
        place_unref(cs, a->host);
        free_strings(a->hosts, a->n_hosts);
    } else {
        if (cs->n >= cs->allocated) {
            cs->attachments = x2nrealloc(cs->attachments, &cs->allocated,
                                         sizeof *cs->attachments);
        }
        memmove(&cs->attachments[i + 1], &cs->attachments[i],
                (cs->n - i) * sizeof *cs->attachments);
        cs->attachments[i] = a = xzalloc(sizeof *a);
        cs->n++;
        a->id = ca->id;
        a->wake = LLONG_MAX;
    }
    a->has_policy = ca->policy != NULL;
    a->policy = *policy;
    a->point = place_ref(cs, true, ca->point);
    a->host = place_ref(cs, false, ca->host);
    a->hosts = hosts;
    a->n_hosts = n_hosts;
    a->pair_from = SIZE_MAX;
    a->dirty = a->jump = true;
    cs->dirty = true;
}

static void
attachment_destroy(struct cost_state *cs, struct attachment *a)
{
    place_unref(cs, a->point);
    place_unref(cs, a->host);
    free_strings(a->hosts, a->n_hosts);
    free(a);
}

void
cost_del_attachment(struct cost_state *cs, uint32_t id)
{
    size_t i = attachment_index(cs, id);

    if (i < cs->n && cs->attachments[i]->id == id) {
        attachment_destroy(cs, cs->attachments[i]);
        cs->n--;
        memmove(&cs->attachments[i], &cs->attachments[i + 1],
                (cs->n - i) * sizeof *cs->attachments);
    }
}

/* From metrics to a target. */

/* 'weight' * 'value', or what is surely beyond any limit. */
static uint64_t
weighted(bool has, uint32_t weight, uint32_t value)
{
    uint64_t product = has ? (uint64_t) weight * value : 0;

    return MIN(product, (COST_MAX + UINT64_C(1)) * MICRO);
}

/* What 'policy' makes of 'm', in cost units. */
static uint32_t
apply_policy(const struct cost_policy *policy, const struct metric *m)
{
    const struct cost_metrics *v = &m->values;
    uint64_t sum = (weighted(v->has & COST_DELAY, policy->per_ms, v->delay_us)
                    + weighted(v->has & COST_USE, policy->per_use_percent,
                               v->use)
                    + weighted(v->has & COST_LOSS, policy->per_loss_percent,
                               v->loss)
                    + weighted(v->has & COST_PRICE, policy->per_price,
                               v->price));

    return MIN((sum + MICRO / 2) / MICRO, COST_MAX);
}

static void
compute_target(const struct cost_state *cs, struct attachment *a, bool *known)
{
    const struct cost_policy *policy = &a->policy;
    uint32_t ceiling = policy->ceiling ? policy->ceiling : COST_MAX;
    const struct metric *m = metric_find(cs, NULL, a->point->name);

    *known = m != NULL;
    a->own = m ? apply_policy(policy, m) : 0;
    a->pair = 0;
    a->pair_from = SIZE_MAX;
    for (size_t i = 0; i < a->n_hosts; i++) {
        m = metric_find(cs, a->hosts[i], a->host->name);
        if (m) {
            uint32_t cost = apply_policy(policy, m);

            *known = true;
            if (a->pair_from == SIZE_MAX || cost > a->pair) {
                a->pair = cost;
                a->pair_from = i;
            }
        }
    }
    a->target = 0;
    if (a->has_policy) {
        a->target = MAX(a->own + a->pair, policy->floor);
        a->target = MIN(a->target, MIN(ceiling, COST_MAX));
    }
}

/* Smoothing. */

/* 2^-(n / d) for n < d, as a fraction of 2^31. */
static uint64_t
power(uint32_t n, uint32_t d)
{
    /* 2^31 * 2^-(2^-k) for k = 1 ... 16. */
    static const uint32_t roots[] = {
        1518500250, 1805811301, 1969251188, 2056437387,
        2101467502, 2124350982, 2135885998, 2141676973,
        2144578345, 2146030505, 2146756953, 2147120270,
        2147301951, 2147392798, 2147438222, 2147460935,
    };
    uint32_t f = ((uint64_t) n << 16) / d;
    uint64_t p = UINT64_C(1) << 31;

    for (int k = 0; k < 16; k++) {
        if (f & (UINT32_C(1) << (15 - k))) {
            p = (p * roots[k]) >> 31;
        }
    }
    return p;
}

/* The smoothed value at time 't', in 1/256 cost units. */
static int64_t
smoothed_at(const struct attachment *a, long long int t)
{
    int64_t target = (int64_t) a->target << FRACTION_BITS;
    uint32_t half_life = a->policy.half_life_ms;
    int64_t diff = a->v0 - target;
    uint64_t abs = diff < 0 ? -diff : diff;
    long long int dt = MAX(t - a->t0, 0);

    if (!half_life || dt / half_life >= REST_HALF_LIVES) {
        return target;
    }
    abs >>= dt / half_life;
    abs = (abs * power(dt % half_life, half_life)) >> 31;
    return target + (diff < 0 ? -(int64_t) abs : (int64_t) abs);
}

static uint32_t
rounded(int64_t v)
{
    return (v + ONE / 2) >> FRACTION_BITS;
}

/* True if the part must not stay what it is at time 't'. */
static bool
must_publish(const struct attachment *a, long long int t)
{
    int64_t v = smoothed_at(a, t);
    int64_t part = (int64_t) a->part << FRACTION_BITS;
    uint64_t off = v > part ? v - part : part - v;
    uint64_t band = (uint64_t) part * a->policy.hysteresis_percent / 100;

    if (rounded(v) == a->part) {
        return false;
    }
    if (rounded(v) == a->target) {
        return true;            /* Came to rest. */
    }
    return off > band && t >= (a->published_ms
                               + (long long int) (a->policy.half_life_ms
                                                  / STEPS_PER_HALF_LIFE));
}

/* The first time after 'now' at which must_publish() holds.  It may hold for
 * a while, cease and hold again (the value passes the part on its way), but
 * not right after 'now': the value is within the band then, or it is too soon
 * after the last publication. */
static long long int
next_publication(const struct attachment *a, long long int now)
{
    long long int lo = now, hi;

    if (!a->policy.half_life_ms || rounded(smoothed_at(a, now)) == a->target) {
        return LLONG_MAX;
    }
    hi = a->t0 + (long long int) a->policy.half_life_ms * REST_HALF_LIVES;
    while (hi - lo > 1) {
        long long int mid = lo + (hi - lo) / 2;

        if (must_publish(a, mid) || rounded(smoothed_at(a, mid)) == a->target) {
            hi = mid;
        } else {
            lo = mid;
        }
    }
    return hi;
}

static void
attachment_run(const struct cost_state *cs, struct attachment *a,
               long long int now)
{
    if (a->dirty || a->point->dirty || a->host->dirty) {
        int64_t v = smoothed_at(a, now);
        uint32_t old_target = a->target;
        bool known;

        compute_target(cs, a, &known);
        if (a->jump || !a->known) {
            a->v0 = (int64_t) a->target << FRACTION_BITS;
            a->t0 = now;
        } else if (a->target != old_target) {
            a->v0 = v;
            a->t0 = now;
        }
        a->known = a->known || known;
        a->dirty = a->jump = false;
    } else if (now < a->wake) {
        return;
    }
    if (must_publish(a, now)) {
        a->part = rounded(smoothed_at(a, now));
        a->published_ms = now;
    }
    a->wake = next_publication(a, now);
}

long long int
cost_run(struct cost_state *cs, long long int now,
         struct cost_changes *changes)
{
    struct place *p;

    cs->now = now;
    if (!cs->dirty && now < cs->wake) {
        return cs->wake;
    }
    cs->wake = LLONG_MAX;
    for (size_t i = 0; i < cs->n; i++) {
        struct attachment *a = cs->attachments[i];
        uint32_t old = a->part;

        attachment_run(cs, a, now);
        cs->wake = MIN(cs->wake, a->wake);
        if (a->part != old) {
            if (changes->n >= changes->allocated) {
                changes->changes = x2nrealloc(changes->changes,
                                              &changes->allocated,
                                              sizeof *changes->changes);
            }
            changes->changes[changes->n++] = (struct cost_change) {
                .id = a->id, .part = a->part,
            };
        }
    }
    HMAP_FOR_EACH (p, node, &cs->places) {
        p->dirty = false;
    }
    cs->dirty = false;
    return cs->wake;
}

long long int
cost_next_wake(const struct cost_state *cs)
{
    return cs->dirty ? LLONG_MIN : cs->wake;
}

uint32_t
cost_part(const struct cost_state *cs, uint32_t id)
{
    const struct attachment *a = attachment_find(cs, id);

    return a ? a->part : 0;
}

void
cost_changes_uninit(struct cost_changes *changes)
{
    free(changes->changes);
    *changes = (struct cost_changes) COST_CHANGES_INIT;
}

/* Life. */

struct cost_state *
cost_create(size_t max_metrics)
{
    struct cost_state *cs = xzalloc(sizeof *cs);

    cs->max_metrics = max_metrics ? max_metrics : DEFAULT_MAX_METRICS;
    hmap_init(&cs->metrics);
    hmap_init(&cs->places);
    cs->wake = LLONG_MAX;
    return cs;
}

void
cost_destroy(struct cost_state *cs)
{
    if (cs) {
        struct metric *m;

        for (size_t i = 0; i < cs->n; i++) {
            attachment_destroy(cs, cs->attachments[i]);
        }
        free(cs->attachments);
        HMAP_FOR_EACH_SAFE (m, node, &cs->metrics) {
            metric_remove(cs, m);
        }
        hmap_destroy(&cs->metrics);
        hmap_destroy(&cs->places);
        free(cs);
    }
}

struct cost_state *
cost_clone(const struct cost_state *old)
{
    struct cost_state *new = cost_create(old->max_metrics);
    const struct metric *m;
    const struct place *p;

    new->n_refused = old->n_refused;
    new->dirty = old->dirty;
    new->wake = old->wake;
    new->now = old->now;
    HMAP_FOR_EACH (m, node, &old->metrics) {
        struct metric *copy = metric_add(new, m->from, m->to);

        copy->values = m->values;
        copy->updated_ms = m->updated_ms;
    }
    new->attachments = xmalloc(MAX(old->n, 1) * sizeof *new->attachments);
    new->n = new->allocated = old->n;
    for (size_t i = 0; i < old->n; i++) {
        struct attachment *a = xmemdup(old->attachments[i], sizeof *a);
        char **hosts = xmalloc((a->n_hosts + 1) * sizeof *hosts);

        for (size_t j = 0; j < a->n_hosts; j++) {
            hosts[j] = xstrdup(a->hosts[j]);
        }
        a->hosts = hosts;
        a->point = place_ref(new, true, a->point->name);
        a->host = place_ref(new, false, a->host->name);
        new->attachments[i] = a;
    }
    HMAP_FOR_EACH (p, node, &old->places) {
        place_find(new, p->is_point, p->name)->dirty = p->dirty;
    }
    return new;
}

/* Explanations. */

static bool
is_stale(const struct cost_state *cs, const struct attachment *a,
         const char *from, const char *to, long long int now)
{
    const struct metric *m = metric_find(cs, from, to);

    return (m && a->policy.stale_ms
            && now - m->updated_ms > (long long int) a->policy.stale_ms);
}

bool
cost_explain(const struct cost_state *cs, uint32_t id, long long int now,
             struct cost_reason *r)
{
    const struct attachment *a = attachment_find(cs, id);

    memset(r, 0, sizeof *r);
    if (!a) {
        return false;
    }
    r->has_policy = a->has_policy;
    r->own = a->own;
    r->pair = a->pair;
    r->pair_from = a->pair_from != SIZE_MAX ? a->hosts[a->pair_from] : NULL;
    r->target = a->target;
    r->smoothed = rounded(smoothed_at(a, cs->now));
    r->part = a->part;
    r->stale = is_stale(cs, a, NULL, a->point->name, now);
    for (size_t i = 0; !r->stale && i < a->n_hosts; i++) {
        r->stale = is_stale(cs, a, a->hosts[i], a->host->name, now);
    }
    return true;
}

void
cost_reason_format(const struct cost_reason *r, struct ds *ds)
{
    if (!r->has_policy) {
        ds_put_cstr(ds, "0 (no policy)");
        return;
    }
    ds_put_format(ds, "%"PRIu32" (attachment %"PRIu32" + worst pair %"PRIu32,
                  r->part, r->own, r->pair);
    if (r->pair_from) {
        ds_put_format(ds, " from %s", r->pair_from);
    }
    ds_put_format(ds, ", target %"PRIu32, r->target);
    if (r->smoothed != r->target) {
        ds_put_format(ds, ", now %"PRIu32, r->smoothed);
    }
    ds_put_format(ds, "%s)", r->stale ? ", stale" : "");
}

static int
compare_metrics(const void *a_, const void *b_)
{
    const struct metric *const *a = a_;
    const struct metric *const *b = b_;
    int cmp = strcmp((*a)->from ? (*a)->from : "", (*b)->from ? (*b)->from : "");

    return cmp ? cmp : strcmp((*a)->to, (*b)->to);
}

static struct json *
metric_to_json(const struct metric *m, long long int now)
{
    const struct cost_metrics *v = &m->values;
    struct json *obj = json_object_create();

    if (m->from) {
        json_object_put_string(obj, "from", m->from);
        json_object_put_string(obj, "to", m->to);
    } else {
        json_object_put_string(obj, "point", m->to);
    }
    if (v->has & COST_DELAY) {
        json_object_put(obj, "delay-us", json_integer_create(v->delay_us));
    }
    if (v->has & COST_USE) {
        json_object_put(obj, "use-percent", json_real_create(v->use / 1000.0));
    }
    if (v->has & COST_LOSS) {
        json_object_put(obj, "loss-percent",
                        json_real_create(v->loss / 1000.0));
    }
    if (v->has & COST_PRICE) {
        json_object_put(obj, "price", json_real_create(v->price / 1000.0));
    }
    json_object_put(obj, "age-ms", json_integer_create(now - m->updated_ms));
    return obj;
}

struct json *
cost_metrics_to_json(const struct cost_state *cs, long long int now)
{
    size_t n = hmap_count(&cs->metrics), i = 0;
    const struct metric **sorted = xmalloc(MAX(n, 1) * sizeof *sorted);
    struct json *array = json_array_create_empty();
    const struct metric *m;

    HMAP_FOR_EACH (m, node, &cs->metrics) {
        sorted[i++] = m;
    }
    qsort(sorted, n, sizeof *sorted, compare_metrics);
    for (i = 0; i < n; i++) {
        json_array_add(array, metric_to_json(sorted[i], now));
    }
    free(sorted);
    return array;
}

uint64_t
cost_n_refused(const struct cost_state *cs)
{
    return cs->n_refused;
}

size_t
cost_n_metrics(const struct cost_state *cs)
{
    return hmap_count(&cs->metrics);
}
