/* SPDX-License-Identifier: Apache-2.0 */

/* Random histories of the whole core.
 *
 *     sim [--schemas DIR] [--seed N] [--histories N] [--events N]
 *         [--seconds N] [--check PERCENT] [--mutant N] [--stop] [-v]
 *
 * --seconds bounds the time, --check the part of steps after which the costly
 * checks are made (C2, reconnection), --mutant is an enum world_mutant, --stop
 * ends at the first failure.  With $SIM_BRIDGE_DIR (tests/sim/with-bridge),
 * probes at the end of each history go through a real bridge as well.
 *
 * A history is its seed.  After every event the world gets time to settle, and
 * then must be right:
 *
 *   - what the engine keeps equals what it computes anew (engine_check());
 *   - bridges refused nothing that was sent;
 *   - a controller that connected again would change nothing;
 *   - no probe loops, is duplicated, meets an ambiguous table or reaches
 *     another customer;
 *   - probes end where the oracle (simoracle.c) says.
 *
 * Ends with "N passed, N failed". */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "controller/base/diag.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "tests/sim/realbridge.h"
#include "tests/sim/simoracle.h"
#include "tests/sim/simworld.h"
#include "util.h"

#define SETTLE_MS 25000
#define N_PROBES 24

#define EVENTS                                                          \
    EVENT(STATED_COST, "stated cost changed")                           \
    EVENT(DESTINATION, "destination added or removed")                  \
    EVENT(ADVERTISE, "advertisement changed")                           \
    EVENT(LINK_COST, "link cost changed")                               \
    EVENT(ATTACHMENT_COST, "attachment cost changed")                   \
    EVENT(NODE, "node added or removed")                                \
    EVENT(METRICS, "metrics submitted")                                 \
    EVENT(NODE_MOVED, "node moved")                                     \
    EVENT(WIRE, "wire cut or mended")                                   \
    EVENT(PEER_SILENT, "peer silent or back")                           \
    EVENT(PEER_LINK, "link between peers cut or mended")                \
    EVENT(PEER_PREFIX, "peer lost or got a prefix")                     \
    EVENT(PEER_METRIC, "peer's metric changed")                         \
    EVENT(CUSTOMER, "customer deleted or back")                         \
    EVENT(LOSS, "packets lost")                                         \
    EVENT(RESTART, "controller restarted")                              \
    EVENT(BRIDGE_RESTART, "bridge restarted")                           \
    EVENT(HOST, "host lost or back")                                    \
    EVENT(SESSION, "session to a host lost or back")                    \
    EVENT(PARTITION, "tunnel between hosts cut or mended")

enum event {
#define EVENT(NAME, TEXT) EVENT_##NAME,
    EVENTS
#undef EVENT
    N_EVENTS
};

static const char *const event_names[] = {
#define EVENT(NAME, TEXT) TEXT,
    EVENTS
#undef EVENT
};

struct sim {
    struct model_schema *schemas[MODEL_N_DOCUMENTS];
    enum world_mutant mutant;
    int n_events;
    uint32_t check_percent;     /* Of steps that the costly checks are made. */
    bool stop;                  /* After the first failure. */
    bool verbose;
    uint64_t counts[N_EVENTS];
    uint64_t n_probes, verdicts[PROBE_WRONG + 1], n_judged, n_misled;
    int n_passed, n_failed;

    struct realbridge *bridge;  /* A sample is compared with it, or NULL. */
    int bridge_host;            /* Whose flows it holds. */
    uint64_t n_compared;
};

/* Events. */

static int
random_customer(struct world *w)
{
    return simrand_below(&w->rand, w->plan.n_customers);
}

static uint32_t
random_cost(struct world *w)
{
    return 10 * simrand_range(&w->rand, 1, 4);
}

static void
change_destination(struct world *w, enum event event)
{
    int c = random_customer(w);
    struct plan_customer *pc = &w->plan.customers[c];
    struct plan_destination *d
        = &pc->destinations[simrand_below(&w->rand, pc->n_prefixes)];
    int n_vias = 0;

    if (event == EVENT_STATED_COST) {
        for (int i = 0; i < pc->n_atts; i++) {
            if (d->vias[i].wanted && simrand_percent(&w->rand, 60)) {
                d->vias[i].cost = random_cost(w);
            }
        }
    } else if (event == EVENT_ADVERTISE) {
        d->advertise = simrand_below(&w->rand, 3);
    } else {
        for (int i = 0; i < pc->n_atts; i++) {
            n_vias += d->vias[i].wanted;
        }
        d->wanted = !d->wanted && n_vias > 0;
    }
    world_submit(w, c);
}

