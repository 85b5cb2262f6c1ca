/* SPDX-License-Identifier: Apache-2.0 */

/* The simulated switch against a real one.
 *
 *     tests/sim/with-bridge bridge-compare [SEED [N]]
 *
 * N times: sends random meters, groups and flows, singly and in bundles, to a
 * simulated switch and to ovs-vswitchd, as the same bytes; every error must be
 * the same, and after a failed bundle both must hold the same.  Then random
 * packets go through both: the same bytes must leave by the same ports, in the
 * same order, with the same packet-ins. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-bundle.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-group.h"
#include "openvswitch/ofp-meter.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofp-print.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "dp-packet.h"
#include "packets.h"
#include "tests/sim/realbridge.h"
#include "tests/sim/simrand.h"
#include "tests/sim/simswitch.h"
#include "util.h"

#define N_PORTS 4               /* Numbers 1...4. */
#define PORT_TUNNEL_FLOW 10
#define PORT_TUNNEL_FIXED 11
#define N_TABLES 5              /* Tables 0...4. */
#define N_GROUPS 8              /* IDs 1...8. */

struct compare {
    struct simrand rand;
    struct simswitch sw;
    struct realbridge *real;
    int priority;
    int n_messages, n_errors, n_packets, n_outputs, n_failed;
    int n_punts, n_abandoned;
    bool verbose;               /* Print what is sent. */
    uint32_t bucket_of;         /* Actions are made for this group, 0: none. */
    bool in_bundle;             /* Messages are made for a bundle. */
};

static uint32_t
below(struct compare *c, uint32_t n)
{
    return simrand_below(&c->rand, n);
}

/* Random text, in the syntax of ovs-ofctl.  Groups lead to groups of higher
 * numbers and to the last table, which leads to none: a bridge takes exponential
 * time for cycles. */

static const char *const macs[] = {
    "02:00:00:00:00:01", "02:00:00:00:00:02", "0a:00:00:00:00:03",
    "ff:ff:ff:ff:ff:ff",
};
static const char *const ips[] = {
    "10.0.0.1", "10.0.0.2", "10.1.0.1", "192.0.2.7",
};

#define PICK(C, ARRAY) ((ARRAY)[below(C, ARRAY_SIZE(ARRAY))])

static void put_actions(struct compare *, struct ds *, int table, int level);

static void
put_set_field(struct compare *c, struct ds *s)
{
    static const char *const fields[] = {
        "load:%u->NXM_NX_REG0[0..7]", "load:%u->NXM_NX_REG1[4..9]",
        "load:%u->OXM_OF_METADATA[0..3]", "set_field:%u->reg2",
        "set_field:%u->tun_id", "mod_nw_tos:%u", "mod_nw_ttl:%u",
        "mod_tp_src:%u", "mod_tp_dst:%u", "set_field:%u->ip_dscp",
        "mod_vlan_pcp:%u", "mod_vlan_vid:%u", "set_field:%u->icmp_type",
        "set_field:%u->arp_op", "set_field:%u->nw_ttl",
        "set_field:%u->udp_dst",
    };
    static const char *const mac_fields[] = {
        "mod_dl_src:%s", "mod_dl_dst:%s", "set_field:%s->eth_src",
        "set_field:%s->eth_dst", "set_field:%s->arp_sha",
        "set_field:%s->arp_tha",
    };
    static const char *const ip_fields[] = {
        "mod_nw_src:%s", "mod_nw_dst:%s", "set_field:%s->ip_src",
        "set_field:%s->ip_dst", "set_field:%s->arp_spa",
        "set_field:%s->arp_tpa",
    };
    static const char *const fixed[] = {
        "set_field:10.9.0.2->tun_dst", "set_field:10.9.0.3->tun_dst",
        "move:NXM_NX_REG0[0..15]->NXM_NX_REG3[8..23]",
        "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]",
        "move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[]",
        "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[]",
        "move:NXM_NX_REG0[0..7]->NXM_NX_TUN_ID[0..7]",
        "push:NXM_NX_REG0[]", "pop:NXM_NX_REG4[]",
        "load:0->NXM_OF_IN_PORT[]", "load:3->NXM_OF_IN_PORT[]",
        "load:2->NXM_NX_REG5[]", "strip_vlan", "write_metadata:0x5/0xf",
        "set_field:0x3/0x3->metadata", "note:01.02",
    };

    switch (below(c, 4)) {
    case 0: {
        char *text = xasprintf("%u", below(c, 8));
        char *format = xstrdup(PICK(c, fields));
        char *mark = strstr(format, "%u");

        ds_put_buffer(s, format, mark - format);
        ds_put_cstr(s, text);
        ds_put_cstr(s, mark + 2);
        free(format);
        free(text);
        break;
    }
    case 1:
    case 2: {
        bool mac = below(c, 2);
        const char *format = mac ? PICK(c, mac_fields) : PICK(c, ip_fields);
        const char *mark = strstr(format, "%s");

        ds_put_buffer(s, format, mark - format);
        ds_put_cstr(s, mac ? PICK(c, macs) : PICK(c, ips));
        ds_put_cstr(s, mark + 2);
        break;
    }
    default:
        ds_put_cstr(s, PICK(c, fixed));
        break;
    }
}

