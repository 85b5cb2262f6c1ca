/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "tests/sim/realbridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dp-packet.h"
#include "jsonrpc.h"
#include "netlink.h"
#include "odp-execute.h"
#include "odp-util.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vconn.h"
#include "packets.h"
#include "socket-util.h"
#include "unixctl.h"
#include "util.h"

#define MAX_ODP_PORTS 65536

struct realbridge {
    char *rundir;
    struct vconn *vconn;
    struct jsonrpc *ctl;
    ofp_port_t *ofp_ports;      /* By datapath port number; 0: none. */
    bool ports_known;
};

static char *
ctl(struct realbridge *rb, const char *command, int argc, char *argv[])
{
    char *result, *error;
    int retval = unixctl_client_transact(rb->ctl, command, argc, argv,
                                         &result, &error);

    if (retval || error) {
        ovs_fatal(retval, "%s: %s", command, error ? error : "no connection");
    }
    return result;
}

static void
ctl0(struct realbridge *rb, const char *command)
{
    free(ctl(rb, command, 0, NULL));
}

struct realbridge *
realbridge_open(const char *rundir)
{
    struct realbridge *rb = xzalloc(sizeof *rb);
    char *name = xasprintf("unix:%s/br0.mgmt", rundir);
    int error;

    rb->rundir = xstrdup(rundir);
    rb->ofp_ports = xcalloc(MAX_ODP_PORTS, sizeof *rb->ofp_ports);
    error = vconn_open(name, 1u << OFP15_VERSION, DSCP_DEFAULT, &rb->vconn);
    if (!error) {
        error = vconn_connect_block(rb->vconn, -1);
    }
    if (error) {
        ovs_fatal(error, "%s", name);
    }
    free(name);
    name = xasprintf("%s/vswitchd.ctl", rundir);
    error = unixctl_client_create(name, &rb->ctl);
    if (error) {
        ovs_fatal(error, "%s", name);
    }
    free(name);
    odp_execute_init();
    return rb;
}

void
realbridge_close(struct realbridge *rb)
{
    if (rb) {
        vconn_close(rb->vconn);
        jsonrpc_close(rb->ctl);
        free(rb->ofp_ports);
        free(rb->rundir);
        free(rb);
    }
}

/* Ports. */

/* Reads the numbers that ports have in the datapath from lines like
 * "    p1 1/7: (dummy)". */
