/* SPDX-License-Identifier: Apache-2.0 */

/* See store-json.h. */

#include <config.h>
#include "ovs-glue/store-json.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "openvswitch/util.h"
#include "ovs-glue/store.h"
#include "unicode.h"
#include "util.h"
#include "uuid.h"

/* Digests and UUIDs. */

void
store_digest(const char *text, char digest[STORE_DIGEST_LEN + 1])
{
    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *) text, strlen(text), hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        snprintf(&digest[2 * i], 3, "%02x", hash[i]);
    }
}

/* The UUID of the row of 'table' with a key of the given texts, ended by
 * NULL. */
static struct uuid
row_uuid(const char *table, ...)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    ds_put_cstr(&ds, table);
    va_list args;
    va_start(args, table);
    for (const char *s; (s = va_arg(args, const char *)) != NULL; ) {
        ds_put_char(&ds, '\0');
        ds_put_cstr(&ds, s);
    }
    va_end(args);

    uint8_t hash[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *) ds.string, ds.length, hash);
    ds_destroy(&ds);

    /* Version 8 (RFC 9562): made by a rule of one's own. */
    struct uuid uuid;
    for (size_t i = 0; i < ARRAY_SIZE(uuid.parts); i++) {
        const uint8_t *p = &hash[4 * i];
        uuid.parts[i] = ((uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]);
    }
    uuid.parts[1] = (uuid.parts[1] & ~UINT32_C(0xf000)) | 0x8000;
    uuid.parts[2] = (uuid.parts[2] & ~UINT32_C(0xc0000000)) | 0x80000000;
    return uuid;
}

static struct uuid
customer_uuid(const char *customer)
{
    return row_uuid("Customer", customer, NULL);
}

static struct uuid
revision_uuid(const char *customer, uint64_t number)
{
    char buf[32];
    snprintf(buf, sizeof buf, "%"PRIu64, number);
    return row_uuid("Revision", customer, buf, NULL);
}

static struct uuid
alloc_uuid(const struct store_alloc *a)
{
    return row_uuid("Allocation", a->customer, a->network, a->kind, a->name,
                    NULL);
}

/* Operations. */

void
store_txn_init(struct store_txn *txn)
{
    txn->params = json_array_create_1(json_string_create("Tollway"));
    txn->roles = NULL;
    txn->n = txn->allocated = 0;
}

void
store_txn_uninit(struct store_txn *txn)
{
    json_destroy(txn->params);
    free(txn->roles);
}

/* Adds an operation and returns it for more members.  'table' may be NULL. */
static struct json *
add_op(struct store_txn *txn, enum store_op_role role, const char *op,
       const char *table)
{
    struct json *json = json_object_create();
    json_object_put_string(json, "op", op);
    if (table) {
        json_object_put_string(json, "table", table);
    }
    json_array_add(txn->params, json);
    if (txn->n >= txn->allocated) {
        txn->roles = x2nrealloc(txn->roles, &txn->allocated,
                                sizeof *txn->roles);
    }
    txn->roles[txn->n++] = role;
    return json;
}

static struct json *
where_json(const char *column, const char *function, struct json *value)
{
    return json_array_create_1(json_array_create_3(
        json_string_create(column), json_string_create(function), value));
}

static struct json *
uuid_json(const struct uuid *uuid)
{
    return json_string_create_nocopy(xasprintf(UUID_FMT, UUID_ARGS(uuid)));
}

static struct json *
where_uuid(const struct uuid *uuid)
{
    return where_json("_uuid", "==", json_array_create_2(
        json_string_create("uuid"), uuid_json(uuid)));
}

static void
put_strings(struct json *json, const char *member, const char *a,
            const char *b)
{
    struct json *array = json_array_create_1(json_string_create(a));
    if (b) {
        json_array_add(array, json_string_create(b));
    }
    json_object_put(json, member, array);
}

/* Inserts a row with UUID 'uuid' and returns the row for its columns. */
static struct json *
add_insert(struct store_txn *txn, const char *table, const struct uuid *uuid)
{
    struct json *op = add_op(txn, STORE_OP_PLAIN, "insert", table);
    struct json *row = json_object_create();
    json_object_put(op, "uuid", uuid_json(uuid));
    json_object_put(op, "row", row);
    return row;
}