static void
put_output(struct compare *c, struct ds *s)
{
    static const char *const others[] = {
        "in_port", "output:10", "output:11", "output:77", "controller",
        "controller(userdata=01.02.03)", "output:NXM_NX_REG5[]",
        "controller(userdata=07,meter_id=1)",
    };

    if (below(c, 3)) {
        ds_put_format(s, "output:%u", 1 + below(c, N_PORTS));
    } else {
        ds_put_cstr(s, PICK(c, others));
    }
}

static void
put_action(struct compare *c, struct ds *s, int table, int level)
{
    /* Each check_pkt_larger doubles a bridge's work: only where little
     * follows. */
    switch (below(c, level || c->bucket_of ? 14 : 16)) {
    case 0: case 1: case 2:
        put_output(c, s);
        break;
    case 3: case 4: case 5: {
        uint32_t t = table + 1 + below(c, 2);

        if (t < N_TABLES) {
            ds_put_format(s, "resubmit(%s,%u)", below(c, 4) ? "" : "2", t);
        } else {
            put_output(c, s);
        }
        break;
    }
    case 6:
        ds_put_cstr(s, "dec_ttl");
        break;
    case 7:
        if (table == N_TABLES - 1 || c->bucket_of == N_GROUPS) {
            put_output(c, s);
        } else {
            ds_put_format(s, "group:%u", c->bucket_of + 1
                          + below(c, N_GROUPS - c->bucket_of));
        }
        break;
    case 8: case 9: case 10: case 11:
        put_set_field(c, s);
        break;
    case 12: case 13:
        if (level == 2) {
            put_output(c, s);
            break;
        }
        ds_put_cstr(s, "clone(");
        put_actions(c, s, table, level + 1);
        ds_put_cstr(s, ")");
        break;
    case 15:
        if (table < N_TABLES - 2) {
            put_output(c, s);
            break;
        }
        ds_put_format(s, "check_pkt_larger(%u)->NXM_NX_REG6[%u]",
                      40 + below(c, 60), below(c, 4));
        break;
    default:
        ds_put_cstr(s, below(c, 8) ? "push_vlan:0x8100" : "exit");
        break;
    }
}

static void
put_actions(struct compare *c, struct ds *s, int table, int level)
{
    int n = 1 + below(c, 4);

    for (int i = 0; i < n; i++) {
        if (i) {
            ds_put_char(s, ',');
        }
        put_action(c, s, table, level);
    }
}

static void
put_instructions(struct compare *c, struct ds *s, int table)
{
    /* Back only alone, so that loops are chains and not trees. */
    if (!below(c, 60)) {
        ds_put_format(s, "output:1,resubmit(,%d)", below(c, table + 1));
        return;
    }
    if (!below(c, 12)) {
        ds_put_format(s, "meter:%u,", 1 + below(c, 2));
    }
    put_actions(c, s, table, 0);
    if (!below(c, 8)) {
        ds_put_cstr(s, ",clear_actions");
    }
    if (!below(c, 5)) {
        ds_put_cstr(s, ",write_actions(");
        put_set_field(c, s);
        ds_put_char(s, ',');
        put_output(c, s);
        ds_put_cstr(s, ")");
    }
    if (table < N_TABLES - 1 && !below(c, 4)) {
        ds_put_format(s, ",goto_table:%u", table + 1);
    }
}

