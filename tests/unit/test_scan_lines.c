/* test_scan_lines.c: every line once, in its order and whole, however many there are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "io/mem.h"
#include "scanner/app/scan_lines.h"
#include "tests/support/tempdir.h"

enum {
    LINES = 3000,
    LONG_LINE = 200000
}; /* more than stays in memory; longer than is read at once */

/* The n-th line is kept, whenever its turn is. */
static struct scan_line keep_line(struct scan_lines *l, unsigned n)
{
    struct scan_line place;
    struct buf line = BUF_INIT;

    buf_printf(&line, "%u ", n);
    for (unsigned i = 0; i < (n % 1000 == 500 ? LONG_LINE : n % 300); i++)
        buf_putc(&line, (char)('a' + (n + i) % 26));
    buf_putc(&line, '\n');
    place = scan_lines_keep(l, &line);
    buf_done(&line);
    return place;
}

struct seen {
    unsigned next; /* line */
    unsigned parts;
    unsigned fail_at; /* this part is refused; 0: none */
};

static int take_lines(void *ctx, const void *lines, size_t size)
{
    struct seen *s = ctx;
    const char *at = lines, *end = at + size;

    if (++s->parts == s->fail_at)
        return ERR_NOSPACE;
    assert_true(size > 0);
    assert_int_equal(end[-1], '\n');
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        unsigned n = UINT32_MAX;
        int digits = 0;
        size_t length;

        assert_int_equal(sscanf(at, "%u %n", &n, &digits), 1);
        assert_int_equal(n, s->next++);
        length = n % 1000 == 500 ? LONG_LINE : n % 300;
        at = memchr(at, ' ', (size_t)(newline - at));
        assert_non_null(at);
        at++;
        assert_int_equal(newline - at, length);
        for (size_t i = 0; i < length; i++)
            if (at[i] != (char)('a' + (n + i) % 26))
                fail_msg("line %u, byte %zu", n, i);
        at = newline + 1;
    }
    return 0;
}

static struct scan_lines *many_lines(const char *dir)
{
    static struct scan_line places[LINES];
    struct scan_lines *l = NULL;
    struct buf none = BUF_INIT;

    assert_int_equal(scan_lines_create(dir, &l), 0);
    /* Every third late, as that of a small image is. */
    for (unsigned i = 0; i < LINES; i++)
        if (i % 3)
            places[i] = keep_line(l, i);
    for (unsigned i = 0; i < LINES; i++) {
        scan_lines_next(l, i % 3 ? places[i] : keep_line(l, i));
        scan_lines_next(l, scan_lines_keep(l, &none));
    }
    return l;
}

static void lines_come_back_whole_and_in_order(void **state)
{
    const char *dir = tempdir_make();
    struct scan_lines *l = many_lines(dir);
    struct fault fault = {0};

    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        struct seen seen = {0};

        assert_int_equal(scan_lines_each(l, take_lines, &seen, &fault), 0);
        assert_int_equal(seen.next, LINES);
        assert_true(seen.parts > 10);
    }
    scan_lines_destroy(l);
    tempdir_remove(dir);
}

static void no_lines_are_none(void **state)
{
    struct scan_lines *l = NULL;
    struct seen seen = {0};
    struct fault fault;

    (void)state;
    assert_int_equal(scan_lines_create("/", &l), 0);
    assert_int_equal(scan_lines_each(l, take_lines, &seen, &fault), 0);
    assert_int_equal(seen.parts, 0);
    scan_lines_destroy(l);
    scan_lines_destroy(NULL);
}

static void who_takes_them_may_refuse(void **state)
{
    const char *dir = tempdir_make();
    struct scan_lines *l = many_lines(dir);
    struct seen refusing = {.fail_at = 2}, seen = {0};
    struct fault fault = {0};

    (void)state;
    assert_int_equal(scan_lines_each(l, take_lines, &refusing, &fault), ERR_NOSPACE);
    assert_int_equal(refusing.parts, 2);
    assert_int_equal(fault.code, 0); /* it is not this module's */
    assert_int_equal(scan_lines_each(l, take_lines, &seen, &fault), 0);
    assert_int_equal(seen.next, LINES);
    scan_lines_destroy(l);
    tempdir_remove(dir);
}

static void a_lost_line_is_told(void **state)
{
    struct scan_lines *l = NULL;
    struct buf lost = BUF_INIT;
    struct seen seen = {0};
    struct fault fault = {0};

    (void)state;
    assert_int_equal(scan_lines_create("/", &l), 0);
    scan_lines_next(l, keep_line(l, 0));
    lost.failed = true;
    scan_lines_next(l, scan_lines_keep(l, &lost));
    scan_lines_next(l, keep_line(l, 1));
    assert_int_equal(scan_lines_each(l, take_lines, &seen, &fault), ERR_NOMEM);
    assert_int_equal(seen.parts, 0);
    scan_lines_destroy(l);

    /* There is no folder for what does not fit into memory. */
    l = many_lines("/nonexistent");
    assert_int_equal(scan_lines_each(l, take_lines, &seen, &fault), ERR_NOENT);
    assert_string_equal(fault.what, "create");
    scan_lines_destroy(l);
}

/* All lines, or an error: whichever allocation fails. */
static void failing_allocations(void **state)
{
    const char *dir = tempdir_make();
    int err = ERR_NOMEM;
    unsigned nth = 0;

    (void)state;
    for (; err; nth++) {
        struct scan_lines *l = NULL;
        struct seen seen = {0};
        struct fault fault = {0};
        struct buf line = BUF_INIT;

        buf_puts(&line, "0 \n");
        mem_test_fail(nth + 1, 0);
        err = scan_lines_create(dir, &l);
        if (!err) {
            scan_lines_next(l, scan_lines_keep(l, &line));
            err = scan_lines_each(l, take_lines, &seen, &fault);
        }
        mem_test_fail(0, 0);
        assert_true(err == 0 || err == ERR_NOMEM);
        assert_int_equal(seen.next, !err);
        scan_lines_destroy(l);
        buf_done(&line);
    }
    assert_true(nth > 3);
    tempdir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_back_whole_and_in_order),
        cmocka_unit_test(no_lines_are_none),
        cmocka_unit_test(who_takes_them_may_refuse),
        cmocka_unit_test(a_lost_line_is_told),
        cmocka_unit_test(failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
