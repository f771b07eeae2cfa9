/*
 * test_native_stream.c: large values are digested in whatever order their blocks pass, by whatever
 * threads; what is not as it should be is left alone, and what cannot be gone on with is handed to
 * who can.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "index/hash.h"
#include "io/mem.h"
#include "scanner/check/state.h"
#include "scanner/native_stream.h"
#include "scanner/ost/block.h"
#include "tests/support/forge.h"
#include "tests/support/valuebed.h"

enum { MEMORY = 64 << 20, LEAST = 64 << 10, THREADS = 4 };

/* What passes, and who goes through it. */
struct sweep {
    struct valuebed bed;
    struct ost_hasher hasher;
    struct native_streams *streams;
    struct native_carry *carry;
    uint32_t order[VALUEBED_BLOCKS];
    _Atomic size_t next;
};

/* A thread's: its window has the block at hand, and `wide` ones behind it. */
struct pass {
    struct sweep *sweep;
    struct native_seat seat;
    struct ost_at_hand at_hand;
    uint32_t block, wide;
};

static uint64_t need(const void *ctx, uint32_t block)
{
    const struct sweep *s = ctx;
    uint64_t at;

    return native_streams_need(s->streams, block, &at) ? at : UINT64_MAX;
}

static const uint8_t *place(void *ctx, const struct ost_block *block, bool *clean)
{
    const struct pass *p = ctx;
    const struct valuebed *b = &p->sweep->bed;
    uint32_t index = (uint32_t)(block - b->blocks);

    *clean = b->status[index] & CHK_CLEAN;
    return index >= p->block && index - p->block <= p->wide ? valuebed_extent(b, index) : NULL;
}

static void sweep_open(struct sweep *s, uint64_t memory, uint64_t carry)
{
    struct native_streams_options o = {
        .status = s->bed.status, .hasher = &s->hasher, .trees = {.least_bytes = LEAST}};

    if (!s->hasher.begin)
        s->hasher = idx_hasher(IDX_XXH3);
    valuebed_open(&s->bed);
    o.trees.plan = &s->bed.plan;
    o.trees.bids = &s->bed.bids;
    o.trees.source = s->bed.source;
    o.trees.memory_bytes = memory;
    assert_int_equal(native_streams_create(&o, &s->streams), 0);
    assert_true(native_streams_memory(s->streams) <= memory);
    assert_int_equal(native_carry_create(carry, (struct native_needs){s, need}, &s->carry), 0);
    for (size_t i = 0; i < s->bed.count; i++)
        s->order[i] = (uint32_t)i;
    s->next = 0;
}

static void sweep_close(struct sweep *s)
{
    native_streams_destroy(s->streams);
    native_carry_destroy(s->carry);
    valuebed_done(&s->bed);
}

static void pass_open(struct pass *p, struct sweep *s)
{
    *p = (struct pass){.sweep = s, .block = CHK_NO_BLOCK};
    p->at_hand = (struct ost_at_hand){p, place, NULL};
    assert_int_equal(native_seat_init(&p->seat, s->streams, s->carry, &p->at_hand), 0);
}

static void pass_block(struct pass *p, uint32_t block)
{
    struct sweep *s = p->sweep;
    const struct ost_block *b = &s->bed.blocks[block];

    p->block = block;
    if (ost_bid_internal(b->bid)) {
        struct chk_links links = {0};

        valuebed_links(&s->bed, block, &links);
        native_seat_confirm(&p->seat, &links, 0);
        chk_links_done(&links, &s->bed.budget);
    } else if (!native_seat_pass(&p->seat, block)) {
        native_carry_put(s->carry, block, valuebed_extent(&s->bed, block),
                         ost_block_extent(s->bed.v, b->stored));
        native_seat_carried(&p->seat, block);
    }
    p->block = CHK_NO_BLOCK;
}

