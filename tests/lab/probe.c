/* SPDX-License-Identifier: Apache-2.0 */

/* Measures an outage on a path to the millisecond.
 *
 *     probe respond PORT
 *         echoes UDP datagrams, each from the address that it was sent to.
 *
 *     probe send ADDRESS PORT INTERVAL_US [SOURCE_PORT]
 *         sends numbered datagrams at a fixed pace and notes which come back.
 *         Words on standard input, one per line, are answered by one line of
 *         JSON on standard output: "snapshot", "mark" (the same, then counts
 *         anew), "stop" (waits for answers under way, then ends).  The end of
 *         standard input ends the program.
 *
 * A probe counts as lost when its answer has not come 300 ms after it was
 * sent; younger ones are neither received nor lost.  The gap is the longest time
 * between two answers that follow each other (or since the last one), so an
 * unbroken path shows about one interval. */

#ifdef HAVE_CONFIG_H
#include <config.h>
#endif

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_US 300000
#define MAX_RANGES 64

struct probe {
    int64_t sent_us;            /* Monotonic time of sending; 0: not sent. */
    int32_t rtt_us;             /* -1 until the answer came. */
};

struct sender {
    int sock;
    int timer;
    struct probe *probes;       /* Indexed by sequence number. */
    size_t n, allocated;
    size_t base;                /* First probe counted since the mark. */
    int64_t start_us;           /* When the program began. */
    int64_t last_rx_us;         /* Last answer, or the mark. */
    int64_t gap_us;             /* Longest gap since the mark. */
    uint64_t refused;           /* Errors of send() (no route, for one). */
    struct sockaddr_in to;
};

static int64_t
now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static _Noreturn void
die(const char *what)
{
    perror(what);
    exit(1);
}

static _Noreturn void
respond(int port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
    };
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    int one = 1;

    if (sock < 0
        || setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &one, sizeof one)
        || bind(sock, (struct sockaddr *) &addr, sizeof addr)) {
        die("respond");
    }
    for (;;) {
        char data[2048];
        char control[256];
        struct sockaddr_in from;
        struct iovec iov = { .iov_base = data, .iov_len = sizeof data };
        struct msghdr msg = {
            .msg_name = &from, .msg_namelen = sizeof from,
            .msg_iov = &iov, .msg_iovlen = 1,
            .msg_control = control, .msg_controllen = sizeof control,
        };
        ssize_t n = recvmsg(sock, &msg, 0);

        if (n < 0) {
            continue;
        }
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c;
             c = CMSG_NXTHDR(&msg, c)) {
            if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
                /* Let routing choose the interface, keep the address. */
                struct in_pktinfo *info = (void *) CMSG_DATA(c);

                info->ipi_spec_dst = info->ipi_addr;
                info->ipi_ifindex = 0;
            }
        }
        iov.iov_len = n;
        sendmsg(sock, &msg, 0);
    }
}

static void
send_probe(struct sender *s)
{
    char data[64] = { 0 };
    uint64_t seq = s->n;

    if (s->n == s->allocated) {
        s->allocated = s->allocated ? s->allocated * 2 : 65536;
        s->probes = realloc(s->probes, s->allocated * sizeof *s->probes);
        if (!s->probes) {
            die("memory");
        }
    }
    s->probes[s->n].sent_us = now_us();
    s->probes[s->n].rtt_us = -1;
    s->n++;
    memcpy(data, &seq, sizeof seq);
    if (sendto(s->sock, data, sizeof data, 0, (struct sockaddr *) &s->to,
               sizeof s->to) < 0) {
        s->refused++;
    }
}

static void
receive_probes(struct sender *s)
{
    char data[2048];
    uint64_t seq;
    ssize_t n;

    while ((n = recv(s->sock, data, sizeof data, MSG_DONTWAIT)) >= 0
           || errno != EAGAIN) {
        if (n < (ssize_t) sizeof seq) {
            continue;
        }
        memcpy(&seq, data, sizeof seq);
        if (seq < s->n && s->probes[seq].rtt_us < 0) {
            int64_t now = now_us();

            s->probes[seq].rtt_us = now - s->probes[seq].sent_us;
            if (seq >= s->base) {
                if (now - s->last_rx_us > s->gap_us) {
                    s->gap_us = now - s->last_rx_us;
                }
                s->last_rx_us = now;
            }
        }
    }
}

static int
compare_rtt(const void *a_, const void *b_)
{
    const int32_t *a = a_, *b = b_;

    return *a < *b ? -1 : *a > *b;
}

