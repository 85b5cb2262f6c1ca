/* SPDX-License-Identifier: Apache-2.0 */

#ifndef TESTS_SIM_SIMSWITCH_H
#define TESTS_SIM_SIMSWITCH_H 1

/* A simulated OpenFlow 1.5 bridge, as Open vSwitch 3.1 behaves.
 *
 * What a controller sends arrives as encoded OpenFlow messages
 * (simswitch_recv()), is decoded and checked as OVS does, and is kept decoded.
 * What the controller reads back has gone through OVS's own encoder, so the
 * actions return in the form in which a real bridge returns them.  Packets are
 * real bytes (simswitch_process()); the translation of actions follows
 * ofproto-dpif-xlate: resubmit and its limits, action sets, group liveness,
 * fast failover, hashing, dec_ttl's own punt, no output to the port a packet
 * came from.
 *
 * Everything lives in "struct simswitch"; nothing depends on time but through
 * 'now_ms', nor on any random source.
 *
 * Differences from OVS, on purpose: flows don't time out; dp_hash groups hash
 * by the symmetric L4 hash instead of the datapath's; of the actions, ct,
 * learn, conjunction, MPLS, NSH, sample, bundle and multipath are counted in
 * 'n_unsupported' and otherwise do nothing. */

#include "flow.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "openvswitch/ofp-errors.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-meter.h"
#include "tests/sim/simtable.h"

struct dp_packet;
struct ofp_header;
struct ofpbuf;
struct ofputil_flow_mod;
struct ofputil_packet_in;

enum { SIM_N_TABLES = 255 };

enum simport_kind {
    SIMPORT_PLAIN,              /* A node's, or an attachment's. */
    SIMPORT_TUNNEL_FLOW,        /* Tunnel, remote_ip=flow, key=flow. */
    SIMPORT_TUNNEL_FIXED,       /* Tunnel to 'remote', key=flow. */
};

struct simport {
    struct hmap_node node;      /* In struct simswitch's 'ports'. */
    ofp_port_t ofp_port;
    char *name;
    enum simport_kind kind;
    ovs_be32 remote;            /* SIMPORT_TUNNEL_FIXED only. */
    bool up;                    /* Link and administrative state. */
    bool bfd;                   /* BFD enabled. */
    bool bfd_up;                /* BFD forwarding; ignored if not enabled. */
    bool bfd_check_tnl_key;     /* Leave BFD of a nonzero key to the tenant. */
    uint64_t n_tx, n_rx;        /* Packets. */
};

/* What OVS calls 'may_enable': fit for a bucket to watch. */
static inline bool
simport_is_alive(const struct simport *port)
{
    return port->up && (!port->bfd || port->bfd_up);
}

struct simgroup {
    int ref_cnt;
    struct hmap_node node;      /* In struct simswitch's 'groups'. */
    uint32_t group_id;
    enum ofp11_group_type type;
    struct ovs_list buckets;    /* Contains "struct ofputil_bucket"s. */
    struct ofputil_group_props props;
};

struct simmeter {
    struct hmap_node node;      /* In struct simswitch's 'meters'. */
    struct ofputil_meter_config config; /* Owns its bands. */
    uint64_t *tokens;           /* One per band: thousandths of a packet, or
                                 * bits. */
    long long int used_ms;
    uint64_t n_packets, n_dropped;
};

struct simswitch {
    char *name;
    long long int now_ms;       /* The caller keeps it. */
    struct simtable tables[SIM_N_TABLES];
    struct hmap groups;         /* Contains "struct simgroup"s. */
    struct hmap meters;         /* Contains "struct simmeter"s. */
    struct hmap ports;          /* Contains "struct simport"s. */
    struct hmap bundles;        /* Contains "struct simbundle"s. */
    uint64_t next_seq;

    /* Counts of what was received, for a test to judge what was sent. */
    uint64_t n_flow_mods, n_group_mods, n_meter_mods, n_errors;
    uint64_t n_unsupported;
};

void simswitch_init(struct simswitch *, const char *name);
void simswitch_destroy(struct simswitch *);

/* Drops flows, groups, meters and open bundles, as a restarted ovs-vswitchd
 * does; ports stay. */
void simswitch_restart(struct simswitch *);

/* The controller's connection was lost: open bundles are gone. */
void simswitch_disconnect(struct simswitch *);

