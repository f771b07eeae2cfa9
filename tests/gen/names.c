#include "tests/gen/names.h"

#include <stdio.h>
#include <string.h>

#include "io/bytes.h"
#include "tests/gen/rng.h"
#include "tests/gen/sum.h"

enum set {
    SET_NONE,
    SET_MAPI,
    SET_STRINGS,
    SET_COMMON,
    SET_APPOINTMENT,
    SET_MEETING,
    SET_ADDRESS,
    SET_TASK,
    SET_NOTE,
    SET_LOG,
    SET_HEADERS,
    SET_SHARING,
    SET_COUNT
};

enum { BUCKETS = 251, GUIDS_FIRST = 3, NAME_BYTES = 160 };

/* Of the sets from SET_COMMON on, as stored; the first three have numbers of their own. */
static const uint8_t guids[SET_COUNT - GUIDS_FIRST][16] = {
    {0x08, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x02, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x90, 0xDA, 0xD8, 0x6E, 0x0B, 0x45, 0x1B, 0x10, 0x98, 0xDA, 0x00, 0xAA, 0x00, 0x3F, 0x13,
     0x05},
    {0x04, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x03, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x0E, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x0A, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x86, 0x03, 0x02, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
    {0x40, 0x20, 0x06, 0, 0, 0, 0, 0, 0xC0, 0, 0, 0, 0, 0, 0, 0x46},
};

struct name {
    enum set set;
    uint32_t lid;
    const char *text; /* NULL: a number */
};

static const struct name names[N_EXTRA] = {
#define NAME_LID(name, set, lid)     {SET_##set, lid, NULL},
#define NAME_TEXT(name, set, string) {SET_##set, 0, string},
#include "tests/gen/names.inc"
#undef NAME_LID
#undef NAME_TEXT
};

void name_map_init(struct name_map *m, uint64_t seed, unsigned target)
{
    struct rng r = rng_of(seed, 3, target);
    uint16_t first = (uint16_t)rng_below(&r, 48);
    for (uint16_t i = 0; i < NAMED_COUNT; i++)
        m->local[i] = (uint16_t)(first + i);
    for (uint32_t i = 0; i + 1 < NAMED_COUNT; i++) {
        uint32_t j = i + rng_below(&r, NAMED_COUNT - i);
        uint16_t swap = m->local[i];
        m->local[i] = m->local[j];
        m->local[j] = swap;
    }
}

void name_map_apply(const struct name_map *m, struct bag *bag)
{
    for (size_t i = 0; i < bag->count; i++) {
        if (bag->list[i].id >= NAMED)
            bag->list[i].id = (uint16_t)(NAMED + m->local[bag->list[i].id - NAMED]);
    }
}

struct map_bytes {
    uint8_t entries[NAMED_COUNT * 8];
    uint8_t strings[NAMED_COUNT * NAME_BYTES / 4];
    size_t string_size;
    uint8_t buckets[NAMED_COUNT * 8];
    uint16_t bucket_of[NAMED_COUNT];
};

/* u32 length in bytes, UTF-16, padded to 4. Returns the hash of the name. */
static uint32_t add_string(struct map_bytes *b, const char *text)
{
    uint8_t *p = b->strings + b->string_size;
    uint8_t *o = p + 4;
    for (const uint8_t *t = (const uint8_t *)text; *t != 0;) {
        uint32_t c = *t++;
        if (c >= 0xC0)
            c = (c & 0x1F) << 6 | (*t++ & 0x3F);
        put_le16(o, (uint16_t)c);
        o += 2;
    }
    uint32_t size = (uint32_t)(o - p - 4);
    put_le32(p, size);
    memset(o, 0, 2);
    b->string_size += (4 + size + 3) & ~3u;
    return sum_crc(p + 4, size);
}

static void add_entry(struct map_bytes *b, const struct name *n, uint16_t local, size_t index)
{
    uint32_t value = n->lid, hash = n->lid;
    uint16_t kind = (uint16_t)((unsigned)n->set << 1 | (n->text != NULL));
    if (n->text != NULL) {
        value = (uint32_t)b->string_size;
        hash = add_string(b, n->text);
    }
    uint8_t *e = b->entries + index * 8, *k = b->buckets + index * 8;
    put_le32(e, value);
    put_le16(e + 4, kind);
    put_le16(e + 6, local);
    put_le32(k, hash);
    put_le16(k + 4, kind);
    put_le16(k + 6, local);
    b->bucket_of[index] = (uint16_t)((hash ^ kind) % BUCKETS);
}

void name_map_fill(const struct name_map *m, struct bag *bag)
{
    struct map_bytes *b = arena_alloc(bag->arena, sizeof *b);
    uint8_t *row = arena_alloc(bag->arena, NAMED_COUNT * 8);
    if (b == NULL || row == NULL) {
        bag->failed = true;
        return;
    }
    b->string_size = 0;
    for (uint16_t i = 0; i < NAMED_COUNT; i++) {
        char extra[16];
        struct name n = i < N_EXTRA ? names[i] : (struct name){SET_HEADERS, 0, extra};
        if (i >= N_EXTRA)
            snprintf(extra, sizeof extra, "X-Gen-%03d", i - N_EXTRA);
        add_entry(b, &n, m->local[i], i);
    }
    bag_i32(bag, 0x0001, BUCKETS);
    bag_data(bag, 0x0002, T_BIN, guids, sizeof guids);
    bag_own(bag, 0x0003, T_BIN, b->entries, sizeof b->entries);
    bag_own(bag, 0x0004, T_BIN, b->strings, b->string_size);
    for (uint16_t bucket = 0; bucket < BUCKETS; bucket++) {
        size_t n = 0;
        for (uint16_t i = 0; i < NAMED_COUNT; i++) {
            if (b->bucket_of[i] == bucket)
                memcpy(row + 8 * n++, b->buckets + 8 * i, 8);
        }
        if (n > 0)
            bag_data(bag, (uint16_t)(0x1000 + bucket), T_BIN, row, 8 * n);
    }
}
