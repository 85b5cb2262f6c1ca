/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_ENGINE_QUERY_PRIVATE_H
#define CONTROLLER_ENGINE_QUERY_PRIVATE_H 1

/* What the query-*.c files share: members of JSON objects. */

#include "controller/engine/engine-private.h"

struct json;

/* May 'customer' (NULL: the operator) see the network? */
bool query_sees(const struct engine_net *, const char *customer);

/* An object with "customer" and "network". */
struct json *query_net(const struct engine_net *);

void query_put_addr(struct json *, const char *name, const struct in6_addr *);
void query_put_prefix(struct json *, const char *name, const struct prefix *);
void query_put_mac(struct json *, const char *name, struct eth_addr);
void query_put_ip4(struct json *, const char *name, uint32_t ip);
void query_put_int(struct json *, const char *name, long long int);
void query_put_bool(struct json *, const char *name, bool);

#endif /* controller/engine/query-private.h */
