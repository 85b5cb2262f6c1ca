/* SPDX-License-Identifier: Apache-2.0 */

/* Diagnostics: see diag.h. */

#include <config.h>
#include "controller/base/diag.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

const char *
diag_severity_to_string(enum diag_severity severity)
{
    switch (severity) {
    case DIAG_NOTE: return "note";
    case DIAG_WARNING: return "warning";
    case DIAG_ERROR: return "error";
    default: return "unknown";
    }
}

/* Safe text. */

/* The length of the valid UTF-8 sequence at 's', or 0 if it is invalid.  (The
 * null byte that ends 's' is never a continuation.) */
static size_t
utf8_len(const char *s_)
{
    const uint8_t *s = (const uint8_t *) s_;
    uint32_t code, min;
    size_t n;

    if (s[0] < 0x80) {
        return 1;
    } else if ((s[0] & 0xe0) == 0xc0) {
        n = 2, code = s[0] & 0x1f, min = 0x80;
    } else if ((s[0] & 0xf0) == 0xe0) {
        n = 3, code = s[0] & 0x0f, min = 0x800;
    } else if ((s[0] & 0xf8) == 0xf0) {
        n = 4, code = s[0] & 0x07, min = 0x10000;
    } else {
        return 0;
    }
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (s[i] & 0x3f);
    }
    return (code < min || code > 0x10ffff
            || (code >= 0xd800 && code <= 0xdfff)) ? 0 : n;
}

/* Whether the 'n' bytes of valid UTF-8 at 's' are a control character, of
 * ASCII or of U+0080...U+009F, which terminals obey as well. */
static bool
is_control(const char *s, size_t n)
{
    uint8_t c = s[0];

    return ((n == 1 && (c < 0x20 || c == 0x7f))
            || (n == 2 && c == 0xc2 && (uint8_t) s[1] < 0xa0));
}

/* Returns a copy of 's' that is printable, valid UTF-8 and at most
 * DIAG_TEXT_MAX bytes long. */
static char *
safe_text(const char *s)
{
    static const char more[] = "...";
    struct ds out = DS_EMPTY_INITIALIZER;

    while (*s) {
        size_t n = utf8_len(s);
        bool plain = n && !is_control(s, n);
        size_t in = plain ? n : 1;
        size_t out_len = plain ? n : 4;

        if (out.length + out_len + sizeof more - 1 > DIAG_TEXT_MAX) {
            ds_put_cstr(&out, more);
            break;
        }
        if (plain) {
            ds_put_buffer(&out, s, n);
        } else {
            ds_put_format(&out, "\\x%02x", (uint8_t) *s);
        }
        s += in;
    }
    return ds_steal_cstr(&out);
}

static char *
safe_text_valist(const char *format, va_list args)
{
    char *text = xvasprintf(format, args);
    char *safe = safe_text(text);

    free(text);
    return safe;
}

/* The list. */

void
diags_init(struct diags *diags)
{
    *diags = (struct diags) DIAGS_INITIALIZER;
}

static void
diag_uninit(struct diag *d)
{
    free(d->source);
    free(d->path);
    free(d->cause);
    free(d->remedy);
}

void
diags_clear(struct diags *diags)
{
    for (size_t i = 0; i < diags->n; i++) {
        diag_uninit(&diags->items[i]);
    }
    diags->n = 0;
    diags->n_errors = diags->n_warnings = diags->n_notes = 0;
}

void
diags_destroy(struct diags *diags)
{
    if (diags) {
        diags_clear(diags);
        free(diags->items);
        diags_init(diags);
    }
}

/* Returns room for one more at the end, or NULL if the list is full. */
static struct diag *
diags_put(struct diags *diags)
{
    if (diags->n >= DIAGS_MAX) {
        return NULL;
    }
    if (diags->n >= diags->allocated) {
        diags->items = x2nrealloc(diags->items, &diags->allocated,
                                  sizeof *diags->items);
    }
    return &diags->items[diags->n++];
}

static struct diag * OVS_PRINTF_FORMAT(6, 0)
diags_add_valist(struct diags *diags, enum diag_severity severity,
                 const char *source, int line, const char *path,
                 const char *cause, va_list args)
{
    struct diag *d = diags_put(diags);

    switch (severity) {
    case DIAG_ERROR: diags->n_errors++; break;
    case DIAG_WARNING: diags->n_warnings++; break;
    case DIAG_NOTE: default: diags->n_notes++; break;
    }
    if (d) {
        *d = (struct diag) {
            .severity = severity,
            .source = source ? safe_text(source) : NULL,
            .line = line,
            .path = path ? safe_text(path) : NULL,
            .cause = safe_text_valist(cause, args),
        };
    }
    return d;
}

struct diag *
diags_add(struct diags *diags, enum diag_severity severity,
          const char *source, int line, const char *path,
          const char *cause, ...)
{
    struct diag *d;
    va_list args;

    va_start(args, cause);
    d = diags_add_valist(diags, severity, source, line, path, cause, args);
    va_end(args);
    return d;
}