static void
read_port_numbers(struct realbridge *rb)
{
    char *text = ctl(rb, "dpif/show", 0, NULL);
    bool in_br0 = false;

    memset(rb->ofp_ports, 0, MAX_ODP_PORTS * sizeof *rb->ofp_ports);
    for (char *save, *line = strtok_r(text, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        unsigned int ofp, odp;

        if (!strncmp(line, "  br", 4)) {
            in_br0 = !strcmp(line, "  br0:");
        } else if (in_br0 && sscanf(line, "    %*s %u/%u:", &ofp, &odp) == 2
                   && odp < MAX_ODP_PORTS && ofp < 65534) {
            rb->ofp_ports[odp] = u16_to_ofp(ofp);
        }
    }
    free(text);
}

static void
add_port_command(struct ds *cmd, const struct simport *port)
{
    ds_put_format(cmd, " -- add-port br0 s%d -- set interface s%d"
                  " ofport_request=%d type=", port->ofp_port, port->ofp_port,
                  port->ofp_port);
    switch (port->kind) {
    case SIMPORT_PLAIN:
        ds_put_cstr(cmd, "dummy");
        break;
    case SIMPORT_TUNNEL_FLOW:
        ds_put_cstr(cmd, "vxlan options:key=flow options:remote_ip=flow");
        break;
    case SIMPORT_TUNNEL_FIXED:
        ds_put_format(cmd, "vxlan options:key=flow options:remote_ip="IP_FMT,
                      IP_ARGS(port->remote));
        break;
    }
}

void
realbridge_sync_ports(struct realbridge *rb, const struct simswitch *sw)
{
    struct ds cmd = DS_EMPTY_INITIALIZER;
    const struct simport *port;

    ds_put_format(&cmd, "ovs-vsctl --db=unix:%s/db.sock"
                  " --if-exists del-port br0 keep", rb->rundir);
    ds_put_format(&cmd, " $(ovs-vsctl --db=unix:%s/db.sock list-ports br0"
                  " | sed 's/^/-- del-port br0 /')", rb->rundir);
    if (system(ds_cstr(&cmd))) {
        ovs_fatal(0, "%s: failed", ds_cstr(&cmd));
    }
    ds_clear(&cmd);
    ds_put_format(&cmd, "ovs-vsctl --db=unix:%s/db.sock", rb->rundir);
    HMAP_FOR_EACH (port, node, &sw->ports) {
        add_port_command(&cmd, port);
    }
    if (system(ds_cstr(&cmd))) {
        ovs_fatal(0, "%s: failed", ds_cstr(&cmd));
    }
    ds_destroy(&cmd);

    HMAP_FOR_EACH (port, node, &sw->ports) {
        if (port->kind == SIMPORT_PLAIN && !simport_is_alive(port)) {
            char *args[] = { xasprintf("s%d", port->ofp_port),
                             CONST_CAST(char *, "down") };

            free(ctl(rb, "netdev-dummy/set-admin-state", 2, args));
            free(args[0]);
        }
    }
    /* The daemon takes a few rounds of its main loop to see a link go down. */
    for (int i = 0; i < 4; i++) {
        ctl0(rb, "version");
    }
    read_port_numbers(rb);
}

/* Messages. */

enum ofperr
realbridge_send(struct realbridge *rb, const struct ofpbuf *msg)
{
    struct ofpbuf *request = ofpbuf_clone(msg);
    struct ofpbuf *reply;
    enum ofperr error = 0;
    int retval;

    ofpmsg_update_length(request);
    retval = vconn_transact_noreply(rb->vconn, request, &reply);
    if (retval) {
        ovs_fatal(retval, "lost the bridge");
    }
    if (reply) {
        enum ofptype type;

        if (!ofptype_decode(&type, reply->data) && type == OFPTYPE_ERROR) {
            error = ofperr_decode_msg(reply->data, NULL);
        }
        ofpbuf_delete(reply);
    }
    return error;
}

static void
must_send(struct realbridge *rb, struct ofpbuf *msg, const char *what)
{
    enum ofperr error = realbridge_send(rb, msg);

    if (error) {
        ovs_fatal(0, "real bridge refuses %s: %s", what,
                  ofperr_to_string(error));
    }
    ofpbuf_delete(msg);
}

void
realbridge_clear(struct realbridge *rb)
{
    struct ofputil_flow_mod fm = {
        .command = OFPFC_DELETE,
        .table_id = OFPTT_ALL,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .buffer_id = UINT32_MAX,
    };
    struct ofputil_group_mod gm = {
        .command = OFPGC11_DELETE,
        .group_id = OFPG_ALL,
        .command_bucket_id = OFPG15_BUCKET_ALL,
    };
    struct ofputil_meter_mod mm = {
        .command = OFPMC13_DELETE,
        .meter.meter_id = OFPM13_ALL,
    };

    minimatch_init_catchall(&fm.match);
    ovs_list_init(&gm.buckets);
    must_send(rb, ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM),
              "to delete flows");
    must_send(rb, ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1),
              "to delete groups");
    must_send(rb, ofputil_encode_meter_mod(OFP15_VERSION, &mm),
              "to delete meters");
    minimatch_destroy(&fm.match);
}

static void
load_group(struct realbridge *rb, const struct ofputil_group_desc *gd)
{
    struct ofputil_group_mod gm = {
        .command = OFPGC11_ADD,
        .type = gd->type,
        .group_id = gd->group_id,
        .command_bucket_id = OFPG15_BUCKET_ALL,
        .props = gd->props,
    };

    ovs_list_init(&gm.buckets);
    ofputil_bucket_clone_list(&gm.buckets, &gd->buckets, NULL);
    must_send(rb, ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1),
              "a group");
    ofputil_bucket_list_destroy(&gm.buckets);
}

static void
load_flow(struct realbridge *rb, const struct ofputil_flow_stats *fs)
{
    struct ofputil_flow_mod fm = {
        .command = OFPFC_ADD,
        .priority = fs->priority,
        .table_id = fs->table_id,
        .new_cookie = fs->cookie,
        .buffer_id = UINT32_MAX,
        .out_port = OFPP_ANY,
        .out_group = OFPG_ANY,
        .ofpacts = CONST_CAST(struct ofpact *, fs->ofpacts),
        .ofpacts_len = fs->ofpacts_len,
    };

    minimatch_init(&fm.match, &fs->match);
    must_send(rb, ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM), "a flow");
    minimatch_destroy(&fm.match);
}