static void
put_match(struct compare *c, struct ds *s)
{
    if (below(c, 2)) {
        ds_put_cstr(s, below(c, 3) ? ",ip" : below(c, 2) ? ",arp" : "");
        return;
    }
    if (!below(c, 3)) {
        ds_put_format(s, ",in_port=%u", 1 + below(c, N_PORTS));
    }
    if (!below(c, 6)) {
        ds_put_format(s, ",reg0=%u/0x%x", below(c, 8), below(c, 8));
    }
    if (!below(c, 6)) {
        ds_put_format(s, ",metadata=%u/0x%x", below(c, 8), below(c, 8));
    }
    if (!below(c, 6)) {
        ds_put_format(s, ",dl_dst=%s", PICK(c, macs));
    }
    if (!below(c, 8)) {
        ds_put_cstr(s, below(c, 2) ? ",dl_vlan=5" : ",vlan_tci=0/0x1000");
    }
    if (!below(c, 8)) {
        ds_put_format(s, ",tun_id=%u", below(c, 8));
    }
    switch (below(c, 10)) {
    case 0:
        ds_put_format(s, ",ip,nw_dst=%s/%d", PICK(c, ips),
                      8 + below(c, 25));
        break;
    case 1:
        ds_put_format(s, ",ip,nw_src=%s,nw_ttl=%u", PICK(c, ips),
                      below(c, 3));
        break;
    case 2:
        ds_put_format(s, ",arp,arp_op=%u", 1 + below(c, 2));
        break;
    case 3:
        ds_put_format(s, ",udp,tp_dst=%u", below(c, 8));
        break;
    case 4:
        ds_put_cstr(s, ",icmp,icmp_type=8");
        break;
    case 5:
        ds_put_cstr(s, ",ip");
        break;
    case 6:
        ds_put_cstr(s, ",ip,nw_frag=later");
        break;
    default:
        break;
    }
}

/* ovs-vswitchd 3.1 aborts when it deletes a group that a flow names twice. */
static bool
names_a_group_twice(const struct ofpact *ofpacts, size_t ofpacts_len)
{
    uint32_t named = 0;
    const struct ofpact *a;

    OFPACT_FOR_EACH_FLATTENED (a, ofpacts, ofpacts_len) {
        if (a->type == OFPACT_GROUP) {
            uint32_t bit = 1u << ofpact_get_GROUP(a)->group_id;

            if (named & bit) {
                return true;
            }
            named |= bit;
        }
    }
    return false;
}

/* Random messages; NULL if the text is one that has no encoding. */

static struct ofpbuf *
random_flow_mod(struct compare *c)
{
    static const int commands[] = {
        OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_ADD,
        OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_ADD, OFPFC_ADD,
        OFPFC_MODIFY_STRICT, OFPFC_DELETE_STRICT, OFPFC_MODIFY, OFPFC_DELETE,
    };
    /* In a bundle, ovs-vswitchd 3.1 does not see flows that the bundle itself
     * has added when it looks for loose matches; so these are sent alone. */
    int command = commands[below(c, (ARRAY_SIZE(commands)
                                     - (c->in_bundle ? 2 : 0)))];
    int table = below(c, N_TABLES);
    enum ofputil_protocol usable;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofputil_flow_mod fm;
    struct ofpbuf *msg = NULL;
    char *error;

    if (command == OFPFC_ADD) {
        ds_put_format(&s, "cookie=%#x,", 1 + below(c, 1000));
    }
    ds_put_format(&s, "table=%d", table);
    if (command != OFPFC_DELETE && command != OFPFC_MODIFY) {
        /* Distinct, or else it is open which one matches. */
        ds_put_format(&s, ",priority=%d", ++c->priority);
    }
    put_match(c, &s);
    if (command == OFPFC_DELETE && !below(c, 3)) {
        ds_put_format(&s, ",out_group=%u", 1 + below(c, N_GROUPS));
    }
    if (command != OFPFC_DELETE && command != OFPFC_DELETE_STRICT) {
        ds_put_cstr(&s, ",actions=");
        put_instructions(c, &s, table);
    }
    error = parse_ofp_flow_mod_str(&fm, ds_cstr(&s), NULL, NULL, command,
                                   &usable);
    if (!error) {
        if (!names_a_group_twice(fm.ofpacts, fm.ofpacts_len)) {
            msg = ofputil_encode_flow_mod(&fm, OFPUTIL_P_OF15_OXM);
        }
        free(CONST_CAST(struct ofpact *, fm.ofpacts));
        minimatch_destroy(&fm.match);
    }
    free(error);
    ds_destroy(&s);
    return msg;
}

