/* SPDX-License-Identifier: Apache-2.0 */

/* The store on a real ovsdb-server: a controller that starts again finds what
 * was accepted; conflicts change nothing; one writer at a time; "done" is said
 * after fsync. */

#include <config.h>
#include "ovs-glue/store.h"
#include "openvswitch/poll-loop.h"
#include "tests/glue/sandbox.h"
#include "tests/unit/tw-cunit.h"
#include "timeval.h"
#include "util.h"

#define SCHEMA TW_SRCDIR "/schemas/tollway.ovsschema"

static struct store *
open_store(const struct sandbox *sb)
{
    char *remote = sandbox_path(sb, "unix", "db.sock");
    struct store *store = store_create(remote, NULL);
    free(remote);
    return store;
}

/* The next event within 'ms', else NULL. */
static struct store_event *
next_event(struct store *store, int ms)
{
    long long int deadline = time_msec() + ms;
    for (;;) {
        store_run(store);
        struct store_event *e = store_pop_event(store);
        if (e || time_msec() >= deadline) {
            return e;
        }
        store_wait(store);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* The next event, which must be of 'type'. */
static struct store_event *
expect(struct store *store, enum store_event_type type)
{
    struct store_event *e = next_event(store, 15000);
    CU_ASSERT_FATAL(e != NULL);
    CU_ASSERT_EQUAL_FATAL(e->type, type);
    return e;
}

static enum store_result
commit(struct store *store, const struct store_change *change)
{
    static const uint64_t tag = 0x123456789abcULL;
    store_commit(store, change, tag);
    struct store_event *e = expect(store, STORE_COMMITTED);
    CU_ASSERT_EQUAL(e->tag, tag);
    enum store_result result = e->result;
    if (result == STORE_FAILED && getenv("TOLLWAY_VERBOSE")) {
        fprintf(stderr, "%s\n", e->text);
    }
    store_event_destroy(e);
    return result;
}

/* Commits one more revision of "acme". */
static enum store_result
submit(struct store *store, uint64_t active, uint64_t last,
       const char *document)
{
    struct store_change change = {
        .customer = "acme", .expect_active = active, .expect_last = last,
        .activate = last + 1, .document = document, .who = "ann",
        .when_ms = 1700000000000 + last,
    };
    return commit(store, &change);
}

static struct store_event *
reopen(const struct sandbox *sb, struct store **store)
{
    store_destroy(*store);
    *store = open_store(sb);
    return expect(*store, STORE_LOADED);
}

static void
test_empty(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    CU_ASSERT(!store_is_writer(store));
    struct store_event *e = expect(store, STORE_LOADED);
    CU_ASSERT(store_is_writer(store));
    CU_ASSERT_EQUAL(e->contents->generation, 1);
    CU_ASSERT_EQUAL(e->contents->fabric_serial, 0);
    CU_ASSERT_PTR_NULL(e->contents->fabric);
    CU_ASSERT_EQUAL(e->contents->n_customers, 0);
    CU_ASSERT_EQUAL(e->contents->n_allocs, 0);
    store_event_destroy(e);
    e = reopen(&sb, &store);
    CU_ASSERT_EQUAL(e->contents->generation, 2);
    store_event_destroy(e);
    store_destroy(store);
    sandbox_uninit(&sb);
}

static void
test_commit_and_reload(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));

    struct store_alloc allocs[] = {
        { "acme", "prod", "node", "web1", 7, "0e:03:00:00:00:07",
          "10.0.1.10", "h1", true },
        { "acme", "prod", "network", "prod", 5, "", "", "", false },
    };
    struct store_change change = {
        .customer = "acme", .activate = 1,
        .document = "<customer name=\"acme\">\n\t\"\xc3\xa9\"</customer>",
        .fabric = "<fabric/>",
        .who = "ann", .when_ms = 1700000000123,
        .added = allocs, .n_added = ARRAY_SIZE(allocs),
    };
    CU_ASSERT_EQUAL(commit(store, &change), STORE_DONE);

    struct store_event *e = reopen(&sb, &store);
    const struct store_contents *c = e->contents;
    CU_ASSERT_EQUAL(c->fabric_serial, 1);
    CU_ASSERT_STRING_EQUAL(c->fabric, "<fabric/>");
    CU_ASSERT_STRING_EQUAL(c->fabric_who, "ann");
    CU_ASSERT_EQUAL_FATAL(c->n_customers, 1);
    CU_ASSERT_EQUAL(c->customers[0].active, 1);
    CU_ASSERT_EQUAL(c->customers[0].last, 1);
    const struct store_revision *r = &c->customers[0].revision;
    CU_ASSERT_EQUAL(r->number, 1);
    CU_ASSERT_STRING_EQUAL(r->document, change.document);
    CU_ASSERT_EQUAL(r->when_ms, change.when_ms);
    char digest[STORE_DIGEST_LEN + 1];
    store_digest(change.document, digest);
    CU_ASSERT_STRING_EQUAL(r->digest, digest);
    CU_ASSERT_EQUAL_FATAL(c->n_allocs, 2);
    CU_ASSERT_STRING_EQUAL(c->allocs[0].kind, "network");
    CU_ASSERT_EQUAL(c->allocs[0].id, 5);
    CU_ASSERT(!c->allocs[0].fixed_address);
    CU_ASSERT_STRING_EQUAL(c->allocs[1].name, "web1");
    CU_ASSERT_STRING_EQUAL(c->allocs[1].mac, "0e:03:00:00:00:07");
    CU_ASSERT_STRING_EQUAL(c->allocs[1].address, "10.0.1.10");
    CU_ASSERT_STRING_EQUAL(c->allocs[1].host, "h1");
    CU_ASSERT(c->allocs[1].fixed_address);
    store_event_destroy(e);

    /* One changed (in both lists), one gone, one new. */
    struct store_alloc moved = allocs[0];
    moved.host = "h2";
    struct store_alloc added[] = {
        moved,
        { "acme", "prod", "node", "web2", 8, "", "10.0.1.11", "h1", false },
    };
    struct store_change change2 = {
        .removed = allocs, .n_removed = 2,
        .added = added, .n_added = ARRAY_SIZE(added),
    };
    CU_ASSERT_EQUAL(commit(store, &change2), STORE_DONE);
    e = reopen(&sb, &store);
    c = e->contents;
    CU_ASSERT_EQUAL_FATAL(c->n_allocs, 2);
    CU_ASSERT_STRING_EQUAL(c->allocs[0].name, "web1");
    CU_ASSERT_STRING_EQUAL(c->allocs[0].host, "h2");
    CU_ASSERT_STRING_EQUAL(c->allocs[1].name, "web2");
    store_event_destroy(e);
    store_destroy(store);
    sandbox_uninit(&sb);
}