static struct json *
add_update(struct store_txn *txn, const char *table, const struct uuid *uuid)
{
    struct json *op = add_op(txn, STORE_OP_PLAIN, "update", table);
    struct json *row = json_object_create();
    json_object_put(op, "where", where_uuid(uuid));
    json_object_put(op, "row", row);
    return row;
}

static void
add_delete(struct store_txn *txn, const char *table, const struct uuid *uuid)
{
    struct json *op = add_op(txn, STORE_OP_PLAIN, "delete", table);
    json_object_put(op, "where", where_uuid(uuid));
}

static struct json *
add_select(struct store_txn *txn, const char *table)
{
    struct json *op = add_op(txn, STORE_OP_PLAIN, "select", table);
    json_object_put(op, "where", json_array_create_empty());
    return op;
}

/* Fails the transaction if what is there isn't exactly 'row', or if something
 * is there and 'row' is NULL.  'columns' are those of 'row'. */
static void
add_wait(struct store_txn *txn, enum store_op_role role, const char *table,
         const struct uuid *uuid, const char *column, const char *column2,
         struct json *row)
{
    struct json *op = add_op(txn, role, "wait", table);
    json_object_put(op, "timeout", json_integer_create(0));
    json_object_put(op, "where", (uuid ? where_uuid(uuid)
                                  : json_array_create_empty()));
    put_strings(op, "columns", column, column2);
    json_object_put_string(op, "until", "==");
    json_object_put(op, "rows", (row ? json_array_create_1(row)
                                 : json_array_create_empty()));
}

/* Rows. */

/* The rows that operation 'i' selected, NULL if it has none. */
static const struct json_array *
get_rows(const struct json *result, size_t i)
{
    if (!result || result->type != JSON_ARRAY || i >= json_array(result)->n
        || json_array(result)->elems[i]->type != JSON_OBJECT) {
        return NULL;
    }
    const struct json *rows = shash_find_data(
        json_object(json_array(result)->elems[i]), "rows");
    return rows && rows->type == JSON_ARRAY ? json_array(rows) : NULL;
}

static const struct json *
row_get(const struct json *row, const char *column, enum json_type type)
{
    const struct json *json = NULL;
    if (row->type == JSON_OBJECT) {
        json = shash_find_data(json_object(row), column);
    }
    return json && json->type == type ? json : NULL;
}

static const char *
row_string(const struct json *row, const char *column)
{
    const struct json *json = row_get(row, column, JSON_STRING);
    return json ? json_string(json) : "";
}

static long long int
row_integer(const struct json *row, const char *column)
{
    const struct json *json = row_get(row, column, JSON_INTEGER);
    return json ? json_integer(json) : 0;
}

/* Base64, for bytes in a string column. */

static char *
base64_encode(const void *data, size_t len)
{
    char *s = xmalloc(4 * ((len + 2) / 3) + 1);
    EVP_EncodeBlock((unsigned char *) s, data, len);
    return s;
}

/* Stores the bytes, which the caller frees, and their number; false and nothing
 * stored if 's' isn't base64 of anything. */
static bool
base64_decode(const char *s, uint8_t **datap, size_t *lenp)
{
    size_t n = strlen(s);
    if (!n || n % 4) {
        return false;
    }
    uint8_t *data = xmalloc(n / 4 * 3);
    int len = EVP_DecodeBlock(data, (const unsigned char *) s, n);
    if (len < 0) {
        free(data);
        return false;
    }
    *datap = data;
    *lenp = len - (s[n - 1] == '=') - (s[n - 2] == '=');
    return true;
}

/* Reading everything. */

enum { LOAD_TOLLWAY, LOAD_FABRIC, LOAD_CUSTOMER, LOAD_ALLOC, LOAD_SNAPSHOT };

void
store_txn_load(struct store_txn *txn)
{
    add_select(txn, "Tollway");
    add_select(txn, "Fabric");
    add_select(txn, "Customer");
    add_select(txn, "Allocation");
    add_select(txn, "Snapshot");
}

