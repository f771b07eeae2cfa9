/*
 * test_reads.c: what io_uring can answer, each in turn, and reads that never return.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/faults/rig.h"

enum { STUCK_AT = 0x9123 };

static struct rig rig;

/* False: there is no io_uring here. */
static bool has_rings(void)
{
    struct rig_fault fault = {.record_fd = -1, .io = "uring"};

    assert_int_equal(rig_scan(&rig, "out", &fault), 0);
    rig_remove(&rig, "out");
    return rig.counts->calls[CALL_SUBMISSION] > 0;
}

static void every_answer_of_a_ring_fails_once(void **state)
{
    static const struct {
        enum syscall_kind kind;
        int errnums[6]; /* -1: no more; 0: short */
        bool all_after;
        unsigned least;
    } ways[] = {
        {CALL_RING, {ENOMEM, EPERM, EMFILE, -1}, false, 2},
        {CALL_RING, {ENOMEM, -1}, true, 2},
        {CALL_SUBMISSION, {EAGAIN, EBUSY, EINTR, ENOMEM, EBADF, -1}, false, 6},
        {CALL_SUBMISSION, {EBUSY, -1}, true, 4},
        {CALL_COMPLETION, {EIO, EAGAIN, EINTR, ECANCELED, 0, -1}, false, 8},
        {CALL_COMPLETION, {EIO, EAGAIN, -1}, true, 4},
    };
    unsigned all = 0;

    (void)state;
    if (!has_rings())
        skip();
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        for (int k = 0; k < 6 && ways[i].errnums[k] >= 0; k++) {
            unsigned sites =
                rig_fail_each(&rig, "uring", ways[i].kind, ways[i].errnums[k], ways[i].all_after);

            print_message("%s, %s%s: %u sites\n", syscall_name(ways[i].kind),
                          ways[i].errnums[k] ? strerror(ways[i].errnums[k]) : "short",
                          ways[i].all_after ? ", all from there on" : "", sites);
            assert_true(sites >= ways[i].least);
            all += sites;
        }
    print_message("%u sites\n", all);
}

static void stand_still(void)
{
    for (;;)
        pause();
}

/* One read is stuck, or all from that one on; then a scan that reads them. */
static void scan_stuck(const char *io, uint64_t nth, bool all_after)
{
    struct rig_fault fault = {.record_fd = -1, .io = io, .read_timeout = "1"};
    const bool ring = strcmp(io, "uring") == 0;
    const char *said;
    int status;

    fault.calls = (struct syscall_plan){.kind = ring ? CALL_LOST : CALL_PREAD,
                                        .fail_nth = nth,
                                        .all_after = all_after,
                                        .of_images = true,
                                        .act = ring ? NULL : stand_still};
    status = rig_scan(&rig, "out", &fault);
    said = rig_said(&rig, "out");
    assert_true(rig.counts->hit > 0);
    print_message("%s, read %llu%s: %d, %u manifests\n", io, (unsigned long long)nth,
                  all_after ? " and all that follow" : "", status, rig_manifests(&rig, "out"));
    assert_true(status == 0 || status == 3);
    if (all_after)
        assert_true(status == 3 && strstr(said, "timed out at offset "));
    if (status == 3)
        assert_non_null(strstr(said, "/images/"));
    /* Others are read all the same. */
    assert_true(all_after || rig_manifests(&rig, "out") >= RIG_IMAGES - 1);
    rig_heals(&rig, "out");
    rig_remove(&rig, "out");
}

static void a_read_that_is_stuck_costs_its_image_alone(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 16; nth += 5)
        scan_stuck("pread", nth, false);
    if (has_rings())
        for (uint64_t nth = 1; nth <= 16; nth += 5)
            scan_stuck("uring", nth, false);
}

/* A place of the medium that never answers: what else there is of the image is had. */
static void a_place_that_is_stuck_costs_what_is_there(void **state)
{
    static const char *const backends[] = {"pread", "uring"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct rig_fault fault = {.record_fd = -1, .io = backends[i], .read_timeout = "1"};
        const char *said;

        if (i && !has_rings())
            break;
        fault.calls = (struct syscall_plan){.stuck_from = STUCK_AT, .stuck_to = STUCK_AT + 1};
        assert_int_equal(rig_scan(&rig, "out", &fault), 3);
        said = rig_said(&rig, "out");
        print_message("%s: %llu reads were stuck\n", backends[i],
                      (unsigned long long)rig.counts->hit);
        assert_int_equal(rig_manifests(&rig, "out"), RIG_IMAGES);
        assert_non_null(strstr(said, "\"state\":\"partial\""));
        rig_heals(&rig, "out");
        rig_remove(&rig, "out");
    }
}

static void a_device_that_hangs_does_not_hold_the_batch(void **state)
{
    (void)state;
    scan_stuck("pread", 9, true);
    if (has_rings())
        scan_stuck("uring", 9, true);
}

static int setup(void **state)
{
    (void)state;
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 1);
    rig_setup(&rig);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_teardown(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_of_a_ring_fails_once),
        cmocka_unit_test(a_read_that_is_stuck_costs_its_image_alone),
        cmocka_unit_test(a_place_that_is_stuck_costs_what_is_there),
        cmocka_unit_test(a_device_that_hangs_does_not_hold_the_batch),
    };

    cmocka_set_test_filter(getenv("OSTSCAN_ONLY"));
    return cmocka_run_group_tests(tests, setup, teardown);
}
