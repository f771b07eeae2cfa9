/*
 * test_check_run.c: the structural check and its surroundings: storage that fails, memory that
 * fails, being stopped, threads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "io/err.h"
#include "io/mem.h"
#include "tests/support/samples.h"
#include "tests/support/world.h"

/* A source that cannot deliver some bytes. */
struct failing {
    struct io_source source, *inner;
    uint64_t bad, length;
    int code;
};

static int failing_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    struct failing *f = (struct failing *)s;

    if (offset < f->bad + f->length && f->bad < offset + size)
        return f->code;
    return io_source_read(f->inner, offset, into, size);
}

static void failing_hint(struct io_source *s, enum io_hint hint, uint64_t offset, uint64_t length)
{
    (void)s, (void)hint, (void)offset, (void)length;
}

static int count_codes(void *ctx, const struct finding *f)
{
    ((unsigned *)ctx)[f->code]++;
    return 0;
}

static void unreadable_places(void **state)
{
    static const struct io_source_ops ops = {.read = failing_read, .hint = failing_hint};
    static unsigned counts[FINDING_CODES];
    const struct ost_node *owner;
    const struct ost_block *b;
    struct world w;
    struct failing f = {.code = ERR_IO};
    struct io_source *sources[] = {&f.source};
    struct chk_sink sink = {.ctx = counts, .finding = count_codes};
    struct chk_result result;
    struct chk_job job = {.sources = sources, .source_count = 1, .memory_bytes = 64 << 20};

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    b = world_data(&w, &owner);
    f.inner = w.file.source;
    f.source = (struct io_source){.ops = &ops, .size_bytes = w.size};
    f.length = 1;
    job.header = &w.file.header;
    job.report = &w.file.report;
    {
        const uint64_t places[] = {b->offset, w.file.header.bbt.offset,
                                   w.plan.pages[w.plan.trees[OST_TREE_NBT].leaf_start].offset,
                                   w.v->amap_first};

        for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
            memset(counts, 0, sizeof counts);
            f.bad = places[i];
            assert_int_equal(chk_run(&job, &sink, &result), 0);
            assert_int_equal(counts[F_read_failed], 1);
            assert_int_equal(result.corrupt, 0);
            assert_true(result.verified_bytes < result.allocated_bytes || i == 3);
        }
    }
    f.code = ERR_BUSY;
    f.bad = b->offset;
    assert_int_equal(chk_run(&job, &sink, &result), ERR_BUSY);
    world_close(&w);
}

static int refuse(void *ctx, const struct finding *f)
{
    (void)ctx, (void)f;
    return ERR_NOSPACE;
}

static void environment_ends_it(void **state)
{
    atomic_bool cancel = true;
    struct chk_sink sink = {.finding = refuse};
    struct chk_result result;
    struct world w;
    struct chk_job job = {.source_count = 1, .memory_bytes = 64 << 20};

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    job.sources = &w.file.source;
    job.header = &w.file.header;
    job.report = &w.file.report;
    assert_int_equal(chk_run(&job, &sink, &result), ERR_NOSPACE);
    job.cancel = &cancel;
    assert_int_equal(chk_run(&job, &sink, &result), ERR_CANCELLED);
    world_close(&w);
}

/* Each allocation fails once; the image has damage of every sort that makes lists grow. */
static void failing_allocations(void **state)
{
    const struct ost_node *owner;
    const struct ost_block *b;
    unsigned counts[FINDING_CODES] = {0};
    struct chk_sink sink = {.ctx = counts, .finding = count_codes};
    struct chk_result result;
    struct io_source *source;
    struct chk_job job = {.source_count = 1, .memory_bytes = 64 << 20};
    struct world w;
    uint64_t n = 0;
    int rc;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    b = world_data(&w, &owner);
    memset(w.data + b->offset, 1, 64);
    memset(w.data + w.plan.pages[w.plan.trees[OST_TREE_BBT].leaf_start + 2].offset, 0, 512);
    assert_int_equal(io_source_open_mem(w.data, w.size, &source), 0);
    job.sources = &source;
    job.header = &w.file.header;
    job.report = &w.file.report;
    do {
        mem_test_fail(++n, 0);
        rc = chk_run(&job, &sink, &result);
        mem_test_fail(0, 0);
        assert_true(rc == 0 || rc == ERR_NOMEM);
    } while (rc);
    assert_true(n > 20);
    io_source_close(source);
    world_close(&w);
}

/* Memory that does not suffice is said so, at any bound. */
static void too_little_memory(void **state)
{
    unsigned counts[FINDING_CODES] = {0};
    struct chk_sink sink = {.ctx = counts, .finding = count_codes};
    struct chk_result result;
    struct world w;
    struct chk_job job = {.source_count = 1, .chunk_bytes = 65 << 20};

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_OST2));
    job.sources = &w.file.source;
    job.header = &w.file.header;
    job.report = &w.file.report;
    assert_int_equal(chk_run(&job, &sink, &result), ERR_LIMIT);
    job.memory_bytes = 2 << 20;
    assert_int_equal(chk_run(&job, &sink, &result), 0);
    assert_true(result.peak_bytes > 65 << 20);
    assert_true(result.peak_bytes <= (66 << 20) + 48 * result.blocks + 32 * result.nodes);
    world_close(&w);
}

