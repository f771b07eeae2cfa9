/*
 * test_source.c: the contract of a source, each case on every way to make one: memory, pread, and a
 * reader over io_uring and over pread threads, buffered and direct. Faults come through the source
 * contract (fault_source) for all, and as outcomes of kernel reads where a reader lies below.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/file.h"
#include "io/mem.h"
#include "io/reader.h"
#include "io/source.h"
#include "tests/support/fault_reader.h"
#include "tests/support/fault_source.h"
#include "tests/support/pattern.h"
#include "tests/support/tempdir.h"

enum {
    FILE_SIZE = 1536 * 1024 + 123,
    SMALL_CACHE = 64 * 1024, /* four chunks of 16 KiB */
    SMALL_CHUNK = SMALL_CACHE / 4,
    LARGE_CACHE = 4 * 1024 * 1024, /* chunks of 256 KiB, the whole file */
    LARGE_CHUNK = 256 * 1024,
    BAD_FROM = 40 * 4096, /* in the middle of a chunk of either size */
    BAD_TO = 41 * 4096,
};

struct way {
    const char *name;
    enum { MEM, PREAD, READER } kind;
    enum io_backend backend;
    unsigned open_flags;
};

struct fixture {
    const struct way *way;
    const char *folder;
    struct io_file file;
    uint8_t *memory; /* the content, for MEM; else room for reads of the whole file */
    uint8_t *into;
    struct fault_reader faults;
    struct io_reader *reader;
    struct io_source *source;
};

static int set_up(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);
    struct fault fault;
    const char *path;

    f->way = *state;
    f->folder = tempdir_make();
    path = pattern_file(f->folder, "image", FILE_SIZE);
    assert_int_equal(io_file_open(path, f->way->open_flags, &f->file, &fault), 0);
    f->memory = mem_alloc(FILE_SIZE);
    f->into = mem_alloc(FILE_SIZE);
    pattern_fill(0, f->memory, FILE_SIZE);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    io_source_close(f->source);
    io_reader_destroy(f->reader);
    io_file_close(&f->file);
    mem_free(f->memory);
    mem_free(f->into);
    tempdir_remove(f->folder);
    mem_free(f);
    return 0;
}

static void need_reader(struct fixture *f)
{
    struct io_reader_options o = {.backend = f->way->backend,
                                  .depth = 16,
                                  .threads = 4,
                                  .test_outcome = fault_reader_outcome,
                                  .test_ctx = &f->faults};

    if ((f->way->open_flags & IO_FILE_DIRECT) && !f->file.direct) {
        print_message("skipped: no direct reads in %s\n", f->folder);
        skip();
    }
    assert_int_equal(io_reader_create(&o, &f->reader), 0);
    if (f->way->backend == IO_BACKEND_URING && io_reader_note(f->reader)) {
        print_message("skipped: %s\n", io_reader_note(f->reader));
        skip();
    }
}

static int try_open(struct fixture *f, size_t cache_bytes)
{
    switch (f->way->kind) {
    case MEM:
        return io_source_open_mem(f->memory, FILE_SIZE, &f->source);
    case PREAD:
        return io_source_open_pread(f->file.fd, FILE_SIZE, &f->source);
    default:
        return io_source_open_reader(f->reader, f->file.fd, FILE_SIZE, cache_bytes, &f->source);
    }
}

static void open_source(struct fixture *f, size_t cache_bytes)
{
    if (f->way->kind == READER && !f->reader)
        need_reader(f);
    assert_int_equal(try_open(f, cache_bytes), 0);
}

static void reopen(struct fixture *f, size_t cache_bytes)
{
    io_source_close(f->source);
    f->source = NULL;
    open_source(f, cache_bytes);
}

/* Reads, and judges the content. */
static void assert_reads(struct fixture *f, uint64_t offset, size_t size)
{
    memset(f->into, 0xAA, size);
    assert_int_equal(io_source_read(f->source, offset, f->into, size), 0);
    assert_true(pattern_matches(offset, f->into, size));
    assert_int_equal(f->source->fault.code, 0);
}

static void assert_fails(struct fixture *f, uint64_t offset, size_t size, int code, uint64_t at)
{
    const struct fault *fault = &f->source->fault;

    assert_int_equal(io_source_read(f->source, offset, f->into, size), code);
    assert_int_equal(fault->code, code);
    assert_int_equal(fault->offset, at);
    assert_int_equal(fault->length, offset + size - at);
    assert_non_null(fault->what);
}