static void
test_conflict(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));

    CU_ASSERT_EQUAL(submit(store, 0, 0, "<a/>"), STORE_DONE);
    CU_ASSERT_EQUAL(submit(store, 0, 0, "<b/>"), STORE_CONFLICT);
    CU_ASSERT_EQUAL(submit(store, 2, 2, "<b/>"), STORE_CONFLICT);
    CU_ASSERT_EQUAL(submit(store, 1, 1, "<b/>"), STORE_DONE);

    /* Nothing of a refused commit is there. */
    struct store_alloc a = { "acme", "", "network", "n", 1, "", "", "", false };
    struct store_change stale = {
        .fabric = "<fabric/>", .expect_fabric_serial = 3,
        .added = &a, .n_added = 1,
    };
    CU_ASSERT_EQUAL(commit(store, &stale), STORE_CONFLICT);
    struct store_change bad_text = { .fabric = "<fabric>\xff</fabric>" };
    CU_ASSERT_EQUAL(commit(store, &bad_text), STORE_FAILED);

    /* An old revision again; one that never was; none. */
    struct store_change back = {
        .customer = "acme", .expect_active = 2, .expect_last = 2, .activate = 1,
    };
    CU_ASSERT_EQUAL(commit(store, &back), STORE_DONE);
    back.expect_active = 1;
    back.activate = 9;
    CU_ASSERT_EQUAL(commit(store, &back), STORE_NOT_FOUND);
    struct store_event *e = reopen(&sb, &store);
    CU_ASSERT_EQUAL(e->contents->n_allocs, 0);
    CU_ASSERT_EQUAL(e->contents->fabric_serial, 0);
    CU_ASSERT_EQUAL(e->contents->customers[0].active, 1);
    CU_ASSERT_EQUAL(e->contents->customers[0].last, 2);
    CU_ASSERT_STRING_EQUAL(e->contents->customers[0].revision.document,
                           "<a/>");
    store_event_destroy(e);
    back.activate = 0;
    CU_ASSERT_EQUAL(commit(store, &back), STORE_DONE);
    e = reopen(&sb, &store);
    CU_ASSERT_EQUAL(e->contents->customers[0].active, 0);
    CU_ASSERT_PTR_NULL(e->contents->customers[0].revision.document);
    store_event_destroy(e);
    store_destroy(store);
    sandbox_uninit(&sb);
}

