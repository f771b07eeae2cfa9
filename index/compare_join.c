/*
 * compare_join.c: see compare_join.h.
 *
 *   unmatched (a spill) ─▶ those with the pass's keys ─▶ sorter ─▶ groups ─▶ pairs
 *           ▲              those without ─────────────────────────────┐        │ rest
 *           └──────────────────────── the next pass's unmatched ◀─────┴────────┘
 *
 * A group are the items that agree in all keys of the pass. In a group of copies any item of the
 * one side stands for any of the other, so as many pairs come out as there can be; the first passes
 * ask for the same folder too, so that only what is left over counts as moved. In any other group
 * only one item of each side makes a pair. What no pass decides is tied.
 */
#include "index/compare_join.h"

#include <assert.h>
#include <string.h>
#include <xxhash.h>

#include "index/sorter.h"
#include "io/mem.h"

enum rule {
    RULE_COPIES, /* as many pairs as there can be */
    RULE_ONE,    /* a pair if each side has one */
    RULE_TIED,   /* marks all of a group with both sides */
};

/* Beside the bits of enum cmp_key. */
enum { IN_FOLDER = 1u << CMP_KEYS };

#define K(name) (1u << CMP_KEY_##name)

static const struct pass {
    unsigned keys;
    enum rule rule;
    enum cmp_key by;
} passes[] = {
    {K(CHANGE) | IN_FOLDER, RULE_COPIES, CMP_KEY_CHANGE},
    {K(CHANGE), RULE_COPIES, CMP_KEY_CHANGE},
    {K(SEARCH) | K(EXACT) | IN_FOLDER, RULE_COPIES, CMP_KEY_SEARCH},
    {K(SEARCH) | K(EXACT), RULE_COPIES, CMP_KEY_SEARCH},
    {K(SEARCH) | K(CORE) | IN_FOLDER, RULE_ONE, CMP_KEY_SEARCH},
    {K(SEARCH) | K(CORE), RULE_ONE, CMP_KEY_SEARCH},
    {K(SEARCH) | K(MIH) | IN_FOLDER, RULE_ONE, CMP_KEY_SEARCH},
    {K(SEARCH) | K(MIH), RULE_ONE, CMP_KEY_SEARCH},
    {K(SEARCH), RULE_ONE, CMP_KEY_SEARCH},
    {K(MIH) | K(EXACT) | IN_FOLDER, RULE_COPIES, CMP_KEY_MIH},
    {K(MIH) | K(EXACT), RULE_COPIES, CMP_KEY_MIH},
    {K(MIH) | K(CORE) | IN_FOLDER, RULE_ONE, CMP_KEY_MIH},
    {K(MIH) | K(CORE), RULE_ONE, CMP_KEY_MIH},
    {K(MIH) | IN_FOLDER, RULE_ONE, CMP_KEY_MIH},
    {K(MIH), RULE_ONE, CMP_KEY_MIH},
    {K(CORE) | K(EXACT) | IN_FOLDER, RULE_COPIES, CMP_KEY_CORE},
    {K(CORE) | K(EXACT), RULE_COPIES, CMP_KEY_CORE},
    {K(CORE) | IN_FOLDER, RULE_ONE, CMP_KEY_CORE},
    {K(CORE), RULE_ONE, CMP_KEY_CORE},
    {K(SEARCH), RULE_TIED, CMP_KEY_SEARCH},
    {K(MIH), RULE_TIED, CMP_KEY_MIH},
    {K(CORE), RULE_TIED, CMP_KEY_CORE},
};

/* A record of the sorter: hash of the keys | side | ordinal, big-endian | the entry. */
enum { HASH = 16, ORDER = HASH + 1 + 8, RECORD = ORDER + sizeof(struct cmp_entry) };

struct join {
    const struct cmp_join_options *options;
    const struct cmp_join_sink *sink;
    struct cmp_side *sides[2];
    struct io_spill *in, *out; /* entries that are unmatched */
    struct io_spill *held;     /* those of the image in the group at hand */
    struct sorter *sorter;
    const struct pass *pass;
    uint64_t counts[2][CMP_KEYS]; /* of unmatched entries that have a key, at most */
    /* the group at hand */
    uint8_t hash[HASH];
    uint64_t members[2], taken; /* `taken` of those held */
    bool without_mih[2];
    struct cmp_entry first[2];
    uint8_t *copied; /* a bit for each item of the image */
    struct fault *fault;
};

