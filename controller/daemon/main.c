/* SPDX-License-Identifier: Apache-2.0 */
/* tollwayd: options, start, and the loop. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "command-line.h"
#include "controller/daemon/tollwayd.h"
#include "daemon.h"
#include "dirs.h"
#include "fatal-signal.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "stream.h"
#include "stream-ssl.h"
#include "unixctl.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(main);

struct options {
    char *db;
    char *socket;
    char *schemas;
    char *unixctl;
};

static void
usage(void)
{
    printf("tollwayd: virtual routers with costs, on Open vSwitch\n"
           "usage: tollwayd [OPTIONS]\n"
           "  --db=REMOTE[,REMOTE...]  the configuration store (default: "
           "unix:%s/db.sock)\n"
           "  --socket=PATH            where tollctl connects (default: "
           "%s/api.sock)\n"
           "  --schemas=DIR            XML schemas (default: %s)\n"
           "  --unixctl=SOCKET         for ovs-appctl\n"
           "  -h, --help               this text\n"
           "  -V, --version            version\n",
           TW_RUNDIR, TW_RUNDIR, TW_PKGDATADIR);
    stream_usage("REMOTE", true, false, false);
    daemon_usage();
    vlog_usage();
    exit(EXIT_SUCCESS);
}

static void
parse_options(int argc, char *argv[], struct options *o)
{
    enum {
        OPT_DB = UCHAR_MAX + 1, OPT_SOCKET, OPT_SCHEMAS, OPT_UNIXCTL,
        VLOG_OPTION_ENUMS, DAEMON_OPTION_ENUMS, SSL_OPTION_ENUMS,
        OPT_PEER_CA_CERT,
    };
    static const struct option long_options[] = {
        {"db", required_argument, NULL, OPT_DB},
        {"socket", required_argument, NULL, OPT_SOCKET},
        {"schemas", required_argument, NULL, OPT_SCHEMAS},
        {"unixctl", required_argument, NULL, OPT_UNIXCTL},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        VLOG_LONG_OPTIONS,
        DAEMON_LONG_OPTIONS,
        STREAM_SSL_LONG_OPTIONS,
        {NULL, 0, NULL, 0},
    };
    char *short_options = ovs_cmdl_long_options_to_short_options(long_options);

    for (;;) {
        int c = getopt_long(argc, argv, short_options, long_options, NULL);

        if (c == -1) {
            break;
        }
        switch (c) {
        case OPT_DB:
            free(o->db);
            o->db = xstrdup(optarg);
            break;
        case OPT_SOCKET:
            free(o->socket);
            o->socket = xstrdup(optarg);
            break;
        case OPT_SCHEMAS:
            free(o->schemas);
            o->schemas = xstrdup(optarg);
            break;
        case OPT_UNIXCTL:
            free(o->unixctl);
            o->unixctl = xstrdup(optarg);
            break;
        case 'h':
            usage();
            break;
        case 'V':
            printf("tollwayd %s\n", PACKAGE_VERSION);
            exit(EXIT_SUCCESS);
        VLOG_OPTION_HANDLERS
        DAEMON_OPTION_HANDLERS
        STREAM_SSL_OPTION_HANDLERS
        case '?':
            exit(EXIT_FAILURE);
        default:
            abort();
        }
    }
    free(short_options);
    if (optind < argc) {
        ovs_fatal(0, "%s: tollwayd takes only options; see --help",
                  argv[optind]);
    }
}

static void
set_defaults(struct options *o)
{
    const char *schemas = getenv("TOLLWAY_SCHEMAS");

    if (!o->db) {
        o->db = xasprintf("unix:%s/db.sock", TW_RUNDIR);
    }
    if (!o->socket) {
        o->socket = xasprintf("%s/api.sock", TW_RUNDIR);
    }
    if (!o->schemas) {
        o->schemas = xstrdup(schemas ? schemas : TW_PKGDATADIR);
    }
}

static void
on_exit_command(struct unixctl_conn *conn, int argc OVS_UNUSED,
                const char *argv[] OVS_UNUSED, void *d_)
{
    struct daemon *d = d_;

    d->exiting = true;
    unixctl_command_reply(conn, NULL);
}

/* Makes 'dir', and what leads to it, as far as that is possible. */
static void
make_directory(const char *dir)
{
    char *path = xstrdup(dir);

    for (char *p = path + 1; ; p++) {
        if (*p == '/' || !*p) {
            char c = *p;

            *p = '\0';
            if (mkdir(path, 0755) && errno != EEXIST) {
                VLOG_WARN("%s: %s", path, ovs_strerror(errno));
                break;
            }
            *p = c;
            if (!c) {
                break;
            }
        }
    }
    free(path);
}

/* Makes a directory of Tollway's own the default for what OVS's libraries put
 * into theirs: PID file, log file, control socket. */
static void
own_directory(const char *variable, const char *dir)
{
    if (!getenv(variable)) {
        setenv(variable, dir, 1);
        make_directory(dir);
    }
}

int
main(int argc, char *argv[])
{
    struct options o = { NULL, NULL, NULL, NULL };
    struct unixctl_server *unixctl;
    char *error = NULL;

    ovs_cmdl_proctitle_init(argc, argv);
    ovs_set_program_name("tollwayd", PACKAGE_VERSION);
    own_directory("OVS_RUNDIR", TW_RUNDIR);
    own_directory("OVS_LOGDIR", TW_LOGDIR);
    parse_options(argc, argv, &o);
    set_defaults(&o);
    fatal_ignore_sigpipe();
    daemon_become_new_user(false);
    daemonize_start(false);

    struct daemon *d = daemon_create(o.db, o.socket, o.schemas, &error);
    if (!d) {
        ovs_fatal(0, "%s", error);
    }
    int retval = unixctl_server_create(o.unixctl, &unixctl);
    if (retval) {
        ovs_fatal(retval, "can't make the socket for ovs-appctl");
    }
    unixctl_command_register("exit", "", 0, 0, on_exit_command, d);
    daemonize_complete();
    VLOG_INFO("tollwayd %s: store %s, API %s", PACKAGE_VERSION, o.db,
              o.socket);

    while (!d->exiting) {
        daemon_run(d);
        unixctl_server_run(unixctl);
        daemon_wait(d);
        unixctl_server_wait(unixctl);
        poll_block();
    }

    daemon_destroy(d);
    unixctl_server_destroy(unixctl);
    free(o.db);
    free(o.socket);
    free(o.schemas);
    free(o.unixctl);
    return 0;
}