static void
test_history(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));
    for (uint64_t i = 0; i < STORE_KEEP_REVISIONS + 3; i++) {
        char doc[64];
        snprintf(doc, sizeof doc, "<r n=\"%d\"/>", (int) i + 1);
        CU_ASSERT_EQUAL(submit(store, i, i, doc), STORE_DONE);
    }
    store_request_history(store, "acme", 5);
    struct store_event *e = expect(store, STORE_HISTORY);
    CU_ASSERT_EQUAL(e->tag, 5);
    CU_ASSERT_EQUAL_FATAL(e->n_revisions, STORE_KEEP_REVISIONS);
    CU_ASSERT_EQUAL(e->revisions[0].number, STORE_KEEP_REVISIONS + 3);
    CU_ASSERT_EQUAL(e->revisions[STORE_KEEP_REVISIONS - 1].number, 4);
    CU_ASSERT_PTR_NULL(e->revisions[0].document);
    CU_ASSERT_STRING_EQUAL(e->revisions[0].who, "ann");
    store_event_destroy(e);

    store_request_document(store, "acme", 50, 6);
    e = expect(store, STORE_DOCUMENT);
    CU_ASSERT_EQUAL(e->result, STORE_DONE);
    CU_ASSERT_EQUAL_FATAL(e->n_revisions, 1);
    CU_ASSERT_STRING_EQUAL(e->revisions[0].document, "<r n=\"50\"/>");
    store_event_destroy(e);
    store_request_document(store, "acme", 3, 7);
    e = expect(store, STORE_DOCUMENT);
    CU_ASSERT_EQUAL(e->result, STORE_NOT_FOUND);
    store_event_destroy(e);
    store_request_history(store, "nobody", 8);
    e = expect(store, STORE_HISTORY);
    CU_ASSERT_EQUAL(e->result, STORE_NOT_FOUND);
    store_event_destroy(e);
    store_destroy(store);

    /* A revision can't be changed, whoever tries. */
    char *out = sandbox_capture(&sb, "ovsdb-client transact unix:$D/db.sock "
        "'[\"Tollway\",{\"op\":\"update\",\"table\":\"Revision\",\"where\":[],"
        "\"row\":{\"document\":\"x\"}}]' 2>&1");
    CU_ASSERT_PTR_NOT_NULL(strstr(out, "constraint violation"));
    free(out);
    sandbox_uninit(&sb);
}

