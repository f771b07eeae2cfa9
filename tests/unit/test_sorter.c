/* test_sorter.c: sorting in memory and beyond it, in any number of lanes, and what can fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <cmocka.h>

#include "index/sorter.h"
#include "io/mem.h"
#include "io/spill.h"
#include "tests/support/tempdir.h"

enum { RECORD = 21 };

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* `spread` different values in each byte: few make equal heads and equal records. */
static uint8_t *random_records(size_t count, unsigned spread, uint64_t seed)
{
    uint8_t *all = malloc(count * RECORD + 1);

    assert_non_null(all);
    for (size_t i = 0; i < count * RECORD; i++)
        all[i] = (uint8_t)(random_next(&seed) % spread);
    return all;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, RECORD);
}

static int fill(struct sorter *s, const uint8_t *all, size_t count, unsigned lanes)
{
    for (size_t i = 0; i < count; i++) {
        int code = sorter_add(s, (unsigned)(i * 7 / 3 % lanes), all + i * RECORD);

        if (code)
            return code;
    }
    return 0;
}

static int drain(struct sorter *s, uint8_t *into, size_t count)
{
    const uint8_t *record;
    size_t n = 0;
    int got;

    while ((got = sorter_next(s, &record)) == 1) {
        assert_true(n < count);
        memcpy(into + n++ * RECORD, record, RECORD);
    }
    if (!got) {
        assert_int_equal(n, count);
        assert_int_equal(sorter_next(s, &record), 0);
    }
    return got;
}

static int sort_all(struct sorter *s, const uint8_t *all, uint8_t *into, size_t count,
                    unsigned lanes)
{
    int code = fill(s, all, count, lanes);

    assert_true(code || sorter_count(s) == count);
    code = code ? code : sorter_start(s);
    return code ? code : drain(s, into, count);
}

static struct sorter *make(uint64_t memory, unsigned lanes)
{
    const struct sorter_options options = {RECORD, memory, lanes, tempdir};
    struct sorter *s;

    assert_int_equal(sorter_create(&options, &s), 0);
    return s;
}

