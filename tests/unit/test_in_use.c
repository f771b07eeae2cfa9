/*
 * test_in_use.c: an image that another program holds, through the program: a lease that forbids to
 * read it, one that allows it, and none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/tempdir.h"

struct place {
    const char *folder; /* with images/, which is scanned, and what scans wrote */
    char image[600], other[600];
    int held; /* the image, open for writing as Outlook has it */
};

static struct place place;

/* Runs a command of the shell; what it wrote, in *said, and its exit status. */
static int run(const char *command, char *said, size_t size)
{
    FILE *pipe = popen(command, "r");
    size_t got = 0, more;
    int status;

    assert_non_null(pipe);
    while (got + 1 < size && (more = fread(said + got, 1, size - 1 - got, pipe)) > 0)
        got += more;
    said[got] = 0;
    status = pclose(pipe);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* FORMAT has one %s for each of the program, then arguments. */
#define OSTSCAN(said, ...)                                                                         \
    (snprintf(command, sizeof command, "'" OSTSCAN_EXE "' " __VA_ARGS__),                          \
     run(command, said, sizeof said))

static char command[4096], said[65536];

static void assert_said(const char *what)
{
    if (!strstr(said, what))
        fail_msg("\"%s\" is not in: %s", what, said);
}

static int set_up(void **state)
{
    (void)state;
    signal(SIGIO, SIG_IGN); /* how the kernel tells that someone wants to open what we hold */
    place.folder = tempdir_make();
    snprintf(place.image, sizeof place.image, "%s/images/held.ost", place.folder);
    snprintf(place.other, sizeof place.other, "%s/images/other.ost", place.folder);
    snprintf(command, sizeof command,
             "mkdir '%s/images' && for f in '%s' '%s'; do '%s' --profile tiny --exchange --synced "
             "--truth none -q -o "
             "\"$f\" || exit; done",
             place.folder, place.image, place.other, OSTGEN_EXE);
    assert_int_equal(system(command), 0);
    place.held = open(place.image, O_RDWR | O_CLOEXEC);
    assert_true(place.held >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(place.held);
    tempdir_remove(place.folder);
    return 0;
}

static void lease(int kind)
{
    if (fcntl(place.held, F_SETLEASE, kind) == 0)
        return;
    print_message("no leases here: %s\n", strerror(errno));
    skip();
}

static void a_held_image_is_to_be_retried(void **state)
{
    (void)state;
    lease(F_WRLCK);
    assert_int_equal(OSTSCAN(said, "scan -o '%s/out' --progress never '%s/images' 2>&1",
                             place.folder, place.folder),
                     3);
    assert_said("held.ost: in_use; remedy retry_closed: open: in use by another program\n");
    assert_int_equal(run((snprintf(command, sizeof command,
                                   "jq -r 'select(.path? and (.path | endswith(\"held.ost\"))) | "
                                   "[.state, .remedy, .export_first, .reason] | join(\"|\")' "
                                   "'%s/out/scan.jsonl'; ls '%s/out/manifests'",
                                   place.folder, place.folder),
                          command),
                         said, sizeof said),
                     0);
    assert_said("in_use|retry_closed|unknown|open: in use by another program\n");
    assert_null(strstr(said, "held.ost-")); /* no manifest */
    assert_said("other.ost-");              /* the others go on */
    assert_int_equal(OSTSCAN(said, "advice --json '%s/out' 2>&1", place.folder), 0);
    assert_said("\"remedy\":\"retry_closed\"");
    assert_said("in use by another program");
    assert_int_equal(OSTSCAN(said, "check '%s' 2>&1", place.image), 3);
    assert_said("held.ost: not checked: in use by another program");
    assert_int_equal(
        OSTSCAN(said, "compare '%s'/out/manifests/other* '%s' 2>&1", place.folder, place.image), 3);
    assert_said("held.ost: ");
    assert_said("in use by another program");
    lease(F_UNLCK);
}

static void a_released_one_is_scanned_by_the_same_command(void **state)
{
    (void)state;
    assert_int_equal(OSTSCAN(said, "scan -o '%s/out' --progress never '%s/images' 2>&1",
                             place.folder, place.folder),
                     0);
    assert_said("held.ost: ok, ");
    assert_said("remedies  2 none\n");
    assert_said("kept      1 image of an earlier run");
}

static void one_that_others_read_is_not_in_use(void **state)
{
    int reading = open(place.image, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_true(reading >= 0);
    close(place.held); /* or there could be no lease to read */
    place.held = reading;
    lease(F_RDLCK);
    assert_int_equal(OSTSCAN(said, "scan -o '%s/again' --progress never '%s/images' 2>&1",
                             place.folder, place.folder),
                     0);
    assert_said("held.ost: ok, ");
    assert_said("remedies  2 none\n");
    assert_int_equal(OSTSCAN(said, "check '%s' 2>&1", place.image), 0);
    lease(F_UNLCK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_held_image_is_to_be_retried),
        cmocka_unit_test(a_released_one_is_scanned_by_the_same_command),
        cmocka_unit_test(one_that_others_read_is_not_in_use),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