static bool cancelled(const struct join *j)
{
    return j->options->cancel && atomic_load(j->options->cancel);
}

static uint32_t unified(const struct join *j, const struct cmp_entry *e)
{
    return e->folder == CMP_NO_FOLDER ? CMP_NO_FOLDER
                                      : j->sides[e->on_server]->folders[e->folder].unified;
}

static bool takes_part(const struct join *j, const struct cmp_entry *e)
{
    const unsigned keys = j->pass->keys & ~(unsigned)IN_FOLDER;

    return (e->keys & keys) == keys &&
           (!(j->pass->keys & IN_FOLDER) || unified(j, e) != CMP_NO_FOLDER);
}

static int sort_in(struct join *j, const struct cmp_entry *e)
{
    uint8_t record[RECORD], text[(CMP_KEYS + 1) * 16];
    XXH128_canonical_t hash;
    size_t size = 0;

    for (unsigned k = 0; k < CMP_KEYS; k++) {
        if (!(j->pass->keys >> k & 1))
            continue;
        memcpy(text + size, e->key[k], 16);
        size += 16;
    }
    if (j->pass->keys & IN_FOLDER) {
        put_le32(text + size, unified(j, e));
        size += 4;
    }
    XXH128_canonicalFromHash(&hash, XXH3_128bits(text, size));
    memcpy(record, hash.digest, HASH);
    record[HASH] = e->on_server;
    put_le64(record + HASH + 1, __builtin_bswap64(e->ordinal));
    memcpy(record + ORDER, e, sizeof *e);
    return sorter_add(j->sorter, 0, record);
}

static int leave(struct join *j, const struct cmp_entry *e)
{
    return io_spill_append(j->out, e, sizeof *e, NULL);
}

static int pair(struct join *j, const struct cmp_entry *image, const struct cmp_entry *server)
{
    for (unsigned k = 0; k < CMP_KEYS; k++) {
        j->counts[0][k] -= image->keys >> k & 1;
        j->counts[1][k] -= server->keys >> k & 1;
    }
    return j->sink->pair(j->sink->ctx, image, server, j->pass->by);
}

static int next_held(struct join *j, struct cmp_entry *e)
{
    return io_spill_read(j->held, j->taken++ * sizeof *e, e, sizeof *e);
}

/* Two of one key that others tell apart are not the same item. */
static bool contradicts(const struct join *j)
{
    return j->pass->by != CMP_KEY_CHANGE &&
           cmp_keys_contradict(&j->first[0], &j->first[1], CMP_KEY_MIH);
}

/* Items of one core with different Message-IDs are different ones. */
static bool is_tied(const struct join *j, const struct cmp_entry *e)
{
    if (!j->members[0] || !j->members[1])
        return false;
    return j->pass->by != CMP_KEY_CORE || !(e->keys & 1u << CMP_KEY_MIH) ||
           j->without_mih[!e->on_server];
}

static int leave_held(struct join *j)
{
    const uint64_t held = j->members[0] + (j->pass->rule == RULE_TIED ? j->members[1] : 0);
    int code = 0;

    while (!code && j->taken < held) {
        struct cmp_entry e;

        code = next_held(j, &e);
        if (!code && j->pass->rule == RULE_TIED && is_tied(j, &e))
            e.flags |= CMP_TIED;
        if (!code)
            code = leave(j, &e);
    }
    return code ? code : io_spill_clear(j->held);
}

static int end_group(struct join *j)
{
    int code = 0;

    if (j->pass->rule == RULE_ONE && j->members[0] == 1 && j->members[1] == 1) {
        if (!contradicts(j)) {
            code = pair(j, &j->first[0], &j->first[1]);
        } else {
            code = leave(j, &j->first[0]);
            if (!code)
                code = leave(j, &j->first[1]);
        }
    } else if (j->pass->rule == RULE_ONE) {
        for (int side = 0; !code && side < 2; side++)
            code = j->members[side] ? leave(j, &j->first[side]) : 0;
    } else {
        code = leave_held(j);
    }
    j->members[0] = j->members[1] = j->taken = 0;
    j->without_mih[0] = j->without_mih[1] = false;
    return code;
}

