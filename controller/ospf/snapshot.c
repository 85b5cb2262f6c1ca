/* SPDX-License-Identifier: Apache-2.0 */

/* State for a restart.
 *
 * The format is ours alone, in network byte order: a magic number and version,
 * the router ID and area, then interfaces with their designated routers and
 * neighbours, then the LSAs with their ages.  What does not parse, or does not
 * belong to this router, restores nothing; an LSA that is not valid is left
 * out.  Nothing in it is trusted more than a packet. */

#include <config.h>
#include "controller/ospf/ospf-private.h"

#include "controller/base/bytes.h"
#include "openvswitch/util.h"
#include "util.h"

#define SNAPSHOT_MAGIC 0x54574f31 /* "TWO1" */

static void
put_lsas(struct ofpbuf *b, const struct lsdb *db, long long int now)
{
    size_t n;
    struct lsdb_entry **entries = lsdb_sorted(db, &n);
    size_t n_ofs = b->size;
    uint32_t count = 0;
    size_t total = 4;

    for (size_t i = 0; i < n; i++) {
        total += 2 + entries[i]->lsa->length;
    }
    ofpbuf_prealloc_tailroom(b, total);
    put_u32(b, 0);
    for (size_t i = 0; i < n; i++) {
        if (!lsa_is_max_age(entries[i]->lsa, now)) {
            put_u16(b, entries[i]->lsa->length);
            packet_put_lsa(b, entries[i]->lsa, now, 0);
            count++;
        }
    }
    store_u32((uint8_t *) b->data + n_ofs, count);
    free(entries);
}

void
ospf_snapshot(const struct ospf *o, long long int now, struct ofpbuf *b)
{
    put_u32(b, SNAPSHOT_MAGIC);
    put_u32(b, o->router_id);
    put_u32(b, o->area.id);

    put_u32(b, o->n_ifaces);
    for (size_t i = 0; i < o->n_ifaces; i++) {
        const struct iface *iface = o->ifaces[i];
        size_t n_ofs;
        uint32_t n = 0;
        const struct nbr *nbr;

        put_u32(b, iface->cfg.id);
        put_u32(b, iface->cfg.address);
        put_u32(b, iface->dr);
        put_u32(b, iface->bdr);
        n_ofs = b->size;
        put_u32(b, 0);
        LIST_FOR_EACH (nbr, list_node, &iface->nbrs) {
            if (nsm_counts_as_full(nbr)) {
                put_u32(b, nbr->router_id);
                put_u32(b, nbr->address);
                put_u32(b, nbr->dr);
                put_u32(b, nbr->bdr);
                put_u8(b, nbr->priority);
                put_u8(b, nbr->state == NSM_FULL);
                n++;
            }
        }
        store_u32((uint8_t *) b->data + n_ofs, n);
    }
    put_lsas(b, &o->area.lsdb, now);
    put_lsas(b, &o->externals_db, now);
}

/* Without 's' only checks; returns false if the bytes are short. */
static bool
restore_ifaces(const struct step *s, struct bytes *b)
{
    uint32_t n_ifaces = bytes_u32(b);

    for (uint32_t i = 0; i < n_ifaces && !b->is_short; i++) {
        uint32_t id = bytes_u32(b), address = bytes_u32(b);
        uint32_t dr = bytes_u32(b), bdr = bytes_u32(b);
        uint32_t n = bytes_u32(b);
        struct iface *iface = s ? ism_find(s->o, id) : NULL;

        /* An interface that has changed is a new one. */
        if (iface && (iface->cfg.address != address
                      || iface->state != ISM_DOWN)) {
            iface = NULL;
        }
        for (uint32_t j = 0; j < n && !b->is_short; j++) {
            uint32_t rid = bytes_u32(b), addr = bytes_u32(b);
            uint32_t nbr_dr = bytes_u32(b), nbr_bdr = bytes_u32(b);
            uint8_t priority = bytes_u8(b);
            bool full = bytes_u8(b);
            if (!iface || b->is_short || rid == s->o->router_id
                || nsm_find(iface, rid)
                || (iface->cfg.type == OSPF_P2P && j)) {
                continue;
            }
            struct nbr *nbr = nsm_create(s, iface, rid, addr);
            nbr->priority = priority;
            nbr->dr = nbr_dr;
            nbr->bdr = nbr_bdr;
            nbr->stale = true;
            nbr->stale_until_ms = s->now + iface->cfg.dead_interval * 1000LL;
            nbr->last_event = "restored";
            if (full) {
                /* Go on where we were: the neighbour has not noticed, if its
                 * next Hello still names us. */
                nbr->state = NSM_FULL;
                nbr->since_ms = s->now;
                nbr->inactivity_ms = nbr->stale_until_ms;
            }
        }
        if (iface && iface->cfg.type == OSPF_BROADCAST && n && dr) {
            iface->restored = true;
            iface->dr = dr;
            iface->bdr = bdr;
        }
    }
    return !b->is_short;
}

static bool
restore_lsas(const struct step *s, struct bytes *b)
{
    uint32_t n = bytes_u32(b);

    for (uint32_t i = 0; i < n && !b->is_short; i++) {
        uint16_t length = bytes_u16(b);
        const uint8_t *data = bytes_pull(b, length);
        if (!data || !s || lsa_check(data, length) != LSA_OK) {
            continue;
        }
        struct lsa_key key;
        struct ospf_lsa *lsa = lsa_new(data, length, load_u16(data), s->now);
        key = lsa_key(lsa);
        if (!lsa->max_age && !ospf_lookup(s->o, &key)) {
            flood_install(s, lsa);
        }
        lsa_unref(lsa);
    }
    return !b->is_short;
}

static bool
restore(const struct step *s, const struct ospf *o, struct bytes b)
{
    return (bytes_u32(&b) == SNAPSHOT_MAGIC
            && bytes_u32(&b) == o->router_id
            && bytes_u32(&b) == o->area.id
            && restore_ifaces(s, &b)
            && restore_lsas(s, &b)
            && restore_lsas(s, &b)
            && !b.left);
}

bool
ospf_restore(struct ospf *o, const void *data, size_t size, long long int now,
             struct ospf_out *out)
{
    struct step s = { o, now, out };
    struct bytes b = bytes_init(data, size);

    if (!o->configured || !restore(NULL, o, b)) {
        return false;
    }
    restore(&s, o, b);

    /* Own LSAs that nothing wants are flushed when all had time to appear. */
    uint32_t grace = 1;
    for (size_t i = 0; i < o->n_ifaces; i++) {
        struct iface *iface = o->ifaces[i];
        grace = MAX(grace, iface->cfg.dead_interval);
        if (iface->restored && iface->dr) {
            const struct nbr *nbr = nsm_find_address(iface, iface->dr);
            iface->dr_router_id = (iface->dr == iface->cfg.address
                                   ? o->router_id
                                   : nbr ? nbr->router_id : 0);
        }
    }
    o->sweep_ms = now + grace * 1000LL;
    o->own_dirty = true;
    o->dirty |= (OSPF_DIRTY_TOPOLOGY | OSPF_DIRTY_EXTERNAL
                 | OSPF_DIRTY_NEIGHBOR);
    step_finish(&s);
    return true;
}