static void random_reads(struct fixture *f, unsigned count, size_t most, uint64_t seed)
{
    for (unsigned i = 0; i < count; i++) {
        size_t size = pattern_random(&seed) % most;
        uint64_t offset = pattern_random(&seed) % (FILE_SIZE - size + 1);

        assert_reads(f, offset, size);
    }
}

static void random_reads_give_the_content(void **state)
{
    static const size_t caches[] = {0, SMALL_CACHE, LARGE_CACHE};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof caches / sizeof caches[0]; i++) {
        reopen(f, caches[i]);
        random_reads(f, 300, 2000, 7 + i);
        random_reads(f, 60, 5 * SMALL_CHUNK, 77 + i);
        assert_int_equal(f->source->reads, 360);
        assert_reads(f, 0, FILE_SIZE);
        assert_true(f->source->bytes_read > 0);
    }
}

static void hints_change_nothing_that_is_read(void **state)
{
    static const size_t caches[] = {0, SMALL_CACHE, LARGE_CACHE};
    struct fixture *f = *state;
    uint64_t seed = 99;

    for (size_t i = 0; i < sizeof caches / sizeof caches[0]; i++) {
        reopen(f, caches[i]);
        for (unsigned n = 0; n < 200; n++) {
            enum io_hint hint = (enum io_hint)(pattern_random(&seed) % 4);
            uint64_t offset = pattern_random(&seed) % (FILE_SIZE + 5000);

            io_source_hint(f->source, hint, offset, pattern_random(&seed) % (3 * SMALL_CACHE));
            random_reads(f, 2, 2 * SMALL_CHUNK, pattern_random(&seed));
        }
        io_source_hint(f->source, IO_HINT_WILLNEED, 0, UINT64_MAX);
        io_source_hint(f->source, IO_HINT_DONTNEED, FILE_SIZE - 1, UINT64_MAX);
        io_source_hint(f->source, IO_HINT_DONTNEED, UINT64_MAX, UINT64_MAX);
        assert_reads(f, 0, FILE_SIZE);
    }
}

static void reading_through_in_steps_gives_the_content(void **state)
{
    static const size_t steps[] = {512, 8192, SMALL_CHUNK, 50000};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        reopen(f, SMALL_CACHE);
        io_source_hint(f->source, IO_HINT_SEQUENTIAL, 0, FILE_SIZE);
        for (uint64_t at = 0; at < FILE_SIZE; at += steps[i])
            assert_reads(f, at, FILE_SIZE - at < steps[i] ? FILE_SIZE - at : steps[i]);
    }
}

static void bounds_are_kept(void **state)
{
    static const struct {
        uint64_t offset;
        size_t size;
    } outside[] = {
        {FILE_SIZE, 1},  {FILE_SIZE + 1, 0}, {0, FILE_SIZE + 1},
        {UINT64_MAX, 0}, {UINT64_MAX, 2},    {2, SIZE_MAX},
        {1ULL << 63, 1}, {FILE_SIZE - 1, 2}, {UINT64_MAX - 3, 8},
    };
    struct fixture *f = *state;
    uint64_t reads;

    open_source(f, SMALL_CACHE);
    assert_int_equal(f->source->size_bytes, FILE_SIZE);
    assert_reads(f, FILE_SIZE, 0);
    assert_reads(f, 0, 0);
    assert_reads(f, FILE_SIZE - 1, 1);
    assert_reads(f, FILE_SIZE - SMALL_CHUNK, SMALL_CHUNK);
    assert_reads(f, SMALL_CHUNK - 1, 2);
    assert_reads(f, SMALL_CHUNK, SMALL_CHUNK);
    reads = f->source->reads;
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        f->into[0] = 0xAB;
        assert_int_equal(io_source_read(f->source, outside[i].offset, f->into, outside[i].size),
                         ERR_RANGE);
        assert_int_equal(f->into[0], 0xAB);
        assert_int_equal(f->source->fault.code, ERR_RANGE);
        assert_int_equal(f->source->fault.offset, outside[i].offset);
        assert_string_equal(f->source->fault.what, "read");
    }
    assert_int_equal(f->source->reads, reads);
    assert_reads(f, 0, 10);
}

