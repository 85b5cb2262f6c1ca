/* SPDX-License-Identifier: Apache-2.0 */

/* See hostdb-sync.h. */

#include <config.h>
#include "ovs-glue/hostdb-sync.h"
#include <ctype.h>
#include <string.h>
#include "controller/base/prefix.h"
#include "lib/vswitch-idl.h"
#include "openvswitch/util.h"
#include "ovs-glue/hostdb.h"
#include "hash.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

#define MARK "tollway"
#define MARK_HOST "tollway-host"
#define MARK_BFD "tollway-bfd"

/* What a tunnel's BFD uses if nothing is said, in ms. */
#define TUNNEL_BFD_INTERVAL 100

/* Longest name of a network device. */
#define PORT_NAME_MAX 15

void
hostdb_sync_add_columns(struct ovsdb_idl *idl)
{
    static struct ovsdb_idl_column *const columns[] = {
        &ovsrec_open_vswitch_col_bridges,
        &ovsrec_open_vswitch_col_next_cfg,
        &ovsrec_open_vswitch_col_cur_cfg,
        &ovsrec_bridge_col_name,
        &ovsrec_bridge_col_datapath_type,
        &ovsrec_bridge_col_datapath_id,
        &ovsrec_bridge_col_fail_mode,
        &ovsrec_bridge_col_protocols,
        &ovsrec_bridge_col_controller,
        &ovsrec_bridge_col_flow_tables,
        &ovsrec_bridge_col_ports,
        &ovsrec_bridge_col_external_ids,
        &ovsrec_controller_col_target,
        &ovsrec_controller_col_external_ids,
        &ovsrec_flow_table_col_name,
        &ovsrec_flow_table_col_external_ids,
        &ovsrec_port_col_name,
        &ovsrec_port_col_interfaces,
        &ovsrec_port_col_external_ids,
        &ovsrec_interface_col_name,
        &ovsrec_interface_col_type,
        &ovsrec_interface_col_options,
        &ovsrec_interface_col_external_ids,
        &ovsrec_interface_col_ofport,
        &ovsrec_interface_col_error,
        &ovsrec_interface_col_admin_state,
        &ovsrec_interface_col_link_state,
        &ovsrec_interface_col_mtu,
        &ovsrec_interface_col_mac_in_use,
        &ovsrec_interface_col_bfd,
        &ovsrec_interface_col_bfd_status,
    };
    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    ovsdb_idl_add_table(idl, &ovsrec_table_bridge);
    ovsdb_idl_add_table(idl, &ovsrec_table_controller);
    ovsdb_idl_add_table(idl, &ovsrec_table_flow_table);
    ovsdb_idl_add_table(idl, &ovsrec_table_port);
    ovsdb_idl_add_table(idl, &ovsrec_table_interface);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        ovsdb_idl_add_column(idl, columns[i]);
    }
}

const struct ovsrec_bridge *
hostdb_sync_find_bridge(const struct ovsrec_open_vswitch *ovs,
                        const char *name)
{
    for (size_t i = 0; i < ovs->n_bridges; i++) {
        if (!strcmp(ovs->bridges[i]->name, name)) {
            return ovs->bridges[i];
        }
    }
    return NULL;
}

static bool
has_mark(const struct smap *external_ids, const char *value)
{
    return !strcmp(smap_get_def(external_ids, MARK, ""), value);
}

bool
hostdb_sync_is_our_tunnel(const struct ovsrec_port *port)
{
    return has_mark(&port->external_ids, "tunnel");
}

/* The bridge. */

/* As the host's other bridges have it: the first in order of name says so. */
static const char *
habitual_datapath_type(const struct ovsrec_open_vswitch *ovs)
{
    const struct ovsrec_bridge *first = NULL;
    for (size_t i = 0; i < ovs->n_bridges; i++) {
        const struct ovsrec_bridge *br = ovs->bridges[i];
        if (!first || strcmp(br->name, first->name) < 0) {
            first = br;
        }
    }
    return first ? first->datapath_type : "";
}

