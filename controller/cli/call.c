/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/cli/tollctl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "controller/base/diag.h"
#include "controller/cli/answer.h"
#include "controller/cli/client.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

void
complain(const char *format, ...)
{
    va_list args;

    fflush(stdout);
    va_start(args, format);
    fputs("tollctl: ", stderr);
    vfprintf(stderr, format, args);
    putc('\n', stderr);
    va_end(args);
}

/* Targets. */

/* Appends 's' as a part of a URL (RFC 3986 section 2.3). */
static void
put_encoded(struct ds *ds, const char *s)
{
    for (; *s; s++) {
        unsigned char c = *s;

        if (isalnum(c) || strchr("-._~", c)) {
            ds_put_char(ds, c);
        } else {
            ds_put_format(ds, "%%%02X", c);
        }
    }
}

void
target_init(struct ds *target, const char *path, const char *arg)
{
    const char *hole = strstr(path, "%s");

    ds_init(target);
    ds_put_cstr(target, "/v1/");
    if (hole) {
        ds_put_buffer(target, path, hole - path);
        put_encoded(target, arg);
        ds_put_cstr(target, hole + 2);
    } else {
        ds_put_cstr(target, path);
    }
}

void
target_put(struct ds *target, const char *name, const char *value)
{
    if (value) {
        ds_put_char(target, strchr(ds_cstr(target), '?') ? '&' : '?');
        ds_put_format(target, "%s=", name);
        put_encoded(target, value);
    }
}

/* Errors. */

static enum diag_severity
parse_severity(const char *s)
{
    return (s && !strcmp(s, "note") ? DIAG_NOTE
            : s && !strcmp(s, "warning") ? DIAG_WARNING
            : DIAG_ERROR);
}

/* Prints what an answer has to say about a document, to standard error. */
static void
print_diagnostics(const struct json *json)
{
    const struct json *list = get_member(json, "diagnostics");
    long long int dropped = get_int_or(json, "dropped", 0);
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < array_n(list); i++) {
        const struct json *o = array_at(list, i);
        const char *cause = get_string(o, "cause");
        struct diag d = {
            .severity = parse_severity(get_string(o, "severity")),
            .source = CONST_CAST(char *, get_string(o, "source")),
            .line = get_int_or(o, "line", 0),
            .path = CONST_CAST(char *, get_string(o, "path")),
            .cause = CONST_CAST(char *, cause ? cause : "?"),
            .remedy = CONST_CAST(char *, get_string(o, "remedy")),
        };

        diag_format(&d, &ds);
    }
    if (dropped > 0) {
        ds_put_format(&ds, "(%lld more not shown)\n", dropped);
    }
    fflush(stdout);
    fputs(ds_cstr(&ds), stderr);
    ds_destroy(&ds);
}

static int
exit_code(int status)
{
    return (status >= 200 && status < 300 ? CTL_OK
            : status == 409 ? CTL_CONFLICT
            : status == 504 ? CTL_UNCONFIRMED
            : CTL_FAILED);
}

static void
print_error(const struct ctl *ctl, int status, const struct json *json)
{
    const char *error = get_string(json, "error");

    if (error) {
        complain("%s", error);
    } else {
        complain("tollwayd answered with status %d", status);
    }
    if (ctl->json && json) {
        print_json(json);
    }
}

/* Calls. */

int
call(const struct ctl *ctl, const char *method, const struct ds *target_,
     const struct ds *body, struct json **json, char **text)
{
    struct ds target;
    struct client_answer answer;

    *json = NULL;
    *text = NULL;
    ds_clone(&target, CONST_CAST(struct ds *, target_));
    target_put(&target, "as", ctl->as);
    struct client_request request = {
        .method = method,
        .target = ds_cstr(&target),
        .body = body ? ds_cstr_ro(body) : NULL,
        .body_len = body ? body->length : 0,
    };
    char *error = client_exchange(ctl->socket, ctl->timeout_s, &request,
                                  &answer);
    ds_destroy(&target);
    if (error) {
        complain("%s", error);
        free(error);
        return CTL_UNREACHABLE;
    }

    int code = exit_code(answer.status);
    if (answer.body[0] == '{' || answer.body[0] == '[') {
        *json = json_from_string(answer.body);
        if ((*json)->type == JSON_STRING) {
            complain("tollwayd's answer can't be read: %s",
                     json_string(*json));
            json_destroy(*json);
            *json = NULL;
            code = CTL_UNREACHABLE;
        }
    } else {
        *text = xstrdup(answer.body);
    }
    print_diagnostics(*json);
    /* Where hosts are waited for in vain there is an answer all the same. */
    if (code == CTL_UNCONFIRMED && !get_member(*json, "revision")) {
        code = CTL_FAILED;
    }
    if (code != CTL_OK && code != CTL_UNCONFIRMED && code != CTL_UNREACHABLE) {
        print_error(ctl, answer.status, *json);
    }
    client_answer_uninit(&answer);
    return code;
}

void
print_json(const struct json *json)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    json_to_ds(json, JSSF_PRETTY | JSSF_SORT, &ds);
    ds_put_char(&ds, '\n');
    print_text(&ds);
}

void
print_text(struct ds *ds)
{
    fwrite(ds_cstr(ds), 1, ds->length, stdout);
    ds_destroy(ds);
}

int
call_and_print(const struct ctl *ctl, struct ds *target, print_func *print)
{
    struct json *json;
    char *text;
    int code = call(ctl, "GET", target, NULL, &json, &text);

    if (code == CTL_OK) {
        if (json && (ctl->json || !print)) {
            print_json(json);
        } else if (json) {
            struct ds ds = DS_EMPTY_INITIALIZER;

            print(ctl, json, &ds);
            print_text(&ds);
        } else {
            fputs(text, stdout);
        }
    }
    json_destroy(json);
    free(text);
    ds_destroy(target);
    return code;
}