static void *pass_all(void *ctx)
{
    struct sweep *s = ctx;
    struct pass p;
    size_t i;

    pass_open(&p, s);
    while ((i = atomic_fetch_add(&s->next, 1)) < s->bed.count)
        pass_block(&p, s->order[i]);
    native_seat_done(&p.seat);
    return NULL;
}

static void shuffle(struct sweep *s, unsigned seed)
{
    srand(seed);
    for (size_t i = s->bed.count; i > 1; i--) {
        size_t k = (size_t)rand() % i;
        uint32_t other = s->order[k];

        s->order[k] = s->order[i - 1];
        s->order[i - 1] = other;
    }
}

/* The digest of a tree's leaves, in order. */
static struct ost_digest digest_of(const struct sweep *s, const struct native_tree *t)
{
    const struct native_trees *trees = native_streams_trees(s->streams);
    struct ost_digest digest;
    struct idx_hash *h;
    uint32_t leaves = 0;

    assert_int_equal(idx_hash_create(IDX_XXH3, &h), 0);
    for (uint32_t i = 0; i < t->spans; i++)
        for (uint32_t k = 0; k < trees->spans[t->first + i].count; k++, leaves++) {
            uint32_t block = trees->spans[t->first + i].block + k;

            idx_hash_update(h, valuebed_extent(&s->bed, block), s->bed.blocks[block].inflated);
        }
    assert_int_equal(leaves, t->leaves);
    idx_hash_final(h, &digest);
    idx_hash_destroy(h);
    return digest;
}

static void expect_whole(struct sweep *s, const struct native_tree *t)
{
    struct ost_digest digest = digest_of(s, t);
    struct ost_digested had;
    struct pass p;
    bool busy;

    pass_open(&p, s);
    assert_ptr_equal(native_seat_whole(&p.seat, t->root, &busy), t);
    for (unsigned i = 0; i < 2; i++) { /* as often as one likes */
        assert_true(native_seat_take(&p.seat, t->root, &had));
        assert_true(had.whole);
        assert_int_equal(had.bytes, t->leaf_bytes);
        assert_memory_equal(&had.digest, &digest, sizeof digest);
    }
    native_seat_done(&p.seat);
}

/* All of the trees, so many. */
static void expect_all(struct sweep *s, size_t count)
{
    const struct native_trees *t = native_streams_trees(s->streams);

    assert_int_equal(t->count, count);
    for (size_t i = 0; i < t->count; i++)
        expect_whole(s, &t->list[i]);
    for (uint32_t i = 0; i < s->bed.count; i++)
        assert_false(native_carry_has(s->carry, i) && native_streams_has(s->streams, i));
}

static unsigned nine(const struct ost_variant *v)
{
    return LEAST / v->data_max + 1;
}

/* Values whose XBLOCK lies behind, before and among its leaves; one of XXBLOCKs. */
static void add_values(struct valuebed *b)
{
    uint32_t full = b->v->data_max;
    unsigned n = nine(b->v) + 3;
    uint64_t bids[64], lists[3];

    valuebed_value(b, 1, n, 100, NULL);
    valuebed_leaves(b, 2, n, 7, NULL, bids);
    for (unsigned i = 0; i < 3; i++)
        valuebed_add(b, "alone", 5, false);
    valuebed_list(b, 1, (n - 1) * full + 7, bids, n);
    /* As Outlook does: a leaf, its XBLOCK when there is a second, and so on. The XBLOCK is forged
     * before it is known what it will name, which is the next bids in turn. */
    bids[0] = b->next_bid;
    for (unsigned i = 1; i < n; i++)
        bids[i] = b->next_bid + 4 + 4 * i;
    {
        uint64_t first[64], rest[64];

        valuebed_leaves(b, 3, 1, full, NULL, first);
        valuebed_list(b, 1, (n - 1) * full + 1, bids, n);
        valuebed_leaves(b, 4, n - 1, 1, NULL, rest);
        assert_int_equal(first[0], bids[0]);
        assert_int_equal(rest[n - 2], bids[n - 1]);
    }
    for (unsigned i = 0; i < 3; i++) {
        unsigned count = i < 2 ? n : 2;
        size_t last = i < 2 ? full : 50;

        valuebed_leaves(b, 5 + i, count, last, NULL, bids);
        lists[i] = valuebed_list(b, 1, (uint32_t)((count - 1) * full + last), bids, count);
    }
    valuebed_list(b, 2, (2 * n + 1) * full + 50, lists, 3);
}

