/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/cli/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

static char *
open_socket(const char *path, unsigned int timeout_s, int *fdp)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct timeval tv = { .tv_sec = timeout_s };
    int fd;

    if (strlen(path) >= sizeof un.sun_path) {
        return xasprintf("%s: name is too long for a socket", path);
    }
    strcpy(un.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return xasprintf("can't make a socket: %s", strerror(errno));
    }
    if (connect(fd, (struct sockaddr *) &un, sizeof un)) {
        char *error = xasprintf("tollwayd can't be reached at %s: %s%s", path,
                                strerror(errno),
                                errno == EACCES ? "; you have to be root or in "
                                "the socket's group"
                                : "; is it running?");
        close(fd);
        return error;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv);
    *fdp = fd;
    return NULL;
}

/* Sends all of it.  A server that has seen enough of a request answers and
 * closes, so an error here is not the end: the answer may be there already. */
static void
send_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, data, n, MSG_NOSIGNAL);

        if (sent > 0) {
            data += sent;
            n -= sent;
        } else if (!sent || errno != EINTR) {
            return;
        }
    }
}

static void
send_request(int fd, const struct client_request *request)
{
    struct ds head = DS_EMPTY_INITIALIZER;

    ds_put_format(&head, "%s %s HTTP/1.1\r\n"
                  "Host: tollway\r\n"
                  "Connection: close\r\n", request->method, request->target);
    if (request->body) {
        ds_put_format(&head, "Content-Type: application/xml\r\n"
                      "Content-Length: %"PRIuSIZE"\r\n", request->body_len);
    }
    ds_put_cstr(&head, "\r\n");
    send_all(fd, ds_cstr(&head), head.length);
    if (request->body) {
        send_all(fd, request->body, request->body_len);
    }
    ds_destroy(&head);
}

/* What has arrived of an answer. */
struct arrival {
    struct ds data;
    size_t head_len;            /* 0: the header is not complete yet. */
    int status;
    bool has_length;
    size_t body_len;            /* If 'has_length'. */
};

/* Returns the value of header 'name' (with its colon) in a line, or NULL. */
static const char *
header_value(const char *line, const char *name)
{
    size_t n = strlen(name);

    return strncasecmp(line, name, n) ? NULL : line + n + strspn(line + n,
                                                                 " \t");
}

/* Looks for the header's end and, if it is there, takes out what counts. */
static bool
parse_head(struct arrival *a)
{
    const char *start = ds_cstr(&a->data);
    const char *end = strstr(start, "\r\n\r\n");

    if (!end) {
        return a->data.length < 65536;
    }
    a->head_len = end + 4 - start;
    if (strncmp(start, "HTTP/1.", 7) || strlen(start) < 12) {
        return false;
    }
    a->status = atoi(start + 8);
    for (const char *line = strstr(start, "\r\n"); line && line < end;
         line = strstr(line, "\r\n")) {
        line += 2;
        const char *value = header_value(line, "Content-Length:");
        if (value) {
            unsigned long long int n = strtoull(value, NULL, 10);

            if (n > CLIENT_MAX_ANSWER) {
                return false;
            }
            a->has_length = true;
            a->body_len = n;
        } else if (header_value(line, "Transfer-Encoding:")) {
            return false;
        }
    }
    return a->status >= 100 && a->status <= 599;
}

/* An interim answer (100 Continue) is followed by the real one. */
static void
skip_interim(struct arrival *a)
{
    struct ds rest = DS_EMPTY_INITIALIZER;

    ds_put_buffer(&rest, a->data.string + a->head_len,
                  a->data.length - a->head_len);
    ds_destroy(&a->data);
    memset(a, 0, sizeof *a);
    a->data = rest;
}

static bool
is_complete(const struct arrival *a)
{
    return (a->head_len && a->has_length
            && a->data.length - a->head_len >= a->body_len);
}

static char *
receive_answer(int fd, struct arrival *a)
{
    char buf[65536];

    while (!is_complete(a)) {
        ssize_t n = recv(fd, buf, sizeof buf, 0);

        if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0) {
            return (errno == EAGAIN
                    ? xstrdup("tollwayd doesn't answer; see its log, or wait "
                              "longer with --timeout")
                    : xasprintf("the connection to tollwayd broke: %s",
                                strerror(errno)));
        } else if (!n) {
            return (a->head_len && !a->has_length ? NULL
                    : xstrdup("tollwayd closed the connection without an "
                              "answer; see its log"));
        }
        ds_put_buffer(&a->data, buf, n);
        if (!a->head_len && !parse_head(a)) {
            return xstrdup("what answers there is not tollwayd");
        }
        if (a->head_len && a->status < 200) {
            skip_interim(a);
            if (!parse_head(a)) {
                return xstrdup("what answers there is not tollwayd");
            }
        }
        if (a->data.length > CLIENT_MAX_ANSWER) {
            return xstrdup("tollwayd's answer is too large");
        }
    }
    return NULL;
}

char *
client_exchange(const char *path, unsigned int timeout_s,
                const struct client_request *request,
                struct client_answer *answer)
{
    struct arrival a;
    int fd = -1;

    char *error = open_socket(path, timeout_s, &fd);
    if (error) {
        return error;
    }
    memset(&a, 0, sizeof a);
    send_request(fd, request);
    error = receive_answer(fd, &a);
    close(fd);
    if (!error) {
        answer->status = a.status;
        answer->body_len = (a.has_length ? a.body_len
                            : a.data.length - a.head_len);
        answer->body = xmemdup0(a.data.string + a.head_len, answer->body_len);
    }
    ds_destroy(&a.data);
    return error;
}

void
client_answer_uninit(struct client_answer *answer)
{
    free(answer->body);
    answer->body = NULL;
}