/* "system" is the default and may be written as nothing at all. */
static bool
same_datapath_type(const char *a, const char *b)
{
    a = a[0] ? a : "system";
    b = b[0] ? b : "system";
    return !strcmp(a, b);
}

static const struct ovsrec_bridge *
create_bridge(struct ovsdb_idl_txn *txn, const struct ovsrec_open_vswitch *ovs,
              const struct hostdb_config *cfg)
{
    const char *datapath_type = (cfg->datapath_type ? cfg->datapath_type
                                 : habitual_datapath_type(ovs));
    struct ovsrec_interface *iface = ovsrec_interface_insert(txn);
    ovsrec_interface_set_name(iface, cfg->bridge);
    ovsrec_interface_set_type(iface, "internal");
    struct ovsrec_port *port = ovsrec_port_insert(txn);
    ovsrec_port_set_name(port, cfg->bridge);
    ovsrec_port_set_interfaces(port, &iface, 1);

    struct ovsrec_bridge *br = ovsrec_bridge_insert(txn);
    ovsrec_bridge_set_name(br, cfg->bridge);
    ovsrec_bridge_set_datapath_type(br, datapath_type);
    ovsrec_bridge_set_ports(br, &port, 1);
    const struct smap ids = SMAP_CONST1(&ids, MARK, "bridge");
    ovsrec_bridge_set_external_ids(br, &ids);
    ovsrec_open_vswitch_update_bridges_addvalue(ovs, br);
    return br;
}

static bool
sync_bridge(const struct ovsrec_bridge *br, const struct hostdb_config *cfg)
{
    static const char *const protocols[] = { "OpenFlow15" };
    bool changed = false;
    if (!smap_get(&br->external_ids, MARK)) {
        ovsrec_bridge_update_external_ids_setkey(br, MARK, "adopted");
        changed = true;
    }
    if (!br->fail_mode || strcmp(br->fail_mode, "secure")) {
        ovsrec_bridge_set_fail_mode(br, "secure");
        changed = true;
    }
    if (br->n_protocols != 1 || strcmp(br->protocols[0], protocols[0])) {
        ovsrec_bridge_set_protocols(br, CONST_CAST(const char **, protocols),
                                    1);
        changed = true;
    }
    if (cfg->datapath_type
        && !same_datapath_type(br->datapath_type, cfg->datapath_type)) {
        ovsrec_bridge_set_datapath_type(br, cfg->datapath_type);
        changed = true;
    }
    return changed;
}

static const struct ovsrec_flow_table *
find_flow_table(const struct ovsrec_bridge *br, int64_t id)
{
    for (size_t i = 0; i < br->n_flow_tables; i++) {
        if (br->key_flow_tables[i] == id) {
            return br->value_flow_tables[i];
        }
    }
    return NULL;
}

/* Names tables 0, 1...; removes our names for tables beyond. */
static bool
sync_tables(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
            const char *const *names, size_t n)
{
    bool changed = false;
    for (size_t i = 0; i < n; i++) {
        const struct ovsrec_flow_table *ft = find_flow_table(br, i);
        if (!names[i] || (ft && ft->name && !strcmp(ft->name, names[i]))) {
            continue;
        }
        if (!ft) {
            ft = ovsrec_flow_table_insert(txn);
            const struct smap ids = SMAP_CONST1(&ids, MARK, "table");
            ovsrec_flow_table_set_external_ids(ft, &ids);
            ovsrec_bridge_update_flow_tables_setkey(br, i, ft);
        }
        ovsrec_flow_table_set_name(ft, names[i]);
        changed = true;
    }
    for (size_t i = 0; i < br->n_flow_tables; i++) {
        int64_t id = br->key_flow_tables[i];
        if ((id >= (int64_t) n || !names[id])
            && has_mark(&br->value_flow_tables[i]->external_ids, "table")) {
            ovsrec_bridge_update_flow_tables_delkey(br, id);
            changed = true;
        }
    }
    return changed;
}