static void
change_cost(struct world *w, enum event event)
{
    int c = random_customer(w);
    struct plan_customer *pc = &w->plan.customers[c];

    if (event == EVENT_LINK_COST && pc->n_links) {
        pc->links[simrand_below(&w->rand, pc->n_links)].cost_ab
            = random_cost(w);
    } else {
        pc->atts[simrand_below(&w->rand, pc->n_atts)].cost = random_cost(w);
    }
    world_submit(w, c);
}

static int
random_host(struct world *w)
{
    return simrand_below(&w->rand, w->plan.n_hosts);
}

static void
change_node(struct world *w, enum event event)
{
    int c = random_customer(w);
    int i = simrand_below(&w->rand, PLAN_MAX_NODES);
    struct plan_node *node = &w->plan.customers[c].nodes[i];

    if (event == EVENT_NODE_MOVED) {
        if (node->wanted) {
            world_place_node(w, c, i, random_host(w));
        }
    } else {
        node->wanted = !node->wanted;
        world_submit(w, c);
        world_place_node(w, c, i, node->wanted ? random_host(w) : -1);
    }
}

static void
change_peer(struct world *w, enum event event)
{
    int c = random_customer(w);
    struct plan_customer *pc = &w->plan.customers[c];
    int i = simrand_below(&w->rand, pc->n_peers);
    struct plan_peer *pp = &pc->peers[i];
    struct plan_external *x
        = &pp->externals[simrand_below(&w->rand, pc->n_prefixes)];

    switch ((int) event) {
    case EVENT_WIRE: {
        struct plan_att *att
            = &pc->atts[simrand_below(&w->rand, pc->n_atts)];

        att->wire_up = !att->wire_up;
        break;
    }
    case EVENT_PEER_SILENT:
        pp->up = !pp->up;
        break;
    case EVENT_PEER_LINK: {
        struct plan_iface *pi
            = &pp->ifaces[simrand_below(&w->rand, pp->n_ifaces)];

        if (pi->att < 0) {
            pi->up = !pi->up;
            pc->peers[pi->peer].ifaces[pi->iface].up = pi->up;
        }
        break;
    }
    case EVENT_PEER_PREFIX:
        x->present = !x->present;
        break;
    case EVENT_PEER_METRIC:
        x->metric = random_cost(w);
        x->e2 = simrand_percent(&w->rand, 50);
        break;
    }
    world_update_ports(w);
    peer_configure(w, c, i);
}

static void
change_host(struct world *w, enum event event)
{
    int i = random_host(w);
    struct sim_host *h = &w->hosts[i];
    int j = random_host(w);

    switch ((int) event) {
    case EVENT_BRIDGE_RESTART:
        if (h->connected) {
            world_restart_bridge(w, i);
        }
        break;
    case EVENT_HOST:
        if (h->up) {
            world_disconnect(w, i);
            h->up = false;
        } else {
            h->up = true;
            simswitch_restart(&h->sw);
            world_connect(w, i);
        }
        break;
    case EVENT_SESSION:
        if (h->connected) {
            world_disconnect(w, i);
        } else {
            world_connect(w, i);
        }
        break;
    case EVENT_PARTITION:
        w->cut[i][j] = w->cut[j][i] = i != j && !w->cut[i][j];
        break;
    }
    world_update_ports(w);
}

static void
happen(struct world *w, enum event event)
{
    switch (event) {
    case EVENT_STATED_COST:
    case EVENT_DESTINATION:
    case EVENT_ADVERTISE:
        change_destination(w, event);
        break;
    case EVENT_LINK_COST:
    case EVENT_ATTACHMENT_COST:
        change_cost(w, event);
        break;
    case EVENT_NODE:
    case EVENT_NODE_MOVED:
        change_node(w, event);
        break;
    case EVENT_METRICS: {
        int c = random_customer(w);
        int i = simrand_below(&w->rand, w->plan.customers[c].n_atts);

        w->plan.delay_ms[c][i] = simrand_below(&w->rand, 5);
        world_submit_metrics(w);
        break;
    }
    case EVENT_WIRE:
    case EVENT_PEER_SILENT:
    case EVENT_PEER_LINK:
    case EVENT_PEER_PREFIX:
    case EVENT_PEER_METRIC:
        change_peer(w, event);
        break;
    case EVENT_CUSTOMER: {
        int c = random_customer(w);

        w->plan.customers[c].wanted = !w->plan.customers[c].wanted;
        world_submit(w, c);
        break;
    }
    case EVENT_LOSS:
        w->loss_percent = 30;
        world_advance(w, SETTLE_MS);
        w->loss_percent = 0;
        break;
    case EVENT_RESTART:
        world_restart_controller(w);
        break;
    case EVENT_BRIDGE_RESTART:
    case EVENT_HOST:
    case EVENT_SESSION:
    case EVENT_PARTITION:
        change_host(w, event);
        break;
    case N_EVENTS:
        OVS_NOT_REACHED();
    }
}

