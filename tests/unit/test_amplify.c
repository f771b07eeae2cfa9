/*
 * test_amplify.c: small images that ask for much. What they may ask for is a stated multiple of
 * their size (scanner/ost/limits.h): values and attachment data handed out, time, and memory beyond
 * the job's share of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/mem.h"
#include "io/source.h"
#include "scanner/engine_native.h"
#include "scanner/ost/limits.h"
#include "tests/support/digests.h"
#include "tests/support/forge.h"
#include "tests/support/tinyimage.h"
#include "tests/support/tinymessage.h"

enum {
    JOB_MEMORY = 16 << 20,
    SECONDS = 10,
    SLACK = 48 << 20, /* the process itself, decoders, digest buffers, and a sanitizer's shadow */
    SINK_BYTES = 64,  /* told of a finding or a property, whatever its value's size */
};

struct took {
    uint64_t values, data; /* bytes in items' properties, of attachments */
    uint64_t items, failed, partial, findings, limits;
    double seconds;
    uint64_t peak_bytes;
};

static struct took *took; /* shared with the child that reads */
static struct digest_bench bench;

static uint64_t size_of(struct ost_props props)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < props.count; i++)
        bytes += props.list[i].value.size;
    return bytes;
}

static int on_item(void *ctx, const struct ost_item *item)
{
    (void)ctx;
    took->items++;
    took->partial += item->damage_count > 0;
    took->values += size_of(item->props);
    for (size_t i = 0; i < item->attachment_count; i++) {
        took->values += size_of(item->attachments[i].props);
        took->data += item->attachments[i].data_bytes;
    }
    digest_of(&bench, item);
    return 0;
}

static int on_failed(void *ctx, uint32_t nid, uint32_t folder, bool assoc)
{
    (void)ctx;
    (void)nid;
    (void)folder;
    (void)assoc;
    took->failed++;
    return 0;
}

static int on_finding(void *ctx, const struct finding *f)
{
    (void)ctx;
    took->findings++;
    took->limits += f->code == F_item_limit;
    return 0;
}

static void read_image(const struct tiny *t)
{
    const struct engine_sink sink = {.item = on_item, .failed = on_failed, .finding = on_finding};
    struct idx_hash *hash;
    struct ost_hasher hasher;
    struct engine_job job = {.header = &t->header, .memory_bytes = JOB_MEMORY, .hasher = &hasher};
    struct io_source *source;
    int rc = idx_hash_create(IDX_XXH3, &hash);

    digest_bench_init(&bench, IDX_XXH3);
    if (rc || io_source_open_mem(t->data, t->size, &source))
        _exit(3);
    hasher = idx_hasher_of(hash);
    rc = native_run_source(&job, &sink, source);
    _exit(rc ? 4 : 0);
}

static struct took run(const struct tiny *t)
{
    struct rusage before, usage;
    struct took got;
    int status;
    pid_t pid;

