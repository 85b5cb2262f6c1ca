/* SPDX-License-Identifier: Apache-2.0 */

/* Verbs that submit, change or show documents. */

#include <config.h>
#include "controller/cli/tollctl.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/cli/answer.h"
#include "controller/cli/table.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* What tollwayd takes. */
#define MAX_DOCUMENT (16 * 1024 * 1024)

/* The document's name in messages. */
static const char *
source_name(const struct ctl *ctl)
{
    return strcmp(ctl->args[0], "-") ? ctl->args[0] : "standard input";
}

/* Reads a file, or standard input if 'name' is "-". */
static bool
read_document(const char *name, struct ds *ds)
{
    bool is_stdin = !strcmp(name, "-");
    FILE *file = is_stdin ? stdin : fopen(name, "r");
    char buf[65536];
    size_t n;

    ds_init(ds);
    if (!file) {
        complain("%s: %s", name, strerror(errno));
        return false;
    }
    while (ds->length <= MAX_DOCUMENT
           && (n = fread(buf, 1, sizeof buf, file)) > 0) {
        ds_put_buffer(ds, buf, n);
    }
    int error = ferror(file) ? errno : 0;
    if (!is_stdin) {
        fclose(file);
    }
    if (error) {
        complain("%s: %s", name, strerror(error));
    } else if (ds->length > MAX_DOCUMENT) {
        complain("%s: larger than 16 MiB; split it", name);
    } else {
        return true;
    }
    ds_destroy(ds);
    return false;
}

/* Appends the options that all changes have. */
static void
put_change_options(const struct ctl *ctl, struct ds *target)
{
    target_put(target, "dry-run", ctl->options & CTL_DRY_RUN ? "1" : NULL);
    target_put(target, "wait", ctl->options & CTL_WAIT ? "1" : NULL);
    target_put(target, "if-revision", ctl->if_revision);
}

/* What a dry run found. */

/* The lines of 'text' after 'indent' spaces. */
static void
put_indented(struct ds *ds, const char *text, size_t indent)
{
    while (*text) {
        size_t n = strcspn(text, "\n");

        ds_put_char_multiple(ds, ' ', indent);
        ds_put_buffer(ds, text, n);
        ds_put_char(ds, '\n');
        text += n + (text[n] == '\n');
    }
}

static void
put_lines(struct ds *ds, const struct json *lines, char sign)
{
    for (size_t i = 0; i < array_n(lines); i++) {
        ds_put_format(ds, "  %c %s\n", sign, array_string(lines, i));
    }
}

static void
put_difference(struct ds *ds, const struct json *json, const char *name,
               const char *title)
{
    const struct json *diff = get_member(json, name);
    const struct json *removed = get_member(diff, "removed");
    const struct json *added = get_member(diff, "added");

    if (array_n(removed) || array_n(added)) {
        ds_put_format(ds, "%s:\n", title);
        put_lines(ds, removed, '-');
        put_lines(ds, added, '+');
    } else {
        ds_put_format(ds, "%s: no change\n", title);
    }
}

static void
put_document_changes(struct ds *ds, const struct json *changes)
{
    for (size_t i = 0; i < array_n(changes); i++) {
        const struct json *c = array_at(changes, i);
        const char *type = get_string(c, "type");
        const char *object = get_string(c, "object");
        const char *what = get_string(c, "what");

        if (!i) {
            ds_put_cstr(ds, "document:\n");
        }
        ds_put_format(ds, "  %s ", !type ? "?" : !strcmp(type, "added") ? "+"
                      : !strcmp(type, "removed") ? "-" : "~");
        ds_put_format(ds, "%s%s%s\n", object ? object : "?",
                      what ? ": " : "", what ? what : "");
    }
}

static void
put_host_changes(struct ds *ds, const struct json *hosts)
{
    struct members m;

    for (members_init(&m, hosts); members_next(&m); ) {
        const char *text = get_string(m.value, "text");

        ds_put_format(
            ds, "host %s: flows +%lld ~%lld -%lld, groups +%lld ~%lld -%lld\n",
            m.name, get_int_or(m.value, "flows-added", 0),
            get_int_or(m.value, "flows-modified", 0),
            get_int_or(m.value, "flows-removed", 0),
            get_int_or(m.value, "groups-added", 0),
            get_int_or(m.value, "groups-modified", 0),
            get_int_or(m.value, "groups-removed", 0));
        put_indented(ds, text ? text : "", 2);
    }
}

static void
put_dry_run(struct ds *ds, const struct json *json)
{
    ds_put_cstr(ds, "Nothing has been changed. This is what would:\n");
    put_document_changes(ds, get_member(json, "changes"));
    put_difference(ds, json, "routes", "routes");
    put_difference(ds, json, "lsas", "AS-external LSAs");
    put_host_changes(ds, get_member(json, "hosts"));
}

/* Changes. */