static struct ofpbuf *
random_group_mod(struct compare *c)
{
    static const char *const types[] = { "all", "select", "indirect", "ff" };
    static const int commands[] = {
        OFPGC11_ADD, OFPGC11_ADD_OR_MOD, OFPGC11_ADD_OR_MOD, OFPGC11_MODIFY,
        OFPGC11_DELETE,
    };
    /* ovs-vswitchd 3.1 aborts when it reverts a bundle that deleted a group
     * together with flows that named it, so none is deleted in a bundle. */
    int command = commands[below(c, ARRAY_SIZE(commands) - c->in_bundle)];
    const char *type = PICK(c, types);
    uint32_t id = 1 + below(c, N_GROUPS);
    int n_buckets = !strcmp(type, "indirect") ? 1 : 1 + below(c, 4);
    enum ofputil_protocol usable;
    struct ds s = DS_EMPTY_INITIALIZER;
    struct ofputil_group_mod gm;
    struct ofpbuf *msg = NULL;
    char *error;

    ds_put_format(&s, "group_id=%u", id);
    if (command != OFPGC11_DELETE) {
        ds_put_format(&s, ",type=%s", type);
        if (!strcmp(type, "select")) {
            ds_put_cstr(&s, ",selection_method=hash,"
                        "fields(ip_src,ip_dst=255.255.255.0,nw_proto)");
        }
        for (int i = 0; i < n_buckets; i++) {
            ds_put_format(&s, ",bucket=bucket_id:%u,", i + 10);
            if (!strcmp(type, "select")) {
                ds_put_format(&s, "weight:%u,", below(c, 4));
            }
            if (!strcmp(type, "ff") || !below(c, 4)) {
                /* No cycles: a bridge takes exponential time for them. */
                if (below(c, 2) || id == N_GROUPS) {
                    ds_put_format(&s, "watch_port:%u,",
                                  1 + below(c, N_PORTS + 1));
                } else {
                    ds_put_format(&s, "watch_group:%u,",
                                  id + 1 + below(c, N_GROUPS - id));
                }
            }
            ds_put_cstr(&s, "actions=");
            c->bucket_of = id;
            put_actions(c, &s, N_TABLES - 2, 1);
            c->bucket_of = 0;
        }
    }
    error = parse_ofp_group_mod_str(&gm, command, ds_cstr(&s), NULL, NULL,
                                    &usable);
    if (!error) {
        msg = ofputil_encode_group_mod(OFP15_VERSION, &gm, NULL, -1);
        ofputil_uninit_group_mod(&gm);
    }
    free(error);
    ds_destroy(&s);
    return msg;
}

/* Much random text asks for what its match does not allow: tries again. */
static struct ofpbuf *
encodable(struct compare *c, struct ofpbuf *(*random_mod)(struct compare *))
{
    for (int i = 0; i < 50; i++) {
        struct ofpbuf *msg = random_mod(c);

        if (msg) {
            return msg;
        }
    }
    return NULL;
}

static struct ofpbuf *
random_meter_mod(struct compare *c)
{
    static const int commands[] = {
        OFPMC13_ADD, OFPMC13_ADD, OFPMC13_MODIFY, OFPMC13_DELETE,
    };
    struct ofputil_meter_band band = {
        .type = OFPMBT13_DROP,
        .rate = 1000000,
        .burst_size = 1000000,
    };
    struct ofputil_meter_mod mm = {
        .command = PICK(c, commands),
        .meter = {
            .meter_id = 1 + below(c, 2),
            .flags = OFPMF13_PKTPS | OFPMF13_BURST,
            .n_bands = 1,
            .bands = &band,
        },
    };

    return ofputil_encode_meter_mod(OFP15_VERSION, &mm);
}

/* Sending to both. */

