/*
 * test_reads.c: what io_uring can answer, each in turn, and calls that never return.
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

/* A share whose server does not answer one question: the image it is of, or the folder, is lost. */
static unsigned hang_each(enum syscall_kind kind)
{
    char folder[RIG_PATH];

    assert_true(snprintf(folder, sizeof folder, "%s/images", rig.dir) < RIG_PATH);
    for (uint64_t nth = 1;; nth++) {
        struct rig_fault fault = {.record_fd = -1, .read_timeout = "1", .may_hang = true};
        const char *said;
        bool of_folder;
        int status;

        fault.calls = (struct syscall_plan){
            .kind = kind, .fail_nth = nth, .of_images = true, .act = stand_still};
        status = rig_scan(&rig, "out", &fault);
        if (!rig.counts->hit) {
            assert_int_equal(status, 0);
            rig_remove(&rig, "out");
            return (unsigned)nth - 1;
        }
        said = rig_said(&rig, "out");
        of_folder = strcmp(rig.counts->path, folder) == 0;
        print_message("%s %llu, of %s: %d, %u manifests\n", syscall_name(kind),
                      (unsigned long long)nth, rig.counts->path, status,
                      rig_manifests(&rig, "out"));
        /* Whether OUT lies in the folder need not be known, if then all of it is read. */
        assert_true(status == 3 ||
                    (status == 0 && of_folder && rig_manifests(&rig, "out") == RIG_IMAGES));
        /* An image that was read may only have been asked whether it has changed. */
        assert_true(status == 0 ||
                    (strstr(said, rig.counts->path) &&
                     (strstr(said, "timed out") || strstr(said, "whether it changed meanwhile"))));
        if (!of_folder)
            assert_true(rig_manifests(&rig, "out") >= RIG_IMAGES - 1);
        rig_heals(&rig, "out");
        rig_remove(&rig, "out");
    }
}

static void a_question_that_is_not_answered_costs_what_it_is_of(void **state)
{
    static const struct {
        enum syscall_kind kind;
        unsigned least;
    } questions[] = {
        {CALL_OPENAT, 1},
        {CALL_OPEN, 2 * RIG_IMAGES},
        {CALL_FSTAT, 1 + 3 * RIG_IMAGES},
        {CALL_FSTATAT, 1 + RIG_IMAGES},
        {CALL_GETDENTS, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        assert_true(hang_each(questions[i].kind) >= questions[i].least);
}

/* From one call on nothing is answered any more: the scan ends all the same, and tells. */
static void a_share_that_has_gone_does_not_hold_the_batch(void **state)
{
    static const enum syscall_kind kinds[] = {CALL_OPEN, CALL_FSTAT, CALL_FSTATAT, CALL_GETDENTS};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct rig_fault fault = {.record_fd = -1, .read_timeout = "1", .may_hang = true};

        fault.calls = (struct syscall_plan){.kind = kinds[i],
                                            .fail_nth = 2,
                                            .all_after = true,
                                            .of_images = true,
                                            .act = stand_still};
        assert_int_equal(rig_scan(&rig, "out", &fault), 3);
        assert_true(rig.counts->hit > 0);
        assert_non_null(strstr(rig_said(&rig, "out"), "timed out"));
        rig_manifests(&rig, "out");
        rig_heals(&rig, "out");
        rig_remove(&rig, "out");
    }
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
        cmocka_unit_test(a_question_that_is_not_answered_costs_what_it_is_of),
        cmocka_unit_test(a_share_that_has_gone_does_not_hold_the_batch),
    };

    cmocka_set_test_filter(getenv("OSTSCAN_ONLY"));
    return cmocka_run_group_tests(tests, setup, teardown);
}