static void failing_allocations_leave_nothing(void **state)
{
    struct fixture *f = *state;
    uint64_t nth = 0;
    int code;

    if (f->way->kind == READER)
        need_reader(f);
    do {
        mem_test_fail(++nth, 0);
        code = try_open(f, SMALL_CACHE);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
    } while (code);
    assert_true(nth > 1);
    random_reads(f, 10, 1000, 5);
}

/* Faults through the source contract. */

static void faults_of_a_wrapped_source_are_its_own(void **state)
{
    struct fixture *f = *state;
    struct fault_plan plan = {.bad_from = BAD_FROM, .bad_to = BAD_TO, .errnum = EIO};
    struct io_source *inner;

    open_source(f, SMALL_CACHE);
    inner = f->source;
    assert_int_equal(fault_source_open(inner, &plan, &f->source), 0);
    for (int break_off = 0; break_off < 2; break_off++) {
        plan.break_off = break_off;
        assert_fails(f, BAD_FROM - 100, 200, ERR_IO, BAD_FROM);
        assert_int_equal(f->source->fault.errnum, EIO);
        if (break_off)
            assert_true(pattern_matches(BAD_FROM - 100, f->into, 100));
        assert_fails(f, BAD_TO - 1, 1, ERR_IO, BAD_TO - 1);
        assert_reads(f, BAD_FROM - 100, 100);
        assert_reads(f, BAD_TO, 100);
    }
    plan = (struct fault_plan){.fail_nth = 3, .code = ERR_NOMEM, .sleep_us = 1000};
    assert_reads(f, 0, 100);
    assert_reads(f, 0, 100);
    assert_fails(f, 0, 100, ERR_NOMEM, 0);
    assert_reads(f, 0, 100);
    assert_int_equal(f->source->reads, 4 + 3);
    assert_int_equal(f->source->bytes_read, inner->bytes_read);
}

/* Lending and looking. */

enum { LENT_MOST = 1200 * 1024, ANNOUNCED = 16, LOOKS = 600 };

struct loan {
    uint64_t offset;
    size_t size;
    const uint8_t *bytes;
};

/* Announces ranges ahead, lends most of them in turn (some it was not told of, some not at all),
 * and judges what was lent for as long as it is to be good. */
static void lend_through(struct fixture *f, unsigned count, size_t most, uint64_t seed)
{
    struct loan ahead[ANNOUNCED], lent[IO_SOURCE_LOANS] = {{0}};
    uint8_t *spares = mem_alloc((size_t)IO_SOURCE_LOANS * LENT_MOST);
    unsigned announced = 0, n = 0;

    for (unsigned i = 0; i < count; i++) {
        struct loan *l = &lent[n % IO_SOURCE_LOANS];

        for (; announced < i + ANNOUNCED; announced++) {
            struct loan *a = &ahead[announced % ANNOUNCED];

            a->size = pattern_random(&seed) % most + 1;
            a->offset = pattern_random(&seed) % (FILE_SIZE - a->size + 1);
            io_source_hint(f->source, IO_HINT_LEND, a->offset, a->size);
        }
        *l = ahead[i % ANNOUNCED];
        if (pattern_random(&seed) % 16 == 0)
            continue;
        if (pattern_random(&seed) % 16 == 0)
            l->offset /= 2;
        assert_int_equal(io_source_lend(f->source, l->offset, l->size,
                                        spares + n % IO_SOURCE_LOANS * (size_t)LENT_MOST,
                                        &l->bytes),
                         0);
        n++;
        for (unsigned k = 0; k < IO_SOURCE_LOANS && k < n; k++)
            assert_true(pattern_matches(lent[k].offset, lent[k].bytes, lent[k].size));
    }
    mem_free(spares);
}

static void what_is_lent_is_the_content(void **state)
{
    struct fixture *f = *state;

    open_source(f, SMALL_CACHE);
    lend_through(f, 400, 4096, 1);
    lend_through(f, 60, 300 * 1024, 2);
    lend_through(f, 30, LENT_MOST, 3);
}

