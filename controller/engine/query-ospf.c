/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "controller/engine/query-private.h"

#include <stdlib.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "util.h"

/* OSPF. */

static struct json *
nbr_object(const struct ospf_nbr_info *nbr, long long int now)
{
    struct json *o = json_object_create();

    query_put_ip4(o, "router-id", nbr->router_id);
    query_put_ip4(o, "address", nbr->address);
    json_object_put_string(o, "state", ospf_nbr_state_string(nbr->state));
    if (nbr->stale) {
        query_put_bool(o, "held", true);
    }
    query_put_int(o, "priority", nbr->priority);
    query_put_int(o, "dead-ms", MAX(0, nbr->dead_ms - now));
    query_put_int(o, "since-ms", MAX(0, now - nbr->since_ms));
    if (nbr->last_event) {
        json_object_put_string(o, "last-event", nbr->last_event);
    }
    if (nbr->last_fault) {
        json_object_put_string(o, "last-fault", nbr->last_fault);
    }
    query_put_int(o, "changes", nbr->n_state_changes);
    return o;
}

static struct json *
iface_object(const struct engine_net *net, const struct engine_speaker *s,
             const struct ospf_iface_info *iface, bool operator,
             long long int now)
{
    struct json *o = query_net(net);
    struct json *nbrs = json_array_create_empty();
    struct json *faults = json_array_create_empty();
    size_t a = net_attachment_by_id(net->topo, iface->id);
    struct ospf_nbr_info nbr;

    json_object_put_string(o, "router", net->topo->routers[s->router].name);
    json_object_put_string(o, "attachment", iface->name);
    if (operator && a != SIZE_MAX && net->atts[a].host) {
        static const char *const words[] = { "none", "down", "up" };

        json_object_put_string(o, "host", net->atts[a].host->name);
        json_object_put_string(o, "port", net->topo->attachments[a].port);
        json_object_put_string(o, "bfd", words[net->atts[a].bfd]);
    }
    json_object_put_format(o, "address", IP_FMT"/%d",
                           IP_ARGS(htonl(iface->address)), iface->plen);
    json_object_put_string(o, "network-type", iface->type == OSPF_P2P
                           ? "point-to-point" : "broadcast");
    json_object_put_string(o, "state", ospf_iface_state_string(iface->state));
    query_put_int(o, "cost", iface->cost);
    query_put_int(o, "hello-interval", iface->hello_interval);
    query_put_int(o, "dead-interval", iface->dead_interval);
    if (iface->dr) {
        query_put_ip4(o, "dr", iface->dr);
    }
    if (iface->bdr) {
        query_put_ip4(o, "bdr", iface->bdr);
    }
    for (size_t i = 0; ospf_neighbor_get(s->ospf, iface->id, i, &nbr); i++) {
        json_array_add(nbrs, nbr_object(&nbr, now));
    }
    for (size_t i = 0; i < iface->n_diagnoses; i++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ospf_diagnosis_format(&ds, &iface->diagnoses[i]);
        json_array_add(faults, json_string_create(ds_cstr(&ds)));
        ds_destroy(&ds);
    }
    json_object_put(o, "neighbors", nbrs);
    json_object_put(o, "mismatches", faults);
    return o;
}

struct json *
engine_query_neighbors(const struct engine *e, const char *customer,
                       long long int now)
{
    struct json *ifaces = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        for (size_t j = 0; query_sees(net, customer)
             && j < net->n_speakers; j++) {
            const struct engine_speaker *s = &net->speakers[j];
            struct ospf_iface_info *iface = xmalloc(sizeof *iface);

            for (size_t k = 0; ospf_iface_get(s->ospf, k, iface); k++) {
                json_array_add(ifaces, iface_object(net, s, iface, !customer,
                                                    now));
            }
            free(iface);
        }
    }
    return ifaces;
}

