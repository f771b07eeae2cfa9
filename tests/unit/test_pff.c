/*
 * test_pff.c: the libpff engine: what it hands out of real images, and what becomes of an image
 * when its child refuses, lies, crashes, hangs or is interrupted. Where the child has to misbehave,
 * this program plays it: the environment says how.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/child.h"
#include "io/file.h"
#include "scanner/ref/pff.h"
#include "scanner/ref/run.h"
#include "scanner/ref/wire.h"
#include "tests/support/samples.h"
#include "tests/support/tempdir.h"
#include "tests/support/transcript.h"
#include "tests/support/watched.h"

enum { MEMORY = 1 << 30 };

struct session {
    struct transcript transcript;
    struct engine_sink sink;
    struct ost_hasher hasher;
    struct ost_header header;
    struct io_file file;
    struct engine_job job;
    struct ref_bounds bounds;
};

static void open_session(struct session *s, const char *path)
{
    struct fault fault;

    *s = (struct session){.hasher = transcript_hasher(),
                          .header = {.content = OST_CONTENT_OST, .version = 36}};
    assert_int_equal(io_file_open(path, 0, &s->file, &fault), 0);
    s->sink = transcript_sink(&s->transcript);
    s->job = (struct engine_job){.file = &s->file,
                                 .header = &s->header,
                                 .io = IO_BACKEND_PREAD,
                                 .memory_bytes = MEMORY,
                                 .hasher = &s->hasher,
                                 .child_exe = OSTSCAN_EXE};
    s->bounds = ref_bounds_of(s->file.id.size_bytes, MEMORY);
}

static void close_session(struct session *s)
{
    io_file_close(&s->file);
    transcript_done(&s->transcript);
}

/* Runs the engine with the session's bounds; whatever happens, the image is reported once. */
static void run(struct session *s)
{
    assert_int_equal(ref_run(&s->job, &s->sink, &s->bounds), 0);
    assert_int_equal(s->transcript.images, 1);
}

/* Real images */

struct expected {
    const char *name;
    unsigned folders, items, assoc, failed, recipients, attachments, embedded, row_props;
};

static void check(const char *path, const struct expected *e)
{
    struct session s;

    open_session(&s, path);
    s.transcript.silent = true;
    assert_int_equal(engine_libpff.run(&s.job, &s.sink), 0);
    assert_int_equal(s.transcript.images, 1);
    assert_int_equal(s.transcript.folders, e->folders);
    assert_int_equal(s.transcript.items, e->items);
    assert_int_equal(s.transcript.assoc, e->assoc);
    assert_int_equal(s.transcript.failed, e->failed);
    assert_int_equal(s.transcript.by_code[F_item_failed], e->failed);
    assert_int_equal(s.transcript.recipients, e->recipients);
    assert_int_equal(s.transcript.attachments, e->attachments);
    assert_int_equal(s.transcript.embedded, e->embedded);
    assert_int_equal(s.transcript.row_props, e->row_props);
    assert_int_equal(s.transcript.partial, 0);
    assert_int_equal(s.transcript.orphans, 0);
    close_session(&s);
}

static void first_ost_is_complete(void **state)
{
    static const struct expected e = {NULL, 57, 183, 31, 0, 26, 34, 0, 642};

    (void)state;
    check(sample_or_skip(SAMPLE_OST), &e);
}

static void second_ost_is_complete(void **state)
{
    static const struct expected e = {NULL, 53, 162, 17, 0, 2, 12, 0, 537};

    (void)state;
    check(sample_or_skip(SAMPLE_OST2), &e);
}

static void expect_account(const char *path, const char *account)
{
    struct session s;

    open_session(&s, path);
    run(&s);
    assert_string_equal(s.transcript.account, account);
    close_session(&s);
}

/* What the store says of it, whichever engine reads the store. */
static void account_is_told(void **state)
{
    (void)state;
    expect_account(sample_or_skip(SAMPLE_OST), "exchange");
    expect_account(sample_or_skip(SAMPLE_ENRON), "unknown");
}

static void pst_is_complete(void **state)
{
    static const struct expected e = {NULL, 11, 71, 0, 0, 127, 70, 0, 0};

    (void)state;
    check(sample_or_skip(SAMPLE_ENRON), &e);
}

/* items + failed are the message nodes that an independent reader of the node B-tree counts. What
 * fails has a property of type 0, which a third-party writer left and libpff refuses. */