/* Where the bytes can be seen in place they are at times, and at times they are copied. */
static void what_is_looked_at_is_the_content(void **state)
{
    struct fixture *f = *state;
    bool cached = f->way->kind == READER && !f->file.direct;
    unsigned fleeting_looks = 0;
    uint64_t seed = 12;

    open_source(f, LARGE_CACHE);
    for (unsigned i = 0; i < LOOKS; i++) {
        size_t size = pattern_random(&seed) % 9000 + 1;
        uint64_t offset = pattern_random(&seed) % (FILE_SIZE - size + 1);
        const uint8_t *bytes;
        bool fleeting;

        assert_int_equal(io_source_look(f->source, offset, size, f->into, &bytes, &fleeting), 0);
        assert_true(pattern_matches(offset, bytes, size));
        fleeting_looks += fleeting;
        assert_false(io_source_torn(f->source));
    }
    assert_true(!cached || (fleeting_looks > 0 && fleeting_looks < LOOKS));
    assert_true(f->way->kind != MEM || fleeting_looks == LOOKS);
    {
        const uint8_t *bytes;
        bool fleeting;

        assert_int_equal(io_source_look(f->source, FILE_SIZE, 1, f->into, &bytes, &fleeting),
                         ERR_RANGE);
        assert_int_equal(io_source_look(f->source, 5, 0, f->into, &bytes, &fleeting), 0);
    }
}

/* Files that change. */

/* A look at a file that is cut afterwards is torn, and reading tells why. */
static void a_look_at_what_is_cut_is_torn(void **state)
{
    struct fixture *f = *state;
    const uint64_t left = 3 * SMALL_CHUNK;
    const uint8_t *bytes;
    char path[4096];
    bool fleeting;

    open_source(f, LARGE_CACHE);
    assert_int_equal(io_source_look(f->source, left, 2 * SMALL_CHUNK, f->into, &bytes, &fleeting),
                     0);
    if (!fleeting) {
        print_message("skipped: %s cannot be looked at\n", f->way->name);
        skip();
    }
    snprintf(path, sizeof path, "%s/image", f->folder);
    assert_int_equal(truncate(path, (off_t)left), 0);
    assert_int_equal(bytes[5], 0);
    assert_true(io_source_torn(f->source));
    assert_fails(f, left, 2 * SMALL_CHUNK, ERR_RANGE, left);
    assert_int_equal(io_source_look(f->source, left, 2 * SMALL_CHUNK, f->into, &bytes, &fleeting),
                     ERR_RANGE);
    assert_int_equal(io_source_look(f->source, 0, left, f->into, &bytes, &fleeting), 0);
    assert_false(fleeting);
    assert_true(pattern_matches(0, bytes, left));
}

static void a_truncated_file_gives_what_is_left(void **state)
{
    struct fixture *f = *state;
    const uint64_t left = 5 * SMALL_CHUNK + 777;
    char path[4096];

    open_source(f, SMALL_CACHE);
    assert_reads(f, FILE_SIZE - SMALL_CHUNK, 10);
    snprintf(path, sizeof path, "%s/image", f->folder);
    assert_int_equal(truncate(path, (off_t)left), 0);
    assert_reads(f, 0, SMALL_CHUNK * 5);
    assert_reads(f, left - 100, 100);
    assert_fails(f, left - 100, 101, ERR_RANGE, left);
    assert_string_equal(f->source->fault.what, "truncated");
    assert_fails(f, left, 1, ERR_RANGE, left);
    assert_fails(f, 0, FILE_SIZE, ERR_RANGE, left);
    assert_string_equal(f->source->fault.what, "truncated");
    assert_fails(f, FILE_SIZE - 6 * SMALL_CHUNK, 1, ERR_RANGE, FILE_SIZE - 6 * SMALL_CHUNK);
    assert_reads(f, left - 1, 1);
    pattern_file(f->folder, "image", FILE_SIZE); /* whole again: nothing of the failure is left */
    assert_reads(f, left - 100, 200);
    assert_reads(f, 0, FILE_SIZE);
}

/* Faults below a reader. */

static void short_and_passing_outcomes_do_not_show(void **state)
{
    struct fixture *f = *state;

    f->faults.short_bytes = 9000;
    open_source(f, SMALL_CACHE);
    random_reads(f, 40, 3 * SMALL_CHUNK, 3);
    f->faults.every = 3;
    f->faults.every_errno = EAGAIN;
    random_reads(f, 40, 3 * SMALL_CHUNK, 4);
    f->faults.every_errno = EINTR;
    io_source_hint(f->source, IO_HINT_SEQUENTIAL, 0, FILE_SIZE);
    random_reads(f, 40, 3 * SMALL_CHUNK, 5);
    assert_reads(f, 0, FILE_SIZE);
}