static void in_order(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        static struct sweep s;

        memset(&s, 0, sizeof s);
        valuebed_init(&s.bed, ost_variant_of(forge_formats[f]));
        add_values(&s.bed);
        sweep_open(&s, MEMORY, MEMORY);
        pass_all(&s);
        expect_all(&s, 4);
        /* What was alone, and nothing else. */
        assert_int_equal(native_carry_sums(s.carry).put_bytes, 3 * ost_block_extent(s.bed.v, 5));
        sweep_close(&s);
    }
}

static void in_any_order(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 60; turn++) {
        static struct sweep s;
        pthread_t threads[THREADS];
        unsigned count = turn % THREADS + 1;

        memset(&s, 0, sizeof s);
        valuebed_init(&s.bed, ost_variant_of(forge_formats[turn % 3]));
        add_values(&s.bed);
        sweep_open(&s, MEMORY, MEMORY);
        shuffle(&s, turn);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, pass_all, &s), 0);
        for (unsigned i = 0; i < count; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        expect_all(&s, 4);
        sweep_close(&s);
    }
}

/* What was carried as it left a window, and digested from there all the same, is not left behind.
 */
static void carried_and_at_hand(void **state)
{
    static struct sweep s;
    struct pass p;

    (void)state;
    memset(&s, 0, sizeof s);
    valuebed_init(&s.bed, ost_variant_of(OST_FORMAT_UNICODE));
    valuebed_value(&s.bed, 1, 20, 100, NULL);
    sweep_open(&s, MEMORY, MEMORY);
    pass_open(&p, &s);
    for (uint32_t i = 5; i < 20; i++)
        pass_block(&p, i);
    assert_true(native_carry_has(s.carry, 12));
    p.wide = 19;
    pass_block(&p, 0);
    assert_true(native_streams_has(s.streams, 19));
    for (uint32_t i = 0; i < 20; i++)
        assert_false(native_carry_has(s.carry, i));
    native_seat_done(&p.seat);
    sweep_close(&s);
}

/* Two values written a leaf at a time: each leaf a span of its own. */
static void interleaved(void **state)
{
    enum { LEAVES = 70 }; /* read whatever lies next to their XBLOCKs */

    (void)state;
    for (unsigned turn = 0; turn < 4; turn++) {
        static struct sweep s;
        uint64_t bids[2][LEAVES];
        uint32_t total;

        memset(&s, 0, sizeof s);
        valuebed_init(&s.bed, ost_variant_of(OST_FORMAT_UNICODE));
        total = (LEAVES - 1) * s.bed.v->data_max + 9;
        for (unsigned i = 0; i < LEAVES; i++)
            for (unsigned k = 0; k < 2; k++)
                valuebed_leaves(&s.bed, 2 * i + k, 1, i + 1 < LEAVES ? s.bed.v->data_max : 9, NULL,
                                &bids[k][i]);
        for (unsigned k = 0; k < 2; k++)
            valuebed_list(&s.bed, 1, total, bids[k], LEAVES);
        /* There may be room for one of them, and for what is made of both. */
        sweep_open(&s, turn < 2 ? MEMORY : 20000u << turn, MEMORY);
        if (turn % 2)
            shuffle(&s, turn);
        if (s.streams) {
            pass_all(&s);
            expect_all(&s, native_streams_trees(s.streams)->count);
        }
        assert_true(turn > 1 || native_streams_trees(s.streams)->count == 2);
        sweep_close(&s);
    }
}

