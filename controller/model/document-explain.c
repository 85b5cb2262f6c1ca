/* SPDX-License-Identifier: Apache-2.0 */

/* Why a document is not valid, in words for who wrote it: a walk over the tree
 * that compares each element with the schema's rules.  Unlike the validator it
 * goes on after a fault, so all of them are found at once. */

#include <config.h>
#include "controller/model/document.h"

#include <stdlib.h>
#include <string.h>

#include "controller/model/document-private.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define XSI "http://www.w3.org/2001/XMLSchema-instance"

/* The number of letters to insert, delete or replace to get from 'a' to 'b',
 * or a large number if one of them is long. */
static size_t
edit_distance(const char *a, const char *b)
{
    size_t row[33];
    size_t n_a = strlen(a), n_b = strlen(b);

    if (n_a > 64 || n_b >= ARRAY_SIZE(row)) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= n_b; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t replace = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(replace, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[n_b];
}

/* The one of 'names' that 'wrong' was probably meant to be, or NULL. */
static const char *
likely_name(const char *wrong, const struct svec *names)
{
    const char *best = NULL;
    size_t best_distance = 3;

    for (size_t i = 0; i < names->n; i++) {
        size_t distance = edit_distance(wrong, names->names[i]);

        if (distance < best_distance && distance < strlen(names->names[i])) {
            best = names->names[i];
            best_distance = distance;
        }
    }
    return best;
}

static bool
contains(const struct svec *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (!strcmp(names->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* "a", "a and b", "a, b and c", each between 'before' and 'after'. */
static void
put_list(struct ds *s, const struct svec *names, const char *before,
         const char *after)
{
    for (size_t i = 0; i < names->n; i++) {
        ds_put_format(s, "%s%s%s%s",
                      !i ? "" : i + 1 < names->n ? ", " : " and ",
                      before, names->names[i], after);
    }
}

static void
remedy_from_list(struct diag *d, const char *wrong, const char *element,
                 const struct svec *names, const char *before,
                 const char *after, const char *nothing)
{
    const char *likely = likely_name(wrong, names);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (likely) {
        ds_put_format(&s, "did you mean %s%s%s? ", before, likely, after);
    }
    ds_put_format(&s, "<%s> has ", element);
    if (names->n) {
        put_list(&s, names, before, after);
    } else {
        ds_put_cstr(&s, nothing);
    }
    diag_remedy(d, "%s", ds_cstr(&s));
    ds_destroy(&s);
}

static void
explain_unknown_child(struct document *doc, const xmlNode *node,
                      const struct schema_element *parent)
{
    struct diag *d = doc_error(doc, node, "unknown element <%s>", node->name);

    remedy_from_list(d, (const char *) node->name, parent->name,
                     &parent->children, "<", ">", "no elements in it");
}

static void
explain_attr(struct document *doc, const xmlNode *node, const xmlAttr *a,
             const struct schema_element *rules)
{
    const struct schema_attr *rule
        = a->ns ? NULL : schema_find_attr(rules, (const char *) a->name);
    struct diag *d;

    if (a->ns && a->ns->href && !strcmp((const char *) a->ns->href, XSI)) {
        if (strcmp((const char *) a->name, "schemaLocation")
            && strcmp((const char *) a->name, "noNamespaceSchemaLocation")) {
            d = doc_error(doc, node, "attribute \"xsi:%s\" can't be used",
                          a->name);
            diag_remedy(d, "remove it");
        }
    } else if (!rule) {
        struct svec names = SVEC_EMPTY_INITIALIZER;

        for (size_t i = 0; i < rules->n_attrs; i++) {
            svec_add(&names, rules->attrs[i].name);
        }
        d = doc_error(doc, node, "unknown attribute \"%s\"", a->name);
        remedy_from_list(d, (const char *) a->name, rules->name, &names, "\"",
                         "\"", "no attributes");
        svec_destroy(&names);
    } else {
        const char *value = doc_attr_value(doc, a);

        if (!schema_type_accepts(rule->type, value)) {
            d = doc_error(doc, node, "%s=\"%s\" is not valid", rule->name,
                          value);
            diag_remedy(d, "use %s", rule->type->right);
        }
    }
}

static void
explain_attrs(struct document *doc, const xmlNode *node,
              const struct schema_element *rules)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        explain_attr(doc, node, a, rules);
    }
    for (size_t i = 0; i < rules->n_attrs; i++) {
        const struct schema_attr *rule = &rules->attrs[i];

        if (rule->required && !doc_has(node, rule->name)) {
            struct diag *d = doc_error(doc, node, "attribute \"%s\" is missing",
                                       rule->name);
            diag_remedy(d, "add %s=\"...\", %s", rule->name, rule->type->right);
        }
    }
}

static void explain_element(struct document *, const xmlNode *,
                            const struct schema_element *);

static bool
is_repeated(const xmlNode *node)
{
    for (const xmlNode *n = node->prev; n; n = n->prev) {
        if (n->type == XML_ELEMENT_NODE
            && !strcmp((const char *) n->name, (const char *) node->name)) {
            return true;
        }
    }
    return false;
}

static bool
in_our_namespace(const struct document *doc, const xmlNode *node)
{
    return node->ns && node->ns->href
           && !strcmp((const char *) node->ns->href, doc->schema->namespace);
}

static void
explain_child(struct document *doc, const xmlNode *node,
              const struct schema_element *parent)
{
    const char *name = (const char *) node->name;
    struct diag *d;

    if (!in_our_namespace(doc, node)) {
        d = doc_error(doc, node, "element <%s> is not of namespace %s", name,
                      doc->schema->namespace);
        diag_remedy(d, "remove it, or its namespace");
    } else if (!contains(&parent->children, name)) {
        explain_unknown_child(doc, node, parent);
    } else {
        if (parent->once && is_repeated(node)) {
            d = doc_error(doc, node, "more than one <%s>", name);
            diag_remedy(d, "<%s> has at most one", parent->name);
        }
        explain_element(doc, node, schema_find_element(doc->schema, name));
    }
}

static void
explain_element(struct document *doc, const xmlNode *node,
                const struct schema_element *rules)
{
    size_t n_children = 0;
    struct diag *d;

    explain_attrs(doc, node, rules);
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (doc->diags->n >= DIAGS_MAX) {
            return;
        }
        if (child->type == XML_ELEMENT_NODE) {
            explain_child(doc, child, rules);
            n_children++;
        } else {
            d = doc_error(doc, node, "text in <%s>", rules->name);
            diag_remedy(d, "remove it; <%s> has attributes%s only",
                        rules->name, rules->children.n ? " and elements" : "");
        }
    }
    if (rules->needs_child && !n_children) {
        const char *name = rules->children.names[0];

        d = doc_error(doc, node, "no <%s> in <%s>", name, rules->name);
        diag_remedy(d, "add at least one <%s .../>", name);
    }
}

void
document_explain(struct document *doc)
{
    const struct model_schema *schema = doc->schema;
    const char *name = (const char *) doc->root->name;

    if (strcmp(name, schema->root) || !in_our_namespace(doc, doc->root)) {
        struct diag *d;

        d = doc_error(doc, doc->root, "this is <%s xmlns=\"%s\">, not a %s "
                      "document", name,
                      (doc->root->ns && doc->root->ns->href
                       ? (const char *) doc->root->ns->href : ""),
                      model_document_name(schema->document));
        diag_remedy(d, "a %s document begins with <%s xmlns=\"%s\"",
                    model_document_name(schema->document), schema->root,
                    schema->namespace);
        return;
    }
    explain_element(doc, doc->root, schema_find_element(schema, schema->root));
}
