/* SPDX-License-Identifier: Apache-2.0 */

/* One OSPF router on raw sockets, to meet real ones without any bridge.
 *
 *     ospf-raw ROUTER-ID [OPTION]... IFACE=ADDRESS/PLEN[,broadcast]...
 *
 * Options: seconds=N (how long to run, 10), hello=N, dead=N, mtu=N, priority=N,
 * external=PREFIX/PLEN,e1|e2,METRIC[,FORWARDING], stub=PREFIX/PLEN,COST,
 * many=N (N externals from 100.64.0.0/24 on), snapshot=FILE (restored if there,
 * written at the end), quiet.
 *
 * It prints events as they come, and at the end the LSDB and the routes.  With
 * TOLLWAY_OSPF_WAIT_FULL set it ends 3 s after the first neighbour is Full. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "controller/ospf/ospf.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofpbuf.h"
#include "util.h"

#define MAX_IFACES 8
#define MAX_STUBS 300
#define MAX_EXTERNALS 200000

struct program {
    struct ospf *ospf;
    struct ospf_config cfg;
    struct ospf_iface_config ifaces[MAX_IFACES];
    int fds[MAX_IFACES];
    struct ospf_stub_config stubs[MAX_STUBS];
    struct ospf_external_config *externals;
    size_t n_externals;
    long long int seconds;
    const char *snapshot;
    bool quiet;
    long long int start_ms;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
    stop = sig;
}

static long long int
now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

static uint32_t
parse_ip(const char *s)
{
    struct in_addr a;

    if (inet_pton(AF_INET, s, &a) != 1) {
        ovs_fatal(0, "%s: not an address", s);
    }
    return ntohl(a.s_addr);
}

/* "A.B.C.D/N". */
static void
parse_prefix(char *s, uint32_t *prefix, uint8_t *plen)
{
    char *slash = strchr(s, '/');

    *plen = slash ? atoi(slash + 1) : 32;
    if (slash) {
        *slash = '\0';
    }
    *prefix = parse_ip(s);
}

static void
parse_external(struct program *p, char *s)
{
    struct ospf_external_config *x = &p->externals[p->n_externals++];
    char *save = NULL;
    char *prefix = strtok_r(s, ",", &save);
    char *type = strtok_r(NULL, ",", &save);
    char *metric = strtok_r(NULL, ",", &save);
    char *forwarding = strtok_r(NULL, ",", &save);

    memset(x, 0, sizeof *x);
    parse_prefix(prefix, &x->prefix, &x->plen);
    x->e2 = type && !strcmp(type, "e2");
    x->metric = metric ? atoi(metric) : 20;
    x->forwarding = forwarding ? parse_ip(forwarding) : 0;
}

static void
parse_iface(struct program *p, char *s)
{
    struct ospf_iface_config *c = &p->ifaces[p->cfg.n_ifaces];
    char *equals = strchr(s, '=');
    char *comma = strchr(equals, ',');

    if (comma) {
        *comma++ = '\0';
    }
    *equals = '\0';
    c->id = p->cfg.n_ifaces + 1;
    c->name = s;
    parse_prefix(equals + 1, &c->address, &c->plen);
    c->type = comma && !strcmp(comma, "broadcast") ? OSPF_BROADCAST
              : OSPF_P2P;
    p->cfg.n_ifaces++;
}

static const char *
value_of(char *arg, const char *key)
{
    size_t n = strlen(key);
    return !strncmp(arg, key, n) && arg[n] == '=' ? arg + n + 1 : NULL;
}

