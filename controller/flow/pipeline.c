/* SPDX-License-Identifier: Apache-2.0 */

/* Names, cookies, punts, and what tables' builders share. */

#include <config.h>
#include "controller/flow/pipeline-private.h"

#include <stdlib.h>
#include <string.h>
#include "byte-order.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "flow.h"
#include "util.h"

const char *const pl_table_names[PL_N_TABLES] = {
    [PL_INGRESS] = "ingress",
    [PL_NEIGHBOUR] = "neighbour",
    [PL_SWITCHING] = "switching",
    [PL_ROUTER] = "router",
    [PL_ROUTES] = "routes",
    [PL_WAYS] = "ways",
    [PL_DELIVERY] = "delivery",
    [PL_EXITS] = "exits",
    [PL_MARKS] = "marks",
    [PL_RESOLVE] = "resolve",
    [PL_TUNNELS] = "tunnels",
    [PL_DEFLECT] = "deflect",
    [PL_PUNTS] = "punts",
};

const char *
pl_drop_to_string(enum pl_drop drop)
{
    switch (drop) {
    case PL_DROP_NONE: return "none";
    case PL_DROP_UNKNOWN_PORT: return "unknown-port";
    case PL_DROP_SPOOFED: return "spoofed";
    case PL_DROP_OSPF_FROM_NODE: return "ospf-from-node";
    case PL_DROP_PROTOCOL: return "protocol";
    case PL_DROP_GRATUITOUS_ARP: return "gratuitous-arp";
    case PL_DROP_UNKNOWN_VLAN: return "unknown-vlan";
    case PL_DROP_NOT_OURS: return "not-ours";
    case PL_DROP_OSPF_OFF: return "ospf-off";
    case PL_DROP_UNKNOWN_ARP: return "unknown-arp";
    case PL_DROP_UNKNOWN_MAC: return "unknown-mac";
    case PL_DROP_MULTICAST: return "multicast";
    case PL_DROP_MARTIAN: return "martian";
    case PL_DROP_OWN_ADDRESS: return "own-address";
    case PL_DROP_NODE_ABSENT: return "node-absent";
    case PL_DROP_NOT_HERE: return "not-here";
    case PL_DROP_UNKNOWN_DESTINATION: return "unknown-destination";
    case PL_DROP_NO_TUNNEL: return "no-tunnel";
    case PL_DROP_DEFLECTED_TWICE: return "deflected-twice";
    case PL_N_DROPS: break;
    }
    return "unknown";
}

const char *
pl_punt_to_string(enum pl_punt_reason reason)
{
    switch (reason) {
    case PL_PUNT_NONE: return "none";
    case PL_PUNT_OSPF: return "ospf";
    case PL_PUNT_ARP: return "arp";
    case PL_PUNT_TTL: return "ttl";
    case PL_PUNT_NET_UNREACHABLE: return "net-unreachable";
    case PL_PUNT_HOST_UNREACHABLE: return "host-unreachable";
    case PL_PUNT_PORT_UNREACHABLE: return "port-unreachable";
    case PL_PUNT_NO_WAY: return "no-way";
    case PL_PUNT_TRANSIT: return "transit";
    case PL_N_PUNTS: break;
    }
    return "unknown";
}

/* Cookies. */

#define COOKIE_KIND_SHIFT 56
#define COOKIE_WHAT_SHIFT 48
#define COOKIE_REASON_SHIFT 40

static uint64_t
cookie_make(uint8_t kind, uint32_t id, enum pl_cookie_what what,
            uint8_t reason)
{
    return ((uint64_t) kind << COOKIE_KIND_SHIFT
            | (uint64_t) what << COOKIE_WHAT_SHIFT
            | (uint64_t) reason << COOKIE_REASON_SHIFT
            | id);
}

uint64_t
pl_cookie(uint8_t kind, uint32_t id)
{
    return cookie_make(kind, id, PL_COOKIE_PLAIN, 0);
}

uint64_t
pl_cookie_what(uint8_t kind, uint32_t id, enum pl_cookie_what what)
{
    return cookie_make(kind, id, what, 0);
}