/* 'target' NULL: no controller of ours. */
static bool
sync_controller(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
                const char *target)
{
    bool found = false, changed = false;
    for (size_t i = 0; i < br->n_controller; i++) {
        const struct ovsrec_controller *c = br->controller[i];
        if (target && !strcmp(c->target, target)) {
            found = true;
        } else if (has_mark(&c->external_ids, "controller")) {
            ovsrec_bridge_update_controller_delvalue(br, c);
            changed = true;
        }
    }
    if (target && !found) {
        struct ovsrec_controller *c = ovsrec_controller_insert(txn);
        ovsrec_controller_set_target(c, target);
        const struct smap ids = SMAP_CONST1(&ids, MARK, "controller");
        ovsrec_controller_set_external_ids(c, &ids);
        ovsrec_bridge_update_controller_addvalue(br, c);
        changed = true;
    }
    return changed;
}

/* Tunnels. */

/* Port names are unique within a host.  They are readable if they can be,
 * otherwise they have a hash of what they are for. */
static char *
tunnel_name(const char *bridge, const char *peer)
{
    const char *base = peer ? peer : "flow";
    bool readable = (!strcmp(bridge, HOSTDB_DEFAULT_BRIDGE)
                     && strlen("tw-") + strlen(base) <= PORT_NAME_MAX
                     && !(peer && !strcmp(peer, "flow")));
    for (const char *p = base; *p && readable; p++) {
        readable = isalnum((unsigned char) *p) || strchr("._-", *p);
    }
    return (readable
            ? xasprintf("tw-%s", base)
            : xasprintf("tw-%08x",
                        hash_string(bridge, hash_string(base, !peer))));
}

/* What a tunnel port shall be.  'peer' NULL: the flow-based one. */
static void
tunnel_want(const struct hostdb_config *cfg, const struct hostdb_peer *peer,
            struct smap *options, struct smap *bfd)
{
    char local[ADDR_STRLEN], remote[ADDR_STRLEN];
    addr_to_string(&cfg->tunnel_ip, local);
    smap_init(options);
    smap_init(bfd);
    smap_add(options, "key", "flow");
    smap_add(options, "local_ip", local);
    if (cfg->tunnel_port) {
        smap_add_format(options, "dst_port", "%"PRIu16, cfg->tunnel_port);
    }
    if (!peer) {
        smap_add(options, "remote_ip", "flow");
        return;
    }
    addr_to_string(&peer->remote, remote);
    smap_add(options, "remote_ip", remote);

    unsigned int ms = peer->interval_ms ? peer->interval_ms
                      : TUNNEL_BFD_INTERVAL;
    smap_add(bfd, "enable", "true");
    /* Otherwise BFD takes every tenant's UDP 3784 for its own. */
    smap_add(bfd, "check_tnl_key", "true");
    smap_add(bfd, "bfd_src_ip", local);
    smap_add(bfd, "bfd_dst_ip", remote);
    smap_add_format(bfd, "min_rx", "%u", ms);
    smap_add_format(bfd, "min_tx", "%u", ms);
}

static const struct ovsrec_port *
find_port(const struct ovsrec_bridge *br, const char *name)
{
    for (size_t i = 0; i < br->n_ports; i++) {
        if (!strcmp(br->ports[i]->name, name)) {
            return br->ports[i];
        }
    }
    return NULL;
}

static void
create_tunnel(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
              const char *name, const char *type, const char *host,
              const struct smap *options, const struct smap *bfd)
{
    struct smap ids = SMAP_INITIALIZER(&ids);
    smap_add(&ids, MARK, "tunnel");
    if (host) {
        smap_add(&ids, MARK_HOST, host);
    }
    struct ovsrec_interface *iface = ovsrec_interface_insert(txn);
    ovsrec_interface_set_name(iface, name);
    ovsrec_interface_set_type(iface, type);
    ovsrec_interface_set_options(iface, options);
    ovsrec_interface_set_bfd(iface, bfd);
    ovsrec_interface_set_external_ids(iface, &ids);
    struct ovsrec_port *port = ovsrec_port_insert(txn);
    ovsrec_port_set_name(port, name);
    ovsrec_port_set_interfaces(port, &iface, 1);
    ovsrec_port_set_external_ids(port, &ids);
    ovsrec_bridge_update_ports_addvalue(br, port);
    smap_destroy(&ids);
}