static void
failed(struct compare *c, const char *format, ...)
{
    va_list args;

    c->n_failed++;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* Sends to both and frees 'msg'. */
static enum ofperr
send_both(struct compare *c, struct ofpbuf *msg)
{
    struct ds errors = DS_EMPTY_INITIALIZER;
    enum ofperr real, sim;
    char *text;

    ofpmsg_update_length(msg);
    text = ofp_to_string(msg->data, msg->size, NULL, NULL, 2);
    if (c->verbose) {
        printf("%s\n", text);
        fflush(stdout);
    }
    real = realbridge_send(c->real, msg);
    sim = simswitch_send(&c->sw, msg, &errors);
    c->n_messages++;
    c->n_errors += real != 0;
    if (sim != real) {
        failed(c, "%s\n  simulated: %s, real: %s", text,
               sim ? ofperr_to_string(sim) : "OK",
               real ? ofperr_to_string(real) : "OK");
    }
    free(text);
    ds_destroy(&errors);
    return real;
}

static void
send_bundle(struct compare *c)
{
    struct ofputil_bundle_ctrl_msg ctrl = {
        .bundle_id = c->n_messages,
        .flags = OFPBF_ATOMIC | OFPBF_ORDERED,
        .type = OFPBCT_OPEN_REQUEST,
    };
    int n = 1 + below(c, 8);

    send_both(c, ofputil_encode_bundle_ctrl_request(OFP15_VERSION, &ctrl));
    c->in_bundle = true;
    for (int i = 0; i < n; i++) {
        struct ofpbuf *inner = (below(c, 3) ? encodable(c, random_flow_mod)
                                : below(c, 16) ? encodable(c, random_group_mod)
                                : random_meter_mod(c));
        if (inner) {
            struct ofputil_bundle_add_msg badd = {
                .bundle_id = ctrl.bundle_id,
                .flags = ctrl.flags,
            };
            struct ofp_header *oh;

            ofpmsg_update_length(inner);
            oh = inner->data;
            badd.msg = oh;
            struct ofpbuf *add = ofputil_encode_bundle_add(OFP15_VERSION,
                                                           &badd);
            oh->xid = ((struct ofp_header *) add->data)->xid;
            ofpbuf_delete(add);
            add = ofputil_encode_bundle_add(OFP15_VERSION, &badd);
            ((struct ofp_header *) add->data)->xid = oh->xid;
            send_both(c, add);
            ofpbuf_delete(inner);
        }
    }
    c->in_bundle = false;
    ctrl.type = OFPBCT_COMMIT_REQUEST;
    send_both(c, ofputil_encode_bundle_ctrl_request(OFP15_VERSION, &ctrl));
}

static void
send_random_state(struct compare *c)
{
    int n = 100 + below(c, 150);

    for (int i = 0; i < n; i++) {
        uint32_t kind = below(c, 20);
        struct ofpbuf *msg = NULL;

        if (kind < 2) {
            send_bundle(c);
        } else if (kind < 3) {
            msg = random_meter_mod(c);
        } else if (kind < 8) {
            msg = encodable(c, random_group_mod);
        } else {
            msg = encodable(c, random_flow_mod);
        }
        if (msg) {
            send_both(c, msg);
        }
    }
}

/* Random packets. */

static void
random_packet(struct compare *c, struct dp_packet *p)
{
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    flow.packet_type = htonl(PT_ETH);
    ovs_assert(eth_addr_from_string(PICK(c, macs), &flow.dl_dst));
    ovs_assert(eth_addr_from_string(PICK(c, macs), &flow.dl_src));
    ovs_assert(ip_parse(PICK(c, ips), &flow.nw_src));
    ovs_assert(ip_parse(PICK(c, ips), &flow.nw_dst));
    if (!below(c, 5)) {
        flow.dl_type = htons(ETH_TYPE_ARP);
        flow.nw_proto = 1 + below(c, 2);
        ovs_assert(eth_addr_from_string(PICK(c, macs), &flow.arp_sha));
        ovs_assert(eth_addr_from_string(PICK(c, macs), &flow.arp_tha));
    } else {
        static const uint8_t protos[] = {
            IPPROTO_UDP, IPPROTO_TCP, IPPROTO_ICMP, 89,
        };

        flow.dl_type = htons(ETH_TYPE_IP);
        flow.nw_proto = PICK(c, protos);
        flow.nw_ttl = below(c, 3) ? 64 : below(c, 3);
        flow.nw_tos = below(c, 2) ? 0xc0 : 0;
        flow.tp_src = htons(flow.nw_proto == IPPROTO_ICMP ? 8 : below(c, 8));
        flow.tp_dst = htons(flow.nw_proto == IPPROTO_ICMP ? 0 : below(c, 8));
        if (!below(c, 8)) {
            flow.nw_frag = FLOW_NW_FRAG_ANY | (below(c, 2)
                                               ? FLOW_NW_FRAG_LATER : 0);
        }
    }
    if (!below(c, 5)) {
        flow.vlans[0].tpid = htons(ETH_TYPE_VLAN);
        flow.vlans[0].tci = htons(VLAN_CFI | 5);
    }
    flow_compose(p, &flow, NULL, 10 + below(c, 40));
}

static void
probe_both(struct compare *c)
{
    struct simresult sim, real;
    struct ds why = DS_EMPTY_INITIALIZER;
    struct ds text = DS_EMPTY_INITIALIZER;
    struct dp_packet p;
    struct simpkt pkt;

    dp_packet_init(&p, 0);
    random_packet(c, &p);
    memset(&pkt, 0, sizeof pkt);
    pkt.data = dp_packet_data(&p);
    pkt.size = dp_packet_size(&p);
    pkt.port = u16_to_ofp(1 + below(c, N_PORTS));
    if (!below(c, 5)) {
        pkt.port = u16_to_ofp(PORT_TUNNEL_FLOW);
        pkt.tun_remote = inet_addr(below(c, 2) ? "10.9.0.2" : "10.9.0.3");
        pkt.tun_local = inet_addr("10.9.0.1");
        pkt.tun_id = below(c, 8);
    }
    simresult_init(&sim);
    simresult_init(&real);
    simswitch_process(&c->sw, &pkt, SIMSWITCH_TRACE, &sim);
    realbridge_trace(c->real, &pkt, &real, &text);
    c->n_packets++;
    c->n_outputs += sim.n_outs;
    c->n_punts += sim.n_punts;
    c->n_abandoned += sim.error != NULL;
    if (!realbridge_same_result(&sim, &real, &why)) {
        failed(c, "%s\n%s\n%s", ds_cstr(&why), ds_cstr(&sim.trace),
               ds_cstr(&text));
    }
    simresult_destroy(&sim);
    simresult_destroy(&real);
    ds_destroy(&why);
    ds_destroy(&text);
    dp_packet_uninit(&p);
}

static void
compare_once(struct compare *c, uint64_t seed)
{
    int n_failed = c->n_failed;

    c->rand.state = seed;
    simswitch_init(&c->sw, "sim");
    for (int i = 1; i <= N_PORTS; i++) {
        char *name = xasprintf("p%d", i);
        struct simport *port = simswitch_add_port(&c->sw, u16_to_ofp(i), name,
                                                  SIMPORT_PLAIN, 0);

        port->up = below(c, 4) > 0;
        free(name);
    }
    simswitch_add_port(&c->sw, u16_to_ofp(PORT_TUNNEL_FLOW), "tf",
                       SIMPORT_TUNNEL_FLOW, 0);
    simswitch_add_port(&c->sw, u16_to_ofp(PORT_TUNNEL_FIXED), "tx",
                       SIMPORT_TUNNEL_FIXED, inet_addr("10.9.0.3"));
    realbridge_sync_ports(c->real, &c->sw);
    realbridge_clear(c->real);
    send_random_state(c);
    for (int i = 0; i < 60 && c->n_failed == n_failed; i++) {
        probe_both(c);
    }
    simswitch_destroy(&c->sw);
    printf("seed %"PRIu64": %s\n", seed,
           c->n_failed == n_failed ? "same" : "DIFFERENT");
}

int
main(int argc, char *argv[])
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    int n = argc > 2 ? atoi(argv[2]) : 20;
    struct compare c = { .verbose = getenv("SIM_VERBOSE") != NULL };

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    flow_limit_vlans(1);
    setvbuf(stdout, NULL, _IOLBF, 0);
    c.real = realbridge_open(getenv("SIM_BRIDGE_DIR"));
    for (int i = 0; i < n; i++) {
        compare_once(&c, seed + i);
    }
    realbridge_close(c.real);
    printf("%d messages (%d refused), %d packets, %d outputs, %d packet-ins, "
           "%d abandoned\n", c.n_messages, c.n_errors, c.n_packets,
           c.n_outputs, c.n_punts, c.n_abandoned);
    printf("%d passed, %d failed\n", n - MIN(n, c.n_failed), c.n_failed);
    return c.n_failed ? 1 : 0;
}
