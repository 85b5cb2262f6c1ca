/* SPDX-License-Identifier: Apache-2.0 */

/* The connection to a host's database: when to compare, what became of a
 * transaction, and the report of ports.  What is compared and written is in
 * hostdb-sync.c. */

#include <config.h>
#include "ovs-glue/hostdb.h"
#include <string.h>
#include "controller/base/prefix.h"
#include "lib/vswitch-idl.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/util.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/hostdb-sync.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(tw_hostdb);

/* In ms: a server that doesn't answer for so long is given up... */
#define PROBE_INTERVAL 5000
/* ...and a transaction that was refused is tried again after so long, even if
 * nothing changes. */
#define RETRY_INTERVAL 5000
/* Without a connection for so long, the pauses between attempts, which double
 * up to 8 s, start from the beginning. */
#define RESTART_INTERVAL 3000

enum hostdb_goal { GOAL_NONE, GOAL_CONFIG, GOAL_RELEASE };

struct hostdb {
    char *name;
    struct ovsdb_idl *idl;
    char *remote;
    long long int restart_at;   /* If not connected before, start anew. */
    unsigned int changes;       /* HOSTDB_*, not taken yet. */
    bool connected;             /* As last told. */
    bool ready;                 /* As last told. */

    enum hostdb_goal goal;
    struct hostdb_config cfg;   /* Own copy; GOAL_RELEASE: of 'bridge'. */
    bool compare;               /* Something changed since the comparison. */
    bool done;                  /* The last comparison found no difference. */

    struct ovsdb_idl_txn *txn;  /* On its way, or NULL. */
    unsigned int seqno;         /* Of the IDL, when last looked at. */
    int64_t next_cfg;           /* What cur_cfg must reach for 'settled'. */
    long long int retry_at;     /* After a failure; LLONG_MAX: no. */
    char *error;                /* Of the last transaction. */
    char *port_error;           /* Of a port of ours. */

    struct hostdb_port *ports;  /* By name. */
    size_t n_ports;
    uint64_t datapath_id;
};

/* Configurations. */

static void
config_uninit(struct hostdb_config *cfg)
{
    free(CONST_CAST(char *, cfg->bridge));
    free(CONST_CAST(char *, cfg->datapath_type));
    free(CONST_CAST(char *, cfg->controller));
    free(CONST_CAST(char *, cfg->tunnel_type));
    for (size_t i = 0; i < cfg->n_tables; i++) {
        free(CONST_CAST(char *, cfg->tables[i]));
    }
    free(CONST_CAST(char **, cfg->tables));
    for (size_t i = 0; i < cfg->n_peers; i++) {
        free(CONST_CAST(char *, cfg->peers[i].host));
    }
    free(CONST_CAST(struct hostdb_peer *, cfg->peers));
    for (size_t i = 0; i < cfg->n_bfds; i++) {
        free(CONST_CAST(char *, cfg->bfds[i].port));
    }
    free(CONST_CAST(struct hostdb_bfd *, cfg->bfds));
    memset(cfg, 0, sizeof *cfg);
}

static void
config_clone(struct hostdb_config *dst, const struct hostdb_config *src)
{
    *dst = *src;
    dst->bridge = xstrdup(src->bridge ? src->bridge : HOSTDB_DEFAULT_BRIDGE);
    dst->datapath_type = nullable_xstrdup(src->datapath_type);
    dst->controller = nullable_xstrdup(src->controller);
    dst->tunnel_type = nullable_xstrdup(src->tunnel_type);

    const char **tables = xcalloc(src->n_tables + 1, sizeof *tables);
    for (size_t i = 0; i < src->n_tables; i++) {
        tables[i] = nullable_xstrdup(src->tables[i]);
    }
    dst->tables = tables;
    struct hostdb_peer *peers = xcalloc(src->n_peers + 1, sizeof *peers);
    for (size_t i = 0; i < src->n_peers; i++) {
        peers[i] = src->peers[i];
        peers[i].host = xstrdup(src->peers[i].host);
    }
    dst->peers = peers;
    struct hostdb_bfd *bfds = xcalloc(src->n_bfds + 1, sizeof *bfds);
    for (size_t i = 0; i < src->n_bfds; i++) {
        bfds[i] = src->bfds[i];
        bfds[i].port = xstrdup(src->bfds[i].port);
    }
    dst->bfds = bfds;
}

/* The report of ports. */