uint64_t
pl_cookie_drop(uint8_t kind, uint32_t id, enum pl_drop drop)
{
    return cookie_make(kind, id, PL_COOKIE_DROP, drop);
}

uint64_t
pl_cookie_punt(uint8_t kind, uint32_t id, enum pl_punt_reason reason)
{
    return cookie_make(kind, id, PL_COOKIE_PUNT, reason);
}

struct pl_cookie
pl_cookie_decode(uint64_t cookie)
{
    return (struct pl_cookie) {
        .kind = cookie >> COOKIE_KIND_SHIFT,
        .what = (cookie >> COOKIE_WHAT_SHIFT) & 0xff,
        .reason = (cookie >> COOKIE_REASON_SHIFT) & 0xff,
        .id = cookie & UINT32_MAX,
    };
}

const char *
pl_kind_to_string(uint8_t kind)
{
    switch (kind) {
    case TOPO_NETWORK: return "network";
    case TOPO_SUBNET: return "subnet";
    case TOPO_NODE: return "node";
    case TOPO_ROUTER: return "router";
    case TOPO_INTERFACE: return "interface";
    case TOPO_LINK: return "link";
    case TOPO_ATTACHMENT: return "attachment";
    case TOPO_WAY: return "way";
    case TOPO_PATH_SET: return "path-set";
    case TOPO_ROUTE: return "route";
    case TOPO_HOST: return "host";
    case PL_KIND_PL: return "pipeline";
    default: return "unknown";
    }
}

void
pl_cookie_format(uint64_t cookie, struct ds *ds)
{
    struct pl_cookie c = pl_cookie_decode(cookie);

    ds_put_cstr(ds, pl_kind_to_string(c.kind));
    if (c.id) {
        ds_put_format(ds, " %"PRIu32, c.id);
    }
    switch (c.what) {
    case PL_COOKIE_PLAIN:
        break;
    case PL_COOKIE_DROP:
        ds_put_format(ds, ": drop %s", pl_drop_to_string(c.reason));
        break;
    case PL_COOKIE_PUNT:
        ds_put_format(ds, ": punt %s", pl_punt_to_string(c.reason));
        break;
    case PL_COOKIE_ECHO:
        ds_put_cstr(ds, ": echo");
        break;
    case PL_COOKIE_ARP:
        ds_put_cstr(ds, ": arp");
        break;
    case PL_COOKIE_OUT:
        ds_put_cstr(ds, ": out");
        break;
    case PL_COOKIE_IN:
        ds_put_cstr(ds, ": in");
        break;
    default:
        ds_put_cstr(ds, ": unknown");
        break;
    }
}

/* Punts; act_punt_to() is the other side. */

bool
pl_punt_decode(const void *userdata_, size_t len, const struct match *md,
               struct pl_punt *punt)
{
    const uint8_t *userdata = userdata_;

    memset(punt, 0, sizeof *punt);
    if (len != PUNT_LEN || userdata[0] != 'T' || userdata[1] != 'W'
        || userdata[2] != PUNT_VERSION || userdata[3] == PL_PUNT_NONE
        || userdata[3] >= PL_N_PUNTS) {
        return false;
    }
    punt->reason = userdata[3];
    punt->vni = ntohll(md->flow.metadata) & 0xffffff;
    punt->attachment = md->flow.regs[PL_REG_INGRESS];
    punt->router = md->flow.regs[PL_REG_HOLDER];
    punt->way = md->flow.regs[PL_REG_SENDER];
    punt->in_port = ofp_to_u16(md->flow.in_port.ofp_port);
    return true;
}

/* Ways, links, keys. */

bool
pl_attachment_is_broadcast(const struct topo_attachment *att)
{
    return (att->has_ospf
            ? att->ospf.type == TOPO_BROADCAST
            : att->plen < 126);
}