/* Damage is repaired sooner than it is done, so that worlds stay lively. */
static enum event
choose_event(struct world *w)
{
    if (simrand_percent(&w->rand, 40)) {
        for (int i = 0; i < w->plan.n_hosts; i++) {
            struct sim_host *h = &w->hosts[i];

            if (!h->up || !h->connected) {
                if (!h->up) {
                    h->up = true;
                    simswitch_restart(&h->sw);
                }
                world_connect(w, i);
                world_update_ports(w);
            }
        }
        memset(w->cut, 0, sizeof w->cut);
        for (int c = 0; c < w->plan.n_customers; c++) {
            struct plan_customer *pc = &w->plan.customers[c];

            for (int i = 0; i < pc->n_atts; i++) {
                pc->atts[i].wire_up |= simrand_percent(&w->rand, 50);
            }
            for (int i = 0; i < pc->n_peers; i++) {
                pc->peers[i].up |= simrand_percent(&w->rand, 50);
            }
            if (!pc->wanted) {
                pc->wanted = true;
                world_submit(w, c);
            }
        }
        world_update_ports(w);
    }
    return simrand_below(&w->rand, N_EVENTS);
}

/* Checks. */

/* Something is cut off from the controller or the other hosts: what is
 * installed may be old. */
static bool
is_whole(const struct world *w)
{
    for (int i = 0; i < w->plan.n_hosts; i++) {
        if (!w->hosts[i].up || !w->hosts[i].connected) {
            return false;
        }
        for (int j = 0; j < w->plan.n_hosts; j++) {
            if (w->cut[i][j]) {
                return false;
            }
        }
    }
    return true;
}

static uint32_t
random_destination(struct world *w, int customer)
{
    const struct plan_customer *pc = &w->plan.customers[customer];
    struct simrand *r = &w->noise;
    int node, peer;

    switch (simrand_below(r, 6)) {
    case 0:
        node = simrand_below(r, PLAN_MAX_NODES);
        return plan_node_address(node, pc->nodes[node].subnet);
    case 1:
        peer = simrand_below(r, pc->n_peers);
        return peer_address(w, customer, peer,
                            simrand_below(r, pc->peers[peer].n_ifaces));
    default:
        return plan_prefix(simrand_below(r, pc->n_prefixes))
               + simrand_range(r, 1, 200);
    }
}

/* Where a probe starts, so that it can be sent again with a trace. */
struct start {
    int customer, node, peer, router;
    uint32_t dst;
    uint16_t sport;
};

static bool
random_start(struct world *w, struct start *s)
{
    const struct plan_customer *pc;
    struct simrand *r = &w->noise;
    const struct plan_node *node;

    s->customer = simrand_below(r, w->plan.n_customers);
    pc = &w->plan.customers[s->customer];
    s->dst = random_destination(w, s->customer);
    s->sport = 1024 + simrand_below(r, 1000);
    s->node = s->peer = s->router = -1;
    if (simrand_percent(r, 30)) {
        s->peer = simrand_below(r, pc->n_peers);
        return pc->peers[s->peer].up;
    }
    s->node = simrand_below(r, PLAN_MAX_NODES);
    node = &pc->nodes[s->node];
    if (!node->wanted || !pc->wanted
        || w->customers[s->customer].nodes[s->node].host < 0
        || plan_node_address(s->node, node->subnet) == s->dst) {
        return false;
    }
    s->router = simrand_below(r, pc->n_routers);
    return (pc->routers[s->router].subnets & (1 << node->subnet)) != 0;
}

static void
send_probe(struct world *w, struct probe *p, const struct start *s,
           bool trace)
{
    if (s->node >= 0) {
        probe_from_node(w, p, s->customer, s->node, s->router, s->dst,
                        s->sport, trace);
    } else {
        probe_from_peer(w, p, s->customer, s->peer, s->dst, s->sport, trace);
    }
}

/* A customer states that a prefix is behind an attachment, and the router there
 * has lost it: that router may send the packet back by another attachment, on
 * the strength of our own advertisement of what was stated. */