static void a_bad_range_fails_alone(void **state)
{
    static const size_t caches[] = {SMALL_CACHE, LARGE_CACHE};
    struct fixture *f = *state;

    f->faults.bad_from = BAD_FROM;
    f->faults.bad_to = BAD_TO;
    for (size_t i = 0; i < 2; i++) {
        reopen(f, caches[i]);
        for (int again = 0; again < 2; again++) {
            assert_reads(f, BAD_FROM - 300, 300);
            assert_reads(f, BAD_TO, 300); /* same chunk, behind the bad range */
            assert_fails(f, BAD_FROM, 10, ERR_IO, BAD_FROM);
            assert_int_equal(f->source->fault.errnum, EIO);
            assert_fails(f, BAD_FROM - 5, 10, ERR_IO, BAD_FROM);
            assert_reads(f, BAD_TO, 3 * LARGE_CHUNK);
            assert_fails(f, 0, FILE_SIZE, ERR_IO, BAD_FROM);
            assert_reads(f, 0, BAD_FROM);
        }
    }
    f->faults.bad_to = f->faults.bad_from;
    assert_reads(f, BAD_FROM, 10);
    assert_reads(f, 0, FILE_SIZE);
}

static void one_failing_kernel_read_is_made_up_for(void **state)
{
    struct fixture *f = *state;

    open_source(f, SMALL_CACHE);
    atomic_store(&f->faults.once, 1);
    assert_reads(f, 100, 200);
    assert_int_equal(atomic_load(&f->faults.once), 0);
    atomic_store(&f->faults.once, 1000);
    assert_fails(f, 3 * SMALL_CHUNK, 100, ERR_IO, 3 * SMALL_CHUNK);
    atomic_store(&f->faults.once, 0);
    assert_reads(f, 3 * SMALL_CHUNK, 100);
    assert_reads(f, 0, FILE_SIZE);
}

static void what_will_be_needed_is_fetched_once(void **state)
{
    struct fixture *f = *state;
    enum { CHUNKS = (FILE_SIZE + LARGE_CHUNK - 1) / LARGE_CHUNK };

    f->faults.sleep_us = 2000;
    open_source(f, LARGE_CACHE);
    io_source_hint(f->source, IO_HINT_WILLNEED, LARGE_CHUNK + 5, 3 * LARGE_CHUNK);
    assert_int_equal(io_reader_outstanding(f->reader), 4);
    assert_reads(f, LARGE_CHUNK + 5, 3 * LARGE_CHUNK);
    assert_int_equal(atomic_load(&f->faults.calls), 4);
    io_source_hint(f->source, IO_HINT_SEQUENTIAL, 0, FILE_SIZE);
    for (uint64_t at = 0; at + 4096 <= FILE_SIZE; at += 4096)
        assert_reads(f, at, 4096);
    assert_reads(f, 0, FILE_SIZE);
    assert_int_equal(atomic_load(&f->faults.calls), CHUNKS);
    assert_true(f->source->bytes_read >= FILE_SIZE && f->source->bytes_read < FILE_SIZE + 4096);
}

static void reading_in_order_keeps_reads_ahead(void **state)
{
    struct fixture *f = *state;
    enum { CHUNKS = (FILE_SIZE + SMALL_CHUNK - 1) / SMALL_CHUNK };

    open_source(f, SMALL_CACHE);
    io_source_hint(f->source, IO_HINT_SEQUENTIAL, 0, FILE_SIZE);
    assert_int_equal(io_reader_outstanding(f->reader), 3);
    for (uint64_t at = 0; at < FILE_SIZE; at += 1000)
        assert_reads(f, at, FILE_SIZE - at < 1000 ? FILE_SIZE - at : 1000);
    assert_int_equal(atomic_load(&f->faults.calls), CHUNKS); /* each chunk once, in four slots */
}

