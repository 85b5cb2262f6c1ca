/* SPDX-License-Identifier: Apache-2.0 */

/* Packets from a peer that does as it likes, into a router with a
 * point-to-point and a broadcast interface and a wire, whose neighbours are
 * brought to Exchange first.  Time passes in between; timers, SPF, snapshots
 * and restores run.  Nothing may abort, and all timers must stay ahead. */
/* sources: controller/ospf/*.c */
/* options: -max_len=2048 */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "controller/base/bytes.h"
#include "controller/ospf/ospf.h"
#include "controller/ospf/packet.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define RID 0x0a0a0a0a
#define PEER 0x0b0b0b0b

struct world {
    struct ospf *ospf;
    struct ospf_out out;
    struct ospf_config cfg;
    struct ospf_iface_config ifaces[2];
    struct ospf_wire_config wire;
    struct ospf_stub_config stub;
    long long int now;
    uint32_t dd_seq[2];         /* Last that the router sent. */
};

static void
check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void
drain(struct world *w)
{
    for (size_t i = 0; i < w->out.n; i++) {
        const struct ospf_action *a = &w->out.actions[i];
        if (a->type == OSPF_ACTION_SEND) {
            struct packet p;
            check(packet_decode(a->send.data, a->send.len, &p)
                  == OSPF_N_DROPS);
            if (p.type == PKT_DD) {
                w->dd_seq[a->send.iface - 1] = p.dd.seq;
            }
        }
    }
    ospf_out_clear(&w->out);
}

static void
send_raw(struct world *w, uint32_t iface, const void *data, size_t len)
{
    struct ospf_rx rx = {
        .iface = iface, .ttl = 1, .len = len,
        .src = w->ifaces[iface - 1].address + 1, .dst = OSPF_ALL_ROUTERS,
    };
    /* A copy of exactly that size. */
    uint8_t *copy = xmalloc(len);
    nullable_memcpy(copy, data, len);
    rx.data = copy;
    ospf_receive(w->ospf, &rx, w->now, &w->out);
    free(copy);
    drain(w);
}

static void
send_packet(struct world *w, uint32_t iface, enum packet_type type,
            const uint8_t *body, size_t n)
{
    struct ofpbuf b;

    ofpbuf_init(&b, 0);
    packet_begin(&b, type, PEER, 0);
    if (type == PKT_LSU) {
        put_u32(&b, 1);
    }
    size_t ofs = b.size;
    ofpbuf_put(&b, body, n);
    if (type == PKT_LSU && n >= LSA_HEADER_LEN) {
        lsa_seal((uint8_t *) b.data + ofs, n);
    } else if (type == PKT_DD && n >= 8 && body[0] & 0x80) {
        /* The right number, else few would get past it. */
        uint8_t *dd = (uint8_t *) b.data + ofs;
        store_u32(dd + 4, w->dd_seq[iface - 1] + (body[0] & 1));
        store_u16(dd, 1500);
        dd[2] = OPTION_E;
    }
    packet_end(&b);
    send_raw(w, iface, b.data, b.size);
    ofpbuf_uninit(&b);
}

static void
hello(struct world *w, uint32_t iface, uint8_t priority, bool dr)
{
    uint8_t body[24];

    store_u32(body, 0xffffff00);
    store_u16(body + 4, 1);
    body[6] = OPTION_E;
    body[7] = priority;
    store_u32(body + 8, 4);
    store_u32(body + 12, dr ? w->ifaces[iface - 1].address + 1 : 0);
    store_u32(body + 16, 0);
    store_u32(body + 20, RID);
    send_packet(w, iface, PKT_HELLO, body, sizeof body);
}

static void
run(struct world *w, long long int ms)
{
    w->now += ms;
    ospf_run(w->ospf, w->now, &w->out);
    drain(w);
    /* Elections of this moment apart, nothing is due any more. */
    for (int i = 0; ospf_next_wake(w->ospf) <= w->now; i++) {
        check(i < 10);
        ospf_run(w->ospf, w->now, &w->out);
        drain(w);
    }
}

