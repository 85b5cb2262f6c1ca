/* SPDX-License-Identifier: Apache-2.0 */

/* Host databases on real ovsdb-server and ovs-vswitchd: the bridge is made,
 * kept as wanted, reported and taken away. */

#include <config.h>
#include "ovs-glue/hostdb.h"
#include "controller/base/prefix.h"
#include "openvswitch/poll-loop.h"
#include "tests/glue/sandbox.h"
#include "tests/unit/tw-cunit.h"
#include "timeval.h"
#include "util.h"

#define SCHEMA "/usr/share/openvswitch/vswitch.ovsschema"
#define CTL "ovs-vsctl --no-wait --db=unix:$D/db.sock "

static const char *const tables[] = { "ingress", NULL, "delivery" };

static struct in6_addr
ip(const char *s)
{
    struct in6_addr addr;
    CU_ASSERT_FATAL(addr_parse(s, &addr));
    return addr;
}

static struct hostdb *
open_host(const struct sandbox *sb)
{
    char *remote = sandbox_path(sb, "unix", "db.sock");
    struct hostdb *db = hostdb_create(remote, "h1");
    free(remote);
    return db;
}

/* Runs 'db' until one of 'flags' comes, which are returned; 0 after 'ms'. */
static unsigned int
run_until(struct hostdb *db, unsigned int flags, int ms)
{
    long long int deadline = time_msec() + ms;
    for (;;) {
        hostdb_run(db);
        unsigned int changes = hostdb_take_changes(db) & flags;
        if (changes || time_msec() >= deadline) {
            return changes;
        }
        hostdb_wait(db);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

static const struct hostdb_port *
find(const struct hostdb *db, const char *name)
{
    size_t n;
    const struct hostdb_port *ports = hostdb_ports(db, &n);
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(ports[i].name, name)) {
            return &ports[i];
        }
    }
    return NULL;
}

/* Waits until there is such a port, or until there is none. */
static const struct hostdb_port *
wait_port(struct hostdb *db, const char *name, bool exists)
{
    for (long long int end = time_msec() + 10000; time_msec() < end; ) {
        const struct hostdb_port *p = find(db, name);
        if (!p == !exists) {
            return p;
        }
        run_until(db, HOSTDB_PORTS, 1000);
    }
    return find(db, name);
}

static bool
wait_bfd(struct hostdb *db, const char *name, enum hostdb_bfd_state state)
{
    for (long long int end = time_msec() + 10000; time_msec() < end; ) {
        const struct hostdb_port *p = find(db, name);
        if (p && p->bfd == state) {
            return true;
        }
        run_until(db, HOSTDB_PORTS, 1000);
    }
    return false;
}

/* Runs 'command' and compares what it prints with 'expected' and a newline. */
static bool
prints(const struct sandbox *sb, const char *expected, const char *command)
{
    char *out = sandbox_capture(sb, "%s", command);
    size_t n = strlen(expected);
    bool same = !strncmp(out, expected, n) && !strcmp(out + n, "\n");
    if (!same) {
        printf("%s:\n  %s  wanted %s\n", command, out, expected);
    }
    free(out);
    return same;
}

static int
next_cfg(const struct sandbox *sb)
{
    char *out = sandbox_capture(sb, CTL "get Open_v . next_cfg");
    int n = atoi(out);
    free(out);
    return n;
}

static void
start(struct sandbox *sb)
{
    sandbox_init(sb);
    sandbox_start_db(sb, "vswitch", SCHEMA);
    CU_ASSERT(sandbox_sh(sb, CTL "init"));
    sandbox_start_vswitchd(sb);
}

static struct hostdb_config
basic_config(void)
{
    return (struct hostdb_config) {
        .datapath_type = "netdev",
        .tables = tables, .n_tables = ARRAY_SIZE(tables),
        .tunnel_ip = ip("192.0.2.1"),
    };
}

