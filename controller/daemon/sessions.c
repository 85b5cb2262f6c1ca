/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/daemon/tollwayd.h"

#include <stdlib.h>
#include <string.h>
#include "controller/flow/desired.h"
#include "controller/flow/pipeline.h"
#include "controller/model/model.h"
#include "openvswitch/ofp-port.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovs-glue/hostdb.h"
#include "ovs-glue/ofsession.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(sessions);

/* How long a host that leaves the fabric may take to be emptied. */
#define LEAVE_MS 30000

/* Where a host's bridge speaks OpenFlow if the fabric doesn't say: for a local
 * database the bridge's management socket beside it, else the port that the
 * bridge is told to listen on. */
static char *
openflow_target(const struct session *s)
{
    if (s->target) {
        return xstrdup(s->target);
    }
    if (!strncmp(s->remote, "unix:", 5)) {
        const char *slash = strrchr(s->remote, '/');
        int dir = slash ? slash - (s->remote + 5) : 0;

        return xasprintf("unix:%.*s/%s.mgmt", dir, s->remote + 5, s->bridge);
    }
    const char *colon = strchr(s->remote, ':');
    const char *end = strrchr(s->remote, ':');
    return (colon && end > colon
            ? xasprintf("%.*s:6653", (int) (end - s->remote), s->remote)
            : xstrdup(s->remote));
}

/* What the bridge's controller column needs so that openflow_target() works:
 * passive on remote hosts, nothing where the management socket is used. */
static const char *
controller_target(const struct session *s)
{
    return (s->target || !strncmp(s->remote, "unix:", 5) ? NULL
            : !strncmp(s->remote, "ssl:", 4) ? "pssl:6653" : "ptcp:6653");
}

/* Tells the host's database what is wanted there. */
static void
session_configure(struct daemon *d, struct session *s)
{
    struct engine_host_config c;
    struct hostdb_peer *peers;
    struct hostdb_bfd *bfds;

    engine_host_get_config(d->engine, s->name, &c);
    peers = xcalloc(c.n_peers, sizeof *peers);
    bfds = xcalloc(c.n_bfds, sizeof *bfds);
    for (size_t i = 0; i < c.n_peers; i++) {
        peers[i] = (struct hostdb_peer) {
            .host = c.peers[i].host, .remote = c.peers[i].remote,
        };
    }
    for (size_t i = 0; i < c.n_bfds; i++) {
        const struct engine_bfd_session *b = &c.bfds[i];

        bfds[i] = (struct hostdb_bfd) {
            .port = b->port,
            .interval_ms = b->interval_ms,
            .multiplier = b->multiplier,
            .local_ip = b->local_ip,
            .remote_ip = b->remote_ip,
            .local_mac = b->local_mac,
            .remote_mac = b->remote_mac,
        };
    }

    struct hostdb_config config = {
        .bridge = s->bridge,
        .controller = controller_target(s),
        .tables = pl_table_names,
        .n_tables = PL_N_TABLES,
        .tunnel_ip = s->tunnel,
        .peers = peers, .n_peers = c.n_peers,
        .bfds = bfds, .n_bfds = c.n_bfds,
        .keep = engine_is_held(d->engine),
    };
    hostdb_set_config(s->hostdb, &config);
    free(peers);
    free(bfds);
    engine_host_config_uninit(&c);
}

static void
session_destroy(struct session *s)
{
    ofsession_destroy(s->of);
    hostdb_destroy(s->hostdb);
    free(s->name);
    free(s->target);
    free(s->remote);
    free(s->bridge);
    free(s);
}

void
sessions_destroy(struct daemon *d)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &d->sessions) {
        session_destroy(node->data);
        shash_delete(&d->sessions, node);
    }
}

static void
session_create(struct daemon *d, const struct model_host *m)
{
    struct session *s = xzalloc(sizeof *s);

    s->name = xstrdup(m->name);
    s->remote = xstrdup(m->ovsdb);
    s->target = nullable_xstrdup(m->openflow);
    s->bridge = xstrdup(m->bridge);
    s->tunnel = m->tunnel;
    s->hostdb = hostdb_create(s->remote, s->name);
    shash_add(&d->sessions, s->name, s);
    session_configure(d, s);
}

/* Makes the sessions those of the fabric.  Those of hosts that left stay until
 * the host is clean. */