static void ranges_beyond_the_cache_follow_the_reader(void **state)
{
    struct fixture *f = *state;

    open_source(f, SMALL_CACHE);
    io_source_hint(f->source, IO_HINT_WILLNEED, 0, 20 * SMALL_CHUNK);
    assert_int_equal(io_reader_outstanding(f->reader), 3);
    for (uint64_t at = 0; at < 20 * SMALL_CHUNK; at += 512)
        assert_reads(f, at, 512);
    assert_int_equal(atomic_load(&f->faults.calls), 20);
}

/* Ranges that were announced and never read do not keep others from being fetched for ever. */
static void announced_and_left_aside_is_forgotten(void **state)
{
    struct fixture *f = *state;
    unsigned before;

    open_source(f, SMALL_CACHE);
    io_source_hint(f->source, IO_HINT_WILLNEED, 0, 3 * SMALL_CHUNK);
    for (uint64_t c = 20; c < 60; c++)
        assert_reads(f, c * SMALL_CHUNK, 100);
    io_source_hint(f->source, IO_HINT_WILLNEED, 70 * SMALL_CHUNK, 2 * SMALL_CHUNK);
    assert_int_equal(io_reader_outstanding(f->reader), 2);
    before = 3 + 40 + 2;
    assert_reads(f, 70 * SMALL_CHUNK, 2 * SMALL_CHUNK);
    assert_int_equal(atomic_load(&f->faults.calls), before);
}

static void what_is_given_back_makes_room_for_more(void **state)
{
    struct fixture *f = *state;

    open_source(f, SMALL_CACHE);
    io_source_hint(f->source, IO_HINT_WILLNEED, 0, 3 * SMALL_CHUNK);
    for (uint64_t c = 20; io_reader_outstanding(f->reader) && c < 90; c++) {
        usleep(5000);
        assert_reads(f, c * SMALL_CHUNK, 1);
    }
    io_source_hint(f->source, IO_HINT_DONTNEED, 0, FILE_SIZE);
    io_source_hint(f->source, IO_HINT_WILLNEED, 10 * SMALL_CHUNK, 3 * SMALL_CHUNK);
    assert_int_equal(io_reader_outstanding(f->reader), 3);
}

static void after_random_only_what_is_asked_is_read(void **state)
{
    struct fixture *f = *state;

    open_source(f, SMALL_CACHE);
    io_source_hint(f->source, IO_HINT_RANDOM, 0, FILE_SIZE);
    random_reads(f, 20, 512, 6);
    assert_reads(f, 100, 512);
    if (f->file.direct)
        return;
    assert_true(f->source->bytes_read <= 21 * 512);
    reopen(f, SMALL_CACHE);
    assert_reads(f, 0, 1);
    assert_int_equal(f->source->bytes_read, SMALL_CHUNK);
    io_source_hint(f->source, IO_HINT_RANDOM, 0, FILE_SIZE);
    assert_reads(f, 10, 500); /* from the chunk that is there */
    assert_int_equal(f->source->bytes_read, SMALL_CHUNK);
}

static void what_is_not_needed_is_given_back(void **state)
{
    struct fixture *f = *state;

    open_source(f, SMALL_CACHE);
    assert_reads(f, 0, 100);
    assert_reads(f, 0, 100);
    assert_int_equal(atomic_load(&f->faults.calls), 1);
    io_source_hint(f->source, IO_HINT_DONTNEED, 1, SMALL_CHUNK); /* not wholly covered: kept */
    assert_reads(f, 0, 100);
    assert_int_equal(atomic_load(&f->faults.calls), 1);
    io_source_hint(f->source, IO_HINT_DONTNEED, 0, SMALL_CHUNK);
    assert_reads(f, 0, 100);
    assert_int_equal(atomic_load(&f->faults.calls), 2);
}

static void closing_waits_for_reads_in_flight(void **state)
{
    struct fixture *f = *state;

    f->faults.sleep_us = 3000;
    for (int i = 0; i < 5; i++) {
        open_source(f, LARGE_CACHE);
        io_source_hint(f->source, IO_HINT_WILLNEED, 0, FILE_SIZE);
        assert_true(io_reader_outstanding(f->reader) > 2);
        io_source_close(f->source);
        f->source = NULL;
        assert_int_equal(io_reader_outstanding(f->reader), 0);
    }
}

