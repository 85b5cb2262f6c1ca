/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVS_GLUE_STORE_JSON_H
#define OVS_GLUE_STORE_JSON_H 1

/* The store's transactions as JSON (RFC 7047 section 5.2), and the rows that
 * come back.  No connection, no state: store.c has those.
 *
 * A row's UUID is derived from its key.  ovsdb-server has an index over UUIDs
 * only and reads a whole table to find a row by other columns, so 5,000 changed
 * allocations would mean 5,000 times 5,000 comparisons. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/uuid.h"

struct json;
struct store_change;
struct store_contents;
struct store_event;
struct store_revision;

/* What an operation of a transaction says if it fails. */
enum store_op_role {
    STORE_OP_PLAIN,             /* Nothing special: STORE_FAILED. */
    STORE_OP_PRECONDITION,      /* STORE_CONFLICT. */
    STORE_OP_EXISTS,            /* STORE_NOT_FOUND. */
};

/* A transaction in the making. */
struct store_txn {
    struct json *params;        /* Database name, then operations. */
    uint8_t *roles;             /* One of STORE_OP_* per operation. */
    size_t n, allocated;
};
void store_txn_init(struct store_txn *);
void store_txn_uninit(struct store_txn *);

/* The two steps of reading everything: first all but the documents of
 * configurations, then those (one select per customer with an active revision)
 * together with the new generation. */
void store_txn_load(struct store_txn *);
bool store_parse_load(const struct json *result, struct store_contents *);
void store_txn_load_documents(struct store_txn *,
                              const struct store_contents *);
bool store_parse_load_documents(const struct json *result,
                                struct store_contents *);

/* Returns NULL or why the change can't be stored; the caller frees it. */
char *store_txn_commit(struct store_txn *, const struct store_change *);
void store_txn_history(struct store_txn *, const char *customer);
void store_txn_document(struct store_txn *, const char *customer,
                        uint64_t number);
bool store_parse_revisions(const struct json *result,
                           struct store_revision **, size_t *n);

/* 'exists' says whether the row is there already; NULL 'data' deletes it. */
void store_txn_snapshot(struct store_txn *, const char *kind, const char *name,
                        bool exists, const void *data, size_t len);

/* Looks for an error in a transaction's result: returns NULL if there is none,
 * otherwise the error's text, which the caller frees, and in '*index' which
 * operation it is (beyond all of them: the server's commit itself). */
char *store_find_error(const struct json *result, size_t *index);

void store_revision_uninit(struct store_revision *);

#endif /* ovs-glue/store-json.h */
