/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_MODEL_PRIVATE_H
#define CONTROLLER_MODEL_MODEL_PRIVATE_H 1

/* What the files of controller/model share about the structures in model.h. */

#include <stddef.h>

struct diags;
struct model_config;

/* Index of something that could not be resolved.  It occurs only while a
 * document is parsed and checked, never in what a parse function returns. */
#define MODEL_UNRESOLVED SIZE_MAX

/* How every structure with a name begins. */
struct model_named {
    char *name;
    int line;
};

/* Index of 'name' in an 'array' of 'n' elements of 'size' bytes that begin like
 * struct model_named and are sorted by name, or MODEL_UNRESOLVED. */
size_t model_find_by_name(const void *array, size_t n, size_t size,
                          const char *name);

/* Sorting such an array. */
int model_compare_names(const void *, const void *);

/* Checks everything that a configuration by itself must be (config-check.c). */
void config_check(const struct model_config *, struct diags *);

#endif /* controller/model/model-private.h */