static void
port_uninit(struct hostdb_port *p)
{
    free(p->name);
    free(p->iface_id);
    free(p->type);
    free(p->bfd_diagnostic);
    free(p->remote);
}

static void
ports_destroy(struct hostdb_port *ports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        port_uninit(&ports[i]);
    }
    free(ports);
}

static bool
same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static bool
port_equal(const struct hostdb_port *a, const struct hostdb_port *b)
{
    return (same_text(a->name, b->name) && a->ofport == b->ofport
            && same_text(a->iface_id, b->iface_id)
            && same_text(a->type, b->type) && a->admin_up == b->admin_up
            && a->link_up == b->link_up && a->mtu == b->mtu
            && eth_addr_equals(a->mac, b->mac) && a->bfd == b->bfd
            && same_text(a->bfd_diagnostic, b->bfd_diagnostic)
            && a->tunnel == b->tunnel && same_text(a->remote, b->remote));
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct hostdb_port *a = a_, *b = b_;
    return strcmp(a->name, b->name);
}

static enum hostdb_bfd_state
bfd_state(const struct ovsrec_interface *iface)
{
    if (!smap_get_bool(&iface->bfd, "enable", false)) {
        return HOSTDB_BFD_NONE;
    }
    return (!strcmp(smap_get_def(&iface->bfd_status, "state", ""), "up")
            && smap_get_bool(&iface->bfd_status, "forwarding", false)
            ? HOSTDB_BFD_UP : HOSTDB_BFD_DOWN);
}

static void
port_init(struct hostdb_port *p, const struct ovsrec_interface *iface,
          bool tunnel)
{
    memset(p, 0, sizeof *p);
    p->name = xstrdup(iface->name);
    p->ofport = iface->ofport[0];
    p->iface_id = nullable_xstrdup(smap_get(&iface->external_ids,
                                            "iface-id"));
    p->type = xstrdup(iface->type);
    p->admin_up = tunnel || (iface->admin_state
                             && !strcmp(iface->admin_state, "up"));
    p->link_up = tunnel || (iface->link_state
                            && !strcmp(iface->link_state, "up"));
    p->mtu = (iface->n_mtu && iface->mtu[0] > 0 && iface->mtu[0] <= UINT16_MAX
              ? iface->mtu[0] : 0);
    if (iface->mac_in_use) {
        eth_addr_from_string(iface->mac_in_use, &p->mac);
    }
    p->bfd = bfd_state(iface);
    if (p->bfd == HOSTDB_BFD_DOWN) {
        p->bfd_diagnostic = nullable_xstrdup(
            smap_get(&iface->bfd_status, "diagnostic"));
    }
    p->tunnel = tunnel;
    if (tunnel) {
        const char *remote = smap_get(&iface->options, "remote_ip");
        p->remote = (remote && strcmp(remote, "flow") ? xstrdup(remote)
                     : NULL);
    }
}

static void
report_ports(struct hostdb *db, const struct ovsrec_bridge *br)
{
    struct hostdb_port *ports = NULL;
    size_t n = 0, allocated = 0;
    free(db->port_error);
    db->port_error = NULL;
    for (size_t i = 0; br && i < br->n_ports; i++) {
        const struct ovsrec_port *port = br->ports[i];
        bool tunnel = hostdb_sync_is_our_tunnel(port);
        for (size_t j = 0; j < port->n_interfaces; j++) {
            const struct ovsrec_interface *iface = port->interfaces[j];
            if (tunnel && iface->error && !db->port_error) {
                db->port_error = xasprintf("port %s: %s", iface->name,
                                           iface->error);
            }
            if (iface->n_ofport && iface->ofport[0] > 0) {
                if (n >= allocated) {
                    ports = x2nrealloc(ports, &allocated, sizeof *ports);
                }
                port_init(&ports[n++], iface, tunnel);
            }
        }
    }
    if (n) {
        qsort(ports, n, sizeof *ports, compare_ports);
    }

    bool same = n == db->n_ports;
    for (size_t i = 0; i < n && same; i++) {
        same = port_equal(&ports[i], &db->ports[i]);
    }
    if (same) {
        ports_destroy(ports, n);
    } else {
        ports_destroy(db->ports, db->n_ports);
        db->ports = ports;
        db->n_ports = n;
        db->changes |= HOSTDB_PORTS;
    }
}

/* Transactions. */

static void
set_error(struct hostdb *db, const char *error)
{
    if (error && !same_text(error, db->error)) {
        VLOG_WARN("%s: %s", db->name, error);
        db->changes |= HOSTDB_FAILED;
    }
    free(db->error);
    db->error = nullable_xstrdup(error);
}