static int
compare_customers(const void *a_, const void *b_)
{
    const struct store_customer *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

static int
compare_allocs(const void *a_, const void *b_)
{
    const struct store_alloc *a = a_, *b = b_;
    int cmp = strcmp(a->customer, b->customer);
    cmp = cmp ? cmp : strcmp(a->network, b->network);
    cmp = cmp ? cmp : strcmp(a->kind, b->kind);
    return cmp ? cmp : strcmp(a->name, b->name);
}

static int
compare_snapshots(const void *a_, const void *b_)
{
    const struct store_snapshot *a = a_, *b = b_;
    int cmp = strcmp(a->kind, b->kind);
    return cmp ? cmp : strcmp(a->name, b->name);
}

static void
parse_customers(const struct json_array *rows, struct store_contents *c)
{
    c->customers = xcalloc(rows->n + 1, sizeof *c->customers);
    for (size_t i = 0; i < rows->n; i++) {
        struct store_customer *p = &c->customers[c->n_customers++];
        p->name = xstrdup(row_string(rows->elems[i], "name"));
        p->active = row_integer(rows->elems[i], "active");
        p->last = row_integer(rows->elems[i], "last");
    }
    qsort(c->customers, c->n_customers, sizeof *c->customers,
          compare_customers);
}

static void
parse_allocs(const struct json_array *rows, struct store_contents *c)
{
    c->allocs = xcalloc(rows->n + 1, sizeof *c->allocs);
    for (size_t i = 0; i < rows->n; i++) {
        const struct json *row = rows->elems[i];
        struct store_alloc *a = &c->allocs[c->n_allocs++];
        a->customer = xstrdup(row_string(row, "customer"));
        a->network = xstrdup(row_string(row, "network"));
        a->kind = xstrdup(row_string(row, "kind"));
        a->name = xstrdup(row_string(row, "name"));
        a->id = row_integer(row, "id");
        a->mac = xstrdup(row_string(row, "mac"));
        a->address = xstrdup(row_string(row, "address"));
        a->host = xstrdup(row_string(row, "host"));
        a->fixed_address = row_get(row, "fixed_address", JSON_TRUE) != NULL;
    }
    qsort(c->allocs, c->n_allocs, sizeof *c->allocs, compare_allocs);
}

/* Rows without data are what a restart of ovsdb-server leaves: they are kept
 * in the list, with no bytes, so that the caller knows that they exist. */
static void
parse_snapshots(const struct json_array *rows, struct store_contents *c)
{
    c->snapshots = xcalloc(rows->n + 1, sizeof *c->snapshots);
    for (size_t i = 0; i < rows->n; i++) {
        const struct json *row = rows->elems[i];
        struct store_snapshot *s = &c->snapshots[c->n_snapshots++];
        s->kind = xstrdup(row_string(row, "kind"));
        s->name = xstrdup(row_string(row, "name"));
        base64_decode(row_string(row, "data"), &s->data, &s->len);
    }
    qsort(c->snapshots, c->n_snapshots, sizeof *c->snapshots,
          compare_snapshots);
}

bool
store_parse_load(const struct json *result, struct store_contents *c)
{
    const struct json_array *tollway = get_rows(result, LOAD_TOLLWAY);
    const struct json_array *fabric = get_rows(result, LOAD_FABRIC);
    const struct json_array *customers = get_rows(result, LOAD_CUSTOMER);
    const struct json_array *allocs = get_rows(result, LOAD_ALLOC);
    const struct json_array *snapshots = get_rows(result, LOAD_SNAPSHOT);
    if (!tollway || !fabric || !customers || !allocs || !snapshots) {
        return false;
    }

    c->generation = 1;
    if (tollway->n) {
        c->generation += row_integer(tollway->elems[0], "generation");
    }
    if (fabric->n) {
        const struct json *row = fabric->elems[0];
        c->fabric_serial = row_integer(row, "serial");
        c->fabric = xstrdup(row_string(row, "document"));
        c->fabric_who = xstrdup(row_string(row, "who"));
        c->fabric_digest = xstrdup(row_string(row, "digest"));
        c->fabric_when_ms = row_integer(row, "when");
    }
    parse_customers(customers, c);
    parse_allocs(allocs, c);
    parse_snapshots(snapshots, c);
    return true;
}

void
store_txn_load_documents(struct store_txn *txn, const struct store_contents *c)
{
    for (size_t i = 0; i < c->n_customers; i++) {
        if (c->customers[i].active) {
            store_txn_document(txn, c->customers[i].name,
                               c->customers[i].active);
        }
    }
    struct uuid uuid = row_uuid("Tollway", NULL);
    struct json *row = (c->generation == 1
                        ? add_insert(txn, "Tollway", &uuid)
                        : add_update(txn, "Tollway", &uuid));
    json_object_put(row, "generation", json_integer_create(c->generation));
}

static void
parse_revision(const struct json *row, struct store_revision *r)
{
    r->customer = xstrdup(row_string(row, "customer"));
    r->number = row_integer(row, "number");
    r->who = xstrdup(row_string(row, "who"));
    r->when_ms = row_integer(row, "when");
    r->digest = xstrdup(row_string(row, "digest"));
    const struct json *document = row_get(row, "document", JSON_STRING);
    r->document = document ? xstrdup(json_string(document)) : NULL;
}

bool
store_parse_load_documents(const struct json *result, struct store_contents *c)
{
    size_t op = 0;
    for (size_t i = 0; i < c->n_customers; i++) {
        if (c->customers[i].active) {
            const struct json_array *rows = get_rows(result, op++);
            if (!rows || rows->n != 1) {
                return false;
            }
            parse_revision(rows->elems[0], &c->customers[i].revision);
        }
    }
    return true;
}

/* Commits. */

/* Whether 's' (or NULL) can be in a JSON string. */
static char *
check_text(const char *what, const char *s)
{
    char *error = s ? utf8_validate(s, NULL) : NULL;
    if (error) {
        char *message = xasprintf("%s is not UTF-8: %s", what, error);
        free(error);
        return message;
    }
    return NULL;
}

static void
put_document(struct json *row, const struct store_change *change,
             const char *document)
{
    char digest[STORE_DIGEST_LEN + 1];
    store_digest(document, digest);
    json_object_put_string(row, "who", change->who ? change->who : "");
    json_object_put(row, "when", json_integer_create(change->when_ms));
    json_object_put_string(row, "digest", digest);
    json_object_put_string(row, "document", document);
}

static struct json *
customer_row(uint64_t active, uint64_t last)
{
    struct json *row = json_object_create();
    json_object_put(row, "active", json_integer_create(active));
    json_object_put(row, "last", json_integer_create(last));
    return row;
}

static void
commit_customer(struct store_txn *txn, const struct store_change *change)
{
    const char *name = change->customer;
    struct uuid uuid = customer_uuid(name);
    bool known = change->expect_last != 0;
    add_wait(txn, STORE_OP_PRECONDITION, "Customer", &uuid, "active", "last",
             known ? customer_row(change->expect_active, change->expect_last)
             : NULL);

    uint64_t last = change->expect_last + (change->document != NULL);
    if (change->document) {
        struct uuid rev = revision_uuid(name, last);
        struct json *row = add_insert(txn, "Revision", &rev);
        json_object_put_string(row, "customer", name);
        json_object_put(row, "number", json_integer_create(last));
        put_document(row, change, change->document);
        if (last > STORE_KEEP_REVISIONS) {
            struct uuid old = revision_uuid(name, last - STORE_KEEP_REVISIONS);
            add_delete(txn, "Revision", &old);
        }
    }
    if (change->activate && (!change->document || change->activate != last)) {
        struct uuid rev = revision_uuid(name, change->activate);
        struct json *row = json_object_create();
        json_object_put(row, "number", json_integer_create(change->activate));
        add_wait(txn, STORE_OP_EXISTS, "Revision", &rev, "number", NULL, row);
    }

    struct json *row = (known ? add_update(txn, "Customer", &uuid)
                        : add_insert(txn, "Customer", &uuid));
    if (!known) {
        json_object_put_string(row, "name", name);
    }
    json_object_put(row, "active", json_integer_create(change->activate));
    json_object_put(row, "last", json_integer_create(last));
}

static void
commit_fabric(struct store_txn *txn, const struct store_change *change)
{
    struct uuid uuid = row_uuid("Fabric", NULL);
    bool known = change->expect_fabric_serial != 0;
    struct json *expected = NULL;
    if (known) {
        expected = json_object_create();
        json_object_put(expected, "serial",
                        json_integer_create(change->expect_fabric_serial));
    }
    add_wait(txn, STORE_OP_PRECONDITION, "Fabric", NULL, "serial", NULL,
             expected);
    struct json *row = (known ? add_update(txn, "Fabric", &uuid)
                        : add_insert(txn, "Fabric", &uuid));
    json_object_put(row, "serial",
                    json_integer_create(change->expect_fabric_serial + 1));
    put_document(row, change, change->fabric);
}

/* A key that is among the removed allocations, and whether it is among the
 * added too. */
struct alloc_key {
    struct hmap_node hmap_node;
    struct uuid uuid;
    bool added;
};

static struct alloc_key *
find_alloc_key(struct hmap *keys, const struct uuid *uuid)
{
    struct alloc_key *k;
    HMAP_FOR_EACH_WITH_HASH (k, hmap_node, uuid_hash(uuid), keys) {
        if (uuid_equals(&k->uuid, uuid)) {
            return k;
        }
    }
    return NULL;
}

static void
put_alloc(struct json *row, const struct store_alloc *a)
{
    json_object_put(row, "id", json_integer_create(a->id));
    json_object_put_string(row, "mac", a->mac ? a->mac : "");
    json_object_put_string(row, "address", a->address ? a->address : "");
    json_object_put_string(row, "host", a->host ? a->host : "");
    json_object_put(row, "fixed_address",
                    json_boolean_create(a->fixed_address));
}

static void
commit_allocs(struct store_txn *txn, const struct store_change *change)
{
    struct alloc_key *keys = xcalloc(change->n_removed + 1, sizeof *keys);
    struct hmap index = HMAP_INITIALIZER(&index);
    for (size_t i = 0; i < change->n_removed; i++) {
        keys[i].uuid = alloc_uuid(&change->removed[i]);
        hmap_insert(&index, &keys[i].hmap_node, uuid_hash(&keys[i].uuid));
    }
    for (size_t i = 0; i < change->n_added; i++) {
        const struct store_alloc *a = &change->added[i];
        struct uuid uuid = alloc_uuid(a);
        struct alloc_key *k = find_alloc_key(&index, &uuid);
        if (k) {
            k->added = true;
            put_alloc(add_update(txn, "Allocation", &uuid), a);
        } else {
            struct json *row = add_insert(txn, "Allocation", &uuid);
            json_object_put_string(row, "customer", a->customer);
            json_object_put_string(row, "network", a->network);
            json_object_put_string(row, "kind", a->kind);
            json_object_put_string(row, "name", a->name);
            put_alloc(row, a);
        }
    }
    for (size_t i = 0; i < change->n_removed; i++) {
        if (!keys[i].added) {
            add_delete(txn, "Allocation", &keys[i].uuid);
        }
    }
    hmap_destroy(&index);
    free(keys);
}

char *
store_txn_commit(struct store_txn *txn, const struct store_change *change)
{
    char *error = check_text("the customer's name", change->customer);
    error = error ? error : check_text("the configuration", change->document);
    error = error ? error : check_text("the fabric", change->fabric);
    error = error ? error : check_text("the submitter's name", change->who);
    if (error) {
        return error;
    }

    if (change->customer) {
        commit_customer(txn, change);
    }
    if (change->fabric) {
        commit_fabric(txn, change);
    }
    commit_allocs(txn, change);
    struct json *op = add_op(txn, STORE_OP_PLAIN, "commit", NULL);
    json_object_put(op, "durable", json_boolean_create(true));
    return NULL;
}

/* Questions. */

static const char *const revision_columns[] = {
    "customer", "number", "who", "when", "digest", "document",
};

static struct json *
revision_columns_json(bool document)
{
    struct json *columns = json_array_create_empty();
    for (size_t i = 0; i + !document < ARRAY_SIZE(revision_columns); i++) {
        json_array_add(columns, json_string_create(revision_columns[i]));
    }
    return columns;
}

void
store_txn_history(struct store_txn *txn, const char *customer)
{
    struct json *op = add_op(txn, STORE_OP_PLAIN, "select", "Revision");
    json_object_put(op, "where",
                    where_json("customer", "==",
                               json_string_create(customer)));
    json_object_put(op, "columns", revision_columns_json(false));
}

void
store_txn_document(struct store_txn *txn, const char *customer,
                   uint64_t number)
{
    struct uuid uuid = revision_uuid(customer, number);
    struct json *op = add_op(txn, STORE_OP_PLAIN, "select", "Revision");
    json_object_put(op, "where", where_uuid(&uuid));
    json_object_put(op, "columns", revision_columns_json(true));
}

static int
compare_revisions(const void *a_, const void *b_)
{
    const struct store_revision *a = a_, *b = b_;
    return a->number < b->number ? 1 : a->number > b->number ? -1 : 0;
}

bool
store_parse_revisions(const struct json *result,
                      struct store_revision **revisions, size_t *n)
{
    *revisions = NULL;
    *n = 0;
    const struct json_array *rows = get_rows(result, 0);
    if (!rows) {
        return false;
    }
    *revisions = xcalloc(rows->n + 1, sizeof **revisions);
    for (size_t i = 0; i < rows->n; i++) {
        parse_revision(rows->elems[i], &(*revisions)[(*n)++]);
    }
    qsort(*revisions, *n, sizeof **revisions, compare_revisions);
    return true;
}

void
store_txn_snapshot(struct store_txn *txn, const char *kind, const char *name,
                   bool exists, const void *data, size_t len)
{
    struct uuid uuid = row_uuid("Snapshot", kind, name, NULL);
    if (!data) {
        add_delete(txn, "Snapshot", &uuid);
        return;
    }
    struct json *row = (exists ? add_update(txn, "Snapshot", &uuid)
                        : add_insert(txn, "Snapshot", &uuid));
    if (!exists) {
        json_object_put_string(row, "kind", kind);
        json_object_put_string(row, "name", name);
    }
    json_object_put(row, "data",
                    json_string_create_nocopy(base64_encode(data, len)));
}

char *
store_find_error(const struct json *result, size_t *index)
{
    *index = 0;
    if (!result || result->type != JSON_ARRAY) {
        return xstrdup("the answer is not that of a transaction");
    }
    for (size_t i = 0; i < json_array(result)->n; i++) {
        const struct json *op = json_array(result)->elems[i];
        const struct json *error = row_get(op, "error", JSON_STRING);
        if (error) {
            const char *details = row_string(op, "details");
            *index = i;
            return xasprintf("%s%s%s", json_string(error),
                             details[0] ? ": " : "", details);
        }
    }
    return NULL;
}

/* Destruction. */

void
store_revision_uninit(struct store_revision *r)
{
    free(r->customer);
    free(r->who);
    free(r->digest);
    free(r->document);
}

void
store_contents_destroy(struct store_contents *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->n_customers; i++) {
        free(c->customers[i].name);
        store_revision_uninit(&c->customers[i].revision);
    }
    for (size_t i = 0; i < c->n_allocs; i++) {
        struct store_alloc *a = &c->allocs[i];
        free(a->customer);
        free(a->network);
        free(a->kind);
        free(a->name);
        free(a->mac);
        free(a->address);
        free(a->host);
    }
    for (size_t i = 0; i < c->n_snapshots; i++) {
        free(c->snapshots[i].kind);
        free(c->snapshots[i].name);
        free(c->snapshots[i].data);
    }
    free(c->customers);
    free(c->allocs);
    free(c->snapshots);
    free(c->fabric);
    free(c->fabric_who);
    free(c->fabric_digest);
    free(c);
}