static void
test_bridge(void)
{
    struct sandbox sb;
    start(&sb);
    struct hostdb *db = open_host(&sb);
    CU_ASSERT(run_until(db, HOSTDB_CONNECTED, 5000));
    CU_ASSERT(!hostdb_is_ready(db));
    CU_ASSERT(prints(&sb, "[]", CTL "--columns=bridges -d bare find Open_v . "
                     "2>/dev/null; " CTL "get Open_v . bridges"));

    struct hostdb_config cfg = basic_config();
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(hostdb_is_ready(db));
    CU_ASSERT_PTR_NULL(hostdb_error(db));
    CU_ASSERT_NOT_EQUAL(hostdb_datapath_id(db), 0);
    CU_ASSERT(prints(&sb, "secure", CTL "get Bridge br-int fail_mode"));
    CU_ASSERT(prints(&sb, "[OpenFlow15]", CTL "get Bridge br-int protocols"));
    CU_ASSERT(prints(&sb, "netdev", CTL "get Bridge br-int datapath_type"));
    CU_ASSERT(prints(&sb, "[]", CTL "get Bridge br-int controller"));
    CU_ASSERT(prints(&sb, "bridge", CTL "get Bridge br-int "
                     "external_ids:tollway"));
    CU_ASSERT(prints(&sb, "delivery\ningress", CTL "-f csv --no-headings "
                     "--columns=name list Flow_Table | sort"));
    const struct hostdb_port *p = wait_port(db, "tw-flow", true);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT(p->tunnel && !p->remote && p->ofport && p->link_up);
    CU_ASSERT_STRING_EQUAL(p->type, "vxlan");

    /* A difference that somebody makes is put right. */
    CU_ASSERT(sandbox_sh(&sb, CTL "set Bridge br-int fail_mode=standalone -- "
                         "del-port tw-flow"));
    p = wait_port(db, "tw-flow", false);
    CU_ASSERT_PTR_NULL(p);
    CU_ASSERT_PTR_NOT_NULL(wait_port(db, "tw-flow", true));
    CU_ASSERT(prints(&sb, "secure", CTL "get Bridge br-int fail_mode"));

    /* Once right, nothing more is written. */
    run_until(db, 0, 300);
    int before = next_cfg(&sb);
    hostdb_set_config(db, &cfg);
    CU_ASSERT(sandbox_sh(&sb, CTL "set Open_v . external_ids:x=y"));
    run_until(db, 0, 300);
    CU_ASSERT_EQUAL(before, next_cfg(&sb));

    hostdb_release(db);
    CU_ASSERT(run_until(db, HOSTDB_CLEANED, 10000));
    CU_ASSERT(prints(&sb, "[]", CTL "get Open_v . bridges"));
    hostdb_destroy(db);
    sandbox_uninit(&sb);
}

static void
test_ports(void)
{
    struct sandbox sb;
    start(&sb);
    struct hostdb *db = open_host(&sb);
    struct hostdb_config cfg = basic_config();
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(sandbox_sh(&sb, CTL "add-port br-int v1 -- set Interface v1 "
                         "type=dummy external_ids:iface-id=acme/prod/web1 "
                         "ofport_request=7 mtu_request=1400"));
    const struct hostdb_port *p = wait_port(db, "v1", true);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT_EQUAL(p->ofport, 7);
    CU_ASSERT_STRING_EQUAL(p->iface_id, "acme/prod/web1");
    CU_ASSERT(!p->tunnel);
    CU_ASSERT_EQUAL(p->bfd, HOSTDB_BFD_NONE);
    for (int i = 0; i < 20 && find(db, "v1")->mtu != 1400; i++) {
        run_until(db, HOSTDB_PORTS, 200);
    }
    CU_ASSERT_EQUAL(find(db, "v1")->mtu, 1400);

    CU_ASSERT(sandbox_sh(&sb, "ovs-appctl -t $D/vswitchd.ctl "
                         "netdev-dummy/set-admin-state v1 down >/dev/null"));
    for (int i = 0; i < 20 && find(db, "v1")->admin_up; i++) {
        run_until(db, HOSTDB_PORTS, 500);
    }
    CU_ASSERT(!find(db, "v1")->admin_up);
    CU_ASSERT(sandbox_sh(&sb, "ovs-appctl -t $D/vswitchd.ctl "
                         "netdev-dummy/set-admin-state v1 up >/dev/null"));
    for (int i = 0; i < 20 && !find(db, "v1")->admin_up; i++) {
        run_until(db, HOSTDB_PORTS, 500);
    }
    CU_ASSERT(find(db, "v1")->admin_up && find(db, "v1")->link_up);

    /* vswitchd gone and back: the numbers are others. */
    CU_ASSERT(sandbox_sh(&sb, CTL "clear Interface v1 ofport_request"));
    sandbox_kill(&sb.vswitchd);
    CU_ASSERT(sandbox_sh(&sb, CTL "set Interface v1 ofport_request=9"));
    sandbox_start_vswitchd(&sb);
    for (int i = 0; i < 20 && (!find(db, "v1") || find(db, "v1")->ofport != 9);
         i++) {
        run_until(db, HOSTDB_PORTS, 500);
    }
    CU_ASSERT_FATAL(find(db, "v1") != NULL);
    CU_ASSERT_EQUAL(find(db, "v1")->ofport, 9);

    CU_ASSERT(sandbox_sh(&sb, CTL "del-port v1"));
    CU_ASSERT_PTR_NULL(wait_port(db, "v1", false));

    /* The database server gone and back. */
    CU_ASSERT(find(db, "tw-flow") != NULL);
    sandbox_kill(&sb.db);
    CU_ASSERT(run_until(db, HOSTDB_DISCONNECTED, 5000));
    CU_ASSERT(find(db, "tw-flow") != NULL && !hostdb_is_ready(db));
    sandbox_start_db(&sb, "vswitch", SCHEMA);
    CU_ASSERT(run_until(db, HOSTDB_READY, 20000));
    hostdb_destroy(db);
    sandbox_uninit(&sb);
}