static void corpus_is_accounted_for(void **state)
{
    static const struct expected images[] = {
        {"aspose-folders-part10.pst", 6, 0, 0, 3, 0, 0, 0, 0},
        {"aspose-outlook.pst", 27, 17, 10, 0, 18, 34, 4, 0},
        {"aspose-test-part1.pst", 19, 49, 0, 12, 41, 43, 10, 0},
        {"atalayerdgn-pturk.pst", 15, 150, 0, 0, 150, 0, 0, 0},
        {"go-pst-32-bit-ansi.pst", 5, 1, 0, 0, 7, 0, 0, 0},
        {"groupdocs-sample.ost", 39, 5, 15, 0, 5, 5, 0, 60},
        {"hiraoka-200-recipients.pst", 7, 1, 0, 0, 200, 0, 0, 0},
        {"hiraoka-msg-in-msg-in-msg.pst", 5, 1, 0, 0, 1, 4, 2, 0},
        {"javalibpst-dist-list.pst", 24, 4, 3, 0, 0, 2, 2, 0},
        {"outlook-pst-rs-empty.pst", 6, 0, 0, 0, 0, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof images / sizeof *images; i++)
        check(corpus_or_skip(images[i].name), &images[i]);
}

/* Text, names and values as they stand in the file. */
static void values_are_handed_out_as_stored(void **state)
{
    struct session s;
    const char *text;

    (void)state;
    open_session(&s, corpus_or_skip("hiraoka-cp932-ansi.pst"));
    run(&s);
    text = buf_cstr(&s.transcript.text);
    /* An item in code page 932, which only its locale and its Internet encoding tell. */
    assert_non_null(strstr(text, "item 200024 8022 0 0 932\n"));
    /* The message class, 8-bit. */
    assert_non_null(strstr(text, "property 001a 001e 49504d2e4e6f7465\n"));
    /* A subject in Shift-JIS, its prefix marker kept. */
    assert_non_null(strstr(text, "property 0037 001e 010193fa967b8cea204e6f6e"));
    /* A named property of PSETID_Common: 0x8506, private, a boolean of one byte. */
    assert_non_null(strstr(text, " 000b 00 {0820060000000000c000000000000046 0 34054 }\n"));
    close_session(&s);
}

static void backends_agree(void **state)
{
    static const enum io_backend backends[] = {IO_BACKEND_PREAD, IO_BACKEND_URING};
    const char *path = sample_or_skip(SAMPLE_OST2);
    char *texts[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct session s;

        open_session(&s, path);
        s.job.io = backends[i];
        run(&s);
        texts[i] = strdup(buf_cstr(&s.transcript.text));
        close_session(&s);
    }
    assert_true(strcmp(texts[0], texts[1]) == 0);
    free(texts[0]);
    free(texts[1]);
}

/* Damaged images, made of a real one */

static char *copy_of(const char *folder, const char *path)
{
    static char copy[4096];
    char buffer[65536];
    ssize_t n;
    int from = open(path, O_RDONLY | O_CLOEXEC), to;

    snprintf(copy, sizeof copy, "%s/image.ost", folder);
    to = open(copy, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(from >= 0 && to >= 0);
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        assert_int_equal(write(to, buffer, (size_t)n), n);
    assert_int_equal(n, 0);
    close(from);
    close(to);
    return copy;
}

static void zero(const char *path, off_t at, size_t size)
{
    static const char zeros[65536];
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0 && size <= sizeof zeros);
    assert_int_equal(pwrite(fd, zeros, size, at), size);
    close(fd);
}

static void damaged_header_is_refused(void **state)
{
    const char *sample = sample_or_skip(SAMPLE_OST2), *folder = tempdir_make();
    char *path = copy_of(folder, sample);
    struct session s;

    (void)state;
    zero(path, 40, 4);
    open_session(&s, path);
    run(&s);
    assert_int_equal(s.transcript.by_code[F_engine_open_failed], 1);
    assert_int_equal(s.transcript.findings, 1);
    assert_non_null(strstr(buf_cstr(&s.transcript.text), "header checksum"));
    close_session(&s);
    tempdir_remove(folder);
}

/* Blocks of messages are gone: every message is handed out or reported. */
static void lost_messages_are_counted(void **state)
{
    const char *sample = sample_or_skip(SAMPLE_OST), *folder = tempdir_make();
    char *path = copy_of(folder, sample);
    struct session s;

    (void)state;
    zero(path, 600 * 1024, 64 * 1024);
    open_session(&s, path);
    run(&s);
    assert_int_equal(s.transcript.folders, 57);
    assert_true(s.transcript.failed > 0);
    assert_true(s.transcript.partial > 0);
    assert_int_equal(s.transcript.items + s.transcript.assoc + s.transcript.failed, 214);
    assert_int_equal(s.transcript.by_code[F_item_failed], s.transcript.failed);
    assert_int_equal(s.transcript.by_code[F_item_partial], s.transcript.partial);
    close_session(&s);
    tempdir_remove(folder);
}

/* Without its node B-tree libpff opens the image and finds nothing, which is no success. */
static void lost_nodes_are_no_empty_image(void **state)
{
    const char *sample = sample_or_skip(SAMPLE_ENRON), *folder = tempdir_make();
    char *path = copy_of(folder, sample);
    struct session s;
    uint8_t root[8];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(pread(fd, root, sizeof root, 224), sizeof root);
    close(fd);
    zero(path, (off_t)le64(root), 512);
    open_session(&s, path);
    run(&s);
    assert_int_equal(s.transcript.by_code[F_engine_open_failed], 1);
    assert_int_equal(s.transcript.folders, 0);
    close_session(&s);
    tempdir_remove(folder);
}

/* Where a page of the node B-tree is lost, libpff leaves its nodes out without a word; the folders
 * that list them tell. */
static void lost_leaf_is_noticed(void **state)
{
    const char *sample = sample_or_skip(SAMPLE_OST), *folder = tempdir_make();
    char *path = copy_of(folder, sample);
    uint8_t root[4096], at[8];
    struct session s;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned last;

    (void)state;
    assert_int_equal(pread(fd, at, sizeof at, 224), sizeof at);
    assert_int_equal(pread(fd, root, sizeof root, (off_t)le64(at)), sizeof root);
    close(fd);
    last = le16(root + 4056) - 1U;
    assert_in_range(last, 1, 168);
    zero(path, (off_t)le64(root + last * 24 + 16), sizeof root);
    open_session(&s, path);
    run(&s);
    assert_true(s.transcript.items + s.transcript.assoc + s.transcript.failed < 214);
    assert_int_equal(s.transcript.items + s.transcript.assoc + s.transcript.by_code[F_item_failed],
                     214);
    close_session(&s);
    tempdir_remove(folder);
}

static void shrunken_file_is_no_damage(void **state)
{
    const char *sample = sample_or_skip(SAMPLE_OST2), *folder = tempdir_make();
    char *path = copy_of(folder, sample);
    struct session s;

    (void)state;
    open_session(&s, path);
    assert_int_equal(truncate(path, 700 * 1024), 0);
    run(&s);
    assert_true(s.transcript.by_code[F_truncated_while_read] > 0);
    close_session(&s);
    tempdir_remove(folder);
}

/* Bounds */

static void large_images_are_declined(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, OSTSCAN_EXE);
    s.bounds.size_bytes = s.file.id.size_bytes - 1;
    run(&s);
    assert_int_equal(s.transcript.by_code[F_engine_declined], 1);
    assert_int_equal(s.transcript.findings, 1);
    close_session(&s);
    assert_true(ref_bounds_of((uint64_t)1 << 30, 1).size_bytes >= (uint64_t)1 << 30);
    assert_true(ref_bounds_of(((uint64_t)1 << 30) + 1, 1).size_bytes <= (uint64_t)1 << 30);
    assert_true(ref_bounds_of((uint64_t)1 << 30, 1).wall_ns > ref_bounds_of(1, 1).wall_ns);
}

