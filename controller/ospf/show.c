/* SPDX-License-Identifier: Apache-2.0 */

/* What people see: names of states and reasons, interfaces, neighbours, LSAs
 * in words. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/util.h"
#include "util.h"

#define QUAD "%d.%d.%d.%d"
#define QUAD_ARGS(A) (int) ((A) >> 24), (int) ((A) >> 16 & 0xff),       \
                     (int) ((A) >> 8 & 0xff), (int) ((A) & 0xff)

const char *
ospf_iface_state_string(enum ospf_iface_state state)
{
    switch (state) {
    case ISM_DOWN: return "Down";
    case ISM_WAITING: return "Waiting";
    case ISM_P2P: return "Point-to-point";
    case ISM_DROTHER: return "DROther";
    case ISM_BACKUP: return "Backup";
    case ISM_DR: return "DR";
    }
    return "?";
}

const char *
ospf_nbr_state_string(enum ospf_nbr_state state)
{
    switch (state) {
    case NSM_DOWN: return "Down";
    case NSM_INIT: return "Init";
    case NSM_2WAY: return "2-Way";
    case NSM_EXSTART: return "ExStart";
    case NSM_EXCHANGE: return "Exchange";
    case NSM_LOADING: return "Loading";
    case NSM_FULL: return "Full";
    }
    return "?";
}

const char *
ospf_drop_string(enum ospf_drop drop)
{
    switch (drop) {
#define DROP(NAME, TEXT) case OSPF_DROP_##NAME: return TEXT;
    OSPF_DROPS
#undef DROP
    case OSPF_N_DROPS: break;
    }
    return "accepted";
}

static void
put_value(struct ds *ds, enum ospf_drop reason, uint32_t x)
{
    switch (reason) {
    case OSPF_DROP_SOURCE:
    case OSPF_DROP_DESTINATION:
    case OSPF_DROP_ROUTER_ID:
    case OSPF_DROP_AREA:
    case OSPF_DROP_MASK:
    case OSPF_DROP_OTHER_ROUTER:
    case OSPF_DROP_SECOND_PEER:
        ds_put_format(ds, QUAD, QUAD_ARGS(x));
        break;
    case OSPF_DROP_NETWORK_TYPE:
        ds_put_cstr(ds, x == OSPF_P2P ? "point-to-point" : "broadcast");
        break;
    case OSPF_DROP_HELLO_INTERVAL:
    case OSPF_DROP_DEAD_INTERVAL:
        ds_put_format(ds, "%"PRIu32" s", x);
        break;
    default:
        ds_put_format(ds, "%"PRIu32, x);
        break;
    }
}

static bool
has_values(enum ospf_drop reason)
{
    switch (reason) {
    case OSPF_DROP_SOURCE:
    case OSPF_DROP_ROUTER_ID:
    case OSPF_DROP_AREA:
    case OSPF_DROP_AUTH:
    case OSPF_DROP_MASK:
    case OSPF_DROP_OTHER_ROUTER:
    case OSPF_DROP_SECOND_PEER:
    case OSPF_DROP_NETWORK_TYPE:
    case OSPF_DROP_HELLO_INTERVAL:
    case OSPF_DROP_DEAD_INTERVAL:
    case OSPF_DROP_MTU:
    case OSPF_DROP_E_BIT:
        return true;
    default:
        return false;
    }
}

void
ospf_diagnosis_format(struct ds *ds, const struct ospf_diagnosis *d)
{
    ds_put_format(ds, "%s", ospf_drop_string(d->reason));
    if (has_values(d->reason)) {
        ds_put_cstr(ds, ": ours ");
        put_value(ds, d->reason, d->ours);
        ds_put_cstr(ds, ", the peer's ");
        put_value(ds, d->reason, d->theirs);
    }
    ds_put_format(ds, " (router "QUAD" at "QUAD")", QUAD_ARGS(d->router_id),
                  QUAD_ARGS(d->src));
}

/* Interfaces and neighbours. */