static void
test_tunnels(void)
{
    struct sandbox sb;
    start(&sb);
    struct hostdb *db = open_host(&sb);
    struct hostdb_peer peers[] = {
        { "h2", ip("192.0.2.2"), 0 },
        { "a-host-with-a-long-name.example", ip("192.0.2.3"), 50 },
    };
    struct hostdb_config cfg = basic_config();
    cfg.tunnel_type = "geneve";
    cfg.peers = peers;
    cfg.n_peers = 2;
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    const struct hostdb_port *p = wait_port(db, "tw-h2", true);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT(p->tunnel);
    CU_ASSERT_STRING_EQUAL(p->remote, "192.0.2.2");
    CU_ASSERT_STRING_EQUAL(p->type, "geneve");
    CU_ASSERT(wait_bfd(db, "tw-h2", HOSTDB_BFD_DOWN));
    CU_ASSERT(prints(&sb, "{bfd_dst_ip=\"192.0.2.2\", "
                     "bfd_src_ip=\"192.0.2.1\", check_tnl_key=\"true\", "
                     "enable=\"true\", min_rx=\"100\", min_tx=\"100\"}",
                     CTL "get Interface tw-h2 bfd"));
    CU_ASSERT(prints(&sb, "{key=flow, local_ip=\"192.0.2.1\", "
                     "remote_ip=\"192.0.2.2\"}",
                     CTL "get Interface tw-h2 options"));
    CU_ASSERT(prints(&sb, "1", "ovs-vsctl --no-wait --db=unix:$D/db.sock "
                     "--bare --columns=name find Port "
                     "external_ids:tollway-host="
                     "a-host-with-a-long-name.example | grep -c '^tw-'"));

    /* One peer moves, the other leaves. */
    peers[0].remote = ip("192.0.2.22");
    cfg.n_peers = 1;
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(prints(&sb, "\"192.0.2.22\"",
                     CTL "get Interface tw-h2 options:remote_ip"));
    CU_ASSERT(prints(&sb, "tw-flow\ntw-h2", CTL "list-ports br-int"));
    cfg.n_peers = 0;
    cfg.keep = true;
    hostdb_set_config(db, &cfg);
    run_until(db, HOSTDB_READY, 300);
    CU_ASSERT(prints(&sb, "tw-flow\ntw-h2", CTL "list-ports br-int"));
    cfg.keep = false;
    cfg.tunnel_ip = in6addr_any;
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(prints(&sb, "0", CTL "list-ports br-int | wc -l"));
    hostdb_destroy(db);
    sandbox_uninit(&sb);
}