static void time_is_bounded(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, sample_or_skip(SAMPLE_ENRON));
    s.bounds.wall_ns = 1;
    run(&s);
    assert_int_equal(s.transcript.by_code[F_engine_timeout], 1);
    close_session(&s);
}

/* Children that misbehave */

#define PLAY "TEST_PFF_PLAY"

static void play_beginning(struct wire *w)
{
    struct ost_folder root = {.nid = 0x122, .parent = 0x122};
    struct ost_item item = {.nid = 0x200024, .folder = 0x122};

    wire_init(w, IO_CHILD_PIPE_FD);
    wire_image(w, 10, 2, 1252, 0);
    wire_end(w, true);
    wire_folder(w, &root);
    wire_end(w, true);
    wire_item(w, &item);
    wire_end(w, true);
    item.nid = 0x200044;
    wire_item(w, &item);
}

/* This process as if its kernel knew no filters: by a filter, of course. */
static int refuse_filters(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* Says that there are two items, gives one, and ends in the way that the environment names. */
static int play_child(const char *play, int argc, char **argv)
{
    struct wire w;

    if (strcmp(play, "unfiltered") == 0)
        return refuse_filters() ? 1 : ref_child_main(argc, argv);

    play_beginning(&w);
    if (strcmp(play, "nonsense") == 0)
        wire_begin(&w, WIRE_CHUNK);
    wire_flush(&w);
    if (strcmp(play, "crash") == 0)
        raise(SIGABRT);
    if (strcmp(play, "cpu") == 0)
        raise(SIGXCPU);
    if (strcmp(play, "hang") == 0)
        pause();
    wire_done(&w);
    return 0;
}

/* A session whose child this program plays. */
static void open_play(struct session *s, const char *play)
{
    static char exe[4096];
    ssize_t size = readlink("/proc/self/exe", exe, sizeof exe - 1);

    assert_true(size > 0);
    open_session(s, OSTSCAN_EXE);
    s->job.child_exe = exe;
    setenv(PLAY, play, 1);
}

/* What was whole is kept, and one finding says why there is no more. */
static void check_play(const char *play, enum finding_code code, const char *detail)
{
    struct session s;

    open_play(&s, play);
    s.bounds.wall_ns = (uint64_t)(strcmp(play, "hang") ? 60000 : 300) * 1000000;
    run(&s);
    unsetenv(PLAY);
    assert_int_equal(s.transcript.folders, 1);
    assert_int_equal(s.transcript.items, 1);
    assert_int_equal(s.transcript.failed, 0);
    assert_int_equal(s.transcript.by_code[code], 1);
    assert_int_equal(s.transcript.findings, 1);
    assert_non_null(strstr(buf_cstr(&s.transcript.text), detail));
    close_session(&s);
}

static void misbehaving_children_are_findings(void **state)
{
    (void)state;
    skip_under_valgrind("a child does not start within its time");
    check_play("crash", F_engine_crashed, "signal 6 (SIGABRT)");
    check_play("cpu", F_engine_timeout, "CPU time");
    check_play("hang", F_engine_timeout, "clock");
    check_play("nonsense", F_engine_protocol, "does not belong here");
    check_play("leave", F_engine_protocol, "broke off");
}

static void a_child_without_filters_says_so(void **state)
{
    struct session s;

    (void)state;
    if (io_child_is_watched())
        skip();
    open_session(&s, sample_or_skip(SAMPLE_OST2));
    run(&s);
    assert_int_equal(s.transcript.by_code[F_engine_unfiltered], 0);
    close_session(&s);
    open_play(&s, "unfiltered");
    run(&s);
    unsetenv(PLAY);
    assert_int_equal(s.transcript.by_code[F_engine_unfiltered], 1);
    close_session(&s);
}

static void crash_tells_how_much_is_missing(void **state)
{
    struct session s;

    (void)state;
    open_play(&s, "crash");
    run(&s);
    unsetenv(PLAY);
    assert_non_null(strstr(buf_cstr(&s.transcript.text), "2 expected, 1 actual"));
    close_session(&s);
}

static void interruption_is_a_code(void **state)
{
    atomic_bool cancel = true;
    struct session s;

    (void)state;
    open_play(&s, "hang");
    s.job.cancel = &cancel;
    assert_int_equal(ref_run(&s.job, &s.sink, &s.bounds), ERR_CANCELLED);
    unsetenv(PLAY);
    close_session(&s);
}

static void missing_program_is_a_code(void **state)
{
    struct session s;

    (void)state;
    skip_under_valgrind("a failed exec is not seen");
    open_session(&s, OSTSCAN_EXE);
    s.job.child_exe = "/nonexistent/ostscan";
    assert_int_equal(ref_run(&s.job, &s.sink, &s.bounds), ERR_NOENT);
    close_session(&s);
}

static void sink_codes_are_forwarded(void **state)
{
    struct session s;

    (void)state;
    open_session(&s, sample_or_skip(SAMPLE_OST2));
    s.transcript.result = ERR_NOSPACE;
    assert_int_equal(ref_run(&s.job, &s.sink, &s.bounds), ERR_NOSPACE);
    assert_int_equal(s.transcript.images, 1);
    assert_int_equal(s.transcript.folders, 0);
    close_session(&s);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_ost_is_complete),
        cmocka_unit_test(second_ost_is_complete),
        cmocka_unit_test(pst_is_complete),
        cmocka_unit_test(account_is_told),
        cmocka_unit_test(corpus_is_accounted_for),
        cmocka_unit_test(values_are_handed_out_as_stored),
        cmocka_unit_test(backends_agree),
        cmocka_unit_test(damaged_header_is_refused),
        cmocka_unit_test(lost_messages_are_counted),
        cmocka_unit_test(lost_nodes_are_no_empty_image),
        cmocka_unit_test(lost_leaf_is_noticed),
        cmocka_unit_test(shrunken_file_is_no_damage),
        cmocka_unit_test(large_images_are_declined),
        cmocka_unit_test(time_is_bounded),
        cmocka_unit_test(misbehaving_children_are_findings),
        cmocka_unit_test(a_child_without_filters_says_so),
        cmocka_unit_test(crash_tells_how_much_is_missing),
        cmocka_unit_test(interruption_is_a_code),
        cmocka_unit_test(missing_program_is_a_code),
        cmocka_unit_test(sink_codes_are_forwarded),
    };

    if (argc > 1 && strcmp(argv[1], REF_CHILD_ARGUMENT) == 0)
        return play_child(getenv(PLAY), argc, argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
