/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/daemon/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "socket-util.h"
#include "util.h"

#define MAX_CONNECTIONS 256
#define IDLE_SECONDS 30

/* Connections that may wait to be accepted: a burst must find room, since a
 * client that does not block is turned away. */
#define BACKLOG 1024

struct http {
    struct MHD_Daemon *mhd;
    int epoll_fd;
    char *path;
    void (*handler)(struct http_request *, void *aux);
    void *aux;
    bool resumed;               /* An answer is waiting for MHD_run(). */
};

/* One request on its way in, with the handler, and on its way out. */
struct exchange {
    struct http_request request; /* First, so that it can be cast. */
    struct http *http;
    struct MHD_Connection *connection; /* NULL: the client has gone. */
    struct ds body;
    bool too_large;
    bool handed;                /* The handler has it... */
    bool suspended;             /* ...and hasn't answered at once. */
    bool answered;
    unsigned int status;
    struct MHD_Response *response;
};

static void
exchange_destroy(struct exchange *x)
{
    if (x->response) {
        MHD_destroy_response(x->response);
    }
    smap_destroy(&x->request.query);
    ds_destroy(&x->body);
    free(x->request.method);
    free(x->request.path);
    free(x);
}

static enum MHD_Result
add_argument(void *x_, enum MHD_ValueKind kind OVS_UNUSED, const char *key,
             const char *value)
{
    struct exchange *x = x_;

    smap_replace(&x->request.query, key, value ? value : "");
    return MHD_YES;
}

static uid_t
peer_uid(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred cred;
    socklen_t len = sizeof cred;

    return (info && !getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED,
                                &cred, &len)
            ? cred.uid : (uid_t) -1);
}

static struct exchange *
exchange_create(struct http *http, struct MHD_Connection *connection,
                const char *url, const char *method)
{
    struct exchange *x = xzalloc(sizeof *x);

    x->http = http;
    x->connection = connection;
    x->request.method = xstrdup(method);
    x->request.path = xstrdup(url);
    x->request.uid = peer_uid(connection);
    smap_init(&x->request.query);
    ds_init(&x->body);
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, add_argument,
                              x);
    return x;
}

static enum MHD_Result
on_request(void *http_, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version OVS_UNUSED,
           const char *data, size_t *data_len, void **con_cls)
{
    struct http *http = http_;
    struct exchange *x = *con_cls;

    if (!x) {
        *con_cls = exchange_create(http, connection, url, method);
        return MHD_YES;
    }
    if (*data_len) {
        if (x->body.length + *data_len > HTTP_MAX_BODY) {
            x->too_large = true;
        } else {
            ds_put_buffer(&x->body, data, *data_len);
        }
        *data_len = 0;
        return MHD_YES;
    }
    if (!x->handed) {
        x->handed = true;
        x->request.body = ds_cstr(&x->body);
        x->request.body_len = x->body.length;
        if (x->too_large) {
            http_reply_error(&x->request, 413, "the document is larger than "
                             "16 MiB; split it");
        } else {
            http->handler(&x->request, http->aux);
        }
        if (!x->answered) {
            x->suspended = true;
            MHD_suspend_connection(connection);
            return MHD_YES;
        }
    }
    return (x->answered
            ? MHD_queue_response(connection, x->status, x->response)
            : MHD_YES);
}

static void
on_completed(void *aux OVS_UNUSED, struct MHD_Connection *c OVS_UNUSED,
             void **con_cls, enum MHD_RequestTerminationCode code OVS_UNUSED)
{
    struct exchange *x = *con_cls;

    *con_cls = NULL;
    if (!x) {
        return;
    }
    if (x->handed && !x->answered) {
        x->connection = NULL;   /* The handler will come to http_reply(). */
    } else {
        exchange_destroy(x);
    }
}

static int
listen_on(const char *path, char **error)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof un.sun_path) {
        *error = xasprintf("%s: name is too long for a socket", path);
        return -1;
    }
    strcpy(un.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && !connect(fd, (struct sockaddr *) &un, sizeof un)) {
        *error = xasprintf("%s: another tollwayd listens there", path);
        close(fd);
        return -1;
    }
    if (fd >= 0) {
        close(fd);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    }
    unlink(path);
    if (fd < 0 || bind(fd, (struct sockaddr *) &un, sizeof un)
        || chmod(path, 0660) || listen(fd, BACKLOG)) {
        *error = xasprintf("%s: %s", path, ovs_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

struct http *
http_create(const char *path,
            void (*handler)(struct http_request *, void *aux), void *aux,
            char **error)
{
    int fd = listen_on(path, error);
    if (fd < 0) {
        return NULL;
    }

    struct http *http = xzalloc(sizeof *http);
    http->path = xstrdup(path);
    http->handler = handler;
    http->aux = aux;
    http->mhd = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        on_request, http,
        MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int) MAX_CONNECTIONS,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int) IDLE_SECONDS,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_END);
    const union MHD_DaemonInfo *info = http->mhd ? MHD_get_daemon_info(
        http->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info) {
        *error = xasprintf("%s: libmicrohttpd can't use it", path);
        close(fd);
        http_destroy(http);
        return NULL;
    }
    http->epoll_fd = info->epoll_fd;
    return http;
}

void
http_destroy(struct http *http)
{
    if (http) {
        if (http->mhd) {
            MHD_stop_daemon(http->mhd);
        }
        unlink(http->path);
        free(http->path);
        free(http);
    }
}

void
http_run(struct http *http)
{
    http->resumed = false;
    MHD_run(http->mhd);
}

void
http_wait(struct http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout;

    poll_fd_wait(http->epoll_fd, POLLIN);
    if (http->resumed) {
        poll_immediate_wake();
    } else if (MHD_get_timeout(http->mhd, &timeout) == MHD_YES) {
        poll_timer_wait(timeout);
    }
}

void
http_reply_text(struct http_request *request, unsigned int status,
                const char *type, const char *text, size_t len)
{
    struct exchange *x = CONTAINER_OF(request, struct exchange, request);

    ovs_assert(!x->answered);
    x->answered = true;
    if (x->suspended && !x->connection) {
        exchange_destroy(x);
        return;
    }
    x->status = status;
    x->response = MHD_create_response_from_buffer(
        len, CONST_CAST(char *, text), MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(x->response, "Content-Type", type);
    if (x->suspended) {
        MHD_resume_connection(x->connection);
        x->http->resumed = true;
    }
}

void
http_reply(struct http_request *request, unsigned int status,
           struct json *json)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    json_to_ds(json, JSSF_SORT, &ds);
    ds_put_char(&ds, '\n');
    json_destroy(json);
    http_reply_text(request, status, "application/json", ds_cstr(&ds),
                    ds.length);
    ds_destroy(&ds);
}

void
http_reply_error(struct http_request *request, unsigned int status,
                 const char *format, ...)
{
    struct json *json = json_object_create();
    va_list args;

    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    json_object_put_string(json, "error", text);
    free(text);
    http_reply(request, status, json);
}