static void
parse_args(struct program *p, int argc, char *argv[])
{
    int hello = 1, dead = 4, mtu = 1500, priority = 1, many = 0;

    p->cfg.router_id = parse_ip(argv[1]);
    p->seconds = 10;
    p->externals = xcalloc(MAX_EXTERNALS, sizeof *p->externals);
    for (int i = 2; i < argc; i++) {
        const char *v;
        if ((v = value_of(argv[i], "seconds"))) {
            p->seconds = atoi(v);
        } else if ((v = value_of(argv[i], "hello"))) {
            hello = atoi(v);
        } else if ((v = value_of(argv[i], "dead"))) {
            dead = atoi(v);
        } else if ((v = value_of(argv[i], "mtu"))) {
            mtu = atoi(v);
        } else if ((v = value_of(argv[i], "priority"))) {
            priority = atoi(v);
        } else if ((v = value_of(argv[i], "many"))) {
            many = atoi(v);
        } else if ((v = value_of(argv[i], "snapshot"))) {
            p->snapshot = v;
        } else if ((v = value_of(argv[i], "external"))) {
            parse_external(p, CONST_CAST(char *, v));
        } else if ((v = value_of(argv[i], "stub"))) {
            struct ospf_stub_config *stub = &p->stubs[p->cfg.n_stubs++];
            char *comma = strchr(v, ',');
            stub->cost = comma ? atoi(comma + 1) : 1;
            if (comma) {
                *comma = '\0';
            }
            parse_prefix(CONST_CAST(char *, v), &stub->prefix, &stub->plen);
        } else if (!strcmp(argv[i], "quiet")) {
            p->quiet = true;
        } else {
            parse_iface(p, argv[i]);
        }
    }
    for (size_t i = 0; i < p->cfg.n_ifaces; i++) {
        p->ifaces[i].cost = 10;
        p->ifaces[i].hello_interval = hello;
        p->ifaces[i].dead_interval = dead;
        p->ifaces[i].mtu = mtu;
        p->ifaces[i].priority = priority;
    }
    for (int i = 0; i < many; i++) {
        p->externals[p->n_externals++] = (struct ospf_external_config) {
            .prefix = 0x64400000u + i * 256u, .plen = 24, .e2 = true,
            .metric = 100,
        };
    }
    p->cfg.ifaces = p->ifaces;
    p->cfg.stubs = p->stubs;
}

static int
open_iface(const struct ospf_iface_config *c)
{
    int fd = socket(AF_INET, SOCK_RAW, 89);
    int ttl = 1, tos = 0xc0, off = 0, size = 8 << 20;
    struct in_addr local = { htonl(c->address) };
    struct ip_mreqn mreq = {
        .imr_address = local, .imr_ifindex = if_nametoindex(c->name),
    };

    if (fd < 0
        || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, c->name,
                      strlen(c->name))) {
        ovs_fatal(errno, "%s", c->name);
    }
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof ttl);
    setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl);
    setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &off, sizeof off);
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &mreq, sizeof mreq);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    mreq.imr_multiaddr.s_addr = htonl(OSPF_ALL_ROUTERS);
    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq);
    mreq.imr_multiaddr.s_addr = htonl(OSPF_ALL_DROUTERS);
    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &mreq, sizeof mreq);
    return fd;
}

static void
apply(struct program *p, struct ospf_out *out)
{
    for (size_t i = 0; i < out->n; i++) {
        const struct ospf_action *a = &out->actions[i];
        if (a->type == OSPF_ACTION_SEND) {
            struct sockaddr_in to = { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(a->send.dst) };
            if (sendto(p->fds[a->send.iface - 1], a->send.data, a->send.len,
                       0, (struct sockaddr *) &to, sizeof to) < 0) {
                printf("sendto: %s\n", ovs_strerror(errno));
            }
        } else if (a->type == OSPF_ACTION_EVENT) {
            printf("%6lld ms: if %u: %s%s%s: %s\n", now_ms() - p->start_ms,
                   a->event.iface, a->event.from ? a->event.from : "",
                   a->event.to ? " -> " : "", a->event.to ? a->event.to : "",
                   a->event.reason);
        }
    }
    ospf_out_clear(out);
}

static void
receive(struct program *p, size_t i, struct ospf_out *out)
{
    static uint8_t buf[65536];
    ssize_t n;

    while ((n = recv(p->fds[i], buf, sizeof buf, MSG_DONTWAIT)) > 0) {
        const struct iphdr *ip = (const struct iphdr *) buf;
        size_t header = ip->ihl * 4;
        if ((size_t) n < header) {
            continue;
        }
        struct ospf_rx rx = {
            .iface = p->ifaces[i].id, .src = ntohl(ip->saddr),
            .dst = ntohl(ip->daddr), .ttl = ip->ttl,
            .data = buf + header, .len = n - header,
        };
        ospf_receive(p->ospf, &rx, now_ms(), out);
        apply(p, out);
    }
}

