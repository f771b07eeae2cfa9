/* test_tty.c: numbers in a person's words, and what is a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "scanner/app/tty.h"
#include "tests/support/capture.h"

static const uint64_t SECOND = 1000000000;

static void bytes_have_three_digits_and_a_unit(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1, "1 B"},
        {712, "712 B"},
        {1023, "1023 B"},
        {1024, "1.00 KiB"},
        {1536, "1.50 KiB"},
        {10 * 1024, "10.0 KiB"},
        {25 * 1024 + 512, "25.5 KiB"},
        {100 * 1024, "100 KiB"},
        {1000 * 1024, "1000 KiB"},
        {UINT64_C(1) << 20, "1.00 MiB"},
        {UINT64_C(3) << 29, "1.50 GiB"},
        {UINT64_C(5) << 40, "5.00 TiB"},
        {UINT64_C(7) << 50, "7.00 PiB"},
        {UINT64_C(1) << 60, "1.00 EiB"},
        {UINT64_MAX, "16.0 EiB"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(tty_bytes(cases[i].bytes), cases[i].text);
}

static void durations_turn_into_a_clock(void **state)
{
    (void)state;
    assert_string_equal(tty_duration(0), "0.0 s");
    assert_string_equal(tty_duration(4200000000), "4.2 s");
    assert_string_equal(tty_duration(59 * SECOND), "59.0 s");
    assert_string_equal(tty_duration(60 * SECOND), "1:00");
    assert_string_equal(tty_duration(69 * SECOND), "1:09");
    assert_string_equal(tty_duration(3600 * SECOND - 1), "59:59");
    assert_string_equal(tty_duration(3600 * SECOND), "1:00:00");
    assert_string_equal(tty_duration(3723 * SECOND), "1:02:03");
    assert_string_equal(tty_duration(100 * 3600 * SECOND), "100:00:00");
    assert_string_equal(tty_duration(UINT64_MAX), "5124095:34:33");
}

static void four_texts_stand_at_a_time(void **state)
{
    const char *a = tty_bytes(1), *b = tty_duration(2 * SECOND), *c = tty_bytes(3);
    const char *d = tty_duration(4 * SECOND);

    (void)state;
    assert_string_equal(a, "1 B");
    assert_string_equal(b, "2.0 s");
    assert_string_equal(c, "3 B");
    assert_string_equal(d, "4.0 s");
}

static void a_terminal_is_told_from_a_pipe(void **state)
{
    int master, slave, ends[2];

    (void)state;
    capture_terminal(123, &master, &slave);
    assert_return_code(pipe(ends), 0);
    assert_true(tty_is(slave));
    assert_false(tty_is(ends[1]));
    assert_false(tty_is(-1));
    assert_int_equal(tty_columns(slave), 123);
    assert_int_equal(tty_columns(ends[1]), 80);
    close(master);
    close(slave);
    close(ends[0]);
    close(ends[1]);
    capture_terminal(0, &master, &slave);
    assert_int_equal(tty_columns(slave), 80);
    close(master);
    close(slave);
}

static void colour_is_for_terminals_that_want_it(void **state)
{
    int master, slave, ends[2];

    (void)state;
    capture_terminal(80, &master, &slave);
    assert_return_code(pipe(ends), 0);
    unsetenv("NO_COLOR");
    setenv("TERM", "xterm", 1);
    assert_true(tty_colour(slave));
    assert_false(tty_colour(ends[1]));
    setenv("NO_COLOR", "1", 1);
    assert_false(tty_colour(slave));
    setenv("NO_COLOR", "", 1);
    assert_true(tty_colour(slave));
    setenv("TERM", "dumb", 1);
    assert_false(tty_colour(slave));
    unsetenv("TERM");
    assert_false(tty_colour(slave));
    close(master);
    close(slave);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_three_digits_and_a_unit),
        cmocka_unit_test(durations_turn_into_a_clock),
        cmocka_unit_test(four_texts_stand_at_a_time),
        cmocka_unit_test(a_terminal_is_told_from_a_pipe),
        cmocka_unit_test(colour_is_for_terminals_that_want_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