static void
test_one_writer(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *a = open_store(&sb);
    store_event_destroy(expect(a, STORE_LOADED));
    struct store *b = open_store(&sb);
    CU_ASSERT_PTR_NULL(next_event(b, 300));
    CU_ASSERT(store_is_connected(b) && !store_is_writer(b));
    CU_ASSERT_EQUAL(submit(b, 0, 0, "<b/>"), STORE_NOT_WRITER);
    CU_ASSERT_EQUAL(submit(a, 0, 0, "<a/>"), STORE_DONE);
    store_destroy(a);
    struct store_event *e = expect(b, STORE_LOADED);
    CU_ASSERT_EQUAL(e->contents->generation, 2);
    CU_ASSERT_STRING_EQUAL(e->contents->customers[0].revision.document,
                           "<a/>");
    store_event_destroy(e);
    CU_ASSERT_EQUAL(submit(b, 1, 1, "<b/>"), STORE_DONE);
    store_destroy(b);
    sandbox_uninit(&sb);
}

static void
test_stolen_lock(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));
    CU_ASSERT(sandbox_sh(&sb, "ovsdb-client --detach --pidfile=$D/thief.pid "
                         "--no-chdir steal unix:$D/db.sock tollwayd "
                         ">/dev/null 2>&1"));
    /* The commit leaves before we know: the server's assertion refuses it, or
     * the notice was faster. */
    CU_ASSERT_EQUAL(submit(store, 0, 0, "<a/>") == STORE_DONE, false);
    store_event_destroy(expect(store, STORE_LOST));
    CU_ASSERT(!store_is_writer(store));
    CU_ASSERT(sandbox_sh(&sb, "kill $(cat $D/thief.pid)"));
    struct store_event *e = expect(store, STORE_LOADED);
    CU_ASSERT_EQUAL(e->contents->n_customers, 0);
    store_event_destroy(e);
    store_destroy(store);
    sandbox_uninit(&sb);
}

static void
test_server_restart(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));
    CU_ASSERT_EQUAL(submit(store, 0, 0, "<a/>"), STORE_DONE);
    store_put_snapshot(store, "network", "acme/prod", "\0\1\2", 3);

    sandbox_kill(&sb.db);
    struct store_event *e = expect(store, STORE_LOST);
    store_event_destroy(e);
    CU_ASSERT_EQUAL(submit(store, 1, 1, "<b/>"), STORE_NOT_WRITER);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    e = expect(store, STORE_LOADED);
    CU_ASSERT_EQUAL(e->contents->generation, 2);
    CU_ASSERT_EQUAL_FATAL(e->contents->n_customers, 1);
    CU_ASSERT_STRING_EQUAL(e->contents->customers[0].revision.document,
                           "<a/>");
    store_event_destroy(e);

    /* Snapshots are not on disk, but can be written again. */
    store_put_snapshot(store, "network", "acme/prod", "new", 3);
    CU_ASSERT_EQUAL(submit(store, 1, 1, "<b/>"), STORE_DONE);
    e = reopen(&sb, &store);
    CU_ASSERT_EQUAL_FATAL(e->contents->n_snapshots, 1);
    CU_ASSERT_EQUAL(e->contents->snapshots[0].len, 3);
    store_event_destroy(e);
    store_destroy(store);
    sandbox_uninit(&sb);
}

