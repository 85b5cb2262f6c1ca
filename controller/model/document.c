/* SPDX-License-Identifier: Apache-2.0 */

/* Values out of a valid document: see document.h.  How bytes become a valid
 * document is in document-open.c. */

#include <config.h>
#include "controller/model/document.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "controller/model/document-private.h"
#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "util.h"

/* Elements. */

static const xmlNode *
skip_to_element(const xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE) {
        node = node->next;
    }
    return node;
}

const xmlNode *
doc_first(const xmlNode *parent)
{
    return skip_to_element(parent->children);
}

const xmlNode *
doc_next(const xmlNode *node)
{
    return skip_to_element(node->next);
}

bool
doc_is(const xmlNode *node, const char *name)
{
    return !strcmp((const char *) node->name, name);
}

size_t
doc_count(const xmlNode *parent, const char *name)
{
    const xmlNode *child;
    size_t n = 0;

    DOC_FOR_EACH (child, parent, name) {
        n++;
    }
    return n;
}

/* The line where the element's start tag begins (kept in the node by the
 * parser's callbacks, because libxml2's own stops at 65535). */
int
doc_line(const xmlNode *node)
{
    return (intptr_t) node->_private;
}

/* The attribute that tells an element from its siblings, in 'node'. */
static const xmlAttr *
naming_attr(const xmlNode *node)
{
    static const char *const names[] = {
        "name", "subnet", "attachment", "prefix", "node", "point", "from",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        for (const xmlAttr *a = node->properties; a; a = a->next) {
            if (!strcmp((const char *) a->name, names[i])) {
                return a;
            }
        }
    }
    return NULL;
}

static void
put_path(struct ds *path, const xmlNode *node)
{
    const xmlAttr *a;

    if (node->parent && node->parent->type == XML_ELEMENT_NODE) {
        put_path(path, node->parent);
        a = naming_attr(node);
    } else {
        a = NULL;
    }
    diag_path_put(path, (const char *) node->name,
                  (a && a->children && a->children->content
                   ? (const char *) a->children->content : NULL));
}

struct diag *
doc_error(struct document *doc, const xmlNode *node, const char *format, ...)
{
    struct ds path = DS_EMPTY_INITIALIZER;
    struct ds cause = DS_EMPTY_INITIALIZER;
    struct diag *d;
    va_list args;

    doc->failed = true;
    if (doc->diags->n >= DIAGS_MAX) {
        return diags_error(doc->diags, NULL, 0, NULL, "%s", format);
    }
    va_start(args, format);
    ds_put_format_valist(&cause, format, args);
    va_end(args);
    put_path(&path, node);
    d = diags_error(doc->diags, doc->source, doc_line(node), ds_cstr(&path),
                    "%s", ds_cstr(&cause));
    ds_destroy(&path);
    ds_destroy(&cause);
    return d;
}

/* Attributes. */

static const xmlAttr *
find_attr(const xmlNode *node, const char *name)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        if (!strcmp((const char *) a->name, name) && !a->ns) {
            return a;
        }
    }
    return NULL;
}

bool
doc_has(const xmlNode *node, const char *name)
{
    return find_attr(node, name) != NULL;
}

/* The value of 'a' without white space around it (all types of ours collapse
 * white space).  Nearly always the bytes in the tree are that. */
const char *
doc_attr_value(struct document *doc, const xmlAttr *a)
{
    const xmlNode *text = a->children;
    const char *value;
    xmlChar *copy;
    char *begin, *end;

    if (!text) {
        return "";
    }
    if (text->type == XML_TEXT_NODE && !text->next && text->content) {
        value = (const char *) text->content;
        if (*value && *value != ' ' && value[strlen(value) - 1] != ' '
            && !strpbrk(value, "\t\r\n")) {
            return value;
        }
    }

    copy = xmlNodeListGetString(doc->xml, a->children, 1);
    begin = copy ? (char *) copy : (char *) "";
    begin += strspn(begin, " \t\r\n");
    for (end = begin + strlen(begin);
         end > begin && strchr(" \t\r\n", end[-1]); end--) {
        continue;
    }
    svec_add_nocopy(&doc->pool, xmemdup0(begin, end - begin));
    xmlFree(copy);
    return doc->pool.names[doc->pool.n - 1];
}

const char *
doc_attr(struct document *doc, const xmlNode *node, const char *name)
{
    const struct schema_element *rules;
    const struct schema_attr *rule;
    const xmlAttr *a = find_attr(node, name);

    if (a) {
        return doc_attr_value(doc, a);
    }
    rules = schema_find_element(doc->schema, (const char *) node->name);
    rule = rules ? schema_find_attr(rules, name) : NULL;
    return rule ? rule->dflt : NULL;
}

/* Adds an error: attribute 'name' of 'node' has no usable value. */
static void
bad_value(struct document *doc, const xmlNode *node, const char *name)
{
    const struct schema_element *rules
        = schema_find_element(doc->schema, (const char *) node->name);
    const struct schema_attr *rule = rules ? schema_find_attr(rules, name)
                                           : NULL;
    const char *value = doc_attr(doc, node, name);
    struct diag *d;

    if (value) {
        d = doc_error(doc, node, "%s=\"%s\" is not valid", name, value);
    } else {
        d = doc_error(doc, node, "attribute \"%s\" is missing", name);
    }
    diag_remedy(d, "use %s", rule ? rule->type->right : "a valid value");
}

