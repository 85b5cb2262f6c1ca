/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_OSPF_LSDB_H
#define CONTROLLER_OSPF_LSDB_H 1

/* A link state database: at most one instance per (type, ID, advertising
 * router), found by hash, and a queue of what is to be done to which LSA next
 * (become MaxAge).
 *
 * An area has one for its own scope; the AS-external-LSAs of a router are in
 * another.  The database owns a reference to each LSA.  It knows nothing of
 * neighbours or of SPF, except for a count of retransmission lists that an
 * entry is on, which decides when a MaxAge LSA may go (RFC 2328 section 14). */

#include "controller/ospf/lsa.h"
#include "heap.h"
#include "openvswitch/hmap.h"

struct lsdb_entry {
    struct hmap_node hmap_node; /* In lsdb->entries. */
    struct heap_node expiry;    /* In lsdb->expiry unless MaxAge already. */
    struct ospf_lsa *lsa;
    long long int installed_ms;
    long long int sent_back_ms; /* Last sent to a peer that had an older one
                                 * (section 13 (8)). */
    long long int served_ms;    /* Last sent as the answer to a request. */
    uint32_t n_rxmt;            /* Retransmission lists that have it. */
    bool max_age;               /* Counted in lsdb->n_max_age. */
    uint8_t n_soon;             /* How many instances came within MinLSArrival
                                 * of the one before; goes down with time. */
};

struct lsdb {
    struct hmap entries;        /* Of struct lsdb_entry. */
    struct heap expiry;         /* Soonest first. */
    size_t n_max_age;           /* Entries on their way out. */
};

void lsdb_init(struct lsdb *);
void lsdb_destroy(struct lsdb *);
void lsdb_clear(struct lsdb *);
uint32_t lsa_key_hash(const struct lsa_key *);
struct lsdb_entry *lsdb_find(const struct lsdb *, const struct lsa_key *);
/* Puts 'lsa' (a reference is taken) in the place of any other instance. */
struct lsdb_entry *lsdb_install(struct lsdb *, const struct ospf_lsa *lsa,
                                long long int now);
/* The entry is MaxAge now, whatever its LSA says. */
void lsdb_mark_max_age(struct lsdb *, struct lsdb_entry *);
void lsdb_remove(struct lsdb *, struct lsdb_entry *);
size_t lsdb_count(const struct lsdb *);

/* The entry that becomes MaxAge first, or NULL. */
struct lsdb_entry *lsdb_first_expiry(const struct lsdb *);
long long int lsdb_next_expiry(const struct lsdb *); /* LLONG_MAX: none. */

/* All entries in order of their keys; the caller frees the array. */
struct lsdb_entry **lsdb_sorted(const struct lsdb *, size_t *n);

#endif /* controller/ospf/lsdb.h */