/* The image's of a group come first. */
static int member(struct join *j, struct cmp_entry *e)
{
    const uint64_t n = j->members[e->on_server]++;
    struct cmp_entry other;
    int code;

    if (j->pass->rule == RULE_ONE) {
        if (n)
            return leave(j, e);
        j->first[e->on_server] = *e;
        return 0;
    }
    j->without_mih[e->on_server] |= !(e->keys & 1u << CMP_KEY_MIH);
    if (!e->on_server || j->pass->rule == RULE_TIED)
        return io_spill_append(j->held, e, sizeof *e, NULL);
    if (j->taken == j->members[0])
        return leave(j, e);
    code = next_held(j, &other);
    return code ? code : pair(j, &other, e);
}

static int groups(struct join *j)
{
    const uint8_t *record;
    uint64_t n = 0;
    int got = sorter_start(j->sorter);

    if (got)
        return got;
    while ((got = sorter_next(j->sorter, &record)) == 1) {
        struct cmp_entry e;
        int code = 0;

        if (j->members[0] + j->members[1] && memcmp(j->hash, record, HASH) != 0)
            code = end_group(j);
        memcpy(j->hash, record, HASH);
        memcpy(&e, record + ORDER, sizeof e);
        if (!code)
            code = member(j, &e);
        if (!code && ++n % 4096 == 0 && cancelled(j))
            code = ERR_CANCELLED;
        if (code)
            return code;
    }
    return got < 0 ? got : j->members[0] + j->members[1] ? end_group(j) : 0;
}

static int distribute(struct join *j)
{
    struct cmp_walk walk = {.from = j->in};
    struct cmp_entry *e;
    int got;

    while ((got = cmp_walk(&walk, &e)) == 1) {
        int code = takes_part(j, e) ? sort_in(j, e) : leave(j, e);

        if (code)
            return code;
    }
    return got ? got : io_spill_clear(j->in);
}

static bool is_worth_it(const struct join *j)
{
    for (unsigned k = 0; k < CMP_KEYS; k++)
        if (j->pass->keys >> k & 1 && (!j->counts[0][k] || !j->counts[1][k]))
            return false;
    return true;
}

static int run_pass(struct join *j)
{
    struct io_spill *swap;
    int code;

    if (!is_worth_it(j))
        return 0;
    code = distribute(j);
    if (!code)
        code = groups(j);
    if (!code)
        code = sorter_reset(j->sorter);
    swap = j->in;
    j->in = j->out;
    j->out = swap;
    return code;
}

static int load(struct join *j)
{
    for (int side = 0; side < 2; side++) {
        struct cmp_walk walk = {.from = j->sides[side]->entries};
        struct cmp_entry *e;
        int got;

        while ((got = cmp_walk(&walk, &e)) == 1) {
            int code;

            e->keys &= j->options->keys;
            e->known &= j->options->marks;
            for (unsigned k = 0; k < CMP_KEYS; k++)
                j->counts[side][k] += e->keys >> k & 1;
            code = io_spill_append(j->in, e, sizeof *e, NULL);
            if (code)
                return code;
        }
        if (got)
            return got;
    }
    return 0;
}

/* The `exact` of an item, its side, its ordinal. */
enum { COPY = 16 + 1 + 8 };

static int add_copies(struct sorter *sorter, struct io_spill *from, bool on_server)
{
    struct cmp_walk walk = {.from = from};
    struct cmp_entry *e;
    int got;

    while ((got = cmp_walk(&walk, &e)) == 1) {
        uint8_t record[COPY];
        int code;

        if (e->on_server != on_server || !(e->keys >> CMP_KEY_EXACT & 1))
            continue;
        memcpy(record, e->key[CMP_KEY_EXACT], 16);
        record[16] = !on_server; /* the server's come first */
        put_le64(record + 17, e->ordinal);
        code = sorter_add(sorter, 0, record);
        if (code)
            return code;
    }
    return got;
}

