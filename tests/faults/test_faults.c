/*
 * test_faults.c: every system call and every allocation of a small scan is made to fail in turn.
 *
 * For each kind of call and each way it fails: the first one, the second, until a run comes through
 * without meeting its fault. No run crashes or hangs, each that fails says why, what stands in OUT
 * is whole, and the next run makes of it what an undisturbed one does. The sites are counted, and
 * there must be as many as there were when this was written, or nearly.
 */
#include <errno.h>
#include <fcntl.h>
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

#include "tests/faults/rig.h"

static struct rig rig;

/* How calls fail, of a kind; 0: a short answer. `least` sites of a scan. */
static const struct {
    enum syscall_kind kind;
    int errnums[4]; /* -1: no more */
    unsigned least;
} ways[] = {
    {CALL_OPEN, {EMFILE, EIO, EACCES, -1}, 8},
    {CALL_OPENAT, {EMFILE, ENOSPC, EROFS, -1}, 10},
    {CALL_PREAD, {EIO, EINTR, -1}, 5},
    {CALL_PREADV, {EIO, EAGAIN, 0, -1}, 3},
    {CALL_WRITE, {ENOSPC, EIO, 0, -1}, 5},
    {CALL_PWRITE, {ENOSPC, EROFS, 0, -1}, 4},
    {CALL_FSYNC, {EIO, ENOSPC, -1}, 9},
    {CALL_FDATASYNC, {EIO, -1}, 4},
    {CALL_FTRUNCATE, {EIO, -1}, 1},
    {CALL_RENAMEAT, {EROFS, EIO, -1}, 5},
    {CALL_MKDIR, {EROFS, ENOSPC, -1}, 2},
    {CALL_STAT, {EIO, ENOMEM, -1}, 5},
    {CALL_FSTAT, {EIO, -1}, 5},
    {CALL_FSTATAT, {EIO, -1}, 1},
    {CALL_GETDENTS, {EIO, -1}, 3},
    {CALL_GETRANDOM, {ENOSYS, -1}, 4},
    {CALL_FLOCK, {ENOLCK, -1}, 4},
    {CALL_FCNTL, {EINVAL, -1}, 3},
    {CALL_THREAD, {EAGAIN, -1}, 1},
};

enum { WAYS = sizeof ways / sizeof ways[0] };

static void every_call_fails_once(void **state)
{
    unsigned all = 0;

    (void)state;
    for (int i = 0; i < WAYS; i++)
        for (int k = 0; k < 4 && ways[i].errnums[k] >= 0; k++) {
            unsigned sites = rig_fail_each(&rig, NULL, ways[i].kind, ways[i].errnums[k], false);

            print_message("%s, %s: %u sites\n", syscall_name(ways[i].kind),
                          ways[i].errnums[k] ? strerror(ways[i].errnums[k]) : "short", sites);
            assert_true(sites >= ways[i].least);
            all += sites;
        }
    print_message("%u sites\n", all);
}

/* As when a disk fills up, turns read-only or goes away: from one call on all of them fail. */
static void from_some_call_on_all_fail(void **state)
{
    unsigned all = 0;

    (void)state;
    all += rig_fail_each(&rig, NULL, CALL_WRITE, ENOSPC, true);
    all += rig_fail_each(&rig, NULL, CALL_OPENAT, EROFS, true);
    all += rig_fail_each(&rig, NULL, CALL_PWRITE, ENOSPC, true);
    all += rig_fail_each(&rig, NULL, CALL_RENAMEAT, EROFS, true);
    all += rig_fail_each(&rig, NULL, CALL_FSYNC, EIO, true);
    all += rig_fail_each(&rig, NULL, CALL_PREADV, EIO, true);
    print_message("%u sites\n", all);
    assert_true(all >= 30);
}

/* Every `step`-th allocation; of a few the next run is tried too. */
static void every_allocation_fails(void **state)
{
    unsigned step = getenv("OSTSCAN_ALL_FAULTS") ? 1 : 7;
    unsigned failed = 0, sites = 0;

    (void)state;
    for (uint64_t nth = 1;; nth += step) {
        struct rig_fault fault = {.record_fd = -1, .mem_nth = nth};
        int status = rig_scan(&rig, "out", &fault);

        if (rig.counts->allocations < nth)
            break;
        failed += status != 0;
        sites++;
        rig_expect_said(&rig, status, "allocation", nth);
        rig_manifests(&rig, "out");
        if (sites % (10 * RIG_SHARE) == 0)
            rig_heals(&rig, "out");
        rig_remove(&rig, "out");
    }
    rig_remove(&rig, "out");
    print_message("%u of %u allocations kept something from being done\n", failed, sites);
    assert_true(failed >= 150);
}