void
sessions_follow_fabric(struct daemon *d)
{
    const struct model_fabric *fabric = engine_fabric(d->engine);
    struct shash_node *node;

    SHASH_FOR_EACH (node, &d->sessions) {
        struct session *s = node->data;

        if (!s->leaving && !model_find_host(fabric, s->name)) {
            s->leaving = true;
            s->deadline_ms = time_msec() + LEAVE_MS;
            s->last_serial = UINT64_MAX; /* Until its last delta is out. */
        }
    }
    for (size_t i = 0; i < fabric->n_hosts; i++) {
        const struct model_host *m = &fabric->hosts[i];
        struct session *s = shash_find_data(&d->sessions, m->name);

        if (s && (s->leaving || strcmp(s->remote, m->ovsdb)
                  || strcmp(s->bridge, m->bridge)
                  || !nullable_string_is_equal(s->target, m->openflow))) {
            engine_host_disconnected(d->engine, s->name, time_msec());
            shash_find_and_delete(&d->sessions, m->name);
            session_destroy(s);
            s = NULL;
        }
        if (!s) {
            session_create(d, m);
        } else if (memcmp(&s->tunnel, &m->tunnel, sizeof s->tunnel)) {
            s->tunnel = m->tunnel;
            session_configure(d, s);
        }
    }
    d->engine_due = true;
}

/* After the store was lost and found we may be another writer. */
void
sessions_set_generation(struct daemon *d)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &d->sessions) {
        struct session *s = node->data;

        if (s->of) {
            ofsession_set_generation_id(s->of, d->generation);
        }
    }
}

/* Events from the host's database. */

static void
report_ports(struct daemon *d, struct session *s)
{
    size_t n;
    const struct hostdb_port *ports = hostdb_ports(s->hostdb, &n);
    struct engine_port *out = xcalloc(n, sizeof *out);

    for (size_t i = 0; i < n; i++) {
        const struct hostdb_port *p = &ports[i];

        out[i] = (struct engine_port) {
            .name = p->name,
            .ofport = p->ofport,
            .iface_id = p->iface_id,
            .up = p->tunnel || (p->admin_up && p->link_up),
            .bfd = (p->bfd == HOSTDB_BFD_UP ? ENGINE_BFD_UP
                    : p->bfd == HOSTDB_BFD_DOWN ? ENGINE_BFD_DOWN
                    : ENGINE_BFD_NONE),
            .mtu = p->mtu,
            .tunnel = p->tunnel,
            .remote = p->remote,
        };
    }
    engine_host_ports(d->engine, s->name, out, n, time_msec());
    d->engine_due = true;
    free(out);
}

static void
run_hostdb(struct daemon *d, struct session *s)
{
    hostdb_run(s->hostdb);

    unsigned int changes = hostdb_take_changes(s->hostdb);
    if (changes & HOSTDB_FAILED) {
        VLOG_WARN("%s: %s", s->name, hostdb_error(s->hostdb));
    }
    if (changes & (HOSTDB_CONNECTED | HOSTDB_DISCONNECTED)) {
        VLOG_INFO("%s: database %s", s->name,
                  hostdb_is_connected(s->hostdb) ? "connected" : "lost");
    }
    if (s->leaving) {
        return;
    }
    if (changes & (HOSTDB_PORTS | HOSTDB_READY)
        && hostdb_is_ready(s->hostdb)) {
        report_ports(d, s);
        if (!s->of) {
            char *target = openflow_target(s);

            s->of = ofsession_create(target, s->name);
            ofsession_set_generation_id(s->of, d->generation);
            free(target);
        }
        if (changes & HOSTDB_READY) {
            ofsession_poke(s->of);
        }
    }
}

/* Events from the bridge. */

static void
take_packet_in(struct daemon *d, struct session *s,
               const struct ofsession_packet_in *pin)
{
    struct engine_out out = ENGINE_OUT_INIT;

    engine_packet_in(d->engine, s->name, pin->userdata, pin->userdata_len,
                     &pin->metadata, pin->frame, pin->frame_len, time_msec(),
                     &out);
    daemon_act(d, &out);
    engine_out_uninit(&out);
    d->engine_due = true;
}