bool
ospf_iface_get(const struct ospf *o, size_t i, struct ospf_iface_info *info)
{
    if (i >= o->n_ifaces) {
        return false;
    }
    const struct iface *iface = o->ifaces[i];
    *info = (struct ospf_iface_info) {
        .id = iface->cfg.id,
        .name = iface->cfg.name,
        .address = iface->cfg.address,
        .plen = iface->cfg.plen,
        .type = iface->cfg.type,
        .state = iface->state,
        .cost = iface->cfg.cost,
        .mtu = iface->cfg.mtu,
        .hello_interval = iface->cfg.hello_interval,
        .dead_interval = iface->cfg.dead_interval,
        .dr = iface->dr,
        .bdr = iface->bdr,
        .next_hello_ms = iface->hello_ms,
        .wait_end_ms = iface->wait_ms,
    };
    const struct nbr *nbr;
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        info->n_neighbors++;
        info->n_full += nsm_counts_as_full(nbr);
    }
    for (size_t j = 0; j < OSPF_N_DROPS; j++) {
        if (iface->diagnoses[j].count) {
            info->diagnoses[info->n_diagnoses++] = iface->diagnoses[j];
        }
    }
    return true;
}

bool
ospf_neighbor_get(const struct ospf *o, uint32_t iface_id, size_t i,
                  struct ospf_nbr_info *info)
{
    const struct iface *iface = ism_find(o, iface_id);
    const struct nbr *nbr;

    if (!iface) {
        return false;
    }
    LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
        if (!i--) {
            *info = (struct ospf_nbr_info) {
                .iface = iface_id,
                .router_id = nbr->router_id,
                .address = nbr->address,
                .state = nbr->state,
                .stale = nbr->stale,
                .priority = nbr->priority,
                .dr = nbr->dr,
                .bdr = nbr->bdr,
                .dead_ms = nbr->inactivity_ms,
                .since_ms = nbr->since_ms,
                .last_event = nbr->last_event,
                .last_fault = nbr->last_fault,
                .n_requests = hmap_count(&nbr->requests.map),
                .n_retransmits = hmap_count(&nbr->rxmt.map),
                .n_state_changes = nbr->n_state_changes,
            };
            return true;
        }
    }
    return false;
}

/* LSAs. */

const struct ospf_lsa **
ospf_lsas(const struct ospf *o, size_t *np)
{
    const struct lsdb *dbs[] = { &o->area.lsdb, &o->externals_db };
    const struct ospf_lsa **v
        = xmalloc((lsdb_count(dbs[0]) + lsdb_count(dbs[1]) + 1) * sizeof *v);

    *np = 0;
    for (size_t i = 0; i < ARRAY_SIZE(dbs); i++) {
        size_t n;
        struct lsdb_entry **entries = lsdb_sorted(dbs[i], &n);
        for (size_t j = 0; j < n; j++) {
            v[(*np)++] = entries[j]->lsa;
        }
        free(entries);
    }
    return v;
}

void
ospf_format_lsdb(const struct ospf *o, bool contents, long long int now,
                 struct ds *ds)
{
    size_t n;
    const struct ospf_lsa **lsas = ospf_lsas(o, &n);

    for (size_t i = 0; i < n; i++) {
        if (contents) {
            ospf_lsa_format(ds, lsas[i], now);
        } else {
            ospf_lsa_format_line(ds, lsas[i], now);
        }
    }
    free(lsas);
}

const char *
ospf_lsa_type_string(uint8_t type)
{
    switch (type) {
    case OSPF_LSA_ROUTER: return "router";
    case OSPF_LSA_NETWORK: return "network";
    case OSPF_LSA_SUMMARY: return "summary";
    case OSPF_LSA_ASBR_SUMMARY: return "asbr-summary";
    case OSPF_LSA_EXTERNAL: return "external";
    default: return "unknown";
    }
}