static void
test_attachment_bfd(void)
{
    struct sandbox sb;
    start(&sb);
    /* The customer's router: another bridge behind a wire, that answers. */
    CU_ASSERT(sandbox_sh(&sb,
        CTL "add-br site -- set Bridge site datapath_type=netdev "
        "other_config:hwaddr=00:00:00:00:55:02 "
        "-- add-port site w2 -- set Interface w2 type=dummy "
        "options:pstream=punix:$D/wire "
        "bfd:enable=true bfd:min_rx=50 bfd:min_tx=50 "
        "bfd:bfd_src_ip=169.254.10.2 bfd:bfd_dst_ip=169.254.10.1 "
        "bfd:bfd_local_src_mac=00:00:00:00:55:02 "
        "bfd:bfd_local_dst_mac=0e:07:00:00:00:05 "
        "bfd:bfd_remote_dst_mac=00:00:00:00:55:02"));
    CU_ASSERT(sandbox_sh(&sb, "i=0; while [ ! -e $D/wire ] && [ $i -lt 100 ]; "
                         "do sleep 0.1; i=$((i+1)); done"));
    struct hostdb *db = open_host(&sb);
    struct hostdb_bfd bfd = {
        "w1", 50, 3, ip("169.254.10.1"), ip("169.254.10.2"),
        ETH_ADDR_C(0e,07,00,00,00,05), ETH_ADDR_C(00,00,00,00,00,00),
    };
    struct hostdb_config cfg = basic_config();
    cfg.bfds = &bfd;
    cfg.n_bfds = 1;
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(sandbox_sh(&sb, CTL "add-port br-int w1 -- set Interface w1 "
                         "type=dummy options:stream=unix:$D/wire"));
    CU_ASSERT_PTR_NOT_NULL(wait_port(db, "w1", true));

    /* The peer's address isn't known yet: no session. */
    run_until(db, 0, 200);
    CU_ASSERT(prints(&sb, "{}", CTL "get Interface w1 bfd"));

    /* Wrong address: down.  Corrected: the session is made anew. */
    bfd.remote_mac = (struct eth_addr) ETH_ADDR_C(00,00,00,00,66,02);
    bfd.remote_ip = ip("169.254.10.3");
    hostdb_set_config(db, &cfg);
    CU_ASSERT(wait_bfd(db, "w1", HOSTDB_BFD_DOWN));
    bfd.remote_mac = (struct eth_addr) ETH_ADDR_C(00,00,00,00,55,02);
    bfd.remote_ip = ip("169.254.10.2");
    int steps = -next_cfg(&sb);
    hostdb_set_config(db, &cfg);
    CU_ASSERT(wait_bfd(db, "w1", HOSTDB_BFD_UP));
    CU_ASSERT_EQUAL(steps + next_cfg(&sb), 2);
    CU_ASSERT(prints(&sb, "\"00:00:00:00:55:02\"",
                     CTL "get Interface w1 bfd:bfd_local_dst_mac"));

    /* The peer freezes. */
    CU_ASSERT(sandbox_sh(&sb, CTL "set Interface w2 bfd:enable=false"));
    CU_ASSERT(wait_bfd(db, "w1", HOSTDB_BFD_DOWN));

    /* No longer wanted; a foreign session is left alone. */
    CU_ASSERT(sandbox_sh(&sb, CTL "add-port br-int w3 -- set Interface w3 "
                         "type=dummy bfd:enable=true bfd:min_rx=333"));
    cfg.n_bfds = 0;
    hostdb_set_config(db, &cfg);
    CU_ASSERT(wait_bfd(db, "w1", HOSTDB_BFD_NONE));
    CU_ASSERT(prints(&sb, "{}", CTL "get Interface w1 bfd"));
    CU_ASSERT(prints(&sb, "{}", CTL "get Interface w1 external_ids"));
    CU_ASSERT(prints(&sb, "\"333\"", CTL "get Interface w3 bfd:min_rx"));
    hostdb_destroy(db);
    sandbox_uninit(&sb);
}