static void
start(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->now = 1000;
    w->ospf = ospf_create();
    for (uint32_t i = 0; i < 2; i++) {
        w->ifaces[i] = (struct ospf_iface_config) {
            .id = i + 1, .name = "x", .address = 0x0a000001 + (i << 16),
            .plen = 24, .type = i ? OSPF_BROADCAST : OSPF_P2P, .cost = 10,
            .hello_interval = 1, .dead_interval = 4, .priority = 1,
            .mtu = 1500,
        };
    }
    w->wire = (struct ospf_wire_config) { 1, 0x0c0c0c0c, 5 };
    w->stub = (struct ospf_stub_config) { 0xac100000, 16, 3 };
    w->cfg = (struct ospf_config) {
        .router_id = RID, .ifaces = w->ifaces, .n_ifaces = 2,
        .wires = &w->wire, .n_wires = 1, .stubs = &w->stub, .n_stubs = 1,
    };
    ospf_configure(w->ospf, &w->cfg, w->now, &w->out);
    for (uint32_t i = 1; i <= 2; i++) {
        ospf_iface_up(w->ospf, i, w->now, &w->out);
    }
    run(w, 0);
    for (uint32_t i = 1; i <= 2; i++) {
        static const uint8_t dd[8] = { 5, 220, OPTION_E, 7, 0, 0, 0, 1 };
        hello(w, i, 1, true);
        send_packet(w, i, PKT_DD, dd, sizeof dd);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;
    struct bytes b = bytes_init(data, size);
    struct ofpbuf snapshot;

    start(&w);
    while (b.left) {
        uint8_t op = bytes_u8(&b);
        uint32_t iface = 1 + (op >> 7);
        size_t n = bytes_u8(&b);
        n = MIN(n, b.left);
        const uint8_t *body = bytes_pull(&b, n);

        switch (op & 0xf) {
        case 0:
            send_raw(&w, iface, body, n);
            break;
        case PKT_HELLO: case PKT_DD: case PKT_LSR: case PKT_LSU: case PKT_ACK:
            send_packet(&w, iface, op & 0xf, body, n);
            break;
        case 6: case 7:
            hello(&w, iface, op >> 4 & 3, op & 0x40);
            break;
        case 8:
            run(&w, n * 10);
            break;
        case 9:
            run(&w, n * 20000);
            break;
        case 10:
            w.ifaces[0].cost = n + 1;
            w.ifaces[1].priority = op >> 4 & 3;
            ospf_configure(w.ospf, &w.cfg, w.now, &w.out);
            drain(&w);
            break;
        case 11: {
            struct ospf_external_config x = {
                .prefix = 0xc6336400, .plen = n % 34, .metric = n,
            };
            ospf_set_externals(w.ospf, &x, n & 1, w.now, &w.out);
            drain(&w);
            break;
        }
        case 12:
            ospf_neighbor_down(w.ospf, iface, PEER, "fuzz", w.now, &w.out);
            drain(&w);
            break;
        case 13:
            ospf_run_spf(w.ospf, w.now);
            break;
        case 14:
            ofpbuf_init(&snapshot, 0);
            ospf_snapshot(w.ospf, w.now, &snapshot);
            ospf_destroy(w.ospf);
            w.ospf = ospf_create();
            ospf_configure(w.ospf, &w.cfg, w.now, &w.out);
            for (size_t i = 0; i + 2 < n && snapshot.size; i += 3) {
                size_t ofs = load_u16(body + i) % snapshot.size;
                ((uint8_t *) snapshot.data)[ofs] ^= body[i + 2];
            }
            ospf_restore(w.ospf, snapshot.data, snapshot.size, w.now, &w.out);
            ospf_iface_up(w.ospf, 1, w.now, &w.out);
            ospf_iface_up(w.ospf, 2, w.now, &w.out);
            drain(&w);
            ofpbuf_uninit(&snapshot);
            break;
        default:
            ospf_iface_down(w.ospf, iface, w.now, &w.out);
            ospf_iface_up(w.ospf, iface, w.now, &w.out);
            drain(&w);
            break;
        }
    }
    run(&w, 1000);
    struct ds ds = DS_EMPTY_INITIALIZER;
    ospf_format_lsdb(w.ospf, true, w.now, &ds);
    ospf_rib_format(&ds, ospf_run_spf(w.ospf, w.now));
    ds_destroy(&ds);
    ospf_destroy(w.ospf);
    ospf_out_uninit(&w.out);
    return 0;
}