void
realbridge_load(struct realbridge *rb, struct simswitch *sw)
{
    struct simdump dump;

    realbridge_sync_ports(rb, sw);
    realbridge_clear(rb);
    simswitch_dump(sw, &dump);
    for (size_t i = 0; i < dump.n_meters; i++) {
        struct ofputil_meter_mod mm = {
            .command = OFPMC13_ADD,
            .meter = dump.meters[i],
        };

        must_send(rb, ofputil_encode_meter_mod(OFP15_VERSION, &mm),
                  "a meter");
    }
    for (size_t i = 0; i < dump.n_groups; i++) {
        load_group(rb, dump.groups[i]);
    }
    for (size_t i = 0; i < dump.n_flows; i++) {
        load_flow(rb, &dump.flows[i]);
    }
    simdump_destroy(&dump);
}

/* Packets. */

/* Carries out datapath actions. */
struct executor {
    struct realbridge *rb;
    struct simresult *result;
    bool in_tunnel;             /* The packet has been put into a tunnel. */
};

static struct simpkt *
add_out(struct simresult *r, struct dp_packet *p)
{
    struct simpkt *out;

    if (r->n_outs >= r->allocated_outs) {
        r->outs = x2nrealloc(r->outs, &r->allocated_outs, sizeof *r->outs);
    }
    out = &r->outs[r->n_outs++];
    memset(out, 0, sizeof *out);
    out->size = dp_packet_size(p);
    out->data = xmemdup(dp_packet_data(p), out->size);
    return out;
}

static void
execute_tunnel_push(struct executor *e, struct dp_packet *p,
                    const struct ovs_action_push_tnl *push)
{
    const uint8_t *header = (const uint8_t *) push->header;
    struct simpkt *out = add_out(e->result, p);

    /* Ethernet, IPv4, UDP, VXLAN: flags, VNI and a reserved byte. */
    memcpy(&out->tun_remote, header + 14 + 16, sizeof out->tun_remote);
    out->tun_id = ((uint64_t) header[46] << 16) | (header[47] << 8)
                  | header[48];
    out->port = OFPP_NONE;
    e->in_tunnel = true;
}

static void
execute_userspace(struct executor *e, struct dp_packet *p,
                  const struct nlattr *a)
{
    const struct nlattr *data = nl_attr_find_nested(
        a, OVS_USERSPACE_ATTR_USERDATA);
    struct simresult *r = e->result;
    struct user_action_cookie cookie;
    struct simpunt *punt;

    if (r->n_punts >= r->allocated_punts) {
        r->punts = x2nrealloc(r->punts, &r->allocated_punts,
                              sizeof *r->punts);
    }
    punt = &r->punts[r->n_punts++];
    memset(punt, 0, sizeof *punt);
    punt->pkt.size = dp_packet_size(p);
    punt->pkt.data = xmemdup(dp_packet_data(p), punt->pkt.size);
    if (data && nl_attr_get_size(data) == sizeof cookie) {
        memcpy(&cookie, nl_attr_get(data), sizeof cookie);
        punt->reason = cookie.controller.reason;
        punt->cookie = get_32aligned_be64(&cookie.controller.rule_cookie);
    }
}

static void
execute_cb(void *e_, struct dp_packet_batch *batch, const struct nlattr *a,
           bool should_steal)
{
    struct executor *e = e_;
    struct dp_packet *p = batch->packets[0];

    switch ((int) nl_attr_type(a)) {
    case OVS_ACTION_ATTR_OUTPUT:
        if (e->in_tunnel) {
            e->in_tunnel = false;       /* To the underlay's port. */
        } else {
            uint32_t odp = nl_attr_get_u32(a);

            add_out(e->result, p)->port = (odp < MAX_ODP_PORTS
                                           ? e->rb->ofp_ports[odp] : 0);
        }
        break;
    case OVS_ACTION_ATTR_TUNNEL_PUSH:
        execute_tunnel_push(e, p, nl_attr_get(a));
        break;
    case OVS_ACTION_ATTR_USERSPACE:
        execute_userspace(e, p, a);
        break;
    default:
        break;
    }
    if (should_steal) {
        dp_packet_delete_batch(batch, true);
    }
}

static void
execute(struct realbridge *rb, const char *actions, const struct simpkt *pkt,
        struct simresult *r)
{
    struct executor e = { .rb = rb, .result = r };
    struct dp_packet_batch batch;
    struct dp_packet *p;
    struct ofpbuf odp_actions;
    struct flow flow;
    int error;

