/* test_progress.c: the line on standard error, where and when it is drawn, and its removal. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/clock.h"
#include "io/err.h"
#include "io/mem.h"
#include "scanner/app/progress.h"
#include "tests/support/capture.h"

enum { MS = 1000000, LONG_ENOUGH_MS = 20000, QUIET_MS = 500 };

static struct progress_counters counters;

/* A terminal in place of standard error, and what came to it. */
static struct {
    int master, slave, saved;
    char text[65536];
    size_t size;
} screen;

static void set_counters(bool found_all)
{
    counters = (struct progress_counters){0};
    atomic_store(&counters.images_found, 5);
    atomic_store(&counters.images_done, 2);
    atomic_store(&counters.bytes_found, 3 << 20);
    atomic_store(&counters.bytes_done, 1 << 20);
    atomic_store(&counters.items, 71);
    atomic_store(&counters.findings, 13);
    atomic_store(&counters.found_all, found_all);
}

static void screen_open(unsigned short columns)
{
    capture_terminal(columns, &screen.master, &screen.slave);
    screen.size = 0;
    screen.saved = capture_replace(STDERR_FILENO, screen.slave);
}

static void screen_close(void)
{
    capture_restore(STDERR_FILENO, screen.saved);
    close(screen.master);
    close(screen.slave);
}

/* Reads what is there; waits until it is more than `size` bytes, at most `ms`. */
static void screen_read(size_t size, unsigned ms)
{
    uint64_t until = clock_monotonic_ns() + (uint64_t)ms * MS;

    do {
        ssize_t got =
            read(screen.master, screen.text + screen.size, sizeof screen.text - 1 - screen.size);

        if (got > 0)
            screen.size += (size_t)got;
        else
            usleep(5000);
    } while (screen.size <= size && clock_monotonic_ns() < until);
    screen.text[screen.size] = '\0';
}

static void plain_lines_come_every_few_seconds(void **state)
{
    static struct capture c;
    struct progress *p = NULL;
    uint64_t started_ns;
    size_t early;
    const char *text;
    int err;

    (void)state;
    set_counters(false);
    capture_begin(&c, STDERR_FILENO);
    started_ns = clock_monotonic_ns();
    err = progress_start(PROGRESS_ALWAYS, true, &counters, &p);
    usleep(1000000);
    early = capture_size(&c);
    while (!capture_size(&c) && clock_monotonic_ns() - started_ns < LONG_ENOUGH_MS * (uint64_t)MS)
        usleep(10000);
    progress_stop(p);
    text = capture_end(&c);
    assert_int_equal(err, 0);
    assert_int_equal(early, 0);
    assert_int_equal(strncmp(text, "ostscan: 1.00 MiB/3.00 MiB ", 27), 0);
    assert_non_null(strstr(text, "iB/s images 2/5+ items 71 findings 13\n"));
    assert_null(strpbrk(text, "\r\033"));
    assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text)); /* one line */
}

static void a_terminal_has_one_line_within_its_width(void **state)
{
    static const char start[] = "\r\033[K1.00 MiB/3.00 MiB ";
    struct progress *p = NULL;
    size_t first;
    int err;

    (void)state;
    set_counters(true);
    screen_open(40);
    err = progress_start(PROGRESS_AUTO, false, &counters, &p);
    screen_read(0, LONG_ENOUGH_MS);
    first = screen.size;
    screen_read(first, LONG_ENOUGH_MS);
    progress_stop(p);
    screen_read(screen.size, 100);
    screen_close();
    assert_int_equal(err, 0);
    assert_int_equal(strncmp(screen.text, start, strlen(start)), 0);
    assert_null(strchr(screen.text, '\n'));
    assert_int_equal(strcspn(screen.text + 4, "\r"), 39);
    assert_true(screen.size > first); /* drawn again, or taken away */
    assert_string_equal(screen.text + screen.size - 4, "\r\033[K");
    assert_int_equal(strcspn(screen.text + screen.size - 4 - 39, "\r\033"), 39);
}