char *
doc_nullable_string(struct document *doc, const xmlNode *node,
                    const char *name)
{
    return nullable_xstrdup(doc_attr(doc, node, name));
}

char *
doc_string(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);

    if (!value) {
        bad_value(doc, node, name);
        value = "";
    }
    return xstrdup(value);
}

/* Parses digits at the start of '*s' into '*n', at most 'max', and moves '*s'
 * past them. */
static bool
scan_number(const char **s, uint64_t max, uint64_t *n)
{
    const char *p = *s;

    for (*n = 0; *p >= '0' && *p <= '9'; p++) {
        *n = *n * 10 + (*p - '0');
        if (*n > max) {
            return false;
        }
    }
    if (p == *s) {
        return false;
    }
    *s = p;
    return true;
}

uint32_t
doc_u32(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);
    uint64_t n;

    if (!value || !scan_number(&value, UINT32_MAX, &n) || *value) {
        bad_value(doc, node, name);
        return 0;
    }
    return n;
}

struct in6_addr
doc_address(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);
    struct in6_addr addr = in6addr_any;

    if (!value || !addr_parse(value, &addr)) {
        bad_value(doc, node, name);
    }
    return addr;
}

struct prefix
doc_prefix(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);
    struct prefix p = { .plen = 128 };
    char buf[PREFIX_STRLEN];
    enum prefix_error error;

    error = value ? prefix_parse(value, &p) : PREFIX_BAD_ADDRESS;
    if (error == PREFIX_HOST_BITS) {
        struct diag *d = doc_error(doc, node,
                                   "%s=\"%s\" has bits set beyond the "
                                   "prefix length", name, value);
        diag_remedy(d, "use %s", prefix_to_string(&p, buf));
    } else if (error) {
        bad_value(doc, node, name);
    }
    return p;
}

void
doc_interface(struct document *doc, const xmlNode *node, const char *name,
              struct in6_addr *addr, struct prefix *p)
{
    const char *value = doc_attr(doc, node, name);

    *addr = in6addr_any;
    *p = (struct prefix) { .plen = 128 };
    if (!value || prefix_parse_interface(value, addr, p)) {
        bad_value(doc, node, name);
    }
}

/* Host byte order. */
uint32_t
doc_area(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);
    struct in_addr ip;
    uint64_t n;

    if (value && inet_pton(AF_INET, value, &ip) == 1) {
        return ntohl(ip.s_addr);
    }
    if (!value || !scan_number(&value, UINT32_MAX, &n) || *value) {
        bad_value(doc, node, name);
        return 0;
    }
    return n;
}

/* Scans "12", "2.5" or "0.125" as thousandths and moves '*s' past it. */
static bool
scan_thousandths(const char **s, uint64_t *n)
{
    const char *p = *s;
    uint64_t scale = 1000;

    if (!scan_number(&p, UINT32_MAX, n)) {
        return false;
    }
    *n *= 1000;
    if (*p == '.') {
        for (p++; *p >= '0' && *p <= '9' && scale > 1; p++) {
            scale /= 10;
            *n += (*p - '0') * scale;
        }
    }
    *s = p;
    return true;
}

uint32_t
doc_thousandths(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);
    uint64_t n;

    if (!value || !scan_thousandths(&value, &n) || *value || n >= UINT32_MAX) {
        bad_value(doc, node, name);
        return 0;
    }
    return n;
}

uint64_t
doc_time_us(struct document *doc, const xmlNode *node, const char *name,
            uint64_t min_us, uint64_t max_us)
{
    const char *value = doc_attr(doc, node, name);
    uint64_t n;

    if (value && scan_thousandths(&value, &n)) {
        uint64_t us = (!strcmp(value, "us") ? n / 1000
                       : !strcmp(value, "ms") ? n
                       : !strcmp(value, "s") ? n * 1000
                       : !strcmp(value, "m") ? n * 60 * 1000
                       : UINT64_MAX);
        if (us >= min_us && us <= max_us) {
            return us;
        }
    }
    bad_value(doc, node, name);
    return min_us;
}

struct eth_addr
doc_mac(struct document *doc, const xmlNode *node, const char *name)
{
    const char *value = doc_attr(doc, node, name);
    struct eth_addr mac = eth_addr_zero;
    struct diag *d;

    if (!value || !eth_addr_from_string(value, &mac)
        || eth_addr_is_zero(mac) || eth_addr_is_multicast(mac)) {
        bad_value(doc, node, name);
    } else if (mac.ea[0] == 0x0e) {
        d = doc_error(doc, node, "MAC addresses that begin with 0e: are "
                      "Tollway's own");
        diag_remedy(d, "use another one, such as 52:54:00:%02x:%02x:%02x",
                    mac.ea[3], mac.ea[4], mac.ea[5]);
    }
    return mac;
}
