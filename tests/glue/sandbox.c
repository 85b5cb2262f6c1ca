/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/glue/sandbox.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "util.h"

void
sandbox_init(struct sandbox *sb)
{
    char dir[] = "/tmp/tollway-glue.XXXXXX";
    if (!mkdtemp(dir)) {
        perror("mkdtemp");
        exit(EXIT_FAILURE);
    }
    sb->dir = xstrdup(dir);
    sb->db = sb->vswitchd = 0;
    setenv("D", dir, true);
    setenv("OVS_RUNDIR", dir, true);
    if (!getenv("TOLLWAY_VERBOSE")) {
        vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    }
    signal(SIGPIPE, SIG_IGN);
}

void
sandbox_kill(pid_t *pid)
{
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) {
            continue;
        }
        *pid = 0;
    }
}

void
sandbox_uninit(struct sandbox *sb)
{
    sandbox_kill(&sb->vswitchd);
    sandbox_kill(&sb->db);
    sandbox_sh(sb, "rm -rf \"$D\"");
    free(sb->dir);
}

char *
sandbox_path(const struct sandbox *sb, const char *method, const char *file)
{
    return xasprintf("%s:%s/%s", method, sb->dir, file);
}

pid_t
sandbox_spawn(const struct sandbox *sb, const char *log, char *const argv[])
{
    pid_t pid = fork();
    if (pid) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    char *name = xasprintf("%s/%s", sb->dir, log);
    int fd = open(name, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (fd < 0 || chdir(sb->dir)) {
        _exit(126);
    }
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    for (int i = 3; i < 256; i++) {
        close(i);
    }
    execvp(argv[0], argv);
    _exit(127);
}

void
sandbox_wait_for_file(const struct sandbox *sb, const char *file)
{
    char *name = xasprintf("%s/%s", sb->dir, file);
    struct stat s;
    for (int i = 0; i < 1000 && stat(name, &s); i++) {
        usleep(10 * 1000);
    }
    free(name);
}

void
sandbox_start_db(struct sandbox *sb, const char *name, const char *schema)
{
    if (!sandbox_sh(sb, "rm -f \"$D\"/db.sock; test -e \"$D\"/%s.db || "
                    "ovsdb-tool create \"$D\"/%s.db '%s'",
                    name, name, schema)) {
        fprintf(stderr, "can't make a database from %s\n", schema);
        exit(EXIT_FAILURE);
    }
    char *db = xasprintf("%s/%s.db", sb->dir, name);
    char *remote = xasprintf("--remote=punix:%s/db.sock", sb->dir);
    char *ctl = xasprintf("--unixctl=%s/db.ctl", sb->dir);
    char *argv[] = { "ovsdb-server", db, remote, ctl, NULL };
    sb->db = sandbox_spawn(sb, "db.log", argv);
    free(db);
    free(remote);
    free(ctl);
    sandbox_wait_for_file(sb, "db.sock");
}

void
sandbox_start_vswitchd(struct sandbox *sb)
{
    char *db = sandbox_path(sb, "unix", "db.sock");
    char *ctl = xasprintf("--unixctl=%s/vswitchd.ctl", sb->dir);
    char *argv[] = { "ovs-vswitchd", db, ctl, "--enable-dummy=override",
                     "--disable-system", NULL };
    sandbox_sh(sb, "rm -f \"$D\"/*.mgmt");
    sb->vswitchd = sandbox_spawn(sb, "vswitchd.log", argv);
    free(db);
    free(ctl);
}

bool
sandbox_sh(const struct sandbox *sb OVS_UNUSED, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);
    int status = system(command);
    free(command);
    return status == 0;
}

char *
sandbox_capture(const struct sandbox *sb OVS_UNUSED, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *command = xvasprintf(format, args);
    va_end(args);
    struct ds ds = DS_EMPTY_INITIALIZER;
    FILE *f = popen(command, "r");
    if (f) {
        char buf[4096];
        size_t n;
        while ((n = fread(buf, 1, sizeof buf, f)) > 0) {
            ds_put_buffer(&ds, buf, n);
        }
        pclose(f);
    }
    free(command);
    return ds_steal_cstr(&ds);
}