struct diag *
diags_error(struct diags *diags, const char *source, int line,
            const char *path, const char *cause, ...)
{
    struct diag *d;
    va_list args;

    va_start(args, cause);
    d = diags_add_valist(diags, DIAG_ERROR, source, line, path, cause, args);
    va_end(args);
    return d;
}

struct diag *
diags_warning(struct diags *diags, const char *source, int line,
              const char *path, const char *cause, ...)
{
    struct diag *d;
    va_list args;

    va_start(args, cause);
    d = diags_add_valist(diags, DIAG_WARNING, source, line, path, cause,
                         args);
    va_end(args);
    return d;
}

void
diag_remedy(struct diag *d, const char *remedy, ...)
{
    va_list args;

    if (d) {
        free(d->remedy);
        va_start(args, remedy);
        d->remedy = safe_text_valist(remedy, args);
        va_end(args);
    }
}

void
diags_append(struct diags *dst, struct diags *src)
{
    for (size_t i = 0; i < src->n; i++) {
        struct diag *d = diags_put(dst);

        if (d) {
            *d = src->items[i];
        } else {
            diag_uninit(&src->items[i]);
        }
    }
    dst->n_errors += src->n_errors;
    dst->n_warnings += src->n_warnings;
    dst->n_notes += src->n_notes;
    src->n = 0;
    diags_clear(src);
}

/* Stable: insertion sort, for at most DIAGS_MAX items. */
void
diags_sort(struct diags *diags)
{
    for (size_t i = 1; i < diags->n; i++) {
        struct diag d = diags->items[i];
        size_t j;

        for (j = i; j > 0 && diags->items[j - 1].line > d.line; j--) {
            diags->items[j] = diags->items[j - 1];
        }
        diags->items[j] = d;
    }
}

bool
diags_has_errors(const struct diags *diags)
{
    return diags->n_errors > 0;
}

size_t
diags_count(const struct diags *diags)
{
    return diags->n_errors + diags->n_warnings + diags->n_notes;
}

size_t
diags_dropped(const struct diags *diags)
{
    return diags_count(diags) - diags->n;
}

/* Text. */

void
diag_path_put(struct ds *path, const char *element, const char *name)
{
    ds_put_format(path, "/%s", element);
    if (name) {
        ds_put_format(path, "[%s]", name);
    }
}

/* Appends "/customer/network[prod]" as 'customer/network "prod"'.  A "]" ends
 * a name only before a "/" or the end. */
static void
format_path(const char *path, struct ds *s)
{
    bool in_name = false;

    for (const char *p = path + (*path == '/'); *p; p++) {
        if (!in_name && *p == '[') {
            ds_put_cstr(s, " \"");
            in_name = true;
        } else if (in_name && *p == ']' && (p[1] == '/' || !p[1])) {
            ds_put_char(s, '"');
            in_name = false;
        } else {
            ds_put_char(s, *p);
        }
    }
}

void
diag_format(const struct diag *d, struct ds *s)
{
    if (d->source) {
        ds_put_format(s, "%s:", d->source);
        if (d->line > 0) {
            ds_put_format(s, "%d:", d->line);
        }
        ds_put_char(s, ' ');
    } else if (d->line > 0) {
        ds_put_format(s, "line %d: ", d->line);
    }
    if (d->severity != DIAG_ERROR) {
        ds_put_format(s, "%s: ", diag_severity_to_string(d->severity));
    }
    if (d->path) {
        format_path(d->path, s);
        ds_put_cstr(s, ": ");
    }
    ds_put_cstr(s, d->cause);
    if (d->remedy) {
        ds_put_format(s, "; %s", d->remedy);
    }
    ds_put_char(s, '\n');
}

void
diags_format(const struct diags *diags, struct ds *s)
{
    size_t dropped = diags_dropped(diags);

    for (size_t i = 0; i < diags->n; i++) {
        diag_format(&diags->items[i], s);
    }
    if (dropped) {
        ds_put_format(s, "(%"PRIuSIZE" more not shown)\n", dropped);
    }
}

/* JSON. */

struct json *
diag_to_json(const struct diag *d)
{
    struct json *json = json_object_create();

    json_object_put_string(json, "severity",
                           diag_severity_to_string(d->severity));
    if (d->source) {
        json_object_put_string(json, "source", d->source);
    }
    if (d->line > 0) {
        json_object_put(json, "line", json_integer_create(d->line));
    }
    if (d->path) {
        json_object_put_string(json, "path", d->path);
    }
    json_object_put_string(json, "cause", d->cause);
    if (d->remedy) {
        json_object_put_string(json, "remedy", d->remedy);
    }
    return json;
}

struct json *
diags_to_json(const struct diags *diags)
{
    struct json *json = json_object_create();
    struct json *list = json_array_create_empty();

    for (size_t i = 0; i < diags->n; i++) {
        json_array_add(list, diag_to_json(&diags->items[i]));
    }
    json_object_put(json, "errors", json_integer_create(diags->n_errors));
    json_object_put(json, "warnings",
                    json_integer_create(diags->n_warnings));
    json_object_put(json, "dropped",
                    json_integer_create(diags_dropped(diags)));
    json_object_put(json, "diagnostics", list);
    return json;
}
