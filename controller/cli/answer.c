/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/cli/answer.h"

#include <stdlib.h>
#include <time.h>
#include "controller/cli/table.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/shash.h"
#include "util.h"

const struct json *
get_member(const struct json *json, const char *name)
{
    return (json && json->type == JSON_OBJECT
            ? shash_find_data(json->object, name) : NULL);
}

const char *
get_string(const struct json *json, const char *name)
{
    const struct json *m = get_member(json, name);

    return m && m->type == JSON_STRING ? m->string : NULL;
}

const char *
get_text(const struct json *json, const char *name)
{
    const char *s = get_string(json, name);

    return s ? s : "?";
}

bool
get_bool(const struct json *json, const char *name)
{
    const struct json *m = get_member(json, name);

    return m && m->type == JSON_TRUE;
}

bool
get_int(const struct json *json, const char *name, long long int *value)
{
    const struct json *m = get_member(json, name);

    if (!m || m->type != JSON_INTEGER) {
        return false;
    }
    *value = m->integer;
    return true;
}

long long int
get_int_or(const struct json *json, const char *name, long long int dflt)
{
    long long int value;

    return get_int(json, name, &value) ? value : dflt;
}

size_t
array_n(const struct json *array)
{
    return array && array->type == JSON_ARRAY ? array->array.n : 0;
}

const struct json *
array_at(const struct json *array, size_t i)
{
    return i < array_n(array) ? array->array.elems[i] : NULL;
}

const char *
array_string(const struct json *array, size_t i)
{
    const struct json *e = array_at(array, i);

    return e && e->type == JSON_STRING ? e->string : "?";
}

void
put_strings(struct ds *ds, const struct json *array, const char *separator)
{
    for (size_t i = 0; i < array_n(array); i++) {
        ds_put_format(ds, "%s%s", i ? separator : "", array_string(array, i));
    }
}

void
members_init(struct members *m, const struct json *json)
{
    bool object = json && json->type == JSON_OBJECT;

    m->nodes = object ? shash_sort(json->object) : NULL;
    m->n = object ? shash_count(json->object) : 0;
    m->i = 0;
}

bool
members_next(struct members *m)
{
    if (m->i >= m->n) {
        free(m->nodes);
        m->nodes = NULL;
        m->n = 0;
        return false;
    }
    m->name = m->nodes[m->i]->name;
    m->value = m->nodes[m->i]->data;
    m->i++;
    return true;
}

void
cell_string(struct table *t, const struct json *json, const char *name)
{
    table_cell(t, get_string(json, name));
}

void
cell_int(struct table *t, const struct json *json, const char *name)
{
    long long int value = 0;
    bool present = get_int(json, name, &value);

    table_number(t, present, value);
}

void
cell_path(struct table *t, const struct json *json, const char *name)
{
    table_cellf(t, "%s/%s/%s", get_text(json, "customer"),
                get_text(json, "network"), get_text(json, name));
}

void
put_duration(struct ds *ds, long long int ms)
{
    if (ms < 60 * 1000) {
        ds_put_format(ds, "%.1f s", ms / 1e3);
    } else if (ms < 3600 * 1000) {
        ds_put_format(ds, "%lld min %lld s", ms / 60000, ms / 1000 % 60);
    } else if (ms < 48 * 3600 * 1000LL) {
        ds_put_format(ds, "%lld h %lld min", ms / 3600000, ms / 60000 % 60);
    } else {
        ds_put_format(ds, "%.1f d", ms / 86400e3);
    }
}

void
put_time(struct ds *ds, long long int ms)
{
    time_t when = ms / 1000;
    struct tm tm;
    char buf[64];

    if (localtime_r(&when, &tm)
        && strftime(buf, sizeof buf, "%Y-%m-%d %H:%M:%S", &tm)) {
        ds_put_cstr(ds, buf);
    }
}