static void time_left_is_told_when_all_is_known(void **state)
{
    struct progress *p = NULL;
    int err;

    (void)state;
    set_counters(true);
    screen_open(200);
    err = progress_start(PROGRESS_ALWAYS, false, &counters, &p);
    screen_read(40, LONG_ENOUGH_MS);
    progress_stop(p);
    screen_close();
    assert_int_equal(err, 0);
    assert_non_null(strstr(screen.text, " s left images 2/5 items 71 findings 13"));

    set_counters(false);
    screen_open(200);
    err = progress_start(PROGRESS_ALWAYS, false, &counters, &p);
    screen_read(40, LONG_ENOUGH_MS);
    progress_stop(p);
    screen_close();
    assert_int_equal(err, 0);
    assert_null(strstr(screen.text, "left"));
    assert_non_null(strstr(screen.text, " images 2/5+ items"));
}

static void never_and_quiet_draw_nothing(void **state)
{
    struct progress *never = NULL, *quiet = NULL;
    int err;

    (void)state;
    set_counters(true);
    screen_open(80);
    err = progress_start(PROGRESS_NEVER, false, &counters, &never);
    if (!err)
        err = progress_start(PROGRESS_AUTO, true, &counters, &quiet);
    screen_read(0, QUIET_MS);
    progress_pause(never);
    progress_resume(never);
    progress_stop(never);
    progress_stop(quiet);
    screen_read(0, 50);
    screen_close();
    assert_int_equal(err, 0);
    assert_int_equal(screen.size, 0);
}

static void a_pause_takes_the_line_away_until_its_end(void **state)
{
    struct progress *p = NULL;
    size_t drawn, paused, silent, again;
    int err;

    (void)state;
    set_counters(true);
    screen_open(80);
    err = progress_start(PROGRESS_ALWAYS, false, &counters, &p);
    screen_read(0, LONG_ENOUGH_MS);
    progress_pause(p);
    screen_read(0, 0);
    for (drawn = 0; drawn != screen.size;) { /* all that was on its way */
        drawn = screen.size;
        screen_read(drawn, 20);
    }
    paused = screen.size;
    screen_read(paused, QUIET_MS);
    silent = screen.size;
    progress_resume(p);
    screen_read(silent, LONG_ENOUGH_MS);
    again = screen.size;
    progress_stop(p);
    screen_close();
    assert_int_equal(err, 0);
    assert_true(paused > 8);
    assert_memory_equal(screen.text + paused - 4, "\r\033[K", 4);
    assert_memory_not_equal(screen.text + paused - 8, "\r\033[K", 4);
    assert_int_equal(silent, paused);
    assert_true(again > silent);
    assert_memory_equal(screen.text + silent, "\r\033[K1.00 MiB", 12);
}

/* What was printed between the two is out before the line comes back. */
static void a_result_is_out_at_the_end_of_a_pause(void **state)
{
    static struct capture out;
    struct progress *p = NULL;
    size_t size;

    (void)state;
    assert_int_equal(progress_start(PROGRESS_NEVER, false, &counters, &p), 0);
    capture_begin(&out, STDOUT_FILENO);
    progress_pause(p);
    fputs("result", stdout);
    progress_resume(p);
    size = capture_size(&out);
    capture_end(&out);
    progress_stop(p);
    assert_int_equal(size, 6);
}

static void stopping_is_at_once(void **state)
{
    static struct capture c;
    struct progress *p = NULL;
    uint64_t started_ns, took_ns;

    (void)state;
    set_counters(false);
    capture_begin(&c, STDERR_FILENO);
    if (progress_start(PROGRESS_ALWAYS, false, &counters, &p) == 0)
        usleep(100000); /* the thread sleeps by now */
    started_ns = clock_monotonic_ns();
    progress_stop(p);
    took_ns = clock_monotonic_ns() - started_ns;
    assert_string_equal(capture_end(&c), "");
    assert_non_null(p);
    assert_in_range(took_ns, 0, UINT64_C(3000) * MS);
    progress_stop(NULL);
}

static void no_memory(void **state)
{
    struct progress *p = NULL;

    (void)state;
    mem_test_fail(1, 0);
    assert_int_equal(progress_start(PROGRESS_ALWAYS, false, &counters, &p), ERR_NOMEM);
    mem_test_fail(0, 0);
    assert_null(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_lines_come_every_few_seconds),
        cmocka_unit_test(a_terminal_has_one_line_within_its_width),
        cmocka_unit_test(time_left_is_told_when_all_is_known),
        cmocka_unit_test(never_and_quiet_draw_nothing),
        cmocka_unit_test(a_pause_takes_the_line_away_until_its_end),
        cmocka_unit_test(a_result_is_out_at_the_end_of_a_pause),
        cmocka_unit_test(stopping_is_at_once),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