/* Makes or corrects one tunnel port, and removes its name from '*stale'. */
static bool
sync_tunnel(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
            const struct hostdb_config *cfg, const struct hostdb_peer *peer,
            struct smap *stale)
{
    const char *type = cfg->tunnel_type ? cfg->tunnel_type : "vxlan";
    char *name = tunnel_name(cfg->bridge, peer ? peer->host : NULL);
    struct smap options, bfd;
    tunnel_want(cfg, peer, &options, &bfd);

    bool changed = false;
    const struct ovsrec_port *port = find_port(br, name);
    if (!port) {
        create_tunnel(txn, br, name, type, peer ? peer->host : NULL, &options,
                      &bfd);
        changed = true;
    } else if (hostdb_sync_is_our_tunnel(port) && port->n_interfaces == 1) {
        const struct ovsrec_interface *iface = port->interfaces[0];
        smap_remove(stale, name);
        if (strcmp(iface->type, type)) {
            ovsrec_interface_set_type(iface, type);
            changed = true;
        }
        if (!smap_equal(&iface->options, &options)) {
            ovsrec_interface_set_options(iface, &options);
            changed = true;
        }
        if (!smap_equal(&iface->bfd, &bfd)) {
            ovsrec_interface_set_bfd(iface, &bfd);
            changed = true;
        }
    }
    smap_destroy(&options);
    smap_destroy(&bfd);
    free(name);
    return changed;
}

static bool
sync_tunnels(struct ovsdb_idl_txn *txn, const struct ovsrec_bridge *br,
             const struct hostdb_config *cfg)
{
    struct smap stale = SMAP_INITIALIZER(&stale);
    for (size_t i = 0; i < br->n_ports; i++) {
        if (hostdb_sync_is_our_tunnel(br->ports[i])) {
            smap_add_once(&stale, br->ports[i]->name, "");
        }
    }
    bool changed = false;
    if (ipv6_addr_is_set(&cfg->tunnel_ip)) {
        changed |= sync_tunnel(txn, br, cfg, NULL, &stale);
        for (size_t i = 0; i < cfg->n_peers; i++) {
            changed |= sync_tunnel(txn, br, cfg, &cfg->peers[i], &stale);
        }
    }

    const struct smap_node *node;
    if (cfg->keep) {
        smap_clear(&stale);
    }
    SMAP_FOR_EACH (node, &stale) {
        ovsrec_bridge_update_ports_delvalue(br, find_port(br, node->key));
        changed = true;
    }
    smap_destroy(&stale);
    return changed;
}

/* BFD on attachments' ports. */

static void
bfd_want(const struct hostdb_bfd *b, struct smap *bfd)
{
    char buf[ADDR_STRLEN];
    smap_init(bfd);
    smap_add(bfd, "enable", "true");
    smap_add_format(bfd, "min_rx", "%"PRIu32, b->interval_ms);
    smap_add_format(bfd, "min_tx", "%"PRIu32, b->interval_ms);
    smap_add_format(bfd, "mult", "%"PRIu8, b->multiplier);
    smap_add(bfd, "bfd_src_ip", addr_to_string(&b->local_ip, buf));
    smap_add(bfd, "bfd_dst_ip", addr_to_string(&b->remote_ip, buf));
    smap_add_format(bfd, "bfd_local_src_mac", ETH_ADDR_FMT,
                    ETH_ADDR_ARGS(b->local_mac));
    smap_add_format(bfd, "bfd_local_dst_mac", ETH_ADDR_FMT,
                    ETH_ADDR_ARGS(b->remote_mac));
    /* The address that the peer sends to: ours. */
    smap_add_format(bfd, "bfd_remote_dst_mac", ETH_ADDR_FMT,
                    ETH_ADDR_ARGS(b->local_mac));
}

static const struct hostdb_bfd *
find_bfd(const struct hostdb_config *cfg, const char *port)
{
    for (size_t i = 0; i < cfg->n_bfds; i++) {
        /* Without the peer's address the keys aren't complete, and they have
         * to be set all at once. */
        if (!strcmp(cfg->bfds[i].port, port)
            && !eth_addr_is_zero(cfg->bfds[i].remote_mac)) {
            return &cfg->bfds[i];
        }
    }
    return NULL;
}

