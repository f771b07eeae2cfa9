/* rig.c: see rig.h. */
#include "tests/faults/rig.h"

#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "index/hash.h"
#include "index/manifest.h"
#include "io/mem.h"
#include "io/patient.h"
#include "scanner/app/app.h"
#include "tests/gen/run.h"
#include "tests/support/tempdir.h"

enum { SECONDS = 120, SAID = 1 << 20, FIRST_SITES = 12 };

static const struct rig_fault nothing = {.record_fd = -1};

static void make_image(const char *path, enum gen_format format, const char *profile)
{
    struct gen_options o = {
        .image = {.path = path,
                  .format = format,
                  .crypt = GEN_CRYPT_PERMUTE,
                  .content = GEN_OST,
                  .compress = format == GEN_UNICODE4K,
                  .seed = 5},
        .profile = profile_find(profile),
        .seed = 5,
        .items = 6,
        .truth = TRUTH_NONE,
    };
    struct gen_summary summary;
    unsigned missed;

    assert_int_equal(gen_run(&o, &summary, &missed), 0);
}

static void path_of(const struct rig *r, const char *name, char out[RIG_PATH])
{
    assert_true(snprintf(out, RIG_PATH, "%s/%s", r->dir, name) < RIG_PATH);
}

/* The manifests of OUT, each read to its end; *digest is over what they say and scan.jsonl does. */
static unsigned read_out(const struct rig *r, const char *out, uint64_t *digest)
{
    char pattern[2 * RIG_PATH];
    struct buf all = BUF_INIT;
    struct ost_digest hash;
    glob_t found;
    unsigned n = 0;

    snprintf(pattern, sizeof pattern, "%s/%s/manifests/*.zst", r->dir, out);
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++, n++) {
            struct idx_manifest_reader *reader;
            enum idx_manifest_state state = MANIFEST_DAMAGED;
            enum idx_record type;
            struct bytes line;
            struct fault fault;
            int rc;

            assert_int_equal(idx_manifest_open(found.gl_pathv[i], &reader, &fault), 0);
            while ((rc = idx_manifest_next(reader, &type, &line, &state)) == 1)
                if (type != RECORD_SCAN && type != RECORD_END)
                    buf_append(&all, line.data, line.size);
            idx_manifest_close(reader);
            assert_true(rc == 0 && state == MANIFEST_COMPLETE);
        }
        globfree(&found);
    }
    if (digest) {
        assert_int_equal(idx_hash_bytes(IDX_XXH3, all.data, all.size, &hash), 0);
        memcpy(digest, hash.bytes, sizeof *digest);
    }
    buf_done(&all);
    return n;
}

unsigned rig_manifests(struct rig *r, const char *out)
{
    return read_out(r, out, NULL);
}

void rig_setup(struct rig *r)
{
    static const enum gen_format formats[RIG_IMAGES] = {GEN_ANSI, GEN_UNICODE, GEN_UNICODE4K};
    char path[RIG_PATH];

    *r = (struct rig){0};
    snprintf(r->dir, sizeof r->dir, "%s", tempdir_make());
    r->counts =
        mmap(NULL, sizeof *r->counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(r->counts, MAP_FAILED);
    path_of(r, "images", path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (int i = 0; i < RIG_IMAGES; i++) {
        char name[32];

        snprintf(name, sizeof name, "images/%d.ost", i);
        path_of(r, name, path);
        make_image(path, formats[i], "mail");
    }
    assert_int_equal(rig_scan(r, "whole", &nothing), 0);
    assert_int_equal(read_out(r, "whole", &r->digest), RIG_IMAGES);
}

void rig_teardown(struct rig *r)
{
    munmap(r->counts, sizeof *r->counts);
    tempdir_remove(r->dir);
}

static void run_child(const struct rig *r, char **argv, int argc, const struct rig_fault *fault)
{
    char log[RIG_PATH];
    uint64_t before;
    int fd;

    path_of(r, "log", log);
    fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
        _exit(125);
    alarm(SECONDS);
    io_patience_test(fault->may_hang);
    syscalls_record(fault->record_fd);
    syscalls_arm(&fault->calls, r->counts);
    before = mem_test_count();
    if (fault->mem_nth)
        mem_test_fail(fault->mem_nth, fault->mem_after);
    fd = app_main(argc, argv);
    syscalls_disarm();
    r->counts->allocations = mem_test_count() - before;
    mem_test_fail(0, 0);
    exit(fd);
}

static int run(struct rig *r, char **argv, int argc, const struct rig_fault *fault)
{
    int status;
    pid_t pid;

    memset(r->counts, 0, sizeof *r->counts);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        run_child(r, argv, argc, fault);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > 3)
        print_message("status %#x: %s\n", status, rig_said(r, "none"));
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 3);
    return WEXITSTATUS(status);
}

int rig_run(struct rig *r, const char *command, const char *argument, const struct rig_fault *fault)
{
    char target[RIG_PATH];
    char *argv[] = {"ostscan", (char *)(uintptr_t)command, "--memory", "64M", "--jobs", "1", target,
                    NULL};

    path_of(r, argument, target);
    return run(r, argv, 7, fault);
}