static struct json *
lsa_object(const struct ospf_lsa *lsa, bool contents, long long int now)
{
    struct json *o = json_object_create();
    struct lsa_key key = lsa_key(lsa);

    json_object_put_string(o, "type", ospf_lsa_type_string(key.type));
    query_put_ip4(o, "id", key.id);
    query_put_ip4(o, "advertising-router", key.adv);
    query_put_int(o, "age", lsa_age(lsa, now));
    json_object_put_format(o, "sequence", "0x%08"PRIx32,
                           (uint32_t) lsa_seq(lsa));
    json_object_put_format(o, "checksum", "0x%04x", lsa_checksum(lsa));
    query_put_int(o, "length", lsa->length);
    if (contents) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        ospf_lsa_format(&ds, lsa, now);
        json_object_put_string(o, "text", ds_cstr(&ds));
        ds_destroy(&ds);
    }
    return o;
}

struct json *
engine_query_lsdb(const struct engine *e, const char *customer, bool contents,
                  long long int now)
{
    struct json *routers = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];

        for (size_t j = 0; query_sees(net, customer)
             && j < net->n_speakers; j++) {
            const struct engine_speaker *s = &net->speakers[j];
            struct json *o = query_net(net);
            struct json *array = json_array_create_empty();
            size_t n;

            json_object_put_string(o, "router",
                                   net->topo->routers[s->router].name);
            query_put_ip4(o, "router-id", ospf_router_id(s->ospf));
            if (s->attachment != SIZE_MAX) {
                json_object_put_string(
                    o, "attachment",
                    net->topo->attachments[s->attachment].name);
            }
            const struct ospf_lsa **lsas = ospf_lsas(s->ospf, &n);
            for (size_t k = 0; k < n; k++) {
                json_array_add(array, lsa_object(lsas[k], contents, now));
            }
            free(lsas);
            json_object_put(o, "lsas", array);
            json_array_add(routers, o);
        }
    }
    return routers;
}

/* Counters. */

static struct json *
speaker_counters(const struct engine_net *net, const struct engine_speaker *s)
{
    static const char *const types[] = {
        NULL, "hello", "database-description", "link-state-request",
        "link-state-update", "link-state-acknowledgment",
    };
    const struct ospf_counters *c = ospf_get_counters(s->ospf);
    struct json *o = query_net(net);
    struct json *rx = json_object_create();
    struct json *tx = json_object_create();
    struct json *drops = json_object_create();

    json_object_put_string(o, "router", net->topo->routers[s->router].name);
    for (size_t i = 1; i < ARRAY_SIZE(types); i++) {
        query_put_int(rx, types[i], c->rx[i]);
        query_put_int(tx, types[i], c->tx[i]);
    }
    for (size_t i = 0; i < OSPF_N_DROPS; i++) {
        if (c->drops[i]) {
            query_put_int(drops, ospf_drop_string(i), c->drops[i]);
        }
    }
    json_object_put(o, "received", rx);
    json_object_put(o, "sent", tx);
    json_object_put(o, "dropped", drops);
    query_put_int(o, "retransmitted", c->retransmitted);
    query_put_int(o, "originated", c->originated);
    query_put_int(o, "spf-runs", c->spf_runs);
    return o;
}

struct json *
engine_query_counters(const struct engine *e, const char *customer)
{
    struct json *o = json_object_create();
    struct json *speakers = json_array_create_empty();
    struct json *routes = json_array_create_empty();

    for (size_t i = 0; i < e->n_nets; i++) {
        const struct engine_net *net = e->nets[i];
        struct route_counters rc;

        if (!query_sees(net, customer)) {
            continue;
        }
        for (size_t j = 0; j < net->n_speakers; j++) {
            json_array_add(speakers, speaker_counters(net, &net->speakers[j]));
        }
        route_net_get_counters(net->routes, &rc);
        struct json *r = query_net(net);
        query_put_int(r, "entries", rc.entries);
        query_put_int(r, "path-sets", rc.path_sets);
        for (size_t j = 1; j < ROUTE_N_REFUSALS; j++) {
            query_put_int(r, route_refusal_to_string(j), rc.refused[j]);
        }
        json_array_add(routes, r);
    }
    json_object_put(o, "ospf", speakers);
    json_object_put(o, "routes", routes);
    if (!customer) {
        struct json *punts = json_object_create();

        for (size_t i = 1; i < PL_N_PUNTS; i++) {
            query_put_int(punts, pl_punt_to_string(i), e->n_punts[i]);
        }
        query_put_int(punts, "bad frame", e->n_bad_frames);
        query_put_int(punts, "OSPF fragment", e->n_fragments);
        json_object_put(o, "punts", punts);
    }
    return o;
}