/* One value, and what is there of it after all has passed. */
static bool one(struct sweep *s, struct ost_digested *had)
{
    uint32_t root = (uint32_t)(s->bed.count - 1);
    struct pass p;
    bool took;

    if (!s->streams)
        return false;
    pass_all(s);
    pass_open(&p, s);
    took = native_seat_take(&p.seat, root, had);
    native_seat_done(&p.seat);
    return took;
}

static void begin_one(struct sweep *s, const char *begin)
{
    memset(s, 0, sizeof *s);
    valuebed_init(&s->bed, ost_variant_of(OST_FORMAT_UNICODE));
    valuebed_value(&s->bed, 1, 20, 100, begin);
}

/* Goes on from what was handed over, with the leaves from there on. */
static void expect_prefix(struct sweep *s, struct ost_digested *had, size_t leaves)
{
    struct ost_digest expected, digest;
    const struct native_tree *t = &native_streams_trees(s->streams)->list[0];

    assert_false(had->whole);
    assert_int_equal(had->leaves, leaves);
    assert_int_equal(had->bytes, leaves * s->bed.v->data_max);
    for (uint32_t i = (uint32_t)leaves; i < 20; i++)
        had->hasher->update(had->state, valuebed_extent(&s->bed, i), s->bed.blocks[i].inflated);
    had->hasher->end(had->state, &digest);
    expected = digest_of(s, t);
    assert_memory_equal(&digest, &expected, sizeof digest);
}

/* A leaf that is not clean ends it, in whatever order. */
static void damage_in_the_middle(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 20; turn++) {
        static struct sweep s;
        struct ost_digested had;
        struct pass p;

        begin_one(&s, NULL);
        sweep_open(&s, MEMORY, MEMORY);
        s.bed.status[7] &= (uint16_t)~CHK_CLEAN;
        if (turn)
            shuffle(&s, turn);
        assert_true(one(&s, &had));
        expect_prefix(&s, &had, 7);
        pass_open(&p, &s);
        assert_false(native_seat_take(&p.seat, 20, &had)); /* once */
        native_seat_done(&p.seat);
        for (uint32_t i = 0; i < 20; i++)
            assert_false(native_streams_has(s.streams, i));
        for (uint32_t i = 7; i < 20; i++) /* the one that is not clean among them */
            assert_true(native_carry_has(s.carry, i));
        sweep_close(&s);
    }
}

static void what_is_had(void **state)
{
    static struct sweep s;
    uint64_t at;

    (void)state;
    begin_one(&s, NULL);
    sweep_open(&s, MEMORY, MEMORY);
    s.bed.status[7] &= (uint16_t)~CHK_CLEAN;
    assert_true(native_streams_need(s.streams, 12, &at));
    pass_all(&s);
    for (uint32_t i = 0; i < 21; i++)
        assert_int_equal(native_streams_has(s.streams, i), i < 7);
    assert_false(native_streams_need(s.streams, 12, &at));
    assert_false(native_streams_has(NULL, 0));
    assert_false(native_streams_need(NULL, 0, &at));
    sweep_close(&s); /* with a state that nobody took */
}

/* What was dropped is not digested, nor what comes after it. */
static void dropped(void **state)
{
    static struct sweep s;
    struct ost_digested had;

    (void)state;
    begin_one(&s, NULL);
    sweep_open(&s, MEMORY, 1);
    s.order[5] = 6;
    s.order[6] = 5; /* 6 passes too early */
    assert_true(one(&s, &had));
    expect_prefix(&s, &had, 6);
    sweep_close(&s);
}