/* Ports. */
struct simport *simswitch_add_port(struct simswitch *, ofp_port_t,
                                   const char *name, enum simport_kind,
                                   ovs_be32 remote);
void simswitch_del_port(struct simswitch *, ofp_port_t);
struct simport *simswitch_port(const struct simswitch *, ofp_port_t);
struct simport *simswitch_port_by_name(const struct simswitch *, const char *);
/* The port on which tunnelled packets from 'src' arrive, or NULL. */
struct simport *simswitch_tunnel_rx(const struct simswitch *, ovs_be32 src);

/* Messages.  Replies (errors among them) are appended to 'replies', a list of
 * "struct ofpbuf"s.  Returns the error that is in the replies, or 0. */
enum ofperr simswitch_recv(struct simswitch *, const struct ofp_header *,
                           struct ovs_list *replies);

/* Encodes, receives and frees 'msg'; prints replies that are errors into
 * 'errors' if nonnull. */
enum ofperr simswitch_send(struct simswitch *, struct ofpbuf *msg,
                           struct ds *errors);

/* Reads what is installed, through a multipart request and reply.  The flows
 * and groups are in no meaningful order. */
struct simdump {
    struct ofputil_flow_stats *flows; /* Each with its own ofpacts. */
    size_t n_flows;
    struct ofputil_group_desc **groups;
    size_t n_groups;
    struct ofputil_meter_config *meters; /* Each with its own bands. */
    size_t n_meters;
};
void simswitch_dump(struct simswitch *, struct simdump *);
void simdump_destroy(struct simdump *);
/* Flows, groups and meters in the syntax of ovs-ofctl, for loading into a real
 * bridge and for reading. */
void simswitch_format_flows(struct simswitch *, struct ds *);
void simswitch_format_groups(struct simswitch *, struct ds *);
void simswitch_format_meters(struct simswitch *, struct ds *);

const struct simgroup *simswitch_group(const struct simswitch *, uint32_t id);
const struct simmeter *simswitch_meter(const struct simswitch *, uint32_t id);

/* Packets. */

/* A packet on its way into, or out of, a bridge. */
struct simpkt {
    ofp_port_t port;            /* Where it came in, or goes out. */
    uint8_t *data;              /* Ethernet frame; owned by a result. */
    size_t size;                /* Bytes. */

    /* Tunnel metadata; 'tun_remote' 0 if not by tunnel. */
    ovs_be32 tun_remote;        /* Who sent it, or whom it is sent to. */
    ovs_be32 tun_local;         /* Address of this host; input only. */
    uint64_t tun_id;            /* VNI. */
};

/* A packet-in. */
struct simpunt {
    struct simpkt pkt;          /* 'port' is in_port as it was at the time. */
    struct flow md;             /* Registers, metadata, tunnel. */
    enum ofp_packet_in_reason reason;
    uint8_t table_id;
    ovs_be64 cookie;
    uint8_t *userdata;
    size_t userdata_len;
    uint32_t meter_id;          /* 0: none. */
};

#define SIMSWITCH_TRACE 0x1     /* Write a trace. */
#define SIMSWITCH_PROBE 0x2     /* No counters, no meters consumed. */

struct simresult {
    struct simpkt *outs;
    size_t n_outs, allocated_outs;
    struct simpunt *punts;
    size_t n_punts, allocated_punts;

    /* Where it ended: the last flow that was executed. */
    uint8_t last_table;
    ovs_be64 last_cookie;
    const char *drop;           /* Static text: why something was not output,
                                 * or NULL; the last one. */
    const char *error;          /* Static text: translation was abandoned and
                                 * nothing is output, or NULL. */
    bool ambiguous;             /* Two flows of one priority matched. */
    int max_depth;
    int n_resubmits;

    struct ds trace;            /* Empty without SIMSWITCH_TRACE. */
};

void simresult_init(struct simresult *);
void simresult_clear(struct simresult *);
void simresult_destroy(struct simresult *);

/* Passes a packet, whose 'port' is the one it arrives on, through the
 * bridge. */
void simswitch_process(struct simswitch *, const struct simpkt *,
                       unsigned int flags, struct simresult *);

/* Executes a packet-out. */
enum ofperr simswitch_packet_out(struct simswitch *,
                                 const struct ofpact *, size_t ofpacts_len,
                                 const void *data, size_t size,
                                 ofp_port_t in_port, unsigned int flags,
                                 struct simresult *);

#endif /* tests/sim/simswitch.h */