/* Looks after the transaction that is on its way.  True if there is none any
 * more. */
static bool
finish_txn(struct hostdb *db)
{
    if (!db->txn) {
        return true;
    }
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(db->txn);
    switch (status) {
    case TXN_INCOMPLETE:
        return false;
    case TXN_SUCCESS:
        db->next_cfg = ovsdb_idl_txn_get_increment_new_value(db->txn);
        set_error(db, NULL);
        break;
    case TXN_UNCHANGED:
    case TXN_TRY_AGAIN:
    case TXN_UNCOMMITTED:
    case TXN_ABORTED:
    case TXN_NOT_LOCKED:
        db->retry_at = time_msec() + RETRY_INTERVAL;
        break;
    case TXN_ERROR:
        set_error(db, ovsdb_idl_txn_get_error(db->txn));
        db->retry_at = time_msec() + RETRY_INTERVAL;
        break;
    }
    ovsdb_idl_txn_destroy(db->txn);
    db->txn = NULL;
    /* Otherwise a change in the database or 'retry_at' leads on. */
    db->compare = status == TXN_SUCCESS;
    return true;
}

static bool
is_settled(const struct hostdb *db, const struct ovsrec_open_vswitch *ovs)
{
    return ovs->cur_cfg >= db->next_cfg;
}

/* Compares what is with what is wanted and starts a transaction if they
 * differ. */
static void
compare(struct hostdb *db, const struct ovsrec_open_vswitch *ovs)
{
    db->compare = false;
    db->retry_at = LLONG_MAX;
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(db->idl);
    bool changed = (db->goal == GOAL_CONFIG
                    ? hostdb_sync(txn, ovs, &db->cfg, is_settled(db, ovs))
                    : hostdb_sync_release(txn, ovs, db->cfg.bridge));
    db->done = !changed;
    if (changed) {
        ovsdb_idl_txn_add_comment(txn, "tollwayd: %s of bridge %s",
                                  (db->goal == GOAL_CONFIG ? "configuration"
                                   : "release"), db->cfg.bridge);
        ovsdb_idl_txn_increment(txn, &ovs->header_,
                                &ovsrec_open_vswitch_col_next_cfg, true);
        db->txn = txn;
        finish_txn(db);
    } else {
        ovsdb_idl_txn_destroy(txn);
    }
}

/* Life. */

struct hostdb *
hostdb_create(const char *remote, const char *name)
{
    struct hostdb *db = xzalloc(sizeof *db);
    db->name = xstrdup(name);
    db->remote = xstrdup(remote);
    db->restart_at = time_msec() + RESTART_INTERVAL;
    db->idl = ovsdb_idl_create(remote, &ovsrec_idl_class, false, true);
    hostdb_sync_add_columns(db->idl);
    ovsdb_idl_set_probe_interval(db->idl, PROBE_INTERVAL);
    db->retry_at = LLONG_MAX;
    return db;
}

void
hostdb_destroy(struct hostdb *db)
{
    if (db) {
        if (db->txn) {
            ovsdb_idl_txn_destroy(db->txn);
        }
        ovsdb_idl_destroy(db->idl);
        config_uninit(&db->cfg);
        ports_destroy(db->ports, db->n_ports);
        free(db->error);
        free(db->port_error);
        free(db->remote);
        free(db->name);
        free(db);
    }
}

void
hostdb_set_remote(struct hostdb *db, const char *remote)
{
    char *copy = xstrdup(remote);
    free(db->remote);
    db->remote = copy;
    ovsdb_idl_set_remote(db->idl, remote, true);
}

/* A host that has started again should not have to wait for us. */
static void
restart_connecting(struct hostdb *db)
{
    long long int now = time_msec();
    if (ovsdb_idl_is_connected(db->idl)) {
        db->restart_at = now + RESTART_INTERVAL;
    } else if (now >= db->restart_at) {
        ovsdb_idl_set_remote(db->idl, NULL, true);
        ovsdb_idl_set_remote(db->idl, db->remote, true);
        db->restart_at = now + RESTART_INTERVAL;
    }
}

void
hostdb_set_config(struct hostdb *db, const struct hostdb_config *cfg)
{
    struct hostdb_config old = db->cfg;
    config_clone(&db->cfg, cfg);
    config_uninit(&old);
    db->goal = GOAL_CONFIG;
    db->compare = true;
    db->done = false;
}