    took = mmap(NULL, sizeof *took, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(took, MAP_FAILED);
    assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        read_image(t);
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    got = *took;
    munmap(took, sizeof *took);
    got.seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                  (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    got.peak_bytes = usage.ru_maxrss > before.ru_maxrss
                         ? (uint64_t)(usage.ru_maxrss - before.ru_maxrss) * 1024
                         : 0;
    print_message("%zu bytes: %llu of values, %llu of data, %llu items, %llu failed, %.2f s, %llu "
                  "MiB more\n",
                  t->size, (unsigned long long)got.values, (unsigned long long)got.data,
                  (unsigned long long)got.items, (unsigned long long)got.failed, got.seconds,
                  (unsigned long long)got.peak_bytes >> 20);
    return got;
}

/* What limits.h states. */
static void within_bounds(const struct tiny *t, const struct took *got)
{
    uint64_t most = (uint64_t)OST_LIMIT_HANDED_OUT * t->size +
                    (uint64_t)OST_LIMIT_HANDED_OUT * OST_LIMIT_BLOCK_COST * t->block_count;

    if (t->v->deflates)
        most = (uint64_t)OST_LIMIT_MULTIPLE * t->size;
    most += OST_LIMIT_HANDED_OUT_ANYWAY;
    assert_true(got->values + got->data <= most);
    assert_true(got->seconds < SECONDS);
    assert_true(got->peak_bytes < JOB_MEMORY + SLACK + 8 * (uint64_t)t->size);
}

/* One block, and every property of every item is it. */
static void one_block_for_everything(void **state)
{
    enum { ITEMS = 200, PROPS = 60 };

    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        static uint8_t bytes[OST_DATA_MAX];
        struct forge_prop props[PROPS];
        struct ost_subnode entry = {0x3F, 0, 0};
        struct took got;
        struct tiny t;
        uint64_t pc, sub;

        tiny_init(&t, forge_formats[f]);
        memset(bytes, 'x', sizeof bytes);
        entry.data = tiny_block(&t, bytes, t.v->data_max, false);
        for (unsigned i = 0; i < PROPS; i++)
            props[i] = (struct forge_prop){(uint16_t)(0x6000 + i), OST_BINARY, 0x3F, NULL, 0};
        pc = tiny_pc(&t, props, PROPS);
        sub = tiny_subnodes(&t, &entry, 1);
        for (unsigned i = 0; i < ITEMS; i++)
            tiny_node(&t, 0x200024 + 32 * i, pc, sub, 0x122);
        tiny_finish(&t);
        got = run(&t);
        assert_int_equal(got.items + got.failed, ITEMS);
        assert_true(got.limits > 0); /* it was told, and not read to its end */
        within_bounds(&t, &got);
        tiny_done(&t);
    }
}

/* 65,000 rows of the attachment table of one message, of one subnode. */
static void rows_of_one_attachment(void **state)
{
    enum { ROWS = 65000, ROW = 9, BITMAP = 8, EACH = 50 };
    static const struct forge_column columns[] = {{0x3001, OST_STRING8, 4, 4, 1},
                                                  {0x67F2, OST_I32, 0, 4, 0}};
    static uint8_t matrix[9 * OST_DATA_MAX], data[5000];

    (void)state;
    for (unsigned shared = 0; shared < 2; shared++) {
        struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE4K, OST_HEAP_TABLE);
        size_t rows = 0, used = 0;
        struct ost_subnode entry = {0x3F, 0, 0}, parts[2], roots;
        struct took got;
        struct tiny t;

        tiny_init(&t, OST_FORMAT_UNICODE4K);
        /* whole rows in every block */
        for (; used + t.v->data_max <= sizeof matrix; used += t.v->data_max)
            for (size_t at = 0; at + ROW <= t.v->data_max && rows < ROWS; at += ROW, rows++)
                forge_cell(matrix + used + at, &columns[1], BITMAP, 0x8025);
        entry.data = tiny_value(&t, matrix, used);
        forge_heap_finish(h, forge_tcinfo(h, columns, 2, BITMAP, ROW, 0x3F));
        parts[0] = (struct ost_subnode){0x671, tiny_heap(&t, h), tiny_subnodes(&t, &entry, 1)};
        parts[1] = tiny_attachment(&t, 0x8025, data, sizeof data);
        roots = tiny_message(&t, 0x200024, "many", parts, 2, 0);
        for (unsigned i = 0; i < (shared ? EACH : 1u); i++)
            tiny_node(&t, 0x200024 + 32 * i, roots.data, roots.sub, 0x122);
        tiny_finish(&t);
        got = run(&t);
        assert_int_equal(got.items + got.failed, shared ? EACH : 1);
        within_bounds(&t, &got);
        tiny_done(&t);
    }
}

/* One zlib stream of 65,000 zeros under the bids of hundreds of blocks, which all have its
 * signature; each item's body is each of them. */
static void a_bomb_of_many_names(void **state)
{
    enum { NAMES = 300, ITEMS = 40, PROPS = 40, INFLATED = 65000 };
    static const uint8_t stream[] = {
        0x78, 0xDA, 0xED, 0xC1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x82, 0x20, 0xFF, 0xAF, 0x6E, 0x48,
        0x40, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x6F, 0x06, 0xFD, 0xE8, 0x00, 0x01};
    struct forge_prop props[PROPS];
    struct ost_subnode entries[NAMES];
    struct ost_block first;
    struct took got;
    struct tiny t;
    uint64_t pc, sub;

    (void)state;
    tiny_init(&t, OST_FORMAT_UNICODE4K);
    for (unsigned i = 0; i < PROPS; i++)
        props[i] = (struct forge_prop){(uint16_t)(0x6000 + i), OST_BINARY, 0x3F + 32 * i, NULL, 0};
    pc = tiny_pc(&t, props, PROPS);
    for (unsigned i = 0; i < NAMES; i++)
        entries[i] =
            (struct ost_subnode){0x3F + 32 * i, (uint64_t)(4 * (i + 1)) << 16 | 4 * (i + 1), 0};
    sub = tiny_subnodes(&t, entries, NAMES);
    first = (struct ost_block){.bid = entries[0].data,
                               .offset = (t.size + 511) & ~(uint64_t)511,
                               .stored = sizeof stream,
                               .inflated = INFLATED,
                               .refs = 2};
    t.size = first.offset + forge_block(t.v, t.data + first.offset, &first, stream);
    for (unsigned i = 0; i < NAMES; i++) {
        t.blocks[t.block_count++] = first;
        t.blocks[t.block_count - 1].bid = entries[i].data;
    }
    assert_true(t.block_count <= TINY_BLOCKS);
    for (unsigned i = 0; i < ITEMS; i++)
        tiny_node(&t, 0x200024 + 32 * i, pc, sub, 0x122);
    tiny_finish(&t);
    got = run(&t);
    assert_int_equal(got.items + got.failed, ITEMS);
    assert_true(got.values > INFLATED * PROPS); /* it went off, within its bounds */
    within_bounds(&t, &got);
    tiny_done(&t);
}

