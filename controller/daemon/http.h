/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_DAEMON_HTTP_H
#define CONTROLLER_DAEMON_HTTP_H 1

/* HTTP on a unix socket, inside the poll loop.
 *
 * libmicrohttpd parses; this module collects a request's body (bounded), and
 * hands the whole request to one handler.  The handler answers with
 * http_reply(), at once or at any later time; until then the request is the
 * handler's to keep, even if the client has gone meanwhile (the answer is then
 * thrown away).
 *
 * Numbers of connections and the time that a client may take to send its
 * request are bounded; a client that is waited for by nobody holds up nobody. */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "smap.h"

struct http;
struct json;

/* A document of 16 MiB may be sent, not more. */
#define HTTP_MAX_BODY (16 * 1024 * 1024)

struct http_request {
    char *method;               /* "GET", "PUT", ... */
    char *path;                 /* Decoded, without query. */
    struct smap query;          /* Arguments after "?". */
    char *body;                 /* Null-terminated, may hold null bytes. */
    size_t body_len;
    uid_t uid;                  /* Who asks (SO_PEERCRED). */
};

/* Makes the socket 'path' (mode 0660), replacing a stale one.  Returns NULL
 * and an error message to be freed. */
struct http *http_create(const char *path,
                         void (*handler)(struct http_request *, void *aux),
                         void *aux, char **error);
void http_destroy(struct http *);

void http_run(struct http *);
void http_wait(struct http *);

/* Answers with 'status' and 'json', which is taken over.  'request' is gone
 * afterwards. */
void http_reply(struct http_request *, unsigned int status, struct json *);
/* The same with text of a type, copied. */
void http_reply_text(struct http_request *, unsigned int status,
                     const char *type, const char *text, size_t len);
/* {"error": ...}, printf-style. */
void http_reply_error(struct http_request *, unsigned int status,
                      const char *format, ...) OVS_PRINTF_FORMAT(3, 4);

#endif /* controller/daemon/http.h */