/* Every `step`-th that anyone asks for: iconv, zstd, libcrypto, the C library itself. */
static void every_library_allocation_fails(void **state)
{
    unsigned step = getenv("OSTSCAN_ALL_FAULTS") ? 1 : 11;
    unsigned failed = 0, sites = 0;

    (void)state;
    for (uint64_t nth = 1;; nth += step) {
        struct rig_fault fault = {.record_fd = -1};
        int status;

        fault.calls = (struct syscall_plan){.fail_nth = nth, .kind = CALL_MALLOC, .errnum = ENOMEM};
        status = rig_scan(&rig, "out", &fault);
        if (!rig.counts->hit)
            break;
        failed += status != 0;
        rig_expect_said(&rig, status, "malloc", nth);
        rig_manifests(&rig, "out");
        rig_heals(&rig, "out");
        sites++;
        rig_remove(&rig, "out");
    }
    rig_remove(&rig, "out");
    if (!rig.counts->calls[CALL_MALLOC])
        skip();
    print_message("%u of %u tried, of %llu, kept something from being done\n", failed, sites,
                  (unsigned long long)rig.counts->calls[CALL_MALLOC]);
    assert_true(failed >= 20);
}

static void check_and_dups_bear_faults(void **state)
{
    static const struct {
        const char *command, *argument;
        enum syscall_kind kind;
        int errnum;
        unsigned least;
    } runs[] = {
        {"check", "images", CALL_PREADV, EIO, 3}, {"check", "images", CALL_OPEN, EMFILE, 3},
        {"check", "images", CALL_PREADV, 0, 3},   {"dups", "whole", CALL_OPEN, EMFILE, 3},
        {"dups", "whole", CALL_PREAD, EIO, 3},    {"dups", "whole", CALL_PREAD, 0, 3},
        {"dups", "whole", CALL_GETDENTS, EIO, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        unsigned sites = 0;

        for (;; sites++) {
            struct rig_fault fault = {.record_fd = -1};
            int status;

            fault.calls = (struct syscall_plan){
                .fail_nth = sites + 1u, .kind = runs[i].kind, .errnum = runs[i].errnum};
            status = rig_run(&rig, runs[i].command, runs[i].argument, &fault);
            assert_true(status == 0 || strstr(rig_said(&rig, "out"), "ostscan: ") ||
                        strstr(rig_said(&rig, "out"), rig.dir));
            if (!rig.counts->hit)
                break;
            assert_true(status == 0 || status == 1 || status == 3);
        }
        print_message("%s, %s: %u sites\n", runs[i].command, syscall_name(runs[i].kind), sites);
        assert_true(sites >= runs[i].least);
    }
}

/* Of a check that went on to its end: each image has its line, if only why there is no more. */
static void expect_each_image_told(uint64_t nth)
{
    for (unsigned i = 0; i < RIG_IMAGES; i++) {
        char name[32];

        snprintf(name, sizeof name, "/%u.ost: ", i);
        if (strstr(rig_said(&rig, "out"), name))
            continue;
        print_error("without allocation %llu nothing is said of %s\n%s\n", (unsigned long long)nth,
                    name, rig_said(&rig, "out"));
        fail();
    }
}

static void check_and_dups_bear_a_lack_of_memory(void **state)
{
    static const char *const runs[][2] = {{"check", "images"}, {"dups", "whole"}};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        unsigned failed = 0;

        for (uint64_t nth = 1;; nth += i ? 5 : RIG_SHARE) {
            struct rig_fault fault = {.record_fd = -1, .mem_nth = nth};
            int status = rig_run(&rig, runs[i][0], runs[i][1], &fault);

            if (rig.counts->allocations < nth)
                break;
            failed += status != 0;
            assert_true(status == 0 || rig_said(&rig, "out")[0]);
            if (i == 0 && status != 1)
                expect_each_image_told(nth);
        }
        print_message("%s: %u allocations\n", runs[i][0], failed);
        assert_true(failed >= 5);
    }
}

/* Whether one of the images has nothing but zeros there, as in the padding of a block. */
static bool is_empty_somewhere(uint64_t at, size_t size)
{
    bool empty = false;

    for (unsigned i = 0; i < RIG_IMAGES; i++) {
        char path[RIG_PATH + 32];
        FILE *f;
        size_t zeros = 0;

        snprintf(path, sizeof path, "%s/images/%u.ost", rig.dir, i);
        f = fopen(path, "rb");
        assert_non_null(f);
        assert_int_equal(fseeko(f, (off_t)at, SEEK_SET), 0);
        while (zeros < size && fgetc(f) == 0)
            zeros++;
        fclose(f);
        empty |= zeros == size;
    }
    return empty;
}

/* A page or block that is torn when it is read first or when it is verified, and right when it is
 * read once more, was being written. (Noise in padding alone would be told and is no change.) */