/* The findings and sums do not depend on how many threads go through the image. */
static void threads_agree(void **state)
{
    static struct images_check one;
    struct io_source *sources[3];
    struct ost_header header;
    struct ost_header_report report;
    struct chk_job job = {.sources = sources, .source_count = 3, .memory_bytes = 64 << 20};
    unsigned counts[FINDING_CODES] = {0};
    struct chk_sink sink = {.ctx = counts, .finding = count_codes};
    struct chk_result result;
    uint64_t asked = 0;
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    for (size_t i = 7; i < w.plan.block_count; i += 50)
        w.data[w.plan.blocks[i].offset] ^= 1;
    images_check(w.data, w.size, NULL, &one);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(io_source_open_mem(w.data, w.size, &sources[i]), 0);
    ost_header_check((struct bytes){w.data, OST_HEADER_SIZE}, w.size, &header, &report);
    job.header = &header;
    job.report = &report;
    assert_int_equal(chk_run(&job, &sink, &result), 0);
    assert_true(result.gap_bytes < result.read_bytes);
    assert_true(result.plan_bytes > 0);
    for (size_t i = 0; i < 3; i++)
        asked += sources[i]->bytes_read;
    assert_int_equal(result.plan_bytes + result.read_bytes + result.again_bytes, asked);
    result.peak_bytes = one.result.peak_bytes;
    result.plan_bytes = one.result.plan_bytes;
    result.read_bytes = one.result.read_bytes;
    result.gap_bytes = one.result.gap_bytes;
    result.again_bytes = one.result.again_bytes;
    assert_memory_equal(&result, &one.result, sizeof result);
    assert_true(counts[F_block_crc] > 20);
    for (size_t i = 0; i < 3; i++)
        io_source_close(sources[i]);
    world_close(&w);
}

/* A source whose bytes are looked at in place; `torn`: zeros are seen there. */
struct seen {
    struct io_source source, *inner;
    const uint8_t *zeros;
    uint64_t looks, reads;
    bool torn;
};

static int seen_read(struct io_source *s, uint64_t offset, void *into, size_t size)
{
    struct seen *w = (struct seen *)s;

    w->reads++;
    return io_source_read(w->inner, offset, into, size);
}

static int seen_look(struct io_source *s, uint64_t offset, size_t size, void *spare,
                     const uint8_t **bytes, bool *fleeting)
{
    struct seen *w = (struct seen *)s;

    w->looks++;
    if (!w->torn)
        return io_source_look(w->inner, offset, size, spare, bytes, fleeting);
    *bytes = w->zeros;
    *fleeting = true;
    return 0;
}

static bool seen_torn(const struct io_source *s)
{
    return ((const struct seen *)s)->torn;
}

/* The findings of a check of w->data through a source. */
static void check_through(struct world *w, struct io_source *source, struct chk_result *result,
                          unsigned counts[FINDING_CODES])
{
    struct chk_sink sink = {.ctx = counts, .finding = count_codes};
    struct ost_header header;
    struct ost_header_report report;
    struct chk_job job = {.sources = &source, .source_count = 1, .memory_bytes = 64 << 20};

    memset(counts, 0, FINDING_CODES * sizeof *counts);
    ost_header_check((struct bytes){w->data, OST_HEADER_SIZE}, w->size, &header, &report);
    job.header = &header;
    job.report = &report;
    assert_int_equal(chk_run(&job, &sink, result), 0);
    result->plan_bytes = result->again_bytes = result->peak_bytes = 0;
}

/* Looked at in place, copied, or torn while it is looked at: an image is what it is. */
static void looking_and_copying_agree(void **state)
{
    static const struct io_source_ops looks = {
        .read = seen_read, .hint = failing_hint, .look = seen_look, .torn = seen_torn};
    static const struct io_source_ops copies = {.read = seen_read, .hint = failing_hint};
    unsigned counts[3][FINDING_CODES];
    struct chk_result results[3];
    struct seen s = {.zeros = NULL};
    struct world w;

    (void)state;
    world_open(&w, sample_or_skip(SAMPLE_ENRON));
    s.zeros = mem_zalloc(w.size);
    for (unsigned damage = 0; damage < 2; damage++) {
        for (size_t i = 7; damage && i < w.plan.block_count; i += 40)
            w.data[w.plan.blocks[i].offset + i % w.plan.blocks[i].stored] ^= 1;
        for (size_t i = 3; damage && i < w.plan.block_count; i += 90)
            memset(w.data + w.plan.blocks[i].offset, 0, w.plan.blocks[i].stored + 16u);
        assert_int_equal(io_source_open_mem(w.data, w.size, &s.inner), 0);
        for (unsigned i = 0; i < 3; i++) {
            s.source = (struct io_source){.ops = i ? &looks : &copies, .size_bytes = w.size};
            s.torn = i == 2;
            s.looks = s.reads = 0;
            check_through(&w, &s.source, &results[i], counts[i]);
            assert_int_equal(s.looks > 0, i > 0);
        }
        assert_true(s.reads > w.plan.block_count);
        assert_int_equal(counts[0][F_block_crc] > 20, damage);
        assert_memory_equal(counts[1], counts[0], sizeof counts[0]);
        assert_memory_equal(counts[2], counts[0], sizeof counts[0]);
        assert_memory_equal(&results[1], &results[0], sizeof results[0]);
        assert_memory_equal(&results[2], &results[0], sizeof results[0]);
        io_source_close(s.inner);
    }
    mem_free((void *)(uintptr_t)s.zeros);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unreadable_places),   cmocka_unit_test(environment_ends_it),
        cmocka_unit_test(failing_allocations), cmocka_unit_test(too_little_memory),
        cmocka_unit_test(threads_agree),       cmocka_unit_test(looking_and_copying_agree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