static bool
is_misled(const struct world *w, int customer, uint32_t dst)
{
    const struct plan_customer *pc = &w->plan.customers[customer];

    for (int i = 0; i < pc->n_prefixes; i++) {
        const struct plan_destination *d = &pc->destinations[i];

        for (int j = 0; j < pc->n_atts; j++) {
            if (dst >> 8 == plan_prefix(i) >> 8 && d->wanted
                && d->vias[j].wanted
                && !pc->peers[pc->atts[j].peer].externals[i].present) {
                return true;
            }
        }
    }
    return false;
}

static void
check_probe(struct sim *sim, struct world *w, struct probe *p,
            const struct start *s, bool whole)
{
    const char *wrong = NULL;

    send_probe(w, p, s, false);
    sim->n_probes++;
    sim->verdicts[p->verdict]++;
    if (p->verdict == PROBE_WRONG) {
        wrong = p->why;
    } else if (p->verdict == PROBE_LOOP && whole) {
        if (is_misled(w, s->customer, s->dst)) {
            sim->n_misled++;
        } else {
            wrong = "loop";
        }
    } else if (whole && s->node >= 0) {
        struct ds why = DS_EMPTY_INITIALIZER;

        sim->n_judged++;
        if (!oracle_judge(w, s->customer, s->router, s->dst, p, &why)) {
            send_probe(w, p, s, true);
            world_fault(w, "%s\n%s", ds_cstr(&why), ds_cstr(&p->trace));
        }
        ds_destroy(&why);
    }
    if (wrong) {
        send_probe(w, p, s, true);
        world_fault(w, "%s\n%s", wrong, ds_cstr(&p->trace));
    }
}

static void
check_world(struct sim *sim, struct world *w)
{
    struct ds differences = DS_EMPTY_INITIALIZER;
    bool whole = is_whole(w);
    struct probe p;

    if (simrand_percent(&w->noise, sim->check_percent)
        && !engine_check(w->engine, w->now, &differences)) {
        world_fault(w, "incremental differs from recomputed:\n%s",
                    ds_cstr(&differences));
    }
    ds_destroy(&differences);
    if (simrand_percent(&w->noise, sim->check_percent)) {
        world_check_reconnect(w, simrand_below(&w->noise, w->plan.n_hosts));
    }
    probe_init(&p);
    for (int i = 0; i < N_PROBES && !w->n_faults; i++) {
        struct start s;

        if (random_start(w, &s)) {
            check_probe(sim, w, &p, &s, whole);
        }
    }
    probe_destroy(&p);
}

/* The real bridge. */

static void
compare_packet(struct world *w, int host, const struct simpkt *pkt,
               const struct simresult *result)
{
    struct sim *sim = w->watch_aux;
    struct ds text = DS_EMPTY_INITIALIZER;
    struct ds why = DS_EMPTY_INITIALIZER;
    struct simresult real;

    if (host != sim->bridge_host) {
        return;
    }
    simresult_init(&real);
    if (realbridge_trace(sim->bridge, pkt, &real, &text)) {
        sim->n_compared++;
        if (!realbridge_same_result(result, &real, &why)) {
            world_fault(w, "%s differs from a real bridge:\n%s\n%s",
                        w->hosts[host].name, ds_cstr(&why), ds_cstr(&text));
        }
    }
    simresult_destroy(&real);
    ds_destroy(&text);
    ds_destroy(&why);
}

/* Loads one host's flows into a real bridge and sends probes that pass it
 * through both. */
static void
compare_with_bridge(struct sim *sim, struct world *w)
{
    struct probe p;

    sim->bridge_host = simrand_below(&w->noise, w->plan.n_hosts);
    realbridge_load(sim->bridge, &w->hosts[sim->bridge_host].sw);
    w->watch = compare_packet;
    w->watch_aux = sim;
    probe_init(&p);
    for (int i = 0; i < 10 * N_PROBES && !w->n_faults; i++) {
        struct start s;

        if (random_start(w, &s)) {
            send_probe(w, &p, &s, false);
        }
    }
    probe_destroy(&p);
    w->watch = NULL;
}

/* Histories. */

static void
run_history(struct sim *sim, uint64_t seed)
{
    struct world w;
    enum event event = N_EVENTS;
    int step;

    world_init(&w, seed, sim->schemas);
    w.mutant = sim->mutant;
    w.verbose = sim->verbose;
    world_advance(&w, SETTLE_MS);
    check_world(sim, &w);
    for (step = 0; step < sim->n_events && !w.n_faults; step++) {
        event = choose_event(&w);
        if (sim->verbose) {
            printf("[%lld.%03lld] step %d: %s\n", w.now / 1000, w.now % 1000,
                   step, event_names[event]);
        }
        sim->counts[event]++;
        happen(&w, event);
        world_advance(&w, SETTLE_MS);
        check_world(sim, &w);
    }
    if (sim->bridge && !w.n_faults && is_whole(&w)) {
        compare_with_bridge(sim, &w);
    }
    if (w.n_faults) {
        sim->n_failed++;
        printf("seed %"PRIu64": %d faults at step %d (%s):\n%s\n", seed,
               w.n_faults, step,
               event == N_EVENTS ? "start" : event_names[event],
               ds_cstr(&w.faults));
    } else {
        sim->n_passed++;
    }
    world_destroy(&w);
}

