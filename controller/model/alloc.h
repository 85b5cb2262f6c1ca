/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONTROLLER_MODEL_ALLOC_H
#define CONTROLLER_MODEL_ALLOC_H 1

/* Allocations: what documents leave open
 * ======================================
 *
 * Every object of every network has an identifier; a network's is its VNI too.
 * Nodes whose address or MAC is not stated get one, and every node gets a
 * host.  What was once allocated stays as long as the object does, whatever
 * happens around it, so a restart or a new revision renumbers nothing.
 *
 * A 'struct alloc_set' holds the records of all customers.  It is immutable and
 * reference counted; alloc_update() makes a new one that shares the unchanged
 * records with the old one, so what has to be stored is found by comparing
 * pointers (alloc_set_diff()).  Records are sorted by customer, network, kind
 * and name. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "controller/model/topo.h"
#include "openvswitch/types.h"

struct diags;
struct json;
struct model_config;
struct model_fabric;

struct alloc {
    unsigned int ref_cnt;
    enum topo_kind kind;        /* TOPO_NETWORK...TOPO_ATTACHMENT. */
    char *customer;
    char *network;
    char *name;                 /* The object's within the network: "web1";
                                 * interface "router/subnet"; attachment
                                 * "router/attachment"; network: its name. */
    uint32_t id;                /* Unique among all records, never 0. */
    struct eth_addr mac;        /* Node, interface, attachment; else zero. */
    struct in6_addr address;    /* Node; else in6addr_any. */
    bool fixed_address;         /* Node: the address was stated. */
    char *host;                 /* Node; else NULL. */
};

struct alloc_set {
    unsigned int ref_cnt;
    struct alloc **records;     /* Sorted, each with a reference. */
    size_t n;
};

struct alloc_set *alloc_set_create(void);
struct alloc_set *alloc_set_ref(const struct alloc_set *);
void alloc_set_unref(struct alloc_set *);

/* Makes the allocations for 'config' as its customer's only configuration: the
 * records of other customers stay as they are (and count as load on the
 * hosts), those of the customer's own objects that are gone are dropped.
 * 'config' must have passed model_config_check_fabric().  Returns NULL and
 * diagnostics if something can't be had (no capacity, no free address).
 *
 * A node never moves while its host exists, unless it is pinned elsewhere. */
struct alloc_set *alloc_update(const struct alloc_set *old,
                               const struct model_config *config,
                               const struct model_fabric *, struct diags *);

/* The set without the records of 'customer'. */
struct alloc_set *alloc_remove_customer(const struct alloc_set *old,
                                        const char *customer);

const struct alloc *alloc_find(const struct alloc_set *, const char *customer,
                               const char *network, enum topo_kind,
                               const char *name);
/* The same as an index in records[]; SIZE_MAX: none. */
size_t alloc_find_position(const struct alloc_set *, const char *customer,
                           const char *network, enum topo_kind,
                           const char *name);
const struct alloc *alloc_find_id(const struct alloc_set *, uint32_t id);

/* Calls 'added' and 'removed' for the records that are only in 'new' and only
 * in 'old' (a changed record is both: removed first). */
void alloc_set_diff(const struct alloc_set *old, const struct alloc_set *new,
                    void (*removed)(const struct alloc *, void *aux),
                    void (*added)(const struct alloc *, void *aux),
                    void *aux);

/* Making a set from stored records: any order; alloc_builder_finish() sorts
 * them and refuses duplicates (a fault of the store) with diagnostics. */
struct alloc_builder;
struct alloc_builder *alloc_builder_create(void);
bool alloc_builder_add(struct alloc_builder *, const char *customer,
                       const char *network, const char *kind,
                       const char *name, uint32_t id, const char *mac,
                       const char *address, bool fixed_address,
                       const char *host);
struct alloc_set *alloc_builder_finish(struct alloc_builder *, struct diags *);

/* Text forms of the members, as stored. */
const char *alloc_kind_to_string(enum topo_kind);
bool alloc_kind_from_string(const char *, enum topo_kind *);

/* [{"customer", "network", "kind", "name", "id", "mac"?, "address"?,
 *   "fixed-address"?, "host"?}...]. */
struct json *alloc_set_to_json(const struct alloc_set *);
struct alloc_set *alloc_set_from_json(const struct json *, struct diags *);

#endif /* controller/model/alloc.h */