void
pl_links_init(struct pl_links *links, const struct topo_network *net)
{
    size_t n = net->n_routers;
    uint32_t *dist = xcalloc(n, sizeof *dist);
    size_t *out = xcalloc(n, sizeof *out);

    links->n = n;
    links->next = xcalloc(n * n, sizeof *links->next);
    for (size_t from = 0; from < n; from++) {
        topo_link_distances(net, from, dist, out);
        for (size_t to = 0; to < n; to++) {
            size_t next = SIZE_MAX;

            if (to != from && dist[to] != UINT32_MAX && out[to] != SIZE_MAX) {
                const struct topo_link *link = &net->links[out[to]];

                next = link->router[link->router[0] == from];
            }
            links->next[from * n + to] = next;
        }
    }
    free(dist);
    free(out);
}

void
pl_links_uninit(struct pl_links *links)
{
    free(links->next);
    links->next = NULL;
    links->n = 0;
}

size_t
pl_links_next(const struct pl_links *links, size_t from, size_t to)
{
    return links->next[from * links->n + to];
}

struct scope_key
pl_key(uint8_t kind, uint32_t id)
{
    return SCOPE_KEY(kind, id);
}

struct scope_key
pl_key_way(uint32_t network_id, uint32_t way_id)
{
    struct scope_key key = SCOPE_KEY(TOPO_WAY, way_id);

    key.extra = network_id;
    return key;
}

struct scope_key
pl_key_route(uint32_t router_id, const struct prefix *prefix)
{
    struct scope_key key = SCOPE_KEY(TOPO_ROUTE, router_id);

    key.sub = prefix->plen;
    key.addr = prefix->addr;
    return key;
}

struct scope_key
pl_key_path_set(uint32_t path_set_id)
{
    return SCOPE_KEY(TOPO_PATH_SET, path_set_id);
}

struct scope_key
pl_key_port(uint32_t ofport)
{
    struct scope_key key = SCOPE_KEY(PL_KIND_PL, 0);

    key.sub = 1;
    key.extra = ofport;
    return key;
}

uint32_t
group_number(struct scope *scope, enum id_class class,
             const struct topo_network *net, uint32_t object,
             uint32_t without, uint32_t tier)
{
    ovs_be32 key[] = { htonl(class), htonl(net->id), htonl(object),
                       htonl(without), htonl(tier) };

    return scope_group_id(scope, key, sizeof key);
}

uint32_t
meter_number(struct scope *scope, enum id_class class, uint32_t object)
{
    ovs_be32 key[] = { htonl(class), htonl(object) };

    return scope_meter_id(scope, key, sizeof key);
}

/* Flows in the making. */

static void
pf_reset(struct pf *f)
{
    match_init_catchall(&f->match);
    ofpbuf_clear(&f->acts);
}

void
pf_init(struct pf *f)
{
    ofpbuf_use_stub(&f->inputs, f->inputs_stub, sizeof f->inputs_stub);
}

void
in_u32(struct pf *f, uint32_t value)
{
    ofpbuf_put(&f->inputs, &value, sizeof value);
}

void
in_mac(struct pf *f, struct eth_addr mac)
{
    ofpbuf_put(&f->inputs, &mac, sizeof mac);
}

void
in_addr(struct pf *f, const struct in6_addr *addr)
{
    ofpbuf_put(&f->inputs, addr, sizeof *addr);
}

void
in_prefix(struct pf *f, const struct prefix *prefix)
{
    in_addr(f, &prefix->addr);
    in_u32(f, prefix->plen);
}

bool
pf_begin(struct pf *f, struct scope *scope, const struct scope_key *key)
{
    bool begun = scope_begin_from(scope, key, f->inputs.data,
                                  f->inputs.size);

    ofpbuf_uninit(&f->inputs);
    if (begun) {
        f->scope = scope;
        ofpbuf_use_stub(&f->acts, f->stub, sizeof f->stub);
        pf_reset(f);
    }
    return begun;
}

void
pf_end(struct pf *f, struct delta *delta)
{
    scope_end(f->scope, delta);
    ofpbuf_uninit(&f->acts);
}

void
pf_put(struct pf *f, enum pl_table table, uint16_t priority, uint64_t cookie)
{
    scope_flow(f->scope, table, priority, &f->match, cookie, &f->acts);
    pf_reset(f);
}