void
hostdb_release(struct hostdb *db)
{
    if (!db->cfg.bridge) {
        db->cfg.bridge = xstrdup(HOSTDB_DEFAULT_BRIDGE);
    }
    db->goal = GOAL_RELEASE;
    db->compare = true;
    db->done = false;
}

static void
run_connection(struct hostdb *db)
{
    bool connected = (ovsdb_idl_is_connected(db->idl)
                      && ovsdb_idl_has_ever_connected(db->idl));
    if (connected != db->connected) {
        db->connected = connected;
        db->changes |= connected ? HOSTDB_CONNECTED : HOSTDB_DISCONNECTED;
        db->compare = true;
        VLOG_INFO("%s: %s", db->name,
                  connected ? "connected" : "disconnected");
    }
}

static void
look(struct hostdb *db, const struct ovsrec_open_vswitch *ovs)
{
    const struct ovsrec_bridge *br = NULL;
    if (ovs && db->cfg.bridge) {
        br = hostdb_sync_find_bridge(ovs, db->cfg.bridge);
    }
    report_ports(db, br);
    db->datapath_id = 0;
    if (br && br->datapath_id) {
        char *end;
        db->datapath_id = strtoull(br->datapath_id, &end, 16);
    }
}

/* Tells what a comparison without difference means. */
static void
tell_done(struct hostdb *db, const struct ovsrec_open_vswitch *ovs)
{
    bool ready = (db->goal == GOAL_CONFIG && db->done && db->connected && ovs
                  && is_settled(db, ovs) && db->datapath_id);
    if (ready && !db->ready) {
        db->changes |= HOSTDB_READY;
    }
    db->ready = ready;
    if (db->goal == GOAL_RELEASE && db->done && !db->txn && db->connected) {
        db->goal = GOAL_NONE;
        db->changes |= HOSTDB_CLEANED;
    }
}

void
hostdb_run(struct hostdb *db)
{
    restart_connecting(db);
    ovsdb_idl_run(db->idl);
    run_connection(db);
    bool idle = finish_txn(db);
    if (!ovsdb_idl_has_ever_connected(db->idl)) {
        return;
    }

    const struct ovsrec_open_vswitch *ovs = ovsrec_open_vswitch_first(db->idl);
    unsigned int seqno = ovsdb_idl_get_seqno(db->idl);
    if (seqno != db->seqno || db->compare) {
        db->compare |= seqno != db->seqno;
        db->seqno = seqno;
        look(db, ovs);
    }
    if (!ovs) {
        set_error(db, "the database has no row in table Open_vSwitch");
        return;
    }
    if (time_msec() >= db->retry_at) {
        db->compare = true;
    }
    if (idle && db->compare && db->connected && db->goal != GOAL_NONE) {
        compare(db, ovs);
    }
    tell_done(db, ovs);
}

void
hostdb_wait(struct hostdb *db)
{
    ovsdb_idl_wait(db->idl);
    if (!db->connected) {
        poll_timer_wait_until(db->restart_at);
    }
    if (db->txn) {
        ovsdb_idl_txn_wait(db->txn);
    } else if (db->compare && db->connected && db->goal != GOAL_NONE) {
        poll_immediate_wake();
    }
    if (db->retry_at != LLONG_MAX) {
        poll_timer_wait_until(db->retry_at);
    }
    if (db->changes) {
        poll_immediate_wake();
    }
}

unsigned int
hostdb_take_changes(struct hostdb *db)
{
    unsigned int changes = db->changes;
    db->changes = 0;
    return changes;
}

bool
hostdb_is_connected(const struct hostdb *db)
{
    return db->connected;
}

bool
hostdb_is_ready(const struct hostdb *db)
{
    return db->ready;
}

const char *
hostdb_error(const struct hostdb *db)
{
    return db->error ? db->error : db->port_error;
}

const struct hostdb_port *
hostdb_ports(const struct hostdb *db, size_t *n)
{
    *n = db->n_ports;
    return db->ports;
}

uint64_t
hostdb_datapath_id(const struct hostdb *db)
{
    return db->datapath_id;
}

void
hostdb_format(const struct hostdb *db, struct ds *ds)
{
    ds_put_format(ds, "%s: %s, %s, %"PRIuSIZE" ports", db->name,
                  db->connected ? "connected" : "not connected",
                  db->ready ? "ready" : db->txn ? "writing" : "not ready",
                  db->n_ports);
    if (hostdb_error(db)) {
        ds_put_format(ds, ", %s", hostdb_error(db));
    }
}