static void
report(const struct sender *s, int64_t patience_us)
{
    size_t sent = s->n - s->base, received = 0, lost = 0, n_ranges = 0;
    size_t first[MAX_RANGES], last[MAX_RANGES];
    int64_t now = now_us(), first_lost_us = -1;
    int32_t *rtts = malloc((sent + 1) * sizeof *rtts);
    int64_t gap_us = s->gap_us;

    if (!rtts) {
        die("memory");
    }
    for (size_t i = s->base; i < s->n; i++) {
        const struct probe *p = &s->probes[i];

        if (p->rtt_us >= 0) {
            rtts[received++] = p->rtt_us;
        } else if (now - p->sent_us >= patience_us) {
            lost++;
            if (first_lost_us < 0) {
                first_lost_us = p->sent_us - s->start_us;
            }
            if (n_ranges && last[n_ranges - 1] == i - 1) {
                last[n_ranges - 1] = i;
            } else if (n_ranges < MAX_RANGES) {
                first[n_ranges] = last[n_ranges] = i;
                n_ranges++;
            }
        }
    }
    qsort(rtts, received, sizeof *rtts, compare_rtt);
    if (lost && now - s->last_rx_us > gap_us) {
        gap_us = now - s->last_rx_us;
    }
    printf("{\"sent\":%zu,\"received\":%zu,\"lost\":%zu,\"refused\":%llu,"
           "\"gap_ms\":%.3f,\"rtt_ms\":%.3f,\"rtt_max_ms\":%.3f,"
           "\"lost_at_s\":%.3f,\"lost_ranges\":[",
           sent, received, lost, (unsigned long long) s->refused,
           gap_us / 1e3, received ? rtts[received / 2] / 1e3 : 0.0,
           received ? rtts[received - 1] / 1e3 : 0.0, first_lost_us / 1e6);
    for (size_t i = 0; i < n_ranges; i++) {
        printf("%s[%zu,%zu]", i ? "," : "", first[i], last[i]);
    }
    printf("]}\n");
    fflush(stdout);
    free(rtts);
}

/* Waits until all answers came, or those missing are past waiting for. */
static void
drain(struct sender *s)
{
    int64_t deadline = now_us() + PATIENCE_US;

    for (;;) {
        struct pollfd pfd = { .fd = s->sock, .events = POLLIN };
        int64_t left_ms = (deadline - now_us()) / 1000;
        bool missing = false;

        receive_probes(s);
        for (size_t i = s->n; i > s->base && !missing; i--) {
            const struct probe *p = &s->probes[i - 1];

            if (now_us() - p->sent_us > PATIENCE_US) {
                break;
            }
            missing = p->rtt_us < 0;
        }
        if (!missing || left_ms <= 0) {
            return;
        }
        poll(&pfd, 1, left_ms);
    }
}

/* Obeys the words that came on standard input; false at its end. */
static bool
obey(struct sender *s)
{
    char words[4096];
    ssize_t n = read(0, words, sizeof words - 1);

    if (n <= 0) {
        return false;
    }
    words[n] = '\0';
    for (char *word = strtok(words, "\n"); word; word = strtok(NULL, "\n")) {
        receive_probes(s);
        if (!strcmp(word, "stop")) {
            drain(s);
            report(s, 0);
            return false;
        }
        report(s, PATIENCE_US);
        if (!strcmp(word, "mark")) {
            s->base = s->n;
            s->gap_us = 0;
            s->last_rx_us = now_us();
        }
    }
    return true;
}

static int
send_probes(const char *address, int port, long interval_us, int source_port)
{
    struct sender s = {
        .sock = socket(AF_INET, SOCK_DGRAM, 0),
        .timer = timerfd_create(CLOCK_MONOTONIC, 0),
        .start_us = now_us(),
    };
    struct itimerspec pace = {
        .it_interval = { interval_us / 1000000, interval_us % 1000000 * 1000 },
        .it_value = { 0, 1 },
    };
    struct sockaddr_in from = {
        .sin_family = AF_INET,
        .sin_port = htons(source_port),
    };

    s.last_rx_us = s.start_us;
    s.to.sin_family = AF_INET;
    s.to.sin_port = htons(port);
    if (inet_pton(AF_INET, address, &s.to.sin_addr) != 1) {
        fprintf(stderr, "%s: not an IPv4 address\n", address);
        return 1;
    }
    if (s.sock < 0 || s.timer < 0
        || bind(s.sock, (struct sockaddr *) &from, sizeof from)
        || timerfd_settime(s.timer, 0, &pace, NULL)) {
        die("send");
    }
    for (;;) {
        struct pollfd pfds[] = {
            { .fd = s.sock, .events = POLLIN },
            { .fd = s.timer, .events = POLLIN },
            { .fd = 0, .events = POLLIN },
        };

        if (poll(pfds, 3, -1) < 0) {
            continue;
        }
        receive_probes(&s);
        if (pfds[1].revents) {
            uint64_t ticks = 0;

            /* Probes missed while the machine was busy are sent late. */
            if (read(s.timer, &ticks, sizeof ticks) == sizeof ticks) {
                while (ticks--) {
                    send_probe(&s);
                }
            }
        }
        if (pfds[2].revents && !obey(&s)) {
            return 0;
        }
    }
}

int
main(int argc, char *argv[])
{
    if (argc == 3 && !strcmp(argv[1], "respond")) {
        respond(atoi(argv[2]));
    } else if ((argc == 5 || argc == 6) && !strcmp(argv[1], "send")) {
        return send_probes(argv[2], atoi(argv[3]), atol(argv[4]),
                           argc == 6 ? atoi(argv[5]) : 0);
    }
    fprintf(stderr, "usage: %s respond PORT\n"
            "       %s send ADDRESS PORT INTERVAL_US [SOURCE_PORT]\n",
            argv[0], argv[0]);
    return 2;
}