/* Its XBLOCK says another thing as it passes, or cannot be believed. */
static void not_confirmed(void **state)
{
    enum { DOUBTED, PARTIAL, MISMATCH, TOTAL, KIND, COUNT, EDGE, UNCLEAN, NOT_PASSED, WAYS };

    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        static struct sweep s;
        struct chk_links links = {0};
        struct chk_inner *inner;
        struct ost_digested had;
        struct pass p;
        bool busy;

        begin_one(&s, NULL);
        sweep_open(&s, MEMORY, MEMORY);
        pass_open(&p, &s);
        for (uint32_t i = 0; i < 20; i++)
            pass_block(&p, i);
        assert_true(native_streams_has(s.streams, 3));
        valuebed_links(&s.bed, 20, &links);
        inner = chk_links_inner(&links, 0);
        inner->doubted = way == DOUBTED;
        inner->partial = way == PARTIAL;
        inner->mismatch = way == MISMATCH;
        inner->total += way == TOTAL;
        inner->kind = way == KIND ? CHK_KIND_XX : inner->kind;
        inner->data_count = (uint16_t)(inner->data_count - (way == COUNT));
        chk_links_edges(&links, inner)[9] += way == EDGE;
        if (way == UNCLEAN)
            s.bed.status[20] = CHK_READ | CHK_SOUND;
        if (way != NOT_PASSED)
            native_seat_confirm(&p.seat, &links, 0);
        assert_null(native_seat_whole(&p.seat, 20, &busy));
        assert_false(native_seat_take(&p.seat, 20, &had));
        assert_int_equal(native_streams_has(s.streams, 3), way == NOT_PASSED);
        chk_links_done(&links, &s.bed.budget);
        native_seat_done(&p.seat);
        sweep_close(&s);
    }
}

/* What is wrong with it is seen before any block passes. */
static void trees_that_are_none(void **state)
{
    enum { TOTAL, LEAF_REFS, LEAF_SUSPECT, SHORT_LEAF, TWICE, DANGLING, INTERNAL, CRC, ONLY, WAYS };

    (void)state;
    for (unsigned way = 0; way < WAYS; way++) {
        static struct sweep s;
        struct valuebed *b = &s.bed;
        uint32_t total, full;
        uint64_t bids[20];
        struct ost_digested had;

        memset(&s, 0, sizeof s);
        valuebed_init(b, ost_variant_of(OST_FORMAT_UNICODE));
        full = b->v->data_max;
        total = 19 * full + 100;
        valuebed_leaves(b, 1, 20, way == ONLY ? full : 100, NULL, bids);
        if (way == ONLY) /* there must be an XXBLOCK */
            total = 20 * full;
        if (way == TWICE)
            bids[3] = bids[4];
        if (way == DANGLING)
            bids[3] = b->next_bid + 400;
        if (way == INTERNAL)
            bids[3] = b->next_bid | BID_INTERNAL;
        valuebed_list(b, 1, total + (way == TOTAL), bids, 20);
        b->blocks[5].refs = way == LEAF_REFS ? 3 : 2;
        b->blocks[5].flags = way == LEAF_SUSPECT ? OST_ENTRY_SUSPECT : 0;
        b->blocks[5].inflated = (uint16_t)(b->blocks[5].inflated - (way == SHORT_LEAF));
        b->data[b->blocks[20].offset + 9] ^= way == CRC;
        sweep_open(&s, MEMORY, MEMORY);
        b->data[b->blocks[20].offset + 9] ^= way == CRC;
        assert_false(way != INTERNAL && way != DANGLING && one(&s, &had));
        for (uint32_t i = 0; i < 20; i++)
            assert_false(native_streams_has(s.streams, i));
        sweep_close(&s);
    }
}

/* Two XBLOCKs name the same leaves, though these are said to be named once. */
static void shared_leaves(void **state)
{
    static struct sweep s;
    uint64_t bids[40];
    uint32_t total;

    (void)state;
    memset(&s, 0, sizeof s);
    valuebed_init(&s.bed, ost_variant_of(OST_FORMAT_UNICODE));
    total = 19 * s.bed.v->data_max + 100;
    valuebed_leaves(&s.bed, 1, 20, 100, NULL, bids);
    valuebed_list(&s.bed, 1, total, bids, 20);
    valuebed_list(&s.bed, 1, total, bids, 20);
    valuebed_value(&s.bed, 2, 20, 100, NULL);
    sweep_open(&s, MEMORY, MEMORY);
    assert_int_equal(native_streams_trees(s.streams)->count, 3);
    pass_all(&s);
    for (uint32_t i = 0; i < 20; i++)
        assert_false(native_streams_has(s.streams, i));
    expect_whole(&s, &native_streams_trees(s.streams)->list[2]);
    sweep_close(&s);
}