void
ospf_lsa_format_line(struct ds *ds, const struct ospf_lsa *lsa,
                     long long int now)
{
    char id[16], adv[16];

    snprintf(id, sizeof id, QUAD, QUAD_ARGS(lsa_id(lsa)));
    snprintf(adv, sizeof adv, QUAD, QUAD_ARGS(lsa_adv(lsa)));
    ds_put_format(ds, "%-12s %-15s %-15s age %4u seq 0x%08"PRIx32
                  " checksum 0x%04"PRIx16" length %"PRIu16"\n",
                  ospf_lsa_type_string(lsa_type(lsa)), id, adv,
                  lsa_age(lsa, now), (uint32_t) lsa_seq(lsa),
                  lsa_checksum(lsa), lsa->length);
}

static void
format_router(struct ds *ds, const struct ospf_lsa *lsa)
{
    uint8_t flags = lsa_router_flags(lsa);
    struct router_link_iter it = lsa_router_links(lsa);
    struct router_link link;

    ds_put_format(ds, "    flags:%s%s%s%s\n",
                  flags & ROUTER_FLAG_V ? " virtual-link-endpoint" : "",
                  flags & ROUTER_FLAG_E ? " as-boundary" : "",
                  flags & ROUTER_FLAG_B ? " area-border" : "",
                  flags & 7 ? "" : " none");
    while (router_link_next(&it, &link)) {
        switch (link.type) {
        case LINK_P2P:
            ds_put_format(ds, "    point-to-point link to router "QUAD
                          ", %s "QUAD, QUAD_ARGS(link.id),
                          link.data >> 24 ? "interface" : "unnumbered",
                          QUAD_ARGS(link.data));
            break;
        case LINK_TRANSIT:
            ds_put_format(ds, "    transit network, designated router "QUAD
                          ", interface "QUAD,
                          QUAD_ARGS(link.id), QUAD_ARGS(link.data));
            break;
        case LINK_STUB:
            ds_put_format(ds, "    stub network "QUAD" mask "QUAD,
                          QUAD_ARGS(link.id), QUAD_ARGS(link.data));
            break;
        case LINK_VIRTUAL:
            ds_put_format(ds, "    virtual link to router "QUAD
                          ", interface "QUAD,
                          QUAD_ARGS(link.id), QUAD_ARGS(link.data));
            break;
        default:
            ds_put_format(ds, "    link of unknown type %d", link.type);
            break;
        }
        ds_put_format(ds, ", metric %"PRIu16"\n", link.metric);
    }
}

static void
format_network(struct ds *ds, const struct ospf_lsa *lsa)
{
    ds_put_format(ds, "    mask "QUAD"\n", QUAD_ARGS(lsa_network_mask(lsa)));
    for (size_t i = 0; i < lsa_network_n_routers(lsa); i++) {
        ds_put_format(ds, "    attached router "QUAD"\n",
                      QUAD_ARGS(lsa_network_router(lsa, i)));
    }
}

static void
format_external(struct ds *ds, const struct ospf_lsa *lsa)
{
    struct lsa_external x;

    lsa_external(lsa, &x);
    ds_put_format(ds, "    network "QUAD"/%d", QUAD_ARGS(x.prefix), x.plen);
    if (lsa_type(lsa) != OSPF_LSA_EXTERNAL) {
        ds_put_format(ds, ", metric %"PRIu32"\n", x.metric);
        return;
    }
    ds_put_format(ds, ", type %s, metric %"PRIu32", forwarding address "QUAD
                  ", tag %"PRIu32"\n", x.e2 ? "E2" : "E1", x.metric,
                  QUAD_ARGS(x.forwarding), x.tag);
}

void
ospf_lsa_format(struct ds *ds, const struct ospf_lsa *lsa, long long int now)
{
    ospf_lsa_format_line(ds, lsa, now);
    switch (lsa_type(lsa)) {
    case OSPF_LSA_ROUTER:
        format_router(ds, lsa);
        break;
    case OSPF_LSA_NETWORK:
        format_network(ds, lsa);
        break;
    default:
        format_external(ds, lsa);
        break;
    }
}