static void
read_schemas(struct sim *sim, const char *dir)
{
    for (int i = 0; i < MODEL_N_DOCUMENTS; i++) {
        char *name = xasprintf("%s/%s", dir, model_schema_file_name(i));
        struct diags diags = DIAGS_INITIALIZER;
        FILE *stream = fopen(name, "r");
        char *buf = xmalloc(MODEL_SCHEMA_MAX_BYTES);
        size_t n;

        if (!stream) {
            ovs_fatal(errno, "%s", name);
        }
        n = fread(buf, 1, MODEL_SCHEMA_MAX_BYTES, stream);
        fclose(stream);
        sim->schemas[i] = model_schema_create(i, buf, n, &diags);
        ovs_assert(sim->schemas[i]);
        free(buf);
        free(name);
        diags_destroy(&diags);
    }
}

static void
print_counts(const struct sim *sim)
{
    for (int i = 0; i < N_EVENTS; i++) {
        printf("%8"PRIu64"  %s\n", sim->counts[i], event_names[i]);
    }
    printf("probes: %"PRIu64", of which the oracle judged %"PRIu64"\n",
           sim->n_probes, sim->n_judged);
    printf("loops behind a peer that lost what is stated of it: %"PRIu64"\n",
           sim->n_misled);
    if (sim->bridge) {
        printf("packets compared with a real bridge: %"PRIu64"\n",
               sim->n_compared);
    }
    for (int i = 0; i <= PROBE_WRONG; i++) {
        printf("%8"PRIu64"  %s\n", sim->verdicts[i],
               probe_verdict_to_string(i));
    }
}

int
main(int argc, char *argv[])
{
    static const struct option options[] = {
        { "seed", required_argument, NULL, 's' },
        { "histories", required_argument, NULL, 'n' },
        { "events", required_argument, NULL, 'e' },
        { "mutant", required_argument, NULL, 'm' },
        { "stop", no_argument, NULL, 'x' },
        { "schemas", required_argument, NULL, 'd' },
        { "check", required_argument, NULL, 'c' },
        { "seconds", required_argument, NULL, 't' },
        { "verbose", no_argument, NULL, 'v' },
        { NULL, 0, NULL, 0 },
    };
    const char *schemas = "schemas";
    struct sim sim = { .n_events = 50, .check_percent = 100 };
    time_t start = time(NULL);
    int seconds = INT_MAX;
    uint64_t seed = 1;
    int n = 20;
    int c;

    set_program_name(argv[0]);
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    setvbuf(stdout, NULL, _IOLBF, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
    while ((c = getopt_long(argc, argv, "v", options, NULL)) != -1) {
        switch (c) {
        case 's':
            seed = strtoull(optarg, NULL, 0);
            break;
        case 'n':
            n = atoi(optarg);
            break;
        case 'e':
            sim.n_events = atoi(optarg);
            break;
        case 'm':
            sim.mutant = atoi(optarg);
            break;
        case 'x':
            sim.stop = true;
            break;
        case 'c':
            sim.check_percent = atoi(optarg);
            break;
        case 't':
            seconds = atoi(optarg);
            break;
        case 'd':
            schemas = optarg;
            break;
        case 'v':
            sim.verbose = true;
            break;
        default:
            return EXIT_FAILURE;
        }
    }
    read_schemas(&sim, schemas);
    if (getenv("SIM_BRIDGE_DIR")) {
        sim.bridge = realbridge_open(getenv("SIM_BRIDGE_DIR"));
    }
    printf("seeds %"PRIu64" to %"PRIu64", %d events each\n", seed,
           seed + n - 1, sim.n_events);
    for (int i = 0; i < n && time(NULL) - start < seconds; i++) {
        run_history(&sim, seed + i);
        if (sim.n_failed && sim.stop) {
            break;
        }
    }
    print_counts(&sim);
    realbridge_close(sim.bridge);
    for (int i = 0; i < MODEL_N_DOCUMENTS; i++) {
        model_schema_destroy(sim.schemas[i]);
    }
    printf("%d passed, %d failed\n", sim.n_passed, sim.n_failed);
    return sim.n_failed ? EXIT_FAILURE : 0;
}
