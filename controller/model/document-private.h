/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_DOCUMENT_PRIVATE_H
#define CONTROLLER_MODEL_DOCUMENT_PRIVATE_H 1

/* Between document.c, document-open.c and document-explain.c. */

#include <libxml/tree.h>

struct document;

const char *doc_attr_value(struct document *, const xmlAttr *);

/* Compares the tree with the schema's rules and adds an error for everything
 * that doesn't agree, in the order of the document. */
void document_explain(struct document *);

#endif /* controller/model/document-private.h */
