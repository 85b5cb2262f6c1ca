/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_CLI_ANSWER_H
#define CONTROLLER_CLI_ANSWER_H 1

/* Members of JSON answers, without trust in their being there: what is absent,
 * or of another type, is NULL, false or the given default. */

#include <stdbool.h>
#include <stddef.h>

struct ds;
struct json;
struct table;

const struct json *get_member(const struct json *, const char *name);
const char *get_string(const struct json *, const char *name);
/* The same for printing: "?" if it is absent. */
const char *get_text(const struct json *, const char *name);
bool get_bool(const struct json *, const char *name);
bool get_int(const struct json *, const char *name, long long int *value);
long long int get_int_or(const struct json *, const char *name,
                         long long int dflt);

/* Arrays: 0 elements if it isn't one. */
size_t array_n(const struct json *);
const struct json *array_at(const struct json *, size_t i);
/* The string that element 'i' is, or "?". */
const char *array_string(const struct json *, size_t i);

/* Appends the strings of an array. */
void put_strings(struct ds *, const struct json *array,
                 const char *separator);

/* The members of an object sorted by name, for a loop:
 *
 *     struct members m;
 *     for (members_init(&m, json); members_next(&m); ) {
 *         ... m.name, m.value ...
 *     }
 */
struct members {
    const char *name;
    const struct json *value;
    const struct shash_node **nodes;
    size_t n, i;
};
void members_init(struct members *, const struct json *);
bool members_next(struct members *); /* Frees when it returns false. */

/* Cells with a member's value. */
void cell_string(struct table *, const struct json *, const char *name);
void cell_int(struct table *, const struct json *, const char *name);
/* "customer/network/NAME". */
void cell_path(struct table *, const struct json *, const char *name);

/* "45 s", "12 min", "3.5 h", "2.1 d" of milliseconds. */
void put_duration(struct ds *, long long int ms);
/* Local time of milliseconds since 1970. */
void put_time(struct ds *, long long int ms);

#endif /* controller/cli/answer.h */