static void
test_snapshots(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));
    uint8_t bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = i * 7;
    }
    /* Many at once for one key: the last one wins. */
    for (size_t n = 900; n <= 1000; n++) {
        store_put_snapshot(store, "network", "acme/prod", bytes, n);
    }
    store_put_snapshot(store, "metrics", "", "<metrics/>", 10);
    store_put_snapshot(store, "network", "acme/old", bytes, 1);
    store_put_snapshot(store, "network", "acme/old", NULL, 0);
    CU_ASSERT_PTR_NULL(next_event(store, 300));

    struct store_event *e = reopen(&sb, &store);
    CU_ASSERT_EQUAL_FATAL(e->contents->n_snapshots, 2);
    CU_ASSERT_STRING_EQUAL(e->contents->snapshots[0].kind, "metrics");
    CU_ASSERT_STRING_EQUAL(e->contents->snapshots[1].name, "acme/prod");
    CU_ASSERT_EQUAL_FATAL(e->contents->snapshots[1].len, 1000);
    CU_ASSERT(!memcmp(e->contents->snapshots[1].data, bytes, 1000));
    store_event_destroy(e);
    /* The database file has the key, and not the data. */
    CU_ASSERT(sandbox_sh(&sb, "grep -q acme/prod $D/tollway.db"));
    CU_ASSERT(!sandbox_sh(&sb, "tail -n +3 $D/tollway.db | grep -q '\"data\"'"));
    store_destroy(store);
    sandbox_uninit(&sb);
}

/* Starts server number 'i' of a cluster. */
static pid_t
start_member(const struct sandbox *sb, int i)
{
    char *db = xasprintf("%s/s%d.db", sb->dir, i);
    char *remote = xasprintf("--remote=punix:%s/s%d.sock", sb->dir, i);
    char *ctl = xasprintf("--unixctl=%s/s%d.ctl", sb->dir, i);
    char *argv[] = { "ovsdb-server", db, remote, ctl, NULL };
    pid_t pid = sandbox_spawn(sb, "cluster.log", argv);
    free(db);
    free(remote);
    free(ctl);
    return pid;
}

/* Three servers: whichever dies, what was accepted is there, and more is. */
static void
test_cluster(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    pid_t pids[3];
    CU_ASSERT(sandbox_sh(&sb, "cd $D && exec 2>/dev/null && ovsdb-tool "
                         "create-cluster s0.db %s unix:s0.raft && "
                         "for i in 1 2; do ovsdb-tool join-cluster s$i.db "
                         "Tollway unix:s$i.raft unix:s0.raft; done", SCHEMA));
    for (int i = 0; i < 3; i++) {
        pids[i] = start_member(&sb, i);
    }
    for (int i = 0; i < 3; i++) {
        CU_ASSERT(sandbox_sh(&sb, "cd $D && i=0; until ovs-appctl -t "
                             "$D/s%d.ctl cluster/status Tollway 2>/dev/null | "
                             "grep -q 'Status: cluster member'; do "
                             "sleep 0.1; i=$((i+1)); [ $i -lt 200 ] || exit 1; "
                             "done", i));
    }
    char *remotes = xasprintf("unix:%s/s0.sock,unix:%s/s1.sock,"
                              "unix:%s/s2.sock", sb.dir, sb.dir, sb.dir);
    struct store *store = store_create(remotes, NULL);
    store_event_destroy(expect(store, STORE_LOADED));
    CU_ASSERT_EQUAL(submit(store, 0, 0, "<a/>"), STORE_DONE);

    int leader = -1;
    for (int i = 0; i < 3; i++) {
        if (sandbox_sh(&sb, "ovs-appctl -t $D/s%d.ctl cluster/status Tollway "
                       "| grep -q 'Role: leader'", i)) {
            leader = i;
        }
    }
    CU_ASSERT_FATAL(leader >= 0);
    sandbox_kill(&pids[leader]);
    store_event_destroy(expect(store, STORE_LOST));
    struct store_event *e = expect(store, STORE_LOADED);
    CU_ASSERT_STRING_EQUAL(e->contents->customers[0].revision.document,
                           "<a/>");
    store_event_destroy(e);
    CU_ASSERT_EQUAL(submit(store, 1, 1, "<b/>"), STORE_DONE);
    store_destroy(store);
    for (int i = 0; i < 3; i++) {
        sandbox_kill(&pids[i]);
    }
    free(remotes);
    sandbox_uninit(&sb);
}

/* Watches ovsdb-server with strace: the file must be synced after the write of
 * the transaction and before the reply. */