/* Keys that change in a running session don't reach the datapath's flows;
 * taking the session away and making it anew does.  ovs-vswitchd has to see
 * both, so the second waits until it has 'settled' after the first. */
static bool
sync_bfd(const struct ovsrec_interface *iface, const struct hostdb_bfd *b,
         bool settled)
{
    bool ours = smap_get(&iface->external_ids, MARK_BFD) != NULL;
    struct smap want = SMAP_INITIALIZER(&want);
    if (b) {
        bfd_want(b, &want);
    }
    bool changed = false;
    if (!b && ours) {
        ovsrec_interface_set_bfd(iface, &want);
        ovsrec_interface_update_external_ids_delkey(iface, MARK_BFD);
        changed = true;
    } else if (b && ours && !smap_is_empty(&iface->bfd)
               && !smap_equal(&iface->bfd, &want)) {
        smap_clear(&want);
        ovsrec_interface_set_bfd(iface, &want);
        changed = true;
    } else if (b && !smap_equal(&iface->bfd, &want) && (settled || !ours)) {
        ovsrec_interface_set_bfd(iface, &want);
        ovsrec_interface_update_external_ids_setkey(iface, MARK_BFD, "true");
        changed = true;
    }
    smap_destroy(&want);
    return changed;
}

static bool
sync_bfds(const struct ovsrec_bridge *br, const struct hostdb_config *cfg,
          bool settled)
{
    bool changed = false;
    for (size_t i = 0; i < br->n_ports; i++) {
        const struct ovsrec_port *port = br->ports[i];
        if (hostdb_sync_is_our_tunnel(port)) {
            continue;
        }
        for (size_t j = 0; j < port->n_interfaces; j++) {
            const struct ovsrec_interface *iface = port->interfaces[j];
            const struct hostdb_bfd *b = find_bfd(cfg, iface->name);

            if (b || !cfg->keep) {
                changed |= sync_bfd(iface, b, settled);
            }
        }
    }
    return changed;
}

/* All of it. */

bool
hostdb_sync(struct ovsdb_idl_txn *txn, const struct ovsrec_open_vswitch *ovs,
            const struct hostdb_config *cfg, bool settled)
{
    const struct ovsrec_bridge *br = hostdb_sync_find_bridge(ovs, cfg->bridge);
    if (!br) {
        /* The IDL can't mutate a row in the transaction that inserts it. */
        sync_bridge(create_bridge(txn, ovs, cfg), cfg);
        return true;
    }
    bool changed = sync_bridge(br, cfg);
    changed |= sync_tables(txn, br, cfg->tables, cfg->n_tables);
    changed |= sync_controller(txn, br, cfg->controller);
    changed |= sync_tunnels(txn, br, cfg);
    changed |= sync_bfds(br, cfg, settled);
    return changed;
}

/* Whether 'br' has nothing but its own local port and what is ours. */
static bool
only_ours(const struct ovsrec_bridge *br)
{
    for (size_t i = 0; i < br->n_ports; i++) {
        if (strcmp(br->ports[i]->name, br->name)
            && !hostdb_sync_is_our_tunnel(br->ports[i])) {
            return false;
        }
    }
    return true;
}

bool
hostdb_sync_release(struct ovsdb_idl_txn *txn,
                    const struct ovsrec_open_vswitch *ovs, const char *bridge)
{
    const struct ovsrec_bridge *br = hostdb_sync_find_bridge(ovs, bridge);
    if (!br || !smap_get(&br->external_ids, MARK)) {
        return false;
    }
    if (has_mark(&br->external_ids, "bridge") && only_ours(br)) {
        ovsrec_open_vswitch_update_bridges_delvalue(ovs, br);
        return true;
    }
    const struct hostdb_config nothing = { .bridge = bridge };
    sync_tables(txn, br, NULL, 0);
    sync_controller(txn, br, NULL);
    sync_tunnels(txn, br, &nothing);
    sync_bfds(br, &nothing, true);
    ovsrec_bridge_update_external_ids_delkey(br, MARK);
    return true;
}
