/*
 * dup_entry.c: see dup_entry.h. All integers that take part in the order are big-endian.
 *
 *   classed:  joint 32 | its size 1 | how 1 | no mih 1 | mih 16 | place 16 | exact 33 | rest 58
 *   grouped:  of 1 | representative's place 16 | rank 1 | exact 33 | place 16 | joint 34 |
 *             no mih 1 | mih 16 | rest 58
 *   rest:     nid 4 | attachment 4 | folder 4 | size 8 | kind 1 | flags 1 | marks 36
 */
#include "index/dup_entry.h"

#include <assert.h>
#include <string.h>

#include "io/bytes.h"

enum {
    PLACE = 16,
    DIGEST = 33,
    MIH = 17,
    MARK = 4,
    REST = 4 + 4 + 4 + 8 + 1 + 1 + DUP_MARKS * MARK,
    FLAG_FOLDER = 1,
    FLAG_ORPHAN = 2,
    FLAG_SIZE = 4,
};

_Static_assert(DUP_CLASSED == DUP_KEY + MIH + PLACE + DIGEST + REST, "layout above");
_Static_assert(DUP_GROUPED == 1 + PLACE + 1 + DIGEST + PLACE + DUP_KEY + MIH + REST, "as above");
_Static_assert(DUP_GROUP_KEY == 1 + PLACE, "as above");

const char *dup_of_name(enum dup_of of)
{
    static const char *const names[DUP_OFS] = {"image", "item", "attachment"};

    return names[of];
}

const char *dup_difference_name(unsigned mark)
{
    static const char *const names[DUP_DIFFERENCES] = {"class",   "text",       "html",  "rtf",
                                                       "bcc",     "search_key", "state", "name",
                                                       "folders", "message_id"};

    assert(mark < DUP_DIFFERENCES);
    return names[mark];
}

static void put_be32(uint8_t *p, uint32_t v)
{
    put_le32(p, __builtin_bswap32(v));
}

static void put_be64(uint8_t *p, uint64_t v)
{
    put_le64(p, __builtin_bswap64(v));
}

static uint8_t *put_place(uint8_t *p, const struct dup_place *place)
{
    put_be32(p, place->image);
    put_be64(p + 4, place->offset);
    put_be32(p + 12, place->part);
    return p + PLACE;
}

static const uint8_t *get_place(const uint8_t *p, struct dup_place *place)
{
    place->image = __builtin_bswap32(le32(p));
    place->offset = __builtin_bswap64(le64(p + 4));
    place->part = __builtin_bswap32(le32(p + 12));
    return p + PLACE;
}

static uint8_t *put_digest(uint8_t *p, const struct ost_digest *d)
{
    memset(p, 0, DIGEST);
    memcpy(p, d->bytes, d->size);
    p[DIGEST - 1] = d->size;
    return p + DIGEST;
}

static const uint8_t *get_digest(const uint8_t *p, struct ost_digest *d)
{
    memcpy(d->bytes, p, DIGEST - 1);
    d->size = p[DIGEST - 1];
    return p + DIGEST;
}

static uint8_t *put_joint(uint8_t *p, const struct dup_entry *e)
{
    p = put_digest(p, &e->joint);
    *p++ = (uint8_t)(e->of * 2u + e->by_core);
    return p;
}

static const uint8_t *get_joint(const uint8_t *p, struct dup_entry *e)
{
    p = get_digest(p, &e->joint);
    e->of = (enum dup_of)(*p / 2);
    e->by_core = *p & 1;
    return p + 1;
}

static uint8_t *put_mih(uint8_t *p, const struct dup_entry *e)
{
    *p++ = !e->has_mih;
    if (e->has_mih)
        memcpy(p, e->mih, sizeof e->mih);
    else
        memset(p, 0, sizeof e->mih);
    return p + sizeof e->mih;
}

static const uint8_t *get_mih(const uint8_t *p, struct dup_entry *e)
{
    e->has_mih = !*p++;
    memcpy(e->mih, p, sizeof e->mih);
    return p + sizeof e->mih;
}

static uint8_t *put_rest(uint8_t *p, const struct dup_entry *e)
{
    put_le32(p, e->nid);
    put_le32(p + 4, e->attachment_nid);
    put_le32(p + 8, e->folder);
    put_le64(p + 12, e->size_bytes);
    p[20] = e->kind;
    p[21] = (uint8_t)((e->has_folder ? FLAG_FOLDER : 0) | (e->orphan ? FLAG_ORPHAN : 0) |
                      (e->has_size ? FLAG_SIZE : 0));
    for (unsigned i = 0; i < DUP_MARKS; i++)
        put_le32(p + 22 + MARK * i, e->marks[i]);
    return p + REST;
}

static const uint8_t *get_rest(const uint8_t *p, struct dup_entry *e)
{
    e->nid = le32(p);
    e->attachment_nid = le32(p + 4);
    e->folder = le32(p + 8);
    e->size_bytes = le64(p + 12);
    e->kind = p[20];
    e->has_folder = p[21] & FLAG_FOLDER;
    e->orphan = p[21] & FLAG_ORPHAN;
    e->has_size = p[21] & FLAG_SIZE;
    for (unsigned i = 0; i < DUP_MARKS; i++)
        e->marks[i] = le32(p + 22 + MARK * i);
    return p + REST;
}

void dup_entry_classed(const struct dup_entry *e, uint8_t out[DUP_CLASSED])
{
    uint8_t *p = put_joint(out, e);

    p = put_mih(p, e);
    p = put_place(p, &e->place);
    p = put_digest(p, &e->exact);
    p = put_rest(p, e);
    assert(p == out + DUP_CLASSED);
}

void dup_entry_from_classed(const uint8_t in[DUP_CLASSED], struct dup_entry *out)
{
    const uint8_t *p = get_joint(in, out);

    p = get_mih(p, out);
    p = get_place(p, &out->place);
    p = get_digest(p, &out->exact);
    get_rest(p, out);
}

void dup_entry_grouped(const struct dup_entry *e, const struct dup_place *representative,
                       enum dup_rank rank, uint8_t out[DUP_GROUPED])
{
    uint8_t *p = out;

    *p++ = (uint8_t)e->of;
    p = put_place(p, representative);
    *p++ = (uint8_t)rank;
    p = put_digest(p, &e->exact);
    p = put_place(p, &e->place);
    p = put_joint(p, e);
    p = put_mih(p, e);
    p = put_rest(p, e);
    assert(p == out + DUP_GROUPED);
}

enum dup_rank dup_entry_from_grouped(const uint8_t in[DUP_GROUPED], struct dup_entry *out)
{
    const uint8_t *p = in + DUP_GROUP_KEY;
    const enum dup_rank rank = (enum dup_rank) * p++;

    p = get_digest(p, &out->exact);
    p = get_place(p, &out->place);
    p = get_joint(p, out);
    p = get_mih(p, out);
    get_rest(p, out);
    return rank;
}

bool dup_digest_equal(const struct ost_digest *a, const struct ost_digest *b)
{
    return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

unsigned dup_differences(const struct dup_entry *a, const struct dup_entry *b)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < DUP_MARKS; i++)
        bits |= (unsigned)(a->marks[i] != b->marks[i]) << i;
    if (a->has_mih != b->has_mih || (a->has_mih && memcmp(a->mih, b->mih, sizeof a->mih) != 0))
        bits |= 1u << DUP_MESSAGE_ID;
    return bits;
}
