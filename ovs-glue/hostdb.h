/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVS_GLUE_HOSTDB_H
#define OVS_GLUE_HOSTDB_H 1

/* One host's Open vSwitch database.
 *
 * A 'struct hostdb' holds a connection to a host's ovsdb-server, sees to it
 * that the integration bridge is there as 'struct hostdb_config' says, and
 * reports that bridge's ports.  It never waits: hostdb_set_config() notes what
 * is wanted, hostdb_run() compares that with the database and commits the
 * difference, again after every change in the database, whoever made it.
 *
 * What it makes is marked with external_ids:tollway, and it changes and removes
 * nothing else:
 *
 *     Bridge, made by Tollway     tollway=bridge
 *     Bridge, found there         tollway=adopted
 *     tunnel Port and Interface   tollway=tunnel
 *     Interface with our BFD      tollway-bfd=true
 *
 * hostdb_release() takes all of it away when a host leaves the fabric: tunnel
 * ports, BFD, table names, controller.  A bridge that Tollway made goes too, if
 * no ports of others are on it.  Otherwise the bridge stays, in secure fail
 * mode and so without a way for packets once its flows are gone: a fail mode of
 * "standalone" would join networks that were kept apart.  Its flows are the
 * OpenFlow session's to remove.
 *
 * Nodes' ports are found by the caller in the report: external_ids:iface-id.
 * mtu_request is never touched (taps belong to the hypervisor); the MTU is
 * reported. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>
#include "openvswitch/types.h"

struct ds;
struct hostdb;

/* A tunnel port to one other host with BFD on it, beside the flow-based one. */
struct hostdb_peer {
    const char *host;           /* The other host's name (for the mark). */
    struct in6_addr remote;     /* Its tunnel address. */
    uint32_t interval_ms;       /* BFD min_rx and min_tx; 0: 100. */
};

/* BFD on an attachment's port. */
struct hostdb_bfd {
    const char *port;           /* Interface name. */
    uint32_t interval_ms;       /* min_rx and min_tx. */
    uint8_t multiplier;
    struct in6_addr local_ip, remote_ip;
    struct eth_addr local_mac;  /* Ours, which the peer sends to. */
    struct eth_addr remote_mac; /* The peer's; zero: not known yet. */
};

struct hostdb_config {
    const char *bridge;         /* NULL: "br-int". */
    const char *datapath_type;  /* NULL: as the host's other bridges have. */
    const char *controller;     /* Target for the bridge to connect to, NULL:
                                 * none (the session uses BRIDGE.mgmt). */
    const char *const *tables;  /* Names of flow tables 0, 1...; NULL: none */
    size_t n_tables;            /* for that table. */
    const char *tunnel_type;    /* "vxlan" or "geneve", NULL: "vxlan". */
    struct in6_addr tunnel_ip;  /* Local address; unspecified: no tunnels. */
    uint16_t tunnel_port;       /* UDP destination port, 0: the type's own. */
    const struct hostdb_peer *peers;
    size_t n_peers;
    const struct hostdb_bfd *bfds;
    size_t n_bfds;
    bool keep;                  /* What is there of ours beyond this stays: for
                                 * a caller that has just started and does not
                                 * know everything yet. */
};

enum hostdb_bfd_state { HOSTDB_BFD_NONE, HOSTDB_BFD_DOWN, HOSTDB_BFD_UP };

/* A port of the bridge, one interface each. */
struct hostdb_port {
    char *name;                 /* Interface's. */
    uint32_t ofport;            /* OpenFlow port number, never 0. */
    char *iface_id;             /* external_ids:iface-id, or NULL. */
    char *type;                 /* "", "vxlan", "internal"... */
    bool admin_up, link_up;     /* Tunnels are always up. */
    uint16_t mtu;               /* 0: not known. */
    struct eth_addr mac;        /* mac_in_use; zero: not known. */
    enum hostdb_bfd_state bfd;  /* UP: state up and forwarding. */
    char *bfd_diagnostic;       /* Why down, or NULL. */
    bool tunnel;                /* One that hostdb made... */
    char *remote;               /* ...to this address; NULL: "flow". */
};

/* What happened since hostdb_take_changes() was asked last. */
enum {
    HOSTDB_CONNECTED = 1 << 0,      /* The database's contents are here. */
    HOSTDB_DISCONNECTED = 1 << 1,   /* Ports stay as they were last seen. */
    HOSTDB_READY = 1 << 2,          /* The bridge is as wanted and up. */
    HOSTDB_PORTS = 1 << 3,          /* hostdb_ports() has changed. */
    HOSTDB_CLEANED = 1 << 4,        /* hostdb_release() is done. */
    HOSTDB_FAILED = 1 << 5,         /* hostdb_error() says what. */
};

/* 'remote' is an OVSDB connection method, like
 * "unix:/var/run/openvswitch/db.sock" or "ssl:192.0.2.1:6640"; several, comma
 * separated, are tried in turn. */
struct hostdb *hostdb_create(const char *remote, const char *name);
void hostdb_destroy(struct hostdb *);
void hostdb_set_remote(struct hostdb *, const char *remote);

/* Copies 'config'.  Until the first call nothing is written. */
void hostdb_set_config(struct hostdb *, const struct hostdb_config *config);
/* Takes everything of ours away from the host; HOSTDB_CLEANED says when. */
void hostdb_release(struct hostdb *);

void hostdb_run(struct hostdb *);
void hostdb_wait(struct hostdb *);

/* A set of HOSTDB_* flags, which is empty afterwards. */
unsigned int hostdb_take_changes(struct hostdb *);

bool hostdb_is_connected(const struct hostdb *);
/* The bridge is as wanted, and ovs-vswitchd has taken notice. */
bool hostdb_is_ready(const struct hostdb *);
/* What the last failed transaction said, or what stands in the way; or NULL. */
const char *hostdb_error(const struct hostdb *);

/* The bridge's ports that have an OpenFlow port number, by name; valid until
 * the next hostdb_run(). */
const struct hostdb_port *hostdb_ports(const struct hostdb *, size_t *n);
/* An id of the bridge, 0 if it isn't there. */
uint64_t hostdb_datapath_id(const struct hostdb *);

/* One line about the state, for people. */
void hostdb_format(const struct hostdb *, struct ds *);

#endif /* ovs-glue/hostdb.h */