static void
put_confirmations(struct ds *ds, const struct json *json, bool late)
{
    const struct json *applied = get_member(json, "applied");
    const struct json *missing = get_member(json, "unreachable");

    if (array_n(applied)) {
        ds_put_cstr(ds, "applied on ");
        put_strings(ds, applied, ", ");
        ds_put_char(ds, '\n');
    }
    if (array_n(missing)) {
        ds_put_format(ds, "%s ", late ? "not confirmed in time by"
                      : "still to come, when they can be reached:");
        put_strings(ds, missing, ", ");
        ds_put_char(ds, '\n');
    }
}

/* Sends a change and prints the answer; 'verb' is what has been done to the
 * object, "%lld" in it the revision. */
static int
change(const struct ctl *ctl, const char *method, struct ds *target,
       const struct ds *body, const char *done)
{
    struct json *json;
    char *text;
    int code;

    put_change_options(ctl, target);
    code = call(ctl, method, target, body, &json, &text);
    if (code == CTL_OK || code == CTL_UNCONFIRMED) {
        struct ds ds = DS_EMPTY_INITIALIZER;
        const char *customer = get_string(json, "customer");
        long long int revision;

        if (ctl->json) {
            print_json(json);
        } else if (ctl->options & CTL_DRY_RUN) {
            put_dry_run(&ds, json);
        } else {
            ds_put_format(&ds, "%s", customer ? customer : "fabric");
            if (get_int(json, "revision", &revision) && revision) {
                ds_put_format(&ds, ": revision %lld", revision);
            } else {
                ds_put_char(&ds, ':');
            }
            ds_put_format(&ds, " %s\n", done);
            put_confirmations(&ds, json, code == CTL_UNCONFIRMED);
        }
        print_text(&ds);
        if (code == CTL_UNCONFIRMED) {
            complain("the change is stored, but not all hosts have confirmed "
                     "it in time; see tollctl hosts");
        }
    }
    json_destroy(json);
    free(text);
    ds_destroy(target);
    return code;
}

/* Sends a document. */
static int
change_by_document(const struct ctl *ctl, const char *path)
{
    struct ds target, body;

    if (!read_document(ctl->args[0], &body)) {
        return CTL_FAILED;
    }
    target_init(&target, path, NULL);
    target_put(&target, "source", source_name(ctl));
    int code = change(ctl, "PUT", &target, &body, "is active");
    ds_destroy(&body);
    return code;
}

int
do_submit(const struct ctl *ctl)
{
    return change_by_document(ctl, "config");
}

int
do_fabric_submit(const struct ctl *ctl)
{
    return change_by_document(ctl, "fabric");
}

int
do_rollback(const struct ctl *ctl)
{
    unsigned long long int revision;
    struct ds target;

    if (!parse_number(ctl->args[1], "the revision", LLONG_MAX, &revision)) {
        return CTL_USAGE;
    }
    target_init(&target, "customers/%s/rollback", ctl->args[0]);
    target_put(&target, "revision", ctl->args[1]);
    return change(ctl, "POST", &target, NULL, "is active again");
}

int
do_delete(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "customers/%s/config", ctl->args[0]);
    return change(ctl, "DELETE", &target, NULL,
                  "nothing is active; tollctl rollback brings a revision "
                  "back");
}

/* Documents that are only looked at, or only say what is. */

static int
post_document(const struct ctl *ctl, const char *path, print_func *print)
{
    struct ds target, body;
    struct json *json;
    char *text;

    if (!read_document(ctl->args[0], &body)) {
        return CTL_FAILED;
    }
    target_init(&target, path, NULL);
    target_put(&target, "source", source_name(ctl));
    int code = call(ctl, "POST", &target, &body, &json, &text);
    if (code == CTL_OK && ctl->json) {
        print_json(json);
    } else if (code == CTL_OK) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        print(ctl, json, &ds);
        print_text(&ds);
    }
    json_destroy(json);
    free(text);
    ds_destroy(&target);
    ds_destroy(&body);
    return code;
}

static void
print_valid(const struct ctl *ctl, const struct json *json, struct ds *ds)
{
    const char *document = get_string(json, "document");

    ds_put_format(ds, "%s: valid %s document\n", source_name(ctl),
                  document ? document : "");
}

int
do_validate(const struct ctl *ctl)
{
    return post_document(ctl, "validate", print_valid);
}

static void
print_taken(const struct ctl *ctl OVS_UNUSED, const struct json *json,
            struct ds *ds)
{
    long long int n = get_int_or(json, "taken", 0);

    ds_put_format(ds, "metrics of %lld %s taken\n", n,
                  n == 1 ? "place" : "places");
}

int
do_metrics_submit(const struct ctl *ctl)
{
    return post_document(ctl, "metrics", print_taken);
}

/* History. */

static void
cell_revision(struct table *t, const struct json *o)
{
    const char *digest = get_string(o, "digest");
    struct ds ds = DS_EMPTY_INITIALIZER;
    long long int when;

    if (get_int(o, "when-ms", &when)) {
        put_time(&ds, when);
    }
    table_cell(t, ds.length ? ds_cstr(&ds) : NULL);
    cell_string(t, o, "who");
    /* As much of it as people compare. */
    if (digest) {
        table_cellf(t, "%.12s", digest);
    } else {
        table_cell(t, NULL);
    }
    ds_destroy(&ds);
}