static void
take_event(struct daemon *d, struct session *s, struct ofsession_event *e)
{
    switch (e->type) {
    case OFSESSION_CONNECTED:
        VLOG_INFO("%s: bridge connected", s->name);
        engine_host_connected(d->engine, s->name, e->installed, time_msec());
        e->installed = NULL;
        d->engine_due = true;
        break;
    case OFSESSION_ERROR:
        VLOG_WARN("%s: %s", s->name, e->text);
        /* Fall through. */
    case OFSESSION_DISCONNECTED:
        if (e->type == OFSESSION_DISCONNECTED) {
            VLOG_INFO("%s: bridge disconnected%s%s", s->name,
                      e->text ? ": " : "", e->text ? e->text : "");
        }
        engine_host_disconnected(d->engine, s->name, time_msec());
        d->engine_due = true;
        break;
    case OFSESSION_APPLIED:
        engine_host_applied(d->engine, s->name, e->serial, time_msec());
        if (s->leaving && e->serial >= s->last_serial) {
            s->last_serial = 0;
        }
        break;
    case OFSESSION_PACKET_IN:
        take_packet_in(d, s, &e->packet_in);
        break;
    case OFSESSION_PORT:
        break;                  /* The database tells as well, and more. */
    case OFSESSION_STATS:
        stats_take(d, s->name, &e->stats);
        break;
    }
}

/* A host that left the fabric: emptied, then released, then forgotten. */
static bool
run_leaving(struct session *s)
{
    bool late = time_msec() >= s->deadline_ms;

    if (!s->releasing) {
        if (!s->last_serial || late || !s->of || !ofsession_is_ready(s->of)) {
            ofsession_destroy(s->of);
            s->of = NULL;
            hostdb_release(s->hostdb);
            s->releasing = true;
            s->deadline_ms = time_msec() + LEAVE_MS;
        }
        return false;
    }
    if (hostdb_take_changes(s->hostdb) & HOSTDB_CLEANED) {
        VLOG_INFO("%s: left the fabric and is clean", s->name);
        return true;
    }
    if (late) {
        VLOG_WARN("%s: left the fabric but could not be cleaned: %s",
                  s->name, hostdb_error(s->hostdb)
                  ? hostdb_error(s->hostdb) : "not reachable");
        return true;
    }
    return false;
}

void
sessions_run(struct daemon *d)
{
    struct shash_node *node, *next;

    SHASH_FOR_EACH_SAFE (node, next, &d->sessions) {
        struct session *s = node->data;
        struct ofsession_event *e;

        if (s->leaving && s->releasing) {
            hostdb_run(s->hostdb);
        } else {
            run_hostdb(d, s);
        }
        if (s->of) {
            ofsession_run(s->of);
            while ((e = ofsession_pop_event(s->of)) != NULL) {
                take_event(d, s, e);
                ofsession_event_destroy(e);
            }
        }
        if (s->leaving && !d->engine_due && run_leaving(s)) {
            shash_delete(&d->sessions, node);
            session_destroy(s);
        }
    }
}

void
sessions_wait(struct daemon *d)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &d->sessions) {
        struct session *s = node->data;

        hostdb_wait(s->hostdb);
        if (s->of) {
            ofsession_wait(s->of);
        }
        if (s->leaving) {
            poll_timer_wait_until(s->deadline_ms);
        }
    }
}

/* Actions. */

void
sessions_act(struct daemon *d, struct engine_action *a)
{
    struct session *s = a->host ? shash_find_data(&d->sessions, a->host)
                                : NULL;

    switch (a->type) {
    case ENGINE_HOST_DELTA:
        if (s && s->of && ofsession_is_ready(s->of)) {
            ofsession_send(s->of, a->delta, a->serial);
            a->delta = NULL;
            if (s->leaving) {
                s->last_serial = a->serial;
            }
        }
        break;
    case ENGINE_HOST_CONFIG:
        if (s && !s->leaving) {
            session_configure(d, s);
        }
        break;
    case ENGINE_PACKET_OUT:
        if (s && s->of) {
            ofsession_packet_out(s->of, (OVS_FORCE uint32_t) OFPP_CONTROLLER,
                                 a->ofpacts->data, a->ofpacts->size,
                                 a->packet->data, a->packet->size);
        }
        break;
    case ENGINE_LOG:
        VLOG_RL(&d->log_limit, a->warn ? VLL_WARN : VLL_INFO, "%s", a->text);
        break;
    case ENGINE_STATE:
        break;                  /* The daemon's. */
    }
}