static void
test_durable(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    if (!sandbox_sh(&sb, "command -v strace >/dev/null")) {
        sandbox_uninit(&sb);
        return;
    }
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));
    CU_ASSERT(sandbox_sh(&sb, "strace -f -s 200 -o $D/trace "
                         "-e trace=write,fsync,fdatasync,send,sendto,sendmsg "
                         "-p %ld >/dev/null 2>&1 & echo $! > $D/strace.pid; "
                         "sleep 1", (long int) sb.db));
    CU_ASSERT_EQUAL(submit(store, 0, 0, "<find-me/>"), STORE_DONE);
    sandbox_sh(&sb, "kill $(cat $D/strace.pid); sleep 0.3");
    CU_ASSERT(sandbox_sh(&sb,
        "awk '/write.*find-me/ { w = 1 } "
        "     w == 1 && /(fsync|fdatasync).*= 0/ { w = 2 } "
        "     /fsync resumed|fdatasync resumed/ && w == 1 { w = 2 } "
        "     w && !r && /send.*result/ { r = w } "
        "     END { exit r == 2 ? 0 : 1 }' $D/trace"));
    if (getenv("TOLLWAY_VERBOSE")) {
        sandbox_sh(&sb, "cut -c1-150 $D/trace");
    }
    store_destroy(store);
    sandbox_uninit(&sb);
}

/* As large as documents may be, and as many allocations as a large customer
 * has. */
static void
test_large(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    sandbox_start_db(&sb, "tollway", SCHEMA);
    struct store *store = open_store(&sb);
    store_event_destroy(expect(store, STORE_LOADED));
    size_t size = 16 * 1024 * 1024;
    char *doc = xmalloc(size + 1);
    memset(doc, 'x', size);
    doc[size] = '\0';
    CU_ASSERT_EQUAL(submit(store, 0, 0, doc), STORE_DONE);

    enum { N = 5000 };
    struct store_alloc *allocs = xcalloc(N, sizeof *allocs);
    for (size_t i = 0; i < N; i++) {
        allocs[i] = (struct store_alloc) {
            "acme", "prod", "node", xasprintf("n%d", (int) i), i + 1,
            "0e:03:00:00:00:07", "10.0.1.10", "h1", false,
        };
    }
    struct store_change change = { .added = allocs, .n_added = N };
    long long int start = time_msec();
    CU_ASSERT_EQUAL(commit(store, &change), STORE_DONE);
    long long int middle = time_msec();
    change.removed = allocs;
    change.n_removed = N;
    for (size_t i = 0; i < N; i++) {
        allocs[i].host = "h2";
    }
    CU_ASSERT_EQUAL(commit(store, &change), STORE_DONE);
    long long int end = time_msec();
    printf("5000 allocations: inserted in %lld ms, updated in %lld ms\n",
           middle - start, end - middle);
    CU_ASSERT(end - start < 10000);

    struct store_event *e = reopen(&sb, &store);
    CU_ASSERT_EQUAL(e->contents->n_allocs, N);
    CU_ASSERT_STRING_EQUAL(e->contents->allocs[17].host, "h2");
    CU_ASSERT_EQUAL(strlen(e->contents->customers[0].revision.document), size);
    store_event_destroy(e);
    for (size_t i = 0; i < N; i++) {
        free(allocs[i].name);
    }
    free(allocs);
    free(doc);
    store_destroy(store);
    sandbox_uninit(&sb);
}

TW_TESTS("glue-store",
         TW_TEST(test_empty),
         TW_TEST(test_commit_and_reload),
         TW_TEST(test_conflict),
         TW_TEST(test_history),
         TW_TEST(test_one_writer),
         TW_TEST(test_stolen_lock),
         TW_TEST(test_server_restart),
         TW_TEST(test_snapshots),
         TW_TEST(test_cluster),
         TW_TEST(test_durable),
         TW_TEST(test_large))