static void
print_history(const struct ctl *ctl OVS_UNUSED, const struct json *json,
              struct ds *ds)
{
    struct table *t = table_create(">REVISION| |SUBMITTED|BY|SHA-256");

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);

        cell_int(t, o, "revision");
        table_cell(t, get_bool(o, "active") ? "active" : "");
        cell_revision(t, o);
    }
    table_finish(t, 0, "no revision yet", ds);
}

int
do_history(const struct ctl *ctl)
{
    struct ds target;

    target_init(&target, "customers/%s/history", ctl->args[0]);
    return call_and_print(ctl, &target, print_history);
}

/* Show. */

static void
print_customers(const struct ctl *ctl OVS_UNUSED, const struct json *json,
                struct ds *ds)
{
    struct table *t = table_create("CUSTOMER|>ACTIVE|>LAST|SUBMITTED|BY"
                                   "|SHA-256");

    for (size_t i = 0; i < array_n(json); i++) {
        const struct json *o = array_at(json, i);

        cell_string(t, o, "customer");
        table_number(t, get_int_or(o, "active", 0) != 0,
                     get_int_or(o, "active", 0));
        cell_int(t, o, "last");
        cell_revision(t, o);
    }
    table_finish(t, 0, "no customers yet", ds);
}

/* GETs 'target', which it frees. */
static int
get(const struct ctl *ctl, struct ds *target, struct json **json, char **text)
{
    int code = call(ctl, "GET", target, NULL, json, text);

    ds_destroy(target);
    return code;
}

/* The element of 'array' whose member 'name' is 'value' or, if that is NULL,
 * 'number'. */
static const struct json *
find_element(const struct json *array, const char *name, const char *value,
             long long int number)
{
    for (size_t i = 0; i < array_n(array); i++) {
        const struct json *o = array_at(array, i);
        const char *s = get_string(o, name);

        if (value ? s && !strcmp(s, value)
            : get_int_or(o, name, -1) == number) {
            return o;
        }
    }
    return NULL;
}

/* What is active: the customer's entry in the list, with its networks. */
static int
show_active_json(const struct ctl *ctl)
{
    const char *customer = ctl->args[0];
    struct json *list, *networks;
    struct ds target;
    char *text;

    target_init(&target, "customers", NULL);
    int code = get(ctl, &target, &list, &text);
    free(text);
    const struct json *found = find_element(list, "customer", customer, 0);
    if (code == CTL_OK && !found) {
        complain("there is no customer \"%s\"", customer);
        code = CTL_FAILED;
    }
    if (code == CTL_OK) {
        target_init(&target, "topology", NULL);
        target_put(&target, "customer", customer);
        code = get(ctl, &target, &networks, &text);
        free(text);
        if (code == CTL_OK) {
            struct json *all = json_deep_clone(found);

            json_object_put(all, "networks", networks);
            print_json(all);
            json_destroy(all);
        }
    }
    json_destroy(list);
    return code;
}

/* One revision: its entry in the history, with the document. */
static int
show_revision_json(const struct ctl *ctl, struct ds *target)
{
    struct json *history, *json;
    struct ds list;
    char *text, *document;

    int code = get(ctl, target, &json, &document);
    json_destroy(json);
    if (code == CTL_OK) {
        target_init(&list, "customers/%s/history", ctl->args[0]);
        code = get(ctl, &list, &history, &text);
        free(text);
        if (code == CTL_OK) {
            const struct json *found = find_element(
                history, "revision", NULL, atoll(ctl->args[1]));
            struct json *all = (found ? json_deep_clone(found)
                                : json_object_create());

            json_object_put_string(all, "customer", ctl->args[0]);
            json_object_put_string(all, "document", document ? document : "");
            print_json(all);
            json_destroy(all);
        }
        json_destroy(history);
    }
    free(document);
    return code;
}

int
do_show(const struct ctl *ctl)
{
    unsigned long long int revision;
    struct ds target;

    if (ctl->n_args > 1
        && !parse_number(ctl->args[1], "the revision", LLONG_MAX, &revision)) {
        return CTL_USAGE;
    }
    if (!ctl->n_args) {
        target_init(&target, "customers", NULL);
        return call_and_print(ctl, &target, print_customers);
    }
    if (ctl->json && ctl->n_args == 1) {
        return show_active_json(ctl);
    }
    target_init(&target, "customers/%s/config", ctl->args[0]);
    if (ctl->n_args > 1) {
        target_put(&target, "revision", ctl->args[1]);
        if (ctl->json) {
            return show_revision_json(ctl, &target);
        }
    }
    return call_and_print(ctl, &target, NULL);
}

int
do_fabric_show(const struct ctl *ctl)
{
    struct ds target;
    struct json *json;
    char *text;

    target_init(&target, "fabric", NULL);
    if (!ctl->json) {
        return call_and_print(ctl, &target, NULL);
    }
    int code = get(ctl, &target, &json, &text);
    json_destroy(json);
    if (code == CTL_OK) {
        json = json_object_create();
        json_object_put_string(json, "document", text ? text : "");
        print_json(json);
        json_destroy(json);
    }
    free(text);
    return code;
}