static void a_direct_file_is_refused_by_pread(void **state)
{
    struct fixture *f = *state;

    if (!f->file.direct) {
        print_message("skipped: no direct reads in %s\n", f->folder);
        skip();
    }
    assert_int_equal(io_source_open_pread(f->file.fd, FILE_SIZE, &f->source), ERR_UNSUPPORTED);
}

static void an_empty_source_has_nothing(void **state)
{
    struct fixture *f = *state;
    char path[4096];

    if (f->way->kind == READER)
        need_reader(f);
    snprintf(path, sizeof path, "%s/image", f->folder);
    assert_int_equal(truncate(path, 0), 0);
    if (f->way->kind == MEM)
        assert_int_equal(io_source_open_mem(NULL, 0, &f->source), 0);
    else if (f->way->kind == PREAD)
        assert_int_equal(io_source_open_pread(f->file.fd, 0, &f->source), 0);
    else
        assert_int_equal(io_source_open_reader(f->reader, f->file.fd, 0, 1, &f->source), 0);
    io_source_hint(f->source, IO_HINT_SEQUENTIAL, 0, 100);
    io_source_hint(f->source, IO_HINT_WILLNEED, 0, 100);
    assert_int_equal(io_source_read(f->source, 0, NULL, 0), 0);
    assert_fails(f, 0, 1, ERR_RANGE, 0);
}

static const struct way ways[] = {
    {"mem", MEM, IO_BACKEND_AUTO, 0},
    {"pread", PREAD, IO_BACKEND_AUTO, 0},
    {"reader over uring", READER, IO_BACKEND_URING, 0},
    {"reader over pread", READER, IO_BACKEND_PREAD, 0},
    {"direct reader over uring", READER, IO_BACKEND_URING, IO_FILE_DIRECT},
    {"direct reader over pread", READER, IO_BACKEND_PREAD, IO_FILE_DIRECT},
};
enum { WAYS = sizeof ways / sizeof ways[0] };

#define CASE(name, first)                                                                          \
    {                                                                                              \
#name, name, first                                                                         \
    }

static const struct {
    const char *name;
    CMUnitTestFunction run;
    size_t first_way; /* 0: all, 1: files, 2: readers, 4: direct files */
} cases[] = {
    CASE(random_reads_give_the_content, 0),
    CASE(hints_change_nothing_that_is_read, 0),
    CASE(reading_through_in_steps_gives_the_content, 0),
    CASE(bounds_are_kept, 0),
    CASE(an_empty_source_has_nothing, 0),
    CASE(failing_allocations_leave_nothing, 0),
    CASE(faults_of_a_wrapped_source_are_its_own, 0),
    CASE(what_is_lent_is_the_content, 0),
    CASE(what_is_looked_at_is_the_content, 0),
    CASE(a_truncated_file_gives_what_is_left, 1),
    CASE(a_look_at_what_is_cut_is_torn, 2),
    CASE(short_and_passing_outcomes_do_not_show, 2),
    CASE(a_bad_range_fails_alone, 2),
    CASE(one_failing_kernel_read_is_made_up_for, 2),
    CASE(what_will_be_needed_is_fetched_once, 2),
    CASE(reading_in_order_keeps_reads_ahead, 2),
    CASE(ranges_beyond_the_cache_follow_the_reader, 2),
    CASE(announced_and_left_aside_is_forgotten, 2),
    CASE(what_is_given_back_makes_room_for_more, 2),
    CASE(after_random_only_what_is_asked_is_read, 2),
    CASE(what_is_not_needed_is_given_back, 2),
    CASE(closing_waits_for_reads_in_flight, 2),
    CASE(a_direct_file_is_refused_by_pread, 4),
};
enum { CASES = sizeof cases / sizeof cases[0] };

int main(void)
{
    static char names[CASES * WAYS][128];
    static struct CMUnitTest tests[CASES * WAYS];
    size_t n = 0;

    for (size_t c = 0; c < CASES; c++) {
        for (size_t w = cases[c].first_way; w < WAYS; w++, n++) {
            snprintf(names[n], sizeof names[n], "%s (%s)", cases[c].name, ways[w].name);
            tests[n] =
                (struct CMUnitTest){names[n], cases[c].run, set_up, tear_down, (void *)&ways[w]};
        }
    }
    return _cmocka_run_group_tests("sources", tests, n, NULL, NULL);
}