    if (!strcmp(actions, "drop")) {
        return;
    }
    ofpbuf_init(&odp_actions, 512);
    error = odp_actions_from_string(actions, NULL, &odp_actions);
    if (error) {
        ovs_fatal(error, "can't parse datapath actions: %s", actions);
    }
    p = dp_packet_clone_data_with_headroom(pkt->data, pkt->size, 128);
    pkt_metadata_init(&p->md, u32_to_odp(1));
    flow_extract(p, &flow);
    dp_packet_batch_init_packet(&batch, p);
    odp_execute_actions(&e, &batch, true, odp_actions.data, odp_actions.size,
                        execute_cb);
    ofpbuf_uninit(&odp_actions);
}

bool
realbridge_trace(struct realbridge *rb, const struct simpkt *pkt,
                 struct simresult *r, struct ds *text)
{
    static const char marker[] = "Datapath actions: ";
    struct ds flow = DS_EMPTY_INITIALIZER;
    struct ds hex = DS_EMPTY_INITIALIZER;
    char *args[3], *reply, *actions;
    bool known;

    simresult_clear(r);
    ds_put_format(&flow, "in_port=%d", pkt->port);
    if (pkt->tun_remote) {
        ds_put_format(&flow, ",tun_src="IP_FMT",tun_dst="IP_FMT
                      ",tun_id=%"PRIu64,
                      IP_ARGS(pkt->tun_remote), IP_ARGS(pkt->tun_local),
                      pkt->tun_id);
    }
    for (size_t i = 0; i < pkt->size; i++) {
        ds_put_format(&hex, "%02x", pkt->data[i]);
    }
    args[0] = CONST_CAST(char *, "br0");
    args[1] = ds_cstr(&flow);
    args[2] = ds_cstr(&hex);
    reply = ctl(rb, "ofproto/trace", 3, args);
    if (text) {
        ds_put_format(text, "ofproto/trace br0 %s %s\n%s\n", args[1], args[2],
                      reply);
    }
    actions = strstr(reply, marker);
    if (!actions) {
        ovs_fatal(0, "ofproto/trace said: %s", reply);
    }
    actions += strlen(marker);
    actions[strcspn(actions, "\n")] = '\0';
    known = !strstr(actions, "recirc(");
    if (known) {
        execute(rb, actions, pkt, r);
    }
    free(reply);
    ds_destroy(&flow);
    ds_destroy(&hex);
    return known;
}

/* Comparison. */

static void
format_out(struct ds *s, const struct simpkt *out)
{
    if (out->tun_remote) {
        ds_put_format(s, "  tunnel to "IP_FMT" key %"PRIu64":",
                      IP_ARGS(out->tun_remote), out->tun_id);
    } else {
        ds_put_format(s, "  port %d:", out->port);
    }
    for (size_t i = 0; i < out->size; i++) {
        ds_put_format(s, " %02x", out->data[i]);
    }
    ds_put_char(s, '\n');
}

static void
format_result(struct ds *s, const char *who, const struct simresult *r)
{
    ds_put_format(s, "%s: %"PRIuSIZE" outputs, %"PRIuSIZE" packet-ins%s%s\n",
                  who, r->n_outs, r->n_punts, r->error ? ", " : "",
                  r->error ? r->error : "");
    for (size_t i = 0; i < r->n_outs; i++) {
        format_out(s, &r->outs[i]);
    }
    for (size_t i = 0; i < r->n_punts; i++) {
        ds_put_format(s, "  packet-in: reason %d, cookie %#"PRIx64"\n",
                      r->punts[i].reason, ntohll(r->punts[i].cookie));
        format_out(s, &r->punts[i].pkt);
    }
}

static bool
same_bytes(const struct simpkt *a, const struct simpkt *b)
{
    return a->size == b->size && !memcmp(a->data, b->data, a->size);
}

bool
realbridge_same_result(const struct simresult *sim,
                       const struct simresult *real, struct ds *why)
{
    bool same = (sim->n_outs == real->n_outs
                 && sim->n_punts == real->n_punts);

    for (size_t i = 0; same && i < sim->n_outs; i++) {
        const struct simpkt *a = &sim->outs[i];
        const struct simpkt *b = &real->outs[i];

        same = (a->tun_remote == b->tun_remote && a->tun_id == b->tun_id
                && (a->tun_remote || a->port == b->port) && same_bytes(a, b));
    }
    for (size_t i = 0; same && i < sim->n_punts; i++) {
        const struct simpunt *a = &sim->punts[i];
        const struct simpunt *b = &real->punts[i];

        same = (a->reason == b->reason && a->cookie == b->cookie
                && same_bytes(&a->pkt, &b->pkt));
    }
    if (!same) {
        format_result(why, "simulated", sim);
        format_result(why, "real", real);
    }
    return same;
}