/* Which unmatched items of the image have an exact copy anywhere on the server, matched or not: a
 * bit for each item of the image. */
static int find_copies(struct join *j)
{
    const struct sorter_options options = {COPY, j->options->memory_bytes / 4, 1,
                                           j->options->temp_dir};
    struct sorter *sorter = NULL;
    const uint8_t *record;
    uint8_t there[16];
    bool any = false;
    int got, code;

    if (!(j->options->keys >> CMP_KEY_EXACT & 1) || !j->counts[0][CMP_KEY_EXACT])
        return 0;
    j->copied = mem_zalloc(j->sides[0]->items / 8 + 1);
    code = j->copied ? sorter_create(&options, &sorter) : ERR_NOMEM;
    if (!code)
        code = add_copies(sorter, j->sides[1]->entries, true);
    if (!code)
        code = add_copies(sorter, j->in, false);
    if (!code)
        code = sorter_start(sorter);
    while (!code && (got = sorter_next(sorter, &record)) != 0) {
        if (got < 0) {
            code = got;
        } else if (!record[16]) {
            memcpy(there, record, sizeof there);
            any = true;
        } else if (any && memcmp(there, record, sizeof there) == 0) {
            j->copied[le64(record + 17) / 8] |= (uint8_t)(1u << le64(record + 17) % 8);
        }
    }
    if (sorter && sorter_fault(sorter)->code)
        *j->fault = *sorter_fault(sorter);
    sorter_destroy(sorter);
    return code;
}

static int tell_singles(struct join *j)
{
    struct cmp_walk walk = {.from = j->in};
    struct cmp_entry *e;
    int got;

    while ((got = cmp_walk(&walk, &e)) == 1) {
        int code;

        if (!e->on_server && j->copied && j->copied[e->ordinal / 8] >> e->ordinal % 8 & 1)
            e->flags |= CMP_COPIED;
        code = j->sink->single(j->sink->ctx, e);
        if (code)
            return code;
    }
    return got;
}

static int create(struct join *j)
{
    const uint64_t memory = j->options->memory_bytes;
    const struct sorter_options sorted = {RECORD, memory / 2, 1, j->options->temp_dir};
    int code = sorter_create(&sorted, &j->sorter);

    if (!code)
        code = io_spill_create(j->options->temp_dir, (size_t)(memory / 5), &j->in);
    if (!code)
        code = io_spill_create(j->options->temp_dir, (size_t)(memory / 5), &j->out);
    if (!code)
        code = io_spill_create(j->options->temp_dir, (size_t)(memory / 10), &j->held);
    return code;
}

static void keep_fault(const struct join *j, struct fault *fault)
{
    const struct io_spill *spills[] = {j->in, j->out, j->held};

    if (j->sorter && sorter_fault(j->sorter)->code)
        *fault = *sorter_fault(j->sorter);
    for (size_t i = 0; i < sizeof spills / sizeof *spills; i++)
        if (spills[i] && io_spill_fault(spills[i])->code)
            *fault = *io_spill_fault(spills[i]);
}

int cmp_join(struct cmp_side *image, struct cmp_side *server,
             const struct cmp_join_options *options, const struct cmp_join_sink *sink,
             struct fault *fault)
{
    struct join *j = mem_zalloc(sizeof *j);
    int code;

    if (!j)
        return ERR_NOMEM;
    j->options = options;
    j->sink = sink;
    j->sides[0] = image;
    j->sides[1] = server;
    j->fault = fault;
    code = create(j);
    if (!code)
        code = load(j);
    for (size_t i = 0; !code && i < sizeof passes / sizeof *passes; i++) {
        j->pass = &passes[i];
        code = cancelled(j) ? ERR_CANCELLED : run_pass(j);
    }
    if (!code)
        code = find_copies(j);
    if (!code)
        code = tell_singles(j);
    keep_fault(j, fault);
    sorter_destroy(j->sorter);
    io_spill_destroy(j->in);
    io_spill_destroy(j->out);
    io_spill_destroy(j->held);
    mem_free(j->copied);
    mem_free(j);
    return code;
}
