/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_GLUE_SANDBOX_H
#define TESTS_GLUE_SANDBOX_H 1

/* Real ovsdb-server and ovs-vswitchd for the tests of ovs-glue/, in a directory
 * of their own, with dummy datapaths (no privileges, no system's switch).  They
 * die with the test program. */

#include <stdbool.h>
#include <sys/types.h>

struct sandbox {
    char *dir;                  /* Absolute; everything is in it. */
    pid_t db, vswitchd;         /* 0: not running. */
};

void sandbox_init(struct sandbox *);
void sandbox_uninit(struct sandbox *);

/* Starts ovsdb-server at DIR/db.sock with DIR/NAME.db, made from 'schema' if
 * missing. */
void sandbox_start_db(struct sandbox *, const char *name, const char *schema);
/* Starts ovs-vswitchd on that, which must be Open_vSwitch's. */
void sandbox_start_vswitchd(struct sandbox *);

/* Starts any other program, which writes its output to DIR/LOG. */
pid_t sandbox_spawn(const struct sandbox *, const char *log,
                    char *const argv[]);
void sandbox_wait_for_file(const struct sandbox *, const char *file);

/* SIGKILL, and waits for the end. */
void sandbox_kill(pid_t *);

/* "METHOD:DIR/FILE"; the caller frees it. */
char *sandbox_path(const struct sandbox *, const char *method,
                   const char *file);

/* Runs a shell command with $D as the directory; true if it succeeds.
 * sandbox_capture() returns its output, which the caller frees. */
bool sandbox_sh(const struct sandbox *, const char *command, ...)
    __attribute__((format(printf, 2, 3)));
char *sandbox_capture(const struct sandbox *, const char *command, ...)
    __attribute__((format(printf, 2, 3)));

#endif /* tests/glue/sandbox.h */
