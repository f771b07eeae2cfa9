/* test_journal.c: what a journal gives back, whatever became of its file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/journal.h"
#include "io/mem.h"
#include "tests/support/tempdir.h"

static const char name[] = "scan.journal";

static struct journal *open_of(const char *dir, const char *owner)
{
    struct journal *j = NULL;
    struct fault fault;

    assert_int_equal(journal_open(dir, name, owner, &j, &fault), 0);
    return j;
}

static struct journal *open_in(const char *dir)
{
    return open_of(dir, "");
}

static void keep(struct journal *j, uint64_t key, const char *line)
{
    struct journal_entry e = {
        .key = key, .manifest_bytes = key * 7, .manifest_mtime_ns = -(int64_t)key};

    memset(e.state, (int)key, sizeof e.state);
    e.line = bytes_text(line);
    assert_int_equal(journal_keep(j, &e), 0);
}

/* The line under a key, or NULL; valid until the next call. */
static const char *kept(struct journal *j, uint64_t key)
{
    static char text[4096];
    struct buf line = BUF_INIT;
    struct journal_entry e;
    int found = journal_find(j, key, &line, &e);

    assert_true(found >= 0);
    if (found) {
        uint8_t state[JOURNAL_STATE_SIZE];

        memset(state, (int)key, sizeof state);
        assert_true(e.key == key && e.manifest_bytes == key * 7);
        assert_true(e.manifest_mtime_ns == -(int64_t)key);
        assert_memory_equal(e.state, state, sizeof state);
        snprintf(text, sizeof text, "%.*s", (int)e.line.size, (const char *)e.line.data);
    }
    buf_done(&line);
    return found ? text : NULL;
}

