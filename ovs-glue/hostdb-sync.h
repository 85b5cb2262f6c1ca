/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVS_GLUE_HOSTDB_SYNC_H
#define OVS_GLUE_HOSTDB_SYNC_H 1

/* What hostdb.c does to a host's database: functions that compare the IDL's
 * contents with what is wanted, and write the difference into the IDL's open
 * transaction.  They keep no state: what is Tollway's is found by its marks in
 * external_ids.  With nothing to do they write nothing. */

#include <stdbool.h>

struct hostdb_config;
struct ovsdb_idl;
struct ovsdb_idl_txn;
struct ovsrec_bridge;
struct ovsrec_open_vswitch;
struct ovsrec_port;

#define HOSTDB_DEFAULT_BRIDGE "br-int"

/* Asks 'idl' to replicate what this module and hostdb.c look at. */
void hostdb_sync_add_columns(struct ovsdb_idl *);

const struct ovsrec_bridge *hostdb_sync_find_bridge(
    const struct ovsrec_open_vswitch *, const char *name);
bool hostdb_sync_is_our_tunnel(const struct ovsrec_port *);

/* 'settled' says that ovs-vswitchd has taken notice of what was written
 * before.  Call hostdb_sync() again after each commit until it has nothing to
 * do: some things take two steps.  Both return true if they wrote anything. */
bool hostdb_sync(struct ovsdb_idl_txn *, const struct ovsrec_open_vswitch *,
                 const struct hostdb_config *, bool settled);
bool hostdb_sync_release(struct ovsdb_idl_txn *,
                         const struct ovsrec_open_vswitch *,
                         const char *bridge);

#endif /* ovs-glue/hostdb-sync.h */