static void
test_release_with_foreign_ports(void)
{
    struct sandbox sb;
    start(&sb);
    CU_ASSERT(sandbox_sh(&sb, CTL "add-br br-phy -- set Bridge br-phy "
                         "datapath_type=netdev"));
    struct hostdb *db = open_host(&sb);
    struct hostdb_config cfg = basic_config();
    struct hostdb_bfd bfd = {
        "v1", 50, 3, ip("169.254.10.1"), ip("169.254.10.2"),
        ETH_ADDR_C(0e,07,00,00,00,05), ETH_ADDR_C(00,00,00,00,55,02),
    };
    cfg.bfds = &bfd;
    cfg.n_bfds = 1;
    cfg.datapath_type = NULL;           /* As br-phy has. */
    cfg.controller = "tcp:127.0.0.1:16653";
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(prints(&sb, "netdev", CTL "get Bridge br-int datapath_type"));
    CU_ASSERT(prints(&sb, "tcp:127.0.0.1:16653", CTL "get-controller br-int"));
    CU_ASSERT(sandbox_sh(&sb, CTL "add-port br-int v1 -- set Interface v1 "
                         "type=dummy"));
    CU_ASSERT(wait_bfd(db, "v1", HOSTDB_BFD_DOWN));

    hostdb_release(db);
    CU_ASSERT(run_until(db, HOSTDB_CLEANED, 10000));
    CU_ASSERT(prints(&sb, "v1", CTL "list-ports br-int"));
    CU_ASSERT(prints(&sb, "secure", CTL "get Bridge br-int fail_mode"));
    CU_ASSERT(prints(&sb, "{}", CTL "get Bridge br-int external_ids"));
    CU_ASSERT(prints(&sb, "{}", CTL "get Bridge br-int flow_tables"));
    CU_ASSERT(prints(&sb, "[]", CTL "get Bridge br-int controller"));
    CU_ASSERT(prints(&sb, "{}", CTL "get Interface v1 bfd"));
    CU_ASSERT(prints(&sb, "{}", CTL "get Interface v1 external_ids"));

    /* A bridge that was there is never deleted. */
    hostdb_set_config(db, &cfg);
    CU_ASSERT(run_until(db, HOSTDB_READY, 10000));
    CU_ASSERT(prints(&sb, "adopted", CTL "get Bridge br-int "
                     "external_ids:tollway"));
    CU_ASSERT(sandbox_sh(&sb, CTL "del-port v1"));
    hostdb_release(db);
    CU_ASSERT(run_until(db, HOSTDB_CLEANED, 10000));
    CU_ASSERT(sandbox_sh(&sb, CTL "br-exists br-int"));
    hostdb_destroy(db);
    sandbox_uninit(&sb);
}

static void
test_no_server(void)
{
    struct sandbox sb;
    sandbox_init(&sb);
    struct hostdb *db = open_host(&sb);
    struct hostdb_config cfg = basic_config();
    hostdb_set_config(db, &cfg);
    CU_ASSERT(!run_until(db, UINT32_MAX, 300));
    CU_ASSERT(!hostdb_is_connected(db) && !hostdb_is_ready(db));

    /* A transaction that the server refuses. */
    sandbox_start_db(&sb, "vswitch", SCHEMA);
    CU_ASSERT(sandbox_sh(&sb, CTL "init -- add-br other -- add-port other "
                         "tw-flow"));
    CU_ASSERT(run_until(db, HOSTDB_FAILED, 20000));
    CU_ASSERT_FATAL(hostdb_error(db) != NULL);
    CU_ASSERT_PTR_NOT_NULL(strstr(hostdb_error(db), "tw-flow"));
    CU_ASSERT(sandbox_sh(&sb, CTL "del-br other"));
    sandbox_start_vswitchd(&sb);
    CU_ASSERT(run_until(db, HOSTDB_READY, 20000));
    CU_ASSERT_PTR_NULL(hostdb_error(db));
    hostdb_destroy(db);
    sandbox_uninit(&sb);
}

TW_TESTS("glue-hostdb",
         TW_TEST(test_bridge),
         TW_TEST(test_ports),
         TW_TEST(test_tunnels),
         TW_TEST(test_attachment_bfd),
         TW_TEST(test_release_with_foreign_ports),
         TW_TEST(test_no_server))
