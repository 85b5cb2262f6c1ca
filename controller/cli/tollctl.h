/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CLI_TOLLCTL_H
#define CONTROLLER_CLI_TOLLCTL_H 1

/* tollctl: tollwayd's API as commands.
 *
 *     tollctl.c    options and verbs of the command line
 *     call.c       a request made of them, errors and exit codes of the answer
 *     client.c     HTTP on a unix socket
 *     answer.c     members of JSON answers
 *     table.c      aligned tables
 *     documents.c  verbs that submit, change or show documents
 *     show-*.c     verbs that show what is
 *
 * tollctl knows nothing that tollwayd doesn't tell it.  With --json it prints
 * what tollwayd says; without, each verb has a function that writes the same
 * for people.  Such functions take whatever comes: a member that is absent is
 * not shown, so tollctl goes on working with a newer or older tollwayd. */

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/compiler.h"

struct ds;
struct json;
struct verb;

/* Exit codes; tollctl(8) documents them. */
enum {
    CTL_OK = 0,
    CTL_FAILED = 1,             /* Refused, or failed. */
    CTL_USAGE = 2,
    CTL_UNREACHABLE = 3,        /* No answer from tollwayd. */
    CTL_CONFLICT = 4,           /* Something else came first. */
    CTL_UNCONFIRMED = 5,        /* Stored, but hosts didn't confirm in time. */
};

/* Options that only some verbs take. */
enum {
    CTL_WAIT = 1 << 0,
    CTL_DRY_RUN = 1 << 1,
    CTL_IF_REVISION = 1 << 2,
    CTL_CONTENTS = 1 << 3,
    CTL_ALL = 1 << 4,
    CTL_CHANGE = CTL_WAIT | CTL_DRY_RUN | CTL_IF_REVISION,
};

struct ctl {
    const char *socket;
    unsigned int timeout_s;     /* 0: none. */
    bool json;
    unsigned int options;       /* CTL_*: those that were given. */
    const char *if_revision;
    const char *as;             /* Look with this customer's eyes, or NULL. */
    const struct verb *verb;
    char **args;                /* After the verb. */
    size_t n_args;
};

struct verb {
    const char *name;           /* One word or two. */
    const char *args;           /* For the usage message. */
    size_t min_args, max_args;
    unsigned int options;       /* CTL_* that it takes. */
    const char *help;
    int (*run)(const struct ctl *); /* Returns an exit code. */
};

/* tollctl.c */

/* Reads a number of at most 'max'; complains about 'name' if 's' isn't one. */
bool parse_number(const char *s, const char *name, unsigned long long int max,
                  unsigned long long int *value);

/* call.c */

/* Writes an answer for people. */
typedef void print_func(const struct ctl *, const struct json *, struct ds *);

/* The beginning of a target: "/v1/A/B" of "A/B", which may hold "%s" for
 * one argument that becomes encoded. */
void target_init(struct ds *target, const char *path, const char *arg);
void target_put(struct ds *target, const char *name, const char *value);

/* Sends the request, and prints errors to standard error.  The answer is in
 * '*json' or, if it isn't JSON, in '*text'; the caller frees both.  Returns an
 * exit code; with CTL_OK and CTL_UNCONFIRMED there is an answer. */
int call(const struct ctl *, const char *method, const struct ds *target,
         const struct ds *body, struct json **json, char **text);

/* GETs 'target', which it frees, and prints the answer: with --json as it is,
 * otherwise by 'print', or, if it isn't JSON, as it is. */
int call_and_print(const struct ctl *, struct ds *target, print_func *);

void print_json(const struct json *);
/* Writes 'ds' to standard output and frees it. */
void print_text(struct ds *);
/* "tollctl: ..." to standard error. */
void complain(const char *format, ...) OVS_PRINTF_FORMAT(1, 2);

/* documents.c */
int do_validate(const struct ctl *);
int do_submit(const struct ctl *);
int do_rollback(const struct ctl *);
int do_delete(const struct ctl *);
int do_history(const struct ctl *);
int do_show(const struct ctl *);
int do_fabric_submit(const struct ctl *);
int do_fabric_show(const struct ctl *);
int do_metrics_submit(const struct ctl *);

/* show-net.c */
int do_nodes(const struct ctl *);
int do_routes(const struct ctl *);
int do_explain(const struct ctl *);

/* show-ospf.c */
int do_neighbors(const struct ctl *);
int do_lsdb(const struct ctl *);

/* show-hosts.c */
int do_hosts(const struct ctl *);
int do_flows(const struct ctl *);
int do_cookie(const struct ctl *);
int do_status(const struct ctl *);
int do_metrics_show(const struct ctl *);

/* show-counters.c */
int do_counters(const struct ctl *);

#endif /* controller/cli/tollctl.h */