static void torn_reads_are_no_damage(void **state)
{
    struct rig_fault fault = {.record_fd = -1};
    unsigned changed = 0, nth = 0;

    (void)state;
    for (uint64_t at = 0x4400; at < 0x40000; at += 0x940) {
        const char *said;

        if (is_empty_somewhere(at, 64))
            continue;
        fault.calls =
            (struct syscall_plan){.torn_from = at, .torn_to = at + 64, .torn_nth = 1 + nth++ % 2};
        assert_int_equal(rig_scan(&rig, "out", &fault), 0);
        said = rig_said(&rig, "out");
        changed += strstr(said, "\"state\":\"changed\"") != NULL;
        assert_null(strstr(said, "\"state\":\"damaged\""));
        assert_null(strstr(said, "\"state\":\"partial\""));
        assert_true(!strstr(said, "\"state\":\"changed\"") ||
                    strstr(said, "\"remedy\":\"retry_closed\""));
        rig_heals(&rig, "out");
        rig_remove(&rig, "out");
    }
    print_message("%u of them noticed\n", changed);
    assert_true(changed >= 3);
}

/* What others do to the first image, or to all, while it is read. They hold no more than a path. */

static char image[RIG_PATH + 32], spare[RIG_PATH + 32], folder[RIG_PATH + 32], away[RIG_PATH + 32];

static void cut_image(void)
{
    assert_int_equal(truncate(image, 70000), 0);
}

static void replace_image(void)
{
    assert_int_equal(rename(spare, image), 0);
}

/* A counter of the header, and the time put back: as by a writer on a clock that stands still. */
static void count_in_header(void)
{
    struct stat st;
    int fd;

    assert_int_equal(stat(image, &st), 0);
    fd = open(image, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "\x77", 1, 32), 1);
    assert_int_equal(futimens(fd, (struct timespec[2]){st.st_atim, st.st_mtim}), 0);
    close(fd);
}

static void take_folder_away(void)
{
    assert_int_equal(rename(folder, away), 0);
}

static void copy_image(const char *from, const char *to)
{
    char data[4096];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    struct stat st;
    size_t n;

    assert_true(in && out);
    while ((n = fread(data, 1, sizeof data, in)) > 0)
        assert_int_equal(fwrite(data, 1, n, out), n);
    assert_int_equal(fstat(fileno(in), &st), 0);
    assert_int_equal(fflush(out), 0);
    assert_int_equal(futimens(fileno(out), (struct timespec[2]){st.st_atim, st.st_mtim}), 0);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

/* Scans with that done at the n-th read, and puts everything back. */
static int scan_while(void (*act)(void), uint64_t nth)
{
    struct rig_fault fault = {.record_fd = -1};
    char kept[RIG_PATH + 32];
    int status;

    snprintf(kept, sizeof kept, "%s/kept", rig.dir);
    copy_image(image, kept);
    copy_image(image, spare);
    fault.calls = (struct syscall_plan){.kind = CALL_PREAD, .fail_nth = nth, .act = act};
    status = rig_scan(&rig, "out", &fault);
    if (access(away, F_OK) == 0)
        assert_int_equal(rename(away, folder), 0);
    assert_int_equal(rename(kept, image), 0);
    rig_manifests(&rig, "out");
    return status;
}

static void a_change_while_reading_is_no_damage(void **state)
{
    static void (*const acts[])(void) = {cut_image, replace_image, count_in_header,
                                         take_folder_away};
    unsigned changed[4] = {0};

    (void)state;
    snprintf(image, sizeof image, "%s/images/0.ost", rig.dir);
    snprintf(spare, sizeof spare, "%s/spare", rig.dir);
    snprintf(folder, sizeof folder, "%s/images", rig.dir);
    snprintf(away, sizeof away, "%s/away", rig.dir);
    /* The header is among the first four reads: what is changed before it is read is no change. */
    for (int i = 0; i < 4; i++) {
        for (uint64_t nth = 5; nth < 61; nth += 4) {
            int status = scan_while(acts[i], nth);
            const char *said = rig_said(&rig, "out");

            assert_true(status == 0 || status == 3);
            assert_null(strstr(said, "\"state\":\"damaged\""));
            assert_true(!strstr(said, "\"state\":\"changed\"") ||
                        strstr(said, "\"remedy\":\"retry_closed\""));
            changed[i] += strstr(said, "\"state\":\"changed\"") != NULL;
            rig_heals(&rig, "out");
            rig_remove(&rig, "out");
        }
        print_message("%u of 14 noticed\n", changed[i]);
        assert_true(changed[i] >= 5);
    }
}

static int setup(void **state)
{
    (void)state;
    /* Where syncing costs nothing; what is tested is what is asked of the disk. */
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
    const char *only = getenv("OSTSCAN_ONLY"); /* a test's name, by hand */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_fails_once),
        cmocka_unit_test(from_some_call_on_all_fail),
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(every_library_allocation_fails),
        cmocka_unit_test(check_and_dups_bear_faults),
        cmocka_unit_test(check_and_dups_bear_a_lack_of_memory),
        cmocka_unit_test(torn_reads_are_no_damage),
        cmocka_unit_test(a_change_while_reading_is_no_damage),
    };

    cmocka_set_test_filter(only);
    return cmocka_run_group_tests(tests, setup, teardown);
}