static char *text(const char *given, const char *otherwise)
{
    return (char *)(uintptr_t)(given ? given : otherwise);
}

int rig_scan(struct rig *r, const char *out, const struct rig_fault *fault)
{
    char target[RIG_PATH], images[RIG_PATH];
    char *argv[] = {"ostscan",
                    "scan",
                    "-q",
                    "--progress",
                    "never",
                    "--io",
                    text(fault->io, "pread"),
                    "--read-timeout",
                    text(fault->read_timeout, "600"),
                    "--jobs",
                    "1",
                    "--memory",
                    "64M",
                    "-o",
                    target,
                    images,
                    NULL};

    path_of(r, out, target);
    path_of(r, "images", images);
    return run(r, argv, 16, fault);
}

static int is_temporary(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    size_t length = strlen(path);

    (void)st;
    (void)type;
    (void)ftw;
    return length > 4 && strcmp(path + length - 4, ".tmp") == 0;
}

void rig_heals(struct rig *r, const char *out)
{
    char path[RIG_PATH];
    uint64_t digest;
    int status = rig_scan(r, out, &nothing);

    if (status)
        print_message("does not heal: %s\n", rig_said(r, out));
    assert_int_equal(status, 0);
    assert_int_equal(read_out(r, out, &digest), RIG_IMAGES);
    assert_true(digest == r->digest);
    path_of(r, out, path);
    assert_int_equal(nftw(path, is_temporary, 16, FTW_PHYS), 0);
}

static size_t append_file(const char *path, char *into, size_t at, size_t most)
{
    FILE *f = fopen(path, "rb");

    if (!f)
        return at;
    at += fread(into + at, 1, most - at, f);
    fclose(f);
    return at;
}

const char *rig_said(struct rig *r, const char *out)
{
    static char text[SAID + 1];
    char path[RIG_PATH], name[64];
    size_t at;

    path_of(r, "log", path);
    at = append_file(path, text, 0, SAID);
    snprintf(name, sizeof name, "%s/scan.jsonl", out);
    path_of(r, name, path);
    at = append_file(path, text, at, SAID);
    text[at] = '\0';
    return text;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void rig_remove(struct rig *r, const char *out)
{
    char path[RIG_PATH];

    path_of(r, out, path);
    nftw(path, remove_one, 16, FTW_PHYS | FTW_DEPTH);
}

/* What a message must name of a call that failed: an image, or a folder above it, by its path; what
 * is in OUT, which may be a temporary file, by OUT's. NULL: nothing. */
static const char *named(const struct rig *r)
{
    static char path[sizeof r->counts->path];
    char out[RIG_PATH], images[RIG_PATH];

    path_of(r, "out", out);
    path_of(r, "images", images);
    snprintf(path, sizeof path, "%s", r->counts->path);
    if (strncmp(path, out, strlen(out)) == 0)
        path[strlen(out)] = '\0';
    else if (strncmp(path, images, strlen(images)) != 0)
        return NULL;
    return path;
}

/* Where in an image a read failed; of several any one is told. */
static const char *placed(const struct rig *r)
{
    static char text[64];

    if (r->counts->offset < 0 || !strstr(r->counts->path, "/images/"))
        return NULL;
    if (r->counts->hit > 1)
        return "at offset ";
    snprintf(text, sizeof text, "at offset %lld", (long long)r->counts->offset);
    return text;
}

void rig_expect_said(struct rig *r, int status, const char *what, uint64_t nth)
{
    const char *said = rig_said(r, "out"), *wanted[] = {named(r), placed(r)};
    bool why = strstr(said, "ostscan: ") || strstr(said, "\"reason\"");

    if (status && !why)
        print_message("%s %llu: nothing was said: %s\n", what, (unsigned long long)nth, said);
    assert_true(!status || why);
    for (int i = 0; i < 2 && status; i++) {
        if (!wanted[i] || strstr(said, wanted[i]))
            continue;
        print_message("%s %llu on %s: nothing was said of %s: %s\n", what, (unsigned long long)nth,
                      r->counts->path, wanted[i], said);
        fail();
    }
}

unsigned rig_fail_each(struct rig *r, const char *io, enum syscall_kind kind, int errnum,
                       bool all_after)
{
    const unsigned share = io && RIG_SHARE < 3 ? 3 : RIG_SHARE;
    const unsigned step = getenv("OSTSCAN_ALL_FAULTS") ? 1 : share;
    unsigned tried = 0;

    for (uint64_t nth = 1;; nth += nth < FIRST_SITES ? 1 : step) {
        struct rig_fault fault = {.record_fd = -1, .io = io};
        int status;

        fault.calls = (struct syscall_plan){
            .fail_nth = nth, .all_after = all_after, .kind = kind, .errnum = errnum};
        status = rig_scan(r, "out", &fault);
        if (!r->counts->hit) {
            assert_int_equal(status, 0);
            rig_remove(r, "out");
            return (unsigned)r->counts->calls[kind];
        }
        tried++;
        rig_expect_said(r, status, syscall_name(kind), nth);
        if (tried % share == 0) {
            rig_manifests(r, "out");
            rig_heals(r, "out");
        }
        rig_remove(r, "out");
    }
}
