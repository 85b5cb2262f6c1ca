/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVS_GLUE_STORE_H
#define OVS_GLUE_STORE_H 1

/* The configuration store: an OVSDB database with schemas/tollway.ovsschema
 * (docs/store.md says what is in it), in a stand-alone ovsdb-server or in a
 * cluster of them.
 *
 * One tollwayd at a time writes.  Which one is decided by an OVSDB lock; every
 * transaction asserts it, so a writer that lost the lock without knowing is
 * refused.  A store that has got the lock reads everything that a controller
 * starts from and says STORE_LOADED with it.  From then on the caller's own
 * commits are all that changes the database.  If the connection or the lock is
 * lost there is STORE_LOST, and STORE_LOADED again when it is back, with what
 * the database has then.
 *
 * Durable: store_commit()'s result is "done" only after ovsdb-server has
 * written the transaction to disk with fsync (a "commit" operation with
 * "durable": true; a cluster syncs to a majority in any case).  The OVSDB IDL
 * has no way to ask for that, and would keep every document in memory besides.
 * Therefore the layer right below the IDL (ovsdb-cs: reconnecting, clusters,
 * locks) is used, and what is needed is selected when it is needed.
 *
 * A commit is one transaction: all of it or nothing.  It names what the caller
 * believes is active now; if the database disagrees, the result is
 * STORE_CONFLICT and nothing has changed.
 *
 * Snapshots (OSPF databases, metrics) are in ephemeral columns: ovsdb-server
 * holds them in memory for the next tollwayd and never writes them to disk.
 *
 * All of it asynchronous: requests return at once, with a tag; what comes of
 * them is an event with that tag.  A store owns what it is given only where it
 * says so (nowhere: requests are encoded at once); the caller owns the events
 * that it pops. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/list.h"

struct ds;
struct store;

#define STORE_KEEP_REVISIONS 100

/* A row of the table Allocation: what a name was given.  The key is the first
 * four members; texts are "" where there is nothing. */
struct store_alloc {
    char *customer, *network;   /* network "": of the customer as a whole. */
    char *kind;                 /* "node", "router", ... */
    char *name;                 /* Within its network, like "edge/dc-east". */
    uint32_t id;                /* Never 0; a network's is its VNI. */
    char *mac, *address, *host; /* As text. */
    bool fixed_address;         /* The address was stated, not allocated. */
};

/* One revision.  'document' is NULL in lists. */
struct store_revision {
    char *customer;
    uint64_t number;            /* From 1. */
    char *who;
    long long int when_ms;      /* Since 1970. */
    char *digest;               /* SHA-256 of the document, hexadecimal. */
    char *document;
};

/* State for a restart: engine snapshots, metrics. */
struct store_snapshot {
    char *kind, *name;          /* Key, like "network", "acme/prod". */
    uint8_t *data;
    size_t len;
};

struct store_customer {
    char *name;
    uint64_t active;            /* Revision number, 0: none (deleted). */
    uint64_t last;              /* The highest number ever given. */
    struct store_revision revision;     /* The active one with its document. */
};

/* Everything a controller starts from. */
struct store_contents {
    uint64_t fabric_serial;     /* 0: there is no fabric yet. */
    char *fabric;               /* Document or NULL. */
    char *fabric_who, *fabric_digest;
    long long int fabric_when_ms;
    uint64_t generation;        /* From 1; one more for each writer, so that
                                 * it serves as OpenFlow's generation ID. */
    struct store_customer *customers;   size_t n_customers;   /* By name. */
    struct store_alloc *allocs;         size_t n_allocs;      /* By key. */
    struct store_snapshot *snapshots;   size_t n_snapshots;   /* By key. */
};

enum store_result {
    STORE_DONE,
    STORE_CONFLICT,             /* Something else is active than was said. */
    STORE_NOT_FOUND,            /* No such revision. */
    STORE_NOT_WRITER,           /* No connection, or another has the lock. */
    STORE_UNKNOWN,              /* Connection lost before the answer: what is
                                 * in the database decides, see STORE_LOADED. */
    STORE_FAILED,               /* The server refused: 'text' says why. */
};
const char *store_result_to_string(enum store_result);

enum store_event_type {
    STORE_LOADED,               /* 'contents'. */
    STORE_LOST,                 /* No more writer; 'text': why. */
    STORE_COMMITTED,            /* 'tag', 'result', 'text'. */
    STORE_HISTORY,              /* 'tag', 'result', 'revisions', newest first. */
    STORE_DOCUMENT,             /* 'tag', 'result', revisions[0]. */
};

struct store_event {
    struct ovs_list list_node;  /* For store.c. */
    enum store_event_type type;
    uint64_t tag;
    enum store_result result;
    char *text;
    struct store_contents *contents;
    struct store_revision *revisions;
    size_t n_revisions;
};

/* What one commit changes. */
struct store_change {
    /* A customer's configuration: NULL, nothing of that. */
    const char *customer;
    uint64_t expect_active, expect_last;    /* What is there now (0, 0: no such
                                             * customer). */
    uint64_t activate;          /* Number to be active afterwards: an old one,
                                 * or expect_last + 1 with 'document', or 0. */
    const char *document;       /* A new revision, or NULL. */

    /* The fabric: NULL, nothing of that. */
    const char *fabric;
    uint64_t expect_fabric_serial;          /* Becomes one more. */

    /* Of the revision or the fabric or both. */
    const char *who;
    long long int when_ms;

    /* Allocations that were there before and aren't any more (of which only the
     * key is looked at), and those that are there now and weren't: a changed
     * one is in both, as alloc_set_diff() has it. */
    const struct store_alloc *removed;  size_t n_removed;
    const struct store_alloc *added;    size_t n_added;
};
#define STORE_CHANGE_INIT { .customer = NULL }

/* 'remotes' is one or more connection methods, comma separated; 'lock' the name
 * of the lock, NULL "tollwayd". */
struct store *store_create(const char *remotes, const char *lock);
void store_destroy(struct store *);

void store_run(struct store *);
void store_wait(struct store *);
struct store_event *store_pop_event(struct store *);
void store_event_destroy(struct store_event *);

/* True from STORE_LOADED to STORE_LOST. */
bool store_is_writer(const struct store *);
bool store_is_connected(const struct store *);

/* Requests: each is answered by exactly one event with 'tag'. */
void store_commit(struct store *, const struct store_change *, uint64_t tag);
void store_request_history(struct store *, const char *customer, uint64_t tag);
void store_request_document(struct store *, const char *customer,
                            uint64_t number, uint64_t tag);

/* Writes a snapshot, without an answer; NULL 'data' removes it.  Not writer:
 * nothing happens.  Several for one key while one is on its way become one. */
void store_put_snapshot(struct store *, const char *kind, const char *name,
                        const void *data, size_t len);

void store_contents_destroy(struct store_contents *);

/* One line about the state, for people. */
void store_format(const struct store *, struct ds *);

/* SHA-256 of 'text' in hexadecimal, as in the digest columns. */
#define STORE_DIGEST_LEN 64
void store_digest(const char *text, char digest[STORE_DIGEST_LEN + 1]);

#endif /* ovs-glue/store.h */