static void
loop(struct program *p)
{
    long long int end = now_ms() + p->seconds * 1000;
    bool wait_full = getenv("TOLLWAY_OSPF_WAIT_FULL") != NULL;
    struct ospf_out out = OSPF_OUT_INIT;

    while (now_ms() < end && !stop) {
        struct pollfd fds[MAX_IFACES];
        long long int wake = MIN(ospf_next_wake(p->ospf), end);
        for (size_t i = 0; i < p->cfg.n_ifaces; i++) {
            fds[i] = (struct pollfd) { .fd = p->fds[i], .events = POLLIN };
        }
        poll(fds, p->cfg.n_ifaces, MAX(0, wake - now_ms()));
        for (size_t i = 0; i < p->cfg.n_ifaces; i++) {
            receive(p, i, &out);
        }
        ospf_run(p->ospf, now_ms(), &out);
        apply(p, &out);
        if (wait_full && ospf_neighbor_is_full(p->ospf, 1, 0)) {
            wait_full = false;
            end = MIN(end, now_ms() + 3000);
        }
    }
    ospf_out_uninit(&out);
}

static void
report(struct program *p)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    const struct ospf_counters *c = ospf_get_counters(p->ospf);

    if (!p->quiet) {
        ospf_format_lsdb(p->ospf, true, now_ms(), &ds);
    }
    ospf_rib_format(&ds, ospf_run_spf(p->ospf, now_ms()));
    for (size_t i = 0; i < OSPF_N_DROPS; i++) {
        if (c->drops[i]) {
            ds_put_format(&ds, "dropped %"PRIu64": %s\n", c->drops[i],
                          ospf_drop_string(i));
        }
    }
    ds_put_format(&ds, "retransmitted %"PRIu64", originated %"PRIu64"\n",
                  c->retransmitted, c->originated);
    fputs(ds_cstr(&ds), stdout);
    ds_destroy(&ds);
}

static void
load_snapshot(struct program *p, struct ospf_out *out)
{
    FILE *f = p->snapshot ? fopen(p->snapshot, "r") : NULL;
    static uint8_t buf[1 << 24];

    if (f) {
        size_t n = fread(buf, 1, sizeof buf, f);
        printf("restored: %s\n",
               ospf_restore(p->ospf, buf, n, now_ms(), out) ? "yes" : "no");
        apply(p, out);
        fclose(f);
    }
}

static void
save_snapshot(struct program *p)
{
    FILE *f = p->snapshot ? fopen(p->snapshot, "w") : NULL;

    if (f) {
        struct ofpbuf b;
        ofpbuf_init(&b, 0);
        ospf_snapshot(p->ospf, now_ms(), &b);
        fwrite(b.data, 1, b.size, f);
        ofpbuf_uninit(&b);
        fclose(f);
    }
}

int
main(int argc, char *argv[])
{
    struct program p = { .ospf = ospf_create() };
    struct ospf_out out = OSPF_OUT_INIT;

    if (argc < 3) {
        ovs_fatal(0, "usage: %s ROUTER-ID IFACE=ADDRESS/PLEN...", argv[0]);
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    parse_args(&p, argc, argv);
    p.start_ms = now_ms();
    for (size_t i = 0; i < p.cfg.n_ifaces; i++) {
        p.fds[i] = open_iface(&p.ifaces[i]);
    }
    ospf_configure(p.ospf, &p.cfg, now_ms(), &out);
    ospf_set_externals(p.ospf, p.externals, p.n_externals, now_ms(), &out);
    load_snapshot(&p, &out);
    for (size_t i = 0; i < p.cfg.n_ifaces; i++) {
        ospf_iface_up(p.ospf, p.ifaces[i].id, now_ms(), &out);
    }
    apply(&p, &out);
    loop(&p);
    report(&p);
    if (p.snapshot) {
        save_snapshot(&p);
    } else {
        ospf_shutdown(p.ospf, now_ms(), &out);
        apply(&p, &out);
    }
    ospf_destroy(p.ospf);
    ospf_out_uninit(&out);
    free(p.externals);
    return 0;
}