/* In memory, with a few runs, and with so many that runs are merged into runs first. */
static void any_memory_and_lanes_give_one_order(void **state)
{
    static const struct {
        size_t count;
        uint64_t memory;
        unsigned lanes, spread;
    } cases[] = {
        {0, 1 << 20, 1, 256},  {1, 1 << 20, 3, 256}, {1000, 1 << 20, 1, 256}, {1000, 1 << 20, 4, 2},
        {5000, 20000, 1, 256}, {5000, 20000, 3, 2},  {3000, 0, 1, 256},       {3000, 0, 5, 3},
        {4, 0, 1, 256},        {5, 0, 1, 256},       {20000, 100000, 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const size_t count = cases[i].count;
        uint8_t *all = random_records(count, cases[i].spread, 88172645463325252u + i);
        uint8_t *sorted = malloc(count * RECORD + 1);
        struct sorter *s = make(cases[i].memory, cases[i].lanes);

        for (int again = 0; again < 2; again++) {
            assert_int_equal(sort_all(s, all, sorted, count, cases[i].lanes), 0);
            assert_true((sorter_spilled_bytes(s) > 0) == (cases[i].memory < 200000 && count > 4));
            if (!again)
                qsort(all, count, RECORD, by_bytes);
            assert_memory_equal(sorted, all, count * RECORD);
            assert_int_equal(sorter_reset(s), 0);
            assert_int_equal(sorter_count(s), 0);
        }
        sorter_destroy(s);
        free(all);
        free(sorted);
    }
}

static void failing_memory_is_reported(void **state)
{
    const struct sorter_options options = {RECORD, 4000, 2, tempdir};
    const size_t count = 400;
    uint8_t *all = random_records(count, 256, 42), *sorted = malloc(count * RECORD);
    int code = ERR_NOMEM;

    (void)state;
    for (uint64_t nth = 1; code; nth++) {
        struct sorter *s = NULL;

        mem_test_fail(nth, 1);
        code = sorter_create(&options, &s);
        code = code ? code : sort_all(s, all, sorted, count, 2);
        mem_test_fail(0, 0);
        assert_true(code == 0 || code == ERR_NOMEM);
        sorter_destroy(s);
        assert_true(nth < 10000);
    }
    qsort(all, count, RECORD, by_bytes);
    assert_memory_equal(sorted, all, count * RECORD);
    free(all);
    free(sorted);
}

/* The file system refuses at the n-th byte, for several n. */
static void a_full_disk_is_reported(void **state)
{
    const size_t count = 40000;
    uint8_t *all = random_records(count, 256, 43), *sorted = malloc(count * RECORD);
    struct rlimit old, limit;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t most = 0; most <= 600000; most += 200000) {
        struct sorter *s = make(4000, 1);

        limit = (struct rlimit){most, old.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        assert_int_equal(sort_all(s, all, sorted, count, 1), ERR_NOSPACE);
        assert_int_equal(sorter_fault(s)->code, ERR_NOSPACE);
        assert_string_equal(sorter_fault(s)->what, "write");
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
        sorter_destroy(s);
    }
    free(all);
    free(sorted);
}

static void a_missing_folder_is_reported_once_it_is_needed(void **state)
{
    const struct sorter_options options = {RECORD, 0, 1, "/nonexistent/folder"};
    uint8_t record[RECORD] = {0};
    struct sorter *s;
    int code = 0;

    (void)state;
    assert_int_equal(sorter_create(&options, &s), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(sorter_add(s, 0, record), 0);
    for (int i = 0; !code && i < 100000; i++)
        code = sorter_add(s, 0, record);
    assert_int_equal(code, ERR_NOENT);
    assert_int_equal(sorter_fault(s)->code, ERR_NOENT);
    sorter_destroy(s);
}

/* Of a spill that keeps so much in memory, which is and is not a whole number of its blocks. */
static void read_back(size_t keep_bytes, const uint8_t *all, uint8_t *back, size_t total)
{
    struct io_spill *s;
    uint64_t at = 0, offset;

    assert_int_equal(io_spill_create(tempdir, keep_bytes, &s), 0);
    for (size_t size = 1; at + size <= total; size = size * 3 / 2 + 1) {
        assert_int_equal(io_spill_append(s, all + at, size, &offset), 0);
        assert_int_equal(offset, at);
        at += size;
        assert_int_equal(io_spill_read(s, 0, back, at), 0);
        assert_memory_equal(back, all, at);
    }
    for (uint64_t from = 0; from < at; from += 977) {
        size_t size = at - from < 3000 ? (size_t)(at - from) : 3000;

        assert_int_equal(io_spill_read(s, from, back, size), 0);
        assert_memory_equal(back, all + from, size);
    }
    assert_int_equal(io_spill_clear(s), 0);
    assert_int_equal(io_spill_size(s), 0);
    for (at = 0; at < 200000; at += 1000) {
        assert_int_equal(io_spill_append(s, all + at, 1000, &offset), 0);
        assert_int_equal(offset, at);
    }
    assert_int_equal(io_spill_read(s, 0, back, at), 0);
    assert_memory_equal(back, all, at);
    io_spill_destroy(s);
}

static void a_spill_reads_back_across_memory_and_file(void **state)
{
    static const size_t keep_bytes[] = {0, 1000, 65536, 65537, 300000, 1 << 20, SIZE_MAX};
    uint8_t *all = random_records(50000, 256, 44), *back = malloc(50000 * RECORD);

    (void)state;
    for (size_t i = 0; i < sizeof keep_bytes / sizeof *keep_bytes; i++)
        read_back(keep_bytes[i], all, back, 50000 * RECORD);
    free(all);
    free(back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_memory_and_lanes_give_one_order),
        cmocka_unit_test(failing_memory_is_reported),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(a_missing_folder_is_reported_once_it_is_needed),
        cmocka_unit_test(a_spill_reads_back_across_memory_and_file),
    };

    return cmocka_run_group_tests(tests, tempdir_set_up, tempdir_tear_down);
}