/* Rows of five bytes, a contents table full of them, and all folders have that one table. */
static void a_table_of_tiny_rows(void **state)
{
    enum { ROW = 5, BITMAP = 4, FOLDERS = 100 };
    static const struct forge_column columns[] = {{0x67F2, OST_I32, 0, 4, 0}};
    static const struct forge_prop name[] = {{0x3001, OST_STRING8, 0, "f", 1}};
    static uint8_t matrix[8 * OST_DATA_MAX];
    struct forge_heap *h = forge_heap_new(OST_FORMAT_UNICODE4K, OST_HEAP_TABLE);
    struct ost_subnode entry = {0x3F, 0, 0};
    uint64_t table, sub, pc;
    struct took got;
    struct tiny t;
    uint32_t id = 0;

    (void)state;
    tiny_init(&t, OST_FORMAT_UNICODE4K);
    for (unsigned k = 0; k < 8; k++)
        for (size_t at = 0; at + ROW <= t.v->data_max; at += ROW)
            forge_cell(matrix + k * t.v->data_max + at, &columns[0], BITMAP, 0x200004 + 32 * id++);
    entry.data = tiny_value(&t, matrix, 8 * t.v->data_max);
    forge_heap_finish(h, forge_tcinfo(h, columns, 1, BITMAP, ROW, 0x3F));
    table = tiny_heap(&t, h);
    sub = tiny_subnodes(&t, &entry, 1);
    pc = tiny_pc(&t, name, 1);
    for (unsigned i = 0; i < FOLDERS; i++) {
        tiny_node(&t, 0x8022 + 32 * i, pc, 0, 0x122);
        tiny_node(&t, 0x802E + 32 * i, table, sub, 0);
    }
    tiny_finish(&t);
    got = run(&t);
    assert_int_equal(got.items, 0);
    within_bounds(&t, &got);
    /* rows without items are told, and not each for itself without end */
    assert_true(got.findings * SINK_BYTES <=
                (uint64_t)OST_LIMIT_MULTIPLE * t.size + OST_LIMIT_HANDED_OUT_ANYWAY);
    tiny_done(&t);
}

/* What refers to itself, at every layer above blocks: read once, or told, and at an end. */
static void what_names_itself_ends(void **state)
{
    (void)state;
    for (unsigned f = 0; f < 3; f++) {
        struct ost_subnode entry, table[1], attachment[2], self[1];
        static const uint32_t row[] = {0x8025};
        static const struct forge_prop plain[] = {{0x1000, OST_BINARY, 0x3F, NULL, 0}};
        struct took got;
        struct tiny t;
        uint64_t pc, sub, next;

        tiny_init(&t, forge_formats[f]);
        pc = tiny_pc(&t, plain, 1);
        /* a subnode tree that is the subnode tree of its own entry, and whose data is its block */
        next = t.next_bid | BID_INTERNAL;
        entry = (struct ost_subnode){0x3F, next, next};
        sub = tiny_subnodes(&t, &entry, 1);
        assert_int_equal(sub, next);
        tiny_node(&t, 0x200024, pc, sub, 0x122);
        /* an attachment whose object is the attachment itself, and its message */
        next = t.next_bid | BID_INTERNAL;
        self[0] = (struct ost_subnode){0x8025, pc, next};
        assert_int_equal(tiny_subnodes(&t, self, 1), next);
        attachment[0] = tiny_table(&t, 0x671, row, NULL, 1);
        attachment[1] = tiny_object_attachment(&t, 0x8025, 5, self[0]);
        tiny_node(&t, 0x200044, pc, tiny_subnodes(&t, attachment, 2), 0x122);
        /* tables whose rows are the table's own heap: recipients, contents */
        table[0] = tiny_table(&t, 0x692, row, NULL, 1);
        table[0].sub = tiny_subnodes(&t, &(struct ost_subnode){0x3F, table[0].data, 0}, 1);
        tiny_node(&t, 0x200064, pc, tiny_subnodes(&t, table, 1), 0x122);
        tiny_node(&t, 0x802E, table[0].data, sub, 0);
        /* a name map whose streams are its own heap; folders that are each other's parents */
        tiny_node(&t, 0x61, pc, tiny_subnodes(&t, &(struct ost_subnode){0x3F, pc, 0}, 1), 0);
        tiny_node(&t, 0x8022, pc, 0, 0x8042);
        tiny_node(&t, 0x8042, pc, 0, 0x8022);
        tiny_node(&t, 0x8062, pc, sub, 0x8062);
        /* a message in itself */
        tiny_node(&t, 0x200084, pc, sub, 0x200084);
        tiny_finish(&t);
        got = run(&t);
        assert_int_equal(got.items + got.failed, 4);
        assert_true(got.findings > 0);
        within_bounds(&t, &got);
        tiny_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_block_for_everything), cmocka_unit_test(rows_of_one_attachment),
        cmocka_unit_test(a_bomb_of_many_names),     cmocka_unit_test(a_table_of_tiny_rows),
        cmocka_unit_test(what_names_itself_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
