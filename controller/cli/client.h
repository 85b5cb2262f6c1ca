/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CLI_CLIENT_H
#define CONTROLLER_CLI_CLIENT_H 1

/* HTTP/1.1 over tollwayd's unix socket: one request, one answer, one
 * connection.
 *
 * Only what tollwayd speaks is spoken: the answer has a Content-Length or ends
 * with the connection.  tollctl is started for every command, so a library that
 * takes longer to load than the answer takes to come has no place here. */

#include <stddef.h>
#include <stdint.h>

struct client_request {
    const char *method;         /* "GET", "PUT", ... */
    const char *target;         /* Path and query, encoded. */
    const char *body;           /* NULL: none. */
    size_t body_len;
};

struct client_answer {
    int status;                 /* As in HTTP: 200, 404, ... */
    char *body;                 /* Null-terminated. */
    size_t body_len;
};

/* What tollwayd may send.  Its largest answers are the flows of a host. */
#define CLIENT_MAX_ANSWER (1u << 30)

/* Sends 'request' to the socket 'path' and waits for the answer, at most
 * 'timeout_s' seconds (0: as long as it takes) between any two parts of it.
 * Returns NULL and fills '*answer', which the caller passes to
 * client_answer_uninit(), or an error message to be freed: tollwayd can't be
 * reached, or what answered isn't tollwayd. */
char *client_exchange(const char *path, unsigned int timeout_s,
                      const struct client_request *request,
                      struct client_answer *answer);
void client_answer_uninit(struct client_answer *);

#endif /* controller/cli/client.h */