static void bodies_are_left_alone(void **state)
{
    static const char *const begins[] = {
        "<html>",       "\xEF\xBB\xBF \r\n<p>", "  <?xml", "a\1\xEC\xBC",
        "12345678LZFu", "12345678MELA",         "T<ext",   "ordinary"};

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        static struct sweep s;
        struct ost_digested had;

        begin_one(&s, begins[i]);
        sweep_open(&s, MEMORY, MEMORY);
        assert_int_equal(one(&s, &had), i >= 6);
        assert_int_equal(native_carry_sums(s.carry).put_bytes == 0, i >= 6);
        sweep_close(&s);
    }
}

static void wide_text_is_left_alone(void **state)
{
    static struct sweep s;
    struct ost_digested had;
    uint8_t *text;

    (void)state;
    begin_one(&s, NULL);
    text = s.bed.data + s.bed.blocks[0].offset;
    for (unsigned i = 0; i < 64; i++)
        text[i] = i % 2 ? 0 : 'a';
    sweep_open(&s, MEMORY, MEMORY);
    assert_false(one(&s, &had));
    sweep_close(&s);
}

static unsigned begun;

static void *begin_nothing(void *ctx)
{
    (void)ctx;
    begun++;
    return NULL;
}

static void without_states(void **state)
{
    static struct sweep s;
    struct ost_digested had;

    (void)state;
    begin_one(&s, NULL);
    s.hasher = idx_hasher(IDX_XXH3);
    s.hasher.begin = begin_nothing;
    begun = 0;
    sweep_open(&s, MEMORY, MEMORY);
    assert_false(one(&s, &had));
    assert_int_equal(begun, 1);
    for (uint32_t i = 0; i < 20; i++)
        assert_true(native_carry_has(s.carry, i));
    sweep_close(&s);
}

/* With less memory there are fewer, the largest first; with none, none. */
static void within_the_memory(void **state)
{
    size_t last = SIZE_MAX;

    (void)state;
    for (uint64_t memory = 1 << 20; memory;
         memory /= 2) { /* sweep_open asserts that it is kept to */
        static struct sweep s;
        const struct native_trees *t;

        memset(&s, 0, sizeof s);
        valuebed_init(&s.bed, ost_variant_of(OST_FORMAT_UNICODE));
        for (unsigned i = 0; i < 60; i++)
            valuebed_value(&s.bed, i, i % 2 ? 40 : 10, 100, NULL);
        sweep_open(&s, memory, MEMORY);
        t = s.streams ? native_streams_trees(s.streams) : NULL;
        assert_true(!t || t->count <= last);
        for (size_t i = 0; t && t->count <= 30 && i < t->count; i++)
            assert_int_equal(t->list[i].leaves, 40);
        last = t ? t->count : 0;
        sweep_close(&s);
    }
    assert_int_equal(last, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_order),
        cmocka_unit_test(in_any_order),
        cmocka_unit_test(carried_and_at_hand),
        cmocka_unit_test(interleaved),
        cmocka_unit_test(damage_in_the_middle),
        cmocka_unit_test(what_is_had),
        cmocka_unit_test(dropped),
        cmocka_unit_test(not_confirmed),
        cmocka_unit_test(trees_that_are_none),
        cmocka_unit_test(shared_leaves),
        cmocka_unit_test(bodies_are_left_alone),
        cmocka_unit_test(wide_text_is_left_alone),
        cmocka_unit_test(without_states),
        cmocka_unit_test(within_the_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