static size_t slurp(const char *dir, char **out)
{
    char path[4096];
    struct stat st;
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(stat(path, &st), 0);
    *out = malloc((size_t)st.st_size + 1);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(*out, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    return (size_t)st.st_size;
}

static void spit(const char *dir, const char *data, size_t size)
{
    char path[4096];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

static void what_is_kept_is_there_again(void **state)
{
    const char *dir = tempdir_make();
    struct journal *j = open_in(dir);

    (void)state;
    assert_null(kept(j, 1));
    keep(j, 1, "{\"one\":1}");
    keep(j, 2, "{\"two\":2}");
    keep(j, 1, "{\"one\":\"anew\"}");
    assert_string_equal(kept(j, 1), "{\"one\":\"anew\"}");
    assert_int_equal(journal_drop(j, 2), 0);
    assert_int_equal(journal_drop(j, 3), 0);
    assert_null(kept(j, 2));
    journal_close(j);
    j = open_in(dir);
    assert_string_equal(kept(j, 1), "{\"one\":\"anew\"}");
    assert_null(kept(j, 2));
    assert_null(kept(j, 3));
    journal_close(j);
    tempdir_remove(dir);
}

static void what_another_owner_left_is_gone(void **state)
{
    static const char *const owners[] = {"one", "two", "", "tw"};
    const char *dir = tempdir_make();
    size_t size;
    char *data;

    (void)state;
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        struct journal *j = open_of(dir, owners[i]);

        assert_null(kept(j, 1));
        keep(j, 1, "{\"secret\":1}");
        journal_close(j);
        j = open_of(dir, owners[i]);
        assert_string_equal(kept(j, 1), "{\"secret\":1}");
        journal_close(j);
    }
    journal_close(open_of(dir, "other"));
    size = slurp(dir, &data);
    data[size] = '\0';
    assert_null(strstr(data, "secret"));
    free(data);
    tempdir_remove(dir);
}

enum { ENTRIES = 5 };

/* A journal of the keys 1 to ENTRIES; where each line ends in ends[0] (the title) to [ENTRIES]. */
static size_t make(const char *dir, char **data, size_t ends[ENTRIES + 1])
{
    struct journal *j = open_in(dir);
    size_t size, n = 0;

    for (uint64_t key = 1; key <= ENTRIES; key++) {
        char line[32];

        snprintf(line, sizeof line, "{\"key\":%d}", (int)key);
        keep(j, key, line);
    }
    journal_close(j);
    size = slurp(dir, data);
    for (size_t i = 0; i < size; i++)
        if ((*data)[i] == '\n')
            ends[n++] = i + 1;
    assert_int_equal(n, ENTRIES + 1);
    return size;
}

/* Opens what stands there: the keys up to `whole` are kept and no others, and more can be. */
static void expect(const char *dir, uint64_t whole)
{
    struct journal *j = open_in(dir);

    for (uint64_t key = 1; key <= ENTRIES; key++)
        assert_true((kept(j, key) != NULL) == (key <= whole));
    keep(j, 9, "{\"more\":true}");
    journal_close(j);
    j = open_in(dir);
    assert_string_equal(kept(j, 9), "{\"more\":true}");
    for (uint64_t key = 1; key <= ENTRIES; key++)
        assert_true((kept(j, key) != NULL) == (key <= whole));
    journal_close(j);
}

static uint64_t lines_before(const size_t ends[ENTRIES + 1], size_t offset)
{
    uint64_t whole = 0;

    while (whole < ENTRIES && ends[whole + 1] <= offset)
        whole++;
    return whole;
}

/* Offsets around the lines' ends and a share of the others: each try waits for the disk. */
static bool is_tried(const size_t ends[ENTRIES + 1], size_t offset)
{
    for (int i = 0; i <= ENTRIES; i++)
        if (offset + 2 >= ends[i] && offset <= ends[i] + 1)
            return true;
    return offset % 29 == 0;
}

static void a_tail_cut_anywhere_loses_only_its_line(void **state)
{
    const char *dir = tempdir_make();
    size_t ends[ENTRIES + 1];
    char *data;
    size_t size = make(dir, &data, ends);

    (void)state;
    for (size_t cut = 0; cut <= size; cut++) {
        if (!is_tried(ends, cut))
            continue;
        spit(dir, data, cut);
        expect(dir, lines_before(ends, cut));
    }
    free(data);
    tempdir_remove(dir);
}

static void nothing_behind_an_altered_byte_is_believed(void **state)
{
    const char *dir = tempdir_make();
    size_t ends[ENTRIES + 1];
    char *data;
    size_t size = make(dir, &data, ends);

    (void)state;
    for (size_t at = 0; at < size; at++) {
        uint64_t whole = at < ends[0] ? 0 : lines_before(ends, at);

        if (!is_tried(ends, at))
            continue;
        data[at] ^= 1 + (char)(at % 255);
        spit(dir, data, size);
        expect(dir, whole);
        data[at] ^= 1 + (char)(at % 255);
    }
    free(data);
    tempdir_remove(dir);
}

static void a_tail_of_zeros_or_noise_is_cut_off(void **state)
{
    const char *dir = tempdir_make();
    size_t ends[ENTRIES + 1];
    char *data;
    size_t size = make(dir, &data, ends);
    char *longer = calloc(1, size + 100000);

    (void)state;
    memcpy(longer, data, size);
    spit(dir, longer, size + 100000);
    expect(dir, ENTRIES);
    for (size_t i = size; i < size + 100000; i++)
        longer[i] = (char)(i * i >> 3);
    spit(dir, longer, size + 100000);
    expect(dir, ENTRIES);
    free(longer);
    free(data);
    tempdir_remove(dir);
}

static void superseded_lines_do_not_pile_up(void **state)
{
    const char *dir = tempdir_make();
    struct journal *j = open_in(dir);
    char *data;

    (void)state;
    for (int i = 0; i < 600; i++)
        keep(j, 1 + (uint64_t)i % 3, "{}");
    assert_int_equal(journal_drop(j, 3), 0);
    journal_close(j);
    j = open_in(dir);
    assert_true(slurp(dir, &data) < 1000);
    free(data);
    assert_non_null(kept(j, 1));
    assert_non_null(kept(j, 2));
    assert_null(kept(j, 3));
    keep(j, 3, "{\"back\":1}");
    journal_close(j);
    j = open_in(dir);
    assert_string_equal(kept(j, 3), "{\"back\":1}");
    journal_close(j);
    tempdir_remove(dir);
}

static void one_process_has_it_at_a_time(void **state)
{
    const char *dir = tempdir_make();
    struct journal *j = open_in(dir), *other = NULL;
    struct fault fault = {0};

    (void)state;
    assert_int_equal(journal_open(dir, name, "", &other, &fault), ERR_BUSY);
    assert_int_equal(fault.code, ERR_BUSY);
    journal_close(j);
    j = open_in(dir);
    journal_close(j);
    tempdir_remove(dir);
}

static void no_memory_is_an_error(void **state)
{
    const char *dir = tempdir_make();
    size_t ends[ENTRIES + 1];
    char *data;
    int failed = 0, err;

    (void)state;
    make(dir, &data, ends);
    do {
        struct journal *j = NULL;
        struct fault fault = {0};

        mem_test_fail((uint64_t)failed + 1, 0);
        err = journal_open(dir, name, "", &j, &fault);
        mem_test_fail(0, 0);
        assert_true(err == 0 || (err == ERR_NOMEM && fault.code == ERR_NOMEM && !j));
        failed += err != 0;
        journal_close(j);
    } while (err);
    assert_true(failed >= 4);
    expect(dir, ENTRIES);
    free(data);
    tempdir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_is_there_again),
        cmocka_unit_test(what_another_owner_left_is_gone),
        cmocka_unit_test(a_tail_cut_anywhere_loses_only_its_line),
        cmocka_unit_test(nothing_behind_an_altered_byte_is_believed),
        cmocka_unit_test(a_tail_of_zeros_or_noise_is_cut_off),
        cmocka_unit_test(superseded_lines_do_not_pile_up),
        cmocka_unit_test(one_process_has_it_at_a_time),
        cmocka_unit_test(no_memory_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
